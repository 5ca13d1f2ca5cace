/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The multicast groups that the host has joined on its interfaces.  One
 * file per system.  Spec: 03 section 13.1, 06 section 5.
 */

#ifndef ZTD_TAP_GROUPS_H
#define ZTD_TAP_GROUPS_H

#include "privsep/messages.h"
#include "ztd-tap/netif.h"

/* Before the sandbox: open what is read later. */
void	 groups_init(void);
/*
 * Seconds between looks at the groups when nothing tells of a change, as a
 * net below the events: of the kernel, and reports that leave by a tap.
 */
unsigned groups_poll(void);
/*
 * Read the system's lists for groups_host().  Returns 0, or -1 when there
 * is nothing to be read.
 */
int	 groups_scan(void);
/* Link-layer groups of an interface as scanned, into dst; returns how many. */
unsigned groups_host(const struct netif_dev *, struct msg_group *dst,
	    unsigned max);

/*
 * All groups of an interface: those of the host and the resolution groups
 * of its addresses; sorted, each once.  ifs[] has all addresses there are.
 */
unsigned groups_list(const struct netif_dev *,
	    const struct msg_interface *ifs, unsigned nifs,
	    struct msg_group *dst, unsigned max);
/* The group in which an address is resolved. */
void	 groups_resolution(struct msg_group *, const struct inet_addr *);

#endif /* ZTD_TAP_GROUPS_H */
