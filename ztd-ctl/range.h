/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The header "Range": which part of an answer is wanted.  Spec: 05 section
 * 2.4.
 */

#ifndef ZTD_CTL_RANGE_H
#define ZTD_CTL_RANGE_H

#include <stdint.h>

struct range {
	uint64_t	 r_from, r_len;
};

enum range_result {
	RANGE_BAD,		/* not a range at all */
	RANGE_WHOLE,		/* several: all of it may be given instead */
	RANGE_PART,
	RANGE_BEYOND		/* nothing is there */
};

/*
 * The value of the header, for an answer of size bytes; *r is filled for
 * RANGE_PART only, where r_len is at least 1.
 */
enum range_result range_parse(const char *value, uint64_t size,
	    struct range *r);

#endif /* ZTD_CTL_RANGE_H */
