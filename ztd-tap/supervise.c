/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The children.  One that dies is named with its signal and started again,
 * after 100 ms at first and 4 s at most, and is told everything anew.
 * Spec: 06 section 11.4.
 */

#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "ztd-tap/dispatch.h"
#include "ztd-tap/framepump.h"
#include "ztd-tap/home.h"
#include "ztd-tap/listen.h"
#include "ztd-tap/supervise.h"

#define BACKOFF_MIN	100	/* ms */
#define BACKOFF_MAX	4000
#define STEADY_MS	60000	/* a life this long forgives the past */
#define DYING_MS	2000	/* for a child without a channel */
#define LAST_WORDS_MS	200	/* for the channel of a dead child */
#define LOG_LINES	500	/* of one child in a minute */
#define START_FAILURES	5	/* deaths before the first readiness */

static void	 timer_set(struct child *, unsigned);
static void	 timer_fired(evutil_socket_t, short, void *);
static void	 spawn(struct child *);
static void	 introduce(struct parent *, enum proc, enum proc);
static void	 child_gone(struct channel *, const char *, void *);
static void	 child_lost(struct child *);
static void	 stop_one(struct child *, bool);
static void	 child_dead(struct child *);
static bool	 by_sandbox(int);
static const char *status_text(int, char *, size_t);

void
supervise_init(struct parent *p)
{
	struct child	*c;
	enum proc	 proc;

	for (proc = PROC_NET; proc < PROC_COUNT; proc++) {
		c = &p->p_child[proc];
		c->c_parent = p;
		c->c_proc = proc;
		c->c_pid = -1;
		c->c_backoff = BACKOFF_MIN;
		if (proc_path(proc, p->p_argv0, c->c_path,
		    sizeof(c->c_path)) == -1)
			fatal("cannot find program %s of %s", c->c_path, proc_name(proc));
	}
}

void
supervise_start(struct parent *p, enum proc proc)
{
	struct child	*c = &p->p_child[proc];

	if (c->c_state == CHILD_NONE && !p->p_stopping)
		spawn(c);
}

void
supervise_kill(struct child *c, const char *why)
{
	if (c->c_state != CHILD_RUNNING)
		return;
	log_warnx("%s broke the rules (%s): killed", proc_name(c->c_proc),
	    why);
	if (c->c_pid != -1)
		(void)kill(c->c_pid, SIGKILL);
	child_lost(c);
}

void
supervise_restart(struct parent *p, enum proc proc)
{
	struct child	*c = &p->p_child[proc];

	if (c->c_state != CHILD_RUNNING)
		return;
	(void)channel_send(c->c_chan, MSG_STOP, 0, -1, NULL, 0);
	(void)channel_flush(c->c_chan, 100);
	child_lost(c);
}

void
supervise_reap(struct parent *p)
{
	struct child	*c;
	enum proc	 proc;
	int		 status;

	for (proc = PROC_NET; proc < PROC_COUNT; proc++) {
		c = &p->p_child[proc];
		if (c->c_pid == -1 ||
		    waitpid(c->c_pid, &status, WNOHANG) != c->c_pid)
			continue;
		c->c_pid = -1;
		c->c_status = status;
		/* Its last words may still be in the channel. */
		if (c->c_state == CHILD_RUNNING)
			timer_set(c, LAST_WORDS_MS);
		else
			child_dead(c);
	}
}

/* The API alone at first: it asks the others for what they counted. */
void
supervise_stop(struct parent *p, bool force)
{
	enum proc	 proc;

	if (!force && !p->p_api_stopping) {
		p->p_api_stopping = true;
		if (p->p_child[PROC_CTL].c_state == CHILD_RUNNING) {
			stop_one(&p->p_child[PROC_CTL], false);
			return;
		}
	}
	for (proc = PROC_NET; proc < PROC_COUNT; proc++)
		stop_one(&p->p_child[proc], force);
}

bool
supervise_lives(const struct child *c)
{
	return (c->c_state == CHILD_RUNNING && c->c_pid != -1);
}

static void
stop_one(struct child *c, bool force)
{
	if (c->c_state == CHILD_WAITING) {
		event_del(c->c_timer);
		c->c_state = CHILD_NONE;
	} else if (c->c_pid != -1 && force)
		(void)kill(c->c_pid, SIGKILL);
	else if (supervise_lives(c) &&
	    channel_send(c->c_chan, MSG_STOP, 0, -1, NULL, 0) == -1)
		(void)kill(c->c_pid, SIGTERM);
}

bool
supervise_gone(const struct parent *p)
{
	enum proc	 proc;

	for (proc = PROC_NET; proc < PROC_COUNT; proc++)
		if (p->p_child[proc].c_state != CHILD_NONE)
			return (false);
	return (true);
}

bool
supervise_ready(const struct parent *p)
{
	enum proc	 proc;

	for (proc = PROC_NET; proc < PROC_COUNT; proc++)
		if (!p->p_child[proc].c_ready)
			return (false);
	return (true);
}

void
supervise_init_message(const struct parent *p, enum proc proc,
    struct msg_init *mi)
{
	memset(mi, 0, sizeof(*mi));
	mi->mi_uid = p->p_user[proc].pu_uid;
	mi->mi_gid = p->p_user[proc].pu_gid;
	mi->mi_verbose = p->p_verbose;
	mi->mi_app = proc == PROC_CTL && p->p_app;
	strlcpy(mi->mi_home, p->p_home, sizeof(mi->mi_home));
}

/*
 * A child holds itself back, unless verbose; one that is an enemy must not
 * fill the disk through us.
 */
bool
supervise_may_log(struct child *c, int64_t now)
{
	if (log_verbose())
		return (true);
	if (c->c_logtime == 0 || now - c->c_logtime >= 60000) {
		if (c->c_loglines > LOG_LINES)
			log_warnx("%s: %u lines were left out",
			    proc_name(c->c_proc), c->c_loglines - LOG_LINES);
		c->c_logtime = now;
		c->c_loglines = 0;
	}
	return (++c->c_loglines <= LOG_LINES);
}

void
supervise_log(const char *name, const struct msg *m)
{
	struct msg_log	 ml;
	char		 line[LOG_LINE + 64];
	const char	*text = (const char *)m->m_data + sizeof(ml);
	size_t		 i, len = m->m_len - sizeof(ml);
	int		 n, level;

	memcpy(&ml, m->m_data, sizeof(ml));
	/* A child may not wake up every terminal. */
	level = ml.ml_level < LOG_CRIT || ml.ml_level > LOG_DEBUG ? LOG_ERR :
	    (int)ml.ml_level;
	if (level == LOG_DEBUG && !log_verbose())
		return;
	n = snprintf(line, sizeof(line), "%s: %.*s", name, (int)len, text);
	for (i = 0; n > 0 && i < (size_t)n && i < sizeof(line) - 1; i++)
		if ((unsigned char)line[i] < ' ' ||
		    (unsigned char)line[i] > '~')
			line[i] = '?';
	log_line(level, line);
}

static void
spawn(struct child *c)
{
	struct parent	*p = c->c_parent;
	pid_t		 pid;
	int		 fds[2];

	c->c_state = CHILD_WAITING;
	c->c_ready = false;
	/* Before the fork: the new process holds our descriptors until exec. */
	if (c->c_proc == PROC_CTL && listen_stale(p))
		listen_reopen(p);
	if (c->c_proc == PROC_CTL)
		p->p_app = home_app(p);
	if (channel_pair(fds) == -1) {
		log_warn("cannot make the channel to %s", proc_name(c->c_proc));
		timer_set(c, BACKOFF_MAX);
		return;
	}
	pid = proc_spawn(c->c_proc, c->c_path, fds[1], p->p_foreground, NULL);
	close(fds[1]);
	if (pid == -1) {
		log_warn("cannot start %s", c->c_path);
		close(fds[0]);
		timer_set(c, BACKOFF_MAX);
		return;
	}
	supervise_attach(c, pid, fds[0]);
}

void
supervise_attach(struct child *c, pid_t pid, int fd)
{
	struct parent	*p = c->c_parent;
	enum proc	 other;

	c->c_pid = pid;
	c->c_ready = false;
	c->c_since = parent_now();
	c->c_starts++;
	c->c_chan = channel_new(p->p_base, fd, PROC_TAP, c->c_proc,
	    dispatch_message, child_gone, c);
	if (c->c_chan == NULL)
		fatalx("out of memory");
	c->c_state = CHILD_RUNNING;
	dispatch_greet(c);
	for (other = PROC_NET; other < PROC_COUNT; other++)
		if (other != c->c_proc &&
		    p->p_child[other].c_state == CHILD_RUNNING)
			introduce(p, c->c_proc, other);
	log_debug("%s started, process %ld", proc_name(c->c_proc),
	    (long)c->c_pid);
}

/* A fresh channel between two of them; it replaces the one before. */
static void
introduce(struct parent *p, enum proc a, enum proc b)
{
	struct msg_channel	 mc;
	int			 fds[2];

	if (channel_pair(fds) == -1) {
		log_warn("cannot make the channel between %s and %s", proc_name(a),
		    proc_name(b));
		return;
	}
	memset(&mc, 0, sizeof(mc));
	mc.mc_peer = b;
	(void)channel_send(p->p_child[a].c_chan, MSG_CHANNEL, 0, fds[0], &mc,
	    sizeof(mc));
	mc.mc_peer = a;
	(void)channel_send(p->p_child[b].c_chan, MSG_CHANNEL, 0, fds[1], &mc,
	    sizeof(mc));
}

static void
child_gone(struct channel *chan, const char *reason, void *arg)
{
	struct child	*c = arg;

	(void)chan;
	if (reason != NULL)
		supervise_kill(c, reason);
	else
		child_lost(c);
}

/* Its channel is of no use any more; the process has to follow. */
static void
child_lost(struct child *c)
{
	if (c->c_state != CHILD_RUNNING)
		return;
	channel_free(c->c_chan);
	c->c_chan = NULL;
	c->c_ready = false;
	c->c_state = CHILD_DYING;
	if (c->c_proc == PROC_NET)
		(void)pump_channel(c->c_parent->p_pump, -1);
	if (c->c_pid == -1)
		child_dead(c);
	else
		timer_set(c, DYING_MS);
}

/* Reaped, and its channel is closed. */
static void
child_dead(struct child *c)
{
	struct parent	*p = c->c_parent;
	char		 text[64];

	if (c->c_timer != NULL)
		event_del(c->c_timer);
	if (c->c_proc == PROC_NET)
		pump_take_back(p->p_pump);
	if (p->p_stopping) {
		c->c_state = CHILD_NONE;
		if (c->c_proc == PROC_CTL)
			supervise_stop(p, false);
		if (supervise_gone(p))
			event_base_loopexit(p->p_base, NULL);
		return;
	}
	if (by_sandbox(c->c_status))
		c->c_violations++;
	log_warnx("%s exited %s, restarting", proc_name(c->c_proc),
	    status_text(c->c_status, text, sizeof(text)));
	c->c_state = CHILD_WAITING;
	if (!p->p_started && ++c->c_failures >= START_FAILURES) {
		log_warnx("%s does not start", proc_name(c->c_proc));
		c->c_state = CHILD_NONE;
		parent_stop(p, 1);
		return;
	}
	if (parent_now() - c->c_since >= STEADY_MS)
		c->c_backoff = BACKOFF_MIN;
	timer_set(c, c->c_backoff);
	if ((c->c_backoff *= 2) > BACKOFF_MAX)
		c->c_backoff = BACKOFF_MAX;
}

/* SIGABRT is pledge(2)'s, elsewhere it may be anybody's. */
static bool
by_sandbox(int status)
{
	return (WIFSIGNALED(status) && (WTERMSIG(status) == SIGSYS ||
	    WTERMSIG(status) == SIGABRT));
}

static const char *
status_text(int status, char *text, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(text, size, "on signal %d%s", WTERMSIG(status),
		    by_sandbox(status) ? " (perhaps its sandbox)" : "");
	else
		snprintf(text, size, "with status %d", WEXITSTATUS(status));
	return (text);
}

static void
timer_set(struct child *c, unsigned ms)
{
	struct timeval	 tv;

	if (c->c_timer == NULL && (c->c_timer = event_new(
	    c->c_parent->p_base, -1, 0, timer_fired, c)) == NULL)
		fatalx("out of memory");
	tv.tv_sec = ms / 1000;
	tv.tv_usec = (int)(ms % 1000) * 1000;
	event_add(c->c_timer, &tv);
}

static void
timer_fired(evutil_socket_t fd, short what, void *arg)
{
	struct child	*c = arg;

	(void)fd;
	(void)what;
	/* When all is to stop, who waits waits until the API has stopped. */
	if (c->c_state == CHILD_WAITING && !c->c_parent->p_stopping)
		spawn(c);
	else if (c->c_state == CHILD_RUNNING && c->c_pid == -1)
		child_lost(c);
	else if (c->c_state == CHILD_DYING && c->c_pid != -1)
		(void)kill(c->c_pid, SIGKILL);
}
