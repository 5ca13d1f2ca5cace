/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The cryptographic building blocks of the protocol.
 * Spec: 01 sections 1, 7, 9.
 *
 * Salsa20, Poly1305 and SHA-512 are libsodium's, AES, the SHA-384 family and
 * SHA-512 of long texts are libcrypto's.  None of these calls fails but for
 * lack of memory or a library that is broken; then it is better to stop than
 * to let a packet go out unprotected.
 */

#include <limits.h>
#include <pthread.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/modes.h>
#include <openssl/params.h>
#include <sodium.h>

#include "common/crypto.h"
#include "common/log.h"
#include "common/siv_way.h"

/* Requests up to this are served from the pool: packet ids, nonces. */
#define POOL_REQUEST	16
#define AAD_ROOM	64	/* bytes of associated data; packets have 11 */
#define TRIAL_MAX	2900	/* a full frame's packet */
#define SHA512_LONG	512	/* bytes for which setting up libcrypto's,
				   which is quicker, is worth it */

static struct {
	EVP_CIPHER	*ecb;
	EVP_CIPHER	*ctr;
	EVP_MAC		*hmac;
	EVP_MD		*sha384;
	EVP_MD		*sha512;
	bool		 ready;
} lib;

/*
 * Random bytes drawn ahead, as packet ids are needed at a rate at which the
 * system call would show.  Bytes handed out are wiped.
 */
static _Thread_local struct {
	uint8_t		 bytes[1024];
	size_t		 left;
} pool;

static int		 fetch(void);
static bool		 self_test(void);
static void		 pool_drop(void);
static void		 must(int, const char *);
static EVP_CIPHER_CTX	*cipher_new(const EVP_CIPHER *, const uint8_t *,
			    int);
static void		 cipher_iv(EVP_CIPHER_CTX *, const uint8_t *);
static void		 cipher_update(EVP_CIPHER_CTX *, uint8_t *,
			    const uint8_t *, size_t);
static GCM128_CONTEXT	*gmac_new(EVP_CIPHER_CTX *);
static void		 gmac_start(GCM128_CONTEXT *, const uint8_t [12]);
static void		 gmac_add(GCM128_CONTEXT *, const uint8_t *, size_t);

int
crypto_init(void)
{
	if (lib.ready)
		return (0);
	if (sodium_init() == -1)
		return (-1);
	/* No configuration file: it could swap algorithms under us. */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return (-1);
	if (fetch() == -1)
		return (-1);
	/* A forked child must never hand out its parent's numbers. */
	if (pthread_atfork(NULL, NULL, pool_drop) != 0)
		return (-1);
	lib.ready = true;
	if (!self_test()) {
		lib.ready = false;
		return (-1);
	}
	return (0);
}

void
crypto_random(void *dst, size_t len)
{
	if (len > POOL_REQUEST || !lib.ready) {
		randombytes_buf(dst, len);
		return;
	}
	if (pool.left < len) {
		randombytes_buf(pool.bytes, sizeof(pool.bytes));
		pool.left = sizeof(pool.bytes);
	}
	pool.left -= len;
	memcpy(dst, pool.bytes + pool.left, len);
	memset(pool.bytes + pool.left, 0, len);
}

void
crypto_sha512(uint8_t out[SHA512_LEN], const void *p, size_t len)
{
	if (len < SHA512_LONG)
		(void)crypto_hash_sha512(out, p, len);
	else
		must(EVP_Digest(p, len, out, NULL, lib.sha512, NULL),
		    "SHA-512");
}

void
crypto_sha384(uint8_t out[SHA384_LEN], const void *p, size_t len)
{
	must(EVP_Digest(p, len, out, NULL, lib.sha384, NULL), "SHA-384");
}

void
crypto_hmac_sha384(uint8_t out[SHA384_LEN], const uint8_t key[KEY48_LEN],
    const void *p, size_t len)
{
	char		 name[] = "SHA384";
	OSSL_PARAM	 params[2];
	EVP_MAC_CTX	*ctx;
	size_t		 n;

	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
	    name, 0);
	params[1] = OSSL_PARAM_construct_end();
	ctx = EVP_MAC_CTX_new(lib.hmac);
	must(ctx != NULL && EVP_MAC_init(ctx, key, KEY48_LEN, params) &&
	    EVP_MAC_update(ctx, p, len) &&
	    EVP_MAC_final(ctx, out, &n, SHA384_LEN), "HMAC-SHA-384");
	EVP_MAC_CTX_free(ctx);
}

void
crypto_kbkdf(uint8_t out[SHA384_LEN], const uint8_t key[KEY48_LEN],
    uint8_t label, uint8_t context, uint32_t iter)
{
	uint8_t	msg[13] = { 0 };

	msg[0] = (uint8_t)(iter >> 24);
	msg[1] = (uint8_t)(iter >> 16);
	msg[2] = (uint8_t)(iter >> 8);
	msg[3] = (uint8_t)iter;
	msg[4] = 'Z';
	msg[5] = 'T';
	msg[6] = label;
	msg[8] = context;
	msg[11] = 0x01;		/* 0x180 bits follow */
	msg[12] = 0x80;
	crypto_hmac_sha384(out, key, msg, sizeof(msg));
}

void
crypto_salsa2012(uint8_t *out, size_t n, const uint8_t key[KEY32_LEN],
    const uint8_t nonce[8])
{
	(void)crypto_stream_salsa2012(out, n, nonce, key);
}

void
crypto_salsa2012_xor(uint8_t *p, size_t n, const uint8_t key[KEY32_LEN],
    const uint8_t nonce[8])
{
	(void)crypto_stream_salsa2012_xor(p, p, n, nonce, key);
}

void
crypto_poly1305(uint8_t out[16], const uint8_t key[KEY32_LEN],
    const void *p, size_t len)
{
	(void)crypto_onetimeauth_poly1305(out, p, len, key);
}

bool
crypto_equal(const void *a, const void *b, size_t len)
{
	return (CRYPTO_memcmp(a, b, len) == 0);
}

void
crypto_wipe(void *p, size_t len)
{
	sodium_memzero(p, len);
}

/*
 * libcrypto's way: contexts with their key schedules.  GCM fed with nothing
 * but associated data is GMAC.  What EVP puts around that costs as much as
 * hashing a packet, so the library's GHASH is used by itself; the one block
 * of AES that it needs comes from a context like any other.
 */
struct evp_keys {
	GCM128_CONTEXT	*ek_gmac;
	EVP_CIPHER_CTX	*ek_k0;		/* of the above, one block */
	EVP_CIPHER_CTX	*ek_enc;	/* K1, one block */
	EVP_CIPHER_CTX	*ek_dec;	/* K1, one block */
	EVP_CIPHER_CTX	*ek_ctr;	/* K1 */
};

static void
evp_free(void *arg)
{
	struct evp_keys	*ek = arg;

	/* Freeing a context wipes what it knows of the key. */
	CRYPTO_gcm128_release(ek->ek_gmac);
	EVP_CIPHER_CTX_free(ek->ek_k0);
	EVP_CIPHER_CTX_free(ek->ek_enc);
	EVP_CIPHER_CTX_free(ek->ek_dec);
	EVP_CIPHER_CTX_free(ek->ek_ctr);
	OPENSSL_free(ek);
}

static void *
evp_new(const uint8_t k0[KEY32_LEN], const uint8_t k1[KEY32_LEN])
{
	struct evp_keys	*ek;

	if ((ek = OPENSSL_zalloc(sizeof(*ek))) == NULL)
		return (NULL);
	if ((ek->ek_k0 = cipher_new(lib.ecb, k0, 1)) == NULL ||
	    (ek->ek_gmac = gmac_new(ek->ek_k0)) == NULL ||
	    (ek->ek_enc = cipher_new(lib.ecb, k1, 1)) == NULL ||
	    (ek->ek_dec = cipher_new(lib.ecb, k1, 0)) == NULL ||
	    (ek->ek_ctr = cipher_new(lib.ctr, k1, 1)) == NULL) {
		evp_free(ek);
		return (NULL);
	}
	return (ek);
}

static void
evp_gmac(void *arg, uint8_t out[16], const uint8_t iv[12],
    const uint8_t *head, size_t headlen, const uint8_t *p, size_t n)
{
	struct evp_keys	*ek = arg;

	gmac_start(ek->ek_gmac, iv);
	gmac_add(ek->ek_gmac, head, headlen);
	gmac_add(ek->ek_gmac, p, n);
	CRYPTO_gcm128_tag(ek->ek_gmac, out, 16);
}

static void
evp_encrypt(void *arg, uint8_t out[16], const uint8_t in[16])
{
	cipher_update(((struct evp_keys *)arg)->ek_enc, out, in, 16);
}

static void
evp_decrypt(void *arg, uint8_t out[16], const uint8_t in[16])
{
	cipher_update(((struct evp_keys *)arg)->ek_dec, out, in, 16);
}

static void
evp_ctr(void *arg, const uint8_t ctr[16], uint8_t *p, size_t n)
{
	struct evp_keys	*ek = arg;

	cipher_iv(ek->ek_ctr, ctr);
	cipher_update(ek->ek_ctr, p, p, n);
}

static const struct siv_way	 evp_way = {
	.sw_new = evp_new,
	.sw_free = evp_free,
	.sw_gmac = evp_gmac,
	.sw_encrypt = evp_encrypt,
	.sw_decrypt = evp_decrypt,
	.sw_ctr = evp_ctr
};

static const struct siv_way	*way = &evp_way;	/* of new ones */

struct siv {
	const struct siv_way	*s_way;
	void			*s_keys;
};

struct siv *
siv_new(const uint8_t k0[KEY32_LEN], const uint8_t k1[KEY32_LEN])
{
	struct siv	*s;

	if ((s = OPENSSL_zalloc(sizeof(*s))) == NULL)
		return (NULL);
	s->s_way = way;
	if ((s->s_keys = way->sw_new(k0, k1)) == NULL) {
		OPENSSL_free(s);
		return (NULL);
	}
	return (s);
}

void
siv_free(struct siv *s)
{
	if (s == NULL)
		return;
	s->s_way->sw_free(s->s_keys);
	OPENSSL_free(s);
}

/* Both halves of the tag over IV, padded associated data and text, XORed. */
static void
siv_fold(struct siv *s, uint8_t out[8], const uint8_t iv[8],
    const uint8_t *aad, size_t aadlen, const uint8_t *p, size_t n)
{
	uint8_t	iv12[12] = { 0 }, head[AAD_ROOM] = { 0 }, g[16];
	size_t	i;

	must(aadlen <= sizeof(head), "associated data");
	memcpy(iv12, iv, 8);
	memcpy(head, aad, aadlen);
	s->s_way->sw_gmac(s->s_keys, g, iv12, head, (aadlen + 15) / 16 * 16,
	    p, n);
	for (i = 0; i < 8; i++)
		out[i] = g[i] ^ g[8 + i];
}

/* CTR from the tag with the top bit of its 32-bit counter cleared. */
static void
siv_ctr(struct siv *s, const uint8_t tag[16], uint8_t *p, size_t n)
{
	uint8_t	ctr[16];

	if (n == 0)
		return;
	memcpy(ctr, tag, sizeof(ctr));
	ctr[12] &= 0x7f;
	s->s_way->sw_ctr(s->s_keys, ctr, p, n);
}

void
siv_seal(struct siv *s, uint8_t tag[16], const uint8_t iv[8],
    const uint8_t *aad, size_t aadlen, uint8_t *p, size_t n)
{
	uint8_t	block[16];

	memcpy(block, iv, 8);
	siv_fold(s, block + 8, iv, aad, aadlen, p, n);
	s->s_way->sw_encrypt(s->s_keys, tag, block);
	siv_ctr(s, tag, p, n);
}

bool
siv_open(struct siv *s, const uint8_t tag[16], const uint8_t *aad,
    size_t aadlen, uint8_t *p, size_t n)
{
	uint8_t	block[16], fold[8];

	siv_ctr(s, tag, p, n);
	s->s_way->sw_decrypt(s->s_keys, block, tag);
	siv_fold(s, fold, block, aad, aadlen, p, n);
	return (crypto_equal(fold, block + 8, sizeof(fold)));
}

/* What one way sealed, the other opens, at lengths of every kind. */
static bool
siv_agrees(struct siv *a, struct siv *b)
{
	uint8_t	text[TRIAL_MAX], p[TRIAL_MAX], tag[16], tag2[16], aad[11];
	size_t	n;

	randombytes_buf(text, sizeof(text));
	randombytes_buf(aad, sizeof(aad));
	for (n = 0; n <= sizeof(text); n += n < 130 ? 1 : 61) {
		memcpy(p, text, n);
		siv_seal(a, tag, text, aad, sizeof(aad), p, n);
		if (!siv_open(b, tag, aad, sizeof(aad), p, n) ||
		    memcmp(p, text, n) != 0)
			return (false);
		siv_seal(b, tag2, text, aad, sizeof(aad), p, n);
		if (memcmp(tag, tag2, sizeof(tag)) != 0)
			return (false);
		p[n / 2] ^= 1;
		if (n > 0 && siv_open(a, tag, aad, sizeof(aad), p, n))
			return (false);
	}
	return (true);
}

bool
siv_use(const struct siv_way *other)
{
	const struct siv_way	*before = way;
	uint8_t			 k0[KEY32_LEN], k1[KEY32_LEN];
	struct siv		*a, *b;
	bool			 ok;

	randombytes_buf(k0, sizeof(k0));
	randombytes_buf(k1, sizeof(k1));
	way = &evp_way;
	a = siv_new(k0, k1);
	way = other;
	b = siv_new(k0, k1);
	ok = a != NULL && b != NULL && siv_agrees(a, b);
	siv_free(a);
	siv_free(b);
	if (!ok)
		way = before;
	return (ok);
}

const struct siv_way *
siv_used(void)
{
	return (way);
}

void
crypto_gmac(uint8_t out[16], const uint8_t key[KEY32_LEN],
    const uint8_t iv[12], const void *p, size_t len)
{
	EVP_CIPHER_CTX	*ctx;
	GCM128_CONTEXT	*gmac;

	must((ctx = cipher_new(lib.ecb, key, 1)) != NULL, "AES");
	must((gmac = gmac_new(ctx)) != NULL, "GMAC");
	gmac_start(gmac, iv);
	gmac_add(gmac, p, len);
	CRYPTO_gcm128_tag(gmac, out, 16);
	CRYPTO_gcm128_release(gmac);
	EVP_CIPHER_CTX_free(ctx);
}

void
crypto_aes_block(uint8_t out[16], const uint8_t key[KEY32_LEN],
    const uint8_t in[16])
{
	EVP_CIPHER_CTX	*ctx;

	must((ctx = cipher_new(lib.ecb, key, 1)) != NULL, "AES");
	cipher_update(ctx, out, in, 16);
	EVP_CIPHER_CTX_free(ctx);
}

void
crypto_aes_ctr(uint8_t *p, size_t n, const uint8_t key[KEY32_LEN],
    const uint8_t ctr[16])
{
	EVP_CIPHER_CTX	*ctx;

	must((ctx = cipher_new(lib.ctr, key, 1)) != NULL, "AES");
	cipher_iv(ctx, ctr);
	if (n > 0)
		cipher_update(ctx, p, p, n);
	EVP_CIPHER_CTX_free(ctx);
}

/* Look each algorithm up once: later it costs locks and string compares. */
static int
fetch(void)
{
	lib.ecb = EVP_CIPHER_fetch(NULL, "AES-256-ECB", NULL);
	lib.ctr = EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL);
	lib.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	lib.sha384 = EVP_MD_fetch(NULL, "SHA384", NULL);
	lib.sha512 = EVP_MD_fetch(NULL, "SHA512", NULL);
	return (lib.ecb == NULL || lib.ctr == NULL || lib.hmac == NULL ||
	    lib.sha384 == NULL || lib.sha512 == NULL ? -1 : 0);
}

/*
 * Use everything once, which also loads what loads late: sealing and opening
 * agree, and a changed text is noticed.
 */
static bool
self_test(void)
{
	static const uint8_t	 text[32] = "self test of the two libraries";
	uint8_t			 key[KEY48_LEN] = { 1 }, p[32], tag[16];
	uint8_t			 k0[SHA384_LEN], k1[SHA384_LEN];
	struct siv		*s;
	bool			 ok;

	crypto_random(tag, 8);
	crypto_kbkdf(k0, key, 0x30, 0, 0);
	crypto_sha384(k1, k0, sizeof(k0));
	if ((s = siv_new(k0, k1)) == NULL)
		return (false);
	memcpy(p, text, sizeof(p));
	siv_seal(s, tag, key, key, 11, p, sizeof(p));
	ok = memcmp(p, text, sizeof(p)) != 0 &&
	    siv_open(s, tag, key, 11, p, sizeof(p)) &&
	    memcmp(p, text, sizeof(p)) == 0 &&
	    !siv_open(s, tag, key, 11, p, sizeof(p));
	siv_free(s);
	return (ok);
}

static void
pool_drop(void)
{
	sodium_memzero(&pool, sizeof(pool));
}

static void
must(int ok, const char *what)
{
	if (ok != 1)
		fatalx("libcrypto: %s failed", what);
}

static EVP_CIPHER_CTX *
cipher_new(const EVP_CIPHER *type, const uint8_t *key, int encrypt)
{
	EVP_CIPHER_CTX	*ctx;

	if (type == NULL || (ctx = EVP_CIPHER_CTX_new()) == NULL)
		return (NULL);
	if (EVP_CipherInit_ex2(ctx, type, key, NULL, encrypt, NULL) != 1 ||
	    EVP_CIPHER_CTX_set_padding(ctx, 0) != 1) {
		EVP_CIPHER_CTX_free(ctx);
		return (NULL);
	}
	return (ctx);
}

/* Start over with this IV and the key that the context has. */
static void
cipher_iv(EVP_CIPHER_CTX *ctx, const uint8_t *iv)
{
	must(EVP_CipherInit_ex2(ctx, NULL, NULL, iv, -1, NULL), "AES");
}

/* dst may be src. */
static void
cipher_update(EVP_CIPHER_CTX *ctx, uint8_t *dst, const uint8_t *src,
    size_t n)
{
	int	out;

	must(n <= INT_MAX &&
	    EVP_CipherUpdate(ctx, dst, &out, src, (int)n) == 1, "AES");
}

/* What GHASH wants of its cipher: a block function and its key. */
static void
gmac_block(const unsigned char in[16], unsigned char out[16],
    const void *key)
{
	EVP_CIPHER_CTX	*ctx;

	/* The library passes on what gmac_new() gave it, as const. */
	memcpy(&ctx, &key, sizeof(ctx));
	cipher_update(ctx, out, in, 16);
}

/* aes must outlive it.  NULL when memory is short. */
static GCM128_CONTEXT *
gmac_new(EVP_CIPHER_CTX *aes)
{
	return (CRYPTO_gcm128_new(aes, gmac_block));
}

static void
gmac_start(GCM128_CONTEXT *gmac, const uint8_t iv[12])
{
	CRYPTO_gcm128_setiv(gmac, iv, 12);
}

static void
gmac_add(GCM128_CONTEXT *gmac, const uint8_t *p, size_t n)
{
	if (n > 0)
		must(CRYPTO_gcm128_aad(gmac, p, n) == 0, "GMAC");
}
