/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The payloads of QOS_MEASUREMENT, ACK, PATH_NEGOTIATION_REQUEST and
 * REMOTE_TRACE.  Spec: 02 sections 4.10 to 4.13.
 */

#include <string.h>

#include <atf-c.h>

#include "ztd-net/core/measure.h"

ATF_TC_WITHOUT_HEAD(qos);
ATF_TC_BODY(qos, tc)
{
	static const uint8_t	 two[] = {
		0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0x34, 0x12,
		1, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff,
		1, 2, 3			/* not a whole one */
	};
	struct qos_record	 r[QOS_RECORDS];
	uint8_t			 many[1500];
	struct rbuf		 rb;

	rbuf_init(&rb, two, sizeof(two));
	ATF_REQUIRE_EQ(qos_parse(&rb, r), 2);
	ATF_CHECK_EQ(r[0].qr_packet, 0x1122334455667788);
	ATF_CHECK_EQ(r[0].qr_held, 0x1234);
	ATF_CHECK_EQ(r[1].qr_packet, 1);
	ATF_CHECK_EQ(r[1].qr_held, 0xffff);
	rbuf_init(&rb, two, 8);
	ATF_CHECK_EQ(qos_parse(&rb, r), -1);
	rbuf_init(&rb, two, 9);
	ATF_CHECK_EQ(qos_parse(&rb, r), 0);
	memset(many, 0, sizeof(many));
	rbuf_init(&rb, many, 1400);
	ATF_CHECK_EQ(qos_parse(&rb, r), QOS_RECORDS);
	rbuf_init(&rb, many, 1401);
	ATF_CHECK_EQ(qos_parse(&rb, r), -1);
}

ATF_TC_WITHOUT_HEAD(numbers);
ATF_TC_BODY(numbers, tc)
{
	static const uint8_t	 p[] = { 0xff, 0xfe, 0x00, 0x01 };
	struct rbuf		 rb;
	uint32_t		 bytes;
	int16_t			 utility;

	rbuf_init(&rb, p, 4);
	ATF_REQUIRE(ack_parse(&rb, &bytes));
	ATF_CHECK_EQ(bytes, 0xfffe0001);
	rbuf_init(&rb, p, 3);
	ATF_CHECK(!ack_parse(&rb, &bytes));
	rbuf_init(&rb, p, 2);
	ATF_REQUIRE(negotiation_parse(&rb, &utility));
	ATF_CHECK_EQ(utility, -2);
	rbuf_init(&rb, p, 3);
	ATF_CHECK(!negotiation_parse(&rb, &utility));
	rbuf_init(&rb, p, 1);
	ATF_CHECK(!negotiation_parse(&rb, &utility));
}

ATF_TC_WITHOUT_HEAD(trace);
ATF_TC_BODY(trace, tc)
{
	static const char	 p[] = "\0event=1000\0\0x=y\0tail";
	static char		 big[20100];
	struct rbuf		 rb;
	const char		*text;
	size_t			 len;

	rbuf_init(&rb, p, sizeof(p) - 1);
	ATF_REQUIRE(trace_parse(&rb, &text, &len));
	ATF_CHECK(len == 10 && memcmp(text, "event=1000", 10) == 0);
	ATF_REQUIRE(trace_parse(&rb, &text, &len));
	ATF_CHECK(len == 3 && memcmp(text, "x=y", 3) == 0);
	ATF_CHECK(!trace_parse(&rb, &text, &len));
	memset(big, 'a', sizeof(big));
	big[10001] = '\0';		/* one byte too long */
	big[20002] = '\0';		/* just right */
	rbuf_init(&rb, big, 20003);
	ATF_REQUIRE(trace_parse(&rb, &text, &len));
	ATF_CHECK_EQ(len, 10000);
	ATF_CHECK(text == big + 10002);
	ATF_CHECK(!trace_parse(&rb, &text, &len));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, qos);
	ATF_TP_ADD_TC(tp, numbers);
	ATF_TP_ADD_TC(tp, trace);
	return (atf_no_error());
}
