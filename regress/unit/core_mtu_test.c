/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * How large a datagram a path carries is found out, and not from what a
 * flood lets through.
 */

#include <stdio.h>
#include <string.h>

#include "regress/lib/quiet.h"
#include "regress/lib/vectors.h"
#include "ztd-net/core/core.h"

#define START	1795000000000
#define TICK	50		/* ms */
#define LONG	60000		/* ms; it has ended by then */

/* Does a path let this through, of which so many were sent before? */
typedef bool (*passes)(size_t len, unsigned before);

static void	 sent(void *, uint32_t, const struct inet_addr *, const void *,
		    size_t, unsigned);

static const struct node_callbacks callbacks = { .nc_send = sent };

static struct {
	struct node	*node;
	struct peer	*peer;
	struct path	*path;
	int64_t		 now;
	passes		 passes;
	size_t		 answer;	/* of this size; 0: none */
	unsigned	 n;		/* datagrams */
	unsigned	 most;		/* that a packet was cut to */
} w;

static void
sent(void *arg, uint32_t sock, const struct inet_addr *to, const void *p,
    size_t len, unsigned ttl)
{
	(void)arg;
	(void)sock;
	(void)to;
	(void)p;
	(void)ttl;
	w.answer = w.passes(len, w.n++) ? len : 0;
}

static void
start(const atf_tc_t *tc, passes how)
{
	struct inet_addr ia;
	struct identity	 id;

	ATF_REQUIRE_EQ(crypto_init(), 0);
	vectors_identity(tc, "m1", &id);
	memset(&w, 0, sizeof(w));
	w.now = START;
	w.passes = how;
	ATF_REQUIRE((w.node = node_new(&id, &callbacks, NULL, w.now)) != NULL);
	memset(&id, 0, sizeof(id));
	id.id_addr = 0x1000000001;
	id.id_public[0] = 9;
	ATF_REQUIRE((w.peer = peer_add(w.node, w.now, &id)) != NULL);
	w.peer->pe_modern = true;
	ATF_REQUIRE_EQ(inet_parse("10.1.1.1/9993", &ia), 0);
	ATF_REQUIRE((w.path = path_get(w.node, w.now, 1, &ia)) != NULL);
	ATF_REQUIRE(peer_add_path(w.peer, w.path, w.now) != NULL);
	w.path->pa_latency = 1;
	w.path->pa_verified = true;
	w.n = 0;
}

/* Until it is known, other packets coming in all the time; how long, in ms. */
static int64_t
measure(void)
{
	int64_t	 begin = w.now;
	bool	 more = true;

	mtu_need(w.node, w.now, w.peer, w.path, 5000);
	while (more && w.now - begin < LONG) {
		if (w.answer != 0)
			mtu_answered(w.node, w.now, w.path, w.answer);
		w.answer = 0;
		w.now += TICK;
		w.path->pa_last_in = w.now;
		more = mtu_run(w.node, w.now, w.peer, w.path);
		if (w.path->pa_mtu > w.most)
			w.most = w.path->pa_mtu;
	}
	ATF_CHECK(!more);
	return (w.now - begin);
}

static bool
all(size_t len, unsigned before)
{
	(void)len;
	(void)before;
	return (true);
}

static bool
none(size_t len, unsigned before)
{
	(void)len;
	(void)before;
	return (false);
}

static bool
up_to_1300(size_t len, unsigned before)
{
	(void)before;
	return (len <= 1300);
}

static bool
up_to_1380(size_t len, unsigned before)
{
	(void)before;
	return (len <= 1380);
}

static bool
up_to_600(size_t len, unsigned before)
{
	(void)before;
	return (len <= 600);
}

static unsigned	seed;

/* Six of ten are lost, whatever their size. */
static bool
flooded(size_t len, unsigned before)
{
	(void)len;
	(void)before;
	seed = seed * 1664525 + 1013904223;
	return ((seed >> 16) % 10 >= 6);
}

/* The same, on a path that takes 1300 bytes at most. */
static bool
flooded_1300(size_t len, unsigned before)
{
	return (flooded(len, before) && len <= 1300);
}

/* As if nothing were known of it. */
static void
again(passes how, unsigned number)
{
	w.passes = how;
	w.path->pa_mtu = 0;
	w.path->pa_mtu_size = 0;
	w.path->pa_mtu_done = 0;
	seed = number * 7919;
}

/* Nothing limits it: one question. */
ATF_TC_WITHOUT_HEAD(wide);
ATF_TC_BODY(wide, tc)
{
	start(tc, all);
	(void)measure();
	ATF_CHECK_EQ(w.path->pa_mtu, 0);
	ATF_CHECK_EQ(w.n, 1);
	node_free(w.node, w.now);
}

ATF_TC_WITHOUT_HEAD(narrow);
ATF_TC_BODY(narrow, tc)
{
	int64_t	 ms;

	start(tc, up_to_1300);
	ms = measure();
	ATF_CHECK_EQ(w.path->pa_mtu, 1232);
	ATF_CHECK_MSG(ms <= 5000, "%lld ms", (long long)ms);
	node_free(w.node, w.now);

	start(tc, up_to_1380);
	ms = measure();
	ATF_CHECK_EQ(w.path->pa_mtu, 1363);
	ATF_CHECK_MSG(ms <= 4000, "%lld ms", (long long)ms);
	node_free(w.node, w.now);

	start(tc, up_to_600);
	ms = measure();
	ATF_CHECK_EQ(w.path->pa_mtu, 548);
	ATF_CHECK_MSG(ms <= 5000, "%lld ms", (long long)ms);
	node_free(w.node, w.now);
}

/* What is lost in a flood is not too large; a narrow path is found in one. */
ATF_TC_WITHOUT_HEAD(flood);
ATF_TC_BODY(flood, tc)
{
	unsigned	 i, wrong = 0, found = 0;

	start(tc, flooded);
	for (i = 0; i < 500; i++) {
		again(flooded, i);
		(void)measure();
		wrong += w.path->pa_mtu != 0;
		again(flooded_1300, i);
		(void)measure();
		found += w.path->pa_mtu == 1232;
	}
	node_free(w.node, w.now);
	ATF_CHECK_MSG(wrong <= 15, "%u of 500 are wrong", wrong);
	printf("%u wrong, %u found\n", wrong, found);
	ATF_CHECK_MSG(found >= 300, "%u of 500 are found", found);
}

/* A mistake does not last, and what is narrow stays so all the time. */
ATF_TC_WITHOUT_HEAD(anew);
ATF_TC_BODY(anew, tc)
{
	start(tc, up_to_1300);
	(void)measure();
	ATF_CHECK_EQ(w.path->pa_mtu, 1232);
	w.passes = all;
	w.now += 50000;
	(void)measure();
	ATF_CHECK_EQ(w.path->pa_mtu, 1232);
	w.now += 20000;
	(void)measure();
	ATF_CHECK_EQ(w.path->pa_mtu, 0);
	/* What was wide is asked seldom. */
	w.passes = up_to_600;
	w.now += 500000;
	(void)measure();
	ATF_CHECK_EQ(w.path->pa_mtu, 0);
	w.now += 100000;
	(void)measure();
	ATF_CHECK_EQ(w.path->pa_mtu, 548);
	w.now += 70000;
	w.most = 0;
	(void)measure();
	ATF_CHECK_EQ(w.path->pa_mtu, 548);
	ATF_CHECK_EQ(w.most, 548);
	node_free(w.node, w.now);
}

/* Where nothing passes there is nothing to be learnt. */
ATF_TC_WITHOUT_HEAD(silent);
ATF_TC_BODY(silent, tc)
{
	start(tc, none);
	(void)measure();
	ATF_CHECK_EQ(w.path->pa_mtu, 0);
	node_free(w.node, w.now);

	start(tc, none);
	w.path->pa_suspect = false;
	mtu_need(w.node, w.now, w.peer, w.path, 5000);
	w.path->pa_suspect = true;
	while (mtu_run(w.node, w.now, w.peer, w.path))
		w.now += TICK;
	ATF_CHECK(w.now - START <= 1000);
	ATF_CHECK_EQ(w.path->pa_mtu, 0);
	ATF_CHECK_EQ(w.path->pa_mtu_done, 0);	/* asked again when it is used */
	node_free(w.node, w.now);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, wide);
	ATF_TP_ADD_TC(tp, narrow);
	ATF_TP_ADD_TC(tp, flood);
	ATF_TP_ADD_TC(tp, anew);
	ATF_TP_ADD_TC(tp, silent);
	return (atf_no_error());
}
