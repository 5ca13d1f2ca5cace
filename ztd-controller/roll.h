/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The long lists of the API, of networks and of a network's members, kept
 * ready: made when one is asked for, and of its parts only those again in
 * which something has changed since.  Spec: 04 section 3.
 */

#ifndef ZTD_CONTROLLER_ROLL_H
#define ZTD_CONTROLLER_ROLL_H

#include <sys/queue.h>

#include <stddef.h>
#include <stdint.h>

#include "common/address.h"

struct controller;
struct member;
struct network;
struct roll;
struct sheet;

#define ROLLS_MAX	32	/* the one used longest ago gives way */

TAILQ_HEAD(roll_list, roll);

/*
 * ["<id>", ...] of all networks; {"<address>": revision, ...} of all
 * members.  A reference, the caller's.
 */
struct sheet *roll_networks(struct controller *);
struct sheet *roll_members(struct controller *, struct network *);
/*
 * One entry of such a list at p, a comma behind it, no NUL; the end.  It has
 * at most so many bytes.
 */
#define ROLL_NETWORK	(NWID_TEXT + 2)		/* "<id>", */
#define ROLL_MEMBER	(ADDR_TEXT + 15)	/* "<address>":-2147483648, */
char	*roll_network(char *p, uint64_t nwid);
char	*roll_member(char *p, const struct member *);
/* A network came or went; a member came, went or has another revision. */
void	 roll_touch_networks(struct controller *);
void	 roll_touch_member(struct network *, uint64_t addr);
/* Forget the list; NULL is fine. */
void	 roll_free(struct controller *, struct roll *);

#endif /* ZTD_CONTROLLER_ROLL_H */
