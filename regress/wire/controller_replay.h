/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Replaying recordings of the original's API against this controller.
 * Spec: 04 section 17.
 */

#ifndef REGRESS_WIRE_CONTROLLER_REPLAY_H
#define REGRESS_WIRE_CONTROLLER_REPLAY_H

#include "regress/lib/httpcon.h"
#include "regress/wire/controller.h"

#define OWN		0x95841e6527ULL
#define MAP_MAX		64

/* Random ids of the recording and what they are here. */
static struct {
	char	theirs[17], ours[17];
} map[MAP_MAX];
static size_t	nmap;

/* Not NULL: requests come over HTTP, through ztd-ctl. */
static struct httpcon	*http;

/*
 * A step that this controller answers differently, on purpose: the status,
 * and the members of the answer that are different ("gone": not there).
 *
 * After 200, fix is posted to get back in step with the recording; "{}"
 * leaves the members different.  After 400, a refusal of what the original took, the same is posted without the
 * mistakes, and the recorded answer must come: what the recorded record has
 * for the keys of the request, or fix where that is refused, too; from then
 * on the members are different, until a request names them.  NOTHING posts
 * nothing.
 */
#define NOTHING	""
struct differs {
	int		 d_step;
	unsigned	 d_status;
	const char	*d_members;
	const char	*d_fix;
};
/* From the first such step on, revisions are not those of the recording. */
static bool	drifted;
/* What is different since an earlier step. */
static json_t	*since;

/* ---- comparing ---------------------------------------------------- */

static inline char *
substitute(const char *text)
{
	char	*s, *p;
	size_t	 i;

	s = strdup(text);
	for (i = 0; i < nmap; i++)
		while ((p = strstr(s, map[i].theirs)) != NULL)
			memcpy(p, map[i].ours, 16);
	return (s);
}

static inline int
id_cmp(const void *a, const void *b)
{
	json_t *const	*x = a, *const *y = b;
	const char	*s, *t;

	s = json_string_value(json_is_string(*x) ? *x :
	    json_object_get(*x, "id"));
	t = json_string_value(json_is_string(*y) ? *y :
	    json_object_get(*y, "id"));
	return (strcmp(s, t));
}

static inline void
sort_list(json_t *list)
{
	json_t	**v;
	size_t	 i, n = json_array_size(list);

	if (n < 2)
		return;
	v = calloc(n, sizeof(*v));
	for (i = 0; i < n; i++)
		v[i] = json_incref(json_array_get(list, i));
	qsort(v, n, sizeof(*v), id_cmp);
	for (i = 0; i < n; i++)
		json_array_set_new(list, i, v[i]);
	free(v);
}

/* Lists of ids and of records have no order once ids are random. */
static inline void
sort_lists(json_t *v)
{
	if (json_is_array(v))
		sort_list(v);
	else if (json_is_array(json_object_get(v, "data")))
		sort_list(json_object_get(v, "data"));
}

static inline void
blur_times(json_t *v)
{
	static const char *const keys[] = { "clock", "creationTime",
	    "lastAuthorizedTime", "lastDeauthorizedTime" };
	const char	*key;
	json_t		*e;
	void		*next;
	size_t		 i;

	json_object_foreach_safe(v, next, key, e)
		for (i = 0; i < 4; i++)
			if (strcmp(key, keys[i]) == 0 &&
			    json_integer_value(e) > 1700000000000)
				json_object_set_new(v, key,
				    json_string("a time"));
	json_array_foreach(json_object_get(v, "data"), i, e)
		blur_times(e);
}

static inline json_t *
normalise(const char *text)
{
	char	*s;
	json_t	*v;

	s = substitute(text);
	v = world_json(s);
	free(s);
	sort_lists(v);
	blur_times(v);
	return (v);
}

static inline void
tell(const char *where, const char *key, json_t *want, json_t *got)
{
	char	*s, *t;

	s = json_dumps(want, JSON_SORT_KEYS | JSON_COMPACT |
	    JSON_ENCODE_ANY);
	t = json_dumps(got, JSON_SORT_KEYS | JSON_COMPACT |
	    JSON_ENCODE_ANY);
	atf_tc_fail_nonfatal("%s: %s\nwant %.1500s\n got %.1500s", where, key,
	    s == NULL ? "nothing" : s, t == NULL ? "nothing" : t);
	free(s);
	free(t);
}

/* Key by key where that is possible. */
static inline void
tell_difference(const char *where, json_t *want, json_t *got)
{
	const char	*key;
	json_t		*v;

	if (!json_is_object(want) || !json_is_object(got)) {
		tell(where, "", want, got);
		return;
	}
	json_object_foreach(want, key, v)
		if (!json_equal(v, json_object_get(got, key)))
			tell(where, key, v, json_object_get(got, key));
	json_object_foreach(got, key, v)
		if (json_object_get(want, key) == NULL)
			tell(where, key, NULL, v);
}

/* Revisions are not compared any more. */
static inline void
blur_revisions(json_t *v)
{
	const char	*key;
	json_t		*e;
	void		*next;
	size_t		 i;

	if (json_object_del(v, "revision") == 0)
		return;
	if (json_is_array(json_object_get(v, "data"))) {
		json_array_foreach(json_object_get(v, "data"), i, e)
			blur_revisions(e);
		return;
	}
	json_object_foreach_safe(v, next, key, e)
		if (json_is_integer(e))
			json_object_set_new(v, key, json_integer(0));
}

static inline void
apply_differs(json_t *want, const char *members)
{
	const char	*key;
	json_t		*m, *v;

	m = world_json(members);
	json_object_foreach(m, key, v)
		if (json_is_string(v) &&
		    strcmp(json_string_value(v), "gone") == 0)
			json_object_del(want, key);
		else
			json_object_set(want, key, v);
	json_decref(m);
}

/* The members of a record that are different since an earlier step. */
static inline void
apply_since(json_t *want)
{
	const char	*key;
	json_t		*v;

	json_object_foreach(since, key, v)
		if (json_object_get(want, key) != NULL)
			json_object_set(want, key, v);
}

static inline void
compare(const char *where, const char *want, const char *got,
    const struct differs *d)
{
	json_t	*a, *b;

	a = normalise(want);
	b = normalise(got);
	apply_since(a);
	if (d != NULL && d->d_members != NULL)
		apply_differs(a, d->d_members);
	if (drifted) {
		blur_revisions(a);
		blur_revisions(b);
	}
	if (!json_equal(a, b))
		tell_difference(where, a, b);
	json_decref(a);
	json_decref(b);
}

/* ---- replaying ---------------------------------------------------- */

static inline const struct differs *
differs_find(const struct differs *d, int step)
{
	for (; d != NULL && d->d_step != 0; d++)
		if (d->d_step == step)
			return (d);
	return (NULL);
}

/*
 * The path as ztd-ctl hands it over; NULL for what never gets here: other
 * methods, what is refused for its token or its length.
 */
static inline const char *
request_path(json_t *request, json_t *response, char *dst, size_t size)
{
	static const char	 root[] = "/controller";
	static const char	 unstable[] = "/unstable/controller";
	const char		*path = vectors_str(request, "path");
	const char		*method = vectors_str(request, "method");
	uint64_t		 status = vectors_u64(response, "status");
	char			*s;

	if ((strcmp(method, "GET") != 0 && strcmp(method, "POST") != 0 &&
	    strcmp(method, "PUT") != 0 && strcmp(method, "DELETE") != 0) ||
	    status == 401 || status == 413 || status == 414 ||
	    strchr(path, '%') != NULL)
		return (NULL);
	s = substitute(path);
	s[strcspn(s, "?")] = '\0';
	if (strncmp(s, unstable, strlen(unstable)) == 0)
		snprintf(dst, size, "/unstable%s", s + strlen(unstable));
	else if (strncmp(s, root, strlen(root)) == 0)
		snprintf(dst, size, "%s", s + strlen(root));
	else {
		free(s);
		return (NULL);
	}
	free(s);
	return (dst);
}

/* A creation with a random id: note which it is here. */
static inline void
learn_id(const char *path, const char *want, const char *got)
{
	size_t	 len = strlen(path);
	json_t	*a, *b;

	if (strcmp(path, "/network") != 0 &&
	    (len < 6 || strcmp(path + len - 6, "______") != 0))
		return;
	a = world_json(want);
	b = world_json(got);
	if (json_is_object(a) && json_is_object(b)) {
		ATF_REQUIRE(nmap < MAP_MAX);
		strlcpy(map[nmap].theirs, vectors_str(a, "id"), 17);
		strlcpy(map[nmap].ours, vectors_str(b, "id"), 17);
		ATF_CHECK(strncmp(map[nmap].ours, "95841e6527", 10) == 0);
		nmap++;
	}
	json_decref(a);
	json_decref(b);
}

/* The whole of a file, to be freed; NULL when it is not there. */
static inline char *
slurp(const char *path)
{
	char	*text = NULL;
	size_t	 size = 0;
	FILE	*fp;

	if ((fp = fopen(path, "r")) == NULL)
		return (NULL);
	ATF_REQUIRE(getdelim(&text, &size, '\0', fp) != -1);
	fclose(fp);
	return (text);
}

/*
 * The file of the record that was answered: gone after a step, or it holds
 * the very text of the answer.
 */
static inline void
check_disk(struct world *w, const char *where, json_t *changes,
    const char *answer)
{
	const char	*file;
	char		*path, *text, own[32];
	json_t		*v, *record;
	size_t		 len;

	record = world_json(answer);
	snprintf(own, sizeof(own), "/%s.json",
	    json_is_string(json_object_get(record, "id")) ?
	    vectors_str(record, "id") : "");
	json_object_foreach(changes, file, v) {
		path = substitute(world_path(w, file));
		len = strlen(path);
		if (len < strlen(own) ||
		    strcmp(path + len - strlen(own), own) != 0) {
			free(path);
			continue;
		}
		text = slurp(path);
		if (json_is_null(v) ? text != NULL : text == NULL ||
		    strcmp(text, answer) != 0)
			atf_tc_fail_nonfatal("%s: %s: %.300s", where, path,
			    text == NULL ? "not there" : text);
		free(text);
		free(path);
	}
	json_decref(record);
}

/* "x(...);" is the jsonp wrapper that ztd-ctl puts around an answer. */
static inline char *
unwrap(char *text)
{
	size_t	 n = strcspn(text, "({[\""), len = strlen(text);

	if (n == 0 || len < n + 3 || text[n] != '(' ||
	    strcmp(text + len - 2, ");") != 0)
		return (text);
	text[len - 2] = '\0';
	memmove(text, text + n + 1, len - n - 2);
	return (text);
}

/* A message for people, under the name that programs look for. */
static inline void
check_refusal(const char *where, unsigned code, const char *got)
{
	json_t	*v;

	v = world_json(got);
	if (json_string_length(json_object_get(v, "message")) == 0)
		atf_tc_fail_nonfatal("%s: status %u without message: %s",
		    where, code, got);
	json_decref(v);
}

/* The recorded header lines, with our token. */
static inline char *
header_lines(json_t *headers)
{
	const char	*key, *text;
	char		*lines, *old, *p;
	json_t		*v;

	ATF_REQUIRE((lines = strdup("")) != NULL);
	json_object_foreach(headers, key, v) {
		text = json_string_value(v);
		old = lines;
		p = strstr(text, "AUTHTOKEN");
		if (p != NULL && strstr(text, "METRICS") == NULL)
			ATF_REQUIRE(asprintf(&lines, "%s%s: %.*s%s%s\r\n",
			    old, key, (int)(p - text), text, httpcon_token(),
			    p + 9) != -1);
		else
			ATF_REQUIRE(asprintf(&lines, "%s%s: %s\r\n", old,
			    key, text) != -1);
		free(old);
	}
	return (lines);
}

/* A recorded request over HTTP; compares the type of the answer, too. */
static inline unsigned
ask_http(const char *where, json_t *request, json_t *response,
    const char *body, char **got)
{
	char		*lines, *target, *path, *type, *p;
	const char	*want;
	unsigned	 code;

	lines = header_lines(vectors_get(request, "headers"));
	path = substitute(vectors_str(request, "path"));
	target = path;
	if ((p = strstr(path, "auth=AUTHTOKEN")) != NULL) {
		*p = '\0';
		ATF_REQUIRE(asprintf(&target, "%sauth=%s%s", path,
		    httpcon_token(), p + strlen("auth=AUTHTOKEN")) != -1);
		free(path);
	}
	code = (unsigned)httpcon_ask(http, vectors_str(request, "method"),
	    target, lines, false, body, &type, got);
	want = json_string_value(json_object_get(json_object_get(response,
	    "headers"), "Content-Type"));
	if (code == 200 && want != NULL && strcmp(type, want) != 0)
		atf_tc_fail_nonfatal("%s: type %s, want %s", where, type,
		    want);
	free(type);
	free(target);
	free(lines);
	return (code);
}

/* The answer: 0 for a request that does not get as far as the controller. */
static inline unsigned
ask(struct world *w, const char *where, json_t *request, json_t *response,
    const char *body, char **got)
{
	char	path[256];

	if (http != NULL)
		return (ask_http(where, request, response, body, got));
	if (request_path(request, response, path, sizeof(path)) == NULL)
		return (0);
	return (world_api(w, vectors_str(request, "method"), path, body,
	    got));
}

/* A path without its query, as the controller knows it. */
static inline void
bare_path(json_t *request, char *dst, size_t size)
{
	const char	*path = vectors_str(request, "path");

	if (strncmp(path, "/controller", 11) == 0)
		path += 11;
	(void)strlcpy(dst, path, size);
	dst[strcspn(dst, "?")] = '\0';
}

static inline void
replay_good(struct world *w, const char *where, json_t *step,
    const struct differs *d, const char *want, const char *got)
{
	json_t	*request = vectors_get(step, "request");
	char	 path[256];

	if (strcmp(vectors_str(request, "method"), "HEAD") == 0 &&
	    http != NULL) {
		ATF_CHECK_STREQ_MSG(got, "", "%s", where);
		return;
	}
	bare_path(request, path, sizeof(path));
	learn_id(path, want, got);
	compare(where, want, got, d);
	check_disk(w, where, json_object_get(step, "diskChanges"), got);
}

/* What the recorded record has for the keys of a request; to be freed. */
static inline char *
without_mistakes(const char *body, const char *want)
{
	char		 error[64], *text;
	const char	*key;
	json_t		*asked, *record, *fix, *v;
	size_t		 len;

	asked = value_parse(body, strlen(body), error, sizeof(error));
	record = world_json(want);
	fix = json_object();
	json_object_foreach(asked, key, v)
		if (json_object_get(record, key) != NULL)
			json_object_set(fix, key, json_object_get(record,
			    key));
	text = value_format(fix, &len);
	json_decref(fix);
	json_decref(record);
	json_decref(asked);
	return (text);
}

/* What a difference is made good with. */
static inline void
replay_fix(struct world *w, const char *where, json_t *step,
    const struct differs *d, const char *body, const char *want)
{
	char		 path[256], *fix, *answer;
	json_t		*members;
	unsigned	 code;

	if (d->d_fix != NULL)
		fix = strdup(d->d_fix);
	else
		fix = without_mistakes(body, want);
	if ((d->d_status == 400 || strcmp(fix, "{}") == 0) &&
	    d->d_members != NULL) {
		members = world_json(d->d_members);
		json_object_update(since, members);
		json_decref(members);
	}
	bare_path(vectors_get(step, "request"), path, sizeof(path));
	code = world_api(w, "POST", path, fix, &answer);
	if (code != 200)
		atf_tc_fail_nonfatal("%s: fix: status %u; %.300s", where,
		    code, answer);
	else if (d->d_status == 400)
		replay_good(w, where, step, d, want, answer);
	free(answer);
	free(fix);
}

/* The keys that a request names are again as it says. */
static inline void
forget_since(const char *body)
{
	char		 error[64];
	const char	*key;
	json_t		*asked, *v;

	asked = value_parse(body, strlen(body), error, sizeof(error));
	json_object_foreach(asked, key, v)
		(void)json_object_del(since, key);
	json_decref(asked);
}

static inline bool
wants_fix(const struct differs *d, unsigned recorded)
{
	if (d == NULL || (d->d_fix != NULL && *d->d_fix == '\0'))
		return (false);
	return (d->d_fix != NULL || (d->d_status == 400 && recorded == 200));
}

static inline void
replay_answer(struct world *w, const char *where, json_t *step,
    const struct differs *d, unsigned code, const char *want,
    const char *got)
{
	unsigned	recorded, status;

	recorded = (unsigned)vectors_u64(vectors_get(step, "response"),
	    "status");
	status = d != NULL ? d->d_status : recorded;
	if (code != status)
		atf_tc_fail_nonfatal("%s: status %u, want %u; %.300s", where,
		    code, status, got);
	else if (code == 200 && recorded == 200)
		replay_good(w, where, step, d, want, got);
	else if (code == 401)
		ATF_CHECK_STREQ_MSG(got, want, "%s", where);
	else if (code != 200 && code != 414 && code != 501)
		check_refusal(where, code, got);
}

static inline void
replay_request(struct world *w, const char *where, json_t *step,
    const struct differs *d, bool *ran)
{
	json_t		*request = vectors_get(step, "request");
	json_t		*response = vectors_get(step, "response");
	char		*body, *want, *got;
	unsigned	 code;

	if (since == NULL)
		since = json_object();
	body = world_text(vectors_get(request, "body"));
	want = unwrap(world_text(vectors_get(response, "body")));
	code = ask(w, where, request, response, body, &got);
	if ((*ran = code != 0) == false)
		got = strdup("");
	else {
		if (http != NULL && code == 200)
			got = unwrap(got);
		if (d != NULL && d->d_status == 200 && d->d_fix == NULL)
			drifted = true;
		forget_since(body);
		replay_answer(w, where, step, d, code, want, got);
		if (wants_fix(d, (unsigned)vectors_u64(response, "status")))
			replay_fix(w, where, step, d, body, want);
	}
	free(body);
	free(want);
	free(got);
}

static inline void
start(struct world *w, const atf_tc_t *tc)
{
	json_t	*v;

	v = vectors_load(tc, "controller/10-config-build.json");
	world_start(w, vectors_str(v, "controllerSecret"));
	json_decref(v);
	w->w_con.c_id.id_addr = OWN;
}

#endif /* REGRESS_WIRE_CONTROLLER_REPLAY_H */
