/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What all kinds of credentials share.  Spec: 03 section 9.1.
 */

#include <string.h>

#include "common/address.h"
#include "common/credential_wire.h"

#define SIGNATURE_TYPE	1

void
credential_sig_get(struct rbuf *rb, uint8_t sig[SIGNATURE_LEN])
{
	uint16_t	len;
	uint8_t		type;

	type = rbuf_u8(rb);
	len = rbuf_u16(rb);
	if (type == SIGNATURE_TYPE) {
		if (len != SIGNATURE_LEN)
			rbuf_fail(rb);
		rbuf_bytes(rb, sig, SIGNATURE_LEN);
	} else {
		rbuf_skip(rb, len);
		memset(sig, 0, SIGNATURE_LEN);
	}
}

void
credential_sig_put(struct wbuf *wb, const uint8_t sig[SIGNATURE_LEN])
{
	wbuf_u8(wb, SIGNATURE_TYPE);
	wbuf_u16(wb, SIGNATURE_LEN);
	wbuf_bytes(wb, sig, SIGNATURE_LEN);
}

void
credential_extra_get(struct rbuf *rb)
{
	rbuf_skip(rb, rbuf_u16(rb));
}

void
credential_extra_put(struct wbuf *wb)
{
	wbuf_u16(wb, 0);
}

enum credential_check
credential_verify(uint64_t nwid, uint64_t signer, const struct wbuf *wb,
    const uint8_t sig[SIGNATURE_LEN], identity_lookup lookup, void *arg,
    uint64_t *unknown)
{
	const struct identity	*id;

	if (!wbuf_ok(wb) || signer == 0 || signer != nwid_controller(nwid))
		return (CREDENTIAL_BAD);
	if ((id = lookup(arg, signer)) == NULL) {
		*unknown = signer;
		return (CREDENTIAL_UNKNOWN_SIGNER);
	}
	if (!identity_verify(id, wb->wb_base, wb->wb_len, sig, SIGNATURE_LEN))
		return (CREDENTIAL_BAD);
	return (CREDENTIAL_OK);
}
