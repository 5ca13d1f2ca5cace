/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

#ifndef PRIVSEP_THREAD_H
#define PRIVSEP_THREAD_H

#include <pthread.h>

/*
 * As pthread_create(3) does; no signal is delivered to this thread: they are
 * the event loop's.  Returns 0 or an error number.
 */
int	 thread_start(pthread_t *, void *(*fn)(void *), void *arg);

#endif /* PRIVSEP_THREAD_H */
