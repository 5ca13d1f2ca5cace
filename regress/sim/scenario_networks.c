/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Private networks: how members find each other, all at once by broadcasts
 * and one by ARP.
 */

#include <string.h>

#include "regress/lib/sanitize.h"
#include "regress/sim/count.h"
#include "regress/sim/scenario.h"
#include "regress/sim/vnet.h"

typedef unsigned long long ull;

/* --- broadcast -------------------------------------------------------- */

#define CAST_MS		10000	/* a broadcast is over by then */
#define CAST_LEN	200
#define SETTLE_MS	30000
#define BACK_MS		1000
#define BACK_CASTS	20
#define BACK_LEN	150	/* bytes for each copy */
#define REST_MS		60000
#define SILENT_MS	1200000

/* How often and when a broadcast came, by all members but its sender. */
struct spread {
	unsigned	 sp_once, sp_more, sp_never;
	struct samples	 sp_ms;
};

static void
spread_count(struct spread *sp, const struct vnet *v,
    const struct member *from, int64_t since)
{
	const struct member	*m;
	unsigned		 i;

	memset(sp, 0, sizeof(*sp));
	for (i = 0; i < v->v_n; i++) {
		m = v->v_members[i];
		if (m == from)
			continue;
		sp->sp_never += m->m_casts == 0;
		sp->sp_once += m->m_casts == 1;
		sp->sp_more += m->m_casts > 1;
		if (m->m_casts > 0)
			samples_add(&sp->sp_ms, m->m_cast_at - since);
	}
}

static void
cast_row(struct run *r, struct table *t, struct member *m, const char *net,
    const char *what, const struct cost *rest, int64_t limit_ms)
{
	struct vnet	*v = m->m_net;
	struct cost	 all, all0, own, own0;
	struct spread	 sp;
	unsigned	 want;
	int64_t		 since = sim_now(v->v_sim);

	cost_all(v->v_sim, &all0);
	cost_of(m->m_host, &own0);
	vnet_cast(m, CAST_LEN);
	sim_run(v->v_sim, CAST_MS);
	cost_all(v->v_sim, &all);
	cost_of(m->m_host, &own);
	cost_since(&all, &all0);
	cost_since(&own, &own0);
	cost_less(&all, rest, CAST_MS);
	/* The others did less than usual by chance. */
	if (all.co_datagrams < own.co_datagrams ||
	    all.co_bytes < own.co_bytes)
		all = own;
	spread_count(&sp, v, m, since);
	table_row(t, "%s\t%s\t%llu\t%llu\t%llu\t%llu\t%u\t%u\t%u\t%lld\t%lld"
	    "\t%lld", net, what, (ull)own.co_datagrams, (ull)own.co_bytes,
	    (ull)all.co_datagrams, (ull)all.co_bytes, sp.sp_once, sp.sp_more,
	    sp.sp_never, (long long)samples_at(&sp.sp_ms, 500),
	    (long long)samples_at(&sp.sp_ms, 990),
	    (long long)samples_at(&sp.sp_ms, 1000));
	want = v->v_n - 1 < v->v_mclimit ? v->v_n - 1 : v->v_mclimit;
	must(r, sp.sp_more == 0, "%s, %s: nobody gets it twice", net, what);
	must(r, sp.sp_once >= want, "%s, %s: %u members get it, not %u",
	    net, what, want, sp.sp_once);
	must(r, samples_at(&sp.sp_ms, 990) <= limit_ms,
	    "%s, %s: 99 %% of them within %lld ms", net, what,
	    (long long)limit_ms);
	samples_free(&sp.sp_ms);
}

static void
replicator(struct vnet *v)
{
	struct host	*h = side_host(v->v_sim, SIDE_OPEN, 10);

	(void)vnet_member(v, h);
	v->v_specialists[v->v_nspecialists++] = h->h_id.id_addr |
	    SPECIALIST_REPLICATOR | SPECIALIST_BRIDGE;
	host_start(h);
}

/* What a minute of rest costs all. */
static struct cost
rest_row(struct table *t, struct vnet *v, const char *net, const char *what)
{
	struct cost	 co, co0;

	cost_all(v->v_sim, &co0);
	sim_run(v->v_sim, REST_MS);
	cost_all(v->v_sim, &co);
	cost_since(&co, &co0);
	table_row(t, "%s\t%s\t\t\t%llu\t%llu", net, what,
	    (ull)co.co_datagrams, (ull)co.co_bytes);
	return (co);
}

static struct vnet *
cast_start(struct run *r, uint32_t limit, unsigned n, bool replicated)
{
	struct vnet	*v;
	struct sim	*s = sim_new(r->r_seed);

	sim_roots(s, 3);
	v = vnet_new(s, 10);
	v->v_mclimit = limit;
	host_start(v->v_con);
	if (replicated)
		replicator(v);
	must(r, vnet_arrive(v, n), "every member gets its configuration");
	sim_run(s, SETTLE_MS);
	return (v);
}

static void
cast_end(struct vnet *v)
{
	struct sim	*s = v->v_sim;

	vnet_free(v);
	sim_free(s);
}

static unsigned
casts_got(const struct vnet *v)
{
	unsigned	 i, n = 0;

	for (i = 0; i < v->v_n; i++)
		n += v->v_members[i]->m_casts > 0;
	return (n);
}

/* The replicator goes without a word: until a broadcast reaches the others
 * (all but sender and replicator). */
static void
cast_orphaned(struct run *r, struct table *t, struct vnet *v,
    const char *net)
{
	int64_t	 since = sim_now(v->v_sim), ms = -1;

	host_stop(v->v_members[0]->m_host);
	while (ms < 0 && sim_now(v->v_sim) < since + REST_MS) {
		vnet_cast(v->v_members[v->v_n / 2], CAST_LEN);
		sim_run(v->v_sim, 500);
		if (casts_got(v) >= (v->v_n - 2) * 99 / 100)
			ms = sim_now(v->v_sim) - since;
	}
	table_row(t, "%s\tafter it has died\t\t\t\t\t\t\t\t\t%lld", net,
	    (long long)ms);
	must(r, ms >= 0 && ms <= 6000,
	    "broadcasts arrive within 6 s without replicator");
}

static void
cast(struct run *r, struct table *t, const char *net, uint32_t limit,
    bool replicated)
{
	static const char *const	what[] = { "first", "second", "third" };
	struct cost			 rest;
	struct vnet			*v;
	unsigned			 i;

	v = cast_start(r, limit, r->r_small ? SOME(100, 40) : 1000, replicated);
	for (i = 0; i < 3; i++) {
		rest = rest_row(t, v, net, "at rest, a minute");
		cast_row(r, t, v->v_members[v->v_n / 2], net, what[i], &rest,
		    i == 0 ? 2000 : 1000);
		sim_run(v->v_sim, SETTLE_MS);
	}
	if (replicated)
		cast_orphaned(r, t, v, net);
	cast_end(v);
}

/* Bytes that come to this member in a while of broadcasts, or of none. */
static int64_t
back_to(struct member *m, bool cast)
{
	uint64_t	 before = m->m_host->h_received_bytes;
	unsigned	 i;

	for (i = 0; i < BACK_CASTS; i++) {
		if (cast)
			vnet_cast(m, CAST_LEN);
		sim_run(m->m_net->v_sim, BACK_MS);
	}
	return ((int64_t)(m->m_host->h_received_bytes - before));
}

/* Everybody has spoken once: all know all. */
static void
cast_known(struct run *r, struct table *t)
{
	const char	*net = "all know all";
	struct cost	 before, rest;
	struct member	*m;
	struct vnet	*v;
	int64_t		 back;
	unsigned	 i;

	v = cast_start(r, 1000, r->r_small ? 30 : 100, false);
	before = rest_row(t, v, net, "at rest, a minute");
	for (i = 0; i < v->v_n; i++) {
		vnet_cast(v->v_members[i], CAST_LEN);
		sim_run(v->v_sim, 1000);
	}
	sim_run(v->v_sim, SETTLE_MS);
	m = v->v_members[1];
	back = back_to(m, true);
	back = (back - back_to(m, false)) / BACK_CASTS;
	table_row(t, "%s\tback to the sender\t\t%lld", net,
	    (long long)back);
	must(r, back <= (v->v_n - 1) * BACK_LEN,
	    "what comes back is less than what was sent");
	rest = rest_row(t, v, net, "at rest, a minute");
	cast_row(r, t, m, net, "one more", &rest, 1000);
	sim_run(v->v_sim, SILENT_MS);
	rest = rest_row(t, v, net, "20 minutes later");
	must(r, rest.co_datagrams <= before.co_datagrams * 2,
	    "then all is as it was before");
	cast_end(v);
}

void
scenario_broadcast(struct run *r)
{
	struct table	*t = table_new();

	table_row(t, "network\tbroadcast\tby sender\tbytes\tin all\tbytes\t"
	    "once\tmore\tnever\tms: 50 %%\t99 %%\tall");
	cast(r, t, "limit 32", 32, false);
	cast(r, t, "limit 1000", 1000, false);
	cast(r, t, "replicator", 1000, true);
	cast_known(r, t);
	table_end(t);
}

/* --- arp -------------------------------------------------------------- */

#define STANDING	50
#define ASK_MS		1000	/* a host repeats its question */
#define ASK_TIMES	10
#define HOUR_MS		3600000
#define NOBODY_MS	60000
#define NOBODY_TIMES	10	/* questions a second */
#define GATHER_LEN	(PACKET_HDR + 23 + 272)	/* MULTICAST_GATHER */

/* Answers to questions. */
struct answers {
	unsigned	 an_asked, an_missing;
	struct samples	 an_ms, an_datagrams;
};

/* Ask like a host does: once a second until there is an answer. */
static void
ask(struct answers *an, struct member *m, const struct member *other)
{
	struct cost	 co, co0, other0, oc;
	unsigned	 i;
	bool		 ok = false;

	cost_of(m->m_host, &co0);
	cost_of(other->m_host, &other0);
	an->an_asked++;
	for (i = 0; i < ASK_TIMES && !ok; i++) {
		vnet_ask(m, other->m_ip);
		ok = sim_until(m->m_net->v_sim, ASK_MS, vnet_answered, m);
	}
	if (!ok) {
		an->an_missing++;
		return;
	}
	cost_of(m->m_host, &co);
	cost_of(other->m_host, &oc);
	cost_since(&co, &co0);
	cost_since(&oc, &other0);
	samples_add(&an->an_ms, m->m_answered - m->m_asked_at);
	samples_add(&an->an_datagrams, (int64_t)(co.co_datagrams +
	    oc.co_datagrams));
}

static void
answers_row(struct run *r, struct table *t, struct answers *an,
    const char *what, int64_t median, int64_t most)
{
	table_row(t, "%s\t%u\t%u\t%lld\t%lld\t%lld\t%lld", what,
	    an->an_asked, an->an_missing,
	    (long long)samples_median(&an->an_ms),
	    (long long)samples_at(&an->an_ms, 990),
	    (long long)samples_median(&an->an_datagrams),
	    (long long)samples_at(&an->an_datagrams, 990));
	must(r, an->an_missing == 0, "%s: %u of %u get no answer", what,
	    an->an_missing, an->an_asked);
	must(r, samples_median(&an->an_ms) <= median,
	    "%s: half of them within %lld ms", what, (long long)median);
	must(r, samples_at(&an->an_ms, 990) <= most,
	    "%s: 99 %% within %lld ms", what, (long long)most);
	samples_free(&an->an_ms);
	samples_free(&an->an_datagrams);
}

static bool
both_up(void *arg)
{
	struct member	**both = arg;

	return (both[0]->m_up != 0 && both[1]->m_up != 0);
}

/* When one of two that join at the same time asks for the other. */
enum when {
	WHEN_BOTH,		/* both have an address */
	WHEN_ONE,		/* itself has one */
	WHEN_LOSSY,		/* both, and their links lose a tenth */
	WHENS
};

static const struct {
	const char	*wh_what;
	int64_t		 wh_median, wh_most;
} whens[WHENS] = {
	{ "two have just joined", 500, 1500 },
	{ "two join, one asks at once", 1500, 3000 },
	{ "two have just joined, 10 % loss", 1500, 10000 }
};

static void
ask_pairs(struct run *r, struct table *t, struct vnet *v, enum when when)
{
	struct answers	 an;
	struct member	*both[2];
	unsigned	 i, k, n = r->r_small ? 20 : 200;

	memset(&an, 0, sizeof(an));
	for (i = 0; i < n; i++) {
		for (k = 0; k < 2; k++) {
			both[k] = vnet_member(v, side_somebody(v->v_sim));
			if (when == WHEN_LOSSY)
				host_loses(both[k]->m_host, 51);
		}
		host_start(both[0]->m_host);
		if (when == WHEN_ONE)
			sim_run(v->v_sim, (int64_t)(sim_random(v->v_sim) %
			    500));
		host_start(both[1]->m_host);
		if (when == WHEN_ONE)
			while (both[0]->m_up == 0)
				sim_run(v->v_sim, 1);
		else
			must(r, sim_until(v->v_sim, VNET_UP_MS, both_up, both),
			    "both get a configuration");
		ask(&an, both[0], both[1]);
		for (k = 0; k < 2; k++)
			host_stop(both[k]->m_host);
	}
	answers_row(r, t, &an, whens[when].wh_what, whens[when].wh_median,
	    whens[when].wh_most);
}

/* One that joined long ago and has said nothing since. */
static void
ask_silent(struct run *r, struct table *t, struct vnet *v)
{
	struct answers	 an;
	unsigned	 i;

	memset(&an, 0, sizeof(an));
	sim_run(v->v_sim, HOUR_MS);
	for (i = 1; i < STANDING; i++)
		ask(&an, v->v_members[i], v->v_members[0]);
	answers_row(r, t, &an, "silent for an hour", 500, 1500);
}

/* Nobody has this address, and a program asks for it all the time. */
static void
ask_nobody(struct run *r, struct table *t, struct vnet *v)
{
	struct member	*m = v->v_members[1];
	struct sniffer	 sn;
	struct cost	 co, co0;
	unsigned	 i;

	sniff_start(&sn, v->v_sim, m->m_host, 0, GATHER_LEN,
	    GATHER_LEN);
	cost_of(m->m_host, &co0);
	for (i = 0; i < NOBODY_MS / 1000 * NOBODY_TIMES; i++) {
		vnet_ask(m, 1);
		sim_run(v->v_sim, 1000 / NOBODY_TIMES);
	}
	cost_of(m->m_host, &co);
	cost_since(&co, &co0);
	sniff_stop(&sn);
	table_row(t, "nobody, asked 10 times a second\t%u\t%u\t\t\t"
	    "%llu, %llu of them GATHER", i, i, (ull)co.co_datagrams,
	    (ull)sn.sn_n);
	/* A root and the controller are asked. */
	must(r, sn.sn_n > 0 && sn.sn_n <= 2 * (NOBODY_MS / 1000 + 1),
	    "nobody: one question a second to two at most");
}

void
scenario_arp(struct run *r)
{
	struct table	*t = table_new();
	struct vnet	*v;
	struct sim	*s = sim_new(r->r_seed);
	unsigned	 i;

	sim_roots(s, 3);
	v = vnet_new(s, 10);
	host_start(v->v_con);
	must(r, vnet_arrive(v, STANDING),
	    "every member gets its configuration");
	table_row(t, "who is asked for\tasked\tno answer\tms: median\t99 %%\t"
	    "datagrams of both\t99 %%");
	for (i = 0; i < WHENS; i++)
		ask_pairs(r, t, v, (enum when)i);
	ask_silent(r, t, v);
	ask_nobody(r, t, v);
	table_end(t);
	vnet_free(v);
	sim_free(s);
}
