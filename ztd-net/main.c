/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * ztd-net: the engine.  Started by ztd, never by hand.  Owns the UDP
 * sockets and all VL1/VL2 state; parses everything that strangers send.
 */

#include <sys/types.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/crypto.h"
#include "common/log.h"
#include "common/siv_way.h"
#include "ztd-net/engine.h"

static void	engine_timer(void *);
static void	engine_stop(void *);

#ifndef CLOCK_BOOTTIME
#define CLOCK_BOOTTIME	CLOCK_MONOTONIC
#endif

static int64_t
clock_ms(clockid_t id)
{
	struct timespec	 ts;

	if (clock_gettime(id, &ts) == -1)
		fatal("cannot read the clock");
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/*
 * Wall-clock time as of the start, carried on by a clock that nobody sets
 * and that goes on while the machine sleeps.
 */
int64_t
engine_now(void)
{
	static int64_t	 offset;

	if (offset == 0)
		offset = clock_ms(CLOCK_REALTIME) - clock_ms(CLOCK_BOOTTIME);
	return (clock_ms(CLOCK_BOOTTIME) + offset);
}

/* Be called at this time, if not sooner. */
static void
engine_schedule(struct engine *e, int64_t now, int64_t next)
{
	if (e->e_armed != 0 && next >= e->e_armed)
		return;
	e->e_armed = next;
	alarm_set(e->e_alarm, next > now ? next - now : 1);
}

void
engine_flush(struct engine *e)
{
	udp_flush(e);
	frames_flush(e);
	rest_later(e);
	urgent_check(e);
	if (e->e_node != NULL && node_next(e->e_node) < e->e_armed)
		engine_schedule(e, engine_now(), node_next(e->e_node));
}

void
engine_start_clock(struct engine *e)
{
	int64_t	 now = engine_now();

	e->e_armed = 0;
	engine_schedule(e, now, now);
}

static void
engine_timer(void *arg)
{
	struct engine	*e = arg;
	int64_t		 now = engine_now();

	if (e->e_node == NULL)
		return;
	e->e_armed = 0;
	engine_schedule(e, now, node_tick(e->e_node, now));
	engine_flush(e);
}

/* The parent is gone or wants us to go: keep what is worth keeping. */
static void
engine_stop(void *arg)
{
	struct engine	*e = arg;

	node_free(e->e_node, engine_now());
	e->e_node = NULL;
}

int
main(void)
{
	static struct engine	 e;
	struct confine		 co;
	struct msg_init		 init;
	const char		*wrong;

	child_start(PROC_NET, "ztd-net", &init);
	if (crypto_init() == -1)
		fatalx("libsodium or libcrypto does not work");
	if ((wrong = siv_use_fastest()) != NULL)
		log_warnx("%s does not agree with libcrypto: not used", wrong);
	settings_init(&e.e_settings);
	state_open(&e, init.mi_home);

	memset(&co, 0, sizeof(co));
	co.co_self = PROC_NET;
	co.co_chroot = init.mi_home;
	co.co_rw[0] = "/networks.d";
	co.co_rw[1] = "/moons.d";
	co.co_rw[2] = "/peers.d";
	co.co_ro[0] = "/";
	co.co_udp = true;
	co.co_threads = 1;	/* udp_post.c */
	co.co_realtime = true;
	co.co_burst = true;
	child_confine(&co, &init);

	if ((e.e_base = event_base_new()) == NULL ||
	    (e.e_alarm = alarm_new(e.e_base, engine_timer, &e)) == NULL ||
	    udp_new(&e) == -1)
		fatalx("cannot make an event loop");
	state_start(&e);
	e.e_parent = child_channel(e.e_base, PROC_NET, parent_message,
	    engine_stop, &e);
	event_base_dispatch(e.e_base);
	return (0);
}
