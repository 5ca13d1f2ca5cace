/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Hold a UDP port of an address and do nothing with it, for tests:
 * "udphold address port".  Says "held" when it has it.
 */

#include <sys/socket.h>

#include <err.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char *argv[])
{
	struct addrinfo	 hints, *res;
	int		 error, fd;

	if (argc != 3)
		errx(1, "usage: udphold address port");
	memset(&hints, 0, sizeof(hints));
	hints.ai_socktype = SOCK_DGRAM;
	hints.ai_flags = AI_NUMERICHOST | AI_PASSIVE;
	if ((error = getaddrinfo(argv[1], argv[2], &hints, &res)) != 0)
		errx(1, "%s: %s", argv[1], gai_strerror(error));
	fd = socket(res->ai_family, SOCK_DGRAM, 0);
	if (fd == -1 || bind(fd, res->ai_addr, res->ai_addrlen) == -1)
		err(1, "%s port %s", argv[1], argv[2]);
	(void)printf("held\n");
	(void)fflush(stdout);
	for (;;)
		(void)pause();
}
