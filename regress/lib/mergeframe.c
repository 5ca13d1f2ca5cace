/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Frames made and cut by hand; see mergeframe.h.
 */

#include <string.h>

#include "regress/lib/mergeframe.h"

#define ETH	14
#define SEGS	64	/* that every kernel takes of UDP */

static uint16_t
get16(const uint8_t *p)
{
	return ((uint16_t)(p[0] << 8 | p[1]));
}

static void
put16(uint8_t *p, size_t n)
{
	p[0] = (uint8_t)(n >> 8);
	p[1] = (uint8_t)n;
}

static void
put32(uint8_t *p, uint32_t n)
{
	put16(p, n >> 16);
	put16(p + 2, n & 0xffff);
}

static uint32_t
get32(const uint8_t *p)
{
	return ((uint32_t)get16(p) << 16 | get16(p + 2));
}

static uint32_t
sum(uint32_t s, const uint8_t *p, size_t len)
{
	size_t	 i;

	for (i = 0; i < len; i++) {
		s += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
		s = (s & 0xffff) + (s >> 16);
	}
	return (s);
}

static uint32_t
pseudo(const uint8_t *ip, size_t iphdr, uint8_t proto, size_t len)
{
	uint8_t	 tail[8] = { 0 };

	put32(tail, (uint32_t)len);
	tail[7] = proto;
	return (sum(iphdr == 20 ? sum(0, ip + 12, 8) : sum(0, ip + 8, 32),
	    tail, sizeof(tail)));
}

uint8_t
mergeframe_byte(uint32_t index)
{
	index *= 2654435761u;
	return ((uint8_t)(index >> 24));
}

void
mergeframe_init(struct mergeframe *mf, bool v6, bool udp)
{
	memset(mf, 0, sizeof(*mf));
	mf->mf_dst[0] = mf->mf_src[0] = 0x32;
	mf->mf_dst[5] = 1;
	mf->mf_src[5] = 2;
	mf->mf_v6 = v6;
	mf->mf_udp = udp;
	mf->mf_from[0] = mf->mf_to[0] = v6 ? 0xfd : 10;
	mf->mf_from[v6 ? 15 : 3] = 2;
	mf->mf_to[v6 ? 15 : 3] = 1;
	mf->mf_ttl = 64;
	mf->mf_df = true;
	mf->mf_id = 0xfffe;
	mf->mf_sport = 1000;
	mf->mf_dport = 2000;
	mf->mf_seq = 0xfffffc00;
	mf->mf_ack = 77;
	mf->mf_flags = MF_ACK;
	mf->mf_window = 500;
}

static size_t
make_ip(uint8_t *ip, const struct mergeframe *mf, size_t len)
{
	if (mf->mf_v6) {
		put32(ip, 0x60000000 | (uint32_t)mf->mf_tos << 20);
		put16(ip + 4, len);
		ip[6] = mf->mf_udp ? 17 : 6;
		ip[7] = mf->mf_ttl;
		memcpy(ip + 8, mf->mf_from, 16);
		memcpy(ip + 24, mf->mf_to, 16);
		return (40);
	}
	ip[0] = 0x45;
	ip[1] = mf->mf_tos;
	put16(ip + 2, 20 + len);
	put16(ip + 4, mf->mf_id);
	put16(ip + 6, mf->mf_df ? 0x4000 : 0);
	ip[8] = mf->mf_ttl;
	ip[9] = mf->mf_udp ? 17 : 6;
	memcpy(ip + 12, mf->mf_from, 4);
	memcpy(ip + 16, mf->mf_to, 4);
	return (20);
}

static size_t
make_transport(uint8_t *t, const struct mergeframe *mf)
{
	put16(t, mf->mf_sport);
	put16(t + 2, mf->mf_dport);
	if (mf->mf_udp) {
		put16(t + 4, 8 + mf->mf_payload);
		return (8);
	}
	put32(t + 4, mf->mf_seq);
	put32(t + 8, mf->mf_ack);
	t[12] = (uint8_t)((20 + mf->mf_optlen) / 4 << 4);
	t[13] = mf->mf_flags;
	put16(t + 14, mf->mf_window);
	memcpy(t + 20, mf->mf_options, mf->mf_optlen);
	return ((size_t)20 + mf->mf_optlen);
}

size_t
mergeframe_make(uint8_t *dst, const struct mergeframe *mf)
{
	size_t	 hdr = mf->mf_udp ? 8 : 20 + (size_t)mf->mf_optlen, at;
	size_t	 i;

	memset(dst, 0, ETH + 40 + 60);
	memcpy(dst, mf->mf_dst, 6);
	memcpy(dst + 6, mf->mf_src, 6);
	put16(dst + 12, mf->mf_v6 ? 0x86dd : 0x0800);
	at = ETH + make_ip(dst + ETH, mf, hdr + mf->mf_payload);
	at += make_transport(dst + at, mf);
	for (i = 0; i < mf->mf_payload; i++)
		dst[at + i] = mergeframe_byte(mf->mf_fill + (uint32_t)i);
	mergeframe_sums(dst, at + mf->mf_payload);
	return (at + mf->mf_payload);
}

void
mergeframe_sums(uint8_t *frame, size_t len)
{
	uint8_t	*ip = frame + ETH, *t, proto;
	size_t	 iphdr, room, at;

	if (len < ETH + 20)
		return;
	iphdr = ip[0] >> 4 == 4 ? 20 : 40;
	if (iphdr == 20) {
		put16(ip + 10, 0);
		put16(ip + 10, sum(0, ip, 20) ^ 0xffff);
	}
	if (len < ETH + iphdr)
		return;
	proto = iphdr == 20 ? ip[9] : ip[6];
	t = ip + iphdr;
	room = len - ETH - iphdr;
	at = proto == 6 ? 16 : 6;
	if ((proto != 6 && proto != 17) || room < at + 2)
		return;
	put16(t + at, 0);
	put16(t + at, sum(pseudo(ip, iphdr, proto, room), t, room) ^ 0xffff);
	if (proto == 17 && get16(t + at) == 0)
		put16(t + at, 0xffff);
}

/* What there is of a super-frame. */
struct super {
	const uint8_t	*ip;
	size_t		 iphdr, hdr, payload, segs;
	bool		 udp;
};

static const char *
look_ip(struct super *s, const struct offload *of, size_t len)
{
	const uint8_t	*ip = s->ip;

	s->udp = of->of_type == OFFLOAD_UDP;
	s->iphdr = ip[0] == 0x45 ? 20 : 40;
	if (get16(ip - 2) != (s->iphdr == 20 ? 0x0800 : 0x86dd) ||
	    (s->iphdr == 40 && ip[0] >> 4 != 6))
		return ("the version is not that of the type");
	if (!s->udp && of->of_type != (s->iphdr == 20 ? OFFLOAD_TCP4 :
	    OFFLOAD_TCP6))
		return ("the kind of offload is another");
	if (ip[s->iphdr == 20 ? 9 : 6] != (s->udp ? 17 : 6))
		return ("the protocol is another");
	if (len > 65535 || len != (s->iphdr == 20 ? get16(ip + 2) :
	    40u + get16(ip + 4)))
		return ("the length of IP is wrong");
	if (s->iphdr == 20 && sum(0, ip, 20) != 0xffff)
		return ("the checksum of IPv4 is wrong");
	return (NULL);
}

static const char *
look(struct super *s, const struct offload *of, size_t len)
{
	const uint8_t	*t;
	const char	*why;

	if (of->of_flags != OFFLOAD_CSUM)
		return ("flags of a super-frame");
	if ((why = look_ip(s, of, len)) != NULL)
		return (why);
	t = s->ip + s->iphdr;
	s->hdr = s->udp ? 8 : (size_t)(t[12] >> 4) * 4;
	if (of->of_hdrlen != ETH + s->iphdr + s->hdr ||
	    of->of_csum_start != ETH + s->iphdr ||
	    of->of_csum_offset != (s->udp ? 6 : 16))
		return ("offsets");
	s->payload = len - s->iphdr - s->hdr;
	if (s->udp && get16(t + 4) != 8 + s->payload)
		return ("the length of UDP is wrong");
	if (get16(t + of->of_csum_offset) != pseudo(s->ip, s->iphdr,
	    s->udp ? 17 : 6, s->hdr + s->payload))
		return ("no sum of the pseudo header");
	if (of->of_size == 0 || s->payload <= of->of_size)
		return ("it is a single frame");
	s->segs = (s->payload + of->of_size - 1) / of->of_size;
	if (s->segs > SEGS)
		return ("too many segments");
	return (NULL);
}

const char *
mergeframe_cut(const struct offload *of, const uint8_t *frame, size_t len,
    void (*each)(void *, const uint8_t *, size_t), void *arg)
{
	static uint8_t	 one[MF_MAX];
	struct super	 s = { .ip = frame + ETH };
	const char	*why;
	uint8_t		*ip = one + ETH, *t;
	size_t		 i, head, n, at = 0;

	if ((why = look(&s, of, len - ETH)) != NULL)
		return (why);
	head = ETH + s.iphdr + s.hdr;
	t = ip + s.iphdr;
	for (i = 0; i < s.segs; i++, at += n) {
		n = s.payload - at < of->of_size ? s.payload - at :
		    of->of_size;
		memcpy(one, frame, head);
		memcpy(one + head, frame + head + at, n);
		if (s.iphdr == 20) {
			put16(ip + 2, 20 + s.hdr + n);
			put16(ip + 4, get16(ip + 4) + i);
		} else
			put16(ip + 4, s.hdr + n);
		if (s.udp)
			put16(t + 4, 8 + n);
		else {
			put32(t + 4, get32(t + 4) + (uint32_t)at);
			if (i < s.segs - 1)
				t[13] &= (uint8_t)~(MF_FIN | MF_PSH);
			if (i > 0)
				t[13] &= (uint8_t)~MF_CWR;
		}
		mergeframe_sums(one, head + n);
		each(arg, one, head + n);
	}
	return (NULL);
}
