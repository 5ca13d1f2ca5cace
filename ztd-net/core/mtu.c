/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * How large a datagram a path carries.  The usual 1432 bytes fit nearly all
 * links; where they do not, IP cuts them, and there are many ways on which
 * such pieces are lost.  So when large packets are about to go out we send
 * an ECHO of that size, which comes back in full: unless three in a row are
 * lost and a small one after each of them is not.  Then packets are cut into
 * pieces that need no cutting by others.  Where small ones are lost, too, it
 * is not for their size: large packets come in floods, which fill queues.
 *
 * Sizes are of the UDP payload.  1232 fits every IPv6 link, 548 every IPv4
 * host; when 1232 passes, 1363 (for tunnels of 1400 bytes) is tried too: the
 * answer to an ECHO is 9 bytes longer, and has to fit as well.
 */

#include <stdlib.h>
#include <string.h>

#include "ztd-net/core/core.h"

#define DATAGRAM_MAX	10324	/* the largest that may be configured, */
#define DATAGRAM_MIN	1400	/* the smallest */
#define PROBE_MAX	(PACKET_MAX - 9)	/* its answer is a packet too */
#define SIZE_LAST	548	/* this is taken without being asked */
#define TRIES		3
#define ASKED_MAX	40	/* large ones; then it stays as it is */
#define TRY_MS		200	/* no more often are ECHOs answered: 166 */
#define WAIT_MAX_MS	2000	/* for an answer, whatever the delay */
#define AGAIN_MS	600000	/* until all is measured anew, */
#define LOWERED_MS	60000	/* or what is not certain */

static const uint16_t	sizes[] = { PAYLOAD_MTU, 1363, 1232, SIZE_LAST };
#define SIZE_TUNNEL	1363
#define SIZE_SAFE	1232

/* Since it was measured so much may have changed. */
static bool
is_old(const struct path *pa, int64_t now)
{
	return (pa->pa_mtu_done == 0 || now - pa->pa_mtu_done >=
	    (pa->pa_mtu == 0 ? AGAIN_MS : LOWERED_MS));
}

/* What the configuration says. */
static unsigned
configured(const struct node *n, const struct inet_addr *to)
{
	const struct settings_physical	*sp;

	if ((sp = physical(n, to)) == NULL || sp->sp_mtu == 0)
		return (PAYLOAD_MTU);
	if (sp->sp_mtu < DATAGRAM_MIN)
		return (DATAGRAM_MIN);
	return (sp->sp_mtu > DATAGRAM_MAX ? DATAGRAM_MAX : sp->sp_mtu);
}

unsigned
path_mtu(const struct node *n, const struct path *pa,
    const struct inet_addr *to)
{
	unsigned	 mtu = configured(n, to);

	return (pa != NULL && pa->pa_mtu != 0 && pa->pa_mtu < mtu ?
	    pa->pa_mtu : mtu);
}

/*
 * A path found to be narrower is of no use for a packet that would then be in
 * more pieces than a receiver takes; IP may get it through in its own.
 */
unsigned
packet_mtu(const struct node *n, const struct path *pa,
    const struct inet_addr *to, size_t len)
{
	unsigned	 mtu = path_mtu(n, pa, to);

	return (packet_fragments(len, mtu) <= FRAGMENTS_MAX ? mtu :
	    configured(n, to));
}

/*
 * What is relayed goes on in the same pieces, on a path that we cannot
 * measure: so they are small enough for nearly all, unless that makes more
 * than a receiver takes.
 */
unsigned
relay_mtu(const struct node *n, const struct path *pa, size_t len)
{
	unsigned	 mtu = packet_mtu(n, pa, &pa->pa_addr, len);

	return (mtu > SIZE_SAFE && packet_fragments(len, SIZE_SAFE) <=
	    FRAGMENTS_MAX ? SIZE_SAFE : mtu);
}

/* The size to be tried after this one did not pass; 0: none is smaller. */
static uint16_t
smaller(uint16_t size)
{
	unsigned	 i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		/* What is between is only for when SIZE_SAFE passes. */
		if (sizes[i] < size && sizes[i] != SIZE_TUNNEL)
			return (sizes[i]);
	}
	return (0);
}

static void
try_size(struct node *n, int64_t now, struct peer *p, struct path *pa)
{
	pa->pa_mtu_asked++;
	pa->pa_mtu_small = false;
	pa->pa_mtu_sent = now;
	probe(n, now, p, pa->pa_sock, &pa->pa_addr, pa->pa_mtu_size);
}

/* Is it for its size that there was no answer? */
static void
try_small(struct node *n, int64_t now, struct peer *p, struct path *pa)
{
	pa->pa_mtu_small = true;
	pa->pa_mtu_passed = false;
	pa->pa_mtu_sent = now;
	probe(n, now, p, pa->pa_sock, &pa->pa_addr, 0);
}

void
mtu_need(struct node *n, int64_t now, struct peer *p, struct path *pa,
    size_t len)
{
	unsigned	 size;

	if (len <= SIZE_LAST || pa->pa_mtu_size != 0 || !is_old(pa, now) ||
	    !peer_takes_echo(p) || pa->pa_suspect)
		return;
	size = configured(n, &pa->pa_addr);
	pa->pa_mtu_size = (uint16_t)(size > PROBE_MAX ? PROBE_MAX : size);
	pa->pa_mtu_lost = pa->pa_mtu_asked = 0;
	pa->pa_mtu_up = false;
	try_size(n, now, p, pa);
	watch(n, now, p);
}

void
mtu_doubt(struct path *pa)
{
	pa->pa_mtu_done = 0;
}

static void
measured(struct path *pa, int64_t now)
{
	pa->pa_mtu_size = 0;
	pa->pa_mtu_done = now;
}

/* Three were lost. */
static void
too_large(struct path *pa, int64_t now)
{
	uint16_t	 next;

	pa->pa_mtu_lost = 0;
	if (pa->pa_mtu_up) {
		measured(pa, now);		/* stay with the safe one */
		return;
	}
	next = smaller(pa->pa_mtu_size);
	if (pa->pa_mtu == 0 || pa->pa_mtu > next)
		pa->pa_mtu = next;	/* not above what passed before */
	pa->pa_mtu_size = next == SIZE_LAST ? 0 : next;
	if (pa->pa_mtu_size == 0)
		pa->pa_mtu_done = now;
}

/*
 * Of all that was asked too little came back to say anything: not to be
 * believed for as long as what was found.
 */
static void
undecided(struct path *pa, int64_t now)
{
	measured(pa, pa->pa_mtu == 0 ? now - (AGAIN_MS - LOWERED_MS) : now);
}

/* How long to wait for an answer; peers have a say in the delay. */
static int64_t
patience(const struct path *pa)
{
	int64_t	 wait = 2 * (int64_t)pa->pa_latency;

	if (pa->pa_latency == LATENCY_UNKNOWN || wait < TRY_MS)
		return (TRY_MS);
	return (wait < WAIT_MAX_MS ? wait : WAIT_MAX_MS);
}

bool
mtu_run(struct node *n, int64_t now, struct peer *p, struct path *pa)
{
	if (pa->pa_mtu_size == 0)
		return (false);
	if (now - pa->pa_mtu_sent < patience(pa))
		return (true);
	if (!pa->pa_mtu_small) {
		try_small(n, now, p, pa);
		return (true);
	}
	if (!pa->pa_mtu_passed &&
	    (pa->pa_suspect || now - pa->pa_last_in > ALIVE_MS)) {
		pa->pa_mtu_size = 0;	/* nothing passes: this says nothing */
		return (false);
	}
	if (!pa->pa_mtu_passed)
		pa->pa_mtu_lost = 0;
	else if (++pa->pa_mtu_lost == TRIES)
		too_large(pa, now);
	if (pa->pa_mtu_size != 0 && pa->pa_mtu_asked >= ASKED_MAX)
		undecided(pa, now);
	if (pa->pa_mtu_size != 0)
		try_size(n, now, p, pa);
	return (pa->pa_mtu_size != 0);
}

void
mtu_answered(struct node *n, int64_t now, struct path *pa, size_t size)
{
	if (pa->pa_mtu_size == 0)
		return;
	if (size < pa->pa_mtu_size) {
		pa->pa_mtu_passed = true;
		return;
	}
	pa->pa_mtu = pa->pa_mtu_size < configured(n, &pa->pa_addr) ?
	    pa->pa_mtu_size : 0;
	if (pa->pa_mtu_size == SIZE_SAFE) {
		pa->pa_mtu_size = SIZE_TUNNEL;
		pa->pa_mtu_lost = 0;
		pa->pa_mtu_up = true;
		/* To be asked next, as if a small one had been lost. */
		pa->pa_mtu_small = true;
		pa->pa_mtu_passed = false;
		return;
	}
	measured(pa, now);
}
