/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Asking for identities: the cache first, then the best upstream.
 * Spec: 02 sections 4.5, 4.6 and 10.5.
 */

#include <stdlib.h>
#include <string.h>

#include "ztd-net/core/core.h"

#define WHOIS_MAX	256
#define WHOIS_MS	500	/* between requests for one address */
#define WHOIS_FORGET_MS	(2 * QUEUE_TIMEOUT_MS)
#define HINTS		2

struct query {
	uint64_t	 qu_addr;	/* 0: free */
	int64_t		 qu_asked;	/* first wanted */
	int64_t		 qu_sent;
	unsigned	 qu_nhints;
	struct {
		uint32_t		sock;
		struct inet_addr	addr;
	}		 qu_hint[HINTS];
};

struct whois {
	struct query	 wh_query[WHOIS_MAX];
};

int
whois_new(struct node *n)
{
	return ((n->n_whois = calloc(1, sizeof(*n->n_whois))) == NULL ?
	    -1 : 0);
}

void
whois_free(struct node *n)
{
	free(n->n_whois);
}

static struct query *
query_find(const struct node *n, uint64_t addr)
{
	unsigned	 i;

	for (i = 0; i < WHOIS_MAX; i++) {
		if (n->n_whois->wh_query[i].qu_addr == addr)
			return (&n->n_whois->wh_query[i]);
	}
	return (NULL);
}

/*
 * A place for a new address.  A stranger can make us want any number of
 * them: when all places are taken, what was asked last is not forgotten.
 */
static struct query *
query_new(struct node *n, int64_t now, uint64_t addr)
{
	struct query	*q;

	if ((q = query_find(n, 0)) == NULL)
		return (NULL);
	memset(q, 0, sizeof(*q));
	q->qu_addr = addr;
	q->qu_asked = now;
	q->qu_sent = now - WHOIS_MS;
	return (q);
}

void
whois_run(struct node *n, int64_t now)
{
	struct query	*q;
	unsigned	 i;

	for (i = 0; i < WHOIS_MAX; i++) {
		q = &n->n_whois->wh_query[i];
		if (q->qu_addr != 0 && now - q->qu_sent > WHOIS_FORGET_MS)
			q->qu_addr = 0;
	}
}

bool
whois_outstanding(const struct node *n, uint64_t addr)
{
	return (addr != 0 && query_find(n, addr) != NULL);
}

void
whois_request(struct node *n, int64_t now, uint64_t addr)
{
	struct query	*q;
	struct peer	*up;
	struct pkt	 pk;

	if (addr == n->n_id.id_addr || addr_reserved(addr))
		return;
	if ((q = query_find(n, addr)) == NULL) {
		/* The cache is a file: look only the first time. */
		if (peer_lookup(n, now, addr) != NULL ||
		    (q = query_new(n, now, addr)) == NULL)
			return;
	}
	if (now - q->qu_sent < WHOIS_MS ||
	    (up = topology_best(n, now)) == NULL ||
	    up->pe_id.id_addr == addr)
		return;
	q->qu_sent = now;
	pkt_begin(n, &pk, up->pe_id.id_addr, VERB_WHOIS);
	wbuf_addr(&pk.pk, addr);
	pkt_send(n, now, &pk, false);
}

void
whois_hint(struct node *n, int64_t now, uint64_t addr, uint32_t sock,
    const struct inet_addr *to)
{
	struct query	*q;

	whois_request(n, now, addr);
	if ((q = query_find(n, addr)) == NULL || q->qu_nhints == HINTS)
		return;
	q->qu_hint[q->qu_nhints].sock = sock;
	q->qu_hint[q->qu_nhints].addr = *to;
	q->qu_nhints++;
}

void
whois_answered(struct node *n, int64_t now, struct peer *p)
{
	struct query	 q, *found;
	unsigned	 i;

	if ((found = query_find(n, p->pe_id.id_addr)) != NULL) {
		q = *found;
		found->qu_addr = 0;
		for (i = 0; i < q.qu_nhints; i++) {
			if (path_allowed(n, q.qu_addr, &q.qu_hint[i].addr))
				probe(n, now, p, q.qu_hint[i].sock,
				    &q.qu_hint[i].addr);
		}
	}
	rxq_retry(n, now);
	txq_retry(n, now);
}
