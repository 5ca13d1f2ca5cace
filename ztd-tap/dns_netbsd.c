/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * NetBSD: openresolv is in the base system.  Spec: 06 section 9.
 */

#include "ztd-tap/dns_way.h"

const struct dns_way *const dns_ways[] = { &dns_resolvconf, NULL };
