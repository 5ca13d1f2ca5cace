/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Fuzzer: looking up in dictionaries (common/dictionary.h), spec 03
 * section 4.
 */

#include <stdlib.h>
#include <string.h>

#include "common/dictionary.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char	*keys[] = {
	"v", "nwid", "ts", "r", "C", "RT", "I", "n", "CAP", "TAG", ""
};

/* A value that was written is read back as it was. */
static void
round_trip(const uint8_t *data, size_t size)
{
	uint8_t		 d[4096], back[1024];
	struct wbuf	 wb;

	if (size > sizeof(back))
		return;
	wbuf_init(&wb, d, sizeof(d));
	dict_put_u64(&wb, "a", size);
	dict_put_bytes(&wb, "b", data, size);
	dict_put_bool(&wb, "c", true);
	if (!wbuf_ok(&wb))
		abort();
	if (dict_get_bytes(d, wb.wb_len, "b", back, sizeof(back)) !=
	    (long)size || memcmp(back, data, size) != 0)
		abort();
	if (!dict_get_bool(d, wb.wb_len, "c", false))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	 text[64], small[1];
	uint8_t	 bytes[256];
	size_t	 i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		(void)dict_get_string(data, size, keys[i], text, sizeof(text));
		(void)dict_get_string(data, size, keys[i], small, 1);
		if (memchr(text, '\0', sizeof(text)) == NULL || small[0] != '\0')
			abort();
		(void)dict_get_bytes(data, size, keys[i], bytes,
		    sizeof(bytes));
		(void)dict_get_u64(data, size, keys[i], 1);
		(void)dict_get_i64(data, size, keys[i], 1);
		(void)dict_get_bool(data, size, keys[i], true);
	}
	round_trip(data, size);
	return (0);
}
