/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * FreeBSD: since 15 a SOCK_SEQPACKET pair behaves as a stream whose records
 * end only at MSG_EOR, before that records end at 8 KiB; so the stream form
 * is used.  kern.ipc.maxsockbuf is 2 MiB by default.
 * Spec: 06 section 11.1.
 */

#include "privsep/frame_form.h"

#define BUFFER	(2 * 1024 * 1024)

const struct frame_form *
frame_system_form(void)
{
	return (&frame_stream);
}

void
frame_system_buffers(int fd)
{
	frame_buffers_halving(fd, BUFFER);
}
