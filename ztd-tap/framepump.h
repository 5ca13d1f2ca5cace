/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Frames between the taps and the engine's frame channel.
 * Spec: 06 sections 4.1 and 11.1.
 */

#ifndef ZTD_TAP_FRAMEPUMP_H
#define ZTD_TAP_FRAMEPUMP_H

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct frame_pump;
struct tap;

struct pump_stats {
	uint64_t	 ps_out;	/* from taps to the engine */
	uint64_t	 ps_in;
	uint64_t	 ps_dropped;	/* either way, by this side */
};

/* NULL when memory is short. */
struct frame_pump *pump_new(struct event_base *);
void	 pump_free(struct frame_pump *);

/*
 * Use this end of a new frame channel in place of the one before; the fd is
 * taken over.  -1: none, frames from the taps are dropped.  Returns 0 or -1.
 */
int	 pump_channel(struct frame_pump *, int fd);

/*
 * Serve a tap; lost is called, once, when its device has gone.  Returns the
 * tap's index on the channel, or -1 with errno: ENOSPC when there are
 * FRAME_TAPS.
 */
int	 pump_add(struct frame_pump *, struct tap *, uint32_t mtu,
	    void (*lost)(void *), void *arg);
void	 pump_mtu(struct frame_pump *, unsigned index, uint32_t mtu);
void	 pump_del(struct frame_pump *, unsigned index);
/*
 * The engine has this tap itself: do not read it.  It may have changed the
 * mode of what it shares with us, so that reading would block: so not before
 * it is dead, when all are taken back.  Till then nothing reads them.
 */
void	 pump_lend(struct frame_pump *, unsigned index);
bool	 pump_lent(const struct frame_pump *, unsigned index);
void	 pump_take_back(struct frame_pump *);
/* How many are lent now. */
unsigned pump_nlent(const struct frame_pump *);
/*
 * Call back when a tap sends a frame to where hosts report the multicast
 * groups that they join and leave.  Only the address says so: it may be
 * something else.
 */
void	 pump_watch(struct frame_pump *, void (*report)(void *), void *arg);
const struct pump_stats *pump_stats(const struct frame_pump *);

#endif /* ZTD_TAP_FRAMEPUMP_H */
