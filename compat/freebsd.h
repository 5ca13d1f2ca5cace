/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Put before every file that is compiled on FreeBSD: a function that it does
 * not have, under its real name.
 */

#ifndef COMPAT_FREEBSD_H
#define COMPAT_FREEBSD_H

#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

static inline void
freezero(void *p, size_t len)
{
	if (p != NULL)
		explicit_bzero(p, len);
	free(p);
}

#endif /* COMPAT_FREEBSD_H */
