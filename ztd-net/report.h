/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Answers to the API's questions.
 */

#ifndef ZTD_NET_REPORT_H
#define ZTD_NET_REPORT_H

#include "ztd-net/engine.h"

/* Each sends its answers with this id; MSG_END is the caller's. */
void	 report_status(struct engine *, struct channel *, uint32_t id);
void	 report_networks(struct engine *, struct channel *, uint32_t id,
	    const struct msg_get *);
void	 report_peers(struct engine *, struct channel *, uint32_t id,
	    uint64_t addr);
/* metrics.c */
void	 report_metrics(struct engine *, struct channel *, uint32_t id);
/* The counters of a status, for both. */
void	 report_counters(const struct engine *, const struct node_status *,
	    struct msg_counters *);
void	 report_moons(struct engine *, struct channel *, uint32_t id);

#endif /* ZTD_NET_REPORT_H */
