/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Frames between hosts: what the simulator's own files share; scenarios use
 * what sim.h says of flows.
 */

#ifndef REGRESS_SIM_FLOW_H
#define REGRESS_SIM_FLOW_H

#include "regress/sim/sim.h"

struct flows;

/* NULL without memory. */
struct flows *flows_new(struct sim *);
void	 flows_free(struct flows *);
struct flows *sim_flows(const struct sim *);
/* A host's port got a frame that may be a flow's. */
void	 flows_frame(struct flows *, struct host *, const void *, size_t);

#endif /* REGRESS_SIM_FLOW_H */
