/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Copy a stream over one TCP connection, for tests and demonstration:
 * "stream address port" sends what it reads, "stream -l address port" takes
 * one connection and writes what comes.  It ends with the stream, or when
 * nothing moves for a minute.
 */

#include <sys/socket.h>
#include <sys/time.h>

#include <err.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE	60	/* seconds */

static void	 copy(int, int);
static int	 receive_on(const struct addrinfo *);
static int	 send_to(const struct addrinfo *);
static void	 set_patience(int);
static void	 usage(void);

int
main(int argc, char *argv[])
{
	struct addrinfo	 hints, *res;
	int		 ch, error, fd, listening = 0;

	while ((ch = getopt(argc, argv, "l")) != -1) {
		if (ch != 'l')
			usage();
		listening = 1;
	}
	argc -= optind;
	argv += optind;
	if (argc != 2)
		usage();

	memset(&hints, 0, sizeof(hints));
	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = AI_NUMERICHOST | (listening ? AI_PASSIVE : 0);
	if ((error = getaddrinfo(argv[0], argv[1], &hints, &res)) != 0)
		errx(1, "%s: %s", argv[0], gai_strerror(error));
	if (listening) {
		fd = receive_on(res);
		copy(fd, STDOUT_FILENO);
	} else {
		fd = send_to(res);
		copy(STDIN_FILENO, fd);
		/* The other side has all of it when it closes. */
		if (shutdown(fd, SHUT_WR) == -1)
			err(1, "shutdown");
		copy(fd, STDOUT_FILENO);
	}
	close(fd);
	freeaddrinfo(res);
	return (0);
}

static int
receive_on(const struct addrinfo *ai)
{
	int	 fd, on = 1, s;

	if ((s = socket(ai->ai_family, ai->ai_socktype, 0)) == -1)
		err(1, "socket");
	if (setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1)
		err(1, "SO_REUSEADDR");
	if (bind(s, ai->ai_addr, ai->ai_addrlen) == -1)
		err(1, "bind");
	if (listen(s, 1) == -1)
		err(1, "listen");
	set_patience(s);
	if ((fd = accept(s, NULL, NULL)) == -1)
		err(1, "accept");
	close(s);
	set_patience(fd);
	return (fd);
}

/* The listener may be a moment behind. */
static int
send_to(const struct addrinfo *ai)
{
	int	 fd, i;

	for (i = 0; i < 500; i++) {
		if ((fd = socket(ai->ai_family, ai->ai_socktype, 0)) == -1)
			err(1, "socket");
		set_patience(fd);
		if (connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
			return (fd);
		close(fd);
		usleep(10000);
	}
	err(1, "connect");
}

static void
set_patience(int fd)
{
	struct timeval	 tv = { .tv_sec = PATIENCE };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) == -1)
		err(1, "setsockopt");
}

static void
copy(int from, int to)
{
	static char	 buf[65536];
	ssize_t		 len, n, w;

	while ((len = read(from, buf, sizeof(buf))) != 0) {
		if (len == -1)
			err(1, "read");
		for (n = 0; n < len; n += w)
			if ((w = write(to, buf + n, (size_t)(len - n))) == -1)
				err(1, "write");
	}
}

static void
usage(void)
{
	fprintf(stderr, "usage: stream [-l] address port\n");
	exit(1);
}
