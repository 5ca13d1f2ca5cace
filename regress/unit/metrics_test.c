/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * /metrics and metrics.prom of the real ztd-ctl between a played parent,
 * engine and controller: the families, labels and types of
 * vectors/service/metrics.json, and ours.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "regress/lib/ctlworld.h"
#include "regress/lib/vectors.h"

#define NWID	0x7d229a18e45147caULL
#define PEER	0xf042bf1eb9ULL
#define AUTH	"X-ZT1-Auth: " WORLD_METRICS "\r\n"

#define TC(name, text)							\
	ATF_TC(name);							\
	ATF_TC_HEAD(name, tc)						\
	{								\
		atf_tc_set_md_var(tc, "descr", text);			\
		atf_tc_set_md_var(tc, "timeout", "120");		\
	}								\
	ATF_TC_BODY(name, tc)

/* ---- what the others tell ---------------------------------------- */

static void
tell_tap(struct channel *ch, uint32_t id)
{
	struct msg_metrics_usage	 mu;
	struct msg_metrics_frames	 mf = { 11, 12, 13 };
	uint32_t			 proc;

	for (proc = 0; proc < PROC_COUNT; proc++) {
		memset(&mu, 0, sizeof(mu));
		mu.mu_proc = proc;
		mu.mu_running = 1;
		mu.mu_cpu = 1000000 * (proc + 1) + 42;
		mu.mu_resident = 4096 * (proc + 1);
		mu.mu_starts = proc + 1;
		(void)channel_send(ch, MSG_METRICS_USAGE, id, -1, &mu,
		    sizeof(mu));
	}
	(void)channel_send(ch, MSG_METRICS_FRAMES, id, -1, &mf, sizeof(mf));
}

static void
tell_net(struct channel *ch, uint32_t id)
{
	struct msg_metrics_node		 mn;
	struct msg_metrics_network	 nw;
	struct msg_metrics_peer		 mp;

	memset(&nw, 0, sizeof(nw));
	nw.mn_nwid = NWID;
	nw.mn_groups = 6;
	nw.mn_frames[0][WHY_ACCEPTED] = 40;
	nw.mn_frames[1][WHY_RULES] = 3;
	nw.mn_frames[1][WHY_NO_CERTIFICATE] = 2;
	nw.mn_credentials[WHY_INVALID] = 9;
	(void)channel_send(ch, MSG_METRICS_NETWORKS, id, -1, &nw, sizeof(nw));
	memset(&mp, 0, sizeof(mp));
	mp.mp_addr = PEER;
	mp.mp_packets[0] = 1643;
	mp.mp_packets[1] = 14951;
	mp.mp_errors = 1;
	mp.mp_alive = 18;
	mp.mp_latencies.hi_counts[1] = 4;
	mp.mp_latencies.hi_counts[HISTOGRAM_BOUNDS] = 1;
	mp.mp_latencies.hi_sum = 2008;
	(void)channel_send(ch, MSG_METRICS_PEERS, id, -1, &mp, sizeof(mp));
	memset(&mn, 0, sizeof(mn));
	mn.mn_packets[0][VERB_HELLO] = 7;
	mn.mn_errors[1][ERR_OBJ_NOT_FOUND] = 8;
	mn.mn_bytes[0] = 3188876;
	mn.mn_networks = 1;
	mn.mn_counters.mc_forged = 5;
	(void)channel_send(ch, MSG_METRICS_NODE, id, -1, &mn, sizeof(mn));
}

static void
tell_con(struct channel *ch, uint32_t id)
{
	struct msg_metrics_con	 mc;

	memset(&mc, 0, sizeof(mc));
	mc.mc_counts[CON_MEMBERS] = 17;
	mc.mc_requests.hi_counts[2] = 3;
	mc.mc_requests.hi_sum = 1234;
	(void)channel_send(ch, MSG_METRICS_CON, id, -1, &mc, sizeof(mc));
}

static void
tell(struct channel *ch, uint32_t id, enum proc proc)
{
	if (proc == PROC_TAP)
		tell_tap(ch, id);
	else if (proc == PROC_NET)
		tell_net(ch, id);
	else
		tell_con(ch, id);
}

/* ---- what is in the text ----------------------------------------- */

/* Is there exactly this line? */
static bool
has_line(const char *text, const char *line)
{
	const char	*p = text;
	size_t		 n = strlen(line);

	while (p != NULL && *p != '\0') {
		if (strncmp(p, line, n) == 0 && p[n] == '\n')
			return (true);
		if ((p = strchr(p, '\n')) != NULL)
			p++;
	}
	return (false);
}

#define CHECK_LINE(text, line)						\
	ATF_CHECK_MSG(has_line(text, line), "no %s", line)

/*
 * Is there a sample with these values of labels, in the order of the labels
 * of the family?  Those that it has no value for are ids.
 */
static bool
has_sample(const char *text, const char *name, json_t *labels, json_t *set)
{
	const char	*label, *value;
	char		 want[512];
	size_t		 i, n;
	json_t		*v;

	n = (size_t)snprintf(want, sizeof(want), "\n%s%s", name,
	    json_object_get(set, "le") != NULL ? "_bucket" : "");
	json_array_foreach(labels, i, v) {
		label = json_string_value(v);
		value = json_string_value(json_object_get(set, label));
		if (value == NULL && strcmp(label, "node_id") == 0)
			value = "f042bf1eb9";
		else if (value == NULL)
			value = "7d229a18e45147ca";
		n += (size_t)snprintf(want + n, sizeof(want) - n,
		    "%s%s=\"%s\"", i == 0 ? "{" : ",", label, value);
	}
	(void)snprintf(want + n, sizeof(want) - n, "%s ",
	    json_array_size(labels) > 0 ? "}" : "");
	if (strstr(text, want) == NULL) {
		fprintf(stderr, "missing: %s\n", want + 1);
		return (false);
	}
	return (true);
}

/* Samples of a family, by the lines between its TYPE and the next HELP. */
static size_t
count_samples(const char *text, const char *name)
{
	char		 type[160];
	const char	*p, *end;
	size_t		 n = 0;

	(void)snprintf(type, sizeof(type), "\n# TYPE %s ", name);
	ATF_REQUIRE((p = strstr(text, type)) != NULL);
	p = strchr(p + 1, '\n');
	if ((end = strstr(p, "\n# HELP")) == NULL)
		end = p + strlen(p) - 1;
	while (p < end && (p = strchr(p + 1, '\n')) != NULL && p <= end)
		n++;
	return (n);
}

static void
check_family(const char *text, json_t *family, const char **after)
{
	const char	*name = vectors_str(family, "name"), *p;
	json_t		*labels, *sets, *set;
	char		*head;
	size_t		 i, want;

	ATF_REQUIRE(asprintf(&head, "# HELP %s %s\n# TYPE %s %s\n", name,
	    vectors_str(family, "help"), name,
	    vectors_str(family, "type")) != -1);
	p = strstr(*after, head);
	ATF_CHECK_MSG(p != NULL, "%s is not there, or not in order", name);
	free(head);
	if (p == NULL)
		return;
	*after = p;
	labels = vectors_get(family, "labels");
	sets = vectors_get(family, "fixed_label_sets");
	json_array_foreach(sets, i, set)
		ATF_CHECK_MSG(has_sample(text, name, labels, set), "%s",
		    name);
	want = json_array_size(sets);
	if (want == 0)
		want = 1;
	/* And nothing else; a histogram has two more. */
	if (strcmp(vectors_str(family, "type"), "histogram") == 0)
		want += 2;
	ATF_CHECK_EQ_MSG(count_samples(text, name), want, "%s: %zu samples",
	    name, count_samples(text, name));
}

TC(families, "names, help, types, labels and their order, as recorded")
{
	struct ctlworld	 w = { 0 };
	struct answer	 an;
	json_t		*all, *family;
	const char	*after;
	size_t		 i;

	world_start(&w, tc, false);
	w.w_metrics = tell;
	world_http(&w, "GET", "/metrics", AUTH, NULL, &an);
	ATF_REQUIRE_EQ(an.an_status, 200);
	all = vectors_load(tc, "service/metrics.json");
	after = an.an_body;
	json_array_foreach(vectors_array(all, "families"), i, family)
		check_family(an.an_body, family, &after);
	ATF_CHECK_EQ(i, 28);
	json_decref(all);
	answer_clear(&an);
	world_stop(&w);
}

TC(values, "what is told is what is shown")
{
	struct ctlworld	 w = { 0 };
	struct answer	 an;
	const char	*t;

	world_start(&w, tc, false);
	w.w_metrics = tell;
	world_http(&w, "GET", "/metrics", AUTH, NULL, &an);
	t = an.an_body;
	CHECK_LINE(t, "zt_packet{direction=\"tx\",packet_type=\"hello\"} 7");
	CHECK_LINE(t, "zt_packet_error{direction=\"rx\","
	    "error_type=\"obj_not_found\"} 8");
	CHECK_LINE(t, "zt_data{direction=\"tx\",protocol=\"udp\"} 3188876");
	CHECK_LINE(t, "zt_network_packets{accepted=\"yes\","
	    "direction=\"tx\",network_id=\"7d229a18e45147ca\"} 40");
	CHECK_LINE(t, "zt_network_packets{accepted=\"no\","
	    "direction=\"rx\",network_id=\"7d229a18e45147ca\"} 3");
	CHECK_LINE(t, "zt_peer_latency_bucket{node_id=\"f042bf1eb9\","
	    "le=\"1\"} 0");
	CHECK_LINE(t, "zt_peer_latency_bucket{node_id=\"f042bf1eb9\","
	    "le=\"3\"} 4");
	CHECK_LINE(t, "zt_peer_latency_bucket{node_id=\"f042bf1eb9\","
	    "le=\"1000\"} 4");
	CHECK_LINE(t, "zt_peer_latency_bucket{node_id=\"f042bf1eb9\","
	    "le=\"+Inf\"} 5");
	CHECK_LINE(t, "zt_peer_latency_count{node_id=\"f042bf1eb9\"} 5");
	CHECK_LINE(t, "zt_peer_latency_sum{node_id=\"f042bf1eb9\"} 2008");
	CHECK_LINE(t, "zt_peer_packet_errors{node_id=\"f042bf1eb9\"} 1");
	CHECK_LINE(t, "controller_member_count 17");
	CHECK_LINE(t, "ztd_process_cpu_seconds_total{process=\"ztd-net\"} "
	    "2.000042");
	CHECK_LINE(t, "ztd_process_resident_memory_bytes{process=\"ztd\"} "
	    "4096");
	CHECK_LINE(t, "ztd_process_starts_total{process=\"ztd-ctl\"} 4");
	CHECK_LINE(t, "ztd_packets_dropped_total{reason=\"forged\"} 5");
	CHECK_LINE(t, "ztd_network_dropped_frames_total{direction=\"rx\","
	    "network_id=\"7d229a18e45147ca\",reason=\"no-certificate\"} 2");
	CHECK_LINE(t, "ztd_network_refused_credentials_total{network_id="
	    "\"7d229a18e45147ca\",reason=\"invalid\"} 9");
	CHECK_LINE(t, "ztd_tap_frames_dropped_total 13");
	CHECK_LINE(t, "ztd_controller_request_duration_seconds_bucket{le="
	    "\"0.00025\"} 0");
	CHECK_LINE(t, "ztd_controller_request_duration_seconds_bucket{le="
	    "\"0.0005\"} 3");
	CHECK_LINE(t, "ztd_controller_request_duration_seconds_sum "
	    "0.001234");
	answer_clear(&an);
	world_stop(&w);
}

TC(absent, "of who is away there are no samples, and the rest is there")
{
	struct ctlworld	 w = { 0 };
	struct answer	 an;

	world_start(&w, tc, false);
	w.w_metrics = tell;
	world_away(&w, PROC_NET);
	world_run(&w, 100);
	world_http(&w, "GET", "/metrics", AUTH, NULL, &an);
	ATF_CHECK_EQ(an.an_status, 200);
	ATF_CHECK(strstr(an.an_body, "\nzt_packet_error{") == NULL);
	ATF_CHECK(strstr(an.an_body, "# TYPE zt_packet_error counter") !=
	    NULL);
	CHECK_LINE(an.an_body, "ztd_process_up{process=\"ztd-net\"} 0");
	CHECK_LINE(an.an_body, "ztd_process_up{process=\"ztd\"} 1");
	CHECK_LINE(an.an_body, "controller_member_count 17");
	answer_clear(&an);
	world_stop(&w);
}

TC(exchanges, "recorded exchanges: who may ask, HEAD, other paths")
{
	static const char *const	 tokens[] = {
		"X-ZT1-Auth: " WORLD_METRICS "\r\n",
		"X-ZT1-Auth: " WORLD_TOKEN "\r\n",
		"Authorization: Bearer " WORLD_METRICS "\r\n",
		"authorization: bEaReR   " WORLD_METRICS "\r\n"
	};
	struct ctlworld			 w = { 0 };
	struct answer			 an;
	size_t				 i;

	world_start(&w, tc, false);
	w.w_metrics = tell;
	for (i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
		world_http(&w, "GET", "/metrics", tokens[i], NULL, &an);
		ATF_CHECK_EQ_MSG(an.an_status, 200, "%s", tokens[i]);
		ATF_CHECK(strstr(an.an_head, "\r\nContent-Type: text/plain"
		    "\r\n") != NULL);
		answer_clear(&an);
	}
	/* The first way that is there decides: the header over the query. */
	world_http(&w, "GET", "/metrics?auth=" WORLD_METRICS,
	    "Connection: close\r\n", NULL, &an);
	ATF_CHECK_EQ(an.an_status, 200);
	answer_clear(&an);
	world_http(&w, "GET", "/metrics?jsonp=f", AUTH, NULL, &an);
	ATF_CHECK_EQ(an.an_status, 200);
	ATF_CHECK(strncmp(an.an_body, "# HELP zt_packet ", 17) == 0);
	answer_clear(&an);
	world_http(&w, "HEAD", "/metrics", AUTH, NULL, &an);
	ATF_CHECK_EQ(an.an_status, 200);
	ATF_CHECK_EQ(an.an_len, 0);
	ATF_CHECK(strstr(an.an_head, "Accept-Ranges: bytes") != NULL);
	answer_clear(&an);
	world_http(&w, "GET", "/metrics/", AUTH, NULL, &an);
	ATF_CHECK_EQ(an.an_status, 401);
	ATF_CHECK_STREQ(an.an_body, "{}");
	answer_clear(&an);
	world_http(&w, "GET", "/metrics/", "X-ZT1-Auth: " WORLD_TOKEN "\r\n",
	    NULL, &an);
	ATF_CHECK_EQ(an.an_status, 404);
	answer_clear(&an);
	world_http(&w, "GET", "/metrics", "X-ZT1-Auth: wrong\r\n", NULL,
	    &an);
	ATF_CHECK_EQ(an.an_status, 401);
	answer_clear(&an);
	world_http(&w, "POST", "/metrics", AUTH, "{}", &an);
	ATF_CHECK_EQ(an.an_status, 404);
	answer_clear(&an);
	world_stop(&w);
}

TC(file, "the parent is sent the same text, again and again")
{
	struct ctlworld	 w = { 0 };

	world_start(&w, tc, false);
	w.w_metrics = tell;
	world_run(&w, 11000);
	ATF_CHECK_MSG(w.w_proms == 2, "%u times", w.w_proms);
	ATF_REQUIRE(w.w_prom != NULL);
	CHECK_LINE(w.w_prom, "controller_member_count 17");
	CHECK_LINE(w.w_prom, "ztd_online 0");
	world_stop(&w);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, families);
	ATF_TP_ADD_TC(tp, values);
	ATF_TP_ADD_TC(tp, absent);
	ATF_TP_ADD_TC(tp, exchanges);
	ATF_TP_ADD_TC(tp, file);
	return (atf_no_error());
}
