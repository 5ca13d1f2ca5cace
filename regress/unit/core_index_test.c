/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The index of the core against a plain list, with every kind of change in
 * any order.
 */

#include <stdlib.h>

#include <atf-c.h>

#include "ztd-net/core/index.h"

#define KEYS	300

static void
check_all(const struct index *ix, void *const want[KEYS], uint64_t step)
{
	size_t	 i, n = 0;

	for (i = 0; i < KEYS; i++) {
		ATF_REQUIRE(index_get(ix, i * step) == want[i]);
		n += want[i] != NULL;
	}
	ATF_REQUIRE_EQ(ix->ix_n, n);
	ATF_REQUIRE(index_get(ix, KEYS * step) == NULL);
}

static void
any_order(uint64_t step, uint64_t seed)
{
	static char	 thing[2][KEYS];
	void		*want[KEYS] = { NULL };
	struct index	 ix;
	unsigned	 turn, i, which;

	index_init(&ix, seed);
	check_all(&ix, want, step);
	for (turn = 0; turn < 20000; turn++) {
		/* Now and then nearly full, nearly empty. */
		i = arc4random_uniform(turn % 4000 < 2000 ? KEYS : KEYS / 9);
		which = arc4random_uniform(2);
		if (arc4random_uniform(5) < (turn % 4000 < 2000 ? 3U : 2U)) {
			ATF_REQUIRE(index_put(&ix, i * step,
			    &thing[which][i]) == 0);
			want[i] = &thing[which][i];
		} else {
			index_del(&ix, i * step, &thing[which][i]);
			if (want[i] == &thing[which][i])
				want[i] = NULL;
		}
		if (turn % 50 == 0)
			check_all(&ix, want, step);
	}
	check_all(&ix, want, step);
	index_free(&ix);
	ATF_CHECK(index_get(&ix, 0) == NULL);
	index_del(&ix, 0, thing);
}

ATF_TC_WITHOUT_HEAD(changes);
ATF_TC_BODY(changes, tc)
{
	static const uint64_t	 step[] = { 1, 2, 256, 65536, 1ULL << 32,
		1ULL << 48, 0x9e3779b97f4a7c15ULL };
	size_t			 i;

	(void)tc;
	for (i = 0; i < sizeof(step) / sizeof(step[0]); i++)
		any_order(step[i], i * 0x123456789abcdefULL);
}

/* However keys are alike, few share a place. */
ATF_TC_WITHOUT_HEAD(spread);
ATF_TC_BODY(spread, tc)
{
	struct index	 ix;
	size_t		 i, run, longest, shift;

	(void)tc;
	for (shift = 0; shift <= 48; shift += 8) {
		index_init(&ix, 0x5851f42d4c957f2dULL);
		for (i = 0; i < 10000; i++)
			ATF_REQUIRE(index_put(&ix, (uint64_t)i << shift,
			    &ix) == 0);
		longest = run = 0;
		for (i = 0; i < ix.ix_size; i++) {
			run = ix.ix_slot[i].is_p == NULL ? 0 : run + 1;
			if (run > longest)
				longest = run;
		}
		ATF_CHECK_MSG(longest < 64, "%zu in a row at shift %zu",
		    longest, shift);
		index_free(&ix);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, changes);
	ATF_TP_ADD_TC(tp, spread);
	return (atf_no_error());
}
