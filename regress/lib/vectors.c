/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Reading test vectors inside ATF test cases; see vectors.h.
 */

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hex.h"
#include "regress/lib/vectors.h"

static const char	*hex_text(json_t *, const char *, size_t *);

json_t *
vectors_load(const atf_tc_t *tc, const char *file)
{
	char		 path[PATH_MAX];
	json_error_t	 error;
	json_t		*root;
	int		 n;

	n = snprintf(path, sizeof(path), "%s/../vectors/%s",
	    atf_tc_get_config_var(tc, "srcdir"), file);
	if (n < 0 || (size_t)n >= sizeof(path))
		atf_tc_fail("path of %s is too long", file);
	if ((root = json_load_file(path, JSON_ALLOW_NUL, &error)) == NULL)
		atf_tc_fail("%s:%d: %s", path, error.line, error.text);
	return (root);
}

json_t *
vectors_get(json_t *obj, const char *key)
{
	json_t	*v;

	if (!json_is_object(obj))
		atf_tc_fail("vector with key \"%s\" is no object", key);
	if ((v = json_object_get(obj, key)) == NULL)
		atf_tc_fail("vector has no key \"%s\"", key);
	return (v);
}

json_t *
vectors_array(json_t *obj, const char *key)
{
	json_t	*v;

	v = vectors_get(obj, key);
	if (!json_is_array(v) || json_array_size(v) == 0)
		atf_tc_fail("vectors \"%s\" are no array or empty", key);
	return (v);
}

size_t
vectors_hex(json_t *obj, const char *key, uint8_t *dst, size_t size)
{
	const char	*text;
	size_t		 len;

	text = hex_text(vectors_get(obj, key), key, &len);
	if (len > size)
		atf_tc_fail("\"%s\" has %zu bytes, more than %zu", key, len,
		    size);
	if (hex_decode(dst, text, len) == -1)
		atf_tc_fail("\"%s\" is not hexadecimal", key);
	return (len);
}

void
vectors_hexn(json_t *obj, const char *key, uint8_t *dst, size_t size)
{
	size_t	len;

	if ((len = vectors_hex(obj, key, dst, size)) != size)
		atf_tc_fail("\"%s\" has %zu bytes, not %zu", key, len, size);
}

uint8_t *
vectors_hex_alloc(json_t *str, size_t *len)
{
	const char	*text;
	uint8_t		*p;

	text = hex_text(str, "string", len);
	if ((p = malloc(*len == 0 ? 1 : *len)) == NULL)
		atf_tc_fail("out of memory");
	if (hex_decode(p, text, *len) == -1)
		atf_tc_fail("not hexadecimal: %.40s", text);
	return (p);
}

const char *
vectors_str(json_t *obj, const char *key)
{
	json_t	*v;

	v = vectors_get(obj, key);
	if (!json_is_string(v))
		atf_tc_fail("\"%s\" is no string", key);
	return (json_string_value(v));
}

uint64_t
vectors_u64(json_t *obj, const char *key)
{
	json_t	*v;

	v = vectors_get(obj, key);
	if (!json_is_integer(v) || json_integer_value(v) < 0)
		atf_tc_fail("\"%s\" is no number from 0", key);
	return ((uint64_t)json_integer_value(v));
}

uint64_t
vectors_hexu64(json_t *obj, const char *key)
{
	const char	*text;
	uint64_t	 v;

	text = vectors_str(obj, key);
	if (hex_parse(text, strlen(text), &v) == -1)
		atf_tc_fail("\"%s\" is no hexadecimal number", key);
	return (v);
}

bool
vectors_bool(json_t *obj, const char *key)
{
	json_t	*v;

	v = vectors_get(obj, key);
	if (!json_is_boolean(v))
		atf_tc_fail("\"%s\" is neither true nor false", key);
	return (json_is_true(v));
}

/* The digits of a string, and how many bytes they make. */
static const char *
hex_text(json_t *str, const char *name, size_t *len)
{
	if (!json_is_string(str))
		atf_tc_fail("\"%s\" is no string", name);
	if (json_string_length(str) % 2 != 0)
		atf_tc_fail("\"%s\" has an odd number of digits", name);
	*len = json_string_length(str) / 2;
	return (json_string_value(str));
}

void
vectors_identity(const atf_tc_t *tc, const char *name, struct identity *id)
{
	json_t		*doc = vectors_load(tc, "credentials.json");
	const char	*text;

	text = vectors_str(vectors_get(vectors_get(doc, "identities"), name),
	    "secret");
	ATF_REQUIRE_EQ(identity_parse(id, text, strlen(text)), IDENTITY_OK);
	json_decref(doc);
}
