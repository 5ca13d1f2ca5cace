/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Routes on the BSDs: one message to the routing socket for each, whose
 * write(2) fails when the change does.  Spec: 06 section 8.4.
 */

#include "ztd-tap/bsd.h"

#include <sys/sysctl.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "ztd-tap/route_bsd.h"

#ifdef __NetBSD__
#define ROUND		sizeof(uint64_t)
#else
#define ROUND		sizeof(long)
#endif
/* So that neighbours behind it are resolved. */
#ifdef RTF_CLONING
#define ONLINK_FLAGS	RTF_CLONING
#elif defined(RTF_CONNECTED)
#define ONLINK_FLAGS	RTF_CONNECTED
#else
#define ONLINK_FLAGS	0
#endif

/* Entries for neighbours and the like. */
#ifdef RTF_LLINFO
#define NO_LLINFO	RTF_LLINFO
#else
#define NO_LLINFO	0
#endif
#ifdef RTF_LLDATA
#define NO_LLDATA	RTF_LLDATA
#else
#define NO_LLDATA	0
#endif
#ifdef RTF_CLONED
#define NO_CLONED	RTF_CLONED
#else
#define NO_CLONED	0
#endif
#define NO_ROUTE	(NO_LLINFO | NO_LLDATA | NO_CLONED)
/* Labels of OpenBSD's routes. */
#define MARK		"ztd"
#define MARK_PIN	"ztd pin"

struct message {
	struct rt_msghdr m_hdr;
	uint8_t		 m_addrs[512];
};

static void	 put(struct message *, int, const void *, size_t);
static void	 put_inet(struct message *, int, const struct inet_addr *);
static void	 put_link(struct message *, int, const struct netif_dev *);
static void	 put_mask(struct message *, const struct inet_addr *);
static void	 put_mark(struct message *, bool);
static void	 message_init(struct message *, bool, unsigned);
static bool	 route_take(struct netif_route *, const uint8_t *, size_t);
static unsigned	 mask_bits(const struct sockaddr_storage *, unsigned);
static void	 scope_out(struct inet_addr *);

/* The order of the addresses is that of their bits. */
int
route_bsd_change(int fd, const struct netif_dev *nd,
    const struct policy_route *pr, bool add)
{
	struct message	 m;
	bool		 via = !inet_isnil(&pr->pr_via);

	message_init(&m, add, nd->nd_index);
	m.m_hdr.rtm_flags = RTF_UP | RTF_STATIC |
	    (via ? RTF_GATEWAY : ONLINK_FLAGS);
	if (pr->pr_target.ia_port == inet_iplen(&pr->pr_target) * 8)
		m.m_hdr.rtm_flags |= RTF_HOST;

	put_inet(&m, RTA_DST, &pr->pr_target);
	if (via)
		put_inet(&m, RTA_GATEWAY, &pr->pr_via);
#ifdef __OpenBSD__
	else
		put_inet(&m, RTA_GATEWAY, &pr->pr_src);
#else
	else
		put_link(&m, RTA_GATEWAY, nd);
#endif
	if ((m.m_hdr.rtm_flags & RTF_HOST) == 0)
		put_mask(&m, &pr->pr_target);
	put_link(&m, RTA_IFP, nd);
	if (!inet_isnil(&pr->pr_src))
		put_inet(&m, RTA_IFA, &pr->pr_src);
	put_mark(&m, false);
	return (write(fd, &m, m.m_hdr.rtm_msglen) == -1 ? -1 : 0);
}

int
route_bsd_pin(int fd, const struct inet_addr *ip, const struct inet_addr *via,
    unsigned ifindex, bool add)
{
	struct netif_dev	 nd;
	struct inet_addr	 gw = *via;
	struct message		 m;
	bool			 has_via = !inet_isnil(via);

	memset(&nd, 0, sizeof(nd));
	nd.nd_index = ifindex;
	message_init(&m, add, ifindex);
	m.m_hdr.rtm_flags = RTF_UP | RTF_STATIC | RTF_HOST |
	    (has_via ? RTF_GATEWAY : 0);
	put_inet(&m, RTA_DST, ip);
	if (has_via) {
		/* KAME keeps the interface inside of it. */
		if (gw.ia_family == 6 && inet_scope(&gw) ==
		    SCOPE_LINK_LOCAL) {
			gw.ia_ip[2] = (uint8_t)(ifindex >> 8);
			gw.ia_ip[3] = (uint8_t)ifindex;
		}
		put_inet(&m, RTA_GATEWAY, &gw);
	} else
		put_link(&m, RTA_GATEWAY, &nd);
	put_link(&m, RTA_IFP, &nd);
	put_mark(&m, true);
	return (write(fd, &m, m.m_hdr.rtm_msglen) == -1 ? -1 : 0);
}

int
route_bsd_list(struct netif_route **list)
{
	struct netif_route	*all;
	struct rt_msghdr	 rtm;
	uint8_t			*buf = NULL, *bigger;
	size_t			 size = 0, at, n = 0;
	unsigned		 tries;
#ifdef __OpenBSD__
	int			 mib[7] = { CTL_NET, PF_ROUTE, 0, 0,
				    NET_RT_DUMP, 0, getrtable() };
#else
	int			 mib[6] = { CTL_NET, PF_ROUTE, 0, 0,
				    NET_RT_DUMP, 0 };
#endif

	/* It may grow between the two calls. */
	for (tries = 0; tries < 5; tries++) {
		if (sysctl(mib, sizeof(mib) / sizeof(mib[0]), NULL, &size,
		    NULL, 0) == -1)
			break;
		size += size / 4 + 1024;
		if ((bigger = realloc(buf, size)) == NULL)
			break;
		buf = bigger;
		if (sysctl(mib, sizeof(mib) / sizeof(mib[0]), buf, &size,
		    NULL, 0) == 0)
			goto parse;
		if (errno != ENOMEM)
			break;
	}
	free(buf);
	return (-1);
 parse:
	if ((all = calloc(size / sizeof(rtm) + 1, sizeof(*all))) == NULL) {
		free(buf);
		return (-1);
	}
	for (at = 0; at + sizeof(rtm) <= size; at += rtm.rtm_msglen) {
		memcpy(&rtm, buf + at, sizeof(rtm));
		if (rtm.rtm_msglen < sizeof(rtm) ||
		    rtm.rtm_msglen > size - at)
			break;
		if (rtm.rtm_version == RTM_VERSION &&
		    route_take(&all[n], buf + at, rtm.rtm_msglen))
			n++;
	}
	free(buf);
	*list = all;
	return ((int)n);
}

/* One message of the dump; false for what is no route, or ours. */
static bool
route_take(struct netif_route *rt, const uint8_t *p, size_t len)
{
	struct rt_msghdr	 rtm;
	struct sockaddr_storage	 ss[32];
	struct inet_addr	 via;
	size_t			 at = sizeof(rtm), n;
	unsigned		 bit;
	bool			 ours;

	memcpy(&rtm, p, sizeof(rtm));
#ifdef __OpenBSD__
	at = rtm.rtm_hdrlen;
#endif
	memset(ss, 0, sizeof(ss));
	for (bit = 0; bit < 32 && at < len; bit++) {
		if (((unsigned)rtm.rtm_addrs & 1U << bit) == 0)
			continue;
		n = p[at];
		if (n > len - at)
			return (false);
		memcpy(&ss[bit], p + at, n > sizeof(ss[0]) ? sizeof(ss[0]) :
		    n);
		at += n == 0 ? ROUND : (n + ROUND - 1) / ROUND * ROUND;
	}
	memset(rt, 0, sizeof(*rt));
	inet_from_sockaddr(&rt->rt_target, (struct sockaddr *)&ss[RTAX_DST]);
	inet_from_sockaddr(&via, (struct sockaddr *)&ss[RTAX_GATEWAY]);
	if ((rtm.rtm_flags & RTF_UP) == 0 || (rtm.rtm_flags & NO_ROUTE) != 0 ||
	    inet_isnil(&rt->rt_target))
		return (false);
	scope_out(&rt->rt_target);
	scope_out(&via);
	rt->rt_target.ia_port = (uint16_t)(inet_iplen(&rt->rt_target) * 8);
	if ((rtm.rtm_flags & RTF_HOST) == 0)
		rt->rt_target.ia_port = (uint16_t)mask_bits(&ss[RTAX_NETMASK],
		    rt->rt_target.ia_port);
#ifdef __OpenBSD__
	rt->rt_metric = rtm.rtm_priority;
	ours = strcmp(((struct sockaddr_rtlabel *)&ss[RTAX_LABEL])->sr_label,
	    MARK) == 0;
	rt->rt_pin = strcmp(((struct sockaddr_rtlabel *)&ss[RTAX_LABEL])->sr_label,
	    MARK_PIN) == 0;
#else
	ours = (rtm.rtm_flags & RTF_PROTO1) != 0;
	rt->rt_pin = ours && (rtm.rtm_flags & RTF_PROTO2) != 0;
#endif
	if (ours && !rt->rt_pin)
		return (false);
	if ((rtm.rtm_flags & (RTF_REJECT | RTF_BLACKHOLE)) == 0)
		rt->rt_ifindex = rtm.rtm_index;
	if ((rtm.rtm_flags & RTF_GATEWAY) != 0) {
		rt->rt_via = via;
		rt->rt_via.ia_port = 0;
	}
	return (true);
}

/* A mask may be cut short, and says no family. */
static unsigned
mask_bits(const struct sockaddr_storage *mask, unsigned max)
{
	const uint8_t	*p = (const uint8_t *)mask;
	size_t		 at;
	unsigned	 n;

	at = max == 32 ? offsetof(struct sockaddr_in, sin_addr) :
	    offsetof(struct sockaddr_in6, sin6_addr);
	for (n = 0; n < max && at + n / 8 < mask->ss_len; n++)
		if ((p[at + n / 8] & 0x80 >> n % 8) == 0)
			break;
	return (n);
}

static void
scope_out(struct inet_addr *ia)
{
	if (ia->ia_family == 6 && inet_scope(ia) == SCOPE_LINK_LOCAL)
		ia->ia_ip[2] = ia->ia_ip[3] = 0;
}

static void
message_init(struct message *m, bool add, unsigned ifindex)
{
	static int	 seq;

	memset(m, 0, sizeof(*m));
	m->m_hdr.rtm_msglen = sizeof(m->m_hdr);
	m->m_hdr.rtm_version = RTM_VERSION;
	m->m_hdr.rtm_type = add ? RTM_ADD : RTM_DELETE;
	m->m_hdr.rtm_index = (unsigned short)ifindex;
	m->m_hdr.rtm_pid = getpid();
	m->m_hdr.rtm_seq = ++seq;
#ifdef __OpenBSD__
	m->m_hdr.rtm_hdrlen = sizeof(m->m_hdr);
	m->m_hdr.rtm_tableid = (unsigned short)getrtable();
	m->m_hdr.rtm_priority = RTP_STATIC;
#endif
}

/* The target is the first address. */
bool
route_bsd_is_default(const uint8_t *p, size_t len)
{
	struct rt_msghdr	 rtm;
	struct sockaddr_storage	 ss;
	struct inet_addr	 ia;
	size_t			 at = sizeof(rtm), n;

	if (len < sizeof(rtm))
		return (false);
	memcpy(&rtm, p, sizeof(rtm));
	/* Requests that failed are told to all who listen, too. */
	if (rtm.rtm_errno != 0)
		return (false);
#ifdef __OpenBSD__
	/* Some events were lost: it may have been among them. */
	if (rtm.rtm_type == RTM_DESYNC)
		return (true);
	at = rtm.rtm_hdrlen;
#else
	if ((rtm.rtm_flags & RTF_PROTO1) != 0)
		return (false);
#endif
	if ((rtm.rtm_type != RTM_ADD && rtm.rtm_type != RTM_DELETE &&
	    rtm.rtm_type != RTM_CHANGE) || (rtm.rtm_addrs & RTA_DST) == 0 ||
	    (rtm.rtm_flags & RTF_HOST) != 0 || at >= len)
		return (false);
	memset(&ss, 0, sizeof(ss));
	n = p[at];
	if (n > len - at || n > sizeof(ss))
		return (false);
	memcpy(&ss, p + at, n);
	inet_from_sockaddr(&ia, (struct sockaddr *)&ss);
	for (n = 0; n < inet_iplen(&ia) && ia.ia_ip[n] == 0; n++)
		continue;
	return (!inet_isnil(&ia) && n == inet_iplen(&ia));
}

static void
put(struct message *m, int bit, const void *sa, size_t len)
{
	size_t	 at = m->m_hdr.rtm_msglen;
	size_t	 room = (len + ROUND - 1) / ROUND * ROUND;

	if (at + room > sizeof(*m))
		fatalx("routing message is too long");
	memcpy((uint8_t *)m + at, sa, len);
	m->m_hdr.rtm_msglen = (unsigned short)(at + room);
	m->m_hdr.rtm_addrs |= bit;
}

static void
put_inet(struct message *m, int bit, const struct inet_addr *ia)
{
	struct sockaddr_storage	 ss;
	struct inet_addr	 ip = *ia;
	socklen_t		 len;

	ip.ia_port = 0;
	memset(&ss, 0, sizeof(ss));
	len = inet_to_sockaddr(&ip, &ss);
	ss.ss_len = (uint8_t)len;
	put(m, bit, &ss, len);
}

static void
put_link(struct message *m, int bit, const struct netif_dev *nd)
{
	struct sockaddr_dl	 sdl;

	memset(&sdl, 0, sizeof(sdl));
	sdl.sdl_len = sizeof(sdl);
	sdl.sdl_family = AF_LINK;
	sdl.sdl_index = (unsigned short)nd->nd_index;
	sdl.sdl_type = IFT_ETHER;
	put(m, bit, &sdl, sizeof(sdl));
}

static void
put_mask(struct message *m, const struct inet_addr *net)
{
	struct inet_addr	 mask;
	unsigned		 i;

	memset(&mask, 0, sizeof(mask));
	mask.ia_family = net->ia_family;
	for (i = 0; i < net->ia_port && i < 128; i++)
		mask.ia_ip[i / 8] |= (uint8_t)(0x80 >> i % 8);
	put_inet(m, RTA_NETMASK, &mask);
}

/* By this we, and the operator, know our routes again. */
static void
put_mark(struct message *m, bool pin)
{
#ifdef __OpenBSD__
	struct sockaddr_rtlabel	 sr;

	memset(&sr, 0, sizeof(sr));
	sr.sr_len = sizeof(sr);
	strlcpy(sr.sr_label, pin ? MARK_PIN : MARK, sizeof(sr.sr_label));
	put(m, RTA_LABEL, &sr, sizeof(sr));
#else
	m->m_hdr.rtm_flags |= pin ? RTF_PROTO1 | RTF_PROTO2 : RTF_PROTO1;
#endif
}
