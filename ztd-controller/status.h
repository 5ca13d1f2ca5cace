/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Who asked lately: one entry for each (network, device) that made a real
 * request.  Lost at restart.  Spec: 04 sections 8.1, 11, 13.2.
 */

#ifndef ZTD_CONTROLLER_STATUS_H
#define ZTD_CONTROLLER_STATUS_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/identity.h"
#include "common/inet.h"
#include "common/netconf.h"

#define STATUS_MAX	262144	/* the one that asked longest ago gives way */
#define STATUS_SEEN	2	/* requests remembered of each */

/* A request; ss_time 0: none. */
struct status_seen {
	int64_t		 ss_time;
	struct inet_addr ss_from;	/* nil: it was relayed */
	bool		 ss_authorized;
};

struct grant;

struct status {
	TAILQ_ENTRY(status) st_order;	/* by st_last, oldest first */
	LIST_ENTRY(status) st_hash;
	LIST_ENTRY(status) st_peers;	/* of the same network */
	TAILQ_ENTRY(status) st_expiring; /* while st_expiry is not 0 */
	TAILQ_ENTRY(status) st_pushing;	/* while st_dirty */
	uint64_t	 st_nwid;
	uint64_t	 st_addr;
	int64_t		 st_last;	/* last accepted request, ms */
	int64_t		 st_expiry;	/* of a log-in still to be watched,
					 * ms; 0: none */
	bool		 st_dirty;	/* to be pushed */
	uint16_t	 st_note;	/* another one with each other identity
					 * or meta-data */
	uint16_t	 st_metalen;	/* see below */
	struct status_seen st_seen[STATUS_SEEN];	/* newest first */
	/* Of the last authorized request; st_metalen 0: there was none. */
	int64_t		 st_admitted;	/* when, ms */
	uint8_t		 st_public[IDENTITY_KEYS];
	const uint8_t	*st_meta;	/* of all who say the same */
	/*
	 * With the records of member and network of this serial or before
	 * that request changed nothing, so the same one does not, either.
	 * 0: it may.
	 */
	uint64_t	 st_serial;
	/* What it was given with these, this identity and meta-data. */
	struct grant	*st_grant;
};
TAILQ_HEAD(status_list, status);
LIST_HEAD(status_peers, status);

struct status_table *status_new(void);
void	 status_free(struct status_table *);
/* NULL when it never asked, or long ago. */
struct status *status_find(const struct status_table *, uint64_t nwid,
	    uint64_t addr);
/*
 * A request arrives: false when it comes too soon after the last one.
 * known says that the network exists; of others only a few are remembered.
 */
bool	 status_gate(struct status_table *, uint64_t nwid, uint64_t addr,
	    bool known, int64_t now);
bool	 status_online(const struct status *, int64_t now);
bool	 status_any(const struct status_table *);
/*
 * Remember an authorized request: who made it, its meta-data.  When they are
 * others the grant goes, and what this request changes is not known yet.
 */
void	 status_note(struct status_table *, struct status *,
	    const struct identity *, const void *meta, size_t len);
/*
 * Its last request changed nothing, as of this serial, and what it was given
 * is this, which is taken over, or NULL: as with status_grant().
 */
void	 status_settle(struct status_table *, struct status *,
	    uint64_t serial, struct grant *);
/*
 * Keep a grant, which is taken over, instead of the one that there is; NULL:
 * none.  Over GRANTS_MAX bytes it is not kept.
 */
void	 status_grant(struct status_table *, struct status *,
	    struct grant *);
/* No grant of anybody is good any more. */
void	 status_ungrant(struct status_table *);
/* Bytes of memory that all grants take. */
size_t	 status_grants(const struct status_table *);
/* Who made it, without the private half. */
void	 status_identity(const struct status *, struct identity *);
/* Watch a log-in that ends at this time, ms; 0: none. */
void	 status_watch(struct status_table *, struct status *,
	    int64_t expiry);
struct status_list *status_expiring(struct status_table *);
/* To be pushed; clean again. */
void	 status_dirty(struct status_table *, struct status *, bool);
struct status_list *status_pushing(struct status_table *);
/* All of a network, and how many, or NULL. */
struct status_peers *status_network(const struct status_table *,
	    uint64_t nwid, size_t *n);
/* Forget those who are not online and have no log-in to be watched. */
void	 status_expire(struct status_table *, int64_t now);

#endif /* ZTD_CONTROLLER_STATUS_H */
