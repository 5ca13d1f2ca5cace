/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Where the local socket is, see localsock.h.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/localsock.h"

#define NAME	"ztd.sock"

/* However many slashes are at the end. */
bool
localsock_system(const char *home)
{
	size_t	 n = strlen(home);

	while (n > 1 && home[n - 1] == '/')
		n--;
	return (n == strlen(ZTD_HOME) && memcmp(home, ZTD_HOME, n) == 0);
}

int
localsock_address(struct sockaddr_un *sun, const char *home)
{
	int	 n;

	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	n = snprintf(sun->sun_path, sizeof(sun->sun_path), "%s/%s",
	    home != NULL ? home : ZTD_RUN, NAME);
	if (n < 0 || (size_t)n >= sizeof(sun->sun_path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	return (0);
}
