/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Costs.
 */

#include "regress/sim/count.h"

void
cost_all(struct sim *s, struct cost *co)
{
	const struct net_counters	*nc = net_counters(sim_net(s));

	co->co_datagrams = nc->nc_sent;
	co->co_bytes = nc->nc_bytes;
}

void
cost_of(const struct host *h, struct cost *co)
{
	co->co_datagrams = h->h_sent;
	co->co_bytes = h->h_sent_bytes;
}

void
cost_since(struct cost *co, const struct cost *before)
{
	co->co_datagrams -= before->co_datagrams;
	co->co_bytes -= before->co_bytes;
}

/* Less what so much time costs anyway, by a minute's cost. */
static uint64_t
less(uint64_t v, uint64_t minute, int64_t ms)
{
	minute = minute * (uint64_t)ms / 60000;
	return (v > minute ? v - minute : 0);
}

void
cost_less(struct cost *co, const struct cost *minute, int64_t ms)
{
	co->co_datagrams = less(co->co_datagrams, minute->co_datagrams, ms);
	co->co_bytes = less(co->co_bytes, minute->co_bytes, ms);
}

static void
sniff(void *arg, const struct dgram *dg)
{
	struct sniffer	*sn = arg;

	if (dg->dg_len < sn->sn_min || dg->dg_len > sn->sn_max ||
	    (sn->sn_from != NULL ?
	    dg->dg_origin != sn->sn_from->h_index :
	    dg->dg_origin < sim_nroots(sn->sn_sim)) ||
	    (sn->sn_to != 0 && packet_dest(dg->dg_bytes) != sn->sn_to))
		return;
	sn->sn_n++;
}

void
sniff_start(struct sniffer *sn, struct sim *s, const struct host *from,
    uint64_t to, size_t min, size_t max)
{
	sn->sn_sim = s;
	sn->sn_from = from;
	sn->sn_to = to;
	sn->sn_min = min;
	sn->sn_max = max;
	sn->sn_n = 0;
	net_watch(sim_net(s), sniff, sn);
}

void
sniff_stop(struct sniffer *sn)
{
	net_watch(sim_net(sn->sn_sim), NULL, NULL);
}
