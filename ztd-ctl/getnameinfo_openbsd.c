/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * OpenBSD: getnameinfo(3) for libevent's HTTP server, which asks it for the
 * other end of every connection, and ends the process when there is no
 * answer.  A UNIX socket need not have one there.  Nobody else here calls
 * it; a program's own function comes before the library's.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

/* In numbers only; scopes of addresses are left out. */
int
getnameinfo(const struct sockaddr *sa, socklen_t len, char *host,
    size_t hostlen, char *serv, size_t servlen, int flags)
{
	const void	*ip;
	unsigned	 port;

	(void)len;
	(void)flags;
	switch (sa->sa_family) {
	case AF_INET:
		ip = &((const struct sockaddr_in *)(const void *)sa)->sin_addr;
		port = ntohs(((const struct sockaddr_in *)
		    (const void *)sa)->sin_port);
		break;
	case AF_INET6:
		ip = &((const struct sockaddr_in6 *)
		    (const void *)sa)->sin6_addr;
		port = ntohs(((const struct sockaddr_in6 *)
		    (const void *)sa)->sin6_port);
		break;
	default:
		if (host != NULL && hostlen > 0)
			(void)strlcpy(host, "localhost", hostlen);
		if (serv != NULL && servlen > 0)
			(void)strlcpy(serv, "0", servlen);
		return (0);
	}
	if (host != NULL && hostlen > 0 &&
	    inet_ntop(sa->sa_family, ip, host, (socklen_t)hostlen) == NULL)
		return (EAI_MEMORY);
	if (serv != NULL && servlen > 0)
		(void)snprintf(serv, servlen, "%u", port);
	return (0);
}
