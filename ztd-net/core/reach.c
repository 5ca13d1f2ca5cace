/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Trying to reach a peer at addresses that others name.  One question is not
 * enough: NATs have to be opened from both sides, and whose packet comes
 * first to a closed one is a matter of luck.  So every address is asked four
 * times within seconds, and again whenever it is named anew.
 *
 * What a peer says of itself may name anybody: such addresses get no more
 * bytes from us than the peer sent us.  Spec: 02 sections 4.6, 4.8 and 9.6.
 */

#include <stdlib.h>
#include <string.h>

#include "ztd-net/core/core.h"

#define CANDIDATES	24
#define TRIES		4
#define AGAIN_MS	10000	/* the same, named again, is tried again */
#define PROBE_LEN	(PACKET_HDR + 8)	/* of an ECHO */
#define KEEP_MS		600000	/* for those who ask what was tried */

/* When, after it was named, an address is asked. */
static const int64_t	after[TRIES] = { 0, 400, 1500, 4000 };

struct candidate {
	struct inet_addr ca_addr;
	uint32_t	 ca_sock;
	enum reach_source ca_source;
	unsigned	 ca_tries;	/* done */
	int64_t		 ca_named;
};

struct reach {
	unsigned	 re_n;
	struct candidate re_candidates[CANDIDATES];
	int64_t		 re_last;	/* try */
	unsigned	 re_refused;	/* by the configuration */
};

/* Sockets that a datagram to this address leaves from. */
static unsigned
copies(const struct node *n, uint32_t sock, const struct inet_addr *to)
{
	unsigned	 k = 0;
	size_t		 i;

	if (sock != SOCKET_ANY)
		return (1);
	for (i = 0; i < n->n_nsocks; i++)
		k += n->n_socks[i].ns_addr.ia_family == to->ia_family;
	return (k > 0 ? k : 1);
}

/* May so much be sent on this peer's word? */
static bool
afford(struct node *n, struct peer *p, const struct candidate *ca)
{
	size_t	 cost;

	if (ca->ca_source == REACH_ROOT || ca->ca_source == REACH_OWN)
		return (true);
	cost = (peer_takes_echo(p) ? PROBE_LEN : hello_len(n)) *
	    copies(n, ca->ca_sock, &ca->ca_addr);
	if (cost > p->pe_credit) {
		n->n_status.ns_withheld++;
		return (false);
	}
	p->pe_credit -= (uint32_t)cost;
	return (true);
}

/* An address from which it is heard needs no trying. */
static bool
reached(const struct peer *p, int64_t now, const struct inet_addr *to)
{
	unsigned	 i;

	for (i = 0; i < p->pe_npaths; i++) {
		if (now - p->pe_paths[i].pp_lr < PATH_EXPIRY_MS &&
		    path_alive(p->pe_paths[i].pp_path, now) &&
		    !p->pe_paths[i].pp_path->pa_suspect &&
		    inet_equal(&p->pe_paths[i].pp_path->pa_addr, to))
			return (true);
	}
	return (false);
}

/* Ask it, if it is time; false when no try is left. */
static bool
try_candidate(struct node *n, int64_t now, struct peer *p,
    struct candidate *ca)
{
	if (ca->ca_tries >= TRIES || reached(p, now, &ca->ca_addr)) {
		ca->ca_tries = TRIES;
		return (false);
	}
	if (now - ca->ca_named < after[ca->ca_tries])
		return (true);
	ca->ca_tries++;
	if (!afford(n, p, ca))
		return (ca->ca_tries < TRIES);
	p->pe_reach->re_last = now;
	/* Who may not know us yet learns it from a HELLO. */
	if (ca->ca_source == REACH_OWN && !low_bandwidth(n))
		hello_send(n, now, p, ca->ca_sock, &ca->ca_addr);
	else
		probe(n, now, p, ca->ca_sock, &ca->ca_addr, 0);
	return (ca->ca_tries < TRIES);
}

/* The place for an address: its own, a free one, or that of the oldest. */
static struct candidate *
place(struct reach *re, const struct inet_addr *to, uint32_t sock)
{
	struct candidate	*ca, *oldest = NULL;
	unsigned		 i;

	for (i = 0; i < re->re_n; i++) {
		ca = &re->re_candidates[i];
		if (ca->ca_sock == sock && inet_equal(&ca->ca_addr, to))
			return (ca);
		if (oldest == NULL || ca->ca_named < oldest->ca_named)
			oldest = ca;
	}
	if (re->re_n < CANDIDATES)
		oldest = &re->re_candidates[re->re_n++];
	memset(oldest, 0, sizeof(*oldest));
	oldest->ca_addr = *to;
	oldest->ca_sock = sock;
	return (oldest);
}

void
reach_suggest(struct node *n, int64_t now, struct peer *p, uint32_t sock,
    const struct inet_addr *to, enum reach_source source)
{
	struct candidate	*ca;

	if (reached(p, now, to) || (p->pe_reach == NULL &&
	    (p->pe_reach = calloc(1, sizeof(*p->pe_reach))) == NULL))
		return;
	if (!path_allowed(n, p->pe_id.id_addr, to)) {
		p->pe_reach->re_refused++;
		return;
	}
	ca = place(p->pe_reach, to, sock);
	ca->ca_source = source;
	if (ca->ca_named != 0 && now - ca->ca_named < AGAIN_MS)
		return;
	ca->ca_tries = 0;
	ca->ca_named = now;
	if (try_candidate(n, now, p, ca))
		watch(n, now, p);
}

bool
reach_pending(const struct peer *p)
{
	unsigned	 i;

	for (i = 0; p->pe_reach != NULL && i < p->pe_reach->re_n; i++) {
		if (p->pe_reach->re_candidates[i].ca_tries < TRIES)
			return (true);
	}
	return (false);
}

bool
reach_run(struct node *n, int64_t now, struct peer *p)
{
	struct reach	*re = p->pe_reach;
	unsigned	 i;
	bool		 more = false;

	if (re == NULL)
		return (false);
	for (i = 0; i < re->re_n; i++)
		more |= try_candidate(n, now, p, &re->re_candidates[i]);
	if (!more && now - re->re_last >= KEEP_MS)
		reach_free(p);
	return (more);
}

/*
 * 9.6: a redirect's address stands above the others, which keepalive() then
 * lets go; but only now that it has answered.
 */
unsigned
reach_priority(const struct peer *p, const struct inet_addr *at)
{
	const struct candidate	*ca;
	unsigned		 i, top = 1;

	for (i = 0; i < p->pe_npaths; i++) {
		if (p->pe_paths[i].pp_priority > top)
			top = p->pe_paths[i].pp_priority;
	}
	if (p->pe_reach == NULL)
		return (1);
	for (i = 0; i < p->pe_reach->re_n; i++) {
		ca = &p->pe_reach->re_candidates[i];
		if (ca->ca_source == REACH_REDIRECT && p->pe_upstream &&
		    inet_equal(&ca->ca_addr, at))
			return (top + 2);
	}
	return (1);
}

void
reach_free(struct peer *p)
{
	free(p->pe_reach);
	p->pe_reach = NULL;
}

unsigned
reach_tried(const struct peer *p, int64_t *last, bool *forbidden)
{
	const struct reach	*re = p->pe_reach;

	*last = re == NULL ? 0 : re->re_last;
	*forbidden = re != NULL && re->re_n == 0 && re->re_refused > 0;
	return (re == NULL ? 0 : re->re_n);
}
