/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Pins: host routes that keep the tunnel's own packets out of it while a
 * network has the default route, where the engine's sockets are not bound to
 * a device.  Spec: 06 sections 1, 8.5 and 8.7.
 *
 * The engine says whom it sends to (MSG_PINS); each of these addresses to
 * which only a default route of the host's own leads gets a route of its own
 * the same way.  Order: pins, then the network's routes; and backwards.
 */

#ifndef ZTD_TAP_PINS_H
#define ZTD_TAP_PINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ztd-tap/netif.h"
#include "ztd-tap/parent.h"

/* How long one is kept after it left the engine's set; tests are quicker. */
extern unsigned	 pins_kept_ms;

/* Families of which a default route is wanted. */
#define PINS_4		0x01
#define PINS_6		0x02

/* Take away what a run that was killed has left. */
void	 pins_start(struct parent *);
/* Remove all; pins_start() may follow. */
void	 pins_stop(struct parent *);

/* Are there any where a default route leads through a network? */
bool	 pins_needed(const struct parent *);
/*
 * A network wants a default route of these families, in place of those that
 * it wanted before.  The engine is asked for its addresses when it is the
 * first, and all is undone behind the last.
 */
void	 pins_want(struct parent *, unsigned before, unsigned families);
/* The default route may be installed: the engine's addresses are pinned. */
bool	 pins_ready(const struct parent *);
/* MSG_PINS.  Returns what is wrong with it, or NULL. */
const char *pins_message(struct parent *, uint32_t id,
	    const struct inet_addr *, size_t n);
/* A new engine: ask it. */
void	 pins_replay(struct parent *);
/* The host's routes changed: derive them anew, put back what vanished. */
void	 pins_check(struct parent *);

/*
 * The best of n routes to an address that leads over none of our own
 * interfaces and is none of our pins, or NULL.
 */
const struct netif_route *pins_way(const struct parent *,
	    const struct netif_route *, unsigned n, const struct inet_addr *);

#endif /* ZTD_TAP_PINS_H */
