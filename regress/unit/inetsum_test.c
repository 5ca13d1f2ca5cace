/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The Internet checksum against a second one, byte by byte, and against a
 * header from RFC 1071 and one with a known sum.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <atf-c.h>

#include "common/inetsum.h"

/* Sixteen bits at a time, big-endian. */
static uint16_t
naive(const uint8_t *p, size_t len)
{
	uint64_t	 sum = 0;
	size_t		 i;

	for (i = 0; i < len; i++)
		sum += i % 2 == 0 ? (uint64_t)p[i] << 8 : p[i];
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return ((uint16_t)sum);
}

static uint16_t
value(uint16_t folded)
{
	uint8_t	 b[2];

	memcpy(b, &folded, 2);
	return ((uint16_t)(b[0] << 8 | b[1]));
}

ATF_TC_WITHOUT_HEAD(known);
ATF_TC_BODY(known, tc)
{
	/* RFC 1071 section 3; an IPv4 header whose checksum is b861. */
	static const uint8_t	 rfc[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5,
		0xf6, 0xf7 };
	static const uint8_t	 ip[] = { 0x45, 0x00, 0x00, 0x73, 0x00, 0x00,
		0x40, 0x00, 0x40, 0x11, 0x00, 0x00, 0xc0, 0xa8, 0x00, 0x01,
		0xc0, 0xa8, 0x00, 0xc7 };

	(void)tc;
	ATF_CHECK_EQ(value(inetsum_fold(inetsum_add(0, rfc, sizeof(rfc)))),
	    0xddf2);
	ATF_CHECK_EQ((uint16_t)~value(inetsum_fold(inetsum_add(0, ip,
	    sizeof(ip)))), 0xb861);
}

ATF_TC_WITHOUT_HEAD(lengths);
ATF_TC_BODY(lengths, tc)
{
	static uint8_t	 buf[70000];
	size_t		 len, off, i;

	(void)tc;
	for (i = 0; i < sizeof(buf); i++)
		buf[i] = (uint8_t)(i * 197 >> 3 ^ i);
	for (off = 0; off < 4; off++) {
		for (len = 0; len < 300; len++)
			ATF_CHECK_EQ_MSG(value(inetsum_fold(inetsum_add(0,
			    buf + off, len))), naive(buf + off, len),
			    "offset %zu, %zu bytes", off, len);
		ATF_CHECK_EQ(value(inetsum_fold(inetsum_add(0, buf + off,
		    65535))), naive(buf + off, 65535));
	}
	/* Nothing overflows. */
	memset(buf, 0xff, sizeof(buf));
	ATF_CHECK_EQ(value(inetsum_fold(inetsum_add(UINT64_MAX >> 16, buf,
	    65536))), naive(buf, 65536));
}

ATF_TC_WITHOUT_HEAD(parts);
ATF_TC_BODY(parts, tc)
{
	uint8_t		 buf[64], pseudo[40] = { 0 };
	uint64_t	 sum;
	size_t		 cut;

	(void)tc;
	for (cut = 0; cut < sizeof(buf); cut++)
		buf[cut] = (uint8_t)(cut * 31 + 7);
	for (cut = 0; cut <= 62; cut += 2) {
		sum = inetsum_add(0, buf, cut);
		sum = inetsum_add(sum, buf + cut, 63 - cut);
		ATF_CHECK_EQ(value(inetsum_fold(sum)), naive(buf, 63));
	}
	/* RFC 8200 section 8.1 */
	memcpy(pseudo, buf, 32);
	pseudo[33] = 0x01;
	pseudo[34] = 0x02;
	pseudo[35] = 0x03;
	pseudo[39] = 6;
	ATF_CHECK_EQ(value(inetsum_fold(inetsum_pseudo(buf, 32, 6, 0x10203))),
	    naive(pseudo, 40));
	/* RFC 793: addresses, zero, protocol, length */
	memset(pseudo + 8, 0, 4);
	pseudo[9] = 17;
	pseudo[10] = 0x05;
	pseudo[11] = 0xdc;
	ATF_CHECK_EQ(value(inetsum_fold(inetsum_pseudo(buf, 8, 17, 1500))),
	    naive(pseudo, 12));
	ATF_CHECK_EQ(value(inetsum_fold(inetsum_add16(0, 0x1234))), 0x1234);
}

/* Copied as it is, with nothing before and behind it, and the same sum. */
ATF_TC_WITHOUT_HEAD(copies);
ATF_TC_BODY(copies, tc)
{
	static uint8_t	 src[3000], dst[3100];
	size_t		 len, off, i;

	(void)tc;
	for (i = 0; i < sizeof(src); i++)
		src[i] = (uint8_t)(i * 197 >> 3 ^ i);
	for (off = 0; off < 4; off++) {
		for (len = 0; len + off <= sizeof(src);
		    len += len < 300 ? 1 : 97) {
			memset(dst, 0xa5, sizeof(dst));
			ATF_CHECK_EQ_MSG(inetsum_fold(inetsum_copy(12345,
			    dst + 3 * off, src + off, len)),
			    inetsum_fold(inetsum_add(12345, src + off, len)),
			    "offset %zu, %zu bytes", off, len);
			ATF_CHECK_EQ(memcmp(dst + 3 * off, src + off, len), 0);
			for (i = 0; i < 3 * off; i++)
				ATF_CHECK_EQ(dst[i], 0xa5);
			for (i = 3 * off + len; i < 3 * off + len + 64; i++)
				ATF_CHECK_EQ(dst[i], 0xa5);
		}
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, known);
	ATF_TP_ADD_TC(tp, lengths);
	ATF_TP_ADD_TC(tp, copies);
	ATF_TP_ADD_TC(tp, parts);
	return (atf_no_error());
}
