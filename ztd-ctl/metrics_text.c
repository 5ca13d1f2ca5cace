/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Metrics as text: families, their names and labels.  Those of "zt_" and
 * "controller_" are in the order, and have the words, that they always had.
 * What each means is in man/ztd-metrics.7.  Of a process that did not answer
 * there are no samples: a counter must not fall.
 */

#include <event2/buffer.h>

#include "common/version.h"
#include "ztd-ctl/metrics.h"

#define LL(v)	((unsigned long long)(v))

static const char *const	 directions[2] = { "tx", "rx" };

static void	 family(struct evbuffer *, const char *, const char *,
		    const char *);
static void	 single(struct evbuffer *, const char *, const char *,
		    const char *, bool, uint64_t);
static void	 packets(struct evbuffer *, const struct metrics *);
static void	 packet_errors(struct evbuffer *, const struct metrics *);
static void	 data(struct evbuffer *, const struct metrics *);
static void	 networks(struct evbuffer *, const struct metrics *);
static void	 peer_latencies(struct evbuffer *, const struct metrics *);
static void	 peers(struct evbuffer *, const struct metrics *);
static void	 controller(struct evbuffer *, const struct metrics *);
static void	 processes(struct evbuffer *, const struct metrics *);
static void	 node(struct evbuffer *, const struct metrics *);
static void	 dropped(struct evbuffer *, const struct metrics *);
static void	 refused(struct evbuffer *, const struct metrics *);
static void	 taps(struct evbuffer *, const struct metrics *);
static void	 requests(struct evbuffer *, const struct metrics *);

void
metrics_text(struct evbuffer *b, const struct metrics *me)
{
	packets(b, me);
	packet_errors(b, me);
	data(b, me);
	networks(b, me);
	peer_latencies(b, me);
	peers(b, me);
	controller(b, me);
	processes(b, me);
	node(b, me);
	dropped(b, me);
	refused(b, me);
	taps(b, me);
	requests(b, me);
}

static void
family(struct evbuffer *b, const char *name, const char *type,
    const char *help)
{
	(void)evbuffer_add_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name,
	    help, name, type);
}

/* A family of one sample, which is there if have. */
static void
single(struct evbuffer *b, const char *name, const char *type,
    const char *help, bool have, uint64_t value)
{
	family(b, name, type, help);
	if (have)
		(void)evbuffer_add_printf(b, "%s %llu\n", name, LL(value));
}

/* ---- zt_ --------------------------------------------------------------- */

static void
packets(struct evbuffer *b, const struct metrics *me)
{
	static const char *const	 names[PACKET_VERBS] = {
		[VERB_NOP] = "nop",
		[VERB_HELLO] = "hello",
		[VERB_ERROR] = "error",
		[VERB_OK] = "ok",
		[VERB_WHOIS] = "whois",
		[VERB_RENDEZVOUS] = "rendezvous",
		[VERB_FRAME] = "frame",
		[VERB_EXT_FRAME] = "ext_frame",
		[VERB_ECHO] = "echo",
		[VERB_MULTICAST_LIKE] = "multicast_like",
		[VERB_NETWORK_CREDENTIALS] = "network_credentials",
		[VERB_NETWORK_CONFIG_REQUEST] = "network_config_request",
		[VERB_NETWORK_CONFIG] = "network_config",
		[VERB_MULTICAST_GATHER] = "multicast_gather",
		[VERB_MULTICAST_FRAME] = "multicast_frame",
		[VERB_PUSH_DIRECT_PATHS] = "push_direct_paths",
		[VERB_ACK] = "ack",
		[VERB_QOS_MEASUREMENT] = "qos",
		[VERB_USER_MESSAGE] = "user_message",
		[VERB_REMOTE_TRACE] = "remote_trace",
		[VERB_PATH_NEGOTIATION_REQUEST] = "path_negotiation_request"
	};
	unsigned			 d, i;

	family(b, "zt_packet", "counter", "ZeroTier packet type counts");
	for (d = 0; me->me_have[PROC_NET] && d < 2; d++) {
		for (i = 0; i < PACKET_VERBS; i++) {
			if (names[i] == NULL)
				continue;
			(void)evbuffer_add_printf(b, "zt_packet{direction="
			    "\"%s\",packet_type=\"%s\"} %llu\n",
			    directions[d], names[i],
			    LL(me->me_node.mn_packets[d][i]));
		}
	}
}

/* Code 0 stands for internal_server_error, which nobody ever sends. */
static void
packet_errors(struct evbuffer *b, const struct metrics *me)
{
	static const char *const	 names[PACKET_ERRORS] = {
		[0] = "internal_server_error",
		[ERR_OBJ_NOT_FOUND] = "obj_not_found",
		[ERR_IDENTITY_COLLISION] = "identity_collision",
		[ERR_UNSUPPORTED_OPERATION] = "unsupported_operation",
		[ERR_NEED_MEMBERSHIP_CERTIFICATE] =
		    "need_membership_certificate",
		[ERR_NETWORK_ACCESS_DENIED] = "network_access_denied",
		[ERR_UNWANTED_MULTICAST] = "unwanted_multicast",
		[ERR_NETWORK_AUTHENTICATION_REQUIRED] =
		    "authentication_required"
	};
	unsigned			 d, i;

	family(b, "zt_packet_error", "counter", "ZeroTier packet errors");
	for (d = 0; me->me_have[PROC_NET] && d < 2; d++) {
		for (i = 0; i < PACKET_ERRORS; i++) {
			if (names[i] == NULL)
				continue;
			(void)evbuffer_add_printf(b, "zt_packet_error{"
			    "direction=\"%s\",error_type=\"%s\"} %llu\n",
			    directions[d], names[i],
			    i == 0 ? 0 : LL(me->me_node.mn_errors[d][i]));
		}
	}
}

/* There is no TCP fallback tunnel in this version. */
static void
data(struct evbuffer *b, const struct metrics *me)
{
	unsigned	 d;

	family(b, "zt_data", "counter",
	    "number of bytes ZeroTier has transmitted or received");
	for (d = 0; me->me_have[PROC_NET] && d < 2; d++) {
		(void)evbuffer_add_printf(b, "zt_data{direction=\"%s\","
		    "protocol=\"tcp\"} 0\n", directions[d]);
		(void)evbuffer_add_printf(b, "zt_data{direction=\"%s\","
		    "protocol=\"udp\"} %llu\n", directions[d],
		    LL(me->me_node.mn_bytes[d]));
	}
}

static void
network_packets(struct evbuffer *b, const struct msg_metrics_network *mn)
{
	unsigned	 d;

	for (d = 0; d < 2; d++) {
		(void)evbuffer_add_printf(b, "zt_network_packets{accepted="
		    "\"no\",direction=\"%s\",network_id=\"%016llx\"} %llu\n",
		    directions[d], LL(mn->mn_nwid),
		    LL(mn->mn_frames[d][WHY_RULES] +
		    mn->mn_frames[d][WHY_REDIRECTED]));
		(void)evbuffer_add_printf(b, "zt_network_packets{accepted="
		    "\"yes\",direction=\"%s\",network_id=\"%016llx\"} %llu\n",
		    directions[d], LL(mn->mn_nwid),
		    LL(mn->mn_frames[d][WHY_ACCEPTED]));
	}
}

static void
networks(struct evbuffer *b, const struct metrics *me)
{
	const struct msg_metrics_network	*mn;
	const struct msg_metrics_network	*end =
	    me->me_networks + me->me_nnetworks;

	single(b, "zt_num_networks", "gauge",
	    "number of networks this instance is joined to",
	    me->me_have[PROC_NET], me->me_node.mn_networks);
	family(b, "zt_network_multicast_groups_subscribed", "gauge",
	    "number of multicast groups networks are subscribed to");
	for (mn = me->me_networks; mn < end; mn++)
		(void)evbuffer_add_printf(b,
		    "zt_network_multicast_groups_subscribed{network_id="
		    "\"%016llx\"} %llu\n", LL(mn->mn_nwid),
		    LL(mn->mn_groups));
	family(b, "zt_network_packets", "counter",
	    "number of incoming/outgoing packets per network");
	for (mn = me->me_networks; mn < end; mn++)
		network_packets(b, mn);
}

static void
peer_latency(struct evbuffer *b, const struct msg_metrics_peer *mp)
{
	const struct histogram	*hi = &mp->mp_latencies;
	uint64_t		 n = 0;
	unsigned		 i;

	for (i = 0; i <= HISTOGRAM_BOUNDS; i++)
		n += hi->hi_counts[i];
	(void)evbuffer_add_printf(b, "zt_peer_latency_count{node_id="
	    "\"%010llx\"} %llu\n", LL(mp->mp_addr), LL(n));
	(void)evbuffer_add_printf(b, "zt_peer_latency_sum{node_id="
	    "\"%010llx\"} %llu\n", LL(mp->mp_addr), LL(hi->hi_sum));
	for (n = 0, i = 0; i < HISTOGRAM_BOUNDS; i++) {
		n += hi->hi_counts[i];
		(void)evbuffer_add_printf(b, "zt_peer_latency_bucket{node_id="
		    "\"%010llx\",le=\"%u\"} %llu\n", LL(mp->mp_addr),
		    (unsigned)histogram_latency[i], LL(n));
	}
	(void)evbuffer_add_printf(b, "zt_peer_latency_bucket{node_id="
	    "\"%010llx\",le=\"+Inf\"} %llu\n", LL(mp->mp_addr),
	    LL(n + hi->hi_counts[i]));
}

static void
peer_latencies(struct evbuffer *b, const struct metrics *me)
{
	size_t	 i;

	family(b, "zt_peer_latency", "histogram", "peer latency (ms)");
	for (i = 0; i < me->me_npeers; i++)
		peer_latency(b, &me->me_peers[i]);
}

static void
peers(struct evbuffer *b, const struct metrics *me)
{
	const struct msg_metrics_peer	*mp;
	const struct msg_metrics_peer	*end = me->me_peers + me->me_npeers;
	unsigned			 d;

	family(b, "zt_peer_path_count", "gauge", "number of paths to peer");
	for (mp = me->me_peers; mp < end; mp++)
		(void)evbuffer_add_printf(b, "zt_peer_path_count{node_id="
		    "\"%010llx\",status=\"alive\"} %llu\n"
		    "zt_peer_path_count{node_id=\"%010llx\",status=\"dead\"} "
		    "%llu\n", LL(mp->mp_addr), LL(mp->mp_alive),
		    LL(mp->mp_addr), LL(mp->mp_dead));
	family(b, "zt_peer_packets", "counter",
	    "number of packets to/from a peer");
	for (mp = me->me_peers; mp < end; mp++) {
		for (d = 0; d < 2; d++)
			(void)evbuffer_add_printf(b, "zt_peer_packets{"
			    "direction=\"%s\",node_id=\"%010llx\"} %llu\n",
			    directions[d], LL(mp->mp_addr),
			    LL(mp->mp_packets[d]));
	}
	family(b, "zt_peer_packet_errors", "counter",
	    "number of incoming packet errors from a peer");
	for (mp = me->me_peers; mp < end; mp++)
		(void)evbuffer_add_printf(b, "zt_peer_packet_errors{node_id="
		    "\"%010llx\"} %llu\n", LL(mp->mp_addr),
		    LL(mp->mp_errors));
}

/* ---- controller_ ------------------------------------------------------- */

#define PREFIX	"controller_"
#define NOTHING	CON_COUNT	/* what this controller has none of */

static void
controller(struct evbuffer *b, const struct metrics *me)
{
	static const struct {
		const char	*name, *type, *help;
		enum con_count	 count;
	} list[] = {
		{ PREFIX "network_count", "gauge", "number of networks the "
		    "controller is serving", CON_NETWORKS },
		{ PREFIX "member_count", "gauge", "number of network members "
		    "the controller is serving", CON_MEMBERS },
		{ PREFIX "network_change_count", "counter", "number of times "
		    "a network configuration is changed",
		    CON_NETWORK_CHANGES },
		{ PREFIX "member_change_count", "counter", "number of times "
		    "a network member configuration is changed",
		    CON_MEMBER_CHANGES },
		{ PREFIX "member_auth_count", "counter",
		    "number of network member auths", CON_AUTHS },
		{ PREFIX "member_deauth_count", "counter",
		    "number of network member deauths", CON_DEAUTHS },
		{ PREFIX "network_config_request_queue", "gauge", "number of "
		    "entries in the request queue for network "
		    "configurations", NOTHING },
		{ PREFIX "sso_expiration_checks", "counter",
		    "number of sso expiration checks done", CON_SSO_CHECKS },
		{ PREFIX "sso_timeouts", "counter", "number of sso timeouts",
		    CON_SSO_TIMEOUTS },
		{ PREFIX "network_config_request", "counter",
		    "count of config requests handled", CON_REQUESTS },
		{ PREFIX "network_config_request_threads", "gauge",
		    "number of active network config handling threads",
		    NOTHING },
		{ PREFIX "db_get_network", "counter", "counter",
		    CON_DB_NETWORK },
		{ PREFIX "db_get_network_and_member", "counter", "counter",
		    CON_DB_NETWORK_MEMBER },
		{ PREFIX "db_get_networK_and_member_summary", "counter",
		    "counter", CON_DB_SUMMARY },
		{ PREFIX "db_get_member_list", "counter", "counter",
		    CON_DB_MEMBERS },
		{ PREFIX "db_get_network_list", "counter", "counter",
		    CON_DB_NETWORKS },
		{ PREFIX "db_member_change", "counter", "counter",
		    CON_DB_MEMBER_CHANGES },
		{ PREFIX "db_network_change", "counter", "counter",
		    CON_DB_NETWORK_CHANGES }
	};
	size_t	 i;

	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		single(b, list[i].name, list[i].type, list[i].help,
		    me->me_have[PROC_CON], list[i].count == NOTHING ? 0 :
		    me->me_con.mc_counts[list[i].count]);
}

/* ---- ztd_: ours -------------------------------------------------------- */

static void
process_counter(struct evbuffer *b, const struct metrics *me,
    const char *name, const char *help, uint64_t (*of)(
    const struct msg_metrics_usage *))
{
	enum proc	 proc;

	family(b, name, "counter", help);
	for (proc = 0; me->me_have[PROC_TAP] && proc < PROC_COUNT; proc++)
		(void)evbuffer_add_printf(b, "%s{process=\"%s\"} %llu\n",
		    name, proc_name(proc), LL(of(&me->me_usage[proc])));
}

static uint64_t
starts(const struct msg_metrics_usage *mu)
{
	return (mu->mu_starts);
}

static uint64_t
violations(const struct msg_metrics_usage *mu)
{
	return (mu->mu_violations);
}

/* It runs, and answers if it is not ourselves. */
static bool
process_up(const struct metrics *me, enum proc proc)
{
	return (me->me_usage[proc].mu_running != 0 &&
	    (proc == PROC_CTL || me->me_have[proc]));
}

static void
processes(struct evbuffer *b, const struct metrics *me)
{
	const struct msg_metrics_usage	*mu = me->me_usage;
	enum proc			 proc;

	family(b, "ztd_process_up", "gauge",
	    "whether the process runs and answers");
	for (proc = 0; proc < PROC_COUNT; proc++)
		(void)evbuffer_add_printf(b, "ztd_process_up{process=\"%s\"} "
		    "%d\n", proc_name(proc), process_up(me, proc));
	family(b, "ztd_process_cpu_seconds_total", "counter",
	    "CPU time of the process since its start");
	for (proc = 0; proc < PROC_COUNT; proc++)
		if (mu[proc].mu_running != 0)
			(void)evbuffer_add_printf(b,
			    "ztd_process_cpu_seconds_total{process=\"%s\"} "
			    "%llu.%06llu\n", proc_name(proc),
			    LL(mu[proc].mu_cpu / 1000000),
			    LL(mu[proc].mu_cpu % 1000000));
	family(b, "ztd_process_resident_memory_bytes", "gauge",
	    "memory of the process that is resident");
	for (proc = 0; proc < PROC_COUNT; proc++)
		if (mu[proc].mu_running != 0)
			(void)evbuffer_add_printf(b,
			    "ztd_process_resident_memory_bytes{process="
			    "\"%s\"} %llu\n", proc_name(proc),
			    LL(mu[proc].mu_resident));
	process_counter(b, me, "ztd_process_starts_total",
	    "how often the process was started", starts);
	process_counter(b, me, "ztd_sandbox_violations_total",
	    "how often the process ended by the signal of its sandbox",
	    violations);
}

static void
node(struct evbuffer *b, const struct metrics *me)
{
	const struct msg_metrics_node	*mn = &me->me_node;
	const struct msg_counters	*mc = &mn->mn_counters;
	bool				 have = me->me_have[PROC_NET];

	family(b, "ztd_build_info", "gauge", "the version of ztd");
	(void)evbuffer_add_printf(b, "ztd_build_info{version=\"%s\"} 1\n",
	    ZTD_VERSION);
	single(b, "ztd_online", "gauge",
	    "whether a root has answered lately", have, mn->mn_online);
	single(b, "ztd_peers", "gauge", "peers known", have, mn->mn_peers);
	single(b, "ztd_paths", "gauge", "paths to them", have, mn->mn_paths);
	single(b, "ztd_peers_evicted_total", "counter",
	    "peers forgotten to make room for others", have, mc->mc_evicted);
	single(b, "ztd_path_suspects_total", "counter",
	    "paths that fell silent while in use", have, mc->mc_suspects);
	single(b, "ztd_path_switches_total", "counter",
	    "changes of the path in use to a peer", have, mc->mc_switches);
	single(b, "ztd_suspends_total", "counter",
	    "jumps of the clock, as after sleep", have, mc->mc_suspends);
	single(b, "ztd_user_messages_dropped_total", "counter",
	    "messages of users that came too fast to be passed on", have,
	    mc->mc_messages_dropped);
}

static void
dropped(struct evbuffer *b, const struct metrics *me)
{
	const struct msg_counters	*mc = &me->me_node.mn_counters;
	const struct {
		const char	*reason;
		uint64_t	 value;
	} list[] = {
		{ "forged", mc->mc_forged },
		{ "limited", mc->mc_limited },
		{ "replayed", mc->mc_replays },
		{ "withheld", mc->mc_withheld }
	};
	size_t				 i;

	family(b, "ztd_packets_dropped_total", "counter",
	    "packets dropped, by reason");
	for (i = 0; me->me_have[PROC_NET] &&
	    i < sizeof(list) / sizeof(list[0]); i++)
		(void)evbuffer_add_printf(b, "ztd_packets_dropped_total{"
		    "reason=\"%s\"} %llu\n", list[i].reason,
		    LL(list[i].value));
}

static void
dropped_frames(struct evbuffer *b, const struct msg_metrics_network *mn)
{
	unsigned	 d, why;

	for (d = 0; d < 2; d++) {
		for (why = WHY_ACCEPTED + 1; why < WHY_COUNT; why++) {
			if (mn->mn_frames[d][why] == 0)
				continue;
			(void)evbuffer_add_printf(b,
			    "ztd_network_dropped_frames_total{direction="
			    "\"%s\",network_id=\"%016llx\",reason=\"%s\"} "
			    "%llu\n", directions[d], LL(mn->mn_nwid),
			    why_code(why), LL(mn->mn_frames[d][why]));
		}
	}
}

static void
refused_credentials(struct evbuffer *b, const struct msg_metrics_network *mn)
{
	unsigned	 why;

	for (why = WHY_ACCEPTED + 1; why < WHY_COUNT; why++)
		if (mn->mn_credentials[why] != 0)
			(void)evbuffer_add_printf(b,
			    "ztd_network_refused_credentials_total{network_id"
			    "=\"%016llx\",reason=\"%s\"} %llu\n",
			    LL(mn->mn_nwid), why_code(why),
			    LL(mn->mn_credentials[why]));
}

/* Of reasons only those that there were: most never are. */
static void
refused(struct evbuffer *b, const struct metrics *me)
{
	size_t	 i;

	family(b, "ztd_network_dropped_frames_total", "counter",
	    "frames of a network that did not pass, by reason");
	for (i = 0; i < me->me_nnetworks; i++)
		dropped_frames(b, &me->me_networks[i]);
	family(b, "ztd_network_refused_credentials_total", "counter",
	    "credentials of a network that were refused, by reason");
	for (i = 0; i < me->me_nnetworks; i++)
		refused_credentials(b, &me->me_networks[i]);
}

static void
taps(struct evbuffer *b, const struct metrics *me)
{
	const struct msg_metrics_frames	*mf = &me->me_frames;

	family(b, "ztd_tap_frames_total", "counter",
	    "frames that the parent carried between taps and engine");
	if (me->me_have[PROC_TAP])
		(void)evbuffer_add_printf(b, "ztd_tap_frames_total{direction="
		    "\"rx\"} %llu\nztd_tap_frames_total{direction=\"tx\"} "
		    "%llu\n", LL(mf->mf_in), LL(mf->mf_out));
	single(b, "ztd_tap_frames_dropped_total", "counter",
	    "frames that the parent dropped between them",
	    me->me_have[PROC_TAP], mf->mf_dropped);
}

#define REQUEST	"ztd_controller_request_duration_seconds"

static void
requests(struct evbuffer *b, const struct metrics *me)
{
	const struct histogram	*hi = &me->me_con.mc_requests;
	uint64_t		 n = 0;
	unsigned		 i;

	family(b, REQUEST, "histogram",
	    "time of work on a member's request, without the disk's");
	if (!me->me_have[PROC_CON])
		return;
	for (i = 0; i < HISTOGRAM_BOUNDS; i++) {
		n += hi->hi_counts[i];
		(void)evbuffer_add_printf(b, REQUEST "_bucket{le=\"%g\"} "
		    "%llu\n", histogram_request[i] / 1e6, LL(n));
	}
	n += hi->hi_counts[i];
	(void)evbuffer_add_printf(b, REQUEST "_bucket{le=\"+Inf\"} %llu\n"
	    REQUEST "_sum %llu.%06llu\n" REQUEST "_count %llu\n", LL(n),
	    LL(hi->hi_sum / 1000000), LL(hi->hi_sum % 1000000), LL(n));
}
