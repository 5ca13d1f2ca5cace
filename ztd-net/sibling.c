/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Messages from the API process and the controller.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "ztd-net/engine.h"
#include "ztd-net/report.h"

/*
 * So many configurations leave at once: not one by one, nor so many that
 * the thread for sending is woken, which costs more than it helps here.
 */
#define ANSWERS		8

static void	sibling_message(struct channel *, struct msg *, void *);
static void	sibling_gone(struct channel *, const char *, void *);
static void	sibling_turn(struct channel *, void *);

void
sibling_connect(struct engine *e, enum proc peer, int fd)
{
	struct channel	**ch;

	if (peer != PROC_CON && peer != PROC_CTL) {
		(void)close(fd);
		return;
	}
	ch = peer == PROC_CON ? &e->e_con : &e->e_ctl;
	channel_free(*ch);
	if ((*ch = channel_new(e->e_base, fd, PROC_NET, peer,
	    sibling_message, sibling_gone, e)) == NULL)
		log_warn("cannot make the channel to %s", proc_name(peer));
	else
		channel_set_turn(*ch, sibling_turn);
}

/* The answers to many members leave together. */
static void
sibling_turn(struct channel *ch, void *arg)
{
	(void)ch;
	engine_flush(arg);
}

/* The parent restarts it and gives us a new channel. */
static void
sibling_gone(struct channel *ch, const char *reason, void *arg)
{
	struct engine	*e = arg;

	if (reason != NULL)
		log_warnx("lost the channel to %s: %s",
		    proc_name(channel_peer(ch)), reason);
	if (e->e_con == ch)
		e->e_con = NULL;
	if (e->e_ctl == ch)
		e->e_ctl = NULL;
	channel_free(ch);
}

/* ---- controller ---- */

static void
con_config(struct engine *e, const struct msg *m)
{
	struct msg_con_config	 mc;

	memcpy(&mc, m->m_data, sizeof(mc));
	if (m->m_len - sizeof(mc) != mc.mc_len)
		return;
	node_con_config(e->e_node, engine_now(), mc.mc_nwid, mc.mc_to,
	    mc.mc_packet, (const uint8_t *)m->m_data + sizeof(mc),
	    mc.mc_len);
}

static void
con_error(struct engine *e, const struct msg *m)
{
	struct msg_con_error	 me;

	memcpy(&me, m->m_data, sizeof(me));
	if (m->m_len - sizeof(me) != me.me_len || me.me_code > UINT8_MAX)
		return;
	node_con_error(e->e_node, engine_now(), me.me_nwid, me.me_to,
	    me.me_packet, (uint8_t)me.me_code,
	    (const uint8_t *)m->m_data + sizeof(me), me.me_len);
}

static void
con_revocation(struct engine *e, const struct msg *m)
{
	struct msg_con_revocation	 mr;

	memcpy(&mr, m->m_data, sizeof(mr));
	if (m->m_len - sizeof(mr) != mr.mr_len)
		return;
	node_con_revocation(e->e_node, engine_now(), mr.mr_nwid, mr.mr_to,
	    (const uint8_t *)m->m_data + sizeof(mr), mr.mr_len);
}

/* ---- API ---- */

static void
ctl_get(struct engine *e, struct channel *ch, const struct msg *m)
{
	struct msg_get	 mg;

	memcpy(&mg, m->m_data, sizeof(mg));
	if (m->m_type == MSG_GET_NETWORKS)
		report_networks(e, ch, m->m_id, &mg);
	else
		report_peers(e, ch, m->m_id, mg.mg_id);
	(void)channel_send(ch, MSG_END, m->m_id, -1, NULL, 0);
}

static void
ctl_orbit(struct engine *e, struct channel *ch, const struct msg *m)
{
	struct msg_orbit	 mo;

	memcpy(&mo, m->m_data, sizeof(mo));
	if (m->m_type == MSG_DEORBIT) {
		node_deorbit(e->e_node, mo.mo_id);
		log_info("moon %010llx no longer orbited",
		    (unsigned long long)mo.mo_id);
	} else if (node_orbit(e->e_node, engine_now(), mo.mo_id, mo.mo_seed)
	    == 0)
		log_info("moon %010llx orbited",
		    (unsigned long long)mo.mo_id);
	else
		log_warnx("moon %010llx cannot be orbited: no moons.d file, "
		    "and no seed or too many moons",
		    (unsigned long long)mo.mo_id);
	(void)channel_send(ch, MSG_END, m->m_id, -1, NULL, 0);
}

static void
sibling_message(struct channel *ch, struct msg *m, void *arg)
{
	struct engine	*e = arg;

	if (e->e_node == NULL)
		return;
	switch (m->m_type) {
	case MSG_CON_CONFIG:
		con_config(e, m);
		if (++e->e_answers % ANSWERS == 0)
			engine_flush(e);
		break;
	case MSG_CON_ERROR:
		con_error(e, m);
		break;
	case MSG_CON_REVOCATION:
		con_revocation(e, m);
		break;
	case MSG_GET_STATUS:
		report_status(e, ch, m->m_id);
		break;
	case MSG_GET_NETWORKS:
	case MSG_GET_PEERS:
		ctl_get(e, ch, m);
		break;
	case MSG_GET_MOONS:
		report_moons(e, ch, m->m_id);
		(void)channel_send(ch, MSG_END, m->m_id, -1, NULL, 0);
		break;
	case MSG_GET_METRICS:
		report_metrics(e, ch, m->m_id);
		(void)channel_send(ch, MSG_END, m->m_id, -1, NULL, 0);
		break;
	case MSG_ORBIT:
	case MSG_DEORBIT:
		ctl_orbit(e, ch, m);
		break;
	case MSG_WATCH:
		watch_start(e, ch, m);
		break;
	case MSG_USER_SEND:
		usermsg_send(e, ch, m);
		break;
	default:
		break;
	}
}
