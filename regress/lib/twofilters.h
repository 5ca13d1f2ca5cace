/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The engine's rules and the naive ones asked the same, for a property test
 * and a fuzzer.
 */

#ifndef REGRESS_LIB_TWOFILTERS_H
#define REGRESS_LIB_TWOFILTERS_H

#include <stddef.h>
#include <stdint.h>

/* What a run came to, for a test that wants to know that all was tried. */
struct twofilters {
	unsigned	 tf_result;	/* enum naive_result */
	unsigned	 tf_copies;
	uint64_t	 tf_types;	/* bit set of rule types in it */
};

/*
 * Make a frame, tables, tags, ... from these bytes (zeros follow them) and
 * decide twice.  Returns NULL, or a sentence about how the two differ,
 * static.
 */
const char *twofilters(const uint8_t *, size_t, struct twofilters *);

#endif /* REGRESS_LIB_TWOFILTERS_H */
