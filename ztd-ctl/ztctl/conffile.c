/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * local.conf as a file: read, judged as the service judges it, replaced.
 * Spec: 05 section 11.
 */

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/log.h"
#include "common/settings.h"
#include "ztd-ctl/config.h"
#include "ztd-ctl/ztctl/ztctl.h"

#define CONF_FILE	"local.conf"
#define NEW_MODE	0640	/* of one that was not there */
#define ERROR_TEXT	512

static char	*read_input(size_t *);
static void	 tell(int, const char *, void *);
static void	 say(const char *, const char *);
static void	 cannot(const char *, const char *);
static int	 open_home(const struct conn *);

char *
conf_read_home(const struct conn *cn, size_t *len)
{
	char	 path[PATH_MAX], *text;

	(void)snprintf(path, sizeof(path), "%s/%s", cn->cn_home, CONF_FILE);
	text = file_read(AT_FDCWD, path, SETTINGS_TEXT, len);
	if (text == NULL && errno == ENOENT &&
	    access(cn->cn_home, X_OK) == 0) {
		*len = 0;
		text = strdup("");
	}
	if (text == NULL)
		cannot("read", path);
	return (text);
}

char *
conf_read(const char *file, size_t *len)
{
	char	*text;

	if (strcmp(file, "-") == 0)
		text = read_input(len);
	else
		text = file_read(AT_FDCWD, file, SETTINGS_TEXT, len);
	if (text == NULL)
		cannot("read", file);
	return (text);
}

/* One byte more than there may be shows that there is more. */
static char *
read_input(size_t *len)
{
	char	*text;
	size_t	 n = 0;
	ssize_t	 got = 1;

	if ((text = malloc(SETTINGS_TEXT + 2)) == NULL)
		return (NULL);
	while (got > 0 && n <= SETTINGS_TEXT) {
		got = read(STDIN_FILENO, text + n, SETTINGS_TEXT + 1 - n);
		if (got > 0)
			n += (size_t)got;
		else if (got == -1 && errno == EINTR)
			got = 1;
	}
	if (got == -1 || n > SETTINGS_TEXT) {
		if (got != -1)
			errno = EFBIG;
		free(text);
		return (NULL);
	}
	text[n] = '\0';
	*len = n;
	return (text);
}

static void
cannot(const char *what, const char *path)
{
	if (errno == EFBIG)
		(void)fprintf(stderr, "%s: longer than %d bytes\n", path,
		    SETTINGS_TEXT);
	else
		(void)fprintf(stderr, "%s: cannot %s: %s\n", path, what,
		    strerror(errno));
}

int
conf_judge(const char *name, const char *text, size_t len, bool odd,
    struct settings *s)
{
	struct settings	 unused;
	char		 error[ERROR_TEXT];
	int		 rv;

	/* Verbose: no line is held back. */
	log_init("ztctl", true, true);
	log_set_sink(tell, odd ? (void *)(uintptr_t)name : NULL);
	rv = config_parse(text, len, s != NULL ? s : &unused, error,
	    sizeof(error));
	log_set_sink(NULL, NULL);
	if (rv == -1)
		say(name, error);
	return (rv);
}

static void
tell(int level, const char *line, void *name)
{
	(void)level;
	if (name != NULL)
		say(name, line);
}

/* On a terminal; a text of the file may hold commands to it. */
static void
say(const char *name, const char *line)
{
	const unsigned char	*p;

	(void)fprintf(stderr, "%s: ", name);
	for (p = (const unsigned char *)line; *p != '\0'; p++)
		(void)fputc(*p < ' ' || *p > '~' ? '?' : *p, stderr);
	(void)fputc('\n', stderr);
}

/* ---- replacing --------------------------------------------------- */

static int
open_home(const struct conn *cn)
{
	int	 fd;

	fd = open(cn->cn_home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		cannot("open", cn->cn_home);
	return (fd);
}

int
conf_replaceable(const struct conn *cn)
{
	struct stat	 st;
	char		 path[PATH_MAX], to[PATH_MAX];
	ssize_t		 n;

	(void)snprintf(path, sizeof(path), "%s/%s", cn->cn_home, CONF_FILE);
	if (lstat(path, &st) == -1 || S_ISREG(st.st_mode))
		return (0);
	if ((n = readlink(path, to, sizeof(to) - 1)) == -1)
		n = 0;
	to[n] = '\0';
	(void)fprintf(stderr, "%s is %s%s: it is kept in another place and can "
	    "be changed only there\n", path, n > 0 ? "a link to " :
	    "no regular file", to);
	return (-1);
}

/* Owner root, and of the group and mode that it has. */
int
conf_install(const struct conn *cn, const char *text, size_t len)
{
	struct stat	 st, home;
	mode_t		 mode = NEW_MODE;
	gid_t		 gid;
	int		 fd, rv = -1;

	if (conf_replaceable(cn) == -1 || (fd = open_home(cn)) == -1)
		return (-1);
	if (fstat(fd, &home) == -1) {
		cannot("look at", cn->cn_home);
		(void)close(fd);
		return (-1);
	}
	gid = home.st_gid;
	if (fstatat(fd, CONF_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		mode = st.st_mode & 0777;
		gid = st.st_gid;
	}
	if (file_write(fd, CONF_FILE, text, len, mode, (uid_t)-1,
	    geteuid() == 0 ? gid : (gid_t)-1) == 0)
		rv = 0;
	else
		(void)fprintf(stderr, "%s/%s: cannot be written: %s; it is as "
		    "it was\n", cn->cn_home, CONF_FILE, strerror(errno));
	(void)close(fd);
	return (rv);
}
