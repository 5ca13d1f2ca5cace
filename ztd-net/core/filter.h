/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The rules engine: may this frame pass, and who else gets it?
 * Spec: 03 sections 16.2 to 16.5.
 *
 * A table is compiled once, when its configuration or capability arrives,
 * and run for every frame.  Running is a pure function: nothing is sent,
 * stored or allocated.  What is to be sent comes back as a list, in the
 * order in which it is to be sent.
 */

#ifndef ZTD_NET_CORE_FILTER_H
#define ZTD_NET_CORE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/credential.h"
#include "common/inet.h"
#include "common/netconf.h"
#include "common/rules.h"

/*
 * An Ethernet frame between two nodes.  data is its payload, behind the
 * Ethernet header; it is never written to, and no byte past len is read.
 */
struct filter_frame {
	bool		 inbound;
	uint64_t	 source;	/* node addresses */
	uint64_t	 dest;		/* 0: not known (multicast, bridge) */
	uint64_t	 mac_src;
	uint64_t	 mac_dst;
	uint16_t	 ethertype;
	unsigned	 vlan;
	const uint8_t	*data;
	size_t		 len;		/* bytes */
};

/* A table, compiled. */
struct filter_program;

/*
 * Compile n rules; id is that of their capability, of no meaning for a base
 * table.  The caller's, independent of the rules; NULL when memory is
 * short.
 */
struct filter_program *filter_compile(const struct rule *, unsigned n,
	    uint32_t id);
void	 filter_program_free(struct filter_program *);

/* The tables of a configuration, compiled. */
struct filter_rules {
	struct filter_program	*fr_base;
	unsigned		 fr_ncaps;	/* own, by ascending id */
	struct filter_program	**fr_caps;
	bool			 fr_alike;	/* segments of one super-frame
						 * get one answer, and ask for
						 * no copies */
};

/* Of a configuration, which need not stay; NULL when memory is short. */
struct filter_rules *filter_rules_new(const struct netconf *);
void	 filter_rules_free(struct filter_rules *);

/*
 * What the membership record of the other side says; only what counts now
 * (10.3).
 */
struct filter_peer {
	/* The value of the peer's tag; false when it has none. */
	bool	(*fp_tag)(void *arg, uint32_t id, uint32_t *value);
	/* Owns(peer, IP) and Owns(peer, MAC), used inbound. */
	bool	(*fp_owns_ip)(void *arg, const struct inet_addr *);
	bool	(*fp_owns_mac)(void *arg, uint64_t mac);
	/*
	 * The i-th of the peer's capabilities by ascending id, NULL after
	 * the last; used inbound.  Asked with i = 0, 1, 2, ...
	 */
	const struct filter_program *(*fp_capability)(void *arg, unsigned i);
	void	 *fp_arg;
};

struct filter_context {
	const struct netconf	*fc_netconf;	/* ours, in force */
	const struct filter_rules *fc_rules;	/* of it */
	uint64_t		 fc_self;	/* our address */
	const struct filter_peer *fc_peer;	/* NULL: no record */
	/* 32 random bits, for MATCH_RANDOM. */
	uint32_t		(*fc_random)(void *arg);
	void			*fc_random_arg;
};

/* A copy of the first fcp_len bytes of the payload. */
struct filter_copy {
	uint64_t	 fcp_node;	/* 0: none */
	size_t		 fcp_len;
	bool		 fcp_watch;	/* WATCH, else TEE */
	bool		 fcp_capability;	/* asked for by a capability */
};

enum filter_result {
	FILTER_NO_MATCH,	/* of one table only */
	FILTER_DROP,
	FILTER_ACCEPT,
	FILTER_SUPER_ACCEPT,
	FILTER_REDIRECT
};

#define FILTER_END	(-1)	/* no rule: the table ended */

/* The outcome of one table. */
struct filter_outcome {
	enum filter_result fo_result;
	int		 fo_rule;	/* index of the action that made it so,
					 * or FILTER_END */
	uint64_t	 fo_redirect;	/* node, with FILTER_REDIRECT */
	struct filter_copy fo_copy;	/* fcp_node 0: none */
	uint8_t		 fo_bucket;	/* of QoS, 0 to 8 */
};

/*
 * The log of one table (18): four bits per entry, entry 0 in the low nibble
 * of byte 0.
 */
#define FILTER_LOG	512		/* bytes, for RULES_MAX entries */

/*
 * Run one table.  log is NULL or FILTER_LOG bytes, which are zeroed first.
 */
void	 filter_run(struct filter_outcome *, const struct filter_context *,
	    const struct filter_frame *, const struct filter_program *,
	    uint8_t *log);

#define FILTER_COPIES	2

struct filter_decision {
	/*
	 * FILTER_DROP, FILTER_ACCEPT, FILTER_REDIRECT (send the frame to
	 * fd_redirect and go on as with FILTER_DROP) or, only inbound,
	 * FILTER_SUPER_ACCEPT (deliver without further checks).
	 */
	enum filter_result fd_result;
	/*
	 * The rule that decided: of the base table or of the capability.
	 * For a drop it is that of the base table, FILTER_END when that had
	 * no answer and no capability accepted.
	 */
	int		 fd_rule;
	bool		 fd_by_capability;
	uint32_t	 fd_capability;	/* id */
	uint64_t	 fd_redirect;
	unsigned	 fd_ncopies;	/* send these first, in this order */
	struct filter_copy fd_copies[FILTER_COPIES];
	uint8_t		 fd_bucket;
};

/* What a decision went through, for the remote trace. */
struct filter_log {
	uint8_t		 fl_base[FILTER_LOG];
	uint8_t		 fl_cap[FILTER_LOG];	/* of the last one run */
	bool		 fl_hascap;
};

/*
 * The whole decision: base table, then capabilities, ours outbound (16.4)
 * and the peer's inbound (16.5).  Without copies_allowed no copy is asked
 * for; inbound they always are.  log may be NULL.
 */
void	 filter_outbound(struct filter_decision *,
	    const struct filter_context *, const struct filter_frame *,
	    bool copies_allowed, struct filter_log *);
void	 filter_inbound(struct filter_decision *,
	    const struct filter_context *, const struct filter_frame *,
	    struct filter_log *);

#endif /* ZTD_NET_CORE_FILTER_H */
