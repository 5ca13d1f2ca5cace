/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A process that goes before others that want the processor, as the kernel's
 * own forwarding of packets does: for each of them it needs little, and all
 * the time until it may run is delay.  But never for long: one that does not
 * sleep for a fifth of a second, be it for a flood, or a loop that has no end,
 * is as the others by itself.
 */

#ifndef PRIVSEP_REALTIME_H
#define PRIVSEP_REALTIME_H

#include <sys/types.h>

#include <stdbool.h>

/*
 * The parent: let this child, its first thread only, go before others.  Returns
 * 0, or -1 with errno: EPERM when this host does not allow it, ENOSYS when the
 * system has nothing like it (BSD).
 */
int	 realtime_give(pid_t);
/*
 * The parent: let it be as the others, whatever it does.  Nothing happens on
 * systems that have nothing like it.
 */
void	 realtime_take(pid_t);
/*
 * The child, before it asks for that, each time: it is to end by itself.
 * Returns 0, or -1 with errno as above.
 */
int	 realtime_guard(void);
/* The child: be as the others. */
void	 realtime_end(void);
/* The child: has it ended by itself since realtime_guard()? */
bool	 realtime_lost(void);

#endif /* PRIVSEP_REALTIME_H */
