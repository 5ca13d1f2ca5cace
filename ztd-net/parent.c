/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Messages from the parent: identity, settings, networks, taps, the host's
 * addresses.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "ztd-net/engine.h"

static void
identity_bad(struct engine *e, const char *why)
{
	struct msg_text	 mt;

	memset(&mt, 0, sizeof(mt));
	(void)snprintf(mt.mt_text, sizeof(mt.mt_text), "%s", why);
	(void)channel_send(e->e_parent, MSG_IDENTITY_BAD, 0, -1, &mt,
	    sizeof(mt));
}

/* NULL when this identity is sound, else what is wrong with it. */
static const char *
identity_unsound(const struct identity *id)
{
	if (!id->id_has_private)
		return ("it has no private key");
	if (!identity_keys_match(id))
		return (identity_strerror(IDENTITY_MISMATCH));
	if (!identity_valid(id))
		return (identity_strerror(IDENTITY_WORK));
	return (NULL);
}

static void
start_node(struct engine *e, const struct identity *id, bool generated)
{
	struct msg_identity_new	 mn;
	int64_t			 now = engine_now();

	e->e_node = node_new(id, &engine_callbacks, e, now);
	if (e->e_node == NULL)
		fatalx("out of memory");
	node_settings(e->e_node, engine_now(), &e->e_settings);
	memset(&mn, 0, sizeof(mn));
	identity_format(mn.mn_secret, id, true);
	identity_format(mn.mn_public, id, false);
	mn.mn_generated = generated;
	(void)channel_send(e->e_parent, MSG_IDENTITY_NEW, 0, -1, &mn,
	    sizeof(mn));
	crypto_wipe(&mn, sizeof(mn));
	state_orbit_moons(e, now);
	(void)channel_send(e->e_parent, MSG_READY, 0, -1, NULL, 0);
	engine_start_clock(e);
}

static void
got_identity(struct engine *e, const struct msg *m)
{
	struct msg_identity	 mi;
	struct identity		 id;
	enum identity_error	 error;
	const char		*why;
	bool			 generated;

	if (e->e_node != NULL)
		return;
	memcpy(&mi, m->m_data, sizeof(mi));
	mi.mi_text[sizeof(mi.mi_text) - 1] = '\0';
	generated = mi.mi_text[0] == '\0';
	if (generated) {
		if (identity_generate(&id) == -1)
			fatalx("out of memory");
	} else {
		error = identity_parse(&id, mi.mi_text, strlen(mi.mi_text));
		why = error != IDENTITY_OK ? identity_strerror(error) :
		    identity_unsound(&id);
		if (why != NULL) {
			identity_bad(e, why);
			return;
		}
	}
	start_node(e, &id, generated);
	crypto_wipe(&mi, sizeof(mi));
	crypto_wipe(&id, sizeof(id));
}

static void
got_settings(struct engine *e, const struct msg *m)
{
	struct msg_settings	 ms;

	memcpy(&ms, m->m_data, sizeof(ms));
	e->e_settings = ms.ms_settings;
	urgent_settings(e);
	e->e_port = ms.ms_port;
	if (e->e_node == NULL)
		return;
	node_settings(e->e_node, engine_now(), &e->e_settings);
	udp_bind(e);
}

static void
got_interfaces(struct engine *e, const struct msg *m)
{
	static struct msg_interface	*list;
	static size_t			 have;
	static uint32_t			 next;
	struct msg_interface		*bigger;
	size_t				 n = m->m_len / sizeof(*list);

	if (m->m_id == 0)
		have = next = 0;
	/* Part of a list that did not come whole. */
	if (m->m_id != next)
		return;
	if ((bigger = reallocarray(list, have + n + 1, sizeof(*list))) ==
	    NULL) {
		log_warn("cannot list interfaces");
		return;
	}
	list = bigger;
	if (n > 0)
		memcpy(list + have, m->m_data, n * sizeof(*list));
	have += n;
	next++;
	if (n == 0 || list[have - 1].mi_more == 0)
		udp_interfaces(e, list, have);
}

/* The tap of a network came, changed or failed. */
static void
got_tap(struct engine *e, const struct msg *m)
{
	struct msg_tap	 mt;
	struct msg_group mg;
	struct mgroup	*groups;
	int64_t		 now = engine_now();
	uint32_t	 i;

	memcpy(&mt, m->m_data, sizeof(mt));
	if (mt.mt_ngroups > TAP_GROUPS_MAX ||
	    m->m_len != sizeof(mt) + mt.mt_ngroups * sizeof(mg))
		return;
	if (mt.mt_error == 0 && (mt.mt_tap >= FRAME_TAPS ||
	    frames_set_tap(e, mt.mt_nwid, (int)mt.mt_tap) == -1))
		mt.mt_error = ENOMEM;
	if (mt.mt_error != 0)
		(void)frames_set_tap(e, mt.mt_nwid, -1);
	else
		frames_set_limits(e, mt.mt_nwid, mt.mt_mtu, mt.mt_can);
	node_port_error(e->e_node, now, mt.mt_nwid, mt.mt_error);
	if (mt.mt_error != 0 ||
	    (groups = calloc(mt.mt_ngroups + 1, sizeof(*groups))) == NULL)
		return;
	for (i = 0; i < mt.mt_ngroups; i++) {
		memcpy(&mg, (const uint8_t *)m->m_data + sizeof(mt) +
		    i * sizeof(mg), sizeof(mg));
		groups[i].mg_mac = mg.mg_mac;
		groups[i].mg_adi = mg.mg_adi;
	}
	node_groups(e->e_node, now, mt.mt_nwid, groups, mt.mt_ngroups);
	free(groups);
}

static void
got_lent(struct engine *e, struct msg *m)
{
	struct msg_lend	 ml;

	memcpy(&ml, m->m_data, sizeof(ml));
	frames_lend(e, &ml, m->m_fd);
	m->m_fd = -1;
}

static void
got_network(struct engine *e, const struct msg *m)
{
	struct msg_network	 mn;

	memcpy(&mn, m->m_data, sizeof(mn));
	if (m->m_type == MSG_JOIN) {
		if (node_join(e->e_node, engine_now(), mn.mn_nwid) == -1)
			log_warnx("network %016llx cannot be joined: out of "
			    "memory", (unsigned long long)mn.mn_nwid);
	} else {
		node_leave(e->e_node, engine_now(), mn.mn_nwid);
		(void)frames_set_tap(e, mn.mn_nwid, -1);
	}
}

static void
got_pin_mode(struct engine *e, const struct msg *m)
{
	struct msg_pin_mode	 pm;

	memcpy(&pm, m->m_data, sizeof(pm));
	pins_mode(e, pm.pm_on != 0);
}

/* Messages that make sense only once there is a node. */
static void
node_message(struct engine *e, struct msg *m)
{
	switch (m->m_type) {
	case MSG_INTERFACES:
		got_interfaces(e, m);
		break;
	case MSG_ROAMED:
		log_debug("the host's network changed");
		node_roamed(e->e_node, engine_now());
		break;
	case MSG_JOIN:
	case MSG_LEAVE:
		got_network(e, m);
		break;
	case MSG_TAP:
		got_tap(e, m);
		break;
	case MSG_LEND:
		got_lent(e, m);
		break;
	case MSG_PIN_MODE:
		got_pin_mode(e, m);
		break;
	case MSG_PINNED:
		pins_done(e, m->m_id);
		break;
	default:
		break;
	}
}

void
parent_message(struct channel *ch, struct msg *m, void *arg)
{
	struct engine		*e = arg;
	struct msg_channel	 mc;

	(void)ch;
	switch (m->m_type) {
	case MSG_SETTINGS:
		got_settings(e, m);
		break;
	case MSG_IDENTITY:
		got_identity(e, m);
		break;
	case MSG_FRAMES:
		frames_attach(e, m->m_fd);
		m->m_fd = -1;
		break;
	case MSG_CHANNEL:
		memcpy(&mc, m->m_data, sizeof(mc));
		sibling_connect(e, mc.mc_peer, m->m_fd);
		m->m_fd = -1;
		break;
	default:
		if (e->e_node != NULL)
			node_message(e, m);
		break;
	}
	if (m->m_fd != -1)
		(void)close(m->m_fd);
	engine_flush(e);
}
