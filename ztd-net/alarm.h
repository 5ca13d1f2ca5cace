/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * One timer, on a clock that goes on while the machine sleeps where the
 * system has such a timer: what was due meanwhile is done on waking up.
 */

#ifndef ZTD_NET_ALARM_H
#define ZTD_NET_ALARM_H

#include <stdint.h>

struct alarm;
struct event_base;

/* NULL when it cannot be had. */
struct alarm *alarm_new(struct event_base *, void (*)(void *), void *arg);
/* Call the function once in ms (1 or more); replaces what was set before. */
void	 alarm_set(struct alarm *, int64_t ms);

#endif /* ZTD_NET_ALARM_H */
