/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Lists of JSON values by number, as capabilities and tags are kept: sorted,
 * the last of a repeated number wins.  Spec: 04 sections 4.6, 4.7, 5.2.
 */

#ifndef ZTD_CONTROLLER_KEYED_H
#define ZTD_CONTROLLER_KEYED_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct keyed_entry {
	uint64_t	 ke_key;
	size_t		 ke_order;
	json_t		*ke_value;
};
struct keyed {
	struct keyed_entry *k_e;
	size_t		 k_n, k_size;
};

/* Zeroed is empty.  The value's reference is taken. */
void	 keyed_add(struct keyed *, uint64_t key, json_t *value);
/* Sort and drop what was repeated. */
void	 keyed_sort(struct keyed *);
/* The sorted values as an array, a new reference; the list is then empty. */
json_t	*keyed_array(struct keyed *);
void	 keyed_clear(struct keyed *);

#endif /* ZTD_CONTROLLER_KEYED_H */
