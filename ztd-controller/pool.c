/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Threads that share one piece of work; see pool.h.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/log.h"
#include "privsep/thread.h"
#include "ztd-controller/pool.h"

struct pool {
	pthread_mutex_t	 po_lock;
	pthread_cond_t	 po_work;	/* there is some, or the end */
	pthread_cond_t	 po_done;	/* the last one has returned */
	void		 (*po_fn)(void *, size_t);
	void		*po_arg;
	size_t		 po_next, po_n;	/* taken, of how many */
	size_t		 po_running;
	bool		 po_stop;
	unsigned	 po_nthreads;
	pthread_t	 po_threads[];
};

static void	*pool_thread(void *);
static void	 pool_share(struct pool *);

struct pool *
pool_new(unsigned threads)
{
	struct pool	*po;

	po = xcalloc(1, sizeof(*po) + threads * sizeof(po->po_threads[0]));
	(void)pthread_mutex_init(&po->po_lock, NULL);
	(void)pthread_cond_init(&po->po_work, NULL);
	(void)pthread_cond_init(&po->po_done, NULL);
	while (po->po_nthreads < threads && thread_start(
	    &po->po_threads[po->po_nthreads], pool_thread, po) == 0)
		po->po_nthreads++;
	if (po->po_nthreads == 0) {
		pool_free(po);
		return (NULL);
	}
	return (po);
}

void
pool_free(struct pool *po)
{
	unsigned	i;

	if (po == NULL)
		return;
	(void)pthread_mutex_lock(&po->po_lock);
	po->po_stop = true;
	(void)pthread_cond_broadcast(&po->po_work);
	(void)pthread_mutex_unlock(&po->po_lock);
	for (i = 0; i < po->po_nthreads; i++)
		(void)pthread_join(po->po_threads[i], NULL);
	(void)pthread_cond_destroy(&po->po_done);
	(void)pthread_cond_destroy(&po->po_work);
	(void)pthread_mutex_destroy(&po->po_lock);
	free(po);
}

void
pool_run(struct pool *po, void (*fn)(void *, size_t), void *arg, size_t n)
{
	size_t	i;

	/* One alone is not worth waking anybody. */
	if (po == NULL || n == 1) {
		for (i = 0; i < n; i++)
			fn(arg, i);
		return;
	}
	(void)pthread_mutex_lock(&po->po_lock);
	po->po_fn = fn;
	po->po_arg = arg;
	po->po_next = 0;
	po->po_n = n;
	(void)pthread_cond_broadcast(&po->po_work);
	pool_share(po);
	while (po->po_running > 0)
		(void)pthread_cond_wait(&po->po_done, &po->po_lock);
	po->po_n = po->po_next = 0;
	(void)pthread_mutex_unlock(&po->po_lock);
}

static void *
pool_thread(void *arg)
{
	struct pool	*po = arg;

	(void)pthread_mutex_lock(&po->po_lock);
	for (;;) {
		pool_share(po);
		if (po->po_stop)
			break;
		(void)pthread_cond_wait(&po->po_work, &po->po_lock);
	}
	(void)pthread_mutex_unlock(&po->po_lock);
	return (NULL);
}

/* Take numbers while there are some.  Called and left with the lock. */
static void
pool_share(struct pool *po)
{
	size_t	i;

	while (po->po_next < po->po_n) {
		i = po->po_next++;
		po->po_running++;
		(void)pthread_mutex_unlock(&po->po_lock);
		po->po_fn(po->po_arg, i);
		(void)pthread_mutex_lock(&po->po_lock);
		if (--po->po_running == 0 && po->po_next == po->po_n)
			(void)pthread_cond_signal(&po->po_done);
	}
}
