/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The system's own sandbox, one file each: sandbox_linux.c (Landlock and
 * seccomp-bpf), sandbox_openbsd.c (unveil and pledge), ...
 */

#ifndef PRIVSEP_SANDBOX_H
#define PRIVSEP_SANDBOX_H

#include <stdbool.h>

#include "privsep/child.h"

/*
 * Enter it, as the last step of child_confine(), which has made the paths
 * of co_rw and co_ro those that this process sees now; co_chroot is not
 * looked at.  Returns 0; on failure -1 with errno and *what naming the step.
 */
int	 sandbox_enter(const struct confine *, const char **what);
/* It lets nobody make a process, whatever the limits are. */
bool	 sandbox_forbids_fork(void);
/*
 * The parent's: root, reduced to taps, addresses, routes, its files and the
 * making of children.  home is the folder it keeps writing in.  Limits that
 * root alone may raise (descriptors) are to be raised before.
 */
int	 sandbox_parent(const char *home, const char **what);

#endif /* PRIVSEP_SANDBOX_H */
