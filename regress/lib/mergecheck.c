/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The merger under watch; see mergecheck.h.
 */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "regress/lib/mergecheck.h"
#include "regress/lib/mergeframe.h"
#include "ztd-net/merge.h"

#define ETH	14

struct waiting {
	struct waiting	*w_next;
	unsigned	 w_tap, w_can;
	size_t		 w_len;
	uint8_t		 w_frame[];
};

static char	 taps[MERGECHECK_TAPS];	/* their addresses are the keys */

static void
wrong(struct mergecheck *mc, const char *why)
{
	if (mc->mc_error == NULL)
		mc->mc_error = why;
}

/*
 * Bytes from the addresses to the ports, which are a flow; 0: it cannot be
 * seen.
 */
static size_t
flow(const uint8_t *f, size_t len, size_t *at, uint8_t *proto)
{
	const uint8_t	*ip = f + ETH;
	size_t		 iphdr;

	if (f[12] == 0x08 && f[13] == 0x00) {
		if (len < ETH + 20 || ip[0] != 0x45 || (ip[6] & 0xbf) != 0 ||
		    ip[7] != 0)
			return (0);
		iphdr = 20;
		*at = ETH + 12;
		*proto = ip[9];
	} else if (f[12] == 0x86 && f[13] == 0xdd) {
		if (len < ETH + 40 || ip[0] >> 4 != 6)
			return (0);
		iphdr = 40;
		*at = ETH + 8;
		*proto = ip[6];
	} else
		return (0);
	if (!(*proto == 6 && len >= ETH + iphdr + 20) &&
	    !(*proto == 17 && len >= ETH + iphdr + 8))
		return (0);
	return (ETH + iphdr + 4 - *at);
}

/* Must a not come out behind b, which came in later? */
static bool
bound(const struct waiting *a, const struct waiting *b)
{
	size_t	 na, nb, ata, atb;
	uint8_t	 pa, pb;

	if (a->w_tap != b->w_tap)
		return (false);
	na = flow(a->w_frame, a->w_len, &ata, &pa);
	nb = flow(b->w_frame, b->w_len, &atb, &pb);
	if (na == 0 || nb == 0)
		return (memcmp(a->w_frame, b->w_frame, 12) == 0);
	return (na == nb && pa == pb &&
	    memcmp(a->w_frame + ata, b->w_frame + atb, na) == 0);
}

/* The same but for an id that says nothing, and the sum it is part of? */
static bool
same(const uint8_t *in, const uint8_t *cut, size_t len, bool merged)
{
	static uint8_t	 copy[MF_MAX];

	if (memcmp(in, cut, len) == 0)
		return (true);
	if (!merged || in[ETH] != 0x45 ||
	    ((in[ETH + 6] & 0x40) == 0 && in[ETH + 9] == 6))
		return (false);
	/* A wrong sum would not become the same. */
	memcpy(copy, in, len);
	memcpy(copy + ETH + 4, cut + ETH + 4, 2);
	mergeframe_sums(copy, len);
	if (memcmp(copy, cut, len) != 0)
		return (false);
	memcpy(copy + ETH + 4, in + ETH + 4, 2);
	mergeframe_sums(copy, len);
	return (memcmp(copy, in, len) == 0);
}

struct out {
	struct mergecheck *o_mc;
	unsigned	 o_tap;
	uint8_t		 o_type;
};

static void
frame_out(void *arg, const uint8_t *frame, size_t len)
{
	struct out		*o = arg;
	struct mergecheck	*mc = o->o_mc;
	struct waiting		**w, *e, *found;

	for (w = &mc->mc_first; (found = *w) != NULL; w = &found->w_next)
		if (found->w_tap == o->o_tap && found->w_len == len &&
		    same(found->w_frame, frame, len, o->o_type != 0))
			break;
	if (found == NULL) {
		wrong(mc, "a frame came out that did not go in");
		return;
	}
	for (e = mc->mc_first; e != found; e = e->w_next)
		if (bound(e, found))
			wrong(mc, "a frame came before an earlier one");
	if (o->o_type != 0 && (found->w_can & (o->o_type == OFFLOAD_UDP ?
	    OFFLOAD_CAN_UDP : OFFLOAD_CAN_TCP)) == 0)
		wrong(mc, "what the tap cannot take was merged");
	if (o->o_type != 0)
		mc->mc_merged++;
	if ((*w = found->w_next) == NULL)
		mc->mc_last = w;
	free(found);
}

static void
came_out(void *arg, void *key, const struct offload *of, const uint8_t *hdr,
    const void *p, size_t len)
{
	static uint8_t		 frame[MF_MAX];
	struct mergecheck	*mc = arg;
	struct out		 o = { mc, (unsigned)((char *)key - taps),
	    of->of_type };
	const char		*why;

	if (ETH + len > sizeof(frame)) {
		wrong(mc, "too long");
		return;
	}
	memcpy(frame, hdr, ETH);
	memcpy(frame + ETH, p, len);
	mc->mc_out++;
	if (ETH + len > mc->mc_longest)
		mc->mc_longest = ETH + len;
	if (!offload_any(of)) {
		frame_out(&o, frame, ETH + len);
		return;
	}
	mc->mc_super++;
	why = mergeframe_cut(of, frame, ETH + len, frame_out, &o);
	if (why != NULL)
		wrong(mc, why);
}

void
mergecheck_init(struct mergecheck *mc)
{
	memset(mc, 0, sizeof(*mc));
	mc->mc_last = &mc->mc_first;
	if ((mc->mc_merge = merge_new(came_out, mc)) == NULL)
		abort();
}

static uint64_t
mac(const uint8_t *p)
{
	uint64_t	 n = 0;
	int		 i;

	for (i = 0; i < 6; i++)
		n = n << 8 | p[i];
	return (n);
}

void
mergecheck_put(struct mergecheck *mc, unsigned tap, unsigned can,
    const uint8_t *frame, size_t len)
{
	struct waiting	*w;
	uint8_t		*p;

	if ((w = malloc(sizeof(*w) + len)) == NULL ||
	    (p = malloc(len - ETH)) == NULL)
		abort();
	w->w_next = NULL;
	w->w_tap = tap;
	w->w_can = can;
	w->w_len = len;
	memcpy(w->w_frame, frame, len);
	*mc->mc_last = w;
	mc->mc_last = &w->w_next;
	/* In a room of its own, which is gone afterwards. */
	memcpy(p, frame + ETH, len - ETH);
	merge_put(mc->mc_merge, &taps[tap], can, mac(frame), mac(frame + 6),
	    (uint16_t)(frame[12] << 8 | frame[13]), p, len - ETH);
	memset(p, 0xdb, len - ETH);
	free(p);
}

void
mergecheck_flush(struct mergecheck *mc)
{
	merge_flush(mc->mc_merge);
	if (mc->mc_first != NULL)
		wrong(mc, "something did not come out");
}

void
mergecheck_forget(struct mergecheck *mc, unsigned tap)
{
	struct waiting	**w = &mc->mc_first, *gone;

	merge_forget(mc->mc_merge, &taps[tap]);
	while ((gone = *w) != NULL)
		if (gone->w_tap == tap) {
			*w = gone->w_next;
			free(gone);
		} else
			w = &gone->w_next;
	mc->mc_last = w;
}

void
mergecheck_free(struct mergecheck *mc)
{
	struct waiting	*w;

	merge_free(mc->mc_merge);
	while ((w = mc->mc_first) != NULL) {
		mc->mc_first = w->w_next;
		free(w);
	}
}
