/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * UDP sockets, the FreeBSD part.  Spec: 02 section 13.2.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include <string.h>

#include "ztd-net/engine.h"

bool
udp_skips(const char *ifname)
{
	return (strncmp(ifname, "lo", 2) == 0 ||
	    strncmp(ifname, "zt", 2) == 0);
}

void
udp_bind_device(int fd, const char *ifname)
{
	/* There is no such option: the bound address has to do. */
	(void)fd;
	(void)ifname;
}

void
udp_allow_fragments(int fd, int family)
{
	int	 off = 0;

	if (family == 4)
		(void)setsockopt(fd, IPPROTO_IP, IP_DONTFRAG, &off,
		    sizeof(off));
}
