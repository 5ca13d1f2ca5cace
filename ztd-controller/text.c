/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The text of a record; see text.h.
 */

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "ztd-controller/text.h"
#include "ztd-controller/value.h"

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
		fatalx("out of memory for a record: %s", error);
	return (v);
}
