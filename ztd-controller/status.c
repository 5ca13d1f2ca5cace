/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Who asked lately; see status.h.  Spec: 04 sections 8.1, 11, 13.2.
 */

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "ztd-controller/controller.h"
#include "ztd-controller/status.h"

#define BUCKETS		16384		/* power of two */
#define GATES		4096		/* power of two */

LIST_HEAD(bucket, status);

struct gate {
	uint64_t	g_nwid, g_addr;
	int64_t		g_last;
};

struct status_table {
	struct status_list tb_order;
	size_t		 tb_n;
	struct bucket	 tb_hash[BUCKETS];
	/* For networks that do not exist: a cache, newest wins. */
	struct gate	 tb_gates[GATES];
};

static size_t		 slot(uint64_t, uint64_t);
static struct status	*status_insert(struct status_table *, uint64_t,
			    uint64_t);
static void		 status_remove(struct status_table *,
			    struct status *);
static bool		 gate_unknown(struct status_table *, uint64_t,
			    uint64_t, int64_t);

struct status_table *
status_new(void)
{
	struct status_table	*tb;
	size_t			 i;

	tb = xcalloc(1, sizeof(*tb));
	TAILQ_INIT(&tb->tb_order);
	for (i = 0; i < BUCKETS; i++)
		LIST_INIT(&tb->tb_hash[i]);
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

struct status_list *
status_all(struct status_table *tb)
{
	return (&tb->tb_order);
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
	return ((size_t)(h >> 40));
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
	tb->tb_n++;
	return (st);
}

static void
status_remove(struct status_table *tb, struct status *st)
{
	LIST_REMOVE(st, st_hash);
	TAILQ_REMOVE(&tb->tb_order, st, st_order);
	tb->tb_n--;
	free(st);
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
