/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Ranges of bytes, see range.h.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ztd-ctl/range.h"

/* "a-b", "a-" or "-n", as far as it goes. */
struct spec {
	bool		 s_first, s_last;	/* is there */
	uint64_t	 s_a, s_b;
};

static const char *number(const char *, bool *, uint64_t *);
static const char *spec(const char *, struct spec *);
static enum range_result cut(const struct spec *, uint64_t, struct range *);

enum range_result
range_parse(const char *value, uint64_t size, struct range *r)
{
	struct spec	 first, more;
	const char	*p;

	if (strncasecmp(value, "bytes=", 6) != 0 ||
	    (p = spec(value + 6, &first)) == NULL)
		return (RANGE_BAD);
	if (*p == '\0')
		return (cut(&first, size, r));
	while (*p == ',') {
		p++;
		if ((p = spec(p + strspn(p, " \t"), &more)) == NULL)
			return (RANGE_BAD);
	}
	return (*p == '\0' ? RANGE_WHOLE : RANGE_BAD);
}

static const char *
spec(const char *p, struct spec *s)
{
	if ((p = number(p, &s->s_first, &s->s_a)) == NULL || *p != '-' ||
	    (p = number(p + 1, &s->s_last, &s->s_b)) == NULL ||
	    (!s->s_first && !s->s_last) ||
	    (s->s_first && s->s_last && s->s_a > s->s_b))
		return (NULL);
	return (p + strspn(p, " \t"));
}

/* Where it ends; NULL when it is too large. */
static const char *
number(const char *p, bool *there, uint64_t *v)
{
	unsigned long long	 n;
	char			*end;

	*v = 0;
	if (!(*there = *p >= '0' && *p <= '9'))
		return (p);
	errno = 0;
	n = strtoull(p, &end, 10);
	*v = n;
	return (errno == 0 ? end : NULL);
}

/* What goes beyond the end goes to the end. */
static enum range_result
cut(const struct spec *s, uint64_t size, struct range *r)
{
	if (!s->s_first) {
		r->r_len = s->s_b < size ? s->s_b : size;
		r->r_from = size - r->r_len;
		return (r->r_len > 0 ? RANGE_PART : RANGE_BEYOND);
	}
	if (s->s_a >= size)
		return (RANGE_BEYOND);
	r->r_from = s->s_a;
	r->r_len = size - s->s_a;
	if (s->s_last && s->s_b - s->s_a < r->r_len)
		r->r_len = s->s_b - s->s_a + 1;
	return (RANGE_PART);
}
