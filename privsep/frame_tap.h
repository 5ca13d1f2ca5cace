/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * One frame from or to a tap, in one system call, with the vnet header in
 * front of it where the tap has one.  Spec: 06 sections 4.1, 10.1 and 10.2.
 */

#ifndef PRIVSEP_FRAME_TAP_H
#define PRIVSEP_FRAME_TAP_H

#include <sys/types.h>

#include "privsep/frame.h"

/*
 * Returns the frame's length, at most size bytes; 0 when it was none, or
 * what is to be done to it makes no sense; -1 with errno.
 */
ssize_t	 frame_tap_read(int fd, bool vnet, struct offload *, void *p,
	    size_t size);
/* Are these n bytes a frame, and can what is to be done to it be? */
bool	 frame_tap_sane(const struct offload *, size_t n);
/*
 * From two parts, of which the second may be empty; NULL: nothing is to be
 * done to it.  Without vnet header nothing can be.  Returns 0, or -1 with
 * errno.
 */
int	 frame_tap_write(int fd, bool vnet, const struct offload *,
	    const void *hdr, size_t hdrlen, const void *p, size_t len);
/* To the routers of IGMPv3 and MLDv2, or to all routers, who are told in the
 * older versions that a group is left: the host may report its groups. */
bool	 frame_tap_report(const void *p);
/* This errno of reading means that there is no such interface any more. */
bool	 frame_tap_gone(int error);

#endif /* PRIVSEP_FRAME_TAP_H */
