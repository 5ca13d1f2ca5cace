/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The primary port and the API's listeners.  Spec: 05 sections 2.1, 12.6.
 */

#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/version.h"
#include "ztd-tap/listen.h"

#define RANDOM_TRIES	256
#define BACKLOG		64
#define PATIENCE_MS	3000	/* for a port that is in use */
#define STEP_MS		50

static int	 udp_free(uint16_t);
static int	 udp_wait(uint16_t);
static int	 open_all(struct parent *, uint16_t);
static bool	 wide(const struct parent *);
static int	 tcp_listen(const struct inet_addr *);
static int	 bound(const struct inet_addr *, int);
static void	 in_use(uint16_t, const char *) __attribute__((noreturn));

int
listen_port(const struct parent *p)
{
	if (p->p_settings.s_primary_port != 0)
		return (p->p_settings.s_primary_port);
	return (p->p_argport == -1 ? ZT_PORT : p->p_argport);
}

void
listen_open(struct parent *p)
{
	unsigned	 i;
	int		 port = listen_port(p);

	if (port != 0) {
		if (udp_wait((uint16_t)port) == -1)
			in_use((uint16_t)port, "UDP");
		if (open_all(p, (uint16_t)port) == -1)
			in_use((uint16_t)port, "TCP");
		p->p_port = (uint16_t)port;
		return;
	}
	for (i = 0; i < RANDOM_TRIES; i++) {
		port = 20000 + (int)arc4random_uniform(45500);
		if (udp_free((uint16_t)port) == -1 ||
		    open_all(p, (uint16_t)port) == -1)
			continue;
		p->p_port = (uint16_t)port;
		log_info("port %d was found free", port);
		return;
	}
	fatal("no free port found in %d tries", RANDOM_TRIES);
}

bool
listen_stale(const struct parent *p)
{
	return (p->p_nlisteners == 0 ||
	    p->p_listen_wide != wide(p));
}

void
listen_reopen(struct parent *p)
{
	listen_close(p);
	if (open_all(p, p->p_port) == -1)
		log_warn("cannot listen on TCP port %u for the API", p->p_port);
}

void
listen_close(struct parent *p)
{
	while (p->p_nlisteners > 0)
		close(p->p_listener[--p->p_nlisteners].l_fd);
}

static void
in_use(uint16_t port, const char *proto)
{
	if (errno == EADDRINUSE)
		fatalx("port %u (%s) is in use by another program; choose "
		    "one with -p", port, proto);
	fatal("cannot use port %u (%s)", port, proto);
}

/*
 * The engine binds every address by itself later; here the port must be
 * free on all of them.  One family is enough when the other is missing.
 */
static int
udp_free(uint16_t port)
{
	struct inet_addr	 any;
	int			 fd, good = 0;

	memset(&any, 0, sizeof(any));
	any.ia_port = port;
	for (any.ia_family = 4; any.ia_family <= 6; any.ia_family += 2) {
		if ((fd = bound(&any, SOCK_DGRAM)) != -1) {
			close(fd);
			good++;
		} else if (errno == EADDRINUSE || errno == EACCES)
			return (-1);
	}
	return (good > 0 ? 0 : -1);
}

/*
 * The engine of a ztd that was killed goes by itself, but not at once: its
 * interfaces are taken apart first.
 */
static int
udp_wait(uint16_t port)
{
	const struct timespec	 step = { 0, STEP_MS * 1000000L };
	unsigned		 i;

	for (i = 0; udp_free(port) == -1; i++) {
		if (errno != EADDRINUSE || i == PATIENCE_MS / STEP_MS)
			return (-1);
		(void)nanosleep(&step, NULL);
	}
	return (0);
}

/*
 * Loopback only, or everywhere when someone else may ask us.  0 when at
 * least one could be opened and none is taken.
 */
static int
open_all(struct parent *p, uint16_t port)
{
	struct listener	*l;
	int		 family, saved = 0;

	p->p_listen_wide = wide(p);
	for (family = 4; family <= 6; family += 2) {
		l = &p->p_listener[p->p_nlisteners];
		memset(&l->l_addr, 0, sizeof(l->l_addr));
		l->l_addr.ia_family = (uint8_t)family;
		l->l_addr.ia_port = port;
		if (!p->p_listen_wide && family == 4) {
			l->l_addr.ia_ip[0] = 127;
			l->l_addr.ia_ip[3] = 1;
		} else if (!p->p_listen_wide)
			l->l_addr.ia_ip[15] = 1;
		if ((l->l_fd = tcp_listen(&l->l_addr)) != -1) {
			p->p_nlisteners++;
			continue;
		}
		saved = errno;
		if (saved == EADDRINUSE || saved == EACCES) {
			listen_close(p);
			errno = saved;
			return (-1);
		}
	}
	errno = saved;
	return (p->p_nlisteners > 0 ? 0 : -1);
}

static bool
wide(const struct parent *p)
{
	return (p->p_settings.s_nmanagers > 0 || p->p_settings.s_nreaders > 0);
}

static int
tcp_listen(const struct inet_addr *ia)
{
	int	 fd, saved, on = 1;

	if ((fd = bound(ia, SOCK_STREAM)) == -1)
		return (-1);
	/*
	 * What is accepted inherits it.  Without, the end of a long answer
	 * waits for the client's delayed acknowledgement: 40 ms.
	 */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (listen(fd, BACKLOG) == 0)
		return (fd);
	saved = errno;
	close(fd);
	errno = saved;
	return (-1);
}

static int
bound(const struct inet_addr *ia, int type)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len;
	int			 fd, on = 1, saved;

	len = inet_to_sockaddr(ia, &ss);
	fd = socket(ss.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return (-1);
	/* Connections that just ended must not keep us from starting. */
	if (type == SOCK_STREAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
		    sizeof(on));
	if (ia->ia_family == 6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
		    sizeof(on));
	if (bind(fd, (struct sockaddr *)&ss, len) == 0)
		return (fd);
	saved = errno;
	close(fd);
	errno = saved;
	return (-1);
}
