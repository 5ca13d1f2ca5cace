/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Revocations to many; see spread.h.
 */

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "ztd-controller/controller.h"
#include "ztd-controller/status.h"

/* Between looks whether the engine keeps up. */
#define LOOK	64

struct target {
	uint64_t	 ta_addr;
	int64_t		 ta_time;	/* of the revocation, ms */
};

/* Each of the targets is revoked towards all receivers, one after another. */
struct spread {
	TAILQ_ENTRY(spread) sp_entry;
	uint64_t	 sp_nwid;
	struct target	*sp_targets;
	size_t		 sp_ntargets, sp_target;
	uint64_t	*sp_to;
	size_t		 sp_nto, sp_at;
	size_t		 sp_len;	/* 0: it is to be signed */
	uint8_t		 sp_bytes[REVOCATION_MAX];
};

static struct spread *spread_new(struct controller *, uint64_t);
static void	 spread_free(struct spread *);
static void	 spread_add(struct spread *, const uint64_t *, size_t,
		    int64_t);
static bool	 spread_join(struct controller *, uint64_t, const uint64_t *,
		    size_t);
static size_t	 spread_step(struct controller *, struct spread *, size_t);
static bool	 spread_done(const struct spread *);
static void	 spread_sign(struct controller *, struct spread *);

size_t
spread_revoke(struct controller *c, uint64_t nwid, const uint64_t *targets,
    size_t n, size_t max)
{
	struct spread	*sp;
	bool		 queue;

	if (n == 0 || (sp = spread_new(c, nwid)) == NULL)
		return (0);
	if (n > 1 && n > max / sp->sp_nto)
		n = max / sp->sp_nto > 0 ? max / sp->sp_nto : 1;
	/* The queue is full: those who wait for others hear of these, too. */
	if (c->c_nspread + sp->sp_nto > SPREAD_QUEUE &&
	    spread_join(c, nwid, targets, n)) {
		spread_free(sp);
		return (n);
	}
	spread_add(sp, targets, n, c->c_now);
	queue = n * sp->sp_nto > SPREAD_ROUND &&
	    c->c_nspread + sp->sp_nto <= SPREAD_QUEUE;
	if (queue) {
		TAILQ_INSERT_TAIL(&c->c_spreads, sp, sp_entry);
		c->c_nspread += sp->sp_nto;
		push_wake(c);
		return (n);
	}
	while (!spread_done(sp))
		(void)spread_step(c, sp, SIZE_MAX);
	spread_free(sp);
	return (n);
}

/* By turns, so that a small network does not wait for a large one. */
bool
spread_run(struct controller *c)
{
	struct spread	*sp;
	size_t		 left = SPREAD_ROUND;

	while (left > 0 && (sp = TAILQ_FIRST(&c->c_spreads)) != NULL &&
	    c->c_out->room(c->c_arg)) {
		left -= spread_step(c, sp, left < LOOK ? left : LOOK);
		TAILQ_REMOVE(&c->c_spreads, sp, sp_entry);
		if (!spread_done(sp)) {
			TAILQ_INSERT_TAIL(&c->c_spreads, sp, sp_entry);
			continue;
		}
		c->c_nspread -= sp->sp_nto;
		spread_free(sp);
	}
	return (!TAILQ_EMPTY(&c->c_spreads));
}

void
spread_clear(struct controller *c)
{
	struct spread	*sp;

	while ((sp = TAILQ_FIRST(&c->c_spreads)) != NULL) {
		TAILQ_REMOVE(&c->c_spreads, sp, sp_entry);
		spread_free(sp);
	}
	c->c_nspread = 0;
}

/* Towards everybody online on a network, members or not; NULL: nobody is. */
static struct spread *
spread_new(struct controller *c, uint64_t nwid)
{
	struct status_peers	*peers;
	struct status		*st;
	struct spread		*sp;
	size_t			 max;

	if (!c->c_have_id ||
	    (peers = status_network(c->c_status, nwid, &max)) == NULL)
		return (NULL);
	sp = xcalloc(1, sizeof(*sp));
	sp->sp_nwid = nwid;
	sp->sp_to = xcalloc(max, sizeof(*sp->sp_to));
	LIST_FOREACH(st, peers, st_peers)
		if (status_online(st, c->c_now))
			sp->sp_to[sp->sp_nto++] = st->st_addr;
	if (sp->sp_nto > 0)
		return (sp);
	spread_free(sp);
	return (NULL);
}

static void
spread_free(struct spread *sp)
{
	free(sp->sp_targets);
	free(sp->sp_to);
	free(sp);
}

static void
spread_add(struct spread *sp, const uint64_t *targets, size_t n, int64_t now)
{
	size_t	i;

	sp->sp_targets = reallocarray(sp->sp_targets, sp->sp_ntargets + n,
	    sizeof(*sp->sp_targets));
	if (sp->sp_targets == NULL)
		fatalx("out of memory");
	for (i = 0; i < n; i++) {
		sp->sp_targets[sp->sp_ntargets].ta_addr = targets[i];
		sp->sp_targets[sp->sp_ntargets++].ta_time = now;
	}
}

/* To one of this network that is under way. */
static bool
spread_join(struct controller *c, uint64_t nwid, const uint64_t *targets,
    size_t n)
{
	struct spread	*sp;

	TAILQ_FOREACH(sp, &c->c_spreads, sp_entry)
		if (sp->sp_nwid == nwid) {
			spread_add(sp, targets, n, c->c_now);
			return (true);
		}
	return (false);
}

static bool
spread_done(const struct spread *sp)
{
	return (sp->sp_target == sp->sp_ntargets);
}

/* At most so many messages; how many it were. */
static size_t
spread_step(struct controller *c, struct spread *sp, size_t max)
{
	size_t	n;

	if (sp->sp_len == 0)
		spread_sign(c, sp);
	for (n = 0; n < max && sp->sp_at < sp->sp_nto; n++)
		c->c_out->revocation(c->c_arg, sp->sp_nwid,
		    sp->sp_to[sp->sp_at++], sp->sp_bytes, sp->sp_len);
	if (sp->sp_at == sp->sp_nto) {
		sp->sp_at = 0;
		sp->sp_len = 0;
		sp->sp_target++;
	}
	return (n);
}

static void
spread_sign(struct controller *c, struct spread *sp)
{
	const struct target	*ta = &sp->sp_targets[sp->sp_target];
	struct revocation	 rev;
	struct wbuf		 wb;

	memset(&rev, 0, sizeof(rev));
	crypto_random(&rev.rev_id, sizeof(rev.rev_id));
	rev.rev_nwid = sp->sp_nwid;
	rev.rev_threshold = ta->ta_time;
	rev.rev_flags = REVOCATION_FAST;
	rev.rev_target = ta->ta_addr;
	rev.rev_type = CREDENTIAL_COM;
	revocation_sign(&rev, &c->c_id);
	wbuf_init(&wb, sp->sp_bytes, sizeof(sp->sp_bytes));
	revocation_put(&wb, &rev);
	sp->sp_len = wb.wb_len;
}
