/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Between watch.c, which asks and waits, and watch_view.c, which makes a
 * text of the answers.
 */

#ifndef ZTCTL_WATCH_H
#define ZTCTL_WATCH_H

#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

/* What the service said at one time; the answers are owned. */
struct sample {
	int64_t	 sa_ms;		/* of a clock that only goes forward */
	json_t	*sa_status;
	json_t	*sa_networks;
	json_t	*sa_peers;
};

/*
 * The tables as printable ASCII, in at most so many lines (0: all).  Rates
 * are since before, which may be NULL: then they are unknown.
 */
void	 watch_view(FILE *, const struct sample *now,
	    const struct sample *before, unsigned rows);

#endif /* ZTCTL_WATCH_H */
