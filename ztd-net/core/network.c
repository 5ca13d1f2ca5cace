/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The joined networks: life cycle, status, requests for configurations,
 * periodic work.  Spec: 03 sections 3 and 8.
 */

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "ztd-net/core/network.h"

/* The own node asks its controller with this id (04 section 8). */
#define LOCAL_PACKET	UINT64_MAX

/* The macros of trees know no const. */
#define NETWORKS(n)	((struct network_tree *)(uintptr_t)&(n)->n_networks)

RB_GENERATE(network_tree, network, nw_entry, network_cmp)

int
network_cmp(const struct network *a, const struct network *b)
{
	return (a->nw_id < b->nw_id ? -1 : a->nw_id > b->nw_id);
}

struct network *
network_find(const struct node *n, uint64_t nwid)
{
	return (index_get(&n->n_network_index, nwid));
}

/* --- status ----------------------------------------------------------- */

static enum net_status
network_status(const struct network *nw)
{
	if (nw->nw_port_error != 0)
		return (NET_PORT_ERROR);
	if (nw->nw_failure != NET_OK)
		return (nw->nw_failure);
	return (nw->nw_conf != NULL ? NET_OK : NET_REQUESTING);
}

/* That it is ok, and a port in error, the log has of who makes the port. */
static void
status_log(struct node *n, const struct network *nw, enum net_status status)
{
	unsigned long long	id = nw->nw_id, con = nwid_controller(id);

	switch (status) {
	case NET_REQUESTING:
		node_log(n, LOG_INFO, "network %016llx waiting: controller "
		    "%010llx is asked for a configuration", id, con);
		break;
	case NET_ACCESS_DENIED:
		node_log(n, LOG_NOTICE, "network %016llx denied: controller "
		    "%010llx does not let this node in", id, con);
		break;
	case NET_NOT_FOUND:
		node_log(n, LOG_NOTICE, "network %016llx not found: "
		    "controller %010llx has no such network", id, con);
		break;
	case NET_AUTHENTICATION_REQUIRED:
		node_log(n, LOG_NOTICE, "network %016llx authentication "
		    "required: %s", id, nw->nw_auth_url[0] != '\0' ?
		    nw->nw_auth_url : "no address was given");
		break;
	case NET_OK:
	case NET_PORT_ERROR:
		break;
	}
}

static void
network_describe(const struct node *n, const struct network *nw,
    struct node_network *nn)
{
	memset(nn, 0, sizeof(*nn));
	nn->nn_nwid = nw->nw_id;
	nn->nn_mac = nw->nw_mac;
	nn->nn_status = network_status(nw);
	nn->nn_port_error = nw->nw_port_error;
	nn->nn_bridge = network_has_role(nw, n->n_id.id_addr,
	    SPECIALIST_BRIDGE);
	nn->nn_conf = nw->nw_conf;
	nn->nn_auth_url = nw->nw_auth_url;
	nn->nn_groups = nw->nw_groups;
	nn->nn_ngroups = nw->nw_ngroups;
	nn->nn_counters = &nw->nw_counters;
}

void
network_changed(struct node *n, struct network *nw)
{
	struct node_network	nn;

	network_describe(n, nw, &nn);
	if (nn.nn_status != nw->nw_told) {
		nw->nw_told = nn.nn_status;
		status_log(n, nw, nn.nn_status);
	}
	n->n_cb.nc_network(n->n_arg, &nn);
}

void
network_fail(struct node *n, struct network *nw, enum net_status failure)
{
	nw->nw_failure = failure;
	if (failure != NET_AUTHENTICATION_REQUIRED)
		nw->nw_auth_url[0] = '\0';
	network_changed(n, nw);
}

void
node_each_network(const struct node *n, uint64_t nwid,
    void (*f)(const struct node_network *, void *), void *arg)
{
	struct node_network	 nn;
	struct network		*nw;

	if (nwid != 0) {
		if ((nw = network_find(n, nwid)) != NULL) {
			network_describe(n, nw, &nn);
			f(&nn, arg);
		}
		return;
	}
	RB_FOREACH(nw, network_tree, NETWORKS(n)) {
		network_describe(n, nw, &nn);
		f(&nn, arg);
	}
}

/* --- requests --------------------------------------------------------- */

static void
adhoc_configure(struct node *n, int64_t now, struct network *nw)
{
	struct netconf	*nc;
	int64_t		 ts;
	bool		 same;

	if ((nc = calloc(1, sizeof(*nc))) == NULL)
		return;
	switch (netconf_adhoc(nc, nw->nw_id, n->n_id.id_addr, now)) {
	case 0:
		if (nw->nw_conf != NULL && nw->nw_failure == NET_OK) {
			ts = nc->nc_ts;
			nc->nc_ts = nw->nw_conf->nc_ts;
			same = netconf_equal(nc, nw->nw_conf);
			nc->nc_ts = ts;
			if (same) {
				/* Nobody sees the new time; it renews. */
				nw->nw_conf->nc_ts = ts;
				nw->nw_updated_at = now;
				break;
			}
		}
		(void)config_apply(n, now, nw, nc, false);
		return;
	case 1:
		if (nw->nw_failure != NET_NOT_FOUND)
			network_fail(n, nw, NET_NOT_FOUND);
		break;
	default:
		break;
	}
	netconf_clear(nc);
	free(nc);
}

/* We are the controller: no packet. */
static void
request_local(struct node *n, struct network *nw, const uint8_t *meta,
    size_t metalen)
{
	struct node_request	rq;

	if (n->n_cb.nc_request == NULL) {
		if (nw->nw_failure != NET_NOT_FOUND)
			network_fail(n, nw, NET_NOT_FOUND);
		return;
	}
	memset(&rq, 0, sizeof(rq));
	rq.rq_nwid = nw->nw_id;
	rq.rq_packet = LOCAL_PACKET;
	rq.rq_from = &n->n_id;
	rq.rq_meta = meta;
	rq.rq_metalen = metalen;
	n->n_cb.nc_request(n->n_arg, &rq);
}

void
network_request(struct node *n, int64_t now, struct network *nw)
{
	uint8_t		meta[METADATA_MAX];
	struct pkt	pkt;
	size_t		metalen;

	/*
	 * The second time after a while that differs from member to member:
	 * many may have joined, or have lost their controller, at once.
	 * What was asked without a way to the controller does not count.
	 */
	if (!n->n_online)
		nw->nw_request_wait = REQUEST_SPACING_MS;
	else if (!nw->nw_requested)
		nw->nw_request_wait = REQUEST_SPACING_MS +
		    node_random_u32(n) % (REQUEST_RETRY_MS -
		    REQUEST_SPACING_MS);
	else
		nw->nw_request_wait = REQUEST_RETRY_MS;
	nw->nw_requested = true;
	nw->nw_requested_at = now;
	if (nwid_adhoc(nw->nw_id)) {
		adhoc_configure(n, now, nw);
		return;
	}
	metalen = netconf_metadata(meta);
	if (nwid_controller(nw->nw_id) == n->n_id.id_addr) {
		request_local(n, nw, meta, metalen);
		return;
	}
	if (addr_reserved(nwid_controller(nw->nw_id)))
		return;
	pkt_begin(n, &pkt, nwid_controller(nw->nw_id),
	    VERB_NETWORK_CONFIG_REQUEST);
	wbuf_u64(&pkt.pk, nw->nw_id);
	wbuf_u16(&pkt.pk, (uint16_t)metalen);
	wbuf_bytes(&pkt.pk, meta, metalen);
	wbuf_u64(&pkt.pk, nw->nw_conf == NULL ? 0 : nw->nw_conf->nc_revision);
	wbuf_u64(&pkt.pk, nw->nw_conf == NULL ? 0 :
	    (uint64_t)nw->nw_conf->nc_ts);
	pkt_send(n, now, &pkt, true);
}

/* When the next one is due. */
static int64_t
request_at(const struct node *n, const struct network *nw)
{
	int64_t	refresh = REQUEST_REFRESH_MS, at = 0, next;

	if (low_bandwidth(n))
		refresh *= LOW_BANDWIDTH_FACTOR;
	if (nw->nw_conf != NULL && nw->nw_updated)
		at = nw->nw_updated_at + refresh;
	if (nw->nw_requested) {
		next = nw->nw_requested_at + nw->nw_request_wait;
		if (next > at)
			at = next;
	}
	return (at);
}

/* --- life cycle ------------------------------------------------------- */

int
node_join(struct node *n, int64_t now, uint64_t nwid)
{
	struct network	*nw;

	now = node_clock(n, now);
	if (nwid == 0)
		return (-1);
	if (network_find(n, nwid) != NULL)
		return (0);
	if ((nw = calloc(1, sizeof(*nw))) == NULL)
		return (-1);
	if ((nw->nw_assembly = netconf_assembly_new()) == NULL) {
		free(nw);
		return (-1);
	}
	if (index_put(&n->n_network_index, nwid, nw) == -1) {
		netconf_assembly_free(nw->nw_assembly);
		free(nw);
		return (-1);
	}
	index_init(&nw->nw_member_index, n->n_pid_key[1]);
	nw->nw_id = nwid;
	nw->nw_mac = mac_from_addr(n->n_id.id_addr, nwid);
	nw->nw_failure = NET_OK;
	nw->nw_told = NET_REQUESTING;
	RB_INIT(&nw->nw_members);
	RB_INIT(&nw->nw_routes);
	TAILQ_INIT(&nw->nw_route_ages);
	RB_INSERT(network_tree, &n->n_networks, nw);
	n->n_nnetworks++;

	config_load(n, nw);
	network_changed(n, nw);
	network_request(n, now, nw);
	node_busy(n, now);
	if (n->n_next_ping > request_at(n, nw))
		n->n_next_ping = request_at(n, nw);
	return (0);
}

static void
network_free(struct node *n, struct network *nw)
{
	index_del(&n->n_network_index, nw->nw_id, nw);
	RB_REMOVE(network_tree, &n->n_networks, nw);
	n->n_nnetworks--;
	multicast_forget(n, nw->nw_id);
	memberships_free(nw);
	bridge_free(nw);
	groups_free(nw);
	netconf_assembly_free(nw->nw_assembly);
	filter_rules_free(nw->nw_rules);
	if (nw->nw_conf != NULL) {
		netconf_clear(nw->nw_conf);
		free(nw->nw_conf);
	}
	free(nw);
}

void
node_leave(struct node *n, int64_t now, uint64_t nwid)
{
	struct network	*nw;

	(void)node_clock(n, now);
	if ((nw = network_find(n, nwid)) == NULL)
		return;
	network_free(n, nw);
	node_store(n, STATE_NETWORK, nwid, NULL, 0);
}

void
networks_free(struct node *n)
{
	struct network	*nw;

	while ((nw = RB_ROOT(&n->n_networks)) != NULL)
		network_free(n, nw);
}

void
node_port_error(struct node *n, int64_t now, uint64_t nwid, int error)
{
	struct network	*nw;

	(void)node_clock(n, now);
	if ((nw = network_find(n, nwid)) == NULL ||
	    nw->nw_port_error == error)
		return;
	nw->nw_port_error = error;
	network_changed(n, nw);
}

/* --- periodic work ---------------------------------------------------- */

void
networks_tick(struct node *n, int64_t now)
{
	struct network	*nw;

	RB_FOREACH(nw, network_tree, &n->n_networks) {
		if (now >= request_at(n, nw))
			network_request(n, now, nw);
		credentials_tick(n, now, nw);
		if (!low_bandwidth(n))
			announce_tick(n, now, nw);
	}
	multicast_tick(n, now);
}

int64_t
networks_due(const struct node *n, int64_t now)
{
	struct network	*nw;
	int64_t		 due = INT64_MAX, t;

	RB_FOREACH(nw, network_tree, NETWORKS(n)) {
		t = request_at(n, nw);
		if (!n->n_online && t < now + REQUEST_RETRY_MS)
			t = now + REQUEST_RETRY_MS;
		if (t < due)
			due = t;
		if ((t = credentials_due(nw)) < due)
			due = t;
		if (nw->nw_again_at != 0 && nw->nw_again_at < due)
			due = nw->nw_again_at;
	}
	return (due > now ? due : now);
}

void
networks_housekeeping(struct node *n, int64_t now)
{
	struct network	*nw;

	RB_FOREACH(nw, network_tree, &n->n_networks) {
		memberships_housekeeping(nw, now);
		bridge_housekeeping(nw, now);
		groups_housekeeping(nw, now);
	}
	multicast_housekeeping(n, now);
}

bool
networks_contain(const struct node *n, const struct inet_addr *ia)
{
	struct network		*nw;
	const struct netconf	*nc;
	unsigned		 i;

	RB_FOREACH(nw, network_tree, NETWORKS(n)) {
		if ((nc = nw->nw_conf) == NULL)
			continue;
		for (i = 0; i < nc->nc_nips; i++)
			if (nc->nc_ips[i].ia_port != 0 &&
			    inet_contains(&nc->nc_ips[i], ia))
				return (true);
	}
	return (false);
}

void
networks_each_contact(struct node *n, void (*f)(struct node *, int64_t,
    uint64_t), int64_t now)
{
	struct network		*nw;
	const struct netconf	*nc;
	uint64_t		 addr;
	unsigned		 i;

	RB_FOREACH(nw, network_tree, &n->n_networks) {
		if ((nc = nw->nw_conf) == NULL)
			continue;
		for (i = 0; i < nc->nc_nspecialists; i++) {
			addr = nc->nc_specialists[i] & ADDR_MASK;
			if ((nc->nc_specialists[i] & (SPECIALIST_ANCHOR |
			    SPECIALIST_REPLICATOR)) &&
			    addr != n->n_id.id_addr && !addr_reserved(addr))
				f(n, now, addr);
		}
	}
}
