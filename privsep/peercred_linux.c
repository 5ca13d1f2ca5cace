/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Linux: SO_PEERCRED, and SO_PEERGROUPS since 4.13.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <string.h>

#include "privsep/peercred.h"

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS	59
#endif

int
peercred_get(int fd, struct peercred *pc)
{
	struct ucred	 uc;
	socklen_t	 len = sizeof(uc);

	memset(pc, 0, sizeof(*pc));
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &uc, &len) == -1)
		return (-1);
	/*
	 * A socket of another kind has an answer too: nobody.  The process is
	 * not looked at: out of another container it has no number here.
	 */
	if (len != sizeof(uc) || uc.uid == (uid_t)-1) {
		errno = EINVAL;
		return (-1);
	}
	pc->pc_uid = uc.uid;
	pc->pc_gid = uc.gid;
	/* Who is in more groups than these is a member of none but the one. */
	len = sizeof(pc->pc_groups);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, pc->pc_groups, &len) ==
	    0)
		pc->pc_ngroups = (unsigned)(len / sizeof(pc->pc_groups[0]));
	return (0);
}
