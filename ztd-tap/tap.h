/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Tap devices: one Ethernet interface per network, gone when closed.  One
 * file per system.  Spec: 06 sections 3 and 4.
 */

#ifndef ZTD_TAP_TAP_H
#define ZTD_TAP_TAP_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ztd-tap/netif.h"

struct tap {
	int		 t_fd;		/* non-blocking; one frame a read */
	bool		 t_vnet;	/* a struct offload in front of it */
	unsigned	 t_can;		/* frames written: OFFLOAD_CAN_* */
	struct netif_dev t_dev;
	char		 t_node[16];	/* BSD: name before a renaming */
};

/*
 * Can taps be made at all?  NULL, or one line that says why not.  Opens what
 * must be opened before the sandbox.
 */
const char *tap_probe(void);

/*
 * Make the tap of a network, down, with its name; homefd is the home folder
 * (devicemap, tapmap).  With offload it hands out super-frames and frames
 * without checksum, and takes them, where the system can; t_can says of what
 * kinds, in both directions.  Returns 0, or -1 with errno.
 */
int	 tap_open(struct tap *, struct netif *, uint64_t nwid, int homefd,
	    bool offload);
/*
 * Can the engine be lent one: can a descriptor of it be passed on, and no more
 * be done with that than to read and write, as far as the engine's sandbox
 * allows?
 */
bool	 tap_lendable(void);
/* Close and destroy it; t_fd -1 is fine. */
void	 tap_close(struct tap *);

#endif /* ZTD_TAP_TAP_H */
