/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The engine's one timer: it rings once, at the last time that was set, and
 * its clock does not stand still while the machine sleeps.
 */

#include <sys/types.h>

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <atf-c.h>
#include <event2/event.h>

#include "ztd-net/alarm.h"

static unsigned	 rang;

static void
rings(void *arg)
{
	(void)arg;
	rang++;
}

static void
run(struct event_base *base, int ms)
{
	struct timeval	 tv = { ms / 1000, ms % 1000 * 1000 };

	event_base_loopexit(base, &tv);
	event_base_dispatch(base);
}

/* Of the timer that this process has open; -1 when there is none. */
static int
clock_of_timer(void)
{
	char	 path[64], line[128];
	FILE	*f;
	int	 fd, id = -1;

	for (fd = 3; fd < 64 && id == -1; fd++) {
		(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d",
		    fd);
		if ((f = fopen(path, "r")) == NULL)
			continue;
		while (fgets(line, sizeof(line), f) != NULL)
			(void)sscanf(line, "clockid: %d", &id);
		fclose(f);
	}
	return (id);
}

ATF_TC_WITHOUT_HEAD(rings_once);
ATF_TC_BODY(rings_once, tc)
{
	struct event_base	*base;
	struct alarm		*al;

	(void)tc;
	ATF_REQUIRE((base = event_base_new()) != NULL);
	ATF_REQUIRE((al = alarm_new(base, rings, NULL)) != NULL);
	run(base, 50);
	ATF_CHECK_EQ(0, rang);
	alarm_set(al, 1);
	run(base, 200);
	ATF_CHECK_EQ(1, rang);
	/* The last word counts. */
	alarm_set(al, 1);
	alarm_set(al, 60000);
	run(base, 100);
	ATF_CHECK_EQ(1, rang);
	alarm_set(al, 20);
	run(base, 300);
	ATF_CHECK_EQ(2, rang);
}

ATF_TC_WITHOUT_HEAD(counts_sleep);
ATF_TC_BODY(counts_sleep, tc)
{
	struct event_base	*base;

	(void)tc;
	ATF_REQUIRE((base = event_base_new()) != NULL);
	ATF_REQUIRE(alarm_new(base, rings, NULL) != NULL);
	ATF_CHECK_EQ(CLOCK_BOOTTIME, clock_of_timer());
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, rings_once);
	ATF_TP_ADD_TC(tp, counts_sleep);
	return (atf_no_error());
}
