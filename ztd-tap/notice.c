/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Swarms of events; see notice.h.
 */

#include <sys/time.h>

#include <stdlib.h>

#include <event2/event.h>

#include "ztd-tap/notice.h"

struct notice {
	struct event	*nt_timer;	/* pending: not yet again */
	unsigned	 nt_pause;	/* ms */
	bool		 nt_again;	/* more has happened meanwhile */
	bool		 nt_roamed;	/* of that kind */
	void		(*nt_call)(void *, bool);
	void		*nt_arg;
};

static void	 pass_on(struct notice *, bool);
static void	 timer(evutil_socket_t, short, void *);

struct notice *
notice_new(struct event_base *base, void (*call)(void *, bool), void *arg)
{
	struct notice	*nt;

	if ((nt = calloc(1, sizeof(*nt))) == NULL)
		return (NULL);
	nt->nt_pause = NOTICE_MS;
	nt->nt_call = call;
	nt->nt_arg = arg;
	if ((nt->nt_timer = evtimer_new(base, timer, nt)) == NULL) {
		free(nt);
		return (NULL);
	}
	return (nt);
}

void
notice_pause(struct notice *nt, unsigned ms)
{
	nt->nt_pause = ms;
}

void
notice_free(struct notice *nt)
{
	if (nt == NULL)
		return;
	event_free(nt->nt_timer);
	free(nt);
}

void
notice_event(struct notice *nt, bool roamed)
{
	if (evtimer_pending(nt->nt_timer, NULL)) {
		nt->nt_again = true;
		nt->nt_roamed |= roamed;
	} else
		pass_on(nt, roamed);
}

static void
pass_on(struct notice *nt, bool roamed)
{
	struct timeval	 pause;

	pause.tv_sec = nt->nt_pause / 1000;
	pause.tv_usec = (int)(nt->nt_pause % 1000) * 1000;
	nt->nt_again = nt->nt_roamed = false;
	(void)evtimer_add(nt->nt_timer, &pause);
	nt->nt_call(nt->nt_arg, roamed);
}

static void
timer(evutil_socket_t fd, short what, void *arg)
{
	struct notice	*nt = arg;

	(void)fd;
	(void)what;
	if (nt->nt_again)
		pass_on(nt, nt->nt_roamed);
}
