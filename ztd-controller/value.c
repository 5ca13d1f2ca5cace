/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Lenient conversions of JSON values; see value.h.  Spec: 04 section 2.
 */

#include <sys/socket.h>

#include <arpa/inet.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "ztd-controller/value.h"

#define ADDR_TEXT_MAX	63		/* longer texts are no address */
#define TWO_63		9223372036854775808.0
#define TWO_64		18446744073709551616.0

static uint64_t	 real_to_u64(double);
static int	 hex_digit(char);
static json_t	*reals_to_ints(json_t *);

uint64_t
value_int(const json_t *v, uint64_t d)
{
	switch (v == NULL ? JSON_NULL : json_typeof(v)) {
	case JSON_INTEGER:
		return ((uint64_t)json_integer_value(v));
	case JSON_REAL:
		return (real_to_u64(json_real_value(v)));
	case JSON_STRING:
		return (strtoull(json_string_value(v), NULL, 10));
	case JSON_TRUE:
		return (1);
	case JSON_FALSE:
		return (0);
	default:
		return (d);
	}
}

bool
value_bool(const json_t *v, bool d)
{
	const char	*s;

	if (v == NULL)
		return (d);
	if (json_is_string(v)) {
		s = json_string_value(v);
		return (*s == 't' || *s == 'T' || *s == '1');
	}
	return (value_int(v, d) > 0);
}

uint64_t
value_hexint(const json_t *v, uint64_t d)
{
	if (v != NULL && json_is_string(v))
		return (value_hex(json_string_value(v)));
	return (value_int(v, d));
}

const char *
value_text(const json_t *v, const char *d, char buf[VALUE_NUMBER])
{
	switch (v == NULL ? JSON_NULL : json_typeof(v)) {
	case JSON_STRING:
		return (json_string_value(v));
	case JSON_INTEGER:
	case JSON_REAL:
		snprintf(buf, VALUE_NUMBER, "%" PRIu64, value_int(v, 0));
		return (buf);
	case JSON_TRUE:
		return ("1");
	case JSON_FALSE:
		return ("0");
	default:
		return (d);
	}
}

uint64_t
value_hex(const char *text)
{
	uint64_t	v = 0;
	int		n;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	for (; (n = hex_digit(*text)) != -1; text++)
		v = v << 4 | (unsigned)n;
	return (v);
}

bool
value_addr(const char *text, struct inet_addr *ia)
{
	char		 ip[ADDR_TEXT_MAX + 1];
	const char	*slash;
	size_t		 len;
	int		 ok = 0;

	memset(ia, 0, sizeof(*ia));
	len = strlen(text);
	if (len == 0 || len > ADDR_TEXT_MAX)
		return (false);
	if ((slash = strchr(text, '/')) != NULL)
		len = (size_t)(slash - text);
	memcpy(ip, text, len);
	ip[len] = '\0';
	if (strchr(ip, ':') != NULL) {
		ia->ia_family = 6;
		ok = inet_pton(AF_INET6, ip, ia->ia_ip);
	} else if (strchr(ip, '.') != NULL) {
		ia->ia_family = 4;
		ok = inet_pton(AF_INET, ip, ia->ia_ip);
	}
	if (ok != 1) {
		memset(ia, 0, sizeof(*ia));
		return (false);
	}
	if (slash != NULL)
		ia->ia_port = strtoul(slash + 1, NULL, 10) & 0xffff;
	return (true);
}

json_t *
value_new_int(uint64_t v)
{
	return (json_integer((json_int_t)v));
}

void
value_set(json_t *obj, const char *key, json_t *v)
{
	if (json_object_set_new(obj, key, v) == -1)
		fatalx("out of memory");
}

void
value_default(json_t *obj, const char *key, json_t *v)
{
	if (json_object_get(obj, key) == NULL)
		value_set(obj, key, v);
	else
		json_decref(v);
}

void
value_append(json_t *array, json_t *v)
{
	if (json_array_append_new(array, v) == -1)
		fatalx("out of memory");
}

json_t *
value_parse(const char *text, size_t len, char *error, size_t size)
{
	const size_t	 flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
	const char	*nul;
	json_error_t	 e;
	json_t		*v;

	if (len > 0 && (nul = memchr(text, '\0', len)) != NULL)
		len = (size_t)(nul - text);
	v = json_loadb(text, len, flags, &e);
	if (v == NULL && json_error_code(&e) == json_error_numeric_overflow) {
		/* Numbers from 2^63 up; they come back as well as doubles
		 * can hold them. */
		v = json_loadb(text, len, flags | JSON_DECODE_INT_AS_REAL,
		    &e);
		if (v != NULL)
			v = reals_to_ints(v);
	}
	if (v == NULL)
		snprintf(error, size, "line %d, column %d: %s", e.line,
		    e.column, e.text);
	return (v);
}

char *
value_format(const json_t *v, size_t *len)
{
	char	*text;

	text = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS |
	    JSON_ENCODE_ANY);
	if (text == NULL)
		fatalx("out of memory");
	*len = strlen(text);
	return (text);
}

static uint64_t
real_to_u64(double x)
{
	if (x >= TWO_64)
		return (UINT64_MAX);
	if (x >= 0)
		return ((uint64_t)x);
	if (x <= -TWO_63)
		return ((uint64_t)1 << 63);
	return ((uint64_t)(int64_t)x);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	if (c >= 'a' && c <= 'f')
		return (c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (c - 'A' + 10);
	return (-1);
}

/*
 * Turn whole numbers that were read as reals into integers again.  Takes the
 * reference and returns one.
 */
static json_t *
reals_to_ints(json_t *v)
{
	const char	*key;
	json_t		*e;
	void		*next;
	double		 x;
	size_t		 i;

	switch (json_typeof(v)) {
	case JSON_REAL:
		x = json_real_value(v);
		if (x < -TWO_63 || x > TWO_64 ||
		    (x < TWO_63 && (double)(int64_t)x != x))
			return (v);
		json_decref(v);
		return (value_new_int(real_to_u64(x)));
	case JSON_ARRAY:
		json_array_foreach(v, i, e)
			if (json_array_set_new(v, i,
			    reals_to_ints(json_incref(e))) == -1)
				fatalx("out of memory");
		return (v);
	case JSON_OBJECT:
		json_object_foreach_safe(v, next, key, e)
			value_set(v, key, reals_to_ints(json_incref(e)));
		return (v);
	default:
		return (v);
	}
}
