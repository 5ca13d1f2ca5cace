/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The tables themselves, for store.c and change.c alone: others change
 * records by the functions in controller.h.
 */

#ifndef ZTD_CONTROLLER_STORE_H
#define ZTD_CONTROLLER_STORE_H

#include "ztd-controller/controller.h"

/* New, or in place of the old record.  References are taken anew. */
struct network *table_network_put(struct controller *, uint64_t nwid,
	    json_t *record);
/* Without its addresses, see table_ips(). */
struct member *table_member_put(struct controller *, struct network *,
	    uint64_t addr, const json_t *record, struct text *);
/* With all members. */
void	 table_network_remove(struct controller *, struct network *);
void	 table_member_remove(struct network *, struct member *);
/* Count the addresses of a member's record in or out. */
void	 table_ips(struct network *, const json_t *record, bool in);

#endif /* ZTD_CONTROLLER_STORE_H */
