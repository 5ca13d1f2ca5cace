/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Why a node, a root, a peer or a path is not as good as it could be: words
 * for machines, which never change, and sentences for people.
 */

#ifndef COMMON_REASON_H
#define COMMON_REASON_H

#include <stdint.h>

enum reason {
	REASON_NONE,			/* direct and fine */

	/* the node */
	REASON_NODE_STARTING,
	REASON_NODE_NO_ADDRESS,
	REASON_NODE_NO_ROOTS,
	REASON_NODE_UDP_BLOCKED,
	REASON_NODE_ROOTS_SILENT,
	REASON_NODE_TWIN,

	/* a root */
	REASON_ROOT_NOT_TRIED,
	REASON_ROOT_NO_FAMILY,
	REASON_ROOT_NO_ANSWER,
	REASON_ROOT_SILENT,
	REASON_ROOT_RELAYED,

	/* a peer */
	REASON_PEER_IDLE,
	REASON_PEER_NO_CANDIDATES,
	REASON_PEER_TRYING,
	REASON_PEER_NO_ANSWER,
	REASON_PEER_SYMMETRIC,
	REASON_PEER_FORBIDDEN,
	REASON_PEER_SUSPECT,
	REASON_PEER_UNREACHABLE,

	/* a path */
	REASON_PATH_SUSPECT,
	REASON_PATH_SILENT,
	REASON_PATH_EXPIRED,
	REASON_PATH_SMALL,

	REASON_COUNT
};

/* What others' view of our addresses says of the NAT before us. */
enum nat_kind {
	NAT_UNKNOWN,		/* not enough roots have told */
	NAT_NONE,		/* they see an address of ours */
	NAT_CONE,		/* all see the same foreign one */
	NAT_SYMMETRIC,		/* each sees another port */
	NAT_COUNT
};

/* "peer-no-answer" and a sentence; static.  "" for REASON_NONE and for what
 * is no reason. */
const char *reason_code(uint32_t reason);
const char *reason_text(uint32_t reason);
/* "unknown", "none", "cone", "symmetric"; static. */
const char *nat_name(uint32_t kind);

#endif /* COMMON_REASON_H */
