/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Frames of the host's that stand for many, or that lack their checksum.
 * What comes of one is what would have come of its segments.
 *
 * Most of them are for a member, and no rule can tell one segment from
 * another: then rules, credentials, peer and path are looked at once for
 * all, and each segment is cut straight into its packet.  All others are cut
 * first.  Spec: 06 section 10.1.
 */

#include "common/split.h"
#include "ztd-net/core/network.h"

#define FRAME_FIELDS	10	/* network, Ethernet type */

/*
 * Is it for another member, from us, and does every segment fit?  What has
 * the first byte of our MAC is for no group.
 */
static bool
for_member(const struct network *nw, const struct filter_frame *ff,
    const struct split *sp)
{
	return (nw->nw_conf != NULL && ff->mac_src == nw->nw_mac &&
	    ff->mac_dst != nw->nw_mac &&
	    ff->mac_dst >> 40 == nw->nw_mac >> 40 &&
	    !addr_reserved(ff->dest) &&
	    split_longest(sp) <= nw->nw_conf->nc_mtu);
}

/* All segments to a member, without further questions. */
static void
send_all(struct node *n, int64_t now, struct network *nw,
    const struct filter_frame *whole, struct split *sp)
{
	struct filter_frame	 ff = *whole;
	struct pkt_way		 pw;
	struct pkt		 pkt;
	uint8_t			*p;

	credentials_push(n, now, nw, ff.dest, PUSH_IDLE_MS);
	pkt_way_find(n, now, &pw, ff.dest, PACKET_HDR + FRAME_FIELDS +
	    split_longest(sp));
	while ((ff.len = split_len(sp)) > 0) {
		pkt_begin(n, &pkt, ff.dest, VERB_FRAME);
		wbuf_u64(&pkt.pk, nw->nw_id);
		wbuf_u16(&pkt.pk, ff.ethertype);
		if ((p = wbuf_room(&pkt.pk, ff.len)) == NULL ||
		    split_next(sp, p, ff.len) == 0)
			return;
		ff.data = p;
		trace_frame(n, now, nw, &ff, WHY_ACCEPTED, NULL, NULL);
		pkt_send_along(n, now, &pw, &pkt);
	}
}

/* As if they had come one by one. */
static void
send_each(struct node *n, int64_t now, struct network *nw,
    const struct filter_frame *whole, struct split *sp)
{
	struct filter_frame	 ff = *whole;
	uint8_t			 seg[NETCONF_MTU_MAX];

	while ((ff.len = split_len(sp)) > 0) {
		if (split_next(sp, seg, sizeof(seg)) > 0) {
			ether_send(n, now, nw, ff.mac_dst, ff.mac_src,
			    ff.ethertype, seg, ff.len);
			continue;
		}
		/* No network takes it, so it is not cut. */
		trace_frame(n, now, nw, &ff, nw->nw_conf == NULL ?
		    WHY_NO_CONFIG : WHY_TOO_LONG, NULL, NULL);
		(void)split_skip(sp);
	}
}

void
offload_send(struct node *n, int64_t now, struct network *nw,
    const struct offload *of, uint64_t dst, uint64_t src, uint16_t type,
    const uint8_t *p, size_t len)
{
	struct filter_frame	 ff = {
		.source = n->n_id.id_addr, .mac_src = src, .mac_dst = dst,
		.ethertype = type, .data = p, .len = len
	};
	struct split		 sp;

	if (split_begin(&sp, of, type, p, len) == 0) {
		trace_frame(n, now, nw, &ff, WHY_MALFORMED, NULL, NULL);
		return;
	}
	ff.dest = mac_to_addr(dst, nw->nw_id);
	if (for_member(nw, &ff, &sp) && ether_filter_once(n, now, nw, &ff))
		send_all(n, now, nw, &ff, &sp);
	else {
		ff.dest = 0;
		send_each(n, now, nw, &ff, &sp);
	}
}
