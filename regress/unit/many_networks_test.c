/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Thousands of networks: in the core, and in what the engine and the parent
 * look up for every frame.
 */

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "regress/lib/chanpair.h"
#include "regress/lib/quiet.h"
#include "regress/lib/vectors.h"
#include "ztd-net/core/node.h"
#include "ztd-net/engine.h"
#include "ztd-tap/framepump.h"
#include "ztd-tap/tap.h"

/* Of ztd-net's main.c. */
int64_t
engine_now(void)
{
	return (0);
}

static unsigned	 turns;		/* of the engine with its frames */
static int	 first_turn = -1; /* a pipe, told of it */

void
engine_flush(struct engine *e)
{
	(void)e;
	if (turns++ == 0 && first_turn != -1)
		ATF_REQUIRE_EQ(1, write(first_turn, "", 1));
}

#define START	1795000000000
#define MANY	3000

/* The k-th network; neighbours in the tree are none here. */
static uint64_t
nwid(unsigned k)
{
	return (0x1000000000000000ULL + (uint64_t)(k * 2654435761U) * 4096 +
	    k);
}

static double
seconds(void)
{
	struct timespec	 ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ((double)ts.tv_sec + (double)ts.tv_nsec / 1e9);
}

/* ---- the core ------------------------------------------------------ */

static unsigned	 told;

static void
cb_network(void *arg, const struct node_network *nn)
{
	(void)arg;
	(void)nn;
	told++;
}

static void
count(const struct node_network *nn, void *arg)
{
	unsigned	*n = arg;

	ATF_CHECK_EQ(NET_REQUESTING, nn->nn_status);
	++*n;
}

static const struct node_callbacks callbacks = {
	.nc_send = quiet_send,
	.nc_network = cb_network
};

ATF_TC_WITHOUT_HEAD(core);
ATF_TC_BODY(core, tc)
{
	static const uint8_t	 payload[64];
	struct identity		 id;
	struct node		*n;
	double			 begin, one, all;
	unsigned		 i, have;

	ATF_REQUIRE_EQ(crypto_init(), 0);
	vectors_identity(tc, "m1", &id);
	ATF_REQUIRE((n = node_new(&id, &callbacks, NULL, START)) != NULL);

	ATF_REQUIRE_EQ(0, node_join(n, START, nwid(0)));
	begin = seconds();
	for (i = 0; i < 100000; i++)
		node_frame(n, START, nwid(0), 0xffffffffffffULL, 1, 0x88b5,
		    payload, sizeof(payload), NULL);
	one = seconds() - begin;

	for (i = 0; i < MANY; i++)
		ATF_REQUIRE_EQ(0, node_join(n, START, nwid(i)));
	have = 0;
	node_each_network(n, 0, count, &have);
	ATF_CHECK_EQ(MANY, have);
	ATF_CHECK(told >= MANY);
	/* A frame costs the same as before, whichever network it is for. */
	begin = seconds();
	for (i = 0; i < 100000; i++)
		node_frame(n, START, nwid(i % MANY), 0xffffffffffffULL, 1,
		    0x88b5, payload, sizeof(payload), NULL);
	all = seconds() - begin;
	printf("100000 frames: %.3f s with one network, %.3f s with %d\n",
	    one, all, MANY);
	ATF_CHECK_MSG(all < one * 20 + 0.5, "%.3f s, then %.3f s", one, all);

	(void)node_tick(n, START + 1000);
	for (i = 0; i < MANY; i += 2)
		node_leave(n, START + 1000, nwid(i));
	have = 0;
	node_each_network(n, 0, count, &have);
	ATF_CHECK_EQ(MANY / 2, have);
	have = 0;
	node_each_network(n, nwid(1), count, &have);
	ATF_CHECK_EQ(1, have);
	node_free(n, START + 2000);
}

/* ---- the engine: networks and taps, either way ------------------------ */

ATF_TC_WITHOUT_HEAD(engine);
ATF_TC_BODY(engine, tc)
{
	static struct engine	 e;
	double			 begin;
	unsigned		 i, round;

	(void)tc;
	for (i = 0; i < MANY; i++)
		ATF_REQUIRE_EQ(0, frames_set_tap(&e, nwid(i), (int)i));
	begin = seconds();
	for (round = 0; round < 100; round++)
		for (i = 0; i < MANY; i++) {
			ATF_REQUIRE_EQ((int)i, frames_tap(&e, nwid(i)));
			ATF_REQUIRE_EQ(nwid(i), frames_network(&e, i));
		}
	ATF_CHECK_MSG(seconds() - begin < 5, "%.3f s", seconds() - begin);

	/* The highest index there is, and those beyond. */
	ATF_REQUIRE_EQ(0, frames_set_tap(&e, 7, FRAME_TAPS - 1));
	ATF_CHECK_EQ(7, frames_network(&e, FRAME_TAPS - 1));
	ATF_CHECK_EQ(0, frames_network(&e, FRAME_TAPS));
	ATF_REQUIRE_EQ(0, frames_set_tap(&e, 8, FRAME_TAPS));
	ATF_CHECK_EQ(-1, frames_tap(&e, 8));
	/* Another place, another network in its place, and none. */
	ATF_REQUIRE_EQ(0, frames_set_tap(&e, nwid(5), MANY));
	ATF_CHECK_EQ(0, frames_network(&e, 5));
	ATF_CHECK_EQ(nwid(5), frames_network(&e, MANY));
	ATF_REQUIRE_EQ(0, frames_set_tap(&e, nwid(6), MANY));
	ATF_CHECK_EQ(-1, frames_tap(&e, nwid(5)));
	ATF_CHECK_EQ(nwid(6), frames_network(&e, MANY));
	for (i = 0; i < MANY; i++)
		ATF_REQUIRE_EQ(0, frames_set_tap(&e, nwid(i), -1));
	for (i = 0; i < MANY; i++) {
		ATF_CHECK_EQ(-1, frames_tap(&e, nwid(i)));
		ATF_CHECK_EQ(0, frames_network(&e, i));
	}
	ATF_CHECK_EQ(7, frames_network(&e, FRAME_TAPS - 1));
	ATF_REQUIRE_EQ(0, frames_set_tap(&e, 7, -1));
	ATF_CHECK_EQ(0, frames_network(&e, FRAME_TAPS - 1));
}

/* What a full channel could not take is told when it has room again. */

static unsigned	 ports[MANY];

static void
got_port(struct channel *ch, struct msg *m, void *arg)
{
	struct msg_port	 mp;
	unsigned	 i;

	(void)ch;
	(void)arg;
	if (m->m_type != MSG_PORT)
		return;
	memcpy(&mp, m->m_data, sizeof(mp));
	/* The tail of an id is its number. */
	i = (unsigned)(mp.mp_nwid & 0xfff);
	ATF_REQUIRE_EQ(nwid(i), mp.mp_nwid);
	ports[i]++;
}

static void
got_nothing(struct channel *ch, struct msg *m, void *arg)
{
	(void)ch;
	(void)m;
	(void)arg;
}

ATF_TC_WITHOUT_HEAD(all_told);
ATF_TC_BODY(all_told, tc)
{
	static struct engine	 e;
	struct node_callbacks	 cb = callbacks;
	struct identity		 id;
	struct channel		*parent;
	struct timeval		 tv = { 1, 0 };
	unsigned		 i, missing, turn;

	ATF_REQUIRE_EQ(crypto_init(), 0);
	vectors_identity(tc, "m1", &id);
	ATF_REQUIRE((e.e_base = event_base_new()) != NULL);
	e.e_parent = chanpair_new(e.e_base, got_nothing, got_port, &parent);
	cb.nc_network = engine_callbacks.nc_network;
	ATF_REQUIRE((e.e_node = node_new(&id, &cb, &e, START)) != NULL);

	for (i = 0; i < MANY; i++)
		ATF_REQUIRE_EQ(0, node_join(e.e_node, START, nwid(i)));
	ATF_CHECK(e.e_port_late != 0);
	for (turn = 0, missing = MANY; turn < 10 && missing > 0; turn++) {
		event_base_loopexit(e.e_base, &tv);
		(void)event_base_dispatch(e.e_base);
		for (i = missing = 0; i < MANY; i++)
			missing += ports[i] == 0;
	}
	ATF_CHECK_EQ_MSG(0, missing, "%u", missing);
	ATF_CHECK_EQ(0, e.e_port_late);
}

/* ---- nobody waits until a channel is empty ---------------------------- */

#define QUEUE	3000

/* So many frames as go into a channel, which become fewer only by reading. */
static unsigned
fill(struct frame_channel *fc, uint16_t tap)
{
	static const uint8_t	 frame[64];
	unsigned		 i;

	for (i = 0; i < QUEUE; i++)
		frame_put(fc, tap, frame, sizeof(frame));
	frame_flush(fc);
	return ((unsigned)frame_stats(fc)->fs_sent);
}

static void
other_event(evutil_socket_t fd, short what, void *arg)
{
	unsigned	*after = arg;
	char		 buf[128];

	(void)what;
	ATF_REQUIRE(read(fd, buf, sizeof(buf)) > 0);
	if (*after == 0)
		*after = turns;
}

ATF_TC_WITHOUT_HEAD(engine_turns);
ATF_TC_BODY(engine_turns, tc)
{
	static struct engine	 e;
	struct frame_channel	*parent;
	struct timeval		 tv = { 1, 0 };
	struct event		*ev;
	unsigned		 after = 0, n;
	int			 fds[2], told_by[2];

	(void)tc;
	ATF_REQUIRE((e.e_base = event_base_new()) != NULL);
	ATF_REQUIRE_EQ(0, frame_pair(fds));
	frames_attach(&e, fds[0]);
	ATF_REQUIRE((parent = frame_new(fds[1])) != NULL);
	if ((n = fill(parent, 0)) < 1000)
		atf_tc_skip("room for %u frames only", n);
	ATF_REQUIRE_EQ(0, pipe(told_by));
	first_turn = told_by[1];
	ATF_REQUIRE((ev = event_new(e.e_base, told_by[0], EV_READ |
	    EV_PERSIST, other_event, &after)) != NULL);
	ATF_REQUIRE_EQ(0, event_add(ev, NULL));
	turns = 0;
	event_base_loopexit(e.e_base, &tv);
	(void)event_base_dispatch(e.e_base);
	ATF_CHECK_EQ(n, frame_stats(e.e_frames)->fs_received);
	ATF_CHECK_MSG(after > 0 && after <= 2, "after %u of %u turns", after,
	    turns);
}

/* ---- the parent ------------------------------------------------------ */

static void
lost(void *arg)
{
	(void)arg;
}

/* Ends of pipes instead of taps. */
ATF_TC_WITHOUT_HEAD(pump);
ATF_TC_BODY(pump, tc)
{
	static struct tap	 taps[MANY];
	static int		 other[MANY], index[MANY];
	struct event_base	*base;
	struct frame_pump	*fp;
	struct rlimit		 rl;
	int			 fds[2], again;
	unsigned		 i;

	(void)tc;
	ATF_REQUIRE_EQ(0, getrlimit(RLIMIT_NOFILE, &rl));
	if (rl.rlim_max < 2 * MANY + 100)
		atf_tc_skip("not enough descriptors");
	rl.rlim_cur = 2 * MANY + 100;
	ATF_REQUIRE_EQ(0, setrlimit(RLIMIT_NOFILE, &rl));
	ATF_REQUIRE((base = event_base_new()) != NULL);
	ATF_REQUIRE((fp = pump_new(base)) != NULL);
	for (i = 0; i < MANY; i++) {
		ATF_REQUIRE_EQ(0, pipe(fds));
		taps[i].t_fd = fds[0];
		other[i] = fds[1];
		index[i] = pump_add(fp, &taps[i], 2800, lost, NULL);
		ATF_REQUIRE_EQ((int)i, index[i]);
	}
	/* A place that was left is not given away at once. */
	pump_del(fp, 17);
	pump_del(fp, 18);
	again = pump_add(fp, &taps[17], 2800, lost, NULL);
	ATF_CHECK_MSG(again >= MANY, "%d", again);
	pump_mtu(fp, (unsigned)again, 1500);
	pump_mtu(fp, FRAME_TAPS + 5, 1500);
	pump_del(fp, FRAME_TAPS + 5);
	pump_free(fp);
	event_base_free(base);
	for (i = 0; i < MANY; i++) {
		close(taps[i].t_fd);
		close(other[i]);
	}
}

/* An engine that sends without end keeps the parent from nothing else. */

struct watched {
	struct frame_pump	*wa_pump;
	uint64_t		 wa_after;	/* frames */
};

static void
frame_came(evutil_socket_t fd, short what, void *arg)
{
	struct watched		*wa = arg;
	const struct pump_stats	*ps = pump_stats(wa->wa_pump);
	char			 buf[128];

	(void)what;
	while (read(fd, buf, sizeof(buf)) > 0)
		continue;
	if (wa->wa_after == 0)
		wa->wa_after = ps->ps_in + ps->ps_dropped;
}

ATF_TC_WITHOUT_HEAD(pump_turns);
ATF_TC_BODY(pump_turns, tc)
{
	struct watched		 wa = { NULL, 0 };
	struct tap		 tap;
	struct event_base	*base;
	struct event		*ev;
	struct frame_channel	*engine;
	struct timeval		 tv = { 1, 0 };
	const struct pump_stats	*ps;
	unsigned		 n;
	int			 fds[2], index, wire[2];

	(void)tc;
	memset(&tap, 0, sizeof(tap));
	ATF_REQUIRE_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK,
	    0, wire));
	tap.t_fd = wire[0];
	ATF_REQUIRE((base = event_base_new()) != NULL);
	ATF_REQUIRE((wa.wa_pump = pump_new(base)) != NULL);
	ATF_REQUIRE_EQ(0, frame_pair(fds));
	ATF_REQUIRE_EQ(0, pump_channel(wa.wa_pump, fds[0]));
	ATF_REQUIRE((index = pump_add(wa.wa_pump, &tap, 2800, lost, NULL)) !=
	    -1);
	ATF_REQUIRE((engine = frame_new(fds[1])) != NULL);
	n = fill(engine, (uint16_t)index);
	ATF_REQUIRE((ev = event_new(base, wire[1], EV_READ | EV_PERSIST,
	    frame_came, &wa)) != NULL);
	ATF_REQUIRE_EQ(0, event_add(ev, NULL));
	event_base_loopexit(base, &tv);
	(void)event_base_dispatch(base);
	ps = pump_stats(wa.wa_pump);
	ATF_CHECK_EQ(n, ps->ps_in + ps->ps_dropped);
	ATF_CHECK_MSG(wa.wa_after > 0 && wa.wa_after <= 128, "after %llu of "
	    "%u frames", (unsigned long long)wa.wa_after, n);
	event_free(ev);
	pump_free(wa.wa_pump);
	frame_free(engine);
	event_base_free(base);
	close(wire[0]);
	close(wire[1]);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, core);
	ATF_TP_ADD_TC(tp, engine);
	ATF_TP_ADD_TC(tp, all_told);
	ATF_TP_ADD_TC(tp, pump);
	ATF_TP_ADD_TC(tp, engine_turns);
	ATF_TP_ADD_TC(tp, pump_turns);
	return (atf_no_error());
}
