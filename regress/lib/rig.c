/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

#include <stdlib.h>
#include <string.h>

#include "regress/lib/rig.h"

static const char *const names[WHO] = { "m1", "controller", "m2", "m3" };

struct rig rig;

static void
cb_send(void *arg, uint32_t sock, const struct inet_addr *to,
    const void *bytes, size_t len, unsigned ttl)
{
	uint8_t	 p[PACKET_MAX];

	(void)arg;
	(void)ttl;
	if (inet_equal(to, &rig.watched))
		rig.sent_bytes += len;
	rig.datagrams++;
	if (len > rig.largest)
		rig.largest = len;
	if (len < PACKET_MIN || len > sizeof(p))
		return;
	memcpy(p, bytes, len);
	if (packet_dest(p) != rig.ids[MEMBER].id_addr)
		return;
	ATF_REQUIRE(packet_open(p, len, &rig.keys[MEMBER]));
	switch (packet_verb(p)) {
	case VERB_HELLO:
		rig.hellos++;
		rig.hello_sock = sock;
		break;
	case VERB_ECHO:
		rig.echos++;
		rig.last_echo = packet_id(bytes);
		rig.hello_sock = sock;
		if (len > rig.longest)
			rig.longest = len;
		break;
	case VERB_NETWORK_CONFIG:
		rig.configs++;
		break;
	case VERB_USER_MESSAGE:
		rig.message_to = *to;
		break;
	case VERB_REMOTE_TRACE:
		len = packet_decompress(p, len);
		ATF_REQUIRE(len > PACKET_HDR);
		rig.ntraces++;
		rig.tracelen = len - PACKET_HDR;
		memcpy(rig.trace, p + PACKET_HDR, rig.tracelen);
		break;
	default:
		break;
	}
}

/* A cache with peers that have no addresses. */
static size_t
cb_load(void *arg, enum node_state what, uint64_t id, void *p, size_t size)
{
	struct wbuf	 wb;
	unsigned	 i;

	(void)arg;
	if (what != STATE_PEER)
		return (0);
	rig.loads++;
	for (i = 0; i < rig.ncached && rig.cached[i].id_addr != id; i++)
		continue;
	if (i == rig.ncached)
		return (0);
	wbuf_init(&wb, p, size);
	wbuf_u8(&wb, 2);
	identity_put(&wb, &rig.cached[i], false);
	wbuf_u64(&wb, 0x000c0001000e0001);	/* as 05 section 10.5 has it */
	wbuf_u16(&wb, 0);
	ATF_REQUIRE(wbuf_ok(&wb));
	return (wb.wb_len);
}

static void
cb_network(void *arg, const struct node_network *nn)
{
	(void)arg;
	(void)nn;
}

static void
cb_user_message(void *arg, uint64_t from, uint64_t type, const void *p,
    size_t len)
{
	(void)arg;
	(void)from;
	(void)type;
	(void)p;
	(void)len;
	rig.messages++;
}

static void
cb_frame(void *arg, uint64_t nwid, uint64_t dst, uint64_t src,
    uint16_t type, const void *p, size_t len)
{
	(void)arg;
	(void)nwid;
	(void)dst;
	(void)src;
	(void)type;
	(void)p;
	(void)len;
	rig.frames++;
}

static bool
cb_event(void *arg, const struct node_event *ne)
{
	(void)arg;
	rig.nevents++;
	rig.event = *ne;
	return (true);
}

static void
cb_trace(void *arg, uint64_t from, const char *text, size_t len)
{
	(void)arg;
	(void)from;
	(void)text;
	(void)len;
	rig.told++;
}

static void
cb_rebind(void *arg, bool new_port)
{
	(void)arg;
	(void)new_port;
	rig.rebinds++;
}

static const struct node_callbacks callbacks = {
	.nc_rebind = cb_rebind,
	.nc_event = cb_event,
	.nc_trace = cb_trace,
	.nc_frame = cb_frame,
	.nc_user_message = cb_user_message,
	.nc_send = cb_send,
	.nc_load = cb_load,
	.nc_network = cb_network
};

void
rig_where(enum who who, struct inet_addr *ia)
{
	memset(ia, 0, sizeof(*ia));
	ia->ia_family = 4;
	ia->ia_port = 9993;
	ia->ia_ip[0] = 192;
	ia->ia_ip[1] = 168;
	ia->ia_ip[2] = 7;
	ia->ia_ip[3] = (uint8_t)(10 + who);
}

/* A direct path of a peer, last heard then. */
struct path *
rig_direct(struct peer *p, const struct inet_addr *ia, int64_t heard)
{
	struct path	*pa;

	ATF_REQUIRE((pa = path_get(rig.node, rig.now, SOCK, ia)) != NULL);
	pa->pa_last_in = heard;
	pa->pa_verified = true;
	ATF_REQUIRE(peer_add_path(p, pa, heard) != NULL);
	return (pa);
}

void
rig_start(const atf_tc_t *tc)
{
	struct inet_addr ia;
	struct peer	*p;
	const char	*text;
	uint8_t		 key[KEY48_LEN];
	json_t		*doc, *ids;
	unsigned	 i;

	ATF_REQUIRE_EQ(crypto_init(), 0);
	memset(&rig, 0, sizeof(rig));
	rig.now = START;
	rig.packet = 0x4711;
	doc = vectors_load(tc, "credentials.json");
	ids = vectors_get(doc, "identities");
	for (i = 0; i < WHO; i++) {
		text = vectors_str(vectors_get(ids, names[i]), "secret");
		ATF_REQUIRE_EQ(identity_parse(&rig.ids[i], text,
		    strlen(text)), IDENTITY_OK);
	}
	json_decref(doc);
	rig.node = node_new(&rig.ids[ME], &callbacks, NULL, rig.now);
	ATF_REQUIRE(rig.node != NULL);
	for (i = CONTROLLER; i < WHO; i++) {
		ATF_REQUIRE_EQ(identity_agree(&rig.ids[ME], &rig.ids[i],
		    key), 0);
		packet_keys_init(&rig.keys[i], key);
		p = peer_add(rig.node, rig.now, &rig.ids[i]);
		ATF_REQUIRE(p != NULL);
		p->pe_proto = 12;
		p->pe_major = 1;
		p->pe_minor = 14;
		rig_where((enum who)i, &ia);
		(void)rig_direct(p, &ia, rig.now);
	}
}

void
rig_end(void)
{
	unsigned	 i;

	node_free(rig.node, rig.now);
	for (i = CONTROLLER; i < WHO; i++)
		packet_keys_clear(&rig.keys[i]);
}

void
rig_give_from(enum who from, const struct inet_addr *ia, uint8_t verb,
    const struct wbuf *payload)
{
	struct wbuf	 wb;
	uint8_t		 p[PACKET_MAX];

	wbuf_init(&wb, p, sizeof(p));
	packet_header(&wb, rig.packet++, rig.ids[ME].id_addr,
	    rig.ids[from].id_addr, verb);
	wbuf_bytes(&wb, payload->wb_base, payload->wb_len);
	ATF_REQUIRE(wbuf_ok(payload) && wbuf_ok(&wb));
	packet_seal(p, wb.wb_len, SUITE_SALSA2012, &rig.keys[from]);
	node_datagram(rig.node, rig.now, SOCK, ia, p, wb.wb_len);
}

/* A HELLO in the clear, as they come. */
void
rig_hello_from(enum who from, const struct inet_addr *ia,
    const struct wbuf *payload)
{
	struct wbuf	 wb;
	uint8_t		 p[PACKET_MAX];

	wbuf_init(&wb, p, sizeof(p));
	packet_header(&wb, rig.packet++, rig.ids[ME].id_addr,
	    rig.ids[from].id_addr, VERB_HELLO);
	wbuf_bytes(&wb, payload->wb_base, payload->wb_len);
	ATF_REQUIRE(wbuf_ok(payload) && wbuf_ok(&wb));
	packet_seal(p, wb.wb_len, SUITE_POLY1305, &rig.keys[from]);
	rig.watched = *ia;
	rig.received_bytes += wb.wb_len;
	node_datagram(rig.node, rig.now, SOCK, ia, p, wb.wb_len);
}

/* The last ECHO comes back from there. */
void
rig_echo_answered(enum who from, const struct inet_addr *ia)
{
	struct wbuf	 wb;
	uint8_t		 p[16];

	wbuf_init(&wb, p, sizeof(p));
	wbuf_u8(&wb, VERB_ECHO);
	wbuf_u64(&wb, rig.last_echo);
	rig_give_from(from, ia, VERB_OK, &wb);
}

void
rig_give(enum who from, uint8_t verb, const struct wbuf *payload)
{
	struct inet_addr ia;

	rig_where(from, &ia);
	rig_give_from(from, &ia, verb, payload);
}

/* The network of the controller, joined, where MEMBER is a member. */
struct network *
rig_network(void)
{
	uint64_t	 nwid = rig.ids[CONTROLLER].id_addr << 24 | 1;
	struct network	*nw;
	struct netconf	*nc;
	struct com	 com;

	ATF_REQUIRE_EQ(node_join(rig.node, rig.now, nwid), 0);
	ATF_REQUIRE((nw = network_find(rig.node, nwid)) != NULL);
	ATF_REQUIRE((nc = calloc(1, sizeof(*nc))) != NULL);
	nc->nc_nwid = nwid;
	nc->nc_to = rig.ids[ME].id_addr;
	nc->nc_ts = rig.now;
	nc->nc_delta = 1800000;
	nc->nc_mclimit = 32;
	nc->nc_mtu = NETCONF_MTU_DEFAULT;
	com_make(&nc->nc_com, rig.now, nc->nc_delta, nwid, &rig.ids[ME]);
	com_sign(&nc->nc_com, &rig.ids[CONTROLLER]);
	com_make(&com, rig.now, nc->nc_delta, nwid, &rig.ids[MEMBER]);
	com_sign(&com, &rig.ids[CONTROLLER]);
	ATF_REQUIRE(config_apply(rig.node, rig.now, nw, nc, false));
	ATF_REQUIRE_EQ(membership_add_com(rig.node, rig.now, nw, &com),
	    CRED_NEW);
	return (nw);
}

size_t
rig_give_packed(enum who from, const struct inet_addr *ia, uint8_t verb,
    const struct wbuf *payload)
{
	struct wbuf	 wb;
	uint8_t		 p[PACKET_MAX];
	size_t		 len;

	wbuf_init(&wb, p, sizeof(p));
	packet_header(&wb, rig.packet++, rig.ids[ME].id_addr,
	    rig.ids[from].id_addr, verb);
	wbuf_bytes(&wb, payload->wb_base, payload->wb_len);
	ATF_REQUIRE(wbuf_ok(payload) && wbuf_ok(&wb));
	len = packet_compress(p, wb.wb_len);
	packet_seal(p, len, SUITE_SALSA2012, &rig.keys[from]);
	node_datagram(rig.node, rig.now, SOCK, ia, p, len);
	return (len);
}

void
rig_hello_put(enum who from, struct wbuf *wb, const struct inet_addr *told)
{
	wbuf_u8(wb, 12);
	wbuf_uint(wb, 0x010e0001, 4);
	wbuf_u64(wb, (uint64_t)rig.now);
	identity_put(wb, &rig.ids[from], false);
	if (told != NULL)
		inet_put(wb, told);
	else
		wbuf_u8(wb, 0);
}

void
rig_pass(int64_t ms)
{
	for (; ms > 0; ms -= 100) {
		rig.now += ms < 100 ? ms : 100;
		(void)node_tick(rig.node, rig.now);
	}
}
