/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The text of a record: the bytes that are in its file and that the API
 * answers with.  Never changed once made, so that a member, a change on its
 * way to disk and a snapshot can share one.  Counted in one thread only;
 * another may read it while somebody holds it.
 */

#ifndef ZTD_CONTROLLER_TEXT_H
#define ZTD_CONTROLLER_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct text {
	uint32_t	 tx_refs;
	uint32_t	 tx_len;
	char		 tx_s[];	/* with a NUL behind */
};

/* The canonical text of a value; fatal without memory. */
struct text *text_of_json(const json_t *);
/*
 * The same of a value that was read from these bytes: faster when they are
 * canonical, as we write them ourselves.
 */
struct text *text_of_read(const json_t *, const char *, size_t len);
struct text *text_new(const char *, size_t len);
struct text *text_ref(struct text *);
/* NULL is fine. */
void	 text_free(struct text *);
/* What it says, a new reference; it was JSON, so no memory is fatal. */
json_t	*text_json(const struct text *);

#endif /* ZTD_CONTROLLER_TEXT_H */
