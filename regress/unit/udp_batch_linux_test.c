/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Batches and runs of datagrams between two real sockets, on the loopback
 * interface of a network namespace of our own.  Spec: 06 section 10.
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <atf-c.h>

#include "common/packet.h"
#include "ztd-net/udp_batch.h"
#include "ztd-net/udp_outbox.h"

#define MANY	400

static struct {
	int			 fd[2];
	bool			 runs[2];
	struct inet_addr	 addr[2];
	struct udp_batch	*in;
	struct udp_outbox	*out;
	size_t			 sent[MANY * 4], nsent;	/* lengths */
	size_t			 seen, buffers;
} w;

static atomic_uint	 calls, failed;	/* of those that send */
static atomic_uint	 elsewhere;	/* in another thread */
static atomic_bool	 full;		/* the socket's buffer is */
static atomic_bool	 denies;	/* a firewall does */
static pthread_t	 self;

/* What datagram number n of this length has at i. */
static uint8_t
content(size_t n, size_t i)
{
	return ((uint8_t)(n * 37 + i * 11 + (i >> 7)));
}

static void
loopback(int mtu)
{
	struct ifreq	 ifr;
	int		 fd = socket(AF_INET, SOCK_DGRAM, 0);

	memset(&ifr, 0, sizeof(ifr));
	strlcpy(ifr.ifr_name, "lo", sizeof(ifr.ifr_name));
	ifr.ifr_mtu = mtu;
	ATF_REQUIRE(ioctl(fd, SIOCSIFMTU, &ifr) == 0);
	ifr.ifr_flags = IFF_UP;
	ATF_REQUIRE(ioctl(fd, SIOCSIFFLAGS, &ifr) == 0);
	close(fd);
}

static void
world_new(int mtu, bool coalesce, bool thread)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len;
	int			 i, size = 8 * 1024 * 1024;

	if (unshare(CLONE_NEWNET) == -1)
		atf_tc_skip("needs root for a network namespace");
	loopback(mtu);
	for (i = 0; i < 2; i++) {
		w.addr[i].ia_family = 4;
		w.addr[i].ia_ip[0] = 127;
		w.addr[i].ia_ip[3] = (uint8_t)(i + 1);
		w.addr[i].ia_port = 9993;
		w.fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		ATF_REQUIRE(w.fd[i] != -1);
		(void)setsockopt(w.fd[i], SOL_SOCKET, SO_RCVBUFFORCE, &size,
		    sizeof(size));
		w.runs[i] = coalesce && udp_coalesce(w.fd[i]);
		ATF_REQUIRE_EQ(w.runs[i], coalesce);
		len = inet_to_sockaddr(&w.addr[i], &ss);
		ATF_REQUIRE(bind(w.fd[i], (struct sockaddr *)&ss, len) == 0);
	}
	self = pthread_self();
	ATF_REQUIRE((w.in = udp_batch_new()) != NULL);
	ATF_REQUIRE((w.out = udp_outbox_new(thread)) != NULL);
}

static void
world_end(void)
{
	close(w.fd[0]);
	close(w.fd[1]);
	udp_batch_free(w.in);
	udp_outbox_free(w.out);
}

static void
put(size_t len)
{
	uint8_t	 buf[PACKET_MAX + 1];
	size_t	 i;

	for (i = 0; i < len; i++)
		buf[i] = content(w.nsent, i);
	w.sent[w.nsent++] = len;
	udp_outbox_put(w.out, w.fd[0], w.runs[0], &w.addr[1], buf, len);
}


/* In place of the C library's. */
int
sendmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags)
{
	int	got = -1;

	calls++;
	elsewhere += !pthread_equal(pthread_self(), self);
	if (full)
		errno = EAGAIN;
	else if (denies)
		errno = EPERM;
	else
		got = (int)syscall(SYS_sendmmsg, fd, msg, n, flags);
	failed += got == -1;
	return (got);
}

ssize_t
sendmsg(int fd, const struct msghdr *msg, int flags)
{
	ssize_t	got = syscall(SYS_sendmsg, fd, msg, flags);

	calls++;
	failed += got == -1;
	return (got);
}

/* Everything that was sent is there, in order, each as it was. */
static void
take_all(void)
{
	const struct node_datagram	*nd;
	size_t				 n, i, k;
	int				 filled;

	udp_outbox_drain(w.out);
	while ((filled = udp_batch_receive(w.in, w.fd[1], w.runs[1], &nd,
	    &n)) > 0) {
		w.buffers += (size_t)filled;
		for (i = 0; i < n; i++, w.seen++) {
			ATF_REQUIRE(w.seen < w.nsent);
			ATF_REQUIRE(inet_equal(nd[i].nd_from, &w.addr[0]));
			ATF_REQUIRE_EQ(nd[i].nd_len, w.sent[w.seen]);
			ATF_REQUIRE(nd[i].nd_room >= nd[i].nd_len);
			for (k = 0; k < nd[i].nd_len; k++)
				ATF_REQUIRE_EQ(nd[i].nd_data[k],
				    content(w.seen, k));
		}
	}
	ATF_REQUIRE_EQ(w.seen, w.nsent);
}

/* How many datagrams the socket's queue holds, by the kernel's runs. */
static void
traffic(void)
{
	size_t	 i;

	for (i = 0; i < MANY; i++)
		put(1400);
	take_all();
	for (i = 0; i < 64; i++)
		put(i % 2 == 0 ? 1427 : 1427 - i % 5);
	take_all();
	for (i = 0; i < 64; i++)
		put(1 + i);
	for (i = 0; i < 64; i++)
		put(64 - i);
	take_all();
	for (i = 0; i < 20; i++)
		put(PACKET_MAX);
	take_all();
}

ATF_TC_WITHOUT_HEAD(runs);
ATF_TC_BODY(runs, tc)
{
	size_t	 i;

	(void)tc;
	world_new(65536, true, false);
	for (i = 0; i < MANY; i++)
		put(1400);
	take_all();
	ATF_CHECK_MSG(w.buffers < MANY / 20, "%zu buffers for %d datagrams",
	    w.buffers, MANY);
	traffic();
	world_end();
}

ATF_TC_WITHOUT_HEAD(no_runs);
ATF_TC_BODY(no_runs, tc)
{
	(void)tc;
	world_new(65536, false, false);
	traffic();
	ATF_CHECK_EQ(w.buffers, w.nsent);
	world_end();
}

/* Larger than the interface takes: IP fragments, and no run. */
ATF_TC_WITHOUT_HEAD(small_mtu);
ATF_TC_BODY(small_mtu, tc)
{
	(void)tc;
	world_new(1280, true, false);
	traffic();
	world_end();
}

/*
 * A kernel that took no run is not asked for each of them, but now and then,
 * as that may change; shorter ones are runs all the while.
 */
ATF_TC_WITHOUT_HEAD(refusal_remembered);
ATF_TC_BODY(refusal_remembered, tc)
{
	size_t	 i, round;

	(void)tc;
	world_new(1280, true, false);
	for (round = 0; round < 5; round++) {
		w.nsent = w.seen = 0;
		for (i = 0; i < MANY; i++)
			put(1400);
		take_all();
		/* Those that were in the first batch were on their way. */
		if (round == 0)
			calls = failed = 0;
	}
	ATF_CHECK_EQ_MSG(failed, 0, "%u of %u calls failed", failed, calls);
	ATF_CHECK_MSG(calls < 4 * MANY / 16, "%u calls", calls);

	calls = failed = 0;
	w.nsent = w.seen = 0;
	w.buffers = 0;
	for (i = 0; i < MANY; i++)
		put(1000);
	take_all();
	ATF_CHECK_EQ(failed, 0);
	ATF_CHECK_MSG(w.buffers < MANY / 20, "%zu buffers", w.buffers);

	/* The way has become wider. */
	loopback(65536);
	for (round = 0; round < 8; round++) {
		w.nsent = w.seen = 0;
		w.buffers = 0;
		for (i = 0; i < MANY; i++)
			put(1400);
		take_all();
	}
	ATF_CHECK_MSG(w.buffers < MANY / 20, "%zu buffers", w.buffers);
	world_end();
}

/* One call tells; what is left of the batch is lost, and no later one. */
ATF_TC_WITHOUT_HEAD(full_buffer);
ATF_TC_BODY(full_buffer, tc)
{
	size_t	 i;

	(void)tc;
	world_new(65536, false, false);
	full = true;
	for (i = 0; i < 50; i++)
		put(100);
	udp_outbox_flush(w.out);
	ATF_CHECK_EQ_MSG(calls, 1, "%u calls", calls);
	full = false;
	w.nsent = 0;
	traffic();
	world_end();
}

/* Many that go one by one are sent by a thread, few or runs are not. */
ATF_TC_WITHOUT_HEAD(thread);
ATF_TC_BODY(thread, tc)
{
	size_t	 i, round;

	(void)tc;
	world_new(65536, false, true);
	for (round = 0; round < 20; round++) {
		w.nsent = w.seen = 0;
		for (i = 0; i < MANY; i++)
			put(1 + i);
		take_all();
	}
	ATF_CHECK_MSG(elsewhere >= 20 * MANY / 64, "%u of %u", elsewhere, calls);
	elsewhere = 0;
	w.nsent = w.seen = 0;
	for (i = 0; i < 15; i++)
		put(1400);
	take_all();
	ATF_CHECK_EQ(elsewhere, 0);
	world_end();
}

ATF_TC_WITHOUT_HEAD(thread_not_for_runs);
ATF_TC_BODY(thread_not_for_runs, tc)
{
	size_t	 i;

	(void)tc;
	world_new(65536, true, true);
	for (i = 0; i < MANY; i++)
		put(1400);
	take_all();
	ATF_CHECK_EQ(elsewhere, 0);
	world_end();
}

/* What follows what a thread has comes after it, be it one datagram. */
ATF_TC_WITHOUT_HEAD(thread_order);
ATF_TC_BODY(thread_order, tc)
{
	size_t	 i, round;

	(void)tc;
	world_new(65536, false, true);
	for (round = 0; round < 200; round++) {
		w.nsent = w.seen = 0;
		for (i = 0; i < 40; i++)
			put(100);
		udp_outbox_flush(w.out);
		for (i = 0; i < 9; i++) {
			put(50 + i);
			udp_outbox_flush(w.out);
		}
		take_all();
	}
	ATF_CHECK(elsewhere > 200);
	world_end();
}

/* What the kernel did not take is found out there, and remembered here. */
ATF_TC_WITHOUT_HEAD(thread_refusals);
ATF_TC_BODY(thread_refusals, tc)
{
	static uint8_t	 buf[1400];
	size_t		 i, round;

	(void)tc;
	world_new(1280, true, true);
	for (round = 0; round < 8; round++) {
		/* Runs of two. */
		for (i = 0; i < MANY; i++)
			udp_outbox_put(w.out, w.fd[0], true,
			    &w.addr[i / 2 % 2], buf, sizeof(buf) - i % 2);
		udp_outbox_drain(w.out);
		if (round == 0) {
			ATF_CHECK(failed > 0);
			failed = 0;
		}
	}
	ATF_CHECK_EQ_MSG(failed, 0, "%u of %u calls failed", failed, calls);
	ATF_CHECK(elsewhere > 0);
	world_end();
}

/* A world in which a firewall says no, to 40 datagrams that it was given. */
static void
forty_denied(void)
{
	unsigned	 i;

	world_new(65536, false, true);
	denies = true;
	for (i = 0; i < 40; i++)
		put(100);
}

/* A firewall's no is counted, whoever hears it. */
ATF_TC_WITHOUT_HEAD(denied);
ATF_TC_BODY(denied, tc)
{
	int64_t	 last;
	size_t	 i;

	(void)tc;
	forty_denied();
	ATF_CHECK_EQ(udp_outbox_denied(w.out, &last), 40);
	ATF_CHECK(last > 0);
	for (i = 0; i < 3; i++)
		put(100);
	ATF_CHECK_EQ(udp_outbox_denied(w.out, &last), 43);
	ATF_CHECK(elsewhere > 0);
	denies = false;
	world_end();
}

static int64_t
now_ms(void)
{
	struct timespec	 ts;

	ATF_REQUIRE_EQ(clock_gettime(CLOCK_REALTIME, &ts), 0);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/* When it was said counts, and not when somebody asked. */
ATF_TC_WITHOUT_HEAD(thread_denied_when);
ATF_TC_BODY(thread_denied_when, tc)
{
	int64_t	 last;

	(void)tc;
	forty_denied();
	udp_outbox_flush(w.out);
	(void)usleep(500000);
	ATF_REQUIRE(elsewhere > 0);
	ATF_CHECK_EQ(udp_outbox_denied(w.out, &last), 40);
	ATF_CHECK_MSG(now_ms() - last >= 250, "%lld ms ago",
	    (long long)(now_ms() - last));
	denies = false;
	world_end();
}

/* A box with room for runs only is no box for those that go one by one. */
ATF_TC_WITHOUT_HEAD(no_longer_runs);
ATF_TC_BODY(no_longer_runs, tc)
{
	size_t	 i;

	(void)tc;
	world_new(65536, true, false);
	for (i = 0; i < 200; i++)
		put(1 + i);		/* a run each */
	w.runs[0] = false;
	for (i = 0; i < 200; i++)
		put(1 + i);
	take_all();
	world_end();
}

/* A run has one recipient. */
ATF_TC_WITHOUT_HEAD(recipients);
ATF_TC_BODY(recipients, tc)
{
	uint8_t				 buf[100] = { 0 };
	const struct node_datagram	*nd;
	size_t				 n, i, got[2] = { 0, 0 };

	(void)tc;
	world_new(65536, true, false);
	for (i = 0; i < 50; i++) {
		buf[0] = (uint8_t)(i % 3 == 0);
		udp_outbox_put(w.out, w.fd[0], true, &w.addr[i % 3 != 0],
		    buf, sizeof(buf));
	}
	udp_outbox_flush(w.out);
	for (i = 0; i < 2; i++) {
		while (udp_batch_receive(w.in, w.fd[i], true, &nd, &n) > 0) {
			got[i] += n;
			while (n-- > 0)
				ATF_CHECK_EQ(nd[n].nd_data[0], i == 0);
		}
	}
	ATF_CHECK_EQ(got[0], 17);
	ATF_CHECK_EQ(got[1], 33);
	world_end();
}

/*
 * For two by turns, as a root has them: still runs, and for each in order,
 * also around those that are shorter or longer.
 */
ATF_TC_WITHOUT_HEAD(by_turns);
ATF_TC_BODY(by_turns, tc)
{
	uint8_t				 buf[300] = { 0 };
	const struct node_datagram	*nd;
	size_t				 n, i, k, got;
	int				 filled, buffers;

	(void)tc;
	world_new(65536, true, false);
	for (i = 0; i < 200; i++) {
		buf[0] = (uint8_t)(i / 2);
		udp_outbox_put(w.out, w.fd[0], true, &w.addr[i % 2], buf,
		    i / 2 == 50 ? 90 : i / 2 == 51 ? 300 : 100);
	}
	udp_outbox_flush(w.out);
	for (i = 0; i < 2; i++) {
		got = 0;
		buffers = 0;
		while ((filled = udp_batch_receive(w.in, w.fd[i], true, &nd,
		    &n)) > 0) {
			buffers += filled;
			for (k = 0; k < n; k++, got++) {
				ATF_CHECK_EQ(nd[k].nd_data[0], got);
				ATF_CHECK_EQ(nd[k].nd_len, got == 50 ? 90 :
				    got == 51 ? 300 : 100);
			}
		}
		ATF_CHECK_EQ(got, 100);
		ATF_CHECK_EQ_MSG(buffers, 3, "%d buffers", buffers);
	}
	world_end();
}

/* More addresses and more datagrams than a batch has room for. */
ATF_TC_WITHOUT_HEAD(many_addresses);
ATF_TC_BODY(many_addresses, tc)
{
	struct inet_addr		 to = { 0 };
	struct sockaddr_storage		 ss;
	const struct node_datagram	*nd;
	static uint8_t			 next[2][256];
	uint8_t				 buf[40] = { 0 };
	size_t				 n, i, k, got = 0;
	socklen_t			 len;
	int				 fd;

	(void)tc;
	world_new(65536, true, false);
	/* One that is bound to no address takes what is for all others. */
	to = w.addr[0];
	memset(to.ia_ip, 0, sizeof(to.ia_ip));
	to.ia_port = 9994;
	len = inet_to_sockaddr(&to, &ss);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ATF_REQUIRE(fd != -1 && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE,
	    &(int){ 8 * 1024 * 1024 }, sizeof(int)) == 0);
	ATF_REQUIRE(bind(fd, (struct sockaddr *)&ss, len) == 0);
	ATF_REQUIRE(udp_coalesce(fd));
	to.ia_ip[0] = 127;
	for (i = 0; i < 6000; i++) {
		to.ia_ip[2] = (uint8_t)(i % 400 / 200);
		to.ia_ip[3] = (uint8_t)(i % 200 + 1);
		buf[0] = to.ia_ip[2];
		buf[1] = to.ia_ip[3];
		buf[2] = (uint8_t)(i / 400);
		udp_outbox_put(w.out, w.fd[0], true, &to, buf, sizeof(buf));
	}
	udp_outbox_flush(w.out);
	while (udp_batch_receive(w.in, fd, true, &nd, &n) > 0) {
		for (k = 0; k < n; k++, got++) {
			ATF_REQUIRE_EQ(nd[k].nd_len, sizeof(buf));
			ATF_CHECK_EQ(nd[k].nd_data[2],
			    next[nd[k].nd_data[0]][nd[k].nd_data[1]]++);
		}
	}
	ATF_CHECK_EQ(got, 6000);
	close(fd);
	world_end();
}

/* Longer than any packet: gone, and those around it are there. */
ATF_TC_WITHOUT_HEAD(too_long);
ATF_TC_BODY(too_long, tc)
{
	uint8_t				 buf[65000] = { 7 };
	const struct node_datagram	*nd;
	struct sockaddr_storage		 ss;
	socklen_t			 len;
	size_t				 n, i, got = 0;
	unsigned			 run;
	static const size_t		 lens[] = { 100, 65000, PACKET_MAX + 1,
		101, 40000, 102 };

	(void)tc;
	world_new(65536, true, false);
	len = inet_to_sockaddr(&w.addr[1], &ss);
	for (run = 0; run < 2; run++) {
		for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
			ATF_REQUIRE(sendto(w.fd[0], buf, lens[i], 0,
			    (struct sockaddr *)&ss, len) ==
			    (ssize_t)lens[i]);
		while (udp_batch_receive(w.in, w.fd[1], run == 0, &nd, &n) > 0)
			for (i = 0; i < n; i++)
				ATF_CHECK_EQ(nd[i].nd_len, 100 + got++ % 3);
	}
	ATF_CHECK_EQ(got, 6);
	world_end();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, runs);
	ATF_TP_ADD_TC(tp, no_runs);
	ATF_TP_ADD_TC(tp, small_mtu);
	ATF_TP_ADD_TC(tp, refusal_remembered);
	ATF_TP_ADD_TC(tp, full_buffer);
	ATF_TP_ADD_TC(tp, thread);
	ATF_TP_ADD_TC(tp, thread_not_for_runs);
	ATF_TP_ADD_TC(tp, thread_order);
	ATF_TP_ADD_TC(tp, thread_refusals);
	ATF_TP_ADD_TC(tp, denied);
	ATF_TP_ADD_TC(tp, thread_denied_when);
	ATF_TP_ADD_TC(tp, no_longer_runs);
	ATF_TP_ADD_TC(tp, recipients);
	ATF_TP_ADD_TC(tp, by_turns);
	ATF_TP_ADD_TC(tp, many_addresses);
	ATF_TP_ADD_TC(tp, too_long);
	return (atf_no_error());
}
