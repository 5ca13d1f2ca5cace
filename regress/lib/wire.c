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

#include "regress/lib/wire.h"

enum event_type { EVENT_DATAGRAM, EVENT_TICK, EVENT_CALL };

struct event {
	int64_t		 ev_time;
	uint64_t	 ev_seq;	/* order among equal times */
	enum event_type	 ev_type;
	struct wire_host *ev_host;	/* tick: whose; datagram: to whom */
	unsigned	 ev_generation;
	struct inet_addr ev_from;
	void		(*ev_call)(void *);
	void		*ev_arg;
	size_t		 ev_len;
	uint8_t		 ev_bytes[];
};

struct hostent {
	RB_ENTRY(hostent)	 he_entry;
	struct wire_host	 he_host;
};

struct wire_state {
	struct wire_state *ws_next;
	enum node_state	 ws_what;
	uint64_t	 ws_id;
	size_t		 ws_len;
	uint8_t		 ws_bytes[];
};

RB_HEAD(host_tree, hostent);

struct wire {
	int64_t		 w_now;
	int64_t		 w_delay;
	uint64_t	 w_seed;
	uint64_t	 w_seq;
	unsigned	 w_loss;
	struct event	**w_heap;
	size_t		 w_n, w_size;
	struct host_tree w_hosts;
	uint8_t		*w_planet;
	size_t		 w_planetlen;
};

static int
host_cmp(const struct hostent *a, const struct hostent *b)
{
	return (inet_cmp(&a->he_host.wh_addr, &b->he_host.wh_addr));
}

RB_PROTOTYPE(host_tree, hostent, he_entry, host_cmp)
RB_GENERATE(host_tree, hostent, he_entry, host_cmp)

/* --- the heap --------------------------------------------------------- */

static bool
before(const struct event *a, const struct event *b)
{
	return (a->ev_time < b->ev_time ||
	    (a->ev_time == b->ev_time && a->ev_seq < b->ev_seq));
}

static int
heap_push(struct wire *w, struct event *ev)
{
	struct event	**p;
	size_t		  i, up, size;

	if (w->w_n == w->w_size) {
		size = w->w_size == 0 ? 256 : w->w_size * 2;
		if ((p = reallocarray(w->w_heap, size, sizeof(*p))) == NULL)
			return (-1);
		w->w_heap = p;
		w->w_size = size;
	}
	ev->ev_seq = w->w_seq++;
	for (i = w->w_n++; i > 0; i = up) {
		up = (i - 1) / 2;
		if (!before(ev, w->w_heap[up]))
			break;
		w->w_heap[i] = w->w_heap[up];
	}
	w->w_heap[i] = ev;
	return (0);
}

static struct event *
heap_pop(struct wire *w)
{
	struct event	*top = w->w_heap[0], *last = w->w_heap[--w->w_n];
	size_t		 i, kid;

	for (i = 0; (kid = 2 * i + 1) < w->w_n; i = kid) {
		if (kid + 1 < w->w_n &&
		    before(w->w_heap[kid + 1], w->w_heap[kid]))
			kid++;
		if (!before(w->w_heap[kid], last))
			break;
		w->w_heap[i] = w->w_heap[kid];
	}
	w->w_heap[i] = last;
	return (top);
}

static int
event_add(struct wire *w, enum event_type type, int64_t time,
    struct wire_host *host, const struct inet_addr *from, const void *p,
    size_t len, void (*call)(void *), void *arg)
{
	struct event	*ev;

	if ((ev = calloc(1, sizeof(*ev) + len)) == NULL)
		return (-1);
	ev->ev_type = type;
	ev->ev_time = time;
	ev->ev_host = host;
	ev->ev_generation = host == NULL ? 0 : host->wh_generation;
	if (from != NULL)
		ev->ev_from = *from;
	ev->ev_call = call;
	ev->ev_arg = arg;
	ev->ev_len = len;
	if (len > 0)
		memcpy(ev->ev_bytes, p, len);
	if (heap_push(w, ev) == -1) {
		free(ev);
		return (-1);
	}
	return (0);
}

/* --- the callbacks of the nodes ---------------------------------------- */

static void
cb_send(void *arg, uint32_t sock, const struct inet_addr *to, const void *p,
    size_t len, unsigned ttl)
{
	struct wire_host	*wh = arg;
	struct wire		*w = wh->wh_wire;
	struct hostent		 key, *he;

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
	(void)event_add(w, EVENT_DATAGRAM, w->w_now + w->w_delay,
	    &he->he_host, &wh->wh_addr, p, len, NULL, NULL);
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

/* Where the state stands in the list, or the end of it. */
static struct wire_state **
state_find(struct wire_host *wh, enum node_state what, uint64_t id)
{
	struct wire_state	**p;

	for (p = &wh->wh_state; *p != NULL; p = &(*p)->ws_next)
		if ((*p)->ws_what == what && (*p)->ws_id == id)
			break;
	return (p);
}

static void
cb_store(void *arg, enum node_state what, uint64_t id, const void *bytes,
    size_t len)
{
	struct wire_host	*wh = arg;
	struct wire_state	**p, *ws;

	p = state_find(wh, what, id);
	if ((ws = *p) != NULL) {
		*p = ws->ws_next;
		free(ws);
	}
	if (len == 0 || (ws = malloc(sizeof(*ws) + len)) == NULL)
		return;
	ws->ws_what = what;
	ws->ws_id = id;
	ws->ws_len = len;
	memcpy(ws->ws_bytes, bytes, len);
	ws->ws_next = wh->wh_state;
	wh->wh_state = ws;
}

static size_t
cb_load(void *arg, enum node_state what, uint64_t id, void *dst,
    size_t size)
{
	struct wire_host		*wh = arg;
	const struct wire_state		*ws = *state_find(wh, what, id);
	const struct wire		*w = wh->wh_wire;

	if (ws != NULL && ws->ws_len <= size) {
		memcpy(dst, ws->ws_bytes, ws->ws_len);
		return (ws->ws_len);
	}
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
	uint8_t			*p = dst;
	uint64_t		 v = 0;
	size_t			 i;

	for (i = 0; i < len; i++) {
		if (i % 8 == 0)
			v = wire_random(wh->wh_wire);
		p[i] = (uint8_t)v;
		v >>= 8;
	}
}

/* --- hosts ------------------------------------------------------------ */

struct wire *
wire_new(uint64_t seed, int64_t start, int64_t delay)
{
	struct wire	*w;

	if ((w = calloc(1, sizeof(*w))) == NULL)
		return (NULL);
	w->w_seed = seed;
	w->w_now = start;
	w->w_delay = delay;
	RB_INIT(&w->w_hosts);
	return (w);
}

void
wire_free(struct wire *w)
{
	struct hostent		*he;
	struct wire_state	*ws;
	size_t			 i;

	while ((he = RB_ROOT(&w->w_hosts)) != NULL) {
		wire_stop(&he->he_host);
		RB_REMOVE(host_tree, &w->w_hosts, he);
		while ((ws = he->he_host.wh_state) != NULL) {
			he->he_host.wh_state = ws->ws_next;
			free(ws);
		}
		free(he->he_host.wh_frames);
		free(he);
	}
	for (i = 0; i < w->w_n; i++)
		free(w->w_heap[i]);
	free(w->w_heap);
	free(w->w_planet);
	free(w);
}

int64_t
wire_now(const struct wire *w)
{
	return (w->w_now);
}

/* splitmix64: every state gives a number, none is bad. */
uint64_t
wire_random(struct wire *w)
{
	uint64_t	x = w->w_seed += 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return (x ^ x >> 31);
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
	if ((wh->wh_node = node_new(&wh->wh_id, &cb, wh, w->w_now)) == NULL)
		return (-1);
	wh->wh_generation++;
	memset(wh->wh_networks, 0, sizeof(wh->wh_networks));
	memset(&ns, 0, sizeof(ns));
	ns.ns_id = 1;
	ns.ns_addr = wh->wh_addr;
	node_sockets(wh->wh_node, w->w_now, &ns, 1);
	return (event_add(w, EVENT_TICK, w->w_now, wh, NULL, NULL, 0, NULL,
	    NULL));
}

void
wire_stop(struct wire_host *wh)
{
	node_free(wh->wh_node, wh->wh_wire->w_now);
	wh->wh_node = NULL;
	wh->wh_generation++;
	wh->wh_online = false;
}

/* --- time ------------------------------------------------------------- */

int
wire_later(struct wire *w, int64_t ms, void (*f)(void *), void *arg)
{
	return (event_add(w, EVENT_CALL, w->w_now + ms, NULL, NULL, NULL, 0,
	    f, arg));
}

static void
event_run(struct wire *w, struct event *ev)
{
	struct wire_host	*wh = ev->ev_host;

	if (ev->ev_type == EVENT_CALL) {
		ev->ev_call(ev->ev_arg);
		return;
	}
	if (wh->wh_node == NULL || wh->wh_generation != ev->ev_generation)
		return;
	if (ev->ev_type == EVENT_TICK)
		(void)event_add(w, EVENT_TICK, node_tick(wh->wh_node,
		    w->w_now), wh, NULL, NULL, 0, NULL, NULL);
	else {
		wh->wh_received++;
		node_datagram(wh->wh_node, w->w_now, 1, &ev->ev_from,
		    ev->ev_bytes, ev->ev_len);
	}
}

bool
wire_until(struct wire *w, int64_t ms, bool (*f)(void *), void *arg)
{
	struct event	*ev;
	int64_t		 end = w->w_now + ms;

	for (;;) {
		if (f != NULL && f(arg))
			return (true);
		if (w->w_n == 0 || w->w_heap[0]->ev_time > end)
			break;
		ev = heap_pop(w);
		if (ev->ev_time > w->w_now)
			w->w_now = ev->ev_time;
		event_run(w, ev);
		free(ev);
	}
	w->w_now = end;
	return (false);
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
