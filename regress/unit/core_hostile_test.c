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

#include "regress/lib/vectors.h"
#include "ztd-net/core/network.h"

#define START		1795000000000
#define CACHED		16
#define RECALLED	10	/* of them, at once */
#define SOCK		7

enum who { ME, CONTROLLER, MEMBER, STRANGER, WHO };

static const char *const names[WHO] = { "m1", "controller", "m2", "m3" };

static struct rig {
	struct node	*node;
	int64_t		 now;
	struct identity	 ids[WHO];
	struct packet_keys keys[WHO];
	uint64_t	 packet;
	struct identity	 cached[CACHED];
	unsigned	 ncached;
	unsigned	 hellos;	/* to MEMBER */
	unsigned	 echos;
	size_t		 longest;	/* of those ECHOs */
	unsigned	 configs;	/* NETWORK_CONFIG to MEMBER */
	uint32_t	 hello_sock;
	struct inet_addr message_to;	/* of the last USER_MESSAGE */
	unsigned	 messages;	/* that came */
	uint64_t	 last_echo;	/* id of the last ECHO out */
	struct inet_addr watched;	/* bytes to and from there: */
	size_t		 sent_bytes, received_bytes;
} rig;

static void
cb_send(void *arg, uint32_t sock, const struct inet_addr *to,
    const void *bytes, size_t len, unsigned ttl)
{
	uint8_t	 p[PACKET_MAX];

	(void)arg;
	(void)ttl;
	if (inet_equal(to, &rig.watched))
		rig.sent_bytes += len;
	if (len < PACKET_MIN || len > sizeof(p))
		return;
	memcpy(p, bytes, len);
	if (packet_dest(p) != rig.ids[MEMBER].id_addr)
		return;
	ATF_REQUIRE(packet_open(p, len, &rig.keys[MEMBER]));
	switch (packet_verb(p)) {
	case VERB_HELLO:
		rig.hellos++;
		rig.hello_sock = sock;
		break;
	case VERB_ECHO:
		rig.echos++;
		rig.last_echo = packet_id(bytes);
		rig.hello_sock = sock;
		if (len > rig.longest)
			rig.longest = len;
		break;
	case VERB_NETWORK_CONFIG:
		rig.configs++;
		break;
	case VERB_USER_MESSAGE:
		rig.message_to = *to;
		break;
	default:
		break;
	}
}

/* A cache with peers that have no addresses. */
static size_t
cb_load(void *arg, enum node_state what, uint64_t id, void *p, size_t size)
{
	struct wbuf	 wb;
	unsigned	 i;

	(void)arg;
	if (what != STATE_PEER)
		return (0);
	for (i = 0; i < rig.ncached && rig.cached[i].id_addr != id; i++)
		continue;
	if (i == rig.ncached)
		return (0);
	wbuf_init(&wb, p, size);
	wbuf_u8(&wb, 2);
	identity_put(&wb, &rig.cached[i], false);
	wbuf_uint(&wb, 0x0c010e0001, 5);
	wbuf_u16(&wb, 0);
	ATF_REQUIRE(wbuf_ok(&wb));
	return (wb.wb_len);
}

static void
cb_network(void *arg, const struct node_network *nn)
{
	(void)arg;
	(void)nn;
}

static void
cb_user_message(void *arg, uint64_t from, uint64_t type, const void *p,
    size_t len)
{
	(void)arg;
	(void)from;
	(void)type;
	(void)p;
	(void)len;
	rig.messages++;
}

static const struct node_callbacks callbacks = {
	.nc_user_message = cb_user_message,
	.nc_send = cb_send,
	.nc_load = cb_load,
	.nc_network = cb_network
};

static void
where(enum who who, struct inet_addr *ia)
{
	memset(ia, 0, sizeof(*ia));
	ia->ia_family = 4;
	ia->ia_port = 9993;
	ia->ia_ip[0] = 192;
	ia->ia_ip[1] = 168;
	ia->ia_ip[2] = 7;
	ia->ia_ip[3] = (uint8_t)(10 + who);
}

/* A direct path of a peer, last heard then. */
static struct path *
direct(struct peer *p, const struct inet_addr *ia, int64_t heard)
{
	struct path	*pa;

	ATF_REQUIRE((pa = path_get(rig.node, rig.now, SOCK, ia)) != NULL);
	pa->pa_last_in = heard;
	pa->pa_verified = true;
	ATF_REQUIRE(peer_add_path(p, pa, heard) != NULL);
	return (pa);
}

static void
rig_start(const atf_tc_t *tc)
{
	struct inet_addr ia;
	struct peer	*p;
	const char	*text;
	uint8_t		 key[KEY48_LEN];
	json_t		*doc, *ids;
	unsigned	 i;

	ATF_REQUIRE_EQ(crypto_init(), 0);
	memset(&rig, 0, sizeof(rig));
	rig.now = START;
	rig.packet = 0x4711;
	doc = vectors_load(tc, "credentials.json");
	ids = vectors_get(doc, "identities");
	for (i = 0; i < WHO; i++) {
		text = vectors_str(vectors_get(ids, names[i]), "secret");
		ATF_REQUIRE_EQ(identity_parse(&rig.ids[i], text,
		    strlen(text)), IDENTITY_OK);
	}
	json_decref(doc);
	rig.node = node_new(&rig.ids[ME], &callbacks, NULL, rig.now);
	ATF_REQUIRE(rig.node != NULL);
	for (i = CONTROLLER; i < WHO; i++) {
		ATF_REQUIRE_EQ(identity_agree(&rig.ids[ME], &rig.ids[i],
		    key), 0);
		packet_keys_init(&rig.keys[i], key);
		p = peer_add(rig.node, rig.now, &rig.ids[i]);
		ATF_REQUIRE(p != NULL);
		p->pe_proto = 12;
		p->pe_major = 1;
		p->pe_minor = 14;
		where((enum who)i, &ia);
		(void)direct(p, &ia, rig.now);
	}
}

static void
rig_end(void)
{
	unsigned	 i;

	node_free(rig.node, rig.now);
	for (i = CONTROLLER; i < WHO; i++)
		packet_keys_clear(&rig.keys[i]);
}

static void
give_from(enum who from, const struct inet_addr *ia, uint8_t verb,
    const struct wbuf *payload)
{
	struct wbuf	 wb;
	uint8_t		 p[PACKET_MAX];

	wbuf_init(&wb, p, sizeof(p));
	packet_header(&wb, rig.packet++, rig.ids[ME].id_addr,
	    rig.ids[from].id_addr, verb);
	wbuf_bytes(&wb, payload->wb_base, payload->wb_len);
	ATF_REQUIRE(wbuf_ok(payload) && wbuf_ok(&wb));
	packet_seal(p, wb.wb_len, SUITE_SALSA2012, &rig.keys[from]);
	node_datagram(rig.node, rig.now, SOCK, ia, p, wb.wb_len);
}

/* A HELLO in the clear, as they come. */
static void
hello_from(enum who from, const struct inet_addr *ia,
    const struct wbuf *payload)
{
	struct wbuf	 wb;
	uint8_t		 p[PACKET_MAX];

	wbuf_init(&wb, p, sizeof(p));
	packet_header(&wb, rig.packet++, rig.ids[ME].id_addr,
	    rig.ids[from].id_addr, VERB_HELLO);
	wbuf_bytes(&wb, payload->wb_base, payload->wb_len);
	ATF_REQUIRE(wbuf_ok(payload) && wbuf_ok(&wb));
	packet_seal(p, wb.wb_len, SUITE_POLY1305, &rig.keys[from]);
	rig.watched = *ia;
	rig.received_bytes += wb.wb_len;
	node_datagram(rig.node, rig.now, SOCK, ia, p, wb.wb_len);
}

/* The last ECHO comes back from there. */
static void
echo_answered(enum who from, const struct inet_addr *ia)
{
	struct wbuf	 wb;
	uint8_t		 p[16];

	wbuf_init(&wb, p, sizeof(p));
	wbuf_u8(&wb, VERB_ECHO);
	wbuf_u64(&wb, rig.last_echo);
	give_from(from, ia, VERB_OK, &wb);
}

static void
give(enum who from, uint8_t verb, const struct wbuf *payload)
{
	struct inet_addr ia;

	where(from, &ia);
	give_from(from, &ia, verb, payload);
}

/* The network of the controller, joined, where MEMBER is a member. */
static struct network *
network(void)
{
	uint64_t	 nwid = rig.ids[CONTROLLER].id_addr << 24 | 1;
	struct network	*nw;
	struct netconf	*nc;
	struct com	 com;

	ATF_REQUIRE_EQ(node_join(rig.node, rig.now, nwid), 0);
	ATF_REQUIRE((nw = network_find(rig.node, nwid)) != NULL);
	ATF_REQUIRE((nc = calloc(1, sizeof(*nc))) != NULL);
	nc->nc_nwid = nwid;
	nc->nc_to = rig.ids[ME].id_addr;
	nc->nc_ts = rig.now;
	nc->nc_delta = 1800000;
	nc->nc_mclimit = 32;
	nc->nc_mtu = NETCONF_MTU_DEFAULT;
	com_make(&nc->nc_com, rig.now, nc->nc_delta, nwid, &rig.ids[ME]);
	com_sign(&nc->nc_com, &rig.ids[CONTROLLER]);
	com_make(&com, rig.now, nc->nc_delta, nwid, &rig.ids[MEMBER]);
	com_sign(&com, &rig.ids[CONTROLLER]);
	ATF_REQUIRE(config_apply(rig.node, rig.now, nw, nc, false));
	ATF_REQUIRE_EQ(membership_add_com(rig.node, rig.now, nw, &com),
	    CRED_NEW);
	return (nw);
}

/* Does an OK from this node put addr into the group? */
static bool
recorded(const struct network *nw, enum who from, uint8_t in_re,
    uint64_t addr)
{
	static const struct mgroup	 mg = { MAC_BROADCAST, 0x0a000001 };
	const struct mc_group		*g;
	struct wbuf			 wb;
	uint8_t				 p[128];
	size_t				 i;

	/* Some packet of ours, of which anybody may have got one. */
	expect_add(rig.node, 0x123456789abcdef0);
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
	give(from, VERB_OK, &wb);
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
	nw = network();
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
	nw = network();
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
		give(CONTROLLER, VERB_NETWORK_CONFIG, &wb);
	ATF_CHECK_EQ(rig.configs, 1);
	rig.now += 5000;
	give(STRANGER, VERB_NETWORK_CONFIG, &wb);
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
		give(STRANGER, VERB_WHOIS, &wb);
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

	where(STRANGER, &ia);
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
	where(WHO, &rig.watched);
	(void)direct(root, &rig.watched, rig.now);
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
	struct wbuf		 wb;
	uint8_t			 p[64];
	size_t			 i;

	rig_start(tc);
	peer = peer_find(rig.node, rig.ids[STRANGER].id_addr);
	for (i = 0; i <= sizeof(times) / sizeof(times[0]); i++) {
		expect_add(rig.node, 0x123456789abcdef0);
		wbuf_init(&wb, p, sizeof(p));
		wbuf_u8(&wb, VERB_HELLO);
		wbuf_u64(&wb, 0x123456789abcdef0);
		wbuf_u64(&wb, i < sizeof(times) / sizeof(times[0]) ?
		    times[i] : START - 30);
		wbuf_u8(&wb, 12);
		wbuf_uint(&wb, 0x010e0001, 4);
		ATF_CHECK_EQ(peer->pe_paths[0].pp_path->pa_latency,
		    LATENCY_UNKNOWN);
		give(STRANGER, VERB_OK, &wb);
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
		path_heard(p->pe_paths[0].pp_path, rig.now, 100);
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
	where(MEMBER, &near);
	ATF_REQUIRE_EQ(inet_parse("198.51.100.1/9993", &far), 0);
	ATF_REQUIRE(topology_upstreams(rig.node, &ups) > 0);
	ATF_REQUIRE((up = peer_find(rig.node, ups[0])) != NULL);
	p = peer_find(rig.node, rig.ids[MEMBER].id_addr);
	for (i = 0; i < 2; i++) {
		while (up->pe_npaths > 0)
			peer_drop_path(up, 0);
		pa = direct(up, &far, rig.now - heard[i]);
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
	where(MEMBER, &ia);
	ia.ia_ip[2] = 90;
	give_from(MEMBER, &ia, VERB_NOP, &wb);
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
		give_from(MEMBER, &ia, VERB_NOP, &wb);
	}
	ATF_CHECK_MSG(rig.echos > 0 && rig.echos <= 16, "%u", rig.echos);
	ATF_CHECK_EQ(rig.hellos, 0);
	rig.now += 1000;
	rig.echos = 0;
	give_from(MEMBER, &ia, VERB_NOP, &wb);
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
		where(MEMBER, &ia);
		ia.ia_ip[3] = (uint8_t)(100 + i);
		give_from(MEMBER, &ia, VERB_USER_MESSAGE, &wb);
	}
	ATF_CHECK_EQ(rig.messages, 1);
	node_status(rig.node, rig.now, &ns);
	ATF_CHECK_EQ(ns.ns_replays, 2);
	/* The next one is another. */
	give_from(MEMBER, &ia, VERB_USER_MESSAGE, &wb);
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
	where(MEMBER, &ia);
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
		hello_from(MEMBER, &ia, &wb);
		rig.now += 1000;
		(void)node_tick(rig.node, rig.now);
		ATF_CHECK_MSG(rig.sent_bytes > 0 && rig.sent_bytes <=
		    rig.received_bytes, "%zu for %zu", rig.sent_bytes,
		    rig.received_bytes);
	}
	/* It answers: now it gets what it asked for. */
	rig.sent_bytes = 0;
	echo_answered(MEMBER, &ia);
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
		give_from(MEMBER, &ia, VERB_USER_MESSAGE, &wb);
	}
	node_status(rig.node, rig.now, &ns);
	ATF_CHECK_MSG(rig.messages >= 100 && rig.messages <= 500, "%u",
	    rig.messages);
	ATF_CHECK_EQ(ns.ns_limited, 2000 - rig.messages);
	rig.messages = 0;
	ia.ia_ip[2] = 9;
	give_from(MEMBER, &ia, VERB_USER_MESSAGE, &wb);
	ATF_CHECK_EQ(rig.messages, 1);
	/* Where somebody has answered there is no such limit. */
	where(MEMBER, &ia);
	for (i = 0; i < 2000; i++)
		give_from(MEMBER, &ia, VERB_USER_MESSAGE, &wb);
	ATF_CHECK_EQ(rig.messages, 2001);
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
	return (atf_no_error());
}
