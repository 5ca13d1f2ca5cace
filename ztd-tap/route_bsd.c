/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Routes on the BSDs: one message to the routing socket for each, whose
 * write(2) fails when the change does.  Spec: 06 section 8.4.
 */

#include "ztd-tap/bsd.h"

#include <errno.h>
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

struct message {
	struct rt_msghdr m_hdr;
	uint8_t		 m_addrs[512];
};

static void	 put(struct message *, int, const void *, size_t);
static void	 put_inet(struct message *, int, const struct inet_addr *);
static void	 put_link(struct message *, int, const struct netif_dev *);
static void	 put_mask(struct message *, const struct inet_addr *);
static void	 put_mark(struct message *);

/* The order of the addresses is that of their bits. */
int
route_bsd_change(int fd, const struct netif_dev *nd,
    const struct policy_route *pr, bool add)
{
	static int	 seq;
	struct message	 m;
	bool		 via = !inet_isnil(&pr->pr_via);

	memset(&m, 0, sizeof(m));
	m.m_hdr.rtm_msglen = sizeof(m.m_hdr);
	m.m_hdr.rtm_version = RTM_VERSION;
	m.m_hdr.rtm_type = add ? RTM_ADD : RTM_DELETE;
	m.m_hdr.rtm_index = (unsigned short)nd->nd_index;
	m.m_hdr.rtm_pid = getpid();
	m.m_hdr.rtm_seq = ++seq;
	m.m_hdr.rtm_flags = RTF_UP | RTF_STATIC |
	    (via ? RTF_GATEWAY : ONLINK_FLAGS);
#ifdef __OpenBSD__
	m.m_hdr.rtm_hdrlen = sizeof(m.m_hdr);
	m.m_hdr.rtm_tableid = (unsigned short)getrtable();
	m.m_hdr.rtm_priority = RTP_STATIC;
#endif
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
	put_mark(&m);
	return (write(fd, &m, m.m_hdr.rtm_msglen) == -1 ? -1 : 0);
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
put_mark(struct message *m)
{
#ifdef __OpenBSD__
	struct sockaddr_rtlabel	 sr;

	memset(&sr, 0, sizeof(sr));
	sr.sr_len = sizeof(sr);
	strlcpy(sr.sr_label, "ztd", sizeof(sr.sr_label));
	put(m, RTA_LABEL, &sr, sizeof(sr));
#else
	m->m_hdr.rtm_flags |= RTF_PROTO1;
#endif
}
