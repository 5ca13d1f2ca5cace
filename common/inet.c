/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Internet addresses: wire form, text form, scopes, prefixes.
 * Spec: 01 section 14, 02 section 3.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <arpa/inet.h>

#include <stdio.h>
#include <string.h>

#include "common/inet.h"

static enum inet_scope	scope4(const uint8_t *);
static enum inet_scope	scope6(const uint8_t *);
static bool		is_zero(const uint8_t *, size_t);
static int		parse_number(const char *, uint16_t *);

void
inet_get(struct rbuf *rb, struct inet_addr *ia)
{
	memset(ia, 0, sizeof(*ia));
	switch (rbuf_u8(rb)) {
	case 0:
		return;
	case 1:
	case 2:
		rbuf_skip(rb, 6);
		return;
	case 3:
		rbuf_skip(rb, rbuf_u16(rb));
		return;
	case 4:
		ia->ia_family = 4;
		break;
	case 6:
		ia->ia_family = 6;
		break;
	default:
		rbuf_fail(rb);
		return;
	}
	rbuf_bytes(rb, ia->ia_ip, inet_iplen(ia));
	ia->ia_port = rbuf_u16(rb);
	if (!rbuf_ok(rb))
		memset(ia, 0, sizeof(*ia));
}

void
inet_put(struct wbuf *wb, const struct inet_addr *ia)
{
	if (inet_iplen(ia) == 0) {
		wbuf_u8(wb, 0);
		return;
	}
	wbuf_u8(wb, ia->ia_family);
	wbuf_bytes(wb, ia->ia_ip, inet_iplen(ia));
	wbuf_u16(wb, ia->ia_port);
}

int
inet_parse(const char *text, struct inet_addr *ia)
{
	char		 ip[INET_TEXT];
	const char	*slash;
	size_t		 len;

	memset(ia, 0, sizeof(*ia));
	if (*text == '\0')
		return (0);
	slash = strchr(text, '/');
	len = slash == NULL ? strlen(text) : (size_t)(slash - text);
	if (len >= sizeof(ip))
		return (-1);
	memcpy(ip, text, len);
	ip[len] = '\0';

	if (slash != NULL && parse_number(slash + 1, &ia->ia_port) == -1)
		return (-1);
	ia->ia_family = strchr(ip, ':') != NULL ? 6 : 4;
	if (inet_pton(ia->ia_family == 6 ? AF_INET6 : AF_INET, ip,
	    ia->ia_ip) != 1) {
		memset(ia, 0, sizeof(*ia));
		return (-1);
	}
	return (0);
}

char *
inet_format(char *dst, const struct inet_addr *ia)
{
	size_t	len;

	if (*inet_format_ip(dst, ia) == '\0')
		return (dst);
	len = strlen(dst);
	snprintf(dst + len, INET_TEXT - len, "/%u", (unsigned)ia->ia_port);
	return (dst);
}

char *
inet_format_ip(char *dst, const struct inet_addr *ia)
{
	if (inet_iplen(ia) == 0 ||
	    inet_ntop(ia->ia_family == 6 ? AF_INET6 : AF_INET, ia->ia_ip,
	    dst, INET_TEXT) == NULL)
		*dst = '\0';
	return (dst);
}

socklen_t
inet_to_sockaddr(const struct inet_addr *ia, struct sockaddr_storage *ss)
{
	struct sockaddr_in	sin;
	struct sockaddr_in6	sin6;

	memset(ss, 0, sizeof(*ss));
	if (ia->ia_family == 4) {
		memset(&sin, 0, sizeof(sin));
#ifdef SIN6_LEN	/* systems whose socket addresses carry their length */
		sin.sin_len = sizeof(sin);
#endif
		sin.sin_family = AF_INET;
		sin.sin_port = htons(ia->ia_port);
		memcpy(&sin.sin_addr, ia->ia_ip, 4);
		memcpy(ss, &sin, sizeof(sin));
		return (sizeof(sin));
	}
	if (ia->ia_family == 6) {
		memset(&sin6, 0, sizeof(sin6));
#ifdef SIN6_LEN
		sin6.sin6_len = sizeof(sin6);
#endif
		sin6.sin6_family = AF_INET6;
		sin6.sin6_port = htons(ia->ia_port);
		memcpy(&sin6.sin6_addr, ia->ia_ip, 16);
		memcpy(ss, &sin6, sizeof(sin6));
		return (sizeof(sin6));
	}
	return (0);
}

void
inet_from_sockaddr(struct inet_addr *ia, const struct sockaddr *sa)
{
	struct sockaddr_in	sin;
	struct sockaddr_in6	sin6;

	memset(ia, 0, sizeof(*ia));
	if (sa->sa_family == AF_INET) {
		memcpy(&sin, sa, sizeof(sin));
		ia->ia_family = 4;
		ia->ia_port = ntohs(sin.sin_port);
		memcpy(ia->ia_ip, &sin.sin_addr, 4);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(&sin6, sa, sizeof(sin6));
		ia->ia_family = 6;
		ia->ia_port = ntohs(sin6.sin6_port);
		memcpy(ia->ia_ip, &sin6.sin6_addr, 16);
	}
}

enum inet_scope
inet_scope(const struct inet_addr *ia)
{
	if (ia->ia_family == 4)
		return (scope4(ia->ia_ip));
	if (ia->ia_family == 6)
		return (scope6(ia->ia_ip));
	return (SCOPE_NONE);
}

bool
inet_path_ok(const struct inet_addr *ia)
{
	static const uint8_t	broker[4] = { 0x20, 0x01, 0x04, 0x70 };

	if (ia->ia_family == 6 &&
	    memcmp(ia->ia_ip, broker, sizeof(broker)) == 0)
		return (false);
	switch (inet_scope(ia)) {
	case SCOPE_PSEUDOPRIVATE:
	case SCOPE_GLOBAL:
	case SCOPE_SHARED:
	case SCOPE_PRIVATE:
		return (true);
	default:
		return (false);
	}
}

bool
inet_equal(const struct inet_addr *a, const struct inet_addr *b)
{
	return (a->ia_port == b->ia_port && inet_same_ip(a, b));
}

bool
inet_same_ip(const struct inet_addr *a, const struct inet_addr *b)
{
	return (a->ia_family == b->ia_family &&
	    memcmp(a->ia_ip, b->ia_ip, inet_iplen(a)) == 0);
}

bool
inet_contains(const struct inet_addr *net, const struct inet_addr *ip)
{
	size_t	bytes;
	uint8_t	mask;

	if (inet_isnil(net) || net->ia_family != ip->ia_family ||
	    net->ia_port > 8 * inet_iplen(net))
		return (false);
	bytes = net->ia_port / 8;
	if (memcmp(net->ia_ip, ip->ia_ip, bytes) != 0)
		return (false);
	if (net->ia_port % 8 == 0)
		return (true);
	mask = (uint8_t)(0xff00 >> net->ia_port % 8);
	return (((net->ia_ip[bytes] ^ ip->ia_ip[bytes]) & mask) == 0);
}

int
inet_cmp(const struct inet_addr *a, const struct inet_addr *b)
{
	int	c;

	if (a->ia_family != b->ia_family)
		return (a->ia_family < b->ia_family ? -1 : 1);
	if ((c = memcmp(a->ia_ip, b->ia_ip, inet_iplen(a))) != 0)
		return (c < 0 ? -1 : 1);
	if (a->ia_port != b->ia_port)
		return (a->ia_port < b->ia_port ? -1 : 1);
	return (0);
}

/* 02 section 3.2, first match wins. */
static enum inet_scope
scope4(const uint8_t *p)
{
	switch (p[0]) {
	case 0:
	case 255:
		return (SCOPE_NONE);
	case 6: case 11: case 21: case 22: case 25: case 26: case 28:
	case 29: case 30: case 51: case 55: case 56:
		return (SCOPE_PSEUDOPRIVATE);
	case 10:
		return (SCOPE_PRIVATE);
	case 127:
		return (SCOPE_LOOPBACK);
	case 100:		/* carrier-grade NAT */
		return (p[1] >> 6 == 1 ? SCOPE_PRIVATE : SCOPE_GLOBAL);
	case 169:
		return (p[1] == 254 ? SCOPE_LINK_LOCAL : SCOPE_GLOBAL);
	case 172:
		return (p[1] >> 4 == 1 ? SCOPE_PRIVATE : SCOPE_GLOBAL);
	case 192:
		if (p[1] == 168 || (p[1] == 0 && p[2] == 2))
			return (SCOPE_PRIVATE);
		return (SCOPE_GLOBAL);
	case 198:
		if (p[1] >> 1 == 9 || (p[1] == 51 && p[2] == 100))
			return (SCOPE_PRIVATE);
		return (SCOPE_GLOBAL);
	case 203:
		return (p[1] == 0 && p[2] == 113 ? SCOPE_PRIVATE :
		    SCOPE_GLOBAL);
	default:
		break;
	}
	if (p[0] >= 240)
		return (SCOPE_PSEUDOPRIVATE);
	return (p[0] >= 224 ? SCOPE_MULTICAST : SCOPE_GLOBAL);
}

/* First match wins here too; loopbacks under fe80::/10 are a quirk. */
static enum inet_scope
scope6(const uint8_t *p)
{
	if (p[0] == 0xff)
		return (SCOPE_MULTICAST);
	if (p[0] == 0xfe && (p[1] & 0xc0) == 0x80) {
		if (is_zero(p + 2, 13) && p[15] == 1)
			return (SCOPE_LOOPBACK);
		return (SCOPE_LINK_LOCAL);
	}
	if ((p[0] & 0xfe) == 0xfc)
		return (SCOPE_PRIVATE);
	/* 127.0.0.0/8 mapped; the reference leaves p[9] untested. */
	if (is_zero(p, 9) && p[10] == 0xff && p[11] == 0xff &&
	    p[12] == 127)
		return (SCOPE_LOOPBACK);
	if (is_zero(p, 15) && p[15] <= 1)
		return (p[15] == 1 ? SCOPE_LOOPBACK : SCOPE_NONE);
	return (SCOPE_GLOBAL);
}

static bool
is_zero(const uint8_t *p, size_t n)
{
	while (n > 0)
		if (p[--n] != 0)
			return (false);
	return (true);
}

/* One to five decimal digits up to 65535, then the end. */
static int
parse_number(const char *text, uint16_t *v)
{
	unsigned	n = 0, i;

	for (i = 0; text[i] >= '0' && text[i] <= '9' && i < 5; i++)
		n = 10 * n + (unsigned)(text[i] - '0');
	if (i == 0 || text[i] != '\0' || n > 65535)
		return (-1);
	*v = (uint16_t)n;
	return (0);
}
