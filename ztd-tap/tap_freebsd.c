/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Tap devices on FreeBSD: if_tuntap(4), renamed.  An interface survives the
 * process that made it, so what an earlier one left is destroyed at start.
 * Spec: 06 sections 3.2 and 4.4.
 */

#include <sys/param.h>
#include <sys/ioctl.h>
#include <sys/linker.h>
#include <sys/module.h>
#include <sys/socket.h>

#include <net/if.h>
#include <net/if_dl.h>
#include <netinet/in.h>
#include <netinet6/in6_var.h>
#include <netinet6/nd6.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/address.h"
#include "common/log.h"
#include "ztd-tap/netif_bsd.h"
#include "ztd-tap/tap.h"

#define MARK		"ztd "		/* begins every description */
#define NAME_LEN	15		/* "zt" and 13 characters */
#define UNIT_FIRST	9993
#define UNIT_LAST	10120
#define METRIC		5000

static int	 request(unsigned long, struct ifreq *, const char *);
static int	 create(char *);
static void	 destroy(const char *);
static void	 destroy_leftovers(void);

const char *
tap_probe(void)
{
	if (kldload("if_tuntap") == -1 && errno != EEXIST &&
	    modfind("if_tuntap") == -1)
		return ("the module if_tuntap cannot be loaded: no network "
		    "can have an interface");
	destroy_leftovers();
	return (NULL);
}

int
tap_open(struct tap *t, struct netif *ni, uint64_t nwid, int homefd,
    bool offload)
{
	struct ifreq	 ifr;
	char		 path[32], name[ZT_IFNAME_LEN];
	int		 saved;

	(void)homefd;
	(void)offload;
	memset(t, 0, sizeof(*t));
	t->t_fd = -1;
	if (create(t->t_node) == -1)
		return (-1);
	strlcpy(t->t_dev.nd_name, t->t_node, sizeof(t->t_dev.nd_name));
	snprintf(path, sizeof(path), "/dev/%s", t->t_node);
	t->t_fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (t->t_fd == -1)
		goto fail;
	ifname_freebsd(name, nwid);
	memset(&ifr, 0, sizeof(ifr));
	ifr.ifr_data = name;
	if (request(SIOCSIFNAME, &ifr, t->t_node) == -1)
		goto fail;
	strlcpy(t->t_dev.nd_name, name, sizeof(t->t_dev.nd_name));
	memset(&ifr, 0, sizeof(ifr));
	ifr.ifr_metric = METRIC;
	(void)request(SIOCSIFMETRIC, &ifr, name);
	if ((t->t_dev.nd_index = netif_index(ni, name)) != 0)
		return (0);
 fail:
	saved = errno;
	if (t->t_fd != -1)
		close(t->t_fd);
	t->t_fd = -1;
	destroy(t->t_dev.nd_name);
	errno = saved;
	return (-1);
}

/* A tap is closed for good by the process that opened it, and complained of
 * in any other. */
bool
tap_lendable(void)
{
	return (false);
}

void
tap_close(struct tap *t)
{
	if (t->t_fd == -1)
		return;
	close(t->t_fd);
	t->t_fd = -1;
	destroy(t->t_dev.nd_name);
}

int
netif_bsd_mac(const struct netif_dev *nd, const uint8_t mac[6])
{
	struct ifreq	 ifr;

	memset(&ifr, 0, sizeof(ifr));
	ifr.ifr_addr.sa_len = 6;
	ifr.ifr_addr.sa_family = AF_LINK;
	memcpy(ifr.ifr_addr.sa_data, mac, 6);
	return (request(SIOCSIFLLADDR, &ifr, nd->nd_name));
}

int
netif_bsd_describe(const struct netif_dev *nd, const char *text)
{
	struct ifgroupreq	 ifgr;
	struct in6_ndireq	 ndi;
	struct ifreq		 ifr;
	char			 copy[64];
	int			 fd;

	strlcpy(copy, text, sizeof(copy));
	memset(&ifr, 0, sizeof(ifr));
	ifr.ifr_buffer.buffer = copy;
	ifr.ifr_buffer.length = strlen(copy) + 1;
	if (request(SIOCSIFDESCR, &ifr, nd->nd_name) == -1)
		return (-1);
	if ((fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1)
		return (0);
	memset(&ifgr, 0, sizeof(ifgr));
	strlcpy(ifgr.ifgr_name, nd->nd_name, sizeof(ifgr.ifgr_name));
	strlcpy(ifgr.ifgr_group, "zt", sizeof(ifgr.ifgr_group));
	(void)ioctl(fd, SIOCAIFGROUP, &ifgr);
	/* Link-local by MAC; managed addresses need no detection. */
	memset(&ndi, 0, sizeof(ndi));
	strlcpy(ndi.ifname, nd->nd_name, sizeof(ndi.ifname));
	if (ioctl(fd, SIOCGIFINFO_IN6, &ndi) == 0) {
		ndi.ndi.flags &= ~(uint32_t)ND6_IFF_IFDISABLED;
		ndi.ndi.flags |= ND6_IFF_AUTO_LINKLOCAL | ND6_IFF_NO_DAD;
		(void)ioctl(fd, SIOCSIFINFO_IN6, &ndi);
	}
	close(fd);
	return (0);
}

static int
request(unsigned long what, struct ifreq *ifr, const char *name)
{
	int	 fd, ret, saved;

	fd = socket(AF_LOCAL, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return (-1);
	strlcpy(ifr->ifr_name, name, sizeof(ifr->ifr_name));
	ret = ioctl(fd, what, ifr);
	saved = errno;
	close(fd);
	errno = saved;
	return (ret);
}

/* Units where the original's are: devfs rules were written for them. */
static int
create(char *node)
{
	struct ifreq	 ifr;
	int		 unit;

	for (unit = UNIT_FIRST; unit <= UNIT_LAST; unit++) {
		snprintf(node, 16, "tap%d", unit);
		memset(&ifr, 0, sizeof(ifr));
		if (request(SIOCIFCREATE2, &ifr, node) == 0)
			return (0);
		if (errno != EEXIST)
			return (-1);
	}
	return (-1);
}

static void
destroy(const char *name)
{
	struct ifreq	 ifr;

	memset(&ifr, 0, sizeof(ifr));
	if (request(SIOCIFDESTROY, &ifr, name) == -1 && errno != ENXIO)
		log_warn("cannot destroy interface %s", name);
}

static void
destroy_leftovers(void)
{
	struct if_nameindex	*list, *i;
	struct ifreq		 ifr;
	char			 text[64];

	if ((list = if_nameindex()) == NULL)
		return;
	for (i = list; i->if_index != 0; i++) {
		if (strncmp(i->if_name, "zt", 2) != 0 ||
		    strlen(i->if_name) != NAME_LEN)
			continue;
		memset(&ifr, 0, sizeof(ifr));
		memset(text, 0, sizeof(text));
		ifr.ifr_buffer.buffer = text;
		ifr.ifr_buffer.length = sizeof(text) - 1;
		if (request(SIOCGIFDESCR, &ifr, i->if_name) == 0 &&
		    strncmp(text, MARK, strlen(MARK)) == 0)
			destroy(i->if_name);
	}
	if_freenameindex(list);
}
