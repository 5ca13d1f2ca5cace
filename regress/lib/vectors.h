/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Reading test vectors (regress/vectors/NAME.json) inside ATF test cases.
 * Every function fails the running test case when it does not find what it
 * was asked for: a vector that is not there must never look like a pass.
 */

#ifndef REGRESS_LIB_VECTORS_H
#define REGRESS_LIB_VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <atf-c.h>
#include <jansson.h>

#include "common/identity.h"

/* Load srcdir/../vectors/file; the caller's reference (json_decref). */
json_t	*vectors_load(const atf_tc_t *tc, const char *file);

/* Member of an object; borrowed.  JSON null counts as present. */
json_t	*vectors_get(json_t *obj, const char *key);
/* Member that is an array with at least one element; borrowed. */
json_t	*vectors_array(json_t *obj, const char *key);

/*
 * Hex string member into dst, which has size bytes.  Returns the number of
 * bytes; a longer one fails.
 */
size_t	 vectors_hex(json_t *obj, const char *key, uint8_t *dst,
	    size_t size);
/* The same, but it must have exactly size bytes. */
void	 vectors_hexn(json_t *obj, const char *key, uint8_t *dst,
	    size_t size);
/*
 * A hex string (not its parent) into fresh memory of exactly *len bytes, so
 * that a sanitizer sees every read past its end; free() it.
 */
uint8_t	*vectors_hex_alloc(json_t *str, size_t *len);

/* String member; borrowed. */
const char *vectors_str(json_t *obj, const char *key);
/* Non-negative integer member. */
uint64_t vectors_u64(json_t *obj, const char *key);
/* A string member with hexadecimal digits, at most 16. */
uint64_t vectors_hexu64(json_t *obj, const char *key);
bool	 vectors_bool(json_t *obj, const char *key);

/* The identity of that name in credentials.json, with its secret. */
void	 vectors_identity(const atf_tc_t *tc, const char *name,
	    struct identity *);

#endif /* REGRESS_LIB_VECTORS_H */
