/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

#include <sys/types.h>
#include <sys/syscall.h>

#include <linux/aio_abi.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "privsep/frame_burst.h"
#include "regress/lib/burst.h"

void
burst_begin(void)
{
	aio_context_t	 context = 0;

	if (syscall(SYS_io_setup, BURST_MAX, &context) == -1)
		atf_tc_skip("io_setup(2): %s: this kernel does not have it, "
		    "or fs.aio-max-nr are in use", strerror(errno));
	ATF_REQUIRE(syscall(SYS_io_destroy, context) == 0);
	frame_burst_init();
	ATF_REQUIRE(frame_burst_works());
}
