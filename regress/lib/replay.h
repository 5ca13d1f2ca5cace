/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Recorded exchanges with the HTTP interface (vectors/service/http-*.json),
 * sent to a real ztd-ctl, and its answers compared.
 */

#ifndef REGRESS_LIB_REPLAY_H
#define REGRESS_LIB_REPLAY_H

#include "regress/lib/ctlworld.h"

/* Send the request of a vector to the address that it was sent to. */
void	 replay(struct ctlworld *, json_t *vec, struct answer *);
/* Status, type and body as recorded. */
void	 replay_check(json_t *vec, const struct answer *);
/* Two texts are the same JSON, but for what has no meaning elsewhere. */
void	 replay_json(const char *name, const char *got, const char *want);
/* A recorded body without its jsonp wrapper; malloc'd. */
char	*replay_unwrap(const char *body);
/* A copy with the real tokens where recordings have names; malloc'd. */
char	*replay_tokens(const char *);
/* The value of a header of the answer, or "". */
const char *answer_header(const struct answer *, const char *name);

#endif /* REGRESS_LIB_REPLAY_H */
