/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * /ztd/message: messages of the users of two nodes to each other.  The last
 * ones that came are remembered here, under numbers that only grow; a client
 * asks for those after the last it has seen and may wait for one.  What is in
 * them is a stranger's, so it is shown as hex digits.  Spec: 02 section 4.9.
 */

#include <sys/queue.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/hex.h"
#include "ztd-ctl/ctl.h"

#define REMEMBERED	256
#define WAITERS_MAX	16	/* each holds a connection */
#define WAIT_MAX	30	/* s */

struct remembered {
	uint64_t	 re_seq;	/* 0: none */
	struct msg_user	 re_head;
	uint8_t		*re_data;
};

struct waiter {
	TAILQ_ENTRY(waiter) w_entry;
	struct request	*w_request;
	uint64_t	 w_after;
};

static struct remembered	 ring[REMEMBERED];
static uint64_t			 last_seq;
static TAILQ_HEAD(, waiter)	 waiters = TAILQ_HEAD_INITIALIZER(waiters);
static unsigned			 nwaiters;

static bool	 number_param(struct request *, const char *, uint64_t,
		    uint64_t *);
static void	 wait_for_one(struct request *, uint64_t, unsigned);
static void	 waiter_free(void *);
static void	 waited(struct request *);
static json_t	*list_after(uint64_t);
static json_t	*message_json(const struct remembered *);
static bool	 type_of(json_t *, uint64_t *);
static struct msg_user *message_of(struct request *, const char **);
static void	 send_message(struct request *, const struct msg *);
static void	 send_done(struct request *);
static void	 bad(struct request *, const char *);
static uint64_t	 first_seq(void);

/* ---- coming in ---------------------------------------------------- */

void
message_received(const void *p, size_t len)
{
	struct remembered	*re;
	struct msg_user		 mu;
	uint8_t			*data;

	memcpy(&mu, p, sizeof(mu));
	if (len - sizeof(mu) != mu.mu_len ||
	    (data = malloc((size_t)mu.mu_len + 1)) == NULL)
		return;
	memcpy(data, (const uint8_t *)p + sizeof(mu), mu.mu_len);
	last_seq = last_seq == 0 ? first_seq() : last_seq + 1;
	re = &ring[last_seq % REMEMBERED];
	free(re->re_data);
	re->re_seq = last_seq;
	re->re_head = mu;
	re->re_data = data;
	/* Whoever is answered is off the list. */
	while (!TAILQ_EMPTY(&waiters))
		waited(TAILQ_FIRST(&waiters)->w_request);
}

/* So that numbers grow across restarts, too; fewer than 1000 come in a
 * second. */
static uint64_t
first_seq(void)
{
	struct timespec	 ts;

	if (clock_gettime(CLOCK_REALTIME, &ts) == -1 || ts.tv_sec < 0)
		return (1);
	return ((uint64_t)ts.tv_sec * 1000 + 1);
}

/* ---- GET ---------------------------------------------------------- */

void
api_message_list(struct request *rq)
{
	uint64_t	 after, wait;

	if (!number_param(rq, "after", INT64_MAX, &after))
		bad(rq, "after: not a number");
	else if (!number_param(rq, "wait", WAIT_MAX, &wait))
		bad(rq, "wait: not a number of seconds, 0 to 30");
	else {
		/* From before the clock was set back, or of another node. */
		if (after > last_seq)
			after = 0;
		if (wait == 0 || last_seq > after)
			request_json(rq, 200, list_after(after));
		else
			wait_for_one(rq, after, (unsigned)wait);
	}
}

/* A parameter that is missing is 0. */
static bool
number_param(struct request *rq, const char *name, uint64_t max, uint64_t *v)
{
	char	*text, *end;
	bool	 good;

	*v = 0;
	if ((text = request_param(rq, name)) == NULL)
		return (true);
	errno = 0;
	*v = strtoull(text, &end, 10);
	good = *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 &&
	    *v <= max;
	free(text);
	return (good);
}

static void
wait_for_one(struct request *rq, uint64_t after, unsigned seconds)
{
	struct waiter	*w;

	if ((w = calloc(1, sizeof(*w))) == NULL) {
		request_error(rq, 503, "out of memory");
		return;
	}
	/* Some have hung up, which shows only when they are answered. */
	if (nwaiters >= WAITERS_MAX)
		waited(TAILQ_FIRST(&waiters)->w_request);
	w->w_request = rq;
	w->w_after = after;
	TAILQ_INSERT_TAIL(&waiters, w, w_entry);
	nwaiters++;
	rq->rq_state = w;
	rq->rq_free = waiter_free;
	request_wait(rq, seconds * 1000, waited);
}

static void
waiter_free(void *arg)
{
	struct waiter	*w = arg;

	TAILQ_REMOVE(&waiters, w, w_entry);
	nwaiters--;
	free(w);
}

/* One has come, or the time is over. */
static void
waited(struct request *rq)
{
	const struct waiter	*w = rq->rq_state;

	request_json(rq, 200, list_after(w->w_after));
}

static json_t *
list_after(uint64_t after)
{
	const struct remembered	*re;
	json_t			*list;
	uint64_t		 seq;

	if ((list = json_array()) == NULL)
		return (NULL);
	if (last_seq >= REMEMBERED && after < last_seq - REMEMBERED)
		after = last_seq - REMEMBERED;
	for (seq = after + 1; seq <= last_seq; seq++) {
		re = &ring[seq % REMEMBERED];
		if (re->re_seq == seq)
			(void)json_array_append_new(list, message_json(re));
	}
	return (list);
}

/* A type that JSON's integers have no room for is a text. */
static json_t *
message_json(const struct remembered *re)
{
	const struct msg_user	*mu = &re->re_head;
	json_t			*v, *type;
	char			*hex;

	if ((hex = malloc(2 * (size_t)mu->mu_len + 1)) == NULL)
		return (NULL);
	hex_encode(hex, re->re_data, mu->mu_len);
	if (mu->mu_type <= INT64_MAX)
		type = json_integer((json_int_t)mu->mu_type);
	else
		type = json_sprintf("%llu", (unsigned long long)mu->mu_type);
	v = json_pack("{s:I,s:o,s:o,s:s,s:I}",
	    "seq", (json_int_t)re->re_seq,
	    "from", json_hex(mu->mu_addr, 10),
	    "type", type,
	    "data", hex,
	    "time", (json_int_t)mu->mu_time);
	free(hex);
	return (v);
}

/* ---- POST --------------------------------------------------------- */

void
api_message_send(struct request *rq)
{
	struct msg_user	*mu;
	const char	*why;

	if ((mu = message_of(rq, &why)) == NULL) {
		bad(rq, why);
		return;
	}
	(void)request_ask(rq, PROC_NET, MSG_USER_SEND, mu, sizeof(*mu) +
	    mu->mu_len, send_message, send_done);
	free(mu);
}

/* The message with its content behind it, malloc'd; or NULL and why. */
static struct msg_user *
message_of(struct request *rq, const char **why)
{
	struct msg_user	*mu = NULL;
	json_t		*body, *data;
	uint64_t	 type;
	size_t		 len;

	body = request_body_json(rq);
	data = json_object_get(body, "data");
	len = json_string_length(data);
	if (!json_is_object(body))
		*why = "the body is not a JSON object";
	else if (!type_of(json_object_get(body, "type"), &type))
		*why = "type: must be a whole number, 0 or more";
	else if (!json_is_string(data) || len % 2 != 0)
		*why = "data: must be a text of hex digits, two for a byte";
	else if (len / 2 > USER_MESSAGE_MAX)
		*why = "data: too long";
	else if ((mu = calloc(1, sizeof(*mu) + len / 2)) == NULL)
		*why = "out of memory";
	else if (hex_decode(mu + 1, json_string_value(data), len / 2) == -1) {
		*why = "data: must be a text of hex digits, two for a byte";
		free(mu);
		mu = NULL;
	} else {
		mu->mu_addr = rq->rq_id;
		mu->mu_type = type;
		mu->mu_len = (uint32_t)(len / 2);
	}
	json_decref(body);
	return (mu);
}

static bool
type_of(json_t *v, uint64_t *type)
{
	const char	*s = json_string_value(v);
	char		*end;

	if (json_is_integer(v) && json_integer_value(v) >= 0) {
		*type = (uint64_t)json_integer_value(v);
		return (true);
	}
	if (s == NULL || *s < '0' || *s > '9')
		return (false);
	errno = 0;
	*type = strtoull(s, &end, 10);
	return (*end == '\0' && errno == 0);
}

static void
send_message(struct request *rq, const struct msg *m)
{
	const struct msg_result	*mr = m->m_data;

	if (m->m_type != MSG_RESULT)
		return;
	if (mr->mr_code == 200)
		request_json(rq, 200, json_pack("{s:b}", "result", 1));
	else
		request_json(rq, 400, json_pack("{s:o}", "message",
		    json_text(mr->mr_text, sizeof(mr->mr_text))));
}

/* The answer of one message has been given by then. */
static void
send_done(struct request *rq)
{
	request_error(rq, 503, "the engine gave no answer");
}

static void
bad(struct request *rq, const char *why)
{
	request_json(rq, 400, json_pack("{s:s}", "message", why));
}
