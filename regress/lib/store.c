/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What a node keeps, in memory in place of files.
 */

#include <stdlib.h>
#include <string.h>

#include "regress/lib/store.h"

struct stored {
	struct stored	*st_next;
	enum node_state	 st_what;
	uint64_t	 st_id;
	size_t		 st_len;
	uint8_t		 st_bytes[];
};

void
store_put(struct stored **list, enum node_state what, uint64_t id,
    const void *bytes, size_t len)
{
	struct stored	**p, *st;

	for (p = list; (st = *p) != NULL; p = &st->st_next) {
		if (st->st_what == what && st->st_id == id) {
			*p = st->st_next;
			free(st);
			break;
		}
	}
	if (len == 0 || (st = malloc(sizeof(*st) + len)) == NULL)
		return;
	st->st_what = what;
	st->st_id = id;
	st->st_len = len;
	memcpy(st->st_bytes, bytes, len);
	st->st_next = *list;
	*list = st;
}

size_t
store_get(const struct stored *st, enum node_state what, uint64_t id,
    void *dst, size_t size)
{
	for (; st != NULL; st = st->st_next) {
		if (st->st_what != what || st->st_id != id)
			continue;
		if (st->st_len > size)
			return (0);
		memcpy(dst, st->st_bytes, st->st_len);
		return (st->st_len);
	}
	return (0);
}

void
store_free(struct stored **list)
{
	struct stored	*st;

	while ((st = *list) != NULL) {
		*list = st->st_next;
		free(st);
	}
}
