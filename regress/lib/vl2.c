/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Node m1 of the VL2 vectors with its neighbours as peers.
 */

#include <stdlib.h>
#include <string.h>

#include "regress/lib/vl2.h"

static const char *const names[VL2_WHO] = { "controller", "m1", "m2", "m3" };

static void
cb_send(void *arg, uint32_t sock, const struct inet_addr *to,
    const void *bytes, size_t len, unsigned ttl)
{
	struct vl2	*v = arg;
	struct vl2_sent	*vs;
	uint8_t		 p[PACKET_MAX];
	unsigned	 who;

	(void)sock;
	(void)to;
	(void)ttl;
	ATF_REQUIRE(len <= sizeof(p));
	if (len < PACKET_MIN)
		return;
	memcpy(p, bytes, len);
	for (who = 0; who < VL2_WHO; who++)
		if (v->v_ids[who].id_addr == packet_dest(p))
			break;
	if (who == VL2_WHO || (packet_suite(p) == SUITE_POLY1305 &&
	    packet_verb(p) == VERB_HELLO))
		return;
	ATF_REQUIRE(v->v_nsent < VL2_SENT);
	vs = &v->v_sent[v->v_nsent++];
	vs->vs_to = (enum vl2_who)who;
	vs->vs_id = packet_id(p);
	ATF_REQUIRE(!(p[PACKET_IDX_FLAGS] & FLAG_FRAGMENTED));
	ATF_REQUIRE(packet_open(p, len, &v->v_keys[who]));
	vs->vs_verb = packet_verb(p);
	vs->vs_compressed = (p[PACKET_IDX_VERB] & VERB_COMPRESSED) != 0;
	len = packet_decompress(p, len);
	ATF_REQUIRE(len >= PACKET_HDR);
	vs->vs_len = len - PACKET_HDR;
	memcpy(vs->vs_payload, p + PACKET_HDR, vs->vs_len);
}

static void
cb_frame(void *arg, uint64_t nwid, uint64_t dst, uint64_t src,
    uint16_t type, const void *p, size_t len)
{
	struct vl2		*v = arg;
	struct vl2_frame	*vf;

	ATF_REQUIRE(v->v_nframes < VL2_FRAMES);
	vf = &v->v_frames[v->v_nframes++];
	vf->vf_nwid = nwid;
	vf->vf_dst = dst;
	vf->vf_src = src;
	vf->vf_type = type;
	vf->vf_len = len;
	ATF_REQUIRE(len <= sizeof(vf->vf_bytes));
	memcpy(vf->vf_bytes, p, len);
}

static void
cb_network(void *arg, const struct node_network *nn)
{
	struct vl2	*v = arg;

	v->v_status = nn->nn_status;
}

static void
cb_store(void *arg, enum node_state what, uint64_t id, const void *p,
    size_t len)
{
	struct vl2	*v = arg;

	(void)id;
	if (what != STATE_NETWORK)
		return;
	ATF_REQUIRE(len <= sizeof(v->v_file));
	v->v_nstores++;
	v->v_filelen = len;
	if (len > 0)
		memcpy(v->v_file, p, len);
}

static const struct node_callbacks callbacks = {
	.nc_send = cb_send,
	.nc_frame = cb_frame,
	.nc_network = cb_network,
	.nc_store = cb_store
};

enum vl2_who
vl2_who(const char *name)
{
	unsigned	i;

	for (i = 0; i < VL2_WHO; i++)
		if (strcmp(name, names[i]) == 0)
			return ((enum vl2_who)i);
	atf_tc_fail("no node %s", name);
}

/* Where a neighbour is. */
static void
where(enum vl2_who who, struct inet_addr *ia)
{
	memset(ia, 0, sizeof(*ia));
	ia->ia_family = 4;
	ia->ia_port = 9993;
	ia->ia_ip[0] = 192;
	ia->ia_ip[1] = 168;
	ia->ia_ip[2] = 77;
	ia->ia_ip[3] = (uint8_t)(10 + who);
}

static void
neighbour(struct vl2 *v, enum vl2_who who)
{
	struct inet_addr	 ia;
	struct path		*pa;
	struct peer		*pe;
	uint8_t			 key[KEY48_LEN];

	ATF_REQUIRE_EQ(identity_agree(&v->v_ids[VL2_M1], &v->v_ids[who],
	    key), 0);
	packet_keys_init(&v->v_keys[who], key);
	ATF_REQUIRE((pe = peer_add(v->v_node, v->v_now,
	    &v->v_ids[who])) != NULL);
	where(who, &ia);
	ATF_REQUIRE((pa = path_get(v->v_node, v->v_now, 1, &ia)) != NULL);
	pa->pa_last_in = v->v_now;
	pa->pa_verified = true;
	ATF_REQUIRE(peer_add_path(pe, pa, v->v_now) != NULL);
}

void
vl2_start(struct vl2 *v, const atf_tc_t *tc, int64_t now)
{
	json_t		*doc, *ids;
	const char	*text;
	unsigned	 i;

	ATF_REQUIRE_EQ(crypto_init(), 0);
	memset(v, 0, sizeof(*v));
	v->v_now = now;
	v->v_packet = 0x1000;
	doc = vectors_load(tc, "credentials.json");
	v->v_nwid = vectors_hexu64(doc, "network_id");
	ids = vectors_get(doc, "identities");
	for (i = 0; i < VL2_WHO; i++) {
		text = vectors_str(vectors_get(ids, names[i]), "secret");
		ATF_REQUIRE_EQ(identity_parse(&v->v_ids[i], text,
		    strlen(text)), IDENTITY_OK);
	}
	json_decref(doc);
	v->v_node = node_new(&v->v_ids[VL2_M1], &callbacks, v, now);
	ATF_REQUIRE(v->v_node != NULL);
	for (i = 0; i < VL2_WHO; i++)
		if (i != VL2_M1)
			neighbour(v, (enum vl2_who)i);
}

void
vl2_end(struct vl2 *v)
{
	unsigned	i;

	node_free(v->v_node, v->v_now);
	for (i = 0; i < VL2_WHO; i++)
		if (i != VL2_M1)
			packet_keys_clear(&v->v_keys[i]);
}

uint64_t
vl2_give(struct vl2 *v, enum vl2_who from, uint8_t verb,
    const uint8_t *payload, size_t len)
{
	struct inet_addr	 ia;
	struct wbuf		 wb;
	uint8_t			 p[PACKET_MAX];
	uint64_t		 id = v->v_packet++;

	wbuf_init(&wb, p, sizeof(p));
	packet_header(&wb, id, v->v_ids[VL2_M1].id_addr,
	    v->v_ids[from].id_addr, verb);
	wbuf_bytes(&wb, payload, len);
	ATF_REQUIRE(wbuf_ok(&wb));
	packet_seal(p, wb.wb_len, SUITE_SALSA2012, &v->v_keys[from]);
	where(from, &ia);
	node_datagram(v->v_node, v->v_now, 1, &ia, p, wb.wb_len);
	return (id);
}

void
vl2_forget(struct vl2 *v)
{
	v->v_nsent = 0;
	v->v_nframes = 0;
	v->v_nstores = 0;
}

struct vl2_sent *
vl2_sent(struct vl2 *v, enum vl2_who to, uint8_t verb, unsigned k)
{
	unsigned	i;

	for (i = 0; i < v->v_nsent; i++)
		if (v->v_sent[i].vs_to == to && v->v_sent[i].vs_verb ==
		    verb && k-- == 0)
			return (&v->v_sent[i]);
	return (NULL);
}

void
vl2_require_payload(const struct vl2_sent *vs, const uint8_t *p, size_t len)
{
	size_t	i;

	ATF_REQUIRE(vs != NULL);
	ATF_REQUIRE_EQ_MSG(vs->vs_len, len, "%zu bytes instead of %zu",
	    vs->vs_len, len);
	for (i = 0; i < len; i++)
		ATF_REQUIRE_MSG(vs->vs_payload[i] == p[i],
		    "byte %zu is %02x instead of %02x", i,
		    vs->vs_payload[i], p[i]);
}

struct netconf *
vl2_conf(struct vl2 *v, uint64_t nwid, int64_t ts)
{
	struct netconf	*nc;

	ATF_REQUIRE((nc = calloc(1, sizeof(*nc))) != NULL);
	nc->nc_nwid = nwid;
	nc->nc_to = v->v_ids[VL2_M1].id_addr;
	nc->nc_ts = ts;
	nc->nc_delta = 1800000;
	nc->nc_mclimit = 32;
	nc->nc_mtu = NETCONF_MTU_DEFAULT;
	nc->nc_revision = 1;
	return (nc);
}

void
vl2_issue(struct vl2 *v, struct com *com, int64_t ts, enum vl2_who to)
{
	com_make(com, ts, 1800000, v->v_nwid, &v->v_ids[to]);
	com_sign(com, &v->v_ids[VL2_CONTROLLER]);
}

void
vl2_specialist(struct vl2 *v, struct netconf *nc, enum vl2_who who,
    uint64_t role)
{
	nc->nc_specialists[nc->nc_nspecialists++] =
	    role | v->v_ids[who].id_addr;
}

void
vl2_check_delivered(struct vl2 *v, const char *name, json_t *want)
{
	const struct vl2_frame	*vf;
	json_t			*w;
	uint8_t			 p[PACKET_MAX];
	size_t			 i, len;

	ATF_REQUIRE_EQ_MSG(v->v_nframes, json_array_size(want),
	    "%s: %u frames", name, v->v_nframes);
	json_array_foreach(want, i, w) {
		vf = &v->v_frames[i];
		len = vectors_hex(w, "frame", p, sizeof(p));
		ATF_CHECK_EQ(vf->vf_nwid, v->v_nwid);
		ATF_CHECK_EQ_MSG(vf->vf_src, vectors_hexu64(w,
		    "mac_source"), "%s", name);
		ATF_CHECK_EQ_MSG(vf->vf_dst, vectors_hexu64(w, "mac_dest"),
		    "%s", name);
		ATF_CHECK_EQ(vf->vf_type, vectors_u64(w, "ethertype"));
		ATF_CHECK_EQ(vf->vf_len, len);
		ATF_CHECK(memcmp(vf->vf_bytes, p, len) == 0);
	}
}

static void
describe(const struct node_network *nn, void *arg)
{
	*(struct node_network *)arg = *nn;
}

void
vl2_network(struct vl2 *v, uint64_t nwid, struct node_network *nn)
{
	memset(nn, 0, sizeof(*nn));
	node_each_network(v->v_node, nwid, describe, nn);
	ATF_REQUIRE_EQ(nn->nn_nwid, nwid);
}
