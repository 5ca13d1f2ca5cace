/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Reading and replacing small files, and what is left when that fails.
 */

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "common/file.h"

#define NOBODY	((uid_t)-1), ((gid_t)-1)

/* The file holds exactly this text. */
static void
check_file(int dirfd, const char *path, const char *text)
{
	char	*p;
	size_t	 len;

	ATF_REQUIRE_MSG((p = file_read(dirfd, path, 1 << 20, &len)) != NULL,
	    "%s: %s", path, strerror(errno));
	ATF_CHECK_EQ(strlen(text), len);
	ATF_CHECK_STREQ(text, p);
	free(p);
}

/* Files in a folder, without . and .. */
static int
count_files(const char *path)
{
	struct dirent	*e;
	DIR		*d;
	int		 n = 0;

	ATF_REQUIRE((d = opendir(path)) != NULL);
	while ((e = readdir(d)) != NULL)
		n += strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0;
	closedir(d);
	return (n);
}

ATF_TC_WITHOUT_HEAD(write_read);
ATF_TC_BODY(write_read, tc)
{
	struct stat	 st;
	char		*big, *p;
	size_t		 len, i, n = 300000;

	(void)tc;
	ATF_REQUIRE_EQ(0, mkdir("d", 0700));
	ATF_CHECK_EQ(0, file_write(AT_FDCWD, "d/f", "one", 3, 0600, NOBODY));
	check_file(AT_FDCWD, "d/f", "one");
	ATF_CHECK_EQ(0, file_write(AT_FDCWD, "d/f", "", 0, 0600, NOBODY));
	check_file(AT_FDCWD, "d/f", "");

	ATF_REQUIRE((big = malloc(n)) != NULL);
	for (i = 0; i < n; i++)
		big[i] = (char)(i * 31 >> 3);
	ATF_CHECK_EQ(0, file_write(AT_FDCWD, "d/f", big, n, 0600, NOBODY));
	ATF_REQUIRE((p = file_read(AT_FDCWD, "d/f", n, &len)) != NULL);
	ATF_CHECK_EQ(n, len);
	ATF_CHECK_EQ(0, memcmp(big, p, n));
	ATF_CHECK_EQ('\0', p[n]);
	free(p);
	free(big);
	ATF_CHECK_EQ(1, count_files("d"));
	ATF_REQUIRE_EQ(0, stat("d/f", &st));
	ATF_CHECK_EQ(1, st.st_nlink);
}

ATF_TC_WITHOUT_HEAD(mode);
ATF_TC_BODY(mode, tc)
{
	static const mode_t	modes[] = { 0600, 0644, 0640, 0666, 0400 };
	struct stat		st;
	size_t			i;

	(void)tc;
	/* Exactly as asked, whatever the umask is and the old one was. */
	umask(0077);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		ATF_CHECK_EQ(0, file_write(AT_FDCWD, "f", "x", 1, modes[i],
		    getuid(), getgid()));
		ATF_REQUIRE_EQ(0, stat("f", &st));
		ATF_CHECK_EQ(modes[i], st.st_mode & 07777);
		ATF_CHECK_EQ(getuid(), st.st_uid);
	}
}

ATF_TC(owner);
ATF_TC_HEAD(owner, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(owner, tc)
{
	struct stat	st;

	(void)tc;
	ATF_CHECK_EQ(0, file_write(AT_FDCWD, "f", "x", 1, 0640, 12, 34));
	ATF_REQUIRE_EQ(0, stat("f", &st));
	ATF_CHECK_EQ(12, st.st_uid);
	ATF_CHECK_EQ(34, st.st_gid);
	ATF_CHECK_EQ(0640, st.st_mode & 07777);
	/* One of the two alone. */
	ATF_CHECK_EQ(0, file_write(AT_FDCWD, "f", "x", 1, 0640, (uid_t)-1,
	    34));
	ATF_REQUIRE_EQ(0, stat("f", &st));
	ATF_CHECK_EQ(0, st.st_uid);
	ATF_CHECK_EQ(34, st.st_gid);
}

ATF_TC_WITHOUT_HEAD(dirfd);
ATF_TC_BODY(dirfd, tc)
{
	char	path[PATH_MAX];
	int	fd;

	(void)tc;
	ATF_REQUIRE_EQ(0, mkdir("d", 0700));
	ATF_REQUIRE_EQ(0, mkdir("d/e", 0700));
	ATF_REQUIRE((fd = open("d", O_RDONLY | O_DIRECTORY)) != -1);
	ATF_CHECK_EQ(0, file_write(fd, "f", "here", 4, 0600, NOBODY));
	ATF_CHECK_EQ(0, file_write(fd, "e/f", "there", 5, 0600, NOBODY));
	check_file(fd, "f", "here");
	check_file(AT_FDCWD, "d/f", "here");
	check_file(fd, "e/f", "there");
	/* An absolute path does not care for the folder. */
	ATF_REQUIRE(getcwd(path, sizeof(path) - 2) != NULL);
	strlcat(path, "/a", sizeof(path));
	ATF_CHECK_EQ(0, file_write(fd, path, "abs", 3, 0600, NOBODY));
	check_file(fd, path, "abs");
	check_file(AT_FDCWD, "a", "abs");
	close(fd);
}

ATF_TC_WITHOUT_HEAD(limit);
ATF_TC_BODY(limit, tc)
{
	char	*p;
	size_t	 len;

	(void)tc;
	ATF_REQUIRE_EQ(0, file_write(AT_FDCWD, "f", "12345", 5, 0600,
	    NOBODY));
	ATF_CHECK_ERRNO(EFBIG, file_read(AT_FDCWD, "f", 4, &len) == NULL);
	ATF_CHECK_ERRNO(EFBIG, file_read(AT_FDCWD, "f", 0, &len) == NULL);
	ATF_REQUIRE((p = file_read(AT_FDCWD, "f", 5, &len)) != NULL);
	ATF_CHECK_STREQ("12345", p);
	free(p);
	ATF_REQUIRE((p = file_read(AT_FDCWD, "f", SIZE_MAX, &len)) != NULL);
	free(p);
	ATF_REQUIRE_EQ(0, file_write(AT_FDCWD, "f", "", 0, 0600, NOBODY));
	ATF_REQUIRE((p = file_read(AT_FDCWD, "f", 0, &len)) != NULL);
	ATF_CHECK_EQ(0, len);
	free(p);
}

ATF_TC_WITHOUT_HEAD(not_regular);
ATF_TC_BODY(not_regular, tc)
{
	size_t	len;

	(void)tc;
	ATF_CHECK_ERRNO(ENOENT, file_read(AT_FDCWD, "no", 9, &len) == NULL);
	ATF_REQUIRE_EQ(0, mkdir("d", 0700));
	ATF_CHECK_ERRNO(EISDIR, file_read(AT_FDCWD, "d", 9, &len) == NULL);
	/* Without a writer this would wait for ever. */
	ATF_REQUIRE_EQ(0, mkfifo("p", 0600));
	ATF_CHECK_ERRNO(EINVAL, file_read(AT_FDCWD, "p", 9, &len) == NULL);
	ATF_CHECK_ERRNO(EINVAL,
	    file_read(AT_FDCWD, "/dev/zero", 9, &len) == NULL);
}

ATF_TC(owned);
ATF_TC_HEAD(owned, tc)
{
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(owned, tc)
{
	char	*p;
	size_t	 len;

	(void)tc;
	ATF_REQUIRE_EQ(0, file_write(AT_FDCWD, "f", "x", 1, 0600, 12, 34));
	ATF_REQUIRE((p = file_read_owned(AT_FDCWD, "f", 12, 9, &len)) !=
	    NULL);
	ATF_CHECK_STREQ("x", p);
	free(p);
	ATF_CHECK_ERRNO(EPERM,
	    file_read_owned(AT_FDCWD, "f", 0, 9, &len) == NULL);
	ATF_REQUIRE_EQ(0, symlink("f", "l"));
	ATF_CHECK(file_read_owned(AT_FDCWD, "l", 12, 9, &len) == NULL);
	ATF_REQUIRE((p = file_read(AT_FDCWD, "l", 9, &len)) != NULL);
	free(p);
	ATF_REQUIRE_EQ(0, link("f", "second"));
	ATF_CHECK_ERRNO(EPERM,
	    file_read_owned(AT_FDCWD, "f", 12, 9, &len) == NULL);
}

/* A failed replacement leaves the old file, and nothing else. */
ATF_TC_WITHOUT_HEAD(failure);
ATF_TC_BODY(failure, tc)
{
	static char	text[4096];
	char		name[300];
	struct rlimit	rl;

	(void)tc;
	ATF_REQUIRE_EQ(0, mkdir("d", 0700));
	ATF_REQUIRE_EQ(0, file_write(AT_FDCWD, "d/f", "old", 3, 0600,
	    NOBODY));
	ATF_REQUIRE_EQ(0, mkdir("d/sub", 0700));

	/* Renaming over a folder. */
	ATF_CHECK_EQ(-1, file_write(AT_FDCWD, "d/sub", "x", 1, 0600,
	    NOBODY));
	ATF_CHECK(errno == EISDIR || errno == EEXIST || errno == ENOTEMPTY);
	/* No folder, no name, too long a name. */
	ATF_CHECK_EQ(-1, file_write(AT_FDCWD, "no/f", "x", 1, 0600, NOBODY));
	ATF_CHECK_EQ(ENOENT, errno);
	ATF_CHECK_EQ(-1, file_write(AT_FDCWD, "d/", "x", 1, 0600, NOBODY));
	ATF_CHECK_EQ(-1, file_write(AT_FDCWD, "", "x", 1, 0600, NOBODY));
	ATF_CHECK_EQ(-1, file_write(AT_FDCWD, "d/..", "x", 1, 0600, NOBODY));
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	ATF_CHECK_EQ(-1, file_write(AT_FDCWD, name, "x", 1, 0600, NOBODY));
	ATF_CHECK_EQ(ENAMETOOLONG, errno);

	/* A full disk, or the nearest thing to it that any user can have. */
	signal(SIGXFSZ, SIG_IGN);
	rl.rlim_cur = rl.rlim_max = 1024;
	ATF_REQUIRE_EQ(0, setrlimit(RLIMIT_FSIZE, &rl));
	ATF_CHECK_EQ(-1, file_write(AT_FDCWD, "d/f", text, sizeof(text),
	    0600, NOBODY));
	ATF_CHECK_EQ(EFBIG, errno);
	check_file(AT_FDCWD, "d/f", "old");
	ATF_CHECK_EQ(2, count_files("d"));
}

/* A link in the file's place is replaced, what it leads to is not touched. */
ATF_TC_WITHOUT_HEAD(symlinks);
ATF_TC_BODY(symlinks, tc)
{
	struct stat	st;

	(void)tc;
	ATF_REQUIRE_EQ(0, file_write(AT_FDCWD, "victim", "mine", 4, 0600,
	    NOBODY));
	ATF_REQUIRE_EQ(0, symlink("victim", "f"));
	ATF_CHECK_EQ(0, file_write(AT_FDCWD, "f", "new", 3, 0600, NOBODY));
	check_file(AT_FDCWD, "victim", "mine");
	check_file(AT_FDCWD, "f", "new");
	ATF_REQUIRE_EQ(0, lstat("f", &st));
	ATF_CHECK(S_ISREG(st.st_mode));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, write_read);
	ATF_TP_ADD_TC(tp, mode);
	ATF_TP_ADD_TC(tp, owner);
	ATF_TP_ADD_TC(tp, dirfd);
	ATF_TP_ADD_TC(tp, limit);
	ATF_TP_ADD_TC(tp, not_regular);
	ATF_TP_ADD_TC(tp, owned);
	ATF_TP_ADD_TC(tp, failure);
	ATF_TP_ADD_TC(tp, symlinks);
	return (atf_no_error());
}
