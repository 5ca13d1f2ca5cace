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

#define STATUS_MAX	65536	/* the one that asked longest ago gives way */
#define STATUS_SEEN	2	/* requests remembered of each */

/* A request; ss_time 0: none. */
struct status_seen {
	int64_t		 ss_time;
	struct inet_addr ss_from;	/* nil: it was relayed */
	bool		 ss_authorized;
};

struct status {
	TAILQ_ENTRY(status) st_order;	/* by st_last, oldest first */
	LIST_ENTRY(status) st_hash;
	uint64_t	 st_nwid;
	uint64_t	 st_addr;
	int64_t		 st_last;	/* last accepted request, ms */
	int64_t		 st_expiry;	/* of a log-in still to be watched,
					 * ms; 0: none */
	bool		 st_dirty;	/* to be pushed */
	struct status_seen st_seen[STATUS_SEEN];	/* newest first */
	/* Of the last authorized request; st_metalen 0: there was none. */
	struct identity	 st_id;
	size_t		 st_metalen;
	uint8_t		 st_meta[METADATA_MAX];
};
TAILQ_HEAD(status_list, status);

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
/* All entries, oldest first. */
struct status_list *status_all(struct status_table *);
/* Forget those who are not online and have no log-in to be watched. */
void	 status_expire(struct status_table *, int64_t now);

#endif /* ZTD_CONTROLLER_STATUS_H */
