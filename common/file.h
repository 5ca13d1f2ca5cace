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
 * The same for folders in which others can write: the last part of path must
 * be no link, and the file must belong to uid and have no second name; else
 * errno is ELOOP (EMLINK on FreeBSD, EFTYPE on NetBSD) or EPERM.
 * Spec: 06 section 12.2.
 */
char	*file_read_owned(int dirfd, const char *path, uid_t uid, size_t max,
	    size_t *len);

/*
 * Replace a file: temporary file in the same folder, write, fsync, rename,
 * fsync the folder.  The mode is as given whatever the umask; owner and group
 * are set when not -1.  A link in the file's place is itself replaced.
 * Returns 0, or -1 with errno; on failure the old file is untouched and no
 * temporary file stays, except when only the last step failed: then the new
 * file is in place, but may not outlast a power cut.
 */
int	 file_write(int dirfd, const char *path, const void *p, size_t len,
	    mode_t mode, uid_t uid, gid_t gid);
/*
 * The same for what can be had again (a cache): replaced in one step, but
 * without waiting for the disk.  Owner and group are the process's.
 */
int	 file_write_cache(int dirfd, const char *path, const void *p,
	    size_t len, mode_t mode);

#endif /* COMMON_FILE_H */
