/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A network's configuration as one member gets it, its dictionary form, and
 * the signed chunks in which it travels.  Spec: 03 sections 5 to 8.
 */

#ifndef COMMON_NETCONF_H
#define COMMON_NETCONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/credential.h"
#include "common/inet.h"
#include "common/rules.h"

#define NETCONF_CAPACITY	484520	/* dictionary, with terminator */
#define NETCONF_CHUNK		9740	/* dictionary bytes in one chunk */
#define NETCONF_CHUNK_HDR	10	/* network id, length */
#define NETCONF_CHUNK_TAIL	116	/* flags to signature */
#define NETCONF_BLOCK_MAX	(NETCONF_CHUNK_HDR + NETCONF_CHUNK + \
				    NETCONF_CHUNK_TAIL)
#define METADATA_MAX		1024	/* request meta-data */

#define NETCONF_NAME		128	/* with NUL */
#define NETCONF_CAPS		128
#define NETCONF_TAGS		128
#define NETCONF_COOS		4
#define NETCONF_SPECIALISTS	256
#define NETCONF_ROUTES		128
#define NETCONF_IPS		32
#define NETCONF_DNS		4

#define NETCONF_MTU_DEFAULT	2800
#define NETCONF_MTU_MIN		1280
#define NETCONF_MTU_MAX		10000

#define NETCONF_BROADCAST	0x02
#define NETCONF_NDP		0x04
#define NETCONF_UNKNOWN_MATCH	0x08
#define NETCONF_NOCOMPRESS	0x10

#define SPECIALIST_BRIDGE	0x0000020000000000ULL
#define SPECIALIST_ANCHOR	0x0000040000000000ULL
#define SPECIALIST_REPLICATOR	0x0000080000000000ULL

struct netconf_route {
	struct inet_addr nr_target;	/* ia_port = prefix length */
	struct inet_addr nr_via;	/* nil: on link */
	uint16_t	 nr_flags;
	uint16_t	 nr_metric;
};

struct netconf_sso {
	uint64_t	 sso_version;
	bool		 sso_enabled;
	char		 sso_url[2048];
	uint64_t	 sso_expiry;	/* ms since 1970 */
	char		 sso_issuer[2048];
	char		 sso_central[2048];
	char		 sso_nonce[128];
	char		 sso_state[256];
	char		 sso_client[256];
	char		 sso_provider[64];
};

/*
 * Big: allocate it.  The arrays behind nc_rules, nc_caps and nc_tags are
 * malloc'd and owned.  A zeroed one is empty and may be cleared.
 */
struct netconf {
	uint64_t	 nc_nwid;
	int64_t		 nc_ts;			/* ms, controller's clock */
	int64_t		 nc_delta;		/* credential window, ms */
	uint64_t	 nc_revision;
	uint64_t	 nc_to;			/* issued to */
	uint64_t	 nc_trace_target;
	uint64_t	 nc_trace_level;
	uint64_t	 nc_flags;		/* NETCONF_* */
	uint32_t	 nc_mclimit;
	bool		 nc_public;
	char		 nc_name[NETCONF_NAME];
	uint32_t	 nc_mtu;		/* bytes, clamped */
	struct com	 nc_com;		/* com_n 0: none */
	unsigned	 nc_ncaps;		/* ascending id */
	struct capability *nc_caps;
	unsigned	 nc_ntags;		/* ascending id */
	struct tag	*nc_tags;
	unsigned	 nc_ncoos;
	struct coo	 nc_coos[NETCONF_COOS];
	unsigned	 nc_nspecialists;
	uint64_t	 nc_specialists[NETCONF_SPECIALISTS];
	unsigned	 nc_nroutes;
	struct netconf_route nc_routes[NETCONF_ROUTES];
	unsigned	 nc_nips;
	struct inet_addr nc_ips[NETCONF_IPS];	/* ia_port = prefix length */
	unsigned	 nc_nrules;
	struct rule	*nc_rules;
	char		 nc_dns_domain[128];
	struct inet_addr nc_dns[NETCONF_DNS];
	struct netconf_sso nc_sso;
};

/* Release what it owns and zero it; not the struct itself. */
void	 netconf_clear(struct netconf *);
bool	 netconf_equal(const struct netconf *, const struct netconf *);

/*
 * Decode a dictionary of len bytes.  Returns NULL and fills *nc (which must
 * be cleared by the caller), or a static sentence naming what is wrong, and
 * *nc is empty.
 */
const char *netconf_decode(struct netconf *nc, const void *d, size_t len);
/*
 * Encode; returns a malloc'd dictionary (no terminator counted in *len), or
 * NULL when it exceeds NETCONF_CAPACITY or memory is short.
 */
uint8_t	*netconf_encode(const struct netconf *, size_t *len);

/*
 * The same without memory of its own: room is for one dictionary at a time,
 * which stands there until the next one is encoded.  With creds they, made
 * by netconf_credentials(), take the place of what nc says of credentials.
 * NULL when it exceeds NETCONF_CAPACITY.
 */
struct netconf_room {
	uint8_t		 nr_dict[NETCONF_CAPACITY];
	uint8_t		 nr_scratch[NETCONF_CAPACITY];
};
const uint8_t *netconf_encode_with(const struct netconf *, const uint8_t *creds,
	    size_t ncreds, struct netconf_room *, size_t *len);
/*
 * The parts of a dictionary in which nothing is a member's own, encoded: what
 * stands between credentials and addresses, and what is behind these.
 */
struct netconf_shared {
	size_t		 ns_before, ns_behind;	/* bytes */
	uint8_t		 ns_bytes[];
};
/* The result is the caller's to free; NULL when memory is short. */
struct netconf_shared *netconf_share(const struct netconf *,
	    struct netconf_room *);
/* As netconf_encode_with(), with these parts of another nc of the network. */
const uint8_t *netconf_encode_shared(const struct netconf *,
	    const struct netconf_shared *, const uint8_t *creds,
	    size_t ncreds, struct netconf_room *, size_t *len);
/* The credentials alone as they stand in the dictionary; the same rules. */
const uint8_t *netconf_credentials(const struct netconf *,
	    struct netconf_room *, size_t *len);
/*
 * Take them from there into nc, which must have none.  Returns what
 * netconf_decode() does; what is in nc after a failure is to be cleared.
 */
const char *netconf_decode_credentials(struct netconf *, const void *d,
	    size_t len);

/* Role of an address: OR of SPECIALIST_*, 0 for none. */
uint64_t netconf_roles(const struct netconf *, uint64_t addr);

/*
 * The configuration of an ad-hoc network for this address (8).  Returns 0,
 * 1 when there is none for this id ("not found"), or -1 when the form of
 * the id has no meaning (or memory is short).
 */
int	 netconf_adhoc(struct netconf *, uint64_t nwid, uint64_t addr,
	    int64_t now);

/*
 * The request meta-data of this implementation (5) into dst, METADATA_MAX
 * bytes; returns its length.
 */
size_t	 netconf_metadata(uint8_t *dst);

/*
 * One chunk block, signed (7): bytes [offset, offset + n) of the dictionary
 * d of total bytes.  dst has NETCONF_BLOCK_MAX bytes, n <= NETCONF_CHUNK.
 * Returns the block's length.
 */
size_t	 netconf_chunk_make(uint8_t *dst, const struct identity *controller,
	    uint64_t nwid, uint64_t update, const uint8_t *d, size_t total,
	    size_t offset, size_t n);

/* A chunk block taken apart; pointers into the block. */
struct netconf_chunk {
	uint64_t	 ck_nwid;
	const uint8_t	*ck_data;
	size_t		 ck_len;
	bool		 ck_legacy;	/* unsigned, whole dictionary: the
					   caller checks the source and sets
					   ck_update and ck_id to the id of
					   the packet */
	uint8_t		 ck_flags;	/* 0x01 fast propagate */
	uint64_t	 ck_update;
	size_t		 ck_total;
	size_t		 ck_offset;
	uint64_t	 ck_id;		/* folded from the signature */
	const uint8_t	*ck_signed;	/* from here ... */
	size_t		 ck_signedlen;	/* ... this many bytes are signed */
	const uint8_t	*ck_sig;
};

/*
 * Parse the block at the cursor, which it consumes to its end, and check
 * its bounds (7.1 step 1).  Malformed: rb bad.
 */
void	 netconf_chunk_get(struct rbuf *, struct netconf_chunk *);
bool	 netconf_chunk_verify(const struct netconf_chunk *,
	    const struct identity *controller);

/*
 * Reassembly: three updates at a time, memory on demand (7.1 steps 2, 6).
 */
struct netconf_assembly;
struct netconf_assembly *netconf_assembly_new(void);
void	 netconf_assembly_free(struct netconf_assembly *);
/* Is this very chunk recorded already, its update complete or not? */
bool	 netconf_assembly_has(struct netconf_assembly *,
	    const struct netconf_chunk *);
/*
 * Take a verified chunk.  Returns true when its update became complete: *d
 * is then malloc'd, the caller's, *len bytes.  Duplicates, overlaps and
 * chunks over the limits are ignored.
 */
bool	 netconf_assembly_add(struct netconf_assembly *,
	    const struct netconf_chunk *, uint8_t **d, size_t *len);

#endif /* COMMON_NETCONF_H */
