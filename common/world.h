/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Worlds: the planet and the moons, signed lists of roots.
 * Spec: 01 sections 16 and 17.
 */

#ifndef COMMON_WORLD_H
#define COMMON_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/identity.h"
#include "common/inet.h"

#define WORLD_MAX		8480	/* bytes, serialised */
#define WORLD_ROOTS		4
#define WORLD_ENDPOINTS		32
#define WORLD_NULL		0
#define WORLD_PLANET		1
#define WORLD_MOON		127

struct world_root {
	struct identity	 wr_identity;	/* public part only */
	unsigned	 wr_nendpoints;
	struct inet_addr wr_endpoints[WORLD_ENDPOINTS];
};

struct world {
	uint8_t		 w_type;	/* WORLD_* */
	uint64_t	 w_id;
	uint64_t	 w_ts;		/* revision, ms since 1970 */
	uint8_t		 w_update_key[IDENTITY_KEYS];
	uint8_t		 w_sig[SIGNATURE_LEN];
	unsigned	 w_nroots;
	struct world_root w_roots[WORLD_ROOTS];
};

/*
 * Read one world (16.2) and leave the cursor behind it, so that several can
 * stand in a row; anything malformed makes rb bad.  Private parts of root
 * identities and a moon's dictionary are dropped.
 */
void	 world_get(struct rbuf *, struct world *);
/* Write one world with its signature, at most WORLD_MAX bytes. */
void	 world_put(struct wbuf *, const struct world *);

/* The signature verifies with this 64-byte public key (16.3). */
bool	 world_verify(const struct world *,
	    const uint8_t public_key[IDENTITY_KEYS]);
/* Set w_sig with this key pair. */
void	 world_sign(struct world *, const uint8_t public_key[IDENTITY_KEYS],
	    const uint8_t private_key[IDENTITY_KEYS]);
/*
 * May offered take the place of held (16.4)?  held with type or id 0 is
 * replaced by anything, without a look at its signature.
 */
bool	 world_replaces(const struct world *held,
	    const struct world *offered);
/* The root with this identity (address and keys), or NULL. */
const struct world_root *world_find_root(const struct world *,
	    const struct identity *);

/* The public planet, serialised (17). */
#define WORLD_DEFAULT_LEN	570
extern const uint8_t world_default[WORLD_DEFAULT_LEN];

#endif /* COMMON_WORLD_H */
