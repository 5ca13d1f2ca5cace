/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Sending a frame to a multicast group: to a replicator, or to members at
 * random while others are asked for more.  Spec: 03 section 13.3.
 */

#include <stdlib.h>
#include <string.h>

#include "ztd-net/core/network.h"

#define GATHER_MS	60000	/* explicit, per group */
#define GATHER_LOW_MS	180000	/* the same with low bandwidth */
#define GATHER_EMPTY_MS	1000	/* while nobody is known */
#define GATHER_PEERS	16
#define GATHER_COPIES	8	/* of a frame that ask for all that we lack */
#define QUEUE_GROUP	32	/* frames */
#define QUEUE_ALL	1024
#define QUEUE_MS	5000
#define ASKING		64	/* identities asked for at a time, frame */

#define MCF_LIMIT	0x02
#define MCF_SOURCE	0x04
#define MCF_REPLICATE	0x08
#define GATHER_COM	0x01

/* A frame on its way to many. */
struct mc_out {
	const struct mgroup	*mo_group;
	uint64_t		 mo_src;	/* 0: our own, not named */
	uint16_t		 mo_type;
	uint32_t		 mo_gather;	/* limit, 0: do not ask */
	const uint8_t		*mo_p;
	size_t			 mo_len;
};

/* A recipient. */
struct mc_copy {
	uint64_t	 my_addr;
	bool		 my_waits;	/* for its identity */
};

/* A frame with its recipients; in the queue while there may be more, or while
 * the identity of some is not known. */
struct mc_queued {
	TAILQ_ENTRY(mc_queued) mq_entry;
	int64_t		 mq_at;
	uint64_t	 mq_src;
	uint16_t	 mq_type;
	uint32_t	 mq_gather;
	uint32_t	 mq_limit;	/* copies in all */
	struct mc_copy	*mq_copies;
	uint32_t	 mq_ncopies;
	uint32_t	 mq_size;
	uint32_t	 mq_nwaiting;
	uint32_t	 mq_asked;	/* those before it were asked for, */
	uint32_t	 mq_asking;	/* and so many of them still wait */
	size_t		 mq_len;
	uint8_t		 mq_p[];
};

/* --- one copy --------------------------------------------------------- */

static void
put_frame(struct pkt *pkt, const struct network *nw, uint8_t flags,
    const struct mc_out *mo, uint64_t src)
{
	wbuf_u64(&pkt->pk, nw->nw_id);
	wbuf_u8(&pkt->pk, flags);
	if (flags & MCF_LIMIT)
		wbuf_u32(&pkt->pk, mo->mo_gather);
	if (flags & MCF_SOURCE)
		wbuf_mac(&pkt->pk, src);
	wbuf_mac(&pkt->pk, mo->mo_group->mg_mac);
	wbuf_u32(&pkt->pk, mo->mo_group->mg_adi);
	wbuf_u16(&pkt->pk, mo->mo_type);
	wbuf_bytes(&pkt->pk, mo->mo_p, mo->mo_len);
}

static bool
compressible(const struct network *nw)
{
	return (!(nw->nw_conf->nc_flags & NETCONF_NOCOMPRESS));
}

static void
send_copy(struct node *n, int64_t now, struct network *nw, uint64_t to,
    const struct mc_out *mo)
{
	struct pkt	pkt;
	uint8_t		flags = 0;

	if (!ether_filter_out(n, now, nw, false, to, mo->mo_group->mg_mac,
	    mo->mo_src == 0 ? nw->nw_mac : mo->mo_src, mo->mo_type,
	    mo->mo_p, mo->mo_len))
		return;
	credentials_push(n, now, nw, to, PUSH_IDLE_MS);
	if (mo->mo_gather > 0)
		flags |= MCF_LIMIT;
	if (mo->mo_src != 0)
		flags |= MCF_SOURCE;
	pkt_begin(n, &pkt, to, VERB_MULTICAST_FRAME);
	put_frame(&pkt, nw, flags, mo, mo->mo_src);
	pkt_send(n, now, &pkt, compressible(nw));
}

/* --- replicators ------------------------------------------------------ */

/* The replicator with a living path and the lowest latency, 0: none. */
static uint64_t
best_replicator(struct node *n, int64_t now, const struct network *nw)
{
	const struct netconf	*nc = nw->nw_conf;
	const struct peer	*pe;
	uint64_t		 best = 0;
	unsigned		 i, latency, least = 0;

	for (i = 0; i < nc->nc_nspecialists; i++) {
		if (!(nc->nc_specialists[i] & SPECIALIST_REPLICATOR) ||
		    (pe = peer_find(n, nc->nc_specialists[i] & ADDR_MASK)) ==
		    NULL || peer_alive_path(pe, now) == NULL)
			continue;
		/* Unknown, -1 or 0xffff, comes out as the worst. */
		latency = (unsigned)peer_latency(pe, now);
		if (best == 0 || latency < least) {
			best = pe->pe_id.id_addr;
			least = latency;
		}
	}
	return (best);
}

static bool
send_replicator(struct node *n, int64_t now, const struct network *nw,
    const struct mc_out *mo)
{
	struct pkt	pkt;
	uint64_t	self = n->n_id.id_addr, to;

	if (network_has_role(nw, self, SPECIALIST_BRIDGE) ||
	    network_has_role(nw, self, SPECIALIST_REPLICATOR) ||
	    (to = best_replicator(n, now, nw)) == 0)
		return (false);
	pkt_begin(n, &pkt, to, VERB_MULTICAST_FRAME);
	put_frame(&pkt, nw, MCF_SOURCE | MCF_REPLICATE, mo,
	    mo->mo_src == 0 ? nw->nw_mac : mo->mo_src);
	pkt_send(n, now, &pkt, compressible(nw));
	return (true);
}

/* --- asking for members ----------------------------------------------- */

static void
gather_peer(const struct node *n, uint64_t *to, size_t *count,
    uint64_t addr)
{
	size_t	i;

	if (*count >= GATHER_PEERS || addr == n->n_id.id_addr ||
	    addr_reserved(addr))
		return;
	for (i = 0; i < *count; i++)
		if (to[i] == addr)
			return;
	to[(*count)++] = addr;
}

static size_t
gather_peers(struct node *n, int64_t now, const struct network *nw,
    uint64_t to[GATHER_PEERS])
{
	const struct netconf	*nc = nw->nw_conf;
	const struct peer	*up;
	unsigned		 i, start, k;
	size_t			 count = 0;

	if ((up = topology_best(n, now)) != NULL)
		gather_peer(n, to, &count, up->pe_id.id_addr);
	gather_peer(n, to, &count, nwid_controller(nw->nw_id));
	if (nc->nc_nspecialists == 0)
		return (count);
	start = node_random_u32(n) % nc->nc_nspecialists;
	for (i = 0; i < nc->nc_nspecialists; i++) {
		k = (start + i) % nc->nc_nspecialists;
		if (nc->nc_specialists[k] & (SPECIALIST_ANCHOR |
		    SPECIALIST_REPLICATOR))
			gather_peer(n, to, &count,
			    nc->nc_specialists[k] & ADDR_MASK);
	}
	return (count);
}

static void
gather_if_due(struct node *n, int64_t now, const struct network *nw,
    struct mc_group *g, uint32_t limit)
{
	struct pkt	pkt;
	uint64_t	to[GATHER_PEERS];
	int64_t		period;
	size_t		count, i;

	if (g->mg_n == 0)
		period = GATHER_EMPTY_MS;
	else
		period = low_bandwidth(n) ? GATHER_LOW_MS : GATHER_MS;
	if (g->mg_gathered && now - g->mg_gathered_at < period)
		return;
	g->mg_gathered = true;
	g->mg_gathered_at = now;
	count = gather_peers(n, now, nw, to);
	for (i = 0; i < count; i++) {
		pkt_begin(n, &pkt, to[i], VERB_MULTICAST_GATHER);
		wbuf_u64(&pkt.pk, nw->nw_id);
		wbuf_u8(&pkt.pk, nw->nw_conf->nc_com.com_n > 0 ?
		    GATHER_COM : 0);
		wbuf_mac(&pkt.pk, g->mg_group.mg_mac);
		wbuf_u32(&pkt.pk, g->mg_group.mg_adi);
		wbuf_u32(&pkt.pk, limit);
		if (nw->nw_conf->nc_com.com_n > 0)
			com_put(&pkt.pk, &nw->nw_conf->nc_com);
		pkt_send(n, now, &pkt, false);
	}
}

/* --- frames and their recipients -------------------------------------- */

static struct mc_queued *
queued_new(int64_t now, const struct mc_out *mo, uint32_t limit)
{
	struct mc_queued	*mq;

	if ((mq = calloc(1, sizeof(*mq) + mo->mo_len)) == NULL)
		return (NULL);
	mq->mq_at = now;
	mq->mq_src = mo->mo_src;
	mq->mq_type = mo->mo_type;
	mq->mq_gather = mo->mo_gather;
	mq->mq_limit = limit;
	mq->mq_len = mo->mo_len;
	memcpy(mq->mq_p, mo->mo_p, mo->mo_len);
	return (mq);
}

static void
queued_free(struct mc_queued *mq)
{
	free(mq->mq_copies);
	free(mq);
}

/*
 * The copy for this recipient.  Each asks its recipient for members, but only
 * the first for many: where all know all, the same list from everybody would
 * be several times what is sent.
 */
static void
queued_send(struct node *n, int64_t now, struct network *nw,
    const struct mc_group *g, const struct mc_queued *mq,
    const struct mc_copy *my)
{
	struct mc_out	 mo;

	mo.mo_group = &g->mg_group;
	mo.mo_src = mq->mq_src;
	mo.mo_type = mq->mq_type;
	mo.mo_gather = my - mq->mq_copies < GATHER_COPIES ? mq->mq_gather : 1;
	mo.mo_p = mq->mq_p;
	mo.mo_len = mq->mq_len;
	send_copy(n, now, nw, my->my_addr, &mo);
}

static bool
served(const struct mc_queued *mq, uint64_t addr)
{
	uint32_t	i;

	for (i = 0; i < mq->mq_ncopies; i++)
		if (mq->mq_copies[i].my_addr == addr)
			return (true);
	return (false);
}

/* NULL: no memory; the frame must not be sent to others then. */
static struct mc_copy *
mark_served(struct mc_queued *mq, uint64_t addr)
{
	struct mc_copy	*p;
	uint32_t	 size;

	if (mq->mq_ncopies == mq->mq_size) {
		size = mq->mq_size == 0 ? 8 : mq->mq_size * 2;
		if ((p = reallocarray(mq->mq_copies, size,
		    sizeof(*p))) == NULL)
			return (NULL);
		mq->mq_copies = p;
		mq->mq_size = size;
	}
	p = &mq->mq_copies[mq->mq_ncopies++];
	p->my_addr = addr;
	p->my_waits = false;
	return (p);
}

/*
 * One recipient more.  Who has no identity yet waits here: in the queue of
 * packets there is room for few, and a broadcast is for many.
 */
static bool
serve(struct node *n, int64_t now, struct network *nw,
    const struct mc_group *g, struct mc_queued *mq, uint64_t to)
{
	struct mc_copy	*my;

	if ((my = mark_served(mq, to)) == NULL)
		return (false);
	if (peer_find(n, to) != NULL)
		queued_send(n, now, nw, g, mq, my);
	else {
		my->my_waits = true;
		mq->mq_nwaiting++;
	}
	return (true);
}

/* Its identity is known now. */
static void
serve_late(struct node *n, int64_t now, struct network *nw,
    const struct mc_group *g, struct mc_queued *mq, struct mc_copy *my)
{
	my->my_waits = false;
	mq->mq_nwaiting--;
	if (my < mq->mq_copies + mq->mq_asked)
		mq->mq_asking--;
	queued_send(n, now, nw, g, mq, my);
}

/* Ask for the identities of those who wait, a part of them at a time: their
 * proofs of work are checked as they come. */
static void
ask(struct node *n, int64_t now, struct network *nw,
    const struct mc_group *g, struct mc_queued *mq)
{
	struct mc_copy	*my;

	while (mq->mq_asked < mq->mq_ncopies && mq->mq_asking < ASKING) {
		my = &mq->mq_copies[mq->mq_asked++];
		if (!my->my_waits)
			continue;
		mq->mq_asking++;
		whois_member(n, now, my->my_addr);
		if (peer_find(n, my->my_addr) != NULL)	/* from the cache */
			serve_late(n, now, nw, g, mq, my);
	}
	if (mq->mq_nwaiting > 0)
		queue_soon(n, now);
}

static bool
complete(const struct mc_queued *mq)
{
	return (mq->mq_ncopies >= mq->mq_limit && mq->mq_nwaiting == 0);
}

/* --- the queue -------------------------------------------------------- */

static void
queue_remove(struct node *n, struct mc_group *g, struct mc_queued *mq)
{
	TAILQ_REMOVE(&g->mg_queue, mq, mq_entry);
	if (--g->mg_nqueue == 0)
		TAILQ_REMOVE(&n->n_multicast->mc_queues, g, mg_queues);
	n->n_multicast->mc_nqueued--;
	queued_free(mq);
}

/* Whom nobody knows is no member for now, whoever said so. */
static void
forget_unknown(struct node *n, const struct mc_group *g,
    const struct mc_queued *mq)
{
	uint32_t	i;

	for (i = 0; i < mq->mq_asked; i++)
		if (mq->mq_copies[i].my_waits)
			multicast_remove(n, g->mg_nwid, &g->mg_group,
			    mq->mq_copies[i].my_addr);
}

void
multicast_expire(struct node *n, struct mc_group *g, int64_t now, bool all)
{
	struct mc_queued	*mq;

	while ((mq = TAILQ_FIRST(&g->mg_queue)) != NULL &&
	    (all || now - mq->mq_at >= QUEUE_MS)) {
		if (!all && mq->mq_nwaiting > 0)
			forget_unknown(n, g, mq);
		queue_remove(n, g, mq);
	}
}

/* Keep a frame, if there is room. */
static void
enqueue(struct node *n, int64_t now, struct mc_group *g,
    struct mc_queued *mq)
{
	multicast_expire(n, g, now, false);
	if (g->mg_nqueue >= QUEUE_GROUP || (g->mg_nqueue > 0 &&
	    n->n_multicast->mc_nqueued >= QUEUE_ALL))
		queue_remove(n, g, TAILQ_FIRST(&g->mg_queue));
	if (n->n_multicast->mc_nqueued >= QUEUE_ALL) {
		queued_free(mq);
		return;
	}
	TAILQ_INSERT_TAIL(&g->mg_queue, mq, mq_entry);
	if (g->mg_nqueue++ == 0)
		TAILQ_INSERT_TAIL(&n->n_multicast->mc_queues, g, mg_queues);
	n->n_multicast->mc_nqueued++;
}

void
multicast_serve(struct node *n, int64_t now, struct network *nw,
    struct mc_group *g, uint64_t addr)
{
	struct mc_queued	*mq, *next;

	multicast_expire(n, g, now, false);
	if (nw->nw_conf == NULL ||
	    network_has_role(nw, addr, SPECIALIST_BRIDGE))
		return;			/* bridges have had it at once */
	for (mq = TAILQ_FIRST(&g->mg_queue); mq != NULL; mq = next) {
		next = TAILQ_NEXT(mq, mq_entry);
		if (mq->mq_ncopies >= mq->mq_limit || served(mq, addr))
			continue;
		if (!serve(n, now, nw, g, mq, addr)) {
			queue_remove(n, g, mq);
			continue;
		}
		ask(n, now, nw, g, mq);
		if (complete(mq))
			queue_remove(n, g, mq);
	}
}

/* A frame of this group, and those who wait for it: has their identity come
 * (addr), or is it time to ask again (0)? */
static void
look_again(struct node *n, int64_t now, struct network *nw,
    struct mc_group *g, struct mc_queued *mq, uint64_t addr)
{
	struct mc_copy	*my;
	uint32_t	 i;

	for (i = 0; i < mq->mq_asked && mq->mq_nwaiting > 0; i++) {
		my = &mq->mq_copies[i];
		if (!my->my_waits || (addr != 0 && my->my_addr != addr))
			continue;
		if (addr == 0)
			whois_member(n, now, my->my_addr);
		if (peer_find(n, my->my_addr) != NULL)
			serve_late(n, now, nw, g, mq, my);
		if (addr != 0)
			break;
	}
	ask(n, now, nw, g, mq);
	if (complete(mq))
		queue_remove(n, g, mq);
}

static void
look_all(struct node *n, int64_t now, uint64_t addr)
{
	struct mc_group		*g, *gnext;
	struct mc_queued	*mq, *next;
	struct network		*nw;

	TAILQ_FOREACH_SAFE(g, &n->n_multicast->mc_queues, mg_queues, gnext) {
		if ((nw = network_find(n, g->mg_nwid)) == NULL ||
		    nw->nw_conf == NULL)
			continue;
		TAILQ_FOREACH_SAFE(mq, &g->mg_queue, mq_entry, next)
			if (mq->mq_nwaiting > 0)
				look_again(n, now, nw, g, mq, addr);
	}
}

void
multicast_known(struct node *n, int64_t now, uint64_t addr)
{
	look_all(n, now, addr);
}

void
multicast_retry(struct node *n, int64_t now)
{
	multicast_tick(n, now);
	look_all(n, now, 0);
}

bool
multicast_waiting(const struct node *n)
{
	const struct mc_group	*g;
	const struct mc_queued	*mq;

	TAILQ_FOREACH(g, &n->n_multicast->mc_queues, mg_queues)
		TAILQ_FOREACH(mq, &g->mg_queue, mq_entry)
			if (mq->mq_nwaiting > 0)
				return (true);
	return (false);
}

/* --- sending ---------------------------------------------------------- */

static void
send_bridges(struct node *n, int64_t now, struct network *nw,
    uint64_t origin, const struct mc_out *mo)
{
	const struct netconf	*nc = nw->nw_conf;
	uint64_t		 to;
	unsigned		 i;

	for (i = 0; i < nc->nc_nspecialists; i++) {
		to = nc->nc_specialists[i] & ADDR_MASK;
		if ((nc->nc_specialists[i] & SPECIALIST_BRIDGE) &&
		    to != n->n_id.id_addr && to != origin &&
		    !addr_reserved(to))
			send_copy(n, now, nw, to, mo);
	}
}

bool
multicast_send(struct node *n, int64_t now, struct network *nw,
    uint64_t origin, const struct mgroup *mg, uint64_t src, uint16_t type,
    const uint8_t *p, size_t len)
{
	struct mc_group		*g;
	struct mc_queued	*mq;
	struct mc_out		 mo = { mg, src, type, 1, p, len };
	struct mc_walk		 mw;
	uint64_t		 to;
	uint32_t		 limit = nw->nw_conf->nc_mclimit, sent = 0;
	bool			 all;

	if (send_replicator(n, now, nw, &mo))
		return (true);
	if ((g = multicast_get(n, nw->nw_id, mg, true)) == NULL)
		return (false);
	/* Whoever answers the copies may tell of more members. */
	g->mg_asked = true;
	g->mg_asked_at = now;
	all = g->mg_n >= limit;
	if (!all) {
		mo.mo_gather = limit - (uint32_t)g->mg_n + 1;
		gather_if_due(n, now, nw, g, mo.mo_gather);
	}
	send_bridges(n, now, nw, origin, &mo);
	if ((mq = queued_new(now, &mo, limit)) == NULL)
		return (false);
	if (!all && origin != 0)
		(void)mark_served(mq, origin);
	mc_walk_init(n, &mw, g);
	while (sent < limit && (to = mc_walk_next(&mw)) != 0) {
		if (to == origin ||
		    network_has_role(nw, to, SPECIALIST_BRIDGE))
			continue;
		if (!serve(n, now, nw, g, mq, to))
			break;
		sent++;
	}
	ask(n, now, nw, g, mq);
	/* Members that come to be known get it only while there are too few. */
	if (all)
		mq->mq_limit = mq->mq_ncopies;
	if (complete(mq))
		queued_free(mq);
	else
		enqueue(n, now, g, mq);
	return (true);
}
