/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What other people's programs need of a controller, over HTTP: each case
 * names the line of the list of such needs (research/clients.md, section 1)
 * that it tests, and who would break without it.
 */

#include <inttypes.h>

#include "regress/lib/httpcon.h"
#include "regress/wire/controller.h"

#define OWN		"95841e6527"
#define NW		"/controller/network/" OWN "000001"
#define MEMBER		NW "/member/1122334455"
#define JSON		"Content-Type: application/json\r\n"
#define FORM		"Content-Type: application/x-www-form-urlencoded\r\n"

static struct world	*w;
static struct httpcon	*http;

static void
begin(const atf_tc_t *tc)
{
	w = world_new();
	world_start_recorded(w, tc);
	w->w_con.c_id.id_addr = 0x95841e6527ULL;
	w->w_now = 1800000000000;
	http = httpcon_new(tc, &w->w_con, &w->w_now);
}

static void
end(void)
{
	httpcon_free(http);
	world_stop(w);
	world_free(w);
}

/* The status; *out is the answer, to be released, and may be NULL. */
static int
ask_as(const char *method, const char *path, const char *headers,
    const char *body, json_t **out)
{
	char	*type, *text;
	int	 code;

	w->w_now += 10;
	code = httpcon_ask(http, method, path, headers, true, body, &type,
	    &text);
	ATF_CHECK_STREQ_MSG("application/json", type, "%s %s", method, path);
	*out = world_json(text);
	free(type);
	free(text);
	return (code);
}

static int
ask(const char *method, const char *path, const char *body, json_t **out)
{
	return (ask_as(method, path, JSON, body, out));
}

/* The answer to what must be answered 200. */
static json_t *
good(const char *method, const char *path, const char *body)
{
	json_t	*v;
	char	*text;
	int	 code;

	code = ask(method, path, body, &v);
	if (code != 200) {
		text = json_dumps(v, JSON_ENCODE_ANY);
		atf_tc_fail("%s %s %.200s: %d %s", method, path,
		    body == NULL ? "" : body, code, text);
	}
	return (v);
}

static void
do_it(const char *method, const char *path, const char *body)
{
	json_decref(good(method, path, body));
}

/* A member of the object is this JSON text. */
static void
check_is(json_t *o, const char *key, const char *text)
{
	json_t	*want, *got;
	char	*s;

	want = world_json(text);
	got = json_object_get(o, key);
	if (!json_equal(want, got)) {
		s = got == NULL ? NULL : json_dumps(got, JSON_ENCODE_ANY |
		    JSON_COMPACT | JSON_SORT_KEYS);
		atf_tc_fail_nonfatal("%s: want %s, got %s", key, text,
		    s == NULL ? "nothing" : s);
		free(s);
	}
	json_decref(want);
}

/* Post, and the record then has this. */
static void
check_post(const char *path, const char *body, const char *key,
    const char *text)
{
	json_t	*v;

	v = good("POST", path, body);
	check_is(v, key, text);
	json_decref(v);
	v = good("GET", path, NULL);
	check_is(v, key, text);
	json_decref(v);
}

/* It is refused, in words that have all of this in them. */
static void
check_refused(int want, const char *method, const char *path,
    const char *body, const char *words, const char *more)
{
	const char	*message;
	json_t		*v;
	int		 code;

	code = ask(method, path, body, &v);
	message = json_string_value(json_object_get(v, "message"));
	if (code != want || message == NULL ||
	    strstr(message, words) == NULL || strstr(message, more) == NULL)
		atf_tc_fail_nonfatal("%s %s %.100s: %d %s", method, path,
		    body == NULL ? "" : body, code,
		    message == NULL ? "no message" : message);
	json_decref(v);
}

static int64_t
revision(const char *path)
{
	json_t	*v;
	int64_t	 n;

	v = good("GET", path, NULL);
	n = json_integer_value(json_object_get(v, "revision"));
	json_decref(v);
	return (n);
}

#define CASE(name)							\
	ATF_TC_WITHOUT_HEAD(name);					\
	ATF_TC_BODY(name, tc)

/* Clients of generated code: 200 and application/json, creation as well. */
CASE(check_05_json_and_200)
{
	begin(tc);
	do_it("POST", "/controller/network", "{}");
	do_it("POST", NW, "{}");
	do_it("POST", MEMBER, "{}");
	do_it("GET", "/controller", NULL);
	do_it("DELETE", MEMBER, NULL);
	do_it("DELETE", NW, NULL);
	end();
}

/* curl -d sends a form, scripts send no type at all. */
CASE(check_06_content_type)
{
	static const char *const types[] = { JSON, FORM, "",
	    "Content-Type: text/plain\r\n" };
	char	 body[9000];
	json_t	*v;
	size_t	 i;

	begin(tc);
	for (i = 0; i < 4; i++) {
		snprintf(body, sizeof(body), "{\"name\":\"n%zu\"}", i);
		ATF_CHECK_EQ(ask_as("POST", NW, types[i], body, &v), 200);
		snprintf(body, sizeof(body), "\"n%zu\"", i);
		check_is(v, "name", body);
		json_decref(v);
	}
	memset(body, 'x', sizeof(body));
	memcpy(body, "{\"name\":\"", 9);
	strcpy(body + sizeof(body) - 3, "\"}");
	ATF_CHECK_EQ(ask_as("POST", NW, FORM, body, &v), 200);
	ATF_CHECK_EQ(json_string_length(json_object_get(v, "name")), 8988);
	json_decref(v);
	end();
}

/* The body of a POST must be there; the network then is not made. */
CASE(check_07_empty_body)
{
	begin(tc);
	check_refused(500, "POST", NW, NULL, "body", "empty");
	check_refused(404, "GET", NW, NULL, OWN "000001", "no network");
	check_refused(500, "POST", NW, "{\"name\":", "body", "JSON");
	check_refused(400, "POST", NW, "7", "body", "object");
	check_refused(400, "POST", NW, "[1]", "body", "object");
	/* What PHP makes of an empty array, and a byte order mark. */
	do_it("POST", NW, "[]");
	check_post(NW, "\xef\xbb\xbf{\"name\":\"bom\"}", "name", "\"bom\"");
	end();
}

/* Whole objects come back, with fields of others and with nulls. */
CASE(check_08_whole_objects)
{
	static const char *const unknown[] = { "tagsByName", "hidden",
	    "capabilitiesByName", "xyzzy", "physicalAddress", "clock" };
	json_t	*v, *o;
	char	*text;
	size_t	 i, len;

	begin(tc);
	do_it("POST", NW, "{\"name\":\"n\",\"routes\":[{\"target\":"
	    "\"10.0.0.0/8\"}],\"tags\":[{\"id\":1,\"default\":2}]}");
	do_it("POST", MEMBER, "{\"authorized\":true,\"ipAssignments\":"
	    "[\"10.0.0.1\"],\"tags\":[[1,2]],\"capabilities\":[3]}");
	for (i = 0; i < 2; i++) {
		v = good("GET", i == 0 ? NW : MEMBER, NULL);
		text = value_format(v, &len);
		o = good("POST", i == 0 ? NW : MEMBER, text);
		ATF_CHECK(json_equal(v, o));
		json_decref(v);
		json_decref(o);
		free(text);
	}
	o = good("POST", MEMBER, "{\"identity\":\"x\",\"revision\":99,"
	    "\"vMajor\":9,\"creationTime\":1,\"tagsByName\":{},"
	    "\"hidden\":true,\"xyzzy\":1,\"physicalAddress\":\"1.2.3.4\","
	    "\"clock\":1,\"description\":null}");
	check_is(o, "revision", "1");
	check_is(o, "vMajor", "-1");
	ATF_CHECK(json_object_get(o, "identity") == NULL);
	for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		ATF_CHECK(json_object_get(o, unknown[i]) == NULL);
	json_decref(o);
	o = good("POST", NW, "{\"rulesSource\":\"#\",\"capabilitiesByName\":"
	    "{},\"id\":\"x\",\"ssoEnabled\":true,\"clientId\":\"c\"}");
	check_is(o, "revision", "1");
	check_is(o, "rulesSource", "\"\"");
	check_is(o, "ssoEnabled", "false");
	json_decref(o);
	/* Nulls leave lists alone. */
	o = good("POST", MEMBER, "{\"ipAssignments\":null,\"tags\":null,"
	    "\"capabilities\":null,\"remoteTraceTarget\":null}");
	check_is(o, "revision", "1");
	check_is(o, "ipAssignments", "[\"10.0.0.1\"]");
	json_decref(o);
	end();
}

/* ztncui sends every boolean as text. */
CASE(check_10_string_booleans)
{
	begin(tc);
	do_it("POST", NW, "{}");
	check_post(NW, "{\"private\":\"false\"}", "private", "false");
	check_post(NW, "{\"private\":\"true\"}", "private", "true");
	check_post(NW, "{\"enableBroadcast\":\"0\"}", "enableBroadcast",
	    "false");
	check_post(NW, "{\"enableBroadcast\":1}", "enableBroadcast", "true");
	check_post(NW, "{\"v4AssignMode\":{\"zt\":\"true\"}}",
	    "v4AssignMode", "{\"zt\":true}");
	check_post(NW, "{\"v6AssignMode\":{\"zt\":\"true\",\"6plane\":"
	    "\"false\",\"rfc4193\":\"true\"}}", "v6AssignMode",
	    "{\"zt\":true,\"6plane\":false,\"rfc4193\":true}");
	check_post(MEMBER, "{\"authorized\":\"true\"}", "authorized",
	    "true");
	check_post(MEMBER, "{\"activeBridge\":\"true\"}", "activeBridge",
	    "true");
	check_post(MEMBER, "{\"authorized\":\"false\"}", "authorized",
	    "false");
	check_refused(400, "POST", MEMBER, "{\"authorized\":\"yes\"}",
	    "authorized", "true or false");
	end();
}

/* The tutorial and the pfSense package. */
CASE(check_11_assign_modes)
{
	begin(tc);
	check_post(NW, "{\"v4AssignMode\":\"zt\"}", "v4AssignMode",
	    "{\"zt\":true}");
	check_post(NW, "{\"v4AssignMode\":\"none\"}", "v4AssignMode",
	    "{\"zt\":false}");
	check_post(NW, "{\"v6AssignMode\":\"6plane,zt\"}", "v6AssignMode",
	    "{\"zt\":true,\"6plane\":true,\"rfc4193\":false}");
	check_post(NW, "{\"v6AssignMode\":[{\"zt\":true}]}", "v6AssignMode",
	    "{\"zt\":false,\"6plane\":false,\"rfc4193\":false}");
	end();
}

CASE(check_12_routes)
{
	begin(tc);
	check_post(NW, "{\"routes\":[{\"target\":\"10.0.0.0/8\",\"via\":null},"
	    "{\"target\":\"10.1.0.0/16\"},{\"target\":\"10.2.0.0/16\","
	    "\"via\":\"\"},{\"target\":\"0.0.0.0/0\",\"via\":\"10.0.0.1\","
	    "\"flags\":0,\"metric\":0}]}", "routes", "["
	    "{\"target\":\"10.0.0.0/8\",\"via\":null},"
	    "{\"target\":\"10.1.0.0/16\",\"via\":null},"
	    "{\"target\":\"10.2.0.0/16\",\"via\":null},"
	    "{\"target\":\"0.0.0.0/0\",\"via\":\"10.0.0.1\"}]");
	/* A form with an empty line. */
	check_post(NW, "{\"routes\":[{\"target\":\"\",\"via\":\"\"},"
	    "{\"target\":\"fd00::/8\"}]}", "routes",
	    "[{\"target\":\"fd00::/8\",\"via\":null}]");
	check_refused(400, "POST", NW, "{\"routes\":[{\"target\":"
	    "\"10.0.0.0/8\"},{\"target\":\"10.0.0\"}]}", "routes[1].target",
	    "address");
	check_refused(400, "POST", NW, "{\"routes\":[{\"target\":"
	    "\"10.0.0.0/8\",\"via\":\"fd00::1\"}]}", "routes[0].via",
	    "family");
	end();
}

/* 1.12.1 made it an array, and broke three programs. */
CASE(check_13_member_list)
{
	json_t	*v;

	begin(tc);
	do_it("POST", NW, "{}");
	v = good("GET", NW "/member", NULL);
	ATF_CHECK(json_is_object(v) && json_object_size(v) == 0);
	json_decref(v);
	do_it("POST", MEMBER, "{}");
	do_it("POST", NW "/member/AABBCCDDEE", "{}");
	v = good("GET", NW "/member", NULL);
	ATF_CHECK(json_is_object(v) && json_object_size(v) == 2);
	check_is(v, "1122334455", "1");
	check_is(v, "aabbccddee", "1");
	json_decref(v);
	end();
}

/* ztnet fetches a member only when this number has changed. */
CASE(check_14_revision)
{
	static const char *const changes[] = { "{\"authorized\":true}",
	    "{\"name\":\"x\"}", "{\"activeBridge\":true}",
	    "{\"ipAssignments\":[\"10.0.0.1\"]}", "{\"tags\":[[1,2]]}",
	    "{\"capabilities\":[1]}", "{\"noAutoAssignIps\":true}",
	    "{\"remoteTraceTarget\":\"1122334455\",\"remoteTraceLevel\":10}",
	    "{\"authorized\":false,\"name\":\"y\"}" };
	json_t	*v;
	char	 text[24];
	size_t	 i;

	begin(tc);
	do_it("POST", NW, "{}");
	do_it("POST", MEMBER, "{}");
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		do_it("POST", MEMBER, changes[i]);
		do_it("POST", MEMBER, changes[i]);
		do_it("POST", MEMBER, "{}");
		check_refused(400, "POST", MEMBER, "{\"name\":\"no\","
		    "\"tags\":[1]}", "tags[0]", "id");
		ATF_CHECK_EQ(revision(MEMBER), (int64_t)i + 2);
		v = good("GET", NW "/member", NULL);
		snprintf(text, sizeof(text), "%zu", i + 2);
		check_is(v, "1122334455", text);
		json_decref(v);
	}
	/* The network's own does not move with its members. */
	ATF_CHECK_EQ(revision(NW), 1);
	end();
}

/* ztncui sets a property on the answer of a DELETE. */
CASE(check_15_delete)
{
	json_t	*v;

	begin(tc);
	do_it("POST", NW, "{\"name\":\"n\"}");
	do_it("POST", MEMBER, "{}");
	v = good("DELETE", MEMBER, NULL);
	check_is(v, "id", "\"1122334455\"");
	json_decref(v);
	check_refused(404, "DELETE", MEMBER, NULL, "1122334455",
	    "no member");
	v = good("DELETE", NW, NULL);
	check_is(v, "name", "\"n\"");
	check_is(v, "nwid", "\"" OWN "000001\"");
	json_decref(v);
	check_refused(404, "DELETE", NW, NULL, OWN "000001", "no network");
	end();
}

CASE(check_16_member_before_it_asks)
{
	begin(tc);
	check_refused(404, "POST", MEMBER, "{\"authorized\":true}",
	    OWN "000001", "no network");
	do_it("POST", NW, "{}");
	check_post(MEMBER, "{\"authorized\":true}",
	    "lastAuthorizedCredentialType", "\"api\"");
	end();
}

/* ZeroUI sends both at once: whichever comes first, nothing is left over. */
CASE(check_17_delete_and_post)
{
	static const char	 reset[] = "{\"authorized\":false,"
	    "\"ipAssignments\":[],\"capabilities\":[],\"tags\":[]}";
	json_t			*v;

	begin(tc);
	do_it("POST", NW, "{}");
	do_it("POST", MEMBER, "{\"authorized\":true,\"ipAssignments\":"
	    "[\"10.0.0.1\"],\"name\":\"x\"}");
	do_it("DELETE", MEMBER, NULL);
	v = good("POST", MEMBER, reset);
	check_is(v, "authorized", "false");
	check_is(v, "revision", "1");
	ATF_CHECK(json_object_get(v, "name") == NULL);
	json_decref(v);
	do_it("POST", MEMBER, "{\"authorized\":true}");
	do_it("POST", MEMBER, reset);
	do_it("DELETE", MEMBER, NULL);
	v = good("GET", NW "/member", NULL);
	ATF_CHECK_EQ(json_object_size(v), 0);
	json_decref(v);
	ATF_CHECK(access(world_path(w, "network/" OWN "000001/member/"
	    "1122334455.json"), F_OK) == -1);
	end();
}

/* Both ways of making a network, and all that its answer has. */
CASE(check_18_new_networks)
{
	static const char *const keys[] = { "name", "enableBroadcast", "mtu",
	    "dns", "private", "ipAssignmentPools", "v4AssignMode",
	    "v6AssignMode", "multicastLimit", "routes", "id", "nwid",
	    "creationTime", "objtype", "revision", "capabilities", "rules",
	    "tags", "remoteTraceTarget", "remoteTraceLevel", "authTokens",
	    "ssoEnabled", "rulesSource" };
	static const char *const paths[] = { "/controller/network",
	    "/controller/network/" OWN "______" };
	const char	*id;
	json_t		*v;
	size_t		 i, j;

	begin(tc);
	for (i = 0; i < 4; i++) {
		v = good(i < 2 ? "POST" : "PUT", paths[i % 2],
		    "{\"name\":\"x\"}");
		for (j = 0; j < sizeof(keys) / sizeof(keys[0]); j++)
			ATF_CHECK_MSG(json_object_get(v, keys[j]) != NULL,
			    "%s", keys[j]);
		id = vectors_str(v, "id");
		ATF_CHECK(strlen(id) == 16 && strncmp(id, OWN, 10) == 0);
		ATF_CHECK_STREQ(id, vectors_str(v, "nwid"));
		json_decref(v);
	}
	v = good("GET", "/controller/network", NULL);
	ATF_CHECK_EQ(json_array_size(v), 4);
	json_decref(v);
	check_refused(400, "POST", "/controller/network/1122334455______",
	    "{}", "begin with", OWN);
	check_refused(404, "POST", "/controller/network/" OWN "_____",
	    "{}", "16 hex", "");
	check_refused(400, "POST", "/controller/network/0000000000000000",
	    "{}", "id 0", "");
	check_refused(400, "POST", NW, "{\"name\":[]}", "name", "text");
	end();
}

CASE(check_19_partial)
{
	json_t	*v;

	begin(tc);
	do_it("POST", NW, "{\"name\":\"n\",\"mtu\":1500,\"private\":false,"
	    "\"routes\":[{\"target\":\"10.0.0.0/8\"},"
	    "{\"target\":\"10.1.0.0/16\"}]}");
	v = good("POST", NW, "{\"routes\":[{\"target\":\"fd00::/8\"}]}");
	check_is(v, "routes", "[{\"target\":\"fd00::/8\",\"via\":null}]");
	check_is(v, "name", "\"n\"");
	check_is(v, "mtu", "1500");
	check_is(v, "private", "false");
	json_decref(v);
	/* A refusal changes nothing, not even what was right in it. */
	check_refused(400, "POST", NW, "{\"name\":\"m\",\"mtu\":\"big\"}",
	    "mtu", "number");
	check_post(NW, "{}", "name", "\"n\"");
	/* Kept, though the original forgets it. */
	do_it("POST", NW, "{\"remoteTraceLevel\":10}");
	check_post(NW, "{\"mtu\":1400}", "remoteTraceLevel", "10");
	do_it("POST", MEMBER, "{\"remoteTraceLevel\":15}");
	check_post(MEMBER, "{\"name\":\"x\"}", "remoteTraceLevel", "15");
	end();
}

CASE(check_20_not_found)
{
	begin(tc);
	check_refused(404, "GET", NW, NULL, "no network", OWN "000001");
	check_refused(404, "GET", NW "/member", NULL, "no network", "");
	check_refused(404, "GET", MEMBER, NULL, "no network", "");
	check_refused(404, "GET", "/unstable" NW "/member", NULL,
	    "no network", "");
	do_it("POST", NW, "{}");
	check_refused(404, "GET", MEMBER, NULL, "no member", "1122334455");
	check_refused(404, "GET", NW "/nothing", NULL, "path", "");
	check_refused(404, "GET", "/controller/nothing", NULL, "path", "");
	check_refused(404, "GET", NW "/member/xyz", NULL, "10 hex", "");
	check_refused(404, "POST", "/controller", "{}", "method", "");
	check_refused(404, "DELETE", "/controller/network", NULL, "method",
	    "");
	check_refused(404, "POST", NW "/member", "{}", "method", "");
	check_refused(404, "PATCH", NW, "{}", "method", "");
	check_refused(404, "POST", "/unstable/controller/network", "{}",
	    "method", "");
	end();
}

/* An object once set, an empty list until then, which may come back. */
CASE(check_21_dns)
{
	begin(tc);
	check_post(NW, "{}", "dns", "[]");
	check_post(NW, "{\"dns\":[]}", "dns", "[]");
	check_post(NW, "{\"dns\":{\"domain\":\"a.test\",\"servers\":"
	    "[\"10.0.0.1\"]}}", "dns",
	    "{\"domain\":\"a.test\",\"servers\":[\"10.0.0.1\"]}");
	check_post(NW, "{\"dns\":[]}", "dns",
	    "{\"domain\":\"a.test\",\"servers\":[\"10.0.0.1\"]}");
	/* An empty form. */
	check_post(NW, "{\"dns\":{\"domain\":\"\",\"servers\":[\"\"]}}",
	    "dns", "{\"domain\":\"\",\"servers\":[\"\"]}");
	check_refused(400, "POST", NW, "{\"dns\":{\"servers\":[\"x\"]}}",
	    "dns.servers[0]", "address");
	end();
}

CASE(check_22_addresses)
{
	begin(tc);
	do_it("POST", NW, "{}");
	check_post(MEMBER, "{\"ipAssignments\":[\"10.0.0.1/24\","
	    "\"FD00:0000:0000:0000:0000:0000:0000:0001\"]}",
	    "ipAssignments", "[\"10.0.0.1\",\"fd00::1\"]");
	check_refused(400, "POST", MEMBER, "{\"ipAssignments\":"
	    "[\"10.0.0.1\",\"10.0.0.300\"]}", "ipAssignments[1]", "address");
	end();
}

CASE(check_29_status)
{
	json_t	*v;

	begin(tc);
	v = good("GET", "/controller", NULL);
	check_is(v, "controller", "true");
	check_is(v, "apiVersion", "4");
	check_is(v, "databaseReady", "true");
	ATF_CHECK(json_integer_value(json_object_get(v, "clock")) ==
	    w->w_now);
	json_decref(v);
	end();
}

/* The acceptance list of the official description, and its two lists. */
CASE(section_7_2_official)
{
	static const char *const keys[] = { "id", "address",
	    "authenticationExpiryTime", "capabilities", "creationTime",
	    "lastAuthorizedCredential", "lastAuthorizedCredentialType",
	    "lastAuthorizedTime", "lastDeauthorizedTime", "nwid", "objtype",
	    "remoteTraceLevel", "remoteTraceTarget", "revision", "tags",
	    "vMajor", "vMinor", "vProto", "vRev", "authorized",
	    "activeBridge", "ipAssignments", "noAutoAssignIps",
	    "ssoExempt" };
	json_t	*v, *e;
	size_t	 i;

	begin(tc);
	do_it("POST", NW, "{}");
	v = good("POST", MEMBER, "{\"name\":\"x\",\"authorized\":true}");
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		ATF_CHECK_MSG(json_object_get(v, keys[i]) != NULL, "%s",
		    keys[i]);
	json_decref(v);
	do_it("POST", NW "/member/2233445566", "{}");
	v = good("GET", "/unstable/controller/network", NULL);
	check_is(v, "meta", "{\"networkCount\":1}");
	e = json_array_get(json_object_get(v, "data"), 0);
	check_is(e, "id", "\"" OWN "000001\"");
	check_is(e, "meta", "{\"authorizedMemberCount\":1,"
	    "\"totalMemberCount\":2}");
	json_decref(v);
	v = good("GET", "/unstable" NW "/member", NULL);
	check_is(v, "meta", "{\"authorizedCount\":1,\"totalCount\":2}");
	ATF_CHECK_EQ(json_array_size(json_object_get(v, "data")), 2);
	json_decref(v);
	end();
}

/* A whole form of the pfSense package. */
CASE(section_4_6_pfsense)
{
	json_t	*v;

	begin(tc);
	v = good("POST", "/controller/network/" OWN "abc123",
	    "{\"name\":\"n\",\"private\":\"true\",\"enableBroadcast\":true,"
	    "\"v4AssignMode\":\"zt\",\"v6AssignMode\":[{\"zt\":false}],"
	    "\"multicastLimit\":\"32\",\"routes\":[{\"target\":\"\","
	    "\"via\":\"\"}],\"rules\":[{\"etherType\":2048,\"not\":true,"
	    "\"or\":false,\"type\":\"MATCH_ETHERTYPE\"},"
	    "{\"type\":\"ACTION_DROP\"},{\"type\":\"ACTION_ACCEPT\"}],"
	    "\"ipAssignmentPools\":[{\"ipRangeStart\":\"10.0.0.1\","
	    "\"ipRangeEnd\":\"10.0.0.9\"},{\"ipRangeStart\":\"\","
	    "\"ipRangeEnd\":\"\"}],\"allowPassiveBridging\":false}");
	check_is(v, "multicastLimit", "32");
	check_is(v, "routes", "[]");
	ATF_CHECK_EQ(json_array_size(json_object_get(v, "rules")), 3);
	ATF_CHECK_EQ(json_array_size(json_object_get(v,
	    "ipAssignmentPools")), 1);
	ATF_CHECK(json_object_get(v, "allowPassiveBridging") == NULL);
	json_decref(v);
	end();
}

/* zerotier-edge keeps files of its own among ours. */
CASE(section_4_4_other_files)
{
	static const char *const files[] = {
	    "network/" OWN "000001.ext.json",
	    "network/" OWN "000001/member/1122334455.ext.json" };
	FILE	*fp;
	size_t	 i;

	begin(tc);
	do_it("POST", NW, "{}");
	do_it("POST", MEMBER, "{}");
	for (i = 0; i < 2; i++) {
		fp = fopen(world_path(w, files[i]), "w");
		ATF_REQUIRE(fp != NULL);
		fputs("{}", fp);
		fclose(fp);
	}
	do_it("POST", NW, "{\"name\":\"x\"}");
	do_it("POST", MEMBER, "{\"name\":\"x\"}");
	do_it("DELETE", MEMBER, NULL);
	do_it("DELETE", NW, NULL);
	for (i = 0; i < 2; i++)
		ATF_CHECK(access(world_path(w, files[i]), F_OK) == 0);
	end();
}

/* ---- limits, and what no program depends on ------------------------------ */

/* {"key": [e, e, ...]} with n elements, to be freed. */
static char *
many(const char *key, const char *e, unsigned n)
{
	char		*text, *p;
	unsigned	 i;

	text = p = malloc(strlen(key) + n * (strlen(e) + 1) + 16);
	ATF_REQUIRE(text != NULL);
	p += sprintf(p, "{\"%s\":[", key);
	for (i = 0; i < n; i++) {
		p = stpcpy(p, e);
		*p++ = i + 1 < n ? ',' : ' ';
	}
	strcpy(p, "]}");
	return (text);
}

static void
check_limit(const char *path, const char *key, const char *e, unsigned max)
{
	char	*text, limit[32];

	text = many(key, e, max);
	do_it("POST", path, text);
	free(text);
	text = many(key, e, max + 1);
	snprintf(limit, sizeof(limit), "limit is %u", max);
	check_refused(400, "POST", path, text, key, limit);
	free(text);
}

CASE(limits)
{
	char	*text, *cap;

	begin(tc);
	do_it("POST", NW, "{}");
	check_limit(NW, "routes", "{\"target\":\"10.0.0.0/8\"}", 128);
	check_limit(NW, "rules", "{\"type\":\"ACTION_ACCEPT\"}", 1024);
	check_limit(NW, "tags", "{\"id\":1}", 16384);
	check_limit(NW, "capabilities", "{\"id\":1}", 16384);
	check_limit(NW, "ipAssignmentPools", "{\"ipRangeStart\":\"1.1.1.1\","
	    "\"ipRangeEnd\":\"1.1.1.2\"}", 16384);
	check_limit(MEMBER, "ipAssignments", "\"10.0.0.1\"", 32);
	check_limit(MEMBER, "tags", "[1,2]", 128);
	check_limit(MEMBER, "capabilities", "1", 128);
	text = many("rules", "{\"type\":\"ACTION_ACCEPT\"}", 65);
	ATF_REQUIRE(asprintf(&cap, "{\"capabilities\":[%s]}", text) != -1);
	check_refused(400, "POST", NW, cap, "capabilities[0].rules",
	    "limit is 64");
	free(cap);
	free(text);
	check_refused(400, "POST", NW, "{\"dns\":{\"servers\":[\"1.1.1.1\","
	    "\"1.1.1.2\",\"1.1.1.3\",\"1.1.1.4\",\"1.1.1.5\"]}}",
	    "dns.servers", "limit is 4");
	ATF_REQUIRE(asprintf(&text, "{\"dns\":{\"domain\":\"%0128d\"}}", 0) !=
	    -1);
	check_refused(400, "POST", NW, text, "dns.domain", "limit is 127");
	free(text);
	text = malloc(1100000);
	memset(text, ' ', 1100000);
	text[1100000 - 1] = '\0';
	check_refused(413, "POST", NW, text, "body", "limit");
	free(text);
	end();
}

/* Path below which it is posted, body, and what the answer names. */
CASE(mistakes)
{
	static const char *const all[][3] = {
		{ NW, "{\"private\":[]}", "private" },
		{ NW, "{\"enableBroadcast\":\"on\"}", "enableBroadcast" },
		{ NW, "{\"mtu\":{}}", "mtu" },
		{ NW, "{\"mtu\":-5}", "mtu" },
		{ NW, "{\"multicastLimit\":4294967296}", "multicastLimit" },
		{ NW, "{\"multicastLimit\":18446744073709551616}",
		    "multicastLimit" },
		{ NW, "{\"remoteTraceTarget\":\"me\"}", "remoteTraceTarget" },
		{ NW, "{\"remoteTraceLevel\":\"high\"}", "remoteTraceLevel" },
		{ NW, "{\"v4AssignMode\":{\"zt\":\"maybe\"}}",
		    "v4AssignMode.zt" },
		{ NW, "{\"v6AssignMode\":{\"6plane\":{}}}",
		    "v6AssignMode.6plane" },
		{ NW, "{\"routes\":\"10.0.0.0/8\"}", "routes" },
		{ NW, "{\"routes\":[\"10.0.0.0/8\"]}", "routes[0]" },
		{ NW, "{\"routes\":[{\"target\":\"10.1.1.1\"}]}",
		    "routes[0].target" },
		{ NW, "{\"routes\":[{\"target\":\"10.0.0.0/33\"}]}",
		    "routes[0].target" },
		{ NW, "{\"ipAssignmentPools\":[{\"ipRangeStart\":\"10.0.0.9\","
		    "\"ipRangeEnd\":\"10.0.0.1\"}]}",
		    "ipAssignmentPools[0].ipRangeEnd" },
		{ NW, "{\"ipAssignmentPools\":[{\"ipRangeStart\":"
		    "\"10.0.0.9\"}]}", "ipAssignmentPools[0].ipRangeEnd" },
		{ NW, "{\"rules\":{}, \"tags\":7}", "tags" },
		{ NW, "{\"rules\":[{\"type\":\"MATCH_BOGUS\"}]}",
		    "rules[0].type" },
		{ NW, "{\"rules\":[{\"type\":\"INTEGER_RANGE\",\"start\":1,"
		    "\"end\":2,\"bits\":8}]}", "rules[0].type" },
		{ NW, "{\"rules\":[{\"type\":\"ACTION_ACCEPT\"},7]}",
		    "rules[1]" },
		{ NW, "{\"rules\":[{\"type\":\"MATCH_ETHERTYPE\","
		    "\"etherType\":\"0x0800\"}]}", "rules[0].etherType" },
		{ NW, "{\"rules\":[{\"type\":\"MATCH_ETHERTYPE\","
		    "\"etherType\":65536}]}", "rules[0].etherType" },
		{ NW, "{\"rules\":[{\"type\":\"MATCH_IPV4_DEST\"}]}",
		    "rules[0].ip" },
		{ NW, "{\"rules\":[{\"type\":\"MATCH_IPV4_DEST\","
		    "\"ip\":\"10.0.0.1/256\"}]}", "rules[0].ip" },
		{ NW, "{\"rules\":[{\"type\":\"MATCH_MAC_DEST\","
		    "\"mac\":\"1:2:3:4:5:6\"}]}", "rules[0].mac" },
		{ NW, "{\"rules\":[{\"type\":\"ACTION_REDIRECT\","
		    "\"zt\":\"1122334455\"}]}", "rules[0].address" },
		{ NW, "{\"rules\":[{\"type\":\"MATCH_CHARACTERISTICS\","
		    "\"mask\":true}]}", "rules[0].mask" },
		{ NW, "{\"rules\":[{\"type\":\"MATCH_FRAME_SIZE_RANGE\","
		    "\"start\":9,\"end\":8}]}", "rules[0].end" },
		{ NW, "{\"capabilities\":[{\"id\":1,\"rules\":[{}]}]}",
		    "capabilities[0].rules[0].type" },
		{ NW, "{\"capabilities\":[{\"id\":\"one\"}]}",
		    "capabilities[0].id" },
		{ NW, "{\"tags\":[{\"id\":1,\"default\":\"x\"}]}",
		    "tags[0].default" },
		{ NW, "{\"dns\":\"10.0.0.1\"}", "dns" },
		{ NW, "{\"dns\":{\"domain\":5}}", "dns.domain" },
		{ NW, "{\"authTokens\":{\"a\":\"0\"}}", "authTokens" },
		{ NW, "{\"authTokens\":[{\"token\":\"a\"}]}", "authTokens" },
		{ MEMBER, "{\"name\":{}}", "name" },
		{ MEMBER, "{\"authorized\":[]}", "authorized" },
		{ MEMBER, "{\"authenticationExpiryTime\":-1}",
		    "authenticationExpiryTime" },
		{ MEMBER, "{\"ipAssignments\":\"10.0.0.1\"}",
		    "ipAssignments" },
		{ MEMBER, "{\"ipAssignments\":[7]}", "ipAssignments[0]" },
		{ MEMBER, "{\"tags\":[[1,2],[1]]}", "tags[1]" },
		{ MEMBER, "{\"tags\":[[4294967296,0]]}", "tags[0].id" },
		{ MEMBER, "{\"capabilities\":[1,null]}", "capabilities[1]" },
		{ MEMBER, "{\"capabilities\":[\"x\"]}", "capabilities[0]" }
	};
	size_t	 i;

	begin(tc);
	do_it("POST", NW, "{}");
	do_it("POST", MEMBER, "{}");
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		check_refused(400, "POST", all[i][0], all[i][1], all[i][2],
		    ": ");
	ATF_CHECK_EQ(revision(NW), 1);
	ATF_CHECK_EQ(revision(MEMBER), 1);
	/* Numbers with a sign, as JavaScript's operators leave them. */
	check_post(NW, "{\"rules\":[{\"type\":\"MATCH_TAGS_EQUAL\",\"id\":1,"
	    "\"value\":-2147483648}]}", "rules", "[{\"id\":1,\"not\":false,"
	    "\"or\":false,\"type\":\"MATCH_TAGS_EQUAL\","
	    "\"value\":2147483648}]");
	check_post(MEMBER, "{\"tags\":[[1,-1]]}", "tags",
	    "[[1,4294967295]]");
	end();
}

/* What was taken over from another controller can be sent back as it is. */
CASE(taken_over)
{
	static const char	 text[] = "{\"id\":\"" OWN "000001\","
	    "\"nwid\":\"" OWN "000001\",\"mtu\":2800,\"multicastLimit\":-1,"
	    "\"routes\":[{\"target\":\"10.1.1.1/0\",\"via\":\"0.0.0.0\"}],"
	    "\"ipAssignmentPools\":[{\"ipRangeStart\":\"10.0.0.9\","
	    "\"ipRangeEnd\":\"10.0.0.1\"}],\"rules\":[{\"type\":\"BOGUS\"}],"
	    "\"dns\":{\"domain\":5,\"servers\":[7]},\"extra\":1,"
	    "\"remoteTraceTarget\":\"ZZZZZZZZZZ\",\"authTokens\":[7]}";
	json_t	*v, *o;
	char	*all;
	size_t	 len;

	begin(tc);
	v = world_json(text);
	ATF_REQUIRE_EQ(store_load_network(&w->w_con, 0x95841e6527000001ULL,
	    v), 0);
	v = good("GET", NW, NULL);
	check_is(v, "multicastLimit", "-1");
	all = value_format(v, &len);
	o = good("POST", NW, all);
	check_is(o, "routes", "[{\"target\":\"10.1.1.1/0\","
	    "\"via\":\"0.0.0.0\"}]");
	check_is(o, "dns", "{\"domain\":5,\"servers\":[7]}");
	check_is(o, "extra", "1");
	check_is(o, "private", "true");
	free(all);
	json_decref(o);
	json_decref(v);
	end();
}

/* ---- members that ask ---------------------------------------------------- */

#define META	"v=7\nmajv=1\nminv=e\nrevv=1\npv=c\nrevr=1"

static void
member_asks(const struct identity *id, const char *from)
{
	struct inet_addr	ia;

	memset(&ia, 0, sizeof(ia));
	if (from != NULL)
		ATF_REQUIRE_EQ(inet_parse(from, &ia), 0);
	w->w_now += 2000;
	world_forget(w);
	request_receive(&w->w_con, w->w_now, 0x95841e6527000001ULL, 99, id,
	    META, sizeof(META) - 1);
	active_note(&w->w_con, 0x95841e6527000001ULL, id->id_addr, &ia);
}

/* Who is there, since when, from where; gone when silent or deleted. */
CASE(active)
{
	struct identity	 id;
	json_t		*v, *e;

	begin(tc);
	id = w->w_con.c_id;
	id.id_addr = 0x1122334455ULL;
	check_refused(404, "GET", NW "/active", NULL, "no network", "");
	do_it("POST", NW, "{}");
	v = good("GET", NW "/active", NULL);
	ATF_CHECK_EQ(json_object_size(v), 0);
	json_decref(v);

	member_asks(&id, "192.0.2.1/9993");
	v = good("GET", NW "/active", NULL);
	e = json_object_get(v, "1122334455");
	check_is(e, "auth", "false");
	check_is(e, "authBy", "\"\"");
	check_is(e, "vMajor", "-1");
	check_is(e, "fromAddr", "\"192.0.2.1/9993\"");
	json_decref(v);

	do_it("POST", MEMBER, "{\"authorized\":true}");
	member_asks(&id, NULL);
	v = good("GET", NW "/active", NULL);
	e = json_object_get(v, "1122334455");
	check_is(e, "auth", "true");
	check_is(e, "authBy", "\"memberIsAuthorized\"");
	check_is(e, "vMajor", "1");
	check_is(e, "vMinor", "14");
	check_is(e, "vProto", "12");
	check_is(e, "fromAddr", "null");
	ATF_CHECK_EQ(json_array_size(json_object_get(e, "recentLog")), 2);
	check_is(json_array_get(json_object_get(e, "recentLog"), 1),
	    "fromAddr", "\"192.0.2.1/9993\"");
	json_decref(v);

	w->w_now += 130000;
	v = good("GET", NW "/active", NULL);
	ATF_CHECK_EQ(json_object_size(v), 0);
	json_decref(v);
	member_asks(&id, NULL);
	do_it("DELETE", MEMBER, NULL);
	v = good("GET", NW "/active", NULL);
	ATF_CHECK_EQ(json_object_size(v), 0);
	json_decref(v);
	end();
}

/* Another identity with the address of a member is not that member. */
CASE(identity_collision)
{
	struct identity	 id, other;
	json_t		*v, *u;

	begin(tc);
	do_it("POST", NW, "{}");
	do_it("POST", MEMBER, "{\"authorized\":true}");
	id = w->w_con.c_id;
	id.id_addr = 0x1122334455ULL;
	other = id;
	other.id_public[0] ^= 1;
	member_asks(&id, NULL);
	ATF_REQUIRE(w->w_nsent > 0);
	ATF_CHECK_EQ(w->w_sent[0].s_type, SENT_CONFIG);
	v = good("GET", MEMBER, NULL);
	member_asks(&other, NULL);
	ATF_REQUIRE_EQ(w->w_nsent, 1);
	ATF_CHECK_EQ(w->w_sent[0].s_type, SENT_ERROR);
	ATF_CHECK_EQ(w->w_sent[0].s_code, ERR_NETWORK_ACCESS_DENIED);
	u = good("GET", MEMBER, NULL);
	ATF_CHECK(json_equal(u, v));
	json_decref(u);
	json_decref(v);
	/* The way to let it in: forget the member. */
	do_it("DELETE", MEMBER, NULL);
	do_it("POST", MEMBER, "{\"authorized\":true}");
	member_asks(&other, NULL);
	ATF_CHECK_EQ(w->w_sent[w->w_nsent - 1].s_type, SENT_CONFIG);
	end();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, check_05_json_and_200);
	ATF_TP_ADD_TC(tp, check_06_content_type);
	ATF_TP_ADD_TC(tp, check_07_empty_body);
	ATF_TP_ADD_TC(tp, check_08_whole_objects);
	ATF_TP_ADD_TC(tp, check_10_string_booleans);
	ATF_TP_ADD_TC(tp, check_11_assign_modes);
	ATF_TP_ADD_TC(tp, check_12_routes);
	ATF_TP_ADD_TC(tp, check_13_member_list);
	ATF_TP_ADD_TC(tp, check_14_revision);
	ATF_TP_ADD_TC(tp, check_15_delete);
	ATF_TP_ADD_TC(tp, check_16_member_before_it_asks);
	ATF_TP_ADD_TC(tp, check_17_delete_and_post);
	ATF_TP_ADD_TC(tp, check_18_new_networks);
	ATF_TP_ADD_TC(tp, check_19_partial);
	ATF_TP_ADD_TC(tp, check_20_not_found);
	ATF_TP_ADD_TC(tp, check_21_dns);
	ATF_TP_ADD_TC(tp, check_22_addresses);
	ATF_TP_ADD_TC(tp, check_29_status);
	ATF_TP_ADD_TC(tp, section_7_2_official);
	ATF_TP_ADD_TC(tp, section_4_6_pfsense);
	ATF_TP_ADD_TC(tp, section_4_4_other_files);
	ATF_TP_ADD_TC(tp, limits);
	ATF_TP_ADD_TC(tp, mistakes);
	ATF_TP_ADD_TC(tp, taken_over);
	ATF_TP_ADD_TC(tp, active);
	ATF_TP_ADD_TC(tp, identity_collision);
	return (atf_no_error());
}
