/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The engine's folder of peers cannot grow without bound.  Spec: 02 section
 * 10.5.
 */

#include <sys/stat.h>

#include <atf-c.h>

#define PEER_FILES	4096
#include "ztd-net/state.c"

#define OLD	1000
#define NEW	(PEER_FILES - 100)

/* Make n files that were written so many hours ago. */
static void
make_files(int folder, unsigned first, unsigned n, int hours)
{
	struct timespec	 ts[2];
	char		 name[STATE_NAME];
	unsigned	 i;
	int		 fd;

	memset(ts, 0, sizeof(ts));
	ts[0].tv_sec = ts[1].tv_sec = time(NULL) - hours * 3600;
	for (i = first; i < first + n; i++) {
		(void)snprintf(name, sizeof(name), "%010x.peer", i);
		fd = openat(folder, name, O_WRONLY | O_CREAT, 0600);
		ATF_REQUIRE(fd != -1);
		ATF_REQUIRE_EQ(futimens(fd, ts), 0);
		(void)close(fd);
	}
}

static int
exists(int folder, unsigned i)
{
	struct stat	 st;
	char		 name[STATE_NAME];

	(void)snprintf(name, sizeof(name), "%010x.peer", i);
	return (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0);
}

/* What is too old goes; with too many files the oldest of them go, too. */
ATF_TC_WITHOUT_HEAD(peers_bounded);
ATF_TC_BODY(peers_bounded, tc)
{
	int	 folder;

	(void)tc;
	ATF_REQUIRE_EQ(mkdir("peers.d", 0700), 0);
	folder = open("peers.d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ATF_REQUIRE(folder != -1);
	make_files(folder, 0, 1, 24 * PEER_DAYS + 1);
	make_files(folder, 1, OLD, 100);
	sweep_peers(folder);
	ATF_CHECK(!exists(folder, 0));
	ATF_CHECK(exists(folder, 1) && exists(folder, OLD));
	make_files(folder, 1 + OLD, NEW, 1);
	sweep_peers(folder);
	ATF_CHECK(!exists(folder, 1) && !exists(folder, OLD));
	ATF_CHECK(exists(folder, 1 + OLD) && exists(folder, OLD + NEW));
	ATF_CHECK_EQ(sweep(folder, PEER_DAYS * 86400), NEW);
	(void)close(folder);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, peers_bounded);
	return (atf_no_error());
}
