/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * ztd-ctl, the API process: serves HTTP on the listeners that the parent
 * hands it, asks the others, holds no secret but the tokens.  With -C it
 * only parses local.conf for the parent, once, and exits.
 */

#include <sys/queue.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "privsep/child.h"
#include "ztd-ctl/app.h"
#include "ztd-ctl/config.h"
#include "ztd-ctl/ctl.h"
#include "ztd-ctl/metrics.h"

#define FLUSH_MS	2000	/* for the one answer of -C */

static struct ctl	 ctl;

static void	 usage(void) __attribute__((noreturn));
static void	 confine(bool);
static void	 parse_only_dispatch_parent(struct channel *, struct msg *,
		    void *);
static void	 ctl_dispatch_parent(struct channel *, struct msg *, void *);
static void	 ctl_dispatch_sibling(struct channel *, struct msg *, void *);
static void	 sibling_gone(struct channel *, const char *, void *);
static void	 sibling_new(const struct msg_channel *, int);
static void	 config_new(const void *, size_t);

int
main(int argc, char *argv[])
{
	bool	 parse_only = false;
	int	 ch;

	while ((ch = getopt(argc, argv, "C")) != -1) {
		switch (ch) {
		case 'C':
			parse_only = true;
			break;
		default:
			usage();
		}
	}
	if (optind != argc)
		usage();

	child_start(PROC_CTL, "ztd-ctl", &ctl.c_init);
	(void)signal(SIGPIPE, SIG_IGN);
	LIST_INIT(&ctl.c_queries);
	/* Nobody, until the parent says who. */
	memset(&ctl.c_operators, 0xff, sizeof(ctl.c_operators));
	ctl.c_operators.mo_nuids = 0;
	if ((ctl.c_base = event_base_new()) == NULL)
		fatalx("cannot make an event loop");
	if (!parse_only && (ctl.c_server = server_new(&ctl)) == NULL)
		fatalx("cannot make an HTTP server");
	ctl.c_channels[PROC_TAP] = child_channel(ctl.c_base, PROC_CTL,
	    parse_only ? parse_only_dispatch_parent : ctl_dispatch_parent,
	    NULL, NULL);
	if (ctl.c_channels[PROC_TAP] == NULL)
		fatalx("no channel to the parent");
	confine(parse_only);
	if (!parse_only) {
		metrics_file(&ctl);
		child_ends_itself();
		(void)channel_send(ctl.c_channels[PROC_TAP], MSG_READY, 0, -1,
		    NULL, 0);
	}
	if (event_base_dispatch(ctl.c_base) == -1)
		fatalx("the event loop failed");
	server_free(ctl.c_server);
	return (0);
}

static void
usage(void)
{
	(void)fprintf(stderr, "usage: ztd-ctl [-C], started by ztd\n");
	exit(1);
}

/*
 * No outgoing connections; listeners are handed in.  No files but those of
 * the app folder, which then is all that there is: with it as root folder
 * no path and no link leads out of it, on any system, whatever we may have
 * overlooked.
 */
static void
confine(bool parse_only)
{
	static char	 app[sizeof(ctl.c_init.mi_home) + sizeof("/app")];
	struct confine	 co;

	memset(&co, 0, sizeof(co));
	co.co_self = PROC_CTL;
	co.co_tcp = !parse_only;
	if (!parse_only && ctl.c_init.mi_app) {
		(void)snprintf(app, sizeof(app), "%s/app",
		    ctl.c_init.mi_home);
		co.co_chroot = app;
		co.co_ro[0] = "/";
		app_open(app, ctl.c_init.mi_uid != (uid_t)-1);
	}
	child_confine(&co, &ctl.c_init);
}

/* ---- one run for local.conf -------------------------------------- */

static void
parse_only_dispatch_parent(struct channel *ch, struct msg *m, void *arg)
{
	struct msg_parsed	 parsed;

	(void)arg;
	if (m->m_fd != -1)
		(void)close(m->m_fd);
	switch (m->m_type) {
	case MSG_CONFIG_TEXT:
		memset(&parsed, 0, sizeof(parsed));
		parsed.mp_ok = config_parse(m->m_data, m->m_len,
		    &parsed.mp_settings, parsed.mp_error,
		    sizeof(parsed.mp_error)) == 0;
		if (channel_send(ch, MSG_PARSED, m->m_id, -1, &parsed,
		    sizeof(parsed)) == -1 || channel_flush(ch, FLUSH_MS) == -1)
			fatal("cannot answer the parent");
		exit(0);
	case MSG_STOP:
		exit(0);
	default:
		break;
	}
}

/* ---- serving ----------------------------------------------------- */

static void
ctl_dispatch_parent(struct channel *ch, struct msg *m, void *arg)
{
	int	 fd = m->m_fd;

	(void)ch;
	(void)arg;
	switch (m->m_type) {
	case MSG_SETTINGS:
		memcpy(&ctl.c_settings, m->m_data, sizeof(ctl.c_settings));
		break;
	case MSG_TOKEN:
		memcpy(&ctl.c_token, m->m_data, sizeof(ctl.c_token));
		ctl.c_token.mt_token[TOKEN_MAX - 1] = '\0';
		ctl.c_token.mt_metrics[TOKEN_MAX - 1] = '\0';
		break;
	case MSG_CONFIG_TEXT:
		config_new(m->m_data, m->m_len);
		break;
	case MSG_OPERATORS:
		memcpy(&ctl.c_operators, m->m_data, sizeof(ctl.c_operators));
		break;
	case MSG_LOCAL:
		if (fd != -1)
			server_local(ctl.c_server, fd);
		fd = -1;
		break;
	case MSG_LISTENER:
		if (fd != -1)
			server_listen(ctl.c_server, fd, m->m_data);
		fd = -1;
		break;
	case MSG_CHANNEL:
		if (fd != -1)
			sibling_new(m->m_data, fd);
		fd = -1;
		break;
	case MSG_IDENTITY:
	case MSG_INIT:
		break;
	case MSG_STOP:
		metrics_file_end(&ctl);
		break;
	default:
		if (!query_receive(&ctl, PROC_TAP, m))
			log_warnx("message %u from the parent says nothing "
			    "to us", m->m_type);
		break;
	}
	if (fd != -1)
		(void)close(fd);
}

static void
ctl_dispatch_sibling(struct channel *ch, struct msg *m, void *arg)
{
	const int	fd = m->m_fd;

	(void)arg;
	if (m->m_type == MSG_USER_RECEIVED)
		message_received(m->m_data, m->m_len);
	else if (m->m_type == MSG_EVENT)
		trace_received(m->m_data, m->m_len);
	else if (!query_receive(&ctl, channel_peer(ch), m))
		log_warnx("message %u from %s says nothing to us", m->m_type,
		    proc_name(channel_peer(ch)));
	/* Who wants to keep it has made a copy. */
	if (fd != -1)
		(void)close(fd);
}

/* A new one takes the place of one whose end we have not seen yet. */
static void
sibling_new(const struct msg_channel *mc, int fd)
{
	enum proc	 peer = mc->mc_peer;

	if (peer != PROC_NET && peer != PROC_CON) {
		log_warnx("the parent made a channel to nobody: %u", mc->mc_peer);
		(void)close(fd);
		return;
	}
	channel_free(ctl.c_channels[peer]);
	ctl.c_channels[peer] = NULL;
	query_gone(&ctl, peer);
	ctl.c_channels[peer] = channel_new(ctl.c_base, fd, PROC_CTL, peer,
	    ctl_dispatch_sibling, sibling_gone, NULL);
	if (ctl.c_channels[peer] == NULL)
		log_warn("cannot make the channel to %s", proc_name(peer));
}

static void
sibling_gone(struct channel *ch, const char *reason, void *arg)
{
	enum proc	 peer = channel_peer(ch);

	(void)arg;
	if (reason != NULL)
		log_warnx("lost the channel to %s: %s", proc_name(peer),
		    reason);
	if (ctl.c_channels[peer] == ch)
		ctl.c_channels[peer] = NULL;
	channel_free(ch);
	query_gone(&ctl, peer);
}

/* What does not parse is not shown; the parent has said what is wrong. */
static void
config_new(const void *p, size_t len)
{
	json_t	*v = NULL;

	if (len > 0 && (v = json_loadb(p, len, 0, NULL)) == NULL) {
		log_warnx("local.conf as handed over is not valid JSON");
		return;
	}
	json_decref(ctl.c_config);
	ctl.c_config = NULL;
	if (json_is_object(v))
		ctl.c_config = v;
	else
		json_decref(v);
}
