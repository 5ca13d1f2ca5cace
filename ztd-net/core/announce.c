/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The multicast groups that we are in, and telling others of them
 * (MULTICAST_LIKE).  Spec: 03 sections 13.1 and 13.2.
 */

#include <stdlib.h>
#include <string.h>

#include "ztd-net/core/network.h"

#define LIKE_MAX	554	/* tuples in one packet */
#define AGAIN_MS	3000	/* new groups are told twice */

int
mgroup_cmp(const struct mgroup *a, const struct mgroup *b)
{
	if (a->mg_mac != b->mg_mac)
		return (a->mg_mac < b->mg_mac ? -1 : 1);
	return (a->mg_adi < b->mg_adi ? -1 : a->mg_adi > b->mg_adi);
}

static int
mgroup_sort(const void *a, const void *b)
{
	return (mgroup_cmp(a, b));
}

static bool
own_has(const struct mgroup *groups, size_t n, const struct mgroup *mg)
{
	size_t	lo = 0, hi = n, mid;
	int	c;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if ((c = mgroup_cmp(&groups[mid], mg)) == 0)
			return (true);
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (false);
}

/* First index of nw_behind that is not below. */
static size_t
behind_at(const struct network *nw, const struct mgroup *mg)
{
	size_t	lo = 0, hi = nw->nw_nbehind, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (mgroup_cmp(&nw->nw_behind[mid].gb_group, mg) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (lo);
}

static bool
behind_has(const struct network *nw, const struct mgroup *mg)
{
	size_t	i = behind_at(nw, mg);

	return (i < nw->nw_nbehind &&
	    mgroup_cmp(&nw->nw_behind[i].gb_group, mg) == 0);
}

bool
groups_has(const struct network *nw, const struct mgroup *mg)
{
	return (own_has(nw->nw_groups, nw->nw_ngroups, mg) ||
	    behind_has(nw, mg));
}

/* --- the messages ----------------------------------------------------- */

struct like {
	struct pkt		 li_pkt;
	uint64_t		 li_to;
	unsigned		 li_n;
};

static void
like_flush(struct node *n, int64_t now, struct like *li)
{
	if (li->li_n > 0)
		pkt_send(n, now, &li->li_pkt, true);
	li->li_n = 0;
}

static void
like_put(struct node *n, int64_t now, struct like *li, uint64_t nwid,
    const struct mgroup *mg)
{
	if (li->li_n == 0)
		pkt_begin(n, &li->li_pkt, li->li_to, VERB_MULTICAST_LIKE);
	wbuf_u64(&li->li_pkt.pk, nwid);
	wbuf_mac(&li->li_pkt.pk, mg->mg_mac);
	wbuf_u32(&li->li_pkt.pk, mg->mg_adi);
	if (++li->li_n == LIKE_MAX)
		like_flush(n, now, li);
}

void
announce_to(struct node *n, int64_t now, const struct network *nw,
    uint64_t to)
{
	static const struct mgroup	 broadcast = { MAC_BROADCAST, 0 };
	struct like			 li;
	size_t				 i;

	li.li_to = to;
	li.li_n = 0;
	for (i = 0; i < nw->nw_ngroups; i++)
		like_put(n, now, &li, nw->nw_id, &nw->nw_groups[i]);
	for (i = 0; i < nw->nw_nbehind; i++)
		if (!own_has(nw->nw_groups, nw->nw_ngroups,
		    &nw->nw_behind[i].gb_group))
			like_put(n, now, &li, nw->nw_id,
			    &nw->nw_behind[i].gb_group);
	if (nw->nw_conf != NULL &&
	    (nw->nw_conf->nc_flags & NETCONF_BROADCAST) &&
	    !groups_has(nw, &broadcast))
		like_put(n, now, &li, nw->nw_id, &broadcast);
	like_flush(n, now, &li);
}

static void
contact_add(const struct node *n, uint64_t *dst, size_t *count,
    uint64_t addr)
{
	size_t	i;

	if (*count >= CONTACTS_MAX || addr == n->n_id.id_addr ||
	    addr_reserved(addr))
		return;
	for (i = 0; i < *count; i++)
		if (dst[i] == addr)
			return;
	dst[(*count)++] = addr;
}

size_t
network_contacts(struct node *n, const struct network *nw,
    uint64_t dst[CONTACTS_MAX])
{
	const struct netconf	*nc = nw->nw_conf;
	const uint64_t		*ups;
	size_t			 count = 0, nups, i;

	contact_add(n, dst, &count, nwid_controller(nw->nw_id));
	nups = topology_upstreams(n, &ups);
	for (i = 0; i < nups; i++)
		contact_add(n, dst, &count, ups[i]);
	for (i = 0; nc != NULL && i < nc->nc_nspecialists; i++)
		if (nc->nc_specialists[i] & (SPECIALIST_ANCHOR |
		    SPECIALIST_REPLICATOR))
			contact_add(n, dst, &count,
			    nc->nc_specialists[i] & ADDR_MASK);
	return (count);
}

void
announce_all(struct node *n, int64_t now, struct network *nw)
{
	uint64_t	to[CONTACTS_MAX];
	size_t		count, i;

	nw->nw_announced = true;
	nw->nw_announced_at = now;
	nw->nw_again_at = 0;
	count = network_contacts(n, nw, to);
	for (i = 0; i < count; i++)
		announce_to(n, now, nw, to[i]);
}

/*
 * A member that is allowed and has sent us frames lately.  Of all others
 * roots and the controller know our groups, and they ours: were we to go on
 * telling everybody whom we ever met, announcements of members at rest would
 * keep each other alive, all to all, by relays and with holes punched.
 * Without roots there is nobody else to ask: then all are told.
 */
static bool
announceable(struct node *n, const struct network *nw,
    struct membership *mb, const uint64_t *contacts, size_t ncontacts)
{
	const struct peer	*pe;
	size_t			 i;

	if ((pe = peer_find(n, mb->mb_addr)) == NULL ||
	    (!pe->pe_is_active && n->n_online) ||
	    !membership_allowed(nw, mb, &pe->pe_id))
		return (false);
	for (i = 0; i < ncontacts; i++)
		if (contacts[i] == mb->mb_addr)
			return (false);
	return (true);
}

void
announce_tick(struct node *n, int64_t now, struct network *nw)
{
	struct membership	*mb;
	uint64_t		 contacts[CONTACTS_MAX];
	size_t			 count;

	if (nw->nw_conf == NULL)
		return;
	if (!nw->nw_announced || now - nw->nw_announced_at >= ANNOUNCE_MS ||
	    (nw->nw_again_at != 0 && now >= nw->nw_again_at))
		announce_all(n, now, nw);
	count = network_contacts(n, nw, contacts);
	RB_FOREACH(mb, membership_tree, &nw->nw_members) {
		if ((mb->mb_announced &&
		    now - mb->mb_announced_at < ANNOUNCE_MS) ||
		    !announceable(n, nw, mb, contacts, count))
			continue;
		mb->mb_announced = true;
		mb->mb_announced_at = now;
		announce_to(n, now, nw, mb->mb_addr);
	}
}

/* New groups, at once and in one packet to everybody concerned. */
static void
announce_new(struct node *n, int64_t now, struct network *nw,
    const struct mgroup *groups, size_t ngroups)
{
	struct membership	*mb;
	struct like		 li;
	uint64_t		 contacts[CONTACTS_MAX];
	size_t			 count, i, j;

	if (nw->nw_conf == NULL || ngroups == 0)
		return;
	/* Nobody confirms it, and without it none finds us for a minute. */
	nw->nw_again_at = now + AGAIN_MS;
	if (n->n_next_ping > nw->nw_again_at && !low_bandwidth(n))
		n->n_next_ping = nw->nw_again_at;
	count = network_contacts(n, nw, contacts);
	li.li_n = 0;
	for (i = 0; i < count; i++) {
		li.li_to = contacts[i];
		for (j = 0; j < ngroups; j++)
			like_put(n, now, &li, nw->nw_id, &groups[j]);
		like_flush(n, now, &li);
	}
	RB_FOREACH(mb, membership_tree, &nw->nw_members) {
		if (!announceable(n, nw, mb, contacts, count))
			continue;
		li.li_to = mb->mb_addr;
		for (j = 0; j < ngroups; j++)
			like_put(n, now, &li, nw->nw_id, &groups[j]);
		like_flush(n, now, &li);
	}
}

/* --- the groups ------------------------------------------------------- */

void
node_groups(struct node *n, int64_t now, uint64_t nwid,
    const struct mgroup *groups, size_t count)
{
	struct network	*nw;
	struct mgroup	*own, *fresh;
	size_t		 i, k, nfresh = 0;

	now = node_clock(n, now);
	if ((nw = network_find(n, nwid)) == NULL)
		return;
	if (count > GROUPS_OWN_MAX)
		count = GROUPS_OWN_MAX;
	own = reallocarray(NULL, count + 1, sizeof(*own));
	fresh = reallocarray(NULL, count + 1, sizeof(*fresh));
	if (own == NULL || fresh == NULL) {
		free(own);
		free(fresh);
		return;
	}
	/* Field by field: the holes of the struct must not matter. */
	for (i = 0; i < count; i++) {
		memset(&own[i], 0, sizeof(own[i]));
		own[i].mg_mac = groups[i].mg_mac;
		own[i].mg_adi = groups[i].mg_adi;
	}
	qsort(own, count, sizeof(*own), mgroup_sort);
	for (i = k = 0; i < count; i++) {
		if (k > 0 && mgroup_cmp(&own[k - 1], &own[i]) == 0)
			continue;
		own[k++] = own[i];
		if (!own_has(nw->nw_groups, nw->nw_ngroups, &own[k - 1]))
			fresh[nfresh++] = own[k - 1];
	}
	free(nw->nw_groups);
	nw->nw_groups = own;
	nw->nw_ngroups = k;
	announce_new(n, now, nw, fresh, nfresh);
	free(fresh);
}

void
groups_behind(struct node *n, int64_t now, struct network *nw,
    const struct mgroup *mg)
{
	struct group_behind	*p;
	size_t			 at = behind_at(nw, mg);

	if (at < nw->nw_nbehind &&
	    mgroup_cmp(&nw->nw_behind[at].gb_group, mg) == 0) {
		nw->nw_behind[at].gb_seen = now;
		return;
	}
	if (nw->nw_nbehind >= GROUPS_BEHIND_MAX ||
	    (p = reallocarray(nw->nw_behind, nw->nw_nbehind + 1,
	    sizeof(*p))) == NULL)
		return;
	memmove(&p[at + 1], &p[at], (nw->nw_nbehind - at) * sizeof(*p));
	p[at].gb_group = *mg;
	p[at].gb_seen = now;
	nw->nw_behind = p;
	nw->nw_nbehind++;
	if (!own_has(nw->nw_groups, nw->nw_ngroups, mg))
		announce_new(n, now, nw, mg, 1);
}

void
groups_housekeeping(struct network *nw, int64_t now)
{
	size_t	i, k = 0;

	for (i = 0; i < nw->nw_nbehind; i++)
		if (now - nw->nw_behind[i].gb_seen < GROUP_BEHIND_MS)
			nw->nw_behind[k++] = nw->nw_behind[i];
	nw->nw_nbehind = k;
}

void
groups_free(struct network *nw)
{
	free(nw->nw_groups);
	free(nw->nw_behind);
}
