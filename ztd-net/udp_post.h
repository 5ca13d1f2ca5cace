/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A thread that hands boxes of datagrams to the kernel.  Where datagrams go
 * one by one, that costs more than everything else that is done with them.
 */

#ifndef ZTD_NET_UDP_POST_H
#define ZTD_NET_UDP_POST_H

#include <stdbool.h>

#include "ztd-net/udp_box.h"

struct udp_post;

/* NULL when there can be no thread: memory is short, or it is forbidden. */
struct udp_post *udp_post_new(void);
void	 udp_post_free(struct udp_post *);
/*
 * Have this box sent after those given before, at most POST_BOXES in all; it
 * is the thread's until udp_post_wait() says otherwise.
 */
#define POST_BOXES	4
void	 udp_post_give(struct udp_post *, struct udp_box *);
/* Have all been sent? */
bool	 udp_post_idle(const struct udp_post *);
/* Wait until no more than so many have not been sent: those given last. */
void	 udp_post_wait(struct udp_post *, unsigned left);

#endif /* ZTD_NET_UDP_POST_H */
