/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Contact with the roots, and what is done when none answers.
 *
 * A root at rest is asked when it was idle for 14 s; one that does not answer
 * is suspect after two more (watch.c), and then all are asked at once.  While
 * no root answers they are greeted again and again, and the watchdog goes
 * through its stages: after 10 s all sockets are opened anew, after 30 s with
 * another secondary port, and so on every two minutes.  (A TCP tunnel has its
 * place behind that.)  Whatever a root says ends all of this: there is no
 * state that only a restart would leave.  Spec: 02 sections 10.2, 12.6, 13.1.
 */

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "ztd-net/core/core.h"

#define CONTACT_MS	250	/* contacts: 250, 500, 750, ... apart */
#define CONTACT_MAX_MS	5000
#define OFFLINE_MS	20000	/* no root answers: we call it offline */
#define REBIND_MS	10000	/* stages of the watchdog */
#define NEW_PORT_MS	30000
#define STAGE_MS	120000
#define HEARD_MS	(2 * ALIVE_MS)	/* of a root at rest */

/* Is there a path to it on which it answers? */
static bool
root_fine(const struct peer *p, int64_t now)
{
	const struct path	*pa = peer_best_path(p, now, false);

	return (pa != NULL && !pa->pa_suspect && p->pe_last_receive != 0 &&
	    now - p->pe_last_receive < HEARD_MS);
}

/* HELLO to one stable endpoint of each family that got nothing yet. */
static unsigned
hello_endpoints(struct node *n, int64_t now, struct peer *p, unsigned sent)
{
	struct inet_addr	 to;

	if ((sent & 1) == 0 &&
	    topology_endpoint(n, p->pe_id.id_addr, 4, &to)) {
		hello_send(n, now, p, SOCKET_ANY, &to);
		sent |= 1;
	}
	if ((sent & 2) == 0 &&
	    topology_endpoint(n, p->pe_id.id_addr, 6, &to)) {
		hello_send(n, now, p, SOCKET_ANY, &to);
		sent |= 2;
	}
	return (sent);
}

static void
hello_relayed(struct node *n, int64_t now, struct peer *p)
{
	struct peer	*up;
	struct path	*path;

	if ((up = topology_best(n, now)) == NULL || up == p ||
	    (path = peer_best_path(up, now, true)) == NULL)
		return;
	hello_send(n, now, p, path->pa_sock, &path->pa_addr);
}

/* Keep a root that answers; returns when there is more to do. */
static int64_t
root_keep(struct node *n, int64_t now, struct peer *p, struct path *pa)
{
	int64_t	 due, last;

	last = pa->pa_last_out < pa->pa_last_in ? pa->pa_last_out :
	    pa->pa_last_in;
	if (now - last >= HEARTBEAT_MS) {
		probe(n, now, p, pa->pa_sock, &pa->pa_addr, 0);
		watch_sent(n, now, p, pa, false);
		last = now;
	}
	due = p->pe_last_full_hello + UPSTREAM_CONTACT_MS + 1;
	return (last + HEARTBEAT_MS < due ? last + HEARTBEAT_MS : due);
}

static int64_t
ping_root(struct node *n, int64_t now, struct peer *p)
{
	struct path	*pa = peer_best_path(p, now, false);
	bool		 fine = root_fine(p, now);

	tell_root(n, p, fine ? pa : NULL);
	if (fine && now - p->pe_last_full_hello <= UPSTREAM_CONTACT_MS)
		return (root_keep(n, now, p, pa));
	if (hello_endpoints(n, now, p, keepalive(n, now, p)) == 0)
		hello_relayed(n, now, p);
	p->pe_last_full_hello = now;
	return (now + (root_fine(p, now) ? HEARTBEAT_MS : PING_CHECK_MS));
}

int64_t
ping_roots(struct node *n, int64_t now)
{
	const uint64_t	*addrs;
	struct peer	*p;
	int64_t		 due = INT64_MAX, t;
	size_t		 i, naddrs;

	naddrs = topology_upstreams(n, &addrs);
	for (i = 0; i < naddrs; i++) {
		if ((p = peer_find(n, addrs[i])) == NULL)
			continue;	/* its identity was of no use */
		if ((t = ping_root(n, now, p)) < due)
			due = t;
	}
	return (due);
}

/* A leaf to be kept in contact: moon seeds, anchors, replicators. */
void
ping_contact(struct node *n, int64_t now, uint64_t addr)
{
	struct peer	*p;

	if (addr == n->n_id.id_addr || topology_is_upstream(n, addr))
		return;
	if ((p = peer_find(n, addr)) == NULL) {
		whois_request(n, now, addr);
		return;
	}
	if (now - p->pe_last_full_hello <= LEAF_CONTACT_MS)
		return;
	/* keepalive() notes its full HELLOs itself: a moon comes by one. */
	if (keepalive(n, now, p) == 0 && peer_alive_path(p, now) == NULL) {
		hello_relayed(n, now, p);
		p->pe_last_full_hello = now;
	}
}

/* ---- whether we are online ---------------------------------------- */

static void
set_online(struct node *n, bool online)
{
	if (online == n->n_online)
		return;
	n->n_online = online;
	n->n_next_ping = n->n_last_now;		/* now there is a way */
	if (n->n_cb.nc_online != NULL)
		n->n_cb.nc_online(n->n_arg, online);
}

void
root_heard(struct node *n, int64_t now)
{
	n->n_last_root = now;
	n->n_lost = 0;
	n->n_stage = 0;
	n->n_contacts = 0;
	set_online(n, true);
}

/* Greet every root that does not answer. */
static void
contact_roots(struct node *n, int64_t now)
{
	const uint64_t	*addrs;
	struct peer	*p;
	size_t		 i, naddrs;

	naddrs = topology_upstreams(n, &addrs);
	for (i = 0; i < naddrs; i++) {
		if ((p = peer_find(n, addrs[i])) == NULL ||
		    root_fine(p, now))
			continue;
		tell_root(n, p, NULL);
		(void)hello_endpoints(n, now, p, 0);
		p->pe_last_full_hello = now;
	}
}

void
root_lost(struct node *n, int64_t now, struct peer *lost)
{
	const uint64_t	*addrs;
	struct peer	*p;
	struct path	*pa;
	size_t		 i, naddrs;

	(void)hello_endpoints(n, now, lost, 0);
	naddrs = topology_upstreams(n, &addrs);
	for (i = 0; i < naddrs; i++) {
		if ((p = peer_find(n, addrs[i])) == NULL || p == lost ||
		    (pa = peer_best_path(p, now, false)) == NULL ||
		    now - pa->pa_last_in < CONTACT_MS)
			continue;
		probe(n, now, p, pa->pa_sock, &pa->pa_addr, 0);
		watch_sent(n, now, p, pa, false);
	}
	n->n_next_contact = now;
}

static bool
any_root_fine(struct node *n, int64_t now)
{
	const uint64_t	*addrs;
	struct peer	*p;
	size_t		 i, naddrs;

	naddrs = topology_upstreams(n, &addrs);
	for (i = 0; i < naddrs; i++) {
		if ((p = peer_find(n, addrs[i])) != NULL && root_fine(p, now))
			return (true);
	}
	return (false);
}

/* The next stage of the watchdog. */
static void
next_stage(struct node *n, int64_t now)
{
	bool	 new_port = ++n->n_stage > 1;

	n->n_stage_at = n->n_stage == 1 ? n->n_lost + NEW_PORT_MS :
	    now + STAGE_MS;
	node_log(n, LOG_NOTICE, "no root has answered for %lld s: UDP sockets "
	    "are opened anew, %s", (long long)((now - n->n_lost) / 1000),
	    new_port ? "with another secondary port" : "ports stay");
	if (n->n_cb.nc_rebind != NULL)
		n->n_cb.nc_rebind(n->n_arg, new_port);
	n->n_contacts = 0;
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return (a < b ? a : b);
}

int64_t
online_run(struct node *n, int64_t now)
{
	const uint64_t	*addrs;
	int64_t		 wait;

	if (topology_is_root(n))
		set_online(n, true);
	if (topology_upstreams(n, &addrs) == 0 || any_root_fine(n, now)) {
		n->n_lost = 0;
		return (now + HEARD_MS);	/* if nothing calls us before */
	}
	if (n->n_lost == 0) {
		n->n_lost = now;
		n->n_stage_at = now + REBIND_MS;
		n->n_contacts = 0;
	}
	if (!topology_is_root(n) && now - n->n_lost >= OFFLINE_MS)
		set_online(n, false);
	if (n->n_nsocks == 0)
		return (n->n_lost + OFFLINE_MS > now ?
		    n->n_lost + OFFLINE_MS : INT64_MAX);
	if (now >= n->n_stage_at && !topology_is_root(n))
		next_stage(n, now);
	contact_roots(n, now);
	wait = CONTACT_MS * (int64_t)++n->n_contacts;
	return (now + sooner(wait, CONTACT_MAX_MS));
}

/* ---- changes of the host's network -------------------------------- */

static void
roam_peer(struct node *n, int64_t now, struct peer *p)
{
	struct path	*pa;
	unsigned	 i;

	p->pe_last_push_sent = 0;
	p->pe_best_until = 0;
	for (i = 0; i < p->pe_npaths; i++) {
		pa = p->pe_paths[i].pp_path;
		mtu_doubt(pa);
		probe(n, now, p, pa->pa_sock, &pa->pa_addr, 0);
		watch_sent(n, now, p, pa, false);
	}
}

void
roam(struct node *n, int64_t now)
{
	const uint64_t	*addrs;
	struct peer	*p;
	size_t		 i, naddrs;

	naddrs = topology_upstreams(n, &addrs);
	for (i = 0; i < naddrs; i++) {
		if ((p = peer_find(n, addrs[i])) == NULL)
			continue;
		roam_peer(n, now, p);
		(void)hello_endpoints(n, now, p, 0);
		p->pe_last_full_hello = now;
	}
	TAILQ_FOREACH(p, &n->n_active, pe_active)
		roam_peer(n, now, p);
	n->n_contacts = 0;
	n->n_next_contact = now;
	n->n_next_ping = now;
}
