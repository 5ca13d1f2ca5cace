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
#define QUEUE_GROUP	32	/* frames */
#define QUEUE_ALL	1024
#define QUEUE_MS	5000

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

/* One that waits for members to become known. */
struct mc_queued {
	TAILQ_ENTRY(mc_queued) mq_entry;
	int64_t		 mq_at;
	uint64_t	 mq_src;
	uint16_t	 mq_type;
	uint32_t	 mq_gather;
	uint32_t	 mq_limit;	/* copies in all */
	uint64_t	*mq_served;
	uint32_t	 mq_nserved;
	uint32_t	 mq_size;
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

/* --- the queue -------------------------------------------------------- */

static void
queued_free(struct node *n, struct mc_group *g, struct mc_queued *mq)
{
	TAILQ_REMOVE(&g->mg_queue, mq, mq_entry);
	g->mg_nqueue--;
	n->n_multicast->mc_nqueued--;
	free(mq->mq_served);
	free(mq);
}

void
multicast_expire(struct node *n, struct mc_group *g, int64_t now, bool all)
{
	struct mc_queued	*mq;

	while ((mq = TAILQ_FIRST(&g->mg_queue)) != NULL &&
	    (all || now - mq->mq_at >= QUEUE_MS))
		queued_free(n, g, mq);
}

static bool
served(const struct mc_queued *mq, uint64_t addr)
{
	uint32_t	i;

	for (i = 0; i < mq->mq_nserved; i++)
		if (mq->mq_served[i] == addr)
			return (true);
	return (false);
}

/* false: no memory; the frame must not be sent to others then. */
static bool
mark_served(struct mc_queued *mq, uint64_t addr)
{
	uint64_t	*p;
	uint32_t	 size;

	if (mq->mq_nserved == mq->mq_size) {
		size = mq->mq_size == 0 ? 8 : mq->mq_size * 2;
		if ((p = reallocarray(mq->mq_served, size,
		    sizeof(*p))) == NULL)
			return (false);
		mq->mq_served = p;
		mq->mq_size = size;
	}
	mq->mq_served[mq->mq_nserved++] = addr;
	return (true);
}

/* Keep a frame for members to come; NULL when there is no room. */
static struct mc_queued *
enqueue(struct node *n, int64_t now, struct mc_group *g,
    const struct mc_out *mo, uint32_t limit)
{
	struct mc_queued	*mq;

	multicast_expire(n, g, now, false);
	if (g->mg_nqueue >= QUEUE_GROUP || (g->mg_nqueue > 0 &&
	    n->n_multicast->mc_nqueued >= QUEUE_ALL))
		queued_free(n, g, TAILQ_FIRST(&g->mg_queue));
	if (n->n_multicast->mc_nqueued >= QUEUE_ALL ||
	    (mq = calloc(1, sizeof(*mq) + mo->mo_len)) == NULL)
		return (NULL);
	mq->mq_at = now;
	mq->mq_src = mo->mo_src;
	mq->mq_type = mo->mo_type;
	mq->mq_gather = mo->mo_gather;
	mq->mq_limit = limit;
	mq->mq_len = mo->mo_len;
	memcpy(mq->mq_p, mo->mo_p, mo->mo_len);
	TAILQ_INSERT_TAIL(&g->mg_queue, mq, mq_entry);
	g->mg_nqueue++;
	n->n_multicast->mc_nqueued++;
	return (mq);
}

void
multicast_serve(struct node *n, int64_t now, struct network *nw,
    struct mc_group *g, uint64_t addr)
{
	struct mc_queued	*mq, *next;
	struct mc_out		 mo;

	multicast_expire(n, g, now, false);
	if (nw->nw_conf == NULL ||
	    network_has_role(nw, addr, SPECIALIST_BRIDGE))
		return;			/* bridges have had it at once */
	for (mq = TAILQ_FIRST(&g->mg_queue); mq != NULL; mq = next) {
		next = TAILQ_NEXT(mq, mq_entry);
		if (served(mq, addr))
			continue;
		if (mq->mq_nserved >= mq->mq_limit ||
		    !mark_served(mq, addr)) {
			queued_free(n, g, mq);
			continue;
		}
		mo.mo_group = &g->mg_group;
		mo.mo_src = mq->mq_src;
		mo.mo_type = mq->mq_type;
		mo.mo_gather = mq->mq_gather;
		mo.mo_p = mq->mq_p;
		mo.mo_len = mq->mq_len;
		send_copy(n, now, nw, addr, &mo);
		if (mq->mq_nserved >= mq->mq_limit)
			queued_free(n, g, mq);
	}
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

void
multicast_send(struct node *n, int64_t now, struct network *nw,
    uint64_t origin, const struct mgroup *mg, uint64_t src, uint16_t type,
    const uint8_t *p, size_t len)
{
	struct mc_group		*g;
	struct mc_queued	*mq = NULL;
	struct mc_out		 mo = { mg, src, type, 1, p, len };
	struct mc_walk		 mw;
	uint64_t		 to;
	uint32_t		 limit = nw->nw_conf->nc_mclimit, sent = 0;

	if (send_replicator(n, now, nw, &mo) ||
	    (g = multicast_get(n, nw->nw_id, mg)) == NULL)
		return;
	if (g->mg_n < limit) {
		mo.mo_gather = limit - (uint32_t)g->mg_n + 1;
		gather_if_due(n, now, nw, g, mo.mo_gather);
		mq = enqueue(n, now, g, &mo, limit);
		if (mq != NULL && origin != 0)
			(void)mark_served(mq, origin);
	}
	send_bridges(n, now, nw, origin, &mo);
	mc_walk_init(n, &mw, g);
	while (sent < limit && (to = mc_walk_next(&mw)) != 0) {
		if (to == origin ||
		    network_has_role(nw, to, SPECIALIST_BRIDGE))
			continue;
		if (mq != NULL && !mark_served(mq, to))
			break;
		send_copy(n, now, nw, to, &mo);
		sent++;
	}
}
