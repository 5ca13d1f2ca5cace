/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * VL1 against captured messages: every datagram of vl1-messages.json opens
 * to the payload it carries; a node that gets a captured request answers
 * with the payload of the captured answer; and the gates of the section
 * "behaviour" hold, where ztd does not do better on purpose.
 */

#include <string.h>

#include "common/address.h"
#include "regress/lib/vectors.h"
#include "ztd-net/core/node.h"

#define SENT_MAX	64
#define SOCK		7

/* A datagram that the node under test sent. */
struct sent {
	struct inet_addr to;
	unsigned	 ttl;
	size_t		 len;
	uint8_t		 bytes[PACKET_MAX];
};

struct rig {
	json_t		*doc;
	struct node	*node;
	struct identity	 self;
	const char	*name;		/* of self in "identities" */
	unsigned	 confirmed;
	int64_t		 now;
	const char	*planet;	/* name in "worlds" */
	const char	*moon;
	unsigned	 nsent;
	struct sent	 sent[SENT_MAX];
};

static struct rig rig;

static void
cb_send(void *arg, uint32_t sock, const struct inet_addr *to, const void *p,
    size_t len, unsigned ttl)
{
	struct sent	*s;

	(void)arg;
	(void)sock;
	ATF_REQUIRE(rig.nsent < SENT_MAX && len <= PACKET_MAX);
	s = &rig.sent[rig.nsent++];
	s->to = *to;
	s->ttl = ttl;
	s->len = len;
	memcpy(s->bytes, p, len);
}

static size_t
cb_load(void *arg, enum node_state what, uint64_t id, void *p, size_t size)
{
	const char	*name;

	(void)arg;
	(void)id;
	name = what == STATE_PLANET ? rig.planet :
	    what == STATE_MOON ? rig.moon : NULL;
	if (name == NULL)
		return (0);
	return (vectors_hex(vectors_get(rig.doc, "worlds"), name, p, size));
}

static const struct node_callbacks callbacks = {
	.nc_send = cb_send,
	.nc_load = cb_load
};

static void
identity_named(const char *name, struct identity *id)
{
	json_t		*ids = vectors_get(rig.doc, "identities");
	const char	*text;

	text = vectors_str(vectors_get(ids, name), "secret");
	ATF_REQUIRE_EQ(identity_parse(id, text, strlen(text)), IDENTITY_OK);
}

static void
rig_start(const atf_tc_t *tc, const char *self, const char *planet,
    const char *moon)
{
	ATF_REQUIRE_EQ(crypto_init(), 0);
	memset(&rig, 0, sizeof(rig));
	rig.doc = vectors_load(tc, "vl1-messages.json");
	rig.planet = planet;
	rig.moon = moon;
	rig.now = 1700000000100;
	rig.name = self;
	identity_named(self, &rig.self);
	rig.node = node_new(&rig.self, &callbacks, NULL, rig.now);
	ATF_REQUIRE(rig.node != NULL);
}

static void
rig_end(void)
{
	node_free(rig.node, rig.now);
	json_decref(rig.doc);
}

static void
keys_between(const char *a, const char *b, struct packet_keys *keys)
{
	struct identity	 ia, ib;
	uint8_t		 key[KEY48_LEN];

	identity_named(a, &ia);
	identity_named(b, &ib);
	ATF_REQUIRE_EQ(identity_agree(&ia, &ib, key), 0);
	packet_keys_init(keys, key);
}

/* Give the node a datagram as if it came from addr. */
static void
feed(const char *addr, const uint8_t *p, size_t len)
{
	uint8_t			 buf[PACKET_MAX];
	struct inet_addr	 from;

	ATF_REQUIRE_EQ(inet_parse(addr, &from), 0);
	memcpy(buf, p, len);
	node_datagram(rig.node, rig.now, SOCK, &from, buf, len);
}

static void
feed_message(json_t *msg)
{
	uint8_t	 wire[PACKET_MAX];
	size_t	 len;

	len = vectors_hex(msg, "wire", wire, sizeof(wire));
	feed(vectors_str(msg, "src"), wire, len);
}

static json_t *
message_named(const char *name)
{
	json_t	*m, *all = vectors_array(rig.doc, "messages");
	size_t	 i;

	json_array_foreach(all, i, m) {
		if (strcmp(vectors_str(m, "name"), name) == 0)
			return (m);
	}
	atf_tc_fail("no message %s", name);
}

/* Compose and seal a packet of "from" for the node under test. */
static size_t
compose(uint8_t *dst, const char *from, uint64_t to, uint8_t verb,
    const void *payload, size_t len, uint64_t id)
{
	struct packet_keys	 keys;
	struct identity		 src;
	struct wbuf		 wb;

	identity_named(from, &src);
	wbuf_init(&wb, dst, PACKET_MAX);
	packet_header(&wb, id, to, src.id_addr, verb);
	wbuf_bytes(&wb, payload, len);
	if (to == rig.self.id_addr) {
		struct identity	 self = rig.self;
		uint8_t		 key[KEY48_LEN];

		ATF_REQUIRE_EQ(identity_agree(&src, &self, key), 0);
		packet_keys_init(&keys, key);
		packet_seal(dst, wb.wb_len, SUITE_AES_GMAC_SIV, &keys);
		packet_keys_clear(&keys);
	}
	return (wb.wb_len);
}

/* How many of the packets sent have this verb, seen as "peer". */
static unsigned
count_sent(const char *peer, const char *self, uint8_t verb)
{
	struct packet_keys	 keys;
	uint8_t			 p[PACKET_MAX];
	unsigned		 i, n = 0;

	keys_between(peer, self, &keys);
	for (i = 0; i < rig.nsent; i++) {
		if (rig.sent[i].len < PACKET_MIN)
			continue;
		memcpy(p, rig.sent[i].bytes, rig.sent[i].len);
		if (packet_open(p, rig.sent[i].len, &keys) &&
		    packet_verb(p) == verb)
			n++;
	}
	packet_keys_clear(&keys);
	return (n);
}

ATF_TC_WITHOUT_HEAD(opens);
ATF_TC_BODY(opens, tc)
{
	struct packet_keys	 keys;
	json_t			*m;
	uint8_t			 wire[PACKET_MAX], want[PACKET_MAX];
	size_t			 i, len, wantlen, off;
	const char		*to;

	rig_start(tc, "R", "planet_ts1000", NULL);
	json_array_foreach(vectors_array(rig.doc, "messages"), i, m) {
		to = vectors_str(m, "to");
		if (strcmp(to, "X") == 0)
			to = "C";	/* the collider: see below */
		if (vectors_u64(m, "cipher") == SUITE_NONE ||
		    strcmp(vectors_str(m, "to"), "X") == 0)
			continue;
		keys_between(vectors_str(m, "from"), to, &keys);
		len = vectors_hex(m, "wire", wire, sizeof(wire));
		wantlen = vectors_hex(m, "payload", want, sizeof(want));
		ATF_REQUIRE_EQ(packet_suite(wire), vectors_u64(m, "cipher"));
		ATF_REQUIRE_MSG(packet_open(wire, len, &keys), "%s",
		    vectors_str(m, "name"));
		len = packet_decompress(wire, len);
		ATF_REQUIRE_EQ(packet_verb(wire), vectors_u64(m, "verb"));
		if (packet_verb(wire) == VERB_HELLO) {
			off = PACKET_HDR + vectors_u64(m,
			    "encrypted_from_offset");
			if (off < len)
				packet_hello_crypt(wire, wire + off,
				    len - off, keys.pk_key48);
		}
		ATF_REQUIRE_EQ(len, PACKET_HDR + wantlen);
		ATF_REQUIRE_MSG(memcmp(wire + PACKET_HDR, want, wantlen) == 0,
		    "%s", vectors_str(m, "name"));
		packet_keys_clear(&keys);
	}
	rig_end();
}

/* The request whose id this captured answer quotes, NULL when not there. */
static json_t *
request_of(json_t *answer)
{
	json_t	*m;
	uint8_t	 payload[PACKET_MAX], wire[PACKET_MAX];
	size_t	 i;

	vectors_hex(answer, "payload", payload, sizeof(payload));
	json_array_foreach(vectors_array(rig.doc, "messages"), i, m) {
		vectors_hex(m, "wire", wire, sizeof(wire));
		if (memcmp(wire, payload + 1, 8) == 0)
			return (m);
	}
	return (NULL);
}

/* Did the node send "to" exactly this OK? */
static bool
answered(json_t *answer)
{
	struct packet_keys	 keys;
	uint8_t			 p[PACKET_MAX], want[PACKET_MAX];
	size_t			 len, wantlen;
	unsigned		 i;
	bool			 found = false;

	keys_between(vectors_str(answer, "from"), vectors_str(answer, "to"),
	    &keys);
	wantlen = vectors_hex(answer, "payload", want, sizeof(want));
	for (i = 0; i < rig.nsent && !found; i++) {
		memcpy(p, rig.sent[i].bytes, rig.sent[i].len);
		if (rig.sent[i].len < PACKET_MIN ||
		    !packet_open(p, rig.sent[i].len, &keys))
			continue;
		len = packet_decompress(p, rig.sent[i].len);
		found = packet_verb(p) == VERB_OK &&
		    len == PACKET_HDR + wantlen &&
		    memcmp(p + PACKET_HDR, want, wantlen) == 0;
	}
	packet_keys_clear(&keys);
	return (found);
}

/*
 * Answer every ECHO that the node sent to this peer: its path there is
 * confirmed then, and what was kept back for it comes.
 */
static void
confirm(const char *peer, const char *addr)
{
	struct packet_keys	 keys;
	struct wbuf		 wb;
	uint8_t			 p[PACKET_MAX], ok[16];
	unsigned		 i, n = rig.nsent;
	size_t			 len;

	for (i = 0; i < n; i++) {
		if (rig.sent[i].len < PACKET_MIN)
			continue;
		memcpy(p, rig.sent[i].bytes, rig.sent[i].len);
		keys_between(peer, rig.name, &keys);
		if (packet_open(p, rig.sent[i].len, &keys) &&
		    packet_verb(p) == VERB_ECHO) {
			wbuf_init(&wb, ok, sizeof(ok));
			wbuf_u8(&wb, VERB_ECHO);
			wbuf_u64(&wb, packet_id(rig.sent[i].bytes));
			len = compose(p, peer, rig.self.id_addr, VERB_OK, ok,
			    wb.wb_len, 0x7000 + rig.confirmed++);
			feed(addr, p, len);
		}
		packet_keys_clear(&keys);
	}
}

/* R has the moon it stored. */
static uint64_t
orbit_stored(void)
{
	struct world	*w;
	struct rbuf	 rb;
	uint8_t		 moon[WORLD_MAX];
	uint64_t	 id;
	size_t		 len;

	len = vectors_hex(vectors_get(rig.doc, "worlds"), rig.moon, moon,
	    sizeof(moon));
	ATF_REQUIRE((w = malloc(sizeof(*w))) != NULL);
	rbuf_init(&rb, moon, len);
	world_get(&rb, w);
	ATF_REQUIRE(rbuf_ok(&rb));
	id = w->w_id;
	free(w);
	ATF_REQUIRE_EQ(node_orbit(rig.node, rig.now, id, 0), 0);
	return (id);
}

/*
 * A root in the state of the capture (planet revision 2000, the moon) gives
 * the captured answers to HELLO and WHOIS.
 */
ATF_TC_WITHOUT_HEAD(root_answers);
ATF_TC_BODY(root_answers, tc)
{
	json_t		*m, *req;
	size_t		 i;
	unsigned	 done = 0;

	rig_start(tc, "R", "planet_ts2000", "moon_ts5000");
	(void)orbit_stored();
	json_array_foreach(vectors_array(rig.doc, "messages"), i, m) {
		if (strcmp(vectors_str(m, "from"), "R") != 0 ||
		    strncmp(vectors_str(m, "name"), "OK(", 3) != 0)
			continue;
		ATF_REQUIRE((req = request_of(m)) != NULL);
		rig.now += 5000;
		rig.nsent = 0;
		feed_message(req);
		confirm(vectors_str(m, "to"), vectors_str(req, "src"));
		ATF_CHECK_MSG(answered(m), "%s", vectors_str(m, "name"));
		done++;
	}
	ATF_REQUIRE(done >= 7);
	rig_end();
}

/* Bytes that R sends for a HELLO that names its moon so many times. */
static size_t
answer_to_moons(unsigned times)
{
	uint8_t			 p[PACKET_MAX];
	struct packet_keys	 keys;
	struct identity		 a;
	struct wbuf		 wb;
	uint64_t		 moon = orbit_stored();
	size_t			 tail, sum = 0;
	unsigned		 i;

	identity_named("A", &a);
	keys_between("A", "R", &keys);
	wbuf_init(&wb, p, sizeof(p));
	packet_header(&wb, 4000 + times, rig.self.id_addr, a.id_addr,
	    VERB_HELLO);
	wbuf_uint(&wb, 0x0c010e0001, 5);
	wbuf_u64(&wb, 1);
	identity_put(&wb, &a, false);
	wbuf_u8(&wb, 0);
	wbuf_u64(&wb, 0);
	wbuf_u64(&wb, 0);
	tail = wb.wb_len;
	wbuf_u16(&wb, (uint16_t)times);
	for (i = 0; i < times; i++) {
		wbuf_u8(&wb, WORLD_MOON);
		wbuf_u64(&wb, moon);
		wbuf_u64(&wb, 0);
	}
	ATF_REQUIRE(wbuf_ok(&wb));
	packet_hello_crypt(p, p + tail, wb.wb_len - tail, keys.pk_key48);
	packet_seal(p, wb.wb_len, SUITE_POLY1305, &keys);
	packet_keys_clear(&keys);
	rig.now += 5000;
	rig.nsent = 0;
	feed("7.7.7.7/9993", p, wb.wb_len);
	for (i = 0; i < rig.nsent; i++)
		sum += rig.sent[i].len;
	return (sum);
}

/* A moon named often is sent once: nobody is to be flooded by answers. */
ATF_TC_WITHOUT_HEAD(moon_named_often);
ATF_TC_BODY(moon_named_often, tc)
{
	size_t	 once;

	rig_start(tc, "R", "planet_ts2000", "moon_ts5000");
	(void)answer_to_moons(0);
	confirm("A", "7.7.7.7/9993");
	once = answer_to_moons(1);
	ATF_REQUIRE(once > 0);
	ATF_CHECK_EQ(answer_to_moons(50), once);
	rig_end();
}

/* B, to which A is known, echoes. */
ATF_TC_WITHOUT_HEAD(echo);
ATF_TC_BODY(echo, tc)
{
	static const int times[] = { 0, 100, 166, 167, 333, 400 };
	static const unsigned answers[] = { 1, 0, 1, 0, 1, 0 };
	uint8_t		 p[PACKET_MAX], hello[PACKET_MAX];
	struct packet_keys keys;
	struct identity	 a;
	struct wbuf	 wb;
	int64_t		 start;
	size_t		 len, i;

	rig_start(tc, "B", "planet_ts1000", NULL);
	identity_named("A", &a);
	keys_between("A", "B", &keys);
	wbuf_init(&wb, hello, sizeof(hello));
	packet_header(&wb, 77, rig.self.id_addr, a.id_addr, VERB_HELLO);
	wbuf_u8(&wb, 12);
	wbuf_uint(&wb, 0x010e0001, 4);
	wbuf_u64(&wb, 1);
	identity_put(&wb, &a, false);
	packet_seal(hello, wb.wb_len, SUITE_POLY1305, &keys);
	packet_keys_clear(&keys);
	feed("7.7.7.7/9993", hello, wb.wb_len);
	ATF_REQUIRE_EQ(count_sent("A", "B", VERB_OK), 1);
	ATF_REQUIRE_EQ(count_sent("A", "B", VERB_ECHO), 1);
	start = rig.now + 1000;
	for (i = 0; i < 6; i++) {
		rig.now = start + times[i];
		rig.nsent = 0;
		len = compose(p, "A", rig.self.id_addr, VERB_ECHO, "abc", 3,
		    1000 + i);
		feed("7.7.7.7/9993", p, len);
		ATF_CHECK_EQ(count_sent("A", "B", VERB_OK), answers[i]);
	}
	rig_end();
}

static void
push_one(const char *to_text, uint8_t flags, uint64_t id)
{
	struct inet_addr to;
	struct wbuf	 wb;
	uint8_t		 payload[64], p[PACKET_MAX];
	size_t		 len;

	ATF_REQUIRE_EQ(inet_parse(to_text, &to), 0);
	wbuf_init(&wb, payload, sizeof(payload));
	wbuf_u16(&wb, 1);
	wbuf_u8(&wb, flags);
	wbuf_u16(&wb, 3);
	wbuf_bytes(&wb, "xyz", 3);	/* an extension, to be skipped */
	wbuf_u8(&wb, 4);
	wbuf_u8(&wb, 6);
	wbuf_bytes(&wb, to.ia_ip, 4);
	wbuf_u16(&wb, to.ia_port);
	len = compose(p, "A", rig.self.id_addr, VERB_PUSH_DIRECT_PATHS,
	    payload, wb.wb_len, id);
	rig.nsent = 0;
	feed("7.7.7.7/9993", p, len);
}

static unsigned
contacts(const char *text)
{
	struct inet_addr to;
	unsigned	 i, n = 0;

	ATF_REQUIRE_EQ(inet_parse(text, &to), 0);
	for (i = 0; i < rig.nsent; i++)
		n += inet_equal(&rig.sent[i].to, &to);
	return (n);
}

/* R gets pushes: suggestions are tried, impossible ones are not. */
ATF_TC_WITHOUT_HEAD(push_direct_paths);
ATF_TC_BODY(push_direct_paths, tc)
{
	unsigned	 i;

	rig_start(tc, "R", "planet_ts1000", NULL);
	feed_message(message_named("HELLO, IPv4 destination, no moons"));
	push_one("198.51.100.7/1234", 0, 1);
	ATF_CHECK_EQ(contacts("198.51.100.7/1234"), 1);
	push_one("198.51.100.8/1234", 1, 2);
	ATF_CHECK_EQ(contacts("198.51.100.8/1234"), 0);
	push_one("127.0.0.1/1234", 0, 3);
	push_one("169.254.1.1/1234", 0, 4);
	ATF_CHECK_EQ(rig.nsent, 0);
	/* Better than the original: every 15 s is fine for ever. */
	for (i = 0; i < 40; i++) {
		rig.now += 15000;
		push_one("198.51.100.9/1234", 0, 10 + i);
		ATF_CHECK_EQ(contacts("198.51.100.9/1234"), 1);
	}
	/* ... but a flood is not. */
	for (i = 0; i < 40; i++)
		push_one("198.51.100.9/1234", 0, 100 + i);
	ATF_CHECK_EQ(contacts("198.51.100.9/1234"), 0);
	rig_end();
}

/* Hops are counted and limited; who is no root does not relay at all. */
ATF_TC_WITHOUT_HEAD(relay);
ATF_TC_BODY(relay, tc)
{
	struct identity	 b;
	uint8_t		 p[PACKET_MAX];
	size_t		 len;
	unsigned	 hops, i, found;

	rig_start(tc, "R", "planet_ts2000", NULL);
	identity_named("B", &b);
	feed_message(message_named("HELLO, IPv4 destination, no moons"));
	rig.now += 5000;
	feed_message(message_named("HELLO, one known moon"));
	confirm("B", "9.9.9.9/9993");
	for (hops = 0; hops < 8; hops++) {
		rig.nsent = 0;
		len = compose(p, "A", b.id_addr, VERB_ECHO, "", 0, 50 + hops);
		p[PACKET_IDX_FLAGS] |= (uint8_t)hops;
		feed("7.7.7.7/9993", p, len);
		for (i = 0, found = 0; i < rig.nsent; i++)
			found += rig.sent[i].len == len &&
			    packet_id(rig.sent[i].bytes) == 50 + hops &&
			    packet_hops(rig.sent[i].bytes) == hops + 1;
		ATF_CHECK_EQ(found, hops < HOPS_MAX ? 1 : 0);
	}
	rig_end();
	rig_start(tc, "C", "planet_ts1000", NULL);
	len = compose(p, "A", b.id_addr, VERB_ECHO, "", 0, 50);
	feed("7.7.7.7/9993", p, len);
	ATF_CHECK_EQ(rig.nsent, 0);
	rig_end();
}

/* Only an upstream introduces. */
ATF_TC_WITHOUT_HEAD(rendezvous_from_leaf);
ATF_TC_BODY(rendezvous_from_leaf, tc)
{
	static const uint8_t	 body[] = { 0, 1, 2, 3, 4, 5, 0x27, 9, 4,
	    198, 51, 100, 1 };
	uint8_t			 p[PACKET_MAX];
	size_t			 len;

	rig_start(tc, "R", "planet_ts1000", NULL);
	feed_message(message_named("HELLO, IPv4 destination, no moons"));
	rig.nsent = 0;
	len = compose(p, "A", rig.self.id_addr, VERB_RENDEZVOUS, body,
	    sizeof(body), 9);
	feed("7.7.7.7/9993", p, len);
	ATF_CHECK_EQ(contacts("198.51.100.1/9993"), 0);
	rig_end();
}

/* Every captured datagram, cut at every length, harms nobody. */
ATF_TC_WITHOUT_HEAD(truncated);
ATF_TC_BODY(truncated, tc)
{
	json_t	*m;
	uint8_t	 wire[PACKET_MAX];
	size_t	 i, len, cut;

	rig_start(tc, "R", "planet_ts1000", NULL);
	json_array_foreach(vectors_array(rig.doc, "messages"), i, m) {
		len = vectors_hex(m, "wire", wire, sizeof(wire));
		for (cut = 0; cut < len; cut++) {
			rig.nsent = 0;
			feed(vectors_str(m, "src"), wire, cut);
		}
	}
	rig_end();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, opens);
	ATF_TP_ADD_TC(tp, root_answers);
	ATF_TP_ADD_TC(tp, moon_named_often);
	ATF_TP_ADD_TC(tp, echo);
	ATF_TP_ADD_TC(tp, push_direct_paths);
	ATF_TP_ADD_TC(tp, relay);
	ATF_TP_ADD_TC(tp, rendezvous_from_leaf);
	ATF_TP_ADD_TC(tp, truncated);
	return (atf_no_error());
}
