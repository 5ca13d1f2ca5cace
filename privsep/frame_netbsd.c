/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * NetBSD: records are atomic; kern.sbmax is 256 KiB by default.
 * Spec: 06 section 11.1.
 */

#include "privsep/frame_form.h"

#define BUFFER	(256 * 1024)

const struct frame_form *
frame_system_form(void)
{
	return (&frame_seqpacket);
}

void
frame_system_buffers(int fd)
{
	frame_buffers_halving(fd, BUFFER);
}
