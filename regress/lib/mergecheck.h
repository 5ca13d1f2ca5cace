/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * ztd-net/merge.c under watch: what goes in comes out, cut again, byte by
 * byte and in the order that merge.h promises.
 */

#ifndef REGRESS_LIB_MERGECHECK_H
#define REGRESS_LIB_MERGECHECK_H

#include <stddef.h>
#include <stdint.h>

#include "common/offload.h"

#define MERGECHECK_TAPS	4

struct mergecheck {
	const char	*mc_error;	/* what was wrong first, NULL */
	unsigned	 mc_out;	/* frames out, */
	unsigned	 mc_super;	/* those of them that were merged, */
	unsigned	 mc_merged;	/* and the frames in these */
	size_t		 mc_longest;	/* bytes */
	struct merge	*mc_merge;
	struct waiting	*mc_first, **mc_last; /* went in, did not come out */
};

void	 mergecheck_init(struct mergecheck *);
/* A whole frame, of at least 14 bytes, for a tap below MERGECHECK_TAPS. */
void	 mergecheck_put(struct mergecheck *, unsigned tap, unsigned can,
	    const uint8_t *, size_t len);
void	 mergecheck_flush(struct mergecheck *);
void	 mergecheck_forget(struct mergecheck *, unsigned tap);
void	 mergecheck_free(struct mergecheck *);

#endif /* REGRESS_LIB_MERGECHECK_H */
