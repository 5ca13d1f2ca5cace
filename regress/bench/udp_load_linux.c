/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * UDP datagrams between two network namespaces, as many as arrive:
 *
 *	udp_load [-g] [-r rate] namespace address bytes seconds
 *
 * A receiver in that namespace, at this address, counts datagrams of so many
 * bytes that come from here: at rates that grow until no more of them arrive,
 * then at the best of these, or at the given one, for so many seconds.  With
 * -g runs of them are handed to the kernel (UDP_SEGMENT), as QUIC does, else
 * each by itself.  Prints an object of JSON: the rate, and datagrams a second
 * offered and delivered.
 *
 * Both sides take many datagrams a system call, so that little of what is
 * measured is this program.
 */

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <netinet/in.h>
#include <netinet/udp.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/inet.h"
#include "regress/bench/pace.h"

#define BATCH		64
#define BYTES_MAX	2000
#define BUFFER		(4 << 20)
#define RUNS		32		/* received at once */
#define RUN		65536
#define PATIENCE_MS	10000

static atomic_ullong	*arrived;	/* shared with the receiver */
static size_t		 bytes;
static int		 out;
static bool		 runs;
static uint8_t		 data[BATCH * BYTES_MAX];

/* A pc_send. */
static unsigned
load_send(unsigned n)
{
	static struct iovec	 iov[BATCH];
	static struct mmsghdr	 mm[BATCH];
	unsigned		 i, each = runs ? n : 1;
	int			 sent;

	if (each * bytes > 65000)
		each = (unsigned)(65000 / bytes);
	for (i = 0; i * each < n; i++) {
		iov[i].iov_base = data;
		iov[i].iov_len = (n - i * each < each ? n - i * each : each) *
		    bytes;
		mm[i].msg_hdr.msg_iov = &iov[i];
		mm[i].msg_hdr.msg_iovlen = 1;
	}
	if ((sent = sendmmsg(out, mm, i, 0)) == -1) {
		if (errno != ENOBUFS && errno != EAGAIN &&
		    errno != ECONNREFUSED)
			err(1, "sendmmsg");
		return (0);
	}
	return ((unsigned)sent == i ? n : (unsigned)sent * each);
}

static int
open_socket(const struct inet_addr *ia)
{
	int	 fd, size = BUFFER;

	fd = socket(ia->ia_family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM |
	    SOCK_CLOEXEC, 0);
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
	    sizeof(size)) == -1 || setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE,
	    &size, sizeof(size)) == -1)
		err(1, "socket");
	return (fd);
}

static void
receive(const char *netns, const struct sockaddr *sa, socklen_t len,
    const struct inet_addr *ia)
{
	static uint8_t		 in[RUNS][RUN];
	static struct iovec	 iov[RUNS];
	static struct mmsghdr	 mm[RUNS];
	char			 path[256];
	uint64_t		 got;
	int			 fd, i, n, on = 1;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		err(1, "prctl");
	(void)snprintf(path, sizeof(path), "/run/netns/%s", netns);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1 ||
	    setns(fd, CLONE_NEWNET) == -1)
		err(1, "%s", path);
	fd = open_socket(ia);
	/* Older kernels hand them out one by one. */
	(void)setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on));
	if (bind(fd, sa, len) == -1)
		err(1, "bind");
	for (i = 0; i < RUNS; i++) {
		iov[i].iov_base = in[i];
		iov[i].iov_len = RUN;
		mm[i].msg_hdr.msg_iov = &iov[i];
		mm[i].msg_hdr.msg_iovlen = 1;
	}
	for (;;) {
		n = recvmmsg(fd, mm, RUNS, MSG_WAITFORONE, NULL);
		for (i = 0, got = 0; i < n; i++)
			got += mm[i].msg_len / bytes;
		atomic_fetch_add(arrived, got);
	}
}

static void
wait_arrived(void)
{
	int64_t	 end = pace_now() + PATIENCE_MS * INT64_C(1000000);

	while (atomic_load(arrived) == 0) {
		if (pace_now() > end)
			errx(1, "nothing arrives");
		(void)load_send(1);
		pace_sleep(20);
	}
}

static void
usage(void)
{
	fprintf(stderr, "usage: udp_load [-g] [-r rate] namespace "
	    "address/port bytes seconds\n");
	exit(2);
}

int
main(int argc, char *argv[])
{
	struct pace		 pace = { load_send, NULL, NULL, BATCH };
	struct sockaddr_storage	 ss;
	struct inet_addr	 ia;
	socklen_t		 len;
	double			 rate = 0, offered, delivered;
	pid_t			 pid;
	int			 ch, size;

	while ((ch = getopt(argc, argv, "gr:")) != -1) {
		if (ch == 'g')
			runs = true;
		else if (ch != 'r' || (rate = atof(optarg)) <= 0)
			usage();
	}
	argc -= optind;
	argv += optind;
	if (argc != 4)
		usage();
	bytes = (size_t)atol(argv[2]);
	if (bytes == 0 || bytes > BYTES_MAX)
		errx(2, "no datagrams of %zu bytes", bytes);
	if (inet_parse(argv[1], &ia) == -1)
		errx(2, "\"%s\" is no address/port", argv[1]);
	arrived = mmap(NULL, sizeof(*arrived), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (arrived == MAP_FAILED || prctl(PR_SET_TIMERSLACK, 1) == -1)
		err(1, "cannot begin");
	pace.pc_arrived = arrived;
	len = inet_to_sockaddr(&ia, &ss);
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0)
		receive(argv[0], (struct sockaddr *)&ss, len, &ia);
	out = open_socket(&ia);
	size = (int)bytes;
	if (connect(out, (struct sockaddr *)&ss, len) == -1 || (runs &&
	    setsockopt(out, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)) ==
	    -1))
		err(1, "socket");
	wait_arrived();
	if (rate == 0)
		rate = pace_search(&pace);
	pace_run(&pace, rate, atol(argv[3]) * 1000, &offered, &delivered);
	kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	printf("{\"bytes\": %zu, \"rate\": %.0f, \"offered\": %.0f, "
	    "\"delivered\": %.0f}\n", bytes, rate, offered, delivered);
	return (0);
}
