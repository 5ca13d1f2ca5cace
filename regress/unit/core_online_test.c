/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The watchdog: a node whose roots do not answer goes on trying, in named
 * stages, and any answer ends it, however late.  Spec: 02 sections 10.2 and
 * 13.1.
 */

#include <string.h>

#include "regress/lib/vectors.h"
#include "ztd-net/core/core.h"

#define START		1795000000000
#define HOUR		3600000

static struct rig {
	struct node	*node;
	int64_t		 now;
	unsigned	 hellos, rebinds, new_ports;
	int64_t		 rebind_at[64];
	unsigned	 lines;		/* that told of it */
	bool		 online;
	unsigned	 changes;
} rig;

static void
cb_send(void *arg, uint32_t sock, const struct inet_addr *to, const void *p,
    size_t len, unsigned ttl)
{
	(void)arg;
	(void)sock;
	(void)to;
	(void)ttl;
	if (len >= PACKET_MIN && packet_verb(p) == VERB_HELLO)
		rig.hellos++;
}

static void
cb_rebind(void *arg, bool new_port)
{
	(void)arg;
	if (rig.rebinds < 64)
		rig.rebind_at[rig.rebinds] = rig.now - START;
	rig.rebinds++;
	rig.new_ports += new_port;
}

static void
cb_online(void *arg, bool online)
{
	(void)arg;
	rig.online = online;
	rig.changes++;
}

static void
cb_log(void *arg, int level, const char *kind, const char *line)
{
	(void)arg;
	(void)level;
	(void)kind;
	rig.lines += strstr(line, "no root has answered") != NULL;
}

static const struct node_callbacks callbacks = {
	.nc_send = cb_send,
	.nc_rebind = cb_rebind,
	.nc_online = cb_online,
	.nc_log = cb_log
};

static void
sockets(uint32_t id)
{
	struct node_socket	 ns;

	memset(&ns, 0, sizeof(ns));
	ns.ns_id = id;
	ATF_REQUIRE_EQ(inet_parse("192.168.7.2/9993", &ns.ns_addr), 0);
	node_sockets(rig.node, rig.now, &ns, 1);
}

static void
start(const atf_tc_t *tc)
{
	struct identity	 id;

	ATF_REQUIRE_EQ(crypto_init(), 0);
	memset(&rig, 0, sizeof(rig));
	rig.now = START;
	vectors_identity(tc, "m1", &id);
	rig.node = node_new(&id, &callbacks, NULL, rig.now);
	ATF_REQUIRE(rig.node != NULL);
	sockets(1);
}

static void
run(int64_t ms)
{
	int64_t	 end = rig.now + ms, next;

	while (rig.now < end) {
		next = node_tick(rig.node, rig.now);
		ATF_REQUIRE(next > rig.now);
		rig.now = next < end ? next : end;
	}
}

ATF_TC_WITHOUT_HEAD(stages);
ATF_TC_BODY(stages, tc)
{
	struct node_status	 ns;
	unsigned		 before;

	start(tc);
	run(9000);
	ATF_CHECK_EQ(rig.rebinds, 0);
	node_status(rig.node, rig.now, &ns);
	ATF_CHECK_STREQ(reason_code(ns.ns_reason), "node-starting");
	run(30000);
	ATF_REQUIRE_EQ(rig.rebinds, 2);
	ATF_CHECK(rig.rebind_at[0] >= 10000 && rig.rebind_at[0] < 16000);
	ATF_CHECK(rig.rebind_at[1] >= 30000 && rig.rebind_at[1] < 36000);
	ATF_CHECK_EQ(rig.new_ports, 1);
	node_status(rig.node, rig.now, &ns);
	ATF_CHECK_STREQ(reason_code(ns.ns_reason), "node-udp-blocked");
	ATF_CHECK_EQ(ns.ns_stage, 2);
	/* For hours: neither does it stop, nor does it do it more often. */
	before = rig.hellos;
	run(HOUR);
	ATF_CHECK_MSG(rig.rebinds >= 30 && rig.rebinds <= 34, "%u",
	    rig.rebinds);
	ATF_CHECK_EQ(rig.lines, rig.rebinds);
	ATF_CHECK_MSG(rig.hellos - before > 1000, "%u",
	    rig.hellos - before);
	ATF_CHECK(!rig.online);
	node_free(rig.node, rig.now);
}

/* Whatever a root says, and whenever: it is over. */
ATF_TC_WITHOUT_HEAD(way_out);
ATF_TC_BODY(way_out, tc)
{
	struct node_status	 ns;
	const uint64_t		*ups;
	struct inet_addr	 to;
	struct peer		*root;
	struct path		*pa;

	start(tc);
	run(HOUR);
	ATF_REQUIRE(topology_upstreams(rig.node, &ups) > 0);
	ATF_REQUIRE((root = peer_find(rig.node, ups[0])) != NULL);
	ATF_REQUIRE(topology_endpoint(rig.node, ups[0], 4, &to));
	ATF_REQUIRE((pa = path_get(rig.node, rig.now, 1, &to)) != NULL);
	ATF_REQUIRE(peer_add_path(root, pa, rig.now) != NULL);
	path_heard(root, pa, rig.now, 100);
	peer_heard(rig.node, rig.now, root);
	root_heard(rig.node, rig.now);
	ATF_CHECK(rig.online);
	node_status(rig.node, rig.now, &ns);
	ATF_CHECK_EQ(ns.ns_reason, REASON_NONE);
	ATF_CHECK_EQ(ns.ns_stage, 0);
	/* And silence: offline again after some tries, and from the start. */
	rig.rebinds = 0;
	run(60000);
	ATF_CHECK(!rig.online);
	ATF_CHECK_EQ(rig.changes, 2);
	ATF_CHECK(rig.rebinds >= 1 && rig.rebinds <= 2);
	node_status(rig.node, rig.now, &ns);
	ATF_CHECK_STREQ(reason_code(ns.ns_reason), "node-roots-silent");
	node_free(rig.node, rig.now);
}

/* Without an address nothing is tried, but it is said. */
ATF_TC_WITHOUT_HEAD(no_address);
ATF_TC_BODY(no_address, tc)
{
	struct node_status	 ns;

	start(tc);
	node_sockets(rig.node, rig.now, NULL, 0);
	rig.hellos = 0;
	run(HOUR);
	ATF_CHECK_EQ(rig.rebinds, 0);
	node_status(rig.node, rig.now, &ns);
	ATF_CHECK_STREQ(reason_code(ns.ns_reason), "node-no-address");
	/* It comes: at once. */
	rig.hellos = 0;
	sockets(2);
	ATF_CHECK(rig.hellos > 0);
	node_free(rig.node, rig.now);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, stages);
	ATF_TP_ADD_TC(tp, way_out);
	ATF_TP_ADD_TC(tp, no_address);
	return (atf_no_error());
}
