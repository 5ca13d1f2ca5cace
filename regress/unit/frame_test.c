/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The frame channel in both of its forms, whichever the system uses.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "privsep/frame_form.h"

static const struct frame_form	*forms[] = { &frame_seqpacket, &frame_stream };
#define NFORMS	2

static struct frame_channel	*a, *b;
static struct frame		 got[FRAME_BATCH];
static uint8_t			 data[FRAME_MAX];

static void
open_both(const struct frame_form *form)
{
	int	fds[2];

	ATF_REQUIRE(frame_pair_form(form, fds) == 0);
	ATF_CHECK(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	ATF_CHECK(fcntl(fds[1], F_GETFL) & O_NONBLOCK);
	ATF_REQUIRE((a = frame_new_form(form, fds[0])) != NULL);
	ATF_REQUIRE((b = frame_new_form(form, fds[1])) != NULL);
	ATF_CHECK_EQ(fds[0], frame_fd(a));
}

/* b with a raw other end. */
static int
open_raw(const struct frame_form *form)
{
	int	fds[2];

	ATF_REQUIRE(frame_pair_form(form, fds) == 0);
	ATF_REQUIRE((b = frame_new_form(form, fds[1])) != NULL);
	a = NULL;
	return (fds[0]);
}

static void
close_both(void)
{
	frame_free(a);
	frame_free(b);
	a = b = NULL;
}

/* A frame whose every byte follows from its number. */
static void
fill(uint32_t n, size_t len)
{
	size_t	i;

	for (i = 0; i < len; i++)
		data[i] = (uint8_t)(n * 31 + i * 7 + (i >> 8));
	memcpy(data, &n, sizeof(n));
}

static void
put(uint32_t n, size_t len)
{
	fill(n, len);
	frame_put(a, (uint16_t)(n % 5), data, len);
}

/* f must be a whole frame as fill() made it; returns its number. */
static uint32_t
check(const struct frame *f)
{
	uint32_t	n;

	memcpy(&n, f->f_data, sizeof(n));
	fill(n, f->f_len);
	ATF_CHECK_EQ(n % 5, f->f_tap);
	ATF_CHECK_EQ(0, f->f_flags);
	ATF_CHECK_MSG(memcmp(data, f->f_data, f->f_len) == 0,
	    "frame %u damaged", n);
	return (n);
}

/* A raw record; with its length in front for the stream form. */
static size_t
record(uint8_t *dst, const struct frame_form *form, uint32_t size,
    uint16_t tap, uint16_t flags)
{
	uint8_t	*p = dst;

	if (form == &frame_stream) {
		memcpy(p, &size, sizeof(size));
		p += sizeof(size);
	}
	memset(p, 0, size);
	if (size >= 4) {
		memcpy(p, &tap, sizeof(tap));
		memcpy(p + 2, &flags, sizeof(flags));
	}
	return ((size_t)(p - dst) + size);
}

static void
roundtrip(const struct frame_form *form)
{
	static const size_t	sizes[] = { 14, 15, 60, 1514, 2814, 65535,
				    65536 };
	size_t			i;

	open_both(form);
	ATF_CHECK_EQ(0, frame_get(b, got));
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		put((uint32_t)i, sizes[i]);
		ATF_CHECK_EQ(0, frame_get(b, got));
		frame_flush(a);
		ATF_REQUIRE_EQ(1, frame_get(b, got));
		ATF_CHECK_EQ(sizes[i], got[0].f_len);
		ATF_CHECK_EQ(i, check(&got[0]));
	}
	/* in two parts, and the other way */
	fill(3, 100);
	frame_put2(b, 3, NULL, data, 14, data + 14, 86);
	frame_flush(b);
	ATF_REQUIRE_EQ(1, frame_get(a, got));
	ATF_CHECK_EQ(100, got[0].f_len);
	ATF_CHECK_EQ(3, check(&got[0]));
	ATF_CHECK_EQ(i, frame_stats(a)->fs_sent);
	ATF_CHECK_EQ(1, frame_stats(a)->fs_received);
	ATF_CHECK_EQ(i, frame_stats(b)->fs_received);
	ATF_CHECK_EQ(0, frame_stats(a)->fs_dropped);
	close_both();
}

/* 100 frames: three batches leave by themselves, the rest by flush. */
static void
order(const struct frame_form *form)
{
	uint32_t	i, next = 0;
	int		k, n;

	open_both(form);
	for (i = 0; i < 100; i++)
		put(i, 64 + i * 13);
	while ((n = frame_get(b, got)) > 0) {
		for (k = 0; k < n; k++)
			ATF_CHECK_EQ(next++, check(&got[k]));
	}
	ATF_CHECK_EQ(0, n);
	ATF_CHECK_EQ(96, next);
	frame_flush(a);
	frame_flush(a);
	ATF_REQUIRE_EQ(4, frame_get(b, got));
	for (k = 0; k < 4; k++)
		ATF_CHECK_EQ(next++, check(&got[k]));
	/* Super-frames: the batch is full before it has 32. */
	for (i = 0; i < 20; i++) {
		put(i, FRAME_MAX);
		if (i % 4 == 3) {
			frame_flush(a);
			for (k = 0; k < 4; )
				k += frame_get(b, got);
		}
	}
	ATF_CHECK_EQ(120, frame_stats(b)->fs_received);
	ATF_CHECK_EQ(0, frame_stats(a)->fs_dropped);
	close_both();
}

static void
lengths(const struct frame_form *form)
{
	open_both(form);
	frame_put(a, 0, data, 13);
	frame_put(a, 0, data, 0);
	frame_put(a, 0, data, FRAME_MAX + 1);
	frame_put2(a, 0, NULL, data, 14, data, FRAME_MAX - 13);
	frame_put2(a, 0, NULL, data, 14, data, SIZE_MAX - 3);
	frame_put2(a, 0, NULL, data, 13, NULL, 0);
	frame_flush(a);
	ATF_CHECK_EQ(6, frame_stats(a)->fs_dropped);
	ATF_CHECK_EQ(0, frame_stats(a)->fs_sent);
	ATF_CHECK_EQ(0, frame_get(b, got));
	close_both();
}

/*
 * Nobody reads: what does not fit is dropped and counted, and what was sent
 * arrives whole, in order.  Then it goes on.
 */
static void
full(const struct frame_form *form)
{
	const struct frame_stats	*sa, *sb;
	uint32_t			 i, last = 0, n, round;
	int				 k, r;

	open_both(form);
	sa = frame_stats(a);
	sb = frame_stats(b);
	n = 0;
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 12000; i++) {
			n++;
			put(n, 14 + n % 2801);
		}
		frame_flush(a);
		ATF_CHECK(sa->fs_dropped > 0);
		ATF_CHECK_EQ(n, sa->fs_sent + sa->fs_dropped);
		/* The rest of a frame that was cut goes with the next get. */
		do {
			ATF_CHECK_EQ(0, frame_get(a, got));
			r = frame_get(b, got);
			for (k = 0; k < r; k++) {
				i = check(&got[k]);
				ATF_CHECK(i > last);
				last = i;
			}
		} while (r > 0);
		ATF_CHECK_EQ(0, r);
		ATF_CHECK_EQ_MSG(sa->fs_sent, sb->fs_received,
		    "%ju sent, %ju received", (uintmax_t)sa->fs_sent,
		    (uintmax_t)sb->fs_received);
	}
	ATF_CHECK_EQ(0, sb->fs_dropped);
	close_both();
}

/* A super-frame, a checksum to be filled in, and what makes no sense. */
static void
offloads(const struct frame_form *form)
{
	static const struct offload	 good[] = {
		{ OFFLOAD_CSUM, OFFLOAD_TCP4, 54, 1400, 34, 16 },
		{ OFFLOAD_CSUM, OFFLOAD_TCP6 | OFFLOAD_ECN, 74, 1400, 54,
		    16 },
		{ OFFLOAD_CSUM, OFFLOAD_UDP, 42, 1000, 34, 6 },
		{ OFFLOAD_CSUM, OFFLOAD_NONE, 0, 0, 34, 9964 },
		{ OFFLOAD_VALID, OFFLOAD_NONE, 0, 0, 0, 0 }
	};
	static const struct offload	 bad[] = {
		{ 0x04, OFFLOAD_NONE, 0, 0, 0, 0 },
		{ OFFLOAD_CSUM, 0x03, 42, 1000, 34, 6 },
		{ OFFLOAD_CSUM, OFFLOAD_UDP | OFFLOAD_ECN, 42, 1000, 34, 6 },
		{ OFFLOAD_CSUM, OFFLOAD_ECN, 0, 0, 34, 16 },
		{ 0, OFFLOAD_TCP4, 54, 1400, 34, 16 },
		{ OFFLOAD_CSUM, OFFLOAD_TCP4, 54, 0, 34, 16 },
		{ OFFLOAD_CSUM, OFFLOAD_TCP4, 10001, 1400, 34, 16 },
		{ OFFLOAD_CSUM, OFFLOAD_NONE, 0, 0, 34, 9965 },
		{ OFFLOAD_CSUM, OFFLOAD_NONE, 0, 0, 65535, 65535 }
	};
	const size_t	 ngood = sizeof(good) / sizeof(good[0]);
	const size_t	 nbad = sizeof(bad) / sizeof(bad[0]);
	uint8_t		 buf[128];
	size_t		 i, len;
	int		 s;

	open_both(form);
	fill(2, 10000);
	for (i = 0; i < ngood; i++)
		frame_put2(a, 2, &good[i], data, 14, data + 14, 9986);
	for (i = 0; i < nbad; i++)
		frame_put2(a, 2, &bad[i], data, 14, data + 14, 9986);
	frame_put(a, 2, data, 10000);
	frame_flush(a);
	ATF_CHECK_EQ(nbad, frame_stats(a)->fs_dropped);
	ATF_REQUIRE_EQ((int)ngood + 1, frame_get(b, got));
	for (i = 0; i < ngood; i++) {
		ATF_CHECK_EQ(2, check(&got[i]));
		ATF_CHECK(memcmp(&good[i], &got[i].f_offload,
		    sizeof(good[i])) == 0);
	}
	ATF_CHECK(!offload_any(&got[ngood].f_offload));
	close_both();

	/* The other end is not believed either. */
	s = open_raw(form);
	for (i = 0; i < nbad; i++) {
		len = record(buf, form, RECORD_HDR + 60, 1, 0);
		memcpy(buf + len - 60 - sizeof(bad[i]), &bad[i],
		    sizeof(bad[i]));
		ATF_REQUIRE_EQ((ssize_t)len, send(s, buf, len, 0));
	}
	ATF_CHECK_EQ(0, frame_get(b, got));
	ATF_CHECK_EQ(nbad, frame_stats(b)->fs_dropped);
	close(s);
	close_both();
}

static void
malformed(const struct frame_form *form)
{
	static uint8_t	buf[FRAME_MAX + 64];
	size_t		len;
	int		s;

	s = open_raw(form);
	/* one byte short of an Ethernet header; only a tap; flags */
	len = record(buf, form, RECORD_MIN - 1, 1, 0);
	ATF_REQUIRE_EQ((ssize_t)len, send(s, buf, len, 0));
	len = record(buf, form, 3, 1, 0);
	ATF_REQUIRE_EQ((ssize_t)len, send(s, buf, len, 0));
	len = record(buf, form, 60, 1, 0x0100);
	ATF_REQUIRE_EQ((ssize_t)len, send(s, buf, len, 0));
	len = record(buf, form, 60, 0xfffe, 0);
	ATF_REQUIRE_EQ((ssize_t)len, send(s, buf, len, 0));
	ATF_REQUIRE_EQ(1, frame_get(b, got));
	ATF_CHECK_EQ(0xfffe, got[0].f_tap);
	ATF_CHECK_EQ(60 - RECORD_HDR, got[0].f_len);
	ATF_CHECK_EQ(3, frame_stats(b)->fs_dropped);
	/* too long: a record is dropped, a stream is at its end */
	len = record(buf, form, RECORD_MAX + 1, 1, 0);
	ATF_REQUIRE_EQ((ssize_t)len, send(s, buf, len, 0));
	ATF_CHECK_EQ(form == &frame_stream ? -1 : 0, frame_get(b, got));
	ATF_CHECK_EQ(4, frame_stats(b)->fs_dropped);
	ATF_CHECK_EQ(1, frame_stats(b)->fs_received);
	close(s);
	close_both();
}

static void
gone(const struct frame_form *form)
{
	int	i;

	open_both(form);
	put(1, 100);
	put(2, 100);
	frame_flush(a);
	frame_free(a);
	a = NULL;
	/* What was sent before is still there. */
	ATF_REQUIRE_EQ(2, frame_get(b, got));
	ATF_CHECK_EQ(2, check(&got[1]));
	ATF_CHECK_EQ(-1, frame_get(b, got));
	ATF_CHECK_EQ(-1, frame_get(b, got));
	/* Sending is in vain, and says so by counting. */
	for (i = 0; i < 3; i++)
		frame_put(b, 0, data, 60);
	frame_flush(b);
	ATF_CHECK_EQ(3, frame_stats(b)->fs_dropped);
	close_both();
	frame_free(NULL);
}

/* A descriptor that comes along is not kept. */
static void
stray(const struct frame_form *form)
{
	union {
		struct cmsghdr	hdr;
		char		buf[CMSG_SPACE(sizeof(int))];
	}		 control;
	struct cmsghdr	*cmsg;
	struct msghdr	 msg;
	struct iovec	 iov;
	uint8_t		 buf[128];
	int		 fd = STDIN_FILENO, i, next, s;

	s = open_raw(form);
	ATF_REQUIRE((next = dup(STDIN_FILENO)) != -1);
	close(next);
	for (i = 0; i < 20; i++) {
		memset(&msg, 0, sizeof(msg));
		memset(&control, 0, sizeof(control));
		iov.iov_base = buf;
		iov.iov_len = record(buf, form, 60, 1, 0);
		msg.msg_iov = &iov;
		msg.msg_iovlen = 1;
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
		ATF_REQUIRE(sendmsg(s, &msg, 0) > 0);
		ATF_CHECK_EQ(1, frame_get(b, got));
	}
	ATF_CHECK_EQ(next, dup(STDIN_FILENO));
	close(next);
	close(s);
	close_both();
}

#define BOTH(name)						\
	ATF_TC_WITHOUT_HEAD(name);				\
	ATF_TC_BODY(name, tc)					\
	{							\
		for (int i = 0; i < NFORMS; i++)		\
			name(forms[i]);				\
	}
BOTH(roundtrip)
BOTH(order)
BOTH(lengths)
BOTH(full)
BOTH(offloads)
BOTH(malformed)
BOTH(gone)
BOTH(stray)

ATF_TC_WITHOUT_HEAD(stream_bytes);
ATF_TC_BODY(stream_bytes, tc)
{
	uint8_t	buf[128];
	size_t	i, len;
	int	k, s;

	s = open_raw(&frame_stream);
	len = record(buf, &frame_stream, 60, 9, 0);
	for (k = 0; k < 3; k++) {
		for (i = 0; i < len; i++) {
			ATF_CHECK_EQ(0, frame_get(b, got));
			ATF_REQUIRE_EQ(1, send(s, buf + i, 1, 0));
		}
		ATF_REQUIRE_EQ(1, frame_get(b, got));
		ATF_CHECK_EQ(9, got[0].f_tap);
		ATF_CHECK_EQ(60 - RECORD_HDR, got[0].f_len);
	}
	close(s);
	ATF_CHECK_EQ(-1, frame_get(b, got));
	close_both();
}

/* That none is left in the channel's memory is said. */
ATF_TC_WITHOUT_HEAD(stream_more);
ATF_TC_BODY(stream_more, tc)
{
	int	i;

	open_both(&frame_stream);
	for (i = 0; i < 70; i++)
		put((uint32_t)i, 60);
	frame_flush(a);
	ATF_CHECK_EQ(32, frame_get(b, got));
	ATF_CHECK(frame_more(b));
	ATF_CHECK_EQ(32, frame_get(b, got));
	ATF_CHECK(frame_more(b));
	ATF_CHECK_EQ(6, frame_get(b, got));
	ATF_CHECK(!frame_more(b));
	ATF_CHECK_EQ(69, check(&got[5]));
	ATF_CHECK_EQ(0, frame_get(b, got));
	close_both();
}

/* An empty record looks like the end, and is taken for it. */
ATF_TC_WITHOUT_HEAD(seqpacket_empty);
ATF_TC_BODY(seqpacket_empty, tc)
{
	uint8_t	buf[64];
	size_t	len;
	int	s;

	s = open_raw(&frame_seqpacket);
	len = record(buf, &frame_seqpacket, 60, 1, 0);
	ATF_REQUIRE_EQ((ssize_t)len, send(s, buf, len, 0));
	ATF_REQUIRE_EQ(0, send(s, buf, 0, 0));
	ATF_CHECK_EQ(1, frame_get(b, got));
	ATF_CHECK_EQ(-1, frame_get(b, got));
	close(s);
	close_both();
}

ATF_TC_WITHOUT_HEAD(system_form);
ATF_TC_BODY(system_form, tc)
{
	int	fds[2];

	ATF_REQUIRE(frame_pair(fds) == 0);
	ATF_REQUIRE((a = frame_new(fds[0])) != NULL);
	ATF_REQUIRE((b = frame_new(fds[1])) != NULL);
	put(7, FRAME_MAX);
	put(8, 14);
	frame_flush(a);
	ATF_CHECK_EQ(2, frame_get(b, got));
	close_both();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, roundtrip);
	ATF_TP_ADD_TC(tp, order);
	ATF_TP_ADD_TC(tp, lengths);
	ATF_TP_ADD_TC(tp, full);
	ATF_TP_ADD_TC(tp, offloads);
	ATF_TP_ADD_TC(tp, malformed);
	ATF_TP_ADD_TC(tp, gone);
	ATF_TP_ADD_TC(tp, stray);
	ATF_TP_ADD_TC(tp, stream_bytes);
	ATF_TP_ADD_TC(tp, stream_more);
	ATF_TP_ADD_TC(tp, seqpacket_empty);
	ATF_TP_ADD_TC(tp, system_form);
	return (atf_no_error());
}
