/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Node addresses, network ids, MACs, and what is derived from them.
 * Spec: 01 section 2, 03 section 2, 06 section 3.
 */

#include <string.h>

#include "common/address.h"
#include "common/hex.h"

static char	*uint_format(char *, uint64_t, size_t);
static void	 put_be(uint8_t *, uint64_t, size_t);

char *
addr_format(char *dst, uint64_t addr)
{
	return (uint_format(dst, addr, ADDR_LEN));
}

char *
nwid_format(char *dst, uint64_t nwid)
{
	return (uint_format(dst, nwid, 8));
}

char *
mac_format(char *dst, uint64_t mac)
{
	uint8_t	b[MAC_LEN];
	size_t	i;

	put_be(b, mac, sizeof(b));
	for (i = 0; i < sizeof(b); i++) {
		hex_encode(dst + 3 * i, b + i, 1);
		dst[3 * i + 2] = i + 1 < sizeof(b) ? ':' : '\0';
	}
	return (dst);
}

int
addr_parse(const char *text, uint64_t *addr)
{
	return (hex_parse(text, 2 * ADDR_LEN, addr));
}

int
nwid_parse(const char *text, uint64_t *nwid)
{
	return (hex_parse(text, 16, nwid));
}

/*
 * The five octets behind the first are the address XOR the network id's
 * bytes from the second lowest upwards, that is in reverse order.
 */
static uint64_t
mac_mask(uint64_t nwid)
{
	return (__builtin_bswap64(nwid) >> 16 & ADDR_MASK);
}

uint64_t
mac_from_addr(uint64_t addr, uint64_t nwid)
{
	uint64_t	first;

	first = (nwid & 0xfe) | 0x02;
	/* 52:54:00 is what QEMU and KVM give to their guests. */
	if (first == 0x52)
		first = 0x32;
	return (first << 40 | ((addr & ADDR_MASK) ^ mac_mask(nwid)));
}

uint64_t
mac_to_addr(uint64_t mac, uint64_t nwid)
{
	return ((mac & ADDR_MASK) ^ mac_mask(nwid));
}

void
addr_rfc4193(struct inet_addr *ia, uint64_t nwid, uint64_t addr)
{
	memset(ia, 0, sizeof(*ia));
	ia->ia_family = 6;
	ia->ia_port = 88;
	ia->ia_ip[0] = 0xfd;
	put_be(ia->ia_ip + 1, nwid, 8);
	ia->ia_ip[9] = 0x99;
	ia->ia_ip[10] = 0x93;
	put_be(ia->ia_ip + 11, addr, ADDR_LEN);
}

void
addr_6plane(struct inet_addr *ia, uint64_t nwid, uint64_t addr)
{
	memset(ia, 0, sizeof(*ia));
	ia->ia_family = 6;
	ia->ia_port = 40;
	ia->ia_ip[0] = 0xfc;
	put_be(ia->ia_ip + 1, nwid ^ nwid >> 32, 4);
	put_be(ia->ia_ip + 5, addr, ADDR_LEN);
	ia->ia_ip[15] = 0x01;
}

void
ifname_linux(char dst[ZT_IFNAME_LEN], uint64_t nwid, unsigned trial)
{
	static const char	alphabet[] =
	    "abcdefghijklmnopqrstuvwxyz234567";
	uint64_t		x;
	int			i;

	x = (nwid ^ nwid >> 24) + trial;
	memset(dst, 0, ZT_IFNAME_LEN);
	dst[0] = 'z';
	dst[1] = 't';
	for (i = 0; i < 8; i++)
		dst[2 + i] = alphabet[x >> (35 - 5 * i) & 0x1f];
}

void
ifname_freebsd(char dst[ZT_IFNAME_LEN], uint64_t nwid)
{
	static const char	alphabet[] =
	    "0123456789abcdefghijklmnopqrstuv";
	int			i;

	memset(dst, 0, ZT_IFNAME_LEN);
	dst[0] = 'z';
	dst[1] = 't';
	for (i = 0; i < 13; i++)
		dst[2 + i] = alphabet[nwid >> (60 - 5 * i) & 0x1f];
}

/* The low n bytes of v as 2n digits. */
static char *
uint_format(char *dst, uint64_t v, size_t n)
{
	uint8_t	b[8];

	put_be(b, v, n);
	hex_encode(dst, b, n);
	return (dst);
}

static void
put_be(uint8_t *dst, uint64_t v, size_t n)
{
	while (n > 0) {
		dst[--n] = v & 0xff;
		v >>= 8;
	}
}
