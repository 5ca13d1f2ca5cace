/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Super-frames cut into segments.  Spec: 06 section 10.1.
 */

#include <string.h>

#include "common/buf.h"
#include "common/inetsum.h"
#include "common/split.h"

#define ETHER_HDR	14		/* in front of what we are given */
#define ETHER_IPV4	0x0800
#define ETHER_IPV6	0x86dd
#define ETHER_VLAN	0x8100
#define ETHER_QINQ	0x88a8
#define VLAN_TAGS	2

#define IPV4_HDR	20
#define IPV4_LEN	2		/* offsets in the header */
#define IPV4_ID		4
#define IPV4_CSUM	10
#define IPV4_HDR_MAX	60
#define IPV4_FRAGMENT	0x3fff		/* more follow, or where it belongs */
#define IPV6_HDR	40
#define IPV6_LEN	4

#define PROTO_TCP	6
#define PROTO_UDP	17

#define TCP_HDR		20
#define TCP_SEQ		4
#define TCP_FLAGS	12		/* length and flags, 16 bits */
#define TCP_CSUM	16
#define TCP_HDR_MAX	60
#define TCP_FIN		0x01
#define TCP_PSH		0x08
#define TCP_CWR		0x80
#define UDP_HDR		8
#define UDP_LEN		4
#define UDP_CSUM	6

static bool	begin_csum(struct split *, const struct offload *);
static bool	begin_super(struct split *, const struct offload *, uint16_t);
static bool	get_ip(struct split *, const struct offload *, uint16_t,
		    struct rbuf *, uint8_t *);
static bool	get_ipv4(struct rbuf *, uint8_t *);
static bool	get_ipv6(struct rbuf *, uint8_t *);
static bool	get_l4(struct split *, const struct offload *, struct rbuf *,
		    uint8_t);
static void	sum_headers(struct split *);
static void	put_ip(const struct split *, uint8_t *, size_t);
static void	put_l4(const struct split *, uint8_t *, size_t, uint64_t);
static void	put_csum(uint8_t *, uint64_t, bool);

static inline unsigned
get16(const uint8_t *p)
{
	return ((unsigned)p[0] << 8 | p[1]);
}

static inline void
put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

unsigned
split_begin(struct split *sp, const struct offload *of, uint16_t ethertype,
    const uint8_t *p, size_t len)
{
	static const struct offload	 none = { .of_type = OFFLOAD_NONE };
	bool				 good = true;

	if (of == NULL)
		of = &none;
	memset(sp, 0, sizeof(*sp));
	sp->sp_p = p;
	sp->sp_len = len;
	sp->sp_size = len;
	sp->sp_n = 1;
	if (of->of_type != OFFLOAD_NONE)
		good = begin_super(sp, of, ethertype);
	else if ((of->of_flags & OFFLOAD_CSUM) != 0)
		good = begin_csum(sp, of);
	if (!good || len == 0)
		sp->sp_n = 0;
	return (sp->sp_n);
}

/* One frame of any kind: the sum is over all from one place on. */
static bool
begin_csum(struct split *sp, const struct offload *of)
{
	size_t	at = (size_t)of->of_csum_start + of->of_csum_offset;

	if (of->of_csum_start < ETHER_HDR || at + 2 > ETHER_HDR + sp->sp_len)
		return (false);
	sp->sp_kind = SPLIT_CSUM;
	sp->sp_l4 = of->of_csum_start - ETHER_HDR;
	sp->sp_csum = at - ETHER_HDR;
	return (true);
}

static bool
begin_super(struct split *sp, const struct offload *of, uint16_t ethertype)
{
	struct rbuf	 rb;
	uint8_t		 proto;
	size_t		 left;

	rbuf_init(&rb, sp->sp_p, sp->sp_len);
	if (of->of_size == 0 || (of->of_flags & OFFLOAD_CSUM) == 0 ||
	    of->of_hdrlen > ETHER_HDR + sp->sp_len ||
	    !get_ip(sp, of, ethertype, &rb, &proto) ||
	    !get_l4(sp, of, &rb, proto))
		return (false);
	/* It says that its own checksum is missing, and no other. */
	if (of->of_csum_start != ETHER_HDR + sp->sp_l4 ||
	    of->of_csum_offset != sp->sp_csum - sp->sp_l4)
		return (false);
	left = sp->sp_len - sp->sp_hdr;
	sp->sp_at = sp->sp_hdr;
	sp->sp_size = of->of_size;
	if (left > 0)
		sp->sp_n = (unsigned)((left + sp->sp_size - 1) / sp->sp_size);
	sum_headers(sp);
	return (true);
}

/* Up to the header of TCP or UDP, whose protocol number is returned. */
static bool
get_ip(struct split *sp, const struct offload *of, uint16_t ethertype,
    struct rbuf *rb, uint8_t *proto)
{
	uint8_t		 type = of->of_type & (uint8_t)~OFFLOAD_ECN;
	unsigned	 i;

	for (i = 0; i < VLAN_TAGS && (ethertype == ETHER_VLAN ||
	    ethertype == ETHER_QINQ); i++) {
		rbuf_skip(rb, 2);
		ethertype = rbuf_u16(rb);
	}
	sp->sp_ip = sp->sp_len - rb->rb_left;
	sp->sp_ipv6 = ethertype == ETHER_IPV6;
	if (ethertype == ETHER_IPV4)
		return (type != OFFLOAD_TCP6 && get_ipv4(rb, proto));
	return (sp->sp_ipv6 && type != OFFLOAD_TCP4 && get_ipv6(rb, proto));
}

static bool
get_ipv4(struct rbuf *rb, uint8_t *proto)
{
	size_t		 whole = rb->rb_left, hdr, total;
	unsigned	 first, fragment;

	first = rbuf_u8(rb);
	rbuf_skip(rb, 1);
	total = rbuf_u16(rb);
	rbuf_skip(rb, 2);
	fragment = rbuf_u16(rb);
	rbuf_skip(rb, 1);
	*proto = rbuf_u8(rb);
	rbuf_skip(rb, 10);
	hdr = 4 * (size_t)(first & 15);
	if (first >> 4 != 4 || hdr < IPV4_HDR || total != whole ||
	    (fragment & IPV4_FRAGMENT) != 0)
		return (false);
	rbuf_skip(rb, hdr - IPV4_HDR);
	return (rbuf_ok(rb));
}

static bool
get_ipv6(struct rbuf *rb, uint8_t *proto)
{
	size_t		 payload, n;
	unsigned	 first;

	first = rbuf_u8(rb);
	rbuf_skip(rb, 3);
	payload = rbuf_u16(rb);
	*proto = rbuf_u8(rb);
	rbuf_skip(rb, 33);
	if (first >> 4 != 6 || payload != rb->rb_left)
		return (false);
	/* Options for every hop, routing, options for the destination. */
	while (rbuf_ok(rb) && (*proto == 0 || *proto == 43 || *proto == 60)) {
		*proto = rbuf_u8(rb);
		n = rbuf_u8(rb);
		rbuf_skip(rb, 8 * n + 6);
	}
	return (rbuf_ok(rb));
}

static bool
get_l4(struct split *sp, const struct offload *of, struct rbuf *rb,
    uint8_t proto)
{
	size_t	 whole = rb->rb_left, hdr, total;

	sp->sp_l4 = sp->sp_len - whole;
	if (of->of_type == OFFLOAD_UDP && proto == PROTO_UDP) {
		rbuf_skip(rb, UDP_LEN);
		total = rbuf_u16(rb);
		rbuf_skip(rb, 2);
		if (total != whole)
			return (false);
		sp->sp_kind = SPLIT_UDP;
		sp->sp_csum = sp->sp_l4 + UDP_CSUM;
	} else if (((of->of_type & ~OFFLOAD_ECN) == OFFLOAD_TCP4 ||
	    (of->of_type & ~OFFLOAD_ECN) == OFFLOAD_TCP6) &&
	    proto == PROTO_TCP) {
		rbuf_skip(rb, TCP_FLAGS);
		hdr = 4 * (size_t)(rbuf_u8(rb) >> 4);
		if (hdr < TCP_HDR)
			return (false);
		rbuf_skip(rb, hdr - TCP_FLAGS - 1);
		sp->sp_kind = SPLIT_TCP;
		sp->sp_csum = sp->sp_l4 + TCP_CSUM;
	} else
		return (false);
	sp->sp_hdr = sp->sp_len - rb->rb_left;
	return (rbuf_ok(rb));
}

/*
 * The checksum field has the sum of the pseudo header, with the length of
 * the whole.  It is used, rather than made from the addresses, because where
 * an option or a header names a route it is of the route's end.
 */
static void
sum_headers(struct split *sp)
{
	uint8_t	 hdr[IPV4_HDR_MAX > TCP_HDR_MAX ? IPV4_HDR_MAX : TCP_HDR_MAX];
	size_t	 n;

	if (!sp->sp_ipv6) {
		n = 4 * (size_t)(sp->sp_p[sp->sp_ip] & 15);
		memcpy(hdr, sp->sp_p + sp->sp_ip, n);
		memset(hdr + IPV4_LEN, 0, 4);		/* and the id */
		memset(hdr + IPV4_CSUM, 0, 2);
		sp->sp_ipsum = inetsum_add(0, hdr, n);
	}
	n = sp->sp_hdr - sp->sp_l4;
	memcpy(hdr, sp->sp_p + sp->sp_l4, n);
	if (sp->sp_kind == SPLIT_TCP) {
		memset(hdr + TCP_SEQ, 0, 4);
		memset(hdr + TCP_FLAGS, 0, 2);
	} else
		memset(hdr + UDP_LEN, 0, 2);
	sp->sp_l4sum = inetsum_add16(inetsum_add(0, hdr, n),
	    (uint16_t)~(sp->sp_len - sp->sp_l4));
}

size_t
split_longest(const struct split *sp)
{
	size_t	 n = sp->sp_len - sp->sp_hdr;

	return (sp->sp_hdr + (n < sp->sp_size ? n : sp->sp_size));
}

size_t
split_len(const struct split *sp)
{
	size_t	 n = sp->sp_len - sp->sp_at;

	if (sp->sp_done == sp->sp_n)
		return (0);
	return (sp->sp_hdr + (n < sp->sp_size ? n : sp->sp_size));
}

bool
split_skip(struct split *sp)
{
	size_t	 len = split_len(sp);

	if (len == 0)
		return (false);
	sp->sp_at += len - sp->sp_hdr;
	sp->sp_done++;
	return (true);
}

size_t
split_next(struct split *sp, uint8_t *dst, size_t room)
{
	size_t		 len = split_len(sp), hdr = sp->sp_hdr;
	uint64_t	 sum;

	if (len == 0 || len > room)
		return (0);
	if (sp->sp_kind == SPLIT_COPY)
		memcpy(dst, sp->sp_p, len);
	else if (sp->sp_kind == SPLIT_CSUM) {
		memcpy(dst, sp->sp_p, sp->sp_l4);
		sum = inetsum_copy(0, dst + sp->sp_l4, sp->sp_p + sp->sp_l4,
		    len - sp->sp_l4);
		put_csum(dst + sp->sp_csum, sum, true);
	} else {
		memcpy(dst, sp->sp_p, hdr);
		sum = inetsum_copy(0, dst + hdr, sp->sp_p + sp->sp_at,
		    len - hdr);
		put_ip(sp, dst + sp->sp_ip, len - sp->sp_ip);
		put_l4(sp, dst, len, sum);
	}
	(void)split_skip(sp);
	return (len);
}

/* The header of IP, of len bytes with all that follows. */
static void
put_ip(const struct split *sp, uint8_t *ip, size_t len)
{
	uint64_t	 sum;
	uint16_t	 id;

	if (sp->sp_ipv6) {
		put16(ip + IPV6_LEN, len - IPV6_HDR);
		return;
	}
	id = (uint16_t)(get16(ip + IPV4_ID) + sp->sp_done);
	put16(ip + IPV4_LEN, len);
	put16(ip + IPV4_ID, id);
	sum = inetsum_add16(sp->sp_ipsum, (uint16_t)len);
	sum = inetsum_add16(sum, id);
	put_csum(ip + IPV4_CSUM, sum, false);
}

/* That of TCP or UDP, in a segment of len bytes; payload is the sum of it. */
static void
put_l4(const struct split *sp, uint8_t *seg, size_t len, uint64_t payload)
{
	uint8_t		*h = seg + sp->sp_l4;
	uint64_t	 sum;
	uint32_t	 seq;

	if (sp->sp_kind == SPLIT_TCP) {
		seq = (uint32_t)get16(h + TCP_SEQ) << 16 |
		    get16(h + TCP_SEQ + 2);
		seq += (uint32_t)(sp->sp_at - sp->sp_hdr);
		put16(h + TCP_SEQ, seq >> 16);
		put16(h + TCP_SEQ + 2, seq);
		if (sp->sp_done > 0)
			h[TCP_FLAGS + 1] &= (uint8_t)~TCP_CWR;
		if (sp->sp_done + 1 < sp->sp_n)
			h[TCP_FLAGS + 1] &= (uint8_t)~(TCP_FIN | TCP_PSH);
		sum = inetsum_add(sp->sp_l4sum, h + TCP_SEQ, 4);
		sum = inetsum_add(sum, h + TCP_FLAGS, 2);
	} else {
		put16(h + UDP_LEN, len - sp->sp_l4);
		sum = inetsum_add(sp->sp_l4sum, h + UDP_LEN, 2);
	}
	sum = inetsum_add16(sum, (uint16_t)(len - sp->sp_l4));
	put_csum(seg + sp->sp_csum, sum + payload, sp->sp_kind == SPLIT_UDP);
}

/* Where zeros would say that there is none, ones mean the same number. */
static void
put_csum(uint8_t *p, uint64_t sum, bool zero_is_none)
{
	uint16_t	 csum = (uint16_t)~inetsum_fold(sum);

	if (csum == 0 && zero_is_none)
		csum = 0xffff;
	memcpy(p, &csum, sizeof(csum));
}
