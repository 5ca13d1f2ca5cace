/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The message catalogue: every message that crosses between processes of
 * the suite, the struct it carries, and who may send it to whom.
 *
 * A message is a header and a payload of a fixed struct, in some cases
 * followed by an array or bytes.  Structs hold no pointers; all integers
 * are in host order, both ends being on one machine.  The receiving channel
 * checks type, sender and length against messages.c before anyone looks at
 * the payload; what a handler still must check is said here.
 *
 * m_id in the header ties answers to a question: the answerer copies it.
 * An answer of many messages ends with MSG_END.
 */

#ifndef PRIVSEP_MESSAGES_H
#define PRIVSEP_MESSAGES_H

#include <stddef.h>
#include <stdint.h>

#include "common/concount.h"
#include "common/dnsconf.h"
#include "common/histogram.h"
#include "common/identity.h"
#include "common/inet.h"
#include "common/netconf.h"
#include "common/packet.h"
#include "common/settings.h"
#include "common/why.h"

enum proc {
	PROC_TAP,		/* the parent */
	PROC_NET,
	PROC_CON,
	PROC_CTL,
	PROC_COUNT
};

#define MSG_MAX		65536	/* payload bytes */

enum msg_type {
	MSG_NONE,

	/* between the parent and every child */
	MSG_INIT,		/* parent > child: once, first */
	MSG_CHANNEL,		/* parent > child, with descriptor */
	MSG_READY,		/* child > parent: confined and serving */
	MSG_LOG,		/* child > parent */
	MSG_STOP,		/* parent > child: save and exit */
	MSG_SETTINGS,		/* parent > net, ctl: at start, on reload */
	MSG_IDENTITY,		/* parent > net, con, ctl (public only) */

	/* parent > engine */
	MSG_FRAMES,		/* with the descriptor of the frame channel */
	MSG_INTERFACES,		/* what the host has now */
	MSG_ROAMED,		/* packets may now take another way */
	MSG_JOIN,
	MSG_LEAVE,
	MSG_TAP,		/* state of the tap of a network */
	MSG_LEND,		/* with the descriptor of that tap */
	MSG_PIN_MODE,		/* tell MSG_PINS, or no longer */
	MSG_PINNED,		/* MSG_PINS of this id is in force */

	/* engine > parent */
	MSG_IDENTITY_NEW,	/* generated: store it */
	MSG_IDENTITY_BAD,	/* cannot be used: stop */
	MSG_PORT,		/* what a network's port should be like */
	MSG_ONLINE,
	MSG_PLANET,		/* a newer planet: store it */
	MSG_PINS,		/* physical addresses in use, whole */
	MSG_REPORTED,		/* a host reported groups on a lent tap */
	MSG_TAP_GONE,		/* a lent tap cannot be read any more */
	MSG_REALTIME,		/* it is ready to go before others */

	/* parent > API */
	MSG_LISTENER,		/* with a listening TCP descriptor */
	MSG_LOCAL,		/* with that of the local socket */
	MSG_OPERATORS,		/* who needs no token there */
	MSG_TOKEN,
	MSG_CONFIG_TEXT,	/* local.conf as it stands, for /status */
	MSG_CONFIG_SEEN,	/* API > parent: it was taken over */

	/* API > parent */
	MSG_NET_SET,		/* join, or change local settings */
	MSG_NET_LEAVE,
	MSG_GET_TAPS,		/* > MSG_TAP_INFO*, MSG_END */
	MSG_TAP_INFO,
	MSG_RESULT,		/* parent > API: how MSG_NET_*, MSG_CONFIG_SET,
				 * MSG_RELOAD went; engine > API:
				 * MSG_USER_SEND */
	MSG_CONFIG_SET,		/* > MSG_CONFIG_NOTE*, MSG_RESULT */
	MSG_RELOAD,		/* the same */
	MSG_CONFIG_NOTE,	/* parent > API */

	/* one run of ztd-ctl that only parses local.conf */
	MSG_PARSED,		/* ctl > parent: settings or an error */

	/* API > engine, and its answers */
	MSG_GET_STATUS,		/* > MSG_ROOT_INFO*, MSG_STATUS */
	MSG_GET_NETWORKS,	/* > MSG_NETWORK_INFO*, MSG_END */
	MSG_GET_PEERS,		/* > MSG_PEER_INFO*, MSG_END */
	MSG_GET_MOONS,		/* > MSG_MOON_INFO*, MSG_END */
	MSG_ORBIT,		/* > MSG_END */
	MSG_DEORBIT,		/* > MSG_END */
	MSG_USER_SEND,		/* > MSG_RESULT */
	MSG_USER_RECEIVED,	/* engine > API, unasked */
	MSG_WATCH,		/* > MSG_RESULT */
	MSG_EVENT,		/* engine > API, while a network is watched */
	MSG_ROOT_INFO,
	MSG_STATUS,
	MSG_NETWORK_INFO,
	MSG_PEER_INFO,
	MSG_MOON_INFO,
	MSG_END,

	/* engine > controller, and back */
	MSG_CON_REQUEST,
	MSG_CON_CONFIG,
	MSG_CON_ERROR,
	MSG_CON_REVOCATION,

	/* API > controller and back: one HTTP exchange */
	MSG_API_REQUEST,
	MSG_API_RESPONSE,
	MSG_API_BODY,		/* both ways, any number */
	MSG_API_FILE,		/* instead of a long MSG_API_BODY* */
	MSG_API_END,		/* both ways */

	/* metrics: API > each of the others; the API writes no file */
	MSG_GET_METRICS,	/* > MSG_METRICS_*, MSG_END */
	MSG_METRICS_USAGE,	/* parent > API: of one process */
	MSG_METRICS_FRAMES,	/* parent > API */
	MSG_METRICS_NODE,	/* engine > API */
	MSG_METRICS_NETWORKS,
	MSG_METRICS_PEERS,
	MSG_METRICS_CON,	/* controller > API */
	MSG_METRICS_TEXT,	/* API > parent: metrics.prom */

	MSG_COUNT
};

/* ---- parent and children ------------------------------------------- */

/*
 * Who a child is to become.  home is an absolute path; ids are numeric and
 * (uid_t)-1 when the process keeps what it has (not started by root).
 */
struct msg_init {
	uint32_t	 mi_uid, mi_gid;
	uint8_t		 mi_verbose;
	uint8_t		 mi_app;	/* API: serve home's folder "app" */
	uint8_t		 mi_pad[6];
	char		 mi_home[1024];
};

/* The descriptor leads to this process; it replaces an earlier one. */
struct msg_channel {
	uint32_t	 mc_peer;	/* enum proc */
};

/* Followed by the line, without newline or NUL; at most 1023 bytes. */
struct msg_log {
	uint32_t	 ml_level;	/* syslog level */
};

/* MSG_SETTINGS: struct settings. */
struct msg_settings {
	struct settings	 ms_settings;
	uint16_t	 ms_port;	/* primary port in force */
	uint16_t	 ms_pad[3];
};

/*
 * To the engine: the text of identity.secret, or an empty text: generate
 * one.  To the controller: the secret form, checked by the engine.  To the
 * API: the public form.
 */
struct msg_identity {
	char		 mi_text[IDENTITY_TEXT_SECRET + 1];
	char		 mi_pad;
};

/* MSG_IDENTITY_NEW (secret form; also sent when the given one is good, so
 * that the parent can hand it on), MSG_IDENTITY_BAD (a sentence). */
struct msg_identity_new {
	char		 mn_secret[IDENTITY_TEXT_SECRET];
	char		 mn_public[IDENTITY_TEXT_PUBLIC];
	uint8_t		 mn_generated;
};
struct msg_text {
	char		 mt_text[512];	/* NUL-terminated */
};

/* MSG_FRAMES carries nothing but its descriptor. */

/*
 * MSG_INTERFACES: at most so many struct msg_interface in one message.  A
 * longer list comes in several, one behind the other, numbered from 0 by
 * m_id; mi_more of the last entry says that there is another.
 */
#define INTERFACES_MAX	512
struct msg_interface {
	char		 mi_name[16];
	uint32_t	 mi_index;
	uint8_t		 mi_temporary;	/* IPv6 privacy address */
	uint8_t		 mi_virtual;	/* one of our own taps */
	uint8_t		 mi_running;	/* has a carrier */
	uint8_t		 mi_more;	/* the list goes on */
	struct inet_addr mi_addr;	/* ia_port = prefix length */
};

/* MSG_JOIN, MSG_LEAVE, MSG_NET_LEAVE. */
struct msg_network {
	uint64_t	 mn_nwid;
};

/*
 * State of a network's tap, again whenever it changes.  mt_tap names it on
 * the frame channel; with an error what is said of it is 0.  Followed by
 * mt_ngroups struct msg_group: the multicast groups that the host has joined
 * on it, resolution groups included.
 */
#define TAP_GROUPS_MAX	1024
struct msg_tap {
	uint64_t	 mt_nwid;
	uint32_t	 mt_tap;	/* index, valid when mt_error is 0 */
	int32_t		 mt_error;	/* errno of what failed, 0: up */
	uint32_t	 mt_ngroups;
	uint32_t	 mt_can;	/* frames to it: OFFLOAD_CAN_* */
	uint32_t	 mt_mtu;	/* Ethernet payload, bytes */
	uint32_t	 mt_pad;
};
struct msg_group {
	uint64_t	 mg_mac;
	uint32_t	 mg_adi;
	uint32_t	 mg_pad;
};

/*
 * The tap of MSG_TAP itself, to be read and written in place of the frame
 * channel, by this index, until MSG_TAP says otherwise or the engine ends.
 * MSG_TAP_GONE makes the parent look whether the interface is still there.
 */
struct msg_lend {
	uint64_t	 ml_nwid;
	uint32_t	 ml_tap;
	uint32_t	 ml_vnet;	/* a struct offload before each frame */
};
struct msg_tap_gone {
	uint64_t	 mg_nwid;
	uint32_t	 mg_tap;
	uint32_t	 mg_pad;
};

/*
 * What a network's port should be like, whole; the parent applies the
 * difference, as far as the operator's policy allows.  The arrays are
 * always of full size.
 */
struct msg_port {
	uint64_t	 mp_nwid;
	uint64_t	 mp_mac;
	uint32_t	 mp_mtu;	/* Ethernet payload, bytes */
	uint8_t		 mp_up;		/* configuration held: link is up */
	uint8_t		 mp_ok;		/* and the controller lets us in */
	uint8_t		 mp_pad[2];
	char		 mp_name[NETCONF_NAME];
	uint32_t	 mp_nips;
	uint32_t	 mp_nroutes;
	struct inet_addr mp_ips[NETCONF_IPS];
	struct netconf_route mp_routes[NETCONF_ROUTES];
	char		 mp_dns_domain[128];
	struct inet_addr mp_dns[NETCONF_DNS];
};

/* MSG_ONLINE. */
struct msg_online {
	uint32_t	 mo_online;
};

/* MSG_PLANET: the serialised world, nothing else. */

/*
 * While a default route leads through a network and sockets are not bound to
 * a device (06 section 8.5), the engine names all physical addresses that it
 * sends to, those of roots first, and sends to none before the parent has
 * answered by MSG_PINNED with the id of the MSG_PINS that has it.
 * MSG_PINS: struct inet_addr, ia_port 0, and nothing else.
 */
#define PINS_MAX	1024
struct msg_pin_mode {
	uint32_t	 pm_on;
};

/* ---- parent and API ------------------------------------------------ */

/* MSG_LISTENER: which address the descriptor listens on, for the log. */
struct msg_listener {
	struct inet_addr ml_addr;
};

/*
 * MSG_LOCAL carries nothing but its descriptor.  MSG_OPERATORS: who may do
 * everything on it without a token: mo_owner, members of the group mo_gid
 * (mo_uids are those that the system's files name), but never a process of
 * ours, although all of them are in the group.  (uint32_t)-1 is nobody.
 */
#define OPERATORS_MAX	128
struct msg_operators {
	uint32_t	 mo_owner;	/* root, or whoever started us */
	uint32_t	 mo_gid;
	uint32_t	 mo_ours[PROC_COUNT];
	uint32_t	 mo_nuids;
	uint32_t	 mo_uids[OPERATORS_MAX];
};

#define TOKEN_MAX	256	/* with NUL */
struct msg_token {
	char		 mt_token[TOKEN_MAX];
	char		 mt_metrics[TOKEN_MAX];	/* "" : none */
};

/*
 * MSG_CONFIG_TEXT: the bytes of local.conf, nothing else.  MSG_CONFIG_SEEN
 * has its id: a MSG_CONFIG_SET that comes after was made from that text.
 */

/*
 * Join if not joined; where a bit is set in mn_set take the value, else
 * leave it (or its default).
 */
#define NETSET_MANAGED	0x01
#define NETSET_GLOBAL	0x02
#define NETSET_DEFAULT	0x04
#define NETSET_DNS	0x08
struct msg_net_set {
	uint64_t	 mn_nwid;
	uint32_t	 mn_set;	/* NETSET_* given */
	uint32_t	 mn_value;	/* NETSET_* values */
};

/* code is an HTTP status; the text is for a human. */
struct msg_result {
	uint32_t	 mr_code;
	uint32_t	 mr_pad;
	char		 mr_text[256];
};

/*
 * MSG_GET_TAPS, MSG_GET_NETWORKS, MSG_GET_PEERS: one id, or 0 for all; of
 * networks at most NETWORKS_PAGE with an id over mg_after, in its order:
 * who gets so many asks on behind the last.
 */
#define NETWORKS_PAGE	256
struct msg_get {
	uint64_t	 mg_id;
	uint64_t	 mg_after;
};

/* What became of a network's name servers. */
enum dns_state {
	DNSSTATE_NONE,		/* it has none, or they are not allowed */
	DNSSTATE_SET,
	DNSSTATE_PENDING,	/* the change is under way */
	DNSSTATE_FAILED,	/* and is tried again */
	DNSSTATE_NO_WAY,	/* nothing on this host can be told */
	DNSSTATE_BAD,		/* no name, or no server of use */
	DNSSTATE_COUNT
};

struct msg_tap_info {
	uint64_t	 ti_nwid;
	char		 ti_device[16];
	uint32_t	 ti_settings;	/* NETSET_* in force */
	int32_t		 ti_error;	/* errno, 0 none */
	uint32_t	 ti_dns;	/* enum dns_state */
	char		 ti_dns_way[20]; /* who was told, "": nobody */
};

/*
 * MSG_CONFIG_SET: the whole text that local.conf is to have, nothing else.
 * MSG_RELOAD, empty: read it and the networks' policies anew.  Of either the
 * parent tells, a sentence at a time: what is wrong (then nothing has
 * changed), what is odd, what waits for the next start.  The text follows.
 */
enum config_note {
	NOTE_WRONG,
	NOTE_ODD,
	NOTE_RESTART,
	NOTE_COUNT
};
#define CONFIG_NOTE_MAX	1023
struct msg_config_note {
	uint32_t	 cn_note;	/* enum config_note */
};

/* MSG_PARSED. */
struct msg_parsed {
	struct settings	 mp_settings;
	uint32_t	 mp_ok;
	uint32_t	 mp_pad;
	char		 mp_error[512];	/* key and what is wrong with it */
};

/* ---- API and engine ------------------------------------------------ */

/* A root other than this node. */
struct msg_root_info {
	uint64_t	 ro_addr;
	uint32_t	 ro_role;	/* enum peer_role */
	uint32_t	 ro_reason;	/* enum reason */
	uint32_t	 ro_best;	/* relays and answers for us */
	int32_t		 ro_latency;	/* ms, -1 unknown */
	uint64_t	 ro_last_receive; /* ms since 1970, 0 never */
	uint64_t	 ro_last_try;
	struct inet_addr ro_surface[2];	/* us as it sees us: IPv4, IPv6 */
};

/* The port mapper is still to be written: the state of what is not there. */
enum portmap_state {
	PORTMAP_OFF,		/* by local.conf */
	PORTMAP_NOT_BUILT,
	PORTMAP_COUNT
};

/* Counted since the engine's start; as struct node_status. */
struct msg_counters {
	uint64_t	 mc_replays;
	uint64_t	 mc_forged;
	uint64_t	 mc_withheld;
	uint64_t	 mc_limited;
	uint64_t	 mc_suspects;
	uint64_t	 mc_switches;
	uint64_t	 mc_suspends;
	uint64_t	 mc_evicted;
	uint64_t	 mc_messages_dropped;	/* MSG_USER_RECEIVED not sent */
	uint64_t	 mc_unasked;
	uint64_t	 mc_denied;	/* datagrams, by the host's firewall */
	uint64_t	 mc_last_denied; /* ms since 1970, 0 never */
	uint64_t	 mc_bytes[2];	/* of UDP payload, out and in */
};

/* An address and port that no UDP socket could be bound to. */
struct msg_bind_failed {
	struct inet_addr mf_addr;
	int32_t		 mf_error;	/* errno */
};

#define SURFACE_MAX	32
struct msg_status {
	uint64_t	 st_addr;
	char		 st_public[IDENTITY_TEXT_PUBLIC + 2];
	uint64_t	 st_clock;	/* ms since 1970 */
	uint64_t	 st_planet_id;
	uint64_t	 st_planet_ts;
	uint32_t	 st_online;
	uint32_t	 st_nlisten;	/* bound UDP addresses */
	uint32_t	 st_nsurface;
	uint16_t	 st_primary_port;
	uint16_t	 st_secondary_port;
	uint16_t	 st_tertiary_port;
	uint16_t	 st_pad;
	struct inet_addr st_listen[SURFACE_MAX];
	struct inet_addr st_surface[SURFACE_MAX];
	uint32_t	 st_reason;	/* enum reason */
	uint32_t	 st_stage;	/* of the watchdog, 0 at rest */
	uint64_t	 st_last_root;	/* heard from any, 0 never */
	uint32_t	 st_nat[2];	/* enum nat_kind; IPv4, IPv6 */
	uint32_t	 st_portmap;	/* enum portmap_state */
	uint32_t	 st_nfailed;
	struct msg_bind_failed st_failed[SURFACE_MAX];
	struct msg_counters st_counters;
};

enum network_status {
	NETWORK_REQUESTING = 0,
	NETWORK_OK = 1,
	NETWORK_ACCESS_DENIED = 2,
	NETWORK_NOT_FOUND = 3,
	NETWORK_PORT_ERROR = 4,
	NETWORK_CLIENT_TOO_OLD = 5,
	NETWORK_AUTHENTICATION_REQUIRED = 6
};

#define NETINFO_GROUPS	256
struct msg_network_info {
	uint64_t	 ni_nwid;
	uint64_t	 ni_mac;
	uint32_t	 ni_status;	/* enum network_status */
	uint32_t	 ni_public;
	uint32_t	 ni_mtu;
	uint32_t	 ni_bridge;	/* we are an active bridge */
	uint32_t	 ni_broadcast;
	int32_t		 ni_port_error;
	uint64_t	 ni_revision;
	char		 ni_name[NETCONF_NAME];
	uint32_t	 ni_nips;
	uint32_t	 ni_nroutes;
	uint32_t	 ni_ngroups;
	uint32_t	 ni_clock_known;
	int64_t		 ni_clock;	/* ms the controller's is ahead */
	struct inet_addr ni_ips[NETCONF_IPS];
	struct netconf_route ni_routes[NETCONF_ROUTES];
	struct msg_group ni_groups[NETINFO_GROUPS];
	char		 ni_dns_domain[128];
	struct inet_addr ni_dns[NETCONF_DNS];
	uint64_t	 ni_auth_expiry;
	uint32_t	 ni_sso;
	uint32_t	 ni_sso_version;
	char		 ni_auth_url[2048];
	/* By enum why: frames and bytes out and in; credentials refused. */
	uint64_t	 ni_frames[2][WHY_COUNT];
	uint64_t	 ni_bytes[2][WHY_COUNT];
	uint64_t	 ni_credentials[WHY_COUNT];
};

#define PEERINFO_PATHS	64
struct msg_path_info {
	struct inet_addr pi_addr;
	struct inet_addr pi_local;	/* bound address of the socket */
	uint64_t	 pi_last_send;	/* ms since 1970, 0 never */
	uint64_t	 pi_last_receive;
	uint64_t	 pi_trusted_id;
	uint8_t		 pi_active;
	uint8_t		 pi_expired;
	uint8_t		 pi_preferred;
	uint8_t		 pi_pad[5];
	uint32_t	 pi_reason;	/* enum reason */
	int32_t		 pi_latency;	/* ms, -1 unknown */
	uint32_t	 pi_mtu;	/* payload of a datagram, bytes */
	uint32_t	 pi_pad2;
};
enum peer_role {
	ROLE_LEAF = 0,
	ROLE_MOON = 1,
	ROLE_PLANET = 2
};
/* Sent up to its last path only: msg_peer_len(). */
struct msg_peer_info {
	uint64_t	 pe_addr;
	int32_t		 pe_vmajor, pe_vminor, pe_vrev;	/* -1 unknown */
	int32_t		 pe_latency;	/* ms, -1 unknown */
	uint32_t	 pe_role;	/* enum peer_role */
	uint32_t	 pe_tunneled;	/* TCP fallback tunnel open */
	uint32_t	 pe_reason;	/* enum reason */
	uint64_t	 pe_relay;	/* root that it is reached by, or 0 */
	uint64_t	 pe_last_try;	/* of an address, ms since 1970 */
	uint64_t	 pe_last_receive;
	uint32_t	 pe_candidates;	/* addresses tried lately */
	uint32_t	 pe_switches;	/* changes of the preferred path */
	uint64_t	 pe_packets[2];	/* out, in */
	int64_t		 pe_clock;	/* ms ahead of this host's, */
	uint64_t	 pe_clock_at;	/* as it said then; 0 never */
	uint32_t	 pe_npaths;
	uint32_t	 pe_pad;
	struct msg_path_info pe_paths[PEERINFO_PATHS];
};
static inline size_t
msg_peer_len(const struct msg_peer_info *pe)
{
	return (offsetof(struct msg_peer_info, pe_paths) +
	    pe->pe_npaths * sizeof(pe->pe_paths[0]));
}

/*
 * MSG_USER_SEND, MSG_USER_RECEIVED: mu_len bytes follow, whatever they are.
 */
#define USER_MESSAGE_MAX	(PACKET_MAX - PACKET_HDR - 8)
struct msg_user {
	uint64_t	 mu_addr;	/* to, or from */
	uint64_t	 mu_type;	/* up to 65535: the protocol's own */
	uint64_t	 mu_time;	/* received, ms since 1970; else 0 */
	uint32_t	 mu_len;	/* at most USER_MESSAGE_MAX */
	uint32_t	 mu_pad;
};

/* Tell of a network's frames for so many ms; all: of those that pass, too. */
#define WATCH_MAX	60000
struct msg_watch {
	uint64_t	 mw_nwid;
	uint32_t	 mw_ms;		/* at most WATCH_MAX */
	uint32_t	 mw_all;
};

/*
 * What became of a frame or credential.  The first me_datalen bytes behind
 * the Ethernet header follow.
 */
#define EVENT_DATA	128
struct msg_event {
	uint64_t	 me_nwid;
	uint64_t	 me_time;	/* ms since 1970 */
	uint64_t	 me_missed;	/* events not sent before this one */
	uint32_t	 me_why;	/* enum why */
	uint32_t	 me_inbound;
	uint64_t	 me_peer;	/* other node, 0 not known */
	uint64_t	 me_src, me_dst;
	uint64_t	 me_redirect;	/* node, or 0 */
	uint32_t	 me_ethertype;
	uint32_t	 me_len;	/* of the frame, without header */
	int32_t		 me_rule;	/* that decided, -1 none */
	uint32_t	 me_by_capability;
	uint32_t	 me_capability;
	uint32_t	 me_credential;	/* enum credential_type, 0: a frame */
	uint32_t	 me_credential_id;
	uint32_t	 me_datalen;	/* at most EVENT_DATA */
	uint64_t	 me_credential_ts;
};

/* MSG_ORBIT, MSG_DEORBIT (seed unused). */
struct msg_orbit {
	uint64_t	 mo_id;
	uint64_t	 mo_seed;	/* node address or 0 */
};
struct msg_moon_info {
	uint64_t	 mo_id;
	uint64_t	 mo_ts;
	uint64_t	 mo_seed;	/* while waiting for it */
	uint32_t	 mo_waiting;
	uint32_t	 mo_nroots;
	uint8_t		 mo_update_key[IDENTITY_KEYS];
	uint8_t		 mo_sig[SIGNATURE_LEN];
	struct {
		char		 identity[IDENTITY_TEXT_PUBLIC + 2];
		uint32_t	 nendpoints;
		struct inet_addr endpoints[32];
	}		 mo_roots[4];
};

/* ---- engine and controller ------------------------------------------ */

/*
 * A member (authenticated by the engine) asks for its configuration.
 * Followed by mr_metalen bytes of meta-data.  The identity is public.
 */
struct msg_con_request {
	uint64_t	 mr_nwid;
	uint64_t	 mr_packet;	/* id to answer to, as on the wire */
	struct identity	 mr_identity;
	struct inet_addr mr_from;	/* physical, nil: ourselves */
	uint32_t	 mr_metalen;	/* at most METADATA_MAX */
};

/*
 * One signed chunk block (03 section 7) follows.  mc_packet is that of the
 * request, or 0 for a push.  mc_last marks the last chunk of an update.
 */
struct msg_con_config {
	uint64_t	 mc_nwid;
	uint64_t	 mc_to;
	uint64_t	 mc_packet;
	uint32_t	 mc_len;	/* at most NETCONF_BLOCK_MAX */
	uint32_t	 mc_last;
};

/* me_len bytes of error data follow (03 section 3.6), most often none. */
struct msg_con_error {
	uint64_t	 me_nwid;
	uint64_t	 me_to;
	uint64_t	 me_packet;
	uint32_t	 me_code;	/* enum packet_error */
	uint32_t	 me_len;	/* at most 8192 */
};

/* A serialised revocation follows, to be sent to this node. */
struct msg_con_revocation {
	uint64_t	 mr_nwid;
	uint64_t	 mr_to;
	uint32_t	 mr_len;	/* at most REVOCATION_MAX */
	uint32_t	 mr_pad;
};

/* ---- API and controller --------------------------------------------- */

enum api_method {
	API_GET,
	API_POST,		/* PUT is the same */
	API_DELETE
};

/*
 * One request below /controller: path is what follows "/controller", begins
 * with '/' or is empty, percent-decoded, without query.  What lies below
 * "/unstable/controller" comes as "/unstable/...", so the sender refuses
 * that name below "/controller" itself.  Then MSG_API_BODY* and MSG_API_END.
 */
struct msg_api_request {
	uint32_t	 ar_method;
	char		 ar_path[1020];	/* NUL-terminated */
};

/*
 * Then MSG_API_BODY* (JSON text) and MSG_API_END; between them MSG_API_FILE
 * with a descriptor instead of MSG_API_BODY, where the system has memory
 * that can be sealed: it must be, against being cut and written to, or
 * nobody reads it.
 */
struct msg_api_response {
	uint32_t	 ar_status;	/* HTTP status */
};

struct msg_api_file {
	uint64_t	 af_len;	/* bytes, all of it */
};

/* MSG_API_BODY: bytes only. */

/* ---- metrics --------------------------------------------------------- */

/*
 * What MSG_GET_METRICS brings.  Counters begin with the process that has
 * them; directions are 0 out, 1 in.  man/ztd-metrics.7 says what each is.
 */
struct msg_metrics_usage {
	uint32_t	 mu_proc;	/* enum proc */
	uint32_t	 mu_running;
	uint64_t	 mu_cpu;	/* microseconds */
	uint64_t	 mu_resident;	/* bytes, 0 not known */
	uint64_t	 mu_starts;	/* of it since the parent's own */
	uint64_t	 mu_violations;	/* ends by the sandbox's signal */
};

/* Of the taps that are not lent. */
struct msg_metrics_frames {
	uint64_t	 mf_out, mf_in, mf_dropped;
};

struct msg_metrics_node {
	uint64_t	 mn_packets[2][PACKET_VERBS];
	uint64_t	 mn_errors[2][PACKET_ERRORS];	/* by code */
	uint64_t	 mn_bytes[2];			/* of UDP payload */
	uint64_t	 mn_peers, mn_paths, mn_networks;
	uint32_t	 mn_online;
	uint32_t	 mn_pad;
	struct msg_counters mn_counters;
};

/*
 * MSG_METRICS_NETWORKS, MSG_METRICS_PEERS: arrays.  Of networks those with
 * the lowest ids, of peers those heard last, at most so many in all.
 */
#define METRICS_NETWORKS	2048
#define METRICS_PEERS		1024
struct msg_metrics_network {
	uint64_t	 mn_nwid;
	uint64_t	 mn_groups;
	uint64_t	 mn_frames[2][WHY_COUNT];
	uint64_t	 mn_credentials[WHY_COUNT];
};
struct msg_metrics_peer {
	uint64_t	 mp_addr;
	uint64_t	 mp_packets[2];
	uint64_t	 mp_errors;
	uint32_t	 mp_alive, mp_dead;	/* paths */
	struct histogram mp_latencies;		/* ms */
};

struct msg_metrics_con {
	uint64_t	 mc_counts[CON_COUNT];
	struct histogram mc_requests;		/* us */
};

/*
 * Part of the text of metrics.prom, whose bytes follow: parts are numbered
 * from 0 and come in order, and the last says so.
 */
#define METRICS_TEXT_MAX	(8 * 1024 * 1024)
struct msg_metrics_text {
	uint32_t	 mt_part;
	uint32_t	 mt_last;
};
#define METRICS_TEXT_PART	(MSG_MAX - sizeof(struct msg_metrics_text))

/* ---- parent and ztd-dns --------------------------------------------- */

/*
 * Not a message: the standard input of a ztd-dns, which lives for one change
 * of one interface's name servers and answers by its exit status, with a
 * line on its standard error when there is something to say.
 */
struct dns_request {
	uint32_t	 dr_ifindex;
	uint32_t	 dr_uid;	/* to become; (uid_t)-1: stay */
	uint32_t	 dr_gid;
	struct dns_conf	 dr_conf;	/* no domain: withdraw them */
};
enum dns_status {
	DNS_DONE,
	DNS_FAILED,
	DNS_ABSENT		/* there is no such service now */
};

/*
 * One row of the catalogue.  A message is acceptable when its payload has
 * at least mt_min and at most mt_max bytes and from may send it to to.
 */
struct msg_rule {
	const char	*mr_name;
	size_t		 mr_min, mr_max;
	uint32_t	 mr_route;	/* bit from * PROC_COUNT + to */
	uint8_t		 mr_fd;		/* carries a descriptor */
};

/* The row of a type, NULL when there is no such type.  Static. */
const struct msg_rule *msg_rule(uint32_t type);
const char *proc_name(enum proc);	/* "ztd-net" */

#endif /* PRIVSEP_MESSAGES_H */
