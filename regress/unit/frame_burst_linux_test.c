/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Frames that are written to taps together.  A tap is a socket here that
 * keeps messages apart as a tap does.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <signal.h>
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
	ATF_TP_ADD_TC(tp, without);
	return (atf_no_error());
}
