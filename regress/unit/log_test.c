/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Log lines: what they look like, where they go, what they do to errno.
 */

#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <atf-c.h>

#include "common/log.h"
#include "common/settings.h"

static char	output[65536];
static int	sink_level;
static char	sink_line[LOG_LINE + 16];
static unsigned	sink_lines;

/* Run in a process of its own; returns its exit status, output filled. */
static int
capture(void (*body)(void))
{
	size_t	len = 0;
	ssize_t	n;
	pid_t	pid;
	int	fds[2], status;

	ATF_REQUIRE(pipe(fds) == 0);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		body();
		_exit(0);
	}
	close(fds[1]);
	while ((n = read(fds[0], output + len,
	    sizeof(output) - 1 - len)) > 0)
		len += (size_t)n;
	close(fds[0]);
	output[len] = '\0';
	ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
	return (WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void
take(int level, const char *line, void *arg)
{
	sink_level = level;
	strlcpy(sink_line, line, sizeof(sink_line));
	sink_lines++;
	ATF_CHECK(arg == sink_line);
}

static void
body_lines(void)
{
	log_info("before %s", "init");
	log_init("prog", true, false);
	errno = ENOENT;
	log_warn("open %d", 7);
	if (errno != ENOENT)
		_exit(9);
	log_warnx("plain");
	log_info("info");
	log_debug("hidden");
	log_line(LOG_NOTICE, "child: as it is");
	log_line(LOG_DEBUG, "child: hidden too");
	if (errno != ENOENT)
		_exit(9);
}

ATF_TC_WITHOUT_HEAD(lines);
ATF_TC_BODY(lines, tc)
{
	ATF_CHECK_EQ(0, capture(body_lines));
	ATF_CHECK_STREQ("ztd: before init\n"
	    "prog: open 7: No such file or directory\n"
	    "prog: plain\nprog: info\nchild: as it is\n", output);
}

static void
body_verbose(void)
{
	int	i;

	log_init("p", true, true);
	if (!log_verbose())
		_exit(9);
	for (i = 0; i < 12; i++)
		log_debug("%d", i);
	log_line(LOG_DEBUG, "c: d");
}

ATF_TC_WITHOUT_HEAD(verbose);
ATF_TC_BODY(verbose, tc)
{
	ATF_CHECK_EQ(0, capture(body_verbose));
	ATF_CHECK_STREQ("p: 0\np: 1\np: 2\np: 3\np: 4\np: 5\np: 6\np: 7\n"
	    "p: 8\np: 9\np: 10\np: 11\nc: d\n", output);
}

static void
body_hostile(void)
{
	char	big[4 * LOG_LINE];

	log_init("p", true, false);
	log_warnx("a\nztd: forged\r\033[2J\xff\x7f.");
	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	log_warnx("%s", big);
	memset(big, '\n', sizeof(big) - 1);
	log_line(LOG_ERR, big);
}

ATF_TC_WITHOUT_HEAD(hostile);
ATF_TC_BODY(hostile, tc)
{
	const char	*first = "p: a\\012ztd: forged\\015\\033[2J"
			    "\\377\\177.\n";
	char		*line, *rest = output;
	int		 n = 0;

	ATF_CHECK_EQ(0, capture(body_hostile));
	ATF_CHECK(strncmp(output, first, strlen(first)) == 0);
	/* Three lines, none longer than a line may be. */
	while ((line = strsep(&rest, "\n")) != NULL && rest != NULL) {
		ATF_CHECK(strlen(line) < LOG_LINE + 3);
		n++;
	}
	ATF_CHECK_EQ(3, n);
}

ATF_TC_WITHOUT_HEAD(sink);
ATF_TC_BODY(sink, tc)
{
	log_init("p", true, false);
	log_set_sink(take, sink_line);
	errno = EPERM;
	log_warn("%s", "w");
	ATF_CHECK_EQ(LOG_WARNING, sink_level);
	ATF_CHECK_STREQ("w: Operation not permitted", sink_line);
	log_info("i");
	ATF_CHECK_EQ(LOG_INFO, sink_level);
	ATF_CHECK_STREQ("i", sink_line);
	log_debug("d");
	ATF_CHECK_EQ(2, sink_lines);
}

static void
flood(int n)
{
	while (n-- > 0)
		log_warnx("flood %d", n);
}

ATF_TC_WITHOUT_HEAD(limit);
ATF_TC_BODY(limit, tc)
{
	int	 i;

	log_init("p", true, false);
	log_set_sink(take, sink_line);
	flood(1000);
	ATF_CHECK_EQ_MSG(10, sink_lines, "%u", sink_lines);
	/* Another site is not held back by the first. */
	log_warnx("another");
	ATF_CHECK_STREQ("another", sink_line);
	/* Finished lines are held back by their kind. */
	for (i = 0; i < 100; i++) {
		log_kind(LOG_NOTICE, "kind %d", "kind");
		log_kind(LOG_WARNING, i % 2 == 0 ? "odd" : "even", "other");
		log_kind(LOG_DEBUG, "debug", "debug");
	}
	ATF_CHECK_EQ_MSG(41, sink_lines, "%u", sink_lines);
	ATF_CHECK_EQ(LOG_WARNING, sink_level);
	log_init("p", true, true);
	flood(100);
	ATF_CHECK_EQ_MSG(141, sink_lines, "%u", sink_lines);
}

/* Sites that take turns are held back each, wherever their texts lie. */
ATF_TC_WITHOUT_HEAD(turns);
ATF_TC_BODY(turns, tc)
{
	static _Alignas(8) char	 text[8192];
	unsigned		 i, k;

	log_init("p", true, false);
	log_set_sink(take, sink_line);
	for (k = 0; k < 4; k++)
		(void)strlcpy(text + 2048 * k, "line %u", 16);
	for (i = 0; i < 1000; i++)
		for (k = 0; k < 4; k++)
			log_warnx(text + 2048 * k, i);
	ATF_CHECK_EQ_MSG(40, sink_lines, "%u", sink_lines);
}

static void
body_fatal(void)
{
	log_init("p", true, false);
	errno = EACCES;
	fatal("no %s", "way");
}

static void
body_fatalx(void)
{
	log_init("p", true, false);
	fatalx("the end");
}

ATF_TC_WITHOUT_HEAD(fatal);
ATF_TC_BODY(fatal, tc)
{
	ATF_CHECK_EQ(1, capture(body_fatal));
	ATF_CHECK_STREQ("p: no way: Permission denied\n", output);
	ATF_CHECK_EQ(1, capture(body_fatalx));
	ATF_CHECK_STREQ("p: the end\n", output);
}

ATF_TC_WITHOUT_HEAD(memory);
ATF_TC_BODY(memory, tc)
{
	char	*p;

	p = xcalloc(3, 4);
	ATF_CHECK(p[0] == 0 && p[11] == 0);
	free(p);
	p = xmalloc(0);
	ATF_CHECK(p != NULL);
	free(p);
	p = xstrdup("abc");
	ATF_CHECK_STREQ("abc", p);
	free(p);
}

ATF_TC_WITHOUT_HEAD(settings);
ATF_TC_BODY(settings, tc)
{
	struct settings	s, zero;

	memset(&s, 0xff, sizeof(s));
	settings_init(&s);
	ATF_CHECK_EQ(1, s.s_allow_secondary);
	ATF_CHECK_EQ(1, s.s_port_mapping);
	ATF_CHECK_EQ(1, s.s_tcp_fallback);
	ATF_CHECK_EQ(1, s.s_offload);
	ATF_CHECK_EQ(1, s.s_lend_taps);
	ATF_CHECK_EQ(1, s.s_realtime);
	s.s_allow_secondary = s.s_port_mapping = s.s_tcp_fallback = 0;
	s.s_offload = s.s_lend_taps = s.s_realtime = 0;
	memset(&zero, 0, sizeof(zero));
	ATF_CHECK(memcmp(&s, &zero, sizeof(s)) == 0);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, lines);
	ATF_TP_ADD_TC(tp, verbose);
	ATF_TP_ADD_TC(tp, hostile);
	ATF_TP_ADD_TC(tp, sink);
	ATF_TP_ADD_TC(tp, limit);
	ATF_TP_ADD_TC(tp, turns);
	ATF_TP_ADD_TC(tp, fatal);
	ATF_TP_ADD_TC(tp, memory);
	ATF_TP_ADD_TC(tp, settings);
	return (atf_no_error());
}
