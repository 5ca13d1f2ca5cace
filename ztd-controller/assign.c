/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Addresses of a member: computed, stored, from pools.  Spec: 04 section 10.
 */

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/crypto.h"
#include "common/log.h"
#include "ztd-controller/controller.h"
#include "ztd-controller/value.h"

#define TRIES_V6	1000
#define CRAM_SPAN	0xffffffffffULL	/* room for an address as it is */

struct assign {
	struct network	*as_n;
	uint64_t	 as_addr;
	json_t		*as_list;	/* ipAssignments of the record */
	struct netconf	*as_nc;
	bool		 as_has4, as_has6;
};

static void	 assign_computed(struct assign *);
static void	 assign_stored(struct assign *);
static bool	 stored_prefix(const struct assign *,
		    const struct inet_addr *, uint16_t *);
static bool	 assign_pools(struct assign *, uint8_t,
		    bool (*)(struct assign *, const struct inet_addr *,
		    const struct inet_addr *));
static bool	 pool_v6(struct assign *, const struct inet_addr *,
		    const struct inet_addr *);
static bool	 try_v6(struct assign *, uint64_t, uint64_t);
static bool	 pool_v4(struct assign *, const struct inet_addr *,
		    const struct inet_addr *);
static bool	 search_v4(struct assign *, uint32_t, uint32_t);
static bool	 try_v4(struct assign *, uint32_t, uint16_t);
static bool	 prefix_v4(const struct assign *, uint32_t, uint16_t *);
static bool	 next_v4(const struct assign *, uint32_t, uint32_t *);
static bool	 is_taken(struct assign *, const struct inet_addr *);
static void	 give(struct assign *, const struct inet_addr *, uint16_t);
static void	 append(struct netconf *, const struct inet_addr *, uint16_t);
static uint32_t	 v4_number(const struct inet_addr *);
static bool	 contains_v6(const struct inet_addr *,
		    const struct inet_addr *);

bool
assign_addresses(struct network *n, uint64_t addr, json_t *record,
    struct netconf *nc)
{
	struct assign	 as;
	json_t		*v4, *v6;
	bool		 automatic, want4, want6;

	memset(&as, 0, sizeof(as));
	as.as_n = n;
	as.as_addr = addr;
	as.as_nc = nc;
	as.as_list = json_object_get(record, "ipAssignments");
	if (!json_is_array(as.as_list)) {
		as.as_list = json_array();
		value_set(record, "ipAssignments", as.as_list);
	}
	automatic = !value_bool(json_object_get(record, "noAutoAssignIps"),
	    false);
	v4 = json_object_get(n->n_record, "v4AssignMode");
	v6 = json_object_get(n->n_record, "v6AssignMode");

	if (automatic)
		assign_computed(&as);
	assign_stored(&as);
	want6 = automatic && !as.as_has6 &&
	    value_bool(json_object_get(v6, "zt"), false);
	want4 = automatic && !as.as_has4 &&
	    value_bool(json_object_get(v4, "zt"), false);
	if (want6)
		(void)assign_pools(&as, 6, pool_v6);
	/* That nothing is free is not found out again for each member. */
	if (want4 && !n->n_full4)
		n->n_full4 = !assign_pools(&as, 4, pool_v4);
	return (!want4 && !want6);
}

static void
assign_computed(struct assign *as)
{
	struct inet_addr ia;
	const json_t	*v6;

	v6 = json_object_get(as->as_n->n_record, "v6AssignMode");
	if (value_bool(json_object_get(v6, "rfc4193"), false)) {
		addr_rfc4193(&ia, as->as_n->n_nwid, as->as_addr);
		append(as->as_nc, &ia, ia.ia_port);
		as->as_nc->nc_flags |= NETCONF_NDP;
	}
	if (value_bool(json_object_get(v6, "6plane"), false)) {
		addr_6plane(&ia, as->as_n->n_nwid, as->as_addr);
		append(as->as_nc, &ia, ia.ia_port);
		as->as_nc->nc_flags |= NETCONF_NDP;
	}
}

static void
assign_stored(struct assign *as)
{
	struct inet_addr ia;
	json_t		*e;
	size_t		 i;
	uint16_t	 bits;

	json_array_foreach(as->as_list, i, e) {
		if (!json_is_string(e) ||
		    !value_addr(json_string_value(e), &ia) ||
		    !stored_prefix(as, &ia, &bits))
			continue;
		if (ia.ia_family == 4)
			as->as_has4 = true;
		else
			as->as_has6 = true;
		append(as->as_nc, &ia, bits);
	}
}

/* The longest prefix of all routes that contain an address. */
static bool
stored_prefix(const struct assign *as, const struct inet_addr *ia,
    uint16_t *bits)
{
	const struct inet_addr	*t;
	unsigned		 i;
	bool			 found = false;

	*bits = 0;
	for (i = 0; i < as->as_n->n_nroutes; i++) {
		t = &as->as_n->n_routes[i].nr_target;
		if (t->ia_family != ia->ia_family ||
		    t->ia_port > 8 * inet_iplen(t))
			continue;
		if (ia->ia_family == 6 ? !contains_v6(t, ia) :
		    !inet_contains(t, ia))
			continue;
		found = true;
		if (t->ia_port > *bits)
			*bits = t->ia_port;
	}
	return (found);
}

/* Pools of a family, in order, until one had an address: true. */
static bool
assign_pools(struct assign *as, uint8_t family,
    bool (*from)(struct assign *, const struct inet_addr *,
    const struct inet_addr *))
{
	struct inet_addr start, end;
	char		 buf[VALUE_NUMBER];
	json_t		*list, *e;
	size_t		 i;

	list = json_object_get(as->as_n->n_record, "ipAssignmentPools");
	json_array_foreach(list, i, e) {
		if (!value_addr(value_text(json_object_get(e,
		    "ipRangeStart"), "", buf), &start) ||
		    !value_addr(value_text(json_object_get(e,
		    "ipRangeEnd"), "", buf), &end) ||
		    start.ia_family != family || end.ia_family != family)
			continue;
		if (from(as, &start, &end))
			return (true);
	}
	return (false);
}

static uint64_t
random_below(uint64_t n)
{
	uint64_t	r;

	if (n == 0)
		return (0);
	crypto_random(&r, sizeof(r));
	return (r % n);
}

static uint64_t
half(const struct inet_addr *ia, unsigned at)
{
	uint64_t	v = 0;
	unsigned	i;

	for (i = 0; i < 8; i++)
		v = v << 8 | ia->ia_ip[at + i];
	return (v);
}

/*
 * A wide range holds the member's own address; in a narrow one the place is
 * random.
 */
static bool
pool_v6(struct assign *as, const struct inet_addr *start,
    const struct inet_addr *end)
{
	uint64_t	s1 = half(start, 0), s0 = half(start, 8);
	uint64_t	e1 = half(end, 0), e0 = half(end, 8);
	unsigned	t = 0;

	if (e0 > s0 && e0 - s0 >= CRAM_SPAN) {
		if (try_v6(as, s1, s0 + as->as_addr))
			return (true);
		t++;
	}
	for (; t < TRIES_V6; t++)
		if (try_v6(as,
		    s1 + random_below(e1 > s1 ? e1 - s1 : 0),
		    s0 + random_below(e0 > s0 ? e0 - s0 : 0)))
			return (true);
	return (false);
}

static bool
try_v6(struct assign *as, uint64_t high, uint64_t low)
{
	const struct netconf_route	*nr;
	struct inet_addr		 ia;
	unsigned			 i;
	uint16_t			 bits = 0;

	memset(&ia, 0, sizeof(ia));
	ia.ia_family = 6;
	for (i = 0; i < 8; i++) {
		ia.ia_ip[i] = (uint8_t)(high >> (56 - 8 * i));
		ia.ia_ip[8 + i] = (uint8_t)(low >> (56 - 8 * i));
	}
	for (i = 0; i < as->as_n->n_nroutes; i++) {
		nr = &as->as_n->n_routes[i];
		if (nr->nr_target.ia_family == 6 &&
		    nr->nr_target.ia_port <= 128 &&
		    inet_isnil(&nr->nr_via) &&
		    contains_v6(&nr->nr_target, &ia))
			bits = nr->nr_target.ia_port;
	}
	if (bits == 0 || is_taken(as, &ia))
		return (false);
	give(as, &ia, bits);
	return (true);
}

/*
 * The first candidate follows from the member's address, as with every
 * other controller; the whole range is searched from there, its last
 * address at the end.
 */
static bool
pool_v4(struct assign *as, const struct inet_addr *start,
    const struct inet_addr *end)
{
	uint32_t	s = v4_number(start), e = v4_number(end), first;

	if (e < s || s == 0)
		return (false);
	if (e == s)
		return (search_v4(as, s, s));
	first = s + (uint32_t)as->as_addr % (e - s);
	if (search_v4(as, first, e - 1))
		return (true);
	if (first > s && search_v4(as, s, first - 1))
		return (true);
	return (search_v4(as, e, e));
}

/* The first free address in [lo, hi]; stretches without route are skipped. */
static bool
search_v4(struct assign *as, uint32_t lo, uint32_t hi)
{
	uint32_t	ip = lo;
	uint16_t	bits;

	for (;;) {
		if (prefix_v4(as, ip, &bits)) {
			if (try_v4(as, ip, bits))
				return (true);
			if (ip == hi)
				return (false);
			ip++;
		} else if (!next_v4(as, ip, &ip) || ip > hi)
			return (false);
	}
}

static bool
try_v4(struct assign *as, uint32_t ip, uint16_t bits)
{
	struct inet_addr	ia;

	if ((ip & 0xff) == 0xff)
		return (false);
	memset(&ia, 0, sizeof(ia));
	ia.ia_family = 4;
	ia.ia_ip[0] = (uint8_t)(ip >> 24);
	ia.ia_ip[1] = (uint8_t)(ip >> 16);
	ia.ia_ip[2] = (uint8_t)(ip >> 8);
	ia.ia_ip[3] = (uint8_t)ip;
	if (is_taken(as, &ia))
		return (false);
	give(as, &ia, bits);
	return (true);
}

/* The prefix of the first route that has this address. */
static bool
prefix_v4(const struct assign *as, uint32_t ip, uint16_t *bits)
{
	const struct inet_addr	*t;
	unsigned		 i;

	for (i = 0; i < as->as_n->n_nroutes; i++) {
		t = &as->as_n->n_routes[i].nr_target;
		if (t->ia_family == 4 && t->ia_port >= 1 &&
		    t->ia_port <= 32 &&
		    (ip & 0xffffffffU << (32 - t->ia_port)) ==
		    v4_number(t)) {
			*bits = t->ia_port;
			return (true);
		}
	}
	return (false);
}

/* The lowest start of a route above ip. */
static bool
next_v4(const struct assign *as, uint32_t ip, uint32_t *next)
{
	const struct inet_addr	*t;
	uint32_t		 start, best = 0;
	unsigned		 i;

	for (i = 0; i < as->as_n->n_nroutes; i++) {
		t = &as->as_n->n_routes[i].nr_target;
		if (t->ia_family != 4)
			continue;
		start = v4_number(t);
		if (start > ip && (best == 0 || start < best))
			best = start;
	}
	*next = best;
	return (best != 0);
}

static bool
is_taken(struct assign *as, const struct inet_addr *ia)
{
	struct inet_addr own;
	json_t		*e;
	size_t		 i;

	if (ipset_has(&as->as_n->n_ips, ia))
		return (true);
	json_array_foreach(as->as_list, i, e)
		if (json_is_string(e) &&
		    value_addr(json_string_value(e), &own) &&
		    inet_same_ip(&own, ia))
			return (true);
	return (false);
}

/* A new address: into the record, and into the configuration. */
static void
give(struct assign *as, const struct inet_addr *ia, uint16_t bits)
{
	char	text[INET_TEXT];

	value_append(as->as_list, json_string(inet_format_ip(text, ia)));
	append(as->as_nc, ia, bits);
}

static void
append(struct netconf *nc, const struct inet_addr *ia, uint16_t bits)
{
	if (nc->nc_nips == NETCONF_IPS)
		return;
	nc->nc_ips[nc->nc_nips] = *ia;
	nc->nc_ips[nc->nc_nips].ia_port = bits;
	nc->nc_nips++;
}

static uint32_t
v4_number(const struct inet_addr *ia)
{
	return ((uint32_t)ia->ia_ip[0] << 24 | (uint32_t)ia->ia_ip[1] << 16 |
	    (uint32_t)ia->ia_ip[2] << 8 | ia->ia_ip[3]);
}

/* Unlike with IPv4, a target with host bits contains nothing. */
static bool
contains_v6(const struct inet_addr *net, const struct inet_addr *ia)
{
	unsigned	i, bits;
	uint8_t		mask;

	for (i = 0; i < 16; i++) {
		bits = net->ia_port <= 8 * i ? 0 : net->ia_port - 8 * i;
		mask = bits >= 8 ? 0xff : (uint8_t)(0xff00 >> bits);
		if ((ia->ia_ip[i] & mask) != net->ia_ip[i])
			return (false);
	}
	return (true);
}
