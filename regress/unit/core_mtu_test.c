/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * How large a datagram a path carries is found out, and not from what a
 * flood lets through.
 */

#include "regress/lib/rig.h"
#include "ztd-net/core/core.h"

#define TICK	50		/* ms */
#define LONG	60000		/* ms; it has ended by then */
#define WIDE	10000		/* bytes: no limit */

static struct peer	*peer;
static struct path	*path;
static size_t		 widest;	/* that the path takes */
static bool		 flooded;	/* six of ten are lost, of any size */
static unsigned		 seed;
static unsigned		 most;	/* that a packet was cut to */

static bool
passes(size_t len)
{
	if (flooded) {
		seed = seed * 1664525 + 1013904223;
		if ((seed >> 16) % 10 < 6)
			return (false);
	}
	return (len <= widest);
}

/* As if nothing were known of it. */
static void
again(size_t bytes)
{
	widest = bytes;
	path->pa_mtu = 0;
	path->pa_mtu_size = 0;
	path->pa_mtu_done = 0;
}

static void
start(const atf_tc_t *tc, size_t bytes)
{
	struct inet_addr	 ia;

	rig_start(tc);
	peer = peer_find(rig.node, rig.ids[MEMBER].id_addr);
	rig_where(MEMBER, &ia);
	path = rig_direct(peer, &ia, rig.now);
	path->pa_latency = 1;
	again(bytes);
}

/* Until it is known, other packets coming in all the time; how long, in ms. */
static int64_t
measure(void)
{
	int64_t	 begin = rig.now;
	bool	 more = true;

	rig.datagrams = 0;
	rig.largest = 0;
	mtu_need(rig.node, rig.now, peer, path, 5000);
	while (more && rig.now - begin < LONG) {
		if (rig.largest != 0 && passes(rig.largest))
			mtu_answered(rig.node, rig.now, path, rig.largest);
		rig.largest = 0;
		rig.now += TICK;
		path->pa_last_in = rig.now;
		more = mtu_run(rig.node, rig.now, peer, path);
		if (path->pa_mtu > most)
			most = path->pa_mtu;
	}
	ATF_CHECK(!more);
	return (rig.now - begin);
}

/* Nothing limits it: one question. */
ATF_TC_WITHOUT_HEAD(wide);
ATF_TC_BODY(wide, tc)
{
	start(tc, WIDE);
	(void)measure();
	ATF_CHECK_EQ(path->pa_mtu, 0);
	ATF_CHECK_EQ(rig.datagrams, 1);
	rig_end();
}

ATF_TC_WITHOUT_HEAD(narrow);
ATF_TC_BODY(narrow, tc)
{
	int64_t	 ms;

	start(tc, 1300);
	ms = measure();
	ATF_CHECK_EQ(path->pa_mtu, 1232);
	ATF_CHECK_MSG(ms <= 5000, "%lld ms", (long long)ms);
	rig_end();

	start(tc, 1380);
	ms = measure();
	ATF_CHECK_EQ(path->pa_mtu, 1363);
	ATF_CHECK_MSG(ms <= 4000, "%lld ms", (long long)ms);
	rig_end();

	start(tc, 600);
	ms = measure();
	ATF_CHECK_EQ(path->pa_mtu, 548);
	ATF_CHECK_MSG(ms <= 5000, "%lld ms", (long long)ms);
	rig_end();
}

/* A packet of which there would be too many pieces is cut as always. */
ATF_TC_WITHOUT_HEAD(pieces);
ATF_TC_BODY(pieces, tc)
{
	struct inet_addr	 ia;

	start(tc, 1300);
	(void)measure();
	ATF_REQUIRE_EQ(path->pa_mtu, 1232);
	rig_where(MEMBER, &ia);
	ATF_CHECK_EQ(packet_mtu(rig.node, path, &ia, 2850), 1232);
	ATF_CHECK_EQ(packet_mtu(rig.node, path, &ia, 8528), 1232);
	ATF_CHECK_EQ(packet_mtu(rig.node, path, &ia, 8529), PAYLOAD_MTU);
	ATF_CHECK_EQ(packet_mtu(rig.node, NULL, &ia, 9000), PAYLOAD_MTU);
	rig_end();
}

/* After the way may have changed nothing is taken for known. */
ATF_TC_WITHOUT_HEAD(doubted);
ATF_TC_BODY(doubted, tc)
{
	start(tc, WIDE);
	(void)measure();
	(void)measure();
	ATF_CHECK_EQ(rig.datagrams, 0);
	widest = 1300;
	paths_reset(rig.node, rig.now, inet_scope(&path->pa_addr),
	    path->pa_addr.ia_family);
	(void)measure();
	ATF_CHECK_EQ(path->pa_mtu, 1232);
	rig_end();
}

/* Nothing large was answered, nor were the small ones: that says little. */
ATF_TC_WITHOUT_HEAD(undecided);
ATF_TC_BODY(undecided, tc)
{
	start(tc, 30);
	(void)measure();
	ATF_CHECK_EQ(path->pa_mtu, 0);
	widest = 1300;
	rig.now += 61000;
	(void)measure();
	ATF_CHECK_EQ(path->pa_mtu, 1232);
	rig_end();
}

/* A peer that claims to be a minute away is not waited for so long. */
ATF_TC_WITHOUT_HEAD(far);
ATF_TC_BODY(far, tc)
{
	start(tc, 1300);
	path->pa_latency = 60000;
	(void)measure();
	ATF_CHECK_EQ(path->pa_mtu, 1232);
	rig_end();
}

/* What is lost in a flood is not too large; a narrow path is found in one. */
ATF_TC_WITHOUT_HEAD(flood);
ATF_TC_BODY(flood, tc)
{
	unsigned	 i, wrong = 0, found = 0;

	start(tc, WIDE);
	flooded = true;
	for (i = 0; i < 500; i++) {
		again(WIDE);
		seed = i * 7919;
		(void)measure();
		wrong += path->pa_mtu != 0;
		again(1300);
		seed = i * 7919;
		(void)measure();
		found += path->pa_mtu == 1232;
	}
	rig_end();
	ATF_CHECK_MSG(wrong <= 15, "%u of 500 are wrong", wrong);
	ATF_CHECK_MSG(found >= 300, "%u of 500 are found", found);
}

/* A mistake does not last, and what is narrow stays so all the time. */
ATF_TC_WITHOUT_HEAD(anew);
ATF_TC_BODY(anew, tc)
{
	start(tc, 1300);
	(void)measure();
	ATF_CHECK_EQ(path->pa_mtu, 1232);
	widest = WIDE;
	rig.now += 50000;
	(void)measure();
	ATF_CHECK_EQ(path->pa_mtu, 1232);
	rig.now += 20000;
	(void)measure();
	ATF_CHECK_EQ(path->pa_mtu, 0);
	/* What was wide is asked seldom. */
	widest = 600;
	rig.now += 500000;
	(void)measure();
	ATF_CHECK_EQ(path->pa_mtu, 0);
	rig.now += 100000;
	(void)measure();
	ATF_CHECK_EQ(path->pa_mtu, 548);
	rig.now += 70000;
	most = 0;
	(void)measure();
	ATF_CHECK_EQ(path->pa_mtu, 548);
	ATF_CHECK_EQ(most, 548);
	rig_end();
}

/* Where nothing passes there is nothing to be learnt. */
ATF_TC_WITHOUT_HEAD(silent);
ATF_TC_BODY(silent, tc)
{
	start(tc, 0);
	(void)measure();
	ATF_CHECK_EQ(path->pa_mtu, 0);
	rig_end();

	start(tc, 0);
	path->pa_suspect = false;
	mtu_need(rig.node, rig.now, peer, path, 5000);
	path->pa_suspect = true;
	while (mtu_run(rig.node, rig.now, peer, path))
		rig.now += TICK;
	ATF_CHECK(rig.now - START <= 1000);
	ATF_CHECK_EQ(path->pa_mtu, 0);
	/* It is asked again when it is used. */
	ATF_CHECK_EQ(path->pa_mtu_done, 0);
	rig_end();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, wide);
	ATF_TP_ADD_TC(tp, narrow);
	ATF_TP_ADD_TC(tp, pieces);
	ATF_TP_ADD_TC(tp, doubted);
	ATF_TP_ADD_TC(tp, undecided);
	ATF_TP_ADD_TC(tp, far);
	ATF_TP_ADD_TC(tp, flood);
	ATF_TP_ADD_TC(tp, anew);
	ATF_TP_ADD_TC(tp, silent);
	return (atf_no_error());
}
