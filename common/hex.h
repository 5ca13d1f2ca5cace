/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Hexadecimal text, lower case when written, either case when read.
 */

#ifndef COMMON_HEX_H
#define COMMON_HEX_H

#include <stddef.h>
#include <stdint.h>

/*
 * Write len bytes as 2*len digits and a NUL into dst (2*len + 1 bytes).
 */
void	 hex_encode(char *dst, const void *src, size_t len);

/*
 * Read exactly 2*len digits from src (which may go on after them) into dst.
 * Returns 0, or -1 when one of them is no hex digit (NUL included).
 */
int	 hex_decode(void *dst, const char *src, size_t len);

/*
 * Parse text that consists of exactly ndigits hex digits and nothing else.
 * Returns 0 and sets *v, or -1.  ndigits <= 16.
 */
int	 hex_parse(const char *text, size_t ndigits, uint64_t *v);

#endif /* COMMON_HEX_H */
