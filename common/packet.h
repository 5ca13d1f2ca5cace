/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * VL1 packets: header, sealing and opening, compression, fragments.
 * Spec: 01 sections 8 to 12.
 */

#ifndef COMMON_PACKET_H
#define COMMON_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/crypto.h"

#define PACKET_HDR		28	/* header and verb byte */
#define PACKET_MIN		28
#define PACKET_MAX		10024
#define PACKET_IDX_DEST		8
#define PACKET_IDX_SRC		13
#define PACKET_IDX_FLAGS	18
#define PACKET_IDX_MAC		19
#define PACKET_IDX_VERB		27
#define PACKET_SEALED		27	/* the sealed part starts here */

#define FLAG_FRAGMENTED		0x40
#define VERB_COMPRESSED		0x80
#define VERB_MASK		0x1f
#define PACKET_VERBS		(VERB_MASK + 1)
#define PACKET_ERRORS		16	/* codes that there could be */
#define HOPS_MAX		3	/* forwarded while below */

#define FRAGMENT_HDR		16
#define FRAGMENT_INDICATOR	0xff	/* at PACKET_IDX_SRC */
#define FRAGMENTS_MAX		7	/* pieces in all, head included */
#define PAYLOAD_MTU		1432	/* default UDP payload */

enum packet_suite {
	SUITE_POLY1305 = 0,		/* authenticated, clear */
	SUITE_SALSA2012 = 1,
	SUITE_NONE = 2,			/* trusted path */
	SUITE_AES_GMAC_SIV = 3
};

enum packet_verb {
	VERB_NOP = 0x00,
	VERB_HELLO = 0x01,
	VERB_ERROR = 0x02,
	VERB_OK = 0x03,
	VERB_WHOIS = 0x04,
	VERB_RENDEZVOUS = 0x05,
	VERB_FRAME = 0x06,
	VERB_EXT_FRAME = 0x07,
	VERB_ECHO = 0x08,
	VERB_MULTICAST_LIKE = 0x09,
	VERB_NETWORK_CREDENTIALS = 0x0a,
	VERB_NETWORK_CONFIG_REQUEST = 0x0b,
	VERB_NETWORK_CONFIG = 0x0c,
	VERB_MULTICAST_GATHER = 0x0d,
	VERB_MULTICAST_FRAME = 0x0e,
	VERB_PUSH_DIRECT_PATHS = 0x10,
	VERB_ACK = 0x12,
	VERB_QOS_MEASUREMENT = 0x13,
	VERB_USER_MESSAGE = 0x14,
	VERB_REMOTE_TRACE = 0x15,
	VERB_PATH_NEGOTIATION_REQUEST = 0x16
};

/* Codes of ERROR (02 section 5.1). */
enum packet_error {
	ERR_OBJ_NOT_FOUND = 0x03,
	ERR_IDENTITY_COLLISION = 0x04,
	ERR_UNSUPPORTED_OPERATION = 0x05,
	ERR_NEED_MEMBERSHIP_CERTIFICATE = 0x06,
	ERR_NETWORK_ACCESS_DENIED = 0x07,
	ERR_UNWANTED_MULTICAST = 0x08,
	ERR_NETWORK_AUTHENTICATION_REQUIRED = 0x09
};

/* "HELLO", "FRAME", ...; "UNKNOWN" for what has no name.  Static. */
const char *verb_name(uint8_t verb);

/*
 * The keys that two nodes share.  The cipher contexts, which take several
 * kilobytes, are made (01 section 7) when the first packet needs them and
 * kept ready until they are told to rest.
 */
struct packet_keys {
	uint8_t		 pk_key48[KEY48_LEN];
	struct siv	*pk_siv;	/* NULL: at rest */
};

void	 packet_keys_init(struct packet_keys *,
	    const uint8_t key48[KEY48_LEN]);
void	 packet_keys_rest(struct packet_keys *);
void	 packet_keys_clear(struct packet_keys *);

/* Fields of a packet of at least PACKET_MIN bytes. */
static inline uint64_t
packet_field(const uint8_t *p, size_t off, size_t n)
{
	return (buf_get(p + off, n));
}

static inline uint64_t
packet_id(const uint8_t *p)
{
	return (packet_field(p, 0, 8));
}

static inline uint64_t
packet_dest(const uint8_t *p)
{
	return (packet_field(p, PACKET_IDX_DEST, 5));
}

static inline uint64_t
packet_src(const uint8_t *p)
{
	return (packet_field(p, PACKET_IDX_SRC, 5));
}

static inline enum packet_suite
packet_suite(const uint8_t *p)
{
	return ((enum packet_suite)(p[PACKET_IDX_FLAGS] >> 3 & 7));
}

static inline unsigned
packet_hops(const uint8_t *p)
{
	return (p[PACKET_IDX_FLAGS] & 7);
}

static inline uint8_t
packet_verb(const uint8_t *p)
{
	return (p[PACKET_IDX_VERB] & VERB_MASK);
}

/*
 * Write header and verb: id, destination, source, all flags and MAC 0.
 */
void	 packet_header(struct wbuf *, uint64_t id, uint64_t dest,
	    uint64_t src, uint8_t verb);

/*
 * Seal in place (01 section 9).  len is the whole packet; FLAG_FRAGMENTED
 * must already be as it will be sent.  suite is SUITE_POLY1305,
 * SUITE_SALSA2012 or SUITE_AES_GMAC_SIV; the last replaces the packet id, so
 * read packet_id() afterwards.  Never seal twice.  Another suite, or a length
 * that no packet has, is a mistake of the caller's and fatal, and so is it
 * when no memory is left for the contexts.
 */
void	 packet_seal(uint8_t *p, size_t len, enum packet_suite,
	    struct packet_keys *);
/* Suite 2: no protection, only the path's id. */
void	 packet_seal_trusted(uint8_t *p, uint64_t path_id);
/*
 * Authenticate and decrypt in place by the suite in the header; false for a
 * wrong MAC, suite 2 and unassigned suites.
 */
bool	 packet_open(uint8_t *p, size_t len, struct packet_keys *);

/*
 * HELLO's encrypted tail (01 section 15.2): XOR n bytes at p, either way.
 */
void	 packet_hello_crypt(const uint8_t *packet, uint8_t *p, size_t n,
	    const uint8_t key48[KEY48_LEN]);

/*
 * LZ4 (01 section 11).  packet_compress returns the new length, which is len
 * when nothing was gained.  packet_decompress expands in place (p has room
 * for PACKET_MAX) and returns the new length, or 0 when the data is bad; a
 * packet without the flag is returned unchanged.
 */
size_t	 packet_compress(uint8_t *p, size_t len);
size_t	 packet_decompress(uint8_t *p, size_t len);

/*
 * How many datagrams a packet of len bytes takes at this payload limit, which
 * is above FRAGMENT_HDR; more than FRAGMENTS_MAX cannot be delivered.
 */
unsigned packet_fragments(size_t len, size_t mtu);
/*
 * The limit, at most mtu, at which a packet takes as many datagrams and these
 * are of one size, the last perhaps some bytes shorter.  Where it is not, as
 * with full frames at the usual MTUs, many packets of the same length are one
 * run for the kernel.
 */
size_t	 packet_even(size_t len, size_t mtu);
/*
 * Write fragment k (1 .. total-1) of the sealed packet p to dst, which has
 * at least mtu bytes.  Returns the datagram's length, 0 without such a piece.
 */
size_t	 packet_fragment(uint8_t *dst, const uint8_t *p, size_t len,
	    size_t mtu, unsigned k, unsigned total);
/*
 * The same without a copy, for who needs the packet no more: the fragment's
 * header is written over the end of the piece before, which must be gone,
 * and *dst is where it begins.  mtu is at least 2 * FRAGMENT_HDR.
 */
size_t	 packet_fragment_here(uint8_t **dst, uint8_t *p, size_t len,
	    size_t mtu, unsigned k, unsigned total);

#endif /* COMMON_PACKET_H */
