/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Identities without work.
 */

#include <sodium.h>
#include <string.h>

#include "common/address.h"
#include "regress/sim/issue.h"

#define BAD	1	/* flipped in the address of those to be refused */

static uint64_t	 checks;

/* The address that follows from a key here: odd ones do not exist. */
static uint64_t
addr_of(const uint8_t public_key[IDENTITY_KEYS])
{
	uint64_t	 x;

	memcpy(&x, public_key, sizeof(x));
	x = (x ^ x >> 31) * 0x9fb21c651e98df25ULL;
	x ^= x >> 28;
	return ((x & 0x7fffffffffULL & ~(uint64_t)BAD) | 0x1000000000ULL);
}

void
issue(struct identity *id, struct clock *clock)
{
	uint8_t	 sk[crypto_sign_ed25519_SECRETKEYBYTES];

	memset(id, 0, sizeof(*id));
	clock_random_bytes(clock, id->id_private, sizeof(id->id_private));
	(void)crypto_scalarmult_curve25519_base(id->id_public,
	    id->id_private);
	(void)crypto_sign_ed25519_seed_keypair(id->id_public + 32, sk,
	    id->id_private + 32);
	id->id_has_private = 1;
	id->id_addr = addr_of(id->id_public);
}

void
issue_bad(struct identity *id, struct clock *clock)
{
	issue(id, clock);
	id->id_addr ^= BAD;
}

uint64_t
issue_checks(void)
{
	return (checks);
}

bool
__wrap_identity_valid(const struct identity *id)
{
	uint64_t	 addr = addr_of(id->id_public);

	checks++;
	if (id->id_addr == addr || id->id_addr == (addr ^ BAD))
		return (id->id_addr == addr);
	return (__real_identity_valid(id));
}
