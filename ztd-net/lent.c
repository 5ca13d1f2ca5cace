/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Lent taps: reading them, and telling the parent what it would have seen by
 * reading them itself.
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "privsep/frame_tap.h"
#include "ztd-net/engine.h"
#include "ztd-net/lent.h"

#define TURN		(256 * 1024)	/* bytes before others get a turn */
#define REPORT_MS	100	/* between two MSG_REPORTED */

struct lent {
	struct engine	*l_engine;
	uint64_t	 l_nwid;
	uint16_t	 l_tap;
	struct frame_channel *l_chan;
	struct event	*l_read;
	struct gather	 l_gather;
};

static void	 lent_readable(evutil_socket_t, short, void *);
static void	 gone(struct lent *);
static void	 reported(struct engine *);
static void	 report_due(evutil_socket_t, short, void *);

struct lent *
lent_new(struct engine *e, uint64_t nwid, uint16_t tap, int fd, bool vnet)
{
	struct lent	*l;

	if ((l = calloc(1, sizeof(*l))) == NULL ||
	    (l->l_chan = frame_new_tap(fd, vnet, tap)) == NULL) {
		free(l);
		(void)close(fd);
		return (NULL);
	}
	l->l_engine = e;
	l->l_nwid = nwid;
	l->l_tap = tap;
	if ((l->l_read = event_new(e->e_base, fd, EV_READ | EV_PERSIST,
	    lent_readable, l)) == NULL || event_add(l->l_read, NULL) == -1) {
		lent_free(l);
		return (NULL);
	}
	return (l);
}

void
lent_free(struct lent *l)
{
	if (l == NULL)
		return;
	if (l->l_read != NULL)
		event_free(l->l_read);
	frame_free(l->l_chan);
	free(l);
}

struct frame_channel *
lent_channel(const struct lent *l)
{
	return (l->l_chan);
}

static void
lent_readable(evutil_socket_t fd, short what, void *arg)
{
	struct lent	*l = arg;
	struct engine	*e = l->l_engine;
	struct frame	 batch[FRAME_BATCH];
	int64_t		 now = engine_now();
	size_t		 bytes = 0, frames = 0;
	int		 i, n;

	(void)fd;
	(void)what;
	urgent_gather(e, &l->l_gather);
	while (bytes < TURN) {
		if ((n = frame_get(l->l_chan, batch)) == -1) {
			gone(l);
			break;
		}
		frames += (size_t)n;
		for (i = 0; i < n; i++) {
			if (frame_tap_report(batch[i].f_data))
				reported(e);
			bytes += batch[i].f_len;
			frames_in(e, now, &batch[i]);
		}
		if (!frame_more(l->l_chan))
			break;
	}
	engine_flush(e);
	urgent_gathered(e, &l->l_gather, bytes, frames);
}

/* The parent will make another. */
static void
gone(struct lent *l)
{
	struct msg_tap_gone	 mg;

	(void)event_del(l->l_read);
	memset(&mg, 0, sizeof(mg));
	mg.mg_nwid = l->l_nwid;
	mg.mg_tap = l->l_tap;
	(void)channel_send(l->l_engine->e_parent, MSG_TAP_GONE, 0, -1, &mg,
	    sizeof(mg));
}

/* At once, and once more for all that come while it is too soon. */
static void
reported(struct engine *e)
{
	const struct timeval	 tv = { 0, REPORT_MS * 1000 };

	if (e->e_report == NULL && (e->e_report = evtimer_new(e->e_base,
	    report_due, e)) == NULL)
		fatalx("out of memory");
	e->e_reported = evtimer_pending(e->e_report, NULL) != 0;
	if (e->e_reported)
		return;
	(void)channel_send(e->e_parent, MSG_REPORTED, 0, -1, NULL, 0);
	(void)evtimer_add(e->e_report, &tv);
}

static void
report_due(evutil_socket_t fd, short what, void *arg)
{
	struct engine	*e = arg;

	(void)fd;
	(void)what;
	if (e->e_reported)
		reported(e);
}
