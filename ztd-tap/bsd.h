/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The BSDs' headers for interfaces and routes.  NetBSD's declare a struct
 * proc, whose tag would clash with the enum of privsep/messages.h: it gets
 * another name here, and this file comes before any of ours.
 */

#ifndef ZTD_TAP_BSD_H
#define ZTD_TAP_BSD_H

#define proc	system_proc
#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <net/if.h>
#include <net/if_dl.h>
#include <net/if_types.h>
#include <net/route.h>
#include <netinet/in.h>
#include <netinet/in_var.h>
#include <netinet6/in6_var.h>
#undef proc

#endif /* ZTD_TAP_BSD_H */
