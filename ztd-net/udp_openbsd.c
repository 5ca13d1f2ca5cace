/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * UDP sockets, the OpenBSD part.  Spec: 02 section 13.2.
 */

#include "ztd-net/engine.h"

bool
udp_skips(const char *ifname)
{
	/* Only addresses count here: loopback ones are never acceptable,
	 * and those of our own taps are marked. */
	(void)ifname;
	return (false);
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
	/* Datagrams may be fragmented unless one asks otherwise. */
	(void)fd;
	(void)family;
}
