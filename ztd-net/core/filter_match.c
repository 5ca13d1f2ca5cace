/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The matches of the rules engine.  Spec: 03 section 16.3.
 *
 * Some odd results are what every node on a network computes; both ends
 * evaluate the same table, so they must be kept.
 */

#include <string.h>

#include "common/address.h"
#include "ztd-net/core/filter_match.h"

#define ETHER_IPV4	0x0800
#define ETHER_ARP	0x0806
#define ETHER_IPV6	0x86dd

#define V4_HDR		20
#define V6_HDR		40
#define V6_NDP		64	/* with a target address */
#define ARP_LEN		28

#define PROTO_ICMP	1
#define PROTO_TCP	6
#define PROTO_UDP	17
#define PROTO_ICMP6	58
#define PROTO_SCTP	132
#define PROTO_UDPLITE	136

#define NDP_SOLICITATION	0x87
#define NDP_ADVERTISEMENT	0x88

#define ICMP_HAS_CODE	0x01

#define INTEGER_LITTLE	0x80
#define INTEGER_BITS	0x3f

#define C_INBOUND	0x8000000000000000ULL
#define C_MULTICAST	0x4000000000000000ULL
#define C_BROADCAST	0x2000000000000000ULL
#define C_SENDER_IP	0x1000000000000000ULL
#define C_SENDER_MAC	0x0800000000000000ULL
#define C_TCP		0x0fffULL

/*
 * What a match can say: yes and no are subject to NOT, always and never are
 * the result whatever NOT says.
 */
enum verdict { NO, YES, NEVER, ALWAYS };

static enum verdict	match(struct view *, struct state *,
			    const struct insn *);
static enum verdict	match_ipv4(const struct view *, const struct insn *,
			    size_t);
static enum verdict	match_ipv6(const struct view *, const struct insn *,
			    size_t);
static enum verdict	match_tos(const struct view *, const struct insn *);
static enum verdict	match_protocol(struct view *, const struct insn *);
static enum verdict	match_icmp(struct view *, const struct insn *);
static enum verdict	match_port(struct view *, const struct insn *, size_t);
static enum verdict	match_characteristics(struct view *,
			    const struct insn *);
static enum verdict	match_tags(const struct view *, struct state *,
			    const struct insn *);
static enum verdict	match_one_tag(const struct view *, struct state *,
			    const struct insn *);
static bool	match_integer(const struct view *, const struct insn *);

static bool	has_ports(uint8_t);
static void	v6_search(struct view *);
static uint64_t	tcp_flags(struct view *);
static bool	sender_ip(const struct view *);
static bool	sender_mac(const struct view *);
static bool	owns_ip(const struct view *, uint8_t, size_t);
static bool	own_tag(const struct view *, uint32_t, uint32_t *);
static bool	peer_tag(const struct view *, uint32_t, uint32_t *);
static uint8_t	byte_at(const struct view *, size_t);

static inline enum verdict
plain(bool b)
{
	return (b ? YES : NO);
}

static inline bool
in_range(const struct insn *in, uint64_t n)
{
	return (n >= in->i_a && n <= in->i_b);
}

/* Is there a payload of IP?  Then v_pos and v_proto are set. */
static inline bool
ip_payload(struct view *v)
{
	if (v->v_l4 == L4_UNKNOWN)
		v6_search(v);
	return (v->v_l4 == L4_FOUND);
}

/* The number of 8 bytes in network order. */
static inline uint64_t
load64(const uint8_t *p)
{
	return ((uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 |
	    (uint64_t)p[2] << 40 | (uint64_t)p[3] << 32 |
	    (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 |
	    (uint64_t)p[6] << 8 | (uint64_t)p[7]);
}

void
filter_view_init(struct view *v, const struct filter_context *ctx,
    const struct filter_frame *f)
{
	v->v_ctx = ctx;
	v->v_frame = f;
	v->v_ipv4 = f->ethertype == ETHER_IPV4 && f->len >= V4_HDR;
	v->v_ipv6 = f->ethertype == ETHER_IPV6;
	v->v_l4 = v->v_ipv4 ? L4_FOUND : v->v_ipv6 ? L4_UNKNOWN : L4_NONE;
	v->v_pos = v->v_ipv4 ? (size_t)(f->data[0] & 0x0f) * 4 : 0;
	v->v_proto = v->v_ipv4 ? f->data[9] : 0;
}

bool
filter_match(struct view *v, struct state *st, const struct insn *in)
{
	switch (match(v, st, in)) {
	case YES:
		return (true);
	case ALWAYS:
		return (in->i_not == 0);
	case NEVER:
		return (in->i_not != 0);
	default:
		return (false);
	}
}

static enum verdict
match(struct view *v, struct state *st, const struct insn *in)
{
	const struct filter_frame	*f = v->v_frame;

	switch (in->i_type) {
	case MATCH_SOURCE_ZEROTIER_ADDRESS:
		return (plain(in->i_v == f->source));
	case MATCH_DEST_ZEROTIER_ADDRESS:
		return (plain(in->i_v == f->dest));
	case MATCH_VLAN_ID:
		return (plain(in->i_a == f->vlan));
	case MATCH_VLAN_PCP:
	case MATCH_VLAN_DEI:
		/* QUIRK: never looked at in the frame. */
		return (plain(in->i_a == 0));
	case MATCH_MAC_SOURCE:
		return (plain(in->i_v == f->mac_src));
	case MATCH_MAC_DEST:
		return (plain(in->i_v == f->mac_dst));
	case MATCH_IPV4_SOURCE:
		return (match_ipv4(v, in, 12));
	case MATCH_IPV4_DEST:
		return (match_ipv4(v, in, 16));
	case MATCH_IPV6_SOURCE:
		return (match_ipv6(v, in, 8));
	case MATCH_IPV6_DEST:
		return (match_ipv6(v, in, 24));
	case MATCH_IP_TOS:
		return (match_tos(v, in));
	case MATCH_IP_PROTOCOL:
		return (match_protocol(v, in));
	case MATCH_ETHERTYPE:
		return (plain(in->i_a == f->ethertype));
	case MATCH_ICMP:
		return (match_icmp(v, in));
	case MATCH_IP_SOURCE_PORT_RANGE:
		return (match_port(v, in, 0));
	case MATCH_IP_DEST_PORT_RANGE:
		return (match_port(v, in, 2));
	case MATCH_CHARACTERISTICS:
		return (match_characteristics(v, in));
	case MATCH_FRAME_SIZE_RANGE:
		return (plain(in_range(in, f->len)));
	case MATCH_RANDOM:
		return (plain(v->v_ctx->fc_random(v->v_ctx->fc_random_arg) <=
		    in->i_a));
	case MATCH_TAGS_DIFFERENCE:
	case MATCH_TAGS_BITWISE_AND:
	case MATCH_TAGS_BITWISE_OR:
	case MATCH_TAGS_BITWISE_XOR:
	case MATCH_TAGS_EQUAL:
		return (match_tags(v, st, in));
	case MATCH_TAG_SENDER:
	case MATCH_TAG_RECEIVER:
		return (match_one_tag(v, st, in));
	case MATCH_INTEGER_RANGE:
		return (plain(match_integer(v, in)));
	default:
		return (plain((v->v_ctx->fc_netconf->nc_flags &
		    NETCONF_UNKNOWN_MATCH) != 0));
	}
}

static enum verdict
match_ipv4(const struct view *v, const struct insn *in, size_t off)
{
	const uint8_t	*p;
	uint32_t	 ip;

	if (!v->v_ipv4)
		return (NEVER);
	p = v->v_frame->data + off;
	ip = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
	return (plain((ip & in->i_b) == in->i_a));
}

static enum verdict
match_ipv6(const struct view *v, const struct insn *in, size_t off)
{
	const uint8_t	*p;
	uint64_t	 high, low;
	unsigned	 bits = in->i_a;

	if (!v->v_ipv6 || v->v_frame->len < V6_HDR)
		return (NEVER);
	p = v->v_frame->data + off;
	high = bits == 0 ? 0 : bits >= 64 ? UINT64_MAX :
	    UINT64_MAX << (64 - bits);
	low = bits <= 64 ? 0 : UINT64_MAX << (128 - bits);
	return (plain((load64(p) & high) == in->i_v &&
	    (load64(p + 8) & low) == in->i_w));
}

static enum verdict
match_tos(const struct view *v, const struct insn *in)
{
	const uint8_t	*p = v->v_frame->data;
	uint8_t		 tos;

	if (v->v_ipv4)
		tos = p[1];
	else if (v->v_ipv6 && v->v_frame->len >= V6_HDR)
		tos = (uint8_t)(p[0] << 4 | p[1] >> 4);
	else
		return (NEVER);
	return (plain(in_range(in, tos & in->i_v)));
}

static enum verdict
match_protocol(struct view *v, const struct insn *in)
{
	if (!ip_payload(v))
		return (NEVER);
	return (plain(v->v_proto == in->i_a));
}

/* QUIRK: without a code to compare NOT has no effect on a type that fits. */
static enum verdict
match_icmp(struct view *v, const struct insn *in)
{
	const uint8_t	*p = v->v_frame->data;

	if (!ip_payload(v) ||
	    v->v_proto != (v->v_ipv4 ? PROTO_ICMP : PROTO_ICMP6) ||
	    v->v_frame->len < v->v_pos + 2 || p[v->v_pos] != in->i_a)
		return (NEVER);
	if ((in->i_v & ICMP_HAS_CODE) == 0)
		return (ALWAYS);
	return (plain(p[v->v_pos + 1] == in->i_b));
}

/*
 * off is that of the port in the header.  QUIRK: one byte more than the
 * ports must be there, and port 0 does not match on IPv6.
 */
static enum verdict
match_port(struct view *v, const struct insn *in, size_t off)
{
	const uint8_t	*p;
	unsigned	 port;

	if (!ip_payload(v))
		return (NEVER);
	if (!has_ports(v->v_proto) || v->v_frame->len <= v->v_pos + 4)
		return (NO);
	p = v->v_frame->data + v->v_pos + off;
	port = (unsigned)p[0] << 8 | p[1];
	if (v->v_ipv6 && port == 0)
		return (NO);
	return (plain(in_range(in, port)));
}

/* Any of the bits will do, so only what is asked for is found out. */
static enum verdict
match_characteristics(struct view *v, const struct insn *in)
{
	const struct filter_frame	*f = v->v_frame;
	uint64_t			 mask = in->i_v;

	if ((mask & C_INBOUND) != 0 && f->inbound)
		return (YES);
	if ((mask & C_MULTICAST) != 0 && mac_multicast(f->mac_dst))
		return (YES);
	if ((mask & C_BROADCAST) != 0 && f->mac_dst == MAC_BROADCAST)
		return (YES);
	if ((mask & C_TCP) != 0 && (tcp_flags(v) & mask) != 0)
		return (YES);
	if ((mask & C_SENDER_MAC) != 0 && sender_mac(v))
		return (YES);
	if ((mask & C_SENDER_IP) != 0 && sender_ip(v))
		return (YES);
	return (NO);
}

/*
 * Our tag beside the peer's.  Outbound an unknown tag of the peer must not
 * stop the frame, as the receiver, who knows it, evaluates the table too.
 */
static enum verdict
match_tags(const struct view *v, struct state *st, const struct insn *in)
{
	uint32_t	ours, theirs, value = in->i_b;

	if (!own_tag(v, in->i_a, &ours))
		return (NEVER);
	if (!peer_tag(v, in->i_a, &theirs)) {
		if (v->v_frame->inbound && !st->st_super)
			return (NEVER);
		st->st_skipdrop = true;
		return (ALWAYS);
	}
	switch (in->i_type) {
	case MATCH_TAGS_DIFFERENCE:
		return (plain((ours > theirs ? ours - theirs :
		    theirs - ours) <= value));
	case MATCH_TAGS_BITWISE_AND:
		return (plain((ours & theirs) == value));
	case MATCH_TAGS_BITWISE_OR:
		return (plain((ours | theirs) == value));
	case MATCH_TAGS_BITWISE_XOR:
		return (plain((ours ^ theirs) == value));
	default:
		return (plain(ours == value && theirs == value));
	}
}

static enum verdict
match_one_tag(const struct view *v, struct state *st, const struct insn *in)
{
	uint32_t	tag;
	bool		sender;

	if (st->st_super) {
		st->st_skipdrop = true;
		return (ALWAYS);
	}
	sender = in->i_type == MATCH_TAG_SENDER;
	if (sender != v->v_frame->inbound) {
		/* Our own side is meant. */
		if (!own_tag(v, in->i_a, &tag))
			return (NEVER);
	} else if (!peer_tag(v, in->i_a, &tag)) {
		if (sender)
			return (NEVER);
		st->st_skipdrop = true;
		return (ALWAYS);
	}
	return (plain(tag == in->i_b));
}

/*
 * A number in the payload; 0 when it is not all there.  QUIRK: big-endian
 * ones stand at the end of the eight bytes from the index on, little-endian
 * ones lose their low bits, not their high ones.
 */
static bool
match_integer(const struct view *v, const struct insn *in)
{
	const uint8_t	*p;
	uint64_t	 value = 0;
	size_t		 bits, i, k, off = in->i_a;
	bool		 little;

	bits = (in->i_b & INTEGER_BITS) + 1;
	little = (in->i_b & INTEGER_LITTLE) != 0;
	k = (bits + 7) / 8;
	if (!little)
		off += 8 - k;
	if (off + k <= v->v_frame->len) {
		p = v->v_frame->data + off;
		for (i = 0; i < k; i++)
			value = value << 8 | p[little ? k - 1 - i : i];
		if (little)
			value >>= 8 * k - bits;
		else if (bits < 64)
			value &= ((uint64_t)1 << bits) - 1;
	}
	return (value >= in->i_v && value - in->i_v <= in->i_w);
}

static bool
has_ports(uint8_t proto)
{
	return (proto == PROTO_TCP || proto == PROTO_UDP ||
	    proto == PROTO_SCTP || proto == PROTO_UDPLITE);
}

/*
 * Walk over the extension headers that have the common form; any other
 * next header is the payload.  It may begin where the frame ends.
 */
static void
v6_search(struct view *v)
{
	const uint8_t	*p = v->v_frame->data;
	size_t		 n = v->v_frame->len, pos = V6_HDR;
	uint8_t		 proto;

	v->v_l4 = L4_NONE;
	if (n < V6_HDR)
		return;
	for (proto = p[6]; pos <= n;) {
		switch (proto) {
		case 0:		/* hop-by-hop options */
		case 43:	/* routing */
		case 60:	/* destination options */
		case 135:	/* mobility */
			if (pos + 8 > n)
				return;
			proto = p[pos];
			pos += 8 * (size_t)p[pos + 1] + 8;
			break;
		default:
			v->v_l4 = L4_FOUND;
			v->v_pos = pos;
			v->v_proto = proto;
			return;
		}
	}
}

/* The flags, and over them NS and the reserved bits. */
static uint64_t
tcp_flags(struct view *v)
{
	size_t	hdr;

	if (!ip_payload(v) || v->v_proto != PROTO_TCP)
		return (0);
	hdr = v->v_pos;
	if (v->v_ipv6 && v->v_frame->len <= hdr + 14)
		return (0);
	return ((uint64_t)(byte_at(v, hdr + 12) & 0x0f) << 8 |
	    byte_at(v, hdr + 13));
}

/* Does the address that the sender uses belong to it? */
static bool
sender_ip(const struct view *v)
{
	const uint8_t	*p = v->v_frame->data;
	size_t		 n = v->v_frame->len;

	if (v->v_ipv4)
		return (owns_ip(v, 4, 12));
	if (v->v_frame->ethertype == ETHER_ARP && n >= ARP_LEN)
		return (owns_ip(v, 4, 14));
	if (!v->v_ipv6 || n < V6_HDR)
		return (false);
	if (n >= V6_NDP && p[6] == PROTO_ICMP6) {
		if (p[40] == NDP_SOLICITATION)
			return (true);
		if (p[40] == NDP_ADVERTISEMENT)
			return (owns_ip(v, 6, 48));
	}
	return (owns_ip(v, 6, 8));
}

static bool
sender_mac(const struct view *v)
{
	const struct netconf		*nc = v->v_ctx->fc_netconf;
	const struct filter_peer	*fp = v->v_ctx->fc_peer;
	unsigned			 i;

	if (v->v_frame->inbound)
		return (fp != NULL &&
		    fp->fp_owns_mac(fp->fp_arg, v->v_frame->mac_src));
	for (i = 0; i < nc->nc_ncoos; i++) {
		if (coo_owns_mac(&nc->nc_coos[i], v->v_frame->mac_src))
			return (true);
	}
	return (false);
}

/* The address of this family at off: the peer's inbound, ours outbound. */
static bool
owns_ip(const struct view *v, uint8_t family, size_t off)
{
	const struct netconf		*nc = v->v_ctx->fc_netconf;
	const struct filter_peer	*fp = v->v_ctx->fc_peer;
	struct inet_addr		 ia;
	unsigned			 i;

	memset(&ia, 0, sizeof(ia));
	ia.ia_family = family;
	memcpy(ia.ia_ip, v->v_frame->data + off, family == 4 ? 4 : 16);
	if (v->v_frame->inbound)
		return (fp != NULL && fp->fp_owns_ip(fp->fp_arg, &ia));
	for (i = 0; i < nc->nc_ncoos; i++) {
		if (coo_owns_ip(&nc->nc_coos[i], &ia))
			return (true);
	}
	return (false);
}

/* The value of our own tag; the configuration has them by ascending id. */
static bool
own_tag(const struct view *v, uint32_t id, uint32_t *value)
{
	const struct netconf	*nc = v->v_ctx->fc_netconf;
	unsigned		 low = 0, high = nc->nc_ntags, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (nc->nc_tags[mid].tag_id < id)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == nc->nc_ntags || nc->nc_tags[low].tag_id != id)
		return (false);
	*value = nc->nc_tags[low].tag_value;
	return (true);
}

static bool
peer_tag(const struct view *v, uint32_t id, uint32_t *value)
{
	const struct filter_peer	*fp = v->v_ctx->fc_peer;

	return (fp != NULL && fp->fp_tag(fp->fp_arg, id, value));
}

/* A byte of the payload; 0 behind its end. */
static uint8_t
byte_at(const struct view *v, size_t off)
{
	return (off < v->v_frame->len ? v->v_frame->data[off] : 0);
}
