/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Hosts behind the active bridges of a network: which bridge a MAC is
 * behind, and sending there.  Spec: 03 section 14.
 *
 * The table is bounded and ages; full, it gives up its oldest entry.
 */

#include <stdlib.h>
#include <string.h>

#include "ztd-net/core/network.h"

RB_GENERATE(route_tree, route, ro_entry, route_cmp)

int
route_cmp(const struct route *a, const struct route *b)
{
	return (a->ro_mac < b->ro_mac ? -1 : a->ro_mac > b->ro_mac);
}

static struct route *
route_find(const struct network *nw, uint64_t mac)
{
	struct route	*ro = RB_ROOT(&nw->nw_routes);

	while (ro != NULL && ro->ro_mac != mac)
		ro = mac < ro->ro_mac ? RB_LEFT(ro, ro_entry) :
		    RB_RIGHT(ro, ro_entry);
	return (ro);
}

static void
route_unlink(struct network *nw, struct route *ro)
{
	RB_REMOVE(route_tree, &nw->nw_routes, ro);
	TAILQ_REMOVE(&nw->nw_route_ages, ro, ro_age);
	nw->nw_nroutes--;
}

void
bridge_learn(struct network *nw, int64_t now, uint64_t mac, uint64_t bridge)
{
	struct route	*ro;

	if ((ro = route_find(nw, mac)) != NULL)
		route_unlink(nw, ro);
	else if (nw->nw_nroutes >= ROUTES_MAX) {
		ro = TAILQ_FIRST(&nw->nw_route_ages);
		route_unlink(nw, ro);
	} else if ((ro = calloc(1, sizeof(*ro))) == NULL)
		return;
	ro->ro_mac = mac;
	ro->ro_bridge = bridge;
	ro->ro_seen = now;
	RB_INSERT(route_tree, &nw->nw_routes, ro);
	TAILQ_INSERT_TAIL(&nw->nw_route_ages, ro, ro_age);
	nw->nw_nroutes++;
}

uint64_t
bridge_route(const struct network *nw, uint64_t mac)
{
	const struct route	*ro;

	return ((ro = route_find(nw, mac)) == NULL ? 0 : ro->ro_bridge);
}

void
bridge_housekeeping(struct network *nw, int64_t now)
{
	struct route	*ro;

	while ((ro = TAILQ_FIRST(&nw->nw_route_ages)) != NULL &&
	    now - ro->ro_seen >= ROUTE_AGE_MS) {
		route_unlink(nw, ro);
		free(ro);
	}
}

void
bridge_free(struct network *nw)
{
	struct route	*ro;

	while ((ro = TAILQ_FIRST(&nw->nw_route_ages)) != NULL) {
		route_unlink(nw, ro);
		free(ro);
	}
}

/* The active bridges but us, FLOOD_BRIDGES of them picked at random. */
static size_t
pick_bridges(struct node *n, const struct netconf *nc,
    uint64_t all[NETCONF_SPECIALISTS])
{
	size_t		count = 0, i, j;
	uint64_t	addr;
	unsigned	k;

	for (k = 0; k < nc->nc_nspecialists; k++) {
		addr = nc->nc_specialists[k] & ADDR_MASK;
		if ((nc->nc_specialists[k] & SPECIALIST_BRIDGE) &&
		    addr != n->n_id.id_addr && !addr_reserved(addr))
			all[count++] = addr;
	}
	if (count <= FLOOD_BRIDGES)
		return (count);
	for (i = 0; i < FLOOD_BRIDGES; i++) {
		j = i + node_random_u32(n) % (count - i);
		addr = all[i];
		all[i] = all[j];
		all[j] = addr;
	}
	return (FLOOD_BRIDGES);
}

void
bridge_send(struct node *n, int64_t now, struct network *nw, uint64_t dst,
    uint64_t src, uint16_t type, const uint8_t *p, size_t len)
{
	uint64_t	to[NETCONF_SPECIALISTS], addr;
	size_t		count, i;

	const struct filter_frame ff = {
		.source = n->n_id.id_addr, .mac_src = src, .mac_dst = dst,
		.ethertype = type, .data = p, .len = len
	};

	if (!ether_filter_out(n, now, nw, true, 0, dst, src, type, p, len))
		return;
	trace_frame(n, now, nw, &ff, WHY_ACCEPTED, NULL, NULL);
	addr = bridge_route(nw, dst);
	if (addr != 0 && addr != n->n_id.id_addr &&
	    network_has_role(nw, addr, SPECIALIST_BRIDGE)) {
		to[0] = addr;
		count = 1;
	} else
		count = pick_bridges(n, nw->nw_conf, to);
	for (i = 0; i < count; i++)
		if (ether_filter_out(n, now, nw, false, to[i], dst, src,
		    type, p, len))
			ether_send_ext(n, now, nw, to[i], 0, dst, src, type,
			    p, len, false);
}
