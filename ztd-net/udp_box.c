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
#include <time.h>

#include "ztd-net/udp_box.h"

/* Where its pieces are, those that touch as one; returns of how many. */
static size_t
run_gather(struct udp_box *b, const struct udp_run *r, struct iovec *iov)
{
	const struct udp_piece	*pc;
	uint8_t			*p, *end = NULL;
	size_t			 n = 0;
	unsigned		 k;
	uint16_t		 i = r->r_first;

	for (k = 0; k < r->r_n; k++, i = pc->pc_next) {
		pc = &b->b_piece[i];
		p = b->b_data + pc->pc_off;
		if (p != end) {
			iov[n].iov_base = p;
			iov[n++].iov_len = 0;
		}
		iov[n - 1].iov_len += pc->pc_len;
		end = p + pc->pc_len;
	}
	return (n);
}

/* Returns how many of these it took. */
static size_t
run_message(struct udp_box *b, unsigned i, struct iovec *iov)
{
	const struct udp_run	*r = &b->b_run[i];
	struct msghdr		*mh = &b->b_msg[i].msg_hdr;
	size_t			 n = run_gather(b, r, iov);

	memset(mh, 0, sizeof(*mh));
	mh->msg_namelen = inet_to_sockaddr(&r->r_to, &b->b_to[i]);
	mh->msg_name = &b->b_to[i];
	mh->msg_iov = iov;
	mh->msg_iovlen = n;
	if (r->r_n > 1) {
		mh->msg_control = b->b_control[i];
		udp_run_mark(mh, r->r_size);
	}
	return (n);
}

/*
 * A run that the kernel does not take as one: the datagrams are larger than
 * the interface's MTU, or it cannot compute their checksums.
 */
static void
run_send_singly(struct udp_box *b, unsigned i)
{
	const struct udp_run	*r = &b->b_run[i];
	const struct udp_piece	*pc;
	struct msghdr		 mh = b->b_msg[i].msg_hdr;
	struct iovec		 iov;
	unsigned		 k;
	uint16_t		 next = r->r_first;

	mh.msg_control = NULL;
	mh.msg_controllen = 0;
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
	for (k = 0; k < r->r_n; k++, next = pc->pc_next) {
		pc = &b->b_piece[next];
		iov.iov_base = b->b_data + pc->pc_off;
		iov.iov_len = pc->pc_len;
		(void)sendmsg(b->b_fd, &mh, MSG_DONTWAIT);
	}
}

static bool
no_run(int error)
{
	return (error == EINVAL || error == EMSGSIZE || error == EIO ||
	    error == EOPNOTSUPP || error == ENOPROTOOPT);
}

static void
denied(struct udp_box *b, unsigned n)
{
	struct timespec	 ts;

	b->b_denied += n;
	if (clock_gettime(CLOCK_REALTIME, &ts) == 0)
		b->b_denied_at = (int64_t)ts.tv_sec * 1000 +
		    ts.tv_nsec / 1000000;
}

void
udp_box_send(struct udp_box *b)
{
	unsigned	 done = 0, i;
	size_t		 used = 0;
	int		 n;

	for (i = 0; i < b->b_n; i++)
		used += run_message(b, i, b->b_iov + used);
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
			denied(b, b->b_run[done].r_n);
		done++;		/* else it cannot go: unreachable, refused */
	}
}
