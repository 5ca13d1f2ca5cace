/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * NetBSD: the root folder, the user and the limits, which child_confine()
 * has set by now, are all that separates a process from the rest; the
 * system has nothing finer.  Memory is protected against execution by
 * PaX, which is on by default.  Spec: 06 section 12.5.
 *
 * So on this system the promise that one process cannot see the files of
 * another rests on its own user and its own root folder alone.
 */

#include "privsep/sandbox.h"

/* The limits do. */
bool
sandbox_forbids_fork(void)
{
	return (false);
}

int
sandbox_enter(const struct confine *co, const char **what)
{
	(void)co;
	*what = "sandbox";
	return (0);
}

int
sandbox_parent(const char *home, const char **what)
{
	(void)home;
	*what = "sandbox";
	return (0);
}
