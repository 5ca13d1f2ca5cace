/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Starting children: their user, their program, what they inherit, and the
 * first and last minute of their lives.
 */

#include <sys/types.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <atf-c.h>
#include <event2/event.h>

#include "common/log.h"
#include "privsep/child.h"
#include "privsep/spawn.h"

static char	output[8192];

/* Run a shell script as a child would be; what it wrote to CHILD_FD. */
static int
run_script(const char *script, const char *arg, bool foreground)
{
	const char	*args[] = { "-c", script, "sh", arg, NULL };
	size_t		 len = 0;
	ssize_t		 n;
	pid_t		 pid;
	int		 fds[2], status;

	ATF_REQUIRE(channel_pair(fds) == 0);
	pid = proc_spawn(PROC_NET, "/bin/sh", fds[1], foreground, args);
	ATF_REQUIRE(pid > 0);
	ATF_CHECK(fcntl(fds[1], F_GETFD) != -1);
	close(fds[1]);
	(void)fcntl(fds[0], F_SETFL, 0);
	while ((n = read(fds[0], output + len,
	    sizeof(output) - 1 - len)) > 0)
		len += (size_t)n;
	output[len] = '\0';
	close(fds[0]);
	ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
	return (WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

ATF_TC_WITHOUT_HEAD(args);
ATF_TC_BODY(args, tc)
{
	ATF_CHECK_EQ(5, run_script("echo \"$0 $1\" >&3; exit 5", "word",
	    false));
	ATF_CHECK_STREQ("sh word\n", output);
}

ATF_TC_WITHOUT_HEAD(environment);
ATF_TC_BODY(environment, tc)
{
	setenv("LD_LIBRARY_PATH", "/nowhere", 1);
	setenv("SECRET", "x", 1);
	setenv("EVENT_NOEPOLL", "1", 1);
	setenv("TZ", "UTC0", 1);
	setenv("UBSAN_OPTIONS", "print_stacktrace=1", 1);
	ATF_CHECK_EQ(0, run_script("env >&3", NULL, false));
	ATF_CHECK(strstr(output, "PATH=/usr/bin:/bin:") != NULL);
	ATF_CHECK(strstr(output, "TZ=UTC0\n") != NULL);
	ATF_CHECK(strstr(output, "UBSAN_OPTIONS=print_stacktrace=1\n") !=
	    NULL);
	ATF_CHECK(strstr(output, "LD_LIBRARY_PATH") == NULL);
	ATF_CHECK(strstr(output, "SECRET") == NULL);
	ATF_CHECK(strstr(output, "EVENT_") == NULL);
}

ATF_TC_WITHOUT_HEAD(descriptors);
ATF_TC_BODY(descriptors, tc)
{
	int	fd;

	/* Two that are not close-on-exec, one of them high. */
	ATF_REQUIRE((fd = open("/dev/null", O_RDONLY)) != -1);
	ATF_REQUIRE(fcntl(fd, F_DUPFD, 100) != -1);
	ATF_CHECK_EQ(0, run_script("i=0; while [ $i -lt 256 ]; do "
	    "if ( eval \"exec 9<&$i\" ) 2>/dev/null; then echo $i; fi; "
	    "i=$((i + 1)); done > fds; cat fds >&3; "
	    "[ -c /dev/stdin ] && [ -c /dev/stdout ] && echo null >&3",
	    NULL, false));
	/* The shell's own redirection is in none of the numbers but 1. */
	ATF_CHECK_MSG(strncmp(output, "0\n1\n2\n3\n", 8) == 0, "%s", output);
	ATF_CHECK_MSG(strstr(output, "100") == NULL, "%s", output);
	ATF_CHECK_MSG(strstr(output, "\n4\n") == NULL, "%s", output);
	ATF_CHECK_MSG(strstr(output, "null") != NULL, "%s", output);
}

ATF_TC_WITHOUT_HEAD(stderr_kept);
ATF_TC_BODY(stderr_kept, tc)
{
	struct stat	st;
	int		fd, saved;

	ATF_REQUIRE((fd = open("err", O_RDWR | O_CREAT | O_TRUNC, 0600)) !=
	    -1);
	saved = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	(void)run_script("echo foreground >&2", NULL, true);
	(void)run_script("echo daemon >&2", NULL, false);
	dup2(saved, STDERR_FILENO);
	ATF_REQUIRE(fstat(fd, &st) == 0);
	ATF_CHECK_EQ((off_t)strlen("foreground\n"), st.st_size);
}

ATF_TC_WITHOUT_HEAD(signals);
ATF_TC_BODY(signals, tc)
{
	sigset_t	set;

	signal(SIGUSR1, SIG_IGN);
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* Ctrl-C does nothing, TERM is neither blocked nor ignored. */
	ATF_CHECK_EQ(-1, run_script("kill -INT $$; kill -HUP $$; "
	    "echo alive >&3; kill -TERM $$; echo late >&3", NULL, false));
	ATF_CHECK_STREQ("alive\n", output);
	ATF_CHECK_EQ(-1, run_script("kill -USR1 $$; echo late >&3", NULL,
	    false));
	ATF_CHECK_STREQ("", output);
}

ATF_TC_WITHOUT_HEAD(no_program);
ATF_TC_BODY(no_program, tc)
{
	pid_t	pid;
	int	fds[2], status;

	ATF_REQUIRE(channel_pair(fds) == 0);
	pid = proc_spawn(PROC_NET, "/nonexistent/ztd-net", fds[1], false,
	    NULL);
	ATF_REQUIRE(pid > 0);
	ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
	ATF_CHECK_EQ(127, WEXITSTATUS(status));
}

ATF_TC_WITHOUT_HEAD(path);
ATF_TC_BODY(path, tc)
{
	char	dst[1024], want[1024], cwd[512];

	ATF_REQUIRE(getcwd(cwd, sizeof(cwd)) != NULL);
	ATF_REQUIRE(mkdir("sbin", 0755) == 0);
	ATF_REQUIRE(mkdir("libexec", 0755) == 0);
	ATF_REQUIRE(mkdir("libexec/ztd", 0755) == 0);
	ATF_REQUIRE(close(open("libexec/ztd/ztd-net", O_CREAT | O_WRONLY,
	    0755)) == 0);
	ATF_REQUIRE_EQ(0, proc_path(PROC_NET, "sbin/ztd", dst, sizeof(dst)));
	snprintf(want, sizeof(want), "%s/libexec/ztd/ztd-net", cwd);
	ATF_CHECK_STREQ(want, dst);
	snprintf(want, sizeof(want), "%s/sbin/ztd", cwd);
	ATF_CHECK_EQ(0, proc_path(PROC_NET, want, dst, sizeof(dst)));
	/* not there, not executable: the installed one */
	if (proc_path(PROC_CTL, "sbin/ztd", dst, sizeof(dst)) == -1)
		ATF_CHECK_EQ(ENOENT, errno);
	ATF_CHECK_STREQ(ZTD_LIBEXEC "/ztd-ctl", dst);
	(void)proc_path(PROC_NET, "ztd", dst, sizeof(dst));
	ATF_CHECK_STREQ(ZTD_LIBEXEC "/ztd-net", dst);
	ATF_CHECK_EQ(-1, proc_path(PROC_NET, "ztd", dst, 5));
	ATF_CHECK_EQ(ENAMETOOLONG, errno);
}

ATF_TC(user_root);
ATF_TC_HEAD(user_root, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(user_root, tc)
{
	static const enum proc	procs[] = { PROC_NET, PROC_CON, PROC_CTL };
	static const char	*names[] = { "_ztd", "_ztdcon", "_ztdctl" };
	struct proc_user	 pu[3];
	struct passwd		*pw;
	bool			 missing, want;
	int			 i;

	for (i = 0; i < 3; i++) {
		missing = false;
		proc_user(procs[i], &pu[i], &missing);
		pw = getpwnam(names[i]);
		want = pw == NULL || getgrnam("_ztd") == NULL;
		ATF_CHECK_EQ(want, missing);
		if (pw == NULL)
			ATF_CHECK_EQ((uid_t)(60901 + i), pu[i].pu_uid);
		if (getgrnam("_ztd") == NULL)
			ATF_CHECK_EQ(60901, pu[i].pu_gid);
		ATF_CHECK(pu[i].pu_uid != 0 && pu[i].pu_gid != 0);
	}
	ATF_CHECK(pu[0].pu_uid != pu[1].pu_uid);
	ATF_CHECK(pu[1].pu_uid != pu[2].pu_uid);
	ATF_CHECK_EQ(pu[0].pu_gid, pu[2].pu_gid);
	/* What was set stays set: one warning for all. */
	missing = true;
	proc_user(PROC_TAP, &pu[0], &missing);
	ATF_CHECK(missing);
	ATF_CHECK_EQ(0, pu[0].pu_uid);
	/* Not as root: everything stays as it is. */
	ATF_REQUIRE(seteuid(60901) == 0);
	missing = false;
	proc_user(PROC_NET, &pu[0], &missing);
	ATF_REQUIRE(seteuid(0) == 0);
	ATF_CHECK_EQ((uid_t)-1, pu[0].pu_uid);
	ATF_CHECK_EQ((gid_t)-1, pu[0].pu_gid);
	ATF_CHECK(!missing);
}

/* ---- a child's life ------------------------------------------------- */

static struct channel	*to_parent;

static void
stop(void *arg)
{
	struct msg_online	on = { 7 };

	(void)arg;
	(void)channel_send(to_parent, MSG_ONLINE, 0, -1, &on, sizeof(on));
}

static void
message(struct channel *ch, struct msg *m, void *arg)
{
	(void)arg;
	if (m->m_type == MSG_JOIN)
		(void)channel_send(ch, MSG_READY, m->m_id, -1, NULL, 0);
	if (m->m_type == MSG_LEAVE)
		fatalx("asked to leave");
	if (m->m_fd != -1)
		close(m->m_fd);
}

/* In a process of its own, as a child's main() would be. */
static void
life(void)
{
	struct msg_init		 init;
	struct event_base	*base;

	child_start(PROC_NET, "ztd-net", &init);
	if (strcmp(init.mi_home, "/home of it") != 0)
		fatalx("home is %s", init.mi_home);
	log_info("before the loop");
	base = event_base_new();
	to_parent = child_channel(base, PROC_NET, message, stop, NULL);
	log_warnx("in the loop");
	(void)kill(getpid(), SIGINT);
	(void)event_base_dispatch(base);
	_exit(99);
}

/* Start it; returns the parent's end. */
static int
start(pid_t *pid)
{
	int	fds[2];

	ATF_REQUIRE(channel_pair(fds) == 0);
	ATF_REQUIRE((*pid = fork()) != -1);
	if (*pid == 0) {
		close(fds[0]);
		if (fds[1] != CHILD_FD) {
			(void)dup2(fds[1], CHILD_FD);
			close(fds[1]);
		}
		closefrom(CHILD_FD + 1);
		life();
	}
	close(fds[1]);
	return (fds[0]);
}

static void
send_init(int fd)
{
	struct msg_init	init;

	memset(&init, 0, sizeof(init));
	init.mi_uid = init.mi_gid = (uint32_t)-1;
	strlcpy(init.mi_home, "/home of it", sizeof(init.mi_home));
	ATF_REQUIRE_EQ(0, channel_send_blocking(fd, PROC_TAP, PROC_NET,
	    MSG_INIT, 0, &init, sizeof(init), 1000));
}

static void
tell(int fd, enum msg_type type)
{
	struct msg_network	n = { 1 };

	ATF_REQUIRE_EQ(0, channel_send_blocking(fd, PROC_TAP, PROC_NET, type,
	    5, &n, type == MSG_STOP ? 0 : sizeof(n), 1000));
}

static void
expect(int fd, enum msg_type type, const char *line)
{
	struct msg_log	log;
	struct msg	m;

	ATF_REQUIRE_EQ(0, channel_recv_blocking(fd, PROC_TAP, PROC_NET, &m));
	ATF_CHECK_EQ_MSG((uint32_t)type, m.m_type, "%s instead of %s",
	    msg_rule(m.m_type)->mr_name, msg_rule(type)->mr_name);
	if (line != NULL && m.m_type == MSG_LOG) {
		memcpy(&log, m.m_data, sizeof(log));
		ATF_CHECK_EQ(strlen(line), m.m_len - sizeof(log));
		ATF_CHECK(memcmp((const char *)m.m_data + sizeof(log), line,
		    m.m_len - sizeof(log)) == 0);
		ATF_CHECK(log.ml_level <= LOG_DEBUG);
	}
	free((void *)(uintptr_t)m.m_data);
}

static int
exit_status(pid_t pid)
{
	int	status;

	ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
	ATF_CHECK(WIFEXITED(status));
	return (WEXITSTATUS(status));
}

/* Up to the loop, and one question answered. */
static int
start_all(pid_t *pid)
{
	int	fd;

	fd = start(pid);
	send_init(fd);
	expect(fd, MSG_LOG, "before the loop");
	expect(fd, MSG_LOG, "in the loop");
	tell(fd, MSG_JOIN);
	expect(fd, MSG_READY, NULL);
	return (fd);
}

ATF_TC_WITHOUT_HEAD(stop_by_message);
ATF_TC_BODY(stop_by_message, tc)
{
	pid_t	pid;
	int	fd;

	fd = start_all(&pid);
	tell(fd, MSG_STOP);
	expect(fd, MSG_ONLINE, NULL);
	ATF_CHECK_EQ(0, exit_status(pid));
}

ATF_TC_WITHOUT_HEAD(stop_by_signal);
ATF_TC_BODY(stop_by_signal, tc)
{
	pid_t	pid;
	int	fd;

	fd = start_all(&pid);
	ATF_REQUIRE(kill(pid, SIGTERM) == 0);
	expect(fd, MSG_ONLINE, NULL);
	ATF_CHECK_EQ(0, exit_status(pid));
}

ATF_TC_WITHOUT_HEAD(stop_by_close);
ATF_TC_BODY(stop_by_close, tc)
{
	pid_t	pid;

	close(start_all(&pid));
	ATF_CHECK_EQ(1, exit_status(pid));
	/* even before it was told who it is */
	close(start(&pid));
	ATF_CHECK_EQ(1, exit_status(pid));
}

/* The last line of a fatal error is not lost in a queue. */
ATF_TC_WITHOUT_HEAD(fatal_line);
ATF_TC_BODY(fatal_line, tc)
{
	pid_t	pid;
	int	fd;

	fd = start_all(&pid);
	tell(fd, MSG_LEAVE);
	expect(fd, MSG_LOG, "asked to leave");
	ATF_CHECK_EQ(1, exit_status(pid));
}

ATF_TC_WITHOUT_HEAD(wrong_first);
ATF_TC_BODY(wrong_first, tc)
{
	pid_t	pid;
	int	fd;

	fd = start(&pid);
	tell(fd, MSG_JOIN);
	ATF_CHECK_EQ(1, exit_status(pid));
	close(fd);
}

ATF_TC_WITHOUT_HEAD(by_hand);
ATF_TC_BODY(by_hand, tc)
{
	struct msg_init	init;
	pid_t		pid;

	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		close(CHILD_FD);
		dup2(open("err", O_RDWR | O_CREAT, 0600), STDERR_FILENO);
		close(CHILD_FD);
		child_start(PROC_CTL, "ztd-ctl", &init);
		_exit(0);
	}
	ATF_CHECK_EQ(1, exit_status(pid));
	ATF_CHECK(atf_utils_compare_file("err",
	    "ztd-ctl: started by ztd, not by hand\n"));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, args);
	ATF_TP_ADD_TC(tp, environment);
	ATF_TP_ADD_TC(tp, descriptors);
	ATF_TP_ADD_TC(tp, stderr_kept);
	ATF_TP_ADD_TC(tp, signals);
	ATF_TP_ADD_TC(tp, no_program);
	ATF_TP_ADD_TC(tp, path);
	ATF_TP_ADD_TC(tp, user_root);
	ATF_TP_ADD_TC(tp, stop_by_message);
	ATF_TP_ADD_TC(tp, stop_by_signal);
	ATF_TP_ADD_TC(tp, stop_by_close);
	ATF_TP_ADD_TC(tp, fatal_line);
	ATF_TP_ADD_TC(tp, wrong_first);
	ATF_TP_ADD_TC(tp, by_hand);
	return (atf_no_error());
}
