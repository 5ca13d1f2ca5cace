/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A text in sealed memory: memfd_create(2).
 */

#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "ztd-controller/sheet.h"

#define SEALS	(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define WRITES	IOV_MAX

static int	 write_all(int, const struct iovec *, size_t);
static int	 write_part(int, const struct iovec *, size_t);

int
sheet_fd(const struct iovec *iov, size_t n, size_t len)
{
	int	error, fd;

	if (len == 0) {
		errno = EINVAL;
		return (-1);
	}
	fd = memfd_create("ztd", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd == -1)
		return (-1);
	if (write_all(fd, iov, n) == 0 &&
	    lseek(fd, 0, SEEK_END) == (off_t)len &&
	    fcntl(fd, F_ADD_SEALS, SEALS) == 0)
		return (fd);
	error = errno;
	(void)close(fd);
	errno = error == 0 ? EIO : error;
	return (-1);
}

static int
write_all(int fd, const struct iovec *iov, size_t n)
{
	size_t	part;

	for (; n > 0; iov += part, n -= part) {
		part = n < WRITES ? n : WRITES;
		if (write_part(fd, iov, part) == -1)
			return (-1);
	}
	return (0);
}

/* Memory takes all at once, or there is none left. */
static int
write_part(int fd, const struct iovec *iov, size_t n)
{
	size_t	i, len = 0;

	for (i = 0; i < n; i++)
		len += iov[i].iov_len;
	errno = 0;
	return (writev(fd, iov, (int)n) == (ssize_t)len ? 0 : -1);
}
