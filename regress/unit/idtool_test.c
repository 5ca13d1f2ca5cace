/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * ztctl as zerotier-idtool, against recorded runs
 * (vectors/service/idtool.json).
 */

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/file.h"
#include "common/world.h"
#include "regress/lib/ctlworld.h"
#include "regress/lib/run.h"
#include "regress/lib/vectors.h"

#define ARGS	16

/* Generated, or refused with a better word: exit status alone counts. */
static const struct {
	const char	*name;
	int		 exit;
} tool_other[] = {
	{ "idtool-generate-stdout", 0 },
	{ "idtool-generate-vanity-1-digit", 0 },
	{ "idtool-initmoon", 0 },
	{ "idtool-initmoon-literal", 0 },
	{ "idtool-initmoon-with-secret-file", 0 },
	{ "idtool-validate-nonhex-key", 1 },
	{ "idtool-genmoon-roots-not-array", 1 },
	{ "idtool-genmoon-bad-root-identity", 1 },
	{ "idtool-genmoon-signingkey-missing", 1 },
	{ "idtool-genmoon-five-roots", 1 },
	{ "idtool-genmoon-endpoint-bad", 1 },
	{ "idtool-genmoon-bad-json", 1 }
};

static void
world_load(const char *path, struct world *w)
{
	struct rbuf	 rb;
	char		*bytes;
	size_t		 len;

	ATF_REQUIRE_MSG((bytes = file_read(AT_FDCWD, path, WORLD_MAX,
	    &len)) != NULL, "no %s", path);
	rbuf_init(&rb, bytes, len);
	world_get(&rb, w);
	ATF_REQUIRE_MSG(rbuf_done(&rb), "%s does not parse", path);
	free(bytes);
}

/* The same world as the recorded one, later, and rightly signed. */
static void
check_world(const char *name, const char *file, const char *hex)
{
	struct world	*got, *want;
	struct rbuf	 rb;
	json_t		*s = json_string(hex);
	uint8_t		*bytes;
	size_t		 len;
	unsigned	 i, k;

	got = calloc(1, sizeof(*got));
	want = calloc(1, sizeof(*want));
	ATF_REQUIRE(got != NULL && want != NULL);
	world_load(file, got);
	bytes = vectors_hex_alloc(s, &len);
	rbuf_init(&rb, bytes, len);
	world_get(&rb, want);
	ATF_REQUIRE(rbuf_done(&rb));
	ATF_CHECK_MSG(world_verify(got, got->w_update_key), "%s", name);
	ATF_CHECK(got->w_ts > want->w_ts);
	ATF_CHECK(got->w_type == want->w_type && got->w_id == want->w_id &&
	    memcmp(got->w_update_key, want->w_update_key, IDENTITY_KEYS) == 0);
	ATF_REQUIRE_EQ(got->w_nroots, want->w_nroots);
	for (i = 0; i < got->w_nroots; i++) {
		ATF_CHECK_MSG(identity_equal(&got->w_roots[i].wr_identity,
		    &want->w_roots[i].wr_identity), "%s: root %u", name, i);
		ATF_CHECK_EQ(got->w_roots[i].wr_nendpoints,
		    want->w_roots[i].wr_nendpoints);
		for (k = 0; k < want->w_roots[i].wr_nendpoints; k++)
			ATF_CHECK(!inet_isnil(
			    &got->w_roots[i].wr_endpoints[k]));
	}
	free(bytes);
	json_decref(s);
	free(got);
	free(want);
}

static void
tool_vector(const char *path, json_t *vec)
{
	json_t		*rq = vectors_get(vec, "request");
	json_t		*resp = vectors_get(vec, "response"), *e;
	const char	*name = vectors_str(vec, "name"), *file;
	char		*argv[ARGS + 1], *env[1] = { NULL };
	json_t		*args = vectors_get(rq, "argv");
	struct run	 r;
	size_t		 i, n, other;
	int		 want;

	/* What a run is to write must not be there before. */
	if (strcmp(name, "idtool-generate-unwritable-public") != 0) {
		json_object_foreach(json_object_get(vec, "files_before"), file,
		    e) {
			if (json_is_string(e))
				run_file(file, json_string_value(e));
		}
	}
	n = json_array_size(args);
	ATF_REQUIRE(n <= ARGS);
	for (i = 0; i < n; i++)
		argv[i] = strdup(json_string_value(json_array_get(args, i)));
	argv[n] = NULL;
	run_program(&r, path, argv, env);
	want = (int)json_integer_value(vectors_get(resp, "exit"));
	for (other = i = 0; i < sizeof(tool_other) / sizeof(tool_other[0]);
	    i++) {
		if (strcmp(tool_other[i].name, name) == 0) {
			want = tool_other[i].exit;
			other = 1;
		}
	}
	ATF_CHECK_EQ_MSG(r.r_exit, want, "%s: exit %d: %s", name, r.r_exit,
	    r.r_err);
	if (strncmp(vectors_str(resp, "stdout"), "wrote ", 6) == 0 &&
	    want == 0)
		ATF_CHECK_MSG(strncmp(r.r_out, vectors_str(resp, "stdout"),
		    40) == 0, "%s: %s", name, r.r_out);
	else if (!other) {
		run_check(name, "stdout", r.r_out,
		    vectors_str(resp, "stdout"));
		run_check(name, "stderr", r.r_err,
		    vectors_str(resp, "stderr"));
	}
	json_object_foreach(json_object_get(vec, "files_after"), file, e) {
		if (want == 0 && json_is_object(e) &&
		    strstr(file, ".moon") != NULL)
			check_world(name, file, vectors_str(e, "hex"));
	}
	run_clear(&r);
	while (n > 0)
		free(argv[--n]);
}

ATF_TC(tool);
ATF_TC_HEAD(tool, tc)
{
	atf_tc_set_md_var(tc, "descr",
	    "recorded runs of the identity and moon tool");
	atf_tc_set_md_var(tc, "timeout", "300");
}
ATF_TC_BODY(tool, tc)
{
	json_t		*all, *vec;
	const char	*argv0;
	char		*path, dir[32];
	size_t		 i, n = 0;

	path = world_program(tc, "bin/ztctl");
	if (path[0] != '/') {
		char	*abs = realpath(path, NULL);

		free(path);
		path = abs;
		ATF_REQUIRE(path != NULL);
	}
	all = vectors_load(tc, "service/idtool.json");
	json_array_foreach(vectors_array(all, "vectors"), i, vec) {
		argv0 = json_string_value(json_array_get(vectors_get(
		    vectors_get(vec, "request"), "argv"), 0));
		if (strcmp(argv0, "zerotier-idtool") != 0)
			continue;
		(void)snprintf(dir, sizeof(dir), "tool%zu", i);
		ATF_REQUIRE(mkdir(dir, 0755) == 0 && chdir(dir) == 0);
		tool_vector(path, vec);
		ATF_REQUIRE(chdir("..") == 0);
		n++;
	}
	ATF_CHECK_MSG(n >= 70, "only %zu runs", n);
	json_decref(all);
	free(path);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, tool);
	return (atf_no_error());
}
