/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Finding things by a number at a cost that does not grow with how many
 * there are: what every packet needs (its peer, path, network, member).
 * The trees beside it keep an order, and are for the rest.
 */

#ifndef CORE_INDEX_H
#define CORE_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct index_slot {
	uint64_t	 is_key;
	void		*is_p;		/* NULL: free */
};

/* All 0 is an empty one. */
struct index {
	struct index_slot *ix_slot;
	size_t		 ix_size;	/* slots: a power of two, or 0 */
	size_t		 ix_n;		/* of them in use */
	uint64_t	 ix_seed;	/* so that nobody can aim at a slot */
};

void	 index_init(struct index *, uint64_t seed);
/* What is in it is not touched. */
void	 index_free(struct index *);
/* NULL: not there. */
void	*index_get(const struct index *, uint64_t key);
/* Replaces what had the key.  p is not NULL.  -1: memory is short. */
int	 index_put(struct index *, uint64_t key, void *p);
/* Forget this one, if the key is its own still. */
void	 index_del(struct index *, uint64_t key, const void *p);

#endif /* CORE_INDEX_H */
