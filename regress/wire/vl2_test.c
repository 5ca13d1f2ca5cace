/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * VL2 against vl2-messages.json: single packets and what a member does with
 * them.  Also neighbour discovery, groups and ad-hoc networks from
 * addresses.json.
 */

#include <stdlib.h>
#include <string.h>

#include "regress/lib/vl2.h"

#define PAYLOAD_MAX	PACKET_MAX

static struct vl2	 v;

/* --- single packets --------------------------------------------------- */

/* When the COMs inside the packets of receiver_cases were issued. */
static int64_t
com_time(json_t *cases)
{
	json_t		*c;
	struct rbuf	 rb;
	uint8_t		 p[PAYLOAD_MAX];
	struct com	 com;
	size_t		 i, len;

	json_array_foreach(cases, i, c) {
		if (strcmp(vectors_str(c, "name"), "ext_inline_com") != 0)
			continue;
		len = vectors_hex(c, "payload", p, sizeof(p));
		rbuf_init(&rb, p, len);
		rbuf_skip(&rb, 9);
		com_get(&rb, &com);
		ATF_REQUIRE(rbuf_ok(&rb));
		return ((int64_t)com_value(&com, COM_ID_TIMESTAMP));
	}
	atf_tc_fail("no case with a COM");
}

static struct network *
case_configure(json_t *conf, int64_t ts)
{
	struct netconf	*nc = vl2_conf(&v, v.v_nwid, ts);
	struct network	*nw;
	struct com	 com;
	struct rbuf	 rb;
	uint8_t		 rules[1024];

	nc->nc_public = strcmp(vectors_str(conf, "type"), "public") == 0;
	nc->nc_mclimit = (uint32_t)vectors_u64(conf, "multicast_limit");
	vl2_issue(&v, &nc->nc_com, ts, VL2_M1);
	rbuf_init(&rb, rules, vectors_hex(conf, "rules", rules,
	    sizeof(rules)));
	nc->nc_rules = calloc(16, sizeof(*nc->nc_rules));
	ATF_REQUIRE(nc->nc_rules != NULL);
	nc->nc_nrules = rules_get(&rb, nc->nc_rules, 16);
	ATF_REQUIRE(rbuf_done(&rb));
	if (vectors_bool(conf, "sender_is_active_bridge"))
		vl2_specialist(&v, nc, VL2_M2, SPECIALIST_BRIDGE);
	if (vectors_bool(conf, "self_is_active_bridge"))
		vl2_specialist(&v, nc, VL2_M1, SPECIALIST_BRIDGE);
	if (vectors_bool(conf, "self_is_multicast_replicator"))
		vl2_specialist(&v, nc, VL2_M1, SPECIALIST_REPLICATOR);

	ATF_REQUIRE_EQ(node_join(v.v_node, v.v_now, v.v_nwid), 0);
	nw = network_find(v.v_node, v.v_nwid);
	ATF_REQUIRE(config_apply(v.v_node, v.v_now, nw, nc, false));
	if (vectors_bool(conf, "sender_certificate_known")) {
		vl2_issue(&v, &com, ts - 1, VL2_M2);
		ATF_REQUIRE_EQ(membership_add_com(v.v_node, v.v_now, nw,
		    &com), CRED_NEW);
	}
	return (nw);
}

/* Nothing is to be announced or pushed besides what the case is about. */
static void
case_quiet(struct network *nw)
{
	static const enum vl2_who	 who[] = { VL2_M2, VL2_M3 };
	struct membership		*mb;
	size_t				 i;

	for (i = 0; i < 2; i++) {
		mb = membership_get(nw, v.v_now, v.v_ids[who[i]].id_addr);
		ATF_REQUIRE(mb != NULL);
		mb->mb_announced = true;
		mb->mb_announced_at = v.v_now;
		mb->mb_pushed_gen = nw->nw_gen;
		mb->mb_pushed_at = v.v_now;
	}
}

static void
case_members(json_t *members)
{
	static const struct mgroup	 mg = { 0x3333ff000001ULL, 0 };
	json_t				*m;
	uint64_t			 addr;
	size_t				 i;

	json_array_foreach(members, i, m) {
		ATF_REQUIRE_EQ(addr_parse(json_string_value(m), &addr), 0);
		multicast_add(v.v_node, v.v_now, v.v_nwid, &mg, addr);
	}
}

/* A reply of the capture that we do better without (13.3 step 4). */
static bool
echo_to_origin(const char *name, enum vl2_who to, uint64_t verb)
{
	return (strcmp(name, "mc_replicate_members_known") == 0 &&
	    to == VL2_M2 && verb == VERB_MULTICAST_FRAME);
}

static void
check_replies(const char *name, json_t *want, uint64_t id)
{
	struct vl2_sent	*vs;
	json_t		*w;
	struct wbuf	 wb;
	uint8_t		 p[PAYLOAD_MAX], bytes[PAYLOAD_MAX];
	uint64_t	 verb;
	enum vl2_who	 to;
	size_t		 i, len;
	unsigned	 expected = 0, k, got = 0;

	json_array_foreach(want, i, w) {
		to = vl2_who(vectors_str(w, "to"));
		verb = vectors_u64(w, "verb");
		if (echo_to_origin(name, to, verb))
			continue;
		expected++;
		len = vectors_hex(w, "payload_without_in_re_packet_id", p,
		    sizeof(p));
		wbuf_init(&wb, bytes, sizeof(bytes));
		if (verb == VERB_OK || verb == VERB_ERROR) {
			wbuf_u8(&wb, p[0]);
			wbuf_u64(&wb, id);
			wbuf_bytes(&wb, p + 1, len - 1);
		} else
			wbuf_bytes(&wb, p, len);
		vs = vl2_sent(&v, to, (uint8_t)verb, 0);
		ATF_REQUIRE_MSG(vs != NULL, "%s: no reply", name);
		vl2_require_payload(vs, bytes, wb.wb_len);
	}
	for (k = 0; k < v.v_nsent; k++)
		if (v.v_sent[k].vs_verb != VERB_MULTICAST_GATHER)
			got++;
	ATF_CHECK_EQ_MSG(got, expected, "%s: %u replies, expected %u", name,
	    got, expected);
}

static void
check_routes(const char *name, struct network *nw, json_t *want)
{
	const char	*mac;
	json_t		*bridge;
	uint64_t	 addr, key;

	ATF_CHECK_EQ_MSG(nw->nw_nroutes, json_object_size(want), "%s", name);
	json_object_foreach(want, mac, bridge) {
		key = strtoull(mac, NULL, 16);
		ATF_REQUIRE_EQ(addr_parse(json_string_value(bridge), &addr),
		    0);
		ATF_CHECK_EQ_MSG(bridge_route(nw, key), addr, "%s", name);
	}
}

static void
run_case(const atf_tc_t *tc, json_t *c, int64_t ts)
{
	static const struct mgroup	 mg = { 0x3333ff000001ULL, 0 };
	const char			*name = vectors_str(c, "name");
	struct network			*nw;
	json_t				*replies, *first;
	uint8_t				 p[PAYLOAD_MAX];
	uint64_t			 id;
	size_t				 len;

	vl2_start(&v, tc, ts);
	nw = case_configure(vectors_get(c, "config"), ts);
	case_quiet(nw);
	replies = vectors_get(c, "replies");
	first = json_array_get(replies, 0);
	len = vectors_hex(c, "payload", p, sizeof(p));
	if ((first != NULL && (p[8] & 0x02) &&
	    vectors_u64(c, "verb") == VERB_MULTICAST_FRAME) ||
	    vectors_u64(c, "verb") == VERB_MULTICAST_GATHER)
		node_groups(v.v_node, v.v_now, v.v_nwid, &mg, 1);
	case_members(json_object_get(c, "group_members_known"));
	vl2_forget(&v);
	id = vl2_give(&v, VL2_M2, (uint8_t)vectors_u64(c, "verb"), p, len);
	vl2_check_delivered(&v, name, vectors_get(c, "delivered"));
	check_replies(name, replies, id);
	check_routes(name, nw, vectors_get(c, "bridge_routes_learned"));
	vl2_end(&v);
}

ATF_TC_WITHOUT_HEAD(receiver_cases);
ATF_TC_BODY(receiver_cases, tc)
{
	json_t	*doc, *cases, *c;
	size_t	 i;
	int64_t	 ts;

	doc = vectors_load(tc, "vl2-messages.json");
	cases = vectors_array(doc, "receiver_cases");
	ATF_REQUIRE_EQ(json_array_size(cases), 44);
	ts = com_time(cases);
	json_array_foreach(cases, i, c)
		run_case(tc, c, ts);
	json_decref(doc);
}

/* --- no case may read out of bounds or deliver from a cut packet ------- */

ATF_TC_WITHOUT_HEAD(cut_packets);
ATF_TC_BODY(cut_packets, tc)
{
	json_t	*doc, *cases, *c;
	uint8_t	 p[PAYLOAD_MAX];
	size_t	 i, len, cut;
	int64_t	 ts;

	doc = vectors_load(tc, "vl2-messages.json");
	cases = vectors_array(doc, "receiver_cases");
	ts = com_time(cases);
	json_array_foreach(cases, i, c) {
		vl2_start(&v, tc, ts);
		case_quiet(case_configure(vectors_get(c, "config"), ts));
		len = vectors_hex(c, "payload", p, sizeof(p));
		for (cut = 0; cut < len; cut++) {
			vl2_forget(&v);
			(void)vl2_give(&v, VL2_M2,
			    (uint8_t)vectors_u64(c, "verb"), p, cut);
			ATF_CHECK(cut >= 10 || v.v_nframes == 0);
		}
		vl2_end(&v);
	}
	json_decref(doc);
}

/* --- addresses.json --------------------------------------------------- */

ATF_TC_WITHOUT_HEAD(ndp);
ATF_TC_BODY(ndp, tc)
{
	json_t		*doc, *all, *c, *ip, *reply;
	struct netconf	*nc;
	struct network	*nw;
	uint8_t		 p[PAYLOAD_MAX], q[PAYLOAD_MAX];
	uint64_t	 nwid;
	size_t		 i, k, len, qlen;
	bool		 done;

	doc = vectors_load(tc, "addresses.json");
	all = vectors_array(doc, "ndp_emulation");
	json_array_foreach(all, i, c) {
		vl2_start(&v, tc, 1795000000000);
		nwid = vectors_hexu64(c, "network_id");
		ATF_REQUIRE_EQ(vectors_hexu64(c, "self"),
		    v.v_ids[VL2_M1].id_addr);
		ATF_REQUIRE_EQ(node_join(v.v_node, v.v_now, nwid), 0);
		nw = network_find(v.v_node, nwid);
		nc = vl2_conf(&v, nwid, v.v_now);
		if (vectors_bool(c, "emulation_flag"))
			nc->nc_flags |= NETCONF_NDP;
		json_array_foreach(vectors_get(c, "static_ips"), k, ip)
			ATF_REQUIRE_EQ(inet_parse(json_string_value(ip),
			    &nc->nc_ips[nc->nc_nips++]), 0);
		ATF_REQUIRE(config_apply(v.v_node, v.v_now, nw, nc, false));
		len = vectors_hex(c, "frame", p, sizeof(p));
		done = ndp_emulate(v.v_node, nw, vectors_hexu64(c,
		    "mac_source"), 0x86dd, p, len);
		reply = vectors_get(c, "reply");
		ATF_CHECK_EQ_MSG(done, !json_is_null(reply), "%s",
		    vectors_str(c, "name"));
		ATF_CHECK_EQ(v.v_nframes, done ? 1 : 0);
		if (done) {
			qlen = vectors_hex(reply, "frame", q, sizeof(q));
			ATF_CHECK_EQ(v.v_frames[0].vf_len, qlen);
			ATF_CHECK(memcmp(v.v_frames[0].vf_bytes, q,
			    qlen) == 0);
			ATF_CHECK_EQ(v.v_frames[0].vf_src,
			    vectors_hexu64(reply, "mac_source"));
			ATF_CHECK_EQ(v.v_frames[0].vf_dst,
			    vectors_hexu64(reply, "mac_dest"));
		}
		vl2_end(&v);
	}
	json_decref(doc);
}

ATF_TC_WITHOUT_HEAD(resolution_groups);
ATF_TC_BODY(resolution_groups, tc)
{
	json_t			*doc, *all, *c;
	struct mgroup		 mg;
	struct inet_addr	 ia;
	size_t			 i;

	doc = vectors_load(tc, "addresses.json");
	all = vectors_array(doc, "multicast_group_for_ip");
	json_array_foreach(all, i, c) {
		ATF_REQUIRE_EQ(inet_parse(vectors_str(c, "ip"), &ia), 0);
		node_group_of_ip(&mg, &ia);
		ATF_CHECK_EQ(mg.mg_mac, vectors_hexu64(c, "mac"));
		ATF_CHECK_EQ(mg.mg_adi, vectors_hexu64(c, "adi"));
	}
	json_decref(doc);
}

static void
check_adhoc(json_t *c)
{
	struct node_network	 nn;
	uint64_t		 nwid = vectors_hexu64(c, "network_id");
	const char		*status = vectors_str(c, "status");
	json_t			*conf = vectors_get(c, "config");
	int64_t			 ts;

	vl2_forget(&v);
	ATF_REQUIRE_EQ(node_join(v.v_node, v.v_now, nwid), 0);
	vl2_network(&v, nwid, &nn);
	ATF_CHECK_EQ_MSG(nn.nn_status,
	    strcmp(status, "OK") == 0 ? NET_OK :
	    strcmp(status, "NOT_FOUND") == 0 ? NET_NOT_FOUND :
	    NET_REQUESTING, "%016llx: %d", (unsigned long long)nwid,
	    nn.nn_status);
	ATF_CHECK_EQ(nn.nn_conf == NULL, json_is_null(conf));
	ATF_CHECK_EQ(v.v_filelen, 1);	/* the placeholder stays */
	ATF_CHECK_EQ(v.v_nsent, 0);
	if (nn.nn_conf != NULL) {
		ATF_CHECK_STREQ(nn.nn_conf->nc_name, vectors_str(conf,
		    "name"));
		ATF_CHECK_EQ(nn.nn_conf->nc_nrules, vectors_u64(conf,
		    "rule_count"));
		ts = nn.nn_conf->nc_ts;
		v.v_now += 60000;
		networks_tick(v.v_node, v.v_now);
		vl2_network(&v, nwid, &nn);
		ATF_CHECK_EQ(nn.nn_conf->nc_ts, ts + 60000);
		ATF_CHECK_EQ(v.v_nsent, 0);
	}
	node_leave(v.v_node, v.v_now, nwid);
	ATF_CHECK_EQ(v.v_filelen, 0);
}

ATF_TC_WITHOUT_HEAD(adhoc);
ATF_TC_BODY(adhoc, tc)
{
	json_t	*doc, *all, *c;
	size_t	 i, n = 0;

	doc = vectors_load(tc, "addresses.json");
	all = vectors_array(doc, "ad_hoc");
	vl2_start(&v, tc, 1795000000000);
	json_array_foreach(all, i, c) {
		if (vectors_hexu64(c, "node_address") !=
		    v.v_ids[VL2_M1].id_addr)
			continue;
		check_adhoc(c);
		n++;
	}
	ATF_REQUIRE(n >= 3);
	vl2_end(&v);
	json_decref(doc);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, receiver_cases);
	ATF_TP_ADD_TC(tp, cut_packets);
	ATF_TP_ADD_TC(tp, ndp);
	ATF_TP_ADD_TC(tp, resolution_groups);
	ATF_TP_ADD_TC(tp, adhoc);
	return (atf_no_error());
}
