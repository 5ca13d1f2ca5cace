/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The kinds of places where hosts are.
 */

#include <err.h>
#include <string.h>

#include "regress/sim/scenario.h"

#define IDLE_MS		60000
#define MAPPINGS	4096

#define CONE(name, filter)						\
	{ name, true, NAT_ANY, filter, NAT_PRESERVE, 1, false, false,	\
	IDLE_MS, MAPPINGS }
#define SYMMETRIC(name, ports, step)					\
	{ name, true, NAT_ADDRESS_PORT, NAT_ADDRESS_PORT, ports, step,	\
	false, false, IDLE_MS, MAPPINGS }

static const struct nat_model	models[SIDES] = {
	[SIDE_OPEN] = { .na_name = "open" },
	[SIDE_FULL_CONE] = CONE("full cone", NAT_ANY),
	[SIDE_RESTRICTED] = CONE("restricted", NAT_ADDRESS),
	[SIDE_PORT_RESTRICTED] = CONE("port-restricted", NAT_ADDRESS_PORT),
	[SIDE_SEQUENTIAL] = SYMMETRIC("symmetric, in order", NAT_SEQUENTIAL,
	    1),
	[SIDE_RANDOM] = SYMMETRIC("symmetric, random", NAT_RANDOM, 1),
	[SIDE_FIREWALL] = { "firewall", false, NAT_ANY, NAT_ADDRESS_PORT,
	    NAT_PRESERVE, 1, false, false, IDLE_MS, MAPPINGS },
	/* The home's; the carrier's is below. */
	[SIDE_CARRIER] = CONE("carrier's NAT", NAT_ADDRESS_PORT),
	[SIDE_BLOCKED] = { "no UDP", true, NAT_ANY, NAT_ANY, NAT_PRESERVE, 1,
	    false, true, IDLE_MS, MAPPINGS }
};

static const struct nat_model	carrier = {
	"carrier", true, NAT_ANY, NAT_ADDRESS_PORT, NAT_RANDOM, 1, false,
	false, IDLE_MS, 16 * MAPPINGS
};

/* Of 100 nodes, how many are of each kind. */
static const unsigned	 mix[SIDES] = {
	[SIDE_OPEN] = 8, [SIDE_FULL_CONE] = 12, [SIDE_RESTRICTED] = 12,
	[SIDE_PORT_RESTRICTED] = 38, [SIDE_SEQUENTIAL] = 5,
	[SIDE_RANDOM] = 7, [SIDE_FIREWALL] = 6, [SIDE_CARRIER] = 12
};

const char *
side_name(enum side side)
{
	return (models[side].na_name);
}

static struct zone *
router(struct sim *s, struct zone *outer, const struct nat_model *model,
    int64_t delay, bool of_carrier)
{
	struct link	 link;
	struct zone	*zo;

	memset(&link, 0, sizeof(link));
	link.lk_delay = delay;
	zo = net_router(sim_net(s), outer, model, &link, of_carrier);
	if (zo == NULL)
		err(1, "router");
	return (zo);
}

struct zone *
side_zone(struct sim *s, enum side side, int64_t delay)
{
	struct zone	*zo = net_internet(sim_net(s));

	if (side == SIDE_OPEN)
		return (zo);
	if (side == SIDE_CARRIER) {
		zo = router(s, zo, &carrier, delay / 2, true);
		delay -= delay / 2;
	}
	return (router(s, zo, &models[side], delay, false));
}

struct zone *
side_hairpin(struct sim *s, int64_t delay, bool hairpin)
{
	struct nat_model	 model = models[SIDE_PORT_RESTRICTED];

	model.na_hairpin = hairpin;
	return (router(s, net_internet(sim_net(s)), &model, delay, false));
}

struct host *
side_host(struct sim *s, enum side side, int64_t delay)
{
	struct link	 link;

	memset(&link, 0, sizeof(link));
	if (side == SIDE_OPEN)
		link.lk_delay = delay;
	return (host_new(s, side_zone(s, side, delay), &link));
}

enum side
side_any(struct sim *s)
{
	unsigned	 v = sim_random(s) % 100, side = 0;

	while (v >= mix[side])
		v -= mix[side++];
	return ((enum side)side);
}

struct host *
side_somebody(struct sim *s)
{
	enum side	 side = side_any(s);

	return (side_host(s, side, 2 + (int64_t)(sim_random(s) % 40)));
}

void
host_loses(struct host *h, unsigned permille)
{
	net_link(net_outermost(h->h_ifaces[0].if_at))->lk_loss = permille;
}

static bool
symmetric(enum side side)
{
	return (side == SIDE_SEQUENTIAL || side == SIDE_RANDOM);
}

/* Lets in only the very port that was written to. */
static bool
strict(enum side side)
{
	return (symmetric(side) || side == SIDE_PORT_RESTRICTED ||
	    side == SIDE_FIREWALL || side == SIDE_CARRIER);
}

enum promise
side_promise(enum side a, enum side b)
{
	if (a == SIDE_BLOCKED || b == SIDE_BLOCKED)
		return (PROMISE_NONE);
	if ((symmetric(a) && strict(b)) || (symmetric(b) && strict(a)))
		return (PROMISE_RELAY);
	return (PROMISE_DIRECT);
}

const char *
promise_name(enum promise p)
{
	static const char *const	names[] = { "direct", "relay", "none" };

	return (names[p]);
}
