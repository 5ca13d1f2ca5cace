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
#include "ztd-controller/posted.h"
#include "ztd-controller/rulejson.h"
#include "ztd-controller/value.h"

#define DOMAIN_MAX	((int)sizeof(((struct netconf *)0)->nc_dns_domain) - 1)
/* "token:" and a token fit what is read of a request. */
#define TOKEN_MAX	505

static void	 post_scalars(json_t *, const json_t *, struct wrong *);
static void	 post_modes(json_t *, const json_t *, struct wrong *);
static void	 post_lists(json_t *, const json_t *, struct wrong *);
static uint32_t	 mtu(const json_t *, struct wrong *);
static json_t	*v4_mode(const json_t *, struct wrong *);
static json_t	*v6_mode(const json_t *, struct wrong *);
static void	 v6_words(json_t *, const char *);
static json_t	*routes(const json_t *, struct wrong *);
static json_t	*route(const json_t *, struct wrong *);
static json_t	*route_via(const json_t *, const struct inet_addr *,
		    struct wrong *);
static json_t	*pools(const json_t *, struct wrong *);
static json_t	*pool(const json_t *, struct wrong *);
static bool	 pool_end(const json_t *, const char *, struct inet_addr *,
		    struct wrong *);
static json_t	*capabilities(const json_t *, struct wrong *);
static json_t	*tags(const json_t *, struct wrong *);
static void	 post_dns(json_t *, const json_t *, struct wrong *);
static bool	 dns_check(const json_t *, struct wrong *);
static void	 dns_server_check(const json_t *, struct wrong *);
static json_t	*auth_tokens(json_t *, struct wrong *);
static json_t	*token_list(const json_t *, struct wrong *);
static json_t	*modes_off(void);
static bool	 ip_any(const struct inet_addr *);
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
	value_default(r, "remoteTraceLevel", json_integer(0));
	value_set(r, "objtype", json_string("network"));
}

void
network_post(json_t *r, const json_t *body, struct wrong *wr)
{
	json_t	*v;

	post_scalars(r, body, wr);
	post_modes(r, body, wr);
	post_lists(r, body, wr);
	post_dns(r, body, wr);
	if ((v = record_posted(r, body, "authTokens")) != NULL)
		value_set(r, "authTokens", auth_tokens(v, wr));
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

	config_terms(n);
	config_unshare(n);
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
record_posted(const json_t *record, const json_t *body, const char *key)
{
	json_t	*v = json_object_get(body, key);

	return (v != NULL && json_equal(v, json_object_get(record, key)) ?
	    NULL : v);
}

void
record_post_trace(json_t *r, const json_t *body, struct wrong *wr)
{
	static const char key[] = "remoteTraceTarget";
	char		 buf[VALUE_NUMBER];
	const char	*text;
	const json_t	*v;

	if ((v = record_posted(r, body, "remoteTraceLevel")) != NULL)
		value_set(r, "remoteTraceLevel", value_new_int(posted_int(v,
		    0, INT32_MAX, "remoteTraceLevel", wr)));
	if ((v = record_posted(r, body, key)) == NULL)
		return;
	text = posted_text(v, "", buf, key, wr);
	if (*text == '\0')
		value_set(r, key, json_null());
	else if (posted_hex(text, 2 * ADDR_LEN))
		value_set(r, key, json_string(text));
	else
		wrong_note(wr, key, "must be an address of %d hex digits",
		    2 * ADDR_LEN);
}

static void
post_scalars(json_t *r, const json_t *body, struct wrong *wr)
{
	char		 buf[VALUE_NUMBER];
	const json_t	*v;

	if ((v = record_posted(r, body, "name")) != NULL)
		value_set(r, "name", json_string(posted_text(v, "", buf,
		    "name", wr)));
	if ((v = record_posted(r, body, "private")) != NULL)
		value_set(r, "private", json_boolean(posted_bool(v, true,
		    "private", wr)));
	if ((v = record_posted(r, body, "enableBroadcast")) != NULL)
		value_set(r, "enableBroadcast", json_boolean(posted_bool(v,
		    false, "enableBroadcast", wr)));
	if ((v = record_posted(r, body, "multicastLimit")) != NULL)
		value_set(r, "multicastLimit", value_new_int(posted_int(v,
		    32, UINT32_MAX, "multicastLimit", wr)));
	if ((v = record_posted(r, body, "mtu")) != NULL)
		value_set(r, "mtu", value_new_int(mtu(v, wr)));
	record_post_trace(r, body, wr);
}

static uint32_t
mtu(const json_t *v, struct wrong *wr)
{
	uint64_t	n;

	n = posted_int(v, NETCONF_MTU_DEFAULT, UINT32_MAX, "mtu", wr);
	if (n < NETCONF_MTU_MIN)
		n = NETCONF_MTU_MIN;
	if (n > NETCONF_MTU_MAX)
		n = NETCONF_MTU_MAX;
	return ((uint32_t)n);
}

static void
post_modes(json_t *r, const json_t *body, struct wrong *wr)
{
	const json_t	*v;

	if ((v = record_posted(r, body, "v4AssignMode")) != NULL)
		value_set(r, "v4AssignMode", v4_mode(v, wr));
	if ((v = record_posted(r, body, "v6AssignMode")) != NULL)
		value_set(r, "v6AssignMode", v6_mode(v, wr));
}

/* What is neither an object nor text turns all off, as ever. */
static json_t *
v4_mode(const json_t *v, struct wrong *wr)
{
	bool	zt = false;

	if (json_is_object(v))
		zt = posted_bool(json_object_get(v, "zt"), false,
		    "v4AssignMode.zt", wr);
	else if (json_is_string(v))
		zt = strcmp(json_string_value(v), "zt") == 0;
	return (json_pack("{s:b}", "zt", zt));
}

/* An object replaces: modes it does not name disappear. */
static json_t *
v6_mode(const json_t *v, struct wrong *wr)
{
	static const char *const keys[] = { "rfc4193", "zt", "6plane" };
	static const char *const names[] = { "v6AssignMode.rfc4193",
	    "v6AssignMode.zt", "v6AssignMode.6plane" };
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
			value_set(out, keys[i], json_boolean(posted_bool(e,
			    false, names[i], wr)));
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

static void
post_lists(json_t *r, const json_t *body, struct wrong *wr)
{
	const json_t	*v;

	v = record_posted(r, body, "routes");
	if (posted_list(v, "routes", NETCONF_ROUTES, wr))
		value_set(r, "routes", routes(v, wr));
	v = record_posted(r, body, "ipAssignmentPools");
	if (posted_list(v, "ipAssignmentPools", ELEMENTS_MAX, wr))
		value_set(r, "ipAssignmentPools", pools(v, wr));
	v = record_posted(r, body, "rules");
	if (posted_list(v, "rules", RULES_MAX, wr))
		value_set(r, "rules", rulejson_canonical(v, RULES_MAX, wr));
	v = record_posted(r, body, "capabilities");
	if (posted_list(v, "capabilities", ELEMENTS_MAX, wr))
		value_set(r, "capabilities", capabilities(v, wr));
	v = record_posted(r, body, "tags");
	if (posted_list(v, "tags", ELEMENTS_MAX, wr))
		value_set(r, "tags", tags(v, wr));
}

static json_t *
routes(const json_t *list, struct wrong *wr)
{
	json_t	*out, *e, *r;
	size_t	 i;

	out = json_array();
	json_array_foreach(list, i, e) {
		wrong_enter(wr, "routes", i);
		if ((r = route(e, wr)) != NULL)
			value_append(out, r);
		wrong_leave(wr);
	}
	return (out);
}

/*
 * NULL for one without a target, which forms send, and for a mistake.  An
 * address without prefix length is stored as /0, a default route; nobody
 * means that who names a real address.
 */
static json_t *
route(const json_t *e, struct wrong *wr)
{
	struct inet_addr target;
	char		 text[INET_TEXT];
	const json_t	*t;
	json_t		*out, *via;
	bool		 prefix;

	if (!posted_nothing(e) && !json_is_object(e))
		wrong_note(wr, NULL, "must be an object with a target");
	if (posted_nothing(t = json_object_get(e, "target")))
		return (NULL);
	if (!json_is_string(t) ||
	    !posted_addr(json_string_value(t), &target, &prefix) ||
	    (!prefix && !ip_any(&target))) {
		wrong_note(wr, "target", "must be an address and a prefix "
		    "length, as 10.0.0.0/8");
		return (NULL);
	}
	if ((via = route_via(json_object_get(e, "via"), &target, wr)) ==
	    NULL)
		return (NULL);
	out = json_object();
	value_set(out, "target", json_string(inet_format(text, &target)));
	value_set(out, "via", via);
	return (out);
}

static json_t *
route_via(const json_t *v, const struct inet_addr *target, struct wrong *wr)
{
	struct inet_addr via;
	bool		 prefix;

	if (posted_nothing(v))
		return (json_null());
	if (json_is_string(v) &&
	    posted_addr(json_string_value(v), &via, &prefix) &&
	    via.ia_family == target->ia_family)
		return (ip_text(&via));
	wrong_note(wr, "via", "must be an address of the target's family, "
	    "or null");
	return (NULL);
}

static json_t *
pools(const json_t *list, struct wrong *wr)
{
	json_t	*out, *e, *p;
	size_t	 i;

	out = json_array();
	json_array_foreach(list, i, e) {
		wrong_enter(wr, "ipAssignmentPools", i);
		if ((p = pool(e, wr)) != NULL)
			value_append(out, p);
		wrong_leave(wr);
	}
	return (out);
}

/* NULL for one that says nothing, and for a mistake. */
static json_t *
pool(const json_t *e, struct wrong *wr)
{
	struct inet_addr start, end;
	json_t		*out;

	if (!posted_nothing(e) && !json_is_object(e))
		wrong_note(wr, NULL, "must be an object with ipRangeStart "
		    "and ipRangeEnd");
	if (posted_nothing(json_object_get(e, "ipRangeStart")) &&
	    posted_nothing(json_object_get(e, "ipRangeEnd")))
		return (NULL);
	if (!pool_end(e, "ipRangeStart", &start, wr) ||
	    !pool_end(e, "ipRangeEnd", &end, wr))
		return (NULL);
	if (start.ia_family != end.ia_family ||
	    memcmp(start.ia_ip, end.ia_ip, inet_iplen(&start)) > 0) {
		wrong_note(wr, "ipRangeEnd", "must be of the same family as "
		    "ipRangeStart and not below it");
		return (NULL);
	}
	out = json_object();
	value_set(out, "ipRangeStart", ip_text(&start));
	value_set(out, "ipRangeEnd", ip_text(&end));
	return (out);
}

static bool
pool_end(const json_t *e, const char *key, struct inet_addr *ia,
    struct wrong *wr)
{
	char	buf[VALUE_NUMBER];
	bool	prefix;

	if (posted_addr(value_text(json_object_get(e, key), "", buf), ia,
	    &prefix))
		return (true);
	wrong_note(wr, key, "must be an address");
	return (false);
}

static json_t *
capabilities(const json_t *list, struct wrong *wr)
{
	struct keyed	 k;
	json_t		*e, *cap;
	uint64_t	 id;
	size_t		 i;

	memset(&k, 0, sizeof(k));
	json_array_foreach(list, i, e) {
		wrong_enter(wr, "capabilities", i);
		if (!json_is_object(e))
			wrong_note(wr, NULL, "must be an object with id, "
			    "default and rules");
		id = posted_int(json_object_get(e, "id"), 0, UINT32_MAX,
		    "id", wr);
		cap = json_object();
		value_set(cap, "id", value_new_int(id));
		value_set(cap, "default", json_boolean(posted_bool(
		    json_object_get(e, "default"), false, "default", wr)));
		value_set(cap, "rules", rulejson_canonical(
		    json_object_get(e, "rules"), CAPABILITY_RULES, wr));
		keyed_add(&k, id, cap);
		wrong_leave(wr);
	}
	return (keyed_array(&k));
}

static json_t *
tags(const json_t *list, struct wrong *wr)
{
	struct keyed	 k;
	const json_t	*d;
	json_t		*e, *tag;
	uint64_t	 id;
	size_t		 i;

	memset(&k, 0, sizeof(k));
	json_array_foreach(list, i, e) {
		wrong_enter(wr, "tags", i);
		if (!json_is_object(e))
			wrong_note(wr, NULL, "must be an object with id and "
			    "default");
		id = posted_int(json_object_get(e, "id"), 0, UINT32_MAX,
		    "id", wr);
		d = json_object_get(e, "default");
		tag = json_object();
		value_set(tag, "id", value_new_int(id));
		value_set(tag, "default", d == NULL || json_is_null(d) ?
		    json_null() : value_new_int(posted_tag(d, "default",
		    wr)));
		keyed_add(&k, id, tag);
		wrong_leave(wr);
	}
	return (keyed_array(&k));
}

/*
 * Kept as sent.  A list is what a network has that was never given any, and
 * comes back from programs that send whole objects.
 */
static void
post_dns(json_t *r, const json_t *body, struct wrong *wr)
{
	json_t	*v, *out, *domain, *servers;

	v = record_posted(r, body, "dns");
	if (posted_nothing(v) ||
	    (json_is_array(v) && json_array_size(v) == 0))
		return;
	if (!json_is_object(v)) {
		wrong_note(wr, "dns", "must be an object with domain and "
		    "servers");
		return;
	}
	if (!dns_check(v, wr))
		return;
	out = json_object();
	domain = json_object_get(v, "domain");
	value_set(out, "domain", domain == NULL ? json_null() :
	    json_incref(domain));
	servers = json_object_get(v, "servers");
	if (json_is_array(servers))
		value_set(out, "servers", json_incref(servers));
	value_set(r, "dns", out);
}

static bool
dns_check(const json_t *v, struct wrong *wr)
{
	const json_t	*domain;
	json_t		*servers, *e;
	size_t		 i;

	domain = json_object_get(v, "domain");
	if (!posted_nothing(domain) && !json_is_string(domain))
		wrong_note(wr, "dns.domain", "must be text");
	else if (json_string_length(domain) > (size_t)DOMAIN_MAX)
		wrong_note(wr, "dns.domain", "%zu bytes, the limit is %d",
		    json_string_length(domain), DOMAIN_MAX);
	servers = json_object_get(v, "servers");
	if (posted_list(servers, "dns.servers", NETCONF_DNS, wr)) {
		json_array_foreach(servers, i, e) {
			wrong_enter(wr, "dns.servers", i);
			dns_server_check(e, wr);
			wrong_leave(wr);
		}
	}
	return (!wrong_noted(wr));
}

static void
dns_server_check(const json_t *v, struct wrong *wr)
{
	struct inet_addr ia;
	bool		 prefix;

	if (!posted_nothing(v) && (!json_is_string(v) ||
	    !posted_addr(json_string_value(v), &ia, &prefix)))
		wrong_note(wr, NULL, "must be an address");
}

/* Token to expiry; null forgets one, nothing at all is [null]. */
static json_t *
auth_tokens(json_t *v, struct wrong *wr)
{
	const char	*key;
	json_t		*out, *e;

	if (!json_is_object(v))
		return (token_list(v, wr));
	out = json_object();
	json_object_foreach(v, key, e) {
		if (json_is_null(e))
			continue;
		if (!json_is_number(e) || json_number_value(e) < 0)
			wrong_note(wr, "authTokens", "each token must have "
			    "the time of its expiry in ms, or 0");
		if (*key == '\0' || strlen(key) > TOKEN_MAX)
			wrong_note(wr, "authTokens", "a token must have 1 "
			    "to %d bytes", TOKEN_MAX);
		value_set(out, key, json_incref(e));
	}
	if (json_object_size(out) == 0) {
		json_decref(out);
		return (json_null());
	}
	return (out);
}

static json_t *
token_list(const json_t *v, struct wrong *wr)
{
	json_t	*e;
	size_t	 i;
	bool	 nothing = posted_nothing(v) || json_is_array(v);

	json_array_foreach(v, i, e)
		nothing = nothing && posted_nothing(e);
	if (!nothing)
		wrong_note(wr, "authTokens", "must be an object of tokens "
		    "and their expiry");
	return (json_pack("[n]"));
}

/* 0.0.0.0 or ::, which is everything without a prefix length, too. */
static bool
ip_any(const struct inet_addr *ia)
{
	static const uint8_t	any[16];

	return (memcmp(ia->ia_ip, any, inet_iplen(ia)) == 0);
}

static json_t *
ip_text(const struct inet_addr *ia)
{
	char	text[INET_TEXT];

	return (json_string(inet_format_ip(text, ia)));
}
