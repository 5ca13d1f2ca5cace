/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A place in a JSON document, see place.h.
 *
 * jansson says how many bytes it has read when it is told to stop behind a
 * value.  So it reads every key and value, and what is looked at here is the
 * punctuation between them alone.
 */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "ztd-ctl/place.h"

#define KEY_SHOWN	64	/* bytes of a key that are shown */

/* What is read of the text. */
struct cursor {
	const char	*c_at, *c_end;
};

static bool	 word(const char *);
static void	 blanks(struct cursor *);
static bool	 sign(struct cursor *, char);
static json_t	*value(struct cursor *);
static bool	 member(struct cursor *, const char *, struct cursor *,
		    struct cursor *);
static bool	 entry(struct cursor *, size_t, struct cursor *);

void
place_key(struct place *pl, const char *key)
{
	if (pl->pl_depth < PLACE_DEPTH) {
		pl->pl_step[pl->pl_depth].ps_key = key;
		pl->pl_step[pl->pl_depth].ps_index = 0;
	}
	pl->pl_depth++;
}

void
place_index(struct place *pl, size_t i)
{
	if (pl->pl_depth < PLACE_DEPTH) {
		pl->pl_step[pl->pl_depth].ps_key = NULL;
		pl->pl_step[pl->pl_depth].ps_index = i;
	}
	pl->pl_depth++;
}

void
place_up(struct place *pl)
{
	pl->pl_depth--;
}

char *
place_text(const struct place *pl, char *dst)
{
	const struct place_step	*ps;
	size_t			 n = 0;
	unsigned		 i;

	dst[0] = '\0';
	for (i = 0; i < pl->pl_depth && i < PLACE_DEPTH; i++) {
		ps = &pl->pl_step[i];
		if (n >= PLACE_TEXT)
			break;
		if (ps->ps_key == NULL)
			n += (size_t)snprintf(dst + n, PLACE_TEXT - n,
			    "[%zu]", ps->ps_index);
		else
			n += (size_t)snprintf(dst + n, PLACE_TEXT - n,
			    word(ps->ps_key) ? "%s%.*s" : "%s\"%.*s\"",
			    i > 0 ? "." : "", KEY_SHOWN, ps->ps_key);
	}
	return (dst);
}

static bool
word(const char *key)
{
	const char	*p;

	for (p = key; isalnum((unsigned char)*p) || *p == '_'; p++)
		continue;
	return (*p == '\0' && p > key);
}

bool
place_find(const struct place *pl, const char *text, size_t len, bool key,
    unsigned *line, unsigned *column)
{
	struct cursor	 at = { text, text + len }, name;
	const char	*p;
	unsigned	 i;

	blanks(&at);
	name = at;
	for (i = 0; i < pl->pl_depth && i < PLACE_DEPTH; i++) {
		if (pl->pl_step[i].ps_key != NULL ? !member(&at,
		    pl->pl_step[i].ps_key, &name, &at) :
		    !entry(&at, pl->pl_step[i].ps_index, &at))
			return (false);
	}
	*line = *column = 1;
	for (p = text; p < (key ? name.c_at : at.c_at); p++) {
		if (*p == '\n') {
			(*line)++;
			*column = 1;
		} else if (((unsigned char)*p & 0xc0) != 0x80)
			(*column)++;
	}
	return (true);
}

/* The member of the object at c: where its key begins, and its value. */
static bool
member(struct cursor *c, const char *key, struct cursor *name,
    struct cursor *v)
{
	struct cursor	 at = *c, begin;
	json_t		*k;
	const char	*s;
	bool		 found = false, same;

	if (!sign(&at, '{'))
		return (false);
	do {
		blanks(&at);
		begin = at;
		if ((k = value(&at)) == NULL)
			return (found);
		s = json_string_value(k);
		same = s != NULL && strcmp(s, key) == 0;
		json_decref(k);
		if (!sign(&at, ':'))
			return (found);
		blanks(&at);
		if (same) {
			*name = begin;
			*v = at;
			found = true;
		}
		if ((k = value(&at)) == NULL)
			return (found);
		json_decref(k);
	} while (sign(&at, ','));
	return (found);
}

static bool
entry(struct cursor *c, size_t n, struct cursor *v)
{
	struct cursor	 at = *c;
	json_t		*e;

	if (!sign(&at, '['))
		return (false);
	do {
		blanks(&at);
		if (n-- == 0) {
			*v = at;
			return (true);
		}
		if ((e = value(&at)) == NULL)
			return (false);
		json_decref(e);
	} while (sign(&at, ','));
	return (false);
}

static void
blanks(struct cursor *c)
{
	while (c->c_at < c->c_end && (*c->c_at == ' ' || *c->c_at == '\t' ||
	    *c->c_at == '\r' || *c->c_at == '\n'))
		c->c_at++;
}

/* Is this the next character that is no blank?  It is taken then. */
static bool
sign(struct cursor *c, char which)
{
	blanks(c);
	if (c->c_at == c->c_end || *c->c_at != which)
		return (false);
	c->c_at++;
	return (true);
}

/* The value that begins here; the cursor is behind it then. */
static json_t *
value(struct cursor *c)
{
	json_error_t	 je;
	json_t		*v;

	v = json_loadb(c->c_at, (size_t)(c->c_end - c->c_at),
	    JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, &je);
	if (v != NULL)
		c->c_at += je.position;
	return (v);
}
