/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Values of a posted body.  The conversions of value.h turn anything into
 * something; here what would silently become something else than was meant
 * is refused, in words that name the field.
 *
 * What says nothing (null, "", sometimes {}) is no mistake: programs fill
 * the fields that they do not use with it.
 */

#ifndef ZTD_CONTROLLER_POSTED_H
#define ZTD_CONTROLLER_POSTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/inet.h"
#include "ztd-controller/value.h"

/* The first mistake, and in which element of which lists we are. */
struct wrong {
	char		 wr_text[192];	/* "": none */
	struct {
		const char	*l_name;
		size_t		 l_index;
	}		 wr_list[2];
	unsigned	 wr_depth;
};

/* field: NULL for the element itself.  Only the first one is noted. */
void	 wrong_note(struct wrong *, const char *field, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
bool	 wrong_noted(const struct wrong *);
/* Into element i of a list, and out of it. */
void	 wrong_enter(struct wrong *, const char *list, size_t i);
void	 wrong_leave(struct wrong *);

/*
 * As value_int(), value_bool() and value_text(), with a mistake noted for
 * objects, lists, text that says neither a number nor true or false,
 * numbers below 0 or above max.  wr NULL: nothing is a mistake.
 */
uint64_t posted_int(const json_t *, uint64_t d, uint64_t max,
	    const char *field, struct wrong *wr);
bool	 posted_bool(const json_t *, bool d, const char *field,
	    struct wrong *wr);
const char *posted_text(const json_t *, const char *d,
	    char buf[VALUE_NUMBER], const char *field, struct wrong *wr);
/* The value of a tag, of 32 bits; it may be written with a sign. */
uint64_t posted_tag(const json_t *, const char *field, struct wrong *wr);
/*
 * Is this a list to be taken over?  A mistake is noted when it has more
 * than max elements, or is something else that says anything.
 */
bool	 posted_list(const json_t *, const char *field, size_t max,
	    struct wrong *wr);
/* Null, absent, or an empty text. */
bool	 posted_nothing(const json_t *);
/*
 * An address, its prefix length a number that its family can have; *prefix
 * tells whether it has one.  Otherwise false, with nothing noted.
 */
bool	 posted_addr(const char *text, struct inet_addr *, bool *prefix);
/* n hexadecimal digits and nothing else. */
bool	 posted_hex(const char *text, size_t n);

#endif /* ZTD_CONTROLLER_POSTED_H */
