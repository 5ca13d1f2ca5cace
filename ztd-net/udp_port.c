/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The local UDP ports.  Spec: 02 section 13.1.
 *
 * The primary port is the parent's choice and stays.  The two others are the
 * operator's, or random and then kept until the core asks for another.  The
 * tertiary port is there for the port mapper (13.4), which is still to be
 * written: nothing but that its sockets are bound.
 */

#include <stdlib.h>

#include "ztd-net/udp.h"

#define RANDOM_BASE	20000
#define RANDOM_SPAN	45500
#define RANDOM_TRIES	1000

static uint16_t	 random_port(const struct udp *);
static void	 not_twice(struct udp *, enum udp_port);
static void	 choose(struct udp *, enum udp_port, bool, uint16_t);

void
udp_ports_choose(struct engine *e)
{
	struct udp		*u = e->e_udp;
	const struct settings	*s = &e->e_settings;
	unsigned		 i, k;

	choose(u, PORT_PRIMARY, true, e->e_port);
	choose(u, PORT_SECONDARY, s->s_allow_secondary, s->s_secondary_port);
	choose(u, PORT_TERTIARY, s->s_port_mapping, s->s_tertiary_port);
	for (i = 1; i < PORTS; i++) {
		for (k = 0; k < i; k++) {
			if (u->u_ports[i] != 0 &&
			    u->u_ports[k] == u->u_ports[i])
				not_twice(u, u->u_random[k] ? k : i);
		}
	}
}

/* The same port twice is once, if the operator wants both so. */
static void
not_twice(struct udp *u, enum udp_port which)
{
	u->u_ports[which] = 0;
	if (u->u_random[which])
		u->u_ports[which] = random_port(u);
}

static void
choose(struct udp *u, enum udp_port which, bool allowed, uint16_t fixed)
{
	bool	 random = allowed && fixed == 0 && which != PORT_PRIMARY;

	if (!random)
		u->u_ports[which] = allowed ? fixed : 0;
	else if (!u->u_random[which] || u->u_ports[which] == 0) {
		u->u_ports[which] = 0;
		u->u_ports[which] = random_port(u);
	}
	u->u_random[which] = random;
}

uint16_t
udp_port_next(uint16_t port)
{
	if (port == 0)
		return ((uint16_t)(RANDOM_BASE +
		    arc4random_uniform(RANDOM_SPAN)));
	return (port == UINT16_MAX ? RANDOM_BASE : (uint16_t)(port + 1));
}

/* 0 when none is free. */
static uint16_t
random_port(const struct udp *u)
{
	uint16_t	 port = 0;
	unsigned	 i;

	for (i = 0; i < RANDOM_TRIES; i++) {
		port = udp_port_next(port);
		if (port != u->u_ports[PORT_PRIMARY] &&
		    port != u->u_ports[PORT_SECONDARY] &&
		    port != u->u_ports[PORT_TERTIARY] && udp_port_free(port))
			return (port);
	}
	return (0);
}
