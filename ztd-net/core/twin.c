/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Another host with this node's identity, a copied virtual machine most
 * often: what is meant for it comes to us now and then, and the other way
 * round.  Its questions are the sign, for we get answers to some of them.
 * Only those of roots and of controllers of our networks count, who have no
 * reason to make them up, and only to what we remember to have asked: who is
 * a member of a network of ours confirms its configurations with an OK that
 * names ECHO, and those we do not keep (send.c).
 */

#include "common/address.h"
#include "ztd-net/core/core.h"
#include "ztd-net/core/network.h"

#define SETTLE_MS	10000	/* what we asked before we were started anew */
#define LOOK_MS	1000	/* between looks: anybody can send answers */
#define SIGN_MS		600000	/* so many answers within this time */

static bool
is_question(uint8_t verb)
{
	return (verb == VERB_HELLO || verb == VERB_WHOIS ||
	    verb == VERB_NETWORK_CONFIG_REQUEST ||
	    verb == VERB_MULTICAST_GATHER);
}

void
twin_answer(struct node *n, int64_t now, const struct rx *rx, uint8_t verb)
{
	struct twin	*t = &n->n_twin;
	struct network	*nw;
	uint64_t	 from = rx->rx_peer->pe_id.id_addr;
	bool		 counts;

	if (!is_question(verb) || now - n->n_started < SETTLE_MS ||
	    rx->rx_again || rx->rx_repeat || now - t->tw_looked < LOOK_MS)
		return;
	t->tw_looked = now;
	counts = topology_is_upstream(n, from);
	RB_FOREACH(nw, network_tree, &n->n_networks) {
		if (counts)
			break;
		counts = nwid_controller(nw->nw_id) == from;
	}
	if (!counts)
		return;
	n->n_status.ns_unasked++;
	t->tw_at[t->tw_next] = now;
	t->tw_next = (t->tw_next + 1) % TWIN_SIGNS;
}

bool
twin_seen(const struct node *n, int64_t now)
{
	int64_t	 oldest = n->n_twin.tw_at[n->n_twin.tw_next];

	return (oldest != 0 && now - oldest < SIGN_MS);
}
