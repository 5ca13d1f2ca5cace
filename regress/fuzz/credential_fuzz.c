/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Fuzzer: certificates, tags, capabilities, revocations and rules
 * (common/credential.h, common/rules.h), spec 03 sections 9 and 16.
 */

#include <stdlib.h>
#include <string.h>

#include "common/credential.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const struct identity *
nobody(void *arg, uint64_t addr)
{
	(void)arg;
	(void)addr;
	return (NULL);
}

/* What was read fits the sizes that the header promises. */
static void
certificates(const uint8_t *data, size_t size)
{
	static uint8_t		 out[CAPABILITY_MAX];
	static struct com	 com;
	static struct coo	 coo;
	static struct tag	 tag;
	struct rbuf		 rb;
	struct wbuf		 wb;
	uint64_t		 unknown;

	rbuf_init(&rb, data, size);
	com_get(&rb, &com);
	if (rbuf_ok(&rb)) {
		wbuf_init(&wb, out, COM_MAX);
		com_put(&wb, &com);
		if (!wbuf_ok(&wb))
			abort();
		(void)com_check(&com, nobody, NULL, &unknown);
	}
	rbuf_init(&rb, data, size);
	coo_get(&rb, &coo);
	if (rbuf_ok(&rb)) {
		wbuf_init(&wb, out, COO_MAX);
		coo_put(&wb, &coo);
		if (!wbuf_ok(&wb))
			abort();
		(void)coo_check(&coo, nobody, NULL, &unknown);
	}
	rbuf_init(&rb, data, size);
	tag_get(&rb, &tag);
	if (rbuf_ok(&rb)) {
		wbuf_init(&wb, out, TAG_MAX);
		tag_put(&wb, &tag);
		if (!wbuf_ok(&wb))
			abort();
		(void)tag_check(&tag, nobody, NULL, &unknown);
	}
}

static void
others(const uint8_t *data, size_t size)
{
	static uint8_t		 out[CAPABILITY_MAX];
	static struct capability cap;
	static struct revocation rev;
	struct rbuf		 rb;
	struct wbuf		 wb;
	uint64_t		 unknown;

	rbuf_init(&rb, data, size);
	capability_get(&rb, &cap);
	if (rbuf_ok(&rb)) {
		wbuf_init(&wb, out, CAPABILITY_MAX);
		capability_put(&wb, &cap);
		if (!wbuf_ok(&wb))
			abort();
		(void)capability_check(&cap, nobody, NULL, &unknown);
		(void)capability_holder(&cap);
	}
	rbuf_init(&rb, data, size);
	revocation_get(&rb, &rev);
	if (rbuf_ok(&rb)) {
		wbuf_init(&wb, out, REVOCATION_MAX);
		revocation_put(&wb, &rev);
		if (!wbuf_ok(&wb))
			abort();
		(void)revocation_check(&rev, nobody, NULL, &unknown);
	}
}

static void
rules(const uint8_t *data, size_t size)
{
	static struct rule	 table[RULES_MAX], again[RULES_MAX];
	static uint8_t		 out[RULES_MAX * 32];
	struct rbuf		 rb;
	struct wbuf		 wb;
	unsigned		 n;

	rbuf_init(&rb, data, size);
	n = rules_get(&rb, table, RULES_MAX);
	if (!rbuf_ok(&rb))
		return;
	wbuf_init(&wb, out, sizeof(out));
	rules_put(&wb, table, n);
	if (!wbuf_ok(&wb))
		abort();
	rbuf_init(&rb, out, wb.wb_len);
	if (rules_get(&rb, again, RULES_MAX) > n || !rbuf_ok(&rb))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	certificates(data, size);
	others(data, size);
	rules(data, size);
	return (0);
}
