/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * networks.d: which networks are joined, and each one's policy file.
 * Spec: 05 sections 10.3 and 10.4, 06 section 12.2.
 */

#ifndef ZTD_TAP_POLICY_FILE_H
#define ZTD_TAP_POLICY_FILE_H

#include <stdint.h>

#include "ztd-tap/parent.h"
#include "ztd-tap/policy.h"

/*
 * Read the policy of a network; the default when there is no file, or one
 * that cannot be trusted (logged).  Returns 0, or -1 when something was
 * wrong with the file.
 */
int	 policy_file_read(const struct parent *, uint64_t nwid,
	    struct policy *);
/* Write it.  0, or -1 with errno. */
int	 policy_file_write(const struct parent *, uint64_t nwid,
	    const struct policy *);
/*
 * Make NWID.conf, with "no configuration yet" in it and the engine as its
 * owner, unless it is there.  0, or -1 with errno.
 */
int	 policy_file_join(const struct parent *, uint64_t nwid);
/*
 * Whether NWID.conf stands for a network that the operator joined.  Its
 * policy is root's then, or the file itself is (made with touch), which is
 * given to the engine with the default policy beside it; one of the engine
 * alone joins nothing (logged).
 */
bool	 policy_file_joined(const struct parent *, uint64_t nwid);
/* Remove both files of a network. */
void	 policy_file_leave(const struct parent *, uint64_t nwid);
/* Call back for every network with a NWID.conf. */
void	 policy_file_scan(struct parent *,
	    void (*)(struct parent *, uint64_t nwid));

#endif /* ZTD_TAP_POLICY_FILE_H */
