/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The HTTP server: listeners, connections, which endpoint a request is for.
 * Spec: 05 section 2.
 */

#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "common/hex.h"
#include "common/log.h"
#include "ztd-ctl/app.h"
#include "ztd-ctl/request.h"

#define LISTENERS	16
#define IDLE_TIMEOUT	5		/* seconds */
#define HEADERS_MAX	16384		/* bytes, request line included */
#define TARGET_MAX	8192		/* of the request line */
#define BODY_MAX	(1024 * 1024)
/* Between the two they are refused by us, with words; then by evhttp. */
#define BODY_REFUSED	(2 * BODY_MAX)
#define DESCRIPTORS	128		/* open at once, sockets and all */
#define FULL_PAUSE	100		/* ms until the next look */
#define REFUSAL_LOG	10		/* seconds between log lines */

#define METHODS		(EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | \
			    EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | \
			    EVHTTP_REQ_PATCH | EVHTTP_REQ_OPTIONS | \
			    EVHTTP_REQ_TRACE | EVHTTP_REQ_CONNECT)

struct listener {
	struct evhttp_bound_socket	*l_bound;	/* NULL: free slot */
	struct evhttp			*l_http;
	struct inet_addr		 l_addr;
};

struct server {
	struct ctl		*s_ctl;
	struct evhttp		*s_http;
	struct evhttp		*s_metrics;	/* listeners for nothing else */
	struct event		*s_full;	/* pending: not accepting */
	struct client_list	 s_clients;
	struct listener		 s_listeners[LISTENERS];
};

#define R_GET		0x01
#define R_POST		0x02
#define R_DELETE	0x04

/* A path, or the path with r_digits hex digits behind it. */
struct route {
	const char	*r_path;
	size_t		 r_digits;
	unsigned	 r_methods;
	void		(*r_handler)(struct request *);
};

static const struct route routes[] = {
	{ "/status", 0, R_GET, api_status },
	{ "/health", 0, R_GET, api_health },
	{ "/config", 0, R_GET, api_config },
	{ "/network", 0, R_GET, api_network_list },
	{ "/network/", 16, R_GET | R_POST | R_DELETE, api_network },
	{ "/peer", 0, R_GET, api_peer_list },
	{ "/peer/", 10, R_GET, api_peer },
	{ "/moon", 0, R_GET, api_moon_list },
	{ "/moon/", 10, R_GET | R_POST | R_DELETE, api_moon },
	{ "/moon/", 16, R_GET | R_POST | R_DELETE, api_moon },
	{ "/bond/show/", 10, R_GET, api_bond },
	{ "/bond/rotate/", 10, R_POST, api_bond },
	{ "/ztd/trace/", 16, R_GET, api_trace },
	{ "/ztd/message", 0, R_GET, api_message_list },
	{ "/ztd/message/", 10, R_POST, api_message_send }
};

static struct bufferevent *server_accept(struct event_base *, void *);
static bool	 server_full(const struct server *);
static void	 server_pause(struct server *, bool);
static void	 server_look(evutil_socket_t, short, void *);
static struct evhttp *server_http(struct server *,
		    void (*)(struct evhttp_request *, void *));
static void	 on_request(struct evhttp_request *, void *);
static void	 on_metrics(struct evhttp_request *, void *);
static void	 client_closed(struct evhttp_connection *, void *);
static struct client *client_get(struct server *, struct evhttp_request *);
static void	 client_address(struct evhttp_request *, struct inet_addr *);
static void	 route(struct request *);
static void	 no_route(struct request *);
static bool	 route_matches(const struct route *, struct request *);
static bool	 path_below(const char *, const char *);
static void	 refuse(struct request *, const struct inet_addr *);

struct server *
server_new(struct ctl *ctl)
{
	struct server	*s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return (NULL);
	s->s_ctl = ctl;
	LIST_INIT(&s->s_clients);
	s->s_full = evtimer_new(ctl->c_base, server_look, s);
	s->s_http = server_http(s, on_request);
	s->s_metrics = server_http(s, on_metrics);
	if (s->s_full == NULL || s->s_http == NULL || s->s_metrics == NULL) {
		server_free(s);
		return (NULL);
	}
	return (s);
}

static struct evhttp *
server_http(struct server *s, void (*cb)(struct evhttp_request *, void *))
{
	struct evhttp	*h;

	if ((h = evhttp_new(s->s_ctl->c_base)) == NULL)
		return (NULL);
	evhttp_set_allowed_methods(h, METHODS);
	evhttp_set_max_headers_size(h, HEADERS_MAX);
	evhttp_set_max_body_size(h, BODY_REFUSED);
	evhttp_set_timeout(h, IDLE_TIMEOUT);
	evhttp_set_default_content_type(h, NULL);
	evhttp_set_bevcb(h, server_accept, s);
	evhttp_set_gencb(h, cb, s);
	return (h);
}

void
server_free(struct server *s)
{
	if (s == NULL)
		return;
	if (s->s_http != NULL)
		evhttp_free(s->s_http);
	if (s->s_metrics != NULL)
		evhttp_free(s->s_metrics);
	if (s->s_full != NULL)
		event_free(s->s_full);
	free(s);
}

/* A second listener for an address takes the place of the first. */
void
server_listen(struct server *s, int fd, const struct msg_listener *ml)
{
	struct listener	*l = NULL;
	char		 text[INET_TEXT];
	size_t		 i;

	for (i = 0; i < LISTENERS; i++) {
		if (s->s_listeners[i].l_bound != NULL &&
		    inet_equal(&s->s_listeners[i].l_addr, &ml->ml_addr)) {
			l = &s->s_listeners[i];
			evhttp_del_accept_socket(l->l_http, l->l_bound);
			l->l_bound = NULL;
			break;
		}
	}
	for (i = 0; i < LISTENERS && l == NULL; i++) {
		if (s->s_listeners[i].l_bound == NULL)
			l = &s->s_listeners[i];
	}
	if (l == NULL || evutil_make_socket_nonblocking(fd) == -1) {
		log_warnx("cannot listen on %s: too many listeners",
		    inet_format(text, &ml->ml_addr));
		(void)evutil_closesocket(fd);
		return;
	}
	l->l_addr = ml->ml_addr;
	l->l_http = ml->ml_metrics_only ? s->s_metrics : s->s_http;
	l->l_bound = evhttp_accept_socket_with_handle(l->l_http, fd);
	if (l->l_bound == NULL) {
		log_warn("cannot listen on %s", inet_format(text,
		    &ml->ml_addr));
		(void)evutil_closesocket(fd);
		return;
	}
	log_debug("listening on %s", inet_format(text, &ml->ml_addr));
}

/* ---- connections ------------------------------------------------- */

/*
 * Called by evhttp for every connection that it has just accepted.
 * evhttp itself knows no limit, so look how full it is and stop accepting
 * for a while; whoever waits in the backlog is served when others have
 * left, which with IDLE_TIMEOUT is soon.
 */
static struct bufferevent *
server_accept(struct event_base *base, void *arg)
{
	struct server		*s = arg;
	const struct timeval	 tv = { 0, FULL_PAUSE * 1000 };

	if (server_full(s) && !evtimer_pending(s->s_full, NULL)) {
		log_debug("too many connections, not accepting more now");
		server_pause(s, true);
		(void)evtimer_add(s->s_full, &tv);
	}
	return (bufferevent_socket_new(base, -1, 0));
}

/*
 * The system gives out the lowest free descriptor, so its number tells how
 * many are open.
 */
static bool
server_full(const struct server *s)
{
	const struct listener	*l;
	int			 fd = -1;

	for (l = s->s_listeners; l < s->s_listeners + LISTENERS; l++) {
		if (l->l_bound != NULL) {
			fd = fcntl(evhttp_bound_socket_get_fd(l->l_bound),
			    F_DUPFD_CLOEXEC, 0);
			break;
		}
	}
	if (fd == -1)
		return (true);
	(void)close(fd);
	return (fd >= DESCRIPTORS);
}

static void
server_pause(struct server *s, bool pause)
{
	struct evconnlistener	*el;
	struct listener		*l;

	for (l = s->s_listeners; l < s->s_listeners + LISTENERS; l++) {
		if (l->l_bound == NULL)
			continue;
		el = evhttp_bound_socket_get_listener(l->l_bound);
		if (pause)
			(void)evconnlistener_disable(el);
		else
			(void)evconnlistener_enable(el);
	}
}

static void
server_look(evutil_socket_t fd, short what, void *arg)
{
	struct server		*s = arg;
	const struct timeval	 tv = { 0, FULL_PAUSE * 1000 };

	(void)fd;
	(void)what;
	if (server_full(s))
		(void)evtimer_add(s->s_full, &tv);
	else
		server_pause(s, false);
}

static struct client *
client_get(struct server *s, struct evhttp_request *ev)
{
	struct evhttp_connection	*con;
	struct client			*cl;

	if ((con = evhttp_request_get_connection(ev)) == NULL)
		return (NULL);
	LIST_FOREACH(cl, &s->s_clients, cl_entry) {
		if (cl->cl_con == con)
			return (cl);
	}
	if ((cl = calloc(1, sizeof(*cl))) == NULL)
		return (NULL);
	cl->cl_con = con;
	LIST_INSERT_HEAD(&s->s_clients, cl, cl_entry);
	evhttp_connection_set_closecb(con, client_closed, cl);
	return (cl);
}

/* evhttp frees the connection and its requests after this. */
static void
client_closed(struct evhttp_connection *con, void *arg)
{
	struct client	*cl = arg;

	(void)con;
	if (cl->cl_request != NULL)
		request_abandon(cl->cl_request);
	LIST_REMOVE(cl, cl_entry);
	free(cl);
}

/* Nil when it makes no sense; IPv4 in IPv6 becomes IPv4. */
static void
client_address(struct evhttp_request *ev, struct inet_addr *ia)
{
	static const uint8_t	 mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct inet_addr	 v4;
	char			*host = NULL, *p;
	ev_uint16_t		 port = 0;

	memset(ia, 0, sizeof(*ia));
	evhttp_connection_get_peer(evhttp_request_get_connection(ev), &host,
	    &port);
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

/* ---- requests ---------------------------------------------------- */

static void
on_request(struct evhttp_request *ev, void *arg)
{
	struct server		*s = arg;
	struct inet_addr	 from;
	struct client		*cl;
	struct request		*rq;

	if ((cl = client_get(s, ev)) == NULL ||
	    (rq = request_new(s->s_ctl, cl, ev)) == NULL) {
		evhttp_send_error(ev, HTTP_INTERNAL, NULL);
		return;
	}
	client_address(ev, &from);
	if (strlen(evhttp_request_get_uri(ev)) > TARGET_MAX)
		request_empty(rq, 414);
	else if (!request_parse(rq))
		request_empty(rq, 404);
	else if (!request_jsonp_ok(rq))
		request_error(rq, 400, "jsonp: not the name of a function");
	else if (auth_foreign_page(rq))
		request_error(rq, 403, "asked by a page that is not ours");
	else if (!auth_allowed(rq, &from))
		refuse(rq, &from);
	else if (!request_range_ok(rq))
		request_empty(rq, 416);
	else if (evbuffer_get_length(evhttp_request_get_input_buffer(ev)) >
	    BODY_MAX)
		request_error(rq, 413, "the body is too long, the limit is "
		    "1048576 bytes");
	else
		route(rq);
}

/*
 * There is no /metrics yet, so a listener for nothing else has nothing to
 * give.
 */
static void
on_metrics(struct evhttp_request *ev, void *arg)
{
	(void)arg;
	(void)evhttp_add_header(evhttp_request_get_output_headers(ev),
	    "Connection", "close");
	evhttp_send_reply(ev, HTTP_NOTFOUND, NULL, NULL);
}

static void
refuse(struct request *rq, const struct inet_addr *from)
{
	static struct timeval	 last;
	static unsigned		 count;
	struct timeval		 now;
	char			 text[INET_TEXT];

	count++;
	if (event_base_gettimeofday_cached(rq->rq_ctl->c_base, &now) == 0 &&
	    (now.tv_sec >= last.tv_sec + REFUSAL_LOG ||
	    now.tv_sec < last.tv_sec)) {
		log_info("request from %s refused (%u in all)",
		    inet_format_ip(text, from), count);
		last = now;
	}
	/* The body of a refused request must not become the next one. */
	rq->rq_client->cl_close = true;
	request_reply(rq, 401, "{}", 2);
}

static void
route(struct request *rq)
{
	const struct route	*r;
	unsigned		 method;
	size_t			 i;

	switch (evhttp_request_get_command(rq->rq_ev)) {
	case EVHTTP_REQ_GET:
	case EVHTTP_REQ_HEAD:
		method = R_GET;
		break;
	case EVHTTP_REQ_POST:
	case EVHTTP_REQ_PUT:
		method = R_POST;
		break;
	case EVHTTP_REQ_DELETE:
		method = R_DELETE;
		break;
	case EVHTTP_REQ_PATCH:
	case EVHTTP_REQ_OPTIONS:
		no_route(rq);
		return;
	default:
		request_empty(rq, 400);
		return;
	}
	for (i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		r = &routes[i];
		if ((r->r_methods & method) != 0 && route_matches(r, rq)) {
			r->r_handler(rq);
			return;
		}
	}
	if (path_below(rq->rq_path, "/controller"))
		api_controller(rq);
	else if (method == R_GET && path_below(rq->rq_path, "/app"))
		api_app(rq);
	else if (method == R_GET &&
	    path_below(rq->rq_path, "/unstable/controller"))
		api_unstable(rq);
	else if (method == R_POST &&
	    path_below(rq->rq_path, "/bond/setmtu"))
		api_bond_mtu(rq);
	else
		no_route(rq);
}

/* Those of the controller's API are told in JSON what is wrong. */
static void
no_route(struct request *rq)
{
	if (path_below(rq->rq_path, "/controller") ||
	    path_below(rq->rq_path, "/unstable/controller"))
		request_error(rq, 404, "this method is not for this path");
	else
		request_empty(rq, 404);
}

static bool
route_matches(const struct route *r, struct request *rq)
{
	size_t	 n;

	n = strlen(r->r_path);
	if (strncmp(rq->rq_path, r->r_path, n) != 0)
		return (false);
	if (r->r_digits == 0)
		return (rq->rq_path[n] == '\0');
	return (hex_parse(rq->rq_path + n, r->r_digits, &rq->rq_id) == 0);
}

static bool
path_below(const char *path, const char *top)
{
	size_t	 n;

	n = strlen(top);
	return (strncmp(path, top, n) == 0 &&
	    (path[n] == '\0' || path[n] == '/'));
}
