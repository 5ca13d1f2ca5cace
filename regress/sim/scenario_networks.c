/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Private networks: broadcasts, ARP, members that are shut out, many that
 * join at once, credentials by the hundred.
 */

#include <stdlib.h>
#include <string.h>

#include "regress/sim/scenario.h"
#include "regress/sim/vnet.h"

#define ARRIVAL_MS	60000	/* from the first member to the last: then what
				 * they do every minute is spread evenly */
#define UP_MS		60000	/* by then all ports are up */

typedef unsigned long long ull;

/* A host somewhere. */
static struct host *
somebody(struct sim *s)
{
	return (side_host(s, side_any(s), 2 + (int64_t)(sim_random(s) % 40)));
}

/* Datagrams and bytes that hosts sent, all of them or one. */
struct cost {
	uint64_t	 co_datagrams, co_bytes;
};

static void
cost_all(struct sim *s, struct cost *co)
{
	const struct net_counters	*nc = net_counters(sim_net(s));

	co->co_datagrams = nc->nc_sent;
	co->co_bytes = nc->nc_bytes;
}

static void
cost_of(const struct host *h, struct cost *co)
{
	co->co_datagrams = h->h_sent;
	co->co_bytes = h->h_sent_bytes;
}

static void
cost_since(struct cost *co, const struct cost *before)
{
	co->co_datagrams -= before->co_datagrams;
	co->co_bytes -= before->co_bytes;
}

/* Less what so much time costs anyway, by a minute's cost. */
static uint64_t
less(uint64_t v, uint64_t minute, int64_t ms)
{
	minute = minute * (uint64_t)ms / 60000;
	return (v > minute ? v - minute : 0);
}

static void
cost_less(struct cost *co, const struct cost *minute, int64_t ms)
{
	co->co_datagrams = less(co->co_datagrams, minute->co_datagrams, ms);
	co->co_bytes = less(co->co_bytes, minute->co_bytes, ms);
}

/* What a sniffer counts: datagrams of some lengths from a host (NULL: all but
 * roots, which relay), to one address (0: any). */
struct sniffer {
	struct sim	*sn_sim;
	const struct host *sn_from;
	uint64_t	 sn_to;
	size_t		 sn_min, sn_max;
	uint64_t	 sn_n;
};

static void
sniff(void *arg, const struct dgram *dg)
{
	struct sniffer	*sn = arg;

	if (dg->dg_len < sn->sn_min || dg->dg_len > sn->sn_max ||
	    (sn->sn_from != NULL ?
	    dg->dg_origin != sn->sn_from->h_index :
	    dg->dg_origin < sim_nroots(sn->sn_sim)) ||
	    (sn->sn_to != 0 && packet_dest(dg->dg_bytes) != sn->sn_to))
		return;
	sn->sn_n++;
}

static void
sniff_start(struct sniffer *sn, struct sim *s, const struct host *from,
    uint64_t to, size_t min, size_t max)
{
	sn->sn_sim = s;
	sn->sn_from = from;
	sn->sn_to = to;
	sn->sn_min = min;
	sn->sn_max = max;
	sn->sn_n = 0;
	net_watch(sim_net(s), sniff, sn);
}

/* Members arrive one after the other; then all ports are up. */
static void
members_arrive(struct run *r, struct vnet *v, unsigned n)
{
	struct host	*h;
	unsigned	 i;

	for (i = 0; i < n; i++) {
		h = somebody(v->v_sim);
		(void)vnet_member(v, h);
		host_start(h);
		sim_run(v->v_sim, ARRIVAL_MS / n);
	}
	must(r, sim_until(v->v_sim, UP_MS, vnet_all_up, v),
	    "every member gets its configuration");
}

/* --- broadcast -------------------------------------------------------- */

#define CAST_MS		10000	/* a broadcast is over by then */
#define CAST_LEN	200
#define SETTLE_MS	30000
#define BACK_MS		1000
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
	if (all.co_datagrams < own.co_datagrams)
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
	members_arrive(r, v, n);
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

	v = cast_start(r, limit, r->r_small ? 100 : 1000, replicated);
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

/* Everybody has spoken once: all know all. */
static void
cast_known(struct run *r, struct table *t)
{
	const char	*net = "all know all";
	struct cost	 before, rest;
	struct member	*m;
	struct vnet	*v;
	uint64_t	 back;
	unsigned	 i;

	v = cast_start(r, 1000, r->r_small ? 30 : 100, false);
	before = rest_row(t, v, net, "at rest, a minute");
	for (i = 0; i < v->v_n; i++) {
		vnet_cast(v->v_members[i], CAST_LEN);
		sim_run(v->v_sim, 1000);
	}
	sim_run(v->v_sim, SETTLE_MS);
	m = v->v_members[1];
	back = m->m_host->h_received_bytes;
	vnet_cast(m, CAST_LEN);
	sim_run(v->v_sim, BACK_MS);
	back = m->m_host->h_received_bytes - back;
	table_row(t, "%s\tback to the sender, 1 s\t\t%llu", net, (ull)back);
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

/* Two join at the same time; one asks for the other as soon as both have an
 * address, or as soon as itself has one. */
static void
ask_pairs(struct run *r, struct table *t, struct vnet *v, bool blindly)
{
	struct answers	 an;
	struct member	*both[2];
	unsigned	 i, k, n = r->r_small ? 20 : 200;

	memset(&an, 0, sizeof(an));
	for (i = 0; i < n; i++) {
		for (k = 0; k < 2; k++)
			both[k] = vnet_member(v, somebody(v->v_sim));
		host_start(both[0]->m_host);
		if (blindly)
			sim_run(v->v_sim, (int64_t)(sim_random(v->v_sim) %
			    500));
		host_start(both[1]->m_host);
		if (blindly)
			while (both[0]->m_up == 0)
				sim_run(v->v_sim, 1);
		else
			must(r, sim_until(v->v_sim, UP_MS, both_up, both),
			    "both get a configuration");
		ask(&an, both[0], both[1]);
		for (k = 0; k < 2; k++)
			host_stop(both[k]->m_host);
	}
	answers_row(r, t, &an, blindly ? "two join, one asks at once" :
	    "two have just joined", blindly ? 1500 : 500,
	    blindly ? 3000 : 1500);
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
	net_watch(sim_net(v->v_sim), NULL, NULL);
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

	sim_roots(s, 3);
	v = vnet_new(s, 10);
	host_start(v->v_con);
	members_arrive(r, v, STANDING);
	table_row(t, "who is asked for\tasked\tno answer\tms: median\t99 %%\t"
	    "datagrams of both\t99 %%");
	ask_pairs(r, t, v, false);
	ask_pairs(r, t, v, true);
	ask_silent(r, t, v);
	ask_nobody(r, t, v);
	table_end(t);
	vnet_free(v);
	sim_free(s);
}

/* --- deauthorize ------------------------------------------------------ */

#define FRIENDS		4
#define TALK_MS		200
#define REFUSE_MS	5000
#define REVOKE_LEN	(PACKET_HDR + 161)	/* NETWORK_CREDENTIALS */

/* Two links of it on each way lose a tenth. */
static void
lossy(struct host *h, unsigned permille)
{
	net_link(net_outermost(h->h_ifaces[0].if_at))->lk_loss = permille;
}

/* The first of the members talks with all, and each with some. */
static void
all_talk(struct vnet *v, struct flow **out)
{
	struct host	*h;
	unsigned	 i, k;

	for (i = 1; i < v->v_n; i++) {
		h = v->v_members[i]->m_host;
		out[i] = flow_new(v->v_sim, v->v_members[0]->m_host, h,
		    TALK_MS, 100);
		flow_start(out[i]);
		flow_start(flow_new(v->v_sim, h, v->v_members[0]->m_host,
		    TALK_MS, 100));
		for (k = 1; k <= FRIENDS; k++)
			flow_start(flow_new(v->v_sim, h, v->v_members[1 +
			    (i + k * 7) % (v->v_n - 1)]->m_host, TALK_MS,
			    100));
	}
}

static void
deauthorize(struct run *r, struct table *t, unsigned permille)
{
	static struct flow	*out[100];
	struct sniffer		 sn;
	struct vnet		*v;
	struct sim		*s = sim_new(r->r_seed);
	int64_t			 since, last = 0;
	uint64_t		 late = 0, heard = 0;
	unsigned		 i;

	sim_roots(s, 3);
	v = vnet_new(s, 10);
	host_start(v->v_con);
	members_arrive(r, v, r->r_small ? 30 : 100);
	all_talk(v, out);
	for (i = 0; i < sim_nhosts(s); i++)
		lossy(sim_host(s, i), permille);
	sim_run(s, 30000);
	for (i = 1; i < v->v_n; i++)
		flow_mark(out[i]);
	sim_run(s, REFUSE_MS);
	for (i = 1; i < v->v_n; i++)
		heard += out[i]->fl_got > 0;
	since = sim_now(s);
	sniff_start(&sn, s, NULL, 0, REVOKE_LEN, REVOKE_LEN);
	vnet_refuse(v->v_members[0]);
	sim_run(s, REFUSE_MS);
	net_watch(sim_net(s), NULL, NULL);
	for (i = 1; i < v->v_n; i++) {
		if (out[i]->fl_last - since > last)
			last = out[i]->fl_last - since;
		flow_mark(out[i]);
	}
	sim_run(s, r->r_small ? 70000 : 300000);
	for (i = 1; i < v->v_n; i++)
		late += out[i]->fl_got;
	table_row(t, "%u %%\t%u\t%llu\t%lld\t%llu\t%llu", permille * 2 / 10,
	    v->v_n, (ull)heard, (long long)last, (ull)sn.sn_n, (ull)late);
	must(r, heard == v->v_n - 1, "all hear it before");
	must(r, last < REFUSE_MS, "all refuse it within 5 s");
	must(r, late == 0, "no frame of it is accepted later");
	vnet_free(v);
	sim_free(s);
}

void
scenario_deauthorize(struct run *r)
{
	struct table	*t = table_new();

	table_row(t, "loss\tmembers\theard it\tms until the last refuses\t"
	    "revocations sent\tframes later");
	deauthorize(r, t, 0);
	deauthorize(r, t, 51);
	table_end(t);
}

/* --- join-storm ------------------------------------------------------- */

#define AWAY_MS		30000
#define JOINED_MS	60000
#define HELLO_MOST	140	/* bytes; requests are longer */

/* Hosts that are online and in no network. */
static void
join_idle(struct sim *s, unsigned n)
{
	struct host	*h;
	unsigned	 i;

	for (i = 0; i < n; i++) {
		h = somebody(s);
		h->h_nwid = 0;
		host_start(h);
		sim_run(s, ARRIVAL_MS / n);
	}
	(void)sim_until(s, UP_MS, sim_all_online, s);
	sim_run(s, 10000);
}

/* All of them, in the same millisecond. */
static void
join_all(struct vnet *v)
{
	struct host	*h;
	unsigned	 i;

	for (i = 0; i < sim_nhosts(v->v_sim); i++) {
		h = sim_host(v->v_sim, i);
		if (h != v->v_con && i >= sim_nroots(v->v_sim))
			(void)vnet_member(v, h);
	}
}

/* Where the controller is when they ask for it. */
enum away {
	AWAY_KNOWN,		/* roots know it, it does not run */
	AWAY_NEVER,		/* nobody has ever seen it */
	AWAY_LATER,		/* it was there, all have a configuration */
	AWAYS
};

static const char *const	away_names[AWAYS] = {
	"known", "never seen", "gone later"
};

static void
storm_row(struct run *r, struct table *t, struct vnet *v, enum away away,
    uint64_t requests, uint64_t datagrams, size_t grown)
{
	struct samples	 sa = { 0, NULL };
	uint64_t	 got = 0;
	int64_t		 since = v->v_con->h_started;
	unsigned	 i, joined = 0;
	struct member	*m;

	for (i = 0; i < v->v_n; i++) {
		m = v->v_members[i];
		got += m->m_requests;
		joined += m->m_requested >= since;
		samples_add(&sa, away == AWAY_LATER ? m->m_requested - since :
		    m->m_up - since);
	}
	table_row(t, "%s\t%u\t%llu.%llu\t%llu\t%u\t%lld\t%lld\t%lld\t"
	    "%llu.%02llu\t%zu", away_names[away], v->v_n,
	    (ull)(requests / v->v_n), (ull)(requests * 10 / v->v_n % 10),
	    (ull)(datagrams / v->v_n), joined,
	    (long long)samples_at(&sa, 500), (long long)samples_at(&sa, 990),
	    (long long)samples_at(&sa, 1000), (ull)(got / v->v_n),
	    (ull)(got * 100 / v->v_n % 100), grown / 1024 / v->v_n);
	must(r, requests <= 14 * v->v_n, "%s: one request in 5 s",
	    away_names[away]);
	must(r, datagrams <= 150 * v->v_n, "%s: and not much else",
	    away_names[away]);
	must(r, joined == v->v_n, "%s: all members get a configuration",
	    away_names[away]);
	must(r, samples_at(&sa, 1000) <= 20000, "%s: within 20 s",
	    away_names[away]);
	must(r, grown / v->v_n <= 256 << 10, "%s: memory is bounded",
	    away_names[away]);
	samples_free(&sa);
}

/* All of them have asked since it is there. */
static bool
all_asked(void *arg)
{
	const struct vnet	*v = arg;
	unsigned		 i;

	for (i = 0; i < v->v_n; i++) {
		if (v->v_members[i]->m_requested < v->v_con->h_started)
			return (false);
	}
	return (true);
}

static void
join_storm(struct run *r, struct table *t, enum away away)
{
	struct sniffer	 sn;
	struct cost	 co, co0;
	struct vnet	*v;
	struct sim	*s = sim_new(r->r_seed);
	size_t		 before, most;
	unsigned	 i;

	sim_roots(s, 3);
	v = vnet_new(s, 10);
	if (away != AWAY_NEVER) {
		host_start(v->v_con);
		sim_run(s, 20000);
	}
	join_idle(s, r->r_small ? 100 : 1000);
	before = sim_memory();
	if (away == AWAY_LATER) {
		join_all(v);
		must(r, sim_until(s, UP_MS, vnet_all_up, v), "all join");
	}
	host_stop(v->v_con);
	if (away == AWAY_LATER)
		sim_run(s, 2 * UP_MS);	/* now they want a new one */
	else
		join_all(v);
	sniff_start(&sn, s, NULL, v->v_con->h_id.id_addr, HELLO_MOST,
	    PACKET_MAX);
	cost_all(s, &co0);
	sim_run(s, AWAY_MS);
	cost_all(s, &co);
	cost_since(&co, &co0);
	net_watch(sim_net(s), NULL, NULL);
	most = sim_memory();
	for (i = 0; i < v->v_n; i++)
		v->v_members[i]->m_requests = 0;
	host_start(v->v_con);
	(void)sim_until(s, JOINED_MS, away == AWAY_LATER ? all_asked :
	    vnet_all_up, v);
	if (sim_memory() > most)
		most = sim_memory();
	storm_row(r, t, v, away, sn.sn_n * 60000 / AWAY_MS,
	    co.co_datagrams * 60000 / AWAY_MS, most > before ?
	    most - before : 0);
	vnet_free(v);
	sim_free(s);
}

void
scenario_join_storm(struct run *r)
{
	struct table	*t = table_new();
	unsigned	 i;

	table_row(t, "controller\tmembers\trequests/min, each\tdatagrams/min"
	    "\tserved\tms: 50 %%\t99 %%\tall\trequests got, each\t"
	    "KiB grown, each");
	for (i = 0; i < AWAYS; i++)
		join_storm(r, t, (enum away)i);
	table_end(t);
}

/* --- credentials ------------------------------------------------------ */

#define CAPS		NETCONF_CAPS
#define PUSH_MS		50000

/* Capability k allows frames of kind k; together with tag k those of kind
 * CAPS + k. */
static void
capability_k(struct capability *cap, const struct member *m, unsigned k,
    int64_t ts)
{
	struct rule	*ru = cap->cap_rules;
	unsigned	 i;

	cap->cap_nwid = m->m_net->v_nwid;
	cap->cap_ts = ts;
	cap->cap_id = k;
	cap->cap_maxcustody = 1;
	ru[0].r_t = MATCH_ETHERTYPE;
	ru[0].r_u.ethertype = (uint16_t)(SIM_KINDS + k);
	ru[1].r_t = ACTION_ACCEPT;
	ru[2].r_t = MATCH_ETHERTYPE;
	ru[2].r_u.ethertype = (uint16_t)(SIM_KINDS + CAPS + k);
	ru[3].r_t = MATCH_TAG_SENDER;
	ru[3].r_u.tag.id = k;
	ru[3].r_u.tag.value = k;
	ru[4].r_t = ACTION_ACCEPT;
	/* The rest is as long as rules can be. */
	for (i = 5; i < CAPABILITY_RULES; i++) {
		ru[i].r_t = MATCH_IPV6_SOURCE;
		clock_random_bytes(sim_clock(m->m_net->v_sim),
		    ru[i].r_u.ip.ip, 16);
		ru[i].r_u.ip.bits = 128;
	}
	cap->cap_nrules = CAPABILITY_RULES;
	capability_sign(cap, &m->m_net->v_con->h_id,
	    m->m_host->h_id.id_addr);
}

/* The first member has all that one can have, the others nothing. */
static void
more(const struct member *m, struct netconf *nc)
{
	struct tag	*tag;
	unsigned	 k;

	nc->nc_nrules = 0;
	if (m != m->m_net->v_members[0])
		return;
	nc->nc_caps = calloc(CAPS, sizeof(*nc->nc_caps));
	nc->nc_tags = calloc(CAPS, sizeof(*nc->nc_tags));
	if (nc->nc_caps == NULL || nc->nc_tags == NULL)
		return;
	nc->nc_ncaps = nc->nc_ntags = CAPS;
	for (k = 0; k < CAPS; k++) {
		capability_k(&nc->nc_caps[k], m, k, nc->nc_ts);
		tag = &nc->nc_tags[k];
		tag->tag_nwid = nc->nc_nwid;
		tag->tag_ts = nc->nc_ts;
		tag->tag_id = tag->tag_value = k;
		tag->tag_to = nc->nc_to;
		tag_sign(tag, &m->m_net->v_con->h_id);
	}
}

static void
send_kinds(struct member *from, const struct member *to, unsigned first,
    unsigned n)
{
	uint8_t		 p[64] = { 0 };
	unsigned	 k;

	for (k = first; k < first + n; k++)
		vnet_frame(from, mac_from_addr(to->m_host->h_id.id_addr,
		    from->m_net->v_nwid), (uint16_t)(SIM_KINDS + k), p,
		    sizeof(p));
}

/* Frames all the time, or one and then nothing for a while. */
static void
credentials(struct run *r, struct table *t, bool busy, unsigned permille)
{
	struct member	*from, *to;
	struct cost	 co, co0;
	struct vnet	*v;
	struct sim	*s = sim_new(r->r_seed);
	int64_t		 since, caps = -1, all = -1, now;

	sim_roots(s, 3);
	v = vnet_new(s, 10);
	v->v_more = more;
	host_start(v->v_con);
	from = vnet_member(v, side_host(s, SIDE_PORT_RESTRICTED, 10));
	to = vnet_member(v, side_host(s, SIDE_RESTRICTED, 10));
	host_start(from->m_host);
	host_start(to->m_host);
	must(r, sim_until(s, UP_MS, vnet_all_up, v), "both are up");
	lossy(from->m_host, permille);
	lossy(to->m_host, permille);
	since = sim_now(s);
	cost_of(from->m_host, &co0);
	if (!busy) {
		send_kinds(from, to, 0, 1);
		sim_run(s, PUSH_MS);
	}
	for (now = since; now < since + UP_MS * 3 && to->m_kinds < 2 * CAPS;
	    now = sim_now(s)) {
		send_kinds(from, to, 0, 2 * CAPS);
		sim_run(s, 500);
		if (caps == -1 && to->m_kind[CAPS - 1])
			caps = sim_now(s) - since;
	}
	if (to->m_kinds == 2 * CAPS)
		all = sim_now(s) - since;
	cost_of(from->m_host, &co);
	cost_since(&co, &co0);
	table_row(t, "%s\t%u %%\t%u\t%lld\t%lld\t%llu", busy ?
	    "all the time" : "one, then 50 s later", permille * 2 / 10,
	    to->m_kinds, (long long)caps, (long long)all,
	    (ull)co.co_bytes / 1024);
	must(r, all != -1, "all credentials arrive");
	must(r, permille > 0 || all <= (busy ? 30000 : PUSH_MS + 1000),
	    "in time");
	vnet_free(v);
	sim_free(s);
}

void
scenario_credentials(struct run *r)
{
	struct table	*t = table_new();

	table_row(t, "frames\tloss\tkinds let in\tms: last capability\t"
	    "ms: all\tKiB sent");
	credentials(r, t, true, 0);
	credentials(r, t, false, 0);
	if (!r->r_small)
		credentials(r, t, true, 20);
	table_end(t);
}
