/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The networks that the operator joined: what the engine wants for each,
 * what the policy allows of it, and what is in force on the host.
 * Spec: 03 section 19, 06 sections 1, 4, 7 and 8.
 */

#ifndef ZTD_TAP_JOINED_H
#define ZTD_TAP_JOINED_H

#include "ztd-tap/parent.h"

/* All networks of networks.d. */
void	 joined_load(struct parent *);
/* Withdraw everything and forget all, the files stay. */
void	 joined_close(struct parent *);

/* Tell a new engine what there is: MSG_JOIN, and MSG_TAP of existing taps. */
void	 joined_replay(struct parent *);
/*
 * MSG_PORT.  Returns false when it makes no sense, so that its sender
 * cannot be trusted.
 */
bool	 joined_port(struct parent *, const struct msg_port *);

/* MSG_TAP_GONE: is it?  Never fatal, since it may come late. */
void	 joined_gone(struct parent *, const struct msg_tap_gone *);

/* MSG_NET_SET and MSG_NET_LEAVE; mr has the answer. */
void	 joined_set(struct parent *, const struct msg_net_set *,
	    struct msg_result *mr);
void	 joined_leave(struct parent *, uint64_t nwid, struct msg_result *mr);
/* Answer MSG_GET_TAPS of the API. */
void	 joined_info(struct parent *, uint32_t id, uint64_t nwid);

/* We went on-line or off-line: default routes. */
void	 joined_online(struct parent *);
/* Put back what vanished: addresses seen missing in p_ifs, and routes. */
void	 joined_resync(struct parent *, bool routes);
/* Tell the engine of multicast groups that changed. */
void	 joined_groups(struct parent *);
/* The operator may want taps to be lent now, or no longer. */
void	 joined_lend(struct parent *);
/* Policy files may have been edited: read them and apply. */
void	 joined_reload(struct parent *);
/* Set mi_virtual of those that are interfaces of our networks; sorted as
 * p_ifs is. */
void	 joined_mark_taps(const struct parent *, struct msg_interface *,
	    unsigned n);
/* Is this address inside of one of our networks, by their addresses? */
bool	 joined_inside(const struct parent *, const struct inet_addr *);
/* State for the log (SIGUSR1). */
void	 joined_dump(const struct parent *);

#endif /* ZTD_TAP_JOINED_H */
