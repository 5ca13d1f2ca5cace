/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Connections, see client.h.
 *
 * evhttp knows no limit but silence, so somebody who says a byte now and
 * then would stay for as long as he likes, and a thousand of him would keep
 * all others out.  So every step has its time, and when there are too many,
 * the one goes that has not come forward for longest.
 */

#include <sys/socket.h>
#include <sys/time.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>

#include "common/log.h"
#include "ztd-ctl/client.h"
#include "ztd-ctl/request.h"

#define ASK_TIME	20	/* s, from one answer to the next request */
#define ANSWER_TIME	300	/* s, to take an answer */
#define GRACE		500	/* ms that everyone has */
#define WRITE_MAX	1048576	/* bytes, in one go */
#define FULL_PAUSE	100	/* ms until the next look */
#define SOURCE_MAX	32	/* from one address, loopback excepted */

static void	 sort(evutil_socket_t, short, void *);
static bool	 sort_one(struct clients *, struct client *);
static void	 admit(struct clients *, struct client *,
		    struct evhttp_connection *);
static void	 look(evutil_socket_t, short, void *);
static void	 make_room(struct clients *);
static void	 limit_source(struct clients *, const struct inet_addr *);
static struct client *oldest(struct clients *, const struct inet_addr *);
static void	 set_time(struct client *, unsigned);
static void	 late(evutil_socket_t, short, void *);
static void	 taken(struct evhttp_request *, void *);
static void	 closed(struct evhttp_connection *, void *);
static bool	 local(int);
static void	 address(struct evhttp_connection *, struct inet_addr *);
static int64_t	 now_ms(void);

int
clients_init(struct clients *cs, struct event_base *base, unsigned max,
    void (*pause)(void *, bool), void *arg)
{
	memset(cs, 0, sizeof(*cs));
	LIST_INIT(&cs->cs_list);
	LIST_INIT(&cs->cs_fresh);
	cs->cs_base = base;
	cs->cs_max = max;
	cs->cs_pause = pause;
	cs->cs_arg = arg;
	cs->cs_sort = event_new(base, -1, 0, sort, cs);
	cs->cs_full = evtimer_new(base, look, cs);
	return (cs->cs_sort != NULL && cs->cs_full != NULL ? 0 : -1);
}

void
clients_clear(struct clients *cs)
{
	if (cs->cs_sort != NULL)
		event_free(cs->cs_sort);
	if (cs->cs_full != NULL)
		event_free(cs->cs_full);
}

/* ---- coming ------------------------------------------------------ */

/*
 * Called by evhttp when it has just accepted: before it has made what a
 * close callback can be attached to.  That is done as soon as it is through
 * with all that wait to be accepted, and before anybody is heard.
 */
struct bufferevent *
client_accept(struct event_base *base, void *arg)
{
	struct clients		*cs = arg;
	struct bufferevent	*bev;
	struct client		*cl;

	if ((bev = bufferevent_socket_new(base, -1, 0)) == NULL ||
	    (cl = calloc(1, sizeof(*cl))) == NULL)
		return (bev);
	/* A long answer takes as many rounds as the socket wants, not more. */
	(void)bufferevent_set_max_single_write(bev, WRITE_MAX);
	cl->cl_all = cs;
	cl->cl_bev = bev;
	bufferevent_incref(bev);
	LIST_INSERT_HEAD(&cs->cs_fresh, cl, cl_entry);
	event_active(cs->cs_sort, 0, 0);
	return (bev);
}

static void
sort(evutil_socket_t fd, short what, void *arg)
{
	struct clients		*cs = arg;
	struct bufferevent	*bev;
	struct client		*cl;
	bool			 good;

	(void)fd;
	(void)what;
	while ((cl = LIST_FIRST(&cs->cs_fresh)) != NULL) {
		LIST_REMOVE(cl, cl_entry);
		bev = cl->cl_bev;
		good = sort_one(cs, cl);
		(void)bufferevent_decref(bev);
		if (good)
			limit_source(cs, &cl->cl_from);
	}
	make_room(cs);
}

/* The argument of evhttp's callbacks is its connection. */
static bool
sort_one(struct clients *cs, struct client *cl)
{
	void	*con = NULL;

	bufferevent_getcb(cl->cl_bev, NULL, NULL, NULL, &con);
	if (con == NULL ||
	    evhttp_connection_get_bufferevent(con) != cl->cl_bev) {
		free(cl);
		return (false);
	}
	admit(cs, cl, con);
	return (true);
}

static void
admit(struct clients *cs, struct client *cl, struct evhttp_connection *con)
{
	cl->cl_all = cs;
	cl->cl_con = con;
	cl->cl_timer = evtimer_new(cs->cs_base, late, cl);
	cl->cl_local = local(client_fd(cl));
	if (!cl->cl_local)
		address(con, &cl->cl_from);
	LIST_INSERT_HEAD(&cs->cs_list, cl, cl_entry);
	cs->cs_count++;
	evhttp_connection_set_closecb(con, closed, cl);
	set_time(cl, ASK_TIME);
}

int
client_fd(const struct client *cl)
{
	return (bufferevent_getfd(evhttp_connection_get_bufferevent(
	    cl->cl_con)));
}

static bool
local(int fd)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len = sizeof(ss);

	memset(&ss, 0, sizeof(ss));
	return (getsockname(fd, (struct sockaddr *)&ss, &len) == 0 &&
	    ss.ss_family == AF_UNIX);
}

/* Nil when it makes no sense; IPv4 in IPv6 becomes IPv4. */
static void
address(struct evhttp_connection *con, struct inet_addr *ia)
{
	static const uint8_t	 mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct inet_addr	 v4;
	char			*host = NULL, *p;
	ev_uint16_t		 port = 0;

	memset(ia, 0, sizeof(*ia));
	evhttp_connection_get_peer(con, &host, &port);
	if (host == NULL)
		return;
	if ((p = strchr(host, '%')) != NULL)
		*p = '\0';
	if (inet_parse(host, ia) == -1)
		return;
	if (ia->ia_family == 6 && memcmp(ia->ia_ip, mapped, 12) == 0) {
		memset(&v4, 0, sizeof(v4));
		v4.ia_family = 4;
		memcpy(v4.ia_ip, ia->ia_ip + 12, 4);
		*ia = v4;
	}
}

/* ---- too many ---------------------------------------------------- */

/* Whoever waits in the backlog is served when others have left. */
static void
make_room(struct clients *cs)
{
	const struct timeval	 tv = { 0, FULL_PAUSE * 1000 };
	struct client		*cl;

	while (cs->cs_count >= cs->cs_max &&
	    (cl = oldest(cs, NULL)) != NULL)
		evhttp_connection_free(cl->cl_con);
	if (cs->cs_count < cs->cs_max || evtimer_pending(cs->cs_full, NULL))
		return;
	log_debug("too many connections, not accepting more now");
	cs->cs_pause(cs->cs_arg, true);
	(void)evtimer_add(cs->cs_full, &tv);
}

static void
look(evutil_socket_t fd, short what, void *arg)
{
	struct clients	*cs = arg;

	(void)fd;
	(void)what;
	make_room(cs);
	if (!evtimer_pending(cs->cs_full, NULL))
		cs->cs_pause(cs->cs_arg, false);
}

static void
limit_source(struct clients *cs, const struct inet_addr *from)
{
	struct client	*cl;
	unsigned	 n = 0;

	if (inet_isnil(from) || inet_scope(from) == SCOPE_LOOPBACK)
		return;
	LIST_FOREACH(cl, &cs->cs_list, cl_entry)
		n += inet_same_ip(&cl->cl_from, from);
	if (n > SOURCE_MAX && (cl = oldest(cs, from)) != NULL)
		evhttp_connection_free(cl->cl_con);
}

/*
 * Who has been without a complete request, or has not taken an answer, for
 * longest; of those from there, or of all.
 */
static struct client *
oldest(struct clients *cs, const struct inet_addr *from)
{
	struct client	*cl, *best = NULL;

	LIST_FOREACH(cl, &cs->cs_list, cl_entry) {
		if (cl->cl_request == NULL && (from == NULL ||
		    inet_same_ip(&cl->cl_from, from)) &&
		    (best == NULL || cl->cl_since <= best->cl_since))
			best = cl;
	}
	if (best != NULL && from == NULL &&
	    now_ms() - best->cl_since < GRACE)
		return (NULL);
	return (best);
}

/* ---- time -------------------------------------------------------- */

struct client *
client_of(struct clients *cs, struct evhttp_request *ev)
{
	struct evhttp_connection	*con;
	struct client			*cl;

	if ((con = evhttp_request_get_connection(ev)) == NULL)
		return (NULL);
	LIST_FOREACH(cl, &cs->cs_list, cl_entry) {
		if (cl->cl_con == con)
			break;
	}
	/* There was no memory when it came. */
	if (cl == NULL && (cl = calloc(1, sizeof(*cl))) != NULL)
		admit(cs, cl, con);
	if (cl != NULL)
		evhttp_request_set_on_complete_cb(ev, taken, cl);
	return (cl);
}

/* What is asked takes the time that it takes. */
void
client_asked(struct client *cl)
{
	if (cl->cl_timer != NULL)
		(void)evtimer_del(cl->cl_timer);
}

void
client_answered(struct client *cl)
{
	set_time(cl, ANSWER_TIME);
}

static void
taken(struct evhttp_request *ev, void *arg)
{
	(void)ev;
	set_time(arg, ASK_TIME);
}

static void
set_time(struct client *cl, unsigned s)
{
	const struct timeval	 tv = { s, 0 };

	cl->cl_since = now_ms();
	if (cl->cl_timer != NULL)
		(void)evtimer_add(cl->cl_timer, &tv);
}

static void
late(evutil_socket_t fd, short what, void *arg)
{
	struct client	*cl = arg;

	(void)fd;
	(void)what;
	if (cl->cl_request == NULL)
		evhttp_connection_free(cl->cl_con);
}

/* evhttp frees the connection and its requests after this. */
static void
closed(struct evhttp_connection *con, void *arg)
{
	struct client	*cl = arg;

	(void)con;
	if (cl->cl_request != NULL)
		request_abandon(cl->cl_request);
	if (cl->cl_timer != NULL)
		event_free(cl->cl_timer);
	LIST_REMOVE(cl, cl_entry);
	cl->cl_all->cs_count--;
	free(cl);
}

static int64_t
now_ms(void)
{
	struct timespec	 ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		fatal("cannot read the clock");
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}
