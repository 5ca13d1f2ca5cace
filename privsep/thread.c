/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

#include <signal.h>

#include "privsep/thread.h"

int
thread_start(pthread_t *thread, void *(*fn)(void *), void *arg)
{
	sigset_t	 all, old;
	int		 error;

	/* It begins with the mask of the one that makes it. */
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(thread, NULL, fn, arg);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return (error);
}
