/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Memory of large buffers that is only needed while there is much to do.
 */

#ifndef COMMON_PAGES_H
#define COMMON_PAGES_H

#include <stddef.h>

/*
 * Give the whole pages among these bytes back to the system; the buffer can
 * be used on, and what was in it is undefined from now on.
 */
void	 pages_rest(void *, size_t);

#endif /* COMMON_PAGES_H */
