/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Sending: composing, choosing the path, sealing, fragments, and packets
 * that wait for their recipient's identity.  Spec: 02 sections 5.2 and 7,
 * 01 sections 10.1 and 12.1.
 */

#include <stdlib.h>
#include <string.h>

#include "common/version.h"
#include "ztd-net/core/core.h"
#include "ztd-net/core/mix.h"

struct txq {
	struct {
		size_t		len;		/* 0: free */
		int64_t		time;
		uint8_t		packet[PACKET_MAX];
	}	 tq[TX_QUEUE];
};

int
txq_new(struct node *n)
{
	return ((n->n_txq = calloc(1, sizeof(*n->n_txq))) == NULL ? -1 : 0);
}

void
txq_free(struct node *n)
{
	free(n->n_txq);
}

/* A name for an address that nobody can aim at. */
static uint32_t
addr_hash(const struct node *n, const struct inet_addr *ia)
{
	return ((uint32_t)(mix_addr(n->n_pid_key[1], SOCKET_ANY, ia) >> 32));
}

void
expect_add(struct node *n, uint64_t packet, const struct inet_addr *to)
{
	struct expect	*ex = &n->n_expect;
	uint32_t	 high = packet >> 32;
	unsigned	 b = high & 0xff;

	ex->ex_ids[b][ex->ex_next[b]] = high;
	ex->ex_at[b][ex->ex_next[b]] = addr_hash(n, to);
	ex->ex_next[b] = (ex->ex_next[b] + 1) % 32;
	if (ex->ex_used[b] < 32)
		ex->ex_used[b]++;
}

bool
expect_reply(const struct node *n, uint64_t packet,
    const struct inet_addr *from)
{
	const struct expect	*ex = &n->n_expect;
	uint32_t		 high = packet >> 32;
	unsigned		 b = high & 0xff, i;

	for (i = 0; i < ex->ex_used[b]; i++) {
		if (ex->ex_ids[b][i] == high && (from == NULL ||
		    ex->ex_at[b][i] == addr_hash(n, from)))
			return (true);
	}
	return (false);
}

enum packet_suite
suite_for(const struct peer *p)
{
	return (p->pe_proto >= 12 && ZT_PROTOCOL >= 12 ? SUITE_AES_GMAC_SIV :
	    SUITE_SALSA2012);
}

const struct settings_physical *
physical(const struct node *n, const struct inet_addr *to)
{
	uint32_t	 i;

	for (i = 0; i < n->n_settings.s_nphysical; i++) {
		if (inet_contains(&n->n_settings.s_physical[i].sp_net, to))
			return (&n->n_settings.s_physical[i]);
	}
	return (NULL);
}

uint64_t
path_trusted_id(const struct node *n, const struct inet_addr *to)
{
	const struct settings_physical	*sp;

	return ((sp = physical(n, to)) == NULL ? 0 : sp->sp_trusted_id);
}

void
pkt_begin(struct node *n, struct pkt *pk, uint64_t dest, uint8_t verb)
{
	wbuf_init(&pk->pk, pk->pk_bytes, sizeof(pk->pk_bytes));
	packet_header(&pk->pk, node_packet_id(n), dest, n->n_id.id_addr,
	    verb);
}

static void
emit(struct node *n, uint32_t sock, const struct inet_addr *to,
    const void *p, size_t len)
{
	n->n_cb.nc_send(n->n_arg, sock, to, p, len, 0);
}

/*
 * Send the sealed packet in as many datagrams as it takes; it is spoilt by
 * that.
 */
static void
emit_packet(struct node *n, uint32_t sock, const struct inet_addr *to,
    uint8_t *p, size_t len, size_t mtu, unsigned total)
{
	uint8_t		*dgram;
	size_t		 dlen;
	unsigned	 k;

	emit(n, sock, to, p, total > 1 ? mtu : len);
	for (k = 1; k < total; k++) {
		dlen = packet_fragment_here(&dgram, p, len, mtu, k, total);
		emit(n, sock, to, dgram, dlen);
	}
}

/*
 * Seal (suite SUITE_NONE: for a trusted path of this id) and send.  The
 * fragment flag is part of what is sealed.
 */
static void
seal_and_emit(struct node *n, struct pkt *pk, struct peer *p,
    enum packet_suite suite, uint64_t trusted, uint32_t sock,
    const struct inet_addr *to, size_t mtu, bool expect)
{
	unsigned	 total;

	total = packet_fragments(pk->pk.wb_len, mtu);
	if (total > FRAGMENTS_MAX)
		return;		/* no receiver takes so many */
	if (total > 1) {
		pk->pk_bytes[PACKET_IDX_FLAGS] |= FLAG_FRAGMENTED;
		mtu = packet_even(pk->pk.wb_len, mtu);
	}
	count_out(n, p, pk);
	if (suite == SUITE_NONE)
		packet_seal_trusted(pk->pk_bytes, trusted);
	else
		packet_seal(pk->pk_bytes, pk->pk.wb_len, suite, &p->pe_keys);
	if (expect)
		expect_add(n, packet_id(pk->pk_bytes), to);
	emit_packet(n, sock, to, pk->pk_bytes, pk->pk.wb_len, mtu, total);
}

void
pkt_send_to(struct node *n, int64_t now, struct pkt *pk, struct peer *p,
    enum packet_suite suite, uint32_t sock, const struct inet_addr *to,
    bool expect)
{
	struct path	*pa;
	size_t		 mtu;

	if (!wbuf_ok(&pk->pk))
		return;
	if ((pa = path_find(n, sock, to)) != NULL)
		pa->pa_last_out = now;
	/* In one piece (7.2), above all what measures how large one may be. */
	mtu = PAYLOAD_MTU;
	if (pk->pk.wb_len > mtu)
		mtu = packet_verb(pk->pk_bytes) == VERB_ECHO ?
		    pk->pk.wb_len : packet_mtu(n, pa, to, pk->pk.wb_len);
	seal_and_emit(n, pk, p, suite, 0, sock, to, mtu, expect);
}

void
datagram_out(struct node *n, int64_t now, struct path *pa, const void *p,
    size_t len)
{
	pa->pa_last_out = now;
	emit(n, pa->pa_sock, &pa->pa_addr, p, len);
}

/*
 * Verbs that nobody answers: they must not crowd out of the table the ids
 * of those on whose answers something depends.
 */
static bool
unanswered(uint8_t verb)
{
	return (verb == VERB_FRAME || verb == VERB_EXT_FRAME ||
	    verb == VERB_MULTICAST_LIKE || verb == VERB_NETWORK_CREDENTIALS ||
	    verb == VERB_NETWORK_CONFIG || verb == VERB_ERROR ||
	    verb == VERB_USER_MESSAGE || verb == VERB_REMOTE_TRACE);
}

/*
 * After the answer to a question there may be nothing to be said: that the
 * peer is silent then does not make the path suspect.
 */
static bool
is_answer(const struct pkt *pk)
{
	const uint8_t	 verb = packet_verb(pk->pk_bytes);

	return (verb == VERB_OK || verb == VERB_ERROR);
}

/*
 * The way to a known peer for packets of at most len bytes, after which,
 * with wait, it should be heard there; false: none.
 */
static bool
way_to(struct node *n, int64_t now, struct pkt_way *pw, struct peer *p,
    size_t len, bool wait)
{
	struct path	*pa;

	if ((pa = choose_path(n, now, p, wait)) == NULL)
		return (false);
	p->pe_last_send = now;
	if (pa == p->pe_best)
		mtu_need(n, now, p, pa, len);
	pa->pa_last_out = now;
	pw->pw_peer = p;
	pw->pw_path = pa;
	pw->pw_trusted = path_trusted_id(n, &pa->pa_addr);
	pw->pw_suite = pw->pw_trusted != 0 ? SUITE_NONE : suite_for(p);
	pw->pw_mtu = pa == p->pe_best ? packet_mtu(n, pa, &pa->pa_addr, len) :
	    relay_mtu(n, pa, len);
	return (true);
}

static void
send_along(struct node *n, const struct pkt_way *pw, struct pkt *pk)
{
	seal_and_emit(n, pk, pw->pw_peer, pw->pw_suite, pw->pw_trusted,
	    pw->pw_path->pa_sock, &pw->pw_path->pa_addr, pw->pw_mtu,
	    !unanswered(packet_verb(pk->pk_bytes)));
}

/* Send to a known peer; false when there is no way. */
static bool
route(struct node *n, int64_t now, struct pkt *pk, struct peer *p)
{
	struct pkt_way	 pw;

	if (!way_to(n, now, &pw, p, pk->pk.wb_len, !is_answer(pk)))
		return (false);
	send_along(n, &pw, pk);
	return (true);
}

/*
 * Keep a clear packet until it can go; the oldest makes room, or the oldest
 * to the same node when that has half of the places.
 */
static void
txq_put(struct node *n, int64_t now, const struct pkt *pk)
{
	struct txq	*q = n->n_txq;
	uint64_t	 dest = packet_dest(pk->pk_bytes);
	unsigned	 i, slot = 0, own = TX_QUEUE, count = 0;

	for (i = 0; i < TX_QUEUE; i++) {
		if (q->tq[i].len != 0 &&
		    packet_dest(q->tq[i].packet) == dest) {
			count++;
			if (own == TX_QUEUE ||
			    q->tq[i].time < q->tq[own].time)
				own = i;
		}
		if (q->tq[slot].len != 0 && (q->tq[i].len == 0 ||
		    q->tq[i].time < q->tq[slot].time))
			slot = i;
	}
	if (count >= TX_QUEUE / 2)
		slot = own;
	q->tq[slot].len = pk->pk.wb_len;
	q->tq[slot].time = now;
	queue_soon(n, now);
	memcpy(q->tq[slot].packet, pk->pk_bytes, pk->pk.wb_len);
}

void
pkt_send(struct node *n, int64_t now, struct pkt *pk, bool compress)
{
	struct peer	*p;
	uint64_t	 dest;

	dest = packet_dest(pk->pk_bytes);
	if (!wbuf_ok(&pk->pk) || dest == n->n_id.id_addr ||
	    addr_reserved(dest))
		return;
	if (compress)
		pk->pk.wb_len = packet_compress(pk->pk_bytes, pk->pk.wb_len);
	if ((p = peer_find(n, dest)) == NULL) {
		whois_request(n, now, dest);
		p = peer_find(n, dest);		/* from the cache */
	}
	if (p == NULL || !route(n, now, pk, p))
		txq_put(n, now, pk);
}

void
pkt_way_find(struct node *n, int64_t now, struct pkt_way *pw, uint64_t dest,
    size_t len)
{
	struct peer	*p = peer_find(n, dest);

	if (p == NULL || !way_to(n, now, pw, p, len, true))
		pw->pw_peer = NULL;
}

void
pkt_send_along(struct node *n, int64_t now, const struct pkt_way *pw,
    struct pkt *pk)
{
	if (pw->pw_peer == NULL)
		pkt_send(n, now, pk, false);
	else if (wbuf_ok(&pk->pk))
		send_along(n, pw, pk);
}

bool
txq_empty(const struct node *n)
{
	unsigned	 i;

	for (i = 0; i < TX_QUEUE; i++) {
		if (n->n_txq->tq[i].len != 0)
			return (false);
	}
	return (true);
}

void
txq_retry(struct node *n, int64_t now)
{
	struct txq	*q = n->n_txq;
	struct peer	*p;
	struct pkt	 pk;
	unsigned	 i;

	for (i = 0; i < TX_QUEUE; i++) {
		if (q->tq[i].len == 0)
			continue;
		if (now - q->tq[i].time >= QUEUE_TIMEOUT_MS) {
			q->tq[i].len = 0;
			continue;
		}
		p = peer_find(n, packet_dest(q->tq[i].packet));
		if (p == NULL) {
			whois_request(n, now, packet_dest(q->tq[i].packet));
			continue;
		}
		wbuf_init(&pk.pk, pk.pk_bytes, sizeof(pk.pk_bytes));
		wbuf_bytes(&pk.pk, q->tq[i].packet, q->tq[i].len);
		if (route(n, now, &pk, p))
			q->tq[i].len = 0;
	}
}

void
pkt_begin_ok(struct node *n, struct pkt *pk, const struct rx *rx)
{
	pkt_begin(n, pk, rx->rx_peer->pe_id.id_addr, VERB_OK);
	wbuf_u8(&pk->pk, rx->rx_verb);
	wbuf_u64(&pk->pk, rx->rx_id);
}

void
pkt_begin_error(struct node *n, struct pkt *pk, const struct rx *rx,
    uint8_t code)
{
	pkt_begin(n, pk, rx->rx_peer->pe_id.id_addr, VERB_ERROR);
	wbuf_u8(&pk->pk, rx->rx_verb);
	wbuf_u64(&pk->pk, rx->rx_id);
	wbuf_u8(&pk->pk, code);
}

void
pkt_reply(struct node *n, int64_t now, struct pkt *pk, const struct rx *rx)
{
	if (!limit_reply(n, rx->rx_path, pk->pk.wb_len))
		return;
	pkt_send_to(n, now, pk, rx->rx_peer, suite_for(rx->rx_peer),
	    rx->rx_path->pa_sock, &rx->rx_path->pa_addr, false);
}

int
node_user_message(struct node *n, int64_t now, uint64_t to, uint64_t type,
    const void *p, size_t len)
{
	struct pkt	 pk;

	now = node_clock(n, now);
	pkt_begin(n, &pk, to, VERB_USER_MESSAGE);
	wbuf_u64(&pk.pk, type);
	wbuf_bytes(&pk.pk, p, len);
	if (!wbuf_ok(&pk.pk))
		return (-1);
	pkt_send(n, now, &pk, true);
	return (0);
}
