/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Inside the sandboxes: the parts of Linux's, each in a file of its own.
 * Nobody but sandbox_linux.c and its tests includes this.
 */

#ifndef PRIVSEP_SANDBOX_PARTS_H
#define PRIVSEP_SANDBOX_PARTS_H

#include "privsep/child.h"

/*
 * landlock_linux.c: leave the process nothing of the file system but co_rw
 * and co_ro, no TCP but what the flags say, nobody outside to signal.
 * Returns 0, 1 when the kernel has no Landlock, -1 with errno and *what.
 */
int	 landlock_enter(const struct confine *, const char **what);

/* seccomp_linux.c: the system calls it may make.  Returns 0 or -1. */
int	 seccomp_enter(const struct confine *, const char **what);

#endif /* PRIVSEP_SANDBOX_PARTS_H */
