/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Everything around a real ztd-ctl, played by the test: the parent, the
 * engine, the controller, and a client.  Failures end the test case.
 */

#ifndef REGRESS_LIB_CTLWORLD_H
#define REGRESS_LIB_CTLWORLD_H

#include <sys/types.h>

#include <atf-c.h>
#include <jansson.h>

#include "privsep/channel.h"
#include "privsep/messages.h"

#define WORLD_TOKEN	"aorod6dhsnwz6r339oz540oc"
#define WORLD_METRICS	"metricstokenmetricstoken"

struct event_base;

/*
 * What the other processes answer with: objects as the API shows them, from
 * which the messages are made.  NULL is "none"; world_stop() frees them.
 */
struct ctlworld {
	struct event_base	*w_base;
	pid_t			 w_pid;
	unsigned		 w_port;	/* of all IPv4 addresses */
	unsigned		 w_port6;	/* of ::1; see world_listen6() */
	struct channel		*w_tap, *w_net, *w_con;	/* our ends */
	json_t			*w_networks;	/* array */
	json_t			*w_peers;	/* array */
	json_t			*w_moons;	/* array */
	json_t			*w_status;	/* object */
	unsigned		 w_result;	/* code of MSG_RESULT */
	const char		*w_notes[NOTE_COUNT];	/* MSG_CONFIG_NOTE */
	unsigned		 w_con_status;	/* of MSG_API_RESPONSE */
	const char		*w_con_body;	/* sent in two pieces */
	/* Instead of these, when not NULL, with w_con_arg. */
	void			(*w_con_message)(void *, struct channel *,
				    const struct msg *);
	void			*w_con_arg;
	/* What each tells before the MSG_END to MSG_GET_METRICS; or NULL. */
	void			(*w_metrics)(struct channel *, uint32_t id,
				    enum proc);
	const char		*w_app;		/* home with a folder "app" */
	bool			 w_mute;	/* engine answers nothing */
	bool			 w_ready;
	/* What came in. */
	struct msg_net_set	 w_set;
	struct msg_orbit	 w_orbit;
	struct msg_user		 w_user;	/* MSG_USER_SEND */
	struct msg_watch	 w_watch;
	char			 w_userdata[USER_MESSAGE_MAX];
	struct msg_api_request	 w_request;
	char			 w_body[4096];
	struct msg_parsed	 w_parsed;
	uint32_t		 w_seen;	/* MSG_CONFIG_SEEN */
	char			 w_conf[4096];	/* MSG_CONFIG_SET */
	unsigned		 w_reloads;	/* MSG_RELOAD */
	char			*w_prom;	/* MSG_METRICS_TEXT, so far; */
	size_t			 w_promlen;
	unsigned		 w_proms;	/* whole ones that came */
	unsigned		 w_lines;	/* log lines */
	char			 w_line[256];	/* the last */
};

struct answer {
	int	 an_status;
	char	*an_head;	/* up to the empty line, NUL-terminated */
	char	*an_body;	/* NUL behind an_len bytes */
	size_t	 an_len;
};

/* Path of a program of this build ("libexec/ztd/ztd-ctl"); malloc'd. */
char	*world_program(const atf_tc_t *, const char *);
/*
 * Start ztd-ctl with everything that the parent sends; parse_only is -C,
 * with nothing sent but MSG_INIT.
 */
void	 world_start(struct ctlworld *, const atf_tc_t *, bool parse_only);
void	 world_stop(struct ctlworld *);
/* What a node that is online says of itself, for w_status. */
json_t	*world_some_status(void);
/* Have ztd-ctl listen on ::1 too; false: this host has no IPv6. */
bool	 world_listen6(struct ctlworld *);
/* The engine or the controller appears, and goes. */
void	 world_sibling(struct ctlworld *, enum proc);
void	 world_away(struct ctlworld *, enum proc);
void	 world_send(struct ctlworld *, uint32_t type, const void *, size_t);
/* local.conf as this text; returns when ztd-ctl says that it knows it. */
void	 world_conf(struct ctlworld *, const char *);
/* The engine passes on a message of this node. */
void	 world_user(struct ctlworld *, uint64_t from, uint64_t type,
	    const void *, size_t);
/* The engine tells of a frame, whose me_datalen bytes are at p. */
void	 world_event(struct ctlworld *, const struct msg_event *,
	    const void *p);
/* Run the loop for ms milliseconds. */
void	 world_run(struct ctlworld *, unsigned ms);

/*
 * Give it a local socket, "ztd.sock" in the current folder, and say who may
 * do all on it.
 */
void	 world_local(struct ctlworld *, const struct msg_operators *);
/*
 * Raw bytes to ztd-ctl at this address, or with NULL on the local socket, and
 * what comes until it closes.
 */
void	 world_raw(struct ctlworld *, const char *host, const char *request,
	    struct answer *);
/* With our token and "Connection: close"; extra are header lines. */
void	 world_http(struct ctlworld *, const char *method,
	    const char *target, const char *extra, const char *body,
	    struct answer *);
/* The same to another address than 127.0.0.1. */
void	 world_http_to(struct ctlworld *, const char *host,
	    const char *method, const char *target, const char *extra,
	    const char *body, struct answer *);
void	 answer_clear(struct answer *);

#endif /* REGRESS_LIB_CTLWORLD_H */
