/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A place in a JSON document: by its keys, as settings.bind[1], and by line
 * and column of the text, which jansson forgets.
 */

#ifndef ZTD_CTL_PLACE_H
#define ZTD_CTL_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#define PLACE_DEPTH	8
#define PLACE_TEXT	256	/* of its keys, with NUL */

struct place_step {
	const char	*ps_key;	/* NULL: a list's entry */
	size_t		 ps_index;
};

/* Keys stay the caller's and must outlive it. */
struct place {
	unsigned	  pl_depth;	/* 0: the document */
	struct place_step pl_step[PLACE_DEPTH];
};

/* One deeper, by key or by number; what is too deep is the one above. */
void	 place_key(struct place *, const char *key);
void	 place_index(struct place *, size_t);
void	 place_up(struct place *);
/*
 * Its keys, those that are no words in quotes: physical."10.0.0.0/8".mtu.
 * Empty for the document.  Returns dst, of PLACE_TEXT bytes.
 */
char	*place_text(const struct place *, char *dst);
/*
 * Line and column, from 1, columns counting characters: of the value there,
 * or with key of the last key that leads to it.  The text must be JSON; of
 * keys that are there twice the last counts, as with jansson.  false: it is
 * not there.
 */
bool	 place_find(const struct place *, const char *text, size_t len,
	    bool key, unsigned *line, unsigned *column);

#endif /* ZTD_CTL_PLACE_H */
