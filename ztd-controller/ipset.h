/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The addresses in use on a network, each with how often: a hash table.
 * Spec: 04 section 10.5.
 */

#ifndef ZTD_CONTROLLER_IPSET_H
#define ZTD_CONTROLLER_IPSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/inet.h"

struct ipset_slot;

/* Zeroed is empty. */
struct ipset {
	struct ipset_slot *is_slots;
	size_t		 is_n;		/* different addresses */
	size_t		 is_size;	/* a power of two, or 0 */
};

/* Ports do not count.  Running out of memory is fatal. */
void	 ipset_add(struct ipset *, const struct inet_addr *);
/* Once less; one that is not there stays away. */
void	 ipset_remove(struct ipset *, const struct inet_addr *);
bool	 ipset_has(const struct ipset *, const struct inet_addr *);
/* How often it is there. */
unsigned ipset_count(const struct ipset *, const struct inet_addr *);
void	 ipset_clear(struct ipset *);

#endif /* ZTD_CONTROLLER_IPSET_H */
