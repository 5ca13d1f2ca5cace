/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * /metrics, made when it is asked for.  Spec: 05 section 4.4.
 */

#include <event2/buffer.h>

#include "ztd-ctl/metrics.h"

static void	 collected(void *, struct metrics *);
static void	 forget(void *);

void
api_metrics(struct request *rq)
{
	struct metrics	*me;

	if ((me = metrics_collect(rq->rq_ctl, collected, rq)) == NULL) {
		request_reply(rq, 500, "{}", 2);
		return;
	}
	rq->rq_state = me;
	rq->rq_free = forget;
}

static void
forget(void *arg)
{
	metrics_free(arg);
}

/* What was collected goes with the request. */
static void
collected(void *arg, struct metrics *me)
{
	struct request	*rq = arg;
	struct evbuffer	*b;

	if ((b = evbuffer_new()) == NULL) {
		request_reply(rq, 500, "{}", 2);
		return;
	}
	metrics_text(b, me);
	request_text(rq, b);
	evbuffer_free(b);
}
