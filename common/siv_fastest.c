/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Which libraries do AES-GMAC-SIV on this host: IPsec-MB where it works, else
 * libcrypto; and in either case libgcrypt the long texts, where it is faster at
 * those.
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
