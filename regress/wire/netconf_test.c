/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Network configurations against vectors/netconf.json and the ad-hoc part of
 * vectors/addresses.json.  The plain dictionaries of the former are in
 * dictionary_test, the chunks in netconf_chunk_test.
 */

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/netconf.h"
#include "regress/lib/vectors.h"

static uint64_t
get_addr(json_t *v, const char *key)
{
	uint64_t	addr;

	ATF_REQUIRE_EQ(0, addr_parse(vectors_str(v, key), &addr));
	return (addr);
}

static json_t *
get_list(json_t *v, const char *key)
{
	json_t	*all;

	all = vectors_get(v, key);
	ATF_REQUIRE_MSG(json_is_array(all), "\"%s\" is no list", key);
	return (all);
}

/* Text of an address, "" for nil, is the same as in the vector. */
static void
check_ip(const char *want, const struct inet_addr *ia)
{
	char	text[INET_TEXT];

	ATF_CHECK_STREQ(want, inet_format(text, ia));
}

/* What was written is what the hex string says. */
static void
check_bytes(json_t *hex, const struct wbuf *wb)
{
	uint8_t	*want;
	size_t	 len;

	ATF_REQUIRE(wbuf_ok(wb));
	want = vectors_hex_alloc(hex, &len);
	ATF_CHECK_EQ(len, wb->wb_len);
	ATF_CHECK(len == wb->wb_len && memcmp(want, wb->wb_base, len) == 0);
	free(want);
}

static void
check_scalars(json_t *f, const struct netconf *nc)
{
	ATF_CHECK_EQ(vectors_hexu64(f, "network_id"), nc->nc_nwid);
	ATF_CHECK_EQ((int64_t)vectors_u64(f, "credential_time_max_delta"),
	    nc->nc_delta);
	ATF_CHECK_EQ(vectors_u64(f, "revision"), nc->nc_revision);
	ATF_CHECK_EQ(get_addr(f, "issued_to"), nc->nc_to);
	ATF_CHECK_EQ(get_addr(f, "remote_trace_target"),
	    nc->nc_trace_target);
	ATF_CHECK_EQ(vectors_u64(f, "remote_trace_level"),
	    nc->nc_trace_level);
	ATF_CHECK_EQ(vectors_hexu64(f, "flags"), nc->nc_flags);
	ATF_CHECK_EQ(vectors_u64(f, "mtu"), nc->nc_mtu);
	ATF_CHECK_EQ(vectors_u64(f, "multicast_limit"), nc->nc_mclimit);
	ATF_CHECK_EQ(vectors_u64(f, "type"), nc->nc_public ? 1 : 0);
	ATF_CHECK_STREQ(vectors_str(f, "name"), nc->nc_name);
}

static void
check_lists(json_t *f, const struct netconf *nc)
{
	struct wbuf	 wb;
	uint8_t		*buf;
	json_t		*v, *all;
	size_t		 i;

	all = get_list(f, "specialists");
	ATF_REQUIRE_EQ(json_array_size(all), nc->nc_nspecialists);
	json_array_foreach(all, i, v)
		ATF_CHECK_EQ(strtoull(json_string_value(v), NULL, 16),
		    nc->nc_specialists[i]);
	all = get_list(f, "routes");
	ATF_REQUIRE_EQ(json_array_size(all), nc->nc_nroutes);
	json_array_foreach(all, i, v) {
		check_ip(vectors_str(v, "target"),
		    &nc->nc_routes[i].nr_target);
		check_ip(vectors_str(v, "via"), &nc->nc_routes[i].nr_via);
		ATF_CHECK_EQ(vectors_u64(v, "flags"),
		    nc->nc_routes[i].nr_flags);
		ATF_CHECK_EQ(vectors_u64(v, "metric"),
		    nc->nc_routes[i].nr_metric);
	}
	all = get_list(f, "static_ips");
	ATF_REQUIRE_EQ(json_array_size(all), nc->nc_nips);
	json_array_foreach(all, i, v)
		check_ip(json_string_value(v), &nc->nc_ips[i]);
	ATF_CHECK_EQ(vectors_u64(f, "rule_count"), nc->nc_nrules);
	ATF_REQUIRE((buf = malloc(NETCONF_CAPACITY)) != NULL);
	wbuf_init(&wb, buf, NETCONF_CAPACITY);
	rules_put(&wb, nc->nc_rules, nc->nc_nrules);
	check_bytes(vectors_get(f, "rules"), &wb);
	free(buf);
}

static void
check_credentials(json_t *f, const struct netconf *nc)
{
	struct wbuf	 wb;
	uint8_t		 buf[CAPABILITY_MAX];
	json_t		*v, *all;
	size_t		 i;

	v = vectors_get(f, "com");
	if (json_is_null(v))
		ATF_CHECK_EQ(0, nc->nc_com.com_n);
	else {
		wbuf_init(&wb, buf, sizeof(buf));
		com_put(&wb, &nc->nc_com);
		check_bytes(v, &wb);
	}
	all = get_list(f, "capabilities");
	ATF_REQUIRE_EQ(json_array_size(all), nc->nc_ncaps);
	json_array_foreach(all, i, v) {
		ATF_CHECK_EQ(vectors_u64(v, "id"), nc->nc_caps[i].cap_id);
		wbuf_init(&wb, buf, sizeof(buf));
		capability_put(&wb, &nc->nc_caps[i]);
		check_bytes(vectors_get(v, "blob"), &wb);
	}
	all = get_list(f, "tags");
	ATF_REQUIRE_EQ(json_array_size(all), nc->nc_ntags);
	json_array_foreach(all, i, v) {
		ATF_CHECK_EQ(vectors_u64(v, "id"), nc->nc_tags[i].tag_id);
		ATF_CHECK_EQ(vectors_u64(v, "value"),
		    nc->nc_tags[i].tag_value);
		wbuf_init(&wb, buf, sizeof(buf));
		tag_put(&wb, &nc->nc_tags[i]);
		check_bytes(vectors_get(v, "blob"), &wb);
	}
	all = get_list(f, "certificates_of_ownership");
	ATF_REQUIRE_EQ(json_array_size(all), nc->nc_ncoos);
	json_array_foreach(all, i, v) {
		wbuf_init(&wb, buf, sizeof(buf));
		coo_put(&wb, &nc->nc_coos[i]);
		check_bytes(v, &wb);
	}
}

static void
check_dns(json_t *f, const struct netconf *nc)
{
	json_t	*v, *all, *dns;
	size_t	 i;

	dns = vectors_get(f, "dns");
	ATF_CHECK_STREQ(vectors_str(dns, "domain"), nc->nc_dns_domain);
	all = get_list(dns, "servers");
	ATF_REQUIRE(json_array_size(all) <= NETCONF_DNS);
	json_array_foreach(all, i, v)
		check_ip(json_string_value(v), &nc->nc_dns[i]);
	for (; i < NETCONF_DNS; i++)
		ATF_CHECK(inet_isnil(&nc->nc_dns[i]));
}

/*
 * The vectors say provider "default" where there is no SSO of version 1; we
 * keep it empty there, as it has no meaning.
 */
static void
check_sso(json_t *f, const struct netconf_sso *sso)
{
	json_t	*v = vectors_get(f, "sso");

	ATF_CHECK_EQ(vectors_bool(v, "enabled"), sso->sso_enabled);
	ATF_CHECK_EQ(vectors_u64(v, "version"), sso->sso_version);
	ATF_CHECK_STREQ(vectors_str(v, "authentication_url"), sso->sso_url);
	ATF_CHECK_EQ(vectors_u64(v, "authentication_expiry_time"),
	    sso->sso_expiry);
	ATF_CHECK_STREQ(vectors_str(v, "issuer_url"), sso->sso_issuer);
	ATF_CHECK_STREQ(vectors_str(v, "central_auth_url"),
	    sso->sso_central);
	ATF_CHECK_STREQ(vectors_str(v, "nonce"), sso->sso_nonce);
	ATF_CHECK_STREQ(vectors_str(v, "state"), sso->sso_state);
	ATF_CHECK_STREQ(vectors_str(v, "client_id"), sso->sso_client);
	if (sso->sso_version == 1)
		ATF_CHECK_STREQ(vectors_str(v, "provider"),
		    sso->sso_provider);
	else {
		ATF_CHECK_STREQ("default", vectors_str(v, "provider"));
		ATF_CHECK_STREQ("", sso->sso_provider);
	}
}

static void
check_fields(json_t *f, const struct netconf *nc)
{
	check_scalars(f, nc);
	ATF_CHECK_EQ((int64_t)vectors_u64(f, "timestamp"), nc->nc_ts);
	check_lists(f, nc);
	check_credentials(f, nc);
	check_dns(f, nc);
	check_sso(f, &nc->nc_sso);
}

static struct netconf *
netconf_new(void)
{
	struct netconf	*nc;

	/* Not zeroed: decoding must not depend on what was there. */
	ATF_REQUIRE((nc = malloc(sizeof(*nc))) != NULL);
	memset(nc, 0xa5, sizeof(*nc));
	return (nc);
}

static void
netconf_drop(struct netconf *nc)
{
	netconf_clear(nc);
	free(nc);
}

/* Nothing is left of a configuration that was refused. */
static void
check_empty(const struct netconf *nc)
{
	static const struct netconf	zero;

	ATF_CHECK_EQ(0, memcmp(nc, &zero, sizeof(zero)));
}

/* What we write of it decodes to the same. */
static void
check_round(const struct netconf *nc)
{
	struct netconf	*again = netconf_new();
	uint8_t		*d;
	size_t		 len;

	ATF_REQUIRE((d = netconf_encode(nc, &len)) != NULL);
	ATF_CHECK(memchr(d, '\0', len) == NULL);
	ATF_CHECK_STREQ("", netconf_decode(again, d, len) == NULL ? "" :
	    "refused");
	ATF_CHECK(netconf_equal(nc, again));
	netconf_drop(again);
	free(d);
}

/* Put together of parts encoded before, it is the same. */
static void
check_shared(const struct netconf *nc, const uint8_t *d, size_t len)
{
	static struct netconf_room	 room;
	struct netconf_shared		*ns;
	const uint8_t			*p;
	uint8_t				*creds;
	size_t				 n;

	ATF_REQUIRE((ns = netconf_share(nc, &room)) != NULL);
	ATF_REQUIRE((p = netconf_credentials(nc, &room, &n)) != NULL);
	ATF_REQUIRE((creds = malloc(n + 1)) != NULL);
	memcpy(creds, p, n);
	p = netconf_encode_shared(nc, ns, creds, n, &room, &n);
	ATF_REQUIRE(p != NULL);
	ATF_CHECK_EQ(len, n);
	ATF_CHECK(len == n && memcmp(d, p, n) == 0);
	free(creds);
	free(ns);
}

/* What a controller fills in though SSO of version 1 is off. */
static void
fill_sso(struct netconf_sso *sso)
{
	strlcpy(sso->sso_issuer, "https://i.example",
	    sizeof(sso->sso_issuer));
	strlcpy(sso->sso_central, "https://c.example",
	    sizeof(sso->sso_central));
	strlcpy(sso->sso_nonce, "nn", sizeof(sso->sso_nonce));
	strlcpy(sso->sso_state, "ss", sizeof(sso->sso_state));
	strlcpy(sso->sso_client, "cc", sizeof(sso->sso_client));
	strlcpy(sso->sso_provider, "azure", sizeof(sso->sso_provider));
}

/* Real configurations: all fields, and back to the same bytes. */
ATF_TC_WITHOUT_HEAD(configs);
ATF_TC_BODY(configs, tc)
{
	struct netconf	*nc = netconf_new();
	const char	*error;
	uint8_t		*d, *p;
	json_t		*root, *v;
	size_t		 i, len, n;

	root = vectors_load(tc, "netconf.json");
	json_array_foreach(vectors_array(root, "configs"), i, v) {
		p = vectors_hex_alloc(vectors_get(v, "text_hex"), &len);
		ATF_CHECK_EQ(vectors_u64(v, "length"), len);
		ATF_CHECK(vectors_bool(v, "accepted"));
		error = netconf_decode(nc, p, len);
		ATF_REQUIRE_MSG(error == NULL, "%s: %s",
		    vectors_str(v, "name"), error);
		check_fields(vectors_get(v, "fields"), nc);
		check_round(nc);
		if (strcmp(vectors_str(v, "name"),
		    "sso_version_1_disabled") == 0)
			fill_sso(&nc->nc_sso);
		ATF_REQUIRE((d = netconf_encode(nc, &n)) != NULL);
		ATF_CHECK_EQ_MSG(len, n, "%s", vectors_str(v, "name"));
		ATF_CHECK_MSG(len == n && memcmp(d, p, n) == 0, "%s",
		    vectors_str(v, "name"));
		check_shared(nc, d, n);
		free(d);
		free(p);
		netconf_clear(nc);
	}
	netconf_drop(nc);
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(config_parse_cases);
ATF_TC_BODY(config_parse_cases, tc)
{
	struct netconf	*nc = netconf_new();
	const char	*error;
	uint8_t		*p;
	json_t		*root, *v;
	size_t		 i, len;
	unsigned	 good = 0, bad = 0;

	root = vectors_load(tc, "netconf.json");
	json_array_foreach(vectors_array(root, "config_parse_cases"), i, v) {
		p = vectors_hex_alloc(vectors_get(v, "text_hex"), &len);
		error = netconf_decode(nc, p, len);
		if (vectors_bool(v, "accepted")) {
			ATF_CHECK_MSG(error == NULL, "%s: %s",
			    vectors_str(v, "name"), error);
			check_fields(vectors_get(v, "fields"), nc);
			check_round(nc);
			good++;
		} else {
			ATF_CHECK_MSG(error != NULL, "%s was accepted",
			    vectors_str(v, "name"));
			check_empty(nc);
			bad++;
		}
		free(p);
		netconf_clear(nc);
	}
	ATF_CHECK(good > 0 && bad > 0);
	free(nc);
	json_decref(root);
}

/* Cut anywhere it is refused or decoded, but never read past: for ASan. */
ATF_TC_WITHOUT_HEAD(truncated);
ATF_TC_BODY(truncated, tc)
{
	struct netconf	*nc = netconf_new();
	uint8_t		*cut, *p;
	json_t		*root, *all;
	size_t		 i, len, n;

	root = vectors_load(tc, "netconf.json");
	all = vectors_array(root, "configs");
	for (i = 0; i < 2; i++) {
		p = vectors_hex_alloc(vectors_get(json_array_get(all, i),
		    "text_hex"), &len);
		for (n = 0; n < len; n++) {
			ATF_REQUIRE((cut = malloc(n == 0 ? 1 : n)) != NULL);
			memcpy(cut, p, n);
			if (netconf_decode(nc, cut, n) != NULL)
				check_empty(nc);
			netconf_clear(nc);
			free(cut);
		}
		free(p);
	}
	free(nc);
	json_decref(root);
}

static const char *
decode_text(struct netconf *nc, const char *text)
{
	return (netconf_decode(nc, text, strlen(text)));
}

/* Old keys are refused alone and ignored beside the new ones. */
ATF_TC_WITHOUT_HEAD(old_generation);
ATF_TC_BODY(old_generation, tc)
{
	static const char *const texts[] = {
		"old_only_text", "old_only_minimal_text"
	};
	struct netconf	*nc = netconf_new();
	uint8_t		*p;
	json_t		*root, *old, *v;
	size_t		 i, len;

	root = vectors_load(tc, "netconf.json");
	old = vectors_get(root, "old_generation");

	p = vectors_hex_alloc(vectors_get(old, "with_both_generations"),
	    &len);
	v = vectors_get(old, "both_generations_result_in_1_14_1");
	ATF_CHECK(vectors_bool(v, "accepted"));
	ATF_REQUIRE(netconf_decode(nc, p, len) == NULL);
	check_fields(vectors_get(v, "fields"), nc);
	netconf_clear(nc);
	free(p);

	v = vectors_get(old, "old_only_result_in_1_14_1");
	ATF_CHECK(!vectors_bool(v, "accepted"));
	p = vectors_hex_alloc(vectors_get(old, "old_only_version_5"), &len);
	ATF_CHECK(netconf_decode(nc, p, len) != NULL);
	check_empty(nc);
	free(p);
	for (i = 0; i < 2; i++) {
		ATF_CHECK(decode_text(nc, vectors_str(old, texts[i])) !=
		    NULL);
		check_empty(nc);
	}
	free(nc);
	json_decref(root);
}

/* The last entry names the system; all others are as in the vector. */
ATF_TC_WITHOUT_HEAD(request_metadata);
ATF_TC_BODY(request_metadata, tc)
{
	uint8_t		 buf[METADATA_MAX];
	const char	*want, *last;
	json_t		*root;
	size_t		 len, same;

	root = vectors_load(tc, "netconf.json");
	want = vectors_str(vectors_get(root, "request_metadata"), "text");
	ATF_REQUIRE((last = strstr(want, "\no=")) != NULL);
	same = (size_t)(last - want) + 3;
	len = netconf_metadata(buf);
	ATF_REQUIRE(len > same && len < METADATA_MAX);
	ATF_CHECK_EQ(0, memcmp(want, buf, same));
	ATF_CHECK(memchr(buf + same, '/', len - same) != NULL);
#if defined(__linux__) && defined(__x86_64__)
	ATF_CHECK_EQ(strlen(want), len);
	ATF_CHECK_EQ(0, memcmp(want, buf, len));
#endif
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(limits);
ATF_TC_BODY(limits, tc)
{
	json_t	*root, *v;

	root = vectors_load(tc, "netconf.json");
	v = vectors_get(root, "limits");
	ATF_CHECK_EQ(vectors_u64(v, "config_dictionary_capacity_bytes"),
	    NETCONF_CAPACITY);
	ATF_CHECK_EQ(vectors_u64(v, "request_metadata_capacity_bytes"),
	    METADATA_MAX);
	ATF_CHECK_EQ(vectors_u64(v, "controller_chunk_data_bytes"),
	    NETCONF_CHUNK);
	/* A block and its OK fit a packet. */
	ATF_CHECK(28 + 9 + NETCONF_BLOCK_MAX <=
	    vectors_u64(v, "max_packet_bytes"));
	json_decref(root);
}

/* Every difference is seen; so is that there is none. */
ATF_TC_WITHOUT_HEAD(equal);
ATF_TC_BODY(equal, tc)
{
	struct netconf	*a = netconf_new(), *b = netconf_new();
	uint8_t		*p;
	json_t		*root, *all;
	size_t		 len;

	root = vectors_load(tc, "netconf.json");
	all = vectors_array(root, "configs");
	p = vectors_hex_alloc(vectors_get(json_array_get(all, 0),
	    "text_hex"), &len);
	ATF_REQUIRE(netconf_decode(a, p, len) == NULL);
	ATF_REQUIRE(netconf_decode(b, p, len) == NULL);
	ATF_REQUIRE(a->nc_nrules > 0 && a->nc_ntags > 0 && a->nc_ncaps > 0 &&
	    a->nc_ncoos > 0 && a->nc_nips > 0 && a->nc_nroutes > 0 &&
	    a->nc_nspecialists > 0 && a->nc_com.com_n > 0);
	ATF_CHECK(netconf_equal(a, b));
#define DIFFERS(field) do {						\
		b->field ^= 1;						\
		ATF_CHECK_MSG(!netconf_equal(a, b), #field);		\
		b->field ^= 1;						\
		ATF_CHECK(netconf_equal(a, b));				\
	} while (0)
	DIFFERS(nc_nwid);
	DIFFERS(nc_ts);
	DIFFERS(nc_delta);
	DIFFERS(nc_revision);
	DIFFERS(nc_to);
	DIFFERS(nc_trace_target);
	DIFFERS(nc_trace_level);
	DIFFERS(nc_flags);
	DIFFERS(nc_mclimit);
	DIFFERS(nc_public);
	DIFFERS(nc_name[0]);
	DIFFERS(nc_mtu);
	DIFFERS(nc_com.com_q[0].value);
	DIFFERS(nc_com.com_sig[95]);
	DIFFERS(nc_caps[0].cap_custody[0].sig[5]);
	DIFFERS(nc_tags[0].tag_value);
	DIFFERS(nc_coos[0].coo_things[0].value[0]);
	DIFFERS(nc_specialists[0]);
	DIFFERS(nc_routes[0].nr_target.ia_ip[0]);
	DIFFERS(nc_routes[0].nr_metric);
	DIFFERS(nc_ips[0].ia_port);
	DIFFERS(nc_rules[0].r_u.ethertype);
	DIFFERS(nc_nips);
	DIFFERS(nc_dns_domain[0]);
	DIFFERS(nc_dns[0].ia_ip[3]);
	DIFFERS(nc_sso.sso_enabled);
	DIFFERS(nc_sso.sso_expiry);
	DIFFERS(nc_sso.sso_url[0]);
	DIFFERS(nc_sso.sso_provider[0]);
#undef DIFFERS
	netconf_drop(a);
	netconf_drop(b);
	free(p);
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(roles);
ATF_TC_BODY(roles, tc)
{
	struct netconf	*nc;

	(void)tc;
	ATF_REQUIRE((nc = calloc(1, sizeof(*nc))) != NULL);
	nc->nc_specialists[0] = SPECIALIST_BRIDGE | 0x1122334455;
	nc->nc_specialists[1] = 0x8000000000000000ULL | 0x5544332211;
	nc->nc_specialists[2] = SPECIALIST_ANCHOR | 0x1122334455;
	nc->nc_nspecialists = 3;
	ATF_CHECK_EQ(SPECIALIST_BRIDGE | SPECIALIST_ANCHOR,
	    netconf_roles(nc, 0x1122334455));
	ATF_CHECK_EQ(0, netconf_roles(nc, 0x5544332211));
	ATF_CHECK_EQ(0, netconf_roles(nc, 0x1122334456));
	netconf_drop(nc);
}

/*
 * Capabilities and tags come out by ascending id, those with one id in the
 * order they came.  BETTER: no more than 128 of each are taken.
 */
ATF_TC_WITHOUT_HEAD(list_limits);
ATF_TC_BODY(list_limits, tc)
{
	const unsigned	 n = NETCONF_TAGS + 2;
	struct netconf	*nc, *got = netconf_new();
	uint8_t		*d;
	size_t		 len;
	unsigned	 i;

	(void)tc;
	ATF_REQUIRE((nc = calloc(1, sizeof(*nc))) != NULL);
	nc->nc_tags = calloc(n, sizeof(*nc->nc_tags));
	nc->nc_caps = calloc(n, sizeof(*nc->nc_caps));
	ATF_REQUIRE(nc->nc_tags != NULL && nc->nc_caps != NULL);
	nc->nc_nwid = nc->nc_to = 1;
	nc->nc_ntags = nc->nc_ncaps = n;
	for (i = 0; i < n; i++) {
		nc->nc_tags[i].tag_id = nc->nc_caps[i].cap_id = (n - i) / 2;
		nc->nc_tags[i].tag_value = i;
		nc->nc_caps[i].cap_ts = i;
		nc->nc_caps[i].cap_maxcustody = 1;
	}
	ATF_REQUIRE((d = netconf_encode(nc, &len)) != NULL);
	ATF_REQUIRE(netconf_decode(got, d, len) == NULL);
	ATF_CHECK_EQ(NETCONF_TAGS, got->nc_ntags);
	ATF_CHECK_EQ(NETCONF_CAPS, got->nc_ncaps);
	for (i = 1; i < NETCONF_TAGS; i++) {
		const struct tag	*t = &got->nc_tags[i];
		const struct capability	*c = &got->nc_caps[i];

		ATF_CHECK(t[0].tag_id > t[-1].tag_id ||
		    (t[0].tag_id == t[-1].tag_id &&
		    t[0].tag_value == t[-1].tag_value + 1));
		ATF_CHECK(c[0].cap_id > c[-1].cap_id ||
		    (c[0].cap_id == c[-1].cap_id &&
		    c[0].cap_ts == c[-1].cap_ts + 1));
	}
	free(d);
	netconf_drop(got);
	netconf_drop(nc);
}

/* A configuration that would not fit is not written at all. */
ATF_TC_WITHOUT_HEAD(too_big);
ATF_TC_BODY(too_big, tc)
{
	struct netconf	*nc;
	unsigned	 i, k;
	size_t		 len;

	(void)tc;
	ATF_REQUIRE((nc = calloc(1, sizeof(*nc))) != NULL);
	nc->nc_caps = calloc(NETCONF_CAPS, sizeof(*nc->nc_caps));
	ATF_REQUIRE(nc->nc_caps != NULL);
	nc->nc_nwid = nc->nc_to = 1;
	nc->nc_mtu = NETCONF_MTU_DEFAULT;
	for (i = 0; i < NETCONF_CAPS; i++) {
		nc->nc_caps[i].cap_nrules = CAPABILITY_RULES;
		nc->nc_caps[i].cap_maxcustody = CAPABILITY_CUSTODY;
		nc->nc_caps[i].cap_ncustody = CAPABILITY_CUSTODY;
		for (k = 0; k < CAPABILITY_RULES; k++)
			nc->nc_caps[i].cap_rules[k].r_t =
			    MATCH_INTEGER_RANGE;
		for (k = 0; k < CAPABILITY_CUSTODY; k++)
			nc->nc_caps[i].cap_custody[k].to = 1;
	}
	/* Nearly all of it is zero bytes, which take two each. */
	nc->nc_ncaps = NETCONF_CAPS;
	ATF_CHECK(netconf_encode(nc, &len) == NULL);
	nc->nc_ncaps = NETCONF_CAPS / 2;
	check_round(nc);
	netconf_drop(nc);
}

/* --- ad-hoc --- */

static void
check_adhoc(json_t *v, const struct netconf *nc, int64_t now)
{
	json_t	*f = vectors_get(v, "config");

	ATF_CHECK(vectors_bool(v, "timestamp_is_local_clock_at_derivation"));
	ATF_CHECK_EQ(now, nc->nc_ts);
	check_scalars(f, nc);
	check_lists(f, nc);
	ATF_CHECK_EQ(0, nc->nc_com.com_n);
	ATF_CHECK_EQ(0, nc->nc_ncaps + nc->nc_ntags + nc->nc_ncoos);
	ATF_CHECK_STREQ("", nc->nc_dns_domain);
}

ATF_TC_WITHOUT_HEAD(adhoc);
ATF_TC_BODY(adhoc, tc)
{
	static const struct {
		const char	*status;
		int		 result;
	} results[] = {
		{ "OK", 0 }, { "NOT_FOUND", 1 },
		{ "REQUESTING_CONFIGURATION", -1 }
	};
	const int64_t	 now = 1795000000000;
	struct netconf	*nc = netconf_new();
	json_t		*root, *v;
	size_t		 i;
	unsigned	 seen[3] = { 0, 0, 0 };
	int		 k, result;

	root = vectors_load(tc, "addresses.json");
	json_array_foreach(vectors_array(root, "ad_hoc"), i, v) {
		result = netconf_adhoc(nc, vectors_hexu64(v, "network_id"),
		    get_addr(v, "node_address"), now);
		for (k = 0; k < 3; k++) {
			if (strcmp(vectors_str(v, "status"),
			    results[k].status) == 0)
				break;
		}
		ATF_REQUIRE(k < 3);
		seen[k]++;
		ATF_CHECK_EQ_MSG(results[k].result, result, "%s",
		    vectors_str(v, "network_id"));
		if (result == 0)
			check_adhoc(v, nc, now);
		else {
			ATF_CHECK(json_is_null(vectors_get(v, "config")));
			check_empty(nc);
		}
		netconf_clear(nc);
	}
	ATF_CHECK(seen[0] > 0 && seen[1] > 0 && seen[2] > 0);
	ATF_CHECK_EQ(-1, netconf_adhoc(nc, 0xc92b8a6a74000001ULL,
	    0x297a839394, now));
	free(nc);
	json_decref(root);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, configs);
	ATF_TP_ADD_TC(tp, config_parse_cases);
	ATF_TP_ADD_TC(tp, truncated);
	ATF_TP_ADD_TC(tp, old_generation);
	ATF_TP_ADD_TC(tp, request_metadata);
	ATF_TP_ADD_TC(tp, limits);
	ATF_TP_ADD_TC(tp, equal);
	ATF_TP_ADD_TC(tp, roles);
	ATF_TP_ADD_TC(tp, list_limits);
	ATF_TP_ADD_TC(tp, too_big);
	ATF_TP_ADD_TC(tp, adhoc);
	return (atf_no_error());
}
