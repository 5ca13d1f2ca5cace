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

#include "common/log.h"
#include "privsep/realtime.h"
#include "ztd-net/engine.h"

#define SECOND	1	/* at least, from one time to the next */

static void	 urgent_due(evutil_socket_t, short, void *);

/* Without runs it would be woken for each datagram, which costs more. */
static bool
is_wanted(const struct engine *e)
{
	return (e->e_bulk && e->e_settings.s_realtime &&
	    e->e_settings.s_offload);
}

/* The parent may have other settings by now, or no right to give it. */
static void
ask(struct engine *e)
{
	if (realtime_guard() == -1)
		return;
	e->e_urgent = true;
	(void)channel_send(e->e_parent, MSG_REALTIME, 0, -1, NULL, 0);
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
	if (!e->e_urgent)
		ask(e);
	else {
		e->e_urgent = false;
		realtime_end();
	}
}

void
urgent_check(struct engine *e)
{
	static const struct timeval	 tv = { SECOND, 0 };

	if (!e->e_urgent || !realtime_lost())
		return;
	e->e_urgent = false;
	if (e->e_urgent_due == NULL && (e->e_urgent_due = evtimer_new(
	    e->e_base, urgent_due, e)) == NULL)
		fatalx("out of memory");
	(void)evtimer_add(e->e_urgent_due, &tv);
}

static void
urgent_due(evutil_socket_t fd, short what, void *arg)
{
	struct engine	*e = arg;

	(void)fd;
	(void)what;
	urgent_settings(e);
}
