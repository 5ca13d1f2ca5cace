/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Frames between the taps and the engine's frame channel, in batches.  What
 * does not fit is dropped and counted: nothing queues here.
 * Spec: 06 sections 4.1 and 11.1.
 */

#include <sys/ioctl.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "privsep/frame_tap.h"
#include "ztd-tap/framepump.h"
#include "ztd-tap/parent.h"
#include "ztd-tap/tap.h"

#define BURST		64	/* frames of one tap in one turn */
#define IN_FLIGHT_MS	10000	/* frames for a tap that went are no lie */
#define SLOTS_MIN	16

struct pump_tap {
	struct frame_pump *pt_pump;
	struct tap	*pt_tap;
	unsigned	 pt_index;
	uint32_t	 pt_mtu;
	bool		 pt_named;	/* its frames were complained of */
	struct event	*pt_read;
	bool		 pt_lent;
	void		(*pt_lost)(void *);
	void		*pt_arg;
};

struct slot {
	struct pump_tap	*sl_tap;	/* NULL: free */
	int64_t		 sl_went;	/* ms, its last tap; 0 never */
};

struct frame_pump {
	struct event_base *fp_base;
	struct frame_channel *fp_chan;
	struct event	*fp_read;
	struct event	*fp_again;	/* more wait in the channel itself */
	bool		 fp_named;	/* frames for no tap, too */
	void		(*fp_report)(void *);	/* or NULL */
	void		*fp_report_arg;
	struct slot	*fp_slot;	/* by index on the channel */
	unsigned	 fp_nslots;
	unsigned	 fp_nused;
	unsigned	 fp_nlent;
	unsigned	 fp_next;	/* where the search for a slot begins */
	struct pump_stats fp_stats;
	uint8_t		 fp_buf[FRAME_MAX];
};

static int	 slot_take(struct frame_pump *);
static int	 slots_grow(struct frame_pump *);
static struct pump_tap *slot_tap(const struct frame_pump *, unsigned);
static void	 tap_readable(evutil_socket_t, short, void *);
static void	 channel_readable(evutil_socket_t, short, void *);
static void	 frame_to_tap(struct frame_pump *, const struct frame *);
static bool	 refused(const struct pump_tap *, const struct frame *,
		    char *, size_t);
static void	 frame_lost(struct frame_pump *, const struct frame *);
static void	 close_channel(struct frame_pump *);

struct frame_pump *
pump_new(struct event_base *base)
{
	struct frame_pump	*fp;

	if ((fp = calloc(1, sizeof(*fp))) != NULL)
		fp->fp_base = base;
	return (fp);
}

void
pump_free(struct frame_pump *fp)
{
	unsigned	 i;

	if (fp == NULL)
		return;
	close_channel(fp);
	for (i = 0; i < fp->fp_nslots; i++)
		pump_del(fp, i);
	free(fp->fp_slot);
	free(fp);
}

int
pump_channel(struct frame_pump *fp, int fd)
{
	unsigned	 i;

	close_channel(fp);
	/* Another engine: it may lie anew. */
	fp->fp_named = false;
	for (i = 0; i < fp->fp_nslots; i++)
		if (fp->fp_slot[i].sl_tap != NULL)
			fp->fp_slot[i].sl_tap->pt_named = false;
	if (fd == -1)
		return (0);
	if ((fp->fp_chan = frame_new(fd)) == NULL) {
		close(fd);
		return (-1);
	}
	fp->fp_read = event_new(fp->fp_base, frame_fd(fp->fp_chan),
	    EV_READ | EV_PERSIST, channel_readable, fp);
	fp->fp_again = evtimer_new(fp->fp_base, channel_readable, fp);
	if (fp->fp_read == NULL || fp->fp_again == NULL ||
	    event_add(fp->fp_read, NULL) == -1) {
		close_channel(fp);
		return (-1);
	}
	return (0);
}

int
pump_add(struct frame_pump *fp, struct tap *t, uint32_t mtu,
    void (*lost)(void *), void *arg)
{
	struct pump_tap	*pt;
	int		 slot;

	if ((slot = slot_take(fp)) == -1 ||
	    (pt = calloc(1, sizeof(*pt))) == NULL)
		return (-1);
	pt->pt_pump = fp;
	pt->pt_tap = t;
	pt->pt_index = (unsigned)slot;
	pt->pt_mtu = mtu;
	pt->pt_lost = lost;
	pt->pt_arg = arg;
	pt->pt_read = event_new(fp->fp_base, t->t_fd, EV_READ | EV_PERSIST,
	    tap_readable, pt);
	if (pt->pt_read == NULL || event_add(pt->pt_read, NULL) == -1) {
		if (pt->pt_read != NULL)
			event_free(pt->pt_read);
		free(pt);
		errno = ENOMEM;
		return (-1);
	}
	fp->fp_slot[slot].sl_tap = pt;
	fp->fp_next = (unsigned)slot + 1;
	fp->fp_nused++;
	return (slot);
}

void
pump_mtu(struct frame_pump *fp, unsigned index, uint32_t mtu)
{
	struct pump_tap	*pt;

	if ((pt = slot_tap(fp, index)) != NULL)
		pt->pt_mtu = mtu;
}

void
pump_del(struct frame_pump *fp, unsigned index)
{
	struct pump_tap	*pt;

	if ((pt = slot_tap(fp, index)) == NULL)
		return;
	fp->fp_slot[index].sl_tap = NULL;
	fp->fp_slot[index].sl_went = parent_now();
	fp->fp_nused--;
	if (pt->pt_lent)
		fp->fp_nlent--;
	event_free(pt->pt_read);
	free(pt);
}

void
pump_lend(struct frame_pump *fp, unsigned index)
{
	struct pump_tap	*pt;

	if ((pt = slot_tap(fp, index)) == NULL || pt->pt_lent)
		return;
	pt->pt_lent = true;
	fp->fp_nlent++;
	(void)event_del(pt->pt_read);
}

bool
pump_lent(const struct frame_pump *fp, unsigned index)
{
	const struct pump_tap	*pt = slot_tap(fp, index);

	return (pt != NULL && pt->pt_lent);
}

unsigned
pump_nlent(const struct frame_pump *fp)
{
	return (fp->fp_nlent);
}

void
pump_take_back(struct frame_pump *fp)
{
	struct pump_tap	*pt;
	unsigned	 i;
	int		 on = 1;

	for (i = 0; i < fp->fp_nslots && fp->fp_nlent > 0; i++) {
		if ((pt = slot_tap(fp, i)) == NULL || !pt->pt_lent)
			continue;
		pt->pt_lent = false;
		fp->fp_nlent--;
		if (ioctl(pt->pt_tap->t_fd, FIONBIO, &on) == -1 ||
		    event_add(pt->pt_read, NULL) == -1)
			log_warn("cannot read interface %s",
			    pt->pt_tap->t_dev.nd_name);
	}
}

void
pump_watch(struct frame_pump *fp, void (*report)(void *), void *arg)
{
	fp->fp_report = report;
	fp->fp_report_arg = arg;
}

const struct pump_stats *
pump_stats(const struct frame_pump *fp)
{
	return (&fp->fp_stats);
}

/*
 * A free slot, or -1 with errno.  Not one that was freed just now, while
 * there can be others: frames for it may still be on their way.
 */
static int
slot_take(struct frame_pump *fp)
{
	const struct slot	*sl;
	int64_t			 now = parent_now();
	unsigned		 i, at;

	for (i = 0; fp->fp_nused < fp->fp_nslots && i < fp->fp_nslots; i++) {
		at = (fp->fp_next + i) % fp->fp_nslots;
		sl = &fp->fp_slot[at];
		if (sl->sl_tap == NULL && (sl->sl_went == 0 ||
		    now - sl->sl_went >= IN_FLIGHT_MS ||
		    fp->fp_nslots == FRAME_TAPS))
			return ((int)at);
	}
	at = fp->fp_nslots;
	return (slots_grow(fp) == -1 ? -1 : (int)at);
}

static int
slots_grow(struct frame_pump *fp)
{
	struct slot	*bigger;
	unsigned	 n = fp->fp_nslots * 2;

	if (fp->fp_nslots == FRAME_TAPS) {
		errno = ENOSPC;
		return (-1);
	}
	if (n < SLOTS_MIN)
		n = SLOTS_MIN;
	if (n > FRAME_TAPS)
		n = FRAME_TAPS;
	bigger = reallocarray(fp->fp_slot, n, sizeof(*bigger));
	if (bigger == NULL)
		return (-1);
	memset(bigger + fp->fp_nslots, 0, (n - fp->fp_nslots) *
	    sizeof(*bigger));
	fp->fp_slot = bigger;
	fp->fp_nslots = n;
	return (0);
}

static struct pump_tap *
slot_tap(const struct frame_pump *fp, unsigned index)
{
	return (index < fp->fp_nslots ? fp->fp_slot[index].sl_tap : NULL);
}

static void
close_channel(struct frame_pump *fp)
{
	if (fp->fp_read != NULL)
		event_free(fp->fp_read);
	if (fp->fp_again != NULL)
		event_free(fp->fp_again);
	frame_free(fp->fp_chan);
	fp->fp_read = NULL;
	fp->fp_again = NULL;
	fp->fp_chan = NULL;
}

/*
 * A tap that is not lent is always read, also while there is no engine: its
 * own queue would only keep frames that are too old.
 */
static void
tap_readable(evutil_socket_t fd, short what, void *arg)
{
	struct pump_tap		*pt = arg;
	struct frame_pump	*fp = pt->pt_pump;
	struct offload		 of;
	ssize_t			 n;
	unsigned		 i;

	(void)what;
	for (i = 0; i < BURST; i++) {
		n = frame_tap_read(fd, pt->pt_tap->t_vnet, &of, fp->fp_buf,
		    sizeof(fp->fp_buf));
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			break;
		if (n > 0 && fp->fp_report != NULL &&
		    frame_tap_report(fp->fp_buf))
			fp->fp_report(fp->fp_report_arg);
		if (n == 0 || fp->fp_chan == NULL ||
		    (of.of_type == OFFLOAD_NONE &&
		    (size_t)n > pt->pt_mtu + FRAME_HDR)) {
			fp->fp_stats.ps_dropped++;
			continue;
		}
		frame_put2(fp->fp_chan, (uint16_t)pt->pt_index, &of,
		    fp->fp_buf, (size_t)n, NULL, 0);
		fp->fp_stats.ps_out++;
	}
	if (fp->fp_chan != NULL)
		frame_flush(fp->fp_chan);
	if (i < BURST && frame_tap_gone(errno)) {
		event_del(pt->pt_read);
		pt->pt_lost(pt->pt_arg);
	}
}

static void
channel_readable(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval	 now_due = { 0, 0 };
	struct frame_pump		*fp = arg;
	struct frame			 frames[FRAME_BATCH];
	int				 i, n, turn;

	(void)fd;
	(void)what;
	for (turn = 0; turn < BURST / FRAME_BATCH; turn++) {
		if ((n = frame_get(fp->fp_chan, frames)) == -1) {
			/* The message channel tells the rest. */
			close_channel(fp);
			return;
		}
		for (i = 0; i < n; i++)
			frame_to_tap(fp, &frames[i]);
		if (!frame_more(fp->fp_chan)) {
			(void)evtimer_del(fp->fp_again);
			return;
		}
	}
	/*
	 * What the channel holds already does not make it readable.  An event
	 * made active here would come before all that is not known to wait,
	 * and an engine that sends without end would have us for itself.
	 */
	(void)evtimer_add(fp->fp_again, &now_due);
}

/* The engine may write to taps that we made for it, and no more. */
static void
frame_to_tap(struct frame_pump *fp, const struct frame *f)
{
	struct pump_tap	*pt;
	char		 why[96];

	if ((pt = slot_tap(fp, f->f_tap)) == NULL) {
		frame_lost(fp, f);
		return;
	}
	if (refused(pt, f, why, sizeof(why))) {
		if (!pt->pt_named)
			log_warnx("%s: the engine sends a frame %s: dropped",
			    pt->pt_tap->t_dev.nd_name, why);
		pt->pt_named = true;
		fp->fp_stats.ps_dropped++;
	} else if (frame_tap_write(pt->pt_tap->t_fd, pt->pt_tap->t_vnet,
	    &f->f_offload, f->f_data, f->f_len, NULL, 0) == -1)
		fp->fp_stats.ps_dropped++;
	else
		fp->fp_stats.ps_in++;
}

/*
 * That what is to be done to it makes sense was seen by the channel.  The
 * kernel looks at no frame's length, nor at that of the segments.
 */
static bool
refused(const struct pump_tap *pt, const struct frame *f, char *why,
    size_t size)
{
	const struct offload	*of = &f->f_offload;
	size_t			 len = f->f_len;

	if ((offload_needs(of) & ~pt->pt_tap->t_can) != 0) {
		strlcpy(why, "with work that this interface does not do",
		    size);
		return (true);
	}
	if (of->of_type != OFFLOAD_NONE &&
	    (len = offload_segment(of, f->f_data, len)) == 0) {
		strlcpy(why, "of segments, with no headers", size);
		return (true);
	}
	if (len <= pt->pt_mtu + FRAME_HDR + FRAME_TAG)
		return (false);
	snprintf(why, size, "of %s%zu bytes, more than the MTU %u",
	    of->of_type != OFFLOAD_NONE ? "segments of " : "", len,
	    (unsigned)pt->pt_mtu);
	return (true);
}

static void
frame_lost(struct frame_pump *fp, const struct frame *f)
{
	bool	 late;

	fp->fp_stats.ps_dropped++;
	late = f->f_tap < fp->fp_nslots &&
	    fp->fp_slot[f->f_tap].sl_went != 0 &&
	    parent_now() - fp->fp_slot[f->f_tap].sl_went < IN_FLIGHT_MS;
	if (late || fp->fp_named)
		return;
	log_warnx("the engine sends frames to interface number %u, which is "
	    "not there: dropped", f->f_tap);
	fp->fp_named = true;
}
