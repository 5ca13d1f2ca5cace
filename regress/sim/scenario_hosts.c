/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Hosts that sleep, move, idle, come and go.
 */

#include <stdio.h>
#include <string.h>

#include "regress/lib/sanitize.h"
#include "regress/sim/scenario.h"
#include "regress/sim/vnet.h"

#define FRAME_MS	100

/* --- clock-jump ------------------------------------------------------- */

#define HOUR_MS		3600000

static void
sleeper(struct run *r, struct table *t, int64_t ms, bool moved)
{
	struct link	 link;
	struct pair	 p;
	int64_t		 any, direct;

	memset(&link, 0, sizeof(link));
	pair_new(&p, r->r_seed, SIDE_PORT_RESTRICTED, SIDE_RESTRICTED,
	    FRAME_MS, 100);
	pair_start(&p);
	must(r, pair_direct(&p, 20000) >= 0, "a direct path");
	host_sleep(p.p_b, ms);
	sim_run(p.p_sim, ms);
	if (moved)
		host_move(p.p_b, side_zone(p.p_sim, SIDE_PORT_RESTRICTED, 20),
		    &link);
	pair_mark(&p);
	direct = pair_direct(&p, 60000);
	any = p.p_ab->fl_first > p.p_ba->fl_first ? p.p_ab->fl_first :
	    p.p_ba->fl_first;
	table_row(t, "asleep for %lld s%s\t%lld\t%lld", (long long)ms / 1000,
	    moved ? ", wakes elsewhere" : "", (long long)any,
	    (long long)direct);
	must(r, p.p_ab->fl_got > 0 && p.p_ba->fl_got > 0 && any <= 5000,
	    "frames within 5 s of waking");
	must(r, direct >= 0 && direct <= 20000, "directly within 20 s");
	pair_end(&p);
}

static void
set_clock(struct run *r, struct table *t, int64_t by)
{
	struct pair	 p;
	struct host	*late;
	bool		 ok;

	pair_new(&p, r->r_seed, SIDE_PORT_RESTRICTED, SIDE_RESTRICTED,
	    FRAME_MS, 100);
	pair_start(&p);
	must(r, pair_direct(&p, 20000) >= 0, "a direct path");
	sim_run(p.p_sim, 30000);
	pair_mark(&p);
	host_set_clock(p.p_b, by);
	sim_run(p.p_sim, 60000);
	table_row(t, "a clock set by %lld s\t%lld\t", (long long)by / 1000,
	    (long long)pair_gap(&p));
	must(r, pair_gap(&p) <= 3000, "no gap over 3 s");
	must(r, p.p_b->h_offlines == 0, "still online");
	/* All roots: does one more node come online? */
	host_set_clock(sim_root(p.p_sim, 0), by);
	host_set_clock(sim_root(p.p_sim, 1), by);
	host_set_clock(sim_root(p.p_sim, 2), by);
	sim_run(p.p_sim, 10000);
	late = side_host(p.p_sim, SIDE_PORT_RESTRICTED, 10);
	host_start(late);
	ok = sim_until(p.p_sim, 30000, sim_all_online, p.p_sim);
	table_row(t, "the roots' too: a new node online\t%lld\t",
	    ok ? (long long)(late->h_online_at - late->h_started) : -1);
	must(r, ok && late->h_online_at - late->h_started <= 5000,
	    "roots whose clocks were set by %lld s take a new node",
	    (long long)by / 1000);
	pair_end(&p);
}

/*
 * The same with a member of a private network, whose certificates live for
 * half an hour: is it cut off when they end?
 */
static void
set_member_clock(struct run *r, struct table *t, int64_t by)
{
	struct vnet	*v;
	struct member	*m[2];
	struct pair	 p;
	struct sim	*s = sim_new(r->r_seed);
	unsigned	 i;

	sim_roots(s, 3);
	v = vnet_new(s, 10);
	host_start(v->v_con);
	for (i = 0; i < 2; i++)
		m[i] = vnet_member(v, side_host(s, i == 0 ?
		    SIDE_PORT_RESTRICTED : SIDE_RESTRICTED, 10));
	start_all(s);
	must(r, sim_until(s, 30000, vnet_all_up, v), "both join");
	pair_join(&p, s, m[0]->m_host, m[1]->m_host, 10 * FRAME_MS, 100);
	pair_start(&p);
	sim_run(s, 30000);
	pair_mark(&p);
	host_set_clock(m[1]->m_host, by);
	/* Everybody forgets who is in which group after ten minutes. */
	sim_run(s, 1000000);
	vnet_ask(m[0], m[1]->m_ip);
	must(r, sim_until(s, 5000, vnet_answered, m[0]),
	    "a member whose clock was set by %lld s is found",
	    (long long)by / 1000);
	sim_run(s, HOUR_MS);
	table_row(t, "a member's clock set by %lld s\t%lld\t",
	    (long long)by / 1000, (long long)pair_gap(&p));
	must(r, pair_gap(&p) <= 3000, "no gap over 3 s");
	vnet_free(v);
	sim_free(s);
}

void
scenario_clock_jump(struct run *r)
{
	struct table	*t = table_new();

	table_row(t, "what\tms until frames, or gap\tms until direct");
	sleeper(r, t, 30000, false);
	sleeper(r, t, 600000, false);
	sleeper(r, t, 600000, true);
	set_clock(r, t, HOUR_MS);
	set_clock(r, t, -HOUR_MS);
	set_member_clock(r, t, HOUR_MS);
	set_member_clock(r, t, -HOUR_MS);
	table_end(t);
}

/* --- roaming ---------------------------------------------------------- */

static int64_t
later(int64_t a, int64_t b)
{
	return (a < 0 || b < 0 ? -1 : a > b ? a : b);
}

#define TOLD_MS		2000	/* the shell says that the network changed */
#define NOTICED_MS	4000	/* nobody says so */

/* Something just happened to p_b: do frames flow again within limit? */
static void
roamed(struct run *r, struct table *t, struct pair *p, const char *what,
    const char *other, int64_t limit)
{
	int64_t		 gap;
	uint64_t	 lost;
	char		 cell[TABLE_CELL];

	sim_run(p->p_sim, 8000);
	gap = pair_gap(p);
	lost = p->p_ab->fl_sent + p->p_ba->fl_sent - p->p_ab->fl_got -
	    p->p_ba->fl_got;
	table_row(t, "%s\t%s\t%lld\t%llu\t%s", what, other,
	    (long long)gap, (unsigned long long)lost,
	    cell_ms(cell, later(p->p_ab->fl_first_direct,
	    p->p_ba->fl_first_direct)));
	must(r, gap <= limit, "%s, %s: frames both ways within %lld s", what,
	    other, (long long)limit / 1000);
	pair_end(p);
}

static void
roam(struct run *r, struct table *t, enum side from, enum side to,
    enum side other)
{
	struct link	 link;
	struct pair	 p;
	char		 what[TABLE_CELL];

	memset(&link, 0, sizeof(link));
	if (to == SIDE_OPEN)
		link.lk_delay = 10;
	pair_new(&p, r->r_seed, other, from, FRAME_MS, 100);
	pair_start(&p);
	sim_run(p.p_sim, 30000);
	pair_mark(&p);
	host_move(p.p_b, side_zone(p.p_sim, to, 10), &link);
	(void)snprintf(what, sizeof(what), "%s to %s", side_name(from),
	    side_name(to));
	roamed(r, t, &p, what, side_name(other), TOLD_MS);
}

/* The provider gives its NAT another address; nobody tells the host. */
static void
renumber(struct run *r, struct table *t, enum side other)
{
	struct pair	 p;

	pair_new(&p, r->r_seed, other, SIDE_PORT_RESTRICTED, FRAME_MS, 100);
	pair_start(&p);
	sim_run(p.p_sim, 30000);
	pair_mark(&p);
	net_renumber(sim_net(p.p_sim), net_zone(p.p_b->h_ifaces[0].if_at));
	roamed(r, t, &p, "the NAT's address changes", side_name(other),
	    NOTICED_MS);
}

/* Two interfaces; the better one goes. */
static void
unplug(struct run *r, struct table *t, bool told)
{
	struct link	 lan;
	struct host	*a, *b;
	struct pair	 p;
	struct sim	*s = sim_new(r->r_seed);

	memset(&lan, 0, sizeof(lan));
	sim_roots(s, 3);
	a = side_host(s, SIDE_PORT_RESTRICTED, 10);
	b = side_host(s, SIDE_PORT_RESTRICTED, 10);
	host_iface(b, side_zone(s, SIDE_CARRIER, 40), &lan, 1);
	start_all(s);
	pair_join(&p, s, a, b, FRAME_MS, 100);
	pair_start(&p);
	sim_run(s, 30000);
	pair_mark(&p);
	if (told)
		host_unplug(b, 0);
	else
		net_detach(sim_net(s), b->h_ifaces[0].if_at);
	roamed(r, t, &p, told ? "one of two interfaces goes" :
	    "one of two falls silent", side_name(SIDE_PORT_RESTRICTED),
	    told ? TOLD_MS : NOTICED_MS);
}

void
scenario_roaming(struct run *r)
{
	struct table	*t = table_new();

	table_row(t, "what\tthe other\tgap ms\tlost\tms until direct");
	roam(r, t, SIDE_OPEN, SIDE_OPEN, SIDE_OPEN);
	roam(r, t, SIDE_FULL_CONE, SIDE_PORT_RESTRICTED, SIDE_OPEN);
	roam(r, t, SIDE_PORT_RESTRICTED, SIDE_PORT_RESTRICTED,
	    SIDE_PORT_RESTRICTED);
	roam(r, t, SIDE_PORT_RESTRICTED, SIDE_CARRIER, SIDE_RESTRICTED);
	roam(r, t, SIDE_PORT_RESTRICTED, SIDE_RANDOM, SIDE_PORT_RESTRICTED);
	renumber(r, t, SIDE_OPEN);
	renumber(r, t, SIDE_PORT_RESTRICTED);
	renumber(r, t, SIDE_RANDOM);
	unplug(r, t, true);
	unplug(r, t, false);
	table_end(t);
}

/* --- idle ------------------------------------------------------------- */

#define IDLE_MS		600000

static void
idle(struct run *r, struct table *t, enum side side)
{
	struct host	*h;
	struct sim	*s = sim_new(r->r_seed);
	uint64_t	 ticks, bytes, datagrams;

	sim_roots(s, 3);
	h = side_host(s, side, 10);
	start_all(s);
	sim_run(s, 60000);
	ticks = h->h_ticks;
	bytes = h->h_sent_bytes + h->h_received_bytes;
	datagrams = h->h_received;
	sim_run(s, IDLE_MS);
	ticks = h->h_ticks - ticks;
	bytes = h->h_sent_bytes + h->h_received_bytes - bytes;
	datagrams = h->h_received - datagrams;
	table_row(t, "%s\t%llu.%03llu\t%llu.%03llu\t%llu\t%u",
	    side_name(side),
	    (unsigned long long)(ticks * 1000 / IDLE_MS),
	    (unsigned long long)(ticks * 1000000 / IDLE_MS % 1000),
	    (unsigned long long)(datagrams * 1000 / IDLE_MS),
	    (unsigned long long)(datagrams * 1000000 / IDLE_MS % 1000),
	    (unsigned long long)(bytes * 60000 / IDLE_MS), h->h_offlines);
	must(r, ticks * 1000 <= IDLE_MS, "wakes once a second at most");
	must(r, h->h_online && h->h_offlines == 0, "stays online");
	sim_free(s);
}

void
scenario_idle(struct run *r)
{
	struct table	*t = table_new();

	table_row(t, "side\twakeups/s by timer\tby datagrams\tbytes/min\t"
	    "offline");
	idle(r, t, SIDE_OPEN);
	idle(r, t, SIDE_PORT_RESTRICTED);
	idle(r, t, SIDE_CARRIER);
	table_end(t);
}

/* --- churn ------------------------------------------------------------ */

#define GUESTS		30
#define STAY_MS		300000	/* of a guest, about */
#define REPORT_MS	1800000
#define REPORTS		10

struct guest {
	struct host	*g_host;
	struct flow	*g_in, *g_out;	/* with the one that stays */
	struct churn	*g_churn;
};

struct churn {
	struct sim	*ch_sim;
	struct host	*ch_stays;
	struct guest	 ch_guests[GUESTS];
	unsigned	 ch_visits;
};

static void	 guest_comes(struct guest *);

static void
guest_later(struct guest *g, int64_t ms, void (*f)(void *, void *, size_t))
{
	(void)clock_at(sim_clock(g->g_churn->ch_sim),
	    sim_now(g->g_churn->ch_sim) + ms, f, g, NULL, 0);
}

static void
guest_returns(void *arg, void *bytes, size_t len)
{
	(void)bytes;
	(void)len;
	guest_comes(arg);
}

static void
guest_goes(void *arg, void *bytes, size_t len)
{
	struct guest	*g = arg;

	(void)bytes;
	(void)len;
	flow_stop(g->g_in);
	flow_stop(g->g_out);
	host_stop(g->g_host);
	guest_later(g, 1000, guest_returns);
}

static void
guest_comes(struct guest *g)
{
	struct churn	*ch = g->g_churn;

	ch->ch_visits++;
	host_renew(g->g_host);
	host_start(g->g_host);
	flow_start(g->g_in);
	flow_start(g->g_out);
	guest_later(g, STAY_MS / 2 + (int64_t)(sim_random(ch->ch_sim) %
	    STAY_MS), guest_goes);
}

static void
churn_start(struct run *r, struct churn *ch)
{
	struct guest	*g;
	unsigned	 i;

	memset(ch, 0, sizeof(*ch));
	ch->ch_sim = sim_new(r->r_seed);
	sim_roots(ch->ch_sim, 3);
	ch->ch_stays = side_host(ch->ch_sim, SIDE_RESTRICTED, 10);
	start_all(ch->ch_sim);
	for (i = 0; i < GUESTS; i++) {
		g = &ch->ch_guests[i];
		g->g_churn = ch;
		g->g_host = side_host(ch->ch_sim, (enum side)(i %
		    SIDE_BLOCKED), 10);
		g->g_in = flow_new(ch->ch_sim, g->g_host, ch->ch_stays, 5000,
		    500);
		g->g_out = flow_new(ch->ch_sim, ch->ch_stays, g->g_host,
		    5000, 500);
		guest_later(g, 10000 * i, guest_returns);
	}
	for (i = 0; i < sim_nhosts(ch->ch_sim); i++)
		sim_host(ch->ch_sim, i)->h_no_store = true;
}

void
scenario_churn(struct run *r)
{
	static struct churn	 ch;
	struct node_status	 ns, rs;
	struct table		*t = table_new();
	size_t			 first = 0, memory, most = 0;
	unsigned		 i, n = r->r_small ? SOME(3, 2) : REPORTS;

	churn_start(r, &ch);
	table_row(t, "hours\tvisits\tKiB in all\tpeers\tpaths\t"
	    "peers of a root\tpending");
	for (i = 1; i <= n; i++) {
		sim_run(ch.ch_sim, REPORT_MS);
		memory = sim_memory();
		host_status(ch.ch_stays, &ns);
		host_status(sim_root(ch.ch_sim, 0), &rs);
		if (i == 1)
			first = memory;
		if (i > 1 && memory > most)
			most = memory;
		table_row(t, "%u.%u\t%u\t%zu\t%zu\t%zu\t%zu\t%zu", i / 2,
		    i % 2 * 5, ch.ch_visits, memory / 1024, ns.ns_npeers,
		    ns.ns_npaths, rs.ns_npeers,
		    clock_pending(sim_clock(ch.ch_sim)));
		must(r, ns.ns_npeers <= 4 * GUESTS && ns.ns_npaths <=
		    64 * GUESTS, "peers and paths of who left are forgotten");
	}
	must(r, most <= first + first / 10,
	    "memory after the first half hour grows by less than a tenth: "
	    "%zu, then %zu bytes", first, most);
	must(r, ch.ch_stays->h_offlines == 0, "the one that stays is online");
	table_end(t);
	sim_free(ch.ch_sim);
}
