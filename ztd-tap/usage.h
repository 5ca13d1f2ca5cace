/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What a process uses, as its system tells: usage_SYSTEM.c.
 */

#ifndef ZTD_TAP_USAGE_H
#define ZTD_TAP_USAGE_H

#include <sys/types.h>

#include <stdint.h>

struct usage {
	uint64_t	 us_cpu;	/* microseconds, user and system */
	uint64_t	 us_resident;	/* bytes */
};

/* 0, or -1: it is not there, or is not shown. */
int	 usage_get(pid_t, struct usage *);

#endif /* ZTD_TAP_USAGE_H */
