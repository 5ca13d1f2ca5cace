/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Ethernet frames of TCP and UDP, made and cut by hand: checksums are
 * counted 16 bits at a time, and super-frames cut byte by byte, with
 * nothing of what is under test.
 */

#ifndef REGRESS_LIB_MERGEFRAME_H
#define REGRESS_LIB_MERGEFRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/offload.h"

#define MF_MAX		65549	/* longest frame */
#define MF_OPTIONS	40

#define MF_FIN	0x01
#define MF_SYN	0x02
#define MF_RST	0x04
#define MF_PSH	0x08
#define MF_ACK	0x10
#define MF_URG	0x20
#define MF_ECE	0x40
#define MF_CWR	0x80

struct mergeframe {
	uint8_t		 mf_dst[6], mf_src[6];
	bool		 mf_v6, mf_udp;
	uint8_t		 mf_from[16], mf_to[16];	/* v4: four of them */
	uint8_t		 mf_tos, mf_ttl;
	bool		 mf_df;
	uint16_t	 mf_id;
	uint16_t	 mf_sport, mf_dport;
	uint32_t	 mf_seq, mf_ack;
	uint8_t		 mf_flags;
	uint16_t	 mf_window;
	uint8_t		 mf_optlen;	/* a multiple of 4 */
	uint8_t		 mf_options[MF_OPTIONS];
	size_t		 mf_payload;	/* bytes, */
	uint32_t	 mf_fill;	/* which are mergeframe_byte()s, the
					 * first with this index */
};

/* Usual values: 10.0.0.2:1000 to 10.0.0.1:2000 (fd00::2, fd00::1), ACK. */
void	 mergeframe_init(struct mergeframe *, bool v6, bool udp);
/* MF_MAX bytes of room; returns its length. */
size_t	 mergeframe_make(uint8_t *dst, const struct mergeframe *);
uint8_t	 mergeframe_byte(uint32_t index);
/* Put right all checksums that a frame has room for. */
void	 mergeframe_sums(uint8_t *, size_t len);

/*
 * Cut a super-frame as a kernel does, after a look at everything that it
 * relies on.  Returns NULL, or what is wrong.
 */
const char *mergeframe_cut(const struct offload *, const uint8_t *,
	    size_t len, void (*)(void *arg, const uint8_t *, size_t len),
	    void *arg);

#endif /* REGRESS_LIB_MERGEFRAME_H */
