/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The lenient conversions of JSON values that the controller's API and its
 * files use.  Spec: 04 section 2.
 */

#ifndef ZTD_CONTROLLER_VALUE_H
#define ZTD_CONTROLLER_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/inet.h"

#define VALUE_NUMBER	24	/* decimal text of any number, with NUL */

/*
 * INT, BOOL and HEXINT of the spec.  v may be NULL (absent), which gives
 * the fallback d, as do null, objects and arrays.  Negative numbers wrap to
 * unsigned.
 */
uint64_t value_int(const json_t *v, uint64_t d);
bool	 value_bool(const json_t *v, bool d);
uint64_t value_hexint(const json_t *v, uint64_t d);
/*
 * TEXT of the spec.  The result lives in v, in buf or is d; what lies
 * behind a NUL inside a string is not seen.
 */
const char *value_text(const json_t *v, const char *d,
	    char buf[VALUE_NUMBER]);

/* Hexadecimal prefix of a text; of more than 16 digits the last count. */
uint64_t value_hex(const char *text);

/*
 * ADDR of the spec: "ip" or "ip/n", n in ia_port (0 when there is none).
 * Returns false, with *ia nil, when there is no valid address.
 */
bool	 value_addr(const char *text, struct inet_addr *ia);

/* An unsigned number as JSON; from 2^63 up it is shown as negative. */
json_t	*value_new_int(uint64_t v);

/* Set a member of an object; running out of memory is fatal. */
void	 value_set(json_t *obj, const char *key, json_t *v);
/* The same unless the key is there. */
void	 value_default(json_t *obj, const char *key, json_t *v);
/* Append to an array; running out of memory is fatal. */
void	 value_append(json_t *array, json_t *v);

/*
 * Parse a text of len bytes, up to its first NUL.  Returns a new reference,
 * or NULL with a sentence in error (size bytes).
 */
json_t	*value_parse(const char *text, size_t len, char *error, size_t size);
/* The canonical text: malloc'd, the caller's; fatal without memory. */
char	*value_format(const json_t *, size_t *len);

#endif /* ZTD_CONTROLLER_VALUE_H */
