/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Which UDP sockets there are to be: one for each of the host's addresses,
 * or of the operator's list, and each local port.  Those that stay the same
 * are not touched, whatever changes.  Spec: 02 sections 13.1 and 13.2.
 *
 * What cannot be bound is tried again after 5 s, then more and more seldom:
 * another program may have the port, or the address is not ready.  A random
 * port that is taken on one address is replaced there alone.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "ztd-net/udp.h"

#define RETRY_MIN	5	/* s */
#define RETRY_MAX	60
#define ELSEWHERE_TRIES	64	/* other ports for one address */

/* mi: the interface to bind to, NULL for an address of the operator's. */
typedef void (*want_one)(struct engine *, enum udp_port,
	    const struct inet_addr *, const struct msg_interface *mi);

static bool	 acceptable(const struct engine *,
		    const struct msg_interface *);
static bool	 named(const char *, const char [][SETTINGS_PREFIX_LEN],
		    uint32_t);
static void	 keep(struct engine *, enum udp_port, const struct inet_addr *,
		    const struct msg_interface *);
static void	 open_missing(struct engine *, enum udp_port,
		    const struct inet_addr *, const struct msg_interface *);
static struct usock *have(struct udp *, enum udp_port,
		    const struct inet_addr *);
static struct usock *open_elsewhere(struct engine *, const struct inet_addr *,
		    const char *);
static void	 failed(struct udp *, const struct inet_addr *, int);
static void	 worked(struct udp *, const struct inet_addr *);
static void	 want_all(struct engine *, want_one);
static void	 sweep_sockets(struct udp *);
static void	 sweep_failed(struct udp *);
static void	 retry_later(struct udp *);
static void	 retry_now(evutil_socket_t, short, void *);
static void	 renew_now(evutil_socket_t, short, void *);
static void	 tell_core(struct engine *);

int
udp_bind_new(struct engine *e)
{
	struct udp	*u = e->e_udp;

	u->u_retry = evtimer_new(e->e_base, retry_now, e);
	u->u_renew = evtimer_new(e->e_base, renew_now, e);
	return (u->u_retry == NULL || u->u_renew == NULL ? -1 : 0);
}

void
udp_interfaces(struct engine *e, const struct msg_interface *list, size_t n)
{
	struct udp		*u = e->e_udp;
	struct msg_interface	*copy;

	if ((copy = reallocarray(u->u_ifs, n + 1, sizeof(*list))) == NULL) {
		log_warn("cannot list interfaces");
		return;
	}
	u->u_ifs = copy;
	u->u_nifs = n;
	if (n > 0)
		memcpy(u->u_ifs, list, n * sizeof(*list));
	u->u_known = true;
	udp_bind(e);
}

void
udp_bind(struct engine *e)
{
	struct udp	*u = e->e_udp;
	size_t		 i;

	if (!u->u_known || e->e_node == NULL)
		return;
	for (i = 0; i < SOCKETS_MAX; i++)
		u->u_socks[i].us_wanted = false;
	for (i = 0; i < u->u_nfailed; i++)
		u->u_failed[i].uf_wanted = false;
	udp_ports_choose(e);
	/* First what goes: it may have the place of what comes. */
	udp_flush(e);
	want_all(e, keep);
	sweep_sockets(u);
	want_all(e, open_missing);
	sweep_failed(u);
	retry_later(u);
	tell_core(e);
}

/* The primary port of all addresses first: there may be too many. */
static void
want_all(struct engine *e, want_one want)
{
	struct udp		*u = e->e_udp;
	const struct settings	*s = &e->e_settings;
	enum udp_port		 port;
	size_t			 i;

	for (port = PORT_PRIMARY; port < PORTS; port++) {
		if (u->u_ports[port] == 0)
			continue;
		for (i = 0; i < s->s_nbind; i++)
			want(e, port, &s->s_bind[i], NULL);
		for (i = 0; i < u->u_nifs && s->s_nbind == 0; i++) {
			if (acceptable(e, &u->u_ifs[i]))
				want(e, port, &u->u_ifs[i].mi_addr,
				    &u->u_ifs[i]);
		}
	}
}

/* May this address of the host carry VL1 (13.2)? */
static bool
acceptable(const struct engine *e, const struct msg_interface *mi)
{
	const struct settings	*s = &e->e_settings;
	enum inet_scope		 scope = inet_scope(&mi->mi_addr);
	uint32_t		 i;

	if (mi->mi_virtual || mi->mi_temporary || udp_skips(mi->mi_name) ||
	    (scope != SCOPE_PSEUDOPRIVATE && scope != SCOPE_GLOBAL &&
	    scope != SCOPE_SHARED && scope != SCOPE_PRIVATE))
		return (false);
	if (named(mi->mi_name, s->s_prefixes, s->s_nprefixes) ||
	    (s->s_nincludes > 0 &&
	    !named(mi->mi_name, s->s_includes, s->s_nincludes)))
		return (false);
	for (i = 0; i < s->s_nphysical; i++) {
		if (s->s_physical[i].sp_blacklist &&
		    inet_contains(&s->s_physical[i].sp_net, &mi->mi_addr))
			return (false);
	}
	return (true);
}

/* Does the name begin with one of these? */
static bool
named(const char *name, const char prefixes[][SETTINGS_PREFIX_LEN],
    uint32_t n)
{
	uint32_t	 i;

	for (i = 0; i < n; i++) {
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return (true);
	}
	return (false);
}

/*
 * The socket for this address stays, unless that is on another interface
 * now, if only on one that was made anew under the old name: the socket is
 * bound to what is gone.
 */
static void
keep(struct engine *e, enum udp_port port, const struct inet_addr *addr,
    const struct msg_interface *mi)
{
	struct udp	*u = e->e_udp;
	struct usock	*us;
	struct inet_addr ia = *addr;

	ia.ia_port = u->u_ports[port];
	if ((us = have(u, port, &ia)) != NULL &&
	    us->us_ifindex == (mi == NULL ? 0 : mi->mi_index) &&
	    strcmp(us->us_ifname, mi == NULL ? "" : mi->mi_name) == 0)
		us->us_wanted = true;
}

static void
open_missing(struct engine *e, enum udp_port port,
    const struct inet_addr *addr, const struct msg_interface *mi)
{
	struct udp	*u = e->e_udp;
	struct usock	*us;
	struct inet_addr ia = *addr;
	const char	*ifname = mi == NULL ? "" : mi->mi_name;
	bool		 elsewhere = false;

	ia.ia_port = u->u_ports[port];
	if (have(u, port, &ia) != NULL)
		return;
	us = udp_open(e, &ia, ifname);
	if (us == NULL && errno == EADDRINUSE && u->u_random[port]) {
		elsewhere = true;
		us = open_elsewhere(e, &ia, ifname);
	}
	if (us == NULL) {
		failed(u, &ia, errno);
		return;
	}
	us->us_port = port;
	us->us_ifindex = mi == NULL ? 0 : mi->mi_index;
	us->us_elsewhere = elsewhere;
	us->us_wanted = true;
	worked(u, &ia);
}

static struct usock *
have(struct udp *u, enum udp_port port, const struct inet_addr *ia)
{
	struct usock	*us;
	size_t		 i;

	for (i = 0; i < SOCKETS_MAX; i++) {
		us = &u->u_socks[i];
		if (us->us_id != 0 && us->us_port == port &&
		    inet_same_ip(&us->us_addr, ia) &&
		    (us->us_addr.ia_port == ia->ia_port ||
		    (us->us_elsewhere && u->u_random[port])))
			return (us);
	}
	return (NULL);
}

static struct usock *
open_elsewhere(struct engine *e, const struct inet_addr *addr,
    const char *ifname)
{
	struct usock	*us;
	struct inet_addr ia = *addr;
	unsigned	 i;

	ia.ia_port = 0;
	for (i = 0; i < ELSEWHERE_TRIES; i++) {
		ia.ia_port = udp_port_next(ia.ia_port);
		if ((us = udp_open(e, &ia, ifname)) != NULL ||
		    errno != EADDRINUSE)
			return (us);
	}
	return (NULL);
}

/* Said once, until it works again. */
static void
failed(struct udp *u, const struct inet_addr *ia, int error)
{
	struct ufail	*uf;
	char		 text[INET_TEXT];
	size_t		 i;

	if (error == ENOSPC) {
		if (!u->u_full)
			log_warnx("more than %d UDP sockets are wanted: no "
			    "more are opened", SOCKETS_MAX);
		u->u_full = true;
		return;
	}
	for (i = 0; i < u->u_nfailed; i++) {
		if (inet_equal(&u->u_failed[i].uf_addr, ia)) {
			u->u_failed[i].uf_wanted = true;
			return;
		}
	}
	if (u->u_nfailed == SOCKETS_MAX)
		return;
	uf = &u->u_failed[u->u_nfailed++];
	uf->uf_addr = *ia;
	uf->uf_wanted = true;
	u->u_wait = 0;
	log_warnx("UDP %s cannot be used: %s; trying again",
	    inet_format(text, ia), strerror(error));
}

static void
worked(struct udp *u, const struct inet_addr *ia)
{
	char	 text[INET_TEXT];
	size_t	 i;

	for (i = 0; i < u->u_nfailed; i++) {
		if (inet_equal(&u->u_failed[i].uf_addr, ia)) {
			log_info("UDP %s can be used now",
			    inet_format(text, ia));
			u->u_failed[i] = u->u_failed[--u->u_nfailed];
			return;
		}
	}
	log_debug("UDP %s", inet_format(text, ia));
}

/* What nobody wants any more goes. */
static void
sweep_sockets(struct udp *u)
{
	size_t	 i;

	for (i = 0; i < SOCKETS_MAX; i++)
		if (u->u_socks[i].us_id != 0 && !u->u_socks[i].us_wanted)
			udp_close(&u->u_socks[i]);
}

static void
sweep_failed(struct udp *u)
{
	size_t	 i;

	for (i = u->u_nfailed; i > 0; i--) {
		if (!u->u_failed[i - 1].uf_wanted)
			u->u_failed[i - 1] = u->u_failed[--u->u_nfailed];
	}
}

/* ---- again -------------------------------------------------------- */

static void
retry_later(struct udp *u)
{
	struct timeval	 tv = { RETRY_MIN, 0 };

	if (u->u_nfailed == 0) {
		u->u_wait = 0;
		(void)evtimer_del(u->u_retry);
		return;
	}
	if (u->u_wait != 0 && evtimer_pending(u->u_retry, NULL))
		return;
	u->u_wait = u->u_wait == 0 ? RETRY_MIN : u->u_wait * 2;
	if (u->u_wait > RETRY_MAX)
		u->u_wait = RETRY_MAX;
	tv.tv_sec = u->u_wait;
	(void)evtimer_add(u->u_retry, &tv);
}

static void
retry_now(evutil_socket_t fd, short what, void *arg)
{
	struct engine	*e = arg;

	(void)fd;
	(void)what;
	udp_bind(e);
	engine_flush(e);
}

/* Not now: a datagram of one of the sockets may be in the core's hands. */
void
udp_renew(struct engine *e, bool new_port)
{
	const struct timeval	 soon = { 0, 0 };

	e->e_udp->u_new_port |= new_port;
	(void)evtimer_add(e->e_udp->u_renew, &soon);
}

static void
renew_now(evutil_socket_t fd, short what, void *arg)
{
	struct engine	*e = arg;
	struct udp	*u = e->e_udp;
	size_t		 i;

	(void)fd;
	(void)what;
	udp_flush(e);
	for (i = 0; i < SOCKETS_MAX; i++) {
		if (u->u_socks[i].us_id != 0)
			udp_close(&u->u_socks[i]);
	}
	if (u->u_new_port && u->u_random[PORT_SECONDARY])
		u->u_ports[PORT_SECONDARY] = 0;
	u->u_new_port = false;
	udp_bind(e);
	log_debug("UDP sockets opened anew, ports %u, %u, %u",
	    u->u_ports[PORT_PRIMARY], u->u_ports[PORT_SECONDARY],
	    u->u_ports[PORT_TERTIARY]);
	engine_flush(e);
}

/* ---- the core ----------------------------------------------------- */

/* What we are bound to now, offered to peers. */
static void
tell_core(struct engine *e)
{
	const struct udp	*u = e->e_udp;
	struct node_socket	 socks[SOCKETS_MAX];
	struct inet_addr	*nets;
	size_t			 nsocks = 0, nnets = 0, i;

	nets = xcalloc(u->u_nifs, sizeof(*nets));
	memset(socks, 0, sizeof(socks));
	for (i = 0; i < SOCKETS_MAX; i++) {
		if (u->u_socks[i].us_id == 0)
			continue;
		socks[nsocks].ns_id = u->u_socks[i].us_id;
		socks[nsocks++].ns_addr = u->u_socks[i].us_addr;
	}
	for (i = 0; i < u->u_nifs; i++) {
		if (u->u_ifs[i].mi_virtual)
			nets[nnets++] = u->u_ifs[i].mi_addr;
	}
	node_virtual_prefixes(e->e_node, nets, nnets);
	free(nets);
	node_sockets(e->e_node, engine_now(), socks, nsocks);
}
