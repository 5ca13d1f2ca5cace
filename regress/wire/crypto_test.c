/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Cryptographic building blocks, signatures, key agreement and HELLO's tail
 * against vectors/crypto.json.
 */

#include <sys/types.h>
#include <sys/wait.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "common/crypto.h"
#include "common/identity.h"
#include "common/packet.h"
#include "regress/lib/vectors.h"

/* Bytes of a hex member in fresh memory; free() them. */
static uint8_t *
bytes(json_t *v, const char *key, size_t *len)
{
	return (vectors_hex_alloc(vectors_get(v, key), len));
}

/* What was computed is what the vector's member says. */
static void
check(json_t *v, const char *key, const void *got, size_t len)
{
	uint8_t	*want;
	size_t	 wlen;

	want = bytes(v, key, &wlen);
	ATF_REQUIRE_EQ_MSG(wlen, len, "%s: %zu and %zu bytes", key, wlen,
	    len);
	ATF_CHECK_MSG(memcmp(want, got, len) == 0, "%s differs", key);
	free(want);
}

ATF_TC_WITHOUT_HEAD(hash);
ATF_TC_BODY(hash, tc)
{
	uint8_t	 out[SHA512_LEN], *msg;
	json_t	*root, *v;
	size_t	 i, len;

	ATF_REQUIRE_EQ(0, crypto_init());
	root = vectors_load(tc, "crypto.json");
	json_array_foreach(vectors_array(root, "hash"), i, v) {
		msg = bytes(v, "message", &len);
		crypto_sha512(out, msg, len);
		check(v, "sha512", out, SHA512_LEN);
		crypto_sha384(out, msg, len);
		check(v, "sha384", out, SHA384_LEN);
		free(msg);
	}
	json_decref(root);
}

/* Both libraries' SHA-512, about where one takes over from the other. */
ATF_TC_WITHOUT_HEAD(hash_long);
ATF_TC_BODY(hash_long, tc)
{
	uint8_t	 out[SHA512_LEN], want[SHA512_LEN], msg[3000];
	size_t	 len;

	(void)tc;
	ATF_REQUIRE_EQ(0, crypto_init());
	for (len = 0; len < sizeof(msg); len++)
		msg[len] = (uint8_t)(len * 7 + len / 256);
	for (len = 0; len <= sizeof(msg); len += len < 1400 ? 1 : 100) {
		crypto_sha512(out, msg, len);
		crypto_hash_sha512(want, msg, len);
		ATF_CHECK_MSG(memcmp(out, want, sizeof(out)) == 0,
		    "%zu bytes", len);
	}
}

ATF_TC_WITHOUT_HEAD(salsa20);
ATF_TC_BODY(salsa20, tc)
{
	uint8_t	 key[32], nonce[8], ks[1024], part[1024];
	json_t	*root, *v;
	size_t	 i, k, len, rounds12 = 0, rounds20 = 0;

	ATF_REQUIRE_EQ(0, crypto_init());
	root = vectors_load(tc, "crypto.json");
	json_array_foreach(vectors_array(root, "salsa20"), i, v) {
		vectors_hexn(v, "key", key, sizeof(key));
		vectors_hexn(v, "nonce", nonce, sizeof(nonce));
		len = vectors_hex(v, "keystream", part, sizeof(part));
		if (vectors_u64(v, "rounds") == 20) {
			/* For the identity hash, straight from the library. */
			ATF_REQUIRE_EQ(0, crypto_stream_salsa20(ks, len,
			    nonce, key));
			rounds20++;
		} else {
			ATF_REQUIRE_EQ(12, vectors_u64(v, "rounds"));
			crypto_salsa2012(ks, len, key, nonce);
			rounds12++;
			memset(part, 0x5a, len);
			crypto_salsa2012_xor(part, len, key, nonce);
			for (k = 0; k < len; k++)
				ATF_REQUIRE_EQ(ks[k] ^ 0x5a, part[k]);
		}
		check(v, "keystream", ks, len);
		check(v, "offset64", ks + 64, len - 64);
	}
	ATF_CHECK(rounds12 > 0 && rounds20 > 0);
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(poly1305);
ATF_TC_BODY(poly1305, tc)
{
	uint8_t	 key[32], tag[16], *msg;
	json_t	*root, *v;
	size_t	 i, len;

	ATF_REQUIRE_EQ(0, crypto_init());
	root = vectors_load(tc, "crypto.json");
	json_array_foreach(vectors_array(root, "poly1305"), i, v) {
		vectors_hexn(v, "key", key, sizeof(key));
		msg = bytes(v, "message", &len);
		crypto_poly1305(tag, key, msg, len);
		check(v, "tag", tag, sizeof(tag));
		free(msg);
	}
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(hmac_sha384);
ATF_TC_BODY(hmac_sha384, tc)
{
	uint8_t	 key[KEY48_LEN], mac[SHA384_LEN], *msg;
	json_t	*root, *v;
	size_t	 i, len;

	ATF_REQUIRE_EQ(0, crypto_init());
	root = vectors_load(tc, "crypto.json");
	json_array_foreach(vectors_array(root, "hmac_sha384"), i, v) {
		vectors_hexn(v, "key", key, sizeof(key));
		msg = bytes(v, "message", &len);
		crypto_hmac_sha384(mac, key, msg, len);
		check(v, "mac", mac, sizeof(mac));
		free(msg);
	}
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(kbkdf);
ATF_TC_BODY(kbkdf, tc)
{
	uint8_t	 key[KEY48_LEN], out[SHA384_LEN], mac[SHA384_LEN], *msg;
	json_t	*root, *v;
	size_t	 i, len, keys = 0;

	ATF_REQUIRE_EQ(0, crypto_init());
	root = vectors_load(tc, "crypto.json");
	json_array_foreach(vectors_array(root, "kbkdf"), i, v) {
		vectors_hexn(v, "key", key, sizeof(key));
		crypto_kbkdf(out, key, (uint8_t)vectors_u64(v, "label"),
		    (uint8_t)vectors_u64(v, "context"),
		    (uint32_t)vectors_u64(v, "iter"));
		check(v, "output", out, sizeof(out));
		msg = bytes(v, "message", &len);
		crypto_hmac_sha384(mac, key, msg, len);
		ATF_CHECK_EQ(0, memcmp(mac, out, sizeof(out)));
		free(msg);
		if (json_object_get(v, "aes_key") != NULL) {
			check(v, "aes_key", out, KEY32_LEN);
			keys++;
		}
	}
	ATF_CHECK(keys > 0);
	json_decref(root);
}

static void
parse(json_t *v, const char *key, struct identity *id)
{
	const char	*text = vectors_str(v, key);

	ATF_REQUIRE_EQ(IDENTITY_OK, identity_parse(id, text, strlen(text)));
	ATF_REQUIRE(id->id_has_private);
}

ATF_TC_WITHOUT_HEAD(key_agreement);
ATF_TC_BODY(key_agreement, tc)
{
	uint8_t		 k[KEY48_LEN], k2[KEY48_LEN], raw[32];
	uint8_t		 digest[SHA512_LEN], k0[SHA384_LEN], k1[SHA384_LEN];
	struct identity	 a, b;
	json_t		*root, *v;
	size_t		 i;

	ATF_REQUIRE_EQ(0, crypto_init());
	root = vectors_load(tc, "crypto.json");
	json_array_foreach(vectors_array(root, "key_agreement"), i, v) {
		parse(v, "a_secret", &a);
		parse(v, "b_secret", &b);
		ATF_CHECK_EQ(0, identity_agree(&a, &b, k));
		ATF_CHECK_EQ(0, identity_agree(&b, &a, k2));
		check(v, "key48", k, sizeof(k));
		check(v, "key48", k2, sizeof(k2));
		ATF_CHECK_EQ(0, crypto_scalarmult_curve25519(raw,
		    a.id_private, b.id_public));
		check(v, "x25519", raw, sizeof(raw));
		crypto_sha512(digest, raw, sizeof(raw));
		check(v, "sha512", digest, sizeof(digest));
		crypto_kbkdf(k0, k, '0', 0, 0);
		check(v, "k0", k0, KEY32_LEN);
		crypto_kbkdf(k1, k, '1', 0, 0);
		check(v, "k1", k1, KEY32_LEN);

		/* X25519 ignores the top bit of the public key ... */
		b.id_public[31] ^= 0x80;
		ATF_CHECK_EQ(0, identity_agree(&a, &b, k2));
		ATF_CHECK_EQ(0, memcmp(k, k2, sizeof(k)));
		/* ... and low-order points, which the reference takes, are
		 * refused here (section 7). */
		memset(b.id_public, 0, 32);
		ATF_CHECK_EQ(-1, identity_agree(&a, &b, k2));
		b.id_public[0] = 1;
		ATF_CHECK_EQ(-1, identity_agree(&a, &b, k2));
	}
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(signatures);
ATF_TC_BODY(signatures, tc)
{
	uint8_t		 again[SIGNATURE_LEN], *msg, *sig;
	struct identity	 id;
	bool		 valid, strict;
	json_t		*root, *v, *private;
	size_t		 i, len, siglen, nsigned = 0, nstrict = 0;

	ATF_REQUIRE_EQ(0, crypto_init());
	root = vectors_load(tc, "crypto.json");
	json_array_foreach(vectors_array(root, "signatures"), i, v) {
		memset(&id, 0, sizeof(id));
		vectors_hexn(v, "signer_public_key", id.id_public,
		    IDENTITY_KEYS);
		msg = bytes(v, "message", &len);
		sig = bytes(v, "signature", &siglen);
		valid = vectors_bool(v, "valid");
		strict = vectors_bool(v, "strict_may_reject");
		/*
		 * S beyond the group's order: the reference accepts it, we
		 * do not (section 6).
		 */
		if (strict)
			nstrict++;
		ATF_CHECK_EQ_MSG(valid && !strict, identity_verify(&id, msg,
		    len, sig, siglen), "%s", vectors_str(v, "note"));

		private = json_object_get(v, "signer_private_key");
		if (json_is_string(private) && valid && !strict) {
			vectors_hexn(v, "signer_private_key", id.id_private,
			    IDENTITY_KEYS);
			identity_sign(&id, msg, len, again);
			check(v, "signature", again, sizeof(again));
			nsigned++;
		}
		free(msg);
		free(sig);
	}
	ATF_CHECK(nsigned > 0 && nstrict > 0);
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(keypair);
ATF_TC_BODY(keypair, tc)
{
	uint8_t	pub[IDENTITY_KEYS], priv[IDENTITY_KEYS], sig[SIGNATURE_LEN];
	size_t	i;

	(void)tc;
	ATF_REQUIRE_EQ(0, crypto_init());
	keypair_generate(pub, priv);
	keypair_sign(pub, priv, "text", 4, sig);
	ATF_CHECK(keypair_verify(pub, "text", 4, sig));
	ATF_CHECK(!keypair_verify(pub, "tex", 3, sig));
	for (i = 0; i < sizeof(sig); i++) {
		sig[i] ^= 1;
		ATF_CHECK(!keypair_verify(pub, "text", 4, sig));
		sig[i] ^= 1;
	}
}

ATF_TC_WITHOUT_HEAD(aes);
ATF_TC_BODY(aes, tc)
{
	uint8_t	 key[32], iv[16], out[16], *p;
	json_t	*root, *v;
	size_t	 i, len;

	ATF_REQUIRE_EQ(0, crypto_init());
	root = vectors_load(tc, "crypto.json");
	json_array_foreach(vectors_array(root, "aes256_ecb"), i, v) {
		vectors_hexn(v, "key", key, sizeof(key));
		vectors_hexn(v, "block", iv, sizeof(iv));
		crypto_aes_block(out, key, iv);
		check(v, "encrypted", out, sizeof(out));
	}
	json_array_foreach(vectors_array(root, "aes_ctr"), i, v) {
		vectors_hexn(v, "key", key, sizeof(key));
		vectors_hexn(v, "iv", iv, sizeof(iv));
		p = bytes(v, "plaintext", &len);
		crypto_aes_ctr(p, len, key, iv);
		check(v, "ciphertext", p, len);
		free(p);
	}
	json_array_foreach(vectors_array(root, "gmac"), i, v) {
		vectors_hexn(v, "key", key, sizeof(key));
		vectors_hexn(v, "iv", iv, 12);
		p = bytes(v, "data", &len);
		crypto_gmac(out, key, iv, p, len);
		check(v, "tag", out, sizeof(out));
		free(p);
	}
	json_decref(root);
}

/* The steps between, each from the vector's value of the step before. */
static void
check_siv_steps(json_t *v, const uint8_t *k0, const uint8_t *k1)
{
	uint8_t	 iv[12], tag[16], siv[16], fold[8], *p;
	size_t	 len, i;

	vectors_hexn(v, "gmac_iv", iv, sizeof(iv));
	p = bytes(v, "gmac_input", &len);
	crypto_gmac(tag, k0, iv, p, len);
	check(v, "gmac_tag", tag, sizeof(tag));
	free(p);
	for (i = 0; i < 8; i++)
		fold[i] = tag[i] ^ tag[8 + i];
	check(v, "folded", fold, sizeof(fold));
	vectors_hexn(v, "siv_plain", siv, sizeof(siv));
	ATF_CHECK_EQ(0, memcmp(siv, iv, 8));
	ATF_CHECK_EQ(0, memcmp(siv + 8, fold, 8));
	crypto_aes_block(tag, k1, siv);
	check(v, "siv", tag, sizeof(tag));
	ATF_CHECK_EQ(vectors_bool(v, "ctr_bit_was_set"),
	    (tag[12] & 0x80) != 0);
	tag[12] &= 0x7f;
	check(v, "ctr_iv", tag, sizeof(tag));
	p = bytes(v, "plaintext", &len);
	crypto_aes_ctr(p, len, k1, tag);
	check(v, "ciphertext", p, len);
	free(p);
}

ATF_TC_WITHOUT_HEAD(gmac_siv);
ATF_TC_BODY(gmac_siv, tc)
{
	uint8_t		 k0[32], k1[32], iv[8], tag[16], *aad, *p;
	struct siv	*s;
	json_t		*root, *v;
	size_t		 i, len, aadlen, round;

	ATF_REQUIRE_EQ(0, crypto_init());
	root = vectors_load(tc, "crypto.json");
	json_array_foreach(vectors_array(root, "gmac_siv"), i, v) {
		vectors_hexn(v, "k0", k0, sizeof(k0));
		vectors_hexn(v, "k1", k1, sizeof(k1));
		vectors_hexn(v, "iv", iv, sizeof(iv));
		aad = bytes(v, "aad", &aadlen);
		p = bytes(v, "plaintext", &len);
		check_siv_steps(v, k0, k1);
		ATF_REQUIRE((s = siv_new(k0, k1)) != NULL);
		/* A context that was used before must do the same again. */
		for (round = 0; round < 2; round++) {
			siv_seal(s, tag, iv, aad, aadlen, p, len);
			check(v, "siv", tag, sizeof(tag));
			check(v, "ciphertext", p, len);
			ATF_CHECK(siv_open(s, tag, aad, aadlen, p, len));
			check(v, "plaintext", p, len);
		}
		siv_free(s);
		free(aad);
		free(p);
	}
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(gmac_siv_bad);
ATF_TC_BODY(gmac_siv_bad, tc)
{
	uint8_t		 k0[32], k1[32], tag[16], *aad, *p;
	struct siv	*s;
	json_t		*root, *v;
	size_t		 i, len, aadlen;

	ATF_REQUIRE_EQ(0, crypto_init());
	root = vectors_load(tc, "crypto.json");
	json_array_foreach(vectors_array(root, "gmac_siv_bad"), i, v) {
		vectors_hexn(v, "k0", k0, sizeof(k0));
		vectors_hexn(v, "k1", k1, sizeof(k1));
		vectors_hexn(v, "siv", tag, sizeof(tag));
		aad = bytes(v, "aad", &aadlen);
		p = bytes(v, "ciphertext", &len);
		ATF_REQUIRE((s = siv_new(k0, k1)) != NULL);
		ATF_CHECK_MSG(!siv_open(s, tag, aad, aadlen, p, len), "%s",
		    vectors_str(v, "reason"));
		siv_free(s);
		free(aad);
		free(p);
	}
	siv_free(NULL);
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(hello_tail);
ATF_TC_BODY(hello_tail, tc)
{
	uint8_t	 key[KEY48_LEN], id[8], *p;
	json_t	*root, *v;
	size_t	 i, len;

	ATF_REQUIRE_EQ(0, crypto_init());
	root = vectors_load(tc, "crypto.json");
	json_array_foreach(vectors_array(root, "hello_field_crypt"), i, v) {
		memset(key, 0xee, sizeof(key));
		vectors_hexn(v, "key", key, KEY32_LEN);
		vectors_hexn(v, "packet_id", id, sizeof(id));
		p = bytes(v, "plaintext", &len);
		packet_hello_crypt(id, p, len, key);
		check(v, "ciphertext", p, len);
		packet_hello_crypt(id, p, len, key);
		check(v, "plaintext", p, len);
		/* The lowest three bits of the id take no part. */
		id[7] &= 0xf8;
		check(v, "iv", id, sizeof(id));
		packet_hello_crypt(id, p, len, key);
		check(v, "ciphertext", p, len);
		free(p);
	}
	json_decref(root);
}

/* No two small draws are equal, in one process or across a fork. */
ATF_TC_WITHOUT_HEAD(random);
ATF_TC_BODY(random, tc)
{
	uint64_t	mine, theirs, seen[512];
	size_t		i, k;
	int		fd[2], status;
	pid_t		pid;

	(void)tc;
	ATF_REQUIRE_EQ(0, crypto_init());
	ATF_REQUIRE_EQ(0, crypto_init());
	for (i = 0; i < 512; i++) {
		crypto_random(&seen[i], sizeof(seen[i]));
		for (k = 0; k < i; k++)
			ATF_REQUIRE(seen[k] != seen[i]);
	}
	crypto_random(&mine, sizeof(mine));
	ATF_REQUIRE_EQ(0, pipe(fd));
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		crypto_random(&theirs, sizeof(theirs));
		_exit(write(fd[1], &theirs, sizeof(theirs)) !=
		    sizeof(theirs));
	}
	crypto_random(&mine, sizeof(mine));
	ATF_REQUIRE_EQ((ssize_t)sizeof(theirs),
	    read(fd[0], &theirs, sizeof(theirs)));
	ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
	ATF_CHECK(mine != theirs);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, hash);
	ATF_TP_ADD_TC(tp, hash_long);
	ATF_TP_ADD_TC(tp, salsa20);
	ATF_TP_ADD_TC(tp, poly1305);
	ATF_TP_ADD_TC(tp, hmac_sha384);
	ATF_TP_ADD_TC(tp, kbkdf);
	ATF_TP_ADD_TC(tp, key_agreement);
	ATF_TP_ADD_TC(tp, signatures);
	ATF_TP_ADD_TC(tp, keypair);
	ATF_TP_ADD_TC(tp, aes);
	ATF_TP_ADD_TC(tp, gmac_siv);
	ATF_TP_ADD_TC(tp, gmac_siv_bad);
	ATF_TP_ADD_TC(tp, hello_tail);
	ATF_TP_ADD_TC(tp, random);
	return (atf_no_error());
}
