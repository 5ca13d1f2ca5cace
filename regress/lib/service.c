/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "regress/lib/service.h"

int
service_listen(unsigned *port)
{
	struct sockaddr_in	 sin;
	socklen_t		 len = sizeof(sin);
	int			 fd;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ATF_REQUIRE(fd != -1 && bind(fd, (struct sockaddr *)&sin,
	    sizeof(sin)) == 0 && listen(fd, 8) == 0 &&
	    getsockname(fd, (struct sockaddr *)&sin, &len) == 0);
	*port = ntohs(sin.sin_port);
	return (fd);
}

void
service_read(int fd, char *buf, size_t size, char *path, size_t pathsize)
{
	const char	*begin;
	size_t		 n = 0, len;
	ssize_t		 k;

	buf[0] = '\0';
	while (n < size - 1 && (k = read(fd, buf + n, size - 1 - n)) > 0) {
		n += (size_t)k;
		buf[n] = '\0';
		if (strstr(buf, "\r\n\r\n") != NULL)
			break;
	}
	begin = buf + strcspn(buf, " ");
	begin += strspn(begin, " ");
	len = strcspn(begin, " \r\n");
	(void)snprintf(path, pathsize, "%.*s", (int)len, begin);
}
