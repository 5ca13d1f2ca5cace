/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Frames from one core to another, nothing else, so that work can be counted:
 *
 *	packets bytes frames
 *		send so many frames of this length and say how often memory
 *		was allocated for it
 *
 * Under valgrind --tool=callgrind --toggle-collect=counted_send, or
 * counted_deliver, the instructions of one end are counted.  Work is counted,
 * never time: it is the same on every run.
 */

#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "regress/lib/sanitize.h"
#include "regress/lib/stage.h"

#define BATCH		64
#define RULES		10
#define WARM		20	/* batches until nothing is new any more */

void	 counted_send(struct stage *, size_t);
void	 counted_deliver(struct stage *);

static unsigned long	 allocations;

/* --- allocations: ours in place of libc's, where it offers its own --- */

#if defined(__GLIBC__) && !SANITIZED

void	*__libc_malloc(size_t);
void	*__libc_calloc(size_t, size_t);
void	*__libc_realloc(void *, size_t);

void *
malloc(size_t len)
{
	allocations++;
	return (__libc_malloc(len));
}

void *
calloc(size_t n, size_t len)
{
	allocations++;
	return (__libc_calloc(n, len));
}

void *
realloc(void *p, size_t len)
{
	allocations++;
	return (__libc_realloc(p, len));
}

#define COUNTS	true
#else
#define COUNTS	false
#endif

/* --- the work --------------------------------------------------------- */

/* Both are named by those who count: not to become part of their caller. */
__attribute__((noinline)) void
counted_send(struct stage *s, size_t len)
{
	unsigned	 i;

	for (i = 0; i < BATCH; i++)
		stage_send(s, 0, len);
}

__attribute__((noinline)) void
counted_deliver(struct stage *s)
{
	stage_deliver(s);
}

/* So many batches; returns how often memory was allocated for the frames. */
static unsigned long
batches(struct stage *s, size_t len, unsigned count)
{
	unsigned long	 before, n = 0;

	for (; count > 0; count--) {
		before = allocations;
		counted_send(s, len);
		counted_deliver(s);
		n += allocations - before;
		stage_pass(s, 1);
	}
	return (n);
}

/* The same without being counted, until nothing is new any more. */
static void
warm_up(struct stage *s, size_t len)
{
	unsigned	 i, k;

	for (i = 0; i < WARM; i++) {
		for (k = 0; k < BATCH; k++)
			stage_send(s, 0, len);
		stage_deliver(s);
		stage_pass(s, 1);
	}
}

int
main(int argc, char *argv[])
{
	struct stage	*s;
	unsigned long	 n;
	uint64_t	 got;
	unsigned	 count;
	size_t		 len;

	if (argc != 3) {
		fprintf(stderr, "usage: packets bytes frames\n");
		return (2);
	}
	len = (size_t)atol(argv[1]);
	count = (unsigned)atoi(argv[2]) / BATCH;
	s = stage_new();
	stage_join(s, 0, RULES, 32);
	warm_up(s, len);
	got = s->s_ends[STAGE_B].se_frames;
	n = batches(s, len, count);
	got = s->s_ends[STAGE_B].se_frames - got;
	stage_free(s);
	if (got != (uint64_t)count * BATCH)
		errx(1, "%llu of %u frames arrived", (unsigned long long)got,
		    count * BATCH);
	if (COUNTS && allocations == 0)
		errx(1, "what is allocated is not counted");
	if (COUNTS)
		printf("%u frames, %lu allocations\n", count * BATCH, n);
	else
		printf("%u frames, allocations unknown\n", count * BATCH);
	return (0);
}
