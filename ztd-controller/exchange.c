/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * HTTP exchanges in messages; see exchange.h.
 */

#include <sys/queue.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "ztd-controller/controller.h"
#include "ztd-controller/exchange.h"

/* Room that is left in the channel's queue for other answers. */
#define QUEUE_SPARE	(1024 * 1024)

struct exchange {
	TAILQ_ENTRY(exchange) ex_entry;
	uint32_t	 ex_id;
	uint32_t	 ex_method;	/* enum api_method */
	unsigned	 ex_error;	/* status to answer with, 0: handle */
	const char	*ex_why;	/* the reason */
	char		*ex_body;
	size_t		 ex_len, ex_size;
	char		 ex_path[sizeof(((struct msg_api_request *)0)->
			    ar_path)];
};
TAILQ_HEAD(exchange_list, exchange);

struct exchange_table {
	struct exchange_list et_list;
	unsigned	 et_n;
};

static void	 exchange_begin(struct exchange_table *, struct channel *,
		    const struct msg *);
static void	 exchange_body(struct exchange *, const struct msg *);
static void	 exchange_end(struct exchange *, struct controller *,
		    struct channel *, int64_t);
static void	 exchange_refuse(struct exchange *, unsigned, const char *);
static void	 exchange_remove(struct exchange_table *, struct exchange *);
static struct exchange *exchange_find(struct exchange_table *, uint32_t);
static void	 answer(struct channel *, uint32_t, unsigned, const char *,
		    size_t);
static void	 answer_refusal(struct channel *, uint32_t, unsigned,
		    const char *);

struct exchange_table *
exchange_new(void)
{
	struct exchange_table	*et;

	et = xcalloc(1, sizeof(*et));
	TAILQ_INIT(&et->et_list);
	return (et);
}

void
exchange_reset(struct exchange_table *et)
{
	struct exchange	*ex;

	while ((ex = TAILQ_FIRST(&et->et_list)) != NULL)
		exchange_remove(et, ex);
}

void
exchange_free(struct exchange_table *et)
{
	if (et == NULL)
		return;
	exchange_reset(et);
	free(et);
}

void
exchange_message(struct exchange_table *et, struct controller *c,
    struct channel *ch, const struct msg *m, int64_t now)
{
	struct exchange	*ex;

	if (m->m_type == MSG_API_REQUEST) {
		exchange_begin(et, ch, m);
		return;
	}
	/* Of one that was refused at once there may be more to come. */
	if ((ex = exchange_find(et, m->m_id)) == NULL)
		return;
	if (m->m_type == MSG_API_BODY)
		exchange_body(ex, m);
	else {
		exchange_end(ex, c, ch, now);
		exchange_remove(et, ex);
	}
}

static void
exchange_begin(struct exchange_table *et, struct channel *ch,
    const struct msg *m)
{
	const struct msg_api_request	*rq = m->m_data;
	struct exchange			*ex;

	if ((ex = exchange_find(et, m->m_id)) != NULL)
		exchange_remove(et, ex);
	if (et->et_n == EXCHANGES_MAX) {
		answer_refusal(ch, m->m_id, 503, "too many requests at a "
		    "time, try again");
		return;
	}
	ex = xcalloc(1, sizeof(*ex));
	ex->ex_id = m->m_id;
	ex->ex_method = rq->ar_method;
	if (memchr(rq->ar_path, '\0', sizeof(rq->ar_path)) == NULL)
		exchange_refuse(ex, 404, "there is no such path");
	else
		(void)strlcpy(ex->ex_path, rq->ar_path,
		    sizeof(ex->ex_path));
	TAILQ_INSERT_TAIL(&et->et_list, ex, ex_entry);
	et->et_n++;
}

static void
exchange_body(struct exchange *ex, const struct msg *m)
{
	char	*p;
	size_t	 size;

	if (ex->ex_error != 0)
		return;
	if (m->m_len > API_BODY_MAX - ex->ex_len) {
		exchange_refuse(ex, 413, "the body is too long");
		return;
	}
	if (ex->ex_len + m->m_len > ex->ex_size) {
		size = (ex->ex_len + m->m_len) * 2;
		if ((p = realloc(ex->ex_body, size)) == NULL) {
			exchange_refuse(ex, 503, "no memory for the body");
			return;
		}
		ex->ex_body = p;
		ex->ex_size = size;
	}
	if (m->m_len > 0)
		memcpy(ex->ex_body + ex->ex_len, m->m_data, m->m_len);
	ex->ex_len += m->m_len;
}

static void
exchange_end(struct exchange *ex, struct controller *c, struct channel *ch,
    int64_t now)
{
	enum con_method	 method = METHOD_GET;
	unsigned	 code;
	size_t		 len = 0;
	char		*text = NULL;

	switch (ex->ex_method) {
	case API_GET:
		method = METHOD_GET;
		break;
	case API_POST:
		method = METHOD_POST;
		break;
	case API_DELETE:
		method = METHOD_DELETE;
		break;
	default:
		exchange_refuse(ex, 404, "there is no such method");
	}
	if (ex->ex_error != 0) {
		answer_refusal(ch, ex->ex_id, ex->ex_error, ex->ex_why);
		return;
	}
	code = api_handle(c, now, method, ex->ex_path,
	    ex->ex_len == 0 ? "" : ex->ex_body, ex->ex_len, &text, &len);
	answer(ch, ex->ex_id, code, text, len);
	free(text);
}

/* The answer once all of the request is here. */
static void
exchange_refuse(struct exchange *ex, unsigned code, const char *why)
{
	ex->ex_error = code;
	ex->ex_why = why;
}

static void
exchange_remove(struct exchange_table *et, struct exchange *ex)
{
	TAILQ_REMOVE(&et->et_list, ex, ex_entry);
	et->et_n--;
	free(ex->ex_body);
	free(ex);
}

static struct exchange *
exchange_find(struct exchange_table *et, uint32_t id)
{
	struct exchange	*ex;

	TAILQ_FOREACH(ex, &et->et_list, ex_entry)
		if (ex->ex_id == id)
			return (ex);
	return (NULL);
}

/* An answer goes out whole or not at all. */
static void
answer(struct channel *ch, uint32_t id, unsigned code, const char *text,
    size_t len)
{
	struct msg_api_response	 rs;
	size_t			 off, n;

	if (len > CHANNEL_QUEUE - QUEUE_SPARE ||
	    channel_pending(ch) > CHANNEL_QUEUE - QUEUE_SPARE - len) {
		log_warnx("an answer of %zu bytes is too long for the "
		    "channel to %s", len, proc_name(PROC_CTL));
		code = 503;
		text = "{\"message\": \"the answer is too long\"}";
		len = strlen(text);
	}
	memset(&rs, 0, sizeof(rs));
	rs.ar_status = code;
	(void)channel_send(ch, MSG_API_RESPONSE, id, -1, &rs, sizeof(rs));
	for (off = 0; off < len; off += n) {
		n = len - off < MSG_MAX ? len - off : MSG_MAX;
		(void)channel_send(ch, MSG_API_BODY, id, -1, text + off, n);
	}
	(void)channel_send(ch, MSG_API_END, id, -1, NULL, 0);
}

/* why: plain text without quotes. */
static void
answer_refusal(struct channel *ch, uint32_t id, unsigned code,
    const char *why)
{
	char	text[128];
	int	n;

	n = snprintf(text, sizeof(text), "{\"message\": \"%s\"}", why);
	answer(ch, id, code, text, (size_t)n);
}
