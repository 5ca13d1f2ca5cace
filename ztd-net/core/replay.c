/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Packets that were accepted lately, so that none is accepted twice.  The
 * protocol has no such thing: who records a packet can send it again for
 * ever.  No window over a counter will do, since the packet ids of other
 * software are random.
 *
 * Two tables of a fixed size, of which the oldest entries are overwritten:
 * one for frames, which come by the hundred thousand, and one for all else,
 * so that a fast transfer does not make us forget what a HELLO looked like.
 */

#include <stdlib.h>
#include <string.h>

#include "ztd-net/core/core.h"

#define WAYS		8
#define FRAME_SETS	8192	/* 65536 frames */
#define OTHER_SETS	4096	/* 32768 other packets */

struct set {
	uint64_t	 se_seen[WAYS];	/* newest first; 0: free */
};

struct replay {
	struct set	 re_frames[FRAME_SETS];
	struct set	 re_others[OTHER_SETS];
	uint64_t	 re_key;	/* nobody can aim at a set */
};

int
replay_new(struct node *n)
{
	if ((n->n_replay = calloc(1, sizeof(*n->n_replay))) == NULL)
		return (-1);
	node_random(n, &n->n_replay->re_key, sizeof(n->n_replay->re_key));
	return (0);
}

void
replay_free(struct node *n)
{
	free(n->n_replay);
}

static uint64_t
mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return (x ^ x >> 31);
}

static uint64_t
mix_addr(uint64_t x, uint32_t sock, const struct inet_addr *ia)
{
	uint64_t	 half[2];

	memcpy(half, ia->ia_ip, sizeof(half));
	x = mix(x ^ ((uint64_t)sock << 24 | (uint64_t)ia->ia_port << 8 |
	    ia->ia_family));
	return (mix(mix(x ^ half[0]) ^ half[1]));
}

static bool
is_frame(uint8_t verb)
{
	return (verb == VERB_FRAME || verb == VERB_EXT_FRAME ||
	    verb == VERB_MULTICAST_FRAME);
}

bool
replay_seen(struct node *n, uint64_t peer, uint64_t packet, uint8_t verb,
    uint32_t sock, const struct inet_addr *from)
{
	struct replay	*re = n->n_replay;
	struct set	*se;
	uint64_t	 x;
	unsigned	 i;

	x = mix(mix(packet ^ re->re_key) ^ peer);
	if (from != NULL)
		x = mix_addr(x, sock, from);
	if (x == 0)
		x = 1;
	se = is_frame(verb) ? &re->re_frames[x % FRAME_SETS] :
	    &re->re_others[x % OTHER_SETS];
	for (i = 0; i < WAYS; i++) {
		if (se->se_seen[i] == x) {
			n->n_status.ns_replays++;
			return (true);
		}
	}
	memmove(&se->se_seen[1], &se->se_seen[0],
	    (WAYS - 1) * sizeof(se->se_seen[0]));
	se->se_seen[0] = x;
	return (false);
}
