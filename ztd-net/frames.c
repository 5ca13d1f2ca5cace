/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Ethernet frames between the core and the parent's taps.
 */

#include <sys/tree.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/address.h"
#include "common/log.h"
#include "ztd-net/engine.h"
#include "ztd-net/lent.h"
#include "ztd-net/merge.h"

#define ROUNDS	8	/* batches before other events get a turn */

struct tap {
	RB_ENTRY(tap)	 t_entry;
	uint64_t	 t_nwid;
	uint16_t	 t_tap;
	uint32_t	 t_mtu;		/* 0: not known */
	uint32_t	 t_can;
	struct lent	*t_lent;	/* NULL: served by the frame channel */
};

struct taps {
	RB_HEAD(tap_tree, tap) ts_tree;		/* by network */
	struct tap	*ts_last;		/* looked up */
	struct tap	**ts_by_index;
	size_t		 ts_room;
};

static int
tap_cmp(const struct tap *a, const struct tap *b)
{
	return (a->t_nwid < b->t_nwid ? -1 : a->t_nwid > b->t_nwid);
}

RB_PROTOTYPE(tap_tree, tap, t_entry, tap_cmp)
RB_GENERATE(tap_tree, tap, t_entry, tap_cmp)

static struct tap *
tap_of(const struct engine *e, uint64_t nwid)
{
	struct taps	*ts = e->e_taps;
	struct tap	*t, key;

	if (ts == NULL)
		return (NULL);
	if (ts->ts_last != NULL && ts->ts_last->t_nwid == nwid)
		return (ts->ts_last);
	key.t_nwid = nwid;
	if ((t = RB_FIND(tap_tree, &ts->ts_tree, &key)) != NULL)
		ts->ts_last = t;
	return (t);
}

static struct tap *
tap_at(const struct engine *e, unsigned tap)
{
	const struct taps	*ts = e->e_taps;

	return (ts != NULL && tap < ts->ts_room ? ts->ts_by_index[tap] :
	    NULL);
}

static void
tap_remove(struct engine *e, struct tap *t)
{
	struct taps	*ts = e->e_taps;

	if (e->e_merge != NULL)
		merge_forget(e->e_merge, t);
	if (ts->ts_last == t)
		ts->ts_last = NULL;
	if (ts->ts_by_index[t->t_tap] == t)
		ts->ts_by_index[t->t_tap] = NULL;
	RB_REMOVE(tap_tree, &ts->ts_tree, t);
	lent_free(t->t_lent);
	free(t);
}

static int
taps_room(struct taps *ts, size_t n)
{
	struct tap	**bigger;
	size_t		 room = ts->ts_room == 0 ? 16 : ts->ts_room;

	while (room < n)
		room *= 2;
	if (room == ts->ts_room)
		return (0);
	bigger = reallocarray(ts->ts_by_index, room, sizeof(struct tap *));
	if (bigger == NULL)
		return (-1);
	memset(bigger + ts->ts_room, 0, (room - ts->ts_room) *
	    sizeof(struct tap *));
	ts->ts_by_index = bigger;
	ts->ts_room = room;
	return (0);
}

int
frames_set_tap(struct engine *e, uint64_t nwid, int tap)
{
	struct taps	*ts;
	struct tap	*t = tap_of(e, nwid), *other;

	if (tap == -1 || tap >= FRAME_TAPS) {
		if (t != NULL)
			tap_remove(e, t);
		return (0);
	}
	if (e->e_taps == NULL &&
	    (e->e_taps = calloc(1, sizeof(*e->e_taps))) == NULL)
		return (-1);
	ts = e->e_taps;
	if (taps_room(ts, (size_t)tap + 1) == -1)
		return (-1);
	if (t == NULL) {
		if ((t = calloc(1, sizeof(*t))) == NULL)
			return (-1);
		t->t_nwid = nwid;
		RB_INSERT(tap_tree, &ts->ts_tree, t);
	} else if (t->t_tap == tap) {
		return (0);
	} else {
		if (ts->ts_by_index[t->t_tap] == t)
			ts->ts_by_index[t->t_tap] = NULL;
		lent_free(t->t_lent);
		t->t_lent = NULL;
	}
	/* Its former network lost it, and we shall hear of that. */
	if ((other = ts->ts_by_index[tap]) != NULL)
		tap_remove(e, other);
	t->t_tap = (uint16_t)tap;
	ts->ts_by_index[tap] = t;
	return (0);
}

int
frames_tap(const struct engine *e, uint64_t nwid)
{
	const struct tap	*t = tap_of(e, nwid);

	return (t == NULL ? -1 : t->t_tap);
}

uint64_t
frames_network(const struct engine *e, unsigned tap)
{
	const struct tap	*t = tap_at(e, tap);

	return (t == NULL ? 0 : t->t_nwid);
}

void
frames_set_limits(struct engine *e, uint64_t nwid, uint32_t mtu, uint32_t can)
{
	struct tap	*t;

	if ((t = tap_of(e, nwid)) == NULL)
		return;
	/* What was merged for it is what it could take. */
	if (e->e_merge != NULL)
		merge_flush(e->e_merge);
	t->t_mtu = mtu;
	t->t_can = can;
}

void
frames_lend(struct engine *e, const struct msg_lend *ml, int fd)
{
	struct tap	*t = tap_of(e, ml->ml_nwid);

	if (t == NULL || t->t_tap != ml->ml_tap) {
		(void)close(fd);
		return;
	}
	lent_free(t->t_lent);
	t->t_lent = lent_new(e, ml->ml_nwid, t->t_tap, fd, ml->ml_vnet != 0);
	/* The parent reads it no more. */
	if (t->t_lent == NULL)
		fatalx("out of memory");
}

/*
 * Longer than the tap is to be given, which the kernel does not look at.  Of
 * super-frames it is the segments that count; we made the descriptor.
 */
static bool
too_long(const struct tap *t, const struct offload *of, size_t len)
{
	if (of != NULL && of->of_type != OFFLOAD_NONE)
		len = (size_t)of->of_hdrlen + of->of_size;
	return (t->t_mtu != 0 && len > t->t_mtu + FRAME_HDR + FRAME_TAG);
}

static void
tap_put(struct engine *e, struct tap *t, const struct offload *of,
    const void *hdr, size_t hdrlen, const void *p, size_t len)
{
	struct frame_channel	*chan = e->e_frames;

	if ((of != NULL && (offload_needs(of) & ~t->t_can) != 0) ||
	    too_long(t, of, hdrlen + len))
		return;
	if (t->t_lent != NULL)
		chan = lent_channel(t->t_lent);
	if (chan != NULL)
		frame_put2(chan, t->t_tap, of, hdr, hdrlen, p, len);
}

static void
merged(void *arg, void *key, const struct offload *of, const uint8_t *hdr,
    const void *p, size_t len)
{
	tap_put(arg, key, of, hdr, MERGE_HDR, p, len);
}

void
frames_deliver(struct engine *e, uint64_t nwid, uint64_t dst, uint64_t src,
    uint16_t ethertype, const void *p, size_t len)
{
	struct tap	*t;

	if ((t = tap_of(e, nwid)) == NULL)
		return;
	if (e->e_merge == NULL &&
	    (e->e_merge = merge_new(merged, e)) == NULL)
		return;
	merge_put(e->e_merge, t, t->t_can, dst, src, ethertype, p, len);
}

void
frames_flush(struct engine *e)
{
	if (e->e_merge != NULL)
		merge_flush(e->e_merge);
	frame_flush_taps();
	if (e->e_frames != NULL)
		frame_flush(e->e_frames);
}

void
frames_in(struct engine *e, int64_t now, const struct frame *f)
{
	struct rbuf	 rb;
	struct tap	*t;
	uint64_t	 dst, src;
	uint16_t	 ethertype;

	if (e->e_node == NULL || (t = tap_at(e, f->f_tap)) == NULL)
		return;
	rbuf_init(&rb, f->f_data, f->f_len);
	dst = rbuf_mac(&rb);
	src = rbuf_mac(&rb);
	ethertype = rbuf_u16(&rb);
	if (rbuf_ok(&rb))
		node_frame(e->e_node, now, t->t_nwid, dst, src, ethertype,
		    rb.rb_p, rb.rb_left, offload_needs(&f->f_offload) !=
		    0 ? &f->f_offload : NULL);
}

static void
frames_readable(int fd, short what, void *arg)
{
	static const struct timeval	 now_due = { 0, 0 };
	struct engine			*e = arg;
	struct frame			 batch[FRAME_BATCH];
	int64_t				 now = engine_now();
	int				 i, n, round;

	(void)fd;
	(void)what;
	for (round = 0; round < ROUNDS; round++) {
		if ((n = frame_get(e->e_frames, batch)) == -1) {
			/* The parent will end us or send a new one. */
			(void)event_del(e->e_frames_ev);
			break;
		}
		for (i = 0; i < n; i++)
			frames_in(e, now, &batch[i]);
		if (!frame_more(e->e_frames))
			break;
	}
	/*
	 * What the channel holds already does not make it readable.  An event
	 * made active here would come before all that is not known to wait.
	 */
	if (round == ROUNDS)
		(void)evtimer_add(e->e_frames_again, &now_due);
	else
		(void)evtimer_del(e->e_frames_again);
	engine_flush(e);
}

void
frames_attach(struct engine *e, int fd)
{
	if (e->e_frames_ev != NULL) {
		event_free(e->e_frames_ev);
		event_free(e->e_frames_again);
	}
	frame_free(e->e_frames);
	if ((e->e_frames = frame_new(fd)) == NULL ||
	    (e->e_frames_ev = event_new(e->e_base, fd, EV_READ | EV_PERSIST,
	    frames_readable, e)) == NULL ||
	    (e->e_frames_again = evtimer_new(e->e_base, frames_readable,
	    e)) == NULL ||
	    event_add(e->e_frames_ev, NULL) == -1)
		fatalx("out of memory");
}
