/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The policy on managed addresses and routes (03 section 19), against
 * regress/vectors/addresses.json.
 */

#include <string.h>

#include "regress/lib/vectors.h"
#include "ztd-tap/policy.h"

static struct inet_addr
addr(const char *text)
{
	struct inet_addr	 ia;

	ATF_REQUIRE_EQ_MSG(0, inet_parse(text, &ia), "%s", text);
	return (ia);
}

static struct inet_addr
addr_of(json_t *str)
{
	return (addr(json_string_value(str)));
}

static unsigned
assigned_of(json_t *config, struct inet_addr *dst)
{
	json_t	*list, *item;
	size_t	 i;

	list = vectors_get(config, "assigned");
	ATF_REQUIRE(json_array_size(list) <= NETCONF_IPS);
	json_array_foreach(list, i, item)
		dst[i] = addr_of(item);
	return ((unsigned)json_array_size(list));
}

static unsigned
routes_of(json_t *config, struct netconf_route *dst)
{
	json_t	*list, *item;
	size_t	 i;

	list = vectors_get(config, "routes");
	ATF_REQUIRE(json_array_size(list) <= NETCONF_ROUTES);
	json_array_foreach(list, i, item) {
		memset(&dst[i], 0, sizeof(dst[i]));
		dst[i].nr_target = addr(vectors_str(item, "target"));
		dst[i].nr_via = addr(vectors_str(item, "via"));
	}
	return ((unsigned)json_array_size(list));
}

static void
policy_of(json_t *scenario, struct policy *po)
{
	json_t	*conf = vectors_get(scenario, "local_conf");

	if (json_is_null(conf))
		policy_init(po);
	else
		ATF_REQUIRE(policy_parse(po, json_string_value(conf),
		    json_string_length(conf)));
}

ATF_TC_WITHOUT_HEAD(allowed);
ATF_TC_BODY(allowed, tc)
{
	struct inet_addr	 target;
	struct policy		 po;
	json_t			*root, *v, *w;
	bool			 want;
	size_t			 i, k;

	root = vectors_load(tc, "addresses.json");
	json_array_foreach(vectors_array(root, "managed_allowed"), i, v) {
		policy_init(&po);
		po.po_managed = vectors_bool(v, "allowManaged");
		po.po_global = vectors_bool(v, "allowGlobal");
		po.po_default = vectors_bool(v, "allowDefault");
		json_array_foreach(vectors_get(v, "whitelist"), k, w)
			po.po_white[po.po_nwhite++] = addr_of(w);
		target = addr(vectors_str(v, "target"));
		want = vectors_bool(v, "allowed");
		ATF_CHECK_EQ_MSG(want, policy_allows(&po, &target),
		    "vector %zu: %s %d %d %d", i, vectors_str(v, "target"),
		    po.po_managed, po.po_global, po.po_default);
	}
	json_decref(root);
}

/* As good as a default route: stricter than the reference. */
ATF_TC_WITHOUT_HEAD(wide_targets);
ATF_TC_BODY(wide_targets, tc)
{
	struct inet_addr	 half = addr("128.0.0.0/1");
	struct inet_addr	 net8 = addr("9.0.0.0/8");
	struct inet_addr	 net7 = addr("8.0.0.0/7");
	struct inet_addr	 v6 = addr("2000::/3");
	struct policy		 po;

	policy_init(&po);
	po.po_global = true;
	ATF_CHECK(policy_allows(&po, &net8));
	ATF_CHECK(!policy_allows(&po, &net7));
	ATF_CHECK(!policy_allows(&po, &half));
	ATF_CHECK(!policy_allows(&po, &v6));
	po.po_default = true;
	ATF_CHECK(policy_allows(&po, &half));
	ATF_CHECK(policy_allows(&po, &v6));
	po.po_global = false;
	ATF_CHECK(!policy_allows(&po, &half));
}

/*
 * A private address in front of a prefix that reaches out of its range
 * takes what only allowGlobal may give.
 */
ATF_TC_WITHOUT_HEAD(reaching_out);
ATF_TC_BODY(reaching_out, tc)
{
	static const char *const bad[] = { "192.168.0.0/8", "172.16.0.0/8",
	    "172.24.3.1/11", "100.64.0.0/9", "192.168.0.0/15",
	    "198.18.0.0/14", "203.0.113.7/8", "fc00::/6", "fd00::1/5" };
	static const char *const good[] = { "10.0.0.0/8", "192.168.1.9/16",
	    "172.16.0.0/12", "100.64.0.0/10", "198.18.0.0/15", "11.2.3.4/8",
	    "203.0.113.0/24", "10.1.2.3/32", "fc00::/7", "fd12::3/128" };
	struct inet_addr	 ia;
	struct policy		 po;
	size_t			 i;

	policy_init(&po);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ia = addr(bad[i]);
		ATF_CHECK_MSG(!policy_allows(&po, &ia), "%s", bad[i]);
	}
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ia = addr(good[i]);
		ATF_CHECK_MSG(policy_allows(&po, &ia), "%s", good[i]);
	}
	po.po_global = true;
	ia = addr("192.168.0.0/8");
	ATF_CHECK(policy_allows(&po, &ia));
}

static bool
has_address(const struct inet_addr *list, unsigned n, const char *text)
{
	struct inet_addr	 ia = addr(text);
	unsigned		 i;

	for (i = 0; i < n; i++)
		if (inet_equal(&list[i], &ia))
			return (true);
	return (false);
}

/* The addresses of a scenario's first configuration. */
ATF_TC_WITHOUT_HEAD(scenario_addresses);
ATF_TC_BODY(scenario_addresses, tc)
{
	struct inet_addr	 ips[NETCONF_IPS], got[NETCONF_IPS];
	struct policy		 po;
	json_t			*root, *v, *config, *ops, *op;
	size_t			 i, k;
	unsigned		 n;

	root = vectors_load(tc, "addresses.json");
	json_array_foreach(vectors_array(root, "apply_scenarios"), i, v) {
		policy_of(v, &po);
		config = json_array_get(vectors_array(v, "configs"), 0);
		n = policy_addresses(&po, ips, assigned_of(config, ips),
		    got);
		ops = vectors_get(json_array_get(vectors_array(
		    vectors_get(v, "expect"), "steps"), 0),
		    "address_operations");
		ATF_CHECK_EQ_MSG(json_array_size(ops), n, "%s: %u addresses",
		    vectors_str(v, "name"), n);
		json_array_foreach(ops, k, op)
			ATF_CHECK_MSG(has_address(got, n,
			    json_string_value(op) + strlen("add ")), "%s: %s",
			    vectors_str(v, "name"), json_string_value(op));
	}
	json_decref(root);
}

static unsigned
common(const struct inet_addr *a, const struct inet_addr *b)
{
	unsigned	 n = 0;

	while (n < 128 && ((a->ia_ip[n / 8] ^ b->ia_ip[n / 8]) &
	    0x80 >> n % 8) == 0)
		n++;
	return (n);
}

static const struct policy_route *
route_for(const struct policy_route *r, unsigned n, struct inet_addr *target)
{
	struct inet_addr	 half[2];
	unsigned		 i;

	if (target->ia_port == 0) {
		policy_split(target, half);
		*target = half[0];
	}
	for (i = 0; i < n; i++)
		if (inet_equal(&r[i].pr_target, target))
			return (&r[i]);
	return (NULL);
}

static bool
config_has_via(json_t *config, const char *target, const char *via)
{
	json_t	*r;
	size_t	 i;

	json_array_foreach(vectors_get(config, "routes"), i, r)
		if (strcmp(vectors_str(r, "target"), target) == 0)
			return (strcmp(vectors_str(r, "via"), via) == 0);
	return (false);
}

/* What the vectors want, but for what we do better (03 section 19.4). */
static void
check_route(const char *name, json_t *want, json_t *config,
    const struct policy_route *got, unsigned ngot,
    const struct inet_addr *on, unsigned non)
{
	struct inet_addr		 target, src, via;
	const struct policy_route	*r;
	char				 ip[INET_TEXT];
	unsigned			 i;
	bool				 src_there = false;

	target = addr(vectors_str(want, "target"));
	r = route_for(got, ngot, &target);
	ATF_REQUIRE_MSG(r != NULL, "%s: no route to %s", name,
	    vectors_str(want, "target"));

	/* BETTER: a changed gateway is taken over. */
	inet_format_ip(ip, &r->pr_via);
	ATF_CHECK_MSG(config_has_via(config, vectors_str(want, "target"),
	    ip), "%s: %s goes via %s", name, vectors_str(want, "target"), ip);
	via = addr(vectors_str(want, "via"));
	ATF_CHECK_EQ_MSG(inet_isnil(&via), inet_isnil(&r->pr_via), "%s",
	    name);

	/* BETTER: only addresses that are on the interface; ties are free. */
	src = addr(vectors_str(want, "source"));
	for (i = 0; i < non; i++) {
		if (inet_same_ip(&on[i], &src))
			src_there = true;
		ATF_CHECK(on[i].ia_family != target.ia_family ||
		    common(&on[i], &target) <= common(&r->pr_src, &target));
	}
	ATF_CHECK_MSG(!src_there || common(&src, &target) ==
	    common(&r->pr_src, &target), "%s: source for %s", name,
	    vectors_str(want, "target"));
	for (i = 0; i < non; i++)
		if (inet_same_ip(&on[i], &r->pr_src))
			break;
	ATF_CHECK_MSG(i < non, "%s: source is not ours", name);
}

ATF_TC_WITHOUT_HEAD(scenario_routes);
ATF_TC_BODY(scenario_routes, tc)
{
	struct inet_addr	 ips[NETCONF_IPS], on[NETCONF_IPS];
	struct netconf_route	 routes[NETCONF_ROUTES];
	struct policy_route	 got[POLICY_ROUTES];
	struct policy		 po;
	json_t			*root, *v, *config, *wants, *want;
	const char		*name;
	size_t			 i, step, k;
	unsigned		 ngot, non, nips, halves;
	bool			 via;

	root = vectors_load(tc, "addresses.json");
	json_array_foreach(vectors_array(root, "apply_scenarios"), i, v) {
		name = vectors_str(v, "name");
		policy_of(v, &po);
		json_array_foreach(vectors_array(v, "configs"), step,
		    config) {
			nips = assigned_of(config, ips);
			non = policy_addresses(&po, ips, nips, on);
			ngot = policy_routes(&po, routes, routes_of(config,
			    routes), on, non, ips, nips,
			    vectors_bool(v, "node_online"), got);
			wants = vectors_get(json_array_get(vectors_array(
			    vectors_get(v, "expect"), "steps"), step),
			    "routes_synced_in_order");
			json_array_foreach(wants, k, want)
				check_route(name, want, config, got, ngot, on,
				    non);
			for (k = halves = 0, via = false; k < ngot; k++) {
				halves += got[k].pr_default;
				ATF_CHECK_MSG(!via ||
				    !inet_isnil(&got[k].pr_via),
				    "%s: on-link route behind others", name);
				via = !inet_isnil(&got[k].pr_via);
				ATF_CHECK(got[k].pr_target.ia_port != 0);
			}
			ATF_CHECK_EQ_MSG(json_array_size(wants),
			    ngot - halves / 2, "%s: %u routes", name, ngot);
		}
	}
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(split);
ATF_TC_BODY(split, tc)
{
	struct inet_addr	 net, left, right, half[2];
	json_t			*root, *v;
	size_t			 i;

	root = vectors_load(tc, "addresses.json");
	json_array_foreach(vectors_array(root, "route_split"), i, v) {
		/* Only prefix length 0 is ever split here. */
		net = addr(vectors_str(v, "target"));
		if (net.ia_port != 0)
			continue;
		left = addr(vectors_str(v, "left"));
		right = addr(vectors_str(v, "right"));
		policy_split(&net, half);
		ATF_CHECK(inet_equal(&half[0], &left));
		ATF_CHECK(inet_equal(&half[1], &right));
	}
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(settings);
ATF_TC_BODY(settings, tc)
{
	struct policy	 po;
	json_t		*root, *v, *set, *w;
	size_t		 i, k;

	root = vectors_load(tc, "addresses.json");
	json_array_foreach(vectors_array(root, "apply_scenarios"), i, v) {
		policy_of(v, &po);
		set = vectors_get(vectors_get(v, "expect"), "settings");
		ATF_CHECK_EQ(vectors_bool(set, "allowManaged"),
		    po.po_managed);
		ATF_CHECK_EQ(vectors_bool(set, "allowGlobal"), po.po_global);
		ATF_CHECK_EQ(vectors_bool(set, "allowDefault"),
		    po.po_default);
		ATF_CHECK_EQ(vectors_bool(set, "allowDNS"), po.po_dns);
		ATF_REQUIRE_EQ(json_array_size(vectors_get(set,
		    "whitelist")), po.po_nwhite);
		json_array_foreach(vectors_get(set, "whitelist"), k, w)
			ATF_CHECK(has_address(po.po_white, po.po_nwhite,
			    json_string_value(w)));
	}
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(file_text);
ATF_TC_BODY(file_text, tc)
{
	static const char	 list[] = "allowManaged=10.7.0.0/16,"
	    "192.168.0.0/16\nallowGlobal=0\nallowDefault=1\nallowDNS=0\n";
	struct policy		 po;
	char			 text[POLICY_TEXT];
	json_t			*root, *v, *set;

	root = vectors_load(tc, "addresses.json");
	v = vectors_get(root, "settings_file_written");
	set = vectors_get(v, "settings");
	policy_init(&po);
	po.po_managed = vectors_bool(set, "allowManaged");
	po.po_global = vectors_bool(set, "allowGlobal");
	po.po_default = vectors_bool(set, "allowDefault");
	po.po_dns = vectors_bool(set, "allowDNS");
	ATF_REQUIRE(policy_format(&po, text, sizeof(text)) > 0);
	ATF_CHECK_STREQ(vectors_str(v, "text"), text);
	json_decref(root);

	/* BETTER: a white list survives. */
	ATF_REQUIRE(policy_parse(&po, list, strlen(list)));
	ATF_REQUIRE_EQ((int)strlen(list), policy_format(&po, text,
	    sizeof(text)));
	ATF_CHECK_STREQ(list, text);
	ATF_CHECK_EQ(-1, policy_format(&po, text, 20));
}

/* A list that cannot be read must never open everything. */
ATF_TC_WITHOUT_HEAD(bad_list);
ATF_TC_BODY(bad_list, tc)
{
	static const char	 junk[] = "allowManaged=not-a-network";
	static const char	 half[] = "allowManaged=10.0.0.0/99,"
	    "10.1.0.0/16";
	struct inet_addr	 in = addr("10.1.2.3/24");
	struct inet_addr	 out = addr("10.2.2.3/24");
	struct policy		 po;

	ATF_CHECK(!policy_parse(&po, junk, strlen(junk)));
	ATF_CHECK(!policy_allows(&po, &in));
	ATF_CHECK(!policy_parse(&po, half, strlen(half)));
	ATF_CHECK(policy_allows(&po, &in));
	ATF_CHECK(!policy_allows(&po, &out));
}

static void
route(struct netconf_route *nr, const char *target, const char *via)
{
	memset(nr, 0, sizeof(*nr));
	nr->nr_target = addr(target);
	nr->nr_via = addr(via);
}

ATF_TC_WITHOUT_HEAD(odd_routes);
ATF_TC_BODY(odd_routes, tc)
{
	struct inet_addr	 on[1];
	struct netconf_route	 r[8];
	struct policy_route	 got[POLICY_ROUTES];
	struct policy		 po;

	policy_init(&po);
	on[0] = addr("10.7.1.5/16");
	route(&r[0], "192.168.1.0/24", "fd00::1");	/* other family */
	route(&r[1], "192.168.2.0/24", "224.0.0.1");	/* multicast */
	route(&r[2], "192.168.3.0/24", "10.7.1.5");	/* ourselves */
	route(&r[3], "192.168.4.77/24", "10.7.0.1");	/* host bits */
	route(&r[4], "192.168.4.0/24", "10.7.0.2");	/* second one */
	route(&r[5], "192.168.5.0/24", "10.7.0.1");
	r[5].nr_via.ia_port = 24;			/* no meaning */
	ATF_REQUIRE_EQ(2, policy_routes(&po, r, 6, on, 1, on, 1, true, got));
	ATF_CHECK_EQ(0, got[0].pr_target.ia_ip[3]);
	ATF_CHECK_EQ(1, got[0].pr_via.ia_ip[3]);
	ATF_CHECK_EQ(5, got[1].pr_target.ia_ip[2]);
	ATF_CHECK_EQ(0, got[1].pr_via.ia_port);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, allowed);
	ATF_TP_ADD_TC(tp, wide_targets);
	ATF_TP_ADD_TC(tp, reaching_out);
	ATF_TP_ADD_TC(tp, scenario_addresses);
	ATF_TP_ADD_TC(tp, scenario_routes);
	ATF_TP_ADD_TC(tp, split);
	ATF_TP_ADD_TC(tp, settings);
	ATF_TP_ADD_TC(tp, file_text);
	ATF_TP_ADD_TC(tp, bad_list);
	ATF_TP_ADD_TC(tp, odd_routes);
	return (atf_no_error());
}
