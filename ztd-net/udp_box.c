/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Datagrams sent in batches by sendmmsg(2), which Linux and all the BSDs
 * have, a run of them as one where the kernel takes it so: its way through
 * the kernel is then gone once.
 */

#include <errno.h>
#include <string.h>

#include "ztd-net/udp_box.h"

static void
run_message(struct udp_box *b, unsigned i)
{
	const struct udp_run	*r = &b->b_run[i];
	struct msghdr		*mh = &b->b_msg[i].msg_hdr;

	b->b_iov[i].iov_base = b->b_data + r->r_off;
	b->b_iov[i].iov_len = r->r_len;
	memset(mh, 0, sizeof(*mh));
	mh->msg_namelen = inet_to_sockaddr(&r->r_to, &b->b_to[i]);
	mh->msg_name = &b->b_to[i];
	mh->msg_iov = &b->b_iov[i];
	mh->msg_iovlen = 1;
	if (r->r_n > 1) {
		mh->msg_control = b->b_control[i];
		udp_run_mark(mh, r->r_size);
	}
}

/*
 * A run that the kernel does not take as one: the datagrams are larger than
 * the interface's MTU, or it cannot compute their checksums.
 */
static void
run_send_singly(struct udp_box *b, unsigned i)
{
	const struct udp_run	*r = &b->b_run[i];
	struct msghdr		 mh = b->b_msg[i].msg_hdr;
	struct iovec		 iov;
	size_t			 off;

	mh.msg_control = NULL;
	mh.msg_controllen = 0;
	mh.msg_iov = &iov;
	for (off = 0; off < r->r_len; off += r->r_size) {
		iov.iov_base = b->b_data + r->r_off + off;
		iov.iov_len = r->r_len - off < r->r_size ? r->r_len - off :
		    r->r_size;
		(void)sendmsg(b->b_fd, &mh, MSG_DONTWAIT);
	}
}

static bool
no_run(int error)
{
	return (error == EINVAL || error == EMSGSIZE || error == EIO ||
	    error == EOPNOTSUPP || error == ENOPROTOOPT);
}

void
udp_box_send(struct udp_box *b)
{
	unsigned	 done = 0, i;
	int		 n;

	for (i = 0; i < b->b_n; i++)
		run_message(b, i);
	b->b_denied = b->b_refused = 0;
	while (done < b->b_n) {
		n = sendmmsg(b->b_fd, b->b_msg + done, b->b_n - done,
		    MSG_DONTWAIT);
		if (n > 0) {
			done += (unsigned)n;
			continue;
		}
		if (n == -1 && errno == EINTR)
			continue;
		/* The socket's buffer is full, which is there for all. */
		if (n == -1 && errno == EAGAIN)
			break;
		if (b->b_run[done].r_n > 1 && no_run(errno)) {
			b->b_run[done].r_refused = true;
			b->b_refused++;
			run_send_singly(b, done);
		} else if (n == -1 && (errno == EPERM || errno == EACCES))
			b->b_denied += b->b_run[done].r_n;
		done++;		/* else it cannot go: unreachable, refused */
	}
}
