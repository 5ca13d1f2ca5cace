/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Ethernet frames between the port and the members: FRAME and EXT_FRAME in
 * both directions, the rules applied to each.
 * Spec: 03 sections 11.1, 11.2, 12, 16.4 and 16.5.
 */

#include <string.h>

#include "ztd-net/core/filter.h"
#include "ztd-net/core/network.h"

/* Flags of EXT_FRAME. */
#define EXT_COM			0x01
#define EXT_ACK			0x10
#define EXT_TEE_OUT		0x02
#define EXT_REDIRECT_OUT	0x04
#define EXT_WATCH_OUT		0x16
#define EXT_TEE_IN		0x08
#define EXT_REDIRECT_IN		0x0a
#define EXT_WATCH_IN		0x1c

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

/* --- the rules -------------------------------------------------------- */

/* A member as the rules see it. */
struct view {
	const struct network	*vi_nw;
	const struct membership	*vi_mb;
	unsigned		 vi_cap;	/* next one to look at */
};

static bool
view_tag(void *arg, uint32_t id, uint32_t *value)
{
	const struct view	*vi = arg;
	const struct tag	*tag;

	if ((tag = membership_tag(vi->vi_nw, vi->vi_mb, id)) == NULL)
		return (false);
	*value = tag->tag_value;
	return (true);
}

static bool
view_owns_ip(void *arg, const struct inet_addr *ia)
{
	const struct view	*vi = arg;

	return (membership_owns_ip(vi->vi_nw, vi->vi_mb, ia));
}

static bool
view_owns_mac(void *arg, uint64_t mac)
{
	const struct view	*vi = arg;

	return (membership_owns_mac(vi->vi_nw, vi->vi_mb, mac));
}

static const struct capability *
view_capability(void *arg, unsigned i)
{
	struct view			*vi = arg;
	const struct capability		*cap;

	if (i == 0)
		vi->vi_cap = 0;
	while (vi->vi_mb != NULL && vi->vi_cap < vi->vi_mb->mb_ncaps) {
		cap = &vi->vi_mb->mb_caps[vi->vi_cap++];
		if (membership_counts(vi->vi_nw, vi->vi_mb,
		    CREDENTIAL_CAPABILITY, cap->cap_id, cap->cap_ts))
			return (cap);
	}
	return (NULL);
}

static uint32_t
view_random(void *arg)
{
	return (node_random_u32(arg));
}

static void
view_init(struct view *vi, struct filter_peer *fp, const struct network *nw,
    const struct membership *mb)
{
	vi->vi_nw = nw;
	vi->vi_mb = mb;
	vi->vi_cap = 0;
	fp->fp_tag = view_tag;
	fp->fp_owns_ip = view_owns_ip;
	fp->fp_owns_mac = view_owns_mac;
	fp->fp_capability = view_capability;
	fp->fp_arg = vi;
}

/* Send the copies and the redirected frame that the rules asked for. */
static void
send_copies(struct node *n, int64_t now, const struct network *nw,
    const struct filter_decision *fd, const struct filter_frame *ff)
{
	const struct filter_copy	*fcp;
	uint8_t				 flags;
	unsigned			 i;

	for (i = 0; i < fd->fd_ncopies; i++) {
		fcp = &fd->fd_copies[i];
		if (fcp->fcp_watch)
			flags = ff->inbound ? EXT_WATCH_IN : EXT_WATCH_OUT;
		else
			flags = ff->inbound ? EXT_TEE_IN : EXT_TEE_OUT;
		ether_send_ext(n, now, nw, fcp->fcp_node, flags, ff->mac_dst,
		    ff->mac_src, ff->ethertype, ff->data, fcp->fcp_len, true);
	}
	if (fd->fd_result == FILTER_REDIRECT)
		ether_send_ext(n, now, nw, fd->fd_redirect,
		    ff->inbound ? EXT_REDIRECT_IN : EXT_REDIRECT_OUT,
		    ff->mac_dst, ff->mac_src, ff->ethertype, ff->data,
		    ff->len, true);
}

bool
ether_filter_out(struct node *n, int64_t now, struct network *nw,
    bool copies, uint64_t dest_node, uint64_t dst, uint64_t src,
    uint16_t type, const uint8_t *p, size_t len)
{
	const struct membership	*mb = NULL;
	struct filter_frame	 ff;
	struct filter_context	 fc;
	struct filter_decision	 fd;
	struct filter_peer	 fp;
	struct view		 vi;

	if (dest_node != 0)
		mb = membership_find(nw, dest_node);
	view_init(&vi, &fp, nw, mb);
	fc.fc_netconf = nw->nw_conf;
	fc.fc_self = n->n_id.id_addr;
	fc.fc_peer = mb == NULL ? NULL : &fp;
	fc.fc_random = view_random;
	fc.fc_random_arg = n;
	ff.inbound = false;
	ff.source = n->n_id.id_addr;
	ff.dest = dest_node;
	ff.mac_src = src;
	ff.mac_dst = dst;
	ff.ethertype = type;
	ff.vlan = 0;
	ff.data = p;
	ff.len = len;
	filter_outbound(&fd, &fc, &ff, copies);
	if (fd.fd_ncopies > 0 || fd.fd_result == FILTER_REDIRECT)
		send_copies(n, now, nw, &fd, &ff);
	return (fd.fd_result == FILTER_ACCEPT ||
	    fd.fd_result == FILTER_SUPER_ACCEPT);
}

int
ether_filter_in(struct node *n, int64_t now, struct network *nw,
    uint64_t from, uint64_t dst, uint64_t src, uint16_t type,
    const uint8_t *p, size_t len)
{
	struct filter_frame	 ff;
	struct filter_context	 fc;
	struct filter_decision	 fd;
	struct filter_peer	 fp;
	struct view		 vi;

	view_init(&vi, &fp, nw, membership_find(nw, from));
	fc.fc_netconf = nw->nw_conf;
	fc.fc_self = n->n_id.id_addr;
	fc.fc_peer = &fp;
	fc.fc_random = view_random;
	fc.fc_random_arg = n;
	ff.inbound = true;
	ff.source = from;
	ff.dest = n->n_id.id_addr;
	ff.mac_src = src;
	ff.mac_dst = dst;
	ff.ethertype = type;
	ff.vlan = 0;
	ff.data = p;
	ff.len = len;
	filter_inbound(&fd, &fc, &ff);
	if (fd.fd_ncopies > 0 || fd.fd_result == FILTER_REDIRECT)
		send_copies(n, now, nw, &fd, &ff);
	return (fd.fd_result == FILTER_SUPER_ACCEPT ? 2 :
	    fd.fd_result == FILTER_ACCEPT ? 1 : 0);
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

	node_clock(n, now);
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
