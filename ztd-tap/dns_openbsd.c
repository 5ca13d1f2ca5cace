/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * OpenBSD: name servers are proposed to resolvd(8) through the routing
 * socket, for all names, there being no other kind; so only when the
 * operator says settings.dnsMode "global".  A proposal is for an interface,
 * and goes away with it.  Spec: 06 section 9.
 *
 * Whether resolvd runs is not looked at: without it, nobody minds.
 */

#include "ztd-tap/bsd.h"

#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "ztd-tap/dns_way.h"

struct proposal {
	struct rt_msghdr	 p_hdr;
	struct sockaddr_rtdns	 p_dns;
};

static bool		 there(struct dns *);
static enum dns_result	 set(struct dns *, struct dns_net *,
			    const struct dns_item *);
static enum dns_result	 unset(struct dns *, struct dns_net *);
static bool		 renewed(struct dns *);
static int		 route_open(struct dns *);
static void		 solicited(evutil_socket_t, short, void *);
static int		 propose(const struct dns_item *, uint8_t);

static const struct dns_way resolvd = {
	.dw_name = "resolvd",
	.dw_global = true,
	.dw_there = there,
	.dw_set = set,
	.dw_unset = unset,
	.dw_renewed = renewed
};

const struct dns_way *const dns_ways[] = { &resolvd, NULL };

static struct event	*watch;		/* for the life of the process */
static int		 route = -1;
static bool		 asked;		/* resolvd was started anew */

static bool
there(struct dns *d)
{
	return (dns_global(d) && (route != -1 || route_open(d) == 0));
}

static enum dns_result
set(struct dns *d, struct dns_net *n, const struct dns_item *di)
{
	(void)d;
	(void)n;
	return (propose(di, 4) == 0 && propose(di, 6) == 0 ? DNS_NOW :
	    DNS_NOT);
}

/* Of an interface that is gone nothing is proposed any more. */
static enum dns_result
unset(struct dns *d, struct dns_net *n)
{
	struct dns_item	 none;

	(void)d;
	memset(&none, 0, sizeof(none));
	none.di_dev = n->dn_have.di_dev;
	if (if_nametoindex(none.di_dev.nd_name) != none.di_dev.nd_index)
		return (DNS_NOW);
	return (propose(&none, 4) == 0 && propose(&none, 6) == 0 ? DNS_NOW :
	    DNS_NOT);
}

static bool
renewed(struct dns *d)
{
	bool	 was = asked;

	(void)d;
	asked = false;
	return (was);
}

static int
route_open(struct dns *d)
{
	unsigned	 filter = ROUTE_FILTER(RTM_PROPOSAL);

	route = socket(AF_ROUTE, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (route == -1) {
		log_warn("cannot use a routing socket");
		return (-1);
	}
	if (setsockopt(route, AF_ROUTE, ROUTE_MSGFILTER, &filter,
	    sizeof(filter)) == -1)
		log_warn("cannot use a routing socket");
	watch = event_new(d->d_parent->p_base, route, EV_READ | EV_PERSIST,
	    solicited, d);
	if (watch == NULL || event_add(watch, NULL) == -1)
		fatalx("out of memory");
	return (0);
}

/* resolvd asks everyone when it starts; all else is others' proposals. */
static void
solicited(evutil_socket_t fd, short what, void *arg)
{
	struct dns		*d = arg;
	struct rt_msghdr	 hdr;
	uint8_t			 buf[2048];
	ssize_t			 n;

	(void)what;
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		if ((size_t)n < sizeof(hdr))
			continue;
		memcpy(&hdr, buf, sizeof(hdr));
		if (hdr.rtm_version == RTM_VERSION &&
		    hdr.rtm_type == RTM_PROPOSAL &&
		    hdr.rtm_priority == RTP_PROPOSAL_SOLICIT)
			asked = true;
	}
	if (asked && d->d_parent->p_dns == d)
		dns_check(d->d_parent);
}

/* The servers of one family; none withdraws what was proposed. */
static int
propose(const struct dns_item *di, uint8_t family)
{
	static int		 seq;
	const struct inet_addr	*ia;
	struct proposal		 p;
	uint32_t		 i;
	size_t			 len = 0;

	memset(&p, 0, sizeof(p));
	for (i = 0; i < di->di_conf.dc_nservers; i++) {
		ia = &di->di_conf.dc_servers[i];
		if (ia->ia_family != family ||
		    len + inet_iplen(ia) > sizeof(p.p_dns.sr_dns))
			continue;
		memcpy(p.p_dns.sr_dns + len, ia->ia_ip, inet_iplen(ia));
		len += inet_iplen(ia);
	}
	p.p_dns.sr_len = (uint8_t)(2 + len);
	p.p_dns.sr_family = family == 4 ? AF_INET : AF_INET6;
	p.p_hdr.rtm_msglen = sizeof(p);
	p.p_hdr.rtm_version = RTM_VERSION;
	p.p_hdr.rtm_type = RTM_PROPOSAL;
	p.p_hdr.rtm_hdrlen = sizeof(p.p_hdr);
	p.p_hdr.rtm_index = (unsigned short)di->di_dev.nd_index;
	p.p_hdr.rtm_tableid = (unsigned short)getrtable();
	p.p_hdr.rtm_priority = RTP_PROPOSAL_STATIC;
	p.p_hdr.rtm_flags = RTF_UP;
	p.p_hdr.rtm_addrs = RTA_DNS;
	p.p_hdr.rtm_seq = ++seq;
	if (write(route, &p, sizeof(p)) == sizeof(p))
		return (0);
	log_warn("cannot propose name servers");
	return (-1);
}
