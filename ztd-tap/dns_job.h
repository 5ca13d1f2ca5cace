/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * One run of a program that changes a resolver, while the loop runs on.
 */

#ifndef ZTD_TAP_DNS_JOB_H
#define ZTD_TAP_DNS_JOB_H

#include <stddef.h>

struct dns_job;
struct event_base;

#define DNS_JOB_INPUT	2048	/* bytes of input at most */

/*
 * Start it with that input, which must fit a pipe, and give it ms
 * milliseconds.  When it has ended, done is called with its exit status, or
 * -1 when a signal or the time ended it, and the job is gone; the first line
 * that it printed has then been logged, after name.  Returns NULL with errno.
 */
struct dns_job *dns_job_start(struct event_base *, const char *name,
	    const char *path, const char *const *argv, const void *input,
	    size_t len, int ms, void (*done)(void *, int), void *arg);
/* A child has died: perhaps it. */
void	 dns_job_reap(struct dns_job *);
/* Wait for it, at most that long; then it is killed, and done called. */
void	 dns_job_wait(struct dns_job *, int ms);

#endif /* ZTD_TAP_DNS_JOB_H */
