/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The controller's files over restarts, and two devices that join, against
 * recordings of the original.  Spec: 04 sections 7, 8, 11.
 */

#include <errno.h>

#include "regress/wire/controller_replay.h"

/* ---- files and restarts ----------------------------------------------- */

/* What was done by hand to the files. */
static void
apply_disk(struct world *w, json_t *changes)
{
	const char	*file, *path;
	json_t		*v;
	FILE		*fp;

	json_object_foreach(changes, file, v) {
		path = world_path(w, file);
		if (json_is_null(v))
			(void)remove(path);
		else if (file[strlen(file) - 1] == '/')
			ATF_REQUIRE(mkdir(path, 0700) == 0 ||
			    errno == EEXIST);
		else {
			ATF_REQUIRE((fp = fopen(path, "w")) != NULL);
			ATF_REQUIRE(fputs(vectors_str(v, "content"), fp) >=
			    0);
			ATF_REQUIRE_EQ(fclose(fp), 0);
		}
	}
}

static void
expect_get(struct world *w, const char *path, const char *want)
{
	char	*got;

	if (world_api(w, "GET", path, "", &got) != 200 ||
	    strcmp(got, want) != 0)
		atf_tc_fail_nonfatal("%s: want %s, got %s", path, want, got);
	free(got);
}

static void
expect_file(struct world *w, const char *file, const char *want)
{
	char	*text;

	text = slurp(world_path(w, file));
	if (text == NULL || strcmp(text, want) != 0)
		atf_tc_fail_nonfatal("%s: want %s, got %s", file, want,
		    text == NULL ? "nothing" : text);
	free(text);
}

/* What is to be seen after some of the steps. */
static void
files_seen(struct world *w, int step)
{
	static const char	members[] = "/network/95841e6527000011/member";

	switch (step) {
	case 12:
		expect_get(w, "/network", "[\"95841e6527000011\","
		    "\"95841e6527000012\",\"95841e6527000018\","
		    "\"95841e6527000019\",\"95841e652700001a\"]");
		break;
	case 26:
		expect_get(w, members, "{\"1122334455\":1,"
		    "\"aabbccddee\":0}");
		break;
	case 32:
		expect_file(w, "network/95841e6527000013.json.bad",
		    "{\"id\":\"95841e6527000013\",\"name\":");
		break;
	case 40:
		expect_file(w, "network/95841e6527000011/member/"
		    "aabbccdd01.json.bad", "{broken");
		ATF_CHECK_EQ(access(world_path(w, "network/95841e6527000011/"
		    "member/1122334455.json"), F_OK), -1);
		break;
	case 41:
	case 43:
		expect_get(w, "/network", "[]");
		break;
	default:
		break;
	}
}

/*
 * Unlike the original this controller wants the name of a file to agree
 * with what is in it, skips members of unknown networks, and keeps files
 * that it could not use: the lists lack these (12, 26, 29, 41, 43), and they
 * are not found (18, 19, 30, 31, 36).
 */
static bool
files_other(int step)
{
	static const int	other[] = { 12, 18, 19, 26, 29, 30, 31, 36, 41,
	    43 };
	size_t			i;

	for (i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		if (other[i] == step)
			return (true);
	return (false);
}

ATF_TC_WITHOUT_HEAD(files_restart);
ATF_TC_BODY(files_restart, tc)
{
	struct world	*w;
	json_t		*v, *step;
	size_t		 i;
	char		 where[64];
	bool		 ran;
	int		 n;

	nmap = 0;
	drifted = false;
	v = vectors_load(tc, "controller/08-files-restart.json");
	w = world_new();
	start(w, tc);
	w->w_now = 1800000000000;
	json_array_foreach(vectors_array(v, "steps"), i, step) {
		n = (int)vectors_u64(step, "n");
		snprintf(where, sizeof(where), "08 step %d", n);
		if (json_object_get(step, "request") != NULL) {
			if (!files_other(n))
				replay_request(w, where, step, NULL, &ran);
		} else if (n < 44) {
			apply_disk(w, json_object_get(step, "diskChanges"));
			if (n != 3) {
				world_stop(w);
				start(w, tc);
			}
		} else if (n == 45) {
			world_stop(w);
			world_remove_files(w);
			ATF_REQUIRE_EQ(mkdir(w->w_dir, 0700), 0);
			start(w, tc);
		}
		files_seen(w, n);
		w->w_now += 10;
	}
	world_stop(w);
	world_free(w);
	json_decref(v);
}

/* ---- two devices join -------------------------------------------------- */

#define DEVICE_PACKET	0x0123456789abcdefULL

/* A device as far as the controller can tell. */
struct device {
	uint64_t	 dv_addr;
	struct identity	 dv_id;
	const char	*dv_status;	/* NULL: nothing heard */
	struct netconf	 dv_nc;		/* the last one received */
};

static const char	meta[] = "v=7\nvend=1\npv=c\nmajv=1\nminv=e\nrevv=1\n"
    "mr=400\nmc=80\nmcr=40\nmt=80\nf=0\nrevr=1";

static void
device_hear(struct device *dv, const struct sent *s)
{
	if (s->s_to != dv->dv_addr)
		return;
	if (s->s_type == SENT_CONFIG) {
		netconf_clear(&dv->dv_nc);
		ATF_REQUIRE_EQ(netconf_decode(&dv->dv_nc, s->s_data,
		    s->s_len), NULL);
		dv->dv_status = "OK";
	} else if (s->s_type == SENT_ERROR)
		dv->dv_status = s->s_code == ERR_OBJ_NOT_FOUND ?
		    "NOT_FOUND" : s->s_code == ERR_NETWORK_ACCESS_DENIED ?
		    "ACCESS_DENIED" : "?";
}

/* Give out what was sent; returns how many revocations there were. */
static unsigned
deliver(struct world *w, struct device *dv, size_t n)
{
	unsigned	revoked = 0;
	size_t		i, j;

	for (i = 0; i < w->w_nsent; i++) {
		revoked += w->w_sent[i].s_type == SENT_REVOCATION;
		for (j = 0; j < n; j++)
			device_hear(&dv[j], &w->w_sent[i]);
	}
	world_forget(w);
	return (revoked);
}

static void
device_ask(struct world *w, const struct device *dv, uint64_t nwid)
{
	request_receive(&w->w_con, w->w_now, nwid, DEVICE_PACKET, &dv->dv_id,
	    meta, sizeof(meta) - 1);
}

static json_t *
device_addresses(const struct netconf *nc)
{
	char	 text[INET_TEXT];
	json_t	*list;
	unsigned i;

	list = json_array();
	for (i = 0; i < nc->nc_nips; i++)
		json_array_append_new(list, json_string(inet_format(text,
		    &nc->nc_ips[i])));
	return (list);
}

/* Is this device what the recorded one reported? */
static void
device_check(const char *where, const struct device *dv, json_t *want)
{
	const struct netconf	*nc = &dv->dv_nc;
	json_t			*recorded, *ips;

	if (dv->dv_status == NULL ||
	    strcmp(dv->dv_status, vectors_str(want, "status")) != 0)
		atf_tc_fail_nonfatal("%s: status %s, want %s", where,
		    dv->dv_status == NULL ? "?" : dv->dv_status,
		    vectors_str(want, "status"));
	if (nc->nc_nwid == 0)
		return;
	ATF_CHECK_STREQ_MSG(vectors_str(want, "name"), nc->nc_name, "%s",
	    where);
	ATF_CHECK_EQ_MSG(vectors_u64(want, "netconfRevision"),
	    nc->nc_revision, "%s", where);
	ATF_CHECK_EQ_MSG(vectors_bool(want, "bridge"),
	    (netconf_roles(nc, dv->dv_addr) & SPECIALIST_BRIDGE) != 0, "%s",
	    where);
	ATF_CHECK_EQ_MSG(json_array_size(vectors_get(want, "routes")),
	    nc->nc_nroutes, "%s", where);
	ATF_CHECK_STREQ(vectors_str(vectors_get(want, "dns"), "domain"),
	    nc->nc_dns_domain);
	/* The device lists them in an order of its own. */
	recorded = json_deep_copy(vectors_get(want, "assignedAddresses"));
	ips = device_addresses(nc);
	sort_list(recorded);
	sort_list(ips);
	if (!json_equal(recorded, ips))
		tell(where, "assignedAddresses", recorded, ips);
	json_decref(recorded);
	json_decref(ips);
}

/* The identity that the recording shows for a device. */
static void
device_init(struct device *dv, json_t *steps, const char *addr)
{
	json_t		*step, *body;
	const char	*id;
	size_t		 i;

	ATF_REQUIRE_EQ(addr_parse(addr, &dv->dv_addr), 0);
	json_array_foreach(steps, i, step) {
		body = json_object_get(json_object_get(step, "response"),
		    "body");
		if (!json_is_string(body) || json_string_length(body) == 0)
			continue;
		body = world_json(json_string_value(body));
		id = json_string_value(json_object_get(body, "identity"));
		if (id != NULL && strncmp(id, addr, 10) == 0) {
			ATF_REQUIRE_EQ(identity_parse(&dv->dv_id, id,
			    strlen(id)), IDENTITY_OK);
			json_decref(body);
			return;
		}
		json_decref(body);
	}
	atf_tc_fail("no identity of %s", addr);
}

/* One step at a device: it joins, or what it shows after some time. */
static void
device_step(struct world *w, struct device *dv, size_t n, json_t *step,
    const char *where)
{
	const char	*action = vectors_str(step, "action");
	json_t		*want = vectors_get(step, "deviceNetwork");
	struct device	*me = NULL;
	uint64_t	 addr, nwid;
	size_t		 i;

	ATF_REQUIRE_EQ(addr_parse(vectors_str(step, "device"), &addr), 0);
	for (i = 0; i < n; i++)
		if (dv[i].dv_addr == addr)
			me = &dv[i];
	ATF_REQUIRE(me != NULL);
	if (json_is_null(want)) {
		netconf_clear(&me->dv_nc);
		me->dv_status = NULL;
		return;
	}
	ATF_REQUIRE_EQ(nwid_parse(vectors_str(want, "id"), &nwid), 0);
	/* Not seen by what was pushed already, it took another request. */
	if (strncmp(action, "join", 4) == 0 ||
	    json_number_value(json_object_get(step, "waitedSeconds")) > 2) {
		w->w_now += 5000;
		device_ask(w, me, nwid);
		(void)deliver(w, dv, n);
	}
	device_check(where, me, want);
}

ATF_TC_WITHOUT_HEAD(join_flow);
ATF_TC_BODY(join_flow, tc)
{
	struct device	*dv;
	struct world	*w;
	json_t		*v, *step, *steps;
	unsigned	 revoked;
	size_t		 i;
	char		 where[64];
	bool		 ran;
	int		 n;

	nmap = 0;
	drifted = false;
	v = vectors_load(tc, "controller/09-join-flow.json");
	steps = vectors_array(v, "steps");
	dv = calloc(2, sizeof(*dv));
	device_init(&dv[0], steps, "69e7615e02");
	device_init(&dv[1], steps, "8aa11e4ddd");
	w = world_new();
	start(w, tc);
	w->w_now = 1800000000000;
	json_array_foreach(steps, i, step) {
		n = (int)vectors_u64(step, "n");
		snprintf(where, sizeof(where), "09 step %d", n);
		if (json_object_get(step, "device") != NULL) {
			device_step(w, dv, 2, step, where);
			continue;
		}
		replay_request(w, where, step, NULL, &ran);
		ATF_CHECK(ran);
		w->w_now += 100;
		controller_push(&w->w_con, w->w_now);
		revoked = deliver(w, dv, 2);
		/* Both are told that one is out, or that all are. */
		ATF_CHECK_EQ_MSG(revoked, n == 21 || n == 29 ? 2U :
		    n == 33 ? 4U : 0U, "%s: %u revocations", where, revoked);
	}
	for (i = 0; i < 2; i++)
		netconf_clear(&dv[i].dv_nc);
	free(dv);
	world_stop(w);
	world_free(w);
	json_decref(v);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, files_restart);
	ATF_TP_ADD_TC(tp, join_flow);
	return (atf_no_error());
}
