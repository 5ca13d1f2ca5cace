/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The examples of ztd-rules(5) as they stand in the page, posted to a
 * controller, which has to keep all of them and to send them to a member.
 */

#include <ctype.h>

#include "common/rules.h"
#include "regress/wire/controller.h"
#include "ztd-controller/rulejson.h"

#define PAGE	"../../man/ztd-rules.5"		/* from the vectors */
#define NETWORK	"/network/ac3ec4d26700abcd"
#define MEMBER	NETWORK "/member/1122334455"
#define EXAMPLES 6

static FILE *
page_open(const atf_tc_t *tc)
{
	char	 path[1024];
	FILE	*f;

	(void)snprintf(path, sizeof(path), "%s/../vectors/" PAGE,
	    atf_tc_get_config_var(tc, "srcdir"));
	ATF_REQUIRE_MSG((f = fopen(path, "r")) != NULL, "%s", path);
	return (f);
}

/* The next display that is JSON, to be freed; NULL: there is none. */
static char *
example_next(FILE *f)
{
	char	*text = NULL, line[256];
	size_t	 size = 0;
	bool	 in = false;
	FILE	*out = NULL;

	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, ".Ed", 3) == 0 && in)
			break;
		if (strncmp(line, ".Bd", 3) == 0) {
			in = true;
			ATF_REQUIRE((out = open_memstream(&text, &size)) !=
			    NULL);
		} else if (in)
			ATF_REQUIRE(fputs(line, out) >= 0);
	}
	if (out != NULL)
		ATF_REQUIRE_EQ(fclose(out), 0);
	return (text);
}

static json_t *
post(struct world *w, const char *path, const char *body)
{
	unsigned	 code;
	json_t		*v;
	char		*out;

	code = world_api(w, "POST", path, body, &out);
	ATF_REQUIRE_EQ_MSG(code, 200, "%u %s: %s", code, out, body);
	ATF_REQUIRE((v = json_loads(out, 0, NULL)) != NULL);
	free(out);
	return (v);
}

/* All that was posted is there; what was left out may have been added. */
static void
check_kept(const json_t *want, const json_t *got, const char *where)
{
	const char	*key;
	json_t		*v, *have;
	size_t		 i;

	if (json_is_object(want)) {
		json_object_foreach((json_t *)(uintptr_t)want, key, v) {
			have = json_object_get(got, key);
			ATF_REQUIRE_MSG(have != NULL, "%s: no %s", where,
			    key);
			check_kept(v, have, key);
		}
	} else if (json_is_array(want)) {
		ATF_REQUIRE_EQ_MSG(json_array_size(want),
		    json_array_size(got), "%s", where);
		json_array_foreach(want, i, v)
			check_kept(v, json_array_get(got, i), where);
	} else
		ATF_CHECK_MSG(json_equal(want, got), "%s is another", where);
}

/* As the members will have them: none is left out. */
static void
check_compiled(const json_t *rules)
{
	struct rule	 r[RULES_MAX];

	ATF_CHECK_EQ(json_array_size(rules), rulejson_compile(rules, r,
	    RULES_MAX));
}

ATF_TC_WITHOUT_HEAD(rules);
ATF_TC_BODY(rules, tc)
{
	struct world	*w;
	json_error_t	 error;
	json_t		*want, *got, *cap;
	unsigned	 n = 0;
	size_t		 i;
	char		*text;
	FILE		*f = page_open(tc);

	w = world_new();
	w->w_now = 1700000000000;
	world_start_recorded(w, tc);
	json_decref(post(w, NETWORK, "{}"));
	while ((text = example_next(f)) != NULL) {
		n++;
		want = json_loads(text, 0, &error);
		ATF_REQUIRE_MSG(want != NULL, "%s: %s", error.text, text);
		got = post(w, json_object_get(want, "authorized") != NULL ?
		    MEMBER : NETWORK, text);
		check_kept(want, got, "the example");
		if (json_object_get(want, "rules") != NULL)
			check_compiled(json_object_get(got, "rules"));
		json_array_foreach(json_object_get(want, "capabilities"), i,
		    cap)
			if (json_is_object(cap))
				check_compiled(json_object_get(cap, "rules"));
		json_decref(want);
		json_decref(got);
		free(text);
	}
	ATF_CHECK_EQ_MSG(n, EXAMPLES, "%u examples", n);
	(void)fclose(f);
	world_stop(w);
	world_free(w);
}

/* What the page says of types: all that can be posted, and no other. */
ATF_TC_WITHOUT_HEAD(types);
ATF_TC_BODY(types, tc)
{
	static const char	*refused[] = { "ACTION_PRIORITY",
	    "INTEGER_RANGE" };
	char		*page, *p;
	const char	*name;
	unsigned	 i, n = 0;
	size_t		 len;
	FILE		*f = page_open(tc);

	ATF_REQUIRE((page = calloc(1, 65536)) != NULL);
	ATF_REQUIRE(fread(page, 1, 65535, f) > 1000);
	(void)fclose(f);
	for (i = 0; i <= RULE_TYPE; i++) {
		if ((name = rule_name((uint8_t)i)) == NULL)
			continue;
		n++;
		len = strlen(name);
		for (p = strstr(page, name); p != NULL; p = strstr(p + 1,
		    name))
			if (!isalnum((unsigned char)p[len]) && p[len] != '_')
				break;
		ATF_CHECK_MSG(p != NULL, "%s is not in the page", name);
	}
	ATF_CHECK_MSG(n > 30, "%u types", n);
	for (i = 0; i < 2; i++)
		ATF_CHECK(strstr(page, refused[i]) != NULL);
	free(page);
}

/* And of what it warns. */
ATF_TC_WITHOUT_HEAD(no_prefix);
ATF_TC_BODY(no_prefix, tc)
{
	struct world	*w;
	json_t		*got, *rule;

	w = world_new();
	w->w_now = 1700000000000;
	world_start_recorded(w, tc);
	got = post(w, NETWORK, "{\"rules\":[{\"type\":\"MATCH_IPV4_DEST\","
	    "\"ip\":\"10.0.0.1\"},{\"type\":\"ACTION_ACCEPT\"}]}");
	rule = json_array_get(json_object_get(got, "rules"), 0);
	ATF_CHECK_STREQ(json_string_value(json_object_get(rule, "ip")),
	    "10.0.0.1/0");
	json_decref(got);
	world_stop(w);
	world_free(w);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, rules);
	ATF_TP_ADD_TC(tp, types);
	ATF_TP_ADD_TC(tp, no_prefix);
	return (atf_no_error());
}
