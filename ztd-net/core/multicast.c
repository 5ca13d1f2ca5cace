/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The database of who is in which multicast group, and the messages that
 * fill and ask it.  Spec: 03 sections 11.3, 11.7, 11.8 and 13.4.
 *
 * As a root or controller we keep groups of networks that we have not
 * joined, so strangers fill this: everything is bounded, in total and for
 * each source.
 */

#include <stdlib.h>
#include <string.h>

#include "ztd-net/core/network.h"

#define MC_EXPIRY_MS	600000
#define MC_GRANT_MS	180000
#define MC_GROUPS	131072
#define MC_GROUPS_OURS	32768	/* of them only for frames of ours */
#define MC_EMPTY_MS	5000	/* until a group without members is forgotten */
#define MC_ANSWER_MS	15000	/* to a question for members */
#define MC_MEMBERS	(1 << 20)
#define MC_GROUP_MEMBERS 65536
#define MC_PER_SOURCE	4096	/* announcements of one node */
#define MC_GRANTS	65536

/* Flags of the messages. */
#define GATHER_COM	0x01
#define MCF_COM		0x01
#define MCF_LIMIT	0x02
#define MCF_SOURCE	0x04
#define MCF_REPLICATE	0x08
#define MCF_OK_COM	0x01
#define MCF_OK_RESULTS	0x02

int
mc_group_cmp(const struct mc_group *a, const struct mc_group *b)
{
	if (a->mg_nwid != b->mg_nwid)
		return (a->mg_nwid < b->mg_nwid ? -1 : 1);
	return (mgroup_cmp(&a->mg_group, &b->mg_group));
}

int
mc_source_cmp(const struct mc_source *a, const struct mc_source *b)
{
	return (a->ms_addr < b->ms_addr ? -1 : a->ms_addr > b->ms_addr);
}

int
mc_grant_cmp(const struct mc_grant *a, const struct mc_grant *b)
{
	if (a->mr_nwid != b->mr_nwid)
		return (a->mr_nwid < b->mr_nwid ? -1 : 1);
	return (a->mr_addr < b->mr_addr ? -1 : a->mr_addr > b->mr_addr);
}

RB_GENERATE(mc_group_tree, mc_group, mg_entry, mc_group_cmp)
RB_GENERATE(mc_source_tree, mc_source, ms_entry, mc_source_cmp)
RB_GENERATE(mc_grant_tree, mc_grant, mr_entry, mc_grant_cmp)

/* --- the database ----------------------------------------------------- */

int
multicast_new(struct node *n)
{
	if ((n->n_multicast = calloc(1, sizeof(*n->n_multicast))) == NULL)
		return (-1);
	RB_INIT(&n->n_multicast->mc_groups);
	RB_INIT(&n->n_multicast->mc_sources);
	RB_INIT(&n->n_multicast->mc_grants);
	TAILQ_INIT(&n->n_multicast->mc_queues);
	TAILQ_INIT(&n->n_multicast->mc_grant_ages);
	return (0);
}

struct mc_group *
multicast_find(const struct node *n, uint64_t nwid, const struct mgroup *mg)
{
	struct mc_group	key;

	key.mg_nwid = nwid;
	key.mg_group = *mg;
	return (RB_FIND(mc_group_tree, &n->n_multicast->mc_groups, &key));
}

struct mc_group *
multicast_get(struct node *n, uint64_t nwid, const struct mgroup *mg,
    bool ours)
{
	struct multicast	*mc = n->n_multicast;
	struct mc_group		*g;

	if ((g = multicast_find(n, nwid, mg)) != NULL)
		return (g);
	if (mc->mc_ngroups >= MC_GROUPS - (ours ? 0 : MC_GROUPS_OURS) ||
	    (g = calloc(1, sizeof(*g))) == NULL)
		return (NULL);
	g->mg_nwid = nwid;
	g->mg_group = *mg;
	TAILQ_INIT(&g->mg_queue);
	RB_INSERT(mc_group_tree, &mc->mc_groups, g);
	mc->mc_ngroups++;
	return (g);
}

/* One more (or less) announcement of a node; false: it has too many. */
static bool
source_count(struct multicast *mc, uint64_t addr, bool more)
{
	struct mc_source	*ms, key;

	key.ms_addr = addr;
	ms = RB_FIND(mc_source_tree, &mc->mc_sources, &key);
	if (more) {
		if (ms == NULL) {
			if ((ms = calloc(1, sizeof(*ms))) == NULL)
				return (false);
			ms->ms_addr = addr;
			RB_INSERT(mc_source_tree, &mc->mc_sources, ms);
		}
		if (ms->ms_n >= MC_PER_SOURCE)
			return (false);
		ms->ms_n++;
	} else if (ms != NULL && --ms->ms_n == 0) {
		RB_REMOVE(mc_source_tree, &mc->mc_sources, ms);
		free(ms);
	}
	return (true);
}

/* First index whose address is not below. */
static size_t
member_at(const struct mc_group *g, uint64_t addr)
{
	size_t	lo = 0, hi = g->mg_n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (g->mg_members[mid].mm_addr < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (lo);
}

/* Insert before index at; false when something is full. */
static bool
member_insert(struct multicast *mc, struct mc_group *g, size_t at,
    uint64_t addr, int64_t now)
{
	struct mc_member	*p;
	size_t			 size;

	if (mc->mc_nmembers >= MC_MEMBERS || g->mg_n >= MC_GROUP_MEMBERS)
		return (false);
	if (g->mg_n == g->mg_size) {
		size = g->mg_size == 0 ? 4 : g->mg_size * 2;
		if ((p = reallocarray(g->mg_members, size,
		    sizeof(*p))) == NULL)
			return (false);
		g->mg_members = p;
		g->mg_size = size;
	}
	if (!source_count(mc, addr, true))
		return (false);
	p = g->mg_members;
	memmove(&p[at + 1], &p[at], (g->mg_n - at) * sizeof(*p));
	p[at].mm_addr = addr;
	p[at].mm_seen = now;
	g->mg_n++;
	mc->mc_nmembers++;
	return (true);
}

static void
group_free(struct node *n, struct mc_group *g)
{
	struct multicast	*mc = n->n_multicast;
	size_t			 i;

	multicast_expire(n, g, 0, true);
	for (i = 0; i < g->mg_n; i++)
		(void)source_count(mc, g->mg_members[i].mm_addr, false);
	mc->mc_nmembers -= g->mg_n;
	RB_REMOVE(mc_group_tree, &mc->mc_groups, g);
	mc->mc_ngroups--;
	free(g->mg_members);
	free(g);
}

void
multicast_add(struct node *n, int64_t now, uint64_t nwid,
    const struct mgroup *mg, uint64_t addr)
{
	struct mc_group	*g;
	struct network	*nw;
	size_t		 at;

	if (addr == n->n_id.id_addr || addr_reserved(addr) ||
	    (g = multicast_get(n, nwid, mg, false)) == NULL)
		return;
	at = member_at(g, addr);
	if (at < g->mg_n && g->mg_members[at].mm_addr == addr) {
		g->mg_members[at].mm_seen = now;
		return;
	}
	if (!member_insert(n->n_multicast, g, at, addr, now)) {
		if (g->mg_n == 0 && g->mg_nqueue == 0 && !g->mg_gathered)
			group_free(n, g);
	} else if (g->mg_nqueue > 0 && (nw = network_find(n, nwid)) != NULL)
		multicast_serve(n, now, nw, g, addr);
}

static void
member_delete(struct multicast *mc, struct mc_group *g, size_t at)
{
	(void)source_count(mc, g->mg_members[at].mm_addr, false);
	memmove(&g->mg_members[at], &g->mg_members[at + 1],
	    (g->mg_n - at - 1) * sizeof(*g->mg_members));
	g->mg_n--;
	mc->mc_nmembers--;
}

void
multicast_remove(struct node *n, uint64_t nwid, const struct mgroup *mg,
    uint64_t addr)
{
	struct mc_group	*g;
	size_t		 at;

	if ((g = multicast_find(n, nwid, mg)) == NULL)
		return;
	at = member_at(g, addr);
	if (at < g->mg_n && g->mg_members[at].mm_addr == addr)
		member_delete(n->n_multicast, g, at);
}

/* The next group after the first that could be of this network. */
static struct mc_group *
first_of(const struct node *n, uint64_t nwid)
{
	struct mc_group	key;

	memset(&key, 0, sizeof(key));
	key.mg_nwid = nwid;
	return (RB_NFIND(mc_group_tree, &n->n_multicast->mc_groups, &key));
}

void
multicast_forget(struct node *n, uint64_t nwid)
{
	struct mc_group	*g, *next;

	for (g = first_of(n, nwid); g != NULL && g->mg_nwid == nwid;
	    g = next) {
		next = RB_NEXT(mc_group_tree, &n->n_multicast->mc_groups, g);
		group_free(n, g);
	}
}

static void
grant_remove(struct multicast *mc, struct mc_grant *mr)
{
	RB_REMOVE(mc_grant_tree, &mc->mc_grants, mr);
	TAILQ_REMOVE(&mc->mc_grant_ages, mr, mr_age);
	mc->mc_ngrants--;
	free(mr);
}

void
multicast_free(struct node *n)
{
	struct multicast	*mc = n->n_multicast;
	struct mc_group		*g;
	struct mc_grant		*mr;

	if (mc == NULL)
		return;
	while ((g = RB_ROOT(&mc->mc_groups)) != NULL)
		group_free(n, g);
	while ((mr = TAILQ_FIRST(&mc->mc_grant_ages)) != NULL)
		grant_remove(mc, mr);
	free(mc);
	n->n_multicast = NULL;
}

void
multicast_tick(struct node *n, int64_t now)
{
	struct mc_group	*g, *next;

	TAILQ_FOREACH_SAFE(g, &n->n_multicast->mc_queues, mg_queues, next)
		multicast_expire(n, g, now, false);
}

void
multicast_housekeeping(struct node *n, int64_t now)
{
	struct multicast	*mc = n->n_multicast;
	struct mc_group		*g, *next;
	struct mc_grant		*mr;
	size_t			 i, k;

	for (g = RB_MIN(mc_group_tree, &mc->mc_groups); g != NULL; g = next) {
		next = RB_NEXT(mc_group_tree, &mc->mc_groups, g);
		multicast_expire(n, g, now, false);
		for (i = k = 0; i < g->mg_n; i++) {
			if (now - g->mg_members[i].mm_seen < MC_EXPIRY_MS)
				g->mg_members[k++] = g->mg_members[i];
			else
				(void)source_count(mc,
				    g->mg_members[i].mm_addr, false);
		}
		mc->mc_nmembers -= g->mg_n - k;
		g->mg_n = k;
		if (k == 0 && g->mg_nqueue == 0 && (!g->mg_gathered ||
		    now - g->mg_gathered_at >= MC_EMPTY_MS))
			group_free(n, g);
	}
	while ((mr = TAILQ_FIRST(&mc->mc_grant_ages)) != NULL &&
	    now - mr->mr_at >= MC_GRANT_MS)
		grant_remove(mc, mr);
}

static size_t
gcd(size_t a, size_t b)
{
	size_t	c;

	while (b != 0) {
		c = a % b;
		a = b;
		b = c;
	}
	return (a);
}

void
mc_walk_init(struct node *n, struct mc_walk *mw, const struct mc_group *g)
{
	memset(mw, 0, sizeof(*mw));
	if (g == NULL || g->mg_n == 0)
		return;
	mw->mw_group = g;
	mw->mw_left = g->mg_n;
	mw->mw_at = node_random_u32(n) % g->mg_n;
	/* A step without common factor comes by every member. */
	mw->mw_step = 1 + node_random_u32(n) % g->mg_n;
	while (gcd(mw->mw_step, g->mg_n) != 1)
		mw->mw_step++;
}

uint64_t
mc_walk_next(struct mc_walk *mw)
{
	uint64_t	addr;

	if (mw->mw_left == 0)
		return (0);
	mw->mw_left--;
	addr = mw->mw_group->mg_members[mw->mw_at].mm_addr;
	mw->mw_at = (mw->mw_at + mw->mw_step) % mw->mw_group->mg_n;
	return (addr);
}

/* --- who may announce and ask ----------------------------------------- */

void
multicast_grant(struct node *n, int64_t now, uint64_t nwid, uint64_t addr)
{
	struct multicast	*mc = n->n_multicast;
	struct mc_grant		*mr, key;

	key.mr_nwid = nwid;
	key.mr_addr = addr;
	if ((mr = RB_FIND(mc_grant_tree, &mc->mc_grants, &key)) != NULL)
		TAILQ_REMOVE(&mc->mc_grant_ages, mr, mr_age);
	else {
		if (mc->mc_ngrants >= MC_GRANTS)
			grant_remove(mc, TAILQ_FIRST(&mc->mc_grant_ages));
		if ((mr = calloc(1, sizeof(*mr))) == NULL)
			return;
		mr->mr_nwid = nwid;
		mr->mr_addr = addr;
		RB_INSERT(mc_grant_tree, &mc->mc_grants, mr);
		mc->mc_ngrants++;
	}
	mr->mr_at = now;
	TAILQ_INSERT_TAIL(&mc->mc_grant_ages, mr, mr_age);
}

bool
multicast_granted(const struct node *n, int64_t now, uint64_t nwid, uint64_t addr)
{
	struct mc_grant	*mr, key;

	key.mr_nwid = nwid;
	key.mr_addr = addr;
	mr = RB_FIND(mc_grant_tree, &n->n_multicast->mc_grants, &key);
	return (mr != NULL && now - mr->mr_at < MC_GRANT_MS);
}

static bool
authorized(struct node *n, int64_t now, struct rx *rx, uint64_t nwid)
{
	struct network	*nw;

	if ((nw = network_find(n, nwid)) != NULL && gate(n, now, nw, rx))
		return (true);
	return (topology_is_root(n) ||
	    multicast_granted(n, now, nwid,
	    rx->rx_peer->pe_id.id_addr));
}

/* --- the messages ----------------------------------------------------- */

enum rx_result
verb_multicast_like(struct node *n, int64_t now, struct rx *rx,
    struct rbuf *rb)
{
	struct mgroup	mg;
	uint64_t	nwid, last = 0;
	bool		first = true, allowed = false, early = false;

	while (rb->rb_left > 0) {
		nwid = rbuf_u64(rb);
		mg.mg_mac = rbuf_mac(rb);
		mg.mg_adi = rbuf_u32(rb);
		if (!rbuf_ok(rb))
			return (RX_DROP);
		if (first || nwid != last)
			allowed = authorized(n, now, rx, nwid);
		first = false;
		last = nwid;
		if (allowed)
			multicast_add(n, now, nwid, &mg,
			    rx->rx_peer->pe_id.id_addr);
		else if (network_find(n, nwid) != NULL)
			early = true;
	}
	rx->rx_trust = false;		/* an announcement builds none */
	/* Some announce before they show who they are, then not for a minute. */
	return (early ? RX_LATER : RX_DONE);
}

/*
 * Append gather results (11.7): total, count, addresses.  Returns the count.
 */
static unsigned
put_results(struct node *n, struct wbuf *wb, uint64_t nwid,
    const struct mgroup *mg, uint32_t limit, uint64_t asker)
{
	const struct mc_group	*g = multicast_find(n, nwid, mg);
	const struct network	*nw = network_find(n, nwid);
	struct mc_walk		 mw;
	uint8_t			*where;
	uint64_t		 addr;
	size_t			 total = g == NULL ? 0 : g->mg_n;
	unsigned		 count = 0;
	bool			 self = nw != NULL && groups_has(nw, mg);

	if (limit > 0xffff)
		limit = 0xffff;
	wbuf_u32(wb, (uint32_t)(total + (self ? 1 : 0)));
	if ((where = wbuf_room(wb, 2)) == NULL)
		return (0);
	if (self) {
		wbuf_addr(wb, n->n_id.id_addr);
		count++;
	}
	mc_walk_init(n, &mw, g);
	while (count < limit && wb->wb_size - wb->wb_len >= ADDR_LEN &&
	    (addr = mc_walk_next(&mw)) != 0) {
		if (addr == asker)
			continue;
		wbuf_addr(wb, addr);
		count++;
	}
	where[0] = (uint8_t)(count >> 8);
	where[1] = (uint8_t)count;
	return (count);
}

/* OK with gather results; flags -1: the form without them (GATHER). */
static void
reply_results(struct node *n, int64_t now, struct rx *rx, uint64_t nwid,
    const struct mgroup *mg, uint32_t limit, int flags)
{
	struct pkt	pkt;

	pkt_begin_ok(n, &pkt, rx);
	wbuf_u64(&pkt.pk, nwid);
	wbuf_mac(&pkt.pk, mg->mg_mac);
	wbuf_u32(&pkt.pk, mg->mg_adi);
	if (flags != -1)
		wbuf_u8(&pkt.pk, (uint8_t)flags);
	if (put_results(n, &pkt.pk, nwid, mg, limit,
	    rx->rx_peer->pe_id.id_addr) > 0)
		pkt_reply(n, now, &pkt, rx);
}

enum rx_result
verb_multicast_gather(struct node *n, int64_t now, struct rx *rx,
    struct rbuf *rb)
{
	struct network	*nw;
	struct mgroup	 mg;
	struct com	 com;
	uint64_t	 nwid;
	uint32_t	 limit;
	uint8_t		 flags;

	nwid = rbuf_u64(rb);
	flags = rbuf_u8(rb);
	mg.mg_mac = rbuf_mac(rb);
	mg.mg_adi = rbuf_u32(rb);
	limit = rbuf_u32(rb);
	if (!rbuf_ok(rb))
		return (RX_DROP);
	if ((flags & GATHER_COM) && (nw = network_find(n, nwid)) != NULL) {
		com_get(rb, &com);
		if (rbuf_ok(rb))
			credentials_inline_com(n, now, nw, rx, &com);
	}
	if (limit > 0 && authorized(n, now, rx, nwid))
		reply_results(n, now, rx, nwid, &mg, limit, -1);
	return (RX_DONE);
}

/* At most limit of them; all have to be there. */
static enum rx_result
get_results(struct node *n, int64_t now, uint64_t nwid,
    const struct mgroup *mg, struct rbuf *rb, uint32_t limit)
{
	uint64_t	addr;
	unsigned	count, i = 0;

	rbuf_skip(rb, 4);		/* total known: of no use to us */
	for (count = rbuf_u16(rb); count > 0; count--) {
		addr = rbuf_addr(rb);
		if (!rbuf_ok(rb))
			break;
		if (i++ < limit)
			multicast_add(n, now, nwid, mg, addr);
	}
	return (rbuf_ok(rb) ? RX_DONE : RX_DROP);
}

/* How many more members a member may tell us of: what we asked for. */
static uint32_t
wanted(const struct node *n, int64_t now, const struct network *nw,
    const struct mgroup *mg)
{
	const struct mc_group	*g = multicast_find(n, nw->nw_id, mg);
	uint32_t		 limit;

	if (g == NULL || nw->nw_conf == NULL || !g->mg_asked ||
	    now - g->mg_asked_at >= MC_ANSWER_MS)
		return (0);
	limit = nw->nw_conf->nc_mclimit;
	return (g->mg_n < limit ? limit - (uint32_t)g->mg_n : 0);
}

/*
 * Did we ask this node who is in the groups of a network?  Anybody to whom
 * we ever sent anything can quote the id of a packet of ours.
 */
static bool
gather_source(struct node *n, const struct network *nw, uint64_t addr)
{
	return (addr == nwid_controller(nw->nw_id) ||
	    topology_is_upstream(n, addr) || network_has_role(nw, addr,
	    SPECIALIST_ANCHOR | SPECIALIST_REPLICATOR));
}

enum rx_result
multicast_gather_ok(struct node *n, int64_t now, struct rx *rx,
    struct rbuf *rb)
{
	struct network	*nw;
	struct mgroup	 mg;

	nw = network_find(n, rbuf_u64(rb));
	mg.mg_mac = rbuf_mac(rb);
	mg.mg_adi = rbuf_u32(rb);
	if (!rbuf_ok(rb))
		return (RX_DROP);
	if (nw == NULL || !gather_source(n, nw, rx->rx_peer->pe_id.id_addr))
		return (RX_DONE);
	return (get_results(n, now, nw->nw_id, &mg, rb, UINT32_MAX));
}

enum rx_result
multicast_frame_ok(struct node *n, int64_t now, struct rx *rx,
    struct rbuf *rb)
{
	const struct identity	*id;
	struct network		*nw;
	struct mgroup		 mg;
	struct com		 com;
	uint8_t			 flags;

	nw = network_find(n, rbuf_u64(rb));
	mg.mg_mac = rbuf_mac(rb);
	mg.mg_adi = rbuf_u32(rb);
	flags = rbuf_u8(rb);
	if (!rbuf_ok(rb))
		return (RX_DROP);
	if (nw == NULL)
		return (RX_DONE);
	if (flags & MCF_OK_COM) {
		com_get(rb, &com);
		if (!rbuf_ok(rb))
			return (RX_DROP);
		credentials_inline_com(n, now, nw, rx, &com);
	}
	id = &rx->rx_peer->pe_id;
	if ((flags & MCF_OK_RESULTS) == 0 ||
	    (!gather_source(n, nw, id->id_addr) && !membership_allowed(nw,
	    membership_find(nw, id->id_addr), id)))
		return (RX_DONE);
	return (get_results(n, now, nw->nw_id, &mg, rb,
	    wanted(n, now, nw, &mg)));
}

/* MULTICAST_FRAME, decoded. */
struct mframe {
	uint8_t		 mf_flags;
	uint32_t	 mf_limit;
	uint64_t	 mf_src;
	struct mgroup	 mf_group;
	uint16_t	 mf_type;
	const uint8_t	*mf_p;
	size_t		 mf_len;
};

/* The frame itself (11.8 steps 5 to 7); false: stop, answer nothing. */
static bool
mframe_receive(struct node *n, int64_t now, struct network *nw,
    const struct mframe *mf, const struct filter_frame *ff,
    const struct rx *rx)
{
	uint64_t	from = ff->source;

	if (!mac_multicast(ff->mac_dst) || mf->mf_src == 0 ||
	    mac_multicast(mf->mf_src) || mf->mf_src == nw->nw_mac) {
		trace_frame(n, now, nw, ff, WHY_BAD_ADDRESS, NULL, rx);
		return (false);
	}
	if ((mf->mf_flags & MCF_REPLICATE) && network_has_role(nw,
	    n->n_id.id_addr, SPECIALIST_REPLICATOR))
		(void)multicast_send(n, now, nw, from, &mf->mf_group,
		    mf->mf_src,
		    mf->mf_type, mf->mf_p, mf->mf_len);
	if (mf->mf_src != mac_from_addr(from, nw->nw_id)) {
		if (!network_has_role(nw, from, SPECIALIST_BRIDGE)) {
			trace_frame(n, now, nw, ff, WHY_BRIDGED_BY_OTHER,
			    NULL, rx);
			return (false);
		}
		bridge_learn(nw, now, mf->mf_src, from);
	}
	if (ether_filter_in(n, now, nw, ff, rx) > 0)
		ether_deliver_in(n, now, nw, ff);
	return (true);
}

enum rx_result
verb_multicast_frame(struct node *n, int64_t now, struct rx *rx,
    struct rbuf *rb)
{
	struct network	*nw;
	struct filter_frame ff = {
		.inbound = true, .source = rx->rx_peer->pe_id.id_addr,
		.dest = n->n_id.id_addr
	};
	struct mframe	 mf;
	struct com	 com;
	uint64_t	 from = ff.source;

	nw = network_find(n, rbuf_u64(rb));
	mf.mf_flags = rbuf_u8(rb);
	if (!rbuf_ok(rb))
		return (RX_DROP);
	if (nw == NULL)
		return (RX_DONE);
	if (mf.mf_flags & MCF_COM) {
		com_get(rb, &com);
		if (!rbuf_ok(rb))
			return (RX_DROP);
		credentials_inline_com(n, now, nw, rx, &com);
	}
	mf.mf_limit = mf.mf_flags & MCF_LIMIT ? rbuf_u32(rb) : 0;
	mf.mf_src = mf.mf_flags & MCF_SOURCE ? rbuf_mac(rb) :
	    mac_from_addr(from, nw->nw_id);
	mf.mf_group.mg_mac = rbuf_mac(rb);
	mf.mf_group.mg_adi = rbuf_u32(rb);
	mf.mf_type = rbuf_u16(rb);
	if (!rbuf_ok(rb))
		return (RX_DROP);
	mf.mf_len = rb->rb_left;
	mf.mf_p = rbuf_take(rb, mf.mf_len);
	ff.mac_src = mf.mf_src;
	ff.mac_dst = mf.mf_group.mg_mac;
	ff.ethertype = mf.mf_type;
	ff.data = mf.mf_p;
	ff.len = mf.mf_len;
	if (!gate_or_complain(n, now, nw, rx, &ff))
		return (RX_LATER);
	if (nw->nw_conf->nc_mclimit == 0) {
		trace_frame(n, now, nw, &ff, WHY_MULTICAST_OFF, NULL, rx);
		return (RX_DONE);
	}
	if (mf.mf_len > 0 && !mframe_receive(n, now, nw, &mf, &ff, rx))
		return (RX_DONE);
	if (mf.mf_limit > 0)
		reply_results(n, now, rx, nw->nw_id, &mf.mf_group,
		    mf.mf_limit, MCF_OK_RESULTS);
	return (RX_DONE);
}
