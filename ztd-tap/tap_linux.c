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
#include "ztd-tap/tap.h"

#define TUN_DEVICE	"/dev/net/tun"
#define DEVICEMAP_MAX	65536
#define NAME_TRIALS	64

static int	 open_name(struct tap *, const char *);
static bool	 mapped_name(char *, uint64_t, int);
static bool	 good_name(const char *);

const char *
tap_probe(void)
{
	static char	 why[128];
	unsigned	 features;
	int		 fd;

	if ((fd = open(TUN_DEVICE, O_RDWR | O_CLOEXEC)) == -1) {
		snprintf(why, sizeof(why), TUN_DEVICE ": %s; no network can "
		    "have an interface (is the module tun loaded?)",
		    strerror(errno));
		return (why);
	}
	if (ioctl(fd, TUNGETFEATURES, &features) == -1 ||
	    (features & IFF_TAP) == 0) {
		close(fd);
		return (TUN_DEVICE " is no tun device: no network can have "
		    "an interface");
	}
	close(fd);
	return (NULL);
}

int
tap_open(struct tap *t, struct netif *ni, uint64_t nwid, int homefd)
{
	char		 name[ZT_IFNAME_LEN];
	unsigned	 trial;
	int		 saved;

	memset(t, 0, sizeof(*t));
	t->t_fd = -1;
	if (mapped_name(name, nwid, homefd) && open_name(t, name) == -1 &&
	    errno != EBUSY && errno != EEXIST)
		return (-1);
	for (trial = 0; t->t_fd == -1 && trial < NAME_TRIALS; trial++) {
		ifname_linux(name, nwid, trial);
		/* Busy: another interface has the name. */
		if (open_name(t, name) == -1 && errno != EBUSY &&
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

void
tap_close(struct tap *t)
{
	if (t->t_fd != -1)
		close(t->t_fd);
	t->t_fd = -1;
}

static int
open_name(struct tap *t, const char *name)
{
	struct ifreq	 ifr;
	int		 fd, saved;

	fd = open(TUN_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return (-1);
	memset(&ifr, 0, sizeof(ifr));
	strlcpy(ifr.ifr_name, name, sizeof(ifr.ifr_name));
	ifr.ifr_flags = IFF_TAP | IFF_NO_PI | (short)IFF_TUN_EXCL;
	if (ioctl(fd, TUNSETIFF, &ifr) == -1 ||
	    ioctl(fd, TUNSETPERSIST, 0) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return (-1);
	}
	t->t_fd = fd;
	strlcpy(t->t_dev.nd_name, ifr.ifr_name, sizeof(t->t_dev.nd_name));
	return (0);
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
