/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A private network with its controller and its members.
 */

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "regress/sim/scenario.h"
#include "regress/sim/vnet.h"

#define NET_10		0x0a000000
#define UPDATE_MS	1	/* of work for one configuration */
#define SPACING_MS	1000	/* of one member's requests (04 section 9) */
#define PORT_MS		20	/* until the host has set up a port */
#define TYPE_ARP	0x0806
#define TYPE_CAST	0x88b6
#define ARP_LEN		28
#define ARP_REQUEST	1
#define ARP_REPLY	2

static void	 con_request(struct host *, const struct node_request *);
static void	 port_changed(struct host *, const struct node_network *);
static void	 port_frame(struct host *, uint64_t, uint64_t, uint16_t,
		    const void *, size_t);

static const struct host_hooks	 con_hooks = {
	.hh_request = con_request
};
static const struct host_hooks	 member_hooks = {
	.hh_frame = port_frame,
	.hh_network = port_changed
};

/* What waits for the controller's time. */
struct pending {
	struct member	*pe_member;
	uint64_t	 pe_packet;
};

/* A frame that a host sends as soon as its node has returned. */
struct later {
	uint64_t	 la_dst;
	uint16_t	 la_type;
	uint8_t		 la_bytes[ARP_LEN];
};

static void
at(struct vnet *v, int64_t time, void (*f)(void *, void *, size_t),
    void *arg, const void *bytes, size_t len)
{
	if (clock_at(sim_clock(v->v_sim), time, f, arg, bytes, len) == -1)
		err(1, "network");
}

struct vnet *
vnet_new(struct sim *s, int64_t delay)
{
	struct link	 link;
	struct vnet	*v;

	memset(&link, 0, sizeof(link));
	link.lk_delay = delay;
	if ((v = calloc(1, sizeof(*v))) == NULL)
		err(1, "network");
	v->v_sim = s;
	v->v_con = host_new(s, net_internet(sim_net(s)), &link);
	v->v_con->h_nwid = 0;
	v->v_con->h_hooks = &con_hooks;
	v->v_con->h_arg = v;
	v->v_nwid = v->v_con->h_id.id_addr << 24 | 1;
	v->v_mclimit = 32;
	return (v);
}

void
vnet_free(struct vnet *v)
{
	unsigned	 i;

	for (i = 0; i < v->v_n; i++) {
		v->v_members[i]->m_host->h_hooks = NULL;
		free(v->v_members[i]);
	}
	free(v->v_members);
	free(v);
}

struct member *
vnet_member(struct vnet *v, struct host *h)
{
	struct member	*m, **p;

	if (v->v_n == v->v_room) {
		v->v_room = v->v_room == 0 ? 64 : 2 * v->v_room;
		p = reallocarray(v->v_members, v->v_room, sizeof(*p));
		if (p == NULL)
			err(1, "members");
		v->v_members = p;
	}
	if ((m = calloc(1, sizeof(*m))) == NULL)
		err(1, "member");
	m->m_net = v;
	m->m_host = h;
	m->m_ip = NET_10 + 256 + v->v_n;
	v->v_members[v->v_n++] = m;
	h->h_nwid = v->v_nwid;
	h->h_hooks = &member_hooks;
	h->h_arg = m;
	if (h->h_node != NULL) {
		(void)node_join(h->h_node, host_now(h), v->v_nwid);
		host_plan(h);
	}
	return (m);
}

bool
vnet_all_up(void *arg)
{
	const struct vnet	*v = arg;
	unsigned		 i;

	for (i = 0; i < v->v_n; i++) {
		if (v->v_members[i]->m_up == 0)
			return (false);
	}
	return (true);
}

bool
vnet_arrive(struct vnet *v, unsigned n)
{
	struct host	*h;
	unsigned	 i;

	for (i = 0; i < n; i++) {
		h = side_somebody(v->v_sim);
		(void)vnet_member(v, h);
		host_start(h);
		sim_run(v->v_sim, VNET_ARRIVAL_MS / n);
	}
	return (sim_until(v->v_sim, VNET_UP_MS, vnet_all_up, v));
}

/* --- the controller --------------------------------------------------- */

static uint8_t *
configuration(const struct member *m, size_t *len)
{
	struct vnet	*v = m->m_net;
	struct inet_addr *ip;
	struct netconf	*nc;
	uint8_t		*d;

	if ((nc = calloc(1, sizeof(*nc))) == NULL ||
	    (nc->nc_rules = calloc(1, sizeof(*nc->nc_rules))) == NULL)
		err(1, "configuration");
	nc->nc_nwid = v->v_nwid;
	nc->nc_ts = host_now(v->v_con);
	nc->nc_delta = VNET_DELTA;
	nc->nc_revision = 1;
	nc->nc_to = m->m_host->h_id.id_addr;
	nc->nc_flags = NETCONF_BROADCAST;
	nc->nc_mclimit = v->v_mclimit;
	nc->nc_mtu = NETCONF_MTU_DEFAULT;
	memcpy(nc->nc_name, "sim", 4);
	com_make(&nc->nc_com, nc->nc_ts, nc->nc_delta, nc->nc_nwid,
	    &m->m_host->h_id);
	com_sign(&nc->nc_com, &v->v_con->h_id);
	nc->nc_nspecialists = v->v_nspecialists;
	memcpy(nc->nc_specialists, v->v_specialists,
	    sizeof(v->v_specialists));
	ip = &nc->nc_ips[nc->nc_nips++];
	ip->ia_family = 4;
	ip->ia_ip[0] = m->m_ip >> 24 & 0xff;
	ip->ia_ip[1] = m->m_ip >> 16 & 0xff;
	ip->ia_ip[2] = m->m_ip >> 8 & 0xff;
	ip->ia_ip[3] = m->m_ip & 0xff;
	ip->ia_port = 8;
	nc->nc_nrules = 1;
	nc->nc_rules[0].r_t = ACTION_ACCEPT;
	if (v->v_more != NULL)
		v->v_more(m, nc);
	if ((d = netconf_encode(nc, len)) == NULL)
		errx(1, "a configuration that is too large");
	netconf_clear(nc);
	free(nc);
	return (d);
}

static void
answer(void *arg, void *bytes, size_t plen)
{
	uint8_t		 block[NETCONF_BLOCK_MAX], *d;
	struct vnet	*v = arg;
	struct pending	 pe;
	uint64_t	 to, update = sim_random(v->v_sim);
	size_t		 len, blen, off;

	(void)plen;
	memcpy(&pe, bytes, sizeof(pe));
	if (v->v_con->h_node == NULL)
		return;
	to = pe.pe_member->m_host->h_id.id_addr;
	if (pe.pe_member->m_refused) {
		node_con_error(v->v_con->h_node, host_now(v->v_con),
		    v->v_nwid, to, pe.pe_packet, ERR_NETWORK_ACCESS_DENIED,
		    NULL, 0);
		host_plan(v->v_con);
		return;
	}
	d = configuration(pe.pe_member, &len);
	for (off = 0; off < len; off += NETCONF_CHUNK) {
		blen = netconf_chunk_make(block, &v->v_con->h_id, v->v_nwid,
		    update, d, len, off, len - off < NETCONF_CHUNK ?
		    len - off : NETCONF_CHUNK);
		node_con_config(v->v_con->h_node, host_now(v->v_con),
		    v->v_nwid, to, pe.pe_packet, block, blen);
	}
	free(d);
	host_plan(v->v_con);
}

static struct member *
member_of(const struct vnet *v, uint64_t addr)
{
	unsigned	 i;

	for (i = 0; i < v->v_n; i++) {
		if (v->v_members[i]->m_host->h_id.id_addr == addr)
			return (v->v_members[i]);
	}
	return (NULL);
}

static void
con_request(struct host *h, const struct node_request *rq)
{
	struct vnet	*v = h->h_arg;
	struct pending	 pe;
	struct member	*m;
	int64_t		 now = sim_now(v->v_sim);

	if (rq->rq_nwid != v->v_nwid ||
	    (m = member_of(v, rq->rq_from->id_addr)) == NULL)
		return;
	m->m_requests++;
	if (m->m_requested != 0 && now - m->m_requested < SPACING_MS)
		return;
	m->m_requested = now;
	if (v->v_free < now)
		v->v_free = now;
	v->v_free += UPDATE_MS;
	memset(&pe, 0, sizeof(pe));
	pe.pe_member = m;
	pe.pe_packet = rq->rq_packet;
	at(v, v->v_free, answer, v, &pe, sizeof(pe));
}

void
vnet_refuse(struct member *m)
{
	struct vnet		*v = m->m_net;
	struct revocation	 rev;
	struct wbuf		 wb;
	uint8_t			 p[REVOCATION_MAX];
	unsigned		 i;

	m->m_refused = true;
	memset(&rev, 0, sizeof(rev));
	rev.rev_id = (uint32_t)sim_random(v->v_sim);
	rev.rev_nwid = v->v_nwid;
	rev.rev_threshold = host_now(v->v_con);
	rev.rev_flags = REVOCATION_FAST;
	rev.rev_target = m->m_host->h_id.id_addr;
	rev.rev_type = CREDENTIAL_COM;
	revocation_sign(&rev, &v->v_con->h_id);
	wbuf_init(&wb, p, sizeof(p));
	revocation_put(&wb, &rev);
	for (i = 0; i < v->v_n; i++) {
		if (v->v_members[i]->m_requested == 0)
			continue;
		node_con_revocation(v->v_con->h_node, host_now(v->v_con),
		    v->v_nwid, v->v_members[i]->m_host->h_id.id_addr, p,
		    wb.wb_len);
	}
	host_plan(v->v_con);
}

/* --- ports ------------------------------------------------------------ */

/* The groups that a host with this address is in. */
static void
port_up(void *arg, void *bytes, size_t len)
{
	struct member	*m = arg;
	struct mgroup	 mg[3];

	(void)bytes;
	(void)len;
	if (m->m_host->h_node == NULL)
		return;
	memset(mg, 0, sizeof(mg));
	mg[0].mg_mac = 0x01005e000001ULL;
	mg[1].mg_mac = 0x333300000001ULL;
	mg[2].mg_mac = MAC_BROADCAST;
	mg[2].mg_adi = m->m_ip;
	m->m_up = sim_now(m->m_net->v_sim);
	node_groups(m->m_host->h_node, host_now(m->m_host),
	    m->m_net->v_nwid, mg, 3);
	host_plan(m->m_host);
}

static void
port_changed(struct host *h, const struct node_network *nn)
{
	struct member	*m = h->h_arg;

	if (m->m_up != 0 || nn->nn_status != NET_OK || nn->nn_conf == NULL)
		return;
	at(m->m_net, sim_now(h->h_sim) + PORT_MS, port_up, m, NULL, 0);
}

void
vnet_frame(struct member *m, uint64_t dst, uint16_t type, const void *p,
    size_t len)
{
	struct host	*h = m->m_host;

	if (h->h_node == NULL)
		return;
	node_frame(h->h_node, host_now(h), h->h_nwid, dst,
	    mac_from_addr(h->h_id.id_addr, h->h_nwid), type, p, len, NULL);
	host_plan(h);
}

static void
frame_later(void *arg, void *bytes, size_t len)
{
	struct later	 la;

	(void)len;
	memcpy(&la, bytes, sizeof(la));
	vnet_frame(arg, la.la_dst, la.la_type, la.la_bytes, ARP_LEN);
}

static void
arp_make(uint8_t dst[ARP_LEN], const struct member *m, unsigned op,
    uint64_t tha, uint32_t tpa)
{
	struct wbuf	 wb;

	wbuf_init(&wb, dst, ARP_LEN);
	wbuf_u16(&wb, 1);
	wbuf_u16(&wb, 0x0800);
	wbuf_u8(&wb, MAC_LEN);
	wbuf_u8(&wb, 4);
	wbuf_u16(&wb, (uint16_t)op);
	wbuf_mac(&wb, mac_from_addr(m->m_host->h_id.id_addr,
	    m->m_host->h_nwid));
	wbuf_u32(&wb, m->m_ip);
	wbuf_mac(&wb, tha);
	wbuf_u32(&wb, tpa);
}

void
vnet_ask(struct member *m, uint32_t ip)
{
	uint8_t	 p[ARP_LEN];

	if (m->m_asked != ip) {
		m->m_asked = ip;
		m->m_asked_at = sim_now(m->m_net->v_sim);
		m->m_answered = 0;
	}
	arp_make(p, m, ARP_REQUEST, 0, ip);
	vnet_frame(m, MAC_BROADCAST, TYPE_ARP, p, sizeof(p));
}

bool
vnet_answered(void *arg)
{
	const struct member	*m = arg;

	return (m->m_answered != 0);
}

static void
arp_frame(struct member *m, struct rbuf *rb)
{
	struct later	 la;
	uint64_t	 sha;
	uint32_t	 spa, tpa;
	unsigned	 op;

	rbuf_skip(rb, 6);
	op = rbuf_u16(rb);
	sha = rbuf_mac(rb);
	spa = rbuf_u32(rb);
	rbuf_skip(rb, MAC_LEN);
	tpa = rbuf_u32(rb);
	if (!rbuf_ok(rb) || tpa != m->m_ip)
		return;
	if (op == ARP_REPLY && spa == m->m_asked && m->m_answered == 0)
		m->m_answered = sim_now(m->m_net->v_sim);
	if (op != ARP_REQUEST || m->m_up == 0)
		return;
	memset(&la, 0, sizeof(la));
	la.la_dst = sha;
	la.la_type = TYPE_ARP;
	arp_make(la.la_bytes, m, ARP_REPLY, sha, spa);
	at(m->m_net, sim_now(m->m_net->v_sim), frame_later, m, &la,
	    sizeof(la));
}

void
vnet_cast(struct member *m, size_t len)
{
	struct vnet	*v = m->m_net;
	uint8_t		 p[NETCONF_MTU_DEFAULT];
	unsigned	 i;

	v->v_cast++;
	for (i = 0; i < v->v_n; i++) {
		v->v_members[i]->m_casts = 0;
		v->v_members[i]->m_cast_at = 0;
	}
	clock_random_bytes(sim_clock(v->v_sim), p, len);
	memcpy(p, &v->v_cast, sizeof(v->v_cast));
	vnet_frame(m, MAC_BROADCAST, TYPE_CAST, p, len);
}

static void
cast_frame(struct member *m, const void *p, size_t len)
{
	uint32_t	 cast;

	if (len < sizeof(cast))
		return;
	memcpy(&cast, p, sizeof(cast));
	if (cast == m->m_net->v_cast && m->m_casts++ == 0)
		m->m_cast_at = sim_now(m->m_net->v_sim);
}

static void
port_frame(struct host *h, uint64_t dst, uint64_t src, uint16_t type,
    const void *p, size_t len)
{
	struct member	*m = h->h_arg;
	struct rbuf	 rb;
	unsigned	 k = type - SIM_KINDS;

	(void)dst;
	(void)src;
	if (type == TYPE_ARP) {
		rbuf_init(&rb, p, len);
		arp_frame(m, &rb);
	} else if (type == TYPE_CAST) {
		cast_frame(m, p, len);
	} else if (k < SIM_KINDS_MAX && m->m_kind[k] == 0) {
		m->m_kind[k] = 1;
		m->m_kinds++;
	}
}
