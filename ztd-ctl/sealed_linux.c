/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Sealed memory: memfd_create(2), fcntl(2).
 */

#include <sys/stat.h>

#include <fcntl.h>

#include "ztd-ctl/sealed.h"

#define SEALS	(F_SEAL_SHRINK | F_SEAL_WRITE)

bool
sealed(int fd, uint64_t len)
{
	struct stat	st;
	int		seals;

	/* Nothing but memory has seals. */
	seals = fcntl(fd, F_GET_SEALS);
	return (seals != -1 && (seals & SEALS) == SEALS &&
	    fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (uint64_t)st.st_size == len);
}
