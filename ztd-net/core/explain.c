/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What the node, its roots, peers and paths look like from outside, and why
 * they are not better.
 */

#include <string.h>

#include "ztd-net/core/core.h"

#define IDLE_MS		60000	/* since a packet was to be sent */
#define TRYING_MS	10000	/* since an address was asked */

/* The trees are only read. */
#define PEERS(n)	((struct peer_tree *)(uintptr_t)&(n)->n_peers)
#define NODE(n)		((struct node *)(uintptr_t)(n))

static enum reason
path_reason(const struct node *n, int64_t now, const struct peer_path *pp)
{
	const struct path	*pa = pp->pp_path;

	if (now - pp->pp_lr >= PATH_EXPIRY_MS)
		return (REASON_PATH_EXPIRED);
	if (pa->pa_suspect)
		return (REASON_PATH_SUSPECT);
	if (!path_alive(pa, now))
		return (REASON_PATH_SILENT);
	if (path_mtu(n, pa, &pa->pa_addr) < path_mtu(n, NULL, &pa->pa_addr))
		return (REASON_PATH_SMALL);
	return (REASON_NONE);
}

enum reason
relayed_reason(const struct node *n, int64_t now, const struct peer *p)
{
	int64_t		 last;
	unsigned	 tried;
	bool		 forbidden;

	tried = reach_tried(p, &last, &forbidden);
	if (forbidden)
		return (REASON_PEER_FORBIDDEN);
	if (tried == 0)
		return (REASON_PEER_NO_CANDIDATES);
	if (now - last < TRYING_MS)
		return (REASON_PEER_TRYING);
	return (surface_nat(n, 4) == NAT_SYMMETRIC ? REASON_PEER_SYMMETRIC :
	    REASON_PEER_NO_ANSWER);
}

static bool
in_use(const struct peer *p, int64_t now)
{
	return ((p->pe_last_send != 0 && now - p->pe_last_send < IDLE_MS) ||
	    (p->pe_last_nontrivial != 0 &&
	    now - p->pe_last_nontrivial < IDLE_MS));
}

static enum reason
peer_reason(const struct node *n, int64_t now, const struct peer *p,
    const struct peer *relay)
{
	const struct path	*best = peer_best_path(p, now, false);

	if (best != NULL && best->pa_suspect)
		return (REASON_PEER_SUSPECT);
	if (best != NULL && path_alive(best, now))
		return (REASON_NONE);
	if (!in_use(p, now))
		return (REASON_PEER_IDLE);
	if (relay == NULL)
		return (REASON_PEER_UNREACHABLE);
	return (relayed_reason(n, now, p));
}

/* The root that relays for us. */
static const struct peer *
relay_now(const struct node *n, int64_t now)
{
	const struct peer	*up = topology_best(NODE(n), now);

	return (up != NULL && peer_alive_path(up, now) != NULL ? up : NULL);
}

/* A time inside, as those outside know it; 0 stays. */
static int64_t
outside(const struct node *n, int64_t t)
{
	return (t == 0 ? 0 : t - n->n_skew);
}

static void
describe_path(const struct node *n, int64_t now, const struct peer_path *pp,
    const struct path *best, struct node_path *np)
{
	const struct path	*pa = pp->pp_path;

	np->np_addr = pa->pa_addr;
	np->np_sock = pa->pa_sock;
	np->np_last_send = outside(n, pa->pa_last_out);
	np->np_last_receive = outside(n, pa->pa_last_in);
	np->np_alive = path_alive(pa, now);
	np->np_expired = now - pp->pp_lr >= PATH_EXPIRY_MS;
	/* One that is gone around is not. */
	np->np_preferred = pa == best && !pa->pa_suspect;
	np->np_trusted_id = path_trusted_id(n, &pa->pa_addr);
	np->np_reason = path_reason(n, now, pp);
	np->np_latency = pa->pa_latency == LATENCY_UNKNOWN ? -1 :
	    (int)pa->pa_latency;
	np->np_mtu = path_mtu(n, pa, &pa->pa_addr);
}

static void
describe_peer(const struct node *n, int64_t now, const struct peer *p,
    struct node_peer *np)
{
	const struct peer	*relay = relay_now(n, now);
	const struct path	*best;
	bool			 forbidden;
	unsigned		 i;

	memset(np, 0, sizeof(*np));
	np->nr_addr = p->pe_id.id_addr;
	np->nr_proto = p->pe_proto;
	np->nr_vmajor = p->pe_major;
	np->nr_vminor = p->pe_minor;
	np->nr_vrev = p->pe_rev;
	np->nr_latency = peer_latency(p, now);
	np->nr_role = topology_role(n, p->pe_id.id_addr);
	np->nr_reason = peer_reason(n, now, p, relay);
	np->nr_candidates = reach_tried(p, &np->nr_last_try, &forbidden);
	np->nr_last_try = outside(n, np->nr_last_try);
	np->nr_last_receive = outside(n, p->pe_last_receive);
	np->nr_switches = p->pe_switches;
	if (np->nr_reason != REASON_NONE && relay != NULL && relay != p &&
	    np->nr_reason != REASON_PEER_IDLE)
		np->nr_relay = relay->pe_id.id_addr;
	best = p->pe_best != NULL ? p->pe_best : peer_best_path(p, now, false);
	for (i = 0; i < p->pe_npaths; i++)
		describe_path(n, now, &p->pe_paths[i], best,
		    &np->nr_paths[np->nr_npaths++]);
}

void
node_each_peer(const struct node *n, int64_t now, uint64_t addr,
    void (*cb)(const struct node_peer *, void *), void *arg)
{
	struct node_peer	 np;
	struct peer		*p;

	now += n->n_skew;
	if (addr != 0) {
		if ((p = peer_find(NODE(n), addr)) != NULL) {
			describe_peer(n, now, p, &np);
			cb(&np, arg);
		}
		return;
	}
	RB_FOREACH(p, peer_tree, PEERS(n)) {
		describe_peer(n, now, p, &np);
		cb(&np, arg);
	}
}

/* Is there a socket of a family in which this root has an endpoint? */
static bool
root_in_reach(const struct node *n, uint64_t addr)
{
	struct inet_addr	 to;
	size_t			 i;

	for (i = 0; i < n->n_nsocks; i++) {
		if (topology_endpoint(NODE(n), addr,
		    n->n_socks[i].ns_addr.ia_family, &to))
			return (true);
	}
	return (!topology_restricts(n, addr));
}

static enum reason
root_reason(const struct node *n, int64_t now, const struct peer *p)
{
	const struct path	*pa = peer_best_path(p, now, false);

	if (pa != NULL && !pa->pa_suspect &&
	    now - p->pe_last_receive < 2 * ALIVE_MS)
		return (REASON_NONE);
	if (!root_in_reach(n, p->pe_id.id_addr))
		return (REASON_ROOT_NO_FAMILY);
	if (p->pe_last_receive == 0)
		return (p->pe_last_full_hello == 0 ? REASON_ROOT_NOT_TRIED :
		    REASON_ROOT_NO_ANSWER);
	if (pa == NULL && now - p->pe_last_receive < 2 * ALIVE_MS)
		return (REASON_ROOT_RELAYED);
	return (REASON_ROOT_SILENT);
}

void
node_each_root(const struct node *n, int64_t now,
    void (*cb)(const struct node_root *, void *), void *arg)
{
	const struct peer	*p, *best;
	struct node_root	 nt;
	const uint64_t		*addrs;
	size_t			 i, naddrs;

	now += n->n_skew;
	best = topology_best(NODE(n), now);
	naddrs = topology_upstreams(n, &addrs);
	for (i = 0; i < naddrs; i++) {
		if ((p = peer_find(NODE(n), addrs[i])) == NULL)
			continue;
		memset(&nt, 0, sizeof(nt));
		nt.nt_addr = addrs[i];
		nt.nt_role = topology_role(n, addrs[i]);
		nt.nt_reason = root_reason(n, now, p);
		nt.nt_best = p == best;
		nt.nt_latency = peer_latency(p, now);
		nt.nt_last_receive = outside(n, p->pe_last_receive);
		nt.nt_last_try = outside(n, p->pe_last_full_hello);
		surface_by(n, addrs[i], 4, &nt.nt_surface[0]);
		surface_by(n, addrs[i], 6, &nt.nt_surface[1]);
		cb(&nt, arg);
	}
}

static enum reason
node_reason(const struct node *n)
{
	const uint64_t	*addrs;

	if (topology_is_root(n) || (n->n_online && n->n_lost == 0))
		return (REASON_NONE);
	if (topology_upstreams(n, &addrs) == 0)
		return (REASON_NODE_NO_ROOTS);
	if (n->n_nsocks == 0)
		return (REASON_NODE_NO_ADDRESS);
	if (n->n_last_root != 0)
		return (REASON_NODE_ROOTS_SILENT);
	return (n->n_stage == 0 ? REASON_NODE_STARTING :
	    REASON_NODE_UDP_BLOCKED);
}

void
node_status(const struct node *n, int64_t now, struct node_status *ns)
{
	(void)now;
	*ns = n->n_status;
	ns->ns_online = n->n_online;
	ns->ns_reason = node_reason(n);
	ns->ns_stage = n->n_stage;
	ns->ns_last_root = outside(n, n->n_last_root);
	ns->ns_nat[0] = surface_nat(n, 4);
	ns->ns_nat[1] = surface_nat(n, 6);
	ns->ns_npeers = n->n_npeers;
	ns->ns_npaths = n->n_npaths;
}
