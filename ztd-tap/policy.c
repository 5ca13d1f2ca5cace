/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What the operator permits a network to do to the host: a filter, and the
 * choice of routes.  Spec: 03 sections 19.1 to 19.4, 06 sections 8.1, 8.2.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/dictionary.h"
#include "ztd-tap/policy.h"

/* Fewer bits than these are as good as a default route. */
#define POLICY_MIN4	8
#define POLICY_MIN6	4

static bool	 flag(const char *, size_t, const char *);
static bool	 parse_list(struct policy *, char *);
static bool	 in_list(const struct policy *, const struct inet_addr *);
static bool	 is_default(const struct inet_addr *);
static bool	 is_inside(const struct inet_addr *);
static bool	 is_private(const struct inet_addr *);
static void	 mask(struct inet_addr *, unsigned);
static bool	 has_ip(const struct inet_addr *, unsigned,
		    const struct inet_addr *);
static unsigned	 common_bits(const struct inet_addr *,
		    const struct inet_addr *);
static const struct inet_addr *source_for(const struct inet_addr *,
		    const struct inet_addr *, unsigned);
static bool	 connected(const struct inet_addr *, const struct inet_addr *,
		    unsigned);
static bool	 usable_via(const struct inet_addr *,
		    const struct inet_addr *);

void
policy_init(struct policy *po)
{
	memset(po, 0, sizeof(*po));
	po->po_managed = true;
}

bool
policy_parse(struct policy *po, const char *text, size_t len)
{
	char	 managed[1024];

	policy_init(po);
	po->po_global = flag(text, len, "allowGlobal");
	po->po_default = flag(text, len, "allowDefault");
	po->po_dns = flag(text, len, "allowDNS");
	if (!dict_get_string(text, len, "allowManaged", managed,
	    sizeof(managed)) || *managed == '\0')
		return (true);
	if (strlen(managed) > 5)
		return (parse_list(po, managed));
	po->po_managed = strchr("1tT", managed[0]) != NULL;
	return (true);
}

int
policy_format(const struct policy *po, char *dst, size_t size)
{
	char		 list[1024], ip[INET_TEXT];
	unsigned	 i;
	int		 n;

	strlcpy(list, po->po_managed ? "1" : "0", sizeof(list));
	if (po->po_managed && po->po_nwhite > 0) {
		list[0] = '\0';
		for (i = 0; i < po->po_nwhite; i++) {
			if (i > 0)
				strlcat(list, ",", sizeof(list));
			inet_format(ip, &po->po_white[i]);
			if (strlcat(list, ip, sizeof(list)) >= sizeof(list))
				return (-1);
		}
	}
	n = snprintf(dst, size, "allowManaged=%s\nallowGlobal=%d\n"
	    "allowDefault=%d\nallowDNS=%d\n", list, po->po_global,
	    po->po_default, po->po_dns);
	return (n < 0 || (size_t)n >= size ? -1 : n);
}

enum policy_why
policy_judge(const struct policy *po, const struct inet_addr *ia)
{
	unsigned	 least;

	if (inet_isnil(ia))
		return (POLICY_KIND);
	if (!po->po_managed)
		return (POLICY_MANAGED);
	if (po->po_nwhite > 0 && !in_list(po, ia))
		return (POLICY_LIST);
	if (is_default(ia))
		return (po->po_default ? POLICY_TAKEN : POLICY_DEFAULT);
	/* 128.0.0.0/1 and its like take what only a default may take. */
	least = ia->ia_family == 4 ? POLICY_MIN4 : POLICY_MIN6;
	if (ia->ia_port < least && !(po->po_default && po->po_global))
		return (POLICY_WIDE);
	switch (inet_scope(ia)) {
	case SCOPE_NONE:
	case SCOPE_MULTICAST:
	case SCOPE_LOOPBACK:
	case SCOPE_LINK_LOCAL:
		return (POLICY_KIND);
	case SCOPE_GLOBAL:
		return (po->po_global ? POLICY_TAKEN : POLICY_GLOBAL);
	default:
		/* 192.168.0.0/8 has a private address and takes 192/8. */
		return (po->po_global || is_inside(ia) ? POLICY_TAKEN :
		    POLICY_GLOBAL);
	}
}

bool
policy_allows(const struct policy *po, const struct inet_addr *ia)
{
	return (policy_judge(po, ia) == POLICY_TAKEN);
}

enum policy_why
policy_judge_route(const struct policy *po, const struct netconf_route *nr)
{
	enum policy_why	 why;

	why = policy_judge(po, &nr->nr_target);
	if (why == POLICY_TAKEN && !usable_via(&nr->nr_target, &nr->nr_via))
		why = POLICY_VIA;
	return (why);
}

const char *
policy_why_text(enum policy_why why)
{
	switch (why) {
	case POLICY_TAKEN:
		return ("taken");
	case POLICY_MANAGED:
		return ("allowManaged is off");
	case POLICY_LIST:
		return ("it is not in the list of allowManaged");
	case POLICY_DEFAULT:
		return ("allowDefault is off");
	case POLICY_WIDE:
		return ("so wide a network needs allowDefault and "
		    "allowGlobal");
	case POLICY_KIND:
		return ("no network may give such an address");
	case POLICY_GLOBAL:
		return ("allowGlobal is off");
	case POLICY_VIA:
		return ("its gateway cannot be one");
	}
	return ("unknown");
}

unsigned
policy_addresses(const struct policy *po, const struct inet_addr *ips,
    unsigned n, struct inet_addr *dst)
{
	unsigned	 i, j, count = 0;

	for (i = 0; i < n && count < NETCONF_IPS; i++) {
		if (!policy_allows(po, &ips[i]))
			continue;
		/* The same address with another prefix cannot be had too. */
		for (j = 0; j < count; j++)
			if (inet_same_ip(&dst[j], &ips[i]))
				break;
		if (j == count)
			dst[count++] = ips[i];
	}
	return (count);
}

unsigned
policy_routes(const struct policy *po, const struct netconf_route *routes,
    unsigned nroutes, const struct inet_addr *on, unsigned non,
    const struct inet_addr *assigned, unsigned nassigned, bool defaults,
    struct policy_route *dst)
{
	const struct netconf_route	*nr;
	const struct inet_addr		*src;
	struct policy_route		 pr;
	struct inet_addr		 seen[NETCONF_ROUTES], half[2];
	unsigned			 pass, i, j, nseen, count = 0;

	/* On-link routes first: gateways may lie behind them. */
	for (pass = 0; pass < 2; pass++) {
		nseen = 0;
		for (i = 0; i < nroutes && i < NETCONF_ROUTES; i++) {
			nr = &routes[i];
			memset(&pr, 0, sizeof(pr));
			pr.pr_target = nr->nr_target;
			pr.pr_via = nr->nr_via;
			pr.pr_via.ia_port = 0;
			if (!policy_allows(po, &pr.pr_target))
				continue;
			mask(&pr.pr_target, pr.pr_target.ia_port);
			pr.pr_default = is_default(&pr.pr_target);
			if (!usable_via(&pr.pr_target, &pr.pr_via) ||
			    has_ip(on, non, &pr.pr_via) ||
			    has_ip(assigned, nassigned, &pr.pr_via))
				continue;
			if ((src = source_for(&pr.pr_target, on, non)) == NULL)
				continue;
			if (connected(&pr.pr_target, on, non))
				continue;
			if (pr.pr_default && !defaults)
				continue;
			/* Of two routes to one target the first counts. */
			for (j = 0; j < nseen; j++)
				if (inet_equal(&seen[j], &pr.pr_target))
					break;
			if (j < nseen)
				continue;
			seen[nseen++] = pr.pr_target;
			if (inet_isnil(&pr.pr_via) != (pass == 0))
				continue;
			pr.pr_src = *src;
			pr.pr_src.ia_port = 0;
			if (!pr.pr_default) {
				dst[count++] = pr;
				continue;
			}
			/* Halves win over the physical default, which stays. */
			policy_split(&pr.pr_target, half);
			pr.pr_target = half[0];
			dst[count++] = pr;
			pr.pr_target = half[1];
			dst[count++] = pr;
		}
	}
	return (count);
}

void
policy_split(const struct inet_addr *net, struct inet_addr half[2])
{
	unsigned	 bits = net->ia_port;

	half[0] = half[1] = *net;
	mask(&half[0], bits);
	mask(&half[1], bits);
	half[0].ia_port = half[1].ia_port = (uint16_t)(bits + 1);
	half[1].ia_ip[bits / 8] |= 0x80 >> bits % 8;
}

static bool
flag(const char *text, size_t len, const char *key)
{
	char	 v[16];

	return (dict_get_string(text, len, key, v, sizeof(v)) &&
	    *v != '\0' && strchr("1tT", v[0]) != NULL);
}

/*
 * A list that holds nothing usable must not become "no list", which would
 * allow everything: nothing is then managed.
 */
static bool
parse_list(struct policy *po, char *list)
{
	struct inet_addr	 ia;
	char			*item;
	bool			 good = true;

	while ((item = strsep(&list, ",")) != NULL) {
		if (*item == '\0')
			continue;
		if (po->po_nwhite == POLICY_WHITELIST ||
		    inet_parse(item, &ia) == -1 || inet_isnil(&ia) ||
		    ia.ia_port > inet_iplen(&ia) * 8) {
			good = false;
			continue;
		}
		po->po_white[po->po_nwhite++] = ia;
	}
	if (po->po_nwhite == 0)
		po->po_managed = good = false;
	return (good);
}

/*
 * IPv6 entries with host bits set contain nothing, as the reference has it:
 * they are written with zero host bits.
 */
static bool
in_list(const struct policy *po, const struct inet_addr *ia)
{
	const struct inet_addr	*w;
	struct inet_addr	 masked;
	unsigned		 i;

	for (i = 0; i < po->po_nwhite; i++) {
		w = &po->po_white[i];
		if (w->ia_port > ia->ia_port || !inet_contains(w, ia))
			continue;
		masked = *w;
		mask(&masked, w->ia_port);
		if (w->ia_family == 6 && !inet_same_ip(&masked, w))
			continue;
		return (true);
	}
	return (false);
}

static bool
is_default(const struct inet_addr *ia)
{
	static const uint8_t	 zero[16];

	return (ia->ia_port == 0 && memcmp(ia->ia_ip, zero, 16) == 0);
}

/* All of its prefix is private: the first and the last address of it. */
static bool
is_inside(const struct inet_addr *ia)
{
	struct inet_addr	 first = *ia, last = *ia;
	size_t			 i;

	mask(&first, ia->ia_port);
	for (i = 0; i < inet_iplen(ia); i++)
		if (8 * i >= ia->ia_port)
			last.ia_ip[i] = 0xff;
		else if (8 * i + 8 > ia->ia_port)
			last.ia_ip[i] |= 0xff >> ia->ia_port % 8;
	return (is_private(&first) && is_private(&last));
}

static bool
is_private(const struct inet_addr *ia)
{
	enum inet_scope	 scope = inet_scope(ia);

	return (scope == SCOPE_PRIVATE || scope == SCOPE_PSEUDOPRIVATE ||
	    scope == SCOPE_SHARED);
}

/* Clear the host bits. */
static void
mask(struct inet_addr *ia, unsigned bits)
{
	unsigned	 i;

	for (i = 0; i < sizeof(ia->ia_ip); i++) {
		if (bits >= 8) {
			bits -= 8;
			continue;
		}
		ia->ia_ip[i] &= (uint8_t)(0xff00 >> bits);
		bits = 0;
	}
}

static bool
has_ip(const struct inet_addr *ips, unsigned n, const struct inet_addr *ia)
{
	unsigned	 i;

	for (i = 0; i < n; i++)
		if (!inet_isnil(ia) && inet_same_ip(&ips[i], ia))
			return (true);
	return (false);
}

static unsigned
common_bits(const struct inet_addr *a, const struct inet_addr *b)
{
	unsigned	 n, max = (unsigned)inet_iplen(a) * 8;

	for (n = 0; n < max; n++)
		if (((a->ia_ip[n / 8] ^ b->ia_ip[n / 8]) & 0x80 >> n % 8) != 0)
			break;
	return (n);
}

/* Our address nearest to the target, the greater one of two as near. */
static const struct inet_addr *
source_for(const struct inet_addr *target, const struct inet_addr *on,
    unsigned non)
{
	const struct inet_addr	*best = NULL;
	unsigned		 i, n, most = 0;

	for (i = 0; i < non; i++) {
		if (on[i].ia_family != target->ia_family)
			continue;
		n = common_bits(target, &on[i]);
		if (best == NULL || n > most ||
		    (n == most && inet_cmp(&on[i], best) > 0)) {
			best = &on[i];
			most = n;
		}
	}
	return (best);
}

/* The system made this route with one of our addresses. */
static bool
connected(const struct inet_addr *target, const struct inet_addr *on,
    unsigned non)
{
	unsigned	 i;

	for (i = 0; i < non; i++)
		if (on[i].ia_port == target->ia_port &&
		    inet_contains(target, &on[i]))
			return (true);
	return (false);
}

static bool
usable_via(const struct inet_addr *target, const struct inet_addr *via)
{
	if (inet_isnil(via))
		return (true);
	if (via->ia_family != target->ia_family)
		return (false);
	switch (inet_scope(via)) {
	case SCOPE_NONE:
	case SCOPE_MULTICAST:
	case SCOPE_LOOPBACK:
		return (false);
	default:
		return (true);
	}
}
