/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The simulator: many nodes of the engine's core on a modelled network,
 * under a virtual clock.  Given the same seed, everything that happens is
 * the same again.  No real time passes and nothing leaves the process.
 *
 * Hosts are nodes with interfaces and sockets; flows are frames that one
 * host sends to another at even intervals in the network that it joined, most
 * often one without controller; those with one are in vnet.h.
 * Running out of memory ends the program.
 */

#ifndef REGRESS_SIM_SIM_H
#define REGRESS_SIM_SIM_H

#include "common/address.h"
#include "regress/lib/clock.h"
#include "regress/sim/net.h"
#include "ztd-net/core/node.h"

#define SIM_START	1800000000000	/* ms since 1970 */
#define SIM_NWID	0xff0a000000000001ULL	/* ad hoc: takes anything */
#define SIM_ROOTS	4
#define SIM_PORT	9993
#define SIM_ETHERTYPE	0x88b5		/* for local experiments */
#define HOST_IFACES	2
#define HOST_PORTS	2
#define HOST_SOCKETS	(HOST_IFACES * HOST_PORTS * 2)
#define FLOW_LEN_MIN	24

struct sim;
struct stored;

/* An interface: where it is attached and its addresses, port 0; nil none. */
struct iface {
	struct attach	*if_at;
	struct inet_addr if_addr[2];	/* IPv4, IPv6 */
};

struct host_socket {
	struct node_socket hs_socket;
	struct attach	*hs_at;
};

struct host;

/*
 * Who wants to hear what a host's node says.  They are called from within
 * the node and must not call back into it: clock_at() what is to be done.
 * All may be NULL; without a request this node has no controller.
 */
struct host_hooks {
	/* A frame for the port of h_nwid that is no flow's. */
	void	(*hh_frame)(struct host *, uint64_t dst, uint64_t src,
		    uint16_t type, const void *, size_t len);
	void	(*hh_network)(struct host *, const struct node_network *);
	void	(*hh_request)(struct host *, const struct node_request *);
};

struct host {
	struct sim	*h_sim;
	unsigned	 h_index;
	struct identity	 h_id;
	struct node	*h_node;	/* NULL: not running */
	unsigned	 h_generation;	/* of h_node: old events die */
	uint64_t	 h_nwid;	/* joined at each start, 0 none */
	const struct host_hooks *h_hooks;	/* NULL: none */
	void		*h_arg;		/* whose they are */
	unsigned	 h_nifaces;
	struct iface	 h_ifaces[HOST_IFACES];
	unsigned	 h_nsockets;
	struct host_socket h_sockets[HOST_SOCKETS];
	uint16_t	 h_ports[HOST_PORTS];
	uint32_t	 h_last_socket;	/* id */
	bool		 h_no_store;	/* keeps nothing */
	struct stored	*h_state;
	int64_t		 h_skew;	/* its clock minus the virtual one */
	bool		 h_asleep;
	int64_t		 h_tick;	/* virtual time of its call, 0 none */
	const struct dgram *h_dgram;	/* at work, or NULL */
	/* counted */
	bool		 h_online;
	int64_t		 h_started, h_online_at;	/* virtual; last */
	unsigned	 h_offlines;	/* online and then not */
	unsigned	 h_rebinds;
	uint64_t	 h_ticks;
	uint64_t	 h_sent, h_sent_bytes;
	uint64_t	 h_received, h_received_bytes;
	uint64_t	 h_frames;	/* to its port, of flows or not */
};

/* Frames from one host to another. */
struct flow {
	struct host	*fl_from, *fl_to;
	int64_t		 fl_interval;
	size_t		 fl_len;	/* of the frame's payload */
	unsigned	 fl_index;
	unsigned	 fl_run;	/* counts starts */
	bool		 fl_on;
	uint32_t	 fl_seq;
	/* counted since flow_mark() */
	uint32_t	 fl_mark;	/* fl_seq then */
	int64_t		 fl_since;	/* its time */
	uint64_t	 fl_sent, fl_got, fl_direct, fl_twice;
	int64_t		 fl_first;	/* ms until one came, -1 none */
	int64_t		 fl_first_direct;	/* ms until one came directly */
	int64_t		 fl_last;	/* virtual time of the last */
	int64_t		 fl_gap;	/* longest time without one, ms */
	bool		 fl_last_direct;
	uint32_t	 fl_newest;
};

struct sim *sim_new(uint64_t seed);
void	 sim_free(struct sim *);
struct clock *sim_clock(struct sim *);
struct net *sim_net(struct sim *);
int64_t	 sim_now(const struct sim *);
uint64_t sim_random(struct sim *);
void	 sim_run(struct sim *, int64_t ms);
bool	 sim_until(struct sim *, int64_t ms, bool (*)(void *), void *);
/* Bytes that the program holds; 0 where the system does not say. */
size_t	 sim_memory(void);

/*
 * Make the planet: n roots in the internet, 5, 15, 25 and 35 ms from its
 * middle.  They are running then.
 */
void	 sim_roots(struct sim *, unsigned n);
struct host *sim_root(struct sim *, unsigned i);
unsigned sim_nroots(const struct sim *);

/* A host with one interface there and an IPv4 address; not running. */
struct host *host_new(struct sim *, struct zone *, const struct link *);
unsigned sim_nhosts(const struct sim *);
struct host *sim_host(struct sim *, unsigned i);
/* One more interface, with addresses of these families (bits 1: 4, 2: 6). */
void	 host_iface(struct host *, struct zone *, const struct link *,
	    unsigned families);
/* An IPv6 address for its first interface. */
void	 host_add6(struct host *);
void	 host_start(struct host *);
void	 host_stop(struct host *);
/* Nothing stored any more; and another identity, too.  While it is not
 * running. */
void	 host_forget(struct host *);
void	 host_renew(struct host *);
/* It is carried elsewhere: all interfaces and sockets go, new ones come. */
void	 host_move(struct host *, struct zone *, const struct link *);
/* The cable of one interface is pulled: its sockets go, the others stay. */
void	 host_unplug(struct host *, unsigned iface);
/* It hears and does nothing for so long. */
void	 host_sleep(struct host *, int64_t ms);
/* Its clock is set. */
void	 host_set_clock(struct host *, int64_t by);
int64_t	 host_now(const struct host *);
/* Whatever was called in the node: call it in time. */
void	 host_plan(struct host *);
/* What it knows of another: false when nothing. */
bool	 host_peer(struct host *, const struct host *, struct node_peer *);
void	 host_status(struct host *, struct node_status *);
/* All of them online? */
bool	 sim_all_online(void *sim);

struct flow *flow_new(struct sim *, struct host *, struct host *,
	    int64_t interval, size_t len);
/* The first frame goes out within one interval. */
void	 flow_start(struct flow *);
void	 flow_stop(struct flow *);
/* Count anew from now. */
void	 flow_mark(struct flow *);
/* The gap up to now counts, too. */
int64_t	 flow_gap(const struct flow *);
unsigned sim_nflows(const struct sim *);
struct flow *sim_flow(struct sim *, unsigned i);
/* The last frame that came was a direct one; arg is the flow. */
bool	 flow_is_direct(void *);

#endif /* REGRESS_SIM_SIM_H */
