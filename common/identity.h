/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Identities: an address, two public keys, perhaps the private ones.
 * Spec: 01 sections 3 to 7.
 */

#ifndef COMMON_IDENTITY_H
#define COMMON_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/crypto.h"

#define IDENTITY_KEYS		64	/* public or private: X25519, Ed25519 */
#define IDENTITY_BIN_PUBLIC	71
#define IDENTITY_BIN_SECRET	135
#define IDENTITY_TEXT_PUBLIC	142	/* with NUL */
#define IDENTITY_TEXT_SECRET	271	/* with NUL */
#define SIGNATURE_LEN		96

/* Fixed layout: crosses processes.  Wipe those that hold a secret. */
struct identity {
	uint64_t	id_addr;
	uint8_t		id_public[IDENTITY_KEYS];
	uint8_t		id_private[IDENTITY_KEYS];	/* 0 when absent */
	uint8_t		id_has_private;			/* 0 or 1 */
	uint8_t		id_pad[7];			/* 0 */
};

enum identity_error {
	IDENTITY_OK = 0,
	IDENTITY_EMPTY,		/* nothing there */
	IDENTITY_FORMAT,	/* not the text or binary form */
	IDENTITY_RESERVED,	/* reserved address */
	IDENTITY_WORK,		/* address does not follow from the key */
	IDENTITY_MISMATCH	/* private half does not fit the public one */
};

/* A sentence for a human, static. */
const char *identity_strerror(enum identity_error);

/*
 * Make a new identity (5.2).  Takes about fifteen hashes of 2 MiB, tens of
 * milliseconds each.  Returns 0, or -1 when memory is short.
 */
int	 identity_generate(struct identity *);

/*
 * The memory-hard hash of 5.1: digest has 64 bytes.  Returns 0, or -1 when
 * 2 MiB cannot be had.
 */
int	 identity_hash(uint8_t digest[SHA512_LEN],
	    const uint8_t public_key[IDENTITY_KEYS]);
/* Local validation (5.3): one hash. */
bool	 identity_valid(const struct identity *);
/* The private half belongs to the public half. */
bool	 identity_keys_match(const struct identity *);

/*
 * Text form (3.1).  Strict on digits and counts; accepts upper case and
 * white space around.  The text need not be NUL-terminated.
 */
enum identity_error identity_parse(struct identity *, const char *text,
	    size_t len);
/* dst: IDENTITY_TEXT_PUBLIC or IDENTITY_TEXT_SECRET bytes. */
char	*identity_format(char *dst, const struct identity *, bool secret);

/*
 * Binary form (3.2).  identity_get consumes a private part if there is one
 * and keeps it; malformed input makes rb bad.  Reserved addresses pass.
 */
void	 identity_get(struct rbuf *, struct identity *);
void	 identity_put(struct wbuf *, const struct identity *, bool secret);

/* Address and the 64 public bytes. */
bool	 identity_equal(const struct identity *, const struct identity *);
int	 identity_cmp(const struct identity *, const struct identity *);
/* SHA-384 over address and public key (3.3). */
void	 identity_fingerprint(uint8_t fp[SHA384_LEN],
	    const struct identity *);

/*
 * Sign (6); the identity must have its private half.
 */
void	 identity_sign(const struct identity *, const void *msg, size_t len,
	    uint8_t sig[SIGNATURE_LEN]);
bool	 identity_verify(const struct identity *, const void *msg, size_t len,
	    const uint8_t *sig, size_t siglen);
/* The same for bare 64-byte key halves, as worlds use them. */
void	 keypair_sign(const uint8_t public_key[IDENTITY_KEYS],
	    const uint8_t private_key[IDENTITY_KEYS], const void *msg,
	    size_t len, uint8_t sig[SIGNATURE_LEN]);
bool	 keypair_verify(const uint8_t public_key[IDENTITY_KEYS],
	    const void *msg, size_t len, const uint8_t sig[SIGNATURE_LEN]);
/* A fresh pair of 64+64 bytes. */
void	 keypair_generate(uint8_t public_key[IDENTITY_KEYS],
	    uint8_t private_key[IDENTITY_KEYS]);

/*
 * Agree on key48 (7).  Returns 0, or -1 for a low-order public key, which no
 * valid identity has.
 */
int	 identity_agree(const struct identity *mine,
	    const struct identity *theirs, uint8_t key48[KEY48_LEN]);

#endif /* COMMON_IDENTITY_H */
