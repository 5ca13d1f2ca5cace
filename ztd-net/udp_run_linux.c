/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Runs of datagrams on Linux: UDP_SEGMENT (4.18) and UDP_GRO (5.0).
 * Spec: 06 section 10.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#include <string.h>

#include "ztd-net/udp_batch.h"

_Static_assert(CMSG_SPACE(sizeof(int)) <= UDP_RUN_CONTROL, "ancillary data");

bool
udp_coalesce(int fd)
{
	socklen_t	 len = sizeof(int);
	int		 on = 1, size;

	/* Both or none: the second has been there for longer. */
	return (setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on)) == 0 &&
	    getsockopt(fd, SOL_UDP, UDP_SEGMENT, &size, &len) == 0);
}

void
udp_run_mark(struct msghdr *mh, size_t size)
{
	uint16_t	 n = (uint16_t)size;
	struct cmsghdr	*cm;

	mh->msg_controllen = CMSG_SPACE(sizeof(n));
	memset(mh->msg_control, 0, mh->msg_controllen);
	cm = CMSG_FIRSTHDR(mh);
	cm->cmsg_level = SOL_UDP;
	cm->cmsg_type = UDP_SEGMENT;
	cm->cmsg_len = CMSG_LEN(sizeof(n));
	memcpy(CMSG_DATA(cm), &n, sizeof(n));
}

size_t
udp_run_size(struct msghdr *mh)
{
	struct cmsghdr	*cm;
	int		 size;

	for (cm = CMSG_FIRSTHDR(mh); cm != NULL; cm = CMSG_NXTHDR(mh, cm)) {
		if (cm->cmsg_level == SOL_UDP && cm->cmsg_type == UDP_GRO &&
		    cm->cmsg_len >= CMSG_LEN(sizeof(size))) {
			memcpy(&size, CMSG_DATA(cm), sizeof(size));
			return (size > 0 ? (size_t)size : 0);
		}
	}
	return (0);
}
