/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * ztd-dns: tell systemd-resolved of one interface's name servers, or that it
 * has none any more, and end.  Spec: 06 section 9.
 *
 *	request from stdin - connect as root, which is what entitles us -
 *	cage - speak and listen - exit status
 *
 * The bus knows from the socket who connected, so that root is left before
 * the first byte of anyone is read.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"
#include "common/log.h"
#include "privsep/child.h"
#include "privsep/messages.h"
#include "ztd-dns/bus.h"
#include "ztd-dns/resolve1.h"

#define SOCKET		"/run/dbus/system_bus_socket"
#define TIME_MS		8000	/* for everything; the parent waits longer */
#define LINK_TRIES	10	/* until it has heard of a new interface */
#define LINK_MS		200	/* between two */

static struct bus	 bus;
static struct dbus_msg	 answer;

static void	 to_stderr(int, const char *, void *);
static void	 get_request(struct dns_request *);
static void	 check_used(void);
static bool	 file_has(const char *, const char *);
static void	 confine(const struct dns_request *);
static void	 enter_bus(unsigned long);
static int	 set(uint32_t, const struct dns_conf *);
static int	 withdraw(uint32_t);
static int	 call(const struct dbus_method *, const struct wbuf *);
static bool	 is_error(const char *);
static int	 failed(const struct dbus_method *);
static void	 nap(void);

int
main(void)
{
	struct dns_request	 dr;
	unsigned long		 uid = geteuid();

	log_init("ztd-dns", true, false);
	log_set_sink(to_stderr, NULL);
	get_request(&dr);
	if (bus_connect(&bus, SOCKET, TIME_MS) == -1) {
		/* No bus, so nobody on it. */
		if (errno == ENOENT || errno == ECONNREFUSED)
			return (DNS_ABSENT);
		fatal("cannot reach the bus, %s", SOCKET);
	}
	if (dr.dr_conf.dc_domain[0] != '\0')
		check_used();
	confine(&dr);
	enter_bus(uid);
	if (dr.dr_conf.dc_domain[0] == '\0')
		return (withdraw(dr.dr_ifindex));
	return (set(dr.dr_ifindex, &dr.dr_conf));
}

/* The parent puts our name before it. */
static void
to_stderr(int level, const char *line, void *arg)
{
	(void)level;
	(void)arg;
	(void)fprintf(stderr, "%s\n", line);
}

/* All of it, and nothing behind it. */
static void
get_request(struct dns_request *dr)
{
	uint8_t	 buf[sizeof(*dr) + 1];
	size_t	 got = 0;
	ssize_t	 n;

	do {
		n = read(STDIN_FILENO, buf + got, sizeof(buf) - got);
		if (n > 0)
			got += (size_t)n;
	} while (n > 0 && got < sizeof(buf));
	if (n == -1 || got != sizeof(*dr))
		fatalx("started by ztd, not by hand");
	memcpy(dr, buf, sizeof(*dr));
	if (dr->dr_ifindex == 0 || dr->dr_ifindex > INT32_MAX ||
	    (dr->dr_conf.dc_domain[0] != '\0' &&
	    !dns_conf_valid(&dr->dr_conf)))
		fatalx("the request makes no sense");
}

/* It may run and yet be asked by nobody. */
static void
check_used(void)
{
	char	 target[256];
	ssize_t	 n;

	n = readlink("/etc/resolv.conf", target, sizeof(target) - 1);
	if (n > 0) {
		target[n] = '\0';
		if (strstr(target, "systemd/resolve/") != NULL)
			return;
	}
	if (file_has("/etc/resolv.conf", "127.0.0.53") ||
	    file_has("/etc/nsswitch.conf", "resolve"))
		return;
	log_warnx("systemd-resolved is told, but neither /etc/resolv.conf "
	    "nor /etc/nsswitch.conf leads to it");
}

/* A line that is no comment has that word in it. */
static bool
file_has(const char *path, const char *word)
{
	char	*text, *at, *line;
	size_t	 len;
	bool	 has = false;

	if ((text = file_read(AT_FDCWD, path, 65536, &len)) == NULL)
		return (false);
	for (at = text; !has && (line = strsep(&at, "\n")) != NULL;)
		has = *line != '#' && strstr(line, word) != NULL;
	free(text);
	return (has);
}

static void
confine(const struct dns_request *dr)
{
	struct confine	 co;
	struct msg_init	 mi;

	memset(&co, 0, sizeof(co));
	memset(&mi, 0, sizeof(mi));
	co.co_self = PROC_CTL;	/* the limits are the same */
	mi.mi_uid = dr->dr_uid;
	mi.mi_gid = dr->dr_gid;
	child_confine(&co, &mi);
}

/* Exits when the service is not there. */
static void
enter_bus(unsigned long uid)
{
	uint8_t		 bytes[RESOLVE1_BODY];
	struct wbuf	 body;
	bool		 there;

	wbuf_init(&body, bytes, sizeof(bytes));
	if (bus_auth(&bus, uid) == -1)
		fatal("cannot reach the bus, %s", SOCKET);
	if (call(&bus_hello, &body) == -1)
		exit(failed(&bus_hello));
	resolve1_name(&body);
	if (call(&bus_name_has_owner, &body) == -1)
		exit(failed(&bus_name_has_owner));
	if (dbus_first_bool(&answer, &there) == -1)
		fatalx("the bus answered nonsense");
	if (!there)
		exit(DNS_ABSENT);
}

/*
 * The servers last: were they there before the domain is, all names of the
 * host would be asked of them for a moment.
 */
static int
set(uint32_t ifindex, const struct dns_conf *dc)
{
	uint8_t		 bytes[RESOLVE1_BODY];
	struct wbuf	 body;
	unsigned	 tries;

	for (tries = 0;; tries++) {
		wbuf_init(&body, bytes, sizeof(bytes));
		resolve1_default_route(&body, ifindex);
		if (call(&resolve1_set_default_route, &body) == 0)
			break;
		if (is_error(RESOLVE1_NO_LINK) && tries < LINK_TRIES)
			nap();
		else if (is_error(DBUS_NO_METHOD))
			break;	/* of before systemd 240 */
		else
			return (failed(&resolve1_set_default_route));
	}
	wbuf_init(&body, bytes, sizeof(bytes));
	resolve1_domains(&body, ifindex, dc);
	if (call(&resolve1_set_domains, &body) == -1) {
		(void)failed(&resolve1_set_domains);
		(void)withdraw(ifindex);
		return (DNS_FAILED);
	}
	wbuf_init(&body, bytes, sizeof(bytes));
	resolve1_dns(&body, ifindex, dc);
	if (call(&resolve1_set_dns, &body) == -1) {
		(void)failed(&resolve1_set_dns);
		(void)withdraw(ifindex);
		return (DNS_FAILED);
	}
	return (DNS_DONE);
}

/* What was set of an interface went with it. */
static int
withdraw(uint32_t ifindex)
{
	uint8_t		 bytes[RESOLVE1_BODY];
	struct wbuf	 body;

	wbuf_init(&body, bytes, sizeof(bytes));
	resolve1_link(&body, ifindex);
	if (call(&resolve1_revert, &body) == -1 && !is_error(RESOLVE1_NO_LINK))
		return (failed(&resolve1_revert));
	return (DNS_DONE);
}

/* 0, or -1 when there is an error in answer; what else fails is fatal. */
static int
call(const struct dbus_method *dm, const struct wbuf *body)
{
	if (bus_call(&bus, dm, body, &answer) == -1)
		fatal("cannot call %s", dm->dm_name);
	return (answer.dm_type == DBUS_ERROR ? -1 : 0);
}

static bool
is_error(const char *name)
{
	return (strcmp(answer.dm_error, name) == 0);
}

static int
failed(const struct dbus_method *dm)
{
	char	 text[256];

	if (is_error(DBUS_NO_SERVICE))
		return (DNS_ABSENT);
	if (dbus_first_string(&answer, text, sizeof(text)) == -1)
		text[0] = '\0';
	log_warnx("%s refused: %s (%s)", dm->dm_name, text,
	    answer.dm_error);
	return (DNS_FAILED);
}

static void
nap(void)
{
	struct timespec	 ts = { 0, LINK_MS * 1000000L };

	(void)nanosleep(&ts, NULL);
}
