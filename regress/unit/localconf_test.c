/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * local.conf through the real "ztd-ctl -C": what it becomes, and what is
 * said of what is wrong.
 */

#include <stdio.h>
#include <string.h>

#include "regress/lib/ctlworld.h"

#define TC(name, text)							\
	ATF_TC(name);							\
	ATF_TC_HEAD(name, tc)						\
	{								\
		atf_tc_set_md_var(tc, "descr", text);			\
	}								\
	ATF_TC_BODY(name, tc)

/* The settings or the error of one text. */
static void
parse(const atf_tc_t *tc, const char *text, struct ctlworld *w)
{
	memset(w, 0, sizeof(*w));
	world_start(w, tc, true);
	ATF_REQUIRE(channel_send(w->w_tap, MSG_CONFIG_TEXT, 7, -1, text,
	    strlen(text)) == 0);
	while (w->w_tap != NULL)
		world_run(w, 5000);
	world_stop(w);
}

static const struct settings *
good(const atf_tc_t *tc, const char *text, struct ctlworld *w)
{
	parse(tc, text, w);
	ATF_REQUIRE_MSG(w->w_parsed.mp_ok == 1, "%s: %s", text,
	    w->w_parsed.mp_error);
	return (&w->w_parsed.mp_settings);
}

static void
check_inet(const struct inet_addr *ia, const char *want)
{
	char	 text[INET_TEXT];

	ATF_CHECK_STREQ(inet_format(text, ia), want);
}

TC(nothing, "an empty file gives the defaults")
{
	static const char *const	 texts[] = {
		"", " \n\t", "{}", "{\"settings\":null}",
		"\xef\xbb\xbf{}"
	};
	const struct settings		*s;
	struct ctlworld			 w;
	struct settings			 dflt;
	size_t				 i;

	settings_init(&dflt);
	ATF_CHECK(dflt.s_allow_secondary == 1 && dflt.s_port_mapping == 1 &&
	    dflt.s_tcp_fallback == 1 && dflt.s_offload == 1 &&
	    dflt.s_lend_taps == 1 && dflt.s_realtime == 1);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		s = good(tc, texts[i], &w);
		ATF_CHECK_MSG(memcmp(s, &dflt, sizeof(dflt)) == 0, "%zu", i);
		ATF_CHECK_EQ(w.w_lines, 0);
	}
}

TC(settings, "every setting arrives")
{
	const struct settings	*s;
	struct ctlworld		 w;

	s = good(tc, "{\"settings\":{"
	    "\"primaryPort\":19993,\"secondaryPort\":\"20001\","
	    "\"tertiaryPort\":20002,\"allowSecondaryPort\":false,"
	    "\"portMappingEnabled\":0,\"allowTcpFallbackRelay\":\"false\","
	    "\"forceTcpRelay\":true,\"lowBandwidthMode\":1,"
	    "\"offload\":false,\"lendTaps\":\"false\",\"realtime\":0,"
	    "\"tcpFallbackRelay\":\"192.0.2.1/443\",\"dnsMode\":\"global\","
	    "\"bind\":[\"192.0.2.7\",\"2001:db8::1/5\"],"
	    "\"interfacePrefixBlacklist\":[\"docker\",\"\",\"veth\"],"
	    "\"interfacePrefixInclude\":[\"e\",\"\",\"wlan\"],"
	    "\"allowMetricsFrom\":[\"198.51.100.9\"],"
	    "\"allowManagementFrom\":[\"10.0.0.0/8\",\"192.0.2.3\","
	    "\"fd00::/16\"],\"softwareUpdate\":\"apply\"}}", &w);
	ATF_CHECK_EQ(s->s_primary_port, 19993);
	ATF_CHECK_EQ(s->s_secondary_port, 20001);
	ATF_CHECK_EQ(s->s_tertiary_port, 20002);
	ATF_CHECK_EQ(s->s_allow_secondary, 0);
	ATF_CHECK_EQ(s->s_port_mapping, 0);
	ATF_CHECK_EQ(s->s_tcp_fallback, 0);
	ATF_CHECK_EQ(s->s_force_tcp, 1);
	ATF_CHECK_EQ(s->s_low_bandwidth, 1);
	ATF_CHECK_EQ(s->s_offload, 0);
	ATF_CHECK_EQ(s->s_lend_taps, 0);
	ATF_CHECK_EQ(s->s_realtime, 0);
	check_inet(&s->s_tcp_relay, "192.0.2.1/443");
	ATF_CHECK_EQ(s->s_dns_global, 1);
	ATF_REQUIRE_EQ(s->s_nbind, 2);
	check_inet(&s->s_bind[0], "192.0.2.7/0");
	check_inet(&s->s_bind[1], "2001:db8::1/0");
	ATF_REQUIRE_EQ(s->s_nprefixes, 2);
	ATF_CHECK_STREQ(s->s_prefixes[0], "docker");
	ATF_CHECK_STREQ(s->s_prefixes[1], "veth");
	ATF_REQUIRE_EQ(s->s_nincludes, 2);
	ATF_CHECK_STREQ(s->s_includes[0], "e");
	ATF_CHECK_STREQ(s->s_includes[1], "wlan");
	ATF_REQUIRE_EQ(s->s_nmanagers, 3);
	check_inet(&s->s_managers[0], "10.0.0.0/8");
	check_inet(&s->s_managers[1], "192.0.2.3/32");
	check_inet(&s->s_managers[2], "fd00::/16");
	ATF_REQUIRE_EQ(s->s_nreaders, 1);
	check_inet(&s->s_readers[0], "198.51.100.9/32");
	ATF_CHECK_EQ(w.w_lines, 0);
}

TC(paths, "physical and virtual")
{
	const struct settings	*s;
	struct ctlworld		 w;

	s = good(tc, "{\"physical\":{"
	    "\"fd00::/8\":{\"blacklist\":true},"
	    "\"10.1.0.0/16\":{\"trustedPathId\":\"18446744073709551615\"},"
	    "\"10.0.0.0/8\":{\"mtu\":100},"
	    "\"192.0.2.9\":{\"mtu\":99999,\"blacklist\":null}},"
	    "\"virtual\":{\"FEEDBEEF11\":{\"try\":[\"192.0.2.1/9993\"],"
	    "\"blacklist\":[\"10.0.0.0/8\"],\"role\":\"UPSTREAM\"}}}", &w);
	ATF_REQUIRE_EQ(s->s_nphysical, 4);
	check_inet(&s->s_physical[0].sp_net, "10.0.0.0/8");
	ATF_CHECK_EQ(s->s_physical[0].sp_mtu, 1400);
	check_inet(&s->s_physical[1].sp_net, "10.1.0.0/16");
	ATF_CHECK_EQ(s->s_physical[1].sp_trusted_id, UINT64_MAX);
	check_inet(&s->s_physical[2].sp_net, "192.0.2.9/32");
	ATF_CHECK_EQ(s->s_physical[2].sp_mtu, 10324);
	ATF_CHECK_EQ(s->s_physical[2].sp_blacklist, 0);
	check_inet(&s->s_physical[3].sp_net, "fd00::/8");
	ATF_CHECK_EQ(s->s_physical[3].sp_blacklist, 1);
	ATF_REQUIRE_EQ(s->s_nvirtual, 1);
	ATF_CHECK_EQ(s->s_virtual[0].sv_addr, 0xfeedbeef11ULL);
	ATF_REQUIRE_EQ(s->s_virtual[0].sv_ntry, 1);
	check_inet(&s->s_virtual[0].sv_try[0], "192.0.2.1/9993");
	ATF_REQUIRE_EQ(s->s_virtual[0].sv_nblacklist, 1);
	check_inet(&s->s_virtual[0].sv_blacklist[0], "10.0.0.0/8");
}

TC(trusted, "no trusted path over public addresses")
{
	static const char	*nets[] = { "10.0.0.0/8", "10.200.3.4/16",
	    "172.16.0.0/12", "192.168.7.0/24", "169.254.0.0/16",
	    "fd12::/16", "fe80::/10", "127.0.0.0/8", "fc00::/7" };
	static const char	*public[] = { "8.8.8.0/24", "0.0.0.0/0",
	    "10.0.0.0/7", "172.16.0.0/11", "192.168.0.0/15",
	    "100.64.0.0/9", "2001:db8::1", "::/0", "fc00::/6",
	    "9.9.9.9", "224.0.0.0/8", "100.64.0.0/10", "100.127.1.1",
	    "11.0.0.0/8", "25.1.0.0/16", "51.68.0.0/16" };
	const struct settings	*s;
	struct ctlworld		 w;
	char			 text[128], want[160];
	size_t			 i;

	for (i = 0; i < sizeof(nets) / sizeof(nets[0]); i++) {
		(void)snprintf(text, sizeof(text),
		    "{\"physical\":{\"%s\":{\"trustedPathId\":7}}}", nets[i]);
		s = good(tc, text, &w);
		ATF_CHECK_EQ(s->s_physical[0].sp_trusted_id, 7);
	}
	for (i = 0; i < sizeof(public) / sizeof(public[0]); i++) {
		(void)snprintf(text, sizeof(text),
		    "{\"physical\":{\"%s\":{\"trustedPathId\":7}}}",
		    public[i]);
		(void)snprintf(want, sizeof(want), "line 1, column %zu: "
		    "physical.\"%s\".trustedPathId: not for public "
		    "addresses", 34 + strlen(public[i]), public[i]);
		parse(tc, text, &w);
		ATF_CHECK_EQ_MSG(w.w_parsed.mp_ok, 0, "%s", text);
		ATF_CHECK_MSG(strncmp(w.w_parsed.mp_error, want,
		    strlen(want)) == 0, "%s", w.w_parsed.mp_error);
		/* None is none. */
		(void)snprintf(text, sizeof(text),
		    "{\"physical\":{\"%s\":{\"trustedPathId\":0}}}",
		    public[i]);
		(void)good(tc, text, &w);
	}
}

TC(unknown, "unknown and unsupported keys are said and left alone")
{
	static const struct {
		const char	*text, *line;
	} cases[] = {
		{ "{\"settings\":{\"primaryPorts\":1}}", "line 1, column 14: "
		    "settings.primaryPorts: unknown key, ignored; did you "
		    "mean \"primaryPort\"?" },
		{ "{\"settings\":\n  {\"fourthPort\":1}}", "line 2, column 4: "
		    "settings.fourthPort: unknown key, ignored" },
		{ "{\"Setings\":{}}", "line 1, column 2: Setings: unknown "
		    "key, ignored; did you mean \"settings\"?" },
		{ "{\"physical\":{\"10.0.0.0/8\":{\n\"MTUs\":1}}}",
		    "line 2, column 1: physical.\"10.0.0.0/8\".MTUs: unknown "
		    "key, ignored; did you mean \"mtu\"?" },
		{ "{\"virtual\":{\"feedbeef11\":{\"blaklist\":[]}}}",
		    "line 1, column 27: virtual.feedbeef11.blaklist: unknown "
		    "key, ignored; did you mean \"blacklist\"?" },
		{ "{\"settings\":{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aaaaaaaaaaaaa\":1}}", "line 1, column 14: settings."
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: "
		    "unknown key, ignored" },
		{ "{\"settings\":{\"policies\":5}}", "line 1, column 14: "
		    "settings.policies: not supported, ignored" },
		{ "{\"comment\":5}",
		    "line 1, column 2: comment: unknown key, ignored" }
	};
	struct ctlworld	 w;
	size_t		 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)good(tc, cases[i].text, &w);
		ATF_CHECK_EQ(w.w_lines, 1);
		ATF_CHECK_STREQ(w.w_line, cases[i].line);
	}
}

TC(many, "a file full of unknown keys is read in time, and floods nothing")
{
	static char	 text[SETTINGS_TEXT];
	struct ctlworld	 w;
	size_t		 n;
	unsigned	 i;

	n = (size_t)snprintf(text, sizeof(text), "{\"settings\":{");
	for (i = 0; n < sizeof(text) - 64; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "\"%x\":1,", i);
	(void)snprintf(text + n, sizeof(text) - n, "\"offload\":false}}");
	ATF_CHECK_EQ(0, good(tc, text, &w)->s_offload);
	ATF_CHECK_STREQ(w.w_line,
	    "more keys are unknown or not supported, and ignored");
	ATF_CHECK_MSG(w.w_lines <= 65, "%u lines", (unsigned)w.w_lines);
}

TC(wrong, "what is wrong is named, with its place and what it must be")
{
	static const struct {
		const char	*text, *error;
	} cases[] = {
		{ "[]", "line 1, column 1: must be an object, not a list" },
		{ "{", "line 1, column 1: not valid JSON" },
		{ "{\"settings\":\n{\"a\":1,}}",
		    "line 2, column 8: not valid" },
		{ "{\"settings\":5}",
		    "line 1, column 13: settings: must be an object, not 5" },
		{ "{\"settings\":{\n\t\"primaryPort\":65536}}",
		    "line 2, column 16: settings.primaryPort: must be a whole "
		    "number from 0 to 65535, not 65536" },
		{ "{\"settings\":{\"primaryPort\":-1}}",
		    "line 1, column 28: settings.primaryPort: must be a whole "
		    "number from 0 to 65535, not -1" },
		{ "{\"settings\":{\"primaryPort\":\"x1\"}}",
		    "line 1, column 28: settings.primaryPort: must be a whole "
		    "number from 0 to 65535, not the text \"x1\"" },
		{ "{\"settings\":{\"primaryPort\":1.5}}",
		    "line 1, column 28: settings.primaryPort: must be a whole "
		    "number from 0 to 65535, not 1.5" },
		{ "{\"settings\":{\"primaryPort\":[]}}",
		    "line 1, column 28: settings.primaryPort: must be a whole "
		    "number from 0 to 65535, not a list" },
		{ "{\"settings\":{\n\"offload\":true,\r\n"
		    "  \"forceTcpRelay\"  :  \"yes\"}}",
		    "line 3, column 23: settings.forceTcpRelay: must be true "
		    "or false, not the text \"yes\"" },
		{ "{\"settings\":{\"offload\":{}}}", "line 1, column 24: "
		    "settings.offload: must be true or false, not an object" },
		/* Columns count characters; of two keys the last counts. */
		{ "{\"\xc3\xa4\xe2\x82\xac\":1,\"settings\":{\"bind\":[],"
		    "\"bind\":\"10.0.0.1\"}}",
		    "line 1, column 38: settings.bind: must be a list, not "
		    "the text \"10.0.0.1\"" },
		{ "{\"settings\":{\"bind\":[\"10.0.0.1\",\n \"eth0\"]}}",
		    "line 2, column 2: settings.bind[1]: must be an IP "
		    "address, or IP/port, not the text \"eth0\"" },
		{ "{\"settings\":{\"allowManagementFrom\":[\"any.host\"]}}",
		    "line 1, column 37: settings.allowManagementFrom[0]: "
		    "\"any.host\" is not a network (address/bits)" },
		{ "{\"settings\":{\"allowManagementFrom\":[\"10.0.0.0/33\"]}}",
		    "line 1, column 37: settings.allowManagementFrom[0]: "
		    "\"10.0.0.0/33\" is not" },
		{ "{\"settings\":{\"interfacePrefixBlacklist\":[\"a\",7]}}",
		    "line 1, column 46: settings.interfacePrefixBlacklist[1]: "
		    "must be a text, not 7" },
		{ "{\"settings\":{\"dnsMode\":\"all\"}}", "line 1, column 24: "
		    "settings.dnsMode: must be \"split\" or \"global\", not "
		    "the text \"all\"" },
		{ "{\"settings\":{\"dnsMode\":true}}", "line 1, column 24: "
		    "settings.dnsMode: must be \"split\" or \"global\", not "
		    "true" },
		{ "{\"settings\":{\"tcpFallbackRelay\":\"192.0.2.1\"}}",
		    "line 1, column 33: settings.tcpFallbackRelay: needs a "
		    "port" },
		{ "{\"physical\":{\"lan\":{}}}", "line 1, column 20: "
		    "physical.lan: \"lan\" is not a network" },
		{ "{\"physical\":{\"10.0.0.0/8\":{\"mtu\":\"big\"}}}",
		    "line 1, column 34: physical.\"10.0.0.0/8\".mtu: must be "
		    "a whole number from 0 to 4294967295, not the text "
		    "\"big\"" },
		{ "{\"physical\":{\"10.0.0.0/8\":7}}", "line 1, column 27: "
		    "physical.\"10.0.0.0/8\": must be an object, not 7" },
		{ "{\"virtual\":{\"feedbeef1\":{}}}", "line 1, column 25: "
		    "virtual.feedbeef1: \"feedbeef1\" is not a node address" },
		{ "{\"virtual\":{\"ffffffffff\":{}}}", "line 1, column 26: "
		    "virtual.ffffffffff: \"ffffffffff\" is not a node" },
		{ "{\"virtual\":{\"feedbeef11\":{\"try\":[null]}}}",
		    "line 1, column 34: virtual.feedbeef11.try[0]: must be an "
		    "IP address, or IP/port, not null" }
	};
	struct ctlworld	 w;
	size_t		 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		parse(tc, cases[i].text, &w);
		ATF_CHECK_EQ_MSG(w.w_parsed.mp_ok, 0, "%s", cases[i].text);
		ATF_CHECK_MSG(strncmp(w.w_parsed.mp_error, cases[i].error,
		    strlen(cases[i].error)) == 0, "%s: %s", cases[i].text,
		    w.w_parsed.mp_error);
	}
}

TC(limits, "lists that are too long are refused")
{
	struct ctlworld	 w;
	char		 text[4096];
	size_t		 n;
	int		 i;

	n = (size_t)snprintf(text, sizeof(text),
	    "{\"settings\":{\"allowManagementFrom\":[");
	for (i = 0; i < SETTINGS_MANAGERS + 1; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    "%s\"10.0.%d.0/24\"", i > 0 ? "," : "", i);
	(void)snprintf(text + n, sizeof(text) - n, "]}}");
	parse(tc, text, &w);
	ATF_CHECK_EQ(w.w_parsed.mp_ok, 0);
	ATF_CHECK_STREQ(w.w_parsed.mp_error,
	    "line 1, column 36: settings.allowManagementFrom: has more than 32 "
	    "entries");
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, nothing);
	ATF_TP_ADD_TC(tp, settings);
	ATF_TP_ADD_TC(tp, paths);
	ATF_TP_ADD_TC(tp, trusted);
	ATF_TP_ADD_TC(tp, unknown);
	ATF_TP_ADD_TC(tp, many);
	ATF_TP_ADD_TC(tp, wrong);
	ATF_TP_ADD_TC(tp, limits);
	return (atf_no_error());
}
