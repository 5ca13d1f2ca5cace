/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

#include "common/why.h"

static const struct {
	const char	*code, *text;
} whys[WHY_COUNT] = {
	[WHY_ACCEPTED] = { "accepted", "it passed" },
	[WHY_RULES] = { "rules", "the rules do not let it pass" },
	[WHY_REDIRECTED] = { "redirected",
	    "a rule sends it to another node" },
	[WHY_MULTICAST_OFF] = { "multicast-off",
	    "the network has no multicast" },
	[WHY_TOO_LONG] = { "too-long",
	    "it is longer than the network's MTU" },
	[WHY_NO_ROOM] = { "no-room",
	    "there is no room for more multicast groups, or no memory" },
	[WHY_NO_CONFIG] = { "no-configuration",
	    "the network's configuration has not come yet" },
	[WHY_NOT_BRIDGE] = { "not-a-bridge",
	    "its source is not this node's address on the network, and this "
	    "node is no bridge of it" },
	[WHY_BROADCAST_OFF] = { "broadcast-off",
	    "the network has no broadcasts" },
	[WHY_MALFORMED] = { "malformed",
	    "it is to be cut into segments, or lacks a checksum, and its "
	    "headers do not say where" },
	[WHY_NO_CERTIFICATE] = { "no-certificate",
	    "the sender has shown no certificate of membership: it is no "
	    "member, or it is on its way" },
	[WHY_CERTIFICATE_REVOKED] = { "certificate-revoked",
	    "the controller has revoked the sender's certificate of "
	    "membership" },
	[WHY_CERTIFICATE_APART] = { "certificate-apart",
	    "the sender's certificate of membership does not agree with "
	    "ours: one of them is too old" },
	[WHY_BAD_ADDRESS] = { "bad-address",
	    "its MAC addresses make no sense" },
	[WHY_BRIDGED_BY_OTHER] = { "bridged-by-other",
	    "its source is not the sender's address on the network, and the "
	    "sender is no bridge of it" },
	[WHY_BRIDGED_TO_US] = { "bridged-to-us",
	    "it is not for this node, and this node is no bridge" },
	[WHY_OLD] = { "old", "a newer one is known" },
	[WHY_REVOKED] = { "revoked", "the controller has revoked it" },
	[WHY_INVALID] = { "invalid",
	    "it is not signed by the network's controller" }
};

const char *
why_code(uint32_t why)
{
	return (why < WHY_COUNT ? whys[why].code : "");
}

const char *
why_text(uint32_t why)
{
	return (why < WHY_COUNT ? whys[why].text : "");
}
