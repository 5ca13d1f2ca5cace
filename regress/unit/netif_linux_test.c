/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Links, addresses, routes, multicast groups and events, on a tap in a
 * network namespace of its own.  What the kernel has is read from /proc and
 * by getifaddrs(3), not by the code under test.
 */

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <atf-c.h>
#include <event2/event.h>

#include "common/address.h"
#include "regress/lib/rootcase.h"
#include "ztd-tap/groups.h"
#include "ztd-tap/netif.h"
#include "ztd-tap/tap.h"

#define NWID	0x8056c2e21c000001ULL
#define MAC	0x32a1b2c3d4e5ULL

static struct netif	*ni;
static struct tap	 tap;

static struct inet_addr
addr(const char *text)
{
	struct inet_addr	 ia;

	ATF_REQUIRE_EQ_MSG(0, inet_parse(text, &ia), "%s", text);
	return (ia);
}

static void
set_up(void)
{
	const char	*why;
	uint32_t	 mtu = 2800;
	int		 home;

	if (unshare(CLONE_NEWNET) == -1)
		atf_tc_skip("no network namespace: %s", strerror(errno));
	if ((why = tap_probe()) != NULL)
		atf_tc_skip("%s", why);
	ATF_REQUIRE((ni = netif_new()) != NULL);
	ATF_REQUIRE((home = open(".", O_RDONLY | O_DIRECTORY)) != -1);
	ATF_REQUIRE_EQ(0, tap_open(&tap, ni, NWID, home, false));
	ATF_REQUIRE_EQ(0, netif_setup(ni, &tap.t_dev, MAC, &mtu,
	    "ztd test"));
	ATF_REQUIRE_EQ(2800, mtu);
}

static void
up(void)
{
	ATF_REQUIRE_EQ(0, netif_set_up(ni, &tap.t_dev, true));
}

static void
request(unsigned long what, struct ifreq *ifr)
{
	int	 fd;

	ATF_REQUIRE((fd = socket(AF_INET, SOCK_DGRAM, 0)) != -1);
	memset(ifr, 0, sizeof(*ifr));
	strlcpy(ifr->ifr_name, tap.t_dev.nd_name, sizeof(ifr->ifr_name));
	ATF_REQUIRE_EQ(0, ioctl(fd, what, ifr));
	close(fd);
}

/* Is this address with this prefix on the tap? */
static bool
has_address(const char *text)
{
	struct inet_addr	 want = addr(text), ia, mask;
	struct ifaddrs		*list, *i;
	unsigned		 bits;
	bool			 found = false;

	ATF_REQUIRE_EQ(0, getifaddrs(&list));
	for (i = list; i != NULL; i = i->ifa_next) {
		if (i->ifa_addr == NULL ||
		    strcmp(i->ifa_name, tap.t_dev.nd_name) != 0)
			continue;
		inet_from_sockaddr(&ia, i->ifa_addr);
		if (inet_isnil(&ia))
			continue;
		inet_from_sockaddr(&mask, i->ifa_netmask);
		for (bits = 0; bits < inet_iplen(&ia) * 8; bits++)
			if ((mask.ia_ip[bits / 8] & 0x80 >> bits % 8) == 0)
				break;
		if (inet_same_ip(&ia, &want) && bits == want.ia_port)
			found = true;
	}
	freeifaddrs(list);
	return (found);
}

/* Is there a route to this IPv4 network, with these properties? */
static bool
has_route4(const char *target, const char *via, unsigned metric,
    const char *dev)
{
	struct inet_addr	 want = addr(target), gw = addr(via);
	char			 line[256], name[32];
	unsigned		 dst, gate, flags, m, mask, d4 = 0, g4 = 0;
	bool			 found = false;
	FILE			*f;

	memcpy(&d4, want.ia_ip, 4);
	memcpy(&g4, gw.ia_ip, 4);
	ATF_REQUIRE((f = fopen("/proc/self/net/route", "r")) != NULL);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%31s %x %x %x %*d %*d %u %x", name, &dst,
		    &gate, &flags, &m, &mask) != 6)
			continue;
		if (dst == d4 && gate == g4 && m == metric &&
		    __builtin_popcount(mask) == want.ia_port &&
		    strcmp(name, dev) == 0)
			found = true;
	}
	fclose(f);
	return (found);
}

static bool
has_route6(const char *target, const char *via)
{
	struct inet_addr	 want = addr(target), gw = addr(via);
	char			 line[256], name[32], d[33], g[33];
	char			 wd[33], wg[33];
	unsigned		 bits, i;
	bool			 found = false;
	FILE			*f;

	for (i = 0; i < 16; i++) {
		snprintf(wd + 2 * i, 3, "%02x", want.ia_ip[i]);
		snprintf(wg + 2 * i, 3, "%02x", gw.ia_ip[i]);
	}
	ATF_REQUIRE((f = fopen("/proc/self/net/ipv6_route", "r")) != NULL);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "%32s %x %*s %*x %32s %*x %*x %*x %*x %31s",
		    d, &bits, g, name) == 4 && strcmp(d, wd) == 0 &&
		    strcmp(g, wg) == 0 && bits == want.ia_port &&
		    strcmp(name, tap.t_dev.nd_name) == 0)
			found = true;
	fclose(f);
	return (found);
}

static struct policy_route
route(const char *target, const char *via, const char *src)
{
	struct policy_route	 pr;

	memset(&pr, 0, sizeof(pr));
	pr.pr_target = addr(target);
	pr.pr_via = addr(via);
	pr.pr_src = addr(src);
	return (pr);
}

/* The host's own default route. */
static void
host_route(unsigned long what, const char *via)
{
	struct sockaddr_storage	 ss;
	struct inet_addr	 ia = addr(via);
	struct rtentry		 rt;
	int			 fd;

	memset(&rt, 0, sizeof(rt));
	rt.rt_flags = RTF_UP | RTF_GATEWAY;
	rt.rt_dst.sa_family = rt.rt_genmask.sa_family = AF_INET;
	(void)inet_to_sockaddr(&ia, &ss);
	memcpy(&rt.rt_gateway, &ss, sizeof(rt.rt_gateway));
	ATF_REQUIRE((fd = socket(AF_INET, SOCK_DGRAM, 0)) != -1);
	ATF_REQUIRE_EQ_MSG(0, ioctl(fd, what, &rt), "%s", strerror(errno));
	close(fd);
}

CASE(link, "MAC, MTU, up and down")
{
	static const unsigned char	 mac[6] = { 0x32, 0xa1, 0xb2, 0xc3,
	    0xd4, 0xe5 };
	struct ifreq			 ifr;
	uint32_t			 mtu = 1280;

	(void)tc;
	set_up();
	request(SIOCGIFHWADDR, &ifr);
	ATF_CHECK_EQ(0, memcmp(ifr.ifr_hwaddr.sa_data, mac, 6));
	request(SIOCGIFMTU, &ifr);
	ATF_CHECK_EQ(2800, ifr.ifr_mtu);
	ATF_CHECK_EQ(0, netif_set_mtu(ni, &tap.t_dev, &mtu));
	request(SIOCGIFMTU, &ifr);
	ATF_CHECK_EQ(1280, ifr.ifr_mtu);
	request(SIOCGIFFLAGS, &ifr);
	ATF_CHECK_EQ(0, ifr.ifr_flags & IFF_UP);
	up();
	request(SIOCGIFFLAGS, &ifr);
	ATF_CHECK((ifr.ifr_flags & IFF_UP) != 0);
	ATF_CHECK_EQ(0, netif_set_up(ni, &tap.t_dev, false));
	request(SIOCGIFFLAGS, &ifr);
	ATF_CHECK_EQ(0, ifr.ifr_flags & IFF_UP);
	ATF_CHECK_EQ(tap.t_dev.nd_index, netif_index(ni,
	    tap.t_dev.nd_name));
	ATF_CHECK_EQ(0, netif_index(ni, "nosuchif"));
	/* A new reverse path filter, and no external program for it. */
	ATF_REQUIRE((errno = 0, netif_set_mtu(ni,
	    &(struct netif_dev){ "gone", 9999 }, &mtu)) == -1);
	ATF_CHECK_EQ(ENODEV, errno);
}

CASE(addresses, "added, repeated, removed")
{
	static const char *const	 text[] = { "10.7.1.5/16",
	    "10.7.1.6/16", "192.168.9.1/32", "fd00:7::5/64",
	    "fd00:8::5/128" };
	struct inet_addr		 ia;
	size_t				 i;

	(void)tc;
	set_up();
	up();
	for (i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		ia = addr(text[i]);
		ATF_CHECK_EQ(0, netif_addr_add(ni, &tap.t_dev, &ia));
		ATF_CHECK_EQ(0, netif_addr_add(ni, &tap.t_dev, &ia));
		ATF_CHECK_MSG(has_address(text[i]), "%s", text[i]);
	}
	for (i = sizeof(text) / sizeof(text[0]); i-- > 0;) {
		ia = addr(text[i]);
		ATF_CHECK_EQ(0, netif_addr_del(ni, &tap.t_dev, &ia));
		ATF_CHECK_EQ(0, netif_addr_del(ni, &tap.t_dev, &ia));
		ATF_CHECK_MSG(!has_address(text[i]), "%s", text[i]);
	}
}

CASE(list, "interfaces as the engine gets them; no detection delay")
{
	struct msg_interface	*ifs;
	struct inet_addr	 ia;
	int			 i, n, found = 0;

	(void)tc;
	set_up();
	ia = addr("10.7.1.5/16");
	ATF_REQUIRE_EQ(0, netif_addr_add(ni, &tap.t_dev, &ia));
	/* Down: not usable. */
	n = netif_list(ni, &ifs);
	ATF_REQUIRE(n >= 0);
	for (i = 0; i < n; i++)
		ATF_CHECK(ifs[i].mi_index != tap.t_dev.nd_index);
	up();
	ia = addr("fd00:7::5/64");
	ATF_REQUIRE_EQ(0, netif_addr_add(ni, &tap.t_dev, &ia));
	free(ifs);
	n = netif_list(ni, &ifs);
	for (i = 0; i < n; i++) {
		if (ifs[i].mi_index != tap.t_dev.nd_index)
			continue;
		ATF_CHECK_STREQ(tap.t_dev.nd_name, ifs[i].mi_name);
		if (ifs[i].mi_addr.ia_family == 4) {
			ATF_CHECK_EQ(16, ifs[i].mi_addr.ia_port);
			found |= 1;
		} else if (inet_equal(&ifs[i].mi_addr, &ia))
			found |= 2;
		ATF_CHECK_EQ(0, ifs[i].mi_temporary);
	}
	ATF_CHECK_EQ(3, found);
	free(ifs);
}

CASE(routes, "on link and via gateways, both families")
{
	struct policy_route	 pr;
	struct inet_addr	 ia;
	const char		*dev;

	(void)tc;
	set_up();
	up();
	dev = tap.t_dev.nd_name;
	ia = addr("10.7.1.5/16");
	ATF_REQUIRE_EQ(0, netif_addr_add(ni, &tap.t_dev, &ia));
	ia = addr("fd00:7::5/64");
	ATF_REQUIRE_EQ(0, netif_addr_add(ni, &tap.t_dev, &ia));

	pr = route("10.99.0.0/16", "", "10.7.1.5");
	ATF_CHECK_EQ(0, netif_route_add(ni, &tap.t_dev, &pr));
	ATF_CHECK(has_route4("10.99.0.0/16", "", 0, dev));
	ATF_CHECK_EQ(-1, netif_route_add(ni, &tap.t_dev, &pr));
	ATF_CHECK_EQ(EEXIST, errno);
	ATF_CHECK_EQ(0, netif_route_del(ni, &tap.t_dev, &pr));
	ATF_CHECK_EQ(0, netif_route_del(ni, &tap.t_dev, &pr));
	ATF_CHECK(!has_route4("10.99.0.0/16", "", 0, dev));

	pr = route("192.168.50.0/24", "10.7.1.1", "10.7.1.5");
	ATF_CHECK_EQ(0, netif_route_add(ni, &tap.t_dev, &pr));
	ATF_CHECK(has_route4("192.168.50.0/24", "10.7.1.1", 5000, dev));
	/* A gateway that no address reaches. */
	pr = route("192.168.51.0/24", "172.30.0.1", "10.7.1.5");
	ATF_CHECK_EQ(0, netif_route_add(ni, &tap.t_dev, &pr));
	/* Halves of the default. */
	pr = route("0.0.0.0/1", "10.7.1.1", "10.7.1.5");
	ATF_CHECK_EQ(0, netif_route_add(ni, &tap.t_dev, &pr));
	ATF_CHECK(has_route4("0.0.0.0/1", "10.7.1.1", 5000, dev));

	pr = route("fd00:9::/64", "", "fd00:7::5");
	ATF_CHECK_EQ(0, netif_route_add(ni, &tap.t_dev, &pr));
	ATF_CHECK(has_route6("fd00:9::/64", ""));
	ATF_CHECK_EQ(0, netif_route_del(ni, &tap.t_dev, &pr));
	ATF_CHECK(!has_route6("fd00:9::/64", ""));
	pr = route("fd00:a::/48", "fd00:7::1", "fd00:7::5");
	ATF_CHECK_EQ(0, netif_route_add(ni, &tap.t_dev, &pr));
	ATF_CHECK(has_route6("fd00:a::/48", "fd00:7::1"));
	ATF_CHECK_EQ(-1, netif_route_add(ni, &tap.t_dev, &pr));
	ATF_CHECK_EQ(EEXIST, errno);
	/* The source must be ours. */
	pr = route("192.168.52.0/24", "10.7.1.1", "10.7.9.9");
	ATF_CHECK_EQ(-1, netif_route_add(ni, &tap.t_dev, &pr));
}

CASE(foreign_route, "a route of the host's is neither taken nor removed")
{
	struct policy_route	 pr;
	struct inet_addr	 ia;
	struct tap		 other;
	uint32_t		 mtu = 1500;

	(void)tc;
	set_up();
	up();
	ia = addr("10.7.1.5/16");
	ATF_REQUIRE_EQ(0, netif_addr_add(ni, &tap.t_dev, &ia));
	/* The host's LAN, on another interface. */
	ATF_REQUIRE_EQ(0, tap_open(&other, ni, NWID, AT_FDCWD, false));
	ATF_REQUIRE_EQ(0, netif_setup(ni, &other.t_dev, MAC + 1, &mtu,
	    "lan"));
	ATF_REQUIRE_EQ(0, netif_set_up(ni, &other.t_dev, true));
	ia = addr("192.168.1.10/24");
	ATF_REQUIRE_EQ(0, netif_addr_add(ni, &other.t_dev, &ia));
	ATF_REQUIRE(has_route4("192.168.1.0/24", "", 0,
	    other.t_dev.nd_name));

	pr = route("192.168.1.0/24", "", "10.7.1.5");
	ATF_CHECK_EQ(-1, netif_route_add(ni, &tap.t_dev, &pr));
	ATF_CHECK_EQ(EEXIST, errno);
	ATF_CHECK_EQ(0, netif_route_del(ni, &tap.t_dev, &pr));
	ATF_CHECK_EQ(0, netif_route_del(ni, &other.t_dev, &pr));
	ATF_CHECK(has_route4("192.168.1.0/24", "", 0,
	    other.t_dev.nd_name));
}

static bool
has_group(const struct msg_group *g, unsigned n, uint64_t mac, uint32_t adi)
{
	unsigned	 i;

	for (i = 0; i < n; i++)
		if (g[i].mg_mac == mac && g[i].mg_adi == adi)
			return (true);
	return (false);
}

CASE(groups, "the host's groups and those of addresses")
{
	struct msg_interface	 *ifs;
	struct msg_group	 g[64];
	struct ip_mreqn		 mreq;
	struct inet_addr	 ia;
	unsigned		 i, n;
	int			 fd, nifs;

	(void)tc;
	set_up();
	up();
	groups_init();
	ia = addr("10.7.1.99/16");
	ATF_REQUIRE_EQ(0, netif_addr_add(ni, &tap.t_dev, &ia));
	ia = addr("fd00::1234:5678/64");
	ATF_REQUIRE_EQ(0, netif_addr_add(ni, &tap.t_dev, &ia));
	ATF_REQUIRE((fd = socket(AF_INET, SOCK_DGRAM, 0)) != -1);
	memset(&mreq, 0, sizeof(mreq));
	mreq.imr_ifindex = (int)tap.t_dev.nd_index;
	ia = addr("239.129.2.3");
	memcpy(&mreq.imr_multiaddr, ia.ia_ip, 4);
	ATF_REQUIRE_EQ(0, setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP,
	    &mreq, sizeof(mreq)));

	nifs = netif_list(ni, &ifs);
	ATF_REQUIRE(nifs > 0);
	ATF_REQUIRE_EQ(0, groups_scan());
	n = groups_list(&tap.t_dev, ifs, (unsigned)nifs, g, 64);
	ATF_CHECK(has_group(g, n, MAC_BROADCAST, 0x0a070163));
	ATF_CHECK(has_group(g, n, 0x3333ff345678ULL, 0));
	ATF_CHECK(has_group(g, n, 0x333300000001ULL, 0));
	ATF_CHECK(has_group(g, n, 0x01005e000001ULL, 0));
	ATF_CHECK(has_group(g, n, 0x01005e010203ULL, 0));
	for (i = 1; i < n; i++)
		ATF_CHECK(g[i - 1].mg_mac < g[i].mg_mac ||
		    (g[i - 1].mg_mac == g[i].mg_mac &&
		    g[i - 1].mg_adi < g[i].mg_adi));
	ATF_CHECK_EQ(3, groups_list(&tap.t_dev, ifs, (unsigned)nifs, g, 3));
	close(fd);
	ATF_REQUIRE_EQ(0, groups_scan());
	n = groups_list(&tap.t_dev, ifs, (unsigned)nifs, g, 64);
	ATF_CHECK(!has_group(g, n, 0x01005e010203ULL, 0));
}

static struct {
	struct event_base *base;
	unsigned	 seen, roamed;
	struct timespec	 first;
} host;

static void
changed(void *arg, bool roamed)
{
	(void)arg;
	if (host.seen++ == 0)
		clock_gettime(CLOCK_MONOTONIC, &host.first);
	host.roamed += roamed;
}

static void
watch(void)
{
	ATF_REQUIRE((host.base = event_base_new()) != NULL);
	ATF_REQUIRE_EQ(0, netif_watch(ni, host.base, changed, NULL));
}

static void
run(int ms)
{
	struct timeval	 tv = { ms / 1000, ms % 1000 * 1000 };

	event_base_loopexit(host.base, &tv);
	event_base_dispatch(host.base);
}

CASE(events, "the first change is noticed at once, many more as one")
{
	struct timespec		 start;
	struct inet_addr	 ia;
	char			 text[32];
	unsigned		 i;

	(void)tc;
	set_up();
	watch();
	clock_gettime(CLOCK_MONOTONIC, &start);
	up();
	run(100);
	ATF_CHECK_EQ(1, host.seen);
	ATF_CHECK_MSG((host.first.tv_sec - start.tv_sec) * 1000 +
	    (host.first.tv_nsec - start.tv_nsec) / 1000000 < 50,
	    "the first change was noticed late");
	for (i = 1; i < 50; i++) {
		snprintf(text, sizeof(text), "10.7.1.%u/16", i);
		ia = addr(text);
		ATF_REQUIRE_EQ(0, netif_addr_add(ni, &tap.t_dev, &ia));
	}
	run(1000);
	ATF_CHECK_MSG(host.seen >= 2 && host.seen <= 5, "%u times",
	    host.seen);
	ATF_CHECK_EQ(0, host.roamed);
	netif_free(ni);
	event_base_free(host.base);
}

CASE(roaming, "a default route that comes or goes is told, ours are not")
{
	struct policy_route	 pr;
	struct inet_addr	 ia;
	unsigned		 i;

	(void)tc;
	set_up();
	up();
	ia = addr("10.7.1.5/16");
	ATF_REQUIRE_EQ(0, netif_addr_add(ni, &tap.t_dev, &ia));
	watch();
	/* One of the host's, as dhcpcd or ip(8) make it. */
	host_route(SIOCADDRT, "10.7.1.1");
	run(400);
	ATF_CHECK_EQ(1, host.roamed);
	host_route(SIOCDELRT, "10.7.1.1");
	run(400);
	ATF_CHECK_EQ(2, host.roamed);
	/* Ours, and one of the host's that is no default route. */
	pr = route("0.0.0.0/0", "10.7.1.1", "10.7.1.5");
	ATF_CHECK_EQ(0, netif_route_add(ni, &tap.t_dev, &pr));
	pr = route("192.168.50.0/24", "10.7.1.1", "10.7.1.5");
	ATF_CHECK_EQ(0, netif_route_add(ni, &tap.t_dev, &pr));
	run(400);
	ATF_CHECK_EQ(2, host.roamed);
	ATF_CHECK(host.seen >= 3);
	/* One of IPv6, and announced again after each advertisement. */
	ia = addr("fd00:7::5/64");
	ATF_REQUIRE_EQ(0, netif_addr_add(ni, &tap.t_dev, &ia));
	ATF_REQUIRE_EQ(0, system("ip -6 route replace default "
	    "via fd00:7::1 proto ra"));
	run(400);
	ATF_CHECK_EQ(3, host.roamed);
	for (i = 0; i < 3; i++) {
		ATF_REQUIRE_EQ(0, system("ip -6 route replace default "
		    "via fd00:7::1 proto ra"));
		run(400);
	}
	ATF_CHECK_EQ(3, host.roamed);
	ATF_REQUIRE_EQ(0, system("ip -6 route replace default "
	    "via fd00:7::2 proto ra"));
	run(400);
	ATF_CHECK_EQ(4, host.roamed);
	netif_free(ni);
	event_base_free(host.base);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, link);
	ATF_TP_ADD_TC(tp, addresses);
	ATF_TP_ADD_TC(tp, list);
	ATF_TP_ADD_TC(tp, routes);
	ATF_TP_ADD_TC(tp, foreign_route);
	ATF_TP_ADD_TC(tp, groups);
	ATF_TP_ADD_TC(tp, events);
	ATF_TP_ADD_TC(tp, roaming);
	return (atf_no_error());
}
