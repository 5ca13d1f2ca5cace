/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The text of a record; see text.h.
 */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "ztd-controller/text.h"
#include "ztd-controller/value.h"

static bool	 canonical(const json_t *, size_t *);
static bool	 plain(const char *, size_t);
static size_t	 number_length(json_int_t);

struct text *
text_of_json(const json_t *v)
{
	struct text	*tx;
	size_t		 len;
	char		*s;

	s = value_format(v, &len);
	tx = text_new(s, len);
	free(s);
	return (tx);
}

struct text *
text_of_read(const json_t *v, const char *s, size_t len)
{
	size_t	need = 0;

	if (canonical(v, &need) && need == len)
		return (text_new(s, len));
	return (text_of_json(v));
}

/*
 * Add up the length of the canonical text.  A text that says the same and is
 * no longer has nothing but that: no white space, no escapes, no key twice.
 * False when its parts may be in another order, or written otherwise in the
 * same length.
 */
static bool
canonical(const json_t *v, size_t *len)
{
	const char	*key, *last = NULL;
	json_t		*e;
	size_t		 i;

	switch (json_typeof(v)) {
	case JSON_OBJECT:
		*len += 2 + (json_object_size(v) == 0 ? 0 :
		    json_object_size(v) - 1);
		/* As they were read: json_object() keeps the order. */
		json_object_foreach((json_t *)(uintptr_t)v, key, e) {
			if ((last != NULL && strcmp(last, key) >= 0) ||
			    !plain(key, strlen(key)))
				return (false);
			last = key;
			*len += strlen(key) + 3;
			if (!canonical(e, len))
				return (false);
		}
		return (true);
	case JSON_ARRAY:
		*len += 2 + (json_array_size(v) == 0 ? 0 :
		    json_array_size(v) - 1);
		for (i = 0; i < json_array_size(v); i++)
			if (!canonical(json_array_get(v, i), len))
				return (false);
		return (true);
	case JSON_STRING:
		*len += json_string_length(v) + 2;
		return (plain(json_string_value(v), json_string_length(v)));
	case JSON_INTEGER:
		*len += number_length(json_integer_value(v));
		return (true);
	case JSON_REAL:
		return (false);
	case JSON_FALSE:
		*len += 5;
		return (true);
	case JSON_TRUE:
	case JSON_NULL:
		*len += 4;
		return (true);
	}
	return (false);
}

/* It needs no escapes. */
static bool
plain(const char *s, size_t len)
{
	size_t	i;

	for (i = 0; i < len; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == '"' ||
		    s[i] == '\\')
			return (false);
	return (true);
}

static size_t
number_length(json_int_t n)
{
	size_t	len = n < 0 ? 2 : 1;

	while ((n /= 10) != 0)
		len++;
	return (len);
}

struct text *
text_new(const char *s, size_t len)
{
	struct text	*tx;

	if (len > UINT32_MAX)
		fatalx("a record of %zu bytes", len);
	tx = xmalloc(sizeof(*tx) + len + 1);
	tx->tx_refs = 1;
	tx->tx_len = (uint32_t)len;
	memcpy(tx->tx_s, s, len);
	tx->tx_s[len] = '\0';
	return (tx);
}

struct text *
text_ref(struct text *tx)
{
	tx->tx_refs++;
	return (tx);
}

void
text_free(struct text *tx)
{
	if (tx != NULL && --tx->tx_refs == 0)
		free(tx);
}

json_t *
text_json(const struct text *tx)
{
	char	 error[256];
	json_t	*v;

	if ((v = value_parse(tx->tx_s, tx->tx_len, error, sizeof(error))) ==
	    NULL)
		fatalx("a record cannot be read again: %s", error);
	return (v);
}
