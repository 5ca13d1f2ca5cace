/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What a node keeps, in memory in place of files.
 */

#ifndef REGRESS_LIB_STORE_H
#define REGRESS_LIB_STORE_H

#include "ztd-net/core/node.h"

struct stored;

/* Begins as a NULL pointer. */
void	 store_put(struct stored **, enum node_state, uint64_t id,
	    const void *, size_t len);
/* Returns the length, 0 when it is not there or longer than size. */
size_t	 store_get(const struct stored *, enum node_state, uint64_t id,
	    void *, size_t size);
void	 store_free(struct stored **);

#endif /* REGRESS_LIB_STORE_H */
