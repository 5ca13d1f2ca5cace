/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

#include <atf-c.h>

#include "regress/lib/chanpair.h"

static void
lost(struct channel *ch, const char *why, void *arg)
{
	(void)ch;
	(void)arg;
	atf_tc_fail("channel: %s", why == NULL ? "closed" : why);
}

struct channel *
chanpair_new(struct event_base *base, channel_message engine,
    channel_message parent, struct channel **parent_end)
{
	struct channel	*end;
	int		 fds[2];

	ATF_REQUIRE_EQ(0, channel_pair(fds));
	end = channel_new(base, fds[0], PROC_NET, PROC_TAP, engine, lost,
	    NULL);
	*parent_end = channel_new(base, fds[1], PROC_TAP, PROC_NET, parent,
	    lost, NULL);
	ATF_REQUIRE(end != NULL && *parent_end != NULL);
	return (end);
}
