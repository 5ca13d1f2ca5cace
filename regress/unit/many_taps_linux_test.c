/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The parent with more taps than one message can list addresses of.
 */

#include <stdio.h>
#include <time.h>

#include <atf-c.h>

#include "common/address.h"
#include "common/log.h"
#include "regress/lib/tapworld.h"
#include "ztd-tap/joined.h"

#define TAPS		300
#define SECONDS		20	/* on a machine that has other things to do */
#define NWID(k)		(0x8056c2e21c000000ULL + (k))

static bool
has_group(const struct tapworld_tap *tt, uint64_t mac, uint32_t adi)
{
	uint32_t	 i;

	for (i = 0; i < tt->tt_ngroups; i++)
		if (tt->tt_groups[i].mg_mac == mac &&
		    tt->tt_groups[i].mg_adi == adi)
			return (true);
	return (false);
}

ATF_TC(taps);
ATF_TC_HEAD(taps, tc)
{
	atf_tc_set_md_var(tc, "descr", "all come up, are told and listed");
	atf_tc_set_md_var(tc, "require.user", "root");
	atf_tc_set_md_var(tc, "timeout", "120");
}
ATF_TC_BODY(taps, tc)
{
	struct tapworld			*tw;
	const struct tapworld_tap	*tt;
	struct msg_port			 mp;
	char				 ip[INET_TEXT];
	int64_t				 begin;
	unsigned			 i;

	(void)tc;
	tw = tapworld_new();
	log_init("many_taps", true, false);
	begin = parent_now();
	tw->tw_quick = true;
	for (i = 1; i <= TAPS; i++) {
		tapworld_join(tw, NWID(i));
		snprintf(ip, sizeof(ip), "10.%u.%u.1/24", 100 + i / 200,
		    i % 200);
		tapworld_port(&mp, NWID(i), ip);
		mp.mp_ips[1] = mp.mp_ips[0];
		mp.mp_ips[1].ia_ip[3] = 2;
		mp.mp_nips = 2;
		tapworld_send(tw, MSG_PORT, &mp, sizeof(mp));
	}
	tw->tw_quick = false;
	tapworld_run(tw, 300);
	parent_interfaces(&tw->tw_p, false, false);
	joined_groups(&tw->tw_p);
	tapworld_run(tw, 300);
	printf("%u taps in %lld ms\n", TAPS,
	    (long long)(parent_now() - begin));
	ATF_CHECK_MSG(parent_now() - begin < SECONDS * 1000, "%lld ms",
	    (long long)(parent_now() - begin));

	/* Each with two addresses at least, all of them ours. */
	ATF_CHECK_MSG(tw->tw_p.p_nifs >= 2 * TAPS, "%u", tw->tw_p.p_nifs);
	ATF_CHECK(tw->tw_p.p_nifs > INTERFACES_MAX);
	ATF_CHECK_EQ(tw->tw_p.p_nifs, tw->tw_nifs);
	ATF_CHECK_EQ(tw->tw_nifs, tw->tw_nvirtual);
	for (i = 1; i <= TAPS; i++) {
		tt = tapworld_tap(tw, NWID(i));
		ATF_CHECK_EQ(0, tt->tt_error);
		ATF_CHECK_MSG(has_group(tt, MAC_BROADCAST, 10U << 24 |
		    (100 + i / 200) << 16 | (i % 200) << 8 | 1),
		    "network %u", i);
		ATF_CHECK(has_group(tt, 0x333300000001ULL, 0));
	}
	for (i = 1; i <= TAPS; i += 2)
		tapworld_leave(tw, NWID(i));
	parent_interfaces(&tw->tw_p, false, false);
	tapworld_run(tw, 300);
	ATF_CHECK_MSG(tw->tw_nifs >= TAPS && tw->tw_nifs <= 3 * TAPS / 2, "%u",
	    tw->tw_nifs);
	tapworld_free(tw);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, taps);
	return (atf_no_error());
}
