/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Scenarios: what is played, and what must hold.
 */

#ifndef REGRESS_SIM_SCENARIO_H
#define REGRESS_SIM_SCENARIO_H

#include "regress/sim/sim.h"
#include "regress/sim/table.h"

/* One run of a scenario. */
struct run {
	uint64_t	 r_seed;
	bool		 r_small;	/* fewer of everything */
	unsigned	 r_failures;
};

struct scenario {
	const char	*sc_name;
	const char	*sc_what;
	void		(*sc_run)(struct run *);
};

extern const struct scenario	 scenarios[];
extern const size_t		 nscenarios;

const struct scenario *scenario_find(const char *name);
/* Play it; true when all held.  Failures are printed, with what to type to
 * see them again. */
bool	 scenario_play(const struct scenario *, uint64_t seed, bool small);
/* What must hold; prints the sentence when it does not. */
void	 must(struct run *, bool ok, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

/* Where a host can be. */
enum side {
	SIDE_OPEN,		/* in the internet */
	SIDE_FULL_CONE,
	SIDE_RESTRICTED,
	SIDE_PORT_RESTRICTED,
	SIDE_SEQUENTIAL,	/* symmetric, ports in order */
	SIDE_RANDOM,		/* symmetric, ports at random */
	SIDE_FIREWALL,		/* no NAT; only answers come in */
	SIDE_CARRIER,		/* a NAT behind a carrier's */
	SIDE_BLOCKED,		/* no UDP at all */
	SIDES
};

/* What happens between two sides by the rules of 02 section 12.4. */
enum promise { PROMISE_DIRECT, PROMISE_RELAY, PROMISE_NONE };

const char *side_name(enum side);
/* One at random, as they are mixed in the world. */
enum side side_any(struct sim *);
/* A new place of that kind, its way to the internet this long (ms). */
struct zone *side_zone(struct sim *, enum side, int64_t delay);
/* A host in such a place of its own. */
struct host *side_host(struct sim *, enum side, int64_t delay);
/* Its link, or its outermost router's, loses so many of 1000; twice that
 * from one host to another. */
void	 host_loses(struct host *, unsigned permille);
/* A host anywhere. */
struct host *side_somebody(struct sim *);
/* The same with a zone's NAT that loops back what is sent to itself. */
struct zone *side_hairpin(struct sim *, int64_t delay, bool hairpin);
enum promise side_promise(enum side, enum side);
const char *promise_name(enum promise);

/* Two hosts and a planet of three roots; frames both ways. */
struct pair {
	struct sim	*p_sim;
	struct host	*p_a, *p_b;
	struct flow	*p_ab, *p_ba;
};

/* Hosts are running and, where they can be, online. */
void	 pair_new(struct pair *, uint64_t seed, enum side, enum side,
	    int64_t interval, size_t len);
/* The same for hosts that exist already. */
void	 pair_join(struct pair *, struct sim *, struct host *, struct host *,
	    int64_t interval, size_t len);
void	 pair_start(struct pair *);
void	 pair_mark(struct pair *);
/* The longer of both gaps, ms. */
int64_t	 pair_gap(const struct pair *);
/* Until frames go directly both ways; ms, -1 not within that time. */
int64_t	 pair_direct(struct pair *, int64_t ms);
void	 pair_end(struct pair *);
/* Start every host that is not running and wait until all are online. */
void	 start_all(struct sim *);

void	 scenario_nat_pairs(struct run *);
void	 scenario_mixed(struct run *);
void	 scenario_root_failure(struct run *);
void	 scenario_partition(struct run *);
void	 scenario_loss(struct run *);
void	 scenario_hello_storm(struct run *);
void	 scenario_clock_jump(struct run *);
void	 scenario_roaming(struct run *);
void	 scenario_silent_path(struct run *);
void	 scenario_mtu(struct run *);
void	 scenario_churn(struct run *);
void	 scenario_flap(struct run *);
void	 scenario_idle(struct run *);
void	 scenario_replay(struct run *);
void	 scenario_broadcast(struct run *);
void	 scenario_arp(struct run *);
void	 scenario_deauthorize(struct run *);
void	 scenario_join_storm(struct run *);
void	 scenario_credentials(struct run *);

#endif /* REGRESS_SIM_SCENARIO_H */
