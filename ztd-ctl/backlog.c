/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

#include <sys/queue.h>

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "ztd-ctl/backlog.h"
#include "ztd-ctl/ctl.h"

#define WAITERS_MAX	16	/* of one backlog; each holds a connection */

struct item {
	uint64_t	 it_seq;	/* 0: none */
	void		*it_data;
};

struct waiter {
	TAILQ_ENTRY(waiter) w_entry;
	struct backlog	*w_backlog;
	struct request	*w_request;
	uint64_t	 w_after;
};

struct backlog {
	json_t		*(*bl_show)(const void *, const struct request *);
	size_t		 bl_size;
	uint64_t	 bl_last;
	TAILQ_HEAD(, waiter) bl_waiters;
	unsigned	 bl_nwaiters;
	struct item	 bl_items[];
};

static bool	 number_param(struct request *, const char *, uint64_t,
		    uint64_t *);
static void	 wait_for_one(struct backlog *, struct request *, uint64_t,
		    unsigned);
static void	 waiter_free(void *);
static void	 waited(struct request *);
static json_t	*list_after(const struct backlog *, const struct request *,
		    uint64_t);
static void	 bad(struct request *, const char *);
static uint64_t	 first_seq(void);

struct backlog *
backlog_new(size_t size, json_t *(*show)(const void *,
    const struct request *))
{
	struct backlog	*bl;

	if ((bl = calloc(1, sizeof(*bl) + size * sizeof(bl->bl_items[0]))) ==
	    NULL)
		return (NULL);
	bl->bl_show = show;
	bl->bl_size = size;
	TAILQ_INIT(&bl->bl_waiters);
	return (bl);
}

void
backlog_add(struct backlog *bl, void *data)
{
	struct waiter	*w, *next;
	struct item	*it;
	json_t		*v;

	bl->bl_last = bl->bl_last == 0 ? first_seq() : bl->bl_last + 1;
	it = &bl->bl_items[bl->bl_last % bl->bl_size];
	free(it->it_data);
	it->it_seq = bl->bl_last;
	it->it_data = data;
	/* Whoever is answered is off the list. */
	for (w = TAILQ_FIRST(&bl->bl_waiters); w != NULL; w = next) {
		next = TAILQ_NEXT(w, w_entry);
		v = bl->bl_show(data, w->w_request);
		if (v == NULL)
			continue;
		json_decref(v);
		waited(w->w_request);
	}
}

/* So that numbers grow across restarts, too; fewer than 1000 come in a
 * second in the long run. */
static uint64_t
first_seq(void)
{
	struct timespec	 ts;

	if (clock_gettime(CLOCK_REALTIME, &ts) == -1 || ts.tv_sec < 0)
		return (1);
	return ((uint64_t)ts.tv_sec * 1000 + 1);
}

void
backlog_answer(struct backlog *bl, struct request *rq)
{
	uint64_t	 after, wait;
	json_t		*list;

	if (bl == NULL) {
		request_error(rq, 503, "out of memory");
		return;
	}
	if (!number_param(rq, "after", INT64_MAX, &after)) {
		bad(rq, "after: not a number");
		return;
	}
	if (!number_param(rq, "wait", BACKLOG_WAIT, &wait)) {
		bad(rq, "wait: not a number of seconds, 0 to 30");
		return;
	}
	/* From before the clock was set back, or of another node. */
	if (after > bl->bl_last)
		after = 0;
	list = list_after(bl, rq, after);
	if (wait == 0 || json_array_size(list) > 0) {
		request_json(rq, 200, list);
		return;
	}
	json_decref(list);
	wait_for_one(bl, rq, after, (unsigned)wait);
}

/* A parameter that is missing is 0. */
static bool
number_param(struct request *rq, const char *name, uint64_t max, uint64_t *v)
{
	char	*text, *end;
	bool	 good;

	*v = 0;
	if ((text = request_param(rq, name)) == NULL)
		return (true);
	errno = 0;
	*v = strtoull(text, &end, 10);
	good = *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 &&
	    *v <= max;
	free(text);
	return (good);
}

static void
wait_for_one(struct backlog *bl, struct request *rq, uint64_t after,
    unsigned seconds)
{
	struct waiter	*w;

	if ((w = calloc(1, sizeof(*w))) == NULL) {
		request_error(rq, 503, "out of memory");
		return;
	}
	/* Some have hung up, which shows only when they are answered. */
	if (bl->bl_nwaiters >= WAITERS_MAX)
		waited(TAILQ_FIRST(&bl->bl_waiters)->w_request);
	w->w_backlog = bl;
	w->w_request = rq;
	w->w_after = after;
	TAILQ_INSERT_TAIL(&bl->bl_waiters, w, w_entry);
	bl->bl_nwaiters++;
	rq->rq_state = w;
	rq->rq_free = waiter_free;
	request_wait(rq, seconds * 1000, waited);
}

static void
waiter_free(void *arg)
{
	struct waiter	*w = arg;

	TAILQ_REMOVE(&w->w_backlog->bl_waiters, w, w_entry);
	w->w_backlog->bl_nwaiters--;
	free(w);
}

/* One has come, or the time is over. */
static void
waited(struct request *rq)
{
	const struct waiter	*w = rq->rq_state;

	request_json(rq, 200, list_after(w->w_backlog, rq, w->w_after));
}

static json_t *
list_after(const struct backlog *bl, const struct request *rq,
    uint64_t after)
{
	const struct item	*it;
	json_t			*list, *v;
	uint64_t		 seq, lost = 0;

	if ((list = json_array()) == NULL)
		return (NULL);
	if (bl->bl_last >= bl->bl_size && after < bl->bl_last - bl->bl_size) {
		lost = after == 0 ? 0 : bl->bl_last - bl->bl_size - after;
		after = bl->bl_last - bl->bl_size;
	}
	for (seq = after + 1; seq <= bl->bl_last; seq++) {
		it = &bl->bl_items[seq % bl->bl_size];
		if (it->it_seq != seq ||
		    (v = bl->bl_show(it->it_data, rq)) == NULL)
			continue;
		(void)json_object_set_new(v, "seq",
		    json_integer((json_int_t)seq));
		if (lost > 0)
			(void)json_object_set_new(v, "lost",
			    json_integer((json_int_t)lost));
		lost = 0;
		(void)json_array_append_new(list, v);
	}
	return (list);
}

static void
bad(struct request *rq, const char *why)
{
	request_json(rq, 400, json_pack("{s:s}", "message", why));
}
