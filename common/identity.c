/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Identities: generation, validation, text and binary forms, signatures, key
 * agreement.  Spec: 01 sections 3 to 7.
 */

#include <sys/types.h>
#include <sys/mman.h>

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/address.h"
#include "common/hex.h"
#include "common/identity.h"

#define HASH_TABLE	2097152		/* bytes, 01 section 5.1 */
#define HASH_CHUNK	32768		/* keystream made at a time */
#define HASH_STEPS	131072
#define HASH_LIMIT	17		/* good digests begin below */

#define TYPE_C25519	0
#define PARSE_MAX	383		/* characters */
#define TEXT_KEY	(2 * IDENTITY_KEYS)

/* What the hash works in; too large for a stack. */
struct hash_space {
	uint64_t	table[HASH_TABLE / 8];
	uint64_t	chunk[HASH_CHUNK / 8];
};

static void	hash_in(struct hash_space *, uint8_t [SHA512_LEN],
		    const uint8_t [IDENTITY_KEYS]);
static void	hash_fill(uint64_t *, const uint8_t *, const uint8_t *);
static void	hash_mix(struct hash_space *, uint8_t [SHA512_LEN],
		    const uint8_t *, const uint8_t *);
static uint64_t	digest_addr(const uint8_t [SHA512_LEN]);
static bool	is_space(char);
static enum identity_error parse_fields(struct identity *, const char *,
		    size_t);

const char *
identity_strerror(enum identity_error error)
{
	switch (error) {
	case IDENTITY_OK:
		return ("no error");
	case IDENTITY_EMPTY:
		return ("there is no identity");
	case IDENTITY_FORMAT:
		return ("malformed identity");
	case IDENTITY_RESERVED:
		return ("address of the identity is reserved");
	case IDENTITY_WORK:
		return ("address does not follow from the public key");
	case IDENTITY_MISMATCH:
		return ("private key does not belong to the public key");
	}
	return ("unknown error");
}

/*
 * Two megabytes, for a moment: not from malloc(), which would keep them, and
 * all later ones of that size, for a process that needs them no more.
 */
static struct hash_space *
space_new(void)
{
	void	*p;

	p = mmap(NULL, sizeof(struct hash_space), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANON, -1, 0);
	return (p == MAP_FAILED ? NULL : p);
}

static void
space_free(struct hash_space *space)
{
	(void)munmap(space, sizeof(*space));
}

int
identity_generate(struct identity *id)
{
	struct hash_space	*space;
	uint8_t			 digest[SHA512_LEN];

	if ((space = space_new()) == NULL)
		return (-1);
	memset(id, 0, sizeof(*id));
	id->id_has_private = 1;
	do {
		keypair_generate(id->id_public, id->id_private);
		for (;;) {
			hash_in(space, digest, id->id_public);
			if (digest[0] < HASH_LIMIT)
				break;
			/* The Ed25519 half can stay. */
			crypto_random(id->id_private, 32);
			(void)crypto_scalarmult_curve25519_base(
			    id->id_public, id->id_private);
		}
		id->id_addr = digest_addr(digest);
	} while (addr_reserved(id->id_addr));
	space_free(space);
	return (0);
}

int
identity_hash(uint8_t digest[SHA512_LEN],
    const uint8_t public_key[IDENTITY_KEYS])
{
	struct hash_space	*space;

	if ((space = space_new()) == NULL)
		return (-1);
	hash_in(space, digest, public_key);
	space_free(space);
	return (0);
}

bool
identity_valid(const struct identity *id)
{
	uint8_t	digest[SHA512_LEN];

	if (addr_reserved(id->id_addr) ||
	    identity_hash(digest, id->id_public) == -1)
		return (false);
	return (digest[0] < HASH_LIMIT && digest_addr(digest) == id->id_addr);
}

bool
identity_keys_match(const struct identity *id)
{
	uint8_t	pub[IDENTITY_KEYS], sk[crypto_sign_ed25519_SECRETKEYBYTES];

	if (!id->id_has_private)
		return (false);
	(void)crypto_scalarmult_curve25519_base(pub, id->id_private);
	(void)crypto_sign_ed25519_seed_keypair(pub + 32, sk,
	    id->id_private + 32);
	crypto_wipe(sk, sizeof(sk));
	return (memcmp(pub, id->id_public, sizeof(pub)) == 0);
}

/*
 * The memory-hard hash.  The keystream depends on the first digest only, so
 * it is made in large pieces, which is several times faster than a block at
 * a time.
 */
static void
hash_in(struct hash_space *space, uint8_t digest[SHA512_LEN],
    const uint8_t public_key[IDENTITY_KEYS])
{
	uint8_t	key[32], nonce[8];

	crypto_sha512(digest, public_key, IDENTITY_KEYS);
	memcpy(key, digest, sizeof(key));
	memcpy(nonce, digest + 32, sizeof(nonce));
	hash_fill(space->table, key, nonce);
	hash_mix(space, digest, key, nonce);
}

/* Each block of the table is the XOR of all keystream blocks up to it. */
static void
hash_fill(uint64_t *table, const uint8_t *key, const uint8_t *nonce)
{
	size_t	i;

	(void)crypto_stream_salsa20((uint8_t *)table, HASH_TABLE, nonce, key);
	for (i = 8; i < HASH_TABLE / 8; i++)
		table[i] ^= table[i - 8];
}

/*
 * Two words of the table say which word of the digest is swapped with which
 * word of the table; bytes are moved as they are, indices are big-endian.
 */
static void
hash_mix(struct hash_space *space, uint8_t digest[SHA512_LEN],
    const uint8_t *key, const uint8_t *nonce)
{
	const uint8_t	*src = (const uint8_t *)space->table;
	const uint64_t	*ks = NULL;
	uint64_t	 d[8], w;
	size_t		 left = 0, i, k, a, t;
	uint64_t	 block = HASH_TABLE / 64;

	memcpy(d, digest, sizeof(d));
	for (i = 0; i < HASH_STEPS; i++, src += 16, ks += 8, left -= 64) {
		if (left == 0) {
			ks = space->chunk;
			left = HASH_CHUNK;
			memset(space->chunk, 0, HASH_CHUNK);
			(void)crypto_stream_salsa20_xor_ic(
			    (uint8_t *)space->chunk, (uint8_t *)space->chunk,
			    HASH_CHUNK, nonce, block, key);
			block += HASH_CHUNK / 64;
		}
		a = src[7] & 7;
		t = (size_t)(src[13] & 3) << 16 | (size_t)src[14] << 8 |
		    src[15];
		w = space->table[t];
		space->table[t] = d[a];
		d[a] = w;
		for (k = 0; k < 8; k++)
			d[k] ^= ks[k];
	}
	memcpy(digest, d, sizeof(d));
}

static uint64_t
digest_addr(const uint8_t digest[SHA512_LEN])
{
	struct rbuf	rb;

	rbuf_init(&rb, digest + SHA512_LEN - ADDR_LEN, ADDR_LEN);
	return (rbuf_addr(&rb));
}

enum identity_error
identity_parse(struct identity *id, const char *text, size_t len)
{
	enum identity_error	error;

	memset(id, 0, sizeof(*id));
	if (len > PARSE_MAX)
		return (IDENTITY_FORMAT);
	while (len > 0 && is_space(text[len - 1]))
		len--;
	while (len > 0 && is_space(*text)) {
		text++;
		len--;
	}
	if (len == 0)
		return (IDENTITY_EMPTY);
	if ((error = parse_fields(id, text, len)) != IDENTITY_OK)
		crypto_wipe(id, sizeof(*id));
	return (error);
}

/* Both forms have one length each, so every colon has its place. */
static enum identity_error
parse_fields(struct identity *id, const char *text, size_t len)
{
	uint8_t		addr[ADDR_LEN];
	struct rbuf	rb;
	const char	*key = text + 2 * ADDR_LEN + 3;

	if (len != IDENTITY_TEXT_PUBLIC - 1 &&
	    len != IDENTITY_TEXT_SECRET - 1)
		return (IDENTITY_FORMAT);
	if (hex_decode(addr, text, ADDR_LEN) == -1 ||
	    memcmp(text + 2 * ADDR_LEN, ":0:", 3) != 0 ||
	    hex_decode(id->id_public, key, IDENTITY_KEYS) == -1)
		return (IDENTITY_FORMAT);
	if (len == IDENTITY_TEXT_SECRET - 1) {
		key += TEXT_KEY;
		if (*key != ':' ||
		    hex_decode(id->id_private, key + 1, IDENTITY_KEYS) == -1)
			return (IDENTITY_FORMAT);
		id->id_has_private = 1;
	}
	rbuf_init(&rb, addr, sizeof(addr));
	id->id_addr = rbuf_addr(&rb);
	return (addr_reserved(id->id_addr) ? IDENTITY_RESERVED : IDENTITY_OK);
}

static bool
is_space(char c)
{
	return (c == ' ' || (c >= '\t' && c <= '\r'));
}

char *
identity_format(char *dst, const struct identity *id, bool secret)
{
	char	*p = dst;

	addr_format(p, id->id_addr);
	p += 2 * ADDR_LEN;
	memcpy(p, ":0:", 3);
	p += 3;
	hex_encode(p, id->id_public, IDENTITY_KEYS);
	if (secret && id->id_has_private) {
		p += TEXT_KEY;
		*p++ = ':';
		hex_encode(p, id->id_private, IDENTITY_KEYS);
	}
	return (dst);
}

void
identity_get(struct rbuf *rb, struct identity *id)
{
	memset(id, 0, sizeof(*id));
	id->id_addr = rbuf_addr(rb);
	if (rbuf_u8(rb) != TYPE_C25519)
		rbuf_fail(rb);
	rbuf_bytes(rb, id->id_public, IDENTITY_KEYS);
	switch (rbuf_u8(rb)) {
	case 0:
		break;
	case IDENTITY_KEYS:
		rbuf_bytes(rb, id->id_private, IDENTITY_KEYS);
		id->id_has_private = 1;
		break;
	default:
		rbuf_fail(rb);
		break;
	}
	if (!rbuf_ok(rb))
		memset(id, 0, sizeof(*id));
}

void
identity_put(struct wbuf *wb, const struct identity *id, bool secret)
{
	wbuf_addr(wb, id->id_addr);
	wbuf_u8(wb, TYPE_C25519);
	wbuf_bytes(wb, id->id_public, IDENTITY_KEYS);
	if (secret && id->id_has_private) {
		wbuf_u8(wb, IDENTITY_KEYS);
		wbuf_bytes(wb, id->id_private, IDENTITY_KEYS);
	} else
		wbuf_u8(wb, 0);
}

bool
identity_equal(const struct identity *a, const struct identity *b)
{
	return (identity_cmp(a, b) == 0);
}

int
identity_cmp(const struct identity *a, const struct identity *b)
{
	int	c;

	if (a->id_addr != b->id_addr)
		return (a->id_addr < b->id_addr ? -1 : 1);
	c = memcmp(a->id_public, b->id_public, IDENTITY_KEYS);
	return (c < 0 ? -1 : c > 0);
}

void
identity_fingerprint(uint8_t fp[SHA384_LEN], const struct identity *id)
{
	uint8_t		buf[ADDR_LEN + IDENTITY_KEYS];
	struct wbuf	wb;

	wbuf_init(&wb, buf, sizeof(buf));
	wbuf_addr(&wb, id->id_addr);
	wbuf_bytes(&wb, id->id_public, IDENTITY_KEYS);
	crypto_sha384(fp, buf, sizeof(buf));
}

void
identity_sign(const struct identity *id, const void *msg, size_t len,
    uint8_t sig[SIGNATURE_LEN])
{
	keypair_sign(id->id_public, id->id_private, msg, len, sig);
}

bool
identity_verify(const struct identity *id, const void *msg, size_t len,
    const uint8_t *sig, size_t siglen)
{
	return (siglen == SIGNATURE_LEN &&
	    keypair_verify(id->id_public, msg, len, sig));
}

/* R, S over M; then M, the first half of the message's SHA-512. */
void
keypair_sign(const uint8_t public_key[IDENTITY_KEYS],
    const uint8_t private_key[IDENTITY_KEYS], const void *msg, size_t len,
    uint8_t sig[SIGNATURE_LEN])
{
	uint8_t	digest[SHA512_LEN], sk[crypto_sign_ed25519_SECRETKEYBYTES];

	crypto_sha512(digest, msg, len);
	memcpy(sig + 64, digest, 32);
	memcpy(sk, private_key + 32, 32);
	memcpy(sk + 32, public_key + 32, 32);
	(void)crypto_sign_ed25519_detached(sig, NULL, digest, 32, sk);
	crypto_wipe(sk, sizeof(sk));
}

bool
keypair_verify(const uint8_t public_key[IDENTITY_KEYS], const void *msg,
    size_t len, const uint8_t sig[SIGNATURE_LEN])
{
	uint8_t	digest[SHA512_LEN];

	crypto_sha512(digest, msg, len);
	return (crypto_equal(digest, sig + 64, 32) &&
	    crypto_sign_ed25519_verify_detached(sig, digest, 32,
	    public_key + 32) == 0);
}

void
keypair_generate(uint8_t public_key[IDENTITY_KEYS],
    uint8_t private_key[IDENTITY_KEYS])
{
	uint8_t	sk[crypto_sign_ed25519_SECRETKEYBYTES];

	crypto_random(private_key, IDENTITY_KEYS);
	(void)crypto_scalarmult_curve25519_base(public_key, private_key);
	(void)crypto_sign_ed25519_seed_keypair(public_key + 32, sk,
	    private_key + 32);
	crypto_wipe(sk, sizeof(sk));
}

int
identity_agree(const struct identity *mine, const struct identity *theirs,
    uint8_t key48[KEY48_LEN])
{
	uint8_t	raw[32], digest[SHA512_LEN];

	if (crypto_scalarmult_curve25519(raw, mine->id_private,
	    theirs->id_public) != 0)
		return (-1);
	crypto_sha512(digest, raw, sizeof(raw));
	memcpy(key48, digest, KEY48_LEN);
	crypto_wipe(raw, sizeof(raw));
	crypto_wipe(digest, sizeof(digest));
	return (0);
}
