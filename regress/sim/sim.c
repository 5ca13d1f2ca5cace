/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The world of a simulation: roots, hosts, their nodes.
 */

#include <err.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdlib.h>
#include <string.h>

#include "common/world.h"
#include "regress/lib/store.h"
#include "regress/sim/flow.h"
#include "regress/sim/issue.h"
#include "regress/sim/sim.h"

#define PLANET_ID	4711
#define ROOT_DELAY	5
#define ROOT_STEP	10
#define PORT_LOW	20000

struct sim {
	struct clock	*s_clock;
	struct net	*s_net;
	struct flows	*s_flows;
	struct host	**s_hosts;
	unsigned	 s_nhosts, s_room;
	unsigned	 s_nroots;
	struct host	*s_roots[SIM_ROOTS];
	uint8_t		 s_planet[WORLD_MAX];
	size_t		 s_planetlen;
};

/* A node wants its sockets opened anew, once it has returned. */
struct rebinding {
	unsigned	 rb_generation;
	bool		 rb_new_port;
};

static void	 host_deliver(void *, struct dgram *);
static void	 host_tick(void *, void *, size_t);

/* --- the world -------------------------------------------------------- */

struct sim *
sim_new(uint64_t seed)
{
	struct sim	*s;

	if (crypto_init() == -1 || (s = calloc(1, sizeof(*s))) == NULL ||
	    (s->s_clock = clock_new(seed, SIM_START)) == NULL ||
	    (s->s_net = net_new(s->s_clock, host_deliver)) == NULL ||
	    (s->s_flows = flows_new(s)) == NULL)
		err(1, "no simulation");
	return (s);
}

void
sim_free(struct sim *s)
{
	unsigned	 i;

	for (i = 0; i < s->s_nhosts; i++) {
		host_stop(s->s_hosts[i]);
		store_free(&s->s_hosts[i]->h_state);
		free(s->s_hosts[i]);
	}
	free(s->s_hosts);
	flows_free(s->s_flows);
	net_free(s->s_net);
	clock_free(s->s_clock);
	free(s);
}

struct clock *
sim_clock(struct sim *s)
{
	return (s->s_clock);
}

struct net *
sim_net(struct sim *s)
{
	return (s->s_net);
}

struct flows *
sim_flows(const struct sim *s)
{
	return (s->s_flows);
}

int64_t
sim_now(const struct sim *s)
{
	return (clock_now(s->s_clock));
}

uint64_t
sim_random(struct sim *s)
{
	return (clock_random(s->s_clock));
}

void
sim_run(struct sim *s, int64_t ms)
{
	(void)clock_run(s->s_clock, ms, NULL, NULL);
}

bool
sim_until(struct sim *s, int64_t ms, bool (*done)(void *), void *arg)
{
	return (clock_run(s->s_clock, ms, done, arg));
}

size_t
sim_memory(void)
{
#ifdef __GLIBC__
	struct mallinfo2	 mi = mallinfo2();

	return (mi.uordblks + mi.hblkhd);
#else
	return (0);
#endif
}

unsigned
sim_nhosts(const struct sim *s)
{
	return (s->s_nhosts);
}

struct host *
sim_host(struct sim *s, unsigned i)
{
	return (s->s_hosts[i]);
}

unsigned
sim_nroots(const struct sim *s)
{
	return (s->s_nroots);
}

struct host *
sim_root(struct sim *s, unsigned i)
{
	return (s->s_roots[i]);
}

/* A stored planet is taken without a look at its signature. */
void
sim_roots(struct sim *s, unsigned n)
{
	static struct world	 w;
	struct world_root	*r;
	struct link		 link;
	struct wbuf		 wb;
	struct host		*h;
	unsigned		 i;

	memset(&w, 0, sizeof(w));
	w.w_type = WORLD_PLANET;
	w.w_id = PLANET_ID;
	w.w_ts = SIM_START;
	for (i = 0; i < n; i++) {
		memset(&link, 0, sizeof(link));
		link.lk_delay = ROOT_DELAY + ROOT_STEP * i;
		h = s->s_roots[s->s_nroots++] = host_new(s,
		    net_internet(s->s_net), &link);
		host_add6(h);
		h->h_nwid = 0;
		r = &w.w_roots[w.w_nroots++];
		r->wr_identity = h->h_id;
		r->wr_nendpoints = 2;
		r->wr_endpoints[0] = h->h_ifaces[0].if_addr[0];
		r->wr_endpoints[1] = h->h_ifaces[0].if_addr[1];
		r->wr_endpoints[0].ia_port = SIM_PORT;
		r->wr_endpoints[1].ia_port = SIM_PORT;
	}
	wbuf_init(&wb, s->s_planet, sizeof(s->s_planet));
	world_put(&wb, &w);
	if (!wbuf_ok(&wb))
		errx(1, "the planet is too large");
	s->s_planetlen = wb.wb_len;
	for (i = 0; i < n; i++)
		host_start(s->s_roots[i]);
}

/* --- what nodes call -------------------------------------------------- */

static void
send_from(struct host *h, const struct host_socket *hs,
    const struct inet_addr *to, const void *p, size_t len, unsigned ttl)
{
	h->h_sent++;
	h->h_sent_bytes += len;
	net_send(h->h_sim->s_net, hs->hs_at, h->h_index,
	    &hs->hs_socket.ns_addr, to, p, len, ttl);
}

static void
cb_send(void *arg, uint32_t sock, const struct inet_addr *to, const void *p,
    size_t len, unsigned ttl)
{
	const struct host_socket *hs;
	struct host		*h = arg;
	unsigned		 i;

	for (i = 0; i < h->h_nsockets; i++) {
		hs = &h->h_sockets[i];
		if (sock == SOCKET_ANY ? hs->hs_socket.ns_addr.ia_family ==
		    to->ia_family : hs->hs_socket.ns_id == sock)
			send_from(h, hs, to, p, len, ttl);
	}
}

static void
cb_frame(void *arg, uint64_t nwid, uint64_t dst, uint64_t src,
    uint16_t type, const void *p, size_t len)
{
	struct host	*h = arg;

	h->h_frames++;
	if (nwid != h->h_nwid)
		return;
	if (type == SIM_ETHERTYPE)
		flows_frame(h->h_sim->s_flows, h, p, len);
	else if (h->h_hooks != NULL && h->h_hooks->hh_frame != NULL)
		h->h_hooks->hh_frame(h, dst, src, type, p, len);
}

static void
cb_network(void *arg, const struct node_network *nn)
{
	struct host	*h = arg;

	if (h->h_hooks != NULL && h->h_hooks->hh_network != NULL)
		h->h_hooks->hh_network(h, nn);
}

static void
cb_request(void *arg, const struct node_request *rq)
{
	struct host	*h = arg;

	h->h_hooks->hh_request(h, rq);
}

static void
cb_store(void *arg, enum node_state what, uint64_t id, const void *p,
    size_t len)
{
	struct host	*h = arg;

	if (!h->h_no_store)
		store_put(&h->h_state, what, id, p, len);
}

static size_t
cb_load(void *arg, enum node_state what, uint64_t id, void *dst, size_t size)
{
	struct host	*h = arg;
	struct sim	*s = h->h_sim;

	if (what != STATE_PLANET)
		return (store_get(h->h_state, what, id, dst, size));
	if (s->s_planetlen > size)
		return (0);
	memcpy(dst, s->s_planet, s->s_planetlen);
	return (s->s_planetlen);
}

static void
cb_online(void *arg, bool online)
{
	struct host	*h = arg;

	if (h->h_online && !online)
		h->h_offlines++;
	h->h_online = online;
	if (online)
		h->h_online_at = sim_now(h->h_sim);
}

static void
cb_random(void *arg, void *dst, size_t len)
{
	struct host	*h = arg;

	clock_random_bytes(h->h_sim->s_clock, dst, len);
}

/* --- sockets ---------------------------------------------------------- */

static void
tell_sockets(struct host *h)
{
	struct node_socket	 ns[HOST_SOCKETS];
	unsigned		 i;

	for (i = 0; i < h->h_nsockets; i++)
		ns[i] = h->h_sockets[i].hs_socket;
	node_sockets(h->h_node, host_now(h), ns, h->h_nsockets);
}

static uint16_t
random_port(struct host *h)
{
	return ((uint16_t)(PORT_LOW + sim_random(h->h_sim) % 45000));
}

/* Every address with every port, all of them new. */
static void
open_sockets(struct host *h)
{
	const struct iface	*f;
	struct host_socket	*hs;
	unsigned		 i, k, port;

	h->h_nsockets = 0;
	for (i = 0; i < h->h_nifaces; i++) {
		f = &h->h_ifaces[i];
		for (k = 0; k < 2; k++) {
			if (inet_isnil(&f->if_addr[k]))
				continue;
			for (port = 0; port < HOST_PORTS; port++) {
				hs = &h->h_sockets[h->h_nsockets++];
				memset(hs, 0, sizeof(*hs));
				hs->hs_at = f->if_at;
				hs->hs_socket.ns_id = ++h->h_last_socket;
				hs->hs_socket.ns_addr = f->if_addr[k];
				hs->hs_socket.ns_addr.ia_port =
				    h->h_ports[port];
			}
		}
	}
}

static void
rebind(void *arg, void *bytes, size_t len)
{
	struct host	*h = arg;
	struct rebinding rb;

	(void)len;
	memcpy(&rb, bytes, sizeof(rb));
	if (h->h_node == NULL || rb.rb_generation != h->h_generation)
		return;
	h->h_rebinds++;
	if (rb.rb_new_port)
		h->h_ports[1] = random_port(h);
	open_sockets(h);
	tell_sockets(h);
	host_plan(h);
}

static void
cb_rebind(void *arg, bool new_port)
{
	struct host	*h = arg;
	struct rebinding rb;

	memset(&rb, 0, sizeof(rb));
	rb.rb_generation = h->h_generation;
	rb.rb_new_port = new_port;
	if (clock_at(h->h_sim->s_clock, sim_now(h->h_sim), rebind, h, &rb,
	    sizeof(rb)) == -1)
		err(1, "rebind");
}

/* --- hosts ------------------------------------------------------------ */

static void
add_address(struct host *h, struct iface *f, struct zone *zo,
    unsigned family)
{
	struct inet_addr	*ia = &f->if_addr[family == 4 ? 0 : 1];

	net_free_address(h->h_sim->s_net, zo, family, ia);
	if (net_address(h->h_sim->s_net, f->if_at, ia) == -1)
		errx(1, "an address that is taken");
}

static struct zone *
zone_of(struct host *h)
{
	return (net_zone(h->h_ifaces[0].if_at));
}

void
host_iface(struct host *h, struct zone *zo, const struct link *link,
    unsigned families)
{
	struct iface	*f;

	if (h->h_nifaces == HOST_IFACES)
		errx(1, "too many interfaces");
	f = &h->h_ifaces[h->h_nifaces++];
	memset(f, 0, sizeof(*f));
	if ((f->if_at = net_attach(h->h_sim->s_net, zo, h, link)) == NULL)
		err(1, "attachment");
	if ((families & 1) != 0)
		add_address(h, f, zo, 4);
	if ((families & 2) != 0)
		add_address(h, f, zo, 6);
}

void
host_add6(struct host *h)
{
	add_address(h, &h->h_ifaces[0], zone_of(h), 6);
}

struct host *
host_new(struct sim *s, struct zone *zo, const struct link *link)
{
	struct host	*h, **p;

	if (s->s_nhosts == s->s_room) {
		s->s_room = s->s_room == 0 ? 64 : 2 * s->s_room;
		p = reallocarray(s->s_hosts, s->s_room, sizeof(*p));
		if (p == NULL)
			err(1, "hosts");
		s->s_hosts = p;
	}
	if ((h = calloc(1, sizeof(*h))) == NULL)
		err(1, "host");
	h->h_sim = s;
	h->h_index = s->s_nhosts;
	s->s_hosts[s->s_nhosts++] = h;
	issue(&h->h_id, s->s_clock);
	h->h_nwid = SIM_NWID;
	h->h_ports[0] = SIM_PORT;
	h->h_ports[1] = random_port(h);
	host_iface(h, zo, link, 1);
	return (h);
}

void
host_start(struct host *h)
{
	struct node_callbacks	 cb = {
		.nc_send = cb_send,
		.nc_frame = cb_frame,
		.nc_network = cb_network,
		.nc_store = cb_store,
		.nc_load = cb_load,
		.nc_online = cb_online,
		.nc_random = cb_random,
		.nc_rebind = cb_rebind
	};

	if (h->h_hooks != NULL && h->h_hooks->hh_request != NULL)
		cb.nc_request = cb_request;
	h->h_node = node_new(&h->h_id, &cb, h, host_now(h));
	if (h->h_node == NULL)
		err(1, "node");
	h->h_generation++;
	h->h_tick = 0;
	h->h_online = false;
	h->h_online_at = 0;
	h->h_started = sim_now(h->h_sim);
	open_sockets(h);
	tell_sockets(h);
	if (h->h_nwid != 0)
		(void)node_join(h->h_node, host_now(h), h->h_nwid);
	host_plan(h);
}

void
host_stop(struct host *h)
{
	if (h->h_node == NULL)
		return;
	node_free(h->h_node, host_now(h));
	h->h_node = NULL;
	h->h_generation++;
	h->h_online = false;
}

void
host_forget(struct host *h)
{
	store_free(&h->h_state);
}

void
host_renew(struct host *h)
{
	host_forget(h);
	issue(&h->h_id, h->h_sim->s_clock);
}

void
host_move(struct host *h, struct zone *zo, const struct link *link)
{
	unsigned	 i;

	for (i = 0; i < h->h_nifaces; i++)
		net_detach(h->h_sim->s_net, h->h_ifaces[i].if_at);
	h->h_nifaces = 0;
	host_iface(h, zo, link, 1);
	open_sockets(h);
	if (h->h_node == NULL)
		return;
	tell_sockets(h);
	host_plan(h);
}

void
host_unplug(struct host *h, unsigned iface)
{
	struct attach	*at = h->h_ifaces[iface].if_at;
	unsigned	 i, n = 0;

	net_detach(h->h_sim->s_net, at);
	h->h_ifaces[iface] = h->h_ifaces[--h->h_nifaces];
	for (i = 0; i < h->h_nsockets; i++) {
		if (h->h_sockets[i].hs_at != at)
			h->h_sockets[n++] = h->h_sockets[i];
	}
	h->h_nsockets = n;
	tell_sockets(h);
	host_plan(h);
}

/* --- time ------------------------------------------------------------- */

int64_t
host_now(const struct host *h)
{
	return (sim_now(h->h_sim) + h->h_skew);
}

static void
plan_at(struct host *h, int64_t time)
{
	if (h->h_tick != 0 && time >= h->h_tick)
		return;
	h->h_tick = time;
	if (clock_at(h->h_sim->s_clock, time, host_tick, h,
	    &h->h_generation, sizeof(h->h_generation)) == -1)
		err(1, "tick");
}

void
host_plan(struct host *h)
{
	int64_t	 next = node_next(h->h_node), now = sim_now(h->h_sim);

	if (next == INT64_MAX || h->h_asleep)
		return;
	next -= h->h_skew;
	plan_at(h, next < now ? now : next);
}

static void
host_tick(void *arg, void *bytes, size_t len)
{
	struct host	*h = arg;
	unsigned	 generation;
	int64_t		 next;

	(void)len;
	memcpy(&generation, bytes, sizeof(generation));
	if (h->h_node == NULL || generation != h->h_generation ||
	    sim_now(h->h_sim) != h->h_tick || h->h_asleep)
		return;
	h->h_tick = 0;
	h->h_ticks++;
	if ((next = node_tick(h->h_node, host_now(h))) != INT64_MAX)
		plan_at(h, next - h->h_skew);
}

static void
wake(void *arg, void *bytes, size_t len)
{
	struct host	*h = arg;

	(void)bytes;
	(void)len;
	h->h_asleep = false;
	h->h_tick = 0;
	if (h->h_node != NULL)
		host_plan(h);
}

void
host_sleep(struct host *h, int64_t ms)
{
	h->h_asleep = true;
	if (clock_at(h->h_sim->s_clock, sim_now(h->h_sim) + ms, wake, h, NULL,
	    0) == -1)
		err(1, "sleep");
}

void
host_set_clock(struct host *h, int64_t by)
{
	h->h_skew += by;
}

static void
host_deliver(void *arg, struct dgram *dg)
{
	struct host	*h = arg;
	const struct host_socket *hs = h->h_sockets;
	const struct host_socket *end = hs + h->h_nsockets;

	if (h->h_node == NULL || h->h_asleep)
		return;
	while (hs < end && !inet_equal(&hs->hs_socket.ns_addr, &dg->dg_to))
		hs++;
	if (hs == end)
		return;
	h->h_received++;
	h->h_received_bytes += dg->dg_len;
	h->h_dgram = dg;
	node_datagram(h->h_node, host_now(h), hs->hs_socket.ns_id,
	    &dg->dg_from, dg->dg_bytes, dg->dg_len);
	h->h_dgram = NULL;
	host_plan(h);
}

/* --- looking in ------------------------------------------------------- */

static void
copy_peer(const struct node_peer *nr, void *arg)
{
	memcpy(arg, nr, sizeof(*nr));
}

bool
host_peer(struct host *h, const struct host *other, struct node_peer *nr)
{
	memset(nr, 0, sizeof(*nr));
	node_each_peer(h->h_node, host_now(h), other->h_id.id_addr,
	    copy_peer, nr);
	return (nr->nr_addr != 0);
}

void
host_status(struct host *h, struct node_status *ns)
{
	memset(ns, 0, sizeof(*ns));
	node_status(h->h_node, host_now(h), ns);
}

bool
sim_all_online(void *arg)
{
	struct sim	*s = arg;
	unsigned	 i;

	for (i = 0; i < s->s_nhosts; i++) {
		if (s->s_hosts[i]->h_node != NULL && !s->s_hosts[i]->h_online)
			return (false);
	}
	return (true);
}
