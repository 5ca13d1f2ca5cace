/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Starting the children: fork, exec, a fresh address space, one descriptor.
 */

#ifndef PRIVSEP_SPAWN_H
#define PRIVSEP_SPAWN_H

#include <sys/types.h>

#include <stdbool.h>

#include "privsep/channel.h"

#define CHILD_FD	3	/* the channel to the parent, in a child */

/*
 * User and group of a process; made once by the parent.  When the system
 * has no such user and we are root, unprivileged numeric ids are used and
 * *missing is set (one warning for all).  When not root, everything stays
 * as it is (ids -1).
 */
struct proc_user {
	uid_t		 pu_uid;
	gid_t		 pu_gid;
};
void	 proc_user(enum proc, struct proc_user *, bool *missing);

/*
 * Path of a child's program: $dirname(argv0)/../libexec/ztd/NAME when that
 * exists (build tree), else the installed one.  dst has size bytes.
 * Returns 0, or -1 when it does not exist (errno).
 */
int	 proc_path(enum proc, const char *argv0, char *dst, size_t size);

/*
 * Fork and exec with channel end fd as CHILD_FD, stdin, stdout and stderr on
 * /dev/null (stderr kept in the foreground), everything else closed, a clean
 * environment.  args (NULL-terminated, may be NULL) follow argv[0].  Returns
 * the pid, or -1.  fd stays open in the caller.
 */
pid_t	 proc_spawn(enum proc, const char *path, int fd, bool foreground,
	    const char *const *args);

/*
 * Fork and exec a program that is no child of ours by profession: a session
 * of its own, whose number is the pid, in as stdin, out as stdout and
 * stderr, everything else closed, signals as in a new login, a clean
 * environment.  argv[0] is the name, path what is run; no shell comes in.
 * Returns the pid, or -1.  in and out stay open in the caller.
 */
pid_t	 tool_spawn(const char *path, const char *const *argv, int in,
	    int out);

#endif /* PRIVSEP_SPAWN_H */
