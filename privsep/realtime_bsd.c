/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The BSDs: they have nothing of the kind that ends by itself.
 */

#include <errno.h>

#include "privsep/realtime.h"

int
realtime_give(pid_t pid)
{
	(void)pid;
	errno = ENOSYS;
	return (-1);
}

void
realtime_take(pid_t pid)
{
	(void)pid;
}

int
realtime_guard(void)
{
	errno = ENOSYS;
	return (-1);
}

void
realtime_end(void)
{
}

bool
realtime_lost(void)
{
	return (false);
}
