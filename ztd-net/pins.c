/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * While a default route leads through a network and our sockets are bound to
 * no device, the parent keeps what we send out of the tunnel by a route for
 * each address (06 section 8.5).  It is told all of them, roots first, and
 * what goes to a new one waits until it has answered.
 */

#include <sys/tree.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "ztd-net/engine.h"

#define HELD_MAX	128	/* datagrams that wait */
#define HELD_MS		50	/* and how long */
#define SOON_MS		2	/* for further addresses of the same burst */
#define SWEEP_MS	10000
#define IDLE_MS		60000	/* not sent to for so long: no longer in use */
#define AGAIN_MS	100	/* when the channel was full */

struct pinned {
	RB_ENTRY(pinned)	 pn_entry;
	struct inet_addr pn_ip;
	int64_t		 pn_used;	/* ms */
	uint32_t	 pn_id;		/* the first set that has it */
	bool		 pn_root;
};

struct held {
	int64_t		 hd_since;
	struct pinned	*hd_pin;
	uint32_t	 hd_sock;
	struct inet_addr hd_to;
	unsigned	 hd_ttl;
	size_t		 hd_len;
	uint8_t		*hd_data;
};

struct pins {
	struct engine	*ps_engine;
	RB_HEAD(pinned_tree, pinned) ps_tree;
	unsigned	 ps_count;
	uint32_t	 ps_id;		/* of the set told last */
	uint32_t	 ps_done;	/* of the one in force */
	bool		 ps_dirty;
	bool		 ps_passing;	/* what was held leaves */
	struct event	*ps_soon, *ps_sweep, *ps_late;
	struct held	 ps_held[HELD_MAX];
	unsigned	 ps_nheld;
};

static int	 pinned_cmp(const struct pinned *, const struct pinned *);

RB_PROTOTYPE(pinned_tree, pinned, pn_entry, pinned_cmp)
RB_GENERATE(pinned_tree, pinned, pn_entry, pinned_cmp)

static int
pinned_cmp(const struct pinned *a, const struct pinned *b)
{
	return (inet_cmp(&a->pn_ip, &b->pn_ip));
}

static void
timer_set(struct event *ev, unsigned ms)
{
	struct timeval	 tv;

	tv.tv_sec = ms / 1000;
	tv.tv_usec = (int)(ms % 1000) * 1000;
	(void)evtimer_add(ev, &tv);
}

/* In place of the one that was idle for longest, when there are too many. */
static bool
evict(struct pins *ps)
{
	struct pinned	*pn, *oldest = NULL;
	unsigned	 i;

	RB_FOREACH(pn, pinned_tree, &ps->ps_tree)
		if (!pn->pn_root && (oldest == NULL ||
		    pn->pn_used < oldest->pn_used))
			oldest = pn;
	if (oldest == NULL)
		return (false);
	for (i = 0; i < ps->ps_nheld; i++)
		if (ps->ps_held[i].hd_pin == oldest)
			return (false);
	RB_REMOVE(pinned_tree, &ps->ps_tree, oldest);
	ps->ps_count--;
	free(oldest);
	return (true);
}

static struct pinned *
pin_use(struct pins *ps, const struct inet_addr *to, int64_t now)
{
	struct pinned	*pn, key;

	key.pn_ip = *to;
	key.pn_ip.ia_port = 0;
	if ((pn = RB_FIND(pinned_tree, &ps->ps_tree, &key)) == NULL) {
		if ((ps->ps_count == PINS_MAX && !evict(ps)) ||
		    (pn = calloc(1, sizeof(*pn))) == NULL)
			return (NULL);
		pn->pn_ip = key.pn_ip;
		pn->pn_id = ps->ps_id + 1;
		RB_INSERT(pinned_tree, &ps->ps_tree, pn);
		ps->ps_count++;
		if (!ps->ps_dirty)
			timer_set(ps->ps_soon, SOON_MS);
		ps->ps_dirty = true;
	}
	pn->pn_used = now;
	return (pn);
}

static bool
in_force(const struct pins *ps, const struct pinned *pn)
{
	return ((int32_t)(ps->ps_done - pn->pn_id) >= 0);
}

bool
pins_hold(struct engine *e, uint32_t sock, const struct inet_addr *to,
    const void *p, size_t len, unsigned ttl)
{
	struct pins	*ps = e->e_pins;
	struct held	*hd;
	struct pinned	*pn;
	int64_t		 now;

	if (ps == NULL || ps->ps_passing)
		return (false);
	now = engine_now();
	/* Without a route of its own it would enter the tunnel. */
	if ((pn = pin_use(ps, to, now)) == NULL)
		return (true);
	if (in_force(ps, pn))
		return (false);
	if (ps->ps_nheld == HELD_MAX)
		return (true);
	hd = &ps->ps_held[ps->ps_nheld];
	if ((hd->hd_data = malloc(len + 1)) == NULL)
		return (true);
	memcpy(hd->hd_data, p, len);
	hd->hd_len = len;
	hd->hd_since = now;
	hd->hd_pin = pn;
	hd->hd_sock = sock;
	hd->hd_to = *to;
	hd->hd_ttl = ttl;
	if (ps->ps_nheld++ == 0)
		timer_set(ps->ps_late, HELD_MS);
	return (true);
}

/* What may leave now does, what waits for too long is dropped. */
static void
release(struct pins *ps)
{
	struct held	*hd;
	int64_t		 now = engine_now();
	unsigned	 i, kept = 0;

	ps->ps_passing = true;
	for (i = 0; i < ps->ps_nheld; i++) {
		hd = &ps->ps_held[i];
		if (in_force(ps, hd->hd_pin))
			udp_send(ps->ps_engine, hd->hd_sock, &hd->hd_to,
			    hd->hd_data, hd->hd_len, hd->hd_ttl);
		else if (now - hd->hd_since < HELD_MS) {
			ps->ps_held[kept++] = *hd;
			continue;
		}
		free(hd->hd_data);
	}
	ps->ps_passing = false;
	ps->ps_nheld = kept;
	if (kept > 0)
		timer_set(ps->ps_late, HELD_MS);
	else
		(void)evtimer_del(ps->ps_late);
}

static void
late(evutil_socket_t fd, short what, void *arg)
{
	struct pins	*ps = arg;

	(void)fd;
	(void)what;
	release(ps);
	engine_flush(ps->ps_engine);
}

/* ---- the set ---------------------------------------------------------- */

static void
use_world(struct pins *ps, const struct world *w, int64_t now)
{
	struct pinned	*pn;
	unsigned	 i, k;

	for (i = 0; w != NULL && i < w->w_nroots; i++) {
		for (k = 0; k < w->w_roots[i].wr_nendpoints; k++) {
			if (!inet_path_ok(&w->w_roots[i].wr_endpoints[k]))
				continue;
			pn = pin_use(ps, &w->w_roots[i].wr_endpoints[k], now);
			if (pn != NULL)
				pn->pn_root = true;
		}
	}
}

static void
use_moon(const struct node_moon *no, void *arg)
{
	struct pins	*ps = arg;

	use_world(ps, no->no_world, engine_now());
}

static void
use_peer(const struct node_peer *np, void *arg)
{
	struct pins	*ps = arg;
	unsigned	 i;

	for (i = 0; i < np->nr_npaths; i++)
		if (np->nr_paths[i].np_alive)
			(void)pin_use(ps, &np->nr_paths[i].np_addr,
			    engine_now());
}

/* The addresses of all roots belong to it, whether we talk to them or not. */
static void
use_roots(struct pins *ps)
{
	const struct node	*n = ps->ps_engine->e_node;
	struct pinned		*pn;

	RB_FOREACH(pn, pinned_tree, &ps->ps_tree)
		pn->pn_root = false;
	use_world(ps, node_planet(n), engine_now());
	node_each_moon(n, use_moon, ps);
}

static void
tell(struct pins *ps)
{
	static struct inet_addr	 list[PINS_MAX];
	struct pinned		*pn;
	unsigned		 round, n = 0;

	for (round = 0; round < 2; round++)
		RB_FOREACH(pn, pinned_tree, &ps->ps_tree)
			if (pn->pn_root == (round == 0) && n < PINS_MAX)
				list[n++] = pn->pn_ip;
	if (channel_send(ps->ps_engine->e_parent, MSG_PINS, ps->ps_id + 1, -1,
	    list, n * sizeof(*list)) == -1 && errno == ENOBUFS) {
		timer_set(ps->ps_soon, AGAIN_MS);
		return;
	}
	ps->ps_engine->e_pins_id = ++ps->ps_id;
	ps->ps_dirty = false;
	(void)evtimer_del(ps->ps_soon);
}

static void
soon(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	tell(arg);
}

static void
sweep(evutil_socket_t fd, short what, void *arg)
{
	struct pins	*ps = arg;
	struct pinned	*pn, *next;
	int64_t		 now = engine_now();
	unsigned	 gone = 0;

	(void)fd;
	(void)what;
	timer_set(ps->ps_sweep, SWEEP_MS);
	if (ps->ps_engine->e_node == NULL)
		return;
	use_roots(ps);
	if (ps->ps_nheld > 0)
		return;
	for (pn = RB_MIN(pinned_tree, &ps->ps_tree); pn != NULL; pn = next) {
		next = RB_NEXT(pinned_tree, &ps->ps_tree, pn);
		if (pn->pn_root || now - pn->pn_used < IDLE_MS)
			continue;
		RB_REMOVE(pinned_tree, &ps->ps_tree, pn);
		ps->ps_count--;
		free(pn);
		gone++;
	}
	if (gone > 0 && !ps->ps_dirty) {
		ps->ps_dirty = true;
		timer_set(ps->ps_soon, SOON_MS);
	}
}

/* ---- from the parent --------------------------------------------------- */

static void
pins_free(struct engine *e)
{
	struct pins	*ps = e->e_pins;
	struct pinned	*pn;
	unsigned	 i;

	/* They go as they would have gone without us. */
	for (i = 0; i < ps->ps_nheld; i++)
		ps->ps_held[i].hd_pin->pn_id = ps->ps_done;
	release(ps);
	while ((pn = RB_ROOT(&ps->ps_tree)) != NULL) {
		RB_REMOVE(pinned_tree, &ps->ps_tree, pn);
		free(pn);
	}
	event_free(ps->ps_soon);
	event_free(ps->ps_sweep);
	event_free(ps->ps_late);
	free(ps);
	e->e_pins = NULL;
}

void
pins_mode(struct engine *e, bool on)
{
	struct pins	*ps;

	if (!on) {
		if (e->e_pins != NULL)
			pins_free(e);
		return;
	}
	if (e->e_pins != NULL)
		return;
	ps = e->e_pins = xcalloc(1, sizeof(*ps));
	ps->ps_engine = e;
	ps->ps_id = ps->ps_done = e->e_pins_id;
	RB_INIT(&ps->ps_tree);
	if ((ps->ps_soon = evtimer_new(e->e_base, soon, ps)) == NULL ||
	    (ps->ps_sweep = evtimer_new(e->e_base, sweep, ps)) == NULL ||
	    (ps->ps_late = evtimer_new(e->e_base, late, ps)) == NULL)
		fatalx("out of memory");
	use_roots(ps);
	node_each_peer(e->e_node, engine_now(), 0, use_peer, ps);
	/* Also when there is none: the parent waits for the set. */
	tell(ps);
	timer_set(ps->ps_sweep, SWEEP_MS);
}

void
pins_done(struct engine *e, uint32_t id)
{
	struct pins	*ps = e->e_pins;

	/* Of an earlier life of ours, or one that we have not told. */
	if (ps == NULL || (int32_t)(ps->ps_id - id) < 0)
		return;
	ps->ps_done = id;
	release(ps);
}
