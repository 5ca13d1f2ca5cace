/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ztd-tap/usage.h"

/*
 * /proc/PID/stat: behind the name, which may hold anything, utime and stime
 * are the 12th and 13th word, in ticks, and the resident pages the 22nd.
 */
#define STAT_FORMAT	" %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "	\
			    "%" SCNu64 " %" SCNu64 " %*s %*s %*s %*s "	\
			    "%*s %*s %*s %*s %" SCNu64

int
usage_get(pid_t pid, struct usage *us)
{
	char		 path[64], text[1024];
	const char	*p;
	uint64_t	 user, sys, pages;
	ssize_t		 n;
	int		 fd;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return (-1);
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	if (n <= 0)
		return (-1);
	text[n] = '\0';
	if ((p = strrchr(text, ')')) == NULL ||
	    sscanf(p + 1, STAT_FORMAT, &user, &sys, &pages) != 3)
		return (-1);
	us->us_cpu = (user + sys) * 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
	us->us_resident = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	return (0);
}
