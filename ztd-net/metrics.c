/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The engine's part of the metrics.
 */

#include <string.h>

#include "ztd-net/report.h"

/* An array on its way to the API, in as many messages as it takes. */
struct batch {
	struct channel	*ba_channel;
	uint32_t	 ba_id;
	uint32_t	 ba_type;
	size_t		 ba_left;	/* entries that may still follow */
	size_t		 ba_len;
	uint8_t		 ba_bytes[MSG_MAX];
};

static struct batch	 batch;		/* too large for a stack */

static void
batch_flush(struct batch *ba)
{
	if (ba->ba_len > 0)
		(void)channel_send(ba->ba_channel, ba->ba_type, ba->ba_id, -1,
		    ba->ba_bytes, ba->ba_len);
	ba->ba_len = 0;
}

static void
batch_begin(struct channel *ch, uint32_t id, uint32_t type, size_t max)
{
	batch.ba_channel = ch;
	batch.ba_id = id;
	batch.ba_type = type;
	batch.ba_left = max;
	batch.ba_len = 0;
}

static void
batch_put(struct batch *ba, const void *p, size_t len)
{
	if (ba->ba_left == 0)
		return;
	ba->ba_left--;
	if (ba->ba_len + len > sizeof(ba->ba_bytes))
		batch_flush(ba);
	memcpy(ba->ba_bytes + ba->ba_len, p, len);
	ba->ba_len += len;
}

struct networks {
	struct batch	*ns_batch;
	uint64_t	 ns_count;
};

static void
put_network(const struct node_network *nn, void *arg)
{
	struct networks			*ns = arg;
	struct msg_metrics_network	 mn;

	ns->ns_count++;
	memset(&mn, 0, sizeof(mn));
	mn.mn_nwid = nn->nn_nwid;
	mn.mn_groups = nn->nn_ngroups;
	memcpy(mn.mn_frames, nn->nn_counters->nc_frames,
	    sizeof(mn.mn_frames));
	memcpy(mn.mn_credentials, nn->nn_counters->nc_credentials,
	    sizeof(mn.mn_credentials));
	batch_put(ns->ns_batch, &mn, sizeof(mn));
}

static void
put_peer(const struct node_peer_counts *np, void *arg)
{
	struct msg_metrics_peer	 mp;

	memset(&mp, 0, sizeof(mp));
	mp.mp_addr = np->np_addr;
	memcpy(mp.mp_packets, np->np_packets, sizeof(mp.mp_packets));
	mp.mp_errors = np->np_forged;
	mp.mp_alive = np->np_alive;
	mp.mp_dead = np->np_dead;
	mp.mp_latencies = np->np_latencies;
	batch_put(arg, &mp, sizeof(mp));
}

static void
send_node(struct engine *e, struct channel *ch, uint32_t id, int64_t now,
    uint64_t networks)
{
	struct msg_metrics_node	 mn;
	struct node_counts	 nk;
	struct node_status	 ns;

	memset(&mn, 0, sizeof(mn));
	node_counts(e->e_node, &nk);
	memcpy(mn.mn_packets, nk.nk_packets, sizeof(mn.mn_packets));
	memcpy(mn.mn_errors, nk.nk_errors, sizeof(mn.mn_errors));
	memcpy(mn.mn_bytes, e->e_bytes, sizeof(mn.mn_bytes));
	node_status(e->e_node, now, &ns);
	report_counters(e, &ns, &mn.mn_counters);
	mn.mn_peers = ns.ns_npeers;
	mn.mn_paths = ns.ns_npaths;
	mn.mn_networks = networks;
	mn.mn_online = ns.ns_online;
	(void)channel_send(ch, MSG_METRICS_NODE, id, -1, &mn, sizeof(mn));
}

void
report_metrics(struct engine *e, struct channel *ch, uint32_t id)
{
	struct networks	 ns = { &batch, 0 };
	int64_t		 now = engine_now();

	batch_begin(ch, id, MSG_METRICS_NETWORKS, METRICS_NETWORKS);
	node_each_network(e->e_node, 0, put_network, &ns);
	batch_flush(&batch);
	batch_begin(ch, id, MSG_METRICS_PEERS, METRICS_PEERS);
	node_each_peer_counts(e->e_node, now, METRICS_PEERS, put_peer,
	    &batch);
	batch_flush(&batch);
	send_node(e, ch, id, now, ns.ns_count);
}
