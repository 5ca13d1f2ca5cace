/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Small files, whole: read with a limit, written atomically.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"

#define TEMP_TRIES	16

static char	*read_file(int, const char *, int, const uid_t *, size_t,
		    size_t *);
static bool	 owned(int, uid_t);
static char	*read_all(int, size_t, size_t *);
static int	 open_folder(int, const char *, const char **);
static int	 open_temp(int, const char *, char *, size_t);
static int	 write_file(int, const char *, const void *, size_t, mode_t,
		    uid_t, gid_t, bool);
static int	 fill_temp(int, const void *, size_t, mode_t, uid_t, gid_t,
		    bool);
static int	 write_all(int, const void *, size_t);

char *
file_read(int dirfd, const char *path, size_t max, size_t *len)
{
	return (read_file(dirfd, path, 0, NULL, max, len));
}

char *
file_read_owned(int dirfd, const char *path, uid_t uid, size_t max,
    size_t *len)
{
	return (read_file(dirfd, path, O_NOFOLLOW, &uid, max, len));
}

int
file_write(int dirfd, const char *path, const void *p, size_t len,
    mode_t mode, uid_t uid, gid_t gid)
{
	return (write_file(dirfd, path, p, len, mode, uid, gid, true));
}

int
file_write_cache(int dirfd, const char *path, const void *p, size_t len,
    mode_t mode)
{
	return (write_file(dirfd, path, p, len, mode, (uid_t)-1, (gid_t)-1,
	    false));
}

static int
write_file(int dirfd, const char *path, const void *p, size_t len,
    mode_t mode, uid_t uid, gid_t gid, bool last)
{
	char		 temp[NAME_MAX + 1];
	const char	*name;
	int		 folder, fd, saved, rv = -1;

	/*
	 * Everything below is relative to this descriptor, so that no other
	 * folder can be slipped in between making and renaming.
	 */
	if ((folder = open_folder(dirfd, path, &name)) == -1)
		return (-1);
	if ((fd = open_temp(folder, name, temp, sizeof(temp))) == -1)
		goto done;
	if (fill_temp(fd, p, len, mode, uid, gid, last) == -1 ||
	    renameat(folder, temp, folder, name) == -1) {
		saved = errno;
		(void)unlinkat(folder, temp, 0);
		errno = saved;
		goto done;
	}
	/* EINVAL: this file system has nothing to sync for a folder. */
	if (last && fsync(folder) == -1 && errno != EINVAL)
		goto done;
	rv = 0;
done:
	saved = errno;
	close(folder);
	errno = saved;
	return (rv);
}

static char *
read_file(int dirfd, const char *path, int flags, const uid_t *uid,
    size_t max, size_t *len)
{
	char	*p = NULL;
	int	 fd, saved;

	/* A FIFO in the file's place must not hold us up. */
	fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK |
	    O_NOCTTY | flags);
	if (fd == -1)
		return (NULL);
	if (uid == NULL || owned(fd, *uid))
		p = read_all(fd, max, len);
	saved = errno;
	close(fd);
	errno = saved;
	return (p);
}

/* A second name would let its owner keep a file that we think replaced. */
static bool
owned(int fd, uid_t uid)
{
	struct stat	st;

	if (fstat(fd, &st) == -1)
		return (false);
	if (st.st_uid != uid || st.st_nlink != 1) {
		errno = EPERM;
		return (false);
	}
	return (true);
}

/* The contents of a regular file; the size it claims is only a hint. */
static char *
read_all(int fd, size_t max, size_t *len)
{
	struct stat	 st;
	char		*buf = NULL, *bigger;
	size_t		 have = 0, size = 0, want;
	ssize_t		 n;

	if (fstat(fd, &st) == -1)
		return (NULL);
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return (NULL);
	}
	if (max >= SIZE_MAX - 2)
		max = SIZE_MAX - 2;
	if (st.st_size > 0 && (uintmax_t)st.st_size > max)
		goto toobig;
	want = st.st_size > 0 ? (size_t)st.st_size : 0;
	for (;;) {
		if (have + 1 >= size) {
			/* One byte over shows EOF, one is for the NUL. */
			size = size == 0 ? want + 2 : size + 4096;
			if ((bigger = realloc(buf, size)) == NULL)
				goto fail;
			buf = bigger;
		}
		n = read(fd, buf + have, size - have - 1);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			goto fail;
		if (n == 0)
			break;
		if ((have += (size_t)n) > max)
			goto toobig;
	}
	buf[have] = '\0';
	*len = have;
	return (buf);
toobig:
	errno = EFBIG;
fail:
	free(buf);
	return (NULL);
}

/* Open the folder that path is in, and point *name at its last part. */
static int
open_folder(int dirfd, const char *path, const char **name)
{
	char		 dir[PATH_MAX];
	const char	*slash;
	size_t		 n;

	slash = strrchr(path, '/');
	*name = slash == NULL ? path : slash + 1;
	if (**name == '\0' || strcmp(*name, ".") == 0 ||
	    strcmp(*name, "..") == 0) {
		errno = EINVAL;
		return (-1);
	}
	if (slash == NULL)
		strlcpy(dir, ".", sizeof(dir));
	else {
		/* Keep the slash: it is all there is of "/name". */
		n = (size_t)(slash - path) + 1;
		if (n >= sizeof(dir)) {
			errno = ENAMETOOLONG;
			return (-1);
		}
		memcpy(dir, path, n);
		dir[n] = '\0';
	}
	return (openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

/*
 * Make a new file "NAME.RANDOM~" that nobody else can open; its name goes
 * to temp.  No reader of a folder takes it for a file of ours by its ending.
 */
static int
open_temp(int folder, const char *name, char *temp, size_t size)
{
	int	fd, i, n;

	for (i = 0; i < TEMP_TRIES; i++) {
		n = snprintf(temp, size, "%s.%08x%08x~", name,
		    (unsigned)arc4random(), (unsigned)arc4random());
		if (n < 0 || (size_t)n >= size) {
			errno = ENAMETOOLONG;
			return (-1);
		}
		fd = openat(folder, temp, O_WRONLY | O_CREAT | O_EXCL |
		    O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd != -1 || errno != EEXIST)
			return (fd);
	}
	return (-1);
}

/* Write, set owner and mode, make it last if asked; always closes fd. */
static int
fill_temp(int fd, const void *p, size_t len, mode_t mode, uid_t uid,
    gid_t gid, bool last)
{
	int	saved;

	/* The owner first: changing it may clear bits of the mode. */
	if (write_all(fd, p, len) == -1 ||
	    ((uid != (uid_t)-1 || gid != (gid_t)-1) &&
	    fchown(fd, uid, gid) == -1) ||
	    fchmod(fd, mode) == -1 || (last && fsync(fd) == -1)) {
		saved = errno;
		close(fd);
		errno = saved;
		return (-1);
	}
	return (close(fd));
}

static int
write_all(int fd, const void *p, size_t len)
{
	const uint8_t	*src = p;
	ssize_t		 n;

	while (len > 0) {
		n = write(fd, src, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return (-1);
		src += n;
		len -= (size_t)n;
	}
	return (0);
}
