/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Super-frames between a real tap and the frame channel, and what the parent
 * refuses of them.  In a network namespace of its own.
 * Spec: 06 sections 10.1 and 10.2.
 */

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>
#include <event2/event.h>

#include "common/inetsum.h"
#include "common/log.h"
#include "privsep/frame.h"
#include "regress/lib/rootcase.h"
#include "ztd-tap/framepump.h"
#include "ztd-tap/netif.h"
#include "ztd-tap/tap.h"

#define NWID	0x8056c2e21c000001ULL
#define MAC	0x32a1b2c3d4e5ULL
#define MTU	2800
#define SEGMENT	1000
#define PIECES	3
#define HEADERS	42		/* Ethernet, IPv4, UDP */
#define PORT	9000

#ifndef UDP_SEGMENT
#define UDP_SEGMENT	103
#endif

static struct event_base	*base;
static struct netif		*ni;
static struct tap		 tap;
static struct frame_pump	*pump;
static struct frame_channel	*chan;	/* the engine's end */
static int			 index_of;
static unsigned			 lines, named;
static const char		*name;	/* looked for in the log */

static void
lost(void *arg)
{
	(void)arg;
	atf_tc_fail("the tap was lost");
}

static void
line(int level, const char *text, void *arg)
{
	(void)level;
	(void)arg;
	printf("log: %s\n", text);
	lines++;
	named += name != NULL && strstr(text, name) != NULL;
}

static void
set_up(bool offload)
{
	struct inet_addr	 ia;
	const char		*why;
	uint32_t		 mtu = MTU;
	int			 fds[2], home;

	if (unshare(CLONE_NEWNET) == -1)
		atf_tc_skip("no network namespace: %s", strerror(errno));
	if ((why = tap_probe()) != NULL)
		atf_tc_skip("%s", why);
	log_init("tap_offload", true, false);
	log_set_sink(line, NULL);
	ATF_REQUIRE((home = open(".", O_RDONLY | O_DIRECTORY)) != -1);
	ATF_REQUIRE((ni = netif_new()) != NULL);
	ATF_REQUIRE_EQ(0, tap_open(&tap, ni, NWID, home, offload));
	ATF_REQUIRE_EQ(0, netif_setup(ni, &tap.t_dev, MAC, &mtu, "test"));
	ATF_REQUIRE_EQ(0, inet_parse("10.9.0.1/24", &ia));
	ATF_REQUIRE_EQ(0, netif_addr_add(ni, &tap.t_dev, &ia));
	ATF_REQUIRE_EQ(0, netif_set_up(ni, &tap.t_dev, true));
	ATF_REQUIRE((base = event_base_new()) != NULL);
	ATF_REQUIRE((pump = pump_new(base)) != NULL);
	ATF_REQUIRE_EQ(0, frame_pair(fds));
	ATF_REQUIRE_EQ(0, pump_channel(pump, fds[0]));
	ATF_REQUIRE((chan = frame_new(fds[1])) != NULL);
	ATF_REQUIRE((index_of = pump_add(pump, &tap, MTU, lost, NULL)) != -1);
}

static void
run(void)
{
	struct timeval	 tv = { 0, 50000 };

	event_base_loopexit(base, &tv);
	(void)event_base_dispatch(base);
}

/* UDP of so many bytes to a group, so that nobody asks who has the address;
 * in segments where that is not 0. */
static void
send_udp(size_t len, int segment)
{
	static const uint8_t	 zeros[65536];
	struct sockaddr_in	 sin;
	struct in_addr		 via;
	int			 s;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = inet_addr("239.1.2.3");
	sin.sin_port = htons(PORT);
	via.s_addr = inet_addr("10.9.0.1");
	ATF_REQUIRE((s = socket(AF_INET, SOCK_DGRAM, 0)) != -1);
	ATF_REQUIRE_EQ(0, setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &via,
	    sizeof(via)));
	if (segment != 0 && setsockopt(s, IPPROTO_UDP, UDP_SEGMENT, &segment,
	    sizeof(segment)) == -1)
		atf_tc_skip("no UDP_SEGMENT: %s", strerror(errno));
	ATF_REQUIRE_EQ((ssize_t)len, sendto(s, zeros, len, 0,
	    (struct sockaddr *)&sin, sizeof(sin)));
	close(s);
	run();
}

/* Frames of our own that the engine was given; the last one is kept. */
static unsigned
got_udp(struct frame *f)
{
	struct frame	 batch[FRAME_BATCH];
	unsigned	 n = 0;
	int		 i, k;

	k = frame_get(chan, batch);
	for (i = 0; i < k; i++)
		if (batch[i].f_len > HEADERS && batch[i].f_data[36] ==
		    PORT >> 8 && batch[i].f_data[37] == (PORT & 0xff)) {
			*f = batch[i];
			n++;
		}
	return (n);
}

CASE(abilities, "are those of the kernel, and none when not asked for")
{
	struct frame	 f;

	(void)tc;
	set_up(true);
	ATF_CHECK(tap.t_vnet);
	ATF_CHECK_MSG((tap.t_can & OFFLOAD_CAN_CSUM) != 0 &&
	    (tap.t_can & OFFLOAD_CAN_TCP) != 0, "%#x", tap.t_can);
	tap_close(&tap);
	set_up(false);
	ATF_CHECK(!tap.t_vnet);
	ATF_CHECK_EQ(0, tap.t_can);
	send_udp(PIECES * SEGMENT, SEGMENT);
	ATF_CHECK_EQ(PIECES, got_udp(&f));
	ATF_CHECK_EQ(HEADERS + SEGMENT, f.f_len);
	ATF_CHECK(!offload_any(&f.f_offload));
}

CASE(out, "what the tap hands out, the engine learns")
{
	struct frame	 f;

	(void)tc;
	set_up(true);
	/* Its checksum is still to be filled in. */
	send_udp(100, 0);
	ATF_REQUIRE_EQ(1, got_udp(&f));
	ATF_CHECK_EQ(index_of, f.f_tap);
	ATF_CHECK_EQ(HEADERS + 100, f.f_len);
	ATF_CHECK_EQ(OFFLOAD_CSUM, f.f_offload.of_flags);
	ATF_CHECK_EQ(OFFLOAD_NONE, f.f_offload.of_type);
	ATF_CHECK_EQ(34, f.f_offload.of_csum_start);
	ATF_CHECK_EQ(6, f.f_offload.of_csum_offset);
	if ((tap.t_can & OFFLOAD_CAN_UDP) == 0)
		atf_tc_skip("this kernel has no USO");
	send_udp(PIECES * SEGMENT, SEGMENT);
	ATF_REQUIRE_EQ(1, got_udp(&f));
	ATF_CHECK_EQ(HEADERS + PIECES * SEGMENT, f.f_len);
	ATF_CHECK_EQ(OFFLOAD_CSUM, f.f_offload.of_flags);
	ATF_CHECK_EQ(OFFLOAD_UDP, f.f_offload.of_type);
	ATF_CHECK_EQ(SEGMENT, f.f_offload.of_size);
	ATF_CHECK_EQ(34, f.f_offload.of_csum_start);
	ATF_CHECK_EQ(HEADERS + SEGMENT, offload_segment(&f.f_offload,
	    f.f_data, f.f_len));
	send_udp(60000, SEGMENT);
	ATF_REQUIRE_EQ(1, got_udp(&f));
	ATF_CHECK_EQ(HEADERS + 60000, f.f_len);
	ATF_CHECK_EQ(0, lines);
}

/* UDP from 10.9.0.2 to us, with the pseudo header's sum where the checksum
 * will be. */
static size_t
super_frame(uint8_t *dst, size_t len)
{
	static const uint8_t	 headers[HEADERS] = {
	    0x32, 0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0x32, 1, 2, 3, 4, 5, 8, 0,
	    0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, 17, 0, 0,
	    10, 9, 0, 2, 10, 9, 0, 1, 0x30, 0x39, PORT >> 8, PORT & 0xff };
	uint16_t		 n;

	memset(dst, 'x', HEADERS + len);
	memcpy(dst, headers, HEADERS);
	n = htons((uint16_t)(28 + len));
	memcpy(dst + 16, &n, 2);
	n = (uint16_t)~inetsum_fold(inetsum_add(0, dst + 14, 20));
	memcpy(dst + 24, &n, 2);
	n = htons((uint16_t)(8 + len));
	memcpy(dst + 38, &n, 2);
	n = inetsum_fold(inetsum_pseudo(dst + 26, 8, 17, (uint32_t)(8 +
	    len)));
	memcpy(dst + 40, &n, 2);
	return (HEADERS + len);
}

static void
put(const struct offload *of, const uint8_t *p, size_t len)
{
	frame_put2(chan, (uint16_t)index_of, of, p, HEADERS, p + HEADERS,
	    len - HEADERS);
	frame_flush(chan);
	run();
}

static int
receiver(void)
{
	struct sockaddr_in	 sin;
	int			 s;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_port = htons(PORT);
	ATF_REQUIRE((s = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)) !=
	    -1);
	ATF_REQUIRE_EQ(0, bind(s, (struct sockaddr *)&sin, sizeof(sin)));
	return (s);
}

CASE(in, "what the engine gives, the host gets in pieces")
{
	static const struct offload	 uso = { OFFLOAD_CSUM, OFFLOAD_UDP,
					    HEADERS, SEGMENT, 34, 6 };
	static const struct offload	 csum = { OFFLOAD_CSUM, OFFLOAD_NONE,
					    0, 0, 34, 6 };
	static uint8_t			 buf[65536];
	char				 got[4096];
	size_t				 len;
	int				 i, s;

	(void)tc;
	set_up(true);
	s = receiver();
	len = super_frame(buf, 100);
	put(&csum, buf, len);
	ATF_CHECK_EQ(100, recv(s, got, sizeof(got), 0));
	/* Not without its being said that the sum is a part only. */
	put(NULL, buf, len);
	ATF_CHECK_EQ(-1, recv(s, got, sizeof(got), 0));
	ATF_CHECK_EQ(2, pump_stats(pump)->ps_in);
	if ((tap.t_can & OFFLOAD_CAN_UDP) != 0) {
		len = super_frame(buf, PIECES * SEGMENT + 1);
		put(&uso, buf, len);
		for (i = 0; i < PIECES; i++)
			ATF_CHECK_EQ(SEGMENT, recv(s, got, sizeof(got), 0));
		ATF_CHECK_EQ(1, recv(s, got, sizeof(got), 0));
		ATF_CHECK_EQ(-1, recv(s, got, sizeof(got), 0));
	}
	ATF_CHECK_EQ(0, lines);
}

CASE(lent, "the same without the parent, and more than fits at once")
{
	static const struct offload	 uso = { OFFLOAD_CSUM, OFFLOAD_UDP,
					    HEADERS, SEGMENT, 34, 6 };
	static const struct offload	 crumbs = { OFFLOAD_CSUM, OFFLOAD_UDP,
					    HEADERS, 1, 34, 6 };
	static uint8_t			 buf[65536];
	struct frame			 batch[FRAME_BATCH];
	char				 got[4096];
	size_t				 len;
	int				 fd, i, k, n = 0, s, turns;

	(void)tc;
	set_up(true);
	if ((tap.t_can & OFFLOAD_CAN_UDP) == 0)
		atf_tc_skip("this kernel has no USO");
	pump_lend(pump, (unsigned)index_of);
	frame_free(chan);
	ATF_REQUIRE((fd = dup(tap.t_fd)) != -1);
	ATF_REQUIRE((chan = frame_new_tap(fd, true, 7)) != NULL);
	for (i = 0; i < 10; i++)
		send_udp(60000, SEGMENT);
	for (turns = 1; ; turns++) {
		ATF_REQUIRE((k = frame_get(chan, batch)) != -1);
		for (i = 0; i < k; i++) {
			if (batch[i].f_len != HEADERS + 60000)
				continue;
			ATF_CHECK_EQ(7, batch[i].f_tap);
			ATF_CHECK_EQ(OFFLOAD_UDP,
			    batch[i].f_offload.of_type);
			ATF_CHECK_EQ(PORT >> 8, batch[i].f_data[36]);
			ATF_CHECK_EQ(0, batch[i].f_data[HEADERS + 59999]);
			/* The IP header has the alignment it likes. */
			ATF_CHECK_EQ(0, (uintptr_t)(batch[i].f_data + 14) %
			    4);
			n++;
		}
		if (!frame_more(chan))
			break;
		ATF_CHECK(k > 0);
	}
	ATF_CHECK_EQ_MSG(10, n, "%d", n);
	ATF_CHECK_MSG(turns >= 3, "%d", turns);
	ATF_CHECK_EQ(0, frame_get(chan, batch));

	s = receiver();
	len = super_frame(buf, PIECES * SEGMENT + 1);
	put(&uso, buf, len);
	for (i = 0; i < PIECES; i++)
		ATF_CHECK_EQ(SEGMENT, recv(s, got, sizeof(got), 0));
	ATF_CHECK_EQ(1, recv(s, got, sizeof(got), 0));
	/* The kernel refuses so many segments; that is counted. */
	put(&crumbs, buf, len);
	ATF_CHECK_EQ(1, frame_stats(chan)->fs_dropped);
	ATF_CHECK_EQ(0, pump_stats(pump)->ps_out + pump_stats(pump)->ps_in);
}

/* Named once; nothing reaches the host. */
static void
refused(const struct offload *of, const uint8_t *p, size_t len,
    const char *what)
{
	uint64_t	 in = pump_stats(pump)->ps_in;
	uint64_t	 dropped = pump_stats(pump)->ps_dropped;
	int		 fds[2];

	/* Another engine, or it would not be said again. */
	frame_free(chan);
	ATF_REQUIRE_EQ(0, frame_pair(fds));
	ATF_REQUIRE_EQ(0, pump_channel(pump, fds[0]));
	ATF_REQUIRE((chan = frame_new(fds[1])) != NULL);
	lines = named = 0;
	name = what;
	put(of, p, len);
	put(of, p, len);
	ATF_CHECK_EQ_MSG(1, named, "%s: %u", what, named);
	ATF_CHECK_EQ_MSG(1, lines, "%s: %u", what, lines);
	ATF_CHECK_EQ(in, pump_stats(pump)->ps_in);
	ATF_CHECK(pump_stats(pump)->ps_dropped >= dropped + 2);
}

CASE(refusals, "segments over the MTU, headers that are none, other work")
{
	struct offload	 uso = { OFFLOAD_CSUM, OFFLOAD_UDP, HEADERS, SEGMENT,
			    34, 6 };
	struct offload	 tso = { OFFLOAD_CSUM, OFFLOAD_TCP4, 54, SEGMENT, 34,
			    16 };
	static uint8_t	 buf[65536];
	size_t		 len;

	(void)tc;
	set_up(true);
	if ((tap.t_can & OFFLOAD_CAN_UDP) == 0)
		atf_tc_skip("this kernel has no USO");
	len = super_frame(buf, 6000);
	refused(NULL, buf, len, "of 6042 bytes, more than the MTU 2800");
	uso.of_size = MTU - 28 + 4 + 1;
	refused(&uso, buf, len, "of segments of 2819 bytes, more than the "
	    "MTU 2800");
	uso.of_size = 65535;
	refused(&uso, buf, len, "more than the MTU 2800");
	/* Port numbers where the length of a TCP header would be. */
	buf[34 + 12] = 0x40;
	refused(&tso, buf, len, "of segments, with no headers");
	tso.of_csum_start = (uint16_t)(len - 18);
	tso.of_csum_offset = 16;
	refused(&tso, buf, len, "of segments, with no headers");
	uso.of_size = SEGMENT;
	uso.of_csum_start = (uint16_t)(len - 7);
	uso.of_csum_offset = 5;
	refused(&uso, buf, len, "of segments, with no headers");

	tap_close(&tap);
	set_up(false);
	uso.of_csum_start = 34;
	refused(&uso, buf, len, "with work that this interface does not do");
	uso.of_type = OFFLOAD_NONE;
	refused(&uso, buf, super_frame(buf, 100), "with work that this");
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, abilities);
	ATF_TP_ADD_TC(tp, out);
	ATF_TP_ADD_TC(tp, in);
	ATF_TP_ADD_TC(tp, lent);
	ATF_TP_ADD_TC(tp, refusals);
	return (atf_no_error());
}
