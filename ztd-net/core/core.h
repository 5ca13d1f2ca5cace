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
#include "common/log.h"
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
#define FULL_HELLO_MS		60000
#define PATH_EXPIRY_MS		243000
#define UPSTREAM_CONTACT_MS	224000
#define LEAF_CONTACT_MS		28000
#define PEER_EXPIRY_MS		500000
#define TRUST_MS		600000
#define LATENCY_UNKNOWN		0xffff
#define PEERS_MAX		65536
#define PATHS_MAX		131072
#define MOONS_MAX		16

struct network;
struct membership;

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
	int64_t		 pa_last_confirm;	/* HELLO to learn it (9.3 c) */
	int64_t		 pa_doubt;	/* first unanswered probe; old if <= in */
	int64_t		 pa_last_probe;	/* of those */
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
	struct identity	 pe_id;
	struct packet_keys pe_keys;
	uint8_t		 pe_proto;	/* 0 unknown */
	uint8_t		 pe_major, pe_minor;
	uint16_t	 pe_rev;
	unsigned	 pe_npaths;
	struct peer_path pe_paths[NODE_PATHS];
	int64_t		 pe_created;
	int64_t		 pe_last_receive;	/* 0 never */
	int64_t		 pe_last_nontrivial;
	int64_t		 pe_last_trust;
	int64_t		 pe_last_full_hello;
	int64_t		 pe_last_push_sent;
	int64_t		 pe_last_whois_in;
	int64_t		 pe_last_hint;
	int64_t		 pe_push_time;		/* token bucket */
	unsigned	 pe_push_tokens;
	int64_t		 pe_confirm_time;	/* HELLOs to its new paths */
	unsigned	 pe_confirms;
	int64_t		 pe_cred_time;		/* gate of 03 11.5 */
	unsigned	 pe_cred_tokens;
	int64_t		 pe_saved;		/* to the cache */
	bool		 pe_unsaved;		/* a path was learnt since */
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
	const uint8_t	*rx_packet;	/* whole, clear */
	size_t		 rx_len;
	bool		 rx_again;	/* handled before, was told LATER */
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
	uint8_t		 ex_next[256];
	uint8_t		 ex_used[256];	/* entries that hold something */
};

RB_HEAD(path_tree, path);
RB_HEAD(peer_tree, peer);
RB_HEAD(network_tree, network);

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
	bool		 n_online;
	int64_t		 n_started;

	uint64_t	 n_pid_counter;		/* packet ids */
	uint64_t	 n_pid_key[2];

	struct peer_tree n_peers;
	size_t		 n_npeers;
	struct path_tree n_paths;
	size_t		 n_npaths;
	struct topology	*n_topology;
	struct rxq	*n_rxq;
	struct txq	*n_txq;
	struct whois	*n_whois;
	struct surface	*n_surface;
	struct introductions *n_intro;
	struct idcheck	*n_idcheck;
	struct expect	 n_expect;

	struct inet_addr *n_local;		/* bound addresses */
	size_t		 n_nlocal;
	struct inet_addr *n_virtual;		/* prefixes of our ports */
	size_t		 n_nvirtual;

	struct network_tree n_networks;
	size_t		 n_nnetworks;
	struct multicast *n_multicast;		/* member database */

	int64_t		 n_next_queue, n_next_ping, n_next_housekeeping;
	int64_t		 n_next_contact;	/* of silent upstreams */
	unsigned	 n_contacts;		/* tries in a row */
	int64_t		 n_last_beacon;
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
static inline bool
low_bandwidth(const struct node *n)
{
	return (n->n_settings.s_low_bandwidth != 0);
}

/* peer.c: the table of peers */
struct peer *peer_find(struct node *, uint64_t addr);
/* Also looks in the cache (10.5). */
struct peer *peer_lookup(struct node *, int64_t now, uint64_t addr);
/*
 * Add a peer whose identity was validated or comes from a world.  Returns
 * the existing one if it has the same identity; NULL for another identity
 * under that address, our own, a full table, or a bad key.
 */
struct peer *peer_add(struct node *, int64_t now, const struct identity *);
void	 peer_remove(struct node *, struct peer *);
void	 peer_save(struct node *, const struct peer *);
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

/* path.c: paths, and which of them a peer uses */
/* The one object of this pair; made if need be, NULL when too many. */
struct path *path_get(struct node *, int64_t now, uint32_t sock,
	    const struct inet_addr *);
struct path *path_find(struct node *, uint32_t sock,
	    const struct inet_addr *);
void	 paths_housekeeping(struct node *, int64_t now);
bool	 path_alive(const struct path *, int64_t now);
/* May this address be used with this peer (9.2)? */
bool	 path_allowed(struct node *, uint64_t peer, const struct inet_addr *);
/* Best path, NULL when none; expired: take expired ones, too (9.5). */
struct path *peer_best_path(const struct peer *, int64_t now, bool expired);
/* A direct path on which the peer was heard lately. */
struct path *peer_alive_path(const struct peer *, int64_t now);
int	 peer_latency(const struct peer *, int64_t now);
void	 peer_drop_path(struct peer *, unsigned i);
/* 9.3 NOTE-RECEIPT. */
void	 note_receipt(struct node *, int64_t now, struct rx *);
/* 10.3; returns bits 1 (IPv4) and 2 (IPv6) of what was sent. */
unsigned keepalive(struct node *, int64_t now, struct peer *);
/* 9.4: ECHO or HELLO to an address from a socket. */
void	 probe(struct node *, int64_t now, struct peer *, uint32_t sock,
	    const struct inet_addr *);
/* 12.2: probe and doubt every path of a scope and family. */
void	 paths_reset(struct node *, int64_t now, enum inet_scope,
	    unsigned family);
int	 path_cmp(const struct path *, const struct path *);
RB_PROTOTYPE(path_tree, path, pa_entry, path_cmp)

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
void	 topology_hello_put(const struct node *, struct wbuf *);
/* Worlds newer than those a HELLO listed, behind each other. */
void	 topology_updates_put(const struct node *, struct wbuf *,
	    uint64_t planet, uint64_t planet_ts, const uint8_t *moons,
	    size_t nmoons);
void	 topology_each_seed(struct node *, void (*)(struct node *, int64_t,
	    uint64_t), int64_t now);

/* receive.c */
int	 rxq_new(struct node *);
void	 rxq_free(struct node *);
/* An identity arrived, or 500 ms passed: try again what waits. */
void	 rxq_retry(struct node *, int64_t now);
void	 rxq_expire(struct node *, int64_t now);

/* send.c */
int	 txq_new(struct node *);
void	 txq_free(struct node *);
void	 txq_retry(struct node *, int64_t now);
/* Begin a packet with a fresh id. */
void	 pkt_begin(struct node *, struct pkt *, uint64_t dest, uint8_t verb);
/*
 * Send through the normal pipeline (7): compress if asked, choose the path,
 * seal, fragment, expect a reply; or wait for the peer's identity.  The
 * packet is consumed; one that did not fit (pk bad) is dropped.
 */
void	 pkt_send(struct node *, int64_t now, struct pkt *, bool compress);
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
unsigned path_mtu(const struct node *, const struct inet_addr *);
uint64_t path_trusted_id(const struct node *, const struct inet_addr *);
/* Hand out bytes as they are, noting the path's last-out. */
void	 datagram_out(struct node *, int64_t now, struct path *,
	    const void *, size_t len);
/* Remember the id of a request, and whether an answer is to one (5.2). */
void	 expect_add(struct node *, uint64_t packet);
bool	 expect_reply(const struct node *, uint64_t packet);

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
struct peer *whois_recall(struct node *, int64_t now, uint64_t addr);
/* Try this path when the identity has arrived (4.6). */
void	 whois_hint(struct node *, int64_t now, uint64_t addr, uint32_t sock,
	    const struct inet_addr *);
/* A peer became known, however: go on with what waited for it. */
void	 whois_answered(struct node *, int64_t now, struct peer *);
void	 whois_run(struct node *, int64_t now);
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
	    struct peer *authenticated);
enum rx_result hello_ok(struct node *, int64_t now, struct rx *,
	    struct rbuf *);
int	 idcheck_new(struct node *);
void	 idcheck_free(struct node *);

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
void	 push_paths(struct node *, int64_t now, struct rx *);

/* ---- VL2 ------------------------------------------------------------ */

/* network.c: life cycle and configuration of the joined networks */
struct network *network_find(const struct node *, uint64_t nwid);
void	 networks_free(struct node *);
/* Requests, announcements that are due: with every ping check. */
void	 networks_tick(struct node *, int64_t now);
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
