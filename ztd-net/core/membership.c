/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What we know of the other members of a network: their credentials, what
 * was revoked, and whether it counts now.  Spec: 03 sections 10.1 to 10.3.
 *
 * A record is made for a verified credential, a peer that passed the gate
 * or one that we send to.  All memory is counted; the table is bounded.
 */

#include <stdlib.h>
#include <string.h>

#include "ztd-net/core/network.h"

#define EVICT_MS	1000	/* look for blank records at most this often */
#define BLANK_IDLE_MS	60000	/* and take those idle for so long */

/* What a capability takes, its program included, at the most. */
#define HELD_CAP_BYTES	(sizeof(struct held_cap) + \
			    CAPABILITY_RULES * sizeof(struct rule))

RB_GENERATE(membership_tree, membership, mb_entry, membership_cmp)

int
membership_cmp(const struct membership *a, const struct membership *b)
{
	return (a->mb_addr < b->mb_addr ? -1 : a->mb_addr > b->mb_addr);
}

struct membership *
membership_find(const struct network *nw, uint64_t addr)
{
	return (index_get(&nw->nw_member_index, addr));
}

static size_t
membership_bytes(const struct membership *mb)
{
	return (mb->mb_ntags * sizeof(*mb->mb_tags) +
	    mb->mb_ncaps * HELD_CAP_BYTES +
	    mb->mb_ncoos * sizeof(*mb->mb_coos) +
	    mb->mb_nrevoked * sizeof(*mb->mb_revoked));
}

static void
membership_remove(struct network *nw, struct membership *mb)
{
	unsigned	i;

	index_del(&nw->nw_member_index, mb->mb_addr, mb);
	RB_REMOVE(membership_tree, &nw->nw_members, mb);
	nw->nw_nmembers--;
	nw->nw_member_bytes -= membership_bytes(mb);
	free(mb->mb_tags);
	for (i = 0; i < mb->mb_ncaps; i++)
		filter_program_free(mb->mb_caps[i].hc_program);
	free(mb->mb_caps);
	free(mb->mb_coos);
	free(mb->mb_revoked);
	free(mb);
}

void
memberships_free(struct network *nw)
{
	struct membership	*mb;

	while ((mb = RB_ROOT(&nw->nw_members)) != NULL)
		membership_remove(nw, mb);
	index_free(&nw->nw_member_index);
}

static bool
membership_blank(const struct membership *mb)
{
	return (mb->mb_com.com_n == 0 && mb->mb_com_threshold == 0 &&
	    membership_bytes(mb) == 0);
}

/*
 * Remove what was idle for idle ms; blank_only: only records without any
 * credential or revocation.
 */
static void
memberships_expire(struct network *nw, int64_t now, int64_t idle,
    bool blank_only)
{
	struct membership	*mb, *next;

	for (mb = RB_MIN(membership_tree, &nw->nw_members); mb != NULL;
	    mb = next) {
		next = RB_NEXT(membership_tree, &nw->nw_members, mb);
		if (now - mb->mb_seen < idle)
			continue;
		if (!blank_only || membership_blank(mb))
			membership_remove(nw, mb);
	}
}

void
memberships_housekeeping(struct network *nw, int64_t now)
{
	int64_t	idle = MEMBER_IDLE_MS;

	/* A revocation must outlive what it revoked. */
	if (nw->nw_conf != NULL && nw->nw_conf->nc_delta > idle / 2)
		idle = nw->nw_conf->nc_delta > INT64_MAX / 4 ? INT64_MAX :
		    nw->nw_conf->nc_delta * 2;
	memberships_expire(nw, now, idle, false);
}

struct membership *
membership_get(struct network *nw, int64_t now, uint64_t addr)
{
	struct membership	*mb;

	if ((mb = membership_find(nw, addr)) != NULL) {
		mb->mb_seen = now;
		return (mb);
	}
	if (nw->nw_nmembers >= MEMBERS_MAX) {
		if (nw->nw_evicted && now - nw->nw_evicted_at < EVICT_MS)
			return (NULL);
		nw->nw_evicted = true;
		nw->nw_evicted_at = now;
		memberships_expire(nw, now, BLANK_IDLE_MS, true);
		if (nw->nw_nmembers >= MEMBERS_MAX)
			return (NULL);
	}
	if ((mb = calloc(1, sizeof(*mb))) == NULL)
		return (NULL);
	if (index_put(&nw->nw_member_index, addr, mb) == -1) {
		free(mb);
		return (NULL);
	}
	mb->mb_addr = addr;
	mb->mb_seen = now;
	RB_INSERT(membership_tree, &nw->nw_members, mb);
	nw->nw_nmembers++;
	return (mb);
}

/* --- revocations of a member ------------------------------------------ */

/* The recorded threshold, or NULL. */
static struct revoked *
revoked_find(const struct membership *mb, uint8_t type, uint32_t id)
{
	unsigned	i;

	for (i = 0; i < mb->mb_nrevoked; i++)
		if (mb->mb_revoked[i].rk_type == type &&
		    mb->mb_revoked[i].rk_id == id)
			return (&mb->mb_revoked[i]);
	return (NULL);
}

static bool
is_revoked(const struct membership *mb, uint8_t type, uint32_t id,
    int64_t ts)
{
	const struct revoked	*rk;

	return ((rk = revoked_find(mb, type, id)) != NULL &&
	    ts <= rk->rk_threshold);
}

/*
 * Record a threshold.  A full list gives up its oldest one: what that
 * revoked has left the time window first.
 */
static bool
revoked_set(struct network *nw, struct membership *mb, uint8_t type,
    uint32_t id, int64_t threshold)
{
	struct revoked	*rk, *p;
	unsigned	 i;

	if ((rk = revoked_find(mb, type, id)) == NULL &&
	    mb->mb_nrevoked == MEMBER_REVOKED) {
		rk = &mb->mb_revoked[0];
		for (i = 1; i < mb->mb_nrevoked; i++)
			if (mb->mb_revoked[i].rk_threshold < rk->rk_threshold)
				rk = &mb->mb_revoked[i];
		if (rk->rk_threshold >= threshold)
			return (false);
	}
	if (rk == NULL) {
		if (nw->nw_member_bytes + sizeof(*p) > MEMBER_BYTES_MAX ||
		    (p = reallocarray(mb->mb_revoked, mb->mb_nrevoked + 1,
		    sizeof(*p))) == NULL)
			return (false);
		mb->mb_revoked = p;
		rk = &p[mb->mb_nrevoked++];
		nw->nw_member_bytes += sizeof(*p);
	}
	rk->rk_type = type;
	rk->rk_id = id;
	rk->rk_threshold = threshold;
	return (true);
}

/* --- adding credentials (10.2) ---------------------------------------- */

static const struct identity *
lookup(void *arg, uint64_t addr)
{
	return (identity_of(arg, addr));
}

/* Which one it is about, for those who watch. */
struct about {
	struct node	*ab_node;
	int64_t		 ab_now;
	struct network	*ab_nw;
	enum credential_type ab_type;
	uint32_t	 ab_id;
	int64_t		 ab_ts;
	uint64_t	 ab_to;
};

static enum cred_result
refused(const struct about *ab, enum why why)
{
	trace_credential(ab->ab_node, ab->ab_now, ab->ab_nw, ab->ab_type,
	    ab->ab_id, ab->ab_ts, ab->ab_to, why);
	return (CRED_REJECTED);
}

/* What a check means for the caller; CRED_NEW: go on and store. */
static enum cred_result
checked(const struct about *ab, enum credential_check c, uint64_t unknown)
{
	switch (c) {
	case CREDENTIAL_OK:
		return (CRED_NEW);
	case CREDENTIAL_UNKNOWN_SIGNER:
		whois_request(ab->ab_node, ab->ab_now, unknown);
		return (CRED_DEFERRED);
	case CREDENTIAL_BAD:
		break;
	}
	return (refused(ab, WHY_INVALID));
}

enum cred_result
membership_add_com(struct node *n, int64_t now, struct network *nw,
    const struct com *com)
{
	const struct about	 ab = { n, now, nw, CREDENTIAL_COM, 0,
	    (int64_t)com_value(com, COM_ID_TIMESTAMP),
	    com_value(com, COM_ID_ISSUED_TO) };
	struct membership	*mb;
	enum cred_result	 res;
	uint64_t		 to = ab.ab_to, unknown = 0;
	int64_t			 ts = ab.ab_ts;

	if (com_value(com, COM_ID_NETWORK) != nw->nw_id ||
	    to > ADDR_MASK || addr_reserved(to))
		return (CRED_REJECTED);
	if ((mb = membership_find(nw, to)) != NULL) {
		if (ts <= mb->mb_com_threshold)
			return (refused(&ab, WHY_REVOKED));
		if (mb->mb_com.com_n != 0) {
			if (ts < (int64_t)com_value(&mb->mb_com,
			    COM_ID_TIMESTAMP))
				return (refused(&ab, WHY_OLD));
			if (com_equal(com, &mb->mb_com))
				return (CRED_REDUNDANT);
		}
	}
	res = checked(&ab, com_check(com, lookup, n, &unknown), unknown);
	if (res != CRED_NEW)
		return (res);
	if ((mb = membership_get(nw, now, to)) == NULL)
		return (CRED_REJECTED);
	mb->mb_com = *com;
	mb->mb_agrees_gen = 0;
	return (CRED_NEW);
}

/*
 * Make room for an entry of size bytes, counted as cost, before index at.
 * Returns it, zeroed, or NULL when the list is full or memory is short.
 */
static void *
list_insert(struct network *nw, void **list, unsigned *n, size_t size,
    size_t cost, unsigned at, unsigned max)
{
	uint8_t	*p;

	if (*n >= max || nw->nw_member_bytes + cost > MEMBER_BYTES_MAX ||
	    (p = reallocarray(*list, *n + 1, size)) == NULL)
		return (NULL);
	*list = p;
	memmove(p + (at + 1) * size, p + at * size, (*n - at) * size);
	memset(p + at * size, 0, size);
	(*n)++;
	nw->nw_member_bytes += cost;
	return (p + at * size);
}

/* First index whose id is not below; the lists are short. */
#define LIST_AT(list, n, member, id, at)				\
	for ((at) = 0; (at) < (n) && (list)[at].member < (id); (at)++)	\
		continue

enum cred_result
membership_add_tag(struct node *n, int64_t now, struct network *nw,
    const struct tag *tag)
{
	const struct about	 ab = { n, now, nw, CREDENTIAL_TAG, tag->tag_id,
	    tag->tag_ts, tag->tag_to };
	struct membership	*mb;
	struct tag		*old;
	void			*list;
	enum cred_result	 res;
	uint64_t		 unknown = 0;
	unsigned		 at;

	if (tag->tag_nwid != nw->nw_id || addr_reserved(tag->tag_to))
		return (CRED_REJECTED);
	if ((mb = membership_find(nw, tag->tag_to)) != NULL) {
		LIST_AT(mb->mb_tags, mb->mb_ntags, tag_id, tag->tag_id, at);
		if (at < mb->mb_ntags &&
		    (old = &mb->mb_tags[at])->tag_id == tag->tag_id) {
			if (old->tag_ts > tag->tag_ts)
				return (refused(&ab, WHY_OLD));
			if (tag_equal(old, tag))
				return (CRED_REDUNDANT);
		}
		if (is_revoked(mb, CREDENTIAL_TAG, tag->tag_id, tag->tag_ts))
			return (refused(&ab, WHY_REVOKED));
	}
	res = checked(&ab, tag_check(tag, lookup, n, &unknown), unknown);
	if (res != CRED_NEW)
		return (res);
	if ((mb = membership_get(nw, now, tag->tag_to)) == NULL)
		return (CRED_REJECTED);
	LIST_AT(mb->mb_tags, mb->mb_ntags, tag_id, tag->tag_id, at);
	if (at == mb->mb_ntags || mb->mb_tags[at].tag_id != tag->tag_id) {
		list = mb->mb_tags;
		if (list_insert(nw, &list, &mb->mb_ntags,
		    sizeof(*mb->mb_tags), sizeof(*mb->mb_tags), at,
		    NETCONF_TAGS) == NULL)
			return (CRED_REJECTED);
		mb->mb_tags = list;
	}
	mb->mb_tags[at] = *tag;
	return (CRED_NEW);
}

enum cred_result
membership_add_capability(struct node *n, int64_t now, struct network *nw,
    const struct capability *cap)
{
	const struct about	 ab = { n, now, nw, CREDENTIAL_CAPABILITY,
	    cap->cap_id, cap->cap_ts, capability_holder(cap) };
	struct membership	*mb;
	struct filter_program	*program;
	struct capability	*old;
	void			*list;
	enum cred_result	 res;
	uint64_t		 to = ab.ab_to, unknown = 0;
	unsigned		 at;

	if (cap->cap_nwid != nw->nw_id || addr_reserved(to))
		return (CRED_REJECTED);
	if ((mb = membership_find(nw, to)) != NULL) {
		LIST_AT(mb->mb_caps, mb->mb_ncaps, hc_cap.cap_id,
		    cap->cap_id, at);
		if (at < mb->mb_ncaps &&
		    (old = &mb->mb_caps[at].hc_cap)->cap_id == cap->cap_id) {
			if (old->cap_ts > cap->cap_ts)
				return (refused(&ab, WHY_OLD));
			if (capability_equal(old, cap))
				return (CRED_REDUNDANT);
		}
		if (is_revoked(mb, CREDENTIAL_CAPABILITY, cap->cap_id,
		    cap->cap_ts))
			return (refused(&ab, WHY_REVOKED));
	}
	res = checked(&ab, capability_check(cap, lookup, n, &unknown),
	    unknown);
	if (res != CRED_NEW)
		return (res);
	if ((mb = membership_get(nw, now, to)) == NULL)
		return (CRED_REJECTED);
	if ((program = filter_compile(cap->cap_rules, cap->cap_nrules,
	    cap->cap_id)) == NULL)
		return (CRED_REJECTED);
	LIST_AT(mb->mb_caps, mb->mb_ncaps, hc_cap.cap_id, cap->cap_id, at);
	if (at == mb->mb_ncaps ||
	    mb->mb_caps[at].hc_cap.cap_id != cap->cap_id) {
		list = mb->mb_caps;
		if (list_insert(nw, &list, &mb->mb_ncaps,
		    sizeof(*mb->mb_caps), HELD_CAP_BYTES, at,
		    NETCONF_CAPS) == NULL) {
			filter_program_free(program);
			return (CRED_REJECTED);
		}
		mb->mb_caps = list;
	}
	filter_program_free(mb->mb_caps[at].hc_program);
	mb->mb_caps[at].hc_cap = *cap;
	mb->mb_caps[at].hc_program = program;
	return (CRED_NEW);
}

enum cred_result
membership_add_coo(struct node *n, int64_t now, struct network *nw,
    const struct coo *coo)
{
	const struct about	 ab = { n, now, nw, CREDENTIAL_COO, coo->coo_id,
	    coo->coo_ts, coo->coo_to };
	struct membership	*mb;
	struct coo		*old;
	void			*list;
	enum cred_result	 res;
	uint64_t		 unknown = 0;
	unsigned		 at;

	if (coo->coo_nwid != nw->nw_id || addr_reserved(coo->coo_to))
		return (CRED_REJECTED);
	if ((mb = membership_find(nw, coo->coo_to)) != NULL) {
		LIST_AT(mb->mb_coos, mb->mb_ncoos, coo_id, coo->coo_id, at);
		if (at < mb->mb_ncoos &&
		    (old = &mb->mb_coos[at])->coo_id == coo->coo_id) {
			if (old->coo_ts > coo->coo_ts)
				return (refused(&ab, WHY_OLD));
			if (coo_equal(old, coo))
				return (CRED_REDUNDANT);
		}
		if (is_revoked(mb, CREDENTIAL_COO, coo->coo_id, coo->coo_ts))
			return (refused(&ab, WHY_REVOKED));
	}
	res = checked(&ab, coo_check(coo, lookup, n, &unknown), unknown);
	if (res != CRED_NEW)
		return (res);
	if ((mb = membership_get(nw, now, coo->coo_to)) == NULL)
		return (CRED_REJECTED);
	LIST_AT(mb->mb_coos, mb->mb_ncoos, coo_id, coo->coo_id, at);
	if (at == mb->mb_ncoos || mb->mb_coos[at].coo_id != coo->coo_id) {
		list = mb->mb_coos;
		if (list_insert(nw, &list, &mb->mb_ncoos,
		    sizeof(*mb->mb_coos), sizeof(*mb->mb_coos), at,
		    MEMBER_COOS) == NULL)
			return (CRED_REJECTED);
		mb->mb_coos = list;
	}
	mb->mb_coos[at] = *coo;
	return (CRED_NEW);
}

enum cred_result
membership_add_revocation(struct node *n, int64_t now, struct network *nw,
    const struct revocation *rev)
{
	const struct about	 ab = { n, now, nw, CREDENTIAL_REVOCATION,
	    rev->rev_id, rev->rev_threshold, rev->rev_target };
	struct membership	*mb;
	struct revoked		*rk;
	enum cred_result	 res;
	uint64_t		 unknown = 0;

	if (rev->rev_nwid != nw->nw_id || addr_reserved(rev->rev_target))
		return (CRED_REJECTED);
	res = checked(&ab, revocation_check(rev, lookup, n, &unknown),
	    unknown);
	if (res != CRED_NEW)
		return (res);
	switch (rev->rev_type) {
	case CREDENTIAL_COM:
	case CREDENTIAL_CAPABILITY:
	case CREDENTIAL_TAG:
	case CREDENTIAL_COO:
		break;
	default:
		return (CRED_REJECTED);
	}
	if ((mb = membership_get(nw, now, rev->rev_target)) == NULL)
		return (CRED_REJECTED);
	if (rev->rev_type == CREDENTIAL_COM) {
		if (rev->rev_threshold <= mb->mb_com_threshold)
			return (CRED_REDUNDANT);
		mb->mb_com_threshold = rev->rev_threshold;
		return (CRED_NEW);
	}
	rk = revoked_find(mb, rev->rev_type, rev->rev_credential);
	if (rk != NULL && rk->rk_threshold >= rev->rev_threshold)
		return (CRED_REDUNDANT);
	return (revoked_set(nw, mb, rev->rev_type, rev->rev_credential,
	    rev->rev_threshold) ? CRED_NEW : CRED_REJECTED);
}

/* --- use-time checks (10.3) ------------------------------------------- */

/*
 * Does their COM agree with ours?  That takes a hash of the identity, so
 * the answer is kept until our configuration, their COM or the key behind
 * the address changes.
 */
static bool
com_counts(const struct network *nw, struct membership *mb,
    const struct identity *id)
{
	if (mb->mb_com.com_n == 0 ||
	    (int64_t)com_value(&mb->mb_com, COM_ID_TIMESTAMP) <=
	    mb->mb_com_threshold)
		return (false);
	if (mb->mb_agrees_gen != nw->nw_gen ||
	    memcmp(mb->mb_agrees_key, id->id_public, IDENTITY_KEYS) != 0) {
		mb->mb_agrees = com_agrees(&nw->nw_conf->nc_com, &mb->mb_com,
		    id);
		mb->mb_agrees_gen = nw->nw_gen;
		memcpy(mb->mb_agrees_key, id->id_public, IDENTITY_KEYS);
	}
	return (mb->mb_agrees);
}

bool
membership_allowed(const struct network *nw, struct membership *mb,
    const struct identity *id)
{
	if (nw->nw_conf == NULL)
		return (false);
	if (nw->nw_conf->nc_public)
		return (true);
	return (mb != NULL && mb->mb_addr == id->id_addr &&
	    com_counts(nw, mb, id));
}

enum why
membership_why(const struct network *nw, const struct membership *mb)
{
	if (nw->nw_conf == NULL)
		return (WHY_NO_CONFIG);
	if (mb != NULL && mb->mb_com_threshold != 0 &&
	    (mb->mb_com.com_n == 0 || (int64_t)com_value(&mb->mb_com,
	    COM_ID_TIMESTAMP) <= mb->mb_com_threshold))
		return (WHY_CERTIFICATE_REVOKED);
	return (mb == NULL || mb->mb_com.com_n == 0 ? WHY_NO_CERTIFICATE :
	    WHY_CERTIFICATE_APART);
}

bool
membership_counts(const struct network *nw, const struct membership *mb,
    enum credential_type type, uint32_t id, int64_t ts)
{
	uint64_t	a = (uint64_t)ts, b, delta;

	if (nw->nw_conf == NULL || nw->nw_conf->nc_delta < 0)
		return (false);
	b = (uint64_t)nw->nw_conf->nc_ts;
	delta = ts > nw->nw_conf->nc_ts ? a - b : b - a;
	return (delta <= (uint64_t)nw->nw_conf->nc_delta &&
	    !is_revoked(mb, (uint8_t)type, id, ts));
}

const struct tag *
membership_tag(const struct network *nw, const struct membership *mb,
    uint32_t id)
{
	const struct tag	*tag;
	unsigned		 at;

	if (mb == NULL)
		return (NULL);
	LIST_AT(mb->mb_tags, mb->mb_ntags, tag_id, id, at);
	if (at == mb->mb_ntags || (tag = &mb->mb_tags[at])->tag_id != id)
		return (NULL);
	return (membership_counts(nw, mb, CREDENTIAL_TAG, id, tag->tag_ts) ?
	    tag : NULL);
}

/* Inside the range that NDP emulation gives to members (10.3)? */
static bool
emulated(const struct network *nw, const struct inet_addr *ia)
{
	const struct netconf	*nc = nw->nw_conf;
	unsigned		 i;
	size_t			 len;

	if (nc == NULL || !(nc->nc_flags & NETCONF_NDP) || ia->ia_family != 6)
		return (false);
	for (i = 0; i < nc->nc_nips; i++) {
		struct inet_addr	 six, rfc;
		const struct inet_addr	*ip = &nc->nc_ips[i];

		addr_6plane(&six, nw->nw_id, nc->nc_to);
		addr_rfc4193(&rfc, nw->nw_id, nc->nc_to);
		if (inet_same_ip(ip, &six))
			len = 5;
		else if (inet_same_ip(ip, &rfc))
			len = 11;
		else
			continue;
		if (memcmp(ia->ia_ip, ip->ia_ip, len) == 0)
			return (true);
	}
	return (false);
}

bool
membership_owns_ip(const struct network *nw, const struct membership *mb,
    const struct inet_addr *ia)
{
	unsigned	i;

	for (i = 0; mb != NULL && i < mb->mb_ncoos; i++)
		if (coo_owns_ip(&mb->mb_coos[i], ia) &&
		    membership_counts(nw, mb, CREDENTIAL_COO,
		    mb->mb_coos[i].coo_id, mb->mb_coos[i].coo_ts))
			return (true);
	return (emulated(nw, ia));
}

bool
membership_owns_mac(const struct network *nw, const struct membership *mb,
    uint64_t mac)
{
	unsigned	i;

	for (i = 0; mb != NULL && i < mb->mb_ncoos; i++)
		if (coo_owns_mac(&mb->mb_coos[i], mac) &&
		    membership_counts(nw, mb, CREDENTIAL_COO,
		    mb->mb_coos[i].coo_id, mb->mb_coos[i].coo_ts))
			return (true);
	return (false);
}
