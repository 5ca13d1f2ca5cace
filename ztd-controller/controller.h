/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The network controller: its state, and what its parts offer each other.
 * Spec: 04.
 *
 * Nothing here does I/O of its own but the database (db.h): the time
 * comes in as an argument (ms since 1970), messages go out through a table
 * of callbacks.  main.c puts it on an event loop; the tests drive it with a
 * clock of their own.
 */

#ifndef ZTD_CONTROLLER_CONTROLLER_H
#define ZTD_CONTROLLER_CONTROLLER_H

#include <sys/queue.h>

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
#include "ztd-controller/db.h"
#include "ztd-controller/ipset.h"
#include "ztd-controller/roll.h"
#include "ztd-controller/sheet.h"
#include "ztd-controller/spread.h"
#include "ztd-controller/text.h"

/* Bounds. */
#define ELEMENTS_MAX	16384	/* of an array in a POST (13.4) */
#define NETWORKS_MAX	65536
#define MEMBERS_MAX	262144	/* of one network */
#define STRANGERS_MAX	16384	/* unauthorized ones made by requests */

#define ONLINE_MS	120000	/* asked within this time: online */
#define REQUEST_GAP_MS	1000	/* requests closer than this are dropped */
#define PUSH_DELAY_MS	100	/* changes are collected for this long */
#define PUSH_GAP_MS	3	/* between parts of long pushes */
#define EXPIRY_MS	500	/* how often expired log-ins are looked for */

#define PACKET_PUSH	0	/* "packet id" of what nobody asked for */

struct bulk;
struct change;
struct change_set;
struct grant;
struct parked;
struct status_table;
struct wrong;

/*
 * A member: its record as text, since there may be very many of them, and
 * what is looked up often.
 */
struct member {
	uint64_t	 m_addr;
	struct text	*m_text;
	uint64_t	 m_serial;	/* another one with each change */
	int32_t		 m_revision;
	bool		 m_authorized;
	bool		 m_bridge;
};

/* What a network's record says to all its members alike (9.1). */
struct network_terms {
	int64_t		 nt_delta;	/* of credentials, ms */
	uint64_t	 nt_revision;
	uint64_t	 nt_flags;	/* NETCONF_* */
	uint32_t	 nt_mtu;
	uint32_t	 nt_mclimit;
	bool		 nt_public;
	bool		 nt_login;	/* members must log in */
	char		 nt_name[NETCONF_NAME];
};

/*
 * A network: its record, its members by address, its compiled tables.  A
 * record is never changed in place, only replaced.
 */
struct network {
	uint64_t	 n_nwid;
	json_t		*n_record;
	uint64_t	 n_serial;	/* another one with each change */
	struct member	**n_members;	/* ascending m_addr */
	size_t		 n_nmembers;
	size_t		 n_size;
	bool		 n_unsorted;	/* while loading only */
	uint64_t	*n_bridges;	/* ascending addresses */
	size_t		 n_nbridges;
	size_t		 n_bridgesize;
	size_t		 n_nauthorized;
	struct ipset	 n_ips;		/* of all members, and those that
					 * changes on their way will add */
	bool		 n_full4;	/* IPv4 pools have no address left */
	size_t		 n_npending;	/* members being changed */
	bool		 n_closing;	/* wants to be erased */
	struct network_terms n_terms;
	struct roll	*n_roll;	/* its list of members, or NULL */
	unsigned	 n_nroutes;
	struct netconf_route *n_routes;
	unsigned	 n_nrules;
	struct rule	*n_rules;
	struct netconf_shared *n_shared; /* of the above, once wanted */
};

/*
 * What leaves the controller.  wake asks for controller_push() after so many
 * milliseconds; asking again meanwhile changes nothing.  room says whether
 * what nobody asked for may be sent now, or should wait.
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
	void	(*wake)(void *arg, unsigned ms);
	bool	(*room)(void *arg);
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
	uint64_t	 c_serial;	/* the last one given */
	struct change_set *c_set;	/* being collected, or NULL */
	struct change	**c_pending;	/* on their way: a hash table */
	size_t		 c_npending;	/* new networks among them */
	TAILQ_HEAD(, parked) c_parked;	/* waiting for them */
	size_t		 c_nparked;
	struct roll_list c_rolls;	/* used longest ago: first */
	size_t		 c_nrolls;
	struct roll	*c_roll;	/* the list of networks, or NULL */
	struct netconf_room *c_room;	/* for dictionaries */
	struct netconf	 c_nc;		/* of the request in progress */
	struct bulk	*c_bulk;	/* exports and imports under way */
	struct spread_list c_spreads;	/* revocations on their way */
	size_t		 c_nspread;	/* their receivers */
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
/*
 * What was on its way to disk has arrived, perhaps: when db_thread()'s
 * descriptor is readable.
 */
void	 controller_poll(struct controller *, int64_t now);
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
 * One exchange; path is what follows "/controller" (messages.h).  done gets
 * the HTTP status and malloc'd text of len bytes, or a sheet instead, which it
 * owns; both NULL is an empty body: at once, or when what was changed is
 * durable.
 */
typedef void (*api_done)(void *arg, unsigned code, char *out, size_t len,
	    struct sheet *);
struct api_call;
/* NULL when done was called already, else for api_forget(). */
struct api_call *api_start(struct controller *, int64_t now, enum con_method,
	    const char *path, const char *body, size_t len, api_done done,
	    void *arg);
/* Nobody wants to know any more; what is under way goes on. */
void	 api_forget(struct api_call *);
/*
 * The same, waiting for the end: returns the status; *out and *outlen are
 * the caller's.
 */
unsigned api_handle(struct controller *, int64_t now, enum con_method,
	    const char *path, const char *body, size_t len, char **out,
	    size_t *outlen);

/* ---- bulk.c: many records at once --------------------------------------- */

void	 bulk_free(struct bulk *);
/* Forget those that nobody went on with. */
void	 bulk_expire(struct controller *);

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
void	 member_compile(struct member *, const json_t *record);
/*
 * The next of the addresses of a record from index *i on, which is moved
 * behind it; ia_port is 0.  False at the end.
 */
bool	 member_ip(const json_t *record, size_t *i, struct inet_addr *);

/* ---- store.c: the tables, saving (7.4) ------------------------------- */

struct network *store_network(const struct controller *, uint64_t nwid);
struct member *store_member(const struct network *, uint64_t addr);
/* The index of the first member whose address is not below this one. */
size_t	 store_member_from(const struct network *, uint64_t addr);
/* What a member's record says: a new reference, the caller's to change. */
json_t	*member_record(const struct member *);

/*
 * Changes are made in sets: store_begin(), any of store_save_* and
 * store_erase_*, store_commit().  Nothing is changed in memory before it is
 * durable.
 *
 * Save a record (the reference is taken): unless it equals the one in
 * memory its revision is counted up and it becomes part of the set.  notify:
 * then push to whom it concerns, revoke when a member lost its
 * authorization.  Returns the record as it is going to stand (borrowed, as
 * long as the set is open), or NULL when a table is full.
 */
void	 store_begin(struct controller *);
/* Records of this set are taken as they are, with their revisions. */
void	 store_exact(struct controller *);
json_t	*store_save_network(struct controller *, uint64_t nwid,
	    json_t *record);
json_t	*store_save_member(struct controller *, struct network *,
	    uint64_t addr, json_t *record, bool notify);
/* Forget and delete from disk; members' certificates are revoked. */
void	 store_erase_network(struct controller *, struct network *);
void	 store_erase_member(struct controller *, struct network *,
	    struct member *);
/*
 * STORE_NOTHING: the set is empty, done is not called.  STORE_BUSY: another
 * change of one of the records is on its way; the set is thrown away, start
 * again after store_park().  STORE_DONE: done is called, perhaps it was
 * already, with 0 or an errno: then nothing has changed.
 */
enum store_end { STORE_NOTHING, STORE_BUSY, STORE_DONE };
enum store_end store_commit(struct controller *, db_done done, void *arg);
/* A change of this record (addr 0: the network's) is on its way. */
bool	 store_pending(const struct controller *, uint64_t nwid,
	    uint64_t addr);
/* Throw the set away. */
void	 store_abort(struct controller *);
/* Run this when some change has arrived; -1: too many wait already. */
int	 store_park(struct controller *, void (*run)(struct controller *,
	    void *arg), void *arg);

/* Read everything from the database. */
void	 store_load(struct controller *);
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
/* controller_push() is wanted after PUSH_DELAY_MS. */
void	 push_wake(struct controller *);
/* Revoke a member's certificate towards everybody online there. */
void	 push_revoke(struct controller *, uint64_t nwid, uint64_t target);
/* The same for all members of a network. */
void	 push_revoke_all(struct controller *, const struct network *);

/* ---- assign.c: addresses (10) ----------------------------------------- */

/*
 * Fill nc_ips of a configuration whose routes are in place; new addresses
 * are appended to the member's record.  Sets NETCONF_NDP.  True when nothing
 * was looked for in pools, so that the same record would get the same again.
 */
bool	 assign_addresses(struct network *, uint64_t addr, json_t *record,
	    struct netconf *);

/* ---- config.c: building the configuration (9) -------------------------- */

/* Bring n_terms up to the record. */
void	 config_terms(struct network *);
/*
 * Build the configuration of a member from its network and record, which
 * gets new addresses, tags and, with fresh (first seen in this very
 * request), capabilities.  nc must be zeroed; netconf_clear() it.  True when
 * the same again would come of the same record, also later.
 */
bool	 config_build(struct controller *, struct network *,
	    const struct identity *, json_t *record, const void *meta,
	    size_t len, bool fresh, struct netconf *nc);
/*
 * A dictionary: in the controller's room, to be used before anything else is
 * encoded.  NULL after a line of log when it is too large.
 */
const uint8_t *config_encode(struct controller *, const struct netconf *,
	    size_t *len);
/*
 * The dictionary of a member that was given this grant before, and now gets
 * its credentials again (13.3).
 */
const uint8_t *config_again(struct controller *, struct network *,
	    uint64_t to, const void *meta, size_t len, const struct grant *,
	    size_t *dictlen);
/*
 * The same grant with its credentials signed anew, of now.  The result is the
 * caller's; NULL when memory is short.
 */
struct grant *config_renew(struct controller *, const struct network *,
	    uint64_t to, const struct grant *);
/* What is kept of a network's configuration is no longer right. */
void	 config_unshare(struct network *);
/* Cut a dictionary and sign the pieces, and send. */
void	 config_send(struct controller *, uint64_t nwid, uint64_t to,
	    uint64_t packet, const uint8_t *d, size_t len);

#endif /* ZTD_CONTROLLER_CONTROLLER_H */
