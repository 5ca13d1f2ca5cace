/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Receiving: what a datagram is, reassembly, opening, and packets that wait
 * for their sender's identity.  Spec: 02 section 6, 01 sections 10.2, 10.3
 * and 12.2.
 */

#include <stdlib.h>
#include <string.h>

#include "ztd-net/core/core.h"

#define ASSEMBLY_SETS	64	/* by packet id */
#define ASSEMBLY_WAYS	4
#define BEACON_LEN	13
#define BEACON_MS	2500
#define WAITING_PER_SOURCE 8

/* A packet of which not all pieces are there. */
struct assembly {
	uint64_t	 as_id;
	struct inet_addr as_from;
	int64_t		 as_time;	/* of the first piece, 0: free */
	uint32_t	 as_sock;	/* of the head */
	unsigned	 as_total;	/* 0 unknown */
	unsigned	 as_have;	/* bit per piece, bit 0 the head */
	size_t		 as_used;
	struct {
		uint16_t	off, len;
	}		 as_piece[FRAGMENTS_MAX];
	uint8_t		 as_bytes[PACKET_MAX];	/* in order of arrival */
};

/* A whole packet that cannot be handled yet. */
struct waiting {
	size_t		 wa_len;	/* 0: free */
	size_t		 wa_wire;	/* length as it came */
	bool		 wa_repeat;
	int64_t		 wa_time;
	uint32_t	 wa_sock;
	struct inet_addr wa_from;
	bool		 wa_open;	/* opened and decompressed already */
	uint8_t		 wa_bytes[PACKET_MAX];
};

struct rxq {
	struct assembly	 q_assembly[ASSEMBLY_SETS][ASSEMBLY_WAYS];
	struct waiting	 q_waiting[RX_QUEUE];
	bool		 q_retrying;
	bool		 q_more;	/* an identity came meanwhile */
};

/* A packet on its way through decode(). */
struct inbound {
	uint32_t	 in_sock;
	const struct inet_addr *in_from;
	/*
	 * NULL: not looked for, or none.  To be used only as long as no path
	 * is made and none swept.
	 */
	struct path	*in_path;
	uint8_t		*in_p;
	uint8_t		*in_room;	/* PACKET_MAX bytes to expand it in */
	size_t		 in_len;
	size_t		 in_wire;	/* length as it came */
	bool		 in_open;
	bool		 in_retry;	/* it has waited */
	bool		 in_repeat;	/* its id came by another way */
};

static enum rx_result decode(struct node *, int64_t, struct inbound *);

int
rxq_new(struct node *n)
{
	return ((n->n_rxq = calloc(1, sizeof(*n->n_rxq))) == NULL ? -1 : 0);
}

void
rxq_free(struct node *n)
{
	free(n->n_rxq);
}

/* Keep a packet; a source may hold only a part of the places. */
static void
wait_for_peer(struct node *n, int64_t now, const struct inbound *in)
{
	struct waiting	*w, *slot = NULL;
	unsigned	 i, same = 0;

	for (i = 0; i < RX_QUEUE; i++) {
		w = &n->n_rxq->q_waiting[i];
		if (w->wa_len == 0) {
			if (slot == NULL || slot->wa_len != 0)
				slot = w;
			continue;
		}
		if (inet_equal(&w->wa_from, in->in_from))
			same++;
		if (slot == NULL ||
		    (slot->wa_len != 0 && w->wa_time < slot->wa_time))
			slot = w;
	}
	if (same >= WAITING_PER_SOURCE && slot->wa_len != 0)
		return;
	queue_soon(n, now);
	slot->wa_len = in->in_len;
	slot->wa_time = now;
	slot->wa_sock = in->in_sock;
	slot->wa_from = *in->in_from;
	slot->wa_open = in->in_open;
	slot->wa_wire = in->in_wire;
	slot->wa_repeat = in->in_repeat;
	memcpy(slot->wa_bytes, in->in_p, in->in_len);
}

/* Decode a packet where it lies, unless it is a compressed one. */
static void
decode_or_wait(struct node *n, int64_t now, uint32_t sock,
    const struct inet_addr *from, uint8_t *p, size_t len)
{
	uint8_t		 room[PACKET_MAX];
	struct inbound	 in;

	in.in_sock = sock;
	in.in_from = from;
	in.in_path = NULL;
	in.in_room = room;
	in.in_len = len;
	in.in_wire = len;
	in.in_open = false;
	in.in_retry = false;
	in.in_repeat = false;
	in.in_p = p;
	if (decode(n, now, &in) == RX_LATER)
		wait_for_peer(n, now, &in);
}

/* Decode one waiting packet again; it keeps its place if told to wait. */
static void
retry(struct node *n, int64_t now, struct waiting *w)
{
	uint8_t			 buf[PACKET_MAX];
	struct inet_addr	 from = w->wa_from;
	struct inbound		 in;

	/* Its place is free meanwhile: handling may need one. */
	memcpy(buf, w->wa_bytes, w->wa_len);
	in.in_sock = w->wa_sock;
	in.in_from = &from;
	in.in_path = NULL;
	in.in_p = buf;
	in.in_room = buf;
	in.in_len = w->wa_len;
	in.in_wire = w->wa_wire;
	in.in_repeat = w->wa_repeat;
	in.in_open = w->wa_open;
	in.in_retry = true;
	w->wa_len = 0;
	if (decode(n, now, &in) != RX_LATER || w->wa_len != 0)
		return;
	memcpy(w->wa_bytes, buf, in.in_len);
	w->wa_len = in.in_len;
	w->wa_open = in.in_open;
}

void
rxq_retry(struct node *n, int64_t now)
{
	struct rxq	*q = n->n_rxq;
	struct waiting	*w;
	unsigned	 i;

	if (q->q_retrying) {
		q->q_more = true;
		return;
	}
	q->q_retrying = true;
	do {
		q->q_more = false;
		for (i = 0; i < RX_QUEUE; i++) {
			w = &q->q_waiting[i];
			if (w->wa_len == 0)
				continue;
			if (now - w->wa_time >= QUEUE_TIMEOUT_MS)
				w->wa_len = 0;
			else
				retry(n, now, w);
		}
	} while (q->q_more);
	q->q_retrying = false;
}

bool
rxq_empty(const struct node *n)
{
	unsigned	 i;

	for (i = 0; i < RX_QUEUE; i++) {
		if (n->n_rxq->q_waiting[i].wa_len != 0)
			return (false);
	}
	return (true);
}

void
rxq_expire(struct node *n, int64_t now)
{
	struct assembly	*a;
	unsigned	 i, k;

	for (i = 0; i < ASSEMBLY_SETS; i++) {
		for (k = 0; k < ASSEMBLY_WAYS; k++) {
			a = &n->n_rxq->q_assembly[i][k];
			/* Those never used are not touched. */
			if (a->as_time != 0 &&
			    now - a->as_time >= QUEUE_TIMEOUT_MS)
				a->as_time = 0;
		}
	}
}

/* The entry of this packet, a fresh one if there is none yet. */
static struct assembly *
assembly_get(struct node *n, int64_t now, uint64_t id,
    const struct inet_addr *from)
{
	struct assembly	*a, *slot, *set;
	unsigned	 k;

	set = n->n_rxq->q_assembly[(id ^ id >> 32) % ASSEMBLY_SETS];
	slot = &set[0];
	for (k = 0; k < ASSEMBLY_WAYS; k++) {
		a = &set[k];
		if (a->as_time != 0 && a->as_id == id &&
		    inet_equal(&a->as_from, from))
			return (a);
		if (a->as_time < slot->as_time)
			slot = a;
	}
	slot->as_id = id;
	slot->as_from = *from;
	slot->as_time = now > 0 ? now : 1;
	slot->as_total = 0;
	slot->as_have = 0;
	slot->as_used = 0;
	return (slot);
}

static void
assembly_add(struct assembly *a, unsigned k, const uint8_t *p, size_t len)
{
	if (a->as_have & 1U << k)
		return;
	if (len > sizeof(a->as_bytes) - a->as_used) {
		a->as_time = 0;		/* longer than any packet: give up */
		return;
	}
	memcpy(a->as_bytes + a->as_used, p, len);
	a->as_piece[k].off = (uint16_t)a->as_used;
	a->as_piece[k].len = (uint16_t)len;
	a->as_used += len;
	a->as_have |= 1U << k;
}

/* When all pieces are there, put them in order and decode. */
static void
assembly_try(struct node *n, int64_t now, struct assembly *a)
{
	uint8_t			 packet[PACKET_MAX];
	struct inet_addr	 from;
	size_t			 len = 0;
	unsigned		 k;

	if (a->as_time == 0 || a->as_total == 0 ||
	    a->as_have != (1U << a->as_total) - 1)
		return;
	for (k = 0; k < a->as_total; k++) {
		memcpy(packet + len, a->as_bytes + a->as_piece[k].off,
		    a->as_piece[k].len);
		len += a->as_piece[k].len;
	}
	a->as_time = 0;
	from = a->as_from;
	decode_or_wait(n, now, a->as_sock, &from, packet, len);
}

static void
receive_fragment(struct node *n, int64_t now, uint32_t sock,
    const struct inet_addr *from, uint8_t *p, size_t len)
{
	struct assembly	*a;
	unsigned	 total, k;

	if (packet_dest(p) != n->n_id.id_addr) {
		relay(n, now, sock, from, p, len);
		return;
	}
	total = p[14] >> 4;
	k = p[14] & 0x0f;
	if (total < 2 || total > FRAGMENTS_MAX || k < 1 || k >= total)
		return;
	a = assembly_get(n, now, packet_id(p), from);
	if (a->as_total != 0 && a->as_total != total)
		return;
	a->as_total = total;
	assembly_add(a, k, p + FRAGMENT_HDR, len - FRAGMENT_HDR);
	assembly_try(n, now, a);
}

static void
receive_head(struct node *n, int64_t now, uint32_t sock,
    const struct inet_addr *from, uint8_t *p, size_t len)
{
	struct assembly	*a;

	if ((p[PACKET_IDX_FLAGS] & FLAG_FRAGMENTED) == 0) {
		decode_or_wait(n, now, sock, from, p, len);
		return;
	}
	a = assembly_get(n, now, packet_id(p), from);
	a->as_sock = sock;
	assembly_add(a, 0, p, len);
	assembly_try(n, now, a);
}

/* The beacon of very old nodes on a LAN: answer with a NOP. */
static void
receive_beacon(struct node *n, int64_t now, uint32_t sock,
    const struct inet_addr *from, const uint8_t *p)
{
	struct peer	*peer;
	struct pkt	 pk;
	uint64_t	 addr;

	addr = packet_field(p, 8, ADDR_LEN);
	if ((peer = peer_find(n, addr)) == NULL ||
	    now - n->n_last_beacon < BEACON_MS ||
	    !path_allowed(n, addr, from))
		return;
	n->n_last_beacon = now;
	pkt_begin(n, &pk, addr, VERB_NOP);
	pkt_send_to(n, now, &pk, peer, suite_for(peer), sock, from, false);
}

void
node_datagram(struct node *n, int64_t now, uint32_t sock,
    const struct inet_addr *from, uint8_t *p, size_t len)
{
	now = node_clock(n, now);
	if (len == BEACON_LEN) {
		receive_beacon(n, now, sock, from, p);
		return;
	}
	if (len <= FRAGMENT_HDR || len > PACKET_MAX)
		return;
	if (p[PACKET_IDX_SRC] == FRAGMENT_INDICATOR) {
		receive_fragment(n, now, sock, from, p, len);
		return;
	}
	if (len < PACKET_MIN || packet_src(p) == n->n_id.id_addr)
		return;
	if (packet_dest(p) != n->n_id.id_addr) {
		relay(n, now, sock, from, p, len);
		return;
	}
	receive_head(n, now, sock, from, p, len);
}

/* Is it a fragment?  Of a packet for whomever. */
static bool
is_fragment(const struct node_datagram *nd)
{
	return (nd->nd_len > FRAGMENT_HDR &&
	    nd->nd_data[PACKET_IDX_SRC] == FRAGMENT_INDICATOR);
}

/* A head for us, of which pieces must follow. */
static bool
is_head(const struct node *n, const struct node_datagram *nd)
{
	return (nd->nd_len >= PACKET_MIN && !is_fragment(nd) &&
	    (nd->nd_data[PACKET_IDX_FLAGS] & FLAG_FRAGMENTED) != 0 &&
	    packet_dest(nd->nd_data) == n->n_id.id_addr);
}

/*
 * How many datagrams from this head on are the pieces of one packet, all of
 * them and in order, and can be put together where they lie?  0: not so.
 */
static unsigned
in_a_row(const struct node_datagram *nd, size_t count, size_t *len)
{
	const uint8_t	*end = nd->nd_data + nd->nd_len;
	unsigned	 k, total;
	bool		 touching = true;

	if (count < 2 || !is_fragment(&nd[1]))
		return (0);
	total = nd[1].nd_data[14] >> 4;
	if (total < 2 || total > FRAGMENTS_MAX || total > count)
		return (0);
	*len = nd->nd_len;
	for (k = 1; k < total; k++) {
		if (!is_fragment(&nd[k]) ||
		    nd[k].nd_data[14] != (total << 4 | k) ||
		    memcmp(nd[k].nd_data, nd->nd_data, PACKET_IDX_SRC) != 0 ||
		    !inet_equal(nd[k].nd_from, nd->nd_from))
			return (0);
		touching = touching && nd[k].nd_data == end;
		end = nd[k].nd_data + nd[k].nd_len;
		*len += nd[k].nd_len - FRAGMENT_HDR;
	}
	return (*len <= PACKET_MAX && (touching || *len <= nd->nd_room) ?
	    total : 0);
}

static void
put_together(const struct node_datagram *nd, unsigned total)
{
	size_t		 len = nd->nd_len;
	unsigned	 k;

	for (k = 1; k < total; k++) {
		memmove(nd->nd_data + len, nd[k].nd_data + FRAGMENT_HDR,
		    nd[k].nd_len - FRAGMENT_HDR);
		len += nd[k].nd_len - FRAGMENT_HDR;
	}
}

void
node_datagrams(struct node *n, int64_t now, uint32_t sock,
    const struct node_datagram *nd, size_t count)
{
	size_t		 len;
	unsigned	 total;

	now = node_clock(n, now);
	while (count > 0) {
		total = 0;
		if (is_head(n, nd) && packet_src(nd->nd_data) !=
		    n->n_id.id_addr)
			total = in_a_row(nd, count, &len);
		if (total > 0) {
			put_together(nd, total);
			decode_or_wait(n, now, sock, nd->nd_from,
			    nd->nd_data, len);
		} else {
			total = 1;
			node_datagram(n, now, sock, nd->nd_from, nd->nd_data,
			    nd->nd_len);
		}
		nd += total;
		count -= total;
	}
}

/* A trusted path of this id and source is configured; id 0 never is. */
static bool
trusted_source(const struct node *n, const struct inet_addr *from,
    uint64_t id)
{
	const struct settings_physical	*sp;
	uint32_t			 i;

	for (i = 0; id != 0 && i < n->n_settings.s_nphysical; i++) {
		sp = &n->n_settings.s_physical[i];
		if (sp->sp_trusted_id == id &&
		    inet_contains(&sp->sp_net, from))
			return (true);
	}
	return (false);
}

/* Authenticate and open; false: drop. */
static bool
open_packet(struct node *n, struct inbound *in, struct peer *peer)
{
	size_t	 len;

	if (packet_suite(in->in_p) == SUITE_NONE) {
		if (!trusted_source(n, in->in_from,
		    packet_field(in->in_p, PACKET_IDX_MAC, 8)))
			return (false);
	} else if (!packet_open(in->in_p, in->in_len, &peer->pe_keys))
		return (false);
	if ((in->in_p[PACKET_IDX_VERB] & VERB_COMPRESSED) == 0)
		return (in->in_len <= PACKET_MAX);
	if (in->in_p != in->in_room)
		memcpy(in->in_room, in->in_p, in->in_len);
	in->in_p = in->in_room;
	if ((len = packet_decompress(in->in_p, in->in_len)) == 0)
		return (false);
	in->in_len = len;
	return (true);
}

/*
 * Those that come by several ways, since they were sent from all sockets,
 * are the same packet only when they come the same way.
 */
static bool
seen_before(struct node *n, struct inbound *in, uint64_t peer)
{
	uint8_t	 verb = packet_verb(in->in_p);

	if (packet_suite(in->in_p) == SUITE_NONE)
		return (false);		/* nothing in it is certain */
	if (verb == VERB_ECHO || verb == VERB_HELLO)
		return (replay_seen_here(n, peer, packet_id(in->in_p),
		    in->in_sock, in->in_from, &in->in_repeat));
	return (replay_seen(n, peer, packet_id(in->in_p), verb));
}

/* Has the one whose name is in the packet answered from that host? */
static bool
host_known(struct node *n, const struct inbound *in)
{
	const struct peer	*p;
	const struct path	*pa;
	unsigned		 i;

	if ((p = peer_find(n, packet_src(in->in_p))) == NULL)
		return (false);
	for (i = 0; i < p->pe_npaths; i++) {
		pa = p->pe_paths[i].pp_path;
		if (pa->pa_verified && inet_same_ip(&pa->pa_addr,
		    in->in_from))
			return (true);
	}
	return (false);
}

/* Strangers, and packets from where nobody is known, in measure. */
static bool
stranger_passes(struct node *n, int64_t now, struct inbound *in)
{
	in->in_path = path_find(n, in->in_sock, in->in_from);
	return ((in->in_path != NULL && in->in_path->pa_verified) ||
	    host_known(n, in) || limit_stranger(n, now, in->in_from));
}

static enum rx_result
handle(struct node *n, int64_t now, struct inbound *in, struct peer *peer,
    bool again)
{
	struct rx	 rx;
	enum rx_result	 result;

	memset(&rx, 0, sizeof(rx));
	rx.rx_peer = peer;
	if ((rx.rx_path = in->in_path) == NULL && (rx.rx_path = path_get(n,
	    now, in->in_sock, in->in_from)) == NULL)
		return (RX_DROP);
	if (!again) {
		path_heard(peer, rx.rx_path, now, in->in_wire);
		count_in(n, peer, packet_verb(in->in_p));
	}
	rx.rx_suite = packet_suite(in->in_p);
	rx.rx_hops = packet_hops(in->in_p);
	rx.rx_id = packet_id(in->in_p);
	rx.rx_verb = packet_verb(in->in_p);
	rx.rx_packet = in->in_p;
	rx.rx_len = in->in_len;
	rx.rx_wire = in->in_wire;
	rx.rx_again = again;
	rx.rx_repeat = in->in_repeat;
	peer->pe_held++;
	if ((result = verb_dispatch(n, now, &rx)) == RX_DONE)
		note_receipt(n, now, &rx);
	peer->pe_held--;
	return (result);
}

static enum rx_result
decode(struct node *n, int64_t now, struct inbound *in)
{
	struct peer	*peer;
	uint64_t	 src = packet_src(in->in_p);
	bool		 again = in->in_open;

	if (!again && !in->in_retry && !stranger_passes(n, now, in))
		return (RX_DROP);
	if (!in->in_open && packet_suite(in->in_p) == SUITE_POLY1305 &&
	    packet_verb(in->in_p) == VERB_HELLO) {
		hello_receive(n, now, in->in_sock, in->in_from, in->in_p,
		    in->in_len, NULL, false);
		return (RX_DONE);
	}
	if ((peer = peer_find(n, src)) == NULL) {
		whois_stranger(n, now, src);
		in->in_path = NULL;	/* it may have gone meanwhile */
		if ((peer = peer_find(n, src)) == NULL)
			return (RX_LATER);
	}
	if (!in->in_open) {
		replay_soon(n, src, packet_id(in->in_p));
		if (!open_packet(n, in, peer)) {
			count_forged(n, peer);
			return (RX_DROP);
		}
		if (seen_before(n, in, src))
			return (RX_DROP);
		in->in_open = true;
	}
	if (packet_verb(in->in_p) == VERB_HELLO) {
		hello_receive(n, now, in->in_sock, in->in_from, in->in_p,
		    in->in_len, peer, in->in_repeat);
		return (RX_DONE);
	}
	return (handle(n, now, in, peer, again));
}
