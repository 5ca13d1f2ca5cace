/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Member records: defaults, posted fields, looked-up fields.
 * Spec: 04 section 5.
 */

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/log.h"
#include "ztd-controller/controller.h"
#include "ztd-controller/keyed.h"
#include "ztd-controller/posted.h"
#include "ztd-controller/value.h"

static void	 post_authorized(json_t *, const json_t *, int64_t,
		    struct wrong *);
static void	 post_lists(json_t *, const json_t *, struct wrong *);
static json_t	*ip_list(const json_t *, struct wrong *);
static json_t	*tag_list(const json_t *, struct wrong *);
static json_t	*capability_list(const json_t *, struct wrong *);

void
member_defaults(json_t *r, int64_t now)
{
	value_default(r, "activeBridge", json_false());
	value_default(r, "authenticationExpiryTime", json_integer(0));
	value_default(r, "authorized", json_false());
	value_default(r, "capabilities", json_array());
	value_default(r, "creationTime", json_integer(now));
	value_default(r, "ipAssignments", json_array());
	value_default(r, "lastAuthorizedCredential", json_null());
	value_default(r, "lastAuthorizedCredentialType", json_null());
	value_default(r, "lastAuthorizedTime", json_integer(0));
	value_default(r, "lastDeauthorizedTime", json_integer(0));
	value_default(r, "noAutoAssignIps", json_false());
	value_default(r, "remoteTraceTarget", json_null());
	value_default(r, "revision", json_integer(0));
	value_default(r, "ssoExempt", json_false());
	value_default(r, "tags", json_array());
	value_default(r, "vMajor", json_integer(-1));
	value_default(r, "vMinor", json_integer(-1));
	value_default(r, "vProto", json_integer(-1));
	value_default(r, "vRev", json_integer(-1));
	value_default(r, "remoteTraceLevel", json_integer(0));
	value_set(r, "objtype", json_string("member"));
}

void
member_post(json_t *r, const json_t *body, int64_t now, struct wrong *wr)
{
	static const char *const flags[] = { "activeBridge",
	    "noAutoAssignIps" };
	static const char expiry[] = "authenticationExpiryTime";
	char		 buf[VALUE_NUMBER];
	const json_t	*v;
	size_t		 i;

	if ((v = json_object_get(body, "authorized")) != NULL)
		post_authorized(r, v, now, wr);
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if ((v = record_posted(r, body, flags[i])) != NULL)
			value_set(r, flags[i], json_boolean(posted_bool(v,
			    false, flags[i], wr)));
	if ((v = record_posted(r, body, "name")) != NULL)
		value_set(r, "name", json_string(posted_text(v, "", buf,
		    "name", wr)));
	if ((v = record_posted(r, body, expiry)) != NULL)
		value_set(r, expiry, value_new_int(posted_int(v, 0,
		    INT64_MAX, expiry, wr)));
	record_post_trace(r, body, wr);
	post_lists(r, body, wr);
}

static void
post_lists(json_t *r, const json_t *body, struct wrong *wr)
{
	const json_t	*v;

	v = record_posted(r, body, "ipAssignments");
	if (posted_list(v, "ipAssignments", NETCONF_IPS, wr))
		value_set(r, "ipAssignments", ip_list(v, wr));
	v = record_posted(r, body, "tags");
	if (posted_list(v, "tags", NETCONF_TAGS, wr))
		value_set(r, "tags", tag_list(v, wr));
	v = record_posted(r, body, "capabilities");
	if (posted_list(v, "capabilities", NETCONF_CAPS, wr))
		value_set(r, "capabilities", capability_list(v, wr));
}

void
member_authorize(json_t *r, int64_t now, const char *type, const char *token)
{
	value_set(r, "authorized", json_true());
	value_set(r, "lastAuthorizedTime", json_integer(now));
	value_set(r, "lastAuthorizedCredentialType", json_string(type));
	value_set(r, "lastAuthorizedCredential",
	    token == NULL ? json_null() : json_string(token));
}

void
member_finish(json_t *r, uint64_t nwid, uint64_t addr)
{
	static const char *const never[] = { "clock", "physicalAddr",
	    "recentLog", "lastModified", "lastRequestMetaData",
	    "authenticationURL", "authenticationClientID" };
	char	text[NWID_TEXT];
	size_t	i;

	value_set(r, "nwid", json_string(nwid_format(text, nwid)));
	addr_format(text, addr);
	value_set(r, "id", json_string(text));
	value_set(r, "address", json_string(text));
	for (i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		(void)json_object_del(r, never[i]);
}

void
member_compile(struct member *m, const json_t *record)
{
	m->m_revision = (int32_t)value_int(json_object_get(record,
	    "revision"), 0);
	m->m_authorized = value_bool(json_object_get(record, "authorized"),
	    false);
	m->m_bridge = value_bool(json_object_get(record, "activeBridge"),
	    false);
}

json_t *
member_record(const struct member *m)
{
	return (text_json(m->m_text));
}

bool
member_ip(const json_t *record, size_t *i, struct inet_addr *ia)
{
	const json_t	*list, *e;

	list = json_object_get(record, "ipAssignments");
	while (*i < json_array_size(list)) {
		e = json_array_get(list, (*i)++);
		if (json_is_string(e) &&
		    value_addr(json_string_value(e), ia)) {
			ia->ia_port = 0;
			return (true);
		}
	}
	return (false);
}

/* Only a change counts, so that the times keep their meaning. */
static void
post_authorized(json_t *r, const json_t *v, int64_t now, struct wrong *wr)
{
	bool	to = posted_bool(v, false, "authorized", wr);

	if (to == value_bool(json_object_get(r, "authorized"), false))
		return;
	if (to)
		member_authorize(r, now, "api", NULL);
	else {
		value_set(r, "authorized", json_false());
		value_set(r, "lastDeauthorizedTime", json_integer(now));
	}
}

static json_t *
ip_list(const json_t *list, struct wrong *wr)
{
	struct inet_addr ia;
	char		 text[INET_TEXT];
	json_t		*out, *e;
	size_t		 i;
	bool		 prefix;

	out = json_array();
	json_array_foreach(list, i, e) {
		wrong_enter(wr, "ipAssignments", i);
		if (json_is_string(e) &&
		    posted_addr(json_string_value(e), &ia, &prefix))
			value_append(out,
			    json_string(inet_format_ip(text, &ia)));
		else if (!json_is_string(e) || json_string_length(e) > 0)
			wrong_note(wr, NULL, "must be an address");
		wrong_leave(wr);
	}
	return (out);
}

static json_t *
tag_list(const json_t *list, struct wrong *wr)
{
	struct keyed	 k;
	json_t		*e, *pair;
	uint64_t	 id;
	size_t		 i;

	memset(&k, 0, sizeof(k));
	json_array_foreach(list, i, e) {
		wrong_enter(wr, "tags", i);
		if (!json_is_array(e) || json_array_size(e) != 2)
			wrong_note(wr, NULL, "must be a list of id and "
			    "value");
		id = posted_int(json_array_get(e, 0), 0, UINT32_MAX, "id",
		    wr);
		pair = json_array();
		value_append(pair, value_new_int(id));
		value_append(pair, value_new_int((uint32_t)posted_tag(
		    json_array_get(e, 1), "value", wr)));
		keyed_add(&k, id, pair);
		wrong_leave(wr);
	}
	return (keyed_array(&k));
}

static json_t *
capability_list(const json_t *list, struct wrong *wr)
{
	struct keyed	 k;
	json_t		*e;
	uint64_t	 id;
	size_t		 i;

	memset(&k, 0, sizeof(k));
	json_array_foreach(list, i, e) {
		wrong_enter(wr, "capabilities", i);
		if (posted_nothing(e))
			wrong_note(wr, NULL, "must be the id of a "
			    "capability");
		id = posted_int(e, 0, UINT32_MAX, NULL, wr);
		keyed_add(&k, id, value_new_int(id));
		wrong_leave(wr);
	}
	return (keyed_array(&k));
}
