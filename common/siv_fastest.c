/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Of the libraries that do AES-GMAC-SIV faster than libcrypto, those that this
 * host has something of.
 */

#include "common/siv_way.h"

const char *
siv_use_fastest(void)
{
	const struct siv_way	*way;
	const char		*wrong = NULL;

	if ((way = siv_mb()) != NULL && !siv_use(way))
		wrong = "IPsec-MB";
	if ((way = siv_gcrypt(siv_used())) != NULL && !siv_use(way))
		wrong = "libgcrypt";
	return (wrong);
}
