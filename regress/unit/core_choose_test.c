/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Which of two ways to a peer is taken.  Spec: 02 sections 7.1 and 9.5.
 */

#include <string.h>

#include "regress/lib/quiet.h"
#include "regress/lib/vectors.h"
#include "ztd-net/core/core.h"

#define START	1795000000000
#define LONG	6000	/* ms: a better one has been better for a while */

static const struct node_callbacks callbacks = { .nc_send = quiet_send };

static struct {
	struct node	*node;
	struct peer	*peer;
	struct path	*way[3];
	unsigned	 n;
	int64_t		 now;
} w;

static void
add_way(const char *where, unsigned delay)
{
	struct inet_addr ia;
	struct path	*pa;

	ATF_REQUIRE_EQ(inet_parse(where, &ia), 0);
	ATF_REQUIRE((pa = path_get(w.node, w.now, 1, &ia)) != NULL);
	ATF_REQUIRE(peer_add_path(w.peer, pa, w.now) != NULL);
	pa->pa_latency = delay;
	w.way[w.n++] = pa;
}

/* Both answer; the delays are as a clock of milliseconds found them. */
static void
ways(const atf_tc_t *tc, const char *first, unsigned delay1,
    const char *second, unsigned delay2)
{
	struct identity	 id;

	ATF_REQUIRE_EQ(crypto_init(), 0);
	vectors_identity(tc, "m1", &id);
	w.now = START;
	ATF_REQUIRE((w.node = node_new(&id, &callbacks, NULL, w.now)) != NULL);
	memset(&id, 0, sizeof(id));
	id.id_addr = 0x1000000001;
	id.id_public[0] = 9;
	ATF_REQUIRE((w.peer = peer_add(w.node, w.now, &id)) != NULL);
	w.n = 0;
	add_way(first, delay1);
	add_way(second, delay2);
}

/* After ms, in which all were heard: the first is 0. */
static int
taken_after(int64_t ms)
{
	struct path	*pa = NULL;
	int64_t		 end = w.now + ms;
	unsigned	 i;

	for (; w.now <= end; w.now += 250) {
		for (i = 0; i < w.n; i++) {
			path_heard(w.peer, w.way[i], w.now, 100);
			w.peer->pe_paths[i].pp_lr = w.now;
		}
		pa = choose_path(w.node, w.now, w.peer, true);
	}
	for (i = 0; i < w.n; i++)
		if (pa == w.way[i])
			return ((int)i);
	return (-1);
}

static int
taken(const atf_tc_t *tc, const char *first, unsigned delay1,
    const char *second, unsigned delay2)
{
	int	 which;

	ways(tc, first, delay1, second, delay2);
	which = taken_after(LONG);
	node_free(w.node, w.now);
	return (which);
}

/* Which, of the same addresses in either order: that of the first. */
#define BOTH(tc, a, da, b, db, which) do {				\
	ATF_CHECK_EQ(taken(tc, a, da, b, db), which);			\
	ATF_CHECK_EQ(taken(tc, b, db, a, da), 1 - (which));		\
} while (0)

ATF_TC_WITHOUT_HEAD(shorter);
ATF_TC_BODY(shorter, tc)
{
	BOTH(tc, "8.8.1.1/9993", 10, "8.8.2.2/9993", 20, 0);
	BOTH(tc, "8.8.1.1/9993", 10, "2600::1/9993", 9, 1);
	BOTH(tc, "10.1.1.1/9993", 72, "fd00::1/9993", 70, 1);
}

/* One kind only: as the specification has it, the later one. */
ATF_TC_WITHOUT_HEAD(same);
ATF_TC_BODY(same, tc)
{
	ATF_CHECK_EQ(taken(tc, "10.1.1.1/1", 0, "10.1.1.2/2", 0), 1);
	ATF_CHECK_EQ(taken(tc, "fd00::1/1", 0, "fd00::2/2", 0), 1);
	ATF_CHECK_EQ(taken(tc, "8.8.1.1/1", 5, "2600::1/2", 5), 1);
	ATF_CHECK_EQ(taken(tc, "2600::1/1", 5, "8.8.1.1/2", 5), 1);
}

/* Within a site IPv4 costs less; a clock's step is no difference. */
ATF_TC_WITHOUT_HEAD(family);
ATF_TC_BODY(family, tc)
{
	BOTH(tc, "10.1.1.1/9993", 0, "fd00::1/9993", 0, 0);
	BOTH(tc, "10.1.1.1/9993", 1, "fd00::1/9993", 0, 0);
	BOTH(tc, "10.1.1.1/9993", 3, "fd00::1/9993", 2, 0);
	BOTH(tc, "10.1.1.1/9993", 71, "fd00::1/9993", 70, 0);
}

/* A busy host is not a longer way. */
ATF_TC_WITHOUT_HEAD(family_busy);
ATF_TC_BODY(family_busy, tc)
{
	BOTH(tc, "10.1.1.1/9993", 50, "fd00::1/9993", 0, 0);
	BOTH(tc, "10.1.1.1/9993", 70, "fd00::1/9993", 0, 1);
	BOTH(tc, "8.8.1.1/9993", 8, "2600::1/9993", 0, 1);
}

/* The one in use before is left for it, and not taken again. */
ATF_TC_WITHOUT_HEAD(family_later);
ATF_TC_BODY(family_later, tc)
{
	unsigned	 i;

	ways(tc, "10.1.1.1/9993", 80, "fd00::1/9993", 0);
	ATF_CHECK_EQ(taken_after(LONG), 1);
	w.way[0]->pa_latency = 1;
	ATF_CHECK_EQ(taken_after(1000), 1);
	ATF_CHECK_EQ(taken_after(LONG), 0);
	for (i = 0; i < 10; i++) {
		w.way[0]->pa_latency = i % 2 * 50;
		w.way[1]->pa_latency = (i + 1) % 2;
		ATF_CHECK_EQ(taken_after(LONG), 0);
	}
	ATF_CHECK_EQ(w.peer->pe_switches, 1);
	node_free(w.node, w.now);
}

/*
 * What is longer than the other of the site, and shorter than the cheaper
 * one, is neither: in whatever order they came, and also if it is in use.
 */
ATF_TC_WITHOUT_HEAD(family_third);
ATF_TC_BODY(family_third, tc)
{
	static const char	*const where[] = { "10.1.1.1/9993",
				    "fd00::1/9993", "8.8.1.1/9993" };
	static const unsigned	 delay[] = { 50, 0, 5 };
	static const unsigned	 order[6][3] = { { 0, 1, 2 }, { 0, 2, 1 },
				    { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 },
				    { 2, 1, 0 } };
	const unsigned		*o;
	unsigned		 i;
	int			 which;

	for (i = 0; i < 6; i++) {
		o = order[i];
		ways(tc, where[o[0]], delay[o[0]], where[o[1]], delay[o[1]]);
		add_way(where[o[2]], delay[o[2]]);
		which = taken_after(LONG);
		ATF_CHECK_MSG(which != -1 && o[which] == 0,
		    "order %u: %d", i, which);
		node_free(w.node, w.now);
	}
	/* The others come to be as short only when it is in use. */
	ways(tc, where[0], 200, where[1], 100);
	add_way(where[2], 5);
	ATF_CHECK_EQ(taken_after(LONG), 2);
	w.way[0]->pa_latency = 50;
	w.way[1]->pa_latency = 0;
	ATF_CHECK_EQ(taken_after(1000), 0);
	node_free(w.node, w.now);
}

/* Is the path in use expected to be heard on, after a packet like this? */
static bool
waits_after(uint8_t verb)
{
	struct path	*pa = choose_path(w.node, w.now, w.peer, false);
	struct pkt	 pk;

	ATF_REQUIRE(pa != NULL);
	path_heard(w.peer, pa, w.now, 100);
	ATF_REQUIRE_EQ(pa->pa_waiting, 0);
	pkt_begin(w.node, &pk, w.peer->pe_id.id_addr, verb);
	wbuf_u64(&pk.pk, 1);
	pkt_send(w.node, w.now, &pk, false);
	ATF_REQUIRE_EQ(pa->pa_last_out, w.now);
	return (pa->pa_waiting == w.now);
}

/* After an answer there may be nothing to be said for a minute. */
ATF_TC_WITHOUT_HEAD(answers);
ATF_TC_BODY(answers, tc)
{
	ways(tc, "10.1.1.1/9993", 1, "10.1.1.2/9993", 1);
	taken_after(LONG);
	ATF_CHECK(!waits_after(VERB_OK));
	ATF_CHECK(!waits_after(VERB_ERROR));
	ATF_CHECK(waits_after(VERB_FRAME));
	ATF_CHECK(waits_after(VERB_NETWORK_CONFIG));
	node_free(w.node, w.now);
}

/* A frame of the peer's that came by a root, or an answer on a way. */
static void
receive(struct path *pa, unsigned hops, uint8_t verb)
{
	struct rx	 rx;

	memset(&rx, 0, sizeof(rx));
	rx.rx_peer = w.peer;
	rx.rx_path = pa;
	rx.rx_hops = hops;
	rx.rx_verb = verb;
	rx.rx_suite = SUITE_AES_GMAC_SIV;
	rx.rx_answer = verb == VERB_OK;
	rx.rx_wire = 100;
	note_receipt(w.node, w.now, &rx);
}

/* A root that answers, and the way to it. */
static struct path *
root_answers(void)
{
	struct inet_addr	 ia;
	struct path		*pa;
	struct peer		*root;
	const uint64_t		*ups;

	ATF_REQUIRE(topology_upstreams(w.node, &ups) > 0);
	ATF_REQUIRE((root = peer_find(w.node, ups[0])) != NULL);
	ATF_REQUIRE_EQ(inet_parse("8.8.9.9/9993", &ia), 0);
	ATF_REQUIRE((pa = path_get(w.node, w.now, 1, &ia)) != NULL);
	ATF_REQUIRE(peer_add_path(root, pa, w.now) != NULL);
	path_heard(root, pa, w.now, 100);
	return (pa);
}

/*
 * Who was restarted may have other ports than before: what comes by a root,
 * after a while of silence, is answered by the root, until the way is known
 * to work.
 */
ATF_TC_WITHOUT_HEAD(restarted);
ATF_TC_BODY(restarted, tc)
{
	struct path	*relay;

	ways(tc, "10.1.1.1/9993", 1, "10.1.1.2/9993", 1);
	ATF_REQUIRE_EQ(taken_after(LONG), 1);
	relay = root_answers();

	receive(relay, 1, VERB_FRAME);
	ATF_CHECK_EQ(choose_path(w.node, w.now, w.peer, true), w.way[1]);
	receive(w.way[0], 0, VERB_OK);
	receive(w.way[1], 0, VERB_OK);

	w.now += 1500;
	ATF_CHECK_EQ(choose_path(w.node, w.now, w.peer, true), w.way[1]);
	relay = root_answers();
	receive(relay, 1, VERB_FRAME);
	ATF_CHECK_EQ(choose_path(w.node, w.now, w.peer, true), relay);
	receive(w.way[0], 0, VERB_OK);
	ATF_CHECK_EQ(choose_path(w.node, w.now, w.peer, true), w.way[0]);
	node_free(w.node, w.now);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, shorter);
	ATF_TP_ADD_TC(tp, same);
	ATF_TP_ADD_TC(tp, family);
	ATF_TP_ADD_TC(tp, family_busy);
	ATF_TP_ADD_TC(tp, family_later);
	ATF_TP_ADD_TC(tp, family_third);
	ATF_TP_ADD_TC(tp, answers);
	ATF_TP_ADD_TC(tp, restarted);
	return (atf_no_error());
}
