/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Tags, certificates of ownership and revocations: the credentials that
 * are a few fixed fields and one signature.  Spec: 03 sections 9.3, 9.5, 9.6.
 */

#include <string.h>

#include "common/address.h"
#include "common/credential.h"
#include "common/credential_wire.h"

/* Signing inputs are shorter than the credential and two marks. */
#define TAG_SIGNED		(TAG_MAX + 16)
#define COO_SIGNED		(COO_MAX + 16)
#define REVOCATION_SIGNED	(REVOCATION_MAX + 16)

static void	tag_body(struct wbuf *, const struct tag *);
static void	tag_signed(struct wbuf *, const struct tag *);
static void	coo_body(struct wbuf *, const struct coo *);
static void	coo_signed(struct wbuf *, const struct coo *);
static bool	coo_owns(const struct coo *, enum coo_thing, const uint8_t *,
		    size_t);
static void	revocation_body(struct wbuf *, const struct revocation *);
static void	revocation_signed(struct wbuf *, const struct revocation *);

/* --- tag --- */

void
tag_get(struct rbuf *rb, struct tag *tag)
{
	memset(tag, 0, sizeof(*tag));
	tag->tag_nwid = rbuf_u64(rb);
	tag->tag_ts = (int64_t)rbuf_u64(rb);
	tag->tag_id = rbuf_u32(rb);
	tag->tag_value = rbuf_u32(rb);
	tag->tag_to = rbuf_addr(rb);
	tag->tag_signer = rbuf_addr(rb);
	credential_sig_get(rb, tag->tag_sig);
	credential_extra_get(rb);
	if (!rbuf_ok(rb))
		memset(tag, 0, sizeof(*tag));
}

void
tag_put(struct wbuf *wb, const struct tag *tag)
{
	tag_body(wb, tag);
	credential_sig_put(wb, tag->tag_sig);
	credential_extra_put(wb);
}

void
tag_sign(struct tag *tag, const struct identity *signer)
{
	uint8_t		 buf[TAG_SIGNED];
	struct wbuf	 wb;

	tag->tag_signer = signer->id_addr;
	wbuf_init(&wb, buf, sizeof(buf));
	tag_signed(&wb, tag);
	identity_sign(signer, buf, wb.wb_len, tag->tag_sig);
}

bool
tag_equal(const struct tag *a, const struct tag *b)
{
	return (a->tag_nwid == b->tag_nwid && a->tag_ts == b->tag_ts &&
	    a->tag_id == b->tag_id && a->tag_value == b->tag_value &&
	    a->tag_to == b->tag_to && a->tag_signer == b->tag_signer &&
	    memcmp(a->tag_sig, b->tag_sig, sizeof(a->tag_sig)) == 0);
}

enum credential_check
tag_check(const struct tag *tag, identity_lookup lookup, void *arg,
    uint64_t *unknown)
{
	uint8_t		 buf[TAG_SIGNED];
	struct wbuf	 wb;

	wbuf_init(&wb, buf, sizeof(buf));
	tag_signed(&wb, tag);
	return (credential_verify(tag->tag_nwid, tag->tag_signer, &wb,
	    tag->tag_sig, lookup, arg, unknown));
}

static void
tag_body(struct wbuf *wb, const struct tag *tag)
{
	wbuf_u64(wb, tag->tag_nwid);
	wbuf_u64(wb, (uint64_t)tag->tag_ts);
	wbuf_u32(wb, tag->tag_id);
	wbuf_u32(wb, tag->tag_value);
	wbuf_addr(wb, tag->tag_to);
	wbuf_addr(wb, tag->tag_signer);
}

static void
tag_signed(struct wbuf *wb, const struct tag *tag)
{
	wbuf_u64(wb, CREDENTIAL_MARK);
	tag_body(wb, tag);
	credential_extra_put(wb);
	wbuf_u64(wb, CREDENTIAL_MARK);
}

/* --- certificate of ownership --- */

void
coo_get(struct rbuf *rb, struct coo *coo)
{
	unsigned	i, n;

	memset(coo, 0, sizeof(*coo));
	coo->coo_nwid = rbuf_u64(rb);
	coo->coo_ts = (int64_t)rbuf_u64(rb);
	coo->coo_flags = rbuf_u64(rb);
	coo->coo_id = rbuf_u32(rb);
	if ((n = rbuf_u16(rb)) > COO_THINGS) {
		rbuf_fail(rb);
		n = 0;
	}
	for (i = 0; i < n; i++) {
		coo->coo_things[i].type = rbuf_u8(rb);
		rbuf_bytes(rb, coo->coo_things[i].value,
		    sizeof(coo->coo_things[i].value));
	}
	coo->coo_n = n;
	coo->coo_to = rbuf_addr(rb);
	coo->coo_signer = rbuf_addr(rb);
	credential_sig_get(rb, coo->coo_sig);
	credential_extra_get(rb);
	if (!rbuf_ok(rb))
		memset(coo, 0, sizeof(*coo));
}

void
coo_put(struct wbuf *wb, const struct coo *coo)
{
	coo_body(wb, coo);
	credential_sig_put(wb, coo->coo_sig);
	credential_extra_put(wb);
}

void
coo_sign(struct coo *coo, const struct identity *signer)
{
	uint8_t		 buf[COO_SIGNED];
	struct wbuf	 wb;

	coo->coo_signer = signer->id_addr;
	wbuf_init(&wb, buf, sizeof(buf));
	coo_signed(&wb, coo);
	identity_sign(signer, buf, wb.wb_len, coo->coo_sig);
}

bool
coo_equal(const struct coo *a, const struct coo *b)
{
	uint8_t		 abuf[COO_MAX], bbuf[COO_MAX];
	struct wbuf	 awb, bwb;

	wbuf_init(&awb, abuf, sizeof(abuf));
	wbuf_init(&bwb, bbuf, sizeof(bbuf));
	coo_put(&awb, a);
	coo_put(&bwb, b);
	return (awb.wb_len == bwb.wb_len &&
	    memcmp(abuf, bbuf, awb.wb_len) == 0);
}

bool
coo_owns_ip(const struct coo *coo, const struct inet_addr *ia)
{
	if (inet_isnil(ia))
		return (false);
	return (coo_owns(coo, ia->ia_family == 4 ? THING_IPV4 : THING_IPV6,
	    ia->ia_ip, inet_iplen(ia)));
}

bool
coo_owns_mac(const struct coo *coo, uint64_t mac)
{
	uint8_t		 buf[MAC_LEN];
	struct wbuf	 wb;

	wbuf_init(&wb, buf, sizeof(buf));
	wbuf_mac(&wb, mac);
	return (coo_owns(coo, THING_MAC, buf, sizeof(buf)));
}

enum credential_check
coo_check(const struct coo *coo, identity_lookup lookup, void *arg,
    uint64_t *unknown)
{
	uint8_t		 buf[COO_SIGNED];
	struct wbuf	 wb;

	wbuf_init(&wb, buf, sizeof(buf));
	coo_signed(&wb, coo);
	return (credential_verify(coo->coo_nwid, coo->coo_signer, &wb,
	    coo->coo_sig, lookup, arg, unknown));
}

static void
coo_body(struct wbuf *wb, const struct coo *coo)
{
	unsigned	i;

	wbuf_u64(wb, coo->coo_nwid);
	wbuf_u64(wb, (uint64_t)coo->coo_ts);
	wbuf_u64(wb, coo->coo_flags);
	wbuf_u32(wb, coo->coo_id);
	wbuf_u16(wb, coo->coo_n);
	for (i = 0; i < coo->coo_n; i++) {
		wbuf_u8(wb, coo->coo_things[i].type);
		wbuf_bytes(wb, coo->coo_things[i].value,
		    sizeof(coo->coo_things[i].value));
	}
	wbuf_addr(wb, coo->coo_to);
	wbuf_addr(wb, coo->coo_signer);
}

static void
coo_signed(struct wbuf *wb, const struct coo *coo)
{
	wbuf_u64(wb, CREDENTIAL_MARK);
	coo_body(wb, coo);
	credential_extra_put(wb);
	wbuf_u64(wb, CREDENTIAL_MARK);
}

static bool
coo_owns(const struct coo *coo, enum coo_thing type, const uint8_t *value,
    size_t len)
{
	unsigned	i;

	for (i = 0; i < coo->coo_n; i++) {
		if (coo->coo_things[i].type == type &&
		    memcmp(coo->coo_things[i].value, value, len) == 0)
			return (true);
	}
	return (false);
}

/* --- revocation --- */

void
revocation_get(struct rbuf *rb, struct revocation *rev)
{
	memset(rev, 0, sizeof(*rev));
	rbuf_skip(rb, 4);	/* reserved */
	rev->rev_id = rbuf_u32(rb);
	rev->rev_nwid = rbuf_u64(rb);
	rbuf_skip(rb, 4);	/* reserved */
	rev->rev_credential = rbuf_u32(rb);
	rev->rev_threshold = (int64_t)rbuf_u64(rb);
	rev->rev_flags = rbuf_u64(rb);
	rev->rev_target = rbuf_addr(rb);
	rev->rev_signer = rbuf_addr(rb);
	rev->rev_type = rbuf_u8(rb);
	credential_sig_get(rb, rev->rev_sig);
	credential_extra_get(rb);
	if (!rbuf_ok(rb))
		memset(rev, 0, sizeof(*rev));
}

void
revocation_put(struct wbuf *wb, const struct revocation *rev)
{
	revocation_body(wb, rev);
	credential_sig_put(wb, rev->rev_sig);
	credential_extra_put(wb);
}

void
revocation_sign(struct revocation *rev, const struct identity *signer)
{
	uint8_t		 buf[REVOCATION_SIGNED];
	struct wbuf	 wb;

	rev->rev_signer = signer->id_addr;
	wbuf_init(&wb, buf, sizeof(buf));
	revocation_signed(&wb, rev);
	identity_sign(signer, buf, wb.wb_len, rev->rev_sig);
}

enum credential_check
revocation_check(const struct revocation *rev, identity_lookup lookup,
    void *arg, uint64_t *unknown)
{
	uint8_t		 buf[REVOCATION_SIGNED];
	struct wbuf	 wb;

	wbuf_init(&wb, buf, sizeof(buf));
	revocation_signed(&wb, rev);
	return (credential_verify(rev->rev_nwid, rev->rev_signer, &wb,
	    rev->rev_sig, lookup, arg, unknown));
}

static void
revocation_body(struct wbuf *wb, const struct revocation *rev)
{
	wbuf_u32(wb, 0);
	wbuf_u32(wb, rev->rev_id);
	wbuf_u64(wb, rev->rev_nwid);
	wbuf_u32(wb, 0);
	wbuf_u32(wb, rev->rev_credential);
	wbuf_u64(wb, (uint64_t)rev->rev_threshold);
	wbuf_u64(wb, rev->rev_flags);
	wbuf_addr(wb, rev->rev_target);
	wbuf_addr(wb, rev->rev_signer);
	wbuf_u8(wb, rev->rev_type);
}

static void
revocation_signed(struct wbuf *wb, const struct revocation *rev)
{
	wbuf_u64(wb, CREDENTIAL_MARK);
	revocation_body(wb, rev);
	credential_extra_put(wb);
	wbuf_u64(wb, CREDENTIAL_MARK);
}
