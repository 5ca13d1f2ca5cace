/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * doctor: what is Linux's own.
 */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "ztd-ctl/ztctl/doctor.h"

const char doctor_start[] = "systemctl start ztd";
const char doctor_log[] = "journalctl -u ztd";

const char *
doctor_no_tap(const char **todo)
{
	int	 fd;

	if ((fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC)) != -1) {
		(void)close(fd);
		return (NULL);
	}
	*todo = "modprobe tun; in a container, let it have that device and "
	    "CAP_NET_ADMIN";
	switch (errno) {
	case ENOENT:
		return ("there is no /dev/net/tun, from which taps are made");
	case ENODEV:
	case ENXIO:
		return ("/dev/net/tun has no driver behind it");
	default:
		/* Others than root may not look. */
		return (NULL);
	}
}
