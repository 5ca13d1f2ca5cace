/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The message catalogue: complete, consistent, and closed where it must be.
 */

#include <string.h>

#include <atf-c.h>

#include "common/credential.h"
#include "common/world.h"
#include "privsep/messages.h"

static uint32_t
route(enum proc from, enum proc to)
{
	return (UINT32_C(1) << (from * PROC_COUNT + to));
}

static void
check(enum msg_type type, size_t min, size_t max, uint32_t routes, int fd)
{
	const struct msg_rule	*r = msg_rule(type);

	ATF_REQUIRE(r != NULL);
	ATF_CHECK_EQ_MSG(r->mr_min, min, "%s: %zu", r->mr_name, r->mr_min);
	ATF_CHECK_EQ_MSG(r->mr_max, max, "%s: %zu", r->mr_name, r->mr_max);
	ATF_CHECK_EQ_MSG(r->mr_route, routes, "%s: %#x", r->mr_name,
	    r->mr_route);
	ATF_CHECK_EQ_MSG(r->mr_fd, fd, "%s", r->mr_name);
}

ATF_TC_WITHOUT_HEAD(complete);
ATF_TC_BODY(complete, tc)
{
	const struct msg_rule	*r;
	uint32_t		 type;
	int			 p;

	for (type = MSG_NONE + 1; type < MSG_COUNT; type++) {
		r = msg_rule(type);
		ATF_REQUIRE_MSG(r != NULL, "type %u has no row", type);
		ATF_CHECK(strncmp(r->mr_name, "MSG_", 4) == 0);
		ATF_CHECK_MSG(r->mr_min <= r->mr_max, "%s", r->mr_name);
		ATF_CHECK_MSG(r->mr_max <= MSG_MAX, "%s", r->mr_name);
		ATF_CHECK_MSG(r->mr_route != 0, "%s", r->mr_name);
		ATF_CHECK_MSG(r->mr_route >> PROC_COUNT * PROC_COUNT == 0,
		    "%s", r->mr_name);
		for (p = 0; p < PROC_COUNT; p++)
			ATF_CHECK_MSG((r->mr_route & route(p, p)) == 0,
			    "%s goes from %s to itself", r->mr_name,
			    proc_name(p));
	}
}

ATF_TC_WITHOUT_HEAD(unknown);
ATF_TC_BODY(unknown, tc)
{
	ATF_CHECK(msg_rule(MSG_NONE) == NULL);
	ATF_CHECK(msg_rule(MSG_COUNT) == NULL);
	ATF_CHECK(msg_rule(0x80000000) == NULL);
	ATF_CHECK(msg_rule(UINT32_MAX) == NULL);
}

ATF_TC_WITHOUT_HEAD(rows);
ATF_TC_BODY(rows, tc)
{
	uint32_t	down, up;

	down = route(PROC_TAP, PROC_NET) | route(PROC_TAP, PROC_CON) |
	    route(PROC_TAP, PROC_CTL);
	up = route(PROC_NET, PROC_TAP) | route(PROC_CON, PROC_TAP) |
	    route(PROC_CTL, PROC_TAP);
	check(MSG_INIT, sizeof(struct msg_init), sizeof(struct msg_init),
	    down, 0);
	check(MSG_CHANNEL, 4, 4, down, 1);
	check(MSG_READY, 0, 0, up, 0);
	check(MSG_LOG, 4, 4 + 1023, up, 0);
	check(MSG_FRAMES, 0, 0, route(PROC_TAP, PROC_NET), 1);
	check(MSG_INTERFACES, 0, 512 * sizeof(struct msg_interface),
	    route(PROC_TAP, PROC_NET), 0);
	check(MSG_TAP, sizeof(struct msg_tap), sizeof(struct msg_tap) +
	    1024 * sizeof(struct msg_group), route(PROC_TAP, PROC_NET), 0);
	check(MSG_LEND, sizeof(struct msg_lend), sizeof(struct msg_lend),
	    route(PROC_TAP, PROC_NET), 1);
	check(MSG_REPORTED, 0, 0, route(PROC_NET, PROC_TAP), 0);
	check(MSG_TAP_GONE, sizeof(struct msg_tap_gone),
	    sizeof(struct msg_tap_gone), route(PROC_NET, PROC_TAP), 0);
	check(MSG_REALTIME, 0, 0, route(PROC_NET, PROC_TAP), 0);
	check(MSG_PLANET, 0, WORLD_MAX, route(PROC_NET, PROC_TAP), 0);
	check(MSG_LISTENER, sizeof(struct msg_listener),
	    sizeof(struct msg_listener), route(PROC_TAP, PROC_CTL), 1);
	check(MSG_END, 0, 0, route(PROC_NET, PROC_CTL) |
	    route(PROC_TAP, PROC_CTL) | route(PROC_CON, PROC_CTL), 0);
	check(MSG_GET_METRICS, 0, 0, route(PROC_CTL, PROC_TAP) |
	    route(PROC_CTL, PROC_NET) | route(PROC_CTL, PROC_CON), 0);
	check(MSG_METRICS_TEXT, sizeof(struct msg_metrics_text), MSG_MAX,
	    route(PROC_CTL, PROC_TAP), 0);
	check(MSG_ROAMED, 0, 0, route(PROC_TAP, PROC_NET), 0);
	check(MSG_ROOT_INFO, sizeof(struct msg_root_info),
	    sizeof(struct msg_root_info), route(PROC_NET, PROC_CTL), 0);
	check(MSG_RESULT, sizeof(struct msg_result),
	    sizeof(struct msg_result), route(PROC_TAP, PROC_CTL) |
	    route(PROC_NET, PROC_CTL), 0);
	check(MSG_USER_SEND, sizeof(struct msg_user),
	    sizeof(struct msg_user) + USER_MESSAGE_MAX,
	    route(PROC_CTL, PROC_NET), 0);
	check(MSG_USER_RECEIVED, sizeof(struct msg_user),
	    sizeof(struct msg_user) + USER_MESSAGE_MAX,
	    route(PROC_NET, PROC_CTL), 0);
	check(MSG_CON_CONFIG, sizeof(struct msg_con_config),
	    sizeof(struct msg_con_config) + NETCONF_BLOCK_MAX,
	    route(PROC_CON, PROC_NET), 0);
	check(MSG_CON_REVOCATION, sizeof(struct msg_con_revocation),
	    sizeof(struct msg_con_revocation) + REVOCATION_MAX,
	    route(PROC_CON, PROC_NET), 0);
	check(MSG_API_BODY, 0, MSG_MAX, route(PROC_CTL, PROC_CON) |
	    route(PROC_CON, PROC_CTL), 0);
}

ATF_TC_WITHOUT_HEAD(descriptors);
ATF_TC_BODY(descriptors, tc)
{
	uint32_t	type;

	/* No child may hand a descriptor to anybody, but for one case. */
	for (type = MSG_NONE + 1; type < MSG_COUNT; type++) {
		if (!msg_rule(type)->mr_fd)
			continue;
		if (type == MSG_API_FILE) {
			ATF_CHECK_EQ(msg_rule(type)->mr_route,
			    route(PROC_CON, PROC_CTL));
			continue;
		}
		ATF_CHECK(type == MSG_CHANNEL || type == MSG_FRAMES ||
		    type == MSG_LEND || type == MSG_LISTENER ||
		    type == MSG_LOCAL);
		ATF_CHECK((msg_rule(type)->mr_route & ~(UINT32_C(0xf))) == 0);
	}
}

ATF_TC_WITHOUT_HEAD(names);
ATF_TC_BODY(names, tc)
{
	ATF_CHECK_STREQ("ztd", proc_name(PROC_TAP));
	ATF_CHECK_STREQ("ztd-net", proc_name(PROC_NET));
	ATF_CHECK_STREQ("ztd-controller", proc_name(PROC_CON));
	ATF_CHECK_STREQ("ztd-ctl", proc_name(PROC_CTL));
	ATF_CHECK_STREQ("unknown process", proc_name(PROC_COUNT));
	ATF_CHECK_STREQ("MSG_API_BODY", msg_rule(MSG_API_BODY)->mr_name);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, complete);
	ATF_TP_ADD_TC(tp, unknown);
	ATF_TP_ADD_TC(tp, rows);
	ATF_TP_ADD_TC(tp, descriptors);
	ATF_TP_ADD_TC(tp, names);
	return (atf_no_error());
}
