/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Traffic in bulk: when it begins, and when it is over, upon which the buffers
 * that it has filled are given back.
 */

#include "common/log.h"
#include "privsep/frame.h"
#include "ztd-net/engine.h"
#include "ztd-net/merge.h"
#include "ztd-net/udp.h"

#define BULK	(256 * 1024)	/* bytes that are worth it */
#define QUIET	3		/* seconds with less than that */

static void	 rest_due(evutil_socket_t, short, void *);

static uint64_t
moved(const struct engine *e)
{
	return (e->e_bytes[0] + e->e_bytes[1]);
}

static void
wait_quiet(struct engine *e)
{
	static const struct timeval	 tv = { QUIET, 0 };

	if (e->e_rest == NULL &&
	    (e->e_rest = evtimer_new(e->e_base, rest_due, e)) == NULL)
		fatalx("out of memory");
	e->e_bytes_then = moved(e);
	e->e_rest_waits = event_add(e->e_rest, &tv) == 0;
}

void
rest_later(struct engine *e)
{
	if (e->e_rest_waits || moved(e) - e->e_bytes_then <= BULK)
		return;
	wait_quiet(e);
	urgent_bulk(e, true);
}

static void
rest_due(evutil_socket_t fd, short what, void *arg)
{
	struct engine	*e = arg;

	(void)fd;
	(void)what;
	if (moved(e) - e->e_bytes_then > BULK) {
		wait_quiet(e);
		return;
	}
	e->e_rest_waits = false;
	e->e_bytes_then = moved(e);
	urgent_bulk(e, false);
	udp_rest(e);
	if (e->e_merge != NULL)
		merge_rest(e->e_merge);
	frame_rest();
}
