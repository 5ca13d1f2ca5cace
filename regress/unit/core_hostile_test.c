/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * One node, and what neighbours that mean it ill can make it do: none may
 * crowd out, keep busy or mislead it.  Spec: 02 sections 4.5, 5.3, 7.1,
 * 10.2, 10.5 and 14.2, 03 sections 7.1 and 11.7.
 */

#include <stdlib.h>
#include <string.h>

#include "regress/lib/rig.h"

/* Does an OK from this node put addr into the group? */
static bool
recorded(const struct network *nw, enum who from, uint8_t in_re,
    uint64_t addr)
{
	static const struct mgroup	 mg = { MAC_BROADCAST, 0x0a000001 };
	struct mc_group			*g;
	struct wbuf			 wb;
	uint8_t				 p[128];
	struct inet_addr		 ia;
	size_t				 i;

	/* A frame of ours asked for members. */
	ATF_REQUIRE((g = multicast_get(rig.node, nw->nw_id, &mg, true)) !=
	    NULL);
	g->mg_asked = true;
	g->mg_asked_at = rig.now;
	/* Some packet of ours, of which anybody may have got one. */
	rig_where(from, &ia);
	expect_add(rig.node, 0x123456789abcdef0, &ia);
	wbuf_init(&wb, p, sizeof(p));
	wbuf_u8(&wb, in_re);
	wbuf_u64(&wb, 0x123456789abcdef0);
	wbuf_u64(&wb, nw->nw_id);
	wbuf_mac(&wb, mg.mg_mac);
	wbuf_u32(&wb, mg.mg_adi);
	if (in_re == VERB_MULTICAST_FRAME)
		wbuf_u8(&wb, 0x02);
	wbuf_u32(&wb, 1);
	wbuf_u16(&wb, 1);
	wbuf_addr(&wb, addr);
	rig_give(from, VERB_OK, &wb);
	if ((g = multicast_find(rig.node, nw->nw_id, &mg)) == NULL)
		return (false);
	for (i = 0; i < g->mg_n; i++)
		if (g->mg_members[i].mm_addr == addr)
			return (true);
	return (false);
}

/* Who is no member tells us nothing about who is in a group. */
ATF_TC_WITHOUT_HEAD(gather_results);
ATF_TC_BODY(gather_results, tc)
{
	struct network	*nw;

	rig_start(tc);
	nw = rig_network();
	ATF_CHECK(!recorded(nw, STRANGER, VERB_MULTICAST_GATHER, 0x1111));
	ATF_CHECK(!recorded(nw, STRANGER, VERB_MULTICAST_FRAME, 0x2222));
	ATF_CHECK(!recorded(nw, MEMBER, VERB_MULTICAST_GATHER, 0x3333));
	ATF_CHECK(recorded(nw, MEMBER, VERB_MULTICAST_FRAME, 0x4444));
	ATF_CHECK(recorded(nw, CONTROLLER, VERB_MULTICAST_GATHER, 0x5555));
	rig_end();
}

/* A chunk to be passed on is passed on once. */
ATF_TC_WITHOUT_HEAD(chunk_passed_on_once);
ATF_TC_BODY(chunk_passed_on_once, tc)
{
	struct network	*nw;
	struct wbuf	 wb;
	uint8_t		 p[256], sig[SIGNATURE_LEN];
	unsigned	 i;

	rig_start(tc);
	nw = rig_network();
	wbuf_init(&wb, p, sizeof(p));
	wbuf_u64(&wb, nw->nw_id);
	wbuf_u16(&wb, 4);
	wbuf_bytes(&wb, "v=7\n", 4);
	wbuf_u8(&wb, 0x01);
	wbuf_u64(&wb, 0xabcd);
	wbuf_u32(&wb, 400);
	wbuf_u32(&wb, 0);
	identity_sign(&rig.ids[CONTROLLER], p, wb.wb_len, sig);
	wbuf_u8(&wb, 1);
	wbuf_u16(&wb, SIGNATURE_LEN);
	wbuf_bytes(&wb, sig, sizeof(sig));
	for (i = 0; i < 3; i++)
		rig_give(CONTROLLER, VERB_NETWORK_CONFIG, &wb);
	ATF_CHECK_EQ(rig.configs, 1);
	rig.now += 5000;
	rig_give(STRANGER, VERB_NETWORK_CONFIG, &wb);
	ATF_CHECK_EQ(rig.configs, 1);
	rig_end();
}

/* Being asked for many addresses leaves room to ask for what we need. */
ATF_TC_WITHOUT_HEAD(whois_crowd);
ATF_TC_BODY(whois_crowd, tc)
{
	struct wbuf	 wb;
	uint8_t		 p[2000];
	unsigned	 i, k;

	rig_start(tc);
	for (k = 0; k < 40; k++) {
		wbuf_init(&wb, p, sizeof(p));
		for (i = 0; i < 300; i++)
			wbuf_addr(&wb, 0x1000000 + 1000 * k + i);
		rig_give(STRANGER, VERB_WHOIS, &wb);
		rig.now += 100;
	}
	whois_request(rig.node, rig.now, 0x2345678901);
	ATF_CHECK(whois_outstanding(rig.node, 0x2345678901));
	rig_end();
}

/* A packet that claims to come from somebody we knew once. */
static void
forged(uint64_t from)
{
	struct inet_addr ia;
	struct wbuf	 wb;
	uint8_t		 p[64];

	rig_where(STRANGER, &ia);
	wbuf_init(&wb, p, sizeof(p));
	packet_header(&wb, rig.packet++, rig.ids[ME].id_addr, from,
	    VERB_NOP);
	node_datagram(rig.node, rig.now, SOCK, &ia, p, wb.wb_len);
}

static unsigned
recalled(void)
{
	unsigned	 i, n = 0;

	for (i = 0; i < CACHED; i++)
		n += peer_find(rig.node, rig.cached[i].id_addr) != NULL;
	return (n);
}

/* Loading a peer costs a validation: strangers get a few at a time. */
ATF_TC_WITHOUT_HEAD(cache_walk);
ATF_TC_BODY(cache_walk, tc)
{
	unsigned	 i, n;

	rig_start(tc);
	for (; rig.ncached < CACHED; rig.ncached++)
		ATF_REQUIRE_EQ(identity_generate(
		    &rig.cached[rig.ncached]), 0);
	for (i = 0; i < CACHED; i++)
		forged(rig.cached[i].id_addr);
	n = recalled();
	ATF_CHECK(n > 0 && n <= RECALLED);
	/* They wait no longer than they would for a WHOIS. */
	rig.now += 600;
	(void)node_tick(rig.node, rig.now);
	for (i = 0; i < CACHED; i++)
		forged(rig.cached[i].id_addr);
	ATF_CHECK_EQ(recalled(), CACHED);
	rig_end();
}

#define CROWD		300
#define WHOIS_LEN	(PACKET_HDR + ADDR_LEN)

/*
 * Many that we do not know at once: all are asked for in time, and none is
 * forgotten for the next one while its answer is on the way.
 */
ATF_TC_WITHOUT_HEAD(many_strangers);
ATF_TC_BODY(many_strangers, tc)
{
	const uint64_t	*roots;
	struct peer	*root;
	unsigned	 i, ms;

	rig_start(tc);
	ATF_REQUIRE(topology_upstreams(rig.node, &roots) > 0);
	root = topology_best(rig.node, rig.now);
	ATF_REQUIRE(root != NULL);
	rig_where(WHO, &rig.watched);
	(void)rig_direct(root, &rig.watched, rig.now);
	forged(0x1200000000);
	ATF_REQUIRE_EQ(rig.sent_bytes, WHOIS_LEN);
	/* One that a root names, too, and whose answer was lost. */
	whois_hint(rig.node, rig.now, 0x1200000000, SOCK, &rig.watched);
	rig.now += 600;
	forged(0x1200000000);
	ATF_REQUIRE_EQ(rig.sent_bytes, 2 * WHOIS_LEN);
	for (i = 1; i < CROWD; i++) {
		rig.now++;
		forged(0x1200000000 + i);
	}
	ATF_CHECK(whois_outstanding(rig.node, 0x1200000000));
	/* Nobody says anything more: their turn comes nevertheless. */
	for (ms = 0; ms < 5000; ms += 500) {
		rig.now += 500;
		(void)node_tick(rig.node, rig.now);
	}
	ATF_CHECK(rig.sent_bytes > 90 * WHOIS_LEN);
	ATF_CHECK(rig.sent_bytes < 600 * WHOIS_LEN);
	rig_end();
}

/* The time in an OK(HELLO) is the other side's to choose. */
ATF_TC_WITHOUT_HEAD(hello_time);
ATF_TC_BODY(hello_time, tc)
{
	static const uint64_t	 times[] = { 1ULL << 63, UINT64_MAX, 0,
	    INT64_MAX, START + 1, START - 0xffff };
	const struct peer	*peer;
	struct inet_addr	 ia;
	struct wbuf		 wb;
	uint8_t			 p[64];
	size_t			 i;

	rig_start(tc);
	peer = peer_find(rig.node, rig.ids[STRANGER].id_addr);
	rig_where(STRANGER, &ia);
	for (i = 0; i <= sizeof(times) / sizeof(times[0]); i++) {
		expect_add(rig.node, 0x123456789abcdef0, &ia);
		wbuf_init(&wb, p, sizeof(p));
		wbuf_u8(&wb, VERB_HELLO);
		wbuf_u64(&wb, 0x123456789abcdef0);
		wbuf_u64(&wb, i < sizeof(times) / sizeof(times[0]) ?
		    times[i] : START - 30);
		wbuf_u8(&wb, 12);
		wbuf_uint(&wb, 0x010e0001, 4);
		ATF_CHECK_EQ(peer->pe_paths[0].pp_path->pa_latency,
		    LATENCY_UNKNOWN);
		rig_give(STRANGER, VERB_OK, &wb);
	}
	ATF_CHECK_EQ(peer->pe_paths[0].pp_path->pa_latency, 30);
	rig_end();
}

/*
 * The seed of a moon that answers on a direct path is told which moon is
 * wanted: that is in HELLOs only.
 */
ATF_TC_WITHOUT_HEAD(seed_greeted);
ATF_TC_BODY(seed_greeted, tc)
{
	struct peer	*p;
	int64_t		 end;

	rig_start(tc);
	p = peer_find(rig.node, rig.ids[MEMBER].id_addr);
	ATF_REQUIRE_EQ(node_orbit(rig.node, rig.now, 0xabcdef,
	    rig.ids[MEMBER].id_addr), 0);
	p->pe_last_full_hello = rig.now;
	for (end = rig.now + 300000; rig.now < end; rig.now += 500) {
		p->pe_last_receive = rig.now;
		p->pe_paths[0].pp_lr = rig.now;
		path_heard(p, p->pe_paths[0].pp_path, rig.now, 100);
		(void)node_tick(rig.node, rig.now);
	}
	ATF_CHECK_MSG(rig.hellos >= 4 && rig.hellos <= 10, "%u",
	    rig.hellos);
	rig_end();
}

/* A way around a silent path must be less silent itself. */
ATF_TC_WITHOUT_HEAD(dead_relay);
ATF_TC_BODY(dead_relay, tc)
{
	static const int64_t	 heard[] = { 1000, 60000 };
	const uint64_t		*ups;
	struct inet_addr	 far, near;
	struct peer		*p, *up;
	struct path		*pa;
	size_t			 i;

	rig_start(tc);
	rig_where(MEMBER, &near);
	ATF_REQUIRE_EQ(inet_parse("198.51.100.1/9993", &far), 0);
	ATF_REQUIRE(topology_upstreams(rig.node, &ups) > 0);
	ATF_REQUIRE((up = peer_find(rig.node, ups[0])) != NULL);
	p = peer_find(rig.node, rig.ids[MEMBER].id_addr);
	for (i = 0; i < 2; i++) {
		while (up->pe_npaths > 0)
			peer_drop_path(up, 0);
		pa = rig_direct(up, &far, rig.now - heard[i]);
		up->pe_last_receive = rig.now - heard[i];
		pa = p->pe_paths[0].pp_path;
		pa->pa_last_in = rig.now - 6000;
		pa->pa_suspect = true;
		ATF_REQUIRE_EQ(node_user_message(rig.node, rig.now,
		    rig.ids[MEMBER].id_addr, 70000, "x", 1), 0);
		ATF_CHECK(inet_equal(&rig.message_to, i == 0 ? &far :
		    &near));
	}
	rig_end();
}

/*
 * A path is confirmed from the socket that heard it, by a question that is
 * no longer than what came: who forges its source gains nothing.
 */
ATF_TC_WITHOUT_HEAD(confirm_short);
ATF_TC_BODY(confirm_short, tc)
{
	struct inet_addr ia;
	struct wbuf	 wb;
	uint8_t		 p[8];

	rig_start(tc);
	wbuf_init(&wb, p, sizeof(p));
	rig_where(MEMBER, &ia);
	ia.ia_ip[2] = 90;
	rig_give_from(MEMBER, &ia, VERB_NOP, &wb);
	ATF_CHECK_EQ(rig.hellos, 0);
	ATF_CHECK_EQ(rig.echos, 1);
	ATF_CHECK_EQ(rig.hello_sock, SOCK);
	ATF_CHECK_EQ(rig.longest, PACKET_HDR);
	rig_end();
}

/* One who forges its source does not make us ask everybody. */
ATF_TC_WITHOUT_HEAD(forged_sources);
ATF_TC_BODY(forged_sources, tc)
{
	struct inet_addr ia;
	struct wbuf	 wb;
	uint8_t		 p[8];
	unsigned	 i;

	rig_start(tc);
	wbuf_init(&wb, p, sizeof(p));
	ATF_REQUIRE_EQ(inet_parse("8.8.0.0/9993", &ia), 0);
	for (i = 0; i < 200; i++) {
		ia.ia_ip[3] = (uint8_t)i;
		rig_give_from(MEMBER, &ia, VERB_NOP, &wb);
	}
	ATF_CHECK_MSG(rig.echos > 0 && rig.echos <= 16, "%u", rig.echos);
	ATF_CHECK_EQ(rig.hellos, 0);
	rig.now += 1000;
	rig.echos = 0;
	rig_give_from(MEMBER, &ia, VERB_NOP, &wb);
	ATF_CHECK_EQ(rig.echos, 1);
	rig_end();
}

/*
 * What was accepted once is not accepted again, from wherever it comes: a
 * recorded packet is worth nothing.
 */
ATF_TC_WITHOUT_HEAD(replayed);
ATF_TC_BODY(replayed, tc)
{
	struct node_status	 ns;
	struct inet_addr	 ia;
	struct wbuf		 wb;
	uint8_t			 payload[64];
	unsigned		 i;

	rig_start(tc);
	wbuf_init(&wb, payload, sizeof(payload));
	wbuf_u64(&wb, 70000);
	for (i = 0; i < 3; i++) {
		rig.packet = 0x99;	/* the same packet */
		rig_where(MEMBER, &ia);
		ia.ia_ip[3] = (uint8_t)(100 + i);
		rig_give_from(MEMBER, &ia, VERB_USER_MESSAGE, &wb);
	}
	ATF_CHECK_EQ(rig.messages, 1);
	node_status(rig.node, rig.now, &ns);
	ATF_CHECK_EQ(ns.ns_replays, 2);
	/* The next one is another. */
	rig_give_from(MEMBER, &ia, VERB_USER_MESSAGE, &wb);
	ATF_CHECK_EQ(rig.messages, 2);
	rig_end();
}

/*
 * A HELLO from an address that nobody has confirmed gets no more back than
 * it brought, though the worlds it asks for are far longer; they follow when
 * the address has answered.
 */
ATF_TC_WITHOUT_HEAD(strangers_credit);
ATF_TC_BODY(strangers_credit, tc)
{
	struct node_status	 ns;
	struct inet_addr	 ia;
	struct wbuf		 wb;
	uint8_t			 payload[512];
	size_t			 i;

	rig_start(tc);
	rig_where(MEMBER, &ia);
	ia.ia_ip[3] = 200;
	for (i = 0; i < 10; i++) {
		wbuf_init(&wb, payload, sizeof(payload));
		wbuf_u8(&wb, 12);
		wbuf_uint(&wb, 0x010e0001, 4);
		wbuf_u64(&wb, (uint64_t)rig.now);
		identity_put(&wb, &rig.ids[MEMBER], false);
		wbuf_u8(&wb, 0);
		wbuf_u64(&wb, node_planet(rig.node)->w_id);
		wbuf_u64(&wb, 0);	/* ... of long ago */
		rig_hello_from(MEMBER, &ia, &wb);
		rig.now += 1000;
		(void)node_tick(rig.node, rig.now);
		ATF_CHECK_MSG(rig.sent_bytes > 0 && rig.sent_bytes <=
		    rig.received_bytes, "%zu for %zu", rig.sent_bytes,
		    rig.received_bytes);
	}
	/* It answers: now it gets what it asked for. */
	rig.sent_bytes = 0;
	rig_echo_answered(MEMBER, &ia);
	ATF_CHECK(rig.sent_bytes > 300);
	node_status(rig.node, rig.now, &ns);
	ATF_CHECK_EQ(ns.ns_npaths > 0, true);
	rig_end();
}

/*
 * A neighbourhood that sends and sends is heard in measure, and takes nothing
 * away from others.
 */
ATF_TC_WITHOUT_HEAD(neighbourhoods);
ATF_TC_BODY(neighbourhoods, tc)
{
	struct node_status	 ns;
	struct inet_addr	 ia;
	struct wbuf		 wb;
	uint8_t			 p[8];
	unsigned		 i;

	rig_start(tc);
	wbuf_init(&wb, p, sizeof(p));
	wbuf_u64(&wb, 70000);
	ATF_REQUIRE_EQ(inet_parse("8.8.8.0/9993", &ia), 0);
	for (i = 0; i < 2000; i++) {
		ia.ia_ip[3] = (uint8_t)i;
		rig_give_from(MEMBER, &ia, VERB_USER_MESSAGE, &wb);
	}
	node_status(rig.node, rig.now, &ns);
	ATF_CHECK_MSG(rig.messages >= 100 && rig.messages <= 500, "%u",
	    rig.messages);
	ATF_CHECK_EQ(ns.ns_limited, 2000 - rig.messages);
	rig.messages = 0;
	ia.ia_ip[2] = 9;
	rig_give_from(MEMBER, &ia, VERB_USER_MESSAGE, &wb);
	ATF_CHECK_EQ(rig.messages, 1);
	/* Where somebody has answered there is no such limit. */
	rig_where(MEMBER, &ia);
	for (i = 0; i < 2000; i++)
		rig_give_from(MEMBER, &ia, VERB_USER_MESSAGE, &wb);
	ATF_CHECK_EQ(rig.messages, 2001);
	rig_end();
}

/*
 * A member that names thousands of others, none of whom exists: it takes
 * neither all places for those that we ask for, nor do we look for each of
 * them in the cache again and again.
 */
ATF_TC_WITHOUT_HEAD(made_up_members);
ATF_TC_BODY(made_up_members, tc)
{
	static const struct mgroup	 mg = { MAC_BROADCAST, 0 };
	static uint8_t			 p[PACKET_MAX];
	const struct mc_group		*g;
	struct network			*nw;
	struct inet_addr		 ia;
	struct wbuf			 wb;
	unsigned			 i, k, asked = 0;

	rig_start(tc);
	nw = rig_network();
	nw->nw_conf->nc_flags |= NETCONF_BROADCAST;
	nw->nw_conf->nc_nrules = 1;
	ATF_REQUIRE((nw->nw_conf->nc_rules = calloc(1,
	    sizeof(struct rule))) != NULL);
	nw->nw_conf->nc_rules[0].r_t = ACTION_ACCEPT;
	filter_rules_free(nw->nw_rules);
	ATF_REQUIRE((nw->nw_rules = filter_rules_new(nw->nw_conf)) != NULL);
	multicast_add(rig.node, rig.now, nw->nw_id, &mg,
	    rig.ids[MEMBER].id_addr);
	rig_where(MEMBER, &ia);
	for (k = 0; k < 40; k++) {
		node_frame(rig.node, rig.now, nw->nw_id, MAC_BROADCAST,
		    nw->nw_mac, 0x0800, p, 60, NULL);
		/* Each frame is answered with another 200. */
		expect_add(rig.node, 0x123456789abcdef0, &ia);
		wbuf_init(&wb, p, sizeof(p));
		wbuf_u8(&wb, VERB_MULTICAST_FRAME);
		wbuf_u64(&wb, 0x123456789abcdef0);
		wbuf_u64(&wb, nw->nw_id);
		wbuf_mac(&wb, mg.mg_mac);
		wbuf_u32(&wb, 0);
		wbuf_u8(&wb, 0x02);
		wbuf_u32(&wb, 200);
		wbuf_u16(&wb, 200);
		for (i = 0; i < 200; i++)
			wbuf_addr(&wb, 0x1000000000 + k * 200 + i);
		rig_give(MEMBER, VERB_OK, &wb);
		rig_pass(300);
		/* A peer that we ourselves want always has its place. */
		whois_request(rig.node, rig.now, 0x7700000000 + k);
		asked += whois_outstanding(rig.node, 0x7700000000 + k);
	}
	ATF_REQUIRE((g = multicast_find(rig.node, nw->nw_id, &mg)) != NULL);
	ATF_CHECK_MSG(g->mg_n <= nw->nw_conf->nc_mclimit, "%zu", g->mg_n);
	ATF_CHECK_EQ(asked, 40);
	ATF_CHECK_MSG(rig.loads < 1000, "%u looks into the cache",
	    rig.loads);
	/* Nobody answered for them: they are no members any more. */
	rig_pass(6000);
	ATF_CHECK_MSG(g->mg_n <= 2, "%zu", g->mg_n);
	rig_end();
}

/*
 * A member that announces its groups before it shows its certificate is
 * heard when that has come; it would not say it again for a minute.
 */
ATF_TC_WITHOUT_HEAD(announced_early);
ATF_TC_BODY(announced_early, tc)
{
	static const struct mgroup	 mg = { 0x01005e0000fb, 0 };
	const struct mc_group		*g;
	struct network			*nw;
	struct com			 com;
	struct wbuf			 wb;
	uint8_t				 p[32];

	rig_start(tc);
	nw = rig_network();
	wbuf_init(&wb, p, sizeof(p));
	wbuf_u64(&wb, nw->nw_id);
	wbuf_mac(&wb, mg.mg_mac);
	wbuf_u32(&wb, mg.mg_adi);
	rig_give(STRANGER, VERB_MULTICAST_LIKE, &wb);
	rig_pass(1000);
	ATF_CHECK(multicast_find(rig.node, nw->nw_id, &mg) == NULL);
	com_make(&com, rig.now, 1800000, nw->nw_id, &rig.ids[STRANGER]);
	com_sign(&com, &rig.ids[CONTROLLER]);
	ATF_REQUIRE_EQ(membership_add_com(rig.node, rig.now, nw, &com),
	    CRED_NEW);
	rig_pass(600);
	ATF_REQUIRE((g = multicast_find(rig.node, nw->nw_id, &mg)) != NULL);
	ATF_CHECK_EQ(g->mg_n, 1);
	rig_end();
}

/* Others' groups leave room for frames of ours. */
ATF_TC_WITHOUT_HEAD(groups_of_others);
ATF_TC_BODY(groups_of_others, tc)
{
	struct mgroup	 mg = { 0, 0 };
	struct network	*nw;
	unsigned	 s, i;

	rig_start(tc);
	nw = rig_network();
	for (s = 0; s < 40; s++)
		for (i = 0; i < 4096; i++) {
			mg.mg_mac = 0x01005e000000 + s * 4096 + i;
			multicast_add(rig.node, rig.now, 1, &mg,
			    0x2000000000 + s);
		}
	mg.mg_mac = 1;
	ATF_CHECK(multicast_get(rig.node, nw->nw_id, &mg, false) == NULL);
	ATF_CHECK(multicast_get(rig.node, nw->nw_id, &mg, true) != NULL);
	rig_end();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, gather_results);
	ATF_TP_ADD_TC(tp, chunk_passed_on_once);
	ATF_TP_ADD_TC(tp, whois_crowd);
	ATF_TP_ADD_TC(tp, cache_walk);
	ATF_TP_ADD_TC(tp, many_strangers);
	ATF_TP_ADD_TC(tp, hello_time);
	ATF_TP_ADD_TC(tp, seed_greeted);
	ATF_TP_ADD_TC(tp, dead_relay);
	ATF_TP_ADD_TC(tp, confirm_short);
	ATF_TP_ADD_TC(tp, forged_sources);
	ATF_TP_ADD_TC(tp, replayed);
	ATF_TP_ADD_TC(tp, strangers_credit);
	ATF_TP_ADD_TC(tp, neighbourhoods);
	ATF_TP_ADD_TC(tp, made_up_members);
	ATF_TP_ADD_TC(tp, groups_of_others);
	ATF_TP_ADD_TC(tp, announced_early);
	return (atf_no_error());
}
