/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Building a member's configuration, and sending it.  Spec: 04 section 9,
 * 03 sections 6 and 7.
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/dictionary.h"
#include "common/log.h"
#include "ztd-controller/controller.h"
#include "ztd-controller/grant.h"
#include "ztd-controller/keyed.h"
#include "ztd-controller/rulejson.h"
#include "ztd-controller/value.h"

#define DELTA_DEFAULT	1800000		/* credential window, ms */
#define DELTA_MIN	300000
#define DELTA_MAX	7200000
#define BRIDGES_MAX	NETCONF_SPECIALISTS

static void	 build_network(struct controller *, const struct network *,
		    uint64_t, const void *, size_t, struct netconf *);
static void	 build_head(struct controller *, const struct network *,
		    uint64_t, struct netconf *);
static void	 build_lists(const struct network *, struct netconf *);
static void	 sign(struct controller *, struct netconf *);
static const struct netconf_shared *shared(struct controller *,
		    struct network *);
static void	 too_large(const struct netconf *);
static void	 build_terms(const struct network *, struct netconf *);
static void	 build_trace(const struct network *, const json_t *,
		    struct netconf *);
static void	 build_sso(const json_t *, struct netconf *);
static void	 build_bridges(const struct network *, struct netconf *);
static void	 build_dns(const struct network *, struct netconf *);
static void	 build_accept(struct netconf *);
static void	 build_rules(const struct network *, struct netconf *);
static void	 build_capabilities(const struct network *, json_t *, bool,
		    struct netconf *);
static void	 add_defaults(const struct network *, json_t *);
static const json_t *capability_find(const json_t *, uint32_t);
static void	 capability_issue(const json_t *, uint32_t, struct netconf *);
static void	 build_tags(const struct network *, json_t *,
		    struct netconf *);
static void	 tags_of_member(const struct network *, json_t *,
		    struct keyed *);
static bool	 keyed_has(const struct keyed *, size_t, uint64_t);
static void	 build_coo(struct netconf *);

static json_t *
array_of(json_t *record, const char *key)
{
	json_t	*v;

	v = json_object_get(record, key);
	if (!json_is_array(v)) {
		v = json_array();
		value_set(record, key, v);
	}
	return (v);
}

static json_t *
net(const struct network *n, const char *key)
{
	return (json_object_get(n->n_record, key));
}

bool
config_build(struct controller *c, struct network *n,
    const struct identity *id, json_t *record, const void *meta, size_t len,
    bool fresh, struct netconf *nc)
{
	bool	whole;

	build_network(c, n, id->id_addr, meta, len, nc);
	build_trace(n, record, nc);
	build_sso(record, nc);
	if (dict_get_u64(meta, len, "revr", 0) != 0) {
		build_capabilities(n, record, fresh, nc);
		build_tags(n, record, nc);
	}
	whole = assign_addresses(n, id->id_addr, record, nc);
	build_coo(nc);
	com_make(&nc->nc_com, nc->nc_ts, nc->nc_delta, nc->nc_nwid, id);
	sign(c, nc);
	return (whole);
}

const uint8_t *
config_again(struct controller *c, struct network *n, uint64_t to,
    const void *meta, size_t len, const struct grant *gr, size_t *dictlen)
{
	struct netconf			*nc = &c->c_nc;
	const struct netconf_shared	*ns = NULL;
	const uint8_t			*creds, *d;
	size_t				 ncreds;

	if (dict_get_u64(meta, len, "revr", 0) != 0)
		ns = shared(c, n);
	if (ns == NULL)
		build_network(c, n, to, meta, len, nc);
	else
		build_head(c, n, to, nc);
	grant_fill(gr, nc);
	creds = grant_credentials(gr, &ncreds);
	if (ns == NULL)
		d = netconf_encode_with(nc, creds, ncreds, c->c_room,
		    dictlen);
	else
		d = netconf_encode_shared(nc, ns, creds, ncreds, c->c_room,
		    dictlen);
	if (d == NULL)
		too_large(nc);
	netconf_clear(nc);
	return (d);
}

struct grant *
config_renew(struct controller *c, const struct network *n, uint64_t to,
    const struct grant *gr)
{
	struct netconf	*nc = &c->c_nc;
	struct grant	*fresh = NULL;
	const uint8_t	*creds;
	size_t		 ncreds;

	build_head(c, n, to, nc);
	grant_fill(gr, nc);
	creds = grant_credentials(gr, &ncreds);
	if (netconf_decode_credentials(nc, creds, ncreds) == NULL) {
		sign(c, nc);
		fresh = grant_new(nc, c->c_room);
	}
	netconf_clear(nc);
	return (fresh);
}

/* All credentials that are there, as of the configuration's time. */
static void
sign(struct controller *c, struct netconf *nc)
{
	unsigned	i;

	com_stamp(&nc->nc_com, nc->nc_ts);
	com_sign(&nc->nc_com, &c->c_id);
	for (i = 0; i < nc->nc_ncaps; i++) {
		nc->nc_caps[i].cap_ts = nc->nc_ts;
		capability_sign(&nc->nc_caps[i], &c->c_id, nc->nc_to);
	}
	for (i = 0; i < nc->nc_ntags; i++) {
		nc->nc_tags[i].tag_ts = nc->nc_ts;
		tag_sign(&nc->nc_tags[i], &c->c_id);
	}
	for (i = 0; i < nc->nc_ncoos; i++) {
		nc->nc_coos[i].coo_ts = nc->nc_ts;
		coo_sign(&nc->nc_coos[i], &c->c_id);
	}
}

/*
 * What is the same for all members, as bytes; NULL when memory is short.
 * Those without rules engine have other rules, and no part in it.
 */
static const struct netconf_shared *
shared(struct controller *c, struct network *n)
{
	struct netconf	*nc = &c->c_nc;

	if (n->n_shared == NULL) {
		build_terms(n, nc);
		build_lists(n, nc);
		build_rules(n, nc);
		n->n_shared = netconf_share(nc, c->c_room);
		netconf_clear(nc);
	}
	return (n->n_shared);
}

void
config_unshare(struct network *n)
{
	free(n->n_shared);
	n->n_shared = NULL;
}

/* What is the same for all members with such meta-data. */
static void
build_network(struct controller *c, const struct network *n, uint64_t to,
    const void *meta, size_t len, struct netconf *nc)
{
	build_head(c, n, to, nc);
	build_lists(n, nc);
	if (dict_get_u64(meta, len, "revr", 0) == 0)
		build_accept(nc);
	else
		build_rules(n, nc);
}

static void
build_head(struct controller *c, const struct network *n, uint64_t to,
    struct netconf *nc)
{
	nc->nc_nwid = n->n_nwid;
	nc->nc_ts = c->c_now;
	nc->nc_to = to;
	build_terms(n, nc);
}

static void
build_lists(const struct network *n, struct netconf *nc)
{
	build_bridges(n, nc);
	build_dns(n, nc);
	nc->nc_nroutes = n->n_nroutes;
	memcpy(nc->nc_routes, n->n_routes,
	    n->n_nroutes * sizeof(*nc->nc_routes));
}

const uint8_t *
config_encode(struct controller *c, const struct netconf *nc, size_t *len)
{
	const uint8_t	*d;

	if ((d = netconf_encode_with(nc, NULL, 0, c->c_room, len)) == NULL)
		too_large(nc);
	return (d);
}

static void
too_large(const struct netconf *nc)
{
	log_warnx("network %016" PRIx64 ": the configuration of %010"
	    PRIx64 " is too large", nc->nc_nwid, nc->nc_to);
}

void
config_send(struct controller *c, uint64_t nwid, uint64_t to,
    uint64_t packet, const uint8_t *d, size_t total)
{
	uint8_t		 block[NETCONF_BLOCK_MAX];
	uint64_t	 update;
	size_t		 off, n, len;

	do
		crypto_random(&update, sizeof(update));
	while (update == 0);
	for (off = 0; off < total; off += n) {
		n = total - off;
		if (n > NETCONF_CHUNK)
			n = NETCONF_CHUNK;
		len = netconf_chunk_make(block, &c->c_id, nwid, update, d,
		    total, off, n);
		c->c_out->config(c->c_arg, nwid, to, packet, block, len,
		    off + n == total);
	}
}

void
config_terms(struct network *n)
{
	struct network_terms	*nt = &n->n_terms;
	char			 buf[VALUE_NUMBER];
	const json_t		*v;
	uint64_t		 mtu;

	memset(nt, 0, sizeof(*nt));
	nt->nt_delta = DELTA_DEFAULT;
	v = net(n, "certificateTimeoutWindowSize");
	if (json_is_number(v)) {
		nt->nt_delta = (int64_t)value_int(v, DELTA_DEFAULT);
		if (nt->nt_delta < DELTA_MIN)
			nt->nt_delta = DELTA_MIN;
		if (nt->nt_delta > DELTA_MAX)
			nt->nt_delta = DELTA_MAX;
	}
	nt->nt_revision = value_int(net(n, "revision"), 0);
	nt->nt_public = !value_bool(net(n, "private"), true);
	nt->nt_login = value_bool(net(n, "ssoEnabled"), false);
	if (value_bool(net(n, "enableBroadcast"), true))
		nt->nt_flags |= NETCONF_BROADCAST;
	(void)strlcpy(nt->nt_name, value_text(net(n, "name"), "", buf),
	    sizeof(nt->nt_name));
	mtu = (uint32_t)value_int(net(n, "mtu"), NETCONF_MTU_DEFAULT);
	if (mtu < NETCONF_MTU_MIN)
		mtu = NETCONF_MTU_MIN;
	if (mtu > NETCONF_MTU_MAX)
		mtu = NETCONF_MTU_MAX;
	nt->nt_mtu = (uint32_t)mtu;
	nt->nt_mclimit = (uint32_t)value_int(net(n, "multicastLimit"), 32);
}

static void
build_terms(const struct network *n, struct netconf *nc)
{
	const struct network_terms	*nt = &n->n_terms;

	nc->nc_delta = nt->nt_delta;
	nc->nc_revision = nt->nt_revision;
	nc->nc_public = nt->nt_public;
	nc->nc_flags = nt->nt_flags;
	memcpy(nc->nc_name, nt->nt_name, sizeof(nc->nc_name));
	nc->nc_mtu = nt->nt_mtu;
	nc->nc_mclimit = nt->nt_mclimit;
	nc->nc_sso.sso_enabled = nt->nt_login;
}

/* The member's target goes before the network's. */
static void
build_trace(const struct network *n, const json_t *record,
    struct netconf *nc)
{
	const json_t	*target;

	target = json_object_get(record, "remoteTraceTarget");
	nc->nc_trace_level = value_int(json_object_get(record,
	    "remoteTraceLevel"), 0);
	if (json_string_length(target) != 10) {
		target = net(n, "remoteTraceTarget");
		nc->nc_trace_level = value_int(net(n, "remoteTraceLevel"),
		    0);
	}
	if (json_string_length(target) == 10)
		nc->nc_trace_target = value_hex(json_string_value(target)) &
		    ADDR_MASK;
}

/* The file store knows nothing but an expiry date (12.4). */
static void
build_sso(const json_t *record, struct netconf *nc)
{
	nc->nc_sso.sso_expiry = value_int(json_object_get(record,
	    "authenticationExpiryTime"), 0);
}

static void
build_bridges(const struct network *n, struct netconf *nc)
{
	size_t	i;

	for (i = 0; i < n->n_nbridges && i < BRIDGES_MAX; i++)
		nc->nc_specialists[i] = SPECIALIST_BRIDGE | n->n_bridges[i];
	nc->nc_nspecialists = (unsigned)i;
}

static void
build_dns(const struct network *n, struct netconf *nc)
{
	char		 buf[VALUE_NUMBER];
	const json_t	*v, *servers;
	size_t		 i;

	v = net(n, "dns");
	if (!json_is_object(v))
		return;
	(void)strlcpy(nc->nc_dns_domain,
	    value_text(json_object_get(v, "domain"), "", buf),
	    sizeof(nc->nc_dns_domain));
	servers = json_object_get(v, "servers");
	for (i = 0; i < NETCONF_DNS && i < json_array_size(servers); i++)
		(void)value_addr(value_text(json_array_get(servers, i), "",
		    buf), &nc->nc_dns[i]);
}

/* For members without rules engine. */
static void
build_accept(struct netconf *nc)
{
	nc->nc_rules = xcalloc(1, sizeof(*nc->nc_rules));
	nc->nc_rules[0].r_t = ACTION_ACCEPT;
	nc->nc_nrules = 1;
}

static void
build_rules(const struct network *n, struct netconf *nc)
{
	if (n->n_nrules == 0)
		return;
	nc->nc_rules = xcalloc(n->n_nrules, sizeof(*nc->nc_rules));
	memcpy(nc->nc_rules, n->n_rules,
	    n->n_nrules * sizeof(*nc->nc_rules));
	nc->nc_nrules = n->n_nrules;
}

/*
 * Default capabilities go to devices that are seen for the first time and
 * let in at once, to nobody else.
 */
static void
build_capabilities(const struct network *n, json_t *record, bool fresh,
    struct netconf *nc)
{
	const json_t	*known, *cap;
	json_t		*held, *e;
	uint32_t	 id;
	size_t		 i;

	held = array_of(record, "capabilities");
	known = net(n, "capabilities");
	if (fresh)
		add_defaults(n, held);
	if (json_array_size(held) == 0 || json_array_size(known) == 0)
		return;
	nc->nc_caps = xcalloc(NETCONF_CAPS, sizeof(*nc->nc_caps));
	json_array_foreach(held, i, e) {
		if (nc->nc_ncaps == NETCONF_CAPS)
			break;
		id = (uint32_t)value_int(e, 0);
		if ((cap = capability_find(known, id)) != NULL)
			capability_issue(cap, id, nc);
	}
}

static void
add_defaults(const struct network *n, json_t *held)
{
	json_t	*e;
	size_t	 i;

	json_array_foreach(net(n, "capabilities"), i, e)
		if (value_bool(json_object_get(e, "default"), false))
			value_append(held, value_new_int(value_int(
			    json_object_get(e, "id"), 0)));
}

/* The last one with an id counts, as when they are posted. */
static const json_t *
capability_find(const json_t *known, uint32_t id)
{
	const json_t	*found = NULL;
	json_t		*e;
	size_t		 i;

	json_array_foreach(known, i, e)
		if (json_is_object(e) &&
		    (uint32_t)value_int(json_object_get(e, "id"), 0) == id)
			found = e;
	return (found);
}

static void
capability_issue(const json_t *cap, uint32_t id, struct netconf *nc)
{
	struct capability	*out = &nc->nc_caps[nc->nc_ncaps++];

	out->cap_nwid = nc->nc_nwid;
	out->cap_id = id;
	out->cap_maxcustody = 1;
	out->cap_nrules = rulejson_compile(json_object_get(cap, "rules"),
	    out->cap_rules, CAPABILITY_RULES);
}

static void
build_tags(const struct network *n, json_t *record, struct netconf *nc)
{
	struct keyed	 k;
	struct tag	*tag;
	size_t		 i;

	memset(&k, 0, sizeof(k));
	tags_of_member(n, record, &k);
	if (k.k_n > 0)
		nc->nc_tags = xcalloc(NETCONF_TAGS, sizeof(*nc->nc_tags));
	for (i = 0; i < k.k_n && i < NETCONF_TAGS; i++) {
		tag = &nc->nc_tags[nc->nc_ntags++];
		tag->tag_nwid = nc->nc_nwid;
		tag->tag_id = (uint32_t)k.k_e[i].ke_key;
		tag->tag_value = (uint32_t)value_int(k.k_e[i].ke_value, 0);
		tag->tag_to = nc->nc_to;
	}
	keyed_clear(&k);
}

/*
 * The member's own, sorted, then the network's defaults for what is
 * missing; those stay with the member.
 */
static void
tags_of_member(const struct network *n, json_t *record, struct keyed *k)
{
	json_t		*own, *e, *d, *pair;
	uint32_t	 id;
	size_t		 i, nown;

	own = array_of(record, "tags");
	json_array_foreach(own, i, e)
		if (json_array_size(e) == 2)
			keyed_add(k,
			    (uint32_t)value_int(json_array_get(e, 0), 0),
			    json_incref(json_array_get(e, 1)));
	keyed_sort(k);
	nown = k->k_n;
	json_array_foreach(net(n, "tags"), i, e) {
		d = json_object_get(e, "default");
		id = (uint32_t)value_int(json_object_get(e, "id"), 0);
		if (!json_is_number(d) || keyed_has(k, nown, id))
			continue;
		keyed_add(k, id, json_incref(d));
		pair = json_array();
		value_append(pair, value_new_int(id));
		value_append(pair, json_incref(d));
		value_append(own, pair);
	}
	keyed_sort(k);
}

/* Among the first n entries, which are sorted. */
static bool
keyed_has(const struct keyed *k, size_t n, uint64_t key)
{
	size_t	lo = 0, hi = n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (k->k_e[mid].ke_key == key)
			return (true);
		if (k->k_e[mid].ke_key < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (false);
}

/* One certificate for as many addresses as fit. */
static void
build_coo(struct netconf *nc)
{
	struct coo	*coo = &nc->nc_coos[0];
	unsigned	 i;

	if (nc->nc_nips == 0)
		return;
	coo->coo_nwid = nc->nc_nwid;
	coo->coo_id = 1;
	coo->coo_to = nc->nc_to;
	for (i = 0; i < nc->nc_nips && i < COO_THINGS; i++) {
		coo->coo_things[i].type = nc->nc_ips[i].ia_family == 4 ?
		    THING_IPV4 : THING_IPV6;
		memcpy(coo->coo_things[i].value, nc->nc_ips[i].ia_ip,
		    inet_iplen(&nc->nc_ips[i]));
		coo->coo_n++;
	}
	nc->nc_ncoos = 1;
}
