/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Fuzzer: opening, decompressing and cutting packets (common/packet.h),
 * spec 01 sections 8 to 12.
 */

#include <stdlib.h>
#include <string.h>

#include "common/packet.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct packet_keys	 keys;

static void
prepare(void)
{
	static const uint8_t	key48[KEY48_LEN] = { 1, 2, 3 };
	static bool		done;

	if (done)
		return;
	if (crypto_init() == -1)
		abort();
	packet_keys_init(&keys, key48);
	done = true;
}

/* Every piece of a packet fits its datagram, and together they are it. */
static void
cut(const uint8_t *p, size_t len)
{
	uint8_t		 dst[PAYLOAD_MTU];
	size_t		 n, sum = PAYLOAD_MTU;
	unsigned	 k, total;

	total = packet_fragments(len, PAYLOAD_MTU);
	if (total < 2)
		return;
	for (k = 1; k < total; k++) {
		n = packet_fragment(dst, p, len, PAYLOAD_MTU, k, total);
		if (n <= FRAGMENT_HDR || n > PAYLOAD_MTU)
			abort();
		sum += n - FRAGMENT_HDR;
	}
	if (sum != len)
		abort();
}

/* What was sealed opens to the same. */
static void
seal(const uint8_t *data, size_t len, enum packet_suite suite)
{
	static uint8_t	p[PACKET_MAX];

	memcpy(p, data, len);
	p[PACKET_IDX_FLAGS] &= (uint8_t)~0x38;
	packet_seal(p, len, suite, &keys);
	if (!packet_open(p, len, &keys))
		abort();
	if (memcmp(p + PACKET_SEALED, data + PACKET_SEALED,
	    len - PACKET_SEALED) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t	p[PACKET_MAX];
	size_t		len;

	prepare();
	if (size < PACKET_MIN || size > PACKET_MAX)
		return (0);
	memcpy(p, data, size);
	(void)packet_open(p, size, &keys);
	memcpy(p, data, size);
	len = packet_decompress(p, size);
	if (len > PACKET_MAX)
		abort();
	if (len >= PACKET_MIN)
		(void)packet_compress(p, len);
	cut(data, size);
	seal(data, size, SUITE_POLY1305);
	seal(data, size, SUITE_SALSA2012);
	seal(data, size, SUITE_AES_GMAC_SIV);
	return (0);
}
