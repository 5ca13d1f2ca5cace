/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Sending at a given rate, and finding the rate at which most arrives: for
 * programs that measure, in which one process sends and another counts.
 */

#ifndef REGRESS_BENCH_PACE_H
#define REGRESS_BENCH_PACE_H

#include <stdatomic.h>
#include <stdint.h>

struct pace {
	/* Send up to so many, returning how many went out. */
	unsigned	 (*pc_send)(unsigned);
	void		 (*pc_idle)(void);	/* now and then; or NULL */
	atomic_ullong	*pc_arrived;		/* what the other has counted */
	unsigned	 pc_batch;		/* sent at once, at most */
};

/* Nanoseconds of the monotonic clock. */
int64_t	 pace_now(void);
/* Milliseconds. */
void	 pace_sleep(int64_t ms);
/*
 * At this rate, packets a second, for so long; how many a second went out,
 * and how many arrived.
 */
void	 pace_run(const struct pace *, double rate, int64_t ms,
	    double *offered, double *delivered);
/* The rate at which most arrive, or what is little more than arrives then. */
double	 pace_search(const struct pace *);

#endif /* REGRESS_BENCH_PACE_H */
