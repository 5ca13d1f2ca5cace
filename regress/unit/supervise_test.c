/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What the parent lets a child do to its log.
 */

#include <string.h>

#include <atf-c.h>

#include "common/log.h"
#include "ztd-tap/supervise.h"

/* A flood is cut off, and other children are not. */
ATF_TC_WITHOUT_HEAD(log_flood);
ATF_TC_BODY(log_flood, tc)
{
	struct child	 loud, other;
	unsigned	 i, n = 0;

	log_init("supervise_test", true, false);
	memset(&loud, 0, sizeof(loud));
	memset(&other, 0, sizeof(other));
	loud.c_proc = PROC_NET;
	other.c_proc = PROC_CTL;
	for (i = 0; i < 100000; i++)
		n += supervise_may_log(&loud, 1000 + i / 2);
	ATF_CHECK_MSG(n >= 100 && n <= 1000, "%u lines", n);
	ATF_CHECK(!supervise_may_log(&loud, 60999));
	ATF_CHECK(supervise_may_log(&other, 60999));
	ATF_CHECK(supervise_may_log(&loud, 61000));
}

/* Who asks for every line gets every line. */
ATF_TC_WITHOUT_HEAD(log_verbosely);
ATF_TC_BODY(log_verbosely, tc)
{
	struct child	 loud;
	unsigned	 i;

	log_init("supervise_test", true, true);
	memset(&loud, 0, sizeof(loud));
	for (i = 0; i < 10000; i++)
		ATF_REQUIRE(supervise_may_log(&loud, 1000));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, log_flood);
	ATF_TP_ADD_TC(tp, log_verbosely);
	return (atf_no_error());
}
