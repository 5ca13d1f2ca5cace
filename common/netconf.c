/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Network configurations as values: comparing, roles, the ones of ad-hoc
 * networks, and the meta-data with which one asks for them.
 * Spec: 03 sections 5, 6 and 8.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/dictionary.h"
#include "common/netconf.h"
#include "common/version.h"

#define ADHOC_DELTA		7200000	/* ms */
#define ADHOC_MCLIMIT		1024	/* of the IPv4 form */
#define ADHOC_RULES		14
#define METADATA_FORMAT		7	/* of the configuration */
#define METADATA_VENDOR		1

#define ETHERTYPE_V6		0x86dd
#define PROTO_TCP		6
#define PROTO_UDP		17
#define PROTO_ICMP6		58
#define TCP_SYN			0x02
#define TCP_ACK			0x10

/* The names that the protocol knows for what we were built for. */
#if defined(__linux__)
#define METADATA_OS		"linux"
#else
#define METADATA_OS		"bsd"
#endif
#if defined(__x86_64__)
#define METADATA_ARCH		"x86_64"
#elif defined(__i386__)
#define METADATA_ARCH		"x86"
#elif defined(__aarch64__)
#define METADATA_ARCH		"arm64"
#elif defined(__arm__)
#define METADATA_ARCH		"arm"
#elif defined(__mips__)
#define METADATA_ARCH		"mips"
#elif defined(__riscv)
#define METADATA_ARCH		"riscv"
#elif defined(__powerpc__)
#define METADATA_ARCH		"powerpc"
#elif defined(__s390x__)
#define METADATA_ARCH		"s390"
#elif defined(__loongarch__)
#define METADATA_ARCH		"loongarch"
#else
#define METADATA_ARCH		"unknown"
#endif

static bool	rule_equal(const struct rule *, const struct rule *);
static bool	same_fields(const struct netconf *, const struct netconf *);
static bool	same_lists(const struct netconf *, const struct netconf *);
static bool	same_credentials(const struct netconf *,
		    const struct netconf *);
static bool	same_sso(const struct netconf_sso *,
		    const struct netconf_sso *);
static void	adhoc_common(struct netconf *, uint64_t, uint64_t, int64_t);
static int	adhoc_ports(struct netconf *, uint64_t, uint64_t, int64_t);
static int	adhoc_ipv4(struct netconf *, uint64_t, uint64_t, int64_t);
static void	adhoc_port_rules(struct rule *, uint16_t, uint16_t);

void
netconf_clear(struct netconf *nc)
{
	free(nc->nc_caps);
	free(nc->nc_tags);
	free(nc->nc_rules);
	memset(nc, 0, sizeof(*nc));
}

bool
netconf_equal(const struct netconf *a, const struct netconf *b)
{
	return (same_fields(a, b) && same_lists(a, b) &&
	    same_credentials(a, b) && same_sso(&a->nc_sso, &b->nc_sso));
}

uint64_t
netconf_roles(const struct netconf *nc, uint64_t addr)
{
	uint64_t	roles = 0;
	unsigned	i;

	for (i = 0; i < nc->nc_nspecialists; i++) {
		if ((nc->nc_specialists[i] & ADDR_MASK) == addr)
			roles |= nc->nc_specialists[i];
	}
	return (roles & (SPECIALIST_BRIDGE | SPECIALIST_ANCHOR |
	    SPECIALIST_REPLICATOR));
}

int
netconf_adhoc(struct netconf *nc, uint64_t nwid, uint64_t addr, int64_t now)
{
	memset(nc, 0, sizeof(*nc));
	if (!nwid_adhoc(nwid))
		return (-1);
	if ((nwid & 0xffffff) == 0)
		return (adhoc_ports(nc, nwid, addr, now));
	if ((nwid & 0xff) == 0x01)
		return (adhoc_ipv4(nc, nwid, addr, now));
	return (-1);
}

size_t
netconf_metadata(uint8_t *dst)
{
	struct wbuf	wb;

	wbuf_init(&wb, dst, METADATA_MAX - 1);
	dict_put_u64(&wb, "v", METADATA_FORMAT);
	dict_put_u64(&wb, "vend", METADATA_VENDOR);
	dict_put_u64(&wb, "pv", ZT_PROTOCOL);
	dict_put_u64(&wb, "majv", ZT_MAJOR);
	dict_put_u64(&wb, "minv", ZT_MINOR);
	dict_put_u64(&wb, "revv", ZT_REVISION);
	dict_put_u64(&wb, "mr", RULES_MAX);
	dict_put_u64(&wb, "mc", NETCONF_CAPS);
	dict_put_u64(&wb, "mcr", CAPABILITY_RULES);
	dict_put_u64(&wb, "mt", NETCONF_TAGS);
	dict_put_u64(&wb, "f", 0);
	dict_put_u64(&wb, "revr", 1);
	dict_put_string(&wb, "o", METADATA_OS "/" METADATA_ARCH);
	return (wb.wb_len);
}

/* What counts is what goes on the wire, not how the union is padded. */
static bool
rule_equal(const struct rule *a, const struct rule *b)
{
	uint8_t		 abuf[32], bbuf[32];
	struct wbuf	 awb, bwb;

	wbuf_init(&awb, abuf, sizeof(abuf));
	wbuf_init(&bwb, bbuf, sizeof(bbuf));
	rules_put(&awb, a, 1);
	rules_put(&bwb, b, 1);
	return (awb.wb_len == bwb.wb_len &&
	    memcmp(abuf, bbuf, awb.wb_len) == 0);
}

static bool
same_fields(const struct netconf *a, const struct netconf *b)
{
	return (a->nc_nwid == b->nc_nwid && a->nc_ts == b->nc_ts &&
	    a->nc_delta == b->nc_delta && a->nc_revision == b->nc_revision &&
	    a->nc_to == b->nc_to &&
	    a->nc_trace_target == b->nc_trace_target &&
	    a->nc_trace_level == b->nc_trace_level &&
	    a->nc_flags == b->nc_flags && a->nc_mclimit == b->nc_mclimit &&
	    a->nc_public == b->nc_public && a->nc_mtu == b->nc_mtu &&
	    strcmp(a->nc_name, b->nc_name) == 0 &&
	    strcmp(a->nc_dns_domain, b->nc_dns_domain) == 0);
}

static bool
same_lists(const struct netconf *a, const struct netconf *b)
{
	unsigned	i;

	if (a->nc_nspecialists != b->nc_nspecialists ||
	    a->nc_nroutes != b->nc_nroutes || a->nc_nips != b->nc_nips ||
	    a->nc_nrules != b->nc_nrules)
		return (false);
	for (i = 0; i < a->nc_nspecialists; i++) {
		if (a->nc_specialists[i] != b->nc_specialists[i])
			return (false);
	}
	for (i = 0; i < a->nc_nroutes; i++) {
		const struct netconf_route	*r = &a->nc_routes[i];
		const struct netconf_route	*s = &b->nc_routes[i];

		if (!inet_equal(&r->nr_target, &s->nr_target) ||
		    !inet_equal(&r->nr_via, &s->nr_via) ||
		    r->nr_flags != s->nr_flags ||
		    r->nr_metric != s->nr_metric)
			return (false);
	}
	for (i = 0; i < a->nc_nips; i++) {
		if (!inet_equal(&a->nc_ips[i], &b->nc_ips[i]))
			return (false);
	}
	for (i = 0; i < NETCONF_DNS; i++) {
		if (!inet_equal(&a->nc_dns[i], &b->nc_dns[i]))
			return (false);
	}
	for (i = 0; i < a->nc_nrules; i++) {
		if (!rule_equal(&a->nc_rules[i], &b->nc_rules[i]))
			return (false);
	}
	return (true);
}

static bool
same_credentials(const struct netconf *a, const struct netconf *b)
{
	unsigned	i;

	if (a->nc_ncaps != b->nc_ncaps || a->nc_ntags != b->nc_ntags ||
	    a->nc_ncoos != b->nc_ncoos || !com_equal(&a->nc_com, &b->nc_com))
		return (false);
	for (i = 0; i < a->nc_ncaps; i++) {
		if (!capability_equal(&a->nc_caps[i], &b->nc_caps[i]))
			return (false);
	}
	for (i = 0; i < a->nc_ntags; i++) {
		if (!tag_equal(&a->nc_tags[i], &b->nc_tags[i]))
			return (false);
	}
	for (i = 0; i < a->nc_ncoos; i++) {
		if (!coo_equal(&a->nc_coos[i], &b->nc_coos[i]))
			return (false);
	}
	return (true);
}

static bool
same_sso(const struct netconf_sso *a, const struct netconf_sso *b)
{
	return (a->sso_version == b->sso_version &&
	    a->sso_enabled == b->sso_enabled &&
	    a->sso_expiry == b->sso_expiry &&
	    strcmp(a->sso_url, b->sso_url) == 0 &&
	    strcmp(a->sso_issuer, b->sso_issuer) == 0 &&
	    strcmp(a->sso_central, b->sso_central) == 0 &&
	    strcmp(a->sso_nonce, b->sso_nonce) == 0 &&
	    strcmp(a->sso_state, b->sso_state) == 0 &&
	    strcmp(a->sso_client, b->sso_client) == 0 &&
	    strcmp(a->sso_provider, b->sso_provider) == 0);
}

static void
adhoc_common(struct netconf *nc, uint64_t nwid, uint64_t addr, int64_t now)
{
	nc->nc_nwid = nwid;
	nc->nc_ts = now;
	nc->nc_delta = ADHOC_DELTA;
	nc->nc_revision = 1;
	nc->nc_to = addr;
	nc->nc_flags = NETCONF_NDP;
	nc->nc_public = true;
	nc->nc_mtu = NETCONF_MTU_DEFAULT;
	addr_6plane(&nc->nc_ips[nc->nc_nips++], nwid, addr);
}

/* ff SSSS EEEE 000000: IPv6 only, connections to these ports only. */
static int
adhoc_ports(struct netconf *nc, uint64_t nwid, uint64_t addr, int64_t now)
{
	uint16_t	start = nwid >> 40 & 0xffff;
	uint16_t	end = nwid >> 24 & 0xffff;

	if (end < start)
		return (1);
	if ((nc->nc_rules = calloc(ADHOC_RULES, sizeof(*nc->nc_rules))) ==
	    NULL)
		return (-1);
	adhoc_common(nc, nwid, addr, now);
	adhoc_port_rules(nc->nc_rules, start, end);
	nc->nc_nrules = ADHOC_RULES;
	(void)snprintf(nc->nc_name, sizeof(nc->nc_name), "adhoc-%04x-%04x",
	    (unsigned)start, (unsigned)end);
	return (0);
}

/* ff NN hhhhhhhhhh 01: IPv4 addresses in NN.0.0.0/8, everything allowed. */
static int
adhoc_ipv4(struct netconf *nc, uint64_t nwid, uint64_t addr, int64_t now)
{
	struct inet_addr	*ip;
	uint64_t		 hub = nwid >> 8 & ADDR_MASK;
	uint8_t			 net = nwid >> 48 & 0xff;

	if ((nc->nc_rules = calloc(1, sizeof(*nc->nc_rules))) == NULL)
		return (-1);
	adhoc_common(nc, nwid, addr, now);
	nc->nc_mclimit = ADHOC_MCLIMIT;
	ip = &nc->nc_ips[nc->nc_nips++];
	ip->ia_family = 4;
	ip->ia_port = 8;
	ip->ia_ip[0] = net;
	ip->ia_ip[1] = addr >> 16 & 0xff;
	ip->ia_ip[2] = addr >> 8 & 0xff;
	ip->ia_ip[3] = addr & 0xff;
	nc->nc_rules[0].r_t = ACTION_ACCEPT;
	nc->nc_nrules = 1;
	/* QUIRK: without a role, so that the hub is nothing special. */
	if (hub != 0)
		nc->nc_specialists[nc->nc_nspecialists++] = hub;
	(void)snprintf(nc->nc_name, sizeof(nc->nc_name), "adhoc-%u.0.0.0",
	    (unsigned)net);
	return (0);
}

static void
adhoc_port_rules(struct rule *r, uint16_t start, uint16_t end)
{
	/* Nothing but IPv6. */
	r->r_t = RULE_NOT | MATCH_ETHERTYPE;
	(r++)->r_u.ethertype = ETHERTYPE_V6;
	(r++)->r_t = ACTION_DROP;
	/* All of ICMP. */
	r->r_t = MATCH_IP_PROTOCOL;
	(r++)->r_u.ip_protocol = PROTO_ICMP6;
	(r++)->r_t = ACTION_ACCEPT;
	/* UDP and TCP to one of the ports. */
	r->r_t = MATCH_IP_PROTOCOL;
	(r++)->r_u.ip_protocol = PROTO_UDP;
	r->r_t = RULE_OR | MATCH_IP_PROTOCOL;
	(r++)->r_u.ip_protocol = PROTO_TCP;
	r->r_t = MATCH_IP_DEST_PORT_RANGE;
	r->r_u.range.start = start;
	(r++)->r_u.range.end = end;
	(r++)->r_t = ACTION_ACCEPT;
	/* Connections that exist, and the answers to new ones. */
	r->r_t = RULE_NOT | MATCH_CHARACTERISTICS;
	(r++)->r_u.characteristics = TCP_SYN;
	(r++)->r_t = ACTION_ACCEPT;
	r->r_t = MATCH_CHARACTERISTICS;
	(r++)->r_u.characteristics = TCP_SYN;
	r->r_t = MATCH_CHARACTERISTICS;
	(r++)->r_u.characteristics = TCP_ACK;
	(r++)->r_t = ACTION_ACCEPT;
	r->r_t = ACTION_DROP;
}
