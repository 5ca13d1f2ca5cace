/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Questions to the parent, the engine and the controller: each has an id
 * that its answers carry, and a deadline.
 */

#include <sys/queue.h>
#include <sys/time.h>

#include <stdlib.h>

#include <event2/event.h>

#include "common/log.h"
#include "ztd-ctl/ctl.h"

struct query {
	LIST_ENTRY(query)	 q_entry;
	struct ctl		*q_ctl;
	struct event		*q_timer;
	enum proc		 q_proc;
	uint32_t		 q_id;
	query_message		 q_message;
	query_end		 q_end;
	void			*q_arg;
};

static struct query	*query_find(struct ctl *, enum proc, uint32_t);
static void		 query_free(struct query *);
static void		 query_finish(struct query *, enum query_result);
static void		 query_late(evutil_socket_t, short, void *);

struct query *
query_new(struct ctl *ctl, enum proc proc, uint32_t type, const void *p,
    size_t len, query_message message, query_end end, void *arg)
{
	const struct timeval	 tv = { QUERY_TIMEOUT, 0 };
	struct query		*q;

	if (ctl->c_channels[proc] == NULL)
		return (NULL);
	if ((q = calloc(1, sizeof(*q))) == NULL)
		return (NULL);
	q->q_ctl = ctl;
	q->q_proc = proc;
	q->q_message = message;
	q->q_end = end;
	q->q_arg = arg;
	do {
		q->q_id = ++ctl->c_query_id;
	} while (q->q_id == 0 || query_find(ctl, proc, q->q_id) != NULL);
	LIST_INSERT_HEAD(&ctl->c_queries, q, q_entry);
	if ((q->q_timer = evtimer_new(ctl->c_base, query_late, q)) == NULL ||
	    evtimer_add(q->q_timer, &tv) == -1 ||
	    query_send(q, type, p, len) == -1) {
		query_free(q);
		return (NULL);
	}
	return (q);
}

int
query_send(struct query *q, uint32_t type, const void *p, size_t len)
{
	if (channel_send(q->q_ctl->c_channels[q->q_proc], type, q->q_id, -1,
	    p, len) == -1) {
		log_warn("cannot ask %s", proc_name(q->q_proc));
		return (-1);
	}
	return (0);
}

void
query_cancel(struct query *q)
{
	if (q != NULL)
		query_free(q);
}

/*
 * An answer that comes after its question was given up is no mistake of
 * anyone.
 */
bool
query_receive(struct ctl *ctl, enum proc proc, const struct msg *m)
{
	struct query	*q;
	bool		 last, bare;

	bare = m->m_type == MSG_END || m->m_type == MSG_API_END;
	last = bare || m->m_type == MSG_STATUS || m->m_type == MSG_RESULT;
	switch (m->m_type) {
	case MSG_END:
	case MSG_API_END:
	case MSG_STATUS:
	case MSG_RESULT:
	case MSG_ROOT_INFO:
	case MSG_TAP_INFO:
	case MSG_CONFIG_NOTE:
	case MSG_NETWORK_INFO:
	case MSG_PEER_INFO:
	case MSG_MOON_INFO:
	case MSG_API_RESPONSE:
	case MSG_API_BODY:
	case MSG_API_FILE:
	case MSG_METRICS_USAGE:
	case MSG_METRICS_FRAMES:
	case MSG_METRICS_NODE:
	case MSG_METRICS_NETWORKS:
	case MSG_METRICS_PEERS:
	case MSG_METRICS_CON:
		break;
	default:
		return (false);
	}
	if ((q = query_find(ctl, proc, m->m_id)) == NULL)
		return (true);
	if (!bare && q->q_message != NULL)
		q->q_message(q->q_arg, m);
	/* The callback may have given the question up. */
	if (last && (q = query_find(ctl, proc, m->m_id)) != NULL)
		query_finish(q, QUERY_DONE);
	return (true);
}

void
query_gone(struct ctl *ctl, enum proc proc)
{
	struct query	*q;

	do {
		LIST_FOREACH(q, &ctl->c_queries, q_entry) {
			if (q->q_proc == proc)
				break;
		}
		if (q != NULL)
			query_finish(q, QUERY_AWAY);
	} while (q != NULL);
}

static struct query *
query_find(struct ctl *ctl, enum proc proc, uint32_t id)
{
	struct query	*q;

	LIST_FOREACH(q, &ctl->c_queries, q_entry) {
		if (q->q_id == id && q->q_proc == proc)
			return (q);
	}
	return (NULL);
}

static void
query_late(evutil_socket_t fd, short what, void *arg)
{
	struct query	*q = arg;

	(void)fd;
	(void)what;
	log_warnx("no answer from %s within %d s", proc_name(q->q_proc),
	    QUERY_TIMEOUT);
	query_finish(q, QUERY_LATE);
}

static void
query_finish(struct query *q, enum query_result result)
{
	query_end	 end = q->q_end;
	void		*arg = q->q_arg;

	query_free(q);
	end(arg, result);
}

static void
query_free(struct query *q)
{
	LIST_REMOVE(q, q_entry);
	if (q->q_timer != NULL)
		event_free(q->q_timer);
	free(q);
}
