/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The cryptographic building blocks of the protocol, all from libsodium and
 * libcrypto.  Spec: 01 sections 1, 7, 9.
 */

#ifndef COMMON_CRYPTO_H
#define COMMON_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA384_LEN	48
#define SHA512_LEN	64
#define KEY48_LEN	48	/* agreed key of two identities */
#define KEY32_LEN	32

/*
 * Prepare both libraries and load lazily loaded algorithms, before any
 * sandbox.  Returns 0, or -1 when one of them does not work.
 */
int	 crypto_init(void);

/*
 * Random bytes of cryptographic quality.  Small draws come out of a buffer
 * per thread that a fork empties, so packet ids cost no system call each.
 */
void	 crypto_random(void *dst, size_t len);
void	 crypto_sha512(uint8_t out[SHA512_LEN], const void *p, size_t len);
void	 crypto_sha384(uint8_t out[SHA384_LEN], const void *p, size_t len);
void	 crypto_hmac_sha384(uint8_t out[SHA384_LEN],
	    const uint8_t key[KEY48_LEN], const void *p, size_t len);
/* 01 section 7. */
void	 crypto_kbkdf(uint8_t out[SHA384_LEN], const uint8_t key[KEY48_LEN],
	    uint8_t label, uint8_t context, uint32_t iter);

/*
 * Salsa20/12 keystream from block 0: generate, or XOR n bytes into p.
 */
void	 crypto_salsa2012(uint8_t *out, size_t n,
	    const uint8_t key[KEY32_LEN], const uint8_t nonce[8]);
void	 crypto_salsa2012_xor(uint8_t *p, size_t n,
	    const uint8_t key[KEY32_LEN], const uint8_t nonce[8]);
/* out: 16 bytes. */
void	 crypto_poly1305(uint8_t out[16], const uint8_t key[KEY32_LEN],
	    const void *p, size_t len);

/* Constant time; true when equal. */
bool	 crypto_equal(const void *a, const void *b, size_t len);
void	 crypto_wipe(void *p, size_t len);

/*
 * AES-GMAC-SIV with prepared key schedules (01 section 9.4).  One context
 * serves sealing and opening, not concurrently.
 */
struct siv;

/* NULL when memory is short.  siv_free(NULL) is fine; keys are wiped. */
struct siv *siv_new(const uint8_t k0[KEY32_LEN], const uint8_t k1[KEY32_LEN]);
void	 siv_free(struct siv *);
/*
 * Seal n bytes of p in place.  iv: 8 bytes drafted packet id; aad: aadlen
 * bytes; tag receives 16 bytes (8 for the packet id, 8 for the MAC field).
 */
void	 siv_seal(struct siv *, uint8_t tag[16], const uint8_t iv[8],
	    const uint8_t *aad, size_t aadlen, uint8_t *p, size_t n);
/* Open in place; false (and p is garbage) when the tag does not agree. */
bool	 siv_open(struct siv *, const uint8_t tag[16],
	    const uint8_t *aad, size_t aadlen, uint8_t *p, size_t n);

/*
 * Single-use forms of the parts, for tests: GMAC over data with a 12-byte
 * IV, one ECB block, CTR with a full 16-byte first counter block.
 */
void	 crypto_gmac(uint8_t out[16], const uint8_t key[KEY32_LEN],
	    const uint8_t iv[12], const void *p, size_t len);
void	 crypto_aes_block(uint8_t out[16], const uint8_t key[KEY32_LEN],
	    const uint8_t in[16]);
void	 crypto_aes_ctr(uint8_t *p, size_t n, const uint8_t key[KEY32_LEN],
	    const uint8_t ctr[16]);

#endif /* COMMON_CRYPTO_H */
