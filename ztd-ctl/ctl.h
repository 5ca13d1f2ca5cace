/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What the files of the API process share.  Spec: 05 sections 2 to 9.
 */

#ifndef ZTD_CTL_CTL_H
#define ZTD_CTL_CTL_H

#include <sys/types.h>
#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/inet.h"
#include "privsep/channel.h"
#include "privsep/messages.h"

struct evbuffer;
struct event_base;
struct query;
struct request;
struct server;

LIST_HEAD(query_list, query);

/* The process: one of it, made by main(). */
struct ctl {
	struct event_base	*c_base;
	struct channel		*c_channels[PROC_COUNT];	/* or NULL */
	struct msg_init		 c_init;
	struct msg_settings	 c_settings;
	struct msg_token	 c_token;
	struct msg_operators	 c_operators;
	json_t			*c_config;	/* local.conf, NULL: none */
	struct query_list	 c_queries;
	uint32_t		 c_query_id;
	struct server		*c_server;
};

/* ---- query.c: questions to other processes ----------------------- */

#define QUERY_TIMEOUT	5	/* seconds from question to last answer */

enum query_result {
	QUERY_DONE,		/* the answer is complete */
	QUERY_AWAY,		/* the other process is not there (any more) */
	QUERY_LATE		/* no complete answer within QUERY_TIMEOUT */
};

/* An answering message; the last one included unless it is a mere end. */
typedef void (*query_message)(void *arg, const struct msg *);
/* Called once, at the end; the query is gone by then. */
typedef void (*query_end)(void *arg, enum query_result);

/*
 * Ask; further messages of the same question go out with query_send().
 * Returns NULL when the process is away or memory is short: no callback is
 * called then.
 */
struct query *query_new(struct ctl *, enum proc, uint32_t type,
	    const void *p, size_t len, query_message, query_end, void *arg);
int	 query_send(struct query *, uint32_t type, const void *p, size_t len);
/* Forget it; no callback is called.  NULL is fine. */
void	 query_cancel(struct query *);
/* A message came from this process: false when it answers no question. */
bool	 query_receive(struct ctl *, enum proc, const struct msg *);
/* The process is gone: its questions end. */
void	 query_gone(struct ctl *, enum proc);

/* ---- server.c: HTTP ---------------------------------------------- */

struct evhttp_request;
struct client;

/*
 * One request, authenticated.  Lives until one of the request_reply()
 * family was called, or the client left.
 */
struct request {
	struct ctl		*rq_ctl;
	struct evhttp_request	*rq_ev;
	struct client		*rq_client;
	struct query		*rq_query;	/* waited for, or NULL */
	struct event		*rq_timer;	/* or NULL */
	const char		*rq_path;	/* decoded */
	char			*rq_target;	/* storage behind it */
	char			*rq_params;	/* undecoded query, or NULL */
	enum api_method		 rq_method;	/* HEAD is GET */
	bool			 rq_head;
	bool			 rq_all;	/* parameter of /ztd/trace */
	uint64_t		 rq_id;		/* number in the path */
	char			*rq_jsonp;	/* function to call, or NULL */
	void			*rq_state;	/* the endpoint's own */
	void			(*rq_free)(void *);	/* frees rq_state */
	void			(*rq_message)(struct request *,
				    const struct msg *);
	void			(*rq_next)(struct request *);
};

/* NULL when memory is short. */
struct server *server_new(struct ctl *);
/* Serve on this listening socket, which is taken over. */
void	 server_listen(struct server *, int fd, const struct msg_listener *);
/* The same for the local socket. */
void	 server_local(struct server *, int fd);
void	 server_free(struct server *);

/*
 * Answer and end the request.  request_json takes over the reference; NULL
 * (no memory) becomes a 500.  request_empty sends no body and no type.
 * request_error sends {"error": code, "description": text}.  request_lent
 * sends the text that is in sealed memory, whose descriptor it takes over.
 */
void	 request_reply(struct request *, int code, const char *body,
	    size_t len);
void	 request_lent(struct request *, int code, int fd, size_t len);
/* Plain text, 200; the buffer is emptied.  Never for jsonp. */
void	 request_text(struct request *, struct evbuffer *);
void	 request_json(struct request *, int code, json_t *body);
void	 request_empty(struct request *, int code);
void	 request_error(struct request *, int code, const char *text);
/*
 * Ask another process; each answer goes to message (may be NULL), then next
 * is called.  When there is no answer, the request is ended with a 503 that
 * says so; false when that has happened already.
 */
bool	 request_ask(struct request *, enum proc, uint32_t type,
	    const void *p, size_t len,
	    void (*message)(struct request *, const struct msg *),
	    void (*next)(struct request *));
/* Call next after ms milliseconds. */
void	 request_wait(struct request *, unsigned ms,
	    void (*next)(struct request *));
/*
 * The body; *len bytes at the return value, which is never NULL.  Valid as
 * long as the request.
 */
const char *request_body(struct request *, size_t *len);
/* The body as JSON, or NULL when it is none (05 section 2.3). */
json_t	*request_body_json(struct request *);
/* A decoded parameter of the query, malloc'd, NULL when absent. */
char	*request_param(const struct request *, const char *name);

/* ---- auth.c: who may ask ----------------------------------------- */

/*
 * Does this request come from where it may and bring what it must (05
 * section 3.2)?  from is nil when the address makes no sense.
 */
bool	 auth_allowed(struct request *, const struct inet_addr *from);
/*
 * The same for the local socket: root, whoever is in our group, and whoever
 * brings the token.  *uid is whose request it is, (uid_t)-1 when the kernel
 * does not say.
 */
bool	 auth_local(struct request *, uid_t *uid);
/*
 * A browser that was led here by somebody else's page (05 section 2.2).
 */
bool	 auth_foreign_page(struct request *);

/* ---- the endpoints ----------------------------------------------- */

void	 api_status(struct request *);
void	 api_health(struct request *);
void	 api_config(struct request *);
void	 api_config_set(struct request *);
void	 api_config_show(struct request *);
void	 api_reload(struct request *);
void	 api_metrics(struct request *);
void	 api_network_list(struct request *);
void	 api_network(struct request *);
void	 api_peer_list(struct request *);
void	 api_peer(struct request *);
void	 api_bond(struct request *);
void	 api_bond_mtu(struct request *);
void	 api_moon_list(struct request *);
void	 api_moon(struct request *);
void	 api_message_list(struct request *);
void	 api_message_send(struct request *);
/* MSG_USER_RECEIVED. */
void	 message_received(const void *, size_t len);
void	 api_trace(struct request *);
/* MSG_EVENT. */
void	 trace_received(const void *, size_t len);
void	 api_controller(struct request *);
void	 api_unstable(struct request *);

/* ---- frametext.c ------------------------------------------------- */

/*
 * A frame in words, as "IPv4 10.1.1.1:4242 > 10.1.1.2:23 TCP SYN", from the
 * first len bytes behind the Ethernet header.  dst has FRAMETEXT bytes;
 * returns it.
 */
#define FRAMETEXT	256
const char *frame_text(char *dst, uint16_t ethertype, const uint8_t *p,
	    size_t len);

/* ---- json.c: small helpers --------------------------------------- */

/*
 * Text of at most size bytes up to its NUL, whatever is in it: what is no
 * UTF-8 becomes U+FFFD.
 */
json_t	*json_text(const char *p, size_t size);
/* "%0*llx" */
json_t	*json_hex(uint64_t v, int digits);
json_t	*json_inet(const struct inet_addr *);
/* Text, or null for a nil address; "%010llx", or null for 0. */
json_t	*json_inet_or_null(const struct inet_addr *);
json_t	*json_node_or_null(uint64_t);
/* {"reason": code, "text": sentence}: where more about it is put. */
json_t	*json_reason(uint32_t reason);
/* Array of at most max of n addresses, nil ones left out. */
json_t	*json_inets(const struct inet_addr *, uint32_t n, uint32_t max);
/* Insert an object into an array in order of its string member key. */
void	 json_insert_sorted(json_t *array, const char *key, json_t *obj);

#endif /* ZTD_CTL_CTL_H */
