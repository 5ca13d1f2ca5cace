/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The Internet checksum.  Ones' complement sums may be taken in words of
 * any width and any byte order, if what is carried out is added again (RFC
 * 1071 section 2): here the halves of 64-bit words, in sums that do not wait
 * for each other.
 */

#include <arpa/inet.h>

#include <string.h>

#include "common/inetsum.h"

#define LANES	4
#define STRIDE	(2 * sizeof(lanes))	/* bytes of one turn */

/* What compilers add at once, in as many steps as the processor takes. */
typedef uint64_t lanes __attribute__((vector_size(LANES * 8)));

/* The sum of len bytes, a multiple of STRIDE; dst, if any, gets them. */
static inline __attribute__((always_inline)) uint64_t
add_strides(uint8_t *dst, const uint8_t *b, size_t len)
{
	lanes		 x, y, low = { 0 }, high = { 0 }, low2 = { 0 };
	lanes		 high2 = { 0 };
	uint64_t	 sum = 0;
	size_t		 off;
	unsigned	 i;

	for (off = 0; off < len; off += STRIDE) {
		memcpy(&x, b + off, sizeof(x));
		memcpy(&y, b + off + sizeof(x), sizeof(y));
		if (dst != NULL) {
			memcpy(dst + off, &x, sizeof(x));
			memcpy(dst + off + sizeof(x), &y, sizeof(y));
		}
		low += x & UINT32_MAX;
		high += x >> 32;
		low2 += y & UINT32_MAX;
		high2 += y >> 32;
	}
	low += low2;
	high += high2;
	for (i = 0; i < LANES; i++)
		sum += low[i] + high[i];
	return (sum);
}

#ifdef __x86_64__
/* The same, for processors that have longer vectors than all of them have. */
static __attribute__((target("avx2"))) uint64_t
add_long(const uint8_t *b, size_t len)
{
	return (add_strides(NULL, b, len));
}

static __attribute__((target("avx2"))) uint64_t
copy_long(uint8_t *dst, const uint8_t *b, size_t len)
{
	return (add_strides(dst, b, len));
}
#endif

static uint64_t
add_most(const uint8_t *b, size_t len)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		return (add_long(b, len));
#endif
	return (add_strides(NULL, b, len));
}

static uint64_t
copy_most(uint8_t *dst, const uint8_t *b, size_t len)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		return (copy_long(dst, b, len));
#endif
	return (add_strides(dst, b, len));
}

/* What is left, less than STRIDE bytes. */
static uint64_t
add_rest(const uint8_t *b, size_t len)
{
	uint64_t	 sum = 0;
	uint32_t	 one;
	uint16_t	 half;

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
inetsum_add(uint64_t sum, const void *p, size_t len)
{
	const uint8_t	*b = p;
	size_t		 most = len - len % STRIDE;

	if (most > 0)
		sum += add_most(b, most);
	return (sum + add_rest(b + most, len - most));
}

uint64_t
inetsum_copy(uint64_t sum, void *dst, const void *p, size_t len)
{
	const uint8_t	*b = p;
	size_t		 most = len - len % STRIDE;

	if (most > 0)
		sum += copy_most(dst, b, most);
	if (len > most)
		memcpy((uint8_t *)dst + most, b + most, len - most);
	return (sum + add_rest(b + most, len - most));
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
