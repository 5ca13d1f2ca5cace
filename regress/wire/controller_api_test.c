/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The controller's API, against recordings of the original.
 * Spec: 04 sections 2 to 7, 17.
 *
 * Where this controller means to differ, a table says how.
 */

#include "regress/wire/controller_replay.h"

/* All steps of a recording; at least this many of them reach us. */
static void
replay(const atf_tc_t *tc, const char *file, const struct differs *differs,
    unsigned atleast)
{
	const struct differs	*d;
	struct world		*w;
	json_t			*v, *step;
	unsigned		 count = 0;
	size_t			 i;
	char			 where[64], path[128];
	bool			 ran;
	int			 n;

	nmap = 0;
	drifted = false;
	snprintf(path, sizeof(path), "controller/%s", file);
	v = vectors_load(tc, path);
	w = world_new();
	start(w, tc);
	w->w_now = 1800000000000;
	json_array_foreach(vectors_array(v, "steps"), i, step) {
		n = (int)vectors_u64(step, "n");
		snprintf(where, sizeof(where), "%s step %d", file, n);
		d = differs_find(differs, n);
		replay_request(w, where, step, d, &ran);
		count += ran;
		w->w_now += 10;
	}
	if (count < atleast)
		atf_tc_fail("%s: only %u steps were run", file, count);
	world_stop(w);
	world_free(w);
	json_decref(v);
}

ATF_TC_WITHOUT_HEAD(status_routing);
ATF_TC_BODY(status_routing, tc)
{
	replay(tc, "01-status-auth-routing.json", NULL, 16);
}

ATF_TC_WITHOUT_HEAD(network_create);
ATF_TC_BODY(network_create, tc)
{
	replay(tc, "02-network-create.json", NULL, 38);
}

ATF_TC_WITHOUT_HEAD(network_fields);
ATF_TC_BODY(network_fields, tc)
{
	replay(tc, "03-network-fields.json", NULL, 78);
}

/* Text that is no address is none, and does not become 0.0.0.0. */
ATF_TC_WITHOUT_HEAD(routes_pools);
ATF_TC_BODY(routes_pools, tc)
{
	static const struct differs	differs[] = {
		{ 7, 200, "{\"routes\":["
		    "{\"target\":\"10.2.0.0/16\",\"via\":null},"
		    "{\"target\":\"10.3.0.0/16\",\"via\":null}]}", NULL },
		{ 15, 200, "{\"routes\":[]}", NULL },
		{ 31, 200, "{\"ipAssignmentPools\":[]}", NULL },
		{ 0, 0, NULL, NULL }
	};

	replay(tc, "04-routes-pools.json", differs, 34);
}

/*
 * A bad MAC or IP address is an error, a characteristics mask of the wrong
 * type is 0 and none.
 */
ATF_TC_WITHOUT_HEAD(rules);
ATF_TC_BODY(rules, tc)
{
	static const char		mask[] = "{\"name\":\"lost\","
	    "\"rules\":[{\"mask\":\"0000000000000000\",\"not\":false,"
	    "\"or\":false,\"type\":\"MATCH_CHARACTERISTICS\"}]}";
	static const char		name[] = "{\"name\":\"\"}";
	static const struct differs	differs[] = {
		{ 20, 500, NULL, NULL },
		{ 22, 500, NULL, NULL },
		{ 24, 500, NULL, NULL },
		{ 25, 500, NULL, NULL },
		{ 33, 200, mask, NULL },
		{ 34, 200, mask, name },
		{ 0, 0, NULL, NULL }
	};

	replay(tc, "05-rules.json", differs, 55);
}

ATF_TC_WITHOUT_HEAD(capabilities_tags_dns);
ATF_TC_BODY(capabilities_tags_dns, tc)
{
	replay(tc, "06-capabilities-tags-dns.json", NULL, 26);
}

/*
 * What is no address is left out of ipAssignments; ids are in lower case
 * whatever the path says.
 */
ATF_TC_WITHOUT_HEAD(members);
ATF_TC_BODY(members, tc)
{
	static const char		ips[] =
	    "{\"ipAssignments\":[\"10.9.9.9\"]}";
	static const char		lower[] =
	    "{\"id\":\"aabbccddee\",\"address\":\"aabbccddee\"}";
	static const struct differs	differs[] = {
		{ 32, 200, ips, NULL },
		{ 33, 200, "{\"ipAssignments\":[\"10.1.2.3\"]}", NULL },
		{ 34, 200, "{\"ipAssignments\":[]}",
		    "{\"name\":\"\",\"ipAssignments\":[\"10.9.9.9\"]}" },
		{ 35, 200, ips, NULL },
		{ 36, 200, ips, NULL },
		{ 52, 200, lower, NULL },
		{ 53, 200, lower, NULL },
		{ 54, 200, "{\"AABBCCDDEE\":\"gone\",\"aabbccddee\":0}",
		    NULL },
		{ 56, 200, "{\"nwid\":\"95841e65270000f5\"}", NULL },
		{ 0, 0, NULL, NULL }
	};

	replay(tc, "07-members.json", differs, 75);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, status_routing);
	ATF_TP_ADD_TC(tp, network_create);
	ATF_TP_ADD_TC(tp, network_fields);
	ATF_TP_ADD_TC(tp, routes_pools);
	ATF_TP_ADD_TC(tp, rules);
	ATF_TP_ADD_TC(tp, capabilities_tags_dns);
	ATF_TP_ADD_TC(tp, members);
	return (atf_no_error());
}
