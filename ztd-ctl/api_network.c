/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * /network: what the engine knows of a network, joined with what the parent
 * knows of its tap.  Spec: 05 section 5.
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/address.h"
#include "common/log.h"
#include "common/netconf.h"
#include "ztd-ctl/ctl.h"

#define JOIN_POLL	50	/* ms between looks for a new network */
#define JOIN_WAIT	2000	/* ms until we give up looking */
#define PORT_ERROR	(-999)	/* what a failed tap has always been */

/* One request's collection. */
struct networks {
	struct msg_tap_info	*n_taps;
	size_t			 n_ntaps, n_tapsroom;
	size_t			 n_page;	/* networks in this answer */
	uint64_t		 n_last;	/* the last network seen */
	json_t			*n_list;
	struct msg_result	 n_result;
	unsigned		 n_waited;	/* ms */
};

static struct networks *networks_new(struct request *);
static void	 networks_free(void *);
static void	 collect(struct request *);
static void	 collect_tap(struct request *, const struct msg *);
static int	 tap_cmp(const void *, const void *);
static void	 collect_networks(struct request *);
static void	 collect_network(struct request *, const struct msg *);
static void	 list_done(struct request *);
static void	 get_done(struct request *);
static void	 network_set(struct request *);
static void	 network_leave(struct request *);
static void	 result_message(struct request *, const struct msg *);
static void	 set_done(struct request *);
static void	 leave_done(struct request *);
static void	 flag(json_t *, const char *, uint32_t, struct msg_net_set *);
static json_t	*network_json(const struct msg_network_info *,
		    const struct msg_tap_info *);
static json_t	*frames_json(const struct msg_network_info *, unsigned);
static json_t	*credentials_json(const struct msg_network_info *);
static const char *status_name(uint32_t);
static const char *dns_state_name(uint32_t);
static json_t	*routes_json(const struct msg_network_info *);
static json_t	*groups_json(const struct msg_network_info *);
static json_t	*dns_json(const struct msg_network_info *);
static json_t	*mac_json(uint64_t);
static int	 group_cmp(const void *, const void *);

void
api_network_list(struct request *rq)
{
	struct networks	*n;

	if ((n = networks_new(rq)) == NULL)
		return;
	if ((n->n_list = json_array()) == NULL) {
		request_error(rq, 500, "out of memory");
		return;
	}
	collect(rq);
}

void
api_network(struct request *rq)
{
	if (networks_new(rq) == NULL)
		return;
	switch (rq->rq_method) {
	case API_GET:
		collect(rq);
		break;
	case API_POST:
		network_set(rq);
		break;
	case API_DELETE:
		network_leave(rq);
		break;
	}
}

static struct networks *
networks_new(struct request *rq)
{
	struct networks	*n;

	if ((n = calloc(1, sizeof(*n))) == NULL) {
		request_error(rq, 500, "out of memory");
		return (NULL);
	}
	rq->rq_state = n;
	rq->rq_free = networks_free;
	return (n);
}

static void
networks_free(void *arg)
{
	struct networks	*n = arg;

	json_decref(n->n_list);
	free(n->n_taps);
	free(n);
}

/* ---- looking ----------------------------------------------------- */

/* First the taps, then the networks; rq_id is one network or 0 for all. */
static void
collect(struct request *rq)
{
	const struct msg_get	 get = { .mg_id = rq->rq_id };
	struct networks		*n = rq->rq_state;

	n->n_ntaps = 0;
	n->n_last = 0;
	(void)request_ask(rq, PROC_TAP, MSG_GET_TAPS, &get, sizeof(get),
	    collect_tap, collect_networks);
}

static void
collect_tap(struct request *rq, const struct msg *m)
{
	struct networks		*n = rq->rq_state;
	struct msg_tap_info	*p;
	size_t			 more;

	if (m->m_type != MSG_TAP_INFO)
		return;
	if (n->n_ntaps == n->n_tapsroom) {
		more = n->n_tapsroom == 0 ? 16 : n->n_tapsroom * 2;
		if ((p = reallocarray(n->n_taps, more, sizeof(*p))) == NULL)
			return;
		n->n_taps = p;
		n->n_tapsroom = more;
	}
	memcpy(&n->n_taps[n->n_ntaps++], m->m_data, sizeof(*p));
}

static int
tap_cmp(const void *ap, const void *bp)
{
	const struct msg_tap_info	*a = ap, *b = bp;

	return (a->ti_nwid < b->ti_nwid ? -1 : a->ti_nwid > b->ti_nwid);
}

static void
collect_networks(struct request *rq)
{
	struct networks		*n = rq->rq_state;
	const struct msg_get	 get = {
		.mg_id = rq->rq_id,
		.mg_after = n->n_last
	};

	n->n_page = 0;
	if (n->n_ntaps > 0)
		qsort(n->n_taps, n->n_ntaps, sizeof(*n->n_taps), tap_cmp);
	(void)request_ask(rq, PROC_NET, MSG_GET_NETWORKS, &get, sizeof(get),
	    collect_network, n->n_list != NULL && json_is_array(n->n_list) ?
	    list_done : get_done);
}

/* A single network replaces what is there, a list grows. */
static void
collect_network(struct request *rq, const struct msg *m)
{
	static const struct msg_tap_info	 none = {
		.ti_settings = NETSET_MANAGED
	};
	const struct msg_network_info		*ni = m->m_data;
	const struct msg_tap_info		*tap = NULL;
	struct msg_tap_info			 key;
	struct networks				*n = rq->rq_state;

	if (m->m_type != MSG_NETWORK_INFO)
		return;
	n->n_page++;
	if (ni->ni_nwid > n->n_last)
		n->n_last = ni->ni_nwid;
	key.ti_nwid = ni->ni_nwid;
	if (n->n_ntaps > 0)
		tap = bsearch(&key, n->n_taps, n->n_ntaps, sizeof(key),
		    tap_cmp);
	if (tap == NULL)
		tap = &none;
	if (json_is_array(n->n_list))
		json_insert_sorted(n->n_list, "id", network_json(ni, tap));
	else if (ni->ni_nwid == rq->rq_id) {
		json_decref(n->n_list);
		n->n_list = network_json(ni, tap);
	}
}

static void
list_done(struct request *rq)
{
	struct networks	*n = rq->rq_state;

	if (n->n_page >= NETWORKS_PAGE)
		collect_networks(rq);
	else
		request_json(rq, 200, json_incref(n->n_list));
}

/*
 * The network is there, or is not a network of ours; or we have just joined
 * it and the engine will hear of that in a moment.
 */
static void
get_done(struct request *rq)
{
	struct networks	*n = rq->rq_state;

	if (n->n_list != NULL)
		request_json(rq, 200, json_incref(n->n_list));
	else if (rq->rq_method == API_GET)
		request_reply(rq, 404, "", 0);
	else if (n->n_waited < JOIN_WAIT) {
		n->n_waited += JOIN_POLL;
		request_wait(rq, JOIN_POLL, collect);
	} else
		request_error(rq, 503,
		    "joined, but the engine does not know it yet");
}

/* ---- joining, changing and leaving ------------------------------- */

/*
 * Members that are not booleans say nothing, and so does a body that is no
 * object.  Without the engine there is no answer to give, so nothing is
 * done either.
 */
static void
network_set(struct request *rq)
{
	struct msg_net_set	 set;
	json_t			*body;

	if (rq->rq_ctl->c_channels[PROC_NET] == NULL) {
		request_error(rq, 503, "the engine is not running, try again");
		return;
	}
	memset(&set, 0, sizeof(set));
	set.mn_nwid = rq->rq_id;
	body = request_body_json(rq);
	flag(body, "allowManaged", NETSET_MANAGED, &set);
	flag(body, "allowGlobal", NETSET_GLOBAL, &set);
	flag(body, "allowDefault", NETSET_DEFAULT, &set);
	flag(body, "allowDNS", NETSET_DNS, &set);
	json_decref(body);
	(void)request_ask(rq, PROC_TAP, MSG_NET_SET, &set, sizeof(set),
	    result_message, set_done);
}

static void
network_leave(struct request *rq)
{
	const struct msg_network	 leave = { rq->rq_id };

	(void)request_ask(rq, PROC_TAP, MSG_NET_LEAVE, &leave, sizeof(leave),
	    result_message, leave_done);
}

static void
flag(json_t *body, const char *key, uint32_t bit, struct msg_net_set *set)
{
	json_t	*v;

	v = json_object_get(body, key);
	if (!json_is_boolean(v))
		return;
	set->mn_set |= bit;
	if (json_is_true(v))
		set->mn_value |= bit;
}

static void
result_message(struct request *rq, const struct msg *m)
{
	struct networks	*n = rq->rq_state;

	if (m->m_type == MSG_RESULT)
		memcpy(&n->n_result, m->m_data, sizeof(n->n_result));
}

static void
set_done(struct request *rq)
{
	struct networks	*n = rq->rq_state;

	if (n->n_result.mr_code == 200)
		collect(rq);
	else {
		n->n_result.mr_text[sizeof(n->n_result.mr_text) - 1] = '\0';
		request_error(rq, n->n_result.mr_code >= 400 &&
		    n->n_result.mr_code < 600 ? (int)n->n_result.mr_code :
		    500, n->n_result.mr_text);
	}
}

/* To leave what one never joined is no mistake (QUIRK). */
static void
leave_done(struct request *rq)
{
	struct networks	*n = rq->rq_state;

	if (n->n_result.mr_code == 200)
		request_json(rq, 200, json_pack("{s:b}", "result", 1));
	else if (n->n_result.mr_code == 404)
		request_reply(rq, 200, "{}", 2);
	else
		set_done(rq);
}

/* ---- the network object ------------------------------------------ */

static json_t *
network_json(const struct msg_network_info *ni,
    const struct msg_tap_info *tap)
{
	json_t	*v;
	bool	 failed;

	failed = ni->ni_port_error != 0 || tap->ti_error != 0 ||
	    ni->ni_status == NETWORK_PORT_ERROR;
	v = json_pack("{s:o,s:o,s:o,s:o,s:s,s:s,s:i,s:b,s:b,s:b,s:i,s:I,s:o,"
	    "s:b,s:b,s:b,s:b,s:o,s:o,s:o,s:o}",
	    "id", json_hex(ni->ni_nwid, 16),
	    "nwid", json_hex(ni->ni_nwid, 16),
	    "name", json_text(ni->ni_name, sizeof(ni->ni_name)),
	    "mac", mac_json(ni->ni_mac),
	    "status", failed ? status_name(NETWORK_PORT_ERROR) :
		status_name(ni->ni_status),
	    "type", ni->ni_public ? "PUBLIC" : "PRIVATE",
	    "mtu", (int)(ni->ni_mtu != 0 ? ni->ni_mtu : NETCONF_MTU_DEFAULT),
	    "dhcp", 0,
	    "bridge", ni->ni_bridge != 0,
	    "broadcastEnabled", ni->ni_broadcast != 0,
	    "portError", failed ? PORT_ERROR : 0,
	    "netconfRevision", (json_int_t)ni->ni_revision,
	    "portDeviceName", json_text(tap->ti_device,
		sizeof(tap->ti_device)),
	    "allowManaged", (tap->ti_settings & NETSET_MANAGED) != 0,
	    "allowGlobal", (tap->ti_settings & NETSET_GLOBAL) != 0,
	    "allowDefault", (tap->ti_settings & NETSET_DEFAULT) != 0,
	    "allowDNS", (tap->ti_settings & NETSET_DNS) != 0,
	    "assignedAddresses", json_inets(ni->ni_ips, ni->ni_nips,
		NETCONF_IPS),
	    "routes", routes_json(ni),
	    "multicastSubscriptions", groups_json(ni),
	    "dns", dns_json(ni));
	if (v != NULL && ni->ni_sso != 0) {
		(void)json_object_set_new(v, "ssoEnabled", json_true());
		(void)json_object_set_new(v, "authenticationURL",
		    json_text(ni->ni_auth_url, sizeof(ni->ni_auth_url)));
		(void)json_object_set_new(v, "authenticationExpiryTime",
		    json_integer((json_int_t)ni->ni_auth_expiry));
	}
	(void)json_object_set_new(v, "ztd", json_pack(
	    "{s:{s:o,s:o,s:o},s:{s:s,s:o},s:s,s:o}",
	    "counters", "out", frames_json(ni, 0), "in", frames_json(ni, 1),
	    "credentials", credentials_json(ni),
	    "dns", "state", dns_state_name(tap->ti_dns),
	    "by", json_text(tap->ti_dns_way, sizeof(tap->ti_dns_way)),
	    "portText", tap->ti_error == 0 ? "" : strerror(tap->ti_error),
	    "clockOffset", ni->ni_clock_known == 0 ? json_null() :
	    json_integer((json_int_t)ni->ni_clock)));
	return (v);
}

static const char *
dns_state_name(uint32_t state)
{
	static const char *const	 names[DNSSTATE_COUNT] = {
		[DNSSTATE_NONE] = "none",
		[DNSSTATE_SET] = "set",
		[DNSSTATE_PENDING] = "pending",
		[DNSSTATE_FAILED] = "failed",
		[DNSSTATE_NO_WAY] = "no-way",
		[DNSSTATE_BAD] = "bad"
	};

	return (names[state < DNSSTATE_COUNT ? state : DNSSTATE_NONE]);
}

/* What became of frames: {"accepted": {"frames": n, "bytes": n}, ...}. */
static json_t *
frames_json(const struct msg_network_info *ni, unsigned way)
{
	json_t	*v;
	unsigned i;

	if ((v = json_object()) == NULL)
		return (NULL);
	for (i = 0; i < WHY_COUNT; i++) {
		if (ni->ni_frames[way][i] == 0)
			continue;
		(void)json_object_set_new(v, why_code(i),
		    json_pack("{s:I,s:I}",
		    "frames", (json_int_t)ni->ni_frames[way][i],
		    "bytes", (json_int_t)ni->ni_bytes[way][i]));
	}
	return (v);
}

/* Those refused, and why: {"revoked": n, ...}. */
static json_t *
credentials_json(const struct msg_network_info *ni)
{
	json_t	*v;
	unsigned i;

	if ((v = json_object()) == NULL)
		return (NULL);
	for (i = 0; i < WHY_COUNT; i++) {
		if (ni->ni_credentials[i] != 0)
			(void)json_object_set_new(v, why_code(i),
			    json_integer((json_int_t)ni->ni_credentials[i]));
	}
	return (v);
}

static const char *
status_name(uint32_t status)
{
	static const char *const	 names[] = {
		[NETWORK_REQUESTING] = "REQUESTING_CONFIGURATION",
		[NETWORK_OK] = "OK",
		[NETWORK_ACCESS_DENIED] = "ACCESS_DENIED",
		[NETWORK_NOT_FOUND] = "NOT_FOUND",
		[NETWORK_PORT_ERROR] = "PORT_ERROR",
		[NETWORK_CLIENT_TOO_OLD] = "CLIENT_TOO_OLD",
		[NETWORK_AUTHENTICATION_REQUIRED] = "AUTHENTICATION_REQUIRED"
	};

	if (status >= sizeof(names) / sizeof(names[0]))
		status = NETWORK_REQUESTING;
	return (names[status]);
}

static json_t *
routes_json(const struct msg_network_info *ni)
{
	const struct netconf_route	*r;
	json_t				*v;
	uint32_t			 i;
	char				 via[INET_TEXT];

	if ((v = json_array()) == NULL)
		return (NULL);
	for (i = 0; i < ni->ni_nroutes && i < NETCONF_ROUTES; i++) {
		r = &ni->ni_routes[i];
		(void)json_array_append_new(v, json_pack("{s:o,s:o,s:i,s:i}",
		    "target", json_inet(&r->nr_target),
		    "via", r->nr_via.ia_family == r->nr_target.ia_family ?
		    json_string(inet_format_ip(via, &r->nr_via)) : json_null(),
		    "flags", (int)r->nr_flags, "metric", (int)r->nr_metric));
	}
	return (v);
}

static json_t *
groups_json(const struct msg_network_info *ni)
{
	struct msg_group	 g[NETINFO_GROUPS];
	json_t			*v;
	uint32_t		 i, n;

	if ((v = json_array()) == NULL)
		return (NULL);
	n = ni->ni_ngroups < NETINFO_GROUPS ? ni->ni_ngroups : NETINFO_GROUPS;
	memcpy(g, ni->ni_groups, n * sizeof(g[0]));
	qsort(g, n, sizeof(g[0]), group_cmp);
	for (i = 0; i < n; i++)
		(void)json_array_append_new(v, json_pack("{s:o,s:I}",
		    "mac", mac_json(g[i].mg_mac),
		    "adi", (json_int_t)g[i].mg_adi));
	return (v);
}

static int
group_cmp(const void *va, const void *vb)
{
	const struct msg_group	*a = va, *b = vb;

	if (a->mg_mac != b->mg_mac)
		return (a->mg_mac < b->mg_mac ? -1 : 1);
	return (a->mg_adi < b->mg_adi ? -1 : a->mg_adi > b->mg_adi);
}

static json_t *
dns_json(const struct msg_network_info *ni)
{
	json_t		*v;
	uint32_t	 i;
	char		 text[INET_TEXT];

	if ((v = json_array()) == NULL)
		return (NULL);
	for (i = 0; i < NETCONF_DNS; i++) {
		if (!inet_isnil(&ni->ni_dns[i]))
			(void)json_array_append_new(v, json_string(
			    inet_format_ip(text, &ni->ni_dns[i])));
	}
	return (json_pack("{s:o,s:o}", "domain", json_text(ni->ni_dns_domain,
	    sizeof(ni->ni_dns_domain)), "servers", v));
}

static json_t *
mac_json(uint64_t mac)
{
	char	 text[MAC_TEXT];

	return (json_string(mac_format(text, mac)));
}
