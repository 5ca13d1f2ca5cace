/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * doctor: what is the BSDs' own.  Taps are made by ifconfig's call there,
 * whose error the service tells.
 */

#include "ztd-ctl/ztctl/doctor.h"

#ifdef __OpenBSD__
const char doctor_start[] = "rcctl start ztd";
#else
const char doctor_start[] = "service ztd start";
#endif
const char doctor_log[] = "/var/log/daemon or /var/log/messages";

const char *
doctor_no_tap(const char **todo)
{
	(void)todo;
	return (NULL);
}
