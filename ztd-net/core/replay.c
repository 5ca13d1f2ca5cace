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
 * Tables of a fixed size, of which the oldest entries are overwritten: one
 * for frames, which come by the hundred thousand, and one for all else, so
 * that a fast transfer does not make us forget what a HELLO looked like.
 *
 * HELLO and ECHO are sent from all sockets to all of ours, the same packet
 * each time, so one is a replay only when it comes the same way again.  Who
 * sends a recorded one from ever new ports fills a table of its own with
 * that, and no other.
 */

#include <sys/types.h>
#include <sys/mman.h>

#include <string.h>

#include "ztd-net/core/core.h"
#include "ztd-net/core/mix.h"

#define WAYS		8
#define FRAME_SETS	8192	/* 65536 frames */
#define OTHER_SETS	4096	/* 32768 other packets */
#define WAY_SETS	2048	/* 16384 ways by which such came */

/* A cache line, and so it lies. */
struct set {
	uint64_t	 se_seen[WAYS];	/* newest first; 0: free */
};
_Static_assert(sizeof(struct set) == 64, "a set is a line");

struct replay {
	struct set	 re_frames[FRAME_SETS];
	struct set	 re_others[OTHER_SETS];
	struct set	 re_ways[WAY_SETS];
	uint64_t	 re_key;	/* nobody can aim at a set */
};

int
replay_new(struct node *n)
{
	void	*p;

	/*
	 * A whole number of pages, all zero, and untouched: of what no
	 * packet has used nothing is in memory.
	 */
	p = mmap(NULL, sizeof(*n->n_replay), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANON, -1, 0);
	if (p == MAP_FAILED)
		return (-1);
	n->n_replay = p;
	node_random(n, &n->n_replay->re_key, sizeof(n->n_replay->re_key));
	return (0);
}

void
replay_free(struct node *n)
{
	if (n->n_replay != NULL)
		(void)munmap(n->n_replay, sizeof(*n->n_replay));
}

static bool
is_frame(uint8_t verb)
{
	return (verb == VERB_FRAME || verb == VERB_EXT_FRAME ||
	    verb == VERB_MULTICAST_FRAME);
}

/* Is it there?  Else put it there, in place of the oldest of its set. */
static bool
known(struct set *se, uint64_t x)
{
	unsigned	 i;

	if (x == 0)
		x = 1;
	for (i = 0; i < WAYS; i++) {
		if (se->se_seen[i] == x)
			return (true);
	}
	memmove(&se->se_seen[1], &se->se_seen[0],
	    (WAYS - 1) * sizeof(se->se_seen[0]));
	se->se_seen[0] = x;
	return (false);
}

static uint64_t
name(const struct replay *re, uint64_t peer, uint64_t packet)
{
	return (mix(mix(packet ^ re->re_key) ^ peer));
}

void
replay_soon(const struct node *n, uint64_t peer, uint64_t packet)
{
	const struct replay	*re = n->n_replay;

	__builtin_prefetch(&re->re_frames[name(re, peer, packet) %
	    FRAME_SETS], 1);
}

bool
replay_seen(struct node *n, uint64_t peer, uint64_t packet, uint8_t verb)
{
	struct replay	*re = n->n_replay;
	uint64_t	 x = name(re, peer, packet);

	if (!known(is_frame(verb) ? &re->re_frames[x % FRAME_SETS] :
	    &re->re_others[x % OTHER_SETS], x))
		return (false);
	n->n_status.ns_replays++;
	return (true);
}

bool
replay_seen_here(struct node *n, uint64_t peer, uint64_t packet,
    uint32_t sock, const struct inet_addr *from, bool *repeat)
{
	struct replay	*re = n->n_replay;
	uint64_t	 x = name(re, peer, packet), way;

	way = mix_addr(x, sock, from);
	if (known(&re->re_ways[way % WAY_SETS], way)) {
		n->n_status.ns_replays++;
		return (true);
	}
	*repeat = known(&re->re_others[x % OTHER_SETS], x);
	return (false);
}
