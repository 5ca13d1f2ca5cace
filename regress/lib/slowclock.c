/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The clock of a host on which nobody set it: an hour behind.  Linked into a
 * ztd-net of its own (-Wl,--wrap=clock_gettime) for
 * regress/host/doctor_test.sh.
 */

#include <time.h>

#define BEHIND	3600	/* s */

int	 __real_clock_gettime(clockid_t, struct timespec *);
int	 __wrap_clock_gettime(clockid_t, struct timespec *);

int
__wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	int	 rv;

	rv = __real_clock_gettime(id, ts);
	if (rv == 0 && id == CLOCK_REALTIME)
		ts->tv_sec -= BEHIND;
	return (rv);
}
