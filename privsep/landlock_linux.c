/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Landlock: which files a process sees.  By system call, since no library
 * has them and old headers lack the newer rights.  Spec: 06 section 12.7.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "privsep/sandbox_parts.h"

/* The same numbers on all architectures. */
#define CREATE_RULESET		444
#define ADD_RULE		445
#define RESTRICT_SELF		446

#define CREATE_RULESET_VERSION	1
#define RULE_PATH_BENEATH	1

#define FS_EXECUTE		(UINT64_C(1) << 0)
#define FS_WRITE_FILE		(UINT64_C(1) << 1)
#define FS_READ_FILE		(UINT64_C(1) << 2)
#define FS_READ_DIR		(UINT64_C(1) << 3)
#define FS_REMOVE_DIR		(UINT64_C(1) << 4)
#define FS_REMOVE_FILE		(UINT64_C(1) << 5)
#define FS_MAKE_DIR		(UINT64_C(1) << 7)
#define FS_MAKE_REG		(UINT64_C(1) << 8)
#define FS_REFER		(UINT64_C(1) << 13)	/* ABI 2 */
#define FS_TRUNCATE		(UINT64_C(1) << 14)	/* ABI 3 */

#define NET_BIND_TCP		(UINT64_C(1) << 0)	/* ABI 4 */
#define NET_CONNECT_TCP		(UINT64_C(1) << 1)	/* ABI 4 */

#define SCOPE_ABSTRACT_UNIX	(UINT64_C(1) << 0)	/* ABI 6 */
#define SCOPE_SIGNAL		(UINT64_C(1) << 1)	/* ABI 6 */

#define FILE_READ	FS_READ_FILE
#define FILE_WRITE	(FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE)
#define FOLDER_READ	(FS_READ_FILE | FS_READ_DIR)
#define FOLDER_WRITE	(FILE_WRITE | FS_READ_DIR | FS_REMOVE_DIR | \
			    FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | \
			    FS_REFER)

/*
 * The kernel's structs.  It takes a ruleset longer than it knows as long as
 * what it does not know is zero.
 */
struct ruleset {
	uint64_t	 fs, net, scoped;
};
struct path_beneath {
	uint64_t	 allowed;
	int32_t		 fd;
} __attribute__((packed));

static uint64_t	fs_rights(long);
static int	allow(int, const char *, uint64_t, uint64_t);

int
landlock_enter(const struct confine *co, const char **what)
{
	struct ruleset	rs = { 0, 0, 0 };
	long		abi;
	size_t		i;
	int		error, fd;

	*what = "Landlock";
	abi = syscall(CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION);
	if (abi == -1 && (errno == ENOSYS || errno == EOPNOTSUPP))
		return (1);
	if (abi < 1)
		return (-1);

	rs.fs = fs_rights(abi);
	if (abi >= 4)
		rs.net = NET_BIND_TCP | (co->co_connect ? 0 : NET_CONNECT_TCP);
	if (abi >= 6)
		rs.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
	fd = (int)syscall(CREATE_RULESET, &rs, sizeof(rs), 0);
	if (fd == -1)
		return (-1);
	for (i = 0; i < sizeof(co->co_rw) / sizeof(co->co_rw[0]); i++) {
		*what = co->co_rw[i];
		if (allow(fd, *what, FOLDER_WRITE & rs.fs,
		    FILE_WRITE & rs.fs) == -1)
			goto fail;
		*what = co->co_ro[i];
		if (allow(fd, *what, FOLDER_READ, FILE_READ) == -1)
			goto fail;
	}
	*what = "Landlock";
	if (syscall(RESTRICT_SELF, fd, 0) == -1)
		goto fail;
	close(fd);
	return (0);
fail:
	error = errno;
	close(fd);
	errno = error;
	return (-1);
}

/* All rights over files that this kernel can take away. */
static uint64_t
fs_rights(long abi)
{
	/* Bits of ABI 1 to 5; later ones have none for files so far. */
	static const int	bits[] = { 13, 14, 15, 15, 16 };

	if (abi > 5)
		abi = 5;
	return ((UINT64_C(1) << bits[abi - 1]) - 1);
}

/* Give back these rights over a path and what is below.  NULL: nothing. */
static int
allow(int ruleset, const char *path, uint64_t folder, uint64_t file)
{
	struct path_beneath	pb;
	struct stat		st;
	int			error, fd, rv = -1;

	if (path == NULL)
		return (0);
	if ((fd = open(path, O_PATH | O_CLOEXEC)) == -1)
		return (-1);
	if (fstat(fd, &st) == 0) {
		pb.allowed = S_ISDIR(st.st_mode) ? folder : file;
		pb.fd = fd;
		rv = (int)syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &pb,
		    0);
	}
	error = errno;
	close(fd);
	errno = error;
	return (rv);
}
