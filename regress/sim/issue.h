/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Identities without work.  A real one costs a tenth of a second to make and
 * hundredths to check, which a thousand nodes cannot afford.  So identities
 * of the simulator have random keys and an address that follows from them by
 * a rule of its own, and programs of it are linked with
 * -Wl,--wrap=identity_valid: the function here accepts those, refuses at once
 * those made to be refused, and asks the real one about all others.
 */

#ifndef REGRESS_SIM_ISSUE_H
#define REGRESS_SIM_ISSUE_H

#include "common/identity.h"
#include "regress/lib/clock.h"

/* A new one, from the clock's random numbers. */
void	 issue(struct identity *, struct clock *);
/* One whose address does not follow from its keys. */
void	 issue_bad(struct identity *, struct clock *);
/* How often an identity was checked, each a memory-hard hash in earnest. */
uint64_t issue_checks(void);

bool	 __wrap_identity_valid(const struct identity *);
bool	 __real_identity_valid(const struct identity *);

#endif /* REGRESS_SIM_ISSUE_H */
