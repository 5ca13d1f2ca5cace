/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Forwarding for others, and introducing them to each other.
 * Spec: 02 section 8.
 */

#include <stdlib.h>
#include <string.h>

#include "ztd-net/core/core.h"

#define INTRODUCE_MS	30000
#define PAIRS		4096	/* sets of four */
#define WAYS		4

/* When a pair of nodes was last introduced. */
struct introductions {
	struct {
		uint64_t	a, b;		/* a < b */
		int64_t		time;
	}	 in_pair[PAIRS][WAYS];
};

int
relay_new(struct node *n)
{
	return ((n->n_intro = calloc(1, sizeof(*n->n_intro))) == NULL ?
	    -1 : 0);
}

void
relay_free(struct node *n)
{
	free(n->n_intro);
}

/* May this pair be introduced now?  Notes it, if so. */
static bool
introduce_due(struct node *n, int64_t now, uint64_t x, uint64_t y)
{
	uint64_t	 a = x < y ? x : y, b = x < y ? y : x;
	size_t		 set, i, slot = 0;

	set = (a * 0x9e3779b97f4a7c15ULL ^ b * 0xc2b2ae3d27d4eb4fULL) >> 52;	/* of PAIRS */
	for (i = 0; i < WAYS; i++) {
		if (n->n_intro->in_pair[set][i].a == a &&
		    n->n_intro->in_pair[set][i].b == b) {
			if (now - n->n_intro->in_pair[set][i].time <
			    INTRODUCE_MS)
				return (false);
			slot = i;
			break;
		}
		if (n->n_intro->in_pair[set][i].time <
		    n->n_intro->in_pair[set][slot].time)
			slot = i;
	}
	n->n_intro->in_pair[set][slot].a = a;
	n->n_intro->in_pair[set][slot].b = b;
	n->n_intro->in_pair[set][slot].time = now;
	return (true);
}

/* The best path of a peer in one scope and family, if only an expired one;
 * of equal ones the later. */
static const struct path *
scoped_path(const struct peer *p, int64_t now, int scope, unsigned family)
{
	const struct path	*pa, *best = NULL;
	uint64_t		 q, qbest = UINT64_MAX;
	unsigned		 i;

	for (i = 0; i < p->pe_npaths; i++) {
		pa = p->pe_paths[i].pp_path;
		if (pa->pa_addr.ia_family != family ||
		    (int)inet_scope(&pa->pa_addr) != scope)
			continue;
		q = path_quality(&p->pe_paths[i], now);
		if (pa->pa_suspect)
			q += UINT64_C(1) << 40;
		if (q <= qbest) {
			qbest = q;
			best = pa;
		}
	}
	return (best);
}

static void
send_rendezvous(struct node *n, int64_t now, struct peer *to,
    const struct path *by, const struct peer *named, const struct path *at)
{
	struct pkt	 pk;

	pkt_begin(n, &pk, to->pe_id.id_addr, VERB_RENDEZVOUS);
	wbuf_u8(&pk.pk, 0);
	wbuf_addr(&pk.pk, named->pe_id.id_addr);
	wbuf_u16(&pk.pk, at->pa_addr.ia_port);
	wbuf_u8(&pk.pk, (uint8_t)inet_iplen(&at->pa_addr));
	wbuf_bytes(&pk.pk, at->pa_addr.ia_ip, inet_iplen(&at->pa_addr));
	pkt_send_to(n, now, &pk, to, suite_for(to), by->pa_sock,
	    &by->pa_addr, false);
}

/* 8.3 */
static void
introduce(struct node *n, int64_t now, struct peer *x, struct peer *y)
{
	const struct path	*px, *py;
	int			 scope;
	unsigned		 family;

	for (scope = SCOPE_PRIVATE; scope > SCOPE_NONE; scope--) {
		for (family = 6; family >= 4; family -= 2) {
			px = scoped_path(x, now, scope, family);
			py = scoped_path(y, now, scope, family);
			if (px == NULL || py == NULL)
				continue;
			if (node_random_u32(n) & 1) {
				send_rendezvous(n, now, x, px, y, py);
				send_rendezvous(n, now, y, py, x, px);
			} else {
				send_rendezvous(n, now, y, py, x, px);
				send_rendezvous(n, now, x, px, y, py);
			}
			return;
		}
	}
}

/* Only roots relay, and nodes for those they share a network with. */
static bool
relay_permitted(struct node *n, int64_t now, uint32_t sock,
    const struct inet_addr *from)
{
	const struct path	*pa;

	if (topology_is_root(n))
		return (true);
	pa = path_find(n, sock, from);
	return (pa != NULL && pa->pa_last_trust != 0 &&
	    now - pa->pa_last_trust < TRUST_MS);
}

/* Count the hop; false when there were enough. */
static bool
count_hop(uint8_t *p, bool fragment)
{
	if (fragment) {
		if (p[15] >= HOPS_MAX)
			return (false);
		p[15] = (p[15] + 1) & 7;
		return (true);
	}
	if (packet_hops(p) >= HOPS_MAX)
		return (false);
	p[PACKET_IDX_FLAGS]++;
	return (true);
}

void
relay(struct node *n, int64_t now, uint32_t sock,
    const struct inet_addr *from, uint8_t *p, size_t len)
{
	struct peer	*dest, *src, *up;
	struct path	*pa = NULL;
	bool		 fragment = p[PACKET_IDX_SRC] == FRAGMENT_INDICATOR;

	if (!relay_permitted(n, now, sock, from) || !count_hop(p, fragment))
		return;
	if ((dest = peer_find(n, packet_dest(p))) != NULL ||
	    (dest = whois_recall(n, now, packet_dest(p))) != NULL)
		pa = peer_best_path(dest, now, false);
	if (pa == NULL) {
		/* Not ours to reach: our best upstream may know. */
		if ((up = topology_best(n, now)) == NULL ||
		    (!fragment && up->pe_id.id_addr == packet_src(p)) ||
		    (pa = peer_best_path(up, now, true)) == NULL)
			return;
		dest = up;
	}
	datagram_out(n, now, pa, p, len);
	/* Only now: looking for the recipient can have cost it its place. */
	src = fragment ? NULL : peer_find(n, packet_src(p));
	if (src != NULL && src != dest && introduce_due(n, now,
	    src->pe_id.id_addr, dest->pe_id.id_addr))
		introduce(n, now, src, dest);
}
