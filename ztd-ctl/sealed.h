/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Memory that another process lends: one file for each system.
 */

#ifndef ZTD_CTL_SEALED_H
#define ZTD_CTL_SEALED_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The descriptor is of memory with exactly so many bytes, of which nobody
 * can take one away or change it any more.
 */
bool	 sealed(int fd, uint64_t len);

#endif /* ZTD_CTL_SEALED_H */
