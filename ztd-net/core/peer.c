/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The table of peers and their cache.  Spec: 02 sections 10.5 and 9.1.
 */

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "ztd-net/core/core.h"

/* Cache record: 02 section 10.5, 05 section 10.5. */
#define CACHE_VERSION	0x02
#define CACHE_MS	30000	/* between writes of one record */
#define CACHE_PATHS	16	/* that we use; others write more */
#define RESTING_MS	60000	/* silence after which keys rest */
#define CACHE_MAX	(1 + IDENTITY_BIN_SECRET + 8 + 2 + NODE_PATHS * 19)

int
peer_cmp(const struct peer *a, const struct peer *b)
{
	if (a->pe_id.id_addr != b->pe_id.id_addr)
		return (a->pe_id.id_addr < b->pe_id.id_addr ? -1 : 1);
	return (0);
}

RB_GENERATE(peer_tree, peer, pe_entry, peer_cmp)

struct peer *
peer_find(struct node *n, uint64_t addr)
{
	return (index_get(&n->n_peer_index, addr));
}

/*
 * The longest silent one gives way, but none that others need, and not the
 * one whose packet made us look for room.
 */
static bool
make_room(struct node *n)
{
	struct peer	*p;

	TAILQ_FOREACH(p, &n->n_ages, pe_age) {
		if (p->pe_upstream || p->pe_held > 0)
			continue;
		n->n_status.ns_evicted++;
		if (p->pe_npaths > 0 && topology_is_root(n))
			peer_save(n, p);
		peer_remove(n, p);
		return (true);
	}
	return (false);
}

struct peer *
peer_add(struct node *n, int64_t now, const struct identity *id)
{
	struct peer	*p;
	uint8_t		 key[KEY48_LEN];

	if (id->id_addr == n->n_id.id_addr || addr_reserved(id->id_addr))
		return (NULL);
	if ((p = peer_find(n, id->id_addr)) != NULL)
		return (identity_equal(&p->pe_id, id) ? p : NULL);
	if ((n->n_npeers >= n->n_maxpeers && !make_room(n)) ||
	    (p = calloc(1, sizeof(*p))) == NULL)
		return (NULL);
	if (identity_agree(&n->n_id, id, key) == -1 ||
	    index_put(&n->n_peer_index, id->id_addr, p) == -1) {
		crypto_wipe(key, sizeof(key));
		free(p);
		return (NULL);
	}
	packet_keys_init(&p->pe_keys, key);
	crypto_wipe(key, sizeof(key));
	p->pe_id = *id;
	memset(p->pe_id.id_private, 0, sizeof(p->pe_id.id_private));
	p->pe_id.id_has_private = 0;
	p->pe_created = now;
	RB_INSERT(peer_tree, &n->n_peers, p);
	TAILQ_INSERT_TAIL(&n->n_ages, p, pe_age);
	n->n_npeers++;
	return (p);
}

void
peer_remove(struct node *n, struct peer *p)
{
	while (p->pe_npaths > 0)
		peer_drop_path(p, p->pe_npaths - 1);
	unwatch(n, p);
	peer_deactivate(n, p);
	reach_free(p);
	free(p->pe_paths);
	free(p->pe_latencies);
	TAILQ_REMOVE(&n->n_ages, p, pe_age);
	index_del(&n->n_peer_index, p->pe_id.id_addr, p);
	RB_REMOVE(peer_tree, &n->n_peers, p);
	n->n_npeers--;
	packet_keys_clear(&p->pe_keys);
	free(p);
}

void
peer_heard(struct node *n, int64_t now, struct peer *p)
{
	/* Once a second is exact enough to tell who is the oldest. */
	if (now - p->pe_last_receive >= 1000) {
		TAILQ_REMOVE(&n->n_ages, p, pe_age);
		TAILQ_INSERT_TAIL(&n->n_ages, p, pe_age);
	}
	p->pe_last_receive = now;
}

void
peer_activate(struct node *n, struct peer *p)
{
	if (p->pe_is_active)
		return;
	p->pe_is_active = true;
	TAILQ_INSERT_TAIL(&n->n_active, p, pe_active);
}

void
peer_deactivate(struct node *n, struct peer *p)
{
	if (!p->pe_is_active)
		return;
	p->pe_is_active = false;
	TAILQ_REMOVE(&n->n_active, p, pe_active);
}

const struct identity *
identity_of(struct node *n, uint64_t addr)
{
	struct peer	*p;

	if (addr == n->n_id.id_addr)
		return (&n->n_id);
	return ((p = peer_find(n, addr)) == NULL ? NULL : &p->pe_id);
}

void
peer_save(struct node *n, const struct peer *p)
{
	struct wbuf	 wb;
	uint8_t		 rec[CACHE_MAX];
	unsigned	 i, npaths;

	npaths = p->pe_npaths < CACHE_PATHS ? p->pe_npaths : CACHE_PATHS;
	wbuf_init(&wb, rec, sizeof(rec));
	wbuf_u8(&wb, CACHE_VERSION);
	identity_put(&wb, &p->pe_id, false);
	wbuf_u16(&wb, p->pe_proto);
	wbuf_u16(&wb, p->pe_major);
	wbuf_u16(&wb, p->pe_minor);
	wbuf_u16(&wb, p->pe_rev);
	wbuf_u16(&wb, (uint16_t)npaths);
	for (i = 0; i < npaths; i++)
		inet_put(&wb, &p->pe_paths[i].pp_path->pa_addr);
	if (wbuf_ok(&wb))
		node_store(n, STATE_PEER, p->pe_id.id_addr, rec, wb.wb_len);
}

void
peer_keep(struct node *n, int64_t now, struct peer *p)
{
	/* Anybody can become a peer: that alone earns no file. */
	if (!topology_is_root(n) && !peer_trusted(p, now))
		return;
	if (p->pe_saved != 0 && now - p->pe_saved < CACHE_MS)
		return;
	p->pe_saved = now;
	p->pe_unsaved = false;
	peer_save(n, p);
}

bool
peer_cached(struct node *n, const struct identity *id)
{
	struct identity	 kept;
	struct rbuf	 rb;
	uint8_t		 rec[CACHE_MAX];
	size_t		 len;

	if ((len = node_load(n, STATE_PEER, id->id_addr, rec,
	    sizeof(rec))) == 0)
		return (false);
	rbuf_init(&rb, rec, len);
	if (rbuf_u8(&rb) != CACHE_VERSION)
		return (false);
	identity_get(&rb, &kept);
	return (rbuf_ok(&rb) && identity_equal(&kept, id));
}

/* Make a peer of a cache record and greet its remembered addresses. */
static struct peer *
cache_take(struct node *n, int64_t now, uint64_t addr, struct rbuf *rb)
{
	struct inet_addr	 to[CACHE_PATHS];
	struct identity		 id;
	struct peer		*p;
	unsigned		 i, npaths;
	uint16_t		 proto, vmajor, vminor, rev;

	if (rbuf_u8(rb) != CACHE_VERSION)
		return (NULL);
	identity_get(rb, &id);
	proto = rbuf_u16(rb);
	vmajor = rbuf_u16(rb);
	vminor = rbuf_u16(rb);
	rev = rbuf_u16(rb);
	npaths = rbuf_u16(rb);
	if (npaths > CACHE_PATHS)
		npaths = CACHE_PATHS;
	for (i = 0; i < npaths; i++)
		inet_get(rb, &to[i]);
	if (!rbuf_ok(rb) || id.id_addr != addr || proto > UINT8_MAX ||
	    vmajor > UINT8_MAX || vminor > UINT8_MAX || !identity_valid(&id) ||
	    (p = peer_add(n, now, &id)) == NULL)
		return (NULL);
	p->pe_proto = (uint8_t)proto;
	p->pe_major = (uint8_t)vmajor;
	p->pe_minor = (uint8_t)vminor;
	p->pe_rev = rev;
	for (i = 0; i < npaths; i++)
		reach_suggest(n, now, p, SOCKET_ANY, &to[i], REACH_OWN);
	return (p);
}

struct peer *
peer_lookup(struct node *n, int64_t now, uint64_t addr)
{
	struct peer	*p;
	struct rbuf	 rb;
	uint8_t		 rec[CACHE_MAX];
	size_t		 len;

	if ((p = peer_find(n, addr)) != NULL)
		return (p);
	if (addr == n->n_id.id_addr || addr_reserved(addr) ||
	    (len = node_load(n, STATE_PEER, addr, rec, sizeof(rec))) == 0)
		return (NULL);
	rbuf_init(&rb, rec, len);
	return (cache_take(n, now, addr, &rb));
}

/* Keys of who has been silent so long need no contexts kept ready. */
void
peers_housekeeping(struct node *n, int64_t now)
{
	struct peer	*p, *next;
	int64_t		 last;

	TAILQ_FOREACH_SAFE(p, &n->n_ages, pe_age, next) {
		last = p->pe_last_receive > p->pe_created ?
		    p->pe_last_receive : p->pe_created;
		if (now - last < RESTING_MS)
			break;		/* the others are younger */
		packet_keys_rest(&p->pe_keys);
		if (now - last >= PEER_EXPIRY_MS && !p->pe_upstream)
			peer_remove(n, p);
	}
}

void
peers_free(struct node *n, int64_t now)
{
	struct peer	*p, *next;

	RB_FOREACH_SAFE(p, peer_tree, &n->n_peers, next) {
		if (p->pe_npaths > 0 &&
		    (topology_is_root(n) || peer_trusted(p, now)))
			peer_save(n, p);
		peer_remove(n, p);
	}
	paths_housekeeping(n, INT64_MAX);
}
