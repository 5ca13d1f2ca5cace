/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Paths: the table of them, learning and keeping them.  Which one is used is
 * decided in choose.c.  Spec: 02 sections 9 and 10.3, 12.2.
 */

#include <stdlib.h>
#include <string.h>

#include "ztd-net/core/core.h"
#include "ztd-net/core/mix.h"

#define CONFIRM_MS	1000	/* between HELLOs to learn one path */
#define CONFIRMS_MAX	16	/* of one peer in that time, */
#define RECONFIRMS_MAX	4	/* and for packets that came otherwise, too */
#define STRANGER_PATHS	16	/* of a peer that is nothing to us */
#define FORGET_MS	1000	/* between looks for room in a full table */
#define UNUSED_MS	60000	/* until a path of no peer is forgotten */
#define CREDIT_MAX	65536
#define MOVING_MS	300	/* silence on one port, heard on another */
#define JUST_NOW_MS	1000	/* heard on a path, which works no doubt */
#define ECHO_STAMP	8	/* bytes of a probe: when it was sent */

int
path_cmp(const struct path *a, const struct path *b)
{
	if (a->pa_sock != b->pa_sock)
		return (a->pa_sock < b->pa_sock ? -1 : 1);
	return (memcmp(&a->pa_addr, &b->pa_addr, sizeof(a->pa_addr)));
}

RB_GENERATE(path_tree, path, pa_entry, path_cmp)

/* A number for it that nobody can aim at; two of one number are seldom, but
 * may be. */
static uint64_t
path_key(const struct node *n, uint32_t sock, const struct inet_addr *ia)
{
	return (mix_addr(n->n_pid_key[0], sock, ia));
}

struct path *
path_find(struct node *n, uint32_t sock, const struct inet_addr *addr)
{
	struct path	*pa, key;

	pa = index_get(&n->n_path_index, path_key(n, sock, addr));
	if (pa != NULL ? pa->pa_sock == sock &&
	    inet_equal(&pa->pa_addr, addr) : n->n_path_index.ix_n ==
	    n->n_npaths)
		return (pa);
	/* Of two with one number the index has one, or, once that is gone,
	 * none. */
	key.pa_sock = sock;
	key.pa_addr = *addr;
	return (RB_FIND(path_tree, &n->n_paths, &key));
}

static void
path_free(struct node *n, struct path *pa)
{
	index_del(&n->n_path_index, path_key(n, pa->pa_sock, &pa->pa_addr),
	    pa);
	RB_REMOVE(path_tree, &n->n_paths, pa);
	n->n_npaths--;
	owed_free(n, pa);
	free(pa);
}

/* Forget paths that no peer has in its list and that were silent so long. */
static void
forget_unused(struct node *n, int64_t now, int64_t silent)
{
	struct path	*pa, *next;

	RB_FOREACH_SAFE(pa, path_tree, &n->n_paths, next) {
		if (pa->pa_refs > 0 || now - pa->pa_last_in < silent)
			continue;
		path_free(n, pa);
	}
}

struct path *
path_get(struct node *n, int64_t now, uint32_t sock,
    const struct inet_addr *addr)
{
	struct path	*pa;

	if ((pa = path_find(n, sock, addr)) != NULL)
		return (pa);
	if (n->n_npaths >= PATHS_MAX && now - n->n_last_forget >= FORGET_MS) {
		n->n_last_forget = now;
		forget_unused(n, now, 1000);
	}
	if (n->n_npaths >= PATHS_MAX || (pa = calloc(1, sizeof(*pa))) == NULL)
		return (NULL);
	if (index_put(&n->n_path_index, path_key(n, sock, addr), pa) == -1) {
		free(pa);
		return (NULL);
	}
	pa->pa_sock = sock;
	pa->pa_addr = *addr;
	pa->pa_latency = LATENCY_UNKNOWN;
	RB_INSERT(path_tree, &n->n_paths, pa);
	n->n_npaths++;
	return (pa);
}

/* Entries of peers at rest too: they hold their paths in the table. */
void
paths_housekeeping(struct node *n, int64_t now)
{
	struct peer	*p;
	unsigned	 i;

	RB_FOREACH(p, peer_tree, &n->n_peers) {
		for (i = 0; i < p->pe_npaths; ) {
			if (now - p->pe_paths[i].pp_lr >= PEER_EXPIRY_MS)
				peer_drop_path(p, i);
			else
				i++;
		}
	}
	forget_unused(n, now, UNUSED_MS);
}

/* Bytes that came from an address may go back to it, whoever is there. */
static uint32_t
credit_add(uint32_t credit, size_t len)
{
	return (credit + len > CREDIT_MAX ? CREDIT_MAX :
	    credit + (uint32_t)len);
}

/* It works, as far as we can tell. */
static void
path_fine(struct path *pa)
{
	pa->pa_waiting = 0;
	pa->pa_suspect = false;
	pa->pa_hurry = false;
	pa->pa_doubt = false;
	pa->pa_probes = 0;
}

static bool
has_path(const struct peer *p, const struct path *pa)
{
	unsigned	 i;

	for (i = 0; i < p->pe_npaths; i++) {
		if (p->pe_paths[i].pp_path == pa)
			return (true);
	}
	return (false);
}

/*
 * Only who has it in its list is heard there: sources can be forged, and
 * nobody's packets may make another's dead path look alive.
 */
void
path_heard(const struct peer *p, struct path *pa, int64_t now, size_t len)
{
	if (has_path(p, pa)) {
		pa->pa_last_in = now;
		if (!pa->pa_doubt)
			path_fine(pa);
	} else if (pa->pa_refs == 0)
		pa->pa_last_in = now;
	if (!pa->pa_verified)
		pa->pa_credit = credit_add(pa->pa_credit, len);
}

/* 9.5; the time is theirs to say: unsigned, so that nothing overflows. */
void
path_sample(struct path *pa, int64_t now, uint64_t sent)
{
	uint64_t	 sample = (uint64_t)now - sent;

	if (sample >= LATENCY_UNKNOWN)
		return;
	pa->pa_latency = pa->pa_latency == LATENCY_UNKNOWN ?
	    (unsigned)sample : (pa->pa_latency + (unsigned)sample) / 2;
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

struct peer_path *
peer_add_path(struct peer *p, struct path *pa, int64_t now)
{
	struct peer_path	*pp;
	unsigned		 room;

	if (p->pe_npaths == NODE_PATHS)
		return (NULL);
	if (p->pe_npaths == p->pe_room) {
		room = p->pe_room == 0 ? 1 : 2 * p->pe_room;
		if ((pp = reallocarray(p->pe_paths, room,
		    sizeof(*pp))) == NULL)
			return (NULL);
		p->pe_paths = pp;
		p->pe_room = room;
	}
	pp = &p->pe_paths[p->pe_npaths++];
	pp->pp_path = pa;
	pp->pp_lr = now;
	pp->pp_priority = 1;
	pa->pa_refs++;
	return (pp);
}

/* It is not to be used any more, however it was known. */
static void
forget_choice(struct peer *p, const struct path *pa)
{
	if (p->pe_best == pa)
		p->pe_best = NULL;
	if (p->pe_rival == pa)
		p->pe_rival = NULL;
	if (p->pe_told == (uintptr_t)pa)
		p->pe_told = 0;
	p->pe_best_until = 0;
}

void
peer_drop_path(struct peer *p, unsigned i)
{
	p->pe_paths[i].pp_path->pa_refs--;
	forget_choice(p, p->pe_paths[i].pp_path);
	p->pe_npaths--;
	memmove(&p->pe_paths[i], &p->pe_paths[i + 1],
	    (p->pe_npaths - i) * sizeof(p->pe_paths[0]));
}

/* The entry that a new path takes the place of; NULL: none has to go. */
static struct peer_path *
learn_slot(struct peer *p, int64_t now, const struct path *pa)
{
	struct peer_path	*pp, *oldest = NULL;
	unsigned		 i, max;

	for (i = 0; i < p->pe_npaths; i++) {
		pp = &p->pe_paths[i];
		if (pp->pp_path->pa_sock == pa->pa_sock &&
		    inet_same_ip(&pp->pp_path->pa_addr, &pa->pa_addr) &&
		    (!path_alive(pp->pp_path, now) ||
		    pp->pp_path->pa_suspect))
			return (pp);
		if (oldest == NULL || pp->pp_path->pa_last_in <
		    oldest->pp_path->pa_last_in)
			oldest = pp;
	}
	max = p->pe_upstream || peer_trusted(p, now) ? NODE_PATHS :
	    STRANGER_PATHS;
	return (p->pe_npaths < max ? NULL : oldest);
}

/*
 * A peer that comes from a new IP address may have moved: its paths at other
 * addresses have to answer before they are used again.
 */
static void
others_answer(struct node *n, int64_t now, struct peer *p,
    const struct path *pa)
{
	struct path	*other;
	unsigned	 i;

	for (i = 0; i < p->pe_npaths; i++) {
		other = p->pe_paths[i].pp_path;
		if (other->pa_addr.ia_family != pa->pa_addr.ia_family ||
		    inet_same_ip(&other->pa_addr, &pa->pa_addr) ||
		    other->pa_suspect || !path_alive(other, now) ||
		    other->pa_last_in == now)
			continue;
		path_must_answer(n, now, p, other);
	}
}

/* 9.3, learn: put the path in the place of a dead twin, or of the oldest. */
static void
learn(struct node *n, int64_t now, struct peer *p, struct path *pa)
{
	struct peer_path	*slot;

	if ((slot = learn_slot(p, now, pa)) != NULL)
		peer_drop_path(p, (unsigned)(slot - p->pe_paths));
	if ((slot = peer_add_path(p, pa, now)) == NULL)
		return;
	slot->pp_priority = reach_priority(p, &pa->pa_addr);
	others_answer(n, now, p, pa);
	p->pe_best_until = 0;
	p->pe_unsaved = true;
	peer_keep(n, now, p);
	txq_retry(n, now);
}

/*
 * A peer that forges its source must not make us greet the whole world; nor
 * may somebody who sends a recorded packet of its from many places use up
 * what is meant for the peer itself.  Returns the count to be raised, NULL
 * when it is full.
 */
static unsigned *
confirm_gate(struct peer *p, int64_t now, bool repeat)
{
	if (p->pe_confirm_time == 0 ||
	    now - p->pe_confirm_time >= CONFIRM_MS) {
		p->pe_confirm_time = now;
		p->pe_confirms = p->pe_reconfirms = 0;
	}
	if (repeat)
		return (p->pe_reconfirms < RECONFIRMS_MAX ?
		    &p->pe_reconfirms : NULL);
	return (p->pe_confirms < CONFIRMS_MAX ? &p->pe_confirms : NULL);
}

/*
 * Ask a new path whether anybody is there: with an ECHO, which is shorter
 * than anything that can have made us ask, so that a forged source gets less
 * than it cost.  Who understands none is greeted, if that much came.
 */
static void
confirm(struct node *n, int64_t now, struct peer *p, struct path *pa,
    bool repeat)
{
	size_t		 len = PACKET_HDR + ECHO_STAMP;
	unsigned	*count;

	if ((pa->pa_last_confirm != 0 &&
	    now - pa->pa_last_confirm < CONFIRM_MS) ||
	    (count = confirm_gate(p, now, repeat)) == NULL)
		return;
	if (!peer_takes_echo(p))
		len = hello_len(n);
	else if (!pa->pa_verified && pa->pa_credit < len)
		len = PROBE_BARE;
	if (!limit_reply(n, pa, len))
		return;
	++*count;
	pa->pa_last_confirm = now;
	probe(n, now, p, pa->pa_sock, &pa->pa_addr, len);
}

/* A direct packet on a path that the peer's list does not have. */
static void
unknown_path(struct node *n, int64_t now, struct rx *rx)
{
	struct path	*pa = rx->rx_path;

	if (!path_allowed(n, rx->rx_peer->pe_id.id_addr, &pa->pa_addr))
		return;
	if (rx->rx_answer)
		learn(n, now, rx->rx_peer, pa);
	else
		confirm(n, now, rx->rx_peer, pa, rx->rx_repeat);
}

/* Another port of the same host, while the one that we know works. */
static bool
other_port(struct node *n, int64_t now, struct peer *p, struct path *known,
    const struct path *pa)
{
	if (known->pa_sock != pa->pa_sock ||
	    !inet_same_ip(&known->pa_addr, &pa->pa_addr) ||
	    !path_alive(known, now) || known->pa_suspect)
		return (false);
	/* Or does it?  Perhaps its NAT gave it this port just now. */
	if (known->pa_waiting != 0 && now - known->pa_waiting >= MOVING_MS) {
		known->pa_hurry = true;
		watch(n, now, p);
	}
	return (true);
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
		if (other_port(n, now, rx->rx_peer, pp->pp_path, pa))
			return;
	}
	unknown_path(n, now, rx);
}

/* Traffic of a network, for which paths are kept (10.2). */
static bool
nontrivial(uint8_t verb)
{
	return (verb == VERB_FRAME || verb == VERB_EXT_FRAME ||
	    verb == VERB_NETWORK_CONFIG_REQUEST ||
	    verb == VERB_NETWORK_CONFIG || verb == VERB_MULTICAST_FRAME);
}

/*
 * Its traffic comes by a relay although there are direct paths on which we
 * hear it.  Some paths die in one direction only: then it hears nothing of
 * us there, and we would never know.  And one that was restarted knows of no
 * path, and may have other ports than before: what goes to it meanwhile takes
 * the way of the relay, too, but for paths on which it was heard just now.
 */
static void
doubt_paths(struct node *n, int64_t now, struct peer *p)
{
	struct path	*pa;
	unsigned	 i;

	for (i = 0; i < p->pe_npaths; i++) {
		pa = p->pe_paths[i].pp_path;
		if (!path_alive(pa, now) || pa->pa_suspect || pa->pa_doubt)
			continue;
		pa->pa_doubt = pa->pa_hurry = true;
		if (now - pa->pa_last_in < JUST_NOW_MS)
			watch_sent(n, now, p, pa, false);
		else {
			path_must_answer(n, now, p, pa);
			pa->pa_probed = now;
		}
	}
}

void
note_receipt(struct node *n, int64_t now, struct rx *rx)
{
	struct peer	*p = rx->rx_peer;

	peer_heard(n, now, p);
	p->pe_credit = credit_add(p->pe_credit, rx->rx_wire);
	if (rx->rx_suite == SUITE_AES_GMAC_SIV)
		p->pe_modern = true;
	if (p->pe_upstream)
		root_heard(n, now);
	if (nontrivial(rx->rx_verb)) {
		p->pe_last_nontrivial = now;
		peer_activate(n, p);
		if (rx->rx_trust)
			node_busy(n, now);
		/* Of one that has waited the hops say nothing of today. */
		if (rx->rx_hops > 0 && !rx->rx_again)
			doubt_paths(n, now, p);
	}
	if (rx->rx_trust) {
		p->pe_last_trust = now;
		rx->rx_path->pa_last_trust = now;
		if (p->pe_unsaved)
			peer_keep(n, now, p);
	}
	/* An answer to a request that we sent there: somebody is there. */
	if (rx->rx_answer) {
		rx->rx_path->pa_verified = true;
		path_fine(rx->rx_path);
		hello_owed(n, now, p, rx->rx_path);
	}
	if (rx->rx_hops == 0) {
		p->pe_last_direct = now;
		p->pe_heard_on = (uintptr_t)rx->rx_path;
		note_direct(n, now, rx);
	}
	if (peer_trusted(p, now))
		push_paths(n, now, rx);
	if (p->pe_is_watched && now >= n->n_busy_until)
		watch_settle(n, p);
}

/* ECHO is understood from protocol 5 on, but not by 1.1.0 (2.2). */
bool
peer_takes_echo(const struct peer *p)
{
	return (p->pe_modern || (p->pe_proto >= 5 && !(p->pe_major == 1 &&
	    p->pe_minor == 1 && p->pe_rev == 0)));
}

void
probe(struct node *n, int64_t now, struct peer *p, uint32_t sock,
    const struct inet_addr *to, size_t size)
{
	struct pkt	 pk;

	if (!peer_takes_echo(p)) {
		hello_send(n, now, p, sock, to);
		return;
	}
	pkt_begin(n, &pk, p->pe_id.id_addr, VERB_ECHO);
	if (size != PROBE_BARE)
		wbuf_u64(&pk.pk, (uint64_t)now);
	while (pk.pk.wb_len < size && wbuf_ok(&pk.pk))
		wbuf_u8(&pk.pk, 0);
	pkt_send_to(n, now, &pk, p, suite_for(p), sock, to, true);
}

/*
 * Our probe comes back: how long it took, and that so much went through.
 * What is quoted here may also be the receipt for a configuration (5.3).
 */
enum rx_result
echo_ok(struct node *n, int64_t now, struct rx *rx, struct rbuf *rb)
{
	if (!rx->rx_answer || rb->rb_left < ECHO_STAMP)
		return (RX_DONE);
	path_sample(rx->rx_path, now, rbuf_u64(rb));
	mtu_answered(n, now, rx->rx_path, rx->rx_len - 9);
	return (RX_DONE);
}

static unsigned
family_bit(const struct inet_addr *ia)
{
	return (ia->ia_family == 4 ? 1 : 2);
}

/* 10.3: what is expired, or superseded by a redirect, goes. */
static void
drop_expired(struct peer *p, int64_t now)
{
	unsigned	 i, top = 0;

	for (i = 0; i < p->pe_npaths; i++) {
		if (p->pe_paths[i].pp_priority > top)
			top = p->pe_paths[i].pp_priority;
	}
	for (i = 0; i < p->pe_npaths; ) {
		if (now - p->pe_paths[i].pp_lr >= PATH_EXPIRY_MS ||
		    p->pe_paths[i].pp_priority != top)
			peer_drop_path(p, i);
		else
			i++;
	}
}

unsigned
keepalive(struct node *n, int64_t now, struct peer *p)
{
	struct path	*pa;
	unsigned	 i, sent = 0;
	bool		 full;

	full = now - p->pe_last_full_hello >= FULL_HELLO_MS;
	if (full)
		p->pe_last_full_hello = now;
	drop_expired(p, now);
	count_latency(p, now);
	for (i = 0; i < p->pe_npaths; i++) {
		pa = p->pe_paths[i].pp_path;
		if (!full && now - pa->pa_last_out < HEARTBEAT_MS)
			continue;
		if (full)
			hello_send(n, now, p, low_bandwidth(n) ? pa->pa_sock :
			    SOCKET_ANY, &pa->pa_addr);
		else
			probe(n, now, p, pa->pa_sock, &pa->pa_addr, 0);
		pa->pa_last_out = now;
		watch_sent(n, now, p, pa, false);
		sent |= family_bit(&pa->pa_addr);
	}
	return (sent);
}

int64_t
keepalive_due(const struct peer *p, int64_t now)
{
	int64_t		 due, t;
	unsigned	 i;

	if (p->pe_npaths == 0)
		return (INT64_MAX);
	due = p->pe_last_full_hello + FULL_HELLO_MS;
	for (i = 0; i < p->pe_npaths; i++) {
		t = p->pe_paths[i].pp_path->pa_last_out + HEARTBEAT_MS;
		if (t < due)
			due = t;
	}
	return (due > now ? due : now);
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
			mtu_doubt(pp->pp_path);
			if (p->pe_is_active || p->pe_upstream) {
				probe(n, now, p, pp->pp_path->pa_sock,
				    &pp->pp_path->pa_addr, 0);
				pp->pp_path->pa_last_out = now;
			}
			pp->pp_lr = 0;
			p->pe_best_until = 0;
		}
	}
}

static bool
socket_open(const struct node *n, uint32_t sock)
{
	size_t	 i;

	for (i = 0; i < n->n_nsocks; i++) {
		if (n->n_socks[i].ns_id == sock)
			return (true);
	}
	return (sock == SOCKET_ANY);
}

void
paths_sweep(struct node *n)
{
	struct path	*pa, *next;
	struct peer	*p;
	unsigned	 i;

	RB_FOREACH(p, peer_tree, &n->n_peers) {
		for (i = 0; i < p->pe_npaths; ) {
			pa = p->pe_paths[i].pp_path;
			if (!socket_open(n, pa->pa_sock) ||
			    !path_allowed(n, p->pe_id.id_addr, &pa->pa_addr))
				peer_drop_path(p, i);
			else
				i++;
		}
	}
	RB_FOREACH_SAFE(pa, path_tree, &n->n_paths, next) {
		if (pa->pa_refs == 0 && !socket_open(n, pa->pa_sock))
			path_free(n, pa);
	}
}
