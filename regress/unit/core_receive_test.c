/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Batches of datagrams as the kernel gives them: pieces of packets behind
 * each other, with and without room, in any order and incomplete.  Every
 * packet of which all pieces came arrives once, whole, and nothing beside it
 * is touched.  Spec: 02 sections 6 and 7.
 */

#include <stdlib.h>
#include <string.h>

#include "regress/lib/rig.h"

#define LIST	64
#define SLOT	PACKET_MAX
#define GUARD	0xa5

static struct {
	struct node_datagram	 nd[LIST];
	size_t			 n;
	struct inet_addr	 from;
	uint8_t			*mem;
	size_t			 used;
	bool			 slots;	/* each in one of its own */
} b;

static void
batch_start(bool slots)
{
	b.n = 0;
	b.used = 0;
	b.slots = slots;
	if (b.mem == NULL)
		ATF_REQUIRE((b.mem = malloc(LIST * (SLOT + 1))) != NULL);
	memset(b.mem, GUARD, LIST * (SLOT + 1));
	rig_where(MEMBER, &b.from);
}

static void
batch_add(const uint8_t *p, size_t len)
{
	struct node_datagram	*nd = &b.nd[b.n];

	ATF_REQUIRE(b.n < LIST);
	nd->nd_from = &b.from;
	nd->nd_data = b.mem + (b.slots ? b.n * (SLOT + 1) : b.used);
	nd->nd_len = len;
	nd->nd_room = b.slots ? SLOT : len;
	memcpy(nd->nd_data, p, len);
	b.used += len;
	b.n++;
}

/* How many messages this batch brought. */
static unsigned
batch_give(void)
{
	unsigned	 before = rig.messages;
	size_t		 i;

	node_datagrams(rig.node, rig.now, SOCK, b.nd, b.n);
	for (i = 0; b.slots && i < b.n; i++)
		ATF_CHECK_EQ(b.mem[i * (SLOT + 1) + SLOT], GUARD);
	ATF_CHECK_EQ(b.mem[LIST * (SLOT + 1) - 1], GUARD);
	return (rig.messages - before);
}

/* A sealed message of so many bytes; compressed: much shorter then. */
static size_t
message(uint8_t *p, size_t payload, bool compressed, size_t mtu)
{
	struct wbuf	 wb;
	size_t		 len, i;

	wbuf_init(&wb, p, PACKET_MAX);
	packet_header(&wb, rig.packet++, rig.ids[ME].id_addr,
	    rig.ids[MEMBER].id_addr, VERB_USER_MESSAGE);
	wbuf_u64(&wb, 7);
	for (i = 0; i < payload; i++)
		wbuf_u8(&wb, compressed ? 0 : (uint8_t)arc4random());
	ATF_REQUIRE(wbuf_ok(&wb));
	len = compressed ? packet_compress(p, wb.wb_len) : wb.wb_len;
	if (packet_fragments(len, mtu) > 1)
		p[PACKET_IDX_FLAGS] |= FLAG_FRAGMENTED;
	packet_seal(p, len, SUITE_AES_GMAC_SIV, &rig.keys[MEMBER]);
	return (len);
}

/* Piece k of a packet into the batch. */
static void
add_piece(const uint8_t *p, size_t len, size_t mtu, unsigned k)
{
	uint8_t		 out[PACKET_MAX];
	unsigned	 total = packet_fragments(len, mtu);

	if (k == 0)
		batch_add(p, total == 1 ? len : mtu);
	else
		batch_add(out, packet_fragment(out, p, len, mtu, k, total));
}

static void
add_all(const uint8_t *p, size_t len, size_t mtu)
{
	unsigned	 k;

	for (k = 0; k < packet_fragments(len, mtu); k++)
		add_piece(p, len, mtu, k);
}

ATF_TC_WITHOUT_HEAD(in_a_row);
ATF_TC_BODY(in_a_row, tc)
{
	uint8_t		 p[PACKET_MAX];
	unsigned	 slots, i, got = 0;

	rig_start(tc);
	for (slots = 0; slots < 2; slots++) {
		batch_start(slots != 0);
		for (i = 0; i < 12; i++)
			add_all(p, message(p, 300 + 700 * (i % 10), false,
			    1432), 1432);
		got += batch_give();
		ATF_CHECK_EQ(got, 12 * (slots + 1));
	}
	/* None is taken twice. */
	batch_start(false);
	add_all(p, message(p, 2800, false, 1432), 1432);
	add_all(p, b.n > 0 ? 2800 + PACKET_HDR + 8 : 0, 1432);
	ATF_CHECK_EQ(batch_give(), 1);
	rig_end();
}

/* Compressed ones have room to grow, wherever they lie. */
ATF_TC_WITHOUT_HEAD(compressed);
ATF_TC_BODY(compressed, tc)
{
	uint8_t		 p[PACKET_MAX];
	unsigned	 i;

	rig_start(tc);
	batch_start(false);
	for (i = 0; i < 14; i++)
		add_all(p, message(p, 9000, i % 2 == 0, 1432), 1432);
	ATF_CHECK_EQ(batch_give(), 14);
	rig_end();
}

/* Pieces that lie, or are of another packet: nothing comes of them. */
ATF_TC_WITHOUT_HEAD(odd_pieces);
ATF_TC_BODY(odd_pieces, tc)
{
	uint8_t		 p[PACKET_MAX], q[PACKET_MAX];
	size_t		 len;
	unsigned	 slots;

	rig_start(tc);
	for (slots = 0; slots < 2; slots++) {
		len = message(p, 2800, false, 1432);
		(void)message(q, 2800, false, 1432);
		/* The tail of another, then its own. */
		batch_start(slots != 0);
		add_piece(p, len, 1432, 0);
		add_piece(q, len, 1432, 1);
		add_piece(p, len, 1432, 1);
		ATF_CHECK_EQ(batch_give(), 1);
		batch_start(slots != 0);
		add_piece(q, len, 1432, 0);
		ATF_CHECK_EQ(batch_give(), 1);

		/* From elsewhere; it says that there are more; the end. */
		len = message(p, 2800, false, 1432);
		batch_start(slots != 0);
		add_piece(p, len, 1432, 0);
		add_piece(p, len, 1432, 1);
		b.nd[1].nd_data[14] = 0x71;
		add_piece(p, len, 1432, 0);
		ATF_CHECK_EQ(batch_give(), 0);

		/* Longer together than any packet. */
		len = message(p, 9900, false, 5000);
		batch_start(slots != 0);
		batch_add(p, 9000);
		add_piece(p, len, 5000, 1);
		ATF_CHECK_EQ(batch_give(), 0);

		/* Headers and less. */
		len = message(p, 2800, false, 1432);
		batch_start(slots != 0);
		add_piece(p, len, 1432, 0);
		add_piece(p, len, 1432, 1);
		b.nd[1].nd_len = FRAGMENT_HDR;
		add_piece(p, len, 1432, 0);
		b.nd[2].nd_len = PACKET_MIN - 1;
		batch_add(p, 1);
		ATF_CHECK_EQ(batch_give(), 0);
	}
	rig_end();
}

/* Any order, any losses: the same as by the datagram. */
ATF_TC_WITHOUT_HEAD(any_order);
ATF_TC_BODY(any_order, tc)
{
	static uint8_t	 p[8][PACKET_MAX];
	size_t		 len[8], mtu;
	struct {
		unsigned i, k;
	}		 piece[LIST], tmp;
	unsigned	 turn, i, k, n, want, lost[8], j;

	rig_start(tc);
	for (turn = 0; turn < 400; turn++) {
		mtu = 600 + arc4random_uniform(900);
		n = 0;
		for (i = 0; i < 8; i++) {
			lost[i] = 0;
			len[i] = message(p[i], 100 + arc4random_uniform(3500),
			    arc4random_uniform(8) == 0, mtu);
			if (len[i] > 7 * (mtu - FRAGMENT_HDR))
				len[i] = message(p[i], 50, false, mtu);
			for (k = 0; k < packet_fragments(len[i], mtu); k++) {
				if (arc4random_uniform(20) == 0) {
					lost[i]++;
					continue;
				}
				piece[n].i = i;
				piece[n++].k = k;
			}
		}
		for (j = arc4random_uniform(6); j > 0 && n > 1; j--) {
			i = arc4random_uniform(n - 1);
			tmp = piece[i];
			piece[i] = piece[i + 1];
			piece[i + 1] = tmp;
		}
		batch_start(turn % 2 == 0);
		for (j = 0; j < n; j++)
			add_piece(p[piece[j].i], len[piece[j].i], mtu,
			    piece[j].k);
		for (want = 0, i = 0; i < 8; i++)
			want += lost[i] == 0;
		ATF_REQUIRE_EQ(batch_give(), want);
		rig_pass(100);
	}
	rig_end();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, in_a_row);
	ATF_TP_ADD_TC(tp, compressed);
	ATF_TP_ADD_TC(tp, odd_pieces);
	ATF_TP_ADD_TC(tp, any_order);
	return (atf_no_error());
}
