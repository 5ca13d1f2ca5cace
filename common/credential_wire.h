/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What the kinds of credentials have in common on the wire and in their
 * verification.  For the files that implement them only.
 * Spec: 03 section 9.1.
 */

#ifndef COMMON_CREDENTIAL_WIRE_H
#define COMMON_CREDENTIAL_WIRE_H

#include <stdint.h>

#include "common/buf.h"
#include "common/credential.h"
#include "common/identity.h"

/* Stands before and after what is signed. */
#define CREDENTIAL_MARK		0x7f7f7f7f7f7f7f7fULL

/*
 * Signature type, length, signature.  A type that is not ours is skipped
 * and gives zeros; ours with a wrong length makes rb bad.
 */
void	 credential_sig_get(struct rbuf *, uint8_t sig[SIGNATURE_LEN]);
void	 credential_sig_put(struct wbuf *, const uint8_t sig[SIGNATURE_LEN]);
/* Additional fields: skipped; none are written. */
void	 credential_extra_get(struct rbuf *);
void	 credential_extra_put(struct wbuf *);

/*
 * Is the signer the controller of the network, and the signature its own
 * over what wb holds?
 */
enum credential_check credential_verify(uint64_t nwid, uint64_t signer,
	    const struct wbuf *wb, const uint8_t sig[SIGNATURE_LEN],
	    identity_lookup, void *arg, uint64_t *unknown);

#endif /* COMMON_CREDENTIAL_WIRE_H */
