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

#include "regress/wire/controller.h"

#define OWN		0x95841e6527ULL
#define MAP_MAX		64

/* Random ids of the recording and what they are here. */
static struct {
	char	theirs[17], ours[17];
} map[MAP_MAX];
static size_t	nmap;

/*
 * A step that this controller answers differently, on purpose: the status,
 * and the members of the answer that are different ("gone": not there).
 * fix is posted afterwards to get back in step with the recording.
 */
struct differs {
	int		 d_step;
	unsigned	 d_status;
	const char	*d_members;
	const char	*d_fix;
};
/* From the first such step on, revisions are not those of the recording. */
static bool	drifted;

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

static inline void
compare(const char *where, const char *want, const char *got,
    const struct differs *d)
{
	json_t	*a, *b;

	a = normalise(want);
	b = normalise(got);
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

/* Where the recording has an error, only the named members can be seen. */
static inline void
compare_members(const char *where, const char *members, const char *got)
{
	const char	*key;
	json_t		*a, *b, *v;

	a = world_json(members);
	b = world_json(got);
	json_object_foreach(a, key, v)
		if (!json_equal(v, json_object_get(b, key)))
			tell(where, key, v, json_object_get(b, key));
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

static inline void
replay_request(struct world *w, const char *where, json_t *step,
    const struct differs *d, bool *ran)
{
	json_t		*request = vectors_get(step, "request");
	json_t		*response = vectors_get(step, "response");
	char		 path[256], *body, *want, *got, *ignored;
	unsigned	 code, status;

	*ran = false;
	if (request_path(request, response, path, sizeof(path)) == NULL)
		return;
	*ran = true;
	body = world_text(vectors_get(request, "body"));
	want = unwrap(world_text(vectors_get(response, "body")));
	status = (unsigned)vectors_u64(response, "status");
	if (d != NULL) {
		status = d->d_status;
		drifted = true;
	}
	code = world_api(w, vectors_str(request, "method"), path, body,
	    &got);
	if (code != status)
		atf_tc_fail_nonfatal("%s: status %u, want %u; %.300s", where,
		    code, status, got);
	else if (code == 200 && vectors_u64(response, "status") != 200)
		compare_members(where, d->d_members, got);
	else if (code == 200) {
		learn_id(path, want, got);
		compare(where, want, got, d);
		check_disk(w, where, json_object_get(step, "diskChanges"),
		    got);
	} else if (code == 500)
		json_decref(world_json(got));	/* well-formed, at least */
	else if (code != 200)
		ATF_CHECK_STREQ(got, "");
	if (d != NULL && d->d_fix != NULL) {
		ATF_CHECK_EQ(world_api(w, "POST", path, d->d_fix, &ignored),
		    200);
		free(ignored);
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
