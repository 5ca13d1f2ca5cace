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
#define STRANGERS_MAX	(WHOIS_MAX / 2)
#define MEMBERS_MAX	(WHOIS_MAX / 2)
#define STRANGERS_MS	10	/* per request for strangers in all, */
#define STRANGERS_BURST	8	/* and so many at once */
#define WHOIS_MS	500	/* between requests for one address, at first */
#define WHOIS_DOUBLINGS	3	/* and then twice that, up to 8 times */
#define WHOIS_FORGET_MS	(2 * QUEUE_TIMEOUT_MS)
#define HINTS		2
#define RECALL_BURST	10	/* cached peers that strangers made us load: */
#define RECALL_MS	40	/* each costs a validation; ms per token */

/* Who wants it: the less, the more it is worth. */
enum want {
	WANT_OURS,		/* a packet of ours */
	WANT_MEMBER,		/* a copy of a frame to many: others said
				 * who they are */
	WANT_STRANGER,		/* only somebody's packet named it */
	WANTS
};

struct query {
	uint64_t	 qu_addr;	/* 0: free */
	enum want	 qu_want;
	int64_t		 qu_asked;	/* first wanted */
	int64_t		 qu_sent;
	unsigned	 qu_times;	/* asked */
	unsigned	 qu_nhints;
	struct {
		uint32_t		sock;
		struct inet_addr	addr;
	}		 qu_hint[HINTS];
};

struct whois {
	struct query	 wh_query[WHOIS_MAX];
	int64_t		 wh_stranger;	/* token bucket, for requests */
	unsigned	 wh_strangers;
	int64_t		 wh_recall;	/* token bucket */
	unsigned	 wh_recalls;
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
 * Is there no use in waiting for this one's answer?  Asked for and not
 * answered: nobody has such an address, most likely.
 */
static bool
query_vain(const struct query *q, int64_t now)
{
	return (q->qu_times > 0 && now - q->qu_sent >= WHOIS_MS);
}

static bool
older(const struct query *q, const struct query *than)
{
	return (than == NULL || q->qu_asked < than->qu_asked);
}

/*
 * A place for a new address, NULL when there is none.  Anybody can send us
 * packets from addresses that do not exist, or name such to us as members:
 * each of these may take half of the places.  When they are taken, those
 * that got no answer give way, but none that has yet to get one, or else of
 * many who come at once nobody would.  Any of them gives way to an address
 * that we ourselves want, and strangers to members.
 */
static struct query *
query_slot(struct node *n, int64_t now, enum want want)
{
	static const unsigned	 max[WANTS] = { WHOIS_MAX, MEMBERS_MAX,
	    STRANGERS_MAX };
	struct query		*q, *slot = NULL, *vain = NULL;
	struct query		*less[WANTS] = { NULL };
	unsigned		 i, count[WANTS] = { 0 };

	for (i = 0; i < WHOIS_MAX; i++) {
		q = &n->n_whois->wh_query[i];
		if (q->qu_addr == 0) {
			slot = q;
			continue;
		}
		count[q->qu_want]++;
		if (older(q, less[q->qu_want]))
			less[q->qu_want] = q;
		if (q->qu_want == want && want != WANT_OURS &&
		    query_vain(q, now) && older(q, vain))
			vain = q;
	}
	if (count[want] >= max[want])
		return (vain);
	for (i = WANT_STRANGER; slot == NULL && i > (unsigned)want; i--)
		slot = less[i];
	return (slot != NULL ? slot : vain);
}

static void
query_fill(struct query *q, int64_t now, uint64_t addr, enum want want)
{
	memset(q, 0, sizeof(*q));
	q->qu_addr = addr;
	q->qu_want = want;
	q->qu_asked = now;
	q->qu_sent = now - WHOIS_MS;
}

/*
 * May a stranger make us load a peer from the cache?  With many in it those
 * who name one after the other would keep us busy with nothing else.
 */
static bool
recall_left(struct whois *wh, int64_t now)
{
	int64_t	 refill = (now - wh->wh_recall) / RECALL_MS;

	if (refill > 0) {
		wh->wh_recalls = refill >= RECALL_BURST ||
		    wh->wh_recalls + (unsigned)refill > RECALL_BURST ?
		    RECALL_BURST : wh->wh_recalls + (unsigned)refill;
		wh->wh_recall = now;
	}
	return (wh->wh_recalls > 0);
}

/*
 * The query for an address, a new one if need be; NULL when it is known
 * after all, there is no place, or a stranger has to come again.  The cache
 * is a file: it is looked at only when the query is made.
 */
static struct query *
query_get(struct node *n, int64_t now, uint64_t addr, enum want want)
{
	struct query	*q;
	bool		 stranger = want == WANT_STRANGER;

	if (addr == n->n_id.id_addr || addr_reserved(addr))
		return (NULL);
	if ((q = query_find(n, addr)) != NULL) {
		if (want < q->qu_want)
			q->qu_want = want;
		return (q);
	}
	if (peer_find(n, addr) != NULL ||
	    (q = query_slot(n, now, want)) == NULL ||
	    (stranger && !recall_left(n->n_whois, now)))
		return (NULL);
	if (peer_lookup(n, now, addr) != NULL) {
		if (stranger)
			n->n_whois->wh_recalls--;
		return (NULL);
	}
	query_fill(q, now, addr, want);
	return (q);
}

bool
whois_empty(const struct node *n)
{
	unsigned	 i;

	for (i = 0; i < WHOIS_MAX; i++) {
		if (n->n_whois->wh_query[i].qu_addr != 0)
			return (false);
	}
	return (true);
}

bool
whois_outstanding(const struct node *n, uint64_t addr)
{
	return (addr != 0 && query_find(n, addr) != NULL);
}

/* Whom to ask: the best upstream, and when that did not answer another. */
static struct peer *
query_whom(struct node *n, int64_t now, const struct query *q)
{
	const uint64_t	*addrs;
	struct peer	*p, *best = topology_best(n, now);
	size_t		 i, naddrs;

	if (q->qu_times % 2 == 0)
		return (best);
	naddrs = topology_upstreams(n, &addrs);
	for (i = 0; i < naddrs; i++) {
		p = peer_find(n, addrs[(i + q->qu_times / 2) % naddrs]);
		if (p != NULL && p != best && peer_alive_path(p, now) != NULL)
			return (p);
	}
	return (best);
}

/*
 * How long to wait for an answer before asking again.  Where there is none,
 * because nobody has ever seen that node, as many may ask as want to talk
 * with it: all members of a network whose controller is away.
 */
static int64_t
query_wait(const struct query *q)
{
	unsigned	 more = q->qu_times <= 2 ? 0 : q->qu_times - 2;

	return ((int64_t)WHOIS_MS << (more > WHOIS_DOUBLINGS ?
	    WHOIS_DOUBLINGS : more));
}

static void
query_send(struct node *n, int64_t now, struct query *q)
{
	struct peer	*up;
	struct pkt	 pk;

	if (now - q->qu_sent < query_wait(q) ||
	    (up = query_whom(n, now, q)) == NULL ||
	    up->pe_id.id_addr == q->qu_addr ||
	    peer_best_path(up, now, false) == NULL)
		return;		/* no one to ask yet: do not queue it */
	q->qu_sent = now;
	q->qu_times++;
	queue_soon(n, now);
	pkt_begin(n, &pk, up->pe_id.id_addr, VERB_WHOIS);
	wbuf_addr(&pk.pk, q->qu_addr);
	pkt_send(n, now, &pk, false);
}

void
whois_request(struct node *n, int64_t now, uint64_t addr)
{
	struct query	*q;

	if ((q = query_get(n, now, addr, WANT_OURS)) != NULL)
		query_send(n, now, q);
}

void
whois_member(struct node *n, int64_t now, uint64_t addr)
{
	struct query	*q;

	if ((q = query_get(n, now, addr, WANT_MEMBER)) != NULL)
		query_send(n, now, q);
}

/* The stranger to ask for: of those asked for least often who came first. */
static struct query *
stranger_next(struct whois *wh, int64_t now)
{
	struct query	*q, *next = NULL;
	unsigned	 i;

	for (i = 0; i < WHOIS_MAX; i++) {
		q = &wh->wh_query[i];
		if (q->qu_addr == 0 || q->qu_want != WANT_STRANGER ||
		    now - q->qu_sent < query_wait(q))
			continue;
		if (next == NULL || q->qu_times < next->qu_times ||
		    (q->qu_times == next->qu_times &&
		    q->qu_asked < next->qu_asked))
			next = q;
	}
	return (next);
}

/*
 * Ask for strangers as many as may be now.  Who has come while it was not
 * time need not come again: of many at once that would be luck.
 */
static void
ask_strangers(struct node *n, int64_t now)
{
	struct whois	*wh = n->n_whois;
	struct query	*q;
	int64_t		 refill = (now - wh->wh_stranger) / STRANGERS_MS;
	unsigned	 times;

	if (refill > 0) {
		wh->wh_strangers = refill >= STRANGERS_BURST ||
		    wh->wh_strangers + (unsigned)refill > STRANGERS_BURST ?
		    STRANGERS_BURST : wh->wh_strangers + (unsigned)refill;
		wh->wh_stranger = now;
	}
	while (wh->wh_strangers > 0 &&
	    (q = stranger_next(wh, now)) != NULL) {
		times = q->qu_times;
		query_send(n, now, q);
		if (q->qu_times == times)
			break;		/* nobody to ask */
		wh->wh_strangers--;
	}
}

void
whois_stranger(struct node *n, int64_t now, uint64_t addr)
{
	struct query	*q;

	if ((q = query_get(n, now, addr, WANT_STRANGER)) == NULL)
		return;
	if (q->qu_want == WANT_STRANGER)
		ask_strangers(n, now);
	else
		query_send(n, now, q);	/* we wanted it before */
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
	ask_strangers(n, now);
}

struct peer *
whois_recall(struct node *n, int64_t now, uint64_t addr)
{
	(void)query_get(n, now, addr, WANT_STRANGER);
	return (peer_find(n, addr));
}

void
whois_hint(struct node *n, int64_t now, uint64_t addr, uint32_t sock,
    const struct inet_addr *to)
{
	struct query	*q;
	struct peer	*p;

	whois_request(n, now, addr);
	if ((p = peer_find(n, addr)) != NULL)
		/* it was in the cache */
		reach_suggest(n, now, p, sock, to, REACH_ROOT);
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
		for (i = 0; i < q.qu_nhints; i++)
			reach_suggest(n, now, p, q.qu_hint[i].sock,
			    &q.qu_hint[i].addr, REACH_ROOT);
	}
	rxq_retry(n, now);
	txq_retry(n, now);
	multicast_known(n, now, p->pe_id.id_addr);
	ask_strangers(n, now);
}
