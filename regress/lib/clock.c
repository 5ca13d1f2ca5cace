/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A virtual clock.
 */

#include <stdlib.h>
#include <string.h>

#include "regress/lib/clock.h"

struct happening {
	int64_t		 ha_time;
	uint64_t	 ha_seq;	/* order among equal times */
	void		(*ha_call)(void *, void *, size_t);
	void		*ha_arg;
	size_t		 ha_len;
	uint8_t		 ha_bytes[];
};

struct clock {
	int64_t		 c_now;
	uint64_t	 c_seed;
	uint64_t	 c_seq;
	struct happening **c_heap;
	size_t		 c_n, c_size;
};

struct clock *
clock_new(uint64_t seed, int64_t start)
{
	struct clock	*c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return (NULL);
	c->c_seed = seed;
	c->c_now = start;
	return (c);
}

void
clock_free(struct clock *c)
{
	size_t	 i;

	for (i = 0; i < c->c_n; i++)
		free(c->c_heap[i]);
	free(c->c_heap);
	free(c);
}

int64_t
clock_now(const struct clock *c)
{
	return (c->c_now);
}

/* splitmix64: every state gives a number, none is bad. */
uint64_t
clock_random(struct clock *c)
{
	uint64_t	x = c->c_seed += 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return (x ^ x >> 31);
}

void
clock_random_bytes(struct clock *c, void *dst, size_t len)
{
	uint8_t		*p = dst;
	uint64_t	 v = 0;
	size_t		 i;

	for (i = 0; i < len; i++) {
		if (i % 8 == 0)
			v = clock_random(c);
		p[i] = (uint8_t)v;
		v >>= 8;
	}
}

size_t
clock_pending(const struct clock *c)
{
	return (c->c_n);
}

static bool
before(const struct happening *a, const struct happening *b)
{
	return (a->ha_time < b->ha_time ||
	    (a->ha_time == b->ha_time && a->ha_seq < b->ha_seq));
}

static int
heap_push(struct clock *c, struct happening *ha)
{
	struct happening **p;
	size_t		  i, up, size;

	if (c->c_n == c->c_size) {
		size = c->c_size == 0 ? 256 : c->c_size * 2;
		if ((p = reallocarray(c->c_heap, size, sizeof(*p))) == NULL)
			return (-1);
		c->c_heap = p;
		c->c_size = size;
	}
	ha->ha_seq = c->c_seq++;
	for (i = c->c_n++; i > 0; i = up) {
		up = (i - 1) / 2;
		if (!before(ha, c->c_heap[up]))
			break;
		c->c_heap[i] = c->c_heap[up];
	}
	c->c_heap[i] = ha;
	return (0);
}

static struct happening *
heap_pop(struct clock *c)
{
	struct happening *top = c->c_heap[0], *last = c->c_heap[--c->c_n];
	size_t		 i, kid;

	for (i = 0; (kid = 2 * i + 1) < c->c_n; i = kid) {
		if (kid + 1 < c->c_n &&
		    before(c->c_heap[kid + 1], c->c_heap[kid]))
			kid++;
		if (!before(c->c_heap[kid], last))
			break;
		c->c_heap[i] = c->c_heap[kid];
	}
	c->c_heap[i] = last;
	return (top);
}

void *
clock_at_room(struct clock *c, int64_t time,
    void (*f)(void *, void *, size_t), void *arg, size_t len)
{
	struct happening *ha;

	if ((ha = calloc(1, sizeof(*ha) + len)) == NULL)
		return (NULL);
	ha->ha_time = time;
	ha->ha_call = f;
	ha->ha_arg = arg;
	ha->ha_len = len;
	if (heap_push(c, ha) == -1) {
		free(ha);
		return (NULL);
	}
	return (ha->ha_bytes);
}

int
clock_at(struct clock *c, int64_t time, void (*f)(void *, void *, size_t),
    void *arg, const void *bytes, size_t len)
{
	void	*room;

	if ((room = clock_at_room(c, time, f, arg, len)) == NULL)
		return (-1);
	if (len > 0)
		memcpy(room, bytes, len);
	return (0);
}

bool
clock_run(struct clock *c, int64_t ms, bool (*done)(void *), void *arg)
{
	struct happening *ha;
	int64_t		 end = c->c_now + ms;

	for (;;) {
		if (done != NULL && done(arg))
			return (true);
		if (c->c_n == 0 || c->c_heap[0]->ha_time > end)
			break;
		ha = heap_pop(c);
		if (ha->ha_time > c->c_now)
			c->c_now = ha->ha_time;
		ha->ha_call(ha->ha_arg, ha->ha_bytes, ha->ha_len);
		free(ha);
	}
	c->c_now = end;
	return (false);
}
