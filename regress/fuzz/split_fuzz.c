/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Fuzzer: cutting super-frames (common/split.h), spec 06 section 10.1.  An
 * input is a descriptor and a frame, or what to build a good one from and
 * which of its bytes to change: then what is unchanged is cut as it was
 * built.
 */

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/split.h"
#include "regress/lib/superframe.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define RECIPE	32

static struct superframe	 sf;

/*
 * Whatever a frame is, its segments hold its payload, each byte once, and
 * none is longer than was said.  On the heap, so that a byte past an end is
 * seen.
 */
static void
cut(const struct offload *of, uint16_t type, const uint8_t *p, size_t len,
    bool good)
{
	static uint8_t	 want[SUPERFRAME_MAX];
	struct split	 sp;
	uint8_t		*whole, *seg;
	size_t		 n, at, longest = 0;
	unsigned	 k, count;

	if ((whole = malloc(len + 1)) == NULL)
		abort();
	memcpy(whole + 1, p, len);
	count = split_begin(&sp, of, type, whole + 1, len);
	if (good && count != sf.sf_n)
		abort();
	at = sp.sp_hdr;
	for (k = 0; (n = split_len(&sp)) > 0; k++) {
		if ((seg = malloc(n)) == NULL || split_next(&sp, seg,
		    n - 1) != 0 || split_next(&sp, seg, n) != n)
			abort();
		if (n > longest)
			longest = n;
		if (sp.sp_kind != SPLIT_CSUM && memcmp(seg + sp.sp_hdr,
		    whole + 1 + at, n - sp.sp_hdr) != 0)
			abort();
		at += n - sp.sp_hdr;
		if (good && (superframe_segment(&sf, k, want) != n ||
		    memcmp(seg, want, n) != 0))
			abort();
		free(seg);
	}
	if (k != count || (count > 0 && (at != len ||
	    longest != split_longest(&sp))))
		abort();
	free(whole);
}

static void
raw(struct rbuf *rb)
{
	struct offload	 of;
	uint16_t	 type;

	of.of_flags = rbuf_u8(rb);
	of.of_type = rbuf_u8(rb);
	of.of_hdrlen = rbuf_u16(rb);
	of.of_size = rbuf_u16(rb);
	of.of_csum_start = rbuf_u16(rb);
	of.of_csum_offset = rbuf_u16(rb);
	type = rbuf_u16(rb);
	if (rbuf_ok(rb))
		cut(&of, type, rb->rb_p, rb->rb_left, false);
}

static void
built(struct rbuf *rb)
{
	const uint8_t	*recipe = rb->rb_p;
	uint8_t		*d = (uint8_t *)&sf.sf_of;
	size_t		 n, at;

	n = rb->rb_left < RECIPE ? rb->rb_left : RECIPE;
	rbuf_skip(rb, n);
	superframe_random(&sf, recipe, n);
	superframe_make(&sf);
	cut(&sf.sf_of, sf.sf_type, sf.sf_p, sf.sf_len, true);
	/* Headers, most often; the descriptor. */
	while (rb->rb_left >= 3) {
		at = rbuf_u16(rb);
		if (at >= 0xff00)
			d[at % sizeof(sf.sf_of)] = rbuf_u8(rb);
		else if (at >= 0xfe00)
			sf.sf_len -= rbuf_u8(rb) % (sf.sf_len + 1);
		else
			sf.sf_p[at < 0x8000 ? at % 128 : at] = rbuf_u8(rb);
	}
	cut(&sf.sf_of, sf.sf_type, sf.sf_p, sf.sf_len, false);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rbuf	 rb;

	rbuf_init(&rb, data, size);
	if (rbuf_u8(&rb) % 2 == 0)
		raw(&rb);
	else
		built(&rb);
	return (0);
}
