/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Links that lose, waver, cut and fall silent.
 */

#include <string.h>

#include "regress/sim/scenario.h"

#define FRAME_MS	100

static unsigned
switches(struct host *h, const struct host *other)
{
	struct node_peer	 nr;

	return (host_peer(h, other, &nr) ? nr.nr_switches : 0);
}

static uint64_t
suspects(struct host *h)
{
	struct node_status	 ns;

	host_status(h, &ns);
	return (ns.ns_suspects);
}

static struct link *
outer_link(struct host *h)
{
	return (net_link(net_outermost(h->h_ifaces[0].if_at)));
}

/* --- loss ------------------------------------------------------------- */

#define LOSSY		8	/* pairs */

static const enum side	lossy_sides[LOSSY][2] = {
	{ SIDE_OPEN, SIDE_OPEN },
	{ SIDE_OPEN, SIDE_PORT_RESTRICTED },
	{ SIDE_FULL_CONE, SIDE_RESTRICTED },
	{ SIDE_PORT_RESTRICTED, SIDE_PORT_RESTRICTED },
	{ SIDE_CARRIER, SIDE_PORT_RESTRICTED },
	{ SIDE_FIREWALL, SIDE_OPEN },
	{ SIDE_RANDOM, SIDE_RANDOM },
	{ SIDE_RANDOM, SIDE_PORT_RESTRICTED }
};

/* Two links of it on each way lose a tenth. */
static void
bad_link(struct link *lk)
{
	lk->lk_loss = 51;
	lk->lk_jitter = 20;
	lk->lk_reorder = 20;
	lk->lk_duplicate = 20;
}

static void
lossy_row(struct run *r, struct table *t, struct pair *p, unsigned minutes)
{
	uint64_t	 sent, got;
	unsigned	 flaps, offline;
	bool		 direct;

	sent = p->p_ab->fl_sent + p->p_ba->fl_sent;
	got = p->p_ab->fl_got + p->p_ba->fl_got;
	flaps = switches(p->p_a, p->p_b) + switches(p->p_b, p->p_a);
	offline = p->p_a->h_offlines + p->p_b->h_offlines;
	direct = p->p_ab->fl_last_direct;
	table_row(t, "%llu\t%llu.%llu %%\t%s\t%u\t%llu\t%lld\t%u\t%llu",
	    (unsigned long long)sent,
	    (unsigned long long)(100 * got / sent),
	    (unsigned long long)(1000 * got / sent % 10),
	    direct ? "direct" : "relay", flaps, (unsigned long long)
	    (suspects(p->p_a) + suspects(p->p_b)), (long long)pair_gap(p),
	    offline, (unsigned long long)(p->p_ab->fl_twice +
	    p->p_ba->fl_twice));
	/* By relay it is four links. */
	must(r, got * 100 >= sent * (direct ? 87 : 78) && got <= sent,
	    "frames get through at about the rate of loss");
	must(r, offline == 0, "nobody goes offline");
	must(r, flaps <= 2 + 2 * minutes,
	    "the path in use changes once a minute at most: %u", flaps);
	must(r, pair_gap(p) <= 3000, "no long silence");
	must(r, p->p_ab->fl_twice + p->p_ba->fl_twice == 0,
	    "what the network doubles arrives once");
}

void
scenario_loss(struct run *r)
{
	struct pair	 pairs[LOSSY];
	struct table	*t = table_new();
	struct sim	*s = sim_new(r->r_seed);
	struct host	*h[LOSSY][2];
	unsigned	 i, k, minutes = r->r_small ? 10 : 60;

	sim_roots(s, 3);
	for (i = 0; i < 3; i++)
		bad_link(outer_link(sim_root(s, i)));
	for (i = 0; i < LOSSY; i++) {
		for (k = 0; k < 2; k++) {
			h[i][k] = side_host(s, lossy_sides[i][k], 10);
			bad_link(outer_link(h[i][k]));
		}
	}
	start_all(s);
	for (i = 0; i < LOSSY; i++) {
		pair_join(&pairs[i], s, h[i][0], h[i][1], FRAME_MS, 100);
		pair_start(&pairs[i]);
	}
	sim_run(s, 30000);
	for (i = 0; i < LOSSY; i++)
		pair_mark(&pairs[i]);
	sim_run(s, (int64_t)minutes * 60000);
	table_row(t, "sent\tgot\tby\tswitches\tsuspects\tgap ms\toffline\t"
	    "twice");
	for (i = 0; i < LOSSY; i++)
		lossy_row(r, t, &pairs[i], minutes);
	table_end(t);
	sim_free(s);
}

/* --- silent-path ------------------------------------------------------ */

/* 3 s, the time between frames, and the way by a root.  One way: the other
 * side notices after the first. */
#define SILENT_MS	3200
#define ONE_WAY_MS	4200

/* How it dies. */
enum death { DEATH_BOTH, DEATH_ONE_WAY, DEATH_NAT, DEATHS };

static const char *const	death_names[DEATHS] = {
	"both ways", "one way", "a NAT forgets"
};

static void
path_dies(struct pair *p, enum death death, bool dead)
{
	struct attach	*at[2];
	struct nat	*nat;

	at[0] = net_outermost(p->p_a->h_ifaces[0].if_at);
	at[1] = net_outermost(p->p_b->h_ifaces[0].if_at);
	if (death == DEATH_NAT) {
		nat = net_nat(net_zone(p->p_a->h_ifaces[0].if_at));
		if (dead && nat != NULL)
			nat_forget(nat);
		return;
	}
	net_block(sim_net(p->p_sim), at[0], at[1], dead);
	if (death == DEATH_BOTH)
		net_block(sim_net(p->p_sim), at[1], at[0], dead);
}

static void
silent(struct run *r, struct table *t, enum side a, enum side b,
    enum death death)
{
	struct pair	 p;
	uint64_t	 lost;
	int64_t		 gap, back;

	pair_new(&p, r->r_seed, a, b, FRAME_MS, 100);
	pair_start(&p);
	must(r, pair_direct(&p, 20000) >= 0, "a direct path");
	sim_run(p.p_sim, 30000);
	pair_mark(&p);
	path_dies(&p, death, true);
	sim_run(p.p_sim, 60000);
	gap = pair_gap(&p);
	lost = p.p_ab->fl_sent + p.p_ba->fl_sent - p.p_ab->fl_got -
	    p.p_ba->fl_got;
	must(r, gap <= (death == DEATH_ONE_WAY ? ONE_WAY_MS : SILENT_MS),
	    "%s, %s, %s: frames flow again soon", side_name(a), side_name(b),
	    death_names[death]);
	pair_mark(&p);
	path_dies(&p, death, false);
	back = pair_direct(&p, 120000);
	must(r, back >= 0 && back <= 30000, "direct within 30 s of healing");
	must(r, pair_gap(&p) <= 1000, "no frame is lost by healing");
	table_row(t, "%s\t%s\t%s\t%lld\t%llu\t243000\t%lld",
	    death_names[death], side_name(a), side_name(b), (long long)gap,
	    (unsigned long long)lost, (long long)back);
	pair_end(&p);
}

void
scenario_silent_path(struct run *r)
{
	struct table	*t = table_new();
	unsigned	 i;

	table_row(t, "what\ta\tb\tms until frames\tframes lost\t"
	    "original ms\tms until direct again");
	for (i = 0; i < DEATHS; i++) {
		silent(r, t, SIDE_PORT_RESTRICTED, SIDE_PORT_RESTRICTED,
		    (enum death)i);
		silent(r, t, SIDE_RANDOM, SIDE_FULL_CONE, (enum death)i);
		if (i != DEATH_NAT)
			silent(r, t, SIDE_OPEN, SIDE_OPEN, (enum death)i);
	}
	table_end(t);
}

/* --- mtu -------------------------------------------------------------- */

#define LARGE		2800

/* What a host found out of the path that it uses to another. */
static unsigned
found(struct host *h, const struct host *other)
{
	struct node_peer	 nr;
	unsigned		 i;

	if (!host_peer(h, other, &nr))
		return (0);
	for (i = 0; i < nr.nr_npaths; i++) {
		if (nr.nr_paths[i].np_preferred)
			return (nr.nr_paths[i].np_mtu);
	}
	return (0);
}

static void
narrow(struct run *r, struct table *t, unsigned mtu, enum side a,
    enum side b)
{
	struct pair	 p;
	struct link	*lk;
	int64_t		 gap;
	uint64_t	 late;
	bool		 direct;

	pair_new(&p, r->r_seed, a, b, FRAME_MS, LARGE);
	lk = outer_link(p.p_b);
	lk->lk_mtu = mtu;
	lk->lk_no_fragments = true;
	pair_start(&p);
	sim_run(p.p_sim, 20000);
	gap = pair_gap(&p);
	pair_mark(&p);
	sim_run(p.p_sim, 10000);
	direct = p.p_ab->fl_last_direct;
	flow_stop(p.p_ab);
	flow_stop(p.p_ba);
	sim_run(p.p_sim, 1000);
	late = p.p_ab->fl_sent + p.p_ba->fl_sent - p.p_ab->fl_got -
	    p.p_ba->fl_got;
	table_row(t, "%u\t%s\t%s\t%s\t%lld\t%llu\t%u", mtu,
	    side_name(a), side_name(b), direct ? "direct" : "relay",
	    (long long)gap, (unsigned long long)late,
	    found(p.p_a, direct ? p.p_b : sim_root(p.p_sim, 0)));
	must(r, mtu != 1400 || !direct || found(p.p_a, p.p_b) > 1232,
	    "mtu %u: more than the least is found", mtu);
	must(r, gap <= 5000, "mtu %u: large frames arrive within 5 s", mtu);
	must(r, late == 0, "mtu %u: and none is lost later", mtu);
	pair_end(&p);
}

void
scenario_mtu(struct run *r)
{
	struct table	*t = table_new();

	table_row(t, "link mtu\ta\tb\tby\tms until frames\tlost later\t"
	    "a found");
	narrow(r, t, 1500, SIDE_OPEN, SIDE_PORT_RESTRICTED);
	narrow(r, t, 1400, SIDE_OPEN, SIDE_PORT_RESTRICTED);
	narrow(r, t, 1280, SIDE_OPEN, SIDE_PORT_RESTRICTED);
	narrow(r, t, 600, SIDE_OPEN, SIDE_OPEN);
	narrow(r, t, 1400, SIDE_PORT_RESTRICTED, SIDE_RANDOM);
	narrow(r, t, 1280, SIDE_PORT_RESTRICTED, SIDE_RANDOM);
	table_end(t);
}

/* --- flap ------------------------------------------------------------- */

/* Two interfaces here, two there: four direct paths that waver. */
static void
wavering(struct run *r, struct table *t, int64_t jitter)
{
	struct link	 link;
	struct host	*a, *b;
	struct pair	 p;
	struct sim	*s = sim_new(r->r_seed);
	unsigned	 n, minutes = r->r_small ? 3 : 20;

	memset(&link, 0, sizeof(link));
	link.lk_delay = 10;
	link.lk_jitter = jitter;
	sim_roots(s, 3);
	a = host_new(s, net_internet(sim_net(s)), &link);
	b = host_new(s, net_internet(sim_net(s)), &link);
	link.lk_delay = 11;
	host_iface(a, net_internet(sim_net(s)), &link, 1);
	host_iface(b, net_internet(sim_net(s)), &link, 1);
	start_all(s);
	pair_join(&p, s, a, b, FRAME_MS, 100);
	pair_start(&p);
	sim_run(s, 60000);
	n = switches(a, b) + switches(b, a);
	pair_mark(&p);
	sim_run(s, (int64_t)minutes * 60000);
	n = switches(a, b) + switches(b, a) - n;
	table_row(t, "%lld\t%u\t%u\t%lld", (long long)jitter, minutes, n,
	    (long long)pair_gap(&p));
	must(r, n <= 2 * minutes, "each changes its path once a minute at "
	    "most");
	must(r, pair_gap(&p) <= 1000, "no gap");
	sim_free(s);
}

void
scenario_flap(struct run *r)
{
	struct table	*t = table_new();

	table_row(t, "jitter ms\tminutes\tswitches\tgap ms");
	wavering(r, t, 5);
	wavering(r, t, 20);
	wavering(r, t, 60);
	table_end(t);
}
