/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Fuzzer: rule tables (spec 03 section 16): whatever tables and frame an
 * input means, the engine decides as the naive evaluator does; and tables in
 * their binary form are compiled and run over frames that are cut anywhere.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "regress/lib/twofilters.h"
#include "ztd-net/core/filter.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static uint32_t
no_random(void *arg)
{
	(void)arg;
	return (0);
}

/* The input as a table, and what follows it as a frame. */
static void
binary(const uint8_t *data, size_t size)
{
	static struct rule	 rules[RULES_MAX];
	static struct netconf	 nc;
	struct filter_context	 fc = {
		.fc_netconf = &nc, .fc_self = 1, .fc_random = no_random
	};
	struct filter_frame	 ff = { .source = 1, .dest = 2 };
	struct filter_outcome	 fo;
	struct filter_program	*fpr;
	struct rbuf		 rb, sub;
	uint8_t			 log[FILTER_LOG], *frame;
	size_t			 len;
	unsigned		 n;

	rbuf_init(&rb, data, size);
	len = rbuf_u16(&rb);
	ff.ethertype = rbuf_u16(&rb);
	rbuf_sub(&rb, &sub, len < rb.rb_left ? len : rb.rb_left);
	if (!rbuf_ok(&rb))
		return;
	n = rules_get(&sub, rules, RULES_MAX);
	/* On the heap, so that a byte past its end is seen. */
	ff.len = rb.rb_left;
	if ((frame = malloc(ff.len + 1)) == NULL)
		abort();
	memcpy(frame + 1, rb.rb_p, ff.len);
	ff.data = frame + 1;
	if ((fpr = filter_compile(rules, n, 0)) == NULL)
		abort();
	filter_run(&fo, &fc, &ff, fpr, log);
	ff.inbound = true;
	filter_run(&fo, &fc, &ff, fpr, NULL);
	filter_program_free(fpr);
	free(frame);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct twofilters	 tf;
	const char		*how;

	if ((how = twofilters(data, size, &tf)) != NULL) {
		fprintf(stderr, "%s\n", how);
		abort();
	}
	binary(data, size);
	return (0);
}
