/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The planet, the moons, and who is upstream.  Spec: 02 section 11, 01
 * section 16.
 */

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "ztd-net/core/core.h"

#define UPSTREAMS_MAX	(WORLD_ROOTS * (MOONS_MAX + 1))

struct seed {
	uint64_t	 se_moon;
	uint64_t	 se_addr;
};

struct topology {
	struct world	 to_planet;
	unsigned	 to_nmoons;
	struct world	*to_moons[MOONS_MAX];
	unsigned	 to_nseeds;
	struct seed	 to_seeds[MOONS_MAX];	/* moons waited for */
	bool		 to_root;		/* we are in one of them */
	size_t		 to_nupstreams;
	uint64_t	 to_upstreams[UPSTREAMS_MAX];
};

static void
world_keep(struct node *n, const struct world *w)
{
	struct wbuf	 wb;
	uint8_t		*buf;

	if ((buf = malloc(WORLD_MAX)) == NULL)
		return;
	wbuf_init(&wb, buf, WORLD_MAX);
	world_put(&wb, w);
	if (wbuf_ok(&wb)) {
		if (w->w_type == WORLD_PLANET)
			node_store(n, STATE_PLANET, 0, buf, wb.wb_len);
		else
			node_store(n, STATE_MOON, w->w_id, buf, wb.wb_len);
	}
	free(buf);
}

/* Read a stored world; false when there is none that parses. */
static bool
world_load(struct node *n, enum node_state what, uint64_t id,
    struct world *w)
{
	struct rbuf	 rb;
	uint8_t		*buf;
	size_t		 len;
	bool		 ok;

	if ((buf = malloc(WORLD_MAX)) == NULL)
		return (false);
	len = node_load(n, what, id, buf, WORLD_MAX);
	rbuf_init(&rb, buf, len);
	world_get(&rb, w);
	ok = len > 0 && rbuf_ok(&rb);
	if (len > 0 && !ok)
		node_log(n, LOG_WARNING, "%s of the home folder is damaged: "
		    "not used", what == STATE_PLANET ? "planet" : "moon");
	free(buf);
	return (ok);
}

static bool
upstream_known(const struct topology *t, uint64_t addr)
{
	size_t	 i;

	for (i = 0; i < t->to_nupstreams; i++) {
		if (t->to_upstreams[i] == addr)
			return (true);
	}
	return (false);
}

static void
add_roots(struct node *n, int64_t now, const struct world *w)
{
	struct topology		*t = n->n_topology;
	const struct identity	*id;
	struct peer		*p;
	unsigned		 i;

	for (i = 0; i < w->w_nroots; i++) {
		id = &w->w_roots[i].wr_identity;
		if (identity_equal(id, &n->n_id)) {
			t->to_root = true;
			continue;
		}
		if (upstream_known(t, id->id_addr) ||
		    t->to_nupstreams == UPSTREAMS_MAX)
			continue;
		if (peer_find(n, id->id_addr) == NULL && !identity_valid(id)) {
			node_log(n, LOG_WARNING, "root %010llx of world "
			    "%010llx: its address does not follow from its "
			    "key: not used", (unsigned long long)id->id_addr,
			    (unsigned long long)w->w_id);
			continue;
		}
		if ((p = peer_add(n, now, id)) == NULL)
			continue;
		p->pe_upstream = true;
		t->to_upstreams[t->to_nupstreams++] = id->id_addr;
	}
}

/* A world changed: who is upstream now? */
static void
rebuild(struct node *n, int64_t now)
{
	struct topology	*t = n->n_topology;
	struct peer	*p;
	uint64_t	 old[UPSTREAMS_MAX];
	unsigned	 i, nold = t->to_nupstreams;

	memcpy(old, t->to_upstreams, nold * sizeof(old[0]));
	t->to_root = false;
	t->to_nupstreams = 0;
	add_roots(n, now, &t->to_planet);
	for (i = 0; i < t->to_nmoons; i++)
		add_roots(n, now, t->to_moons[i]);
	/* Last, so that none gave way to another meanwhile. */
	for (i = 0; i < nold; i++) {
		if (!upstream_known(t, old[i]) &&
		    (p = peer_find(n, old[i])) != NULL)
			p->pe_upstream = false;
	}
	/* New ones are greeted at once, others may be gone. */
	n->n_next_ping = now;
	n->n_next_contact = now;
}

/*
 * The stored planet first, then the built-in one, which takes its place
 * only as its signed successor (01 section 16.4).
 */
int
topology_new(struct node *n, int64_t now)
{
	struct world	*w;
	struct rbuf	 rb;
	bool		 stored;

	if ((n->n_topology = calloc(1, sizeof(*n->n_topology))) == NULL ||
	    (w = malloc(sizeof(*w))) == NULL)
		return (-1);
	stored = world_load(n, STATE_PLANET, 0, w) &&
	    w->w_type == WORLD_PLANET && w->w_id != 0;
	if (stored)
		n->n_topology->to_planet = *w;
	rbuf_init(&rb, world_default, WORLD_DEFAULT_LEN);
	world_get(&rb, w);
	if (world_replaces(&n->n_topology->to_planet, w)) {
		n->n_topology->to_planet = *w;
		world_keep(n, w);
	}
	free(w);
	rebuild(n, now);
	return (0);
}

void
topology_free(struct node *n)
{
	unsigned	 i;

	if (n->n_topology == NULL)
		return;
	for (i = 0; i < n->n_topology->to_nmoons; i++)
		free(n->n_topology->to_moons[i]);
	free(n->n_topology);
}

bool
topology_is_root(const struct node *n)
{
	return (n->n_topology->to_root);
}

bool
topology_is_upstream(const struct node *n, uint64_t addr)
{
	return (upstream_known(n->n_topology, addr));
}

size_t
topology_upstreams(const struct node *n, const uint64_t **addrs)
{
	*addrs = n->n_topology->to_upstreams;
	return (n->n_topology->to_nupstreams);
}

static const struct world_root *
root_at(const struct world *w, uint64_t addr)
{
	unsigned	 i;

	for (i = 0; i < w->w_nroots; i++) {
		if (w->w_roots[i].wr_identity.id_addr == addr)
			return (&w->w_roots[i]);
	}
	return (NULL);
}

int
topology_role(const struct node *n, uint64_t addr)
{
	const struct topology	*t = n->n_topology;

	if (!upstream_known(t, addr))
		return (0);
	return (root_at(&t->to_planet, addr) != NULL ? 2 : 1);
}

/* The i-th world, planet first; NULL behind the last. */
static const struct world *
world_at(const struct topology *t, unsigned i)
{
	if (i == 0)
		return (&t->to_planet);
	return (i <= t->to_nmoons ? t->to_moons[i - 1] : NULL);
}

bool
topology_restricts(const struct node *n, uint64_t addr)
{
	const struct topology	*t = n->n_topology;
	const struct world	*w;
	const struct world_root	*r;
	unsigned		 i;
	bool			 listed = false;

	if (!upstream_known(t, addr))
		return (false);
	for (i = 0; (w = world_at(t, i)) != NULL; i++) {
		if ((r = root_at(w, addr)) == NULL)
			continue;
		if (r->wr_nendpoints == 0)
			return (false);
		listed = true;
	}
	return (listed);
}

bool
topology_endpoint_ok(const struct node *n, uint64_t addr,
    const struct inet_addr *ia)
{
	const struct world	*w;
	const struct world_root	*r;
	unsigned		 i, k;

	for (i = 0; (w = world_at(n->n_topology, i)) != NULL; i++) {
		if ((r = root_at(w, addr)) == NULL)
			continue;
		for (k = 0; k < r->wr_nendpoints; k++) {
			if (inet_same_ip(&r->wr_endpoints[k], ia))
				return (true);
		}
	}
	return (false);
}

bool
topology_endpoint(struct node *n, uint64_t addr, unsigned family,
    struct inet_addr *dst)
{
	const struct world	*w;
	const struct world_root	*r;
	unsigned		 i, k, seen = 0;

	for (i = 0; (w = world_at(n->n_topology, i)) != NULL; i++) {
		if ((r = root_at(w, addr)) == NULL)
			continue;
		for (k = 0; k < r->wr_nendpoints; k++) {
			if (r->wr_endpoints[k].ia_family != family)
				continue;
			/* Each of those seen is equally likely to stay. */
			if (node_random_u32(n) % ++seen == 0)
				*dst = r->wr_endpoints[k];
		}
	}
	return (seen > 0);
}

/* 10.4: lower is better. */
static uint64_t
upstream_cost(const struct peer *p, int64_t now)
{
	const struct path	*pa = peer_best_path(p, now, false);
	int			 latency = peer_latency(p, now);
	int64_t			 age;

	if (p->pe_last_receive == 0 ||
	    (age = now - p->pe_last_receive) >= PEER_EXPIRY_MS)
		return (0xffffffff);
	/* Better: one that does not answer is no use at once. */
	if (pa == NULL || pa->pa_suspect)
		return (0xfffffffe);
	return ((uint64_t)(latency <= 0 ? LATENCY_UNKNOWN : latency) *
	    (uint64_t)(age / 61000 + 1));
}

struct peer *
topology_best(struct node *n, int64_t now)
{
	const struct topology	*t = n->n_topology;
	struct peer		*p, *best = NULL;
	uint64_t		 cost, least = UINT64_MAX;
	size_t			 i;

	for (i = 0; i < t->to_nupstreams; i++) {
		if ((p = peer_find(n, t->to_upstreams[i])) == NULL)
			continue;
		cost = upstream_cost(p, now);
		if (cost < least || (cost == least && best != NULL &&
		    p->pe_id.id_addr > best->pe_id.id_addr)) {
			least = cost;
			best = p;
		}
	}
	return (best);
}

static struct world *
moon_find(const struct topology *t, uint64_t id)
{
	unsigned	 i;

	for (i = 0; i < t->to_nmoons; i++) {
		if (t->to_moons[i]->w_id == id)
			return (t->to_moons[i]);
	}
	return (NULL);
}

static bool
moon_add(struct node *n, int64_t now, const struct world *w)
{
	struct topology	*t = n->n_topology;
	struct world	*copy;

	if (t->to_nmoons == MOONS_MAX ||
	    (copy = malloc(sizeof(*copy))) == NULL)
		return (false);
	if (!world_verify(w, w->w_update_key))
		node_log(n, LOG_NOTICE, "moon %010llx is not signed with its "
		    "own update key: taken on its seed's word",
		    (unsigned long long)w->w_id);
	*copy = *w;
	t->to_moons[t->to_nmoons++] = copy;
	rebuild(n, now);
	return (true);
}

static void
seed_drop(struct topology *t, uint64_t moon)
{
	unsigned	 i;

	for (i = 0; i < t->to_nseeds; ) {
		if (t->to_seeds[i].se_moon == moon)
			t->to_seeds[i] = t->to_seeds[--t->to_nseeds];
		else
			i++;
	}
}

/* Is this the moon that we wait for from one of its own roots? */
static bool
seed_matches(const struct topology *t, const struct world *w)
{
	unsigned	 i;

	for (i = 0; i < t->to_nseeds; i++) {
		if (t->to_seeds[i].se_moon == w->w_id &&
		    root_at(w, t->to_seeds[i].se_addr) != NULL)
			return (true);
	}
	return (false);
}

void
topology_offer(struct node *n, int64_t now, const struct world *w,
    uint64_t from)
{
	struct topology	*t = n->n_topology;
	struct world	*held;

	held = w->w_type == WORLD_PLANET ? &t->to_planet :
	    w->w_type == WORLD_MOON ? moon_find(t, w->w_id) : NULL;
	if (held != NULL) {
		if (!world_replaces(held, w))
			return;
		*held = *w;
		rebuild(n, now);
	} else {
		if (w->w_type != WORLD_MOON || !seed_matches(t, w) ||
		    !moon_add(n, now, w))
			return;
		seed_drop(t, w->w_id);
	}
	if (w->w_type == WORLD_PLANET)
		node_log(n, LOG_INFO, "planet %010llx updated by %010llx",
		    (unsigned long long)w->w_id, (unsigned long long)from);
	else
		node_log(n, LOG_INFO, "moon %010llx updated by %010llx",
		    (unsigned long long)w->w_id, (unsigned long long)from);
	world_keep(n, w);
}

bool
topology_is_seed(const struct node *n, uint64_t addr)
{
	unsigned	 i;

	for (i = 0; i < n->n_topology->to_nseeds; i++) {
		if (n->n_topology->to_seeds[i].se_addr == addr)
			return (true);
	}
	return (false);
}

bool
topology_is_waiting(const struct node *n)
{
	return (n->n_topology->to_nseeds > 0);
}

void
topology_each_seed(struct node *n, void (*cb)(struct node *, int64_t,
    uint64_t), int64_t now)
{
	unsigned	 i;

	for (i = 0; i < n->n_topology->to_nseeds; i++)
		cb(n, now, n->n_topology->to_seeds[i].se_addr);
}

static void
moon_record(struct wbuf *wb, uint64_t id, uint64_t ts)
{
	wbuf_u8(wb, WORLD_MOON);
	wbuf_u64(wb, id);
	wbuf_u64(wb, ts);
}

/* The moons that are still to come; returns how many. */
static unsigned
moons_wanted(const struct topology *t, uint64_t wanted[MOONS_MAX])
{
	unsigned	 i, k, nwanted = 0;

	for (i = 0; i < t->to_nseeds; i++) {
		for (k = 0; k < nwanted &&
		    wanted[k] != t->to_seeds[i].se_moon; k++)
			continue;
		if (k == nwanted)
			wanted[nwanted++] = t->to_seeds[i].se_moon;
	}
	return (nwanted);
}

size_t
topology_hello_len(const struct node *n)
{
	uint64_t	 wanted[MOONS_MAX];

	return (18 + 17 * (n->n_topology->to_nmoons +
	    (size_t)moons_wanted(n->n_topology, wanted)));
}

void
topology_hello_put(const struct node *n, struct wbuf *wb)
{
	const struct topology	*t = n->n_topology;
	uint64_t		 wanted[MOONS_MAX];
	unsigned		 i, nwanted = moons_wanted(t, wanted);

	wbuf_u64(wb, t->to_planet.w_id);
	wbuf_u64(wb, t->to_planet.w_ts);
	wbuf_u16(wb, (uint16_t)(t->to_nmoons + nwanted));
	for (i = 0; i < t->to_nmoons; i++)
		moon_record(wb, t->to_moons[i]->w_id, t->to_moons[i]->w_ts);
	for (i = 0; i < nwanted; i++)
		moon_record(wb, wanted[i], 0);
}

/* Append a world, or nothing at all when it does not fit any more. */
static void
update_put(struct wbuf *wb, const struct world *w)
{
	struct wbuf	 save = *wb;

	world_put(wb, w);
	if (!wbuf_ok(wb))
		*wb = save;
}

void
topology_updates_put(const struct node *n, struct wbuf *wb, uint64_t planet,
    uint64_t planet_ts, const uint8_t *moons, size_t nmoons)
{
	const struct topology	*t = n->n_topology;
	struct rbuf		 rb;
	uint64_t		 id, ts;
	unsigned		 i;
	bool			 done[MOONS_MAX];

	if (planet != 0 && planet == t->to_planet.w_id &&
	    planet_ts < t->to_planet.w_ts)
		update_put(wb, &t->to_planet);
	/* Each moon once, however often it is named. */
	memset(done, 0, sizeof(done));
	rbuf_init(&rb, moons, nmoons * 17);
	while (rb.rb_left >= 17) {
		if (rbuf_u8(&rb) != WORLD_MOON) {
			rbuf_skip(&rb, 16);
			continue;
		}
		id = rbuf_u64(&rb);
		ts = rbuf_u64(&rb);
		for (i = 0; i < t->to_nmoons; i++) {
			if (t->to_moons[i]->w_id != id || done[i] ||
			    ts >= t->to_moons[i]->w_ts)
				continue;
			done[i] = true;
			update_put(wb, t->to_moons[i]);
		}
	}
}

int
node_orbit(struct node *n, int64_t now, uint64_t moon, uint64_t seed)
{
	struct topology	*t = n->n_topology;
	struct world	*w;
	bool		 ok;

	now = node_clock(n, now);
	if (moon_find(t, moon) != NULL)
		return (0);
	if ((w = malloc(sizeof(*w))) == NULL)
		return (-1);
	ok = world_load(n, STATE_MOON, moon, w) && w->w_type == WORLD_MOON &&
	    w->w_id == moon;
	if (ok)
		ok = moon_add(n, now, w);
	else if (seed != 0 && t->to_nseeds < MOONS_MAX) {
		seed_drop(t, moon);
		t->to_seeds[t->to_nseeds].se_moon = moon;
		t->to_seeds[t->to_nseeds++].se_addr = seed;
		n->n_next_ping = now;
		ok = true;
	}
	free(w);
	return (ok ? 0 : -1);
}

void
node_deorbit(struct node *n, uint64_t moon)
{
	struct topology	*t = n->n_topology;
	unsigned	 i;

	seed_drop(t, moon);
	for (i = 0; i < t->to_nmoons; i++) {
		if (t->to_moons[i]->w_id != moon)
			continue;
		free(t->to_moons[i]);
		t->to_moons[i] = t->to_moons[--t->to_nmoons];
		rebuild(n, n->n_last_now);
		break;
	}
	node_store(n, STATE_MOON, moon, NULL, 0);
}

void
node_each_moon(const struct node *n, void (*cb)(const struct node_moon *,
    void *), void *arg)
{
	const struct topology	*t = n->n_topology;
	struct node_moon	 no;
	unsigned		 i;

	for (i = 0; i < t->to_nmoons; i++) {
		no.no_world = t->to_moons[i];
		no.no_id = t->to_moons[i]->w_id;
		no.no_seed = 0;
		cb(&no, arg);
	}
	for (i = 0; i < t->to_nseeds; i++) {
		no.no_world = NULL;
		no.no_id = t->to_seeds[i].se_moon;
		no.no_seed = t->to_seeds[i].se_addr;
		cb(&no, arg);
	}
}

const struct world *
node_planet(const struct node *n)
{
	return (&n->n_topology->to_planet);
}
