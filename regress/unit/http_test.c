/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * HTTP itself: framing against recorded exchanges
 * (vectors/service/http-framing.json), and clients that want to be in the
 * way of others.
 */

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <netinet/in.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "regress/lib/replay.h"
#include "regress/lib/vectors.h"

#define THROWN_MIN	100	/* that have to make room */
#define ROUNDS_MAX	40
#define IDLERS	1000
#define HEALTH	"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

#define TC(name, text)							\
	ATF_TC(name);							\
	ATF_TC_HEAD(name, tc)						\
	{								\
		atf_tc_set_md_var(tc, "descr", text);			\
		atf_tc_set_md_var(tc, "timeout", "120");		\
	}								\
	ATF_TC_BODY(name, tc)

static void
start(struct ctlworld *w, const atf_tc_t *tc)
{
	memset(w, 0, sizeof(*w));
	world_start(w, tc, false);
	w->w_status = world_some_status();
	world_run(w, 200);
}

static double
seconds(void)
{
	struct timespec	 ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((double)ts.tv_sec + (double)ts.tv_nsec / 1e9);
}

static int
dial(const struct ctlworld *w, const char *from)
{
	struct sockaddr_in	 sin;
	int			 fd;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	ATF_REQUIRE((fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK,
	    0)) != -1);
	if (from != NULL) {
		ATF_REQUIRE(inet_pton(AF_INET, from, &sin.sin_addr) == 1);
		ATF_REQUIRE(bind(fd, (struct sockaddr *)&sin,
		    sizeof(sin)) == 0);
	}
	sin.sin_port = htons((uint16_t)w->w_port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		ATF_REQUIRE(errno == EINPROGRESS);
	return (fd);
}

static void
many_descriptors(void)
{
	struct rlimit	 rl;

	ATF_REQUIRE(getrlimit(RLIMIT_NOFILE, &rl) == 0);
	if (rl.rlim_max < IDLERS + 100)
		atf_tc_skip("too few descriptors");
	rl.rlim_cur = IDLERS + 100;
	ATF_REQUIRE(setrlimit(RLIMIT_NOFILE, &rl) == 0);
}

/* ---- recorded ---------------------------------------------------- */

/* What we do better or cannot: the status here counts; 0: no answer. */
static const struct {
	const char	*name;
	int		 status;
} ours[] = {
	/* A page of somebody else's. */
	{ "status-origin-header", 403 },
	{ "status-OPTIONS-no-auth", 403 },
	/* No name of a function. */
	{ "status-jsonp-query-chars", 400 },
	/* There is a code for it. */
	{ "status-unknown-method", 501 },
	{ "status-lowercase-method", 501 },
	/* The limit is that of all headers, 16 kilobytes. */
	{ "long-header", 200 },
	/* Lines may end as they do everywhere else. */
	{ "lf-only", 200 },
	/* /health under a name that anybody may own, without a token. */
	{ "keepalive-two-requests", 401 },
	/* Who falls silent is not told so. */
	{ "half-headers", 0 },
	{ "short-body", 0 },
	/* Who only stops sending gets his answer. */
	{ "post-without-length-half-closed", 200 },
	{ NULL, 0 }
};

static int
status_of(const char *name, int recorded)
{
	size_t	 i;

	for (i = 0; ours[i].name != NULL; i++) {
		if (strcmp(ours[i].name, name) == 0)
			return (ours[i].status);
	}
	return (recorded);
}

/* "x=aa<x repeated, 8210 bytes in all>": as long as it says. */
static char *
expand(const char *s)
{
	const char	*p;
	char		*out;
	size_t		 n, len;

	p = s + strcspn(s, "<");
	n = (size_t)(p - s);
	if (sscanf(p, "<x repeated, %zu", &len) != 1 &&
	    sscanf(p, "<%zu bytes>", &len) != 1)
		return (strdup(s));
	ATF_REQUIRE((out = malloc(len + 1)) != NULL && len > n);
	memset(out, 'a', len);
	memcpy(out, s, n);
	out[len] = '\0';
	return (out);
}

static void
expand_in(json_t *obj, const char *key)
{
	char	*s;

	s = expand(vectors_str(obj, key));
	(void)json_object_set_new(obj, key, json_string(s));
	free(s);
}

TC(framing, "recorded methods, targets and versions")
{
	struct ctlworld	 w;
	struct answer	 an;
	json_t		*all, *vec, *rq, *h;
	const char	*name;
	size_t		 i, n = 0;
	int		 want;

	start(&w, tc);
	all = vectors_load(tc, "service/http-framing.json");
	json_array_foreach(vectors_array(all, "vectors"), i, vec) {
		name = vectors_str(vec, "name");
		rq = vectors_get(vec, "request");
		if (json_object_get(rq, "target") == NULL)
			continue;
		expand_in(rq, "target");
		h = vectors_get(rq, "headers");
		if (json_object_get(h, "X-Long") != NULL)
			expand_in(h, "X-Long");
		want = status_of(name, (int)vectors_u64(vectors_get(vec,
		    "response"), "status"));
		replay(&w, vec, &an);
		ATF_CHECK_EQ_MSG(an.an_status, want, "%s: %d, not %d", name,
		    an.an_status, want);
		answer_clear(&an);
		n++;
	}
	ATF_CHECK_EQ_MSG(n, 28, "%zu exchanges", n);
	json_decref(all);
	world_stop(&w);
}

/* Joined to the network of the recorded answer, or of an earlier one. */
static void
world_as(struct ctlworld *w, const char *answer)
{
	const char	*p;

	if (strstr(answer, "\"nwid\"") == NULL ||
	    (p = strchr(answer, '{')) == NULL)
		return;
	json_decref(w->w_networks);
	w->w_networks = json_pack("[o]", json_loads(p, 0, NULL));
}

TC(raw, "recorded bytes")
{
	struct ctlworld	 w;
	struct answer	 an;
	json_t		*all, *vec, *rq;
	const char	*name, *got;
	char		*bytes;
	size_t		 i, n = 0;
	int		 want, recorded;

	start(&w, tc);
	all = vectors_load(tc, "service/http-framing.json");
	json_array_foreach(vectors_array(all, "vectors"), i, vec) {
		name = vectors_str(vec, "name");
		rq = vectors_get(vec, "request");
		if (json_object_get(rq, "raw") == NULL)
			continue;
		recorded = 0;
		got = vectors_str(vectors_get(vec, "response"), "raw");
		(void)sscanf(got, "HTTP/1.1 %d", &recorded);
		if (recorded == 100)
			(void)sscanf(got, "HTTP/1.1 100 Continue HTTP/1.1 %d",
			    &recorded);
		want = status_of(name, recorded);
		world_as(&w, got);
		bytes = replay_tokens(vectors_str(rq, "raw"));
		world_raw(&w, "127.0.0.1", bytes, &an);
		ATF_CHECK_EQ_MSG(an.an_status, want, "%s: %d, not %d", name,
		    an.an_status, want);
		answer_clear(&an);
		free(bytes);
		n++;
	}
	ATF_CHECK_EQ_MSG(n, 22, "%zu exchanges", n);
	json_decref(all);
	world_stop(&w);
}

/* ---- in the way -------------------------------------------------- */

/* Answered in the client's time; how long it took, to be shown. */
static double
asked(struct ctlworld *w)
{
	struct answer	 an;
	double		 t = seconds();

	world_http(w, "GET", "/status", NULL, NULL, &an);
	ATF_CHECK_EQ(an.an_status, 200);
	answer_clear(&an);
	return (seconds() - t);
}

/*
 * A thousand clients say what is first, and a byte of more in each round of
 * about a second; who is thrown out comes again.  Somebody else asks what
 * he may.  On a busy machine it takes more rounds until all have come, which
 * is when some have to go.
 */
static void
crowd(const atf_tc_t *tc, const char *first, const char *more, int rounds)
{
	struct ctlworld	 w;
	int		 fds[IDLERS], i, round, thrown = 0;
	double		 t, worst = 0;
	char		 junk;

	many_descriptors();
	start(&w, tc);
	for (i = 0; i < IDLERS; i++) {
		fds[i] = dial(&w, NULL);
		(void)send(fds[i], first, strlen(first), MSG_NOSIGNAL);
	}
	for (round = 0; round < rounds ||
	    (thrown < THROWN_MIN && round < ROUNDS_MAX); round++) {
		world_run(&w, 900);
		for (i = 0; i < IDLERS; i++) {
			if (read(fds[i], &junk, 1) == 0 ||
			    (errno != EAGAIN && errno != ENOTCONN)) {
				(void)close(fds[i]);
				fds[i] = dial(&w, NULL);
				thrown++;
				(void)send(fds[i], first, strlen(first),
				    MSG_NOSIGNAL);
			}
			if (round < (int)strlen(more))
				(void)send(fds[i], &more[round], 1,
				    MSG_NOSIGNAL);
		}
		if ((t = asked(&w)) > worst)
			worst = t;
	}
	printf("the slowest answer took %.2f s, %d had to go\n", worst,
	    thrown);
	ATF_CHECK_MSG(thrown >= THROWN_MIN, "only %d had to go", thrown);
	for (i = 0; i < IDLERS; i++)
		(void)close(fds[i]);
	world_run(&w, 1000);
	(void)asked(&w);
	world_stop(&w);
}

TC(idle, "a thousand clients that say nothing")
{
	crowd(tc, "", "", 4);
}

TC(slow, "a thousand clients with a byte of a header a second")
{
	crowd(tc, "G", &HEALTH[1], 6);
}

TC(slow_bodies, "a thousand clients with a byte of a body a second")
{
	crowd(tc, "POST /network/7d229a18e45147ca HTTP/1.1\r\n"
	    "X-ZT1-Auth: " WORLD_TOKEN "\r\nContent-Length: 1000000\r\n"
	    "\r\n{", "     ", 4);
}

TC(drip, "a request has its time")
{
	struct ctlworld	 w;
	double		 t;
	char		 junk;
	int		 fd;
	ssize_t		 n = -1;

	start(&w, tc);
	fd = dial(&w, NULL);
	(void)send(fd, "GET /", 5, MSG_NOSIGNAL);
	for (t = seconds(); n == -1 && seconds() - t < 40;) {
		world_run(&w, 1000);
		if (send(fd, "a", 1, MSG_NOSIGNAL) == -1)
			break;
		n = read(fd, &junk, 1);
	}
	ATF_CHECK_MSG(seconds() - t > 15 && seconds() - t < 39,
	    "closed after %.1f s", seconds() - t);
	(void)close(fd);
	world_stop(&w);
}

TC(keepalive, "five requests on one connection, a waiting one is kept")
{
	struct ctlworld	 w;
	struct answer	 an;
	const char	*p;
	char		 all[1024] = "";
	int		 i, n = 0;

	start(&w, tc);
	for (i = 0; i < 7; i++)
		(void)strlcat(all, HEALTH, sizeof(all));
	world_raw(&w, "127.0.0.1", all, &an);
	ATF_CHECK_EQ(an.an_status, 200);
	ATF_CHECK_STREQ(answer_header(&an, "Keep-Alive"), "timeout=5, max=5");
	for (p = an.an_body; (p = strstr(p, "HTTP/1.1 200")) != NULL; p++)
		n++;
	ATF_CHECK_MSG(n <= 4, "%d more", n);
	answer_clear(&an);
	world_stop(&w);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, framing);
	ATF_TP_ADD_TC(tp, raw);
	ATF_TP_ADD_TC(tp, idle);
	ATF_TP_ADD_TC(tp, slow);
	ATF_TP_ADD_TC(tp, slow_bodies);
	ATF_TP_ADD_TC(tp, drip);
	ATF_TP_ADD_TC(tp, keepalive);
	return (atf_no_error());
}
