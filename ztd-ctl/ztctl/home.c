/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Where the service is and what opens it: port and token from the home
 * folder.  Spec: 05 section 13.1.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "ztd-ctl/ztctl/ztctl.h"

#define PORT_FILE	"zerotier-one.port"
#define TOKEN_FILE	"authtoken.secret"
#define USER_TOKEN	".zeroTierOneAuthToken"
#define SMALL_FILE	4096

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
	const char	*user;
	char		*text;
	unsigned long	 port = 0;

	if (cn->cn_port == 0) {
		if ((text = read_small(cn->cn_home, PORT_FILE)) != NULL &&
		    text[0] >= '0' && text[0] <= '9')
			port = strtoul(text, NULL, 10);
		free(text);
		if (port == 0 || port > 65535) {
			(void)fprintf(stderr, "%s: missing port and %s not "
			    "found in %s\n", cn->cn_name, PORT_FILE,
			    cn->cn_home);
			return (-1);
		}
		cn->cn_port = (unsigned)port;
	}
	if (cn->cn_token != NULL)
		return (0);
	if ((text = read_small(cn->cn_home, TOKEN_FILE)) != NULL)
		text = trim(text);
	if ((text == NULL || *text == '\0') &&
	    (user = getenv("HOME")) != NULL) {
		free(text);
		if ((text = read_small(user, USER_TOKEN)) != NULL)
			text = trim(text);
	}
	if (text == NULL || *text == '\0') {
		free(text);
		(void)fprintf(stderr, "%s: %s not found or readable in %s "
		    "(try again as root)\n", cn->cn_name, TOKEN_FILE,
		    cn->cn_home);
		return (-1);
	}
	cn->cn_token = text;
	return (0);
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
