/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Translation of addresses and stateful filters.
 */

#include <sys/queue.h>
#include <sys/tree.h>

#include <stdlib.h>
#include <string.h>

#include "regress/sim/nat.h"

#define PORT_LOW	1024
#define PORT_TRIES	64

/* Somebody outside who was written to. */
struct permit {
	RB_ENTRY(permit) pm_entry;
	struct inet_addr pm_remote;	/* as far as the filter looks */
	int64_t		 pm_time;	/* last used */
};
RB_HEAD(nat_permit_tree, permit);

struct mapping {
	RB_ENTRY(mapping) mp_by_inner, mp_by_outer;
	TAILQ_ENTRY(mapping) mp_age;	/* longest idle first */
	struct inet_addr mp_inner;
	struct inet_addr mp_remote;	/* as far as the mapping looks */
	struct inet_addr mp_outer;
	int64_t		 mp_time;	/* last used */
	struct nat_permit_tree mp_permits;
};
RB_HEAD(nat_inner_tree, mapping);
RB_HEAD(nat_outer_tree, mapping);
TAILQ_HEAD(mapping_list, mapping);

struct nat {
	struct nat_model	 n_model;
	struct inet_addr n_outside;
	struct clock	*n_clock;
	struct nat_inner_tree n_inner;
	struct nat_outer_tree n_outer;
	struct mapping_list n_ages;
	unsigned	 n_count;
	uint16_t	 n_port;	/* given last, in a sequence */
};

static int
permit_cmp(const struct permit *a, const struct permit *b)
{
	return (inet_cmp(&a->pm_remote, &b->pm_remote));
}

static int
inner_cmp(const struct mapping *a, const struct mapping *b)
{
	int	 c = inet_cmp(&a->mp_inner, &b->mp_inner);

	return (c != 0 ? c : inet_cmp(&a->mp_remote, &b->mp_remote));
}

static int
outer_cmp(const struct mapping *a, const struct mapping *b)
{
	return (inet_cmp(&a->mp_outer, &b->mp_outer));
}

RB_PROTOTYPE(nat_permit_tree, permit, pm_entry, permit_cmp)
RB_GENERATE(nat_permit_tree, permit, pm_entry, permit_cmp)
RB_PROTOTYPE(nat_inner_tree, mapping, mp_by_inner, inner_cmp)
RB_GENERATE(nat_inner_tree, mapping, mp_by_inner, inner_cmp)
RB_PROTOTYPE(nat_outer_tree, mapping, mp_by_outer, outer_cmp)
RB_GENERATE(nat_outer_tree, mapping, mp_by_outer, outer_cmp)

struct nat *
nat_new(const struct nat_model *kind, const struct inet_addr *outside,
    struct clock *clock)
{
	struct nat	*n;

	if ((n = calloc(1, sizeof(*n))) == NULL)
		return (NULL);
	n->n_model = *kind;
	n->n_outside = *outside;
	n->n_clock = clock;
	n->n_port = (uint16_t)(PORT_LOW + clock_random(clock) % 40000);
	RB_INIT(&n->n_inner);
	RB_INIT(&n->n_outer);
	TAILQ_INIT(&n->n_ages);
	return (n);
}

static void
unmap(struct nat *n, struct mapping *mp)
{
	struct permit	*pm;

	while ((pm = RB_ROOT(&mp->mp_permits)) != NULL) {
		RB_REMOVE(nat_permit_tree, &mp->mp_permits, pm);
		free(pm);
	}
	RB_REMOVE(nat_inner_tree, &n->n_inner, mp);
	RB_REMOVE(nat_outer_tree, &n->n_outer, mp);
	TAILQ_REMOVE(&n->n_ages, mp, mp_age);
	n->n_count--;
	free(mp);
}

void
nat_forget(struct nat *n)
{
	struct mapping	*mp;

	while ((mp = TAILQ_FIRST(&n->n_ages)) != NULL)
		unmap(n, mp);
}

void
nat_renumber(struct nat *n, const struct inet_addr *outside)
{
	nat_forget(n);
	n->n_outside = *outside;
}

void
nat_free(struct nat *n)
{
	nat_forget(n);
	free(n);
}

const struct nat_model *
nat_model(const struct nat *n)
{
	return (&n->n_model);
}

void
nat_change(struct nat *n, const struct nat_model *kind)
{
	n->n_model = *kind;
}

unsigned
nat_count(const struct nat *n)
{
	return (n->n_count);
}

static void
expire(struct nat *n)
{
	struct mapping	*mp;
	int64_t		 now = clock_now(n->n_clock);

	while ((mp = TAILQ_FIRST(&n->n_ages)) != NULL &&
	    now - mp->mp_time >= n->n_model.na_idle)
		unmap(n, mp);
}

static void
used(struct nat *n, struct mapping *mp)
{
	mp->mp_time = clock_now(n->n_clock);
	TAILQ_REMOVE(&n->n_ages, mp, mp_age);
	TAILQ_INSERT_TAIL(&n->n_ages, mp, mp_age);
}

/* As much of a remote address as counts. */
static struct inet_addr
cut(const struct inet_addr *remote, enum nat_scope scope)
{
	struct inet_addr	 ia;

	memset(&ia, 0, sizeof(ia));
	if (scope == NAT_ANY)
		return (ia);
	ia = *remote;
	if (scope == NAT_ADDRESS)
		ia.ia_port = 0;
	return (ia);
}

static struct mapping *
find_outer(struct nat *n, const struct inet_addr *outer)
{
	struct mapping	 key;

	key.mp_outer = *outer;
	return (RB_FIND(nat_outer_tree, &n->n_outer, &key));
}

static uint16_t
next_port(struct nat *n)
{
	unsigned	 port;

	if (n->n_model.na_ports == NAT_RANDOM)
		return ((uint16_t)(PORT_LOW + clock_random(n->n_clock) %
		    (UINT16_MAX - PORT_LOW)));
	port = n->n_port + (n->n_model.na_step > 0 ? n->n_model.na_step : 1);
	if (port > UINT16_MAX)
		port = PORT_LOW;
	return (n->n_port = (uint16_t)port);
}

/* An outer address that is free; false when none was found. */
static bool
pick_outer(struct nat *n, struct mapping *mp)
{
	unsigned	 i;

	if (!n->n_model.na_translate || mp->mp_inner.ia_family != 4) {
		mp->mp_outer = mp->mp_inner;
		return (find_outer(n, &mp->mp_outer) == NULL);
	}
	mp->mp_outer = n->n_outside;
	mp->mp_outer.ia_port = mp->mp_inner.ia_port;
	if (n->n_model.na_ports == NAT_PRESERVE &&
	    find_outer(n, &mp->mp_outer) == NULL)
		return (true);
	for (i = 0; i < PORT_TRIES; i++) {
		mp->mp_outer.ia_port = next_port(n);
		if (find_outer(n, &mp->mp_outer) == NULL)
			return (true);
	}
	return (false);
}

/* A filter alone makes no difference between destinations. */
static enum nat_scope
mapping_scope(const struct nat *n, unsigned family)
{
	return (n->n_model.na_translate && family == 4 ?
	    n->n_model.na_mapping : NAT_ANY);
}

static struct mapping *
map(struct nat *n, const struct inet_addr *from, const struct inet_addr *to)
{
	struct mapping	 key, *mp;

	key.mp_inner = *from;
	key.mp_remote = cut(to, mapping_scope(n, from->ia_family));
	if ((mp = RB_FIND(nat_inner_tree, &n->n_inner, &key)) != NULL)
		return (mp);
	if (n->n_count >= n->n_model.na_max ||
	    (mp = calloc(1, sizeof(*mp))) == NULL)
		return (NULL);
	mp->mp_inner = key.mp_inner;
	mp->mp_remote = key.mp_remote;
	RB_INIT(&mp->mp_permits);
	if (!pick_outer(n, mp)) {
		free(mp);
		return (NULL);
	}
	(void)RB_INSERT(nat_inner_tree, &n->n_inner, mp);
	(void)RB_INSERT(nat_outer_tree, &n->n_outer, mp);
	TAILQ_INSERT_TAIL(&n->n_ages, mp, mp_age);
	n->n_count++;
	return (mp);
}

static struct permit *
permit_find(struct nat *n, struct mapping *mp, const struct inet_addr *remote)
{
	struct permit	 key;

	key.pm_remote = cut(remote, n->n_model.na_filter);
	return (RB_FIND(nat_permit_tree, &mp->mp_permits, &key));
}

bool
nat_out(struct nat *n, struct inet_addr *from, const struct inet_addr *to)
{
	struct mapping	*mp;
	struct permit	*pm;

	expire(n);
	if (n->n_model.na_no_udp || (mp = map(n, from, to)) == NULL)
		return (false);
	used(n, mp);
	*from = mp->mp_outer;
	if (n->n_model.na_filter == NAT_ANY)
		return (true);
	if ((pm = permit_find(n, mp, to)) == NULL) {
		if ((pm = calloc(1, sizeof(*pm))) == NULL)
			return (false);
		pm->pm_remote = cut(to, n->n_model.na_filter);
		(void)RB_INSERT(nat_permit_tree, &mp->mp_permits, pm);
	}
	pm->pm_time = mp->mp_time;
	return (true);
}

bool
nat_in(struct nat *n, const struct inet_addr *from, struct inet_addr *to)
{
	struct mapping	*mp;
	struct permit	*pm;
	int64_t		 now = clock_now(n->n_clock);

	expire(n);
	if (n->n_model.na_no_udp || (mp = find_outer(n, to)) == NULL)
		return (false);
	if (n->n_model.na_filter != NAT_ANY) {
		pm = permit_find(n, mp, from);
		if (pm == NULL || now - pm->pm_time >= n->n_model.na_idle)
			return (false);
		pm->pm_time = now;
	}
	used(n, mp);
	*to = mp->mp_inner;
	return (true);
}
