/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * local.conf.  The parent reads the file, but parses nothing: a process
 * made for the purpose does, in its cage.  Spec: 05 sections 11.4 and 11.6.
 */

#ifndef ZTD_TAP_LOCALCONF_H
#define ZTD_TAP_LOCALCONF_H

#include "ztd-tap/parent.h"

/*
 * Read and parse it, waiting for the result: p_settings, p_conf.  A missing
 * or empty file gives the defaults.  Returns 0, or -1 after logging what is
 * wrong.
 */
int	 localconf_load(struct parent *);
/*
 * Look whether it changed (or, with force, act as if) and parse it while the
 * loop runs on.  When it is good, changed is called with the new settings in
 * place; when not, a line is logged and all stays as it was.
 */
void	 localconf_check(struct parent *, bool force,
	    void (*changed)(struct parent *));
/*
 * The same for the API, whose question id is answered by MSG_CONFIG_NOTE*
 * and MSG_RESULT, also when there is no file.
 */
void	 localconf_reload(struct parent *, uint32_t id,
	    void (*changed)(struct parent *));
/*
 * The API wants this text to be local.conf: parse it, and when it is good
 * put it in the file's place and call changed, then answer.  Refused when
 * the file is not what was loaded last, or is kept elsewhere (a link).
 */
void	 localconf_set(struct parent *, uint32_t id, const void *text,
	    size_t len, void (*changed)(struct parent *));
/*
 * What of the settings is not in force before the next start, as sentences
 * that begin with a key: the one of this number, from 0, or NULL.  In dst,
 * of size bytes.
 */
const char *localconf_waits(const struct parent *, unsigned, char *dst,
	    size_t size);
/* Give up a parse that is under way. */
void	 localconf_cancel(struct parent *);

#endif /* ZTD_TAP_LOCALCONF_H */
