/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Cutting a super-frame, which a tap with a vnet header gives in place of
 * the many segments of one TCP stream or the many datagrams of one UDP
 * socket, into the frames it stands for; and filling in the checksum of a
 * frame that has not got one yet.  Spec: 06 section 10.1.
 *
 * Nothing that the descriptor says is taken without a look at the bytes: a
 * frame of which the two do not agree is refused as a whole.
 *
 * Each segment is written once, at the place where it is wanted, headers and
 * payload; what the headers of all segments have in common is summed once.
 */

#ifndef COMMON_SPLIT_H
#define COMMON_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/offload.h"

/* A frame being cut; the fields are for split.c alone. */
struct split {
	const uint8_t	*sp_p;		/* the whole, not owned */
	size_t		 sp_len;
	size_t		 sp_hdr;	/* bytes of headers that each segment
					 * has; 0: it is one, as it is */
	size_t		 sp_at;		/* the next segment's payload */
	size_t		 sp_size;	/* payload bytes of a segment */
	unsigned	 sp_n, sp_done;	/* segments in all, and cut */
	enum { SPLIT_COPY, SPLIT_CSUM, SPLIT_TCP, SPLIT_UDP } sp_kind;
	bool		 sp_ipv6;
	size_t		 sp_ip;		/* where the header of IP begins, */
	size_t		 sp_l4;		/* that of TCP or UDP, or what is to
					 * be summed, */
	size_t		 sp_csum;	/* and where the checksum goes */
	/* Sums of both headers without what differs between segments. */
	uint64_t	 sp_ipsum, sp_l4sum;
};

/*
 * Begin to cut a frame: p are the len bytes behind its Ethernet header,
 * which must stay as they are until it is done.  Offsets in the descriptor
 * count from the Ethernet header's start, 14 bytes before p; NULL stands for
 * one that asks for nothing.  Behind the type of a VLAN tag, and of a second
 * one, the frame is looked at as if it had none.
 *
 * Returns the number of segments, 0 when the frame is malformed or is not
 * what the descriptor says.
 */
unsigned split_begin(struct split *, const struct offload *,
	    uint16_t ethertype, const uint8_t *p, size_t len);
/* Bytes of the longest segment, without Ethernet headers. */
size_t	 split_longest(const struct split *);
/* Those of the next one; 0 after the last. */
size_t	 split_len(const struct split *);
/*
 * Write the next segment, all that follows its Ethernet header, to dst,
 * which has no alignment and is not within the whole.  Returns its length; 0
 * after the last one, and when there is not enough room, and then nothing is
 * written.
 */
size_t	 split_next(struct split *, uint8_t *dst, size_t room);
/* Leave it out; false after the last. */
bool	 split_skip(struct split *);

#endif /* COMMON_SPLIT_H */
