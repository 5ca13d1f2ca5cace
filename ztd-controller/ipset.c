/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Addresses in use; see ipset.h.  Open addressing, linear probing, at most
 * three quarters full.
 */

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "ztd-controller/ipset.h"

#define SIZE_MIN	8

struct ipset_slot {
	uint8_t		 s_ip[16];
	uint32_t	 s_count;
	uint8_t		 s_family;	/* 0: empty */
};

static size_t	 place(const struct ipset *, const uint8_t *, uint8_t);
static struct ipset_slot *find(const struct ipset *,
		    const struct inet_addr *);
static void	 grow(struct ipset *);
static void	 close_gap(struct ipset *, size_t);

void
ipset_add(struct ipset *is, const struct inet_addr *ia)
{
	struct ipset_slot	*s;

	if (inet_isnil(ia))
		return;
	if ((is->is_n + 1) * 4 > is->is_size * 3)
		grow(is);
	s = find(is, ia);
	if (s->s_family == 0) {
		s->s_family = ia->ia_family;
		memcpy(s->s_ip, ia->ia_ip, sizeof(s->s_ip));
		is->is_n++;
	}
	s->s_count++;
}

void
ipset_remove(struct ipset *is, const struct inet_addr *ia)
{
	struct ipset_slot	*s;

	if (inet_isnil(ia) || is->is_n == 0)
		return;
	s = find(is, ia);
	if (s->s_family == 0 || --s->s_count > 0)
		return;
	is->is_n--;
	close_gap(is, (size_t)(s - is->is_slots));
}

bool
ipset_has(const struct ipset *is, const struct inet_addr *ia)
{
	return (ipset_count(is, ia) > 0);
}

unsigned
ipset_count(const struct ipset *is, const struct inet_addr *ia)
{
	const struct ipset_slot	*s;

	if (inet_isnil(ia) || is->is_n == 0)
		return (0);
	s = find(is, ia);
	return (s->s_family == 0 ? 0 : s->s_count);
}

void
ipset_clear(struct ipset *is)
{
	free(is->is_slots);
	memset(is, 0, sizeof(*is));
}

static size_t
place(const struct ipset *is, const uint8_t *ip, uint8_t family)
{
	uint64_t	a, b;

	memcpy(&a, ip, sizeof(a));
	memcpy(&b, ip + sizeof(a), sizeof(b));
	a = (a ^ family) * UINT64_C(0x9e3779b97f4a7c15);
	a = (a ^ (a >> 29) ^ b) * UINT64_C(0xbf58476d1ce4e5b9);
	return ((size_t)(a >> 32) & (is->is_size - 1));
}

/* Its slot, or the empty one where it belongs. */
static struct ipset_slot *
find(const struct ipset *is, const struct inet_addr *ia)
{
	struct ipset_slot	*s;
	size_t			 i;

	for (i = place(is, ia->ia_ip, ia->ia_family);;
	    i = (i + 1) & (is->is_size - 1)) {
		s = &is->is_slots[i];
		if (s->s_family == 0 || (s->s_family == ia->ia_family &&
		    memcmp(s->s_ip, ia->ia_ip, sizeof(s->s_ip)) == 0))
			return (s);
	}
}

static void
grow(struct ipset *is)
{
	struct ipset_slot	*old = is->is_slots;
	size_t			 i, at, size = is->is_size;

	is->is_size = size == 0 ? SIZE_MIN : size * 2;
	is->is_slots = xcalloc(is->is_size, sizeof(*is->is_slots));
	for (i = 0; i < size; i++) {
		if (old[i].s_family == 0)
			continue;
		at = place(is, old[i].s_ip, old[i].s_family);
		while (is->is_slots[at].s_family != 0)
			at = (at + 1) & (is->is_size - 1);
		is->is_slots[at] = old[i];
	}
	free(old);
}

/* Move up what was only behind the emptied slot because it was taken. */
static void
close_gap(struct ipset *is, size_t gap)
{
	const size_t	 mask = is->is_size - 1;
	size_t		 i, home;

	for (i = (gap + 1) & mask; is->is_slots[i].s_family != 0;
	    i = (i + 1) & mask) {
		home = place(is, is->is_slots[i].s_ip,
		    is->is_slots[i].s_family);
		if (((i - home) & mask) < ((i - gap) & mask))
			continue;
		is->is_slots[gap] = is->is_slots[i];
		gap = i;
	}
	memset(&is->is_slots[gap], 0, sizeof(is->is_slots[gap]));
}
