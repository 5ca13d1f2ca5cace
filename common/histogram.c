/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

#include "common/histogram.h"

/* Those of zt_peer_latency: 05 section 15. */
const uint32_t histogram_latency[HISTOGRAM_BOUNDS] = {
	1, 3, 6, 10, 30, 60, 100, 300, 600, 1000
};

const uint32_t histogram_request[HISTOGRAM_BOUNDS] = {
	100, 250, 500, 1000, 2500, 5000, 10000, 50000, 250000, 1000000
};

void
histogram_add(struct histogram *hi, const uint32_t *bounds, uint64_t value)
{
	unsigned	 i = 0;

	while (i < HISTOGRAM_BOUNDS && value > bounds[i])
		i++;
	hi->hi_counts[i]++;
	hi->hi_sum += value;
}
