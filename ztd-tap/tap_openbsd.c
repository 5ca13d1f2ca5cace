/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Tap devices on OpenBSD: tap(4), made by opening its node and gone at
 * close.  Interfaces cannot be renamed; the file tapmap keeps a network on
 * its unit.  Spec: 06 sections 3.3 and 4.5.
 */

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <net/if.h>
#include <net/if_dl.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/address.h"
#include "common/file.h"
#include "common/log.h"
#include "ztd-tap/netif_bsd.h"
#include "ztd-tap/tap.h"

#define UNITS		256
#define TAPMAP_MAX	65536

static int	 open_unit(struct tap *, int);
static int	 make_node(const char *, int);
static void	 tapmap_read(int, uint64_t[UNITS]);
static void	 tapmap_write(int, const uint64_t[UNITS]);
static int	 request(unsigned long, void *);

const char *
tap_probe(void)
{
	struct stat	 st;

	if (stat("/dev/tap0", &st) == -1 || !S_ISCHR(st.st_mode))
		return ("/dev/tap0 is missing: no network can have an "
		    "interface (cd /dev && sh MAKEDEV tap0)");
	return (NULL);
}

int
tap_open(struct tap *t, struct netif *ni, uint64_t nwid, int homefd,
    bool offload)
{
	uint64_t	 map[UNITS];
	int		 pass, unit;

	(void)offload;
	memset(t, 0, sizeof(*t));
	t->t_fd = -1;
	tapmap_read(homefd, map);
	/* The unit it had, one that nobody had, any. */
	for (pass = 0; pass < 3 && t->t_fd == -1; pass++)
		for (unit = 0; unit < UNITS && t->t_fd == -1; unit++) {
			if ((pass == 0 && map[unit] != nwid) ||
			    (pass == 1 && map[unit] != 0))
				continue;
			if (open_unit(t, unit) == -1 && errno != EBUSY)
				return (-1);
			if (t->t_fd == -1 || map[unit] == nwid)
				continue;
			map[unit] = nwid;
			tapmap_write(homefd, map);
		}
	if (t->t_fd == -1)
		return (-1);
	if ((t->t_dev.nd_index = netif_index(ni, t->t_dev.nd_name)) != 0)
		return (0);
	tap_close(t);
	errno = ENXIO;
	return (-1);
}

/* pledge(2) lets no ioctl(2) of a tap through. */
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
	struct ifreq	 ifr;

	memset(&ifr, 0, sizeof(ifr));
	strlcpy(ifr.ifr_name, nd->nd_name, sizeof(ifr.ifr_name));
	ifr.ifr_addr.sa_len = 6;
	ifr.ifr_addr.sa_family = AF_LINK;
	memcpy(ifr.ifr_addr.sa_data, mac, 6);
	return (request(SIOCSIFLLADDR, &ifr));
}

int
netif_bsd_describe(const struct netif_dev *nd, const char *text)
{
	struct ifgroupreq	 ifgr;
	struct ifreq		 ifr;
	char			 copy[IFDESCRSIZE];

	memset(&ifgr, 0, sizeof(ifgr));
	strlcpy(ifgr.ifgr_name, nd->nd_name, sizeof(ifgr.ifgr_name));
	strlcpy(ifgr.ifgr_group, "zt", sizeof(ifgr.ifgr_group));
	if (request(SIOCAIFGROUP, &ifgr) == -1 && errno != EEXIST)
		log_warn("%s: cannot join group zt", nd->nd_name);
	strlcpy(copy, text, sizeof(copy));
	memset(&ifr, 0, sizeof(ifr));
	strlcpy(ifr.ifr_name, nd->nd_name, sizeof(ifr.ifr_name));
	ifr.ifr_data = copy;
	return (request(SIOCSIFDESCR, &ifr));
}

/* EBUSY: someone else's, or an interface that an operator made. */
static int
open_unit(struct tap *t, int unit)
{
	char	 path[32];

	snprintf(t->t_dev.nd_name, sizeof(t->t_dev.nd_name), "tap%d", unit);
	if (if_nametoindex(t->t_dev.nd_name) != 0) {
		errno = EBUSY;
		return (-1);
	}
	snprintf(path, sizeof(path), "/dev/tap%d", unit);
	t->t_fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (t->t_fd == -1 && errno == ENOENT && make_node(path, unit) == 0)
		t->t_fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return (t->t_fd == -1 ? -1 : 0);
}

/* What "sh MAKEDEV tapN" does; the major number is the machine's. */
static int
make_node(const char *path, int unit)
{
	struct stat	 st;

	if (stat("/dev/tap0", &st) == -1)
		return (-1);
	return (mknod(path, S_IFCHR | 0600, makedev(major(st.st_rdev),
	    unit)));
}

/* Lines "NWID tapN"; 0 is a unit that nobody had. */
static void
tapmap_read(int homefd, uint64_t map[UNITS])
{
	const char	*errstr;
	char		*text, *rest, *line, *unit;
	uint64_t	 nwid;
	size_t		 len;
	int		 n;

	memset(map, 0, UNITS * sizeof(*map));
	text = file_read(homefd, "tapmap", TAPMAP_MAX, &len);
	rest = text;
	while (rest != NULL && (line = strsep(&rest, "\n")) != NULL) {
		unit = line;
		if (nwid_parse(strsep(&unit, " "), &nwid) == -1 ||
		    unit == NULL || strncmp(unit, "tap", 3) != 0)
			continue;
		n = (int)strtonum(unit + 3, 0, UNITS - 1, &errstr);
		if (errstr == NULL)
			map[n] = nwid;
	}
	free(text);
}

static void
tapmap_write(int homefd, const uint64_t map[UNITS])
{
	char	 text[UNITS * 32], id[NWID_TEXT];
	size_t	 len = 0;
	int	 i;

	for (i = 0; i < UNITS; i++)
		if (map[i] != 0)
			len += (size_t)snprintf(text + len,
			    sizeof(text) - len, "%s tap%d\n",
			    nwid_format(id, map[i]), i);
	if (file_write(homefd, "tapmap", text, len, 0600, (uid_t)-1,
	    (gid_t)-1) == -1)
		log_warn("cannot write tapmap");
}

static int
request(unsigned long what, void *arg)
{
	int	 fd, ret, saved;

	if ((fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1)
		return (-1);
	ret = ioctl(fd, what, arg);
	saved = errno;
	close(fd);
	errno = saved;
	return (ret);
}
