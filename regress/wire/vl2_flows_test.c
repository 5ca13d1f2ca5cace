/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The captured flows of vl2-messages.json as node m1 takes part in them:
 * messages that we make must be those of the capture, byte for byte.
 */

#include <stdlib.h>
#include <string.h>

#include "regress/lib/vl2.h"

#define PAYLOAD_MAX	PACKET_MAX

static struct vl2	 v;
static json_t		*flows;

static json_t *
flow(const char *name)
{
	json_t	*f;
	size_t	 i;

	json_array_foreach(flows, i, f)
		if (strcmp(vectors_str(f, "scenario"), name) == 0)
			return (f);
	atf_tc_fail("no scenario %s", name);
}

/* The k-th message of a flow from and to these with this verb. */
static json_t *
message(json_t *f, const char *from, const char *to, uint8_t verb,
    unsigned k)
{
	json_t	*m;
	size_t	 i;

	json_array_foreach(vectors_get(f, "messages"), i, m)
		if (strcmp(vectors_str(m, "from"), from) == 0 &&
		    strcmp(vectors_str(m, "to"), to) == 0 &&
		    vectors_u64(m, "verb") == verb && k-- == 0)
			return (m);
	atf_tc_fail("no such message in %s", vectors_str(f, "scenario"));
}

/* Give a message to m1; in_re: put this id into an OK or ERROR. */
static uint64_t
play(json_t *f, const char *from, uint8_t verb, unsigned k, uint64_t in_re)
{
	struct wbuf	wb;
	uint8_t		p[PAYLOAD_MAX];
	size_t		len;

	len = vectors_hex(message(f, from, "m1", verb, k), "payload", p,
	    sizeof(p));
	if (verb == VERB_OK || verb == VERB_ERROR) {
		wbuf_init(&wb, p + 1, 8);
		wbuf_u64(&wb, in_re);
	}
	return (vl2_give(&v, vl2_who(from), verb, p, len));
}

/* What m1 sent is what m1 sent in the capture. */
static struct vl2_sent *
expect_sent(json_t *f, const char *to, uint8_t verb, unsigned k,
    uint64_t in_re)
{
	struct vl2_sent	*vs;
	struct wbuf	 wb;
	json_t		*m = message(f, "m1", to, verb, k);
	uint8_t		 p[PAYLOAD_MAX];
	size_t		 len;

	len = vectors_hex(m, "payload", p, sizeof(p));
	if (verb == VERB_OK) {
		wbuf_init(&wb, p + 1, 8);
		wbuf_u64(&wb, in_re);
	}
	vs = vl2_sent(&v, vl2_who(to), verb, k);
	ATF_REQUIRE_MSG(vs != NULL, "%s: verb %u was not sent",
	    vectors_str(f, "scenario"), verb);
	vl2_require_payload(vs, p, len);
	ATF_CHECK_EQ_MSG(vs->vs_compressed, vectors_bool(m,
	    "compressed_on_wire"), "%s: compression",
	    vectors_str(f, "scenario"));
	return (vs);
}

/* The request is that of the capture, but for the name of the system. */
static uint64_t
expect_request(json_t *f, uint64_t nwid)
{
	struct vl2_sent	*vs;
	uint8_t		 p[PAYLOAD_MAX], meta[METADATA_MAX];
	struct rbuf	 rb;
	size_t		 len, metalen;

	len = vectors_hex(message(f, "m1", "controller",
	    VERB_NETWORK_CONFIG_REQUEST, 0), "payload", p, sizeof(p));
	vs = vl2_sent(&v, VL2_CONTROLLER, VERB_NETWORK_CONFIG_REQUEST, 0);
	ATF_REQUIRE(vs != NULL);
	ATF_REQUIRE(vs->vs_compressed);
#if defined(__linux__) && defined(__x86_64__)
	vl2_require_payload(vs, p, len);
#endif
	rbuf_init(&rb, vs->vs_payload, vs->vs_len);
	ATF_REQUIRE_EQ(rbuf_u64(&rb), nwid);
	metalen = netconf_metadata(meta);
	ATF_REQUIRE_EQ(rbuf_u16(&rb), metalen);
	ATF_REQUIRE(memcmp(rbuf_take(&rb, metalen), meta, metalen) == 0);
	ATF_REQUIRE(rb.rb_left == 16);
	ATF_REQUIRE(memcmp(rb.rb_p, p + len - 16, 16) == 0);
	return (vs->vs_id);
}

/* Hand the frames of a flow that m1's port took in, or check them. */
static void
expect_delivered(json_t *f, const char *who)
{
	json_t	*w, *mine;
	size_t	 i;

	mine = json_array();
	json_array_foreach(vectors_get(f, "frames_delivered_to_port"), i, w)
		if (strcmp(vectors_str(w, "node"), who) == 0)
			json_array_append(mine, w);
	vl2_check_delivered(&v, vectors_str(f, "scenario"), mine);
	json_decref(mine);
}

static void
step(int64_t ms)
{
	v.v_now += ms;
	vl2_forget(&v);
}

static void
flow_join(void)
{
	json_t		*f = flow("join_ok");
	uint8_t		 p[PAYLOAD_MAX];
	uint64_t	 id;
	size_t		 len;

	ATF_REQUIRE_EQ(node_join(v.v_node, v.v_now, v.v_nwid), 0);
	ATF_REQUIRE_EQ(v.v_filelen, 1);
	ATF_REQUIRE_EQ(v.v_file[0], '\n');
	ATF_REQUIRE_EQ(v.v_status, NET_REQUESTING);
	id = expect_request(f, v.v_nwid);
	/* An answer to what was not asked is not taken. */
	(void)play(f, "controller", VERB_OK, 0, id ^ 0x5500000000ULL);
	ATF_REQUIRE_EQ(v.v_status, NET_REQUESTING);
	(void)play(f, "controller", VERB_OK, 0, id);
	ATF_REQUIRE_EQ(v.v_status, NET_OK);
	step(10);
	id = play(f, "controller", VERB_NETWORK_CONFIG, 0, 0);
	(void)expect_sent(f, "controller", VERB_OK, 0, id);
	ATF_REQUIRE_EQ(v.v_status, NET_OK);
	ATF_REQUIRE_EQ(v.v_nstores, 1);
	len = vectors_hex(vectors_get(f, "result"), "m1_network_file", p,
	    sizeof(p));
	ATF_REQUIRE_EQ(v.v_filelen, len);
	ATF_REQUIRE(memcmp(v.v_file, p, len) == 0);

	/* 60 s later the request names what is held. */
	step(60000);
	networks_tick(v.v_node, v.v_now);
	(void)expect_request(flow("refresh"), v.v_nwid);
}

/* The frame that m1's host sent, as the message that came of it has it. */
static void
host_sends(uint64_t dst, uint64_t src, uint16_t type, const uint8_t *p,
    size_t len)
{
	node_frame(v.v_node, v.v_now, v.v_nwid, dst, src, type, p, len, NULL);
}

/*
 * The configuration that was in force when m1 pushed these credentials was
 * not captured: it is the one before with them in place of the old ones.
 */
static void
configure_from_push(json_t *push)
{
	struct network	*nw = network_find(v.v_node, v.v_nwid);
	struct netconf	*nc;
	struct rbuf	 rb;
	uint8_t		 p[PAYLOAD_MAX];
	unsigned	 i;

	ATF_REQUIRE((nc = calloc(1, sizeof(*nc))) != NULL);
	ATF_REQUIRE(netconf_decode(nc, v.v_file, v.v_filelen) == NULL);
	rbuf_init(&rb, p, vectors_hex(push, "payload", p, sizeof(p)));
	com_get(&rb, &nc->nc_com);
	ATF_REQUIRE_EQ(rbuf_u8(&rb), 0);
	ATF_REQUIRE_EQ(rbuf_u16(&rb), nc->nc_ncaps);
	for (i = 0; i < nc->nc_ncaps; i++)
		capability_get(&rb, &nc->nc_caps[i]);
	ATF_REQUIRE_EQ(rbuf_u16(&rb), nc->nc_ntags);
	for (i = 0; i < nc->nc_ntags; i++)
		tag_get(&rb, &nc->nc_tags[i]);
	ATF_REQUIRE_EQ(rbuf_u16(&rb), 0);
	ATF_REQUIRE_EQ(rbuf_u16(&rb), nc->nc_ncoos);
	for (i = 0; i < nc->nc_ncoos; i++)
		coo_get(&rb, &nc->nc_coos[i]);
	ATF_REQUIRE(rbuf_done(&rb));
	nc->nc_ts = (int64_t)com_value(&nc->nc_com, COM_ID_TIMESTAMP);
	ATF_REQUIRE(config_apply(v.v_node, v.v_now, nw, nc, true));
}

static void
flow_unicast(void)
{
	json_t		*f = flow("unicast_first_frame");
	struct network	*nw = network_find(v.v_node, v.v_nwid);
	uint64_t	 m2 = mac_from_addr(v.v_ids[VL2_M2].id_addr,
	    v.v_nwid);
	uint8_t		 p[PAYLOAD_MAX];
	size_t		 len;

	len = vectors_hex(vectors_get(message(f, "m1", "m2", VERB_FRAME, 0),
	    "fields"), "frame", p, sizeof(p));
	configure_from_push(message(f, "m1", "m2", VERB_NETWORK_CREDENTIALS,
	    0));
	step(10);
	host_sends(m2, nw->nw_mac, 0x0800, p, len);
	(void)expect_sent(f, "m2", VERB_NETWORK_CREDENTIALS, 0, 0);
	(void)expect_sent(f, "m2", VERB_FRAME, 0, 0);
	step(10);
	host_sends(m2, nw->nw_mac, 0x0800, p, len);
	(void)expect_sent(flow("unicast_second_frame"), "m2", VERB_FRAME, 0,
	    0);
	ATF_REQUIRE_EQ(v.v_nsent, 1);

	f = flow("need_credentials");
	step(1500);
	(void)play(f, "m2", VERB_ERROR, 0, 1);
	(void)expect_sent(f, "m2", VERB_NETWORK_CREDENTIALS, 0, 0);
	step(10);
	(void)play(f, "m2", VERB_ERROR, 0, 1);
	ATF_REQUIRE_EQ(v.v_nsent, 0);
}

static void
flow_arp(void)
{
	json_t		*f = flow("arp_request");
	struct network	*nw = network_find(v.v_node, v.v_nwid);
	struct vl2_sent	*vs;
	uint8_t		 p[PAYLOAD_MAX];
	uint64_t	 id;
	size_t		 len;

	len = vectors_hex(vectors_get(message(f, "m1", "m2",
	    VERB_MULTICAST_FRAME, 0), "fields"), "frame", p, sizeof(p));
	step(10);
	host_sends(MAC_BROADCAST, nw->nw_mac, 0x0806, p, len);
	/* Once to the controller, though it is the best upstream, too; m2 is
	 * a bridge and gets the frame before it is known as a member. */
	id = expect_sent(f, "controller", VERB_MULTICAST_GATHER, 0,
	    0)->vs_id;
	vs = expect_sent(f, "m2", VERB_MULTICAST_FRAME, 0, 0);
	ATF_REQUIRE_EQ(v.v_nsent, 2);
	(void)play(f, "controller", VERB_OK, 0, id);
	(void)play(f, "m2", VERB_OK, 0, vs->vs_id);
	ATF_REQUIRE(vl2_sent(&v, VL2_M2, VERB_MULTICAST_FRAME, 1) == NULL);
	step(10);
	host_sends(MAC_BROADCAST, nw->nw_mac, 0x0806, p, len);
	(void)expect_sent(flow("arp_request_again"), "m2",
	    VERB_MULTICAST_FRAME, 0, 0);
	ATF_REQUIRE_EQ(v.v_nsent, 1);
}

static void
flow_announce(void)
{
	static const struct mgroup	 mg = { 0x3333ff000001ULL, 0 };
	struct vl2_sent			*vs;
	uint8_t				 p[PAYLOAD_MAX];
	size_t				 len;

	step(10);
	len = vectors_hex(message(flow("multicast_like_new_group"), "m2",
	    "controller", VERB_MULTICAST_LIKE, 0), "payload", p, sizeof(p));
	node_groups(v.v_node, v.v_now, v.v_nwid, &mg, 1);
	vs = vl2_sent(&v, VL2_CONTROLLER, VERB_MULTICAST_LIKE, 0);
	vl2_require_payload(vs, p, len);
	/* Nothing new, nothing said. */
	step(10);
	node_groups(v.v_node, v.v_now, v.v_nwid, &mg, 1);
	ATF_REQUIRE_EQ(v.v_nsent, 0);
	node_groups(v.v_node, v.v_now, v.v_nwid, NULL, 0);
}

static void
flow_bridge(void)
{
	json_t		*f = flow("bridged_unicast_in");
	struct network	*nw = network_find(v.v_node, v.v_nwid);
	uint8_t		 p[PAYLOAD_MAX];
	size_t		 len;

	nw->nw_conf->nc_nspecialists = 0;
	vl2_specialist(&v, nw->nw_conf, VL2_M2, SPECIALIST_BRIDGE);
	step(2000);
	(void)play(f, "m2", VERB_NETWORK_CREDENTIALS, 0, 0);
	(void)play(f, "m2", VERB_EXT_FRAME, 0, 0);
	expect_delivered(f, "m1");
	ATF_REQUIRE_EQ(bridge_route(nw, 0x001122334455ULL),
	    v.v_ids[VL2_M2].id_addr);

	f = flow("bridged_unicast_out_known");
	len = vectors_hex(vectors_get(message(f, "m1", "m2",
	    VERB_EXT_FRAME, 0), "fields"), "frame", p, sizeof(p));
	step(10);
	host_sends(0x001122334455ULL, nw->nw_mac, 0x0800, p, len);
	(void)expect_sent(f, "m2", VERB_EXT_FRAME, 0, 0);

	f = flow("bridged_unicast_out_unknown");
	len = vectors_hex(vectors_get(message(f, "m1", "m2",
	    VERB_EXT_FRAME, 0), "fields"), "frame", p, sizeof(p));
	step(10);
	host_sends(0x00aabbccddeeULL, nw->nw_mac, 0x0800, p, len);
	(void)expect_sent(f, "m2", VERB_EXT_FRAME, 0, 0);

	f = flow("bridged_broadcast");
	step(10);
	(void)vectors_hex(message(f, "m2", "m1", VERB_MULTICAST_FRAME, 0),
	    "payload", p, sizeof(p));
	(void)play(f, "m2", VERB_MULTICAST_FRAME, 0, 0);
	expect_delivered(f, "m1");
}

static void
flow_revocation(void)
{
	json_t		*f = flow("revocation_fast_propagate");
	struct network	*nw = network_find(v.v_node, v.v_nwid);

	ATF_REQUIRE(membership_get(nw, v.v_now,
	    v.v_ids[VL2_M3].id_addr) != NULL);
	step(2000);
	(void)play(f, "controller", VERB_NETWORK_CREDENTIALS, 0, 0);
	(void)expect_sent(f, "m2", VERB_NETWORK_CREDENTIALS, 0, 0);
	(void)expect_sent(f, "m3", VERB_NETWORK_CREDENTIALS, 0, 0);
	ATF_REQUIRE_EQ(v.v_nsent, 2);
	/* It is news only once. */
	step(2000);
	(void)play(f, "controller", VERB_NETWORK_CREDENTIALS, 0, 0);
	ATF_REQUIRE_EQ(v.v_nsent, 0);
}

static void
flow_push(void)
{
	json_t		*f = flow("config_push"), *res;
	struct network	*nw = network_find(v.v_node, v.v_nwid);
	uint8_t		 p[PAYLOAD_MAX];
	uint64_t	 id;
	size_t		 len;

	step(10);
	id = play(f, "controller", VERB_NETWORK_CONFIG, 0, 0);
	(void)expect_sent(f, "controller", VERB_OK, 0, id);
	res = vectors_get(f, "result");
	ATF_REQUIRE_STREQ(nw->nw_conf->nc_name, vectors_str(res, "m1_name"));
	ATF_REQUIRE_EQ(nw->nw_conf->nc_revision, vectors_u64(res,
	    "m1_revision"));
	/* Somebody else plays an older one again: signed, yet refused. */
	step(10);
	len = vectors_hex(message(flow("join_ok"), "controller", "m1",
	    VERB_NETWORK_CONFIG, 0), "payload", p, sizeof(p));
	(void)vl2_give(&v, VL2_M2, VERB_NETWORK_CONFIG, p, len);
	ATF_REQUIRE_EQ(nw->nw_conf->nc_revision, vectors_u64(res,
	    "m1_revision"));
}

/* The id of a request of now, for errors to answer. */
static uint64_t
ask(void)
{
	struct vl2_sent	*vs;

	step(5000);
	network_request(v.v_node, v.v_now, network_find(v.v_node,
	    v.v_nwid));
	vs = vl2_sent(&v, VL2_CONTROLLER, VERB_NETWORK_CONFIG_REQUEST, 0);
	ATF_REQUIRE(vs != NULL);
	return (vs->vs_id);
}

static void
flow_errors(void)
{
	struct network		*nw = network_find(v.v_node, v.v_nwid);
	struct netconf_sso	*sso;
	struct node_network	 nn;
	json_t			*f, *res;

	f = flow("auth_required_v0");
	(void)play(f, "controller", VERB_ERROR, 0, 0x1122334455667788ULL);
	ATF_REQUIRE_EQ(v.v_status, NET_OK);	/* of no request of ours */
	(void)play(f, "controller", VERB_ERROR, 0, ask());
	res = vectors_get(f, "result");
	vl2_network(&v, v.v_nwid, &nn);
	ATF_REQUIRE_EQ(nn.nn_status, NET_AUTHENTICATION_REQUIRED);
	ATF_REQUIRE_STREQ(nn.nn_auth_url, vectors_str(res,
	    "authentication_url"));

	f = flow("auth_required_v1");
	(void)play(f, "controller", VERB_ERROR, 0, ask());
	res = vectors_get(f, "result");
	sso = &nw->nw_conf->nc_sso;
	ATF_REQUIRE_STREQ(sso->sso_issuer, vectors_str(res, "issuer_url"));
	ATF_REQUIRE_STREQ(sso->sso_central, vectors_str(res,
	    "central_auth_url"));
	ATF_REQUIRE_STREQ(sso->sso_nonce, vectors_str(res, "nonce"));
	ATF_REQUIRE_STREQ(sso->sso_state, vectors_str(res, "state"));
	ATF_REQUIRE_STREQ(sso->sso_client, vectors_str(res, "client_id"));
	ATF_REQUIRE_STREQ(sso->sso_provider, vectors_str(res, "provider"));
	ATF_REQUIRE_EQ(sso->sso_version, 1);
	ATF_REQUIRE_EQ(v.v_status, NET_AUTHENTICATION_REQUIRED);

	(void)play(flow("auth_required_no_data"), "controller", VERB_ERROR,
	    0, ask());
	ATF_REQUIRE_EQ(v.v_status, NET_AUTHENTICATION_REQUIRED);
	ATF_REQUIRE_STREQ(nw->nw_auth_url, "");

	(void)play(flow("access_denied_from_non_controller_ignored"), "m2",
	    VERB_ERROR, 0, ask());
	ATF_REQUIRE_EQ(v.v_status, NET_AUTHENTICATION_REQUIRED);
	(void)play(flow("access_denied_keeps_config"), "controller",
	    VERB_ERROR, 0, ask());
	ATF_REQUIRE_EQ(v.v_status, NET_ACCESS_DENIED);
	ATF_REQUIRE(nw->nw_conf != NULL);
}

static void
flow_groups(void)
{
	static const struct mgroup	 mg = { 0x3333ff000001ULL, 0 };
	struct network			*nw = network_find(v.v_node,
	    v.v_nwid);
	struct com			 com;
	struct mc_group			*g;
	json_t				*f;
	uint8_t				 p[PAYLOAD_MAX];
	size_t				 len;

	/* The captured COM of m2 was revoked meanwhile. */
	vl2_issue(&v, &com, nw->nw_conf->nc_ts, VL2_M2);
	ATF_REQUIRE_EQ(membership_add_com(v.v_node, v.v_now, nw, &com),
	    CRED_NEW);
	multicast_add(v.v_node, v.v_now, v.v_nwid, &mg,
	    v.v_ids[VL2_M2].id_addr);
	step(10);
	(void)play(flow("unwanted_multicast_error"), "m2", VERB_ERROR, 0, 1);
	g = multicast_find(v.v_node, v.v_nwid, &mg);
	ATF_REQUIRE(g == NULL || g->mg_n == 0);

	nw->nw_conf->nc_nspecialists = 0;
	vl2_specialist(&v, nw->nw_conf, VL2_M2, SPECIALIST_REPLICATOR);
	f = flow("multicast_via_replicator");
	len = vectors_hex(vectors_get(message(f, "m1", "m2",
	    VERB_MULTICAST_FRAME, 0), "fields"), "frame", p, sizeof(p));
	(void)vl2_give(&v, VL2_M2, VERB_NOP, NULL, 0);	/* it lives */
	step(10);
	free(nw->nw_conf->nc_rules);
	nw->nw_conf->nc_rules = calloc(1, sizeof(struct rule));
	ATF_REQUIRE(nw->nw_conf->nc_rules != NULL);
	nw->nw_conf->nc_rules[0].r_t = ACTION_ACCEPT;
	nw->nw_conf->nc_nrules = 1;
	host_sends(mg.mg_mac, nw->nw_mac, 0x1234, p, len);
	(void)expect_sent(f, "m2", VERB_MULTICAST_FRAME, 0, 0);
	ATF_REQUIRE_EQ(v.v_nsent, 1);
}

static void
flow_chunks(void)
{
	json_t		*f = flow("join_multi_chunk");
	struct vl2_sent	*vs;
	uint64_t	 id, nwid;
	unsigned	 k;

	nwid = vectors_hexu64(vectors_get(message(f, "controller", "m1",
	    VERB_OK, 0), "fields"), "network_id");
	step(10);
	ATF_REQUIRE_EQ(node_join(v.v_node, v.v_now, nwid), 0);
	vs = vl2_sent(&v, VL2_CONTROLLER, VERB_NETWORK_CONFIG_REQUEST, 0);
	ATF_REQUIRE(vs != NULL);
	id = vs->vs_id;
	for (k = 0; k < 3; k++) {
		ATF_REQUIRE_EQ(v.v_status, NET_REQUESTING);
		(void)play(f, "controller", VERB_OK, 2 - k, id);
	}
	ATF_REQUIRE_EQ(v.v_status, NET_OK);
	step(10);
	for (k = 0; k < 3; k++) {
		ATF_REQUIRE_EQ(v.v_nsent, 0);
		id = play(f, "controller", VERB_NETWORK_CONFIG, k, 0);
	}
	(void)expect_sent(f, "controller", VERB_OK, 0, id);
}

/* A request to us, who run no controller. */
static void
refuse_request(json_t *request, uint64_t nwid)
{
	struct wbuf	wb;
	uint8_t		p[PAYLOAD_MAX], want[18];
	size_t		len;

	step(10);
	len = vectors_hex(request, "payload", p, sizeof(p));
	wbuf_init(&wb, want, sizeof(want));
	wbuf_u8(&wb, VERB_NETWORK_CONFIG_REQUEST);
	wbuf_u64(&wb, vl2_give(&v, VL2_M2, VERB_NETWORK_CONFIG_REQUEST, p,
	    len));
	wbuf_u8(&wb, ERR_UNSUPPORTED_OPERATION);
	wbuf_u64(&wb, nwid);
	vl2_require_payload(vl2_sent(&v, VL2_M2, VERB_ERROR, 0), want,
	    wb.wb_len);
}

static void
flow_failures(void)
{
	json_t		*f = flow("join_failures");
	struct vl2_sent	*vs;
	uint64_t	 nwid;

	nwid = v.v_ids[VL2_CONTROLLER].id_addr << 24 | 0x404;
	step(10);
	ATF_REQUIRE_EQ(node_join(v.v_node, v.v_now, nwid), 0);
	vs = vl2_sent(&v, VL2_CONTROLLER, VERB_NETWORK_CONFIG_REQUEST, 0);
	ATF_REQUIRE(vs != NULL);
	(void)play(f, "controller", VERB_ERROR, 0, vs->vs_id);
	ATF_REQUIRE_EQ(v.v_status, NET_NOT_FOUND);
	node_leave(v.v_node, v.v_now, nwid);

	nwid = v.v_ids[VL2_M2].id_addr << 24 | 0x77;
	step(10);
	ATF_REQUIRE_EQ(node_join(v.v_node, v.v_now, nwid), 0);
	vs = vl2_sent(&v, VL2_M2, VERB_NETWORK_CONFIG_REQUEST, 0);
	ATF_REQUIRE(vs != NULL);
	(void)play(f, "m2", VERB_ERROR, 0, vs->vs_id);
	ATF_REQUIRE_EQ(v.v_status, NET_NOT_FOUND);
	refuse_request(message(f, "m1", "m2", VERB_NETWORK_CONFIG_REQUEST,
	    0), nwid);
}

ATF_TC_WITHOUT_HEAD(captured_flows);
ATF_TC_BODY(captured_flows, tc)
{
	json_t	*doc;

	doc = vectors_load(tc, "vl2-messages.json");
	flows = vectors_array(doc, "scenarios");
	vl2_start(&v, tc, 1795327498000);
	flow_failures();
	flow_join();
	flow_unicast();
	flow_arp();
	flow_announce();
	flow_bridge();
	flow_revocation();
	flow_push();
	flow_errors();
	flow_groups();
	flow_chunks();
	vl2_end(&v);
	json_decref(doc);
}

/* Bytes of captured messages changed at random: nothing may break. */
ATF_TC_WITHOUT_HEAD(mutated);
ATF_TC_BODY(mutated, tc)
{
	static const enum vl2_who	 from[] = { VL2_CONTROLLER, VL2_M2 };
	json_t				*doc, *f, *m, *messages;
	struct network			*nw;
	uint8_t				 p[PAYLOAD_MAX];
	uint64_t			 seed = 1;
	size_t				 i, k, len, round, hits;

	doc = vectors_load(tc, "vl2-messages.json");
	flows = vectors_array(doc, "scenarios");
	vl2_start(&v, tc, 1795327498000);
	flow_join();
	nw = network_find(v.v_node, v.v_nwid);
	for (round = 0; round < 60; round++) {
		json_array_foreach(flows, i, f) {
			messages = vectors_get(f, "messages");
			json_array_foreach(messages, k, m) {
				len = vectors_hex(m, "payload", p,
				    sizeof(p));
				for (hits = round % 4; hits > 0; hits--) {
					seed = seed *
					    6364136223846793005ULL + 1;
					p[(seed >> 33) % (round % 2 ? 40 :
					    len) % len] = (uint8_t)(seed >>
					    24);
				}
				step(300);
				(void)vl2_give(&v, from[(round + k) % 2],
				    (uint8_t)vectors_u64(m, "verb"), p, len);
			}
		}
		networks_tick(v.v_node, v.v_now);
		networks_housekeeping(v.v_node, v.v_now);
	}
	ATF_REQUIRE(nw->nw_conf != NULL);
	ATF_REQUIRE(nw->nw_nmembers <= 100);
	vl2_end(&v);
	json_decref(doc);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, captured_flows);
	ATF_TP_ADD_TC(tp, mutated);
	return (atf_no_error());
}
