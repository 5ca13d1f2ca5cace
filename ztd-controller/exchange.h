/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * HTTP exchanges that ztd-ctl hands over in messages: collecting a request,
 * answering it.  Contract: privsep/messages.h, MSG_API_*.
 */

#ifndef ZTD_CONTROLLER_EXCHANGE_H
#define ZTD_CONTROLLER_EXCHANGE_H

#include <stdint.h>

#include "privsep/channel.h"

struct controller;
struct exchange_table;

#define EXCHANGES_MAX	1024	/* at a time; more are answered 503 */

struct exchange_table *exchange_new(void);
/* Forget all that are under way: their asker is gone. */
void	 exchange_reset(struct exchange_table *);
void	 exchange_free(struct exchange_table *);

/* The channel has room: the rest of answers that did not fit. */
void	 exchange_room(struct exchange_table *, struct channel *);

/* One of MSG_API_REQUEST, MSG_API_BODY, MSG_API_END. */
void	 exchange_message(struct exchange_table *, struct controller *,
	    struct channel *, const struct msg *, int64_t now);

#endif /* ZTD_CONTROLLER_EXCHANGE_H */
