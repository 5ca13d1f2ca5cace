/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A real ztd-ctl before a controller that lives in the test: HTTP in front,
 * messages behind.  Failures end the test case.
 */

#ifndef REGRESS_LIB_HTTPCON_H
#define REGRESS_LIB_HTTPCON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <atf-c.h>

struct controller;
struct httpcon;

/* *now is the controller's clock. */
struct httpcon *httpcon_new(const atf_tc_t *, struct controller *,
	    const int64_t *now);
void	 httpcon_free(struct httpcon *);

/*
 * One request on a connection of its own, which asks for its end.  headers:
 * lines, each with CR LF; with token the right one is among them.  body may
 * be NULL.  Returns the status; *type is the Content-Type or "", *out the
 * body, both to be freed.
 */
int	 httpcon_ask(struct httpcon *, const char *method,
	    const char *target, const char *headers, bool token,
	    const char *body, char **type, char **out);
/* What the token is. */
const char *httpcon_token(void);

#endif /* REGRESS_LIB_HTTPCON_H */
