/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Tap devices on NetBSD: the cloner /dev/tap, whose interface is gone at
 * close.  Spec: 06 sections 3.3 and 4.6.
 */

#include "ztd-tap/bsd.h"

#include <net/if_tap.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "ztd-tap/netif_bsd.h"
#include "ztd-tap/tap.h"

static int	 request(int, unsigned long, void *);

const char *
tap_probe(void)
{
	if (access("/dev/tap", R_OK | W_OK) == -1)
		return ("/dev/tap cannot be opened: no network can have an "
		    "interface (cd /dev && sh MAKEDEV tap)");
	return (NULL);
}

int
tap_open(struct tap *t, struct netif *ni, uint64_t nwid, int homefd,
    bool offload)
{
	struct ifreq	 ifr;
	int		 on = 1, saved;

	(void)nwid;
	(void)homefd;
	(void)offload;
	memset(t, 0, sizeof(*t));
	if ((t->t_fd = open("/dev/tap", O_RDWR | O_CLOEXEC)) == -1)
		return (-1);
	memset(&ifr, 0, sizeof(ifr));
	/* fcntl(2) would be accepted here, and do nothing. */
	if (ioctl(t->t_fd, TAPGIFNAME, &ifr) == -1 ||
	    ioctl(t->t_fd, FIONBIO, &on) == -1)
		goto fail;
	strlcpy(t->t_dev.nd_name, ifr.ifr_name, sizeof(t->t_dev.nd_name));
	if ((t->t_dev.nd_index = netif_index(ni, t->t_dev.nd_name)) != 0)
		return (0);
 fail:
	saved = errno;
	tap_close(t);
	errno = saved;
	return (-1);
}

/* Nothing of the interface can be changed by it. */
bool
tap_lendable(void)
{
	return (true);
}

void
tap_close(struct tap *t)
{
	if (t->t_fd != -1)
		close(t->t_fd);
	t->t_fd = -1;
}

int
netif_bsd_mac(const struct netif_dev *nd, const uint8_t mac[6])
{
	struct if_laddrreq	 req;
	struct sockaddr_dl	 sdl;

	memset(&sdl, 0, sizeof(sdl));
	sdl.sdl_len = sizeof(sdl);
	sdl.sdl_family = AF_LINK;
	sdl.sdl_type = IFT_ETHER;
	sdl.sdl_alen = 6;
	memcpy(sdl.sdl_data, mac, 6);
	memset(&req, 0, sizeof(req));
	strlcpy(req.iflr_name, nd->nd_name, sizeof(req.iflr_name));
	req.flags = IFLR_ACTIVE;
	memcpy(&req.addr, &sdl, sizeof(sdl));
	return (request(AF_LINK, SIOCALIFADDR, &req));
}

int
netif_bsd_describe(const struct netif_dev *nd, const char *text)
{
	struct ifreq	 ifr;
	char		 copy[64];

	strlcpy(copy, text, sizeof(copy));
	memset(&ifr, 0, sizeof(ifr));
	strlcpy(ifr.ifr_name, nd->nd_name, sizeof(ifr.ifr_name));
	ifr.ifr_buf = copy;
	ifr.ifr_buflen = strlen(copy) + 1;
	return (request(AF_INET, SIOCSIFDESCR, &ifr));
}

static int
request(int family, unsigned long what, void *arg)
{
	int	 fd, ret, saved;

	if ((fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1)
		return (-1);
	ret = ioctl(fd, what, arg);
	saved = errno;
	close(fd);
	errno = saved;
	return (ret);
}
