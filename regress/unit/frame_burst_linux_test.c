/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Frames that are written to taps and read from them together.  A tap is a
 * socket here that keeps messages apart as a tap does.
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/if_tun.h>

#include <net/if.h>
#include <netpacket/packet.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "privsep/frame_burst.h"
#include "privsep/frame_form.h"
#include "regress/lib/burst.h"

#define TAPS	2

static struct frame_channel	*tap[TAPS];
static int			 host[TAPS];	/* the other side of it */
static uint8_t			 data[FRAME_MAX];

static void
tap_open(int i, bool vnet)
{
	int	 fds[2], size = 1 << 20;

	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0,
	    fds) == 0);
	ATF_REQUIRE(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size,
	    sizeof(size)) == 0);
	ATF_REQUIRE((tap[i] = frame_new_tap(fds[0], vnet, 0)) != NULL);
	host[i] = fds[1];
}

static void
tap_close(int i)
{
	frame_free(tap[i]);
	close(host[i]);
}

/* Frame n, whose bytes follow from its number. */
static void
put(int i, uint8_t n, size_t len)
{
	memset(data, n, len);
	frame_put2(tap[i], 0, NULL, data, FRAME_HDR, data + FRAME_HDR,
	    len - FRAME_HDR);
}

/* The next one that the host has is frame n, behind skip bytes. */
static void
expect(int i, uint8_t n, size_t len, size_t skip)
{
	static uint8_t	 buf[FRAME_MAX + 64];
	size_t		 k;
	ssize_t		 got;

	got = recv(host[i], buf, sizeof(buf), 0);
	ATF_REQUIRE_MSG(got == (ssize_t)(skip + len), "frame %u: %zd bytes, "
	    "not %zu", n, got, skip + len);
	for (k = skip; k < (size_t)got; k++)
		ATF_REQUIRE_MSG(buf[k] == n, "frame %u: byte %zu is %u", n, k,
		    buf[k]);
}

static void
expect_none(int i)
{
	uint8_t	 byte;

	ATF_CHECK_EQ(-1, recv(host[i], &byte, 1, 0));
	ATF_CHECK_EQ(EAGAIN, errno);
}

/* Nothing is written before the end of the burst, and then all of it. */
ATF_TC_WITHOUT_HEAD(together);
ATF_TC_BODY(together, tc)
{
	uint8_t	 n;

	burst_begin();
	tap_open(0, false);
	for (n = 0; n < 10; n++)
		put(0, n, 60 + n);
	expect_none(0);
	ATF_CHECK_EQ(0, frame_stats(tap[0])->fs_sent);
	frame_flush_taps();
	for (n = 0; n < 10; n++)
		expect(0, n, 60 + n, 0);
	expect_none(0);
	frame_flush_taps();
	expect_none(0);
	put(0, n, 60);
	frame_flush(tap[0]);
	expect(0, n, 60, 0);
	ATF_CHECK_EQ(11, frame_stats(tap[0])->fs_sent);
	ATF_CHECK_EQ(0, frame_stats(tap[0])->fs_dropped);
	tap_close(0);
}

/* Of any length and number, long ones between them: in their order. */
ATF_TC_WITHOUT_HEAD(order);
ATF_TC_BODY(order, tc)
{
	static const size_t	 lens[] = { 14, 4096, 4097, 1514, 20000, 2814,
				    60, 9000 };
	uint8_t			 n, read = 0;

	burst_begin();
	tap_open(0, false);
	for (n = 0; n < 250; n++) {
		/* Several times as many as go together, of each length. */
		put(0, n, n < 200 ? lens[n / 100 * 3] : lens[n % 8]);
		/* As much as the socket holds. */
		if (n % 50 == 49) {
			frame_flush_taps();
			for (; read <= n; read++)
				expect(0, read, read < 200 ?
				    lens[read / 100 * 3] : lens[read % 8], 0);
		}
	}
	expect_none(0);
	ATF_CHECK_EQ(250, frame_stats(tap[0])->fs_sent);
	tap_close(0);
}

/* More than go together leave before the end of the burst. */
ATF_TC_WITHOUT_HEAD(many);
ATF_TC_BODY(many, tc)
{
	uint8_t	 n;

	burst_begin();
	tap_open(0, false);
	for (n = 0; n < BURST_MAX + 1; n++)
		put(0, n, 60);
	for (n = 0; n < BURST_MAX; n++)
		expect(0, n, 60, 0);
	expect_none(0);
	frame_flush_taps();
	expect(0, n, 60, 0);
	tap_close(0);
}

/* Of several taps: each its own. */
ATF_TC_WITHOUT_HEAD(taps);
ATF_TC_BODY(taps, tc)
{
	uint8_t	 n;
	int	 i;

	burst_begin();
	for (i = 0; i < TAPS; i++)
		tap_open(i, false);
	for (n = 0; n < 30; n++)
		put(n / 3 % TAPS, n, 100);
	frame_flush(tap[0]);		/* it is the other's turn */
	for (n = 0; n < 27; n++)
		expect(n / 3 % TAPS, n, 100, 0);
	expect_none(1);
	frame_flush_taps();
	for (; n < 30; n++)
		expect(1, n, 100, 0);
	for (i = 0; i < TAPS; i++) {
		ATF_CHECK_EQ(15, frame_stats(tap[i])->fs_sent);
		tap_close(i);
	}
}

/* With what is to be done to it in front, as the tap wants it. */
ATF_TC_WITHOUT_HEAD(vnet);
ATF_TC_BODY(vnet, tc)
{
	const struct offload	 of = { .of_flags = OFFLOAD_CSUM,
				    .of_csum_start = 34, .of_csum_offset = 6 };
	struct offload		 got;
	uint8_t			 n;

	burst_begin();
	tap_open(0, true);
	for (n = 0; n < 3; n++) {
		memset(data, n, 60);
		frame_put2(tap[0], 0, n == 1 ? &of : NULL, data, 14,
		    data + 14, 46);
	}
	frame_flush_taps();
	expect(0, 0, 60, sizeof(of));
	ATF_REQUIRE(recv(host[0], &got, sizeof(got), MSG_PEEK) ==
	    sizeof(got));
	ATF_CHECK_EQ(0, memcmp(&got, &of, sizeof(of)));
	expect(0, 1, 60, sizeof(of));
	expect(0, 2, 60, sizeof(of));
	/* One that has none can do nothing to a frame. */
	tap_open(1, false);
	memset(data, 3, 60);
	frame_put2(tap[1], 0, &of, data, 14, data + 14, 46);
	put(1, 4, 60);
	frame_flush_taps();
	expect(1, 4, 60, 0);
	ATF_CHECK_EQ(1, frame_stats(tap[1])->fs_dropped);
	tap_close(0);
	tap_close(1);
}

/* What a tap has no room for is counted; what comes after it is not lost. */
ATF_TC_WITHOUT_HEAD(full);
ATF_TC_BODY(full, tc)
{
	const struct frame_stats	*fs;
	unsigned			 n, sent = 0;

	burst_begin();
	tap_open(0, false);
	for (n = 0; n < 5000; n++)
		put(0, 1, 1000);
	frame_flush_taps();
	fs = frame_stats(tap[0]);
	ATF_CHECK(fs->fs_dropped > 0);
	ATF_CHECK_EQ(5000, fs->fs_sent + fs->fs_dropped);
	while (recv(host[0], data, sizeof(data), 0) == 1000)
		sent++;
	ATF_CHECK_EQ(fs->fs_sent, sent);
	put(0, 2, 60);
	put(0, 3, 60);
	frame_flush_taps();
	expect(0, 2, 60, 0);
	expect(0, 3, 60, 0);
	tap_close(0);
}

/* A tap that goes takes with it what waits, and nothing of another. */
ATF_TC_WITHOUT_HEAD(gone);
ATF_TC_BODY(gone, tc)
{
	burst_begin();
	tap_open(0, false);
	tap_open(1, false);
	put(0, 1, 60);
	frame_free(tap[0]);
	frame_flush_taps();
	ATF_CHECK_EQ(0, recv(host[0], data, sizeof(data), 0));
	close(host[0]);
	put(1, 2, 60);
	put(1, 3, 60);
	/* The host's end is closed: an error, and no harm. */
	close(host[1]);
	(void)signal(SIGPIPE, SIG_IGN);
	frame_flush_taps();
	ATF_CHECK_EQ(2, frame_stats(tap[1])->fs_dropped);
	frame_free(tap[1]);
	tap_open(0, false);
	put(0, 4, 60);
	frame_flush_taps();
	expect(0, 4, 60, 0);
	tap_close(0);
}

/* Memory is not given back under what waits. */
ATF_TC_WITHOUT_HEAD(rest);
ATF_TC_BODY(rest, tc)
{
	uint8_t	 n;

	burst_begin();
	tap_open(0, false);
	for (n = 0; n < 30; n++)
		put(0, n, 4000);
	frame_rest();
	frame_flush_taps();
	for (n = 0; n < 30; n++)
		expect(0, n, 4000, 0);
	frame_rest();
	put(0, n, 4000);
	frame_flush_taps();
	expect(0, n, 4000, 0);
	tap_close(0);
}

/* From the host: frame n behind what is to be done to it, nothing. */
static void
give(int i, uint8_t n, size_t len)
{
	static uint8_t	 buf[sizeof(struct offload) + FRAME_MAX];

	memset(buf, 0, sizeof(struct offload));
	memset(buf + sizeof(struct offload), n, len);
	ATF_REQUIRE(send(host[i], buf, sizeof(struct offload) + len, 0) ==
	    (ssize_t)(sizeof(struct offload) + len));
}

static void
whole(const struct frame *f, uint8_t n, size_t len)
{
	size_t	 k;

	ATF_REQUIRE_MSG(f->f_len == len, "frame %u: %u bytes, not %zu", n,
	    f->f_len, len);
	ATF_REQUIRE_EQ(0, f->f_offload.of_flags);
	/* What reads words of its IP header relies on it. */
	ATF_REQUIRE_EQ(2, (uintptr_t)f->f_data % 64);
	for (k = 0; k < len; k++)
		ATF_REQUIRE_MSG(f->f_data[k] == n, "frame %u: byte %zu is %u",
		    n, k, f->f_data[k]);
}

/* All that there are: count of them, the first of which is frame n. */
static void
read_all(int i, uint8_t n, unsigned count)
{
	struct frame	 got[FRAME_BATCH];
	unsigned	 all = 0;
	int		 k, came;

	do {
		came = frame_get(tap[i], got);
		ATF_REQUIRE(came >= 0);
		for (k = 0; k < came; k++, all++)
			whole(&got[k], (uint8_t)(n + all), 100);
	} while (frame_more(tap[i]));
	ATF_CHECK_EQ(count, all);
}

static void
give_many(int i, uint8_t n, unsigned count)
{
	unsigned	 k;

	for (k = 0; k < count; k++)
		give(i, (uint8_t)(n + k), 100);
}

/* Small ones that come fast, each once, whole and in their order. */
ATF_TC_WITHOUT_HEAD(ahead);
ATF_TC_BODY(ahead, tc)
{
	struct frame	 got[FRAME_BATCH];

	burst_begin();
	tap_open(0, true);
	give_many(0, 0, 3);
	read_all(0, 0, 3);
	ATF_CHECK_EQ(0, tap[0]->fc_ahead);	/* too few */
	give_many(0, 0, 205);
	read_all(0, 0, 205);
	ATF_CHECK_EQ(13, tap[0]->fc_ahead);
	/* Fewer than are thought to be there, then as many, then none. */
	give_many(0, 7, 10);
	read_all(0, 7, 10);
	ATF_CHECK_EQ(10, tap[0]->fc_ahead);
	give_many(0, 9, 200);
	read_all(0, 9, 200);
	read_all(0, 0, 0);
	ATF_CHECK_EQ(0, tap[0]->fc_ahead);
	ATF_CHECK_EQ(418, frame_stats(tap[0])->fs_received);
	ATF_CHECK_EQ(0, frame_stats(tap[0])->fs_dropped);

	/* A longest one among them comes whole; each is read alone then. */
	give_many(0, 0, 45);
	read_all(0, 0, 45);
	ATF_REQUIRE_EQ(13, tap[0]->fc_ahead);
	give(0, 1, 100);
	give(0, 2, FRAME_MAX);
	give(0, 3, 100);
	ATF_REQUIRE_EQ(3, frame_get(tap[0], got));
	whole(&got[0], 1, 100);
	whole(&got[1], 2, FRAME_MAX);
	whole(&got[2], 3, 100);
	ATF_CHECK_EQ(0, tap[0]->fc_ahead);
	tap_close(0);
}

/* What is none of them, or can't be done to it, is dropped alone. */
ATF_TC_WITHOUT_HEAD(insane);
ATF_TC_BODY(insane, tc)
{
	uint8_t		 bad[sizeof(struct offload) + 100] = { 0 };
	struct offload	 of = { .of_flags = OFFLOAD_CSUM,
			    .of_csum_start = 99, .of_csum_offset = 6 };
	struct frame	 got[FRAME_BATCH];

	burst_begin();
	tap_open(0, true);
	give_many(0, 0, 45);
	read_all(0, 0, 45);
	give(0, 1, 100);
	ATF_REQUIRE(send(host[0], bad, 1, 0) == 1);
	ATF_REQUIRE(send(host[0], bad, sizeof(of) + FRAME_HDR - 1, 0) > 0);
	memcpy(bad, &of, sizeof(of));
	ATF_REQUIRE(send(host[0], bad, sizeof(bad), 0) > 0);
	give(0, 2, 100);
	ATF_REQUIRE_EQ(13, tap[0]->fc_ahead);
	ATF_REQUIRE_EQ(2, frame_get(tap[0], got));
	whole(&got[0], 1, 100);
	whole(&got[1], 2, 100);
	ATF_CHECK_EQ(3, frame_stats(tap[0])->fs_dropped);
	tap_close(0);
}

/* Not where there are no super-frames, and not of another tap. */
ATF_TC_WITHOUT_HEAD(ahead_plain);
ATF_TC_BODY(ahead_plain, tc)
{
	struct frame	 got[FRAME_BATCH];
	uint8_t		 n;

	burst_begin();
	tap_open(0, false);
	tap_open(1, true);
	memset(data, 1, 100);
	for (n = 0; n < 40; n++)
		ATF_REQUIRE(send(host[0], data, 100, 0) == 100);
	ATF_CHECK_EQ(32, frame_get(tap[0], got));
	ATF_CHECK_EQ(0, tap[0]->fc_ahead);
	ATF_CHECK_EQ(8, frame_get(tap[0], got));
	give_many(1, 0, 40);
	ATF_CHECK_EQ(32, frame_get(tap[1], got));
	ATF_CHECK(tap[1]->fc_ahead > 0);
	ATF_CHECK_EQ(0, tap[0]->fc_ahead);
	/* A descriptor that is no more is found when one is read alone. */
	close(tap[1]->fc_fd);
	ATF_CHECK_EQ(0, frame_get(tap[1], got));
	ATF_CHECK(!frame_more(tap[1]));
	ATF_CHECK_EQ(-1, frame_get(tap[1], got));
	tap[1]->fc_fd = open("/dev/null", O_RDONLY);
	tap_close(1);
	tap_close(0);
}

/* A real tap in a namespace of its own; its end as host[0]. */
static void
real_open(void)
{
	struct ifreq		 ifr = { 0 };
	struct sockaddr_ll	 sll = { .sll_family = AF_PACKET };
	int			 fd, off, size = sizeof(struct offload);

	ATF_REQUIRE(unshare(CLONE_NEWNET) == 0);
	/* The host has nothing to say of itself. */
	off = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY);
	ATF_REQUIRE(off == -1 || write(off, "1", 1) == 1);
	close(off);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	ATF_REQUIRE(fd != -1);
	strcpy(ifr.ifr_name, "burst0");
	ifr.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	ATF_REQUIRE(ioctl(fd, TUNSETIFF, &ifr) == 0);
	ATF_REQUIRE(ioctl(fd, TUNSETVNETHDRSZ, &size) == 0);
	host[0] = socket(AF_PACKET, SOCK_RAW, 0);
	ATF_REQUIRE(host[0] != -1);
	ifr.ifr_flags = IFF_UP;
	ATF_REQUIRE(ioctl(host[0], SIOCSIFFLAGS, &ifr) == 0);
	ATF_REQUIRE(ioctl(host[0], SIOCGIFINDEX, &ifr) == 0);
	sll.sll_ifindex = ifr.ifr_ifindex;
	ATF_REQUIRE(bind(host[0], (struct sockaddr *)&sll, sizeof(sll)) == 0);
	ATF_REQUIRE((tap[0] = frame_new_tap(fd, true, 0)) != NULL);
}

static void
real_give(uint8_t n, unsigned count)
{
	unsigned	 i;

	for (i = 0; i < count; i++) {
		memset(data, (uint8_t)(n + i), 100);
		ATF_REQUIRE_EQ(100, send(host[0], data, 100, 0));
	}
}

ATF_TC(real);
ATF_TC_HEAD(real, tc)
{
	atf_tc_set_md_var(tc, "descr", "a tap of the kernel, and its end");
	atf_tc_set_md_var(tc, "require.user", "root");
	atf_tc_set_md_var(tc, "require.progs", "ip");
}
ATF_TC_BODY(real, tc)
{
	struct frame	 got[FRAME_BATCH];

	if (access("/dev/net/tun", R_OK | W_OK) == -1)
		atf_tc_skip("/dev/net/tun: %s", strerror(errno));
	burst_begin();
	real_open();
	real_give(0, 200);
	read_all(0, 0, 200);
	real_give(3, 45);
	read_all(0, 3, 45);
	real_give(5, 40);
	ATF_CHECK_EQ(5, frame_get(tap[0], got));
	ATF_REQUIRE_EQ(10, tap[0]->fc_ahead);
	ATF_REQUIRE(system("ip link delete burst0") == 0);
	ATF_CHECK_EQ(-1, frame_get(tap[0], got));
	tap_close(0);
}

/* Where the kernel refuses, or nobody asked it, each leaves at once. */
ATF_TC_WITHOUT_HEAD(without);
ATF_TC_BODY(without, tc)
{
	ATF_CHECK(!frame_burst_works());
	tap_open(0, false);
	put(0, 1, 60);
	expect(0, 1, 60, 0);
	put(0, 2, 5000);
	expect(0, 2, 5000, 0);
	frame_flush_taps();
	expect_none(0);
	tap_close(0);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, together);
	ATF_TP_ADD_TC(tp, order);
	ATF_TP_ADD_TC(tp, many);
	ATF_TP_ADD_TC(tp, taps);
	ATF_TP_ADD_TC(tp, vnet);
	ATF_TP_ADD_TC(tp, full);
	ATF_TP_ADD_TC(tp, gone);
	ATF_TP_ADD_TC(tp, rest);
	ATF_TP_ADD_TC(tp, ahead);
	ATF_TP_ADD_TC(tp, insane);
	ATF_TP_ADD_TC(tp, ahead_plain);
	ATF_TP_ADD_TC(tp, real);
	ATF_TP_ADD_TC(tp, without);
	return (atf_no_error());
}
