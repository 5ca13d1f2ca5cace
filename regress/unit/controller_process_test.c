/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * ztd-controller as a process: started like by the parent, asked over its
 * channels as the API and the engine do it, stopped.  Spec: 04, 06 section
 * 12.
 */

#include <sys/stat.h>
#include <sys/wait.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>
#include <event2/event.h>

#include "common/crypto.h"
#include "common/identity.h"
#include "common/log.h"
#include "privsep/channel.h"
#include "privsep/spawn.h"

#define KEPT		2000		/* networks that are there */
#define DEADLINE	20		/* seconds */
#define PACKET		0x1122334455667788ULL
#define USER		60902
#define GROUP		60901

/* Everything around the process. */
struct around {
	struct event_base *a_base;
	struct channel	*a_parent, *a_net, *a_ctl;
	pid_t		 a_pid;
	char		 a_home[1024];
	struct identity	 a_id;
	uint64_t	 a_nwid;
	bool		 a_ready;
	/* the answer to an API request */
	unsigned	 a_status;
	char		 a_body[8192];
	size_t		 a_len;
	bool		 a_end;
	char		*a_file;		/* what was lent */
	size_t		 a_filelen;
	/* the answer to a member */
	unsigned	 a_chunks;
	bool		 a_last;
	struct netconf_chunk a_chunk;
	bool		 a_signed;
};

static void
from_child(struct channel *ch, struct msg *m, void *arg)
{
	struct around	*a = arg;

	(void)ch;
	if (m->m_type == MSG_READY)
		a->a_ready = true;
	else if (m->m_type == MSG_LOG)
		fprintf(stderr, "log: %.*s\n",
		    (int)(m->m_len - sizeof(struct msg_log)),
		    (const char *)m->m_data + sizeof(struct msg_log));
}

/* All of it can be read, and nothing be changed. */
static void
lent(struct around *a, const struct msg_api_file *af, int fd)
{
	struct stat	sb;

	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE_EQ(fstat(fd, &sb), 0);
	ATF_REQUIRE_EQ((uint64_t)sb.st_size, af->af_len);
	a->a_filelen = (size_t)af->af_len;
	a->a_file = calloc(1, a->a_filelen + 1);
	ATF_REQUIRE_EQ(pread(fd, a->a_file, a->a_filelen, 0),
	    (ssize_t)a->a_filelen);
	ATF_CHECK_EQ(pwrite(fd, "x", 1, 0), -1);
	ATF_CHECK_EQ(ftruncate(fd, 0), -1);
	close(fd);
}

static void
to_ctl(struct channel *ch, struct msg *m, void *arg)
{
	const struct msg_api_response	*rs = m->m_data;
	struct around			*a = arg;

	(void)ch;
	ATF_CHECK_EQ(m->m_id, 7);
	if (m->m_type == MSG_API_RESPONSE)
		a->a_status = rs->ar_status;
	else if (m->m_type == MSG_API_BODY) {
		ATF_REQUIRE(m->m_len < sizeof(a->a_body) - a->a_len);
		memcpy(a->a_body + a->a_len, m->m_data, m->m_len);
		a->a_len += m->m_len;
	} else if (m->m_type == MSG_API_FILE)
		lent(a, m->m_data, m->m_fd);
	else if (m->m_type == MSG_API_END)
		a->a_end = true;
}

static void
to_net(struct channel *ch, struct msg *m, void *arg)
{
	const struct msg_con_config	*mc = m->m_data;
	struct around			*a = arg;
	struct rbuf			 rb;

	(void)ch;
	ATF_REQUIRE_EQ(m->m_type, MSG_CON_CONFIG);
	ATF_CHECK_EQ(mc->mc_nwid, a->a_nwid);
	ATF_CHECK_EQ(mc->mc_packet, PACKET);
	ATF_REQUIRE_EQ(m->m_len, sizeof(*mc) + mc->mc_len);
	rbuf_init(&rb, mc + 1, mc->mc_len);
	netconf_chunk_get(&rb, &a->a_chunk);
	ATF_CHECK(rbuf_done(&rb));
	a->a_signed = netconf_chunk_verify(&a->a_chunk, &a->a_id);
	a->a_chunks++;
	a->a_last = mc->mc_last != 0;
}

static void
gone(struct channel *ch, const char *reason, void *arg)
{
	(void)ch;
	(void)arg;
	if (reason != NULL)
		fprintf(stderr, "gone: %s\n", reason);
}

static void
late(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	atf_tc_fail("nothing for %d seconds", DEADLINE);
}

/* Run the loop until this is true. */
static void
until(struct around *a, const bool *done)
{
	const struct timeval	 tv = { DEADLINE, 0 };
	struct event		*timer;

	timer = evtimer_new(a->a_base, late, NULL);
	evtimer_add(timer, &tv);
	while (!*done)
		ATF_REQUIRE(event_base_loop(a->a_base, EVLOOP_ONCE) == 0);
	event_free(timer);
}

static struct channel *
connect_child(struct around *a, enum proc who, channel_message cb)
{
	struct msg_channel	mc;
	struct channel		*ch;
	int			 fds[2];

	ATF_REQUIRE_EQ(channel_pair(fds), 0);
	ch = channel_new(a->a_base, fds[0], who, PROC_CON, cb, gone, a);
	ATF_REQUIRE(ch != NULL);
	memset(&mc, 0, sizeof(mc));
	mc.mc_peer = who;
	ATF_REQUIRE_EQ(channel_send(a->a_parent, MSG_CHANNEL, 0, fds[1], &mc,
	    sizeof(mc)), 0);
	return (ch);
}

static void
networks_write(const struct around *a, const char *dir, uint32_t uid,
    uint32_t gid)
{
	char		path[2200];
	uint64_t	id;
	unsigned	i;
	FILE		*f;

	snprintf(path, sizeof(path), "%s/network", dir);
	ATF_REQUIRE_EQ(mkdir(path, 0700), 0);
	if (uid != (uint32_t)-1)
		ATF_REQUIRE_EQ(chown(path, uid, gid), 0);
	for (i = 0; i < KEPT; i++) {
		id = a->a_id.id_addr << 24 | (0x1000 + i);
		snprintf(path, sizeof(path), "%s/network/%016llx.json", dir,
		    (unsigned long long)id);
		ATF_REQUIRE((f = fopen(path, "w")) != NULL);
		fprintf(f, "{\"id\":\"%016llx\"}", (unsigned long long)id);
		ATF_REQUIRE_EQ(fclose(f), 0);
		if (uid != (uint32_t)-1)
			ATF_REQUIRE_EQ(chown(path, uid, gid), 0);
	}
}

static void
start(struct around *a, const atf_tc_t *tc, uint32_t uid, uint32_t gid)
{
	struct msg_identity	mi;
	struct msg_init		init;
	char			path[2048], dir[2048];
	int			fds[2];

	log_init("controller_process_test", true, false);
	ATF_REQUIRE_EQ(crypto_init(), 0);
	ATF_REQUIRE_EQ(identity_generate(&a->a_id), 0);
	a->a_nwid = a->a_id.id_addr << 24 | 0xabc;
	ATF_REQUIRE(getcwd(path, sizeof(path)) != NULL);
	snprintf(a->a_home, sizeof(a->a_home), "%.900s/home.XXXXXX", path);
	ATF_REQUIRE(mkdtemp(a->a_home) != NULL);
	snprintf(dir, sizeof(dir), "%s/controller.d", a->a_home);
	ATF_REQUIRE_EQ(mkdir(dir, 0700), 0);
	if (uid != (uint32_t)-1)
		ATF_REQUIRE_EQ(chown(dir, uid, gid), 0);
	networks_write(a, dir, uid, gid);

	snprintf(path, sizeof(path), "%s/../../libexec/ztd/ztd-controller",
	    atf_tc_get_config_var(tc, "srcdir"));
	ATF_REQUIRE_EQ_MSG(access(path, X_OK), 0, "%s is not built", path);
	ATF_REQUIRE_EQ(channel_pair(fds), 0);
	a->a_pid = proc_spawn(PROC_CON, path, fds[1], true, NULL);
	ATF_REQUIRE(a->a_pid > 0);
	close(fds[1]);
	a->a_base = event_base_new();
	a->a_parent = channel_new(a->a_base, fds[0], PROC_TAP, PROC_CON,
	    from_child, gone, a);

	memset(&init, 0, sizeof(init));
	init.mi_uid = uid;
	init.mi_gid = gid;
	strlcpy(init.mi_home, a->a_home, sizeof(init.mi_home));
	ATF_REQUIRE_EQ(channel_send(a->a_parent, MSG_INIT, 0, -1, &init,
	    sizeof(init)), 0);
	memset(&mi, 0, sizeof(mi));
	identity_format(mi.mi_text, &a->a_id, true);
	ATF_REQUIRE_EQ(channel_send(a->a_parent, MSG_IDENTITY, 0, -1, &mi,
	    sizeof(mi)), 0);
	a->a_net = connect_child(a, PROC_NET, to_net);
	a->a_ctl = connect_child(a, PROC_CTL, to_ctl);
	until(a, &a->a_ready);
}

static void
stop(struct around *a)
{
	int	status;

	ATF_REQUIRE_EQ(channel_send(a->a_parent, MSG_STOP, 0, -1, NULL, 0),
	    0);
	ATF_REQUIRE_EQ(channel_flush(a->a_parent, 2000), 0);
	ATF_REQUIRE_EQ(waitpid(a->a_pid, &status, 0), a->a_pid);
	ATF_CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "status %x", (unsigned)status);
	channel_free(a->a_net);
	channel_free(a->a_ctl);
	channel_free(a->a_parent);
	event_base_free(a->a_base);
}

/* One exchange; the body goes in two pieces. */
static void
api(struct around *a, enum api_method method, const char *path,
    const char *body)
{
	struct msg_api_request	rq;
	size_t			half = strlen(body) / 2;

	a->a_end = false;
	a->a_len = 0;
	a->a_status = 0;
	memset(&rq, 0, sizeof(rq));
	rq.ar_method = method;
	strlcpy(rq.ar_path, path, sizeof(rq.ar_path));
	ATF_REQUIRE_EQ(channel_send(a->a_ctl, MSG_API_REQUEST, 7, -1, &rq,
	    sizeof(rq)), 0);
	ATF_REQUIRE_EQ(channel_send(a->a_ctl, MSG_API_BODY, 7, -1, body,
	    half), 0);
	ATF_REQUIRE_EQ(channel_send(a->a_ctl, MSG_API_BODY, 7, -1,
	    body + half, strlen(body) - half), 0);
	ATF_REQUIRE_EQ(channel_send(a->a_ctl, MSG_API_END, 7, -1, NULL, 0),
	    0);
	until(a, &a->a_end);
	a->a_body[a->a_len] = '\0';
}

/* A member asks; the node itself will do. */
static void
ask(struct around *a, uint64_t addr)
{
	static const char	 meta[] = "revr=1\nmajv=1";
	struct {
		struct msg_con_request	rq;
		char			meta[sizeof(meta) - 1];
	}			 m;
	struct iovec		 iov[2];

	memset(&m, 0, sizeof(m));
	m.rq.mr_nwid = a->a_nwid;
	m.rq.mr_packet = PACKET;
	m.rq.mr_identity.id_addr = addr;
	memcpy(m.rq.mr_identity.id_public, a->a_id.id_public, IDENTITY_KEYS);
	m.rq.mr_metalen = sizeof(m.meta);
	memcpy(m.meta, meta, sizeof(m.meta));
	iov[0].iov_base = &m.rq;
	iov[0].iov_len = sizeof(m.rq);
	iov[1].iov_base = m.meta;
	iov[1].iov_len = sizeof(m.meta);
	ATF_REQUIRE_EQ(channel_sendv(a->a_net, MSG_CON_REQUEST, 0, -1, iov,
	    2), 0);
}

/* The database has its threads also within the sandbox. */
static void
check_threads(const struct around *a)
{
#ifdef __linux__
	char	 path[64], line[256];
	int	 n = 0;
	FILE	*f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)a->a_pid);
	ATF_REQUIRE((f = fopen(path, "r")) != NULL);
	while (fgets(line, sizeof(line), f) != NULL)
		(void)sscanf(line, "Threads: %d", &n);
	fclose(f);
	ATF_CHECK_MSG(n > 1, "%d", n);
#else
	(void)a;
#endif
}

/*
 * A long list: lent where there is memory for that, else too long for what
 * we have room for.
 */
static void
check_list(struct around *a)
{
#ifdef __linux__
	char	text[64];

	api(a, API_GET, "/network", "");
	ATF_CHECK_EQ(a->a_status, 200);
	ATF_CHECK_EQ(a->a_len, 0);
	ATF_REQUIRE(a->a_file != NULL);
	ATF_CHECK_EQ(a->a_filelen, KEPT * 19 + 1);
	snprintf(text, sizeof(text), "[\"%016llx\",\"",
	    (unsigned long long)(a->a_id.id_addr << 24 | 0x1000));
	ATF_CHECK_MSG(strncmp(a->a_file, text, strlen(text)) == 0, "%.60s",
	    a->a_file);
	ATF_CHECK_STREQ(a->a_file + a->a_filelen - 2, "\"]");
	free(a->a_file);
	a->a_file = NULL;
#else
	(void)a;
#endif
}

static void
run(const atf_tc_t *tc, uint32_t uid, uint32_t gid)
{
	struct around	*a;
	struct stat	 sb;
	char		 path[2048], text[64];

	a = calloc(1, sizeof(*a));
	start(a, tc, uid, gid);

	check_threads(a);
	check_list(a);
	api(a, API_GET, "", "");
	ATF_CHECK_EQ(a->a_status, 200);
	ATF_CHECK(strstr(a->a_body, "\"controller\": true") != NULL);
	api(a, API_GET, "/nothing", "");
	ATF_CHECK_EQ(a->a_status, 404);
	ATF_CHECK(strstr(a->a_body, "\"message\"") != NULL);
	snprintf(path, sizeof(path), "/network/%016llx",
	    (unsigned long long)a->a_nwid);
	api(a, API_POST, path, "{\"private\":false,\"name\":\"x\"}");
	ATF_CHECK_EQ_MSG(a->a_status, 200, "%s", a->a_body);
	snprintf(text, sizeof(text), "\"id\":\"%016llx\"",
	    (unsigned long long)a->a_nwid);
	ATF_CHECK(strstr(a->a_body, text) != NULL);

	/* Not an address, though its file would have a member's name. */
	ask(a, a->a_id.id_addr | UINT64_C(1) << 40);
	ask(a, 0);
	ask(a, a->a_id.id_addr);
	until(a, &a->a_last);
	ATF_CHECK_EQ(a->a_chunks, 1);
	ATF_CHECK(a->a_signed);

	stop(a);
	snprintf(path, sizeof(path), "%s/controller.d/network/%016llx/member/"
	    "%010llx.json", a->a_home, (unsigned long long)a->a_nwid,
	    (unsigned long long)a->a_id.id_addr);
	ATF_REQUIRE_EQ_MSG(stat(path, &sb), 0, "%s", path);
	ATF_CHECK_EQ(sb.st_mode & 07777, 0600);
	if (uid != (uint32_t)-1)
		ATF_CHECK_EQ(sb.st_uid, uid);
	free(a);
}

ATF_TC_WITHOUT_HEAD(as_we_are);
ATF_TC_BODY(as_we_are, tc)
{
	run(tc, (uint32_t)-1, (uint32_t)-1);
}

/* With a user and a root folder of its own. */
ATF_TC(as_user);
ATF_TC_HEAD(as_user, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(as_user, tc)
{
	run(tc, USER, GROUP);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, as_we_are);
	ATF_TP_ADD_TC(tp, as_user);
	return (atf_no_error());
}
