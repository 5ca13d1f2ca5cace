/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A box of datagrams that leave together by one socket.  Those of the same
 * size to the same address, the last of them perhaps shorter, are a run.
 * Others may be between them: a root has packets for many by turns, and the
 * order counts only among those to one address.
 */

#ifndef ZTD_NET_UDP_BOX_H
#define ZTD_NET_UDP_BOX_H

#include <sys/types.h>
#include <sys/socket.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/inet.h"
#include "ztd-net/udp_batch.h"

#define BOX_RUNS	128
#define BOX_BYTES	(512 * 1024)
#define BOX_PIECES	4096
#define BOX_BUCKETS	128	/* of addresses */

/* A datagram of a run. */
struct udp_piece {
	uint32_t		 pc_off;	/* in b_data */
	uint16_t		 pc_len;
	uint16_t		 pc_next;	/* unless it is the last */
};

struct udp_run {
	struct inet_addr	 r_to;
	size_t			 r_len;
	size_t			 r_size;	/* of all but the last */
	unsigned		 r_n;
	uint16_t		 r_first, r_last;	/* in b_piece */
	uint16_t		 r_older;	/* in its bucket, as there */
	bool			 r_ended;	/* nothing more joins */
	bool			 r_refused;	/* as one; they went singly */
};

struct udp_box {
	int			 b_fd;
	unsigned		 b_n;		/* runs */
	unsigned		 b_npieces;
	size_t			 b_used;	/* bytes */
	struct udp_run		 b_run[BOX_RUNS];
	uint16_t		 b_bucket[BOX_BUCKETS];	/* newest; from 1 */

	/* What udp_box_send() has to tell. */
	unsigned		 b_denied;	/* datagrams: EPERM, EACCES */
	int64_t			 b_denied_at;	/* the last, ms since 1970 */
	unsigned		 b_refused;	/* runs */

	struct mmsghdr		 b_msg[BOX_RUNS];	/* and its own */
	struct iovec		 b_iov[BOX_PIECES];
	struct sockaddr_storage	 b_to[BOX_RUNS];
	uint8_t			 b_control[BOX_RUNS][UDP_RUN_CONTROL];
	struct udp_piece	 b_piece[BOX_PIECES];
	uint8_t			 b_data[BOX_BYTES];
};

/*
 * Hand all runs to the kernel, in order, without waiting; what it does not
 * take is lost, as datagrams may be.  Sets b_denied, with b_denied_at when
 * there are any, b_refused and r_refused, and touches nothing outside the box:
 * any thread may do it.
 */
void	 udp_box_send(struct udp_box *);

#endif /* ZTD_NET_UDP_BOX_H */
