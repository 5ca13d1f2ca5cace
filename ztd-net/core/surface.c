/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What others say our address is, and telling peers where we can be
 * reached.  Spec: 02 sections 12.1 and 12.3.
 */

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "ztd-net/core/core.h"

#define SURFACE_MAX	256
#define SURFACE_MS	600000
#define PUSH_DIRECT_MS	120000
#define PUSH_RELAYED_MS	15000
#define PUSH_LEN	1200
#define PUSH_RECORD	24
#define PUSH_MAX	32	/* addresses in one push */

struct seen {
	int64_t		 sn_time;		/* 0: free */
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
		s->sn_time = now;
		s->sn_trusted = true;
		surface_changed(n, now, scope, &pa->pa_addr,
		    seen->ia_family);
		return;
	}
	s->sn_time = now > 0 ? now : 1;
	s->sn_by = by->pe_id.id_addr;
	s->sn_sock = pa->pa_sock;
	s->sn_from = pa->pa_addr;
	s->sn_scope = scope;
	s->sn_addr = *seen;
	s->sn_trusted = trusted;
}

size_t
node_surface(const struct node *n, struct inet_addr *dst, size_t max)
{
	const struct seen	*s;
	size_t			 ndst = 0, i, k;

	for (i = 0; i < SURFACE_MAX && ndst < max; i++) {
		s = &n->n_surface->su_seen[i];
		if (s->sn_time == 0)
			continue;
		for (k = 0; k < ndst && !inet_equal(&dst[k], &s->sn_addr);
		    k++)
			continue;
		if (k == ndst)
			dst[ndst++] = s->sn_addr;
	}
	return (ndst);
}

/* Our addresses without repetition: bound ones first, then as seen. */
static size_t
own_addrs(const struct node *n, struct inet_addr *dst, size_t max)
{
	struct inet_addr	 seen[SURFACE_MAX];
	size_t			 ndst = 0, nseen, i, k;

	for (i = 0; i < n->n_nlocal && ndst < max; i++) {
		if (inet_path_ok(&n->n_local[i]))
			dst[ndst++] = n->n_local[i];
	}
	nseen = node_surface(n, seen, SURFACE_MAX);
	for (i = 0; i < nseen && ndst < max; i++) {
		for (k = 0; k < ndst && !inet_equal(&dst[k], &seen[i]); k++)
			continue;
		if (k == ndst)
			dst[ndst++] = seen[i];
	}
	return (ndst);
}

static void
record_put(struct wbuf *wb, const struct inet_addr *ia)
{
	wbuf_u8(wb, 0);
	wbuf_u16(wb, 0);
	wbuf_u8(wb, ia->ia_family);
	wbuf_u8(wb, (uint8_t)(inet_iplen(ia) + 2));
	wbuf_bytes(wb, ia->ia_ip, inet_iplen(ia));
	wbuf_u16(wb, ia->ia_port);
}

void
push_paths(struct node *n, int64_t now, struct rx *rx)
{
	struct inet_addr	 own[PUSH_MAX];
	struct peer		*p = rx->rx_peer;
	struct pkt		 pk;
	size_t			 nown, i, at;
	int64_t			 period;
	unsigned		 count;

	period = rx->rx_hops > 0 ? PUSH_RELAYED_MS :
	    PUSH_DIRECT_MS * (low_bandwidth(n) ? 16 : 1);
	if (p->pe_last_push_sent != 0 && now - p->pe_last_push_sent < period)
		return;
	p->pe_last_push_sent = now;
	nown = own_addrs(n, own, PUSH_MAX);
	for (i = 0; i < nown; ) {
		pkt_begin(n, &pk, p->pe_id.id_addr, VERB_PUSH_DIRECT_PATHS);
		at = pk.pk.wb_len;
		wbuf_u16(&pk.pk, 0);
		for (count = 0; i < nown &&
		    pk.pk.wb_len + PUSH_RECORD < PUSH_LEN; i++, count++)
			record_put(&pk.pk, &own[i]);
		pk.pk_bytes[at] = count >> 8 & 0xff;
		pk.pk_bytes[at + 1] = count & 0xff;
		pk.pk.wb_len = packet_compress(pk.pk_bytes, pk.pk.wb_len);
		pkt_reply(n, now, &pk, rx);
	}
}
