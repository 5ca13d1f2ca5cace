/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * identity.secret and identity.public as texts; the parent uses no
 * cryptography, the engine says whether they are good.
 * Spec: 01 section 3.1, 05 sections 10.1 and 12.4.
 */

#ifndef ZTD_TAP_IDFILE_H
#define ZTD_TAP_IDFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "ztd-tap/parent.h"

/*
 * Read identity.secret into p_secret, "" when there is none.  Returns 0, or
 * -1 after logging one line that names the file and what is wrong with it.
 */
int	 idfile_load(struct parent *);
/*
 * The engine's verdict.  Generated: store both files (an earlier secret is
 * kept as identity.secret.saved_after_collision).  Else correct
 * identity.public.  Sets p_secret and p_public.  Returns false when the
 * message makes no sense, so that its sender cannot be trusted.
 */
bool	 idfile_accept(struct parent *, const struct msg_identity_new *);
/* Our node address, 0 while there is none. */
uint64_t idfile_addr(const struct parent *);

#endif /* ZTD_TAP_IDFILE_H */
