/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Numbers of which every bit depends on every bit of what went in.  With a
 * secret in front nobody can aim at one, or make two of them equal.
 */

#ifndef CORE_MIX_H
#define CORE_MIX_H

#include <stdint.h>
#include <string.h>

#include "common/inet.h"

/* No two give the same: every step can be undone. */
static inline uint64_t
mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return (x ^ x >> 31);
}

/*
 * Of a socket and an address with its port, behind the secret x.  Each part is
 * mixed before the next one comes: a port must not undo what makes two
 * addresses different.
 */
static inline uint64_t
mix_addr(uint64_t x, uint32_t sock, const struct inet_addr *ia)
{
	uint64_t	 half[2];

	memcpy(half, ia->ia_ip, sizeof(half));
	x = mix(x ^ ((uint64_t)sock << 24 | (uint64_t)ia->ia_port << 8 |
	    ia->ia_family));
	return (mix(mix(x ^ half[0]) ^ half[1]));
}

#endif /* CORE_MIX_H */
