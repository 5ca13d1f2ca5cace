/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Multicast groups on Linux: /proc/net/dev_mcast, which has the link-layer
 * joins as well.  It is read when netlink (since 6.14) or a report on a tap
 * tells of a change, and every 30 s.
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

#define TEXT_MAX	(64 * 1024 * 1024)
#define ENTRIES_MORE	1024

struct entry {
	unsigned	 en_index;
	uint64_t	 en_mac;
};

static void	 parse(void);
static int	 entry_cmp(const void *, const void *);

static int	 mcast_fd = -1;	/* opened before the sandbox closes /proc */
static char	*mcast_text;
static size_t	 mcast_size;
static struct entry *entries;	/* as scanned, by interface */
static size_t	 nentries, room;

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

unsigned
groups_poll(void)
{
	return (30);
}

int
groups_scan(void)
{
	char	*bigger;
	ssize_t	 n;
	size_t	 len = 0, more;

	if (mcast_fd == -1 || lseek(mcast_fd, 0, SEEK_SET) == -1)
		return (-1);
	for (;;) {
		if (len + 4096 > mcast_size) {
			more = mcast_size == 0 ? 65536 : mcast_size * 2;
			if (more > TEXT_MAX ||
			    (bigger = realloc(mcast_text, more)) == NULL)
				break;
			mcast_text = bigger;
			mcast_size = more;
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
	parse();
	return (0);
}

/*
 * A line: ifindex, name, users, global use, MAC as 12 digits.  Those of one
 * interface stand together, in the order of the interfaces.
 */
static void
parse(void)
{
	struct entry	*bigger, e;
	const char	*line, *next;
	char		 digits[16];

	nentries = 0;
	for (line = mcast_text; line != NULL; line = next) {
		if ((next = strchr(line, '\n')) != NULL)
			next++;
		if (sscanf(line, "%u %*15s %*d %*d %15s", &e.en_index,
		    digits) != 2 || hex_parse(digits, 12, &e.en_mac) == -1)
			continue;
		if (nentries == room) {
			bigger = reallocarray(entries, room + ENTRIES_MORE,
			    sizeof(*bigger));
			if (bigger == NULL)
				break;
			entries = bigger;
			room += ENTRIES_MORE;
		}
		entries[nentries++] = e;
	}
	if (nentries > 0)
		qsort(entries, nentries, sizeof(*entries), entry_cmp);
}

static int
entry_cmp(const void *ap, const void *bp)
{
	const struct entry	*a = ap, *b = bp;

	if (a->en_index != b->en_index)
		return (a->en_index < b->en_index ? -1 : 1);
	return (a->en_mac < b->en_mac ? -1 : a->en_mac > b->en_mac);
}

unsigned
groups_host(const struct netif_dev *nd, struct msg_group *dst, unsigned max)
{
	size_t		 low = 0, high = nentries, mid;
	unsigned	 n = 0;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (entries[mid].en_index < nd->nd_index)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < nentries && entries[low].en_index == nd->nd_index &&
	    n < max; low++) {
		memset(&dst[n], 0, sizeof(dst[n]));
		dst[n++].mg_mac = entries[low].en_mac;
	}
	return (n);
}
