/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * ztctl as zerotier-cli, against recorded runs (vectors/service/cli.json),
 * before a service that is played.
 */

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "regress/lib/ctlworld.h"
#include "regress/lib/run.h"
#include "regress/lib/service.h"
#include "regress/lib/vectors.h"

#define HOMES	"/var/db/ztdx"		/* in the recordings */
#define ARGS	16

#define TC(name, text)							\
	ATF_TC(name);							\
	ATF_TC_HEAD(name, tc)						\
	{								\
		atf_tc_set_md_var(tc, "descr", text);			\
		atf_tc_set_md_var(tc, "timeout", "300");		\
	}								\
	ATF_TC_BODY(name, tc)

/* Recorded runs that we answer otherwise on purpose (05, BETTER). */
static const struct {
	const char	*name;
	int		 exit;
} better[] = {
	{ "cli-set-name=x", 2 },
	{ "cli-get-assignedAddresses", 2 }, { "cli-get-routes", 2 },
	{ "cli-get-dns", 2 }, { "cli-get-nosuch", 2 },
	{ "cli-get-ip6x", 2 }, { "cli-get-ip5", 2 },
	{ "cli-get-unknown-network", 1 }, { "cli-get-uppercase-id", 1 },
	{ "cli-orbit-no-seed", 2 }, { "cli-orbit-no-args", 2 },
	{ "cli-orbit-nonhex", 2 }, { "cli-deorbit-no-args", 2 }
};

static int
better_exit(const char *name, int recorded)
{
	size_t	 i;

	for (i = 0; i < sizeof(better) / sizeof(better[0]); i++) {
		if (strcmp(better[i].name, name) == 0)
			return (better[i].exit);
	}
	return (recorded);
}

/* ---- the service ------------------------------------------------- */

static struct {
	json_t	*cli;		/* the recordings */
	int	 fd;		/* listening */
	char	 port[8];
	char	*program;	/* ztctl, where a case says so */
	const char *messages;	/* the body of /ztd/message, as next */
	const char *peers;	/* the body of /peer, NULL: as for others */
	const char *status, *networks;	/* those of their paths, as that */
} service;

/* What a recorded run printed. */
static const char *
recorded(const char *name)
{
	json_t	*vec;
	size_t	 i;

	json_array_foreach(vectors_array(service.cli, "vectors"), i, vec) {
		if (strcmp(vectors_str(vec, "name"), name) == 0)
			return (vectors_str(vectors_get(vec, "response"),
			    "stdout"));
	}
	atf_tc_fail("no recording %s", name);
}

static void
service_start(const atf_tc_t *tc)
{
	unsigned	 port;

	service.cli = vectors_load(tc, "service/cli.json");
	service.fd = service_listen(&port);
	(void)snprintf(service.port, sizeof(service.port), "%u", port);
}

/* One connection: the body for the path, or the given status and body. */
static void
service_answer(int fd, int status, const char *other)
{
	char		 buf[8192], path[512], *head;
	const char	*body = other;

	service_read(fd, buf, sizeof(buf), path, sizeof(path));
	if (strcmp(path, "/health") == 0)
		body = *other == '\0' ? "{}" : other;
	else if (strstr(buf, "X-ZT1-Auth: " WORLD_TOKEN "\r\n") == NULL) {
		status = 401;
		body = "{}";
	} else if (status == 200 && strncmp(buf, "GET ", 4) == 0) {
		if (strcmp(path, "/peer") == 0 && service.peers != NULL)
			body = service.peers;
		else if (strcmp(path, "/status") == 0 &&
		    service.status != NULL)
			body = service.status;
		else if (strcmp(path, "/network") == 0 &&
		    service.networks != NULL)
			body = service.networks;
		else if (strncmp(path, "/ztd/message?", 13) == 0)
			body = strcmp(path + 13, "after=7") == 0 ? "[]" :
			    service.messages;
		else if (strcmp(path, "/status") == 0 && *other == '\0')
			body = recorded("cli-info-json");
		else if (strcmp(path, "/network") == 0 && *other != '[')
			body = recorded("cli-listnetworks-json");
		else if (strcmp(path, "/peer") == 0 && *other == '\0')
			body = recorded("cli-listpeers-json");
		else if (strcmp(path, "/moon") == 0)
			body = recorded("cli-listmoons-json");
	}
	/* Until nobody reads it, which ends this process. */
	while (status == 100 && write(fd, "HTTP/1.1 100 X\r\n\r\n", 18) > 0)
		continue;
	if (asprintf(&head, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n\r\n%s",
	    status, strlen(body), body) != -1)
		(void)!write(fd, head, strlen(head));
	(void)close(fd);
}

static pid_t
service_run(int status, const char *other)
{
	pid_t	 pid;
	int	 fd;

	pid = fork();
	ATF_REQUIRE(pid != -1);
	if (pid != 0)
		return (pid);
	for (;;) {
		if ((fd = accept(service.fd, NULL, NULL)) != -1)
			service_answer(fd, status, other);
	}
}

static void
service_end(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

/* Homes as in the recordings, below ./ztdx. */
static void
homes_make(void)
{
	(void)mkdir("ztdx", 0755);
	(void)mkdir("ztdx/n1", 0755);
	(void)mkdir("ztdx/n2", 0755);
	(void)mkdir("ztdx/n3", 0755);
	(void)mkdir("ztdx/empty", 0755);
	(void)mkdir("ztdx/userhome", 0755);
	(void)mkdir("ztdx/nltoken", 0755);
	run_file("ztdx/n1/zerotier-one.port", service.port);
	run_file("ztdx/n2/zerotier-one.port", service.port);
	run_file("ztdx/n3/zerotier-one.port", service.port);
	run_file("ztdx/nltoken/zerotier-one.port", service.port);
	run_file("ztdx/n1/authtoken.secret", WORLD_TOKEN);
	run_file("ztdx/n2/authtoken.secret", WORLD_TOKEN);
	run_file("ztdx/n3/authtoken.secret", WORLD_TOKEN);
	run_file("ztdx/nltoken/authtoken.secret", "  " WORLD_TOKEN "\r\n");
	run_file("ztdx/userhome/.zeroTierOneAuthToken", WORLD_TOKEN "\n");
}

/* ---- recorded runs ----------------------------------------------- */

/* argv of a recording, with our homes, port and token. */
static void
fill_argv(char *argv[ARGS + 1], json_t *list, const char *homes)
{
	char	*a, *b;
	json_t	*e;
	size_t	 i;

	ATF_REQUIRE(json_array_size(list) <= ARGS);
	json_array_foreach(list, i, e) {
		a = run_replace(json_string_value(e), HOMES, homes);
		b = run_replace(a, "AUTHTOKEN", WORLD_TOKEN);
		free(a);
		a = run_replace(b, "-p9993", "-pPORT");
		free(b);
		argv[i] = run_replace(a, "PORT", service.port);
		free(a);
	}
	argv[i] = NULL;
}

static void
fill_env(char *env[ARGS + 1], json_t *obj, const char *homes)
{
	const char	*key;
	char		*v;
	json_t		*e;
	size_t		 n = 0;

	json_object_foreach(obj, key, e) {
		v = run_replace(json_string_value(e), HOMES, homes);
		ATF_REQUIRE(n < ARGS && asprintf(&env[n++], "%s=%s", key,
		    v) != -1);
		free(v);
	}
	env[n] = NULL;
}

static void
free_list(char **list)
{
	for (; *list != NULL; list++)
		free(*list);
}

static void
check_text(const char *name, const char *what, const char *got,
    const char *want, const char *homes)
{
	char	*g;

	g = run_replace(got, homes, HOMES);
	run_check(name, what, g, want);
	free(g);
}

/* Which answer of the service a recorded output follows from. */
static pid_t
service_for(const char *out)
{
	static char	 body[65536];
	int		 status = 200, n = 0;

	body[0] = '\0';
	if (*out == '{')
		(void)strlcpy(body, out, sizeof(body));
	else if (sscanf(out, "%d %*s %n", &status, &n) == 1 && n > 0 &&
	    status >= 400) {
		(void)strlcpy(body, out + n, sizeof(body));
		body[strcspn(body, "\n")] = '\0';
	} else
		status = 200;
	return (service_run(status, body));
}

static bool
skipped(const char *name)
{
	static const char *const	 parts[] = {
		/* Ages that go with the clock; see peers. */
		"cli-peers", "cli-listpeers",
		/* A newline in the token file, ids of 16 digits, arguments of
		 * setmtu: where we do better. */
		"newline", "16-digit", "setmtu-argc-7", "bad-token-get",
		"cli-port-file-bad",
		/* Needs the service's own state at that moment. */
		"requesting", "cli-sso", "cli-path-", "cli-bond-",
		"cli-host-switch-v6", "cli-host-switch-other",
		"cli-default-home", "cli-dump", "cli-deorbit-no-args",
		"cli-listbonds"
	};
	size_t				 i;

	if (strcmp(name, "cli-get-ip-none") == 0)
		return (true);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (strstr(name, parts[i]) != NULL)
			return (strcmp(name, "cli-bond-no-args") != 0 &&
			    strstr(name, "not-in-use") == NULL &&
			    strstr(name, "-none") == NULL);
	}
	return (strncmp(name, "cli-", 4) != 0);
}

TC(client, "recorded runs of the client")
{
	struct run	 r;
	char		*path, *homes, *argv[ARGS + 1], *env[ARGS + 1];
	json_t		*vec, *rq, *resp;
	const char	*name, *err;
	size_t		 i, n = 0;
	pid_t		 pid;

	service_start(tc);
	homes_make();
	path = world_program(tc, "bin/ztctl");
	homes = realpath("ztdx", NULL);
	ATF_REQUIRE(homes != NULL);
	json_array_foreach(vectors_array(service.cli, "vectors"), i, vec) {
		name = vectors_str(vec, "name");
		if (skipped(name))
			continue;
		rq = vectors_get(vec, "request");
		resp = vectors_get(vec, "response");
		fill_argv(argv, vectors_get(rq, "argv"), homes);
		fill_env(env, vectors_get(rq, "env"), homes);
		pid = service_for(vectors_str(resp, "stdout"));
		run_program(&r, path, argv, env);
		service_end(pid);
		ATF_CHECK_EQ_MSG(r.r_exit, better_exit(name, (int)
		    json_integer_value(vectors_get(resp, "exit"))),
		    "%s: exit %d, %s%s", name, r.r_exit, r.r_out, r.r_err);
		check_text(name, "stdout", r.r_out,
		    vectors_str(resp, "stdout"), homes);
		err = vectors_str(resp, "stderr");
		if (better_exit(name, -99) == -99 || *err != '\0')
			check_text(name, "stderr", r.r_err, err, homes);
		run_clear(&r);
		free_list(argv);
		free_list(env);
		n++;
	}
	ATF_CHECK_MSG(n >= 110, "only %zu runs", n);
	free(homes);
	free(path);
	json_decref(service.cli);
}

TC(peers, "lists of peers, ages, and the note about tunnels")
{
	static char	 body[] = "[{\"address\":\"7d229a18e4\",\"latency\":12,"
	    "\"role\":\"MOON\",\"tunneled\":false,\"version\":\"1.14.1\","
	    "\"versionMajor\":1,\"paths\":[{\"preferred\":false},"
	    "{\"address\":\"10.77.0.1/9993\",\"preferred\":true,"
	    "\"lastSend\":0,\"lastReceive\":99999999999999}]},"
	    "{\"address\":\"62f865ae71\",\"latency\":-1,\"role\":\"PLANET\","
	    "\"tunneled\":false,\"version\":\"-1.-1.-1\","
	    "\"versionMajor\":-1,\"paths\":[]},"
	    "{\"address\":\"ba716ad55e\",\"latency\":3,\"role\":\"LEAF\","
	    "\"tunneled\":true,\"version\":\"1.2.0\",\"versionMajor\":1,"
	    "\"paths\":[{\"address\":\"10.0.0.9/443\",\"preferred\":true,"
	    "\"lastSend\":0,\"lastReceive\":0}]}]";
	struct run	 r;
	char		*path, *env[] = { NULL };
	char		 home[] = "-Dztdx/n2", cli[] = "zerotier-cli";
	char		 peers[] = "peers", list[] = "listpeers";
	char		*argv[] = { cli, home, peers, NULL };
	pid_t		 pid;

	service_start(tc);
	homes_make();
	path = world_program(tc, "bin/ztctl");
	pid = service_run(200, body);
	run_program(&r, path, argv, env);
	ATF_CHECK_EQ(r.r_exit, 0);
	ATF_CHECK_STREQ(r.r_out, "200 peers\n"
	    "<ztaddr>   <ver>  <role> <lat> <link>   <lastTX> <lastRX> "
	    "<path>\n"
	    "7d229a18e4 1.14.1 MOON      12 DIRECT   -1       0        "
	    "10.77.0.1/9993\n"
	    "62f865ae71 -      PLANET    -1 RELAY\n"
	    "ba716ad55e 1.2.0  LEAF       3 RELAY -1       -1       "
	    "10.0.0.9/443\n"
	    "NOTE: Currently tunneling through a TCP relay. Ensure that UDP "
	    "is not blocked.\n");
	run_clear(&r);
	argv[2] = list;
	run_program(&r, path, argv, env);
	ATF_CHECK_EQ(r.r_exit, 0);
	ATF_CHECK_STREQ(r.r_out, "200 listpeers <ztaddr> <path> <latency> "
	    "<version> <role>\n"
	    "200 listpeers 7d229a18e4 10.77.0.1/9993;-1;0 12 1.14.1 MOON\n"
	    "200 listpeers 62f865ae71 - -1 - PLANET\n"
	    "200 listpeers ba716ad55e 10.0.0.9/443;-1;-1 3 1.2.0 LEAF\n");
	run_clear(&r);
	service_end(pid);
	free(path);
	json_decref(service.cli);
}

/* Run a command of up to two words; exit status and output as given. */
static void
check_run(const char *word, const char *more, int status, const char *out)
{
	struct run	 r;
	char		*env[] = { NULL };
	char		 home[] = "-Dztdx/n2", cli[] = "ztctl", a[64], b[64];
	char		*argv[] = { cli, home, a, b, NULL };

	(void)strlcpy(a, word, sizeof(a));
	if (more == NULL)
		argv[3] = NULL;
	else
		(void)strlcpy(b, more, sizeof(b));
	run_program(&r, service.program, argv, env);
	ATF_CHECK_EQ_MSG(r.r_exit, status, "%s: exit %d", word, r.r_exit);
	ATF_CHECK_MSG(strcmp(r.r_out, out) == 0, "%s: \"%s\", want \"%s\"",
	    word, r.r_out, out);
	run_clear(&r);
}

/*
 * Run ztctl or zerotier-cli with up to five words, before a service that
 * answers so.
 */
static void
run_words(struct run *r, const char *name, int status, const char *body,
    const char *const *words)
{
	char	 argv0[32], home[] = "-Dztdx/n2", copies[5][64];
	char	*env[] = { NULL }, *argv[8] = { argv0, home };
	pid_t	 pid;
	size_t	 i;

	(void)strlcpy(argv0, name, sizeof(argv0));
	for (i = 0; words[i] != NULL; i++) {
		(void)strlcpy(copies[i], words[i], sizeof(copies[i]));
		argv[2 + i] = copies[i];
	}
	pid = service_run(status, body);
	run_program(r, service.program, argv, env);
	service_end(pid);
}

#define WORDS(...)	((const char *const []){ __VA_ARGS__, NULL })

static void
words_start(const atf_tc_t *tc)
{
	service_start(tc);
	homes_make();
	service.program = world_program(tc, "bin/ztctl");
}

static void
words_end(void)
{
	free(service.program);
	json_decref(service.cli);
}

/* The n-th word of the line that begins so. */
static void
check_word(const char *text, const char *line, unsigned n, const char *want)
{
	const char	*p;
	size_t		 len;

	ATF_REQUIRE_MSG((p = strstr(text, line)) != NULL, "%s", text);
	while (--n > 0) {
		p += strcspn(p, " \n");
		p += *p == ' ';
	}
	len = strcspn(p, " \n");
	ATF_CHECK_MSG(len == strlen(want) && strncmp(p, want, len) == 0,
	    "word is %.*s, want %s", (int)len, p, want);
}

/* What other programs take out of it: word by word. */
TC(parsed, "the words at which scripts and firewalls look")
{
	struct run	 r;

	words_start(tc);
	run_words(&r, "zerotier-cli", 200, "", WORDS("info"));
	check_word(r.r_out, "200 info", 3, "f042bf1eb9");
	check_word(r.r_out, "200 info", 5, "ONLINE");
	run_clear(&r);
	run_words(&r, "zerotier-cli", 200, "{\"address\":\"f042bf1eb9\","
	    "\"version\":\"1.14.1\",\"online\":false,"
	    "\"tcpFallbackActive\":true}", WORDS("status"));
	check_word(r.r_out, "200 info", 5, "TUNNELED");
	run_clear(&r);
	run_words(&r, "zerotier-cli", 200, "[{\"nwid\":\"8056c2e21c000001\","
	    "\"name\":\"\",\"mac\":\"02:00:00:00:00:01\",\"status\":"
	    "\"REQUESTING_CONFIGURATION\",\"type\":\"PRIVATE\","
	    "\"portDeviceName\":\"ztabc\",\"assignedAddresses\":[]},"
	    "{\"nwid\":\"8056c2e21c000002\",\"name\":\"lab\",\"mac\":\"m\","
	    "\"status\":\"OK\",\"type\":\"PUBLIC\",\"portDeviceName\":"
	    "\"ztdef\",\"assignedAddresses\":[\"10.0.0.1/24\","
	    "\"fd00::1/88\"]}]", WORDS("listnetworks"));
	ATF_CHECK_STREQ(r.r_out,
	    "200 listnetworks <nwid> <name> <mac> <status> <type> <dev> <ZT "
	    "assigned ips>\n"
	    "200 listnetworks 8056c2e21c000001  02:00:00:00:00:01 "
	    "REQUESTING_CONFIGURATION PRIVATE ztabc -\n"
	    "200 listnetworks 8056c2e21c000002 lab m OK PUBLIC ztdef "
	    "10.0.0.1/24,fd00::1/88\n");
	check_word(r.r_out, "200 listnetworks 8056c2e21c000002", 6, "OK");
	check_word(r.r_out, "200 listnetworks 8056c2e21c000002", 8, "ztdef");
	run_clear(&r);
	words_end();
}

TC(paths, "a path is asked for as it is, with and without -j")
{
	struct run	 r;

	words_start(tc);
	run_words(&r, "zerotier-cli", 200, "{\"online\":true}",
	    WORDS("/health"));
	ATF_CHECK_EQ(r.r_exit, 0);
	ATF_CHECK_STREQ(r.r_out, "{\"online\":true}");
	run_clear(&r);
	run_words(&r, "zerotier-cli", 200, "{\"online\":true}",
	    WORDS("-j", "/health"));
	ATF_CHECK_EQ(r.r_exit, 0);
	ATF_CHECK_STREQ(r.r_out, "{\"online\":true}");
	run_clear(&r);
	run_words(&r, "zerotier-cli", 404, "{}", WORDS("/network/11"));
	ATF_CHECK_EQ(r.r_exit, 1);
	ATF_CHECK_STREQ(r.r_out, "404 /network/11 {}\n");
	ATF_CHECK_STREQ(r.r_err, "");
	run_clear(&r);
	words_end();
}

TC(sso, "where somebody has to log in, and until when that holds")
{
	struct run	 r;

	words_start(tc);
	run_words(&r, "zerotier-cli", 200, "[{\"nwid\":\"7d229a18e49671fa\","
	    "\"name\":\"\",\"mac\":\"fa:81:d4:5b:06:23\",\"status\":"
	    "\"AUTHENTICATION_REQUIRED\",\"type\":\"PRIVATE\","
	    "\"portDeviceName\":\"ztmxday2i6\",\"assignedAddresses\":[],"
	    "\"ssoEnabled\":true,\"authenticationURL\":"
	    "\"https://login.example/start?x=1\","
	    "\"authenticationExpiryTime\":0}]", WORDS("listnetworks"));
	ATF_CHECK_MSG(strstr(recorded("cli-sso-v0-listnetworks"),
	    strchr(r.r_out, '\n')) != NULL, "%s", r.r_out);
	run_clear(&r);
	run_words(&r, "zerotier-cli", 200, "[{\"nwid\":\"7d229a18e49671fa\","
	    "\"status\":\"OK\",\"ssoEnabled\":true,"
	    "\"authenticationExpiryTime\":99999999999999}]",
	    WORDS("listnetworks"));
	ATF_CHECK_MSG(strstr(r.r_out, "\n    AUTH OK, expires in: ") != NULL,
	    "%s", r.r_out);
	run_clear(&r);
	words_end();
}

/* A line for a line, each as long as the recorded one. */
static void
check_layout(const char *got, const char *want)
{
	size_t	 g, w;

	while (*got != '\0' || *want != '\0') {
		g = strcspn(got, "\n");
		w = strcspn(want, "\n");
		ATF_REQUIRE_MSG(g == w, "\"%.*s\", want \"%.*s\"", (int)g,
		    got, (int)w, want);
		got += g + (got[g] == '\n');
		want += w + (want[w] == '\n');
	}
}

TC(bonds, "bonds, as where they are in use")
{
	struct run	 r;

	words_start(tc);
	run_words(&r, "zerotier-cli", 200, recorded("cli-bond-show-json"),
	    WORDS("bond", "f042bf1eb9", "show"));
	ATF_CHECK_EQ(r.r_exit, 0);
	check_layout(r.r_out, recorded("cli-bond-show"));
	ATF_CHECK(strncmp(r.r_out, recorded("cli-bond-show"), 360) == 0);
	run_clear(&r);
	service.peers = recorded("cli-bond-list-json");
	run_words(&r, "zerotier-cli", 200, "", WORDS("bond", "list"));
	ATF_CHECK_STREQ(r.r_out, recorded("cli-bond-list"));
	run_clear(&r);
	run_words(&r, "zerotier-cli", 200, "", WORDS("listbonds"));
	ATF_CHECK_STREQ(r.r_out, recorded("cli-listbonds"));
	run_clear(&r);
	service.peers = NULL;
	run_words(&r, "zerotier-cli", 200, "{}", WORDS("bond", "f042bf1eb9",
	    "rotate"));
	ATF_CHECK_STREQ(r.r_out, "200 rotate OK\n");
	run_clear(&r);
	run_words(&r, "zerotier-cli", 200, "{}", WORDS("-j", "bond",
	    "f042bf1eb9", "rotate"));
	ATF_CHECK_STREQ(r.r_out, "{}");
	run_clear(&r);
	run_words(&r, "zerotier-cli", 200, "{}", WORDS("bond", "setmtu",
	    "1400", "eth0", "10.77.0.2"));
	ATF_CHECK_STREQ(r.r_out, "200 setmtu OK\n");
	run_clear(&r);
	words_end();
}

/* By its own name it tells what is wrong; by the older one it is as ever. */
TC(own_name, "mistakes and help, by its own name and by the older one")
{
	struct run	 r;

	words_start(tc);
	run_words(&r, "ztctl", 200, "", WORDS("frob"));
	ATF_CHECK_EQ(r.r_exit, 2);
	ATF_CHECK_STREQ(r.r_out, "");
	ATF_CHECK_STREQ(r.r_err, "ztctl: there is no command \"frob\"; "
	    "\"ztctl help\" lists them\n");
	run_clear(&r);
	run_words(&r, "zerotier-cli", 200, "", WORDS("frob"));
	ATF_CHECK_EQ(r.r_exit, 0);
	ATF_CHECK(strstr(r.r_err, "listnetworks") != NULL);
	run_clear(&r);
	run_words(&r, "ztctl", 200, "", WORDS("info", "-z"));
	ATF_CHECK_EQ(r.r_exit, 2);
	ATF_CHECK(strstr(r.r_err, "\"-z\"") != NULL);
	run_clear(&r);
	/* Help of one command, asked for in two ways. */
	run_words(&r, "ztctl", 200, "", WORDS("member", "-h"));
	ATF_CHECK_EQ(r.r_exit, 0);
	ATF_CHECK(strncmp(r.r_out, "usage:\n  ztctl member list ", 27) == 0);
	ATF_CHECK(strstr(r.r_out, "listnetworks") == NULL);
	run_clear(&r);
	run_words(&r, "ztctl", 200, "", WORDS("help", "member"));
	ATF_CHECK(strncmp(r.r_out, "usage:\n  ztctl member list ", 27) == 0);
	run_clear(&r);
	run_words(&r, "ztctl", 200, "", WORDS("help", "frob"));
	ATF_CHECK_EQ(r.r_exit, 2);
	run_clear(&r);
	/* What can be done is said behind what has failed. */
	run_words(&r, "ztctl", 401, "{}", WORDS("-Tnope", "info"));
	ATF_CHECK_EQ(r.r_exit, 1);
	ATF_CHECK_STREQ(r.r_out, "401 info {}\n");
	ATF_CHECK(strstr(r.r_err, "ztctl doctor") != NULL);
	run_clear(&r);
	run_words(&r, "zerotier-cli", 401, "{}", WORDS("-Tnope", "info"));
	ATF_CHECK_STREQ(r.r_err, "");
	run_clear(&r);
	run_words(&r, "ztctl", 200, "", WORDS("join", "12"));
	ATF_CHECK_EQ(r.r_exit, 2);
	ATF_CHECK_STREQ(r.r_out, "invalid network id\n");
	ATF_CHECK(strstr(r.r_err, "16 hex digits") != NULL);
	run_clear(&r);
	/* Texts that command the terminal, and what is no text. */
	service.peers = "[{\"address\":\"a\\u001b\",\"role\":\"b\\u001b\","
	    "\"version\":\"c\\u001b\",\"latency\":7,\"paths\":[{"
	    "\"preferred\":true,\"address\":\"d\\u001b\"}]}]";
	service.networks = "[{\"nwid\":\"e\\u001b\",\"status\":\"f\\u001b\","
	    "\"assignedAddresses\":[\"g\\u001b\",8]}]";
	run_words(&r, "ztctl", 200, "", WORDS("peers"));
	ATF_CHECK(strchr(r.r_out, '\033') == NULL);
	ATF_CHECK_MSG(strstr(r.r_out, "\na? c?     b?         7 DIRECT   -1  "
	    "     -1       d?\n") != NULL, "%s", r.r_out);
	run_clear(&r);
	run_words(&r, "ztctl", 200, "", WORDS("listpeers"));
	ATF_CHECK(strchr(r.r_out, '\033') == NULL);
	run_clear(&r);
	run_words(&r, "ztctl", 200, "", WORDS("listnetworks"));
	ATF_CHECK_MSG(strstr(r.r_out, "\n200 listnetworks e?   f?   g?,\n") !=
	    NULL, "%s", r.r_out);
	run_clear(&r);
	service.peers = service.networks = NULL;
	/* An answer that never comes. */
	run_words(&r, "ztctl", 100, "", WORDS("/x"));
	ATF_CHECK_EQ(r.r_exit, 1);
	ATF_CHECK_MSG(strstr(r.r_out, "invalid response") != NULL, "%s",
	    r.r_out);
	run_clear(&r);
	/* Words that look like switches. */
	run_words(&r, "ztctl", 404, "{}", WORDS("--", "/x", "-j"));
	ATF_CHECK_STREQ(r.r_out, "404 /x {}\n");
	run_clear(&r);
	words_end();
}

TC(dump, "dump writes what helps, for its owner only, and no token")
{
	struct run	 r;
	struct stat	 st;
	char		*text;
	size_t		 len;

	words_start(tc);
	run_file("ztdx/n2/local.conf", "{\"settings\": {}}");
	/* Not through a link that somebody put there. */
	run_file("victim", "precious");
	ATF_REQUIRE(symlink("victim", "zerotier_dump.txt") == 0);
	run_words(&r, "zerotier-cli", 200, "", WORDS("dump"));
	ATF_CHECK_EQ_MSG(r.r_exit, 0, "%s%s", r.r_out, r.r_err);
#ifdef __linux__
	ATF_CHECK(strncmp(r.r_out, "Writing dump to: /", 18) == 0);
	ATF_REQUIRE(lstat("zerotier_dump.txt", &st) == 0);
	ATF_CHECK(S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0600);
	text = file_read(AT_FDCWD, "zerotier_dump.txt", 1 << 20, &len);
	ATF_REQUIRE(text != NULL);
#else
	(void)st;
	text = strdup(r.r_err);
	(void)len;
#endif
	ATF_CHECK(strstr(text, "\nzerotier version: 1.14.1\n\nstatus\n"
	    "------\n{") != NULL);
	ATF_CHECK(strstr(text, "\nnetworks\n--------\n[") != NULL);
	ATF_CHECK(strstr(text, "\npeers\n-----\n[") != NULL);
	ATF_CHECK(strstr(text, "\nlocal.conf\n----------\n{\"settings\"") !=
	    NULL);
	ATF_CHECK(strstr(text, WORLD_TOKEN) == NULL);
	free(text);
	run_clear(&r);
	text = file_read(AT_FDCWD, "victim", 64, &len);
	ATF_CHECK_STREQ(text, "precious");
	free(text);
	words_end();
}

/* ---- doctor ------------------------------------------------------ */

#ifdef __linux__
#define LOOPBACK	"lo"
#else
#define LOOPBACK	"lo0"
#endif

#define FINE	"{\"address\":\"f042bf1eb9\",\"online\":true,"		\
		"\"clock\":1795324804344,\"planetWorldTimestamp\":1,"	\
		"\"ztd\":{\"reason\":\"\",\"lastRoot\":1795324804000}}"
#define NODE(more)							\
		"{\"address\":\"f042bf1eb9\",\"online\":true,"		\
		"\"clock\":1795324804344,\"planetWorldTimestamp\":1,"	\
		"\"ztd\":{\"lastRoot\":1795324804000," more "}}"
#define NETWORK(status, more)						\
		"[{\"nwid\":\"8056c2e21c000001\",\"status\":\"" status	\
		"\"" more "}]"
#define OK(more)							\
		NETWORK("OK", ",\"portDeviceName\":\"" LOOPBACK "\"" more)
#define OKDNS(state, allow)						\
		OK(",\"allowDNS\":" allow ",\"dns\":{\"domain\":"	\
		"\"corp.example\"},\"ztd\":{\"dns\":{\"state\":\"" state \
		"\"}}")

/* What the service says, and what doctor is to make of it. */
static const struct {
	const char	*status, *networks, *peers;
	const char	*want;		/* in what it prints */
	int		 exit;
} cases[] = {
	{ FINE, "[]", "[]", "all is well: node f042bf1eb9, 0 networks, 0 "
	    "peers\n", 0 },
	{ NODE("\"reason\":\"node-udp-blocked\",\"text\":\"t\\u001b\""),
	    "[]", "[]", "problem node-udp-blocked: t?\n    to do: let UDP", 1 },
	{ NODE("\"reason\":\"node-roots-silent\""), "[]", "[]",
	    "problem node-roots-silent: ", 1 },
	{ NODE("\"reason\":\"node-no-roots\""), "[]", "[]",
	    "problem node-no-roots: ", 1 },
	{ NODE("\"reason\":\"node-no-address\""), "[]", "[]",
	    "problem node-no-address: ", 1 },
	{ NODE("\"reason\":\"node-twin\""), "[]", "[]",
	    "problem node-twin: ", 1 },
	{ NODE("\"reason\":\"node-of-tomorrow\",\"text\":\"x\""), "[]",
	    "[]", "problem node-other: node-of-tomorrow: x\n", 1 },
	{ NODE("\"notBound\":[{\"address\":\"10.0.0.1/9993\",\"text\":"
	    "\"in use\"}]"), "[]", "[]", "problem port-not-bound: UDP "
	    "10.0.0.1/9993 cannot be used: in use\n    to do: ", 1 },
	{ NODE("\"counters\":{\"denied\":7,\"lastDenied\":1795324804001}"),
	    "[]", "[]", "problem firewall-drops: ", 1 },
	/* That was long ago, and a root was heard since. */
	{ NODE("\"counters\":{\"denied\":7,\"lastDenied\":1795324700000}"),
	    "[]", "[]", "all is well", 0 },
	{ "{\"address\":\"f042bf1eb9\",\"online\":false,\"clock\":9}",
	    "[]", "[]", "problem node-offline: ", 1 },
	{ "{\"clock\":5,\"planetWorldTimestamp\":1644592324813,"
	    "\"ztd\":{\"reason\":\"\"}}", "[]", "[]",
	    "problem clock-off: this host's clock is slow", 1 },
	/* The middle of three roots; what a leaf says does not count. */
	{ FINE, "[]", "[{\"role\":\"PLANET\",\"ztd\":{\"clockOffset\":"
	    "-90000}},{\"role\":\"MOON\",\"ztd\":{\"clockOffset\":"
	    "-100000}},{\"role\":\"PLANET\",\"ztd\":{\"clockOffset\":"
	    "77777777}},{\"role\":\"LEAF\",\"ztd\":{\"clockOffset\":"
	    "5000000000}}]", "problem clock-off: this host's clock is 90 s "
	    "ahead of those", 1 },
	{ FINE, "[]", "[{\"role\":\"PLANET\",\"ztd\":{\"clockOffset\":"
	    "29000}},{\"role\":\"LEAF\",\"ztd\":{\"clockOffset\":"
	    "5000000000}}]", "all is well", 0 },
	{ FINE, OK(",\"ztd\":{\"clockOffset\":40000}"), "[]",
	    "problem clock-off: this host's clock is 40 s behind", 1 },
	/* Two who lie say nothing against a controller. */
	{ FINE, OK(",\"ztd\":{\"clockOffset\":100}"), "[{\"role\":\"LEAF\","
	    "\"ztd\":{\"clockOffset\":3600000}},{\"role\":\"LEAF\","
	    "\"ztd\":{\"clockOffset\":3600000}}]", "all is well", 0 },
	{ FINE, NETWORK("ACCESS_DENIED", ""), "[]",
	    "problem network-denied: network 8056c2e21c000001 does not admit "
	    "this node\n    to do: its operator has to authorize f042bf1eb9; "
	    "where ztd is the controller: ztctl member authorize "
	    "8056c2e21c000001 f042bf1eb9\n", 1 },
	{ FINE, NETWORK("NOT_FOUND", ""), "[]",
	    "problem network-not-found: ", 1 },
	{ FINE, NETWORK("REQUESTING_CONFIGURATION", ""), "[]",
	    "problem network-waiting: network 8056c2e21c000001 has no "
	    "configuration: no root knows its controller 8056c2e21c\n", 1 },
	{ FINE, NETWORK("REQUESTING_CONFIGURATION", ""),
	    "[{\"address\":\"8056c2e21c\",\"ztd\":{\"text\":\"why so\"}}]",
	    "controller 8056c2e21c has not answered; why so\n", 1 },
	{ FINE, NETWORK("AUTHENTICATION_REQUIRED", ",\"authenticationURL\":"
	    "\"https://login.example/\\u001b\""), "[]",
	    "problem network-login: network 8056c2e21c000001 wants somebody "
	    "to log in\n    to do: open https://login.example/?\n", 1 },
	{ FINE, NETWORK("PORT_ERROR", ",\"ztd\":{\"portText\":\"No such "
	    "file\"}"), "[]", "problem network-port: network "
	    "8056c2e21c000001 has no interface: No such file\n", 1 },
	{ FINE, NETWORK("CLIENT_TOO_OLD", ""), "[]",
	    "problem network-other: ", 1 },
	{ FINE, OKDNS("no-way", "true"), "[]", "problem dns-not-set: ", 1 },
	{ FINE, OKDNS("failed", "true"), "[]", "problem dns-not-set: ", 1 },
	{ FINE, OKDNS("bad", "true"), "[]", "problem dns-not-set: ", 1 },
	{ FINE, OKDNS("set", "true"), "[]", "all is well", 0 },
	{ FINE, OKDNS("none", "false"), "[]", "note dns-not-allowed: ", 0 },
	{ FINE, NETWORK("OK", ",\"portDeviceName\":\"zt-not\""), "[]",
	    "problem interface-missing: ", 1 },
	{ FINE, OK(",\"allowManaged\":true,\"assignedAddresses\":["
	    "\"10.255.254.253/24\"]"), "[]", "note address-missing: network "
	    "8056c2e21c000001: 10.255.254.253/24 is not on " LOOPBACK "\n", 0 },
	/* Those are not wanted on it. */
	{ FINE, OK(",\"allowManaged\":true,\"assignedAddresses\":["
	    "\"8.8.8.8/24\"]"), "[]", "all is well", 0 },
	{ FINE, "[]", "[{\"address\":\"45ca63f66e\",\"role\":\"LEAF\","
	    "\"ztd\":{\"reason\":\"peer-no-answer\",\"text\":\"relayed\""
	    "}}]", "note peer-relayed: peer 45ca63f66e: relayed\n", 0 },
	{ NODE("\"roots\":[{\"address\":\"62f865ae71\",\"reason\":"
	    "\"root-no-answer\",\"text\":\"it never did\"},{\"address\":"
	    "\"778cde7190\",\"reason\":\"root-no-family\"}]"), "[]", "[]",
	    "note root-silent: root 62f865ae71: it never did\n", 0 },
	/* Nonsense. */
	{ FINE, "[]", "[{\"role\":\"PLANET\",\"ztd\":{\"clockOffset\":"
	    "-9223372036854775808}}]", "problem clock-off: this host's clock "
	    "is 9007199254740 s ahead of those", 1 },
	{ "[]", "{}", "{}", "note service-other: ", 1 },
	{ "{}", "[1,null,\"x\"]", "[1,[],{\"ztd\":7}]",
	    "problem network-other: ", 1 },
	{ "{", "[]", "[]", "problem service-other: ", 1 }
};

/* More is found than it prints: notes do not count, nor hide problems. */
static void
doctor_many(void)
{
	static char	 status[16384];
	struct run	 r;
	size_t		 n, i;

	n = strlcpy(status, "{\"online\":true,\"ztd\":{\"roots\":[",
	    sizeof(status));
	for (i = 0; i < 100; i++)
		n += (size_t)snprintf(status + n, sizeof(status) - n,
		    "%s{\"reason\":\"root-no-answer\"}", i == 0 ? "" : ",");
	(void)strlcat(status, "]}}", sizeof(status));
	service.status = status;
	service.peers = service.networks = "[]";
	run_words(&r, "ztctl", 200, "", WORDS("doctor"));
	ATF_CHECK_EQ(r.r_exit, 0);
	ATF_CHECK_MSG(strstr(r.r_out, "\n... and 68 more\nall is well: ") !=
	    NULL, "%s", r.r_out);
	run_clear(&r);
	service.networks = NETWORK("ACCESS_DENIED", "");
	run_words(&r, "ztctl", 200, "", WORDS("doctor"));
	ATF_CHECK_EQ(r.r_exit, 1);
	ATF_CHECK(strncmp(r.r_out, "problem network-denied: ", 24) == 0);
	ATF_CHECK_MSG(strstr(r.r_out, "\n1 problem\n") != NULL, "%s",
	    r.r_out);
	run_clear(&r);
}

TC(doctor, "what is found in the service's answers, with what to do")
{
	struct run	 r;
	const char	*p;
	size_t		 i;

	words_start(tc);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		service.status = cases[i].status;
		service.networks = cases[i].networks;
		service.peers = cases[i].peers;
		run_words(&r, "ztctl", 200, "", WORDS("doctor"));
		ATF_CHECK_EQ_MSG(r.r_exit, cases[i].exit, "%zu: exit %d: %s",
		    i, r.r_exit, r.r_out);
		ATF_CHECK_MSG(strstr(r.r_out, cases[i].want) != NULL,
		    "%zu: \"%s\" lacks \"%s\"", i, r.r_out,
		    cases[i].want);
		for (p = r.r_out; *p != '\0'; p++)
			ATF_CHECK(*p == '\n' || (*p >= ' ' && *p < 0x7f));
		ATF_CHECK_STREQ(r.r_err, "");
		run_clear(&r);
	}
	doctor_many();
	service.status = service.networks = service.peers = NULL;
	run_words(&r, "ztctl", 200, "", WORDS("-Tnope", "doctor"));
	ATF_CHECK_EQ(r.r_exit, 1);
	ATF_CHECK(strncmp(r.r_out, "problem token-refused: ", 23) == 0);
	run_clear(&r);
	run_words(&r, "ztctl", 503, "{}", WORDS("doctor"));
	ATF_CHECK_EQ(r.r_exit, 1);
	ATF_CHECK_MSG(strncmp(r.r_out, "problem service-partly: ", 24) == 0,
	    "%s", r.r_out);
	run_clear(&r);
	words_end();
}

TC(why, "what keeps node, roots and peers from being fine, in sentences")
{
	static const char	 status[] = "{\"address\":\"f042bf1eb9\","
	    "\"online\":true,\"ztd\":{\"reason\":\"\",\"text\":\"\","
	    "\"lastRoot\":99999999999999,\"nat\":{\"ipv4\":\"cone\","
	    "\"ipv6\":\"unknown\"},\"roots\":[{\"address\":"
	    "\"62f865ae71\",\"role\":\"PLANET\",\"best\":true,"
	    "\"reason\":\"root-no-family\",\"text\":\"no IPv6 here\","
	    "\"lastTry\":0,\"lastReceive\":99999999999999}]}}";
	static const char	 peers[] = "[{\"address\":\"7d229a18e4\","
	    "\"role\":\"LEAF\",\"ztd\":{\"reason\":\"\"}},"
	    "{\"address\":\"ba716ad55e\",\"role\":\"LEAF\",\"ztd\":{"
	    "\"reason\":\"peer-no-answer\",\"text\":\"none \\u001banswers"
	    "\",\"relay\":\"62f865ae71\",\"candidates\":3,"
	    "\"lastTry\":99999999999999,\"lastReceive\":0}}]";
	static const char	 one[] = "{\"address\":\"7d229a18e4\","
	    "\"role\":\"LEAF\",\"ztd\":{\"reason\":\"\",\"relay\":null,"
	    "\"candidates\":0},\"paths\":[{\"address\":\"192.0.2.1/9\","
	    "\"preferred\":true,\"lastSend\":0,"
	    "\"lastReceive\":99999999999999,\"ztd\":{\"reason\":"
	    "\"path-small\",\"text\":\"small\",\"latency\":7,"
	    "\"mtu\":1400}}]}";
	pid_t			 pid;

	service_start(tc);
	homes_make();
	service.program = world_program(tc, "bin/ztctl");
	service.peers = peers;
	pid = service_run(200, status);
	check_run("why", NULL, 0,
	    "node f042bf1eb9 ONLINE: fine; last heard from a root 0.0 s ago; "
	    "NAT: IPv4 cone, IPv6 unknown\n"
	    "root 62f865ae71 PLANET best: root-no-family: no IPv6 here; "
	    "never asked; last heard 0.0 s ago\n"
	    "peer ba716ad55e LEAF: peer-no-answer: none ?answers; "
	    "by root 62f865ae71; 3 addresses asked; last asked 0.0 s ago; "
	    "never heard\n"
	    "1 peer is direct and fine\n");
	check_run("why", "xyz", 2, "");
	service_end(pid);
	pid = service_run(200, one);
	check_run("why", "7d229a18e4", 0,
	    "peer 7d229a18e4 LEAF: fine; 0 addresses asked; never asked; "
	    "never heard\n"
	    "  path 192.0.2.1/9 preferred: path-small: small; 7 ms; "
	    "1400 bytes; never sent; last heard 0.0 s ago\n");
	service_end(pid);
	pid = service_run(200, "{}");
	check_run("why", "7d229a18e4", 1,
	    "404 why no peer 7d229a18e4 is known\n");
	/* An older service. */
	check_run("why", NULL, 0, "this service gives no reasons\n");
	service_end(pid);
	free(service.program);
	json_decref(service.cli);
}

TC(message, "what users of other nodes have sent, and sending")
{
	char		*env[] = { NULL };
	char		 home[] = "-Dztdx/n2", cli[] = "ztctl";
	char		 message[] = "message", send[] = "send";
	char		 to[] = "00deadbeef", type[] = "5", text[] = "h\"i";
	char		*argv[] = { cli, home, message, send, to, type, text,
	    NULL };
	struct run	 r;
	pid_t		 pid;

	service_start(tc);
	homes_make();
	service.program = world_program(tc, "bin/ztctl");
	service.messages = "[{\"seq\":7,\"from\":\"00deadbeef\",\"type\":5,"
	    "\"data\":\"6869\",\"time\":99},{\"seq\":8,\"from\":"
	    "\"1122334455\",\"type\":\"18446744073709551615\","
	    "\"data\":\"1b5b\",\"time\":100},{\"seq\":9,\"from\":"
	    "\"1122334455\",\"type\":1,\"data\":\"\\u001b\",\"time\":0}]";
	pid = service_run(200, "{\"result\":true}");
	check_run("message", "list", 0,
	    "200 message <seq> <from> <type> <time> <text or hex>\n"
	    "200 message 7 00deadbeef 5 99 \"hi\"\n"
	    "200 message 8 1122334455 18446744073709551615 100 1b5b\n"
	    "200 message 9 1122334455 1 0 ?\n");
	check_run("message", "lost", 2, "");
	check_run("message", NULL, 2, "");
	run_program(&r, service.program, argv, env);
	ATF_CHECK_EQ(r.r_exit, 0);
	ATF_CHECK_STREQ(r.r_out, "200 message OK\n");
	run_clear(&r);
	argv[5] = to;
	run_program(&r, service.program, argv, env);
	ATF_CHECK_EQ(r.r_exit, 2);
	run_clear(&r);
	service_end(pid);
	pid = service_run(400, "{\"message\":\"too long\"}");
	argv[5] = type;
	run_program(&r, service.program, argv, env);
	ATF_CHECK_EQ(r.r_exit, 1);
	ATF_CHECK_STREQ(r.r_out,
	    "400 message {\"message\":\"too long\"}\n");
	run_clear(&r);
	service_end(pid);
	free(service.program);
	json_decref(service.cli);
}

TC(trimmed, "a token file with blanks and line ends around is fine")
{
	struct run	 r;
	char		*path, *env[] = { NULL };
	char		 home[] = "-Dztdx/nltoken", cli[] = "ztctl";
	char		 info[] = "info";
	char		*argv[] = { cli, home, info, NULL };
	pid_t		 pid;

	service_start(tc);
	homes_make();
	path = world_program(tc, "bin/ztctl");
	pid = service_run(200, "");
	run_program(&r, path, argv, env);
	service_end(pid);
	ATF_CHECK_EQ(r.r_exit, 0);
	ATF_CHECK_STREQ(r.r_out, "200 info f042bf1eb9 1.14.1 ONLINE\n");
	run_clear(&r);
	free(path);
	json_decref(service.cli);
}

/* ---- names from outside ------------------------------------------- */

/* A controller chooses its network's name; a terminal shows it. */
TC(terminal, "names of networks do not command the terminal")
{
	static const char	 list[] = "[{\"nwid\":\"8056c2e21c000001\","
	    "\"name\":\"a\\u001b[2J\\nb\\u007f\\u009bc\\u00e9\","
	    "\"mac\":\"m\",\"status\":\"OK\",\"type\":\"PUBLIC\","
	    "\"portDeviceName\":\"zt0\",\"assignedAddresses\":[]}]";
	char			*env[1] = { NULL }, *path;
	char			 home[] = "-Dztdx/n1", cmd[] = "listnetworks";
	char			 name[] = "ztctl";
	char			*argv[] = { name, home, cmd, NULL };
	struct run		 r;
	pid_t			 pid;

	service_start(tc);
	homes_make();
	path = world_program(tc, "bin/ztctl");
	pid = service_run(200, list);
	run_program(&r, path, argv, env);
	service_end(pid);
	ATF_CHECK_EQ(r.r_exit, 0);
	ATF_CHECK_MSG(strstr(r.r_out, " a?[2J?b???c\xc3\xa9 m OK ") != NULL,
	    "%s", r.r_out);
	run_clear(&r);
	json_decref(service.cli);
	free(path);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, client);
	ATF_TP_ADD_TC(tp, peers);
	ATF_TP_ADD_TC(tp, parsed);
	ATF_TP_ADD_TC(tp, paths);
	ATF_TP_ADD_TC(tp, sso);
	ATF_TP_ADD_TC(tp, bonds);
	ATF_TP_ADD_TC(tp, own_name);
	ATF_TP_ADD_TC(tp, dump);
	ATF_TP_ADD_TC(tp, doctor);
	ATF_TP_ADD_TC(tp, why);
	ATF_TP_ADD_TC(tp, message);
	ATF_TP_ADD_TC(tp, trimmed);
	ATF_TP_ADD_TC(tp, terminal);
	return (atf_no_error());
}
