/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Inside dns.h: the ways in which a host can be told of name servers.  One
 * file each, dns_*.c; a system's own file has the list of its ways.
 *
 * For each network there is what it wants and what is in force.  dns.c
 * makes one change at a time, so that a way never sees two at once, and a
 * network whose wishes alternate costs no more than one run a second.
 */

#ifndef ZTD_TAP_DNS_WAY_H
#define ZTD_TAP_DNS_WAY_H

#include <sys/queue.h>

#include "ztd-tap/dns.h"

struct dns;

/* Made with memset, so that two can be compared with memcmp. */
struct dns_item {
	struct netif_dev di_dev;
	struct dns_conf	 di_conf;	/* no domain: not known */
	uint32_t	 di_global;	/* for all names, not just these */
};

struct dns_net {
	TAILQ_ENTRY(dns_net) dn_entry;
	uint64_t	 dn_nwid;	/* 0: of a run before this one */
	bool		 dn_wanted;
	struct dns_item	 dn_want;
	const struct dns_way *dn_by;	/* NULL: nothing is in force */
	struct dns_item	 dn_have;
	bool		 dn_told;	/* that there is no way */
	unsigned	 dn_backoff;	/* s */
	int64_t		 dn_next;	/* ms, not before */
};

enum dns_result {
	DNS_NOW,		/* it is done */
	DNS_LATER,		/* dns_ended() will tell */
	DNS_NOT			/* it failed, and was logged */
};

struct dns_way {
	const char	*dw_name;	/* one word, for journal and log */
	/*
	 * What is set outlives interface and parent: it is in the journal
	 * before it is set.
	 */
	bool		 dw_keeps;
	bool		 dw_service;	/* its programs may say DNS_ABSENT */
	bool		 dw_global;	/* dnsMode "global" is heeded */
	/* Could this be the way now? */
	bool		(*dw_there)(struct dns *);
	/* Instead of what is in force of this network by this way, if any. */
	enum dns_result	(*dw_set)(struct dns *, struct dns_net *,
			    const struct dns_item *);
	/*
	 * Take back dn_have, which may be of a run before this one.  What is
	 * not there is taken back already.
	 */
	enum dns_result	(*dw_unset)(struct dns *, struct dns_net *);
	/*
	 * It may have forgotten what it was told: the service was started
	 * anew, say.  NULL: never.
	 */
	bool		(*dw_renewed)(struct dns *);
};

struct dns {
	struct parent	*d_parent;
	TAILQ_HEAD(, dns_net) d_nets;
	unsigned	 d_nnets;
	const struct dns_way *d_way;	/* of now; NULL: there is none */
	const struct dns_way *d_absent;	/* was tried, and nobody was there */
	struct dns_net	*d_running;	/* the network that is changed */
	bool		 d_setting;	/* ... to d_item, or to nothing */
	struct dns_item	 d_item;
	struct dns_job	*d_job;
	struct event	*d_timer;
	bool		 d_stopping;
	int64_t		 d_until;	/* ms, nothing is begun after it */
};

/* Best first, NULL behind the last. */
extern const struct dns_way *const dns_ways[];
extern const struct dns_way dns_resolvconf, dns_file;

/* For all names: the operator said so. */
bool	 dns_global(const struct dns *);
/*
 * Run a program for the change that is under way; its exit status is an enum
 * dns_status.
 */
enum dns_result dns_run(struct dns *, const char *name, const char *path,
	    const char *const *argv, const void *input, size_t len);
/* The servers, each with before it and after it; dst ends with a NUL. */
void	 dns_servers(char *dst, size_t size, const struct dns_item *,
	    const char *before, const char *after);

/* The name of an interface may be part of a command and of a file's. */
bool	 dns_device_valid(const char *);
/* What was told that way has been forgotten: tell it again. */
void	 dns_forgotten(struct dns *, const struct dns_way *);
/* Something is in force that nobody wants: take it back. */
void	 dns_left(struct dns *, const struct dns_way *, const char *device);

/*
 * dns_journal.c: what is set and outlives us, in the home folder.  Write
 * what is so now; 0 or -1 after logging.  Read what a run before left.
 */
int	 dns_journal_write(struct dns *);
void	 dns_journal_read(struct dns *);

#endif /* ZTD_TAP_DNS_WAY_H */
