/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The inside of the rules engine: what a table is compiled into
 * (filter_compile.c), and the matches (filter_match.c).
 * Spec: 03 sections 16.2 and 16.3.
 */

#ifndef ZTD_NET_CORE_FILTER_MATCH_H
#define ZTD_NET_CORE_FILTER_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ztd-net/core/filter.h"

/*
 * One rule.  All numbers are in host order, masks are made, so that a match
 * is a comparison.  What a, b, v and w are is said in filter_compile.c.
 */
struct insn {
	uint8_t		 i_type;	/* enum rule_type or without name */
	uint8_t		 i_not;		/* RULE_NOT or 0 */
	uint8_t		 i_or;		/* RULE_OR or 0 */
	uint8_t		 i_pad;
	/*
	 * Where to go on once the set is false: the next match with OR, or
	 * the action that ends the set.
	 */
	uint32_t	 i_skip;
	uint32_t	 i_a, i_b;
	uint64_t	 i_v, i_w;
};

struct filter_program {
	uint32_t	 fpr_id;	/* of its capability */
	unsigned	 fpr_n;
	struct insn	 fpr_insn[];
};

/*
 * A frame and what was found in it.  The search for the IPv6 payload is
 * made once, when a match first needs it.
 */
struct view {
	const struct filter_context *v_ctx;
	const struct filter_frame *v_frame;
	bool		 v_ipv4;	/* with a whole header */
	bool		 v_ipv6;	/* by its Ethernet type alone */
	enum { L4_UNKNOWN, L4_FOUND, L4_NONE } v_l4;
	uint8_t		 v_proto;	/* of the payload of IP */
	size_t		 v_pos;		/* where it is; perhaps at the end */
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
bool	 filter_match(struct view *, struct state *, const struct insn *);

#endif /* ZTD_NET_CORE_FILTER_MATCH_H */
