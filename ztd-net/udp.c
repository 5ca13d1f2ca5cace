/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The UDP sockets: one for each of the host's addresses and each local
 * port, rebound when addresses come and go.  Spec: 02 section 13.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/version.h"
#include "ztd-net/engine.h"
#include "ztd-net/udp_batch.h"

#define PORTS		2	/* primary and secondary */
#define BUFFER_SIZE	(1024 * 1024)
#define RANDOM_BASE	20000
#define RANDOM_SPAN	45500
#define RANDOM_TRIES	1000
#define ROUNDS		8	/* batches before others get a turn */

struct usock {
	struct engine	*us_engine;
	uint32_t	 us_id;		/* 0: free */
	int		 us_fd;
	struct event	*us_event;
	struct inet_addr us_addr;	/* bound to, with port */
	bool		 us_wanted;	/* still, in the rebinding under way */
};

struct udp {
	struct usock	 u_socks[SOCKETS_MAX];
	uint32_t	 u_generation;
	uint16_t	 u_ports[PORTS];	/* 0: none */
	struct udp_batch *u_in;
	struct udp_outbox *u_out;
};

int
udp_new(struct engine *e)
{
	if ((e->e_udp = calloc(1, sizeof(*e->e_udp))) == NULL ||
	    (e->e_udp->u_in = udp_batch_new()) == NULL ||
	    (e->e_udp->u_out = udp_outbox_new()) == NULL)
		return (-1);
	return (0);
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
	struct usock		*us = arg;
	struct engine		*e = us->us_engine;
	struct udp_datagram	 d[UDP_BATCH];
	int64_t			 now = engine_now();
	uint32_t		 id = us->us_id;
	int			 i, n, round;

	(void)what;
	for (round = 0; round < ROUNDS; round++) {
		n = udp_batch_receive(e->e_udp->u_in, fd, d);
		for (i = 0; i < n && e->e_node != NULL; i++)
			node_datagram(e->e_node, now, id, &d[i].ud_from,
			    d[i].ud_data, d[i].ud_len);
		if (n < UDP_BATCH)
			break;
	}
	engine_flush(e);
}

static int
open_socket(const struct inet_addr *ia, const char *ifname)
{
	struct sockaddr_storage	 ss;
	socklen_t		 sslen;
	int			 fd, size, on = 1;

	fd = socket(ia->ia_family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM |
	    SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return (-1);
	for (size = BUFFER_SIZE; size >= 65536; size /= 2) {
		if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size,
		    sizeof(size)) == 0 && setsockopt(fd, SOL_SOCKET,
		    SO_SNDBUF, &size, sizeof(size)) == 0)
			break;
	}
	if (ia->ia_family == 6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
		    sizeof(on));
	udp_allow_fragments(fd, ia->ia_family);
	if (ifname != NULL)
		udp_bind_device(fd, ifname);
	sslen = inet_to_sockaddr(ia, &ss);
	if (bind(fd, (struct sockaddr *)&ss, sslen) == -1) {
		(void)close(fd);
		return (-1);
	}
	return (fd);
}

static void
sock_close(struct usock *us)
{
	event_free(us->us_event);
	(void)close(us->us_fd);
	memset(us, 0, sizeof(*us));
}

/* Keep the socket bound to this address, or open it. */
static void
sock_want(struct engine *e, const struct inet_addr *ia, const char *ifname)
{
	struct udp	*u = e->e_udp;
	struct usock	*us, *slot = NULL;
	char		 text[INET_TEXT];
	size_t		 i;

	for (i = 0; i < SOCKETS_MAX; i++) {
		us = &u->u_socks[i];
		if (us->us_id == 0) {
			slot = slot == NULL ? us : slot;
		} else if (inet_equal(&us->us_addr, ia)) {
			us->us_wanted = true;
			return;
		}
	}
	if (slot == NULL)
		return;
	if ((slot->us_fd = open_socket(ia, ifname)) == -1) {
		log_warn("cannot use UDP %s", inet_format(text, ia));
		return;
	}
	slot->us_event = event_new(e->e_base, slot->us_fd,
	    EV_READ | EV_PERSIST, sock_readable, slot);
	if (slot->us_event == NULL || event_add(slot->us_event, NULL) == -1)
		fatalx("UDP socket: out of memory");
	slot->us_engine = e;
	slot->us_addr = *ia;
	slot->us_wanted = true;
	slot->us_id = ++u->u_generation << 8 |
	    (uint32_t)(slot - u->u_socks + 1);
	log_debug("UDP %s", inet_format(text, ia));
}

static bool
port_free(uint16_t port)
{
	struct inet_addr ia;
	int		 fd;

	memset(&ia, 0, sizeof(ia));
	ia.ia_family = 4;
	ia.ia_port = port;
	if ((fd = open_socket(&ia, NULL)) == -1)
		return (false);
	(void)close(fd);
	return (true);
}

/* 13.1: a random port, kept for the life of the process. */
static uint16_t
random_port(void)
{
	unsigned	 i, port;

	port = RANDOM_BASE + arc4random_uniform(RANDOM_SPAN);
	for (i = 0; i < RANDOM_TRIES; i++, port++) {
		if (port > UINT16_MAX)
			port = RANDOM_BASE;
		if (port_free((uint16_t)port))
			return ((uint16_t)port);
	}
	return (0);
}

static void
choose_ports(struct engine *e)
{
	struct udp	*u = e->e_udp;

	u->u_ports[0] = e->e_port;
	if (!e->e_settings.s_allow_secondary)
		u->u_ports[1] = 0;
	else if (e->e_settings.s_secondary_port != 0)
		u->u_ports[1] = e->e_settings.s_secondary_port;
	else if (u->u_ports[1] == 0)
		u->u_ports[1] = random_port();
}

static void
want_all_ports(struct engine *e, const struct inet_addr *addr,
    const char *ifname)
{
	struct inet_addr ia = *addr;
	unsigned	 i;

	for (i = 0; i < PORTS; i++) {
		ia.ia_port = e->e_udp->u_ports[i];
		if (ia.ia_port != 0 &&
		    (i == 0 || ia.ia_port != e->e_udp->u_ports[0]))
			sock_want(e, &ia, ifname);
	}
}

/* May this address of the host carry VL1 (13.2)? */
static bool
acceptable(const struct engine *e, const struct msg_interface *mi)
{
	enum inet_scope	 scope = inet_scope(&mi->mi_addr);
	uint32_t	 i;

	if (mi->mi_virtual || mi->mi_temporary || udp_skips(mi->mi_name) ||
	    (scope != SCOPE_PSEUDOPRIVATE && scope != SCOPE_GLOBAL &&
	    scope != SCOPE_SHARED && scope != SCOPE_PRIVATE))
		return (false);
	for (i = 0; i < e->e_settings.s_nprefixes; i++) {
		if (strncmp(mi->mi_name, e->e_settings.s_prefixes[i],
		    strlen(e->e_settings.s_prefixes[i])) == 0)
			return (false);
	}
	for (i = 0; i < e->e_settings.s_nphysical; i++) {
		if (e->e_settings.s_physical[i].sp_blacklist &&
		    inet_contains(&e->e_settings.s_physical[i].sp_net,
		    &mi->mi_addr))
			return (false);
	}
	return (true);
}

/* What we are bound to now, offered to peers. */
static void
tell_core(struct engine *e, const struct msg_interface *list, size_t n)
{
	struct node_socket socks[SOCKETS_MAX];
	struct inet_addr nets[INTERFACES_MAX];
	size_t		 nsocks = 0, nnets = 0, i;

	for (i = 0; i < SOCKETS_MAX; i++) {
		if (e->e_udp->u_socks[i].us_id == 0)
			continue;
		socks[nsocks].ns_id = e->e_udp->u_socks[i].us_id;
		socks[nsocks++].ns_addr = e->e_udp->u_socks[i].us_addr;
	}
	for (i = 0; i < n; i++) {
		if (list[i].mi_virtual)
			nets[nnets++] = list[i].mi_addr;
	}
	node_virtual_prefixes(e->e_node, nets, nnets);
	node_sockets(e->e_node, engine_now(), socks, nsocks);
}

void
udp_rebind(struct engine *e, const struct msg_interface *list, size_t n)
{
	struct usock	*us;
	size_t		 i;

	choose_ports(e);
	for (i = 0; i < SOCKETS_MAX; i++)
		e->e_udp->u_socks[i].us_wanted = false;
	if (e->e_settings.s_nbind > 0) {
		for (i = 0; i < e->e_settings.s_nbind; i++)
			want_all_ports(e, &e->e_settings.s_bind[i], NULL);
	} else {
		for (i = 0; i < n; i++) {
			if (acceptable(e, &list[i]))
				want_all_ports(e, &list[i].mi_addr,
				    list[i].mi_name);
		}
	}
	udp_flush(e);
	for (i = 0; i < SOCKETS_MAX; i++) {
		us = &e->e_udp->u_socks[i];
		if (us->us_id != 0 && !us->us_wanted)
			sock_close(us);
	}
	tell_core(e, list, n);
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
	if (ttl != 0 && to->ia_family == 4) {
		udp_flush(e);
		send_ttl(us->us_fd, to, p, len, ttl);
	} else
		udp_outbox_put(e->e_udp->u_out, us->us_fd, to, p, len);
}

void
udp_send(struct engine *e, uint32_t sock, const struct inet_addr *to,
    const void *p, size_t len, unsigned ttl)
{
	struct usock	*us;
	size_t		 i;

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

	st->st_primary_port = u->u_ports[0];
	st->st_secondary_port = u->u_ports[1];
	for (i = 0; i < SOCKETS_MAX && st->st_nlisten < SURFACE_MAX; i++) {
		if (u->u_socks[i].us_id != 0)
			st->st_listen[st->st_nlisten++] =
			    u->u_socks[i].us_addr;
	}
}
