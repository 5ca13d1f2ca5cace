/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * An engine in the hands of an enemy, and the operator's settings as they
 * are by themselves: whatever it asks for, the host stays as it was, and the
 * log says what was refused and for which network.  Spec: 06 section 1.
 */

#include <sys/socket.h>

#include <linux/if_packet.h>

#include <arpa/inet.h>
#include <net/if.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "common/address.h"
#include "common/log.h"
#include "regress/lib/rootcase.h"
#include "regress/lib/tapworld.h"
#include "ztd-tap/framepump.h"
#include "ztd-tap/joined.h"
#include "ztd-tap/netif.h"
#include "ztd-tap/tap.h"

#define NWID	0x8056c2e21c000001ULL
#define NWID2	0x8056c2e21c000002ULL
#define NWID3	0x8056c2e21c000003ULL
#define NAME	"network 8056c2e21c000001: "

static struct tapworld	*tw;
static struct tap	 lan;		/* an interface of the host's own */
static struct msg_port	 port;		/* what is honestly wanted */

static void
address(const char *text)
{
	struct inet_addr	 ia = tapworld_addr(text);

	ATF_REQUIRE_EQ(0, netif_addr_add(tw->tw_p.p_netif, &lan.t_dev, &ia));
}

/* A host with a network and a default route, and one network of ours. */
static void
set_up(void)
{
	struct policy_route	 pr;
	uint32_t		 mtu = 1500;

	tw = tapworld_new();
	ATF_REQUIRE_EQ(0, tap_open(&lan, tw->tw_p.p_netif, NWID3,
	    tw->tw_p.p_homefd, false));
	ATF_REQUIRE_EQ(0, netif_setup(tw->tw_p.p_netif, &lan.t_dev,
	    0x020000000001, &mtu, "lan"));
	ATF_REQUIRE_EQ(0, netif_set_up(tw->tw_p.p_netif, &lan.t_dev, true));
	address("192.168.1.5/24");
	address("fd00:1::5/64");
	memset(&pr, 0, sizeof(pr));
	pr.pr_target = tapworld_addr("0.0.0.0/0");
	pr.pr_via = tapworld_addr("192.168.1.1");
	ATF_REQUIRE_EQ(0, netif_route_add(tw->tw_p.p_netif, &lan.t_dev, &pr));
	parent_interfaces(&tw->tw_p, false, false);

	tapworld_join(tw, NWID);
	tapworld_port(&port, NWID, "10.9.8.7/24");
	port.mp_nroutes = 1;
	port.mp_routes[0].nr_target = tapworld_addr("10.9.9.0/24");
	port.mp_routes[0].nr_via = tapworld_addr("10.9.8.1");
	tapworld_send(tw, MSG_PORT, &port, sizeof(port));
	ATF_REQUIRE_EQ(0, tapworld_tap(tw, NWID)->tt_error);
	tapworld_log_clear(tw);
}

static void
tear_down(void)
{
	tap_close(&lan);
	tapworld_free(tw);
}

/*
 * Ask for this, twice, and again among other things: nothing comes of it,
 * and it is named once.
 */
static void
refused(const struct msg_port *bad, const char *named)
{
	struct msg_port	 more = *bad;
	char		*before, *after;

	tapworld_log_clear(tw);
	before = tapworld_host();
	tapworld_send(tw, MSG_PORT, bad, sizeof(*bad));
	tapworld_send(tw, MSG_PORT, bad, sizeof(*bad));
	snprintf(more.mp_name, sizeof(more.mp_name), "another name");
	tapworld_send(tw, MSG_PORT, &more, sizeof(more));
	after = tapworld_host();
	ATF_CHECK_STREQ_MSG(before, after, "%s", named);
	ATF_CHECK_EQ_MSG(1, tapworld_logged(tw, named), "%s", named);
	ATF_CHECK_EQ_MSG(1, tw->tw_nlines, "%zu lines", tw->tw_nlines);
	ATF_CHECK(tw->tw_p.p_child[PROC_NET].c_state == CHILD_RUNNING);
	free(before);
	free(after);
	/* What is taken back and asked for again is named again. */
	tapworld_send(tw, MSG_PORT, &port, sizeof(port));
	tapworld_send(tw, MSG_PORT, bad, sizeof(*bad));
	ATF_CHECK_EQ_MSG(2, tapworld_logged(tw, named), "%s", named);
	tapworld_send(tw, MSG_PORT, &port, sizeof(port));
}

static void
refused_address(const char *text, const char *named)
{
	struct msg_port	 bad = port;

	bad.mp_ips[bad.mp_nips++] = tapworld_addr(text);
	refused(&bad, named);
}

static void
refused_route(const char *target, const char *via, const char *named)
{
	struct msg_port	 bad = port;

	/* In front: it must not hinder what follows. */
	bad.mp_routes[1] = bad.mp_routes[0];
	bad.mp_routes[0].nr_target = tapworld_addr(target);
	bad.mp_routes[0].nr_via = tapworld_addr(via);
	bad.mp_nroutes = 2;
	refused(&bad, named);
}

CASE(default_routes, "whole, in halves, and all but whole")
{
	struct msg_online	 mo = { 1 };

	(void)tc;
	set_up();
	tapworld_send(tw, MSG_ONLINE, &mo, sizeof(mo));
	refused_route("0.0.0.0/0", "10.9.8.1", NAME "the controller's route "
	    "0.0.0.0/0 is not installed: allowDefault is off");
	refused_route("::/0", "fd00:2::1", "route ::/0 is not installed: "
	    "allowDefault is off");
	refused_route("0.0.0.0/1", "10.9.8.1", "route 0.0.0.0/1 is not "
	    "installed: so wide a network needs allowDefault and allowGlobal");
	refused_route("128.0.0.0/1", "10.9.8.1", "route 128.0.0.0/1 is not "
	    "installed: so wide a network needs");
	refused_route("::/1", "", "route ::/1 is not installed: so wide");
	refused_route("8000::/1", "", "route 8000::/1 is not installed: so");
	tear_down();
}

CASE(wide_routes, "not of the kind that a network may give")
{
	(void)tc;
	set_up();
	refused_route("64.0.0.0/2", "10.9.8.1", "route 64.0.0.0/2 is not "
	    "installed: so wide");
	refused_route("192.168.0.0/8", "", "route 192.168.0.0/8 is not "
	    "installed: allowGlobal is off");
	refused_route("8.8.8.0/24", "10.9.8.1", "route 8.8.8.0/24 is not "
	    "installed: allowGlobal is off");
	refused_route("2001:db8::/32", "", "route 2001:db8::/32 is not "
	    "installed: allowGlobal is off");
	refused_route("127.0.0.0/8", "", "route 127.0.0.0/8 is not "
	    "installed: no network may give such an address");
	refused_route("224.0.0.0/8", "", "route 224.0.0.0/8 is not "
	    "installed: no network may give");
	refused_route("10.20.0.0/16", "127.0.0.1", "route 10.20.0.0/16 is "
	    "not installed: its gateway cannot be one");
	tear_down();
}

CASE(addresses, "of global scope, of no use, and of others")
{
	(void)tc;
	set_up();
	refused_address("8.8.8.8/24", NAME "the controller's address "
	    "8.8.8.8/24 is not installed: allowGlobal is off");
	refused_address("2606:4700::1111/64", "address 2606:4700::1111/64 "
	    "is not installed: allowGlobal is off");
	refused_address("10.1.2.3/0", "address 10.1.2.3/0 is not installed: "
	    "so wide");
	refused_address("127.0.0.1/8", "address 127.0.0.1/8 is not "
	    "installed: no network may give such an address");
	refused_address("169.254.1.1/16", "address 169.254.1.1/16 is not");
	refused_address("224.0.0.5/24", "address 224.0.0.5/24 is not");
	refused_address("0.0.0.0/32", "address 0.0.0.0/32 is not");
	refused_address("192.168.1.5/32", "address 192.168.1.5/32 is not "
	    "installed: interface zt");
	refused_address("fd00:1::5/128", "address fd00:1::5/128 is not "
	    "installed: interface zt");
	tear_down();
}

CASE(others_routes, "the network that another interface is connected to")
{
	struct inet_addr	 ia = tapworld_addr("192.168.1.5/24");
	struct msg_port		 bad;
	char			*text;

	(void)tc;
	set_up();
	refused_route("192.168.1.0/24", "10.9.8.1", NAME "the controller's "
	    "route 192.168.1.0/24 is not installed: interface zt");
	refused_route("192.168.1.0/24", "", "route 192.168.1.0/24 is not");
	/* Where we are the gateway ourselves, that is as it should be. */
	bad = port;
	bad.mp_routes[0].nr_target = tapworld_addr("192.168.1.0/24");
	bad.mp_routes[0].nr_via = tapworld_addr("10.9.8.7");
	tapworld_log_clear(tw);
	tapworld_send(tw, MSG_PORT, &bad, sizeof(bad));
	ATF_CHECK_EQ(0, tw->tw_nlines);
	/* Once the other interface has let go of it, it can be had. */
	bad = port;
	bad.mp_ips[bad.mp_nips++] = tapworld_addr("192.168.1.5/32");
	tapworld_send(tw, MSG_PORT, &bad, sizeof(bad));
	ATF_REQUIRE_EQ(0, netif_addr_del(tw->tw_p.p_netif, &lan.t_dev, &ia));
	parent_interfaces(&tw->tw_p, false, false);
	joined_resync(&tw->tw_p, false);
	text = tapworld_host();
	ATF_CHECK(strstr(text, " 192.168.1.5\n") != NULL);
	free(text);
	tear_down();
}

CASE(name_servers, "without allowDNS")
{
	struct msg_port	 bad;

	(void)tc;
	set_up();
	bad = port;
	snprintf(bad.mp_dns_domain, sizeof(bad.mp_dns_domain),
	    "example.com");
	bad.mp_dns[0] = tapworld_addr("10.9.8.1");
	refused(&bad, NAME "its name servers for example.com are not used: "
	    "allowDNS is off");
	tear_down();
}

CASE(unmanaged, "with allowManaged off not even what is harmless")
{
	(void)tc;
	set_up();
	tapworld_allow(tw, NWID, NETSET_MANAGED, 0);
	ATF_CHECK_EQ(1, tapworld_logged(tw, NAME "the controller's address "
	    "10.9.8.7/24 is not installed: allowManaged is off"));
	ATF_CHECK_EQ(1, tapworld_logged(tw, NAME "the controller's route "
	    "10.9.9.0/24 is not installed: allowManaged is off"));
	tear_down();
}

CASE(unknown_network, "gets no interface, and that is no crime")
{
	struct msg_port	 mp;
	char		*before, *after;

	(void)tc;
	set_up();
	before = tapworld_host();
	tapworld_port(&mp, NWID2, "10.9.7.7/24");
	tapworld_send(tw, MSG_PORT, &mp, sizeof(mp));
	after = tapworld_host();
	ATF_CHECK_STREQ(before, after);
	ATF_CHECK_EQ(1, tapworld_logged(tw, "network 8056c2e21c000002: "
	    "not joined, or no longer: it gets no interface"));
	ATF_CHECK(!tapworld_killed(tw));
	free(before);
	free(after);
	tear_down();
}

CASE(flood, "of wishes does not fill the log")
{
	struct msg_port	 bad;
	unsigned	 i;

	(void)tc;
	set_up();
	log_init("hostile", true, false);
	bad = port;
	bad.mp_nroutes = 1;
	for (i = 0; i < 500; i++) {
		bad.mp_routes[0].nr_target = tapworld_addr("8.0.0.0/24");
		bad.mp_routes[0].nr_target.ia_ip[1] = (uint8_t)(i / 256);
		bad.mp_routes[0].nr_target.ia_ip[2] = (uint8_t)i;
		ATF_REQUIRE_EQ(0, channel_send(tw->tw_chan, MSG_PORT, 0, -1,
		    &bad, sizeof(bad)));
		if (i % 10 == 0)
			tapworld_run(tw, 1);
	}
	tapworld_run(tw, 200);
	ATF_CHECK_MSG(tw->tw_nlines <= 25, "%zu lines", tw->tw_nlines);
	tear_down();
}

/* Who sends this is killed at once, and the host is as it was. */
static void
fatal_port(const struct msg_port *mp, const char *named)
{
	char	*before, *after;

	tapworld_log_clear(tw);
	before = tapworld_host();
	ATF_REQUIRE_EQ(0, channel_send(tw->tw_chan, MSG_PORT, 0, -1, mp,
	    sizeof(*mp)));
	ATF_CHECK_MSG(tapworld_killed(tw), "%s", named);
	after = tapworld_host();
	ATF_CHECK_STREQ_MSG(before, after, "%s", named);
	ATF_CHECK_EQ_MSG(1, tapworld_logged(tw, named), "%s", named);
	ATF_CHECK_EQ_MSG(1, tapworld_logged(tw, "ztd-net broke the rules "
	    "(MSG_PORT): killed"), "%s", named);
	free(before);
	free(after);
	tapworld_engine(tw);
}

CASE(senseless_ports, "end the engine")
{
	struct msg_port	 bad;

	(void)tc;
	set_up();
	bad = port;
	bad.mp_mac ^= 1;
	fatal_port(&bad, NAME "the engine wants the MAC");
	bad = port;
	bad.mp_mac |= 1ULL << 40;
	fatal_port(&bad, NAME "the engine wants the MAC");
	bad = port;
	bad.mp_nips = NETCONF_IPS + 1;
	fatal_port(&bad, NAME "the engine wants 33 addresses, 1 routes");
	bad = port;
	bad.mp_nips = UINT32_MAX;
	fatal_port(&bad, NAME "the engine wants 4294967295 addresses");
	bad = port;
	bad.mp_nroutes = NETCONF_ROUTES + 1;
	fatal_port(&bad, NAME "the engine wants 1 addresses, 129 routes");
	bad = port;
	bad.mp_mtu = NETCONF_MTU_MIN - 1;
	fatal_port(&bad, NAME "the engine wants an MTU of 1279");
	bad = port;
	bad.mp_mtu = UINT32_MAX;
	fatal_port(&bad, NAME "the engine wants an MTU of 4294967295");
	tear_down();
}

CASE(senseless_addresses, "end the engine")
{
	struct msg_port	 bad;

	(void)tc;
	set_up();
	bad = port;
	bad.mp_ips[0].ia_port = 33;
	fatal_port(&bad, NAME "the engine wants the address 10.9.8.7/33");
	bad = port;
	bad.mp_ips[0].ia_family = 5;
	fatal_port(&bad, NAME "the engine wants the address ");
	bad = port;
	bad.mp_ips[0].ia_ip[15] = 1;
	fatal_port(&bad, NAME "the engine wants the address ");
	bad = port;
	bad.mp_routes[0].nr_target.ia_port = 129;
	fatal_port(&bad, NAME "the engine wants a route to 10.9.9.0/129");
	bad = port;
	bad.mp_routes[0].nr_via.ia_family = 255;
	fatal_port(&bad, NAME "the engine wants a route to 10.9.9.0/24");
	bad = port;
	bad.mp_dns[3].ia_family = 1;
	fatal_port(&bad, NAME "the engine wants a name server");
	bad = port;
	bad.mp_up = 2;
	fatal_port(&bad, NAME "the engine wants a link");
	bad = port;
	bad.mp_nwid = 0;
	fatal_port(&bad, "network 0000000000000000: the engine wants no "
	    "network");
	tear_down();
}

static void
fatal_message(uint32_t type, uint32_t len, bool fd, size_t size,
    const char *named)
{
	static const uint8_t	 zeros[200000];

	tapworld_log_clear(tw);
	tapworld_send_raw(tw, type, len, fd, zeros, size);
	ATF_CHECK_MSG(tapworld_killed(tw), "%s", named);
	ATF_CHECK_EQ_MSG(1, tapworld_logged(tw, "ztd-net broke the rules ("),
	    "%s", named);
	ATF_CHECK_EQ_MSG(1, tapworld_logged(tw, named), "%s", named);
	tapworld_engine(tw);
}

CASE(senseless_messages, "of wrong type, sender or length end the engine")
{
	(void)tc;
	set_up();
	fatal_message(MSG_COUNT, 0, false, 0, "unknown message type");
	fatal_message(0, 0, false, 0, "unknown message type");
	fatal_message(UINT32_MAX, 8, false, 8, "unknown message type");
	/* The API's, the parent's own, and another child's. */
	fatal_message(MSG_NET_SET, sizeof(struct msg_net_set), false,
	    sizeof(struct msg_net_set), "MSG_NET_SET");
	fatal_message(MSG_JOIN, sizeof(struct msg_network), false,
	    sizeof(struct msg_network), "MSG_JOIN");
	fatal_message(MSG_PARSED, sizeof(struct msg_parsed), false,
	    sizeof(struct msg_parsed), "MSG_PARSED");
	fatal_message(MSG_STATUS, sizeof(struct msg_status), false,
	    sizeof(struct msg_status), "MSG_STATUS");
	fatal_message(MSG_PORT, sizeof(struct msg_port) - 1, false,
	    sizeof(struct msg_port) - 1, "MSG_PORT");
	fatal_message(MSG_PORT, sizeof(struct msg_port) + 1, false,
	    sizeof(struct msg_port) + 1, "MSG_PORT");
	fatal_message(MSG_PORT, 0, false, 0, "MSG_PORT");
	fatal_message(MSG_PORT, UINT32_MAX, false, 100, "MSG_PORT");
	fatal_message(MSG_ONLINE, sizeof(struct msg_online), true,
	    sizeof(struct msg_online), "MSG_ONLINE");
	fatal_message(MSG_PLANET, 0, false, 0, "MSG_PLANET");
	fatal_message(MSG_READY, 4, false, 4, "MSG_READY");
	tear_down();
}

/* ---- frames --------------------------------------------------------- */

/* All that comes in on an interface. */
static int
sniff(const char *dev)
{
	struct sockaddr_ll	 sll;
	int			 fd;

	fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(0x88b5));
	ATF_REQUIRE(fd != -1);
	memset(&sll, 0, sizeof(sll));
	sll.sll_family = AF_PACKET;
	sll.sll_protocol = htons(0x88b5);
	ATF_REQUIRE((sll.sll_ifindex = (int)if_nametoindex(dev)) != 0);
	ATF_REQUIRE_EQ(0, bind(fd, (struct sockaddr *)&sll, sizeof(sll)));
	return (fd);
}

static unsigned
seen(int fd)
{
	char	 buf[16384];
	unsigned n = 0;

	while (recv(fd, buf, sizeof(buf), 0) > 0)
		n++;
	return (n);
}

static void
frame(uint32_t index, uint64_t nwid, size_t len)
{
	uint8_t		 f[20000];
	uint64_t	 mac = mac_from_addr(TAPWORLD_ADDR, nwid);
	unsigned	 i;

	memset(f, 0, sizeof(f));
	for (i = 0; i < 6; i++)
		f[i] = (uint8_t)(mac >> (40 - 8 * i));
	f[6] = 0x02;
	f[12] = 0x88;
	f[13] = 0xb5;
	frame_put(tw->tw_frames, (uint16_t)index, f, len);
	frame_flush(tw->tw_frames);
	tapworld_run(tw, 20);
}

CASE(frames, "reach the tap that they are for, or none")
{
	struct msg_port	 second;
	uint32_t	 a, b, c;
	uint64_t	 dropped;
	int		 on_a, on_b, on_c, on_lan;

	(void)tc;
	set_up();
	tapworld_join(tw, NWID2);
	tapworld_port(&second, NWID2, "10.9.7.7/24");
	tapworld_send(tw, MSG_PORT, &second, sizeof(second));
	a = tapworld_tap(tw, NWID)->tt_tap;
	b = tapworld_tap(tw, NWID2)->tt_tap;
	on_a = sniff(tapworld_dev(tw, NWID));
	on_b = sniff(tapworld_dev(tw, NWID2));
	on_lan = sniff(lan.t_dev.nd_name);
	tapworld_log_clear(tw);

	frame(a, NWID, 100);
	ATF_CHECK_EQ(1, seen(on_a));
	ATF_CHECK_EQ(0, seen(on_b));
	/* To the other network's, by its own name only. */
	frame(b, NWID, 100);
	ATF_CHECK_EQ(0, seen(on_a));
	ATF_CHECK_EQ(1, seen(on_b));
	ATF_CHECK_EQ(0, tw->tw_nlines);

	/* Too long, by one; a VLAN tag would be allowed. */
	dropped = pump_stats(tw->tw_p.p_pump)->ps_dropped;
	frame(a, NWID, 14 + NETCONF_MTU_DEFAULT);
	ATF_CHECK_EQ(1, seen(on_a));
	frame(a, NWID, 14 + NETCONF_MTU_DEFAULT + 4 + 1);
	frame(a, NWID, 20000);
	ATF_CHECK_EQ(0, seen(on_a));
	ATF_CHECK_EQ(1, tapworld_logged(tw, tapworld_dev(tw, NWID)));
	ATF_CHECK_EQ(1, tapworld_logged(tw, "more than the MTU 2800: "
	    "dropped"));

	/* For interfaces that never were. */
	frame(4095, NWID, 100);
	frame(65535, NWID, 100);
	ATF_CHECK_EQ(1, tapworld_logged(tw, "the engine sends frames to "
	    "interface number 4095, which is not there: dropped"));
	ATF_CHECK_EQ(2, tw->tw_nlines);
	ATF_CHECK_EQ(dropped + 4, pump_stats(tw->tw_p.p_pump)->ps_dropped);

	/* One that is no more: nothing is said, and nobody gets them. */
	tapworld_leave(tw, NWID2);
	tapworld_join(tw, NWID3);
	tapworld_port(&second, NWID3, "10.9.6.7/24");
	tapworld_send(tw, MSG_PORT, &second, sizeof(second));
	c = tapworld_tap(tw, NWID3)->tt_tap;
	ATF_CHECK(c != b);
	on_c = sniff(tapworld_dev(tw, NWID3));
	tapworld_log_clear(tw);
	frame(b, NWID3, 100);
	ATF_CHECK_EQ(0, seen(on_c));
	ATF_CHECK_EQ(0, tw->tw_nlines);
	frame(c, NWID3, 100);
	ATF_CHECK_EQ(1, seen(on_c));
	ATF_CHECK_EQ(0, seen(on_lan));
	tear_down();
}

CASE(no_frames, "a record that is none is dropped, and harms nobody")
{
	uint8_t	 junk[32];
	int	 on_a;

	(void)tc;
	set_up();
	on_a = sniff(tapworld_dev(tw, NWID));
	memset(junk, 0xff, sizeof(junk));
	/* Too short for a frame; with flags that do not exist. */
	ATF_CHECK(send(frame_fd(tw->tw_frames), junk, 3, 0) == 3);
	ATF_CHECK(send(frame_fd(tw->tw_frames), junk, 17, 0) == 17);
	ATF_CHECK(send(frame_fd(tw->tw_frames), junk, 32, 0) == 32);
	tapworld_run(tw, 20);
	ATF_CHECK_EQ(0, seen(on_a));
	frame(tapworld_tap(tw, NWID)->tt_tap, NWID, 100);
	ATF_CHECK_EQ(1, seen(on_a));
	tear_down();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, default_routes);
	ATF_TP_ADD_TC(tp, wide_routes);
	ATF_TP_ADD_TC(tp, addresses);
	ATF_TP_ADD_TC(tp, others_routes);
	ATF_TP_ADD_TC(tp, name_servers);
	ATF_TP_ADD_TC(tp, unmanaged);
	ATF_TP_ADD_TC(tp, unknown_network);
	ATF_TP_ADD_TC(tp, flood);
	ATF_TP_ADD_TC(tp, senseless_ports);
	ATF_TP_ADD_TC(tp, senseless_addresses);
	ATF_TP_ADD_TC(tp, senseless_messages);
	ATF_TP_ADD_TC(tp, frames);
	ATF_TP_ADD_TC(tp, no_frames);
	return (atf_no_error());
}
