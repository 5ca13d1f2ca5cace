/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What an exchange of the API is, between its waiting (call.c) and its
 * handlers (api.c).
 */

#ifndef ZTD_CONTROLLER_CALL_H
#define ZTD_CONTROLLER_CALL_H

#include "ztd-controller/controller.h"

/*
 * Make the answer, and put what it changes into the open set of changes:
 * nothing else may change, since all of this happens again when another
 * change is in the way, and is forgotten when this one cannot be stored.
 * *sheet is set instead of *out where the answer is a long one.
 */
unsigned api_route(struct controller *, enum con_method, const char *path,
	    const char *body, size_t len, char **out, size_t *outlen,
	    struct sheet **sheet);

/* The same for paths behind "/ztd/". */
unsigned bulk_route(struct controller *, enum con_method, const char *path,
	    const char *body, size_t len, char **out, size_t *outlen);

#endif /* ZTD_CONTROLLER_CALL_H */
