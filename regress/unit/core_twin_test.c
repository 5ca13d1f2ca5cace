/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What others' packets betray: that another host has our identity, and by
 * how much our clock is off.
 */

#include <string.h>

#include "regress/lib/rig.h"

/* An answer to a question that was never asked. */
static void
answer_to(enum who from, uint8_t verb)
{
	uint8_t		 mem[64];
	struct wbuf	 wb;

	wbuf_init(&wb, mem, sizeof(mem));
	wbuf_u8(&wb, verb);
	wbuf_u64(&wb, UINT64_C(0x123456789abcdef0));
	wbuf_u64(&wb, 0);
	rig_give(from, VERB_OK, &wb);
}

static void
answer(enum who from)
{
	answer_to(from, VERB_NETWORK_CONFIG_REQUEST);
}

static uint64_t
unasked(void)
{
	struct node_status	 ns;

	node_status(rig.node, rig.now, &ns);
	return (ns.ns_unasked);
}

ATF_TC_WITHOUT_HEAD(twin);
ATF_TC_BODY(twin, tc)
{
	unsigned	 i;

	rig_start(tc);
	(void)rig_network();
	/* What a run before this one asked may still be answered. */
	for (i = 0; i < 5; i++) {
		answer(CONTROLLER);
		rig_pass(1000);
	}
	ATF_CHECK_EQ(unasked(), 0);
	rig_pass(10000);

	/* Anybody may send answers; those of the controller tell. */
	for (i = 0; i < 5; i++) {
		answer(MEMBER);
		answer(STRANGER);
		rig_pass(1000);
	}
	ATF_CHECK_EQ(unasked(), 0);
	/* What it says as a member of a network of ours: 03 section 7.1. */
	for (i = 0; i < 5; i++) {
		answer_to(CONTROLLER, VERB_ECHO);
		rig_pass(1000);
	}
	ATF_CHECK_EQ(unasked(), 0);
	ATF_CHECK(!twin_seen(rig.node, rig.now));
	answer(CONTROLLER);
	rig_pass(1000);
	answer(CONTROLLER);
	answer(CONTROLLER);		/* too soon to be looked at */
	rig_pass(1000);
	ATF_CHECK_EQ(unasked(), 2);
	ATF_CHECK(!twin_seen(rig.node, rig.now));
	answer(CONTROLLER);
	ATF_CHECK_EQ(unasked(), 3);
	ATF_CHECK(twin_seen(rig.node, rig.now));
	/* It goes away, and so does the sign. */
	rig_pass(590000);
	ATF_CHECK(twin_seen(rig.node, rig.now));
	rig_pass(15000);
	ATF_CHECK(!twin_seen(rig.node, rig.now));
	rig_end();
}

static void
look(const struct node_peer *np, void *arg)
{
	*(struct node_peer *)arg = *np;
}

/* A HELLO of MEMBER whose clock says this. */
static void
hello_at(uint64_t ts)
{
	uint8_t		 mem[512];
	struct wbuf	 wb;
	struct inet_addr from;
	unsigned	 i;

	wbuf_init(&wb, mem, sizeof(mem));
	rig_hello_put(MEMBER, &wb, NULL);
	/* Behind protocol and versions. */
	for (i = 0; i < 8; i++)
		mem[5 + i] = (uint8_t)(ts >> (56 - 8 * i));
	rig_where(MEMBER, &from);
	rig_hello_from(MEMBER, &from, &wb);
}

ATF_TC_WITHOUT_HEAD(clock);
ATF_TC_BODY(clock, tc)
{
	struct node_peer	 np;
	uint64_t		 addr;

	rig_start(tc);
	addr = rig.ids[MEMBER].id_addr;
	node_each_peer(rig.node, rig.now, addr, look, &np);
	ATF_CHECK_EQ(np.nr_clock_at, 0);
	hello_at((uint64_t)rig.now + 3600000);
	node_each_peer(rig.node, rig.now, addr, look, &np);
	ATF_CHECK_EQ(np.nr_clock_at, rig.now);
	ATF_CHECK_EQ(np.nr_clock, 3600000);
	rig_pass(2000);
	hello_at((uint64_t)rig.now - 60000);
	node_each_peer(rig.node, rig.now, addr, look, &np);
	ATF_CHECK_EQ(np.nr_clock, -60000);
	/* Times that are none say nothing. */
	rig_pass(2000);
	hello_at(UINT64_MAX);
	hello_at((uint64_t)INT64_MAX);
	node_each_peer(rig.node, rig.now, addr, look, &np);
	ATF_CHECK_EQ(np.nr_clock, -60000);
	/* Our own clock is put back by a minute. */
	rig.now -= 60000;
	(void)node_tick(rig.node, rig.now);
	hello_at((uint64_t)rig.now);
	node_each_peer(rig.node, rig.now, addr, look, &np);
	ATF_CHECK_EQ(np.nr_clock, 0);
	rig_end();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, twin);
	ATF_TP_ADD_TC(tp, clock);
	return (atf_no_error());
}
