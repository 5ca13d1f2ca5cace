/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Reasons, in words.
 */

#include "common/reason.h"

static const struct {
	const char	*code;
	const char	*text;
} reasons[REASON_COUNT] = {
	[REASON_NONE] = { "", "" },
	[REASON_NODE_STARTING] = { "node-starting",
	    "the roots have been asked and have had no time to answer yet" },
	[REASON_NODE_NO_ADDRESS] = { "node-no-address",
	    "this host has no address that may be used: no interface is up, "
	    "or local.conf excludes all" },
	[REASON_NODE_NO_ROOTS] = { "node-no-roots",
	    "neither planet nor moons name a root other than this node" },
	[REASON_NODE_UDP_BLOCKED] = { "node-udp-blocked",
	    "the roots were asked again and again and not one packet ever "
	    "came back: UDP is blocked, or the roots are down" },
	[REASON_NODE_ROOTS_SILENT] = { "node-roots-silent",
	    "the roots answered before and do not answer now" },
	[REASON_NODE_TWIN] = { "node-twin",
	    "answers come to what this node never asked: another host uses "
	    "the same identity" },
	[REASON_ROOT_NOT_TRIED] = { "root-not-tried",
	    "it has not been asked yet" },
	[REASON_ROOT_NO_FAMILY] = { "root-no-family",
	    "its addresses are all of an IP version that this host does not "
	    "have" },
	[REASON_ROOT_NO_ANSWER] = { "root-no-answer",
	    "it was asked and has never answered" },
	[REASON_ROOT_SILENT] = { "root-silent",
	    "it answered before and does not answer now" },
	[REASON_ROOT_RELAYED] = { "root-relayed",
	    "it is reached through another root only" },
	[REASON_PEER_IDLE] = { "peer-idle",
	    "there is no traffic with it, so no path is kept" },
	[REASON_PEER_NO_CANDIDATES] = { "peer-no-candidates",
	    "relayed: no root introduced it and it told no address of its "
	    "own" },
	[REASON_PEER_TRYING] = { "peer-trying",
	    "relayed while its addresses are being tried" },
	[REASON_PEER_NO_ANSWER] = { "peer-no-answer",
	    "relayed: none of its addresses answers; firewalls or NATs on "
	    "the way let nothing pass" },
	[REASON_PEER_SYMMETRIC] = { "peer-symmetric-nat",
	    "relayed: the NAT before this host uses another port for every "
	    "destination, and those foretold did not answer" },
	[REASON_PEER_FORBIDDEN] = { "peer-forbidden",
	    "relayed: local.conf excludes every address known of it" },
	[REASON_PEER_SUSPECT] = { "peer-suspect",
	    "its direct path fell silent: being probed, and gone around "
	    "meanwhile" },
	[REASON_PEER_UNREACHABLE] = { "peer-unreachable",
	    "there is no direct path, and no root to relay" },
	[REASON_PATH_SUSPECT] = { "path-suspect",
	    "packets go out on it and nothing comes back" },
	[REASON_PATH_SILENT] = { "path-silent",
	    "nothing was heard on it lately" },
	[REASON_PATH_EXPIRED] = { "path-expired",
	    "nothing was heard on it for minutes" },
	[REASON_PATH_SMALL] = { "path-small",
	    "it loses large datagrams: packets are cut into smaller pieces" }
};

static const char *const nats[NAT_COUNT] = {
	[NAT_UNKNOWN] = "unknown",
	[NAT_NONE] = "none",
	[NAT_CONE] = "cone",
	[NAT_SYMMETRIC] = "symmetric"
};

const char *
reason_code(uint32_t reason)
{
	return (reason < REASON_COUNT ? reasons[reason].code : "");
}

const char *
reason_text(uint32_t reason)
{
	return (reason < REASON_COUNT ? reasons[reason].text : "");
}

const char *
nat_name(uint32_t kind)
{
	return (nats[kind < NAT_COUNT ? kind : NAT_UNKNOWN]);
}
