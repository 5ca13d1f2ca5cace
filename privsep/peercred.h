/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Who is at the other end of a UNIX socket, by the kernel's word: as it was
 * when the connection was made.
 */

#ifndef PRIVSEP_PEERCRED_H
#define PRIVSEP_PEERCRED_H

#include <sys/types.h>

#define PEERCRED_GROUPS	256

struct peercred {
	uid_t		 pc_uid;	/* effective */
	gid_t		 pc_gid;
	unsigned	 pc_ngroups;	/* 0 where the system does not tell */
	gid_t		 pc_groups[PEERCRED_GROUPS];
};

/* Returns 0, or -1 with errno when it is no such socket. */
int	 peercred_get(int fd, struct peercred *);

#endif /* PRIVSEP_PEERCRED_H */
