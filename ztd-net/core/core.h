/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What the files of the core share: the node, its peers and paths, a packet
 * being received, and the border between VL1 and VL2.  Nothing outside
 * core/ includes this.
 */

#ifndef CORE_CORE_H
#define CORE_CORE_H

#include <sys/queue.h>
#include <sys/tree.h>

#include "common/address.h"
#include "common/buf.h"
#include "common/histogram.h"
#include "common/log.h"
#include "ztd-net/core/index.h"
#include "ztd-net/core/node.h"

/* Times in ms and limits: 02 section 17. */
#define QUEUE_RUN_MS		500
#define QUEUE_TIMEOUT_MS	5000
#define RX_QUEUE		32
#define TX_QUEUE		32
#define PING_CHECK_MS		5000
#define HOUSEKEEPING_MS		30000
#define HEARTBEAT_MS		14000
#define ALIVE_MS		19000
#define CLOCK_MAX	(INT64_MAX / 4)	/* ms since 1970 that make sense */
#define FULL_HELLO_MS		60000
#define PATH_EXPIRY_MS		243000
#define UPSTREAM_CONTACT_MS	224000
#define LEAF_CONTACT_MS		28000
#define PEER_EXPIRY_MS		500000
#define TRUST_MS		600000
#define LATENCY_UNKNOWN		0xffff
#define PEERS_MAX		131072
#define PATHS_MAX		262144
#define MOONS_MAX		16
#define WATCH_MS		100	/* between looks at what is watched */

struct network;
struct membership;
struct owed;
struct reach;

/*
 * A path: local socket and remote address, shared by the peers that use it.
 */
struct path {
	RB_ENTRY(path)	 pa_entry;
	uint32_t	 pa_sock;
	struct inet_addr pa_addr;
	int64_t		 pa_last_in;	/* authenticated packet */
	int64_t		 pa_last_out;
	int64_t		 pa_last_trust;
	int64_t		 pa_last_echo;	/* answered */
	int64_t		 pa_last_confirm;	/* tried, to learn it (9.3 c) */
	/* watch.c: does it still answer? */
	int64_t		 pa_waiting;	/* first packet out since the last
					 * one in; 0: none */
	int64_t		 pa_last_data;	/* out, other than probes */
	int64_t		 pa_probed;	/* last probe while waiting */
	bool		 pa_suspect;	/* it did not */
	bool		 pa_hurry;	/* the peer is heard elsewhere */
	bool		 pa_doubt;	/* it sends by a relay: does it hear
					 * us here?  Only an answer tells. */
	uint8_t		 pa_probes;	/* without an answer */
	/* limit.c: whether anybody is there */
	bool		 pa_verified;	/* an answer came from there */
	uint32_t	 pa_credit;	/* bytes that may be sent before */
	struct owed	*pa_owed;	/* worlds, for then (hello.c) */
	/* mtu.c */
	uint16_t	 pa_mtu;	/* found out; 0: not (yet) limited */
	uint16_t	 pa_mtu_size;	/* being tried, 0: none */
	uint8_t		 pa_mtu_lost;	/* in a row, smaller ones not */
	uint8_t		 pa_mtu_asked;	/* so often, for all sizes */
	bool		 pa_mtu_up;	/* trying one above pa_mtu */
	bool		 pa_mtu_small;	/* a smaller one was asked last, */
	bool		 pa_mtu_passed;	/* and answered */
	int64_t		 pa_mtu_sent;	/* last asked */
	int64_t		 pa_mtu_done;	/* last measured, 0 never */
	unsigned	 pa_latency;	/* ms or LATENCY_UNKNOWN */
	unsigned	 pa_refs;	/* peers that have it in their list */
};

/* A peer's use of a path. */
struct peer_path {
	struct path	*pp_path;
	int64_t		 pp_lr;		/* last direct packet */
	unsigned	 pp_priority;
};

struct peer {
	RB_ENTRY(peer)	 pe_entry;
	TAILQ_ENTRY(peer) pe_age;	/* in n_ages, longest silent first */
	TAILQ_ENTRY(peer) pe_active;	/* in n_active: 10.2 */
	TAILQ_ENTRY(peer) pe_watch;	/* in n_watch */
	bool		 pe_is_active, pe_is_watched;
	bool		 pe_upstream;	/* a root; topology.c keeps it */
	unsigned	 pe_held;	/* its packet is in the works */
	bool		 pe_modern;	/* speaks suite 3, so protocol 12 */
	struct identity	 pe_id;
	struct packet_keys pe_keys;
	uint8_t		 pe_proto;	/* 0 unknown */
	uint8_t		 pe_major, pe_minor;
	uint16_t	 pe_rev;
	unsigned	 pe_npaths;
	unsigned	 pe_room;	/* entries allocated */
	struct peer_path *pe_paths;
	/* choose.c */
	struct path	*pe_best;	/* in use; NULL none */
	int64_t		 pe_best_until;	/* to be looked at again */
	struct path	*pe_rival;	/* seems better, not long enough */
	int64_t		 pe_rival_since;
	unsigned	 pe_switches;
	/* tell.c: what the log was told of it */
	uintptr_t	 pe_told;	/* path, only to compare with, */
#define TOLD_RELAYED	1		/* or this, or 0 nothing */
	struct inet_addr pe_told_addr;
	int64_t		 pe_relayed;	/* since; 0 it is not */
	bool		 pe_told_root;	/* that it answers */
	struct reach	*pe_reach;	/* addresses being tried, or NULL */
	uint32_t	 pe_credit;	/* bytes that suggestions may cost */
	int64_t		 pe_created;
	int64_t		 pe_last_receive;	/* 0 never */
	int64_t		 pe_last_direct;	/* heard there, listed or not: */
	uintptr_t	 pe_heard_on;	/* path, only to compare with */
	int64_t		 pe_last_nontrivial;
	int64_t		 pe_last_trust;
	int64_t		 pe_last_full_hello;
	int64_t		 pe_last_send;		/* through the pipeline */
	int64_t		 pe_last_push_sent;
	int64_t		 pe_last_whois_in;
	int64_t		 pe_last_hint;
	int64_t		 pe_push_time;		/* token bucket */
	unsigned	 pe_push_tokens;
	int64_t		 pe_confirm_time;	/* HELLOs to its new paths */
	unsigned	 pe_confirms, pe_reconfirms;
	int64_t		 pe_cred_time;		/* gate of 03 11.5 */
	unsigned	 pe_cred_tokens;
	int64_t		 pe_saved;		/* to the cache */
	bool		 pe_unsaved;		/* a path was learnt since */
	/* counts.c */
	uint64_t	 pe_packets[2];		/* out, in */
	int64_t		 pe_clock;		/* ms ahead of the host's */
	int64_t		 pe_clock_at;		/* by a HELLO then, 0 never */
	uint64_t	 pe_forged;		/* that did not open */
	struct histogram *pe_latencies;		/* NULL: never known */
};

/*
 * A packet in the works, opened and decompressed, at its verb.
 */
struct rx {
	struct peer	*rx_peer;	/* sender */
	struct path	*rx_path;	/* on which it came */
	unsigned	 rx_hops;
	uint64_t	 rx_id;		/* as on the wire */
	uint8_t		 rx_verb;
	enum packet_suite rx_suite;
	const uint8_t	*rx_packet;	/* whole, clear */
	size_t		 rx_len;
	size_t		 rx_wire;	/* bytes that it took to come here */
	bool		 rx_again;	/* handled before, was told LATER */
	bool		 rx_repeat;	/* its id came by another way before */
	bool		 rx_answer;	/* an OK, from where we asked */
	/* set by handlers */
	bool		 rx_trust;	/* sender is a member of our network */
};

enum rx_result {
	RX_DONE,		/* handled: note the receipt */
	RX_DROP,		/* malformed or refused: no note */
	RX_LATER		/* keep and try again */
};

/* An outgoing packet under construction, header first. */
struct pkt {
	struct wbuf	 pk;
	uint8_t		 pk_bytes[PACKET_MAX];
};

struct expect {
	uint32_t	 ex_ids[256][32];
	uint32_t	 ex_at[256][32];	/* whom we asked: addr_hash() */
	uint8_t		 ex_next[256];
	uint8_t		 ex_used[256];	/* entries that hold something */
};

/* twin.c: when answers came that nobody here had asked for. */
#define TWIN_SIGNS	3
struct twin {
	int64_t		 tw_at[TWIN_SIGNS];	/* 0: none */
	unsigned	 tw_next;
	int64_t		 tw_looked;
};

RB_HEAD(path_tree, path);
RB_HEAD(peer_tree, peer);
RB_HEAD(network_tree, network);
TAILQ_HEAD(peer_list, peer);

struct limits;
struct replay;
struct rxq;
struct txq;
struct whois;
struct surface;
struct introductions;
struct topology;
struct idcheck;
struct multicast;

struct node {
	struct identity	 n_id;
	struct node_callbacks n_cb;
	void		*n_arg;
	struct settings	 n_settings;
	int64_t		 n_started;
	struct node_status n_status;		/* the counters of it */
	struct node_counts n_counts;

	uint64_t	 n_pid_counter;		/* packet ids */
	uint64_t	 n_pid_key[2];

	struct index	 n_peer_index;	/* by address, */
	struct index	 n_path_index;	/* path_key(), */
	struct index	 n_network_index; /* id: as in the trees */
	struct peer_tree n_peers;
	struct peer_list n_ages, n_active, n_watch;
	size_t		 n_npeers, n_maxpeers;
	struct path_tree n_paths;
	size_t		 n_npaths;
	struct topology	*n_topology;
	struct rxq	*n_rxq;
	struct txq	*n_txq;
	struct whois	*n_whois;
	struct surface	*n_surface;
	struct introductions *n_intro;
	struct idcheck	*n_idcheck;
	struct limits	*n_limits;
	struct replay	*n_replay;
	size_t		 n_nowed;		/* of paths: hello.c */
	struct expect	 n_expect;
	struct twin	 n_twin;

	struct node_socket *n_socks;
	size_t		 n_nsocks;
	struct inet_addr *n_virtual;		/* prefixes of our ports */
	size_t		 n_nvirtual;

	struct network_tree n_networks;
	size_t		 n_nnetworks;
	struct multicast *n_multicast;		/* member database */

	int64_t		 n_next_queue, n_next_ping, n_next_housekeeping;
	int64_t		 n_next_watch;
	int64_t		 n_due;		/* what node_tick promised */
	int64_t		 n_last_now;
	int64_t		 n_skew;	/* what a clock set back takes off */
	int64_t		 n_last_forget;	/* of paths in a full table */
	int64_t		 n_busy_until;	/* frames flow: look often */

	/* online.c: the watchdog over what roots say */
	bool		 n_online;
	int64_t		 n_last_root;	/* heard from any, 0 never */
	int64_t		 n_lost;	/* no root answers since; 0: one does */
	int64_t		 n_next_contact;	/* of silent roots */
	unsigned	 n_contacts;		/* tries in a row */
	unsigned	 n_stage;
	int64_t		 n_stage_at;		/* the next one */
	int64_t		 n_last_beacon;
	int64_t		 n_roam_time;	/* token bucket of node_roamed() */
	unsigned	 n_roams;
	bool		 n_roam_due;	/* one was put off */
};

/* node.c */
void	 node_random(struct node *, void *, size_t);
uint32_t node_random_u32(struct node *);
uint64_t node_packet_id(struct node *);
void	 node_log(struct node *, int level, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
void	 node_store(struct node *, enum node_state, uint64_t id,
	    const void *, size_t len);
size_t	 node_load(struct node *, enum node_state, uint64_t id, void *,
	    size_t size);
/*
 * Notice jumps of the clock: every call from outside that has a time begins
 * with this.  Inside time never goes back: returns that time.
 */
int64_t	 node_clock(struct node *, int64_t now);
/* Something waits in a queue. */
void	 queue_soon(struct node *, int64_t now);
/* Frames flow. */
void	 node_busy(struct node *, int64_t now);
static inline bool
low_bandwidth(const struct node *n)
{
	return (n->n_settings.s_low_bandwidth != 0);
}

/* twin.c */
/* An OK to this verb came, which we never asked. */
void	 twin_answer(struct node *, int64_t now, const struct rx *,
	    uint8_t verb);
/* Is there another host with our identity? */
bool	 twin_seen(const struct node *, int64_t now);

/* counts.c: for the metrics; direction 0 is out, 1 in */
static inline void
count_error(struct node *n, int direction, uint8_t code)
{
	if (code < PACKET_ERRORS)
		n->n_counts.nk_errors[direction][code]++;
}
static inline void
count_in(struct node *n, struct peer *p, uint8_t verb)
{
	p->pe_packets[1]++;
	n->n_counts.nk_packets[1][verb]++;
}
static inline void
count_forged(struct node *n, struct peer *p)
{
	p->pe_forged++;
	n->n_status.ns_forged++;
}
/* A packet for p, complete and not sealed yet. */
void	 count_out(struct node *, struct peer *p, const struct pkt *);
void	 count_latency(struct peer *, int64_t now);

/* peer.c: the table of peers */
struct peer *peer_find(struct node *, uint64_t addr);
/* Also looks in the cache (10.5). */
struct peer *peer_lookup(struct node *, int64_t now, uint64_t addr);
/*
 * Add a peer whose identity was validated or comes from a world.  Returns
 * the existing one if it has the same identity; NULL for another identity
 * under that address, our own, a bad key, or without memory.  In a full
 * table the one that was silent longest gives way.
 */
struct peer *peer_add(struct node *, int64_t now, const struct identity *);
void	 peer_remove(struct node *, struct peer *);
/* Its packet came: it is the last to be forgotten. */
void	 peer_heard(struct node *, int64_t now, struct peer *);
/* It has traffic (10.2): its paths are to be kept. */
void	 peer_activate(struct node *, struct peer *);
void	 peer_deactivate(struct node *, struct peer *);
void	 peer_save(struct node *, const struct peer *);
/* Is there a record of exactly this identity in the cache?  It was validated
 * before it was written. */
bool	 peer_cached(struct node *, const struct identity *);
/*
 * Save a peer whose paths changed, now and then, if it is worth a file: so
 * that a restarted engine still knows whom it talked to.
 */
void	 peer_keep(struct node *, int64_t now, struct peer *);
void	 peers_housekeeping(struct node *, int64_t now);
void	 peers_free(struct node *, int64_t now);
/* Identity of a known node, ourselves included; NULL when not known. */
const struct identity *identity_of(struct node *, uint64_t addr);
int	 peer_cmp(const struct peer *, const struct peer *);
RB_PROTOTYPE(peer_tree, peer, pe_entry, peer_cmp)
static inline bool
peer_trusted(const struct peer *p, int64_t now)
{
	return (p->pe_last_trust != 0 && now - p->pe_last_trust < TRUST_MS);
}

/* path.c: paths, and which of them a peer has */
/* The one object of this pair; made if need be, NULL when too many. */
struct path *path_get(struct node *, int64_t now, uint32_t sock,
	    const struct inet_addr *);
struct path *path_find(struct node *, uint32_t sock,
	    const struct inet_addr *);
/* An authentic packet of p, of so many bytes, came on it. */
void	 path_heard(const struct peer *p, struct path *, int64_t now,
	    size_t len);
void	 path_sample(struct path *, int64_t now, uint64_t sent);
void	 paths_housekeeping(struct node *, int64_t now);
bool	 path_alive(const struct path *, int64_t now);
/* May this address be used with this peer (9.2)? */
bool	 path_allowed(struct node *, uint64_t peer, const struct inet_addr *);
/* Put a path in a peer's list; NULL without memory or room. */
struct peer_path *peer_add_path(struct peer *, struct path *, int64_t now);
void	 peer_drop_path(struct peer *, unsigned i);
/* 9.3 NOTE-RECEIPT. */
void	 note_receipt(struct node *, int64_t now, struct rx *);
/* 10.3; returns bits 1 (IPv4) and 2 (IPv6) of what was sent. */
unsigned keepalive(struct node *, int64_t now, struct peer *);
/* When keepalive() has to do something for it, INT64_MAX when nothing. */
int64_t	 keepalive_due(const struct peer *, int64_t now);
/* 9.4: ECHO or HELLO to an address from a socket; size: pad the ECHO to so
 * many bytes, 0: none; PROBE_BARE: without even the time, by which the path's
 * delay is learnt. */
#define PROBE_BARE	PACKET_HDR
void	 probe(struct node *, int64_t now, struct peer *, uint32_t sock,
	    const struct inet_addr *, size_t size);
bool	 peer_takes_echo(const struct peer *);
enum rx_result echo_ok(struct node *, int64_t now, struct rx *,
	    struct rbuf *);
/* 12.2: probe and doubt every path of a scope and family. */
void	 paths_reset(struct node *, int64_t now, enum inet_scope,
	    unsigned family);
/* Give up paths that are not allowed any more, or whose socket is gone. */
void	 paths_sweep(struct node *);
int	 path_cmp(const struct path *, const struct path *);
RB_PROTOTYPE(path_tree, path, pa_entry, path_cmp)

/* choose.c: which path is used */
/*
 * For a packet to p: direct, or that of a root that relays; NULL: none.
 * Something should be heard on it after that, or it is suspect (watch.c);
 * without wait, not on a direct one that answers.
 */
struct path *choose_path(struct node *, int64_t now, struct peer *,
	    bool wait);
/* Best direct path, NULL when none; expired: take expired ones, too (9.5). */
struct path *peer_best_path(const struct peer *, int64_t now, bool expired);
/* A direct path on which the peer was heard lately and that answers. */
struct path *peer_alive_path(const struct peer *, int64_t now);
int	 peer_latency(const struct peer *, int64_t now);
uint64_t path_quality(const struct peer_path *, int64_t now);

/* tell.c: lines of log about peers */
/* A packet goes to p by this path, which is not the one of pe_told. */
void	 tell_direct(struct node *, struct peer *, const struct path *);
/* A packet goes to p through this root. */
void	 tell_relayed(struct node *, int64_t now, struct peer *,
	    const struct peer *by);
/* A root answers on this path, or, NULL, it does not. */
void	 tell_root(struct node *, struct peer *, const struct path *);

/* explain.c: why a peer is relayed though its addresses were tried or not */
enum reason relayed_reason(const struct node *, int64_t now,
	    const struct peer *);

/* watch.c: peers of which something is expected within seconds */
void	 watch(struct node *, int64_t now, struct peer *);
void	 unwatch(struct node *, struct peer *);
/* A packet went out on this path of p. */
void	 watch_sent(struct node *, int64_t now, struct peer *, struct path *,
	    bool data);
/* This path of p is asked, and gone around until it answers. */
void	 path_must_answer(struct node *, int64_t now, struct peer *,
	    struct path *);
void	 watch_run(struct node *, int64_t now);
/* What was expected of it has come, perhaps: then we need not wake for it. */
void	 watch_settle(struct node *, struct peer *);

/* mtu.c: what a path carries */
/* The payload limit of a datagram there; pa may be NULL. */
unsigned path_mtu(const struct node *, const struct path *,
	    const struct inet_addr *);
/*
 * The same for a packet of this length, which may be above what the path was
 * found to carry if it would else come in more pieces than a receiver takes.
 */
unsigned packet_mtu(const struct node *, const struct path *,
	    const struct inet_addr *, size_t len);
/* The same for a packet that a root relays: the far side is not known. */
unsigned relay_mtu(const struct node *, const struct path *, size_t len);
/* A packet of this length is about to go there: is more known needed? */
void	 mtu_need(struct node *, int64_t now, struct peer *, struct path *,
	    size_t len);
/* Go on measuring; false when there is nothing to do. */
bool	 mtu_run(struct node *, int64_t now, struct peer *, struct path *);
/* The way there may be another one now: it is measured anew when needed. */
void	 mtu_doubt(struct path *);
/* A probe of this size was answered. */
void	 mtu_answered(struct node *, int64_t now, struct path *, size_t size);

/* reach.c: trying to reach a peer at addresses that others name */
enum reach_source {
	REACH_ROOT,		/* introduced by a root (4.6) */
	REACH_PEER,		/* it says so itself (4.8) */
	REACH_REDIRECT,		/* the same, and to go there only (9.6) */
	REACH_OWN		/* we know it from before, or it is configured */
};
void	 reach_suggest(struct node *, int64_t now, struct peer *,
	    uint32_t sock, const struct inet_addr *, enum reach_source);
/* Try what is due; false when nothing is left to be tried. */
bool	 reach_run(struct node *, int64_t now, struct peer *);
bool	 reach_pending(const struct peer *);
/* A path was learnt: its priority among others (9.6). */
unsigned reach_priority(const struct peer *, const struct inet_addr *);
void	 reach_free(struct peer *);
/* How many addresses were tried, when last, and whether all were refused
 * by the configuration. */
unsigned reach_tried(const struct peer *, int64_t *last, bool *forbidden);

/* limit.c: strangers, and addresses that nobody has confirmed */
int	 limits_new(struct node *);
void	 limits_free(struct node *);
/* One packet more from this neighbourhood that may cost us work? */
bool	 limit_stranger(struct node *, int64_t now, const struct inet_addr *);
/* So many bytes to an address where perhaps nobody is?  Notes them. */
bool	 limit_reply(struct node *, struct path *, size_t len);

/* replay.c */
int	 replay_new(struct node *);
void	 replay_free(struct node *);
/* A frame of this name may come: its place is fetched meanwhile. */
void	 replay_soon(const struct node *, uint64_t peer, uint64_t packet);
/* Was this accepted before?  Remembers it, if not. */
bool	 replay_seen(struct node *, uint64_t peer, uint64_t packet,
	    uint8_t verb);
/* The same for what may come by several ways, but once by each; *repeat: it
 * came by another way before. */
bool	 replay_seen_here(struct node *, uint64_t peer, uint64_t packet,
	    uint32_t sock, const struct inet_addr *from, bool *repeat);

/* topology.c: planet, moons, upstreams */
int	 topology_new(struct node *, int64_t now);
void	 topology_free(struct node *);
bool	 topology_is_root(const struct node *);	/* we are one */
int	 topology_role(const struct node *, uint64_t addr);
bool	 topology_is_upstream(const struct node *, uint64_t addr);
size_t	 topology_upstreams(const struct node *, const uint64_t **addrs);
/* Best upstream (10.4), NULL when no upstream is defined. */
struct peer *topology_best(struct node *, int64_t now);
/* Stable endpoints of an upstream; false when it may be anywhere. */
bool	 topology_restricts(const struct node *, uint64_t addr);
bool	 topology_endpoint_ok(const struct node *, uint64_t addr,
	    const struct inet_addr *);
/* A random stable endpoint of this family (4, 6); false when none. */
bool	 topology_endpoint(struct node *, uint64_t addr, unsigned family,
	    struct inet_addr *);
/* Offer a world received from this peer (11.3). */
void	 topology_offer(struct node *, int64_t now, const struct world *,
	    uint64_t from);
bool	 topology_is_seed(const struct node *, uint64_t addr);
/* A moon is wanted that has not come. */
bool	 topology_is_waiting(const struct node *);
void	 topology_hello_put(const struct node *, struct wbuf *);
size_t	 topology_hello_len(const struct node *);
/* Worlds newer than those a HELLO listed, behind each other. */
void	 topology_updates_put(const struct node *, struct wbuf *,
	    uint64_t planet, uint64_t planet_ts, const uint8_t *moons,
	    size_t nmoons);
void	 topology_each_seed(struct node *, void (*)(struct node *, int64_t,
	    uint64_t), int64_t now);

/* online.c: contact with the roots */
/* Greet and keep them; returns when to be called next. */
int64_t	 ping_roots(struct node *, int64_t now);
/* Keep in contact with a leaf: seeds, anchors, replicators. */
void	 ping_contact(struct node *, int64_t now, uint64_t addr);
/* A root was heard. */
void	 root_heard(struct node *, int64_t now);
/* A root fell silent: ask all at once. */
void	 root_lost(struct node *, int64_t now, struct peer *);
/* Once in a while: are we online, is something to be done about it?
 * Returns when to be called next. */
int64_t	 online_run(struct node *, int64_t now);
/* The host's network changed: everybody in use hears of it. */
void	 roam(struct node *, int64_t now);

/* receive.c */
int	 rxq_new(struct node *);
void	 rxq_free(struct node *);
/* An identity arrived, or 500 ms passed: try again what waits. */
void	 rxq_retry(struct node *, int64_t now);
void	 rxq_expire(struct node *, int64_t now);
bool	 rxq_empty(const struct node *);

/* send.c */
int	 txq_new(struct node *);
void	 txq_free(struct node *);
void	 txq_retry(struct node *, int64_t now);
bool	 txq_empty(const struct node *);
/* Begin a packet with a fresh id. */
void	 pkt_begin(struct node *, struct pkt *, uint64_t dest, uint8_t verb);
/*
 * Send through the normal pipeline (7): compress if asked, choose the path,
 * seal, fragment, expect a reply; or wait for the peer's identity.  The
 * packet is consumed; one that did not fit (pk bad) is dropped.
 */
void	 pkt_send(struct node *, int64_t now, struct pkt *, bool compress);
/*
 * The way that packets to a node take, chosen once for many of at most len
 * bytes: good until anything else is sent or comes in.  When there is none
 * the packets go through pkt_send(), which has them wait.
 */
struct pkt_way {
	struct peer	*pw_peer;	/* NULL: no way */
	struct path	*pw_path;
	enum packet_suite pw_suite;
	uint64_t	 pw_trusted;	/* id of the path, with SUITE_NONE */
	unsigned	 pw_mtu;
};
void	 pkt_way_find(struct node *, int64_t now, struct pkt_way *,
	    uint64_t dest, size_t len);
/* Send along it; the packet, which is for that node, is consumed. */
void	 pkt_send_along(struct node *, int64_t now, const struct pkt_way *,
	    struct pkt *);
/*
 * Begin an OK (in-re fields written) or ERROR to the sender of rx; send it
 * on the exact path the request came by.
 */
void	 pkt_begin_ok(struct node *, struct pkt *, const struct rx *);
void	 pkt_begin_error(struct node *, struct pkt *, const struct rx *,
	    uint8_t code);
void	 pkt_reply(struct node *, int64_t now, struct pkt *,
	    const struct rx *);
/* Seal for a peer and send to one address; expect: register the id. */
void	 pkt_send_to(struct node *, int64_t now, struct pkt *, struct peer *,
	    enum packet_suite, uint32_t sock, const struct inet_addr *,
	    bool expect);
enum packet_suite suite_for(const struct peer *);
/* The configured network that rules a physical address, NULL when none. */
const struct settings_physical *physical(const struct node *,
	    const struct inet_addr *);
uint64_t path_trusted_id(const struct node *, const struct inet_addr *);
/* Hand out bytes as they are, noting the path's last-out. */
void	 datagram_out(struct node *, int64_t now, struct path *,
	    const void *, size_t len);
/*
 * Remember the id of a request that goes there, and whether an answer is to
 * one (5.2); with from: to one that went to where the answer came from.
 */
void	 expect_add(struct node *, uint64_t packet, const struct inet_addr *);
bool	 expect_reply(const struct node *, uint64_t packet,
	    const struct inet_addr *from);

/* whois.c */
int	 whois_new(struct node *);
void	 whois_free(struct node *);
/*
 * Ask for an identity: the cache first, then the best upstream.  With
 * whois_stranger() nothing but a packet that anybody could have sent made us
 * want it; whois_recall() looks in the cache only.  Both load a few peers a
 * second from there and no more: each costs a validation.
 */
void	 whois_request(struct node *, int64_t now, uint64_t addr);
void	 whois_stranger(struct node *, int64_t now, uint64_t addr);
/* For a frame to many: whom others named as members may take half of the
 * places, and gives way to what we ourselves want. */
void	 whois_member(struct node *, int64_t now, uint64_t addr);
struct peer *whois_recall(struct node *, int64_t now, uint64_t addr);
/* Try this path when the identity has arrived (4.6). */
void	 whois_hint(struct node *, int64_t now, uint64_t addr, uint32_t sock,
	    const struct inet_addr *);
/* A peer became known, however: go on with what waited for it. */
void	 whois_answered(struct node *, int64_t now, struct peer *);
void	 whois_run(struct node *, int64_t now);
bool	 whois_empty(const struct node *);
bool	 whois_outstanding(const struct node *, uint64_t addr);

/* hello.c */
void	 hello_send(struct node *, int64_t now, struct peer *, uint32_t sock,
	    const struct inet_addr *to);
/*
 * A HELLO that came from there: sealed with suite 0 and not yet looked at,
 * or opened already, then authenticated is its sender.
 */
void	 hello_receive(struct node *, int64_t now, uint32_t sock,
	    const struct inet_addr *from, uint8_t *p, size_t len,
	    struct peer *authenticated, bool repeat);
/* Bytes of a HELLO of ours. */
size_t	 hello_len(const struct node *);
enum rx_result hello_ok(struct node *, int64_t now, struct rx *,
	    struct rbuf *);
/* Its path was confirmed: send the worlds that were kept back. */
void	 hello_owed(struct node *, int64_t now, struct peer *, struct path *);
void	 owed_free(struct node *, struct path *);
int	 idcheck_new(struct node *);
void	 idcheck_free(struct node *);

/* trace.c: a REMOTE_TRACE came */
void	 trace_received(struct node *, int64_t now, uint64_t from,
	    const char *, size_t len);

/* verbs.c: dispatch and the small verbs */
enum rx_result verb_dispatch(struct node *, int64_t now, struct rx *);

/* relay.c */
int	 relay_new(struct node *);
void	 relay_free(struct node *);
/* Forward what is for another node: a packet or a fragment (8.1). */
void	 relay(struct node *, int64_t now, uint32_t sock,
	    const struct inet_addr *from, uint8_t *p, size_t len);

/* surface.c: what others say our address is; pushing our addresses */
int	 surface_new(struct node *);
void	 surface_free(struct node *);
void	 surface_report(struct node *, int64_t now, const struct peer *,
	    const struct path *, const struct inet_addr *seen);
void	 surface_housekeeping(struct node *, int64_t now);
/* Forget what came by sockets that are closed. */
void	 surface_sweep(struct node *);
/* What the reports say of the NAT; family 4 or 6. */
enum nat_kind surface_nat(const struct node *, unsigned family);
/* Us, as this peer sees us; nil when it did not say. */
void	 surface_by(const struct node *, uint64_t peer, unsigned family,
	    struct inet_addr *);
/* The ports that a symmetric NAT is going to use next, as well as they can
 * be foretold; returns how many, 0 when there is no such NAT. */
size_t	 surface_foretell(const struct node *, struct inet_addr *,
	    size_t max);
/* What roots say, then what members of our networks say, one address each:
 * fit to be told others.  Returns how many. */
size_t	 surface_believed(struct node *, int64_t now,
	    struct inet_addr *, size_t max);

/* push.c: telling peers where we can be reached (12.3) */
void	 push_paths(struct node *, int64_t now, struct rx *);

/* ---- VL2 ------------------------------------------------------------ */

/* network.c: life cycle and configuration of the joined networks */
struct network *network_find(const struct node *, uint64_t nwid);
void	 networks_free(struct node *);
/* Requests, announcements that are due: with every ping check. */
void	 networks_tick(struct node *, int64_t now);
/* When the next of those is due. */
int64_t	 networks_due(const struct node *, int64_t now);
void	 networks_housekeeping(struct node *, int64_t now);
/* Would a path there lead into one of our own networks? */
bool	 networks_contain(const struct node *, const struct inet_addr *);
/* Anchors and replicators, to be kept in contact. */
void	 networks_each_contact(struct node *, void (*)(struct node *,
	    int64_t, uint64_t), int64_t now);
enum rx_result verb_network_config_request(struct node *, int64_t,
	    struct rx *, struct rbuf *);
enum rx_result verb_network_config(struct node *, int64_t, struct rx *,
	    struct rbuf *);
/* OK and ERROR: rb stands behind the in-re fields (and the error code). */
enum rx_result network_config_ok(struct node *, int64_t, struct rx *,
	    struct rbuf *);
enum rx_result network_error(struct node *, int64_t, struct rx *,
	    uint8_t in_re, uint64_t in_re_id, uint8_t code, struct rbuf *);

/* membership.c: credentials of others, the gate, pushing ours */
enum rx_result verb_network_credentials(struct node *, int64_t, struct rx *,
	    struct rbuf *);

/* ether.c: FRAME and EXT_FRAME, both ways */
enum rx_result verb_frame(struct node *, int64_t, struct rx *,
	    struct rbuf *);
enum rx_result verb_ext_frame(struct node *, int64_t, struct rx *,
	    struct rbuf *);

/* multicast.c: groups, members, gathering, sending */
int	 multicast_new(struct node *);
void	 multicast_free(struct node *);
/* Frames for many that wait for identities: this one's has come; ask again
 * for the others; are there any? */
void	 multicast_known(struct node *, int64_t now, uint64_t addr);
void	 multicast_retry(struct node *, int64_t now);
bool	 multicast_waiting(const struct node *);
enum rx_result verb_multicast_like(struct node *, int64_t, struct rx *,
	    struct rbuf *);
enum rx_result verb_multicast_gather(struct node *, int64_t, struct rx *,
	    struct rbuf *);
enum rx_result verb_multicast_frame(struct node *, int64_t, struct rx *,
	    struct rbuf *);
enum rx_result multicast_gather_ok(struct node *, int64_t, struct rx *,
	    struct rbuf *);
enum rx_result multicast_frame_ok(struct node *, int64_t, struct rx *,
	    struct rbuf *);

#endif /* CORE_CORE_H */
