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

/*
 * The canonical array of a posted one: what is no rule is left out, at most
 * ELEMENTS_MAX are kept; anything but an array gives an empty one.  Returns
 * a new reference, or NULL with a static sentence in *error when a rule
 * names an address that is none: taken as zero it would match everything.
 */
json_t	*rulejson_canonical(const json_t *array, const char **error);

/*
 * Table entries of a stored array, at most max; what is no rule is skipped
 * and not counted.  A bad address in a file matches nothing but zero.
 */
unsigned rulejson_compile(const json_t *array, struct rule *dst,
	    unsigned max);

#endif /* ZTD_CONTROLLER_RULEJSON_H */
