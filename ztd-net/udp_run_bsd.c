/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Runs of datagrams: no BSD's kernel takes or gives several as one.
 */

#include "ztd-net/udp_batch.h"

bool
udp_coalesce(int fd)
{
	(void)fd;
	return (false);
}

void
udp_run_mark(struct msghdr *mh, size_t size)
{
	(void)mh;
	(void)size;
}

size_t
udp_run_size(struct msghdr *mh)
{
	(void)mh;
	return (0);
}
