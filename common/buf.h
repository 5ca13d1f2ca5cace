/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Cursors over byte strings: the only way in which this project reads
 * bytes that came from a stranger, or writes bytes that go on the wire.
 *
 * Both kinds carry a sticky error: once a read or write would have run
 * past the edge, the cursor is bad, every later read yields zero and every
 * later write does nothing.  So a parser reads all its fields in a row and
 * checks once, at the end.  All integers are big-endian on the wire and in
 * host order in the arguments.
 */

#ifndef COMMON_BUF_H
#define COMMON_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rbuf {
	const uint8_t	*rb_p;		/* next byte, not owned */
	size_t		 rb_left;	/* bytes that remain */
	bool		 rb_bad;	/* a read ran past the end */
};

struct wbuf {
	uint8_t		*wb_base;	/* first byte, not owned */
	size_t		 wb_len;	/* bytes written so far */
	size_t		 wb_size;	/* capacity in bytes */
	bool		 wb_bad;	/* a write ran past the end */
};

static inline void
rbuf_init(struct rbuf *rb, const void *p, size_t len)
{
	rb->rb_p = p;
	rb->rb_left = len;
	rb->rb_bad = false;
}

/* Mark the cursor bad: what was read makes no sense. */
static inline void
rbuf_fail(struct rbuf *rb)
{
	rb->rb_bad = true;
	rb->rb_left = 0;
}

/*
 * Take len bytes and return a pointer to them inside the underlying
 * buffer, or NULL when fewer remain (the cursor is then bad).
 */
static inline const uint8_t *
rbuf_take(struct rbuf *rb, size_t len)
{
	const uint8_t	*p = rb->rb_p;

	if (rb->rb_bad || len > rb->rb_left) {
		rbuf_fail(rb);
		return (NULL);
	}
	rb->rb_p += len;
	rb->rb_left -= len;
	return (p);
}

/* Copy len bytes out; on failure dst is zeroed. */
static inline void
rbuf_bytes(struct rbuf *rb, void *dst, size_t len)
{
	const uint8_t	*p;

	if ((p = rbuf_take(rb, len)) == NULL)
		memset(dst, 0, len);
	else
		memcpy(dst, p, len);
}

/* Read a big-endian integer of n bytes, 1 <= n <= 8. */
static inline uint64_t
rbuf_uint(struct rbuf *rb, size_t n)
{
	const uint8_t	*p;
	uint64_t	 v = 0;
	size_t		 i;

	if ((p = rbuf_take(rb, n)) == NULL)
		return (0);
	for (i = 0; i < n; i++)
		v = v << 8 | p[i];
	return (v);
}

static inline uint8_t
rbuf_u8(struct rbuf *rb)
{
	return ((uint8_t)rbuf_uint(rb, 1));
}

static inline uint16_t
rbuf_u16(struct rbuf *rb)
{
	return ((uint16_t)rbuf_uint(rb, 2));
}

static inline uint32_t
rbuf_u32(struct rbuf *rb)
{
	return ((uint32_t)rbuf_uint(rb, 4));
}

static inline uint64_t
rbuf_u64(struct rbuf *rb)
{
	return (rbuf_uint(rb, 8));
}

/* Make sub a cursor over exactly the next len bytes and skip them. */
static inline void
rbuf_sub(struct rbuf *rb, struct rbuf *sub, size_t len)
{
	const uint8_t	*p;

	p = rbuf_take(rb, len);
	rbuf_init(sub, p, p == NULL ? 0 : len);
	sub->rb_bad = p == NULL;
}

static inline void
rbuf_skip(struct rbuf *rb, size_t len)
{
	(void)rbuf_take(rb, len);
}

static inline bool
rbuf_ok(const struct rbuf *rb)
{
	return (!rb->rb_bad);
}

/* Everything was read and nothing ran over. */
static inline bool
rbuf_done(const struct rbuf *rb)
{
	return (!rb->rb_bad && rb->rb_left == 0);
}

static inline void
wbuf_init(struct wbuf *wb, void *p, size_t size)
{
	wb->wb_base = p;
	wb->wb_len = 0;
	wb->wb_size = size;
	wb->wb_bad = false;
}

/*
 * Reserve len bytes and return where to write them, or NULL when the
 * capacity would be exceeded (the cursor is then bad).
 */
static inline uint8_t *
wbuf_room(struct wbuf *wb, size_t len)
{
	uint8_t	*p;

	if (wb->wb_bad || len > wb->wb_size - wb->wb_len) {
		wb->wb_bad = true;
		return (NULL);
	}
	p = wb->wb_base + wb->wb_len;
	wb->wb_len += len;
	return (p);
}

static inline void
wbuf_bytes(struct wbuf *wb, const void *src, size_t len)
{
	uint8_t	*p;

	if ((p = wbuf_room(wb, len)) != NULL && len > 0)
		memcpy(p, src, len);
}

/* Write the low n bytes of v, big-endian, 1 <= n <= 8. */
static inline void
wbuf_uint(struct wbuf *wb, uint64_t v, size_t n)
{
	uint8_t	*p;
	size_t	 i;

	if ((p = wbuf_room(wb, n)) == NULL)
		return;
	for (i = n; i > 0; i--) {
		p[i - 1] = v & 0xff;
		v >>= 8;
	}
}

static inline void
wbuf_u8(struct wbuf *wb, uint8_t v)
{
	wbuf_uint(wb, v, 1);
}

static inline void
wbuf_u16(struct wbuf *wb, uint16_t v)
{
	wbuf_uint(wb, v, 2);
}

static inline void
wbuf_u32(struct wbuf *wb, uint32_t v)
{
	wbuf_uint(wb, v, 4);
}

static inline void
wbuf_u64(struct wbuf *wb, uint64_t v)
{
	wbuf_uint(wb, v, 8);
}

static inline bool
wbuf_ok(const struct wbuf *wb)
{
	return (!wb->wb_bad);
}

#endif /* COMMON_BUF_H */
