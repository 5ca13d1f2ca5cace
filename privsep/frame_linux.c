/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Linux: records are atomic up to the size of the buffer.
 * Spec: 06 section 11.1.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include "privsep/frame_form.h"

#define BUFFER	(4 * 1024 * 1024)

const struct frame_form *
frame_system_form(void)
{
	return (&frame_seqpacket);
}

/*
 * The parent, with CAP_NET_ADMIN, may exceed net.core.wmem_max; others are
 * silently given that much.
 */
void
frame_system_buffers(int fd)
{
	int	n = BUFFER;

	frame_buffers_halving(fd, n);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &n, sizeof(n));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &n, sizeof(n));
}
