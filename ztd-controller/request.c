/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A member asks for its configuration: who is it, may it, answer.
 * Spec: 04 sections 8 and 12.2.
 */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/dictionary.h"
#include "common/log.h"
#include "ztd-controller/controller.h"
#include "ztd-controller/grant.h"
#include "ztd-controller/status.h"
#include "ztd-controller/value.h"

#define AUTH_MAX	512		/* of the key "a", with NUL */
#define TOKEN_PREFIX	"token:"

/* One request on its way through this file. */
struct request {
	struct controller *rq_c;
	struct network	*rq_n;
	const struct identity *rq_id;
	uint64_t	 rq_packet;
	const void	*rq_meta;
	size_t		 rq_len;
	bool		 rq_fresh;	/* no record until now */
	bool		 rq_settled;	/* the record needs no change */
	json_t		*rq_record;	/* a copy, being changed */
};

/* A configuration that waits until what it says is durable. */
struct waiting {
	struct controller *wt_c;
	uint64_t	 wt_nwid;
	uint64_t	 wt_to;
	uint64_t	 wt_packet;
	bool		 wt_minor;	/* whether or not */
	struct grant	*wt_grant;	/* to be kept, or NULL; */
	uint64_t	 wt_network;	/* made with this serial of the network */
	uint16_t	 wt_note;	/* and this st_note */
	uint8_t		*wt_dict;
	size_t		 wt_len;
};

/* A request that waits until another change of its record is. */
struct held {
	uint64_t	 h_nwid;
	uint64_t	 h_packet;
	struct identity	 h_id;
	size_t		 h_len;
	uint8_t		 h_meta[];
};

static void	 reply_error(const struct request *, uint64_t,
		    enum packet_error, const uint8_t *, size_t);
static int	 check_identity(struct request *);
static bool	 check_authorized(struct request *);
static bool	 check_token(const struct request *, char *);
static bool	 check_login(const struct request *);
static void	 deny_login(const struct request *);
static void	 note_request(struct request *);
static void	 answer(struct request *);
static void	 answer_config(struct request *);
static struct waiting *build(struct request *);
static void	 answer_stored(void *, int);
static void	 answer_committed(void *, int);
static bool	 save(struct request *);
static bool	 is_settled(const struct request *, const struct member *,
		    const struct status *);
static bool	 answer_again(struct request *, struct status *);
static int64_t	 login_end(const struct request *);
static void	 settle(struct waiting *);
static void	 waiting_free(struct waiting *);
static bool	 is_minor(const struct request *);
static void	 hold(const struct request *);
static void	 held_run(struct controller *, void *);

static json_t *
rec(const struct request *rq, const char *key)
{
	return (json_object_get(rq->rq_record, key));
}

static size_t
count_ips(const struct request *rq)
{
	return (json_array_size(rec(rq, "ipAssignments")));
}

static json_t *
net(const struct request *rq, const char *key)
{
	return (json_object_get(rq->rq_n->n_record, key));
}

void
request_receive(struct controller *c, int64_t now, uint64_t nwid,
    uint64_t packet, const struct identity *id, const void *meta, size_t len)
{
	c->c_now = now;
	if (!c->c_have_id || nwid_controller(nwid) != c->c_id.id_addr)
		return;
	if (!status_gate(c->c_status, nwid, id->id_addr,
	    store_network(c, nwid) != NULL, now))
		return;
	c->c_counts[CON_REQUESTS]++;
	request_process(c, nwid, packet, id, meta, len);
}

void
request_process(struct controller *c, uint64_t nwid, uint64_t packet,
    const struct identity *id, const void *meta, size_t len)
{
	struct request	 rq;
	struct member	*m;
	struct status	*st;

	memset(&rq, 0, sizeof(rq));
	rq.rq_c = c;
	rq.rq_id = id;
	rq.rq_packet = packet;
	rq.rq_meta = meta;
	rq.rq_len = len < METADATA_MAX ? len : METADATA_MAX - 1;
	if ((rq.rq_n = store_network(c, nwid)) == NULL) {
		reply_error(&rq, nwid, ERR_OBJ_NOT_FOUND, NULL, 0);
		return;
	}
	c->c_counts[CON_DB_SUMMARY]++;
	m = store_member(rq.rq_n, id->id_addr);
	st = status_find(c->c_status, nwid, id->id_addr);
	rq.rq_settled = is_settled(&rq, m, st);
	if (rq.rq_settled && answer_again(&rq, st))
		return;
	rq.rq_fresh = m == NULL;
	rq.rq_record = m == NULL ? json_object() : member_record(m);
	if (!rq.rq_settled)
		member_defaults(rq.rq_record, c->c_now);
	if (check_identity(&rq) == -1)
		reply_error(&rq, nwid, ERR_NETWORK_ACCESS_DENIED, NULL, 0);
	else
		answer(&rq);
	json_decref(rq.rq_record);
}

/*
 * What this device was given for the same record and network before is good
 * for this request, too: no record is read.  Lately: only the chunks are
 * signed; longer ago: the credentials, too.
 */
static bool
answer_again(struct request *rq, struct status *st)
{
	struct controller	*c = rq->rq_c;
	const uint64_t		 to = rq->rq_id->id_addr;
	struct grant		*fresh = NULL;
	const struct grant	*gr = st->st_grant;
	const uint8_t		*d;
	size_t			 len;

	if (gr == NULL || memcmp(st->st_public, rq->rq_id->id_public,
	    sizeof(st->st_public)) != 0)
		return (false);
	if (!grant_good(gr, c->c_now)) {
		gr = fresh = config_renew(c, rq->rq_n, to, gr);
		if (fresh == NULL)
			return (false);
	}
	if (rq->rq_packet != PACKET_PUSH)
		st->st_admitted = c->c_now;
	if ((d = config_again(c, rq->rq_n, to, rq->rq_meta, rq->rq_len, gr,
	    &len)) != NULL)
		config_send(c, rq->rq_n->n_nwid, to, rq->rq_packet, d, len);
	if (fresh != NULL)
		status_grant(c->c_status, st, fresh);
	return (true);
}

/* Everything after the identity was found to be the right one. */
static void
answer(struct request *rq)
{
	const uint64_t	 nwid = rq->rq_n->n_nwid;
	const bool	 authorized = check_authorized(rq);
	const bool	 login = check_login(rq);

	if (!rq->rq_settled)
		member_finish(rq->rq_record, nwid, rq->rq_id->id_addr);
	if (authorized && login) {
		answer_config(rq);
		return;
	}
	/* A refusal promises nothing: it does not wait. */
	store_begin(rq->rq_c);
	if (save(rq))
		(void)store_commit(rq->rq_c, NULL, NULL);
	else
		store_abort(rq->rq_c);
	if (!login)
		deny_login(rq);
	else
		reply_error(rq, nwid, ERR_NETWORK_ACCESS_DENIED, NULL, 0);
}

/*
 * What the configuration gives, addresses above all, must be on disk before
 * anybody is told.
 */
static void
answer_config(struct request *rq)
{
	struct controller	*c = rq->rq_c;
	struct waiting		*wt;
	enum store_end		 end = STORE_BUSY;
	size_t			 nips;

	if (rq->rq_packet != PACKET_PUSH)
		note_request(rq);
	nips = count_ips(rq);
	if ((wt = build(rq)) == NULL)
		return;
	/* An address may have become free since. */
	if (rq->rq_settled && count_ips(rq) == nips) {
		settle(wt);
		answer_stored(wt, 0);
		return;
	}
	wt->wt_minor = is_minor(rq);
	store_begin(c);
	if (save(rq)) {
		if ((end = store_commit(c, answer_committed, wt)) == STORE_BUSY)
			hold(rq);
	} else {
		store_abort(c);
		reply_error(rq, rq->rq_n->n_nwid, ERR_OBJ_NOT_FOUND, NULL, 0);
	}
	if (end == STORE_NOTHING) {
		settle(wt);
		answer_stored(wt, 0);
	} else if (end == STORE_BUSY)
		waiting_free(wt);
}

static struct waiting *
build(struct request *rq)
{
	struct controller	*c = rq->rq_c;
	struct netconf		*nc = &c->c_nc;
	struct waiting		*wt;
	struct status		*st;
	const uint8_t		*d;
	size_t			 len;
	bool			 again;

	again = config_build(c, rq->rq_n, rq->rq_id, rq->rq_record,
	    rq->rq_meta, rq->rq_len, rq->rq_fresh, nc);
	wt = xcalloc(1, sizeof(*wt));
	wt->wt_c = c;
	wt->wt_nwid = nc->nc_nwid;
	wt->wt_to = nc->nc_to;
	wt->wt_packet = rq->rq_packet;
	if ((d = config_encode(c, nc, &len)) != NULL) {
		wt->wt_dict = xmalloc(len);
		memcpy(wt->wt_dict, d, len);
		wt->wt_len = len;
	}
	wt->wt_network = rq->rq_n->n_serial;
	if ((st = status_find(c->c_status, nc->nc_nwid, nc->nc_to)) != NULL)
		wt->wt_note = st->st_note;
	if (again && wt->wt_dict != NULL && rq->rq_packet != PACKET_PUSH)
		wt->wt_grant = grant_new(nc, c->c_room);
	netconf_clear(nc);
	if (wt->wt_dict != NULL)
		return (wt);
	waiting_free(wt);
	return (NULL);
}

static void
waiting_free(struct waiting *wt)
{
	grant_free(wt->wt_grant);
	free(wt->wt_dict);
	free(wt);
}

/*
 * What a member asks once a minute is mostly what it asked before, of a
 * record and a network that are the same: then nothing is to be stored.
 * Versions are compared by the meta-data that has them.
 */
static bool
is_settled(const struct request *rq, const struct member *m,
    const struct status *st)
{
	if (m == NULL || !m->m_authorized)
		return (false);
	return (st != NULL && m->m_serial <= st->st_serial &&
	    rq->rq_n->n_serial <= st->st_serial &&
	    st->st_metalen == rq->rq_len && rq->rq_len > 0 &&
	    memcmp(st->st_meta, rq->rq_meta, rq->rq_len) == 0);
}

/*
 * The member's record is what this answer was made of, so the same request
 * changes nothing from now on: unless the network is another one meanwhile,
 * or the device has told something else about itself.
 */
static void
settle(struct waiting *wt)
{
	struct status_table	*tb = wt->wt_c->c_status;
	const struct network	*n = store_network(wt->wt_c, wt->wt_nwid);
	const struct member	*m;
	struct status		*st = status_find(tb, wt->wt_nwid, wt->wt_to);

	if (st == NULL || n == NULL || n->n_serial != wt->wt_network ||
	    st->st_note != wt->wt_note || wt->wt_packet == PACKET_PUSH ||
	    (m = store_member(n, wt->wt_to)) == NULL || !m->m_authorized)
		return;
	status_settle(tb, st, wt->wt_c->c_serial, wt->wt_grant);
	wt->wt_grant = NULL;
}

/* Its record is on disk and in force, just now. */
static void
answer_committed(void *arg, int error)
{
	if (error == 0)
		settle(arg);
	answer_stored(arg, error);
}

/* When it could not be stored, the device will ask again. */
static void
answer_stored(void *arg, int error)
{
	struct waiting	*wt = arg;

	if (error == 0 || wt->wt_minor)
		config_send(wt->wt_c, wt->wt_nwid, wt->wt_to, wt->wt_packet,
		    wt->wt_dict, wt->wt_len);
	waiting_free(wt);
}

static void
hold(const struct request *rq)
{
	struct held	*h;

	h = xmalloc(sizeof(*h) + rq->rq_len);
	h->h_nwid = rq->rq_n->n_nwid;
	h->h_packet = rq->rq_packet;
	h->h_id = *rq->rq_id;
	h->h_len = rq->rq_len;
	if (rq->rq_len > 0)
		memcpy(h->h_meta, rq->rq_meta, rq->rq_len);
	if (store_park(rq->rq_c, held_run, h) == -1)
		free(h);
}

static void
held_run(struct controller *c, void *arg)
{
	struct held	*h = arg;

	request_process(c, h->h_nwid, h->h_packet, &h->h_id, h->h_meta,
	    h->h_len);
	free(h);
}

/* Versions are worth storing, but not worth an answer. */
static bool
is_minor(const struct request *rq)
{
	static const char *const versions[] = { "vMajor", "vMinor", "vRev",
	    "vProto" };
	const struct member	*m;
	json_t			*old, *v;
	size_t			 i;
	bool			 same;

	m = store_member(rq->rq_n, rq->rq_id->id_addr);
	if (m == NULL)
		return (false);
	old = member_record(m);
	for (i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if ((v = rec(rq, versions[i])) != NULL)
			value_set(old, versions[i], json_incref(v));
	same = json_equal(old, rq->rq_record) != 0;
	json_decref(old);
	return (same);
}

static void
reply_error(const struct request *rq, uint64_t nwid, enum packet_error code,
    const uint8_t *data, size_t len)
{
	if (rq->rq_packet != PACKET_PUSH)
		rq->rq_c->c_out->error(rq->rq_c->c_arg, nwid,
		    rq->rq_id->id_addr, rq->rq_packet, code, data, len);
}

/*
 * The device must be the one that the record was made for; the first one to
 * come is remembered.
 */
static int
check_identity(struct request *rq)
{
	char		 text[IDENTITY_TEXT_PUBLIC];
	struct identity	 stored;
	const json_t	*v;
	int		 ok;

	v = rec(rq, "identity");
	if (json_string_length(v) == 0) {
		value_set(rq->rq_record, "identity", json_string(
		    identity_format(text, rq->rq_id, false)));
		return (0);
	}
	ok = identity_parse(&stored, json_string_value(v),
	    json_string_length(v)) == IDENTITY_OK &&
	    identity_equal(&stored, rq->rq_id);
	crypto_wipe(&stored, sizeof(stored));
	return (ok ? 0 : -1);
}

static bool
check_authorized(struct request *rq)
{
	char	token[AUTH_MAX];

	if (value_bool(rec(rq, "authorized"), false))
		return (true);
	if (!value_bool(net(rq, "private"), true)) {
		member_authorize(rq->rq_record, rq->rq_c->c_now, "public",
		    NULL);
		return (true);
	}
	if (check_token(rq, token)) {
		member_authorize(rq->rq_record, rq->rq_c->c_now, "token",
		    token);
		return (true);
	}
	return (false);
}

/* token has AUTH_MAX bytes. */
static bool
check_token(const struct request *rq, char *token)
{
	const size_t	 skip = sizeof(TOKEN_PREFIX) - 1;
	char		 auth[AUTH_MAX];
	const json_t	*expiry;
	uint64_t	 when;

	if (!dict_get_string(rq->rq_meta, rq->rq_len, "a", auth,
	    sizeof(auth)) ||
	    strncmp(auth, TOKEN_PREFIX, skip) != 0 || auth[skip] == '\0')
		return (false);
	expiry = json_object_get(net(rq, "authTokens"), auth + skip);
	if (!json_is_number(expiry))
		return (false);
	when = value_int(expiry, 0);
	if (when != 0 && when <= (uint64_t)rq->rq_c->c_now)
		return (false);
	(void)strlcpy(token, auth + skip, AUTH_MAX);
	return (true);
}

/* When a log-in ends, ms, where the network wants one; 0: it does not. */
static int64_t
login_end(const struct request *rq)
{
	int64_t	expiry;

	if (!value_bool(net(rq, "ssoEnabled"), false) ||
	    value_bool(rec(rq, "ssoExempt"), false))
		return (0);
	expiry = (int64_t)value_int(rec(rq, "authenticationExpiryTime"), 0);
	return (expiry > 0 ? expiry : 1);
}

static bool
check_login(const struct request *rq)
{
	const int64_t	end = login_end(rq);

	return (end == 0 || end > rq->rq_c->c_now);
}

/* The file store has no log-in page to point to. */
static void
deny_login(const struct request *rq)
{
	uint8_t		data[64];
	struct wbuf	wb;

	wbuf_init(&wb, data, sizeof(data));
	dict_put_u64(&wb, "aV", 0);
	dict_put_string(&wb, "aU", "");
	reply_error(rq, rq->rq_n->n_nwid, ERR_NETWORK_AUTHENTICATION_REQUIRED,
	    data, wb.wb_len);
}

/* What an authorized device said of itself. */
static void
note_request(struct request *rq)
{
	static const char *const keys[][2] = { { "vMajor", "majv" },
	    { "vMinor", "minv" }, { "vRev", "revv" }, { "vProto", "pv" } };
	struct status	*st;
	size_t		 i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]) && !rq->rq_settled;
	    i++)
		value_set(rq->rq_record, keys[i][0], value_new_int(
		    dict_get_u64(rq->rq_meta, rq->rq_len, keys[i][1], 0)));
	st = status_find(rq->rq_c->c_status, rq->rq_n->n_nwid,
	    rq->rq_id->id_addr);
	if (st == NULL)
		return;
	status_note(rq->rq_c->c_status, st, rq->rq_id, rq->rq_meta,
	    rq->rq_len);
	st->st_admitted = rq->rq_c->c_now;
	status_watch(rq->rq_c->c_status, st, 0);
	status_watch(rq->rq_c->c_status, st, login_end(rq));
}

/*
 * Strangers on a private network leave records, but not without bound.
 * Returns false when there is no room.
 */
static bool
save(struct request *rq)
{
	const struct network	*n = rq->rq_n;

	if (rq->rq_fresh &&
	    !value_bool(rec(rq, "authorized"), false) &&
	    n->n_nmembers + n->n_npending - n->n_nauthorized >=
	    STRANGERS_MAX)
		return (false);
	return (store_save_member(rq->rq_c, rq->rq_n, rq->rq_id->id_addr,
	    json_incref(rq->rq_record), false) != NULL);
}
