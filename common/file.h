/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Small files, whole: read with a limit, written atomically.
 */

#ifndef COMMON_FILE_H
#define COMMON_FILE_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

/*
 * Read a regular file of at most max bytes.  Returns malloc'd contents with
 * a NUL behind the *len bytes, or NULL with errno (EFBIG when it is longer).
 * dirfd may be AT_FDCWD.
 */
char	*file_read(int dirfd, const char *path, size_t max, size_t *len);

/*
 * Replace a file: temporary file in the same folder, write, fsync, rename.
 * Owner and group are set when not -1.  Returns 0, or -1 with errno; on
 * failure the old file is untouched and no temporary file stays.
 */
int	 file_write(int dirfd, const char *path, const void *p, size_t len,
	    mode_t mode, uid_t uid, gid_t gid);

#endif /* COMMON_FILE_H */
