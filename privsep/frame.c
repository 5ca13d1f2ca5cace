/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The frame channel, as far as it is the same in all forms: filling a
 * batch, checking records, counting.  Spec: 06 section 11.1.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "privsep/frame_form.h"

#define BUFFER_MIN	65536	/* below, a frame would not fit */

int
frame_pair(int fds[2])
{
	return (frame_pair_form(frame_system_form(), fds));
}

int
frame_pair_form(const struct frame_form *form, int fds[2])
{
	int	i;

	if (socketpair(AF_UNIX, form->ff_type | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0, fds) == -1)
		return (-1);
	for (i = 0; i < 2; i++)
		frame_system_buffers(fds[i]);
	return (0);
}

struct frame_channel *
frame_new(int fd)
{
	return (frame_new_form(frame_system_form(), fd));
}

struct frame_channel *
frame_new_form(const struct frame_form *form, int fd)
{
	struct frame_channel	*fc;

	if ((fc = calloc(1, sizeof(*fc))) == NULL)
		return (NULL);
	fc->fc_form = form;
	fc->fc_fd = -1;
	if ((form->ff_put == NULL &&
	    (fc->fc_out = malloc(FRAME_OUT)) == NULL) ||
	    form->ff_init(fc) == -1) {
		free(fc->fc_in);
		free(fc->fc_out);
		free(fc);
		return (NULL);
	}
	fc->fc_fd = fd;
	return (fc);
}

void
frame_free(struct frame_channel *fc)
{
	if (fc == NULL)
		return;
	if (fc->fc_fd != -1)
		close(fc->fc_fd);
	fc->fc_form->ff_free(fc);
	free(fc->fc_in);
	free(fc->fc_out);
	free(fc);
}

int
frame_fd(const struct frame_channel *fc)
{
	return (fc->fc_fd);
}

const struct frame_stats *
frame_stats(const struct frame_channel *fc)
{
	return (&fc->fc_stats);
}

void
frame_put(struct frame_channel *fc, uint16_t tap, const void *p, size_t len)
{
	frame_put2(fc, tap, NULL, p, len, NULL, 0);
}

void
frame_put2(struct frame_channel *fc, uint16_t tap, const struct offload *of,
    const void *hdr, size_t hdrlen, const void *p, size_t len)
{
	static const struct offload	 nothing;
	uint8_t				*dst;
	uint32_t			 size;
	uint16_t			 flags = 0;

	if (of == NULL)
		of = &nothing;
	if (hdrlen > FRAME_MAX || len > FRAME_MAX - hdrlen ||
	    hdrlen + len < FRAME_HDR || !offload_sane(of, hdrlen + len)) {
		fc->fc_stats.fs_dropped++;
		return;
	}
	if (fc->fc_form->ff_put != NULL) {
		fc->fc_form->ff_put(fc, of, hdr, hdrlen, p, len);
		return;
	}
	size = (uint32_t)(RECORD_HDR + hdrlen + len);
	if (fc->fc_nout == FRAME_BATCH ||
	    RECORD_LEN + size > FRAME_OUT - fc->fc_outlen)
		frame_flush(fc);

	dst = fc->fc_out + fc->fc_outlen;
	memcpy(dst, &size, sizeof(size));
	memcpy(dst + 4, &tap, sizeof(tap));
	memcpy(dst + 6, &flags, sizeof(flags));
	memcpy(dst + 8, of, sizeof(*of));
	dst += RECORD_LEN + RECORD_HDR;
	memcpy(dst, hdr, hdrlen);
	if (len > 0)
		memcpy(dst + hdrlen, p, len);
	fc->fc_outlen += RECORD_LEN + size;
	fc->fc_end[fc->fc_nout++] = fc->fc_outlen;
}

void
frame_flush(struct frame_channel *fc)
{
	fc->fc_form->ff_flush(fc);
}

int
frame_get(struct frame_channel *fc, struct frame dst[FRAME_BATCH])
{
	fc->fc_more = false;
	return (fc->fc_form->ff_get(fc, dst));
}

bool
frame_more(const struct frame_channel *fc)
{
	return (fc->fc_more);
}

bool
frame_parse(struct frame_channel *fc, uint8_t *record, size_t len,
    struct frame *f)
{
	if (len < RECORD_MIN || len > RECORD_MAX) {
		fc->fc_stats.fs_dropped++;
		return (false);
	}
	memcpy(&f->f_tap, record, sizeof(f->f_tap));
	memcpy(&f->f_flags, record + 2, sizeof(f->f_flags));
	memcpy(&f->f_offload, record + 4, sizeof(f->f_offload));
	f->f_len = (uint32_t)(len - RECORD_HDR);
	f->f_data = record + RECORD_HDR;
	if (f->f_flags != 0 || !offload_sane(&f->f_offload, f->f_len)) {
		fc->fc_stats.fs_dropped++;
		return (false);
	}
	fc->fc_stats.fs_received++;
	return (true);
}

void
frame_buffers_halving(int fd, int size)
{
	static const int	which[] = { SO_SNDBUF, SO_RCVBUF };
	size_t			i;
	int			n;

	for (i = 0; i < 2; i++) {
		for (n = size; n >= BUFFER_MIN; n /= 2) {
			if (setsockopt(fd, SOL_SOCKET, which[i], &n,
			    sizeof(n)) == 0)
				break;
		}
	}
}

bool
frame_temporary(int error)
{
	return (error == EAGAIN || error == ENOBUFS || error == EINTR);
}
