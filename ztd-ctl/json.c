/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Small helpers that turn the catalogue's structs into JSON values.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/reason.h"
#include "ztd-ctl/ctl.h"

static size_t	 utf8_length(const uint8_t *, size_t);

json_t *
json_text(const char *p, size_t size)
{
	const uint8_t	*s = (const uint8_t *)p;
	json_t		*v;
	char		*out;
	size_t		 i, k, n, len;

	len = strnlen(p, size);
	if ((v = json_stringn(p, len)) != NULL)
		return (v);
	if ((out = malloc(len * 3 + 1)) == NULL)
		return (NULL);
	for (i = n = 0; i < len; i += k) {
		if ((k = utf8_length(s + i, len - i)) == 0) {
			memcpy(out + n, "\xef\xbf\xbd", 3);
			n += 3;
			k = 1;
		} else {
			memcpy(out + n, s + i, k);
			n += k;
		}
	}
	v = json_stringn(out, n);
	free(out);
	return (v);
}

/* Bytes of the well-formed character at s (RFC 3629), 0 when it is none. */
static size_t
utf8_length(const uint8_t *s, size_t left)
{
	uint8_t	 low = 0x80, high = 0xbf;
	size_t	 i, n;

	if (s[0] < 0x80)
		return (1);
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4;
	else
		return (0);
	if (n > left)
		return (0);
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return (0);
	for (i = 2; i < n; i++) {
		if (s[i] < 0x80 || s[i] > 0xbf)
			return (0);
	}
	return (n);
}

json_t *
json_hex(uint64_t v, int digits)
{
	char	 text[20];

	(void)snprintf(text, sizeof(text), "%0*llx", digits,
	    (unsigned long long)v);
	return (json_string(text));
}

json_t *
json_inet(const struct inet_addr *ia)
{
	char	 text[INET_TEXT];

	return (json_string(inet_format(text, ia)));
}

json_t *
json_inet_or_null(const struct inet_addr *ia)
{
	return (inet_isnil(ia) ? json_null() : json_inet(ia));
}

json_t *
json_node_or_null(uint64_t addr)
{
	return (addr == 0 ? json_null() : json_hex(addr, 10));
}

json_t *
json_reason(uint32_t reason)
{
	return (json_pack("{s:s,s:s}", "reason", reason_code(reason),
	    "text", reason_text(reason)));
}

json_t *
json_inets(const struct inet_addr *ia, uint32_t n, uint32_t max)
{
	json_t		*v;
	uint32_t	 i;

	if ((v = json_array()) == NULL)
		return (NULL);
	for (i = 0; i < n && i < max; i++) {
		if (!inet_isnil(&ia[i]))
			(void)json_array_append_new(v, json_inet(&ia[i]));
	}
	return (v);
}

/* They most often come in order: look from the end. */
void
json_insert_sorted(json_t *array, const char *key, json_t *obj)
{
	const char	*mine;
	size_t		 i;

	if (obj == NULL)
		return;
	mine = json_string_value(json_object_get(obj, key));
	if (mine == NULL) {
		json_decref(obj);
		return;
	}
	for (i = json_array_size(array); i > 0; i--) {
		if (strcmp(json_string_value(json_object_get(
		    json_array_get(array, i - 1), key)), mine) <= 0)
			break;
	}
	(void)json_array_insert_new(array, i, obj);
}
