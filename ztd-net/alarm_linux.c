/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The timer on Linux: a timerfd on CLOCK_BOOTTIME.
 */

#include <sys/timerfd.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "ztd-net/alarm.h"

struct alarm {
	int		 al_fd;
	struct event	*al_event;
	void		(*al_call)(void *);
	void		*al_arg;
};

static void
rings(evutil_socket_t fd, short what, void *arg)
{
	struct alarm	*al = arg;
	uint64_t	 times;

	(void)what;
	if (read(fd, &times, sizeof(times)) == sizeof(times))
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
	al->al_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK |
	    TFD_CLOEXEC);
	if (al->al_fd == -1 || (al->al_event = event_new(base, al->al_fd,
	    EV_READ | EV_PERSIST, rings, al)) == NULL ||
	    event_add(al->al_event, NULL) == -1) {
		if (al->al_fd != -1)
			(void)close(al->al_fd);
		free(al);
		return (NULL);
	}
	return (al);
}

void
alarm_set(struct alarm *al, int64_t ms)
{
	struct itimerspec	 it;

	memset(&it, 0, sizeof(it));
	it.it_value.tv_sec = ms / 1000;
	it.it_value.tv_nsec = ms % 1000 * 1000000;
	if (timerfd_settime(al->al_fd, 0, &it, NULL) == -1)
		log_warn("cannot set a timer");
}
