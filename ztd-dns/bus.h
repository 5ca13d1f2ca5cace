/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A connection to the system's bus, for calls one after the other.
 */

#ifndef ZTD_DNS_BUS_H
#define ZTD_DNS_BUS_H

#include "ztd-dns/dbus.h"

struct bus {
	int		 b_fd;
	int64_t		 b_deadline;	/* ms of CLOCK_MONOTONIC, for all */
	uint32_t	 b_serial;
	uint8_t		 b_in[DBUS_MAX];
};

/*
 * Connect to the socket at path; what follows has ms milliseconds in all.
 * All functions return 0, or -1 with errno: ETIMEDOUT, EPROTO when the other
 * side speaks another language, ECONNRESET when it is gone, EACCES when it
 * does not want us.
 */
int	 bus_connect(struct bus *, const char *path, int ms);
/* Say who we are: uid is what we were when we connected. */
int	 bus_auth(struct bus *, unsigned long uid);
/*
 * Call a method and wait for the answer, an error or not, which stays good
 * until the next call.
 */
int	 bus_call(struct bus *, const struct dbus_method *,
	    const struct wbuf *body, struct dbus_msg *answer);

#endif /* ZTD_DNS_BUS_H */
