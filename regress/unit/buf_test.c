/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Integers of every length, byte by byte, and that nothing beside them is
 * touched.
 */

#include <stdint.h>
#include <string.h>

#include <atf-c.h>

#include "common/buf.h"

#define VALUE	0x8192a3b4c5d6e7f8ULL
#define GUARD	0x5a

ATF_TC_WITHOUT_HEAD(integers);
ATF_TC_BODY(integers, tc)
{
	uint8_t		 bytes[24];
	volatile size_t	 n;	/* not known when this is compiled */
	size_t		 i, off;
	uint64_t	 want;

	(void)tc;
	for (n = 1; n <= 8; n++) {
		want = n == 8 ? VALUE : VALUE & ((1ULL << 8 * n) - 1);
		for (off = 4; off < 8; off++) {
			memset(bytes, GUARD, sizeof(bytes));
			buf_put(bytes + off, VALUE, n);
			for (i = 0; i < sizeof(bytes); i++)
				ATF_CHECK_EQ_MSG(bytes[i], i < off ||
				    i >= off + n ? GUARD : (want >>
				    8 * (off + n - 1 - i) & 0xff),
				    "%zu bytes, byte %zu", n, i - off);
			ATF_CHECK_EQ_MSG(buf_get(bytes + off, n), want,
			    "%zu bytes", n);
		}
	}
}

/* Those whose length is known. */
ATF_TC_WITHOUT_HEAD(cursors);
ATF_TC_BODY(cursors, tc)
{
	static const uint8_t	 want[] = { 0xf8, 0xe7, 0xf8, 0xc5, 0xd6, 0xe7,
		0xf8, 0xb4, 0xc5, 0xd6, 0xe7, 0xf8, 0x81, 0x92, 0xa3, 0xb4,
		0xc5, 0xd6, 0xe7, 0xf8 };
	uint8_t			 bytes[sizeof(want)];
	struct wbuf		 wb;
	struct rbuf		 rb;

	(void)tc;
	wbuf_init(&wb, bytes, sizeof(bytes));
	wbuf_u8(&wb, 0xf8);
	wbuf_u16(&wb, 0xe7f8);
	wbuf_u32(&wb, 0xc5d6e7f8);
	wbuf_uint(&wb, VALUE, 5);
	wbuf_u64(&wb, VALUE);
	ATF_CHECK(wbuf_ok(&wb));
	ATF_CHECK_EQ(memcmp(bytes, want, sizeof(want)), 0);
	wbuf_u8(&wb, 1);
	ATF_CHECK(!wbuf_ok(&wb));
	rbuf_init(&rb, bytes, sizeof(bytes));
	ATF_CHECK_EQ(rbuf_u8(&rb), 0xf8);
	ATF_CHECK_EQ(rbuf_u16(&rb), 0xe7f8);
	ATF_CHECK_EQ(rbuf_u32(&rb), 0xc5d6e7f8);
	ATF_CHECK_EQ(rbuf_uint(&rb, 5), 0xb4c5d6e7f8);
	ATF_CHECK_EQ(rbuf_u64(&rb), VALUE);
	ATF_CHECK(rbuf_done(&rb));
	ATF_CHECK_EQ(rbuf_u16(&rb), 0);
	ATF_CHECK(!rbuf_ok(&rb));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, integers);
	ATF_TP_ADD_TC(tp, cursors);
	return (atf_no_error());
}
