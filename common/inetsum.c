/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The Internet checksum.  Ones' complement sums may be taken in words of
 * any width and any byte order, if what is carried out is added again (RFC
 * 1071 section 2): here 64 bits at a time, in two sums that do not wait for
 * each other.
 */

#include <arpa/inet.h>

#include <string.h>

#include "common/inetsum.h"

#define STRIDE	32	/* bytes of one turn */

uint64_t
inetsum_add(uint64_t sum, const void *p, size_t len)
{
	const uint8_t	*b = p;
	uint64_t	 x = 0, y = 0, w[STRIDE / 8], carries = 0;
	uint32_t	 one;
	uint16_t	 half;

	for (; len >= STRIDE; len -= STRIDE, b += STRIDE) {
		memcpy(w, b, sizeof(w));
		x += w[0];
		carries += x < w[0];
		y += w[1];
		carries += y < w[1];
		x += w[2];
		carries += x < w[2];
		y += w[3];
		carries += y < w[3];
	}
	sum += (x & 0xffffffff) + (x >> 32) + (y & 0xffffffff) + (y >> 32) +
	    carries;
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
