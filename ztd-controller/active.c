/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Who is there: the members of a network that asked lately, when, from
 * where, with which version.  Spec: 04 section 15.1, as before 1.2.
 */

#include <string.h>

#include "common/address.h"
#include "common/dictionary.h"
#include "ztd-controller/controller.h"
#include "ztd-controller/status.h"
#include "ztd-controller/value.h"

static json_t	*active_entry(const struct status *, const struct member *);
static json_t	*seen_entry(const struct status_seen *);
static const char *authorized_by(const struct member *);

void
active_note(struct controller *c, uint64_t nwid, uint64_t addr,
    const struct inet_addr *from)
{
	const struct network	*n;
	const struct member	*m;
	struct status		*st;

	/* One that came too soon did not count. */
	st = status_find(c->c_status, nwid, addr);
	if (st == NULL || st->st_last != c->c_now ||
	    (n = store_network(c, nwid)) == NULL)
		return;
	m = store_member(n, addr);
	memmove(&st->st_seen[1], &st->st_seen[0],
	    sizeof(st->st_seen) - sizeof(st->st_seen[0]));
	st->st_seen[0].ss_time = c->c_now;
	st->st_seen[0].ss_from = *from;
	/* Admitted just now, that may still be on its way to disk. */
	st->st_seen[0].ss_authorized = (m != NULL && m->m_authorized) ||
	    st->st_admitted == c->c_now;
}

json_t *
active_list(struct controller *c, const struct network *n)
{
	const struct member	*m;
	struct status_peers	*peers;
	struct status		*st;
	char			 text[ADDR_TEXT];
	json_t			*list;
	size_t			 size;

	list = json_object();
	if ((peers = status_network(c->c_status, n->n_nwid, &size)) == NULL)
		return (list);
	LIST_FOREACH(st, peers, st_peers) {
		if (st->st_seen[0].ss_time == 0 ||
		    !status_online(st, c->c_now) ||
		    (m = store_member(n, st->st_addr)) == NULL)
			continue;
		value_set(list, addr_format(text, st->st_addr),
		    active_entry(st, m));
	}
	return (list);
}

/* The newest entry of the log, with the log itself. */
static json_t *
active_entry(const struct status *st, const struct member *m)
{
	static const char *const keys[][2] = { { "vMajor", "majv" },
	    { "vMinor", "minv" }, { "vRev", "revv" }, { "vProto", "pv" } };
	const struct status_seen *ss;
	json_t		*o, *log;
	size_t		 i;

	o = seen_entry(&st->st_seen[0]);
	value_set(o, "authBy", json_string(st->st_seen[0].ss_authorized ?
	    authorized_by(m) : ""));
	/* What is not authorized is not asked who it is. */
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		value_set(o, keys[i][0], st->st_metalen == 0 ?
		    json_integer(-1) : value_new_int(dict_get_u64(
		    st->st_meta, st->st_metalen, keys[i][1], 0)));
	log = json_array();
	for (i = 0; i < STATUS_SEEN; i++) {
		ss = &st->st_seen[i];
		if (ss->ss_time != 0)
			value_append(log, seen_entry(ss));
	}
	value_set(o, "recentLog", log);
	return (o);
}

static json_t *
seen_entry(const struct status_seen *ss)
{
	char	 text[INET_TEXT];
	json_t	*o;

	o = json_object();
	value_set(o, "ts", json_integer(ss->ss_time));
	value_set(o, "auth", json_boolean(ss->ss_authorized));
	value_set(o, "fromAddr", inet_isnil(&ss->ss_from) ? json_null() :
	    json_string(inet_format(text, &ss->ss_from)));
	return (o);
}

static const char *
authorized_by(const struct member *m)
{
	const char	*type, *rv = "memberIsAuthorized";
	json_t		*record;

	record = member_record(m);
	type = json_string_value(json_object_get(record,
	    "lastAuthorizedCredentialType"));
	if (type != NULL && strcmp(type, "public") == 0)
		rv = "networkIsPublic";
	else if (type != NULL && strcmp(type, "token") == 0)
		rv = "token";
	json_decref(record);
	return (rv);
}
