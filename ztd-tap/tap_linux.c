/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Tap devices on Linux: /dev/net/tun.  Spec: 06 sections 3.1 and 4.3.
 */

#include <sys/ioctl.h>

#include <linux/if_tun.h>

#include <net/if.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/address.h"
#include "common/file.h"
#include "common/log.h"
#include "common/offload.h"
#include "ztd-tap/tap.h"

#define TUN_DEVICE	"/dev/net/tun"
#define DEVICEMAP_MAX	65536
#define NAME_TRIALS	64

#ifndef TUN_F_USO4
#define TUN_F_USO4	0x20	/* since Linux 6.2, both or none */
#define TUN_F_USO6	0x40
#endif
#define TCP		(TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN)
#define UDP		(TUN_F_USO4 | TUN_F_USO6)

static int	 open_name(struct tap *, const char *, bool);
static int	 attach(int, struct ifreq *, const char *, int);
static bool	 set_offload(struct tap *);
static bool	 mapped_name(char *, uint64_t, int);
static bool	 good_name(const char *);

const char *
tap_probe(void)
{
	static char	 why[128];
	unsigned	 features;
	int		 fd;

	if ((fd = open(TUN_DEVICE, O_RDWR | O_CLOEXEC)) == -1) {
		snprintf(why, sizeof(why), TUN_DEVICE ": %s (is the "
		    "module tun loaded?)",
		    strerror(errno));
		return (why);
	}
	if (ioctl(fd, TUNGETFEATURES, &features) == -1 ||
	    (features & IFF_TAP) == 0) {
		close(fd);
		return (TUN_DEVICE " is no tun device");
	}
	close(fd);
	return (NULL);
}

int
tap_open(struct tap *t, struct netif *ni, uint64_t nwid, int homefd,
    bool offload)
{
	char		 name[ZT_IFNAME_LEN];
	unsigned	 trial;
	int		 saved;

	memset(t, 0, sizeof(*t));
	t->t_fd = -1;
	if (mapped_name(name, nwid, homefd) &&
	    open_name(t, name, offload) == -1 && errno != EBUSY &&
	    errno != EEXIST)
		return (-1);
	for (trial = 0; t->t_fd == -1 && trial < NAME_TRIALS; trial++) {
		ifname_linux(name, nwid, trial);
		/* Busy: another interface has the name. */
		if (open_name(t, name, offload) == -1 && errno != EBUSY &&
		    errno != EEXIST)
			return (-1);
	}
	if (t->t_fd == -1)
		return (-1);
	if ((t->t_dev.nd_index = netif_index(ni, t->t_dev.nd_name)) != 0)
		return (0);
	saved = errno != 0 ? errno : ENODEV;
	tap_close(t);
	errno = saved;
	return (-1);
}

/* MAC and persistence could be changed by it: seccomp lets no such ioctl(2)
 * of the engine through. */
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

static int
open_name(struct tap *t, const char *name, bool offload)
{
	struct ifreq	 ifr;
	int		 fd, saved;

	fd = open(TUN_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return (-1);
	if (offload && attach(fd, &ifr, name, IFF_VNET_HDR) == 0)
		t->t_vnet = true;
	else if ((offload && errno != EINVAL) ||
	    attach(fd, &ifr, name, 0) == -1)
		goto fail;
	if (ioctl(fd, TUNSETPERSIST, 0) == -1)
		goto fail;
	t->t_fd = fd;
	strlcpy(t->t_dev.nd_name, ifr.ifr_name, sizeof(t->t_dev.nd_name));
	if (!t->t_vnet || set_offload(t))
		return (0);
	/* A header of another size cannot be read: once more, without. */
	close(fd);
	t->t_fd = -1;
	t->t_vnet = false;
	return (open_name(t, name, false));
 fail:
	saved = errno;
	close(fd);
	t->t_vnet = false;
	errno = saved;
	return (-1);
}

static int
attach(int fd, struct ifreq *ifr, const char *name, int more)
{
	memset(ifr, 0, sizeof(*ifr));
	strlcpy(ifr->ifr_name, name, sizeof(ifr->ifr_name));
	ifr->ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_TUN_EXCL | more);
	return (ioctl(fd, TUNSETIFF, ifr));
}

/*
 * As much as this kernel can; nothing is fine as well, as it then cuts and
 * sums by itself.  What it hands out it also takes.
 */
static bool
set_offload(struct tap *t)
{
	static const struct {
		unsigned	 flags, can;
	}			 sets[] = {
		{ TUN_F_CSUM | TCP | UDP, OFFLOAD_CAN_CSUM |
		    OFFLOAD_CAN_TCP | OFFLOAD_CAN_UDP },
		{ TUN_F_CSUM | TCP, OFFLOAD_CAN_CSUM | OFFLOAD_CAN_TCP },
		{ TUN_F_CSUM, OFFLOAD_CAN_CSUM }
	};
	size_t			 i;
	int			 size = sizeof(struct offload);

	if (ioctl(t->t_fd, TUNSETVNETHDRSZ, &size) == -1)
		return (false);
	for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		if (ioctl(t->t_fd, TUNSETOFFLOAD, (unsigned long)
		    sets[i].flags) == 0) {
			t->t_can = sets[i].can;
			break;
		}
	return (true);
}

/* The operator's name for it, from the file devicemap. */
static bool
mapped_name(char *name, uint64_t nwid, int homefd)
{
	char	 id[NWID_TEXT];
	char	*text, *rest, *line, *value;
	size_t	 len;
	bool	 found = false;

	text = file_read(homefd, "devicemap", DEVICEMAP_MAX, &len);
	if (text == NULL)
		return (false);
	nwid_format(id, nwid);
	rest = text;
	while (!found && (line = strsep(&rest, "\r\n")) != NULL) {
		value = line;
		if (strcmp(strsep(&value, "="), id) != 0 || value == NULL)
			continue;
		strlcpy(name, strsep(&value, "="), ZT_IFNAME_LEN);
		if (!good_name(name)) {
			log_warnx("devicemap: %s has no usable name", id);
			break;
		}
		found = true;
	}
	free(text);
	return (found);
}

/* The kernel would expand "%d", and '/' has no place in a name. */
static bool
good_name(const char *name)
{
	const char	*s;

	for (s = name; *s != '\0'; s++)
		if (!isalnum((unsigned char)*s) && strchr("._-", *s) == NULL)
			return (false);
	return (*name != '\0' && strcmp(name, ".") != 0 &&
	    strcmp(name, "..") != 0);
}
