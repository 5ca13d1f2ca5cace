/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Many records at once: snapshots, imports and checks, for ztctl.  Paths
 * are below /controller/ztd, answers that have "more" go on with the next
 * number:
 *
 *	POST   snapshot			{"network": id} or {}: {"snapshot"}
 *	GET    snapshot/<id>/<part>	records, one in a line
 *	POST   import			{}: {"import"}
 *	POST   import/<id>		records, one in a line: {"problems"}
 *	POST   import/<id>/<part>	{"restore": bool}: make it so
 *	DELETE snapshot/<id>, import/<id>
 *	POST   check/<part>		{"problems"}
 *
 * A snapshot is what was in force at one moment.  It holds texts that the
 * tables share as long as they do not change.
 *
 * A file of records begins with a line that says what it is and ends with
 * one that counts, so that half a file is known as such.
 */

#include <sys/queue.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/log.h"
#include "ztd-controller/call.h"
#include "ztd-controller/check.h"
#include "ztd-controller/value.h"

#define LISTS_MAX	4		/* snapshots and imports at a time */
#define IDLE_MS		600000		/* unused for so long: forgotten */
#define PART_BYTES	(4 * 1024 * 1024)
#define PART_RECORDS	2048
#define CHECK_RECORDS	512
#define PROBLEMS_MAX	100		/* told in one answer */
#define FORMAT		"ztd-controller"

struct item {
	uint64_t	 i_nwid;
	uint64_t	 i_addr;	/* 0: the network */
	size_t		 i_line;	/* in what was imported */
	struct text	*i_text;
};

/* A snapshot or an import. */
struct list {
	TAILQ_ENTRY(list) l_entry;
	uint64_t	 l_id;
	int64_t		 l_used;	/* last time, ms */
	bool		 l_import;
	struct item	*l_items;	/* networks before their members */
	size_t		 l_n, l_size;
	size_t		 l_networks;
	/* Of an import. */
	bool		 l_begun, l_ended, l_sorted;
	size_t		 l_lines;
	size_t		 l_problems;
	json_t		*l_told;
};

struct bulk {
	TAILQ_HEAD(, list) b_lists;
	unsigned	 b_n;
};

/* An exchange. */
struct call {
	struct controller *k_c;
	enum con_method	 k_method;
	const char	*k_body;
	size_t		 k_len;
	char		*k_out;
	size_t		 k_outlen;
};

static unsigned	 snapshot_new(struct call *);
static unsigned	 snapshot_part(struct call *, const struct list *, size_t);
static size_t	 snapshot_end(const struct list *, size_t);
static void	 snapshot_network(struct list *, const struct network *);
static unsigned	 import_new(struct call *);
static unsigned	 import_lines(struct call *, struct list *);
static void	 import_line(struct call *, struct list *, const char *,
		    size_t);
static void	 import_frame(struct list *, const char *, const json_t *);
static void	 import_record(struct list *, const json_t *);
static void	 import_finish(struct call *, struct list *);
static unsigned	 import_part(struct call *, struct list *, size_t);
static void	 part_store(struct controller *, struct list *, size_t,
		    size_t);
static bool	 part_prune(struct controller *, const struct list *);
static unsigned	 check_part(struct call *, size_t);
static void	 check_record(struct call *, json_t *, uint64_t, uint64_t,
		    struct text *);
static void	 check_shared(json_t *, const struct network *, uint64_t,
		    const json_t *);
static void	 problem(json_t *, uint64_t, uint64_t, const char *);
static void	 line_problem(struct list *, size_t, const char *);
static struct list *list_new(struct controller *, bool);
static struct list *list_find(struct controller *, const char *, bool);
static void	 list_add(struct list *, uint64_t, uint64_t, size_t,
		    struct text *);
static void	 list_free(struct bulk *, struct list *);
static const struct item *list_has(const struct list *, uint64_t, uint64_t);
static int	 item_cmp(const void *, const void *);
static unsigned	 reply(struct call *, unsigned, json_t *);
static unsigned	 refuse(struct call *, unsigned, const char *);
static json_t	*wish(const struct call *);

unsigned
bulk_route(struct controller *c, enum con_method method, const char *path,
    const char *body, size_t len, char **out, size_t *outlen)
{
	struct call	 k = { c, method, body, len, NULL, 0 };
	struct list	*l;
	const char	*part;
	bool		 import;
	unsigned	 code;

	import = strncmp(path, "import", 6) == 0;
	part = strrchr(path, '/');
	if (method == METHOD_POST && strcmp(path, "snapshot") == 0)
		code = snapshot_new(&k);
	else if (method == METHOD_POST && strcmp(path, "import") == 0)
		code = import_new(&k);
	else if (method == METHOD_POST && strncmp(path, "check/", 6) == 0)
		code = check_part(&k, strtoul(path + 6, NULL, 10));
	else if ((!import && strncmp(path, "snapshot/", 9) != 0) ||
	    (l = list_find(c, path + (import ? 7 : 9), import)) == NULL)
		code = refuse(&k, 404, "there is no such path, or it was "
		    "forgotten meanwhile");
	else if (method == METHOD_DELETE) {
		list_free(c->c_bulk, l);
		code = reply(&k, 200, json_object());
	} else if (import && method == METHOD_POST)
		code = part == path + 6 ? import_lines(&k, l) :
		    import_part(&k, l, strtoul(part + 1, NULL, 10));
	else if (!import && method == METHOD_GET && part != path + 8)
		code = snapshot_part(&k, l, strtoul(part + 1, NULL, 10));
	else
		code = refuse(&k, 404, "this method is not for this path");
	*out = k.k_out;
	*outlen = k.k_outlen;
	return (code);
}

/* ---- snapshots ---------------------------------------------------------- */

static unsigned
snapshot_new(struct call *k)
{
	const struct controller	*c = k->k_c;
	const struct network	*n;
	struct list		*l;
	const char		*id;
	char			 text[NWID_TEXT];
	uint64_t		 nwid = 0;
	json_t			*w;
	size_t			 i;

	w = wish(k);
	id = json_string_value(json_object_get(w, "network"));
	if (id != NULL && nwid_parse(id, &nwid) == -1)
		nwid = UINT64_MAX;
	json_decref(w);
	n = nwid == 0 ? NULL : store_network(c, nwid);
	if (nwid != 0 && n == NULL)
		return (refuse(k, 404, "there is no such network"));
	if ((l = list_new(k->k_c, false)) == NULL)
		return (refuse(k, 503, "too many exports and imports are "
		    "under way"));
	if (n != NULL)
		snapshot_network(l, n);
	else
		for (i = 0; i < c->c_nnetworks; i++)
			snapshot_network(l, c->c_networks[i]);
	(void)snprintf(text, sizeof(text), "%016" PRIx64, l->l_id);
	return (reply(k, 200, json_pack("{s:s,s:I,s:I}", "snapshot", text,
	    "networks", (json_int_t)l->l_networks, "members",
	    (json_int_t)(l->l_n - l->l_networks))));
}

static void
snapshot_network(struct list *l, const struct network *n)
{
	size_t	i;

	list_add(l, n->n_nwid, 0, 0, text_of_json(n->n_record));
	l->l_networks++;
	for (i = 0; i < n->n_nmembers; i++)
		list_add(l, n->n_nwid, n->n_members[i]->m_addr, 0,
		    text_ref(n->n_members[i]->m_text));
}

/* Where the part ends that begins here. */
static size_t
snapshot_end(const struct list *l, size_t i)
{
	size_t	bytes = 0;

	while (i < l->l_n && bytes < PART_BYTES)
		bytes += l->l_items[i++].i_text->tx_len + 1;
	return (i);
}

/* The first part has the first line, the last one the last. */
static unsigned
snapshot_part(struct call *k, const struct list *l, size_t part)
{
	char	 head[160], tail[160], *p;
	size_t	 at = 0, end, i, room;

	for (end = snapshot_end(l, 0); part > 0 && end < l->l_n; part--) {
		at = end;
		end = snapshot_end(l, at);
	}
	if (part > 0)
		return (refuse(k, 404, "there is no such part"));
	head[0] = tail[0] = '\0';
	if (at == 0)
		(void)snprintf(head, sizeof(head), "{\"objtype\":\"" FORMAT
		    "\",\"version\":1,\"controller\":\"%010" PRIx64 "\","
		    "\"created\":%" PRId64 "}\n", k->k_c->c_id.id_addr,
		    k->k_c->c_now);
	if (end == l->l_n)
		(void)snprintf(tail, sizeof(tail), "{\"objtype\":\"end\","
		    "\"networks\":%zu,\"members\":%zu}\n", l->l_networks,
		    l->l_n - l->l_networks);
	room = strlen(head) + strlen(tail) + 1;
	for (i = at; i < end; i++)
		room += l->l_items[i].i_text->tx_len + 1;
	k->k_out = xmalloc(room);
	p = stpcpy(k->k_out, head);
	for (i = at; i < end; i++) {
		memcpy(p, l->l_items[i].i_text->tx_s,
		    l->l_items[i].i_text->tx_len);
		p += l->l_items[i].i_text->tx_len;
		*p++ = '\n';
	}
	p = stpcpy(p, tail);
	k->k_outlen = (size_t)(p - k->k_out);
	return (200);
}

/* ---- imports ------------------------------------------------------------ */

static unsigned
import_new(struct call *k)
{
	struct list	*l;
	char		 text[NWID_TEXT];

	if ((l = list_new(k->k_c, true)) == NULL)
		return (refuse(k, 503, "too many exports and imports are "
		    "under way"));
	l->l_told = json_array();
	(void)snprintf(text, sizeof(text), "%016" PRIx64, l->l_id);
	return (reply(k, 200, json_pack("{s:s}", "import", text)));
}

/* Whole lines. */
static unsigned
import_lines(struct call *k, struct list *l)
{
	const char	*p = k->k_body, *end = p + k->k_len, *nl;
	json_t		*told;

	l->l_sorted = false;
	for (; p < end; p = nl + 1) {
		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			nl = end;
		import_line(k, l, p, (size_t)(nl - p));
	}
	told = l->l_told;
	l->l_told = json_array();
	return (reply(k, 200, json_pack("{s:I,s:I,s:o}", "lines",
	    (json_int_t)l->l_lines, "count", (json_int_t)l->l_problems,
	    "problems", told)));
}

static void
import_line(struct call *k, struct list *l, const char *p, size_t len)
{
	char		 error[120];
	const char	*type;
	json_t		*r;

	l->l_lines++;
	if (len == 0)
		return;
	if ((r = value_parse(p, len, error, sizeof(error))) == NULL) {
		line_problem(l, l->l_lines, error);
		return;
	}
	type = json_string_value(json_object_get(r, "objtype"));
	if (l->l_ended)
		line_problem(l, l->l_lines, "it is behind the last line");
	else if (type != NULL && (strcmp(type, FORMAT) == 0 ||
	    strcmp(type, "end") == 0))
		import_frame(l, type, r);
	else
		import_record(l, r);
	if (!l->l_begun)
		line_problem(l, l->l_lines, "the first line does not say "
		    "that this is an export of a controller");
	l->l_begun = true;
	json_decref(r);
	(void)k;
}

static void
import_frame(struct list *l, const char *type, const json_t *r)
{
	if (type[0] != 'e') {
		if (value_int(json_object_get(r, "version"), 0) != 1)
			line_problem(l, l->l_lines, "\"version\" is not 1");
		l->l_begun = true;
		return;
	}
	l->l_ended = true;
	/* Those with mistakes were not counted. */
	if (l->l_problems > 0)
		return;
	if (value_int(json_object_get(r, "networks"), 0) != l->l_networks ||
	    value_int(json_object_get(r, "members"), 0) !=
	    l->l_n - l->l_networks)
		line_problem(l, l->l_lines, "there are not as many records "
		    "as it says");
}

static void
import_record(struct list *l, const json_t *r)
{
	char		why[CHECK_TEXT];
	uint64_t	nwid, addr;

	if (!check_ids(r, &nwid, &addr, why) ||
	    !(addr == 0 ? check_network(r, why) : check_member(r, why)))
		line_problem(l, l->l_lines, why);
	else {
		l->l_networks += addr == 0;
		list_add(l, nwid, addr, l->l_lines, text_of_json(r));
	}
}

/* What can be seen only when all lines are there. */
static void
import_finish(struct call *k, struct list *l)
{
	const struct item	*it;
	size_t			 i;

	if (l->l_sorted)
		return;
	l->l_sorted = true;
	if (!l->l_ended)
		line_problem(l, l->l_lines, "the last line is missing: this "
		    "is not the whole file");
	if (l->l_n > 0)
		qsort(l->l_items, l->l_n, sizeof(*l->l_items), item_cmp);
	for (i = 0; i < l->l_n; i++) {
		it = &l->l_items[i];
		if (i > 0 && it[-1].i_nwid == it->i_nwid &&
		    it[-1].i_addr == it->i_addr)
			line_problem(l, it->i_line, "this record was there "
			    "before");
		if (it->i_addr != 0 && list_has(l, it->i_nwid, 0) == NULL &&
		    store_network(k->k_c, it->i_nwid) == NULL)
			line_problem(l, it->i_line, "there is no such "
			    "network");
	}
}

/*
 * Networks first, since members of new ones need them; then members; then,
 * for a restore, what is not in the import goes.  Part 0 changes nothing.
 */
static unsigned
import_part(struct call *k, struct list *l, size_t part)
{
	struct controller	*c = k->k_c;
	const size_t		 parts = (l->l_n + PART_RECORDS - 1) /
				    PART_RECORDS;
	json_t			*w, *told;
	bool			 more = true, restore;

	import_finish(k, l);
	if (l->l_problems > 0 || part == 0) {
		told = l->l_told;
		l->l_told = json_array();
		return (reply(k, 200, json_pack("{s:b,s:I,s:I,s:I,s:o}",
		    "more", l->l_problems == 0, "networks",
		    (json_int_t)l->l_networks, "members",
		    (json_int_t)(l->l_n - l->l_networks), "count",
		    (json_int_t)l->l_problems, "problems", told)));
	}
	w = wish(k);
	restore = value_bool(json_object_get(w, "restore"), false);
	json_decref(w);
	store_exact(c);
	part--;
	if (part < 2 * parts)
		part_store(c, l, part % parts * PART_RECORDS,
		    part < parts ? 0 : 1);
	else
		more = restore && part_prune(c, l);
	return (reply(k, 200, json_pack("{s:b}", "more", more)));
}

static void
part_store(struct controller *c, struct list *l, size_t from, size_t members)
{
	const struct item	*it;
	struct network		*n;
	size_t			 i;

	for (i = from; i < l->l_n && i < from + PART_RECORDS; i++) {
		it = &l->l_items[i];
		if ((it->i_addr != 0) != (members != 0))
			continue;
		if (it->i_addr == 0)
			(void)store_save_network(c, it->i_nwid,
			    text_json(it->i_text));
		else if ((n = store_network(c, it->i_nwid)) != NULL)
			(void)store_save_member(c, n, it->i_addr,
			    text_json(it->i_text), true);
	}
}

/*
 * Erase what is not in the import, some of it at a time.  False when there
 * was nothing left.
 */
static bool
part_prune(struct controller *c, const struct list *l)
{
	struct network	*n;
	size_t		 i, j, erased = 0;

	for (i = 0; i < c->c_nnetworks && erased < PART_RECORDS; i++) {
		n = c->c_networks[i];
		if (list_has(l, n->n_nwid, 0) == NULL) {
			store_erase_network(c, n);
			erased++;
			continue;
		}
		for (j = 0; j < n->n_nmembers && erased < PART_RECORDS; j++) {
			if (list_has(l, n->n_nwid, n->n_members[j]->m_addr) !=
			    NULL)
				continue;
			store_erase_member(c, n, n->n_members[j]);
			erased++;
		}
	}
	return (erased > 0);
}

/* ---- checking ----------------------------------------------------------- */

/* Records of all networks, counted through. */
static unsigned
check_part(struct call *k, size_t part)
{
	const struct controller	*c = k->k_c;
	const struct network	*n;
	struct text		*tx;
	json_t			*told = json_array();
	size_t			 i, at, end, base = 0, seen = 0;

	at = part * CHECK_RECORDS;
	end = at + CHECK_RECORDS;
	for (i = 0; i < c->c_nnetworks && base < end; i++) {
		n = c->c_networks[i];
		for (; at < end && at <= base + n->n_nmembers; at++, seen++) {
			if (at > base) {
				check_record(k, told, n->n_nwid,
				    n->n_members[at - base - 1]->m_addr,
				    n->n_members[at - base - 1]->m_text);
				continue;
			}
			tx = text_of_json(n->n_record);
			check_record(k, told, n->n_nwid, 0, tx);
			text_free(tx);
		}
		base += n->n_nmembers + 1;
	}
	return (reply(k, 200, json_pack("{s:b,s:I,s:o}", "more", at == end,
	    "checked", (json_int_t)seen, "problems", told)));
}

static void
check_record(struct call *k, json_t *told, uint64_t nwid, uint64_t addr,
    struct text *tx)
{
	struct db_check	 ck;
	char		 why[CHECK_TEXT];
	json_t		*r;
	uint64_t	 n, a;

	r = text_json(tx);
	if (!check_ids(r, &n, &a, why) ||
	    !(addr == 0 ? check_network(r, why) : check_member(r, why)))
		problem(told, nwid, addr, why);
	if (addr != 0)
		check_shared(told, store_network(k->k_c, nwid), addr, r);
	json_decref(r);
	if (store_pending(k->k_c, nwid, addr))
		return;
	memset(&ck, 0, sizeof(ck));
	ck.ck_nwid = nwid;
	ck.ck_addr = addr;
	ck.ck_text = tx;
	db_check(k->k_c->c_db, &ck, 1);
	if (ck.ck_why[0] != '\0')
		problem(told, nwid, addr, ck.ck_why);
}

/* An address that was given by hand may be another's as well. */
static void
check_shared(json_t *told, const struct network *n, uint64_t addr,
    const json_t *r)
{
	struct inet_addr ia;
	char		 text[INET_TEXT], why[CHECK_TEXT];
	size_t		 i = 0;

	while (member_ip(r, &i, &ia)) {
		if (ipset_count(&n->n_ips, &ia) < 2)
			continue;
		(void)snprintf(why, sizeof(why), "%s is assigned more than "
		    "once", inet_format_ip(text, &ia));
		problem(told, n->n_nwid, addr, why);
	}
}

static void
problem(json_t *told, uint64_t nwid, uint64_t addr, const char *why)
{
	char	 id[NWID_TEXT], a[ADDR_TEXT];
	json_t	*o;

	if (json_array_size(told) >= PROBLEMS_MAX)
		return;
	o = json_pack("{s:s,s:s}", "network", nwid_format(id, nwid),
	    "message", why);
	if (addr != 0)
		value_set(o, "member", json_string(addr_format(a, addr)));
	value_append(told, o);
}

static void
line_problem(struct list *l, size_t line, const char *why)
{
	l->l_problems++;
	if (json_array_size(l->l_told) < PROBLEMS_MAX)
		value_append(l->l_told, json_pack("{s:I,s:s}", "line",
		    (json_int_t)line, "message", why));
}

/* ---- lists -------------------------------------------------------------- */

void
bulk_free(struct bulk *b)
{
	if (b == NULL)
		return;
	while (!TAILQ_EMPTY(&b->b_lists))
		list_free(b, TAILQ_FIRST(&b->b_lists));
	free(b);
}

void
bulk_expire(struct controller *c)
{
	struct list	*l, *next;

	if (c->c_bulk == NULL)
		return;
	TAILQ_FOREACH_SAFE(l, &c->c_bulk->b_lists, l_entry, next)
		if (c->c_now - l->l_used > IDLE_MS)
			list_free(c->c_bulk, l);
}

static struct list *
list_new(struct controller *c, bool import)
{
	struct list	*l;

	if (c->c_bulk == NULL) {
		c->c_bulk = xcalloc(1, sizeof(*c->c_bulk));
		TAILQ_INIT(&c->c_bulk->b_lists);
	}
	bulk_expire(c);
	if (c->c_bulk->b_n == LISTS_MAX)
		return (NULL);
	l = xcalloc(1, sizeof(*l));
	crypto_random(&l->l_id, sizeof(l->l_id));
	l->l_used = c->c_now;
	l->l_import = import;
	TAILQ_INSERT_TAIL(&c->c_bulk->b_lists, l, l_entry);
	c->c_bulk->b_n++;
	return (l);
}

/* By the sixteen digits that text begins with. */
static struct list *
list_find(struct controller *c, const char *text, bool import)
{
	struct list	*l;
	char		 digits[NWID_TEXT];
	uint64_t	 id;

	(void)strlcpy(digits, text, sizeof(digits));
	if (c->c_bulk == NULL || nwid_parse(digits, &id) == -1)
		return (NULL);
	TAILQ_FOREACH(l, &c->c_bulk->b_lists, l_entry)
		if (l->l_id == id && l->l_import == import) {
			l->l_used = c->c_now;
			return (l);
		}
	return (NULL);
}

/* The text's reference is taken. */
static void
list_add(struct list *l, uint64_t nwid, uint64_t addr, size_t line,
    struct text *tx)
{
	struct item	*p;

	if (l->l_n == l->l_size) {
		l->l_size = l->l_size == 0 ? 64 : l->l_size * 2;
		p = reallocarray(l->l_items, l->l_size, sizeof(*p));
		if (p == NULL)
			fatalx("out of memory");
		l->l_items = p;
	}
	p = &l->l_items[l->l_n++];
	p->i_nwid = nwid;
	p->i_addr = addr;
	p->i_line = line;
	p->i_text = tx;
}

static void
list_free(struct bulk *b, struct list *l)
{
	size_t	i;

	TAILQ_REMOVE(&b->b_lists, l, l_entry);
	b->b_n--;
	for (i = 0; i < l->l_n; i++)
		text_free(l->l_items[i].i_text);
	free(l->l_items);
	json_decref(l->l_told);
	free(l);
}

/* Of a sorted one. */
static const struct item *
list_has(const struct list *l, uint64_t nwid, uint64_t addr)
{
	struct item	key;

	memset(&key, 0, sizeof(key));
	key.i_nwid = nwid;
	key.i_addr = addr;
	key.i_line = SIZE_MAX;
	return (l->l_n == 0 ? NULL : bsearch(&key, l->l_items, l->l_n,
	    sizeof(key), item_cmp));
}

/* Of the same record the first line is first; SIZE_MAX is any line. */
static int
item_cmp(const void *a, const void *b)
{
	const struct item	*x = a, *y = b;

	if (x->i_nwid != y->i_nwid)
		return (x->i_nwid < y->i_nwid ? -1 : 1);
	if (x->i_addr != y->i_addr)
		return (x->i_addr < y->i_addr ? -1 : 1);
	if (x->i_line == SIZE_MAX || y->i_line == SIZE_MAX)
		return (0);
	return (x->i_line < y->i_line ? -1 : x->i_line > y->i_line);
}

/* ---- answers ------------------------------------------------------------ */

/* Takes the reference. */
static unsigned
reply(struct call *k, unsigned code, json_t *v)
{
	if (v == NULL)
		fatalx("out of memory");
	k->k_out = value_format(v, &k->k_outlen);
	json_decref(v);
	return (code);
}

static unsigned
refuse(struct call *k, unsigned code, const char *why)
{
	return (reply(k, code, json_pack("{s:s}", "message", why)));
}

/* What the body says; an empty object when it says nothing. */
static json_t *
wish(const struct call *k)
{
	char	 error[120];
	json_t	*v;

	v = value_parse(k->k_body, k->k_len, error, sizeof(error));
	return (v != NULL ? v : json_object());
}
