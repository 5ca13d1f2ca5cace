/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * /peer, and /bond as it answers while no bonding is configured.
 * Spec: 05 sections 6 and 8.
 */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ztd-ctl/ctl.h"

#define PEERS_MAX	65536
#define SOCKETS_MAX	1024

static void	 peers_free(void *);
static void	 peer_message(struct request *, const struct msg *);
static void	 list_done(struct request *);
static void	 get_done(struct request *);
static json_t	*peer_json(const struct msg_peer_info *);
static json_t	*path_json(const struct msg_path_info *);
static int	 socket_number(const struct inet_addr *);
static const char *skip(const char *, int (*)(int), size_t, size_t);
static int	 is_ifname(int);
static int	 is_ip(int);

void
api_peer_list(struct request *rq)
{
	const struct msg_get	 get = { .mg_id = 0 };

	rq->rq_state = json_array();
	rq->rq_free = peers_free;
	(void)request_ask(rq, PROC_NET, MSG_GET_PEERS, &get, sizeof(get),
	    peer_message, list_done);
}

void
api_peer(struct request *rq)
{
	const struct msg_get	 get = { .mg_id = rq->rq_id };

	rq->rq_state = json_array();
	rq->rq_free = peers_free;
	if (rq->rq_id == 0)
		request_reply(rq, 200, "", 0);
	else
		(void)request_ask(rq, PROC_NET, MSG_GET_PEERS, &get,
		    sizeof(get), peer_message, get_done);
}

static void
peers_free(void *arg)
{
	json_decref(arg);
}

static void
peer_message(struct request *rq, const struct msg *m)
{
	const struct msg_peer_info	*pe = m->m_data;

	if (m->m_type == MSG_RESULT) {
		request_error(rq, 503, "more peers than can be listed at once");
		return;
	}
	if (m->m_type != MSG_PEER_INFO || pe->pe_npaths > PEERINFO_PATHS ||
	    m->m_len < msg_peer_len(pe) ||
	    (rq->rq_id != 0 && pe->pe_addr != rq->rq_id) ||
	    json_array_size(rq->rq_state) >= PEERS_MAX)
		return;
	json_insert_sorted(rq->rq_state, "address", peer_json(pe));
}

static void
list_done(struct request *rq)
{
	request_json(rq, 200, json_incref((json_t *)rq->rq_state));
}

/* Unknown ones are an empty object, not a 404 (QUIRK). */
static void
get_done(struct request *rq)
{
	json_t	*v;

	if ((v = json_array_get(rq->rq_state, 0)) != NULL)
		request_json(rq, 200, json_incref(v));
	else
		request_reply(rq, 200, "", 0);
}

static json_t *
peer_json(const struct msg_peer_info *pe)
{
	static const char *const	 roles[] = {
		[ROLE_LEAF] = "LEAF",
		[ROLE_MOON] = "MOON",
		[ROLE_PLANET] = "PLANET"
	};
	json_t				*paths, *why;
	uint32_t			 i;
	char				 version[48];

	if ((paths = json_array()) == NULL)
		return (NULL);
	for (i = 0; i < pe->pe_npaths; i++)
		(void)json_array_append_new(paths,
		    path_json(&pe->pe_paths[i]));
	(void)snprintf(version, sizeof(version), "%d.%d.%d", pe->pe_vmajor,
	    pe->pe_vminor, pe->pe_vrev);
	why = json_reason(pe->pe_reason);
	(void)json_object_update_new(why, json_pack(
	    "{s:o,s:I,s:I,s:I,s:I,s:I,s:I,s:o}",
	    "relay", json_node_or_null(pe->pe_relay),
	    "candidates", (json_int_t)pe->pe_candidates,
	    "lastTry", (json_int_t)pe->pe_last_try,
	    "lastReceive", (json_int_t)pe->pe_last_receive,
	    "switches", (json_int_t)pe->pe_switches,
	    "packetsOut", (json_int_t)pe->pe_packets[0],
	    "packetsIn", (json_int_t)pe->pe_packets[1],
	    "clockOffset", pe->pe_clock_at == 0 ? json_null() :
	    json_integer((json_int_t)pe->pe_clock)));
	return (json_pack("{s:o,s:s,s:s,s:i,s:i,s:i,s:i,s:b,s:b,s:o,s:o}",
	    "address", json_hex(pe->pe_addr, 10),
	    "role", roles[pe->pe_role <= ROLE_PLANET ? pe->pe_role : 0],
	    "version", version,
	    "versionMajor", (int)pe->pe_vmajor,
	    "versionMinor", (int)pe->pe_vminor,
	    "versionRev", (int)pe->pe_vrev,
	    "latency", (int)pe->pe_latency,
	    "isBonded", 0,
	    "tunneled", pe->pe_tunneled != 0,
	    "paths", paths,
	    "ztd", why));
}

static json_t *
path_json(const struct msg_path_info *pi)
{
	json_t	*why;

	why = json_reason(pi->pi_reason);
	(void)json_object_update_new(why, json_pack("{s:i,s:I}",
	    "latency", (int)pi->pi_latency,
	    "mtu", (json_int_t)pi->pi_mtu));
	return (json_pack("{s:o,s:I,s:I,s:I,s:b,s:b,s:b,s:i,s:i,s:o}",
	    "address", json_inet(&pi->pi_addr),
	    "lastSend", (json_int_t)pi->pi_last_send,
	    "lastReceive", (json_int_t)pi->pi_last_receive,
	    "trustedPathId", (json_int_t)pi->pi_trusted_id,
	    "active", pi->pi_active != 0,
	    "expired", pi->pi_expired != 0,
	    "preferred", pi->pi_preferred != 0,
	    "localSocket", socket_number(&pi->pi_local),
	    "localPort", 0,
	    "ztd", why));
}

/*
 * A small number that names the socket: the older software gives away a
 * memory address here.  Counted from 1 in the order in which they are seen;
 * 0 when there are more than one can tell apart.
 */
static int
socket_number(const struct inet_addr *ia)
{
	static struct inet_addr	 seen[SOCKETS_MAX];
	static int		 n;
	int			 i;

	for (i = 0; i < n; i++) {
		if (inet_equal(&seen[i], ia))
			return (i + 1);
	}
	if (n == SOCKETS_MAX)
		return (0);
	seen[n++] = *ia;
	return (n);
}

/* ---- bonds ------------------------------------------------------- */

void
api_bond(struct request *rq)
{
	request_reply(rq, 400, "", 0);
}

/*
 * /bond/setmtu/MTU/IFNAME/IP: what does not look so is nowhere.
 */
void
api_bond_mtu(struct request *rq)
{
	static const char	 text[] = "Bonding layer isn't active yet";
	const char		*p = rq->rq_path + strlen("/bond/setmtu");

	if ((p = skip(p, isdigit, 1, 6)) == NULL ||
	    (p = skip(p, is_ifname, 1, 16)) == NULL ||
	    (p = skip(p, is_ip, 1, 39)) == NULL || *p != '\0')
		request_empty(rq, 404);
	else
		request_reply(rq, 400, text, sizeof(text) - 1);
}

/* A slash, then min to max characters of a kind; what follows, or NULL. */
static const char *
skip(const char *p, int (*kind)(int), size_t min, size_t max)
{
	size_t	 n;

	if (*p++ != '/')
		return (NULL);
	for (n = 0; kind((unsigned char)p[n]); n++)
		continue;
	return (n < min || n > max ? NULL : p + n);
}

static int
is_ifname(int c)
{
	return (isalnum(c) || c == '_');
}

static int
is_ip(int c)
{
	return (isxdigit(c) || c == '.' || c == ':');
}
