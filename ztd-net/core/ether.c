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
ether_deliver_in(struct node *n, int64_t now, struct network *nw,
    const struct filter_frame *ff)
{
	trace_frame(n, now, nw, ff, ff->len > nw->nw_conf->nc_mtu ?
	    WHY_TOO_LONG : WHY_ACCEPTED, NULL, NULL);
	ether_deliver(n, nw, ff->mac_dst, ff->mac_src, ff->ethertype,
	    ff->data, ff->len);
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

/* A frame from this member, for us. */
static struct filter_frame
frame_in(const struct node *n, const struct rx *rx, uint64_t dst,
    uint64_t src, uint16_t type, struct rbuf *rb)
{
	struct filter_frame	ff = {
		.inbound = true, .source = rx->rx_peer->pe_id.id_addr,
		.dest = n->n_id.id_addr, .mac_src = src, .mac_dst = dst,
		.ethertype = type, .len = rb->rb_left
	};

	ff.data = rbuf_take(rb, ff.len);
	return (ff);
}

enum rx_result
verb_frame(struct node *n, int64_t now, struct rx *rx, struct rbuf *rb)
{
	struct filter_frame	 ff;
	struct network		*nw;
	uint16_t		 type;

	nw = network_find(n, rbuf_u64(rb));
	type = rbuf_u16(rb);
	if (!rbuf_ok(rb))
		return (RX_DROP);
	if (nw == NULL)
		return (RX_DONE);
	ff = frame_in(n, rx, nw->nw_mac, mac_from_addr(
	    rx->rx_peer->pe_id.id_addr, nw->nw_id), type, rb);
	if (!gate_or_complain(n, now, nw, rx, &ff))
		return (RX_LATER);
	if (ff.len > 0 && ether_filter_in(n, now, nw, &ff, rx) > 0)
		ether_deliver_in(n, now, nw, &ff);
	return (RX_DONE);
}

/* Why a frame with explicit MACs is refused that the rules let pass. */
static enum why
ext_refused(struct node *n, int64_t now, struct network *nw,
    const struct filter_frame *ff)
{
	if (ff->mac_src != mac_from_addr(ff->source, nw->nw_id)) {
		if (!network_has_role(nw, ff->source, SPECIALIST_BRIDGE))
			return (WHY_BRIDGED_BY_OTHER);
		bridge_learn(nw, now, ff->mac_src, ff->source);
	} else if (ff->mac_dst != nw->nw_mac) {
		if (mac_multicast(ff->mac_dst)) {
			if (nw->nw_conf->nc_mclimit == 0)
				return (WHY_MULTICAST_OFF);
		} else if (!network_has_role(nw, n->n_id.id_addr,
		    SPECIALIST_BRIDGE))
			return (WHY_BRIDGED_TO_US);
	}
	return (WHY_ACCEPTED);
}

/*
 * A frame with explicit MACs.  false: it was refused in a way that is not
 * even acknowledged.
 */
static bool
ext_frame(struct node *n, int64_t now, struct network *nw,
    const struct filter_frame *ff, const struct rx *rx)
{
	enum why	why = WHY_ACCEPTED;
	int		res;

	if (ff->mac_src == 0 || ff->mac_src == nw->nw_mac)
		why = WHY_BAD_ADDRESS;
	else if ((res = ether_filter_in(n, now, nw, ff, rx)) == 0)
		return (true);
	else if (res == 1)
		why = ext_refused(n, now, nw, ff);
	if (why != WHY_ACCEPTED) {
		trace_frame(n, now, nw, ff, why, NULL, rx);
		return (false);
	}
	ether_deliver_in(n, now, nw, ff);
	return (true);
}

enum rx_result
verb_ext_frame(struct node *n, int64_t now, struct rx *rx, struct rbuf *rb)
{
	struct filter_frame	 ff;
	struct network		*nw;
	struct com		 com;
	struct pkt		 pkt;
	uint64_t		 dst, src;
	uint16_t		 type;
	uint8_t			 flags;

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
	ff = frame_in(n, rx, dst, src, type, rb);
	if (!gate_or_complain(n, now, nw, rx, &ff))
		return (RX_LATER);
	if (ff.len > 0 && !ext_frame(n, now, nw, &ff, rx))
		return (RX_DONE);
	if (flags & EXT_ACK) {
		pkt_begin_ok(n, &pkt, rx);
		wbuf_u64(&pkt.pk, nw->nw_id);
		pkt_reply(n, now, &pkt, rx);
	}
	return (RX_DONE);
}

/* --- frames from the port --------------------------------------------- */

/* A frame of the host's to this node (0: not known) that goes out, or not. */
static void
trace_out(struct node *n, int64_t now, struct network *nw, uint64_t to,
    uint64_t dst, uint64_t src, uint16_t type, const uint8_t *p, size_t len,
    enum why why)
{
	const struct filter_frame	ff = {
		.source = n->n_id.id_addr, .dest = to, .mac_src = src,
		.mac_dst = dst, .ethertype = type, .data = p, .len = len
	};

	trace_frame(n, now, nw, &ff, why, NULL, NULL);
}

/* Why a frame to a group does not go out, or is answered here. */
static enum why
multicast_refused(const struct network *nw, uint64_t dst, bool arp)
{
	if (dst == MAC_BROADCAST && !arp &&
	    !(nw->nw_conf->nc_flags & NETCONF_BROADCAST))
		return (WHY_BROADCAST_OFF);
	return (nw->nw_conf->nc_mclimit == 0 ? WHY_MULTICAST_OFF :
	    WHY_ACCEPTED);
}

static void
frame_multicast(struct node *n, int64_t now, struct network *nw,
    bool bridged, uint64_t dst, uint64_t src, uint16_t type,
    const uint8_t *p, size_t len)
{
	struct mgroup	mg;
	enum why	why;
	bool		arp;

	mg.mg_mac = dst;
	mg.mg_adi = 0;
	arp = dst == MAC_BROADCAST && arp_group(&mg, type, p, len);
	if (dst != MAC_BROADCAST && ndp_emulate(n, nw, src, type, p, len))
		return;
	why = multicast_refused(nw, dst, arp);
	if (why == WHY_ACCEPTED) {
		if (bridged)
			groups_behind(n, now, nw, &mg);
		if (!ether_filter_out(n, now, nw, true, 0, dst, src, type, p,
		    len))
			return;
		if (!multicast_send(n, now, nw, 0, &mg, bridged ? src : 0,
		    type, p, len))
			why = WHY_NO_ROOM;
	}
	trace_out(n, now, nw, 0, dst, src, type, p, len, why);
}

/* To a member of the network. */
static void
frame_unicast(struct node *n, int64_t now, struct network *nw, bool bridged,
    uint64_t dst, uint64_t src, uint16_t type, const uint8_t *p, size_t len)
{
	struct pkt	pkt;
	uint64_t	to = mac_to_addr(dst, nw->nw_id);

	if (addr_reserved(to) || !ether_filter_out(n, now, nw, true, to, dst,
	    src, type, p, len))
		return;
	credentials_push(n, now, nw, to, PUSH_IDLE_MS);
	trace_out(n, now, nw, to, dst, src, type, p, len, WHY_ACCEPTED);
	if (bridged) {
		ether_send_ext(n, now, nw, to, 0, dst, src, type, p, len,
		    false);
		return;
	}
	pkt_begin(n, &pkt, to, VERB_FRAME);
	wbuf_u64(&pkt.pk, nw->nw_id);
	wbuf_u16(&pkt.pk, type);
	wbuf_bytes(&pkt.pk, p, len);
	pkt_send(n, now, &pkt, false);
}

void
ether_send(struct node *n, int64_t now, struct network *nw, uint64_t dst,
    uint64_t src, uint16_t type, const uint8_t *p, size_t len)
{
	bool	bridged = src != nw->nw_mac;

	if (nw->nw_conf == NULL)
		trace_out(n, now, nw, 0, dst, src, type, p, len,
		    WHY_NO_CONFIG);
	else if (len > nw->nw_conf->nc_mtu)
		trace_out(n, now, nw, 0, dst, src, type, p, len,
		    WHY_TOO_LONG);
	else if (bridged && !network_has_role(nw, n->n_id.id_addr,
	    SPECIALIST_BRIDGE))
		trace_out(n, now, nw, 0, dst, src, type, p, len,
		    WHY_NOT_BRIDGE);
	else if (mac_multicast(dst))
		frame_multicast(n, now, nw, bridged, dst, src, type, p, len);
	else if (dst == nw->nw_mac)
		ether_deliver(n, nw, dst, src, type, p, len);
	else if (dst >> 40 != nw->nw_mac >> 40)
		bridge_send(n, now, nw, dst, src, type, p, len);
	else
		frame_unicast(n, now, nw, bridged, dst, src, type, p, len);
}

void
node_frame(struct node *n, int64_t now, uint64_t nwid, uint64_t dst,
    uint64_t src, uint16_t type, const void *frame, size_t len,
    const struct offload *of)
{
	struct network	*nw;

	now = node_clock(n, now);
	if ((nw = network_find(n, nwid)) == NULL || len == 0)
		return;
	if (nw->nw_conf != NULL)
		node_busy(n, now);
	if (of == NULL || (of->of_type == OFFLOAD_NONE &&
	    (of->of_flags & OFFLOAD_CSUM) == 0))
		ether_send(n, now, nw, dst, src, type, frame, len);
	else
		offload_send(n, now, nw, of, dst, src, type, frame, len);
}
