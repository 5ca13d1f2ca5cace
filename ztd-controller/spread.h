/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Revocations, to everybody who is online on a network: at once where these
 * are few, else a part at a time, so that members who ask meanwhile are
 * answered.  Spec: 04 sections 11.1 and 11.3.
 */

#ifndef ZTD_CONTROLLER_SPREAD_H
#define ZTD_CONTROLLER_SPREAD_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPREAD_ROUND	512	/* messages in one go */
#define SPREAD_QUEUE	2097152	/* receivers that may wait, all together */

struct controller;
struct spread;

TAILQ_HEAD(spread_list, spread);

/*
 * Revoke, as of now, the certificates of these members of a network towards
 * those who are online there now; max bounds how many messages that may be,
 * but the first target's are sent to all.  Returns of how many targets.
 */
size_t	 spread_revoke(struct controller *, uint64_t nwid,
	    const uint64_t *targets, size_t n, size_t max);
/* Go on; true when something is left to be sent. */
bool	 spread_run(struct controller *);
void	 spread_clear(struct controller *);

#endif /* ZTD_CONTROLLER_SPREAD_H */
