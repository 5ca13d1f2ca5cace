/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * AES-GMAC-SIV by another library than libcrypto: the same, or not used.
 * Spec: 01 section 9.4.
 */

#include <stdlib.h>
#include <string.h>

#include <atf-c.h>

#include "common/siv_way.h"

#define LONGEST	10024

static const uint8_t	 k0[KEY32_LEN] = { 1, 2, 3 }, k1[KEY32_LEN] = { 9 };
static const uint8_t	 aad[11] = { 7, 6, 5, 4 };

/* Sealed by both, opened by the other, at every length and alignment. */
static void
same(struct siv *a, struct siv *b)
{
	static uint8_t	 mem[3][LONGEST + 64], text[LONGEST];
	uint8_t		*p, *q, tag[16], tag2[16];
	size_t		 n, i;

	for (i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 31 + (i >> 8));
	for (n = 0; n <= LONGEST; n += n < 300 ? 1 : 97) {
		p = mem[0] + n % 61;
		q = mem[1] + n % 37;
		memcpy(p, text, n);
		memcpy(q, text, n);
		siv_seal(a, tag, text + n % 50, aad, sizeof(aad), p, n);
		siv_seal(b, tag2, text + n % 50, aad, sizeof(aad), q, n);
		ATF_REQUIRE(memcmp(tag, tag2, sizeof(tag)) == 0);
		ATF_REQUIRE(memcmp(p, q, n) == 0);
		ATF_REQUIRE(siv_open(b, tag, aad, sizeof(aad), p, n));
		ATF_REQUIRE(siv_open(a, tag, aad, sizeof(aad), q, n));
		ATF_REQUIRE(memcmp(p, text, n) == 0);
		ATF_REQUIRE(memcmp(q, text, n) == 0);
		tag[n % 16] ^= 0x10;
		ATF_REQUIRE(!siv_open(b, tag, aad, sizeof(aad), p, n));
	}
}

/* A way, where there is one, with two keys by turns. */
static void
agrees_by(const char *library, const struct siv_way *other)
{
	struct siv	*a, *b, *c, *d;

	if (other == NULL)
		atf_tc_skip("%s is not built in, or not for this processor",
		    library);
	ATF_REQUIRE((a = siv_new(k0, k1)) != NULL);
	ATF_REQUIRE((c = siv_new(k1, k0)) != NULL);
	ATF_REQUIRE(siv_use(other));
	ATF_CHECK(siv_used() == other);
	ATF_REQUIRE((b = siv_new(k0, k1)) != NULL);
	ATF_REQUIRE((d = siv_new(k1, k0)) != NULL);
	same(a, b);
	same(c, d);
	same(b, a);
	siv_free(a);
	siv_free(b);
	same(d, c);
	siv_free(c);
	siv_free(d);
}

ATF_TC_WITHOUT_HEAD(ipsec_mb);
ATF_TC_BODY(ipsec_mb, tc)
{
	(void)tc;
	ATF_REQUIRE_EQ(0, crypto_init());
	agrees_by("IPsec-MB", siv_mb());
}

/* With what libcrypto does beside it. */
ATF_TC_WITHOUT_HEAD(gcrypt);
ATF_TC_BODY(gcrypt, tc)
{
	(void)tc;
	ATF_REQUIRE_EQ(0, crypto_init());
	agrees_by("libgcrypt", siv_gcrypt(siv_used()));
}

/* Where the host demands FIPS mode: it makes no tag for us then. */
ATF_TC_WITHOUT_HEAD(gcrypt_fips);
ATF_TC_BODY(gcrypt_fips, tc)
{
	(void)tc;
	ATF_REQUIRE_EQ(0, setenv("LIBGCRYPT_FORCE_FIPS_MODE", "1", 1));
	ATF_REQUIRE_EQ(0, crypto_init());
	agrees_by("libgcrypt", siv_gcrypt(siv_used()));
}

/* Whatever this host has. */
ATF_TC_WITHOUT_HEAD(fastest);
ATF_TC_BODY(fastest, tc)
{
	struct siv	*a, *b;

	(void)tc;
	ATF_REQUIRE_EQ(0, crypto_init());
	ATF_REQUIRE((a = siv_new(k0, k1)) != NULL);
	ATF_CHECK(siv_use_fastest() == NULL);
	ATF_REQUIRE((b = siv_new(k0, k1)) != NULL);
	same(a, b);
	siv_free(a);
	siv_free(b);
}

/* A library whose CTR carries too far, and one without a key. */
static void
wrong_ctr(void *arg, const uint8_t ctr[16], uint8_t *p, size_t n)
{
	uint8_t	 other[16];
	size_t	 i;

	(void)arg;
	memcpy(other, ctr, sizeof(other));
	for (i = 0; i < n; i++)
		p[i] ^= other[i % 16];
}

static void
plain(void *arg, uint8_t out[16], const uint8_t in[16])
{
	(void)arg;
	memcpy(out, in, 16);
}

static void
no_mac(void *arg, uint8_t out[16], const uint8_t iv[12], const uint8_t *head,
    size_t headlen, const uint8_t *p, size_t n)
{
	(void)arg;
	(void)iv;
	(void)head;
	(void)headlen;
	(void)p;
	(void)n;
	memset(out, 0, 16);
}

static void *
nothing(const uint8_t a[KEY32_LEN], const uint8_t b[KEY32_LEN])
{
	(void)a;
	(void)b;
	return (calloc(1, 1));
}

static void *
no_memory(const uint8_t a[KEY32_LEN], const uint8_t b[KEY32_LEN])
{
	(void)a;
	(void)b;
	return (NULL);
}

ATF_TC_WITHOUT_HEAD(refused);
ATF_TC_BODY(refused, tc)
{
	struct siv_way	 bad = { nothing, free, no_mac, plain, plain,
		wrong_ctr, false };
	const struct siv_way	*before = siv_used();
	struct siv	*a, *b;

	(void)tc;
	ATF_REQUIRE_EQ(0, crypto_init());
	ATF_REQUIRE((a = siv_new(k0, k1)) != NULL);
	ATF_CHECK(!siv_use(&bad));
	bad.sw_new = no_memory;
	ATF_CHECK(!siv_use(&bad));
	/* What was there before still is. */
	ATF_CHECK(siv_used() == before);
	ATF_REQUIRE((b = siv_new(k0, k1)) != NULL);
	same(a, b);
	siv_free(a);
	siv_free(b);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, ipsec_mb);
	ATF_TP_ADD_TC(tp, gcrypt);
	ATF_TP_ADD_TC(tp, gcrypt_fips);
	ATF_TP_ADD_TC(tp, fastest);
	ATF_TP_ADD_TC(tp, refused);
	return (atf_no_error());
}
