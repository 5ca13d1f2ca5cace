/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Telling members about changes: new configurations, revocations.
 * Spec: 04 section 11.
 *
 * Changes are marked and pushed together a moment later, so that ten
 * changes in a row are one push to each member.
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "ztd-controller/controller.h"
#include "ztd-controller/status.h"
#include "ztd-controller/value.h"

/*
 * What is done in one go, so that a large network's change leaves room for
 * everything else: some milliseconds, and as long for others.
 */
#define PUSH_ROUND	64		/* configurations */
#define REVOKE_MAX	65536		/* revocations of an erased network */

static void	 wake(struct controller *, unsigned);
static void	 push_configs(struct controller *);
static bool	 pushable(const struct controller *, const struct status *);

void
push_network(struct controller *c, uint64_t nwid)
{
	struct status_peers	*peers;
	struct status		*st;
	size_t			 n;

	if ((peers = status_network(c->c_status, nwid, &n)) == NULL)
		return;
	LIST_FOREACH(st, peers, st_peers)
		if (pushable(c, st)) {
			status_dirty(c->c_status, st, true);
			push_wake(c);
		}
}

void
push_member(struct controller *c, uint64_t nwid, uint64_t addr)
{
	struct status	*st;

	st = status_find(c->c_status, nwid, addr);
	if (st != NULL && pushable(c, st)) {
		status_dirty(c->c_status, st, true);
		push_wake(c);
	}
}

void
push_run(struct controller *c)
{
	bool	more;

	c->c_awake = false;
	if (!c->c_have_id)
		return;
	more = spread_run(c);
	push_configs(c);
	if (more || !TAILQ_EMPTY(status_pushing(c->c_status)))
		wake(c, PUSH_GAP_MS);
}

void
push_wake(struct controller *c)
{
	wake(c, PUSH_DELAY_MS);
}

static void
push_configs(struct controller *c)
{
	struct identity	 id;
	struct status	*st;
	unsigned	 n;

	for (n = 0; n < PUSH_ROUND && c->c_out->room(c->c_arg); n++) {
		if ((st = TAILQ_FIRST(status_pushing(c->c_status))) == NULL)
			return;
		status_dirty(c->c_status, st, false);
		if (!pushable(c, st))
			continue;
		status_identity(st, &id);
		request_process(c, st->st_nwid, PACKET_PUSH, &id,
		    st->st_meta, st->st_metalen);
	}
}

void
push_revoke(struct controller *c, uint64_t nwid, uint64_t target)
{
	struct status	*st;

	/* What it has is worth nothing from now on. */
	if ((st = status_find(c->c_status, nwid, target)) != NULL)
		status_grant(c->c_status, st, NULL);
	(void)spread_revoke(c, nwid, &target, 1, REVOKE_MAX);
}

void
push_revoke_all(struct controller *c, const struct network *nw)
{
	uint64_t	*targets;
	size_t		 i, sent;

	targets = xcalloc(nw->n_nmembers + 1, sizeof(*targets));
	for (i = 0; i < nw->n_nmembers; i++)
		targets[i] = nw->n_members[i]->m_addr;
	sent = spread_revoke(c, nw->n_nwid, targets, nw->n_nmembers,
	    REVOKE_MAX);
	/* The others' certificates age; nobody gets new ones. */
	if (sent > 0 && sent < nw->n_nmembers)
		log_info("network %016" PRIx64 ": revoked %zu of %zu "
		    "members, the others expire", nw->n_nwid, sent,
		    nw->n_nmembers);
	free(targets);
}

static void
wake(struct controller *c, unsigned ms)
{
	if (c->c_awake)
		return;
	c->c_awake = true;
	c->c_out->wake(c->c_arg, ms);
}

/* Online, and it once was authorized: only then is its request kept. */
static bool
pushable(const struct controller *c, const struct status *st)
{
	return (st->st_metalen > 0 && status_online(st, c->c_now));
}
