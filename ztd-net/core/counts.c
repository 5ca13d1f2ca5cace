/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What was sent and received, counted for the metrics: by type, and for each
 * peer.  Spec: 05 section 15.
 */

#include <stdlib.h>
#include <string.h>

#include "ztd-net/core/core.h"

/* Where the code of an ERROR stands. */
#define IDX_CODE	(PACKET_HDR + 9)

void
count_out(struct node *n, struct peer *p, const struct pkt *pk)
{
	uint8_t	 verb = packet_verb(pk->pk_bytes);

	p->pe_packets[0]++;
	n->n_counts.nk_packets[0][verb]++;
	if (verb == VERB_ERROR && pk->pk.wb_len > IDX_CODE &&
	    (pk->pk_bytes[PACKET_IDX_VERB] & VERB_COMPRESSED) == 0)
		count_error(n, 0, pk->pk_bytes[IDX_CODE]);
}

/*
 * One that is not known is no observation, whatever others make of it.
 */
void
count_latency(struct peer *p, int64_t now)
{
	int	 ms = peer_latency(p, now);

	if (ms < 0 || (p->pe_latencies == NULL && (p->pe_latencies =
	    calloc(1, sizeof(*p->pe_latencies))) == NULL))
		return;
	histogram_add(p->pe_latencies, histogram_latency, (uint64_t)ms);
}

void
node_counts(const struct node *n, struct node_counts *dst)
{
	*dst = n->n_counts;
}

static void
describe(const struct peer *p, int64_t now, struct node_peer_counts *np)
{
	unsigned	 i;

	memset(np, 0, sizeof(*np));
	np->np_addr = p->pe_id.id_addr;
	np->np_packets[0] = p->pe_packets[0];
	np->np_packets[1] = p->pe_packets[1];
	np->np_forged = p->pe_forged;
	for (i = 0; i < p->pe_npaths; i++) {
		if (path_alive(p->pe_paths[i].pp_path, now))
			np->np_alive++;
		else
			np->np_dead++;
	}
	if (p->pe_latencies != NULL)
		np->np_latencies = *p->pe_latencies;
}

void
node_each_peer_counts(const struct node *n, int64_t now, size_t max,
    void (*cb)(const struct node_peer_counts *, void *), void *arg)
{
	struct node_peer_counts	 np;
	const struct peer	*p;

	now += n->n_skew;
	TAILQ_FOREACH_REVERSE(p, &n->n_ages, peer_list, pe_age) {
		if (max-- == 0)
			break;
		describe(p, now, &np);
		cb(&np, arg);
	}
}
