/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The BSDs: nothing.  lio_listio(2), where there is one, hands each frame to
 * a thread of the kernel, which costs more than it saves.
 */

#include <errno.h>

#include "privsep/frame_burst.h"

void
frame_burst_init(void)
{
}

bool
frame_burst_works(void)
{
	return (false);
}

unsigned
frame_burst(int fd, const struct iovec *iov, unsigned n)
{
	(void)fd;
	(void)iov;
	(void)n;
	return (0);
}

void
frame_burst_read(int fd, const struct iovec *iov, unsigned n, ssize_t *len)
{
	unsigned	 i;

	(void)fd;
	(void)iov;
	for (i = 0; i < n; i++)
		len[i] = -EAGAIN;
}
