/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The Internet checksum (RFC 1071) in parts.  A sum is kept in 64 bits in
 * the byte order of the host and folded at the end, so it may be extended by
 * any number of parts of even length, and one of odd length at last.
 */

#ifndef COMMON_INETSUM_H
#define COMMON_INETSUM_H

#include <stddef.h>
#include <stdint.h>

/* Add len bytes, of any alignment, to a sum. */
uint64_t inetsum_add(uint64_t sum, const void *p, size_t len);
/*
 * The same, and copy them to dst, which has any alignment and does not
 * overlap them: that costs little more than one of the two alone.
 */
uint64_t inetsum_copy(uint64_t sum, void *dst, const void *p, size_t len);
/* Add a 16-bit number, in host order. */
uint64_t inetsum_add16(uint64_t sum, uint16_t);
/* The 16 bits of it in network byte order, as memcpy() puts them into a
 * header, not complemented. */
uint16_t inetsum_fold(uint64_t sum);
/*
 * The sum of the pseudo header of IPv4 or IPv6: addrs is the source address
 * with the destination behind it, addrlen bytes together (8 or 32); len is
 * that of the transport header and its payload.
 */
uint64_t inetsum_pseudo(const void *addrs, size_t addrlen, uint8_t proto,
	    uint32_t len);

#endif /* COMMON_INETSUM_H */
