/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * local.conf, parsed by a one-shot "ztd-ctl -C".  Spec: 05 section 11.
 */

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/file.h"
#include "common/log.h"
#include "ztd-tap/home.h"
#include "ztd-tap/listen.h"
#include "ztd-tap/localconf.h"
#include "ztd-tap/supervise.h"

#define PARSE_TIMEOUT	10	/* s */
#define CONF_FILE	"local.conf"
#define NEW_MODE	0640	/* of one that the API makes */

struct localconf_job {
	struct parent	*cj_parent;
	pid_t		 cj_pid;
	struct channel	*cj_chan;
	struct event	*cj_timer;
	char		*cj_text;
	size_t		 cj_len;
	struct stat	 cj_stat;
	uint32_t	 cj_id;		/* question of the API, 0: none */
	uint64_t	 cj_starts;	/* which of the APIs asked */
	bool		 cj_set;	/* cj_text is to become the file */
	bool		 cj_wrong;	/* the text is, not its parser */
	bool		 cj_done;
	int		 cj_status;	/* 0: settings were taken over */
	void		(*cj_changed)(struct parent *);	/* NULL: waiting */
};

static struct localconf_job *job_new(struct parent *,
		    void (*)(struct parent *));
static int	 job_start(struct localconf_job *, struct event_base *);
static void	 job_message(struct channel *, struct msg *, void *);
static void	 job_note(struct localconf_job *, const struct msg *);
static void	 job_gone(struct channel *, const char *, void *);
static void	 job_timeout(evutil_socket_t, short, void *);
static void	 job_finish(struct localconf_job *, const struct msg_parsed *,
		    const char *);
static void	 job_failed(struct localconf_job *, const char *);
static int	 job_store(struct localconf_job *);
static void	 job_free(struct localconf_job *);
static bool	 make_way(struct parent *, uint32_t);
static void	 ask(struct localconf_job *, uint32_t);
static bool	 asked(const struct localconf_job *);
static void	 note(const struct localconf_job *, enum config_note,
		    const char *, size_t);
static void	 answer(const struct localconf_job *, unsigned, const char *);
static void	 result(struct parent *, uint32_t, unsigned, const char *);
static bool	 same_file(const struct stat *, const struct stat *);
static bool	 parsed_valid(const struct msg_parsed *);
static int	 read_file(struct parent *, char **, size_t *,
		    struct stat *);

int
localconf_load(struct parent *p)
{
	struct event_base	*base;
	struct localconf_job	*cj;
	int			 status = -1;

	if ((base = event_base_new()) == NULL)
		fatalx("out of memory");
	cj = job_new(p, NULL);
	if (read_file(p, &cj->cj_text, &cj->cj_len, &cj->cj_stat) == 0 &&
	    job_start(cj, base) == 0) {
		while (!cj->cj_done)
			if (event_base_loop(base, EVLOOP_ONCE) != 0)
				break;
		status = cj->cj_done ? cj->cj_status : -1;
	}
	job_free(cj);
	event_base_free(base);
	return (status);
}

void
localconf_check(struct parent *p, bool force, void (*changed)(struct parent *))
{
	struct localconf_job	*cj;
	struct stat		 st;

	if (p->p_confjob != NULL && p->p_confjob->cj_done)
		localconf_cancel(p);
	if (p->p_confjob != NULL)
		return;
	/* Of a file that is gone the last content stays in force. */
	if (fstatat(p->p_homefd, CONF_FILE, &st, 0) == -1 ||
	    st.st_size == 0)
		return;
	if (!force && same_file(&st, &p->p_confstat))
		return;
	cj = job_new(p, changed);
	if (read_file(p, &cj->cj_text, &cj->cj_len, &cj->cj_stat) == 0 &&
	    job_start(cj, p->p_base) == 0) {
		p->p_confjob = cj;
		return;
	}
	job_free(cj);
	p->p_confstat = st;	/* complain once */
	p->p_confgood = false;
}

void
localconf_reload(struct parent *p, uint32_t id,
    void (*changed)(struct parent *))
{
	struct stat	 st;

	if (!make_way(p, id))
		return;
	localconf_check(p, true, changed);
	if (p->p_confjob != NULL)
		ask(p->p_confjob, id);
	else if (fstatat(p->p_homefd, CONF_FILE, &st, 0) == -1 ||
	    st.st_size == 0)
		result(p, id, 200, "");
	else
		result(p, id, 500, "local.conf cannot be read or checked, "
		    "the log says why");
}

void
localconf_set(struct parent *p, uint32_t id, const void *text, size_t len,
    void (*changed)(struct parent *))
{
	struct localconf_job	*cj;

	if (!make_way(p, id))
		return;
	cj = job_new(p, changed);
	cj->cj_set = true;
	cj->cj_len = len;
	cj->cj_text = xmalloc(len + 1);
	memcpy(cj->cj_text, text, len);
	cj->cj_text[len] = '\0';
	if (job_start(cj, p->p_base) == -1) {
		job_free(cj);
		result(p, id, 500, "it cannot be checked, the log says why");
		return;
	}
	ask(cj, id);
	p->p_confjob = cj;
}

/* Who asks goes before a look of our own, which comes again by itself. */
static bool
make_way(struct parent *p, uint32_t id)
{
	if (p->p_confjob != NULL && !p->p_confjob->cj_done &&
	    p->p_confjob->cj_id != 0) {
		result(p, id, 503, "another change of the configuration is "
		    "under way, try again");
		return (false);
	}
	localconf_cancel(p);
	return (true);
}

const char *
localconf_waits(const struct parent *p, unsigned n, char *dst, size_t size)
{
	int	 port = listen_port(p);

	if (port == 0 || port == p->p_port)
		n++;
	if (n == 0) {
		(void)snprintf(dst, size, "settings.primaryPort: %d has no "
		    "effect before the next start; port %u stays in use",
		    port, p->p_port);
		return (dst);
	}
	if (p->p_offload == (p->p_settings.s_offload != 0))
		n++;
	if (n == 1) {
		(void)snprintf(dst, size, "settings.offload: %s is for new "
		    "interfaces; for those that are there it has no effect "
		    "before the next start", p->p_settings.s_offload != 0 ?
		    "true" : "false");
		return (dst);
	}
	return (NULL);
}

void
localconf_cancel(struct parent *p)
{
	job_free(p->p_confjob);
	p->p_confjob = NULL;
}

static struct localconf_job *
job_new(struct parent *p, void (*changed)(struct parent *))
{
	struct localconf_job	*cj;

	cj = xcalloc(1, sizeof(*cj));
	cj->cj_parent = p;
	cj->cj_changed = changed;
	cj->cj_pid = -1;
	return (cj);
}

/* Have cj_text parsed; on failure a line is logged. */
static int
job_start(struct localconf_job *cj, struct event_base *base)
{
	static const char *const	 args[] = { "-C", NULL };
	struct timeval			 tv = { PARSE_TIMEOUT, 0 };
	struct parent			*p = cj->cj_parent;
	struct child			*c = &p->p_child[PROC_CTL];
	struct msg_init			 mi;
	int				 fds[2];

	if (channel_pair(fds) == -1) {
		log_warn("cannot make the channel to ztd-ctl -C");
		return (-1);
	}
	cj->cj_pid = proc_spawn(PROC_CTL, c->c_path, fds[1], true, args);
	close(fds[1]);
	if (cj->cj_pid == -1)
		log_warn("cannot start %s -C", c->c_path);
	cj->cj_chan = channel_new(base, fds[0], PROC_TAP, PROC_CTL,
	    job_message, job_gone, cj);
	cj->cj_timer = event_new(base, -1, 0, job_timeout, cj);
	if (cj->cj_chan == NULL)
		close(fds[0]);
	if (cj->cj_pid == -1 || cj->cj_chan == NULL ||
	    cj->cj_timer == NULL || event_add(cj->cj_timer, &tv) == -1)
		return (-1);
	supervise_init_message(p, PROC_CTL, &mi);
	if (channel_send(cj->cj_chan, MSG_INIT, 0, -1, &mi, sizeof(mi)) ==
	    -1 || channel_send(cj->cj_chan, MSG_CONFIG_TEXT, 1, -1,
	    cj->cj_text, cj->cj_len) == -1)
		return (-1);
	return (0);
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
		job_note(cj, m);
		return;
	}
	if (m->m_type != MSG_PARSED || cj->cj_done)
		return;
	mp = xmalloc(sizeof(*mp));
	memcpy(mp, m->m_data, sizeof(*mp));
	mp->mp_error[sizeof(mp->mp_error) - 1] = '\0';
	if (!parsed_valid(mp))
		job_finish(cj, NULL, "its parser answered nonsense");
	else if (!mp->mp_ok) {
		cj->cj_wrong = true;
		job_finish(cj, NULL, mp->mp_error);
	} else
		job_finish(cj, mp, NULL);
	free(mp);
}

/* A line of its log: for ours, and for who asked. */
static void
job_note(struct localconf_job *cj, const struct msg *m)
{
	const size_t	 skip = sizeof(struct msg_log);

	supervise_log(CONF_FILE, m);
	note(cj, NOTE_ODD, (const char *)m->m_data + skip, m->m_len - skip);
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
	const char	*waits;
	char		 text[256];
	unsigned	 i;

	if (cj->cj_done)
		return;
	cj->cj_done = true;
	event_del(cj->cj_timer);
	if (mp == NULL) {
		job_failed(cj, error);
		return;
	}
	if (cj->cj_set && job_store(cj) == -1)
		return;
	p->p_confstat = cj->cj_stat;
	p->p_confgood = true;
	p->p_settings = mp->mp_settings;
	free(p->p_conf);
	p->p_conf = cj->cj_text;
	p->p_conflen = cj->cj_len;
	cj->cj_text = NULL;
	if (cj->cj_changed != NULL) {
		log_info("%s/local.conf applied", p->p_home);
		cj->cj_changed(p);
	}
	for (i = 0; (waits = localconf_waits(p, i, text, sizeof(text))) !=
	    NULL; i++)
		note(cj, NOTE_RESTART, waits, strlen(waits));
	answer(cj, 200, "");
}

static void
job_failed(struct localconf_job *cj, const char *error)
{
	struct parent	*p = cj->cj_parent;
	char		 text[512];
	size_t		 i;

	strlcpy(text, error, sizeof(text));
	for (i = 0; text[i] != '\0'; i++)
		if ((unsigned char)text[i] < ' ')
			text[i] = '?';
	cj->cj_status = -1;
	note(cj, NOTE_WRONG, text, i);
	answer(cj, cj->cj_wrong ? 400 : 500, "");
	if (cj->cj_set) {
		log_warnx("%s/local.conf: a change by the API refused: %s",
		    p->p_home, text);
		return;
	}
	p->p_confstat = cj->cj_stat;
	p->p_confgood = false;
	if (cj->cj_changed != NULL)
		log_warnx("%s/local.conf refused: %s; what was loaded before "
		    "stays in force", p->p_home, text);
	else
		log_warnx("%s/local.conf refused: %s", p->p_home, text);
}

/*
 * Put the new text in the file's place.  Nobody's work is lost: neither what
 * an operator has written since, or wrote with a mistake in it, nor a file
 * that another program keeps, to which there is a link.
 */
static int
job_store(struct localconf_job *cj)
{
	struct parent	*p = cj->cj_parent;
	struct stat	 st;
	mode_t		 mode = NEW_MODE;
	gid_t		 gid = p->p_user[PROC_CTL].pu_gid;
	char		 text[200];
	int		 code = 409;
	bool		 there;

	there = fstatat(p->p_homefd, CONF_FILE, &st, AT_SYMLINK_NOFOLLOW) ==
	    0;
	if (there && !S_ISREG(st.st_mode)) {
		(void)snprintf(text, sizeof(text), "local.conf is a link or "
		    "the like: it is kept in another place and can be changed "
		    "only there; nothing was changed");
	} else if (there && st.st_size > 0 && (!p->p_confgood ||
	    !same_file(&st, &p->p_confstat))) {
		(void)snprintf(text, sizeof(text), p->p_confgood ?
		    "local.conf has just been changed by someone else, try "
		    "again; nothing was changed" : "local.conf has a mistake "
		    "and is not what is in force: correct it first; nothing "
		    "was changed");
	} else {
		if (there) {
			mode = st.st_mode & 0777;
			gid = st.st_gid;
		}
		if (file_write(p->p_homefd, CONF_FILE, cj->cj_text,
		    cj->cj_len, mode, (uid_t)-1, gid) == 0) {
			if (fstatat(p->p_homefd, CONF_FILE, &cj->cj_stat,
			    AT_SYMLINK_NOFOLLOW) == -1)
				memset(&cj->cj_stat, 0, sizeof(cj->cj_stat));
			log_info("%s/local.conf changed by the API",
			    p->p_home);
			return (0);
		}
		code = errno == ENOSPC || errno == EDQUOT ? 507 : 500;
		(void)snprintf(text, sizeof(text), "local.conf cannot be "
		    "written: %s; nothing was changed", strerror(errno));
	}
	log_warnx("%s/local.conf: a change by the API refused: %s",
	    p->p_home, text);
	cj->cj_status = -1;
	answer(cj, (unsigned)code, text);
	return (-1);
}

/* ---- who asked --------------------------------------------------- */

static void
ask(struct localconf_job *cj, uint32_t id)
{
	cj->cj_id = id;
	cj->cj_starts = cj->cj_parent->p_child[PROC_CTL].c_starts;
}

/* Another API process has other questions by the same numbers. */
static bool
asked(const struct localconf_job *cj)
{
	return (cj->cj_id != 0 &&
	    cj->cj_starts == cj->cj_parent->p_child[PROC_CTL].c_starts);
}

static void
note(const struct localconf_job *cj, enum config_note kind, const char *text,
    size_t len)
{
	struct {
		struct msg_config_note	 note;
		char			 text[CONFIG_NOTE_MAX];
	} m;

	if (!asked(cj))
		return;
	if (len > sizeof(m.text))
		len = sizeof(m.text);
	m.note.cn_note = (uint32_t)kind;
	memcpy(m.text, text, len);
	parent_send(cj->cj_parent, PROC_CTL, MSG_CONFIG_NOTE, cj->cj_id, &m,
	    sizeof(m.note) + len);
}

static void
answer(const struct localconf_job *cj, unsigned code, const char *text)
{
	if (asked(cj))
		result(cj->cj_parent, cj->cj_id, code, text);
}

static void
result(struct parent *p, uint32_t id, unsigned code, const char *text)
{
	struct msg_result	 mr;

	memset(&mr, 0, sizeof(mr));
	mr.mr_code = code;
	strlcpy(mr.mr_text, text, sizeof(mr.mr_text));
	parent_send(p, PROC_CTL, MSG_RESULT, id, &mr, sizeof(mr));
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

/* As far as can be told without reading it. */
static bool
same_file(const struct stat *a, const struct stat *b)
{
	return (a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec);
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

static int
read_file(struct parent *p, char **text, size_t *len, struct stat *st)
{
	if (fstatat(p->p_homefd, CONF_FILE, st, 0) == -1)
		memset(st, 0, sizeof(*st));
	*text = home_read_conf(p, SETTINGS_TEXT, len);
	if (*text != NULL)
		return (0);
	if (errno == ENOENT && st->st_ino == 0 && st->st_size == 0) {
		*text = xstrdup("");
		*len = 0;
		return (0);
	}
	if (errno == EFBIG)
		log_warnx("%s/local.conf is longer than %d bytes", p->p_home,
		    SETTINGS_TEXT);
	else if (errno == EPERM)
		log_warnx("%s/local.conf is a link, and it or where it leads "
		    "is not root's", p->p_home);
	else
		log_warn("cannot read %s/local.conf", p->p_home);
	return (-1);
}
