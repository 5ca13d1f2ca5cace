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
/* Give up a parse that is under way. */
void	 localconf_cancel(struct parent *);

#endif /* ZTD_TAP_LOCALCONF_H */
