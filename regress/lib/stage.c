/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Two cores connected in memory.
 */

#include <err.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "regress/lib/stage.h"
#include "ztd-net/core/network.h"

#define START		1795000000000
#define SOCK		7
#define DELTA		1800000
#define ETHER_HDR	14
#define TYPE_IPV4	0x0800
#define FIRST_ADDR	0x1000000000ULL

static uint64_t
stage_random(struct stage *s)
{
	uint64_t	x = s->s_random += 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return (x ^ x >> 31);
}

static void
random_bytes(struct stage *s, void *dst, size_t len)
{
	uint8_t		*p = dst;
	uint64_t	 x = 0;
	size_t		 i;

	for (i = 0; i < len; i++) {
		if (i % 8 == 0)
			x = stage_random(s);
		p[i] = (uint8_t)(x >> i % 8 * 8);
	}
}

static uint64_t
nwid_of(const struct stage *s, unsigned k)
{
	return (s->s_ids[STAGE_CONTROLLER].id_addr << 24 | (k + 1));
}

/* --- callbacks -------------------------------------------------------- */

static void
cb_send(void *arg, uint32_t sock, const struct inet_addr *to,
    const void *p, size_t len, unsigned ttl)
{
	struct stage_end	*se = arg;
	struct stage		*s = se->se_stage;
	struct stage_datagram	*sd;

	(void)sock;
	(void)ttl;
	se->se_sent++;
	/* Only the two are in 10.0.0.0/24; see where(). */
	if (to->ia_ip[1] != 0 || to->ia_ip[2] != 0 ||
	    to->ia_ip[3] > STAGE_B + 1) {
		se->se_lost++;
		return;
	}
	if (s->s_n == STAGE_QUEUE)
		errx(1, "more datagrams than the stage holds");
	if (len > sizeof(sd->sd_bytes))
		errx(1, "a datagram of %zu bytes", len);
	sd = &s->s_queue[s->s_n++];
	sd->sd_to = (enum stage_who)(to->ia_ip[3] - 1);
	sd->sd_len = len;
	memcpy(sd->sd_bytes, p, len);
}

static void
cb_frame(void *arg, uint64_t nwid, uint64_t dst, uint64_t src,
    uint16_t type, const void *p, size_t len)
{
	struct stage_end	*se = arg;

	(void)nwid;
	(void)dst;
	(void)src;
	(void)type;
	(void)p;
	(void)len;
	se->se_frames++;
}

static void
cb_network(void *arg, const struct node_network *nn)
{
	(void)arg;
	(void)nn;
}

static void
cb_random(void *arg, void *dst, size_t len)
{
	struct stage_end	*se = arg;

	random_bytes(se->se_stage, dst, len);
}

static const struct node_callbacks callbacks = {
	.nc_send = cb_send,
	.nc_frame = cb_frame,
	.nc_network = cb_network,
	.nc_random = cb_random
};

/* --- who is there ----------------------------------------------------- */

/* 10.0.0.1 and so on; the others are far from that. */
static void
where(unsigned i, struct inet_addr *ia)
{
	memset(ia, 0, sizeof(*ia));
	ia->ia_family = 4;
	ia->ia_port = 9993;
	ia->ia_ip[0] = 10;
	if (i >= STAGE_WHO) {
		ia->ia_ip[1] = (uint8_t)(1 + (i >> 16));
		ia->ia_ip[2] = (uint8_t)(i >> 8);
	}
	ia->ia_ip[3] = (uint8_t)(i + 1);
}

/* This end knows that node, and reaches it directly. */
static void
acquaint(struct stage_end *se, const struct identity *id, unsigned i)
{
	struct stage	*s = se->se_stage;
	struct inet_addr ia;
	struct path	*pa;
	struct peer	*pe;

	where(i, &ia);
	if ((pe = peer_add(se->se_node, s->s_now, id)) == NULL ||
	    (pa = path_get(se->se_node, s->s_now, SOCK, &ia)) == NULL)
		errx(1, "no room for a peer");
	pe->pe_proto = 12;
	pe->pe_major = 1;
	pe->pe_minor = 14;
	pa->pa_last_in = s->s_now;
	pa->pa_verified = true;
	if (peer_add_path(pe, pa, s->s_now) == NULL)
		errx(1, "no room for a path");
}

/* The proof of work is left out: nobody asks for it here. */
static void
identify(struct stage *s, enum stage_who who)
{
	struct identity	*id = &s->s_ids[who];
	uint8_t		 sk[crypto_sign_ed25519_SECRETKEYBYTES];

	random_bytes(s, id->id_private, sizeof(id->id_private));
	(void)crypto_scalarmult_curve25519_base(id->id_public,
	    id->id_private);
	(void)crypto_sign_ed25519_seed_keypair(id->id_public + 32, sk,
	    id->id_private + 32);
	id->id_has_private = 1;
	id->id_addr = FIRST_ADDR + who;
}

struct stage *
stage_new(void)
{
	struct node_socket	 ns = { .ns_id = SOCK };
	struct stage		*s;
	struct stage_end	*se;
	unsigned		 i, k;

	if (crypto_init() == -1 || (s = calloc(1, sizeof(*s))) == NULL)
		errx(1, "no cryptography, or no memory");
	s->s_now = START;
	for (i = 0; i < STAGE_WHO; i++)
		identify(s, (enum stage_who)i);
	for (i = 0; i < STAGE_CONTROLLER; i++) {
		se = &s->s_ends[i];
		se->se_stage = s;
		se->se_who = (enum stage_who)i;
		se->se_node = node_new(&s->s_ids[i], &callbacks, se,
		    s->s_now);
		if (se->se_node == NULL)
			errx(1, "no node");
		where(i, &ns.ns_addr);
		node_sockets(se->se_node, s->s_now, &ns, 1);
		for (k = 0; k < STAGE_WHO; k++)
			if (k != i)
				acquaint(se, &s->s_ids[k], k);
	}
	s->s_n = 0;
	return (s);
}

void
stage_free(struct stage *s)
{
	unsigned	 i;

	for (i = 0; i < STAGE_CONTROLLER; i++)
		node_free(s->s_ends[i].se_node, s->s_now);
	free(s->s_others);
	free(s);
}

void
stage_others(struct stage *s, unsigned n)
{
	struct identity	 id;
	unsigned	 i;

	if (n == 0)
		return;
	s->s_others = reallocarray(s->s_others, s->s_nothers + n,
	    sizeof(*s->s_others));
	if (s->s_others == NULL)
		err(1, "others");
	memset(&id, 0, sizeof(id));
	for (; n > 0; n--) {
		i = STAGE_WHO + s->s_nothers;
		/* Any bytes are a key, whose other half nobody has. */
		random_bytes(s, id.id_public, sizeof(id.id_public));
		id.id_addr = stage_random(s) >> 24 | FIRST_ADDR << 1;
		if (addr_reserved(id.id_addr))
			id.id_addr = FIRST_ADDR + i;
		acquaint(&s->s_ends[STAGE_A], &id, i);
		acquaint(&s->s_ends[STAGE_B], &id, i);
		s->s_others[s->s_nothers++] = id.id_addr;
	}
	s->s_n = 0;
}

/* --- networks --------------------------------------------------------- */

/* All but the last two are for ports that nobody uses, each with an action
 * of its own: none of them can be left out. */
static struct rule *
table(unsigned n)
{
	struct rule	*r;
	unsigned	 i;

	if ((r = calloc(n, sizeof(*r))) == NULL)
		err(1, "rules");
	for (i = 0; i + 2 < n; i += 2) {
		r[i].r_t = MATCH_IP_DEST_PORT_RANGE;
		r[i].r_u.range.start = r[i].r_u.range.end =
		    (uint16_t)(10000 + i);
		r[i + 1].r_t = ACTION_DROP;
	}
	r[n - 1].r_t = ACTION_ACCEPT;
	if (n > 1) {
		r[n - 2].r_t = MATCH_ETHERTYPE;
		r[n - 2].r_u.ethertype = TYPE_IPV4;
	}
	return (r);
}

static void
certify(struct stage *s, struct com *com, uint64_t nwid, enum stage_who who)
{
	com_make(com, s->s_now, DELTA, nwid, &s->s_ids[who]);
	com_sign(com, &s->s_ids[STAGE_CONTROLLER]);
}

static void
configure(struct stage_end *se, uint64_t nwid, unsigned nrules,
    uint32_t mclimit)
{
	struct stage	*s = se->se_stage;
	struct network	*nw;
	struct netconf	*nc;
	struct com	 com;

	if ((nc = calloc(1, sizeof(*nc))) == NULL)
		err(1, "configuration");
	nc->nc_nwid = nwid;
	nc->nc_to = s->s_ids[se->se_who].id_addr;
	nc->nc_ts = s->s_now;
	nc->nc_delta = DELTA;
	nc->nc_flags = NETCONF_BROADCAST;
	nc->nc_mclimit = mclimit;
	nc->nc_mtu = NETCONF_MTU_DEFAULT;
	nc->nc_nrules = nrules;
	nc->nc_rules = table(nrules);
	certify(s, &nc->nc_com, nwid, se->se_who);
	certify(s, &com, nwid, se->se_who == STAGE_A ? STAGE_B : STAGE_A);
	if (node_join(se->se_node, s->s_now, nwid) == -1 ||
	    (nw = network_find(se->se_node, nwid)) == NULL ||
	    !config_apply(se->se_node, s->s_now, nw, nc, false) ||
	    membership_add_com(se->se_node, s->s_now, nw, &com) != CRED_NEW)
		errx(1, "cannot join network %016llx",
		    (unsigned long long)nwid);
}

void
stage_join(struct stage *s, unsigned k, unsigned nrules, uint32_t mclimit)
{
	configure(&s->s_ends[STAGE_A], nwid_of(s, k), nrules, mclimit);
	configure(&s->s_ends[STAGE_B], nwid_of(s, k), nrules, mclimit);
	stage_deliver(s);
}

void
stage_group(struct stage *s, unsigned k, unsigned n)
{
	struct mgroup	 mg = { .mg_mac = MAC_BROADCAST };
	unsigned	 i;

	if (n > s->s_nothers)
		errx(1, "there are only %u others", s->s_nothers);
	for (i = 0; i < n; i++)
		multicast_add(s->s_ends[STAGE_A].se_node, s->s_now,
		    nwid_of(s, k), &mg, s->s_others[i]);
}

/* --- frames ----------------------------------------------------------- */

/* UDP to a port that no rule names.  What is in it is the same each time:
 * making it anew would cost more than much of what is measured. */
static void
frame_out(struct stage *s, unsigned k, uint64_t dst, size_t len)
{
	static uint8_t	 p[NETCONF_MTU_MAX];
	struct stage_end *se = &s->s_ends[STAGE_A];

	if (len < ETHER_HDR + 28 || len > sizeof(p))
		errx(1, "no frame has %zu bytes", len);
	if (p[0] == 0) {
		random_bytes(s, p, sizeof(p));
		memcpy(p, "\x45\0\0\0\0\0\0\0\x40\x11\0\0\x0a\1\0\1\x0a\1\0\2"
		    "\x90\0\x90\1", 24);
	}
	len -= ETHER_HDR;
	p[2] = (uint8_t)(len >> 8);
	p[3] = (uint8_t)len;
	node_frame(se->se_node, s->s_now, nwid_of(s, k), dst,
	    mac_from_addr(s->s_ids[STAGE_A].id_addr, nwid_of(s, k)),
	    TYPE_IPV4, p, len, NULL);
}

void
stage_send(struct stage *s, unsigned k, size_t len)
{
	frame_out(s, k, mac_from_addr(s->s_ids[STAGE_B].id_addr,
	    nwid_of(s, k)), len);
}

void
stage_send_other(struct stage *s, unsigned k, unsigned j, size_t len)
{
	frame_out(s, k, mac_from_addr(s->s_others[j], nwid_of(s, k)), len);
}

void
stage_send_all(struct stage *s, unsigned k, size_t len)
{
	frame_out(s, k, MAC_BROADCAST, len);
}

void
stage_deliver(struct stage *s)
{
	struct stage_datagram	*sd;
	struct inet_addr	 from;
	unsigned		 i;

	for (i = 0; i < s->s_n; i++) {
		sd = &s->s_queue[i];
		where(sd->sd_to == STAGE_A ? STAGE_B : STAGE_A, &from);
		node_datagram(s->s_ends[sd->sd_to].se_node, s->s_now, SOCK,
		    &from, sd->sd_bytes, sd->sd_len);
	}
	s->s_n = 0;
}

void
stage_pass(struct stage *s, int64_t ms)
{
	unsigned	 i;

	s->s_now += ms;
	for (i = 0; i < STAGE_CONTROLLER; i++)
		if (node_next(s->s_ends[i].se_node) <= s->s_now)
			(void)node_tick(s->s_ends[i].se_node, s->s_now);
	stage_deliver(s);
}
