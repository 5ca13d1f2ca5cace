/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Sources of datagrams can be forged, and who knows how to seal a packet may
 * still lie: nobody can make a node send more to a third party than came
 * from there, take another's path, keep a dead one alive, or fill its
 * tables.  Spec: 02 sections 7.1, 9, 10 and 12.
 */

#include <stdlib.h>
#include <string.h>

#include "regress/lib/rig.h"

#define MINUTES		60000

static void
victim(struct inet_addr *ia)
{
	ATF_REQUIRE_EQ(inet_parse("8.8.8.8/9993", ia), 0);
	rig.watched = *ia;
}

static void
fill(struct wbuf *wb, uint8_t p[PACKET_MAX], size_t len)
{
	wbuf_init(wb, p, PACKET_MAX);
	while (wb->wb_len < len)
		wbuf_u8(wb, 0);
}

/*
 * In a full table the one whose packet is being handled is not the one that
 * gives way, though it was silent longest: its answer is sealed with its
 * keys.
 */
ATF_TC_WITHOUT_HEAD(sender_stays);
ATF_TC_BODY(sender_stays, tc)
{
	struct wbuf	 wb;
	uint8_t		 p[64];
	unsigned	 i;

	rig_start(tc);
	for (; rig.ncached < 3; rig.ncached++)
		ATF_REQUIRE_EQ(identity_generate(
		    &rig.cached[rig.ncached]), 0);
	rig.node->n_maxpeers = rig.node->n_npeers;
	wbuf_init(&wb, p, sizeof(p));
	for (i = 0; i < rig.ncached; i++)
		wbuf_addr(&wb, rig.cached[i].id_addr);
	rig_give(CONTROLLER, VERB_WHOIS, &wb);
	ATF_CHECK(peer_find(rig.node, rig.ids[CONTROLLER].id_addr) != NULL);
	ATF_CHECK_EQ(rig.node->n_npeers, rig.node->n_maxpeers);
	/* It was not the packet that saved it. */
	rig.now += 2000;
	rig_give(MEMBER, VERB_NOP, &wb);
	rig.now += 2000;
	for (i = 0; i < 3; i++)
		ATF_CHECK(peer_add(rig.node, rig.now, &rig.cached[i]) !=
		    NULL);
	ATF_CHECK(peer_find(rig.node, rig.ids[CONTROLLER].id_addr) == NULL);
	rig_end();
}

/* Nor is the one that a packet to be relayed says it is from. */
ATF_TC_WITHOUT_HEAD(relayed_sender);
ATF_TC_BODY(relayed_sender, tc)
{
	const uint64_t	*ups;
	struct inet_addr ia, far;
	struct path	*pa;
	struct wbuf	 wb;
	uint8_t		 p[64];

	rig_start(tc);
	ATF_REQUIRE_EQ(identity_generate(&rig.cached[rig.ncached++]), 0);
	rig_where(MEMBER, &ia);
	ATF_REQUIRE((pa = path_find(rig.node, SOCK, &ia)) != NULL);
	pa->pa_last_trust = rig.now;	/* we relay for it */
	ATF_REQUIRE(topology_upstreams(rig.node, &ups) > 0);
	ATF_REQUIRE_EQ(inet_parse("198.51.100.1/9993", &far), 0);
	(void)rig_direct(peer_find(rig.node, ups[0]), &far, rig.now);
	rig.node->n_maxpeers = rig.node->n_npeers;
	wbuf_init(&wb, p, sizeof(p));
	packet_header(&wb, 1234, rig.cached[0].id_addr,
	    rig.ids[CONTROLLER].id_addr, VERB_NOP);
	node_datagram(rig.node, rig.now, SOCK, &ia, p, wb.wb_len);
	/* It gave way, and nobody looked at it afterwards. */
	ATF_CHECK(peer_find(rig.node, rig.ids[CONTROLLER].id_addr) == NULL);
	ATF_CHECK(peer_find(rig.node, rig.cached[0].id_addr) != NULL);
	rig_end();
}

/*
 * A packet that waits and is tried again and again came once, and it brought
 * what it took on the wire, not what was packed into it.
 */
ATF_TC_WITHOUT_HEAD(waiting_credit);
ATF_TC_BODY(waiting_credit, tc)
{
	static uint8_t	 p[PACKET_MAX];
	struct network	*nw;
	struct inet_addr ia;
	struct wbuf	 wb;
	struct path	*pa;
	int64_t		 heard;
	size_t		 wire;
	unsigned	 i;

	rig_start(tc);
	nw = rig_network();
	victim(&ia);
	wbuf_init(&wb, p, sizeof(p));
	wbuf_u64(&wb, nw->nw_id);
	wbuf_u16(&wb, 0x0800);
	while (wb.wb_len < 9900)
		wbuf_u8(&wb, 0);
	wire = rig_give_packed(STRANGER, &ia, VERB_FRAME, &wb);
	ATF_REQUIRE((pa = path_find(rig.node, SOCK, &ia)) != NULL);
	heard = pa->pa_last_in;
	rig_pass(4500);
	ATF_CHECK_MSG(pa->pa_credit <= wire, "%u", pa->pa_credit);
	ATF_CHECK_EQ(pa->pa_last_in, heard);
	/* So questions with long answers get none. */
	fill(&wb, p, 0);
	for (i = 0; i < 130; i++)
		wbuf_addr(&wb, rig.ids[ME].id_addr);
	for (i = 0; i < 7; i++) {
		wire += rig_give_packed(STRANGER, &ia, VERB_WHOIS, &wb);
		rig.now += 101;
	}
	ATF_CHECK_MSG(rig.sent_bytes <= wire, "%zu for %zu", rig.sent_bytes,
	    wire);
	rig_end();
}

/*
 * Nor has an ECHO that is longer than its packet, even where another one is
 * known to be: the address can be his.
 */
ATF_TC_WITHOUT_HEAD(packed_echo);
ATF_TC_BODY(packed_echo, tc)
{
	static uint8_t	 p[PACKET_MAX];
	struct inet_addr ia;
	struct wbuf	 wb;
	struct path	*pa;

	rig_start(tc);
	rig_where(MEMBER, &ia);
	pa = rig_direct(peer_find(rig.node, rig.ids[MEMBER].id_addr), &ia,
	    rig.now);
	pa->pa_verified = true;
	rig.watched = ia;
	rig.sent_bytes = 0;
	fill(&wb, p, 9900);
	(void)rig_give_packed(STRANGER, &ia, VERB_ECHO, &wb);
	ATF_CHECK_EQ(rig.sent_bytes, 0);
	rig_pass(1000);
	rig.sent_bytes = 0;
	fill(&wb, p, 60);
	rig_give_from(STRANGER, &ia, VERB_ECHO, &wb);
	ATF_CHECK(rig.sent_bytes > 60);
	rig_end();
}

/* What a peer may make us try elsewhere is measured on the wire as well. */
ATF_TC_WITHOUT_HEAD(packed_credit);
ATF_TC_BODY(packed_credit, tc)
{
	static uint8_t	 p[PACKET_MAX];
	const struct peer *pe;
	struct inet_addr ia;
	struct wbuf	 wb;
	size_t		 wire;

	rig_start(tc);
	rig_where(STRANGER, &ia);
	pe = peer_find(rig.node, rig.ids[STRANGER].id_addr);
	fill(&wb, p, 9900);
	wire = rig_give_packed(STRANGER, &ia, VERB_NOP, &wb);
	ATF_CHECK_MSG(pe->pe_credit > 0 && pe->pe_credit <= wire, "%u",
	    pe->pe_credit);
	rig_end();
}

/*
 * An answer counts from where the question went.  Who got that and answers
 * with another's address as its source is asked there; nothing more.
 */
ATF_TC_WITHOUT_HEAD(answer_from_elsewhere);
ATF_TC_BODY(answer_from_elsewhere, tc)
{
	const struct peer *pe;
	struct inet_addr ia, forged;
	struct path	*pa;
	struct wbuf	 wb;
	uint8_t		 p[8];

	rig_start(tc);
	pe = peer_find(rig.node, rig.ids[MEMBER].id_addr);
	wbuf_init(&wb, p, sizeof(p));
	rig_where(MEMBER, &ia);
	ia.ia_ip[2] = 90;
	rig_give_from(MEMBER, &ia, VERB_NOP, &wb);
	ATF_REQUIRE_EQ(rig.echos, 1);
	victim(&forged);
	rig.now++;
	rig_echo_answered(MEMBER, &forged);
	ATF_REQUIRE((pa = path_find(rig.node, SOCK, &forged)) != NULL);
	ATF_CHECK(!pa->pa_verified);
	ATF_CHECK_EQ(pe->pe_npaths, 1);
	ATF_CHECK(!pe->pe_paths[0].pp_path->pa_suspect);
	ATF_CHECK(rig.sent_bytes <= PACKET_HDR + 8);
	/* From where it was asked it is learnt. */
	rig.now++;
	rig.echos = 0;
	rig.now += 1000;
	rig_give_from(MEMBER, &ia, VERB_NOP, &wb);
	ATF_REQUIRE_EQ(rig.echos, 1);
	rig_echo_answered(MEMBER, &ia);
	ATF_CHECK_EQ(pe->pe_npaths, 2);
	rig_end();
}

/* How long until a dead path of MEMBER is suspect; others may send there. */
static int64_t
suspect_after(const atf_tc_t *tc, bool others)
{
	struct inet_addr ia;
	struct path	*pa;
	struct wbuf	 wb;
	uint8_t		 p[8];
	int64_t		 ms;

	rig_start(tc);
	rig_where(MEMBER, &ia);
	ATF_REQUIRE((pa = path_find(rig.node, SOCK, &ia)) != NULL);
	wbuf_init(&wb, p, sizeof(p));
	for (ms = 0; ms < MINUTES && !pa->pa_suspect; ms += 100) {
		(void)node_user_message(rig.node, rig.now,
		    rig.ids[MEMBER].id_addr, 70000, "x", 1);
		if (others && ms % 500 == 0)
			rig_give_from(STRANGER, &ia, VERB_NOP, &wb);
		rig_pass(100);
	}
	rig_end();
	return (ms);
}

/* Somebody else's packets from there say nothing about a peer's path. */
ATF_TC_WITHOUT_HEAD(others_keep_nothing_alive);
ATF_TC_BODY(others_keep_nothing_alive, tc)
{
	int64_t	 alone, among;

	alone = suspect_after(tc, false);
	among = suspect_after(tc, true);
	ATF_CHECK_MSG(alone < 4000 && among < 4000, "%lld and %lld ms",
	    (long long)alone, (long long)among);
}

/*
 * Who has recorded one HELLO and sends it from ever new places does not use
 * up the questions by which the peer is found where it really is.
 */
ATF_TC_WITHOUT_HEAD(recorded_hello);
ATF_TC_BODY(recorded_hello, tc)
{
	struct inet_addr ia, moved;
	struct wbuf	 wb;
	uint8_t		 p[512];
	uint64_t	 recorded;
	unsigned	 i, s, asked = 0;

	rig_start(tc);
	ATF_REQUIRE_EQ(inet_parse("9.9.9.9/1000", &ia), 0);
	ATF_REQUIRE_EQ(inet_parse("7.7.7.7/9993", &moved), 0);
	wbuf_init(&wb, p, sizeof(p));
	rig_hello_put(MEMBER, &wb, NULL);
	recorded = rig.packet++;
	for (s = 0; s < 10; s++) {
		for (i = 0; i < 20; i++) {
			rig.packet = recorded;
			ia.ia_port++;
			rig_hello_from(MEMBER, &ia, &wb);
		}
		rig_pass(500);
		rig.packet = recorded + 1000 + s;
		rig.echos = 0;
		rig_hello_from(MEMBER, &moved, &wb);
		asked += rig.echos;
		rig_pass(500);
	}
	ATF_CHECK_MSG(asked >= 8, "%u of 10", asked);
	rig_end();
}

/* Recorded HELLOs do not push other packets out of the memory of replays. */
ATF_TC_WITHOUT_HEAD(replays_remembered);
ATF_TC_BODY(replays_remembered, tc)
{
	struct inet_addr ia;
	struct wbuf	 hello, wb;
	uint8_t		 p[512], q[16];
	uint64_t	 message;
	unsigned	 i;

	rig_start(tc);
	wbuf_init(&wb, q, sizeof(q));
	wbuf_u64(&wb, 70000);
	message = rig.packet;
	rig_give(MEMBER, VERB_USER_MESSAGE, &wb);
	ATF_REQUIRE_EQ(rig.messages, 1);
	wbuf_init(&hello, p, sizeof(p));
	rig_hello_put(MEMBER, &hello, NULL);
	ATF_REQUIRE_EQ(inet_parse("9.0.0.0/1", &ia), 0);
	for (i = 0; i < 60000; i++) {
		rig.packet = message + 1;
		ia.ia_ip[1] = (uint8_t)(i >> 8);
		ia.ia_ip[2] = (uint8_t)i;
		rig.now += 1;
		rig_hello_from(MEMBER, &ia, &hello);
	}
	rig.packet = message;
	rig_give(MEMBER, VERB_USER_MESSAGE, &wb);
	ATF_CHECK_EQ(rig.messages, 1);
	rig_end();
}

/* A stranger has a few paths, and they do not stay when it leaves them. */
ATF_TC_WITHOUT_HEAD(paths_of_strangers);
ATF_TC_BODY(paths_of_strangers, tc)
{
	struct inet_addr ia;
	struct peer	*pe;
	struct wbuf	 wb;
	uint8_t		 p[16];
	unsigned	 i;

	rig_start(tc);
	pe = peer_find(rig.node, rig.ids[STRANGER].id_addr);
	rig_where(STRANGER, &ia);
	wbuf_init(&wb, p, sizeof(p));
	for (i = 0; i < 40; i++) {
		ia.ia_ip[2] = (uint8_t)(100 + i);
		/* As if it had answered from there. */
		expect_add(rig.node, 0x4711ULL << 32 | i, &ia);
		wbuf_init(&wb, p, sizeof(p));
		wbuf_u8(&wb, VERB_NOP);
		wbuf_u64(&wb, 0x4711ULL << 32 | i);
		rig_give_from(STRANGER, &ia, VERB_OK, &wb);
		rig.now += 10;
	}
	ATF_CHECK_MSG(pe->pe_npaths >= 8 && pe->pe_npaths <= 16, "%u",
	    pe->pe_npaths);
	/* From one of them it goes on. */
	for (i = 0; i < 12; i++) {
		rig_pass(MINUTES);
		rig_give_from(STRANGER, &ia, VERB_NOP, &wb);
	}
	ATF_REQUIRE((pe = peer_find(rig.node,
	    rig.ids[STRANGER].id_addr)) != NULL);
	ATF_CHECK_MSG(pe->pe_npaths == 1, "%u", pe->pe_npaths);
	rig_end();
}

/* What strangers say of our address is not told to others. */
ATF_TC_WITHOUT_HEAD(surface_of_strangers);
ATF_TC_BODY(surface_of_strangers, tc)
{
	struct inet_addr ia, told, own[32];
	struct peer	*pe;
	struct wbuf	 wb;
	uint8_t		 p[512];
	unsigned	 i;

	rig_start(tc);
	ATF_REQUIRE_EQ(inet_parse("9.9.9.9/1000", &ia), 0);
	ATF_REQUIRE_EQ(inet_parse("8.8.8.0/53", &told), 0);
	for (i = 0; i < 300; i++) {
		told.ia_ip[3] = (uint8_t)i;
		wbuf_init(&wb, p, sizeof(p));
		rig_hello_put(STRANGER, &wb, &told);
		ia.ia_port++;
		rig.now += 10;
		rig_hello_from(STRANGER, &ia, &wb);
	}
	ATF_CHECK_EQ(surface_believed(rig.node, rig.now, own, 32), 0);
	/* A member is believed, once. */
	pe = peer_find(rig.node, rig.ids[MEMBER].id_addr);
	pe->pe_last_trust = rig.now;
	for (i = 0; i < 20; i++) {
		told.ia_ip[3] = (uint8_t)i;
		wbuf_init(&wb, p, sizeof(p));
		rig_hello_put(MEMBER, &wb, &told);
		ia.ia_port++;
		rig.now += 10;
		rig_hello_from(MEMBER, &ia, &wb);
	}
	ATF_CHECK_EQ(surface_believed(rig.node, rig.now, own, 32), 1);
	ATF_CHECK_EQ(own[0].ia_ip[3], 19);
	rig_end();
}

/* The second port of a host that we hear is no stranger's. */
ATF_TC_WITHOUT_HEAD(second_port);
ATF_TC_BODY(second_port, tc)
{
	struct inet_addr ia;
	struct wbuf	 wb;
	uint8_t		 p[8];
	unsigned	 i;

	rig_start(tc);
	wbuf_init(&wb, p, sizeof(p));
	wbuf_u64(&wb, 70000);
	rig_where(MEMBER, &ia);
	for (i = 0; i < 10000; i++) {
		rig.now++;
		if (i % 100 == 0) {
			rig_give_from(MEMBER, &ia, VERB_NOP, &wb);
			(void)node_tick(rig.node, rig.now);
		}
		ia.ia_port++;
		rig_give_from(MEMBER, &ia, VERB_USER_MESSAGE, &wb);
		ia.ia_port--;
	}
	ATF_CHECK_MSG(rig.messages > 9900, "%u of 10000", rig.messages);
	rig_end();
}

/* What is sent to find out whether it fits is not cut into pieces. */
ATF_TC_WITHOUT_HEAD(measured_whole);
ATF_TC_BODY(measured_whole, tc)
{
	struct settings	*s;
	struct inet_addr ia;
	struct peer	*p;
	struct path	*pa;

	rig_start(tc);
	ATF_REQUIRE((s = calloc(1, sizeof(*s))) != NULL);
	settings_init(s);
	s->s_nphysical = 1;
	ATF_REQUIRE_EQ(inet_parse("192.168.0.0/16",
	    &s->s_physical[0].sp_net), 0);
	s->s_physical[0].sp_mtu = 2800;
	node_settings(rig.node, rig.now, s);
	p = peer_find(rig.node, rig.ids[MEMBER].id_addr);
	rig_where(MEMBER, &ia);
	pa = rig_direct(p, &ia, rig.now);
	pa->pa_mtu = PAYLOAD_MTU;	/* as it was found the first time */
	rig.datagrams = 0;
	rig.largest = 0;
	mtu_need(rig.node, rig.now, p, pa, 5000);
	ATF_CHECK_EQ(rig.datagrams, 1);
	ATF_CHECK_EQ(rig.largest, 2800);
	/* No larger than an answer to it can be. */
	s->s_physical[0].sp_mtu = 10300;
	node_settings(rig.node, rig.now, s);
	pa = rig_direct(p, &ia, rig.now);
	rig.largest = 0;
	mtu_need(rig.node, rig.now, p, pa, 5000);
	ATF_CHECK_EQ(rig.largest, PACKET_MAX - 9);
	free(s);
	rig_end();
}

/* Without paths to the roots the watchdog wakes, whatever took them away. */
ATF_TC_WITHOUT_HEAD(roots_taken_away);
ATF_TC_BODY(roots_taken_away, tc)
{
	struct node_socket so;
	struct inet_addr far, all;
	const uint64_t	*ups;
	struct peer	*up;
	size_t		 n, i;

	rig_start(tc);
	memset(&so, 0, sizeof(so));
	so.ns_id = SOCK;
	rig_where(ME, &so.ns_addr);
	node_sockets(rig.node, rig.now, &so, 1);
	n = topology_upstreams(rig.node, &ups);
	for (i = 0; i < n; i++) {
		up = peer_find(rig.node, ups[i]);
		if (!topology_endpoint(rig.node, ups[i], 4, &far))
			continue;
		(void)rig_direct(up, &far, rig.now);
		up->pe_last_receive = up->pe_last_full_hello = rig.now;
		root_heard(rig.node, rig.now);
	}
	(void)node_tick(rig.node, rig.now);
	ATF_REQUIRE(node_online(rig.node));
	memset(&all, 0, sizeof(all));
	all.ia_family = 4;
	node_virtual_prefixes(rig.node, &all, 1);
	rig_pass(5 * MINUTES);
	ATF_CHECK(!node_online(rig.node));
	ATF_CHECK_MSG(rig.rebinds >= 2, "%u", rig.rebinds);
	rig_end();
}

/* A controller that does not answer is asked every five seconds, not more. */
ATF_TC_WITHOUT_HEAD(silent_controller);
ATF_TC_BODY(silent_controller, tc)
{
	struct network	*nw;
	int64_t		 next, end;
	unsigned	 ticks = 0;

	rig_start(tc);
	nw = rig_network();
	end = rig.now + 10 * MINUTES;
	while (rig.now < end) {
		next = node_tick(rig.node, rig.now);
		ATF_REQUIRE(next > rig.now);
		/* All that a network needs; roots are not there either. */
		if (rig.now - START > 2 * MINUTES)
			ATF_CHECK_MSG(rig.now - nw->nw_requested_at <= 6000,
			    "%lld", (long long)(rig.now -
			    nw->nw_requested_at));
		if (rig.now == nw->nw_requested_at)
			ticks++;
		rig.now = next;
	}
	ATF_CHECK_MSG(ticks >= 100 && ticks <= 125, "%u", ticks);
	rig_end();
}

/* Set the clock back, and all goes on: time inside does not. */
ATF_TC_WITHOUT_HEAD(clock_back);
ATF_TC_BODY(clock_back, tc)
{
	struct inet_addr ia;
	struct network	*nw;
	struct wbuf	 wb;
	uint8_t		 p[8];
	int64_t		 asked, next;
	unsigned	 i;

	rig_start(tc);
	ATF_REQUIRE_EQ(node_join(rig.node, rig.now,
	    rig.ids[CONTROLLER].id_addr << 24 | 1), 0);
	nw = network_find(rig.node, rig.ids[CONTROLLER].id_addr << 24 | 1);
	wbuf_init(&wb, p, sizeof(p));
	wbuf_u64(&wb, 70000);
	ATF_REQUIRE_EQ(inet_parse("8.8.8.1/9993", &ia), 0);
	for (i = 0; i < 1000; i++)	/* until its neighbourhood is limited */
		rig_give_from(MEMBER, &ia, VERB_USER_MESSAGE, &wb);
	rig_pass(1000);
	asked = nw->nw_requested_at;
	rig.now -= 60 * MINUTES;
	next = node_tick(rig.node, rig.now);
	ATF_CHECK_MSG(next > rig.now && next - rig.now <= 30000, "%lld",
	    (long long)(next - rig.now));
	rig_pass(10000);
	ATF_CHECK(nw->nw_requested_at > asked);
	rig.messages = 0;
	rig_give_from(MEMBER, &ia, VERB_USER_MESSAGE, &wb);
	ATF_CHECK_EQ(rig.messages, 1);
	rig_end();
}

/* Junk from one's own neighbourhood does not keep a newcomer out. */
ATF_TC_WITHOUT_HEAD(newcomer_among_junk);
ATF_TC_BODY(newcomer_among_junk, tc)
{
	struct packet_keys keys;
	struct identity	 id;
	struct inet_addr ia, junk;
	struct wbuf	 wb, bad;
	uint8_t		 p[512], q[512], hello[512], key[KEY48_LEN];
	size_t		 len;
	unsigned	 i, k;

	rig_start(tc);
	ATF_REQUIRE_EQ(identity_generate(&id), 0);
	ATF_REQUIRE_EQ(identity_agree(&rig.ids[ME], &id, key), 0);
	packet_keys_init(&keys, key);
	ATF_REQUIRE_EQ(inet_parse("9.9.9.1/9993", &ia), 0);
	junk = ia;
	for (i = 0; i < 60 && peer_find(rig.node, id.id_addr) == NULL; i++) {
		for (k = 0; k < 50; k++) {
			/* A name for each, from a place of its own. */
			wbuf_init(&bad, q, sizeof(q));
			packet_header(&bad, rig.packet++,
			    rig.ids[ME].id_addr, 0x0123456789 + i * 50 + k,
			    VERB_HELLO);
			len = bad.wb_len;
			wbuf_u8(&bad, 12);
			wbuf_uint(&bad, 0x010e0001, 4);
			wbuf_u64(&bad, (uint64_t)rig.now);
			identity_put(&bad, &rig.ids[STRANGER], false);
			/* ... under which it comes. */
			memcpy(q + len + 13, q + 13, ADDR_LEN);
			wbuf_u8(&bad, 0);
			junk.ia_ip[3] = (uint8_t)(2 + k);
			junk.ia_port++;
			node_datagram(rig.node, rig.now, SOCK, &junk, q,
			    bad.wb_len);
			rig.now += 20;
			if (k != 25)
				continue;
			wbuf_init(&wb, p, sizeof(p));
			packet_header(&wb, rig.packet++,
			    rig.ids[ME].id_addr, id.id_addr, VERB_HELLO);
			wbuf_u8(&wb, 12);
			wbuf_uint(&wb, 0x010e0001, 4);
			wbuf_u64(&wb, (uint64_t)rig.now);
			identity_put(&wb, &id, false);
			wbuf_u8(&wb, 0);
			packet_seal(p, wb.wb_len, SUITE_POLY1305, &keys);
			memcpy(hello, p, wb.wb_len);
			node_datagram(rig.node, rig.now, SOCK, &ia, hello,
			    wb.wb_len);
		}
		(void)node_tick(rig.node, rig.now);
	}
	ATF_CHECK_MSG(i <= 4, "let in after %u s", i);
	packet_keys_clear(&keys);
	rig_end();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, sender_stays);
	ATF_TP_ADD_TC(tp, relayed_sender);
	ATF_TP_ADD_TC(tp, waiting_credit);
	ATF_TP_ADD_TC(tp, packed_echo);
	ATF_TP_ADD_TC(tp, packed_credit);
	ATF_TP_ADD_TC(tp, answer_from_elsewhere);
	ATF_TP_ADD_TC(tp, others_keep_nothing_alive);
	ATF_TP_ADD_TC(tp, recorded_hello);
	ATF_TP_ADD_TC(tp, replays_remembered);
	ATF_TP_ADD_TC(tp, paths_of_strangers);
	ATF_TP_ADD_TC(tp, surface_of_strangers);
	ATF_TP_ADD_TC(tp, second_port);
	ATF_TP_ADD_TC(tp, measured_whole);
	ATF_TP_ADD_TC(tp, roots_taken_away);
	ATF_TP_ADD_TC(tp, silent_controller);
	ATF_TP_ADD_TC(tp, clock_back);
	ATF_TP_ADD_TC(tp, newcomer_among_junk);
	return (atf_no_error());
}
