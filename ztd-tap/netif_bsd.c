/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The host's interfaces on the BSDs: links, addresses and events by ioctl
 * and getifaddrs(3).  Routes are in route_bsd.c.
 * Spec: 06 sections 4, 6.2 and 7.
 */

#include "ztd-tap/bsd.h"

#include <sys/time.h>

#include <errno.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "ztd-tap/netif_bsd.h"
#include "ztd-tap/notice.h"
#include "ztd-tap/route_bsd.h"

#define FOREVER		0xffffffff	/* lifetime of an IPv6 address */

struct netif {
	int		 ni_in;		/* for ioctls, by family */
	int		 ni_in6;
	int		 ni_route;
	int		 ni_events;
	struct event	*ni_read;
	struct notice	*ni_notice;
};

static int	 add4(struct netif *, const struct netif_dev *,
		    const struct inet_addr *);
static int	 add6(struct netif *, const struct netif_dev *,
		    const struct inet_addr *);
static void	 mask_of(struct inet_addr *, const struct inet_addr *);
static unsigned	 bits_of(const struct sockaddr *, unsigned);
static bool	 has_carrier(const struct ifaddrs *, const char *);
static bool	 usable6(struct netif *, const struct ifaddrs *, bool *);
static void	 events_room(int);
static void	 events_readable(evutil_socket_t, short, void *);

struct netif *
netif_new(void)
{
	struct netif	*ni;

	if ((ni = calloc(1, sizeof(*ni))) == NULL)
		return (NULL);
	ni->ni_in = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ni->ni_in6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ni->ni_route = socket(PF_ROUTE, SOCK_RAW | SOCK_CLOEXEC, 0);
	ni->ni_events = socket(PF_ROUTE, SOCK_RAW | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	if (ni->ni_in == -1 || ni->ni_route == -1 || ni->ni_events == -1) {
		netif_free(ni);
		return (NULL);
	}
	events_room(ni->ni_events);
	/* Requests are answered by write(2) itself; nothing is read. */
	(void)shutdown(ni->ni_route, SHUT_RD);
	return (ni);
}

/* Room for a storm of events, and word of those that found none. */
static void
events_room(int fd)
{
	int	 size = 1024 * 1024;
#ifdef SO_RERROR
	int	 on = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_RERROR, &on, sizeof(on));
#endif
	while (size > 8192 && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size,
	    sizeof(size)) == -1)
		size /= 2;
}

void
netif_free(struct netif *ni)
{
	int	 saved = errno;

	if (ni == NULL)
		return;
	if (ni->ni_read != NULL)
		event_free(ni->ni_read);
	notice_free(ni->ni_notice);
	if (ni->ni_in != -1)
		close(ni->ni_in);
	if (ni->ni_in6 != -1)
		close(ni->ni_in6);
	if (ni->ni_route != -1)
		close(ni->ni_route);
	if (ni->ni_events != -1)
		close(ni->ni_events);
	free(ni);
	errno = saved;
}

unsigned
netif_index(struct netif *ni, const char *name)
{
	(void)ni;
	return (if_nametoindex(name));
}

int
netif_setup(struct netif *ni, const struct netif_dev *nd, uint64_t mac,
    uint32_t *mtu, const char *alias)
{
	uint8_t	 bytes[6];
	size_t	 i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(mac >> (40 - 8 * i));
	if (netif_bsd_mac(nd, bytes) == -1 ||
	    netif_set_mtu(ni, nd, mtu) == -1)
		return (-1);
	if (netif_bsd_describe(nd, alias) == -1)
		log_warn("%s: cannot set description", nd->nd_name);
	return (0);
}

int
netif_set_mtu(struct netif *ni, const struct netif_dev *nd, uint32_t *mtu)
{
	struct ifreq	 ifr;

	if (*mtu > NETIF_MTU_MAX) {
		log_warnx("%s: MTU %u is cut to %u", nd->nd_name, *mtu,
		    NETIF_MTU_MAX);
		*mtu = NETIF_MTU_MAX;
	}
	memset(&ifr, 0, sizeof(ifr));
	strlcpy(ifr.ifr_name, nd->nd_name, sizeof(ifr.ifr_name));
	ifr.ifr_mtu = (int)*mtu;
	return (ioctl(ni->ni_in, SIOCSIFMTU, &ifr));
}

int
netif_set_up(struct netif *ni, const struct netif_dev *nd, bool up)
{
	struct ifreq	 ifr;

	memset(&ifr, 0, sizeof(ifr));
	strlcpy(ifr.ifr_name, nd->nd_name, sizeof(ifr.ifr_name));
	if (ioctl(ni->ni_in, SIOCGIFFLAGS, &ifr) == -1)
		return (-1);
	if (up)
		ifr.ifr_flags |= IFF_UP;
	else
		ifr.ifr_flags &= ~IFF_UP;
	return (ioctl(ni->ni_in, SIOCSIFFLAGS, &ifr));
}

int
netif_remove(struct netif *ni, const struct netif_dev *nd)
{
	struct ifreq	 ifr;

	memset(&ifr, 0, sizeof(ifr));
	strlcpy(ifr.ifr_name, nd->nd_name, sizeof(ifr.ifr_name));
	return (ioctl(ni->ni_in, SIOCIFDESTROY, &ifr));
}

int
netif_addr_add(struct netif *ni, const struct netif_dev *nd,
    const struct inet_addr *ia)
{
	int	 ret;

	ret = ia->ia_family == 4 ? add4(ni, nd, ia) : add6(ni, nd, ia);
	return (ret == -1 && errno == EEXIST ? 0 : ret);
}

int
netif_addr_del(struct netif *ni, const struct netif_dev *nd,
    const struct inet_addr *ia)
{
	struct sockaddr_storage	 ss;
	struct in6_ifreq	 ifr6;
	struct ifreq		 ifr;
	int			 ret;

	(void)inet_to_sockaddr(ia, &ss);
	if (ia->ia_family == 4) {
		memset(&ifr, 0, sizeof(ifr));
		strlcpy(ifr.ifr_name, nd->nd_name, sizeof(ifr.ifr_name));
		((struct sockaddr_in *)&ss)->sin_port = 0;
		memcpy(&ifr.ifr_addr, &ss, sizeof(struct sockaddr_in));
		ret = ioctl(ni->ni_in, SIOCDIFADDR, &ifr);
	} else {
		memset(&ifr6, 0, sizeof(ifr6));
		strlcpy(ifr6.ifr_name, nd->nd_name, sizeof(ifr6.ifr_name));
		((struct sockaddr_in6 *)&ss)->sin6_port = 0;
		memcpy(&ifr6.ifr_addr, &ss, sizeof(ifr6.ifr_addr));
		ret = ioctl(ni->ni_in6, SIOCDIFADDR_IN6, &ifr6);
	}
	return (ret == -1 && (errno == EADDRNOTAVAIL || errno == ENXIO) ? 0 :
	    ret);
}

int
netif_route_add(struct netif *ni, const struct netif_dev *nd,
    const struct policy_route *pr)
{
	return (route_bsd_change(ni->ni_route, nd, pr, true));
}

int
netif_route_del(struct netif *ni, const struct netif_dev *nd,
    const struct policy_route *pr)
{
	int	 ret;

	ret = route_bsd_change(ni->ni_route, nd, pr, false);
	return (ret == -1 && (errno == ESRCH || errno == ENXIO) ? 0 : ret);
}

/* What the engine sends has to be kept out of the tunnel by pins. */
bool
netif_binds(void)
{
	return (false);
}

bool
netif_default_possible(struct netif *ni, bool warn)
{
	(void)ni;
	(void)warn;
	return (true);
}

int
netif_routes(struct netif *ni, struct netif_route **list)
{
	(void)ni;
	return (route_bsd_list(list));
}

int
netif_pin_add(struct netif *ni, const struct inet_addr *ip,
    const struct inet_addr *via, unsigned ifindex)
{
	return (route_bsd_pin(ni->ni_route, ip, via, ifindex, true));
}

int
netif_pin_del(struct netif *ni, const struct inet_addr *ip,
    const struct inet_addr *via, unsigned ifindex)
{
	int	 ret;

	ret = route_bsd_pin(ni->ni_route, ip, via, ifindex, false);
	return (ret == -1 && (errno == ESRCH || errno == ENXIO) ? 0 : ret);
}

int
netif_list(struct netif *ni, struct msg_interface **dst)
{
	struct msg_interface	*mi, *all;
	struct ifaddrs		*list, *ifa;
	struct inet_addr	 ia;
	size_t			 room = 1;
	unsigned		 n = 0;
	bool			 temporary;

	if (getifaddrs(&list) == -1)
		return (-1);
	for (ifa = list; ifa != NULL; ifa = ifa->ifa_next)
		room++;
	if ((all = calloc(room, sizeof(*all))) == NULL) {
		freeifaddrs(list);
		errno = ENOMEM;
		return (-1);
	}
	for (ifa = list; ifa != NULL; ifa = ifa->ifa_next) {
		if ((ifa->ifa_flags & IFF_UP) == 0 || ifa->ifa_addr == NULL)
			continue;
		inet_from_sockaddr(&ia, ifa->ifa_addr);
		temporary = false;
		if (inet_isnil(&ia) ||
		    (ia.ia_family == 6 && !usable6(ni, ifa, &temporary)))
			continue;
		mi = &all[n++];
		strlcpy(mi->mi_name, ifa->ifa_name, sizeof(mi->mi_name));
		mi->mi_index = if_nametoindex(ifa->ifa_name);
		mi->mi_temporary = temporary;
		mi->mi_running = has_carrier(list, ifa->ifa_name);
		mi->mi_addr = ia;
		mi->mi_addr.ia_port = (uint16_t)bits_of(ifa->ifa_netmask,
		    (unsigned)inet_iplen(&ia) * 8);
		/* KAME keeps the interface inside of link-local addresses. */
		if (inet_scope(&ia) == SCOPE_LINK_LOCAL && ia.ia_family == 6)
			mi->mi_addr.ia_ip[2] = mi->mi_addr.ia_ip[3] = 0;
	}
	freeifaddrs(list);
	*dst = all;
	return ((int)n);
}

int
netif_watch(struct netif *ni, struct event_base *base,
    void (*changed)(void *, bool), void *arg)
{
	ni->ni_read = event_new(base, ni->ni_events, EV_READ | EV_PERSIST,
	    events_readable, ni);
	ni->ni_notice = notice_new(base, changed, arg);
	if (ni->ni_read != NULL && ni->ni_notice != NULL &&
	    event_add(ni->ni_read, NULL) == 0)
		return (0);
	errno = ENOMEM;
	return (-1);
}

static int
add4(struct netif *ni, const struct netif_dev *nd,
    const struct inet_addr *ia)
{
	struct in_aliasreq	 req;
	struct sockaddr_storage	 ss;
	struct inet_addr	 mask, brd;
	size_t			 i;

	memset(&req, 0, sizeof(req));
	strlcpy(req.ifra_name, nd->nd_name, sizeof(req.ifra_name));
	mask_of(&mask, ia);
	brd = *ia;
	brd.ia_port = 0;
	(void)inet_to_sockaddr(&brd, &ss);
	memcpy(&req.ifra_addr, &ss, sizeof(req.ifra_addr));
	(void)inet_to_sockaddr(&mask, &ss);
	memcpy(&req.ifra_mask, &ss, sizeof(req.ifra_mask));
	if (ia->ia_port < 31) {
		for (i = 0; i < 4; i++)
			brd.ia_ip[i] |= (uint8_t)~mask.ia_ip[i];
		(void)inet_to_sockaddr(&brd, &ss);
		memcpy(&req.ifra_broadaddr, &ss, sizeof(req.ifra_broadaddr));
	}
	return (ioctl(ni->ni_in, SIOCAIFADDR, &req));
}

static int
add6(struct netif *ni, const struct netif_dev *nd,
    const struct inet_addr *ia)
{
	struct in6_aliasreq	 req;
	struct sockaddr_storage	 ss;
	struct inet_addr	 mask, ip = *ia;

	memset(&req, 0, sizeof(req));
	strlcpy(req.ifra_name, nd->nd_name, sizeof(req.ifra_name));
	ip.ia_port = 0;
	(void)inet_to_sockaddr(&ip, &ss);
	memcpy(&req.ifra_addr, &ss, sizeof(req.ifra_addr));
	mask_of(&mask, ia);
	(void)inet_to_sockaddr(&mask, &ss);
	memcpy(&req.ifra_prefixmask, &ss, sizeof(req.ifra_prefixmask));
	req.ifra_lifetime.ia6t_vltime = FOREVER;
	req.ifra_lifetime.ia6t_pltime = FOREVER;
#ifdef IN6_IFF_NODAD
	req.ifra_flags |= IN6_IFF_NODAD;
#endif
	return (ioctl(ni->ni_in6, SIOCAIFADDR_IN6, &req));
}

static void
mask_of(struct inet_addr *mask, const struct inet_addr *ia)
{
	unsigned	 i;

	memset(mask, 0, sizeof(*mask));
	mask->ia_family = ia->ia_family;
	for (i = 0; i < ia->ia_port && i < 128; i++)
		mask->ia_ip[i / 8] |= (uint8_t)(0x80 >> i % 8);
}

/* A mask may be shorter than its family's sockaddr, or say no family. */
static unsigned
bits_of(const struct sockaddr *mask, unsigned max)
{
	const uint8_t	*p = (const uint8_t *)mask;
	size_t		 at;
	unsigned	 n;

	if (mask == NULL)
		return (max);
	at = max == 32 ? offsetof(struct sockaddr_in, sin_addr) :
	    offsetof(struct sockaddr_in6, sin6_addr);
	for (n = 0; n < max && at + n / 8 < mask->sa_len; n++)
		if ((p[at + n / 8] & 0x80 >> n % 8) == 0)
			break;
	return (n);
}

/* Not while it is being tried out, and not when it is on its way out. */
static bool
usable6(struct netif *ni, const struct ifaddrs *ifa, bool *temporary)
{
	struct in6_ifreq	 ifr;
	int			 flags;

	memset(&ifr, 0, sizeof(ifr));
	strlcpy(ifr.ifr_name, ifa->ifa_name, sizeof(ifr.ifr_name));
	memcpy(&ifr.ifr_addr, ifa->ifa_addr, sizeof(ifr.ifr_addr));
	if (ioctl(ni->ni_in6, SIOCGIFAFLAG_IN6, &ifr) == -1)
		return (false);
	flags = ifr.ifr_ifru.ifru_flags6;
#ifdef IN6_IFF_TEMPORARY
	*temporary = (flags & IN6_IFF_TEMPORARY) != 0;
#else
	*temporary = false;
#endif
	return ((flags & (IN6_IFF_ANYCAST | IN6_IFF_TENTATIVE |
	    IN6_IFF_DUPLICATED | IN6_IFF_DETACHED | IN6_IFF_DEPRECATED)) ==
	    0);
}

/* IFF_RUNNING says here that the driver runs, whatever is plugged in. */
static bool
has_carrier(const struct ifaddrs *list, const char *name)
{
	const struct ifaddrs	*ifa;
	const struct if_data	*ifd;

	for (ifa = list; ifa != NULL; ifa = ifa->ifa_next) {
		if (ifa->ifa_addr == NULL || ifa->ifa_data == NULL ||
		    ifa->ifa_addr->sa_family != AF_LINK ||
		    strcmp(ifa->ifa_name, name) != 0)
			continue;
		ifd = ifa->ifa_data;
		return (ifd->ifi_link_state != LINK_STATE_DOWN);
	}
	return (true);
}

/*
 * What the events say is hardly looked at: they mean "look again", and some
 * that packets may now go another way.  When some were lost, any may have
 * been among them.
 */
static void
events_readable(evutil_socket_t fd, short what, void *arg)
{
	struct netif	*ni = arg;
	uint8_t		 buf[4096];
	bool		 roamed = false;
	ssize_t		 n;
	unsigned	 i;

	(void)what;
	for (i = 0; i < 256; i++) {
		n = read(fd, buf, sizeof(buf));
		if (n == -1 && errno != ENOBUFS)
			break;
		roamed |= n == -1 || route_bsd_is_default(buf, (size_t)n);
	}
	notice_event(ni->ni_notice, roamed);
}
