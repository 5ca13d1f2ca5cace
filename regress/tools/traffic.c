/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Small traffic, to see what gets through.
 *
 *	traffic -l [-g group%interface] port ...
 *		serve these ports: what connects by TCP is greeted, what
 *		comes by UDP is sent back
 *	traffic [-b address] [-s port] [-t ms] tcp|udp address port
 *		one exchange with such a server, from this address and port
 *
 * Ends with 0 and prints who answered; with 1 when nobody did in time, a
 * second unless given; with 2 for all else, so that a server that does not
 * run is not taken for a packet that was dropped.
 */

#include <sys/socket.h>

#include <net/if.h>
#include <netinet/in.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FAILED		2
#define SOCKETS		128

static struct pollfd	 sockets[SOCKETS];
static int		 nsockets;

static struct addrinfo	*resolve(const char *, const char *, int, int, int);
static int		 make(const struct addrinfo *);
static void		 listen_on(const char *, int, int);
static void		 join(const char *);
static struct in_addr	 address_of(const char *);
static void		 answer(int);
static void		 serve(void);
static int		 ask(const struct addrinfo *, const char *,
			    const char *, int);
static int		 ready(int, short, int);
static void		 usage(void);

int
main(int argc, char *argv[])
{
	struct addrinfo	*to;
	const char	*from = NULL, *group = NULL, *sport = "0";
	int		 ch, i, listening = 0, ms = 1000, type = 0;

	while ((ch = getopt(argc, argv, "b:g:ls:t:")) != -1)
		switch (ch) {
		case 'b':
			from = optarg;
			break;
		case 'g':
			group = optarg;
			break;
		case 'l':
			listening = 1;
			break;
		case 's':
			sport = optarg;
			break;
		case 't':
			ms = atoi(optarg);
			break;
		default:
			usage();
		}
	argc -= optind;
	argv += optind;
	signal(SIGPIPE, SIG_IGN);
	if (listening) {
		if (argc < 1 || argc * 4 > SOCKETS)
			usage();
		for (i = 0; i < argc; i++) {
			listen_on(argv[i], AF_INET, SOCK_STREAM);
			listen_on(argv[i], AF_INET6, SOCK_STREAM);
			listen_on(argv[i], AF_INET, SOCK_DGRAM);
			listen_on(argv[i], AF_INET6, SOCK_DGRAM);
		}
		if (group != NULL)
			join(group);
		serve();
	}
	if (argc != 3)
		usage();
	if (strcmp(argv[0], "tcp") == 0)
		type = SOCK_STREAM;
	else if (strcmp(argv[0], "udp") == 0)
		type = SOCK_DGRAM;
	else
		usage();
	to = resolve(argv[1], argv[2], AF_UNSPEC, type, 0);
	return (ask(to, from, sport, ms));
}

static struct addrinfo *
resolve(const char *host, const char *port, int family, int type, int flags)
{
	struct addrinfo	 hints, *res;
	int		 error;

	memset(&hints, 0, sizeof(hints));
	hints.ai_family = family;
	hints.ai_socktype = type;
	hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | flags;
	if ((error = getaddrinfo(host, port, &hints, &res)) != 0)
		errx(FAILED, "%s %s: %s", host, port, gai_strerror(error));
	return (res);
}

static int
make(const struct addrinfo *ai)
{
	int	 fd, on = 1;

	if ((fd = socket(ai->ai_family, ai->ai_socktype, 0)) == -1)
		err(FAILED, "socket");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) == -1)
		err(FAILED, "setsockopt");
	if (ai->ai_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6,
	    IPV6_V6ONLY, &on, sizeof(on)) == -1)
		err(FAILED, "IPV6_V6ONLY");
	if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
		err(FAILED, "O_NONBLOCK");
	return (fd);
}

static void
listen_on(const char *port, int family, int type)
{
	struct addrinfo	*ai;
	int		 fd;

	ai = resolve(NULL, port, family, type, AI_PASSIVE);
	fd = make(ai);
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) == -1)
		err(FAILED, "bind %s", port);
	if (type == SOCK_STREAM && listen(fd, 64) == -1)
		err(FAILED, "listen");
	freeaddrinfo(ai);
	sockets[nsockets].fd = fd;
	sockets[nsockets++].events = POLLIN;
}

/*
 * The membership is the host's: any of its sockets then gets the group.  The
 * calls that take an interface's number for both families are not everywhere.
 */
static void
join(const char *spec)
{
	struct addrinfo		*ai;
	struct ip_mreq		 mreq;
	struct ipv6_mreq	 mreq6;
	char			*group, *ifname;
	int			 error, fd;

	if ((group = strdup(spec)) == NULL)
		err(FAILED, NULL);
	if ((ifname = strchr(group, '%')) == NULL)
		usage();
	*ifname++ = '\0';
	ai = resolve(group, "0", AF_UNSPEC, SOCK_DGRAM, 0);
	fd = make(ai);
	if (ai->ai_family == AF_INET) {
		mreq.imr_multiaddr =
		    ((const struct sockaddr_in *)(const void *)
		    ai->ai_addr)->sin_addr;
		mreq.imr_interface = address_of(ifname);
		error = setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq,
		    sizeof(mreq));
	} else {
		mreq6.ipv6mr_multiaddr =
		    ((const struct sockaddr_in6 *)(const void *)
		    ai->ai_addr)->sin6_addr;
		mreq6.ipv6mr_interface = if_nametoindex(ifname);
		error = setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &mreq6,
		    sizeof(mreq6));
	}
	if (error == -1)
		err(FAILED, "join %s", spec);
	freeaddrinfo(ai);
	free(group);
}

static struct in_addr
address_of(const char *ifname)
{
	struct ifaddrs	*all, *ifa;
	struct in_addr	 in;

	if (getifaddrs(&all) == -1)
		err(FAILED, "getifaddrs");
	for (ifa = all; ifa != NULL; ifa = ifa->ifa_next)
		if (ifa->ifa_addr != NULL &&
		    ifa->ifa_addr->sa_family == AF_INET &&
		    strcmp(ifa->ifa_name, ifname) == 0)
			break;
	if (ifa == NULL)
		errx(FAILED, "%s has no IPv4 address", ifname);
	in = ((const struct sockaddr_in *)(const void *)
	    ifa->ifa_addr)->sin_addr;
	freeifaddrs(all);
	return (in);
}

static void
serve(void)
{
	int	 i;

	for (;;) {
		if (poll(sockets, (nfds_t)nsockets, -1) == -1)
			err(FAILED, "poll");
		for (i = 0; i < nsockets; i++)
			if (sockets[i].revents != 0)
				answer(sockets[i].fd);
	}
}

static void
answer(int fd)
{
	struct sockaddr_storage	 ss;
	static char		 buf[65536];
	socklen_t		 len = sizeof(ss);
	ssize_t			 n;
	int			 conn;

	if ((conn = accept(fd, NULL, NULL)) != -1) {
		/* A single byte always fits. */
		n = write(conn, "+", 1);
		close(conn);
		return;
	}
	if (errno != EOPNOTSUPP)
		return;
	n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&ss, &len);
	if (n > 0)
		(void)sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&ss,
		    len);
}

static int
ask(const struct addrinfo *to, const char *from, const char *sport, int ms)
{
	struct sockaddr_storage	 ss;
	struct addrinfo		*ai;
	char			 buf[16], name[64];
	socklen_t		 len = sizeof(ss);
	int			 error, fd;

	fd = make(to);
	ai = resolve(from, sport, to->ai_family, to->ai_socktype, AI_PASSIVE);
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) == -1)
		err(FAILED, "bind");
	freeaddrinfo(ai);
	if (to->ai_socktype == SOCK_STREAM) {
		if (connect(fd, to->ai_addr, to->ai_addrlen) == -1 &&
		    errno != EINPROGRESS)
			err(FAILED, "connect");
		if (!ready(fd, POLLOUT, ms))
			return (1);
		memcpy(&ss, to->ai_addr, to->ai_addrlen);
		len = to->ai_addrlen;
	} else if (sendto(fd, "?", 1, 0, to->ai_addr, to->ai_addrlen) == -1)
		err(FAILED, "sendto");
	if (!ready(fd, POLLIN, ms))
		return (1);
	if (recvfrom(fd, buf, sizeof(buf), 0, to->ai_socktype == SOCK_STREAM ?
	    NULL : (struct sockaddr *)&ss, &len) < 1)
		err(FAILED, "no answer");
	error = getnameinfo((struct sockaddr *)&ss, len, name, sizeof(name),
	    NULL, 0, NI_NUMERICHOST);
	if (error != 0)
		errx(FAILED, "%s", gai_strerror(error));
	printf("%s\n", name);
	return (0);
}

static int
ready(int fd, short what, int ms)
{
	struct pollfd	 pfd = { .fd = fd, .events = what };
	socklen_t	 len = sizeof(int);
	int		 error, n;

	if ((n = poll(&pfd, 1, ms)) == -1)
		err(FAILED, "poll");
	if (n == 0)
		return (0);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		err(FAILED, "SO_ERROR");
	if (error != 0)
		errc(FAILED, error, "refused");
	return (1);
}

static void
usage(void)
{
	fprintf(stderr, "usage: traffic -l [-g group%%interface] port ...\n"
	    "       traffic [-b address] [-s port] [-t ms] tcp|udp "
	    "address port\n");
	exit(FAILED);
}
