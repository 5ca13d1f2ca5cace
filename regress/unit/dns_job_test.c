/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Programs that change a resolver: how they are run, what is kept of them,
 * and that they end.
 */

#include <sys/types.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <atf-c.h>
#include <event2/event.h>

#include "common/log.h"
#include "ztd-tap/dns_job.h"

static struct event_base	*base;
static struct event		*died;
static struct dns_job		*job;
static int			 result, ended;
static char			 line[LOG_LINE];
static unsigned			 lines;

static void
take(int level, const char *text, void *arg)
{
	(void)level;
	(void)arg;
	if (lines++ == 0)
		strlcpy(line, text, sizeof(line));
}

static void
done(void *arg, int status)
{
	ATF_CHECK(arg == &result);
	result = status;
	ended++;
	job = NULL;
	event_base_loopbreak(base);
}

static void
child_died(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	(void)arg;
	if (job != NULL)
		dns_job_reap(job);
}

static void
begin(const char *script, const char *input, int ms)
{
	const char	*argv[] = { "sh", "-c", script, NULL };

	log_set_sink(take, NULL);
	ended = 0;
	lines = 0;
	line[0] = '\0';
	if (base == NULL) {
		ATF_REQUIRE((base = event_base_new()) != NULL);
		died = evsignal_new(base, SIGCHLD, child_died, NULL);
		ATF_REQUIRE(died != NULL && event_add(died, NULL) == 0);
	}
	job = dns_job_start(base, "tool", "/bin/sh", argv, input,
	    strlen(input), ms, done, &result);
	ATF_REQUIRE(job != NULL);
}

static void
run(const char *script, const char *input, int ms)
{
	begin(script, input, ms);
	event_base_dispatch(base);
	ATF_CHECK_EQ(1, ended);
}

ATF_TC_WITHOUT_HEAD(status);
ATF_TC_BODY(status, tc)
{
	(void)tc;
	run("exit 0", "", 5000);
	ATF_CHECK_EQ(0, result);
	ATF_CHECK_EQ(0, lines);
	run("exit 3", "", 5000);
	ATF_CHECK_EQ(3, result);
	run("kill -9 $$", "", 5000);
	ATF_CHECK_EQ(-1, result);
}

ATF_TC_WITHOUT_HEAD(input_and_lines);
ATF_TC_BODY(input_and_lines, tc)
{
	char	 much[DNS_JOB_INPUT + 2];

	(void)tc;
	run("cat; echo two >&2", "search a.b\nnameserver c\n", 5000);
	ATF_CHECK_STREQ("tool said: search a.b", line);
	ATF_CHECK_EQ(1, lines);
	/* More than a pipe holds does not stop it. */
	run("yes 0123456789 | head -n 100000; exit 4", "", 20000);
	ATF_CHECK_EQ(4, result);
	ATF_CHECK_STREQ("tool said: 0123456789", line);
	memset(much, 'x', sizeof(much));
	much[sizeof(much) - 1] = '\0';
	ATF_CHECK(dns_job_start(base, "tool", "/bin/sh", NULL, much,
	    strlen(much), 5000, done, &result) == NULL);
	ATF_CHECK_EQ(E2BIG, errno);
}

/* Nothing of ours is in its hands, and it is no shell's word. */
ATF_TC_WITHOUT_HEAD(surroundings);
ATF_TC_BODY(surroundings, tc)
{
	(void)tc;
	(void)signal(SIGHUP, SIG_IGN);
	setenv("LD_PRELOAD_", "x", 1);
	run("[ \"$(pwd)\" = / ] || echo folder $(pwd);"
	    "[ -z \"${LD_PRELOAD_:-}\" ] || echo environment;"
	    "for f in /proc/$$/fd/*; do case $f in */[0-2]|*/10) ;; "
	    "*) [ ! -e $f ] || echo descriptor $f ;; esac; done;"
	    "kill -HUP $$; echo signal", "", 5000);
	ATF_CHECK_STREQ("", line);
	ATF_CHECK_EQ(-1, result);
}

ATF_TC_WITHOUT_HEAD(too_long);
ATF_TC_BODY(too_long, tc)
{
	struct timespec	 ts = { 0, 10000000 };
	long		 pid;
	int		 i;

	(void)tc;
	/* What it started dies with it. */
	run("sleep 60 & echo $!; sleep 60", "", 500);
	ATF_CHECK_EQ(-1, result);
	ATF_CHECK_EQ(2, lines);
	ATF_REQUIRE_EQ(1, sscanf(line, "tool said: %ld", &pid));
	for (i = 0; i < 300 && kill((pid_t)pid, 0) == 0; i++)
		nanosleep(&ts, NULL);
	ATF_CHECK(i < 300);
}

ATF_TC_WITHOUT_HEAD(waited_for);
ATF_TC_BODY(waited_for, tc)
{
	(void)tc;
	begin("sleep 0.2; exit 5", "", 20000);
	dns_job_wait(job, 5000);
	ATF_CHECK_EQ(1, ended);
	ATF_CHECK_EQ(5, result);
	begin("sleep 60", "", 20000);
	dns_job_wait(job, 100);
	ATF_CHECK_EQ(1, ended);
	ATF_CHECK_EQ(-1, result);
	begin("exit 6", "", 20000);
	dns_job_wait(job, 0);
	ATF_CHECK_EQ(1, ended);
}

ATF_TC_WITHOUT_HEAD(no_program);
ATF_TC_BODY(no_program, tc)
{
	const char	*argv[] = { "none", NULL };

	(void)tc;
	begin("exit 0", "", 5000);
	event_base_dispatch(base);
	ended = 0;
	job = dns_job_start(base, "none", "/nonexistent", argv, "", 0, 5000,
	    done, &result);
	ATF_REQUIRE(job != NULL);
	event_base_dispatch(base);
	ATF_CHECK_EQ(1, ended);
	ATF_CHECK_EQ(127, result);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, status);
	ATF_TP_ADD_TC(tp, input_and_lines);
	ATF_TP_ADD_TC(tp, surroundings);
	ATF_TP_ADD_TC(tp, too_long);
	ATF_TP_ADD_TC(tp, waited_for);
	ATF_TP_ADD_TC(tp, no_program);
	return (atf_no_error());
}
