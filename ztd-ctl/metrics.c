/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Collecting metrics: one question to each of the other processes.
 */

#include <stdlib.h>
#include <string.h>

#include "ztd-ctl/metrics.h"

/* What one process is to tell. */
struct metrics_part {
	struct metrics	*mp_of;
	struct query	*mp_query;	/* NULL: it is not waited for */
};

static void	 part_message(void *, const struct msg *);
static void	 part_end(void *, enum query_result);
static void	 usage(struct metrics *, const struct msg *);
static void	*append(void *, size_t *, size_t, size_t,
		    const struct msg *);

struct metrics *
metrics_collect(struct ctl *ctl, void (*done)(void *, struct metrics *),
    void *arg)
{
	static const enum proc	 asked[] = { PROC_TAP, PROC_NET, PROC_CON };
	struct metrics		*me;
	struct metrics_part	*mp;
	bool			 any = false;
	size_t			 i;

	if ((me = calloc(1, sizeof(*me))) == NULL ||
	    (me->me_parts = calloc(PROC_COUNT, sizeof(*mp))) == NULL) {
		free(me);
		return (NULL);
	}
	me->me_done = done;
	me->me_arg = arg;
	for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		mp = &me->me_parts[asked[i]];
		mp->mp_of = me;
		mp->mp_query = query_new(ctl, asked[i], MSG_GET_METRICS, NULL,
		    0, part_message, part_end, mp);
		any |= mp->mp_query != NULL;
	}
	if (any)
		return (me);
	metrics_free(me);
	return (NULL);
}

void
metrics_free(struct metrics *me)
{
	enum proc	 proc;

	if (me == NULL)
		return;
	for (proc = 0; proc < PROC_COUNT; proc++)
		query_cancel(me->me_parts[proc].mp_query);
	free(me->me_parts);
	free(me->me_networks);
	free(me->me_peers);
	free(me);
}

static void
part_message(void *arg, const struct msg *m)
{
	struct metrics_part	*mp = arg;
	struct metrics		*me = mp->mp_of;

	switch (m->m_type) {
	case MSG_METRICS_USAGE:
		usage(me, m);
		break;
	case MSG_METRICS_FRAMES:
		memcpy(&me->me_frames, m->m_data, sizeof(me->me_frames));
		break;
	case MSG_METRICS_NODE:
		memcpy(&me->me_node, m->m_data, sizeof(me->me_node));
		break;
	case MSG_METRICS_NETWORKS:
		me->me_networks = append(me->me_networks, &me->me_nnetworks,
		    sizeof(*me->me_networks), METRICS_NETWORKS, m);
		break;
	case MSG_METRICS_PEERS:
		me->me_peers = append(me->me_peers, &me->me_npeers,
		    sizeof(*me->me_peers), METRICS_PEERS, m);
		break;
	case MSG_METRICS_CON:
		memcpy(&me->me_con, m->m_data, sizeof(me->me_con));
		break;
	default:
		break;
	}
}

static void
usage(struct metrics *me, const struct msg *m)
{
	struct msg_metrics_usage	 mu;

	memcpy(&mu, m->m_data, sizeof(mu));
	if (mu.mu_proc < PROC_COUNT)
		me->me_usage[mu.mu_proc] = mu;
}

/* Behind the *n entries of an array, up to max; returns where it is now. */
static void *
append(void *list, size_t *n, size_t size, size_t max, const struct msg *m)
{
	size_t	 more = m->m_len / size;
	char	*p;

	if (more > max - *n)
		more = max - *n;
	if (more == 0 || (p = reallocarray(list, *n + more, size)) == NULL)
		return (list);
	memcpy(p + *n * size, m->m_data, more * size);
	*n += more;
	return (p);
}

static void
part_end(void *arg, enum query_result result)
{
	struct metrics_part	*mp = arg;
	struct metrics		*me = mp->mp_of;
	enum proc		 proc;

	mp->mp_query = NULL;
	me->me_have[mp - me->me_parts] = result == QUERY_DONE;
	for (proc = 0; proc < PROC_COUNT; proc++) {
		if (me->me_parts[proc].mp_query != NULL)
			return;
	}
	me->me_done(me->me_arg, me);
}
