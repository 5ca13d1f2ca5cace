/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Where the local socket is: ztd makes it, ztctl looks for it.
 */

#ifndef COMMON_LOCALSOCK_H
#define COMMON_LOCALSOCK_H

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <stdbool.h>

/* Is this home folder the system's, whose socket is in the system's folder? */
bool	 localsock_system(const char *home);
/*
 * Its address: in the system's folder for sockets, or with home not NULL
 * there.  Returns 0, or -1 with ENAMETOOLONG when that does not fit into an
 * address.
 */
int	 localsock_address(struct sockaddr_un *, const char *home);

#endif /* COMMON_LOCALSOCK_H */
