/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Frames of a tap, one a system call.  Spec: 06 section 4.1.
 */

#include <sys/types.h>
#include <sys/uio.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "privsep/frame_tap.h"

bool
frame_tap_sane(const struct offload *of, size_t n)
{
	return (n >= FRAME_HDR && offload_sane(of, n));
}

ssize_t
frame_tap_read(int fd, bool vnet, struct offload *of, void *p, size_t size)
{
	struct iovec	 iov[2] = { { of, sizeof(*of) }, { p, size } };
	ssize_t		 n;

	memset(of, 0, sizeof(*of));
	if (!vnet)
		n = read(fd, p, size);
	else if ((n = readv(fd, iov, 2)) != -1)
		n -= (ssize_t)sizeof(*of);
	if (n == -1)
		return (-1);
	return (n < 0 || !frame_tap_sane(of, (size_t)n) ? 0 : n);
}

int
frame_tap_write(int fd, bool vnet, const struct offload *of, const void *hdr,
    size_t hdrlen, const void *p, size_t len)
{
	static const struct offload	 nothing;
	struct iovec			 iov[3];
	ssize_t				 n;
	int				 first = vnet ? 0 : 1;

	if (of == NULL)
		of = &nothing;
	if (!vnet && (of->of_flags & OFFLOAD_CSUM) != 0) {
		errno = EINVAL;
		return (-1);
	}
	iov[0].iov_base = (void *)(uintptr_t)of;
	iov[0].iov_len = sizeof(*of);
	iov[1].iov_base = (void *)(uintptr_t)hdr;
	iov[1].iov_len = hdrlen;
	iov[2].iov_base = (void *)(uintptr_t)p;
	iov[2].iov_len = len;
	do {
		n = writev(fd, iov + first, 3 - first);
	} while (n == -1 && errno == EINTR);
	return (n == -1 ? -1 : 0);
}

bool
frame_tap_report(const void *p)
{
	static const uint8_t	 groups[][6] = {
		{ 0x01, 0x00, 0x5e, 0x00, 0x00, 0x16 },
		{ 0x01, 0x00, 0x5e, 0x00, 0x00, 0x02 },
		{ 0x33, 0x33, 0x00, 0x00, 0x00, 0x16 },
		{ 0x33, 0x33, 0x00, 0x00, 0x00, 0x02 }
	};
	size_t			 i;

	if ((*(const uint8_t *)p & 1) == 0)
		return (false);
	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (memcmp(p, groups[i], sizeof(groups[i])) == 0)
			return (true);
	return (false);
}

bool
frame_tap_gone(int error)
{
	return (error == EIO || error == ENXIO || error == EBADF ||
	    error == ENODEV
#ifdef EBADFD
	    || error == EBADFD
#endif
	    );
}
