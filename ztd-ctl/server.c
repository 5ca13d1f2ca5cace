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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
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
#define CLIENTS_MAX	128		/* connections */
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
	struct clients		 s_clients;
	struct listener		 s_listeners[LISTENERS];
	struct evhttp_bound_socket *s_local;	/* or NULL */
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
	{ "/config/settings", 0, R_POST, api_config_set },
	{ "/metrics", 0, R_GET, api_metrics },
	{ "/network", 0, R_GET, api_network_list },
	{ "/network/", 16, R_GET | R_POST | R_DELETE, api_network },
	{ "/peer", 0, R_GET, api_peer_list },
	{ "/peer/", 10, R_GET, api_peer },
	{ "/moon", 0, R_GET, api_moon_list },
	{ "/moon/", 10, R_GET | R_POST | R_DELETE, api_moon },
	{ "/moon/", 16, R_GET | R_POST | R_DELETE, api_moon },
	{ "/bond/show/", 10, R_GET, api_bond },
	{ "/bond/rotate/", 10, R_POST, api_bond },
	{ "/ztd/config", 0, R_GET, api_config_show },
	{ "/ztd/reload", 0, R_POST, api_reload },
	{ "/ztd/trace/", 16, R_GET, api_trace },
	{ "/ztd/message", 0, R_GET, api_message_list },
	{ "/ztd/message/", 10, R_POST, api_message_send }
};

static void	 server_pause(void *, bool);
static void	 listener_pause(struct evhttp_bound_socket *, bool);
static struct evhttp *server_http(struct server *,
		    void (*)(struct evhttp_request *, void *));
static void	 on_request(struct evhttp_request *, void *);
static void	 on_metrics(struct evhttp_request *, void *);
static void	 route(struct request *);
static void	 no_route(struct request *);
static bool	 route_matches(const struct route *, struct request *);
static bool	 path_below(const char *, const char *);
static bool	 allowed(struct request *);
static void	 refuse_local(struct request *, uid_t);
static void	 refuse(struct request *, const struct inet_addr *);

struct server *
server_new(struct ctl *ctl)
{
	struct server	*s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return (NULL);
	s->s_ctl = ctl;
	if (clients_init(&s->s_clients, ctl->c_base, CLIENTS_MAX,
	    server_pause, s) == 0) {
		s->s_http = server_http(s, on_request);
		s->s_metrics = server_http(s, on_metrics);
	}
	if (s->s_http == NULL || s->s_metrics == NULL) {
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
	evhttp_set_bevcb(h, client_accept, &s->s_clients);
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
	clients_clear(&s->s_clients);
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

void
server_local(struct server *s, int fd)
{
	if (evutil_make_socket_nonblocking(fd) == -1 ||
	    s->s_local != NULL ||
	    (s->s_local = evhttp_accept_socket_with_handle(s->s_http, fd)) ==
	    NULL) {
		log_warnx("cannot listen on the local socket");
		(void)evutil_closesocket(fd);
	}
}

/* ---- connections ------------------------------------------------- */

static void
server_pause(void *arg, bool pause)
{
	struct server		*s = arg;
	struct listener		*l;

	for (l = s->s_listeners; l < s->s_listeners + LISTENERS; l++)
		listener_pause(l->l_bound, pause);
	listener_pause(s->s_local, pause);
}

static void
listener_pause(struct evhttp_bound_socket *bound, bool pause)
{
	struct evconnlistener	*el;

	if (bound == NULL)
		return;
	el = evhttp_bound_socket_get_listener(bound);
	if (pause)
		(void)evconnlistener_disable(el);
	else
		(void)evconnlistener_enable(el);
}

/* ---- requests ---------------------------------------------------- */

static void
on_request(struct evhttp_request *ev, void *arg)
{
	struct server		*s = arg;
	struct client		*cl;
	struct request		*rq;

	if ((cl = client_of(&s->s_clients, ev)) == NULL ||
	    (rq = request_new(s->s_ctl, cl, ev)) == NULL) {
		evhttp_send_error(ev, HTTP_INTERNAL, NULL);
		return;
	}
	if (strlen(evhttp_request_get_uri(ev)) > TARGET_MAX)
		request_empty(rq, 414);
	else if (!request_parse(rq))
		request_empty(rq, 404);
	else if (!request_jsonp_ok(rq))
		request_error(rq, 400, "jsonp: not the name of a function");
	else if (auth_foreign_page(rq))
		request_error(rq, 403, "asked by a page that is not ours");
	else if (!allowed(rq))
		return;
	else if (!request_range_ok(rq))
		request_empty(rq, 416);
	else if (evbuffer_get_length(evhttp_request_get_input_buffer(ev)) >
	    BODY_MAX)
		request_error(rq, 413, "the body is too long, the limit is "
		    "1048576 bytes");
	else
		route(rq);
}

/* On a listener for nothing else, there is nothing else. */
static void
on_metrics(struct evhttp_request *ev, void *arg)
{
	const char	*uri = evhttp_request_get_uri(ev);

	if (uri != NULL && strncmp(uri, "/metrics", 8) == 0 &&
	    (uri[8] == '\0' || uri[8] == '?')) {
		on_request(ev, arg);
		return;
	}
	(void)evhttp_add_header(evhttp_request_get_output_headers(ev),
	    "Connection", "close");
	evhttp_send_reply(ev, HTTP_NOTFOUND, NULL, NULL);
}

/* Where not, it has been answered. */
static bool
allowed(struct request *rq)
{
	struct client	*cl = rq->rq_client;
	uid_t		 uid;

	if (cl->cl_local) {
		if (auth_local(rq, &uid))
			return (true);
		refuse_local(rq, uid);
	} else {
		if (auth_allowed(rq, &cl->cl_from))
			return (true);
		refuse(rq, &cl->cl_from);
	}
	return (false);
}

static void
refuse_local(struct request *rq, uid_t uid)
{
	char	 text[128];

	log_info("request of user %ld on the local socket refused",
	    (long)uid);
	(void)snprintf(text, sizeof(text), "user %ld is not root and not in "
	    "group _ztd, and gave no token that is right", (long)uid);
	rq->rq_client->cl_close = true;
	request_error(rq, 403, text);
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
