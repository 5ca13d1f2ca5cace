/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The command line of the daemon.  Spec: 05 section 12.1, 06 section 13.1.
 */

#ifndef ZTD_TAP_OPTIONS_H
#define ZTD_TAP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum options_do {
	OPTIONS_RUN,
	OPTIONS_CHECK,		/* -n */
	OPTIONS_VERSION,
	OPTIONS_HELP
};

struct options {
	enum options_do	 o_do;
	bool		 o_compat;	/* called zerotier-one */
	bool		 o_foreground;
	bool		 o_verbose;
	bool		 o_any_user;	/* -U */
	int		 o_port;	/* -1 not given, 0 random */
	const char	*o_home;	/* never NULL */
};

/*
 * Parse argv; the strings stay argv's (or the environment's).  Returns 0, or
 * -1 with one line in error (size bytes) that names what is wrong.
 */
int	 options_parse(struct options *, int argc, char *argv[], char *error,
	    size_t size);
/* The text of the usage, without newline at its end. */
const char *options_usage(const struct options *);

#endif /* ZTD_TAP_OPTIONS_H */
