/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What others say our address is, and what that tells of the NAT before us.
 * Spec: 02 section 12.1.
 */

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "ztd-net/core/core.h"

#define SURFACE_MAX	256
#define SURFACE_MS	600000
#define STEP_MAX	16	/* ports between two uses that tell a rule */

struct seen {
	int64_t		 sn_time;		/* 0: free */
	int64_t		 sn_since;		/* it is this address */
	uint64_t	 sn_by;
	uint32_t	 sn_sock;
	struct inet_addr sn_from;		/* the reporter's address */
	enum inet_scope	 sn_scope;
	struct inet_addr sn_addr;		/* ours, as it saw it */
	bool		 sn_trusted;
};

struct surface {
	struct seen	 su_seen[SURFACE_MAX];
};

int
surface_new(struct node *n)
{
	return ((n->n_surface = calloc(1, sizeof(*n->n_surface))) == NULL ?
	    -1 : 0);
}

void
surface_free(struct node *n)
{
	free(n->n_surface);
}

void
surface_housekeeping(struct node *n, int64_t now)
{
	struct seen	*s;
	unsigned	 i;

	for (i = 0; i < SURFACE_MAX; i++) {
		s = &n->n_surface->su_seen[i];
		if (now - s->sn_time >= SURFACE_MS)
			s->sn_time = 0;
	}
}

void
surface_sweep(struct node *n)
{
	struct seen	*s;
	size_t		 k;
	unsigned	 i;

	for (i = 0; i < SURFACE_MAX; i++) {
		s = &n->n_surface->su_seen[i];
		for (k = 0; k < n->n_nsocks &&
		    n->n_socks[k].ns_id != s->sn_sock; k++)
			continue;
		if (k == n->n_nsocks)
			s->sn_time = 0;
	}
}

/* Which of two entries is less worth keeping: what upstreams say stays. */
static bool
less_worth(const struct seen *a, const struct seen *b)
{
	if (a->sn_time == 0 || b->sn_time == 0 ||
	    a->sn_trusted == b->sn_trusted)
		return (a->sn_time < b->sn_time);
	return (!a->sn_trusted);
}

/* The entry for this reporter and scope, else the one to be given up. */
static struct seen *
seen_get(struct node *n, const struct peer *by, const struct path *pa,
    enum inet_scope scope, bool *found)
{
	struct seen	*s, *slot = &n->n_surface->su_seen[0];
	unsigned	 i;

	*found = false;
	for (i = 0; i < SURFACE_MAX; i++) {
		s = &n->n_surface->su_seen[i];
		if (s->sn_time != 0 && s->sn_by == by->pe_id.id_addr &&
		    s->sn_sock == pa->pa_sock && s->sn_scope == scope &&
		    inet_equal(&s->sn_from, &pa->pa_addr)) {
			*found = true;
			return (s);
		}
		if (less_worth(s, slot))
			slot = s;
	}
	return (slot);
}

/* Our address in this scope changed: what others saw before is void. */
static void
surface_changed(struct node *n, int64_t now, enum inet_scope scope,
    const struct inet_addr *from, unsigned family)
{
	struct seen	*s;
	unsigned	 i;

	for (i = 0; i < SURFACE_MAX; i++) {
		s = &n->n_surface->su_seen[i];
		if (s->sn_time != 0 && s->sn_scope == scope &&
		    !inet_equal(&s->sn_from, from))
			s->sn_time = 0;
	}
	paths_reset(n, now, scope, family);
}

void
surface_report(struct node *n, int64_t now, const struct peer *by,
    const struct path *pa, const struct inet_addr *seen)
{
	enum inet_scope	 scope = inet_scope(seen);
	struct seen	*s;
	bool		 found, trusted;

	if (scope != inet_scope(&pa->pa_addr) || scope == SCOPE_NONE ||
	    scope == SCOPE_LOOPBACK || scope == SCOPE_MULTICAST)
		return;
	trusted = topology_is_upstream(n, by->pe_id.id_addr);
	s = seen_get(n, by, pa, scope, &found);
	if (found && trusted && now - s->sn_time < SURFACE_MS &&
	    !inet_same_ip(&s->sn_addr, seen)) {
		s->sn_addr = *seen;
		s->sn_time = s->sn_since = now;
		s->sn_trusted = true;
		surface_changed(n, now, scope, &pa->pa_addr,
		    seen->ia_family);
		return;
	}
	if (!found || !inet_equal(&s->sn_addr, seen))
		s->sn_since = now;
	s->sn_time = now > 0 ? now : 1;
	s->sn_by = by->pe_id.id_addr;
	s->sn_sock = pa->pa_sock;
	s->sn_from = pa->pa_addr;
	s->sn_scope = scope;
	s->sn_addr = *seen;
	s->sn_trusted = trusted;
}

/* Append what is not there yet. */
static size_t
append(struct inet_addr *dst, size_t ndst, size_t max,
    const struct inet_addr *ia)
{
	size_t	 k;

	for (k = 0; k < ndst && !inet_equal(&dst[k], ia); k++)
		continue;
	if (k == ndst && ndst < max)
		dst[ndst++] = *ia;
	return (ndst);
}

/* What roots say, then what the others do. */
size_t
node_surface(const struct node *n, struct inet_addr *dst, size_t max)
{
	const struct seen	*s;
	size_t			 ndst = 0, i;
	int			 trusted;

	for (trusted = 1; trusted >= 0; trusted--) {
		for (i = 0; i < SURFACE_MAX; i++) {
			s = &n->n_surface->su_seen[i];
			if (s->sn_time != 0 && s->sn_trusted == (trusted == 1))
				ndst = append(dst, ndst, max, &s->sn_addr);
		}
	}
	return (ndst);
}

/* The last report of a member of our networks; others might say anything. */
static bool
members_word(struct node *n, int64_t now, const struct seen *s)
{
	const struct seen	*other;
	const struct peer	*p;
	size_t			 i;

	if (s->sn_time == 0 || s->sn_trusted ||
	    (p = peer_find(n, s->sn_by)) == NULL || !peer_trusted(p, now))
		return (false);
	for (i = 0; i < SURFACE_MAX; i++) {
		other = &n->n_surface->su_seen[i];
		if (other->sn_time > s->sn_time && other->sn_by == s->sn_by &&
		    other->sn_addr.ia_family == s->sn_addr.ia_family)
			return (false);
	}
	return (true);
}

size_t
surface_believed(struct node *n, int64_t now, struct inet_addr *dst,
    size_t max)
{
	const struct seen	*s = n->n_surface->su_seen;
	size_t			 ndst = 0, i;

	for (i = 0; i < SURFACE_MAX; i++) {
		if (s[i].sn_time != 0 && s[i].sn_trusted)
			ndst = append(dst, ndst, max, &s[i].sn_addr);
	}
	for (i = 0; i < SURFACE_MAX && ndst < max; i++) {
		if (members_word(n, now, &s[i]))
			ndst = append(dst, ndst, max, &s[i].sn_addr);
	}
	return (ndst);
}

void
surface_by(const struct node *n, uint64_t peer, unsigned family,
    struct inet_addr *dst)
{
	const struct seen	*s, *last = NULL;
	unsigned		 i;

	for (i = 0; i < SURFACE_MAX; i++) {
		s = &n->n_surface->su_seen[i];
		if (s->sn_time != 0 && s->sn_by == peer &&
		    s->sn_addr.ia_family == family &&
		    (last == NULL || s->sn_time > last->sn_time))
			last = s;
	}
	memset(dst, 0, sizeof(*dst));
	if (last != NULL)
		*dst = last->sn_addr;
}

static bool
is_local(const struct node *n, const struct inet_addr *ia)
{
	size_t	 i;

	for (i = 0; i < n->n_nsocks; i++) {
		if (inet_same_ip(&n->n_socks[i].ns_addr, ia))
			return (true);
	}
	return (false);
}

/* Can these two reports be compared: the same socket, seen from two places? */
static bool
comparable(const struct seen *a, const struct seen *b, unsigned family)
{
	return (a->sn_time != 0 && b->sn_time != 0 && a->sn_trusted &&
	    b->sn_trusted && a->sn_addr.ia_family == family &&
	    a->sn_sock == b->sn_sock && a->sn_scope == b->sn_scope &&
	    !inet_equal(&a->sn_from, &b->sn_from));
}

/* Only what roots say counts: a peer might lie. */
enum nat_kind
surface_nat(const struct node *n, unsigned family)
{
	const struct seen	*s = n->n_surface->su_seen;
	enum nat_kind		 kind = NAT_UNKNOWN;
	unsigned		 i, k;

	for (i = 0; i < SURFACE_MAX; i++) {
		if (s[i].sn_time != 0 && s[i].sn_trusted &&
		    s[i].sn_addr.ia_family == family &&
		    is_local(n, &s[i].sn_addr))
			kind = NAT_NONE;
		for (k = i + 1; k < SURFACE_MAX; k++) {
			if (!comparable(&s[i], &s[k], family))
				continue;
			if (!inet_equal(&s[i].sn_addr, &s[k].sn_addr))
				return (NAT_SYMMETRIC);
			if (kind == NAT_UNKNOWN)
				kind = NAT_CONE;
		}
	}
	return (kind);
}

/* The youngest port that the NAT gave us, and by how much it counts. */
static const struct seen *
last_port(const struct node *n, unsigned *step)
{
	const struct seen	*s, *last = NULL;
	unsigned		 i, gap;

	for (i = 0; i < SURFACE_MAX; i++) {
		s = &n->n_surface->su_seen[i];
		if (s->sn_time == 0 || !s->sn_trusted ||
		    s->sn_addr.ia_family != 4)
			continue;
		if (last == NULL || s->sn_since > last->sn_since ||
		    (s->sn_since == last->sn_since &&
		    s->sn_addr.ia_port > last->sn_addr.ia_port))
			last = s;
	}
	*step = STEP_MAX + 1;
	for (i = 0; last != NULL && i < SURFACE_MAX; i++) {
		s = &n->n_surface->su_seen[i];
		if (s->sn_time == 0 || s == last ||
		    !inet_same_ip(&s->sn_addr, &last->sn_addr) ||
		    s->sn_addr.ia_port >= last->sn_addr.ia_port)
			continue;
		gap = last->sn_addr.ia_port - s->sn_addr.ia_port;
		if (gap < *step)
			*step = gap;
	}
	return (last);
}

size_t
surface_foretell(const struct node *n, struct inet_addr *dst, size_t max)
{
	const struct seen	*last;
	unsigned		 step, port;
	size_t			 k;

	if (surface_nat(n, 4) != NAT_SYMMETRIC ||
	    (last = last_port(n, &step)) == NULL || step > STEP_MAX)
		return (0);
	port = last->sn_addr.ia_port;
	for (k = 0; k < max; k++) {
		port += step;
		if (port > UINT16_MAX)
			break;
		dst[k] = last->sn_addr;
		dst[k].ia_port = (uint16_t)port;
	}
	return (k);
}
