/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Structs from API objects; see msgjson.h.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hex.h"
#include "common/reason.h"
#include "regress/lib/msgjson.h"

static const char *
str(json_t *v, const char *key)
{
	const char	*s;

	s = json_string_value(json_object_get(v, key));
	return (s != NULL ? s : "");
}

static int64_t
num(json_t *v, const char *key)
{
	return (json_integer_value(json_object_get(v, key)));
}

static bool
yes(json_t *v, const char *key)
{
	return (json_is_true(json_object_get(v, key)));
}

static uint64_t
mac_of(json_t *v, const char *key)
{
	unsigned	 b[6] = { 0 };
	uint64_t	 mac = 0;
	int		 i;

	(void)sscanf(str(v, key), "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2],
	    &b[3], &b[4], &b[5]);
	for (i = 0; i < 6; i++)
		mac = mac << 8 | (b[i] & 0xff);
	return (mac);
}

static uint32_t
addrs(struct inet_addr *dst, uint32_t max, json_t *list)
{
	json_t	*e;
	size_t	 i;

	json_array_foreach(list, i, e) {
		if (i < max)
			(void)inet_parse(json_string_value(e), &dst[i]);
	}
	return ((uint32_t)json_array_size(list));
}

static void
routes(struct msg_network_info *ni, json_t *list)
{
	const char	*via;
	json_t		*e;
	size_t		 i;

	json_array_foreach(list, i, e) {
		(void)inet_parse(str(e, "target"),
		    &ni->ni_routes[i].nr_target);
		via = str(e, "via");
		(void)inet_parse(via, &ni->ni_routes[i].nr_via);
		ni->ni_routes[i].nr_flags = (uint16_t)num(e, "flags");
		ni->ni_routes[i].nr_metric = (uint16_t)num(e, "metric");
	}
	ni->ni_nroutes = (uint32_t)json_array_size(list);
}

/* The number of a code, or of what a NAT is called. */
static uint32_t
reason_of(json_t *v)
{
	uint32_t	 r = 0;

	while (r < REASON_COUNT &&
	    strcmp(reason_code(r), str(v, "reason")) != 0)
		r++;
	return (r);
}

static uint32_t
nat_of(json_t *v, const char *key)
{
	uint32_t	 k = 0;

	while (k < NAT_COUNT && strcmp(nat_name(k), str(v, key)) != 0)
		k++;
	return (k);
}

void
network_from_json(struct msg_network_info *ni, json_t *v)
{
	static const char *const	 names[] = {
		"REQUESTING_CONFIGURATION", "OK", "ACCESS_DENIED",
		"NOT_FOUND", "PORT_ERROR", "CLIENT_TOO_OLD",
		"AUTHENTICATION_REQUIRED"
	};
	json_t				*e, *list;
	size_t				 i, n;

	memset(ni, 0, sizeof(*ni));
	ni->ni_nwid = strtoull(str(v, "id"), NULL, 16);
	ni->ni_mac = mac_of(v, "mac");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(str(v, "status"), names[i]) == 0)
			ni->ni_status = (uint32_t)i;
	}
	ni->ni_public = strcmp(str(v, "type"), "PUBLIC") == 0;
	ni->ni_mtu = (uint32_t)num(v, "mtu");
	ni->ni_bridge = yes(v, "bridge");
	ni->ni_broadcast = yes(v, "broadcastEnabled");
	ni->ni_port_error = (int32_t)num(v, "portError");
	ni->ni_revision = (uint64_t)num(v, "netconfRevision");
	(void)strlcpy(ni->ni_name, str(v, "name"), sizeof(ni->ni_name));
	ni->ni_nips = addrs(ni->ni_ips, NETCONF_IPS,
	    json_object_get(v, "assignedAddresses"));
	routes(ni, json_object_get(v, "routes"));
	/* In the wrong order: ztd-ctl sorts them. */
	list = json_object_get(v, "multicastSubscriptions");
	n = json_array_size(list);
	json_array_foreach(list, i, e) {
		ni->ni_groups[n - 1 - i].mg_mac = mac_of(e, "mac");
		ni->ni_groups[n - 1 - i].mg_adi = (uint32_t)num(e, "adi");
	}
	ni->ni_ngroups = (uint32_t)n;
	e = json_object_get(v, "dns");
	(void)strlcpy(ni->ni_dns_domain, str(e, "domain"),
	    sizeof(ni->ni_dns_domain));
	(void)addrs(ni->ni_dns, NETCONF_DNS, json_object_get(e, "servers"));
	ni->ni_sso = yes(v, "ssoEnabled");
	(void)strlcpy(ni->ni_auth_url, str(v, "authenticationURL"),
	    sizeof(ni->ni_auth_url));
	ni->ni_auth_expiry = (uint64_t)num(v, "authenticationExpiryTime");
	e = json_object_get(json_object_get(v, "ztd"), "clockOffset");
	ni->ni_clock_known = json_is_integer(e);
	ni->ni_clock = json_integer_value(e);
}

void
tap_from_json(struct msg_tap_info *ti, json_t *v)
{
	memset(ti, 0, sizeof(*ti));
	ti->ti_nwid = strtoull(str(v, "id"), NULL, 16);
	(void)strlcpy(ti->ti_device, str(v, "portDeviceName"),
	    sizeof(ti->ti_device));
	ti->ti_settings = (yes(v, "allowManaged") ? NETSET_MANAGED : 0) |
	    (yes(v, "allowGlobal") ? NETSET_GLOBAL : 0) |
	    (yes(v, "allowDefault") ? NETSET_DEFAULT : 0) |
	    (yes(v, "allowDNS") ? NETSET_DNS : 0);
	v = json_object_get(v, "ztd");
	ti->ti_error = *str(v, "portText") != '\0' ? ENOENT : 0;
	v = json_object_get(v, "dns");
	(void)strlcpy(ti->ti_dns_way, str(v, "by"), sizeof(ti->ti_dns_way));
	ti->ti_dns = strcmp(str(v, "state"), "failed") == 0 ?
	    DNSSTATE_FAILED : DNSSTATE_NONE;
}

void
peer_from_json(struct msg_peer_info *pe, json_t *v)
{
	struct msg_path_info	*pi;
	json_t			*e;
	size_t			 i;

	memset(pe, 0, sizeof(*pe));
	pe->pe_addr = strtoull(str(v, "address"), NULL, 16);
	pe->pe_vmajor = (int32_t)num(v, "versionMajor");
	pe->pe_vminor = (int32_t)num(v, "versionMinor");
	pe->pe_vrev = (int32_t)num(v, "versionRev");
	pe->pe_latency = (int32_t)num(v, "latency");
	pe->pe_role = strcmp(str(v, "role"), "PLANET") == 0 ? ROLE_PLANET :
	    strcmp(str(v, "role"), "MOON") == 0 ? ROLE_MOON : ROLE_LEAF;
	pe->pe_tunneled = yes(v, "tunneled");
	e = json_object_get(v, "ztd");
	pe->pe_reason = reason_of(e);
	pe->pe_relay = strtoull(str(e, "relay"), NULL, 16);
	pe->pe_candidates = (uint32_t)num(e, "candidates");
	pe->pe_last_try = (uint64_t)num(e, "lastTry");
	pe->pe_last_receive = (uint64_t)num(e, "lastReceive");
	pe->pe_switches = (uint32_t)num(e, "switches");
	pe->pe_packets[0] = (uint64_t)num(e, "packetsOut");
	pe->pe_packets[1] = (uint64_t)num(e, "packetsIn");
	pe->pe_clock = num(e, "clockOffset");
	pe->pe_clock_at = json_is_integer(json_object_get(e, "clockOffset"));
	json_array_foreach(json_object_get(v, "paths"), i, e) {
		if (i == PEERINFO_PATHS)
			break;
		pi = &pe->pe_paths[i];
		(void)inet_parse(str(e, "address"), &pi->pi_addr);
		pi->pi_local.ia_family = 4;
		pi->pi_local.ia_port = (uint16_t)(i + 1);
		pi->pi_last_send = (uint64_t)num(e, "lastSend");
		pi->pi_last_receive = (uint64_t)num(e, "lastReceive");
		pi->pi_trusted_id = (uint64_t)num(e, "trustedPathId");
		pi->pi_active = yes(e, "active");
		pi->pi_expired = yes(e, "expired");
		pi->pi_preferred = yes(e, "preferred");
		e = json_object_get(e, "ztd");
		pi->pi_reason = reason_of(e);
		pi->pi_latency = (int32_t)num(e, "latency");
		pi->pi_mtu = (uint32_t)num(e, "mtu");
		pe->pe_npaths++;
	}
}

void
moon_from_json(struct msg_moon_info *mo, json_t *v)
{
	json_t	*e;
	size_t	 i;

	memset(mo, 0, sizeof(*mo));
	mo->mo_id = strtoull(str(v, "id"), NULL, 16);
	mo->mo_ts = (uint64_t)num(v, "timestamp");
	mo->mo_waiting = yes(v, "waiting");
	(void)hex_decode(mo->mo_sig, str(v, "signature"), SIGNATURE_LEN);
	(void)hex_decode(mo->mo_update_key, str(v, "updatesMustBeSignedBy"),
	    IDENTITY_KEYS);
	json_array_foreach(json_object_get(v, "roots"), i, e) {
		if (i == 4)
			break;
		(void)strlcpy(mo->mo_roots[i].identity, str(e, "identity"),
		    sizeof(mo->mo_roots[i].identity));
		mo->mo_roots[i].nendpoints = addrs(mo->mo_roots[i].endpoints,
		    32, json_object_get(e, "stableEndpoints"));
		mo->mo_nroots++;
	}
}

void
root_from_json(struct msg_root_info *ro, json_t *v)
{
	memset(ro, 0, sizeof(*ro));
	ro->ro_addr = strtoull(str(v, "address"), NULL, 16);
	ro->ro_role = strcmp(str(v, "role"), "MOON") == 0 ? ROLE_MOON :
	    ROLE_PLANET;
	ro->ro_reason = reason_of(v);
	ro->ro_best = yes(v, "best");
	ro->ro_latency = (int32_t)num(v, "latency");
	ro->ro_last_receive = (uint64_t)num(v, "lastReceive");
	ro->ro_last_try = (uint64_t)num(v, "lastTry");
	(void)inet_parse(str(v, "surface4"), &ro->ro_surface[0]);
	(void)inet_parse(str(v, "surface6"), &ro->ro_surface[1]);
}

static void
reasons_from_json(struct msg_status *st, json_t *v)
{
	struct msg_counters	*mc = &st->st_counters;
	json_t			*c = json_object_get(v, "counters");

	st->st_reason = reason_of(v);
	st->st_stage = (uint32_t)num(v, "stage");
	st->st_last_root = (uint64_t)num(v, "lastRoot");
	st->st_nat[0] = nat_of(json_object_get(v, "nat"), "ipv4");
	st->st_nat[1] = nat_of(json_object_get(v, "nat"), "ipv6");
	st->st_portmap = strcmp(str(json_object_get(v, "portMapping"),
	    "state"), "off") == 0 ? PORTMAP_OFF : PORTMAP_NOT_BUILT;
	mc->mc_replays = (uint64_t)num(c, "replays");
	mc->mc_forged = (uint64_t)num(c, "forged");
	mc->mc_withheld = (uint64_t)num(c, "withheld");
	mc->mc_limited = (uint64_t)num(c, "limited");
	mc->mc_suspects = (uint64_t)num(c, "suspects");
	mc->mc_switches = (uint64_t)num(c, "switches");
	mc->mc_suspends = (uint64_t)num(c, "suspends");
	mc->mc_evicted = (uint64_t)num(c, "evicted");
	mc->mc_messages_dropped = (uint64_t)num(c, "messagesDropped");
	mc->mc_unasked = (uint64_t)num(c, "unasked");
	mc->mc_denied = (uint64_t)num(c, "denied");
	mc->mc_last_denied = (uint64_t)num(c, "lastDenied");
	mc->mc_bytes[0] = (uint64_t)num(c, "bytesOut");
	mc->mc_bytes[1] = (uint64_t)num(c, "bytesIn");
	/* Always for one reason. */
	c = json_array_get(json_object_get(v, "notBound"), 0);
	if (c != NULL) {
		(void)inet_parse(str(c, "address"), &st->st_failed[0].mf_addr);
		st->st_failed[0].mf_error = EADDRINUSE;
		st->st_nfailed = 1;
	}
}

void
status_from_json(struct msg_status *st, json_t *v)
{
	json_t	*s;

	s = json_object_get(json_object_get(v, "config"), "settings");
	memset(st, 0, sizeof(*st));
	st->st_addr = strtoull(str(v, "address"), NULL, 16);
	(void)strlcpy(st->st_public, str(v, "publicIdentity"),
	    sizeof(st->st_public));
	st->st_clock = (uint64_t)num(v, "clock");
	st->st_planet_id = (uint64_t)num(v, "planetWorldId");
	st->st_planet_ts = (uint64_t)num(v, "planetWorldTimestamp");
	st->st_online = yes(v, "online");
	st->st_primary_port = (uint16_t)num(s, "primaryPort");
	st->st_secondary_port = (uint16_t)num(s, "secondaryPort");
	st->st_tertiary_port = (uint16_t)num(s, "tertiaryPort");
	st->st_nlisten = addrs(st->st_listen, SURFACE_MAX,
	    json_object_get(s, "listeningOn"));
	st->st_nsurface = addrs(st->st_surface, SURFACE_MAX,
	    json_object_get(s, "surfaceAddresses"));
	reasons_from_json(st, json_object_get(v, "ztd"));
}
