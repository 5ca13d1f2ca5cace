/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The local socket of the API, on which root and the members of our group
 * need no token: its file, and who these are.
 */

#ifndef ZTD_TAP_LOCAL_H
#define ZTD_TAP_LOCAL_H

#include "ztd-tap/parent.h"

/*
 * Make it.  One that a dead run left is replaced; anything else in its place
 * is left alone and named in the log, and so is every other failure: then
 * there is none.
 */
void	 local_open(struct parent *);
/* Close it and remove its file, if that is still ours. */
void	 local_close(struct parent *);
/* Hand it to the API, and tell who needs no token. */
void	 local_send(struct parent *);
/* Tell that again: the system's groups may have changed. */
void	 local_operators(struct parent *);

#endif /* ZTD_TAP_LOCAL_H */
