/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Datagrams in batches: many in one system call.
 */

#ifndef ZTD_NET_UDP_BATCH_H
#define ZTD_NET_UDP_BATCH_H

#include "common/inet.h"
#include "common/packet.h"

#define UDP_BATCH	32

struct udp_batch;
struct udp_outbox;

struct udp_datagram {
	struct inet_addr ud_from;
	uint8_t		*ud_data;	/* PACKET_MAX bytes of room */
	size_t		 ud_len;
};

/* Room for one batch; NULL when memory is short. */
struct udp_batch *udp_batch_new(void);
/*
 * Receive what waits, without blocking: at most UDP_BATCH datagrams, in
 * buffers valid until the next call.  Returns how many; longer ones than
 * PACKET_MAX are dropped.
 */
int	 udp_batch_receive(struct udp_batch *, int fd,
	    struct udp_datagram dst[UDP_BATCH]);

struct udp_outbox *udp_outbox_new(void);
/* Copy a datagram into the batch; a full one, or one of another socket,
 * leaves first. */
void	 udp_outbox_put(struct udp_outbox *, int fd, const struct inet_addr *,
	    const void *, size_t len);
/* What the kernel does not take is lost, as datagrams may be. */
void	 udp_outbox_flush(struct udp_outbox *);

#endif /* ZTD_NET_UDP_BATCH_H */
