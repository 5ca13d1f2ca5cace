/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Threads that share one piece of work at a time: reading many files,
 * waiting for many of them to be on disk.  What they run must not log.
 */

#ifndef ZTD_CONTROLLER_POOL_H
#define ZTD_CONTROLLER_POOL_H

#include <stddef.h>

struct pool;

/*
 * A pool of that many threads beside the caller's.  Fewer when the system
 * gives no more; NULL when it gives none: then everything below still works,
 * in the caller's thread alone.
 */
struct pool *pool_new(unsigned threads);
/* Waits for the threads to end.  NULL is fine. */
void	 pool_free(struct pool *);
/*
 * Call fn(arg, i) for each i below n, in any order and at once; returns when
 * all have returned.  One caller at a time.
 */
void	 pool_run(struct pool *, void (*fn)(void *arg, size_t i), void *arg,
	    size_t n);

#endif /* ZTD_CONTROLLER_POOL_H */
