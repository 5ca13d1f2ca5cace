/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What the operator permits a network to do to the host.  Pure functions.
 * Spec: 03 sections 19.3 and 19.4, 06 sections 8.1 and 8.2.
 */

#ifndef ZTD_TAP_POLICY_H
#define ZTD_TAP_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/inet.h"
#include "common/netconf.h"

#define POLICY_WHITELIST	64
#define POLICY_TEXT		4096	/* a policy file, with NUL */
/* Both default routes are two halves each. */
#define POLICY_ROUTES		(NETCONF_ROUTES + 2)

struct policy {
	bool		 po_managed;
	bool		 po_global;
	bool		 po_default;
	bool		 po_dns;
	unsigned	 po_nwhite;	/* 0: no white list */
	struct inet_addr po_white[POLICY_WHITELIST]; /* ia_port = bits */
};

/* A route as it goes to the system; a default route is never one. */
struct policy_route {
	struct inet_addr pr_target;	/* ia_port = bits, host bits zero */
	struct inet_addr pr_via;	/* nil: on link; ia_port 0 */
	struct inet_addr pr_src;	/* ia_port 0 */
	bool		 pr_default;	/* half of a default route */
};

/* What holds for a network without a policy file. */
void	 policy_init(struct policy *);

/*
 * Text of a policy file.  Entries that cannot be understood leave their
 * default.  Returns false when the white list holds something that is no
 * network (it is then left out, which only ever narrows the list).
 */
bool	 policy_parse(struct policy *, const char *text, size_t len);
/* The four lines; dst has size bytes.  Returns their length, or -1. */
int	 policy_format(const struct policy *, char *dst, size_t size);

/* Why an address or a route of a network is not taken. */
enum policy_why {
	POLICY_TAKEN,
	POLICY_MANAGED,		/* allowManaged is off */
	POLICY_LIST,		/* not in the list of allowManaged */
	POLICY_DEFAULT,		/* allowDefault is off */
	POLICY_WIDE,		/* as good as a default route */
	POLICY_KIND,		/* no network gives such addresses */
	POLICY_GLOBAL,		/* allowGlobal is off */
	POLICY_VIA		/* the route's gateway cannot be one */
};

/* 19.3: is this address or route target allowed, or why not? */
enum policy_why policy_judge(const struct policy *, const struct inet_addr *);
bool	 policy_allows(const struct policy *, const struct inet_addr *);
/* The same of a route with its gateway. */
enum policy_why policy_judge_route(const struct policy *,
	    const struct netconf_route *);
/* "allowDefault is off"; static. */
const char *policy_why_text(enum policy_why);

/*
 * The distinct allowed ones of n addresses, in their order, into dst
 * (NETCONF_IPS entries).  Returns how many.
 */
unsigned policy_addresses(const struct policy *, const struct inet_addr *ips,
	    unsigned n, struct inet_addr *dst);

/*
 * 19.4: the routes to install, in the order of installing, into dst
 * (POLICY_ROUTES entries).  on[] are the addresses really on the interface,
 * assigned[] all that the controller gave.  Default routes only with
 * defaults true.  Returns how many.
 */
unsigned policy_routes(const struct policy *, const struct netconf_route *,
	    unsigned nroutes, const struct inet_addr *on, unsigned non,
	    const struct inet_addr *assigned, unsigned nassigned,
	    bool defaults, struct policy_route *dst);

/* A network cut in two halves of one bit more; it must not be a host. */
void	 policy_split(const struct inet_addr *, struct inet_addr half[2]);

#endif /* ZTD_TAP_POLICY_H */
