/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What the parent tells its children when they start, and what it does with
 * their messages.
 */

#ifndef ZTD_TAP_DISPATCH_H
#define ZTD_TAP_DISPATCH_H

#include "ztd-tap/parent.h"

/* Everything that a child has to know, in order. */
void	 dispatch_greet(struct child *);
/* The channel's callback; arg is the struct child. */
void	 dispatch_message(struct channel *, struct msg *, void *arg);
/* The settings changed. */
void	 dispatch_settings(struct parent *);

#endif /* ZTD_TAP_DISPATCH_H */
