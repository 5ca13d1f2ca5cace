/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What came lately, under numbers that only grow, for clients that ask for
 * what came after the last number they have seen and may wait for more.
 */

#ifndef ZTD_CTL_BACKLOG_H
#define ZTD_CTL_BACKLOG_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct request;
struct backlog;

/*
 * At most size items.  show makes one a JSON object, to which its number is
 * added, and as "lost" how many before it were pushed out unseen; NULL: it is
 * not for this request.
 */
struct backlog *backlog_new(size_t size,
	    json_t *(*show)(const void *item, const struct request *));
/* Append a malloc'd item, which is taken over. */
void	 backlog_add(struct backlog *, void *item);
/*
 * Answer a request by its parameters "after" and "wait" (seconds, at most
 * BACKLOG_WAIT), perhaps later; or with 400.
 */
#define BACKLOG_WAIT	30
void	 backlog_answer(struct backlog *, struct request *);

#endif /* ZTD_CTL_BACKLOG_H */
