/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Credentials that are given again: to the same member, while nothing has
 * changed, for a tenth of their window; and nothing else is.  Spec: 04
 * sections 11.3, 12 and 13.3.
 */

#include <inttypes.h>

#include "regress/wire/controller.h"
#include "ztd-controller/grant.h"

#define PACKET		0x0123456789abcdefULL
#define WINDOW		1800000			/* as it is by itself, ms */
#define MINUTE		60000

static const char	meta[] = "v=7\nvend=1\npv=c\nmajv=1\nminv=e\nrevv=1\n"
    "mr=400\nmc=80\nmcr=40\nmt=80\nf=0\nrevr=1";
static const char	meta_newer[] = "v=7\nvend=1\npv=c\nmajv=1\nminv=10\n"
    "revv=0\nmr=400\nmc=80\nmcr=40\nmt=80\nf=0\nrevr=1";
static const char	meta_plain[] = "v=7\nmajv=1\nminv=1";

/* A network with everything that is signed, and some members of it. */
struct stage {
	struct world	*st_w;
	uint64_t	 st_nwid;
	struct identity	 st_ids[3];
};

static void
post(struct stage *st, const char *path, const char *body)
{
	char	full[128], *out;

	snprintf(full, sizeof(full), "/network/%016" PRIx64 "%s%s",
	    st->st_nwid, path[0] == '\0' ? "" : "/member/", path);
	ATF_CHECK_EQ_MSG(world_api(st->st_w, body == NULL ? "DELETE" :
	    "POST", full, body == NULL ? "" : body, &out), 200, "%s", out);
	free(out);
}

static void
post_member(struct stage *st, int who, const char *body)
{
	char	addr[ADDR_TEXT];

	post(st, addr_format(addr, st->st_ids[who].id_addr), body);
}

/* What the member gets after some time; to be cleared. */
static void
ask_with(struct stage *st, int who, const char *text, int64_t after,
    struct netconf *nc)
{
	struct world	*w = st->st_w;

	w->w_now += after;
	world_forget(w);
	request_receive(&w->w_con, w->w_now, st->st_nwid, PACKET,
	    &st->st_ids[who], text, strlen(text));
	db_wait(w->w_con.c_db);
	ATF_REQUIRE_EQ(w->w_nsent, 1);
	ATF_REQUIRE_EQ(w->w_sent[0].s_type, SENT_CONFIG);
	ATF_REQUIRE_EQ(netconf_decode(nc, w->w_sent[0].s_data,
	    w->w_sent[0].s_len), NULL);
	ATF_CHECK_EQ(nc->nc_ts, w->w_now);
	ATF_CHECK_EQ(nc->nc_to, st->st_ids[who].id_addr);
}

static const struct identity *
lookup(void *arg, uint64_t addr)
{
	struct stage	*st = arg;

	return (addr == st->st_w->w_con.c_id.id_addr ?
	    &st->st_w->w_con.c_id : NULL);
}

/* All that it has is of this time, signed, and the member's. */
static void
check_time(struct stage *st, const struct netconf *nc, int64_t ts)
{
	uint64_t	unknown;
	unsigned	i;

	ATF_CHECK_EQ((int64_t)com_value(&nc->nc_com, COM_ID_TIMESTAMP), ts);
	ATF_CHECK_EQ(com_check(&nc->nc_com, lookup, st, &unknown),
	    CREDENTIAL_OK);
	for (i = 0; i < nc->nc_ntags; i++) {
		ATF_CHECK_EQ(nc->nc_tags[i].tag_ts, ts);
		ATF_CHECK_EQ(tag_check(&nc->nc_tags[i], lookup, st, &unknown),
		    CREDENTIAL_OK);
	}
	for (i = 0; i < nc->nc_ncaps; i++) {
		ATF_CHECK_EQ(nc->nc_caps[i].cap_ts, ts);
		ATF_CHECK_EQ(capability_check(&nc->nc_caps[i], lookup, st,
		    &unknown), CREDENTIAL_OK);
	}
	for (i = 0; i < nc->nc_ncoos; i++) {
		ATF_CHECK_EQ(nc->nc_coos[i].coo_ts, ts);
		ATF_CHECK_EQ(coo_check(&nc->nc_coos[i], lookup, st, &unknown),
		    CREDENTIAL_OK);
	}
}

/*
 * Asks after some time and gets new ones (0), those of the time given, or
 * whatever (-1).  Returns of what time they were.
 */
static int64_t
ask(struct stage *st, int who, int64_t after, int64_t ts)
{
	struct netconf	*nc;
	int64_t		 got;

	nc = calloc(1, sizeof(*nc));
	ATF_REQUIRE(nc != NULL);
	ask_with(st, who, meta, after, nc);
	got = (int64_t)com_value(&nc->nc_com, COM_ID_TIMESTAMP);
	check_time(st, nc, ts == 0 ? st->st_w->w_now : ts == -1 ? got : ts);
	netconf_clear(nc);
	free(nc);
	return (got);
}

/*
 * Of the first requests some change the record, and none is given again
 * before its answer is known to change nothing; then it is.  Returns when
 * what is given again was signed.
 */
static int64_t
settle(struct stage *st, int who)
{
	int64_t	ts;

	ask(st, who, MINUTE, -1);
	ask(st, who, WINDOW / GRANT_PART, 0);
	ts = ask(st, who, 1001, -1);
	ask(st, who, 1001, ts);
	return (ts);
}

/* What is set by no API: this key of the network's or a member's record. */
static void
set_key(struct stage *st, int who, const char *key, json_t *v)
{
	struct controller	*c = &st->st_w->w_con;
	struct network		*n = store_network(c, st->st_nwid);
	json_t			*record;
	const uint64_t		 addr = who < 0 ? 0 : st->st_ids[who].id_addr;

	record = who < 0 ? json_deep_copy(n->n_record) :
	    member_record(store_member(n, addr));
	value_set(record, key, v);
	store_begin(c);
	if (who < 0)
		(void)store_save_network(c, st->st_nwid, record);
	else
		(void)store_save_member(c, n, addr, record, true);
	ATF_REQUIRE_EQ(store_commit(c, NULL, NULL), STORE_DONE);
	db_wait(c->c_db);
}

/* Nobody here looks whether the address follows from the keys. */
static void
identity_quick(struct identity *id, uint64_t addr)
{
	memset(id, 0, sizeof(*id));
	id->id_addr = addr;
	keypair_generate(id->id_public, id->id_private);
	id->id_has_private = 1;
}

static void
setup(struct stage *st)
{
	char	secret[IDENTITY_TEXT_SECRET];
	size_t	i;

	memset(st, 0, sizeof(*st));
	st->st_w = world_new();
	st->st_w->w_now = 1800000000000;
	identity_quick(&st->st_ids[0], 0x1122334455);
	identity_format(secret, &st->st_ids[0], true);
	world_start(st->st_w, secret);
	st->st_nwid = st->st_ids[0].id_addr << 24 | 1;
	for (i = 0; i < 3; i++)
		identity_quick(&st->st_ids[i], 0x2233440000 + i);
	post(st, "", "{\"name\":\"x\",\"v4AssignMode\":{\"zt\":true},"
	    "\"routes\":[{\"target\":\"10.1.0.0/16\"}],"
	    "\"ipAssignmentPools\":[{\"ipRangeStart\":\"10.1.0.1\","
	    "\"ipRangeEnd\":\"10.1.9.1\"}],"
	    "\"tags\":[{\"id\":1,\"default\":2}],"
	    "\"capabilities\":[{\"id\":7,\"rules\":[{\"type\":"
	    "\"ACTION_ACCEPT\"}]}]}");
	for (i = 0; i < 2; i++)
		post_member(st, (int)i, "{\"authorized\":true,"
		    "\"capabilities\":[7]}");
}

static void
done(struct stage *st)
{
	world_stop(st->st_w);
	world_free(st->st_w);
}

ATF_TC_WITHOUT_HEAD(again);
ATF_TC_BODY(again, tc)
{
	struct netconf	*one, *two;
	struct stage	 st;
	int64_t		 ts;

	setup(&st);
	one = calloc(1, sizeof(*one));
	two = calloc(1, sizeof(*two));
	ask(&st, 0, MINUTE, 0);
	ask_with(&st, 0, meta, MINUTE, one);
	ts = one->nc_ts;
	check_time(&st, one, ts);
	ATF_CHECK_EQ(one->nc_ntags, 1);
	ATF_CHECK_EQ(one->nc_ncaps, 1);
	ATF_CHECK_EQ(one->nc_ncoos, 1);
	ATF_CHECK(status_grants(st.st_w->w_con.c_status) > 0);
	/* But for its time it is the same to the last byte. */
	ask_with(&st, 0, meta, MINUTE, two);
	check_time(&st, two, ts);
	ATF_CHECK_EQ(two->nc_ts, ts + MINUTE);
	two->nc_ts = ts;
	ATF_CHECK(netconf_equal(one, two));
	netconf_clear(one);
	netconf_clear(two);
	free(one);
	free(two);
	/* A tenth of the window, and not a millisecond more. */
	ask(&st, 0, ts + WINDOW / GRANT_PART - 1 - st.st_w->w_now, ts);
	ts = ask(&st, 0, 1001, 0);
	ask(&st, 0, WINDOW / GRANT_PART - 1, ts);
	ts = ask(&st, 0, 2001, 0);
	/* The other member has its own. */
	settle(&st, 1);
	ask(&st, 0, WINDOW / GRANT_PART, 0);
	done(&st);
}

/*
 * What the first request stored is what it was answered with, unless the
 * network was changed before that was on disk.
 */
ATF_TC_WITHOUT_HEAD(first);
ATF_TC_BODY(first, tc)
{
	struct stage	 st;
	struct world	*w;
	int64_t		 ts;

	setup(&st);
	w = st.st_w;
	post_member(&st, 0, "{\"noAutoAssignIps\":true}");
	post_member(&st, 1, "{\"noAutoAssignIps\":true}");
	ts = ask(&st, 0, MINUTE, 0);
	ask(&st, 0, MINUTE, ts);
	world_forget(w);
	w->w_now += MINUTE;
	set_key(&st, -1, "name", json_string("y"));
	request_receive(&w->w_con, w->w_now, st.st_nwid, PACKET,
	    &st.st_ids[1], meta, strlen(meta));
	set_key(&st, -1, "name", json_string("z"));
	ask(&st, 1, MINUTE, 0);
	done(&st);
}

/* With the shortest window they are too old after half a minute. */
ATF_TC_WITHOUT_HEAD(window);
ATF_TC_BODY(window, tc)
{
	struct stage	 st;
	int64_t		 ts;

	setup(&st);
	set_key(&st, -1, "certificateTimeoutWindowSize",
	    json_integer(300000));
	ask(&st, 0, MINUTE, 0);
	ask(&st, 0, MINUTE, 0);
	ts = ask(&st, 0, MINUTE, 0);
	ask(&st, 0, 29999, ts);
	ts = ask(&st, 0, 1001, 0);
	/* A clock that was set back: new ones. */
	st.st_w->w_now -= 10000;
	ask(&st, 0, 0, 0);
	done(&st);
}

/* As if it had been signed at this time. */
static void
sign_as_of(struct stage *st, int who, struct netconf *nc, int64_t ts)
{
	const struct identity	*con = &st->st_w->w_con.c_id;
	unsigned		 i;

	com_make(&nc->nc_com, ts, nc->nc_delta, nc->nc_nwid, &st->st_ids[who]);
	com_sign(&nc->nc_com, con);
	for (i = 0; i < nc->nc_ntags; i++) {
		nc->nc_tags[i].tag_ts = ts;
		tag_sign(&nc->nc_tags[i], con);
	}
	for (i = 0; i < nc->nc_ncaps; i++) {
		nc->nc_caps[i].cap_ts = ts;
		capability_sign(&nc->nc_caps[i], con, nc->nc_to);
	}
	for (i = 0; i < nc->nc_ncoos; i++) {
		nc->nc_coos[i].coo_ts = ts;
		coo_sign(&nc->nc_coos[i], con);
	}
}

/*
 * What it is given now, all of it signed anew, and again later, and with the
 * credentials renewed, is the same but for the times.
 */
static void
same_later(struct stage *st, const char *text)
{
	const int64_t	 window = WINDOW / GRANT_PART;
	struct netconf	*nc[4];
	unsigned	 i;

	for (i = 0; i < 4; i++) {
		nc[i] = calloc(1, sizeof(*nc[i]));
		ATF_REQUIRE(nc[i] != NULL);
		ask_with(st, 0, text, i == 2 ? window : 1001, nc[i]);
	}
	check_time(st, nc[0], nc[0]->nc_ts);
	check_time(st, nc[1], nc[0]->nc_ts);
	check_time(st, nc[2], nc[2]->nc_ts);
	check_time(st, nc[3], nc[2]->nc_ts);
	nc[1]->nc_ts = nc[0]->nc_ts;
	ATF_CHECK(netconf_equal(nc[0], nc[1]));
	nc[3]->nc_ts = nc[2]->nc_ts;
	ATF_CHECK(netconf_equal(nc[2], nc[3]));
	/* Signed at another time, by what signed the first. */
	nc[2]->nc_ts = nc[0]->nc_ts;
	sign_as_of(st, 0, nc[2], nc[0]->nc_ts);
	ATF_CHECK(netconf_equal(nc[0], nc[2]));
	for (i = 0; i < 4; i++) {
		netconf_clear(nc[i]);
		free(nc[i]);
	}
}

/* What a member gets from what is kept, and with nothing kept: the same. */
static void
check_kept(struct stage *st, int who, const char *text)
{
	struct controller	*c = &st->st_w->w_con;
	struct netconf		*kept, *whole;
	struct status		*own;

	kept = calloc(1, sizeof(*kept));
	whole = calloc(1, sizeof(*whole));
	ATF_REQUIRE(kept != NULL && whole != NULL);
	ask_with(st, who, text, 1001, kept);
	netconf_clear(kept);
	ask_with(st, who, text, 1001, kept);
	status_ungrant(c->c_status);
	own = status_find(c->c_status, st->st_nwid, st->st_ids[who].id_addr);
	ATF_REQUIRE(own != NULL);
	own->st_serial = 0;
	ask_with(st, who, text, 1001, whole);
	check_time(st, whole, whole->nc_ts);
	kept->nc_ts = whole->nc_ts;
	sign_as_of(st, who, kept, whole->nc_ts);
	sign_as_of(st, who, whole, whole->nc_ts);
	ATF_CHECK(netconf_equal(kept, whole));
	netconf_clear(kept);
	netconf_clear(whole);
	free(kept);
	free(whole);
}

/*
 * Whatever is changed, in whatever order: what was kept of a network and of
 * its members before that is told to nobody any more.
 */
ATF_TC_WITHOUT_HEAD(stale);
ATF_TC_BODY(stale, tc)
{
	static const char *const	networks[] = {
		"{\"name\":\"y\"}", "{\"name\":\"\"}",
		"{\"mtu\":1400}", "{\"mtu\":9000}",
		"{\"multicastLimit\":7}", "{\"multicastLimit\":64}",
		"{\"rules\":[{\"type\":\"ACTION_DROP\"}]}",
		"{\"rules\":[{\"type\":\"ACTION_ACCEPT\"}]}",
		"{\"rules\":[]}", "{\"routes\":[]}",
		"{\"routes\":[{\"target\":\"10.1.0.0/16\"},"
		    "{\"target\":\"10.9.0.0/16\",\"via\":\"10.1.0.1\"}]}",
		"{\"routes\":[{\"target\":\"10.1.0.0/16\"}]}",
		"{\"tags\":[{\"id\":1,\"default\":2},{\"id\":2,"
		    "\"default\":3}]}",
		"{\"capabilities\":[]}",
		"{\"capabilities\":[{\"id\":7,\"rules\":[{\"type\":"
		    "\"ACTION_DROP\"}]},{\"id\":3,\"rules\":[]}]}",
		"{\"private\":false}", "{\"private\":true}",
		"{\"enableBroadcast\":false}", "{\"enableBroadcast\":true}",
		"{\"v6AssignMode\":{\"6plane\":true}}",
		"{\"v6AssignMode\":{\"6plane\":false}}",
		"{\"dns\":{\"domain\":\"x.y\",\"servers\":[\"10.1.0.1\"]}}",
		"{\"dns\":{\"domain\":\"\",\"servers\":[]}}",
		"{\"remoteTraceTarget\":\"1234567890\"}",
		"{\"remoteTraceTarget\":\"\"}",
		"{\"remoteTraceLevel\":3}", "{\"remoteTraceLevel\":0}",
	};
	static const char *const	members[] = {
		"{\"tags\":[[1,5]]}", "{\"tags\":[[9,1],[1,6]]}",
		"{\"capabilities\":[]}", "{\"capabilities\":[7,3,7]}",
		"{\"activeBridge\":true}", "{\"activeBridge\":false}",
		"{\"ipAssignments\":[\"10.1.0.77\"]}",
		"{\"ipAssignments\":[\"10.1.0.78\",\"10.9.0.1\"]}",
		"{\"noAutoAssignIps\":true}",
		"{\"authorized\":false}", "{\"authorized\":true}",
		"{\"remoteTraceTarget\":\"0123456789\"}",
		"{\"remoteTraceTarget\":\"\"}",
	};
	struct stage	 st;
	unsigned	 i, n;
	int64_t		 jump;

	setup(&st);
	srandom(1);
	for (i = 0; i < 500; i++) {
		n = (unsigned)random();
		switch (n % 8) {
		case 0:
		case 1:
		case 2:
			n = (unsigned)random() % (sizeof(networks) /
			    sizeof(networks[0]));
			post(&st, "", networks[n]);
			break;
		case 3:
		case 4:
			n = (unsigned)random() % (sizeof(members) /
			    sizeof(members[0]));
			post_member(&st, (int)random() % 3, members[n]);
			break;
		case 5:
			post_member(&st, 2, "{\"activeBridge\":true}");
			if (random() % 2)
				post_member(&st, 2, NULL);
			break;
		case 6:
			if (random() % 4 == 0) {
				post(&st, "", NULL);
				post(&st, "", "{\"routes\":[{\"target\":"
				    "\"10.1.0.0/16\"}]}");
			}
			break;
		case 7:
			/* Within what is given again, or beyond. */
			jump = random() % 2 ? 20000 : 400000;
			st.st_w->w_now += random() % 2 ? jump : -jump;
			break;
		}
		post_member(&st, 0, "{\"authorized\":true}");
		if (random() % 2)
			controller_push(&st.st_w->w_con, st.st_w->w_now);
		check_kept(&st, 0, random() % 8 ? meta : meta_plain);
	}
	done(&st);
}

/* A device without rules engine gets other rules than the rest. */
ATF_TC_WITHOUT_HEAD(plain);
ATF_TC_BODY(plain, tc)
{
	struct stage		 st;

	setup(&st);
	post(&st, "", "{\"rules\":[{\"type\":\"ACTION_DROP\"}]}");
	settle(&st, 0);
	settle(&st, 1);
	same_later(&st, meta_plain);
	same_later(&st, meta);
	done(&st);
}

/* Every change of the member or of its network. */
ATF_TC_WITHOUT_HEAD(changed);
ATF_TC_BODY(changed, tc)
{
	static const char *const	members[] = {
		"{\"name\":\"other\"}", "{\"tags\":[[1,5]]}",
		"{\"capabilities\":[]}", "{\"activeBridge\":true}",
		"{\"ipAssignments\":[\"10.1.0.77\"]}",
		"{\"noAutoAssignIps\":true}"
	};
	static const char *const	networks[] = {
		"{\"name\":\"y\"}", "{\"mtu\":1400}",
		"{\"rules\":[{\"type\":\"ACTION_DROP\"}]}",
		"{\"routes\":[{\"target\":\"10.1.0.0/16\"},"
		    "{\"target\":\"10.9.0.0/16\"}]}",
		"{\"tags\":[{\"id\":1,\"default\":2},{\"id\":2,"
		    "\"default\":3}]}",
		"{\"capabilities\":[]}", "{\"private\":false}",
		"{\"enableBroadcast\":false}",
		"{\"v6AssignMode\":{\"6plane\":true}}",
		"{\"dns\":{\"domain\":\"x.y\",\"servers\":[\"10.1.0.1\"]}}"
	};
	struct stage	 st;
	int64_t		 ts;
	size_t		 i;

	setup(&st);
	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		settle(&st, 0);
		ts = settle(&st, 1);
		post_member(&st, 0, members[i]);
		ask(&st, 1, 1001, ts);
		ask(&st, 0, 1001, 0);
	}
	for (i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
		settle(&st, 0);
		post(&st, "", networks[i]);
		same_later(&st, meta);
	}
	/* A post that changes nothing takes nothing away. */
	ts = settle(&st, 0);
	post(&st, "", networks[0]);
	post_member(&st, 0, "{\"authorized\":true}");
	ask(&st, 0, 1001, ts);
	done(&st);
}

/* A bridge is told to the others with what they have. */
ATF_TC_WITHOUT_HEAD(bridge);
ATF_TC_BODY(bridge, tc)
{
	struct netconf	*nc;
	struct stage	 st;
	int64_t		 ts;

	setup(&st);
	nc = calloc(1, sizeof(*nc));
	ts = settle(&st, 0);
	post_member(&st, 1, "{\"activeBridge\":true}");
	ask_with(&st, 0, meta, 1001, nc);
	check_time(&st, nc, ts);
	ATF_CHECK_EQ(nc->nc_nspecialists, 1);
	ATF_CHECK_EQ(nc->nc_specialists[0], SPECIALIST_BRIDGE |
	    st.st_ids[1].id_addr);
	netconf_clear(nc);
	free(nc);
	done(&st);
}

/* Refused, let in again, erased: never what was there before. */
ATF_TC_WITHOUT_HEAD(revoked);
ATF_TC_BODY(revoked, tc)
{
	struct stage	 st;
	struct world	*w;
	int64_t		 since;

	setup(&st);
	w = st.st_w;
	settle(&st, 0);
	post_member(&st, 0, "{\"authorized\":false}");
	world_forget(w);
	w->w_now += 1001;
	request_receive(&w->w_con, w->w_now, st.st_nwid, PACKET,
	    &st.st_ids[0], meta, strlen(meta));
	db_wait(w->w_con.c_db);
	ATF_REQUIRE_EQ(w->w_nsent, 1);
	ATF_CHECK_EQ(w->w_sent[0].s_type, SENT_ERROR);
	ATF_CHECK_EQ(w->w_sent[0].s_code, ERR_NETWORK_ACCESS_DENIED);
	post_member(&st, 0, "{\"authorized\":true}");
	since = w->w_now;
	ATF_CHECK(ask(&st, 0, 1001, 0) > since);

	settle(&st, 0);
	post_member(&st, 0, NULL);
	post_member(&st, 0, "{\"authorized\":true,\"capabilities\":[7]}");
	ask(&st, 0, 1001, 0);

	/* Another device with the address of this one. */
	settle(&st, 0);
	st.st_ids[2].id_addr = st.st_ids[0].id_addr;
	world_forget(w);
	w->w_now += 1001;
	request_receive(&w->w_con, w->w_now, st.st_nwid, PACKET,
	    &st.st_ids[2], meta, strlen(meta));
	ATF_REQUIRE_EQ(w->w_nsent, 1);
	ATF_CHECK_EQ(w->w_sent[0].s_type, SENT_ERROR);
	done(&st);
}

/* A device that was updated is stored with its version, and signed for. */
ATF_TC_WITHOUT_HEAD(updated);
ATF_TC_BODY(updated, tc)
{
	struct netconf	*nc;
	struct stage	 st;
	char		 path[96], addr[ADDR_TEXT], *out;

	setup(&st);
	nc = calloc(1, sizeof(*nc));
	settle(&st, 0);
	ask_with(&st, 0, meta_newer, 1001, nc);
	check_time(&st, nc, st.st_w->w_now);
	netconf_clear(nc);
	free(nc);
	snprintf(path, sizeof(path), "/network/%016" PRIx64 "/member/%s",
	    st.st_nwid, addr_format(addr, st.st_ids[0].id_addr));
	ATF_CHECK_EQ(world_api(st.st_w, "GET", path, "", &out), 200);
	ATF_CHECK_MSG(strstr(out, "\"vMinor\":16") != NULL, "%s", out);
	free(out);
	done(&st);
}

/*
 * A device that was updated while nothing could be stored is not taken for
 * one of which everything is known: it is stored when that works again.
 */
ATF_TC_WITHOUT_HEAD(unstored);
ATF_TC_BODY(unstored, tc)
{
	char		 file[256], inside[300], name[96], addr[ADDR_TEXT];
	char		 path[96], *out;
	struct stage	 st;
	int		 i;

	setup(&st);
	settle(&st, 0);
	addr_format(addr, st.st_ids[0].id_addr);
	snprintf(name, sizeof(name), "network/%016" PRIx64 "/member/%s.json",
	    st.st_nwid, addr);
	strlcpy(file, world_path(st.st_w, name), sizeof(file));
	snprintf(inside, sizeof(inside), "%s/x", file);
	/* A folder with something in it cannot be replaced. */
	ATF_REQUIRE_EQ(unlink(file), 0);
	ATF_REQUIRE(mkdir(file, 0700) == 0 && mkdir(inside, 0700) == 0);
	for (i = 0; i < 3; i++) {
		st.st_w->w_now += MINUTE;
		request_receive(&st.st_w->w_con, st.st_w->w_now, st.st_nwid,
		    PACKET, &st.st_ids[0], meta_newer, strlen(meta_newer));
		db_wait(st.st_w->w_con.c_db);
	}
	ATF_REQUIRE(rmdir(inside) == 0 && rmdir(file) == 0);
	st.st_w->w_now += MINUTE;
	request_receive(&st.st_w->w_con, st.st_w->w_now, st.st_nwid, PACKET,
	    &st.st_ids[0], meta_newer, strlen(meta_newer));
	db_wait(st.st_w->w_con.c_db);
	snprintf(path, sizeof(path), "/network/%016" PRIx64 "/member/%s",
	    st.st_nwid, addr);
	ATF_CHECK_EQ(world_api(st.st_w, "GET", path, "", &out), 200);
	ATF_CHECK_MSG(strstr(out, "\"vMinor\":16") != NULL, "%s", out);
	free(out);
	done(&st);
}

/* Where members log in all is new each time, to the end of the log-in. */
ATF_TC_WITHOUT_HEAD(login);
ATF_TC_BODY(login, tc)
{
	struct stage	 st;
	struct world	*w;
	int64_t		 end;

	setup(&st);
	w = st.st_w;
	set_key(&st, -1, "ssoEnabled", json_true());
	end = w->w_now + 3 * MINUTE;
	set_key(&st, 0, "authenticationExpiryTime", json_integer(end));
	ask(&st, 0, 1001, 0);
	ask(&st, 0, 1001, 0);
	ask(&st, 0, end - 1 - w->w_now, 0);
	ATF_CHECK_EQ(status_grants(w->w_con.c_status), 0);
	world_forget(w);
	w->w_now = end + 1001;
	request_receive(&w->w_con, w->w_now, st.st_nwid, PACKET,
	    &st.st_ids[0], meta, strlen(meta));
	ATF_REQUIRE_EQ(w->w_nsent, 1);
	ATF_CHECK_EQ(w->w_sent[0].s_type, SENT_ERROR);
	ATF_CHECK_EQ(w->w_sent[0].s_code,
	    ERR_NETWORK_AUTHENTICATION_REQUIRED);
	done(&st);
}

/* A revocation without a change of the record: the log-in ran out. */
ATF_TC_WITHOUT_HEAD(taken);
ATF_TC_BODY(taken, tc)
{
	struct stage	 st;
	struct world	*w;

	setup(&st);
	w = st.st_w;
	settle(&st, 0);
	ATF_CHECK(status_grants(w->w_con.c_status) > 0);
	w->w_con.c_now = w->w_now;
	push_revoke(&w->w_con, st.st_nwid, st.st_ids[0].id_addr);
	ATF_CHECK_EQ(status_grants(w->w_con.c_status), 0);
	ATF_CHECK(ask(&st, 0, 1001, 0) > w->w_now - 1001);
	done(&st);
}

/* Another key signs anew; who is gone leaves nothing. */
ATF_TC_WITHOUT_HEAD(bounds);
ATF_TC_BODY(bounds, tc)
{
	struct stage	 st;
	struct world	*w;
	char		 secret[IDENTITY_TEXT_SECRET];
	int64_t		 ts;

	setup(&st);
	w = st.st_w;
	ts = settle(&st, 0);
	identity_format(secret, &w->w_con.c_id, true);
	ATF_CHECK_EQ(controller_identity(&w->w_con, secret), NULL);
	ATF_CHECK_EQ(status_grants(w->w_con.c_status), 0);
	ATF_CHECK(ask(&st, 0, 1001, 0) > ts);
	/* One is small enough for each of very many members. */
	ATF_CHECK(status_grants(w->w_con.c_status) > 0);
	ATF_CHECK_MSG(status_grants(w->w_con.c_status) < 1024, "%zu",
	    status_grants(w->w_con.c_status));
	w->w_now += ONLINE_MS;
	controller_tick(&w->w_con, w->w_now);
	ATF_CHECK_EQ(status_grants(w->w_con.c_status), 0);
	done(&st);
}

/*
 * Where the pool has no address left a member without one is looked at
 * again each time: one may have become free.
 */
ATF_TC_WITHOUT_HEAD(pool_empty);
ATF_TC_BODY(pool_empty, tc)
{
	struct netconf	*nc;
	struct stage	 st;

	setup(&st);
	nc = calloc(1, sizeof(*nc));
	post(&st, "", "{\"ipAssignmentPools\":[{\"ipRangeStart\":"
	    "\"10.1.0.1\",\"ipRangeEnd\":\"10.1.0.1\"}]}");
	ask(&st, 0, MINUTE, 0);
	ask(&st, 1, MINUTE, 0);
	ask(&st, 1, MINUTE, 0);
	ask_with(&st, 1, meta, MINUTE, nc);
	ATF_CHECK_EQ(nc->nc_nips, 0);
	netconf_clear(nc);
	post_member(&st, 0, NULL);
	ask_with(&st, 1, meta, MINUTE, nc);
	ATF_CHECK_EQ(nc->nc_nips, 1);
	netconf_clear(nc);
	free(nc);
	done(&st);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, again);
	ATF_TP_ADD_TC(tp, first);
	ATF_TP_ADD_TC(tp, window);
	ATF_TP_ADD_TC(tp, changed);
	ATF_TP_ADD_TC(tp, stale);
	ATF_TP_ADD_TC(tp, plain);
	ATF_TP_ADD_TC(tp, bridge);
	ATF_TP_ADD_TC(tp, revoked);
	ATF_TP_ADD_TC(tp, updated);
	ATF_TP_ADD_TC(tp, unstored);
	ATF_TP_ADD_TC(tp, login);
	ATF_TP_ADD_TC(tp, taken);
	ATF_TP_ADD_TC(tp, bounds);
	ATF_TP_ADD_TC(tp, pool_empty);
	return (atf_no_error());
}
