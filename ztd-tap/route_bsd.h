/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Routes on the BSDs.  Spec: 06 section 8.4.
 */

#ifndef ZTD_TAP_ROUTE_BSD_H
#define ZTD_TAP_ROUTE_BSD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ztd-tap/netif.h"

/*
 * Add or remove a route by a routing socket.  0, or -1 with errno: EEXIST
 * when there is one to that target, ESRCH when there is none.
 */
int	 route_bsd_change(int fd, const struct netif_dev *,
	    const struct policy_route *, bool add);

/*
 * The same of a pin: a host route with a mark of its own.  An address that
 * is good on its link only has no interface inside.
 */
int	 route_bsd_pin(int fd, const struct inet_addr *ip,
	    const struct inet_addr *via, unsigned ifindex, bool add);
/* netif_routes(). */
int	 route_bsd_list(struct netif_route **);

/* Does this message of a routing socket tell of a default route that came,
 * went or changed, and is not ours? */
bool	 route_bsd_is_default(const uint8_t *, size_t len);

#endif /* ZTD_TAP_ROUTE_BSD_H */
