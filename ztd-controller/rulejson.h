/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Rules as JSON objects and as table entries.  Spec: 04 section 6.
 */

#ifndef ZTD_CONTROLLER_RULEJSON_H
#define ZTD_CONTROLLER_RULEJSON_H

#include <jansson.h>

#include "common/rules.h"
#include "ztd-controller/posted.h"

/*
 * The canonical array of a posted one, a new reference.  What is no list of
 * at most max rules, each with all that it needs, is noted as a mistake: a
 * rule that is left out, or an address taken as zero, would let through what
 * nobody meant.
 */
json_t	*rulejson_canonical(const json_t *array, size_t max,
	    struct wrong *);

/*
 * Table entries of a stored array, at most max; what is no rule is skipped
 * and not counted.  A bad address in a file matches nothing but zero.
 */
unsigned rulejson_compile(const json_t *array, struct rule *dst,
	    unsigned max);

#endif /* ZTD_CONTROLLER_RULEJSON_H */
