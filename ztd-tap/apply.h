/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * One network's record, and how its addresses and routes get on its tap:
 * wanted, allowed, in force.  Spec: 03 section 19.4, 06 sections 7 to 9.
 */

#ifndef ZTD_TAP_APPLY_H
#define ZTD_TAP_APPLY_H

#include <sys/tree.h>

#include <stdbool.h>
#include <stdint.h>

#include "ztd-tap/parent.h"
#include "ztd-tap/policy.h"
#include "ztd-tap/tap.h"

struct joined {
	RB_ENTRY(joined) j_entry;
	struct parent	*j_parent;
	uint64_t	 j_nwid;
	struct policy	 j_policy;
	struct msg_port	*j_want;	/* NULL before the first MSG_PORT */
	struct tap	 j_tap;		/* t_fd -1: none */
	int		 j_index;	/* on the frame channel, or -1 */
	int		 j_error;	/* errno of the tap, 0 none */
	uint32_t	 j_mtu;		/* as asked for */
	uint32_t	 j_took;	/* as the system took it */
	bool		 j_up;
	bool		 j_warned;	/* these wishes were complained about */
	char		*j_ok;		/* addresses told, "" not ok; or NULL */
	bool		 j_dns_bad;	/* ... its name servers in particular */
	unsigned	 j_backoff;	/* s */
	struct event	*j_retry;
	/* In force. */
	unsigned	 j_naddrs;
	struct inet_addr j_addrs[NETCONF_IPS];
	unsigned	 j_nroutes;
	struct policy_route j_routes[POLICY_ROUTES];
	bool		 j_default;	/* a default route is among them */
	unsigned	 j_pins;	/* pins are wanted: PINS_* */
	int64_t		 j_restored;	/* ms, when addresses were put back */
	/* As told to the engine. */
	bool		 j_told;
	unsigned	 j_ngroups;
	struct msg_group *j_groups;
	/* As named in the log. */
	struct refusals	*j_refused;
};

RB_PROTOTYPE(joined_tree, joined, j_entry, joined_cmp)
int	 joined_cmp(const struct joined *, const struct joined *);

/*
 * Addresses: remove what is no longer wanted, then add what is missing, or
 * everything when again is set.  Then apply_routes() must follow.
 */
void	 apply_addresses(struct joined *, bool again);
/* Routes, all anew: what is there already is left as it is. */
void	 apply_routes(struct joined *);
/* Is this address in force on its tap? */
bool	 apply_has(const struct joined *, const struct inet_addr *);
/* An address in force is not in p_ifs, and it may be put back again. */
bool	 apply_missing(struct joined *);
/* Its name servers to the host's resolver, or away from it. */
void	 apply_dns(struct joined *);
/* Take off everything, since the tap goes. */
void	 apply_withdraw(struct joined *);

#endif /* ZTD_TAP_APPLY_H */
