/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Fuzzer: frames for a tap (ztd-net/merge.h).  The input is read as a
 * series of steps: bytes as they are, and the next of a few flows with a
 * change or none; and whatever was made of it must come out again.
 */

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "regress/lib/mergecheck.h"
#include "regress/lib/mergeframe.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define FLOWS	20
#define STEPS	128
#define ETH	14

/* The first byte of a step: a flow, or one of these, and bits. */
#define STEP_FLOW	0x1f
#define STEP_RAW	20	/* up to here flows */
#define STEP_FLUSH	28
#define STEP_FORGET	31
#define STEP_CHANGE	0x20	/* a byte is changed, */
#define STEP_SUMS	0x40	/* and its checksums put right */
#define STEP_SIZE	0x80	/* the payload is so long from now on */

static struct mergeframe	flows[FLOWS];
static struct mergecheck	mc;
static uint8_t			frame[MF_MAX];

static void
put(unsigned tap, size_t len, uint8_t step, struct rbuf *rb)
{
	size_t	 at;
	uint8_t	 bits, can = 7;

	if ((step & STEP_CHANGE) != 0) {
		at = rbuf_u8(rb) % len;
		bits = rbuf_u8(rb);
		can = bits ^ 7;
		frame[at] ^= bits;
		if (at == len - 1 && len > ETH + 1)
			len--;
	}
	if ((step & STEP_SUMS) != 0)
		mergeframe_sums(frame, len);
	mergecheck_put(&mc, tap, can, frame, len);
}

static void
put_flow(unsigned n, uint8_t step, struct rbuf *rb)
{
	struct mergeframe	*mf = &flows[n];

	if ((step & STEP_SIZE) != 0)
		mf->mf_payload = rbuf_u16(rb) & 0x07ff;
	put(n % 2, mergeframe_make(frame, mf), step, rb);
	mf->mf_seq += (uint32_t)mf->mf_payload;
	mf->mf_fill += (uint32_t)mf->mf_payload;
	mf->mf_id++;
}

/* Behind the MACs of the flows, so that it may be one of theirs. */
static void
put_raw(uint8_t step, struct rbuf *rb)
{
	struct mergeframe	 mf;
	const uint8_t		*p;
	size_t			 n = rbuf_u8(rb);

	if (n > rb->rb_left)
		n = rb->rb_left;
	mergeframe_init(&mf, step & 1, step & 2);
	(void)mergeframe_make(frame, &mf);
	if ((p = rbuf_take(rb, n)) != NULL && n > 0)
		memcpy(frame + ETH, p, n);
	put(step & 1, ETH + n, step, rb);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rbuf	 rb;
	unsigned	 i, what;
	uint8_t		 step;

	rbuf_init(&rb, data, size);
	mergecheck_init(&mc);
	for (i = 0; i < FLOWS; i++) {
		mergeframe_init(&flows[i], i / 2 % 2, i / 4 % 2);
		flows[i].mf_df = i / 8 % 2;
		flows[i].mf_optlen = i % 3 == 0 ? 12 : 0;
		flows[i].mf_sport = (uint16_t)i;
		flows[i].mf_payload = 16;
	}
	for (i = 0; i < STEPS && rb.rb_left > 0; i++) {
		step = rbuf_u8(&rb);
		what = step & STEP_FLOW;
		if (what < STEP_RAW)
			put_flow(what, step, &rb);
		else if (what < STEP_FLUSH)
			put_raw(step, &rb);
		else if (what < STEP_FORGET)
			mergecheck_flush(&mc);
		else
			mergecheck_forget(&mc, step >> 7);
	}
	mergecheck_flush(&mc);
	if (mc.mc_error != NULL)
		abort();
	mergecheck_free(&mc);
	return (0);
}
