/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Datagrams received in batches: many in one system call, and, where the
 * kernel does that (Linux), many of the same size as one.  Spec: 06 section
 * 10.
 */

#ifndef ZTD_NET_UDP_BATCH_H
#define ZTD_NET_UDP_BATCH_H

#include <sys/types.h>
#include <sys/socket.h>

#include <stdbool.h>

#include "common/inet.h"
#include "ztd-net/core/node.h"

/* Buffers filled by one system call, each one datagram or a run of them. */
#define UDP_BATCH	32

struct udp_batch;

/* Room for one batch; NULL when memory is short. */
struct udp_batch *udp_batch_new(void);
void	 udp_batch_free(struct udp_batch *);
/*
 * Receive what waits, without blocking, in buffers valid until the next
 * call; runs: the socket gives runs (udp_coalesce()).  Returns how many
 * buffers were filled, UDP_BATCH or fewer, and sets *dst to the *n datagrams
 * in them.  Longer ones than PACKET_MAX are dropped.
 */
int	 udp_batch_receive(struct udp_batch *, int fd, bool runs,
	    const struct node_datagram **dst, size_t *n);
/* Nothing received is needed any more, and there may be nothing for long. */
void	 udp_batch_rest(struct udp_batch *);

/* udp_run_SYSTEM.c: what the kernel has for runs of datagrams. */
#define UDP_RUN_CONTROL	64	/* bytes of ancillary data that do */

/* Receive runs from this socket.  May runs be sent by it, too? */
bool	 udp_coalesce(int fd);
/* This message is a run, to be cut after every size bytes; its control
 * buffer has UDP_RUN_CONTROL bytes. */
void	 udp_run_mark(struct msghdr *, size_t size);
/* After how many bytes the received one is to be cut, 0: not at all. */
size_t	 udp_run_size(struct msghdr *);

#endif /* ZTD_NET_UDP_BATCH_H */
