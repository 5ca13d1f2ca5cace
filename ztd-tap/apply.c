/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Addresses, routes and name servers of one network on its tap.
 * Spec: 03 section 19.4, 06 sections 7 to 9.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "ztd-tap/apply.h"
#include "ztd-tap/dns.h"
#include "ztd-tap/pins.h"
#include "ztd-tap/refuse.h"

#define RESTORE_MS	30000	/* between putting back the same address */
#define DEFAULT_BITS	1	/* a default route, or half of one */

static unsigned	 wanted_addresses(const struct joined *, struct inet_addr *);
static bool	 has_addr(const struct inet_addr *, unsigned,
		    const struct inet_addr *);
static bool	 same_route(const struct policy_route *,
		    const struct policy_route *);
static unsigned	 wanted_routes(struct joined *, struct policy_route *);
static bool	 default_possible(struct joined *);
static unsigned	 default_families(const struct joined *);
static void	 want_pins(struct joined *, unsigned);
static void	 route_failed(struct joined *, const struct policy_route *);

void
apply_addresses(struct joined *j, bool again)
{
	struct netif_dev	*nd = &j->j_tap.t_dev;
	struct netif		*ni = j->j_parent->p_netif;
	struct inet_addr	 want[NETCONF_IPS], had[NETCONF_IPS];
	char			 text[INET_TEXT];
	unsigned		 i, nwant, nhad = j->j_naddrs;

	nwant = wanted_addresses(j, want);
	memcpy(had, j->j_addrs, sizeof(had));
	for (i = 0; i < nhad; i++) {
		if (has_addr(want, nwant, &had[i]))
			continue;
		if (netif_addr_del(ni, nd, &had[i]) == -1)
			log_warn("%s: cannot remove address %s", nd->nd_name,
			    inet_format(text, &had[i]));
		/* Linux may remove its neighbours in the prefix with it. */
		again = true;
	}
	j->j_naddrs = 0;
	for (i = 0; i < nwant; i++) {
		if (!again && has_addr(had, nhad, &want[i]))
			j->j_addrs[j->j_naddrs++] = want[i];
		else if (netif_addr_add(ni, nd, &want[i]) == 0)
			j->j_addrs[j->j_naddrs++] = want[i];
		else if (!j->j_warned)
			log_warn("%s: cannot set address %s", nd->nd_name,
			    inet_format(text, &want[i]));
	}
}

void
apply_routes(struct joined *j)
{
	struct netif_dev	*nd = &j->j_tap.t_dev;
	struct netif		*ni = j->j_parent->p_netif;
	struct policy_route	 want[POLICY_ROUTES];
	unsigned		 i, k, nwant, nhad = 0;
	char			 text[INET_TEXT];
	bool			 ours;

	nwant = wanted_routes(j, want);
	for (i = 0; i < j->j_nroutes; i++) {
		for (k = 0; k < nwant; k++)
			if (same_route(&j->j_routes[i], &want[k]))
				break;
		if (k < nwant)
			j->j_routes[nhad++] = j->j_routes[i];
		else if (netif_route_del(ni, nd, &j->j_routes[i]) == -1)
			log_warn("%s: cannot remove route to %s", nd->nd_name,
			    inet_format(text, &j->j_routes[i].pr_target));
	}
	j->j_nroutes = nhad;
	j->j_default = false;
	for (i = 0; i < nwant; i++) {
		for (k = 0, ours = false; k < j->j_nroutes && !ours; k++)
			ours = same_route(&j->j_routes[k], &want[i]);
		if (netif_route_add(ni, nd, &want[i]) == 0) {
			if (!ours)
				j->j_routes[j->j_nroutes++] = want[i];
			ours = true;
		} else if (!ours || errno != EEXIST)
			route_failed(j, &want[i]);
		if (ours && want[i].pr_default)
			j->j_default = true;
	}
	j->j_warned = true;
	/* Behind the routes that needed them. */
	if (j->j_pins != 0)
		want_pins(j, j->j_up && pins_needed(j->j_parent) ?
		    j->j_pins & default_families(j) : 0);
}

bool
apply_missing(struct joined *j)
{
	const struct msg_interface	*ifs;
	int64_t				 now = parent_now();
	unsigned			 i, k, n;

	if (!j->j_up || now - j->j_restored < RESTORE_MS)
		return (false);
	ifs = parent_ifs_of(j->j_parent->p_ifs, j->j_parent->p_nifs,
	    j->j_tap.t_dev.nd_index, &n);
	for (i = 0; i < j->j_naddrs; i++) {
		for (k = 0; k < n; k++)
			if (inet_equal(&ifs[k].mi_addr, &j->j_addrs[i]))
				break;
		if (k == n) {
			log_info("%s: addresses were removed and are put "
			    "back", j->j_tap.t_dev.nd_name);
			j->j_restored = now;
			return (true);
		}
	}
	return (false);
}

/*
 * With the link, not with being on-line: names that only the network knows
 * are not asked of others while we look for the way back.
 */
void
apply_dns(struct joined *j)
{
	struct dns_conf	 dc;
	bool		 good;

	if (!j->j_policy.po_dns || !j->j_up ||
	    j->j_want->mp_dns_domain[0] == '\0') {
		j->j_dns_bad = false;
		dns_unset(j->j_parent, j->j_nwid, false);
		return;
	}
	good = dns_conf_make(&dc, j->j_want->mp_dns_domain, j->j_want->mp_dns,
	    NETCONF_DNS);
	if (good)
		dns_set(j->j_parent, j->j_nwid, &j->j_tap.t_dev, &dc);
	else
		dns_unset(j->j_parent, j->j_nwid, false);
	if (!good && !j->j_dns_bad)
		log_warnx("%s: the network's domain is no name, or has no "
		    "server of use: %s", j->j_tap.t_dev.nd_name,
		    j->j_want->mp_dns_domain);
	j->j_dns_bad = !good;
}

void
apply_withdraw(struct joined *j)
{
	struct netif_dev	*nd = &j->j_tap.t_dev;
	struct netif		*ni = j->j_parent->p_netif;

	dns_unset(j->j_parent, j->j_nwid, true);
	while (j->j_nroutes > 0)
		(void)netif_route_del(ni, nd, &j->j_routes[--j->j_nroutes]);
	while (j->j_naddrs > 0)
		(void)netif_addr_del(ni, nd, &j->j_addrs[--j->j_naddrs]);
	j->j_default = false;
	if (j->j_pins != 0)
		want_pins(j, 0);
}

bool
apply_has(const struct joined *j, const struct inet_addr *ia)
{
	return (has_addr(j->j_addrs, j->j_naddrs, ia));
}

/* Not one that another interface had before: it would be lost there. */
static unsigned
wanted_addresses(const struct joined *j, struct inet_addr *want)
{
	unsigned	 i, n, kept = 0;

	n = policy_addresses(&j->j_policy, j->j_want->mp_ips,
	    j->j_want->mp_nips, want);
	for (i = 0; i < n; i++)
		if (apply_has(j, &want[i]) || refuse_address(j->j_parent,
		    j->j_tap.t_dev.nd_index, &want[i]) == NULL)
			want[kept++] = want[i];
	return (kept);
}

static bool
has_addr(const struct inet_addr *ips, unsigned n, const struct inet_addr *ia)
{
	unsigned	 i;

	for (i = 0; i < n; i++)
		if (inet_equal(&ips[i], ia))
			return (true);
	return (false);
}

static bool
same_route(const struct policy_route *a, const struct policy_route *b)
{
	return (inet_equal(&a->pr_target, &b->pr_target) &&
	    inet_equal(&a->pr_via, &b->pr_via) &&
	    inet_equal(&a->pr_src, &b->pr_src));
}

static unsigned
wanted_routes(struct joined *j, struct policy_route *want)
{
	struct parent		*p = j->j_parent;
	const struct msg_interface *ifs;
	struct inet_addr	 on[NETCONF_IPS + 32];
	unsigned		 i, n, non = j->j_naddrs, kept = 0;
	bool			 defaults;

	if (!j->j_up)
		return (0);
	memcpy(on, j->j_addrs, non * sizeof(*on));
	/* The operator may have put addresses of his own on it. */
	ifs = parent_ifs_of(p->p_ifs, p->p_nifs, j->j_tap.t_dev.nd_index, &n);
	for (i = 0; i < n && non < NETCONF_IPS + 32; i++)
		if (inet_scope(&ifs[i].mi_addr) != SCOPE_LINK_LOCAL &&
		    !has_addr(on, non, &ifs[i].mi_addr))
			on[non++] = ifs[i].mi_addr;
	/* Once there, it stays when we go off-line: nothing leaks out. */
	defaults = (p->p_online || j->j_default) && default_possible(j);
	n = policy_routes(&j->j_policy, j->j_want->mp_routes,
	    j->j_want->mp_nroutes, on, non, j->j_want->mp_ips,
	    j->j_want->mp_nips, defaults, want);
	/* Where another interface leads by itself, we do not. */
	for (i = 0; i < n; i++)
		if (refuse_target(p, j->j_tap.t_dev.nd_index,
		    &want[i].pr_target) == NULL &&
		    (want[i].pr_target.ia_port > DEFAULT_BITS ||
		    !pins_needed(p) || pins_ready(p)))
			want[kept++] = want[i];
	return (kept);
}

/*
 * Where sockets are bound to no device, the routes come when the engine's
 * addresses are pinned, and pins go behind them.
 */
static bool
default_possible(struct joined *j)
{
	struct parent	*p = j->j_parent;
	unsigned	 families = default_families(j);

	if (families == 0)
		return (false);
	if (pins_needed(p)) {
		want_pins(j, j->j_pins | families);
		return (pins_ready(p));
	}
	return (netif_default_possible(p->p_netif, !j->j_default &&
	    !j->j_warned));
}

/* Of which families there is a default route that we may take. */
static unsigned
default_families(const struct joined *j)
{
	const struct inet_addr	*target;
	unsigned		 families = 0;
	uint32_t		 i;

	for (i = 0; i < j->j_want->mp_nroutes; i++) {
		target = &j->j_want->mp_routes[i].nr_target;
		if (target->ia_port <= DEFAULT_BITS && policy_judge_route(
		    &j->j_policy, &j->j_want->mp_routes[i]) == POLICY_TAKEN)
			families |= target->ia_family == 4 ? PINS_4 : PINS_6;
	}
	return (families);
}

static void
want_pins(struct joined *j, unsigned families)
{
	unsigned	 before = j->j_pins;

	j->j_pins = families;
	if (families != before)
		pins_want(j->j_parent, before, families);
}

static void
route_failed(struct joined *j, const struct policy_route *pr)
{
	char	 target[INET_TEXT];
	int	 saved = errno;

	if (j->j_warned)
		return;
	inet_format(target, &pr->pr_target);
	errno = saved;
	if (errno == EEXIST)
		log_warnx("%s: a route to %s is there already; it is left "
		    "alone", j->j_tap.t_dev.nd_name, target);
	else
		log_warn("%s: cannot set route to %s", j->j_tap.t_dev.nd_name, target);
}
