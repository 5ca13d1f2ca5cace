/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The UDP sockets: opening, reading, writing.  Spec: 02 section 13.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "ztd-net/udp.h"

/*
 * A TCP stream's window arrives in bursts of megabytes.  The kernel counts
 * its own overhead, too, and grants less where an administrator says so.
 */
#define BUFFER_SIZE	(7 * 1024 * 1024)
#define BUFFER_LEAST	65536
#define TURN		(512 * 1024)	/* bytes before others get a turn */

/* With one alone, a thread for sending would only cost. */
static bool
several_cpus(void)
{
	return (sysconf(_SC_NPROCESSORS_ONLN) > 1);
}

int
udp_new(struct engine *e)
{
	if ((e->e_udp = calloc(1, sizeof(*e->e_udp))) == NULL ||
	    (e->e_udp->u_in = udp_batch_new()) == NULL ||
	    (e->e_udp->u_out = udp_outbox_new(several_cpus())) == NULL)
		return (-1);
	return (udp_bind_new(e));
}

static struct usock *
sock_find(const struct engine *e, uint32_t id)
{
	struct usock	*us;

	if ((id & 0xff) == 0)
		return (NULL);
	us = &e->e_udp->u_socks[(id & 0xff) - 1];
	return (us->us_id == id ? us : NULL);
}

static void
sock_readable(int fd, short what, void *arg)
{
	struct usock			*us = arg;
	struct engine			*e = us->us_engine;
	const struct node_datagram	*list;
	int64_t				 now = engine_now();
	uint32_t			 id = us->us_id;
	size_t				 n, i;
	size_t				 bytes = 0, buffers = 0;
	int				 filled;

	(void)what;
	urgent_gather(e, &us->us_gather);
	while (bytes < TURN) {
		filled = udp_batch_receive(e->e_udp->u_in, fd, us->us_runs,
		    &list, &n);
		buffers += (size_t)filled;
		for (i = 0; i < n; i++) {
			bytes += list[i].nd_len;
			e->e_bytes[1] += list[i].nd_len;
		}
		if (n > 0 && e->e_node != NULL)
			node_datagrams(e->e_node, now, id, list, n);
		if (filled < UDP_BATCH)
			break;
	}
	engine_flush(e);
	urgent_gathered(e, &us->us_gather, bytes, buffers);
}

/* Some systems refuse what is too large, others grant what they can. */
static void
set_buffer(int fd, int which)
{
	int	 size;

	for (size = BUFFER_SIZE; size >= BUFFER_LEAST; size /= 2) {
		if (setsockopt(fd, SOL_SOCKET, which, &size,
		    sizeof(size)) == 0)
			return;
	}
}

static int
open_socket(const struct inet_addr *ia, const char *ifname)
{
	struct sockaddr_storage	 ss;
	socklen_t		 sslen;
	int			 fd, saved, on = 1;

	fd = socket(ia->ia_family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM |
	    SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return (-1);
	set_buffer(fd, SO_RCVBUF);
	set_buffer(fd, SO_SNDBUF);
	if (ia->ia_family == 6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
		    sizeof(on));
	udp_allow_fragments(fd, ia->ia_family);
	if (*ifname != '\0')
		udp_bind_device(fd, ifname);
	sslen = inet_to_sockaddr(ia, &ss);
	if (bind(fd, (struct sockaddr *)&ss, sslen) == -1) {
		saved = errno;
		(void)close(fd);
		errno = saved;
		return (-1);
	}
	return (fd);
}

struct usock *
udp_open(struct engine *e, const struct inet_addr *ia, const char *ifname)
{
	struct udp	*u = e->e_udp;
	struct usock	*us = u->u_socks;
	int		 fd;

	while (us < u->u_socks + SOCKETS_MAX && us->us_id != 0)
		us++;
	if (us == u->u_socks + SOCKETS_MAX) {
		errno = ENOSPC;
		return (NULL);
	}
	if ((fd = open_socket(ia, ifname)) == -1)
		return (NULL);
	us->us_fd = fd;
	us->us_runs = e->e_settings.s_offload && udp_coalesce(fd);
	us->us_event = event_new(e->e_base, fd, EV_READ | EV_PERSIST,
	    sock_readable, us);
	if (us->us_event == NULL || event_add(us->us_event, NULL) == -1)
		fatalx("out of memory");
	us->us_engine = e;
	us->us_addr = *ia;
	(void)strlcpy(us->us_ifname, ifname, sizeof(us->us_ifname));
	us->us_id = ++u->u_generation << 8 | (uint32_t)(us - u->u_socks + 1);
	return (us);
}

void
udp_close(struct usock *us)
{
	udp_outbox_drain(us->us_engine->e_udp->u_out);
	event_free(us->us_event);
	(void)close(us->us_fd);
	memset(us, 0, sizeof(*us));
}

/* A family that is missing has the port free. */
bool
udp_port_free(uint16_t port)
{
	struct inet_addr ia;
	int		 fd;

	memset(&ia, 0, sizeof(ia));
	ia.ia_port = port;
	for (ia.ia_family = 4; ia.ia_family <= 6; ia.ia_family += 2) {
		if ((fd = open_socket(&ia, "")) != -1)
			(void)close(fd);
		else if (errno == EADDRINUSE || errno == EACCES)
			return (false);
	}
	return (true);
}

/* A datagram that is to die on its way: rare, so not batched. */
static void
send_ttl(int fd, const struct inet_addr *to, const void *p, size_t len,
    unsigned ttl)
{
	struct sockaddr_storage	 ss;
	socklen_t		 sslen, optlen;
	int			 low = (int)ttl, usual = 64;

	optlen = sizeof(usual);
	(void)getsockopt(fd, IPPROTO_IP, IP_TTL, &usual, &optlen);
	(void)setsockopt(fd, IPPROTO_IP, IP_TTL, &low, sizeof(low));
	sslen = inet_to_sockaddr(to, &ss);
	(void)sendto(fd, p, len, 0, (struct sockaddr *)&ss, sslen);
	(void)setsockopt(fd, IPPROTO_IP, IP_TTL, &usual, sizeof(usual));
}

static void
send_from(struct engine *e, const struct usock *us,
    const struct inet_addr *to, const void *p, size_t len, unsigned ttl)
{
	e->e_bytes[0] += len;
	if (ttl != 0 && to->ia_family == 4) {
		udp_outbox_drain(e->e_udp->u_out);
		send_ttl(us->us_fd, to, p, len, ttl);
	} else
		udp_outbox_put(e->e_udp->u_out, us->us_fd, us->us_runs, to,
		    p, len);
}

void
udp_send(struct engine *e, uint32_t sock, const struct inet_addr *to,
    const void *p, size_t len, unsigned ttl)
{
	struct usock	*us;
	size_t		 i;

	if (e->e_pins != NULL && pins_hold(e, sock, to, p, len, ttl))
		return;
	if (sock != SOCKET_ANY && (us = sock_find(e, sock)) != NULL) {
		send_from(e, us, to, p, len, ttl);
		return;
	}
	for (i = 0; i < SOCKETS_MAX; i++) {
		us = &e->e_udp->u_socks[i];
		if (us->us_id != 0 && us->us_addr.ia_family == to->ia_family)
			send_from(e, us, to, p, len, ttl);
	}
}

void
udp_flush(struct engine *e)
{
	udp_outbox_flush(e->e_udp->u_out);
}

uint64_t
udp_denied(const struct engine *e, int64_t *last)
{
	return (udp_outbox_denied(e->e_udp->u_out, last));
}

void
udp_rest(struct engine *e)
{
	udp_batch_rest(e->e_udp->u_in);
	udp_outbox_rest(e->e_udp->u_out);
}

void
udp_local(const struct engine *e, uint32_t sock, struct inet_addr *dst)
{
	const struct usock	*us = sock_find(e, sock);

	memset(dst, 0, sizeof(*dst));
	if (us != NULL)
		*dst = us->us_addr;
}

void
udp_status(const struct engine *e, struct msg_status *st)
{
	const struct udp	*u = e->e_udp;
	size_t			 i;

	st->st_primary_port = u->u_ports[PORT_PRIMARY];
	st->st_secondary_port = u->u_ports[PORT_SECONDARY];
	st->st_tertiary_port = u->u_ports[PORT_TERTIARY];
	for (i = 0; i < SOCKETS_MAX && st->st_nlisten < SURFACE_MAX; i++) {
		if (u->u_socks[i].us_id != 0)
			st->st_listen[st->st_nlisten++] =
			    u->u_socks[i].us_addr;
	}
	for (i = 0; i < u->u_nfailed && i < SURFACE_MAX; i++) {
		st->st_failed[i].mf_addr = u->u_failed[i].uf_addr;
		st->st_failed[i].mf_error = u->u_failed[i].uf_error;
	}
	st->st_nfailed = (uint32_t)i;
}
