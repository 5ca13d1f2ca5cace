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

/*
 * All steps of a recording; at least this many of them reach us, and over
 * HTTP every one.
 */
static void
play(const atf_tc_t *tc, const char *file, const struct differs *differs,
    unsigned atleast, bool over_http)
{
	struct world	*w;
	json_t		*v, *step;
	unsigned	 count = 0;
	size_t		 i;
	char		 where[64], path[128];
	bool		 ran;
	int		 n;

	nmap = 0;
	drifted = false;
	json_decref(since);
	since = json_object();
	snprintf(path, sizeof(path), "controller/%s", file);
	v = vectors_load(tc, path);
	w = world_new();
	start(w, tc);
	w->w_now = 1800000000000;
	http = over_http ? httpcon_new(tc, &w->w_con, &w->w_now) : NULL;
	json_array_foreach(vectors_array(v, "steps"), i, step) {
		n = (int)vectors_u64(step, "n");
		snprintf(where, sizeof(where), "%s step %d%s", file, n,
		    over_http ? " (HTTP)" : "");
		replay_request(w, where, step, differs_find(differs, n),
		    &ran);
		count += ran;
		w->w_now += 10;
	}
	if (over_http)
		atleast = (unsigned)json_array_size(vectors_array(v,
		    "steps"));
	if (count < atleast)
		atf_tc_fail("%s: only %u steps were run", file, count);
	if (http != NULL)
		httpcon_free(http);
	http = NULL;
	world_stop(w);
	world_free(w);
	json_decref(v);
}

static void
replay(const atf_tc_t *tc, const char *file, const struct differs *differs,
    unsigned atleast)
{
	play(tc, file, differs, atleast, false);
	play(tc, file, differs, atleast, true);
}

/* A method that HTTP does not know. */
ATF_TC_WITHOUT_HEAD(status_routing);
ATF_TC_BODY(status_routing, tc)
{
	static const struct differs	differs[] = {
		{ 16, 501, NULL, NOTHING },
		{ 17, 501, NULL, NOTHING },
		{ 0, 0, NULL, NULL }
	};

	replay(tc, "01-status-auth-routing.json", differs, 16);
}

/*
 * No network has the id 0; a body that is text or a number is a mistake; a
 * form may be as long as any other body.
 */
ATF_TC_WITHOUT_HEAD(network_create);
ATF_TC_BODY(network_create, tc)
{
	static const struct differs	differs[] = {
		{ 18, 400, NULL, NOTHING },
		{ 30, 400, NULL, NULL },
		{ 32, 400, NULL, NULL },
		{ 37, 200, NULL, NULL },
		{ 0, 0, NULL, NULL }
	};

	replay(tc, "02-network-create.json", differs, 38);
}

/*
 * Objects and lists where there is no place for them, text that is no
 * number, numbers out of range, what is no address, tokens without expiry.
 * The level of remote trace stays what it is.
 */
ATF_TC_WITHOUT_HEAD(network_fields);
ATF_TC_BODY(network_fields, tc)
{
	static const char		limit[] = "{\"multicastLimit\":5}";
	static const char		limit2[] = "{\"multicastLimit\":6}";
	static const char		target[] =
	    "{\"remoteTraceTarget\":\"aaaaaaaaaa\"}";
	static const struct differs	differs[] = {
		{ 10, 400, NULL, NULL },
		{ 11, 400, NULL, NULL },
		{ 23, 400, NULL, NULL },
		{ 29, 400, NULL, NULL },
		{ 30, 400, NULL, NULL },
		{ 31, 400, limit, limit },
		{ 35, 400, NULL, NULL },
		{ 36, 400, limit2, limit2 },
		{ 43, 400, NULL, NULL },
		{ 44, 400, NULL, NULL },
		{ 48, 400, target, target },
		{ 49, 400, NULL, NULL },
		{ 53, 200, "{\"remoteTraceLevel\":15,\"revision\":45}",
		    "{\"remoteTraceLevel\":0}" },
		{ 56, 200, "{\"remoteTraceLevel\":5}", "{}" },
		{ 71, 400, NULL, NULL },
		{ 73, 400, NULL, NULL },
		{ 0, 0, NULL, NULL }
	};

	replay(tc, "03-network-fields.json", differs, 78);
}

/*
 * What is no route or pool, a gateway of the other family, a prefix length
 * that is none or missing, a range that ends before it begins, more routes
 * than reach a member.
 */
ATF_TC_WITHOUT_HEAD(routes_pools);
ATF_TC_BODY(routes_pools, tc)
{
	static const char		routes[] = "{\"routes\":["
	    "{\"target\":\"10.0.0.0/8\",\"via\":null}]}";
	static const char		pools[] = "{\"ipAssignmentPools\":[{"
	    "\"ipRangeStart\":\"10.1.2.5\",\"ipRangeEnd\":\"10.1.2.5\"}]}";
	static const struct differs	differs[] = {
		{ 5, 400, NULL, NULL },
		{ 6, 400, NULL, NULL },
		{ 7, 400, NULL, NULL },
		{ 10, 400, NULL, NULL },
		{ 11, 400, NULL, NULL },
		{ 12, 400, NULL, NULL },
		{ 14, 400, NULL, NULL },
		{ 15, 400, NULL, NULL },
		{ 17, 400, NULL, NULL },
		{ 20, 400, NULL, NULL },
		{ 22, 400, NULL, NULL },
		{ 24, 400, routes, routes },
		{ 27, 400, pools, pools },
		{ 28, 400, NULL, NULL },
		{ 30, 400, NULL, NULL },
		{ 31, 400, NULL, NULL },
		{ 33, 400, NULL, NULL },
		{ 0, 0, NULL, NULL }
	};

	replay(tc, "04-routes-pools.json", differs, 34);
}

/*
 * A rule that is not known or lacks what it needs, a number or an address
 * that does not fit, a range that ends before it begins, more rules than
 * reach a member.
 */
ATF_TC_WITHOUT_HEAD(rules);
ATF_TC_BODY(rules, tc)
{
	static const char		tos[] = "{\"rules\":[{\"end\":31,"
	    "\"mask\":255,\"not\":false,\"or\":false,\"start\":16,"
	    "\"type\":\"MATCH_IP_TOS\"}]}";
	static const char		ports[] = "{\"rules\":[{\"end\":90,"
	    "\"not\":false,\"or\":false,\"start\":80,"
	    "\"type\":\"MATCH_IP_SOURCE_PORT_RANGE\"}]}";
	static const char		brk[] = "{\"rules\":["
	    "{\"type\":\"ACTION_BREAK\"}]}";
	static const char		none[] = "{\"rules\":[]}";
	static const struct differs	differs[] = {
		{ 6, 400, NULL, NULL },
		{ 7, 400, NULL, NULL },
		{ 8, 400, NULL, NULL },
		{ 12, 400, NULL, NULL },
		{ 15, 400, NULL, NULL },
		{ 16, 400, NULL, NULL },
		{ 17, 400, NULL, NULL },
		{ 20, 400, NULL, NULL },
		{ 21, 400, NULL, NULL },
		{ 22, 400, NULL, NULL },
		{ 23, 400, NULL, NULL },
		{ 24, 400, NULL, NULL },
		{ 25, 400, NULL, NULL },
		{ 26, 400, tos, tos },
		{ 27, 400, NULL, NULL },
		{ 28, 400, NULL, NULL },
		{ 30, 400, ports, ports },
		{ 32, 400, NULL, NULL },
		{ 33, 400, NULL, NULL },
		{ 34, 400, NULL, NULL },
		{ 36, 400, NULL, NULL },
		{ 37, 400, NULL, NULL },
		{ 38, 400, NULL, NULL },
		{ 39, 400, NULL, NULL },
		{ 40, 400, NULL, NULL },
		{ 41, 400, NULL, NULL },
		{ 42, 400, NULL, NULL },
		{ 43, 400, NULL, NULL },
		{ 44, 400, NULL, NULL },
		{ 45, 400, NULL, NULL },
		{ 46, 400, NULL, NULL },
		{ 47, 400, NULL, NULL },
		{ 49, 400, NULL, NULL },
		{ 51, 400, NULL, NULL },
		{ 52, 400, NULL, NULL },
		{ 54, 400, brk, brk },
		{ 55, 400, none, none },
		{ 0, 0, NULL, NULL }
	};

	replay(tc, "05-rules.json", differs, 55);
}

/* The same for capabilities and tags; name servers are addresses. */
ATF_TC_WITHOUT_HEAD(capabilities_tags_dns);
ATF_TC_BODY(capabilities_tags_dns, tc)
{
	static const char		ids[] = "{\"capabilities\":["
	    "{\"default\":false,\"id\":1,\"rules\":[]},"
	    "{\"default\":false,\"id\":12,\"rules\":[]}]}";
	static const char		brk[] = "{\"capabilities\":["
	    "{\"default\":false,\"id\":1,\"rules\":["
	    "{\"type\":\"ACTION_BREAK\"}]}]}";
	static const char		tags[] = "{\"tags\":["
	    "{\"default\":null,\"id\":0},{\"default\":8,\"id\":7}]}";
	static const char		five[] = "{\"dns\":{\"domain\":\"5\","
	    "\"servers\":[]}}";
	static const char		four[] = "{\"dns\":{\"domain\":\"d\","
	    "\"servers\":[\"10.0.0.1\"]}}";
	static const struct differs	differs[] = {
		{ 4, 400, NULL, NULL },
		{ 5, 400, ids, ids },
		{ 6, 400, brk, brk },
		{ 7, 400, brk, brk },
		{ 8, 200, brk, "{}" },
		{ 12, 400, tags, tags },
		{ 13, 400, NULL, NULL },
		{ 14, 400, NULL, NULL },
		{ 17, 400, five, five },
		{ 19, 400, NULL, NULL },
		{ 22, 400, four, four },
		{ 23, 200, four, "{}" },
		{ 24, 200, four, "{}" },
		{ 0, 0, NULL, NULL }
	};

	replay(tc, "06-capabilities-tags-dns.json", differs, 26);
}

/*
 * The same for members; none has the address 0; ids are in lower case
 * whatever the path says.
 */
ATF_TC_WITHOUT_HEAD(members);
ATF_TC_BODY(members, tc)
{
	static const char		expiry[] =
	    "{\"authenticationExpiryTime\":5}";
	static const char		caps[] = "{\"capabilities\":[0,1,2]}";
	static const char		lower[] =
	    "{\"id\":\"aabbccddee\",\"address\":\"aabbccddee\"}";
	static const struct differs	differs[] = {
		{ 25, 400, expiry, expiry },
		{ 29, 200, "{\"remoteTraceLevel\":10,\"revision\":17}",
		    "{\"remoteTraceLevel\":0}" },
		{ 30, 400, NULL, NULL },
		{ 32, 400, NULL, NULL },
		{ 33, 400, NULL, NULL },
		{ 34, 400, NULL, NULL },
		{ 36, 400, NULL, NULL },
		{ 38, 400, NULL, NULL },
		{ 39, 400, NULL, NULL },
		{ 40, 400, NULL, NULL },
		{ 42, 400, caps, caps },
		{ 43, 400, caps, caps },
		{ 52, 200, lower, NULL },
		{ 53, 200, lower, NULL },
		{ 54, 200, "{\"AABBCCDDEE\":\"gone\",\"aabbccddee\":0}",
		    NULL },
		{ 56, 200, "{\"nwid\":\"95841e65270000f5\"}", NULL },
		{ 58, 400, NULL, NOTHING },
		/* Who is online: not gone here. */
		{ 69, 200, NULL, NOTHING },
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
