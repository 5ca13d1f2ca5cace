/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/* A service that a test plays for ztctl: connections and their requests. */

#ifndef REGRESS_LIB_SERVICE_H
#define REGRESS_LIB_SERVICE_H

#include <stddef.h>

/* Listen on 127.0.0.1; the descriptor, close-on-exec, and the port. */
int	 service_listen(unsigned *port);
/*
 * Read the head of a request into buf, as text, and its path, cut to fit,
 * into path; "" when none came.
 */
void	 service_read(int fd, char *buf, size_t size, char *path,
	    size_t pathsize);

#endif /* REGRESS_LIB_SERVICE_H */
