/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Leaving the terminal, and telling whoever started us how it went.
 * Spec: 05 section 12.1, 06 section 13.7.
 */

#ifndef ZTD_TAP_DAEMON_H
#define ZTD_TAP_DAEMON_H

/*
 * Go on in a process of its own; the one that was called waits at the
 * terminal for daemon_ready() (exit 0) or for our end (exit 1).  Returns
 * the descriptor for daemon_ready().
 */
int	 daemon_detach(void);
/* Let the terminal go; from now on stdio is /dev/null. */
void	 daemon_ready(int fd);
/* Tell the service manager ("READY=1", "STOPPING=1"), if there is one. */
void	 daemon_notify(const char *state);

#endif /* ZTD_TAP_DAEMON_H */
