/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Private networks: a member that is shut out, many that join at once,
 * credentials by the hundred.
 */

#include <stdlib.h>
#include <string.h>

#include "regress/lib/sanitize.h"
#include "regress/sim/count.h"
#include "regress/sim/scenario.h"
#include "regress/sim/vnet.h"

typedef unsigned long long ull;

/* --- deauthorize ------------------------------------------------------ */

#define FRIENDS		4
#define TALK_MS		200
#define REFUSE_MS	5000
#define REVOKE_LEN	(PACKET_HDR + 161)	/* NETWORK_CREDENTIALS */

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
	must(r, vnet_arrive(v, r->r_small ? 30 : 100),
	    "every member gets its configuration");
	all_talk(v, out);
	for (i = 0; i < sim_nhosts(s); i++)
		host_loses(sim_host(s, i), permille);
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
	sniff_stop(&sn);
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
		h = side_somebody(s);
		h->h_nwid = 0;
		host_start(h);
		sim_run(s, VNET_ARRIVAL_MS / n);
	}
	(void)sim_until(s, VNET_UP_MS, sim_all_online, s);
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
	join_idle(s, r->r_small ? SOME(100, 40) : 1000);
	before = sim_memory();
	if (away == AWAY_LATER) {
		join_all(v);
		must(r, sim_until(s, VNET_UP_MS, vnet_all_up, v), "all join");
	}
	host_stop(v->v_con);
	if (away == AWAY_LATER)
		sim_run(s, 2 * VNET_UP_MS);	/* now they want a new one */
	else
		join_all(v);
	sniff_start(&sn, s, NULL, v->v_con->h_id.id_addr, HELLO_MOST,
	    PACKET_MAX);
	cost_all(s, &co0);
	sim_run(s, AWAY_MS);
	cost_all(s, &co);
	cost_since(&co, &co0);
	sniff_stop(&sn);
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
#define LOSSY_MS	300000	/* they are pushed anew every minute */

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
	must(r, sim_until(s, VNET_UP_MS, vnet_all_up, v), "both are up");
	host_loses(from->m_host, permille);
	host_loses(to->m_host, permille);
	since = sim_now(s);
	cost_of(from->m_host, &co0);
	if (!busy) {
		send_kinds(from, to, 0, 1);
		sim_run(s, PUSH_MS);
	}
	for (now = since; now < since + LOSSY_MS && to->m_kinds < 2 * CAPS;
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
		credentials(r, t, true, 10);
	table_end(t);
}
