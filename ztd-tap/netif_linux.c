/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The host's interfaces on Linux: netlink.  Spec: 06 sections 4.3, 6.2, 7,
 * 8.3 and 8.6.
 */

#include <sys/socket.h>
#include <sys/time.h>

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <net/if.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "ztd-tap/netif.h"
#include "ztd-tap/notice.h"

#define PROTO_ZTD	0x9a	/* our mark on routes and addresses */
#define PIN_METRIC	9993	/* with it: a pin */
/*
 * Frames in the tap's ring.  On two busy processors more small ones arrived
 * than with 1000; each can also be a super-frame, which speaks against yet
 * more (regress/bench/RESULTS.md).
 */
#define TXQLEN		2000
#define INET_CONF	1	/* IFLA_INET_CONF */
#define CONF_RP_FILTER	8	/* IPV4_DEVCONF_RP_FILTER */
#define GROUP_MCAST4	37	/* RTNLGRP_IPV4_MCADDR, Linux 6.14 */
#define GROUP_MCAST6	38
#define ADDR_PROTO	11	/* IFA_PROTO, Linux 5.18 */

/* A default route; filled with zeros, so that it can be compared. */
#define WAYS	16
struct way {
	uint32_t	 w_family, w_table, w_oif, w_metric;
	uint8_t		 w_via[32];
};

struct netif {
	int		 ni_fd;		/* requests */
	int		 ni_events;
	uint32_t	 ni_seq;
	struct event	*ni_read;
	struct notice	*ni_notice;
	struct way	 ni_ways[WAYS];	/* of which we were told */
	unsigned	 ni_nways;
};

struct request {
	struct nlmsghdr	 r_hdr;		/* nlmsg_len grows */
	union {
		struct ifinfomsg link;
		struct ifaddrmsg addr;
		struct rtmsg	 route;
	}		 r_body;
	uint8_t		 r_attrs[512];
};

typedef void (*dump_cb)(struct nlmsghdr *, void *);

static int	 nl_open(void);
static void	 req_init(struct request *, uint16_t, uint16_t, size_t);
static void	 req_attr(struct request *, uint16_t, const void *, size_t);
static void	 req_u32(struct request *, uint16_t, uint32_t);
static size_t	 req_nest(struct request *, uint16_t);
static void	 req_nest_end(struct request *, size_t);
static int	 req_send(struct netif *, struct request *);
static int	 req_do(struct netif *, struct request *);
static int	 req_answers(struct netif *, dump_cb, void *);
static int	 set_address(struct netif *, const struct netif_dev *,
		    const struct inet_addr *, bool);
static int	 set_route(struct netif *, const struct netif_dev *,
		    const struct policy_route *, bool);
static const void *attr_find(const struct nlmsghdr *, size_t, uint16_t,
		    size_t);
static void	 link_seen(struct nlmsghdr *, void *);
static int	 link_cmp(const void *, const void *);
static void	*grown(void *, unsigned, unsigned *, size_t);
static void	 index_seen(struct nlmsghdr *, void *);
static void	 addr_seen(struct nlmsghdr *, void *);
static int	 set_pin(struct netif *, const struct inet_addr *,
		    const struct inet_addr *, unsigned, bool);
static void	 route_seen(struct nlmsghdr *, void *);
static void	 route_fill(struct netif_route *, const struct nlmsghdr *,
		    const struct rtmsg *);
static const uint8_t *attr_hop(const struct nlmsghdr *, size_t,
		    struct rtnexthop *, size_t, uint32_t *);
static void	 join_group(int, unsigned);
static void	 events_readable(evutil_socket_t, short, void *);
static bool	 roams(struct netif *, const uint8_t *, size_t);
static bool	 default_changed(struct netif *, const struct nlmsghdr *);
static bool	 is_default_route(const struct nlmsghdr *, struct way *);
static void	 way_fill(struct way *, const struct nlmsghdr *);
static int	 rp_filter(const char *);

struct netif *
netif_new(void)
{
	struct netif	*ni;
	struct timeval	 tv = { 2, 0 };

	if ((ni = calloc(1, sizeof(*ni))) == NULL)
		return (NULL);
	ni->ni_events = -1;
	if ((ni->ni_fd = nl_open()) == -1 ||
	    (ni->ni_events = nl_open()) == -1) {
		netif_free(ni);
		return (NULL);
	}
	/* The kernel answers at once; this only guards against a hang. */
	(void)setsockopt(ni->ni_fd, SOL_SOCKET, SO_RCVTIMEO, &tv,
	    sizeof(tv));
	(void)fcntl(ni->ni_events, F_SETFL, O_NONBLOCK);
	return (ni);
}

void
netif_free(struct netif *ni)
{
	int	 saved = errno;

	if (ni == NULL)
		return;
	if (ni->ni_read != NULL)
		event_free(ni->ni_read);
	notice_free(ni->ni_notice);
	if (ni->ni_fd != -1)
		close(ni->ni_fd);
	if (ni->ni_events != -1)
		close(ni->ni_events);
	free(ni);
	errno = saved;
}

unsigned
netif_index(struct netif *ni, const char *name)
{
	struct request	 r;
	unsigned	 index = 0;

	req_init(&r, RTM_GETLINK, NLM_F_ACK, sizeof(r.r_body.link));
	req_attr(&r, IFLA_IFNAME, name, strlen(name) + 1);
	if (req_send(ni, &r) == -1 ||
	    req_answers(ni, index_seen, &index) == -1)
		return (0);
	return (index);
}

int
netif_setup(struct netif *ni, const struct netif_dev *nd, uint64_t mac,
    uint32_t *mtu, const char *alias)
{
	struct request	 r;
	uint8_t		 bytes[6], mode = 0 /* EUI-64 */;
	size_t		 i, spec, family, conf;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(mac >> (40 - 8 * i));
	req_init(&r, RTM_NEWLINK, NLM_F_ACK, sizeof(r.r_body.link));
	r.r_body.link.ifi_index = (int)nd->nd_index;
	req_attr(&r, IFLA_ADDRESS, bytes, sizeof(bytes));
	req_u32(&r, IFLA_MTU, *mtu);
	req_u32(&r, IFLA_TXQLEN, TXQLEN);
	req_attr(&r, IFLA_IFALIAS, alias, strlen(alias));
	if (req_do(ni, &r) == -1)
		return (-1);

	/* Nice to have: asymmetric managed routes; link-local by MAC. */
	req_init(&r, RTM_NEWLINK, NLM_F_ACK, sizeof(r.r_body.link));
	r.r_body.link.ifi_index = (int)nd->nd_index;
	spec = req_nest(&r, IFLA_AF_SPEC);
	family = req_nest(&r, AF_INET);
	conf = req_nest(&r, INET_CONF);
	req_u32(&r, CONF_RP_FILTER, 2);
	req_nest_end(&r, conf);
	req_nest_end(&r, family);
	family = req_nest(&r, AF_INET6);
	req_attr(&r, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof(mode));
	req_nest_end(&r, family);
	req_nest_end(&r, spec);
	if (req_do(ni, &r) == -1)
		log_debug("%s: reverse path filter and IPv6 mode: %s",
		    nd->nd_name, strerror(errno));
	return (0);
}

int
netif_set_mtu(struct netif *ni, const struct netif_dev *nd, uint32_t *mtu)
{
	struct request	 r;

	req_init(&r, RTM_NEWLINK, NLM_F_ACK, sizeof(r.r_body.link));
	r.r_body.link.ifi_index = (int)nd->nd_index;
	req_u32(&r, IFLA_MTU, *mtu);
	return (req_do(ni, &r));
}

int
netif_set_up(struct netif *ni, const struct netif_dev *nd, bool up)
{
	struct request	 r;

	req_init(&r, RTM_NEWLINK, NLM_F_ACK, sizeof(r.r_body.link));
	r.r_body.link.ifi_index = (int)nd->nd_index;
	r.r_body.link.ifi_flags = up ? IFF_UP : 0;
	r.r_body.link.ifi_change = IFF_UP;
	return (req_do(ni, &r));
}

int
netif_remove(struct netif *ni, const struct netif_dev *nd)
{
	struct request	 r;

	req_init(&r, RTM_DELLINK, NLM_F_ACK, sizeof(r.r_body.link));
	r.r_body.link.ifi_index = (int)nd->nd_index;
	return (req_do(ni, &r));
}

int
netif_addr_add(struct netif *ni, const struct netif_dev *nd,
    const struct inet_addr *ia)
{
	return (set_address(ni, nd, ia, true));
}

int
netif_addr_del(struct netif *ni, const struct netif_dev *nd,
    const struct inet_addr *ia)
{
	if (set_address(ni, nd, ia, false) == 0 ||
	    errno == EADDRNOTAVAIL || errno == ENODEV)
		return (0);
	return (-1);
}

int
netif_route_add(struct netif *ni, const struct netif_dev *nd,
    const struct policy_route *pr)
{
	return (set_route(ni, nd, pr, true));
}

int
netif_route_del(struct netif *ni, const struct netif_dev *nd,
    const struct policy_route *pr)
{
	if (set_route(ni, nd, pr, false) == 0 || errno == ESRCH ||
	    errno == ENODEV)
		return (0);
	return (-1);
}

bool
netif_binds(void)
{
	return (true);
}

/* With what the sockets are bound to, or with pins, it can be done. */
bool
netif_default_possible(struct netif *ni, bool warn)
{
	struct msg_interface	*ifs = NULL;
	int			 i, n;

	if (!warn)
		return (true);
	if (rp_filter("all") == 1) {
		log_warnx("net.ipv4.conf.all.rp_filter is 1: with a default "
		    "route through a network nothing comes in; set it to 2");
		return (true);
	}
	n = netif_list(ni, &ifs);
	for (i = 0; i < n; i++) {
		if (i > 0 && strcmp(ifs[i].mi_name, ifs[i - 1].mi_name) == 0)
			continue;
		if (ifs[i].mi_addr.ia_family == 4 &&
		    rp_filter(ifs[i].mi_name) == 1)
			log_warnx("net.ipv4.conf.%s.rp_filter is 1: with a "
			    "default route through a network nothing comes in "
			    "there; set it to 2", ifs[i].mi_name);
	}
	free(ifs);
	return (true);
}

struct routes {
	struct netif_route *r_list;
	unsigned	 r_n, r_room;
	bool		 r_short;	/* of memory */
};

int
netif_routes(struct netif *ni, struct netif_route **list)
{
	static const uint8_t	 families[] = { AF_INET, AF_INET6 };
	struct request		 r;
	struct routes		 rs;
	size_t			 i;

	memset(&rs, 0, sizeof(rs));
	for (i = 0; i < sizeof(families); i++) {
		req_init(&r, RTM_GETROUTE, NLM_F_DUMP,
		    sizeof(r.r_body.route));
		r.r_body.route.rtm_family = families[i];
		if (req_send(ni, &r) == -1 ||
		    req_answers(ni, route_seen, &rs) == -1) {
			free(rs.r_list);
			return (-1);
		}
	}
	if (rs.r_short) {
		free(rs.r_list);
		errno = ENOMEM;
		return (-1);
	}
	*list = rs.r_list;
	return ((int)rs.r_n);
}

int
netif_pin_add(struct netif *ni, const struct inet_addr *ip,
    const struct inet_addr *via, unsigned ifindex)
{
	return (set_pin(ni, ip, via, ifindex, true));
}

int
netif_pin_del(struct netif *ni, const struct inet_addr *ip,
    const struct inet_addr *via, unsigned ifindex)
{
	if (set_pin(ni, ip, via, ifindex, false) == 0 || errno == ESRCH ||
	    errno == ENODEV)
		return (0);
	return (-1);
}

struct link {
	unsigned	 l_index;
	char		 l_name[16];
	bool		 l_running;
};

/* Arrays that grow, a dump being as long as it is. */
struct dump {
	struct msg_interface *d_dst;
	unsigned	 d_n, d_room;
	struct link	*d_link;
	unsigned	 d_nlinks, d_linkroom;
	bool		 d_short;	/* of memory */
};

int
netif_list(struct netif *ni, struct msg_interface **list)
{
	struct request	 r;
	struct dump	 d;

	memset(&d, 0, sizeof(d));
	req_init(&r, RTM_GETLINK, NLM_F_DUMP, sizeof(r.r_body.link));
	if (req_send(ni, &r) == -1 || req_answers(ni, link_seen, &d) == -1)
		goto fail;
	if (d.d_nlinks > 0)
		qsort(d.d_link, d.d_nlinks, sizeof(*d.d_link), link_cmp);
	req_init(&r, RTM_GETADDR, NLM_F_DUMP, sizeof(r.r_body.addr));
	if (req_send(ni, &r) == -1 || req_answers(ni, addr_seen, &d) == -1)
		goto fail;
	if (d.d_short) {
		errno = ENOMEM;
		goto fail;
	}
	free(d.d_link);
	*list = d.d_dst;
	return ((int)d.d_n);
 fail:
	free(d.d_link);
	free(d.d_dst);
	return (-1);
}

int
netif_watch(struct netif *ni, struct event_base *base,
    void (*changed)(void *, bool), void *arg)
{
	static const unsigned	 groups[] = { RTNLGRP_LINK,
	    RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
	    RTNLGRP_IPV6_ROUTE, GROUP_MCAST4, GROUP_MCAST6 };
	int			 size = 1024 * 1024;
	size_t			 i;

	(void)setsockopt(ni->ni_events, SOL_SOCKET, SO_RCVBUF, &size,
	    sizeof(size));
	ni->ni_read = event_new(base, ni->ni_events, EV_READ | EV_PERSIST,
	    events_readable, ni);
	ni->ni_notice = notice_new(base, changed, arg);
	if (ni->ni_read == NULL || ni->ni_notice == NULL ||
	    event_add(ni->ni_read, NULL) == -1) {
		errno = ENOMEM;
		return (-1);
	}
	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		join_group(ni->ni_events, groups[i]);
	return (0);
}

static int
nl_open(void)
{
	struct sockaddr_nl	 snl;
	int			 fd, on = 1, saved;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd == -1)
		return (-1);
	memset(&snl, 0, sizeof(snl));
	snl.nl_family = AF_NETLINK;
	if (bind(fd, (struct sockaddr *)&snl, sizeof(snl)) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return (-1);
	}
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on,
	    sizeof(on));
	return (fd);
}

/* Groups that an older kernel does not know are not there to be watched. */
static void
join_group(int fd, unsigned group)
{
	if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
	    sizeof(group)) == -1 && group < GROUP_MCAST4)
		log_warn("cannot join netlink group %u", group);
}

static void
req_init(struct request *r, uint16_t type, uint16_t flags, size_t body)
{
	memset(r, 0, sizeof(*r));
	r->r_hdr.nlmsg_type = type;
	r->r_hdr.nlmsg_flags = NLM_F_REQUEST | flags;
	r->r_hdr.nlmsg_len = (uint32_t)NLMSG_LENGTH(body);
}

static void
req_attr(struct request *r, uint16_t type, const void *p, size_t len)
{
	struct rtattr	 rta;
	size_t		 at = NLMSG_ALIGN(r->r_hdr.nlmsg_len);

	if (at + RTA_SPACE(len) > sizeof(*r))
		fatalx("netlink request is too long");
	rta.rta_type = type;
	rta.rta_len = (uint16_t)RTA_LENGTH(len);
	memcpy((uint8_t *)r + at, &rta, sizeof(rta));
	if (len > 0)
		memcpy((uint8_t *)r + at + RTA_LENGTH(0), p, len);
	r->r_hdr.nlmsg_len = (uint32_t)(at + RTA_LENGTH(len));
}

static void
req_u32(struct request *r, uint16_t type, uint32_t v)
{
	req_attr(r, type, &v, sizeof(v));
}

static size_t
req_nest(struct request *r, uint16_t type)
{
	size_t	 at = NLMSG_ALIGN(r->r_hdr.nlmsg_len);

	req_attr(r, type | NLA_F_NESTED, NULL, 0);
	return (at);
}

static void
req_nest_end(struct request *r, size_t at)
{
	uint16_t	 len = (uint16_t)(r->r_hdr.nlmsg_len - at);

	memcpy((uint8_t *)r + at, &len, sizeof(len));
}

static int
req_send(struct netif *ni, struct request *r)
{
	struct sockaddr_nl	 snl;

	memset(&snl, 0, sizeof(snl));
	snl.nl_family = AF_NETLINK;
	r->r_hdr.nlmsg_seq = ++ni->ni_seq;
	if (sendto(ni->ni_fd, r, r->r_hdr.nlmsg_len, 0,
	    (struct sockaddr *)&snl, sizeof(snl)) == -1)
		return (-1);
	return (0);
}

static int
req_do(struct netif *ni, struct request *r)
{
	if (req_send(ni, r) == -1)
		return (-1);
	return (req_answers(ni, NULL, NULL));
}

/*
 * Read what answers the last request, up to its acknowledgement or the end
 * of its dump.  Only the kernel's word counts, and old answers are skipped.
 */
static int
req_answers(struct netif *ni, dump_cb cb, void *arg)
{
	static _Alignas(struct nlmsghdr) uint8_t	 buf[65536];
	struct sockaddr_nl	 snl;
	struct nlmsghdr		*h;
	struct nlmsgerr		 error;
	socklen_t		 snllen;
	ssize_t			 n;
	unsigned		 left;

	for (;;) {
		snllen = sizeof(snl);
		n = recvfrom(ni->ni_fd, buf, sizeof(buf), 0,
		    (struct sockaddr *)&snl, &snllen);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return (-1);
		if (snllen != sizeof(snl) || snl.nl_pid != 0)
			continue;
		left = (unsigned)n;
		for (h = (void *)buf; NLMSG_OK(h, left);
		    h = NLMSG_NEXT(h, left)) {
			if (h->nlmsg_seq != ni->ni_seq)
				continue;
			if (h->nlmsg_type == NLMSG_DONE)
				return (0);
			if (h->nlmsg_type != NLMSG_ERROR) {
				if (cb != NULL)
					cb(h, arg);
				continue;
			}
			if (h->nlmsg_len < NLMSG_LENGTH(sizeof(error)))
				continue;
			memcpy(&error, NLMSG_DATA(h), sizeof(error));
			errno = -error.error;
			return (error.error == 0 ? 0 : -1);
		}
	}
}

static int
set_address(struct netif *ni, const struct netif_dev *nd,
    const struct inet_addr *ia, bool add)
{
	struct request	 r;
	uint8_t		 brd[4], proto = PROTO_ZTD;
	size_t		 i, len = inet_iplen(ia);
	uint32_t	 host;

	req_init(&r, add ? RTM_NEWADDR : RTM_DELADDR, add ? NLM_F_ACK |
	    NLM_F_CREATE | NLM_F_REPLACE : NLM_F_ACK, sizeof(r.r_body.addr));
	r.r_body.addr.ifa_family = ia->ia_family == 4 ? AF_INET : AF_INET6;
	r.r_body.addr.ifa_prefixlen = (uint8_t)ia->ia_port;
	r.r_body.addr.ifa_index = nd->nd_index;
	req_attr(&r, IFA_LOCAL, ia->ia_ip, len);
	req_attr(&r, IFA_ADDRESS, ia->ia_ip, len);
	if (add && ia->ia_family == 4 && ia->ia_port < 31) {
		host = 0xffffffff >> ia->ia_port;
		for (i = 0; i < 4; i++)
			brd[i] = ia->ia_ip[i] |
			    (uint8_t)(host >> (24 - 8 * i));
		req_attr(&r, IFA_BROADCAST, brd, sizeof(brd));
	}
	if (add) {
		/* The controller made it unique: no detection, no delay. */
		if (ia->ia_family == 6)
			req_u32(&r, IFA_FLAGS, IFA_F_NODAD);
		req_attr(&r, ADDR_PROTO, &proto, sizeof(proto));
	}
	return (req_do(ni, &r));
}

/*
 * With EXCL instead of REPLACE: REPLACE would take over a route of the
 * operator's with the same target and metric.
 */
static int
set_route(struct netif *ni, const struct netif_dev *nd,
    const struct policy_route *pr, bool add)
{
	struct request	 r;
	struct rtmsg	*rt = &r.r_body.route;
	size_t		 len = inet_iplen(&pr->pr_target);
	bool		 via = !inet_isnil(&pr->pr_via);

	req_init(&r, add ? RTM_NEWROUTE : RTM_DELROUTE, add ? NLM_F_ACK |
	    NLM_F_CREATE | NLM_F_EXCL : NLM_F_ACK, sizeof(*rt));
	rt->rtm_family = pr->pr_target.ia_family == 4 ? AF_INET : AF_INET6;
	rt->rtm_dst_len = (uint8_t)pr->pr_target.ia_port;
	rt->rtm_table = RT_TABLE_MAIN;
	rt->rtm_protocol = PROTO_ZTD;
	rt->rtm_scope = via || rt->rtm_family == AF_INET6 ?
	    RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	rt->rtm_type = RTN_UNICAST;
	if (via && add)
		rt->rtm_flags = RTNH_F_ONLINK;
	if (rt->rtm_dst_len > 0)
		req_attr(&r, RTA_DST, pr->pr_target.ia_ip, len);
	if (via)
		req_attr(&r, RTA_GATEWAY, pr->pr_via.ia_ip, len);
	req_u32(&r, RTA_OIF, nd->nd_index);
	if (via)
		req_u32(&r, RTA_PRIORITY, NETIF_METRIC);
	if (add && !inet_isnil(&pr->pr_src))
		req_attr(&r, RTA_PREFSRC, pr->pr_src.ia_ip, len);
	return (req_do(ni, &r));
}

/* By its metric a pin is told from all else: REPLACE is safe. */
static int
set_pin(struct netif *ni, const struct inet_addr *ip,
    const struct inet_addr *via, unsigned ifindex, bool add)
{
	struct request	 r;
	struct rtmsg	*rt = &r.r_body.route;
	size_t		 len = inet_iplen(ip);

	req_init(&r, add ? RTM_NEWROUTE : RTM_DELROUTE, add ? NLM_F_ACK |
	    NLM_F_CREATE | NLM_F_REPLACE : NLM_F_ACK, sizeof(*rt));
	rt->rtm_family = ip->ia_family == 4 ? AF_INET : AF_INET6;
	rt->rtm_dst_len = (uint8_t)(len * 8);
	rt->rtm_table = RT_TABLE_MAIN;
	rt->rtm_protocol = PROTO_ZTD;
	rt->rtm_scope = !inet_isnil(via) || rt->rtm_family == AF_INET6 ?
	    RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	rt->rtm_type = RTN_UNICAST;
	req_attr(&r, RTA_DST, ip->ia_ip, len);
	if (!inet_isnil(via)) {
		req_attr(&r, RTA_GATEWAY, via->ia_ip, len);
		if (add)
			rt->rtm_flags = RTNH_F_ONLINK;
	}
	req_u32(&r, RTA_OIF, ifindex);
	req_u32(&r, RTA_PRIORITY, PIN_METRIC);
	return (req_do(ni, &r));
}

static void
route_seen(struct nlmsghdr *h, void *arg)
{
	struct routes		*rs = arg;
	struct netif_route	*rt;
	struct rtmsg		 m;
	const void		*p;
	uint32_t		 table;

	if (h->nlmsg_type != RTM_NEWROUTE ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(m)))
		return;
	memcpy(&m, NLMSG_DATA(h), sizeof(m));
	table = m.rtm_table;
	if ((p = attr_find(h, sizeof(m), RTA_TABLE, sizeof(table))) != NULL)
		memcpy(&table, p, sizeof(table));
	if (table != RT_TABLE_MAIN || (m.rtm_flags & RTM_F_CLONED) != 0 ||
	    (m.rtm_family != AF_INET && m.rtm_family != AF_INET6) ||
	    m.rtm_dst_len > (m.rtm_family == AF_INET ? 32 : 128) ||
	    m.rtm_src_len != 0)
		return;
	if ((rt = grown(rs->r_list, rs->r_n, &rs->r_room, sizeof(*rt))) ==
	    NULL) {
		rs->r_short = true;
		return;
	}
	rs->r_list = rt;
	rt += rs->r_n;
	route_fill(rt, h, &m);
	if (m.rtm_protocol != PROTO_ZTD || rt->rt_pin)
		rs->r_n++;
}

/* Of several next hops the first stands for all. */
static void
route_fill(struct netif_route *rt, const struct nlmsghdr *h,
    const struct rtmsg *m)
{
	struct rtnexthop	 nh;
	size_t			 len = m->rtm_family == AF_INET ? 4 : 16;
	const uint8_t		*p;
	uint32_t		 index = 0;

	memset(rt, 0, sizeof(*rt));
	rt->rt_target.ia_family = m->rtm_family == AF_INET ? 4 : 6;
	rt->rt_target.ia_port = m->rtm_dst_len;
	if ((p = attr_find(h, sizeof(*m), RTA_DST, len)) != NULL)
		memcpy(rt->rt_target.ia_ip, p, len);
	if ((p = attr_find(h, sizeof(*m), RTA_PRIORITY,
	    sizeof(rt->rt_metric))) != NULL)
		memcpy(&rt->rt_metric, p, sizeof(rt->rt_metric));
	rt->rt_pin = m->rtm_protocol == PROTO_ZTD &&
	    rt->rt_metric == PIN_METRIC && m->rtm_dst_len == len * 8;
	if (m->rtm_type != RTN_UNICAST)
		return;
	if ((p = attr_find(h, sizeof(*m), RTA_OIF, sizeof(index))) != NULL)
		memcpy(&index, p, sizeof(index));
	p = attr_find(h, sizeof(*m), RTA_GATEWAY, len);
	if (index == 0)
		p = attr_hop(h, sizeof(*m), &nh, len, &index);
	/* IPv4 by way of an IPv6 neighbour: not imitated. */
	if (attr_find(h, sizeof(*m), RTA_VIA, 1) != NULL)
		return;
	rt->rt_ifindex = index;
	if (p != NULL) {
		rt->rt_via.ia_family = rt->rt_target.ia_family;
		memcpy(rt->rt_via.ia_ip, p, len);
	}
}

/* The gateway of the first of several next hops, or NULL, and its link. */
static const uint8_t *
attr_hop(const struct nlmsghdr *h, size_t body, struct rtnexthop *nh,
    size_t len, uint32_t *index)
{
	const uint8_t	*p, *end;
	struct rtattr	 rta;

	if ((p = attr_find(h, body, RTA_MULTIPATH, sizeof(*nh))) == NULL)
		return (NULL);
	memcpy(nh, p, sizeof(*nh));
	*index = (uint32_t)nh->rtnh_ifindex;
	end = (const uint8_t *)h + h->nlmsg_len;
	if (nh->rtnh_len < sizeof(*nh) || nh->rtnh_len > end - p)
		return (NULL);
	end = p + nh->rtnh_len;
	for (p += sizeof(*nh); p + sizeof(rta) <= end;
	    p += RTA_ALIGN(rta.rta_len)) {
		memcpy(&rta, p, sizeof(rta));
		if (rta.rta_len < sizeof(rta) ||
		    rta.rta_len > (size_t)(end - p))
			break;
		if (rta.rta_type == RTA_GATEWAY &&
		    rta.rta_len >= RTA_LENGTH(len))
			return (p + RTA_LENGTH(0));
	}
	return (NULL);
}

/* The attribute's data of at least min bytes, or NULL. */
static const void *
attr_find(const struct nlmsghdr *h, size_t body, uint16_t type, size_t min)
{
	const uint8_t	*p = (const uint8_t *)h + NLMSG_SPACE(body);
	const uint8_t	*end = (const uint8_t *)h + h->nlmsg_len;
	struct rtattr	 rta;

	while (p + sizeof(rta) <= end) {
		memcpy(&rta, p, sizeof(rta));
		if (rta.rta_len < sizeof(rta) ||
		    rta.rta_len > (size_t)(end - p))
			break;
		if (rta.rta_type == type &&
		    rta.rta_len >= RTA_LENGTH(min))
			return (p + RTA_LENGTH(0));
		p += RTA_ALIGN(rta.rta_len);
	}
	return (NULL);
}

static void
index_seen(struct nlmsghdr *h, void *arg)
{
	unsigned		*index = arg;
	struct ifinfomsg	 ifi;

	if (h->nlmsg_type != RTM_NEWLINK ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(ifi)))
		return;
	memcpy(&ifi, NLMSG_DATA(h), sizeof(ifi));
	*index = (unsigned)ifi.ifi_index;
}

static void
link_seen(struct nlmsghdr *h, void *arg)
{
	struct dump		*d = arg;
	struct ifinfomsg	 ifi;
	const char		*name;
	struct link		*l;

	if (h->nlmsg_type != RTM_NEWLINK ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(ifi)))
		return;
	memcpy(&ifi, NLMSG_DATA(h), sizeof(ifi));
	name = attr_find(h, sizeof(ifi), IFLA_IFNAME, 2);
	if (name == NULL || (ifi.ifi_flags & IFF_UP) == 0)
		return;
	if ((l = grown(d->d_link, d->d_nlinks, &d->d_linkroom, sizeof(*l))) ==
	    NULL) {
		d->d_short = true;
		return;
	}
	d->d_link = l;
	l += d->d_nlinks++;
	memset(l, 0, sizeof(*l));
	l->l_index = (unsigned)ifi.ifi_index;
	strlcpy(l->l_name, name, sizeof(l->l_name));
	l->l_running = (ifi.ifi_flags & IFF_RUNNING) != 0;
}

static int
link_cmp(const void *ap, const void *bp)
{
	const struct link	*a = ap, *b = bp;

	return (a->l_index < b->l_index ? -1 : a->l_index > b->l_index);
}

/* The array with room for one more than n, or NULL; it is then as it was. */
static void *
grown(void *p, unsigned n, unsigned *room, size_t size)
{
	unsigned	 more = *room == 0 ? 64 : *room * 2;

	if (n < *room)
		return (p);
	if ((p = reallocarray(p, more, size)) != NULL)
		*room = more;
	return (p);
}

static void
addr_seen(struct nlmsghdr *h, void *arg)
{
	struct dump		*d = arg;
	struct msg_interface	*mi;
	struct ifaddrmsg	 ifa;
	const void		*ip, *p;
	uint32_t		 flags;
	struct link		 key, *l;
	size_t			 len;

	if (h->nlmsg_type != RTM_NEWADDR || d->d_nlinks == 0 ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(ifa)))
		return;
	memcpy(&ifa, NLMSG_DATA(h), sizeof(ifa));
	if (ifa.ifa_family != AF_INET && ifa.ifa_family != AF_INET6)
		return;
	len = ifa.ifa_family == AF_INET ? 4 : 16;
	flags = ifa.ifa_flags;
	if ((p = attr_find(h, sizeof(ifa), IFA_FLAGS, sizeof(flags))) != NULL)
		memcpy(&flags, p, sizeof(flags));
	if ((ip = attr_find(h, sizeof(ifa), IFA_LOCAL, len)) == NULL &&
	    (ip = attr_find(h, sizeof(ifa), IFA_ADDRESS, len)) == NULL)
		return;
	if (ifa.ifa_family == AF_INET6 && (flags & (IFA_F_TENTATIVE |
	    IFA_F_DADFAILED | IFA_F_DEPRECATED)) != 0)
		return;
	key.l_index = ifa.ifa_index;
	if ((l = bsearch(&key, d->d_link, d->d_nlinks, sizeof(*l),
	    link_cmp)) == NULL)
		return;
	if ((mi = grown(d->d_dst, d->d_n, &d->d_room, sizeof(*mi))) == NULL) {
		d->d_short = true;
		return;
	}
	d->d_dst = mi;
	mi += d->d_n++;
	memset(mi, 0, sizeof(*mi));
	strlcpy(mi->mi_name, l->l_name, sizeof(mi->mi_name));
	mi->mi_index = ifa.ifa_index;
	mi->mi_running = l->l_running;
	/* For IPv4 the same bit means "secondary". */
	mi->mi_temporary = ifa.ifa_family == AF_INET6 &&
	    (flags & IFA_F_TEMPORARY) != 0;
	mi->mi_addr.ia_family = ifa.ifa_family == AF_INET ? 4 : 6;
	mi->mi_addr.ia_port = ifa.ifa_prefixlen;
	memcpy(mi->mi_addr.ia_ip, ip, len);
}

/*
 * What the events say is hardly looked at: they mean "look again", and some
 * that packets may now go another way.  When some were lost, any may have
 * been among them.
 */
static void
events_readable(evutil_socket_t fd, short what, void *arg)
{
	static _Alignas(struct nlmsghdr) uint8_t	 buf[8192];
	struct netif	*ni = arg;
	bool		 roamed = false;
	ssize_t		 n;
	unsigned	 i;

	(void)what;
	for (i = 0; i < 256; i++) {
		n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n == -1 && errno != ENOBUFS)
			break;
		roamed |= n == -1 || roams(ni, buf, (size_t)n);
	}
	notice_event(ni->ni_notice, roamed);
}

static bool
roams(struct netif *ni, const uint8_t *buf, size_t len)
{
	const struct nlmsghdr	*h = (const void *)buf;
	unsigned		 left = (unsigned)len;
	bool			 roamed = false;

	for (; NLMSG_OK(h, left); h = (const void *)((const uint8_t *)h +
	    NLMSG_ALIGN(h->nlmsg_len))) {
		roamed |= default_changed(ni, h);
		if (NLMSG_ALIGN(h->nlmsg_len) >= left)
			break;
		left -= NLMSG_ALIGN(h->nlmsg_len);
	}
	return (roamed);
}

/*
 * One that is not ours came, went or changed.  Those who hear router
 * advertisements announce the same one again and again: that is no change.
 */
static bool
default_changed(struct netif *ni, const struct nlmsghdr *h)
{
	struct way	 w;
	unsigned	 i;

	if (!is_default_route(h, &w))
		return (false);
	for (i = 0; i < ni->ni_nways; i++)
		if (memcmp(&ni->ni_ways[i], &w, sizeof(w)) == 0)
			break;
	if (h->nlmsg_type == RTM_DELROUTE) {
		if (i < ni->ni_nways)
			ni->ni_ways[i] = ni->ni_ways[--ni->ni_nways];
		return (true);
	}
	if (i < ni->ni_nways)
		return (false);
	if (ni->ni_nways == WAYS)
		memmove(&ni->ni_ways[0], &ni->ni_ways[1],
		    --ni->ni_nways * sizeof(ni->ni_ways[0]));
	ni->ni_ways[ni->ni_nways++] = w;
	return (true);
}

static bool
is_default_route(const struct nlmsghdr *h, struct way *w)
{
	struct rtmsg	 rt;

	if ((h->nlmsg_type != RTM_NEWROUTE && h->nlmsg_type !=
	    RTM_DELROUTE) || h->nlmsg_len < NLMSG_LENGTH(sizeof(rt)))
		return (false);
	memcpy(&rt, (const uint8_t *)h + NLMSG_HDRLEN, sizeof(rt));
	if (rt.rtm_dst_len != 0 || rt.rtm_protocol == PROTO_ZTD ||
	    rt.rtm_table == RT_TABLE_LOCAL || rt.rtm_type != RTN_UNICAST ||
	    (rt.rtm_flags & RTM_F_CLONED) != 0)
		return (false);
	memset(w, 0, sizeof(*w));
	w->w_family = rt.rtm_family;
	w->w_table = rt.rtm_table;
	way_fill(w, h);
	return (true);
}

/* Of several next hops the first stands for all. */
static void
way_fill(struct way *w, const struct nlmsghdr *h)
{
	const void	*p;
	size_t		 via = w->w_family == AF_INET ? 4 : 16;

	if ((p = attr_find(h, sizeof(struct rtmsg), RTA_OIF,
	    sizeof(w->w_oif))) != NULL)
		memcpy(&w->w_oif, p, sizeof(w->w_oif));
	if ((p = attr_find(h, sizeof(struct rtmsg), RTA_PRIORITY,
	    sizeof(w->w_metric))) != NULL)
		memcpy(&w->w_metric, p, sizeof(w->w_metric));
	if ((p = attr_find(h, sizeof(struct rtmsg), RTA_GATEWAY,
	    via)) != NULL)
		memcpy(w->w_via, p, via);
	else if ((p = attr_find(h, sizeof(struct rtmsg), RTA_MULTIPATH,
	    sizeof(struct rtnexthop) + sizeof(struct rtattr) + via)) != NULL)
		memcpy(w->w_via, p, sizeof(struct rtnexthop) +
		    sizeof(struct rtattr) + via);
}

/* The value for an interface, -1 when it cannot be read. */
static int
rp_filter(const char *name)
{
	char	 path[128], v;
	int	 fd, ret = -1;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/rp_filter",
	    name);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return (-1);
	if (read(fd, &v, 1) == 1 && v >= '0' && v <= '9')
		ret = v - '0';
	close(fd);
	return (ret);
}
