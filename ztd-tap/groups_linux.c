/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Multicast groups on Linux: /proc/net/dev_mcast, which has the link-layer
 * joins as well.  It is read every 5 s and when netlink tells of a change.
 * Spec: 06 section 5.2.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/hex.h"
#include "common/log.h"
#include "ztd-tap/groups.h"

#define TEXT_MAX	(4 * 1024 * 1024)

static int	 mcast_fd = -1;	/* opened before the sandbox closes /proc */
static char	*mcast_text;
static size_t	 mcast_size;

void
groups_init(void)
{
	if (mcast_fd != -1)
		close(mcast_fd);
	mcast_fd = open("/proc/net/dev_mcast", O_RDONLY | O_CLOEXEC);
	if (mcast_fd == -1)
		log_warn("/proc/net/dev_mcast: multicast groups other than "
		    "those of addresses will not be heard");
}

int
groups_scan(void)
{
	char	*bigger;
	ssize_t	 n;
	size_t	 len = 0;

	if (mcast_fd == -1 || lseek(mcast_fd, 0, SEEK_SET) == -1)
		return (-1);
	for (;;) {
		if (len + 4096 > mcast_size) {
			if (mcast_size >= TEXT_MAX ||
			    (bigger = realloc(mcast_text,
			    mcast_size + 65536)) == NULL)
				break;
			mcast_text = bigger;
			mcast_size += 65536;
		}
		n = read(mcast_fd, mcast_text + len, mcast_size - len - 1);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	if (mcast_text == NULL)
		return (-1);
	mcast_text[len] = '\0';
	return (0);
}

/* A line: ifindex, name, users, global use, MAC as 12 digits. */
unsigned
groups_host(const struct netif_dev *nd, struct msg_group *dst, unsigned max)
{
	const char	*line, *next;
	char		 digits[16];
	uint64_t	 mac;
	unsigned	 index, n = 0;

	for (line = mcast_text; line != NULL && n < max; line = next) {
		if ((next = strchr(line, '\n')) != NULL)
			next++;
		if (sscanf(line, "%u %*15s %*d %*d %15s", &index, digits) !=
		    2 || index != nd->nd_index ||
		    hex_parse(digits, 12, &mac) == -1)
			continue;
		memset(&dst[n], 0, sizeof(dst[n]));
		dst[n++].mg_mac = mac;
	}
	return (n);
}
