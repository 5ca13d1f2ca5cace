/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Dispatch on the verb of an opened packet, and the small verbs of VL1.
 * Spec: 02 sections 4 and 5.
 */

#include <string.h>
#include <syslog.h>

#include "ztd-net/core/core.h"
#include "ztd-net/core/measure.h"

#define WHOIS_IN_MS	100
#define WHOIS_UNKNOWN	16	/* that we look for, per request */
#define ECHO_MS		166
#define PUSH_TOKENS	8
#define PUSH_TOKEN_MS	15000
#define PUSH_PER_SCOPE	8
#define PUSH_FORGET	0x01
#define PUSH_REDIRECT	0x02

/* 5.3, in-re WHOIS. */
static enum rx_result
whois_ok(struct node *n, int64_t now, struct rx *rx, struct rbuf *rb)
{
	struct identity	 id;
	struct peer	*p;

	if (!topology_is_upstream(n, rx->rx_peer->pe_id.id_addr))
		return (RX_DONE);
	while (rb->rb_left > 0) {
		identity_get(rb, &id);
		if (!rbuf_ok(rb))
			return (RX_DROP);
		if (!whois_outstanding(n, id.id_addr) ||
		    peer_find(n, id.id_addr) != NULL)
			continue;
		if (!identity_valid(&id)) {
			node_log(n, LOG_WARNING, "upstream %010llx gave a "
			    "false identity for %010llx", (unsigned long long)
			    rx->rx_peer->pe_id.id_addr,
			    (unsigned long long)id.id_addr);
			continue;
		}
		if ((p = peer_add(n, now, &id)) != NULL)
			whois_answered(n, now, p);
	}
	return (RX_DONE);
}

static enum rx_result
verb_ok(struct node *n, int64_t now, struct rx *rx, struct rbuf *rb)
{
	uint64_t	 id;
	uint8_t		 verb;

	verb = rbuf_u8(rb);
	id = rbuf_u64(rb);
	if (!rbuf_ok(rb))
		return (RX_DROP);
	if (!expect_reply(n, id, NULL)) {
		twin_answer(n, now, rx, verb);
		return (RX_DROP);
	}
	/* Who got the question elsewhere may answer from any address. */
	rx->rx_answer = rx->rx_hops == 0 &&
	    expect_reply(n, id, &rx->rx_path->pa_addr);
	switch (verb) {
	case VERB_HELLO:
		return (hello_ok(n, now, rx, rb));
	case VERB_WHOIS:
		return (whois_ok(n, now, rx, rb));
	case VERB_ECHO:
		return (echo_ok(n, now, rx, rb));
	case VERB_NETWORK_CONFIG_REQUEST:
		return (network_config_ok(n, now, rx, rb));
	case VERB_MULTICAST_GATHER:
		return (multicast_gather_ok(n, now, rx, rb));
	case VERB_MULTICAST_FRAME:
		return (multicast_frame_ok(n, now, rx, rb));
	default:
		return (RX_DONE);
	}
}

static enum rx_result
verb_error(struct node *n, int64_t now, struct rx *rx, struct rbuf *rb)
{
	uint64_t	 id;
	uint8_t		 verb, code;

	verb = rbuf_u8(rb);
	id = rbuf_u64(rb);
	code = rbuf_u8(rb);
	if (!rbuf_ok(rb))
		return (RX_DROP);
	if (!rx->rx_again)
		count_error(n, 1, code);
	if (code == ERR_IDENTITY_COLLISION) {
		if (topology_is_upstream(n, rx->rx_peer->pe_id.id_addr) &&
		    n->n_cb.nc_collision != NULL)
			n->n_cb.nc_collision(n->n_arg);
		return (RX_DONE);
	}
	return (network_error(n, now, rx, verb, id, code, rb));
}

static enum rx_result
verb_whois(struct node *n, int64_t now, struct rx *rx, struct rbuf *rb)
{
	const struct identity	*id;
	struct pkt		 pk;
	uint64_t		 addr;
	unsigned		 unknown = 0;
	bool			 found = false;

	if (!topology_is_root(n)) {
		if (rx->rx_peer->pe_last_whois_in != 0 &&
		    now - rx->rx_peer->pe_last_whois_in < WHOIS_IN_MS)
			return (RX_DROP);
		rx->rx_peer->pe_last_whois_in = now;
	}
	pkt_begin_ok(n, &pk, rx);
	while (rb->rb_left >= ADDR_LEN &&
	    pk.pk.wb_size - pk.pk.wb_len >= IDENTITY_BIN_PUBLIC) {
		addr = rbuf_addr(rb);
		if ((id = identity_of(n, addr)) == NULL &&
		    unknown++ < WHOIS_UNKNOWN) {
			whois_stranger(n, now, addr);
			id = identity_of(n, addr);
		}
		if (id == NULL)
			continue;
		identity_put(&pk.pk, id, false);
		found = true;
	}
	if (found)
		pkt_reply(n, now, &pk, rx);
	return (RX_DONE);
}

/* Four random bytes that die beyond our own NAT, to open it (4.6). */
static void
open_nat(struct node *n, uint32_t sock, const struct inet_addr *to)
{
	uint8_t	 junk[4];

	node_random(n, junk, sizeof(junk));
	n->n_cb.nc_send(n->n_arg, sock, to, junk, sizeof(junk),
	    to->ia_family == 4 ? 2 : 0);
}

static enum rx_result
verb_rendezvous(struct node *n, int64_t now, struct rx *rx, struct rbuf *rb)
{
	struct inet_addr to;
	struct peer	*p;
	uint64_t	 addr;
	uint8_t		 iplen;

	memset(&to, 0, sizeof(to));
	rbuf_skip(rb, 1);
	addr = rbuf_addr(rb);
	to.ia_port = rbuf_u16(rb);
	iplen = rbuf_u8(rb);
	if (!rbuf_ok(rb))
		return (RX_DROP);
	if (!topology_is_upstream(n, rx->rx_peer->pe_id.id_addr) ||
	    (iplen != 4 && iplen != 16))
		return (RX_DONE);
	to.ia_family = iplen == 4 ? 4 : 6;
	rbuf_bytes(rb, to.ia_ip, iplen);
	if (!rbuf_ok(rb))
		return (RX_DROP);
	if (!path_allowed(n, addr, &to))
		return (RX_DONE);
	open_nat(n, rx->rx_path->pa_sock, &to);
	if ((p = peer_find(n, addr)) != NULL)
		reach_suggest(n, now, p, rx->rx_path->pa_sock, &to,
		    REACH_ROOT);
	else
		whois_hint(n, now, addr, rx->rx_path->pa_sock, &to);
	return (RX_DONE);
}

static enum rx_result
verb_echo(struct node *n, int64_t now, struct rx *rx, struct rbuf *rb)
{
	struct pkt	 pk;

	/*
	 * One that was compressed would come back much longer, and who sent it
	 * can have named somebody else's address.
	 */
	if (rb->rb_left > rx->rx_wire)
		return (RX_DROP);
	if (rx->rx_path->pa_last_echo != 0 &&
	    now - rx->rx_path->pa_last_echo < ECHO_MS)
		return (RX_DROP);
	rx->rx_path->pa_last_echo = now;
	pkt_begin_ok(n, &pk, rx);
	wbuf_bytes(&pk.pk, rb->rb_p, rb->rb_left);
	pkt_reply(n, now, &pk, rx);
	return (RX_DONE);
}

/* A token bucket: a peer behind a relay pushes every 15 s for good (4.8). */
static bool
push_gate(struct peer *p, int64_t now)
{
	int64_t	 refill;

	if (p->pe_push_time == 0) {
		p->pe_push_tokens = PUSH_TOKENS;
		p->pe_push_time = now;
	}
	refill = (now - p->pe_push_time) / PUSH_TOKEN_MS;
	if (refill > 0) {
		p->pe_push_tokens = refill > PUSH_TOKENS ? PUSH_TOKENS :
		    p->pe_push_tokens + (unsigned)refill;
		if (p->pe_push_tokens > PUSH_TOKENS)
			p->pe_push_tokens = PUSH_TOKENS;
		p->pe_push_time += refill * PUSH_TOKEN_MS;
	}
	if (p->pe_push_tokens == 0)
		return (false);
	p->pe_push_tokens--;
	return (true);
}

/* One record: its flags and address, nil for families unknown to us. */
static void
push_record(struct rbuf *rb, uint8_t *flags, struct inet_addr *to)
{
	struct rbuf	 sub;
	uint8_t		 type, len;

	memset(to, 0, sizeof(*to));
	*flags = rbuf_u8(rb);
	rbuf_skip(rb, rbuf_u16(rb));
	type = rbuf_u8(rb);
	len = rbuf_u8(rb);
	rbuf_sub(rb, &sub, len);
	if ((type != 4 && type != 6) || len != (type == 4 ? 6 : 18))
		return;
	rbuf_bytes(&sub, to->ia_ip, type == 4 ? 4 : 16);
	to->ia_port = rbuf_u16(&sub);
	to->ia_family = rbuf_ok(&sub) ? type : 0;
}

static enum rx_result
verb_push_direct_paths(struct node *n, int64_t now, struct rx *rx,
    struct rbuf *rb)
{
	struct inet_addr to;
	struct peer	*p = rx->rx_peer;
	unsigned	 per[SCOPE_PRIVATE + 1][2], count, *slot;
	uint8_t		 flags;

	memset(per, 0, sizeof(per));
	count = rbuf_u16(rb);
	if (!rbuf_ok(rb))
		return (RX_DROP);
	if (!push_gate(p, now))
		return (RX_DONE);
	for (; count > 0; count--) {
		push_record(rb, &flags, &to);
		if (!rbuf_ok(rb))
			return (RX_DROP);
		if (inet_isnil(&to) || (flags & PUSH_FORGET) != 0)
			continue;
		/* A redirect is a suggestion like any other: its path is
		 * used once it has been confirmed. */
		slot = &per[inet_scope(&to)][to.ia_family == 6];
		if (++*slot <= PUSH_PER_SCOPE)
			reach_suggest(n, now, p, SOCKET_ANY, &to,
			    (flags & PUSH_REDIRECT) != 0 ? REACH_REDIRECT :
			    REACH_PEER);
	}
	return (RX_DONE);
}

static enum rx_result
verb_user_message(struct node *n, struct rx *rx, struct rbuf *rb)
{
	uint64_t	 type;

	type = rbuf_u64(rb);
	if (!rbuf_ok(rb))
		return (RX_DROP);
	if (n->n_cb.nc_user_message != NULL)
		n->n_cb.nc_user_message(n->n_arg, rx->rx_peer->pe_id.id_addr,
		    type, rb->rb_p, rb->rb_left);
	return (RX_DONE);
}

/*
 * Of bonds (16), of which there are none: so no receipt is noted, whatever
 * it says.
 */
static enum rx_result
verb_bonding(struct rx *rx, struct rbuf *rb)
{
	struct qos_record	 records[QOS_RECORDS];
	uint32_t		 bytes;
	int16_t			 utility;

	switch (rx->rx_verb) {
	case VERB_QOS_MEASUREMENT:
		(void)qos_parse(rb, records);
		break;
	case VERB_PATH_NEGOTIATION_REQUEST:
		(void)negotiation_parse(rb, &utility);
		break;
	default:
		(void)ack_parse(rb, &bytes);
	}
	return (RX_DROP);
}

static enum rx_result
verb_remote_trace(struct node *n, int64_t now, struct rx *rx,
    struct rbuf *rb)
{
	const char	*text;
	size_t		 len;

	while (trace_parse(rb, &text, &len))
		trace_received(n, now, rx->rx_peer->pe_id.id_addr, text, len);
	return (RX_DONE);
}

enum rx_result
verb_dispatch(struct node *n, int64_t now, struct rx *rx)
{
	struct rbuf	 rb;

	rbuf_init(&rb, rx->rx_packet + PACKET_HDR, rx->rx_len - PACKET_HDR);
	switch (rx->rx_verb) {
	case VERB_FRAME:
		return (verb_frame(n, now, rx, &rb));
	case VERB_EXT_FRAME:
		return (verb_ext_frame(n, now, rx, &rb));
	case VERB_OK:
		return (verb_ok(n, now, rx, &rb));
	case VERB_ERROR:
		return (verb_error(n, now, rx, &rb));
	case VERB_WHOIS:
		return (verb_whois(n, now, rx, &rb));
	case VERB_RENDEZVOUS:
		return (verb_rendezvous(n, now, rx, &rb));
	case VERB_ECHO:
		return (verb_echo(n, now, rx, &rb));
	case VERB_MULTICAST_LIKE:
		return (verb_multicast_like(n, now, rx, &rb));
	case VERB_NETWORK_CREDENTIALS:
		return (verb_network_credentials(n, now, rx, &rb));
	case VERB_NETWORK_CONFIG_REQUEST:
		return (verb_network_config_request(n, now, rx, &rb));
	case VERB_NETWORK_CONFIG:
		return (verb_network_config(n, now, rx, &rb));
	case VERB_MULTICAST_GATHER:
		return (verb_multicast_gather(n, now, rx, &rb));
	case VERB_MULTICAST_FRAME:
		return (verb_multicast_frame(n, now, rx, &rb));
	case VERB_PUSH_DIRECT_PATHS:
		return (verb_push_direct_paths(n, now, rx, &rb));
	case VERB_USER_MESSAGE:
		return (verb_user_message(n, rx, &rb));
	case VERB_ACK:
	case VERB_QOS_MEASUREMENT:
	case VERB_PATH_NEGOTIATION_REQUEST:
		return (verb_bonding(rx, &rb));
	case VERB_REMOTE_TRACE:
		return (verb_remote_trace(n, now, rx, &rb));
	default:
		return (RX_DONE);	/* as NOP */
	}
}
