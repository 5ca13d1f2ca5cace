/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The scenarios in their small form, and the simulator itself.
 */

#include <atf-c.h>

#include "regress/sim/scenario.h"

#define SEED	1

#define SCENARIO(id, name)						\
ATF_TC_WITHOUT_HEAD(id);						\
ATF_TC_BODY(id, tc)							\
{									\
	(void)tc;							\
	ATF_CHECK_MSG(scenario_play(scenario_find(name), SEED, true),	\
	    "see the output");						\
}

SCENARIO(nat_pairs, "nat-pairs")
SCENARIO(mixed, "mixed-1000")
SCENARIO(root_failure, "root-failure")
SCENARIO(partition, "partition")
SCENARIO(loss, "loss")
SCENARIO(hello_storm, "hello-storm")
SCENARIO(clock_jump, "clock-jump")
SCENARIO(roaming, "roaming")
SCENARIO(silent_path, "silent-path")
SCENARIO(mtu, "mtu")
SCENARIO(churn, "churn")
SCENARIO(flap, "flap")
SCENARIO(idle, "idle")
SCENARIO(replay, "replay")
SCENARIO(broadcast, "broadcast")
SCENARIO(arp, "arp")
SCENARIO(deauthorize, "deauthorize")
SCENARIO(join_storm, "join-storm")
SCENARIO(credentials, "credentials")

/* Everything that happened in half a minute with loss, as one number. */
static uint64_t
digest(uint64_t seed)
{
	struct pair	 p;
	struct link	*lk;
	uint64_t	 hash;

	pair_new(&p, seed, SIDE_RANDOM, SIDE_RESTRICTED, 50, 200);
	lk = net_link(net_outermost(p.p_a->h_ifaces[0].if_at));
	lk->lk_loss = lk->lk_duplicate = lk->lk_reorder = 100;
	lk->lk_jitter = 10;
	pair_start(&p);
	sim_run(p.p_sim, 30000);
	hash = net_counters(sim_net(p.p_sim))->nc_hash;
	pair_end(&p);
	return (hash);
}

ATF_TC_WITHOUT_HEAD(deterministic);
ATF_TC_BODY(deterministic, tc)
{
	uint64_t	 first = digest(7);

	(void)tc;
	ATF_CHECK_EQ(digest(7), first);
	ATF_CHECK(digest(8) != first);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, deterministic);
	ATF_TP_ADD_TC(tp, nat_pairs);
	ATF_TP_ADD_TC(tp, mixed);
	ATF_TP_ADD_TC(tp, root_failure);
	ATF_TP_ADD_TC(tp, partition);
	ATF_TP_ADD_TC(tp, loss);
	ATF_TP_ADD_TC(tp, hello_storm);
	ATF_TP_ADD_TC(tp, clock_jump);
	ATF_TP_ADD_TC(tp, roaming);
	ATF_TP_ADD_TC(tp, silent_path);
	ATF_TP_ADD_TC(tp, mtu);
	ATF_TP_ADD_TC(tp, churn);
	ATF_TP_ADD_TC(tp, flap);
	ATF_TP_ADD_TC(tp, idle);
	ATF_TP_ADD_TC(tp, replay);
	ATF_TP_ADD_TC(tp, broadcast);
	ATF_TP_ADD_TC(tp, arp);
	ATF_TP_ADD_TC(tp, deauthorize);
	ATF_TP_ADD_TC(tp, join_storm);
	ATF_TP_ADD_TC(tp, credentials);
	return (atf_no_error());
}
