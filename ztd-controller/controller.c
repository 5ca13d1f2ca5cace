/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Life of the controller: start, identity, timers.  Spec: 04 sections 1,
 * 11, 12.3.
 */

#include <string.h>

#include "common/crypto.h"
#include "common/log.h"
#include "ztd-controller/controller.h"
#include "ztd-controller/db.h"
#include "ztd-controller/status.h"
#include "ztd-controller/value.h"

static void	 expire_logins(struct controller *);

void
controller_init(struct controller *c, struct db *db,
    const struct con_output *out, void *arg)
{
	memset(c, 0, sizeof(*c));
	c->c_db = db;
	c->c_out = out;
	c->c_arg = arg;
	c->c_status = status_new();
	c->c_room = xmalloc(sizeof(*c->c_room));
	TAILQ_INIT(&c->c_parked);
	TAILQ_INIT(&c->c_rolls);
	TAILQ_INIT(&c->c_spreads);
	store_load(c);
}

void
controller_clear(struct controller *c)
{
	/* Who waits for others changes something yet, perhaps several times. */
	if (c->c_db != NULL)
		db_wait(c->c_db);
	db_close(c->c_db);
	spread_clear(c);
	store_clear(c);
	roll_free(c, c->c_roll);
	status_free(c->c_status);
	bulk_free(c->c_bulk);
	free(c->c_pending);
	free(c->c_room);
	crypto_wipe(&c->c_id, sizeof(c->c_id));
	memset(c, 0, sizeof(*c));
}

const char *
controller_identity(struct controller *c, const char *text)
{
	struct identity		 id;
	enum identity_error	 e;

	c->c_have_id = false;
	status_ungrant(c->c_status);
	e = identity_parse(&id, text, strlen(text));
	if (e == IDENTITY_OK && id.id_has_private) {
		c->c_id = id;
		c->c_have_id = true;
	}
	crypto_wipe(&id, sizeof(id));
	if (e != IDENTITY_OK)
		return (identity_strerror(e));
	return (c->c_have_id ? NULL : "it has no private key");
}

void
controller_counts(const struct controller *c, uint64_t counts[CON_COUNT])
{
	size_t	 i;

	memcpy(counts, c->c_counts, sizeof(c->c_counts));
	counts[CON_NETWORKS] = c->c_nnetworks;
	counts[CON_MEMBERS] = 0;
	for (i = 0; i < c->c_nnetworks; i++)
		counts[CON_MEMBERS] += c->c_networks[i]->n_nmembers;
}

void
controller_poll(struct controller *c, int64_t now)
{
	c->c_now = now;
	db_poll(c->c_db);
}

void
controller_push(struct controller *c, int64_t now)
{
	c->c_now = now;
	push_run(c);
}

void
controller_tick(struct controller *c, int64_t now)
{
	c->c_now = now;
	expire_logins(c);
	status_expire(c->c_status, now);
	bulk_expire(c);
}

/*
 * Revoke those whose log-in ran out; unless it was renewed meanwhile, which
 * the next request will tell.
 */
static void
expire_logins(struct controller *c)
{
	const struct network	*n;
	const struct member	*m;
	struct status		*st, *next;
	json_t			*record;

	c->c_counts[CON_SSO_CHECKS]++;
	TAILQ_FOREACH_SAFE(st, status_expiring(c->c_status), st_expiring,
	    next) {
		if (st->st_expiry > c->c_now)
			continue;
		c->c_counts[CON_SSO_TIMEOUTS]++;
		status_watch(c->c_status, st, 0);
		if ((n = store_network(c, st->st_nwid)) == NULL ||
		    (m = store_member(n, st->st_addr)) == NULL)
			continue;
		record = member_record(m);
		if ((int64_t)value_int(json_object_get(record,
		    "authenticationExpiryTime"), 0) <= c->c_now)
			push_revoke(c, st->st_nwid, st->st_addr);
		json_decref(record);
	}
}
