/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Ethernet frames between the core and the parent's taps.
 */

#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/address.h"
#include "common/log.h"
#include "ztd-net/engine.h"

#define ROUNDS	8	/* batches before other events get a turn */

static struct tap *
tap_of(struct engine *e, uint64_t nwid)
{
	size_t	 i;

	if (e->e_lasttap < e->e_ntaps &&
	    e->e_taps[e->e_lasttap].t_nwid == nwid)
		return (&e->e_taps[e->e_lasttap]);
	for (i = 0; i < e->e_ntaps; i++) {
		if (e->e_taps[i].t_nwid == nwid) {
			e->e_lasttap = i;
			return (&e->e_taps[i]);
		}
	}
	return (NULL);
}

void
frames_set_tap(struct engine *e, uint64_t nwid, int tap)
{
	struct tap	*t = tap_of(e, nwid);

	if (tap == -1) {
		if (t != NULL)
			*t = e->e_taps[--e->e_ntaps];
		return;
	}
	if (t == NULL) {
		if (e->e_ntaps == TAPS_MAX)
			return;
		t = &e->e_taps[e->e_ntaps++];
	}
	t->t_nwid = nwid;
	t->t_tap = (uint16_t)tap;
}

void
frames_deliver(struct engine *e, uint64_t nwid, uint64_t dst, uint64_t src,
    uint16_t ethertype, const void *p, size_t len)
{
	struct wbuf	 wb;
	struct tap	*t;
	uint8_t		 hdr[FRAME_HDR];

	if (e->e_frames == NULL || (t = tap_of(e, nwid)) == NULL)
		return;
	wbuf_init(&wb, hdr, sizeof(hdr));
	wbuf_mac(&wb, dst);
	wbuf_mac(&wb, src);
	wbuf_u16(&wb, ethertype);
	frame_put2(e->e_frames, t->t_tap, hdr, sizeof(hdr), p, len);
}

void
frames_flush(struct engine *e)
{
	if (e->e_frames != NULL)
		frame_flush(e->e_frames);
}

static void
frame_in(struct engine *e, int64_t now, const struct frame *f)
{
	struct rbuf	 rb;
	uint64_t	 dst, src;
	uint16_t	 ethertype;
	size_t		 i;

	for (i = 0; i < e->e_ntaps && e->e_taps[i].t_tap != f->f_tap; i++)
		continue;
	if (i == e->e_ntaps)
		return;
	rbuf_init(&rb, f->f_data, f->f_len);
	dst = rbuf_mac(&rb);
	src = rbuf_mac(&rb);
	ethertype = rbuf_u16(&rb);
	if (rbuf_ok(&rb))
		node_frame(e->e_node, now, e->e_taps[i].t_nwid, dst, src,
		    ethertype, rb.rb_p, rb.rb_left);
}

static void
frames_readable(int fd, short what, void *arg)
{
	struct engine	*e = arg;
	struct frame	 batch[FRAME_BATCH];
	int64_t		 now = engine_now();
	int		 i, n, round;

	(void)fd;
	(void)what;
	for (round = 0; round < ROUNDS; round++) {
		if ((n = frame_get(e->e_frames, batch)) == -1) {
			/* The parent will end us or send a new one. */
			(void)event_del(e->e_frames_ev);
			break;
		}
		for (i = 0; i < n && e->e_node != NULL; i++)
			frame_in(e, now, &batch[i]);
		if (n < FRAME_BATCH)
			break;
	}
	/* What the channel holds already does not make it readable. */
	if (round == ROUNDS)
		event_active(e->e_frames_ev, EV_READ, 0);
	engine_flush(e);
}

void
frames_attach(struct engine *e, int fd)
{
	if (e->e_frames_ev != NULL) {
		event_free(e->e_frames_ev);
		e->e_frames_ev = NULL;
	}
	frame_free(e->e_frames);
	if ((e->e_frames = frame_new(fd)) == NULL ||
	    (e->e_frames_ev = event_new(e->e_base, fd, EV_READ | EV_PERSIST,
	    frames_readable, e)) == NULL ||
	    event_add(e->e_frames_ev, NULL) == -1)
		fatalx("frame channel: out of memory");
}
