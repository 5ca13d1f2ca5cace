/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Roots that die, and an internet that falls apart.
 */

#include <string.h>

#include "regress/sim/scenario.h"

#define FRAME_MS	100

/* --- root-failure ----------------------------------------------------- */

/* Both want this root; relayed frames go through it. */
static void
best_dies(struct run *r, struct table *t)
{
	struct pair	 p;
	int64_t		 gap;

	/* No direct path between these. */
	pair_new(&p, r->r_seed, SIDE_RANDOM, SIDE_PORT_RESTRICTED, FRAME_MS,
	    100);
	pair_start(&p);
	sim_run(p.p_sim, 20000);
	must(r, p.p_ab->fl_got > 150 && p.p_ba->fl_got > 150,
	    "frames are relayed");
	pair_mark(&p);
	host_stop(sim_root(p.p_sim, 0));
	sim_run(p.p_sim, 20000);
	gap = pair_gap(&p);
	table_row(t, "the best root dies\tframes again after\t%lld ms",
	    (long long)gap);
	must(r, gap < 5000, "frames flow by another root within 5 s");
	pair_end(&p);
}

/* Direct paths need no root. */
static void
all_die(struct run *r, struct table *t, int64_t away)
{
	struct pair	 p;
	int64_t		 back, gap;
	bool		 ok;
	unsigned	 i;

	pair_new(&p, r->r_seed, SIDE_PORT_RESTRICTED, SIDE_RESTRICTED,
	    FRAME_MS, 100);
	pair_start(&p);
	must(r, pair_direct(&p, 20000) >= 0, "a direct path");
	pair_mark(&p);
	for (i = 0; i < 3; i++)
		host_stop(sim_root(p.p_sim, i));
	sim_run(p.p_sim, away);
	gap = pair_gap(&p);
	must(r, !p.p_a->h_online && !p.p_b->h_online, "they notice");
	for (i = 0; i < 3; i++)
		host_start(sim_root(p.p_sim, i));
	back = sim_now(p.p_sim);
	ok = sim_until(p.p_sim, 60000, sim_all_online, p.p_sim);
	back = sim_now(p.p_sim) - back;
	table_row(t, "all roots away for %lld s\tonline again after\t"
	    "%lld ms", (long long)away / 1000, (long long)back);
	table_row(t, "\tlongest silence of the direct path\t%lld ms",
	    (long long)gap);
	table_row(t, "\tsockets opened anew\t%u times", p.p_a->h_rebinds);
	must(r, ok && back <= 10000, "online within 10 s");
	must(r, gap < 5000, "direct traffic goes on without roots");
	pair_end(&p);
}

void
scenario_root_failure(struct run *r)
{
	struct table	*t = table_new();

	table_row(t, "what\tseen\t");
	best_dies(r, t);
	all_die(r, t, 60000);
	if (!r->r_small)
		all_die(r, t, 600000);
	table_end(t);
}

/* --- partition -------------------------------------------------------- */

#define HALF		10
#define CUT_MS		60000

static const enum side	sides[] = {
	SIDE_OPEN, SIDE_FULL_CONE, SIDE_RESTRICTED, SIDE_PORT_RESTRICTED,
	SIDE_CARRIER
};
#define NSIDES		(sizeof(sides) / sizeof(sides[0]))

static void
put(struct host *h, unsigned side)
{
	net_side(net_outermost(h->h_ifaces[0].if_at), side);
}

/* Host i of each half talks with host i of the other. */
static void
halves(struct sim *s, struct pair *pairs)
{
	struct host	*a[HALF], *b[HALF];
	unsigned	 i;

	sim_roots(s, 3);
	put(sim_root(s, 2), 1);
	for (i = 0; i < HALF; i++) {
		a[i] = side_host(s, sides[i % NSIDES], 10);
		b[i] = side_host(s, sides[(i + 1) % NSIDES], 10);
		put(b[i], 1);
	}
	start_all(s);
	for (i = 0; i < HALF; i++) {
		pair_join(&pairs[i], s, a[i], b[i], FRAME_MS, 100);
		pair_start(&pairs[i]);
	}
}

static void
healed(struct run *r, struct pair *pairs, struct table *t)
{
	struct samples	 any = { 0, NULL }, direct = { 0, NULL };
	struct pair	*p;
	int64_t		 worst;
	unsigned	 i, missing = 0;

	for (i = 0; i < HALF; i++) {
		p = &pairs[i];
		if (p->p_ab->fl_first < 0 || p->p_ba->fl_first < 0 ||
		    p->p_ab->fl_first_direct < 0 ||
		    p->p_ba->fl_first_direct < 0) {
			missing++;
			continue;
		}
		samples_add(&any, p->p_ab->fl_first);
		samples_add(&any, p->p_ba->fl_first);
		samples_add(&direct, p->p_ab->fl_first_direct);
		samples_add(&direct, p->p_ba->fl_first_direct);
	}
	worst = samples_at(&direct, 1000);
	table_row(t, "\tmedian\tworst");
	table_row(t, "ms until frames flow\t%lld\t%lld",
	    (long long)samples_median(&any),
	    (long long)samples_at(&any, 1000));
	table_row(t, "ms until they flow directly\t%lld\t%lld",
	    (long long)samples_median(&direct), (long long)worst);
	must(r, missing == 0, "%u of %u pairs not direct again", missing,
	    HALF);
	must(r, worst <= 20000, "direct within 20 s of healing");
	samples_free(&any);
	samples_free(&direct);
}

void
scenario_partition(struct run *r)
{
	struct pair	 pairs[HALF];
	struct table	*t = table_new();
	struct sim	*s = sim_new(r->r_seed);
	unsigned	 i, leaks = 0;

	halves(s, pairs);
	sim_run(s, 20000);
	net_partition(sim_net(s), true);
	sim_run(s, 2000);
	for (i = 0; i < HALF; i++)
		pair_mark(&pairs[i]);
	sim_run(s, CUT_MS);
	for (i = 0; i < HALF; i++)
		leaks += pairs[i].p_ab->fl_got + pairs[i].p_ba->fl_got > 0;
	must(r, leaks == 0, "nothing passes the cut");
	for (i = 0; i < sim_nhosts(s); i++)
		must(r, sim_host(s, i)->h_online, "each half has its roots");
	net_partition(sim_net(s), false);
	for (i = 0; i < HALF; i++)
		pair_mark(&pairs[i]);
	sim_run(s, 60000);
	healed(r, pairs, t);
	table_end(t);
	sim_free(s);
}
