/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Network records: defaults, posted fields, compiled tables.
 * Spec: 04 sections 4, 9.3, 9.4.
 */

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/log.h"
#include "ztd-controller/controller.h"
#include "ztd-controller/keyed.h"
#include "ztd-controller/rulejson.h"
#include "ztd-controller/value.h"

static void	 post_scalars(json_t *, const json_t *);
static json_t	*v4_mode(const json_t *);
static json_t	*v6_mode(const json_t *);
static void	 v6_words(json_t *, const char *);
static json_t	*routes(const json_t *);
static json_t	*route(const json_t *);
static json_t	*pools(const json_t *);
static json_t	*pool(const json_t *);
static json_t	*capabilities(const json_t *, const char **);
static json_t	*tags(const json_t *);
static json_t	*dns(const json_t *);
static json_t	*auth_tokens(json_t *);
static json_t	*modes_off(void);
static json_t	*ip_text(const struct inet_addr *);

void
network_defaults(json_t *r, int64_t now)
{
	value_default(r, "authTokens", json_pack("[n]"));
	value_default(r, "authorizationEndpoint", json_string(""));
	value_default(r, "capabilities", json_array());
	value_default(r, "clientId", json_string(""));
	value_default(r, "creationTime", json_integer(now));
	value_default(r, "dns", json_array());
	value_default(r, "enableBroadcast", json_true());
	value_default(r, "ipAssignmentPools", json_array());
	value_default(r, "mtu", json_integer(NETCONF_MTU_DEFAULT));
	value_default(r, "multicastLimit", json_integer(32));
	value_default(r, "name", json_string(""));
	value_default(r, "private", json_true());
	value_default(r, "remoteTraceTarget", json_null());
	value_default(r, "routes", json_array());
	value_default(r, "rules", json_pack("[{s:b,s:b,s:s}]", "not", 0,
	    "or", 0, "type", "ACTION_ACCEPT"));
	value_default(r, "rulesSource", json_string(""));
	value_default(r, "ssoEnabled", json_false());
	value_default(r, "tags", json_array());
	value_default(r, "v4AssignMode", json_pack("{s:b}", "zt", 0));
	value_default(r, "v6AssignMode", modes_off());
	value_set(r, "objtype", json_string("network"));
	value_set(r, "remoteTraceLevel", json_integer(0));
}

const char *
network_post(json_t *r, const json_t *body)
{
	const char	*error = NULL;
	json_t		*v;

	post_scalars(r, body);
	if ((v = json_object_get(body, "v4AssignMode")) != NULL)
		value_set(r, "v4AssignMode", v4_mode(v));
	if ((v = json_object_get(body, "v6AssignMode")) != NULL)
		value_set(r, "v6AssignMode", v6_mode(v));
	if (json_is_array(v = json_object_get(body, "routes")))
		value_set(r, "routes", routes(v));
	if (json_is_array(v = json_object_get(body, "ipAssignmentPools")))
		value_set(r, "ipAssignmentPools", pools(v));
	if (json_is_array(v = json_object_get(body, "rules"))) {
		if ((v = rulejson_canonical(v, &error)) == NULL)
			return (error);
		value_set(r, "rules", v);
	}
	if (json_is_array(v = json_object_get(body, "capabilities"))) {
		if ((v = capabilities(v, &error)) == NULL)
			return (error);
		value_set(r, "capabilities", v);
	}
	if (json_is_array(v = json_object_get(body, "tags")))
		value_set(r, "tags", tags(v));
	if (json_is_object(v = json_object_get(body, "dns")))
		value_set(r, "dns", dns(v));
	if ((v = json_object_get(body, "authTokens")) != NULL)
		value_set(r, "authTokens", auth_tokens(v));
	return (NULL);
}

void
network_finish(json_t *r, uint64_t nwid)
{
	static const char *const never[] = { "clock",
	    "authorizedMemberCount", "activeMemberCount",
	    "totalMemberCount", "lastModified" };
	char	text[NWID_TEXT];
	size_t	i;

	nwid_format(text, nwid);
	value_set(r, "id", json_string(text));
	value_set(r, "nwid", json_string(text));
	for (i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		(void)json_object_del(r, never[i]);
}

void
network_compile(struct network *n)
{
	struct netconf_route *nr;
	char		 buf[VALUE_NUMBER];
	const json_t	*rules;
	json_t		*list, *e, *via;
	size_t		 i, room;

	rules = json_object_get(n->n_record, "rules");
	free(n->n_rules);
	room = json_array_size(rules) < RULES_MAX ? json_array_size(rules) :
	    RULES_MAX;
	n->n_rules = xcalloc(room + 1, sizeof(*n->n_rules));
	n->n_nrules = rulejson_compile(rules, n->n_rules, (unsigned)room);

	n->n_full4 = false;
	n->n_nroutes = 0;
	list = json_object_get(n->n_record, "routes");
	free(n->n_routes);
	room = json_array_size(list) < NETCONF_ROUTES ?
	    json_array_size(list) : NETCONF_ROUTES;
	n->n_routes = xcalloc(room + 1, sizeof(*n->n_routes));
	json_array_foreach(list, i, e) {
		if (n->n_nroutes == NETCONF_ROUTES)
			break;
		nr = &n->n_routes[n->n_nroutes];
		memset(nr, 0, sizeof(*nr));
		if (!value_addr(value_text(json_object_get(e, "target"), "",
		    buf), &nr->nr_target))
			continue;
		via = json_object_get(e, "via");
		if (json_is_string(via) &&
		    (!value_addr(json_string_value(via), &nr->nr_via) ||
		    nr->nr_via.ia_family != nr->nr_target.ia_family))
			memset(&nr->nr_via, 0, sizeof(nr->nr_via));
		n->n_nroutes++;
	}
}

json_t *
record_trace_target(const json_t *v)
{
	char		 buf[VALUE_NUMBER];
	const char	*text;

	text = value_text(v, "", buf);
	return (strlen(text) == 10 ? json_string(text) : json_null());
}

static void
post_scalars(json_t *r, const json_t *body)
{
	char		 buf[VALUE_NUMBER];
	const json_t	*v;
	uint32_t	 mtu;

	if ((v = json_object_get(body, "name")) != NULL)
		value_set(r, "name", json_string(value_text(v, "", buf)));
	if ((v = json_object_get(body, "private")) != NULL)
		value_set(r, "private", json_boolean(value_bool(v, true)));
	if ((v = json_object_get(body, "enableBroadcast")) != NULL)
		value_set(r, "enableBroadcast",
		    json_boolean(value_bool(v, false)));
	if ((v = json_object_get(body, "multicastLimit")) != NULL)
		value_set(r, "multicastLimit",
		    value_new_int(value_int(v, 32)));
	if ((v = json_object_get(body, "mtu")) != NULL) {
		mtu = (uint32_t)value_int(v, NETCONF_MTU_DEFAULT);
		if (mtu < NETCONF_MTU_MIN)
			mtu = NETCONF_MTU_MIN;
		if (mtu > NETCONF_MTU_MAX)
			mtu = NETCONF_MTU_MAX;
		value_set(r, "mtu", value_new_int(mtu));
	}
	if ((v = json_object_get(body, "remoteTraceTarget")) != NULL)
		value_set(r, "remoteTraceTarget", record_trace_target(v));
	if ((v = json_object_get(body, "remoteTraceLevel")) != NULL)
		value_set(r, "remoteTraceLevel",
		    value_new_int(value_int(v, 0)));
}

static json_t *
v4_mode(const json_t *v)
{
	bool	zt = false;

	if (json_is_object(v))
		zt = value_bool(json_object_get(v, "zt"), false);
	else if (json_is_string(v))
		zt = strcmp(json_string_value(v), "zt") == 0;
	return (json_pack("{s:b}", "zt", zt));
}

/* An object replaces: modes it does not name disappear. */
static json_t *
v6_mode(const json_t *v)
{
	static const char *const keys[] = { "rfc4193", "zt", "6plane" };
	const json_t	*e;
	json_t		*out;
	size_t		 i;

	if (!json_is_object(v)) {
		out = modes_off();
		if (json_is_string(v))
			v6_words(out, json_string_value(v));
		return (out);
	}
	out = json_object();
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if ((e = json_object_get(v, keys[i])) != NULL)
			value_set(out, keys[i],
			    json_boolean(value_bool(e, false)));
	return (out);
}

static void
v6_words(json_t *out, const char *s)
{
	const char	*key;
	json_t		*v;
	void		*next;
	size_t		 len;

	for (;; s += len + 1) {
		len = strcspn(s, ",");
		json_object_foreach_safe(out, next, key, v)
			if (strlen(key) == len && memcmp(key, s, len) == 0)
				value_set(out, key, json_true());
		if (s[len] == '\0')
			return;
	}
}

static json_t *
modes_off(void)
{
	return (json_pack("{s:b,s:b,s:b}", "6plane", 0, "rfc4193", 0, "zt",
	    0));
}

static json_t *
routes(const json_t *list)
{
	json_t	*out, *e, *r;
	size_t	 i;

	out = json_array();
	json_array_foreach(list, i, e)
		if (json_array_size(out) < ELEMENTS_MAX &&
		    (r = route(e)) != NULL)
			value_append(out, r);
	return (out);
}

static json_t *
route(const json_t *e)
{
	struct inet_addr target, via;
	char		 text[INET_TEXT];
	const json_t	*t, *v;
	json_t		*out;

	t = json_object_get(e, "target");
	v = json_object_get(e, "via");
	if (!json_is_string(t) ||
	    !value_addr(json_string_value(t), &target) ||
	    target.ia_port > 8 * inet_iplen(&target))
		return (NULL);
	out = json_object();
	value_set(out, "target", json_string(inet_format(text, &target)));
	if (json_is_string(v) && value_addr(json_string_value(v), &via) &&
	    via.ia_family == target.ia_family)
		value_set(out, "via", ip_text(&via));
	else
		value_set(out, "via", json_null());
	return (out);
}

static json_t *
pools(const json_t *list)
{
	json_t	*out, *e, *p;
	size_t	 i;

	out = json_array();
	json_array_foreach(list, i, e)
		if (json_array_size(out) < ELEMENTS_MAX &&
		    (p = pool(e)) != NULL)
			value_append(out, p);
	return (out);
}

static json_t *
pool(const json_t *e)
{
	struct inet_addr start, end;
	char		 buf[VALUE_NUMBER];
	json_t		*out;

	if (!value_addr(value_text(json_object_get(e, "ipRangeStart"), "",
	    buf), &start) ||
	    !value_addr(value_text(json_object_get(e, "ipRangeEnd"), "",
	    buf), &end) ||
	    start.ia_family != end.ia_family)
		return (NULL);
	out = json_object();
	value_set(out, "ipRangeStart", ip_text(&start));
	value_set(out, "ipRangeEnd", ip_text(&end));
	return (out);
}

static json_t *
capabilities(const json_t *list, const char **error)
{
	struct keyed	 k;
	json_t		*e, *cap, *rules;
	uint64_t	 id;
	size_t		 i;

	memset(&k, 0, sizeof(k));
	json_array_foreach(list, i, e) {
		if (!json_is_object(e))
			continue;
		if (k.k_n == ELEMENTS_MAX)
			break;
		rules = rulejson_canonical(json_object_get(e, "rules"),
		    error);
		if (rules == NULL) {
			keyed_clear(&k);
			return (NULL);
		}
		id = value_int(json_object_get(e, "id"), 0);
		cap = json_object();
		value_set(cap, "id", value_new_int(id));
		value_set(cap, "default", json_boolean(value_bool(
		    json_object_get(e, "default"), false)));
		value_set(cap, "rules", rules);
		keyed_add(&k, id, cap);
	}
	return (keyed_array(&k));
}

static json_t *
tags(const json_t *list)
{
	struct keyed	 k;
	const json_t	*d;
	json_t		*e, *tag;
	uint64_t	 id;
	size_t		 i;

	memset(&k, 0, sizeof(k));
	json_array_foreach(list, i, e) {
		if (!json_is_object(e))
			continue;
		if (k.k_n == ELEMENTS_MAX)
			break;
		id = value_int(json_object_get(e, "id"), 0);
		d = json_object_get(e, "default");
		tag = json_object();
		value_set(tag, "id", value_new_int(id));
		value_set(tag, "default", d == NULL || json_is_null(d) ?
		    json_null() : value_new_int(value_int(d, 0)));
		keyed_add(&k, id, tag);
	}
	return (keyed_array(&k));
}

/* Kept as sent; config.c sorts out what of it are addresses. */
static json_t *
dns(const json_t *v)
{
	json_t	*out, *domain, *servers;

	out = json_object();
	domain = json_object_get(v, "domain");
	value_set(out, "domain", domain == NULL ? json_null() :
	    json_incref(domain));
	servers = json_object_get(v, "servers");
	if (json_is_array(servers))
		value_set(out, "servers", json_incref(servers));
	return (out);
}

static json_t *
auth_tokens(json_t *v)
{
	const char	*key;
	json_t		*out, *e;

	if (!json_is_object(v))
		return (json_pack("[n]"));
	out = json_object();
	json_object_foreach(v, key, e)
		if (json_is_number(e) && json_number_value(e) >= 0)
			value_set(out, key, json_incref(e));
	if (json_object_size(out) == 0) {
		json_decref(out);
		return (json_null());
	}
	return (out);
}

static json_t *
ip_text(const struct inet_addr *ia)
{
	char	text[INET_TEXT];

	return (json_string(inet_format_ip(text, ia)));
}
