/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Frames as records of a SOCK_SEQPACKET pair, a batch in one system call.
 * For systems whose records are atomic.  Spec: 06 section 11.1.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "privsep/frame_form.h"

/*
 * The slots for records begin with a cache line, which puts the IP header of
 * a frame (14 + 14 bytes on) on a multiple of four; and they are a line
 * longer than a power of two, or the heads of all frames would compete for
 * the same lines of the cache.
 */
#define SLOT_SIZE	(65536 + 128)
_Static_assert(RECORD_MAX + 1 <= SLOT_SIZE, "slot too small");

struct seqpacket {
	struct mmsghdr	 sp_in[FRAME_BATCH], sp_out[FRAME_BATCH];
	struct iovec	 sp_iniov[FRAME_BATCH], sp_outiov[FRAME_BATCH];
};

static int	seqpacket_init(struct frame_channel *);
static void	seqpacket_flush(struct frame_channel *);
static int	seqpacket_get(struct frame_channel *, struct frame *);
static void	seqpacket_free(struct frame_channel *);

const struct frame_form frame_seqpacket = {
	.ff_type = SOCK_SEQPACKET,
	.ff_init = seqpacket_init,
	.ff_flush = seqpacket_flush,
	.ff_get = seqpacket_get,
	.ff_free = seqpacket_free
};

static int
seqpacket_init(struct frame_channel *fc)
{
	struct seqpacket	*sp;
	void			*p;
	unsigned		 i;

	if (posix_memalign(&p, 64, FRAME_BATCH * SLOT_SIZE) != 0)
		return (-1);
	fc->fc_in = p;
	if ((sp = calloc(1, sizeof(*sp))) == NULL)
		return (-1);
	fc->fc_private = sp;
	for (i = 0; i < FRAME_BATCH; i++) {
		sp->sp_iniov[i].iov_base = fc->fc_in +
		    (size_t)i * SLOT_SIZE;
		/* One more than allowed, so that too long ones show. */
		sp->sp_iniov[i].iov_len = RECORD_MAX + 1;
		sp->sp_in[i].msg_hdr.msg_iov = &sp->sp_iniov[i];
		sp->sp_in[i].msg_hdr.msg_iovlen = 1;
		sp->sp_out[i].msg_hdr.msg_iov = &sp->sp_outiov[i];
		sp->sp_out[i].msg_hdr.msg_iovlen = 1;
	}
	return (0);
}

static void
seqpacket_flush(struct frame_channel *fc)
{
	struct seqpacket	*sp = fc->fc_private;
	size_t			 off = 0;
	unsigned		 done = 0, i;
	int			 n;

	for (i = 0; i < fc->fc_nout; i++) {
		sp->sp_outiov[i].iov_base = fc->fc_out + off + RECORD_LEN;
		sp->sp_outiov[i].iov_len = fc->fc_end[i] - off - RECORD_LEN;
		off = fc->fc_end[i];
	}
	while (done < fc->fc_nout) {
		n = sendmmsg(fc->fc_fd, sp->sp_out + done, fc->fc_nout - done,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0) {
			fc->fc_stats.fs_sent += (unsigned)n;
			done += (unsigned)n;
		} else if (n == -1 && errno == EMSGSIZE) {
			/* Longer than the buffer: this one never fits. */
			fc->fc_stats.fs_dropped++;
			done++;
		} else if (n == 0 || errno != EINTR)
			break;
	}
	fc->fc_stats.fs_dropped += fc->fc_nout - done;
	fc->fc_nout = 0;
	fc->fc_outlen = 0;
}

static int
seqpacket_get(struct frame_channel *fc, struct frame *dst)
{
	struct seqpacket	*sp = fc->fc_private;
	size_t			 len;
	int			 got, i, n = 0;

	if (fc->fc_gone)
		return (-1);
	got = recvmmsg(fc->fc_fd, sp->sp_in, FRAME_BATCH, MSG_DONTWAIT, NULL);
	if (got == -1) {
		fc->fc_gone = !frame_temporary(errno);
		return (fc->fc_gone ? -1 : 0);
	}
	fc->fc_more = got == FRAME_BATCH;
	for (i = 0; i < got; i++) {
		/* No record is empty: this is how the end looks. */
		if ((len = sp->sp_in[i].msg_len) == 0) {
			fc->fc_gone = true;
			break;
		}
		if (frame_parse(fc, sp->sp_iniov[i].iov_base, len, &dst[n]))
			n++;
	}
	return (n == 0 && fc->fc_gone ? -1 : n);
}

static void
seqpacket_free(struct frame_channel *fc)
{
	free(fc->fc_private);
}
