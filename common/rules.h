/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Rule tables: entries as they are kept and their binary form.
 * Spec: 03 section 16.1.  (Their evaluation is the engine's.)
 */

#ifndef COMMON_RULES_H
#define COMMON_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

#define RULES_MAX		1024	/* base table */
#define RULE_NOT		0x80
#define RULE_OR			0x40
#define RULE_TYPE		0x3f
#define RULE_ACTION_MAX		15	/* types up to here are actions */

enum rule_type {
	ACTION_DROP = 0,
	ACTION_ACCEPT = 1,
	ACTION_TEE = 2,
	ACTION_WATCH = 3,
	ACTION_REDIRECT = 4,
	ACTION_BREAK = 5,
	ACTION_PRIORITY = 6,
	MATCH_SOURCE_ZEROTIER_ADDRESS = 24,
	MATCH_DEST_ZEROTIER_ADDRESS = 25,
	MATCH_VLAN_ID = 26,
	MATCH_VLAN_PCP = 27,
	MATCH_VLAN_DEI = 28,
	MATCH_MAC_SOURCE = 29,
	MATCH_MAC_DEST = 30,
	MATCH_IPV4_SOURCE = 31,
	MATCH_IPV4_DEST = 32,
	MATCH_IPV6_SOURCE = 33,
	MATCH_IPV6_DEST = 34,
	MATCH_IP_TOS = 35,
	MATCH_IP_PROTOCOL = 36,
	MATCH_ETHERTYPE = 37,
	MATCH_ICMP = 38,
	MATCH_IP_SOURCE_PORT_RANGE = 39,
	MATCH_IP_DEST_PORT_RANGE = 40,
	MATCH_CHARACTERISTICS = 41,
	MATCH_FRAME_SIZE_RANGE = 42,
	MATCH_RANDOM = 43,
	MATCH_TAGS_DIFFERENCE = 44,
	MATCH_TAGS_BITWISE_AND = 45,
	MATCH_TAGS_BITWISE_OR = 46,
	MATCH_TAGS_BITWISE_XOR = 47,
	MATCH_TAGS_EQUAL = 48,
	MATCH_TAG_SENDER = 49,
	MATCH_TAG_RECEIVER = 50,
	MATCH_INTEGER_RANGE = 51
};

/*
 * One entry.  r_t is the byte of the wire: RULE_NOT, RULE_OR, type.
 */
struct rule {
	uint8_t		 r_t;
	union {
		struct {
			uint64_t	addr;
			uint32_t	flags;
			uint16_t	length;	/* bytes to copy, 0 all */
		} fwd;				/* TEE, WATCH, REDIRECT */
		uint64_t	 zt;		/* node address */
		uint64_t	 mac;
		uint16_t	 vlan_id;
		uint8_t		 vlan_pcp;
		uint8_t		 vlan_dei;
		uint8_t		 ip_protocol;
		uint16_t	 ethertype;
		struct {
			uint8_t		ip[16];	/* IPv4 in the first 4 */
			uint8_t		bits;
		} ip;
		struct {
			uint8_t		mask, start, end;
		} tos;
		struct {
			uint8_t		type, code, flags;
		} icmp;
		struct {
			uint16_t	start, end;
		} range;			/* ports, frame size */
		uint64_t	 characteristics;
		uint32_t	 probability;
		struct {
			uint32_t	id, value;
		} tag;
		struct {
			uint64_t	start;
			uint32_t	span;
			uint16_t	index;
			uint8_t		format;
		} integer;
		uint8_t		 bucket;	/* PRIORITY, not on the wire */
	} r_u;
};

/*
 * Read entries until the cursor is empty or max are stored; returns how
 * many.  A malformed entry makes rb bad.
 */
unsigned rules_get(struct rbuf *, struct rule *dst, unsigned max);
/* Read exactly n entries (capabilities). */
void	 rules_get_n(struct rbuf *, struct rule *dst, unsigned n);
void	 rules_put(struct wbuf *, const struct rule *, unsigned n);

/* "ACTION_ACCEPT", ...; NULL for undefined types.  Static. */
const char *rule_name(uint8_t type);
/* The type of a name, or -1. */
int	 rule_type(const char *name);

#endif /* COMMON_RULES_H */
