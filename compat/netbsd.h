/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Put before every file that is compiled on NetBSD: functions that it has
 * under another name, or not, under their real names.  (strtonum and
 * reallocarray are there and need _OPENBSD_SOURCE.)
 */

#ifndef COMPAT_NETBSD_H
#define COMPAT_NETBSD_H

#define _OPENBSD_SOURCE	1

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static inline void
explicit_bzero(void *p, size_t len)
{
	(void)explicit_memset(p, 0, len);
}

static inline void
freezero(void *p, size_t len)
{
	if (p != NULL)
		explicit_bzero(p, len);
	free(p);
}

#endif /* COMPAT_NETBSD_H */
