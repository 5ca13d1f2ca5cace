/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What the core counts for the metrics.
 */

#include <string.h>

#include "regress/lib/rig.h"

#define TC(name, text)							\
	ATF_TC(name);							\
	ATF_TC_HEAD(name, tc)						\
	{								\
		atf_tc_set_md_var(tc, "descr", text);			\
	}								\
	ATF_TC_BODY(name, tc)

static struct node_peer_counts	 seen[WHO];
static unsigned			 nseen;

static void
see(const struct node_peer_counts *np, void *arg)
{
	(void)arg;
	if (nseen < WHO)
		seen[nseen++] = *np;
}

/* Of this one, which must be there. */
static const struct node_peer_counts *
counts_of(enum who who)
{
	unsigned	 i;

	nseen = 0;
	node_each_peer_counts(rig.node, rig.now, WHO, see, NULL);
	for (i = 0; i < nseen; i++)
		if (seen[i].np_addr == rig.ids[who].id_addr)
			return (&seen[i]);
	atf_tc_fail("peer %d is not told of", (int)who);
}

static void
give_echo(enum who who)
{
	struct wbuf	 wb;
	uint8_t		 bytes[8];

	wbuf_init(&wb, bytes, sizeof(bytes));
	wbuf_u64(&wb, 4711);
	rig_give(who, VERB_ECHO, &wb);
}

TC(packets, "by type and by peer, out and in")
{
	struct node_counts		 before, after;
	const struct node_peer_counts	*np;
	uint64_t			 in, out;

	rig_start(tc);
	node_counts(rig.node, &before);
	np = counts_of(MEMBER);
	out = np->np_packets[0];
	in = np->np_packets[1];
	give_echo(MEMBER);
	node_counts(rig.node, &after);
	ATF_CHECK_EQ(after.nk_packets[1][VERB_ECHO],
	    before.nk_packets[1][VERB_ECHO] + 1);
	ATF_CHECK_EQ(after.nk_packets[0][VERB_OK],
	    before.nk_packets[0][VERB_OK] + 1);
	np = counts_of(MEMBER);
	ATF_CHECK_EQ(np->np_packets[1], in + 1);
	ATF_CHECK_EQ(np->np_packets[0], out + 1);
	ATF_CHECK_EQ(np->np_forged, 0);
	rig_end();
}

TC(errors, "ERRORs by their code")
{
	struct node_counts	 nk;
	struct wbuf		 wb;
	uint8_t			 bytes[32];

	rig_start(tc);
	wbuf_init(&wb, bytes, sizeof(bytes));
	wbuf_u8(&wb, VERB_WHOIS);
	wbuf_u64(&wb, 1);
	wbuf_u8(&wb, ERR_OBJ_NOT_FOUND);
	rig_give(MEMBER, VERB_ERROR, &wb);
	/* A code that there is not is no place in a table. */
	bytes[9] = 0xff;
	rig_give(MEMBER, VERB_ERROR, &wb);
	/* Asked for a configuration, one who is no controller says so. */
	wbuf_init(&wb, bytes, sizeof(bytes));
	wbuf_u64(&wb, 0x1122334455667788);
	wbuf_u16(&wb, 0);
	rig_give(MEMBER, VERB_NETWORK_CONFIG_REQUEST, &wb);
	node_counts(rig.node, &nk);
	ATF_CHECK_EQ(nk.nk_errors[1][ERR_OBJ_NOT_FOUND], 1);
	ATF_CHECK_EQ(nk.nk_packets[1][VERB_ERROR], 2);
	ATF_CHECK_EQ(nk.nk_errors[0][ERR_UNSUPPORTED_OPERATION], 1);
	ATF_CHECK_EQ(nk.nk_packets[0][VERB_ERROR], 1);
	rig_end();
}

TC(forged, "what does not open is counted for the one it names")
{
	struct node_status	 before, after;
	struct packet_keys	 keys;

	rig_start(tc);
	node_status(rig.node, rig.now, &before);
	keys = rig.keys[MEMBER];
	rig.keys[MEMBER] = rig.keys[STRANGER];
	give_echo(MEMBER);
	rig.keys[MEMBER] = keys;
	node_status(rig.node, rig.now, &after);
	ATF_CHECK_EQ(after.ns_forged, before.ns_forged + 1);
	ATF_CHECK_EQ(counts_of(MEMBER)->np_forged, 1);
	ATF_CHECK_EQ(counts_of(CONTROLLER)->np_forged, 0);
	rig_end();
}

TC(order, "who was heard last comes first, and no more than asked for")
{
	rig_start(tc);
	rig_pass(1000);
	give_echo(MEMBER);
	rig_pass(1000);
	give_echo(CONTROLLER);
	nseen = 0;
	node_each_peer_counts(rig.node, rig.now, 2, see, NULL);
	ATF_CHECK_EQ(nseen, 2);
	ATF_CHECK_EQ(seen[0].np_addr, rig.ids[CONTROLLER].id_addr);
	ATF_CHECK_EQ(seen[1].np_addr, rig.ids[MEMBER].id_addr);
	rig_end();
}

TC(latency, "values go into the first bucket whose bound they keep")
{
	struct histogram	 hi;

	(void)tc;
	memset(&hi, 0, sizeof(hi));
	histogram_add(&hi, histogram_latency, 0);
	histogram_add(&hi, histogram_latency, 1);
	histogram_add(&hi, histogram_latency, 2);
	histogram_add(&hi, histogram_latency, 1000);
	histogram_add(&hi, histogram_latency, 1001);
	ATF_CHECK_EQ(hi.hi_counts[0], 2);
	ATF_CHECK_EQ(hi.hi_counts[1], 1);
	ATF_CHECK_EQ(hi.hi_counts[HISTOGRAM_BOUNDS - 1], 1);
	ATF_CHECK_EQ(hi.hi_counts[HISTOGRAM_BOUNDS], 1);
	ATF_CHECK_EQ(hi.hi_sum, 2004);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, packets);
	ATF_TP_ADD_TC(tp, errors);
	ATF_TP_ADD_TC(tp, forged);
	ATF_TP_ADD_TC(tp, order);
	ATF_TP_ADD_TC(tp, latency);
	return (atf_no_error());
}
