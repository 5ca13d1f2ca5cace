/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What is wrong with a record: before it is imported, or as it is stored.
 * Spec: 04 sections 4 and 5.
 */

#ifndef ZTD_CONTROLLER_CHECK_H
#define ZTD_CONTROLLER_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define CHECK_TEXT	160	/* of a problem, with NUL */

/*
 * Whose record it is: *addr is 0 for a network's.  False when it is neither,
 * with the reason.
 */
bool	 check_ids(const json_t *record, uint64_t *nwid, uint64_t *addr,
	    char why[CHECK_TEXT]);
/* False when a field is not what it should be; why names it. */
bool	 check_network(const json_t *record, char why[CHECK_TEXT]);
bool	 check_member(const json_t *record, char why[CHECK_TEXT]);

#endif /* ZTD_CONTROLLER_CHECK_H */
