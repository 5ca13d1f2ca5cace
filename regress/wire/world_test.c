/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Worlds and endpoints against vectors/world.json.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/hex.h"
#include "common/world.h"
#include "regress/lib/vectors.h"

/* Read a world that must be fine; returns the bytes consumed. */
static size_t
load(json_t *v, const char *key, struct world *w)
{
	struct rbuf	 rb;
	uint8_t		*bin;
	size_t		 len, used;

	bin = vectors_hex_alloc(vectors_get(v, key), &len);
	rbuf_init(&rb, bin, len);
	world_get(&rb, w);
	ATF_CHECK(rbuf_ok(&rb));
	used = len - rb.rb_left;
	free(bin);
	return (used);
}

/* Write it, and compare with the member. */
static void
check_put(json_t *v, const char *key, const struct world *w)
{
	uint8_t		 out[WORLD_MAX], *bin;
	struct wbuf	 wb;
	size_t		 len;

	bin = vectors_hex_alloc(vectors_get(v, key), &len);
	wbuf_init(&wb, out, sizeof(out));
	world_put(&wb, w);
	ATF_CHECK(wbuf_ok(&wb));
	ATF_REQUIRE_EQ(len, wb.wb_len);
	ATF_CHECK_EQ(0, memcmp(bin, out, len));
	/* One byte less is too little room. */
	wbuf_init(&wb, out, len - 1);
	world_put(&wb, w);
	ATF_CHECK(!wbuf_ok(&wb));
	free(bin);
}

static void
check_root(json_t *v, const struct world_root *root)
{
	char		 text[IDENTITY_TEXT_PUBLIC];
	uint8_t		 bin[19], out[19];
	json_t		*list, *e;
	struct wbuf	 wb;
	size_t		 i, len;

	ATF_CHECK_STREQ(vectors_str(v, "identity"),
	    identity_format(text, &root->wr_identity, false));
	ATF_CHECK_STREQ(vectors_str(v, "address"),
	    addr_format(text, root->wr_identity.id_addr));
	list = vectors_get(v, "stable_endpoints");
	ATF_REQUIRE_EQ(json_array_size(list), root->wr_nendpoints);
	json_array_foreach(list, i, e) {
		ATF_CHECK_STREQ(vectors_str(e, "text"),
		    inet_format(text, &root->wr_endpoints[i]));
		len = vectors_hex(e, "binary", bin, sizeof(bin));
		wbuf_init(&wb, out, sizeof(out));
		inet_put(&wb, &root->wr_endpoints[i]);
		ATF_CHECK_EQ(len, wb.wb_len);
		ATF_CHECK_EQ(0, memcmp(bin, out, len));
	}
}

static void
check_parsed(json_t *v, const struct world *w)
{
	uint8_t	 key[SIGNATURE_LEN];
	json_t	*roots;
	size_t	 i;

	ATF_CHECK_EQ(vectors_u64(v, "type"), w->w_type);
	ATF_CHECK_EQ(vectors_hexu64(v, "id_hex"), w->w_id);
	ATF_CHECK_EQ(vectors_u64(v, "id_decimal"), w->w_id);
	ATF_CHECK_EQ(vectors_u64(v, "timestamp"), w->w_ts);
	vectors_hexn(v, "updates_must_be_signed_by", key, IDENTITY_KEYS);
	ATF_CHECK_EQ(0, memcmp(key, w->w_update_key, IDENTITY_KEYS));
	vectors_hexn(v, "signature", key, SIGNATURE_LEN);
	ATF_CHECK_EQ(0, memcmp(key, w->w_sig, SIGNATURE_LEN));
	roots = vectors_get(v, "roots");
	ATF_REQUIRE_EQ(json_array_size(roots), w->w_nroots);
	for (i = 0; i < w->w_nroots; i++) {
		check_root(json_array_get(roots, i), &w->w_roots[i]);
		ATF_CHECK_EQ(&w->w_roots[i],
		    world_find_root(w, &w->w_roots[i].wr_identity));
	}
}

/* The bytes given are those that were signed, by the key that verifies. */
static void
check_signed(json_t *v, const struct world *w, const uint8_t *key)
{
	uint8_t	*p;
	size_t	 len;

	p = vectors_hex_alloc(vectors_get(v, "signed_bytes"), &len);
	ATF_CHECK_EQ(world_verify(w, key),
	    keypair_verify(key, p, len, w->w_sig));
	free(p);
}

ATF_TC_WITHOUT_HEAD(default_planet);
ATF_TC_BODY(default_planet, tc)
{
	uint8_t		 bin[WORLD_DEFAULT_LEN], want[SHA512_LEN];
	uint8_t		 got[SHA512_LEN];
	struct world	 w;
	struct rbuf	 rb;
	json_t		*root, *v;

	ATF_REQUIRE_EQ(0, crypto_init());
	root = vectors_load(tc, "world.json");
	v = vectors_get(root, "default_planet");
	ATF_CHECK_EQ(vectors_u64(v, "length"), WORLD_DEFAULT_LEN);
	vectors_hexn(v, "binary", bin, sizeof(bin));
	ATF_CHECK_EQ(0, memcmp(bin, world_default, sizeof(bin)));
	vectors_hexn(v, "sha512", want, sizeof(want));
	crypto_sha512(got, world_default, WORLD_DEFAULT_LEN);
	ATF_CHECK_EQ(0, memcmp(want, got, sizeof(got)));

	rbuf_init(&rb, world_default, WORLD_DEFAULT_LEN);
	world_get(&rb, &w);
	ATF_CHECK(rbuf_done(&rb));
	check_parsed(vectors_get(v, "parsed"), &w);
	check_put(v, "binary", &w);
	ATF_CHECK_EQ(vectors_bool(v, "verifies_with_own_update_key"),
	    world_verify(&w, w.w_update_key));
	check_signed(v, &w, w.w_update_key);
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(worlds);
ATF_TC_BODY(worlds, tc)
{
	uint8_t		 pub[2][IDENTITY_KEYS], priv[2][IDENTITY_KEYS];
	struct world	 w, again;
	json_t		*root, *v;
	size_t		 i, k, good;

	ATF_REQUIRE_EQ(0, crypto_init());
	root = vectors_load(tc, "world.json");
	for (k = 0; k < 2; k++) {
		v = vectors_get(root, k == 0 ? "signing_key_1" :
		    "signing_key_2");
		vectors_hexn(v, "public", pub[k], IDENTITY_KEYS);
		vectors_hexn(v, "secret", priv[k], IDENTITY_KEYS);
	}
	json_array_foreach(vectors_array(root, "worlds"), i, v) {
		ATF_CHECK_EQ(strlen(vectors_str(v, "binary")) / 2,
		    load(v, "binary", &w));
		check_parsed(vectors_get(v, "parsed"), &w);
		check_put(v, "binary", &w);
		for (good = 0, k = 0; k < 2; k++) {
			check_signed(v, &w, pub[k]);
			if (!world_verify(&w, pub[k]))
				continue;
			/* Signing anew gives the same bytes. */
			good++;
			again = w;
			memset(again.w_sig, 0, sizeof(again.w_sig));
			world_sign(&again, pub[k], priv[k]);
			ATF_CHECK_EQ(0, memcmp(&w, &again, sizeof(w)));
		}
		ATF_CHECK_EQ_MSG(1, good, "%s", vectors_str(v, "name"));
	}
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(updates);
ATF_TC_BODY(updates, tc)
{
	struct world	 held, offered;
	json_t		*root, *v, *used;
	size_t		 i, n, dictionaries = 0;

	ATF_REQUIRE_EQ(0, crypto_init());
	root = vectors_load(tc, "world.json");
	json_array_foreach(vectors_array(root, "updates"), i, v) {
		(void)load(v, "current", &held);
		n = load(v, "update", &offered);
		if ((used = json_object_get(v, "consumed")) != NULL) {
			ATF_CHECK_EQ(json_integer_value(used), (json_int_t)n);
			dictionaries++;
		}
		ATF_CHECK_EQ_MSG(vectors_bool(v, "accept"),
		    world_replaces(&held, &offered), "%s",
		    vectors_str(v, "note"));
	}
	ATF_CHECK(dictionaries > 0);
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(unparsable);
ATF_TC_BODY(unparsable, tc)
{
	struct world	 w;
	struct rbuf	 rb;
	json_t		*root, *v;
	uint8_t		*bin;
	size_t		 i, len;

	root = vectors_load(tc, "world.json");
	json_array_foreach(vectors_array(root, "unparsable"), i, v) {
		bin = vectors_hex_alloc(vectors_get(v, "binary"), &len);
		rbuf_init(&rb, bin, len);
		world_get(&rb, &w);
		ATF_CHECK_MSG(!rbuf_ok(&rb), "%s", vectors_str(v, "reason"));
		ATF_CHECK_EQ(0, w.w_nroots);
		free(bin);
	}
	json_decref(root);
}

/* No beginning of a world is a world. */
ATF_TC_WITHOUT_HEAD(truncated);
ATF_TC_BODY(truncated, tc)
{
	struct world	 w;
	struct rbuf	 rb;
	json_t		*root, *v;
	uint8_t		*bin, *part;
	size_t		 i, k, len;

	root = vectors_load(tc, "world.json");
	json_array_foreach(vectors_array(root, "worlds"), i, v) {
		bin = vectors_hex_alloc(vectors_get(v, "binary"), &len);
		for (k = 0; k < len; k++) {
			ATF_REQUIRE((part = malloc(k == 0 ? 1 : k)) != NULL);
			memcpy(part, bin, k);
			rbuf_init(&rb, part, k);
			world_get(&rb, &w);
			ATF_CHECK(!rbuf_ok(&rb));
			free(part);
		}
		free(bin);
	}
	json_decref(root);
}

/* A private key in a root's identity is consumed and forgotten (16.3). */
ATF_TC_WITHOUT_HEAD(private_root);
ATF_TC_BODY(private_root, tc)
{
	uint8_t		 bin[WORLD_MAX], pub[IDENTITY_KEYS];
	uint8_t		 priv[IDENTITY_KEYS];
	struct world	 w, got;
	struct identity	*id = &w.w_roots[0].wr_identity;
	struct rbuf	 rb;
	struct wbuf	 wb;
	size_t		 i;

	(void)tc;
	ATF_REQUIRE_EQ(0, crypto_init());
	memset(&w, 0, sizeof(w));
	w.w_type = WORLD_PLANET;
	w.w_id = 7;
	w.w_nroots = 1;
	id->id_addr = 0x1234567890;
	keypair_generate(id->id_public, id->id_private);
	id->id_has_private = 1;
	keypair_generate(pub, priv);
	world_sign(&w, pub, priv);
	wbuf_init(&wb, bin, sizeof(bin));
	world_put(&wb, &w);
	/* Replace the last two bytes by the secret form's end. */
	wb.wb_len -= 2;
	wbuf_u8(&wb, IDENTITY_KEYS);
	wbuf_bytes(&wb, id->id_private, IDENTITY_KEYS);
	wbuf_u8(&wb, 0);
	ATF_REQUIRE(wbuf_ok(&wb));
	rbuf_init(&rb, bin, wb.wb_len);
	world_get(&rb, &got);
	ATF_CHECK(rbuf_done(&rb));
	ATF_CHECK(world_verify(&got, pub));
	ATF_CHECK_EQ(0, got.w_roots[0].wr_identity.id_has_private);
	for (i = 0; i < IDENTITY_KEYS; i++)
		ATF_CHECK_EQ(0, got.w_roots[0].wr_identity.id_private[i]);
}

/* Counts beyond the arrays are refused, not followed. */
ATF_TC_WITHOUT_HEAD(counts);
ATF_TC_BODY(counts, tc)
{
	uint8_t		bin[WORLD_MAX];
	struct world	w;
	struct wbuf	wb;

	(void)tc;
	ATF_REQUIRE_EQ(0, crypto_init());
	memset(&w, 0, sizeof(w));
	w.w_type = WORLD_MOON;
	w.w_nroots = WORLD_ROOTS + 1;
	wbuf_init(&wb, bin, sizeof(bin));
	world_put(&wb, &w);
	ATF_CHECK(!wbuf_ok(&wb));
	ATF_CHECK(!world_verify(&w, w.w_update_key));
	w.w_nroots = 1;
	w.w_roots[0].wr_nendpoints = WORLD_ENDPOINTS + 1;
	wbuf_init(&wb, bin, sizeof(bin));
	world_put(&wb, &w);
	ATF_CHECK(!wbuf_ok(&wb));
}

ATF_TC_WITHOUT_HEAD(endpoints);
ATF_TC_BODY(endpoints, tc)
{
	char			 text[INET_TEXT];
	uint8_t			 bin[19], out[19];
	struct inet_addr	 ia, back;
	struct rbuf		 rb;
	struct wbuf		 wb;
	const char		*s;
	json_t			*root, *v;
	size_t			 i, len;

	root = vectors_load(tc, "world.json");
	json_array_foreach(vectors_array(root, "endpoints"), i, v) {
		s = vectors_str(v, "text");
		len = vectors_hex(v, "binary", bin, sizeof(bin));
		/*
		 * The reference takes ports modulo 65536; a port that does
		 * not exist is an error here.
		 */
		if (strcmp(s, "1.2.3.4/70000") == 0) {
			ATF_CHECK_EQ(-1, inet_parse(s, &ia));
			ATF_CHECK(inet_isnil(&ia));
			continue;
		}
		ATF_REQUIRE_EQ_MSG(0, inet_parse(s, &ia), "%s", s);
		wbuf_init(&wb, out, sizeof(out));
		inet_put(&wb, &ia);
		ATF_CHECK_EQ(len, wb.wb_len);
		ATF_CHECK_EQ(0, memcmp(bin, out, len));
		rbuf_init(&rb, bin, len);
		inet_get(&rb, &back);
		ATF_CHECK(rbuf_done(&rb));
		ATF_CHECK_EQ(0, memcmp(&ia, &back, sizeof(ia)));
		ATF_CHECK_STREQ(vectors_str(v, "printed"),
		    inet_format(text, &ia));
	}
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(endpoint_parsing);
ATF_TC_BODY(endpoint_parsing, tc)
{
	struct inet_addr	 ia;
	struct rbuf		 rb;
	json_t			*root, *v;
	uint8_t			*bin;
	size_t			 i, k, len, used;

	root = vectors_load(tc, "world.json");
	json_array_foreach(vectors_array(root, "endpoint_parsing"), i, v) {
		bin = vectors_hex_alloc(vectors_get(v, "binary"), &len);
		used = (size_t)vectors_u64(v, "consumed");
		rbuf_init(&rb, bin, len);
		inet_get(&rb, &ia);
		ATF_CHECK(rbuf_ok(&rb));
		ATF_CHECK_EQ_MSG(used, len - rb.rb_left, "%s",
		    vectors_str(v, "note"));
		ATF_CHECK_EQ(vectors_bool(v, "nil"), inet_isnil(&ia));
		/*
		 * The reference skips types 1 to 3 without a look whether
		 * they are all there; we look (02 section 3.1).
		 */
		for (k = 0; k < used; k++) {
			rbuf_init(&rb, bin, k);
			inet_get(&rb, &ia);
			ATF_CHECK(!rbuf_ok(&rb));
			ATF_CHECK(inet_isnil(&ia));
		}
		free(bin);
	}
	json_decref(root);
}

/* Sign what the tool signed, with its key and time: the file it wrote. */
static void
check_tool(json_t *v, const char *file, const char *when, uint8_t type)
{
	uint8_t		 pub[IDENTITY_KEYS], priv[IDENTITY_KEYS];
	struct world	 w, made;
	json_t		*gen, *roots, *list;
	const char	*s;
	size_t		 i, k;

	gen = vectors_get(v, "gen_json");
	memset(&made, 0, sizeof(made));
	made.w_type = type;
	made.w_id = vectors_hexu64(gen, "id");
	made.w_ts = vectors_u64(v, when);
	vectors_hexn(gen, "updatesMustBeSignedBy", made.w_update_key,
	    IDENTITY_KEYS);
	roots = vectors_array(gen, "roots");
	for (i = 0; i < json_array_size(roots); i++, made.w_nroots++) {
		s = vectors_str(json_array_get(roots, i), "identity");
		ATF_REQUIRE_EQ(IDENTITY_OK, identity_parse(
		    &made.w_roots[i].wr_identity, s, strlen(s)));
		list = vectors_array(json_array_get(roots, i),
		    "stableEndpoints");
		for (k = 0; k < json_array_size(list); k++)
			ATF_REQUIRE_EQ(0, inet_parse(json_string_value(
			    json_array_get(list, k)),
			    &made.w_roots[i].wr_endpoints[k]));
		made.w_roots[i].wr_nendpoints = (unsigned)k;
	}
	vectors_hexn(gen, "signingKey", pub, sizeof(pub));
	vectors_hexn(gen, "signingKey_SECRET", priv, sizeof(priv));
	world_sign(&made, pub, priv);
	check_put(v, file, &made);
	(void)load(v, file, &w);
	ATF_CHECK(world_verify(&w, pub));
}

ATF_TC_WITHOUT_HEAD(moon_tool);
ATF_TC_BODY(moon_tool, tc)
{
	char		 name[NWID_TEXT + 5];
	struct world	 w;
	json_t		*root, *v;

	ATF_REQUIRE_EQ(0, crypto_init());
	root = vectors_load(tc, "world.json");
	v = vectors_get(root, "moon_tool");
	check_tool(v, "moon_file", "timestamp", WORLD_MOON);
	check_tool(v, "planet_file_from_same_json_with_worldType_planet",
	    "planet_timestamp", WORLD_PLANET);
	(void)load(v, "moon_file", &w);
	nwid_format(name, w.w_id);
	strlcat(name, ".moon", sizeof(name));
	ATF_CHECK_STREQ(vectors_str(v, "file_name"), name);

	ATF_CHECK_EQ(strlen(vectors_str(root, "session_planet")) / 2,
	    load(root, "session_planet", &w));
	check_put(root, "session_planet", &w);
	ATF_CHECK_EQ(WORLD_PLANET, w.w_type);
	json_decref(root);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, default_planet);
	ATF_TP_ADD_TC(tp, worlds);
	ATF_TP_ADD_TC(tp, updates);
	ATF_TP_ADD_TC(tp, unparsable);
	ATF_TP_ADD_TC(tp, truncated);
	ATF_TP_ADD_TC(tp, private_root);
	ATF_TP_ADD_TC(tp, counts);
	ATF_TP_ADD_TC(tp, endpoints);
	ATF_TP_ADD_TC(tp, endpoint_parsing);
	ATF_TP_ADD_TC(tp, moon_tool);
	return (atf_no_error());
}
