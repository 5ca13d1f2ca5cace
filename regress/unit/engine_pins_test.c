/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What the engine sends while its addresses have to be pinned by the parent:
 * nothing to an address that is not.  Spec: 06 section 8.5.
 */

#include <sys/time.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "regress/lib/chanpair.h"
#include "regress/lib/quiet.h"
#include "regress/lib/vectors.h"
#include "ztd-net/engine.h"

static struct engine	 e;
static struct channel	*parent;	/* its end */
static struct inet_addr	 set[PINS_MAX];	/* as it was told last */
static size_t		 nset;
static uint32_t		 id;
static unsigned		 times;
static unsigned		 sent;		/* datagrams that left */
static char		 order[64];
static bool		 answering;

/* Of ztd-net's main.c and udp.c. */
int64_t
engine_now(void)
{
	struct timespec	 ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (1795000000000 + (int64_t)ts.tv_sec * 1000 +
	    ts.tv_nsec / 1000000);
}

void
engine_flush(struct engine *en)
{
	(void)en;
}

void
udp_send(struct engine *en, uint32_t sock, const struct inet_addr *to,
    const void *p, size_t len, unsigned ttl)
{
	if (en->e_pins != NULL && pins_hold(en, sock, to, p, len, ttl))
		return;
	ATF_CHECK_EQ(7, sock);
	ATF_CHECK_EQ(3, ttl);
	if (sent < sizeof(order) - 1)
		order[sent] = *(const char *)p;
	sent++;
}

static void
told(struct channel *ch, struct msg *m, void *arg)
{
	(void)arg;
	ATF_REQUIRE_EQ(MSG_PINS, m->m_type);
	ATF_REQUIRE(m->m_len <= sizeof(set));
	nset = m->m_len / sizeof(set[0]);
	memcpy(set, m->m_data, m->m_len);
	id = m->m_id;
	times++;
	if (answering)
		(void)channel_send(ch, MSG_PINNED, id, -1, NULL, 0);
}

static void
answered(struct channel *ch, struct msg *m, void *arg)
{
	(void)ch;
	(void)arg;
	pins_done(&e, m->m_id);
}

static void
run(unsigned ms)
{
	struct timeval	 tv = { ms / 1000, (int)(ms % 1000) * 1000 };

	event_base_loopexit(e.e_base, &tv);
	(void)event_base_dispatch(e.e_base);
}

static const struct node_callbacks callbacks = { .nc_send = quiet_send };

static void
set_up(const atf_tc_t *tc)
{
	struct identity	 identity;

	ATF_REQUIRE_EQ(crypto_init(), 0);
	vectors_identity(tc, "m1", &identity);
	ATF_REQUIRE((e.e_base = event_base_new()) != NULL);
	e.e_node = node_new(&identity, &callbacks, &e, engine_now());
	ATF_REQUIRE(e.e_node != NULL);
	e.e_parent = chanpair_new(e.e_base, answered, told, &parent);
}

static struct inet_addr
addr(unsigned k)
{
	struct inet_addr	 ia;

	memset(&ia, 0, sizeof(ia));
	ia.ia_family = 4;
	ia.ia_port = 9993;
	ia.ia_ip[0] = 8;
	ia.ia_ip[1] = (uint8_t)(k >> 16);
	ia.ia_ip[2] = (uint8_t)(k >> 8);
	ia.ia_ip[3] = (uint8_t)k;
	return (ia);
}

static void
say(unsigned k, char c)
{
	struct inet_addr	 to = addr(k);

	udp_send(&e, 7, &to, &c, 1, 3);
}

static bool
in_set(unsigned k)
{
	struct inet_addr	 ia = addr(k);
	size_t			 i;

	ia.ia_port = 0;
	for (i = 0; i < nset; i++)
		if (inet_equal(&set[i], &ia))
			return (true);
	return (false);
}

ATF_TC_WITHOUT_HEAD(not_needed);
ATF_TC_BODY(not_needed, tc)
{
	set_up(tc);
	say(1, 'a');
	pins_done(&e, 1);
	pins_mode(&e, false);
	ATF_CHECK_EQ(1, sent);
	run(20);
	ATF_CHECK_EQ(0, times);
}

ATF_TC_WITHOUT_HEAD(held);
ATF_TC_BODY(held, tc)
{
	const struct world	*w;
	unsigned		 i, k;
	size_t			 roots;

	set_up(tc);
	pins_mode(&e, true);
	pins_mode(&e, true);
	run(20);
	/* All addresses of all roots, though we talk to none of them. */
	ATF_REQUIRE_EQ(1, times);
	roots = nset;
	w = node_planet(e.e_node);
	for (i = k = 0; i < w->w_nroots; i++)
		k += w->w_roots[i].wr_nendpoints;
	ATF_CHECK(k > 0 && roots > 0 && roots <= k);
	pins_done(&e, id);

	/* A burst: held, told in one set, and let go in its order. */
	say(1, 'a');
	say(2, 'b');
	say(1, 'c');
	ATF_CHECK_EQ(0, sent);
	run(20);
	ATF_CHECK_EQ(2, times);
	ATF_CHECK_EQ(roots + 2, nset);
	ATF_CHECK(in_set(1) && in_set(2));
	ATF_CHECK_EQ(0, sent);
	/* Not by word of another set. */
	pins_done(&e, id + 1);
	pins_done(&e, id - 1);
	ATF_CHECK_EQ(0, sent);
	pins_done(&e, id);
	ATF_CHECK_EQ(3, sent);
	ATF_CHECK_STREQ("abc", order);
	/* From now on at once. */
	say(2, 'd');
	ATF_CHECK_EQ(4, sent);
	run(20);
	ATF_CHECK_EQ(2, times);

	/* No answer: lost, and with the answer others are not. */
	say(3, 'e');
	run(120);
	ATF_CHECK_EQ(4, sent);
	say(3, 'f');
	ATF_CHECK_EQ(4, sent);
	pins_done(&e, id);
	ATF_CHECK_EQ(5, sent);
	ATF_CHECK_STREQ("abcdf", order);

	/* Not needed any more: what waits goes. */
	say(4, 'g');
	ATF_CHECK_EQ(5, sent);
	pins_mode(&e, false);
	ATF_CHECK_EQ(6, sent);
	say(5, 'h');
	ATF_CHECK_EQ(7, sent);

	/* Again: answers to what was told before do not count. */
	k = id;
	pins_mode(&e, true);
	run(20);
	ATF_CHECK(id > k);
	pins_done(&e, k);
	say(5, 'i');
	ATF_CHECK_EQ(7, sent);
}

ATF_TC_WITHOUT_HEAD(limits);
ATF_TC_BODY(limits, tc)
{
	unsigned	 i, before;

	set_up(tc);
	answering = true;
	pins_mode(&e, true);
	run(20);
	before = (unsigned)nset;
	/* What is held has its limit. */
	for (i = 0; i < 500; i++)
		say(i, 'x');
	run(20);
	ATF_CHECK_MSG(sent <= 128, "%u", sent);
	ATF_CHECK_EQ(before + 500, nset);
	/* The set has, too: those that were not used for longest leave. */
	for (i = 500; i < 3000; i++) {
		say(i, 'x');
		if (i % 100 == 0)
			run(10);
	}
	run(50);
	ATF_CHECK_EQ(PINS_MAX, nset);
	ATF_CHECK(in_set(2999));
	ATF_CHECK(!in_set(0));
	ATF_CHECK_MSG(times < 60, "%u", times);
	sent = 0;
	say(2999, 'x');
	ATF_CHECK_EQ(1, sent);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, not_needed);
	ATF_TP_ADD_TC(tp, held);
	ATF_TP_ADD_TC(tp, limits);
	return (atf_no_error());
}
