/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Kill a controller in the middle of changes, again and again, and see that
 * whatever it said was done is done.
 *
 *	controller_crash [-s seed] [-c changes] [-k kills] program folder
 *
 * It plays the parent and the API of a ztd-controller, which keeps its
 * records in folder/controller.d: creates, changes and deletes networks and
 * members, several at a time; kills the process with SIGKILL at random
 * moments; starts it again; and asks for every record.  A change that was
 * answered must be there; one that was not may be there or not, but nothing
 * in between; no file may be one that cannot be read.  Ends with 0 when all
 * was as it should be; the last line says what was done.
 *
 * The seed, which is printed first, decides the changes and the pauses
 * before the kills; what the process has done by then is up to the machine.
 * What was written before a kill the system keeps: this is no power cut.
 */

#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <jansson.h>

#include "common/crypto.h"
#include "common/identity.h"
#include "common/log.h"
#include "privsep/channel.h"
#include "privsep/spawn.h"

#define NETWORKS	12
#define MEMBERS		20		/* of each */
#define ALL		(NETWORKS * (MEMBERS + 1))
#define DEADLINE	30		/* seconds without an answer */
#define UNDER_WAY	16		/* changes, at most */
#define PAUSE_US	3000		/* at most, from a change to a kill */

/* A record: what was answered last, and what was asked since. */
struct record {
	char		 r_path[64];
	uint32_t	 r_name;	/* number in its name, 0: none there */
	uint32_t	 r_wanted;	/* of the change under way */
	bool		 r_busy;
};

static struct {
	struct record	 all[ALL];	/* each network, then its members */
	struct event_base *base;
	struct channel	*parent, *ctl;
	struct event	*timer;
	pid_t		 pid;
	const char	*program, *folder;
	struct identity	 id;
	bool		 ready, gone;
	unsigned	 busy;
	uint32_t	 count;		/* names so far */
	uint64_t	 random, seed;
	unsigned long	 changes, want, acks, refused, kills, unsure, came;
	unsigned	 wrong;
	/* the answer to a question; 0 in status: none yet */
	unsigned	 status;
	char		*body;
	size_t		 len;
	bool		 asking;
} w;

static void	 run_start(void);
static void	 run_kill(void);
static void	 run_stop(void);
static void	 change(void);
static void	 compare(void);
static void	 files(const char *, unsigned);

/* ---- chance --------------------------------------------------------------- */

static uint64_t
draw(uint64_t below)
{
	uint64_t	x = w.random += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return ((x ^ x >> 31) % below);
}

static void
wrong(const char *what, const char *where)
{
	fprintf(stderr, "WRONG: %s: %s\n", where, what);
	w.wrong++;
}

/* ---- the records ------------------------------------------------------- */

static bool
is_network(const struct record *r)
{
	return ((r - w.all) % (MEMBERS + 1) == 0);
}

static struct record *
network_of(struct record *r)
{
	return (r - (r - w.all) % (MEMBERS + 1));
}

static void
records_init(void)
{
	uint64_t	 nwid;
	struct record	*r = w.all;
	unsigned	 n, m;

	for (n = 0; n < NETWORKS; n++) {
		nwid = w.id.id_addr << 24 | (n + 1);
		snprintf(r->r_path, sizeof(r->r_path), "/network/%016" PRIx64,
		    nwid);
		r++;
		for (m = 1; m <= MEMBERS; m++, r++)
			snprintf(r->r_path, sizeof(r->r_path),
			    "/network/%016" PRIx64 "/member/%010x", nwid,
			    0x10000000 + m);
	}
}

/* A network's members come and go with it, and must not change meanwhile. */
static bool
is_free(struct record *r)
{
	struct record	*n = network_of(r);
	unsigned	 m;

	if (n->r_busy || r->r_busy)
		return (false);
	if (!is_network(r))
		return (n->r_name != 0);
	for (m = 1; m <= MEMBERS; m++)
		if (n[m].r_busy)
			return (false);
	return (true);
}

static void
settle(struct record *r, uint32_t name)
{
	unsigned	m;

	r->r_name = name;
	if (is_network(r) && name == 0)
		for (m = 1; m <= MEMBERS; m++)
			r[m].r_name = 0;
}

/* ---- messages ----------------------------------------------------------- */

static void
from_child(struct channel *ch, struct msg *m, void *arg)
{
	char	text[512];

	(void)ch;
	(void)arg;
	if (m->m_type == MSG_READY)
		w.ready = true;
	if (m->m_type != MSG_LOG)
		return;
	snprintf(text, sizeof(text), "%.*s",
	    (int)(m->m_len - sizeof(struct msg_log)),
	    (const char *)m->m_data + sizeof(struct msg_log));
	if (strstr(text, "skipped") != NULL || strstr(text, "cannot") != NULL)
		wrong(text, "log");
}

/* The answer to a change is complete. */
static void
change_done(struct record *r, unsigned status)
{
	r->r_busy = false;
	w.busy--;
	if (status == 200) {
		settle(r, r->r_wanted);
		w.acks++;
	} else {
		w.refused++;
		wrong("a change was refused", r->r_path);
	}
}

/*
 * m_id is 0 for a question, else 1 + the index of the record.  The status
 * of a change is kept in the id's slot until its end comes.
 */
static void
from_con(struct channel *ch, struct msg *m, void *arg)
{
	static unsigned			 statuses[ALL + 1];
	const struct msg_api_response	*rs = m->m_data;

	(void)ch;
	(void)arg;
	if (m->m_id > ALL)
		errx(1, "an answer to nothing");
	if (m->m_type == MSG_API_RESPONSE)
		statuses[m->m_id] = rs->ar_status;
	else if (m->m_type == MSG_API_BODY && m->m_id == 0) {
		if ((w.body = realloc(w.body, w.len + m->m_len + 1)) == NULL)
			err(1, "answer");
		memcpy(w.body + w.len, m->m_data, m->m_len);
		w.len += m->m_len;
	} else if (m->m_type == MSG_API_END) {
		if (m->m_id == 0) {
			w.status = statuses[0];
			w.asking = false;
		} else if (w.all[m->m_id - 1].r_busy)
			change_done(&w.all[m->m_id - 1], statuses[m->m_id]);
	}
}

static void
gone(struct channel *ch, const char *reason, void *arg)
{
	(void)arg;
	if (reason != NULL)
		wrong(reason, "channel");
	channel_free(ch);
	if (ch == w.parent)
		w.parent = NULL;
	else
		w.ctl = NULL;
	w.gone = w.parent == NULL && w.ctl == NULL;
}

static void
late(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	errx(1, "nothing for %d seconds (seed %" PRIu64 ")", DEADLINE,
	    w.seed);
}

static void
once(void)
{
	const struct timeval	tv = { DEADLINE, 0 };

	(void)evtimer_add(w.timer, &tv);
	if (event_base_loop(w.base, EVLOOP_ONCE) == -1)
		errx(1, "event loop failed");
	(void)evtimer_del(w.timer);
}

static void
send_api(uint32_t id, enum api_method method, const char *path,
    const char *body)
{
	struct msg_api_request	rq;

	memset(&rq, 0, sizeof(rq));
	rq.ar_method = method;
	(void)strlcpy(rq.ar_path, path, sizeof(rq.ar_path));
	if (channel_send(w.ctl, MSG_API_REQUEST, id, -1, &rq, sizeof(rq)) ==
	    -1 || channel_send(w.ctl, MSG_API_BODY, id, -1, body,
	    strlen(body)) == -1 ||
	    channel_send(w.ctl, MSG_API_END, id, -1, NULL, 0) == -1)
		err(1, "cannot ask");
}

/* ---- the process ----------------------------------------------------------- */

static struct channel *
join(enum proc who, channel_message cb)
{
	struct msg_channel	mc;
	struct channel		*ch;
	int			 fds[2];

	if (channel_pair(fds) == -1)
		err(1, "channel");
	ch = channel_new(w.base, fds[0], who, PROC_CON, cb, gone, NULL);
	memset(&mc, 0, sizeof(mc));
	mc.mc_peer = who;
	if (ch == NULL || channel_send(w.parent, MSG_CHANNEL, 0, fds[1], &mc,
	    sizeof(mc)) == -1)
		err(1, "channel");
	return (ch);
}

static void
run_start(void)
{
	struct msg_identity	mi;
	struct msg_init		init;
	int			fds[2];

	if (channel_pair(fds) == -1)
		err(1, "channel");
	w.pid = proc_spawn(PROC_CON, w.program, fds[1], true, NULL);
	if (w.pid <= 0)
		err(1, "%s", w.program);
	close(fds[1]);
	w.ready = w.gone = false;
	w.parent = channel_new(w.base, fds[0], PROC_TAP, PROC_CON,
	    from_child, gone, NULL);
	memset(&init, 0, sizeof(init));
	init.mi_uid = (uint32_t)-1;
	init.mi_gid = (uint32_t)-1;
	(void)strlcpy(init.mi_home, w.folder, sizeof(init.mi_home));
	memset(&mi, 0, sizeof(mi));
	identity_format(mi.mi_text, &w.id, true);
	if (channel_send(w.parent, MSG_INIT, 0, -1, &init, sizeof(init)) ==
	    -1 || channel_send(w.parent, MSG_IDENTITY, 0, -1, &mi,
	    sizeof(mi)) == -1)
		err(1, "cannot start");
	w.ctl = join(PROC_CTL, from_con);
	while (!w.ready) {
		if (w.parent == NULL)
			errx(1, "it ended at its start (seed %" PRIu64 ")",
			    w.seed);
		once();
	}
}

/* What it answered before it died still comes, and counts. */
static void
run_drain(void)
{
	int	status;

	while (waitpid(w.pid, &status, 0) == -1 && errno == EINTR)
		;
	while (!w.gone)
		once();
}

static void
run_kill(void)
{
	if (kill(w.pid, SIGKILL) == -1)
		err(1, "kill");
	w.kills++;
	run_drain();
}

static void
run_stop(void)
{
	if (channel_send(w.parent, MSG_STOP, 0, -1, NULL, 0) == -1 ||
	    channel_flush(w.parent, DEADLINE * 1000) == -1)
		err(1, "cannot stop it");
	run_drain();
}

/* ---- changes --------------------------------------------------------------- */

/* Ask for a change of a record at random, if it has none under way. */
static void
change(void)
{
	struct record	*r = &w.all[draw(ALL)];
	uint64_t	 del = is_network(r) ? 40 : 8;
	char		 body[600], filler[400];
	size_t		 n;

	if (!is_free(r))
		return;
	r->r_busy = true;
	w.busy++;
	w.changes++;
	if (r->r_name != 0 && draw(del) == 0) {
		r->r_wanted = 0;
		send_api((uint32_t)(r - w.all) + 1, API_DELETE, r->r_path,
		    "");
		return;
	}
	/* Of all lengths: a file in two pieces would show. */
	n = draw(sizeof(filler) - 1);
	memset(filler, 'x', n);
	filler[n] = '\0';
	r->r_wanted = ++w.count;
	snprintf(body, sizeof(body), "{\"name\":\"%" PRIu32 " %s\"}",
	    r->r_wanted, filler);
	send_api((uint32_t)(r - w.all) + 1, API_POST, r->r_path, body);
}

/* So many changes, then a kill while some are under way. */
static void
round_trip(unsigned long changes)
{
	unsigned long	until = w.changes + changes;

	while (w.changes < until) {
		if (w.busy < UNDER_WAY && w.busy < 1 + draw(UNDER_WAY))
			change();
		else
			once();
		/* Not all that was asked may have left. */
		(void)event_base_loop(w.base, EVLOOP_NONBLOCK);
	}
	(void)usleep((useconds_t)draw(PAUSE_US));
	run_kill();
}

/* ---- what is there after it -------------------------------------------- */

static void
ask(const char *path)
{
	w.len = 0;
	w.asking = true;
	send_api(0, API_GET, path, "");
	while (w.asking && w.ctl != NULL)
		once();
	if (w.asking)
		errx(1, "it died of a question (seed %" PRIu64 ")", w.seed);
}

/* The number in the name of a record, 0 when there is none. */
static uint32_t
look(const struct record *r)
{
	const char	*name;
	uint32_t	 v = 0;
	json_t		*o;

	ask(r->r_path);
	if (w.status == 404)
		return (0);
	o = json_loadb(w.body, w.len, 0, NULL);
	name = json_string_value(json_object_get(o, "name"));
	if (w.status != 200 || name == NULL)
		wrong("no record was answered", r->r_path);
	else
		v = (uint32_t)strtoul(name, NULL, 10);
	json_decref(o);
	return (v);
}

static void
compare(void)
{
	struct record	*r;
	uint32_t	 is;

	for (r = w.all; r < w.all + ALL; r++) {
		is = look(r);
		if (r->r_busy) {
			w.unsure++;
			w.came += is == r->r_wanted;
			if (is == r->r_wanted)
				settle(r, is);
		}
		r->r_busy = false;
		if (is != r->r_name) {
			fprintf(stderr, "it has %" PRIu32 ", expected %"
			    PRIu32 "\n", is, r->r_name);
			wrong("an answered change is lost", r->r_path);
			r->r_name = is;
		}
	}
	w.busy = 0;
}

/* Every record on disk is whole; with depth 0 the folder is the top one. */
static void
files(const char *path, unsigned depth)
{
	char		 sub[1024];
	struct dirent	*de;
	size_t		 len;
	json_t		*o;
	DIR		*dir;

	if (depth > 4 || (dir = opendir(path)) == NULL)
		return;
	while ((de = readdir(dir)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		len = strlen(de->d_name);
		snprintf(sub, sizeof(sub), "%s/%s", path, de->d_name);
		if (strstr(de->d_name, ".bad") != NULL)
			wrong("a file was set aside", sub);
		else if (len <= 5 ||
		    strcmp(de->d_name + len - 5, ".json") != 0)
			files(sub, depth + 1);
		else if ((o = json_load_file(sub, 0, NULL)) == NULL)
			wrong("a file is torn", sub);
		else
			json_decref(o);
	}
	closedir(dir);
}

static void
look_at_files(void)
{
	char	path[1024];

	snprintf(path, sizeof(path), "%s/controller.d", w.folder);
	files(path, 0);
}

/* ---- all of it ------------------------------------------------------------- */

static void
usage(void)
{
	fprintf(stderr, "usage: controller_crash [-s seed] [-c changes] "
	    "[-k kills] program folder\n");
	exit(2);
}

static void
prepare(void)
{
	char	path[1024];

	log_init("controller_crash", true, false);
	if (crypto_init() == -1 || identity_generate(&w.id) == -1)
		errx(1, "no identity");
	snprintf(path, sizeof(path), "%s/controller.d", w.folder);
	if (mkdir(path, 0700) == -1)
		err(1, "%s", path);
	records_init();
	w.base = event_base_new();
	if (w.base == NULL ||
	    (w.timer = evtimer_new(w.base, late, NULL)) == NULL)
		errx(1, "no event loop");
}

int
main(int argc, char *argv[])
{
	unsigned long	kills = 15, i, mean;
	int		ch;

	w.seed = (uint64_t)time(NULL);
	w.want = 750;
	while ((ch = getopt(argc, argv, "c:k:s:")) != -1)
		switch (ch) {
		case 'c':
			w.want = strtoul(optarg, NULL, 10);
			break;
		case 'k':
			kills = strtoul(optarg, NULL, 10);
			break;
		case 's':
			w.seed = strtoull(optarg, NULL, 10);
			break;
		default:
			usage();
		}
	if (argc - optind != 2 || kills == 0 || w.want < kills)
		usage();
	w.program = argv[optind];
	w.folder = argv[optind + 1];
	w.random = w.seed;
	printf("seed %" PRIu64 "\n", w.seed);
	(void)fflush(stdout);
	prepare();
	mean = w.want / kills;
	for (i = 0; i < kills; i++) {
		run_start();
		compare();
		look_at_files();
		round_trip(i + 1 < kills ? 1 + draw(2 * mean - 1) :
		    w.want > w.changes ? w.want - w.changes : 1);
	}
	run_start();
	compare();
	run_stop();
	look_at_files();
	run_start();
	compare();
	run_stop();
	printf("%lu changes, %lu answered, %lu kills; of %lu under way at a "
	    "kill %lu were done; %u wrong\n", w.changes, w.acks, w.kills,
	    w.unsure, w.came, w.wrong);
	return (w.wrong > 0);
}
