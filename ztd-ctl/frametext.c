/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Frames in words.  They are a stranger's: every byte is checked to be there
 * before it is looked at.
 */

#include <stdio.h>
#include <string.h>

#include "common/inet.h"
#include "ztd-ctl/ctl.h"

#define TYPE_IPV4	0x0800
#define TYPE_ARP	0x0806
#define TYPE_VLAN	0x8100
#define TYPE_IPV6	0x86dd

static void	 put_ip(char *, unsigned, const uint8_t *, unsigned);
static void	 ipv4(char *, const uint8_t *, size_t);
static void	 ipv6(char *, const uint8_t *, size_t);
static void	 arp(char *, const uint8_t *, size_t);
static void	 payload(char *, unsigned, const char *, const char *,
		    const char *, const uint8_t *, size_t);
static void	 tcp_flags(char[64], unsigned);
static unsigned	 u16(const uint8_t *);

const char *
frame_text(char *dst, uint16_t ethertype, const uint8_t *p, size_t len)
{
	(void)snprintf(dst, FRAMETEXT, "Ethernet type 0x%04x", ethertype);
	switch (ethertype) {
	case TYPE_IPV4:
		ipv4(dst, p, len);
		break;
	case TYPE_IPV6:
		ipv6(dst, p, len);
		break;
	case TYPE_ARP:
		arp(dst, p, len);
		break;
	case TYPE_VLAN:
		if (len >= 4)
			(void)snprintf(dst, FRAMETEXT, "VLAN %u, Ethernet "
			    "type 0x%04x", u16(p) & 0xfff, u16(p + 2));
		break;
	}
	return (dst);
}

static unsigned
u16(const uint8_t *p)
{
	return ((unsigned)p[0] << 8 | p[1]);
}

/* The address at p, into INET_TEXT bytes. */
static void
put_ip(char *dst, unsigned family, const uint8_t *p, unsigned n)
{
	struct inet_addr	 ia;

	memset(&ia, 0, sizeof(ia));
	ia.ia_family = (uint8_t)family;
	memcpy(ia.ia_ip, p, n);
	(void)inet_format_ip(dst, &ia);
}

static void
ipv4(char *dst, const uint8_t *p, size_t len)
{
	char	 from[INET_TEXT], to[INET_TEXT];
	size_t	 hdr;

	if (len < 20 || (hdr = (size_t)(p[0] & 15) * 4) < 20)
		return;
	put_ip(from, 4, p + 12, 4);
	put_ip(to, 4, p + 16, 4);
	/* Of a later fragment there is no header. */
	if ((u16(p + 6) & 0x1fff) != 0)
		(void)snprintf(dst, FRAMETEXT, "IPv4 %s > %s fragment of "
		    "protocol %u", from, to, p[9]);
	else
		payload(dst, p[9], "IPv4", from, to, p + (hdr < len ? hdr :
		    len), hdr < len ? len - hdr : 0);
}

static void
ipv6(char *dst, const uint8_t *p, size_t len)
{
	char		 from[INET_TEXT], to[INET_TEXT];
	size_t		 at = 40;
	unsigned	 next;

	if (len < 40)
		return;
	put_ip(from, 6, p + 8, 16);
	put_ip(to, 6, p + 24, 16);
	for (next = p[6]; (next == 0 || next == 43 || next == 60 ||
	    next == 135) && at + 8 <= len;) {
		next = p[at];
		at += 8 * (size_t)p[at + 1] + 8;
	}
	if (at > len)
		at = len;
	payload(dst, next, "IPv6", from, to, p + at, len - at);
}

static void
arp(char *dst, const uint8_t *p, size_t len)
{
	char	 from[INET_TEXT], to[INET_TEXT];

	if (len < 28 || u16(p + 2) != TYPE_IPV4)
		return;
	put_ip(from, 4, p + 14, 4);
	put_ip(to, 4, p + 24, 4);
	if (p[7] == 1)
		(void)snprintf(dst, FRAMETEXT, "ARP %s asks for %s", from,
		    to);
	else
		(void)snprintf(dst, FRAMETEXT, "ARP %s answers %s", from, to);
}

/* Protocol proto of an IP packet, of whose payload len bytes are here. */
static void
payload(char *dst, unsigned proto, const char *ip, const char *from,
    const char *to, const uint8_t *p, size_t len)
{
	const char	*name = proto == 6 ? "TCP" : proto == 17 ? "UDP" :
	    proto == 132 ? "SCTP" : proto == 136 ? "UDP-Lite" : NULL;
	const char	*left = "", *right = "";
	char		 flags[64] = "";

	if (name == NULL || len < 4) {
		if ((proto == 1 || proto == 58) && len >= 2)
			(void)snprintf(dst, FRAMETEXT, "%s %s > %s ICMP%s "
			    "type %u code %u", ip, from, to,
			    proto == 58 ? "v6" : "", p[0], p[1]);
		else
			(void)snprintf(dst, FRAMETEXT, "%s %s > %s protocol "
			    "%u", ip, from, to, proto);
		return;
	}
	if (ip[3] == '6') {
		left = "[";
		right = "]";
	}
	if (proto == 6 && len >= 14)
		tcp_flags(flags, p[13]);
	(void)snprintf(dst, FRAMETEXT, "%s %s%s%s:%u > %s%s%s:%u %s%s", ip,
	    left, from, right, u16(p), left, to, right, u16(p + 2), name,
	    flags);
}

static void
tcp_flags(char dst[64], unsigned bits)
{
	static const char *const	 names[] = { " FIN", " SYN", " RST",
	    " PSH", " ACK", " URG", " ECE", " CWR" };
	unsigned			 i;

	for (i = 0; i < 8; i++)
		if ((bits >> i & 1) != 0)
			(void)strlcat(dst, names[i], 64);
}
