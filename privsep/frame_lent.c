/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A tap as a frame channel with nobody in between: what is put is written at
 * once, or with others where that can be done in one system call; what is got
 * is read frame by frame, or together, too.  Spec: 06 section 11.5.
 *
 * There may be hundreds of taps, and each may at any moment hand out a batch
 * of super-frames.  So they read into one arena: a frame begins where the one
 * before it ended, and what ordinary traffic never reaches is never touched.
 * What waits to be written is for one tap at a time, and in one arena, too.
 *
 * A tap is read together only while small frames come fast, as each that is
 * not there costs something; and only where it may have super-frames, as
 * without them it gave nothing that could be measured.  How long the next one
 * is nobody knows, so that each then has a place for the longest.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/pages.h"
#include "privsep/frame_burst.h"
#include "privsep/frame_form.h"
#include "privsep/frame_tap.h"

/*
 * A frame's place begins two bytes behind a cache line, which puts its IP
 * header on a multiple of four.
 */
#define SKEW		2
#define PLACE(len)	(((SKEW + (len) - 1) | 63) + 1)
#define ARENA		(4 * PLACE(FRAME_MAX))

/* A longer one is many already, and worth no copy. */
#define SMALL		4096
#define BURST_ROOM	(BURST_MAX / 2 * SMALL)

/*
 * Places of frames that are read together.  They are few, as each may get a
 * super-frame, and nobody else has a turn before all of them are through.
 * Before a place there is room for the vnet header, and their distance is an
 * odd number of cache lines, so that what is at the beginning of each does not
 * push that of the others out of the cache.
 */
#define AHEAD_MIN	4
#define AHEAD_MAX	16
#define STEP		(64 + PLACE(FRAME_MAX) + 320)
#define PLACES		(AHEAD_MAX * STEP)
_Static_assert(AHEAD_MAX <= FRAME_BATCH && AHEAD_MAX <= BURST_MAX,
    "more than are got at once");

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
static uint8_t	*places;	/* NULL: none is read together */
static unsigned	 arena_users;

static struct burst {
	struct frame_channel	*b_to;	/* NULL: nothing waits */
	uint8_t			*b_room;	/* BURST_ROOM bytes */
	size_t			 b_len;
	unsigned		 b_n;
	struct iovec		 b_iov[BURST_MAX];
} burst;

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

/* What the arenas hold is aligned for the processor's cache. */
static void *
arena_new(size_t size)
{
	void	*p;

	return (posix_memalign(&p, 64, size) == 0 ? p : NULL);
}

static int
lent_init(struct frame_channel *fc)
{
	(void)fc;
	if (arena == NULL && (arena = arena_new(ARENA)) == NULL)
		return (-1);
	if (burst.b_room == NULL && frame_burst_works() &&
	    (burst.b_room = arena_new(BURST_ROOM)) == NULL)
		return (-1);
	if (places == NULL && frame_burst_works())
		places = arena_new(PLACES);
	arena_users++;
	return (0);
}

static void
put_now(struct frame_channel *fc, const struct offload *of, const void *hdr,
    size_t hdrlen, const void *p, size_t len)
{
	if (frame_tap_write(fc->fc_fd, fc->fc_vnet, of, hdr, hdrlen, p, len) ==
	    -1)
		fc->fc_stats.fs_dropped++;
	else
		fc->fc_stats.fs_sent++;
}

/* With the vnet header in front, as the tap wants it. */
static void
put_later(struct frame_channel *fc, const struct offload *of, const void *hdr,
    size_t hdrlen, const void *p, size_t len)
{
	struct iovec	*iov;
	uint8_t		*dst;

	if (burst.b_n == BURST_MAX ||
	    BURST_ROOM - burst.b_len < sizeof(*of) + SMALL)
		frame_flush_taps();
	burst.b_to = fc;
	iov = &burst.b_iov[burst.b_n++];
	iov->iov_base = dst = burst.b_room + burst.b_len;
	if (fc->fc_vnet) {
		memcpy(dst, of, sizeof(*of));
		dst += sizeof(*of);
	}
	memcpy(dst, hdr, hdrlen);
	if (len > 0)
		memcpy(dst + hdrlen, p, len);
	iov->iov_len = (size_t)(dst - (uint8_t *)iov->iov_base) + hdrlen + len;
	burst.b_len += iov->iov_len;
}

/* Frames of one tap keep their order. */
static void
lent_put(struct frame_channel *fc, const struct offload *of, const void *hdr,
    size_t hdrlen, const void *p, size_t len)
{
	bool	 later = burst.b_room != NULL && hdrlen + len <= SMALL &&
	    (fc->fc_vnet || of->of_flags == 0);

	if (!later || burst.b_to != fc)
		frame_flush_taps();
	if (later)
		put_later(fc, of, hdr, hdrlen, p, len);
	else
		put_now(fc, of, hdr, hdrlen, p, len);
}

static void
burst_forget(void)
{
	burst.b_to = NULL;
	burst.b_n = 0;
	burst.b_len = 0;
}

void
frame_flush_taps(void)
{
	struct frame_channel	*fc = burst.b_to;
	unsigned		 took;

	if (fc == NULL)
		return;
	took = frame_burst(fc->fc_fd, burst.b_iov, burst.b_n);
	fc->fc_stats.fs_sent += took;
	fc->fc_stats.fs_dropped += burst.b_n - took;
	burst_forget();
}

static void
lent_flush(struct frame_channel *fc)
{
	if (burst.b_to == fc)
		frame_flush_taps();
}

/* f is what was read, of len bytes; 0: it makes no sense.  Is it one? */
static bool
take(struct frame_channel *fc, struct frame *f, size_t len)
{
	if (len == 0) {
		fc->fc_stats.fs_dropped++;
		return (false);
	}
	f->f_tap = fc->fc_tap;
	f->f_flags = 0;
	f->f_len = (uint32_t)len;
	fc->fc_stats.fs_received++;
	return (true);
}

/* So many are likely there, when those that came were small. */
static void
look_ahead(struct frame_channel *fc, unsigned n, bool small)
{
	if (places == NULL || !fc->fc_vnet || !small || n < AHEAD_MIN)
		fc->fc_ahead = 0;
	else
		fc->fc_ahead = n < AHEAD_MAX ? n : AHEAD_MAX;
}

/* As many as find room, however long the next one may be. */
static int
get_each(struct frame_channel *fc, struct frame *dst)
{
	struct frame	*f;
	ssize_t		 len = 0;
	size_t		 off = 0;
	bool		 small = true;
	int		 i, n = 0;

	for (i = 0; i < FRAME_BATCH && ARENA - off >= PLACE(FRAME_MAX); i++) {
		f = &dst[n];
		f->f_data = arena + off + SKEW;
		len = frame_tap_read(fc->fc_fd, fc->fc_vnet, &f->f_offload,
		    f->f_data, FRAME_MAX);
		if (len == -1)
			break;
		if (!take(fc, f, (size_t)len))
			continue;
		small = small && len <= SMALL;
		off += PLACE((size_t)len);
		n++;
	}
	if (len == -1)
		fc->fc_gone = frame_tap_gone(errno);
	else
		fc->fc_more = true;
	look_ahead(fc, (unsigned)n / 2, small);
	return (n);
}

/* What the tap wrote to a place: the vnet header, then the frame. */
static bool
from_place(struct frame_channel *fc, struct frame *f, uint8_t *p, size_t len)
{
	memcpy(&f->f_offload, p, sizeof(f->f_offload));
	f->f_data = p + sizeof(f->f_offload);
	len = len < sizeof(f->f_offload) ? 0 : len - sizeof(f->f_offload);
	return (take(fc, f, frame_tap_sane(&f->f_offload, len) ? len : 0));
}

/*
 * As many as are likely there: the next time as many as came, or twice as
 * many when none was missing.
 */
static int
get_together(struct frame_channel *fc, struct frame *dst)
{
	const size_t	 begin = 64 + SKEW - sizeof(struct offload);
	struct iovec	 iov[AHEAD_MAX] = { { NULL, 0 } };
	ssize_t		 len[AHEAD_MAX];
	bool		 small = true;
	unsigned	 i, want = fc->fc_ahead, came = 0;
	int		 n = 0;

	for (i = 0; i < want; i++) {
		iov[i].iov_base = places + i * STEP + begin;
		iov[i].iov_len = sizeof(struct offload) + FRAME_MAX;
	}
	frame_burst_read(fc->fc_fd, iov, want, len);
	for (i = 0; i < want; i++) {
		if (len[i] < 0) {
			if (frame_tap_gone((int)-len[i]))
				fc->fc_gone = true;
			continue;
		}
		came++;
		if (!from_place(fc, &dst[n], iov[i].iov_base, (size_t)len[i]))
			continue;
		small = small && dst[n].f_len <= SMALL;
		n++;
	}
	fc->fc_more = came == want;
	look_ahead(fc, fc->fc_more ? 2 * came : came, small);
	return (n);
}

static int
lent_get(struct frame_channel *fc, struct frame *dst)
{
	int	 n;

	if (fc->fc_gone)
		return (-1);
	n = fc->fc_ahead > 0 ? get_together(fc, dst) : get_each(fc, dst);
	return (n == 0 && fc->fc_gone ? -1 : n);
}

void
frame_rest(void)
{
	if (arena != NULL)
		pages_rest(arena, ARENA);
	if (places != NULL)
		pages_rest(places, PLACES);
	if (burst.b_room != NULL && burst.b_to == NULL)
		pages_rest(burst.b_room, BURST_ROOM);
}

static void
lent_free(struct frame_channel *fc)
{
	if (burst.b_to == fc)
		burst_forget();
	if (--arena_users > 0)
		return;
	free(arena);
	arena = NULL;
	free(places);
	places = NULL;
	free(burst.b_room);
	burst.b_room = NULL;
}
