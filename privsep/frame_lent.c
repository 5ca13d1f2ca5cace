/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A tap as a frame channel with nobody in between: what is put is written at
 * once, what is got is read frame by frame.  Spec: 06 section 11.5.
 *
 * There may be hundreds of taps, and each may at any moment hand out a batch
 * of super-frames.  So they read into one arena: a frame begins where the one
 * before it ended, and what ordinary traffic never reaches is never touched.
 */

#include <errno.h>
#include <stdlib.h>

#include "common/pages.h"
#include "privsep/frame_form.h"
#include "privsep/frame_tap.h"

/*
 * A frame's place begins two bytes behind a cache line, which puts its IP
 * header on a multiple of four.
 */
#define SKEW		2
#define PLACE(len)	(((SKEW + (len) - 1) | 63) + 1)
#define ARENA		(4 * PLACE(FRAME_MAX))

static int	lent_init(struct frame_channel *);
static void	lent_put(struct frame_channel *, const struct offload *,
		    const void *, size_t, const void *, size_t);
static void	lent_flush(struct frame_channel *);
static int	lent_get(struct frame_channel *, struct frame *);
static void	lent_free(struct frame_channel *);

static const struct frame_form frame_lent = {
	.ff_init = lent_init,
	.ff_put = lent_put,
	.ff_flush = lent_flush,
	.ff_get = lent_get,
	.ff_free = lent_free
};

static uint8_t	*arena;
static unsigned	 arena_users;

struct frame_channel *
frame_new_tap(int fd, bool vnet, uint16_t tap)
{
	struct frame_channel	*fc;

	if ((fc = frame_new_form(&frame_lent, fd)) != NULL) {
		fc->fc_vnet = vnet;
		fc->fc_tap = tap;
	}
	return (fc);
}

static int
lent_init(struct frame_channel *fc)
{
	void	*p;

	(void)fc;
	if (arena_users == 0) {
		if (posix_memalign(&p, 64, ARENA) != 0)
			return (-1);
		arena = p;
	}
	arena_users++;
	return (0);
}

static void
lent_put(struct frame_channel *fc, const struct offload *of, const void *hdr,
    size_t hdrlen, const void *p, size_t len)
{
	if (frame_tap_write(fc->fc_fd, fc->fc_vnet, of, hdr, hdrlen, p, len) ==
	    -1)
		fc->fc_stats.fs_dropped++;
	else
		fc->fc_stats.fs_sent++;
}

static void
lent_flush(struct frame_channel *fc)
{
	(void)fc;		/* nothing waits */
}

/* As many as find room, however long the next one may be. */
static int
lent_get(struct frame_channel *fc, struct frame *dst)
{
	struct frame	*f;
	ssize_t		 len = 0;
	size_t		 off = 0;
	int		 i, n = 0;

	if (fc->fc_gone)
		return (-1);
	for (i = 0; i < FRAME_BATCH && ARENA - off >= PLACE(FRAME_MAX); i++) {
		f = &dst[n];
		f->f_data = arena + off + SKEW;
		len = frame_tap_read(fc->fc_fd, fc->fc_vnet, &f->f_offload,
		    f->f_data, FRAME_MAX);
		if (len == -1)
			break;
		if (len == 0) {
			fc->fc_stats.fs_dropped++;
			continue;
		}
		f->f_tap = fc->fc_tap;
		f->f_flags = 0;
		f->f_len = (uint32_t)len;
		fc->fc_stats.fs_received++;
		off += PLACE((size_t)len);
		n++;
	}
	if (len == -1)
		fc->fc_gone = frame_tap_gone(errno);
	else
		fc->fc_more = true;
	return (n == 0 && fc->fc_gone ? -1 : n);
}

void
frame_rest(void)
{
	if (arena != NULL)
		pages_rest(arena, ARENA);
}

static void
lent_free(struct frame_channel *fc)
{
	(void)fc;
	if (--arena_users > 0)
		return;
	free(arena);
	arena = NULL;
}
