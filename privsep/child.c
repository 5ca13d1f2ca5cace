/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The first minutes of a child; see child.h.  Spec: 06 sections 11.4, 12.1.
 */

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "privsep/child.h"
#include "privsep/frame_burst.h"
#include "privsep/sandbox.h"
#include "privsep/spawn.h"

#define EMPTY_ROOT	"/var/empty"
#define FLUSH_MS	2000		/* for the last words */
#define LOG_WAIT_MS	2000		/* for a line before the loop runs */
#define LOG_PENDING	(1024 * 1024)	/* lines must not fill the queue */
#define FSIZE_MAX	(64 * 1024 * 1024)
#define RTTIME_MAX	2000000	/* us without sleep (privsep/realtime.h) */

/* There is one parent, so this is one. */
static struct {
	enum proc	 self;
	struct channel	*channel;
	channel_message	 message;
	void		 (*stop)(void *);
	void		*arg;
	bool		 ends_itself;	/* at MSG_STOP */
	unsigned	 lost;		/* lines since the last one sent */
} child;

static bool	is_channel(int);
static void	sink(int, const char *, void *);
static int	send_line(int, const char *);
static void	parent_message(struct channel *, struct msg *, void *);
static void	parent_gone(struct channel *, const char *, void *);
static void	terminated(evutil_socket_t, short, void *);
static void	stop_and_exit(int) __attribute__((noreturn));
static void	enter_root(const char *);
static void	enter_empty_root(void);
static bool	usable_empty_root(const char *);
static void	become(uid_t, gid_t);
static void	limit(int, rlim_t);
static void	limits(const struct confine *);
static const char *prefixed(const char *, const char *);

/* ---- start --------------------------------------------------------- */

void
child_start(enum proc self, const char *name, struct msg_init *init)
{
	struct msg	m;

	if (!is_channel(CHILD_FD)) {
		fprintf(stderr, "%s: started by ztd, not by hand\n", name);
		exit(1);
	}
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	child.self = self;
	log_init(name, true, false);
	if (fcntl(CHILD_FD, F_SETFD, FD_CLOEXEC) == -1)
		fatal("no channel to the parent");
	if (channel_recv_blocking(CHILD_FD, self, PROC_TAP, &m) == -1) {
		if (errno == 0)
			exit(1);	/* the parent died; it knows */
		fatal("no first message of the parent");
	}
	if (m.m_type != MSG_INIT)
		fatalx("the first message of the parent is %s",
		    msg_rule(m.m_type)->mr_name);
	memcpy(init, m.m_data, sizeof(*init));
	free((void *)(uintptr_t)m.m_data);
	if (memchr(init->mi_home, '\0', sizeof(init->mi_home)) == NULL ||
	    init->mi_home[0] != '/')
		fatalx("the home folder is no absolute path");
	log_init(name, true, init->mi_verbose != 0);
	log_set_sink(sink, NULL);
	tzset();		/* the last chance to read its file */
}

static bool
is_channel(int fd)
{
	struct sockaddr_storage	ss;
	socklen_t		len;
	int			type;

	len = sizeof(type);
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == -1 ||
	    type != SOCK_STREAM)
		return (false);
	len = sizeof(ss);
	memset(&ss, 0, sizeof(ss));
	return (getsockname(fd, (struct sockaddr *)&ss, &len) == 0 &&
	    ss.ss_family == AF_UNIX);
}

/* ---- log ----------------------------------------------------------- */

/*
 * A line for the parent.  When it cannot be sent, stderr has it: that is
 * /dev/null in a daemon, but the next line then says how many are missing.
 */
static void
sink(int level, const char *line, void *arg)
{
	char	text[64];

	(void)arg;
	if (child.lost > 0) {
		(void)snprintf(text, sizeof(text), "%u line%s of log lost",
		    child.lost, child.lost == 1 ? "" : "s");
		if (send_line(LOG_WARNING, text) == 0)
			child.lost = 0;
	}
	if (send_line(level, line) == -1) {
		child.lost++;
		log_line(level, line);
	}
	/* Behind a line of this level comes exit(). */
	if (level <= LOG_CRIT && child.channel != NULL)
		(void)channel_flush(child.channel, FLUSH_MS);
}

static int
send_line(int level, const char *line)
{
	struct {
		struct msg_log	 log;
		char		 text[LOG_LINE];
	} m;
	size_t	len;

	m.log.ml_level = (uint32_t)level;
	len = strlcpy(m.text, line, sizeof(m.text));
	if (len >= sizeof(m.text))
		len = sizeof(m.text) - 1;
	len += sizeof(m.log);
	if (child.channel == NULL)
		return (channel_send_blocking(CHILD_FD, child.self, PROC_TAP,
		    MSG_LOG, 0, &m, len, LOG_WAIT_MS));
	if (channel_pending(child.channel) > LOG_PENDING)
		return (-1);
	return (channel_send(child.channel, MSG_LOG, 0, -1, &m, len));
}

/* ---- the channel and the end --------------------------------------- */

struct channel *
child_channel(struct event_base *base, enum proc self,
    channel_message message, void (*stop)(void *), void *arg)
{
	struct event	*term;

	child.message = message;
	child.stop = stop;
	child.arg = arg;
	child.channel = channel_new(base, CHILD_FD, self, PROC_TAP,
	    parent_message, parent_gone, NULL);
	if (child.channel == NULL)
		fatal("no channel to the parent");
	/* For the life of the process. */
	term = evsignal_new(base, SIGTERM, terminated, NULL);
	if (term == NULL || event_add(term, NULL) == -1)
		fatalx("signal %d cannot be watched", SIGTERM);
	return (child.channel);
}

void
child_ends_itself(void)
{
	child.ends_itself = true;
}

static void
parent_message(struct channel *ch, struct msg *m, void *arg)
{
	(void)arg;
	if (m->m_type == MSG_STOP && !child.ends_itself)
		stop_and_exit(0);
	child.message(ch, m, child.arg);
}

static void
parent_gone(struct channel *ch, const char *reason, void *arg)
{
	(void)ch;
	(void)arg;
	if (reason != NULL)
		log_warnx("lost the channel to the parent: %s", reason);
	stop_and_exit(1);
}

static void
terminated(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	(void)arg;
	stop_and_exit(0);
}

static void
stop_and_exit(int status)
{
	if (child.stop != NULL)
		child.stop(child.arg);
	if (child.channel != NULL)
		(void)channel_flush(child.channel, FLUSH_MS);
	exit(status);
}

/* ---- the cage ------------------------------------------------------ */

void
child_confine(const struct confine *wanted, const struct msg_init *init)
{
	struct confine	 co = *wanted;
	const char	*what = "sandbox";
	size_t		 i;

	(void)umask(077);
	if (init->mi_uid != (uid_t)-1) {
		if (co.co_chroot != NULL)
			enter_root(co.co_chroot);
		else
			enter_empty_root();
		become((uid_t)init->mi_uid, (gid_t)init->mi_gid);
	} else if (co.co_chroot != NULL) {
		for (i = 0; i < sizeof(co.co_rw) / sizeof(co.co_rw[0]); i++) {
			co.co_rw[i] = prefixed(co.co_chroot, co.co_rw[i]);
			co.co_ro[i] = prefixed(co.co_chroot, co.co_ro[i]);
		}
	}
	limits(&co);
	if (co.co_burst)
		frame_burst_init();
	if (sandbox_enter(&co, &what) == -1)
		fatal("sandbox: %s", what);
}

static void
enter_root(const char *path)
{
	if (chroot(path) == -1)
		fatal("chroot %s", path);
	if (chdir("/") == -1)
		fatal("chdir /");
}

/*
 * A folder in which nobody can ever make anything: the system's, or else
 * one that is removed once we are in it.
 */
static void
enter_empty_root(void)
{
	char	path[] = "/tmp/ztd.XXXXXXXXXX";

	if (usable_empty_root(EMPTY_ROOT)) {
		enter_root(EMPTY_ROOT);
		return;
	}
	if (mkdtemp(path) == NULL)
		fatal("mkdtemp %s", path);
	if (chdir(path) == -1)
		fatal("chdir %s", path);
	if (rmdir(path) == -1)
		fatal("rmdir %s", path);
	if (chroot(".") == -1)
		fatal("chroot %s", path);
	if (chdir("/") == -1)
		fatal("chdir /");
}

static bool
usable_empty_root(const char *path)
{
	struct stat	st;

	return (lstat(path, &st) == 0 && S_ISDIR(st.st_mode) &&
	    st.st_uid == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0);
}

/*
 * For ever: to root, setgid and setuid set the real, effective and saved id
 * on all systems.  That this is so is tried out.
 */
static void
become(uid_t uid, gid_t gid)
{
	if (uid == 0 || gid == 0 || gid == (gid_t)-1)
		fatalx("cannot become user %ld, group %ld", (long)uid,
		    (long)gid);
	if (setgroups(1, &gid) == -1 || setgid(gid) == -1 ||
	    setuid(uid) == -1)
		fatal("cannot become user %ld, group %ld", (long)uid,
		    (long)gid);
	if (setuid(0) != -1 || seteuid(0) != -1 || setgid(0) != -1 ||
	    setegid(0) != -1 || getuid() != uid || geteuid() != uid ||
	    getgid() != gid || getegid() != gid)
		fatalx("root was left, but can be regained");
}

static void
limits(const struct confine *co)
{
	limit(RLIMIT_CORE, 0);		/* it would have the keys in it */
	/* Some systems count threads here, and those of all of a user. */
	if (co->co_threads == 0 || !sandbox_forbids_fork())
		limit(RLIMIT_NPROC, 0);
#ifdef RLIMIT_RTTIME
	if (co->co_realtime)
		limit(RLIMIT_RTTIME, RTTIME_MAX);
#endif
	limit(RLIMIT_NOFILE, co->co_self == PROC_NET ? 4096 : 1024);
	/* The controller's database may be of any size. */
	if (co->co_self != PROC_CON) {
		(void)signal(SIGXFSZ, SIG_IGN);
		limit(RLIMIT_FSIZE, FSIZE_MAX);
	}
}

/* Lower a limit to n, for ever; a lower one stays. */
static void
limit(int which, rlim_t n)
{
	struct rlimit	rl;

	if (getrlimit(which, &rl) == -1)
		fatal("getrlimit %d", which);
	if (rl.rlim_max != RLIM_INFINITY && rl.rlim_max < n)
		n = rl.rlim_max;
	rl.rlim_cur = rl.rlim_max = n;
	if (setrlimit(which, &rl) == -1)
		fatal("setrlimit %d", which);
}

/* For the life of the process; NULL stays NULL. */
static const char *
prefixed(const char *root, const char *path)
{
	char	buf[PATH_MAX];

	if (path == NULL)
		return (NULL);
	if ((size_t)snprintf(buf, sizeof(buf), "%s%s", root, path) >=
	    sizeof(buf))
		fatalx("the path of %s is too long", path);
	return (xstrdup(buf));
}
