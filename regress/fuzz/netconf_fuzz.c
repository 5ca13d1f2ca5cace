/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Fuzzer: network configurations and the chunks they come in
 * (common/netconf.h), spec 03 sections 4 to 7.
 */

#include <stdlib.h>
#include <string.h>

#include "common/netconf.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* A configuration that was read can be written and read again. */
static void
decode(const uint8_t *d, size_t len)
{
	static struct netconf	 a, b;
	uint8_t			*text;
	size_t			 n;

	if (netconf_decode(&a, d, len) == NULL) {
		if ((text = netconf_encode(&a, &n)) != NULL) {
			if (netconf_decode(&b, text, n) == NULL)
				(void)netconf_equal(&a, &b);
			free(text);
		}
		(void)netconf_roles(&a, 0x0102030405ULL);
	}
	netconf_clear(&a);
	netconf_clear(&b);
}

/* The input as a row of chunk blocks, each after its length. */
static void
chunks(const uint8_t *data, size_t size)
{
	struct netconf_assembly	*as;
	struct netconf_chunk	 ck;
	struct rbuf		 rb, sub;
	uint8_t			*d;
	size_t			 len;

	if ((as = netconf_assembly_new()) == NULL)
		abort();
	rbuf_init(&rb, data, size);
	while (rb.rb_left > 2) {
		len = rbuf_u16(&rb);
		rbuf_sub(&rb, &sub, len < rb.rb_left ? len : rb.rb_left);
		netconf_chunk_get(&sub, &ck);
		if (!rbuf_ok(&sub))
			continue;
		if (netconf_assembly_add(as, &ck, &d, &len)) {
			decode(d, len);
			free(d);
		}
	}
	netconf_assembly_free(as);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netconf_chunk	 ck;
	struct rbuf		 rb;

	decode(data, size);
	rbuf_init(&rb, data, size);
	netconf_chunk_get(&rb, &ck);
	if (rbuf_ok(&rb) && ck.ck_len > 0)
		decode(ck.ck_data, ck.ck_len);
	chunks(data, size);
	return (0);
}
