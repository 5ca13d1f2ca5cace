/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The primary port that is asked for, by which a reload sees that it cannot
 * be had before the next start.
 */

#include <atf-c.h>

#include "common/version.h"
#include "ztd-tap/listen.h"

ATF_TC_WITHOUT_HEAD(primary_port);
ATF_TC_BODY(primary_port, tc)
{
	static struct parent	 p;

	(void)tc;
	settings_init(&p.p_settings);
	p.p_argport = -1;
	ATF_CHECK_EQ(ZT_PORT, listen_port(&p));
	p.p_argport = 0;
	ATF_CHECK_EQ(0, listen_port(&p));
	p.p_argport = 1234;
	ATF_CHECK_EQ(1234, listen_port(&p));
	p.p_settings.s_primary_port = 4321;
	ATF_CHECK_EQ(4321, listen_port(&p));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, primary_port);
	return (atf_no_error());
}
