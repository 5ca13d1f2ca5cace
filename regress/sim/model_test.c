/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The modelled network itself: what NATs let through, what links lose, how
 * far a datagram goes.
 */

#include <atf-c.h>
#include <string.h>

#include "regress/sim/net.h"

#define START	1800000000000
#define IDLE_MS	30000

static struct clock	*ck;
static struct net	*net;
static unsigned		 delivered;
static struct inet_addr	 delivered_from, delivered_to;
static void		*delivered_at;

static void
deliver(void *host, struct dgram *dg)
{
	delivered++;
	delivered_at = host;
	delivered_from = dg->dg_from;
	delivered_to = dg->dg_to;
}

static void
setup(void)
{
	ATF_REQUIRE((ck = clock_new(1, START)) != NULL);
	ATF_REQUIRE((net = net_new(ck, deliver)) != NULL);
	delivered = 0;
}

static void
cleanup(void)
{
	net_free(net);
	clock_free(ck);
}

static struct inet_addr
addr(const char *text)
{
	struct inet_addr	 ia;

	ATF_REQUIRE_EQ(inet_parse(text, &ia), 0);
	return (ia);
}

static struct nat_model
model(enum nat_scope mapping, enum nat_scope filter, enum nat_ports ports)
{
	struct nat_model	 na = {
		"test", true, mapping, filter, ports, 1, false, false,
		IDLE_MS, 8
	};

	return (na);
}

/* --- NATs alone ------------------------------------------------------- */

struct gate {
	struct nat	*g_nat;
	struct inet_addr g_inner, g_x, g_x2, g_y;	/* x2: x's other port */
	struct inet_addr g_seen;	/* inner as x saw it */
};

static void
gate_open(struct gate *g, const struct nat_model *na)
{
	struct inet_addr	 outside = addr("20.0.0.1/0");

	setup();
	g->g_inner = addr("192.168.0.10/9993");
	g->g_x = addr("30.0.0.1/1000");
	g->g_x2 = addr("30.0.0.1/1001");
	g->g_y = addr("40.0.0.1/1000");
	ATF_REQUIRE((g->g_nat = nat_new(na, &outside, ck)) != NULL);
	g->g_seen = g->g_inner;
	ATF_REQUIRE(nat_out(g->g_nat, &g->g_seen, &g->g_x));
}

static void
gate_close(struct gate *g)
{
	nat_free(g->g_nat);
	cleanup();
}

/* Is a datagram from there let in where x saw us? */
static bool
enters(struct gate *g, const struct inet_addr *from)
{
	struct inet_addr	 to = g->g_seen;

	if (!nat_in(g->g_nat, from, &to))
		return (false);
	ATF_CHECK(inet_equal(&to, &g->g_inner));
	return (true);
}

/* Do x and another see the same address? */
static bool
same_for(struct gate *g, const struct inet_addr *other)
{
	struct inet_addr	 from = g->g_inner;

	ATF_REQUIRE(nat_out(g->g_nat, &from, other));
	return (inet_equal(&from, &g->g_seen));
}

ATF_TC_WITHOUT_HEAD(filters);
ATF_TC_BODY(filters, tc)
{
	struct nat_model	 na;
	struct gate		 g;
	unsigned		 i;

	(void)tc;
	for (i = NAT_ANY; i <= NAT_ADDRESS_PORT; i++) {
		na = model(NAT_ANY, (enum nat_scope)i, NAT_PRESERVE);
		gate_open(&g, &na);
		ATF_CHECK_EQ(g.g_seen.ia_port, 9993);
		ATF_CHECK(enters(&g, &g.g_x));
		ATF_CHECK_EQ(enters(&g, &g.g_x2), i < NAT_ADDRESS_PORT);
		ATF_CHECK_EQ(enters(&g, &g.g_y), i < NAT_ADDRESS);
		gate_close(&g);
	}
}

ATF_TC_WITHOUT_HEAD(mappings);
ATF_TC_BODY(mappings, tc)
{
	struct nat_model	 na;
	struct gate		 g;
	unsigned		 i;

	(void)tc;
	for (i = NAT_ANY; i <= NAT_ADDRESS_PORT; i++) {
		na = model((enum nat_scope)i, NAT_ADDRESS_PORT, NAT_RANDOM);
		gate_open(&g, &na);
		ATF_CHECK(same_for(&g, &g.g_x));
		ATF_CHECK_EQ(same_for(&g, &g.g_x2), i < NAT_ADDRESS_PORT);
		ATF_CHECK_EQ(same_for(&g, &g.g_y), i < NAT_ADDRESS);
		gate_close(&g);
	}
}

ATF_TC_WITHOUT_HEAD(ports_in_order);
ATF_TC_BODY(ports_in_order, tc)
{
	struct nat_model	 na;
	struct inet_addr	 from;
	struct gate		 g;

	(void)tc;
	na = model(NAT_ADDRESS_PORT, NAT_ADDRESS_PORT, NAT_SEQUENTIAL);
	na.na_step = 2;
	gate_open(&g, &na);
	from = g.g_inner;
	ATF_REQUIRE(nat_out(g.g_nat, &from, &g.g_y));
	ATF_CHECK_EQ(from.ia_port, g.g_seen.ia_port + 2);
	gate_close(&g);
}

/* Two inner hosts with the same port cannot both keep it. */
ATF_TC_WITHOUT_HEAD(port_taken);
ATF_TC_BODY(port_taken, tc)
{
	struct inet_addr	 other;
	struct nat_model	 na;
	struct gate		 g;

	(void)tc;
	na = model(NAT_ANY, NAT_ANY, NAT_PRESERVE);
	gate_open(&g, &na);
	other = addr("192.168.0.11/9993");
	ATF_REQUIRE(nat_out(g.g_nat, &other, &g.g_x));
	ATF_CHECK(other.ia_port != 9993);
	gate_close(&g);
}

ATF_TC_WITHOUT_HEAD(idle_and_full);
ATF_TC_BODY(idle_and_full, tc)
{
	struct inet_addr	 from, to = addr("50.0.0.1/1");
	struct nat_model	 na;
	struct gate		 g;
	unsigned		 i;

	(void)tc;
	na = model(NAT_ADDRESS_PORT, NAT_ADDRESS_PORT, NAT_RANDOM);
	gate_open(&g, &na);
	(void)clock_run(ck, IDLE_MS - 1, NULL, NULL);
	ATF_CHECK(enters(&g, &g.g_x));	/* which refreshes it */
	(void)clock_run(ck, IDLE_MS - 1, NULL, NULL);
	ATF_CHECK(enters(&g, &g.g_x));
	(void)clock_run(ck, IDLE_MS, NULL, NULL);
	ATF_CHECK(!enters(&g, &g.g_x));
	ATF_CHECK_EQ(nat_count(g.g_nat), 0);
	for (i = 0; i < 9; i++) {
		from = g.g_inner;
		to.ia_port++;
		ATF_CHECK_EQ(nat_out(g.g_nat, &from, &to), i < na.na_max);
	}
	nat_forget(g.g_nat);
	ATF_CHECK_EQ(nat_count(g.g_nat), 0);
	gate_close(&g);
}

ATF_TC_WITHOUT_HEAD(no_udp);
ATF_TC_BODY(no_udp, tc)
{
	struct inet_addr	 from;
	struct nat_model	 na;
	struct gate		 g;

	(void)tc;
	na = model(NAT_ANY, NAT_ANY, NAT_PRESERVE);
	gate_open(&g, &na);
	na.na_no_udp = true;
	nat_change(g.g_nat, &na);
	from = g.g_inner;
	ATF_CHECK(!nat_out(g.g_nat, &from, &g.g_x));
	ATF_CHECK(!enters(&g, &g.g_x));
	gate_close(&g);
}

/* --- the network ------------------------------------------------------ */

/* A host in the internet, and one behind a port-restricted NAT. */
struct lab {
	struct link	 l_link;
	struct zone	*l_home;
	struct attach	*l_a, *l_b;
	struct inet_addr l_addr_a, l_addr_b;
	int		 l_host_a, l_host_b;	/* only their places */
};

static void
lab_open(struct lab *l, bool hairpin)
{
	struct nat_model	 na;
	struct zone		*internet;

	setup();
	memset(l, 0, sizeof(*l));
	l->l_link.lk_delay = 10;
	internet = net_internet(net);
	na = model(NAT_ANY, NAT_ADDRESS_PORT, NAT_PRESERVE);
	na.na_hairpin = hairpin;
	l->l_home = net_router(net, internet, &na, &l->l_link, false);
	ATF_REQUIRE(l->l_home != NULL);
	l->l_a = net_attach(net, internet, &l->l_host_a, &l->l_link);
	l->l_b = net_attach(net, l->l_home, &l->l_host_b, &l->l_link);
	net_free_address(net, internet, 4, &l->l_addr_a);
	net_free_address(net, l->l_home, 4, &l->l_addr_b);
	ATF_REQUIRE_EQ(net_address(net, l->l_a, &l->l_addr_a), 0);
	ATF_REQUIRE_EQ(net_address(net, l->l_b, &l->l_addr_b), 0);
	l->l_addr_a.ia_port = l->l_addr_b.ia_port = 9993;
}

/* Does it arrive within a second?  to is an address of the internet. */
static bool
sent(struct attach *at, const struct inet_addr *from,
    const struct inet_addr *to, size_t len, unsigned ttl)
{
	static const uint8_t	 bytes[4000];
	unsigned		 before = delivered;

	net_send(net, at, 0, from, to, bytes, len, ttl);
	(void)clock_run(ck, 1000, NULL, NULL);
	return (delivered > before);
}

ATF_TC_WITHOUT_HEAD(through_a_nat);
ATF_TC_BODY(through_a_nat, tc)
{
	struct inet_addr	 seen;
	struct lab		 l;

	(void)tc;
	lab_open(&l, false);
	ATF_REQUIRE(sent(l.l_b, &l.l_addr_b, &l.l_addr_a, 100, 0));
	ATF_CHECK(delivered_at == &l.l_host_a);
	seen = delivered_from;
	ATF_CHECK(!inet_same_ip(&seen, &l.l_addr_b));
	ATF_REQUIRE(sent(l.l_a, &l.l_addr_a, &seen, 100, 0));
	ATF_CHECK(delivered_at == &l.l_host_b);
	ATF_CHECK(inet_equal(&delivered_to, &l.l_addr_b));
	/* Another port of the same host is not let in. */
	l.l_addr_a.ia_port++;
	ATF_CHECK(!sent(l.l_a, &l.l_addr_a, &seen, 100, 0));
	cleanup();
}

/* A short-lived datagram opens the own NAT and goes no further. */
ATF_TC_WITHOUT_HEAD(ttl);
ATF_TC_BODY(ttl, tc)
{
	struct inet_addr	 seen;
	struct lab		 l;

	(void)tc;
	lab_open(&l, false);
	ATF_CHECK(!sent(l.l_b, &l.l_addr_b, &l.l_addr_a, 4, 2));
	ATF_CHECK_EQ(nat_count(net_nat(l.l_home)), 1);
	/* The first address of the internet is the router's. */
	seen = addr("20.0.0.1/9993");
	ATF_CHECK(sent(l.l_a, &l.l_addr_a, &seen, 100, 0));
	ATF_CHECK(delivered_at == &l.l_host_b);
	cleanup();
}

ATF_TC_WITHOUT_HEAD(hairpin);
ATF_TC_BODY(hairpin, tc)
{
	struct inet_addr	 own = addr("20.0.0.1/9993");
	struct inet_addr	 other, seen = addr("20.0.0.1/5000");
	struct lab		 l;
	struct attach		*at;
	unsigned		 on;
	int			 host;

	(void)tc;
	for (on = 0; on < 2; on++) {
		lab_open(&l, on == 1);
		at = net_attach(net, l.l_home, &host, &l.l_link);
		net_free_address(net, l.l_home, 4, &other);
		ATF_REQUIRE_EQ(net_address(net, at, &other), 0);
		other.ia_port = 5000;
		/* Each has to open the NAT for the other. */
		(void)sent(at, &other, &own, 100, 0);
		ATF_CHECK_EQ(sent(l.l_b, &l.l_addr_b, &seen, 100, 0),
		    on == 1);
		ATF_CHECK(on == 0 || delivered_at == &host);
		cleanup();
	}
}

ATF_TC_WITHOUT_HEAD(links);
ATF_TC_BODY(links, tc)
{
	struct link	*lk;
	struct lab	 l;
	int64_t		 since;
	unsigned	 i, got = 0;

	(void)tc;
	lab_open(&l, false);
	lk = net_link(l.l_a);
	/* Cut by IP, but not lost; then lost. */
	ATF_CHECK(sent(l.l_b, &l.l_addr_b, &l.l_addr_a, 1473, 0));
	lk->lk_no_fragments = true;
	ATF_CHECK(!sent(l.l_b, &l.l_addr_b, &l.l_addr_a, 1473, 0));
	ATF_CHECK(sent(l.l_b, &l.l_addr_b, &l.l_addr_a, 1472, 0));
	lk->lk_mtu = 1280;
	ATF_CHECK(!sent(l.l_b, &l.l_addr_b, &l.l_addr_a, 1253, 0));
	ATF_CHECK(sent(l.l_b, &l.l_addr_b, &l.l_addr_a, 1252, 0));
	/* Three links of 10 ms: its own, the router's, the receiver's. */
	net_send(net, l.l_b, 0, &l.l_addr_b, &l.l_addr_a, "", 1, 0);
	since = clock_now(ck);
	i = delivered;
	while (delivered == i && clock_now(ck) < since + 100)
		(void)clock_run(ck, 1, NULL, NULL);
	ATF_CHECK_EQ(clock_now(ck) - since, 30);
	lk->lk_loss = 500;
	for (i = 0; i < 200; i++)
		got += sent(l.l_b, &l.l_addr_b, &l.l_addr_a, 100, 0);
	ATF_CHECK_MSG(got > 60 && got < 140, "%u of 200", got);
	lk->lk_loss = 0;
	lk->lk_duplicate = 1000;
	got = delivered;
	ATF_CHECK(sent(l.l_b, &l.l_addr_b, &l.l_addr_a, 100, 0));
	ATF_CHECK_EQ(delivered, got + 2);
	cleanup();
}

ATF_TC_WITHOUT_HEAD(cuts);
ATF_TC_BODY(cuts, tc)
{
	struct lab	 l;
	struct attach	*out;

	(void)tc;
	lab_open(&l, false);
	out = net_outermost(l.l_b);
	ATF_REQUIRE(out != l.l_b && net_outermost(l.l_a) == l.l_a);
	net_side(out, 1);
	net_partition(net, true);
	ATF_CHECK(!sent(l.l_b, &l.l_addr_b, &l.l_addr_a, 100, 0));
	net_partition(net, false);
	ATF_CHECK(sent(l.l_b, &l.l_addr_b, &l.l_addr_a, 100, 0));
	net_block(net, out, l.l_a, true);
	ATF_CHECK(!sent(l.l_b, &l.l_addr_b, &l.l_addr_a, 100, 0));
	ATF_CHECK(sent(l.l_a, &l.l_addr_a, &delivered_from, 100, 0));
	net_block(net, out, l.l_a, false);
	ATF_CHECK(sent(l.l_b, &l.l_addr_b, &l.l_addr_a, 100, 0));
	net_detach(net, l.l_a);
	ATF_CHECK(!sent(l.l_b, &l.l_addr_b, &l.l_addr_a, 100, 0));
	cleanup();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, filters);
	ATF_TP_ADD_TC(tp, mappings);
	ATF_TP_ADD_TC(tp, ports_in_order);
	ATF_TP_ADD_TC(tp, port_taken);
	ATF_TP_ADD_TC(tp, idle_and_full);
	ATF_TP_ADD_TC(tp, no_udp);
	ATF_TP_ADD_TC(tp, through_a_nat);
	ATF_TP_ADD_TC(tp, ttl);
	ATF_TP_ADD_TC(tp, hairpin);
	ATF_TP_ADD_TC(tp, links);
	ATF_TP_ADD_TC(tp, cuts);
	return (atf_no_error());
}
