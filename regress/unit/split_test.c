/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Super-frames cut, against segments that were built one by one; and what is
 * no good super-frame.
 */

#include <stdlib.h>
#include <string.h>

#include <atf-c.h>

#include "common/split.h"
#include "regress/lib/superframe.h"

static struct superframe	 sf;
static struct split		 sp;
static uint8_t			 got[SUPERFRAME_MAX + 2], want[SUPERFRAME_MAX];

/* Its segments are what they should be, whatever the alignment. */
static void
check_cut(void)
{
	size_t		 len, n, longest = 0;
	unsigned	 k;

	superframe_make(&sf);
	ATF_REQUIRE_EQ(split_begin(&sp, &sf.sf_of, sf.sf_type, sf.sf_p,
	    sf.sf_len), sf.sf_n);
	for (k = 0; k < sf.sf_n; k++) {
		len = superframe_segment(&sf, k, want);
		if (len > longest)
			longest = len;
		ATF_REQUIRE_EQ(split_len(&sp), len);
		memset(got, 0xa5, sizeof(got));
		n = split_next(&sp, got + k % 2, len);
		ATF_REQUIRE_EQ_MSG(n, len, "segment %u: %zu bytes", k, n);
		for (n = 0; n < len; n++)
			ATF_REQUIRE_MSG(got[k % 2 + n] == want[n],
			    "byte %zu of segment %u of %u is %02x, not %02x",
			    n, k, sf.sf_n, got[k % 2 + n], want[n]);
		ATF_REQUIRE_EQ(got[k % 2 + len], 0xa5);
	}
	ATF_REQUIRE_EQ(split_longest(&sp), longest);
	ATF_REQUIRE_EQ(split_len(&sp), 0);
	ATF_REQUIRE_EQ(split_next(&sp, got, sizeof(got)), 0);
	ATF_REQUIRE(!split_skip(&sp));
}

ATF_TC_WITHOUT_HEAD(sizes);
ATF_TC_BODY(sizes, tc)
{
	static const size_t	 payloads[] = { 1, 2, 999, 1000, 1001, 1999,
		2000, 2001, 2002, 64000, 65000 };
	static const size_t	 each[] = { 1000, 1, 3, 1399, 1400, 65535 };
	unsigned		 i, j, kind;

	(void)tc;
	for (kind = 0; kind < 4; kind++)
		for (i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++)
			for (j = 0; j < sizeof(each) / sizeof(each[0]); j++) {
				if (payloads[i] / each[j] > 2100)
					continue;
				superframe_init(&sf, payloads[i], each[j]);
				sf.sf_udp = kind & 1;
				sf.sf_ipv6 = kind & 2;
				sf.sf_seed = i;
				check_cut();
			}
	/* Without any payload it is a segment all the same. */
	superframe_init(&sf, 0, 1000);
	check_cut();
	ATF_CHECK_EQ(sf.sf_n, 1);
	/* The largest that there are: 65535 bytes, by what each counts. */
	superframe_init(&sf, 65535 - 40, 1448);
	check_cut();
	superframe_init(&sf, 65535 - 8, 1448);
	sf.sf_udp = sf.sf_ipv6 = true;
	check_cut();
}

ATF_TC_WITHOUT_HEAD(headers);
ATF_TC_BODY(headers, tc)
{
	unsigned	 i, tags;

	(void)tc;
	for (tags = 0; tags <= 2; tags++)
		for (i = 0; i <= 10; i++) {
			superframe_init(&sf, 4000, 997);
			sf.sf_tags = tags;
			sf.sf_options = i;
			sf.sf_tcp_options = 10 - i;
			check_cut();
			sf.sf_udp = true;
			check_cut();
			sf.sf_ipv6 = true;
			sf.sf_exts = i % 4;
			check_cut();
			sf.sf_udp = false;
			check_cut();
		}
}

ATF_TC_WITHOUT_HEAD(fields);
ATF_TC_BODY(fields, tc)
{
	unsigned	 i;

	(void)tc;
	/* Every combination of flags: FIN, PSH, CWR have a place. */
	for (i = 0; i < 256; i++) {
		superframe_init(&sf, 3000, 1000);
		sf.sf_flags = (uint8_t)i;
		sf.sf_ipv6 = i % 2;
		check_cut();
		sf.sf_payload = 1000;		/* first and last */
		check_cut();
	}
	/* CWR alone does not need the descriptor's word. */
	superframe_init(&sf, 3000, 1000);
	sf.sf_flags = 0x90;
	superframe_make(&sf);
	ATF_REQUIRE_EQ(sf.sf_of.of_type, OFFLOAD_TCP4 | OFFLOAD_ECN);
	sf.sf_of.of_type = OFFLOAD_TCP4;
	ATF_REQUIRE_EQ(split_begin(&sp, &sf.sf_of, sf.sf_type, sf.sf_p,
	    sf.sf_len), 3);
	ATF_REQUIRE_EQ(split_next(&sp, got, sizeof(got)), 1040);
	ATF_CHECK_EQ(got[33], 0x90);
	ATF_REQUIRE_EQ(split_next(&sp, got, sizeof(got)), 1040);
	ATF_CHECK_EQ(got[33], 0x10);
	/* Numbers that wrap on the way. */
	for (i = 0; i < 4; i++) {
		superframe_init(&sf, 60000, 1448);
		sf.sf_ipv6 = i % 2;
		sf.sf_seq = 0xffffffff - 20000 * (i + 1);
		sf.sf_id = (uint16_t)(0xffff - 3 * i);
		sf.sf_tos = 0xff;
		check_cut();
		sf.sf_seq = 0xfffe - i;
		check_cut();
	}
}

/* A UDP checksum that comes out as 0 is sent as ffff; that of TCP is not. */
ATF_TC_WITHOUT_HEAD(udp_zero);
ATF_TC_BODY(udp_zero, tc)
{
	unsigned	 i, at;
	uint32_t	 port;

	(void)tc;
	for (i = 0; i < 4; i++) {
		superframe_init(&sf, 3000, 1000);
		sf.sf_udp = i & 1;
		sf.sf_ipv6 = i & 2;
		superframe_make(&sf);
		at = sf.sf_of.of_csum_start + sf.sf_of.of_csum_offset - 14u;
		/* What the checksum takes from all ones is added. */
		(void)superframe_segment(&sf, 1, want);
		port = sf.sf_port + ((uint32_t)want[at] << 8 | want[at + 1]);
		sf.sf_port = (uint16_t)(port + (port >> 16));
		(void)superframe_segment(&sf, 1, want);
		ATF_REQUIRE_EQ(want[at], sf.sf_udp ? 0xff : 0);
		ATF_REQUIRE_EQ(want[at + 1], sf.sf_udp ? 0xff : 0);
		check_cut();
	}
}

ATF_TC_WITHOUT_HEAD(random_ones);
ATF_TC_BODY(random_ones, tc)
{
	uint8_t		 in[32];
	unsigned	 i, k;

	(void)tc;
	srandom(1);
	for (i = 0; i < 400; i++) {
		for (k = 0; k < sizeof(in); k++)
			in[k] = (uint8_t)random();
		superframe_random(&sf, in, sizeof(in));
		check_cut();
	}
}

static const uint8_t *
whole(void)
{
	ATF_REQUIRE_EQ(split_len(&sp), sf.sf_len);
	ATF_REQUIRE_EQ(split_longest(&sp), sf.sf_len);
	ATF_REQUIRE_EQ(split_next(&sp, got, sf.sf_len), sf.sf_len);
	ATF_REQUIRE_EQ(split_next(&sp, got + 1, sf.sf_len), 0);
	return (got);
}

/* A frame as it is; one whose checksum is missing, of whatever protocol. */
ATF_TC_WITHOUT_HEAD(single);
ATF_TC_BODY(single, tc)
{
	struct offload	 of;
	unsigned	 i;

	(void)tc;
	superframe_init(&sf, 1000, 1000);
	superframe_make(&sf);
	memset(&of, 0, sizeof(of));
	ATF_REQUIRE_EQ(split_begin(&sp, NULL, 0x0800, sf.sf_p, sf.sf_len),
	    1);
	ATF_CHECK(memcmp(whole(), sf.sf_p, sf.sf_len) == 0);
	of.of_flags = OFFLOAD_VALID;
	ATF_REQUIRE_EQ(split_begin(&sp, &of, 0x0800, sf.sf_p, sf.sf_len), 1);
	ATF_CHECK(memcmp(whole(), sf.sf_p, sf.sf_len) == 0);

	for (i = 0; i < 8; i++) {
		superframe_init(&sf, 995 + i, 2000);
		sf.sf_udp = i & 1;
		sf.sf_ipv6 = i & 2;
		sf.sf_tags = i >> 2;
		superframe_make(&sf);
		(void)superframe_segment(&sf, 0, want);
		sf.sf_of.of_type = OFFLOAD_NONE;
		ATF_REQUIRE_EQ(split_begin(&sp, &sf.sf_of, sf.sf_type,
		    sf.sf_p, sf.sf_len), 1);
		ATF_CHECK(memcmp(whole(), want, sf.sf_len) == 0);
	}

	/* No protocol that we know of: at any place, up to the last byte. */
	of.of_flags = OFFLOAD_CSUM;
	for (i = 0; i <= sf.sf_len - 2; i += 1 + i / 7) {
		of.of_csum_start = (uint16_t)(14 + i / 2);
		of.of_csum_offset = (uint16_t)(i - i / 2);
		ATF_REQUIRE_EQ(split_begin(&sp, &of, 0x88b5, sf.sf_p,
		    sf.sf_len), 1);
		(void)superframe_filled(&of, sf.sf_p, sf.sf_len, want);
		ATF_CHECK(memcmp(whole(), want, sf.sf_len) == 0);
	}
	/* A sum of which nothing is left: there is a checksum, ffff. */
	memset(sf.sf_p, 0xff, sf.sf_len);
	sf.sf_len &= ~(size_t)1;
	of.of_csum_start = of.of_csum_offset = 20;
	ATF_REQUIRE_EQ(split_begin(&sp, &of, 0x88b5, sf.sf_p, sf.sf_len), 1);
	ATF_CHECK(memcmp(whole(), sf.sf_p, sf.sf_len) == 0);
}

ATF_TC_WITHOUT_HEAD(room);
ATF_TC_BODY(room, tc)
{
	(void)tc;
	superframe_init(&sf, 2500, 1000);
	superframe_make(&sf);
	ATF_REQUIRE_EQ(split_begin(&sp, &sf.sf_of, sf.sf_type, sf.sf_p,
	    sf.sf_len), 3);
	memset(got, 0xa5, sizeof(got));
	ATF_CHECK_EQ(split_next(&sp, got, 1039), 0);
	ATF_CHECK_EQ(got[0], 0xa5);
	ATF_CHECK_EQ(split_len(&sp), 1040);
	/* What is left out changes nothing in what follows. */
	ATF_CHECK(split_skip(&sp));
	ATF_CHECK(split_skip(&sp));
	ATF_CHECK_EQ(split_len(&sp), 540);
	ATF_CHECK_EQ(split_next(&sp, got, 540), 540);
	(void)superframe_segment(&sf, 2, want);
	ATF_CHECK(memcmp(got, want, 540) == 0);
}

static unsigned
begin(void)
{
	/* On the heap, so that a byte past its end is seen. */
	uint8_t		*p = malloc(sf.sf_len + 1);
	unsigned	 n;

	ATF_REQUIRE(p != NULL);
	memcpy(p + 1, sf.sf_p, sf.sf_len);
	n = split_begin(&sp, &sf.sf_of, sf.sf_type, p + 1, sf.sf_len);
	free(p);
	return (n);
}

static void
again(bool udp, bool ipv6)
{
	superframe_init(&sf, 2500, 1000);
	sf.sf_udp = udp;
	sf.sf_ipv6 = ipv6;
	sf.sf_options = sf.sf_exts = 1;
	superframe_make(&sf);
	ATF_REQUIRE_EQ(begin(), 3);
}

/* With this byte changed it is refused. */
#define BAD_BYTE(off, value) do {					\
	uint8_t	 kept_ = sf.sf_p[off];					\
	sf.sf_p[off] = (uint8_t)(value);				\
	ATF_CHECK_EQ_MSG(begin(), 0, "byte %u", (unsigned)(off));	\
	sf.sf_p[off] = kept_;						\
	ATF_REQUIRE_EQ(begin(), 3);					\
} while (0)

/* With this field of the descriptor changed it is, too. */
#define BAD_FIELD(field, value) do {					\
	struct offload	 kept_ = sf.sf_of;				\
	sf.sf_of.field = (value);					\
	ATF_CHECK_EQ_MSG(begin(), 0, #field " " #value);		\
	sf.sf_of = kept_;						\
	ATF_REQUIRE_EQ(begin(), 3);					\
} while (0)

ATF_TC_WITHOUT_HEAD(bad_descriptor);
ATF_TC_BODY(bad_descriptor, tc)
{
	unsigned	 kind;

	(void)tc;
	for (kind = 0; kind < 4; kind++) {
		again(kind & 1, kind & 2);
		BAD_FIELD(of_size, 0);
		BAD_FIELD(of_flags, 0);
		BAD_FIELD(of_flags, OFFLOAD_VALID);
		BAD_FIELD(of_hdrlen, (uint16_t)(14 + sf.sf_len + 1));
		BAD_FIELD(of_csum_start, 0);
		BAD_FIELD(of_csum_start, 13);
		BAD_FIELD(of_csum_start, 14);
		BAD_FIELD(of_csum_start, sf.sf_of.of_csum_start + 1);
		BAD_FIELD(of_csum_start, sf.sf_of.of_csum_start - 1);
		BAD_FIELD(of_csum_start, 65535);
		BAD_FIELD(of_csum_offset, 0);
		BAD_FIELD(of_csum_offset, sf.sf_of.of_csum_offset ^ 16 ^ 6);
		BAD_FIELD(of_csum_offset, 65535);
		/* Another protocol, the old way for UDP, or none. */
		BAD_FIELD(of_type, kind & 1 ? OFFLOAD_TCP4 : OFFLOAD_UDP);
		BAD_FIELD(of_type, kind & 2 ? OFFLOAD_TCP4 : OFFLOAD_TCP6);
		BAD_FIELD(of_type, OFFLOAD_UDP | OFFLOAD_ECN);
		BAD_FIELD(of_type, OFFLOAD_ECN);
		BAD_FIELD(of_type, 2);
		BAD_FIELD(of_type, 3);
		BAD_FIELD(of_type, 0x41);
		/* A hint of too little is none. */
		sf.sf_of.of_hdrlen = 0;
		ATF_CHECK_EQ(begin(), 3);
		sf.sf_of.of_hdrlen = (uint16_t)(14 + sf.sf_len);
		ATF_CHECK_EQ(begin(), 3);
	}
	/* A checksum that is to be filled in where there is nothing. */
	again(false, false);
	sf.sf_of.of_type = OFFLOAD_NONE;
	ATF_REQUIRE_EQ(begin(), 1);
	sf.sf_of.of_csum_start = 13;
	ATF_CHECK_EQ(begin(), 0);
	sf.sf_of.of_csum_start = (uint16_t)(14 + sf.sf_len - 17);
	ATF_CHECK_EQ(begin(), 0);
	sf.sf_of.of_csum_start--;
	ATF_CHECK_EQ(begin(), 1);
	sf.sf_of.of_csum_start = sf.sf_of.of_csum_offset = 65535;
	ATF_CHECK_EQ(begin(), 0);
	/* Nothing at all. */
	sf.sf_len = 0;
	ATF_CHECK_EQ(begin(), 0);
	ATF_CHECK_EQ(split_begin(&sp, NULL, 0x0800, sf.sf_p, 0), 0);
	ATF_CHECK_EQ(split_len(&sp), 0);
}

ATF_TC_WITHOUT_HEAD(bad_bytes);
ATF_TC_BODY(bad_bytes, tc)
{
	unsigned	 kind;

	(void)tc;
	for (kind = 0; kind < 2; kind++) {
		again(kind & 1, false);
		BAD_BYTE(0, 0x66);		/* version */
		BAD_BYTE(0, 0x44);		/* shorter than there are */
		BAD_BYTE(0, 0x45);		/* TCP begins elsewhere */
		BAD_BYTE(0, 0x47);
		BAD_BYTE(2, sf.sf_p[2] + 1);	/* length */
		BAD_BYTE(3, sf.sf_p[3] - 1);
		BAD_BYTE(6, 0x20);		/* more fragments */
		BAD_BYTE(6, 0x01);		/* one itself */
		BAD_BYTE(7, 0x01);
		BAD_BYTE(9, 1);			/* protocol */
		BAD_BYTE(9, kind & 1 ? 6 : 17);
		again(kind & 1, true);
		BAD_BYTE(0, 0x40);
		BAD_BYTE(4, sf.sf_p[4] + 1);
		BAD_BYTE(5, sf.sf_p[5] - 1);
		BAD_BYTE(6, 44);		/* a fragment */
		BAD_BYTE(6, 59);		/* nothing follows */
		BAD_BYTE(40, 0);		/* yet another header */
		BAD_BYTE(40, 51);
		BAD_BYTE(41, 1);		/* longer than it is */
		BAD_BYTE(41, 255);
	}
	/* Lengths of TCP and UDP. */
	again(false, false);
	BAD_BYTE(24 + 12, 0x40);
	again(true, false);
	BAD_BYTE(24 + 4, sf.sf_p[24 + 4] + 1);
	BAD_BYTE(24 + 5, sf.sf_p[24 + 5] + 1);
	BAD_BYTE(24 + 5, 0);
	/* A header of TCP that is longer than all there is. */
	superframe_init(&sf, 3, 1000);
	superframe_make(&sf);
	ATF_REQUIRE_EQ(begin(), 1);
	sf.sf_p[20 + 12] = 0x60;
	ATF_CHECK_EQ(begin(), 0);
	/* Another type than that of the bytes; a third tag. */
	again(false, false);
	sf.sf_type = 0x86dd;
	ATF_CHECK_EQ(begin(), 0);
	sf.sf_type = 0x8100;
	ATF_CHECK_EQ(begin(), 0);
	sf.sf_type = 0x0806;
	ATF_CHECK_EQ(begin(), 0);
	superframe_init(&sf, 2500, 1000);
	sf.sf_tags = 2;
	superframe_make(&sf);
	sf.sf_p[6] = 0x81;
	sf.sf_p[7] = 0x00;
	ATF_CHECK_EQ(begin(), 0);
}

/* Cut off anywhere, with a length that agrees. */
ATF_TC_WITHOUT_HEAD(cut_off);
ATF_TC_BODY(cut_off, tc)
{
	unsigned	 kind, tags;
	size_t		 ip, hdr, len;

	(void)tc;
	for (kind = 0; kind < 4; kind++)
		for (tags = 0; tags <= 2; tags++) {
			superframe_init(&sf, 2500, 1000);
			sf.sf_udp = kind & 1;
			sf.sf_ipv6 = kind & 2;
			sf.sf_options = sf.sf_exts = 2;
			sf.sf_tcp_options = 3;
			sf.sf_tags = tags;
			superframe_make(&sf);
			hdr = sf.sf_len - 2500;
			ip = 4 * tags;
			sf.sf_of.of_hdrlen = 0;
			for (len = 0; len < hdr; len++) {
				sf.sf_len = len;
				if (sf.sf_ipv6 && len >= ip + 40) {
					sf.sf_p[ip + 4] = 0;
					sf.sf_p[ip + 5] = (uint8_t)(len -
					    ip - 40);
				} else if (!sf.sf_ipv6 && len >= ip + 4) {
					sf.sf_p[ip + 2] = 0;
					sf.sf_p[ip + 3] = (uint8_t)(len - ip);
				}
				ATF_CHECK_EQ_MSG(begin(), 0, "%u: %zu", kind,
				    len);
			}
		}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, sizes);
	ATF_TP_ADD_TC(tp, headers);
	ATF_TP_ADD_TC(tp, fields);
	ATF_TP_ADD_TC(tp, udp_zero);
	ATF_TP_ADD_TC(tp, random_ones);
	ATF_TP_ADD_TC(tp, single);
	ATF_TP_ADD_TC(tp, room);
	ATF_TP_ADD_TC(tp, bad_descriptor);
	ATF_TP_ADD_TC(tp, bad_bytes);
	ATF_TP_ADD_TC(tp, cut_off);
	return (atf_no_error());
}
