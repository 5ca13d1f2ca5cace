/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A root, a controller and members, each a whole node, on a wire in memory:
 * joining, frames, multicast, rules, de-authorisation, restart, loss.
 * The controller's decisions are made here; its node is the real one.
 */

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/netconf.h"
#include "common/world.h"
#include "regress/lib/superframe.h"
#include "regress/lib/vectors.h"
#include "regress/lib/wire.h"

#define START		1800000000000
#define PENDING		64
#define MEMBERS		3
#define TYPE_IPV4	0x0800
#define TYPE_ARP	0x0806
#define TYPE_BAD	0x88b5

/* A network as its controller sees it, and everybody concerned. */
struct lab {
	struct wire	*l_wire;
	struct wire_host *l_root;
	struct wire_host *l_con;
	struct wire_host *l_m[MEMBERS];
	uint64_t	 l_nwid;
	bool		 l_allowed[MEMBERS];
	bool		 l_public;
	uint8_t		 l_rules[64];
	size_t		 l_nrules;	/* bytes */
	unsigned	 l_requests;
	unsigned	 l_npending;
	struct {
		struct identity	from;
		uint64_t	packet;
	}		 l_pending[PENDING];
};

static struct lab	 lab;

/* --- the controller --------------------------------------------------- */

static bool
allowed(uint64_t addr)
{
	size_t	i;

	if (addr == lab.l_con->wh_id.id_addr || lab.l_public)
		return (true);
	for (i = 0; i < MEMBERS; i++)
		if (lab.l_m[i]->wh_id.id_addr == addr)
			return (lab.l_allowed[i]);
	return (false);
}

static uint8_t *
make_config(const struct identity *to, size_t *len)
{
	struct netconf	*nc;
	struct rbuf	 rb;
	uint8_t		*d;

	ATF_REQUIRE((nc = calloc(1, sizeof(*nc))) != NULL);
	nc->nc_nwid = lab.l_nwid;
	nc->nc_ts = wire_now(lab.l_wire);
	nc->nc_delta = 1800000;
	nc->nc_revision = 1;
	nc->nc_to = to->id_addr;
	nc->nc_flags = NETCONF_BROADCAST | NETCONF_NDP;
	nc->nc_mclimit = 32;
	nc->nc_public = lab.l_public;
	nc->nc_mtu = NETCONF_MTU_DEFAULT;
	memcpy(nc->nc_name, "lab", 4);
	com_make(&nc->nc_com, nc->nc_ts, nc->nc_delta, nc->nc_nwid, to);
	com_sign(&nc->nc_com, &lab.l_con->wh_id);
	addr_6plane(&nc->nc_ips[nc->nc_nips++], nc->nc_nwid, to->id_addr);
	rbuf_init(&rb, lab.l_rules, lab.l_nrules);
	ATF_REQUIRE((nc->nc_rules = calloc(16, sizeof(*nc->nc_rules))) !=
	    NULL);
	nc->nc_nrules = rules_get(&rb, nc->nc_rules, 16);
	ATF_REQUIRE(rbuf_done(&rb));
	ATF_REQUIRE((d = netconf_encode(nc, len)) != NULL);
	netconf_clear(nc);
	free(nc);
	return (d);
}

static void
answer(const struct identity *to, uint64_t packet)
{
	uint8_t		 block[NETCONF_BLOCK_MAX], *d;
	struct node	*n = lab.l_con->wh_node;
	int64_t		 now = wire_now(lab.l_wire);
	size_t		 len, blen, off, step = 300;
	uint64_t	 update = wire_random(lab.l_wire);

	if (!allowed(to->id_addr)) {
		node_con_error(n, now, lab.l_nwid, to->id_addr, packet,
		    ERR_NETWORK_ACCESS_DENIED, NULL, 0);
		return;
	}
	/* Many small chunks: they must be put together again. */
	d = make_config(to, &len);
	for (off = 0; off < len; off += step) {
		blen = netconf_chunk_make(block, &lab.l_con->wh_id,
		    lab.l_nwid, update, d, len, off,
		    len - off < step ? len - off : step);
		node_con_config(n, now, lab.l_nwid, to->id_addr, packet,
		    block, blen);
	}
	free(d);
}

static void
answer_all(void *arg)
{
	unsigned	i, n = lab.l_npending;

	(void)arg;
	lab.l_npending = 0;
	for (i = 0; i < n; i++)
		answer(&lab.l_pending[i].from, lab.l_pending[i].packet);
}

static void
con_request(struct wire_host *wh, const struct node_request *rq)
{
	lab.l_requests++;
	ATF_REQUIRE(lab.l_npending < PENDING);
	if (rq->rq_nwid != lab.l_nwid)
		return;
	lab.l_pending[lab.l_npending].from = *rq->rq_from;
	lab.l_pending[lab.l_npending++].packet = rq->rq_packet;
	ATF_REQUIRE(rq->rq_metalen > 0);
	ATF_REQUIRE_EQ(wire_later(wh->wh_wire, 0, answer_all, NULL), 0);
}

/* De-authorise a member; only this host hears of it from us. */
static void
deauthorise(size_t member, struct wire_host *tell)
{
	struct revocation	rev;
	struct wbuf		wb;
	uint8_t			p[REVOCATION_MAX];

	lab.l_allowed[member] = false;
	memset(&rev, 0, sizeof(rev));
	rev.rev_id = 1;
	rev.rev_nwid = lab.l_nwid;
	rev.rev_threshold = wire_now(lab.l_wire);
	rev.rev_flags = REVOCATION_FAST;
	rev.rev_target = lab.l_m[member]->wh_id.id_addr;
	rev.rev_type = CREDENTIAL_COM;
	revocation_sign(&rev, &lab.l_con->wh_id);
	wbuf_init(&wb, p, sizeof(p));
	revocation_put(&wb, &rev);
	ATF_REQUIRE(wbuf_ok(&wb));
	node_con_revocation(lab.l_con->wh_node, wire_now(lab.l_wire),
	    lab.l_nwid, tell->wh_id.id_addr, p, wb.wb_len);
}

/* --- the lab ---------------------------------------------------------- */

static struct wire_host *
host(json_t *ids, const char *name, const char *addr)
{
	struct identity	 id;
	const char	*text;

	text = vectors_str(vectors_get(ids, name), "secret");
	ATF_REQUIRE_EQ(identity_parse(&id, text, strlen(text)), IDENTITY_OK);
	return (wire_host(lab.l_wire, &id, addr));
}

static void
plant(void)
{
	static struct world	w;
	uint8_t			pub[IDENTITY_KEYS], priv[IDENTITY_KEYS];
	uint8_t			p[WORLD_MAX];
	struct wbuf		wb;

	memset(&w, 0, sizeof(w));
	w.w_type = WORLD_PLANET;
	w.w_id = 4711;
	w.w_ts = START;
	w.w_nroots = 1;
	w.w_roots[0].wr_identity = lab.l_root->wh_id;
	w.w_roots[0].wr_nendpoints = 1;
	w.w_roots[0].wr_endpoints[0] = lab.l_root->wh_addr;
	keypair_generate(pub, priv);
	memcpy(w.w_update_key, pub, sizeof(pub));
	world_sign(&w, pub, priv);
	wbuf_init(&wb, p, sizeof(p));
	world_put(&wb, &w);
	ATF_REQUIRE(wbuf_ok(&wb));
	wire_planet(lab.l_wire, p, wb.wb_len);
}

static void
set_rules(const char *bytes, size_t len)
{
	ATF_REQUIRE(len <= sizeof(lab.l_rules));
	memcpy(lab.l_rules, bytes, len);
	lab.l_nrules = len;
}

static void
lab_start(const atf_tc_t *tc, uint64_t seed)
{
	json_t	*doc, *ids;
	size_t	 i;

	ATF_REQUIRE_EQ(crypto_init(), 0);
	memset(&lab, 0, sizeof(lab));
	ATF_REQUIRE((lab.l_wire = wire_new(seed, START, 5)) != NULL);
	doc = vectors_load(tc, "credentials.json");
	ids = vectors_get(doc, "identities");
	lab.l_root = host(ids, "other_controller", "10.1.1.1/9993");
	lab.l_con = host(ids, "controller", "10.2.1.1/9993");
	lab.l_m[0] = host(ids, "m1", "10.3.1.1/9993");
	lab.l_m[1] = host(ids, "m2", "10.4.1.1/9993");
	lab.l_m[2] = host(ids, "m3", "10.5.1.1/9993");
	json_decref(doc);
	ATF_REQUIRE(lab.l_root != NULL && lab.l_con != NULL);
	plant();
	lab.l_nwid = lab.l_con->wh_id.id_addr << 24 | 0xa1b2;
	lab.l_con->wh_request = con_request;
	set_rules("\001\000", 2);		/* accept */
	ATF_REQUIRE_EQ(wire_start(lab.l_root), 0);
	ATF_REQUIRE_EQ(wire_start(lab.l_con), 0);
	for (i = 0; i < MEMBERS; i++) {
		ATF_REQUIRE(lab.l_m[i] != NULL);
		lab.l_allowed[i] = true;
		ATF_REQUIRE_EQ(wire_start(lab.l_m[i]), 0);
	}
}

static void
lab_end(void)
{
	wire_free(lab.l_wire);
}

static void
join(struct wire_host *wh)
{
	ATF_REQUIRE_EQ(node_join(wh->wh_node, wire_now(lab.l_wire),
	    lab.l_nwid), 0);
}

static bool
is_ok(void *arg)
{
	return (wire_status(arg, lab.l_nwid) == NET_OK);
}

static bool
is_denied(void *arg)
{
	return (wire_status(arg, lab.l_nwid) == NET_ACCESS_DENIED);
}

static void
join_all(size_t n)
{
	size_t	i;

	for (i = 0; i < n; i++)
		join(lab.l_m[i]);
	for (i = 0; i < n; i++)
		ATF_REQUIRE(wire_until(lab.l_wire, 10000, is_ok,
		    lab.l_m[i]));
}

static uint64_t
mac(const struct wire_host *wh)
{
	return (mac_from_addr(wh->wh_id.id_addr, lab.l_nwid));
}

static void
send_frame(struct wire_host *from, uint64_t dst, uint16_t type,
    const void *p, size_t len)
{
	node_frame(from->wh_node, wire_now(lab.l_wire), lab.l_nwid, dst,
	    mac(from), type, p, len, NULL);
}

static uint64_t	 frames_wanted;

static bool
has_frames(void *arg)
{
	const struct wire_host	*wh = arg;

	return (wh->wh_nframes >= frames_wanted);
}

/* One frame from a to b, which arrives within ms, or does not. */
static bool
passes(struct wire_host *a, struct wire_host *b, uint16_t type, size_t len,
    int64_t ms)
{
	const struct wire_frame	*wf;
	uint8_t			 p[NETCONF_MTU_DEFAULT];
	size_t			 i;

	for (i = 0; i < len; i++)
		p[i] = (uint8_t)wire_random(lab.l_wire);
	frames_wanted = b->wh_nframes + 1;
	send_frame(a, mac(b), type, p, len);
	/* A frame given up earlier may still come: it is not this one. */
	do {
		if (!wire_until(lab.l_wire, ms, has_frames, b))
			return (false);
		wf = wire_last_frame(b);
		frames_wanted = b->wh_nframes + 1;
	} while (wf->wf_len != len || memcmp(wf->wf_bytes, p, len) != 0);
	ATF_REQUIRE_EQ(wf->wf_nwid, lab.l_nwid);
	ATF_REQUIRE_EQ(wf->wf_src, mac(a));
	ATF_REQUIRE_EQ(wf->wf_dst, mac(b));
	ATF_REQUIRE_EQ(wf->wf_type, type);
	return (true);
}

/* --- the tests -------------------------------------------------------- */

ATF_TC_WITHOUT_HEAD(join_and_ping);
ATF_TC_BODY(join_and_ping, tc)
{
	struct wire_host	*a, *b;
	int64_t			 t;
	size_t			 len;

	lab_start(tc, 1);
	a = lab.l_m[0];
	b = lab.l_m[1];
	/* Joined before anything is online: the first tick will do. */
	join_all(2);
	ATF_REQUIRE_MSG(wire_now(lab.l_wire) - START < 2000, "%lld ms",
	    (long long)(wire_now(lab.l_wire) - START));
	/* The first frame needs identity, path and credentials. */
	t = wire_now(lab.l_wire);
	ATF_REQUIRE(passes(a, b, TYPE_IPV4, 100, 3000));
	ATF_REQUIRE(passes(b, a, TYPE_IPV4, 100, 3000));
	ATF_CHECK_MSG(wire_now(lab.l_wire) - t < 200, "%lld ms",
	    (long long)(wire_now(lab.l_wire) - t));
	wire_run(lab.l_wire, 5000);
	/* Now there is a direct path: one way takes 5 ms. */
	for (len = 1; len <= NETCONF_MTU_DEFAULT; len += 333) {
		t = wire_now(lab.l_wire);
		ATF_REQUIRE(passes(a, b, TYPE_IPV4, len, 1000));
		ATF_REQUIRE_EQ(wire_now(lab.l_wire) - t, 5);
	}
	/* An hour of conversation: certificates must be renewed in time. */
	for (t = 0; t < 60; t++) {
		wire_run(lab.l_wire, 60000);
		ATF_REQUIRE(passes(a, b, TYPE_IPV4, 64, 1000));
		ATF_REQUIRE(passes(b, a, TYPE_IPV4, 64, 1000));
	}
	/* Silence for longer than anything is remembered. */
	wire_run(lab.l_wire, 6 * 3600 * 1000);
	ATF_REQUIRE(passes(a, b, TYPE_IPV4, 64, 5000));
	lab_end();
}

ATF_TC_WITHOUT_HEAD(denied);
ATF_TC_BODY(denied, tc)
{
	lab_start(tc, 2);
	lab.l_allowed[2] = false;
	join_all(2);
	join(lab.l_m[2]);
	ATF_REQUIRE(wire_until(lab.l_wire, 10000, is_denied, lab.l_m[2]));
	send_frame(lab.l_m[2], mac(lab.l_m[0]), TYPE_IPV4, "x", 1);
	wire_run(lab.l_wire, 10000);
	ATF_REQUIRE_EQ(lab.l_m[0]->wh_nframes, 0);
	/* Let in: it asks every five seconds. */
	lab.l_allowed[2] = true;
	ATF_REQUIRE(wire_until(lab.l_wire, 6000, is_ok, lab.l_m[2]));
	ATF_REQUIRE(passes(lab.l_m[2], lab.l_m[0], TYPE_IPV4, 50, 3000));
	lab_end();
}

/* An ARP request for 10.0.0.<last>. */
static void
arp(struct wire_host *from, uint8_t last)
{
	uint8_t	p[28] = {
		0, 1, 8, 0, 6, 4, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1,
		0, 0, 0, 0, 0, 0, 10, 0, 0, 0
	};

	p[27] = last;
	send_frame(from, MAC_BROADCAST, TYPE_ARP, p, sizeof(p));
}

static void
subscribe(struct wire_host *wh, uint8_t last)
{
	struct inet_addr	ia;
	struct mgroup		mg;

	memset(&ia, 0, sizeof(ia));
	ia.ia_family = 4;
	ia.ia_ip[0] = 10;
	ia.ia_ip[3] = last;
	node_group_of_ip(&mg, &ia);
	node_groups(wh->wh_node, wire_now(lab.l_wire), lab.l_nwid, &mg, 1);
}

ATF_TC_WITHOUT_HEAD(arp_multicast);
ATF_TC_BODY(arp_multicast, tc)
{
	struct wire_host	*a, *b, *c;

	lab_start(tc, 3);
	a = lab.l_m[0];
	b = lab.l_m[1];
	c = lab.l_m[2];
	join_all(3);
	subscribe(b, 2);
	subscribe(c, 3);
	wire_run(lab.l_wire, 1000);
	/* Nobody has talked to anybody: a learns of b by gathering. */
	frames_wanted = 1;
	arp(a, 2);
	ATF_REQUIRE(wire_until(lab.l_wire, 3000, has_frames, b));
	ATF_REQUIRE_EQ(wire_last_frame(b)->wf_dst, MAC_BROADCAST);
	ATF_REQUIRE_EQ(wire_last_frame(b)->wf_src, mac(a));
	wire_run(lab.l_wire, 3000);
	ATF_REQUIRE_EQ(b->wh_nframes, 1);
	ATF_REQUIRE_EQ(c->wh_nframes, 0);
	/* The next one goes straight. */
	arp(a, 2);
	wire_run(lab.l_wire, 100);
	ATF_REQUIRE_EQ(b->wh_nframes, 2);
	/* A group without members; one that gets its member meanwhile. */
	arp(a, 9);
	wire_run(lab.l_wire, 2000);
	subscribe(c, 9);
	wire_run(lab.l_wire, 2500);
	ATF_REQUIRE_EQ(c->wh_nframes, 0);
	arp(a, 9);
	wire_run(lab.l_wire, 1000);
	/* The first one was still queued and went along. */
	ATF_REQUIRE_EQ(c->wh_nframes, 2);
	/* A plain broadcast reaches both. */
	send_frame(a, MAC_BROADCAST, TYPE_IPV4, "hello", 5);
	wire_run(lab.l_wire, 3000);
	ATF_REQUIRE_EQ(b->wh_nframes, 3);
	ATF_REQUIRE_EQ(c->wh_nframes, 3);
	/* Members that announced again and again stay; leavers time out. */
	node_leave(c->wh_node, wire_now(lab.l_wire), lab.l_nwid);
	wire_run(lab.l_wire, 700000);
	send_frame(a, MAC_BROADCAST, TYPE_IPV4, "hello", 5);
	wire_run(lab.l_wire, 3000);
	ATF_REQUIRE_EQ(b->wh_nframes, 4);
	ATF_REQUIRE_EQ(c->wh_nframes, 3);
	lab_end();
}

ATF_TC_WITHOUT_HEAD(deauthorised);
ATF_TC_BODY(deauthorised, tc)
{
	struct wire_host	*a, *b, *c;

	lab_start(tc, 4);
	a = lab.l_m[0];
	b = lab.l_m[1];
	c = lab.l_m[2];
	join_all(3);
	ATF_REQUIRE(passes(a, b, TYPE_IPV4, 10, 3000));
	ATF_REQUIRE(passes(b, a, TYPE_IPV4, 10, 3000));
	ATF_REQUIRE(passes(b, c, TYPE_IPV4, 10, 3000));
	ATF_REQUIRE(passes(a, c, TYPE_IPV4, 10, 3000));
	/* Only a is told; it tells c. */
	deauthorise(1, a);
	wire_run(lab.l_wire, 1000);
	ATF_REQUIRE(!passes(b, a, TYPE_IPV4, 10, 8000));
	ATF_REQUIRE(!passes(b, c, TYPE_IPV4, 10, 8000));
	ATF_REQUIRE(passes(a, c, TYPE_IPV4, 10, 3000));
	ATF_REQUIRE(wire_until(lab.l_wire, 61000, is_denied, b));
	/* Back again: a newer certificate heals it. */
	lab.l_allowed[1] = true;
	ATF_REQUIRE(wire_until(lab.l_wire, 10000, is_ok, b));
	ATF_REQUIRE(passes(b, a, TYPE_IPV4, 10, 5000));
	ATF_REQUIRE(passes(b, c, TYPE_IPV4, 10, 5000));
	lab_end();
}

ATF_TC_WITHOUT_HEAD(rules);
ATF_TC_BODY(rules, tc)
{
	struct wire_host	*a, *b;

	lab_start(tc, 5);
	a = lab.l_m[0];
	b = lab.l_m[1];
	/* Drop one Ethernet type, accept the rest. */
	set_rules("\045\002\x88\xb5\000\000\001\000", 8);
	join_all(2);
	ATF_REQUIRE(passes(a, b, TYPE_IPV4, 10, 3000));
	ATF_REQUIRE(!passes(a, b, TYPE_BAD, 10, 3000));
	/* No rules: everything is dropped, by the next configuration on. */
	set_rules("", 0);
	wire_run(lab.l_wire, 70000);
	ATF_REQUIRE(!passes(a, b, TYPE_IPV4, 10, 3000));
	ATF_REQUIRE(!passes(b, a, TYPE_IPV4, 10, 3000));
	lab_end();
}

/* Copies for a third party; a drop-all network of which it sees nothing. */
ATF_TC_WITHOUT_HEAD(tee);
ATF_TC_BODY(tee, tc)
{
	struct wire_host	*a, *b, *c;
	struct wbuf		 wb;

	lab_start(tc, 6);
	a = lab.l_m[0];
	b = lab.l_m[1];
	c = lab.l_m[2];
	wbuf_init(&wb, lab.l_rules, sizeof(lab.l_rules));
	wbuf_u8(&wb, ACTION_TEE);
	wbuf_u8(&wb, 14);
	wbuf_u64(&wb, c->wh_id.id_addr);
	wbuf_u32(&wb, 0);
	wbuf_u16(&wb, 4);
	wbuf_u16(&wb, ACTION_ACCEPT << 8);
	lab.l_nrules = wb.wb_len;
	join_all(3);
	ATF_REQUIRE(passes(a, b, TYPE_IPV4, 20, 3000));
	wire_run(lab.l_wire, 8000);
	/* One copy from each end. */
	ATF_REQUIRE_EQ(c->wh_nframes, 2);
	ATF_REQUIRE_EQ(wire_last_frame(c)->wf_len, 4);
	ATF_REQUIRE_EQ(wire_last_frame(c)->wf_dst, mac(b));
	ATF_REQUIRE_EQ(wire_last_frame(c)->wf_src, mac(a));
	lab_end();
}

ATF_TC_WITHOUT_HEAD(controller_is_member);
ATF_TC_BODY(controller_is_member, tc)
{
	lab_start(tc, 7);
	join(lab.l_con);
	ATF_REQUIRE(wire_until(lab.l_wire, 1000, is_ok, lab.l_con));
	join_all(1);
	ATF_REQUIRE(passes(lab.l_con, lab.l_m[0], TYPE_IPV4, 10, 3000));
	ATF_REQUIRE(passes(lab.l_m[0], lab.l_con, TYPE_IPV4, 10, 3000));
	lab_end();
}

ATF_TC_WITHOUT_HEAD(public_network);
ATF_TC_BODY(public_network, tc)
{
	lab_start(tc, 8);
	lab.l_public = true;
	join_all(2);
	ATF_REQUIRE(passes(lab.l_m[0], lab.l_m[1], TYPE_IPV4, 10, 3000));
	lab_end();
}

/* The stored configuration serves at once, without any controller. */
ATF_TC_WITHOUT_HEAD(restart);
ATF_TC_BODY(restart, tc)
{
	struct wire_host	*a, *b;

	lab_start(tc, 9);
	a = lab.l_m[0];
	b = lab.l_m[1];
	join_all(2);
	ATF_REQUIRE(passes(a, b, TYPE_IPV4, 10, 3000));
	wire_stop(lab.l_con);
	wire_stop(a);
	ATF_REQUIRE_EQ(wire_start(a), 0);
	join(a);
	ATF_REQUIRE_EQ(wire_status(a, lab.l_nwid), NET_OK);
	ATF_REQUIRE(passes(a, b, TYPE_IPV4, 10, 10000));
	ATF_REQUIRE(passes(b, a, TYPE_IPV4, 10, 10000));
	/* Once left it is forgotten. */
	node_leave(a->wh_node, wire_now(lab.l_wire), lab.l_nwid);
	join(a);
	ATF_REQUIRE_EQ(wire_status(a, lab.l_nwid), NET_REQUESTING);
	lab_end();
}

ATF_TC_WITHOUT_HEAD(loss);
ATF_TC_BODY(loss, tc)
{
	unsigned	i, got = 0;

	lab_start(tc, 10);
	wire_loss(lab.l_wire, 200);
	join(lab.l_m[0]);
	join(lab.l_m[1]);
	ATF_REQUIRE(wire_until(lab.l_wire, 120000, is_ok, lab.l_m[0]));
	ATF_REQUIRE(wire_until(lab.l_wire, 120000, is_ok, lab.l_m[1]));
	for (i = 0; i < 100; i++)
		if (passes(lab.l_m[0], lab.l_m[1], TYPE_IPV4, 100, 1000))
			got++;
	ATF_REQUIRE_MSG(got >= 60, "%u of 100 arrived", got);
	lab_end();
}

/* One super-frame from a to b; its segments arrive, each as it should be. */
static void
super_passes(struct wire_host *a, struct wire_host *b,
    struct superframe *sf)
{
	static uint8_t		 seg[SUPERFRAME_MAX];
	const struct wire_frame	*wf;
	uint64_t		 first = b->wh_nframes;
	size_t			 len;
	unsigned		 k;

	superframe_make(sf);
	ATF_REQUIRE(sf->sf_n <= WIRE_FRAMES);
	node_frame(a->wh_node, wire_now(lab.l_wire), lab.l_nwid, mac(b),
	    mac(a), sf->sf_type, sf->sf_p, sf->sf_len, &sf->sf_of);
	frames_wanted = first + sf->sf_n;
	ATF_REQUIRE_MSG(wire_until(lab.l_wire, 1000, has_frames, b),
	    "%llu of %u segments", (unsigned long long)(b->wh_nframes -
	    first), sf->sf_n);
	for (k = 0; k < sf->sf_n; k++) {
		wf = &b->wh_frames[(first + k) % WIRE_FRAMES];
		len = superframe_segment(sf, k, seg);
		ATF_REQUIRE_EQ(wf->wf_len, len);
		ATF_REQUIRE_MSG(memcmp(wf->wf_bytes, seg, len) == 0,
		    "segment %u", k);
		ATF_REQUIRE_EQ(wf->wf_src, mac(a));
		ATF_REQUIRE_EQ(wf->wf_dst, mac(b));
		ATF_REQUIRE_EQ(wf->wf_type, sf->sf_type);
	}
	wire_run(lab.l_wire, 100);
	ATF_REQUIRE_EQ(b->wh_nframes, first + sf->sf_n);
}

ATF_TC_WITHOUT_HEAD(superframes);
ATF_TC_BODY(superframes, tc)
{
	static struct superframe sf;
	struct wire_host	*a, *b;
	unsigned		 i, turn;

	lab_start(tc, 11);
	a = lab.l_m[0];
	b = lab.l_m[1];
	join_all(2);
	ATF_REQUIRE(passes(a, b, TYPE_IPV4, 100, 3000));
	ATF_REQUIRE(passes(b, a, TYPE_IPV4, 100, 3000));
	/* By the root at first, then directly: each in two datagrams. */
	for (turn = 0; turn < 2; turn++) {
		for (i = 0; i < 4; i++) {
			superframe_init(&sf, 64000, NETCONF_MTU_DEFAULT -
			    60);
			sf.sf_udp = i & 1;
			sf.sf_ipv6 = i & 2;
			sf.sf_seed = 100 * turn + i;
			super_passes(a, b, &sf);
			super_passes(b, a, &sf);
		}
		wire_run(lab.l_wire, 5000);
	}
	/* A rule that looks at the length of each: the last is dropped. */
	set_rules("\052\004\000\000\003\377\000\000\001\000", 10);
	wire_run(lab.l_wire, 70000);
	superframe_init(&sf, 10500, 1000);
	superframe_make(&sf);
	frames_wanted = b->wh_nframes + 10;
	node_frame(a->wh_node, wire_now(lab.l_wire), lab.l_nwid, mac(b),
	    mac(a), sf.sf_type, sf.sf_p, sf.sf_len, &sf.sf_of);
	wire_run(lab.l_wire, 1000);
	ATF_CHECK_EQ(b->wh_nframes, frames_wanted);
	lab_end();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, join_and_ping);
	ATF_TP_ADD_TC(tp, denied);
	ATF_TP_ADD_TC(tp, arp_multicast);
	ATF_TP_ADD_TC(tp, deauthorised);
	ATF_TP_ADD_TC(tp, rules);
	ATF_TP_ADD_TC(tp, tee);
	ATF_TP_ADD_TC(tp, controller_is_member);
	ATF_TP_ADD_TC(tp, public_network);
	ATF_TP_ADD_TC(tp, restart);
	ATF_TP_ADD_TC(tp, loss);
	ATF_TP_ADD_TC(tp, superframes);
	return (atf_no_error());
}
