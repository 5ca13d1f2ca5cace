/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Fuzzer: planets and moons, identities and addresses in them
 * (common/world.h), spec 01 section 16.
 */

#include <stdlib.h>
#include <string.h>

#include "common/world.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What was read can be written, and reads the same again. */
static void
again(const struct world *w)
{
	static uint8_t		 out[WORLD_MAX], twice[WORLD_MAX];
	static struct world	 back;
	struct rbuf		 rb;
	struct wbuf		 wb, wb2;

	wbuf_init(&wb, out, sizeof(out));
	world_put(&wb, w);
	if (!wbuf_ok(&wb))
		abort();
	rbuf_init(&rb, out, wb.wb_len);
	world_get(&rb, &back);
	if (!rbuf_done(&rb))
		abort();
	wbuf_init(&wb2, twice, sizeof(twice));
	world_put(&wb2, &back);
	if (!wbuf_ok(&wb2) || wb2.wb_len != wb.wb_len ||
	    memcmp(out, twice, wb.wb_len) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world	 held, w;
	struct identity		 id;
	struct rbuf		 rb;
	char			 text[IDENTITY_TEXT_PUBLIC];

	rbuf_init(&rb, data, size);
	world_get(&rb, &w);
	if (rbuf_ok(&rb)) {
		again(&w);
		(void)world_replaces(&held, &w);
		(void)world_replaces(&w, &w);
	}

	rbuf_init(&rb, data, size);
	identity_get(&rb, &id);
	if (rbuf_ok(&rb))
		(void)identity_format(text, &id, false);
	(void)identity_parse(&id, (const char *)data, size);
	return (0);
}
