/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Going before others, and that it ends by itself.  Spec: 06 section 12.
 */

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include <atf-c.h>

#include "privsep/realtime.h"

#define NOBODY	65534
#define LONG	5000	/* ms that are enough for everything */

static int64_t
now_ms(void)
{
	struct timespec	 ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

static void
nap(void)
{
	const struct timespec	 ts = { 0, 1000000 };

	(void)nanosleep(&ts, NULL);
}

static int
policy(pid_t pid)
{
	return (sched_getscheduler(pid) & ~SCHED_RESET_ON_FORK);
}

/* It works for so long, with naps between or without; is it as at first? */
static int
work(int64_t ms, bool naps)
{
	int64_t	 end = now_ms() + ms;

	while (now_ms() < end && !realtime_lost()) {
		if (naps)
			nap();
	}
	return (realtime_lost() ? 1 : 0);
}

/* A child that was let before others; what work() says.  Never returns there
 * to ATF. */
static int
child_works(int64_t ms, bool naps)
{
	int	 ready[2], go[2], status;
	char	 c = 0;
	pid_t	 pid;

	ATF_REQUIRE(pipe(ready) == 0 && pipe(go) == 0);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		/* As the engine, which has no rights. */
		if (geteuid() == 0 && setuid(NOBODY) == -1)
			_exit(7);
		if (realtime_guard() == -1 || write(ready[1], &c, 1) != 1 ||
		    read(go[0], &c, 1) != 1 || policy(0) != SCHED_RR)
			_exit(9);
		status = work(ms, naps);
		if (policy(0) != (status == 0 ? SCHED_RR : SCHED_OTHER))
			_exit(8);
		_exit(status);
	}
	ATF_REQUIRE(read(ready[0], &c, 1) == 1);
	if (realtime_give(pid) == -1) {
		ATF_REQUIRE_EQ(errno, EPERM);
		close(go[1]);
		close(go[0]);
		(void)waitpid(pid, &status, 0);
		atf_tc_skip("needs CAP_SYS_NICE");
	}
	ATF_REQUIRE(write(go[1], &c, 1) == 1);
	ATF_REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	ATF_REQUIRE(WIFEXITED(status));
	return (WEXITSTATUS(status));
}

ATF_TC_WITHOUT_HEAD(sleeps);
ATF_TC_BODY(sleeps, tc)
{
	(void)tc;
	ATF_CHECK_EQ(child_works(1000, true), 0);
}

ATF_TC_WITHOUT_HEAD(does_not_sleep);
ATF_TC_BODY(does_not_sleep, tc)
{
	(void)tc;
	ATF_CHECK_EQ(child_works(LONG, false), 1);
}

static void *
thread_policy(void *arg)
{
	*(int *)arg = policy(0);
	return (NULL);
}

/* It may be given and end again and again; no thread has it. */
ATF_TC_WITHOUT_HEAD(again);
ATF_TC_BODY(again, tc)
{
	pthread_t	 thread;
	int		 i, other = -1;

	(void)tc;
	for (i = 0; i < 3; i++) {
		ATF_REQUIRE_EQ(realtime_guard(), 0);
		ATF_REQUIRE(!realtime_lost());
		if (realtime_give(0) == -1 && errno == EPERM)
			atf_tc_skip("needs CAP_SYS_NICE");
		ATF_CHECK_EQ(policy(0), SCHED_RR);
		ATF_REQUIRE_EQ(pthread_create(&thread, NULL, thread_policy,
		    &other), 0);
		ATF_REQUIRE_EQ(pthread_join(thread, NULL), 0);
		ATF_CHECK_EQ(other, SCHED_OTHER);
		ATF_CHECK_EQ(work(LONG, false), 1);
		ATF_CHECK_EQ(policy(0), SCHED_OTHER);
	}
	ATF_REQUIRE_EQ(realtime_guard(), 0);
	ATF_REQUIRE_EQ(realtime_give(0), 0);
	realtime_end();
	ATF_CHECK_EQ(policy(0), SCHED_OTHER);
	ATF_CHECK(!realtime_lost());
}

#define ROUNDS	10

/*
 * One that is busy for long is let before others again and again, each time
 * for as long as at first, and does not come to the hard limit.
 */
ATF_TC_WITHOUT_HEAD(busy_for_long);
ATF_TC_BODY(busy_for_long, tc)
{
	struct rlimit	 rl = { 400000, 400000 };	/* us */
	int64_t		 began;
	pid_t		 pid;
	int		 i, status;

	(void)tc;
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		if (setrlimit(RLIMIT_RTTIME, &rl) == -1)
			_exit(9);
		for (i = 0; i < ROUNDS; i++) {
			if (realtime_guard() == -1)
				_exit(9);
			began = now_ms();
			if (realtime_give(0) == -1)
				_exit(errno == EPERM ? 7 : 9);
			if (work(LONG, false) != 1)
				_exit(8);
			if (now_ms() - began < 50)
				_exit(i + 10);
		}
		_exit(0);
	}
	ATF_REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	ATF_REQUIRE_MSG(WIFEXITED(status), "signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) == 7)
		atf_tc_skip("needs CAP_SYS_NICE");
	ATF_CHECK_EQ(WEXITSTATUS(status), 0);
}

/* It does not have to agree. */
ATF_TC_WITHOUT_HEAD(taken);
ATF_TC_BODY(taken, tc)
{
	pid_t	 pid;
	int	 error = 0, with = -1, without = -1;

	(void)tc;
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		for (;;)
			(void)pause();
	}
	if (realtime_give(pid) == -1)
		error = errno;
	with = policy(pid);
	realtime_take(pid);
	without = policy(pid);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	if (error == EPERM)
		atf_tc_skip("needs CAP_SYS_NICE");
	ATF_CHECK_EQ(error, 0);
	ATF_CHECK_EQ(with, SCHED_RR);
	ATF_CHECK_EQ(without, SCHED_OTHER);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, sleeps);
	ATF_TP_ADD_TC(tp, does_not_sleep);
	ATF_TP_ADD_TC(tp, again);
	ATF_TP_ADD_TC(tp, busy_for_long);
	ATF_TP_ADD_TC(tp, taken);
	return (atf_no_error());
}
