/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Merging frames on their way to a tap: regress/lib/mergecheck.c cuts all
 * that comes out and compares it with what went in; here is what goes in,
 * and how much of it has to become one.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atf-c.h>

#include "regress/lib/mergecheck.h"
#include "regress/lib/mergeframe.h"
#include "ztd-net/merge.h"

#define ALL	(OFFLOAD_CAN_CSUM | OFFLOAD_CAN_TCP | OFFLOAD_CAN_UDP)
#define ETH	14
#define SEG	1400

static struct mergecheck	mc;
static uint8_t			frame[MF_MAX + 8];

static void
put(const struct mergeframe *mf)
{
	mergecheck_put(&mc, 0, ALL, frame, mergeframe_make(frame, mf));
}

/* The one that follows it. */
static void
next(struct mergeframe *mf)
{
	mf->mf_seq += (uint32_t)mf->mf_payload;
	mf->mf_fill += (uint32_t)mf->mf_payload;
	mf->mf_id++;
}

static void
end(unsigned out, unsigned super, unsigned merged)
{
	mergecheck_flush(&mc);
	ATF_CHECK_MSG(mc.mc_error == NULL, "%s", mc.mc_error);
	ATF_CHECK_EQ(out, mc.mc_out);
	ATF_CHECK_EQ(super, mc.mc_super);
	ATF_CHECK_EQ(merged, mc.mc_merged);
	mergecheck_free(&mc);
}

/* Every kind: TCP and UDP, IPv4 and IPv6, with DF and without. */
#define KINDS	6

static const char *
kind(struct mergeframe *mf, unsigned k)
{
	static const char	*names[KINDS] = { "TCP over IPv4",
	    "TCP over IPv6", "UDP over IPv4", "UDP over IPv6",
	    "TCP over IPv4 without DF", "UDP over IPv4 without DF" };

	mergeframe_init(mf, k == 1 || k == 3, k == 2 || k == 3 || k == 5);
	mf->mf_df = k < 4;
	mf->mf_payload = SEG;
	return (names[k]);
}

ATF_TC_WITHOUT_HEAD(run);
ATF_TC_BODY(run, tc)
{
	struct mergeframe	 mf;
	unsigned		 k, i;

	(void)tc;
	for (k = 0; k < KINDS; k++) {
		printf("%s\n", kind(&mf, k));
		mergecheck_init(&mc);
		for (i = 0; i < 10; i++, next(&mf))
			put(&mf);
		ATF_CHECK_EQ(0, mc.mc_out);
		/* A shorter one ends it at once. */
		mf.mf_payload = 301;
		put(&mf);
		ATF_CHECK_EQ(1, mc.mc_out);
		ATF_CHECK_EQ(11, mc.mc_merged);
		next(&mf);
		put(&mf);
		end(2, 1, 11);
	}
}

ATF_TC_WITHOUT_HEAD(alone);
ATF_TC_BODY(alone, tc)
{
	struct mergeframe	 mf;
	unsigned		 k;

	(void)tc;
	for (k = 0; k < KINDS; k++) {
		(void)kind(&mf, k);
		mergecheck_init(&mc);
		put(&mf);
		ATF_CHECK_EQ(0, mc.mc_out);
		mergecheck_flush(&mc);
		mergecheck_flush(&mc);
		/* After a flush nothing is left to follow. */
		next(&mf);
		put(&mf);
		end(2, 0, 0);
	}
}

ATF_TC_WITHOUT_HEAD(push);
ATF_TC_BODY(push, tc)
{
	struct mergeframe	 mf;
	unsigned		 v6;

	(void)tc;
	for (v6 = 0; v6 < 2; v6++) {
		mergeframe_init(&mf, v6, false);
		mf.mf_payload = SEG;
		mergecheck_init(&mc);
		mf.mf_flags |= MF_PSH;
		put(&mf);
		ATF_CHECK_EQ(1, mc.mc_out);
		next(&mf);
		mf.mf_flags = MF_ACK;
		put(&mf);
		next(&mf);
		put(&mf);
		next(&mf);
		mf.mf_flags |= MF_PSH;
		put(&mf);
		ATF_CHECK_EQ(2, mc.mc_out);
		ATF_CHECK_EQ(3, mc.mc_merged);
		end(2, 1, 3);
	}
}

/* What the second frame must not be, to join the first. */
enum change {
	NOTHING, MACS, ETHERTYPE, TOS, TTL, LONGER, EMPTY, PADDED, TRUNCATED,
	PAYLOAD_BIT, PORT, ADDRESS,
	IP_SUM, IP_SUM_ALL, DF, IP_ID, MORE, OFFSET, IP_OPTION, IP_TOTAL,
	FLOW_LABEL, V6_LENGTH, V6_NEXT,
	SEQ_GAP, SEQ_BACK, ACK_NUMBER, WINDOW, NO_ACK, F_FIN, F_SYN, F_RST,
	F_URG, F_ECE, F_CWR, F_NS, URGENT, OPTION_BYTE, OPTION_MORE,
	TCP_OFFSET, TCP_OFFSET_LOW,
	UDP_NO_SUM, UDP_LENGTH, CHANGES
};

#define TCP	0x01
#define UDP	0x02
#define V4	0x04
#define V6	0x08
#define NODF	0x10	/* and TCP */

static unsigned
concerns(enum change c)
{
	if (c >= UDP_NO_SUM)
		return (V4 | V6 | UDP);
	if (c >= SEQ_GAP)
		return (V4 | V6 | TCP);
	if (c >= FLOW_LABEL)
		return (V6 | TCP | UDP);
	if (c == IP_ID)
		return (V4 | TCP | NODF);
	if (c >= IP_SUM)
		return (V4 | TCP | UDP);
	return (V4 | V6 | TCP | UDP);
}

static void
change_fields(struct mergeframe *mf, enum change c)
{
	static const uint8_t	 flags[] = { MF_FIN, MF_SYN, MF_RST, MF_URG,
	    MF_ECE, MF_CWR };

	switch (c) {
	case MACS:	mf->mf_src[5]++; break;
	case TOS:	mf->mf_tos ^= 0x10; break;
	case TTL:	mf->mf_ttl--; break;
	case LONGER:	mf->mf_payload++; break;
	case EMPTY:	mf->mf_payload = 0; break;
	case PORT:	mf->mf_dport++; break;
	case ADDRESS:	mf->mf_to[3] ^= 0x10; break;
	case DF:	mf->mf_df = !mf->mf_df; break;
	case IP_ID:	mf->mf_id++; break;
	case SEQ_GAP:	mf->mf_seq++; break;
	case SEQ_BACK:	mf->mf_seq -= SEG; break;
	case ACK_NUMBER: mf->mf_ack += 0x10000; break;
	case WINDOW:	mf->mf_window--; break;
	case NO_ACK:	mf->mf_flags = 0; break;
	case OPTION_BYTE: mf->mf_options[11]++; break;
	case OPTION_MORE: mf->mf_optlen += 4; break;
	default:
		if (c >= F_FIN && c <= F_CWR)
			mf->mf_flags |= flags[c - F_FIN];
	}
}

/* In the frame, its checksums to be put right afterwards. */
static void
change_bytes(uint8_t *f, bool v6, enum change c)
{
	uint8_t	*ip = f + ETH, *t = ip + (v6 ? 40 : 20);

	switch (c) {
	case ETHERTYPE:	f[12] ^= 0x80; break;
	case MORE:	ip[6] |= 0x20; break;
	case OFFSET:	ip[7] = 1; break;
	case IP_OPTION:	ip[0]++; break;
	case IP_TOTAL:	ip[3]++; break;
	case FLOW_LABEL: ip[3]++; break;
	case V6_LENGTH:	ip[5]++; break;
	case V6_NEXT:	ip[6] = 43; break;
	case F_NS:	t[12] |= 0x01; break;
	case URGENT:	t[19]++; break;
	case TCP_OFFSET: t[12] = 0xf0; break;
	case TCP_OFFSET_LOW: t[12] = 0x40; break;
	case UDP_LENGTH: t[5]--; break;
	default:	break;
	}
}

static size_t
change_last(uint8_t *f, size_t len, const struct mergeframe *mf,
    enum change c)
{
	uint8_t	*ip = f + ETH;

	switch (c) {
	case PAYLOAD_BIT:
		f[len - 1] ^= 1;
		break;
	case IP_SUM:
		ip[11] ^= 1;
		break;
	case IP_SUM_ALL:
		ip[10] = ip[11] = 0xff;
		break;
	case UDP_NO_SUM:
		memset(ip + (mf->mf_v6 ? 46 : 26), 0, 2);
		break;
	case PADDED:
		memset(f + len, 0, 4);
		return (len + 4);
	case TRUNCATED:
		return (len - 4);
	default:
		break;
	}
	return (len);
}

static void
changed(unsigned k, enum change c, bool first)
{
	struct mergeframe	 mf, other;
	size_t			 len;
	unsigned		 i;

	(void)kind(&mf, k);
	mf.mf_optlen = mf.mf_udp ? 0 : 12;
	mergecheck_init(&mc);
	for (i = 0; i < 2; i++, next(&mf)) {
		other = mf;
		if ((i == 0) == first)
			change_fields(&other, c);
		len = mergeframe_make(frame, &other);
		if ((i == 0) == first) {
			change_bytes(frame, mf.mf_v6, c);
			mergeframe_sums(frame, len);
			len = change_last(frame, len, &mf, c);
		}
		mergecheck_put(&mc, 0, ALL, frame, len);
	}
	if (c == NOTHING)
		end(1, 1, 2);
	else
		end(2, 0, 0);
}

ATF_TC_WITHOUT_HEAD(apart);
ATF_TC_BODY(apart, tc)
{
	struct mergeframe	 mf;
	unsigned		 c, k, has, needs;

	(void)tc;
	for (c = 0; c < CHANGES; c++) {
		needs = concerns(c);
		for (k = 0; k < KINDS; k++) {
			printf("change %u, %s\n", c, kind(&mf, k));
			has = (mf.mf_udp ? UDP : TCP) | (mf.mf_v6 ? V6 : V4) |
			    (k == 4 ? NODF : 0);
			if ((has & needs & (TCP | UDP)) == 0 ||
			    (has & needs & (V4 | V6)) == 0 ||
			    (needs & NODF & ~has) != 0)
				continue;
			changed(k, c, false);
			/* Of the first, a shorter one is fine. */
			if (c != LONGER)
				changed(k, c, true);
		}
	}
}

/*
 * Behind those that wait there is one whose payload was damaged, and whose
 * flags must not become theirs; then the right one.
 */
ATF_TC_WITHOUT_HEAD(unsound);
ATF_TC_BODY(unsound, tc)
{
	struct mergeframe	 mf, other;
	size_t			 len;
	unsigned		 k, i;

	(void)tc;
	for (k = 0; k < KINDS; k++) {
		printf("%s\n", kind(&mf, k));
		mergecheck_init(&mc);
		for (i = 0; i < 3; i++, next(&mf))
			put(&mf);
		other = mf;
		if (!mf.mf_udp)
			other.mf_flags |= MF_PSH;
		len = mergeframe_make(frame, &other);
		frame[len - SEG / 2] ^= 0x10;
		mergecheck_put(&mc, 0, ALL, frame, len);
		ATF_CHECK_EQ(3, mc.mc_merged);
		put(&mf);
		end(3, 1, 3);
	}
}

/*
 * A sum has two forms of zero, and would be cut off in the one that is
 * computed: with the other, which is right too (or none, in UDP), a frame
 * goes alone.
 */
static void
zero_sum(bool udp, size_t at, uint8_t computed, uint8_t other)
{
	struct mergeframe	 mf;
	unsigned		 n, form;
	size_t			 len = 0;

	mergeframe_init(&mf, false, udp);
	mf.mf_payload = 100;
	for (n = 0; n < 0x10000; n++) {
		mf.mf_id = mf.mf_sport = (uint16_t)n;
		len = mergeframe_make(frame, &mf);
		if (frame[at] == computed && frame[at + 1] == computed)
			break;
	}
	ATF_REQUIRE(n < 0x10000);
	for (form = 0; form < 2; form++) {
		mergecheck_init(&mc);
		len = mergeframe_make(frame, &mf);
		if (form == 1)
			frame[at] = frame[at + 1] = other;
		mergecheck_put(&mc, 0, ALL, frame, len);
		next(&mf);
		put(&mf);
		if (form == 0)
			end(1, 1, 2);
		else
			end(2, 0, 0);
		mf.mf_seq -= 100;
		mf.mf_fill -= 100;
		mf.mf_id--;
	}
}

ATF_TC_WITHOUT_HEAD(zero_sums);
ATF_TC_BODY(zero_sums, tc)
{
	(void)tc;
	zero_sum(false, ETH + 10, 0, 0xff);
	zero_sum(false, ETH + 20 + 16, 0, 0xff);
	zero_sum(true, ETH + 20 + 6, 0xff, 0);
}

ATF_TC_WITHOUT_HEAD(can);
ATF_TC_BODY(can, tc)
{
	struct mergeframe	 mf;
	unsigned		 k, c, i;
	bool			 joins;
	size_t			 len;

	(void)tc;
	for (k = 0; k < KINDS; k++)
		for (c = 0; c <= ALL; c++) {
			(void)kind(&mf, k);
			joins = (c & (mf.mf_udp ? OFFLOAD_CAN_UDP :
			    OFFLOAD_CAN_TCP)) != 0;
			mergecheck_init(&mc);
			for (i = 0; i < 3; i++, next(&mf)) {
				len = mergeframe_make(frame, &mf);
				mergecheck_put(&mc, 0, c, frame, len);
			}
			ATF_CHECK_EQ(joins ? 0 : 3, mc.mc_out);
			end(joins ? 1 : 3, joins, joins ? 3 : 0);
		}
}

ATF_TC_WITHOUT_HEAD(limits);
ATF_TC_BODY(limits, tc)
{
	struct mergeframe	 mf;
	unsigned		 k, i;
	size_t			 headers;

	(void)tc;
	for (k = 0; k < KINDS; k++) {
		printf("%s\n", kind(&mf, k));
		headers = (mf.mf_v6 ? 40 : 20) + (mf.mf_udp ? 8 : 20);
		/* So many segments, */
		mf.mf_payload = 100;
		mergecheck_init(&mc);
		for (i = 0; i < 2 * MERGE_SEGS + 1; i++, next(&mf))
			put(&mf);
		end(3, 2, 2 * MERGE_SEGS);
		/* or so many bytes: to the last, */
		mf.mf_payload = 13000;
		mergecheck_init(&mc);
		for (i = 0; i < 5; i++, next(&mf))
			put(&mf);
		mf.mf_payload = 65535 - headers - 65000;
		put(&mf);
		ATF_CHECK_EQ(65535 + ETH, mc.mc_longest);
		end(1, 1, 6);
		/* and one more. */
		mf.mf_payload = 13000;
		mergecheck_init(&mc);
		for (i = 0; i < 5; i++, next(&mf))
			put(&mf);
		mf.mf_payload = 65536 - headers - 65000;
		put(&mf);
		end(2, 1, 5);
		/* The longest that there are. */
		mf.mf_payload = 65535 - headers;
		mergecheck_init(&mc);
		put(&mf);
		next(&mf);
		put(&mf);
		end(2, 0, 0);
	}
}

ATF_TC_WITHOUT_HEAD(flows);
ATF_TC_BODY(flows, tc)
{
	struct mergeframe	 mf[40];
	unsigned		 i, n, round;

	(void)tc;
	for (n = 8; n <= 40; n += 32) {
		mergecheck_init(&mc);
		for (i = 0; i < n; i++) {
			mergeframe_init(&mf[i], i % 2, i / 2 % 2);
			mf[i].mf_sport = (uint16_t)(i / 4);
			mf[i].mf_payload = 500 + i;
		}
		for (round = 0; round < 5; round++)
			for (i = 0; i < n; i++, next(&mf[i - 1]))
				put(&mf[i]);
		/* Those for which there was no room went straight out. */
		if (n <= MERGE_FLOWS)
			end(n, n, 5 * n);
		else
			end(MERGE_FLOWS + 5 * (n - MERGE_FLOWS), MERGE_FLOWS,
			    5 * MERGE_FLOWS);
	}
}

/* Flows of which ports, addresses and all are alike when added up. */
ATF_TC_WITHOUT_HEAD(alike);
ATF_TC_BODY(alike, tc)
{
	struct mergeframe	 mf[4];
	unsigned		 i, round, k;

	(void)tc;
	for (k = 0; k < 4; k++) {
		mergecheck_init(&mc);
		for (i = 0; i < 4; i++) {
			(void)kind(&mf[i], k);
			mf[i].mf_from[mf->mf_v6 ? 15 : 3] ^= i & 1;
			mf[i].mf_to[mf->mf_v6 ? 15 : 3] ^= i & 1;
			if (i & 2) {
				mf[i].mf_from[2] ^= 1;
				mf[i].mf_to[2] ^= 1;
			}
		}
		for (round = 0; round < 3; round++)
			for (i = 0; i < 4; i++, next(&mf[i - 1]))
				put(&mf[i]);
		end(4, 4, 12);
	}
}

ATF_TC_WITHOUT_HEAD(order);
ATF_TC_BODY(order, tc)
{
	static uint8_t		 arp[ETH + 28];
	struct mergeframe	 mf, other;

	(void)tc;
	mergeframe_init(&mf, false, false);
	mf.mf_payload = SEG;
	mergecheck_init(&mc);
	put(&mf);
	next(&mf);
	put(&mf);
	/* Another flow may pass. */
	other = mf;
	other.mf_sport++;
	other.mf_payload = 0;
	put(&other);
	ATF_CHECK_EQ(1, mc.mc_out);
	/* Something of the same two hosts may not. */
	memcpy(arp, frame, 12);
	arp[12] = 0x08;
	arp[13] = 0x06;
	arp[11] ^= 1;
	mergecheck_put(&mc, 0, ALL, arp, sizeof(arp));
	arp[11] ^= 1;
	mergecheck_put(&mc, 1, ALL, arp, sizeof(arp));
	ATF_CHECK_EQ(3, mc.mc_out);
	mergecheck_put(&mc, 0, ALL, arp, sizeof(arp));
	ATF_CHECK_EQ(5, mc.mc_out);
	ATF_CHECK_EQ(1, mc.mc_super);
	/* An ACK in the stream does not pass what is before it. */
	next(&mf);
	put(&mf);
	next(&mf);
	put(&mf);
	next(&mf);
	mf.mf_payload = 0;
	put(&mf);
	ATF_CHECK_EQ(7, mc.mc_out);
	end(7, 2, 4);
}

ATF_TC_WITHOUT_HEAD(several_taps);
ATF_TC_BODY(several_taps, tc)
{
	struct mergeframe	 mf;
	size_t			 len;
	unsigned		 i;

	(void)tc;
	mergeframe_init(&mf, true, true);
	mf.mf_payload = SEG;
	mergecheck_init(&mc);
	for (i = 0; i < 12; i++, next(&mf)) {
		len = mergeframe_make(frame, &mf);
		mergecheck_put(&mc, i % 3, ALL, frame, len);
	}
	mergecheck_forget(&mc, 1);
	mergecheck_forget(&mc, 3);
	end(2, 2, 8);
}

static uint64_t	 state;

static unsigned
rnd(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return ((unsigned)(state >> 33) % n);
}

#define STREAMS	24
#define OLD	8

static struct mergeframe	streams[STREAMS];
static uint8_t			old[OLD][MF_MAX + 8];
static size_t			oldlen[OLD];

/* What may become of a packet on its way, or of its sender. */
static size_t
mishap(struct mergeframe *mf, size_t len)
{
	switch (rnd(12)) {
	case 0:	/* damage, */
		frame[rnd((unsigned)len)] ^= (uint8_t)(1 << rnd(8));
		return (len);
	case 1:	/* somebody's intent, */
		frame[12 + rnd(70)] ^= (uint8_t)(1 << rnd(8));
		mergeframe_sums(frame, len);
		return (len);
	case 2:
		memset(frame + len, 0, 8);
		return (len + rnd(8));
	case 3:
		return (ETH + rnd((unsigned)len - ETH));
	case 4:	/* lost, */
		return (0);
	case 5:
		mf->mf_flags ^= (uint8_t)(1 << rnd(8));
		len = mergeframe_make(frame, mf);
		mf->mf_flags = MF_ACK;
		return (len);
	case 6:
		mf->mf_payload = rnd(4) == 0 ? 0 : 1 + rnd(3000);
		return (mergeframe_make(frame, mf));
	case 7:
		mf->mf_options[rnd(12)]++;
		return (mergeframe_make(frame, mf));
	case 8:
		mf->mf_optlen = (uint8_t)(4 * rnd(11));
		return (mergeframe_make(frame, mf));
	case 9:
		mf->mf_ack += rnd(2000);
		mf->mf_window = (uint16_t)(mf->mf_window + rnd(2));
		return (mergeframe_make(frame, mf));
	default:
		mf->mf_flags |= MF_PSH;
		len = mergeframe_make(frame, mf);
		mf->mf_flags = MF_ACK;
		return (len);
	}
}

static void
one_of_many(void)
{
	unsigned		 s = rnd(rnd(2) ? 4 : STREAMS), o = rnd(OLD);
	struct mergeframe	*mf = &streams[s];
	unsigned		 allowed = rnd(8) == 0 ? rnd(ALL + 1) : ALL;
	size_t			 len;

	len = mergeframe_make(frame, mf);
	if (rnd(8) == 0)
		len = mishap(mf, len);
	next(mf);
	if (rnd(50) == 0)
		mf->mf_payload = 1 + rnd(rnd(4) ? 1500 : 9000);
	/* It, or one that was held up, once or twice. */
	if (len > 0 && rnd(16) != 0)
		mergecheck_put(&mc, s % MERGECHECK_TAPS, allowed, frame, len);
	if (rnd(20) == 0 && oldlen[o] > 0)
		mergecheck_put(&mc, rnd(MERGECHECK_TAPS), allowed, old[o],
		    oldlen[o]);
	if (rnd(20) == 0) {
		memcpy(old[o], frame, len);
		oldlen[o] = len;
	}
	if (rnd(64) == 0)
		mergecheck_flush(&mc);
	if (rnd(1000) == 0)
		mergecheck_forget(&mc, rnd(MERGECHECK_TAPS));
}

ATF_TC(many);
ATF_TC_HEAD(many, tc)
{
	atf_tc_set_md_var(tc, "descr", "whatever comes, it comes out again");
	atf_tc_set_md_var(tc, "timeout", "600");
}
ATF_TC_BODY(many, tc)
{
	unsigned	 seed, i, s;

	(void)tc;
	for (seed = 1; seed <= 20; seed++) {
		state = seed * 0x9e3779b97f4a7c15ULL;
		mergecheck_init(&mc);
		memset(oldlen, 0, sizeof(oldlen));
		for (s = 0; s < STREAMS; s++) {
			mergeframe_init(&streams[s], s / 4 % 2, s / 8 % 2);
			streams[s].mf_sport = (uint16_t)rnd(3);
			streams[s].mf_df = rnd(2);
			streams[s].mf_payload = 1 + rnd(1500);
			streams[s].mf_optlen = rnd(2) ? 12 : 0;
		}
		for (i = 0; i < 4000 && mc.mc_error == NULL; i++)
			one_of_many();
		ATF_CHECK_MSG(mc.mc_error == NULL, "seed %u, step %u: %s",
		    seed, i, mc.mc_error);
		/* Or else it proves nothing. */
		ATF_CHECK_MSG(mc.mc_super > 200 && mc.mc_merged > 600,
		    "seed %u: %u super-frames of %u", seed, mc.mc_super,
		    mc.mc_merged);
		printf("seed %u: %u out, %u super-frames of %u\n", seed,
		    mc.mc_out, mc.mc_super, mc.mc_merged);
		mergecheck_free(&mc);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, run);
	ATF_TP_ADD_TC(tp, alone);
	ATF_TP_ADD_TC(tp, push);
	ATF_TP_ADD_TC(tp, apart);
	ATF_TP_ADD_TC(tp, unsound);
	ATF_TP_ADD_TC(tp, zero_sums);
	ATF_TP_ADD_TC(tp, can);
	ATF_TP_ADD_TC(tp, limits);
	ATF_TP_ADD_TC(tp, flows);
	ATF_TP_ADD_TC(tp, alike);
	ATF_TP_ADD_TC(tp, order);
	ATF_TP_ADD_TC(tp, several_taps);
	ATF_TP_ADD_TC(tp, many);
	return (atf_no_error());
}
