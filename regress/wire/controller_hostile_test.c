/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Bodies and records with anything in any place: the controller answers,
 * and what it sends can be decoded.  Spec: 04 sections 2, 7.2, 13.3.
 */

#include "regress/lib/sanitize.h"
#include "regress/wire/controller.h"

#define ROUNDS		SOME(3000, 800)
#define NWID		"ac3ec4d26700abcd"
#define ADDR		"47ef1f311d"

static uint32_t	seed;

/* The same numbers on every run. */
static uint32_t
roll(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return ((seed >> 8) % n);
}

static json_t *
anything(void)
{
	static const char *const texts[] = { "", "t", "-1", "10.0.0.1/24",
	    "fd00::/8", "::", "255.255.255.255/33", "ACTION_TEE",
	    "0xffffffffffffffffffffffff", "1122334455", "zt,6plane" };

	switch (roll(9)) {
	case 0:
		return (json_null());
	case 1:
		return (json_boolean(roll(2)));
	case 2:
		return (json_integer((json_int_t)roll(300)));
	case 3:
		return (json_integer(-(json_int_t)roll(300)));
	case 4:
		return (json_integer(INT64_MAX - (json_int_t)roll(2)));
	case 5:
		return (json_real((roll(2) ? 1e300 : -1e300)));
	case 6:
		return (json_array());
	case 7:
		return (json_object());
	default:
		return (json_string(texts[roll(sizeof(texts) /
		    sizeof(texts[0]))]));
	}
}

/* Replace some values, at any depth. */
static json_t *
spoil(json_t *v)
{
	const char	*key;
	json_t		*e;
	void		*next;
	size_t		 i;

	if (roll(12) == 0) {
		json_decref(v);
		return (anything());
	}
	if (json_is_object(v))
		json_object_foreach_safe(v, next, key, e)
			json_object_set_new(v, key, spoil(json_incref(e)));
	else if (json_is_array(v))
		json_array_foreach(v, i, e)
			json_array_set_new(v, i, spoil(json_incref(e)));
	return (v);
}

static const char	network_text[] = "{\"name\":\"n\",\"private\":false,"
    "\"mtu\":2800,\"multicastLimit\":32,\"enableBroadcast\":true,"
    "\"certificateTimeoutWindowSize\":600000,\"ssoEnabled\":false,"
    "\"v4AssignMode\":{\"zt\":true},"
    "\"v6AssignMode\":{\"zt\":true,\"6plane\":true,\"rfc4193\":true},"
    "\"routes\":[{\"target\":\"10.0.0.0/16\",\"via\":null},"
    "{\"target\":\"fd50::/64\"},{\"target\":\"0.0.0.0/0\","
    "\"via\":\"10.0.0.1\"}],"
    "\"ipAssignmentPools\":[{\"ipRangeStart\":\"10.0.0.1\","
    "\"ipRangeEnd\":\"10.0.0.9\"},{\"ipRangeStart\":\"fd50::\","
    "\"ipRangeEnd\":\"fd50::ffff:ffff:ffff:ffff\"}],"
    "\"rules\":[{\"type\":\"MATCH_ETHERTYPE\",\"etherType\":2048},"
    "{\"type\":\"MATCH_IPV4_DEST\",\"ip\":\"10.0.0.0/8\"},"
    "{\"type\":\"MATCH_MAC_SOURCE\",\"mac\":\"01:02:03:04:05:06\"},"
    "{\"type\":\"ACTION_TEE\",\"address\":\"1122334455\",\"length\":1},"
    "{\"type\":\"MATCH_CHARACTERISTICS\",\"mask\":\"10\"},"
    "{\"type\":\"ACTION_ACCEPT\"}],"
    "\"capabilities\":[{\"id\":1,\"default\":true,"
    "\"rules\":[{\"type\":\"ACTION_ACCEPT\"}]},{\"id\":2,\"rules\":[]}],"
    "\"tags\":[{\"id\":1,\"default\":5},{\"id\":2,\"default\":null}],"
    "\"dns\":{\"domain\":\"a.test\",\"servers\":[\"10.0.0.1\",\"::1\"]},"
    "\"authTokens\":{\"x\":0},\"remoteTraceTarget\":\"1122334455\"}";
static const char	member_text[] = "{\"authorized\":true,"
    "\"activeBridge\":true,\"noAutoAssignIps\":false,"
    "\"ipAssignments\":[\"10.0.0.7\",\"fd50::1\"],"
    "\"tags\":[[1,2],[3,4]],\"capabilities\":[1,2,1],"
    "\"authenticationExpiryTime\":0,\"remoteTraceTarget\":null,"
    "\"revision\":4,\"vMajor\":1}";

static void
ask(struct world *w)
{
	static const char	 meta[] = "revr=1\na=token:x";
	struct netconf		*nc;
	struct identity		 id;

	id = w->w_con.c_id;
	id.id_addr = 0x47ef1f311dULL;
	w->w_now += 2000;
	world_forget(w);
	request_receive(&w->w_con, w->w_now, 0xac3ec4d26700abcdULL, 99, &id,
	    meta, sizeof(meta) - 1);
	controller_push(&w->w_con, w->w_now);
	controller_tick(&w->w_con, w->w_now);
	ATF_REQUIRE(w->w_nsent >= 1);
	if (w->w_sent[0].s_type != SENT_CONFIG)
		return;
	nc = calloc(1, sizeof(*nc));
	ATF_CHECK_EQ(netconf_decode(nc, w->w_sent[0].s_data,
	    w->w_sent[0].s_len), NULL);
	netconf_clear(nc);
	free(nc);
}

/* Post spoilt bodies, then let a member ask. */
ATF_TC_WITHOUT_HEAD(bodies);
ATF_TC_BODY(bodies, tc)
{
	struct world	*w;
	json_t		*v;
	size_t		 len;
	char		*text, *out;
	unsigned	 code, counts[2] = { 0, 0 };
	int		 i;

	seed = 1;
	w = world_new();
	w->w_now = 1700000000000;
	world_start_recorded(w, tc);
	ATF_REQUIRE_EQ(world_api(w, "POST", "/network/" NWID, network_text,
	    &out), 200);
	free(out);
	for (i = 0; i < ROUNDS / 8; i++) {
		v = spoil(world_json(i % 2 == 0 ? network_text :
		    member_text));
		text = value_format(v, &len);
		if (roll(4) == 0 && len > 0)
			text[roll((uint32_t)len)] = (char)roll(256);
		code = world_api(w, "POST", i % 2 == 0 ?
		    "/network/" NWID : "/network/" NWID "/member/" ADDR,
		    text, &out);
		ATF_CHECK(code == 200 || code == 400 || code == 500);
		counts[code == 200]++;
		json_decref(world_json(out));
		free(out);
		free(text);
		json_decref(v);
		ask(w);
	}
	/* Both happen, or this tests nothing. */
	ATF_CHECK(counts[0] > ROUNDS / 100 && counts[1] > ROUNDS / 100);
	world_stop(w);
	world_free(w);
}

/* Records in memory as files may have them. */
ATF_TC_WITHOUT_HEAD(records);
ATF_TC_BODY(records, tc)
{
	struct network	*n;
	struct world	*w;
	json_t		*v;
	char		*out;
	int		 i;

	seed = 2;
	w = world_new();
	w->w_now = 1700000000000;
	world_start_recorded(w, tc);
	for (i = 0; i < ROUNDS; i++) {
		store_clear(&w->w_con);
		v = spoil(world_json(network_text));
		if (!json_is_object(v)) {
			json_decref(v);
			continue;
		}
		json_object_set_new(v, "id", json_string(NWID));
		ATF_REQUIRE_EQ(store_load_network(&w->w_con,
		    0xac3ec4d26700abcdULL, v), 0);
		n = w->w_con.c_networks[0];
		v = spoil(world_json(member_text));
		if (json_is_object(v))
			ATF_REQUIRE_EQ(store_load_member(&w->w_con, n,
			    0x47ef1f311dULL, v), 0);
		else
			json_decref(v);
		ask(w);
		ATF_CHECK_EQ(world_api(w, "GET",
		    "/unstable/network/" NWID "/member", "", &out), 200);
		free(out);
	}
	world_stop(w);
	world_free(w);
}

/*
 * What cannot be written: the operator is told, nothing is changed, and it
 * can be said again later.
 */
ATF_TC_WITHOUT_HEAD(unwritable);
ATF_TC_BODY(unwritable, tc)
{
	static const char *const paths[] = { "/network/" NWID,
	    "/network/" NWID "/member/" ADDR };
	static const char *const files[] = { "network/" NWID ".json",
	    "network/" NWID "/member/" ADDR ".json" };
	static const char	 body[] = "{\"name\":\"other\"}";
	char			 inside[300], file[256], *out;
	struct stat		 sb;
	struct world		*w;
	size_t			 i;

	w = world_new();
	w->w_now = 1700000000000;
	world_start_recorded(w, tc);
	/* A new network is not made at all. */
	strlcpy(file, world_path(w, "network"), sizeof(file));
	ATF_REQUIRE(rmdir(file) == 0);
	ATF_CHECK_EQ(world_api(w, "POST", paths[0], "{}", &out), 500);
	ATF_CHECK_MSG(strstr(out, "stored") != NULL, "%s", out);
	free(out);
	ATF_CHECK_EQ(world_api(w, "GET", paths[0], "", &out), 404);
	free(out);
	ATF_REQUIRE(mkdir(file, 0700) == 0);
	for (i = 0; i < 2; i++) {
		ATF_REQUIRE_EQ(world_api(w, "POST", paths[i], "{}", &out),
		    200);
		free(out);
		/* A folder with something in it cannot be replaced. */
		strlcpy(file, world_path(w, files[i]), sizeof(file));
		snprintf(inside, sizeof(inside), "%s/x", file);
		ATF_REQUIRE_EQ(unlink(file), 0);
		ATF_REQUIRE(mkdir(file, 0700) == 0 && mkdir(inside, 0700) ==
		    0);
		ATF_CHECK_EQ(world_api(w, "POST", paths[i], body, &out), 500);
		ATF_CHECK_MSG(strstr(out, "stored") != NULL, "%s", out);
		free(out);
		ATF_CHECK_EQ(world_api(w, "GET", paths[i], "", &out), 200);
		ATF_CHECK_MSG(strstr(out, "other") == NULL, "%s", out);
		free(out);
		ATF_REQUIRE(rmdir(inside) == 0 && rmdir(file) == 0);
		ATF_CHECK_EQ(world_api(w, "POST", paths[i], body, &out), 200);
		free(out);
		ATF_CHECK(stat(file, &sb) == 0 && S_ISREG(sb.st_mode));
	}
	world_stop(w);
	world_free(w);
}

/* The first member's folders could not be made: later they are. */
ATF_TC_WITHOUT_HEAD(late_folders);
ATF_TC_BODY(late_folders, tc)
{
	static const char	 path[] = "/network/" NWID "/member/" ADDR;
	char			 file[256], *out;
	struct stat		 sb;
	struct world		*w;

	w = world_new();
	w->w_now = 1700000000000;
	world_start_recorded(w, tc);
	ATF_REQUIRE_EQ(world_api(w, "POST", "/network/" NWID, "{}", &out),
	    200);
	free(out);
	strlcpy(file, world_path(w, "network/" NWID), sizeof(file));
	ATF_REQUIRE(fclose(fopen(file, "w")) == 0);
	ATF_CHECK_EQ(world_api(w, "POST", path, "{}", &out), 500);
	free(out);
	ATF_REQUIRE_EQ(unlink(file), 0);
	ATF_CHECK_EQ(world_api(w, "POST", path, "{}", &out), 200);
	free(out);
	ATF_CHECK_EQ(stat(world_path(w, "network/" NWID "/member/" ADDR
	    ".json"), &sb), 0);
	world_stop(w);
	world_free(w);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, unwritable);
	ATF_TP_ADD_TC(tp, late_folders);
	ATF_TP_ADD_TC(tp, bodies);
	ATF_TP_ADD_TC(tp, records);
	return (atf_no_error());
}
