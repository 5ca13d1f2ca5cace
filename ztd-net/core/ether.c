/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Ethernet frames between the port and the members: FRAME and EXT_FRAME in
 * both directions.  The rules are asked in verdict.c.
 * Spec: 03 sections 11.1, 11.2 and 12.
 */

#include <string.h>

#include "ztd-net/core/network.h"

/* Flags of EXT_FRAME; those of copies are in verdict.c. */
#define EXT_COM			0x01
#define EXT_ACK			0x10

void
ether_deliver(struct node *n, const struct network *nw, uint64_t dst,
    uint64_t src, uint16_t type, const uint8_t *p, size_t len)
{
	if (nw->nw_conf != NULL && len <= nw->nw_conf->nc_mtu)
		n->n_cb.nc_frame(n->n_arg, nw->nw_id, dst, src, type, p, len);
}

void
ether_send_ext(struct node *n, int64_t now, const struct network *nw,
    uint64_t to, uint8_t flags, uint64_t dst, uint64_t src, uint16_t type,
    const uint8_t *p, size_t len, bool compress)
{
	struct pkt	pkt;

	pkt_begin(n, &pkt, to, VERB_EXT_FRAME);
	wbuf_u64(&pkt.pk, nw->nw_id);
	wbuf_u8(&pkt.pk, flags);
	wbuf_mac(&pkt.pk, dst);
	wbuf_mac(&pkt.pk, src);
	wbuf_u16(&pkt.pk, type);
	wbuf_bytes(&pkt.pk, p, len);
	pkt_send(n, now, &pkt, compress);
}

/* --- frames from members ---------------------------------------------- */

enum rx_result
verb_frame(struct node *n, int64_t now, struct rx *rx, struct rbuf *rb)
{
	struct network	*nw;
	const uint8_t	*p;
	uint64_t	 from = rx->rx_peer->pe_id.id_addr, src;
	size_t		 len;
	uint16_t	 type;

	nw = network_find(n, rbuf_u64(rb));
	type = rbuf_u16(rb);
	if (!rbuf_ok(rb))
		return (RX_DROP);
	if (nw == NULL)
		return (RX_DONE);
	if (!gate_or_complain(n, now, nw, rx))
		return (RX_LATER);
	if ((len = rb->rb_left) == 0)
		return (RX_DONE);
	p = rbuf_take(rb, len);
	src = mac_from_addr(from, nw->nw_id);
	if (ether_filter_in(n, now, nw, from, nw->nw_mac, src, type, p,
	    len) > 0)
		ether_deliver(n, nw, nw->nw_mac, src, type, p, len);
	return (RX_DONE);
}

/*
 * A frame with explicit MACs.  false: it was refused in a way that is not
 * even acknowledged.
 */
static bool
ext_frame(struct node *n, int64_t now, struct network *nw, uint64_t from,
    uint64_t dst, uint64_t src, uint16_t type, const uint8_t *p, size_t len)
{
	int	res;

	if (src == 0 || src == nw->nw_mac)
		return (false);
	res = ether_filter_in(n, now, nw, from, dst, src, type, p, len);
	if (res == 0)
		return (true);
	if (res == 1) {
		if (src != mac_from_addr(from, nw->nw_id)) {
			if (!network_has_role(nw, from, SPECIALIST_BRIDGE))
				return (false);
			bridge_learn(nw, now, src, from);
		} else if (dst != nw->nw_mac) {
			if (mac_multicast(dst)) {
				if (nw->nw_conf->nc_mclimit == 0)
					return (false);
			} else if (!network_has_role(nw, n->n_id.id_addr,
			    SPECIALIST_BRIDGE))
				return (false);
		}
	}
	ether_deliver(n, nw, dst, src, type, p, len);
	return (true);
}

enum rx_result
verb_ext_frame(struct node *n, int64_t now, struct rx *rx, struct rbuf *rb)
{
	struct network	*nw;
	struct com	 com;
	struct pkt	 pkt;
	uint64_t	 dst, src;
	size_t		 len;
	uint16_t	 type;
	uint8_t		 flags;

	nw = network_find(n, rbuf_u64(rb));
	flags = rbuf_u8(rb);
	if (!rbuf_ok(rb))
		return (RX_DROP);
	if (nw == NULL)
		return (RX_DONE);
	if (flags & EXT_COM) {
		com_get(rb, &com);
		if (!rbuf_ok(rb))
			return (RX_DROP);
		credentials_inline_com(n, now, nw, rx, &com);
	}
	dst = rbuf_mac(rb);
	src = rbuf_mac(rb);
	type = rbuf_u16(rb);
	if (!rbuf_ok(rb))
		return (RX_DROP);
	if (!gate_or_complain(n, now, nw, rx))
		return (RX_LATER);
	if ((len = rb->rb_left) > 0 &&
	    !ext_frame(n, now, nw, rx->rx_peer->pe_id.id_addr, dst, src,
	    type, rbuf_take(rb, len), len))
		return (RX_DONE);
	if (flags & EXT_ACK) {
		pkt_begin_ok(n, &pkt, rx);
		wbuf_u64(&pkt.pk, nw->nw_id);
		pkt_reply(n, now, &pkt, rx);
	}
	return (RX_DONE);
}

/* --- frames from the port --------------------------------------------- */

static void
frame_multicast(struct node *n, int64_t now, struct network *nw,
    bool bridged, uint64_t dst, uint64_t src, uint16_t type,
    const uint8_t *p, size_t len)
{
	struct mgroup	mg;

	mg.mg_mac = dst;
	mg.mg_adi = 0;
	if (dst == MAC_BROADCAST) {
		if (!arp_group(&mg, type, p, len) &&
		    !(nw->nw_conf->nc_flags & NETCONF_BROADCAST))
			return;
	} else if (ndp_emulate(n, nw, src, type, p, len))
		return;
	if (nw->nw_conf->nc_mclimit == 0)
		return;
	if (bridged)
		groups_behind(n, now, nw, &mg);
	if (ether_filter_out(n, now, nw, true, 0, dst, src, type, p, len))
		multicast_send(n, now, nw, 0, &mg, bridged ? src : 0, type,
		    p, len);
}

void
node_frame(struct node *n, int64_t now, uint64_t nwid, uint64_t dst,
    uint64_t src, uint16_t type, const void *frame, size_t len)
{
	struct network	*nw;
	struct pkt	 pkt;
	const uint8_t	*p = frame;
	uint64_t	 to;
	bool		 bridged;

	now = node_clock(n, now);
	if ((nw = network_find(n, nwid)) == NULL || nw->nw_conf == NULL ||
	    len == 0 || len > NETCONF_MTU_MAX)
		return;
	node_busy(n, now);
	bridged = src != nw->nw_mac;
	if (bridged && !network_has_role(nw, n->n_id.id_addr,
	    SPECIALIST_BRIDGE))
		return;
	if (mac_multicast(dst)) {
		frame_multicast(n, now, nw, bridged, dst, src, type, p, len);
		return;
	}
	if (dst == nw->nw_mac) {
		ether_deliver(n, nw, dst, src, type, p, len);
		return;
	}
	if (dst >> 40 != nw->nw_mac >> 40) {
		bridge_send(n, now, nw, dst, src, type, p, len);
		return;
	}
	to = mac_to_addr(dst, nwid);
	if (addr_reserved(to) || !ether_filter_out(n, now, nw, true, to, dst,
	    src, type, p, len))
		return;
	credentials_push(n, now, nw, to, PUSH_IDLE_MS);
	if (bridged) {
		ether_send_ext(n, now, nw, to, 0, dst, src, type, p, len,
		    false);
		return;
	}
	pkt_begin(n, &pkt, to, VERB_FRAME);
	wbuf_u64(&pkt.pk, nwid);
	wbuf_u16(&pkt.pk, type);
	wbuf_bytes(&pkt.pk, p, len);
	pkt_send(n, now, &pkt, false);
}
