/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Pins: host routes for the tunnel's own packets while a default route leads
 * through a network.  The real parent with real routes, in a network
 * namespace.  Spec: 06 sections 8.5 and 8.7.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atf-c.h>

#include "regress/lib/rootcase.h"
#include "regress/lib/tapworld.h"
#include "ztd-tap/joined.h"
#include "ztd-tap/netif.h"
#include "ztd-tap/pins.h"
#include "ztd-tap/tap.h"

#define NWID	0x8056c2e21c000001ULL
#define LAN	0x8056c2e21c000003ULL

static struct tapworld	*tw;
static struct tap	 lan;

/* A route of the operator's, by ip(8)'s own words. */
static void
ip_route(const char *fmt, const char *what)
{
	char	 cmd[256];

	snprintf(cmd, sizeof(cmd), fmt, what, lan.t_dev.nd_name);
	ATF_REQUIRE_EQ_MSG(0, system(cmd), "%s", cmd);
}

static void
changed(void)
{
	parent_interfaces(&tw->tw_p, false, false);
	pins_check(&tw->tw_p);
	tapworld_run(tw, 30);
}

static void
address(const char *text)
{
	struct inet_addr	 ia = tapworld_addr(text);

	ATF_REQUIRE_EQ(0, netif_addr_add(tw->tw_p.p_netif, &lan.t_dev, &ia));
}

/* A host with a default route of each family, sockets bound by hand. */
static void
set_up(void)
{
	uint32_t	 mtu = 1500;

	tw = tapworld_new();
	tw->tw_p.p_settings.s_nbind = 1;
	ATF_REQUIRE_EQ(0, tap_open(&lan, tw->tw_p.p_netif, LAN,
	    tw->tw_p.p_homefd, false));
	ATF_REQUIRE_EQ(0, netif_setup(tw->tw_p.p_netif, &lan.t_dev,
	    0x020000000001, &mtu, "lan"));
	ATF_REQUIRE_EQ(0, netif_set_up(tw->tw_p.p_netif, &lan.t_dev, true));
	address("192.168.1.5/24");
	address("fd00:1::5/64");
	ip_route("ip route add default via %s dev %s metric 100",
	    "192.168.1.1");
	ip_route("ip -6 route add default via %s dev %s metric 100",
	    "fd00:1::1");
	parent_interfaces(&tw->tw_p, false, false);
}

static void
tear_down(void)
{
	tap_close(&lan);
	tapworld_free(tw);
}

static void
go_online(void)
{
	struct msg_online	 mo = { 1 };

	tapworld_send(tw, MSG_ONLINE, &mo, sizeof(mo));
}

/* The network gives default routes, and may. */
static void
override(bool v6)
{
	struct msg_port	 mp;

	tapworld_join(tw, NWID);
	tapworld_allow(tw, NWID, NETSET_DEFAULT, NETSET_DEFAULT);
	tapworld_port(&mp, NWID, "10.9.8.7/24");
	mp.mp_nroutes = 1;
	mp.mp_routes[0].nr_target = tapworld_addr("0.0.0.0/0");
	mp.mp_routes[0].nr_via = tapworld_addr("10.9.8.1");
	if (v6) {
		mp.mp_ips[1] = tapworld_addr("fd00:9::7/64");
		mp.mp_nips = 2;
		mp.mp_routes[1].nr_target = tapworld_addr("::/0");
		mp.mp_routes[1].nr_via = tapworld_addr("fd00:9::1");
		mp.mp_nroutes = 2;
	}
	tapworld_send(tw, MSG_PORT, &mp, sizeof(mp));
	go_online();
}

/* The engine's set: addresses, separated by blanks. */
static void
pins(uint32_t id, const char *text)
{
	struct inet_addr	 list[64];
	char			*copy = strdup(text), *rest = copy, *item;
	size_t			 n = 0;

	while ((item = strsep(&rest, " ")) != NULL)
		if (*item != '\0')
			list[n++] = tapworld_addr(item);
	free(copy);
	ATF_REQUIRE_EQ(0, channel_send(tw->tw_chan, MSG_PINS, id, -1, list,
	    n * sizeof(list[0])));
	tapworld_run(tw, 60);
}

/* All pins there are, in the order of the kernel: "8.8.8.8>192.168.1.1 ". */
static const char *
there(void)
{
	static char		 text[4096];
	struct netif_route	*list = NULL;
	char			 ip[INET_TEXT];
	int			 i, n;

	text[0] = '\0';
	n = netif_routes(tw->tw_p.p_netif, &list);
	ATF_REQUIRE(n >= 0);
	for (i = 0; i < n; i++) {
		if (!list[i].rt_pin)
			continue;
		ATF_CHECK_EQ(lan.t_dev.nd_index, list[i].rt_ifindex);
		strlcat(text, inet_format_ip(ip, &list[i].rt_target),
		    sizeof(text));
		strlcat(text, ">", sizeof(text));
		strlcat(text, inet_format_ip(ip, &list[i].rt_via),
		    sizeof(text));
		strlcat(text, " ", sizeof(text));
	}
	free(list);
	return (text);
}

/* Halves of the default route, as the kernel tells them. */
static unsigned
halves(const char *family)
{
	char	 cmd[256];
	FILE	*f;
	unsigned n = 0;

	snprintf(cmd, sizeof(cmd), "ip %s route show dev %s | grep -c '/1 '",
	    family, tapworld_dev(tw, NWID));
	ATF_REQUIRE((f = popen(cmd, "r")) != NULL);
	ATF_CHECK_EQ(1, fscanf(f, "%u", &n));
	pclose(f);
	return (n);
}

CASE(order, "pins, then halves; halves, then pins")
{
	(void)tc;
	set_up();
	ATF_CHECK_EQ(-1, tw->tw_pins);
	override(true);
	/* Asked for, and nothing is installed before the answer. */
	ATF_CHECK_EQ(1, tw->tw_pins);
	ATF_CHECK_EQ(0, halves("-4"));
	ATF_CHECK_EQ(0, halves("-6"));
	pins(1, "8.8.8.8 2001:db8::8");
	ATF_CHECK_EQ(1, tw->tw_pinned);
	ATF_CHECK_STREQ("8.8.8.8>192.168.1.1 2001:db8::8>fd00:1::1 ",
	    there());
	ATF_CHECK_EQ(2, halves("-4"));
	ATF_CHECK_EQ(2, halves("-6"));
	/* More, later. */
	pins(2, "8.8.8.8 2001:db8::8 9.9.9.9");
	ATF_CHECK_EQ(2, tw->tw_pinned);
	ATF_CHECK_STREQ("8.8.8.8>192.168.1.1 9.9.9.9>192.168.1.1 "
	    "2001:db8::8>fd00:1::1 ", there());
	/* The operator takes the permission back. */
	tapworld_allow(tw, NWID, NETSET_DEFAULT, 0);
	ATF_CHECK_EQ(0, halves("-4"));
	ATF_CHECK_STREQ("", there());
	ATF_CHECK_EQ(0, tw->tw_pins);
	/* Word of an engine that has not heard of that yet. */
	pins(3, "8.8.8.8");
	ATF_CHECK_STREQ("", there());
	tear_down();
}

CASE(families, "no pin of a family that is not overridden")
{
	(void)tc;
	set_up();
	override(false);
	pins(1, "8.8.8.8 2001:db8::8");
	ATF_CHECK_STREQ("8.8.8.8>192.168.1.1 ", there());
	ATF_CHECK_EQ(2, halves("-4"));
	tear_down();
}

CASE(only_default, "no pin where the host has a better route")
{
	(void)tc;
	set_up();
	ip_route("ip route add 8.8.0.0/16 via %s dev %s", "192.168.1.3");
	ip_route("ip route add blackhole %s", "8.9.0.0/16");
	override(false);
	pins(1, "8.8.8.8 8.9.9.9 8.7.7.7 192.168.1.77");
	ATF_CHECK_STREQ("8.7.7.7>192.168.1.1 ", there());
	/* It goes: now there is only the default route. */
	ip_route("ip route del %s", "8.8.0.0/16");
	changed();
	ATF_CHECK_STREQ("8.7.7.7>192.168.1.1 8.8.8.8>192.168.1.1 ", there());
	tear_down();
}

CASE(default_changes, "pins follow the host's default route")
{
	(void)tc;
	set_up();
	override(false);
	pins(1, "8.8.8.8");
	ATF_CHECK_STREQ("8.8.8.8>192.168.1.1 ", there());
	/* A better one. */
	ip_route("ip route add default via %s dev %s metric 50",
	    "192.168.1.2");
	changed();
	ATF_CHECK_STREQ("8.8.8.8>192.168.1.2 ", there());
	/* None: the halves stay, nothing leaks. */
	ip_route("ip route del default via %s dev %s", "192.168.1.2");
	ip_route("ip route del default via %s dev %s", "192.168.1.1");
	changed();
	ATF_CHECK_STREQ("", there());
	ATF_CHECK_EQ(2, halves("-4"));
	ip_route("ip route add default via %s dev %s", "192.168.1.4");
	changed();
	ATF_CHECK_STREQ("8.8.8.8>192.168.1.4 ", there());
	/* Somebody removes it: put back. */
	ip_route("ip route del %s", "8.8.8.8");
	ATF_CHECK_STREQ("", there());
	changed();
	ATF_CHECK_STREQ("8.8.8.8>192.168.1.4 ", there());
	tear_down();
}

CASE(events, "the same by the kernel's own word")
{
	(void)tc;
	set_up();
	parent_watch(&tw->tw_p);
	override(false);
	pins(1, "8.8.8.8");
	ip_route("ip route add default via %s dev %s metric 50",
	    "192.168.1.2");
	tapworld_run(tw, 600);
	ATF_CHECK_STREQ("8.8.8.8>192.168.1.2 ", there());
	tear_down();
}

CASE(kept, "for a while after they left the set")
{
	(void)tc;
	pins_kept_ms = 400;
	set_up();
	override(false);
	pins(1, "8.8.8.8 9.9.9.9");
	pins(2, "9.9.9.9");
	ATF_CHECK_STREQ("8.8.8.8>192.168.1.1 9.9.9.9>192.168.1.1 ", there());
	/* It came back in time. */
	pins(3, "9.9.9.9 8.8.8.8");
	tapworld_run(tw, 600);
	ATF_CHECK_STREQ("8.8.8.8>192.168.1.1 9.9.9.9>192.168.1.1 ", there());
	pins(4, "9.9.9.9");
	tapworld_run(tw, 600);
	ATF_CHECK_STREQ("9.9.9.9>192.168.1.1 ", there());
	tear_down();
}

CASE(gone, "with the network, and with the parent")
{
	(void)tc;
	set_up();
	override(false);
	pins(1, "8.8.8.8");
	tapworld_leave(tw, NWID);
	ATF_CHECK_STREQ("", there());
	ATF_CHECK_EQ(0, tw->tw_pins);
	override(false);
	pins(2, "8.8.8.8");
	ATF_CHECK_STREQ("8.8.8.8>192.168.1.1 ", there());
	joined_close(&tw->tw_p);
	ATF_CHECK_STREQ("", there());
	tear_down();
}

CASE(leftover, "of a run that was killed are removed at the start")
{
	struct inet_addr	 ip = tapworld_addr("8.8.8.8");
	struct inet_addr	 via = tapworld_addr("192.168.1.1");

	(void)tc;
	set_up();
	ip_route("ip route add %s via 192.168.1.1 dev %s", "9.9.9.9");
	ATF_REQUIRE_EQ(0, netif_pin_add(tw->tw_p.p_netif, &ip, &via,
	    lan.t_dev.nd_index));
	ATF_CHECK_STREQ("8.8.8.8>192.168.1.1 ", there());
	pins_stop(&tw->tw_p);
	pins_start(&tw->tw_p);
	ATF_CHECK_STREQ("", there());
	ATF_CHECK_EQ(1, tapworld_logged(tw, "1 host routes of a run that was "
	    "killed are removed"));
	/* The operator's own is not touched. */
	ip_route("ip route show %s | grep -q via", "9.9.9.9");
	tear_down();
}

CASE(new_engine, "is asked, and meanwhile nothing leaks")
{
	(void)tc;
	set_up();
	override(false);
	pins(1, "8.8.8.8 9.9.9.9");
	tapworld_send_raw(tw, MSG_COUNT, 0, false, "", 0);
	ATF_REQUIRE(tapworld_killed(tw));
	ATF_CHECK_EQ(2, halves("-4"));
	ATF_CHECK_STREQ("8.8.8.8>192.168.1.1 9.9.9.9>192.168.1.1 ", there());
	tapworld_engine(tw);
	ATF_CHECK_EQ(1, tw->tw_pins);
	pins(1, "9.9.9.9 7.7.7.7");
	ATF_CHECK_EQ(1, tw->tw_pinned);
	ATF_CHECK_STREQ("7.7.7.7>192.168.1.1 8.8.8.8>192.168.1.1 "
	    "9.9.9.9>192.168.1.1 ", there());
	tear_down();
}

CASE(hostile, "no pin for what can be no peer's")
{
	struct inet_addr	 bad = tapworld_addr("8.8.8.8");

	(void)tc;
	set_up();
	override(true);
	pins(1, "224.0.0.5 127.0.0.1 169.254.1.1 0.0.0.0 ff02::1 ::1 "
	    "fe80::1 10.9.8.1 10.9.8.7 fd00:9::1 192.168.1.5 255.255.255.255 "
	    "8.8.8.8");
	ATF_CHECK_EQ(1, tw->tw_pinned);
	ATF_CHECK_STREQ("8.8.8.8>192.168.1.1 ", there());
	ATF_CHECK_EQ(1, tapworld_logged(tw, "no route of its own for "
	    "224.0.0.5, which can be no peer's"));
	pins(2, "224.0.0.5 8.8.8.8");
	ATF_CHECK_EQ(1, tapworld_logged(tw, "which can be no peer's"));

	bad.ia_port = 53;
	(void)channel_send(tw->tw_chan, MSG_PINS, 3, -1, &bad, sizeof(bad));
	ATF_CHECK(tapworld_killed(tw));
	ATF_CHECK_EQ(1, tapworld_logged(tw, "the engine wants a pin whose "
	    "address is none"));
	ATF_CHECK_EQ(1, tapworld_logged(tw, "broke the rules (MSG_PINS)"));
	tapworld_engine(tw);
	bad.ia_port = 0;
	bad.ia_family = 7;
	(void)channel_send(tw->tw_chan, MSG_PINS, 3, -1, &bad, sizeof(bad));
	ATF_CHECK(tapworld_killed(tw));
	tapworld_engine(tw);
	bad.ia_family = 4;
	bad.ia_ip[9] = 1;
	(void)channel_send(tw->tw_chan, MSG_PINS, 3, -1, &bad, sizeof(bad));
	ATF_CHECK(tapworld_killed(tw));
	tapworld_engine(tw);
	(void)channel_send(tw->tw_chan, MSG_PINS, 3, -1, "1234567890", 7);
	ATF_CHECK(tapworld_killed(tw));
	ATF_CHECK_EQ(1, tapworld_logged(tw, "a pin that is cut off"));
	tapworld_engine(tw);
	tapworld_send_raw(tw, MSG_PINS, (PINS_MAX + 1) * sizeof(bad), false,
	    "", 0);
	ATF_CHECK(tapworld_killed(tw));
	tapworld_engine(tw);
	ATF_CHECK_STREQ("8.8.8.8>192.168.1.1 ", there());
	tear_down();
}

/* Always others: the table has its limit, and the oldest go. */
CASE(flood, "of addresses")
{
	static struct inet_addr	 list[PINS_MAX];
	struct netif_route	*routes = NULL;
	unsigned		 round, i, n = 0;
	int			 k, all;

	(void)tc;
	set_up();
	override(false);
	for (round = 0; round < 4; round++) {
		for (i = 0; i < PINS_MAX; i++) {
			list[i] = tapworld_addr("8.0.0.0");
			list[i].ia_ip[1] = (uint8_t)round;
			list[i].ia_ip[2] = (uint8_t)(i / 200);
			list[i].ia_ip[3] = (uint8_t)(i % 200 + 1);
		}
		ATF_REQUIRE_EQ(0, channel_send(tw->tw_chan, MSG_PINS,
		    round + 1, -1, list, sizeof(list)));
		for (i = 0; i < 500 && tw->tw_pinned != round + 1; i++)
			tapworld_run(tw, 10);
		ATF_CHECK_EQ(round + 1, tw->tw_pinned);
	}
	all = netif_routes(tw->tw_p.p_netif, &routes);
	for (k = 0; k < all; k++)
		n += routes[k].rt_pin;
	free(routes);
	ATF_CHECK_EQ_MSG(2 * PINS_MAX, n, "%u", n);
	tapworld_leave(tw, NWID);
	ATF_CHECK_STREQ("", there());
	tear_down();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, order);
	ATF_TP_ADD_TC(tp, families);
	ATF_TP_ADD_TC(tp, only_default);
	ATF_TP_ADD_TC(tp, default_changes);
	ATF_TP_ADD_TC(tp, events);
	ATF_TP_ADD_TC(tp, kept);
	ATF_TP_ADD_TC(tp, gone);
	ATF_TP_ADD_TC(tp, leftover);
	ATF_TP_ADD_TC(tp, new_engine);
	ATF_TP_ADD_TC(tp, hostile);
	ATF_TP_ADD_TC(tp, flood);
	return (atf_no_error());
}
