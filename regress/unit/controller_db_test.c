/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The controller's database: torn files, a full disk, crashes, changes that
 * meet each other, and many members.  Spec: 04 sections 7, 10.5, 13.
 */

#ifdef __linux__
#include <sys/mount.h>
#include <sched.h>
#endif
#include <sys/wait.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include "regress/lib/sanitize.h"
#include "regress/wire/controller.h"

#define NETWORK		"ac3ec4d26700abcd"
#define NWID		0xac3ec4d26700abcdULL
#define PATH_NETWORK	"/network/" NETWORK
#define MEMBERS_BIG	SOME(20000, 2500)
#define BYTES_MAX	2048		/* memory for a member */
#define FLIGHT		64

static const char	meta[] = "v=7\npv=d\nmajv=1\nminv=e\nrevv=1\nrevr=1";

/* The same, but changes go to disk in a thread: returns its descriptor. */
static int
start_thread(struct world *w, const atf_tc_t *tc)
{
	int	fd;

	world_start_recorded(w, tc);
	fd = db_thread(w->w_con.c_db);
	ATF_REQUIRE(fd != -1);
	return (fd);
}

static unsigned
post(struct world *w, const char *path, const char *body)
{
	unsigned	 code;
	char		*out;

	code = world_api(w, "POST", path, body, &out);
	if (code == 507)
		ATF_CHECK_MSG(strstr(out, "\"message\"") != NULL, "%s", out);
	free(out);
	return (code);
}

static unsigned
get(struct world *w, const char *path, const char *has)
{
	unsigned	 code;
	char		*out;

	code = world_api(w, "GET", path, "", &out);
	if (has != NULL)
		ATF_CHECK_MSG(strstr(out, has) != NULL, "%s: %s", path, out);
	free(out);
	return (code);
}

static const char *
member_path(uint64_t addr)
{
	static char	path[80];

	snprintf(path, sizeof(path), PATH_NETWORK "/member/%010llx",
	    (unsigned long long)addr);
	return (path);
}

static void
fill(const struct world *w, const char *file, const char *text)
{
	FILE	*f;

	f = fopen(world_path(w, file), "w");
	ATF_REQUIRE(f != NULL);
	fputs(text, f);
	ATF_REQUIRE_EQ(fclose(f), 0);
}

static void
ask(struct world *w, uint64_t addr)
{
	struct identity	id;

	id = w->w_con.c_id;
	id.id_addr = addr;
	id.id_public[0] = (uint8_t)addr;
	request_receive(&w->w_con, w->w_now, NWID, 99, &id, meta,
	    sizeof(meta) - 1);
}

/* ---- files ------------------------------------------------------------ */

/* Halves of files are set aside, and everything else is served. */
ATF_TC_WITHOUT_HEAD(torn);
ATF_TC_BODY(torn, tc)
{
	struct world	*w;

	w = world_new();
	w->w_now = 1700000000000;
	world_start_recorded(w, tc);
	ATF_REQUIRE_EQ(post(w, PATH_NETWORK, "{\"name\":\"kept\"}"), 200);
	ATF_REQUIRE_EQ(post(w, "/network/ac3ec4d26700abce", "{}"), 200);
	ATF_REQUIRE_EQ(post(w, member_path(0x1122334455), "{}"), 200);
	ATF_REQUIRE_EQ(post(w, member_path(0x1122334456), "{}"), 200);
	world_stop(w);
	fill(w, "network/ac3ec4d26700abce.json", "{\"id\":\"ac3ec4d2");
	fill(w, "network/" NETWORK "/member/1122334455.json", "");
	fill(w, "network/" NETWORK "/member/1122334456.json~", "{\"id\"");
	world_start_recorded(w, tc);
	ATF_CHECK_EQ(get(w, PATH_NETWORK, "\"kept\""), 200);
	ATF_CHECK_EQ(get(w, "/network/ac3ec4d26700abce", NULL), 404);
	ATF_CHECK_EQ(get(w, member_path(0x1122334455), NULL), 404);
	ATF_CHECK_EQ(get(w, member_path(0x1122334456), NULL), 200);
	ATF_CHECK_EQ(access(world_path(w, "network/ac3ec4d26700abce.json.bad"),
	    F_OK), 0);
	ATF_CHECK_EQ(access(world_path(w, "network/" NETWORK "/member/"
	    "1122334455.json.bad"), F_OK), 0);
	ATF_CHECK_EQ(access(world_path(w, "network/" NETWORK "/member/"
	    "1122334456.json~"), F_OK), -1);
	world_stop(w);
	world_free(w);
}

/* What was changed by hand meanwhile is in force after the next start. */
ATF_TC_WITHOUT_HEAD(by_hand);
ATF_TC_BODY(by_hand, tc)
{
	struct world	*w;

	w = world_new();
	w->w_now = 1700000000000;
	world_start_recorded(w, tc);
	ATF_REQUIRE_EQ(post(w, PATH_NETWORK, "{}"), 200);
	ATF_REQUIRE_EQ(post(w, member_path(0x1122334455), "{}"), 200);
	world_stop(w);
	fill(w, "network/" NETWORK "/member/1122334455.json",
	    "{ \"id\": \"1122334455\",\n  \"nwid\": \"" NETWORK "\",\n"
	    "  \"name\": \"by hand\", \"revision\": 9, \"mine\": [1] }\n");
	world_start_recorded(w, tc);
	ATF_CHECK_EQ(get(w, member_path(0x1122334455), "\"name\":\"by hand\""),
	    200);
	ATF_CHECK_EQ(get(w, PATH_NETWORK "/member", "{\"1122334455\":9}"),
	    200);
	ATF_REQUIRE_EQ(post(w, member_path(0x1122334455),
	    "{\"authorized\":true}"), 200);
	ATF_CHECK_EQ(get(w, member_path(0x1122334455), "\"mine\":[1]"), 200);
	ATF_CHECK_EQ(get(w, member_path(0x1122334455), "\"revision\":10"),
	    200);
	world_stop(w);
	world_free(w);
}

static void
move(struct world *w, const char *from, const char *to)
{
	char	path[256];

	(void)strlcpy(path, world_path(w, from), sizeof(path));
	ATF_REQUIRE_EQ_MSG(rename(path, world_path(w, to)), 0, "%s", from);
}

/*
 * Names in upper case are read, as the original reads them, and become
 * proper ones; but none takes the place of another file.
 */
ATF_TC_WITHOUT_HEAD(upper_case);
ATF_TC_BODY(upper_case, tc)
{
	static const char	low[] = "network/95841e65270000aa.json";
	static const char	up[] = "network/95841E65270000AA.json";
	static const char	folder[] = "network/95841E65270000AA";
	static const char	member[] = "/network/95841e65270000aa/member/"
				    "aabbccddee";
	struct world		*w;
	size_t			 i;

	w = world_new();
	w->w_now = 1700000000000;
	world_start_recorded(w, tc);
	ATF_REQUIRE_EQ(post(w, "/network/95841e65270000aa",
	    "{\"name\":\"mine\"}"), 200);
	ATF_REQUIRE_EQ(post(w, member, "{}"), 200);
	world_stop(w);
	move(w, low, up);
	move(w, "network/95841e65270000aa/member/aabbccddee.json",
	    "network/95841e65270000aa/member/AABBccddee.json");
	move(w, "network/95841e65270000aa", folder);
	for (i = 0; i < 2; i++) {
		world_start_recorded(w, tc);
		ATF_CHECK_EQ(get(w, "/network/95841e65270000aa",
		    "\"name\":\"mine\""), 200);
		ATF_CHECK_EQ(get(w, member, "\"id\":\"aabbccddee\""), 200);
		ATF_CHECK_EQ(access(world_path(w, up), F_OK), -1);
		ATF_CHECK_EQ(access(world_path(w, low), F_OK), 0);
		world_stop(w);
	}
	/* There is one of that name: it counts, the other stays as it is. */
	fill(w, up, "{\"id\":\"95841e65270000aa\",\"name\":\"other\"}");
	world_start_recorded(w, tc);
	ATF_CHECK_EQ(get(w, "/network/95841e65270000aa",
	    "\"name\":\"mine\""), 200);
	ATF_CHECK_EQ(access(world_path(w, up), F_OK), 0);
	ATF_CHECK_EQ(get(w, "/network", "[\"95841e65270000aa\"]"), 200);
	world_stop(w);
	world_free(w);
}

/* Of an erased network nothing comes back with a new one of its id. */
ATF_TC_WITHOUT_HEAD(erased);
ATF_TC_BODY(erased, tc)
{
	struct world	*w;
	char		*out;
	int		 i;

	w = world_new();
	w->w_now = 1700000000000;
	start_thread(w, tc);
	ATF_REQUIRE_EQ(post(w, PATH_NETWORK, "{}"), 200);
	for (i = 0; i < 1000; i++)
		ATF_REQUIRE_EQ(post(w, member_path(0x1122334400 +
		    (uint64_t)i), "{}"), 200);
	ATF_REQUIRE_EQ(world_api(w, "DELETE", PATH_NETWORK, "", &out), 200);
	free(out);
	ATF_REQUIRE_EQ(post(w, PATH_NETWORK, "{}"), 200);
	ATF_REQUIRE_EQ(post(w, member_path(0x1122334400), "{}"), 200);
	/* An early end leaves the rest for the next start. */
	world_stop(w);
	world_start_recorded(w, tc);
	ATF_CHECK_EQ(get(w, PATH_NETWORK "/member", "{\"1122334400\":1}"),
	    200);
	ATF_CHECK_EQ(access(world_path(w, "network/" NETWORK "~1"), F_OK),
	    -1);
	world_stop(w);
	world_free(w);
}

#ifdef __linux__
/* Fill what is left of the disk; how much that was. */
static void
fill_disk(const struct world *w)
{
	char	block[4096];
	int	fd;

	memset(block, 'x', sizeof(block));
	fd = open(world_path(w, "filler"), O_WRONLY | O_CREAT, 0600);
	ATF_REQUIRE(fd != -1);
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
}

static void
full_run(const atf_tc_t *tc, bool thread)
{
	struct world	*w;
	char		*out;

	w = world_new();
	w->w_now = 1700000000000;
	ATF_REQUIRE_EQ(mount("none", w->w_dir, "tmpfs", 0, "size=256k"), 0);
	if (thread)
		start_thread(w, tc);
	else
		world_start_recorded(w, tc);
	ATF_REQUIRE_EQ(post(w, PATH_NETWORK, "{\"name\":\"before\","
	    "\"private\":false,\"v4AssignMode\":{\"zt\":true},"
	    "\"routes\":[{\"target\":\"10.0.0.0/24\"}],"
	    "\"ipAssignmentPools\":[{\"ipRangeStart\":\"10.0.0.1\","
	    "\"ipRangeEnd\":\"10.0.0.9\"}]}"), 200);
	ATF_REQUIRE_EQ(post(w, member_path(0x1122334455), "{}"), 200);
	fill_disk(w);
	ATF_CHECK_EQ(post(w, PATH_NETWORK, "{\"name\":\"after\"}"), 507);
	ATF_CHECK_EQ(post(w, "/network/ac3ec4d26700abce", "{}"), 507);
	ATF_CHECK_EQ(post(w, member_path(0x1122334455),
	    "{\"authorized\":true}"), 507);
	ATF_CHECK_EQ(post(w, member_path(0x1122334466), "{}"), 507);
	ATF_CHECK_EQ(get(w, PATH_NETWORK, "\"name\":\"before\""), 200);
	ATF_CHECK_EQ(get(w, PATH_NETWORK, "\"revision\":1,"), 200);
	ATF_CHECK_EQ(get(w, "/network/ac3ec4d26700abce", NULL), 404);
	ATF_CHECK_EQ(get(w, member_path(0x1122334455),
	    "\"authorized\":false"), 200);
	ATF_CHECK_EQ(get(w, member_path(0x1122334466), NULL), 404);
	/* An address that cannot be stored is given to nobody. */
	ask(w, 0x1122334477);
	db_wait(w->w_con.c_db);
	ATF_CHECK_EQ(w->w_nsent, 0);
	ATF_CHECK_EQ(get(w, member_path(0x1122334477), NULL), 404);
	ATF_CHECK_EQ(w->w_con.c_networks[0]->n_ips.is_n, 0);
	/* Deleting needs no room. */
	ATF_CHECK_EQ(world_api(w, "DELETE", member_path(0x1122334455), "",
	    &out), 200);
	free(out);

	ATF_REQUIRE_EQ(unlink(world_path(w, "filler")), 0);
	ATF_CHECK_EQ(post(w, PATH_NETWORK, "{\"name\":\"after\"}"), 200);
	w->w_now += 5000;
	ask(w, 0x1122334477);
	db_wait(w->w_con.c_db);
	ATF_REQUIRE_EQ(w->w_nsent, 1);
	ATF_CHECK_EQ(w->w_sent[0].s_type, SENT_CONFIG);
	world_stop(w);
	world_start_recorded(w, tc);
	ATF_CHECK_EQ(get(w, PATH_NETWORK, "\"name\":\"after\""), 200);
	ATF_CHECK_EQ(get(w, member_path(0x1122334477), "\"10.0.0."), 200);
	world_stop(w);
	ATF_REQUIRE_EQ(umount(w->w_dir), 0);
	world_free(w);
}

ATF_TC(full);
ATF_TC_HEAD(full, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(full, tc)
{
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		atf_tc_skip("no mount namespace here");
	full_run(tc, false);
	full_run(tc, true);
}
#endif

/* ---- changes on their way --------------------------------------------- */

struct flight {
	unsigned	 f_answered;
	unsigned	 f_codes[FLIGHT];
	char		*f_out[FLIGHT];
};
static struct flight	flight;

static void
landed(void *arg, unsigned code, char *out, size_t len,
    struct sheet *sh)
{
	const size_t	i = (size_t)(uintptr_t)arg;

	(void)len;
	sheet_free(sh);
	flight.f_codes[i] = code;
	flight.f_out[i] = out;
	flight.f_answered++;
}

static void
take_off(struct world *w, size_t i, enum con_method method, const char *path,
    const char *body)
{
	(void)api_start(&w->w_con, w->w_now, method, path, body,
	    strlen(body), landed, (void *)(uintptr_t)i);
}

static void
flight_clear(void)
{
	size_t	i;

	for (i = 0; i < FLIGHT; i++)
		free(flight.f_out[i]);
	memset(&flight, 0, sizeof(flight));
}

/*
 * Changes of one record wait for each other, none is lost, and nothing is
 * in force or answered before it is durable.
 */
ATF_TC_WITHOUT_HEAD(meeting);
ATF_TC_BODY(meeting, tc)
{
	static const char *const bodies[] = { "{\"name\":\"a\"}",
	    "{\"tags\":[[1,2]]}", "{\"activeBridge\":true}",
	    "{\"authorized\":true}" };
	struct world	*w;
	size_t		 i;

	w = world_new();
	w->w_now = 1700000000000;
	start_thread(w, tc);
	ATF_REQUIRE_EQ(post(w, PATH_NETWORK, "{}"), 200);
	for (i = 0; i < 4; i++)
		take_off(w, i, METHOD_POST, member_path(0x1122334455),
		    bodies[i]);
	ATF_CHECK_EQ(flight.f_answered, 0);
	ATF_CHECK_EQ(get(w, member_path(0x1122334455), NULL), 404);
	db_wait(w->w_con.c_db);
	ATF_CHECK_EQ(flight.f_answered, 4);
	for (i = 0; i < 4; i++)
		ATF_CHECK_EQ_MSG(flight.f_codes[i], 200, "%s",
		    flight.f_out[i]);
	ATF_CHECK_EQ(get(w, member_path(0x1122334455), "\"revision\":4"),
	    200);
	ATF_CHECK_EQ(get(w, member_path(0x1122334455), "\"tags\":[[1,2]]"),
	    200);
	ATF_CHECK_EQ(get(w, member_path(0x1122334455), "\"name\":\"a\""),
	    200);
	flight_clear();

	/* A network that goes with members on their way. */
	take_off(w, 0, METHOD_POST, member_path(0x1122334455),
	    "{\"name\":\"b\"}");
	take_off(w, 1, METHOD_DELETE, PATH_NETWORK, "");
	take_off(w, 2, METHOD_POST, member_path(0x1122334466), "{}");
	take_off(w, 3, METHOD_POST, PATH_NETWORK, "{\"name\":\"new\"}");
	db_wait(w->w_con.c_db);
	ATF_CHECK_EQ(flight.f_answered, 4);
	ATF_CHECK_EQ(flight.f_codes[0], 200);
	ATF_CHECK_EQ(flight.f_codes[1], 200);
	ATF_CHECK_EQ(flight.f_codes[2], 404);
	ATF_CHECK_EQ(flight.f_codes[3], 200);
	flight_clear();
	world_stop(w);
	world_start_recorded(w, tc);
	get(w, PATH_NETWORK "/member", NULL);
	world_stop(w);
	world_free(w);
}

/* Those who ask at once get different addresses, also after a restart. */
ATF_TC_WITHOUT_HEAD(addresses);
ATF_TC_BODY(addresses, tc)
{
	struct network	*n;
	struct world	*w;
	uint64_t	 i;

	w = world_new();
	w->w_now = 1700000000000;
	start_thread(w, tc);
	ATF_REQUIRE_EQ(post(w, PATH_NETWORK, "{\"private\":false,"
	    "\"v4AssignMode\":{\"zt\":true},"
	    "\"routes\":[{\"target\":\"10.0.0.0/22\"}],"
	    "\"ipAssignmentPools\":[{\"ipRangeStart\":\"10.0.0.1\","
	    "\"ipRangeEnd\":\"10.0.1.100\"}]}"), 200);
	/* All begin their search at the same place. */
	for (i = 0; i < 200; i++) {
		ask(w, 0x1000000000 + i * 355);
		ask(w, 0x1000000000 + i * 355);
	}
	db_wait(w->w_con.c_db);
	n = w->w_con.c_networks[0];
	ATF_CHECK_EQ(w->w_nsent, 200);
	ATF_CHECK_EQ(n->n_nmembers, 200);
	ATF_CHECK_EQ(n->n_ips.is_n, 200);
	world_stop(w);
	start_thread(w, tc);
	n = w->w_con.c_networks[0];
	ATF_CHECK_EQ(n->n_ips.is_n, 200);
	/* 254 and 100 of the range end in no .255: then it is full. */
	for (i = 200; i < 400; i++)
		ask(w, 0x1000000000 + i * 355);
	db_wait(w->w_con.c_db);
	ATF_CHECK_EQ(n->n_nmembers, 400);
	ATF_CHECK_EQ_MSG(n->n_ips.is_n, 355, "%zu", n->n_ips.is_n);
	ATF_CHECK(n->n_full4);
	world_stop(w);
	world_free(w);
}

/* ---- crashes ----------------------------------------------------------- */

static int	acked;

static void
ack(void *arg, unsigned code, char *out, size_t len,
    struct sheet *sh)
{
	const uint32_t	what = (uint32_t)(uintptr_t)arg;

	(void)len;
	free(out);
	sheet_free(sh);
	flight.f_answered--;
	if (code == 200)
		ATF_REQUIRE_EQ(write(acked, &what, sizeof(what)),
		    (ssize_t)sizeof(what));
}

/* Change records until killed, telling which changes were acknowledged. */
static void
victim(struct world *w, const atf_tc_t *tc, uint32_t round)
{
	struct pollfd	 pfd;
	char		 body[64];
	uint32_t	 i;

	pfd.fd = start_thread(w, tc);
	pfd.events = POLLIN;
	flight.f_answered = 0;
	for (i = round << 20;; i++) {
		snprintf(body, sizeof(body), "{\"name\":\"%u\"}", i);
		flight.f_answered++;
		(void)api_start(&w->w_con, w->w_now, METHOD_POST,
		    member_path(0x1000000000 + i % 50), body, strlen(body),
		    ack, (void *)(uintptr_t)i);
		while (flight.f_answered >= 32) {
			(void)poll(&pfd, 1, 1000);
			controller_poll(&w->w_con, w->w_now);
		}
	}
}

ATF_TC_WITHOUT_HEAD(killed);
ATF_TC_BODY(killed, tc)
{
	uint32_t	 last[50], what, name;
	struct world	*w;
	json_t		*r;
	unsigned	 total = 0;
	uint32_t	 i, round;
	pid_t		 pid;
	int		 fds[2], status;

	memset(last, 0, sizeof(last));
	w = world_new();
	w->w_now = 1700000000000;
	world_start_recorded(w, tc);
	ATF_REQUIRE_EQ(post(w, PATH_NETWORK, "{}"), 200);
	world_stop(w);
	for (round = 1; round <= 20; round++) {
		ATF_REQUIRE_EQ(pipe(fds), 0);
		ATF_REQUIRE((pid = fork()) != -1);
		if (pid == 0) {
			close(fds[0]);
			acked = fds[1];
			victim(w, tc, round);
		}
		close(fds[1]);
		for (i = 0; i < 10 && read(fds[0], &what, sizeof(what)) ==
		    (ssize_t)sizeof(what); i++, total++)
			last[what % 50] = what;
		usleep(round * 7919 % 40 * 1000);
		ATF_REQUIRE_EQ(kill(pid, SIGKILL), 0);
		ATF_REQUIRE_EQ(waitpid(pid, &status, 0), pid);
		while (read(fds[0], &what, sizeof(what)) ==
		    (ssize_t)sizeof(what)) {
			last[what % 50] = what;
			total++;
		}
		close(fds[0]);
		world_start_recorded(w, tc);
		for (i = 0; i < 50; i++) {
			if (last[i] == 0)
				continue;
			ATF_REQUIRE(store_member(w->w_con.c_networks[0],
			    0x1000000000 + i) != NULL);
			r = member_record(store_member(
			    w->w_con.c_networks[0], 0x1000000000 + i));
			name = (uint32_t)value_int(json_object_get(r,
			    "name"), 0);
			ATF_CHECK_MSG(name >= last[i] && name % 50 == i,
			    "%u after %u", name, last[i]);
			json_decref(r);
		}
		world_stop(w);
	}
	printf("%u changes acknowledged in %u lives\n", total, round - 1);
	ATF_CHECK(total > 100);
	world_free(w);
}

/* ---- many -------------------------------------------------------------- */

#ifdef __linux__
/* A line of /proc/self/...; 0 when there is none. */
static long
proc_number(const char *file, const char *name)
{
	char	 line[256];
	long	 n = 0;
	FILE	*f;

	ATF_REQUIRE((f = fopen(file, "r")) != NULL);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, strlen(name)) == 0)
			n = strtol(line + strlen(name), NULL, 10);
	fclose(f);
	return (n);
}

static void
make_members(struct world *w, uint64_t n)
{
	char		 text[IDENTITY_TEXT_PUBLIC], file[128];
	struct identity	 id = w->w_con.c_id;
	uint64_t	 i;
	FILE		*f;

	ATF_REQUIRE_EQ(mkdir(world_path(w, "network/" NETWORK), 0700), 0);
	ATF_REQUIRE_EQ(mkdir(world_path(w, "network/" NETWORK "/member"),
	    0700), 0);
	for (i = 0; i < n; i++) {
		id.id_addr = 0x1000000000 + i;
		id.id_public[0] = (uint8_t)i;
		snprintf(file, sizeof(file), "network/" NETWORK
		    "/member/%010llx.json", (unsigned long long)id.id_addr);
		f = fopen(world_path(w, file), "w");
		ATF_REQUIRE(f != NULL);
		fprintf(f, "{\"authorized\":true,\"id\":\"%010llx\","
		    "\"identity\":\"%s\",\"ipAssignments\":"
		    "[\"10.0.%llu.%llu\"],\"nwid\":\"" NETWORK "\","
		    "\"revision\":1}", (unsigned long long)id.id_addr,
		    identity_format(text, &id, false),
		    (unsigned long long)i / 250,
		    (unsigned long long)i % 250 + 1);
		fclose(f);
	}
}

/*
 * What a member costs while it is online, and that asking again costs no
 * disk.
 */
ATF_TC(many);
ATF_TC_HEAD(many, tc)
{
	atf_tc_set_md_var(tc, "timeout", "600");
}
ATF_TC_BODY(many, tc)
{
	struct world	*w;
	uint64_t	 i;
	long		 before, after, writes;

	w = world_new();
	w->w_now = 1700000000000;
	world_start_recorded(w, tc);
	ATF_REQUIRE_EQ(post(w, PATH_NETWORK, "{\"v4AssignMode\":"
	    "{\"zt\":true},\"routes\":[{\"target\":\"10.0.0.0/16\"}],"
	    "\"ipAssignmentPools\":[{\"ipRangeStart\":\"10.0.0.1\","
	    "\"ipRangeEnd\":\"10.0.255.254\"}]}"), 200);
	make_members(w, MEMBERS_BIG);
	world_stop(w);
	before = proc_number("/proc/self/status", "VmRSS:");
	start_thread(w, tc);
	ATF_CHECK_EQ(w->w_con.c_networks[0]->n_nmembers, MEMBERS_BIG);
	/* The first time the records get their versions and defaults. */
	for (i = 0; i < MEMBERS_BIG; i++) {
		ask(w, 0x1000000000 + i);
		world_forget(w);
		if (i % 1024 == 0)
			db_wait(w->w_con.c_db);
	}
	db_wait(w->w_con.c_db);
	world_forget(w);
	after = proc_number("/proc/self/status", "VmRSS:");
	printf("%ld bytes for a member\n", (after - before) * 1024 /
	    MEMBERS_BIG);
	ATF_CHECK(SANITIZED ||
	    (after - before) * 1024 / MEMBERS_BIG < BYTES_MAX);
	w->w_now += 60000;
	for (i = 0; i < 1000; i++)
		ask(w, 0x1000000000 + i * 17 % MEMBERS_BIG);
	world_forget(w);
	w->w_now += 60000;
	writes = proc_number("/proc/self/io", "syscw:");
	for (i = 0; i < 1000; i++)
		ask(w, 0x1000000000 + i * 17 % MEMBERS_BIG);
	ATF_CHECK_EQ(proc_number("/proc/self/io", "syscw:"), writes);
	ATF_CHECK_EQ(w->w_nsent, 1000);
	world_stop(w);
	world_free(w);
}
#endif

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, torn);
	ATF_TP_ADD_TC(tp, by_hand);
	ATF_TP_ADD_TC(tp, upper_case);
	ATF_TP_ADD_TC(tp, erased);
	ATF_TP_ADD_TC(tp, meeting);
	ATF_TP_ADD_TC(tp, addresses);
	ATF_TP_ADD_TC(tp, killed);
#ifdef __linux__
	ATF_TP_ADD_TC(tp, full);
	ATF_TP_ADD_TC(tp, many);
#endif
	return (atf_no_error());
}
