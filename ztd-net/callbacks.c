/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What the core tells the shell.
 */

#include <errno.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "common/log.h"
#include "ztd-net/engine.h"

#define PORT_AGAIN_MS	100

static void	 cb_network(void *, const struct node_network *);
static void	 port_again(const struct node_network *, void *);

static void
cb_send(void *arg, uint32_t sock, const struct inet_addr *to, const void *p,
    size_t len, unsigned ttl)
{
	udp_send(arg, sock, to, p, len, ttl);
}

static void
cb_frame(void *arg, uint64_t nwid, uint64_t dst, uint64_t src,
    uint16_t ethertype, const void *p, size_t len)
{
	frames_deliver(arg, nwid, dst, src, ethertype, p, len);
}

/*
 * Very many networks joined at once: what found no room in the channel is
 * told when it has room again, from the first one on that missed it.
 */
static void
ports_again(evutil_socket_t fd, short what, void *arg)
{
	struct engine	*e = arg;
	uint64_t	 from = e->e_port_late;

	(void)fd;
	(void)what;
	e->e_port_late = 0;
	if (e->e_node == NULL || from == 0)
		return;
	e->e_port_from = from;
	node_each_network(e->e_node, 0, port_again, e);
}

static void
port_again(const struct node_network *nn, void *arg)
{
	struct engine	*e = arg;

	if (nn->nn_nwid >= e->e_port_from)
		cb_network(e, nn);
}

static void
port_late(struct engine *e, uint64_t nwid)
{
	const struct timeval	 tv = { 0, PORT_AGAIN_MS * 1000 };

	if (e->e_port_late == 0 || nwid < e->e_port_late)
		e->e_port_late = nwid;
	if (e->e_port_again == NULL && (e->e_port_again = evtimer_new(
	    e->e_base, ports_again, e)) == NULL)
		fatalx("out of memory");
	(void)evtimer_add(e->e_port_again, &tv);
}

/* The parent learns what the port should be like, always in whole. */
static void
cb_network(void *arg, const struct node_network *nn)
{
	struct engine		*e = arg;
	const struct netconf	*nc = nn->nn_conf;
	struct msg_port		 mp;

	memset(&mp, 0, sizeof(mp));
	mp.mp_nwid = nn->nn_nwid;
	mp.mp_mac = nn->nn_mac;
	mp.mp_mtu = NETCONF_MTU_DEFAULT;
	if (nc != NULL) {
		mp.mp_up = 1;
		mp.mp_ok = nn->nn_status == NET_OK;
		mp.mp_mtu = nc->nc_mtu;
		memcpy(mp.mp_name, nc->nc_name, sizeof(mp.mp_name));
		mp.mp_nips = nc->nc_nips;
		mp.mp_nroutes = nc->nc_nroutes;
		memcpy(mp.mp_ips, nc->nc_ips, sizeof(mp.mp_ips));
		memcpy(mp.mp_routes, nc->nc_routes, sizeof(mp.mp_routes));
		memcpy(mp.mp_dns_domain, nc->nc_dns_domain,
		    sizeof(mp.mp_dns_domain));
		memcpy(mp.mp_dns, nc->nc_dns, sizeof(mp.mp_dns));
	}
	if (channel_send(e->e_parent, MSG_PORT, 0, -1, &mp, sizeof(mp)) ==
	    -1 && errno == ENOBUFS)
		port_late(e, nn->nn_nwid);
}

static void
cb_store(void *arg, enum node_state what, uint64_t id, const void *p,
    size_t len)
{
	state_store(arg, what, id, p, len);
}

static size_t
cb_load(void *arg, enum node_state what, uint64_t id, void *p, size_t size)
{
	return (state_load(arg, what, id, p, size));
}

static void
cb_online(void *arg, bool online)
{
	struct engine		*e = arg;
	struct msg_online	 mo;

	mo.mo_online = online;
	(void)channel_send(e->e_parent, MSG_ONLINE, 0, -1, &mo, sizeof(mo));
	if (online)
		log_info("online");
	else
		log_warnx("offline: no root answers");
}

static void
cb_collision(void *arg)
{
	struct engine	*e = arg;
	struct msg_text	 mt;

	memset(&mt, 0, sizeof(mt));
	(void)strlcpy(mt.mt_text, "a root says that this address belongs to "
	    "another identity: remove identity.secret to get a new one",
	    sizeof(mt.mt_text));
	(void)channel_send(e->e_parent, MSG_IDENTITY_BAD, 0, -1, &mt,
	    sizeof(mt));
}

/* Without a controller at the moment the member will ask again. */
static void
cb_request(void *arg, const struct node_request *rq)
{
	struct engine		*e = arg;
	struct msg_con_request	 mr;
	struct iovec		 iov[2];

	if (rq->rq_metalen > METADATA_MAX)
		return;
	memset(&mr, 0, sizeof(mr));
	mr.mr_nwid = rq->rq_nwid;
	mr.mr_packet = rq->rq_packet;
	mr.mr_identity = *rq->rq_from;
	memset(mr.mr_identity.id_private, 0,
	    sizeof(mr.mr_identity.id_private));
	mr.mr_identity.id_has_private = 0;
	mr.mr_from = rq->rq_addr;
	mr.mr_metalen = (uint32_t)rq->rq_metalen;
	iov[0].iov_base = &mr;
	iov[0].iov_len = sizeof(mr);
	iov[1].iov_base = (void *)(uintptr_t)rq->rq_meta;
	iov[1].iov_len = rq->rq_metalen;
	(void)channel_sendv(e->e_con, MSG_CON_REQUEST, 0, -1, iov, 2);
}

static void
cb_user_message(void *arg, uint64_t from, uint64_t type, const void *p,
    size_t len)
{
	usermsg_received(arg, from, type, p, len);
}

static bool
cb_event(void *arg, const struct node_event *ne)
{
	return (watch_event(arg, ne));
}

static void
cb_trace(void *arg, uint64_t from, const char *text, size_t len)
{
	watch_trace(arg, from, text, len);
}

static void
cb_rebind(void *arg, bool new_port)
{
	udp_renew(arg, new_port);
}

static void
cb_log(void *arg, int level, const char *kind, const char *line)
{
	(void)arg;
	log_kind(level, kind, line);
}

const struct node_callbacks engine_callbacks = {
	.nc_send = cb_send,
	.nc_frame = cb_frame,
	.nc_network = cb_network,
	.nc_store = cb_store,
	.nc_load = cb_load,
	.nc_online = cb_online,
	.nc_collision = cb_collision,
	.nc_request = cb_request,
	.nc_user_message = cb_user_message,
	.nc_event = cb_event,
	.nc_trace = cb_trace,
	.nc_rebind = cb_rebind,
	.nc_log = cb_log
};
