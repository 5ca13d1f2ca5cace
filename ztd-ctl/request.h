/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Between server.c, which gets requests, and request.c, which answers them.
 */

#ifndef ZTD_CTL_REQUEST_H
#define ZTD_CTL_REQUEST_H

#include <sys/types.h>

#include <stdbool.h>

#include "ztd-ctl/client.h"
#include "ztd-ctl/ctl.h"

/* NULL when memory is short. */
struct request *request_new(struct ctl *, struct client *,
	    struct evhttp_request *);
/* Take the target apart.  false: not a path that can be there. */
bool	 request_parse(struct request *);
/* There is no jsonp parameter, or it may be used. */
bool	 request_jsonp_ok(struct request *);
/* There is no header "Range", or it can be understood. */
bool	 request_range_ok(struct request *);
/* A file instead of JSON; the descriptor is taken over. */
void	 request_file(struct request *, int fd, off_t size, const char *type);
/* 301 */
void	 request_moved(struct request *, const char *path);
/* The client left: forget everything, answer nothing. */
void	 request_abandon(struct request *);

#endif /* ZTD_CTL_REQUEST_H */
