/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The core of the engine: VL1 and VL2 of one node as a library.  It does no
 * I/O, reads no clock, has no globals.  Time, datagrams, frames and requests
 * come in through the functions below; everything that goes out leaves by
 * the callbacks.  Spec: 02 and 03.
 *
 * Time is milliseconds since 1970 (it goes on the wire) and must not be
 * negative.  Callbacks may be called from within any function that takes a
 * time; they must not call back into the node.
 */

#ifndef CORE_NODE_H
#define CORE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/histogram.h"
#include "common/identity.h"
#include "common/inet.h"
#include "common/netconf.h"
#include "common/offload.h"
#include "common/packet.h"
#include "common/reason.h"
#include "common/settings.h"
#include "common/why.h"
#include "common/world.h"

struct node;

/* A local UDP socket of the shell; any other number names one of them. */
#define SOCKET_ANY	0

struct node_socket {
	uint32_t	 ns_id;		/* never used again once closed */
	struct inet_addr ns_addr;	/* bound to, with port */
};

/* Kinds of state that the shell keeps for the node, as bytes. */
enum node_state {
	STATE_PLANET,		/* id 0 */
	STATE_MOON,		/* id of the moon */
	STATE_PEER,		/* node address */
	STATE_NETWORK		/* network id: the configuration dictionary */
};

/* Why a network does not have (or no longer has) an accepted configuration;
 * the numbers are those of 03 section 3.1. */
enum net_status {
	NET_REQUESTING = 0,
	NET_OK = 1,
	NET_ACCESS_DENIED = 2,
	NET_NOT_FOUND = 3,
	NET_PORT_ERROR = 4,
	NET_AUTHENTICATION_REQUIRED = 6
};

/* Multicast group: MAC and additional distinguishing information. */
struct mgroup {
	uint64_t	 mg_mac;
	uint32_t	 mg_adi;
};

/* Frames and bytes of a network by what became of them, and credentials
 * that were refused, since it was joined. */
struct network_counters {
	uint64_t	 nc_frames[2][WHY_COUNT];	/* out, in */
	uint64_t	 nc_bytes[2][WHY_COUNT];	/* without headers */
	uint64_t	 nc_credentials[WHY_COUNT];
};

/* What a network looks like from outside. */
struct node_network {
	uint64_t	 nn_nwid;
	uint64_t	 nn_mac;
	enum net_status	 nn_status;
	int		 nn_port_error;
	bool		 nn_bridge;		/* we are an active bridge */
	const struct netconf *nn_conf;		/* NULL: none held */
	const char	*nn_auth_url;		/* "" unless asked for */
	const struct mgroup *nn_groups;		/* subscribed */
	size_t		 nn_ngroups;
	const struct network_counters *nn_counters;
};

/* What became of one frame or credential, and why. */
struct node_event {
	uint64_t	 ne_nwid;
	enum why	 ne_why;
	bool		 ne_inbound;
	uint64_t	 ne_peer;	/* the other node, 0 not known; of a
					 * credential, whose it is */
	/* a frame */
	uint64_t	 ne_src, ne_dst;
	uint16_t	 ne_ethertype;
	const uint8_t	*ne_data;	/* behind the Ethernet header */
	size_t		 ne_len;
	int		 ne_rule;	/* that decided, -1: the table ended */
	bool		 ne_by_capability;
	uint32_t	 ne_capability;
	uint64_t	 ne_redirect;	/* where to, if it was */
	/* a credential: enum credential_type, 0 when it is a frame */
	uint64_t	 ne_missed;	/* events of this network not told */
	uint8_t		 ne_credential;
	uint32_t	 ne_credential_id;
	int64_t		 ne_credential_ts;
};

struct node_path {
	struct inet_addr np_addr;
	uint32_t	 np_sock;
	int64_t		 np_last_send;		/* 0 never */
	int64_t		 np_last_receive;
	bool		 np_alive;		/* heard lately */
	bool		 np_expired;
	bool		 np_preferred;
	uint64_t	 np_trusted_id;
	enum reason	 np_reason;
	int		 np_latency;		/* ms, -1 unknown */
	unsigned	 np_mtu;		/* payload of a datagram, bytes */
};

#define NODE_PATHS	64
struct node_peer {
	uint64_t	 nr_addr;
	int		 nr_proto;		/* 0 unknown, as the next */
	int		 nr_vmajor, nr_vminor, nr_vrev;
	int		 nr_latency;		/* ms, -1 unknown */
	int		 nr_role;		/* 0 leaf, 1 moon, 2 planet */
	enum reason	 nr_reason;
	uint64_t	 nr_relay;		/* root it is reached by, or 0 */
	unsigned	 nr_candidates;		/* addresses tried lately */
	int64_t		 nr_last_try;		/* of them, 0 never */
	int64_t		 nr_last_receive;	/* any packet, 0 never */
	unsigned	 nr_switches;		/* changes of preferred path */
	unsigned	 nr_npaths;
	struct node_path nr_paths[NODE_PATHS];
};

/* A planet or moon root other than this node. */
struct node_root {
	uint64_t	 nt_addr;
	int		 nt_role;		/* 1 moon, 2 planet */
	enum reason	 nt_reason;
	bool		 nt_best;		/* relays and answers for us */
	int		 nt_latency;		/* ms, -1 unknown */
	int64_t		 nt_last_receive;	/* 0 never */
	int64_t		 nt_last_try;		/* last HELLO, 0 never */
	struct inet_addr nt_surface[2];		/* us, as it sees us: IPv4,
						 * IPv6; nil unknown */
};

/* The node as a whole.  Counters begin with the node. */
struct node_status {
	bool		 ns_online;
	enum reason	 ns_reason;
	unsigned	 ns_stage;		/* of the watchdog: 0 at rest */
	int64_t		 ns_last_root;		/* heard from any, 0 never */
	enum nat_kind	 ns_nat[2];		/* IPv4, IPv6 */
	size_t		 ns_npeers, ns_npaths;
	uint64_t	 ns_replays;		/* packets refused, seen before */
	uint64_t	 ns_forged;		/* packets that did not open */
	uint64_t	 ns_withheld;		/* answers to addresses that
						 * nobody has confirmed */
	uint64_t	 ns_limited;		/* packets over a rate limit */
	uint64_t	 ns_suspects;		/* paths that fell silent */
	uint64_t	 ns_switches;		/* changes of preferred path */
	uint64_t	 ns_suspends;		/* jumps of the clock */
	uint64_t	 ns_evicted;		/* peers, to make room */
};

/* Packets of this node's own since it began, out and in. */
struct node_counts {
	uint64_t	 nk_packets[2][PACKET_VERBS];
	uint64_t	 nk_errors[2][PACKET_ERRORS];	/* ERRORs by code */
};

struct node_peer_counts {
	uint64_t	 np_addr;
	uint64_t	 np_packets[2];		/* out, in */
	uint64_t	 np_forged;		/* in its name; did not open */
	unsigned	 np_alive, np_dead;	/* paths */
	struct histogram np_latencies;		/* ms, at each keep-alive */
};

struct node_moon {
	const struct world *no_world;		/* NULL while waiting */
	uint64_t	 no_id;
	uint64_t	 no_seed;
};

/* An authenticated member asks our controller. */
struct node_request {
	uint64_t	 rq_nwid;
	uint64_t	 rq_packet;	/* to be given back with the answer */
	const struct identity *rq_from;
	struct inet_addr rq_addr;	/* physical, nil when relayed or self */
	const uint8_t	*rq_meta;
	size_t		 rq_metalen;
};

struct node_callbacks {
	/* Send a datagram from a socket (SOCKET_ANY: one copy from every
	 * socket of the family); ttl 0 is the system's. */
	void	(*nc_send)(void *, uint32_t sock, const struct inet_addr *,
		    const void *, size_t len, unsigned ttl);
	/* An Ethernet frame for the port of a network. */
	void	(*nc_frame)(void *, uint64_t nwid, uint64_t dst, uint64_t src,
		    uint16_t ethertype, const void *, size_t len);
	/* Status or configuration of a network changed. */
	void	(*nc_network)(void *, const struct node_network *);
	/* Keep these bytes; len 0 deletes them. */
	void	(*nc_store)(void *, enum node_state, uint64_t id,
		    const void *, size_t len);
	/* Give them back: at most size bytes; returns how many, 0 none. */
	size_t	(*nc_load)(void *, enum node_state, uint64_t id, void *,
		    size_t size);
	void	(*nc_online)(void *, bool online);
	/* An upstream says that our address belongs to another identity. */
	void	(*nc_collision)(void *);
	/* Ask the local controller.  NULL: this node has none. */
	void	(*nc_request)(void *, const struct node_request *);
	/* USER_MESSAGE; may be NULL. */
	void	(*nc_user_message)(void *, uint64_t from, uint64_t type,
		    const void *, size_t len);
	/* One string of a REMOTE_TRACE of a member of our controller's, not
	 * terminated, whatever may stand in it; may be NULL. */
	void	(*nc_trace)(void *, uint64_t from, const char *, size_t len);
	/* Of a network that is being watched; false: it was not told.  May
	 * be NULL. */
	bool	(*nc_event)(void *, const struct node_event *);
	/* Random bytes; NULL: the system's.  A simulator has its own. */
	void	(*nc_random)(void *, void *, size_t len);
	/*
	 * Nothing helps: close every socket and open it anew, with another
	 * secondary port if asked for.  Not to be done before the call that
	 * this comes from has returned.  May be NULL.
	 */
	void	(*nc_rebind)(void *, bool new_port);
	/* One line worth telling the operator; level as of syslog, kind is
	 * the same for lines that are of the same kind, and constant. */
	void	(*nc_log)(void *, int level, const char *kind,
		    const char *line);
};

/*
 * identity has its private half and was validated by the caller.  Loads the
 * planet through nc_load; without one (or with a worse one) the built-in
 * planet serves.  NULL when memory is short.
 */
struct node *node_new(const struct identity *, const struct node_callbacks *,
	    void *arg, int64_t now);
/* Store what is worth keeping (peers) and free everything. */
void	 node_free(struct node *, int64_t now);

uint64_t node_addr(const struct node *);
const struct identity *node_identity(const struct node *);

/*
 * What the operator configured that VL1 obeys; copied.  The node starts with
 * the defaults.  Paths that are forbidden now are given up at once, all else
 * stays.
 */
void	 node_settings(struct node *, int64_t now, const struct settings *);
/*
 * The shell's sockets, all of them, whenever that changed: they are offered
 * to peers, paths on others are given up, and roots and peers in use hear of
 * it at once.
 */
void	 node_sockets(struct node *, int64_t now, const struct node_socket *,
	    size_t n);
/* The prefixes of our own virtual ports, where no physical path may lead;
 * replaces. */
void	 node_virtual_prefixes(struct node *, const struct inet_addr *,
	    size_t n);
/* The host's network changed in some other way, a route perhaps: confirm all
 * paths in use at once. */
void	 node_roamed(struct node *, int64_t now);

/*
 * Datagrams that came from one socket, in order; they are opened and put
 * together in place.  nd_room is how many bytes from nd_data on belong to
 * this one alone, at least nd_len.  Pieces of a packet that lie behind each
 * other in memory, or behind whose first there is room, cost one copy less.
 */
struct node_datagram {
	const struct inet_addr *nd_from;
	uint8_t		*nd_data;
	size_t		 nd_len;
	size_t		 nd_room;
};
void	 node_datagrams(struct node *, int64_t now, uint32_t sock,
	    const struct node_datagram *, size_t n);
/*
 * A datagram of len bytes, at most PACKET_MAX are looked at; it is decrypted
 * in place.
 */
void	 node_datagram(struct node *, int64_t now, uint32_t sock,
	    const struct inet_addr *from, uint8_t *p, size_t len);
/*
 * A frame that the host sent on the port of a network: p are the len bytes
 * behind its Ethernet header, at most the network's MTU.  With a descriptor
 * it may be a super-frame, of up to 64 KiB, or lack a checksum; NULL: there
 * is none.
 */
void	 node_frame(struct node *, int64_t now, uint64_t nwid, uint64_t dst,
	    uint64_t src, uint16_t ethertype, const void *p, size_t len,
	    const struct offload *);
/*
 * Do what is due.  Returns the time of the next call, which may be many
 * seconds away when nothing goes on; datagrams, frames and requests can make
 * it sooner, so ask node_next() after them.
 */
int64_t	 node_tick(struct node *, int64_t now);
int64_t	 node_next(const struct node *);
bool	 node_online(const struct node *);

/* Networks.  Joining twice and leaving what is not joined are harmless.
 * node_leave deletes the stored configuration.  -1: memory. */
int	 node_join(struct node *, int64_t now, uint64_t nwid);
void	 node_leave(struct node *, int64_t now, uint64_t nwid);
/* The groups that the host subscribed on a port; replaces. */
void	 node_groups(struct node *, int64_t now, uint64_t nwid,
	    const struct mgroup *, size_t n);
/*
 * The group in which an address of the port is resolved (03 section 13.1),
 * to be subscribed with the others; all 0 for a nil address.
 */
void	 node_group_of_ip(struct mgroup *, const struct inet_addr *);
/* errno of what keeps the port down, 0 when it is up. */
void	 node_port_error(struct node *, int64_t now, uint64_t nwid, int error);

/*
 * Tell what becomes of a network's frames by nc_event for so many ms; all:
 * of those that pass, too.  -1: not joined.
 */
int	 node_watch(struct node *, int64_t now, uint64_t nwid, int64_t ms,
	    bool all);

int	 node_orbit(struct node *, int64_t now, uint64_t moon, uint64_t seed);
void	 node_deorbit(struct node *, uint64_t moon);

/*
 * Answers of the local controller.  packet is that of the request, 0 for a
 * push; a block or error for ourselves is taken at once.  What goes with an
 * error is the dictionary of 03 section 3.6 alone, most often nothing.
 */
void	 node_con_config(struct node *, int64_t now, uint64_t nwid,
	    uint64_t to, uint64_t packet, const void *block, size_t len);
void	 node_con_error(struct node *, int64_t now, uint64_t nwid,
	    uint64_t to, uint64_t packet, uint8_t code, const void *p,
	    size_t len);
void	 node_con_revocation(struct node *, int64_t now, uint64_t nwid,
	    uint64_t to, const void *rev, size_t len);

int	 node_user_message(struct node *, int64_t now, uint64_t to,
	    uint64_t type, const void *, size_t len);

/* Looking in.  Pointers are valid during the callback.  id 0: all. */
void	 node_each_network(const struct node *, uint64_t nwid,
	    void (*)(const struct node_network *, void *), void *arg);
void	 node_each_peer(const struct node *, int64_t now, uint64_t addr,
	    void (*)(const struct node_peer *, void *), void *arg);
void	 node_each_root(const struct node *, int64_t now,
	    void (*)(const struct node_root *, void *), void *arg);
void	 node_status(const struct node *, int64_t now, struct node_status *);
void	 node_counts(const struct node *, struct node_counts *);
/* At most max of the peers, those that were heard last first. */
void	 node_each_peer_counts(const struct node *, int64_t now, size_t max,
	    void (*)(const struct node_peer_counts *, void *), void *arg);
void	 node_each_moon(const struct node *,
	    void (*)(const struct node_moon *, void *), void *arg);
const struct world *node_planet(const struct node *);
/* Our addresses as others see them; returns how many, at most max. */
size_t	 node_surface(const struct node *, struct inet_addr *, size_t max);

#endif /* CORE_NODE_H */
