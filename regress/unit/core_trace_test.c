/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What becomes of a network's frames and credentials, told to who watches
 * and to the node that the controller names.  Spec: 03 section 18.
 */

#include <stdlib.h>
#include <string.h>

#include "common/dictionary.h"
#include "regress/lib/rig.h"

#define TYPE_BAD	0x88b5
#define HOUR		3600000

static struct network	*nw;

/* A configuration of these rules, and a trace for MEMBER of this level. */
static void
configure(const struct rule *rules, unsigned nrules, int level)
{
	struct netconf	*nc;

	rig.now += 1000;
	ATF_REQUIRE((nc = calloc(1, sizeof(*nc))) != NULL);
	nc->nc_nwid = nw->nw_id;
	nc->nc_to = rig.ids[ME].id_addr;
	nc->nc_ts = rig.now;
	nc->nc_delta = 1800000;
	nc->nc_mtu = NETCONF_MTU_DEFAULT;
	nc->nc_com = nw->nw_conf->nc_com;
	ATF_REQUIRE((nc->nc_rules = calloc(nrules + 1,
	    sizeof(*nc->nc_rules))) != NULL);
	if (nrules > 0)
		memcpy(nc->nc_rules, rules, nrules * sizeof(*rules));
	nc->nc_nrules = nrules;
	if (level >= 0) {
		nc->nc_trace_target = rig.ids[MEMBER].id_addr;
		nc->nc_trace_level = (uint64_t)level;
	}
	ATF_REQUIRE(config_apply(rig.node, rig.now, nw, nc, false));
}

/* Drop one Ethernet type, accept the rest. */
static void
configure_usual(int level)
{
	struct rule	 r[3];

	memset(r, 0, sizeof(r));
	r[0].r_t = MATCH_ETHERTYPE;
	r[0].r_u.ethertype = TYPE_BAD;
	r[1].r_t = ACTION_DROP;
	r[2].r_t = ACTION_ACCEPT;
	configure(r, 3, level);
}

static void
start(const atf_tc_t *tc)
{
	rig_start(tc);
	nw = rig_network();
	configure_usual(-1);
	ATF_REQUIRE_EQ(node_watch(rig.node, rig.now, nw->nw_id, HOUR, true),
	    0);
}

static void
frame_from(enum who from, uint16_t type)
{
	struct wbuf	 wb;
	uint8_t		 p[128];

	wbuf_init(&wb, p, sizeof(p));
	wbuf_u64(&wb, nw->nw_id);
	wbuf_u16(&wb, type);
	wbuf_u32(&wb, 0x45000001);
	rig_give(from, VERB_FRAME, &wb);
}

static void
frame_out(uint64_t dst, uint64_t src, uint16_t type)
{
	node_frame(rig.node, rig.now, nw->nw_id, dst, src, type, "\x45",
	    1, NULL);
}

/* The last event is this, and it was the only one. */
static void
expect(enum why why, bool inbound)
{
	ATF_CHECK_MSG(rig.nevents == 1, "%u events", rig.nevents);
	ATF_CHECK_MSG(rig.event.ne_why == why, "%s instead of %s",
	    why_code(rig.event.ne_why), why_code(why));
	ATF_CHECK_EQ(rig.event.ne_inbound, inbound);
	ATF_CHECK_EQ(rig.event.ne_nwid, nw->nw_id);
	rig.nevents = 0;
}

ATF_TC_WITHOUT_HEAD(frames_in);
ATF_TC_BODY(frames_in, tc)
{
	struct revocation	 rev;

	start(tc);
	frame_from(MEMBER, 0x0800);
	expect(WHY_ACCEPTED, true);
	ATF_CHECK_EQ(rig.event.ne_peer, rig.ids[MEMBER].id_addr);
	ATF_CHECK_EQ(rig.event.ne_len, 4);
	frame_from(MEMBER, TYPE_BAD);
	expect(WHY_RULES, true);
	ATF_CHECK_EQ(rig.event.ne_rule, 1);
	ATF_CHECK_EQ(rig.event.ne_ethertype, TYPE_BAD);
	frame_from(STRANGER, 0x0800);
	expect(WHY_NO_CERTIFICATE, true);
	/* It is tried again and again while it waits, and told once. */
	rig_pass(6000);
	ATF_CHECK_EQ(rig.nevents, 0);
	configure(NULL, 0, -1);
	frame_from(MEMBER, 0x0800);
	expect(WHY_RULES, true);
	ATF_CHECK_EQ(rig.event.ne_rule, -1);
	/* Thrown out. */
	memset(&rev, 0, sizeof(rev));
	rev.rev_nwid = nw->nw_id;
	rev.rev_threshold = rig.now + 1;
	rev.rev_target = rig.ids[MEMBER].id_addr;
	rev.rev_type = CREDENTIAL_COM;
	revocation_sign(&rev, &rig.ids[CONTROLLER]);
	ATF_REQUIRE_EQ(membership_add_revocation(rig.node, rig.now, nw,
	    &rev), CRED_NEW);
	frame_from(MEMBER, 0x0800);
	expect(WHY_CERTIFICATE_REVOKED, true);
	ATF_CHECK_EQ(nw->nw_counters.nc_frames[1][WHY_RULES], 2);
	ATF_CHECK_EQ(nw->nw_counters.nc_bytes[1][WHY_RULES], 8);
	ATF_CHECK_EQ(nw->nw_counters.nc_frames[1][WHY_ACCEPTED], 1);
	rig_end();
}

ATF_TC_WITHOUT_HEAD(frames_out);
ATF_TC_BODY(frames_out, tc)
{
	uint64_t	 dst;

	start(tc);
	dst = mac_from_addr(rig.ids[MEMBER].id_addr, nw->nw_id);
	frame_out(dst, nw->nw_mac, 0x0800);
	expect(WHY_ACCEPTED, false);
	ATF_CHECK_EQ(rig.event.ne_peer, rig.ids[MEMBER].id_addr);
	frame_out(dst, nw->nw_mac, TYPE_BAD);
	expect(WHY_RULES, false);
	ATF_CHECK_EQ(rig.event.ne_rule, 1);
	frame_out(dst, nw->nw_mac ^ 1, 0x0800);
	expect(WHY_NOT_BRIDGE, false);
	frame_out(MAC_BROADCAST, nw->nw_mac, 0x0800);
	expect(WHY_BROADCAST_OFF, false);
	frame_out(0x01005e000001, nw->nw_mac, 0x0800);
	expect(WHY_MULTICAST_OFF, false);
	rig_end();
}

ATF_TC_WITHOUT_HEAD(credentials);
ATF_TC_BODY(credentials, tc)
{
	struct tag	 tag;

	start(tc);
	memset(&tag, 0, sizeof(tag));
	tag.tag_nwid = nw->nw_id;
	tag.tag_ts = rig.now;
	tag.tag_id = 5;
	tag.tag_to = rig.ids[MEMBER].id_addr;
	tag_sign(&tag, &rig.ids[STRANGER]);
	ATF_CHECK_EQ(membership_add_tag(rig.node, rig.now, nw, &tag),
	    CRED_REJECTED);
	expect(WHY_INVALID, true);
	ATF_CHECK_EQ(rig.event.ne_credential, CREDENTIAL_TAG);
	ATF_CHECK_EQ(rig.event.ne_credential_id, 5);
	ATF_CHECK_EQ(rig.event.ne_peer, rig.ids[MEMBER].id_addr);
	tag_sign(&tag, &rig.ids[CONTROLLER]);
	ATF_CHECK_EQ(membership_add_tag(rig.node, rig.now, nw, &tag),
	    CRED_NEW);
	ATF_CHECK_EQ(rig.nevents, 0);
	tag.tag_ts--;
	tag_sign(&tag, &rig.ids[CONTROLLER]);
	ATF_CHECK_EQ(membership_add_tag(rig.node, rig.now, nw, &tag),
	    CRED_REJECTED);
	expect(WHY_OLD, true);
	ATF_CHECK_EQ(nw->nw_counters.nc_credentials[WHY_OLD], 1);
	ATF_CHECK_EQ(nw->nw_counters.nc_credentials[WHY_INVALID], 1);
	rig_end();
}

ATF_TC_WITHOUT_HEAD(watching_ends);
ATF_TC_BODY(watching_ends, tc)
{
	start(tc);
	nw->nw_watched = nw->nw_watched_all = 0;
	ATF_REQUIRE_EQ(node_watch(rig.node, rig.now, nw->nw_id, 5000, false),
	    0);
	frame_from(MEMBER, 0x0800);
	ATF_CHECK_EQ(rig.nevents, 0);	/* it passed */
	ATF_CHECK_EQ(nw->nw_counters.nc_frames[1][WHY_ACCEPTED], 1);
	ATF_CHECK(nw->nw_counters.nc_bytes[1][WHY_ACCEPTED] > 0);
	frame_from(MEMBER, TYPE_BAD);
	expect(WHY_RULES, true);
	rig_pass(6000);
	frame_from(MEMBER, TYPE_BAD);
	ATF_CHECK_EQ(rig.nevents, 0);
	ATF_CHECK_EQ(nw->nw_counters.nc_frames[1][WHY_RULES], 2);
	ATF_CHECK_EQ(node_watch(rig.node, rig.now, 1, 5000, false), -1);
	rig_end();
}

static bool
traced(const char *key, const char *want)
{
	char	 got[256];

	return (dict_get_string(rig.trace, rig.tracelen, key, got,
	    sizeof(got)) && strcmp(got, want) == 0);
}

ATF_TC_WITHOUT_HEAD(remote);
ATF_TC_BODY(remote, tc)
{
	uint8_t		 log[FILTER_LOG];
	unsigned	 i;

	start(tc);
	configure_usual(0);		/* frames are not of this level */
	frame_from(MEMBER, TYPE_BAD);
	ATF_CHECK_EQ(rig.ntraces, 0);
	configure_usual(10);
	frame_from(MEMBER, TYPE_BAD);
	ATF_REQUIRE_EQ(rig.ntraces, 1);
	ATF_CHECK_EQ(rig.trace[rig.tracelen - 1], '\0');
	ATF_CHECK(traced("event", "2002"));
	ATF_CHECK(traced("reason", "filter blocked"));
	ATF_CHECK_EQ(dict_get_u64(rig.trace, rig.tracelen, "remoteZtAddr",
	    0), rig.ids[MEMBER].id_addr);
	ATF_CHECK_EQ(dict_get_u64(rig.trace, rig.tracelen, "networkId", 0),
	    nw->nw_id);
	ATF_CHECK(traced("remotePhyAddr", "192.168.7.12/9993"));
	frame_from(MEMBER, 0x0800);	/* what passes is of a higher level */
	ATF_CHECK_EQ(rig.ntraces, 1);
	frame_out(MAC_BROADCAST, nw->nw_mac, 0x0800);
	ATF_CHECK(traced("event", "2000"));
	ATF_CHECK(traced("reason", "broadcast disabled"));
	frame_from(STRANGER, 0x0800);
	ATF_CHECK(traced("event", "2001"));
	/* The rules one by one: ethertype matches, drop is taken. */
	configure_usual(15);
	rig_pass(5000);
	rig.ntraces = 0;
	frame_from(MEMBER, 0x0800);
	ATF_CHECK_EQ(rig.ntraces, 1);
	ATF_CHECK(traced("event", "2006"));
	ATF_CHECK(traced("filterResult", "0000000000000001"));
	ATF_CHECK_EQ(dict_get_bytes(rig.trace, rig.tracelen,
	    "filterBaseRuleLog", log, sizeof(log)), FILTER_LOG);
	/* Not matched, in a set that was true before: 1 << 2 | 2. */
	ATF_CHECK_EQ(log[0], 0x06);
	/* A storm of drops is no storm of traces. */
	rig.ntraces = 0;
	for (i = 0; i < 1000; i++)
		frame_from(MEMBER, TYPE_BAD);
	ATF_CHECK_MSG(rig.ntraces >= 20 && rig.ntraces <= 60, "%u",
	    rig.ntraces);
	rig_end();
}

/* Who watches takes nothing from others who do. */
ATF_TC_WITHOUT_HEAD(two_watch);
ATF_TC_BODY(two_watch, tc)
{
	start(tc);			/* one watches all */
	ATF_REQUIRE_EQ(node_watch(rig.node, rig.now, nw->nw_id, 1000, false),
	    0);
	rig_pass(5000);
	frame_from(MEMBER, 0x0800);
	expect(WHY_ACCEPTED, true);
	rig_end();
}

/* A trace for nobody does not push other packets out of the queue. */
ATF_TC_WITHOUT_HEAD(trace_for_nobody);
ATF_TC_BODY(trace_for_nobody, tc)
{
	struct peer	*p;
	unsigned	 i;

	start(tc);
	configure_usual(10);
	nw->nw_conf->nc_trace_target = 0x6666666666;
	peer_remove(rig.node, peer_find(rig.node,
	    rig.ids[STRANGER].id_addr));
	ATF_REQUIRE_EQ(node_user_message(rig.node, rig.now,
	    rig.ids[STRANGER].id_addr, 70000, "x", 1), 0);
	for (i = 0; i < 60; i++)
		frame_from(MEMBER, TYPE_BAD);
	for (i = 0; i < 100; i++)
		(void)node_user_message(rig.node, rig.now, 0x5555555555,
		    70000, "x", 1);
	ATF_CHECK(!txq_empty(rig.node));
	/* It is known now, and gets what waited. */
	ATF_REQUIRE((p = peer_add(rig.node, rig.now,
	    &rig.ids[STRANGER])) != NULL);
	rig_where(STRANGER, &rig.watched);
	(void)rig_direct(p, &rig.watched, rig.now);
	rig.sent_bytes = 0;
	txq_retry(rig.node, rig.now);
	ATF_CHECK(rig.sent_bytes > 0);
	rig_end();
}

/* Traces are taken from members of networks of our own controller only. */
ATF_TC_WITHOUT_HEAD(whose_traces);
ATF_TC_BODY(whose_traces, tc)
{
	struct wbuf	 wb;
	uint8_t		 p[64];
	uint64_t	 ours;

	start(tc);
	ours = rig.ids[ME].id_addr << 24 | 1;
	wbuf_init(&wb, p, sizeof(p));
	dict_put_u64(&wb, "networkId", nw->nw_id);
	wbuf_u8(&wb, 0);
	rig_give(MEMBER, VERB_REMOTE_TRACE, &wb);
	wbuf_init(&wb, p, sizeof(p));
	dict_put_u64(&wb, "networkId", ours);
	wbuf_u8(&wb, 0);
	rig_give(MEMBER, VERB_REMOTE_TRACE, &wb);
	ATF_CHECK_EQ(rig.told, 0);
	multicast_grant(rig.node, rig.now, ours, rig.ids[MEMBER].id_addr);
	rig_give(MEMBER, VERB_REMOTE_TRACE, &wb);
	ATF_CHECK_EQ(rig.told, 1);
	rig_give(STRANGER, VERB_REMOTE_TRACE, &wb);
	ATF_CHECK_EQ(rig.told, 1);
	rig_end();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, frames_in);
	ATF_TP_ADD_TC(tp, frames_out);
	ATF_TP_ADD_TC(tp, credentials);
	ATF_TP_ADD_TC(tp, watching_ends);
	ATF_TP_ADD_TC(tp, remote);
	ATF_TP_ADD_TC(tp, two_watch);
	ATF_TP_ADD_TC(tp, trace_for_nobody);
	ATF_TP_ADD_TC(tp, whose_traces);
	return (atf_no_error());
}
