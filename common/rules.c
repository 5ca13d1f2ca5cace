/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The binary form of rule tables.  Spec: 03 section 16.1.
 */

#include <string.h>

#include "common/address.h"
#include "common/rules.h"

/* The field of every defined type; all others have none and no name. */
static const struct {
	const char	*name;
	uint8_t		 len;
} types[RULE_TYPE + 1] = {
	[ACTION_DROP] = { "ACTION_DROP", 0 },
	[ACTION_ACCEPT] = { "ACTION_ACCEPT", 0 },
	[ACTION_TEE] = { "ACTION_TEE", 14 },
	[ACTION_WATCH] = { "ACTION_WATCH", 14 },
	[ACTION_REDIRECT] = { "ACTION_REDIRECT", 14 },
	[ACTION_BREAK] = { "ACTION_BREAK", 0 },
	[ACTION_PRIORITY] = { "ACTION_PRIORITY", 0 },
	[MATCH_SOURCE_ZEROTIER_ADDRESS] =
	    { "MATCH_SOURCE_ZEROTIER_ADDRESS", 5 },
	[MATCH_DEST_ZEROTIER_ADDRESS] = { "MATCH_DEST_ZEROTIER_ADDRESS", 5 },
	[MATCH_VLAN_ID] = { "MATCH_VLAN_ID", 2 },
	[MATCH_VLAN_PCP] = { "MATCH_VLAN_PCP", 1 },
	[MATCH_VLAN_DEI] = { "MATCH_VLAN_DEI", 1 },
	[MATCH_MAC_SOURCE] = { "MATCH_MAC_SOURCE", 6 },
	[MATCH_MAC_DEST] = { "MATCH_MAC_DEST", 6 },
	[MATCH_IPV4_SOURCE] = { "MATCH_IPV4_SOURCE", 5 },
	[MATCH_IPV4_DEST] = { "MATCH_IPV4_DEST", 5 },
	[MATCH_IPV6_SOURCE] = { "MATCH_IPV6_SOURCE", 17 },
	[MATCH_IPV6_DEST] = { "MATCH_IPV6_DEST", 17 },
	[MATCH_IP_TOS] = { "MATCH_IP_TOS", 3 },
	[MATCH_IP_PROTOCOL] = { "MATCH_IP_PROTOCOL", 1 },
	[MATCH_ETHERTYPE] = { "MATCH_ETHERTYPE", 2 },
	[MATCH_ICMP] = { "MATCH_ICMP", 3 },
	[MATCH_IP_SOURCE_PORT_RANGE] = { "MATCH_IP_SOURCE_PORT_RANGE", 4 },
	[MATCH_IP_DEST_PORT_RANGE] = { "MATCH_IP_DEST_PORT_RANGE", 4 },
	[MATCH_CHARACTERISTICS] = { "MATCH_CHARACTERISTICS", 8 },
	[MATCH_FRAME_SIZE_RANGE] = { "MATCH_FRAME_SIZE_RANGE", 4 },
	[MATCH_RANDOM] = { "MATCH_RANDOM", 4 },
	[MATCH_TAGS_DIFFERENCE] = { "MATCH_TAGS_DIFFERENCE", 8 },
	[MATCH_TAGS_BITWISE_AND] = { "MATCH_TAGS_BITWISE_AND", 8 },
	[MATCH_TAGS_BITWISE_OR] = { "MATCH_TAGS_BITWISE_OR", 8 },
	[MATCH_TAGS_BITWISE_XOR] = { "MATCH_TAGS_BITWISE_XOR", 8 },
	[MATCH_TAGS_EQUAL] = { "MATCH_TAGS_EQUAL", 8 },
	[MATCH_TAG_SENDER] = { "MATCH_TAG_SENDER", 8 },
	[MATCH_TAG_RECEIVER] = { "MATCH_TAG_RECEIVER", 8 },
	/* Its name in JSON lacks the prefix. */
	[MATCH_INTEGER_RANGE] = { "INTEGER_RANGE", 19 }
};

static void	rule_get(struct rbuf *, struct rule *);
static void	rule_put(struct wbuf *, const struct rule *);
static void	field_get(struct rbuf *, struct rule *);
static void	field_put(struct wbuf *, const struct rule *);
static void	integer_get(struct rbuf *, struct rule *);
static void	integer_put(struct wbuf *, const struct rule *);

unsigned
rules_get(struct rbuf *rb, struct rule *dst, unsigned max)
{
	unsigned	n;

	for (n = 0; n < max && rbuf_ok(rb) && rb->rb_left > 0; n++)
		rule_get(rb, &dst[n]);
	return (rbuf_ok(rb) ? n : 0);
}

void
rules_get_n(struct rbuf *rb, struct rule *dst, unsigned n)
{
	unsigned	i;

	for (i = 0; i < n; i++)
		rule_get(rb, &dst[i]);
}

void
rules_put(struct wbuf *wb, const struct rule *rules, unsigned n)
{
	unsigned	i;

	for (i = 0; i < n; i++)
		rule_put(wb, &rules[i]);
}

const char *
rule_name(uint8_t type)
{
	return (types[type & RULE_TYPE].name);
}

int
rule_type(const char *name)
{
	int	i;

	for (i = 0; i <= RULE_TYPE; i++) {
		if (types[i].name != NULL && strcmp(types[i].name, name) == 0)
			return (i);
	}
	return (-1);
}

/*
 * One entry.  The field is read from a cursor of its own: one that is
 * shorter than its type needs is an error, what it has more is skipped.
 */
static void
rule_get(struct rbuf *rb, struct rule *r)
{
	struct rbuf	field;

	memset(r, 0, sizeof(*r));
	r->r_t = rbuf_u8(rb);
	rbuf_sub(rb, &field, rbuf_u8(rb));
	field_get(&field, r);
	if (!rbuf_ok(&field))
		rbuf_fail(rb);
}

static void
rule_put(struct wbuf *wb, const struct rule *r)
{
	wbuf_u8(wb, r->r_t);
	wbuf_u8(wb, types[r->r_t & RULE_TYPE].len);
	field_put(wb, r);
}

static void
field_get(struct rbuf *rb, struct rule *r)
{
	switch (r->r_t & RULE_TYPE) {
	case ACTION_TEE:
	case ACTION_WATCH:
	case ACTION_REDIRECT:
		r->r_u.fwd.addr = rbuf_u64(rb) & ADDR_MASK;
		r->r_u.fwd.flags = rbuf_u32(rb);
		r->r_u.fwd.length = rbuf_u16(rb);
		break;
	case MATCH_SOURCE_ZEROTIER_ADDRESS:
	case MATCH_DEST_ZEROTIER_ADDRESS:
		r->r_u.zt = rbuf_addr(rb);
		break;
	case MATCH_VLAN_ID:
		r->r_u.vlan_id = rbuf_u16(rb);
		break;
	case MATCH_VLAN_PCP:
		r->r_u.vlan_pcp = rbuf_u8(rb);
		break;
	case MATCH_VLAN_DEI:
		r->r_u.vlan_dei = rbuf_u8(rb);
		break;
	case MATCH_MAC_SOURCE:
	case MATCH_MAC_DEST:
		r->r_u.mac = rbuf_mac(rb);
		break;
	case MATCH_IPV4_SOURCE:
	case MATCH_IPV4_DEST:
		rbuf_bytes(rb, r->r_u.ip.ip, 4);
		r->r_u.ip.bits = rbuf_u8(rb);
		break;
	case MATCH_IPV6_SOURCE:
	case MATCH_IPV6_DEST:
		rbuf_bytes(rb, r->r_u.ip.ip, 16);
		r->r_u.ip.bits = rbuf_u8(rb);
		break;
	case MATCH_IP_TOS:
		r->r_u.tos.mask = rbuf_u8(rb);
		r->r_u.tos.start = rbuf_u8(rb);
		r->r_u.tos.end = rbuf_u8(rb);
		break;
	case MATCH_IP_PROTOCOL:
		r->r_u.ip_protocol = rbuf_u8(rb);
		break;
	case MATCH_ETHERTYPE:
		r->r_u.ethertype = rbuf_u16(rb);
		break;
	case MATCH_ICMP:
		r->r_u.icmp.type = rbuf_u8(rb);
		r->r_u.icmp.code = rbuf_u8(rb);
		r->r_u.icmp.flags = rbuf_u8(rb);
		break;
	case MATCH_IP_SOURCE_PORT_RANGE:
	case MATCH_IP_DEST_PORT_RANGE:
	case MATCH_FRAME_SIZE_RANGE:
		r->r_u.range.start = rbuf_u16(rb);
		r->r_u.range.end = rbuf_u16(rb);
		break;
	case MATCH_CHARACTERISTICS:
		r->r_u.characteristics = rbuf_u64(rb);
		break;
	case MATCH_RANDOM:
		r->r_u.probability = rbuf_u32(rb);
		break;
	case MATCH_TAGS_DIFFERENCE:
	case MATCH_TAGS_BITWISE_AND:
	case MATCH_TAGS_BITWISE_OR:
	case MATCH_TAGS_BITWISE_XOR:
	case MATCH_TAGS_EQUAL:
	case MATCH_TAG_SENDER:
	case MATCH_TAG_RECEIVER:
		r->r_u.tag.id = rbuf_u32(rb);
		r->r_u.tag.value = rbuf_u32(rb);
		break;
	case MATCH_INTEGER_RANGE:
		integer_get(rb, r);
		break;
	default:
		break;
	}
}

static void
field_put(struct wbuf *wb, const struct rule *r)
{
	switch (r->r_t & RULE_TYPE) {
	case ACTION_TEE:
	case ACTION_WATCH:
	case ACTION_REDIRECT:
		wbuf_u64(wb, r->r_u.fwd.addr & ADDR_MASK);
		wbuf_u32(wb, r->r_u.fwd.flags);
		wbuf_u16(wb, r->r_u.fwd.length);
		break;
	case MATCH_SOURCE_ZEROTIER_ADDRESS:
	case MATCH_DEST_ZEROTIER_ADDRESS:
		wbuf_addr(wb, r->r_u.zt);
		break;
	case MATCH_VLAN_ID:
		wbuf_u16(wb, r->r_u.vlan_id);
		break;
	case MATCH_VLAN_PCP:
		wbuf_u8(wb, r->r_u.vlan_pcp);
		break;
	case MATCH_VLAN_DEI:
		wbuf_u8(wb, r->r_u.vlan_dei);
		break;
	case MATCH_MAC_SOURCE:
	case MATCH_MAC_DEST:
		wbuf_mac(wb, r->r_u.mac);
		break;
	case MATCH_IPV4_SOURCE:
	case MATCH_IPV4_DEST:
		wbuf_bytes(wb, r->r_u.ip.ip, 4);
		wbuf_u8(wb, r->r_u.ip.bits);
		break;
	case MATCH_IPV6_SOURCE:
	case MATCH_IPV6_DEST:
		wbuf_bytes(wb, r->r_u.ip.ip, 16);
		wbuf_u8(wb, r->r_u.ip.bits);
		break;
	case MATCH_IP_TOS:
		wbuf_u8(wb, r->r_u.tos.mask);
		wbuf_u8(wb, r->r_u.tos.start);
		wbuf_u8(wb, r->r_u.tos.end);
		break;
	case MATCH_IP_PROTOCOL:
		wbuf_u8(wb, r->r_u.ip_protocol);
		break;
	case MATCH_ETHERTYPE:
		wbuf_u16(wb, r->r_u.ethertype);
		break;
	case MATCH_ICMP:
		wbuf_u8(wb, r->r_u.icmp.type);
		wbuf_u8(wb, r->r_u.icmp.code);
		wbuf_u8(wb, r->r_u.icmp.flags);
		break;
	case MATCH_IP_SOURCE_PORT_RANGE:
	case MATCH_IP_DEST_PORT_RANGE:
	case MATCH_FRAME_SIZE_RANGE:
		wbuf_u16(wb, r->r_u.range.start);
		wbuf_u16(wb, r->r_u.range.end);
		break;
	case MATCH_CHARACTERISTICS:
		wbuf_u64(wb, r->r_u.characteristics);
		break;
	case MATCH_RANDOM:
		wbuf_u32(wb, r->r_u.probability);
		break;
	case MATCH_TAGS_DIFFERENCE:
	case MATCH_TAGS_BITWISE_AND:
	case MATCH_TAGS_BITWISE_OR:
	case MATCH_TAGS_BITWISE_XOR:
	case MATCH_TAGS_EQUAL:
	case MATCH_TAG_SENDER:
	case MATCH_TAG_RECEIVER:
		wbuf_u32(wb, r->r_u.tag.id);
		wbuf_u32(wb, r->r_u.tag.value);
		break;
	case MATCH_INTEGER_RANGE:
		integer_put(wb, r);
		break;
	default:
		break;
	}
}

/*
 * The wire has the absolute end; only the low 32 bits of the distance are
 * kept, as every node does, so that all evaluate the same.
 */
static void
integer_get(struct rbuf *rb, struct rule *r)
{
	r->r_u.integer.start = rbuf_u64(rb);
	r->r_u.integer.span = (uint32_t)(rbuf_u64(rb) -
	    r->r_u.integer.start);
	r->r_u.integer.index = rbuf_u16(rb);
	r->r_u.integer.format = rbuf_u8(rb);
}

static void
integer_put(struct wbuf *wb, const struct rule *r)
{
	wbuf_u64(wb, r->r_u.integer.start);
	wbuf_u64(wb, r->r_u.integer.start + r->r_u.integer.span);
	wbuf_u16(wb, r->r_u.integer.index);
	wbuf_u8(wb, r->r_u.integer.format);
}
