/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The network controller: its state, and what its parts offer each other.
 * Spec: 04.
 *
 * Nothing here does I/O of its own but the file store (db.h): the time
 * comes in as an argument (ms since 1970), messages go out through a table
 * of callbacks.  main.c puts it on an event loop; the tests drive it with a
 * clock of their own.
 */

#ifndef ZTD_CONTROLLER_CONTROLLER_H
#define ZTD_CONTROLLER_CONTROLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/concount.h"
#include "common/histogram.h"
#include "common/identity.h"
#include "common/inet.h"
#include "common/netconf.h"
#include "common/packet.h"
#include "common/rules.h"

/* Bounds. */
#define ELEMENTS_MAX	16384	/* of an array in a POST (13.4) */
#define NETWORKS_MAX	65536
#define MEMBERS_MAX	262144	/* of one network */
#define STRANGERS_MAX	16384	/* unauthorized ones made by requests */

#define ONLINE_MS	120000	/* asked within this time: online */
#define REQUEST_GAP_MS	1000	/* requests closer than this are dropped */
#define PUSH_DELAY_MS	100	/* changes are collected for this long */
#define EXPIRY_MS	500	/* how often expired log-ins are looked for */

#define PACKET_PUSH	0	/* "packet id" of what nobody asked for */

struct db;
struct status_table;
struct wrong;

/* A member: its record, and what is looked up often. */
struct member {
	uint64_t	 m_addr;
	json_t		*m_record;
	bool		 m_authorized;
	bool		 m_bridge;
	bool		 m_unsaved;	/* the file is not like the record */
	unsigned	 m_nips;
	struct inet_addr *m_ips;	/* ia_port 0 */
};

/* A network: its record, its members by address, its compiled tables. */
struct network {
	uint64_t	 n_nwid;
	json_t		*n_record;
	bool		 n_unsaved;	/* the file is not like the record */
	struct member	**n_members;	/* ascending m_addr */
	size_t		 n_nmembers;
	size_t		 n_size;
	size_t		 n_nbridges;
	size_t		 n_nauthorized;
	unsigned	 n_nroutes;
	struct netconf_route n_routes[NETCONF_ROUTES];
	unsigned	 n_nrules;
	struct rule	*n_rules;
};

/*
 * What leaves the controller.  wake asks for controller_push() after
 * PUSH_DELAY_MS; asking again meanwhile changes nothing.
 */
struct con_output {
	void	(*config)(void *arg, uint64_t nwid, uint64_t to,
		    uint64_t packet, const uint8_t *block, size_t len,
		    bool last);
	void	(*error)(void *arg, uint64_t nwid, uint64_t to,
		    uint64_t packet, enum packet_error, const uint8_t *data,
		    size_t len);
	void	(*revocation)(void *arg, uint64_t nwid, uint64_t to,
		    const uint8_t *p, size_t len);
	void	(*wake)(void *arg);
};

struct controller {
	struct identity	 c_id;		/* with the private half */
	bool		 c_have_id;
	int64_t		 c_now;		/* of the call in progress */
	struct network	**c_networks;	/* ascending n_nwid */
	size_t		 c_nnetworks;
	size_t		 c_size;
	struct status_table *c_status;
	struct db	*c_db;
	bool		 c_awake;	/* wake was called */
	uint64_t	 c_counts[CON_COUNT];	/* but for the gauges */
	struct histogram c_requests;	/* us */
	const struct con_output *c_out;
	void		*c_arg;
};

/* ---- controller.c: life ---------------------------------------------- */

/*
 * A controller that keeps its records in db (taken over, already open) and
 * loads what is there.
 */
void	 controller_init(struct controller *, struct db *,
	    const struct con_output *, void *arg);
void	 controller_clear(struct controller *);
/*
 * The node's identity in its secret text form.  Returns NULL, or a static
 * sentence saying why it cannot be used.
 */
const char *controller_identity(struct controller *, const char *text);
/* What it counts, and the gauges. */
void	 controller_counts(const struct controller *, uint64_t[CON_COUNT]);
/* Push what has changed. */
void	 controller_push(struct controller *, int64_t now);
/* Periodic: log-ins that ran out, forgetting who is long gone. */
void	 controller_tick(struct controller *, int64_t now);

/* ---- request.c: a member asks (8) ------------------------------------ */

/*
 * A NETWORK_CONFIG_REQUEST of this identity with this packet id, which is
 * not PACKET_PUSH.  meta is its dictionary.
 */
void	 request_receive(struct controller *, int64_t now, uint64_t nwid,
	    uint64_t packet, const struct identity *, const void *meta,
	    size_t len);
/*
 * Decide and answer; with PACKET_PUSH send only a configuration.  No rate
 * gate.
 */
void	 request_process(struct controller *, uint64_t nwid, uint64_t packet,
	    const struct identity *, const void *meta, size_t len);

/* ---- api.c: the operator asks (3) ------------------------------------ */

#define API_BODY_MAX	(16 * 1024 * 1024)

enum con_method {
	METHOD_GET,
	METHOD_POST,
	METHOD_DELETE
};

/*
 * One exchange; path is what follows "/controller" (messages.h).  Returns
 * the HTTP status; *out is malloc'd text of *outlen bytes, the caller's, or
 * NULL for an empty body.
 */
unsigned api_handle(struct controller *, int64_t now, enum con_method,
	    const char *path, const char *body, size_t len, char **out,
	    size_t *outlen);

/* ---- network.c, member.c: records (4, 5) ----------------------------- */

/* Add what a record lacks. */
void	 network_defaults(json_t *record, int64_t now);
void	 member_defaults(json_t *record, int64_t now);
/*
 * Take over the writable fields of a posted body, which may be anything.
 * When a mistake is noted the record is half changed and must be thrown
 * away.
 */
void	 network_post(json_t *record, const json_t *body, struct wrong *);
void	 member_post(json_t *record, const json_t *body, int64_t now,
	    struct wrong *);
/*
 * The posted value of a key, or NULL; also when the record has the very
 * same, so that what was read can always be sent back, whatever is in it.
 */
json_t	*record_posted(const json_t *record, const json_t *body,
	    const char *key);
/* The fields of remote trace, which both have. */
void	 record_post_trace(json_t *record, const json_t *body,
	    struct wrong *);
/* Stamp the record as authorized now, by credential type and token. */
void	 member_authorize(json_t *record, int64_t now, const char *type,
	    const char *token);
/* Set id, nwid (and address); remove what is never stored. */
void	 network_finish(json_t *record, uint64_t nwid);
void	 member_finish(json_t *record, uint64_t nwid, uint64_t addr);
/* Bring the looked-up fields of the struct up to its record. */
void	 network_compile(struct network *);
void	 member_compile(struct member *);

/* ---- store.c: the tables, saving (7.4) ------------------------------- */

struct network *store_network(const struct controller *, uint64_t nwid);
struct member *store_member(const struct network *, uint64_t addr);
/*
 * Save a record (the reference is taken): unless it equals the one in
 * memory its revision is counted up, it is written to disk and replaces the
 * old one.  notify: push to whom it concerns, revoke when a member lost its
 * authorization.  Returns the record as it now stands (borrowed), or NULL
 * when a table is full or a new network cannot be written.  Other changes
 * that cannot be written are in force all the same, and are written again
 * when the record is next saved (n_unsaved, m_unsaved).
 */
json_t	*store_save_network(struct controller *, uint64_t nwid,
	    json_t *record);
json_t	*store_save_member(struct controller *, struct network *,
	    uint64_t addr, json_t *record, bool notify);
/* Forget and delete from disk.  No revocation. */
void	 store_erase_network(struct controller *, struct network *);
void	 store_erase_member(struct controller *, struct network *,
	    struct member *);
/* Put a loaded record into the tables (reference taken).  0, or -1: full. */
int	 store_load_network(struct controller *, uint64_t nwid,
	    json_t *record);
int	 store_load_member(struct controller *, struct network *,
	    uint64_t addr, json_t *record);
void	 store_clear(struct controller *);

/* ---- active.c: who is there ------------------------------------------ */

/* The request just received came from here; nil: it was relayed. */
void	 active_note(struct controller *, uint64_t nwid, uint64_t addr,
	    const struct inet_addr *from);
/* The members that are online, by address; a new reference. */
json_t	*active_list(struct controller *, const struct network *);

/* ---- push.c: telling members about changes (11) ----------------------- */

/* Mark for controller_push(). */
void	 push_network(struct controller *, uint64_t nwid);
void	 push_member(struct controller *, uint64_t nwid, uint64_t addr);
void	 push_run(struct controller *);
/* Revoke a member's certificate towards everybody online there. */
void	 push_revoke(struct controller *, uint64_t nwid, uint64_t target);
/* The same for all members of a network. */
void	 push_revoke_all(struct controller *, const struct network *);

/* ---- assign.c: addresses (10) ----------------------------------------- */

/*
 * Fill nc_ips of a configuration whose routes are in place; new addresses
 * are appended to the member's record.  Sets NETCONF_NDP.
 */
void	 assign_addresses(const struct network *, uint64_t addr,
	    json_t *record, struct netconf *);

/* ---- config.c: building the configuration (9) -------------------------- */

/*
 * Build the configuration of a member from its network and record, which
 * gets new addresses, tags and, with fresh (first seen in this very
 * request), capabilities.  nc must be zeroed; netconf_clear() it.
 */
void	 config_build(struct controller *, const struct network *,
	    const struct identity *, json_t *record, const void *meta,
	    size_t len, bool fresh, struct netconf *nc);
/* Encode, cut and sign, and send. */
void	 config_send(struct controller *, const struct netconf *,
	    uint64_t packet);

#endif /* ZTD_CONTROLLER_CONTROLLER_H */
