/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Multicast groups on NetBSD: sysctl net.ether.multicast.INDEX, an array of
 * ranges with a reference count.  Spec: 06 section 5.5.
 */

#include <sys/types.h>
#include <sys/sysctl.h>

#include <string.h>

#include "ztd-tap/groups.h"

#define MIB_MAX		8
#define ENTRIES_MAX	1024

struct entry {
	uint32_t	 e_count;
	uint8_t		 e_low[6];
	uint8_t		 e_high[6];
};

static int	 mib[MIB_MAX];
static size_t	 miblen;

void
groups_init(void)
{
	miblen = MIB_MAX - 1;
	if (sysctlnametomib("net.ether.multicast", mib, &miblen) == -1)
		miblen = 0;
}

/* There are no events, and a report of IGMPv2 goes to the group itself. */
unsigned
groups_poll(void)
{
	return (5);
}

/* Read for each interface by itself, below. */
int
groups_scan(void)
{
	return (miblen > 0 ? 0 : -1);
}

unsigned
groups_host(const struct netif_dev *nd, struct msg_group *dst, unsigned max)
{
	static struct entry	 entries[ENTRIES_MAX];
	size_t			 i, k, size = sizeof(entries);
	unsigned		 n = 0;

	if (miblen == 0)
		return (0);
	mib[miblen] = (int)nd->nd_index;
	if (sysctl(mib, (u_int)miblen + 1, entries, &size, NULL, 0) == -1)
		return (0);
	for (i = 0; i < size / sizeof(entries[0]) && n < max; i++) {
		/* A real range is "all multicast", no group. */
		if (memcmp(entries[i].e_low, entries[i].e_high, 6) != 0)
			continue;
		memset(&dst[n], 0, sizeof(dst[n]));
		for (k = 0; k < 6; k++)
			dst[n].mg_mac = dst[n].mg_mac << 8 |
			    entries[i].e_low[k];
		n++;
	}
	return (n);
}
