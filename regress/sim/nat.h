/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What stands between a local network and the rest: translation of
 * addresses (RFC 4787), a stateful filter, or both.  It knows nothing of
 * links and time: addresses go in, translated ones come out.
 */

#ifndef REGRESS_SIM_NAT_H
#define REGRESS_SIM_NAT_H

#include "common/inet.h"
#include "regress/lib/clock.h"

/* What counts of a remote address. */
enum nat_scope {
	NAT_ANY,		/* nothing: independent of the endpoint */
	NAT_ADDRESS,
	NAT_ADDRESS_PORT
};

enum nat_ports {
	NAT_PRESERVE,		/* the inner port while it is free */
	NAT_SEQUENTIAL,		/* the next one, na_step further */
	NAT_RANDOM
};

/* How one of them behaves; all are given, there are no defaults. */
struct nat_model {
	const char	*na_name;
	bool		 na_translate;	/* IPv4; IPv6 is only filtered */
	enum nat_scope	 na_mapping;	/* a mapping serves for one of these */
	enum nat_scope	 na_filter;	/* lets in who was written to */
	enum nat_ports	 na_ports;
	unsigned	 na_step;
	bool		 na_hairpin;
	bool		 na_no_udp;	/* nothing passes, either way */
	int64_t		 na_idle;	/* ms until an idle mapping goes */
	unsigned	 na_max;	/* mappings */
};

struct nat;

/* outside: its address, the port is not looked at; NULL without memory. */
struct nat *nat_new(const struct nat_model *, const struct inet_addr *outside,
	    struct clock *);
void	 nat_free(struct nat *);
const struct nat_model *nat_model(const struct nat *);
/* From now on it behaves like this; mappings stay. */
void	 nat_change(struct nat *, const struct nat_model *);
/* Power off and on: no mapping is left. */
void	 nat_forget(struct nat *);
/* The same, and it comes up with another address outside. */
void	 nat_renumber(struct nat *, const struct inet_addr *outside);
/* Mappings that it holds. */
unsigned nat_count(const struct nat *);
/*
 * A datagram from inside: *from becomes what the world sees.  False: it is
 * not let out.
 */
bool	 nat_out(struct nat *, struct inet_addr *from,
	    const struct inet_addr *to);
/* One from outside: *to becomes the inner address.  False: not let in. */
bool	 nat_in(struct nat *, const struct inet_addr *from,
	    struct inet_addr *to);

#endif /* REGRESS_SIM_NAT_H */
