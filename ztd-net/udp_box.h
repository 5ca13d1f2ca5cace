/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A box of datagrams that leave together by one socket.  Those of the same
 * size to the same address that follow each other, the last of them perhaps
 * shorter, are a run.
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

#define BOX_RUNS	64
#define BOX_BYTES	(256 * 1024)

struct udp_run {
	struct inet_addr	 r_to;
	size_t			 r_off, r_len;	/* in b_data */
	size_t			 r_size;	/* of all but the last */
	unsigned		 r_n;
	bool			 r_ended;	/* nothing more joins */
	bool			 r_refused;	/* as one; they went singly */
};

struct udp_box {
	int			 b_fd;
	bool			 b_runs;	/* that socket takes them */
	unsigned		 b_n;		/* runs */
	size_t			 b_used;	/* bytes */
	struct udp_run		 b_run[BOX_RUNS];

	/* What udp_box_send() has to tell. */
	unsigned		 b_denied;	/* datagrams: EPERM, EACCES */
	unsigned		 b_refused;	/* runs */

	struct mmsghdr		 b_msg[BOX_RUNS];	/* and its own */
	struct iovec		 b_iov[BOX_RUNS];
	struct sockaddr_storage	 b_to[BOX_RUNS];
	uint8_t			 b_control[BOX_RUNS][UDP_RUN_CONTROL];
	uint8_t			 b_data[BOX_BYTES];
};

/*
 * Hand all runs to the kernel, in order, without waiting; what it does not
 * take is lost, as datagrams may be.  Sets b_denied, b_refused and r_refused,
 * and touches nothing outside the box: any thread may do it.
 */
void	 udp_box_send(struct udp_box *);

#endif /* ZTD_NET_UDP_BOX_H */
