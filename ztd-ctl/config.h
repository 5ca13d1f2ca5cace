/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * local.conf: from JSON text to struct settings.  Spec: 02 section 14, 05
 * section 11.
 */

#ifndef ZTD_CTL_CONFIG_H
#define ZTD_CTL_CONFIG_H

#include <stddef.h>

#include <jansson.h>

#include "common/settings.h"

/*
 * Parse text (len bytes, need not be terminated).  Nothing, or blanks only,
 * gives the defaults.  Returns 0 and fills *s, or -1 and puts a sentence
 * into err (of at least 384 bytes) that names line, column and key, and what
 * must be there instead; *s then holds the defaults.  Keys that mean nothing
 * here are logged, with the one that may be meant, and left alone.
 */
int	 config_parse(const char *text, size_t len, struct settings *s,
	    char *err, size_t errlen);

/*
 * What is in force: an object with settings, physical and virtual, in which
 * every value is {"value": v, "source": "file", "default" or "option"}.  conf
 * is local.conf, or NULL, and is only looked at; port is the primary port in
 * use, 0: not known.  NULL: no memory.
 */
json_t	*config_show(const struct settings *, json_t *conf, unsigned port);

#endif /* ZTD_CTL_CONFIG_H */
