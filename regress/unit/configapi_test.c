/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The real ztd-ctl: /config, /config/settings, /ztd/config, /ztd/reload, and
 * the local socket.
 */

#include <sys/stat.h>

#include <string.h>
#include <unistd.h>

#include "regress/lib/ctlworld.h"
#include "regress/lib/replay.h"
#include "regress/lib/vectors.h"

#define TC(name, text)							\
	ATF_TC(name);							\
	ATF_TC_HEAD(name, tc)						\
	{								\
		atf_tc_set_md_var(tc, "descr", text);			\
		atf_tc_set_md_var(tc, "timeout", "60");			\
	}								\
	ATF_TC_BODY(name, tc)

static void
conf(struct ctlworld *w, const char *text)
{
	world_conf(w, text);
}

static void
check(struct ctlworld *w, const char *method, const char *target,
    const char *body, int status, const char *want)
{
	struct answer	 an;

	world_http(w, method, target, NULL, body, &an);
	ATF_CHECK_EQ_MSG(an.an_status, status, "%s %s: %d %s", target, body,
	    an.an_status, an.an_body);
	ATF_CHECK_STREQ(want, an.an_body);
	answer_clear(&an);
}

TC(recorded, "recorded answers of /config")
{
	static const char *const	 names[] = { "config-get-no-local-conf",
	    "config-get-no-auth", "config-post-root", "config-settings-get",
	    "config-settings-post-no-auth", "config-settings-post",
	    "config-settings-array", "config-settings-string",
	    "config-settings-empty-object" };
	struct ctlworld			 w = { 0 };
	struct answer			 an;
	json_t				*all, *vec;
	const char			*name;
	size_t				 i, k, n = 0;

	world_start(&w, tc, false);
	all = vectors_load(tc, "service/http-config.json");
	json_array_foreach(vectors_array(all, "vectors"), i, vec) {
		name = vectors_str(vec, "name");
		for (k = 0; k < sizeof(names) / sizeof(names[0]); k++)
			if (strcmp(name, names[k]) == 0)
				break;
		if (k == sizeof(names) / sizeof(names[0]))
			continue;
		replay(&w, vec, &an);
		replay_check(vec, &an);
		answer_clear(&an);
		n++;
	}
	ATF_CHECK_EQ(n, sizeof(names) / sizeof(names[0]));
	/* What was recorded of the file, byte for byte. */
	ATF_CHECK_STREQ("{\n    \"settings\": {\n"
	    "        \"allowManagementFrom\": [\n"
	    "            \"10.77.0.0/24\"\n        ],\n"
	    "        \"unknownKey\": {\n            \"a\": [\n"
	    "                1,\n                2.5,\n"
	    "                null\n            ]\n        }\n    }\n}",
	    w.w_conf);
	json_decref(all);
	world_stop(&w);
}

TC(merge, "settings are replaced one by one, the rest stays")
{
	struct ctlworld	 w = { 0 };

	world_start(&w, tc, false);
	conf(&w, "{\"virtual\":{},\"settings\":{\"b\":1,\"offload\":true},"
	    "\"x\":[\"\xc3\xa4\"]}");
	check(&w, "PUT", "/config/settings",
	    "{\"offload\":false,\"dnsMode\":null}", 200, "{}");
	ATF_CHECK_STREQ("{\n    \"virtual\": {},\n    \"settings\": {\n"
	    "        \"b\": 1,\n        \"offload\": false,\n"
	    "        \"dnsMode\": null\n    },\n    \"x\": [\n"
	    "        \"\xc3\xa4\"\n    ]\n}", w.w_conf);
	/* Numbers stay what they were. */
	conf(&w, "{\"x\":0.1}");
	check(&w, "POST", "/config/settings", "{\"y\":0.3}", 200, "{}");
	ATF_CHECK_STREQ("{\n    \"x\": 0.1,\n    \"settings\": {\n"
	    "        \"y\": 0.3\n    }\n}", w.w_conf);
	conf(&w, "{\"settings\":null}");
	check(&w, "POST", "/config/settings", "{\"offload\":false}", 200,
	    "{}");
	ATF_CHECK_STREQ("{\n    \"settings\": {\n        \"offload\": false\n"
	    "    }\n}", w.w_conf);
	/* Where the parent has not said otherwise, it is as it was. */
	check(&w, "GET", "/config", NULL, 200, "{\"settings\":null}");
	world_stop(&w);
}

TC(notes, "what the parent says of a change")
{
	struct ctlworld	 w = { 0 };

	world_start(&w, tc, false);
	w.w_notes[NOTE_ODD] = "odd";
	check(&w, "POST", "/config/settings", "{\"x\":1}", 200, "{}");
	w.w_notes[NOTE_RESTART] = "settings.x: later";
	check(&w, "POST", "/config/settings", "{\"x\":1}", 200,
	    "{\"ztd\":{\"restart\":[\"settings.x: later\"]}}");
	w.w_result = 409;
	check(&w, "POST", "/config/settings", "{\"x\":1}", 409,
	    "{\"description\":\"as the test says\",\"error\":409,"
	    "\"message\":\"as the test says\"}");
	w.w_result = 400;
	w.w_notes[NOTE_WRONG] = "line 3, column 14: settings.x: bad";
	check(&w, "POST", "/config/settings", "{\"x\":1}", 400,
	    "{\"description\":\"settings.x: bad\",\"error\":400,"
	    "\"message\":\"settings.x: bad\"}");
	w.w_conf[0] = '\0';
	check(&w, "POST", "/config/settings", "{\"x\":", 500,
	    "{\"description\":\"the body is not valid JSON\",\"error\":500,"
	    "\"message\":\"the body is not valid JSON\"}");
	ATF_CHECK_STREQ("", w.w_conf);
	world_stop(&w);
}

TC(too_long, "a configuration has a limit")
{
	static char	 body[70000];
	struct ctlworld	 w = { 0 };

	world_start(&w, tc, false);
	memset(body, 'a', sizeof(body) - 1);
	memcpy(body, "{\"x\":\"", 6);
	memcpy(body + sizeof(body) - 3, "\"}", 2);
	check(&w, "POST", "/config/settings", body, 413,
	    "{\"description\":\"local.conf would be longer than 65536 "
	    "bytes\",\"error\":413,\"message\":\"local.conf would be longer "
	    "than 65536 bytes\"}");
	world_stop(&w);
}

TC(reload, "/ztd/reload")
{
	struct ctlworld	 w = { 0 };
	struct answer	 an;

	world_start(&w, tc, false);
	check(&w, "POST", "/ztd/reload", NULL, 200,
	    "{\"restart\":[],\"warnings\":[]}");
	ATF_CHECK_EQ(w.w_reloads, 1);
	w.w_notes[NOTE_ODD] = "odd";
	w.w_notes[NOTE_RESTART] = "later";
	check(&w, "POST", "/ztd/reload", "{}", 200,
	    "{\"restart\":[\"later\"],\"warnings\":[\"odd\"]}");
	w.w_result = 400;
	w.w_notes[NOTE_WRONG] = "line 3, column 14: settings.x: bad";
	check(&w, "POST", "/ztd/reload", "{}", 400, "{\"description\":"
	    "\"line 3, column 14: settings.x: bad\",\"error\":400,"
	    "\"message\":\"line 3, column 14: settings.x: bad\"}");
	world_http(&w, "POST", "/ztd/reload", "", "{}", &an);
	ATF_CHECK_EQ(an.an_status, 401);
	answer_clear(&an);
	ATF_CHECK_EQ(w.w_reloads, 3);
	world_stop(&w);
}

TC(effective, "/ztd/config")
{
	struct ctlworld		 w = { 0 };
	struct msg_settings	 ms;
	struct answer		 an;
	json_t			*v;
	const char		*source;
	int			 value;

	world_start(&w, tc, false);
	memset(&ms, 0, sizeof(ms));
	settings_init(&ms.ms_settings);
	ms.ms_settings.s_offload = 0;
	ms.ms_port = 9993;
	world_send(&w, MSG_SETTINGS, &ms, sizeof(ms));
	conf(&w, "{\"settings\":{\"offload\":false}}");
	world_http(&w, "GET", "/ztd/config", NULL, NULL, &an);
	v = json_loads(an.an_body, 0, NULL);
	ATF_REQUIRE_EQ(json_unpack(v, "{s:{s:{s:b,s:s}}}", "settings",
	    "offload", "value", &value, "source", &source), 0);
	ATF_CHECK(!value && strcmp(source, "file") == 0);
	ATF_REQUIRE_EQ(json_unpack(v, "{s:{s:{s:i,s:s}}}", "settings",
	    "primaryPort", "value", &value, "source", &source), 0);
	ATF_CHECK(value == 9993 && strcmp(source, "default") == 0);
	json_decref(v);
	answer_clear(&an);
	world_stop(&w);
}

/* ---- the local socket -------------------------------------------- */

static void
check_local(struct ctlworld *w, const char *header, const char *target,
    int status)
{
	struct answer	 an;
	char		 request[512];

	(void)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n%s"
	    "Connection: close\r\n\r\n", target, header);
	world_raw(w, NULL, request, &an);
	ATF_CHECK_EQ_MSG(an.an_status, status, "%s %s: %d", target, header,
	    an.an_status);
	if (status == 403)
		ATF_CHECK_MSG(strstr(an.an_body, "is not root and not in "
		    "group _ztd") != NULL, "%s", an.an_body);
	answer_clear(&an);
}

TC(local_nobody, "the local socket obeys nobody before it is said whom")
{
	struct ctlworld		 w = { 0 };
	struct msg_operators	 mo;

	world_start(&w, tc, false);
	/* The owner is somebody else, and we are a process of ztd's. */
	memset(&mo, 0xff, sizeof(mo));
	mo.mo_nuids = 1;
	mo.mo_uids[0] = mo.mo_owner = mo.mo_ours[PROC_NET] = geteuid();
	mo.mo_gid = getegid();
	world_local(&w, &mo);
	check_local(&w, "", "/config", 403);
	check_local(&w, "", "/config?auth=wrongwrongwrongwrong", 403);
	check_local(&w, "X-ZT1-Auth: " WORLD_METRICS "\r\n", "/config", 403);
	check_local(&w, "X-ZT1-Auth: " WORLD_TOKEN "\r\n", "/config", 200);
	check_local(&w, "", "/nowhere", 403);
	world_stop(&w);
}

TC(local_operators, "root, whoever owns it, a member by name or by group")
{
	struct ctlworld		 w = { 0 };
	struct msg_operators	 mo;

	world_start(&w, tc, false);
	memset(&mo, 0xff, sizeof(mo));
	mo.mo_nuids = 0;
	mo.mo_owner = geteuid();
	world_local(&w, &mo);
	check_local(&w, "", "/config", 200);
	/* Who needs none may bring any. */
	check_local(&w, "X-ZT1-Auth: wrong\r\n", "/config", 200);
	check_local(&w, "", "/nowhere", 404);
	if (geteuid() != 0) {
		mo.mo_owner = (uint32_t)-1;
		mo.mo_nuids = 1;
		mo.mo_uids[0] = geteuid();
		world_send(&w, MSG_OPERATORS, &mo, sizeof(mo));
		check_local(&w, "", "/config", 200);
		mo.mo_nuids = 0;
		world_send(&w, MSG_OPERATORS, &mo, sizeof(mo));
		check_local(&w, "", "/config", 403);
		mo.mo_gid = getegid();
		world_send(&w, MSG_OPERATORS, &mo, sizeof(mo));
		check_local(&w, "", "/config", 200);
	}
	world_stop(&w);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, recorded);
	ATF_TP_ADD_TC(tp, merge);
	ATF_TP_ADD_TC(tp, notes);
	ATF_TP_ADD_TC(tp, too_long);
	ATF_TP_ADD_TC(tp, reload);
	ATF_TP_ADD_TC(tp, effective);
	ATF_TP_ADD_TC(tp, local_nobody);
	ATF_TP_ADD_TC(tp, local_operators);
	return (atf_no_error());
}
