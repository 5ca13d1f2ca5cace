/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Credentials: certificates of membership and of ownership, tags,
 * capabilities, revocations.  Spec: 03 section 9.
 *
 * Each kind has get (parse, cursor goes bad on malformed input), put
 * (serialise), sign and check.
 */

#ifndef COMMON_CREDENTIAL_H
#define COMMON_CREDENTIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/identity.h"
#include "common/inet.h"
#include "common/rules.h"

enum credential_type {
	CREDENTIAL_NULL = 0,
	CREDENTIAL_COM = 1,
	CREDENTIAL_CAPABILITY = 2,
	CREDENTIAL_TAG = 3,
	CREDENTIAL_COO = 4,
	CREDENTIAL_REVOCATION = 6
};

#define COM_QUALIFIERS		8
#define COM_MAX			(3 + 24 * COM_QUALIFIERS + 5 + SIGNATURE_LEN)
#define COM_ID_TIMESTAMP	0
#define COM_ID_NETWORK		1
#define COM_ID_ISSUED_TO	2
#define COM_ID_FINGERPRINT	3	/* to 6 */

struct com {
	unsigned	 com_n;			/* 0: none */
	struct {
		uint64_t	id, value, delta;
	}		 com_q[COM_QUALIFIERS];
	uint64_t	 com_signer;		/* 0: unsigned */
	uint8_t		 com_sig[SIGNATURE_LEN];
};

#define TAG_MAX			135
struct tag {
	uint64_t	 tag_nwid;
	int64_t		 tag_ts;
	uint32_t	 tag_id;
	uint32_t	 tag_value;
	uint64_t	 tag_to;
	uint64_t	 tag_signer;
	uint8_t		 tag_sig[SIGNATURE_LEN];
};

#define CAPABILITY_RULES	64
#define CAPABILITY_CUSTODY	7
#define CAPABILITY_MAX		4096		/* bytes, serialised */
struct capability {
	uint64_t	 cap_nwid;
	int64_t		 cap_ts;
	uint32_t	 cap_id;
	unsigned	 cap_nrules;
	struct rule	 cap_rules[CAPABILITY_RULES];
	uint8_t		 cap_maxcustody;	/* 1 to 7 */
	unsigned	 cap_ncustody;
	struct {
		uint64_t	to, from;
		uint8_t		sig[SIGNATURE_LEN];
	}		 cap_custody[CAPABILITY_CUSTODY];
};

#define COO_THINGS		16
#define COO_MAX			(141 + 17 * COO_THINGS)
enum coo_thing {
	THING_NULL = 0,
	THING_MAC = 1,
	THING_IPV4 = 2,
	THING_IPV6 = 3
};
struct coo {
	uint64_t	 coo_nwid;
	int64_t		 coo_ts;
	uint64_t	 coo_flags;
	uint32_t	 coo_id;
	unsigned	 coo_n;
	struct {
		uint8_t		type;		/* enum coo_thing */
		uint8_t		value[16];	/* left aligned */
	}		 coo_things[COO_THINGS];
	uint64_t	 coo_to;
	uint64_t	 coo_signer;
	uint8_t		 coo_sig[SIGNATURE_LEN];
};

#define REVOCATION_MAX		152
#define REVOCATION_FAST		0x01
struct revocation {
	uint32_t	 rev_id;
	uint64_t	 rev_nwid;
	uint32_t	 rev_credential;	/* id; 0 for a COM */
	int64_t		 rev_threshold;		/* ms */
	uint64_t	 rev_flags;
	uint64_t	 rev_target;
	uint64_t	 rev_signer;
	uint8_t		 rev_type;		/* enum credential_type */
	uint8_t		 rev_sig[SIGNATURE_LEN];
};

/* --- certificate of membership --- */

void	 com_get(struct rbuf *, struct com *);
void	 com_put(struct wbuf *, const struct com *);
/* The standard seven qualifiers (9.2), unsigned. */
void	 com_make(struct com *, int64_t ts, int64_t delta, uint64_t nwid,
	    const struct identity *to);
/* Of another time, ms; unsigned. */
void	 com_stamp(struct com *, int64_t ts);
void	 com_sign(struct com *, const struct identity *signer);
/* Value of the first qualifier with this id, 0 when missing. */
uint64_t com_value(const struct com *, uint64_t id);
bool	 com_equal(const struct com *, const struct com *);
/*
 * Does theirs, held by the node with this identity, agree with ours
 * (9.2)?  The identity hash is checked when ours carries one.
 */
bool	 com_agrees(const struct com *ours, const struct com *theirs,
	    const struct identity *);

/* --- tag, capability, certificate of ownership, revocation --- */

void	 tag_get(struct rbuf *, struct tag *);
void	 tag_put(struct wbuf *, const struct tag *);
void	 tag_sign(struct tag *, const struct identity *signer);
/* The equal functions compare all fields, signatures included. */
bool	 tag_equal(const struct tag *, const struct tag *);

void	 capability_get(struct rbuf *, struct capability *);
void	 capability_put(struct wbuf *, const struct capability *);
/* Set the single custody entry: from the signer to this address. */
void	 capability_sign(struct capability *, const struct identity *signer,
	    uint64_t to);
/* Holder: last custody entry, 0 when there is none. */
uint64_t capability_holder(const struct capability *);
bool	 capability_equal(const struct capability *,
	    const struct capability *);

void	 coo_get(struct rbuf *, struct coo *);
void	 coo_put(struct wbuf *, const struct coo *);
void	 coo_sign(struct coo *, const struct identity *signer);
bool	 coo_equal(const struct coo *, const struct coo *);
bool	 coo_owns_ip(const struct coo *, const struct inet_addr *);
bool	 coo_owns_mac(const struct coo *, uint64_t mac);

void	 revocation_get(struct rbuf *, struct revocation *);
void	 revocation_put(struct wbuf *, const struct revocation *);
void	 revocation_sign(struct revocation *, const struct identity *signer);

/*
 * Verification (9.1): issuer, chain and signature.  lookup gives the
 * identity of an address, or NULL when it is not known (yet).
 */
enum credential_check {
	CREDENTIAL_BAD,
	CREDENTIAL_OK,
	CREDENTIAL_UNKNOWN_SIGNER	/* *unknown names it */
};
typedef const struct identity *(*identity_lookup)(void *arg, uint64_t addr);

enum credential_check com_check(const struct com *, identity_lookup,
	    void *arg, uint64_t *unknown);
enum credential_check tag_check(const struct tag *, identity_lookup,
	    void *arg, uint64_t *unknown);
enum credential_check capability_check(const struct capability *,
	    identity_lookup, void *arg, uint64_t *unknown);
enum credential_check coo_check(const struct coo *, identity_lookup,
	    void *arg, uint64_t *unknown);
enum credential_check revocation_check(const struct revocation *,
	    identity_lookup, void *arg, uint64_t *unknown);

#endif /* COMMON_CREDENTIAL_H */
