/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Which UDP sockets the engine has: ports, collisions, changes of the
 * settings, everything anew.  In a network namespace of its own, whose
 * loopback interface has the addresses.  Spec: 02 section 13.
 */

#include <sys/socket.h>
#include <sys/types.h>

#include <netinet/in.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "common/log.h"
#include "regress/lib/quiet.h"
#include "regress/lib/rootcase.h"
#include "ztd-net/udp.h"
#include "ztd-tap/netif.h"

#define PRIMARY	9993

static struct engine	 e;
static struct msg_interface ifs[4];
static unsigned		 nsaid;
static char		 said[8][256];

/* ---- what main.c and the callbacks are for the engine --------------- */

int64_t
engine_now(void)
{
	static int64_t	 now = 1700000000000;

	return (++now);
}

void
engine_flush(struct engine *en)
{
	udp_flush(en);
}

static void
core_store(void *arg, enum node_state what, uint64_t id, const void *p,
    size_t len)
{
	(void)arg;
	(void)what;
	(void)id;
	(void)p;
	(void)len;
}

static size_t
core_load(void *arg, enum node_state what, uint64_t id, void *p, size_t size)
{
	(void)arg;
	(void)what;
	(void)id;
	(void)p;
	(void)size;
	return (0);
}

static void
core_online(void *arg, bool online)
{
	(void)arg;
	(void)online;
}

static void
core_log(void *arg, int level, const char *kind, const char *line)
{
	(void)arg;
	(void)level;
	(void)kind;
	(void)line;
}

static void
sink(int level, const char *line, void *arg)
{
	(void)level;
	(void)arg;
	if (nsaid < sizeof(said) / sizeof(said[0]))
		(void)strlcpy(said[nsaid++], line, sizeof(said[0]));
}

/* ---- the host ------------------------------------------------------- */

static struct inet_addr
addr(const char *text)
{
	struct inet_addr	 ia;

	ATF_REQUIRE_EQ(0, inet_parse(text, &ia));
	return (ia);
}

static void
set_up(void)
{
	static const char *const	 texts[] = { "10.9.0.1/32",
	    "10.9.0.2/32", "fd00:9::1/128" };
	static const struct node_callbacks cb = {
		.nc_send = quiet_send,
		.nc_store = core_store,
		.nc_load = core_load,
		.nc_online = core_online,
		.nc_log = core_log
	};
	static struct identity	 id;
	struct netif_dev	 lo = { "lo", 1 };
	struct netif		*ni;
	size_t			 i;

	if (unshare(CLONE_NEWNET) == -1)
		atf_tc_skip("no network namespace: %s", strerror(errno));
	ATF_REQUIRE((ni = netif_new()) != NULL);
	ATF_REQUIRE_EQ(0, netif_set_up(ni, &lo, true));
	for (i = 0; i < 3; i++) {
		ifs[i].mi_addr = addr(texts[i]);
		ATF_REQUIRE_EQ(0, netif_addr_add(ni, &lo, &ifs[i].mi_addr));
		(void)snprintf(ifs[i].mi_name, sizeof(ifs[i].mi_name),
		    "eth%zu", i);
	}
	netif_free(ni);
	log_init("test", true, false);
	log_set_sink(sink, NULL);
	settings_init(&e.e_settings);
	e.e_port = PRIMARY;
	ATF_REQUIRE_EQ(0, identity_generate(&id));
	ATF_REQUIRE((e.e_base = event_base_new()) != NULL);
	ATF_REQUIRE((e.e_node = node_new(&id, &cb, &e, engine_now())) !=
	    NULL);
	ATF_REQUIRE_EQ(0, udp_new(&e));
}

/* The socket of an address and a kind of port. */
static const struct usock *
sock(enum udp_port port, unsigned i)
{
	struct usock	*us = e.e_udp->u_socks;

	for (; us < e.e_udp->u_socks + SOCKETS_MAX; us++) {
		if (us->us_id != 0 && us->us_port == port &&
		    inet_same_ip(&us->us_addr, &ifs[i].mi_addr))
			return (us);
	}
	return (NULL);
}

static uint32_t
id_of(enum udp_port port, unsigned i)
{
	const struct usock	*us = sock(port, i);

	return (us != NULL ? us->us_id : 0);
}

static unsigned
count(void)
{
	unsigned	 i, n = 0;

	for (i = 0; i < SOCKETS_MAX; i++)
		n += e.e_udp->u_socks[i].us_id != 0;
	return (n);
}

/* Another program's socket. */
static int
foreign(unsigned i, uint16_t port)
{
	struct sockaddr_storage	 ss;
	struct inet_addr	 ia = ifs[i].mi_addr;
	socklen_t		 len;
	int			 fd;

	ia.ia_port = port;
	len = inet_to_sockaddr(&ia, &ss);
	fd = socket(ss.ss_family, SOCK_DGRAM, 0);
	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE_EQ(0, bind(fd, (struct sockaddr *)&ss, len));
	return (fd);
}

static void
run(int seconds)
{
	struct timeval	 tv = { seconds, 0 };

	event_base_loopexit(e.e_base, &tv);
	event_base_dispatch(e.e_base);
}

CASE(ports, "three ports, and what settings make of them, live")
{
	struct msg_status	 st;
	uint32_t		 primary;

	(void)tc;
	set_up();
	udp_interfaces(&e, ifs, 3);
	memset(&st, 0, sizeof(st));
	udp_status(&e, &st);
	ATF_CHECK_EQ(PRIMARY, st.st_primary_port);
	ATF_CHECK(st.st_secondary_port >= 20000);
	ATF_CHECK(st.st_tertiary_port >= 20000);
	ATF_CHECK(st.st_secondary_port != st.st_tertiary_port);
	ATF_CHECK_EQ(9, count());
	ATF_CHECK_EQ(9, st.st_nlisten);
	primary = id_of(PORT_PRIMARY, 0);

	/* What stays the same is not touched. */
	e.e_settings.s_port_mapping = 0;
	udp_bind(&e);
	ATF_CHECK_EQ(6, count());
	ATF_CHECK_EQ(st.st_secondary_port, e.e_udp->u_ports[PORT_SECONDARY]);
	e.e_settings.s_secondary_port = 33333;
	udp_bind(&e);
	ATF_CHECK_EQ(6, count());
	ATF_CHECK_EQ(33333, sock(PORT_SECONDARY, 1)->us_addr.ia_port);
	e.e_settings.s_allow_secondary = 0;
	udp_bind(&e);
	ATF_CHECK_EQ(3, count());
	/* The same port twice is once. */
	e.e_settings.s_allow_secondary = 1;
	e.e_settings.s_secondary_port = PRIMARY;
	udp_bind(&e);
	ATF_CHECK_EQ(3, count());
	/* A list of addresses instead of those of the host. */
	e.e_settings.s_allow_secondary = 0;
	e.e_settings.s_nbind = 1;
	e.e_settings.s_bind[0] = addr("10.9.0.2");
	udp_bind(&e);
	ATF_CHECK_EQ(1, count());
	ATF_CHECK(sock(PORT_PRIMARY, 1) != NULL);
	/* All addresses at once, which those there are would be in the way
	 * of, and back. */
	e.e_settings.s_bind[0] = addr("0.0.0.0");
	udp_bind(&e);
	ATF_CHECK_EQ(1, count());
	e.e_settings.s_nbind = 0;
	udp_bind(&e);
	ATF_CHECK_EQ(3, count());
	ATF_CHECK(id_of(PORT_PRIMARY, 0) != primary);
	/* A random port makes room for the operator's choice. */
	e.e_settings.s_allow_secondary = e.e_settings.s_port_mapping = 1;
	e.e_settings.s_secondary_port = 0;
	udp_bind(&e);
	e.e_settings.s_tertiary_port = e.e_udp->u_ports[PORT_SECONDARY];
	udp_bind(&e);
	ATF_CHECK_EQ(9, count());
	ATF_CHECK_EQ(e.e_settings.s_tertiary_port,
	    sock(PORT_TERTIARY, 0)->us_addr.ia_port);
	ATF_CHECK(e.e_udp->u_ports[PORT_SECONDARY] >= 20000);
	ATF_CHECK_EQ(0, nsaid);
}

CASE(interfaces, "which interfaces count, and addresses that come and go")
{
	uint32_t	 first, second;

	(void)tc;
	set_up();
	e.e_settings.s_port_mapping = e.e_settings.s_allow_secondary = 0;
	udp_interfaces(&e, ifs, 3);
	first = id_of(PORT_PRIMARY, 0);
	second = id_of(PORT_PRIMARY, 1);
	ATF_CHECK(first != 0 && second != 0 && count() == 3);
	/* Only these, and the blacklist wins. */
	e.e_settings.s_nincludes = 2;
	(void)strlcpy(e.e_settings.s_includes[0], "eth0", 16);
	(void)strlcpy(e.e_settings.s_includes[1], "eth2", 16);
	udp_bind(&e);
	ATF_CHECK(id_of(PORT_PRIMARY, 0) == first && count() == 2);
	e.e_settings.s_nprefixes = 1;
	(void)strlcpy(e.e_settings.s_prefixes[0], "eth2", 16);
	udp_bind(&e);
	ATF_CHECK(id_of(PORT_PRIMARY, 0) == first && count() == 1);
	e.e_settings.s_nincludes = e.e_settings.s_nprefixes = 0;
	e.e_settings.s_nphysical = 1;
	e.e_settings.s_physical[0].sp_net = addr("10.9.0.2/31");
	e.e_settings.s_physical[0].sp_blacklist = 1;
	udp_bind(&e);
	ATF_CHECK(id_of(PORT_PRIMARY, 0) == first && count() == 2);
	e.e_settings.s_nphysical = 0;

	/* An address goes; its number is never used again. */
	udp_interfaces(&e, ifs, 1);
	ATF_CHECK(id_of(PORT_PRIMARY, 0) == first && count() == 1);
	udp_interfaces(&e, ifs, 2);
	ATF_CHECK(id_of(PORT_PRIMARY, 1) != 0);
	ATF_CHECK(id_of(PORT_PRIMARY, 1) != second);
	/* One moves to another interface: its socket is bound to the old. */
	(void)strlcpy(ifs[0].mi_name, "br0", sizeof(ifs[0].mi_name));
	udp_interfaces(&e, ifs, 2);
	ATF_CHECK(id_of(PORT_PRIMARY, 0) != 0);
	ATF_CHECK(id_of(PORT_PRIMARY, 0) != first);
	/* Its interface is made anew under the old name. */
	first = id_of(PORT_PRIMARY, 0);
	ifs[0].mi_index += 100;
	udp_interfaces(&e, ifs, 2);
	ATF_CHECK(id_of(PORT_PRIMARY, 0) != 0);
	ATF_CHECK(id_of(PORT_PRIMARY, 0) != first);
	/* The same address twice is once; ours is none. */
	ifs[1].mi_addr = ifs[0].mi_addr;
	udp_interfaces(&e, ifs, 2);
	ATF_CHECK_EQ(1, count());
	ifs[0].mi_virtual = ifs[1].mi_virtual = 1;
	udp_interfaces(&e, ifs, 2);
	ATF_CHECK_EQ(0, count());
}

CASE(taken, "a fixed port that is taken: said once, had when it is free")
{
	int	 fd;

	(void)tc;
	set_up();
	e.e_settings.s_port_mapping = e.e_settings.s_allow_secondary = 0;
	fd = foreign(0, PRIMARY);
	udp_interfaces(&e, ifs, 2);
	ATF_CHECK(sock(PORT_PRIMARY, 0) == NULL);
	ATF_CHECK(sock(PORT_PRIMARY, 1) != NULL);
	udp_interfaces(&e, ifs, 3);
	ATF_CHECK_EQ(1, nsaid);
	ATF_CHECK_STREQ("UDP 10.9.0.1/9993 cannot be used: Address already "
	    "in use; trying again", said[0]);
	run(6);
	ATF_CHECK_EQ(1, nsaid);
	ATF_CHECK_EQ(10, e.e_udp->u_wait);
	close(fd);
	run(10);
	ATF_CHECK(sock(PORT_PRIMARY, 0) != NULL);
	ATF_CHECK_EQ(2, nsaid);
	ATF_CHECK_STREQ("UDP 10.9.0.1/9993 can be used now", said[1]);
	ATF_CHECK(!evtimer_pending(e.e_udp->u_retry, NULL));
}

CASE(not_there, "an address that is not there yet is tried again")
{
	(void)tc;
	set_up();
	e.e_settings.s_port_mapping = e.e_settings.s_allow_secondary = 0;
	e.e_settings.s_nbind = 1;
	e.e_settings.s_bind[0] = addr("10.9.0.77");
	udp_interfaces(&e, ifs, 1);
	ATF_CHECK_EQ(0, count());
	ATF_CHECK_EQ(1, nsaid);
	ATF_CHECK(evtimer_pending(e.e_udp->u_retry, NULL));
	/* Not wanted any more: nothing to say, nothing to wait for. */
	e.e_settings.s_nbind = 0;
	udp_bind(&e);
	ATF_CHECK_EQ(1, count());
	ATF_CHECK_EQ(1, nsaid);
	ATF_CHECK(!evtimer_pending(e.e_udp->u_retry, NULL));
}

CASE(elsewhere, "a random port that is taken on one address changes there "
    "alone")
{
	struct sockaddr_storage	 ss;
	struct inet_addr	 to = { 0 };
	const struct usock	*us;
	uint32_t		 first;
	uint16_t		 port;
	socklen_t		 len;
	char			 c = 0;
	int			 fd, me;

	(void)tc;
	set_up();
	e.e_settings.s_port_mapping = 0;
	udp_interfaces(&e, ifs, 1);
	first = id_of(PORT_SECONDARY, 0);
	port = e.e_udp->u_ports[PORT_SECONDARY];
	fd = foreign(1, port);
	udp_interfaces(&e, ifs, 2);
	ATF_CHECK_EQ(first, id_of(PORT_SECONDARY, 0));
	ATF_REQUIRE((us = sock(PORT_SECONDARY, 1)) != NULL);
	ATF_CHECK(us->us_addr.ia_port != port);
	ATF_CHECK(us->us_addr.ia_port >= 20000);
	first = us->us_id;
	udp_bind(&e);
	ATF_CHECK_EQ(first, id_of(PORT_SECONDARY, 1));
	ATF_CHECK_EQ(0, nsaid);
	/* The other program has what is sent to it. */
	to = ifs[1].mi_addr;
	to.ia_port = port;
	len = inet_to_sockaddr(&to, &ss);
	me = foreign(0, 5555);
	ATF_REQUIRE_EQ(1, sendto(me, "x", 1, 0, (struct sockaddr *)&ss, len));
	ATF_CHECK_EQ(1, recv(fd, &c, 1, MSG_DONTWAIT));
	ATF_CHECK_EQ('x', c);
}

CASE(renew, "all anew, with another secondary port unless it is fixed")
{
	uint32_t	 ids[PORTS];
	uint16_t	 port;
	unsigned	 i;

	(void)tc;
	set_up();
	udp_interfaces(&e, ifs, 1);
	port = e.e_udp->u_ports[PORT_SECONDARY];
	for (i = 0; i < PORTS; i++)
		ids[i] = id_of(i, 0);
	udp_renew(&e, false);
	/* Not at once: the core may be at work. */
	ATF_CHECK_EQ(ids[0], id_of(PORT_PRIMARY, 0));
	run(1);
	for (i = 0; i < PORTS; i++) {
		ATF_CHECK(id_of(i, 0) != 0);
		ATF_CHECK(id_of(i, 0) != ids[i]);
	}
	ATF_CHECK_EQ(port, e.e_udp->u_ports[PORT_SECONDARY]);
	udp_renew(&e, true);
	run(1);
	ATF_CHECK(e.e_udp->u_ports[PORT_SECONDARY] != port);
	ATF_CHECK(e.e_udp->u_ports[PORT_SECONDARY] >= 20000);
	ATF_CHECK_EQ(3, count());
	/* It is the core that says why. */
	ATF_CHECK_EQ(0, nsaid);
	e.e_settings.s_secondary_port = 33333;
	udp_bind(&e);
	udp_renew(&e, true);
	run(1);
	ATF_CHECK_EQ(33333, e.e_udp->u_ports[PORT_SECONDARY]);
	e.e_settings.s_allow_secondary = 0;
	udp_bind(&e);
	udp_renew(&e, true);
	run(1);
	ATF_CHECK_EQ(0, e.e_udp->u_ports[PORT_SECONDARY]);
	ATF_CHECK_EQ(2, count());
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, ports);
	ATF_TP_ADD_TC(tp, interfaces);
	ATF_TP_ADD_TC(tp, taken);
	ATF_TP_ADD_TC(tp, not_there);
	ATF_TP_ADD_TC(tp, elsewhere);
	ATF_TP_ADD_TC(tp, renew);
	return (atf_no_error());
}
