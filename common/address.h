/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Node addresses, network ids, MACs, and what is derived from them.
 * Spec: 01 section 2, 03 section 2.
 *
 * A node address is 40 bits in a uint64_t, a network id 64 bits, a MAC 48
 * bits in a uint64_t with the first octet on top.
 */

#ifndef COMMON_ADDRESS_H
#define COMMON_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/inet.h"

#define ADDR_LEN		5	/* bytes on the wire */
#define ADDR_TEXT		11	/* ten digits and NUL */
#define ADDR_MASK		0xffffffffffULL
#define NWID_TEXT		17	/* sixteen digits and NUL */
#define MAC_LEN			6
#define MAC_TEXT		18	/* aa:bb:cc:dd:ee:ff and NUL */
#define MAC_BROADCAST		0xffffffffffffULL
#define ZT_IFNAME_LEN		16	/* interface name with NUL */

static inline uint64_t
rbuf_addr(struct rbuf *rb)
{
	return (rbuf_uint(rb, ADDR_LEN));
}

static inline void
wbuf_addr(struct wbuf *wb, uint64_t addr)
{
	wbuf_uint(wb, addr, ADDR_LEN);
}

static inline uint64_t
rbuf_mac(struct rbuf *rb)
{
	return (rbuf_uint(rb, MAC_LEN));
}

static inline void
wbuf_mac(struct wbuf *wb, uint64_t mac)
{
	wbuf_uint(wb, mac, MAC_LEN);
}

/* Nil, or first byte 0xff: can never belong to a node. */
static inline bool
addr_reserved(uint64_t addr)
{
	return (addr == 0 || addr >> 32 == 0xff);
}

static inline bool
mac_multicast(uint64_t mac)
{
	return ((mac >> 40 & 0x01) != 0);
}

/* Address of the controller of a network. */
static inline uint64_t
nwid_controller(uint64_t nwid)
{
	return (nwid >> 24);
}

/* Ad-hoc networks (03 section 8) have no controller. */
static inline bool
nwid_adhoc(uint64_t nwid)
{
	return (nwid >> 56 == 0xff);
}

/* Text of an address / network id / MAC into a buffer of the size above. */
char	*addr_format(char *dst, uint64_t addr);
char	*nwid_format(char *dst, uint64_t nwid);
char	*mac_format(char *dst, uint64_t mac);

/*
 * Exactly 10 / 16 hex digits of either case.  Return 0, or -1 when the
 * text is anything else.
 */
int	 addr_parse(const char *text, uint64_t *addr);
int	 nwid_parse(const char *text, uint64_t *nwid);

/* MAC of a member of a network, and back (03 section 2.2). */
uint64_t mac_from_addr(uint64_t addr, uint64_t nwid);
uint64_t mac_to_addr(uint64_t mac, uint64_t nwid);

/*
 * IPv6 addresses of a member: RFC 4193 style (ia_port = prefix length 88)
 * and 6PLANE (prefix length 40).  03 sections 2.3 and 2.4.
 */
void	 addr_rfc4193(struct inet_addr *ia, uint64_t nwid, uint64_t addr);
void	 addr_6plane(struct inet_addr *ia, uint64_t nwid, uint64_t addr);

/*
 * Interface name of a network on Linux ("zt" and 8 characters; trial counts
 * name collisions from 0) and FreeBSD ("zt" and 13).  06 section 3.
 */
void	 ifname_linux(char dst[ZT_IFNAME_LEN], uint64_t nwid, unsigned trial);
void	 ifname_freebsd(char dst[ZT_IFNAME_LEN], uint64_t nwid);

#endif /* COMMON_ADDRESS_H */
