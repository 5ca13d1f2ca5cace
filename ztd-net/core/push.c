/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Telling peers where we can be reached: at the addresses we are bound to,
 * at those that a port mapper got us (none is built yet), at the ports that
 * a symmetric NAT is likely to use next, and where others see us.
 * Spec: 02 section 12.3.
 */

#include <string.h>

#include "ztd-net/core/core.h"

#define PUSH_DIRECT_MS	120000
#define PUSH_RELAYED_MS	15000
#define PUSH_LEN	1200
#define PUSH_RECORD	24
#define PUSH_MAX	32	/* addresses in one push */
#define FORETOLD	4	/* receivers take 8 of a kind */
#define SURFACE		8

/* Append those that are not there yet. */
static size_t
append(struct inet_addr *dst, size_t ndst, const struct inet_addr *src,
    size_t nsrc)
{
	size_t	 i, k;

	for (i = 0; i < nsrc && ndst < PUSH_MAX; i++) {
		for (k = 0; k < ndst && !inet_equal(&dst[k], &src[i]); k++)
			continue;
		if (k == ndst && inet_path_ok(&src[i]))
			dst[ndst++] = src[i];
	}
	return (ndst);
}

static size_t
own_addrs(struct node *n, int64_t now, struct inet_addr dst[PUSH_MAX])
{
	struct inet_addr	 more[SURFACE];
	size_t			 ndst = 0, i;

	/* First what others cannot find out: a host may have many sockets. */
	ndst = append(dst, ndst, more, surface_foretell(n, more, FORETOLD));
	ndst = append(dst, ndst, more, surface_believed(n, now, more,
	    SURFACE));
	for (i = 0; i < n->n_nsocks; i++)
		ndst = append(dst, ndst, &n->n_socks[i].ns_addr, 1);
	return (ndst);
}

static void
record_put(struct wbuf *wb, const struct inet_addr *ia)
{
	wbuf_u8(wb, 0);
	wbuf_u16(wb, 0);
	wbuf_u8(wb, ia->ia_family);
	wbuf_u8(wb, (uint8_t)(inet_iplen(ia) + 2));
	wbuf_bytes(wb, ia->ia_ip, inet_iplen(ia));
	wbuf_u16(wb, ia->ia_port);
}

void
push_paths(struct node *n, int64_t now, struct rx *rx)
{
	struct inet_addr	 own[PUSH_MAX];
	struct peer		*p = rx->rx_peer;
	struct pkt		 pk;
	size_t			 nown, i, at;
	int64_t			 period;
	unsigned		 count;

	period = rx->rx_hops > 0 ? PUSH_RELAYED_MS :
	    PUSH_DIRECT_MS * (low_bandwidth(n) ? 16 : 1);
	if (p->pe_last_push_sent != 0 && now - p->pe_last_push_sent < period)
		return;
	p->pe_last_push_sent = now;
	nown = own_addrs(n, now, own);
	for (i = 0; i < nown; ) {
		pkt_begin(n, &pk, p->pe_id.id_addr, VERB_PUSH_DIRECT_PATHS);
		at = pk.pk.wb_len;
		wbuf_u16(&pk.pk, 0);
		for (count = 0; i < nown &&
		    pk.pk.wb_len + PUSH_RECORD < PUSH_LEN; i++, count++)
			record_put(&pk.pk, &own[i]);
		pk.pk_bytes[at] = count >> 8 & 0xff;
		pk.pk_bytes[at + 1] = count & 0xff;
		pk.pk.wb_len = packet_compress(pk.pk_bytes, pk.pk.wb_len);
		pkt_reply(n, now, &pk, rx);
	}
}
