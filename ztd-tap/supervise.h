/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The children: started, watched, started again, introduced to each other.
 * Spec: 06 section 11.4.
 */

#ifndef ZTD_TAP_SUPERVISE_H
#define ZTD_TAP_SUPERVISE_H

#include "ztd-tap/parent.h"

/* Find their programs; fatal when one is missing. */
void	 supervise_init(struct parent *);
/* Start one that does not run. */
void	 supervise_start(struct parent *, enum proc);
/*
 * It runs as this process, at the other end of this channel, which is taken
 * over: tell it all that it has to know.
 */
void	 supervise_attach(struct child *, pid_t, int fd);
/* It broke the rules: kill it; it is started again. */
void	 supervise_kill(struct child *, const char *why);
/* It runs, and has not ended since: its process id is its own. */
bool	 supervise_lives(const struct child *);
/* Let it end and start it again, for a new configuration. */
void	 supervise_restart(struct parent *, enum proc);
/* SIGCHLD: who died? */
void	 supervise_reap(struct parent *);
/*
 * Ask the API process to stop; called again, or when that has, all others.
 * Kill those that have not when called with force.
 */
void	 supervise_stop(struct parent *, bool force);
/* None runs any more. */
bool	 supervise_gone(const struct parent *);
bool	 supervise_ready(const struct parent *);

/* MSG_INIT for a process. */
void	 supervise_init_message(const struct parent *, enum proc,
	    struct msg_init *);
/*
 * It sends a line for the log at time now (ms): may it?  The lines left out
 * are counted and told of once the minute is over.
 */
bool	 supervise_may_log(struct child *, int64_t now);
/* Log the line in a MSG_LOG under this name. */
void	 supervise_log(const char *name, const struct msg *);

#endif /* ZTD_TAP_SUPERVISE_H */
