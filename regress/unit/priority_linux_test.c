/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Who lets the engine before others, and when: the real parent with a stub of
 * an engine, and the real engine's part with a stub of a parent.  What the
 * kernel does with it: realtime_linux_test.c.  Spec: 06 section 12.
 */

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <atf-c.h>
#include <event2/event.h>

#include "privsep/realtime.h"
#include "regress/lib/chanpair.h"
#include "regress/lib/rootcase.h"
#include "regress/lib/tapworld.h"
#include "ztd-net/engine.h"
#include "ztd-tap/dispatch.h"
#include "ztd-tap/supervise.h"

static unsigned		 ngiven, ntaken, nended, nasked;
static pid_t		 given, taken;
static int		 refusal;	/* errno, 0: none */
static bool		 is_lost;

/* In place of realtime_linux.c's. */
int
realtime_give(pid_t pid)
{
	ngiven++;
	given = pid;
	errno = refusal;
	return (refusal == 0 ? 0 : -1);
}

void
realtime_take(pid_t pid)
{
	ntaken++;
	taken = pid;
}

int
realtime_guard(void)
{
	is_lost = false;
	return (0);
}

void
realtime_end(void)
{
	nended++;
}

bool
realtime_lost(void)
{
	return (is_lost);
}

/* ---- the parent ------------------------------------------------------ */

CASE(rate, "it is given to the engine, at most once a second")
{
	struct tapworld	*tw = tapworld_new();
	unsigned	 i;

	(void)tc;
	for (i = 0; i < 10; i++)
		tapworld_send(tw, MSG_REALTIME, NULL, 0);
	ATF_CHECK_EQ(1, ngiven);
	ATF_CHECK_EQ(tw->tw_engine, given);
	tapworld_run(tw, 1000);
	tapworld_send(tw, MSG_REALTIME, NULL, 0);
	ATF_CHECK_EQ(2, ngiven);
	ATF_CHECK_EQ(0, ntaken);
	tapworld_free(tw);
}

CASE(refused, "an engine hears that it cannot be had")
{
	struct tapworld	*tw = tapworld_new();
	unsigned	 before = tw->tw_settings;

	(void)tc;
	ATF_CHECK_EQ(1, tw->tw_told.s_realtime);
	refusal = EPERM;
	tapworld_send(tw, MSG_REALTIME, NULL, 0);
	ATF_CHECK_EQ(1, ngiven);
	ATF_CHECK_EQ(before + 1, tw->tw_settings);
	ATF_CHECK_EQ(0, tw->tw_told.s_realtime);
	ATF_CHECK_EQ(1, tapworld_logged(tw, "packets wait their turn"));
	tapworld_run(tw, 1000);
	tapworld_send(tw, MSG_REALTIME, NULL, 0);
	ATF_CHECK_EQ(1, ngiven);
	ATF_CHECK_EQ(1, tapworld_logged(tw, "packets wait their turn"));
	/* What the operator says is as he said it, and tried again. */
	ATF_CHECK_EQ(1, tw->tw_p.p_settings.s_realtime);
	refusal = 0;
	dispatch_settings(&tw->tw_p);
	tapworld_run(tw, 20);
	ATF_CHECK_EQ(1, tw->tw_told.s_realtime);
	tapworld_send(tw, MSG_REALTIME, NULL, 0);
	ATF_CHECK_EQ(2, ngiven);
	tapworld_free(tw);
}

CASE(dead, "what an engine said before it died is not of its number")
{
	struct tapworld	*tw = tapworld_new();
	unsigned	 i;

	(void)tc;
	ATF_REQUIRE_EQ(0, kill(tw->tw_engine, SIGKILL));
	for (i = 0; i < 1000 && tw->tw_p.p_child[PROC_NET].c_pid != -1; i++) {
		(void)usleep(1000);
		supervise_reap(&tw->tw_p);
	}
	ATF_REQUIRE_EQ(-1, tw->tw_p.p_child[PROC_NET].c_pid);
	ATF_REQUIRE(tw->tw_p.p_child[PROC_NET].c_state == CHILD_RUNNING);
	tw->tw_engine = -1;
	tapworld_send(tw, MSG_REALTIME, NULL, 0);
	ATF_CHECK_EQ(0, ngiven);
	ATF_CHECK_EQ(0, tapworld_logged(tw, "packets wait their turn"));
	tapworld_free(tw);
}

CASE(off, "the operator can take it from an engine that does not listen")
{
	struct tapworld	*tw = tapworld_new();
	struct settings	*s = &tw->tw_p.p_settings;

	(void)tc;
	dispatch_settings(&tw->tw_p);
	ATF_CHECK_EQ(0, ntaken);
	tapworld_send(tw, MSG_REALTIME, NULL, 0);
	ATF_CHECK_EQ(1, ngiven);
	s->s_offload = 0;
	dispatch_settings(&tw->tw_p);
	ATF_CHECK_EQ(1, ntaken);
	ATF_CHECK_EQ(tw->tw_engine, taken);
	s->s_offload = 1;
	s->s_realtime = 0;
	dispatch_settings(&tw->tw_p);
	ATF_CHECK_EQ(2, ntaken);
	tapworld_run(tw, 1000);
	tapworld_send(tw, MSG_REALTIME, NULL, 0);
	s->s_offload = 0;
	s->s_realtime = 1;
	dispatch_settings(&tw->tw_p);
	tapworld_send(tw, MSG_REALTIME, NULL, 0);
	ATF_CHECK_EQ(1, ngiven);
	tapworld_free(tw);
}

/* ---- the engine ------------------------------------------------------ */

static struct engine	 e;

/* Instead of main.c's. */
int64_t
engine_now(void)
{
	return (parent_now() + 1000000);
}

void
engine_flush(struct engine *en)
{
	urgent_check(en);
}

static void
asked(struct channel *ch, struct msg *m, void *arg)
{
	(void)ch;
	(void)arg;
	nasked += m->m_type == MSG_REALTIME;
}

static void
engine_set_up(void)
{
	struct channel	*parent;

	ATF_REQUIRE((e.e_base = event_base_new()) != NULL);
	e.e_parent = chanpair_new(e.e_base, asked, asked, &parent);
	settings_init(&e.e_settings);
	urgent_bulk(&e, true);
}

static void
run(unsigned ms)
{
	struct timeval	 tv = { ms / 1000, (int)(ms % 1000) * 1000 };

	event_base_loopexit(e.e_base, &tv);
	(void)event_base_dispatch(e.e_base);
}

/*
 * Until the parent was asked so often: what a busy machine makes of a second
 * is not what is tested.
 */
static void
run_until_asked(unsigned n)
{
	unsigned	 i;

	for (i = 0; i < 200 && nasked < n; i++)
		run(50);
	ATF_CHECK_EQ(n, nasked);
}

static void
pieces(size_t size)
{
	struct gather	 g = { 0, false };

	urgent_gathered(&e, &g, 64 * size, 64);
}

/* It is ours only when the parent has read the question. */
ATF_TC_WITHOUT_HEAD(not_ended_before_given);
ATF_TC_BODY(not_ended_before_given, tc)
{
	(void)tc;
	engine_set_up();
	pieces(8192);
	ATF_CHECK(e.e_urgent);
	pieces(100);
	ATF_CHECK_EQ(0, nended);
	run(50);
	ATF_CHECK_EQ(1, nasked);
	ATF_CHECK_EQ(0, nended);
	run(1200);
	ATF_CHECK_EQ(1, nended);
	ATF_CHECK(!e.e_urgent);
	/* Later it ends at once. */
	pieces(8192);
	run_until_asked(2);
	run(1200);
	ATF_CHECK(e.e_urgent);
	pieces(100);
	ATF_CHECK_EQ(2, nended);
	ATF_CHECK(!e.e_urgent);
}

/* By turns large and small: once a second, not each time. */
ATF_TC_WITHOUT_HEAD(by_turns);
ATF_TC_BODY(by_turns, tc)
{
	int64_t		 begin, seconds;
	unsigned	 i;

	(void)tc;
	engine_set_up();
	begin = engine_now();
	for (i = 0; i < 200; i++) {
		pieces(i % 2 == 0 ? 8192 : 100);
		run(10);
	}
	seconds = (engine_now() - begin) / 1000;
	ATF_CHECK_MSG(nasked >= 1 && nasked <= seconds + 1, "%u", nasked);
	ATF_CHECK_MSG(nended <= seconds + 1, "%u", nended);
	ATF_CHECK(nasked < 100);
}

/* What the kernel undid comes back, later. */
ATF_TC_WITHOUT_HEAD(undone);
ATF_TC_BODY(undone, tc)
{
	(void)tc;
	engine_set_up();
	pieces(8192);
	is_lost = true;
	engine_flush(&e);
	ATF_CHECK(!e.e_urgent);
	run(100);
	ATF_CHECK_EQ(1, nasked);
	run_until_asked(2);
	ATF_CHECK(e.e_urgent);
	ATF_CHECK_EQ(0, nended);
	/* The parent says that it cannot be had. */
	run(1200);
	e.e_settings.s_realtime = 0;
	urgent_settings(&e);
	ATF_CHECK(!e.e_urgent);
	pieces(8192);
	run(1200);
	ATF_CHECK_EQ(2, nasked);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, rate);
	ATF_TP_ADD_TC(tp, refused);
	ATF_TP_ADD_TC(tp, dead);
	ATF_TP_ADD_TC(tp, off);
	ATF_TP_ADD_TC(tp, not_ended_before_given);
	ATF_TP_ADD_TC(tp, by_turns);
	ATF_TP_ADD_TC(tp, undone);
	return (atf_no_error());
}
