/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Dictionaries: lines of key=value with escapes.  Spec: 03 section 4.
 *
 * Reading is by look-up in the bytes as they came; nothing is allocated.
 * A dictionary ends at its length or at its first NUL.
 */

#ifndef COMMON_DICTIONARY_H
#define COMMON_DICTIONARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

/*
 * Append one entry, with the LF before it unless the writer is empty.  When it
 * does not fit, the writer goes bad and the dictionary is unusable.
 * dict_put_addr writes 10 digits, dict_put_u64 and dict_put_i64 16.
 */
void	 dict_put_bytes(struct wbuf *, const char *key, const void *p,
	    size_t len);
void	 dict_put_string(struct wbuf *, const char *key, const char *s);
void	 dict_put_u64(struct wbuf *, const char *key, uint64_t v);
void	 dict_put_i64(struct wbuf *, const char *key, int64_t v);
void	 dict_put_bool(struct wbuf *, const char *key, bool v);
void	 dict_put_addr(struct wbuf *, const char *key, uint64_t addr);

/*
 * The value of the first entry with this key, unescaped into dst (size
 * bytes, cut silently when longer).  Returns the number of bytes stored, or
 * -1 when there is no such entry.
 */
long	 dict_get_bytes(const void *d, size_t len, const char *key,
	    void *dst, size_t size);
/* As text, always NUL-terminated; "" when absent.  false when absent. */
bool	 dict_get_string(const void *d, size_t len, const char *key,
	    char *dst, size_t size);
/* Absent or empty gives the default; lenient as the spec describes. */
uint64_t dict_get_u64(const void *d, size_t len, const char *key,
	    uint64_t dflt);
int64_t	 dict_get_i64(const void *d, size_t len, const char *key,
	    int64_t dflt);
bool	 dict_get_bool(const void *d, size_t len, const char *key,
	    bool dflt);

#endif /* COMMON_DICTIONARY_H */
