/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The rules engine against a naive evaluator of the specification: many
 * random situations.  Spec: 03 section 16.
 */

#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/rules.h"
#include "regress/lib/naive.h"
#include "regress/lib/sanitize.h"
#include "regress/lib/twofilters.h"

#define SITUATIONS	SOME(300000, 60000)
#define BYTES		1200

/* xorshift, so that a failure can be played again. */
static uint64_t
next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return (*x);
}

ATF_TC_WITHOUT_HEAD(same_as_naive);
ATF_TC_BODY(same_as_naive, tc)
{
	static uint8_t		 bytes[BYTES];
	struct twofilters	 tf;
	const char		*how;
	uint64_t		 seed, x, types = 0;
	unsigned		 results[NAIVE_REDIRECT + 1] = { 0 };
	unsigned		 copies[3] = { 0 }, i, k, t;

	(void)tc;
	for (seed = 1; seed <= SITUATIONS; seed++) {
		x = seed * 0x9e3779b97f4a7c15ULL;
		for (i = 0; i < BYTES; i += 8) {
			next(&x);
			for (k = 0; k < 8; k++)
				bytes[i + k] = (uint8_t)(x >> 8 * k);
		}
		how = twofilters(bytes, sizeof(bytes), &tf);
		ATF_REQUIRE_MSG(how == NULL, "situation %llu: %s",
		    (unsigned long long)seed, how);
		results[tf.tf_result]++;
		copies[tf.tf_copies]++;
		types |= tf.tf_types;
	}
	printf("%u dropped, %u accepted, %u super-accepted, %u redirected; "
	    "%u with one copy, %u with two\n", results[NAIVE_DROP],
	    results[NAIVE_ACCEPT], results[NAIVE_SUPER_ACCEPT],
	    results[NAIVE_REDIRECT], copies[1], copies[2]);
	/* That says something only if everything occurred. */
	for (t = NAIVE_DROP; t <= NAIVE_REDIRECT; t++)
		ATF_CHECK_MSG(results[t] > SITUATIONS / 200, "result %u: %u",
		    t, results[t]);
	ATF_CHECK(copies[1] > SITUATIONS / 200);
	ATF_CHECK(copies[2] > SITUATIONS / 2000);
	for (t = 0; t < 64; t++)
		if (rule_name((uint8_t)t) != NULL)
			ATF_CHECK_MSG((types >> t & 1) != 0, "no rule %s",
			    rule_name((uint8_t)t));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, same_as_naive);
	return (atf_no_error());
}
