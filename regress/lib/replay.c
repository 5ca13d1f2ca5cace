/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Recorded exchanges, see replay.h.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "regress/lib/replay.h"
#include "regress/lib/vectors.h"

static void	 strip(json_t *);

/* The value of a header of the answer, or "". */
const char *
answer_header(const struct answer *an, const char *name)
{
	static char	 value[256];
	const char	*p;
	size_t		 n = strlen(name);

	value[0] = '\0';
	for (p = strstr(an->an_head, "\r\n"); p != NULL;
	    p = strstr(p + 2, "\r\n")) {
		if (strncasecmp(p + 2, name, n) == 0 && p[2 + n] == ':')
			(void)sscanf(p + 3 + n, " %255[^\r]", value);
	}
	return (value);
}

/* A recorded body without its jsonp wrapper; malloc'd. */
char *
replay_unwrap(const char *body)
{
	char	*s;
	size_t	 n;

	n = strlen(body);
	if (n > 4 && body[1] == '(' && strcmp(body + n - 2, ");") == 0)
		s = strndup(body + 2, n - 4);
	else
		s = strdup(body);
	ATF_REQUIRE(s != NULL);
	return (s);
}

/* What has no meaning outside the process that said it. */
static void
strip(json_t *v)
{
	json_t		*e;
	const char	*key;
	size_t		 i;
	void		*next;

	if (json_is_array(v)) {
		json_array_foreach(v, i, e)
			strip(e);
	} else if (json_is_object(v)) {
		(void)json_object_del(v, "localSocket");
		(void)json_object_del(v, "homeDir");
		(void)json_object_del(v, "ztd");
		json_object_foreach_safe(v, next, key, e)
			strip(e);
	}
}

void
replay_json(const char *name, const char *got, const char *want)
{
	json_t	*g, *v;

	g = json_loads(got, JSON_DECODE_ANY, NULL);
	v = json_loads(want, JSON_DECODE_ANY, NULL);
	ATF_REQUIRE_MSG(g != NULL && v != NULL, "%s: %.300s", name, got);
	strip(g);
	strip(v);
	ATF_CHECK_MSG(json_equal(g, v), "%s: got %s, want %s", name, got,
	    want);
	json_decref(g);
	json_decref(v);
}

/* Status, type and body as recorded. */
void
replay_check(json_t *vec, const struct answer *an)
{
	json_t		*resp = vectors_get(vec, "response"), *h;
	const char	*name = vectors_str(vec, "name");
	const char	*body = vectors_str(resp, "body"), *type = "";
	char		*got, *want;
	size_t		 i;

	json_array_foreach(vectors_get(resp, "headers"), i, h) {
		if (strcmp(json_string_value(json_array_get(h, 0)),
		    "Content-Type") == 0)
			type = json_string_value(json_array_get(h, 1));
	}
	ATF_CHECK_EQ_MSG(an->an_status, (int)vectors_u64(resp, "status"),
	    "%s: status %d", name, an->an_status);
	ATF_CHECK_STREQ_MSG(answer_header(an, "Content-Type"), type, "%s", name);
	if (strncmp(type, "application/j", 13) != 0) {
		ATF_CHECK_STREQ_MSG(an->an_body, body, "%s", name);
		return;
	}
	if (strstr(body, "localSocket") == NULL &&
	    strstr(body, "homeDir") == NULL && strchr(body, '<') == NULL &&
	    strstr(an->an_body, "\"ztd\":") == NULL) {
		ATF_CHECK_STREQ_MSG(an->an_body, body, "%s", name);
		return;
	}
	got = replay_unwrap(an->an_body);
	want = replay_unwrap(body);
	replay_json(name, got, want);
	free(got);
	free(want);
}

/* A copy with the real tokens where recordings have names; malloc'd. */
char *
replay_tokens(const char *s)
{
	static const struct {
		const char	*name, *token;
	} names[] = {
		{ "AUTHTOKEN", WORLD_TOKEN },
		{ "METRICSTOKEN", WORLD_METRICS }
	};
	const char	*p;
	char		*out;
	size_t		 i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((p = strstr(s, names[i].name)) == NULL)
			continue;
		ATF_REQUIRE(asprintf(&out, "%.*s%s%s", (int)(p - s), s,
		    names[i].token, p + strlen(names[i].name)) != -1);
		return (out);
	}
	ATF_REQUIRE((out = strdup(s)) != NULL);
	return (out);
}

void
replay(struct ctlworld *w, json_t *vec, struct answer *an)
{
	json_t		*rq = vectors_get(vec, "request"), *v;
	const char	*key;
	char		*extra, *old, *value, *target, host[64] = "127.0.0.1";
	void		*next;

	if (json_object_get(rq, "to") != NULL)
		(void)sscanf(vectors_str(rq, "to"), "%63s", host);
	ATF_REQUIRE((extra = strdup("")) != NULL);
	json_object_foreach_safe(vectors_get(rq, "headers"), next, key, v) {
		if (strcmp(key, "Connection") == 0 ||
		    strcmp(key, "Content-Length") == 0)
			continue;
		value = replay_tokens(json_string_value(v));
		old = extra;
		ATF_REQUIRE(asprintf(&extra, "%s%s: %s\r\n", old, key,
		    value) != -1);
		free(value);
		free(old);
	}
	target = replay_tokens(vectors_str(rq, "target"));
	world_http_to(w, host, vectors_str(rq, "method"), target, extra,
	    json_string_value(json_object_get(rq, "body")), an);
	free(target);
	free(extra);
}
