/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Metrics: what all processes count, collected and as text.
 * Spec: 05 section 15.
 */

#ifndef ZTD_CTL_METRICS_H
#define ZTD_CTL_METRICS_H

#include "ztd-ctl/ctl.h"

struct evbuffer;

/* One collection; of a process that did not answer me_have is false. */
struct metrics {
	bool			 me_have[PROC_COUNT];
	struct msg_metrics_usage me_usage[PROC_COUNT];
	struct msg_metrics_frames me_frames;
	struct msg_metrics_node	 me_node;
	struct msg_metrics_network *me_networks;
	size_t			 me_nnetworks;
	struct msg_metrics_peer	*me_peers;
	size_t			 me_npeers;
	struct msg_metrics_con	 me_con;
	/* metrics.c only */
	struct metrics_part	*me_parts;
	void			(*me_done)(void *, struct metrics *);
	void			*me_arg;
};

/*
 * Ask everybody; done is called once, not before this returns, and frees
 * what it gets.  NULL: nobody is there, or memory is short.
 */
struct metrics *metrics_collect(struct ctl *,
	    void (*done)(void *, struct metrics *), void *arg);
/* Also before it is done.  NULL is fine. */
void	 metrics_free(struct metrics *);

/* metrics_text.c: in the text exposition format. */
void	 metrics_text(struct evbuffer *, const struct metrics *);

/* metrics_file.c: begin to keep metrics.prom up to date. */
void	 metrics_file(struct ctl *);
/* Write it once more and then leave the event loop, within a second. */
void	 metrics_file_end(struct ctl *);

#endif /* ZTD_CTL_METRICS_H */
