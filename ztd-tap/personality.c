/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Another program by one of the names or switches of ZeroTier One's.
 */

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ztd-tap/personality.h"

#define CLIENT	"zerotier-cli"
#define TOOL	"zerotier-idtool"

static const char *base_name(const char *);
static int	 find_switch(int, char **);
static void	 become(const char *, char *, char **);
static int	 beside(const char *, char *, size_t);

void
personality_become(int argc, char *argv[])
{
	static char	 client[] = CLIENT, tool[] = TOOL;
	const char	*name;
	int		 i;

	if (argc < 1 || argv[0] == NULL)
		return;
	name = base_name(argv[0]);
	if (strcmp(name, CLIENT) == 0 || strcmp(name, TOOL) == 0)
		become(argv[0], argv[0], argv);
	if (strcmp(name, "zerotier-one") != 0 ||
	    (i = find_switch(argc, argv)) == 0)
		return;
	if (argv[i][1] == 'q')
		become(argv[0], client, argv);
	become(argv[0], tool, argv + i);
}

static const char *
base_name(const char *path)
{
	const char	*p;

	return ((p = strrchr(path, '/')) != NULL ? p + 1 : path);
}

/* Where -q or -i is, before anything that is no switch; else 0. */
static int
find_switch(int argc, char **argv)
{
	int	 i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "-q") == 0 || strcmp(argv[i], "-i") == 0)
			return (i);
	}
	return (0);
}

/* By this name, with what is behind argv[0].  Never returns. */
static void
become(const char *called, char *name, char **argv)
{
	char	 path[PATH_MAX];

	argv[0] = name;
	if (strchr(called, '/') != NULL &&
	    beside(called, path, sizeof(path)) == 0)
		(void)execv(path, argv);
	(void)execv(ZTD_LIBEXEC "/../../bin/ztctl", argv);
	(void)fprintf(stderr, "%s: ztctl, which does that, is not installed "
	    "beside ztd\n", name);
	exit(1);
}

/* ../bin/ztctl, from where this program really is. */
static int
beside(const char *called, char *path, size_t size)
{
	char	*real, *slash;
	int	 n = -1;

	if ((real = realpath(called, NULL)) == NULL)
		return (-1);
	if ((slash = strrchr(real, '/')) != NULL)
		n = snprintf(path, size, "%.*s/../bin/ztctl",
		    (int)(slash - real), real);
	free(real);
	return (n > 0 && (size_t)n < size ? 0 : -1);
}
