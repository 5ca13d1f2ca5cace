/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * One run of a program; see dns_job.h.
 */

#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "privsep/spawn.h"
#include "ztd-tap/dns_job.h"

#define NAP_MS		10	/* between two looks while waiting */

struct dns_job {
	const char	*dj_name;	/* not owned */
	pid_t		 dj_pid;
	int		 dj_fd;		/* what it prints */
	struct event	*dj_readable;
	struct event	*dj_timer;
	bool		 dj_late;
	size_t		 dj_len;
	bool		 dj_line;	/* dj_text has a whole line */
	char		 dj_text[256];
	void		(*dj_done)(void *, int);
	void		*dj_arg;
};

static bool	 reap(struct dns_job *, int);
static int	 input_pipe(const void *, size_t);
static int	 start(struct dns_job *, const char *, const char *const *,
		    const void *, size_t);
static void	 readable(evutil_socket_t, short, void *);
static void	 drain(struct dns_job *);
static void	 timeout(evutil_socket_t, short, void *);
static void	 kill_all(struct dns_job *);
static void	 finish(struct dns_job *, int);
static void	 job_free(struct dns_job *);
static void	 nap(void);

struct dns_job *
dns_job_start(struct event_base *base, const char *name, const char *path,
    const char *const *argv, const void *input, size_t len, int ms,
    void (*done)(void *, int), void *arg)
{
	struct timeval	 tv = { ms / 1000, ms % 1000 * 1000 };
	struct dns_job	*dj;
	int		 error;

	dj = xcalloc(1, sizeof(*dj));
	dj->dj_name = name;
	dj->dj_done = done;
	dj->dj_arg = arg;
	dj->dj_pid = -1;
	dj->dj_fd = -1;
	if (start(dj, path, argv, input, len) == -1) {
		error = errno;
		job_free(dj);
		errno = error;
		return (NULL);
	}
	dj->dj_readable = event_new(base, dj->dj_fd, EV_READ | EV_PERSIST,
	    readable, dj);
	dj->dj_timer = event_new(base, -1, 0, timeout, dj);
	if (dj->dj_readable == NULL || dj->dj_timer == NULL ||
	    event_add(dj->dj_readable, NULL) == -1 ||
	    event_add(dj->dj_timer, &tv) == -1)
		fatalx("out of memory");
	return (dj);
}

void
dns_job_reap(struct dns_job *dj)
{
	(void)reap(dj, WNOHANG);
}

void
dns_job_wait(struct dns_job *dj, int ms)
{
	for (; ms > 0; ms -= NAP_MS) {
		if (reap(dj, WNOHANG))
			return;
		drain(dj);
		nap();
	}
	kill_all(dj);
	while (!reap(dj, 0))
		continue;
}

/* Has it ended?  Then it is gone. */
static bool
reap(struct dns_job *dj, int options)
{
	pid_t	 pid;
	int	 status;

	pid = waitpid(dj->dj_pid, &status, options);
	if (pid == 0 || (pid == -1 && errno == EINTR))
		return (false);
	finish(dj, pid == -1 || dj->dj_late || !WIFEXITED(status) ? -1 :
	    WEXITSTATUS(status));
	return (true);
}

/* Its end to read from, with the input in it. */
static int
input_pipe(const void *input, size_t len)
{
	int	 fds[2];
	ssize_t	 n;

	if (len > DNS_JOB_INPUT) {
		errno = E2BIG;
		return (-1);
	}
	if (pipe2(fds, O_CLOEXEC) == -1)
		return (-1);
	/* Every pipe holds more than that. */
	n = len == 0 ? 0 : write(fds[1], input, len);
	close(fds[1]);
	if (n == (ssize_t)len)
		return (fds[0]);
	close(fds[0]);
	errno = EIO;
	return (-1);
}

static int
start(struct dns_job *dj, const char *path, const char *const *argv,
    const void *input, size_t len)
{
	int	 fds[2], in, error;

	if ((in = input_pipe(input, len)) == -1)
		return (-1);
	if (pipe2(fds, O_CLOEXEC) == -1) {
		close(in);
		return (-1);
	}
	dj->dj_pid = tool_spawn(path, argv, in, fds[1]);
	error = errno;
	close(in);
	close(fds[1]);
	dj->dj_fd = fds[0];
	errno = error;
	if (dj->dj_pid == -1 || fcntl(dj->dj_fd, F_SETFL, O_NONBLOCK) == -1)
		return (-1);
	return (0);
}

static void
readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	drain(arg);
}

/* Keep the first line; the rest is only taken off its hands. */
static void
drain(struct dns_job *dj)
{
	char	 buf[1024];
	size_t	 i;
	ssize_t	 n;

	while ((n = read(dj->dj_fd, buf, sizeof(buf))) > 0) {
		for (i = 0; i < (size_t)n && !dj->dj_line; i++) {
			if (buf[i] == '\n' ||
			    dj->dj_len == sizeof(dj->dj_text) - 1)
				dj->dj_line = true;
			else
				dj->dj_text[dj->dj_len++] = buf[i];
		}
	}
	if (n == 0 && dj->dj_readable != NULL)
		event_del(dj->dj_readable);
}

static void
timeout(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	kill_all(arg);
}

/* Those that it started, too: it is their session. */
static void
kill_all(struct dns_job *dj)
{
	dj->dj_late = true;
	(void)kill(-dj->dj_pid, SIGKILL);
	(void)kill(dj->dj_pid, SIGKILL);
}

static void
finish(struct dns_job *dj, int status)
{
	void	(*done)(void *, int) = dj->dj_done;
	void	*arg = dj->dj_arg;

	drain(dj);
	if (dj->dj_len > 0)
		log_info("%s said: %s", dj->dj_name, dj->dj_text);
	if (dj->dj_late)
		log_warnx("%s took too long: killed", dj->dj_name);
	else if (status == 127)
		log_warnx("%s could not be run", dj->dj_name);
	dj->dj_pid = -1;
	job_free(dj);
	done(arg, status);
}

static void
job_free(struct dns_job *dj)
{
	if (dj->dj_readable != NULL)
		event_free(dj->dj_readable);
	if (dj->dj_timer != NULL)
		event_free(dj->dj_timer);
	if (dj->dj_pid != -1) {
		(void)kill(-dj->dj_pid, SIGKILL);
		while (waitpid(dj->dj_pid, NULL, 0) == -1 && errno == EINTR)
			continue;
	}
	if (dj->dj_fd != -1)
		close(dj->dj_fd);
	free(dj);
}

static void
nap(void)
{
	struct timespec	 ts = { 0, NAP_MS * 1000000L };

	(void)nanosleep(&ts, NULL);
}
