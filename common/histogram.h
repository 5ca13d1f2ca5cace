/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Values sorted into buckets as they come, for the metrics.
 */

#ifndef COMMON_HISTOGRAM_H
#define COMMON_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BOUNDS	10

/* hi_counts[i]: those over bound i - 1 and not over bound i. */
struct histogram {
	uint64_t	 hi_counts[HISTOGRAM_BOUNDS + 1];
	uint64_t	 hi_sum;
};

extern const uint32_t histogram_latency[HISTOGRAM_BOUNDS];	/* ms */
extern const uint32_t histogram_request[HISTOGRAM_BOUNDS];	/* us */

void	 histogram_add(struct histogram *, const uint32_t *bounds,
	    uint64_t value);

#endif /* COMMON_HISTOGRAM_H */
