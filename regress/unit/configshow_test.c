/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The configuration in force: every value, and where it comes from.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <atf-c.h>
#include <jansson.h>

#include "ztd-ctl/config.h"

static const char	 all[] = "{\"settings\":{\"primaryPort\":9000,"
    "\"secondaryPort\":1,\"tertiaryPort\":2,\"allowSecondaryPort\":false,"
    "\"portMappingEnabled\":false,\"allowTcpFallbackRelay\":false,"
    "\"forceTcpRelay\":true,\"tcpFallbackRelay\":\"192.0.2.1/443\","
    "\"enableWebServer\":true,\"lendTaps\":false,\"lowBandwidthMode\":true,"
    "\"offload\":false,\"realtime\":false,\"bind\":[\"192.0.2.7\",\"2001:db8::1\"],"
    "\"allowManagementFrom\":[\"10.0.0.0/8\"],"
    "\"interfacePrefixBlacklist\":[\"docker\",\"veth\"],"
    "\"interfacePrefixInclude\":[\"e\"],\"dnsMode\":\"global\"}}";

static const char	 defaults[] = "{\"primaryPort\":0,"
    "\"secondaryPort\":0,\"tertiaryPort\":0,\"allowSecondaryPort\":true,"
    "\"portMappingEnabled\":true,\"allowTcpFallbackRelay\":true,"
    "\"forceTcpRelay\":false,\"tcpFallbackRelay\":null,"
    "\"enableWebServer\":false,\"lendTaps\":true,"
    "\"lowBandwidthMode\":false,\"offload\":true,\"realtime\":true,"
    "\"bind\":[],"
    "\"allowManagementFrom\":[],\"interfacePrefixBlacklist\":[],"
    "\"interfacePrefixInclude\":[],\"dnsMode\":\"split\"}";

static json_t *
show(const char *text, unsigned port)
{
	struct settings	 s;
	char		 error[512];
	json_t		*conf, *v;

	ATF_REQUIRE_MSG(config_parse(text, strlen(text), &s, error,
	    sizeof(error)) == 0, "%s", error);
	conf = json_loads(text, 0, NULL);
	ATF_REQUIRE((v = config_show(&s, conf, port)) != NULL);
	json_decref(conf);
	return (v);
}

/* Each has the value of that name in want, and this source. */
static void
check(json_t *got, json_t *want, const char *source)
{
	const char	*key;
	json_t		*v, *w;

	ATF_CHECK_EQ(json_object_size(want), json_object_size(got));
	json_object_foreach(want, key, w) {
		v = json_object_get(got, key);
		ATF_CHECK_MSG(json_equal(json_object_get(v, "value"), w),
		    "%s", key);
		ATF_CHECK_MSG(strcmp(json_string_value(json_object_get(v,
		    "source")), source) == 0, "%s", key);
	}
}

ATF_TC_WITHOUT_HEAD(settings);
ATF_TC_BODY(settings, tc)
{
	json_t	*v, *want;

	(void)tc;
	want = json_loads(all, 0, NULL);
	v = show(all, 0);
	check(json_object_get(v, "settings"), json_object_get(want,
	    "settings"), "file");
	json_decref(v);
	json_decref(want);
	want = json_loads(defaults, 0, NULL);
	v = show("{}", 0);
	check(json_object_get(v, "settings"), want, "default");
	json_decref(v);
	/* null stands for the default. */
	v = show("{\"settings\":{\"bind\":null,\"offload\":null}}", 0);
	check(json_object_get(v, "settings"), want, "default");
	json_decref(v);
	json_decref(want);
}

/* The source of the primary port that is in use. */
static void
check_port(const char *text, unsigned port, const char *source)
{
	json_t	*v, *p;

	v = show(text, port);
	p = json_object_get(json_object_get(v, "settings"), "primaryPort");
	ATF_CHECK_EQ((json_int_t)port, json_integer_value(json_object_get(p,
	    "value")));
	ATF_CHECK_STREQ(source, json_string_value(json_object_get(p,
	    "source")));
	json_decref(v);
}

ATF_TC_WITHOUT_HEAD(port);
ATF_TC_BODY(port, tc)
{
	(void)tc;
	check_port("{}", 9993, "default");
	check_port("{}", 12345, "option");
	check_port("{\"settings\":{\"primaryPort\":12345}}", 12345, "file");
	/* Changed since the start. */
	check_port("{\"settings\":{\"primaryPort\":12345}}", 9993, "default");
	check_port("{\"settings\":{\"primaryPort\":0}}", 23456, "option");
}

ATF_TC_WITHOUT_HEAD(paths);
ATF_TC_BODY(paths, tc)
{
	static const char	 want[] = "{\"10.0.0.0/8\":{"
	    "\"blacklist\":{\"source\":\"file\",\"value\":true},"
	    "\"mtu\":{\"source\":\"default\",\"value\":1432},"
	    "\"trustedPathId\":{\"source\":\"default\",\"value\":0}},"
	    "\"192.168.0.9/32\":{"
	    "\"blacklist\":{\"source\":\"default\",\"value\":false},"
	    "\"mtu\":{\"source\":\"file\",\"value\":1400},"
	    "\"trustedPathId\":{\"source\":\"file\","
	    "\"value\":\"18446744073709551615\"}}}";
	static const char	 peers[] = "{\"feedbeef11\":{"
	    "\"blacklist\":{\"source\":\"default\",\"value\":[]},"
	    "\"try\":{\"source\":\"file\",\"value\":[\"192.0.2.1/9993\"]}}}";
	json_t			*v;
	char			*text;

	(void)tc;
	v = show("{\"physical\":{\"10.0.0.0/8\":{\"blacklist\":true},"
	    "\"192.168.0.9\":{\"mtu\":1,\"trustedPathId\":"
	    "\"18446744073709551615\"}},\"virtual\":{\"FEEDBEEF11\":{"
	    "\"try\":[\"192.0.2.1/9993\"]}}}", 0);
	text = json_dumps(json_object_get(v, "physical"), JSON_COMPACT |
	    JSON_SORT_KEYS);
	ATF_CHECK_STREQ(want, text);
	free(text);
	text = json_dumps(json_object_get(v, "virtual"), JSON_COMPACT |
	    JSON_SORT_KEYS);
	ATF_CHECK_STREQ(peers, text);
	free(text);
	json_decref(v);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, settings);
	ATF_TP_ADD_TC(tp, port);
	ATF_TP_ADD_TC(tp, paths);
	return (atf_no_error());
}
