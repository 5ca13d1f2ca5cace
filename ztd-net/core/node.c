/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The node: its making and unmaking, its clockwork, and the small services
 * that all parts of the core use.  Spec: 02 section 10.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "common/log.h"
#include "ztd-net/core/core.h"

#define CONTACT_MS	250	/* first contact: 250, 500, 750, ... apart */
#define CONTACTS_MAX	8

static int	 node_parts(struct node *, int64_t);
static void	 ping_check(struct node *, int64_t);
static void	 ping_upstream(struct node *, int64_t, struct peer *);
static void	 ping_upstreams(struct node *, int64_t);
static void	 ping_contact(struct node *, int64_t, uint64_t);
static void	 ping_leaves(struct node *, int64_t);
static void	 first_contact(struct node *, int64_t);
static void	 update_online(struct node *, int64_t);
static void	 housekeeping(struct node *, int64_t);

struct node *
node_new(const struct identity *id, const struct node_callbacks *cb,
    void *arg, int64_t now)
{
	struct node	*n;

	if ((n = calloc(1, sizeof(*n))) == NULL)
		return (NULL);
	n->n_id = *id;
	n->n_cb = *cb;
	n->n_arg = arg;
	n->n_started = now;
	settings_init(&n->n_settings);
	RB_INIT(&n->n_peers);
	RB_INIT(&n->n_paths);
	RB_INIT(&n->n_networks);
	node_random(n, &n->n_pid_counter, sizeof(n->n_pid_counter));
	node_random(n, n->n_pid_key, sizeof(n->n_pid_key));
	if (node_parts(n, now) == -1) {
		node_free(n, now);
		return (NULL);
	}
	return (n);
}

static int
node_parts(struct node *n, int64_t now)
{
	if (rxq_new(n) == -1 || txq_new(n) == -1 || whois_new(n) == -1 ||
	    surface_new(n) == -1 || relay_new(n) == -1 ||
	    idcheck_new(n) == -1 || multicast_new(n) == -1)
		return (-1);
	return (topology_new(n, now));
}

void
node_free(struct node *n, int64_t now)
{
	if (n == NULL)
		return;
	networks_free(n);
	multicast_free(n);
	peers_free(n, now);
	topology_free(n);
	idcheck_free(n);
	relay_free(n);
	surface_free(n);
	whois_free(n);
	txq_free(n);
	rxq_free(n);
	free(n->n_local);
	free(n->n_virtual);
	crypto_wipe(n, sizeof(*n));
	free(n);
}

uint64_t
node_addr(const struct node *n)
{
	return (n->n_id.id_addr);
}

const struct identity *
node_identity(const struct node *n)
{
	return (&n->n_id);
}

bool
node_online(const struct node *n)
{
	return (n->n_online);
}

void
node_settings(struct node *n, int64_t now, const struct settings *s)
{
	n->n_settings = *s;
	n->n_next_ping = now;
}

static void
replace_addrs(struct inet_addr **dst, size_t *ndst,
    const struct inet_addr *src, size_t n)
{
	struct inet_addr	*copy = NULL;

	if (n > 0) {
		if ((copy = calloc(n, sizeof(*copy))) == NULL)
			return;
		memcpy(copy, src, n * sizeof(*copy));
	}
	free(*dst);
	*dst = copy;
	*ndst = n;
}

void
node_sockets(struct node *n, int64_t now, const struct node_socket *socks,
    size_t nsocks)
{
	struct inet_addr *addrs;
	struct peer	*p;
	size_t		 i;
	bool		 first = n->n_nlocal == 0;

	if ((addrs = calloc(nsocks + 1, sizeof(*addrs))) == NULL)
		return;
	for (i = 0; i < nsocks; i++)
		addrs[i] = socks[i].ns_addr;
	replace_addrs(&n->n_local, &n->n_nlocal, addrs, nsocks);
	free(addrs);
	/* News for those who know us: push with the next packet. */
	RB_FOREACH(p, peer_tree, &n->n_peers)
		p->pe_last_push_sent = 0;
	n->n_contacts = 0;
	n->n_next_contact = now;
	n->n_next_ping = now;
	if (!first)
		node_roamed(n, now);
}

void
node_virtual_prefixes(struct node *n, const struct inet_addr *nets,
    size_t nnets)
{
	replace_addrs(&n->n_virtual, &n->n_nvirtual, nets, nnets);
}

void
node_roamed(struct node *n, int64_t now)
{
	struct peer	*p;
	unsigned	 i;

	RB_FOREACH(p, peer_tree, &n->n_peers) {
		for (i = 0; i < p->pe_npaths; i++)
			hello_send(n, now, p, SOCKET_ANY,
			    &p->pe_paths[i].pp_path->pa_addr);
	}
	n->n_next_ping = now;
}

void
node_random(struct node *n, void *p, size_t len)
{
	if (n->n_cb.nc_random != NULL)
		n->n_cb.nc_random(n->n_arg, p, len);
	else
		crypto_random(p, len);
}

uint32_t
node_random_u32(struct node *n)
{
	uint32_t	v;

	node_random(n, &v, sizeof(v));
	return (v);
}

/*
 * Packet ids are nonces: a counter with a random start never repeats, and
 * the keyed mixing, every step of which can be undone, keeps it from being
 * read off the wire as a packet count.
 */
uint64_t
node_packet_id(struct node *n)
{
	uint64_t	x;

	x = n->n_pid_counter++ ^ n->n_pid_key[0];
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	x ^= x >> 31;
	return (x ^ n->n_pid_key[1]);
}

void
node_log(struct node *n, int level, const char *fmt, ...)
{
	char	 line[LOG_LINE];
	va_list	 ap;

	if (n->n_cb.nc_log == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	n->n_cb.nc_log(n->n_arg, level, line);
}

void
node_store(struct node *n, enum node_state what, uint64_t id, const void *p,
    size_t len)
{
	if (n->n_cb.nc_store != NULL)
		n->n_cb.nc_store(n->n_arg, what, id, p, len);
}

size_t
node_load(struct node *n, enum node_state what, uint64_t id, void *p,
    size_t size)
{
	if (n->n_cb.nc_load == NULL)
		return (0);
	return (n->n_cb.nc_load(n->n_arg, what, id, p, size));
}

int64_t
node_tick(struct node *n, int64_t now)
{
	int64_t	 next;

	if (now >= n->n_next_queue) {
		n->n_next_queue = now + QUEUE_RUN_MS;
		whois_run(n, now);
		rxq_expire(n, now);
		rxq_retry(n, now);
		txq_retry(n, now);
		if (!n->n_online && now >= n->n_next_contact)
			first_contact(n, now);
		update_online(n, now);
	}
	if (now >= n->n_next_ping) {
		n->n_next_ping = now + (low_bandwidth(n) ? 5 : 1) *
		    PING_CHECK_MS;
		ping_check(n, now);
	}
	if (now >= n->n_next_housekeeping) {
		n->n_next_housekeeping = now + HOUSEKEEPING_MS;
		housekeeping(n, now);
	}
	next = node_next(n);
	return (next > now ? next : now + 1);
}

int64_t
node_next(const struct node *n)
{
	return (n->n_next_ping < n->n_next_queue ? n->n_next_ping :
	    n->n_next_queue);
}

void
node_status(const struct node *n, int64_t now, struct node_status *ns)
{
	(void)now;
	memset(ns, 0, sizeof(*ns));
	ns->ns_online = n->n_online;
	ns->ns_npeers = n->n_npeers;
	ns->ns_npaths = n->n_npaths;
}

void
node_each_root(const struct node *n, int64_t now,
    void (*cb)(const struct node_root *, void *), void *arg)
{
	struct node_root	 nt;
	const uint64_t		*addrs;
	struct peer		*p;
	size_t			 i, naddrs;

	naddrs = topology_upstreams(n, &addrs);
	for (i = 0; i < naddrs; i++) {
		memset(&nt, 0, sizeof(nt));
		nt.nt_addr = addrs[i];
		nt.nt_role = topology_role(n, addrs[i]);
		nt.nt_latency = -1;
		p = peer_find((struct node *)(uintptr_t)n, addrs[i]);
		if (p != NULL) {
			nt.nt_latency = peer_latency(p, now);
			nt.nt_last_receive = p->pe_last_receive;
		}
		cb(&nt, arg);
	}
}

static void
housekeeping(struct node *n, int64_t now)
{
	networks_housekeeping(n, now);
	peers_housekeeping(n, now);
	paths_housekeeping(n, now);
	surface_housekeeping(n, now);
}

/* 10.2, with an ECHO to idle upstreams in place of the accidental WHOIS. */
static void
ping_check(struct node *n, int64_t now)
{
	ping_upstreams(n, now);
	topology_each_seed(n, ping_contact, now);
	networks_each_contact(n, ping_contact, now);
	ping_leaves(n, now);
	networks_tick(n, now);
	update_online(n, now);
}

static void
ping_upstreams(struct node *n, int64_t now)
{
	const uint64_t	*addrs;
	struct peer	*p;
	size_t		 i, naddrs;

	naddrs = topology_upstreams(n, &addrs);
	for (i = 0; i < naddrs; i++) {
		if ((p = peer_find(n, addrs[i])) != NULL)
			ping_upstream(n, now, p);
		else
			whois_request(n, now, addrs[i]);
	}
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

static void
ping_upstream(struct node *n, int64_t now, struct peer *p)
{
	struct path	*path;
	bool		 heard;

	heard = now - p->pe_last_receive < 2 * ALIVE_MS;
	path = peer_best_path(p, now, false);
	if (path != NULL && heard &&
	    now - p->pe_last_full_hello <= UPSTREAM_CONTACT_MS) {
		if (now - path->pa_last_out >= HEARTBEAT_MS ||
		    now - path->pa_last_in >= HEARTBEAT_MS)
			probe(n, now, p, path->pa_sock, &path->pa_addr);
		return;
	}
	if (hello_endpoints(n, now, p, keepalive(n, now, p)) == 0)
		hello_relayed(n, now, p);
	p->pe_last_full_hello = now;
}

/*
 * While no upstream answers, greet those without a path sooner than the
 * next ping check: the first HELLO easily meets a closed rate gate, or
 * sockets that are not there yet.
 */
static void
first_contact(struct node *n, int64_t now)
{
	const uint64_t	*addrs;
	struct peer	*p;
	size_t		 i, naddrs;

	if (n->n_contacts >= CONTACTS_MAX)
		return;		/* from here on with the ping checks */
	n->n_contacts++;
	n->n_next_contact = now + CONTACT_MS * n->n_contacts;
	naddrs = topology_upstreams(n, &addrs);
	for (i = 0; i < naddrs; i++) {
		if ((p = peer_find(n, addrs[i])) != NULL && p->pe_npaths == 0)
			(void)hello_endpoints(n, now, p, 0);
	}
}

/* A leaf to be kept in contact: moon seeds, anchors, replicators. */
static void
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

static void
ping_leaves(struct node *n, int64_t now)
{
	struct peer	*p;

	RB_FOREACH(p, peer_tree, &n->n_peers) {
		if (topology_is_upstream(n, p->pe_id.id_addr))
			continue;
		if (p->pe_last_nontrivial != 0 &&
		    now - p->pe_last_nontrivial < PEER_EXPIRY_MS)
			(void)keepalive(n, now, p);
	}
}

static void
update_online(struct node *n, int64_t now)
{
	const uint64_t	*addrs;
	struct peer	*p;
	size_t		 i, naddrs;
	bool		 online;

	online = topology_is_root(n);
	naddrs = topology_upstreams(n, &addrs);
	for (i = 0; i < naddrs && !online; i++) {
		p = peer_find(n, addrs[i]);
		online = p != NULL && p->pe_last_receive != 0 &&
		    now - p->pe_last_receive < 2 * FULL_HELLO_MS;
	}
	if (online == n->n_online)
		return;
	n->n_online = online;
	n->n_contacts = 0;
	if (n->n_cb.nc_online != NULL)
		n->n_cb.nc_online(n->n_arg, online);
}
