/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "regress/lib/naive.h"
#include "regress/lib/twofilters.h"
#include "ztd-net/core/filter.h"

#define RULES	24		/* in a table, at most */
#define FRAME	160

/* The nodes and MACs that occur: a few, so that they meet. */
static const uint64_t nodes[8] = {
	0x1111111111, 0x2222222222, 0x3333333333, 0x4444444444,
	0x1111111111, 0x2222222222, 0x5555555555, 0
};
static const uint64_t macs[8] = {
	0x32a1a1a1a1a1, 0x32b2b2b2b2b2, 0xffffffffffff, 0x01005e000001,
	0x3333ff000001, 0x32a1a1a1a1a1, 0, 0x02c3c3c3c3c3
};
static const uint8_t protocols[16] = {
	6, 6, 6, 17, 17, 1, 58, 58, 0, 43, 60, 135, 132, 136, 44, 50
};

struct stream {
	const uint8_t	*p;
	size_t		 left;
};

struct both {
	struct naive_world w;
	struct netconf	 nc;
	struct rule	 rules[1 + NAIVE_CAPS][RULES];
	struct filter_program *peer_caps[NAIVE_CAPS];
	uint8_t		 data[FRAME];
	struct twofilters *tf;
};

static unsigned
u8(struct stream *s)
{
	if (s->left == 0)
		return (0);
	s->left--;
	return (*s->p++);
}

static uint64_t
number(struct stream *s, unsigned bytes)
{
	uint64_t	v = 0;

	while (bytes-- > 0)
		v = v << 8 | u8(s);
	return (v);
}

/* Where the payload of IP is likely to be. */
static unsigned
l4(const struct both *b)
{
	return (b->w.ethertype == 0x86dd ? 40 : (b->data[0] & 15) * 4);
}

/* --- the frame -------------------------------------------------------- */

static void
make_frame(struct stream *s, struct both *b)
{
	unsigned	kind = u8(s), i;

	for (i = 0; i < FRAME; i++)
		b->data[i] = (uint8_t)(i * 37);
	b->w.data = b->data;
	b->w.len = u8(s) % (FRAME + 1);
	switch (kind % 8) {
	case 0: case 1: case 2:
		b->w.ethertype = 0x0800;
		b->data[0] = kind & 0x80 ? 0x45 : (uint8_t)u8(s);
		b->data[1] = (uint8_t)u8(s);
		b->data[9] = protocols[u8(s) % 16];
		break;
	case 3: case 4: case 5:
		b->w.ethertype = 0x86dd;
		b->data[0] = 0x60 | (u8(s) & 15);
		b->data[1] = (uint8_t)u8(s);
		b->data[6] = protocols[u8(s) % 16];
		/* Some of the headers that may follow. */
		b->data[40] = protocols[u8(s) % 16];
		b->data[41] = u8(s) % 4;
		if (kind & 0x80)
			b->data[40] = 0x87 + (kind >> 6 & 1);
		break;
	case 6:
		b->w.ethertype = 0x0806;
		break;
	default:
		b->w.ethertype = (unsigned)number(s, 2);
	}
	if (u8(s) % 8 == 0)
		memset(b->data + l4(b) % (FRAME - 4), 0, 4);	/* ports */
	/* A few bytes anywhere: ports, flags, addresses, options. */
	for (i = u8(s) % 16; i > 0; i--)
		b->data[u8(s) % FRAME] = (uint8_t)u8(s);
}

/* --- tags and addresses ----------------------------------------------- */

static unsigned
make_tags(struct stream *s, struct naive_tag *tags)
{
	unsigned	i, n = u8(s) % NAIVE_TAGS;

	/* Ascending ids, as a configuration has them. */
	for (i = 0; i < n; i++) {
		tags[i].id = (i == 0 ? 0 : tags[i - 1].id) + 1 + u8(s) % 2;
		tags[i].value = u8(s) % 8;
	}
	return (n);
}

/* Things that the frame may well name as its sender. */
static unsigned
make_owned(struct stream *s, const struct both *b, struct naive_owned *o)
{
	static const size_t	at[4] = { 12, 14, 8, 48 };
	unsigned		i, k, n = u8(s) % (NAIVE_OWNED + 1), j;

	for (i = 0; i < n; i++) {
		memset(&o[i], 0, sizeof(o[i]));
		k = u8(s) % 8;
		if (k >= 4) {
			o[i].type = 1;
			for (j = 0; j < 6; j++)
				o[i].value[j] = (uint8_t)(macs[k] >>
				    (40 - 8 * j));
			continue;
		}
		o[i].type = k < 2 ? 2 : 3;
		memcpy(o[i].value, b->data + at[k], k < 2 ? 4 : 16);
		o[i].value[0] ^= u8(s) % 2;
	}
	return (n);
}

/* --- the rules -------------------------------------------------------- */

static void
make_ip(struct stream *s, const struct both *b, struct rule *r, size_t at,
    size_t n)
{
	unsigned	i, bits = u8(s) % (n * 8 + 9);

	memcpy(r->r_u.ip.ip, b->data + at, n);
	r->r_u.ip.bits = (uint8_t)bits;
	/* Mostly as a network is written, without host bits. */
	if (u8(s) % 4 != 0)
		for (i = bits; i < n * 8; i++)
			r->r_u.ip.ip[i / 8] &= (uint8_t)~(0x80 >> i % 8);
	if (u8(s) % 4 == 0)
		r->r_u.ip.ip[u8(s) % n] ^= (uint8_t)(1 << u8(s) % 8);
}

static void
make_range(struct stream *s, struct rule *r, unsigned near)
{
	r->r_u.range.start = (uint16_t)(near + u8(s) % 5 - 2);
	r->r_u.range.end = (uint16_t)(r->r_u.range.start + u8(s) % 4);
	if (u8(s) % 8 == 0)
		r->r_u.range.end = (uint16_t)number(s, 2);
}

static void
make_integer(struct stream *s, const struct both *b, struct rule *r)
{
	unsigned	i;

	r->r_u.integer.format = (uint8_t)u8(s);
	r->r_u.integer.index = (uint16_t)(u8(s) % (FRAME + 4));
	r->r_u.integer.span = (uint32_t)number(s, 1 + u8(s) % 4);
	for (i = 0; i < 8; i++)
		r->r_u.integer.start = r->r_u.integer.start << 8 |
		    b->data[(r->r_u.integer.index + i) % FRAME];
	r->r_u.integer.start >>= u8(s) % 64;
}

static void
make_match(struct stream *s, const struct both *b, struct rule *r)
{
	const uint8_t	*p = b->data;

	switch (r->r_t & RULE_TYPE) {
	case MATCH_SOURCE_ZEROTIER_ADDRESS:
	case MATCH_DEST_ZEROTIER_ADDRESS:
		r->r_u.zt = nodes[u8(s) % 8];
		break;
	case MATCH_VLAN_ID:
		r->r_u.vlan_id = u8(s) % 2;
		break;
	case MATCH_VLAN_PCP:
		r->r_u.vlan_pcp = u8(s) % 2;
		break;
	case MATCH_VLAN_DEI:
		r->r_u.vlan_dei = u8(s) % 2;
		break;
	case MATCH_MAC_SOURCE:
	case MATCH_MAC_DEST:
		r->r_u.mac = macs[u8(s) % 8];
		break;
	case MATCH_IPV4_SOURCE:
		make_ip(s, b, r, 12, 4);
		break;
	case MATCH_IPV4_DEST:
		make_ip(s, b, r, 16, 4);
		break;
	case MATCH_IPV6_SOURCE:
		make_ip(s, b, r, 8, 16);
		break;
	case MATCH_IPV6_DEST:
		make_ip(s, b, r, 24, 16);
		break;
	case MATCH_IP_TOS:
		r->r_u.tos.mask = (uint8_t)u8(s);
		r->r_u.tos.start = (uint8_t)u8(s);
		r->r_u.tos.end = (uint8_t)u8(s);
		break;
	case MATCH_IP_PROTOCOL:
		r->r_u.ip_protocol = protocols[u8(s) % 16];
		break;
	case MATCH_ETHERTYPE:
		r->r_u.ethertype = u8(s) % 2 ? (uint16_t)b->w.ethertype :
		    0x0800;
		break;
	case MATCH_ICMP:
		r->r_u.icmp.type = (uint8_t)(p[l4(b)] + u8(s) % 2);
		r->r_u.icmp.code = (uint8_t)(p[l4(b) + 1] + u8(s) % 2);
		r->r_u.icmp.flags = u8(s) % 4;
		break;
	case MATCH_IP_SOURCE_PORT_RANGE:
		make_range(s, r, p[l4(b)] << 8 | p[l4(b) + 1]);
		break;
	case MATCH_IP_DEST_PORT_RANGE:
		make_range(s, r, p[l4(b) + 2] << 8 | p[l4(b) + 3]);
		break;
	case MATCH_CHARACTERISTICS:
		r->r_u.characteristics = 1ULL << u8(s) % 64;
		if (u8(s) % 2)
			r->r_u.characteristics |= number(s, 8);
		break;
	case MATCH_FRAME_SIZE_RANGE:
		make_range(s, r, (unsigned)b->w.len);
		break;
	case MATCH_RANDOM:
		r->r_u.probability = b->w.random + u8(s) % 3 - 1;
		break;
	case MATCH_INTEGER_RANGE:
		make_integer(s, b, r);
		break;
	default:
		/* Tags, and what has no meaning. */
		r->r_u.tag.id = 1 + u8(s) % 8;
		r->r_u.tag.value = u8(s) % 8;
	}
}

static unsigned
make_table(struct stream *s, struct both *b, struct rule *rules)
{
	struct rule	*r;
	unsigned	 i, n = u8(s) % (RULES + 1), t;

	for (i = 0; i < n; i++) {
		r = &rules[i];
		memset(r, 0, sizeof(*r));
		t = u8(s);
		/* An action now and then, else a match. */
		if (t % 4 == 0)
			r->r_t = (uint8_t)(u8(s) % 8);
		else
			r->r_t = (uint8_t)((t & 0xc0) | (22 + u8(s) % 32));
		b->tf->tf_types |= 1ULL << (r->r_t & RULE_TYPE);
		if ((r->r_t & RULE_TYPE) <= RULE_ACTION_MAX) {
			r->r_u.fwd.addr = nodes[u8(s) % 8];
			r->r_u.fwd.length = u8(s) % 2 ? 0 : (uint16_t)u8(s);
		} else
			make_match(s, b, r);
	}
	return (n);
}

/* --- the same for the engine ------------------------------------------ */

static bool
peer_tag(void *arg, uint32_t id, uint32_t *value)
{
	const struct both	*b = arg;
	unsigned		 i;

	for (i = 0; i < b->w.npeer_tags; i++)
		if (b->w.peer_tags[i].id == id) {
			*value = b->w.peer_tags[i].value;
			return (true);
		}
	return (false);
}

static void
to_coo(struct coo *coo, const struct naive_owned *o, unsigned n)
{
	unsigned	i;

	memset(coo, 0, sizeof(*coo));
	coo->coo_n = n;
	for (i = 0; i < n; i++) {
		coo->coo_things[i].type = o[i].type;
		memcpy(coo->coo_things[i].value, o[i].value, 16);
	}
}

static bool
peer_owns_ip(void *arg, const struct inet_addr *ia)
{
	const struct both	*b = arg;
	struct coo		 coo;

	to_coo(&coo, b->w.peer_owned, b->w.npeer_owned);
	return (coo_owns_ip(&coo, ia));
}

static bool
peer_owns_mac(void *arg, uint64_t mac)
{
	const struct both	*b = arg;
	struct coo		 coo;

	to_coo(&coo, b->w.peer_owned, b->w.npeer_owned);
	return (coo_owns_mac(&coo, mac));
}

static const struct filter_program *
peer_capability(void *arg, unsigned i)
{
	const struct both	*b = arg;

	return (i < b->w.ncaps ? b->peer_caps[i] : NULL);
}

static uint32_t
fixed_random(void *arg)
{
	const struct both	*b = arg;

	return (b->w.random);
}

static void
engine_config(struct both *b)
{
	struct netconf	*nc = &b->nc;
	unsigned	 i;

	nc->nc_flags = b->w.unknown_match ? NETCONF_UNKNOWN_MATCH : 0;
	nc->nc_rules = b->rules[0];
	nc->nc_nrules = b->w.base.n;
	nc->nc_tags = calloc(NAIVE_TAGS, sizeof(*nc->nc_tags));
	nc->nc_caps = calloc(NAIVE_CAPS, sizeof(*nc->nc_caps));
	if (nc->nc_tags == NULL || nc->nc_caps == NULL)
		abort();
	for (i = 0; i < b->w.nown_tags; i++) {
		nc->nc_tags[i].tag_id = b->w.own_tags[i].id;
		nc->nc_tags[i].tag_value = b->w.own_tags[i].value;
	}
	nc->nc_ntags = b->w.nown_tags;
	to_coo(&nc->nc_coos[0], b->w.own_owned, b->w.nown_owned);
	nc->nc_ncoos = 1;
	if (b->w.inbound)
		return;
	for (i = 0; i < b->w.ncaps; i++) {
		nc->nc_caps[i].cap_id = i;
		nc->nc_caps[i].cap_nrules = b->w.caps[i].n;
		memcpy(nc->nc_caps[i].cap_rules, b->w.caps[i].rules,
		    b->w.caps[i].n * sizeof(struct rule));
	}
	nc->nc_ncaps = b->w.ncaps;
}

static void
engine_decide(struct both *b, struct filter_decision *fd, bool logged)
{
	const struct filter_frame	 ff = {
		.inbound = b->w.inbound, .source = b->w.source,
		.dest = b->w.dest, .mac_src = b->w.mac_src,
		.mac_dst = b->w.mac_dst,
		.ethertype = (uint16_t)b->w.ethertype, .vlan = b->w.vlan,
		.data = b->w.data, .len = b->w.len
	};
	const struct filter_peer	 fp = {
		peer_tag, peer_owns_ip, peer_owns_mac, peer_capability, b
	};
	struct filter_context		 fc = {
		.fc_netconf = &b->nc, .fc_self = b->w.self,
		.fc_peer = b->w.has_peer ? &fp : NULL,
		.fc_random = fixed_random, .fc_random_arg = b
	};
	struct filter_rules		*fr;
	struct filter_log		 log;

	if ((fr = filter_rules_new(&b->nc)) == NULL)
		abort();
	fc.fc_rules = fr;
	if (b->w.inbound)
		filter_inbound(fd, &fc, &ff, logged ? &log : NULL);
	else
		filter_outbound(fd, &fc, &ff, b->w.copies,
		    logged ? &log : NULL);
	filter_rules_free(fr);
}

static const char *
differ(const struct naive_answer *na, const struct filter_decision *fd)
{
	static char	text[160];
	static const enum filter_result same[] = {
		[NAIVE_DROP] = FILTER_DROP, [NAIVE_ACCEPT] = FILTER_ACCEPT,
		[NAIVE_SUPER_ACCEPT] = FILTER_SUPER_ACCEPT,
		[NAIVE_REDIRECT] = FILTER_REDIRECT
	};
	unsigned	i;

	if (same[na->result] != fd->fd_result) {
		snprintf(text, sizeof(text), "result %d, naive %d",
		    fd->fd_result, na->result);
		return (text);
	}
	if (na->result == NAIVE_REDIRECT && na->redirect != fd->fd_redirect)
		return ("redirected to another node");
	if (na->ncopies != fd->fd_ncopies)
		return ("another number of copies");
	for (i = 0; i < na->ncopies; i++)
		if (na->copies[i].node != fd->fd_copies[i].fcp_node ||
		    na->copies[i].len != fd->fd_copies[i].fcp_len ||
		    na->copies[i].watch != fd->fd_copies[i].fcp_watch)
			return ("another copy");
	return (NULL);
}

const char *
twofilters(const uint8_t *p, size_t len, struct twofilters *tf)
{
	struct stream		 s = { p, len };
	struct both		*b;
	struct naive_answer	 na;
	struct filter_decision	 fd;
	const char		*res;
	unsigned		 flags, i;

	memset(tf, 0, sizeof(*tf));
	if ((b = calloc(1, sizeof(*b))) == NULL)
		abort();
	b->tf = tf;
	flags = u8(&s);
	b->w.inbound = flags & 1;
	/* Of a sender there is always a record, if only an empty one. */
	b->w.has_peer = b->w.inbound || (flags & 2) != 0;
	b->w.unknown_match = flags & 4;
	b->w.copies = flags & 8;
	b->w.vlan = flags >> 4 & 1;
	b->w.self = nodes[0];
	b->w.source = b->w.inbound ? nodes[1] : nodes[0];
	b->w.dest = b->w.inbound ? nodes[0] : nodes[1 + (flags >> 5 & 1) * 6];
	if (b->w.dest == 0)
		b->w.has_peer = b->w.inbound;
	b->w.mac_src = macs[u8(&s) % 8];
	b->w.mac_dst = macs[u8(&s) % 8];
	b->w.random = (uint32_t)number(&s, 4);
	make_frame(&s, b);
	b->w.nown_tags = make_tags(&s, b->w.own_tags);
	b->w.npeer_tags = make_tags(&s, b->w.peer_tags);
	b->w.nown_owned = make_owned(&s, b, b->w.own_owned);
	b->w.npeer_owned = make_owned(&s, b, b->w.peer_owned);
	b->w.base.rules = b->rules[0];
	b->w.base.n = make_table(&s, b, b->rules[0]);
	b->w.ncaps = u8(&s) % (NAIVE_CAPS + 1);
	if (b->w.inbound && !b->w.has_peer)
		b->w.ncaps = 0;
	for (i = 0; i < b->w.ncaps; i++) {
		b->w.caps[i].rules = b->rules[1 + i];
		b->w.caps[i].n = make_table(&s, b, b->rules[1 + i]);
		b->peer_caps[i] = filter_compile(b->w.caps[i].rules,
		    b->w.caps[i].n, i);
	}
	engine_config(b);
	naive_decide(&b->w, &na);
	tf->tf_result = na.result;
	tf->tf_copies = na.ncopies;
	engine_decide(b, &fd, false);
	res = differ(&na, &fd);
	if (res == NULL) {
		engine_decide(b, &fd, true);
		res = differ(&na, &fd);
	}
	for (i = 0; i < b->w.ncaps; i++)
		filter_program_free(b->peer_caps[i]);
	b->nc.nc_rules = NULL;
	b->nc.nc_nrules = 0;
	netconf_clear(&b->nc);
	free(b);
	return (res);
}
