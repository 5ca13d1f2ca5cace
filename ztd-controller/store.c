/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The tables of networks and members, and saving.  Spec: 04 section 7.4.
 */

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "ztd-controller/controller.h"
#include "ztd-controller/db.h"
#include "ztd-controller/value.h"

static size_t	 network_index(const struct controller *, uint64_t);
static size_t	 member_index(const struct network *, uint64_t);
static void	*table_insert(void *, size_t *, size_t *, size_t, size_t);
static struct network *network_add(struct controller *, uint64_t, json_t *);
static struct member *member_add(struct network *, uint64_t, json_t *);
static void	 network_free(struct network *);
static void	 member_free(struct member *);
static void	 member_count(struct network *, const struct member *, int);
static void	 member_update(struct network *, struct member *, json_t *);
static bool	 record_same(json_t *, json_t *);
static void	 record_count(json_t *);

struct network *
store_network(const struct controller *c, uint64_t nwid)
{
	size_t	i = network_index(c, nwid);

	if (i < c->c_nnetworks && c->c_networks[i]->n_nwid == nwid)
		return (c->c_networks[i]);
	return (NULL);
}

struct member *
store_member(const struct network *n, uint64_t addr)
{
	size_t	i = member_index(n, addr);

	if (i < n->n_nmembers && n->n_members[i]->m_addr == addr)
		return (n->n_members[i]);
	return (NULL);
}

json_t *
store_save_network(struct controller *c, uint64_t nwid, json_t *record)
{
	struct network	*n;
	bool		 fresh;

	n = store_network(c, nwid);
	fresh = n == NULL;
	if (!fresh && !n->n_unsaved && record_same(n->n_record, record)) {
		json_decref(record);
		return (n->n_record);
	}
	record_count(record);
	if (fresh) {
		if ((n = network_add(c, nwid, record)) == NULL)
			return (NULL);
	} else {
		json_decref(n->n_record);
		n->n_record = record;
		network_compile(n);
	}
	c->c_counts[CON_DB_NETWORK_CHANGES]++;
	n->n_unsaved = db_write_network(c->c_db, nwid, record, fresh) == -1;
	if (fresh && n->n_unsaved) {
		store_erase_network(c, n);
		return (NULL);
	}
	c->c_counts[CON_NETWORK_CHANGES]++;
	push_network(c, nwid);
	return (record);
}

/* A member's record is another now. */
static void
count_change(struct controller *c, bool was, bool is)
{
	c->c_counts[CON_MEMBER_CHANGES]++;
	c->c_counts[CON_DB_MEMBER_CHANGES]++;
	if (is && !was)
		c->c_counts[CON_AUTHS]++;
	if (was && !is)
		c->c_counts[CON_DEAUTHS]++;
}

json_t *
store_save_member(struct controller *c, struct network *n, uint64_t addr,
    json_t *record, bool notify)
{
	struct member	*m;
	bool		 was = false, fresh;

	m = store_member(n, addr);
	fresh = m == NULL;
	if (!fresh) {
		if (!m->m_unsaved && record_same(m->m_record, record)) {
			json_decref(record);
			return (m->m_record);
		}
		was = m->m_authorized;
	}
	record_count(record);
	if (fresh) {
		if ((m = member_add(n, addr, record)) == NULL)
			return (NULL);
	} else
		member_update(n, m, record);
	count_change(c, was, m->m_authorized);
	m->m_unsaved = db_write_member(c->c_db, n->n_nwid, addr, record,
	    fresh) == -1;
	if (notify) {
		push_member(c, n->n_nwid, addr);
		if (was && !m->m_authorized)
			push_revoke(c, n->n_nwid, addr);
	}
	return (record);
}

void
store_erase_network(struct controller *c, struct network *n)
{
	size_t	i;

	for (i = 0; i < n->n_nmembers; i++)
		db_delete_member(c->c_db, n->n_nwid, n->n_members[i]->m_addr);
	db_delete_network(c->c_db, n->n_nwid);
	i = network_index(c, n->n_nwid);
	c->c_nnetworks--;
	memmove(&c->c_networks[i], &c->c_networks[i + 1],
	    (c->c_nnetworks - i) * sizeof(*c->c_networks));
	network_free(n);
}

void
store_erase_member(struct controller *c, struct network *n,
    struct member *m)
{
	size_t	i;

	db_delete_member(c->c_db, n->n_nwid, m->m_addr);
	i = member_index(n, m->m_addr);
	n->n_nmembers--;
	memmove(&n->n_members[i], &n->n_members[i + 1],
	    (n->n_nmembers - i) * sizeof(*n->n_members));
	member_count(n, m, -1);
	member_free(m);
}

int
store_load_network(struct controller *c, uint64_t nwid, json_t *record)
{
	return (network_add(c, nwid, record) == NULL ? -1 : 0);
}

int
store_load_member(struct controller *c, struct network *n, uint64_t addr,
    json_t *record)
{
	(void)c;
	return (member_add(n, addr, record) == NULL ? -1 : 0);
}

void
store_clear(struct controller *c)
{
	size_t	i;

	for (i = 0; i < c->c_nnetworks; i++)
		network_free(c->c_networks[i]);
	free(c->c_networks);
	c->c_networks = NULL;
	c->c_nnetworks = c->c_size = 0;
}

/* Where it is, or where it belongs. */
static size_t
network_index(const struct controller *c, uint64_t nwid)
{
	size_t	lo = 0, hi = c->c_nnetworks, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (c->c_networks[mid]->n_nwid < nwid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (lo);
}

static size_t
member_index(const struct network *n, uint64_t addr)
{
	size_t	lo = 0, hi = n->n_nmembers, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (n->n_members[mid]->m_addr < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (lo);
}

/*
 * Make room for one pointer at index at in a table of *n, with room for
 * *size.  Returns the table, which may have moved, or NULL when it has max.
 */
static void *
table_insert(void *table, size_t *n, size_t *size, size_t at, size_t max)
{
	const size_t	 w = sizeof(void *);
	char		*p = table;
	size_t		 room;

	if (*n == max)
		return (NULL);
	if (*n == *size) {
		room = *size == 0 ? 16 : *size * 2;
		if ((p = reallocarray(table, room, w)) == NULL)
			return (NULL);
		*size = room;
	}
	memmove(p + (at + 1) * w, p + at * w, (*n - at) * w);
	(*n)++;
	return (p);
}

/* The record's reference is taken even when the table is full. */
static struct network *
network_add(struct controller *c, uint64_t nwid, json_t *record)
{
	struct network	*n, **table;
	size_t		 i = network_index(c, nwid);

	table = table_insert(c->c_networks, &c->c_nnetworks, &c->c_size, i,
	    NETWORKS_MAX);
	if (table == NULL) {
		json_decref(record);
		return (NULL);
	}
	c->c_networks = table;
	n = table[i] = xcalloc(1, sizeof(*n));
	n->n_nwid = nwid;
	n->n_record = record;
	network_compile(n);
	return (n);
}

static struct member *
member_add(struct network *n, uint64_t addr, json_t *record)
{
	struct member	*m, **table;
	size_t		 i = member_index(n, addr);

	table = table_insert(n->n_members, &n->n_nmembers, &n->n_size, i,
	    MEMBERS_MAX);
	if (table == NULL) {
		json_decref(record);
		return (NULL);
	}
	n->n_members = table;
	m = table[i] = xcalloc(1, sizeof(*m));
	m->m_addr = addr;
	m->m_record = record;
	member_compile(m);
	member_count(n, m, 1);
	return (m);
}

static void
network_free(struct network *n)
{
	size_t	i;

	for (i = 0; i < n->n_nmembers; i++)
		member_free(n->n_members[i]);
	free(n->n_members);
	free(n->n_rules);
	json_decref(n->n_record);
	free(n);
}

static void
member_free(struct member *m)
{
	free(m->m_ips);
	json_decref(m->m_record);
	free(m);
}

/* Count a member in (1) or out (-1). */
static void
member_count(struct network *n, const struct member *m, int by)
{
	if (m->m_bridge)
		n->n_nbridges += (size_t)by;
	if (m->m_authorized)
		n->n_nauthorized += (size_t)by;
}

static void
member_update(struct network *n, struct member *m, json_t *record)
{
	member_count(n, m, -1);
	json_decref(m->m_record);
	m->m_record = record;
	member_compile(m);
	member_count(n, m, 1);
}

/* Everything but the revision is equal. */
static bool
record_same(json_t *a, json_t *b)
{
	const char	*key;
	json_t		*v;

	if (json_object_size(a) != json_object_size(b))
		return (false);
	json_object_foreach(a, key, v)
		if (strcmp(key, "revision") != 0 &&
		    !json_equal(v, json_object_get(b, key)))
			return (false);
	return (true);
}

static void
record_count(json_t *record)
{
	value_set(record, "revision", value_new_int(value_int(
	    json_object_get(record, "revision"), 0) + 1));
}
