/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A joined network and what the files of VL2 share about it: memberships,
 * gate, groups, bridging, sending.  Spec: 03.  Only the VL2 files of core/
 * include this.
 *
 * Peers are named by address here; no struct peer is ever kept.
 */

#ifndef CORE_NETWORK_H
#define CORE_NETWORK_H

#include "common/address.h"
#include "ztd-net/core/core.h"
#include "ztd-net/core/filter.h"

/* Times in ms: 03 section 20. */
#define REQUEST_REFRESH_MS	60000
#define REQUEST_SPACING_MS	1000	/* the controller's own limit */
#define REQUEST_RETRY_MS	5000	/* while it does not answer */
#define LOW_BANDWIDTH_FACTOR	64
#define PUSH_IDLE_MS		500000
#define PUSH_ASKED_MS		1000
#define PUSH_SPACING_MS		1100
#define CREDENTIALS_MS		1000	/* one packet per peer and this */
#define CREDENTIALS_BURST	4
#define NEED_CERT_MS		1000	/* one ERROR 0x06 per peer and this */
#define ANNOUNCE_MS		60000
#define GROUP_BEHIND_MS		1200000
#define MEMBER_IDLE_MS		14400000
#define ROUTE_AGE_MS		600000

/* Bounds. */
#define MEMBERS_MAX		65536	/* records per network */
#define MEMBER_BYTES_MAX	(64 << 20)	/* of credentials, network */
#define MEMBER_COOS		16
#define MEMBER_REVOKED		256
#define GROUPS_OWN_MAX		4096
#define GROUPS_BEHIND_MAX	4096
#define ROUTES_MAX		16384
#define NEED_CERT_SLOTS		64
#define FLOOD_BRIDGES		32
#define CONTACTS_MAX		1024
#define CREDENTIALS_PACKET	9900	/* bytes in a push */
#define AUTH_URL_MAX		2048	/* with NUL */

/* A credential of a member that was revoked. */
struct revoked {
	uint8_t		 rk_type;	/* enum credential_type */
	uint32_t	 rk_id;
	int64_t		 rk_threshold;
};

/* A capability of a member, ready to be asked. */
struct held_cap {
	struct capability hc_cap;
	struct filter_program *hc_program;	/* owned */
};

/*
 * What we know of a member, filed under the address its credentials were
 * issued to (10.1).  The arrays are malloc'd and sorted by id.
 */
struct membership {
	RB_ENTRY(membership) mb_entry;
	uint64_t	 mb_addr;
	int64_t		 mb_seen;	/* last time it mattered */
	struct com	 mb_com;	/* com_n 0: none */
	int64_t		 mb_com_threshold;
	struct tag	*mb_tags;
	unsigned	 mb_ntags;
	struct held_cap	*mb_caps;
	unsigned	 mb_ncaps;
	struct coo	*mb_coos;
	unsigned	 mb_ncoos;
	struct revoked	*mb_revoked;
	unsigned	 mb_nrevoked;

	/* Agreement of mb_com with ours, kept until either changes. */
	bool		 mb_agrees;
	uint32_t	 mb_agrees_gen;		/* 0: to be computed */
	uint8_t		 mb_agrees_key[IDENTITY_KEYS];

	bool		 mb_announced;		/* ever, and when */
	int64_t		 mb_announced_at;
	uint32_t	 mb_pushed_gen;		/* 0: never */
	int64_t		 mb_pushed_at;
	unsigned	 mb_push_next;		/* 0: nothing more to push */
};

/* A MAC behind a remote bridge. */
struct route {
	RB_ENTRY(route)	 ro_entry;
	TAILQ_ENTRY(route) ro_age;
	uint64_t	 ro_mac;
	uint64_t	 ro_bridge;
	int64_t		 ro_seen;
};

struct group_behind {
	struct mgroup	 gb_group;
	int64_t		 gb_seen;
};

RB_HEAD(membership_tree, membership);
RB_HEAD(route_tree, route);
TAILQ_HEAD(route_list, route);

struct network {
	RB_ENTRY(network) nw_entry;
	uint64_t	 nw_id;
	uint64_t	 nw_mac;
	struct netconf	*nw_conf;	/* NULL: none */
	struct filter_rules *nw_rules;	/* of it; NULL with it */
	uint32_t	 nw_gen;	/* counts configurations, 0 none */
	bool		 nw_updated;	/* accepted in this run, and when */
	int64_t		 nw_updated_at;
	bool		 nw_requested;
	int64_t		 nw_requested_at;
	int64_t		 nw_request_wait;	/* ms until the next one */
	enum net_status	 nw_failure;	/* NET_OK: none */
	int		 nw_port_error;
	enum net_status	 nw_told;	/* status last logged */
	char		 nw_auth_url[AUTH_URL_MAX];
	struct netconf_assembly *nw_assembly;

	struct membership_tree nw_members;
	struct index	 nw_member_index; /* by address */
	size_t		 nw_nmembers;
	size_t		 nw_member_bytes;
	bool		 nw_evicted;	/* blank records, and when */
	int64_t		 nw_evicted_at;
	struct {
		uint64_t	addr;
		int64_t		at;
	}		 nw_need_cert[NEED_CERT_SLOTS];

	struct network_counters nw_counters;
	int64_t		 nw_watched;	/* until then (trace.c) */
	int64_t		 nw_watched_all;	/* the same, all of them */
	uint64_t	 nw_missed;	/* events that could not be told */
	int64_t		 nw_trace_time;	/* token bucket: REMOTE_TRACE */
	int		 nw_traces;

	struct mgroup	*nw_groups;	/* own, sorted */
	size_t		 nw_ngroups;
	struct group_behind *nw_behind;	/* of hosts we bridge, sorted */
	size_t		 nw_nbehind;
	bool		 nw_announced;
	int64_t		 nw_announced_at;
	int64_t		 nw_again_at;	/* once more, 0 no */

	struct route_tree nw_routes;
	struct route_list nw_route_ages;	/* oldest first */
	size_t		 nw_nroutes;
};

/* Outcome of offering a credential (10.2). */
enum cred_result {
	CRED_REJECTED,
	CRED_NEW,
	CRED_REDUNDANT,
	CRED_DEFERRED		/* signer unknown, asked for */
};

int	 network_cmp(const struct network *, const struct network *);
RB_PROTOTYPE(network_tree, network, nw_entry, network_cmp)
int	 membership_cmp(const struct membership *, const struct membership *);
RB_PROTOTYPE(membership_tree, membership, mb_entry, membership_cmp)
int	 route_cmp(const struct route *, const struct route *);
RB_PROTOTYPE(route_tree, route, ro_entry, route_cmp)

/* network.c */
/* The port or the API must know: status or configuration changed. */
void	 network_changed(struct node *, struct network *);
/* Note a failure that the controller reported; the configuration stays. */
void	 network_fail(struct node *, struct network *, enum net_status);
/* Ask the controller, or derive an ad-hoc configuration. */
void	 network_request(struct node *, int64_t now, struct network *);
static inline bool
network_has_role(const struct network *nw, uint64_t addr, uint64_t role)
{
	return (nw->nw_conf != NULL &&
	    (netconf_roles(nw->nw_conf, addr) & role) != 0);
}

/* config.c: configurations as they arrive, and errors instead of them */
/*
 * Put a configuration in force; takes nc over.  ts_floor: refuse one that
 * is older than the one we have.  Returns false (nc is freed) when it is
 * not for us.
 */
bool	 config_apply(struct node *, int64_t now, struct network *,
	    struct netconf *nc, bool ts_floor);
void	 config_load(struct node *, struct network *);

/* membership.c: the records and what is in them */
struct membership *membership_find(const struct network *, uint64_t addr);
/* Found or made; NULL when memory or the table is full. */
struct membership *membership_get(struct network *, int64_t now,
	    uint64_t addr);
void	 memberships_free(struct network *);
void	 memberships_housekeeping(struct network *, int64_t now);
enum cred_result membership_add_com(struct node *, int64_t now,
	    struct network *, const struct com *);
enum cred_result membership_add_tag(struct node *, int64_t now,
	    struct network *, const struct tag *);
enum cred_result membership_add_capability(struct node *, int64_t now,
	    struct network *, const struct capability *);
enum cred_result membership_add_coo(struct node *, int64_t now,
	    struct network *, const struct coo *);
/* Does not pass it on. */
enum cred_result membership_add_revocation(struct node *, int64_t now,
	    struct network *, const struct revocation *);
/* Use-time checks (10.3); mb may be NULL. */
bool	 membership_allowed(const struct network *, struct membership *,
	    const struct identity *);
/* Why it is not; mb may be NULL. */
enum why membership_why(const struct network *, const struct membership *);
bool	 membership_counts(const struct network *, const struct membership *,
	    enum credential_type, uint32_t id, int64_t ts);
const struct tag *membership_tag(const struct network *,
	    const struct membership *, uint32_t id);
bool	 membership_owns_ip(const struct network *,
	    const struct membership *, const struct inet_addr *);
bool	 membership_owns_mac(const struct network *,
	    const struct membership *, uint64_t mac);

/* credentials.c: the gate; credentials on the wire, both ways */
/* May this peer send to the network?  Also announces our groups to it. */
bool	 gate(struct node *, int64_t now, struct network *, struct rx *);
/* The gate for a frame: on false the ERROR was sent, if one was due. */
bool	 gate_or_complain(struct node *, int64_t now, struct network *,
	    struct rx *, const struct filter_frame *);
/*
 * May this peer make us verify signatures?  A burst, then one packet a
 * second; a packet that waited has paid already.
 */
bool	 credentials_admitted(int64_t now, struct rx *rx);
/* A COM that came inside another message. */
void	 credentials_inline_com(struct node *, int64_t now,
	    struct network *, struct rx *, const struct com *);
/* Push ours to a member unless done within interval ms (10.4). */
void	 credentials_push(struct node *, int64_t now, struct network *,
	    uint64_t to, int64_t interval);
/* Go on with pushes that took more than one packet. */
void	 credentials_tick(struct node *, int64_t now, struct network *);
/* When that has something to do, INT64_MAX: never. */
int64_t	 credentials_due(const struct network *);
/* Add a revocation and, if new and to be spread, pass it on (10.2). */
enum cred_result credentials_revocation(struct node *, int64_t now,
	    struct network *, const struct revocation *, uint64_t from);
void	 credentials_put_revocation(struct wbuf *, const void *rev,
	    size_t len);

/* ether.c */
/* Give a frame to the port if it fits its MTU. */
void	 ether_deliver(struct node *, const struct network *, uint64_t dst,
	    uint64_t src, uint16_t type, const uint8_t *p, size_t len);
/* The same for one that came from a member, which is counted. */
void	 ether_deliver_in(struct node *, int64_t now, struct network *,
	    const struct filter_frame *);
/* A frame of the host's, whole: out, or wherever it belongs. */
void	 ether_send(struct node *, int64_t now, struct network *,
	    uint64_t dst, uint64_t src, uint16_t type, const uint8_t *p,
	    size_t len);
void	 ether_send_ext(struct node *, int64_t now,
	    const struct network *, uint64_t to, uint8_t flags, uint64_t dst,
	    uint64_t src, uint16_t type, const uint8_t *p, size_t len,
	    bool compress);

/* offload.c */
/* A frame of the host's that is to be cut, or lacks its checksum. */
void	 offload_send(struct node *, int64_t now, struct network *,
	    const struct offload *, uint64_t dst, uint64_t src,
	    uint16_t type, const uint8_t *p, size_t len);

/* verdict.c */
/*
 * The outbound decision for one recipient (16.4), copies and redirection
 * included.  copies: whether copies are allowed.  true: send it.
 */
bool	 ether_filter_out(struct node *, int64_t now, struct network *,
	    bool copies, uint64_t dest_node, uint64_t dst, uint64_t src,
	    uint16_t type, const uint8_t *p, size_t len);
/*
 * The same for all segments of a super-frame to a member at once, when none
 * of the rules can tell one from another.  false: ask for each.
 */
bool	 ether_filter_once(struct node *, int64_t now, struct network *,
	    const struct filter_frame *);
/* The inbound decision (16.5): 0 drop, 1 accept, 2 super-accept. */
int	 ether_filter_in(struct node *, int64_t now, struct network *,
	    const struct filter_frame *, const struct rx *);

/* trace.c: what becomes of frames and credentials */
/*
 * Count a frame, and tell those who want to know.  fd: what the rules said,
 * or NULL; rx: how it came, or NULL.
 */
void	 trace_frame(struct node *, int64_t now, struct network *,
	    const struct filter_frame *, enum why,
	    const struct filter_decision *fd, const struct rx *rx);
void	 trace_credential(struct node *, int64_t now, struct network *,
	    enum credential_type, uint32_t id, int64_t ts, uint64_t to,
	    enum why);
/* Is a log of the rules wanted?  If so, tell of one decision. */
bool	 trace_wants_log(const struct network *);
void	 trace_filter(struct node *, int64_t now, struct network *,
	    const struct filter_frame *, const struct filter_decision *,
	    const struct filter_log *, bool copies);

/* bridge.c */
void	 bridge_learn(struct network *, int64_t now, uint64_t mac,
	    uint64_t bridge);
/* The bridge a MAC is behind, 0 when not known. */
uint64_t bridge_route(const struct network *, uint64_t mac);
void	 bridge_send(struct node *, int64_t now, struct network *,
	    uint64_t dst, uint64_t src, uint16_t type, const uint8_t *p,
	    size_t len);
void	 bridge_housekeeping(struct network *, int64_t now);
void	 bridge_free(struct network *);

/* ndp.c */
/* Answer an IPv6 neighbour solicitation; false: it is no such frame. */
bool	 ndp_emulate(struct node *, const struct network *, uint64_t src,
	    uint16_t type, const uint8_t *p, size_t len);
/* The group an ARP request is sent to; false: it is not one. */
bool	 arp_group(struct mgroup *, uint16_t type, const uint8_t *p,
	    size_t len);

/* announce.c: our groups, and telling others of them */
int	 mgroup_cmp(const struct mgroup *, const struct mgroup *);
/* Own or behind us; not the implied broadcast group. */
bool	 groups_has(const struct network *, const struct mgroup *);
void	 groups_behind(struct node *, int64_t now, struct network *,
	    const struct mgroup *);
void	 groups_housekeeping(struct network *, int64_t now);
void	 groups_free(struct network *);
/* All groups to one member. */
void	 announce_to(struct node *, int64_t now, const struct network *,
	    uint64_t to);
/* All groups to controller, upstreams, anchors, replicators. */
void	 announce_all(struct node *, int64_t now, struct network *);
void	 announce_tick(struct node *, int64_t now, struct network *);
/*
 * Addresses that are told of our groups: controller, upstreams, anchors,
 * replicators; never ourselves, no duplicates.  At most CONTACTS_MAX.
 */
size_t	 network_contacts(struct node *, const struct network *,
	    uint64_t dst[CONTACTS_MAX]);

/* multicast.c: who is in a group */
struct mc_queued;
TAILQ_HEAD(mc_queue, mc_queued);

struct mc_member {
	uint64_t	 mm_addr;
	int64_t		 mm_seen;
};

/* A group of a network; members sorted by address. */
struct mc_group {
	RB_ENTRY(mc_group) mg_entry;
	uint64_t	 mg_nwid;
	struct mgroup	 mg_group;
	struct mc_member *mg_members;
	size_t		 mg_n, mg_size;
	bool		 mg_gathered;		/* asked for members, and */
	int64_t		 mg_gathered_at;	/* when */
	bool		 mg_asked;		/* by a frame of ours as well, */
	int64_t		 mg_asked_at;		/* and when */
	TAILQ_ENTRY(mc_group) mg_queues;	/* while there is a queue */
	struct mc_queue	 mg_queue;		/* oldest first */
	unsigned	 mg_nqueue;
};

/* Announcements of one node, over all groups. */
struct mc_source {
	RB_ENTRY(mc_source) ms_entry;
	uint64_t	 ms_addr;
	unsigned	 ms_n;
};

/* Our controller sent a configuration: 11.3. */
struct mc_grant {
	RB_ENTRY(mc_grant) mr_entry;
	TAILQ_ENTRY(mc_grant) mr_age;
	uint64_t	 mr_nwid;
	uint64_t	 mr_addr;
	int64_t		 mr_at;
};

RB_HEAD(mc_group_tree, mc_group);
TAILQ_HEAD(mc_group_list, mc_group);
RB_HEAD(mc_source_tree, mc_source);
RB_HEAD(mc_grant_tree, mc_grant);
TAILQ_HEAD(mc_grant_list, mc_grant);

struct multicast {
	struct mc_group_tree mc_groups;
	size_t		 mc_ngroups;
	size_t		 mc_nmembers;	/* over all groups */
	struct mc_group_list mc_queues;	/* groups with queued frames */
	size_t		 mc_nqueued;	/* and how many these are */
	struct mc_source_tree mc_sources;
	struct mc_grant_tree mc_grants;
	struct mc_grant_list mc_grant_ages;	/* oldest first */
	size_t		 mc_ngrants;
};

int	 mc_group_cmp(const struct mc_group *, const struct mc_group *);
RB_PROTOTYPE(mc_group_tree, mc_group, mg_entry, mc_group_cmp)
int	 mc_source_cmp(const struct mc_source *, const struct mc_source *);
RB_PROTOTYPE(mc_source_tree, mc_source, ms_entry, mc_source_cmp)
int	 mc_grant_cmp(const struct mc_grant *, const struct mc_grant *);
RB_PROTOTYPE(mc_grant_tree, mc_grant, mr_entry, mc_grant_cmp)

struct mc_group *multicast_find(const struct node *, uint64_t nwid,
	    const struct mgroup *);
/*
 * Found or made; NULL when memory or the table is full.  ours: for a frame
 * of ours, for which there is some room that others cannot take.
 */
struct mc_group *multicast_get(struct node *, uint64_t nwid,
	    const struct mgroup *, bool ours);
/* Record a member; a newly recorded one gets what is queued. */
void	 multicast_add(struct node *, int64_t now, uint64_t nwid,
	    const struct mgroup *, uint64_t addr);
void	 multicast_remove(struct node *, uint64_t nwid,
	    const struct mgroup *, uint64_t addr);
void	 multicast_forget(struct node *, uint64_t nwid);
/* Queued frames that are too old. */
void	 multicast_tick(struct node *, int64_t now);
void	 multicast_housekeeping(struct node *, int64_t now);
void	 multicast_grant(struct node *, int64_t now, uint64_t nwid,
	    uint64_t addr);
/* Has our controller sent this node a configuration lately? */
bool	 multicast_granted(const struct node *, int64_t now, uint64_t nwid,
	    uint64_t addr);
/*
 * All members of a group, each once, from a random place on in random
 * steps: no copy, however large the group.  The group must not change
 * meanwhile.  mc_walk_next returns 0 after the last.
 */
struct mc_walk {
	const struct mc_group *mw_group;
	size_t		 mw_at, mw_step, mw_left;
};
void	 mc_walk_init(struct node *, struct mc_walk *,
	    const struct mc_group *);
uint64_t mc_walk_next(struct mc_walk *);

/* mcsend.c: sending to a group */
/*
 * origin: a node never to send to, or 0.  src: the source MAC to name, or
 * 0 for our own, which is not named.  false: there is no room for it.
 */
bool	 multicast_send(struct node *, int64_t now, struct network *,
	    uint64_t origin, const struct mgroup *, uint64_t src,
	    uint16_t type, const uint8_t *p, size_t len);
/* A new member: send it what is queued. */
void	 multicast_serve(struct node *, int64_t now, struct network *,
	    struct mc_group *, uint64_t addr);
/* Drop queued frames that are too old, or all. */
void	 multicast_expire(struct node *, struct mc_group *, int64_t now,
	    bool all);

#endif /* CORE_NETWORK_H */
