/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 *	first_ping address seconds command ...
 *
 * Start the command and send an ICMP echo request to this IPv4 address every
 * five milliseconds, whether there is a route yet or not.  Prints how many
 * milliseconds after the command was started the first answer came.
 */

#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/in_systm.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>

#include <err.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define INTERVAL_MS	5

static double
now_ms(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6);
}

static uint16_t
checksum(const void *bytes, size_t len)
{
	const uint8_t	*p = bytes;
	uint32_t	 sum = 0;
	size_t		 i;

	for (i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (htons((uint16_t)~sum));
}

/* There may be no route, and no address, as yet. */
static void
ask(int fd, const struct sockaddr_in *to, uint16_t seq)
{
	struct icmp	 ic;

	memset(&ic, 0, sizeof(ic));
	ic.icmp_type = ICMP_ECHO;
	ic.icmp_id = htons((uint16_t)getpid());
	ic.icmp_seq = htons(seq);
	ic.icmp_cksum = checksum(&ic, ICMP_MINLEN);
	(void)sendto(fd, &ic, ICMP_MINLEN, 0, (const struct sockaddr *)to,
	    sizeof(*to));
}

/* Is what has come an answer from there? */
static int
answered(int fd, const struct sockaddr_in *to)
{
	struct sockaddr_in	 sin;
	socklen_t		 len = sizeof(sin);
	uint8_t			 p[1500];
	struct icmp		 ic;
	ssize_t			 n;
	size_t			 hdr;

	n = recvfrom(fd, p, sizeof(p), MSG_DONTWAIT, (struct sockaddr *)&sin,
	    &len);
	if (n < 20 || sin.sin_addr.s_addr != to->sin_addr.s_addr)
		return (0);
	hdr = (size_t)(p[0] & 15) * 4;
	if ((size_t)n < hdr + ICMP_MINLEN)
		return (0);
	memset(&ic, 0, sizeof(ic));
	memcpy(&ic, p + hdr, ICMP_MINLEN);
	return (ic.icmp_type == ICMP_ECHOREPLY &&
	    ic.icmp_id == htons((uint16_t)getpid()));
}

static pid_t
start(char *argv[])
{
	pid_t	 pid;

	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid != 0)
		return (pid);
	if (freopen("/dev/null", "w", stdout) == NULL)
		err(1, "/dev/null");
	execvp(argv[0], argv);
	err(1, "%s", argv[0]);
}

/* Ask until there is an answer; 0, or -1 when time is over. */
static int
wait_answer(int fd, const struct sockaddr_in *to, double end)
{
	struct pollfd	 pfd = { .fd = fd, .events = POLLIN };
	double		 next = now_ms(), now;
	uint16_t	 seq = 0;

	for (;;) {
		if ((now = now_ms()) >= end)
			return (-1);
		if (now >= next) {
			ask(fd, to, seq++);
			next += INTERVAL_MS;
		}
		if (poll(&pfd, 1, next > now ? (int)(next - now) + 1 : 0) > 0 &&
		    answered(fd, to))
			return (0);
	}
}

int
main(int argc, char *argv[])
{
	struct sockaddr_in	 to;
	double			 began, ms;
	pid_t			 pid;
	int			 fd, error, status;

	if (argc < 4) {
		fprintf(stderr,
		    "usage: first_ping address seconds command ...\n");
		return (2);
	}
	memset(&to, 0, sizeof(to));
	to.sin_family = AF_INET;
	if (inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
		errx(2, "\"%s\" is no IPv4 address", argv[1]);
	if ((fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)) == -1)
		err(1, "socket");
	began = now_ms();
	pid = start(argv + 3);
	error = wait_answer(fd, &to, began + atof(argv[2]) * 1e3);
	ms = now_ms() - began;
	if (waitpid(pid, &status, 0) == -1 || status != 0)
		errx(1, "%s failed", argv[3]);
	if (error == -1)
		errx(1, "no answer within %s s", argv[2]);
	printf("%.1f\n", ms);
	return (0);
}
