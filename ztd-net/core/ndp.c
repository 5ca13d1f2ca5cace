/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What address resolution is turned into: ARP requests into groups of their
 * own, IPv6 neighbour solicitations for addresses that are derived from
 * node addresses into answers made here.  Spec: 03 sections 13.1 and 15.
 */

#include <string.h>

#include "common/inetsum.h"
#include "ztd-net/core/network.h"

#define ETHERTYPE_ARP	0x0806
#define ETHERTYPE_IPV6	0x86dd
#define IP6_HDR		40
#define ICMP6		58
#define NS_MIN		64	/* solicitation without options */
#define NA_LEN		72	/* the answer we make */

bool
arp_group(struct mgroup *mg, uint16_t type, const uint8_t *p, size_t len)
{
	struct rbuf	rb;

	if (type != ETHERTYPE_ARP || len < 28)
		return (false);
	if (p[2] != 0x08 || p[3] != 0x00 || p[4] != 6 || p[5] != 4 ||
	    p[7] != 1)
		return (false);
	rbuf_init(&rb, p + 24, 4);
	mg->mg_mac = MAC_BROADCAST;
	mg->mg_adi = rbuf_u32(&rb);
	return (true);
}

void
node_group_of_ip(struct mgroup *mg, const struct inet_addr *ia)
{
	struct rbuf	rb;

	memset(mg, 0, sizeof(*mg));
	if (ia->ia_family == 4) {
		rbuf_init(&rb, ia->ia_ip, 4);
		mg->mg_mac = MAC_BROADCAST;
		mg->mg_adi = rbuf_u32(&rb);
	} else if (ia->ia_family == 6) {
		rbuf_init(&rb, ia->ia_ip + 13, 3);
		mg->mg_mac = 0x3333ff000000ULL | rbuf_uint(&rb, 3);
	}
}

/*
 * The node that the target address belongs to by one of our own addresses,
 * 0 for none; *own is that address.
 */
static uint64_t
node_of_target(const struct network *nw, const uint8_t *target,
    const struct inet_addr **own)
{
	const struct netconf	*nc = nw->nw_conf;
	struct rbuf		 rb;
	struct inet_addr	 six;
	unsigned		 i;
	const uint8_t		*s;

	addr_6plane(&six, nw->nw_id, 0);
	for (i = 0; i < nc->nc_nips; i++) {
		if (nc->nc_ips[i].ia_family != 6)
			continue;
		*own = &nc->nc_ips[i];
		s = (*own)->ia_ip;
		if ((*own)->ia_port == 88 && s[0] == 0xfd && s[9] == 0x99 &&
		    s[10] == 0x93 && memcmp(target, s, 11) == 0) {
			rbuf_init(&rb, target + 11, ADDR_LEN);
			return (rbuf_addr(&rb));
		}
		if ((*own)->ia_port == 40 && memcmp(s, six.ia_ip, 5) == 0 &&
		    memcmp(target, s, 5) == 0) {
			rbuf_init(&rb, target + 5, ADDR_LEN);
			return (rbuf_addr(&rb));
		}
	}
	return (0);
}

/* Of ICMPv6: pseudo header, and the 32 bytes behind the IPv6 header. */
static uint16_t
icmp6_checksum(const uint8_t *p)
{
	uint64_t	 sum;

	sum = inetsum_pseudo(p + 8, 32, ICMP6, NA_LEN - IP6_HDR);
	return ((uint16_t)~inetsum_fold(inetsum_add(sum, p + IP6_HDR,
	    NA_LEN - IP6_HDR)));
}

bool
ndp_emulate(struct node *n, const struct network *nw, uint64_t src,
    uint16_t type, const uint8_t *p, size_t len)
{
	static const uint8_t	 head[8] = {
		0x60, 0, 0, 0, 0, 32, 58, 255
	};
	const struct inet_addr	*own;
	struct wbuf		 wb;
	uint8_t			 out[NA_LEN];
	uint64_t		 node, mac;
	uint16_t		 sum;

	if (!(nw->nw_conf->nc_flags & NETCONF_NDP) ||
	    type != ETHERTYPE_IPV6 || len < NS_MIN || p[6] != 58 ||
	    p[40] != 0x87)
		return (false);
	node = node_of_target(nw, p + 48, &own);
	if (node == 0 || node == n->n_id.id_addr)
		return (false);
	mac = mac_from_addr(node, nw->nw_id);
	wbuf_init(&wb, out, sizeof(out));
	wbuf_bytes(&wb, head, sizeof(head));
	wbuf_bytes(&wb, p + 48, 16);		/* from the target */
	wbuf_bytes(&wb, own->ia_ip, 16);
	wbuf_u32(&wb, 0x88000000);		/* checksum follows */
	wbuf_u32(&wb, 0x60000000);		/* solicited, override */
	wbuf_bytes(&wb, p + 48, 16);
	wbuf_u16(&wb, 0x0201);			/* option: target's MAC */
	wbuf_mac(&wb, mac);
	sum = icmp6_checksum(out);
	memcpy(out + 42, &sum, sizeof(sum));
	ether_deliver(n, nw, src, mac, ETHERTYPE_IPV6, out, sizeof(out));
	return (true);
}
