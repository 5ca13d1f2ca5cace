/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The parent's part of the metrics: what its children use, and the file that
 * the API has no right to write.  Spec: 05 section 15.
 */

#ifndef ZTD_TAP_METRICS_H
#define ZTD_TAP_METRICS_H

#include "ztd-tap/parent.h"

/* Empty metrics.prom, which may be of an earlier run. */
void	 metrics_start(struct parent *);
/* MSG_GET_METRICS of this id. */
void	 metrics_answer(struct parent *, uint32_t id);
/* MSG_METRICS_TEXT; the file is written when all is there.  False: it makes
 * no sense. */
bool	 metrics_text(struct parent *, const struct msg *);

#endif /* ZTD_TAP_METRICS_H */
