/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What this is called, and what it says it is on the wire.
 */

#ifndef COMMON_VERSION_H
#define COMMON_VERSION_H

#define ZTD_NAME		"ztd"
#define ZTD_VERSION		"0.1.0"

/*
 * Protocol, and the software version it is compatible with.  A test builds
 * with -DZT_PROTOCOL=11, to which others answer with the older ciphers.
 */
#ifndef ZT_PROTOCOL
#define ZT_PROTOCOL		12
#endif
#define ZT_PROTOCOL_MIN		4
#define ZT_MAJOR		1
#define ZT_MINOR		14
#define ZT_REVISION		1
#define ZT_VERSION_TEXT		"1.14.1"

#define ZT_PORT			9993

#endif /* COMMON_VERSION_H */
