/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Where the service is and what opens it: the local socket, on which root and
 * the members of its group need nothing, or port and token from the home
 * folder.  Spec: 05 section 13.1.
 */

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/localsock.h"
#include "ztd-ctl/ztctl/ztctl.h"

#define PORT_FILE	"zerotier-one.port"
#define TOKEN_FILE	"authtoken.secret"
#define USER_TOKEN	".zeroTierOneAuthToken"
#define SMALL_FILE	4096

static int	 find(struct conn *, bool);
static bool	 local_find(struct conn *, const char *);
static unsigned	 find_port(const struct conn *);
static char	*read_small(const char *, const char *);
static char	*trim(char *);

const char *
home_default(void)
{
	const char	*p;

	p = getenv("ZEROTIER_HOME");
	return (p != NULL && *p != '\0' ? p : ZTD_HOME);
}

int
home_find(struct conn *cn)
{
	return (find(cn, true));
}

/* A port file outlives the service. */
bool
home_running(struct conn *cn)
{
	struct reply	 rp;
	bool		 running;

	if (find(cn, false) == -1)
		return (false);
	running = http_request(cn, "GET", "/health", NULL, &rp) != 0;
	reply_clear(&rp);
	return (running);
}

static int
find(struct conn *cn, bool tell)
{
	if (cn->cn_host == NULL && cn->cn_port == 0 && cn->cn_token == NULL) {
		if ((localsock_system(cn->cn_home) && local_find(cn, NULL)) ||
		    local_find(cn, cn->cn_home)) {
			/* Root needs none, and others may have one. */
			cn->cn_token = geteuid() == 0 ? NULL : home_token(cn);
			return (0);
		}
	}
	if (cn->cn_port == 0 && (cn->cn_port = find_port(cn)) == 0) {
		if (tell)
			(void)fprintf(stderr, "%s: missing port and %s not "
			    "found in %s\n", cn->cn_name, PORT_FILE,
			    cn->cn_home);
		return (-1);
	}
	if (cn->cn_token == NULL && (cn->cn_token = home_token(cn)) == NULL) {
		if (tell)
			(void)fprintf(stderr, "%s: %s not found or readable "
			    "in %s (try again as root)\n", cn->cn_name,
			    TOKEN_FILE, cn->cn_home);
		return (-1);
	}
	return (0);
}

/* Somebody listens there, and the file is root's or our own. */
static bool
local_find(struct conn *cn, const char *folder)
{
	struct stat	 st;
	int		 fd;

	if (localsock_address(&cn->cn_local, folder) == -1 ||
	    lstat(cn->cn_local.sun_path, &st) == -1 ||
	    !S_ISSOCK(st.st_mode) ||
	    (st.st_uid != 0 && st.st_uid != geteuid()) ||
	    (fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return (false);
	cn->cn_islocal = connect(fd, (const struct sockaddr *)&cn->cn_local,
	    sizeof(cn->cn_local)) == 0;
	(void)close(fd);
	return (cn->cn_islocal);
}

static unsigned
find_port(const struct conn *cn)
{
	unsigned long	 port = 0;
	char		*text;

	if ((text = read_small(cn->cn_home, PORT_FILE)) != NULL &&
	    text[0] >= '0' && text[0] <= '9')
		port = strtoul(text, NULL, 10);
	free(text);
	return (port > 65535 ? 0 : (unsigned)port);
}

char *
home_token(const struct conn *cn)
{
	const char	*user;
	char		*text;

	if ((text = read_small(cn->cn_home, TOKEN_FILE)) != NULL)
		text = trim(text);
	if ((text == NULL || *text == '\0') &&
	    (user = getenv("HOME")) != NULL) {
		free(text);
		if ((text = read_small(user, USER_TOKEN)) != NULL)
			text = trim(text);
	}
	if (text != NULL && *text == '\0') {
		free(text);
		text = NULL;
	}
	return (text);
}

/* A short file of a folder as text, malloc'd, or NULL. */
static char *
read_small(const char *folder, const char *name)
{
	char	*text, path[1024];
	size_t	 len;
	int	 n;

	n = snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return (NULL);
	text = file_read(AT_FDCWD, path, SMALL_FILE, &len);
	return (text);
}

/* Blanks and line ends off both sides, in place. */
static char *
trim(char *text)
{
	size_t	 at, n;

	at = strspn(text, " \t\r\n");
	n = strlen(text + at);
	while (n > 0 && strchr(" \t\r\n", text[at + n - 1]) != NULL)
		n--;
	memmove(text, text + at, n);
	text[n] = '\0';
	return (text);
}
