/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Datagrams in batches by recvmmsg(2) and sendmmsg(2), which Linux and all
 * the BSDs have.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ztd-net/udp_batch.h"

#define OUT_BATCH	64
#define OUT_BYTES	(256 * 1024)
#define OUT_MAX		10324	/* longest datagram */

struct udp_batch {
	struct mmsghdr		 b_msg[UDP_BATCH];
	struct iovec		 b_iov[UDP_BATCH];
	struct sockaddr_storage	 b_from[UDP_BATCH];
	uint8_t			 b_data[UDP_BATCH][PACKET_MAX];
};

struct udp_outbox {
	int			 o_fd;
	unsigned		 o_n;
	size_t			 o_used;
	struct mmsghdr		 o_msg[OUT_BATCH];
	struct iovec		 o_iov[OUT_BATCH];
	struct sockaddr_storage	 o_to[OUT_BATCH];
	uint8_t			 o_data[OUT_BYTES];
};

struct udp_batch *
udp_batch_new(void)
{
	struct udp_batch	*b;
	size_t			 i;

	if ((b = calloc(1, sizeof(*b))) == NULL)
		return (NULL);
	for (i = 0; i < UDP_BATCH; i++) {
		b->b_iov[i].iov_base = b->b_data[i];
		b->b_iov[i].iov_len = PACKET_MAX;
		b->b_msg[i].msg_hdr.msg_iov = &b->b_iov[i];
		b->b_msg[i].msg_hdr.msg_iovlen = 1;
		b->b_msg[i].msg_hdr.msg_name = &b->b_from[i];
	}
	return (b);
}

int
udp_batch_receive(struct udp_batch *b, int fd,
    struct udp_datagram dst[UDP_BATCH])
{
	int	 i, n;

	for (i = 0; i < UDP_BATCH; i++)
		b->b_msg[i].msg_hdr.msg_namelen = sizeof(b->b_from[i]);
	n = recvmmsg(fd, b->b_msg, UDP_BATCH, MSG_DONTWAIT, NULL);
	for (i = 0; i < n; i++) {
		inet_from_sockaddr(&dst[i].ud_from,
		    (struct sockaddr *)&b->b_from[i]);
		dst[i].ud_data = b->b_data[i];
		dst[i].ud_len = b->b_msg[i].msg_len;
		if (b->b_msg[i].msg_hdr.msg_flags & MSG_TRUNC)
			dst[i].ud_len = 0;
	}
	return (n < 0 ? 0 : n);
}

struct udp_outbox *
udp_outbox_new(void)
{
	return (calloc(1, sizeof(struct udp_outbox)));
}

void
udp_outbox_put(struct udp_outbox *o, int fd, const struct inet_addr *to,
    const void *p, size_t len)
{
	struct msghdr	*mh;

	if (len > OUT_MAX)
		return;
	if (o->o_n > 0 && (o->o_fd != fd || o->o_n == OUT_BATCH ||
	    o->o_used + len > OUT_BYTES))
		udp_outbox_flush(o);
	o->o_fd = fd;
	memcpy(o->o_data + o->o_used, p, len);
	o->o_iov[o->o_n].iov_base = o->o_data + o->o_used;
	o->o_iov[o->o_n].iov_len = len;
	mh = &o->o_msg[o->o_n].msg_hdr;
	memset(mh, 0, sizeof(*mh));
	mh->msg_namelen = inet_to_sockaddr(to, &o->o_to[o->o_n]);
	mh->msg_name = &o->o_to[o->o_n];
	mh->msg_iov = &o->o_iov[o->o_n];
	mh->msg_iovlen = 1;
	o->o_used += len;
	o->o_n++;
}

void
udp_outbox_flush(struct udp_outbox *o)
{
	unsigned	 done = 0;
	int		 n;

	while (done < o->o_n) {
		n = sendmmsg(o->o_fd, o->o_msg + done, o->o_n - done,
		    MSG_DONTWAIT);
		if (n > 0)
			done += (unsigned)n;
		else if (n == -1 && errno == EINTR)
			continue;
		else
			done++;	/* this one cannot go: unreachable, full */
	}
	o->o_n = 0;
	o->o_used = 0;
}
