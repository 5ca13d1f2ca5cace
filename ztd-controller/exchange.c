/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * HTTP exchanges in messages; see exchange.h.
 */

#include <sys/queue.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "ztd-controller/controller.h"
#include "ztd-controller/exchange.h"

/* What of an answer is in the channel's queue at a time. */
#define QUEUE_PART	(CHANNEL_ROOM * 4)

struct exchange {
	TAILQ_ENTRY(exchange) ex_entry;
	struct exchange_table *ex_table;
	struct channel	*ex_channel;
	struct api_call	*ex_call;	/* under way */
	char		*ex_out;	/* the answer, when it is begun, */
	struct sheet	*ex_sheet;	/* or where it is */
	size_t		 ex_outlen, ex_sent;
	bool		 ex_answering;
	uint32_t	 ex_id;
	uint32_t	 ex_method;	/* enum api_method */
	unsigned	 ex_error;	/* status to answer with, 0: handle */
	const char	*ex_why;	/* and its message */
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
		    int64_t);
static void	 exchange_done(void *, unsigned, char *, size_t,
		    struct sheet *);
static int	 exchange_lend(struct exchange *);
static void	 exchange_send(struct exchange *);
static void	 exchange_remove(struct exchange *);
static struct exchange *exchange_find(struct exchange_table *, uint32_t);
static void	 exchange_refuse(struct exchange *, unsigned, const char *);
static char	*refusal(const char *);
static void	 refuse(struct channel *, uint32_t, unsigned, const char *);

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
		exchange_remove(ex);
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
	if ((ex = exchange_find(et, m->m_id)) == NULL ||
	    ex->ex_call != NULL || ex->ex_answering)
		return;
	if (m->m_type == MSG_API_BODY)
		exchange_body(ex, m);
	else
		exchange_end(ex, c, now);
}

void
exchange_room(struct exchange_table *et, struct channel *ch)
{
	struct exchange	*ex, *next;

	TAILQ_FOREACH_SAFE(ex, &et->et_list, ex_entry, next) {
		if (channel_pending(ch) >= QUEUE_PART)
			break;
		if (ex->ex_answering)
			exchange_send(ex);
	}
}

static void
exchange_begin(struct exchange_table *et, struct channel *ch,
    const struct msg *m)
{
	const struct msg_api_request	*rq = m->m_data;
	struct exchange			*ex;

	if ((ex = exchange_find(et, m->m_id)) != NULL)
		exchange_remove(ex);
	if (et->et_n == EXCHANGES_MAX) {
		refuse(ch, m->m_id, 503, "too many requests at a time, try "
		    "again");
		return;
	}
	ex = xcalloc(1, sizeof(*ex));
	ex->ex_table = et;
	ex->ex_channel = ch;
	ex->ex_id = m->m_id;
	ex->ex_method = rq->ar_method;
	if (memchr(rq->ar_path, '\0', sizeof(rq->ar_path)) == NULL)
		exchange_refuse(ex, 404, "the path is too long");
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
			exchange_refuse(ex, 503, "out of memory");
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
exchange_end(struct exchange *ex, struct controller *c, int64_t now)
{
	struct api_call	*call;
	enum con_method	 method = METHOD_GET;
	char		*text;
	const uint32_t	 id = ex->ex_id;
	struct exchange_table *et = ex->ex_table;

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
		text = refusal(ex->ex_why);
		exchange_done(ex, ex->ex_error, text, strlen(text), NULL);
		return;
	}
	call = api_start(c, now, method, ex->ex_path,
	    ex->ex_len == 0 ? "" : ex->ex_body, ex->ex_len, exchange_done,
	    ex);
	/* Answered at once, it may be gone already. */
	if (call != NULL && (ex = exchange_find(et, id)) != NULL)
		ex->ex_call = call;
}

/* The answer is there, and ours. */
static void
exchange_done(void *arg, unsigned code, char *out, size_t len,
    struct sheet *sh)
{
	struct msg_api_response	 rs;
	struct exchange		*ex = arg;

	ex->ex_call = NULL;
	ex->ex_out = out;
	ex->ex_sheet = sh;
	ex->ex_outlen = sh == NULL ? len : sh->sh_len;
	ex->ex_answering = true;
	memset(&rs, 0, sizeof(rs));
	rs.ar_status = code;
	(void)channel_send(ex->ex_channel, MSG_API_RESPONSE, ex->ex_id, -1,
	    &rs, sizeof(rs));
	if (sh != NULL && sh->sh_fd != -1) {
		if (exchange_lend(ex) == 0)
			ex->ex_sent = ex->ex_outlen;
		else if ((ex->ex_out = sheet_read(sh)) == NULL)
			fatalx("out of memory");
	}
	exchange_send(ex);
}

/* The descriptor instead of pieces. */
static int
exchange_lend(struct exchange *ex)
{
	struct msg_api_file	 af;
	int			 fd;

	if ((fd = fcntl(ex->ex_sheet->sh_fd, F_DUPFD_CLOEXEC, 0)) == -1)
		return (-1);
	memset(&af, 0, sizeof(af));
	af.af_len = ex->ex_outlen;
	return (channel_send(ex->ex_channel, MSG_API_FILE, ex->ex_id, fd,
	    &af, sizeof(af)));
}

/* As much as the queue takes; with the last byte it is over. */
static void
exchange_send(struct exchange *ex)
{
	struct channel	*ch = ex->ex_channel;
	const char	*text = ex->ex_out;
	size_t		 n;

	if (text == NULL && ex->ex_sheet != NULL)
		text = ex->ex_sheet->sh_text;
	while (ex->ex_sent < ex->ex_outlen) {
		if (channel_pending(ch) >= QUEUE_PART)
			return;
		n = ex->ex_outlen - ex->ex_sent;
		if (n > MSG_MAX)
			n = MSG_MAX;
		if (channel_send(ch, MSG_API_BODY, ex->ex_id, -1,
		    text + ex->ex_sent, n) == -1)
			break;		/* the channel is dead */
		ex->ex_sent += n;
	}
	(void)channel_send(ch, MSG_API_END, ex->ex_id, -1, NULL, 0);
	exchange_remove(ex);
}

static void
exchange_remove(struct exchange *ex)
{
	struct exchange_table	*et = ex->ex_table;

	TAILQ_REMOVE(&et->et_list, ex, ex_entry);
	et->et_n--;
	api_forget(ex->ex_call);
	free(ex->ex_out);
	sheet_free(ex->ex_sheet);
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

/* The answer once all of the request is here. */
static void
exchange_refuse(struct exchange *ex, unsigned code, const char *why)
{
	ex->ex_error = code;
	ex->ex_why = why;
}

/* why: plain text without quotes. */
static char *
refusal(const char *why)
{
	char	*text;

	if (asprintf(&text, "{\"message\": \"%s\"}", why) == -1)
		fatalx("out of memory");
	return (text);
}

static void
refuse(struct channel *ch, uint32_t id, unsigned code, const char *why)
{
	struct msg_api_response	 rs;
	char			*text;

	memset(&rs, 0, sizeof(rs));
	rs.ar_status = code;
	text = refusal(why);
	(void)channel_send(ch, MSG_API_RESPONSE, id, -1, &rs, sizeof(rs));
	(void)channel_send(ch, MSG_API_BODY, id, -1, text, strlen(text));
	(void)channel_send(ch, MSG_API_END, id, -1, NULL, 0);
	free(text);
}
