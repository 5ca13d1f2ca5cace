/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * One request: its target, its body, what it waits for, its answer.
 * Spec: 05 sections 2.2 to 2.6.
 */

#include <sys/time.h>

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#include "common/log.h"
#include "ztd-ctl/range.h"
#include "ztd-ctl/request.h"

#define REQUESTS_MAX	5	/* on one connection */
#define JSONP_MAX	64
#define REAL_DIGITS	15	/* 0.1 stays what the operator wrote */
#define APP_POLICY	"default-src 'self' 'unsafe-inline' data: blob:; " \
			"frame-ancestors 'none'; object-src 'none'"
#define HTTP_PARTIAL	206
#define HTTP_BEYOND	416

static void	 request_free(struct request *);
static void	 request_finish(struct request *, int, struct evbuffer *);
static int	 request_range(struct request *, struct range *);
static void	 cut_out(struct evbuffer *, const struct range *);
static void	 file_reply(struct request *, int, int, uint64_t);
static int	 file_add(struct evbuffer *, int, const struct range *);
static void	 request_send(struct request *, int, struct evbuffer *);
static void	 request_header(struct request *, const char *, const char *);
static void	 request_answered(void *, const struct msg *);
static void	 request_asked(void *, enum query_result);
static void	 request_waited(evutil_socket_t, short, void *);

struct request *
request_new(struct ctl *ctl, struct client *cl, struct evhttp_request *ev)
{
	struct request	*rq;

	if ((rq = calloc(1, sizeof(*rq))) == NULL)
		return (NULL);
	rq->rq_ctl = ctl;
	rq->rq_ev = ev;
	rq->rq_client = cl;
	rq->rq_path = "";
	cl->cl_request = rq;
	cl->cl_count++;
	client_asked(cl);
	switch (evhttp_request_get_command(ev)) {
	case EVHTTP_REQ_POST:
	case EVHTTP_REQ_PUT:
		rq->rq_method = API_POST;
		break;
	case EVHTTP_REQ_DELETE:
		rq->rq_method = API_DELETE;
		break;
	case EVHTTP_REQ_HEAD:
		rq->rq_head = true;
		/* FALLTHROUGH */
	default:
		rq->rq_method = API_GET;
		break;
	}
	return (rq);
}

/*
 * Cut at '#', split at the first '?', decode the path: nothing else, so
 * that "//status" and "/network/../status" are nowhere.
 */
bool
request_parse(struct request *rq)
{
	const char	*uri;
	char		*p, *raw;
	size_t		 n;

	uri = evhttp_request_get_uri(rq->rq_ev);
	if (uri == NULL || (raw = strdup(uri)) == NULL)
		return (false);
	raw[strcspn(raw, "#")] = '\0';
	if ((p = strchr(raw, '?')) != NULL) {
		*p++ = '\0';
		rq->rq_params = strdup(p);
	}
	rq->rq_target = evhttp_uridecode(raw, 0, &n);
	free(raw);
	if (rq->rq_target == NULL || strlen(rq->rq_target) != n)
		return (false);
	rq->rq_path = rq->rq_target;
	return (rq->rq_path[0] == '/');
}

bool
request_jsonp_ok(struct request *rq)
{
	const char	*p;

	if ((rq->rq_jsonp = request_param(rq, "jsonp")) == NULL)
		return (true);
	p = rq->rq_jsonp;
	if (strlen(p) <= JSONP_MAX &&
	    (isalpha((unsigned char)*p) || *p == '_' || *p == '$')) {
		while (isalnum((unsigned char)*p) || *p == '_' || *p == '$' ||
		    *p == '.')
			p++;
		if (*p == '\0')
			return (true);
	}
	free(rq->rq_jsonp);
	rq->rq_jsonp = NULL;
	return (false);
}

/* The first value of a name counts; a name without '=' has an empty one. */
char *
request_param(const struct request *rq, const char *name)
{
	const char	*p, *end, *eq;
	char		*part, *key, *value = NULL;

	for (p = rq->rq_params; p != NULL && value == NULL;
	    p = *end == '&' ? end + 1 : NULL) {
		end = p + strcspn(p, "&");
		if ((part = strndup(p, (size_t)(end - p))) == NULL)
			return (NULL);
		eq = strchr(part, '=');
		if (eq != NULL)
			part[eq - part] = '\0';
		key = evhttp_uridecode(part, 1, NULL);
		if (key != NULL && strcmp(key, name) == 0)
			value = evhttp_uridecode(eq != NULL ? eq + 1 : "", 1,
			    NULL);
		free(key);
		free(part);
	}
	return (value);
}

const char *
request_body(struct request *rq, size_t *len)
{
	struct evbuffer	*b;
	unsigned char	*p;

	b = evhttp_request_get_input_buffer(rq->rq_ev);
	*len = evbuffer_get_length(b);
	if (*len == 0 || (p = evbuffer_pullup(b, -1)) == NULL) {
		*len = 0;
		return ("");
	}
	return ((const char *)p);
}

json_t *
request_body_json(struct request *rq)
{
	const char	*p;
	size_t		 len;

	p = request_body(rq, &len);
	if (len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
		p += 3;
		len -= 3;
	}
	return (json_loadb(p, strnlen(p, len), JSON_DECODE_ANY, NULL));
}

/* ---- answering --------------------------------------------------- */

void
request_reply(struct request *rq, int code, const char *body, size_t len)
{
	struct evbuffer	*b;

	if ((b = evbuffer_new()) == NULL) {
		request_send(rq, HTTP_INTERNAL, NULL);
		return;
	}
	if (rq->rq_jsonp != NULL) {
		(void)evbuffer_add_printf(b, "%s(", rq->rq_jsonp);
		if (len == 0)
			(void)evbuffer_add(b, "null", 4);
		(void)evbuffer_add(b, body, len);
		(void)evbuffer_add(b, ");", 2);
		request_header(rq, "Content-Type", "application/javascript");
		request_header(rq, "X-Content-Type-Options", "nosniff");
	} else {
		if (len == 0)
			(void)evbuffer_add(b, "{}", 2);
		(void)evbuffer_add(b, body, len);
		request_header(rq, "Content-Type", "application/json");
	}
	request_finish(rq, code, b);
	evbuffer_free(b);
}

void
request_text(struct request *rq, struct evbuffer *b)
{
	request_header(rq, "Content-Type", "text/plain");
	request_finish(rq, HTTP_OK, b);
}

/* Its length, and what HEAD is told instead of the body. */
static void
request_finish(struct request *rq, int code, struct evbuffer *b)
{
	struct range	 r = { 0, evbuffer_get_length(b) };
	char		 text[24];

	if (code == HTTP_OK && (code = request_range(rq, &r)) != HTTP_OK)
		cut_out(b, &r);
	(void)snprintf(text, sizeof(text), "%zu", evbuffer_get_length(b));
	request_header(rq, "Content-Length", text);
	if (rq->rq_head) {
		(void)evbuffer_drain(b, evbuffer_get_length(b));
		request_header(rq, "Accept-Ranges", "bytes");
	}
	request_send(rq, code, b);
}

/*
 * Which part of so many bytes is wanted: 200 all of them, 206 this part, or
 * 416 and none.
 */
static int
request_range(struct request *rq, struct range *r)
{
	const uint64_t	 size = r->r_len;
	const char	*v;
	char		 text[80];

	v = evhttp_find_header(evhttp_request_get_input_headers(rq->rq_ev),
	    "Range");
	if (v == NULL || rq->rq_method != API_GET || rq->rq_head)
		return (HTTP_OK);
	switch (range_parse(v, size, r)) {
	case RANGE_WHOLE:
		return (HTTP_OK);
	case RANGE_PART:
		(void)snprintf(text, sizeof(text), "bytes %" PRIu64 "-%"
		    PRIu64 "/%" PRIu64, r->r_from, r->r_from + r->r_len - 1,
		    size);
		request_header(rq, "Content-Range", text);
		return (HTTP_PARTIAL);
	default:
		r->r_len = 0;
		return (HTTP_BEYOND);
	}
}

bool
request_range_ok(struct request *rq)
{
	struct range	 r;
	const char	*v;

	v = evhttp_find_header(evhttp_request_get_input_headers(rq->rq_ev),
	    "Range");
	return (v == NULL || range_parse(v, 0, &r) != RANGE_BAD);
}

static void
cut_out(struct evbuffer *b, const struct range *r)
{
	struct evbuffer	*part;

	(void)evbuffer_drain(b, r->r_from);
	if ((part = evbuffer_new()) != NULL && r->r_len > 0)
		(void)evbuffer_remove_buffer(b, part, r->r_len);
	(void)evbuffer_drain(b, evbuffer_get_length(b));
	if (part != NULL) {
		(void)evbuffer_add_buffer(b, part);
		evbuffer_free(part);
	}
}

/*
 * A page of the app folder is of the API's origin, so it may not give what
 * it is told to anybody else.
 */
void
request_file(struct request *rq, int fd, off_t size, const char *type)
{
	request_header(rq, "Content-Type", type);
	request_header(rq, "X-Content-Type-Options", "nosniff");
	request_header(rq, "Content-Security-Policy", APP_POLICY);
	file_reply(rq, HTTP_OK, fd, (uint64_t)size);
}

void
request_lent(struct request *rq, int code, int fd, size_t len)
{
	char	*text;

	if (rq->rq_jsonp == NULL) {
		request_header(rq, "Content-Type", "application/json");
		file_reply(rq, code, fd, len);
		return;
	}
	if ((text = malloc(len)) == NULL ||
	    pread(fd, text, len, 0) != (ssize_t)len)
		request_empty(rq, HTTP_INTERNAL);
	else
		request_reply(rq, code, text, len);
	free(text);
	(void)close(fd);
}

/* What a descriptor has, which is taken over, or the wanted part of it. */
static void
file_reply(struct request *rq, int code, int fd, uint64_t size)
{
	struct evbuffer	*b;
	struct range	 r = { 0, size };
	char		 text[24];

	if (code == HTTP_OK)
		code = request_range(rq, &r);
	(void)snprintf(text, sizeof(text), "%" PRIu64, r.r_len);
	request_header(rq, "Content-Length", text);
	b = evbuffer_new();
	if (rq->rq_head) {
		request_header(rq, "Accept-Ranges", "bytes");
		(void)close(fd);
	} else if (b == NULL || file_add(b, fd, &r) == -1)
		code = HTTP_INTERNAL;
	request_send(rq, code, code == HTTP_INTERNAL ? NULL : b);
	if (b != NULL)
		evbuffer_free(b);
}

/* The descriptor is taken over; nothing is read before it is sent. */
static int
file_add(struct evbuffer *b, int fd, const struct range *r)
{
	struct evbuffer_file_segment	*seg;
	int				 rv;

	if (r->r_len == 0) {
		(void)close(fd);
		return (0);
	}
	seg = evbuffer_file_segment_new(fd, (ev_off_t)r->r_from,
	    (ev_off_t)r->r_len, EVBUF_FS_CLOSE_ON_FREE);
	if (seg == NULL) {
		(void)close(fd);
		return (-1);
	}
	rv = evbuffer_add_file_segment(b, seg, 0, -1);
	evbuffer_file_segment_free(seg);
	return (rv);
}

void
request_moved(struct request *rq, const char *path)
{
	request_header(rq, "Location", path);
	request_empty(rq, HTTP_MOVEPERM);
}

void
request_empty(struct request *rq, int code)
{
	request_header(rq, "Content-Length", "0");
	request_send(rq, code, NULL);
}

void
request_json(struct request *rq, int code, json_t *body)
{
	char	*text = NULL;

	if (body != NULL)
		text = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS |
		    JSON_ENCODE_ANY | JSON_REAL_PRECISION(REAL_DIGITS));
	json_decref(body);
	if (text == NULL) {
		log_warnx("request of %s dropped: out of memory", rq->rq_path);
		request_empty(rq, HTTP_INTERNAL);
		return;
	}
	request_reply(rq, code, text, strlen(text));
	free(text);
}

void
request_error(struct request *rq, int code, const char *text)
{
	json_t	*why = json_text(text, strlen(text));

	/* Programs look for the one name or the other. */
	request_json(rq, code, json_pack("{s:i,s:O,s:o}", "error", code,
	    "description", why, "message", why));
}

static void
request_header(struct request *rq, const char *name, const char *value)
{
	(void)evhttp_add_header(evhttp_request_get_output_headers(rq->rq_ev),
	    name, value);
}

/* The end of the request, whatever it was. */
static void
request_send(struct request *rq, int code, struct evbuffer *b)
{
	struct evhttp_request	*ev = rq->rq_ev;
	struct client		*cl = rq->rq_client;
	const char		*v;

	v = evhttp_find_header(evhttp_request_get_input_headers(ev),
	    "Connection");
	if (cl->cl_close || cl->cl_count >= REQUESTS_MAX ||
	    (v != NULL && strcasecmp(v, "close") == 0))
		request_header(rq, "Connection", "close");
	else
		request_header(rq, "Keep-Alive", "timeout=5, max=5");
	request_free(rq);
	client_answered(cl);
	evhttp_send_reply(ev, code, NULL, b);
}

void
request_abandon(struct request *rq)
{
	request_free(rq);
}

static void
request_free(struct request *rq)
{
	rq->rq_client->cl_request = NULL;
	query_cancel(rq->rq_query);
	if (rq->rq_timer != NULL)
		event_free(rq->rq_timer);
	if (rq->rq_free != NULL)
		rq->rq_free(rq->rq_state);
	if (rq->rq_params != NULL)
		explicit_bzero(rq->rq_params, strlen(rq->rq_params));
	free(rq->rq_params);
	free(rq->rq_target);
	free(rq->rq_jsonp);
	free(rq);
}

/* ---- waiting ----------------------------------------------------- */

bool
request_ask(struct request *rq, enum proc proc, uint32_t type, const void *p,
    size_t len, void (*message)(struct request *, const struct msg *),
    void (*next)(struct request *))
{
	rq->rq_message = message;
	rq->rq_next = next;
	rq->rq_query = query_new(rq->rq_ctl, proc, type, p, len,
	    request_answered, request_asked, rq);
	if (rq->rq_query == NULL) {
		request_asked(rq, QUERY_AWAY);
		return (false);
	}
	return (true);
}

static void
request_answered(void *arg, const struct msg *m)
{
	struct request	*rq = arg;

	if (rq->rq_message != NULL)
		rq->rq_message(rq, m);
}

static void
request_asked(void *arg, enum query_result result)
{
	struct request	*rq = arg;

	rq->rq_query = NULL;
	switch (result) {
	case QUERY_DONE:
		rq->rq_next(rq);
		break;
	case QUERY_AWAY:
		request_error(rq, HTTP_SERVUNAVAIL,
		    "a part of the service is not running, try again");
		break;
	case QUERY_LATE:
		request_error(rq, HTTP_SERVUNAVAIL,
		    "a part of the service does not answer, try again");
		break;
	}
}

void
request_wait(struct request *rq, unsigned ms, void (*next)(struct request *))
{
	const struct timeval	 tv = { ms / 1000, ms % 1000 * 1000 };

	/* Its end, which may still come, is not what is waited for. */
	query_cancel(rq->rq_query);
	rq->rq_query = NULL;
	rq->rq_next = next;
	if (rq->rq_timer == NULL)
		rq->rq_timer = evtimer_new(rq->rq_ctl->c_base, request_waited,
		    rq);
	if (rq->rq_timer == NULL || evtimer_add(rq->rq_timer, &tv) == -1)
		request_error(rq, HTTP_SERVUNAVAIL, "out of memory");
}

static void
request_waited(evutil_socket_t fd, short what, void *arg)
{
	struct request	*rq = arg;

	(void)fd;
	(void)what;
	rq->rq_next(rq);
}
