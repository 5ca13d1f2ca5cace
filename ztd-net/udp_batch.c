/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Datagrams received in batches by recvmmsg(2), which Linux and all the BSDs
 * have, and in runs where the kernel gives them so.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>

#include "common/packet.h"
#include "common/pages.h"
#include "ztd-net/udp_batch.h"

#define IN_RUNS		16	/* buffers for runs */
#define IN_RUN		65536	/* bytes of one */
/*
 * From one to the next: with 64 KiB the first datagrams of all of them would
 * want the same lines of the processor's caches, which have room for half.
 */
#define IN_STEP		(IN_RUN + 23 * 64)
#define IN_BYTES	(IN_RUNS * IN_STEP)
#define IN_PLAIN	10368	/* of one for a datagram; whole lines */
#define IN_MAX		(IN_RUNS * 64)	/* datagrams of a batch */
_Static_assert(UDP_BATCH * IN_PLAIN <= IN_BYTES && IN_PLAIN >= PACKET_MAX,
    "room for a batch of datagrams");

struct udp_batch {
	struct mmsghdr		 b_msg[UDP_BATCH];
	struct iovec		 b_iov[UDP_BATCH];
	struct sockaddr_storage	 b_name[UDP_BATCH];
	uint8_t			 b_control[UDP_BATCH][UDP_RUN_CONTROL];
	struct inet_addr	 b_from[UDP_BATCH];
	struct node_datagram	 b_list[IN_MAX];
	uint8_t			 b_data[IN_BYTES];
};

struct udp_batch *
udp_batch_new(void)
{
	struct udp_batch	*b;
	size_t			 i;

	if ((b = calloc(1, sizeof(*b))) == NULL)
		return (NULL);
	for (i = 0; i < UDP_BATCH; i++) {
		b->b_msg[i].msg_hdr.msg_iov = &b->b_iov[i];
		b->b_msg[i].msg_hdr.msg_iovlen = 1;
		b->b_msg[i].msg_hdr.msg_name = &b->b_name[i];
		b->b_msg[i].msg_hdr.msg_control = b->b_control[i];
	}
	return (b);
}

void
udp_batch_free(struct udp_batch *b)
{
	free(b);
}

void
udp_batch_rest(struct udp_batch *b)
{
	pages_rest(b->b_list, sizeof(b->b_list));
	pages_rest(b->b_data, sizeof(b->b_data));
}

/* Room for so many buffers, of this size each, so far from each other. */
static void
batch_prepare(struct udp_batch *b, unsigned n, size_t size, size_t step)
{
	struct msghdr	*mh;
	unsigned	 i;

	for (i = 0; i < n; i++) {
		mh = &b->b_msg[i].msg_hdr;
		mh->msg_namelen = sizeof(b->b_name[i]);
		mh->msg_controllen = sizeof(b->b_control[i]);
		b->b_iov[i].iov_base = b->b_data + i * step;
		b->b_iov[i].iov_len = size;
	}
}

/* List the datagrams of one buffer; returns how many there are then. */
static size_t
batch_cut(struct udp_batch *b, unsigned i, size_t bufsize, size_t n)
{
	struct node_datagram	*nd;
	uint8_t			*p = b->b_iov[i].iov_base;
	size_t			 off, len = b->b_msg[i].msg_len, size;

	if ((b->b_msg[i].msg_hdr.msg_flags & MSG_TRUNC) != 0)
		return (n);
	inet_from_sockaddr(&b->b_from[i], (struct sockaddr *)&b->b_name[i]);
	if ((size = udp_run_size(&b->b_msg[i].msg_hdr)) == 0)
		size = len;
	for (off = 0; off < len && n < IN_MAX; off += size) {
		nd = &b->b_list[n];
		nd->nd_from = &b->b_from[i];
		nd->nd_data = p + off;
		nd->nd_len = len - off < size ? len - off : size;
		nd->nd_room = off + nd->nd_len < len ? nd->nd_len :
		    bufsize - off;
		if (nd->nd_len <= PACKET_MAX)
			n++;
	}
	return (n);
}

int
udp_batch_receive(struct udp_batch *b, int fd, bool runs,
    const struct node_datagram **dst, size_t *n)
{
	size_t		 size = runs ? IN_RUN : IN_PLAIN;
	unsigned	 buffers = runs ? IN_RUNS : UDP_BATCH;
	int		 i, got;

	batch_prepare(b, buffers, size, runs ? IN_STEP : IN_PLAIN);
	got = recvmmsg(fd, b->b_msg, buffers, MSG_DONTWAIT, NULL);
	*dst = b->b_list;
	*n = 0;
	for (i = 0; i < got; i++)
		*n = batch_cut(b, (unsigned)i, size, *n);
	if (runs && got == IN_RUNS)
		return (UDP_BATCH);
	return (got < 0 ? 0 : got);
}
