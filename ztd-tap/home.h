/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The home folder: who owns what in it, and that only one daemon runs on
 * it.  Spec: 05 section 10, 06 sections 12.2 and 13.1.
 */

#ifndef ZTD_TAP_HOME_H
#define ZTD_TAP_HOME_H

#include <stddef.h>

#include "ztd-tap/parent.h"

/*
 * Open the folder, making it and those above it when create is set.  Fatal
 * when that cannot be, or when the folder clearly is something else.
 */
void	 home_open(struct parent *, const char *path, bool create);
/*
 * Lock it through zerotier-one.pid.  Fatal when another daemon, ours or the
 * original, runs on it.
 */
void	 home_lock(struct parent *);
/*
 * Give every file the owner and mode that it is to have, make the folders
 * that are missing.  A home of the original is taken over this way.
 */
void	 home_adopt(struct parent *);
/* Write zerotier-one.pid and zerotier-one.port, as far as it goes. */
void	 home_write_pid(struct parent *);
/* Remove the first; the port stays as that of the last run. */
void	 home_leave(struct parent *);
/*
 * Read the operator's local.conf, whatever its mode, as home_read() does.  It
 * may also be a link of root's (or ours) to a regular file of root's, which
 * some systems keep in a place of their own.
 */
char	*home_read_conf(const struct parent *, size_t max, size_t *len);
/*
 * Read a small file of ours in a folder where others may write: it must be
 * a regular file with one link, owned by root (or us) when trusted is set.
 * Returns malloc'd text with a NUL behind its *len bytes, or NULL with
 * errno (EPERM: the owner, EFBIG: over max bytes, EFTYPE-like EINVAL: no
 * regular file).
 */
char	*home_read(const struct parent *, int dirfd, const char *name,
	    size_t max, bool trusted, size_t *len);

/*
 * Is the folder "app" to be served, and there?  It is made when missing.
 */
bool	 home_app(struct parent *);

#endif /* ZTD_TAP_HOME_H */
