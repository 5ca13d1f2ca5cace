/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The CTR and GMAC of AES-GMAC-SIV by libgcrypt, on processors that do AES in
 * vectors of 256 bits: IPsec-MB wants 512 for that, and libcrypto 3.0 does it
 * nowhere.  Of 2850 bytes CTR takes 260 ns in place of 485 there, and GMAC 470
 * in place of 530.  For short ones its calls cost more than that saves.
 * Spec: 01 section 9.4.
 */

#include <string.h>

#include "common/log.h"
#include "common/siv_way.h"

#ifdef HAVE_GCRYPT

#include <stdlib.h>

#include <gcrypt.h>

#define VERSION		"1.9.0"		/* the first with these vectors */
#define VECTORS		"intel-vaes-vpclmul"
#define LONG_CTR	768		/* bytes from which on it pays */
#define LONG_GMAC	2048

struct keys {
	void			*k_rest;
	gcry_cipher_hd_t	 k_ctr;
	gcry_cipher_hd_t	 k_gmac;	/* NULL: the others do that */
};

static const struct siv_way	*rest;	/* does all the others */

static void
gcrypt_free(void *arg)
{
	struct keys	*k = arg;

	/* It wipes them; what is not there it takes as well. */
	gcry_cipher_close(k->k_ctr);
	gcry_cipher_close(k->k_gmac);
	if (k->k_rest != NULL)
		rest->sw_free(k->k_rest);
	free(k);
}

static bool
prepare(gcry_cipher_hd_t *h, int mode, const uint8_t key[KEY32_LEN])
{
	return (gcry_cipher_open(h, GCRY_CIPHER_AES256, mode, 0) == 0 &&
	    gcry_cipher_setkey(*h, key, KEY32_LEN) == 0);
}

/*
 * In FIPS mode it wants to choose GCM's initialization vectors itself, and
 * makes no tag with one that is given.
 */
static bool
has_gmac(void)
{
	return (gcry_fips_mode_active() == 0);
}

static void *
gcrypt_new(const uint8_t k0[KEY32_LEN], const uint8_t k1[KEY32_LEN])
{
	struct keys	*k;

	if ((k = calloc(1, sizeof(*k))) == NULL)
		return (NULL);
	if ((has_gmac() && !prepare(&k->k_gmac, GCRY_CIPHER_MODE_GCM, k0)) ||
	    !prepare(&k->k_ctr, GCRY_CIPHER_MODE_CTR, k1) ||
	    (k->k_rest = rest->sw_new(k0, k1)) == NULL) {
		gcrypt_free(k);
		return (NULL);
	}
	return (k);
}

static void
gcrypt_gmac(void *arg, uint8_t out[16], const uint8_t iv[12],
    const uint8_t *head, size_t headlen, const uint8_t *p, size_t n)
{
	struct keys	*k = arg;

	if (k->k_gmac == NULL || n < LONG_GMAC)
		rest->sw_gmac(k->k_rest, out, iv, head, headlen, p, n);
	else if (gcry_cipher_setiv(k->k_gmac, iv, 12) != 0 ||
	    gcry_cipher_authenticate(k->k_gmac, head, headlen) != 0 ||
	    gcry_cipher_authenticate(k->k_gmac, p, n) != 0 ||
	    gcry_cipher_gettag(k->k_gmac, out, 16) != 0)
		fatalx("libgcrypt: GMAC failed");
}

static void
gcrypt_encrypt(void *arg, uint8_t out[16], const uint8_t in[16])
{
	rest->sw_encrypt(((struct keys *)arg)->k_rest, out, in);
}

static void
gcrypt_decrypt(void *arg, uint8_t out[16], const uint8_t in[16])
{
	rest->sw_decrypt(((struct keys *)arg)->k_rest, out, in);
}

static void
gcrypt_ctr(void *arg, const uint8_t ctr[16], uint8_t *p, size_t n)
{
	struct keys	*k = arg;

	if (n < LONG_CTR)
		rest->sw_ctr(k->k_rest, ctr, p, n);
	else if (gcry_cipher_setctr(k->k_ctr, ctr, 16) != 0 ||
	    gcry_cipher_encrypt(k->k_ctr, p, n, NULL, 0) != 0)
		fatalx("libgcrypt: CTR failed");
}

static bool
has_vectors(void)
{
	char	*list = gcry_get_config(0, "hwflist");
	bool	 has = list != NULL && strstr(list, VECTORS) != NULL;

	gcry_free(list);
	return (has);
}

const struct siv_way *
siv_gcrypt(const struct siv_way *others)
{
	static const struct siv_way	way = {
		.sw_new = gcrypt_new,
		.sw_free = gcrypt_free,
		.sw_gmac = gcrypt_gmac,
		.sw_encrypt = gcrypt_encrypt,
		.sw_decrypt = gcrypt_decrypt,
		.sw_ctr = gcrypt_ctr,
		.sw_vectors = true
	};

	if (others->sw_vectors || gcry_check_version(VERSION) == NULL)
		return (NULL);
	(void)gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
	(void)gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
	if (!has_vectors())
		return (NULL);
	rest = others;
	return (&way);
}

#else

const struct siv_way *
siv_gcrypt(const struct siv_way *others)
{
	(void)others;
	return (NULL);
}

#endif
