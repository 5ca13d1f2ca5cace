/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The controller's API and its files, against recordings of the original.
 * Spec: 04 sections 2 to 7, 17.
 *
 * Where this controller means to differ, a table says how.
 */

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>

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

static char	*substitute(const char *);
static json_t	*normalise(const char *);
static void	 sort_lists(json_t *);
static void	 blur_times(json_t *);

/* ---- comparing ---------------------------------------------------- */

static char *
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

static int
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

static void
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
static void
sort_lists(json_t *v)
{
	if (json_is_array(v))
		sort_list(v);
	else if (json_is_array(json_object_get(v, "data")))
		sort_list(json_object_get(v, "data"));
}

static void
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

static json_t *
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

static void
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
static void
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
static void
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

static void
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

static void
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
static void
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

static const struct differs *
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
static const char *
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
static void
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
static char *
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
 * Files that are gone after a step, and those that were written: they hold
 * the very text of the answer.
 */
static void
check_disk(struct world *w, const char *where, json_t *changes,
    const char *answer)
{
	const char	*file;
	char		*path, *text;
	json_t		*v;

	json_object_foreach(changes, file, v) {
		if (file[strlen(file) - 1] == '/')
			continue;
		path = substitute(world_path(w, file));
		text = slurp(path);
		if (json_is_null(v) ? text != NULL : text == NULL ||
		    strcmp(text, answer) != 0)
			atf_tc_fail_nonfatal("%s: %s: %.300s", where, path,
			    text == NULL ? "not there" : text);
		free(text);
		free(path);
	}
}

/* "x(...);" is the jsonp wrapper that ztd-ctl puts around an answer. */
static char *
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

static void
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

static void
start(struct world *w, const atf_tc_t *tc)
{
	json_t	*v;

	v = vectors_load(tc, "controller/10-config-build.json");
	world_start(w, vectors_str(v, "controllerSecret"));
	json_decref(v);
	w->w_con.c_id.id_addr = OWN;
}

/* All steps of a recording; at least this many of them reach us. */
static void
replay(const atf_tc_t *tc, const char *file, const struct differs *differs,
    unsigned atleast)
{
	const struct differs	*d;
	struct world		*w;
	json_t			*v, *step;
	unsigned		 count = 0;
	size_t			 i;
	char			 where[64], path[128];
	bool			 ran;
	int			 n;

	nmap = 0;
	drifted = false;
	snprintf(path, sizeof(path), "controller/%s", file);
	v = vectors_load(tc, path);
	w = world_new();
	start(w, tc);
	w->w_now = 1800000000000;
	json_array_foreach(vectors_array(v, "steps"), i, step) {
		n = (int)vectors_u64(step, "n");
		snprintf(where, sizeof(where), "%s step %d", file, n);
		d = differs_find(differs, n);
		replay_request(w, where, step, d, &ran);
		count += ran;
		w->w_now += 10;
	}
	if (count < atleast)
		atf_tc_fail("%s: only %u steps were run", file, count);
	world_stop(w);
	world_free(w);
	json_decref(v);
}

ATF_TC_WITHOUT_HEAD(status_routing);
ATF_TC_BODY(status_routing, tc)
{
	replay(tc, "01-status-auth-routing.json", NULL, 16);
}

ATF_TC_WITHOUT_HEAD(network_create);
ATF_TC_BODY(network_create, tc)
{
	replay(tc, "02-network-create.json", NULL, 38);
}

ATF_TC_WITHOUT_HEAD(network_fields);
ATF_TC_BODY(network_fields, tc)
{
	replay(tc, "03-network-fields.json", NULL, 78);
}

/* Text that is no address is none, and does not become 0.0.0.0. */
ATF_TC_WITHOUT_HEAD(routes_pools);
ATF_TC_BODY(routes_pools, tc)
{
	static const struct differs	differs[] = {
		{ 7, 200, "{\"routes\":["
		    "{\"target\":\"10.2.0.0/16\",\"via\":null},"
		    "{\"target\":\"10.3.0.0/16\",\"via\":null}]}", NULL },
		{ 15, 200, "{\"routes\":[]}", NULL },
		{ 31, 200, "{\"ipAssignmentPools\":[]}", NULL },
		{ 0, 0, NULL, NULL }
	};

	replay(tc, "04-routes-pools.json", differs, 34);
}

/*
 * A bad MAC or IP address is an error, a characteristics mask of the wrong
 * type is 0 and none.
 */
ATF_TC_WITHOUT_HEAD(rules);
ATF_TC_BODY(rules, tc)
{
	static const char		mask[] = "{\"name\":\"lost\","
	    "\"rules\":[{\"mask\":\"0000000000000000\",\"not\":false,"
	    "\"or\":false,\"type\":\"MATCH_CHARACTERISTICS\"}]}";
	static const char		name[] = "{\"name\":\"\"}";
	static const struct differs	differs[] = {
		{ 20, 500, NULL, NULL },
		{ 22, 500, NULL, NULL },
		{ 24, 500, NULL, NULL },
		{ 25, 500, NULL, NULL },
		{ 33, 200, mask, NULL },
		{ 34, 200, mask, name },
		{ 0, 0, NULL, NULL }
	};

	replay(tc, "05-rules.json", differs, 55);
}

ATF_TC_WITHOUT_HEAD(capabilities_tags_dns);
ATF_TC_BODY(capabilities_tags_dns, tc)
{
	replay(tc, "06-capabilities-tags-dns.json", NULL, 26);
}

/*
 * What is no address is left out of ipAssignments; ids are in lower case
 * whatever the path says.
 */
ATF_TC_WITHOUT_HEAD(members);
ATF_TC_BODY(members, tc)
{
	static const char		ips[] =
	    "{\"ipAssignments\":[\"10.9.9.9\"]}";
	static const char		lower[] =
	    "{\"id\":\"aabbccddee\",\"address\":\"aabbccddee\"}";
	static const struct differs	differs[] = {
		{ 32, 200, ips, NULL },
		{ 33, 200, "{\"ipAssignments\":[\"10.1.2.3\"]}", NULL },
		{ 34, 200, "{\"ipAssignments\":[]}",
		    "{\"name\":\"\",\"ipAssignments\":[\"10.9.9.9\"]}" },
		{ 35, 200, ips, NULL },
		{ 36, 200, ips, NULL },
		{ 52, 200, lower, NULL },
		{ 53, 200, lower, NULL },
		{ 54, 200, "{\"AABBCCDDEE\":\"gone\",\"aabbccddee\":0}",
		    NULL },
		{ 56, 200, "{\"nwid\":\"95841e65270000f5\"}", NULL },
		{ 0, 0, NULL, NULL }
	};

	replay(tc, "07-members.json", differs, 75);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, status_routing);
	ATF_TP_ADD_TC(tp, network_create);
	ATF_TP_ADD_TC(tp, network_fields);
	ATF_TP_ADD_TC(tp, routes_pools);
	ATF_TP_ADD_TC(tp, rules);
	ATF_TP_ADD_TC(tp, capabilities_tags_dns);
	ATF_TP_ADD_TC(tp, members);
	return (atf_no_error());
}
