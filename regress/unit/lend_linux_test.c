/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Taps lent to the engine: the real parent with a stub of an engine, and the
 * real engine's part with a stub of a parent.  Spec: 06 section 11.5.
 */

#include <sys/socket.h>

#include <linux/if_packet.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>
#include <event2/event.h>

#include "common/address.h"
#include "common/log.h"
#include "regress/lib/chanpair.h"
#include "regress/lib/rootcase.h"
#include "regress/lib/tapworld.h"
#include "ztd-net/engine.h"
#include "ztd-tap/dispatch.h"
#include "ztd-tap/framepump.h"
#include "ztd-tap/netif.h"

#define NWID	0x8056c2e21c000001ULL
#define NWID2	0x8056c2e21c000002ULL
#define TYPE	0x88b5		/* for experiments */
#define GROUP	0x01005e010203ULL	/* 239.129.2.3 */

static struct tapworld	*tw;

static void
join(uint64_t nwid, const char *ip)
{
	struct msg_port	 mp;

	tapworld_join(tw, nwid);
	tapworld_port(&mp, nwid, ip);
	tapworld_send(tw, MSG_PORT, &mp, sizeof(mp));
	ATF_REQUIRE_EQ(0, tapworld_tap(tw, nwid)->tt_error);
}

static void
set_up(bool lend)
{
	tw = tapworld_new();
	tw->tw_p.p_settings.s_lend_taps = lend;
	join(NWID, "10.9.8.7/24");
	tapworld_log_clear(tw);
}

/* A socket for frames of our type on its interface. */
static int
packets(uint64_t nwid)
{
	struct sockaddr_ll	 sll;
	int			 fd;

	fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(TYPE));
	ATF_REQUIRE(fd != -1);
	memset(&sll, 0, sizeof(sll));
	sll.sll_family = AF_PACKET;
	sll.sll_protocol = htons(TYPE);
	sll.sll_ifindex = (int)if_nametoindex(tapworld_dev(tw, nwid));
	ATF_REQUIRE(sll.sll_ifindex != 0);
	ATF_REQUIRE_EQ(0, bind(fd, (struct sockaddr *)&sll, sizeof(sll)));
	return (fd);
}

static void
fill(uint8_t *f, size_t len)
{
	memset(f, 0xff, 6);
	memset(f + 6, 0x02, len - 6);
	f[12] = TYPE >> 8;
	f[13] = TYPE & 0xff;
}

/* Ours among the frames of a channel; the tap's own are there as well. */
static unsigned
got(struct frame_channel *fc, uint16_t tap, size_t len)
{
	struct frame	 batch[FRAME_BATCH];
	unsigned	 all = 0;
	int		 i, n;

	while ((n = frame_get(fc, batch)) > 0)
		for (i = 0; i < n; i++) {
			if (batch[i].f_data[12] != TYPE >> 8 ||
			    batch[i].f_data[13] != (TYPE & 0xff))
				continue;
			ATF_CHECK_EQ(tap, batch[i].f_tap);
			ATF_CHECK_EQ(len, batch[i].f_len);
			all++;
		}
	return (all);
}

/* 100 frames each way, by the lent tap or by the channel. */
static void
both_ways(uint64_t nwid, bool lent)
{
	const struct tapworld_tap	*tt = tapworld_tap(tw, nwid);
	struct frame_channel		*fc;
	uint8_t				 f[2814];
	unsigned			 i, n;
	int				 s = packets(nwid);

	ATF_REQUIRE_EQ(lent, tt->tt_lent != NULL);
	fc = lent ? tt->tt_lent : tw->tw_frames;
	fill(f, sizeof(f));
	(void)got(fc, (uint16_t)tt->tt_tap, 0);
	for (i = n = 0; i < 100; i++) {
		ATF_REQUIRE_EQ((ssize_t)sizeof(f), send(s, f, sizeof(f), 0));
		if (i % 50 == 49) {
			tapworld_run(tw, 10);
			n += got(fc, (uint16_t)tt->tt_tap, sizeof(f));
		}
	}
	ATF_CHECK_EQ_MSG(100, n, "%u", n);
	if (lent)
		ATF_CHECK_EQ(0, got(tw->tw_frames, (uint16_t)tt->tt_tap, 0));
	/* What it sent itself is not among these. */
	while (recv(s, f, sizeof(f), 0) > 0)
		continue;
	for (i = n = 0; i < 100; i++) {
		fill(f, sizeof(f));
		frame_put2(fc, (uint16_t)tt->tt_tap, NULL, f, 14, f + 14,
		    sizeof(f) - 14);
		if (i % 50 != 49)
			continue;
		frame_flush(fc);
		tapworld_run(tw, 10);
		while (recv(s, f, sizeof(f), 0) == (ssize_t)sizeof(f))
			n++;
	}
	ATF_CHECK_EQ_MSG(100, n, "%u", n);
	close(s);
}

CASE(frames, "go both ways without the parent")
{
	uint64_t	 out;

	(void)tc;
	set_up(true);
	ATF_CHECK_EQ(1, tapworld_tap(tw, NWID)->tt_lends);
	ATF_CHECK_EQ(1, pump_nlent(tw->tw_p.p_pump));
	out = pump_stats(tw->tw_p.p_pump)->ps_out;
	both_ways(NWID, true);
	ATF_CHECK_EQ(out, pump_stats(tw->tw_p.p_pump)->ps_out);
	ATF_CHECK_EQ(0, pump_stats(tw->tw_p.p_pump)->ps_in);
	/* What is told anew is not lent anew. */
	join(NWID2, "10.9.7.7/24");
	tapworld_allow(tw, NWID, NETSET_GLOBAL, NETSET_GLOBAL);
	ATF_CHECK_EQ(1, tapworld_tap(tw, NWID)->tt_lends);
	ATF_CHECK_EQ(1, tapworld_tap(tw, NWID2)->tt_lends);
	both_ways(NWID2, true);
	both_ways(NWID, true);
	tapworld_free(tw);
}

CASE(off, "not lent when the operator does not want it")
{
	(void)tc;
	set_up(false);
	ATF_CHECK_EQ(0, tapworld_tap(tw, NWID)->tt_lends);
	ATF_CHECK_EQ(0, pump_nlent(tw->tw_p.p_pump));
	both_ways(NWID, false);
	tapworld_free(tw);
}

/* The stub does not look at MSG_STOP. */
static void
end_engine(void)
{
	ATF_REQUIRE_EQ(0, kill(tw->tw_engine, SIGKILL));
	ATF_REQUIRE_EQ(0, shutdown(tw->tw_raw, SHUT_RDWR));
	ATF_REQUIRE(tapworld_killed(tw));
}

CASE(restart, "another engine is lent them anew")
{
	uint64_t	 dropped;
	unsigned	 i;
	uint8_t		 f[100];
	int		 s;

	(void)tc;
	set_up(true);
	/* An enemy's last deed: who reads would wait. */
	ATF_REQUIRE_EQ(0, fcntl(frame_fd(tapworld_tap(tw, NWID)->tt_lent),
	    F_SETFL, O_RDWR));
	end_engine();
	ATF_CHECK_EQ(0, pump_nlent(tw->tw_p.p_pump));
	ATF_CHECK_STREQ(tapworld_dev(tw, NWID), "ztmjfmfyq5");
	/* Meanwhile nothing piles up. */
	s = packets(NWID);
	fill(f, sizeof(f));
	dropped = pump_stats(tw->tw_p.p_pump)->ps_dropped;
	for (i = 0; i < 10; i++)
		ATF_REQUIRE_EQ((ssize_t)sizeof(f), send(s, f, sizeof(f), 0));
	tapworld_run(tw, 20);
	ATF_CHECK(pump_stats(tw->tw_p.p_pump)->ps_dropped >= dropped + 10);
	close(s);

	tapworld_engine(tw);
	ATF_CHECK_EQ(2, tapworld_tap(tw, NWID)->tt_lends);
	both_ways(NWID, true);
	tapworld_free(tw);
}

CASE(leave, "an interface goes although the engine has it still")
{
	char			 dev[IF_NAMESIZE];
	struct frame_channel	*fc;
	struct frame		 batch[FRAME_BATCH];

	(void)tc;
	set_up(true);
	strlcpy(dev, tapworld_dev(tw, NWID), sizeof(dev));
	fc = tapworld_tap(tw, NWID)->tt_lent;
	tapworld_leave(tw, NWID);
	ATF_CHECK_EQ(0, if_nametoindex(dev));
	ATF_CHECK_EQ(0, pump_nlent(tw->tw_p.p_pump));
	while (frame_get(fc, batch) > 0)
		continue;
	ATF_CHECK_EQ(-1, frame_get(fc, batch));
	ATF_CHECK_EQ(0, tapworld_logged(tw, "cannot"));

	join(NWID, "10.9.8.7/24");
	ATF_CHECK_EQ(2, tapworld_tap(tw, NWID)->tt_lends);
	ATF_CHECK_STREQ(dev, tapworld_dev(tw, NWID));
	both_ways(NWID, true);
	tapworld_free(tw);
}

CASE(gone, "the parent believes it when the interface is gone")
{
	struct netif_dev	 nd;
	struct msg_tap_gone	 mg = { NWID, 0, 0 };
	char			 dev[IF_NAMESIZE];
	unsigned		 i;

	(void)tc;
	set_up(true);
	strlcpy(dev, tapworld_dev(tw, NWID), sizeof(dev));
	mg.mg_tap = tapworld_tap(tw, NWID)->tt_tap;
	/* Not true; of another; of none. */
	tapworld_send(tw, MSG_TAP_GONE, &mg, sizeof(mg));
	ATF_CHECK_EQ(1, tapworld_logged(tw, "the engine cannot read "
	    "interface ztmjfmfyq5, which is there"));
	mg.mg_tap++;
	tapworld_send(tw, MSG_TAP_GONE, &mg, sizeof(mg));
	mg.mg_tap = UINT32_MAX;
	tapworld_send(tw, MSG_TAP_GONE, &mg, sizeof(mg));
	mg.mg_nwid = NWID2;
	tapworld_send(tw, MSG_TAP_GONE, &mg, sizeof(mg));
	ATF_CHECK_EQ(1, tw->tw_nlines);
	ATF_CHECK(if_nametoindex(dev) != 0);
	ATF_CHECK(tw->tw_p.p_child[PROC_NET].c_state == CHILD_RUNNING);
	both_ways(NWID, true);

	strlcpy(nd.nd_name, dev, sizeof(nd.nd_name));
	nd.nd_index = if_nametoindex(dev);
	ATF_REQUIRE_EQ(0, netif_remove(tw->tw_p.p_netif, &nd));
	tapworld_run(tw, 20);
	ATF_CHECK_EQ(0, tapworld_logged(tw, "was removed"));
	mg.mg_nwid = NWID;
	mg.mg_tap = tapworld_tap(tw, NWID)->tt_tap;
	tapworld_send(tw, MSG_TAP_GONE, &mg, sizeof(mg));
	ATF_CHECK_EQ(1, tapworld_logged(tw, "interface ztmjfmfyq5 was "
	    "removed"));
	ATF_CHECK_EQ(ENXIO, tapworld_tap(tw, NWID)->tt_error);
	/* It is made again, and lent. */
	for (i = 0; i < 100 && tapworld_tap(tw, NWID)->tt_error != 0; i++)
		tapworld_run(tw, 100);
	ATF_CHECK_EQ(2, tapworld_tap(tw, NWID)->tt_lends);
	both_ways(NWID, true);
	tapworld_free(tw);
}

static bool
told(uint64_t mac)
{
	const struct tapworld_tap	*tt = tapworld_tap(tw, NWID);
	uint32_t			 i;

	for (i = 0; i < tt->tt_ngroups; i++)
		if (tt->tt_groups[i].mg_mac == mac)
			return (true);
	return (false);
}

CASE(report, "the parent looks at the groups when it is told of a report")
{
	struct ip_mreqn	 mreq;
	int		 fd;

	(void)tc;
	set_up(true);
	tapworld_run(tw, 1000);
	memset(&mreq, 0, sizeof(mreq));
	mreq.imr_ifindex = (int)if_nametoindex(tapworld_dev(tw, NWID));
	mreq.imr_multiaddr.s_addr = htonl(0xef810203);
	ATF_REQUIRE((fd = socket(AF_INET, SOCK_DGRAM, 0)) != -1);
	ATF_REQUIRE_EQ(0, setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq,
	    sizeof(mreq)));
	tapworld_run(tw, 200);
	ATF_CHECK(!told(GROUP));
	tapworld_send(tw, MSG_REPORTED, NULL, 0);
	tapworld_run(tw, 150);
	ATF_CHECK(told(GROUP));
	close(fd);
	tapworld_free(tw);
}

CASE(setting, "is followed while we run")
{
	(void)tc;
	set_up(false);
	tw->tw_p.p_settings.s_lend_taps = 1;
	dispatch_settings(&tw->tw_p);
	tapworld_run(tw, 20);
	ATF_CHECK_EQ(1, tapworld_tap(tw, NWID)->tt_lends);
	both_ways(NWID, true);
	/* Only its end takes them back. */
	tw->tw_p.p_settings.s_lend_taps = 0;
	dispatch_settings(&tw->tw_p);
	ATF_CHECK(tw->tw_p.p_child[PROC_NET].c_state == CHILD_DYING);
	ATF_CHECK_EQ(1, pump_nlent(tw->tw_p.p_pump));
	ATF_REQUIRE_EQ(0, kill(tw->tw_engine, SIGKILL));
	ATF_REQUIRE(tapworld_killed(tw));
	ATF_CHECK_EQ(0, pump_nlent(tw->tw_p.p_pump));
	tapworld_engine(tw);
	ATF_CHECK_EQ(1, tapworld_tap(tw, NWID)->tt_lends);
	both_ways(NWID, false);
	tapworld_free(tw);
}

/* ---- the engine's side ----------------------------------------------- */

static struct engine	 e;

/* Instead of main.c's. */
int64_t
engine_now(void)
{
	return (parent_now());
}

void
engine_flush(struct engine *en)
{
	frames_flush(en);
}

static unsigned		 nreports, ngone;
static struct msg_tap_gone last_gone;

static void
from_engine(struct channel *ch, struct msg *m, void *arg)
{
	(void)ch;
	(void)arg;
	if (m->m_type == MSG_REPORTED)
		nreports++;
	else if (m->m_type == MSG_TAP_GONE) {
		ngone++;
		memcpy(&last_gone, m->m_data, sizeof(last_gone));
	}
}

/* Of the tap of NWID, lent to it as to the stub. */
static void
engine_set_up(void)
{
	const struct tapworld_tap	*tt = tapworld_tap(tw, NWID);
	struct msg_lend			 ml = { NWID, tt->tt_tap, tt->tt_vnet };
	struct channel			*parent;
	int				 fd;

	memset(&e, 0, sizeof(e));
	e.e_base = tw->tw_p.p_base;
	e.e_parent = chanpair_new(e.e_base, from_engine, from_engine,
	    &parent);
	ATF_REQUIRE((fd = dup(frame_fd(tt->tt_lent))) != -1);
	ATF_REQUIRE_EQ(0, frames_set_tap(&e, NWID, (int)tt->tt_tap));
	frames_set_limits(&e, NWID, 2800, 0);
	frames_lend(&e, &ml, fd);
}

CASE(engine, "reads and writes, tells of reports and of the end")
{
	static const uint8_t	 routers[6] = { 0x33, 0x33, 0, 0, 0, 0x16 };
	struct netif_dev	 nd;
	struct msg_lend		 ml = { NWID2, 0, 0 };
	uint8_t			 f[4000];
	unsigned		 i, n;
	int			 fd, s;

	(void)tc;
	set_up(true);
	engine_set_up();
	/* Of a network that it knows no tap of: let go. */
	ATF_REQUIRE((fd = dup(STDIN_FILENO)) != -1);
	frames_lend(&e, &ml, fd);
	ATF_CHECK(fcntl(fd, F_GETFD) == -1);

	/* Out at once; what is too long for the tap is not sent. */
	s = packets(NWID);
	memset(f, 0, sizeof(f));
	frames_deliver(&e, NWID, MAC_BROADCAST, 0x020202020202, TYPE, f, 100);
	ATF_CHECK_EQ(114, recv(s, f, sizeof(f), 0));
	frames_deliver(&e, NWID, MAC_BROADCAST, 0x020202020202, TYPE, f,
	    2804);
	ATF_CHECK_EQ(2818, recv(s, f, sizeof(f), 0));
	frames_deliver(&e, NWID, MAC_BROADCAST, 0x020202020202, TYPE, f,
	    2805);
	frames_deliver(&e, NWID2, MAC_BROADCAST, 0x020202020202, TYPE, f,
	    100);
	ATF_CHECK_EQ(-1, recv(s, f, sizeof(f), 0));

	/* Reports: the first at once, then one for all. */
	tapworld_run(tw, 4000);	/* until the host has no more of its own */
	nreports = 0;
	fill(f, 100);
	ATF_REQUIRE_EQ(100, send(s, f, 100, 0));
	tapworld_run(tw, 20);
	ATF_CHECK_EQ(0, nreports);
	memcpy(f, routers, sizeof(routers));
	for (i = 0; i < 30; i++)
		ATF_REQUIRE_EQ(100, send(s, f, 100, 0));
	tapworld_run(tw, 20);
	ATF_CHECK_EQ_MSG(1, nreports, "%u", nreports);
	tapworld_run(tw, 250);
	ATF_CHECK_EQ_MSG(2, nreports, "%u", nreports);
	/* It was all read. */
	n = got(tapworld_tap(tw, NWID)->tt_lent, 0, 0);
	ATF_CHECK_EQ(0, n);

	strlcpy(nd.nd_name, tapworld_dev(tw, NWID), sizeof(nd.nd_name));
	nd.nd_index = if_nametoindex(nd.nd_name);
	ATF_REQUIRE_EQ(0, netif_remove(tw->tw_p.p_netif, &nd));
	tapworld_run(tw, 50);
	ATF_CHECK_EQ(1, ngone);
	ATF_CHECK_EQ(NWID, last_gone.mg_nwid);
	ATF_CHECK_EQ(tapworld_tap(tw, NWID)->tt_tap, last_gone.mg_tap);
	/* Writing to what is no more does no harm. */
	frames_deliver(&e, NWID, MAC_BROADCAST, 0x020202020202, TYPE, f, 100);
	ATF_REQUIRE_EQ(0, frames_set_tap(&e, NWID, -1));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, frames);
	ATF_TP_ADD_TC(tp, off);
	ATF_TP_ADD_TC(tp, restart);
	ATF_TP_ADD_TC(tp, leave);
	ATF_TP_ADD_TC(tp, gone);
	ATF_TP_ADD_TC(tp, report);
	ATF_TP_ADD_TC(tp, setting);
	ATF_TP_ADD_TC(tp, engine);
	return (atf_no_error());
}
