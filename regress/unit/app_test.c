/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The app folder: a real ztd-ctl serves files, against recorded exchanges
 * (vectors/service/http-app.json), and gives nothing else away.
 */

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "regress/lib/replay.h"
#include "regress/lib/vectors.h"
#include "ztd-ctl/range.h"

#define SECRET	"nobody may read this"

#define TC(name, text)							\
	ATF_TC(name);							\
	ATF_TC_HEAD(name, tc)						\
	{								\
		atf_tc_set_md_var(tc, "descr", text);			\
		atf_tc_set_md_var(tc, "timeout", "120");		\
	}								\
	ATF_TC_BODY(name, tc)

static char	 home[900];

static void
folder(const char *path)
{
	ATF_REQUIRE(mkdir(path, 0755) == 0 && chmod(path, 0755) == 0);
}

static void
file(const char *path, const char *text)
{
	FILE	*f;

	ATF_REQUIRE((f = fopen(path, "w")) != NULL);
	(void)fputs(text, f);
	(void)fclose(f);
	(void)chmod(path, 0644);
}

/* The folder of the recordings, in a home that holds secrets. */
static void
make_home(bool empty)
{
	ATF_REQUIRE(getcwd(home, sizeof(home)) != NULL);
	(void)chmod(".", 0755);
	folder("app");
	file("identity.secret", SECRET);
	file("application", SECRET);
	if (empty)
		return;
	folder("app/app1");
	folder("app/app1/sub");
	folder("app/app1/sub/deep");
	folder("app/appB");
	file("app/index.html", "<html>root index");
	file("app/appC.html", "<html>appC page");
	file("app/app1/index.html", "<html>app1 index");
	file("app/app1/main.js", "let x=1");
	file("app/app1/style.css", "a{}");
	file("app/app1/data.json", "{\"a\":1}");
	file("app/app1/noext", "plain");
	file("app/app1/x.unknownext", "u");
	file("app/app1/page.html", "<html>page");
	file("app/app1/pic.svg", "<svg/>");
	file("app/app1/a.wasm", "w");
	file("app/app1/t.txt", "t");
	file("app/app1/my.file.js", "dots");
	file("app/app1/UP.JS", "up");
	file("app/app1/empty.txt", "");
	file("app/app1/sub/index.html", "<html>sub index");
	file("app/appB/index.html", "<html>appB index");
	ATF_REQUIRE(symlink("/etc/passwd", "app/app1/link.txt") == 0);
}

static void
start(struct ctlworld *w, const atf_tc_t *tc)
{
	memset(w, 0, sizeof(*w));
	w->w_app = home;
	world_start(w, tc, false);
}

/* GET without a token, as a browser would. */
static void
get(struct ctlworld *w, const char *target, struct answer *an)
{
	world_http(w, "GET", target, "Host: 127.0.0.1:9993\r\n", NULL, an);
}

static void
check(struct ctlworld *w, const char *target, int status, const char *body)
{
	struct answer	 an;

	get(w, target, &an);
	ATF_CHECK_EQ_MSG(an.an_status, status, "%.80s: %d", target,
	    an.an_status);
	ATF_CHECK_STREQ_MSG(an.an_body, body, "%.80s", target);
	answer_clear(&an);
}

/*
 * Recorded answers; empty: those that were taken before there were files.
 * Without a target are eight long paths, see long_paths; two came from other
 * hosts, see host/clients_test.
 */
static size_t
replay_all(struct ctlworld *w, const atf_tc_t *tc, bool empty)
{
	static const char *const	 better[] = {
		/* Neither links out of the folder nor names glued to it. */
		"app-symlink", "app-app-prefix-glued",
		/* Of several ranges all is given. */
		"app-range-multi"
	};
	struct answer	 an;
	json_t		*all, *vec, *rq;
	const char	*name;
	size_t		 i, k, n = 0;

	all = vectors_load(tc, "service/http-app.json");
	json_array_foreach(vectors_array(all, "vectors"), i, vec) {
		name = vectors_str(vec, "name");
		rq = vectors_get(vec, "request");
		if (json_object_get(rq, "target") == NULL ||
		    strncmp(vectors_str(rq, "to"), "127.", 4) != 0 ||
		    (strncmp(name, "app-empty-root", 14) == 0) != empty)
			continue;
		for (k = 0; k < sizeof(better) / sizeof(better[0]) &&
		    strcmp(name, better[k]) != 0; k++)
			continue;
		replay(w, vec, &an);
		if (k == sizeof(better) / sizeof(better[0]))
			replay_check(vec, &an);
		else
			ATF_CHECK_EQ_MSG(an.an_status, strstr(name, "range")
			    != NULL ? 200 : 404, "%s: %d", name,
			    an.an_status);
		answer_clear(&an);
		n++;
	}
	json_decref(all);
	return (n);
}

TC(recorded, "recorded answers of /app")
{
	struct ctlworld	 w;
	struct answer	 an;
	size_t		 n;

	make_home(false);
	start(&w, tc);
	n = replay_all(&w, tc, false);
	ATF_CHECK_EQ_MSG(n, 54, "%zu exchanges", n);
	get(&w, "/app/app1", &an);
	ATF_CHECK_STREQ(answer_header(&an, "Location"), "/app/app1/");
	answer_clear(&an);
	world_http(&w, "HEAD", "/app/app1/main.js", "", NULL, &an);
	ATF_CHECK_STREQ(answer_header(&an, "Content-Length"), "7");
	ATF_CHECK_STREQ(answer_header(&an, "X-Content-Type-Options"),
	    "nosniff");
	ATF_CHECK(strstr(answer_header(&an, "Content-Security-Policy"),
	    "default-src 'self'") != NULL);
	answer_clear(&an);
	world_stop(&w);
}

TC(empty, "an app folder with nothing in it")
{
	struct ctlworld	 w;

	make_home(true);
	start(&w, tc);
	ATF_CHECK_EQ(replay_all(&w, tc, true), 2);
	check(&w, "/app/none/", 500, "");
	world_stop(&w);
}

TC(off, "without the app folder there is nothing, and no token is needed")
{
	struct ctlworld	 w = { 0 };

	world_start(&w, tc, false);
	check(&w, "/app/", 404, "");
	check(&w, "/app/a/b/", 404, "");
	world_stop(&w);
}

TC(escape, "no path leads out of the folder")
{
	static const char *const	 targets[] = {
		"/app/../identity.secret",
		"/app/../../../../../../../../etc/passwd",
		"/app/%2e%2e/identity.secret",
		"/app/%2e%2e%2fidentity.secret",
		"/app/..%2f..%2f..%2f..%2fetc%2fpasswd",
		"/app/%252e%252e/identity.secret",
		"/app/..%5cidentity.secret",
		"/app/%c0%ae%c0%ae/identity.secret",
		"/app/app1/..//../identity.secret",
		"/app/./../identity.secret",
		"/app/app1/%2e%2e/%2e%2e/identity.secret",
		"/app//etc/passwd",
		"/app/%2fetc/passwd",
		"/app/%00/../identity.secret",
		"/app/index.html%00.js",
		"/app/../identity.secret%00.html",
		"/app/../application",
		"/application",
		"/app%2e%2e/identity.secret",
		"/app/out/identity.secret",
		"/app/app1/home/identity.secret",
		"/app/app1/link.txt",
		"/app/app1/up/identity.secret",
		"/app/app1/pipe",
		"/app/app1/x.js/../../../identity.secret"
	};
	struct ctlworld	 w;
	struct answer	 an;
	size_t		 i;

	make_home(false);
	ATF_REQUIRE(symlink("..", "app/out") == 0);
	ATF_REQUIRE(symlink(home, "app/app1/home") == 0);
	ATF_REQUIRE(symlink("../..", "app/app1/up") == 0);
	ATF_REQUIRE(mkfifo("app/app1/pipe", 0666) == 0);
	start(&w, tc);
	for (i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		get(&w, targets[i], &an);
		ATF_CHECK_MSG(strstr(an.an_body, SECRET) == NULL &&
		    strstr(an.an_body, "root:") == NULL, "%s: %s",
		    targets[i], an.an_body);
		ATF_CHECK_MSG(an.an_status == 404 || an.an_status == 401 ||
		    an.an_status == 301, "%s: %d", targets[i], an.an_status);
		answer_clear(&an);
	}
	world_stop(&w);
}

TC(inside, "what is inside is served: links, odd names, large files")
{
	struct ctlworld	 w;
	struct answer	 an;
	char		*big;
	size_t		 n = 3000000;

	make_home(false);
	ATF_REQUIRE(symlink("app1", "app/current") == 0);
	file("app/app1/a b+c.txt", "blank");
	ATF_REQUIRE((big = malloc(n + 1)) != NULL);
	memset(big, 'x', n);
	big[n] = '\0';
	file("app/big.bin", big);
	ATF_REQUIRE(chmod("app/app1/t.txt", 0) == 0);
	start(&w, tc);
	/* As root folder the folder keeps links in, else none is followed. */
	check(&w, "/app/current/style.css", geteuid() == 0 ? 200 : 404,
	    geteuid() == 0 ? "a{}" : "");
	check(&w, "/app/app1/a%20b+c.txt", 200, "blank");
	check(&w, "/app/app1/./sub/../style.css", 200, "a{}");
	check(&w, "/app/app1/t.txt", 404, "");
	get(&w, "/app/big.bin", &an);
	ATF_CHECK_EQ(an.an_status, 200);
	ATF_CHECK_MSG(an.an_len == n, "%zu bytes", an.an_len);
	answer_clear(&an);
	world_http(&w, "GET", "/app/big.bin", "Range: bytes=2999990-\r\n",
	    NULL, &an);
	ATF_CHECK_EQ(an.an_status, 206);
	ATF_CHECK_STREQ(answer_header(&an, "Content-Range"),
	    "bytes 2999990-2999999/3000000");
	ATF_CHECK_STREQ(an.an_body, "xxxxxxxxxx");
	answer_clear(&an);
	free(big);
	world_stop(&w);
}

TC(long_paths, "paths of any length are answered")
{
	struct ctlworld	 w;
	struct answer	 an;
	char		*path;
	size_t		 i;

	make_home(false);
	start(&w, tc);
	ATF_REQUIRE((path = malloc(16384)) != NULL);
	for (i = 1000; i <= 8000; i += 1000) {
		memcpy(path, "/app/", 5);
		memset(path + 5, 'a', i);
		path[5 + i] = '\0';
		get(&w, path, &an);
		ATF_CHECK_EQ_MSG(an.an_status, 301, "%d", an.an_status);
		answer_clear(&an);
		(void)strcat(path, "/");
		check(&w, path, 500, "");
	}
	for (i = 5; i < 8100; i++)
		path[i] = i % 2 == 0 ? '/' : 'a';
	path[i] = '\0';
	get(&w, path, &an);
	ATF_CHECK_MSG(an.an_status != 200, "%d", an.an_status);
	answer_clear(&an);
	check(&w, "/app/app1/style.css", 200, "a{}");
	free(path);
	world_stop(&w);
}

TC(ranges, "the header Range")
{
	static const struct {
		const char		*value;
		enum range_result	 result;
		uint64_t		 from, len;
	} cases[] = {
		{ "bytes=0-9", RANGE_PART, 0, 10 },
		{ "bytes=0-", RANGE_PART, 0, 100 },
		{ "bytes=99-", RANGE_PART, 99, 1 },
		{ "bytes=-5", RANGE_PART, 95, 5 },
		{ "bytes=-500", RANGE_PART, 0, 100 },
		{ "bytes=90-500", RANGE_PART, 90, 10 },
		{ "bytes=0-18446744073709551615", RANGE_PART, 0, 100 },
		{ "bytes=100-", RANGE_BEYOND, 0, 0 },
		{ "bytes=-0", RANGE_BEYOND, 0, 0 },
		{ "bytes=0-1,3-4", RANGE_WHOLE, 0, 0 },
		{ "bytes=0-1, -4", RANGE_WHOLE, 0, 0 },
		{ "bytes=", RANGE_BAD, 0, 0 },
		{ "bytes=-", RANGE_BAD, 0, 0 },
		{ "bytes=z", RANGE_BAD, 0, 0 },
		{ "bytes=4-3", RANGE_BAD, 0, 0 },
		{ "bytes=0-1,", RANGE_BAD, 0, 0 },
		{ "bytes=0-1x", RANGE_BAD, 0, 0 },
		{ "bytes=0-18446744073709551616", RANGE_BAD, 0, 0 },
		{ "lines=0-1", RANGE_BAD, 0, 0 },
		{ "", RANGE_BAD, 0, 0 }
	};
	struct range	 r;
	size_t		 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		r.r_from = r.r_len = 0;
		ATF_CHECK_EQ_MSG(range_parse(cases[i].value, 100, &r),
		    cases[i].result, "%s", cases[i].value);
		if (cases[i].result == RANGE_PART)
			ATF_CHECK_MSG(r.r_from == cases[i].from &&
			    r.r_len == cases[i].len, "%s", cases[i].value);
	}
	ATF_CHECK_EQ(range_parse("bytes=0-", 0, &r), RANGE_BEYOND);
	ATF_CHECK_EQ(range_parse("bytes=-1", 0, &r), RANGE_BEYOND);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, recorded);
	ATF_TP_ADD_TC(tp, empty);
	ATF_TP_ADD_TC(tp, off);
	ATF_TP_ADD_TC(tp, escape);
	ATF_TP_ADD_TC(tp, inside);
	ATF_TP_ADD_TC(tp, long_paths);
	ATF_TP_ADD_TC(tp, ranges);
	return (atf_no_error());
}
