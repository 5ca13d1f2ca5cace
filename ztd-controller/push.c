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
 * everything else.
 */
#define PUSH_ROUND	1024		/* configurations */
#define REVOKE_MAX	65536		/* revocations of an erased network */

static uint64_t	*audience(struct controller *, uint64_t, size_t *);
static void	 revoke(struct controller *, uint64_t, uint64_t,
		    const uint64_t *, size_t);
static void	 wake(struct controller *);
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
			wake(c);
		}
}

void
push_member(struct controller *c, uint64_t nwid, uint64_t addr)
{
	struct status	*st;

	st = status_find(c->c_status, nwid, addr);
	if (st != NULL && pushable(c, st)) {
		status_dirty(c->c_status, st, true);
		wake(c);
	}
}

void
push_run(struct controller *c)
{
	struct identity	 id;
	struct status	*st;
	unsigned	 n;

	c->c_awake = false;
	if (!c->c_have_id)
		return;
	for (n = 0; n < PUSH_ROUND; n++) {
		if ((st = TAILQ_FIRST(status_pushing(c->c_status))) == NULL)
			return;
		status_dirty(c->c_status, st, false);
		if (!pushable(c, st))
			continue;
		status_identity(st, &id);
		request_process(c, st->st_nwid, PACKET_PUSH, &id,
		    st->st_meta, st->st_metalen);
	}
	if (!TAILQ_EMPTY(status_pushing(c->c_status)))
		wake(c);
}

void
push_revoke(struct controller *c, uint64_t nwid, uint64_t target)
{
	struct status	*st;
	uint64_t	*to;
	size_t		 n;

	/* What it has is worth nothing from now on. */
	if ((st = status_find(c->c_status, nwid, target)) != NULL)
		status_grant(c->c_status, st, NULL);
	to = audience(c, nwid, &n);
	if (n > 0)
		revoke(c, nwid, target, to, n);
	free(to);
}

void
push_revoke_all(struct controller *c, const struct network *nw)
{
	uint64_t	*to;
	size_t		 i, n, sent = 0;

	to = audience(c, nw->n_nwid, &n);
	for (i = 0; n > 0 && i < nw->n_nmembers && sent < REVOKE_MAX; i++) {
		revoke(c, nw->n_nwid, nw->n_members[i]->m_addr, to, n);
		sent += n;
	}
	/* The others' certificates age; nobody gets new ones. */
	if (n > 0 && i < nw->n_nmembers)
		log_info("network %016" PRIx64 ": revoked %zu of %zu "
		    "members, the others expire", nw->n_nwid, i,
		    nw->n_nmembers);
	free(to);
}

/* Everybody online on a network, members or not; to be freed. */
static uint64_t *
audience(struct controller *c, uint64_t nwid, size_t *n)
{
	struct status_peers	*peers;
	struct status		*st;
	uint64_t		*to;
	size_t			 max;

	*n = 0;
	if (!c->c_have_id ||
	    (peers = status_network(c->c_status, nwid, &max)) == NULL)
		return (NULL);
	to = xcalloc(max, sizeof(*to));
	LIST_FOREACH(st, peers, st_peers)
		if (status_online(st, c->c_now))
			to[(*n)++] = st->st_addr;
	return (to);
}

static void
revoke(struct controller *c, uint64_t nwid, uint64_t target,
    const uint64_t *to, size_t n)
{
	uint8_t			 buf[REVOCATION_MAX];
	struct revocation	 rev;
	struct wbuf		 wb;
	size_t			 i;

	memset(&rev, 0, sizeof(rev));
	crypto_random(&rev.rev_id, sizeof(rev.rev_id));
	rev.rev_nwid = nwid;
	rev.rev_threshold = c->c_now;
	rev.rev_flags = REVOCATION_FAST;
	rev.rev_target = target;
	rev.rev_type = CREDENTIAL_COM;
	revocation_sign(&rev, &c->c_id);
	wbuf_init(&wb, buf, sizeof(buf));
	revocation_put(&wb, &rev);
	for (i = 0; i < n; i++)
		c->c_out->revocation(c->c_arg, nwid, to[i], buf, wb.wb_len);
}

static void
wake(struct controller *c)
{
	if (c->c_awake)
		return;
	c->c_awake = true;
	c->c_out->wake(c->c_arg);
}

/* Online, and it once was authorized: only then is its request kept. */
static bool
pushable(const struct controller *c, const struct status *st)
{
	return (st->st_metalen > 0 && status_online(st, c->c_now));
}
