/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Multicast groups on FreeBSD: getifmaddrs(3).  Spec: 06 section 5.3.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <net/if_dl.h>

#include <ifaddrs.h>
#include <string.h>

#include "ztd-tap/groups.h"

static struct ifmaddrs	*scanned;

void
groups_init(void)
{
}

unsigned
groups_poll(void)
{
	return (30);
}

int
groups_scan(void)
{
	if (scanned != NULL)
		freeifmaddrs(scanned);
	scanned = NULL;
	return (getifmaddrs(&scanned));
}

unsigned
groups_host(const struct netif_dev *nd, struct msg_group *dst, unsigned max)
{
	const struct ifmaddrs	*ifma;
	struct sockaddr_dl	 name, group;
	const uint8_t		*mac;
	unsigned		 i, n = 0;

	for (ifma = scanned; ifma != NULL && n < max;
	    ifma = ifma->ifma_next) {
		if (ifma->ifma_name == NULL || ifma->ifma_addr == NULL ||
		    ifma->ifma_name->sa_family != AF_LINK ||
		    ifma->ifma_addr->sa_family != AF_LINK ||
		    ifma->ifma_addr->sa_len > sizeof(group) ||
		    ifma->ifma_name->sa_len > sizeof(name))
			continue;
		memcpy(&name, ifma->ifma_name, ifma->ifma_name->sa_len);
		memset(&group, 0, sizeof(group));
		memcpy(&group, ifma->ifma_addr, ifma->ifma_addr->sa_len);
		if (name.sdl_index != nd->nd_index || group.sdl_alen != 6)
			continue;
		mac = (const uint8_t *)LLADDR(&group);
		memset(&dst[n], 0, sizeof(dst[n]));
		for (i = 0; i < 6; i++)
			dst[n].mg_mac = dst[n].mg_mac << 8 | mac[i];
		n++;
	}
	return (n);
}
