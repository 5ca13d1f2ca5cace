/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The tokens of the API: authtoken.secret and metricstoken.secret.
 * Spec: 05 section 3.1.
 */

#ifndef ZTD_TAP_TOKENS_H
#define ZTD_TAP_TOKENS_H

#include "ztd-tap/parent.h"

/*
 * Read both into p_token; one that is missing or empty is made.  Fatal when
 * a file cannot be used or written.
 */
void	 tokens_load(struct parent *);

#endif /* ZTD_TAP_TOKENS_H */
