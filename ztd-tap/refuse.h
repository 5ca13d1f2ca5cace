/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What a network asks for and does not get, for the log: each item once,
 * until it is no longer asked for or is refused for another reason.
 * Spec: 06 sections 1 and 8.1.
 */

#ifndef ZTD_TAP_REFUSE_H
#define ZTD_TAP_REFUSE_H

#include <stdbool.h>

#include "common/inet.h"
#include "privsep/messages.h"

struct joined;
struct parent;

/* Name what the wishes of this network hold that is not granted. */
void	 refuse_tell(struct joined *);
/* Something that another interface had is free now: apply again. */
bool	 refuse_over(const struct joined *);
/* Forget what was named; when the record goes. */
void	 refuse_free(struct joined *);

/*
 * The interface other than that of this index which has this address, or
 * NULL: the same address on a tap would take it away from there.
 */
const struct msg_interface *refuse_address(const struct parent *,
	    unsigned ifindex, const struct inet_addr *);
/* The same of the network that an interface is connected to. */
const struct msg_interface *refuse_target(const struct parent *,
	    unsigned ifindex, const struct inet_addr *);

/*
 * What is wrong with the numbers of a MSG_PORT, or NULL.  Who sends such a
 * one cannot be trusted.  Static, valid until the next call.
 */
const char *refuse_port(const struct parent *, const struct msg_port *);

#endif /* ZTD_TAP_REFUSE_H */
