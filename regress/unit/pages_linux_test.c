/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

#include <sys/mman.h>

#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "common/pages.h"

#define PAGES	64

static uint8_t	*base;
static size_t	 page;

static unsigned
resident(void)
{
	unsigned char	 in[PAGES];
	unsigned	 i, n = 0;

	ATF_REQUIRE_EQ(0, mincore(base, PAGES * page, in));
	for (i = 0; i < PAGES; i++)
		n += in[i] & 1;
	return (n);
}

ATF_TC(rest);
ATF_TC_HEAD(rest, tc)
{
	atf_tc_set_md_var(tc, "descr", "whole pages go, nothing else does");
}
ATF_TC_BODY(rest, tc)
{
	size_t	 i;

	(void)tc;
	page = (size_t)sysconf(_SC_PAGESIZE);
	base = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE |
	    MAP_ANONYMOUS, -1, 0);
	ATF_REQUIRE(base != MAP_FAILED);
	memset(base, 0xa5, PAGES * page);
	ATF_CHECK_EQ(PAGES, resident());

	/* Less than a page, or none that is whole. */
	pages_rest(base + 1, page - 1);
	pages_rest(base + page / 2, page);
	pages_rest(base, 0);
	ATF_CHECK_EQ(PAGES, resident());

	/* From the middle of the first to the middle of the last. */
	pages_rest(base + 100, (PAGES - 1) * page);
	ATF_CHECK_EQ(2, resident());
	for (i = 0; i < page; i++) {
		ATF_REQUIRE_EQ(0xa5, base[i]);
		ATF_REQUIRE_EQ(0xa5, base[(PAGES - 1) * page + i]);
	}
	/* It is there when it is needed. */
	memset(base, 0x5a, PAGES * page);
	ATF_CHECK_EQ(PAGES, resident());
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, rest);
	return (atf_no_error());
}
