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
	json_t		*rq_record;	/* a copy, being changed */
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
static bool	 save(struct request *);

static json_t *
rec(const struct request *rq, const char *key)
{
	return (json_object_get(rq->rq_record, key));
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
	rq.rq_fresh = m == NULL;
	rq.rq_record = m == NULL ? json_object() :
	    json_deep_copy(m->m_record);
	if (rq.rq_record == NULL) {
		log_warnx("network %016" PRIx64 ": no memory for a request",
		    nwid);
		return;
	}
	member_defaults(rq.rq_record, c->c_now);
	if (check_identity(&rq) == -1)
		reply_error(&rq, nwid, ERR_NETWORK_ACCESS_DENIED, NULL, 0);
	else
		answer(&rq);
	json_decref(rq.rq_record);
}

/* Everything after the identity was found to be the right one. */
static void
answer(struct request *rq)
{
	const uint64_t	 nwid = rq->rq_n->n_nwid;
	struct netconf	*nc;
	bool		 authorized;

	member_finish(rq->rq_record, nwid, rq->rq_id->id_addr);
	authorized = check_authorized(rq);
	if (!check_login(rq)) {
		(void)save(rq);
		deny_login(rq);
		return;
	}
	if (!authorized) {
		(void)save(rq);
		reply_error(rq, nwid, ERR_NETWORK_ACCESS_DENIED, NULL, 0);
		return;
	}
	if (rq->rq_packet != PACKET_PUSH)
		note_request(rq);
	nc = xcalloc(1, sizeof(*nc));
	config_build(rq->rq_c, rq->rq_n, rq->rq_id, rq->rq_record,
	    rq->rq_meta, rq->rq_len, rq->rq_fresh, nc);
	if (save(rq))
		config_send(rq->rq_c, nc, rq->rq_packet);
	else
		reply_error(rq, nwid, ERR_OBJ_NOT_FOUND, NULL, 0);
	netconf_clear(nc);
	free(nc);
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

/* Is a log-in still good, where the network wants one? */
static bool
check_login(const struct request *rq)
{
	int64_t	expiry;

	if (!value_bool(net(rq, "ssoEnabled"), false) ||
	    value_bool(rec(rq, "ssoExempt"), false))
		return (true);
	expiry = (int64_t)value_int(rec(rq, "authenticationExpiryTime"), 0);
	return (expiry > rq->rq_c->c_now);
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
	int64_t		 expiry;
	size_t		 i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		value_set(rq->rq_record, keys[i][0], value_new_int(
		    dict_get_u64(rq->rq_meta, rq->rq_len, keys[i][1], 0)));
	st = status_find(rq->rq_c->c_status, rq->rq_n->n_nwid,
	    rq->rq_id->id_addr);
	if (st == NULL)
		return;
	st->st_id = *rq->rq_id;
	st->st_metalen = rq->rq_len;
	if (rq->rq_len > 0)
		memcpy(st->st_meta, rq->rq_meta, rq->rq_len);
	st->st_expiry = 0;
	if (value_bool(net(rq, "ssoEnabled"), false) &&
	    !value_bool(rec(rq, "ssoExempt"), false)) {
		expiry = (int64_t)value_int(rec(rq,
		    "authenticationExpiryTime"), 0);
		if (expiry > 0)
			st->st_expiry = expiry;
	}
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
	    n->n_nmembers - n->n_nauthorized >= STRANGERS_MAX)
		return (false);
	return (store_save_member(rq->rq_c, rq->rq_n, rq->rq_id->id_addr,
	    json_incref(rq->rq_record), false) != NULL);
}
