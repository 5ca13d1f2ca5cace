/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Frames on a SOCK_STREAM pair, each with its length in front.  For systems
 * where SOCK_SEQPACKET is small or not atomic.  Spec: 06 section 11.1.
 *
 * A batch is one send.  When the other side has room for a part only, the
 * frame that was cut must be finished before anything else: its rest stays
 * in front of the next batch, and goes out with it or with the next
 * frame_get().  The frames behind it are dropped.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "privsep/frame_form.h"

/* Some ninety frames in one read. */
#define STREAM_IN	(256 * 1024)

static int	stream_init(struct frame_channel *);
static void	stream_flush(struct frame_channel *);
static size_t	stream_send(struct frame_channel *);
static int	stream_get(struct frame_channel *, struct frame *);
static void	stream_fill(struct frame_channel *);
static bool	stream_next(struct frame_channel *, uint8_t **, size_t *);
static void	stream_free(struct frame_channel *);

const struct frame_form frame_stream = {
	.ff_type = SOCK_STREAM,
	.ff_init = stream_init,
	.ff_flush = stream_flush,
	.ff_get = stream_get,
	.ff_free = stream_free
};

static int
stream_init(struct frame_channel *fc)
{
	return ((fc->fc_in = malloc(STREAM_IN)) == NULL ? -1 : 0);
}

static void
stream_flush(struct frame_channel *fc)
{
	size_t		sent, start;
	unsigned	i;

	sent = stream_send(fc);
	if (sent < fc->fc_tail) {
		/* Not even the old rest went out. */
		fc->fc_stats.fs_dropped += fc->fc_nout;
		fc->fc_tail -= sent;
	} else {
		start = fc->fc_tail;
		fc->fc_tail = 0;
		for (i = 0; i < fc->fc_nout && fc->fc_end[i] <= sent; i++)
			start = fc->fc_end[i];
		if (i < fc->fc_nout && sent > start) {
			/* This one is on its way: keep its rest. */
			fc->fc_tail = fc->fc_end[i] - sent;
			i++;
		}
		fc->fc_stats.fs_sent += i;
		fc->fc_stats.fs_dropped += fc->fc_nout - i;
	}
	memmove(fc->fc_out, fc->fc_out + sent, fc->fc_tail);
	fc->fc_outlen = fc->fc_tail;
	fc->fc_nout = 0;
}

/* Send from the start of the batch; returns how many bytes went out. */
static size_t
stream_send(struct frame_channel *fc)
{
	size_t	sent = 0;
	ssize_t	n;

	while (sent < fc->fc_outlen) {
		n = send(fc->fc_fd, fc->fc_out + sent, fc->fc_outlen - sent,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0)
			sent += (size_t)n;
		else if (n == 0 || errno != EINTR)
			break;
	}
	return (sent);
}

static int
stream_get(struct frame_channel *fc, struct frame *dst)
{
	uint8_t	*record;
	size_t	 len;
	int	 n = 0;

	if (fc->fc_tail > 0 && fc->fc_nout == 0)
		stream_flush(fc);
	/* What the last call returned is no longer needed. */
	memmove(fc->fc_in, fc->fc_in + fc->fc_inoff,
	    fc->fc_inlen - fc->fc_inoff);
	fc->fc_inlen -= fc->fc_inoff;
	fc->fc_inoff = 0;
	stream_fill(fc);
	while (n < FRAME_BATCH && stream_next(fc, &record, &len)) {
		if (frame_parse(fc, record, len, &dst[n]))
			n++;
	}
	fc->fc_more = n == FRAME_BATCH;
	return (n == 0 && fc->fc_gone ? -1 : n);
}

static void
stream_fill(struct frame_channel *fc)
{
	ssize_t	n;

	if (fc->fc_gone || fc->fc_inlen == STREAM_IN)
		return;
	n = recv(fc->fc_fd, fc->fc_in + fc->fc_inlen,
	    STREAM_IN - fc->fc_inlen, MSG_DONTWAIT);
	if (n > 0)
		fc->fc_inlen += (size_t)n;
	else if (n == 0 || !frame_temporary(errno))
		fc->fc_gone = true;
}

/*
 * The next record that is here whole.  After a length that no record can
 * have, the next one cannot be found: that is the end of the channel.
 */
static bool
stream_next(struct frame_channel *fc, uint8_t **record, size_t *len)
{
	uint32_t	size;
	size_t		left = fc->fc_inlen - fc->fc_inoff;

	if (left < RECORD_LEN)
		return (false);
	memcpy(&size, fc->fc_in + fc->fc_inoff, sizeof(size));
	if (size > RECORD_MAX) {
		fc->fc_stats.fs_dropped++;
		fc->fc_inoff = fc->fc_inlen = 0;
		fc->fc_gone = true;
		return (false);
	}
	if (left - RECORD_LEN < size)
		return (false);
	*record = fc->fc_in + fc->fc_inoff + RECORD_LEN;
	*len = size;
	fc->fc_inoff += RECORD_LEN + size;
	return (true);
}

static void
stream_free(struct frame_channel *fc)
{
	(void)fc;		/* it has nothing but the buffer */
}
