/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What a member was given last: its addresses and its signed credentials,
 * so that a request of which nothing has changed since needs no record and,
 * while they are young, no signature but those of its chunks.
 * Spec: 04 section 13.3.
 *
 * A grant hangs on the member's status and is good for the records and the
 * meta-data that the status knows (status.h): whoever changes one of these,
 * or revokes, takes it away.
 */

#ifndef ZTD_CONTROLLER_GRANT_H
#define ZTD_CONTROLLER_GRANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/netconf.h"

/* The part of the credentials' window for which they are given again. */
#define GRANT_PART	10
#define GRANTS_MAX	(96 * 1024 * 1024)	/* bytes, of all together */

struct grant;

/*
 * Of a configuration with its signed credentials.  The result is the
 * caller's; NULL when memory is short, and where members log in or are
 * traced: they get everything new each time.
 */
struct grant *grant_new(const struct netconf *, struct netconf_room *);
void	 grant_free(struct grant *);
/* Its size in memory, bytes. */
size_t	 grant_size(const struct grant *);
/* Its credentials are young enough. */
bool	 grant_good(const struct grant *, int64_t now);
/* Fill in what the member got of its own, but for the credentials. */
void	 grant_fill(const struct grant *, struct netconf *);
/* The credentials, for netconf_encode_with(); valid as long as the grant. */
const uint8_t *grant_credentials(const struct grant *, size_t *len);

#endif /* ZTD_CONTROLLER_GRANT_H */
