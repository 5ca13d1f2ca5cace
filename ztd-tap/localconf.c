/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * local.conf, parsed by a one-shot "ztd-ctl -C".  Spec: 05 section 11.
 */

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/file.h"
#include "common/log.h"
#include "ztd-tap/home.h"
#include "ztd-tap/localconf.h"
#include "ztd-tap/supervise.h"

#define PARSE_TIMEOUT	10	/* s */

struct localconf_job {
	struct parent	*cj_parent;
	pid_t		 cj_pid;
	struct channel	*cj_chan;
	struct event	*cj_timer;
	char		*cj_text;
	size_t		 cj_len;
	struct stat	 cj_stat;
	bool		 cj_done;
	int		 cj_status;	/* 0: settings were taken over */
	void		(*cj_changed)(struct parent *);	/* NULL: waiting */
};

static int	 job_start(struct parent *, struct event_base *,
		    void (*)(struct parent *));
static void	 job_message(struct channel *, struct msg *, void *);
static void	 job_gone(struct channel *, const char *, void *);
static void	 job_timeout(evutil_socket_t, short, void *);
static void	 job_finish(struct localconf_job *, const struct msg_parsed *,
		    const char *);
static void	 job_free(struct localconf_job *);
static bool	 parsed_valid(const struct msg_parsed *);
static bool	 root_link(const struct parent *);
static int	 read_file(struct parent *, char **, size_t *,
		    struct stat *);

int
localconf_load(struct parent *p)
{
	struct event_base	*base;
	int			 status;

	if ((base = event_base_new()) == NULL)
		fatalx("event_base_new");
	if (job_start(p, base, NULL) == -1) {
		event_base_free(base);
		return (-1);
	}
	while (!p->p_confjob->cj_done)
		if (event_base_loop(base, EVLOOP_ONCE) != 0)
			break;
	status = p->p_confjob->cj_done ? p->p_confjob->cj_status : -1;
	localconf_cancel(p);
	event_base_free(base);
	return (status);
}

void
localconf_check(struct parent *p, bool force, void (*changed)(struct parent *))
{
	struct stat	 st;

	if (p->p_confjob != NULL && p->p_confjob->cj_done)
		localconf_cancel(p);
	if (p->p_confjob != NULL)
		return;
	/* Of a file that is gone the last content stays in force. */
	if (fstatat(p->p_homefd, "local.conf", &st, 0) == -1 ||
	    st.st_size == 0)
		return;
	if (!force && st.st_mtime == p->p_confstat.st_mtime &&
	    st.st_size == p->p_confstat.st_size &&
	    st.st_ino == p->p_confstat.st_ino)
		return;
	if (job_start(p, p->p_base, changed) == -1)
		p->p_confstat = st;	/* complain once */
}

void
localconf_cancel(struct parent *p)
{
	job_free(p->p_confjob);
	p->p_confjob = NULL;
}

static int
job_start(struct parent *p, struct event_base *base,
    void (*changed)(struct parent *))
{
	static const char *const	 args[] = { "-C", NULL };
	struct timeval			 tv = { PARSE_TIMEOUT, 0 };
	struct localconf_job		*cj;
	struct child			*c = &p->p_child[PROC_CTL];
	struct msg_init			 mi;
	int				 fds[2];

	cj = xcalloc(1, sizeof(*cj));
	cj->cj_parent = p;
	cj->cj_changed = changed;
	cj->cj_pid = -1;
	if (read_file(p, &cj->cj_text, &cj->cj_len, &cj->cj_stat) == -1)
		goto fail;
	if (channel_pair(fds) == -1) {
		log_warn("channel to ztd-ctl -C");
		goto fail;
	}
	cj->cj_pid = proc_spawn(PROC_CTL, c->c_path, fds[1], true, args);
	close(fds[1]);
	if (cj->cj_pid == -1)
		log_warn("start %s -C", c->c_path);
	cj->cj_chan = channel_new(base, fds[0], PROC_TAP, PROC_CTL,
	    job_message, job_gone, cj);
	cj->cj_timer = event_new(base, -1, 0, job_timeout, cj);
	if (cj->cj_chan == NULL)
		close(fds[0]);
	if (cj->cj_pid == -1 || cj->cj_chan == NULL ||
	    cj->cj_timer == NULL || event_add(cj->cj_timer, &tv) == -1)
		goto fail;
	supervise_init_message(p, PROC_CTL, &mi);
	if (channel_send(cj->cj_chan, MSG_INIT, 0, -1, &mi, sizeof(mi)) ==
	    -1 || channel_send(cj->cj_chan, MSG_CONFIG_TEXT, 1, -1,
	    cj->cj_text, cj->cj_len) == -1)
		goto fail;
	p->p_confjob = cj;
	return (0);
 fail:
	job_free(cj);
	return (-1);
}

static void
job_message(struct channel *chan, struct msg *m, void *arg)
{
	struct localconf_job	*cj = arg;
	struct msg_parsed	*mp;

	(void)chan;
	if (m->m_fd != -1)
		close(m->m_fd);
	if (m->m_type == MSG_LOG) {
		supervise_log("local.conf", m);
		return;
	}
	if (m->m_type != MSG_PARSED || cj->cj_done)
		return;
	mp = xmalloc(sizeof(*mp));
	memcpy(mp, m->m_data, sizeof(*mp));
	mp->mp_error[sizeof(mp->mp_error) - 1] = '\0';
	if (!parsed_valid(mp))
		job_finish(cj, NULL, "its parser answered nonsense");
	else if (!mp->mp_ok)
		job_finish(cj, NULL, mp->mp_error);
	else
		job_finish(cj, mp, NULL);
	free(mp);
}

static void
job_gone(struct channel *chan, const char *reason, void *arg)
{
	(void)chan;
	job_finish(arg, NULL, reason != NULL ? reason :
	    "its parser ended without an answer");
}

static void
job_timeout(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	job_finish(arg, NULL, "its parser did not answer");
}

/* The job itself is freed later: this may be one of its callbacks. */
static void
job_finish(struct localconf_job *cj, const struct msg_parsed *mp,
    const char *error)
{
	struct parent	*p = cj->cj_parent;
	char		 text[512];
	size_t		 i;

	if (cj->cj_done)
		return;
	cj->cj_done = true;
	event_del(cj->cj_timer);
	p->p_confstat = cj->cj_stat;
	if (mp == NULL) {
		strlcpy(text, error, sizeof(text));
		for (i = 0; text[i] != '\0'; i++)
			if ((unsigned char)text[i] < ' ')
				text[i] = '?';
		log_warnx("%s/local.conf: %s%s", p->p_home, text,
		    cj->cj_changed != NULL ? "; what was loaded before stays "
		    "in force" : "");
		cj->cj_status = -1;
		return;
	}
	p->p_settings = mp->mp_settings;
	free(p->p_conf);
	p->p_conf = cj->cj_text;
	p->p_conflen = cj->cj_len;
	cj->cj_text = NULL;
	if (cj->cj_changed != NULL)
		cj->cj_changed(p);
}

static void
job_free(struct localconf_job *cj)
{
	if (cj == NULL)
		return;
	channel_free(cj->cj_chan);
	if (cj->cj_timer != NULL)
		event_free(cj->cj_timer);
	/* It has answered, or never will. */
	if (cj->cj_pid != -1) {
		(void)kill(cj->cj_pid, SIGKILL);
		while (waitpid(cj->cj_pid, NULL, 0) == -1 && errno == EINTR)
			continue;
	}
	free(cj->cj_text);
	free(cj);
}

static bool
parsed_valid(const struct msg_parsed *mp)
{
	const struct settings	*s = &mp->mp_settings;
	uint32_t		 i;

	if (s->s_nbind > SETTINGS_BIND || s->s_nprefixes >
	    SETTINGS_PREFIXES || s->s_nincludes > SETTINGS_PREFIXES ||
	    s->s_nmanagers > SETTINGS_MANAGERS ||
	    s->s_nreaders > SETTINGS_MANAGERS ||
	    s->s_nphysical > SETTINGS_PHYSICAL ||
	    s->s_nvirtual > SETTINGS_VIRTUAL)
		return (false);
	for (i = 0; i < s->s_nprefixes; i++)
		if (memchr(s->s_prefixes[i], '\0', SETTINGS_PREFIX_LEN) ==
		    NULL)
			return (false);
	for (i = 0; i < s->s_nincludes; i++)
		if (memchr(s->s_includes[i], '\0', SETTINGS_PREFIX_LEN) ==
		    NULL)
			return (false);
	for (i = 0; i < s->s_nvirtual; i++)
		if (s->s_virtual[i].sv_ntry > SETTINGS_VIRTUAL_ADDRS ||
		    s->s_virtual[i].sv_nblacklist > SETTINGS_VIRTUAL_ADDRS)
			return (false);
	return (true);
}

/* A link is followed when it is root's: whole systems are made so. */
static bool
root_link(const struct parent *p)
{
	struct stat	 st;

	return (fstatat(p->p_homefd, "local.conf", &st,
	    AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode) &&
	    (st.st_uid == 0 || (!p->p_root && st.st_uid == geteuid())));
}

static int
read_file(struct parent *p, char **text, size_t *len, struct stat *st)
{
	if (fstatat(p->p_homefd, "local.conf", st, 0) == -1)
		memset(st, 0, sizeof(*st));
	*text = root_link(p) ?
	    file_read(p->p_homefd, "local.conf", MSG_MAX, len) :
	    home_read(p, p->p_homefd, "local.conf", MSG_MAX, false, len);
	if (*text != NULL)
		return (0);
	if (errno == ENOENT) {
		*text = xstrdup("");
		*len = 0;
		return (0);
	}
	if (errno == EFBIG)
		log_warnx("%s/local.conf is longer than %d bytes", p->p_home,
		    MSG_MAX);
	else
		log_warn("%s/local.conf", p->p_home);
	return (-1);
}
