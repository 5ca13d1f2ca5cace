/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Internet addresses with a 16-bit number beside them, which is a UDP port
 * for endpoints and a prefix length for networks.
 * Spec: 01 section 14, 02 section 3, 03 sections 1.1 and 19.2.
 */

#ifndef COMMON_INET_H
#define COMMON_INET_H

#include <sys/socket.h>

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

/* Longest text: IPv6, '/', five digits, NUL. */
#define INET_TEXT	56

/* Order is preference as a path, higher is better (02 section 3.2). */
enum inet_scope {
	SCOPE_NONE = 0,
	SCOPE_MULTICAST = 1,
	SCOPE_LOOPBACK = 2,
	SCOPE_PSEUDOPRIVATE = 3,
	SCOPE_GLOBAL = 4,
	SCOPE_LINK_LOCAL = 5,
	SCOPE_SHARED = 6,
	SCOPE_PRIVATE = 7
};

/*
 * Fixed layout without holes, so that it can cross processes and be
 * compared with memcmp once zero-initialised.
 */
struct inet_addr {
	uint8_t		ia_family;	/* 0 nil, 4 or 6 */
	uint8_t		ia_pad;		/* always 0 */
	uint16_t	ia_port;	/* port or prefix length, host order */
	uint8_t		ia_ip[16];	/* IPv4 in the first 4, rest 0 */
};

static inline bool
inet_isnil(const struct inet_addr *ia)
{
	return (ia->ia_family == 0);
}

/* Bytes of the IP address: 4, 16, or 0 for nil. */
static inline size_t
inet_iplen(const struct inet_addr *ia)
{
	return (ia->ia_family == 4 ? 4 : ia->ia_family == 6 ? 16 : 0);
}

/*
 * Wire form, type byte first (01 section 14).  Types 1, 2 and 3 are skipped
 * and give nil; other unknown types and truncation make rb bad.
 */
void	 inet_get(struct rbuf *rb, struct inet_addr *ia);
void	 inet_put(struct wbuf *wb, const struct inet_addr *ia);

/*
 * Text "address/number", number 0 when absent.  Empty text is nil.  Strict:
 * an address that does not parse, a number over 65535 or trailing text is an
 * error (-1) and leaves *ia nil.
 */
int	 inet_parse(const char *text, struct inet_addr *ia);
/* "address/number" and "address"; dst has INET_TEXT bytes.  Nil is "". */
char	*inet_format(char *dst, const struct inet_addr *ia);
char	*inet_format_ip(char *dst, const struct inet_addr *ia);

/* To and from the system's form.  inet_to_sockaddr returns its length, 0
 * for nil; inet_from_sockaddr gives nil for other families. */
socklen_t inet_to_sockaddr(const struct inet_addr *ia,
	    struct sockaddr_storage *ss);
void	 inet_from_sockaddr(struct inet_addr *ia, const struct sockaddr *sa);

enum inet_scope	inet_scope(const struct inet_addr *ia);
/* Scope and family allow a path there (02 section 3.2, last paragraph). */
bool	 inet_path_ok(const struct inet_addr *ia);

bool	 inet_equal(const struct inet_addr *a, const struct inet_addr *b);
bool	 inet_same_ip(const struct inet_addr *a, const struct inet_addr *b);
/* net's ia_port is its prefix length.  Host bits of net are ignored. */
bool	 inet_contains(const struct inet_addr *net,
	    const struct inet_addr *ip);
/* Total order (family, address, number), for sorting. */
int	 inet_cmp(const struct inet_addr *a, const struct inet_addr *b);

#endif /* COMMON_INET_H */
