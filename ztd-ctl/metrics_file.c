/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * metrics.prom, which the parent writes for us.
 */

#include <sys/time.h>

#include <string.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "common/log.h"
#include "ztd-ctl/metrics.h"

#define WRITE_S		5
#define LAST_S		1	/* for the last one */
#define FLUSH_MS	500

static struct event	*timer;
static struct metrics	*underway;
static bool		 ending;

static void	 write_due(evutil_socket_t, short, void *);
static void	 end(struct ctl *);
static void	 end_late(evutil_socket_t, short, void *);
static void	 write_collected(void *, struct metrics *);
static void	 send_text(struct ctl *, struct evbuffer *);

void
metrics_file(struct ctl *ctl)
{
	const struct timeval	 tv = { WRITE_S, 0 };

	timer = event_new(ctl->c_base, -1, EV_PERSIST, write_due, ctl);
	if (timer == NULL || event_add(timer, &tv) == -1)
		fatalx("cannot set a timer");
}

void
metrics_file_end(struct ctl *ctl)
{
	const struct timeval	 tv = { LAST_S, 0 };

	if (ending)
		return;
	ending = true;
	if (underway == NULL)
		underway = metrics_collect(ctl, write_collected, ctl);
	if (underway == NULL || event_base_once(ctl->c_base, -1, EV_TIMEOUT,
	    end_late, ctl, &tv) == -1)
		end(ctl);
}

static void
end(struct ctl *ctl)
{
	(void)event_base_loopbreak(ctl->c_base);
}

static void
end_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	end(arg);
}

static void
write_due(evutil_socket_t fd, short what, void *arg)
{
	struct ctl	*ctl = arg;

	(void)fd;
	(void)what;
	if (underway == NULL)
		underway = metrics_collect(ctl, write_collected, ctl);
}

static void
write_collected(void *arg, struct metrics *me)
{
	struct ctl	*ctl = arg;
	struct evbuffer	*b;

	underway = NULL;
	if ((b = evbuffer_new()) != NULL) {
		metrics_text(b, me);
		send_text(ctl, b);
		evbuffer_free(b);
	}
	metrics_free(me);
	if (ending) {
		(void)channel_flush(ctl->c_channels[PROC_TAP], FLUSH_MS);
		end(ctl);
	}
}

static void
send_text(struct ctl *ctl, struct evbuffer *b)
{
	static char		 part[METRICS_TEXT_PART];
	struct msg_metrics_text	 mt;
	struct iovec		 iov[2];
	int			 n;

	memset(&mt, 0, sizeof(mt));
	iov[0].iov_base = &mt;
	iov[0].iov_len = sizeof(mt);
	iov[1].iov_base = part;
	if (evbuffer_get_length(b) > METRICS_TEXT_MAX)
		return;
	do {
		if ((n = evbuffer_remove(b, part, sizeof(part))) < 0)
			return;
		iov[1].iov_len = (size_t)n;
		mt.mt_last = evbuffer_get_length(b) == 0;
		if (channel_sendv(ctl->c_channels[PROC_TAP], MSG_METRICS_TEXT,
		    0, -1, iov, 2) == -1)
			return;
		mt.mt_part++;
	} while (mt.mt_last == 0);
}
