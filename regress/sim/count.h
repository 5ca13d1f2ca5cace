/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What a stretch of time cost: datagrams and bytes that hosts sent, and a
 * sniffer that counts those of certain lengths.
 */

#ifndef REGRESS_SIM_COUNT_H
#define REGRESS_SIM_COUNT_H

#include "regress/sim/sim.h"

struct cost {
	uint64_t	 co_datagrams, co_bytes;
};

/* Until now: of all hosts, of one. */
void	 cost_all(struct sim *, struct cost *);
void	 cost_of(const struct host *, struct cost *);
void	 cost_since(struct cost *, const struct cost *before);
/* Less what so much time costs anyway, given a minute's cost. */
void	 cost_less(struct cost *, const struct cost *minute, int64_t ms);

struct sniffer {
	struct sim	*sn_sim;
	const struct host *sn_from;
	uint64_t	 sn_to;
	size_t		 sn_min, sn_max;
	uint64_t	 sn_n;
};

/* Count datagrams of these lengths from a host (NULL: from all but roots,
 * which relay) that are for this node (0: any). */
void	 sniff_start(struct sniffer *, struct sim *, const struct host *from,
	    uint64_t to, size_t min, size_t max);
void	 sniff_stop(struct sniffer *);

#endif /* REGRESS_SIM_COUNT_H */
