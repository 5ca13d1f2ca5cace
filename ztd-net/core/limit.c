/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What strangers may cost us, and what we may be made to send to addresses
 * where perhaps nobody asked for it.
 *
 * An address is confirmed when a packet of ours was answered from there.
 * Before that it gets no more bytes than came from it, so that a forged
 * source makes of us no amplifier.
 */

#include <stdlib.h>
#include <string.h>

#include "ztd-net/core/core.h"

#define SETS		1024
#define WAYS		4
#define BURST		400	/* packets of a neighbourhood at once, */
#define PER_SECOND	200	/* and in the long run */

struct bucket {
	uint64_t	 bu_prefix;	/* 0: free */
	int64_t		 bu_time;
	unsigned	 bu_tokens;
};

struct limits {
	struct bucket	 li_buckets[SETS][WAYS];
	uint64_t	 li_key;
};

int
limits_new(struct node *n)
{
	if ((n->n_limits = calloc(1, sizeof(*n->n_limits))) == NULL)
		return (-1);
	node_random(n, &n->n_limits->li_key, sizeof(n->n_limits->li_key));
	return (0);
}

void
limits_free(struct node *n)
{
	free(n->n_limits);
}

/* The neighbourhood: an IPv4 /24 or an IPv6 /48.  Never 0. */
static uint64_t
prefix_of(const struct inet_addr *ia)
{
	uint64_t	 v = ia->ia_family;
	unsigned	 i, n = ia->ia_family == 4 ? 3 : 6;

	for (i = 0; i < n; i++)
		v = v << 8 | ia->ia_ip[i];
	return (v);
}

/* The bucket of a neighbourhood; a full one in place of the oldest. */
static struct bucket *
bucket_get(struct limits *li, int64_t now, uint64_t prefix)
{
	struct bucket	*set, *slot;
	unsigned	 i;

	set = li->li_buckets[((prefix ^ li->li_key) *
	    0x9e3779b97f4a7c15ULL) >> 54];
	slot = &set[0];
	for (i = 0; i < WAYS; i++) {
		if (set[i].bu_prefix == prefix)
			return (&set[i]);
		if (set[i].bu_time < slot->bu_time)
			slot = &set[i];
	}
	slot->bu_prefix = prefix;
	slot->bu_time = now;
	slot->bu_tokens = BURST;
	return (slot);
}

bool
limit_stranger(struct node *n, int64_t now, const struct inet_addr *from)
{
	struct bucket	*bu;
	int64_t		 refill;

	bu = bucket_get(n->n_limits, now, prefix_of(from));
	refill = (now - bu->bu_time) * PER_SECOND / 1000;
	if (refill > 0) {
		bu->bu_time = now;
		bu->bu_tokens = refill >= BURST - bu->bu_tokens ? BURST :
		    bu->bu_tokens + (unsigned)refill;
	}
	if (bu->bu_tokens == 0) {
		n->n_status.ns_limited++;
		return (false);
	}
	bu->bu_tokens--;
	return (true);
}

bool
limit_reply(struct node *n, struct path *pa, size_t len)
{
	if (pa->pa_verified)
		return (true);
	if (len > pa->pa_credit) {
		n->n_status.ns_withheld++;
		return (false);
	}
	pa->pa_credit -= (uint32_t)len;
	return (true);
}
