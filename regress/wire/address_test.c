/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Addresses, MACs, derived IPv6 addresses, interface names and scopes against
 * vectors/addresses.json.
 */

#include <stdio.h>
#include <string.h>

#include "common/address.h"
#include "common/hex.h"
#include "regress/lib/vectors.h"

ATF_TC_WITHOUT_HEAD(mac);
ATF_TC_BODY(mac, tc)
{
	char		 text[MAC_TEXT], back[ADDR_TEXT];
	json_t		*root, *v;
	size_t		 i;
	uint64_t	 nwid, addr, mac;

	root = vectors_load(tc, "addresses.json");
	json_array_foreach(vectors_array(root, "mac"), i, v) {
		ATF_REQUIRE_EQ(0, nwid_parse(vectors_str(v, "network_id"),
		    &nwid));
		ATF_REQUIRE_EQ(0, addr_parse(vectors_str(v, "address"),
		    &addr));
		mac = mac_from_addr(addr, nwid);
		ATF_CHECK_EQ(vectors_hexu64(v, "mac"), mac);
		ATF_CHECK_STREQ(vectors_str(v, "mac_text"),
		    mac_format(text, mac));
		ATF_CHECK_EQ(vectors_u64(v, "first_octet"), mac >> 40);
		ATF_CHECK(!mac_multicast(mac));
		ATF_CHECK_EQ(addr, mac_to_addr(mac, nwid));
		ATF_CHECK_STREQ(vectors_str(v, "back_to_address"),
		    addr_format(back, mac_to_addr(mac, nwid)));
	}
	json_decref(root);
}

/* Both kinds of derived address: bytes, text and prefix length. */
static void
check_derived(const atf_tc_t *tc, const char *section,
    void (*derive)(struct inet_addr *, uint64_t, uint64_t))
{
	char			 text[INET_TEXT];
	uint8_t			 ip[16];
	struct inet_addr	 ia, parsed;
	json_t			*root, *v;
	size_t			 i;

	root = vectors_load(tc, "addresses.json");
	json_array_foreach(vectors_array(root, section), i, v) {
		/* Derivation fills all of it, holes included. */
		memset(&ia, 0xa5, sizeof(ia));
		derive(&ia, vectors_hexu64(v, "network_id"),
		    vectors_hexu64(v, "address"));
		vectors_hexn(v, "bytes", ip, sizeof(ip));
		ATF_CHECK_EQ(6, ia.ia_family);
		ATF_CHECK_EQ(0, memcmp(ip, ia.ia_ip, sizeof(ip)));
		ATF_CHECK_STREQ(vectors_str(v, "ip"),
		    inet_format(text, &ia));
		ATF_CHECK_EQ(0, inet_parse(text, &parsed));
		ATF_CHECK_EQ(0, memcmp(&parsed, &ia, sizeof(ia)));
	}
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(rfc4193);
ATF_TC_BODY(rfc4193, tc)
{
	check_derived(tc, "rfc4193", addr_rfc4193);
}

ATF_TC_WITHOUT_HEAD(sixplane);
ATF_TC_BODY(sixplane, tc)
{
	check_derived(tc, "sixplane", addr_6plane);
}

ATF_TC_WITHOUT_HEAD(controller);
ATF_TC_BODY(controller, tc)
{
	char		 text[ADDR_TEXT], again[NWID_TEXT];
	const char	*id;
	json_t		*root, *v;
	size_t		 i;
	uint64_t	 nwid;

	root = vectors_load(tc, "addresses.json");
	json_array_foreach(vectors_array(root, "controller_of"), i, v) {
		id = vectors_str(v, "network_id");
		ATF_REQUIRE_EQ(0, nwid_parse(id, &nwid));
		ATF_CHECK_STREQ(id, nwid_format(again, nwid));
		ATF_CHECK_STREQ(vectors_str(v, "controller"),
		    addr_format(text, nwid_controller(nwid)));
		ATF_CHECK_EQ(strncmp(id, "ff", 2) == 0, nwid_adhoc(nwid));
	}
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(ifname);
ATF_TC_BODY(ifname, tc)
{
	char	 name[ZT_IFNAME_LEN];
	json_t	*root, *v;
	size_t	 i;

	root = vectors_load(tc, "addresses.json");
	json_array_foreach(vectors_array(root, "device_name_linux"), i, v) {
		ifname_linux(name, vectors_hexu64(v, "network_id"),
		    (unsigned)vectors_u64(v, "collision_number"));
		ATF_CHECK_STREQ(vectors_str(v, "name"), name);
	}
	json_decref(root);
}

/* No vectors: by hand from the rule, 4 bits and then 12 times 5. */
ATF_TC_WITHOUT_HEAD(ifname_freebsd);
ATF_TC_BODY(ifname_freebsd, tc)
{
	char	name[ZT_IFNAME_LEN];

	(void)tc;
	ifname_freebsd(name, 0);
	ATF_CHECK_STREQ("zt0000000000000", name);
	ifname_freebsd(name, UINT64_MAX);
	ATF_CHECK_STREQ("ztfvvvvvvvvvvvv", name);
	ifname_freebsd(name, 1ULL << 60 | 2ULL << 55 | 31);
	ATF_CHECK_STREQ("zt120000000000v", name);
}

ATF_TC_WITHOUT_HEAD(scope);
ATF_TC_BODY(scope, tc)
{
	struct inet_addr	 ia;
	const char		*ip;
	json_t			*root, *v;
	uint64_t		 expect;
	size_t			 i;

	root = vectors_load(tc, "addresses.json");
	json_array_foreach(vectors_array(root, "ip_scope"), i, v) {
		ip = vectors_str(v, "ip");
		expect = vectors_u64(v, "scope");
		ATF_REQUIRE_EQ_MSG(0, inet_parse(ip, &ia), "%s", ip);
		ATF_CHECK_EQ_MSG(expect, inet_scope(&ia), "%s: %u", ip,
		    (unsigned)inet_scope(&ia));
		ATF_CHECK_EQ_MSG(expect == 3 || expect == 4 || expect == 6 ||
		    expect == 7, inet_path_ok(&ia), "%s", ip);
	}
	json_decref(root);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, mac);
	ATF_TP_ADD_TC(tp, rfc4193);
	ATF_TP_ADD_TC(tp, sixplane);
	ATF_TP_ADD_TC(tp, controller);
	ATF_TP_ADD_TC(tp, ifname);
	ATF_TP_ADD_TC(tp, ifname_freebsd);
	ATF_TP_ADD_TC(tp, scope);
	return (atf_no_error());
}
