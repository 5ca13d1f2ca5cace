/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What became of a frame or a credential of a network, and why: words for
 * machines, which never change, and sentences for people.
 */

#ifndef COMMON_WHY_H
#define COMMON_WHY_H

#include <stdint.h>

enum why {
	WHY_ACCEPTED,

	/* a frame, either way */
	WHY_RULES,		/* a rule, or that no rule accepts it */
	WHY_REDIRECTED,		/* by a rule, to another node */
	WHY_MULTICAST_OFF,
	WHY_TOO_LONG,
	WHY_NO_ROOM,

	/* a frame out */
	WHY_NO_CONFIG,
	WHY_NOT_BRIDGE,
	WHY_BROADCAST_OFF,
	WHY_MALFORMED,		/* not what its descriptor says */

	/* a frame in: its sender is no member, for us */
	WHY_NO_CERTIFICATE,
	WHY_CERTIFICATE_REVOKED,
	WHY_CERTIFICATE_APART,
	/* and further */
	WHY_BAD_ADDRESS,
	WHY_BRIDGED_BY_OTHER,
	WHY_BRIDGED_TO_US,

	/* a credential */
	WHY_OLD,
	WHY_REVOKED,
	WHY_INVALID,

	WHY_COUNT
};

/* "rules" and a sentence; static, "" for what is no reason. */
const char *why_code(uint32_t why);
const char *why_text(uint32_t why);

#endif /* COMMON_WHY_H */
