/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * UDP sockets, the Linux part.  Spec: 02 section 13.2.
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
	    strncmp(ifname, "zt", 2) == 0 ||
	    strncmp(ifname, "tun", 3) == 0 || strncmp(ifname, "tap", 3) == 0);
}

void
udp_bind_device(int fd, const char *ifname)
{
	/* Refused by old kernels to all but root: then routes decide. */
	(void)setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, ifname,
	    (socklen_t)strlen(ifname));
}

void
udp_allow_fragments(int fd, int family)
{
	int	 dont4 = IP_PMTUDISC_DONT, dont6 = IPV6_PMTUDISC_DONT;

	if (family == 4)
		(void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &dont4,
		    sizeof(dont4));
	else
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &dont6,
		    sizeof(dont6));
}
