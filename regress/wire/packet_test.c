/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Sealing, opening, compression, fragments and recorded HELLO exchanges
 * against vectors/packet-armor.json.
 */

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/identity.h"
#include "common/inet.h"
#include "common/packet.h"
#include "common/world.h"
#include "regress/lib/vectors.h"

/* A packet of a vector, with room for the largest; free() it. */
static uint8_t *
packet(json_t *str, size_t *len)
{
	uint8_t	*p, *exact;

	exact = vectors_hex_alloc(str, len);
	ATF_REQUIRE(*len <= PACKET_MAX);
	ATF_REQUIRE((p = calloc(1, PACKET_MAX)) != NULL);
	memcpy(p, exact, *len);
	free(exact);
	return (p);
}

static void
parse(json_t *v, const char *key, struct identity *id)
{
	const char	*text = vectors_str(v, key);

	ATF_REQUIRE_EQ(IDENTITY_OK, identity_parse(id, text, strlen(text)));
	ATF_REQUIRE(id->id_has_private);
}

/* Keys from both secrets; all that can be compared is. */
static void
load_keys(json_t *v, const char *a_key, const char *b_key,
    struct packet_keys *pk)
{
	uint8_t		k[KEY48_LEN], k2[KEY48_LEN], want[KEY48_LEN];
	uint8_t		out[SHA384_LEN];
	struct identity	a, b;

	ATF_REQUIRE_EQ(0, crypto_init());
	parse(v, a_key, &a);
	parse(v, b_key, &b);
	ATF_REQUIRE_EQ(0, identity_agree(&a, &b, k));
	ATF_REQUIRE_EQ(0, identity_agree(&b, &a, k2));
	vectors_hexn(v, "key48", want, sizeof(want));
	ATF_CHECK_EQ(0, memcmp(want, k, sizeof(k)));
	ATF_CHECK_EQ(0, memcmp(want, k2, sizeof(k)));
	vectors_hexn(v, "k0", want, KEY32_LEN);
	crypto_kbkdf(out, k, '0', 0, 0);
	ATF_CHECK_EQ(0, memcmp(want, out, KEY32_LEN));
	vectors_hexn(v, "k1", want, KEY32_LEN);
	crypto_kbkdf(out, k, '1', 0, 0);
	ATF_CHECK_EQ(0, memcmp(want, out, KEY32_LEN));
	packet_keys_init(pk, k);
}

static json_t *
load(const atf_tc_t *tc, struct packet_keys *pk)
{
	json_t	*root;

	root = vectors_load(tc, "packet-armor.json");
	load_keys(root, "peer_a_secret", "peer_b_secret", pk);
	return (root);
}

/* The steps of suites 0 and 1 that the vector spells out. */
static void
check_poly_steps(json_t *v, const uint8_t *wire, size_t len,
    const struct packet_keys *pk)
{
	uint8_t	key[KEY32_LEN], want[KEY32_LEN], mackey[KEY32_LEN], mac[16];
	size_t	i;

	for (i = 0; i < KEY32_LEN; i++)
		key[i] = pk->pk_key48[i] ^ (i < 18 ? wire[i] : 0);
	key[18] ^= wire[18] & 0xf8;
	key[19] ^= len & 0xff;
	key[20] ^= len >> 8;
	vectors_hexn(v, "mangled_key", want, sizeof(want));
	ATF_CHECK_EQ(0, memcmp(want, key, sizeof(key)));
	crypto_salsa2012(mackey, sizeof(mackey), key, wire);
	vectors_hexn(v, "poly1305_key", want, sizeof(want));
	ATF_CHECK_EQ(0, memcmp(want, mackey, sizeof(mackey)));
	crypto_poly1305(mac, mackey, wire + 27, len - 27);
	ATF_CHECK_EQ(0, memcmp(wire + 19, mac, 8));
}

static void
check_siv_steps(json_t *v, const uint8_t *wire)
{
	uint8_t	want[16], aad[11];

	vectors_hexn(v, "siv", want, sizeof(want));
	ATF_CHECK_EQ(0, memcmp(want, wire, 8));
	ATF_CHECK_EQ(0, memcmp(want + 8, wire + 19, 8));
	ATF_CHECK_EQ(vectors_bool(v, "ctr_bit_was_set"),
	    (want[12] & 0x80) != 0);
	vectors_hexn(v, "aad", aad, sizeof(aad));
	ATF_CHECK_EQ(0, memcmp(aad, wire + 8, 10));
	ATF_CHECK_EQ(aad[10], wire[18] & 0xf8);
}

ATF_TC_WITHOUT_HEAD(packets);
ATF_TC_BODY(packets, tc)
{
	uint8_t			*plain, *wire, *p;
	struct packet_keys	 pk;
	enum packet_suite	 suite;
	json_t			*root, *v;
	size_t			 i, len, wlen;

	root = load(tc, &pk);
	json_array_foreach(vectors_array(root, "packets"), i, v) {
		suite = (enum packet_suite)vectors_u64(v, "suite");
		plain = packet(vectors_get(v, "plain"), &len);
		wire = packet(vectors_get(v, "wire"), &wlen);
		ATF_REQUIRE_EQ(len, wlen);
		ATF_CHECK_EQ(vectors_u64(v, "payload_len"), len - 28);
		ATF_CHECK_EQ(vectors_hexu64(v, "source"), packet_src(plain));
		ATF_CHECK_EQ(vectors_hexu64(v, "destination"),
		    packet_dest(plain));
		ATF_CHECK_EQ(vectors_hexu64(v, "packet_id_before"),
		    packet_id(plain));
		ATF_CHECK_EQ(vectors_u64(v, "verb"), packet_verb(plain));
		ATF_CHECK_EQ(vectors_bool(v, "fragmented_flag"),
		    (plain[18] & FLAG_FRAGMENTED) != 0);

		/* Seal, then hop as often as the relays did. */
		p = packet(vectors_get(v, "plain"), &len);
		packet_seal(p, len, suite, &pk);
		ATF_CHECK_EQ(vectors_u64(v, "flags_armored"), p[18]);
		p[18] = (uint8_t)(p[18] + vectors_u64(v, "hops_on_wire"));
		ATF_CHECK_MSG(memcmp(wire, p, len) == 0,
		    "sealed packet %zu differs", i);
		ATF_CHECK_EQ(suite, packet_suite(p));
		ATF_CHECK_EQ(vectors_u64(v, "hops_on_wire"), packet_hops(p));
		if (suite == SUITE_AES_GMAC_SIV)
			check_siv_steps(v, wire);
		else
			check_poly_steps(v, wire, len, &pk);

		/* Open, from memory of exactly its size. */
		free(p);
		p = vectors_hex_alloc(vectors_get(v, "wire"), &wlen);
		ATF_CHECK(packet_open(p, len, &pk));
		ATF_CHECK_EQ(0, memcmp(plain + 27, p + 27, len - 27));
		ATF_CHECK_EQ(0, memcmp(wire, p, 27));
		free(p);
		free(plain);
		free(wire);
	}
	packet_keys_clear(&pk);
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(altered);
ATF_TC_BODY(altered, tc)
{
	struct packet_keys	 pk;
	uint8_t			*p;
	json_t			*root, *v;
	size_t			 i, len, good = 0;

	root = load(tc, &pk);
	json_array_foreach(vectors_array(root, "altered"), i, v) {
		p = vectors_hex_alloc(vectors_get(v, "wire"), &len);
		ATF_CHECK_EQ_MSG(vectors_bool(v, "accept"),
		    packet_open(p, len, &pk), "suite %d: %s",
		    (int)vectors_u64(v, "suite"), vectors_str(v, "note"));
		good += vectors_bool(v, "accept");
		free(p);
	}
	ATF_CHECK(good > 0 && good < i);
	packet_keys_clear(&pk);
	json_decref(root);
}

/* Every suite number there is, over a packet that is fine in suite 3. */
ATF_TC_WITHOUT_HEAD(suites);
ATF_TC_BODY(suites, tc)
{
	uint8_t			 p[64], copy[64];
	struct packet_keys	 pk;
	struct wbuf		 wb;
	json_t			*root;
	unsigned		 s;

	root = load(tc, &pk);
	for (s = 0; s < 8; s++) {
		memset(p, 0, sizeof(p));
		wbuf_init(&wb, p, sizeof(p));
		packet_header(&wb, 1, 2, 3, VERB_ECHO);
		ATF_CHECK_EQ(PACKET_HDR, wb.wb_len);
		packet_seal(p, sizeof(p), SUITE_AES_GMAC_SIV, &pk);
		p[18] = (uint8_t)(s << 3);
		memcpy(copy, p, sizeof(p));
		ATF_CHECK_EQ(s == 3, packet_open(p, sizeof(p), &pk));
		if (s == 2 || s > 3)
			ATF_CHECK_EQ(0, memcmp(copy, p, sizeof(p)));
	}
	/* Lengths that are no packet's. */
	ATF_CHECK(!packet_open(p, PACKET_MIN - 1, &pk));
	ATF_CHECK(!packet_open(p, PACKET_MAX + 1, &pk));
	packet_keys_clear(&pk);
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(trusted_path);
ATF_TC_BODY(trusted_path, tc)
{
	struct packet_keys	 pk;
	uint8_t			*p, *wire;
	json_t			*root, *v;
	size_t			 i, len, wlen;

	root = load(tc, &pk);
	json_array_foreach(vectors_array(root, "trusted_path"), i, v) {
		p = packet(vectors_get(v, "plain"), &len);
		wire = packet(vectors_get(v, "wire"), &wlen);
		ATF_REQUIRE_EQ(len, wlen);
		ATF_CHECK_EQ(vectors_u64(v, "payload_len"), len - 28);
		packet_seal_trusted(p, vectors_hexu64(v, "trusted_path_id"));
		ATF_CHECK_EQ(0, memcmp(wire, p, len));
		ATF_CHECK_EQ(SUITE_NONE, packet_suite(p));
		/* Only who knows the path may believe it, not the opener. */
		ATF_CHECK(!packet_open(p, len, &pk));
		free(p);
		free(wire);
	}
	packet_keys_clear(&pk);
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(lz4);
ATF_TC_BODY(lz4, tc)
{
	static const char	*const forms[] = {
		"wire_suite1", "wire_suite3", "compressed_packet"
	};
	struct packet_keys	 pk;
	uint8_t			*plain, *p;
	json_t			*root, *v;
	size_t			 i, k, len, n;

	root = load(tc, &pk);
	json_array_foreach(vectors_array(root, "lz4"), i, v) {
		plain = packet(vectors_get(v, "plain"), &len);
		for (k = 0; k < 3; k++) {
			p = packet(vectors_get(v, forms[k]), &n);
			if (k < 2)
				ATF_CHECK(packet_open(p, n, &pk));
			ATF_CHECK_EQ(vectors_bool(v, "reference_compressed"),
			    (p[27] & VERB_COMPRESSED) != 0);
			ATF_REQUIRE_EQ_MSG(len, packet_decompress(p, n),
			    "%s: %s", vectors_str(v, "note"), forms[k]);
			ATF_CHECK_EQ(0, memcmp(plain + 27, p + 27, len - 27));
			free(p);
		}
		/* Our own encoder gains when the reference's does. */
		p = packet(vectors_get(v, "plain"), &n);
		n = packet_compress(p, len);
		ATF_CHECK_EQ_MSG(vectors_bool(v, "reference_compressed"),
		    n < len, "%s", vectors_str(v, "note"));
		ATF_CHECK_EQ(n < len, (p[27] & VERB_COMPRESSED) != 0);
		ATF_CHECK_EQ(n, packet_compress(p, n));
		ATF_CHECK_EQ(len, packet_decompress(p, n));
		ATF_CHECK_EQ(0, memcmp(plain, p, len));
		free(p);
		free(plain);
	}
	packet_keys_clear(&pk);
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(lz4_blocks);
ATF_TC_BODY(lz4_blocks, tc)
{
	uint8_t		*p, *result;
	const char	*text;
	json_t		*root, *v;
	size_t		 i, len, n, rlen;

	root = vectors_load(tc, "packet-armor.json");
	json_array_foreach(vectors_array(root, "lz4_blocks"), i, v) {
		p = packet(vectors_get(v, "packet"), &len);
		n = packet_decompress(p, len);
		if (!vectors_bool(v, "ok")) {
			ATF_CHECK_EQ_MSG(0, n, "%s", vectors_str(v, "note"));
			free(p);
			continue;
		}
		ATF_CHECK_EQ_MSG(vectors_u64(v, "result_len") + 28, n, "%s",
		    vectors_str(v, "note"));
		ATF_CHECK_EQ(0, p[27] & VERB_COMPRESSED);
		text = vectors_str(v, "result");
		if (strcmp(text, "(long)") != 0) {
			result = packet(vectors_get(v, "result"), &rlen);
			ATF_REQUIRE_EQ(rlen, n);
			ATF_CHECK_EQ(0, memcmp(result, p, n));
			free(result);
		}
		free(p);
	}
	json_decref(root);
}

/* Put the datagrams of a vector together again; returns the length. */
static size_t
assemble(json_t *v, uint8_t whole[2 * PACKET_MAX], size_t *mtu)
{
	json_t	*list, *lengths, *str;
	uint8_t	*d;
	size_t	 i, len, n = 0, skip;

	list = vectors_array(v, "datagrams");
	lengths = vectors_array(v, "datagram_lengths");
	ATF_REQUIRE_EQ(json_array_size(list), json_array_size(lengths));
	json_array_foreach(list, i, str) {
		d = vectors_hex_alloc(str, &len);
		ATF_CHECK_EQ((json_int_t)len,
		    json_integer_value(json_array_get(lengths, i)));
		if (i == 0)
			*mtu = len;
		skip = i == 0 ? 0 : FRAGMENT_HDR;
		ATF_REQUIRE(len > skip && n + len < 2 * PACKET_MAX);
		memcpy(whole + n, d + skip, len - skip);
		n += len - skip;
		free(d);
	}
	ATF_CHECK_EQ(vectors_u64(v, "packet_length"), n);
	return (n);
}

/* Cut it in the same way, and get the same datagrams. */
static void
check_fragments(json_t *v, const uint8_t *p, size_t len, size_t mtu)
{
	uint8_t		*out, *d;
	unsigned	 k, total;
	size_t		 dlen;
	json_t		*list;

	list = vectors_array(v, "datagrams");
	total = packet_fragments(len, mtu);
	ATF_REQUIRE_EQ(json_array_size(list), total);
	ATF_REQUIRE((out = malloc(mtu)) != NULL);
	for (k = 1; k < total; k++) {
		d = vectors_hex_alloc(json_array_get(list, k), &dlen);
		ATF_CHECK_EQ(dlen, packet_fragment(out, p, len, mtu, k,
		    total));
		ATF_CHECK_EQ(0, memcmp(d, out, dlen));
		free(d);
	}
	/* There is no fragment 0, and none behind the last. */
	ATF_CHECK_EQ(0, packet_fragment(out, p, len, mtu, 0, total));
	ATF_CHECK_EQ(0, packet_fragment(out, p, len, mtu, total, total));
	free(out);
}

ATF_TC_WITHOUT_HEAD(fragmentation);
ATF_TC_BODY(fragmentation, tc)
{
	static uint8_t		 p[2 * PACKET_MAX];
	uint8_t			 want[SHA512_LEN], got[SHA512_LEN], *whole;
	struct packet_keys	 pk;
	json_t			*root, *v;
	size_t			 i, len, wlen, mtu = 0;
	uint64_t		 suite;

	root = vectors_load(tc, "packet-armor.json");
	load_keys(json_array_get(vectors_array(root, "sessions"), 1),
	    "a_secret", "b_secret", &pk);
	json_array_foreach(vectors_array(root, "fragmentation"), i, v) {
		len = assemble(v, p, &mtu);
		check_fragments(v, p, len, mtu);
		ATF_CHECK_EQ_MSG(packet_fragments(len, mtu) > 7 ||
		    strstr(vectors_str(v, "note"), "not configured") != NULL,
		    !vectors_bool(v, "accepted_by_receiver"), "%s",
		    vectors_str(v, "note"));
		if (vectors_str(v, "assembled")[0] != '(') {
			whole = vectors_hex_alloc(vectors_get(v, "assembled"),
			    &wlen);
			ATF_REQUIRE_EQ(wlen, len);
			ATF_CHECK_EQ(0, memcmp(whole, p, len));
			free(whole);
		}
		suite = vectors_u64(v, "suite");
		ATF_CHECK_EQ(suite, packet_suite(p));
		ATF_CHECK_EQ(suite != SUITE_NONE, packet_open(p, len, &pk));
		vectors_hexn(v, "plain_sha512", want, sizeof(want));
		crypto_sha512(got, p, len);
		ATF_CHECK_EQ_MSG(0, memcmp(want, got, sizeof(got)), "%s",
		    vectors_str(v, "note"));
	}
	packet_keys_clear(&pk);
	json_decref(root);
}

/* Fields as the vector has them, at their offsets. */
static void
check_fields(json_t *list, const uint8_t *p, size_t len)
{
	uint8_t		*want;
	json_t		*f;
	size_t		 i, n, off;

	ATF_REQUIRE(json_array_size(list) > 0);
	json_array_foreach(list, i, f) {
		want = vectors_hex_alloc(vectors_get(f, "hex"), &n);
		off = (size_t)vectors_u64(f, "offset");
		ATF_CHECK_EQ(vectors_u64(f, "size"), n);
		ATF_REQUIRE(off + n <= len);
		ATF_CHECK_MSG(memcmp(want, p + off, n) == 0, "%s",
		    vectors_str(f, "name"));
		free(want);
	}
}

/* The body of a HELLO through the readers that a node uses. */
static size_t
read_hello(json_t *v, const uint8_t *p, size_t len)
{
	char			 text[INET_TEXT];
	struct inet_addr	 to;
	struct identity		 id;
	struct rbuf		 rb;

	rbuf_init(&rb, p + PACKET_HDR, len - PACKET_HDR);
	ATF_CHECK_EQ(12, rbuf_u8(&rb));
	rbuf_skip(&rb, 4 + 8);
	identity_get(&rb, &id);
	ATF_CHECK(identity_valid(&id));
	ATF_CHECK_EQ(packet_src(p), id.id_addr);
	inet_get(&rb, &to);
	ATF_CHECK_STREQ(vectors_str(v, "to_endpoint"),
	    inet_format(text, &to));
	rbuf_skip(&rb, 16);
	ATF_REQUIRE(rbuf_ok(&rb));
	return (len - rb.rb_left);
}

static void
check_hello(json_t *v, struct packet_keys *pk)
{
	uint8_t		*p, *again, *tail, iv[8];
	json_t		*moons, *m;
	struct rbuf	 rb;
	size_t		 len, n, off, i;

	p = vectors_hex_alloc(vectors_get(v, "datagram"), &len);
	ATF_CHECK_EQ(vectors_u64(v, "length"), len);
	check_fields(vectors_get(v, "fields"), p, len);
	ATF_CHECK(packet_open(p, len, pk));
	ATF_CHECK_EQ(VERB_HELLO, packet_verb(p));
	off = read_hello(v, p, len);
	vectors_hexn(v, "tail_iv", iv, sizeof(iv));
	ATF_CHECK_EQ(0, memcmp(iv, p, 7));
	ATF_CHECK_EQ(iv[7], p[7] & 0xf8);
	packet_hello_crypt(p, p + off, len - off, pk->pk_key48);
	tail = vectors_hex_alloc(vectors_get(v, "tail_plain"), &n);
	ATF_REQUIRE_EQ(n, len - off);
	ATF_CHECK_EQ(0, memcmp(tail, p + off, n));

	moons = vectors_get(v, "moons");
	rbuf_init(&rb, p + off, n);
	ATF_CHECK_EQ(json_array_size(moons), rbuf_u16(&rb));
	json_array_foreach(moons, i, m) {
		ATF_CHECK_EQ(vectors_u64(m, "type"), rbuf_u8(&rb));
		ATF_CHECK_EQ(vectors_hexu64(m, "id"), rbuf_u64(&rb));
		ATF_CHECK_EQ(vectors_u64(m, "timestamp"), rbuf_u64(&rb));
	}
	ATF_CHECK(rbuf_done(&rb));

	/* And back: encrypt the tail, seal, and it is the datagram. */
	packet_hello_crypt(p, p + off, n, pk->pk_key48);
	memset(p + PACKET_IDX_MAC, 0, 8);
	packet_seal(p, len, SUITE_POLY1305, pk);
	again = vectors_hex_alloc(vectors_get(v, "datagram"), &n);
	ATF_CHECK_EQ(0, memcmp(again, p, len));
	free(again);
	free(tail);
	free(p);
}

static void
check_sealed(json_t *v, struct packet_keys *pk)
{
	uint8_t	*p, *plain;
	size_t	 len, n;

	p = vectors_hex_alloc(vectors_get(v, "datagram"), &len);
	plain = vectors_hex_alloc(vectors_get(v, "plain"), &n);
	ATF_REQUIRE_EQ(n, len);
	ATF_CHECK_EQ(vectors_u64(v, "suite"), packet_suite(p));
	ATF_CHECK(packet_open(p, len, pk));
	ATF_CHECK_EQ(0, memcmp(plain, p, len));
	if (json_object_get(v, "verb") != NULL)
		ATF_CHECK_EQ(vectors_u64(v, "verb"), packet_verb(p));
	free(p);
	free(plain);
}

/* The worlds inside OK(HELLO) end where their length says. */
static void
check_ok_hello(json_t *v, struct packet_keys *pk, json_t *session)
{
	char			 text[INET_TEXT];
	struct inet_addr	 seen;
	struct world		 w;
	struct rbuf		 rb, worlds;
	uint8_t			*plain;
	size_t			 len;

	check_sealed(v, pk);
	plain = vectors_hex_alloc(vectors_get(v, "plain"), &len);
	check_fields(vectors_get(v, "fields"), plain, len);
	rbuf_init(&rb, plain + 50, len - 50);
	inet_get(&rb, &seen);
	ATF_CHECK_STREQ(vectors_str(v, "to_endpoint"),
	    inet_format(text, &seen));
	rbuf_sub(&rb, &worlds, rbuf_u16(&rb));
	ATF_CHECK(rbuf_done(&rb));
	while (worlds.rb_left > 0) {
		world_get(&worlds, &w);
		ATF_CHECK_EQ(WORLD_MOON, w.w_type);
		ATF_REQUIRE(json_object_get(session, "moon") != NULL);
		ATF_CHECK(strstr(vectors_str(v, "plain"),
		    vectors_str(session, "moon")) != NULL);
	}
	ATF_CHECK(rbuf_done(&worlds));
	free(plain);
}

ATF_TC_WITHOUT_HEAD(sessions);
ATF_TC_BODY(sessions, tc)
{
	struct packet_keys	 pk;
	json_t			*root, *v, *later;
	size_t			 i, k;

	root = vectors_load(tc, "packet-armor.json");
	json_array_foreach(vectors_array(root, "sessions"), i, v) {
		load_keys(v, "a_secret", "b_secret", &pk);
		check_hello(vectors_get(v, "hello_from_a"), &pk);
		check_hello(vectors_get(v, "hello_from_b"), &pk);
		check_ok_hello(vectors_get(v, "ok_hello_from_a"), &pk, v);
		check_ok_hello(vectors_get(v, "ok_hello_from_b"), &pk, v);
		json_array_foreach(vectors_array(v, "later"), k, later)
			check_sealed(later, &pk);
		packet_keys_clear(&pk);
	}
	json_decref(root);
}

/* The counts of section 12.1, at and around the edges. */
/*
 * Pieces of one size: as many as before, all equal but for some bytes of the
 * last, and the packet is in them; so it is when cut without a copy.
 */
ATF_TC_WITHOUT_HEAD(fragments_even);
ATF_TC_BODY(fragments_even, tc)
{
	uint8_t		 p[PACKET_MAX], here[PACKET_MAX], out[PACKET_MAX];
	uint8_t		 back[PACKET_MAX], *at;
	size_t		 len, mtu, even, dlen, got, last;
	unsigned	 k, total;

	(void)tc;
	for (len = 0; len < sizeof(p); len++)
		p[len] = (uint8_t)(len * 7 + (len >> 8));
	for (len = PACKET_MIN; len <= sizeof(p); len += len % 13 + 1) {
		for (mtu = 500; mtu <= 1500; mtu += 37) {
			total = packet_fragments(len, mtu);
			even = packet_even(len, mtu);
			ATF_REQUIRE(even <= mtu);
			ATF_REQUIRE_EQ(packet_fragments(len, even), total);
			memcpy(here, p, len);
			got = total == 1 ? len : even;
			memcpy(back, p, got);
			last = got;
			for (k = 1; k < total; k++) {
				ATF_REQUIRE(last == even);
				last = dlen = packet_fragment_here(&at, here,
				    len, even, k, total);
				ATF_REQUIRE_EQ(dlen, packet_fragment(out, p,
				    len, even, k, total));
				ATF_REQUIRE(memcmp(at, out, dlen) == 0);
				memcpy(back + got, at + FRAGMENT_HDR,
				    dlen - FRAGMENT_HDR);
				got += dlen - FRAGMENT_HDR;
			}
			ATF_REQUIRE_EQ(got, len);
			ATF_REQUIRE(memcmp(back, p, len) == 0);
			ATF_REQUIRE(total == 1 || even - last < total);
		}
	}
	/* A full frame of the usual MTU, and the datagrams' usual limit. */
	ATF_CHECK_EQ(packet_even(2838, 1432), 1427);
}

ATF_TC_WITHOUT_HEAD(fragment_counts);
ATF_TC_BODY(fragment_counts, tc)
{
	static uint8_t	p[PACKET_MAX], out[PAYLOAD_MTU];
	size_t		len, mtu, sum;
	unsigned	k, total;

	(void)tc;
	ATF_CHECK_EQ(1, packet_fragments(28, 1432));
	ATF_CHECK_EQ(1, packet_fragments(1432, 1432));
	ATF_CHECK_EQ(2, packet_fragments(1433, 1432));
	ATF_CHECK_EQ(2, packet_fragments(1432 + 1416, 1432));
	ATF_CHECK_EQ(3, packet_fragments(1432 + 1417, 1432));
	ATF_CHECK_EQ(7, packet_fragments(9928, 1432));
	ATF_CHECK_EQ(8, packet_fragments(9929, 1432));
	ATF_CHECK_EQ(7, packet_fragments(9704, 1400));
	ATF_CHECK_EQ(8, packet_fragments(9705, 1400));
	for (mtu = 1400; mtu <= PAYLOAD_MTU; mtu += 8) {
		for (len = 28; len <= PACKET_MAX; len += 97) {
			total = packet_fragments(len, mtu);
			sum = len < mtu ? len : mtu;
			for (k = 1; k < total; k++)
				sum += packet_fragment(out, p, len, mtu, k,
				    total) - FRAGMENT_HDR;
			ATF_REQUIRE_EQ(len, sum);
		}
	}
}

ATF_TC_WITHOUT_HEAD(verbs);
ATF_TC_BODY(verbs, tc)
{
	(void)tc;
	ATF_CHECK_STREQ("NOP", verb_name(VERB_NOP));
	ATF_CHECK_STREQ("EXT_FRAME", verb_name(VERB_EXT_FRAME));
	ATF_CHECK_STREQ("PATH_NEGOTIATION_REQUEST", verb_name(0x16));
	ATF_CHECK_STREQ("UNKNOWN", verb_name(0x0f));
	ATF_CHECK_STREQ("UNKNOWN", verb_name(0x1f));
	ATF_CHECK_STREQ("UNKNOWN", verb_name(0xff));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, packets);
	ATF_TP_ADD_TC(tp, altered);
	ATF_TP_ADD_TC(tp, suites);
	ATF_TP_ADD_TC(tp, trusted_path);
	ATF_TP_ADD_TC(tp, lz4);
	ATF_TP_ADD_TC(tp, lz4_blocks);
	ATF_TP_ADD_TC(tp, fragmentation);
	ATF_TP_ADD_TC(tp, sessions);
	ATF_TP_ADD_TC(tp, fragments_even);
	ATF_TP_ADD_TC(tp, fragment_counts);
	ATF_TP_ADD_TC(tp, verbs);
	return (atf_no_error());
}
