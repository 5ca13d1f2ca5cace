/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Many nodes in one process under a virtual clock.
 */

#include <sys/queue.h>
#include <sys/tree.h>

#include <stdlib.h>
#include <string.h>

#include "regress/lib/clock.h"
#include "regress/lib/store.h"
#include "regress/lib/wire.h"

struct datagram {
	struct wire_host *dg_to;
	unsigned	 dg_generation;
	struct inet_addr dg_from;
	uint8_t		 dg_bytes[];
};

struct call {
	void		(*ca_call)(void *);
	void		*ca_arg;
};

struct hostent {
	RB_ENTRY(hostent)	 he_entry;
	struct wire_host	 he_host;
};

RB_HEAD(host_tree, hostent);

struct wire {
	struct clock	*w_clock;
	int64_t		 w_delay;
	unsigned	 w_loss;
	struct host_tree w_hosts;
	uint8_t		*w_planet;
	size_t		 w_planetlen;
};

static void	 tick(void *, void *, size_t);
static void	 arrive(void *, void *, size_t);

static int
host_cmp(const struct hostent *a, const struct hostent *b)
{
	return (inet_cmp(&a->he_host.wh_addr, &b->he_host.wh_addr));
}

RB_PROTOTYPE(host_tree, hostent, he_entry, host_cmp)
RB_GENERATE(host_tree, hostent, he_entry, host_cmp)

/* --- the callbacks of the nodes ---------------------------------------- */

static void
cb_send(void *arg, uint32_t sock, const struct inet_addr *to, const void *p,
    size_t len, unsigned ttl)
{
	struct wire_host	*wh = arg;
	struct wire		*w = wh->wh_wire;
	struct hostent		 key, *he;
	struct datagram		*dg;

	(void)sock;
	wh->wh_sent++;
	memset(&key.he_host.wh_addr, 0, sizeof(key.he_host.wh_addr));
	key.he_host.wh_addr = *to;
	he = RB_FIND(host_tree, &w->w_hosts, &key);
	if (he == NULL || he->he_host.wh_node == NULL || ttl != 0 ||
	    wh->wh_blocked || he->he_host.wh_blocked)
		return;
	if (w->w_loss > 0 && wire_random(w) % 1000 < w->w_loss)
		return;
	dg = clock_at_room(w->w_clock, wire_now(w) + w->w_delay, arrive, w,
	    sizeof(*dg) + len);
	if (dg == NULL)
		return;
	dg->dg_to = &he->he_host;
	dg->dg_generation = he->he_host.wh_generation;
	dg->dg_from = wh->wh_addr;
	memcpy(dg->dg_bytes, p, len);
}

static void
cb_frame(void *arg, uint64_t nwid, uint64_t dst, uint64_t src,
    uint16_t type, const void *p, size_t len)
{
	struct wire_host	*wh = arg;
	struct wire_frame	*wf;

	wf = &wh->wh_frames[wh->wh_nframes++ % WIRE_FRAMES];
	wf->wf_nwid = nwid;
	wf->wf_dst = dst;
	wf->wf_src = src;
	wf->wf_type = type;
	wf->wf_len = len <= sizeof(wf->wf_bytes) ? len : 0;
	memcpy(wf->wf_bytes, p, wf->wf_len);
}

static void
cb_network(void *arg, const struct node_network *nn)
{
	struct wire_host	*wh = arg;
	size_t			 i;

	for (i = 0; i < WIRE_NETWORKS; i++)
		if (wh->wh_networks[i].nwid == 0 ||
		    wh->wh_networks[i].nwid == nn->nn_nwid) {
			wh->wh_networks[i].nwid = nn->nn_nwid;
			wh->wh_networks[i].status = nn->nn_status;
			return;
		}
}

static void
cb_store(void *arg, enum node_state what, uint64_t id, const void *bytes,
    size_t len)
{
	struct wire_host	*wh = arg;

	store_put(&wh->wh_state, what, id, bytes, len);
}

static size_t
cb_load(void *arg, enum node_state what, uint64_t id, void *dst,
    size_t size)
{
	struct wire_host	*wh = arg;
	const struct wire	*w = wh->wh_wire;
	size_t			 len;

	if ((len = store_get(wh->wh_state, what, id, dst, size)) > 0)
		return (len);
	if (what == STATE_PLANET && w->w_planetlen <= size) {
		memcpy(dst, w->w_planet, w->w_planetlen);
		return (w->w_planetlen);
	}
	return (0);
}

static void
cb_online(void *arg, bool online)
{
	struct wire_host	*wh = arg;

	wh->wh_online = online;
}

static void
cb_request(void *arg, const struct node_request *rq)
{
	struct wire_host	*wh = arg;

	wh->wh_request(wh, rq);
}

static void
cb_random(void *arg, void *dst, size_t len)
{
	struct wire_host	*wh = arg;

	clock_random_bytes(wh->wh_wire->w_clock, dst, len);
}

/* --- events ----------------------------------------------------------- */

/* Call the node at that time, unless it is called sooner. */
static void
plan(struct wire_host *wh, int64_t time)
{
	if (time < wire_now(wh->wh_wire))
		time = wire_now(wh->wh_wire);
	if (wh->wh_tick != 0 && time >= wh->wh_tick)
		return;
	wh->wh_tick = time;
	(void)clock_at(wh->wh_wire->w_clock, time, tick, wh,
	    &wh->wh_generation, sizeof(wh->wh_generation));
}

static void
tick(void *arg, void *bytes, size_t len)
{
	struct wire_host	*wh = arg;
	unsigned		 generation;
	int64_t			 now = wire_now(wh->wh_wire);

	(void)len;
	memcpy(&generation, bytes, sizeof(generation));
	if (wh->wh_node == NULL || generation != wh->wh_generation ||
	    now != wh->wh_tick)
		return;
	wh->wh_tick = 0;
	plan(wh, node_tick(wh->wh_node, now));
}

static void
arrive(void *arg, void *bytes, size_t len)
{
	struct datagram		*dg = bytes;
	struct wire_host	*wh = dg->dg_to;

	if (wh->wh_node == NULL || wh->wh_generation != dg->dg_generation)
		return;
	wh->wh_received++;
	node_datagram(wh->wh_node, wire_now(arg), 1, &dg->dg_from,
	    dg->dg_bytes, len - sizeof(*dg));
	plan(wh, node_next(wh->wh_node));
}

/* --- hosts ------------------------------------------------------------ */

struct wire *
wire_new(uint64_t seed, int64_t start, int64_t delay)
{
	struct wire	*w;

	if ((w = calloc(1, sizeof(*w))) == NULL)
		return (NULL);
	if ((w->w_clock = clock_new(seed, start)) == NULL) {
		free(w);
		return (NULL);
	}
	w->w_delay = delay;
	RB_INIT(&w->w_hosts);
	return (w);
}

void
wire_free(struct wire *w)
{
	struct hostent		*he;

	while ((he = RB_ROOT(&w->w_hosts)) != NULL) {
		wire_stop(&he->he_host);
		RB_REMOVE(host_tree, &w->w_hosts, he);
		store_free(&he->he_host.wh_state);
		free(he->he_host.wh_frames);
		free(he);
	}
	clock_free(w->w_clock);
	free(w->w_planet);
	free(w);
}

int64_t
wire_now(const struct wire *w)
{
	return (clock_now(w->w_clock));
}

uint64_t
wire_random(struct wire *w)
{
	return (clock_random(w->w_clock));
}

void
wire_loss(struct wire *w, unsigned permille)
{
	w->w_loss = permille;
}

void
wire_planet(struct wire *w, const void *p, size_t len)
{
	free(w->w_planet);
	w->w_planetlen = 0;
	if ((w->w_planet = malloc(len)) == NULL)
		return;
	memcpy(w->w_planet, p, len);
	w->w_planetlen = len;
}

struct wire_host *
wire_host(struct wire *w, const struct identity *id, const char *addr)
{
	struct hostent		*he;
	struct wire_host	*wh;

	if ((he = calloc(1, sizeof(*he))) == NULL)
		return (NULL);
	wh = &he->he_host;
	wh->wh_wire = w;
	wh->wh_id = *id;
	wh->wh_frames = calloc(WIRE_FRAMES, sizeof(*wh->wh_frames));
	if (wh->wh_frames == NULL || inet_parse(addr, &wh->wh_addr) == -1 ||
	    RB_INSERT(host_tree, &w->w_hosts, he) != NULL) {
		free(wh->wh_frames);
		free(he);
		return (NULL);
	}
	return (wh);
}

int
wire_start(struct wire_host *wh)
{
	struct node_callbacks	 cb;
	struct node_socket	 ns;
	struct wire		*w = wh->wh_wire;

	memset(&cb, 0, sizeof(cb));
	cb.nc_send = cb_send;
	cb.nc_frame = cb_frame;
	cb.nc_network = cb_network;
	cb.nc_store = cb_store;
	cb.nc_load = cb_load;
	cb.nc_online = cb_online;
	cb.nc_random = cb_random;
	if (wh->wh_request != NULL)
		cb.nc_request = cb_request;
	if ((wh->wh_node = node_new(&wh->wh_id, &cb, wh, wire_now(w))) == NULL)
		return (-1);
	wh->wh_generation++;
	memset(wh->wh_networks, 0, sizeof(wh->wh_networks));
	memset(&ns, 0, sizeof(ns));
	ns.ns_id = 1;
	ns.ns_addr = wh->wh_addr;
	node_sockets(wh->wh_node, wire_now(w), &ns, 1);
	wh->wh_tick = 0;
	plan(wh, wire_now(w));
	return (0);
}

void
wire_stop(struct wire_host *wh)
{
	node_free(wh->wh_node, wire_now(wh->wh_wire));
	wh->wh_node = NULL;
	wh->wh_generation++;
	wh->wh_online = false;
}

/* --- time ------------------------------------------------------------- */

static void
call(void *arg, void *bytes, size_t len)
{
	struct call	*ca = bytes;

	(void)arg;
	(void)len;
	ca->ca_call(ca->ca_arg);
}

int
wire_later(struct wire *w, int64_t ms, void (*f)(void *), void *arg)
{
	struct call	 ca = { f, arg };

	return (clock_at(w->w_clock, wire_now(w) + ms, call, w, &ca,
	    sizeof(ca)));
}

bool
wire_until(struct wire *w, int64_t ms, bool (*f)(void *), void *arg)
{
	struct hostent	*he;

	/* The test may have called nodes, which may want to be called. */
	RB_FOREACH(he, host_tree, &w->w_hosts) {
		if (he->he_host.wh_node != NULL)
			plan(&he->he_host, node_next(he->he_host.wh_node));
	}
	return (clock_run(w->w_clock, ms, f, arg));
}

void
wire_run(struct wire *w, int64_t ms)
{
	(void)wire_until(w, ms, NULL, NULL);
}

const struct wire_frame *
wire_last_frame(const struct wire_host *wh)
{
	if (wh->wh_nframes == 0)
		return (NULL);
	return (&wh->wh_frames[(wh->wh_nframes - 1) % WIRE_FRAMES]);
}

enum net_status
wire_status(const struct wire_host *wh, uint64_t nwid)
{
	size_t	i;

	for (i = 0; i < WIRE_NETWORKS; i++)
		if (wh->wh_networks[i].nwid == nwid)
			return (wh->wh_networks[i].status);
	return (NET_REQUESTING);
}
