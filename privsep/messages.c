/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The message catalogue as a table: what each message may weigh, who may
 * send it to whom, and whether a descriptor comes with it.
 * Spec: 06 sections 1 and 11.2.
 */

#include "common/credential.h"
#include "common/world.h"
#include "privsep/messages.h"

#define ROUTE(from, to)	(UINT32_C(1) << ((from) * PROC_COUNT + (to)))

#define TAP_NET		ROUTE(PROC_TAP, PROC_NET)
#define TAP_CON		ROUTE(PROC_TAP, PROC_CON)
#define TAP_CTL		ROUTE(PROC_TAP, PROC_CTL)
#define NET_TAP		ROUTE(PROC_NET, PROC_TAP)
#define NET_CON		ROUTE(PROC_NET, PROC_CON)
#define NET_CTL		ROUTE(PROC_NET, PROC_CTL)
#define CON_TAP		ROUTE(PROC_CON, PROC_TAP)
#define CON_NET		ROUTE(PROC_CON, PROC_NET)
#define CON_CTL		ROUTE(PROC_CON, PROC_CTL)
#define CTL_TAP		ROUTE(PROC_CTL, PROC_TAP)
#define CTL_NET		ROUTE(PROC_CTL, PROC_NET)
#define CTL_CON		ROUTE(PROC_CTL, PROC_CON)

#define TO_CHILDREN	(TAP_NET | TAP_CON | TAP_CTL)
#define TO_PARENT	(NET_TAP | CON_TAP | CTL_TAP)

/* Payloads: none, bytes, a struct, a struct followed by bytes. */
#define EMPTY			0, 0
#define BYTES(max)		0, (max)
#define STRUCT(t)		sizeof(struct t), sizeof(struct t)
#define STRUCT_AND(t, max)	sizeof(struct t), sizeof(struct t) + (max)

/* A root has tens of thousands of peers with a path or two each. */
#define PEER_INFO_SIZES		offsetof(struct msg_peer_info, pe_paths), \
				    sizeof(struct msg_peer_info)

#define LOG_TEXT_MAX	1023
#define CON_ERROR_MAX	8192
#define GROUPS_SIZE	(TAP_GROUPS_MAX * sizeof(struct msg_group))
#define PINS_SIZE	(PINS_MAX * sizeof(struct inet_addr))
#define INTERFACES_SIZE	(INTERFACES_MAX * sizeof(struct msg_interface))

#define ROW(type, sizes, route, fd)	[type] = { #type, sizes, route, fd }

static const struct msg_rule rules[MSG_COUNT] = {
	ROW(MSG_INIT, STRUCT(msg_init), TO_CHILDREN, 0),
	ROW(MSG_CHANNEL, STRUCT(msg_channel), TO_CHILDREN, 1),
	ROW(MSG_READY, EMPTY, TO_PARENT, 0),
	ROW(MSG_LOG, STRUCT_AND(msg_log, LOG_TEXT_MAX), TO_PARENT, 0),
	ROW(MSG_STOP, EMPTY, TO_CHILDREN, 0),
	ROW(MSG_SETTINGS, STRUCT(msg_settings), TAP_NET | TAP_CTL, 0),
	ROW(MSG_IDENTITY, STRUCT(msg_identity), TO_CHILDREN, 0),

	ROW(MSG_FRAMES, EMPTY, TAP_NET, 1),
	ROW(MSG_INTERFACES, BYTES(INTERFACES_SIZE), TAP_NET, 0),
	ROW(MSG_ROAMED, EMPTY, TAP_NET, 0),
	ROW(MSG_JOIN, STRUCT(msg_network), TAP_NET, 0),
	ROW(MSG_LEAVE, STRUCT(msg_network), TAP_NET, 0),
	ROW(MSG_TAP, STRUCT_AND(msg_tap, GROUPS_SIZE), TAP_NET, 0),
	ROW(MSG_LEND, STRUCT(msg_lend), TAP_NET, 1),
	ROW(MSG_PIN_MODE, STRUCT(msg_pin_mode), TAP_NET, 0),
	ROW(MSG_PINNED, EMPTY, TAP_NET, 0),

	ROW(MSG_IDENTITY_NEW, STRUCT(msg_identity_new), NET_TAP, 0),
	ROW(MSG_IDENTITY_BAD, STRUCT(msg_text), NET_TAP, 0),
	ROW(MSG_PORT, STRUCT(msg_port), NET_TAP, 0),
	ROW(MSG_ONLINE, STRUCT(msg_online), NET_TAP, 0),
	ROW(MSG_PLANET, BYTES(WORLD_MAX), NET_TAP, 0),
	ROW(MSG_PINS, BYTES(PINS_SIZE), NET_TAP, 0),
	ROW(MSG_REPORTED, EMPTY, NET_TAP, 0),
	ROW(MSG_TAP_GONE, STRUCT(msg_tap_gone), NET_TAP, 0),
	ROW(MSG_REALTIME, EMPTY, NET_TAP, 0),

	ROW(MSG_LISTENER, STRUCT(msg_listener), TAP_CTL, 1),
	ROW(MSG_LOCAL, EMPTY, TAP_CTL, 1),
	ROW(MSG_OPERATORS, STRUCT(msg_operators), TAP_CTL, 0),
	ROW(MSG_TOKEN, STRUCT(msg_token), TAP_CTL, 0),
	ROW(MSG_CONFIG_TEXT, BYTES(SETTINGS_TEXT), TAP_CTL, 0),
	ROW(MSG_CONFIG_SEEN, EMPTY, CTL_TAP, 0),

	ROW(MSG_NET_SET, STRUCT(msg_net_set), CTL_TAP, 0),
	ROW(MSG_NET_LEAVE, STRUCT(msg_network), CTL_TAP, 0),
	ROW(MSG_GET_TAPS, STRUCT(msg_get), CTL_TAP, 0),
	ROW(MSG_TAP_INFO, STRUCT(msg_tap_info), TAP_CTL, 0),
	ROW(MSG_RESULT, STRUCT(msg_result), TAP_CTL | NET_CTL, 0),

	ROW(MSG_CONFIG_SET, BYTES(SETTINGS_TEXT), CTL_TAP, 0),
	ROW(MSG_RELOAD, EMPTY, CTL_TAP, 0),
	ROW(MSG_CONFIG_NOTE, STRUCT_AND(msg_config_note, CONFIG_NOTE_MAX),
	    TAP_CTL, 0),

	ROW(MSG_PARSED, STRUCT(msg_parsed), CTL_TAP, 0),

	ROW(MSG_GET_STATUS, EMPTY, CTL_NET, 0),
	ROW(MSG_GET_NETWORKS, STRUCT(msg_get), CTL_NET, 0),
	ROW(MSG_GET_PEERS, STRUCT(msg_get), CTL_NET, 0),
	ROW(MSG_GET_MOONS, EMPTY, CTL_NET, 0),
	ROW(MSG_ORBIT, STRUCT(msg_orbit), CTL_NET, 0),
	ROW(MSG_DEORBIT, STRUCT(msg_orbit), CTL_NET, 0),
	ROW(MSG_USER_SEND, STRUCT_AND(msg_user, USER_MESSAGE_MAX), CTL_NET,
	    0),
	ROW(MSG_USER_RECEIVED, STRUCT_AND(msg_user, USER_MESSAGE_MAX),
	    NET_CTL, 0),
	ROW(MSG_WATCH, STRUCT(msg_watch), CTL_NET, 0),
	ROW(MSG_EVENT, STRUCT_AND(msg_event, EVENT_DATA), NET_CTL, 0),
	ROW(MSG_ROOT_INFO, STRUCT(msg_root_info), NET_CTL, 0),
	ROW(MSG_STATUS, STRUCT(msg_status), NET_CTL, 0),
	ROW(MSG_NETWORK_INFO, STRUCT(msg_network_info), NET_CTL, 0),
	ROW(MSG_PEER_INFO, PEER_INFO_SIZES, NET_CTL, 0),
	ROW(MSG_MOON_INFO, STRUCT(msg_moon_info), NET_CTL, 0),
	ROW(MSG_END, EMPTY, NET_CTL | TAP_CTL | CON_CTL, 0),

	ROW(MSG_CON_REQUEST, STRUCT_AND(msg_con_request, METADATA_MAX),
	    NET_CON, 0),
	ROW(MSG_CON_CONFIG, STRUCT_AND(msg_con_config, NETCONF_BLOCK_MAX),
	    CON_NET, 0),
	ROW(MSG_CON_ERROR, STRUCT_AND(msg_con_error, CON_ERROR_MAX),
	    CON_NET, 0),
	ROW(MSG_CON_REVOCATION,
	    STRUCT_AND(msg_con_revocation, REVOCATION_MAX), CON_NET, 0),

	ROW(MSG_API_REQUEST, STRUCT(msg_api_request), CTL_CON, 0),
	ROW(MSG_API_RESPONSE, STRUCT(msg_api_response), CON_CTL, 0),
	ROW(MSG_API_BODY, BYTES(MSG_MAX), CTL_CON | CON_CTL, 0),
	ROW(MSG_API_FILE, STRUCT(msg_api_file), CON_CTL, 1),
	ROW(MSG_API_END, EMPTY, CTL_CON | CON_CTL, 0),

	ROW(MSG_GET_METRICS, EMPTY, CTL_TAP | CTL_NET | CTL_CON, 0),
	ROW(MSG_METRICS_USAGE, STRUCT(msg_metrics_usage), TAP_CTL, 0),
	ROW(MSG_METRICS_FRAMES, STRUCT(msg_metrics_frames), TAP_CTL, 0),
	ROW(MSG_METRICS_NODE, STRUCT(msg_metrics_node), NET_CTL, 0),
	ROW(MSG_METRICS_NETWORKS, BYTES(MSG_MAX), NET_CTL, 0),
	ROW(MSG_METRICS_PEERS, BYTES(MSG_MAX), NET_CTL, 0),
	ROW(MSG_METRICS_CON, STRUCT(msg_metrics_con), CON_CTL, 0),
	ROW(MSG_METRICS_TEXT, STRUCT_AND(msg_metrics_text, METRICS_TEXT_PART),
	    CTL_TAP, 0)
};

_Static_assert(SETTINGS_TEXT <= MSG_MAX, "MSG_CONFIG_TEXT");
_Static_assert(sizeof(struct msg_settings) <= MSG_MAX, "msg_settings");
_Static_assert(sizeof(struct msg_parsed) <= MSG_MAX, "msg_parsed");
_Static_assert(sizeof(struct msg_port) <= MSG_MAX, "msg_port");
_Static_assert(sizeof(struct msg_status) <= MSG_MAX, "msg_status");
_Static_assert(sizeof(struct msg_network_info) <= MSG_MAX, "network_info");
_Static_assert(sizeof(struct msg_peer_info) <= MSG_MAX, "msg_peer_info");
_Static_assert(sizeof(struct msg_moon_info) <= MSG_MAX, "msg_moon_info");
_Static_assert(PINS_SIZE <= MSG_MAX, "MSG_PINS");
_Static_assert(INTERFACES_SIZE <= MSG_MAX, "MSG_INTERFACES");
_Static_assert(sizeof(struct msg_tap) + GROUPS_SIZE <= MSG_MAX, "MSG_TAP");
_Static_assert(PROC_COUNT * PROC_COUNT <= 32, "mr_route is too narrow");

const struct msg_rule *
msg_rule(uint32_t type)
{
	if (type >= MSG_COUNT || rules[type].mr_name == NULL)
		return (NULL);
	return (&rules[type]);
}

const char *
proc_name(enum proc proc)
{
	static const char *const names[PROC_COUNT] = {
		[PROC_TAP] = "ztd",
		[PROC_NET] = "ztd-net",
		[PROC_CON] = "ztd-controller",
		[PROC_CTL] = "ztd-ctl"
	};

	if ((unsigned)proc >= PROC_COUNT)
		return ("unknown process");
	return (names[proc]);
}
