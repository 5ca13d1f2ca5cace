/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What is wrong with a record; see check.h.
 */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/address.h"
#include "common/identity.h"
#include "ztd-controller/check.h"
#include "ztd-controller/rulejson.h"
#include "ztd-controller/value.h"

enum type { T_TEXT, T_TEXT_NULL, T_NUMBER, T_BOOL, T_ARRAY, T_OBJECT };

struct field {
	const char	*f_name;
	enum type	 f_type;
};

static const struct field network_fields[] = {
	{ "name", T_TEXT }, { "private", T_BOOL },
	{ "enableBroadcast", T_BOOL }, { "multicastLimit", T_NUMBER },
	{ "mtu", T_NUMBER }, { "revision", T_NUMBER },
	{ "creationTime", T_NUMBER }, { "routes", T_ARRAY },
	{ "ipAssignmentPools", T_ARRAY }, { "rules", T_ARRAY },
	{ "capabilities", T_ARRAY }, { "tags", T_ARRAY },
	{ "v4AssignMode", T_OBJECT }, { "v6AssignMode", T_OBJECT },
	{ "remoteTraceTarget", T_TEXT_NULL },
	{ "remoteTraceLevel", T_NUMBER }, { "ssoEnabled", T_BOOL }
};
static const struct field member_fields[] = {
	{ "name", T_TEXT }, { "authorized", T_BOOL },
	{ "activeBridge", T_BOOL }, { "noAutoAssignIps", T_BOOL },
	{ "ssoExempt", T_BOOL }, { "revision", T_NUMBER },
	{ "creationTime", T_NUMBER }, { "lastAuthorizedTime", T_NUMBER },
	{ "lastDeauthorizedTime", T_NUMBER },
	{ "authenticationExpiryTime", T_NUMBER },
	{ "identity", T_TEXT_NULL }, { "ipAssignments", T_ARRAY },
	{ "tags", T_ARRAY }, { "capabilities", T_ARRAY },
	{ "remoteTraceTarget", T_TEXT_NULL },
	{ "vMajor", T_NUMBER }, { "vMinor", T_NUMBER }, { "vRev", T_NUMBER },
	{ "vProto", T_NUMBER }
};

static bool	 wrong(char [CHECK_TEXT], const char *, ...)
		    __attribute__((format(printf, 2, 3)));
static bool	 check_fields(const json_t *, const struct field *, size_t,
		    char [CHECK_TEXT]);
static bool	 is_type(const json_t *, enum type);
static bool	 check_routes(const json_t *, char [CHECK_TEXT]);
static bool	 check_pools(const json_t *, char [CHECK_TEXT]);
static bool	 check_rules(const json_t *, char [CHECK_TEXT]);
static bool	 check_identity(const json_t *, char [CHECK_TEXT]);
static bool	 check_ips(const json_t *, char [CHECK_TEXT]);
static bool	 check_tags(const json_t *, char [CHECK_TEXT]);

static bool
wrong(char why[CHECK_TEXT], const char *fmt, ...)
{
	va_list	va;

	va_start(va, fmt);
	(void)vsnprintf(why, CHECK_TEXT, fmt, va);
	va_end(va);
	return (false);
}

bool
check_ids(const json_t *r, uint64_t *nwid, uint64_t *addr,
    char why[CHECK_TEXT])
{
	const char	*type, *id, *nw;

	if (!json_is_object(r))
		return (wrong(why, "it is no JSON object"));
	id = json_string_value(json_object_get(r, "id"));
	nw = json_string_value(json_object_get(r, "nwid"));
	type = json_string_value(json_object_get(r, "objtype"));
	if (type == NULL)
		type = id != NULL && strlen(id) == 10 ? "member" : "network";
	*addr = 0;
	if (strcmp(type, "network") == 0) {
		if (id == NULL || nwid_parse(id, nwid) == -1 || *nwid == 0)
			return (wrong(why, "\"id\" is no network id"));
		return (true);
	}
	if (strcmp(type, "member") != 0)
		return (wrong(why, "\"objtype\" is neither \"network\" nor "
		    "\"member\""));
	if (id == NULL || addr_parse(id, addr) == -1 || *addr == 0)
		return (wrong(why, "\"id\" is no address"));
	if (nw == NULL || nwid_parse(nw, nwid) == -1 || *nwid == 0)
		return (wrong(why, "\"nwid\" is no network id"));
	return (true);
}

bool
check_network(const json_t *r, char why[CHECK_TEXT])
{
	return (check_fields(r, network_fields,
	    sizeof(network_fields) / sizeof(network_fields[0]), why) &&
	    check_routes(r, why) && check_pools(r, why) &&
	    check_rules(r, why));
}

bool
check_member(const json_t *r, char why[CHECK_TEXT])
{
	return (check_fields(r, member_fields,
	    sizeof(member_fields) / sizeof(member_fields[0]), why) &&
	    check_identity(r, why) && check_ips(r, why) &&
	    check_tags(r, why));
}

/* Those that are there. */
static bool
check_fields(const json_t *r, const struct field *f, size_t n,
    char why[CHECK_TEXT])
{
	static const char *const words[] = { "a text", "a text or null",
	    "a whole number", "true or false", "an array", "an object" };
	const json_t	*v;
	size_t		 i;

	for (i = 0; i < n; i++) {
		v = json_object_get(r, f[i].f_name);
		if (v != NULL && !is_type(v, f[i].f_type))
			return (wrong(why, "\"%s\" is not %s", f[i].f_name,
			    words[f[i].f_type]));
	}
	return (true);
}

static bool
is_type(const json_t *v, enum type t)
{
	switch (t) {
	case T_TEXT:
		return (json_is_string(v));
	case T_TEXT_NULL:
		return (json_is_string(v) || json_is_null(v));
	case T_NUMBER:
		return (json_is_integer(v));
	case T_BOOL:
		return (json_is_boolean(v));
	case T_ARRAY:
		return (json_is_array(v));
	case T_OBJECT:
		return (json_is_object(v));
	}
	return (false);
}

static bool
check_routes(const json_t *r, char why[CHECK_TEXT])
{
	struct inet_addr t;
	const char	*s;
	json_t		*e;
	size_t		 i;

	json_array_foreach(json_object_get(r, "routes"), i, e) {
		s = json_string_value(json_object_get(e, "target"));
		if (s == NULL || !value_addr(s, &t) ||
		    t.ia_port > 8 * inet_iplen(&t))
			return (wrong(why, "route %zu: \"target\" is no "
			    "network", i + 1));
		s = json_string_value(json_object_get(e, "via"));
		if (s != NULL && !value_addr(s, &t))
			return (wrong(why, "route %zu: \"via\" is no address",
			    i + 1));
	}
	return (true);
}

static bool
check_pools(const json_t *r, char why[CHECK_TEXT])
{
	struct inet_addr a, b;
	const char	*s, *t;
	json_t		*e;
	size_t		 i;

	json_array_foreach(json_object_get(r, "ipAssignmentPools"), i, e) {
		s = json_string_value(json_object_get(e, "ipRangeStart"));
		t = json_string_value(json_object_get(e, "ipRangeEnd"));
		if (s == NULL || t == NULL || !value_addr(s, &a) ||
		    !value_addr(t, &b) || a.ia_family != b.ia_family)
			return (wrong(why, "pool %zu is no range of "
			    "addresses", i + 1));
		if (memcmp(a.ia_ip, b.ia_ip, sizeof(a.ia_ip)) > 0)
			return (wrong(why, "pool %zu ends before it begins",
			    i + 1));
	}
	return (true);
}

static bool
check_rules(const json_t *r, char why[CHECK_TEXT])
{
	const json_t	*list = json_object_get(r, "rules");
	struct rule	 rule;
	json_t		*one;
	size_t		 i;
	bool		 ok = true;

	for (i = 0; i < json_array_size(list) && ok; i++) {
		one = json_array();
		value_append(one, json_incref(json_array_get(list, i)));
		ok = rulejson_compile(one, &rule, 1) == 1;
		json_decref(one);
	}
	return (ok || wrong(why, "\"rules\": the %zu. is none", i));
}

static bool
check_identity(const json_t *r, char why[CHECK_TEXT])
{
	const json_t	*v = json_object_get(r, "identity");
	struct identity	 id;
	uint64_t	 addr;
	bool		 ok;

	if (json_string_length(v) == 0)
		return (true);
	ok = identity_parse(&id, json_string_value(v),
	    json_string_length(v)) == IDENTITY_OK &&
	    addr_parse(json_string_value(json_object_get(r, "id")), &addr) ==
	    0 && id.id_addr == addr;
	crypto_wipe(&id, sizeof(id));
	return (ok || wrong(why, "\"identity\" is none, or another one's"));
}

static bool
check_ips(const json_t *r, char why[CHECK_TEXT])
{
	struct inet_addr ia;
	json_t		*e;
	size_t		 i;

	json_array_foreach(json_object_get(r, "ipAssignments"), i, e)
		if (!json_is_string(e) ||
		    !value_addr(json_string_value(e), &ia))
			return (wrong(why, "\"ipAssignments\": the %zu. is "
			    "no address", i + 1));
	return (true);
}

static bool
check_tags(const json_t *r, char why[CHECK_TEXT])
{
	json_t	*e;
	size_t	 i;

	json_array_foreach(json_object_get(r, "tags"), i, e)
		if (json_array_size(e) != 2 ||
		    !json_is_integer(json_array_get(e, 0)) ||
		    !json_is_integer(json_array_get(e, 1)))
			return (wrong(why, "\"tags\": the %zu. is no pair of "
			    "numbers", i + 1));
	json_array_foreach(json_object_get(r, "capabilities"), i, e)
		if (!json_is_integer(e))
			return (wrong(why, "\"capabilities\": the %zu. is no "
			    "number", i + 1));
	return (true);
}
