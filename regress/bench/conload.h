/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * controller_load: what its parts have in common.
 *
 * The world that they agree on, made of a controller's address C, N
 * identities, M members and W networks: network C000001 is the large one
 * with M members, of which the first are those with identities; networks
 * C000002 and on are W small ones with PER_NETWORK members each, all with
 * identities, which take turns.
 */

#ifndef REGRESS_BENCH_CONLOAD_H
#define REGRESS_BENCH_CONLOAD_H

#include <stddef.h>
#include <stdint.h>

#include "common/identity.h"

#define PER_NETWORK	4

/* What a member says of itself, which is what its record says of it. */
#define SAYS_PROTO	12
#define SAYS_MAJOR	1
#define SAYS_MINOR	14
#define SAYS_REVISION	1

static inline uint64_t
large_network(uint64_t controller)
{
	return (controller << 24 | 1);
}

static inline uint64_t
small_network(uint64_t controller, size_t i)
{
	return (controller << 24 | (i + 2));
}

/* Which identity is member k of small network i. */
static inline size_t
small_member(size_t i, size_t k, size_t nids)
{
	return ((i * PER_NETWORK + k) % nids);
}

/* Microseconds of a clock that only goes forward. */
int64_t	 now_us(void);
/* Sorted in place: the value below which a share q of them lies. */
void	 sort_times(int64_t *, size_t n);
int64_t	 share(const int64_t *sorted, size_t n, double q);
/* A positive number of an option. */
size_t	 number(const char *, const char *what);
/* The identities of a file, one a line; at most max (0: all). */
struct identity *identities_read(const char *path, size_t max, size_t *n);
/* The first identity of a file. */
void	 identity_read(const char *path, struct identity *);

/* The parts; argv[0] is the part's name. */
int	 identities_main(int, char *[]);
int	 store_main(int, char *[]);
int	 ask_main(int, char *[]);
int	 http_main(int, char *[]);
void	 usage(void) __attribute__((noreturn));

#endif /* REGRESS_BENCH_CONLOAD_H */
