/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * /moon.  Spec: 05 section 7.  Ids may have 10 digits, as ever, or all 16
 * in which they are shown.
 */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hex.h"
#include "ztd-ctl/ctl.h"

#define MOONS_MAX	1024

static void	 moons_free(void *);
static void	 moons_ask(struct request *, void (*)(struct request *));
static void	 moon_message(struct request *, const struct msg *);
static void	 list_done(struct request *);
static void	 get_done(struct request *);
static void	 post_known(struct request *);
static void	 orbit_done(struct request *);
static void	 deorbit_done(struct request *);
static uint64_t	 body_seed(struct request *);
static json_t	*moon_json(const struct msg_moon_info *);
static json_t	*roots_json(const struct msg_moon_info *);
static json_t	*bytes_json(const uint8_t *, size_t);

void
api_moon_list(struct request *rq)
{
	moons_ask(rq, list_done);
}

void
api_moon(struct request *rq)
{
	struct msg_orbit	 orbit;

	switch (rq->rq_method) {
	case API_GET:
		moons_ask(rq, get_done);
		break;
	case API_POST:
		moons_ask(rq, post_known);
		break;
	case API_DELETE:
		memset(&orbit, 0, sizeof(orbit));
		orbit.mo_id = rq->rq_id;
		(void)request_ask(rq, PROC_NET, MSG_DEORBIT, &orbit,
		    sizeof(orbit), NULL, deorbit_done);
		break;
	}
}

static void
moons_free(void *arg)
{
	json_decref(arg);
}

static void
moons_ask(struct request *rq, void (*next)(struct request *))
{
	rq->rq_state = json_array();
	rq->rq_free = moons_free;
	(void)request_ask(rq, PROC_NET, MSG_GET_MOONS, NULL, 0, moon_message,
	    next);
}

/* Moons that are only waited for are not shown (QUIRK). */
static void
moon_message(struct request *rq, const struct msg *m)
{
	const struct msg_moon_info	*mo = m->m_data;

	if (m->m_type != MSG_MOON_INFO || mo->mo_waiting != 0 ||
	    (rq->rq_id != 0 && mo->mo_id != rq->rq_id) ||
	    json_array_size(rq->rq_state) >= MOONS_MAX)
		return;
	json_insert_sorted(rq->rq_state, "id", moon_json(mo));
}

static void
list_done(struct request *rq)
{
	request_json(rq, 200, json_incref((json_t *)rq->rq_state));
}

static void
get_done(struct request *rq)
{
	json_t	*v;

	v = rq->rq_id == 0 ? NULL : json_array_get(rq->rq_state, 0);
	if (v != NULL)
		request_json(rq, 200, json_incref(v));
	else
		request_reply(rq, 200, "", 0);
}

static void
post_known(struct request *rq)
{
	struct msg_orbit	 orbit;

	orbit.mo_id = rq->rq_id;
	orbit.mo_seed = body_seed(rq);
	if (orbit.mo_seed == 0 || rq->rq_id == 0 ||
	    json_array_size(rq->rq_state) > 0)
		get_done(rq);
	else
		(void)request_ask(rq, PROC_NET, MSG_ORBIT, &orbit,
		    sizeof(orbit), NULL, orbit_done);
}

static void
orbit_done(struct request *rq)
{
	request_json(rq, 200, json_pack("{s:o,s:[],s:i,s:n,s:n,s:b}",
	    "id", json_hex(rq->rq_id, 16), "roots", "timestamp", 0,
	    "signature", "updatesMustBeSignedBy", "waiting", 1));
}

static void
deorbit_done(struct request *rq)
{
	request_json(rq, 200, json_pack("{s:b}", "result", 1));
}

/*
 * Hex digits at the start of a text; a number is first written in decimal,
 * a truth value as 1 or 0 (QUIRK, 05 section 1).  0 when there is no seed.
 */
static uint64_t
body_seed(struct request *rq)
{
	json_t			*body, *v;
	unsigned long long	 seed = 0;
	char			 text[24];

	body = request_body_json(rq);
	v = json_object_get(body, "seed");
	text[0] = '\0';
	if (json_is_string(v))
		(void)strlcpy(text, json_string_value(v), sizeof(text));
	else if (json_is_integer(v))
		(void)snprintf(text, sizeof(text), "%llu",
		    (unsigned long long)json_integer_value(v));
	else if (json_is_boolean(v))
		(void)strlcpy(text, json_is_true(v) ? "1" : "0",
		    sizeof(text));
	json_decref(body);
	if (isxdigit((unsigned char)text[0]))
		seed = strtoull(text, NULL, 16);
	return (seed);
}

/* ---- the moon object --------------------------------------------- */

static json_t *
moon_json(const struct msg_moon_info *mo)
{
	return (json_pack("{s:o,s:I,s:o,s:o,s:o,s:b}",
	    "id", json_hex(mo->mo_id, 16),
	    "timestamp", (json_int_t)mo->mo_ts,
	    "signature", bytes_json(mo->mo_sig, sizeof(mo->mo_sig)),
	    "updatesMustBeSignedBy", bytes_json(mo->mo_update_key,
		sizeof(mo->mo_update_key)),
	    "roots", roots_json(mo),
	    "waiting", 0));
}

static json_t *
roots_json(const struct msg_moon_info *mo)
{
	json_t		*v;
	uint32_t	 i;

	if ((v = json_array()) == NULL)
		return (NULL);
	for (i = 0; i < mo->mo_nroots && i < 4; i++)
		(void)json_array_append_new(v, json_pack("{s:o,s:o}",
		    "identity", json_text(mo->mo_roots[i].identity,
			sizeof(mo->mo_roots[i].identity)),
		    "stableEndpoints", json_inets(mo->mo_roots[i].endpoints,
			mo->mo_roots[i].nendpoints, 32)));
	return (v);
}

static json_t *
bytes_json(const uint8_t *p, size_t len)
{
	char	 text[2 * SIGNATURE_LEN + 1];

	hex_encode(text, p, len);
	return (json_string(text));
}
