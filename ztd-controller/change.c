/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Changes of records, from the wish until they are durable and in force.
 * Spec: 04 sections 7.4, 11.1.
 *
 * Of one record only one change is on its way at a time: what else wants to
 * change it waits (store_park) and then starts from what it finds.  So there
 * is nothing to be taken back when a change cannot be written.
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "ztd-controller/store.h"
#include "ztd-controller/value.h"

#define BUCKETS		4096		/* power of two */
#define PARKED_MAX	8192

/* ch_db is first: the database knows no more. */
struct change {
	struct db_change ch_db;
	struct change	*ch_next;	/* in its bucket */
	json_t		*ch_record;	/* NULL: erase */
	bool		 ch_notify;
	bool		 ch_held;	/* it is in its bucket */
	bool		 ch_counted;	/* a new network, in c_npending */
};

struct change_set {
	struct controller *cs_c;
	struct db_changes cs_changes;
	json_t		*cs_same;	/* records that were no change */
	bool		 cs_busy;
	bool		 cs_exact;	/* revisions are as given */
	db_done		 cs_done;
	void		*cs_arg;
};

struct parked {
	TAILQ_ENTRY(parked) pk_entry;
	void		 (*pk_run)(struct controller *, void *);
	void		*pk_arg;
};

static bool	 is_pending(const struct controller *, uint64_t, uint64_t);
static bool	 is_erasing(const struct controller *, uint64_t);
static struct change **bucket(const struct controller *, uint64_t, uint64_t);
static struct change *change_new(struct controller *, enum db_kind, uint64_t,
		    uint64_t, json_t *);
static void	 set_free(struct change_set *);
static void	 hold(struct controller *, struct change *);
static void	 release(struct controller *, struct change *);
static void	 arrived(void *, int);
static void	 apply(struct controller *, struct change *);
static void	 apply_member(struct controller *, struct change *);
static void	 apply_member_erase(struct controller *, struct change *);
static void	 unpark(struct controller *);
static bool	 record_same(const struct controller *, json_t *, json_t *);
static void	 record_count(json_t *);

void
store_begin(struct controller *c)
{
	if (c->c_set != NULL)
		fatalx("a set of changes within another");
	if (c->c_pending == NULL)
		c->c_pending = xcalloc(BUCKETS, sizeof(*c->c_pending));
	c->c_set = xcalloc(1, sizeof(*c->c_set));
	c->c_set->cs_c = c;
	TAILQ_INIT(&c->c_set->cs_changes);
	c->c_set->cs_same = json_array();
}

void
store_exact(struct controller *c)
{
	c->c_set->cs_exact = true;
}

bool
store_pending(const struct controller *c, uint64_t nwid, uint64_t addr)
{
	return (c->c_pending != NULL && is_pending(c, nwid, addr));
}

json_t *
store_save_network(struct controller *c, uint64_t nwid, json_t *record)
{
	struct network	*n;
	struct change	*ch;

	n = store_network(c, nwid);
	if (n != NULL && record_same(c, n->n_record, record)) {
		json_decref(record);
		return (n->n_record);
	}
	if (n == NULL && c->c_nnetworks + c->c_npending >= NETWORKS_MAX) {
		json_decref(record);
		return (NULL);
	}
	if (!c->c_set->cs_exact)
		record_count(record);
	ch = change_new(c, DB_NETWORK, nwid, 0, record);
	ch->ch_notify = true;
	ch->ch_db.dc_fresh = n == NULL;
	return (record);
}

json_t *
store_save_member(struct controller *c, struct network *n, uint64_t addr,
    json_t *record, bool notify)
{
	struct member	*m;
	struct change	*ch;
	json_t		*old;
	bool		 same;

	if ((m = store_member(n, addr)) != NULL) {
		old = member_record(m);
		same = record_same(c, old, record);
		json_decref(old);
		if (same) {
			value_append(c->c_set->cs_same, record);
			return (record);
		}
	} else if (n->n_nmembers + n->n_npending >= MEMBERS_MAX) {
		json_decref(record);
		return (NULL);
	}
	if (!c->c_set->cs_exact)
		record_count(record);
	ch = change_new(c, DB_MEMBER, n->n_nwid, addr, record);
	ch->ch_notify = notify;
	ch->ch_db.dc_fresh = m == NULL;
	return (record);
}

void
store_erase_network(struct controller *c, struct network *n)
{
	(void)change_new(c, DB_NETWORK_ERASE, n->n_nwid, 0, NULL);
	if (n->n_npending > 0)
		c->c_set->cs_busy = true;
	/* Others must not come in between for ever. */
	n->n_closing = c->c_set->cs_busy;
}

void
store_erase_member(struct controller *c, struct network *n,
    struct member *m)
{
	(void)change_new(c, DB_MEMBER_ERASE, n->n_nwid, m->m_addr, NULL);
}

enum store_end
store_commit(struct controller *c, db_done done, void *arg)
{
	struct change_set	*cs = c->c_set;
	struct db_change	*dc;
	enum store_end		 end;

	if (cs->cs_busy || TAILQ_EMPTY(&cs->cs_changes)) {
		end = cs->cs_busy ? STORE_BUSY : STORE_NOTHING;
		store_abort(c);
		return (end);
	}
	c->c_set = NULL;
	cs->cs_done = done;
	cs->cs_arg = arg;
	TAILQ_FOREACH(dc, &cs->cs_changes, dc_entry)
		if (((struct change *)dc)->ch_record != NULL)
			dc->dc_text = text_of_json(
			    ((struct change *)dc)->ch_record);
	db_commit(c->c_db, &cs->cs_changes, arrived, cs);
	return (STORE_DONE);
}

void
store_abort(struct controller *c)
{
	struct change_set	*cs = c->c_set;

	c->c_set = NULL;
	set_free(cs);
}

int
store_park(struct controller *c, void (*run)(struct controller *, void *),
    void *arg)
{
	struct parked	*pk;

	if (c->c_nparked == PARKED_MAX)
		return (-1);
	pk = xcalloc(1, sizeof(*pk));
	pk->pk_run = run;
	pk->pk_arg = arg;
	TAILQ_INSERT_TAIL(&c->c_parked, pk, pk_entry);
	c->c_nparked++;
	return (0);
}

/* ---- what is on its way ------------------------------------------------ */

static struct change **
bucket(const struct controller *c, uint64_t nwid, uint64_t addr)
{
	uint64_t	h;

	h = (nwid ^ addr << 20) * UINT64_C(0x9e3779b97f4a7c15);
	return (&c->c_pending[(h >> 40) & (BUCKETS - 1)]);
}

static bool
is_pending(const struct controller *c, uint64_t nwid, uint64_t addr)
{
	const struct change	*ch;

	for (ch = *bucket(c, nwid, addr); ch != NULL; ch = ch->ch_next)
		if (ch->ch_db.dc_nwid == nwid && ch->ch_db.dc_addr == addr)
			return (true);
	return (false);
}

/*
 * Into the set, and held against others unless it must wait for another,
 * or for its network to be erased.
 */
static struct change *
change_new(struct controller *c, enum db_kind kind, uint64_t nwid,
    uint64_t addr, json_t *record)
{
	const struct network	*n = store_network(c, nwid);
	struct change		*ch;

	ch = xcalloc(1, sizeof(*ch));
	ch->ch_db.dc_kind = kind;
	ch->ch_db.dc_nwid = nwid;
	ch->ch_db.dc_addr = addr;
	ch->ch_record = record;
	TAILQ_INSERT_TAIL(&c->c_set->cs_changes, &ch->ch_db, dc_entry);
	if (is_pending(c, nwid, addr) || (n != NULL && n->n_closing &&
	    kind != DB_NETWORK_ERASE) || (addr != 0 &&
	    is_erasing(c, nwid)))
		c->c_set->cs_busy = true;
	else
		hold(c, ch);
	return (ch);
}

static bool
is_erasing(const struct controller *c, uint64_t nwid)
{
	const struct change	*ch;

	for (ch = *bucket(c, nwid, 0); ch != NULL; ch = ch->ch_next)
		if (ch->ch_db.dc_nwid == nwid && ch->ch_db.dc_addr == 0 &&
		    ch->ch_db.dc_kind == DB_NETWORK_ERASE)
			return (true);
	return (false);
}

/* Its addresses are in use from now on. */
static void
hold(struct controller *c, struct change *ch)
{
	struct change	**b;
	struct network	*n;

	b = bucket(c, ch->ch_db.dc_nwid, ch->ch_db.dc_addr);
	ch->ch_next = *b;
	*b = ch;
	ch->ch_held = true;
	n = store_network(c, ch->ch_db.dc_nwid);
	ch->ch_counted = n == NULL;
	if (ch->ch_counted)
		c->c_npending++;
	if (ch->ch_db.dc_addr != 0) {
		n->n_npending++;
		table_ips(n, ch->ch_record, true);
	}
}

/* After it was applied, or instead. */
static void
release(struct controller *c, struct change *ch)
{
	struct change	**b;
	struct network	*n;

	if (!ch->ch_held)
		return;
	ch->ch_held = false;
	b = bucket(c, ch->ch_db.dc_nwid, ch->ch_db.dc_addr);
	while (*b != ch)
		b = &(*b)->ch_next;
	*b = ch->ch_next;
	if (ch->ch_counted)
		c->c_npending--;
	if (ch->ch_db.dc_addr != 0) {
		n = store_network(c, ch->ch_db.dc_nwid);
		n->n_npending--;
		table_ips(n, ch->ch_record, false);
	}
}

static void
set_free(struct change_set *cs)
{
	struct db_change	*dc;
	struct change		*ch;

	while ((dc = TAILQ_FIRST(&cs->cs_changes)) != NULL) {
		ch = (struct change *)dc;
		TAILQ_REMOVE(&cs->cs_changes, dc, dc_entry);
		release(cs->cs_c, ch);
		text_free(ch->ch_db.dc_text);
		json_decref(ch->ch_record);
		free(ch);
	}
	json_decref(cs->cs_same);
	free(cs);
}

/* ---- what has arrived -------------------------------------------------- */

static void
arrived(void *arg, int error)
{
	struct change_set	*cs = arg;
	struct controller	*c = cs->cs_c;
	struct db_change	*dc;
	db_done			 done = cs->cs_done;
	void			*done_arg = cs->cs_arg;

	TAILQ_FOREACH(dc, &cs->cs_changes, dc_entry) {
		if (dc->dc_error == 0)
			apply(c, (struct change *)dc);
		release(c, (struct change *)dc);
	}
	set_free(cs);
	if (done != NULL)
		done(done_arg, error);
	unpark(c);
}

static void
apply(struct controller *c, struct change *ch)
{
	struct network	*n;

	switch (ch->ch_db.dc_kind) {
	case DB_NETWORK:
		if (store_network(c, ch->ch_db.dc_nwid) == NULL)
			log_info("network %016" PRIx64 " created",
			    ch->ch_db.dc_nwid);
		(void)table_network_put(c, ch->ch_db.dc_nwid, ch->ch_record);
		c->c_counts[CON_NETWORK_CHANGES]++;
		c->c_counts[CON_DB_NETWORK_CHANGES]++;
		push_network(c, ch->ch_db.dc_nwid);
		break;
	case DB_NETWORK_ERASE:
		n = store_network(c, ch->ch_db.dc_nwid);
		push_revoke_all(c, n);
		log_info("network %016" PRIx64 " deleted", n->n_nwid);
		table_network_remove(c, n);
		break;
	case DB_MEMBER:
		apply_member(c, ch);
		break;
	case DB_MEMBER_ERASE:
		apply_member_erase(c, ch);
		break;
	}
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

static void
log_member(uint64_t nwid, uint64_t addr, bool was, bool is)
{
	if (is)
		log_info("network %016" PRIx64 " member %010" PRIx64
		    " authorized", nwid, addr);
	else if (was)
		log_info("network %016" PRIx64 " member %010" PRIx64
		    " deauthorized", nwid, addr);
	else
		log_info("network %016" PRIx64 " member %010" PRIx64
		    " new: not authorized", nwid, addr);
}

static void
apply_member(struct controller *c, struct change *ch)
{
	const uint64_t	 addr = ch->ch_db.dc_addr;
	struct network	*n = store_network(c, ch->ch_db.dc_nwid);
	struct member	*m;
	json_t		*old;
	bool		 was = false, fresh = true;

	table_ips(n, ch->ch_record, true);
	if ((m = store_member(n, addr)) != NULL) {
		fresh = false;
		was = m->m_authorized;
		old = member_record(m);
		table_ips(n, old, false);
		json_decref(old);
	}
	m = table_member_put(c, n, addr, ch->ch_record, ch->ch_db.dc_text);
	count_change(c, was, m->m_authorized);
	if (was != m->m_authorized || fresh)
		log_member(n->n_nwid, addr, was, m->m_authorized);
	if (!ch->ch_notify)
		return;
	push_member(c, n->n_nwid, addr);
	if (was && !m->m_authorized)
		push_revoke(c, n->n_nwid, addr);
}

static void
apply_member_erase(struct controller *c, struct change *ch)
{
	struct network	*n = store_network(c, ch->ch_db.dc_nwid);
	struct member	*m = store_member(n, ch->ch_db.dc_addr);
	json_t		*old;

	if (m->m_authorized)
		push_revoke(c, n->n_nwid, m->m_addr);
	old = member_record(m);
	table_ips(n, old, false);
	json_decref(old);
	log_info("network %016" PRIx64 " member %010" PRIx64 " deleted",
	    n->n_nwid, m->m_addr);
	table_member_remove(n, m);
}

/* In their order; who must still wait goes to the end again. */
static void
unpark(struct controller *c)
{
	TAILQ_HEAD(, parked) list;
	struct parked	*pk;

	TAILQ_INIT(&list);
	TAILQ_CONCAT(&list, &c->c_parked, pk_entry);
	c->c_nparked = 0;
	while ((pk = TAILQ_FIRST(&list)) != NULL) {
		TAILQ_REMOVE(&list, pk, pk_entry);
		pk->pk_run(c, pk->pk_arg);
		free(pk);
	}
}

/* Everything but the revision is equal. */
static bool
record_same(const struct controller *c, json_t *a, json_t *b)
{
	const char	*key;
	json_t		*v;

	if (c->c_set->cs_exact)
		return (json_equal(a, b));
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
