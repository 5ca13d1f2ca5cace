/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Fuzzer: the engine's core as a stranger, and as a peer that it knows, can
 * reach it.  Spec: 02 and 03.
 *
 * Two nodes are made that know each other: the victim, and a second one that
 * is its root and the controller of the network it is in.  The input is a
 * row of records: a byte that says what it is, a length in two bytes, the
 * bytes.  A record is a raw datagram, or verb and payload that are sealed
 * with the key of the two nodes, so that the fuzzer gets behind the MAC.
 */

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/packet.h"
#include "ztd-net/core/node.h"

#define NWID(addr)	((addr) << 24 | 0x000001)
#define START		1700000000000LL		/* ms since 1970 */
#define QUEUE		64

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char	*victim_text =
    "b926b44a96:0:cc4068fee57848de6a85a8d0453704028e3a35c0bec35e2c9dc7649"
    "42c76366ad50b64269430d29839edd5ac4d43fa29c9335fbc677cc347c8ca53121b8"
    "ee461:f5ea6570ee4b3dd2b99d4563a8f19abb62d1287129a79fc4d92e33fb206d6f"
    "da294255ce73c3ebc446aa6a9042f933af1529485ada15e99ec4d875094c520252";
static const char	*root_text =
    "5d6da4dad0:0:091011c7fc6d2648d047891279cdc6df7a4071079c01313ddf27c0b"
    "c8240a17e1afc3ca8dc9f1dca1c043cd38f03807e23e9b9a83dabe854a2c67a5c9a8"
    "5dadd:79ec95e1e89982290f363a2c8451c0c4915d8436144b0bb439f4eae52fef66"
    "4e7782073f0ef6ae237a0cd59e250b891a5d9bbbca76b4a6468a7851827e4a5b19";

struct side {
	struct node		*s_node;
	struct identity		 s_id;
	struct inet_addr	 s_addr;
	struct packet_keys	 s_keys;
	struct side		*s_other;
};

/* Datagrams on their way while the two get to know each other. */
static struct {
	struct side	*to;
	size_t		 len;
	uint8_t		 data[PACKET_MAX];
}			 queue[QUEUE];
static size_t		 queued;
static bool		 pumping;
static uint64_t		 asked_packet;
static struct side	 victim, root;
static uint8_t		 planet[WORLD_MAX];
static size_t		 planet_len;
static int64_t		 now = START;
static uint64_t		 draft = 1;

static void
on_send(void *arg, uint32_t sock, const struct inet_addr *to, const void *p,
    size_t len, unsigned ttl)
{
	struct side	*s = arg;

	(void)sock;
	(void)ttl;
	if (len == 0 || len > PACKET_MAX)
		abort();
	if (!pumping || queued == QUEUE ||
	    !inet_equal(to, &s->s_other->s_addr))
		return;
	queue[queued].to = s->s_other;
	queue[queued].len = len;
	memcpy(queue[queued++].data, p, len);
}

static void
on_frame(void *arg, uint64_t nwid, uint64_t dst, uint64_t src,
    uint16_t ethertype, const void *p, size_t len)
{
	static volatile uint8_t	 sum;
	size_t			 i;

	(void)arg;
	(void)nwid;
	(void)dst;
	(void)src;
	(void)ethertype;
	for (i = 0; i < len; i++)	/* every byte must be there */
		sum = (uint8_t)(sum ^ ((const uint8_t *)p)[i]);
	if (len > NETCONF_MTU_MAX)
		abort();
}

static void
on_network(void *arg, const struct node_network *nn)
{
	(void)arg;
	if (nn->nn_conf != NULL && nn->nn_conf->nc_nips > NETCONF_IPS)
		abort();
}

static void
on_store(void *arg, enum node_state state, uint64_t id, const void *p,
    size_t len)
{
	(void)arg;
	(void)state;
	(void)id;
	(void)p;
	(void)len;
}

static size_t
on_load(void *arg, enum node_state state, uint64_t id, void *dst, size_t size)
{
	(void)arg;
	(void)id;
	if (state != STATE_PLANET || size < planet_len)
		return (0);
	memcpy(dst, planet, planet_len);
	return (planet_len);
}

static void
on_online(void *arg, bool online)
{
	(void)arg;
	(void)online;
}

static void
on_collision(void *arg)
{
	(void)arg;
}

static void
on_request(void *arg, const struct node_request *rq)
{
	(void)arg;
	asked_packet = rq->rq_packet;
}

/* Every run draws the same. */
static void
on_random(void *arg, void *dst, size_t len)
{
	static uint64_t	 state = 88172645463325252ULL;
	uint8_t		*p = dst;

	(void)arg;
	while (len-- > 0) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		*p++ = (uint8_t)(state >> 24);
	}
}

static void
on_log(void *arg, int level, const char *kind, const char *line)
{
	(void)arg;
	(void)level;
	(void)kind;
	if (strlen(line) > 2048)
		abort();
}

static const struct node_callbacks callbacks = {
	.nc_send = on_send,
	.nc_frame = on_frame,
	.nc_network = on_network,
	.nc_store = on_store,
	.nc_load = on_load,
	.nc_online = on_online,
	.nc_collision = on_collision,
	.nc_request = on_request,
	.nc_random = on_random,
	.nc_log = on_log
};

/* Let both talk for this many milliseconds. */
static void
pump(int64_t ms)
{
	int64_t	 end = now + ms;
	size_t	 i;

	pumping = true;
	for (; now < end; now += 50) {
		(void)node_tick(victim.s_node, now);
		(void)node_tick(root.s_node, now);
		for (i = 0; i < queued; i++)
			node_datagram(queue[i].to->s_node, now, 1,
			    &queue[i].to->s_other->s_addr, queue[i].data,
			    queue[i].len);
		queued = 0;
	}
	pumping = false;
}

static void
make_planet(void)
{
	static struct world	 w;
	uint8_t			 pub[IDENTITY_KEYS], priv[IDENTITY_KEYS];
	struct wbuf		 wb;

	keypair_generate(pub, priv);
	w.w_type = WORLD_PLANET;
	w.w_id = 1;
	w.w_ts = START;
	memcpy(w.w_update_key, pub, sizeof(pub));
	w.w_nroots = 1;
	w.w_roots[0].wr_identity = root.s_id;
	memset(w.w_roots[0].wr_identity.id_private, 0, IDENTITY_KEYS);
	w.w_roots[0].wr_identity.id_has_private = 0;
	w.w_roots[0].wr_nendpoints = 1;
	w.w_roots[0].wr_endpoints[0] = root.s_addr;
	world_sign(&w, pub, priv);
	wbuf_init(&wb, planet, sizeof(planet));
	world_put(&wb, &w);
	planet_len = wb.wb_len;
}

static void
make_side(struct side *s, struct side *other, const char *text,
    const char *addr)
{
	s->s_other = other;
	if (identity_parse(&s->s_id, text, strlen(text)) != IDENTITY_OK ||
	    inet_parse(addr, &s->s_addr) == -1)
		abort();
}

static void
agree(struct side *s)
{
	uint8_t	key[KEY48_LEN];

	if (identity_agree(&s->s_id, &s->s_other->s_id, key) == -1)
		abort();
	packet_keys_init(&s->s_keys, key);
}

/* The controller's answer: a public network where everything is allowed. */
static void
give_network(void)
{
	static struct netconf	 nc;
	static uint8_t		 block[NETCONF_BLOCK_MAX];
	struct rule		 accept_all = { .r_t = ACTION_ACCEPT };
	uint64_t		 nwid = NWID(root.s_id.id_addr);
	uint8_t			*d;
	size_t			 len;

	nc.nc_nwid = nwid;
	nc.nc_ts = now;
	nc.nc_delta = 7200000;
	nc.nc_revision = 1;
	nc.nc_to = victim.s_id.id_addr;
	nc.nc_flags = NETCONF_BROADCAST;
	nc.nc_mclimit = 32;
	nc.nc_mtu = NETCONF_MTU_DEFAULT;
	nc.nc_nrules = 1;
	nc.nc_rules = &accept_all;
	com_make(&nc.nc_com, now, nc.nc_delta, nwid, &victim.s_id);
	com_sign(&nc.nc_com, &root.s_id);
	if ((d = netconf_encode(&nc, &len)) == NULL)
		abort();
	len = netconf_chunk_make(block, &root.s_id, nwid, 1, d, len, 0, len);
	node_con_config(root.s_node, now, nwid, victim.s_id.id_addr,
	    asked_packet, block, len);
	free(d);
}

static void
is_ok(const struct node_network *nn, void *arg)
{
	*(bool *)arg = nn->nn_status == NET_OK;
}

static void
prepare(void)
{
	bool	 ok = false;

	if (crypto_init() == -1)
		abort();
	make_side(&victim, &root, victim_text, "10.0.0.1/9993");
	make_side(&root, &victim, root_text, "10.0.0.2/9993");
	make_planet();
	agree(&victim);
	agree(&root);
	victim.s_node = node_new(&victim.s_id, &callbacks, &victim, now);
	root.s_node = node_new(&root.s_id, &callbacks, &root, now);
	if (victim.s_node == NULL || root.s_node == NULL)
		abort();
	node_join(victim.s_node, now, NWID(root.s_id.id_addr));
	pump(8000);
	pumping = true;		/* the answer goes through the queue too */
	give_network();
	pump(2000);
	node_each_network(victim.s_node, 0, is_ok, &ok);
	if (!node_online(victim.s_node) || !ok)
		abort();	/* then this would test little */
}

/* Verb and payload from the root, sealed as the first byte says. */
static void
sealed(uint8_t how, const uint8_t *data, size_t len)
{
	static uint8_t	p[PACKET_MAX];
	struct wbuf	wb;

	if (len == 0 || len > PACKET_MAX - PACKET_HDR)
		return;
	wbuf_init(&wb, p, sizeof(p));
	packet_header(&wb, draft++, victim.s_id.id_addr, root.s_id.id_addr,
	    data[0]);
	wbuf_bytes(&wb, data + 1, len - 1);
	packet_seal(p, wb.wb_len, how & 0x10 ? SUITE_AES_GMAC_SIV :
	    how & 0x20 ? SUITE_POLY1305 : SUITE_SALSA2012, &root.s_keys);
	node_datagram(victim.s_node, now, 1, &root.s_addr, p, wb.wb_len);
}

static void
raw(uint8_t how, const uint8_t *data, size_t len)
{
	static uint8_t		 p[PACKET_MAX];
	struct inet_addr	 from = root.s_addr;
	struct wbuf		 wb;

	if (len > sizeof(p))
		return;
	memcpy(p, data, len);
	if (how & 0x10)		/* from anywhere */
		from.ia_ip[3] = how;
	if (how & 0x20 && len >= PACKET_MIN) {	/* meant for us */
		wbuf_init(&wb, p + PACKET_IDX_DEST, ADDR_LEN);
		wbuf_addr(&wb, victim.s_id.id_addr);
	}
	node_datagram(victim.s_node, now, 1, &from, p, len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rbuf	 rb, sub;
	uint8_t		 how;
	size_t		 len;

	if (victim.s_node == NULL)
		prepare();
	rbuf_init(&rb, data, size);
	while (rb.rb_left > 3) {
		how = rbuf_u8(&rb);
		len = rbuf_u16(&rb);
		if (len > rb.rb_left)
			len = rb.rb_left;
		rbuf_sub(&rb, &sub, len);
		switch (how & 3) {
		case 0:
			raw(how, sub.rb_p, len);
			break;
		case 1:
		case 2:
			sealed(how, sub.rb_p, len);
			break;
		case 3:
			now += (int64_t)len;
			(void)node_tick(victim.s_node, now);
			break;
		}
	}
	now += 10;
	(void)node_tick(victim.s_node, now);
	return (0);
}
