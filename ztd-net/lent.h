/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Taps that the parent lent to us, read and written without it.
 * Spec: 06 section 11.5.
 */

#ifndef ZTD_NET_LENT_H
#define ZTD_NET_LENT_H

#include <stdbool.h>
#include <stdint.h>

struct engine;
struct frame_channel;
struct lent;

/* Take over a descriptor and serve it.  NULL when memory is short; it is
 * closed then. */
struct lent *lent_new(struct engine *, uint64_t nwid, uint16_t tap, int fd,
	    bool vnet);
void	 lent_free(struct lent *);	/* NULL is fine */
/* Where to put frames for it. */
struct frame_channel *lent_channel(const struct lent *);

#endif /* ZTD_NET_LENT_H */
