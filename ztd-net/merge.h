/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Frames from peers on their way to a tap: consecutive segments of one TCP
 * stream, or datagrams of one UDP flow, become one super-frame, which
 * passes the system call and the host's network stack as one.  Cutting it
 * as its struct offload says gives the same frames again.  Only the
 * identification of IPv4 may differ, where it says nothing (RFC 6864: with
 * DF) and in UDP.  Spec: 06 section 10.2.
 *
 * What a flow's frames are to each other never changes: a frame that joins
 * nothing goes straight out, and what waits of its flow before it.  Frames
 * in which no ports can be seen (no TCP or UDP, fragments, IPv4 options,
 * IPv6 extension headers) come behind all that waits between the same two
 * MACs.  Frames of other flows may be overtaken.
 *
 * Memory is MERGE_FLOWS buffers of 64 KiB, of which only what is written
 * is ever touched, and the same ones first; nothing is allocated later.
 */

#ifndef ZTD_NET_MERGE_H
#define ZTD_NET_MERGE_H

#include <stddef.h>
#include <stdint.h>

#include "common/offload.h"

#define MERGE_FLOWS	16	/* that wait at a time; others go straight */
#define MERGE_SEGS	64	/* in a super-frame; kernels take no more UDP */
#define MERGE_HDR	14	/* Ethernet header */
#define MERGE_MAX	65535	/* bytes behind that of a super-frame */

struct merge;

/*
 * Takes what comes out, before it returns: hdr, MERGE_HDR bytes, and len
 * bytes of payload, which need not stand behind each other.  A frame that
 * was not merged is as it came and of all zero.  Must not call merge_*().
 */
typedef void (*merge_out)(void *arg, void *key, const struct offload *of,
	    const uint8_t *hdr, const void *p, size_t len);

/* NULL when memory is short. */
struct merge *merge_new(merge_out, void *arg);
/* What waits is lost. */
void	 merge_free(struct merge *);

/*
 * A frame for the tap known as key, which takes can, OFFLOAD_CAN_* (TCP and
 * UDP imply CSUM; without them nothing merges).  Before can of a tap
 * changes: merge_flush().  The payload is copied or goes out at once.
 */
void	 merge_put(struct merge *, void *key, unsigned can, uint64_t dst,
	    uint64_t src, uint16_t ethertype, const void *p, size_t len);
/* All that waits goes out, oldest first: at the end of every batch. */
void	 merge_flush(struct merge *);
/* There may be nothing for long; after merge_flush(). */
void	 merge_rest(struct merge *);
/* The tap goes away, and what waits for it is lost. */
void	 merge_forget(struct merge *, const void *key);

#endif /* ZTD_NET_MERGE_H */
