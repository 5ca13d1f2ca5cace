/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

#include <sys/mman.h>

#include <stdint.h>
#include <unistd.h>

#include "common/pages.h"

/* On the BSDs the former is advice for the pager, and frees nothing. */
#ifdef __linux__
#define ADVICE	MADV_DONTNEED
#else
#define ADVICE	MADV_FREE
#endif

void
pages_rest(void *p, size_t len)
{
	static uintptr_t	 page;
	uintptr_t		 begin, end;

	if (page == 0)
		page = (uintptr_t)sysconf(_SC_PAGESIZE);
	begin = ((uintptr_t)p + page - 1) / page * page;
	end = ((uintptr_t)p + len) / page * page;
	if (begin < end)
		(void)madvise((void *)begin, end - begin, ADVICE);
}
