/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Peers of which something is expected within seconds: an answer on a path
 * in use, on addresses being tried, to a measurement.
 *
 * A path on which packets go out, other than answers, and none come back is
 * asked after a second and suspect after two; a suspect one is gone around
 * (choose.c) while all other ways to the peer are tried, and used again when
 * anything is heard on it.  Where the peer is heard on another path meanwhile
 * it is all quicker: then it has moved.  Without this a dead path would be
 * used until it expires, four minutes later.
 */

#include <stdlib.h>
#include <string.h>

#include "ztd-net/core/core.h"

#define ASK_MS		1000	/* silence until a path is asked, */
#define SUSPECT_MS	2000	/* until it is suspect, */
#define ASK_SOON_MS	300	/* and when the peer is heard elsewhere */
#define SUSPECT_SOON_MS	900
#define SUSPECT_MAX_MS	6000	/* on the slowest links */
#define QUESTIONS	4	/* none of so many answered: not mere loss */
#define ASK_AGAIN_MS	300	/* between them, */
#define ASK_AGAIN_SOON_MS 200	/* and when the peer is heard elsewhere */
#define REPEAT_MS	500	/* between those to a path that is suspect */
#define REPEAT_MAX_MS	15000	/* to a path that is suspect for long */
#define WANTED_MS	30000	/* after the last packet it is asked no more */

void
watch(struct node *n, int64_t now, struct peer *p)
{
	if (p->pe_is_watched)
		return;
	p->pe_is_watched = true;
	if (TAILQ_EMPTY(&n->n_watch))
		n->n_next_watch = now + WATCH_MS;
	TAILQ_INSERT_TAIL(&n->n_watch, p, pe_watch);
}

void
unwatch(struct node *n, struct peer *p)
{
	if (!p->pe_is_watched)
		return;
	p->pe_is_watched = false;
	TAILQ_REMOVE(&n->n_watch, p, pe_watch);
}

void
watch_sent(struct node *n, int64_t now, struct peer *p, struct path *pa,
    bool data)
{
	if (data)
		pa->pa_last_data = now;
	if (pa->pa_waiting == 0) {
		pa->pa_waiting = now;
		pa->pa_probed = 0;
	}
	if (!p->pe_is_watched)
		watch(n, now, p);
}

void
path_must_answer(struct node *n, int64_t now, struct peer *p,
    struct path *pa)
{
	pa->pa_suspect = true;
	probe(n, now, p, pa->pa_sock, &pa->pa_addr, 0);
	watch_sent(n, now, p, pa, false);
}

/* Was the peer heard on another path since this one was to answer? */
static bool
heard_elsewhere(const struct peer *p, const struct path *pa)
{
	return (pa->pa_hurry || (p->pe_heard_on != (uintptr_t)pa &&
	    p->pe_last_direct > pa->pa_waiting));
}

static int64_t
patience(const struct path *pa, bool soon)
{
	int64_t	 ms = soon ? SUSPECT_SOON_MS : SUSPECT_MS;

	if (pa->pa_latency != LATENCY_UNKNOWN &&
	    4 * (int64_t)pa->pa_latency + ms / 2 > ms)
		ms = 4 * (int64_t)pa->pa_latency + ms / 2;
	return (ms > SUSPECT_MAX_MS ? SUSPECT_MAX_MS : ms);
}

/* It fell silent: every other way is tried at once. */
static void
suspect(struct node *n, int64_t now, struct peer *p, struct path *pa)
{
	struct path	*other;
	unsigned	 i;

	pa->pa_suspect = true;
	p->pe_best_until = 0;
	n->n_status.ns_suspects++;
	for (i = 0; i < p->pe_npaths; i++) {
		other = p->pe_paths[i].pp_path;
		if (other == pa || now - other->pa_last_in < SUSPECT_MS)
			continue;
		/* Most often they lead the same way: it has to answer first. */
		path_must_answer(n, now, p, other);
	}
	if (p->pe_upstream)
		root_lost(n, now, p);
}

/* Time between questions to this path. */
static int64_t
repeat_after(const struct path *pa, bool soon)
{
	int64_t	 ms = REPEAT_MS;

	if (!pa->pa_suspect)
		return (soon ? ASK_AGAIN_SOON_MS : ASK_AGAIN_MS);
	if (pa->pa_probes > QUESTIONS)
		ms = (int64_t)REPEAT_MS << (pa->pa_probes - QUESTIONS > 5 ?
		    5 : pa->pa_probes - QUESTIONS);
	return (ms > REPEAT_MAX_MS ? REPEAT_MAX_MS : ms);
}

/* Look after one path; false when it needs no more watching. */
static bool
watch_path(struct node *n, int64_t now, struct peer *p, struct path *pa)
{
	int64_t	 silent;
	bool	 soon, wanted;

	if (pa->pa_waiting == 0)
		return (false);
	silent = now - pa->pa_waiting;
	soon = heard_elsewhere(p, pa);
	wanted = now - pa->pa_last_data < WANTED_MS || p->pe_upstream;
	if (pa->pa_suspect && !wanted)
		return (false);		/* asked again when it is used */
	if (silent >= (soon ? ASK_SOON_MS : ASK_MS) &&
	    now - pa->pa_probed >= repeat_after(pa, soon)) {
		pa->pa_probed = now;
		if (pa->pa_probes < UINT8_MAX)
			pa->pa_probes++;
		probe(n, now, p, pa->pa_sock, &pa->pa_addr, 0);
	}
	if (!pa->pa_suspect && silent >= patience(pa, soon) &&
	    pa->pa_probes >= QUESTIONS)
		suspect(n, now, p, pa);
	return (true);
}

static bool
watch_peer(struct node *n, int64_t now, struct peer *p)
{
	struct path	*pa;
	unsigned	 i;
	bool		 more = false;

	for (i = 0; i < p->pe_npaths; i++) {
		pa = p->pe_paths[i].pp_path;
		if (now - p->pe_paths[i].pp_lr >= PATH_EXPIRY_MS)
			continue;
		more |= watch_path(n, now, p, pa);
		more |= mtu_run(n, now, p, pa);
	}
	return (reach_run(n, now, p) || more);
}

void
watch_settle(struct node *n, struct peer *p)
{
	const struct path	*pa;
	unsigned		 i;

	if (reach_pending(p))
		return;
	for (i = 0; i < p->pe_npaths; i++) {
		pa = p->pe_paths[i].pp_path;
		if (pa->pa_waiting != 0 || pa->pa_mtu_size != 0)
			return;
	}
	unwatch(n, p);
}

void
watch_run(struct node *n, int64_t now)
{
	struct peer	*p, *next;

	if (now < n->n_next_watch)
		return;
	n->n_next_watch = now + WATCH_MS;
	TAILQ_FOREACH_SAFE(p, &n->n_watch, pe_watch, next) {
		if (!watch_peer(n, now, p))
			unwatch(n, p);
	}
}
