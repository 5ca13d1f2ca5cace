/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The BSDs: getpeereid(3), which knows one group.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <string.h>
#include <unistd.h>

#include "privsep/peercred.h"

int
peercred_get(int fd, struct peercred *pc)
{
	memset(pc, 0, sizeof(*pc));
	return (getpeereid(fd, &pc->pc_uid, &pc->pc_gid));
}
