/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What the log says of peers and roots: by which way packets go, and which
 * root answers.  One line for a change, none while it stays; ztd-log(7) has
 * what each means.
 *
 * A root has no lines about peers: all of its leaves come and go.
 */

#include <string.h>
#include <syslog.h>

#include "common/reason.h"
#include "ztd-net/core/core.h"

#define RELAYED_MS	5000	/* as every peer is at first, for a moment */
#define USED_MS		2000	/* packets further apart: it began anew */

void
tell_direct(struct node *n, struct peer *p, const struct path *pa)
{
	char	 text[INET_TEXT];

	p->pe_relayed = 0;
	p->pe_told = (uintptr_t)pa;
	if (p->pe_upstream || topology_is_root(n) ||
	    inet_equal(&p->pe_told_addr, &pa->pa_addr))
		return;
	p->pe_told_addr = pa->pa_addr;
	node_log(n, LOG_INFO, "peer %010llx direct: %s",
	    (unsigned long long)p->pe_id.id_addr,
	    inet_format(text, &pa->pa_addr));
}

void
tell_relayed(struct node *n, int64_t now, struct peer *p,
    const struct peer *by)
{
	if (p->pe_relayed == 0 || now - p->pe_last_send > USED_MS)
		p->pe_relayed = now;
	if (p->pe_told == TOLD_RELAYED || now - p->pe_relayed < RELAYED_MS)
		return;
	p->pe_told = TOLD_RELAYED;
	memset(&p->pe_told_addr, 0, sizeof(p->pe_told_addr));
	if (p->pe_upstream || topology_is_root(n))
		return;
	node_log(n, LOG_INFO, "peer %010llx relayed by %010llx: %s",
	    (unsigned long long)p->pe_id.id_addr,
	    (unsigned long long)by->pe_id.id_addr,
	    reason_code(relayed_reason(n, now, p)));
}

void
tell_root(struct node *n, struct peer *p, const struct path *pa)
{
	char	 text[INET_TEXT];

	if (p->pe_told_root == (pa != NULL))
		return;
	p->pe_told_root = pa != NULL;
	if (pa != NULL)
		node_log(n, LOG_INFO, "root %010llx reachable: %s",
		    (unsigned long long)p->pe_id.id_addr,
		    inet_format(text, &pa->pa_addr));
	else
		node_log(n, LOG_NOTICE, "root %010llx unreachable",
		    (unsigned long long)p->pe_id.id_addr);
}
