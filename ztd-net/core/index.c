/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A hash table with open addressing and linear probing, never more than
 * half full nor, but for small ones, less than an eighth.  One that is taken
 * out has those behind it moved up, so that there are no graves.
 */

#include <stdlib.h>
#include <string.h>

#include "ztd-net/core/index.h"
#include "ztd-net/core/mix.h"

#define SIZE_MIN_SLOTS	8

void
index_init(struct index *ix, uint64_t seed)
{
	memset(ix, 0, sizeof(*ix));
	ix->ix_seed = seed;
}

void
index_free(struct index *ix)
{
	free(ix->ix_slot);
	ix->ix_slot = NULL;
	ix->ix_size = ix->ix_n = 0;
}

/* Where the search for a key begins. */
static size_t
home(const struct index *ix, uint64_t key)
{
	return ((size_t)mix(key ^ ix->ix_seed) & (ix->ix_size - 1));
}

/* Its slot, or the free one where it would be. */
static struct index_slot *
locate(const struct index *ix, uint64_t key)
{
	size_t	 i = home(ix, key);

	while (ix->ix_slot[i].is_p != NULL && ix->ix_slot[i].is_key != key)
		i = (i + 1) & (ix->ix_size - 1);
	return (&ix->ix_slot[i]);
}

void *
index_get(const struct index *ix, uint64_t key)
{
	return (ix->ix_n == 0 ? NULL : locate(ix, key)->is_p);
}

static int
resize(struct index *ix, size_t size)
{
	struct index	 old = *ix;
	size_t		 i;

	ix->ix_size = size;
	ix->ix_slot = calloc(ix->ix_size, sizeof(*ix->ix_slot));
	if (ix->ix_slot == NULL) {
		*ix = old;
		return (-1);
	}
	for (i = 0; i < old.ix_size; i++)
		if (old.ix_slot[i].is_p != NULL)
			*locate(ix, old.ix_slot[i].is_key) = old.ix_slot[i];
	free(old.ix_slot);
	return (0);
}

int
index_put(struct index *ix, uint64_t key, void *p)
{
	struct index_slot	*is;

	if (ix->ix_n * 2 >= ix->ix_size && resize(ix, ix->ix_size == 0 ?
	    SIZE_MIN_SLOTS : ix->ix_size * 2) == -1)
		return (-1);
	is = locate(ix, key);
	if (is->is_p == NULL)
		ix->ix_n++;
	is->is_key = key;
	is->is_p = p;
	return (0);
}

void
index_del(struct index *ix, uint64_t key, const void *p)
{
	struct index_slot	*hole, *is;
	size_t			 i, mask = ix->ix_size - 1;

	if (ix->ix_n == 0 || (hole = locate(ix, key))->is_p != p)
		return;
	ix->ix_n--;
	for (i = (size_t)(hole - ix->ix_slot);;) {
		i = (i + 1) & mask;
		is = &ix->ix_slot[i];
		if (is->is_p == NULL)
			break;
		/* May it move into the hole, or does its search begin
		 * behind that? */
		if (((i - home(ix, is->is_key)) & mask) >=
		    ((i - (size_t)(hole - ix->ix_slot)) & mask)) {
			*hole = *is;
			hole = is;
		}
	}
	hole->is_p = NULL;
	/* Those of a storm do not cost memory for ever. */
	if (ix->ix_size > SIZE_MIN_SLOTS && ix->ix_n * 8 < ix->ix_size)
		(void)resize(ix, ix->ix_size / 2);
}
