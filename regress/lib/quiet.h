/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/* Callbacks of a core whose part in a test is to do nothing. */

#ifndef REGRESS_LIB_QUIET_H
#define REGRESS_LIB_QUIET_H

#include <stddef.h>
#include <stdint.h>

struct inet_addr;

/* An nc_send: nothing leaves. */
void	 quiet_send(void *, uint32_t sock, const struct inet_addr *,
	    const void *, size_t, unsigned ttl);

#endif /* REGRESS_LIB_QUIET_H */
