/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Checks of what was posted; see posted.h.  Spec: 04 sections 2, 4, 5.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ztd-controller/posted.h"

static const char	*text_int(const char *, uint64_t, uint64_t *);
static bool		 text_false(const char *);

void
wrong_note(struct wrong *wr, const char *field, const char *fmt, ...)
{
	char	 what[96];
	va_list	 ap;
	unsigned i;

	if (wr == NULL || wrong_noted(wr))
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	for (i = 0; i < wr->wr_depth; i++) {
		snprintf(wr->wr_text + strlen(wr->wr_text),
		    sizeof(wr->wr_text) - strlen(wr->wr_text), "%s%s[%zu]",
		    i > 0 ? "." : "", wr->wr_list[i].l_name,
		    wr->wr_list[i].l_index);
	}
	if (field != NULL) {
		(void)strlcat(wr->wr_text, i > 0 ? "." : "",
		    sizeof(wr->wr_text));
		(void)strlcat(wr->wr_text, field, sizeof(wr->wr_text));
	}
	(void)strlcat(wr->wr_text, ": ", sizeof(wr->wr_text));
	(void)strlcat(wr->wr_text, what, sizeof(wr->wr_text));
}

bool
wrong_noted(const struct wrong *wr)
{
	return (wr != NULL && wr->wr_text[0] != '\0');
}

void
wrong_enter(struct wrong *wr, const char *list, size_t i)
{
	if (wr == NULL)
		return;
	wr->wr_list[wr->wr_depth].l_name = list;
	wr->wr_list[wr->wr_depth].l_index = i;
	wr->wr_depth++;
}

void
wrong_leave(struct wrong *wr)
{
	if (wr != NULL)
		wr->wr_depth--;
}

uint64_t
posted_int(const json_t *v, uint64_t d, uint64_t max, const char *field,
    struct wrong *wr)
{
	const char	*why = NULL;
	uint64_t	 n = value_int(v, d);

	if (wr == NULL || v == NULL)
		return (n);
	switch (json_typeof(v)) {
	case JSON_ARRAY:
	case JSON_OBJECT:
		why = "must be a number";
		break;
	case JSON_INTEGER:
		/* From 2^63 up jansson has them as negative ones. */
		if (json_integer_value(v) < 0)
			why = "must be from 0 to";
		break;
	case JSON_REAL:
		if (json_real_value(v) <= -1)
			why = "must be from 0 to";
		break;
	case JSON_STRING:
		why = text_int(json_string_value(v), n, &n);
		break;
	default:
		break;
	}
	if (why == NULL && n > max)
		why = "must be from 0 to";
	if (why != NULL && strchr(why, '0') != NULL)
		wrong_note(wr, field, "%s %" PRIu64, why, max);
	else if (why != NULL)
		wrong_note(wr, field, "%s", why);
	return (n);
}

uint64_t
posted_tag(const json_t *v, const char *field, struct wrong *wr)
{
	if (json_is_integer(v) && json_integer_value(v) < 0 &&
	    json_integer_value(v) >= INT32_MIN)
		return ((uint64_t)json_integer_value(v));
	return (posted_int(v, 0, UINT32_MAX, field, wr));
}

/* NULL, or what is wrong with a number that is a text. */
static const char *
text_int(const char *text, uint64_t lenient, uint64_t *n)
{
	char	*end;

	*n = lenient;
	text += strspn(text, " \t\r\n");
	if (*text == '\0')
		return (NULL);
	if (*text == '-' && strspn(text + 1, "0123456789") > 0)
		return ("must be from 0 to");
	errno = 0;
	*n = strtoull(text, &end, 10);
	if (errno == ERANGE)
		return ("must be from 0 to");
	if (end == text || end[strspn(end, " \t\r\n")] != '\0')
		return ("must be a number");
	return (NULL);
}

bool
posted_bool(const json_t *v, bool d, const char *field, struct wrong *wr)
{
	bool	b = value_bool(v, d);

	if (wr == NULL || v == NULL)
		return (b);
	if (json_is_array(v) || json_is_object(v) ||
	    (json_is_string(v) && !b && !text_false(json_string_value(v))))
		wrong_note(wr, field, "must be true or false");
	return (b);
}

/* Which texts may mean false; "yes" and "on" do not. */
static bool
text_false(const char *s)
{
	return (*s == '\0' || strchr("0fFnN", *s) != NULL ||
	    strcasecmp(s, "off") == 0);
}

const char *
posted_text(const json_t *v, const char *d, char buf[VALUE_NUMBER],
    const char *field, struct wrong *wr)
{
	if (json_is_array(v) || json_is_object(v))
		wrong_note(wr, field, "must be text");
	return (value_text(v, d, buf));
}

bool
posted_list(const json_t *v, const char *field, size_t max,
    struct wrong *wr)
{
	if (json_is_array(v)) {
		if (json_array_size(v) > max)
			wrong_note(wr, field, "%zu elements, the limit is "
			    "%zu", json_array_size(v), max);
		return (!wrong_noted(wr));
	}
	if (!posted_nothing(v) &&
	    !(json_is_object(v) && json_object_size(v) == 0))
		wrong_note(wr, field, "must be a list");
	return (false);
}

bool
posted_nothing(const json_t *v)
{
	return (v == NULL || json_is_null(v) ||
	    (json_is_string(v) && json_string_length(v) == 0));
}

bool
posted_addr(const char *text, struct inet_addr *ia, bool *prefix)
{
	const char	*slash;

	if (!value_addr(text, ia))
		return (false);
	slash = strchr(text, '/');
	*prefix = slash != NULL;
	if (slash == NULL)
		return (true);
	return (slash[1] != '\0' &&
	    slash[1 + strspn(slash + 1, "0123456789")] == '\0' &&
	    strtoul(slash + 1, NULL, 10) <= 8 * inet_iplen(ia));
}

bool
posted_hex(const char *text, size_t n)
{
	return (strlen(text) == n &&
	    strspn(text, "0123456789abcdefABCDEF") == n);
}
