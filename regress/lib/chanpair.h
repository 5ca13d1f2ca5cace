/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/* An engine and its parent in one process and event loop. */

#ifndef REGRESS_LIB_CHANPAIR_H
#define REGRESS_LIB_CHANPAIR_H

#include "privsep/channel.h"

/*
 * A channel between them: what each does with messages, without an argument.
 * Returns the engine's end and sets the parent's; the caller's both.  That
 * the channel ends fails the test case.
 */
struct channel *chanpair_new(struct event_base *, channel_message engine,
	    channel_message parent, struct channel **parent_end);

#endif /* REGRESS_LIB_CHANPAIR_H */
