/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Certificates of membership.  Spec: 03 section 9.2.
 */

#include <string.h>

#include "common/address.h"
#include "common/credential.h"
#include "common/credential_wire.h"

#define COM_FORMAT	1
#define COM_HASHES	4	/* qualifiers COM_ID_FINGERPRINT to + 3 */
#define COM_SIGNED	(24 * COM_QUALIFIERS)

static void	com_signed(struct wbuf *, const struct com *);
static void	com_add(struct com *, uint64_t, uint64_t, uint64_t);
static bool	com_last(const struct com *, uint64_t, uint64_t *);
static bool	com_names(const struct com *, const struct identity *);
static uint64_t	fingerprint_word(const uint8_t[SHA384_LEN], unsigned);

void
com_get(struct rbuf *rb, struct com *com)
{
	unsigned	i, n;

	memset(com, 0, sizeof(*com));
	if (rbuf_u8(rb) != COM_FORMAT || (n = rbuf_u16(rb)) > COM_QUALIFIERS) {
		rbuf_fail(rb);
		return;
	}
	for (i = 0; i < n; i++) {
		com->com_q[i].id = rbuf_u64(rb);
		com->com_q[i].value = rbuf_u64(rb);
		com->com_q[i].delta = rbuf_u64(rb);
		if (i > 0 && com->com_q[i].id < com->com_q[i - 1].id)
			rbuf_fail(rb);
	}
	com->com_n = n;
	if ((com->com_signer = rbuf_addr(rb)) != 0)
		rbuf_bytes(rb, com->com_sig, sizeof(com->com_sig));
	if (!rbuf_ok(rb))
		memset(com, 0, sizeof(*com));
}

void
com_put(struct wbuf *wb, const struct com *com)
{
	wbuf_u8(wb, COM_FORMAT);
	wbuf_u16(wb, com->com_n);
	com_signed(wb, com);
	wbuf_addr(wb, com->com_signer);
	if (com->com_signer != 0)
		wbuf_bytes(wb, com->com_sig, sizeof(com->com_sig));
}

void
com_make(struct com *com, int64_t ts, int64_t delta, uint64_t nwid,
    const struct identity *to)
{
	uint8_t		fp[SHA384_LEN];
	unsigned	i;

	memset(com, 0, sizeof(*com));
	com_add(com, COM_ID_TIMESTAMP, (uint64_t)ts, (uint64_t)delta);
	com_add(com, COM_ID_NETWORK, nwid, 0);
	com_add(com, COM_ID_ISSUED_TO, to->id_addr, UINT64_MAX);
	identity_fingerprint(fp, to);
	for (i = 0; i < COM_HASHES; i++)
		com_add(com, COM_ID_FINGERPRINT + i, fingerprint_word(fp, i),
		    UINT64_MAX);
}

void
com_stamp(struct com *com, int64_t ts)
{
	unsigned	i;

	for (i = 0; i < com->com_n; i++)
		if (com->com_q[i].id == COM_ID_TIMESTAMP)
			com->com_q[i].value = (uint64_t)ts;
}

void
com_sign(struct com *com, const struct identity *signer)
{
	uint8_t		 buf[COM_SIGNED];
	struct wbuf	 wb;

	wbuf_init(&wb, buf, sizeof(buf));
	com_signed(&wb, com);
	com->com_signer = signer->id_addr;
	identity_sign(signer, buf, wb.wb_len, com->com_sig);
}

uint64_t
com_value(const struct com *com, uint64_t id)
{
	unsigned	i;

	for (i = 0; i < com->com_n; i++) {
		if (com->com_q[i].id == id)
			return (com->com_q[i].value);
	}
	return (0);
}

bool
com_equal(const struct com *a, const struct com *b)
{
	unsigned	i;

	if (a->com_n != b->com_n || a->com_signer != b->com_signer)
		return (false);
	for (i = 0; i < a->com_n; i++) {
		if (a->com_q[i].id != b->com_q[i].id ||
		    a->com_q[i].value != b->com_q[i].value ||
		    a->com_q[i].delta != b->com_q[i].delta)
			return (false);
	}
	return (memcmp(a->com_sig, b->com_sig, sizeof(a->com_sig)) == 0);
}

/*
 * Every qualifier of ours must be in theirs, no farther away than our own
 * delta allows; what they have beyond that does not matter.
 */
bool
com_agrees(const struct com *ours, const struct com *theirs,
    const struct identity *id)
{
	uint64_t	q, v, w;
	unsigned	i;
	bool		full = false;

	if (ours->com_n == 0 || theirs->com_n == 0)
		return (false);
	for (i = 0; i < ours->com_n; i++) {
		q = ours->com_q[i].id;
		if (q >= COM_ID_FINGERPRINT &&
		    q < COM_ID_FINGERPRINT + COM_HASHES)
			full = true;
		if (!com_last(theirs, q, &w))
			return (false);
		v = ours->com_q[i].value;
		if ((v > w ? v - w : w - v) > ours->com_q[i].delta)
			return (false);
	}
	return (!full || com_names(theirs, id));
}

enum credential_check
com_check(const struct com *com, identity_lookup lookup, void *arg,
    uint64_t *unknown)
{
	uint8_t		 buf[COM_SIGNED];
	struct wbuf	 wb;

	wbuf_init(&wb, buf, sizeof(buf));
	com_signed(&wb, com);
	return (credential_verify(com_value(com, COM_ID_NETWORK),
	    com->com_signer, &wb, com->com_sig, lookup, arg, unknown));
}

static void
com_signed(struct wbuf *wb, const struct com *com)
{
	unsigned	i;

	for (i = 0; i < com->com_n; i++) {
		wbuf_u64(wb, com->com_q[i].id);
		wbuf_u64(wb, com->com_q[i].value);
		wbuf_u64(wb, com->com_q[i].delta);
	}
}

static void
com_add(struct com *com, uint64_t id, uint64_t value, uint64_t delta)
{
	com->com_q[com->com_n].id = id;
	com->com_q[com->com_n].value = value;
	com->com_q[com->com_n].delta = delta;
	com->com_n++;
}

/* The value of the last qualifier with this id. */
static bool
com_last(const struct com *com, uint64_t id, uint64_t *value)
{
	unsigned	i;

	for (i = com->com_n; i > 0; i--) {
		if (com->com_q[i - 1].id == id) {
			*value = com->com_q[i - 1].value;
			return (true);
		}
	}
	return (false);
}

/* Does the certificate carry the hash of exactly this identity? */
static bool
com_names(const struct com *com, const struct identity *id)
{
	uint8_t		fp[SHA384_LEN];
	uint64_t	v;
	unsigned	i;

	identity_fingerprint(fp, id);
	for (i = 0; i < COM_HASHES; i++) {
		if (!com_last(com, COM_ID_FINGERPRINT + i, &v) ||
		    v != fingerprint_word(fp, i))
			return (false);
	}
	return (true);
}

static uint64_t
fingerprint_word(const uint8_t fp[SHA384_LEN], unsigned i)
{
	struct rbuf	rb;

	rbuf_init(&rb, fp + 8 * i, 8);
	return (rbuf_u64(&rb));
}
