/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * OpenBSD: unveil what there is to see, pledge what there is to do.
 * Spec: 06 section 12.3.
 */

#include <sys/types.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "privsep/sandbox.h"

#define PROMISES_MAX	128

#define NEED_READ	0x01
#define NEED_WRITE	0x02
#define NEED_INET	0x04
#define NEED_UNIX	0x08

static const struct {
	unsigned	 need;		/* 0: everyone */
	const char	*promise;
} promises[] = {
	/* stdio: memory, time, the channels, the event loop */
	{ 0, "stdio" },
	/* recvfd: MSG_CHANNEL, MSG_FRAMES, MSG_LISTENER */
	{ 0, "recvfd" },
	/* rpath: read the files of its folders */
	{ NEED_READ, "rpath" },
	/* wpath: write them */
	{ NEED_WRITE, "wpath" },
	/* cpath: temporary files, rename, unlink, mkdir */
	{ NEED_WRITE, "cpath" },
	/* fattr: modes of files that replace others */
	{ NEED_WRITE, "fattr" },
	/* flock: the lock of a database */
	{ NEED_WRITE, "flock" },
	/* inet: UDP sockets; accepted and outgoing TCP */
	{ NEED_INET, "inet" },
	/* unix: accept on the local control socket */
	{ NEED_UNIX, "unix" }
};

static int	show(const char *, const char *, const char **);
static int	promise(unsigned, const char **);

/* "proc" is not promised. */
bool
sandbox_forbids_fork(void)
{
	return (true);
}

int
sandbox_enter(const struct confine *co, const char **what)
{
	const size_t	n = sizeof(co->co_rw) / sizeof(co->co_rw[0]);
	unsigned	needs = 0;
	size_t		i;

	for (i = 0; i < n; i++) {
		if (show(co->co_rw[i], "rwc", what) == -1 ||
		    show(co->co_ro[i], "r", what) == -1)
			return (-1);
		if (co->co_rw[i] != NULL)
			needs |= NEED_READ | NEED_WRITE;
		if (co->co_ro[i] != NULL)
			needs |= NEED_READ;
	}
	/* With no path shown, all of the root folder would still be there. */
	if ((needs & NEED_READ) == 0 && show("/", "", what) == -1)
		return (-1);
	if (co->co_udp || co->co_tcp || co->co_connect)
		needs |= NEED_INET;
	if (co->co_tcp)
		needs |= NEED_UNIX;
	return (promise(needs, what));
}

static int
promise(unsigned needs, const char **what)
{
	char	text[PROMISES_MAX] = "";
	size_t	i;

	*what = "pledge";
	for (i = 0; i < sizeof(promises) / sizeof(promises[0]); i++) {
		if (promises[i].need != 0 && (promises[i].need & needs) == 0)
			continue;
		if (strlcat(text, promises[i].promise, sizeof(text)) >=
		    sizeof(text) ||
		    strlcat(text, " ", sizeof(text)) >= sizeof(text)) {
			errno = ENAMETOOLONG;
			return (-1);
		}
	}
	/* This ends unveil(2) too.  What is executed gets nothing. */
	return (pledge(text, ""));
}

/*
 * Unveiled but not pledged: the ioctls that make a tap and give it an
 * address are in no promise.
 */
int
sandbox_parent(const char *home, const char **what)
{
	/* the home: identity, settings, networks.d */
	if (show(home, "rwc", what) == -1 ||
	/* tap nodes, and making them; /dev/null for children */
	    show("/dev", "rwc", what) == -1 ||
	/* who is in our group now: getgrgid(3), getpwnam(3) */
	    show("/etc/group", "r", what) == -1 ||
	    show("/etc/pwd.db", "r", what) == -1 ||
	/* the pid file and the local socket */
	    show("/var/run", "rwc", what) == -1 ||
	/* children: wherever the programs are installed; not to be read */
	    show("/", "x", what) == -1)
		return (-1);
	*what = "unveil";
	return (unveil(NULL, NULL));
}

static int
show(const char *path, const char *rights, const char **what)
{
	if (path == NULL)
		return (0);
	*what = path;
	return (unveil(path, rights));
}
