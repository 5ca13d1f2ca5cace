/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Events come in swarms, but the first must not wait: it is passed on at
 * once, those of the next quarter of a second together behind it.
 */

#ifndef ZTD_TAP_NOTICE_H
#define ZTD_TAP_NOTICE_H

#include <stdbool.h>

#define NOTICE_MS	250

struct event_base;
struct notice;

/*
 * call is told whether any of the events was of the kind "roamed".  NULL
 * when memory is short.
 */
struct notice *notice_new(struct event_base *, void (*call)(void *,
	    bool roamed), void *arg);
/* Another pause than NOTICE_MS between two calls. */
void	 notice_pause(struct notice *, unsigned ms);
void	 notice_free(struct notice *);	/* NULL is fine */
/* Something happened. */
void	 notice_event(struct notice *, bool roamed);

#endif /* ZTD_TAP_NOTICE_H */
