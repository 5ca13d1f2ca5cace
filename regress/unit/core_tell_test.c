/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What the log says of peers and roots: a line for a change, none for what
 * stays or is over at once.
 */

#include <string.h>

#include "regress/lib/quiet.h"
#include "regress/lib/vectors.h"
#include "ztd-net/core/core.h"

#define START	1795000000000

static char	 said[64];
static unsigned	 nsaid;

static void
cb_log(void *arg, int level, const char *kind, const char *line)
{
	(void)arg;
	(void)level;
	(void)kind;
	(void)strlcpy(said, line, sizeof(said));
	nsaid++;
}

static const struct node_callbacks callbacks = {
	.nc_send = quiet_send,
	.nc_log = cb_log
};

static struct node	*n;
static struct peer	*peer, *root;
static struct path	*one, *two;

static void
set_up(const atf_tc_t *tc)
{
	struct inet_addr	 a, b;
	struct identity		 id, other;
	const uint64_t		*ups;

	ATF_REQUIRE_EQ(crypto_init(), 0);
	vectors_identity(tc, "m1", &id);
	vectors_identity(tc, "m2", &other);
	ATF_REQUIRE((n = node_new(&id, &callbacks, NULL, START)) != NULL);
	ATF_REQUIRE((peer = peer_add(n, START, &other)) != NULL);
	ATF_REQUIRE(topology_upstreams(n, &ups) > 0);
	ATF_REQUIRE((root = peer_find(n, ups[0])) != NULL);
	ATF_REQUIRE_EQ(inet_parse("192.0.2.1/9993", &a), 0);
	ATF_REQUIRE_EQ(inet_parse("192.0.2.2/9993", &b), 0);
	ATF_REQUIRE((one = path_get(n, START, 1, &a)) != NULL);
	ATF_REQUIRE((two = path_get(n, START, 1, &b)) != NULL);
	nsaid = 0;
}

static void
expect(unsigned lines, const char *form, const struct peer *p)
{
	char	 want[64];

	ATF_CHECK_EQ_MSG(lines, nsaid, "%u lines: %s", nsaid, said);
	(void)snprintf(want, sizeof(want), form,
	    (unsigned long long)p->pe_id.id_addr);
	ATF_CHECK_STREQ(want, said);
}

ATF_TC_WITHOUT_HEAD(peers);
ATF_TC_BODY(peers, tc)
{
	int64_t	 now = START, t;
	char	 form[64];

	set_up(tc);
	tell_direct(n, peer, one);
	expect(1, "peer %010llx direct: 192.0.2.1/9993", peer);
	tell_direct(n, peer, one);
	ATF_CHECK_EQ(1, nsaid);
	tell_direct(n, peer, two);
	expect(2, "peer %010llx direct: 192.0.2.2/9993", peer);

	/* A moment by the relay is nothing. */
	for (t = now; t < now + 4000; t += 500) {
		tell_relayed(n, t, peer, root);
		peer->pe_last_send = t;
	}
	tell_direct(n, peer, two);
	ATF_CHECK_EQ(2, nsaid);
	/* Nor are packets, each after a while of rest. */
	for (t = now + 10000; t < now + 40000; t += 3000) {
		tell_relayed(n, t, peer, root);
		peer->pe_last_send = t;
	}
	ATF_CHECK_EQ(2, nsaid);
	for (now = t; t < now + 20000; t += 500) {
		tell_relayed(n, t, peer, root);
		peer->pe_last_send = t;
	}
	(void)snprintf(form, sizeof(form), "peer %%010llx relayed by %010llx: "
	    "peer-no-candidates", (unsigned long long)root->pe_id.id_addr);
	expect(3, form, peer);
	/* And back, to the same address as before. */
	tell_direct(n, peer, two);
	expect(4, "peer %010llx direct: 192.0.2.2/9993", peer);
	node_free(n, t);
}

ATF_TC_WITHOUT_HEAD(roots);
ATF_TC_BODY(roots, tc)
{
	set_up(tc);
	tell_root(n, root, NULL);
	ATF_CHECK_EQ(0, nsaid);		/* it was not told before */
	tell_root(n, root, one);
	expect(1, "root %010llx reachable: 192.0.2.1/9993", root);
	tell_root(n, root, two);
	ATF_CHECK_EQ(1, nsaid);
	tell_root(n, root, NULL);
	tell_root(n, root, NULL);
	expect(2, "root %010llx unreachable", root);
	/* Its way is no peer's. */
	tell_direct(n, root, one);
	ATF_CHECK_EQ(2, nsaid);
	node_free(n, START);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, peers);
	ATF_TP_ADD_TC(tp, roots);
	return (atf_no_error());
}
