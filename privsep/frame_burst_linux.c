/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Linux: io_submit(2).  A tap has taken what is written to it when the call
 * returns, so that nothing is ever under way.
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

/* Of n that were submitted, how many the tap took. */
static unsigned
taken(long n)
{
	struct io_event	 events[BURST_MAX];
	unsigned	 took = 0;
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
			if (events[i].res >= 0)
				took++;
	}
	return (took);
}

unsigned
frame_burst(int fd, const struct iovec *iov, unsigned n)
{
	struct iocb	 cb[BURST_MAX], *list[BURST_MAX];
	unsigned	 i, took = 0;
	long		 done;

	if (n == 1)
		return (write_one(fd, iov));
	memset(cb, 0, n * sizeof(cb[0]));
	for (i = 0; i < n; i++) {
		cb[i].aio_fildes = (uint32_t)fd;
		cb[i].aio_lio_opcode = IOCB_CMD_PWRITE;
		cb[i].aio_buf = (uintptr_t)iov[i].iov_base;
		cb[i].aio_nbytes = iov[i].iov_len;
		list[i] = &cb[i];
	}
	for (i = 0; i < n; i += (unsigned)done) {
		done = syscall(SYS_io_submit, context, (long)(n - i),
		    list + i);
		if (done <= 0)
			break;
		took += taken(done);
	}
	for (; i < n; i++)
		took += write_one(fd, &iov[i]);
	return (took);
}
