/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

#ifndef REGRESS_LIB_BURST_H
#define REGRESS_LIB_BURST_H

/*
 * Linux: frame_burst_init(), which has to work unless the kernel itself has
 * nothing of the kind: then the test is skipped.
 */
void	 burst_begin(void);

#endif /* REGRESS_LIB_BURST_H */
