/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Frames of one flow become one; see merge.h.
 *
 * The first frame of a flow is copied into a buffer, header and all; of
 * those that follow only the payload, behind it.  Checksums are looked at
 * when a second frame comes: one that stays alone is for the host to check.
 */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/buf.h"
#include "common/inetsum.h"
#include "common/pages.h"
#include "ztd-net/merge.h"

#define ETHER_IPV4	0x0800
#define ETHER_IPV6	0x86dd

#define V4_HDR		20
#define V4_BARE		0x45	/* version 4, no options */
#define V4_TOS		1
#define V4_LENGTH	2
#define V4_ID		4
#define V4_FRAGMENT	6
#define V4_DF		0x40	/* of the first byte there */
#define V4_TTL		8
#define V4_PROTO	9
#define V4_SUM		10
#define V4_ADDRS	12

#define V6_HDR		40
#define V6_LENGTH	4
#define V6_NEXT		6
#define V6_HOPS		7
#define V6_ADDRS	8

#define TCP_HDR		20
#define TCP_ACK		8
#define TCP_OFFSET	12
#define TCP_FLAGS	13
#define TCP_F_PSH	0x08
#define TCP_F_ACK	0x10
#define TCP_WINDOW	14
#define TCP_SUM		16
#define TCP_URGENT	18

#define UDP_HDR		8
#define UDP_LENGTH	4
#define UDP_SUM		6

#define PORTS		4
#define PROTO_TCP	6
#define PROTO_UDP	17

/* Not a multiple of a page, lest all begin in the same lines of a cache. */
#define ROOM		(MERGE_HDR + MERGE_MAX + 115)

/* What is known of a frame that came. */
struct segment {
	const uint8_t	*s_eth;		/* MERGE_HDR bytes */
	const uint8_t	*s_ip;		/* ports follow its header */
	size_t		 s_len;		/* from s_ip on */
	uint8_t		 s_iphdr;	/* bytes */
	uint8_t		 s_hdr;		/* of TCP with options, of UDP */
	uint8_t		 s_proto;
	bool		 s_joins;	/* may be part of a super-frame, */
	bool		 s_last;	/* and then ends it */
	size_t		 s_payload;	/* bytes; this and the rest: s_joins */
	uint32_t	 s_seq;		/* TCP */
};

struct flow {
	void		*f_key;
	uint32_t	 f_tag;		/* tells most others apart */
	uint32_t	 f_next;	/* TCP: sequence expected */
	uint8_t		 f_iphdr, f_hdr, f_proto;
	bool		 f_verified;	/* checksums of the first */
	uint16_t	 f_size;	/* payload of the first */
	uint16_t	 f_segs;
	size_t		 f_len;		/* bytes of f_frame */
	uint8_t		*f_frame;	/* ROOM, Ethernet header on */
};

struct merge {
	merge_out	 m_out;
	void		*m_arg;
	uint8_t		*m_room;	/* of all flows */
	size_t		 m_waiting;
	struct flow	*m_order[MERGE_FLOWS]; /* those that wait, oldest
					 * first; then, used last first, the
					 * free */
	struct flow	 m_flows[MERGE_FLOWS];
};

static void	 put_around(struct merge *, void *, const struct segment *);
static void	 put_flow(struct merge *, void *, const struct segment *);
static bool	 ports_seen(struct segment *, uint16_t, unsigned);
static bool	 seen_ipv4(struct segment *, struct rbuf *);
static bool	 seen_ipv6(struct segment *, struct rbuf *);
static bool	 seen_tcp(struct segment *, struct rbuf *, unsigned);
static bool	 seen_udp(struct segment *, struct rbuf *, unsigned);
static uint32_t	 tag(const struct segment *);
static size_t	 find(const struct merge *, const void *, uint32_t,
		    const struct segment *);
static bool	 follows(const struct flow *, const struct segment *);
static bool	 follows_ip(const struct flow *, const struct segment *);
static bool	 follows_tcp(const struct flow *, const struct segment *);
static bool	 sound(const uint8_t *, size_t, size_t, uint8_t);
static bool	 sound_header(const uint8_t *, size_t);
static void	 start(struct merge *, void *, uint32_t,
		    const struct segment *);
static bool	 append(struct flow *, const struct segment *);
static void	 straight(struct merge *, void *, const struct segment *);
static void	 out(struct merge *, size_t);
static void	 finish(struct flow *, struct offload *);

static inline uint16_t
load16(const uint8_t *p)
{
	return ((uint16_t)(p[0] << 8 | p[1]));
}

static inline uint32_t
load32(const uint8_t *p)
{
	return ((uint32_t)load16(p) << 16 | load16(p + 2));
}

static inline void
store16(uint8_t *p, size_t n)
{
	p[0] = n >> 8 & 0xff;
	p[1] = n & 0xff;
}

struct merge *
merge_new(merge_out callback, void *arg)
{
	struct merge	*m;
	size_t		 i;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		return (NULL);
	/* Not zeroed: that might touch it. */
	if ((m->m_room = malloc((size_t)MERGE_FLOWS * ROOM)) == NULL) {
		free(m);
		return (NULL);
	}
	m->m_out = callback;
	m->m_arg = arg;
	for (i = 0; i < MERGE_FLOWS; i++) {
		m->m_order[i] = &m->m_flows[i];
		m->m_flows[i].f_frame = m->m_room + i * ROOM;
	}
	return (m);
}

void
merge_free(struct merge *m)
{
	if (m != NULL)
		free(m->m_room);
	free(m);
}

void
merge_put(struct merge *m, void *key, unsigned can, uint64_t dst,
    uint64_t src, uint16_t ethertype, const void *p, size_t len)
{
	struct segment	 s;
	struct wbuf	 wb;
	uint8_t		 eth[MERGE_HDR];

	wbuf_init(&wb, eth, sizeof(eth));
	wbuf_mac(&wb, dst);
	wbuf_mac(&wb, src);
	wbuf_u16(&wb, ethertype);
	s.s_eth = eth;
	s.s_ip = p;
	s.s_len = len;
	if (!ports_seen(&s, ethertype, can))
		put_around(m, key, &s);
	else
		put_flow(m, key, &s);
}

void
merge_flush(struct merge *m)
{
	while (m->m_waiting > 0)
		out(m, 0);
}

void
merge_rest(struct merge *m)
{
	if (m->m_waiting == 0)
		pages_rest(m->m_room, (size_t)MERGE_FLOWS * ROOM);
}

static struct flow *
take(struct merge *m, size_t at)
{
	struct flow	*f = m->m_order[at];

	m->m_waiting--;
	memmove(&m->m_order[at], &m->m_order[at + 1], (m->m_waiting - at) *
	    sizeof(m->m_order[0]));
	m->m_order[m->m_waiting] = f;
	return (f);
}

void
merge_forget(struct merge *m, const void *key)
{
	size_t	 i = 0;

	while (i < m->m_waiting)
		if (m->m_order[i]->f_key == key)
			(void)take(m, i);
		else
			i++;
}

/* A frame of which the flow is not known. */
static void
put_around(struct merge *m, void *key, const struct segment *s)
{
	const struct flow	*f;
	size_t			 i = 0;

	while (i < m->m_waiting) {
		f = m->m_order[i];
		if (f->f_key == key &&
		    memcmp(f->f_frame, s->s_eth, 2 * MAC_LEN) == 0)
			out(m, i);
		else
			i++;
	}
	straight(m, key, s);
}

static void
put_flow(struct merge *m, void *key, const struct segment *s)
{
	uint32_t	 t = tag(s);
	size_t		 at = find(m, key, t, s);
	struct flow	*f;

	if (at < m->m_waiting) {
		f = m->m_order[at];
		if (s->s_joins && follows(f, s) && append(f, s)) {
			if (s->s_last || s->s_payload < f->f_size ||
			    f->f_segs == MERGE_SEGS)
				out(m, at);
			return;
		}
		out(m, at);
	}
	/* Nothing could follow one that ends a super-frame. */
	if (s->s_joins && !s->s_last && m->m_waiting < MERGE_FLOWS)
		start(m, key, t, s);
	else
		straight(m, key, s);
}

/* Fill in the rest; false: which flow it is of cannot be told. */
static bool
ports_seen(struct segment *s, uint16_t ethertype, unsigned can)
{
	struct rbuf	 rb;

	if (ethertype != ETHER_IPV4 && ethertype != ETHER_IPV6)
		return (false);
	rbuf_init(&rb, s->s_ip, s->s_len);
	s->s_joins = s->s_len <= MERGE_MAX;
	s->s_last = false;
	if (!(ethertype == ETHER_IPV4 ? seen_ipv4(s, &rb) :
	    seen_ipv6(s, &rb)))
		return (false);
	if (s->s_proto == PROTO_TCP)
		return (seen_tcp(s, &rb, can));
	return (s->s_proto == PROTO_UDP && seen_udp(s, &rb, can));
}

static bool
seen_ipv4(struct segment *s, struct rbuf *rb)
{
	const uint8_t	*ip;

	if ((ip = rbuf_take(rb, V4_HDR)) == NULL || ip[0] != V4_BARE ||
	    (ip[V4_FRAGMENT] & ~V4_DF) != 0 || ip[V4_FRAGMENT + 1] != 0)
		return (false);
	s->s_iphdr = V4_HDR;
	s->s_proto = ip[V4_PROTO];
	/* Of the two forms of zero, the one that is computed is 0. */
	if (load16(ip + V4_LENGTH) != s->s_len || load16(ip + V4_SUM) == 0xffff)
		s->s_joins = false;
	return (true);
}

static bool
seen_ipv6(struct segment *s, struct rbuf *rb)
{
	const uint8_t	*ip;

	if ((ip = rbuf_take(rb, V6_HDR)) == NULL || ip[0] >> 4 != 6)
		return (false);
	s->s_iphdr = V6_HDR;
	s->s_proto = ip[V6_NEXT];
	if (load16(ip + V6_LENGTH) != rb->rb_left)
		s->s_joins = false;
	return (true);
}

static bool
seen_tcp(struct segment *s, struct rbuf *rb, unsigned can)
{
	const uint8_t	*t;

	if ((t = rbuf_take(rb, TCP_HDR)) == NULL)
		return (false);
	s->s_hdr = (uint8_t)((t[TCP_OFFSET] >> 4) * 4);
	if (s->s_hdr < TCP_HDR)
		rbuf_fail(rb);
	else
		rbuf_skip(rb, (size_t)s->s_hdr - TCP_HDR);
	s->s_payload = rb->rb_left;
	s->s_seq = load32(t + PORTS);
	s->s_last = (t[TCP_FLAGS] & TCP_F_PSH) != 0;
	if (!rbuf_ok(rb) || rb->rb_left == 0 ||
	    (t[TCP_FLAGS] & ~TCP_F_PSH) != TCP_F_ACK ||
	    (t[TCP_OFFSET] & 0x0f) != 0 || load16(t + TCP_SUM) == 0xffff ||
	    (can & OFFLOAD_CAN_TCP) == 0)
		s->s_joins = false;
	return (true);
}

static bool
seen_udp(struct segment *s, struct rbuf *rb, unsigned can)
{
	const uint8_t	*u;

	if ((u = rbuf_take(rb, UDP_HDR)) == NULL)
		return (false);
	s->s_hdr = UDP_HDR;
	s->s_seq = 0;
	s->s_payload = rb->rb_left;
	if (rb->rb_left == 0 ||
	    load16(u + UDP_LENGTH) != UDP_HDR + rb->rb_left ||
	    load16(u + UDP_SUM) == 0 || (can & OFFLOAD_CAN_UDP) == 0)
		s->s_joins = false;
	return (true);
}

/* Addresses and ports, behind each other as neither header has options. */
static inline size_t
addrs_at(size_t iphdr)
{
	return (iphdr == V4_HDR ? V4_ADDRS : V6_ADDRS);
}

static uint32_t
tag(const struct segment *s)
{
	const uint8_t	*ports = s->s_ip + s->s_iphdr;
	size_t		 addr = (s->s_iphdr - addrs_at(s->s_iphdr)) / 2;

	return (load32(ports) ^ load32(ports - 4) ^ load32(ports - addr - 4));
}

/* Where in m_order its flow is; m_waiting: nowhere. */
static size_t
find(const struct merge *m, const void *key, uint32_t t,
    const struct segment *s)
{
	const struct flow	*f;
	size_t			 i, addrs = addrs_at(s->s_iphdr);

	for (i = 0; i < m->m_waiting; i++) {
		f = m->m_order[i];
		if (f->f_tag == t && f->f_key == key &&
		    f->f_proto == s->s_proto && f->f_iphdr == s->s_iphdr &&
		    memcmp(f->f_frame + MERGE_HDR + addrs, s->s_ip + addrs,
		    s->s_iphdr - addrs + PORTS) == 0)
			break;
	}
	return (i);
}

/*
 * Is it the next one, and would be cut off again as it is, if its checksum is
 * right?
 */
static bool
follows(const struct flow *f, const struct segment *s)
{
	return (s->s_payload <= f->f_size && s->s_hdr == f->f_hdr &&
	    f->f_len - MERGE_HDR + s->s_payload <= MERGE_MAX &&
	    memcmp(f->f_frame, s->s_eth, MERGE_HDR) == 0 &&
	    follows_ip(f, s) &&
	    (s->s_proto != PROTO_TCP || follows_tcp(f, s)) &&
	    (f->f_verified || sound(f->f_frame + MERGE_HDR,
	    f->f_len - MERGE_HDR, f->f_iphdr, f->f_proto)) &&
	    sound_header(s->s_ip, s->s_iphdr));
}

static bool
follows_ip(const struct flow *f, const struct segment *s)
{
	const uint8_t	*a = f->f_frame + MERGE_HDR, *b = s->s_ip;

	if (s->s_iphdr == V6_HDR)
		return (memcmp(a, b, V6_LENGTH) == 0 &&
		    a[V6_HOPS] == b[V6_HOPS]);
	if (a[V4_TOS] != b[V4_TOS] || a[V4_TTL] != b[V4_TTL] ||
	    a[V4_FRAGMENT] != b[V4_FRAGMENT])
		return (false);
	/* Cutting counts them up, which matters to fragments alone. */
	return (s->s_proto != PROTO_TCP || (b[V4_FRAGMENT] & V4_DF) != 0 ||
	    (uint16_t)(load16(a + V4_ID) + f->f_segs) == load16(b + V4_ID));
}

static bool
follows_tcp(const struct flow *f, const struct segment *s)
{
	const uint8_t	*a = f->f_frame + MERGE_HDR + f->f_iphdr;
	const uint8_t	*b = s->s_ip + s->s_iphdr;

	return (s->s_seq == f->f_next &&
	    memcmp(a + TCP_ACK, b + TCP_ACK, TCP_OFFSET - TCP_ACK) == 0 &&
	    memcmp(a + TCP_WINDOW, b + TCP_WINDOW, TCP_SUM - TCP_WINDOW) ==
	    0 && memcmp(a + TCP_URGENT, b + TCP_URGENT, s->s_hdr -
	    TCP_URGENT) == 0);
}

/* Only that of IPv4 has a checksum. */
static bool
sound_header(const uint8_t *ip, size_t iphdr)
{
	return (iphdr != V4_HDR ||
	    inetsum_fold(inetsum_add(0, ip, V4_HDR)) == 0xffff);
}

/* The sum of the pseudo header of a whole packet. */
static uint64_t
pseudo(const uint8_t *ip, size_t len, size_t iphdr, uint8_t proto)
{
	size_t	 addrs = addrs_at(iphdr);

	return (inetsum_pseudo(ip + addrs, iphdr - addrs, proto,
	    (uint32_t)(len - iphdr)));
}

/* Are the checksums of a whole packet right? */
static bool
sound(const uint8_t *ip, size_t len, size_t iphdr, uint8_t proto)
{
	return (sound_header(ip, iphdr) && inetsum_fold(inetsum_add(
	    pseudo(ip, len, iphdr, proto), ip + iphdr, len - iphdr)) ==
	    0xffff);
}

static void
start(struct merge *m, void *key, uint32_t t, const struct segment *s)
{
	struct flow	*f = m->m_order[m->m_waiting++];

	f->f_key = key;
	f->f_tag = t;
	f->f_next = s->s_seq + (uint32_t)s->s_payload;
	f->f_iphdr = s->s_iphdr;
	f->f_hdr = s->s_hdr;
	f->f_proto = s->s_proto;
	f->f_verified = false;
	f->f_size = (uint16_t)s->s_payload;
	f->f_segs = 1;
	f->f_len = MERGE_HDR + s->s_len;
	memcpy(f->f_frame, s->s_eth, MERGE_HDR);
	memcpy(f->f_frame + MERGE_HDR, s->s_ip, s->s_len);
}

/*
 * Put its payload behind the others, which is when it is summed; false: the
 * checksum of its transport is wrong, and it is not one of them.
 */
static bool
append(struct flow *f, const struct segment *s)
{
	const uint8_t	*t = s->s_ip + s->s_iphdr;
	uint64_t	 sum;

	sum = pseudo(s->s_ip, s->s_len, s->s_iphdr, s->s_proto);
	sum = inetsum_add(sum, t, s->s_hdr);
	sum = inetsum_copy(sum, f->f_frame + f->f_len, t + s->s_hdr,
	    s->s_payload);
	if (inetsum_fold(sum) != 0xffff)
		return (false);
	f->f_len += s->s_payload;
	f->f_next += (uint32_t)s->s_payload;
	f->f_segs++;
	f->f_verified = true;
	if (s->s_last)
		f->f_frame[MERGE_HDR + f->f_iphdr + TCP_FLAGS] |= TCP_F_PSH;
	return (true);
}

static void
straight(struct merge *m, void *key, const struct segment *s)
{
	static const struct offload	 none;

	m->m_out(m->m_arg, key, &none, s->s_eth, s->s_ip, s->s_len);
}

static void
out(struct merge *m, size_t at)
{
	struct offload	 of = { 0 };
	struct flow	*f = take(m, at);

	if (f->f_segs > 1)
		finish(f, &of);
	m->m_out(m->m_arg, f->f_key, &of, f->f_frame, f->f_frame + MERGE_HDR,
	    f->f_len - MERGE_HDR);
}

/*
 * Lengths and checksums of the whole.  The field of the transport's holds
 * the pseudo header's sum, to which the rest is added when it is cut.
 */
static void
finish(struct flow *f, struct offload *of)
{
	uint8_t		*ip = f->f_frame + MERGE_HDR, *t = ip + f->f_iphdr;
	size_t		 len = f->f_len - MERGE_HDR - f->f_iphdr;
	uint16_t	 sum;

	of->of_flags = OFFLOAD_CSUM;
	of->of_type = f->f_proto == PROTO_UDP ? OFFLOAD_UDP :
	    f->f_iphdr == V4_HDR ? OFFLOAD_TCP4 : OFFLOAD_TCP6;
	of->of_hdrlen = (uint16_t)(MERGE_HDR + f->f_iphdr + f->f_hdr);
	of->of_size = f->f_size;
	of->of_csum_start = (uint16_t)(MERGE_HDR + f->f_iphdr);
	of->of_csum_offset = f->f_proto == PROTO_UDP ? UDP_SUM : TCP_SUM;

	if (f->f_iphdr == V4_HDR) {
		store16(ip + V4_LENGTH, V4_HDR + len);
		store16(ip + V4_SUM, 0);
		sum = (uint16_t)~inetsum_fold(inetsum_add(0, ip, V4_HDR));
		memcpy(ip + V4_SUM, &sum, sizeof(sum));
	} else
		store16(ip + V6_LENGTH, len);
	if (f->f_proto == PROTO_UDP)
		store16(t + UDP_LENGTH, len);
	sum = inetsum_fold(pseudo(ip, f->f_iphdr + len, f->f_iphdr,
	    f->f_proto));
	memcpy(t + of->of_csum_offset, &sum, sizeof(sum));
}
