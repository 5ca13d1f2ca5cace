/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * ztctl migrate, against what the original's tool made of the same
 * database.  Spec: 04 section 15.3.
 */

#include <sys/wait.h>

#ifdef HAVE_SQLITE3
#include <sqlite3.h>
#endif

#include "regress/wire/controller.h"

#ifndef HAVE_SQLITE3

ATF_TC_WITHOUT_HEAD(migrate);
ATF_TC_BODY(migrate, tc)
{
	(void)tc;
	atf_tc_skip("built without SQLite");
}

#else

static void
sql(sqlite3 *db, const char *text)
{
	char	*error = NULL;

	if (sqlite3_exec(db, text, NULL, NULL, &error) != SQLITE_OK)
		atf_tc_fail("%s: %s", text, error);
}

static void
bind_value(sqlite3_stmt *st, int i, json_t *v)
{
	uint8_t		blob[256];
	const char	*hex;

	if (json_is_integer(v))
		(void)sqlite3_bind_int64(st, i, json_integer_value(v));
	else if (json_is_string(v))
		(void)sqlite3_bind_text(st, i, json_string_value(v), -1,
		    SQLITE_TRANSIENT);
	else if (json_is_object(v)) {
		hex = vectors_str(v, "blob");
		ATF_REQUIRE_EQ(hex_decode(blob, hex, strlen(hex) / 2), 0);
		(void)sqlite3_bind_blob(st, i, blob, (int)strlen(hex) / 2,
		    SQLITE_TRANSIENT);
	} else
		(void)sqlite3_bind_null(st, i);
}

/* A table with one column for each key of its rows. */
static void
make_table(sqlite3 *db, const char *name, json_t *rows)
{
	char		 create[1024], insert[1024];
	sqlite3_stmt	*st;
	const char	*key;
	json_t		*r, *v;
	size_t		 i;
	int		 n = 0;

	snprintf(create, sizeof(create), "CREATE TABLE %s (", name);
	snprintf(insert, sizeof(insert), "INSERT INTO %s VALUES (", name);
	json_object_foreach(json_array_get(rows, 0), key, v) {
		snprintf(create + strlen(create), sizeof(create) -
		    strlen(create), "%s%s", n > 0 ? "," : "", key);
		strlcat(insert, n++ > 0 ? ",?" : "?", sizeof(insert));
	}
	strlcat(create, ")", sizeof(create));
	strlcat(insert, ")", sizeof(insert));
	sql(db, create);
	json_array_foreach(rows, i, r) {
		ATF_REQUIRE_EQ(sqlite3_prepare_v2(db, insert, -1, &st, NULL),
		    SQLITE_OK);
		n = 0;
		json_object_foreach(json_array_get(rows, 0), key, v)
			bind_value(st, ++n, json_object_get(r, key));
		ATF_REQUIRE_EQ(sqlite3_step(st), SQLITE_DONE);
		sqlite3_finalize(st);
	}
}

static void
make_database(const char *path, json_t *tables)
{
	const char	*name;
	json_t		*rows;
	sqlite3		*db;

	ATF_REQUIRE_EQ(sqlite3_open(path, &db), SQLITE_OK);
	json_object_foreach(tables, name, rows)
		make_table(db, name, rows);
	ATF_REQUIRE_EQ(sqlite3_close(db), SQLITE_OK);
}

/* Exit status of ztctl migrate with these words behind it. */
static int
run(const atf_tc_t *tc, const char *words)
{
	char	command[1024];
	int	status;

	snprintf(command, sizeof(command), "%s/../../bin/ztctl migrate %s",
	    atf_tc_get_config_var(tc, "srcdir"), words);
	status = system(command);
	ATF_REQUIRE(WIFEXITED(status));
	return (WEXITSTATUS(status));
}

/* A time of the migration is any one. */
static void
check_record(const char *file, json_t *want, json_t *got, int64_t when)
{
	const char	*key;
	json_t		*v;
	char		*s;

	ATF_CHECK_EQ_MSG(json_object_size(want), json_object_size(got),
	    "%s", file);
	json_object_foreach(want, key, v) {
		if (json_is_integer(v) && json_integer_value(v) == when) {
			ATF_CHECK_MSG(json_integer_value(json_object_get(got,
			    key)) > 1700000000000, "%s: %s", file, key);
			continue;
		}
		if (json_equal(v, json_object_get(got, key)))
			continue;
		s = json_dumps(got, JSON_ENCODE_ANY);
		atf_tc_fail_nonfatal("%s: %s: %s", file, key, s);
		free(s);
	}
}

static void
check_files(struct world *w, json_t *all)
{
	const char	*file, *path;
	struct stat	 sb;
	json_t		*f, *got;
	int64_t		 when;

	when = json_integer_value(vectors_get(all, "migrationTime"));
	json_object_foreach(vectors_get(all, "files"), file, f) {
		path = world_path(w, file);
		ATF_REQUIRE_MSG(stat(path, &sb) == 0, "%s", path);
		ATF_CHECK_EQ(sb.st_mode & 0777,
		    (mode_t)strtoul(vectors_str(f, "mode"), NULL, 8));
		got = json_load_file(path, 0, NULL);
		ATF_REQUIRE(got != NULL);
		check_record(file, vectors_get(f, "record"), got, when);
		json_decref(got);
	}
}

static unsigned	nfiles;

static int
count_file(const char *path, const struct stat *sb, int type,
    struct FTW *ftw)
{
	(void)path;
	(void)sb;
	(void)ftw;
	nfiles += type == FTW_F;
	return (0);
}

/* The files that the original's tool wrote, and a controller takes them. */
ATF_TC_WITHOUT_HEAD(migrate);
ATF_TC_BODY(migrate, tc)
{
	struct world	*w;
	json_t		*all, *v;
	char		 words[256], *text;

	all = vectors_load(tc, "controller/13-sqlite-migration.json");
	make_database("controller.db", vectors_get(all, "tables"));
	w = world_new();
	ATF_REQUIRE_EQ(rmdir(w->w_dir), 0);
	snprintf(words, sizeof(words), "controller.db %s", w->w_dir);
	ATF_REQUIRE_EQ(run(tc, words), 0);
	check_files(w, all);
	ATF_REQUIRE_EQ(nftw(w->w_dir, count_file, 16, FTW_PHYS), 0);
	ATF_CHECK_EQ(nfiles, json_object_size(vectors_get(all, "files")));
	/* Never over what is there. */
	ATF_CHECK_EQ(run(tc, words), 1);
	check_files(w, all);

	v = vectors_load(tc, "controller/10-config-build.json");
	w->w_now = 1800000000000;
	world_start(w, vectors_str(v, "controllerSecret"));
	json_decref(v);
	ATF_CHECK_EQ(w->w_con.c_nnetworks, 4);
	ATF_CHECK_EQ(world_api(w, "POST", "/network/1122334455000001", "{}",
	    &text), 200);
	ATF_CHECK(strstr(text, "\"mtu\":2800") != NULL);
	free(text);
	ATF_CHECK_EQ(world_api(w, "GET",
	    "/network/1122334455000001/member/aaaaaaaaaa", "", &text), 200);
	free(text);
	world_stop(w);
	world_free(w);
	json_decref(all);
}

/* Nothing is written. */
ATF_TC_WITHOUT_HEAD(refusals);
ATF_TC_BODY(refusals, tc)
{
	json_t	*all, *v;
	sqlite3	*db;
	FILE	*fp;

	all = vectors_load(tc, "controller/13-sqlite-migration.json");
	ATF_CHECK_EQ(run(tc, ""), 1);
	ATF_CHECK_EQ(run(tc, "controller.db"), 1);
	ATF_CHECK_EQ(run(tc, "controller.db out"), 1);
	ATF_CHECK_EQ(access("controller.db", F_OK), -1);
	v = vectors_get(all, "tables");
	make_database("controller.db", v);
	ATF_CHECK_EQ(run(tc, "controller.db out too"), 1);
	ATF_REQUIRE_EQ(sqlite3_open("controller.db", &db), SQLITE_OK);
	sql(db, "UPDATE Config SET v = '3' WHERE k = 'schemaVersion'");
	ATF_CHECK_EQ(run(tc, "controller.db out"), 1);
	sql(db, "DELETE FROM Config");
	ATF_CHECK_EQ(run(tc, "controller.db out"), 1);
	ATF_REQUIRE_EQ(sqlite3_close(db), SQLITE_OK);
	ATF_REQUIRE((fp = fopen("rubbish", "w")) != NULL);
	fputs("this is no database at all, is it?", fp);
	fclose(fp);
	ATF_CHECK_EQ(run(tc, "rubbish out"), 1);
	ATF_CHECK_EQ(access("out", F_OK), -1);
	json_decref(all);
}

/* Ids become names of files: what is none is left out, and said. */
ATF_TC_WITHOUT_HEAD(hostile);
ATF_TC_BODY(hostile, tc)
{
	json_t	*all;
	sqlite3	*db;

	all = vectors_load(tc, "controller/13-sqlite-migration.json");
	make_database("controller.db", vectors_get(all, "tables"));
	ATF_REQUIRE_EQ(sqlite3_open("controller.db", &db), SQLITE_OK);
	sql(db, "UPDATE Network SET id = '../../../../xxxx' "
	    "WHERE id = '1122334455000004'");
	sql(db, "UPDATE Member SET nodeId = '../../abcd' "
	    "WHERE nodeId = 'dddddddddd'");
	sql(db, "UPDATE Route SET target = x'0a'");
	ATF_REQUIRE_EQ(sqlite3_close(db), SQLITE_OK);
	ATF_CHECK_EQ(run(tc, "controller.db out"), 1);
	ATF_CHECK_EQ(access("out/network/1122334455000001.json", F_OK), 0);
	ATF_CHECK_EQ(access("out/network/1122334455000004.json", F_OK), -1);
	ATF_REQUIRE_EQ(nftw(".", count_file, 16, FTW_PHYS), 0);
	/* The database, three networks, three members. */
	ATF_CHECK_EQ(nfiles, 7);
	json_decref(all);
}

#endif

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, migrate);
#ifdef HAVE_SQLITE3
	ATF_TP_ADD_TC(tp, refusals);
	ATF_TP_ADD_TC(tp, hostile);
#endif
	return (atf_no_error());
}
