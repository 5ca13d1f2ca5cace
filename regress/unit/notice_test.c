/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Swarms of events: the first at once, the others together.
 */

#include <sys/types.h>

#include <string.h>

#include <atf-c.h>
#include <event2/event.h>

#include "ztd-tap/notice.h"

static unsigned	 calls, roams;

static void
call(void *arg, bool roamed)
{
	(void)arg;
	calls++;
	roams += roamed;
}

static void
run(struct event_base *base, int ms)
{
	struct timeval	 tv = { ms / 1000, ms % 1000 * 1000 };

	event_base_loopexit(base, &tv);
	event_base_dispatch(base);
}

ATF_TC_WITHOUT_HEAD(swarm);
ATF_TC_BODY(swarm, tc)
{
	struct event_base	*base;
	struct notice		*nt;
	unsigned		 i;

	(void)tc;
	ATF_REQUIRE((base = event_base_new()) != NULL);
	ATF_REQUIRE((nt = notice_new(base, call, NULL)) != NULL);
	/* Before the loop even runs. */
	notice_event(nt, false);
	ATF_CHECK_EQ(1, calls);
	for (i = 0; i < 1000; i++)
		notice_event(nt, i == 500);
	ATF_CHECK_EQ(1, calls);
	run(base, NOTICE_MS * 4);
	ATF_CHECK_EQ(2, calls);
	ATF_CHECK_EQ(1, roams);
	/* Quiet again: at once again, and nothing is left over. */
	notice_event(nt, true);
	ATF_CHECK_EQ(3, calls);
	ATF_CHECK_EQ(2, roams);
	run(base, NOTICE_MS * 4);
	ATF_CHECK_EQ(3, calls);
	notice_free(nt);
	notice_free(NULL);
	event_base_free(base);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, swarm);
	return (atf_no_error());
}
