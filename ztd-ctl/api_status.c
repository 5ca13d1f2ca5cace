/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * /status and /health.  Spec: 05 section 4.
 */

#include <string.h>

#include "common/reason.h"
#include "common/version.h"
#include "ztd-ctl/ctl.h"

static void	 status_message(struct request *, const struct msg *);
static void	 status_done(struct request *);
static void	 roots_free(void *);
static void	 root_message(struct request *, const struct msg_root_info *);
static json_t	*status_json(const struct ctl *, const struct msg_status *,
		    json_t *);
static json_t	*status_ztd(const struct msg_status *, json_t *);
static json_t	*counters_json(const struct msg_counters *);
static json_t	*status_config(const struct ctl *, const struct msg_status *);
static void	 health_message(struct request *, const struct msg *);
static void	 set_version(json_t *);
static void	 set_default(json_t *, const char *, const char *);

#define ROOTS_MAX	1024

void
api_status(struct request *rq)
{
	rq->rq_state = json_array();
	rq->rq_free = roots_free;
	(void)request_ask(rq, PROC_NET, MSG_GET_STATUS, NULL, 0, status_message,
	    status_done);
}

void
api_health(struct request *rq)
{
	(void)request_ask(rq, PROC_NET, MSG_GET_STATUS, NULL, 0, health_message,
	    status_done);
}

static void
status_message(struct request *rq, const struct msg *m)
{
	if (m->m_type == MSG_ROOT_INFO)
		root_message(rq, m->m_data);
	else if (m->m_type == MSG_STATUS)
		request_json(rq, 200, status_json(rq->rq_ctl, m->m_data,
		    rq->rq_state));
}

static void
roots_free(void *arg)
{
	json_decref(arg);
}

static void
root_message(struct request *rq, const struct msg_root_info *ro)
{
	json_t	*v;

	if (json_array_size(rq->rq_state) >= ROOTS_MAX)
		return;
	v = json_reason(ro->ro_reason);
	(void)json_object_update_new(v, json_pack(
	    "{s:o,s:s,s:b,s:i,s:I,s:I,s:o,s:o}",
	    "address", json_hex(ro->ro_addr, 10),
	    "role", ro->ro_role == ROLE_MOON ? "MOON" : "PLANET",
	    "best", ro->ro_best != 0,
	    "latency", (int)ro->ro_latency,
	    "lastReceive", (json_int_t)ro->ro_last_receive,
	    "lastTry", (json_int_t)ro->ro_last_try,
	    "surface4", json_inet_or_null(&ro->ro_surface[0]),
	    "surface6", json_inet_or_null(&ro->ro_surface[1])));
	json_insert_sorted(rq->rq_state, "address", v);
}

/* The answer of one message has been given by then. */
static void
status_done(struct request *rq)
{
	request_error(rq, 503, "the engine gave no status");
}

static void
health_message(struct request *rq, const struct msg *m)
{
	const struct msg_status	*st = m->m_data;
	json_t			*v;

	if (m->m_type != MSG_STATUS)
		return;
	v = json_pack("{s:I,s:b}", "clock", (json_int_t)st->st_clock,
	    "online", st->st_online != 0);
	set_version(v);
	request_json(rq, 200, v);
}

/*
 * tcpFallbackActive: there is no TCP fallback tunnel in this version.
 */
static json_t *
status_json(const struct ctl *ctl, const struct msg_status *st, json_t *roots)
{
	json_t	*v;

	v = json_pack("{s:o,s:o,s:b,s:b,s:I,s:I,s:I,s:o,s:o}",
	    "address", json_hex(st->st_addr, 10),
	    "publicIdentity", json_text(st->st_public, sizeof(st->st_public)),
	    "online", st->st_online != 0,
	    "tcpFallbackActive", 0,
	    "clock", (json_int_t)st->st_clock,
	    "planetWorldId", (json_int_t)st->st_planet_id,
	    "planetWorldTimestamp", (json_int_t)st->st_planet_ts,
	    "config", status_config(ctl, st),
	    "ztd", status_ztd(st, roots));
	set_version(v);
	return (v);
}

/* What older software does not tell, under one key that it does not know. */
static json_t *
status_ztd(const struct msg_status *st, json_t *roots)
{
	static const char *const	 portmap[PORTMAP_COUNT] = {
		[PORTMAP_OFF] = "off",
		[PORTMAP_NOT_BUILT] = "not-built"
	};
	json_t				*v;

	v = json_reason(st->st_reason);
	(void)json_object_update_new(v, json_pack(
	    "{s:s,s:s,s:I,s:I,s:{s:s,s:s},s:{s:s,s:i},s:O,s:o}",
	    "name", ZTD_NAME,
	    "version", ZTD_VERSION,
	    "stage", (json_int_t)st->st_stage,
	    "lastRoot", (json_int_t)st->st_last_root,
	    "nat", "ipv4", nat_name(st->st_nat[0]),
	    "ipv6", nat_name(st->st_nat[1]),
	    "portMapping", "state",
	    portmap[st->st_portmap < PORTMAP_COUNT ? st->st_portmap : 0],
	    "port", (int)st->st_tertiary_port,
	    "roots", roots,
	    "counters", counters_json(&st->st_counters)));
	return (v);
}

static json_t *
counters_json(const struct msg_counters *mc)
{
	return (json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}",
	    "replays", (json_int_t)mc->mc_replays,
	    "forged", (json_int_t)mc->mc_forged,
	    "withheld", (json_int_t)mc->mc_withheld,
	    "limited", (json_int_t)mc->mc_limited,
	    "suspects", (json_int_t)mc->mc_suspects,
	    "switches", (json_int_t)mc->mc_switches,
	    "suspends", (json_int_t)mc->mc_suspends,
	    "evicted", (json_int_t)mc->mc_evicted,
	    "messagesDropped", (json_int_t)mc->mc_messages_dropped));
}

/* json_object_set_new() on NULL is harmless, and so on in this file. */
static void
set_version(json_t *v)
{
	(void)json_object_set_new(v, "version", json_string(ZT_VERSION_TEXT));
	(void)json_object_set_new(v, "versionMajor", json_integer(ZT_MAJOR));
	(void)json_object_set_new(v, "versionMinor", json_integer(ZT_MINOR));
	(void)json_object_set_new(v, "versionRev", json_integer(ZT_REVISION));
	(void)json_object_set_new(v, "versionBuild", json_integer(0));
}

/*
 * A copy of local.conf with the settings completed by what is in force.
 */
static json_t *
status_config(const struct ctl *ctl, const struct msg_status *st)
{
	const struct settings	*s = &ctl->c_settings.ms_settings;
	const struct msg_init	*mi = &ctl->c_init;
	json_t			*conf, *v;

	conf = ctl->c_config != NULL ? json_deep_copy(ctl->c_config) :
	    json_object();
	if (!json_is_object(json_object_get(conf, "settings")))
		(void)json_object_set_new(conf, "settings", json_object());
	v = json_object_get(conf, "settings");
	(void)json_object_set_new(v, "allowTcpFallbackRelay",
	    json_boolean(s->s_tcp_fallback));
	(void)json_object_set_new(v, "forceTcpRelay",
	    json_boolean(s->s_force_tcp));
	(void)json_object_set_new(v, "portMappingEnabled",
	    json_boolean(s->s_port_mapping));
	(void)json_object_set_new(v, "primaryPort",
	    json_integer(st->st_primary_port));
	(void)json_object_set_new(v, "secondaryPort",
	    json_integer(st->st_secondary_port));
	(void)json_object_set_new(v, "tertiaryPort",
	    json_integer(st->st_tertiary_port));
	(void)json_object_set_new(v, "homeDir",
	    json_text(mi->mi_home, sizeof(mi->mi_home)));
	(void)json_object_set_new(v, "listeningOn",
	    json_inets(st->st_listen, st->st_nlisten, SURFACE_MAX));
	(void)json_object_set_new(v, "surfaceAddresses",
	    json_inets(st->st_surface, st->st_nsurface, SURFACE_MAX));
	set_default(v, "softwareUpdate", "disable");
	set_default(v, "softwareUpdateChannel", "release");
	return (conf);
}

static void
set_default(json_t *obj, const char *key, const char *value)
{
	if (!json_is_string(json_object_get(obj, key)))
		(void)json_object_set_new(obj, key, json_string(value));
}
