/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The matches of the rules engine, for filter.c only.
 * Spec: 03 section 16.3.
 */

#ifndef ZTD_NET_CORE_FILTER_MATCH_H
#define ZTD_NET_CORE_FILTER_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ztd-net/core/filter.h"

/*
 * A frame and what was found in it.  The search for the IPv6 payload is
 * made once, when a match first needs it.
 */
struct view {
	const struct filter_context *v_ctx;
	const struct filter_frame *v_frame;
	bool		 v_ipv4;	/* with a whole header */
	bool		 v_ipv6;	/* by its Ethernet type alone */
	size_t		 v_ihl;		/* IPv4: where its payload is */
	enum { V6_UNKNOWN, V6_FOUND, V6_NONE } v_v6;
	size_t		 v_v6pos;	/* IPv6: where its payload is */
	uint8_t		 v_v6proto;
};

/* How far the evaluation of one table has come. */
struct state {
	bool		 st_super;	/* an action aims at us */
	bool		 st_skipdrop;	/* pass over the next DROP taken */
};

void	 filter_view_init(struct view *, const struct filter_context *,
	    const struct filter_frame *);
/*
 * The result of a match before its NOT bit is applied.  Results that NOT
 * cannot change come out inverted if the bit is set.
 */
bool	 filter_match(struct view *, struct state *, const struct rule *);

#endif /* ZTD_NET_CORE_FILTER_MATCH_H */
