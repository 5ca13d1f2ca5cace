/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The files that the engine owns: networks.d/ID.conf, moons.d/ID.moon,
 * peers.d/ADDRESS.peer; and the planet, which it may only read (the parent
 * writes it).  Spec: 01 section 18.1, 02 section 10.5, 03 section 3.7.
 */

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/address.h"
#include "common/file.h"
#include "common/log.h"
#include "ztd-net/engine.h"

#define STATE_NAME	32
#define PEER_DAYS	30	/* a peer not written for longer is dropped */
#define SWEEP_HOURS	1
#ifndef PEER_FILES		/* fewer in a test */
#define PEER_FILES	65536	/* with more of them they are dropped sooner */
#endif

static int
open_folder(int home, const char *name)
{
	int	 fd;

	fd = openat(home, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		fatal("cannot open folder %s", name);
	return (fd);
}

void
state_open(struct engine *e, const char *home)
{
	e->e_home = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (e->e_home == -1)
		fatal("cannot open folder %s", home);
	e->e_networks = open_folder(e->e_home, "networks.d");
	e->e_moons = open_folder(e->e_home, "moons.d");
	e->e_peers = open_folder(e->e_home, "peers.d");
}

/* Folder and name of a piece of state. */
static int
state_name(const struct engine *e, enum node_state what, uint64_t id,
    char name[STATE_NAME])
{
	unsigned long long	 n = id;

	switch (what) {
	case STATE_NETWORK:
		(void)snprintf(name, STATE_NAME, "%016llx.conf", n);
		return (e->e_networks);
	case STATE_MOON:
		(void)snprintf(name, STATE_NAME, "%016llx.moon", n);
		return (e->e_moons);
	case STATE_PEER:
		(void)snprintf(name, STATE_NAME, "%010llx.peer", n);
		return (e->e_peers);
	case STATE_PLANET:
	default:
		(void)snprintf(name, STATE_NAME, "planet");
		return (e->e_home);
	}
}

void
state_store(struct engine *e, enum node_state what, uint64_t id,
    const void *p, size_t len)
{
	char	 name[STATE_NAME];
	int	 dir;

	if (what == STATE_PLANET) {
		(void)channel_send(e->e_parent, MSG_PLANET, 0, -1, p, len);
		return;
	}
	dir = state_name(e, what, id, name);
	if (len == 0) {
		if (unlinkat(dir, name, 0) == -1 && errno != ENOENT)
			log_warn("cannot remove %s", name);
		return;
	}
	/* Caches: all of it can be had again from the network. */
	if (file_write_cache(dir, name, p, len, 0600) == -1)
		log_warn("cannot write %s", name);
}

size_t
state_load(struct engine *e, enum node_state what, uint64_t id, void *p,
    size_t size)
{
	char	 name[STATE_NAME];
	char	*data;
	size_t	 len;
	int	 dir;

	dir = state_name(e, what, id, name);
	if ((data = file_read(dir, name, size, &len)) == NULL) {
		if (errno != ENOENT)
			log_warn("cannot read %s: ignored", name);
		return (0);
	}
	memcpy(p, data, len);
	free(data);
	return (len);
}

/*
 * Drop files left half written and, with age not 0, those that were not
 * written for so many seconds.  Returns how many stay.
 */
static size_t
sweep(int folder, time_t age)
{
	struct dirent	*de;
	struct stat	 st;
	time_t		 now = time(NULL);
	size_t		 len, left = 0;
	DIR		*dir;
	bool		 temp;
	int		 fd;

	if ((fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) ==
	    -1)
		return (0);
	if ((dir = fdopendir(fd)) == NULL) {
		(void)close(fd);
		return (0);
	}
	while ((de = readdir(dir)) != NULL) {
		len = strlen(de->d_name);
		temp = len > 0 && de->d_name[len - 1] == '~';
		if ((!temp && age == 0) || fstatat(folder, de->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) == -1 || !S_ISREG(st.st_mode))
			continue;
		if (now - st.st_mtime <= (temp ? 3600 : age) ||
		    unlinkat(folder, de->d_name, 0) == -1)
			left++;
	}
	(void)closedir(dir);
	return (left);
}

/* Anybody can become a peer of a root, and each has a file there. */
static void
sweep_peers(int folder)
{
	time_t	 age = PEER_DAYS * 86400;

	while (sweep(folder, age) > PEER_FILES && age > 60)
		age /= 2;
}

static void
sweep_timer(int fd, short what, void *arg)
{
	struct engine	*e = arg;

	(void)fd;
	(void)what;
	sweep_peers(e->e_peers);
	(void)sweep(e->e_networks, 0);
	(void)sweep(e->e_moons, 0);
}

void
state_start(struct engine *e)
{
	static const struct timeval	 hour = { SWEEP_HOURS * 3600, 0 };
	struct event			*ev;

	ev = event_new(e->e_base, -1, EV_PERSIST, sweep_timer, e);
	if (ev == NULL || event_add(ev, &hour) == -1)
		fatalx("cannot set a timer");
	sweep_timer(-1, 0, e);
}

void
state_orbit_moons(struct engine *e, int64_t now)
{
	struct dirent	*de;
	char		 id[NWID_TEXT];
	uint64_t	 moon;
	DIR		*dir;
	int		 fd;

	if ((fd = openat(e->e_moons, ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1 || (dir = fdopendir(fd)) == NULL) {
		log_warn("cannot read moons.d");
		return;
	}
	while ((de = readdir(dir)) != NULL) {
		if (strlen(de->d_name) != NWID_TEXT - 1 + 5 ||
		    strcmp(de->d_name + NWID_TEXT - 1, ".moon") != 0)
			continue;
		memcpy(id, de->d_name, NWID_TEXT - 1);
		id[NWID_TEXT - 1] = '\0';
		if (nwid_parse(id, &moon) == -1 ||
		    node_orbit(e->e_node, now, moon, 0) == -1)
			log_warnx("moons.d/%s is damaged or not that moon, "
			    "ignored", de->d_name);
	}
	(void)closedir(dir);
}
