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
	    dflt.s_lend_taps == 1);
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
	    "\"offload\":false,\"lendTaps\":\"false\","
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
	char			 text[128], want[128];
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
		(void)snprintf(want, sizeof(want), "physical.\"%s\"."
		    "trustedPathId: not for public addresses", public[i]);
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
	struct ctlworld	 w;

	(void)good(tc, "{\"settings\":{\"primaryPorts\":1}}", &w);
	ATF_CHECK_EQ(w.w_lines, 1);
	ATF_CHECK_STREQ(w.w_line, "settings.primaryPorts: unknown key; is "
	    "\"primaryPort\" meant?");
	(void)good(tc, "{\"settings\":{\"fourthPort\":1}}", &w);
	ATF_CHECK_EQ(w.w_lines, 1);
	ATF_CHECK_STREQ(w.w_line, "settings.fourthPort: unknown key");
	(void)good(tc, "{\"Setings\":{}}", &w);
	ATF_CHECK_STREQ(w.w_line, "Setings: unknown key; is \"settings\" "
	    "meant?");
	(void)good(tc, "{\"physical\":{\"10.0.0.0/8\":{\"MTUs\":1}}}", &w);
	ATF_CHECK_STREQ(w.w_line, "physical.\"10.0.0.0/8\".MTUs: unknown "
	    "key; is \"mtu\" meant?");
	(void)good(tc, "{\"settings\":{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaa\":1}}", &w);
	ATF_CHECK_EQ(w.w_lines, 1);
	(void)good(tc, "{\"settings\":{\"policies\":5}}", &w);
	ATF_CHECK_EQ(w.w_lines, 1);
	ATF_CHECK_STREQ(w.w_line,
	    "settings.policies: not supported, ignored");
	(void)good(tc, "{\"comment\":5}", &w);
	ATF_CHECK_EQ(w.w_lines, 1);
}

TC(wrong, "what is wrong is named")
{
	static const struct {
		const char	*text, *error;
	} cases[] = {
		{ "[]", "the outermost value is not an object" },
		{ "{", "line 1, column 1: not valid JSON" },
		{ "{\"settings\":\n{\"a\":1,}}",
		    "line 2, column 8: not valid" },
		{ "{\"settings\":5}", "settings: must be an object" },
		{ "{\"settings\":{\"primaryPort\":65536}}",
		    "settings.primaryPort: 65536 is more than 65535" },
		{ "{\"settings\":{\"primaryPort\":-1}}",
		    "settings.primaryPort: must be a whole number" },
		{ "{\"settings\":{\"primaryPort\":\"x1\"}}",
		    "settings.primaryPort: \"x1\" is not a number" },
		{ "{\"settings\":{\"primaryPort\":1.5}}",
		    "settings.primaryPort: must be" },
		{ "{\"settings\":{\"forceTcpRelay\":\"yes\"}}",
		    "settings.forceTcpRelay: must be true or false" },
		{ "{\"settings\":{\"bind\":\"10.0.0.1\"}}",
		    "settings.bind: must be a list" },
		{ "{\"settings\":{\"bind\":[\"10.0.0.1\",\"eth0\"]}}",
		    "settings.bind[1]: \"eth0\" is not an IP address" },
		{ "{\"settings\":{\"allowManagementFrom\":[\"any.host\"]}}",
		    "settings.allowManagementFrom[0]: \"any.host\" is not a "
		    "network" },
		{ "{\"settings\":{\"allowManagementFrom\":[\"10.0.0.0/33\"]}}",
		    "settings.allowManagementFrom[0]: \"10.0.0.0/33\" is not" },
		{ "{\"settings\":{\"dnsMode\":\"all\"}}",
		    "settings.dnsMode: \"all\" is neither \"split\" nor" },
		{ "{\"settings\":{\"dnsMode\":true}}",
		    "settings.dnsMode: must be a text" },
		{ "{\"settings\":{\"tcpFallbackRelay\":\"192.0.2.1\"}}",
		    "settings.tcpFallbackRelay: needs a port" },
		{ "{\"physical\":{\"lan\":{}}}",
		    "physical: \"lan\" is not a network" },
		{ "{\"physical\":{\"10.0.0.0/8\":{\"mtu\":\"big\"}}}",
		    "physical.\"10.0.0.0/8\".mtu: \"big\" is not a number" },
		{ "{\"physical\":{\"10.0.0.0/8\":7}}",
		    "physical.\"10.0.0.0/8\": must be an object" },
		{ "{\"virtual\":{\"feedbeef1\":{}}}",
		    "virtual: \"feedbeef1\" is not a node address" },
		{ "{\"virtual\":{\"ffffffffff\":{}}}",
		    "virtual: \"ffffffffff\" is not a node address" },
		{ "{\"virtual\":{\"feedbeef11\":{\"try\":[5]}}}",
		    "virtual.feedbeef11.try[0]: must be a text" }
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
	    "settings.allowManagementFrom: has more than 32 entries");
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, nothing);
	ATF_TP_ADD_TC(tp, settings);
	ATF_TP_ADD_TC(tp, paths);
	ATF_TP_ADD_TC(tp, trusted);
	ATF_TP_ADD_TC(tp, unknown);
	ATF_TP_ADD_TC(tp, wrong);
	ATF_TP_ADD_TC(tp, limits);
	return (atf_no_error());
}
