/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What a tap with a vnet header says of a frame: a checksum that is still to
 * be filled in, and of a super-frame how it is to be cut into the frames it
 * stands for.  Spec: 06 section 10.
 *
 * The layout is that of the kernel's struct virtio_net_hdr, so that it is
 * read and written as it stands.
 */

#ifndef COMMON_OFFLOAD_H
#define COMMON_OFFLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* of_flags */
#define OFFLOAD_CSUM	0x01	/* a checksum is to be filled in */
#define OFFLOAD_VALID	0x02	/* the checksums were verified */

/* of_type */
#define OFFLOAD_NONE	0x00
#define OFFLOAD_TCP4	0x01
#define OFFLOAD_TCP6	0x04
#define OFFLOAD_UDP	0x05	/* over either */
#define OFFLOAD_ECN	0x80	/* beside TCP: CWR in the first segment */

struct offload {
	uint8_t		 of_flags;
	uint8_t		 of_type;
	uint16_t	 of_hdrlen;	/* bytes of all headers; a hint */
	uint16_t	 of_size;	/* payload bytes of a segment */
	uint16_t	 of_csum_start;	/* summed from here on, counted from
					 * the Ethernet header's start */
	uint16_t	 of_csum_offset; /* where it goes, from there */
};					/* all in host order */
_Static_assert(sizeof(struct offload) == 10, "not as the kernel has it");

/* What a tap takes: bits. */
#define OFFLOAD_CAN_CSUM	0x01
#define OFFLOAD_CAN_TCP		0x02
#define OFFLOAD_CAN_UDP		0x04

static inline bool
offload_any(const struct offload *of)
{
	return (of->of_flags != 0 || of->of_type != OFFLOAD_NONE);
}

/*
 * Does it make sense for a frame of len bytes?  Nothing is unknown in it, the
 * checksum has its place inside the frame, a super-frame has a checksum to be
 * filled in and segments of some size.  What the frame holds is not looked
 * at: it may still be no TCP at all.
 */
bool	 offload_sane(const struct offload *, size_t len);
/* OFFLOAD_CAN_* that a tap must have to take it. */
unsigned offload_needs(const struct offload *);
/*
 * Of a super-frame of len bytes that is offload_sane(): the length of the
 * longest frame that it stands for.  0: its headers end outside of it.
 */
size_t	 offload_segment(const struct offload *, const void *, size_t len);

#endif /* COMMON_OFFLOAD_H */
