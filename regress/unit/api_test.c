/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The real ztd-ctl between a played parent, engine and controller: what it
 * asks them, and what it answers over HTTP, against 05; recorded exchanges
 * are in transcript_test.
 */

#include <sys/socket.h>

#include <netinet/in.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "regress/lib/ctlworld.h"
#include "regress/lib/replay.h"
#include "regress/lib/vectors.h"

#define TC(name, text)							\
	ATF_TC(name);							\
	ATF_TC_HEAD(name, tc)						\
	{								\
		atf_tc_set_md_var(tc, "descr", text);			\
		atf_tc_set_md_var(tc, "timeout", "120");		\
	}								\
	ATF_TC_BODY(name, tc)

static bool
starts(const char *s, const char *with)
{
	return (strncmp(s, with, strlen(with)) == 0);
}

static double
seconds(void)
{
	struct timespec	 ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((double)ts.tv_sec + (double)ts.tv_nsec / 1e9);
}

/* ---- why, under the key of ours ---------------------------------- */

static const char	 peers_why[] = "[{\"address\":\"1122334455\","
    "\"role\":\"LEAF\",\"version\":\"1.14.2\",\"versionMajor\":1,"
    "\"versionMinor\":14,\"versionRev\":2,\"latency\":31,"
    "\"isBonded\":false,\"tunneled\":false,\"paths\":[{\"address\":"
    "\"192.0.2.7/9993\",\"lastSend\":5,\"lastReceive\":6,"
    "\"trustedPathId\":0,\"active\":true,\"expired\":false,"
    "\"preferred\":true,\"localSocket\":1,\"localPort\":0,\"ztd\":{"
    "\"reason\":\"path-small\",\"text\":\"it loses large datagrams: "
    "packets are cut into smaller pieces\",\"latency\":-1,"
    "\"mtu\":1400}}],\"ztd\":{\"reason\":\"\",\"text\":\"\","
    "\"relay\":null,\"candidates\":0,\"lastTry\":0,\"lastReceive\":6,"
    "\"switches\":3,\"packetsOut\":11,\"packetsIn\":12,"
    "\"clockOffset\":-3600000}},"
    "{\"address\":\"2233445566\",\"role\":\"LEAF\","
    "\"version\":\"-1.-1.-1\",\"versionMajor\":-1,"
    "\"versionMinor\":-1,\"versionRev\":-1,\"latency\":-1,"
    "\"isBonded\":false,\"tunneled\":false,\"paths\":[],\"ztd\":{"
    "\"reason\":\"peer-symmetric-nat\",\"text\":\"relayed: the NAT "
    "before this host uses another port for every destination, and those "
    "foretold did not answer\",\"relay\":\"00deadbeef\","
    "\"candidates\":4,\"lastTry\":1795324804000,"
    "\"lastReceive\":1795324803000,\"switches\":0,\"packetsOut\":0,"
    "\"packetsIn\":0,\"clockOffset\":null}}]";

static const char	 status_why[] = "{\"name\":\"ztd\","
    "\"reason\":\"node-roots-silent\",\"text\":\"the roots answered "
    "before and do not answer now\",\"stage\":2,"
    "\"lastRoot\":1795324800000,\"nat\":{\"ipv4\":\"symmetric\","
    "\"ipv6\":\"none\"},\"portMapping\":{\"state\":\"not-built\","
    "\"port\":0},\"notBound\":[{\"address\":\"192.0.2.3/9993\","
    "\"text\":\"Address already in use\"}],\"roots\":[{\"address\":\"00deadbeef\","
    "\"role\":\"PLANET\",\"reason\":\"root-silent\",\"text\":\"it "
    "answered before and does not answer now\",\"best\":true,"
    "\"latency\":44,\"lastReceive\":7,\"lastTry\":8,"
    "\"surface4\":\"192.0.2.1/1234\",\"surface6\":null},"
    "{\"address\":\"11deadbeef\",\"role\":\"MOON\","
    "\"reason\":\"root-no-family\",\"text\":\"its addresses are all "
    "of an IP version that this host does not have\",\"best\":false,"
    "\"latency\":-1,\"lastReceive\":0,\"lastTry\":0,"
    "\"surface4\":null,\"surface6\":\"2001:db8::1/9\"}],"
    "\"counters\":{\"replays\":1,\"forged\":2,\"withheld\":3,"
    "\"limited\":4,\"suspects\":5,\"switches\":6,\"suspends\":7,"
    "\"evicted\":8,\"messagesDropped\":9,\"unasked\":10,"
    "\"denied\":11,\"lastDenied\":12,\"bytesOut\":13,"
    "\"bytesIn\":14}}";

TC(reasons, "why a node, its roots, peers and paths are not better")
{
	struct ctlworld	 w = { 0 };
	struct answer	 an;
	json_t		*got, *want, *v;

	world_start(&w, tc, false);
	w.w_peers = json_loads(peers_why, 0, NULL);
	ATF_REQUIRE(w.w_peers != NULL);
	world_http(&w, "GET", "/peer", NULL, NULL, &an);
	got = json_loads(an.an_body, 0, NULL);
	ATF_CHECK_MSG(json_equal(got, w.w_peers), "%s", an.an_body);
	json_decref(got);
	answer_clear(&an);
	world_http(&w, "GET", "/peer/2233445566", NULL, NULL, &an);
	got = json_loads(an.an_body, 0, NULL);
	ATF_CHECK(json_equal(got, json_array_get(w.w_peers, 1)));
	json_decref(got);
	answer_clear(&an);

	w.w_status = world_some_status();
	want = json_loads(status_why, 0, NULL);
	ATF_REQUIRE(want != NULL);
	(void)json_object_set_new(w.w_status, "ztd", want);
	world_http(&w, "GET", "/status", NULL, NULL, &an);
	got = json_loads(an.an_body, 0, NULL);
	v = json_object_get(got, "ztd");
	ATF_CHECK(json_is_string(json_object_get(v, "version")));
	(void)json_object_del(v, "version");
	ATF_CHECK_MSG(json_equal(v, want), "%s", an.an_body);
	/* The roots are extra there, not in /health. */
	json_decref(got);
	answer_clear(&an);
	world_http(&w, "GET", "/health", NULL, NULL, &an);
	ATF_CHECK_EQ(an.an_status, 200);
	ATF_CHECK(strstr(an.an_body, "roots") == NULL);
	answer_clear(&an);
	world_stop(&w);
}

static const char	 network_why[] = "[{\"id\":\"8056c2e21c000001\","
    "\"nwid\":\"8056c2e21c000001\",\"status\":\"OK\",\"ztd\":{\"dns\":{"
    "\"state\":\"failed\",\"by\":\"resolvconf\"},\"portText\":"
    "\"No such file or directory\",\"clockOffset\":77}},"
    "{\"id\":\"8056c2e21c000002\",\"nwid\":\"8056c2e21c000002\","
    "\"status\":\"OK\",\"ztd\":{\"dns\":{\"state\":\"none\",\"by\":"
    "\"\"},\"portText\":\"\",\"clockOffset\":null}}]";

TC(network_state, "name servers, the port's error, the controller's clock")
{
	struct ctlworld	 w = { 0 };
	struct answer	 an;
	json_t		*got, *v, *want;
	const char	*key;
	size_t		 i;

	world_start(&w, tc, false);
	w.w_networks = json_loads(network_why, 0, NULL);
	ATF_REQUIRE(w.w_networks != NULL);
	world_http(&w, "GET", "/network", NULL, NULL, &an);
	got = json_loads(an.an_body, 0, NULL);
	ATF_REQUIRE_EQ(json_array_size(got), 2);
	for (i = 0; i < 2; i++) {
		json_object_foreach(json_object_get(json_array_get(
		    w.w_networks, i), "ztd"), key, want) {
			v = json_object_get(json_object_get(json_array_get(
			    got, i), "ztd"), key);
			ATF_CHECK_MSG(json_equal(v, want), "%s of %s", key,
			    an.an_body);
		}
	}
	ATF_CHECK_STREQ(json_string_value(json_object_get(json_array_get(got,
	    0), "status")), "PORT_ERROR");
	json_decref(got);
	answer_clear(&an);
	world_stop(&w);
}

/* ---- messages of users ------------------------------------------- */

/* GET with these parameters; a list. */
static json_t *
list_at(struct ctlworld *w, const char *target)
{
	struct answer	 an;
	json_t		*list;

	world_http(w, "GET", target, NULL, NULL, &an);
	ATF_CHECK_EQ_MSG(an.an_status, 200, "%s: %d", target, an.an_status);
	list = json_loads(an.an_body, 0, NULL);
	ATF_REQUIRE_MSG(json_is_array(list), "%s", an.an_body);
	answer_clear(&an);
	return (list);
}

static json_t *
messages(struct ctlworld *w, const char *params)
{
	char	 target[128];

	(void)snprintf(target, sizeof(target), "/ztd/message%s", params);
	return (list_at(w, target));
}

static json_int_t
seq_of(json_t *list, size_t i)
{
	return (json_integer_value(json_object_get(json_array_get(list, i),
	    "seq")));
}

TC(messages, "messages of other nodes are remembered, the last 256 of them")
{
	struct ctlworld	 w = { 0 };
	json_t		*list, *v;
	json_int_t	 first;
	char		 params[64];
	uint32_t	 i;

	world_start(&w, tc, false);
	list = messages(&w, "");
	ATF_CHECK_EQ(json_array_size(list), 0);
	json_decref(list);
	world_user(&w, 0x00deadbeef, 70000, "\x1b[\0", 3);
	world_user(&w, 0x1122334455, UINT64_MAX, "", 0);
	world_run(&w, 100);
	list = messages(&w, "");
	ATF_REQUIRE_EQ(json_array_size(list), 2);
	first = seq_of(list, 0);
	ATF_CHECK(first > 0 && seq_of(list, 1) == first + 1);
	v = json_pack("{s:I,s:s,s:i,s:s,s:I}", "seq", first, "from",
	    "00deadbeef", "type", 70000, "data", "1b5b00", "time",
	    (json_int_t)1795324804343);
	ATF_CHECK(json_equal(v, json_array_get(list, 0)));
	json_decref(v);
	v = json_pack("{s:I,s:s,s:s,s:s,s:I}", "seq", first + 1, "from",
	    "1122334455", "type", "18446744073709551615", "data", "", "time",
	    (json_int_t)1795324804343);
	ATF_CHECK(json_equal(v, json_array_get(list, 1)));
	json_decref(v);
	json_decref(list);
	(void)snprintf(params, sizeof(params), "?after=%lld",
	    (long long)first);
	list = messages(&w, params);
	ATF_CHECK_EQ(json_array_size(list), 1);
	json_decref(list);
	for (i = 0; i < 300; i++)
		world_user(&w, 0x1122334455, i, &i, sizeof(i));
	world_run(&w, 200);
	list = messages(&w, params);
	ATF_REQUIRE_EQ(json_array_size(list), 256);
	ATF_CHECK_EQ(seq_of(list, 255), first + 301);
	ATF_CHECK_EQ(json_integer_value(json_object_get(
	    json_array_get(list, 0), "type")), 44);
	json_decref(list);
	world_stop(&w);
}

static void
message_later(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	world_user(arg, 0x1122334455, 5, "x", 1);
}

TC(messages_wait, "a client can wait for a message, but not for ever")
{
	static const char	*wrong[] = { "?after=-1", "?after=x",
	    "?wait=31", "?wait=1x", "?after=99999999999999999999" };
	const struct timeval	 tv = { 7, 0 };
	struct ctlworld		 w = { 0 };
	struct answer		 an;
	json_t			*list;
	double			 start;
	char			 target[64];
	size_t			 i;

	world_start(&w, tc, false);
	start = seconds();
	list = messages(&w, "?wait=1");
	ATF_CHECK_EQ(json_array_size(list), 0);
	ATF_CHECK(seconds() - start > 0.9 && seconds() - start < 5);
	json_decref(list);
	/* Longer than an idle connection is kept. */
	start = seconds();
	(void)event_base_once(w.w_base, -1, EV_TIMEOUT, message_later, &w,
	    &tv);
	list = messages(&w, "?after=0&wait=30");
	ATF_CHECK_EQ(json_array_size(list), 1);
	ATF_CHECK_MSG(seconds() - start > 6 && seconds() - start < 20,
	    "%.1f s", seconds() - start);
	json_decref(list);
	/* What is there is not waited for. */
	start = seconds();
	list = messages(&w, "?wait=30");
	ATF_CHECK_EQ(json_array_size(list), 1);
	ATF_CHECK(seconds() - start < 5);
	json_decref(list);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		(void)snprintf(target, sizeof(target), "/ztd/message%s",
		    wrong[i]);
		world_http(&w, "GET", target, NULL, NULL, &an);
		ATF_CHECK_EQ_MSG(an.an_status, 400, "%s", target);
		ATF_CHECK(starts(an.an_body, "{\"message\":"));
		answer_clear(&an);
	}
	world_http(&w, "GET", "/ztd/message", "", NULL, &an);
	ATF_CHECK_EQ(an.an_status, 401);
	answer_clear(&an);
	world_stop(&w);
}

/* Ask to wait for a message, and hang up; returns nothing of use. */
static void
wait_and_leave(const struct ctlworld *w)
{
	static const char	 request[] = "GET /ztd/message?wait=30 "
	    "HTTP/1.1\r\nX-ZT1-Auth: " WORLD_TOKEN "\r\n\r\n";
	struct sockaddr_in	 sin;
	int			 fd;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_port = htons((uint16_t)w->w_port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ATF_REQUIRE((fd = socket(AF_INET, SOCK_STREAM, 0)) != -1);
	ATF_REQUIRE_EQ(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	ATF_REQUIRE_EQ(write(fd, request, sizeof(request) - 1),
	    (ssize_t)sizeof(request) - 1);
	(void)close(fd);
}

TC(messages_hung_up, "those who left do not keep others from waiting")
{
	struct ctlworld	 w = { 0 };
	json_t		*list;
	double		 start;
	unsigned	 i;

	world_start(&w, tc, false);
	world_run(&w, 200);
	for (i = 0; i < 20; i++) {
		wait_and_leave(&w);
		world_run(&w, 50);
	}
	start = seconds();
	list = messages(&w, "?wait=1");
	ATF_CHECK_EQ(json_array_size(list), 0);
	ATF_CHECK_MSG(seconds() - start > 0.9, "after %.1f s",
	    seconds() - start);
	json_decref(list);
	world_stop(&w);
}

#define WATCHED	0x8056c2e21c000001ULL

/* A frame of the network that was dropped by its rule 3. */
static void
dropped(struct ctlworld *w, uint64_t nwid, uint16_t type, const void *p,
    size_t len)
{
	struct msg_event	 me;

	memset(&me, 0, sizeof(me));
	me.me_nwid = nwid;
	me.me_time = 1795324804343;
	me.me_why = WHY_RULES;
	me.me_inbound = 1;
	me.me_peer = 0x1122334455;
	me.me_src = 0x32a1b2c3d4e5;
	me.me_dst = 0xffffffffffff;
	me.me_ethertype = type;
	me.me_rule = 3;
	me.me_len = 100;
	me.me_datalen = (uint32_t)len;
	world_event(w, &me, p);
}

/* What the last frame of the list is, in words. */
static void
shown(json_t *list, size_t i, const char *key, const char *want)
{
	const char	*got;

	got = json_string_value(json_object_get(json_array_get(list, i),
	    key));
	ATF_CHECK_MSG(got != NULL && strcmp(got, want) == 0, "%s: %s", key,
	    got == NULL ? "none" : got);
}

TC(traced, "what becomes of a network's frames, while somebody asks")
{
	static const uint8_t	 tcp[] = {
		0x45, 0, 0, 60, 0, 0, 0x40, 0, 64, 6, 0, 0,
		10, 1, 1, 1, 10, 1, 1, 2,
		0x10, 0x92, 0, 23, 0, 0, 0, 0, 0, 0, 0, 0, 0xa0, 0x02
	};
	static const uint8_t	 icmp6[] = {
		0x60, 0, 0, 0, 0, 24, 0, 1,
		0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
		0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x16,
		58, 0, 5, 2, 0, 0, 1, 0, 143, 0
	};
	static const uint8_t	 arp[28] = {
		0, 1, 8, 0, 6, 4, 0, 1, 0, 0, 0, 0, 0, 0, 10, 1, 1, 1,
		0, 0, 0, 0, 0, 0, 10, 1, 1, 2
	};
	static const char	 path[] = "/ztd/trace/8056c2e21c000001";
	struct ctlworld		 w = { 0 };
	struct msg_event	 me;
	struct answer		 an;
	json_t			*list;
	json_int_t		 last;
	double			 start;
	char			 target[128];
	size_t			 i;

	world_start(&w, tc, false);
	w.w_result = 200;
	list = list_at(&w, path);
	ATF_CHECK_EQ(json_array_size(list), 0);
	json_decref(list);
	ATF_CHECK_EQ(w.w_watch.mw_nwid, WATCHED);
	ATF_CHECK(w.w_watch.mw_ms > 30000 && w.w_watch.mw_ms <= WATCH_MAX);
	ATF_CHECK_EQ(w.w_watch.mw_all, 0);
	dropped(&w, WATCHED + 1, 0x0800, tcp, sizeof(tcp));
	dropped(&w, WATCHED, 0x0800, tcp, sizeof(tcp));
	dropped(&w, WATCHED, 0x86dd, icmp6, sizeof(icmp6));
	dropped(&w, WATCHED, 0x0806, arp, sizeof(arp));
	dropped(&w, WATCHED, 0x88b5, NULL, 0);
	/* Cut anywhere. */
	for (i = 0; i <= sizeof(icmp6); i++) {
		dropped(&w, WATCHED, 0x86dd, icmp6, i);
		dropped(&w, WATCHED, 0x0800, tcp, i < sizeof(tcp) ? i : 0);
	}
	memset(&me, 0, sizeof(me));
	me.me_nwid = WATCHED;
	me.me_why = WHY_REVOKED;
	me.me_credential = 3;
	me.me_credential_id = 7;
	me.me_peer = 0x1122334455;
	me.me_missed = 5;
	world_event(&w, &me, NULL);
	world_run(&w, 200);
	list = list_at(&w, "/ztd/trace/8056c2e21c000001?all=1");
	ATF_CHECK_EQ(w.w_watch.mw_all, 1);
	ATF_REQUIRE_EQ(json_array_size(list), 4 + 2 * (sizeof(icmp6) + 1) +
	    1);
	shown(list, 0, "frame", "IPv4 10.1.1.1:4242 > 10.1.1.2:23 TCP SYN");
	shown(list, 0, "verdict", "dropped");
	shown(list, 0, "reason", "rules");
	shown(list, 0, "peer", "1122334455");
	shown(list, 0, "source", "32:a1:b2:c3:d4:e5");
	ATF_CHECK_EQ(json_integer_value(json_object_get(json_array_get(list,
	    0), "rule")), 3);
	shown(list, 1, "frame", "IPv6 fd00::1 > ff02::16 ICMPv6 type 143 "
	    "code 0");
	shown(list, 2, "frame", "ARP 10.1.1.1 asks for 10.1.1.2");
	shown(list, 3, "frame", "Ethernet type 0x88b5");
	i = json_array_size(list) - 1;
	shown(list, i, "credential", "tag");
	shown(list, i, "verdict", "refused");
	shown(list, i, "reason", "revoked");
	ATF_CHECK_EQ(json_integer_value(json_object_get(json_array_get(list,
	    i), "missed")), 5);
	last = seq_of(list, i);
	json_decref(list);
	/* Those that pass are not for who did not ask for them. */
	me.me_why = WHY_ACCEPTED;
	me.me_credential = 0;
	world_event(&w, &me, NULL);
	/* Nothing new: waited for, although the engine has answered. */
	world_run(&w, 200);
	start = seconds();
	(void)snprintf(target, sizeof(target), "%s?after=%lld&wait=1", path,
	    (long long)last);
	list = list_at(&w, target);
	ATF_CHECK_EQ(json_array_size(list), 0);
	ATF_CHECK_MSG(seconds() - start > 0.9, "after %.1f s",
	    seconds() - start);
	json_decref(list);
	/* Not joined. */
	w.w_result = 404;
	world_http(&w, "GET", path, NULL, NULL, &an);
	ATF_CHECK_EQ(an.an_status, 404);
	answer_clear(&an);
	world_stop(&w);
}

TC(messages_send, "messages to other nodes")
{
	static const struct {
		const char	*body, *why;
	} wrong[] = {
		{ "", "the body is not a JSON object" },
		{ "[1]", "the body is not a JSON object" },
		{ "{\"data\":\"00\"}", "type: must be" },
		{ "{\"type\":-1,\"data\":\"00\"}", "type: must be" },
		{ "{\"type\":\"0x5\",\"data\":\"00\"}", "type: must be" },
		{ "{\"type\":5}", "data: must be" },
		{ "{\"type\":5,\"data\":7}", "data: must be" },
		{ "{\"type\":5,\"data\":\"0\"}", "data: must be" },
		{ "{\"type\":5,\"data\":\"0g\"}", "data: must be" }
	};
	struct ctlworld	 w = { 0 };
	struct answer	 an;
	char		*body;
	size_t		 i, n = 2 * USER_MESSAGE_MAX;

	world_start(&w, tc, false);
	world_http(&w, "POST", "/ztd/message/00deadbeef", NULL,
	    "{\"type\":5,\"data\":\"00fF41\"}", &an);
	ATF_CHECK_EQ(an.an_status, 200);
	ATF_CHECK_STREQ(an.an_body, "{\"result\":true}");
	answer_clear(&an);
	ATF_CHECK_EQ(w.w_user.mu_addr, 0xdeadbeef);
	ATF_CHECK_EQ(w.w_user.mu_type, 5);
	ATF_REQUIRE_EQ(w.w_user.mu_len, 3);
	ATF_CHECK_EQ(memcmp(w.w_userdata, "\0\xff" "A", 3), 0);
	world_http(&w, "POST", "/ztd/message/00deadbeef", NULL,
	    "{\"type\":\"18446744073709551615\",\"data\":\"\"}", &an);
	ATF_CHECK_EQ(an.an_status, 200);
	answer_clear(&an);
	ATF_CHECK_EQ(w.w_user.mu_type, UINT64_MAX);
	ATF_CHECK_EQ(w.w_user.mu_len, 0);
	/* As long as can be, and longer. */
	ATF_REQUIRE((body = malloc(n + 64)) != NULL);
	(void)strcpy(body, "{\"type\":1,\"data\":\"");
	memset(body + strlen(body), 'a', n + 1);
	(void)strcpy(body + strlen("{\"type\":1,\"data\":\"") + n, "\"}");
	world_http(&w, "POST", "/ztd/message/00deadbeef", NULL, body, &an);
	ATF_CHECK_EQ(an.an_status, 200);
	ATF_CHECK_EQ(w.w_user.mu_len, USER_MESSAGE_MAX);
	answer_clear(&an);
	(void)strcpy(body + strlen("{\"type\":1,\"data\":\"") + n,
	    "aa\"}");
	world_http(&w, "POST", "/ztd/message/00deadbeef", NULL, body, &an);
	ATF_CHECK_EQ(an.an_status, 400);
	ATF_CHECK_STREQ(an.an_body, "{\"message\":\"data: too long\"}");
	answer_clear(&an);
	free(body);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		world_http(&w, "POST", "/ztd/message/00deadbeef", NULL,
		    wrong[i].body, &an);
		ATF_CHECK_EQ_MSG(an.an_status, 400, "%s", wrong[i].body);
		ATF_CHECK_MSG(strstr(an.an_body, wrong[i].why) != NULL,
		    "%s: %s", wrong[i].body, an.an_body);
		answer_clear(&an);
	}
	/* The engine says no. */
	w.w_result = 400;
	world_http(&w, "POST", "/ztd/message/00deadbeef", NULL,
	    "{\"type\":5,\"data\":\"\"}", &an);
	ATF_CHECK_EQ(an.an_status, 400);
	ATF_CHECK_STREQ(an.an_body, "{\"message\":\"as the test says\"}");
	answer_clear(&an);
	world_http(&w, "POST", "/ztd/message/deadbeef", NULL, "{}", &an);
	ATF_CHECK_EQ(an.an_status, 404);
	answer_clear(&an);
	world_away(&w, PROC_NET);
	world_run(&w, 100);
	world_http(&w, "POST", "/ztd/message/00deadbeef", NULL,
	    "{\"type\":5,\"data\":\"\"}", &an);
	ATF_CHECK_EQ(an.an_status, 503);
	answer_clear(&an);
	world_stop(&w);
}

/* ---- what it asks ------------------------------------------------ */

TC(network_set, "settings become MSG_NET_SET, refusals of the parent pass")
{
	static const struct {
		const char	*body;
		uint32_t	 set, value;
	} cases[] = {
		{ "{}", 0, 0 },
		{ "", 0, 0 },
		{ "[true]", 0, 0 },
		{ "{\"allowGlobal\":true", 0, 0 },
		{ "{\"allowManaged\":true,\"allowDNS\":false}",
		    NETSET_MANAGED | NETSET_DNS, NETSET_MANAGED },
		{ "\xef\xbb\xbf{\"allowGlobal\":true,\"allowDefault\":true}",
		    NETSET_GLOBAL | NETSET_DEFAULT,
		    NETSET_GLOBAL | NETSET_DEFAULT },
		{ "{\"allowGlobal\":\"true\",\"allowDNS\":1}", 0, 0 }
	};
	struct ctlworld	 w = { 0 };
	struct answer	 an;
	size_t		 i;
	double		 t;

	world_start(&w, tc, false);
	w.w_networks = json_pack("[{s:s}]", "id", "7d229a18e45147ca");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world_http(&w, i % 2 == 0 ? "POST" : "PUT",
		    "/network/7D229a18e45147ca", NULL, cases[i].body, &an);
		ATF_CHECK_EQ(an.an_status, 200);
		ATF_CHECK_EQ(w.w_set.mn_nwid, 0x7d229a18e45147caULL);
		ATF_CHECK_EQ_MSG(w.w_set.mn_set, cases[i].set, "%s",
		    cases[i].body);
		ATF_CHECK_EQ_MSG(w.w_set.mn_value, cases[i].value, "%s",
		    cases[i].body);
		answer_clear(&an);
	}
	w.w_result = 400;
	world_http(&w, "POST", "/network/7d229a18e45147ca", NULL, "{}", &an);
	ATF_CHECK_EQ(an.an_status, 400);
	replay_json("refusal", an.an_body, "{\"error\":400,\"description\":"
	    "\"as the test says\",\"message\":\"as the test says\"}");
	answer_clear(&an);

	/* Joined, but the engine never hears of it. */
	w.w_result = 200;
	t = seconds();
	world_http(&w, "POST", "/network/8056c2e21c000001", NULL, "{}", &an);
	ATF_CHECK_EQ(an.an_status, 503);
	ATF_CHECK(seconds() - t < 4.0);
	answer_clear(&an);
	world_stop(&w);
}

TC(network_name, "a controller's bytes cannot switch /network off")
{
	struct ctlworld	 w = { 0 };
	struct answer	 an;
	json_t		*v, *name;

	world_start(&w, tc, false);
	v = json_pack("[{s:s,s:i}]", "id", "7d229a18e45147ca", "portError",
	    22);
	name = json_stringn_nocheck("a\xff\xc3\xa4\xe2\x82z", 7);
	(void)json_object_set_new(json_array_get(v, 0), "name", name);
	w.w_networks = v;
	world_http(&w, "GET", "/network/7d229a18e45147ca", NULL, NULL, &an);
	ATF_CHECK_EQ(an.an_status, 200);
	v = json_loads(an.an_body, 0, NULL);
	ATF_REQUIRE(v != NULL);
	ATF_CHECK_STREQ(vectors_str(v, "name"),
	    "a\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd\xef\xbf\xbdz");
	ATF_CHECK_STREQ(vectors_str(v, "status"), "PORT_ERROR");
	ATF_CHECK_EQ(json_integer_value(json_object_get(v, "portError")),
	    -999);
	json_decref(v);
	answer_clear(&an);
	world_stop(&w);
}

TC(controller, "/controller passes through, both ways")
{
	struct ctlworld	 w = { 0 };
	struct answer	 an;

	world_start(&w, tc, false);
	w.w_con_status = 200;
	w.w_con_body = "{\n\t\"controller\": true\n}\n";
	world_http(&w, "GET", "/controller", NULL, NULL, &an);
	ATF_CHECK_EQ(an.an_status, 200);
	ATF_CHECK_STREQ(an.an_body, w.w_con_body);
	ATF_CHECK_STREQ(answer_header(&an, "Content-Type"), "application/json");
	ATF_CHECK_STREQ(w.w_request.ar_path, "");
	ATF_CHECK_EQ(w.w_request.ar_method, API_GET);
	answer_clear(&an);

	world_http(&w, "PUT", "/controller/network/95841e6527______?jsonp=f",
	    NULL, "{\"name\":\"x\"}", &an);
	ATF_CHECK_STREQ(an.an_body, "f({\n\t\"controller\": true\n}\n);");
	ATF_CHECK_STREQ(w.w_request.ar_path, "/network/95841e6527______");
	ATF_CHECK_EQ(w.w_request.ar_method, API_POST);
	ATF_CHECK_STREQ(w.w_body, "{\"name\":\"x\"}");
	answer_clear(&an);

	world_http(&w, "GET", "/unstable/controller/network", NULL, NULL,
	    &an);
	ATF_CHECK_STREQ(w.w_request.ar_path, "/unstable/network");
	answer_clear(&an);
	world_http(&w, "POST", "/unstable/controller/network", NULL, "{}",
	    &an);
	ATF_CHECK_EQ(an.an_status, 404);
	answer_clear(&an);
	world_http(&w, "GET", "/controller/unstable/network", NULL, NULL,
	    &an);
	ATF_CHECK_EQ(an.an_status, 404);
	answer_clear(&an);

	w.w_con_status = 404;
	w.w_con_body = "";
	world_http(&w, "DELETE", "/controller/bogus", NULL, NULL, &an);
	ATF_CHECK_EQ(an.an_status, 404);
	ATF_CHECK_STREQ(an.an_body, "");
	ATF_CHECK_STREQ(answer_header(&an, "Content-Type"), "");
	ATF_CHECK_EQ(w.w_request.ar_method, API_DELETE);
	answer_clear(&an);
	world_stop(&w);
}

TC(orbit, "moons are orbited and left, with ids of both lengths")
{
	struct ctlworld	 w = { 0 };
	struct answer	 an;

	world_start(&w, tc, false);
	world_http(&w, "POST", "/moon/1122334455", NULL,
	    "{\"seed\":\"7d229a18e4\"}", &an);
	ATF_CHECK_EQ(an.an_status, 200);
	ATF_CHECK_EQ(w.w_orbit.mo_id, 0x1122334455ULL);
	ATF_CHECK_EQ(w.w_orbit.mo_seed, 0x7d229a18e4ULL);
	answer_clear(&an);
	world_http(&w, "POST", "/moon/1122334455", NULL, "{\"seed\":true}",
	    &an);
	ATF_CHECK_EQ(an.an_status, 200);
	ATF_CHECK_EQ(w.w_orbit.mo_seed, 1);
	answer_clear(&an);
	world_http(&w, "DELETE", "/moon/0000005544332211", NULL, NULL, &an);
	ATF_CHECK_EQ(an.an_status, 200);
	ATF_CHECK_STREQ(an.an_body, "{\"result\":true}");
	ATF_CHECK_EQ(w.w_orbit.mo_id, 0x5544332211ULL);
	answer_clear(&an);
	world_stop(&w);
}

/* ---- what fails -------------------------------------------------- */

TC(away, "a missing or silent process is a 503, and comes back")
{
	struct ctlworld	 w = { 0 };
	struct answer	 an;
	double		 t;

	world_start(&w, tc, false);
	w.w_status = world_some_status();
	world_http(&w, "GET", "/status", NULL, NULL, &an);
	ATF_CHECK_EQ(an.an_status, 200);
	ATF_CHECK(w.w_ready);
	answer_clear(&an);

	world_away(&w, PROC_NET);
	world_away(&w, PROC_CON);
	world_run(&w, 200);
	t = seconds();
	world_http(&w, "GET", "/status", NULL, NULL, &an);
	ATF_CHECK_EQ(an.an_status, 503);
	ATF_CHECK(strstr(an.an_body, "\"error\":503") != NULL);
	answer_clear(&an);
	world_http(&w, "GET", "/controller", NULL, NULL, &an);
	ATF_CHECK_EQ(an.an_status, 503);
	ATF_CHECK(seconds() - t < 1.0);
	answer_clear(&an);
	world_http(&w, "POST", "/network/7d229a18e45147ca", NULL, "{}", &an);
	ATF_CHECK_EQ(an.an_status, 503);
	ATF_CHECK_EQ_MSG(w.w_set.mn_nwid, 0, "joined all the same");
	answer_clear(&an);

	w.w_mute = true;
	world_sibling(&w, PROC_NET);
	t = seconds();
	world_http(&w, "GET", "/peer", NULL, NULL, &an);
	ATF_CHECK_EQ(an.an_status, 503);
	ATF_CHECK(seconds() - t > 4.0 && seconds() - t < 8.0);
	answer_clear(&an);

	w.w_mute = false;
	world_http(&w, "GET", "/status", NULL, NULL, &an);
	ATF_CHECK_EQ(an.an_status, 200);
	answer_clear(&an);
	world_stop(&w);
}

TC(pages, "other people's web pages get nothing")
{
	static const struct {
		const char	*extra;
		int		 status;
	} cases[] = {
		{ "Host: zerotier:9993\r\n", 200 },	/* a container's name */
		{ "Host: 127.0.0.1:9993\r\n", 200 },
		{ "Host: 127.0.0.1:9993\r\n"
		    "Origin: http://127.0.0.1:9993\r\n", 200 },
		{ "Host: [::1]:9993\r\nOrigin: http://[::1]:9993\r\n", 200 },
		{ "Host: localhost:9993\r\n"
		    "Sec-Fetch-Site: same-origin\r\n", 200 },
		{ "Host: 127.0.0.1:9993\r\nOrigin: http://evil.example\r\n",
		    403 },
		{ "Host: 127.0.0.1:9993\r\nOrigin: null\r\n", 403 },
		{ "Host: evil.example:9993\r\n"
		    "Origin: http://evil.example:9993\r\n", 403 },
		{ "Host: evil.example:9993\r\n"
		    "Sec-Fetch-Site: same-origin\r\n", 403 },
		{ "Origin: http://127.0.0.1\r\n", 403 }
	};
	struct ctlworld	 w = { 0 };
	struct answer	 an;
	char		 extra[256];
	size_t		 i;

	world_start(&w, tc, false);
	w.w_status = world_some_status();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(extra, sizeof(extra), "%sX-ZT1-Auth: %s\r\n",
		    cases[i].extra, WORLD_TOKEN);
		world_http(&w, "GET", "/status", extra, NULL, &an);
		ATF_CHECK_EQ_MSG(an.an_status, cases[i].status, "%s: %d",
		    cases[i].extra, an.an_status);
		answer_clear(&an);
	}
	/* A page under a name of its own that hides where it is from. */
	world_http(&w, "GET", "/health", "Host: evil.example:9993\r\n", NULL,
	    &an);
	ATF_CHECK_EQ(an.an_status, 401);
	answer_clear(&an);
	world_http(&w, "GET", "/health", "Host: 127.0.0.1:9993\r\n", NULL,
	    &an);
	ATF_CHECK_EQ(an.an_status, 200);
	answer_clear(&an);
	world_http(&w, "GET", "/status?jsonp=alert%281%29", NULL, NULL, &an);
	ATF_CHECK_EQ(an.an_status, 400);
	answer_clear(&an);
	world_stop(&w);
}

TC(short_token, "an empty or short token opens nothing")
{
	struct ctlworld	 w = { 0 };
	struct msg_token mt;
	struct answer	 an;

	world_start(&w, tc, false);
	memset(&mt, 0, sizeof(mt));
	world_send(&w, MSG_TOKEN, &mt, sizeof(mt));
	world_http(&w, "GET", "/status?auth=", "", NULL, &an);
	ATF_CHECK_EQ(an.an_status, 401);
	answer_clear(&an);
	(void)strlcpy(mt.mt_token, "short", sizeof(mt.mt_token));
	world_send(&w, MSG_TOKEN, &mt, sizeof(mt));
	world_http(&w, "GET", "/status", "X-ZT1-Auth: short\r\n", NULL, &an);
	ATF_CHECK_EQ(an.an_status, 401);
	answer_clear(&an);
	world_stop(&w);
}

TC(limits, "long targets, headers and bodies are refused, others served")
{
	struct ctlworld	 w = { 0 };
	struct answer	 an;
	char		*big, *huge;
	size_t		 n = 1200000;

	world_start(&w, tc, false);
	w.w_status = world_some_status();
	ATF_REQUIRE((big = calloc(1, n + 1)) != NULL);
	memset(big, 'a', n);
	ATF_REQUIRE((huge = calloc(1, 2 * n + 1)) != NULL);
	memset(huge, 'a', 2 * n);
	world_http(&w, "POST", "/network/7d229a18e45147ca", NULL, big, &an);
	ATF_CHECK_EQ_MSG(an.an_status, 413, "%d", an.an_status);
	ATF_CHECK_MSG(strstr(an.an_body, "\"message\":\"the body is too long, "
	    "the limit is 1048576 bytes\"") != NULL, "%s", an.an_body);
	answer_clear(&an);
	/* Of much more there may be nothing but a closed connection. */
	world_http(&w, "POST", "/controller/network", NULL, huge, &an);
	ATF_CHECK_MSG(an.an_status != 200, "%d", an.an_status);
	answer_clear(&an);
	memcpy(big, "/status?", 8);
	big[20000] = '\0';
	world_http(&w, "GET", big, NULL, NULL, &an);
	ATF_CHECK_MSG(an.an_status != 200, "%d", an.an_status);
	answer_clear(&an);
	big[8000] = '\0';
	world_http(&w, "GET", big, NULL, NULL, &an);
	ATF_CHECK_EQ(an.an_status, 200);
	answer_clear(&an);
	world_raw(&w, "127.0.0.1", "hello\r\n\r\n", &an);
	ATF_CHECK(an.an_status != 200);
	answer_clear(&an);
	world_raw(&w, "127.0.0.1", "GET /he", &an);
	ATF_CHECK(an.an_status != 200);
	answer_clear(&an);
	free(huge);
	free(big);
	world_stop(&w);
}

TC(client_leaves, "a client that leaves in the middle hurts nobody")
{
	struct ctlworld		 w = { 0 };
	struct sockaddr_in	 sin;
	struct answer		 an;
	const char		*ask = "GET /status HTTP/1.1\r\nX-ZT1-Auth: "
				    WORLD_TOKEN "\r\n\r\n";
	int			 fd;

	world_start(&w, tc, false);
	w.w_status = world_some_status();
	w.w_mute = true;
	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_port = htons((uint16_t)w.w_port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	ATF_REQUIRE(fd != -1 && connect(fd, (struct sockaddr *)&sin,
	    sizeof(sin)) == 0);
	ATF_REQUIRE(write(fd, ask, strlen(ask)) == (ssize_t)strlen(ask));
	world_run(&w, 300);
	(void)close(fd);
	world_run(&w, 6000);
	w.w_mute = false;
	world_http(&w, "GET", "/status", NULL, NULL, &an);
	ATF_CHECK_EQ(an.an_status, 200);
	answer_clear(&an);
	world_stop(&w);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, reasons);
	ATF_TP_ADD_TC(tp, network_state);
	ATF_TP_ADD_TC(tp, messages);
	ATF_TP_ADD_TC(tp, messages_wait);
	ATF_TP_ADD_TC(tp, messages_hung_up);
	ATF_TP_ADD_TC(tp, traced);
	ATF_TP_ADD_TC(tp, messages_send);
	ATF_TP_ADD_TC(tp, network_set);
	ATF_TP_ADD_TC(tp, network_name);
	ATF_TP_ADD_TC(tp, controller);
	ATF_TP_ADD_TC(tp, orbit);
	ATF_TP_ADD_TC(tp, away);
	ATF_TP_ADD_TC(tp, pages);
	ATF_TP_ADD_TC(tp, short_token);
	ATF_TP_ADD_TC(tp, limits);
	ATF_TP_ADD_TC(tp, client_leaves);
	return (atf_no_error());
}
