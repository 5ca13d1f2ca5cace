/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Paths: learning, keeping and choosing them.  Spec: 02 section 9, 10.3,
 * 12.2.
 */

#include <stdlib.h>
#include <string.h>

#include "ztd-net/core/core.h"

#define CONFIRM_MS	1000	/* between HELLOs to learn one path */
#define CONFIRMS_MAX	16	/* of one peer in that time */
#define UNUSED_MS	60000	/* until a path of no peer is forgotten */
#define QUALITY_AGE_MAX	140000

int
path_cmp(const struct path *a, const struct path *b)
{
	if (a->pa_sock != b->pa_sock)
		return (a->pa_sock < b->pa_sock ? -1 : 1);
	return (memcmp(&a->pa_addr, &b->pa_addr, sizeof(a->pa_addr)));
}

RB_GENERATE(path_tree, path, pa_entry, path_cmp)

struct path *
path_find(struct node *n, uint32_t sock, const struct inet_addr *addr)
{
	struct path	 key;

	key.pa_sock = sock;
	key.pa_addr = *addr;
	return (RB_FIND(path_tree, &n->n_paths, &key));
}

/* Forget paths that no peer has in its list and that were silent so long. */
static void
forget_unused(struct node *n, int64_t now, int64_t silent)
{
	struct path	*pa, *next;

	RB_FOREACH_SAFE(pa, path_tree, &n->n_paths, next) {
		if (pa->pa_refs > 0 || now - pa->pa_last_in < silent)
			continue;
		RB_REMOVE(path_tree, &n->n_paths, pa);
		n->n_npaths--;
		free(pa);
	}
}

struct path *
path_get(struct node *n, int64_t now, uint32_t sock,
    const struct inet_addr *addr)
{
	struct path	*pa;

	if ((pa = path_find(n, sock, addr)) != NULL)
		return (pa);
	if (n->n_npaths >= PATHS_MAX)
		forget_unused(n, now, 1000);
	if (n->n_npaths >= PATHS_MAX || (pa = calloc(1, sizeof(*pa))) == NULL)
		return (NULL);
	pa->pa_sock = sock;
	pa->pa_addr = *addr;
	pa->pa_latency = LATENCY_UNKNOWN;
	RB_INSERT(path_tree, &n->n_paths, pa);
	n->n_npaths++;
	return (pa);
}

void
paths_housekeeping(struct node *n, int64_t now)
{
	forget_unused(n, now, UNUSED_MS);
}

bool
path_alive(const struct path *pa, int64_t now)
{
	return (pa->pa_last_in != 0 && now - pa->pa_last_in < ALIVE_MS);
}

static bool
virtual_blacklisted(const struct node *n, uint64_t peer,
    const struct inet_addr *ia)
{
	const struct settings_virtual	*sv;
	uint32_t			 i, k;

	for (i = 0; i < n->n_settings.s_nvirtual; i++) {
		sv = &n->n_settings.s_virtual[i];
		if (sv->sv_addr != peer)
			continue;
		for (k = 0; k < sv->sv_nblacklist; k++) {
			if (inet_contains(&sv->sv_blacklist[k], ia))
				return (true);
		}
	}
	return (false);
}

static bool
physical_blacklisted(const struct node *n, const struct inet_addr *ia)
{
	uint32_t	 i;

	for (i = 0; i < n->n_settings.s_nphysical; i++) {
		if (n->n_settings.s_physical[i].sp_blacklist &&
		    inet_contains(&n->n_settings.s_physical[i].sp_net, ia))
			return (true);
	}
	return (false);
}

/* 9.2 */
bool
path_allowed(struct node *n, uint64_t peer, const struct inet_addr *ia)
{
	size_t	 i;

	if (!inet_path_ok(ia) || ia->ia_port == 0)
		return (false);
	if (topology_restricts(n, peer) && !topology_endpoint_ok(n, peer, ia))
		return (false);
	for (i = 0; i < n->n_nvirtual; i++) {
		if (inet_contains(&n->n_virtual[i], ia))
			return (false);
	}
	return (!networks_contain(n, ia) && !virtual_blacklisted(n, peer, ia)
	    && !physical_blacklisted(n, ia));
}

/* 9.5: lower is better. */
static uint64_t
quality(const struct peer_path *pp, int64_t now)
{
	const struct path	*pa = pp->pp_path;
	int64_t			 age;
	uint64_t		 q;

	age = now - pa->pa_last_in;
	if (age > QUALITY_AGE_MAX)
		age = QUALITY_AGE_MAX;
	if (age < 0)
		age = 0;
	q = pa->pa_latency;
	if (age >= ALIVE_MS)
		q += 65535 + (uint64_t)age;
	q *= 8 - (uint64_t)inet_scope(&pa->pa_addr);
	return (q / (pp->pp_priority > 0 ? pp->pp_priority : 1));
}

struct path *
peer_best_path(const struct peer *p, int64_t now, bool expired)
{
	const struct peer_path	*pp;
	struct path		*best = NULL;
	uint64_t		 q, qbest = UINT64_MAX;
	unsigned		 i;

	for (i = 0; i < p->pe_npaths; i++) {
		pp = &p->pe_paths[i];
		if (!expired && now - pp->pp_lr >= PATH_EXPIRY_MS)
			continue;
		if ((q = quality(pp, now)) <= qbest) {
			qbest = q;
			best = pp->pp_path;
		}
	}
	return (best);
}

struct path *
peer_alive_path(const struct peer *p, int64_t now)
{
	struct path	*pa = peer_best_path(p, now, false);

	return (pa != NULL && path_alive(pa, now) ? pa : NULL);
}

int
peer_latency(const struct peer *p, int64_t now)
{
	const struct path	*pa = peer_best_path(p, now, false);

	if (pa == NULL || pa->pa_latency == LATENCY_UNKNOWN)
		return (-1);
	return ((int)pa->pa_latency);
}

void
peer_drop_path(struct peer *p, unsigned i)
{
	p->pe_paths[i].pp_path->pa_refs--;
	p->pe_npaths--;
	memmove(&p->pe_paths[i], &p->pe_paths[i + 1],
	    (p->pe_npaths - i) * sizeof(p->pe_paths[0]));
}

/* 9.3, learn: put the path in the place of a dead twin, or of the oldest. */
static void
learn(struct node *n, int64_t now, struct peer *p, struct path *pa)
{
	struct peer_path	*slot = NULL;
	struct path		*old;
	unsigned		 i;

	for (i = 0; i < p->pe_npaths && slot == NULL; i++) {
		old = p->pe_paths[i].pp_path;
		if (old->pa_sock == pa->pa_sock &&
		    inet_same_ip(&old->pa_addr, &pa->pa_addr) &&
		    !path_alive(old, now))
			slot = &p->pe_paths[i];
	}
	if (slot == NULL && p->pe_npaths < NODE_PATHS) {
		slot = &p->pe_paths[p->pe_npaths++];
		slot->pp_path = NULL;
	}
	if (slot == NULL) {
		slot = &p->pe_paths[0];
		for (i = 1; i < p->pe_npaths; i++) {
			if (p->pe_paths[i].pp_path->pa_last_in <
			    slot->pp_path->pa_last_in)
				slot = &p->pe_paths[i];
		}
	}
	if (slot->pp_path != NULL)
		slot->pp_path->pa_refs--;
	slot->pp_path = pa;
	slot->pp_lr = now;
	slot->pp_priority = 1;
	pa->pa_refs++;
	p->pe_unsaved = true;
	peer_keep(n, now, p);
}

/* A peer that forges its source must not make us greet the whole world. */
static bool
confirm_gate(struct peer *p, int64_t now)
{
	if (p->pe_confirm_time == 0 ||
	    now - p->pe_confirm_time >= CONFIRM_MS) {
		p->pe_confirm_time = now;
		p->pe_confirms = 0;
	}
	return (p->pe_confirms++ < CONFIRMS_MAX);
}

/* A direct packet on a path that the peer's list does not have. */
static void
unknown_path(struct node *n, int64_t now, struct rx *rx)
{
	struct path	*pa = rx->rx_path;

	if (!path_allowed(n, rx->rx_peer->pe_id.id_addr, &pa->pa_addr))
		return;
	if (rx->rx_verb == VERB_OK) {
		learn(n, now, rx->rx_peer, pa);
		return;
	}
	if ((pa->pa_last_confirm != 0 &&
	    now - pa->pa_last_confirm < CONFIRM_MS) ||
	    !confirm_gate(rx->rx_peer, now))
		return;
	pa->pa_last_confirm = now;
	hello_send(n, now, rx->rx_peer, low_bandwidth(n) ? pa->pa_sock :
	    SOCKET_ANY, &pa->pa_addr);
}

static void
note_direct(struct node *n, int64_t now, struct rx *rx)
{
	struct peer_path	*pp;
	struct path		*pa = rx->rx_path;
	unsigned		 i;

	for (i = 0; i < rx->rx_peer->pe_npaths; i++) {
		pp = &rx->rx_peer->pe_paths[i];
		if (pp->pp_path == pa) {
			pp->pp_lr = now;
			return;
		}
		/* Another port of the same host while that one works. */
		if (pp->pp_path->pa_sock == pa->pa_sock &&
		    inet_same_ip(&pp->pp_path->pa_addr, &pa->pa_addr) &&
		    path_alive(pp->pp_path, now))
			return;
	}
	unknown_path(n, now, rx);
}

void
note_receipt(struct node *n, int64_t now, struct rx *rx)
{
	struct peer	*p = rx->rx_peer;

	p->pe_last_receive = now;
	switch (rx->rx_verb) {
	case VERB_FRAME:
	case VERB_EXT_FRAME:
	case VERB_NETWORK_CONFIG_REQUEST:
	case VERB_NETWORK_CONFIG:
	case VERB_MULTICAST_FRAME:
		p->pe_last_nontrivial = now;
		break;
	default:
		break;
	}
	if (rx->rx_trust) {
		p->pe_last_trust = now;
		rx->rx_path->pa_last_trust = now;
		if (p->pe_unsaved)
			peer_keep(n, now, p);
	}
	if (rx->rx_hops == 0)
		note_direct(n, now, rx);
	if (peer_trusted(p, now))
		push_paths(n, now, rx);
}

/* ECHO is understood from protocol 5 on, but not by 1.1.0 (2.2). */
static bool
takes_echo(const struct peer *p)
{
	return (p->pe_proto >= 5 && !(p->pe_major == 1 && p->pe_minor == 1 &&
	    p->pe_rev == 0));
}

void
probe(struct node *n, int64_t now, struct peer *p, uint32_t sock,
    const struct inet_addr *to)
{
	struct pkt	 pk;

	if (!takes_echo(p)) {
		hello_send(n, now, p, sock, to);
		return;
	}
	pkt_begin(n, &pk, p->pe_id.id_addr, VERB_ECHO);
	pkt_send_to(n, now, &pk, p, suite_for(p), sock, to, true);
}

static unsigned
family_bit(const struct inet_addr *ia)
{
	return (ia->ia_family == 4 ? 1 : 2);
}

unsigned
keepalive(struct node *n, int64_t now, struct peer *p)
{
	struct peer_path	*pp;
	struct path		*pa;
	unsigned		 i, top = 0, sent = 0;
	bool			 full;

	full = now - p->pe_last_full_hello >= FULL_HELLO_MS;
	if (full)
		p->pe_last_full_hello = now;
	for (i = 0; i < p->pe_npaths; i++) {
		if (p->pe_paths[i].pp_priority > top)
			top = p->pe_paths[i].pp_priority;
	}
	for (i = 0; i < p->pe_npaths; ) {
		pp = &p->pe_paths[i];
		pa = pp->pp_path;
		if (now - pp->pp_lr >= PATH_EXPIRY_MS ||
		    pp->pp_priority != top) {
			peer_drop_path(p, i);
			continue;
		}
		i++;
		if (!full && now - pa->pa_last_out < HEARTBEAT_MS)
			continue;
		if (full)
			hello_send(n, now, p, low_bandwidth(n) ? pa->pa_sock :
			    SOCKET_ANY, &pa->pa_addr);
		else
			probe(n, now, p, pa->pa_sock, &pa->pa_addr);
		pa->pa_last_out = now;
		sent |= family_bit(&pa->pa_addr);
	}
	return (sent);
}

void
paths_reset(struct node *n, int64_t now, enum inet_scope scope,
    unsigned family)
{
	struct peer_path	*pp;
	struct peer		*p;
	unsigned		 i;

	RB_FOREACH(p, peer_tree, &n->n_peers) {
		for (i = 0; i < p->pe_npaths; i++) {
			pp = &p->pe_paths[i];
			if (pp->pp_path->pa_addr.ia_family != family ||
			    inet_scope(&pp->pp_path->pa_addr) != scope)
				continue;
			probe(n, now, p, pp->pp_path->pa_sock,
			    &pp->pp_path->pa_addr);
			pp->pp_path->pa_last_out = now;
			pp->pp_lr = 0;
		}
	}
}
