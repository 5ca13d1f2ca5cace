/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

#include <string.h>

#include "common/buf.h"
#include "regress/lib/superframe.h"

/* Bytes as 16-bit numbers, the last one padded, in 16 bits. */
static uint32_t
sum(uint64_t s, const uint8_t *p, size_t len)
{
	size_t	 i;

	for (i = 0; i < len; i++)
		s += i % 2 == 0 ? (uint64_t)p[i] << 8 : p[i];
	while (s >> 16 != 0)
		s = (s & 0xffff) + (s >> 16);
	return ((uint32_t)s);
}

static void
put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint8_t
payload(const struct superframe *sf, size_t i)
{
	uint32_t	 x = (uint32_t)i * 2654435761u ^ sf->sf_seed;

	/* Long rows of the extremes, too. */
	if (sf->sf_seed % 4 == 0)
		return (i / 777 % 2 == 0 ? 0xff : 0);
	return ((uint8_t)(x >> 24 ^ x >> 11));
}

static void
put_tags(const struct superframe *sf, struct wbuf *wb)
{
	unsigned	 i;

	for (i = 0; i < sf->sf_tags; i++) {
		wbuf_u16(wb, (uint16_t)(0x2005 + i));
		wbuf_u16(wb, i + 1 < sf->sf_tags ? 0x8100 :
		    sf->sf_ipv6 ? 0x86dd : 0x0800);
	}
}

static void
put_ipv4(const struct superframe *sf, struct wbuf *wb, size_t len,
    uint16_t id)
{
	uint8_t		*ip = wb->wb_base + wb->wb_len;
	unsigned	 i;

	wbuf_u8(wb, (uint8_t)(0x45 + sf->sf_options));
	wbuf_u8(wb, sf->sf_tos);
	wbuf_u16(wb, (uint16_t)(20 + 4 * sf->sf_options + len));
	wbuf_u16(wb, id);
	wbuf_u16(wb, 0x4000);
	wbuf_u8(wb, 64);
	wbuf_u8(wb, sf->sf_udp ? 17 : 6);
	wbuf_u16(wb, 0);
	wbuf_u32(wb, 0x0a938102);
	wbuf_u32(wb, 0xc0a8fffe);
	for (i = 0; i < sf->sf_options; i++)
		wbuf_u32(wb, 0x01010101 + i);
	put16(ip + 10, ~sum(0, ip, 20 + 4 * sf->sf_options));
}

static void
put_ipv6(const struct superframe *sf, struct wbuf *wb, size_t len)
{
	static const uint8_t	 kinds[] = { 0, 60, 43 };
	uint8_t			 last = sf->sf_udp ? 17 : 6;
	size_t			 ext = 0;
	unsigned		 i, k;

	for (i = 0; i < sf->sf_exts; i++)
		ext += 8 * (i + 1);
	wbuf_u32(wb, 0x60000000 | (uint32_t)sf->sf_tos << 20 | 0x12345);
	wbuf_u16(wb, (uint16_t)(ext + len));
	wbuf_u8(wb, sf->sf_exts > 0 ? kinds[0] : last);
	wbuf_u8(wb, 64);
	wbuf_u64(wb, 0xfd80123456789abc);
	wbuf_u64(wb, 0x0001fffe00000001);
	wbuf_u64(wb, 0xfd80123456789abc);
	wbuf_u64(wb, 0xffff000000000002);
	for (i = 0; i < sf->sf_exts; i++) {
		wbuf_u8(wb, i + 1 < sf->sf_exts ? kinds[i + 1] : last);
		wbuf_u8(wb, (uint8_t)i);
		for (k = 2; k < 8 * (i + 1); k++)
			wbuf_u8(wb, 0);
	}
}

/* The header of TCP or UDP and n bytes of the payload, len in all. */
static void
put_l4(const struct superframe *sf, struct wbuf *wb, size_t off, size_t n,
    size_t len, uint8_t flags)
{
	unsigned	 i;
	size_t		 k;

	wbuf_u16(wb, sf->sf_port);
	wbuf_u16(wb, 5001);
	if (sf->sf_udp) {
		wbuf_u16(wb, (uint16_t)len);
		wbuf_u16(wb, 0);
	} else {
		wbuf_u32(wb, sf->sf_seq + (uint32_t)off);
		wbuf_u32(wb, 0xdeadbeef);
		wbuf_u8(wb, (uint8_t)((5 + sf->sf_tcp_options) << 4));
		wbuf_u8(wb, flags);
		wbuf_u16(wb, 0x1234);
		wbuf_u32(wb, 0);
		for (i = 0; i < sf->sf_tcp_options; i++)
			wbuf_u32(wb, 0x0101080a + i);
	}
	for (k = 0; k < n; k++)
		wbuf_u8(wb, payload(sf, off + k));
}

/* All that follows the Ethernet header, with these bytes of the payload;
 * partial: without the checksum of TCP or UDP, but for the pseudo header's. */
static size_t
build(const struct superframe *sf, uint8_t *dst, size_t off, size_t n,
    uint16_t id, uint8_t flags, bool partial)
{
	struct wbuf	 wb;
	size_t		 ip, l4, len, addrs;
	uint32_t	 s;

	len = n + (sf->sf_udp ? 8 : 20 + 4 * sf->sf_tcp_options);
	wbuf_init(&wb, dst, SUPERFRAME_MAX);
	put_tags(sf, &wb);
	ip = wb.wb_len;
	if (sf->sf_ipv6)
		put_ipv6(sf, &wb, len);
	else
		put_ipv4(sf, &wb, len, id);
	l4 = wb.wb_len;
	put_l4(sf, &wb, off, n, len, flags);
	addrs = ip + (sf->sf_ipv6 ? 8 : 12);
	s = sum(0, dst + addrs, sf->sf_ipv6 ? 32 : 8);
	s = sum(s + len + (sf->sf_udp ? 17 : 6), NULL, 0);
	if (!partial) {
		s = ~sum(s, dst + l4, len) & 0xffff;
		if (s == 0 && sf->sf_udp)
			s = 0xffff;
	}
	put16(dst + l4 + (sf->sf_udp ? 6 : 16), s);
	return (wb.wb_len);
}

void
superframe_init(struct superframe *sf, size_t bytes, size_t size)
{
	memset(sf, 0, sizeof(*sf));
	sf->sf_flags = 0x10;
	sf->sf_port = 4711;
	sf->sf_id = 100;
	sf->sf_seq = 1000;
	sf->sf_seed = 1;
	sf->sf_payload = bytes;
	sf->sf_size = size;
}

void
superframe_random(struct superframe *sf, const uint8_t *p, size_t len)
{
	struct rbuf	 rb;
	uint8_t		 in[32] = { 0 };
	unsigned	 kind;

	memcpy(in, p, len < sizeof(in) ? len : sizeof(in));
	rbuf_init(&rb, in, sizeof(in));
	memset(sf, 0, sizeof(*sf));
	kind = rbuf_u8(&rb);
	sf->sf_udp = kind & 1;
	sf->sf_ipv6 = kind & 2;
	sf->sf_tags = kind >> 2 & 1 ? kind >> 3 & 3 : 0;
	if (sf->sf_tags > 2)
		sf->sf_tags = 2;
	sf->sf_options = rbuf_u8(&rb) % 11;
	sf->sf_exts = rbuf_u8(&rb) % 4;
	sf->sf_tcp_options = rbuf_u8(&rb) % 11;
	sf->sf_flags = rbuf_u8(&rb);
	sf->sf_tos = rbuf_u8(&rb);
	sf->sf_id = rbuf_u16(&rb);
	sf->sf_port = rbuf_u16(&rb);
	sf->sf_seq = rbuf_u32(&rb);
	sf->sf_seed = rbuf_u32(&rb);
	sf->sf_payload = rbuf_u16(&rb) % 65300;
	sf->sf_size = 1 + rbuf_u16(&rb) % 9000;
	if (kind & 0x20)
		sf->sf_payload %= 3000;
	/* Not tens of thousands. */
	if (sf->sf_size < sf->sf_payload / 300)
		sf->sf_size = sf->sf_payload / 300;
}

void
superframe_make(struct superframe *sf)
{
	size_t	 hdr = sf->sf_udp ? 8 : 20 + 4 * sf->sf_tcp_options;

	sf->sf_type = sf->sf_tags > 1 ? 0x88a8 : sf->sf_tags == 1 ? 0x8100 :
	    sf->sf_ipv6 ? 0x86dd : 0x0800;
	sf->sf_len = build(sf, sf->sf_p, 0, sf->sf_payload, sf->sf_id,
	    sf->sf_flags, true);
	sf->sf_n = (unsigned)((sf->sf_payload + sf->sf_size - 1) /
	    sf->sf_size);
	if (sf->sf_n == 0)
		sf->sf_n = 1;
	memset(&sf->sf_of, 0, sizeof(sf->sf_of));
	sf->sf_of.of_flags = OFFLOAD_CSUM;
	sf->sf_of.of_type = sf->sf_udp ? OFFLOAD_UDP : sf->sf_ipv6 ?
	    OFFLOAD_TCP6 : OFFLOAD_TCP4;
	if (!sf->sf_udp && (sf->sf_flags & 0x80) != 0)
		sf->sf_of.of_type |= OFFLOAD_ECN;
	sf->sf_of.of_size = (uint16_t)sf->sf_size;
	sf->sf_of.of_csum_start = (uint16_t)(14 + sf->sf_len - hdr -
	    sf->sf_payload);
	sf->sf_of.of_csum_offset = sf->sf_udp ? 6 : 16;
	sf->sf_of.of_hdrlen = (uint16_t)(sf->sf_of.of_csum_start + hdr);
}

size_t
superframe_segment(const struct superframe *sf, unsigned k,
    uint8_t dst[SUPERFRAME_MAX])
{
	size_t	 off = k * sf->sf_size, n = sf->sf_payload - off;
	uint8_t	 flags = sf->sf_flags;

	if (n > sf->sf_size)
		n = sf->sf_size;
	if (k > 0)
		flags &= 0x7f;		/* CWR */
	if (k + 1 < sf->sf_n)
		flags &= 0xf6;		/* FIN, PSH */
	return (build(sf, dst, off, n, (uint16_t)(sf->sf_id + k), flags,
	    false));
}

size_t
superframe_filled(const struct offload *of, const uint8_t *p, size_t len,
    uint8_t dst[SUPERFRAME_MAX])
{
	size_t		 start = of->of_csum_start - 14u;
	uint32_t	 s;

	memcpy(dst, p, len);
	s = ~sum(0, p + start, len - start) & 0xffff;
	put16(dst + start + of->of_csum_offset, s == 0 ? 0xffff : s);
	return (len);
}
