/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A virtual clock: an ordered heap of things to happen, and a generator of
 * random numbers.  Given the same seed, everything happens the same again.
 * Time is ms and passes only by clock_run().
 */

#ifndef REGRESS_LIB_CLOCK_H
#define REGRESS_LIB_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct clock;

/* NULL without memory. */
struct clock *clock_new(uint64_t seed, int64_t start);
void	 clock_free(struct clock *);
int64_t	 clock_now(const struct clock *);
uint64_t clock_random(struct clock *);
void	 clock_random_bytes(struct clock *, void *, size_t len);
/* How many things wait. */
size_t	 clock_pending(const struct clock *);
/*
 * At this time call f(arg, bytes, len) with a copy of the bytes.  Things of
 * the same time happen in the order in which they were asked for.  -1
 * without memory.
 */
int	 clock_at(struct clock *, int64_t time,
	    void (*f)(void *arg, void *bytes, size_t len), void *arg,
	    const void *bytes, size_t len);
/* The same, for who writes the bytes himself: NULL without memory. */
void	*clock_at_room(struct clock *, int64_t time,
	    void (*f)(void *arg, void *bytes, size_t len), void *arg,
	    size_t len);
/* Let time pass until done(arg), looked at after each step, or for ms; was
 * it done?  done may be NULL. */
bool	 clock_run(struct clock *, int64_t ms, bool (*done)(void *),
	    void *arg);

#endif /* REGRESS_LIB_CLOCK_H */
