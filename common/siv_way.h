/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What AES-GMAC-SIV is put together from, so that another library than
 * libcrypto can do it where that is faster.  Spec: 01 section 9.4.
 */

#ifndef COMMON_SIV_WAY_H
#define COMMON_SIV_WAY_H

#include "common/crypto.h"

struct siv_way {
	/* Key schedules of both keys; NULL when memory is short. */
	void	*(*sw_new)(const uint8_t k0[KEY32_LEN],
		    const uint8_t k1[KEY32_LEN]);
	/* Wipes and frees them. */
	void	 (*sw_free)(void *);
	/* GMAC with K0 over head, whole blocks, with p behind it. */
	void	 (*sw_gmac)(void *, uint8_t out[16], const uint8_t iv[12],
		    const uint8_t *head, size_t headlen, const uint8_t *p,
		    size_t n);
	/* One block with K1. */
	void	 (*sw_encrypt)(void *, uint8_t out[16], const uint8_t in[16]);
	void	 (*sw_decrypt)(void *, uint8_t out[16], const uint8_t in[16]);
	/* CTR with K1 from this counter on, in place; n > 0. */
	void	 (*sw_ctr)(void *, const uint8_t ctr[16], uint8_t *p, size_t n);
	/* On this host sw_ctr does several blocks in one long vector. */
	bool	 sw_vectors;
};

/*
 * Use this way for all later siv_new().  After crypto_init(); false: it does
 * not agree with libcrypto, and what was used before stays in use.
 */
bool	 siv_use(const struct siv_way *);
/* The one in use. */
const struct siv_way *siv_used(void);

/*
 * siv_mb.c: by Intel's IPsec-MB, which has vector code for all generations of
 * x86-64 and next to no cost per call.  NULL where it was not built in, or the
 * processor has no AES.  To be called once, before any sandbox.
 */
const struct siv_way *siv_mb(void);
/*
 * siv_gcrypt.c: as others, a way in use until now, but long texts are
 * enciphered and authenticated by libgcrypt.  NULL where it was not built in,
 * or is no faster on this processor.  To be called once, before any sandbox.
 */
const struct siv_way *siv_gcrypt(const struct siv_way *others);

/*
 * Use the fastest way that there is on this host: once, after crypto_init()
 * and before any sandbox.  Returns NULL, or the name of a library that does
 * not agree with libcrypto and is not used.
 */
const char *siv_use_fastest(void);

#endif /* COMMON_SIV_WAY_H */
