/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Internet addresses: text, prefixes, order, socket addresses.  Also the
 * hexadecimal text that everything else is written in.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <string.h>

#include <atf-c.h>

#include "common/hex.h"
#include "common/inet.h"

static struct inet_addr
addr(const char *text)
{
	struct inet_addr	ia;

	ATF_REQUIRE_EQ_MSG(0, inet_parse(text, &ia), "%s", text);
	return (ia);
}

ATF_TC_WITHOUT_HEAD(parse_good);
ATF_TC_BODY(parse_good, tc)
{
	static const char *const	good[][2] = {
		{ "", "" },
		{ "0.0.0.0", "0.0.0.0/0" },
		{ "10.1.2.3/24", "10.1.2.3/24" },
		{ "255.255.255.255/65535", "255.255.255.255/65535" },
		{ "10.0.0.1/00080", "10.0.0.1/80" },
		{ "::", "::/0" },
		{ "FE80::1/64", "fe80::1/64" },
		{ "1:2:3:4:5:6:7:8/9993", "1:2:3:4:5:6:7:8/9993" },
		{ "::ffff:192.168.100.228/65535",
		  "::ffff:192.168.100.228/65535" },
		{ "1111:2222:3333:4444:5555:6666:7777:8888/65535",
		  "1111:2222:3333:4444:5555:6666:7777:8888/65535" }
	};
	char				 text[INET_TEXT];
	struct inet_addr		 ia;
	size_t				 i;

	(void)tc;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		memset(&ia, 0xff, sizeof(ia));
		ATF_CHECK_EQ_MSG(0, inet_parse(good[i][0], &ia), "%s",
		    good[i][0]);
		ATF_CHECK_STREQ(good[i][1], inet_format(text, &ia));
		ATF_CHECK_EQ(0, ia.ia_pad);
	}
	ia = addr("10.1.2.3/24");
	ATF_CHECK_STREQ("10.1.2.3", inet_format_ip(text, &ia));
	ia = addr("");
	ATF_CHECK_STREQ("", inet_format_ip(text, &ia));
	ATF_CHECK(inet_isnil(&ia));
}

ATF_TC_WITHOUT_HEAD(parse_bad);
ATF_TC_BODY(parse_bad, tc)
{
	static const char *const	 bad[] = {
		" ", "x", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "/24",
		"1.2.3.4/", "1.2.3.4/-1", "1.2.3.4/+1", "1.2.3.4/ 1",
		"1.2.3.4/65536", "1.2.3.4/000001", "1.2.3.4/1x",
		"1.2.3.4/1/2", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4:80",
		":", ":::", "::1/", "::1/65536", "[::1]/1", "fe80::1%lo",
		"1:2:3:4:5:6:7:8:9", "12345::", "localhost",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cc/1"
	};
	static const struct inet_addr	 nil;
	struct inet_addr		 ia;
	size_t				 i;

	(void)tc;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ATF_CHECK_EQ_MSG(-1, inet_parse(bad[i], &ia), "%s", bad[i]);
		ATF_CHECK_EQ(0, memcmp(&ia, &nil, sizeof(ia)));
	}
}

ATF_TC_WITHOUT_HEAD(contains);
ATF_TC_BODY(contains, tc)
{
	static const struct {
		const char	*net;
		const char	*ip;
		bool		 in;
	} cases[] = {
		{ "0.0.0.0/0", "1.2.3.4", true },
		{ "0.0.0.0/0", "::1", false },
		{ "::/0", "1.2.3.4", false },
		{ "::/0", "2001:db8::1", true },
		{ "10.0.0.0/8", "10.255.0.1", true },
		{ "10.0.0.0/8", "11.0.0.1", false },
		{ "192.168.4.0/22", "192.168.7.255", true },
		{ "192.168.4.0/22", "192.168.8.0", false },
		{ "1.2.3.4/31", "1.2.3.5", true },
		{ "1.2.3.4/32", "1.2.3.4", true },
		{ "1.2.3.4/32", "1.2.3.5", false },
		/* Host bits in the network do not count, */
		{ "192.168.5.77/22", "192.168.7.255", true },
		/* unlike in the reference for IPv6. */
		{ "fd00::77/64", "fd00::1:0:0:1", true },
		{ "fd00::/64", "fd00:0:0:1::1", false },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
		{ "::1/128", "::1", true },
		{ "::1/128", "::2", false },
		/* No prefix is longer than its address. */
		{ "1.2.3.4/33", "1.2.3.4", false },
		{ "::1/129", "::1", false },
		{ "1.2.3.4/9993", "1.2.3.4", false },
		{ "", "", false },
		{ "", "1.2.3.4", false }
	};
	struct inet_addr	net, ip;
	size_t			i;

	(void)tc;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		net = addr(cases[i].net);
		ip = addr(cases[i].ip);
		ATF_CHECK_EQ_MSG(cases[i].in, inet_contains(&net, &ip),
		    "%s in %s", cases[i].ip, cases[i].net);
	}
}

ATF_TC_WITHOUT_HEAD(order);
ATF_TC_BODY(order, tc)
{
	static const char *const	 sorted[] = {
		"", "1.2.3.4/1", "1.2.3.4/256", "1.2.3.5/0", "200.0.0.0/0",
		"::/0", "::1/0", "::1/9993", "ff00::/0"
	};
	struct inet_addr		 a, b;
	int				 i, k, n, want;

	(void)tc;
	n = (int)(sizeof(sorted) / sizeof(sorted[0]));
	for (i = 0; i < n; i++) {
		for (k = 0; k < n; k++) {
			a = addr(sorted[i]);
			b = addr(sorted[k]);
			want = i < k ? -1 : i > k;
			ATF_CHECK_EQ(want, inet_cmp(&a, &b));
			ATF_CHECK_EQ(want == 0, inet_equal(&a, &b));
		}
	}
	a = addr("1.2.3.4/1");
	b = addr("1.2.3.4/2");
	ATF_CHECK(inet_same_ip(&a, &b) && !inet_equal(&a, &b));
	b = addr("102:304::/1");
	ATF_CHECK(!inet_same_ip(&a, &b));
}

ATF_TC_WITHOUT_HEAD(sockaddr);
ATF_TC_BODY(sockaddr, tc)
{
	static const char *const	 texts[] = {
		"192.0.2.1/9993", "2001:db8::1/443", "0.0.0.0/0", "::/0"
	};
	struct sockaddr_storage		 ss;
	struct inet_addr		 a, b;
	size_t				 i;

	(void)tc;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		a = addr(texts[i]);
		memset(&ss, 0xff, sizeof(ss));
		ATF_CHECK_EQ(a.ia_family == 4 ? sizeof(struct sockaddr_in) :
		    sizeof(struct sockaddr_in6), inet_to_sockaddr(&a, &ss));
		ATF_CHECK_EQ(a.ia_family == 4 ? AF_INET : AF_INET6,
		    ss.ss_family);
		memset(&b, 0xff, sizeof(b));
		inet_from_sockaddr(&b, (struct sockaddr *)&ss);
		ATF_CHECK_EQ(0, memcmp(&a, &b, sizeof(a)));
	}
	a = addr("");
	ATF_CHECK_EQ(0, inet_to_sockaddr(&a, &ss));
	ss.ss_family = AF_UNIX;
	b = addr("1.2.3.4");
	inet_from_sockaddr(&b, (struct sockaddr *)&ss);
	ATF_CHECK(inet_isnil(&b));
}

/* What the vectors of ip_scope leave out. */
ATF_TC_WITHOUT_HEAD(scope);
ATF_TC_BODY(scope, tc)
{
	static const struct {
		const char	*ip;
		enum inet_scope	 scope;
		bool		 path;
	} cases[] = {
		{ "", SCOPE_NONE, false },
		{ "192.0.3.1", SCOPE_GLOBAL, true },
		{ "198.17.255.255", SCOPE_GLOBAL, true },
		{ "198.51.101.1", SCOPE_GLOBAL, true },
		{ "203.0.114.1", SCOPE_GLOBAL, true },
		{ "223.255.255.255", SCOPE_GLOBAL, true },
		{ "::100", SCOPE_GLOBAL, true },
		{ "::ffff:10.0.0.1", SCOPE_GLOBAL, true },
		{ "::ffff:127.255.0.1", SCOPE_LOOPBACK, false },
		{ "::ff:ffff:7f00:1", SCOPE_LOOPBACK, false },
		{ "::100:ffff:7f00:1", SCOPE_GLOBAL, true },
		{ "fe80::1:0:0:1", SCOPE_LINK_LOCAL, false },
		{ "2001:470::1", SCOPE_GLOBAL, false },
		{ "2001:470:ffff::1", SCOPE_GLOBAL, false },
		{ "2001:471::1", SCOPE_GLOBAL, true },
		{ "f000::1", SCOPE_GLOBAL, true }
	};
	struct inet_addr	ia;
	size_t			i;

	(void)tc;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ia = addr(cases[i].ip);
		ATF_CHECK_EQ_MSG(cases[i].scope, inet_scope(&ia), "%s: %u",
		    cases[i].ip, (unsigned)inet_scope(&ia));
		ATF_CHECK_EQ_MSG(cases[i].path, inet_path_ok(&ia), "%s",
		    cases[i].ip);
	}
}

ATF_TC_WITHOUT_HEAD(wire_unknown);
ATF_TC_BODY(wire_unknown, tc)
{
	uint8_t			 b[20] = { 0 };
	struct inet_addr	 ia;
	struct rbuf		 rb;
	unsigned		 type;

	(void)tc;
	for (type = 0; type < 256; type++) {
		b[0] = (uint8_t)type;
		rbuf_init(&rb, b, sizeof(b));
		inet_get(&rb, &ia);
		ATF_CHECK_EQ_MSG(type <= 4 || type == 6, rbuf_ok(&rb), "%u",
		    type);
		ATF_CHECK_EQ(type != 4 && type != 6, inet_isnil(&ia));
	}
	/* A length in type 3 that runs over. */
	b[0] = 3;
	b[1] = 0xff;
	rbuf_init(&rb, b, sizeof(b));
	inet_get(&rb, &ia);
	ATF_CHECK(!rbuf_ok(&rb));
}

ATF_TC_WITHOUT_HEAD(hex);
ATF_TC_BODY(hex, tc)
{
	char		text[9];
	uint8_t		b[4];
	uint64_t	v = 1;

	(void)tc;
	hex_encode(text, "\x00\x7f\x80\xff", 4);
	ATF_CHECK_STREQ("007f80ff", text);
	ATF_CHECK_EQ(0, hex_decode(b, "007F80fFgarbage", 4));
	ATF_CHECK_EQ(0, memcmp(b, "\x00\x7f\x80\xff", 4));
	ATF_CHECK_EQ(-1, hex_decode(b, "007f80f", 4));
	ATF_CHECK_EQ(-1, hex_decode(b, "007f80fg", 4));
	ATF_CHECK_EQ(-1, hex_decode(b, "0x7f80ff", 4));
	ATF_CHECK_EQ(-1, hex_decode(b, "\xb0\xb1zz", 2));
	hex_encode(text, "", 0);
	ATF_CHECK_STREQ("", text);

	ATF_CHECK_EQ(0, hex_parse("FFffFFffFFffFFff", 16, &v));
	ATF_CHECK_EQ(UINT64_MAX, v);
	ATF_CHECK_EQ(-1, hex_parse("ffffffffffffffff0", 16, &v));
	ATF_CHECK_EQ(-1, hex_parse("ffffffffffffffff0", 17, &v));
	ATF_CHECK_EQ(-1, hex_parse("fffffffffffffff", 16, &v));
	ATF_CHECK_EQ(-1, hex_parse(" 1", 2, &v));
	ATF_CHECK_EQ(-1, hex_parse("", 0, &v));
	ATF_CHECK_EQ(UINT64_MAX, v);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, parse_good);
	ATF_TP_ADD_TC(tp, parse_bad);
	ATF_TP_ADD_TC(tp, contains);
	ATF_TP_ADD_TC(tp, order);
	ATF_TP_ADD_TC(tp, sockaddr);
	ATF_TP_ADD_TC(tp, scope);
	ATF_TP_ADD_TC(tp, wire_unknown);
	ATF_TP_ADD_TC(tp, hex);
	return (atf_no_error());
}
