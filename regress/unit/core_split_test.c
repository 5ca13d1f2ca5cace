/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Super-frames of the host's: whatever the rules are and wherever they go,
 * the same is sent, delivered, counted and told as if the host had sent the
 * segments.  Every case is played twice.
 */

#include <stdlib.h>
#include <string.h>

#include "regress/lib/superframe.h"
#include "regress/lib/vl2.h"

#define NOW	1800000000000
#define HOUR	3600000
#define GROUP	0x01005e000001ULL
#define RULES	6

/* What came of a case. */
struct result {
	unsigned	 nsent;
	struct vl2_sent	 sent[VL2_SENT];
	unsigned	 nframes;
	struct vl2_frame frames[VL2_FRAMES];
	struct network_counters counters;
	unsigned	 nevents;
	uint64_t	 events;	/* a hash of them */
};

/* What a case is, but for the frame. */
struct play {
	struct rule	 rules[RULES], cap[RULES];
	unsigned	 nrules, ncap;
	uint32_t	 mtu;
	uint64_t	 dst, src;	/* 0: m2's, ours */
	uint64_t	 level;		/* of the remote trace, for m3 */
	bool		 bridge;	/* we are one, as m3 is */
	bool		 unconfigured, unwatched;
};

static struct vl2	 v;
static struct network	*nw;
static struct superframe sf;
static struct play	 pl;
static struct result	 got, want;
static uint32_t		 dice;

/* --- the node --------------------------------------------------------- */

static void
cb_random(void *arg, void *p, size_t len)
{
	uint8_t	*b = p;

	(void)arg;
	while (len-- > 0) {
		dice = dice * 1103515245 + 12345;
		*b++ = (uint8_t)(dice >> 16);
	}
}

static void
mix(struct result *r, const void *p, size_t len)
{
	const uint8_t	*b = p;

	while (len-- > 0)
		r->events = (r->events ^ *b++) * 0x100000001b3ULL;
}

static bool
cb_event(void *arg, const struct node_event *ne)
{
	(void)arg;
	got.nevents++;
	mix(&got, &ne->ne_why, sizeof(ne->ne_why));
	mix(&got, &ne->ne_peer, sizeof(ne->ne_peer));
	mix(&got, &ne->ne_src, sizeof(ne->ne_src));
	mix(&got, &ne->ne_dst, sizeof(ne->ne_dst));
	mix(&got, &ne->ne_len, sizeof(ne->ne_len));
	mix(&got, &ne->ne_rule, sizeof(ne->ne_rule));
	/* What is longer than any network takes is not even cut. */
	if (ne->ne_len <= NETCONF_MTU_MAX)
		mix(&got, ne->ne_data, ne->ne_len);
	return (true);
}

static void
configure(void)
{
	struct netconf	*nc = vl2_conf(&v, v.v_nwid, NOW);
	struct com	 com;

	nc->nc_mtu = pl.mtu;
	nc->nc_flags = NETCONF_BROADCAST;
	vl2_issue(&v, &nc->nc_com, NOW, VL2_M1);
	if (pl.bridge) {
		vl2_specialist(&v, nc, VL2_M1, SPECIALIST_BRIDGE);
		vl2_specialist(&v, nc, VL2_M3, SPECIALIST_BRIDGE);
	}
	if (pl.level > 0) {
		nc->nc_trace_target = v.v_ids[VL2_M3].id_addr;
		nc->nc_trace_level = pl.level;
	}
	ATF_REQUIRE((nc->nc_rules = calloc(RULES,
	    sizeof(*nc->nc_rules))) != NULL);
	memcpy(nc->nc_rules, pl.rules, sizeof(pl.rules));
	nc->nc_nrules = pl.nrules;
	if (pl.ncap > 0) {
		ATF_REQUIRE((nc->nc_caps = calloc(1,
		    sizeof(*nc->nc_caps))) != NULL);
		nc->nc_ncaps = 1;
		nc->nc_caps[0].cap_nwid = v.v_nwid;
		nc->nc_caps[0].cap_id = 7;
		nc->nc_caps[0].cap_nrules = pl.ncap;
		memcpy(nc->nc_caps[0].cap_rules, pl.cap, sizeof(pl.cap));
	}
	ATF_REQUIRE(config_apply(v.v_node, v.v_now, nw, nc, false));
	vl2_issue(&v, &com, NOW, VL2_M2);
	ATF_REQUIRE_EQ(membership_add_com(v.v_node, v.v_now, nw, &com),
	    CRED_NEW);
}

static void
begin(const atf_tc_t *tc)
{
	struct mgroup	 mg = { GROUP, 0 };

	vl2_start(&v, tc, NOW);
	memset(&got, 0, sizeof(got));
	ATF_REQUIRE_EQ(node_join(v.v_node, v.v_now, v.v_nwid), 0);
	ATF_REQUIRE((nw = network_find(v.v_node, v.v_nwid)) != NULL);
	if (!pl.unconfigured)
		configure();
	multicast_add(v.v_node, v.v_now, v.v_nwid, &mg,
	    v.v_ids[VL2_M2].id_addr);
	v.v_node->n_cb.nc_random = cb_random;
	v.v_node->n_cb.nc_event = cb_event;
	if (!pl.unwatched)
		ATF_REQUIRE_EQ(node_watch(v.v_node, v.v_now, v.v_nwid, HOUR,
		    true), 0);
	vl2_forget(&v);
	dice = 1;
}

static void
end(void)
{
	got.nsent = v.v_nsent;
	memcpy(got.sent, v.v_sent, sizeof(got.sent));
	got.nframes = v.v_nframes;
	memcpy(got.frames, v.v_frames, sizeof(got.frames));
	got.counters = nw->nw_counters;
	vl2_end(&v);
}

static void
give(const uint8_t *p, size_t len, const struct offload *of)
{
	uint64_t	 dst = pl.dst, src = pl.src;

	if (dst == 0)
		dst = mac_from_addr(v.v_ids[VL2_M2].id_addr, v.v_nwid);
	if (dst == 1)
		dst = nw->nw_mac;
	if (src == 0)
		src = nw->nw_mac;
	node_frame(v.v_node, v.v_now, v.v_nwid, dst, src, sf.sf_type, p, len,
	    of);
}

static void
same(const char *what)
{
	unsigned	 i;

	ATF_CHECK_EQ_MSG(got.nsent, want.nsent, "%s: %u packets, not %u",
	    what, got.nsent, want.nsent);
	for (i = 0; i < got.nsent && i < want.nsent; i++) {
		ATF_CHECK_EQ_MSG(got.sent[i].vs_to, want.sent[i].vs_to,
		    "%s: packet %u", what, i);
		ATF_CHECK_EQ_MSG(got.sent[i].vs_verb, want.sent[i].vs_verb,
		    "%s: packet %u", what, i);
		ATF_CHECK_EQ(got.sent[i].vs_compressed,
		    want.sent[i].vs_compressed);
		ATF_CHECK_MSG(got.sent[i].vs_len == want.sent[i].vs_len &&
		    memcmp(got.sent[i].vs_payload, want.sent[i].vs_payload,
		    got.sent[i].vs_len) == 0, "%s: packet %u", what, i);
	}
	ATF_CHECK_EQ_MSG(got.nframes, want.nframes, "%s", what);
	ATF_CHECK_MSG(memcmp(got.frames, want.frames, sizeof(got.frames)) ==
	    0, "%s: other frames", what);
	ATF_CHECK_MSG(memcmp(&got.counters, &want.counters,
	    sizeof(got.counters)) == 0, "%s: counted otherwise", what);
	ATF_CHECK_EQ_MSG(got.nevents, want.nevents, "%s: %u events, not %u",
	    what, got.nevents, want.nevents);
	ATF_CHECK_EQ_MSG(got.events, want.events, "%s: other events", what);
}

/* The frame of sf as its segments, then whole: in got and want. */
static void
compare(const atf_tc_t *tc, const char *what)
{
	static uint8_t	 seg[SUPERFRAME_MAX];
	unsigned	 k;
	size_t		 len;

	superframe_make(&sf);
	begin(tc);
	for (k = 0; k < sf.sf_n; k++) {
		len = superframe_segment(&sf, k, seg);
		give(seg, len, NULL);
	}
	end();
	want = got;
	begin(tc);
	give(sf.sf_p, sf.sf_len, &sf.sf_of);
	end();
	same(what);
}

/* How many of the frames out came to this, and how many packets to whom. */
static uint64_t
count(enum why why)
{
	return (got.counters.nc_frames[0][why]);
}

static unsigned
packets(enum vl2_who to, uint8_t verb)
{
	unsigned	 i, n = 0;

	for (i = 0; i < got.nsent; i++)
		n += got.sent[i].vs_to == to && got.sent[i].vs_verb == verb;
	return (n);
}

static struct rule *
rule(uint8_t t)
{
	ATF_REQUIRE(pl.nrules < RULES);
	pl.rules[pl.nrules].r_t = t;
	return (&pl.rules[pl.nrules++]);
}

/* Nine segments of TCP, the last of 540 bytes, to m2; everything passes. */
static void
fresh(void)
{
	memset(&pl, 0, sizeof(pl));
	pl.mtu = NETCONF_MTU_DEFAULT;
	superframe_init(&sf, 8500, 1000);
	sf.sf_flags = 0x19;		/* ACK, PSH, FIN */
}

/* --- rules ------------------------------------------------------------ */

static bool
alike(const atf_tc_t *tc)
{
	bool	 answer;

	begin(tc);
	answer = nw->nw_rules->fr_alike;
	end();
	return (answer);
}

/* Of nine segments so many pass; once: the rules are asked once. */
static void
ruled(const atf_tc_t *tc, const char *what, bool once, unsigned pass)
{
	ATF_CHECK_EQ_MSG(alike(tc), once, "%s", what);
	pl.unwatched = false;
	compare(tc, what);
	ATF_CHECK_EQ_MSG(count(WHY_ACCEPTED), pass, "%s", what);
	ATF_CHECK_EQ_MSG(packets(VL2_M2, VERB_FRAME), pass, "%s", what);
	pl.unwatched = true;
	compare(tc, what);
	ATF_CHECK_EQ_MSG(count(WHY_ACCEPTED), pass, "%s", what);
}

ATF_TC_WITHOUT_HEAD(rules_once);
ATF_TC_BODY(rules_once, tc)
{
	struct rule	*r;

	fresh();
	(void)rule(ACTION_ACCEPT);
	ruled(tc, "accept", true, 9);
	ATF_CHECK_EQ(got.counters.nc_bytes[0][WHY_ACCEPTED], 8500 + 9 * 40);
	fresh();
	ruled(tc, "nothing", true, 0);
	ATF_CHECK_EQ(count(WHY_RULES), 9);
	fresh();
	(void)rule(MATCH_ETHERTYPE);
	(void)rule(ACTION_DROP);
	rule(MATCH_IP_PROTOCOL)->r_u.ip_protocol = 6;
	r = rule(MATCH_IP_DEST_PORT_RANGE);
	r->r_u.range.start = r->r_u.range.end = 5001;
	(void)rule(ACTION_ACCEPT);
	ruled(tc, "port", true, 9);
	r->r_u.range.start = 5002;
	ruled(tc, "another port", true, 0);
	/* Flags that all segments have. */
	fresh();
	rule(MATCH_CHARACTERISTICS)->r_u.characteristics = 0x10;
	(void)rule(ACTION_PRIORITY);
	ruled(tc, "ACK", true, 9);
	/* A capability of ours lets it pass. */
	fresh();
	pl.ncap = 1;
	pl.cap[0].r_t = ACTION_ACCEPT;
	ruled(tc, "capability", true, 9);
	/* The controller wants to know of every decision. */
	fresh();
	(void)rule(ACTION_ACCEPT);
	pl.level = 15;
	ruled(tc, "trace", true, 9);
	ATF_CHECK_EQ(packets(VL2_M3, VERB_REMOTE_TRACE), 9);
	/* Of those that are dropped, at a lower level. */
	pl.nrules = 0;
	pl.level = 10;
	ruled(tc, "trace of drops", true, 0);
	ATF_CHECK_EQ(packets(VL2_M3, VERB_REMOTE_TRACE), 9);
}

ATF_TC_WITHOUT_HEAD(rules_each);
ATF_TC_BODY(rules_each, tc)
{
	static const uint64_t	 differ[] = { 0x01, 0x08, 0x09 };
	struct rule		*r;
	unsigned		 i;

	fresh();
	r = rule(MATCH_FRAME_SIZE_RANGE);
	r->r_u.range.start = 1000;
	r->r_u.range.end = 1100;
	(void)rule(ACTION_ACCEPT);
	ruled(tc, "size", false, 8);
	r->r_t |= RULE_NOT;
	ruled(tc, "not the size", false, 1);
	r->r_u.range.start = 5000;
	r->r_u.range.end = 65535;
	ruled(tc, "the whole's size", false, 9);
	for (i = 0; i < 3; i++) {
		fresh();
		rule(MATCH_CHARACTERISTICS)->r_u.characteristics = differ[i];
		(void)rule(ACTION_DROP);
		(void)rule(ACTION_ACCEPT);
		ruled(tc, "FIN, PSH", false, 8);
	}
	fresh();
	sf.sf_flags |= 0x80;
	rule(MATCH_CHARACTERISTICS)->r_u.characteristics = 0x80;
	(void)rule(ACTION_ACCEPT);
	ruled(tc, "CWR", false, 1);
	fresh();
	rule(MATCH_RANDOM)->r_u.probability = 0x80000000;
	(void)rule(ACTION_DROP);
	(void)rule(ACTION_ACCEPT);
	compare(tc, "random");
	ATF_CHECK(!alike(tc));
	fresh();
	/* The low half of TCP's sequence number: that of the third. */
	r = rule(MATCH_INTEGER_RANGE);
	r->r_u.integer.format = 15;
	r->r_u.integer.index = 26 - 6;
	r->r_u.integer.start = 3000;
	(void)rule(ACTION_ACCEPT);
	ruled(tc, "integer", false, 1);
	/* In a capability. */
	fresh();
	pl.ncap = 2;
	pl.cap[0].r_t = MATCH_FRAME_SIZE_RANGE;
	pl.cap[0].r_u.range.end = 600;
	pl.cap[1].r_t = ACTION_ACCEPT;
	ruled(tc, "size in a capability", false, 1);
}

ATF_TC_WITHOUT_HEAD(copies);
ATF_TC_BODY(copies, tc)
{
	static const uint8_t	 kinds[] = { ACTION_TEE, ACTION_WATCH };
	struct rule		*r;
	uint64_t		 m3;
	unsigned		 i;

	fresh();
	begin(tc);
	m3 = v.v_ids[VL2_M3].id_addr;
	end();
	for (i = 0; i < 2; i++) {
		fresh();
		r = rule(kinds[i]);
		r->r_u.fwd.addr = m3;
		r->r_u.fwd.length = i * 100;
		(void)rule(ACTION_ACCEPT);
		ruled(tc, "copies", false, 9);
		ATF_CHECK_EQ(packets(VL2_M3, VERB_EXT_FRAME), 9);
	}
	fresh();
	rule(ACTION_REDIRECT)->r_u.fwd.addr = m3;
	ruled(tc, "redirect", false, 0);
	ATF_CHECK_EQ(packets(VL2_M3, VERB_EXT_FRAME), 9);
	ATF_CHECK_EQ(count(WHY_REDIRECTED), 9);
}

/* --- where to --------------------------------------------------------- */

static void
anywhere(const atf_tc_t *tc, const char *what, enum why why, unsigned n)
{
	compare(tc, what);
	ATF_CHECK_EQ_MSG(count(why), n, "%s: %llu", what,
	    (unsigned long long)count(why));
}

ATF_TC_WITHOUT_HEAD(where);
ATF_TC_BODY(where, tc)
{
	fresh();
	(void)rule(ACTION_ACCEPT);
	pl.dst = GROUP;
	anywhere(tc, "group", WHY_ACCEPTED, 9);
	ATF_CHECK_EQ(packets(VL2_M2, VERB_MULTICAST_FRAME), 9);
	pl.dst = 1;			/* our own */
	compare(tc, "self");
	ATF_CHECK_EQ(got.nframes, 9);
	ATF_CHECK_EQ(got.frames[8].vf_len, 540);
	pl.dst = 0x02aabbccddee;	/* of no member */
	anywhere(tc, "no bridge", WHY_ACCEPTED, 9);
	ATF_CHECK_EQ(packets(VL2_M3, VERB_EXT_FRAME), 0);
	pl.bridge = true;
	anywhere(tc, "behind a bridge", WHY_ACCEPTED, 9);
	ATF_CHECK_EQ(packets(VL2_M3, VERB_EXT_FRAME), 9);
	pl.dst = 0;
	pl.src = 0x02aabbccddee;
	anywhere(tc, "bridged", WHY_ACCEPTED, 9);
	ATF_CHECK_EQ(packets(VL2_M2, VERB_EXT_FRAME), 9);
	pl.bridge = false;
	anywhere(tc, "not a bridge", WHY_NOT_BRIDGE, 9);
	pl.src = 0;
	pl.unconfigured = true;
	compare(tc, "no configuration");
	ATF_CHECK_EQ(count(WHY_NO_CONFIG), 9);
}

/* All kinds of frames, and of one segment only. */
ATF_TC_WITHOUT_HEAD(kinds);
ATF_TC_BODY(kinds, tc)
{
	unsigned	 i;

	for (i = 0; i < 16; i++) {
		fresh();
		(void)rule(ACTION_ACCEPT);
		sf.sf_udp = i & 1;
		sf.sf_ipv6 = i & 2;
		sf.sf_tags = i >> 2 & 1;
		sf.sf_options = sf.sf_exts = 1;
		if (i & 8)
			sf.sf_payload = 1000;
		anywhere(tc, "kind", WHY_ACCEPTED, i & 8 ? 1 : 9);
		ATF_CHECK_EQ(packets(VL2_M2, VERB_FRAME), i & 8 ? 1 : 9);
	}
}

/* A frame whose checksum is to be filled in, which a rule looks at, too. */
ATF_TC_WITHOUT_HEAD(checksum);
ATF_TC_BODY(checksum, tc)
{
	static uint8_t	 seg[SUPERFRAME_MAX];
	struct rule	*r;
	unsigned	 i;

	for (i = 0; i < 4; i++) {
		fresh();
		sf.sf_payload = 900;
		superframe_make(&sf);
		(void)superframe_segment(&sf, 0, seg);
		if (i & 1) {
			r = rule(MATCH_INTEGER_RANGE);
			r->r_u.integer.format = 15;
			r->r_u.integer.index = 36 - 6;
			r->r_u.integer.start = (uint64_t)seg[36] << 8 |
			    seg[37];
		}
		(void)rule(ACTION_ACCEPT);
		pl.dst = i & 2 ? GROUP : 0;
		begin(tc);
		give(seg, sf.sf_len, NULL);
		end();
		ATF_CHECK_EQ(count(WHY_ACCEPTED), 1);
		want = got;
		sf.sf_of.of_type = OFFLOAD_NONE;
		begin(tc);
		give(sf.sf_p, sf.sf_len, &sf.sf_of);
		end();
		same("checksum");
	}
	/* One that was verified is sent as it is. */
	fresh();
	(void)rule(ACTION_ACCEPT);
	memset(&sf.sf_of, 0, sizeof(sf.sf_of));
	sf.sf_of.of_flags = OFFLOAD_VALID;
	begin(tc);
	give((const uint8_t *)"hello", 5, &sf.sf_of);
	end();
	ATF_CHECK_EQ(packets(VL2_M2, VERB_FRAME), 1);
	ATF_CHECK(memcmp(got.sent[got.nsent - 1].vs_payload + 10, "hello",
	    5) == 0);
}

/* --- what does not pass ----------------------------------------------- */

ATF_TC_WITHOUT_HEAD(malformed);
ATF_TC_BODY(malformed, tc)
{
	unsigned	 i;

	for (i = 0; i < 4; i++) {
		fresh();
		(void)rule(ACTION_ACCEPT);
		pl.dst = i & 1 ? GROUP : 0;
		superframe_make(&sf);
		if (i & 2)
			sf.sf_of.of_type = OFFLOAD_NONE;
		sf.sf_of.of_csum_start = 3;
		begin(tc);
		give(sf.sf_p, sf.sf_len, &sf.sf_of);
		end();
		ATF_CHECK_EQ(got.nsent, 0);
		ATF_CHECK_EQ(got.nevents, 1);
		ATF_CHECK_EQ(count(WHY_MALFORMED), 1);
		ATF_CHECK_EQ(got.counters.nc_bytes[0][WHY_MALFORMED],
		    sf.sf_len);
		ATF_CHECK_STREQ(why_code(WHY_MALFORMED), "malformed");
	}
	/* Nothing is nothing. */
	begin(tc);
	give(sf.sf_p, 0, &sf.sf_of);
	end();
	ATF_CHECK_EQ(got.nevents, 0);
}

ATF_TC_WITHOUT_HEAD(mtu);
ATF_TC_BODY(mtu, tc)
{
	static uint8_t	 plain[70000];

	fresh();
	(void)rule(ACTION_ACCEPT);
	pl.mtu = 1280;
	superframe_init(&sf, 5000, 1240);
	anywhere(tc, "1280 bytes", WHY_ACCEPTED, 5);
	superframe_init(&sf, 5000, 1241);
	anywhere(tc, "1281 bytes", WHY_TOO_LONG, 4);
	ATF_CHECK_EQ(count(WHY_ACCEPTED), 1);
	ATF_CHECK_EQ(packets(VL2_M2, VERB_FRAME), 1);
	/* Longer than any network's. */
	superframe_init(&sf, 45000, 20000);
	anywhere(tc, "20040 bytes", WHY_TOO_LONG, 3);
	pl.unconfigured = true;
	anywhere(tc, "no configuration", WHY_NO_CONFIG, 3);
	pl.unconfigured = false;
	/* Frames that are none of those, and a tag is no excuse. */
	begin(tc);
	sf.sf_type = 0x8100;
	give(plain, 1280, NULL);
	ATF_CHECK_EQ(nw->nw_counters.nc_frames[0][WHY_ACCEPTED], 1);
	give(plain, 1281, NULL);
	ATF_CHECK_EQ(nw->nw_counters.nc_frames[0][WHY_TOO_LONG], 1);
	give(plain, sizeof(plain), NULL);
	ATF_CHECK_EQ(nw->nw_counters.nc_frames[0][WHY_TOO_LONG], 2);
	end();
	ATF_CHECK_EQ(packets(VL2_M2, VERB_FRAME), 1);
}

/* --- no way, yet ------------------------------------------------------ */

/* Whom we do not know: the segments wait for it. */
ATF_TC_WITHOUT_HEAD(unknown_peer);
ATF_TC_BODY(unknown_peer, tc)
{
	static uint8_t	 seg[SUPERFRAME_MAX];
	struct vl2_sent	*vs;
	struct inet_addr ia;
	struct path	*pa;
	struct peer	*p;
	unsigned	 k;
	size_t		 len;

	fresh();
	(void)rule(ACTION_ACCEPT);
	superframe_make(&sf);
	begin(tc);
	peer_remove(v.v_node, peer_find(v.v_node, v.v_ids[VL2_M2].id_addr));
	give(sf.sf_p, sf.sf_len, &sf.sf_of);
	ATF_CHECK_EQ(nw->nw_counters.nc_frames[0][WHY_ACCEPTED], 9);
	ATF_CHECK(vl2_sent(&v, VL2_M2, VERB_FRAME, 0) == NULL);
	ATF_REQUIRE((p = peer_add(v.v_node, v.v_now,
	    &v.v_ids[VL2_M2])) != NULL);
	memset(&ia, 0, sizeof(ia));
	ia.ia_family = 4;
	ia.ia_port = 9993;
	ia.ia_ip[0] = 10;
	ATF_REQUIRE((pa = path_get(v.v_node, v.v_now, 1, &ia)) != NULL);
	pa->pa_last_in = v.v_now;
	ATF_REQUIRE(peer_add_path(p, pa, v.v_now) != NULL);
	txq_retry(v.v_node, v.v_now);
	for (k = 0; k < 9; k++) {
		vs = vl2_sent(&v, VL2_M2, VERB_FRAME, k);
		len = superframe_segment(&sf, k, seg);
		ATF_REQUIRE(vs != NULL);
		ATF_CHECK_EQ(vs->vs_len, len + 10);
		ATF_CHECK(memcmp(vs->vs_payload + 10, seg, len) == 0);
	}
	vl2_end(&v);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, rules_once);
	ATF_TP_ADD_TC(tp, rules_each);
	ATF_TP_ADD_TC(tp, copies);
	ATF_TP_ADD_TC(tp, where);
	ATF_TP_ADD_TC(tp, kinds);
	ATF_TP_ADD_TC(tp, checksum);
	ATF_TP_ADD_TC(tp, malformed);
	ATF_TP_ADD_TC(tp, mtu);
	ATF_TP_ADD_TC(tp, unknown_peer);
	return (atf_no_error());
}
