/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The engine hears of the host's multicast groups when they are joined and
 * left, not at the next look at the list.  Spec: 06 section 5.
 */

#include <sys/socket.h>

#include <net/if.h>
#include <netinet/in.h>

#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "regress/lib/rootcase.h"
#include "regress/lib/tapworld.h"

#define NWID	0x8056c2e21c000001ULL
#define GROUP4	0x01005e010203ULL	/* 239.129.2.3 */
#define GROUP6	0x333312345678ULL	/* ff05::1234:5678 */

static struct tapworld	*tw;
static unsigned		 ifindex;

/* Only once all is quiet: joins of the system's own are reported too. */
static void
set_up(bool watch)
{
	struct msg_port	 mp;

	tw = tapworld_new();
	if (watch)
		parent_watch(&tw->tw_p);
	tapworld_join(tw, NWID);
	tapworld_port(&mp, NWID, "10.9.8.7/24");
	tapworld_send(tw, MSG_PORT, &mp, sizeof(mp));
	ifindex = if_nametoindex(tapworld_dev(tw, NWID));
	ATF_REQUIRE(ifindex != 0);
	tapworld_run(tw, 4000);
}

static bool
told(uint64_t mac)
{
	const struct tapworld_tap	*tt = tapworld_tap(tw, NWID);
	uint32_t			 i;

	for (i = 0; i < tt->tt_ngroups; i++)
		if (tt->tt_groups[i].mg_mac == mac)
			return (true);
	return (false);
}

/* Within a second, to have it or not to have it. */
static bool
becomes(uint64_t mac, bool there)
{
	unsigned	 i;

	for (i = 0; i < 100 && told(mac) != there; i++)
		tapworld_run(tw, 10);
	return (told(mac) == there);
}

static int
join4(int how, int fd)
{
	struct ip_mreqn	 mreq;

	if (fd == -1)
		ATF_REQUIRE((fd = socket(AF_INET, SOCK_DGRAM, 0)) != -1);
	memset(&mreq, 0, sizeof(mreq));
	mreq.imr_ifindex = (int)ifindex;
	mreq.imr_multiaddr.s_addr = htonl(0xef810203);
	ATF_REQUIRE_EQ(0, setsockopt(fd, IPPROTO_IP, how, &mreq,
	    sizeof(mreq)));
	return (fd);
}

static int
join6(int how, int fd)
{
	struct ipv6_mreq	 mreq;
	struct inet_addr	 ia = tapworld_addr("ff05::1234:5678");

	if (fd == -1)
		ATF_REQUIRE((fd = socket(AF_INET6, SOCK_DGRAM, 0)) != -1);
	memset(&mreq, 0, sizeof(mreq));
	mreq.ipv6mr_interface = ifindex;
	memcpy(&mreq.ipv6mr_multiaddr, ia.ia_ip, 16);
	ATF_REQUIRE_EQ(0, setsockopt(fd, IPPROTO_IPV6, how, &mreq,
	    sizeof(mreq)));
	return (fd);
}

static void
come_and_go(void)
{
	int	 fd4, fd6;

	ATF_CHECK(!told(GROUP4) && !told(GROUP6));
	fd4 = join4(IP_ADD_MEMBERSHIP, -1);
	ATF_CHECK(becomes(GROUP4, true));
	fd6 = join6(IPV6_JOIN_GROUP, -1);
	ATF_CHECK(becomes(GROUP6, true));
	(void)join4(IP_DROP_MEMBERSHIP, fd4);
	ATF_CHECK(becomes(GROUP4, false));
	ATF_CHECK(told(GROUP6));
	(void)join6(IPV6_LEAVE_GROUP, fd6);
	ATF_CHECK(becomes(GROUP6, false));
	close(fd4);
	close(fd6);
}

CASE(by_report, "seen by the reports that leave on the tap, on any kernel")
{
	(void)tc;
	set_up(false);
	come_and_go();
	tapworld_free(tw);
}

CASE(by_kernel, "with the kernel's events as well")
{
	(void)tc;
	set_up(true);
	come_and_go();
	tapworld_free(tw);
}

/* Many joins are few messages. */
CASE(coalesced, "the list is read at most ten times a second")
{
	unsigned	 before;
	int		 fd[40], i;

	(void)tc;
	set_up(false);
	before = tapworld_tap(tw, NWID)->tt_times;
	for (i = 0; i < 40; i++) {
		fd[i] = join4(IP_ADD_MEMBERSHIP, -1);
		tapworld_run(tw, 10);
		(void)join4(IP_DROP_MEMBERSHIP, fd[i]);
		tapworld_run(tw, 10);
	}
	for (i = 0; i < 40; i++)
		close(fd[i]);
	ATF_CHECK_MSG(tapworld_tap(tw, NWID)->tt_times - before <= 14, "%u",
	    tapworld_tap(tw, NWID)->tt_times - before);
	ATF_CHECK(becomes(GROUP4, false));
	tapworld_free(tw);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, by_report);
	ATF_TP_ADD_TC(tp, by_kernel);
	ATF_TP_ADD_TC(tp, coalesced);
	return (atf_no_error());
}
