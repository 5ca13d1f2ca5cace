/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The list of scenarios, and what they have in common.
 */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "regress/sim/scenario.h"

#define ONLINE_MS	30000

const struct scenario	 scenarios[] = {
	{ "nat-pairs", "which pairs of NATs get a direct path, and when",
	    scenario_nat_pairs },
	{ "mixed-1000", "1,000 nodes behind mixed NATs on 3 roots",
	    scenario_mixed },
	{ "root-failure", "the best root dies, then all; they come back",
	    scenario_root_failure },
	{ "partition", "the internet in two for a minute",
	    scenario_partition },
	{ "loss", "10 % loss, jitter, reordering, duplicates",
	    scenario_loss },
	{ "hello-storm", "10,000 HELLOs a second at a root",
	    scenario_hello_storm },
	{ "clock-jump", "a host sleeps; clocks are set", scenario_clock_jump },
	{ "roaming", "a laptop changes network with traffic both ways",
	    scenario_roaming },
	{ "silent-path", "the direct path dies without a word, and heals",
	    scenario_silent_path },
	{ "mtu", "links that lose IP fragments", scenario_mtu },
	{ "churn", "hours of nodes that come and go", scenario_churn },
	{ "flap", "two paths whose delays waver", scenario_flap },
	{ "idle", "a node that has nothing to do", scenario_idle },
	{ "replay", "recorded datagrams are sent again", scenario_replay },
	{ "broadcast", "1,000 members of a private network hear one",
	    scenario_broadcast },
	{ "arp", "how soon a private network's members find each other",
	    scenario_arp },
	{ "deauthorize", "a member of a private network is shut out",
	    scenario_deauthorize },
	{ "join-storm", "1,000 join at once while the controller is away",
	    scenario_join_storm },
	{ "credentials", "128 capabilities and tags are told to a peer",
	    scenario_credentials }
};

const size_t		 nscenarios = sizeof(scenarios) / sizeof(scenarios[0]);

const struct scenario *
scenario_find(const char *name)
{
	size_t	 i;

	for (i = 0; i < nscenarios; i++) {
		if (strcmp(scenarios[i].sc_name, name) == 0)
			return (&scenarios[i]);
	}
	return (NULL);
}

bool
scenario_play(const struct scenario *sc, uint64_t seed, bool small)
{
	struct run	 r = { seed, small, 0 };

	printf("== %s: %s\n", sc->sc_name, sc->sc_what);
	sc->sc_run(&r);
	if (r.r_failures > 0)
		printf("  again: make sim SCENARIO=%s SEED=%" PRIu64 "%s\n",
		    sc->sc_name, seed, small ? " SMALL=1" : "");
	printf("\n");
	(void)fflush(stdout);
	return (r.r_failures == 0);
}

void
must(struct run *r, bool ok, const char *fmt, ...)
{
	va_list	 ap;

	if (ok)
		return;
	r->r_failures++;
	printf("  FAILED: ");
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

void
start_all(struct sim *s)
{
	unsigned	 i;

	for (i = 0; i < sim_nhosts(s); i++) {
		if (sim_host(s, i)->h_node == NULL)
			host_start(sim_host(s, i));
	}
	(void)sim_until(s, ONLINE_MS, sim_all_online, s);
	sim_run(s, 2000);
}

void
pair_join(struct pair *p, struct sim *s, struct host *a, struct host *b,
    int64_t interval, size_t len)
{
	p->p_sim = s;
	p->p_a = a;
	p->p_b = b;
	p->p_ab = flow_new(s, a, b, interval, len);
	p->p_ba = flow_new(s, b, a, interval, len);
}

void
pair_new(struct pair *p, uint64_t seed, enum side a, enum side b,
    int64_t interval, size_t len)
{
	struct sim	*s = sim_new(seed);
	struct host	*ha, *hb;

	sim_roots(s, 3);
	ha = side_host(s, a, 5 + (int64_t)(sim_random(s) % 30));
	hb = side_host(s, b, 5 + (int64_t)(sim_random(s) % 30));
	start_all(s);
	pair_join(p, s, ha, hb, interval, len);
}

void
pair_start(struct pair *p)
{
	flow_start(p->p_ab);
	flow_start(p->p_ba);
}

void
pair_mark(struct pair *p)
{
	flow_mark(p->p_ab);
	flow_mark(p->p_ba);
}

int64_t
pair_gap(const struct pair *p)
{
	int64_t	 ab = flow_gap(p->p_ab), ba = flow_gap(p->p_ba);

	return (ab > ba ? ab : ba);
}

static bool
both_direct(void *arg)
{
	struct pair	*p = arg;

	return (p->p_ab->fl_last_direct && p->p_ba->fl_last_direct);
}

int64_t
pair_direct(struct pair *p, int64_t ms)
{
	int64_t	 since = sim_now(p->p_sim);

	p->p_ab->fl_last_direct = p->p_ba->fl_last_direct = false;
	if (!sim_until(p->p_sim, ms, both_direct, p))
		return (-1);
	return (sim_now(p->p_sim) - since);
}

void
pair_end(struct pair *p)
{
	sim_free(p->p_sim);
}
