/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The tables of networks and members.  Spec: 04 section 7.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "ztd-controller/store.h"
#include "ztd-controller/value.h"

/* A member's record on its way from a file into the table. */
struct loaded {
	struct member	*ld_member;
	unsigned	 ld_nips;
	struct inet_addr *ld_ips;
};

static size_t	 network_index(const struct controller *, uint64_t);
static void	*table_insert(void *, size_t *, size_t *, size_t, size_t);
static void	 member_free(struct member *);
static void	 count(struct network *, const struct member *, bool);
static void	 bridge_add(struct network *, uint64_t);
static void	 bridge_remove(struct network *, uint64_t);
static void	*parse(uint64_t, uint64_t, const char *, size_t, bool *,
		    char *, size_t);
static const char *parse_check(uint64_t, uint64_t, const json_t *);
static struct loaded *parse_member(uint64_t, const json_t *, const char *,
		    size_t);
static const char *add(void *, uint64_t, uint64_t, void *);
static const char *add_member(struct controller *, struct network *,
		    struct loaded *);
static int	 member_cmp(const void *, const void *);

static const struct db_reader reader = { parse, add };

/* ---- looking up -------------------------------------------------------- */

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
	size_t	i = store_member_from(n, addr);

	if (i < n->n_nmembers && n->n_members[i]->m_addr == addr)
		return (n->n_members[i]);
	return (NULL);
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

size_t
store_member_from(const struct network *n, uint64_t addr)
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

/* ---- putting in, taking out -------------------------------------------- */

/*
 * Make room for one element of w bytes at index at in a table of *n, with
 * room for *size.  Returns the table, which may have moved.
 */
static void *
table_insert(void *table, size_t *n, size_t *size, size_t at, size_t w)
{
	char	*p = table;
	size_t	 room;

	if (*n == *size) {
		room = *size == 0 ? 4 : *size * 2;
		if ((p = reallocarray(table, room, w)) == NULL)
			fatalx("out of memory");
		*size = room;
	}
	memmove(p + (at + 1) * w, p + at * w, (*n - at) * w);
	(*n)++;
	return (p);
}

struct network *
table_network_put(struct controller *c, uint64_t nwid, json_t *record)
{
	struct network	*n;
	size_t		 i;

	if ((n = store_network(c, nwid)) == NULL) {
		i = network_index(c, nwid);
		c->c_networks = table_insert(c->c_networks, &c->c_nnetworks,
		    &c->c_size, i, sizeof(struct network *));
		n = c->c_networks[i] = xcalloc(1, sizeof(*n));
		n->n_nwid = nwid;
		roll_touch_networks(c);
	}
	json_decref(n->n_record);
	n->n_record = json_incref(record);
	n->n_serial = ++c->c_serial;
	network_compile(n);
	return (n);
}

void
table_network_remove(struct controller *c, struct network *n)
{
	size_t	i = network_index(c, n->n_nwid);

	c->c_nnetworks--;
	memmove(&c->c_networks[i], &c->c_networks[i + 1],
	    (c->c_nnetworks - i) * sizeof(*c->c_networks));
	roll_touch_networks(c);
	roll_free(c, n->n_roll);
	for (i = 0; i < n->n_nmembers; i++)
		member_free(n->n_members[i]);
	free(n->n_members);
	config_unshare(n);
	free(n->n_bridges);
	free(n->n_routes);
	free(n->n_rules);
	ipset_clear(&n->n_ips);
	json_decref(n->n_record);
	free(n);
}

struct member *
table_member_put(struct controller *c, struct network *n, uint64_t addr,
    const json_t *record, struct text *tx)
{
	struct member	*m;
	size_t		 i;

	if ((m = store_member(n, addr)) == NULL) {
		i = store_member_from(n, addr);
		n->n_members = table_insert(n->n_members, &n->n_nmembers,
		    &n->n_size, i, sizeof(struct member *));
		m = n->n_members[i] = xcalloc(1, sizeof(*m));
		m->m_addr = addr;
	} else
		count(n, m, false);
	text_free(m->m_text);
	m->m_text = text_ref(tx);
	m->m_serial = ++c->c_serial;
	member_compile(m, record);
	count(n, m, true);
	roll_touch_member(n, addr);
	return (m);
}

void
table_member_remove(struct network *n, struct member *m)
{
	size_t	i = store_member_from(n, m->m_addr);

	n->n_nmembers--;
	memmove(&n->n_members[i], &n->n_members[i + 1],
	    (n->n_nmembers - i) * sizeof(*n->n_members));
	count(n, m, false);
	roll_touch_member(n, m->m_addr);
	member_free(m);
}

void
table_ips(struct network *n, const json_t *record, bool in)
{
	struct inet_addr ia;
	size_t		 i = 0;

	while (member_ip(record, &i, &ia)) {
		if (in)
			ipset_add(&n->n_ips, &ia);
		else {
			ipset_remove(&n->n_ips, &ia);
			if (!ipset_has(&n->n_ips, &ia))
				n->n_full4 = false;
		}
	}
}

static void
member_free(struct member *m)
{
	text_free(m->m_text);
	free(m);
}

/* Count a member in or out. */
static void
count(struct network *n, const struct member *m, bool in)
{
	if (m->m_bridge)
		config_unshare(n);
	if (m->m_bridge && in)
		bridge_add(n, m->m_addr);
	else if (m->m_bridge)
		bridge_remove(n, m->m_addr);
	if (m->m_authorized)
		n->n_nauthorized += in ? 1 : (size_t)-1;
}

static size_t
bridge_index(const struct network *n, uint64_t addr)
{
	size_t	i = 0;

	while (i < n->n_nbridges && n->n_bridges[i] < addr)
		i++;
	return (i);
}

static void
bridge_add(struct network *n, uint64_t addr)
{
	size_t	i = bridge_index(n, addr);

	n->n_bridges = table_insert(n->n_bridges, &n->n_nbridges,
	    &n->n_bridgesize, i, sizeof(*n->n_bridges));
	n->n_bridges[i] = addr;
}

static void
bridge_remove(struct network *n, uint64_t addr)
{
	size_t	i = bridge_index(n, addr);

	n->n_nbridges--;
	memmove(&n->n_bridges[i], &n->n_bridges[i + 1],
	    (n->n_nbridges - i) * sizeof(*n->n_bridges));
}

/* ---- loading ----------------------------------------------------------- */

void
store_load(struct controller *c)
{
	struct network	*n;
	size_t		 i;

	/* Before threads use it. */
	json_object_seed(0);
	db_load(c->c_db, &reader, c);
	for (i = 0; i < c->c_nnetworks; i++) {
		n = c->c_networks[i];
		if (n->n_unsorted)
			qsort(n->n_members, n->n_nmembers,
			    sizeof(*n->n_members), member_cmp);
		n->n_unsorted = false;
	}
}

/* In any thread: a network's record, or a struct loaded. */
static void *
parse(uint64_t nwid, uint64_t addr, const char *text, size_t len, bool *torn,
    char *why, size_t size)
{
	const char	*wrong;
	char		 error[120];
	json_t		*record;
	void		*rv;

	record = value_parse(text, len, error, sizeof(error));
	if (record == NULL || !json_is_object(record)) {
		*torn = true;
		if (record == NULL)
			(void)snprintf(why, size, "not JSON: %s", error);
		else
			(void)strlcpy(why, "no JSON object", size);
		json_decref(record);
		return (NULL);
	}
	if ((wrong = parse_check(nwid, addr, record)) != NULL) {
		(void)strlcpy(why, wrong, size);
		json_decref(record);
		return (NULL);
	}
	if (addr == 0)
		return (record);
	rv = parse_member(addr, record, text, len);
	json_decref(record);
	return (rv);
}

/* It must be what its name says. */
static const char *
parse_check(uint64_t nwid, uint64_t addr, const json_t *record)
{
	const json_t	*id = json_object_get(record, "id");
	const size_t	 digits = addr == 0 ? 16 : 10;

	if (!json_is_string(id) || json_string_length(id) != digits ||
	    value_hexint(id, 0) != (addr == 0 ? nwid : addr) || nwid == 0)
		return ("its \"id\" is not the one in its name");
	if (addr != 0 &&
	    value_hexint(json_object_get(record, "nwid"), 0) != nwid)
		return ("its \"nwid\" is not that of its folder");
	return (NULL);
}

static struct loaded *
parse_member(uint64_t addr, const json_t *record, const char *text,
    size_t len)
{
	struct loaded	*ld;
	size_t		 i = 0, room;

	ld = xcalloc(1, sizeof(*ld));
	ld->ld_member = xcalloc(1, sizeof(*ld->ld_member));
	ld->ld_member->m_addr = addr;
	ld->ld_member->m_text = text_of_read(record, text, len);
	member_compile(ld->ld_member, record);
	room = json_array_size(json_object_get(record, "ipAssignments"));
	if (room == 0)
		return (ld);
	ld->ld_ips = xcalloc(room, sizeof(*ld->ld_ips));
	while (member_ip(record, &i, &ld->ld_ips[ld->ld_nips]))
		if (++ld->ld_nips == room)
			break;
	return (ld);
}

static const char *
add(void *arg, uint64_t nwid, uint64_t addr, void *parsed)
{
	struct controller	*c = arg;
	struct network		*n;
	const char		*refused = NULL;

	if (addr == 0) {
		if (store_load_network(c, nwid, parsed) == -1)
			return ("there are too many networks");
		return (NULL);
	}
	if ((n = store_network(c, nwid)) == NULL)
		refused = "it is a member of no network";
	else if (n->n_nmembers == MEMBERS_MAX)
		refused = "its network has too many members";
	if (refused == NULL)
		return (add_member(c, n, parsed));
	member_free(((struct loaded *)parsed)->ld_member);
	free(((struct loaded *)parsed)->ld_ips);
	free(parsed);
	return (refused);
}

/* At the end; the table is sorted once, when all are there. */
static const char *
add_member(struct controller *c, struct network *n, struct loaded *ld)
{
	struct member	*m = ld->ld_member;
	const size_t	 last = n->n_nmembers;
	unsigned	 i;

	n->n_members = table_insert(n->n_members, &n->n_nmembers, &n->n_size,
	    last, sizeof(struct member *));
	n->n_members[last] = m;
	m->m_serial = ++c->c_serial;
	if (last > 0 && n->n_members[last - 1]->m_addr > m->m_addr)
		n->n_unsorted = true;
	count(n, m, true);
	for (i = 0; i < ld->ld_nips; i++)
		ipset_add(&n->n_ips, &ld->ld_ips[i]);
	free(ld->ld_ips);
	free(ld);
	return (NULL);
}

static int
member_cmp(const void *a, const void *b)
{
	const struct member *const	*x = a, *const *y = b;

	return ((*x)->m_addr < (*y)->m_addr ? -1 :
	    (*x)->m_addr > (*y)->m_addr);
}

int
store_load_network(struct controller *c, uint64_t nwid, json_t *record)
{
	const bool	room = c->c_nnetworks < NETWORKS_MAX;

	if (room)
		(void)table_network_put(c, nwid, record);
	json_decref(record);
	return (room ? 0 : -1);
}

int
store_load_member(struct controller *c, struct network *n, uint64_t addr,
    json_t *record)
{
	const bool	 room = n->n_nmembers < MEMBERS_MAX;
	struct text	*tx;

	if (room) {
		tx = text_of_json(record);
		(void)table_member_put(c, n, addr, record, tx);
		table_ips(n, record, true);
		text_free(tx);
	}
	json_decref(record);
	return (room ? 0 : -1);
}

void
store_clear(struct controller *c)
{
	while (c->c_nnetworks > 0)
		table_network_remove(c, c->c_networks[c->c_nnetworks - 1]);
	free(c->c_networks);
	c->c_networks = NULL;
	c->c_size = 0;
}
