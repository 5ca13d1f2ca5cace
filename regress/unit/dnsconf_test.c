/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What a network may call its domain, and who may serve it.
 */

#include <sys/types.h>

#include <string.h>

#include <atf-c.h>

#include "common/dnsconf.h"

ATF_TC_WITHOUT_HEAD(domains);
ATF_TC_BODY(domains, tc)
{
	static const char *const good[] = {
		"a", "corp.example", "CORP.Example", "a-b.c_d.e0", "_x.y",
		"xn--bcher-kva.example"
	};
	static const char *const bad[] = {
		"", ".", ".example", "a..b", "a.", "-a.b", "a-.b", "a.-b",
		"a.b-", "a b", "a\nnameserver 10.0.0.1", "a;b", "$(x)", "a'b",
		"b\xc3\xbc", "a/b", "*.example", "a,b", "~a", "a%b"
	};
	char	 label[80];
	size_t	 i;

	(void)tc;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ATF_CHECK_MSG(dns_domain_valid(good[i], strlen(good[i])),
		    "%s", good[i]);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ATF_CHECK_MSG(!dns_domain_valid(bad[i], strlen(bad[i])),
		    "%s", bad[i]);
	ATF_CHECK(!dns_domain_valid("a\0b", 3));
	memset(label, 'a', sizeof(label));
	ATF_CHECK(dns_domain_valid(label, 63));
	ATF_CHECK(!dns_domain_valid(label, 64));
}

ATF_TC_WITHOUT_HEAD(servers);
ATF_TC_BODY(servers, tc)
{
	static const char *const good[] = {
		"10.147.17.1", "192.0.2.1", "8.8.8.8", "fd00::53",
		"2001:db8::1", "fe80::1234", "169.254.1.1"
	};
	static const char *const bad[] = {
		"", "0.0.0.0", "0.1.2.3", "127.0.0.1", "127.0.0.53",
		"224.0.0.251", "255.255.255.255", "::", "::1", "ff02::fb",
		"::ffff:127.0.0.1", "::ffff:10.0.0.1"
	};
	struct inet_addr	 ia;
	size_t			 i;

	(void)tc;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ATF_REQUIRE_EQ(0, inet_parse(good[i], &ia));
		ATF_CHECK_MSG(dns_server_valid(&ia), "%s", good[i]);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ATF_REQUIRE_EQ(0, inet_parse(bad[i], &ia));
		ATF_CHECK_MSG(!dns_server_valid(&ia), "%s", bad[i]);
	}
	memset(&ia, 0xff, sizeof(ia));
	ATF_CHECK(!dns_server_valid(&ia));
}

ATF_TC_WITHOUT_HEAD(making);
ATF_TC_BODY(making, tc)
{
	struct inet_addr	 ia[6];
	struct dns_conf		 dc;
	char			 domain[DNS_DOMAIN];

	(void)tc;
	memset(ia, 0, sizeof(ia));
	ATF_REQUIRE_EQ(0, inet_parse("127.0.0.1", &ia[0]));
	ATF_REQUIRE_EQ(0, inet_parse("10.0.0.1/53", &ia[1]));
	ATF_REQUIRE_EQ(0, inet_parse("fd00::1", &ia[2]));
	ATF_REQUIRE_EQ(0, inet_parse("10.0.0.1/54", &ia[3]));
	/* What is behind an IPv4 address does not tell two apart. */
	memset(ia[3].ia_ip + 4, 0xee, 12);
	ATF_REQUIRE(dns_conf_make(&dc, "corp.example.", ia, 6));
	ATF_CHECK_STREQ("corp.example", dc.dc_domain);
	ATF_CHECK_EQ(2, dc.dc_nservers);
	ATF_CHECK_EQ(0, dc.dc_servers[0].ia_port);
	ATF_CHECK_EQ(6, dc.dc_servers[1].ia_family);
	ATF_CHECK(dns_conf_valid(&dc));
	dc.dc_servers[0].ia_port = 53;
	ATF_CHECK(!dns_conf_valid(&dc));
	dc.dc_servers[0].ia_port = 0;
	dc.dc_nservers = 5;
	ATF_CHECK(!dns_conf_valid(&dc));
	dc.dc_nservers = 2;
	dc.dc_domain[20] = 'x';
	ATF_CHECK(!dns_conf_valid(&dc));

	ATF_CHECK(!dns_conf_make(&dc, "corp.example", ia, 1));
	ATF_CHECK_EQ('\0', dc.dc_domain[0]);
	ATF_CHECK(!dns_conf_make(&dc, "corp.example..", ia, 6));
	/* One that does not end. */
	memset(domain, 'a', sizeof(domain));
	domain[60] = domain[100] = '.';
	ATF_CHECK(!dns_conf_make(&dc, domain, ia, 6));
	ATF_CHECK(!dns_conf_valid(&dc));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, domains);
	ATF_TP_ADD_TC(tp, servers);
	ATF_TP_ADD_TC(tp, making);
	return (atf_no_error());
}
