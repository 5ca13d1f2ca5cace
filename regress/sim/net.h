/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A modelled network under a virtual clock.  A zone is where one address is
 * one thing: the internet, or what lies behind a router, whose addresses
 * repeat elsewhere.  Hosts and the outsides of routers are attached to a
 * zone by a link; routers can stand behind routers.
 *
 * A datagram goes out on the sender's link and in on the receiver's; routers
 * translate it when it reaches them, not when it was sent.
 */

#ifndef REGRESS_SIM_NET_H
#define REGRESS_SIM_NET_H

#include "regress/lib/clock.h"
#include "regress/sim/nat.h"

#define NET_MTU		1500
#define NET_SIDES	2

struct net;
struct zone;
struct attach;

/* One way through a link.  Chances are of 1000. */
struct link {
	int64_t		 lk_delay;	/* ms */
	int64_t		 lk_jitter;	/* ms more, at most */
	unsigned	 lk_loss;
	unsigned	 lk_reorder;	/* overtaken by those behind it */
	unsigned	 lk_duplicate;
	unsigned	 lk_mtu;	/* bytes with IP header; 0: NET_MTU */
	bool		 lk_no_fragments;	/* loses what IP had to cut */
};

/* On its way. */
struct dgram {
	struct inet_addr dg_from, dg_to;
	unsigned	 dg_origin;	/* host that sent it, for the record */
	unsigned	 dg_ttl;
	bool		 dg_cut;	/* IP cut it somewhere */
	size_t		 dg_len;
	uint8_t		 dg_bytes[];
};

struct net_counters {
	uint64_t	 nc_sent, nc_delivered, nc_bytes;
	uint64_t	 nc_lost;	/* by chance */
	uint64_t	 nc_filtered;	/* by routers */
	uint64_t	 nc_nowhere;	/* nobody has that address */
	uint64_t	 nc_uncut;	/* fragments that a link loses */
	uint64_t	 nc_hash;	/* of all that happened */
};

typedef void (*net_deliver)(void *host, struct dgram *);
typedef void (*net_tap)(void *arg, const struct dgram *);

/* deliver: to the host that was named in net_attach.  NULL without memory,
 * as all that make something. */
struct net *net_new(struct clock *, net_deliver deliver);
void	 net_free(struct net *);
struct zone *net_internet(struct net *);
const struct net_counters *net_counters(const struct net *);
/* Show every datagram that a host sends. */
void	 net_watch(struct net *, net_tap, void *arg);

/* A host's attachment to a zone; it stays until net_free. */
struct attach *net_attach(struct net *, struct zone *, void *host,
	    const struct link *);
/* Routes the address (its port is not looked at) there, also from outside
 * if no router in between translates.  -1: taken, or no memory. */
int	 net_address(struct net *, struct attach *, const struct inet_addr *);
/* It goes: nothing in or out, its addresses are free. */
void	 net_detach(struct net *, struct attach *);
/* An address of the zone that is free, of that family; port 0. */
void	 net_free_address(struct net *, struct zone *, unsigned family,
	    struct inet_addr *);
/*
 * A router with one IPv4 address outside, in that zone.  Returns the zone
 * behind it, where networks begin at 192.168.x.0, or 100.64.0.0 for a
 * carrier's.
 */
struct zone *net_router(struct net *, struct zone *outer,
	    const struct nat_model *, const struct link *, bool carrier);
/* The router before the zone gets another address and forgets all. */
void	 net_renumber(struct net *, struct zone *);
struct nat *net_nat(struct zone *);
struct zone *net_zone(struct attach *);
struct link *net_link(struct attach *);
/* The attachment of the outermost router before it, or itself. */
struct attach *net_outermost(struct attach *);

/* ttl 0: enough for anywhere.  len: at most 65507. */
void	 net_send(struct net *, struct attach *, unsigned origin,
	    const struct inet_addr *from, const struct inet_addr *to,
	    const void *, size_t len, unsigned ttl);
/* From nowhere in particular, with any source; delivered in the internet. */
void	 net_spoof(struct net *, const struct inet_addr *from,
	    const struct inet_addr *to, const void *, size_t len);

/* The internet in two: attachments are on side 0 until told otherwise. */
void	 net_side(struct attach *, unsigned side);
void	 net_partition(struct net *, bool cut);
/* Nothing passes from one to the other any more, or again. */
void	 net_block(struct net *, struct attach *from, struct attach *to,
	    bool);

#endif /* REGRESS_SIM_NET_H */
