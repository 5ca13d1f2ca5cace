/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * D-Bus messages: against bytes that another implementation (busctl of
 * systemd 252) sent to a real bus, and those that came back from the bus and
 * from systemd-resolved.
 */

#include <sys/types.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atf-c.h>

#include "ztd-dns/resolve1.h"

/* ---- the recording ------------------------------------------------- */

static const char hello[] =
    "6c01000100000000010000006d00000001016f00150000002f6f72672f66"
    "7265656465736b746f702f44427573000000030173000500000048656c6c"
    "6f00000002017300140000006f72672e667265656465736b746f702e4442"
    "75730000000006017300140000006f72672e667265656465736b746f702e"
    "4442757300000000";
static const char set_default_route[] =
    "6c0106010800000002000000a800000001016f00190000002f6f72672f66"
    "7265656465736b746f702f7265736f6c7665310000000000000003017300"
    "130000005365744c696e6b44656661756c74526f75746500000000000201"
    "7300200000006f72672e667265656465736b746f702e7265736f6c766531"
    "2e4d616e61676572000000000000000006017300180000006f72672e6672"
    "65656465736b746f702e7265736f6c766531000000000000000008016700"
    "026962000200000000000000";
static const char set_domains[] =
    "6c0106012000000002000000a400000001016f00190000002f6f72672f66"
    "7265656465736b746f702f7265736f6c7665310000000000000003017300"
    "0e0000005365744c696e6b446f6d61696e73000002017300200000006f72"
    "672e667265656465736b746f702e7265736f6c7665312e4d616e61676572"
    "000000000000000006017300180000006f72672e667265656465736b746f"
    "702e7265736f6c7665310000000000000000080167000669612873622900"
    "0000000002000000180000000c000000636f72702e6578616d706c650000"
    "000001000000";
static const char set_dns[] =
    "6c0106013000000002000000a500000001016f00190000002f6f72672f66"
    "7265656465736b746f702f7265736f6c7665310000000000000003017300"
    "0a0000005365744c696e6b444e5300000000000002017300200000006f72"
    "672e667265656465736b746f702e7265736f6c7665312e4d616e61676572"
    "000000000000000006017300180000006f72672e667265656465736b746f"
    "702e7265736f6c7665310000000000000000080167000769612869617929"
    "00000000020000002800000002000000040000000a010102000000000a00"
    "000010000000fd000000000000000000000000000001";
static const char revert[] =
    "6c01060104000000020000009f00000001016f00190000002f6f72672f66"
    "7265656465736b746f702f7265736f6c7665310000000000000003017300"
    "0a0000005265766572744c696e6b00000000000002017300200000006f72"
    "672e667265656465736b746f702e7265736f6c7665312e4d616e61676572"
    "000000000000000006017300180000006f72672e667265656465736b746f"
    "702e7265736f6c7665310000000000000000080167000169000002000000";
static const char name_has_owner[] =
    "6c0106011d000000020000007f00000001016f00150000002f6f72672f66"
    "7265656465736b746f702f44427573000000030173000c0000004e616d65"
    "4861734f776e65720000000002017300140000006f72672e667265656465"
    "736b746f702e444275730000000006017300140000006f72672e66726565"
    "6465736b746f702e44427573000000000801670001730000180000006f72"
    "672e667265656465736b746f702e7265736f6c76653100";
static const char hello_return[] =
    "6c02010109000000010000003d00000006017300040000003a312e310000"
    "00000501750001000000080167000173000007017300140000006f72672e"
    "667265656465736b746f702e4442757300000000040000003a312e3100";
static const char name_acquired[] =
    "6c04010109000000020000008d00000001016f00150000002f6f72672f66"
    "7265656465736b746f702f4442757300000002017300140000006f72672e"
    "667265656465736b746f702e4442757300000000030173000c0000004e61"
    "6d6541637175697265640000000006017300040000003a312e3100000000"
    "080167000173000007017300140000006f72672e667265656465736b746f"
    "702e4442757300000000040000003a312e3100";
static const char empty_return[] =
    "6c0201010000000005000000250000000501750002000000060173000400"
    "00003a312e310000000007017300040000003a312e3000000000";
static const char no_link[] =
    "6c030101160000000e0000005d0000000501750002000000060173000400"
    "00003a312e350000000004017300230000006f72672e667265656465736b"
    "746f702e7265736f6c7665312e4e6f537563684c696e6b00000000000801"
    "67000173000007017300040000003a312e3000000000110000004c696e6b"
    "203737206e6f74206b6e6f776e00";
static const char has_owner_return[] =
    "6c02010104000000030000003d00000006017300040000003a312e370000"
    "00000501750002000000080167000162000007017300140000006f72672e"
    "667265656465736b746f702e444275730000000001000000";

/* ---- helpers ------------------------------------------------------- */

static size_t
unhex(uint8_t *dst, const char *text)
{
	char	 pair[3] = "";
	size_t	 i, n = strlen(text) / 2;

	for (i = 0; i < n; i++) {
		memcpy(pair, text + 2 * i, 2);
		dst[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return (n);
}

/* The recorded program permits questions to the user and lets Hello start
 * the bus; the flags are all that may differ. */
static void
check_call(const char *recorded, uint32_t serial,
    const struct dbus_method *dm, const struct wbuf *body)
{
	uint8_t		 want[1024], have[1024];
	struct wbuf	 wb;
	size_t		 len = unhex(want, recorded);

	want[2] = 0x02;
	wbuf_init(&wb, have, sizeof(have));
	dbus_put_call(&wb, serial, dm, body);
	ATF_REQUIRE(wbuf_ok(&wb));
	ATF_CHECK_EQ(len, wb.wb_len);
	ATF_CHECK_EQ(0, memcmp(want, have, len));
	ATF_CHECK_EQ(len, dbus_length(have));
}

static void
conf(struct dns_conf *dc)
{
	struct inet_addr	 ia[2];

	ATF_REQUIRE_EQ(0, inet_parse("10.1.1.2", &ia[0]));
	ATF_REQUIRE_EQ(0, inet_parse("fd00::1", &ia[1]));
	ATF_REQUIRE(dns_conf_make(dc, "corp.example", ia, 2));
}

static int
parse(struct dbus_msg *dm, uint8_t *bytes, const char *recorded)
{
	return (dbus_parse(dm, bytes, unhex(bytes, recorded)));
}

/* ---- cases --------------------------------------------------------- */

ATF_TC_WITHOUT_HEAD(calls);
ATF_TC_BODY(calls, tc)
{
	uint8_t		 bytes[RESOLVE1_BODY];
	struct wbuf	 body;
	struct dns_conf	 dc;

	(void)tc;
	conf(&dc);
	wbuf_init(&body, bytes, sizeof(bytes));
	check_call(hello, 1, &bus_hello, &body);
	resolve1_name(&body);
	check_call(name_has_owner, 2, &bus_name_has_owner, &body);
	wbuf_init(&body, bytes, sizeof(bytes));
	resolve1_default_route(&body, 2);
	check_call(set_default_route, 2, &resolve1_set_default_route, &body);
	wbuf_init(&body, bytes, sizeof(bytes));
	resolve1_domains(&body, 2, &dc);
	check_call(set_domains, 2, &resolve1_set_domains, &body);
	wbuf_init(&body, bytes, sizeof(bytes));
	resolve1_dns(&body, 2, &dc);
	check_call(set_dns, 2, &resolve1_set_dns, &body);
	wbuf_init(&body, bytes, sizeof(bytes));
	resolve1_link(&body, 2);
	check_call(revert, 2, &resolve1_revert, &body);
}

/* The longest that can be asked for fits, and what does not is noticed. */
ATF_TC_WITHOUT_HEAD(calls_longest);
ATF_TC_BODY(calls_longest, tc)
{
	uint8_t			 bytes[RESOLVE1_BODY], out[1024];
	struct inet_addr	 ia[DNS_SERVERS];
	struct wbuf		 body, wb;
	struct dns_conf		 dc;
	char			 domain[DNS_DOMAIN], text[INET_TEXT];
	unsigned		 i;

	(void)tc;
	memset(domain, 'a', sizeof(domain));
	domain[63] = '.';
	domain[127] = '\0';
	for (i = 0; i < DNS_SERVERS; i++) {
		snprintf(text, sizeof(text), "fd00::%u", i + 1);
		ATF_REQUIRE_EQ(0, inet_parse(text, &ia[i]));
	}
	ATF_REQUIRE(dns_conf_make(&dc, domain, ia, DNS_SERVERS));
	wbuf_init(&body, bytes, sizeof(bytes));
	resolve1_domains(&body, INT32_MAX, &dc);
	ATF_REQUIRE(wbuf_ok(&body));
	wbuf_init(&wb, out, sizeof(out));
	dbus_put_call(&wb, UINT32_MAX, &resolve1_set_domains, &body);
	ATF_CHECK(wbuf_ok(&wb));
	wbuf_init(&body, bytes, sizeof(bytes));
	resolve1_dns(&body, INT32_MAX, &dc);
	ATF_REQUIRE(wbuf_ok(&body));
	wbuf_init(&wb, out, sizeof(out));
	dbus_put_call(&wb, UINT32_MAX, &resolve1_set_dns, &body);
	ATF_CHECK(wbuf_ok(&wb));
	wbuf_init(&wb, out, 100);
	dbus_put_call(&wb, 1, &resolve1_set_dns, &body);
	ATF_CHECK(!wbuf_ok(&wb));
	wbuf_init(&body, bytes, 20);
	resolve1_dns(&body, 1, &dc);
	ATF_CHECK(!wbuf_ok(&body));
	wbuf_init(&wb, out, sizeof(out));
	dbus_put_call(&wb, 1, &resolve1_set_dns, &body);
	ATF_CHECK(!wbuf_ok(&wb));
}

ATF_TC_WITHOUT_HEAD(answers);
ATF_TC_BODY(answers, tc)
{
	uint8_t		 bytes[1024];
	struct dbus_msg	 dm;
	char		 text[64], small[8];
	bool		 flag = false;

	(void)tc;
	ATF_REQUIRE_EQ(0, parse(&dm, bytes, hello_return));
	ATF_CHECK_EQ(DBUS_RETURN, dm.dm_type);
	ATF_CHECK_EQ(1, dm.dm_reply_serial);
	ATF_CHECK_STREQ("s", dm.dm_signature);
	ATF_REQUIRE_EQ(0, dbus_first_string(&dm, text, sizeof(text)));
	ATF_CHECK_STREQ(":1.1", text);
	ATF_CHECK_EQ(-1, dbus_first_bool(&dm, &flag));

	ATF_REQUIRE_EQ(0, parse(&dm, bytes, name_acquired));
	ATF_CHECK_EQ(DBUS_SIGNAL, dm.dm_type);
	ATF_CHECK_EQ(0, dm.dm_reply_serial);

	ATF_REQUIRE_EQ(0, parse(&dm, bytes, empty_return));
	ATF_CHECK_EQ(DBUS_RETURN, dm.dm_type);
	ATF_CHECK_EQ(2, dm.dm_reply_serial);
	ATF_CHECK_STREQ("", dm.dm_signature);
	ATF_CHECK_EQ(-1, dbus_first_string(&dm, text, sizeof(text)));

	ATF_REQUIRE_EQ(0, parse(&dm, bytes, has_owner_return));
	ATF_REQUIRE_EQ(0, dbus_first_bool(&dm, &flag));
	ATF_CHECK(flag);

	ATF_REQUIRE_EQ(0, parse(&dm, bytes, no_link));
	ATF_CHECK_EQ(DBUS_ERROR, dm.dm_type);
	ATF_CHECK_STREQ(RESOLVE1_NO_LINK, dm.dm_error);
	ATF_REQUIRE_EQ(0, dbus_first_string(&dm, text, sizeof(text)));
	ATF_CHECK_STREQ("Link 77 not known", text);
	ATF_REQUIRE_EQ(0, dbus_first_string(&dm, small, sizeof(small)));
	ATF_CHECK_STREQ("Link 77", small);
}

/* The same answer, as a big-endian service would write it. */
ATF_TC_WITHOUT_HEAD(answers_big);
ATF_TC_BODY(answers_big, tc)
{
	static const char	 big[] =
	    "4202010100000004000000030000000f0501750000000007"
	    "0801670001620000" "00000001";
	uint8_t			 bytes[64];
	struct dbus_msg		 dm;
	bool			 flag = false;

	(void)tc;
	ATF_REQUIRE_EQ(0, parse(&dm, bytes, big));
	ATF_CHECK_EQ(7, dm.dm_reply_serial);
	ATF_REQUIRE_EQ(0, dbus_first_bool(&dm, &flag));
	ATF_CHECK(flag);
}

/* Cut anywhere, or with any byte of it changed, it never reads outside. */
ATF_TC_WITHOUT_HEAD(answers_broken);
ATF_TC_BODY(answers_broken, tc)
{
	uint8_t		 whole[1024], *copy;
	struct dbus_msg	 dm;
	char		 text[64];
	size_t		 i, len;
	unsigned	 v;
	bool		 flag;

	(void)tc;
	len = unhex(whole, no_link);
	for (i = 0; i < len; i++) {
		ATF_REQUIRE((copy = malloc(i + 1)) != NULL);
		memcpy(copy, whole, i);
		ATF_CHECK_EQ(-1, dbus_parse(&dm, copy, i));
		free(copy);
	}
	ATF_REQUIRE((copy = malloc(len)) != NULL);
	for (i = 0; i < len; i++) {
		for (v = 0; v < 256; v++) {
			memcpy(copy, whole, len);
			copy[i] = (uint8_t)v;
			if (dbus_parse(&dm, copy, len) == -1)
				continue;
			(void)dbus_first_string(&dm, text, sizeof(text));
			(void)dbus_first_bool(&dm, &flag);
		}
	}
	free(copy);
}

ATF_TC_WITHOUT_HEAD(answers_refused);
ATF_TC_BODY(answers_refused, tc)
{
	static const struct {
		size_t	 at;
		uint8_t	 v;
	} wrong[] = {
		{ 0, 'x' },		/* byte order */
		{ 1, 0 },		/* type */
		{ 3, 2 },		/* version */
		{ 4, 0xff },		/* length of the body */
		{ 6, 1 },		/* ... far too long */
		{ 15, 0x80 },		/* length of the fields */
		{ 8, 0 },		/* serial */
		{ 16, 0 },		/* code of a field */
		{ 17, 2 },		/* signature of a field */
		{ 18, 'a' },
		{ 20, 0 },		/* no answer to anything */
		{ 47, 1 }		/* padding */
	};
	uint8_t		 bytes[1024];
	struct dbus_msg	 dm;
	size_t		 i, len;

	(void)tc;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		len = unhex(bytes, no_link);
		ATF_REQUIRE_EQ(0, dbus_parse(&dm, bytes, len));
		bytes[wrong[i].at] = wrong[i].v;
		ATF_CHECK_EQ_MSG(-1, dbus_parse(&dm, bytes, len),
		    "byte %zu", wrong[i].at);
	}
}

ATF_TC_WITHOUT_HEAD(authentication);
ATF_TC_BODY(authentication, tc)
{
	static const char	 ok[] =
	    "OK 4abd309d325e51c53ca467a06b0842ee\r\n";
	char			 text[DBUS_AUTH], line[600];
	size_t			 i;

	(void)tc;
	ATF_CHECK_EQ(19, dbus_auth(text, 0));
	ATF_CHECK_EQ(0, memcmp(text, "\0AUTH EXTERNAL 30\r\n", 19));
	ATF_CHECK_EQ(25, dbus_auth(text, 1000));
	ATF_CHECK_EQ(0, memcmp(text, "\0AUTH EXTERNAL 31303030\r\n", 25));
	ATF_CHECK(dbus_auth(text, ULONG_MAX) <= sizeof(text));

	for (i = 0; i < sizeof(ok) - 1; i++)
		ATF_CHECK_EQ(0, dbus_auth_answer(ok, i));
	ATF_CHECK_EQ(1, dbus_auth_answer(ok, i));
	ATF_CHECK_EQ(-1, dbus_auth_answer("REJECTED EXTERNAL\r\n", 19));
	ATF_CHECK_EQ(-1, dbus_auth_answer("OK x\n", 5));
	ATF_CHECK_EQ(-1, dbus_auth_answer("OK x\r\nl", 7));
	memset(line, 'x', sizeof(line));
	memcpy(line, "OK ", 3);
	ATF_CHECK_EQ(-1, dbus_auth_answer(line, sizeof(line)));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, calls);
	ATF_TP_ADD_TC(tp, calls_longest);
	ATF_TP_ADD_TC(tp, answers);
	ATF_TP_ADD_TC(tp, answers_big);
	ATF_TP_ADD_TC(tp, answers_broken);
	ATF_TP_ADD_TC(tp, answers_refused);
	ATF_TP_ADD_TC(tp, authentication);
	return (atf_no_error());
}
