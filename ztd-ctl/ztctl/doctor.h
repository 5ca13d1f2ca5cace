/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What doctor's files share: doctor.c has the order of things and prints,
 * doctor_local.c looks at this host, doctor_node.c and doctor_network.c at
 * what the service says.
 */

#ifndef ZTCTL_DOCTOR_H
#define ZTCTL_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "ztd-ctl/ztctl/ztctl.h"

#define FINDINGS_MAX	64
#define NOTES_MAX	32	/* no notes behind so many findings */
#define FINDING_TEXT	512

enum level {
	PROBLEM,		/* something does not work */
	NOTE			/* it works, and could be better */
};

/* Printable ASCII. */
struct finding {
	enum level	 fi_level;
	const char	*fi_code;	/* one word, which never changes */
	char		 fi_text[FINDING_TEXT];
	char		 fi_todo[FINDING_TEXT];	/* "": nothing */
};

struct doctor {
	struct conn	 d_conn;	/* its token is d_token, or given */
	char		*d_token;	/* one that was found, or NULL */
	char		 d_where[64];	/* see doctor_where() */
	bool		 d_here;	/* the service is on this host */
	json_t		*d_status, *d_networks, *d_peers;
	struct finding	 d_findings[FINDINGS_MAX];
	size_t		 d_n, d_more;	/* found; found, and no room */
	size_t		 d_problems;	/* of both */
};

/*
 * Add a finding; d_text() and d_todo() then fill in its words.  Code is
 * static.  Never fails: what finds no room is counted.
 */
struct finding *doctor_add(struct doctor *, enum level, const char *code);
void	 doctor_text(struct finding *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
void	 doctor_todo(struct finding *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/*
 * doctor_local.c.  The local socket, or else address, port and token, as far
 * as they can be had; where that is, in words; the token: false when there
 * is none, which is a finding then.
 */
void	 doctor_find(struct doctor *);
const char *doctor_where(struct doctor *);
bool	 doctor_token(struct doctor *);
/* Nothing answers: why not, and what would keep it from starting? */
void	 doctor_absent(struct doctor *);
/* Is the interface there, with these addresses?  NULL: it is; else which of
 * them is not, or "" for the interface. */
const char *doctor_interface(const char *name, json_t *addresses,
	    bool global);

/* doctor_node.c: from d_status and d_peers. */
void	 doctor_node(struct doctor *);
/* doctor_network.c: from d_networks and the others. */
void	 doctor_networks(struct doctor *);

/* doctor_SYSTEM.c */
/* Why no tap could be made here, or NULL when nothing is known. */
const char *doctor_no_tap(const char **todo);
/* How the service is started, and where its log is. */
extern const char doctor_start[], doctor_log[];

#endif /* ZTCTL_DOCTOR_H */
