/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

#include <stddef.h>
#include <time.h>

#include "regress/bench/pace.h"

#define BATCHES		2000	/* a second, at the most common rates */
#define FIRST_RATE	10000	/* packets a second */
#define STEP_MS		500
#define DRAIN_MS	200
#define IDLE_MS		50

int64_t
pace_now(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec);
}

static void
sleep_until(int64_t ns)
{
	struct timespec	 ts;
	int64_t		 left;

	while ((left = ns - pace_now()) > 0) {
		ts.tv_sec = left / 1000000000;
		ts.tv_nsec = left % 1000000000;
		if (nanosleep(&ts, NULL) == 0)
			return;
	}
}

void
pace_sleep(int64_t ms)
{
	sleep_until(pace_now() + ms * 1000000);
}

void
pace_run(const struct pace *pc, double rate, int64_t ms, double *offered,
    double *delivered)
{
	uint64_t	 before, sent = 0;
	int64_t		 start, now, due, end, idled;
	unsigned	 n;

	n = rate / BATCHES < 1 ? 1 : rate / BATCHES > pc->pc_batch ?
	    pc->pc_batch : (unsigned)(rate / BATCHES);
	before = atomic_load(pc->pc_arrived);
	start = idled = now = pace_now();
	end = start + ms * 1000000;
	while (now < end) {
		due = start + (int64_t)((double)sent * 1e9 / rate);
		if (due > now + 50000)
			sleep_until(due);
		sent += pc->pc_send(n);
		now = pace_now();
		if (pc->pc_idle != NULL && now - idled > IDLE_MS * 1000000) {
			pc->pc_idle();
			idled = now;
		}
	}
	pace_sleep(DRAIN_MS);
	if (pc->pc_idle != NULL)
		pc->pc_idle();
	*offered = (double)sent * 1e9 / (double)(now - start);
	*delivered = (double)(atomic_load(pc->pc_arrived) - before) * 1e9 /
	    (double)(now - start);
}

/* The better of two tries: something else may have had the processor. */
static void
try(const struct pace *pc, double rate, double enough, double *offered,
    double *delivered)
{
	double	 o, d;

	pace_run(pc, rate, STEP_MS, offered, delivered);
	if (*delivered > enough)
		return;
	pace_run(pc, rate, STEP_MS, &o, &d);
	if (d > *delivered) {
		*offered = o;
		*delivered = d;
	}
}

double
pace_search(const struct pace *pc)
{
	double		 rate, offered, delivered, best = 0, best_rate = 0;
	unsigned	 worse = 0;

	for (rate = FIRST_RATE; worse < 3; rate *= 1.3) {
		try(pc, rate, best * 1.02, &offered, &delivered);
		if (delivered > best * 1.02) {
			best = delivered;
			best_rate = rate;
			worse = 0;
		} else
			worse++;
		if (offered < rate * 0.8 && worse > 0)
			break;		/* more than we can send */
	}
	return (best_rate < best * 1.1 ? best_rate : best * 1.1);
}
