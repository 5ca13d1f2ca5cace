/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The table of peers of a root that has seen very many: what each of them
 * costs, and who is forgotten when it is full.  Spec: 02 sections 9.1, 10.5.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "regress/lib/quiet.h"
#include "regress/lib/sanitize.h"
#include "regress/lib/vectors.h"
#include "ztd-net/core/core.h"

#define START		1795000000000
#define SEEN		100000
#define IDLE_MAX	4096	/* bytes that an idle peer may cost */

static unsigned	 stored;
static uint8_t	 record[512];	/* the last of a peer */
static size_t	 recordlen;

static void
cb_store(void *arg, enum node_state what, uint64_t id, const void *p,
    size_t len)
{
	(void)arg;
	(void)id;
	if (what != STATE_PEER || len == 0)
		return;
	stored++;
	recordlen = len;
	if (len <= sizeof(record))
		memcpy(record, p, len);
}

static const struct node_callbacks callbacks = {
	.nc_send = quiet_send,
	.nc_store = cb_store
};

static struct node *
node_start(const atf_tc_t *tc)
{
	struct identity	 id;
	struct node	*n;

	ATF_REQUIRE_EQ(crypto_init(), 0);
	vectors_identity(tc, "m1", &id);
	n = node_new(&id, &callbacks, NULL, START);
	ATF_REQUIRE(n != NULL);
	return (n);
}

/* The k-th peer: its key is good, its address made up. */
static struct peer *
add(struct node *n, int64_t now, unsigned k)
{
	struct inet_addr ia;
	struct identity	 id;
	struct path	*pa;
	struct peer	*p;

	memset(&id, 0, sizeof(id));
	id.id_addr = 0x1000000000 + k;
	id.id_public[0] = 9;
	memcpy(id.id_public + 32, &k, sizeof(k));
	ATF_REQUIRE((p = peer_add(n, now, &id)) != NULL);
	memset(&ia, 0, sizeof(ia));
	ia.ia_family = 4;
	ia.ia_ip[0] = 8;
	ia.ia_ip[1] = (uint8_t)(k >> 16);
	ia.ia_ip[2] = (uint8_t)(k >> 8);
	ia.ia_ip[3] = (uint8_t)k;
	ia.ia_port = 9993;
	ATF_REQUIRE((pa = path_get(n, now, 1, &ia)) != NULL);
	ATF_REQUIRE(peer_add_path(p, pa, now) != NULL);
	path_heard(p, pa, now, 100);
	peer_heard(n, now, p);
	return (p);
}

/* It was talked to in the newest cipher, for which contexts were made. */
static void
talk(struct node *n, struct peer *p)
{
	struct wbuf	 wb;
	uint8_t		 packet[64];

	wbuf_init(&wb, packet, sizeof(packet));
	packet_header(&wb, node_packet_id(n), p->pe_id.id_addr,
	    node_addr(n), VERB_ECHO);
	packet_seal(packet, wb.wb_len, SUITE_AES_GMAC_SIV, &p->pe_keys);
}

static size_t
allocated(void)
{
#if defined(__GLIBC__)
	struct mallinfo2	 mi = mallinfo2();

	return (mi.uordblks + mi.hblkhd);
#else
	return (0);
#endif
}

ATF_TC_WITHOUT_HEAD(idle_peer_cost);
ATF_TC_BODY(idle_peer_cost, tc)
{
	struct node	*n = node_start(tc);
	int64_t		 now = START;
	size_t		 before, busy, idle;
	unsigned	 k;

	if (SANITIZED)
		atf_tc_skip("the sanitizer's allocator does not tell");
	before = allocated();
	if (before == 0)
		atf_tc_skip("the C library does not tell");
	for (k = 0; k < SEEN; k++)
		talk(n, add(n, now, k));
	busy = allocated() - before;
	peers_housekeeping(n, now + 61000);
	idle = allocated() - before;
	printf("%u peers: %zu bytes each just heard, %zu idle\n", SEEN,
	    busy / SEEN, idle / SEEN);
	ATF_CHECK(idle / SEEN < IDLE_MAX);
	/* After a while nothing is left of them. */
	peers_housekeeping(n, now + 501000);
	paths_housekeeping(n, now + 501000);
	ATF_CHECK(n->n_npaths == 0);
	printf("%zu bytes are left of all of them\n", allocated() - before);
	ATF_CHECK(allocated() - before < 65536);
	node_free(n, now);
}

/* In a full table those go who were silent longest, and roots never. */
ATF_TC_WITHOUT_HEAD(oldest_gives_way);
ATF_TC_BODY(oldest_gives_way, tc)
{
	struct node		*n = node_start(tc);
	struct node_status	 ns;
	const uint64_t		*ups;
	size_t			 nups, more;
	unsigned		 k;

	nups = topology_upstreams(n, &ups);
	for (k = 0; n->n_npeers < PEERS_MAX; k++)
		(void)add(n, START + k, k);
	/* The first was heard again: it is not the oldest any more. */
	peer_heard(n, START + k + 5000,
	    peer_find(n, 0x1000000000));
	for (more = 0; more < 10; more++)
		(void)add(n, START + k + 6000, k + (unsigned)more);
	ATF_CHECK_EQ(n->n_npeers, PEERS_MAX);
	ATF_CHECK(peer_find(n, 0x1000000000) != NULL);
	for (more = 1; more <= 10; more++)
		ATF_CHECK(peer_find(n, 0x1000000000 + more) == NULL);
	ATF_CHECK(peer_find(n, 0x1000000000 + 11) != NULL);
	ATF_CHECK(nups > 0);
	for (more = 0; more < nups; more++)
		ATF_CHECK(peer_find(n, ups[more]) != NULL);
	node_status(n, START + k + 6000, &ns);
	ATF_CHECK_EQ(ns.ns_evicted, 10);
	node_free(n, START + k + 6000);
}

/* What ZeroTier One 1.14.1 wrote behind the identity, but for the address. */
ATF_TC_WITHOUT_HEAD(cache_record);
ATF_TC_BODY(cache_record, tc)
{
	static const uint8_t	 real[] = { 0, 0x0c, 0, 0x01, 0, 0x0e, 0, 0x01,
		0, 0 };
	struct identity		 id;
	struct node		*n = node_start(tc);
	struct peer		*p;

	ATF_REQUIRE_EQ(0, identity_generate(&id));
	ATF_REQUIRE((p = peer_add(n, START, &id)) != NULL);
	p->pe_proto = 12;
	p->pe_major = 1;
	p->pe_minor = 14;
	p->pe_rev = 1;
	peer_save(n, p);
	ATF_REQUIRE_EQ(recordlen, 72 + sizeof(real));
	ATF_CHECK_EQ(record[0], 2);
	ATF_CHECK(memcmp(record + 72, real, sizeof(real)) == 0);
	node_free(n, START);
}

static struct path *
path_at(struct node *n, int64_t now, uint8_t net, uint16_t port)
{
	struct inet_addr ia;
	struct path	*pa;

	memset(&ia, 0, sizeof(ia));
	ia.ia_family = 4;
	ia.ia_ip[0] = 10;
	ia.ia_ip[1] = net;
	ia.ia_ip[3] = 5;
	ia.ia_port = port;
	ATF_REQUIRE((pa = path_get(n, now, 1, &ia)) != NULL);
	ATF_REQUIRE_EQ(pa->pa_addr.ia_port, port);
	return (pa);
}

/*
 * Two addresses whose bytes differ as their ports do.  The one being
 * forgotten, the other is found, and there is one of it.
 */
ATF_TC_WITHOUT_HEAD(alike_paths);
ATF_TC_BODY(alike_paths, tc)
{
	struct node	*n = node_start(tc);
	struct path	*pa;
	int64_t		 now = START;
	size_t		 before = n->n_npaths;
	unsigned	 k;

	pa = path_at(n, now, 0, 9993);
	pa->pa_refs++;
	for (k = 0; k < 5; k++) {
		(void)path_at(n, now, 1, 9992);
		ATF_REQUIRE_EQ(n->n_npaths, before + 2);
		now += 120000;
		paths_housekeeping(n, now);
		ATF_REQUIRE_EQ(n->n_npaths, before + 1);
		ATF_REQUIRE(path_at(n, now, 0, 9993) == pa);
	}
	pa->pa_refs--;
	paths_housekeeping(n, now);
	ATF_REQUIRE_EQ(n->n_npaths, before);
	node_free(n, now);
}

/* Nor is an answer from such an address one from where we asked. */
ATF_TC_WITHOUT_HEAD(alike_answers);
ATF_TC_BODY(alike_answers, tc)
{
	struct node		*n = node_start(tc);
	struct inet_addr	 asked, other;

	ATF_REQUIRE_EQ(inet_parse("10.0.0.5/9993", &asked), 0);
	ATF_REQUIRE_EQ(inet_parse("11.0.0.5/9992", &other), 0);
	expect_add(n, 0x1234567800000000, &asked);
	ATF_CHECK(expect_reply(n, 0x1234567800000000, &asked));
	ATF_CHECK(!expect_reply(n, 0x1234567800000000, &other));
	node_free(n, START);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, cache_record);
	ATF_TP_ADD_TC(tp, idle_peer_cost);
	ATF_TP_ADD_TC(tp, oldest_gives_way);
	ATF_TP_ADD_TC(tp, alike_paths);
	ATF_TP_ADD_TC(tp, alike_answers);
	return (atf_no_error());
}
