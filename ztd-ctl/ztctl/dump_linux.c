/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The interfaces of this host, for dump, on Linux.  Spec: 05 section 13.6.
 */

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "ztd-ctl/ztctl/ztctl.h"

static void	 dump_interface(FILE *, const struct ifaddrs *, int,
		    const char *);
static bool	 first_ipv4(const struct ifaddrs *, const struct ifaddrs *);
static int	 mtu_of(const char *);

/* Those that have an IPv4 address and are not the loopback. */
void
dump_interfaces(FILE *f)
{
	struct ifaddrs	*all, *i;
	int		 n = 0;

	if (getifaddrs(&all) == -1)
		return;
	for (i = all; i != NULL; i = i->ifa_next) {
		if ((i->ifa_flags & IFF_LOOPBACK) == 0 && first_ipv4(all, i))
			dump_interface(f, all, n++, i->ifa_name);
	}
	freeifaddrs(all);
}

static bool
first_ipv4(const struct ifaddrs *all, const struct ifaddrs *one)
{
	const struct ifaddrs	*i;

	if (one->ifa_addr == NULL || one->ifa_addr->sa_family != AF_INET)
		return (false);
	for (i = all; i != one; i = i->ifa_next) {
		if (i->ifa_addr != NULL && i->ifa_addr->sa_family == AF_INET &&
		    strcmp(i->ifa_name, one->ifa_name) == 0)
			return (false);
	}
	return (true);
}

static void
dump_interface(FILE *f, const struct ifaddrs *all, int n, const char *name)
{
	const struct sockaddr_in	*in;
	const struct sockaddr_in6	*in6;
	const struct sockaddr_ll	*ll = NULL;
	const struct ifaddrs		*i;
	char				 text[INET6_ADDRSTRLEN];

	for (i = all; i != NULL; i = i->ifa_next) {
		if (i->ifa_addr != NULL &&
		    i->ifa_addr->sa_family == AF_PACKET &&
		    strcmp(i->ifa_name, name) == 0)
			ll = (const void *)i->ifa_addr;
	}
	(void)fprintf(f, "Interface %d\n-----------\nName: %s\nMTU: %d\n", n,
	    name, mtu_of(name));
	if (ll != NULL && ll->sll_halen == 6)
		(void)fprintf(f, "MAC: %02x:%02x:%02x:%02x:%02x:%02x\n",
		    ll->sll_addr[0], ll->sll_addr[1], ll->sll_addr[2],
		    ll->sll_addr[3], ll->sll_addr[4], ll->sll_addr[5]);
	(void)fprintf(f, "Addresses: \n");
	for (i = all; i != NULL; i = i->ifa_next) {
		if (i->ifa_addr == NULL || strcmp(i->ifa_name, name) != 0)
			continue;
		in = (const void *)i->ifa_addr;
		in6 = (const void *)i->ifa_addr;
		if (i->ifa_addr->sa_family == AF_INET)
			(void)inet_ntop(AF_INET, &in->sin_addr, text,
			    sizeof(text));
		else if (i->ifa_addr->sa_family == AF_INET6)
			(void)inet_ntop(AF_INET6, &in6->sin6_addr, text,
			    sizeof(text));
		else
			continue;
		(void)fprintf(f, "%s\n", text);
	}
}

static int
mtu_of(const char *name)
{
	struct ifreq	 ifr;
	int		 fd, mtu = 0;

	memset(&ifr, 0, sizeof(ifr));
	(void)strlcpy(ifr.ifr_name, name, sizeof(ifr.ifr_name));
	if ((fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1)
		return (0);
	if (ioctl(fd, SIOCGIFMTU, &ifr) == 0)
		mtu = ifr.ifr_mtu;
	(void)close(fd);
	return (mtu);
}
