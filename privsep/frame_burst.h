/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Several frames to or from a tap in one system call, where the system has
 * one for it (Linux).  Whom a written frame wakes can then run when all of
 * them are written, and finds them all; else the kernel lets him go first at
 * each, to take one and sleep again.  Spec: 06 section 4.1.
 */

#ifndef PRIVSEP_FRAME_BURST_H
#define PRIVSEP_FRAME_BURST_H

#include <sys/types.h>
#include <sys/uio.h>

#include <stdbool.h>

#define BURST_MAX	64	/* frames at once */

/*
 * Get from the system what it takes; child_confine() does that with co_burst.
 * If it refuses, or has nothing like it, there are no bursts.
 */
void	 frame_burst_init(void);
bool	 frame_burst_works(void);
/*
 * Write n frames, at most BURST_MAX, one an iovec, to the non-blocking tap
 * fd, in this order; only where it works.  Returns how many the tap took.
 */
unsigned frame_burst(int fd, const struct iovec *, unsigned n);
/*
 * Read up to n frames, at most BURST_MAX, from it, one an iovec; only where
 * it works.  Those that came are in the order of the iovecs, with others that
 * stayed empty perhaps in between.  len[i]: the bytes of one, or -errno.
 */
void	 frame_burst_read(int fd, const struct iovec *, unsigned n,
	    ssize_t *len);

#endif /* PRIVSEP_FRAME_BURST_H */
