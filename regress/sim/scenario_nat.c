/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Direct paths through NATs: each kind with each, and many at once.
 */

#include <stdio.h>
#include <string.h>

#include "regress/sim/scenario.h"

#define FRAME_MS	50
#define PAIR_MS		20000	/* a direct path comes within, or never */
#define SOON_MS		5000	/* where it is promised: the median */
#define SEEDS		5
#define TRIES_MAX	16

/* One row of the table. */
struct row {
	const char	*ro_a, *ro_b;
	enum promise	 ro_promise;
	bool		 ro_foretold;	/* by guessing ports */
	unsigned	 ro_tries, ro_direct, ro_relay;
	struct samples	 ro_ab, ro_ba;
};

static void
row_try(struct row *ro, struct pair *p)
{
	int64_t	 ms;

	pair_start(p);
	ms = pair_direct(p, PAIR_MS);
	ro->ro_tries++;
	if (ms >= 0) {
		ro->ro_direct++;
		samples_add(&ro->ro_ab, p->p_ab->fl_first_direct);
		samples_add(&ro->ro_ba, p->p_ba->fl_first_direct);
	} else if (p->p_ab->fl_got > 0 && p->p_ba->fl_got > 0)
		ro->ro_relay++;
	pair_end(p);
}

static const char *
row_seen(const struct row *ro, char *dst)
{
	if (ro->ro_direct == ro->ro_tries)
		return ("direct");
	if (ro->ro_relay == ro->ro_tries)
		return ("relay");
	if (ro->ro_direct + ro->ro_relay == 0)
		return ("none");
	(void)snprintf(dst, TABLE_CELL, "direct %u of %u", ro->ro_direct,
	    ro->ro_tries);
	return (dst);
}

static void
row_must(struct run *r, struct row *ro)
{
	switch (ro->ro_promise) {
	case PROMISE_DIRECT:
		must(r, ro->ro_direct == ro->ro_tries &&
		    samples_median(&ro->ro_ab) <= SOON_MS &&
		    samples_median(&ro->ro_ba) <= SOON_MS,
		    "%s and %s: direct soon", ro->ro_a, ro->ro_b);
		break;
	case PROMISE_RELAY:
		must(r, ro->ro_direct + ro->ro_relay == ro->ro_tries,
		    "%s and %s: at least relayed", ro->ro_a, ro->ro_b);
		must(r, !ro->ro_foretold ||
		    ro->ro_direct * 2 >= ro->ro_tries,
		    "%s and %s: the next port can be guessed", ro->ro_a,
		    ro->ro_b);
		break;
	case PROMISE_NONE:
		must(r, ro->ro_direct + ro->ro_relay == 0,
		    "%s and %s: nothing can pass", ro->ro_a, ro->ro_b);
		break;
	}
}

static void
row_end(struct run *r, struct table *t, struct row *ro)
{
	char	 seen[TABLE_CELL], ab[TABLE_CELL], ba[TABLE_CELL];

	table_row(t, "%s\t%s\t%s\t%s\t%s\t%s", ro->ro_a, ro->ro_b,
	    promise_name(ro->ro_promise), row_seen(ro, seen),
	    cell_ms(ab, samples_median(&ro->ro_ab)),
	    cell_ms(ba, samples_median(&ro->ro_ba)));
	row_must(r, ro);
	samples_free(&ro->ro_ab);
	samples_free(&ro->ro_ba);
}

/* Guessing helps when one side counts and the other is not symmetric. */
static bool
foretold(enum side a, enum side b)
{
	if (a == SIDE_SEQUENTIAL)
		return (b != SIDE_SEQUENTIAL && b != SIDE_RANDOM);
	return (b == SIDE_SEQUENTIAL && a != SIDE_RANDOM);
}

static void
two_sides(struct run *r, struct table *t, enum side a, enum side b)
{
	struct pair	 p;
	struct row	 ro;
	unsigned	 i;

	memset(&ro, 0, sizeof(ro));
	ro.ro_a = side_name(a);
	ro.ro_b = side_name(b);
	ro.ro_promise = side_promise(a, b);
	ro.ro_foretold = foretold(a, b);
	for (i = 0; i < (r->r_small ? 1 : SEEDS); i++) {
		pair_new(&p, r->r_seed + i, a, b, FRAME_MS, 100);
		row_try(&ro, &p);
	}
	row_end(r, t, &ro);
}

/* Two hosts behind one and the same NAT. */
static void
one_side(struct run *r, struct table *t, bool hairpin)
{
	struct link	 lan;
	struct zone	*zo;
	struct host	*a, *b;
	struct pair	 p;
	struct sim	*s;
	struct row	 ro;
	unsigned	 i;

	memset(&lan, 0, sizeof(lan));
	memset(&ro, 0, sizeof(ro));
	ro.ro_a = "the same NAT";
	ro.ro_b = hairpin ? "hairpin" : "no hairpin";
	ro.ro_promise = PROMISE_DIRECT;
	for (i = 0; i < (r->r_small ? 1 : SEEDS); i++) {
		s = sim_new(r->r_seed + i);
		sim_roots(s, 3);
		zo = side_hairpin(s, 10, hairpin);
		a = host_new(s, zo, &lan);
		b = host_new(s, zo, &lan);
		start_all(s);
		pair_join(&p, s, a, b, FRAME_MS, 100);
		row_try(&ro, &p);
	}
	row_end(r, t, &ro);
}

/* Behind the worst NATs, but with IPv6 that is only filtered. */
static void
by_ipv6(struct run *r, struct table *t)
{
	struct host	*a, *b;
	struct pair	 p;
	struct sim	*s;
	struct row	 ro;
	unsigned	 i;

	memset(&ro, 0, sizeof(ro));
	ro.ro_a = "symmetric and IPv6";
	ro.ro_b = "symmetric and IPv6";
	ro.ro_promise = PROMISE_DIRECT;
	for (i = 0; i < (r->r_small ? 1 : SEEDS); i++) {
		s = sim_new(r->r_seed + i);
		sim_roots(s, 3);
		a = side_host(s, SIDE_RANDOM, 10);
		b = side_host(s, SIDE_RANDOM, 15);
		host_add6(a);
		host_add6(b);
		start_all(s);
		pair_join(&p, s, a, b, FRAME_MS, 100);
		row_try(&ro, &p);
	}
	row_end(r, t, &ro);
}

void
scenario_nat_pairs(struct run *r)
{
	struct table	*t = table_new();
	unsigned	 a, b;

	table_row(t, "a\tb\tpromised\tseen\tms a to b\tms b to a");
	for (a = 0; a < SIDES; a++) {
		for (b = a; b < SIDES; b++)
			two_sides(r, t, (enum side)a, (enum side)b);
	}
	one_side(r, t, false);
	one_side(r, t, true);
	by_ipv6(r, t);
	table_end(t);
}

/* --- many at once ----------------------------------------------------- */

#define FRIENDS		3
#define ARRIVAL_MS	60	/* between one node and the next */
#define TALK_MS		60000
#define QUIET_MS	600000	/* until all are idle, by 02 section 10.2 */
#define IDLE_MS		120000

struct crowd {
	struct sim	*c_sim;
	unsigned	 c_n;
	enum side	 c_sides[1000];
	struct host	*c_hosts[1000];
	/* at the beginning of a measurement */
	uint64_t	 c_bytes, c_ticks;
};

static void
crowd_arrive(struct crowd *c)
{
	unsigned	 i;

	for (i = 0; i < c->c_n; i++) {
		c->c_sides[i] = side_any(c->c_sim);
		c->c_hosts[i] = side_host(c->c_sim, c->c_sides[i],
		    2 + (int64_t)(sim_random(c->c_sim) % 40));
		host_start(c->c_hosts[i]);
		sim_run(c->c_sim, ARRIVAL_MS);
	}
	(void)sim_until(c->c_sim, 60000, sim_all_online, c->c_sim);
}

static void
crowd_online(struct run *r, struct crowd *c, struct table *t)
{
	struct samples	 sa = { 0, NULL };
	const struct host *h;
	unsigned	 i, missing = 0;

	for (i = 0; i < c->c_n; i++) {
		h = c->c_hosts[i];
		if (!h->h_online) {
			missing++;
			continue;
		}
		samples_add(&sa, h->h_online_at - h->h_started);
	}
	table_row(t, "ms until online, median\t%lld",
	    (long long)samples_median(&sa));
	table_row(t, "ms until online, 99 %%\t%lld",
	    (long long)samples_at(&sa, 990));
	must(r, missing == 0, "%u nodes are not online", missing);
	must(r, samples_at(&sa, 990) <= 10000, "99 %% online in 10 s");
	samples_free(&sa);
}

static void
crowd_talk(struct crowd *c)
{
	struct host	*h, *friend;
	unsigned	 i, k;

	for (i = 0; i < c->c_n; i++) {
		h = c->c_hosts[i];
		for (k = 0; k < FRIENDS; k++) {
			friend = c->c_hosts[(i + 1 + sim_random(c->c_sim) %
			    (c->c_n - 1)) % c->c_n];
			flow_start(flow_new(c->c_sim, h, friend, 500, 100));
			flow_start(flow_new(c->c_sim, friend, h, 500, 100));
		}
	}
	sim_run(c->c_sim, TALK_MS);
}

static enum side
side_of(const struct crowd *c, const struct host *h)
{
	unsigned	 i;

	for (i = 0; c->c_hosts[i] != h; i++)
		continue;
	return (c->c_sides[i]);
}

static void
crowd_paths(struct run *r, struct crowd *c, struct table *t)
{
	struct samples	 soon = { 0, NULL }, lucky = { 0, NULL };
	struct flow	*fl;
	unsigned	 i, n, direct = 0, promised = 0, kept = 0, dead = 0;
	bool		 is_promised;

	n = sim_nflows(c->c_sim);
	for (i = 0; i < n; i++) {
		fl = sim_flow(c->c_sim, i);
		flow_stop(fl);
		dead += fl->fl_got == 0;
		direct += fl->fl_last_direct;
		is_promised = side_promise(side_of(c, fl->fl_from),
		    side_of(c, fl->fl_to)) == PROMISE_DIRECT;
		promised += is_promised;
		kept += is_promised && fl->fl_last_direct;
		if (fl->fl_last_direct)
			samples_add(is_promised ? &soon : &lucky,
			    fl->fl_first_direct);
	}
	table_row(t, "flows\t%u", n);
	table_row(t, "direct, promised\t%u %%", 100 * promised / n);
	table_row(t, "direct, seen\t%u %%", 100 * direct / n);
	table_row(t, "of those promised\t%u of %u", kept, promised);
	table_row(t, "ms until these, median\t%lld",
	    (long long)samples_median(&soon));
	table_row(t, "ms until these, 99 %%\t%lld",
	    (long long)samples_at(&soon, 990));
	table_row(t, "direct though not promised\t%zu", lucky.sa_n);
	table_row(t, "ms until these, median\t%lld",
	    (long long)samples_median(&lucky));
	must(r, samples_at(&soon, 990) <= SOON_MS,
	    "promised paths come within 5 s");
	must(r, dead == 0, "%u flows without one frame", dead);
	must(r, kept * 100 >= promised * 99, "99 %% of promised paths");
	samples_free(&soon);
	samples_free(&lucky);
}

static void
crowd_count(struct crowd *c, uint64_t *bytes, uint64_t *ticks)
{
	unsigned	 i;

	*bytes = *ticks = 0;
	for (i = 0; i < c->c_n; i++) {
		*bytes += c->c_hosts[i]->h_sent_bytes +
		    c->c_hosts[i]->h_received_bytes;
		*ticks += c->c_hosts[i]->h_ticks;
	}
}

static void
crowd_idle(struct run *r, struct crowd *c, struct table *t)
{
	uint64_t	 bytes, ticks, bytes0, ticks0;

	sim_run(c->c_sim, QUIET_MS);
	crowd_count(c, &bytes0, &ticks0);
	sim_run(c->c_sim, IDLE_MS);
	crowd_count(c, &bytes, &ticks);
	bytes = (bytes - bytes0) * 60000 / IDLE_MS / c->c_n;
	ticks = (ticks - ticks0) * 1000 * 1000 / IDLE_MS / c->c_n;
	table_row(t, "idle: bytes a minute, each\t%llu",
	    (unsigned long long)bytes);
	table_row(t, "idle: wakeups a second, each\t%llu.%03llu",
	    (unsigned long long)ticks / 1000,
	    (unsigned long long)ticks % 1000);
	must(r, bytes < 6000, "an idle node sends and gets under 100 bytes "
	    "a second");
	must(r, ticks < 1000, "an idle node wakes less than once a second");
}

static bool
root_knows_all(void *arg)
{
	struct crowd	*c = arg;
	struct node_status ns;

	host_status(sim_root(c->c_sim, 0), &ns);
	return (ns.ns_npeers >= c->c_n);
}

/*
 * All roots start anew at once, with the files that they kept or without:
 * then everybody comes with an identity to be checked.
 */
static void
crowd_restart(struct run *r, struct crowd *c, struct table *t, bool files)
{
	struct host	*root;
	int64_t		 since;
	unsigned	 i, offline = 0;
	bool		 all;

	for (i = 0; i < sim_nroots(c->c_sim); i++) {
		root = sim_root(c->c_sim, i);
		host_stop(root);
		if (!files)
			host_forget(root);
		host_start(root);
	}
	since = sim_now(c->c_sim);
	for (i = 0; i < c->c_n; i++)
		offline -= c->c_hosts[i]->h_offlines;
	all = sim_until(c->c_sim, 300000, root_knows_all, c);
	for (i = 0; i < c->c_n; i++)
		offline += c->c_hosts[i]->h_offlines;
	table_row(t, "roots start anew, %s files: all known, ms\t%lld",
	    files ? "with" : "without",
	    all ? (long long)(sim_now(c->c_sim) - since) : -1);
	table_row(t, "  nodes that went offline meanwhile\t%u", offline);
	must(r, all && sim_now(c->c_sim) - since <= 60000,
	    "the roots know everybody again within a minute");
}

void
scenario_mixed(struct run *r)
{
	static struct crowd	 c;
	struct table		*t = table_new();
	size_t			 before;
	char			 mem[TABLE_CELL];

	memset(&c, 0, sizeof(c));
	c.c_n = r->r_small ? 50 : 1000;
	before = sim_memory();
	c.c_sim = sim_new(r->r_seed);
	sim_roots(c.c_sim, 3);
	crowd_arrive(&c);
	table_row(t, "nodes\t%u", c.c_n);
	crowd_online(r, &c, t);
	crowd_talk(&c);
	crowd_paths(r, &c, t);
	crowd_idle(r, &c, t);
	crowd_restart(r, &c, t, true);
	crowd_restart(r, &c, t, false);
	(void)snprintf(mem, sizeof(mem), "%zu",
	    (sim_memory() - before) / 1024 / c.c_n);
	table_row(t, "KiB of memory, each\t%s", mem);
	table_end(t);
	sim_free(c.c_sim);
}
