/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Super-frames as a host's kernel makes them, and the segments that they
 * stand for: both are built from the same description, the segments one by
 * one and byte by byte, so that nothing is cut.
 */

#ifndef REGRESS_LIB_SUPERFRAME_H
#define REGRESS_LIB_SUPERFRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/offload.h"

#define SUPERFRAME_MAX	66000

struct superframe {
	/* The description. */
	bool		 sf_udp, sf_ipv6;
	unsigned	 sf_tags;	/* of VLANs, 0 to 2 */
	unsigned	 sf_options;	/* IPv4, in words: 0 to 10 */
	unsigned	 sf_exts;	/* IPv6, of 8 bytes and 16 and so on: 0
					 * to 3 */
	unsigned	 sf_tcp_options;	/* in words: 0 to 10 */
	uint8_t		 sf_flags;	/* of TCP */
	uint8_t		 sf_tos;
	uint16_t	 sf_id;
	uint16_t	 sf_port;	/* source */
	uint32_t	 sf_seq;
	uint32_t	 sf_seed;	/* of the payload */
	size_t		 sf_payload;	/* bytes */
	size_t		 sf_size;	/* of them in a segment */

	/* What superframe_make() makes of it. */
	struct offload	 sf_of;
	uint16_t	 sf_type;	/* of the Ethernet frame */
	size_t		 sf_len;
	unsigned	 sf_n;		/* segments */
	uint8_t		 sf_p[SUPERFRAME_MAX];
};

/* A TCP stream's over IPv4, and so many bytes. */
void	 superframe_init(struct superframe *, size_t payload, size_t size);
/* A description made of these bytes, which may be any; zeros follow. */
void	 superframe_random(struct superframe *, const uint8_t *, size_t);
void	 superframe_make(struct superframe *);
/* Segment k of it, which has room for all; returns its length. */
size_t	 superframe_segment(const struct superframe *, unsigned k,
	    uint8_t dst[SUPERFRAME_MAX]);
/* Of a single frame whose checksum is to be filled in, the same with it. */
size_t	 superframe_filled(const struct offload *, const uint8_t *,
	    size_t len, uint8_t dst[SUPERFRAME_MAX]);

#endif /* REGRESS_LIB_SUPERFRAME_H */
