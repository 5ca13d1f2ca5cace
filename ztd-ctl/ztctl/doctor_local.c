/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * doctor: what can be seen without the service: its home folder, its
 * process, the ports and devices that it needs.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <net/if.h>
#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/identity.h"
#include "common/inet.h"
#include "common/log.h"
#include "common/settings.h"
#include "ztd-ctl/config.h"
#include "ztd-ctl/ztctl/doctor.h"

#define SMALL_FILE	4096
#define ERROR_TEXT	512
#define PORT_DEFAULT	9993

static char	*read_home(const struct doctor *, const char *, size_t);
static long	 number_in(const struct doctor *, const char *);
static void	 absent_home(struct doctor *);
static void	 absent_conf(struct doctor *);
static void	 quiet(int, const char *, void *);
static void	 absent_identity(struct doctor *);
static void	 absent_port(struct doctor *);
static bool	 taken(int, unsigned);

/* ---- where the service is ----------------------------------------- */

void
doctor_find(struct doctor *d)
{
	struct conn	*cn = &d->d_conn;
	bool		 given = cn->cn_token != NULL;
	long		 port;

	if (home_running(cn) && cn->cn_islocal) {
		d->d_token = cn->cn_token;
		return;
	}
	if (!given)
		d->d_token = cn->cn_token;
	if (cn->cn_port != 0)
		return;
	port = number_in(d, "zerotier-one.port");
	cn->cn_port = port > 0 && port <= 65535 ? (unsigned)port :
	    PORT_DEFAULT;
}

const char *
doctor_where(struct doctor *d)
{
	if (d->d_conn.cn_islocal)
		return ("its local socket");
	(void)snprintf(d->d_where, sizeof(d->d_where), "%.40s port %u",
	    d->d_conn.cn_host != NULL ? d->d_conn.cn_host : "127.0.0.1",
	    d->d_conn.cn_port);
	return (d->d_where);
}

bool
doctor_token(struct doctor *d)
{
	struct finding	*fi;
	const char	*why = "it is empty";
	char		*text;

	if (d->d_conn.cn_token != NULL)
		return (true);
	d->d_conn.cn_token = d->d_token = home_token(&d->d_conn);
	if (d->d_token != NULL)
		return (true);
	if ((text = read_home(d, "authtoken.secret", SMALL_FILE)) == NULL)
		why = strerror(errno);
	free(text);
	fi = doctor_add(d, PROBLEM, "token-unreadable");
	doctor_text(fi, "the service runs, but %s/authtoken.secret cannot be "
	    "used: %s", d->d_conn.cn_home, why);
	doctor_todo(fi, "as root, or with a copy of it in "
	    "~/.zeroTierOneAuthToken, mode 0600; name another home with -D");
	return (false);
}

static char *
read_home(const struct doctor *d, const char *name, size_t max)
{
	char	 path[1024];
	size_t	 len;

	(void)snprintf(path, sizeof(path), "%s/%s", d->d_conn.cn_home, name);
	return (file_read(AT_FDCWD, path, max, &len));
}

/* Decimal, or -1. */
static long
number_in(const struct doctor *d, const char *name)
{
	char	*text;
	long	 v = -1;

	text = read_home(d, name, SMALL_FILE);
	if (text != NULL && *text >= '0' && *text <= '9')
		v = strtol(text, NULL, 10);
	free(text);
	return (v);
}

/* ---- it does not answer ------------------------------------------- */

void
doctor_absent(struct doctor *d)
{
	struct finding	*fi;
	const char	*why, *todo;
	long		 pid = -1;
	bool		 alive;

	if (d->d_here)
		pid = number_in(d, "zerotier-one.pid");
	alive = pid > 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
	fi = doctor_add(d, PROBLEM, alive ? "service-silent" :
	    "service-not-running");
	doctor_text(fi, "nothing answers at %s, %s", doctor_where(d),
	    !d->d_here ? "which is another host" : alive ?
	    "though a process runs as the home folder says" :
	    "and no ztd runs with this home folder");
	doctor_todo(fi, alive ? "start it anew, and see whether a firewall "
	    "rule forbids TCP to 127.0.0.1; its log: %s" : d->d_here ?
	    "start it (%s); its log says why it ended: %s" :
	    "look on that host, and at allowManagementFrom in "
	    "ztd.local.conf(5)",
	    alive ? doctor_log : doctor_start, doctor_log);
	if (!d->d_here)
		return;
	absent_home(d);
	if (alive)
		return;
	absent_conf(d);
	absent_identity(d);
	absent_port(d);
	if ((why = doctor_no_tap(&todo)) != NULL) {
		fi = doctor_add(d, PROBLEM, "tap-missing");
		doctor_text(fi, "%s", why);
		doctor_todo(fi, "%s", todo);
	}
}

static void
absent_home(struct doctor *d)
{
	struct finding	*fi;
	struct stat	 st;

	if (stat(d->d_conn.cn_home, &st) == -1) {
		fi = doctor_add(d, PROBLEM, "home-missing");
		doctor_text(fi, "the home folder %s cannot be looked at: %s",
		    d->d_conn.cn_home, strerror(errno));
		doctor_todo(fi, "name another one with -D; ztd makes one "
		    "that is not there when it starts");
	} else if (access(d->d_conn.cn_home, R_OK | X_OK) == -1) {
		fi = doctor_add(d, NOTE, "home-closed");
		doctor_text(fi, "what is in %s cannot be seen by this user",
		    d->d_conn.cn_home);
		doctor_todo(fi, "run this as root");
	}
}

static void
absent_conf(struct doctor *d)
{
	struct settings	 s;
	struct finding	*fi;
	char		*text, error[ERROR_TEXT];
	int		 rv;

	if ((text = read_home(d, "local.conf", SETTINGS_TEXT)) == NULL)
		return;
	/* What is merely odd keeps nothing from starting. */
	log_init("ztctl", true, false);
	log_set_sink(quiet, NULL);
	rv = config_parse(text, strlen(text), &s, error, sizeof(error));
	log_set_sink(NULL, NULL);
	free(text);
	if (rv == 0)
		return;
	fi = doctor_add(d, PROBLEM, "config-invalid");
	doctor_text(fi, "local.conf: %s", error);
	doctor_todo(fi, "correct it: ztctl config edit");
}

static void
quiet(int level, const char *line, void *arg)
{
	(void)level;
	(void)line;
	(void)arg;
}

static void
absent_identity(struct doctor *d)
{
	struct identity	 id;
	struct finding	*fi;
	struct stat	 st;
	char		 path[1024];

	(void)snprintf(path, sizeof(path), "%s/identity.secret",
	    d->d_conn.cn_home);
	if (stat(path, &st) == -1)
		return;
	if ((st.st_mode & 077) != 0) {
		fi = doctor_add(d, PROBLEM, "identity-open");
		doctor_text(fi, "identity.secret can be read by others, and "
		    "ztd does not start so");
		doctor_todo(fi, "chmod 600 %s", path);
	}
	if (access(path, R_OK) == 0 && st.st_size > 0 &&
	    tool_identity_read(path, &id) == -1) {
		fi = doctor_add(d, PROBLEM, "identity-invalid");
		doctor_text(fi, "identity.secret holds no identity");
		doctor_todo(fi, "put it back from a copy; without it, ztd "
		    "makes a new one with another address");
	}
	explicit_bzero(&id, sizeof(id));
}

static void
absent_port(struct doctor *d)
{
	struct finding	*fi;
	bool		 udp, tcp;

	udp = taken(SOCK_DGRAM, d->d_conn.cn_port);
	tcp = taken(SOCK_STREAM, d->d_conn.cn_port);
	if (!udp && !tcp)
		return;
	fi = doctor_add(d, PROBLEM, "port-taken");
	doctor_text(fi, "another program has %s port %u", udp ? "UDP" : "TCP",
	    d->d_conn.cn_port);
	doctor_todo(fi, "end it, or give ztd another one: primaryPort in "
	    "ztd.local.conf(5), or its option -p");
}

static bool
taken(int type, unsigned port)
{
	struct sockaddr_in	 sin;
	int			 fd, on = 1;
	bool			 rv;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_port = htons((uint16_t)port);
	if ((fd = socket(AF_INET, type | SOCK_CLOEXEC, 0)) == -1)
		return (false);
	/* What a service of before left behind is in nobody's way. */
	if (type == SOCK_STREAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
		    sizeof(on));
	rv = bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 &&
	    errno == EADDRINUSE;
	(void)close(fd);
	return (rv);
}

/* ---- interfaces --------------------------------------------------- */

const char *
doctor_interface(const char *name, json_t *addresses, bool global)
{
	struct ifaddrs		*list, *ifa;
	struct inet_addr	 want, has;
	const char		*missing = NULL, *text;
	json_t			*v;
	size_t			 i;
	bool			 there;

	if (if_nametoindex(name) == 0)
		return ("");
	if (getifaddrs(&list) == -1)
		return (NULL);
	json_array_foreach(addresses, i, v) {
		text = json_string_value(v);
		if (text == NULL || inet_parse(text, &want) == -1 ||
		    (!global && inet_scope(&want) == SCOPE_GLOBAL))
			continue;
		there = false;
		for (ifa = list; ifa != NULL; ifa = ifa->ifa_next) {
			if (ifa->ifa_addr == NULL ||
			    strcmp(ifa->ifa_name, name) != 0)
				continue;
			inet_from_sockaddr(&has, ifa->ifa_addr);
			if (inet_same_ip(&has, &want))
				there = true;
		}
		if (!there && missing == NULL)
			missing = text;
	}
	freeifaddrs(list);
	return (missing);
}
