/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The timer on the BSDs: that of the event loop, whose clock may stand still
 * while the machine sleeps.  Then the change of the interfaces on waking up,
 * or any packet, comes first.
 */

#include <stdlib.h>

#include <event2/event.h>

#include "common/log.h"
#include "ztd-net/alarm.h"

struct alarm {
	struct event	*al_event;
	void		(*al_call)(void *);
	void		*al_arg;
};

static void
rings(evutil_socket_t fd, short what, void *arg)
{
	struct alarm	*al = arg;

	(void)fd;
	(void)what;
	al->al_call(al->al_arg);
}

struct alarm *
alarm_new(struct event_base *base, void (*call)(void *), void *arg)
{
	struct alarm	*al;

	if ((al = calloc(1, sizeof(*al))) == NULL)
		return (NULL);
	al->al_call = call;
	al->al_arg = arg;
	if ((al->al_event = evtimer_new(base, rings, al)) == NULL) {
		free(al);
		return (NULL);
	}
	return (al);
}

void
alarm_set(struct alarm *al, int64_t ms)
{
	struct timeval	 tv;

	tv.tv_sec = ms / 1000;
	tv.tv_usec = ms % 1000 * 1000;
	if (evtimer_add(al->al_event, &tv) == -1)
		log_warn("cannot set a timer");
}
