/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The command line, under both names: ztd, and zerotier-one as scripts of
 * existing installations call it.  Spec: 05 section 12.1, 06 section 13.1.
 */

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ztd-tap/options.h"

static const char	*base_name(const char *);
static int		 parse_port(const char *, int *);
static int		 option_take(struct options *, int, char *, size_t);

int
options_parse(struct options *o, int argc, char *argv[], char *error,
    size_t size)
{
	const char	*home = NULL;
	int		 ch;

	memset(o, 0, sizeof(*o));
	o->o_port = -1;
	if (argc > 0 && argv[0] != NULL)
		o->o_compat = strcmp(base_name(argv[0]), "zerotier-one") == 0;
	o->o_foreground = o->o_compat;
	if ((o->o_home = getenv("ZEROTIER_HOME")) == NULL ||
	    *o->o_home == '\0')
		o->o_home = ZTD_HOME;

	opterr = 0;
	optind = 1;
	/*
	 * Switches may stand behind the home folder as well.  The '+' keeps
	 * GNU's getopt from sorting argv; to others it is one more letter.
	 */
	for (;;) {
		while ((ch = getopt(argc, argv, "+dhnvVUD:p:")) != -1)
			if (option_take(o, ch, error, size) == -1)
				return (-1);
		if (optind >= argc)
			break;
		if (home != NULL) {
			snprintf(error, size, "more than one home folder: "
			    "%s and %s", home, argv[optind]);
			return (-1);
		}
		home = argv[optind++];
	}
	if (home != NULL)
		o->o_home = home;
	if (*o->o_home == '\0') {
		snprintf(error, size, "the home folder's name is empty");
		return (-1);
	}
	return (0);
}

const char *
options_usage(const struct options *o)
{
	if (o->o_compat)
		return ("usage: zerotier-one [-dhnvU] [-p port] [home]");
	return ("usage: ztd [-dhnvVU] [-D home] [-p port] [home]");
}

static const char *
base_name(const char *path)
{
	const char	*p;

	return ((p = strrchr(path, '/')) != NULL ? p + 1 : path);
}

static int
option_take(struct options *o, int ch, char *error, size_t size)
{
	switch (ch) {
	case 'd':
		o->o_foreground = !o->o_compat;
		break;
	case 'h':
		o->o_do = OPTIONS_HELP;
		break;
	case 'n':
		o->o_do = OPTIONS_CHECK;
		break;
	case 'v':
		if (o->o_compat)
			o->o_do = OPTIONS_VERSION;
		else
			o->o_verbose = true;
		break;
	case 'V':
		o->o_do = OPTIONS_VERSION;
		break;
	case 'U':
		o->o_any_user = true;
		break;
	case 'D':
		o->o_home = optarg;
		break;
	case 'p':
		if (parse_port(optarg, &o->o_port) == 0)
			break;
		snprintf(error, size, "-p %s: not a port from 0 to 65535",
		    optarg);
		return (-1);
	default:
		if (optopt == '?') {
			o->o_do = OPTIONS_HELP;
			break;
		}
		snprintf(error, size, optopt == 'D' || optopt == 'p' ?
		    "-%c needs a value" : "unknown flag -%c", optopt);
		return (-1);
	}
	return (0);
}

static int
parse_port(const char *text, int *port)
{
	const char	*errstr;

	*port = (int)strtonum(text, 0, 65535, &errstr);
	return (errstr == NULL && *text >= '0' && *text <= '9' ? 0 : -1);
}
