/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The catalogue's structs made from the objects that the API shows of them:
 * the way back from what ztd-ctl does.
 */

#ifndef REGRESS_LIB_MSGJSON_H
#define REGRESS_LIB_MSGJSON_H

#include <jansson.h>

#include "privsep/messages.h"

void	 network_from_json(struct msg_network_info *, json_t *);
void	 tap_from_json(struct msg_tap_info *, json_t *);
void	 peer_from_json(struct msg_peer_info *, json_t *);
void	 moon_from_json(struct msg_moon_info *, json_t *);
void	 root_from_json(struct msg_root_info *, json_t *);
void	 status_from_json(struct msg_status *, json_t *);

#endif /* REGRESS_LIB_MSGJSON_H */
