/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Datagrams that are to leave: collected, put into runs, and sent in boxes
 * (udp_box.h).  Spec: 06 section 10.
 */

#ifndef ZTD_NET_UDP_OUTBOX_H
#define ZTD_NET_UDP_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/inet.h"

struct udp_outbox;

/*
 * thread: there may be one that sends, while we do other things, where many
 * datagrams go one by one.  It is made when it is needed first.  NULL when
 * memory is short.
 */
struct udp_outbox *udp_outbox_new(bool thread);
void	 udp_outbox_free(struct udp_outbox *);
/*
 * Copy a datagram into the box; a full one, or one of another socket, leaves
 * first.  runs: this socket takes runs; then the order is kept among those to
 * one address only.  Those that the kernel did not take, to an address and of
 * a size, are left alone for the next two thousand datagrams.
 */
void	 udp_outbox_put(struct udp_outbox *, int fd, bool runs,
	    const struct inet_addr *, const void *, size_t len);
/* What the kernel does not take is lost, as datagrams may be. */
void	 udp_outbox_flush(struct udp_outbox *);
/* As that, and nothing is on its way to the kernel any more: before a socket
 * is closed, or used by its descriptor. */
void	 udp_outbox_drain(struct udp_outbox *);
/* There may be nothing for long; after udp_outbox_flush(). */
void	 udp_outbox_rest(struct udp_outbox *);
/*
 * Datagrams that this host itself did not let out (EPERM, EACCES: a
 * firewall), since the beginning, and when the last one, in ms since 1970.
 */
uint64_t udp_outbox_denied(struct udp_outbox *, int64_t *last);

#endif /* ZTD_NET_UDP_OUTBOX_H */
