/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Strangers: a storm of HELLOs, and recorded datagrams.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/packet.h"
#include "regress/sim/issue.h"
#include "regress/sim/scenario.h"

/* --- hello-storm ------------------------------------------------------ */

#define RATE		10000	/* HELLOs a second, */
#define SLICE_MS	1	/* so many at once: */
#define SLICE		(RATE * SLICE_MS / 1000)
#define STORM_MS	10000
#define KNOWN		8	/* identities that the root accepted */
#define GOOD_PAIRS	4
#define FRAME_MS	100
#define BALANCES	(1 << 20)	/* of what addresses are owed */

/* Who sends them. */
enum sender { SENDER_FORGED, SENDER_NEW, SENDER_KNOWN, SENDERS };

static const char *const	sender_names[SENDERS] = {
	"identities without work", "new valid identities",
	"known identities"
};

struct storm {
	struct sim	*st_sim;
	struct host	*st_root;
	enum sender	 st_sender;
	struct identity	 st_known[KNOWN];
	struct pair	 st_pairs[GOOD_PAIRS];
	struct inet_addr st_to;
	bool		 st_on;
	uint64_t	 st_sent, st_bytes;	/* to the root */
	uint64_t	 st_back, st_back_bytes;	/* to those sources */
	uint64_t	 st_overdrawn;	/* datagrams that were not paid for */
	/* Bytes that came from an address minus those sent there; addresses
	 * share one where their hash is the same. */
	int32_t		 st_balance[BALANCES];
};

/* A HELLO as anybody may make it: 02 section 4.2. */
static size_t
hello_make(struct storm *st, const struct identity *id, uint8_t *p)
{
	struct packet_keys keys;
	struct wbuf	 wb;
	uint8_t		 key[KEY48_LEN];
	size_t		 tail;

	if (identity_agree(id, &st->st_root->h_id, key) == -1)
		return (0);
	packet_keys_init(&keys, key);
	wbuf_init(&wb, p, PACKET_MAX);
	packet_header(&wb, sim_random(st->st_sim),
	    st->st_root->h_id.id_addr, id->id_addr, VERB_HELLO);
	wbuf_u8(&wb, 12);
	wbuf_u8(&wb, 1);
	wbuf_u8(&wb, 14);
	wbuf_u16(&wb, 0);
	wbuf_u64(&wb, (uint64_t)sim_now(st->st_sim));
	identity_put(&wb, id, false);
	inet_put(&wb, &st->st_to);
	/* Hoping for a planet, which is long. */
	wbuf_u64(&wb, 4711);
	wbuf_u64(&wb, 1);
	tail = wb.wb_len;
	wbuf_u16(&wb, 0);
	packet_hello_crypt(p, p + tail, wb.wb_len - tail, key);
	packet_seal(p, wb.wb_len, SUITE_POLY1305, &keys);
	packet_keys_clear(&keys);
	return (wb.wb_len);
}

/* Sources that nobody has: 203.x.y.z, any port. */
static void
spoofed(struct storm *st, struct inet_addr *ia)
{
	uint64_t	 v = sim_random(st->st_sim);

	memset(ia, 0, sizeof(*ia));
	ia->ia_family = 4;
	ia->ia_ip[0] = 203;
	ia->ia_ip[1] = (uint8_t)v;
	ia->ia_ip[2] = (uint8_t)(v >> 8);
	ia->ia_ip[3] = (uint8_t)(v >> 16);
	ia->ia_port = (uint16_t)(v >> 24 | 1);
}

static int32_t *
balance(struct storm *st, const struct inet_addr *ia)
{
	uint64_t	 x = (uint64_t)ia->ia_ip[1] << 32 |
			    (uint64_t)ia->ia_ip[2] << 24 |
			    (uint64_t)ia->ia_ip[3] << 16 | ia->ia_port;

	return (&st->st_balance[x * 0x9e3779b97f4a7c15ULL >> 44]);
}

static void
storm_one(struct storm *st)
{
	struct identity	 fresh;
	struct inet_addr from;
	uint8_t		 p[PACKET_MAX];
	const struct identity *id = &fresh;
	size_t		 len;

	if (st->st_sender == SENDER_KNOWN)
		id = &st->st_known[sim_random(st->st_sim) % KNOWN];
	else if (st->st_sender == SENDER_NEW)
		issue(&fresh, sim_clock(st->st_sim));
	else
		issue_bad(&fresh, sim_clock(st->st_sim));
	if ((len = hello_make(st, id, p)) == 0)
		return;
	spoofed(st, &from);
	st->st_sent++;
	st->st_bytes += len;
	*balance(st, &from) += (int32_t)len;
	net_spoof(sim_net(st->st_sim), &from, &st->st_to, p, len);
}

static void
storm_slice(void *arg, void *bytes, size_t len)
{
	struct storm	*st = arg;
	unsigned	 i;

	(void)bytes;
	(void)len;
	if (!st->st_on)
		return;
	for (i = 0; i < SLICE; i++)
		storm_one(st);
	(void)clock_at(sim_clock(st->st_sim), sim_now(st->st_sim) + SLICE_MS,
	    storm_slice, st, NULL, 0);
}

static void
storm_tap(void *arg, const struct dgram *dg)
{
	struct storm	*st = arg;

	if (dg->dg_to.ia_family != 4 || dg->dg_to.ia_ip[0] != 203)
		return;
	st->st_back++;
	st->st_back_bytes += dg->dg_len;
	*balance(st, &dg->dg_to) -= (int32_t)dg->dg_len;
	st->st_overdrawn += *balance(st, &dg->dg_to) < 0;
}

/* The root has accepted them before: each was a node for a while. */
static void
make_known(struct storm *st)
{
	struct host	*h = side_host(st->st_sim, SIDE_OPEN, 10);
	unsigned	 i;

	h->h_nwid = 0;
	for (i = 0; i < KNOWN; i++) {
		host_renew(h);
		st->st_known[i] = h->h_id;
		host_start(h);
		sim_run(st->st_sim, 3000);
		host_stop(h);
	}
}

static void
storm_world(struct storm *st, uint64_t seed)
{
	struct host	*a[GOOD_PAIRS], *b[GOOD_PAIRS];
	unsigned	 i;

	st->st_sim = sim_new(seed);
	sim_roots(st->st_sim, 1);
	st->st_root = sim_root(st->st_sim, 0);
	st->st_to = st->st_root->h_ifaces[0].if_addr[0];
	st->st_to.ia_port = SIM_PORT;
	make_known(st);
	for (i = 0; i < GOOD_PAIRS; i++) {
		/* Relayed: these need the root. */
		a[i] = side_host(st->st_sim, SIDE_RANDOM, 10);
		b[i] = side_host(st->st_sim, SIDE_PORT_RESTRICTED, 10);
		host_start(a[i]);
		host_start(b[i]);
		sim_run(st->st_sim, 1000);
	}
	(void)sim_until(st->st_sim, 30000, sim_all_online, st->st_sim);
	for (i = 0; i < GOOD_PAIRS; i++) {
		pair_join(&st->st_pairs[i], st->st_sim, a[i], b[i], FRAME_MS,
		    100);
		pair_start(&st->st_pairs[i]);
	}
	sim_run(st->st_sim, 10000);
}

static void
storm_must(struct run *r, struct storm *st)
{
	struct pair	*p;
	unsigned	 i;

	for (i = 0; i < GOOD_PAIRS; i++) {
		p = &st->st_pairs[i];
		must(r, p->p_ab->fl_got * 100 >= p->p_ab->fl_sent * 97 &&
		    p->p_ba->fl_got * 100 >= p->p_ba->fl_sent * 97,
		    "%s: honest frames get through",
		    sender_names[st->st_sender]);
		must(r, p->p_a->h_offlines + p->p_b->h_offlines == 0,
		    "%s: honest nodes stay online",
		    sender_names[st->st_sender]);
	}
	must(r, st->st_back_bytes <= st->st_bytes && st->st_overdrawn == 0,
	    "%s: no more is sent to an address than came from it",
	    sender_names[st->st_sender]);
}

static void
storm(struct run *r, struct table *t, enum sender sender)
{
	static struct storm	 st;
	struct node_status	 ns;
	struct host		*late;
	size_t			 before, grown;
	uint64_t		 checks;
	char			 online[TABLE_CELL];

	memset(&st, 0, sizeof(st));
	st.st_sender = sender;
	storm_world(&st, r->r_seed);
	late = side_host(st.st_sim, SIDE_PORT_RESTRICTED, 10);
	net_watch(sim_net(st.st_sim), storm_tap, &st);
	pair_mark(&st.st_pairs[0]);
	before = sim_memory();
	checks = issue_checks();
	st.st_on = true;
	storm_slice(&st, NULL, 0);
	sim_run(st.st_sim, 2000);
	host_start(late);
	sim_run(st.st_sim, (r->r_small ? 3000 : STORM_MS) - 2000);
	checks = issue_checks() - checks;
	st.st_on = false;
	(void)cell_ms(online, late->h_online ? late->h_online_at -
	    late->h_started : -1);
	sim_run(st.st_sim, 2000);
	grown = sim_memory();
	grown = grown > before ? grown - before : 0;
	host_status(st.st_root, &ns);
	table_row(t, "%s\t%llu\t%llu\t%llu\t%llu\t%llu\t%zu\t%zu\t%zu\t%s",
	    sender_names[sender], (unsigned long long)st.st_sent,
	    (unsigned long long)st.st_bytes,
	    (unsigned long long)st.st_back,
	    (unsigned long long)st.st_back_bytes,
	    (unsigned long long)checks, ns.ns_npeers, ns.ns_npaths,
	    grown / 1024, online);
	storm_must(r, &st);
	must(r, late->h_online, "%s: a new node gets in meanwhile",
	    sender_names[sender]);
	must(r, checks <= (r->r_small ? 3 : STORM_MS / 1000) * 50 + 50,
	    "%s: at most 50 proofs of work are checked a second",
	    sender_names[sender]);
	must(r, grown <= 64 << 20, "%s: memory is bounded",
	    sender_names[sender]);
	sim_free(st.st_sim);
}

void
scenario_hello_storm(struct run *r)
{
	struct table	*t = table_new();
	unsigned	 i;

	table_row(t, "from\tHELLOs\tbytes\tanswers\tbytes\tchecks\tpeers\t"
	    "paths\tKiB grown\tms: new node online");
	for (i = 0; i < SENDERS; i++)
		storm(r, t, (enum sender)i);
	table_end(t);
}

/* --- replay ----------------------------------------------------------- */

#define TAKEN		2000

/* A recorder between two hosts. */
struct recorder {
	struct host	*re_a;
	bool		 re_on;
	unsigned	 re_n;
	struct dgram	*re_taken[TAKEN];
};

static void
record(void *arg, const struct dgram *dg)
{
	struct recorder	*re = arg;
	struct dgram	*copy;

	if (!re->re_on || dg->dg_origin != re->re_a->h_index ||
	    re->re_n == TAKEN || (copy = malloc(sizeof(*dg) +
	    dg->dg_len)) == NULL)
		return;
	memcpy(copy, dg, sizeof(*dg) + dg->dg_len);
	re->re_taken[re->re_n++] = copy;
}

/* What must not change by it. */
struct state {
	uint64_t	 s_frames;
	struct node_peer s_peer;
	size_t		 s_surface;
	size_t		 s_npeers;
};

static void
state_get(struct host *h, const struct host *other, struct state *s)
{
	struct inet_addr	 ia[64];
	struct node_status	 ns;

	memset(s, 0, sizeof(*s));
	s->s_frames = h->h_frames;
	(void)host_peer(h, other, &s->s_peer);
	s->s_surface = node_surface(h->h_node, ia, 64);
	host_status(h, &ns);
	s->s_npeers = ns.ns_npeers;
}

static bool
same_paths(const struct node_peer *a, const struct node_peer *b)
{
	unsigned	 i;

	if (a->nr_npaths != b->nr_npaths)
		return (false);
	for (i = 0; i < a->nr_npaths; i++) {
		if (!inet_equal(&a->nr_paths[i].np_addr,
		    &b->nr_paths[i].np_addr) || a->nr_paths[i].np_preferred !=
		    b->nr_paths[i].np_preferred)
			return (false);
	}
	return (true);
}

/* From another address, or from the same one. */
static void
replay_all(struct sim *s, const struct recorder *re, bool elsewhere)
{
	struct inet_addr from;
	const struct dgram *dg;
	unsigned	 i;

	memset(&from, 0, sizeof(from));
	from.ia_family = 4;
	from.ia_ip[0] = 66;
	from.ia_ip[3] = 6;
	from.ia_port = 666;
	for (i = 0; i < re->re_n; i++) {
		dg = re->re_taken[i];
		if (dg->dg_to.ia_family == 4)
			net_spoof(sim_net(s), elsewhere ? &from :
			    &dg->dg_from, &dg->dg_to, dg->dg_bytes,
			    dg->dg_len);
	}
}

static void
replay(struct run *r, struct table *t, int64_t wait, bool elsewhere)
{
	struct recorder	 re;
	struct state	 s0, s1;
	struct node_status ns0, ns1;
	struct pair	 p;
	unsigned	 i;

	pair_new(&p, r->r_seed, SIDE_OPEN, SIDE_OPEN, FRAME_MS, 100);
	memset(&re, 0, sizeof(re));
	re.re_a = p.p_a;
	net_watch(sim_net(p.p_sim), record, &re);
	pair_start(&p);
	(void)pair_direct(&p, 20000);
	re.re_on = true;
	sim_run(p.p_sim, 20000);
	re.re_on = false;
	flow_stop(p.p_ab);
	flow_stop(p.p_ba);
	sim_run(p.p_sim, wait);
	state_get(p.p_b, p.p_a, &s0);
	host_status(p.p_b, &ns0);
	replay_all(p.p_sim, &re, elsewhere);
	sim_run(p.p_sim, 5000);
	state_get(p.p_b, p.p_a, &s1);
	host_status(p.p_b, &ns1);
	table_row(t, "%s\t%lld\t%u\t%llu\t%llu\t%s",
	    elsewhere ? "another" : "the same", (long long)wait / 1000,
	    re.re_n, (unsigned long long)(ns1.ns_replays - ns0.ns_replays),
	    (unsigned long long)(s1.s_frames - s0.s_frames),
	    same_paths(&s0.s_peer, &s1.s_peer) ? "same" : "changed");
	must(r, s1.s_frames == s0.s_frames, "no frame arrives twice");
	must(r, ns1.ns_replays > ns0.ns_replays, "they are counted");
	must(r, same_paths(&s0.s_peer, &s1.s_peer), "paths are the same");
	must(r, s1.s_surface == s0.s_surface, "surface is the same");
	must(r, s1.s_npeers == s0.s_npeers, "peers are the same");
	for (i = 0; i < re.re_n; i++)
		free(re.re_taken[i]);
	pair_end(&p);
}

void
scenario_replay(struct run *r)
{
	struct table	*t = table_new();

	table_row(t, "from address\tafter s\tsent again\trefused\tframes\t"
	    "paths");
	replay(r, t, 100, true);
	replay(r, t, 100, false);
	replay(r, t, 20000, true);
	replay(r, t, 120000, true);
	table_end(t);
}
