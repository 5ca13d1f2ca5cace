/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What the parent tells its children, and what it does with what they say.
 * Type, sender and length were checked by the channel; a payload that makes
 * no sense costs its sender its life.
 */

#include <sys/time.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/file.h"
#include "common/log.h"
#include "privsep/frame.h"
#include "privsep/realtime.h"
#include "ztd-tap/dispatch.h"
#include "ztd-tap/dns.h"
#include "ztd-tap/framepump.h"
#include "ztd-tap/idfile.h"
#include "ztd-tap/joined.h"
#include "ztd-tap/listen.h"
#include "ztd-tap/local.h"
#include "ztd-tap/localconf.h"
#include "ztd-tap/metrics.h"
#include "ztd-tap/pins.h"
#include "ztd-tap/supervise.h"

#define REALTIME_LEAST	900	/* ms between two times that it is given */
#define RESTART_MS	300	/* until a process that is outdated ends */

static bool	 ctl_outdated(const struct parent *);
static void	 ctl_restart(evutil_socket_t, short, void *);
static void	 greet_net(struct parent *);
static void	 greet_ctl(struct parent *);
static void	 send_settings(struct parent *, enum proc);
static void	 take_realtime(struct parent *);
static void	 send_conf(struct parent *);
static void	 send_identity(struct parent *, enum proc);
static void	 send_listeners(struct parent *);
static bool	 dispatch_net(struct parent *, struct msg *);
static bool	 dispatch_ctl(struct parent *, struct msg *);
static bool	 identity_new(struct parent *, const struct msg *);
static void	 identity_bad(struct parent *, const struct msg *);
static bool	 online(struct parent *, const struct msg *);
static bool	 planet(struct parent *, const struct msg *);
static bool	 pins(struct parent *, const struct msg *);

void
dispatch_greet(struct child *c)
{
	struct parent	*p = c->c_parent;
	struct msg_init	 mi;

	supervise_init_message(p, c->c_proc, &mi);
	parent_send(p, c->c_proc, MSG_INIT, 0, &mi, sizeof(mi));
	switch (c->c_proc) {
	case PROC_NET:
		greet_net(p);
		break;
	case PROC_CON:
		send_identity(p, PROC_CON);
		break;
	case PROC_CTL:
		greet_ctl(p);
		break;
	default:
		break;
	}
}

void
dispatch_message(struct channel *chan, struct msg *m, void *arg)
{
	struct child	*c = arg;
	bool		 good = true;

	(void)chan;
	/* No message to us carries one. */
	if (m->m_fd != -1)
		close(m->m_fd);
	switch (m->m_type) {
	case MSG_LOG:
		if (supervise_may_log(c, parent_now()))
			supervise_log(proc_name(c->c_proc), m);
		break;
	case MSG_READY:
		c->c_ready = true;
		if (c->c_starts > 1)
			log_info("%s serves again, process %ld",
			    proc_name(c->c_proc), (long)c->c_pid);
		parent_ready(c->c_parent);
		break;
	default:
		if (c->c_proc == PROC_NET)
			good = dispatch_net(c->c_parent, m);
		else if (c->c_proc == PROC_CTL)
			good = dispatch_ctl(c->c_parent, m);
		else
			good = false;
	}
	if (!good)
		supervise_kill(c, msg_rule(m->m_type)->mr_name);
}

void
dispatch_settings(struct parent *p)
{
	const struct timeval	 tv = { 0, RESTART_MS * 1000 };
	const char		*waits;
	char			 text[256];
	unsigned		 i;

	for (i = 0; (waits = localconf_waits(p, i, text, sizeof(text))) !=
	    NULL; i++)
		log_warnx("local.conf: %s", waits);
	dns_settings(p);
	p->p_norealtime = false;	/* it is tried again */
	take_realtime(p);
	send_settings(p, PROC_NET);
	joined_lend(p);
	/* Sockets may be bound in another way now. */
	joined_online(p);
	send_settings(p, PROC_CTL);
	send_conf(p);
	/* Not at once: it may have to answer whoever asked for this. */
	if (ctl_outdated(p) && event_base_once(p->p_base, -1, EV_TIMEOUT,
	    ctl_restart, p, &tv) == -1)
		supervise_restart(p, PROC_CTL);
}

/*
 * Only a new process lets go of the listeners it has, or has another root
 * folder.
 */
static bool
ctl_outdated(const struct parent *p)
{
	return (listen_stale(p) ||
	    p->p_app != (p->p_settings.s_web_server != 0));
}

static void
ctl_restart(evutil_socket_t fd, short what, void *arg)
{
	struct parent	*p = arg;

	(void)fd;
	(void)what;
	if (!p->p_stopping && ctl_outdated(p))
		supervise_restart(p, PROC_CTL);
}

static void
greet_net(struct parent *p)
{
	int	 fds[2];

	send_settings(p, PROC_NET);
	send_identity(p, PROC_NET);
	if (frame_pair(fds) == -1)
		log_warn("cannot make the frame channel");
	else {
		if (pump_channel(p->p_pump, fds[0]) == -1)
			log_warn("cannot make the frame channel");
		(void)channel_send(p->p_child[PROC_NET].c_chan, MSG_FRAMES, 0,
		    fds[1], NULL, 0);
	}
	parent_interfaces(p, true, false);
	joined_replay(p);
	pins_replay(p);
}

static void
greet_ctl(struct parent *p)
{
	send_settings(p, PROC_CTL);
	send_identity(p, PROC_CTL);
	parent_send(p, PROC_CTL, MSG_TOKEN, 0, &p->p_token,
	    sizeof(p->p_token));
	send_conf(p);
	send_listeners(p);
	local_send(p);
}

static void
send_settings(struct parent *p, enum proc to)
{
	struct msg_settings	 ms;

	memset(&ms, 0, sizeof(ms));
	ms.ms_settings = p->p_settings;
	if (to == PROC_NET && p->p_norealtime)
		ms.ms_settings.s_realtime = 0;
	ms.ms_port = p->p_port;
	parent_send(p, to, MSG_SETTINGS, 0, &ms, sizeof(ms));
}

static void
send_conf(struct parent *p)
{
	parent_send(p, PROC_CTL, MSG_CONFIG_TEXT, p->p_confgen, p->p_conf,
	    p->p_conflen);
}

static void
send_identity(struct parent *p, enum proc to)
{
	struct msg_identity	 mi;

	memset(&mi, 0, sizeof(mi));
	strlcpy(mi.mi_text, to == PROC_CTL ? p->p_public : p->p_secret,
	    sizeof(mi.mi_text));
	parent_send(p, to, MSG_IDENTITY, 0, &mi, sizeof(mi));
	explicit_bzero(&mi, sizeof(mi));
}

static void
send_listeners(struct parent *p)
{
	struct msg_listener	 ml;
	unsigned		 i;
	int			 fd;

	for (i = 0; i < p->p_nlisteners; i++) {
		memset(&ml, 0, sizeof(ml));
		ml.ml_addr = p->p_listener[i].l_addr;
		fd = fcntl(p->p_listener[i].l_fd, F_DUPFD_CLOEXEC, 0);
		if (fd == -1)
			log_warn("cannot hand on a listening socket");
		else
			(void)channel_send(p->p_child[PROC_CTL].c_chan,
			    MSG_LISTENER, 0, fd, &ml, sizeof(ml));
	}
}

static bool
may_realtime(const struct parent *p)
{
	return (p->p_settings.s_realtime && p->p_settings.s_offload &&
	    !p->p_norealtime);
}

/*
 * For a while each time; it asks again, but not as often as it likes.  Where
 * it cannot be had the engine is told, or it would pause as who has it does.
 * One that was reaped may have asked just before.
 */
static void
give_realtime(struct parent *p)
{
	struct child	*c = &p->p_child[PROC_NET];
	int64_t		 now = parent_now();

	if (!may_realtime(p) || !supervise_lives(c) ||
	    (c->c_realtime >= c->c_since &&
	    now - c->c_realtime < REALTIME_LEAST))
		return;
	c->c_realtime = now;
	if (realtime_give(c->c_pid) == 0)
		return;
	log_info("packets wait their turn for the processor: %s",
	    strerror(errno));
	p->p_norealtime = true;
	send_settings(p, PROC_NET);
}

/* An engine that is honest ends it by itself when it has the settings. */
static void
take_realtime(struct parent *p)
{
	const struct child	*c = &p->p_child[PROC_NET];

	if (!may_realtime(p) && supervise_lives(c) &&
	    c->c_realtime >= c->c_since)
		realtime_take(c->c_pid);
}

static bool
dispatch_net(struct parent *p, struct msg *m)
{
	struct msg_port		 mp;
	struct msg_tap_gone	 mg;

	switch (m->m_type) {
	case MSG_IDENTITY_NEW:
		return (identity_new(p, m));
	case MSG_IDENTITY_BAD:
		identity_bad(p, m);
		return (true);
	case MSG_PORT:
		memcpy(&mp, m->m_data, sizeof(mp));
		return (joined_port(p, &mp));
	case MSG_ONLINE:
		return (online(p, m));
	case MSG_PLANET:
		return (planet(p, m));
	case MSG_PINS:
		return (pins(p, m));
	case MSG_REPORTED:
		parent_groups_soon(p);
		return (true);
	case MSG_REALTIME:
		give_realtime(p);
		return (true);
	case MSG_TAP_GONE:
		memcpy(&mg, m->m_data, sizeof(mg));
		joined_gone(p, &mg);
		return (true);
	default:
		return (false);
	}
}

static bool
dispatch_ctl(struct parent *p, struct msg *m)
{
	struct msg_net_set	 mn;
	struct msg_network	 leave;
	struct msg_get		 mg;
	struct msg_result	 mr;

	switch (m->m_type) {
	case MSG_CONFIG_SEEN:
		p->p_confseen = m->m_id;
		return (true);
	case MSG_NET_SET:
		memcpy(&mn, m->m_data, sizeof(mn));
		joined_set(p, &mn, &mr);
		break;
	case MSG_NET_LEAVE:
		memcpy(&leave, m->m_data, sizeof(leave));
		joined_leave(p, leave.mn_nwid, &mr);
		break;
	case MSG_CONFIG_SET:
		if (m->m_id == 0)
			return (false);
		localconf_set(p, m->m_id, m->m_data, m->m_len,
		    dispatch_settings);
		return (true);
	case MSG_RELOAD:
		if (m->m_id == 0)
			return (false);
		parent_reload(p, m->m_id);
		return (true);
	case MSG_GET_TAPS:
		memcpy(&mg, m->m_data, sizeof(mg));
		joined_info(p, m->m_id, mg.mg_id);
		return (true);
	case MSG_GET_METRICS:
		metrics_answer(p, m->m_id);
		return (true);
	case MSG_METRICS_TEXT:
		return (metrics_text(p, m));
	default:
		return (false);
	}
	parent_send(p, PROC_CTL, MSG_RESULT, m->m_id, &mr, sizeof(mr));
	return (true);
}

/* With the identity known, the others can start. */
static bool
identity_new(struct parent *p, const struct msg *m)
{
	struct msg_identity_new	 mn;
	bool			 first, good;

	memcpy(&mn, m->m_data, sizeof(mn));
	first = !p->p_identified;
	good = idfile_accept(p, &mn);
	if (good && !first && mn.mn_generated) {
		log_warnx("address collided with another node's: now "
		    "%.10s", p->p_public);
		supervise_restart(p, PROC_CON);
		supervise_restart(p, PROC_CTL);
	}
	explicit_bzero(&mn, sizeof(mn));
	if (!good)
		return (false);
	supervise_start(p, PROC_CON);
	supervise_start(p, PROC_CTL);
	return (true);
}

static void
identity_bad(struct parent *p, const struct msg *m)
{
	struct msg_text	 mt;
	size_t		 i;

	memcpy(&mt, m->m_data, sizeof(mt));
	mt.mt_text[sizeof(mt.mt_text) - 1] = '\0';
	for (i = 0; mt.mt_text[i] != '\0'; i++)
		if ((unsigned char)mt.mt_text[i] < ' ' ||
		    (unsigned char)mt.mt_text[i] > '~')
			mt.mt_text[i] = '?';
	log_warnx("%s/identity.secret: %s; remove it and identity.public for "
	    "a new identity", p->p_home, mt.mt_text);
	parent_stop(p, 1);
}

static bool
online(struct parent *p, const struct msg *m)
{
	struct msg_online	 mo;
	bool			 was = p->p_online;

	memcpy(&mo, m->m_data, sizeof(mo));
	p->p_online = mo.mo_online != 0;
	if (p->p_online == was)
		return (true);
	joined_online(p);
	return (true);
}

/* Its signature is the engine's business; the planet is the engine's too. */
static bool
planet(struct parent *p, const struct msg *m)
{
	if (m->m_len == 0 || m->m_len > PLANET_MAX)
		return (false);
	if (file_write(p->p_homefd, "planet", m->m_data, m->m_len, 0640,
	    (uid_t)-1, p->p_user[PROC_NET].pu_gid) == -1)
		log_warn("cannot write %s/planet", p->p_home);
	return (true);
}

static bool
pins(struct parent *p, const struct msg *m)
{
	static struct inet_addr	 list[PINS_MAX];
	const char		*why = "a pin that is cut off";
	size_t			 n = m->m_len / sizeof(*list);

	if (m->m_len % sizeof(*list) == 0) {
		if (n > 0)
			memcpy(list, m->m_data, m->m_len);
		why = pins_message(p, m->m_id, list, n);
	}
	if (why != NULL)
		log_warnx("the engine wants %s", why);
	return (why == NULL);
}
