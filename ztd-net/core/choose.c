/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Which path a packet takes: the best direct one that answers, or a root
 * that relays.  A path in use is left for a better one only when that has
 * been better for a while, so that two paths whose delays waver do not take
 * turns.  Spec: 02 sections 7.1 and 9.5.
 */

#include <stdlib.h>
#include <string.h>

#include "ztd-net/core/core.h"

#define QUALITY_AGE_MAX	140000
#define CHOICE_MS	250	/* until a choice is looked at again */
#define RIVAL_MS	5000	/* so long has another to be better, */
#define RIVAL_BETTER	4	/* by a fifth: 4 of theirs are less than */
#define RIVAL_WORSE	5	/* 5 of ours */
#define RIVAL_AT_ONCE	3	/* or so many times as good */
#define NEAR		64	/* within a site: so busy are the hosts */
#define HINT_MS		30000
#define PROBE_MS	500	/* of a path that was not heard for long */

/* 9.5: lower is better.  One more than the delay, so that scope counts on
 * the fastest links, too. */
uint64_t
path_quality(const struct peer_path *pp, int64_t now)
{
	const struct path	*pa = pp->pp_path;
	int64_t			 age;
	uint64_t		 q;

	age = now - pa->pa_last_in;
	if (age > QUALITY_AGE_MAX)
		age = QUALITY_AGE_MAX;
	if (age < 0)
		age = 0;
	q = (uint64_t)pa->pa_latency + 1;
	if (age >= ALIVE_MS)
		q += 65535 + (uint64_t)age;
	q *= 8 - (uint64_t)inet_scope(&pa->pa_addr);
	return (q / (pp->pp_priority > 0 ? pp->pp_priority : 1));
}

/* A path that fell silent is worse than any that did not. */
static uint64_t
quality_now(const struct peer_path *pp, int64_t now)
{
	uint64_t	 q = path_quality(pp, now);

	return (pp->pp_path->pa_suspect ? q + (UINT64_C(1) << 40) : q);
}

/*
 * Within a site both families come to the same machine by the same wires, and
 * IPv4 is what costs less: 20 bytes a datagram, and on Linux a tenth of the
 * kernel's time for it.  Elsewhere it says nothing: there may be a NAT.
 * Delays of tens of ms are those of busy hosts there, not of the wire: just
 * started, they check identities; later the queue of the path in use is the
 * longer one.  Of two that differ by one, the clock's own step, none is
 * shorter.
 */
static bool
same_but_cheaper(const struct peer_path *pp, const struct peer_path *other,
    int64_t now)
{
	uint64_t	 q = quality_now(pp, now);

	return (pp->pp_path->pa_addr.ia_family == 4 &&
	    other->pp_path->pa_addr.ia_family == 6 &&
	    inet_scope(&pp->pp_path->pa_addr) == SCOPE_PRIVATE &&
	    inet_scope(&other->pp_path->pa_addr) == SCOPE_PRIVATE &&
	    (q <= NEAR || q <= quality_now(other, now) + 1));
}

/*
 * Of all, or of those that are taken in place of one; of equal quality the
 * later one.
 */
static const struct peer_path *
shortest(const struct peer *p, int64_t now, bool expired,
    const struct peer_path *replaced)
{
	const struct peer_path	*pp, *best = NULL;
	unsigned		 i;

	for (i = 0; i < p->pe_npaths; i++) {
		pp = &p->pe_paths[i];
		if (!expired && now - pp->pp_lr >= PATH_EXPIRY_MS)
			continue;
		if (replaced != NULL && !same_but_cheaper(pp, replaced, now))
			continue;
		if (best == NULL ||
		    quality_now(pp, now) <= quality_now(best, now))
			best = pp;
	}
	return (best);
}

/*
 * What is taken in place of the shortest.  It is looked for when that is
 * known: compared in pairs, a third could be shorter than the cheaper one and
 * longer than what that one stands for, and none would be the best.
 */
static const struct peer_path *
cheapest(const struct peer *p, int64_t now, bool expired,
    const struct peer_path *best)
{
	const struct peer_path	*cheap = shortest(p, now, expired, best);

	return (cheap == NULL ? best : cheap);
}

struct path *
peer_best_path(const struct peer *p, int64_t now, bool expired)
{
	const struct peer_path	*pp = shortest(p, now, expired, NULL);

	return (pp == NULL ? NULL : cheapest(p, now, expired, pp)->pp_path);
}

struct path *
peer_alive_path(const struct peer *p, int64_t now)
{
	struct path	*pa = peer_best_path(p, now, false);

	return (pa != NULL && path_alive(pa, now) && !pa->pa_suspect ? pa :
	    NULL);
}

int
peer_latency(const struct peer *p, int64_t now)
{
	const struct path	*pa = peer_best_path(p, now, false);

	if (pa == NULL || pa->pa_latency == LATENCY_UNKNOWN)
		return (-1);
	return ((int)pa->pa_latency);
}

/* The entry of the path in use; NULL when it is of no use any more. */
static const struct peer_path *
entry_in_use(const struct peer *p, int64_t now)
{
	const struct peer_path	*pp;
	unsigned		 i;

	for (i = 0; i < p->pe_npaths; i++) {
		pp = &p->pe_paths[i];
		if (pp->pp_path == p->pe_best)
			return (now - pp->pp_lr < PATH_EXPIRY_MS &&
			    !pp->pp_path->pa_suspect ? pp : NULL);
	}
	return (NULL);
}

/*
 * Is this one to take the place of the one in use?  It is as good as the
 * shortest, if it stands for that one, and the one in use could not.
 */
static bool
rival_wins(struct peer *p, int64_t now, const struct peer_path *used,
    const struct peer_path *rival, const struct peer_path *best)
{
	uint64_t	 qu = path_quality(used, now);
	uint64_t	 qr = path_quality(same_but_cheaper(used, best, now) ?
			    rival : best, now);
	bool		 cheaper = same_but_cheaper(used, rival, now);

	if (!cheaper && qr * RIVAL_AT_ONCE <= qu)
		return (true);
	if (cheaper || (qr * RIVAL_WORSE >= qu * RIVAL_BETTER &&
	    !same_but_cheaper(rival, used, now))) {
		p->pe_rival = NULL;
		return (false);
	}
	if (p->pe_rival != rival->pp_path) {
		p->pe_rival = rival->pp_path;
		p->pe_rival_since = now;
	}
	return (now - p->pe_rival_since >= RIVAL_MS);
}

/* The direct path to use; NULL when there is none. */
static struct path *
choose_direct(struct node *n, int64_t now, struct peer *p)
{
	const struct peer_path	*used, *best, *rival;

	if (p->pe_best != NULL && !p->pe_best->pa_suspect &&
	    now < p->pe_best_until)
		return (p->pe_best);
	p->pe_best_until = now + CHOICE_MS;
	if ((best = shortest(p, now, false, NULL)) == NULL) {
		p->pe_best = NULL;
		return (NULL);
	}
	rival = cheapest(p, now, false, best);
	used = entry_in_use(p, now);
	if (used != NULL && (used == rival ||
	    !rival_wins(p, now, used, rival, best)))
		return (p->pe_best);
	if (p->pe_best != NULL && p->pe_best != rival->pp_path) {
		p->pe_switches++;
		n->n_status.ns_switches++;
	}
	p->pe_best = rival->pp_path;
	p->pe_rival = NULL;
	return (p->pe_best);
}

/* 12.5: an address that the operator suggested. */
static void
try_hint(struct node *n, int64_t now, struct peer *p)
{
	const struct settings_virtual	*sv;
	uint32_t			 i, k;

	if (n->n_settings.s_nvirtual == 0 ||
	    (p->pe_last_hint != 0 && now - p->pe_last_hint < HINT_MS))
		return;
	for (i = 0; i < n->n_settings.s_nvirtual; i++) {
		sv = &n->n_settings.s_virtual[i];
		if (sv->sv_addr != p->pe_id.id_addr || sv->sv_ntry == 0)
			continue;
		p->pe_last_hint = now;
		for (k = 0; k < sv->sv_ntry; k++)
			reach_suggest(n, now, p, SOCKET_ANY, &sv->sv_try[k],
			    REACH_OWN);
		return;
	}
}

/* A root that relays to p, by a path that answers; NULL: none. */
static struct path *
relay_path(struct node *n, int64_t now, const struct peer *p,
    struct peer **by)
{
	struct path	*pa;

	if ((*by = topology_best(n, now)) == NULL || *by == p ||
	    (pa = peer_best_path(*by, now, false)) == NULL)
		return (NULL);
	return (pa);
}

/*
 * 7.1, but a path that was not heard for long, or does not answer, is asked
 * and gone around meanwhile.
 */
struct path *
choose_path(struct node *n, int64_t now, struct peer *p, bool wait)
{
	struct path	*direct, *relay;
	struct peer	*by;

	direct = choose_direct(n, now, p);
	if (direct != NULL && !direct->pa_suspect && path_alive(direct, now)) {
		if (wait)
			watch_sent(n, now, p, direct, true);
		if (p->pe_told != (uintptr_t)direct || p->pe_relayed != 0)
			tell_direct(n, p, direct);
		return (direct);
	}
	if (direct == NULL)
		try_hint(n, now, p);
	else {
		if (now - direct->pa_probed >= PROBE_MS) {
			direct->pa_probed = now;
			probe(n, now, p, direct->pa_sock, &direct->pa_addr,
			    0);
		}
		watch_sent(n, now, p, direct, true);
	}
	if ((relay = relay_path(n, now, p, &by)) != NULL &&
	    (direct == NULL || (path_alive(relay, now) &&
	    !relay->pa_suspect))) {
		watch_sent(n, now, by, relay, true);
		tell_relayed(n, now, p, by);
		return (relay);
	}
	return (direct != NULL ? direct : peer_best_path(p, now, true));
}
