/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What a packet costs when there is more of everything: two cores in memory,
 * without system calls.
 *
 *	growth [-p] [-n frames] [what number] ...
 *		with -p encrypted by libcrypto also where there is a faster
 *		way; all of it unless said: peers (known, one is talked to), turns
 *		(of peers that are all talked to), networks (used in turn),
 *		rules, members (of a group, that all get a broadcast)
 *
 * Prints an object of JSON in each line: nanoseconds of CPU time for each
 * packet, of who sends it and of who receives it, and instructions where the
 * processor counts them for us; null for what there is not.  Under valgrind
 * --tool=callgrind --toggle-collect=counted_send, or counted_deliver, these
 * are counted anywhere.
 */

#include <sys/types.h>
#ifdef __linux__
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#endif

#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/siv_way.h"
#include "regress/lib/stage.h"

#define FRAME		1400
#define BATCH		64
#define RULES		10
#define MCLIMIT		32

struct job {
	const char	*jo_what;
	unsigned	 jo_n;
	struct stage	*jo_stage;
	unsigned	 jo_next;	/* peer or network whose turn it is */
};

struct cost {
	double		 co_ns;
	long long	 co_instructions;
	unsigned long long co_packets;
};

void	 counted_send(struct job *, unsigned);
void	 counted_deliver(struct stage *);

static int	 counter = -1;	/* of instructions */

/* --- measuring -------------------------------------------------------- */

static void
counter_open(void)
{
#ifdef __linux__
	struct perf_event_attr	 attr;

	memset(&attr, 0, sizeof(attr));
	attr.size = sizeof(attr);
	attr.type = PERF_TYPE_HARDWARE;
	attr.config = PERF_COUNT_HW_INSTRUCTIONS;
	attr.exclude_kernel = 1;
	attr.exclude_hv = 1;
	counter = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
#endif
}

static void
cost_now(struct cost *co)
{
	struct timespec	 ts;
	long long	 n = 0;

	if (counter != -1 && read(counter, &n, sizeof(n)) != sizeof(n))
		err(1, "instructions");
	co->co_instructions = n;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	co->co_ns = (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static void
cost_add(struct cost *co, const struct cost *since, uint64_t packets)
{
	struct cost	 now;

	cost_now(&now);
	co->co_ns += now.co_ns - since->co_ns;
	co->co_instructions += now.co_instructions - since->co_instructions;
	co->co_packets += packets;
}

static void
cost_print(const char *end, const struct cost *co)
{
	if (co->co_packets == 0) {
		printf(", \"%s_ns\": null, \"%s_instructions\": null", end,
		    end);
		return;
	}
	printf(", \"%s_ns\": %.0f", end, co->co_ns / (double)co->co_packets);
	if (counter == -1)
		printf(", \"%s_instructions\": null", end);
	else
		printf(", \"%s_instructions\": %.0f", end,
		    (double)co->co_instructions / (double)co->co_packets);
}

/* --- what is sent ----------------------------------------------------- */

static bool
is(const struct job *jo, const char *what)
{
	return (strcmp(jo->jo_what, what) == 0);
}

static void
set_up(struct job *jo)
{
	struct stage	*s = jo->jo_stage = stage_new();
	unsigned	 k, nrules = RULES, networks = 1;
	uint32_t	 mclimit = MCLIMIT;

	if (is(jo, "peers"))
		stage_others(s, jo->jo_n - 1);
	else if (is(jo, "turns") || is(jo, "members"))
		stage_others(s, jo->jo_n);
	else if (is(jo, "networks"))
		networks = jo->jo_n;
	else if (is(jo, "rules"))
		nrules = jo->jo_n;
	else
		errx(2, "what is \"%s\"?", jo->jo_what);
	if (is(jo, "members"))
		mclimit = jo->jo_n;
	for (k = 0; k < networks; k++)
		stage_join(s, k, nrules, mclimit);
	if (is(jo, "members"))
		stage_group(s, 0, jo->jo_n);
}

/* Both are named by those who count: not to become part of their caller. */
__attribute__((noinline)) void
counted_send(struct job *jo, unsigned n)
{
	for (; n > 0; n--) {
		if (is(jo, "members"))
			stage_send_all(jo->jo_stage, 0, FRAME);
		else if (is(jo, "turns"))
			stage_send_other(jo->jo_stage, 0, jo->jo_next, FRAME);
		else if (is(jo, "networks"))
			stage_send(jo->jo_stage, jo->jo_next, FRAME);
		else
			stage_send(jo->jo_stage, 0, FRAME);
		jo->jo_next = (jo->jo_next + 1) % jo->jo_n;
	}
}

__attribute__((noinline)) void
counted_deliver(struct stage *s)
{
	stage_deliver(s);
}

/* The others do not answer: for them time must not pass. */
static bool
answered(const struct job *jo)
{
	return (!is(jo, "turns") && !is(jo, "members"));
}

static unsigned
batch_of(const struct job *jo)
{
	return (is(jo, "members") ? 1 : BATCH);
}

/* Once around, so that nothing is new any more. */
static void
warm_up(struct job *jo)
{
	unsigned	 i, n = is(jo, "members") ? 2 : jo->jo_n + BATCH;

	for (i = 0; i < n; i++) {
		if (is(jo, "members"))
			stage_send_all(jo->jo_stage, 0, FRAME);
		else if (is(jo, "turns"))
			stage_send_other(jo->jo_stage, 0, i % jo->jo_n, FRAME);
		else
			stage_send(jo->jo_stage, is(jo, "networks") ?
			    i % jo->jo_n : 0, FRAME);
		stage_deliver(jo->jo_stage);
	}
	if (answered(jo))
		stage_pass(jo->jo_stage, 1);
}

static void
run(struct job *jo, unsigned frames)
{
	struct cost	 out, in, since;
	struct stage	*s;
	uint64_t	 sent, got;
	unsigned	 i;

	set_up(jo);
	s = jo->jo_stage;
	warm_up(jo);
	memset(&out, 0, sizeof(out));
	memset(&in, 0, sizeof(in));
	/* Of broadcasts the copies are counted. */
	for (i = 0; out.co_packets < frames; i++) {
		sent = s->s_ends[STAGE_A].se_sent;
		got = s->s_ends[STAGE_B].se_frames;
		cost_now(&since);
		counted_send(jo, batch_of(jo));
		cost_add(&out, &since, s->s_ends[STAGE_A].se_sent - sent);
		cost_now(&since);
		counted_deliver(s);
		cost_add(&in, &since, s->s_ends[STAGE_B].se_frames - got);
		if (answered(jo))
			stage_pass(s, 1);
		if (i > frames)
			errx(1, "%s %u: nothing is sent", jo->jo_what,
			    jo->jo_n);
	}
	printf("{\"what\": \"%s\", \"n\": %u, \"packets\": %llu",
	    jo->jo_what, jo->jo_n, out.co_packets);
	cost_print("out", &out);
	cost_print("in", &in);
	printf("}\n");
	fflush(stdout);
	stage_free(s);
}

int
main(int argc, char *argv[])
{
	static const struct job	 jobs[] = {
		{ "peers", 1, NULL, 0 }, { "peers", 100, NULL, 0 },
		{ "peers", 10000, NULL, 0 },
		{ "turns", 1, NULL, 0 }, { "turns", 100, NULL, 0 },
		{ "turns", 10000, NULL, 0 },
		{ "networks", 1, NULL, 0 }, { "networks", 50, NULL, 0 },
		{ "networks", 500, NULL, 0 },
		{ "rules", 10, NULL, 0 }, { "rules", 256, NULL, 0 },
		{ "rules", 1000, NULL, 0 },
		{ "members", 10, NULL, 0 }, { "members", 100, NULL, 0 },
		{ "members", 1000, NULL, 0 }
	};
	struct job	 jo;
	const char	*wrong;
	unsigned	 i, frames = 200000;
	bool		 portable = false;
	int		 ch;

	while ((ch = getopt(argc, argv, "n:p")) != -1) {
		if (ch == 'p')
			portable = true;
		else if (ch != 'n' || (frames = (unsigned)atoi(optarg)) == 0) {
			fprintf(stderr, "usage: growth [-p] [-n frames] "
			    "[what number] ...\n");
			return (2);
		}
	}
	if (crypto_init() == -1)
		errx(1, "cryptography");
	/* As the engine does. */
	if (!portable && (wrong = siv_use_fastest()) != NULL)
		errx(1, "%s does not agree with libcrypto", wrong);
	counter_open();
	for (i = 0; optind == argc && i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		jo = jobs[i];
		run(&jo, frames);
	}
	for (; optind + 1 < argc; optind += 2) {
		memset(&jo, 0, sizeof(jo));
		jo.jo_what = argv[optind];
		if ((jo.jo_n = (unsigned)atoi(argv[optind + 1])) == 0)
			errx(2, "%s: not \"%s\"", jo.jo_what,
			    argv[optind + 1]);
		run(&jo, frames);
	}
	return (0);
}
