/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Linux: io_submit(2).  A tap has taken what is written to it, and given what
 * there was to read, when the call returns: nothing is ever under way.
 */

#include <sys/types.h>
#include <sys/syscall.h>

#include <linux/aio_abi.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "privsep/frame_burst.h"
#include "privsep/frame_tap.h"

static aio_context_t	context;	/* 0: none */

void
frame_burst_init(void)
{
	context = 0;	/* before a fork it was another process's */
	(void)syscall(SYS_io_setup, BURST_MAX, &context);
}

bool
frame_burst_works(void)
{
	return (context != 0);
}

/* As it is: a vnet header is in front already where the tap has one. */
static bool
write_one(int fd, const struct iovec *iov)
{
	return (frame_tap_write(fd, false, NULL, iov->iov_base, iov->iov_len,
	    NULL, 0) == 0);
}

/* What became of n that were submitted, of all; result[] by their aio_data. */
static void
collect(long n, unsigned all, ssize_t *result)
{
	struct io_event	 events[BURST_MAX];
	long		 got, i;

	for (; n > 0; n -= got) {
		got = syscall(SYS_io_getevents, context, n, n, events, NULL);
		if (got == -1 && errno == EINTR) {
			got = 0;
			continue;
		}
		if (got <= 0)
			break;
		for (i = 0; i < got; i++)
			if (events[i].data < all)
				result[events[i].data] = (ssize_t)events[i].res;
	}
}

/*
 * Do what, IOCB_CMD_PREAD or PWRITE, with each of n iovecs in this order.
 * Returns with how many of them, the first ones, the kernel tried it;
 * result[]: bytes, or -errno.
 */
static unsigned
submit(int fd, uint16_t what, const struct iovec *iov, unsigned n,
    ssize_t *result)
{
	struct iocb	 cb[BURST_MAX], *list[BURST_MAX];
	unsigned	 i;
	long		 done;

	memset(cb, 0, n * sizeof(cb[0]));
	for (i = 0; i < n; i++) {
		cb[i].aio_fildes = (uint32_t)fd;
		cb[i].aio_lio_opcode = what;
		cb[i].aio_buf = (uintptr_t)iov[i].iov_base;
		cb[i].aio_nbytes = iov[i].iov_len;
		cb[i].aio_data = i;
		list[i] = &cb[i];
		result[i] = -EAGAIN;
	}
	for (i = 0; i < n; i += (unsigned)done) {
		done = syscall(SYS_io_submit, context, (long)(n - i),
		    list + i);
		if (done <= 0)
			break;
		collect(done, n, result);
	}
	return (i);
}

unsigned
frame_burst(int fd, const struct iovec *iov, unsigned n)
{
	ssize_t		 result[BURST_MAX];
	unsigned	 i, tried, took = 0;

	if (n == 1)
		return (write_one(fd, iov));
	tried = submit(fd, IOCB_CMD_PWRITE, iov, n, result);
	for (i = 0; i < tried; i++)
		took += result[i] >= 0;
	for (; i < n; i++)
		took += write_one(fd, &iov[i]);
	return (took);
}

void
frame_burst_read(int fd, const struct iovec *iov, unsigned n, ssize_t *len)
{
	(void)submit(fd, IOCB_CMD_PREAD, iov, n, len);
}
