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

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/hex.h"
#include "ztd-ctl/backlog.h"
#include "ztd-ctl/ctl.h"

#define REMEMBERED	256

struct remembered {
	struct msg_user	 re_head;
	uint8_t		 re_data[];
};

static struct backlog	*messages;

static struct backlog *backlog(void);
static json_t	*message_json(const void *, const struct request *);
static bool	 type_of(json_t *, uint64_t *);
static struct msg_user *message_of(struct request *, const char **);
static void	 send_message(struct request *, const struct msg *);
static void	 send_done(struct request *);
static void	 bad(struct request *, const char *);

/* ---- coming in ---------------------------------------------------- */

static struct backlog *
backlog(void)
{
	if (messages == NULL)
		messages = backlog_new(REMEMBERED, message_json);
	return (messages);
}

void
message_received(const void *p, size_t len)
{
	struct remembered	*re;
	struct msg_user		 mu;

	memcpy(&mu, p, sizeof(mu));
	if (len - sizeof(mu) != mu.mu_len || backlog() == NULL ||
	    (re = malloc(sizeof(*re) + mu.mu_len)) == NULL)
		return;
	re->re_head = mu;
	memcpy(re->re_data, (const uint8_t *)p + sizeof(mu), mu.mu_len);
	backlog_add(messages, re);
}

void
api_message_list(struct request *rq)
{
	backlog_answer(backlog(), rq);
}

/* A type that JSON's integers have no room for is a text. */
static json_t *
message_json(const void *item, const struct request *rq)
{
	const struct remembered	*re = item;
	const struct msg_user	*mu = &re->re_head;
	json_t			*v, *type;
	char			*hex;

	(void)rq;
	if ((hex = malloc(2 * (size_t)mu->mu_len + 1)) == NULL)
		return (NULL);
	hex_encode(hex, re->re_data, mu->mu_len);
	if (mu->mu_type <= INT64_MAX)
		type = json_integer((json_int_t)mu->mu_type);
	else
		type = json_sprintf("%llu", (unsigned long long)mu->mu_type);
	v = json_pack("{s:o,s:o,s:s,s:I}",
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
