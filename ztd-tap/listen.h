/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The primary port: is it free, and the API's TCP listeners on it.
 * Spec: 05 sections 2.1 and 12.6.
 */

#ifndef ZTD_TAP_LISTEN_H
#define ZTD_TAP_LISTEN_H

#include "ztd-tap/parent.h"

/* The primary port that local.conf, -p or the default ask for; 0: random. */
int	 listen_port(const struct parent *);
/*
 * Choose p_port from local.conf, -p and the default, and open the listeners
 * on it.  Fatal, with the port and its protocol, when it is in use.
 */
void	 listen_open(struct parent *);
/* There are none, or the settings ask for other addresses than they have. */
bool	 listen_stale(const struct parent *);
/* Close and open them anew on the same port; failures are logged. */
void	 listen_reopen(struct parent *);
void	 listen_close(struct parent *);

#endif /* ZTD_TAP_LISTEN_H */
