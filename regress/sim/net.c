/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The modelled network.
 */

#include <sys/queue.h>
#include <sys/tree.h>

#include <stdlib.h>
#include <string.h>

#include "regress/sim/net.h"

#define TTL_INTERNET	3	/* routers across it, at least */
#define REORDER_MS	15	/* how late one comes that is overtaken */
#define DUPLICATE_MS	3
#define BLOCKS		8
#define IP_UDP4		28
#define IP_UDP6		48

struct attach {
	SLIST_ENTRY(attach) at_next;	/* all of the net */
	struct zone	*at_zone;
	void		*at_host;	/* one of these two */
	struct zone	*at_inner;	/* zone behind the router */
	struct link	 at_link;
	int64_t		 at_out, at_in;	/* nothing arrives before that */
	unsigned	 at_side;
	bool		 at_up;
};

/* Whose address it is in a zone. */
struct route {
	RB_ENTRY(route)	 ro_entry;
	struct inet_addr ro_addr;	/* port 0 */
	struct attach	*ro_to;
};
RB_HEAD(zone_tree, route);

struct zone {
	SLIST_ENTRY(zone) zo_next;
	struct zone_tree zo_routes;
	struct nat	*zo_nat;	/* its router's; NULL: internet */
	struct attach	*zo_outside;	/* its router's outside */
	struct inet_addr zo_address;	/* of that; port 0 */
	uint32_t	 zo_free4;	/* the next address, host order */
	uint64_t	 zo_free6;	/* the same, interface id */
};

struct net {
	struct clock	*n_clock;
	net_deliver	 n_deliver;
	net_tap		 n_tap;
	void		*n_taparg;
	struct net_counters n_counters;
	SLIST_HEAD(, attach) n_attached;
	SLIST_HEAD(, zone) n_zones;
	struct zone	*n_internet;
	unsigned	 n_nrouters;
	bool		 n_cut;
	struct {
		struct attach	*from, *to;
	}		 n_blocks[BLOCKS];
};

/* A datagram between two stops: to an attachment, or to a router's inside. */
struct flight {
	struct net	*fl_net;
	struct attach	*fl_to;
	struct zone	*fl_router;
	struct dgram	 fl_dgram;	/* last: has its bytes behind it */
};

static int
route_cmp(const struct route *a, const struct route *b)
{
	return (inet_cmp(&a->ro_addr, &b->ro_addr));
}

RB_PROTOTYPE(zone_tree, route, ro_entry, route_cmp)
RB_GENERATE(zone_tree, route, ro_entry, route_cmp)

static void	 forward(struct net *, struct zone *, struct attach *,
		    struct dgram *);

/* --- building it ------------------------------------------------------ */

static struct zone *
zone_new(struct net *n, uint32_t first)
{
	struct zone	*zo;

	if ((zo = calloc(1, sizeof(*zo))) == NULL)
		return (NULL);
	RB_INIT(&zo->zo_routes);
	zo->zo_free4 = first;
	zo->zo_free6 = 1;
	SLIST_INSERT_HEAD(&n->n_zones, zo, zo_next);
	return (zo);
}

struct net *
net_new(struct clock *clock, net_deliver deliver)
{
	struct net	*n;

	if ((n = calloc(1, sizeof(*n))) == NULL)
		return (NULL);
	n->n_clock = clock;
	n->n_deliver = deliver;
	n->n_counters.nc_hash = 0xcbf29ce484222325ULL;
	SLIST_INIT(&n->n_attached);
	SLIST_INIT(&n->n_zones);
	if ((n->n_internet = zone_new(n, 0x14000001)) == NULL) {
		free(n);
		return (NULL);
	}
	return (n);
}

static void
zone_free(struct zone *zo)
{
	struct route	*ro;

	while ((ro = RB_ROOT(&zo->zo_routes)) != NULL) {
		RB_REMOVE(zone_tree, &zo->zo_routes, ro);
		free(ro);
	}
	if (zo->zo_nat != NULL)
		nat_free(zo->zo_nat);
	free(zo);
}

void
net_free(struct net *n)
{
	struct attach	*at;
	struct zone	*zo;

	while ((at = SLIST_FIRST(&n->n_attached)) != NULL) {
		SLIST_REMOVE_HEAD(&n->n_attached, at_next);
		free(at);
	}
	while ((zo = SLIST_FIRST(&n->n_zones)) != NULL) {
		SLIST_REMOVE_HEAD(&n->n_zones, zo_next);
		zone_free(zo);
	}
	free(n);
}

struct zone *
net_internet(struct net *n)
{
	return (n->n_internet);
}

const struct net_counters *
net_counters(const struct net *n)
{
	return (&n->n_counters);
}

void
net_watch(struct net *n, net_tap tap, void *arg)
{
	n->n_tap = tap;
	n->n_taparg = arg;
}

static struct attach *
attach_new(struct net *n, struct zone *zo, const struct link *link)
{
	struct attach	*at;

	if ((at = calloc(1, sizeof(*at))) == NULL)
		return (NULL);
	at->at_zone = zo;
	at->at_link = *link;
	at->at_up = true;
	SLIST_INSERT_HEAD(&n->n_attached, at, at_next);
	return (at);
}

struct attach *
net_attach(struct net *n, struct zone *zo, void *host,
    const struct link *link)
{
	struct attach	*at;

	if ((at = attach_new(n, zo, link)) != NULL)
		at->at_host = host;
	return (at);
}

static struct attach *
zone_find(struct zone *zo, const struct inet_addr *ia)
{
	struct route	 key, *ro;

	key.ro_addr = *ia;
	key.ro_addr.ia_port = 0;
	ro = RB_FIND(zone_tree, &zo->zo_routes, &key);
	return (ro == NULL ? NULL : ro->ro_to);
}

static int
route_add(struct zone *zo, const struct inet_addr *ia, struct attach *to)
{
	struct route	*ro;

	if ((ro = calloc(1, sizeof(*ro))) == NULL)
		return (-1);
	ro->ro_addr = *ia;
	ro->ro_addr.ia_port = 0;
	ro->ro_to = to;
	if (RB_INSERT(zone_tree, &zo->zo_routes, ro) != NULL) {
		free(ro);
		return (-1);
	}
	return (0);
}

/* Is it the same address on the other side of this zone's router? */
static bool
transparent(const struct zone *zo, const struct inet_addr *ia)
{
	return (zo->zo_nat != NULL &&
	    (ia->ia_family == 6 || !nat_model(zo->zo_nat)->na_translate));
}

int
net_address(struct net *n, struct attach *at, const struct inet_addr *ia)
{
	struct zone	*zo = at->at_zone;

	(void)n;
	if (route_add(zo, ia, at) == -1)
		return (-1);
	for (; transparent(zo, ia); zo = zo->zo_outside->at_zone) {
		if (route_add(zo->zo_outside->at_zone, ia,
		    zo->zo_outside) == -1)
			return (-1);
	}
	return (0);
}

static void
routes_remove(struct net *n, const struct attach *at)
{
	struct inet_addr ia;
	struct zone	*zo = at->at_zone;
	struct route	*ro, *next, key, *out;

	(void)n;
	RB_FOREACH_SAFE(ro, zone_tree, &zo->zo_routes, next) {
		if (ro->ro_to != at)
			continue;
		ia = ro->ro_addr;
		RB_REMOVE(zone_tree, &zo->zo_routes, ro);
		free(ro);
		key.ro_addr = ia;
		for (zo = at->at_zone; transparent(zo, &ia); ) {
			zo = zo->zo_outside->at_zone;
			out = RB_FIND(zone_tree, &zo->zo_routes, &key);
			if (out == NULL)
				break;
			RB_REMOVE(zone_tree, &zo->zo_routes, out);
			free(out);
		}
		zo = at->at_zone;
	}
}

void
net_detach(struct net *n, struct attach *at)
{
	at->at_up = false;
	routes_remove(n, at);
}

void
net_free_address(struct net *n, struct zone *zo, unsigned family,
    struct inet_addr *ia)
{
	uint64_t	 v;
	unsigned	 i;

	/* Behind what does not translate, addresses are the outer zone's. */
	while (zo->zo_nat != NULL && (family == 6 ||
	    !nat_model(zo->zo_nat)->na_translate))
		zo = zo->zo_outside->at_zone;
	(void)n;
	memset(ia, 0, sizeof(*ia));
	ia->ia_family = (uint8_t)family;
	if (family == 4) {
		v = zo->zo_free4;
		/* In the internet every neighbourhood is another one. */
		zo->zo_free4 += zo->zo_nat == NULL ? 0x101 : 1;
		for (i = 0; i < 4; i++)
			ia->ia_ip[i] = (uint8_t)(v >> (24 - 8 * i));
		return;
	}
	v = zo->zo_free6++;
	ia->ia_ip[0] = 0x26;
	ia->ia_ip[1] = 0x00;
	for (i = 0; i < 4; i++)		/* a network of its own for each */
		ia->ia_ip[2 + i] = (uint8_t)(v >> (24 - 8 * i));
	ia->ia_ip[15] = 1;
}

struct zone *
net_router(struct net *n, struct zone *outer, const struct nat_model *kind,
    const struct link *link, bool carrier)
{
	struct zone	*zo;
	struct attach	*at;

	/* Addresses of homes repeat: there are four kinds of them. */
	zo = zone_new(n, carrier ? 0x64400001 :
	    0xc0a8000a + (n->n_nrouters++ % 4 << 8));
	if (zo == NULL || (at = attach_new(n, outer, link)) == NULL)
		return (NULL);
	at->at_inner = zo;
	net_free_address(n, outer, 4, &zo->zo_address);
	if (route_add(outer, &zo->zo_address, at) == -1)
		return (NULL);
	zo->zo_outside = at;
	zo->zo_nat = nat_new(kind, &zo->zo_address, n->n_clock);
	return (zo->zo_nat == NULL ? NULL : zo);
}

void
net_renumber(struct net *n, struct zone *zo)
{
	struct attach	*at = zo->zo_outside;
	struct route	 key, *ro;

	key.ro_addr = zo->zo_address;
	ro = RB_FIND(zone_tree, &at->at_zone->zo_routes, &key);
	if (ro == NULL)
		return;
	RB_REMOVE(zone_tree, &at->at_zone->zo_routes, ro);
	net_free_address(n, at->at_zone, 4, &zo->zo_address);
	ro->ro_addr = zo->zo_address;
	(void)RB_INSERT(zone_tree, &at->at_zone->zo_routes, ro);
	nat_renumber(zo->zo_nat, &zo->zo_address);
}

struct nat *
net_nat(struct zone *zo)
{
	return (zo->zo_nat);
}

struct zone *
net_zone(struct attach *at)
{
	return (at->at_zone);
}

struct link *
net_link(struct attach *at)
{
	return (&at->at_link);
}

struct attach *
net_outermost(struct attach *at)
{
	while (at->at_zone->zo_outside != NULL)
		at = at->at_zone->zo_outside;
	return (at);
}

void
net_side(struct attach *at, unsigned side)
{
	at->at_side = side;
}

void
net_partition(struct net *n, bool cut)
{
	n->n_cut = cut;
}

void
net_block(struct net *n, struct attach *from, struct attach *to, bool on)
{
	unsigned	 i;

	for (i = 0; i < BLOCKS; i++) {
		if (on && n->n_blocks[i].from == NULL) {
			n->n_blocks[i].from = from;
			n->n_blocks[i].to = to;
			return;
		}
		if (!on && n->n_blocks[i].from == from &&
		    n->n_blocks[i].to == to)
			n->n_blocks[i].from = n->n_blocks[i].to = NULL;
	}
}

/* --- datagrams on their way ------------------------------------------- */

static bool
blocked(const struct net *n, const struct attach *from,
    const struct attach *to)
{
	unsigned	 i;

	if (n->n_cut && from->at_side != to->at_side)
		return (true);
	for (i = 0; i < BLOCKS; i++) {
		if (n->n_blocks[i].from == from && n->n_blocks[i].to == to)
			return (true);
	}
	return (false);
}

static bool
chance(struct net *n, unsigned permille)
{
	return (permille > 0 && clock_random(n->n_clock) % 1000 < permille);
}

static unsigned
ip_size(const struct dgram *dg)
{
	return ((unsigned)dg->dg_len +
	    (dg->dg_from.ia_family == 4 ? IP_UDP4 : IP_UDP6));
}

/* Does the link lose it?  Each piece that IP makes of it can be lost. */
static bool
lost(struct net *n, const struct link *lk, struct dgram *dg)
{
	unsigned	 mtu = lk->lk_mtu != 0 ? lk->lk_mtu : NET_MTU;
	unsigned	 pieces, size = ip_size(dg);

	pieces = (size + mtu - 1) / mtu;
	if (pieces > 1)
		dg->dg_cut = true;
	if (dg->dg_cut && lk->lk_no_fragments) {
		n->n_counters.nc_uncut++;
		return (true);
	}
	while (pieces-- > 0) {
		if (chance(n, lk->lk_loss)) {
			n->n_counters.nc_lost++;
			return (true);
		}
	}
	return (false);
}

/* When it is through the link, which keeps the order but for the few. */
static int64_t
through(struct net *n, const struct link *lk, int64_t *last, int64_t time)
{
	time += lk->lk_delay;
	if (chance(n, lk->lk_reorder))
		return (time + 1 + (int64_t)(clock_random(n->n_clock) %
		    REORDER_MS));
	if (lk->lk_jitter > 0)
		time += (int64_t)(clock_random(n->n_clock) %
		    ((uint64_t)lk->lk_jitter + 1));
	if (time < *last)
		time = *last;
	return (*last = time);
}

static void
hash(struct net *n, uint64_t v)
{
	n->n_counters.nc_hash = (n->n_counters.nc_hash ^ v) *
	    0x100000001b3ULL;
}

/* From outside to a router: in, if it lets it. */
static void
router_in(struct net *n, struct zone *zo, struct dgram *dg)
{
	if (dg->dg_ttl <= 1 || !nat_in(zo->zo_nat, &dg->dg_from,
	    &dg->dg_to)) {
		n->n_counters.nc_filtered++;
		return;
	}
	dg->dg_ttl--;
	forward(n, zo, NULL, dg);
}

/* From inside to a router: out, or back in. */
static void
router_out(struct net *n, struct zone *zo, struct dgram *dg)
{
	bool	 hairpin;

	hairpin = inet_same_ip(&dg->dg_to, &zo->zo_address);
	if (dg->dg_ttl <= 1 ||
	    (hairpin && !nat_model(zo->zo_nat)->na_hairpin) ||
	    !nat_out(zo->zo_nat, &dg->dg_from, &dg->dg_to)) {
		n->n_counters.nc_filtered++;
		return;
	}
	dg->dg_ttl--;
	if (hairpin)
		router_in(n, zo, dg);
	else
		forward(n, zo->zo_outside->at_zone, zo->zo_outside, dg);
}

static void
arrive(void *arg, void *bytes, size_t len)
{
	struct flight	*fl = bytes;
	struct net	*n = arg;
	struct dgram	*dg = &fl->fl_dgram;

	(void)len;
	if (fl->fl_router != NULL) {
		router_out(n, fl->fl_router, dg);
		return;
	}
	if (!fl->fl_to->at_up)
		return;
	if (fl->fl_to->at_inner != NULL) {
		router_in(n, fl->fl_to->at_inner, dg);
		return;
	}
	n->n_counters.nc_delivered++;
	hash(n, (uint64_t)clock_now(n->n_clock));
	hash(n, (uint64_t)dg->dg_origin << 32 | dg->dg_len);
	n->n_deliver(fl->fl_to->at_host, dg);
}

static void
fly(struct net *n, struct attach *to, struct zone *router,
    struct dgram *dg, int64_t time)
{
	struct flight	*fl;

	/* A link without delay is none: the router is right here. */
	if (router != NULL && time == clock_now(n->n_clock)) {
		router_out(n, router, dg);
		return;
	}
	fl = clock_at_room(n->n_clock, time, arrive, n, sizeof(*fl) +
	    dg->dg_len);
	if (fl == NULL)
		return;
	fl->fl_net = n;
	fl->fl_to = to;
	fl->fl_router = router;
	memcpy(&fl->fl_dgram, dg, sizeof(*dg) + dg->dg_len);
}

/* In a zone, from an attachment (NULL: the zone's router) to wherever. */
static void
forward(struct net *n, struct zone *zo, struct attach *from,
    struct dgram *dg)
{
	struct attach	*to = zone_find(zo, &dg->dg_to);
	int64_t		 time = clock_now(n->n_clock);

	if (from != NULL) {
		if (!from->at_up || lost(n, &from->at_link, dg))
			return;
		time = through(n, &from->at_link, &from->at_out, time);
	}
	if (to == NULL || to == from) {
		if (to == NULL && zo->zo_nat != NULL && from != NULL)
			fly(n, NULL, zo, dg, time);
		else
			n->n_counters.nc_nowhere++;
		return;
	}
	if (zo->zo_nat == NULL && from != NULL) {
		if (dg->dg_ttl <= TTL_INTERNET || blocked(n, from, to))
			return;
		dg->dg_ttl -= TTL_INTERNET;
	}
	if (lost(n, &to->at_link, dg))
		return;
	time = through(n, &to->at_link, &to->at_in, time);
	fly(n, to, NULL, dg, time);
	if (chance(n, to->at_link.lk_duplicate))
		fly(n, to, NULL, dg, time + 1 + (int64_t)
		    (clock_random(n->n_clock) % DUPLICATE_MS));
}

static struct dgram *
dgram_new(struct net *n, unsigned origin, const struct inet_addr *from,
    const struct inet_addr *to, const void *bytes, size_t len, unsigned ttl)
{
	struct dgram	*dg;

	if (len > UINT16_MAX - IP_UDP4 ||
	    (dg = calloc(1, sizeof(*dg) + len)) == NULL)
		return (NULL);
	dg->dg_from = *from;
	dg->dg_to = *to;
	dg->dg_origin = origin;
	dg->dg_ttl = ttl == 0 ? 64 : ttl;
	dg->dg_len = len;
	memcpy(dg->dg_bytes, bytes, len);
	n->n_counters.nc_sent++;
	n->n_counters.nc_bytes += len;
	return (dg);
}

void
net_send(struct net *n, struct attach *at, unsigned origin,
    const struct inet_addr *from, const struct inet_addr *to,
    const void *bytes, size_t len, unsigned ttl)
{
	struct dgram	*dg;

	if ((dg = dgram_new(n, origin, from, to, bytes, len, ttl)) == NULL)
		return;
	if (n->n_tap != NULL)
		n->n_tap(n->n_taparg, dg);
	forward(n, at->at_zone, at, dg);
	free(dg);
}

void
net_spoof(struct net *n, const struct inet_addr *from,
    const struct inet_addr *to, const void *bytes, size_t len)
{
	struct dgram	*dg;

	if ((dg = dgram_new(n, UINT32_MAX, from, to, bytes, len, 0)) == NULL)
		return;
	forward(n, n->n_internet, NULL, dg);
	free(dg);
}
