/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Capabilities: rules that their holder may use, with the chain of custody
 * from the controller to the holder.  Spec: 03 section 9.4.
 */

#include <string.h>

#include "common/address.h"
#include "common/credential.h"
#include "common/credential_wire.h"

static void	capability_body(struct wbuf *, const struct capability *);
static void	capability_signed(struct wbuf *, const struct capability *);
static void	custody_get(struct rbuf *, struct capability *);

void
capability_get(struct rbuf *rb, struct capability *cap)
{
	unsigned	n;

	memset(cap, 0, sizeof(*cap));
	cap->cap_nwid = rbuf_u64(rb);
	cap->cap_ts = (int64_t)rbuf_u64(rb);
	cap->cap_id = rbuf_u32(rb);
	if ((n = rbuf_u16(rb)) > CAPABILITY_RULES)
		rbuf_fail(rb);
	else {
		rules_get_n(rb, cap->cap_rules, n);
		cap->cap_nrules = n;
	}
	cap->cap_maxcustody = rbuf_u8(rb);
	if (cap->cap_maxcustody < 1 ||
	    cap->cap_maxcustody > CAPABILITY_CUSTODY)
		rbuf_fail(rb);
	custody_get(rb, cap);
	credential_extra_get(rb);
	if (!rbuf_ok(rb))
		memset(cap, 0, sizeof(*cap));
}

void
capability_put(struct wbuf *wb, const struct capability *cap)
{
	unsigned	i;

	capability_body(wb, cap);
	for (i = 0; i < cap->cap_ncustody; i++) {
		wbuf_addr(wb, cap->cap_custody[i].to);
		wbuf_addr(wb, cap->cap_custody[i].from);
		credential_sig_put(wb, cap->cap_custody[i].sig);
	}
	wbuf_addr(wb, 0);
	credential_extra_put(wb);
}

void
capability_sign(struct capability *cap, const struct identity *signer,
    uint64_t to)
{
	uint8_t		 buf[CAPABILITY_MAX];
	struct wbuf	 wb;

	wbuf_init(&wb, buf, sizeof(buf));
	capability_signed(&wb, cap);
	memset(cap->cap_custody, 0, sizeof(cap->cap_custody));
	cap->cap_ncustody = 1;
	cap->cap_custody[0].to = to;
	cap->cap_custody[0].from = signer->id_addr;
	identity_sign(signer, buf, wb.wb_len, cap->cap_custody[0].sig);
}

uint64_t
capability_holder(const struct capability *cap)
{
	if (cap->cap_ncustody == 0)
		return (0);
	return (cap->cap_custody[cap->cap_ncustody - 1].to);
}

bool
capability_equal(const struct capability *a, const struct capability *b)
{
	uint8_t		 abuf[CAPABILITY_MAX], bbuf[CAPABILITY_MAX];
	struct wbuf	 awb, bwb;

	wbuf_init(&awb, abuf, sizeof(abuf));
	wbuf_init(&bwb, bbuf, sizeof(bbuf));
	capability_put(&awb, a);
	capability_put(&bwb, b);
	return (awb.wb_len == bwb.wb_len &&
	    memcmp(abuf, bbuf, awb.wb_len) == 0);
}

/*
 * The first entry must come from the controller, every other one from the
 * holder before it.  The chain is walked completely before any signature is
 * looked at, so that a broken one costs nothing.
 */
enum credential_check
capability_check(const struct capability *cap, identity_lookup lookup,
    void *arg, uint64_t *unknown)
{
	const struct identity	*id;
	uint8_t			 buf[CAPABILITY_MAX];
	struct wbuf		 wb;
	uint64_t		 holder;
	unsigned		 i;

	holder = nwid_controller(cap->cap_nwid);
	if (cap->cap_ncustody == 0 || holder == 0)
		return (CREDENTIAL_BAD);
	for (i = 0; i < cap->cap_ncustody; i++) {
		if (cap->cap_custody[i].from != holder)
			return (CREDENTIAL_BAD);
		holder = cap->cap_custody[i].to;
	}

	wbuf_init(&wb, buf, sizeof(buf));
	capability_signed(&wb, cap);
	if (!wbuf_ok(&wb))
		return (CREDENTIAL_BAD);
	for (i = 0; i < cap->cap_ncustody; i++) {
		id = lookup(arg, cap->cap_custody[i].from);
		if (id == NULL) {
			*unknown = cap->cap_custody[i].from;
			return (CREDENTIAL_UNKNOWN_SIGNER);
		}
		if (!identity_verify(id, buf, wb.wb_len,
		    cap->cap_custody[i].sig, SIGNATURE_LEN))
			return (CREDENTIAL_BAD);
	}
	return (CREDENTIAL_OK);
}

/* What stands before the custody entries. */
static void
capability_body(struct wbuf *wb, const struct capability *cap)
{
	wbuf_u64(wb, cap->cap_nwid);
	wbuf_u64(wb, (uint64_t)cap->cap_ts);
	wbuf_u32(wb, cap->cap_id);
	wbuf_u16(wb, cap->cap_nrules);
	rules_put(wb, cap->cap_rules, cap->cap_nrules);
	wbuf_u8(wb, cap->cap_maxcustody);
}

/* The signing input, the same for every entry of the chain. */
static void
capability_signed(struct wbuf *wb, const struct capability *cap)
{
	wbuf_u64(wb, CREDENTIAL_MARK);
	capability_body(wb, cap);
	credential_extra_put(wb);
	wbuf_u64(wb, CREDENTIAL_MARK);
}

/* Entries up to the zero address, which also ends a full chain. */
static void
custody_get(struct rbuf *rb, struct capability *cap)
{
	uint64_t	to;
	unsigned	n = 0;

	while (rbuf_ok(rb) && (to = rbuf_addr(rb)) != 0) {
		if (n == cap->cap_maxcustody) {
			rbuf_fail(rb);
			return;
		}
		cap->cap_custody[n].to = to;
		cap->cap_custody[n].from = rbuf_addr(rb);
		credential_sig_get(rb, cap->cap_custody[n].sig);
		n++;
	}
	cap->cap_ncustody = n;
}
