/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * While there is traffic in bulk, the engine goes before others that want the
 * processor, where the settings and the host allow it (privsep/realtime.h).
 * Not so at rest: what was woken by the one before it on the same processor
 * would wait for another processor to wake up.
 */

#include <time.h>

#include "common/log.h"
#include "privsep/realtime.h"
#include "ztd-net/engine.h"

#define SECOND	1	/* at least, from one time to the next */
#define PAUSE	200	/* us */
#define FEW	(32 * 1024)	/* bytes in a turn */
#define PIECES	64	/* by which the size of one is judged */
#define LARGE	4096	/* bytes of one */

static void	 urgent_due(evutil_socket_t, short, void *);

/* Woken for each small piece it would do more than it is worth. */
static bool
is_wanted(const struct engine *e)
{
	return (e->e_bulk && e->e_large && e->e_settings.s_realtime &&
	    e->e_settings.s_offload);
}

/* The parent may have other settings by now, of which we hear. */
static void
ask(struct engine *e)
{
	e->e_urgent_asked = engine_now();
	if (realtime_guard() == -1)
		return;
	e->e_urgent = true;
	(void)channel_send(e->e_parent, MSG_REALTIME, 0, -1, NULL, 0);
}

/*
 * The parent gives it when it has read that we ask: what we ended before that
 * would stay.
 */
static void
decide_later(struct engine *e)
{
	/* The event loop's clock may be some ms behind. */
	static const struct timeval	 tv = { SECOND, 20000 };

	if (e->e_urgent_due == NULL && (e->e_urgent_due = evtimer_new(
	    e->e_base, urgent_due, e)) == NULL)
		fatalx("out of memory");
	if (!evtimer_pending(e->e_urgent_due, NULL))
		(void)evtimer_add(e->e_urgent_due, &tv);
}

void
urgent_bulk(struct engine *e, bool bulk)
{
	e->e_bulk = bulk;
	urgent_settings(e);
}

void
urgent_settings(struct engine *e)
{
	if (is_wanted(e) == e->e_urgent)
		return;
	if (engine_now() - e->e_urgent_asked < SECOND * 1000)
		decide_later(e);
	else if (e->e_urgent) {
		e->e_urgent = false;
		realtime_end();
	} else
		ask(e);
}

void
urgent_check(struct engine *e)
{
	if (!e->e_urgent || !realtime_lost())
		return;
	e->e_urgent = false;
	decide_later(e);
}

static void
urgent_due(evutil_socket_t fd, short what, void *arg)
{
	struct engine	*e = arg;

	(void)fd;
	(void)what;
	urgent_settings(e);
}

static int64_t
now_us(void)
{
	struct timespec	 ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
}

/*
 * Who goes before all others is woken by each datagram and frame, where else
 * several would have come until it may run; what has to be done once for all
 * of them would be done for each.
 */
void
urgent_gather(const struct engine *e, const struct gather *g)
{
	const struct timespec	 ts = { 0, PAUSE * 1000 };

	if (e->e_urgent && g->g_few && now_us() - g->g_last < PAUSE)
		(void)nanosleep(&ts, NULL);
}

void
urgent_gathered(struct engine *e, struct gather *g, size_t bytes, size_t n)
{
	if (e->e_urgent) {
		g->g_last = now_us();
		g->g_few = bytes < FEW;
	}
	e->e_piece_bytes += bytes;
	e->e_pieces += n;
	if (e->e_pieces < PIECES)
		return;
	e->e_large = e->e_piece_bytes / e->e_pieces >= LARGE;
	e->e_pieces = e->e_piece_bytes = 0;
	urgent_settings(e);
}
