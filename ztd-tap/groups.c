/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Multicast groups of an interface: the host's and those in which its
 * addresses are resolved.  Spec: 03 section 13.1, 06 section 5.1.
 */

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "ztd-tap/groups.h"

static int	 group_cmp(const void *, const void *);

unsigned
groups_list(const struct netif_dev *nd, const struct msg_interface *ifs,
    unsigned nifs, struct msg_group *dst, unsigned max)
{
	unsigned	 i, n, kept = 0;

	/* Addresses first: they must not fall off at the limit. */
	for (i = n = 0; i < nifs && n < max; i++)
		if (ifs[i].mi_index == nd->nd_index)
			groups_resolution(&dst[n++], &ifs[i].mi_addr);
	n += groups_host(nd, dst + n, max - n);
	qsort(dst, n, sizeof(*dst), group_cmp);
	for (i = 0; i < n; i++)
		if (i == 0 || group_cmp(&dst[i], &dst[kept - 1]) != 0)
			dst[kept++] = dst[i];
	return (kept);
}

void
groups_resolution(struct msg_group *g, const struct inet_addr *ia)
{
	const uint8_t	*ip = ia->ia_ip;

	memset(g, 0, sizeof(*g));
	if (ia->ia_family == 4) {
		g->mg_mac = MAC_BROADCAST;
		g->mg_adi = (uint32_t)ip[0] << 24 | (uint32_t)ip[1] << 16 |
		    (uint32_t)ip[2] << 8 | ip[3];
	} else
		g->mg_mac = 0x3333ff000000ULL | (uint64_t)ip[13] << 16 |
		    (uint64_t)ip[14] << 8 | ip[15];
}

static int
group_cmp(const void *ap, const void *bp)
{
	const struct msg_group	*a = ap, *b = bp;

	if (a->mg_mac != b->mg_mac)
		return (a->mg_mac < b->mg_mac ? -1 : 1);
	if (a->mg_adi != b->mg_adi)
		return (a->mg_adi < b->mg_adi ? -1 : 1);
	return (0);
}
