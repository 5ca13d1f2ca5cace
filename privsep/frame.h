/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The frame channel: Ethernet frames between the parent, which owns the
 * taps, and the engine.  SOCK_SEQPACKET, one frame a message; a
 * length-prefixed stream where the kernel's SOCK_SEQPACKET does not do
 * (FreeBSD).  Or a tap that the parent lent to the engine, which looks the
 * same.  Which form runs is hidden here.  Spec: 06 section 11.
 *
 * Nothing queues without bound: a frame that does not fit is dropped and
 * counted.
 */

#ifndef PRIVSEP_FRAME_H
#define PRIVSEP_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/offload.h"

#define FRAME_HDR	14		/* Ethernet header */
#define FRAME_TAG	4		/* of a VLAN, behind it */
/* A super-frame: headers and the longest IP packet. */
#define FRAME_MAX	(FRAME_HDR + FRAME_TAG + 65535)
#define FRAME_BATCH	32		/* frames moved in one system call */
/*
 * Interfaces on one channel: the index in front of a frame has 16 bits, to
 * keep that head at four bytes.  This is what limits networks with a tap;
 * all else that there is of networks is limited by memory alone.
 */
#define FRAME_TAPS	65535

struct frame_channel;

struct frame {
	uint16_t	 f_tap;		/* index from MSG_TAP */
	uint16_t	 f_flags;	/* 0 */
	uint32_t	 f_len;		/* bytes of f_data, >= FRAME_HDR */
	uint8_t		*f_data;
	struct offload	 f_offload;	/* offload_sane() */
};

/* Frames; fs_dropped are those of both directions. */
struct frame_stats {
	uint64_t	 fs_sent, fs_received, fs_dropped;
};

/* Connected, close-on-exec, non-blocking ends with large buffers. */
int	 frame_pair(int fds[2]);
/* Take over one end.  NULL when memory is short; fd is then the caller's. */
struct frame_channel *frame_new(int fd);
/*
 * The same around a non-blocking tap: frames got have this index, and it is
 * of no account in frame_put().  All taps share the buffers of frame_get():
 * what it returned is valid until it is called for any of them.
 */
struct frame_channel *frame_new_tap(int fd, bool vnet, uint16_t tap);
void	 frame_free(struct frame_channel *);
int	 frame_fd(const struct frame_channel *);

/*
 * Queue one frame into the current batch, copying it; a full batch is
 * flushed first.  Call frame_flush() at the end of a burst.  A frame whose
 * length is not FRAME_HDR to FRAME_MAX, and one for which the other side
 * has no room, is dropped and counted.
 */
void	 frame_put(struct frame_channel *, uint16_t tap, const void *p,
	    size_t len);
/*
 * The same from two parts, header and payload, and with what is to be done
 * to it (NULL: nothing); what is not offload_sane() is dropped and counted.
 */
void	 frame_put2(struct frame_channel *, uint16_t tap,
	    const struct offload *, const void *hdr, size_t hdrlen,
	    const void *p, size_t len);
void	 frame_flush(struct frame_channel *);
/* The same for all taps, of which only one may have something waiting. */
void	 frame_flush_taps(void);

/*
 * Receive up to FRAME_BATCH frames; dst[] points into buffers of the channel
 * that are valid until the next call.  Returns how many, 0 when none wait,
 * -1 when the other side is gone (or, in the stream form, said something
 * after which no frame can be found).  Malformed messages are dropped and
 * counted.  Frame data has no alignment.
 */
int	 frame_get(struct frame_channel *, struct frame dst[FRAME_BATCH]);
/*
 * What taps gave is needed no more, and there may be nothing for long.  What
 * waits for one is kept.
 */
void	 frame_rest(void);
/*
 * More frames may wait than the last frame_get() returned, perhaps in the
 * channel itself, so that the descriptor need not be readable: call it again,
 * if not now then from a timer of zero.
 */
bool	 frame_more(const struct frame_channel *);
const struct frame_stats *frame_stats(const struct frame_channel *);

#endif /* PRIVSEP_FRAME_H */
