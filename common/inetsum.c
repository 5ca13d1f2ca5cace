/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The Internet checksum.  Ones' complement sums may be taken in words of
 * any width and any byte order (RFC 1071 section 2): here 32 bits at a
 * time into four sums of 64, which compilers vectorise.
 */

#include <arpa/inet.h>

#include <string.h>

#include "common/inetsum.h"

#define STRIDE	32	/* bytes of one turn */

uint64_t
inetsum_add(uint64_t sum, const void *p, size_t len)
{
	const uint8_t	*b = p;
	uint64_t	 lane[STRIDE / 4] = { 0 };
	uint32_t	 w[STRIDE / 4], one;
	uint16_t	 half;
	unsigned	 i;

	for (; len >= STRIDE; len -= STRIDE, b += STRIDE) {
		memcpy(w, b, sizeof(w));
		for (i = 0; i < STRIDE / 4; i++)
			lane[i] += w[i];
	}
	for (i = 0; i < STRIDE / 4; i++)
		sum += lane[i];
	for (; len >= 4; len -= 4, b += 4) {
		memcpy(&one, b, sizeof(one));
		sum += one;
	}
	if (len >= 2) {
		memcpy(&half, b, sizeof(half));
		sum += half;
		b += 2;
		len -= 2;
	}
	if (len == 1) {
		half = 0;
		memcpy(&half, b, 1);
		sum += half;
	}
	return (sum);
}

uint64_t
inetsum_add16(uint64_t sum, uint16_t n)
{
	return (sum + htons(n));
}

uint16_t
inetsum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ((uint16_t)sum);
}

uint64_t
inetsum_pseudo(const void *addrs, size_t addrlen, uint8_t proto,
    uint32_t len)
{
	uint64_t	 sum = inetsum_add(0, addrs, addrlen);

	sum = inetsum_add16(sum, (uint16_t)(len >> 16));
	sum = inetsum_add16(sum, (uint16_t)len);
	return (inetsum_add16(sum, proto));
}
