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

/* The other way round where the host's order is not that of the wire. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BUF_ORDER16(n)	__builtin_bswap16(n)
#define BUF_ORDER32(n)	__builtin_bswap32(n)
#else
#define BUF_ORDER16(n)	(n)
#define BUF_ORDER32(n)	(n)
#endif

/*
 * Read an integer of n bytes, big-endian, 1 <= n <= 8, in words: where n is
 * constant, as it nearly always is, nothing is left to be decided.
 */
static inline uint64_t
buf_get(const uint8_t *p, size_t n)
{
	uint64_t	 v = 0;
	uint32_t	 four;
	uint16_t	 two;

	if (n == 8) {
		memcpy(&four, p, sizeof(four));
		v = BUF_ORDER32(four);
		p += 4;
		n = 4;
	}
	if (n >= 4) {
		memcpy(&four, p, sizeof(four));
		v = v << 32 | BUF_ORDER32(four);
		p += 4;
		n -= 4;
	}
	if (n >= 2) {
		memcpy(&two, p, sizeof(two));
		v = v << 16 | BUF_ORDER16(two);
		p += 2;
		n -= 2;
	}
	if (n == 1)
		v = v << 8 | *p;
	return (v);
}

/* Write the low n bytes of one, likewise: no more than 8, nor less than 1. */
static inline void
buf_put(uint8_t *p, uint64_t v, size_t n)
{
	uint32_t	 four;
	uint16_t	 two;

	if (n == 8) {
		four = BUF_ORDER32((uint32_t)(v >> 32));
		memcpy(p, &four, sizeof(four));
		p += 4;
		n = 4;
	}
	if (n >= 4) {
		n -= 4;
		four = BUF_ORDER32((uint32_t)(v >> 8 * n));
		memcpy(p, &four, sizeof(four));
		p += 4;
	}
	if (n >= 2) {
		n -= 2;
		two = BUF_ORDER16((uint16_t)(v >> 8 * n));
		memcpy(p, &two, sizeof(two));
		p += 2;
	}
	if (n == 1)
		*p = (uint8_t)v;
}

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

	return ((p = rbuf_take(rb, n)) == NULL ? 0 : buf_get(p, n));
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

	if ((p = wbuf_room(wb, n)) != NULL)
		buf_put(p, v, n);
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
