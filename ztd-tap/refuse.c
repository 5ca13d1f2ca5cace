/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What the engine asks for and does not get: what makes no sense, and what
 * the operator's policy or the host itself is in the way of.
 * Spec: 06 sections 1 and 8.1.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/log.h"
#include "ztd-tap/apply.h"
#include "ztd-tap/idfile.h"
#include "ztd-tap/refuse.h"

#define REFUSALS	(NETCONF_IPS + NETCONF_ROUTES + 1)

enum kind {
	KIND_ADDRESS,
	KIND_ROUTE,
	KIND_DNS
};

/* Reasons beyond those of enum policy_why. */
#define WHY_ELSEWHERE	100

struct refusal {
	enum kind	 re_kind;
	int		 re_why;
	struct inet_addr re_what;	/* KIND_DNS: the first server */
	char		 re_dev[16];	/* WHY_ELSEWHERE */
};

struct refusals {
	unsigned	 rs_n;
	struct refusal	 rs_list[REFUSALS];
};

static void	 collect(const struct joined *, struct refusals *);
static bool	 own_gateway(const struct msg_port *,
		    const struct inet_addr *);
static void	 put(struct refusals *, enum kind, int,
		    const struct inet_addr *, const struct msg_interface *);
static bool	 named(const struct refusals *, const struct refusal *);
static void	 name(const struct joined *, const struct refusal *);
static bool	 inet_sound(const struct inet_addr *, bool);

void
refuse_tell(struct joined *j)
{
	struct refusals	*now;
	unsigned	 i;

	now = xcalloc(1, sizeof(*now));
	if (j->j_want != NULL)
		collect(j, now);
	for (i = 0; i < now->rs_n; i++)
		if (j->j_refused == NULL ||
		    !named(j->j_refused, &now->rs_list[i]))
			name(j, &now->rs_list[i]);
	refuse_free(j);
	if (now->rs_n > 0)
		j->j_refused = now;
	else
		free(now);
}

bool
refuse_over(const struct joined *j)
{
	const struct refusals	*rs = j->j_refused;
	const struct refusal	*re;
	unsigned		 i, index = j->j_tap.t_dev.nd_index;

	for (i = 0; rs != NULL && i < rs->rs_n; i++) {
		re = &rs->rs_list[i];
		if (re->re_why == WHY_ELSEWHERE && (re->re_kind ==
		    KIND_ADDRESS ? refuse_address(j->j_parent, index,
		    &re->re_what) : refuse_target(j->j_parent, index,
		    &re->re_what)) == NULL)
			return (true);
	}
	return (false);
}

void
refuse_free(struct joined *j)
{
	free(j->j_refused);
	j->j_refused = NULL;
}

const struct msg_interface *
refuse_address(const struct parent *p, unsigned ifindex,
    const struct inet_addr *ia)
{
	unsigned	 i;

	for (i = 0; i < p->p_nifs; i++)
		if (p->p_ifs[i].mi_index != ifindex &&
		    inet_same_ip(&p->p_ifs[i].mi_addr, ia))
			return (&p->p_ifs[i]);
	return (NULL);
}

const struct msg_interface *
refuse_target(const struct parent *p, unsigned ifindex,
    const struct inet_addr *target)
{
	unsigned	 i;

	for (i = 0; i < p->p_nifs; i++)
		if (p->p_ifs[i].mi_index != ifindex &&
		    p->p_ifs[i].mi_addr.ia_port == target->ia_port &&
		    inet_contains(target, &p->p_ifs[i].mi_addr))
			return (&p->p_ifs[i]);
	return (NULL);
}

const char *
refuse_port(const struct parent *p, const struct msg_port *mp)
{
	static char	 why[128];
	uint64_t	 mac = mac_from_addr(idfile_addr(p), mp->mp_nwid);
	char		 text[INET_TEXT];
	uint32_t	 i;

	if (mp->mp_nwid == 0)
		return ("no network");
	if (mp->mp_nips > NETCONF_IPS || mp->mp_nroutes > NETCONF_ROUTES) {
		snprintf(why, sizeof(why), "%" PRIu32 " addresses, %" PRIu32
		    " routes", mp->mp_nips, mp->mp_nroutes);
		return (why);
	}
	if (mp->mp_mtu < NETCONF_MTU_MIN || mp->mp_mtu > NETCONF_MTU_MAX) {
		snprintf(why, sizeof(why), "an MTU of %" PRIu32, mp->mp_mtu);
		return (why);
	}
	if (mp->mp_mac != mac || mac_multicast(mp->mp_mac)) {
		snprintf(why, sizeof(why), "the MAC %012" PRIx64
		    ", which is not this node's", mp->mp_mac);
		return (why);
	}
	if (mp->mp_up > 1)
		return ("a link neither up nor down");
	for (i = 0; i < mp->mp_nips; i++) {
		if (inet_sound(&mp->mp_ips[i], true))
			continue;
		snprintf(why, sizeof(why), "the address %s, which is none",
		    inet_format(text, &mp->mp_ips[i]));
		return (why);
	}
	for (i = 0; i < mp->mp_nroutes; i++) {
		if (inet_sound(&mp->mp_routes[i].nr_target, true) &&
		    inet_sound(&mp->mp_routes[i].nr_via, false))
			continue;
		snprintf(why, sizeof(why), "a route to %s, which is none",
		    inet_format(text, &mp->mp_routes[i].nr_target));
		return (why);
	}
	for (i = 0; i < NETCONF_DNS; i++)
		if (!inet_sound(&mp->mp_dns[i], false))
			return ("a name server whose address is none");
	return (NULL);
}

static bool
inet_sound(const struct inet_addr *ia, bool net)
{
	size_t	 i;

	if (ia->ia_family != 0 && ia->ia_family != 4 && ia->ia_family != 6)
		return (false);
	for (i = inet_iplen(ia); i < sizeof(ia->ia_ip); i++)
		if (ia->ia_ip[i] != 0)
			return (false);
	return (!net || ia->ia_port <= inet_iplen(ia) * 8);
}

static void
collect(const struct joined *j, struct refusals *rs)
{
	const struct msg_port		*mp = j->j_want;
	const struct inet_addr		*ia;
	const struct msg_interface	*mi;
	unsigned			 index = j->j_tap.t_dev.nd_index;
	enum policy_why			 why;
	uint32_t			 i;

	for (i = 0; i < mp->mp_nips; i++) {
		ia = &mp->mp_ips[i];
		if ((why = policy_judge(&j->j_policy, ia)) != POLICY_TAKEN)
			put(rs, KIND_ADDRESS, why, ia, NULL);
		else if (!apply_has(j, ia) && (mi = refuse_address(
		    j->j_parent, index, ia)) != NULL)
			put(rs, KIND_ADDRESS, WHY_ELSEWHERE, ia, mi);
	}
	for (i = 0; i < mp->mp_nroutes; i++) {
		ia = &mp->mp_routes[i].nr_target;
		why = policy_judge_route(&j->j_policy, &mp->mp_routes[i]);
		if (why != POLICY_TAKEN)
			put(rs, KIND_ROUTE, why, ia, NULL);
		else if (!own_gateway(mp, &mp->mp_routes[i].nr_via) &&
		    (mi = refuse_target(j->j_parent, index, ia)) != NULL)
			put(rs, KIND_ROUTE, WHY_ELSEWHERE, ia, mi);
	}
	if (mp->mp_dns_domain[0] != '\0' && !j->j_policy.po_dns)
		put(rs, KIND_DNS, 0, &mp->mp_dns[0], NULL);
}

/* We are the gateway: nothing is to be installed here. */
static bool
own_gateway(const struct msg_port *mp, const struct inet_addr *via)
{
	uint32_t	 i;

	for (i = 0; i < mp->mp_nips; i++)
		if (!inet_isnil(via) && inet_same_ip(&mp->mp_ips[i], via))
			return (true);
	return (false);
}

static void
put(struct refusals *rs, enum kind kind, int why, const struct inet_addr *ia,
    const struct msg_interface *mi)
{
	struct refusal	*re = &rs->rs_list[rs->rs_n];

	memset(re, 0, sizeof(*re));
	re->re_kind = kind;
	re->re_why = why;
	re->re_what = *ia;
	if (mi != NULL)
		memcpy(re->re_dev, mi->mi_name, sizeof(re->re_dev) - 1);
	/* The same item twice is one. */
	if (!named(rs, re))
		rs->rs_n++;
}

static bool
named(const struct refusals *rs, const struct refusal *re)
{
	unsigned	 i;

	for (i = 0; i < rs->rs_n; i++)
		if (rs->rs_list[i].re_kind == re->re_kind &&
		    rs->rs_list[i].re_why == re->re_why &&
		    inet_equal(&rs->rs_list[i].re_what, &re->re_what) &&
		    strcmp(rs->rs_list[i].re_dev, re->re_dev) == 0)
			return (true);
	return (false);
}

static void
name(const struct joined *j, const struct refusal *re)
{
	const char	*what = re->re_kind == KIND_ROUTE ? "route" :
			    "address";
	char		 text[INET_TEXT];

	inet_format(text, &re->re_what);
	if (re->re_kind == KIND_DNS)
		log_info("network %016" PRIx64 ": its name servers for %s "
		    "are not used: allowDNS is off", j->j_nwid,
		    j->j_want->mp_dns_domain);
	else if (re->re_why == WHY_ELSEWHERE)
		log_warnx("network %016" PRIx64 ": the controller's %s %s is "
		    "not installed: interface %s has it", j->j_nwid, what,
		    text, re->re_dev);
	else
		log_info("network %016" PRIx64 ": the controller's %s %s is "
		    "not installed: %s", j->j_nwid, what, text,
		    policy_why_text((enum policy_why)re->re_why));
}
