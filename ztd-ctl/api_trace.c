/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * /ztd/trace/NETWORK: what becomes of the frames of a network, as it
 * happens.  To ask is to watch: the engine tells for as long as somebody
 * asks again and again.
 */

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/credential.h"
#include "common/why.h"
#include "ztd-ctl/backlog.h"
#include "ztd-ctl/ctl.h"

#define REMEMBERED	1024
#define WATCH_MS	45000	/* longer than anybody waits */

struct event {
	struct msg_event ev_head;
	uint8_t		 ev_data[];
};

static struct backlog	*events;

static struct backlog *backlog(void);
static json_t	*event_json(const void *, const struct request *);
static void	 add_frame(json_t *, const struct event *);
static void	 add_credential(json_t *, const struct msg_event *);
static void	 add_rule(json_t *, const struct msg_event *);
static const char *verdict(const struct msg_event *);
static void	 watch_message(struct request *, const struct msg *);
static void	 watch_done(struct request *);

static struct backlog *
backlog(void)
{
	if (events == NULL)
		events = backlog_new(REMEMBERED, event_json);
	return (events);
}

void
trace_received(const void *p, size_t len)
{
	struct event		*ev;
	struct msg_event	 me;

	memcpy(&me, p, sizeof(me));
	if (len - sizeof(me) != me.me_datalen || me.me_datalen > me.me_len ||
	    backlog() == NULL ||
	    (ev = malloc(sizeof(*ev) + me.me_datalen)) == NULL)
		return;
	ev->ev_head = me;
	memcpy(ev->ev_data, (const uint8_t *)p + sizeof(me), me.me_datalen);
	backlog_add(events, ev);
}

void
api_trace(struct request *rq)
{
	struct msg_watch	 mw;
	char			*all;

	memset(&mw, 0, sizeof(mw));
	mw.mw_nwid = rq->rq_id;
	mw.mw_ms = WATCH_MS;
	all = request_param(rq, "all");
	rq->rq_all = all != NULL && strcmp(all, "1") == 0;
	mw.mw_all = rq->rq_all;
	free(all);
	(void)request_ask(rq, PROC_NET, MSG_WATCH, &mw, sizeof(mw),
	    watch_message, watch_done);
}

static void
watch_message(struct request *rq, const struct msg *m)
{
	const struct msg_result	*mr = m->m_data;

	if (m->m_type != MSG_RESULT)
		return;
	if (mr->mr_code == 200)
		backlog_answer(backlog(), rq);
	else
		request_error(rq, 404, "not joined");
}

/* The answer of one message has been given by then. */
static void
watch_done(struct request *rq)
{
	request_error(rq, 503, "the engine gave no answer");
}

static json_t *
event_json(const void *item, const struct request *rq)
{
	const struct event	*ev = item;
	const struct msg_event	*me = &ev->ev_head;
	json_t			*v;

	if (me->me_nwid != rq->rq_id ||
	    (me->me_why == WHY_ACCEPTED && !rq->rq_all))
		return (NULL);
	v = json_pack("{s:I,s:o,s:s,s:s,s:s,s:s}",
	    "time", (json_int_t)me->me_time,
	    "nwid", json_hex(me->me_nwid, 16),
	    "verdict", verdict(me),
	    "direction", me->me_inbound != 0 ? "in" : "out",
	    "reason", why_code(me->me_why),
	    "text", why_text(me->me_why));
	if (v == NULL)
		return (NULL);
	if (me->me_peer != 0)
		(void)json_object_set_new(v, "peer",
		    json_hex(me->me_peer, 10));
	if (me->me_missed != 0)
		(void)json_object_set_new(v, "missed",
		    json_integer((json_int_t)me->me_missed));
	if (me->me_credential != 0)
		add_credential(v, me);
	else
		add_frame(v, ev);
	return (v);
}

static const char *
verdict(const struct msg_event *me)
{
	if (me->me_credential != 0)
		return ("refused");
	switch (me->me_why) {
	case WHY_ACCEPTED:
		return ("passed");
	case WHY_REDIRECTED:
		return ("redirected");
	default:
		return ("dropped");
	}
}

static void
add_frame(json_t *v, const struct event *ev)
{
	const struct msg_event	*me = &ev->ev_head;
	char			 text[FRAMETEXT], mac[MAC_TEXT];

	(void)json_object_set_new(v, "source",
	    json_string(mac_format(mac, me->me_src)));
	(void)json_object_set_new(v, "destination",
	    json_string(mac_format(mac, me->me_dst)));
	(void)json_object_set_new(v, "etherType",
	    json_integer((json_int_t)(me->me_ethertype & 0xffff)));
	(void)json_object_set_new(v, "length",
	    json_integer((json_int_t)me->me_len));
	(void)json_object_set_new(v, "frame", json_string(frame_text(text,
	    (uint16_t)me->me_ethertype, ev->ev_data, me->me_datalen)));
	if (me->me_why == WHY_RULES || me->me_why == WHY_REDIRECTED)
		add_rule(v, me);
	if (me->me_redirect != 0)
		(void)json_object_set_new(v, "to",
		    json_hex(me->me_redirect, 10));
}

/* By its place in the list that the controller has, from 0. */
static void
add_rule(json_t *v, const struct msg_event *me)
{
	if (me->me_rule >= 0)
		(void)json_object_set_new(v, "rule",
		    json_integer(me->me_rule));
	if (me->me_by_capability != 0)
		(void)json_object_set_new(v, "capability",
		    json_integer((json_int_t)me->me_capability));
}

static void
add_credential(json_t *v, const struct msg_event *me)
{
	static const char *const	 names[] = {
		[CREDENTIAL_COM] = "membership",
		[CREDENTIAL_CAPABILITY] = "capability",
		[CREDENTIAL_TAG] = "tag",
		[CREDENTIAL_COO] = "ownership",
		[CREDENTIAL_REVOCATION] = "revocation"
	};
	const char			*name = NULL;

	if (me->me_credential < sizeof(names) / sizeof(names[0]))
		name = names[me->me_credential];
	(void)json_object_set_new(v, "credential",
	    json_string(name != NULL ? name : "unknown"));
	(void)json_object_set_new(v, "credentialId",
	    json_integer((json_int_t)me->me_credential_id));
	(void)json_object_set_new(v, "credentialTime",
	    json_integer((json_int_t)me->me_credential_ts));
}
