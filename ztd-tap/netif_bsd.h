/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What netif_bsd.c needs from the file of each system (tap_*.c).
 * Spec: 06 sections 4.4 to 4.6.
 */

#ifndef ZTD_TAP_NETIF_BSD_H
#define ZTD_TAP_NETIF_BSD_H

#include <stdint.h>

#include "ztd-tap/netif.h"

/* Both return 0, or -1 with errno. */
int	 netif_bsd_mac(const struct netif_dev *, const uint8_t mac[6]);
/* Description and group of a new tap, and its IPv6 flags. */
int	 netif_bsd_describe(const struct netif_dev *, const char *text);
/* The largest MTU that a tap can have. */
#ifdef __NetBSD__
#define NETIF_MTU_MAX	9000
#else
#define NETIF_MTU_MAX	16384
#endif

#endif /* ZTD_TAP_NETIF_BSD_H */
