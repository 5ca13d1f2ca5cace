/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Who asked lately; see status.h.  Spec: 04 sections 8.1, 11, 13.2.
 */

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "ztd-controller/controller.h"
#include "ztd-controller/grant.h"
#include "ztd-controller/status.h"

#define BUCKETS		65536		/* power of two */
#define GROUPS		4096		/* power of two */
#define GATES		4096		/* power of two */
#define METAS		1024		/* power of two */
#define METAS_LONG	16		/* of one bucket that are compared */

LIST_HEAD(bucket, status);

struct gate {
	uint64_t	g_nwid, g_addr;
	int64_t		g_last;
};

/*
 * What devices say of themselves.  Most say what all of their version say.
 * A bucket that somebody has filled up takes no more: what is in none is of
 * one device only.
 */
struct meta {
	LIST_ENTRY(meta) me_hash;
	size_t		 me_len;
	uint32_t	 me_refs;
	bool		 me_shared;
	uint8_t		 me_bytes[];
};
LIST_HEAD(meta_bucket, meta);

/* Those of one network. */
struct status_group {
	LIST_ENTRY(status_group) gr_hash;
	uint64_t	 gr_nwid;
	size_t		 gr_n;
	struct status_peers gr_peers;
};
LIST_HEAD(group_bucket, status_group);

struct status_table {
	struct status_list tb_order;
	struct status_list tb_expiring;
	struct status_list tb_pushing;
	size_t		 tb_n;
	size_t		 tb_grants;	/* bytes */
	struct bucket	 tb_hash[BUCKETS];
	struct group_bucket tb_groups[GROUPS];
	struct meta_bucket tb_metas[METAS];
	/* For networks that do not exist: a cache, newest wins. */
	struct gate	 tb_gates[GATES];
};

static size_t		 slot(uint64_t, uint64_t);
static struct status	*status_insert(struct status_table *, uint64_t,
			    uint64_t);
static void		 status_remove(struct status_table *,
			    struct status *);
static struct status_group *group_find(const struct status_table *,
			    uint64_t);
static void		 group_join(struct status_table *, struct status *);
static void		 group_leave(struct status_table *,
			    struct status *);
static const uint8_t	*meta_get(struct status_table *, const void *,
			    size_t);
static void		 meta_put(const uint8_t *);
static bool		 gate_unknown(struct status_table *, uint64_t,
			    uint64_t, int64_t);

struct status_table *
status_new(void)
{
	struct status_table	*tb;
	size_t			 i;

	tb = xcalloc(1, sizeof(*tb));
	TAILQ_INIT(&tb->tb_order);
	TAILQ_INIT(&tb->tb_expiring);
	TAILQ_INIT(&tb->tb_pushing);
	for (i = 0; i < BUCKETS; i++)
		LIST_INIT(&tb->tb_hash[i]);
	for (i = 0; i < GROUPS; i++)
		LIST_INIT(&tb->tb_groups[i]);
	for (i = 0; i < METAS; i++)
		LIST_INIT(&tb->tb_metas[i]);
	return (tb);
}

void
status_free(struct status_table *tb)
{
	struct status	*st;

	if (tb == NULL)
		return;
	while ((st = TAILQ_FIRST(&tb->tb_order)) != NULL)
		status_remove(tb, st);
	free(tb);
}

struct status *
status_find(const struct status_table *tb, uint64_t nwid, uint64_t addr)
{
	struct status	*st;

	LIST_FOREACH(st, &tb->tb_hash[slot(nwid, addr) % BUCKETS], st_hash)
		if (st->st_nwid == nwid && st->st_addr == addr)
			return (st);
	return (NULL);
}

bool
status_gate(struct status_table *tb, uint64_t nwid, uint64_t addr,
    bool known, int64_t now)
{
	struct status	*st;

	if ((st = status_find(tb, nwid, addr)) == NULL) {
		if (!known)
			return (gate_unknown(tb, nwid, addr, now));
		st = status_insert(tb, nwid, addr);
	} else if (now - st->st_last <= REQUEST_GAP_MS &&
	    now >= st->st_last)
		return (false);
	st->st_last = now;
	TAILQ_REMOVE(&tb->tb_order, st, st_order);
	TAILQ_INSERT_TAIL(&tb->tb_order, st, st_order);
	return (true);
}

bool
status_online(const struct status *st, int64_t now)
{
	return (now - st->st_last < ONLINE_MS);
}

bool
status_any(const struct status_table *tb)
{
	return (!TAILQ_EMPTY(&tb->tb_order));
}

void
status_note(struct status_table *tb, struct status *st,
    const struct identity *id, const void *meta, size_t len)
{
	if (len == st->st_metalen && memcmp(st->st_public, id->id_public,
	    sizeof(st->st_public)) == 0 && (len == 0 ||
	    memcmp(st->st_meta, meta, len) == 0))
		return;
	status_settle(tb, st, 0, NULL);
	st->st_note++;
	memcpy(st->st_public, id->id_public, sizeof(st->st_public));
	meta_put(st->st_meta);
	st->st_meta = len == 0 ? NULL : meta_get(tb, meta, len);
	st->st_metalen = (uint16_t)len;
}

/* The same bytes, which others may have, too; len > 0. */
static const uint8_t *
meta_get(struct status_table *tb, const void *p, size_t len)
{
	struct meta_bucket	*b;
	struct meta		*me;
	uint64_t		 h = len;
	unsigned		 n = 0;
	size_t			 i;

	for (i = 0; i < len; i++)
		h = (h ^ ((const uint8_t *)p)[i]) * UINT64_C(0x100000001b3);
	b = &tb->tb_metas[(h >> 32) & (METAS - 1)];
	LIST_FOREACH(me, b, me_hash) {
		n++;
		if (me->me_len == len && memcmp(me->me_bytes, p, len) == 0) {
			me->me_refs++;
			return (me->me_bytes);
		}
	}
	me = xmalloc(sizeof(*me) + len);
	me->me_len = len;
	me->me_refs = 1;
	memcpy(me->me_bytes, p, len);
	me->me_shared = n < METAS_LONG;
	if (me->me_shared)
		LIST_INSERT_HEAD(b, me, me_hash);
	return (me->me_bytes);
}

/* NULL is fine. */
static void
meta_put(const uint8_t *p)
{
	struct meta	*me;

	if (p == NULL)
		return;
	me = (struct meta *)((uintptr_t)p - offsetof(struct meta, me_bytes));
	if (--me->me_refs > 0)
		return;
	if (me->me_shared)
		LIST_REMOVE(me, me_hash);
	free(me);
}

void
status_settle(struct status_table *tb, struct status *st, uint64_t serial,
    struct grant *gr)
{
	st->st_serial = serial;
	status_grant(tb, st, gr);
}

void
status_grant(struct status_table *tb, struct status *st, struct grant *gr)
{
	if (st->st_grant != NULL) {
		tb->tb_grants -= grant_size(st->st_grant);
		grant_free(st->st_grant);
		st->st_grant = NULL;
	}
	if (gr == NULL)
		return;
	if (tb->tb_grants + grant_size(gr) > GRANTS_MAX) {
		grant_free(gr);
		return;
	}
	tb->tb_grants += grant_size(gr);
	st->st_grant = gr;
}

void
status_ungrant(struct status_table *tb)
{
	struct status	*st;

	TAILQ_FOREACH(st, &tb->tb_order, st_order)
		status_grant(tb, st, NULL);
}

size_t
status_grants(const struct status_table *tb)
{
	return (tb->tb_grants);
}

void
status_identity(const struct status *st, struct identity *id)
{
	memset(id, 0, sizeof(*id));
	id->id_addr = st->st_addr;
	memcpy(id->id_public, st->st_public, sizeof(id->id_public));
}

void
status_watch(struct status_table *tb, struct status *st, int64_t expiry)
{
	if (st->st_expiry != 0 && expiry == 0)
		TAILQ_REMOVE(&tb->tb_expiring, st, st_expiring);
	else if (st->st_expiry == 0 && expiry != 0)
		TAILQ_INSERT_TAIL(&tb->tb_expiring, st, st_expiring);
	st->st_expiry = expiry;
}

struct status_list *
status_expiring(struct status_table *tb)
{
	return (&tb->tb_expiring);
}

void
status_dirty(struct status_table *tb, struct status *st, bool dirty)
{
	if (st->st_dirty && !dirty)
		TAILQ_REMOVE(&tb->tb_pushing, st, st_pushing);
	else if (!st->st_dirty && dirty)
		TAILQ_INSERT_TAIL(&tb->tb_pushing, st, st_pushing);
	st->st_dirty = dirty;
}

struct status_list *
status_pushing(struct status_table *tb)
{
	return (&tb->tb_pushing);
}

struct status_peers *
status_network(const struct status_table *tb, uint64_t nwid, size_t *n)
{
	struct status_group	*gr;

	if ((gr = group_find(tb, nwid)) == NULL)
		return (NULL);
	*n = gr->gr_n;
	return (&gr->gr_peers);
}

void
status_expire(struct status_table *tb, int64_t now)
{
	struct status	*st, *next;

	TAILQ_FOREACH_SAFE(st, &tb->tb_order, st_order, next) {
		if (status_online(st, now))
			break;
		if (st->st_expiry == 0)
			status_remove(tb, st);
	}
}

static size_t
slot(uint64_t nwid, uint64_t addr)
{
	uint64_t	h;

	h = (nwid ^ addr << 20) * 0x9e3779b97f4a7c15ULL;
	return ((size_t)(h >> 32));
}

static struct status *
status_insert(struct status_table *tb, uint64_t nwid, uint64_t addr)
{
	struct status	*st;

	if (tb->tb_n == STATUS_MAX)
		status_remove(tb, TAILQ_FIRST(&tb->tb_order));
	st = xcalloc(1, sizeof(*st));
	st->st_nwid = nwid;
	st->st_addr = addr;
	LIST_INSERT_HEAD(&tb->tb_hash[slot(nwid, addr) % BUCKETS], st,
	    st_hash);
	TAILQ_INSERT_TAIL(&tb->tb_order, st, st_order);
	group_join(tb, st);
	tb->tb_n++;
	return (st);
}

static void
status_remove(struct status_table *tb, struct status *st)
{
	status_watch(tb, st, 0);
	status_dirty(tb, st, false);
	status_grant(tb, st, NULL);
	group_leave(tb, st);
	LIST_REMOVE(st, st_hash);
	TAILQ_REMOVE(&tb->tb_order, st, st_order);
	tb->tb_n--;
	meta_put(st->st_meta);
	free(st);
}

static struct status_group *
group_find(const struct status_table *tb, uint64_t nwid)
{
	struct status_group	*gr;

	LIST_FOREACH(gr, &tb->tb_groups[slot(nwid, 0) % GROUPS], gr_hash)
		if (gr->gr_nwid == nwid)
			return (gr);
	return (NULL);
}

static void
group_join(struct status_table *tb, struct status *st)
{
	struct status_group	*gr;

	if ((gr = group_find(tb, st->st_nwid)) == NULL) {
		gr = xcalloc(1, sizeof(*gr));
		gr->gr_nwid = st->st_nwid;
		LIST_INIT(&gr->gr_peers);
		LIST_INSERT_HEAD(&tb->tb_groups[slot(st->st_nwid, 0) %
		    GROUPS], gr, gr_hash);
	}
	LIST_INSERT_HEAD(&gr->gr_peers, st, st_peers);
	gr->gr_n++;
}

static void
group_leave(struct status_table *tb, struct status *st)
{
	struct status_group	*gr = group_find(tb, st->st_nwid);

	LIST_REMOVE(st, st_peers);
	if (gr == NULL || --gr->gr_n > 0)
		return;
	LIST_REMOVE(gr, gr_hash);
	free(gr);
}

static bool
gate_unknown(struct status_table *tb, uint64_t nwid, uint64_t addr,
    int64_t now)
{
	struct gate	*g = &tb->tb_gates[slot(nwid, addr) % GATES];

	if (g->g_nwid == nwid && g->g_addr == addr &&
	    now - g->g_last <= REQUEST_GAP_MS && now >= g->g_last)
		return (false);
	g->g_nwid = nwid;
	g->g_addr = addr;
	g->g_last = now;
	return (true);
}
