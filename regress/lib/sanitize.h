/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

#ifndef REGRESS_SANITIZE_H
#define REGRESS_SANITIZE_H

/* Whether ASan watches, with which all takes several times as long. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED	1
#elif defined(__has_feature)	/* clang's */
#define SANITIZED	__has_feature(address_sanitizer)
#else
#define SANITIZED	0
#endif

/*
 * How many times over, where many show what a few do not, but no more of
 * what ASan looks for.
 */
#define SOME(n, sanitized)	(SANITIZED ? (sanitized) : (n))

#endif
