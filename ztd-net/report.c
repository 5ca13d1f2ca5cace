/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Answers to the API's questions: the core's state as message structs.
 */

#include <string.h>

#include "common/log.h"
#include "ztd-net/report.h"

/* Where an answer goes. */
struct asker {
	struct engine	*as_engine;
	struct channel	*as_channel;
	uint32_t	 as_id;
	bool		 as_cut;	/* the channel was full */
	uint64_t	 as_after;	/* networks behind this one ... */
	unsigned	 as_count;	/* ... so many of them */
};

static void
report_root(const struct node_root *nt, void *arg)
{
	struct asker		*as = arg;
	struct msg_root_info	 ro;

	memset(&ro, 0, sizeof(ro));
	ro.ro_addr = nt->nt_addr;
	ro.ro_role = (uint32_t)nt->nt_role;
	ro.ro_reason = nt->nt_reason;
	ro.ro_best = nt->nt_best;
	ro.ro_latency = nt->nt_latency;
	ro.ro_last_receive = (uint64_t)nt->nt_last_receive;
	ro.ro_last_try = (uint64_t)nt->nt_last_try;
	memcpy(ro.ro_surface, nt->nt_surface, sizeof(ro.ro_surface));
	(void)channel_send(as->as_channel, MSG_ROOT_INFO, as->as_id, -1,
	    &ro, sizeof(ro));
}

void
report_counters(const struct engine *e, const struct node_status *ns,
    struct msg_counters *mc)
{
	int64_t	 last;

	mc->mc_replays = ns->ns_replays;
	mc->mc_forged = ns->ns_forged;
	mc->mc_withheld = ns->ns_withheld;
	mc->mc_limited = ns->ns_limited;
	mc->mc_suspects = ns->ns_suspects;
	mc->mc_switches = ns->ns_switches;
	mc->mc_suspends = ns->ns_suspends;
	mc->mc_evicted = ns->ns_evicted;
	mc->mc_messages_dropped = e->e_user.um_dropped;
	mc->mc_unasked = ns->ns_unasked;
	mc->mc_denied = udp_denied(e, &last);
	mc->mc_last_denied = (uint64_t)last;
	memcpy(mc->mc_bytes, e->e_bytes, sizeof(mc->mc_bytes));
}

static void
fill_reasons(struct msg_status *st, const struct node_status *ns)
{
	st->st_reason = ns->ns_reason;
	st->st_stage = ns->ns_stage;
	st->st_last_root = (uint64_t)ns->ns_last_root;
	st->st_nat[0] = ns->ns_nat[0];
	st->st_nat[1] = ns->ns_nat[1];
}

void
report_status(struct engine *e, struct channel *ch, uint32_t id)
{
	struct asker		 as = { .as_engine = e, .as_channel = ch, .as_id = id };
	struct msg_status	 st;
	struct node_status	 ns;
	const struct world	*planet = node_planet(e->e_node);
	int64_t			 now = engine_now();

	node_each_root(e->e_node, now, report_root, &as);
	memset(&st, 0, sizeof(st));
	st.st_addr = node_addr(e->e_node);
	identity_format(st.st_public, node_identity(e->e_node), false);
	st.st_clock = (uint64_t)now;
	st.st_planet_id = planet->w_id;
	st.st_planet_ts = planet->w_ts;
	st.st_online = node_online(e->e_node);
	st.st_nsurface = (uint32_t)node_surface(e->e_node, st.st_surface,
	    SURFACE_MAX);
	node_status(e->e_node, now, &ns);
	fill_reasons(&st, &ns);
	report_counters(e, &ns, &st.st_counters);
	st.st_portmap = e->e_settings.s_port_mapping ? PORTMAP_NOT_BUILT :
	    PORTMAP_OFF;
	udp_status(e, &st);
	(void)channel_send(ch, MSG_STATUS, id, -1, &st, sizeof(st));
}

static void
fill_conf(struct msg_network_info *ni, const struct netconf *nc)
{
	ni->ni_public = nc->nc_public;
	ni->ni_mtu = nc->nc_mtu;
	ni->ni_broadcast = (nc->nc_flags & NETCONF_BROADCAST) != 0;
	ni->ni_revision = nc->nc_revision;
	memcpy(ni->ni_name, nc->nc_name, sizeof(ni->ni_name));
	ni->ni_nips = nc->nc_nips;
	ni->ni_nroutes = nc->nc_nroutes;
	memcpy(ni->ni_ips, nc->nc_ips, sizeof(ni->ni_ips));
	memcpy(ni->ni_routes, nc->nc_routes, sizeof(ni->ni_routes));
	memcpy(ni->ni_dns_domain, nc->nc_dns_domain,
	    sizeof(ni->ni_dns_domain));
	memcpy(ni->ni_dns, nc->nc_dns, sizeof(ni->ni_dns));
	ni->ni_sso = nc->nc_sso.sso_enabled;
	ni->ni_sso_version = (uint32_t)nc->nc_sso.sso_version;
	ni->ni_auth_expiry = nc->nc_sso.sso_expiry;
}

static void
report_network(const struct node_network *nn, void *arg)
{
	struct asker		*as = arg;
	struct msg_network_info	 ni;
	size_t			 i;

	if (nn->nn_nwid <= as->as_after || as->as_count == NETWORKS_PAGE)
		return;
	as->as_count++;
	memset(&ni, 0, sizeof(ni));
	ni.ni_nwid = nn->nn_nwid;
	ni.ni_mac = nn->nn_mac;
	ni.ni_status = nn->nn_status;
	ni.ni_bridge = nn->nn_bridge;
	ni.ni_port_error = nn->nn_port_error;
	ni.ni_clock_known = nn->nn_clock_known;
	ni.ni_clock = nn->nn_clock;
	ni.ni_mtu = NETCONF_MTU_DEFAULT;
	if (nn->nn_conf != NULL)
		fill_conf(&ni, nn->nn_conf);
	for (i = 0; i < nn->nn_ngroups && i < NETINFO_GROUPS; i++) {
		ni.ni_groups[i].mg_mac = nn->nn_groups[i].mg_mac;
		ni.ni_groups[i].mg_adi = nn->nn_groups[i].mg_adi;
	}
	ni.ni_ngroups = (uint32_t)i;
	(void)strlcpy(ni.ni_auth_url, nn->nn_auth_url,
	    sizeof(ni.ni_auth_url));
	memcpy(ni.ni_frames, nn->nn_counters->nc_frames,
	    sizeof(ni.ni_frames));
	memcpy(ni.ni_bytes, nn->nn_counters->nc_bytes, sizeof(ni.ni_bytes));
	memcpy(ni.ni_credentials, nn->nn_counters->nc_credentials,
	    sizeof(ni.ni_credentials));
	(void)channel_send(as->as_channel, MSG_NETWORK_INFO, as->as_id, -1,
	    &ni, sizeof(ni));
}

void
report_networks(struct engine *e, struct channel *ch, uint32_t id,
    const struct msg_get *mg)
{
	struct asker	 as = {
		.as_engine = e,
		.as_channel = ch,
		.as_id = id,
		.as_after = mg->mg_after
	};

	node_each_network(e->e_node, mg->mg_id, report_network, &as);
}

static void
fill_path(struct engine *e, struct msg_path_info *pi,
    const struct node_path *np)
{
	pi->pi_addr = np->np_addr;
	udp_local(e, np->np_sock, &pi->pi_local);
	pi->pi_last_send = (uint64_t)np->np_last_send;
	pi->pi_last_receive = (uint64_t)np->np_last_receive;
	pi->pi_trusted_id = np->np_trusted_id;
	pi->pi_active = np->np_alive;
	pi->pi_expired = np->np_expired;
	pi->pi_preferred = np->np_preferred;
	pi->pi_reason = np->np_reason;
	pi->pi_latency = np->np_latency;
	pi->pi_mtu = np->np_mtu;
}

static void
report_peer(const struct node_peer *np, void *arg)
{
	struct asker		*as = arg;
	struct msg_peer_info	 pe;
	unsigned		 i;
	bool			 known = np->nr_proto != 0;

	memset(&pe, 0, sizeof(pe));
	pe.pe_addr = np->nr_addr;
	pe.pe_vmajor = known ? np->nr_vmajor : -1;
	pe.pe_vminor = known ? np->nr_vminor : -1;
	pe.pe_vrev = known ? np->nr_vrev : -1;
	pe.pe_latency = np->nr_latency;
	pe.pe_role = (uint32_t)np->nr_role;
	pe.pe_reason = np->nr_reason;
	pe.pe_relay = np->nr_relay;
	pe.pe_candidates = np->nr_candidates;
	pe.pe_last_try = (uint64_t)np->nr_last_try;
	pe.pe_last_receive = (uint64_t)np->nr_last_receive;
	pe.pe_switches = np->nr_switches;
	memcpy(pe.pe_packets, np->nr_packets, sizeof(pe.pe_packets));
	pe.pe_clock = np->nr_clock;
	pe.pe_clock_at = (uint64_t)np->nr_clock_at;
	for (i = 0; i < np->nr_npaths && i < PEERINFO_PATHS; i++)
		fill_path(as->as_engine, &pe.pe_paths[i], &np->nr_paths[i]);
	pe.pe_npaths = i;
	pe.pe_tunneled = 0;	/* relayed is not tunneled: that is TCP */
	if (!as->as_cut && channel_send(as->as_channel, MSG_PEER_INFO,
	    as->as_id, -1, &pe, msg_peer_len(&pe)) == -1)
		as->as_cut = true;
}

void
report_peers(struct engine *e, struct channel *ch, uint32_t id,
    uint64_t addr)
{
	struct asker		 as = { .as_engine = e, .as_channel = ch,
	    .as_id = id };
	struct msg_result	 mr;

	node_each_peer(e->e_node, engine_now(), addr, report_peer, &as);
	if (!as.as_cut)
		return;
	/* Rather none than some. */
	memset(&mr, 0, sizeof(mr));
	mr.mr_code = 503;
	(void)strlcpy(mr.mr_text, "more peers than can be listed at once",
	    sizeof(mr.mr_text));
	(void)channel_send(ch, MSG_RESULT, id, -1, &mr, sizeof(mr));
}

static void
fill_roots(struct msg_moon_info *mo, const struct world *w)
{
	unsigned	 i;

	mo->mo_ts = w->w_ts;
	mo->mo_nroots = w->w_nroots;
	memcpy(mo->mo_update_key, w->w_update_key,
	    sizeof(mo->mo_update_key));
	memcpy(mo->mo_sig, w->w_sig, sizeof(mo->mo_sig));
	for (i = 0; i < w->w_nroots; i++) {
		identity_format(mo->mo_roots[i].identity,
		    &w->w_roots[i].wr_identity, false);
		mo->mo_roots[i].nendpoints = w->w_roots[i].wr_nendpoints;
		memcpy(mo->mo_roots[i].endpoints, w->w_roots[i].wr_endpoints,
		    sizeof(mo->mo_roots[i].endpoints));
	}
}

static void
report_moon(const struct node_moon *no, void *arg)
{
	struct asker		*as = arg;
	struct msg_moon_info	 mo;

	memset(&mo, 0, sizeof(mo));
	mo.mo_id = no->no_id;
	mo.mo_seed = no->no_seed;
	mo.mo_waiting = no->no_world == NULL;
	if (no->no_world != NULL)
		fill_roots(&mo, no->no_world);
	(void)channel_send(as->as_channel, MSG_MOON_INFO, as->as_id, -1,
	    &mo, sizeof(mo));
}

void
report_moons(struct engine *e, struct channel *ch, uint32_t id)
{
	struct asker	 as = { .as_engine = e, .as_channel = ch, .as_id = id };

	node_each_moon(e->e_node, report_moon, &as);
}
