/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The local socket's file: where it is, what is replaced and what is not; and
 * whom the kernel says that we talk to.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "common/localsock.h"
#include "privsep/peercred.h"
#include "ztd-tap/local.h"

/* A parent whose home is the current folder. */
static struct parent *
parent_here(void)
{
	struct parent	*p;

	ATF_REQUIRE((p = calloc(1, sizeof(*p))) != NULL);
	(void)strlcpy(p->p_home, ".", sizeof(p->p_home));
	p->p_root = geteuid() == 0;
	p->p_local = -1;
	p->p_user[PROC_CTL].pu_gid = p->p_root ? 60901 : (gid_t)-1;
	return (p);
}

static int
connected(void)
{
	struct sockaddr_un	 sun;
	int			 fd;

	ATF_REQUIRE(localsock_address(&sun, ".") == 0);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ATF_REQUIRE(fd != -1);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return (fd);
	close(fd);
	return (-1);
}

/* A socket in that place; not listening: as one of a dead process. */
static int
bound(bool listening)
{
	struct sockaddr_un	 sun;
	int			 fd;

	ATF_REQUIRE(localsock_address(&sun, ".") == 0);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ATF_REQUIRE(fd != -1 && bind(fd, (struct sockaddr *)&sun,
	    sizeof(sun)) == 0);
	if (listening)
		ATF_REQUIRE(listen(fd, 1) == 0);
	return (fd);
}

ATF_TC_WITHOUT_HEAD(address);
ATF_TC_BODY(address, tc)
{
	struct sockaddr_un	 sun;
	char			 home[PATH_MAX];

	(void)tc;
	ATF_REQUIRE(localsock_address(&sun, NULL) == 0);
	ATF_CHECK_STREQ(ZTD_RUN "/ztd.sock", sun.sun_path);
	ATF_REQUIRE(localsock_address(&sun, "/some/home") == 0);
	ATF_CHECK_STREQ("/some/home/ztd.sock", sun.sun_path);
	memset(home, 'x', sizeof(home));
	home[sizeof(sun.sun_path) - strlen("/ztd.sock")] = '\0';
	ATF_CHECK(localsock_address(&sun, home) == -1 &&
	    errno == ENAMETOOLONG);
	home[sizeof(sun.sun_path) - strlen("/ztd.sock") - 1] = '\0';
	ATF_CHECK(localsock_address(&sun, home) == 0);
	ATF_CHECK(localsock_system(ZTD_HOME));
	ATF_CHECK(localsock_system(ZTD_HOME "//"));
	ATF_CHECK(!localsock_system(ZTD_HOME "x"));
	ATF_CHECK(!localsock_system("/"));
}

ATF_TC_WITHOUT_HEAD(made);
ATF_TC_BODY(made, tc)
{
	struct parent	*p = parent_here();
	struct stat	 st;
	int		 fd;

	(void)tc;
	local_open(p);
	ATF_REQUIRE(p->p_local != -1);
	ATF_REQUIRE(lstat("ztd.sock", &st) == 0 && S_ISSOCK(st.st_mode));
	ATF_CHECK_EQ(0666, st.st_mode & 07777);
	ATF_CHECK_EQ(geteuid(), st.st_uid);
	if (p->p_root)
		ATF_CHECK_EQ(60901, st.st_gid);
	ATF_CHECK_EQ(geteuid(), p->p_operators.mo_owner);
	ATF_REQUIRE((fd = connected()) != -1);
	close(fd);
	local_close(p);
	ATF_CHECK(lstat("ztd.sock", &st) == -1);
	ATF_CHECK(p->p_local == -1);
	/* Once more is nothing. */
	local_close(p);
	free(p);
}

ATF_TC_WITHOUT_HEAD(stale);
ATF_TC_BODY(stale, tc)
{
	struct parent	*p = parent_here();
	int		 fd;

	(void)tc;
	close(bound(true));
	local_open(p);
	ATF_REQUIRE(p->p_local != -1);
	ATF_REQUIRE((fd = connected()) != -1);
	close(fd);
	/* What another has put there since is not ours to remove. */
	ATF_REQUIRE(unlink("ztd.sock") == 0);
	ATF_REQUIRE((fd = open("ztd.sock", O_CREAT | O_RDWR, 0600)) != -1);
	close(fd);
	local_close(p);
	ATF_CHECK(access("ztd.sock", F_OK) == 0);
	free(p);
}

ATF_TC_WITHOUT_HEAD(foreign);
ATF_TC_BODY(foreign, tc)
{
	struct parent	*p = parent_here();
	struct stat	 st;
	int		 fd, other;

	(void)tc;
	/* A file, a folder, a link. */
	ATF_REQUIRE((fd = open("ztd.sock", O_CREAT | O_RDWR, 0600)) != -1);
	close(fd);
	local_open(p);
	ATF_CHECK(p->p_local == -1);
	ATF_CHECK(lstat("ztd.sock", &st) == 0 && S_ISREG(st.st_mode));
	ATF_REQUIRE(unlink("ztd.sock") == 0);
	ATF_REQUIRE(mkdir("ztd.sock", 0700) == 0);
	local_open(p);
	ATF_CHECK(p->p_local == -1);
	ATF_REQUIRE(rmdir("ztd.sock") == 0);
	ATF_REQUIRE(symlink("nowhere", "ztd.sock") == 0);
	local_open(p);
	ATF_CHECK(p->p_local == -1);
	ATF_REQUIRE(unlink("ztd.sock") == 0);
	/* One that is served. */
	other = bound(true);
	local_open(p);
	ATF_CHECK(p->p_local == -1);
	ATF_REQUIRE((fd = connected()) != -1);
	close(fd);
	close(other);
	/* One that somebody else left. */
	if (geteuid() == 0) {
		ATF_REQUIRE(chown("ztd.sock", 12345, 12345) == 0);
		local_open(p);
		ATF_CHECK(p->p_local == -1);
		ATF_CHECK(lstat("ztd.sock", &st) == 0 && st.st_uid == 12345);
	}
	free(p);
}

ATF_TC_WITHOUT_HEAD(peer);
ATF_TC_BODY(peer, tc)
{
	struct peercred	 pc;
	int		 fds[2], fd;

	(void)tc;
	ATF_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	ATF_REQUIRE(peercred_get(fds[0], &pc) == 0);
	ATF_CHECK_EQ(geteuid(), pc.pc_uid);
	ATF_CHECK_EQ(getegid(), pc.pc_gid);
	ATF_CHECK(pc.pc_ngroups <= PEERCRED_GROUPS);
	close(fds[0]);
	close(fds[1]);
	/* Others say nothing of anybody. */
	ATF_REQUIRE((fd = socket(AF_INET, SOCK_STREAM, 0)) != -1);
	ATF_CHECK_EQ(-1, peercred_get(fd, &pc));
	close(fd);
	ATF_CHECK_EQ(-1, peercred_get(-1, &pc));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, address);
	ATF_TP_ADD_TC(tp, made);
	ATF_TP_ADD_TC(tp, stale);
	ATF_TP_ADD_TC(tp, foreign);
	ATF_TP_ADD_TC(tp, peer);
	return (atf_no_error());
}
