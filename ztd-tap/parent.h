/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What the parent knows: one struct, made in main() and passed to all.
 */

#ifndef ZTD_TAP_PARENT_H
#define ZTD_TAP_PARENT_H

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/tree.h>
#include <sys/un.h>

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "privsep/channel.h"
#include "privsep/messages.h"
#include "privsep/spawn.h"

struct dns;
struct event;
struct event_base;
struct frame_pump;
struct joined;
struct netif;
struct notice;
struct pins;

#define HOME_MAX	1024	/* path of the home folder, with NUL */
#define PLANET_MAX	8480	/* bytes of a serialised planet */
#define LISTENERS_MAX	2

enum child_state {
	CHILD_NONE,		/* never started, or stopped for good */
	CHILD_RUNNING,
	CHILD_DYING,		/* its channel is gone, it is not reaped */
	CHILD_WAITING		/* dead, to be started again */
};

struct child {
	struct parent	*c_parent;
	enum proc	 c_proc;
	enum child_state c_state;
	pid_t		 c_pid;		/* -1: reaped */
	int		 c_status;	/* of the one that was reaped */
	struct channel	*c_chan;
	struct event	*c_timer;	/* start again, or kill */
	unsigned	 c_backoff;	/* ms until the next start */
	int64_t		 c_since;	/* ms, when it was started */
	bool		 c_ready;
	unsigned	 c_failures;	/* deaths before it ever was ready */
	uint64_t	 c_starts;
	int64_t		 c_realtime;	/* ms, when it was given last */
	uint64_t	 c_violations;	/* deaths by the sandbox's signal */
	int64_t		 c_logtime;	/* ms, start of the current minute */
	unsigned	 c_loglines;	/* in it */
	char		 c_path[PATH_MAX];
};

struct listener {
	int		 l_fd;
	struct inet_addr l_addr;
};

struct parent {
	struct event_base *p_base;
	const char	*p_argv0;
	char		 p_home[HOME_MAX];
	int		 p_homefd;
	int		 p_pidfd;	/* zerotier-one.pid, locked */
	int		 p_netsfd;	/* networks.d */
	bool		 p_root;
	bool		 p_foreground;
	bool		 p_verbose;
	bool		 p_started;	/* every child was ready once */
	bool		 p_stopping;
	bool		 p_api_stopping;	/* and was asked to */
	int		 p_startpipe;	/* tells the terminal, or -1 */
	uint16_t	 p_port;
	int		 p_argport;	/* -1: no -p */
	bool		 p_online;
	bool		 p_norealtime;	/* it cannot be had; the log says so */

	struct proc_user p_user[PROC_COUNT];
	struct child	 p_child[PROC_COUNT];

	struct settings	 p_settings;
	char		*p_conf;	/* text of local.conf */
	size_t		 p_conflen;
	uint32_t	 p_confgen;	/* counts these texts */
	uint32_t	 p_confseen;	/* which one the API knows */
	struct stat	 p_confstat;	/* of what was looked at last */
	bool		 p_confgood;	/* ... which is in force */
	struct localconf_job *p_confjob;	/* parse under way */
	int64_t		 p_confminute;	/* ms, when it began, 0: never */
	unsigned	 p_confasked;	/* changes by the API in it */

	struct msg_token p_token;
	/* Text of the identity; the secret is "" until there is one. */
	char		 p_secret[IDENTITY_TEXT_SECRET];
	char		 p_public[IDENTITY_TEXT_PUBLIC];
	bool		 p_identified;	/* the engine has confirmed it */

	struct listener	 p_listener[LISTENERS_MAX];
	unsigned	 p_nlisteners;
	bool		 p_listen_wide;	/* bound to all addresses */
	int		 p_local;	/* local socket, listening, or -1 */
	ino_t		 p_localino;
	struct msg_operators p_operators;	/* who needs no token there */
	struct sockaddr_un p_localaddr;
	bool		 p_app;		/* the API was told to serve files */
	bool		 p_offload;	/* setting, when interfaces were made */

	struct netif	*p_netif;
	struct msg_interface *p_ifs;	/* by index, then address */
	unsigned	 p_nifs;
	bool		 p_ifs_told;	/* to the engine, whole */
	struct notice	*p_ifs_soon;	/* look at them again */
	struct notice	*p_groups_soon;
	struct pins	*p_pins;	/* from parent_open() to _close() */
	struct frame_pump *p_pump;
	struct dns	*p_dns;		/* NULL before and after the loop */
	char		*p_metrics;	/* of metrics.prom, as far as it came */
	size_t		 p_metricslen;
	uint32_t	 p_metricsparts;

	RB_HEAD(joined_tree, joined) p_joined;	/* by network id */
	unsigned	 p_njoined;
};

/* Milliseconds of a clock that never jumps. */
int64_t	 parent_now(void);
/* The loop and what serves taps in it, for parent_run(); p_netif is there. */
void	 parent_open(struct parent *);
void	 parent_watch(struct parent *);	/* hear of changes of the host */
void	 parent_close(struct parent *);	/* and p_netif with it */
/*
 * Run until told to stop: start the children, serve them, stop them.
 * Returns the exit status.
 */
int	 parent_run(struct parent *);
/*
 * SIGHUP: read local.conf and policies anew.  id: the question of the API
 * that is to be answered, 0: none.
 */
void	 parent_reload(struct parent *, uint32_t id);
/* End with this exit status as soon as the children are gone. */
void	 parent_stop(struct parent *, int status);
/* A child sent MSG_READY. */
void	 parent_ready(struct parent *);
/*
 * Read the host's addresses anew and tell the engine if they changed.  With
 * roamed, or when an interface has its carrier again, it is also told to
 * look whether its paths are still there.
 */
void	 parent_interfaces(struct parent *, bool always, bool roamed);
/* The same, at once but not more often than every quarter of a second. */
void	 parent_interfaces_soon(struct parent *);
/* A host told its routers of groups, on a tap of ours: look at them, at once
 * but not more often than every tenth of a second. */
void	 parent_groups_soon(struct parent *);
/* An interface is no more, whatever its place among them. */
void	 parent_interface_gone(struct parent *, unsigned ifindex);
/* Those entries of such a list that are of this interface, and how many. */
const struct msg_interface *parent_ifs_of(const struct msg_interface *,
	    unsigned n, unsigned ifindex, unsigned *count);
/* Send to a child if it runs.  As channel_send(). */
int	 parent_send(struct parent *, enum proc, uint32_t type, uint32_t id,
	    const void *, size_t);

#endif /* ZTD_TAP_PARENT_H */
