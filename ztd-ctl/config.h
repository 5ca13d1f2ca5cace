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

#endif /* ZTD_CTL_CONFIG_H */
