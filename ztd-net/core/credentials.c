/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The gate, and credentials on the wire: those of others as they arrive,
 * revocations that are passed on, ours as they are pushed.
 * Spec: 03 sections 10.2 to 10.4 and 11.5.
 */

#include <stdlib.h>
#include <string.h>

#include "ztd-net/core/network.h"

/* The macros of trees know no const. */
#define MEMBERS(nw)	((struct membership_tree *)(uintptr_t)&(nw)->nw_members)

/* --- the gate --------------------------------------------------------- */

bool
gate(struct node *n, int64_t now, struct network *nw, struct rx *rx)
{
	const struct identity	*id = &rx->rx_peer->pe_id;
	struct membership	*mb;

	mb = membership_find(nw, id->id_addr);
	if (!membership_allowed(nw, mb, id))
		return (false);
	rx->rx_trust = true;
	if (mb == NULL &&
	    (mb = membership_get(nw, now, id->id_addr)) == NULL)
		return (true);
	mb->mb_seen = now;
	if (!mb->mb_announced || now - mb->mb_announced_at >= ANNOUNCE_MS) {
		mb->mb_announced = true;
		mb->mb_announced_at = now;
		announce_to(n, now, nw, id->id_addr);
	}
	return (true);
}

/* Whether an ERROR 0x06 to this peer is due; strangers get no record. */
static bool
need_cert_due(struct network *nw, int64_t now, uint64_t addr)
{
	size_t	i = (addr ^ addr >> 16 ^ addr >> 32) % NEED_CERT_SLOTS;

	if (nw->nw_need_cert[i].addr == addr &&
	    now - nw->nw_need_cert[i].at < NEED_CERT_MS)
		return (false);
	nw->nw_need_cert[i].addr = addr;
	nw->nw_need_cert[i].at = now;
	return (true);
}

bool
gate_or_complain(struct node *n, int64_t now, struct network *nw,
    struct rx *rx, const struct filter_frame *ff)
{
	struct pkt	pkt;

	if (gate(n, now, nw, rx))
		return (true);
	if (!rx->rx_again)
		trace_frame(n, now, nw, ff, membership_why(nw,
		    membership_find(nw, ff->source)), NULL, rx);
	if (need_cert_due(nw, now, rx->rx_peer->pe_id.id_addr)) {
		pkt_begin_error(n, &pkt, rx, ERR_NEED_MEMBERSHIP_CERTIFICATE);
		wbuf_u64(&pkt.pk, nw->nw_id);
		pkt_reply(n, now, &pkt, rx);
	}
	return (false);
}

/* --- credentials of others -------------------------------------------- */

bool
credentials_admitted(int64_t now, struct rx *rx)
{
	struct peer	*pe = rx->rx_peer;
	int64_t		 more;

	if (rx->rx_again)
		return (true);
	if (pe->pe_cred_time == 0) {
		pe->pe_cred_time = now;
		pe->pe_cred_tokens = CREDENTIALS_BURST;
	}
	more = (now - pe->pe_cred_time) / CREDENTIALS_MS;
	if (more > 0) {
		pe->pe_cred_time = now;
		pe->pe_cred_tokens = more + pe->pe_cred_tokens >=
		    CREDENTIALS_BURST ? CREDENTIALS_BURST :
		    pe->pe_cred_tokens + (unsigned)more;
	}
	if (pe->pe_cred_tokens == 0)
		return (false);
	pe->pe_cred_tokens--;
	return (true);
}

void
credentials_inline_com(struct node *n, int64_t now, struct network *nw,
    struct rx *rx, const struct com *com)
{
	const struct membership	*mb;

	mb = membership_find(nw, com_value(com, COM_ID_ISSUED_TO));
	if (mb != NULL && com_equal(com, &mb->mb_com))
		return;
	if (credentials_admitted(now, rx))
		(void)membership_add_com(n, now, nw, com);
}

void
credentials_put_revocation(struct wbuf *wb, const void *rev, size_t len)
{
	wbuf_u8(wb, 0);			/* no COMs */
	wbuf_u16(wb, 0);		/* no capabilities */
	wbuf_u16(wb, 0);		/* no tags */
	wbuf_u16(wb, 1);
	wbuf_bytes(wb, rev, len);
	wbuf_u16(wb, 0);		/* no certificates of ownership */
}

enum cred_result
credentials_revocation(struct node *n, int64_t now, struct network *nw,
    const struct revocation *rev, uint64_t from)
{
	struct membership	*mb;
	struct pkt		 pkt;
	uint8_t			 bytes[REVOCATION_MAX];
	struct wbuf		 wb;
	enum cred_result	 res;

	res = membership_add_revocation(n, now, nw, rev);
	if (res != CRED_NEW || !(rev->rev_flags & REVOCATION_FAST))
		return (res);
	wbuf_init(&wb, bytes, sizeof(bytes));
	revocation_put(&wb, rev);
	if (!wbuf_ok(&wb))
		return (res);
	/*
	 * Members that are no peers at present would each cost a WHOIS and
	 * a place in the queue that holds 32.
	 */
	RB_FOREACH(mb, membership_tree, &nw->nw_members) {
		if (mb->mb_addr == from || mb->mb_addr == rev->rev_signer ||
		    mb->mb_addr == n->n_id.id_addr ||
		    peer_find(n, mb->mb_addr) == NULL)
			continue;
		pkt_begin(n, &pkt, mb->mb_addr, VERB_NETWORK_CREDENTIALS);
		credentials_put_revocation(&pkt.pk, bytes, wb.wb_len);
		pkt_send(n, now, &pkt, false);
	}
	return (res);
}

enum kind { KIND_COM, KIND_CAPABILITY, KIND_TAG, KIND_REVOCATION, KIND_COO };

/*
 * Read one credential and offer it to its network.  rb is bad afterwards if
 * it was malformed; redundant means nothing for networks not joined.
 */
static enum cred_result
credential_receive(struct node *n, int64_t now, struct rx *rx,
    struct rbuf *rb, enum kind kind)
{
	union {
		struct com		com;
		struct capability	cap;
		struct tag		tag;
		struct revocation	rev;
		struct coo		coo;
	}		 u;
	struct network	*nw;

	switch (kind) {
	case KIND_COM:
		com_get(rb, &u.com);
		nw = network_find(n, com_value(&u.com, COM_ID_NETWORK));
		if (!rbuf_ok(rb) || nw == NULL)
			break;
		return (membership_add_com(n, now, nw, &u.com));
	case KIND_CAPABILITY:
		capability_get(rb, &u.cap);
		if (!rbuf_ok(rb) ||
		    (nw = network_find(n, u.cap.cap_nwid)) == NULL)
			break;
		return (membership_add_capability(n, now, nw, &u.cap));
	case KIND_TAG:
		tag_get(rb, &u.tag);
		if (!rbuf_ok(rb) ||
		    (nw = network_find(n, u.tag.tag_nwid)) == NULL)
			break;
		return (membership_add_tag(n, now, nw, &u.tag));
	case KIND_REVOCATION:
		revocation_get(rb, &u.rev);
		if (!rbuf_ok(rb) ||
		    (nw = network_find(n, u.rev.rev_nwid)) == NULL)
			break;
		return (credentials_revocation(n, now, nw, &u.rev,
		    rx->rx_peer->pe_id.id_addr));
	case KIND_COO:
		coo_get(rb, &u.coo);
		if (!rbuf_ok(rb) ||
		    (nw = network_find(n, u.coo.coo_nwid)) == NULL)
			break;
		return (membership_add_coo(n, now, nw, &u.coo));
	}
	return (CRED_REJECTED);
}

enum rx_result
verb_network_credentials(struct node *n, int64_t now, struct rx *rx,
    struct rbuf *rb)
{
	static const enum kind	 lists[] = {
		KIND_CAPABILITY, KIND_TAG, KIND_REVOCATION, KIND_COO
	};
	enum cred_result	 res;
	unsigned		 i, count;
	bool			 news = false;

	if (!credentials_admitted(now, rx))
		return (RX_DROP);
	while (rb->rb_left > 0 && rb->rb_p[0] != 0) {
		res = credential_receive(n, now, rx, rb, KIND_COM);
		if (!rbuf_ok(rb))
			return (RX_DROP);
		if (res == CRED_DEFERRED)
			return (RX_LATER);
		if (res != CRED_REJECTED)
			rx->rx_trust = true;
		if (res == CRED_NEW)
			news = true;
	}
	if (rb->rb_left > 0)
		rbuf_skip(rb, 1);
	for (i = 0; i < 4 && rb->rb_left > 0; i++) {
		for (count = rbuf_u16(rb); count > 0; count--) {
			res = credential_receive(n, now, rx, rb, lists[i]);
			if (!rbuf_ok(rb))
				return (RX_DROP);
			if (res == CRED_DEFERRED)
				return (RX_LATER);
			if (res != CRED_REJECTED)
				rx->rx_trust = true;
		}
	}
	/* Frames that were refused for want of a COM need not wait. */
	if (news)
		rxq_retry(n, now);
	return (rbuf_ok(rb) ? RX_DONE : RX_DROP);
}

/* --- ours ------------------------------------------------------------- */

/*
 * Append entry i of a list to a push; false: the packet is full.  An entry
 * that could not even be encoded is left out.
 */
static bool
push_entry(struct wbuf *wb, const struct netconf *nc, enum kind kind,
    unsigned i, unsigned *count)
{
	uint8_t		bytes[CAPABILITY_MAX];
	struct wbuf	one;

	wbuf_init(&one, bytes, sizeof(bytes));
	switch (kind) {
	case KIND_CAPABILITY:
		capability_put(&one, &nc->nc_caps[i]);
		break;
	case KIND_TAG:
		tag_put(&one, &nc->nc_tags[i]);
		break;
	case KIND_COO:
		coo_put(&one, &nc->nc_coos[i]);
		break;
	default:
		return (true);
	}
	if (!wbuf_ok(&one))
		return (true);
	/* Every list that follows takes its count at least. */
	if (wb->wb_len + one.wb_len + 6 > CREDENTIALS_PACKET)
		return (false);
	wbuf_bytes(wb, bytes, one.wb_len);
	(*count)++;
	return (true);
}

/*
 * Append a list whose entries are numbered from first on among everything
 * that we push; *next is the number that comes next.
 */
static void
push_list(struct wbuf *wb, const struct netconf *nc, enum kind kind,
    unsigned n, unsigned first, unsigned *next)
{
	uint8_t		*where;
	unsigned	 count = 0;

	if ((where = wbuf_room(wb, 2)) == NULL)
		return;
	while (*next >= first && *next < first + n) {
		if (!push_entry(wb, nc, kind, *next - first, &count))
			break;
		(*next)++;
	}
	where[0] = (uint8_t)(count >> 8);
	where[1] = (uint8_t)count;
}

/* One packet from where the last one ended. */
static void
push_packet(struct node *n, int64_t now, struct network *nw,
    struct membership *mb)
{
	const struct netconf	*nc = nw->nw_conf;
	struct pkt		 pkt;
	unsigned		 next = mb->mb_push_next, at = 0;

	pkt_begin(n, &pkt, mb->mb_addr, VERB_NETWORK_CREDENTIALS);
	if (next == 0 && nc->nc_com.com_n > 0)
		com_put(&pkt.pk, &nc->nc_com);
	wbuf_u8(&pkt.pk, 0);
	push_list(&pkt.pk, nc, KIND_CAPABILITY, nc->nc_ncaps, at, &next);
	at += nc->nc_ncaps;
	push_list(&pkt.pk, nc, KIND_TAG, nc->nc_ntags, at, &next);
	at += nc->nc_ntags;
	wbuf_u16(&pkt.pk, 0);		/* no revocations */
	push_list(&pkt.pk, nc, KIND_COO, nc->nc_ncoos, at, &next);
	at += nc->nc_ncoos;

	mb->mb_push_next = next < at ? next : 0;
	mb->mb_pushed_at = now;
	mb->mb_pushed_gen = nw->nw_gen;
	if (mb->mb_push_next != 0 && n->n_next_ping > now + PUSH_SPACING_MS)
		n->n_next_ping = now + PUSH_SPACING_MS;
	pkt_send(n, now, &pkt, true);
}

void
credentials_push(struct node *n, int64_t now, struct network *nw,
    uint64_t to, int64_t interval)
{
	const struct netconf	*nc = nw->nw_conf;
	struct membership	*mb;

	if (nc == NULL || to == n->n_id.id_addr || addr_reserved(to) ||
	    (nc->nc_com.com_n == 0 && nc->nc_ncaps == 0 &&
	    nc->nc_ntags == 0 && nc->nc_ncoos == 0))
		return;
	if ((mb = membership_get(nw, now, to)) == NULL)
		return;
	if (mb->mb_pushed_gen != nw->nw_gen ||
	    now - mb->mb_pushed_at > interval)
		mb->mb_push_next = 0;
	else if (mb->mb_push_next == 0 ||
	    now - mb->mb_pushed_at < PUSH_SPACING_MS)
		return;
	push_packet(n, now, nw, mb);
}

int64_t
credentials_due(const struct network *nw)
{
	struct membership	*mb;
	int64_t			 due = INT64_MAX;

	RB_FOREACH(mb, membership_tree, MEMBERS(nw))
		if (mb->mb_push_next != 0 &&
		    mb->mb_pushed_at + PUSH_SPACING_MS < due)
			due = mb->mb_pushed_at + PUSH_SPACING_MS;
	return (due);
}

void
credentials_tick(struct node *n, int64_t now, struct network *nw)
{
	struct membership	*mb;

	if (nw->nw_conf == NULL)
		return;
	RB_FOREACH(mb, membership_tree, &nw->nw_members) {
		if (mb->mb_push_next == 0)
			continue;
		if (mb->mb_pushed_gen != nw->nw_gen)
			mb->mb_push_next = 0;	/* the next frame pushes */
		else if (now - mb->mb_pushed_at >= PUSH_SPACING_MS)
			push_packet(n, now, nw, mb);
	}
}
