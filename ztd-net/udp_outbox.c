/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/pages.h"
#include "ztd-net/udp_box.h"
#include "ztd-net/udp_outbox.h"
#include "ztd-net/udp_post.h"

#define OUT_MAX		10324	/* longest datagram */
#define RUN_MAX		64	/* datagrams, what every kernel takes */
#define RUN_BYTES	65000	/* with headers not above 64 KiB */
#define REFUSALS	16	/* remembered */
#define REFUSAL_ENDS	2048	/* datagrams later a run is tried again */
#define SINGLES		64	/* in a box, one by one: a thread begins early */
#define POST_LEAST	16	/* runs that are worth waking a thread */

/* No runs of such datagrams: the kernel did not take the last one. */
struct refusal {
	int			 rf_fd;
	struct inet_addr	 rf_to;
	size_t			 rf_size;	/* so long or longer */
	unsigned		 rf_left;	/* datagrams; 0: free */
};

struct udp_outbox {
	struct udp_box		*o_box;		/* that is filled */
	unsigned		 o_current;	/* which that is */
	struct udp_post		*o_post;	/* NULL: none yet, or at all */
	bool			 o_thread;	/* there may be one */
	uint64_t		 o_denied;
	int64_t			 o_denied_at;
	unsigned		 o_nrefusals;	/* not free */
	unsigned		 o_next;	/* place of the next one */
	struct refusal		 o_refusals[REFUSALS];
	struct udp_box		 o_boxes[POST_BOXES + 1];
};

struct udp_outbox *
udp_outbox_new(bool thread)
{
	struct udp_outbox	*o;

	if ((o = calloc(1, sizeof(*o))) == NULL)
		return (NULL);
	o->o_thread = thread;
	o->o_box = &o->o_boxes[0];
	return (o);
}

void
udp_outbox_free(struct udp_outbox *o)
{
	if (o == NULL)
		return;
	udp_post_free(o->o_post);
	free(o);
}

void
udp_outbox_rest(struct udp_outbox *o)
{
	unsigned	 i;

	if (o->o_box->b_n > 0 ||
	    (o->o_post != NULL && !udp_post_idle(o->o_post)))
		return;
	/* From there on nothing outlives a box that was sent. */
	for (i = 0; i <= POST_BOXES; i++)
		pages_rest(o->o_boxes[i].b_msg, sizeof(struct udp_box) -
		    offsetof(struct udp_box, b_msg));
}

static uint16_t *
bucket_of(struct udp_box *b, const struct inet_addr *to)
{
	uint64_t	 half[2];

	memcpy(half, to->ia_ip, sizeof(half));
	half[0] ^= half[1] * 0xbf58476d1ce4e5b9ULL ^
	    (uint64_t)to->ia_port << 32;
	return (&b->b_bucket[(half[0] * 0x9e3779b97f4a7c15ULL >> 32) %
	    BOX_BUCKETS]);
}

/* The last run that was begun for an address, or NULL. */
static struct udp_run *
run_find(struct udp_box *b, const struct inet_addr *to)
{
	struct udp_run	*r;
	uint16_t	 i;

	for (i = *bucket_of(b, to); i != 0; i = r->r_older) {
		r = &b->b_run[i - 1];
		if (inet_equal(&r->r_to, to))
			return (r);
	}
	return (NULL);
}

/* Can it be the next one of this run? */
static bool
run_takes(const struct udp_run *r, size_t len)
{
	return (!r->r_ended && len <= r->r_size && r->r_n < RUN_MAX &&
	    r->r_len + len <= RUN_BYTES);
}

static struct udp_run *
run_begin(struct udp_box *b, const struct inet_addr *to, size_t size)
{
	struct udp_run	*r = &b->b_run[b->b_n++];
	uint16_t	*bucket = bucket_of(b, to);

	r->r_to = *to;
	r->r_len = 0;
	r->r_size = size;
	r->r_n = 0;
	r->r_ended = false;
	r->r_refused = false;
	r->r_older = *bucket;
	*bucket = (uint16_t)b->b_n;
	return (r);
}

static void
run_add(struct udp_box *b, struct udp_run *r, const void *p, size_t len)
{
	uint16_t	 i = (uint16_t)b->b_npieces++;

	b->b_piece[i].pc_off = (uint32_t)b->b_used;
	b->b_piece[i].pc_len = (uint16_t)len;
	memcpy(b->b_data + b->b_used, p, len);
	b->b_used += len;
	if (r->r_n++ == 0)
		r->r_first = i;
	else
		b->b_piece[r->r_last].pc_next = i;
	r->r_last = i;
	r->r_len += len;
	if (len < r->r_size)
		r->r_ended = true;
}

static struct refusal *
refusal_find(struct udp_outbox *o, int fd, const struct inet_addr *to)
{
	struct refusal	*rf;
	unsigned	 i;

	for (i = 0; i < REFUSALS && o->o_nrefusals > 0; i++) {
		rf = &o->o_refusals[i];
		if (rf->rf_left > 0 && rf->rf_fd == fd &&
		    inet_equal(&rf->rf_to, to))
			return (rf);
	}
	return (NULL);
}

/* Is a datagram to go alone?  That is asked once for each of them. */
static bool
goes_alone(struct udp_outbox *o, int fd, const struct inet_addr *to,
    size_t len)
{
	struct refusal	*rf = refusal_find(o, fd, to);

	if (rf == NULL || len < rf->rf_size)
		return (false);
	if (--rf->rf_left == 0)
		o->o_nrefusals--;
	return (true);
}

/*
 * Asking again each time would cost a system call for each run: an MTU and
 * what an interface can do change seldom.
 */
static void
refused(struct udp_outbox *o, int fd, const struct udp_run *r)
{
	struct refusal	*rf = refusal_find(o, fd, &r->r_to);

	if (rf == NULL) {
		rf = &o->o_refusals[o->o_next++ % REFUSALS];
		if (rf->rf_left == 0)
			o->o_nrefusals++;
		rf->rf_fd = fd;
		rf->rf_to = r->r_to;
		rf->rf_size = r->r_size;
	} else if (r->r_size < rf->rf_size)
		rf->rf_size = r->r_size;
	rf->rf_left = REFUSAL_ENDS;
}

static bool
box_full(const struct udp_box *b, size_t len)
{
	return (b->b_used + len > BOX_BYTES || b->b_npieces == BOX_PIECES);
}

void
udp_outbox_put(struct udp_outbox *o, int fd, bool runs,
    const struct inet_addr *to, const void *p, size_t len)
{
	struct udp_run	*r = NULL;

	if (len == 0 || len > OUT_MAX)
		return;
	if (o->o_box->b_n > 0 &&
	    (o->o_box->b_fd != fd || box_full(o->o_box, len)))
		udp_outbox_flush(o);
	if (runs)
		r = run_find(o->o_box, to);
	if (r == NULL || !run_takes(r, len)) {
		if (o->o_box->b_n >= (runs ? BOX_RUNS : SINGLES))
			udp_outbox_flush(o);
		r = run_begin(o->o_box, to, len);
		r->r_ended = !runs || (o->o_nrefusals > 0 &&
		    goes_alone(o, fd, to, len));
	}
	o->o_box->b_fd = fd;
	run_add(o->o_box, r, p, len);
}

/* What came of a box that was sent; it is empty then. */
static void
box_done(struct udp_outbox *o, struct udp_box *b)
{
	unsigned	 i;

	if (b->b_denied > 0) {
		o->o_denied += b->b_denied;
		if (b->b_denied_at > o->o_denied_at)
			o->o_denied_at = b->b_denied_at;
	}
	for (i = 0; i < b->b_n && b->b_refused > 0; i++) {
		if (b->b_run[i].r_refused)
			refused(o, b->b_fd, &b->b_run[i]);
	}
	if (b->b_n > 0)
		memset(b->b_bucket, 0, sizeof(b->b_bucket));
	b->b_n = b->b_npieces = b->b_denied = b->b_refused = 0;
	b->b_used = 0;
}

/* Is it the thread's?  Whatever comes after what it has is, too. */
static bool
by_thread(struct udp_outbox *o)
{
	if (o->o_post != NULL && !udp_post_idle(o->o_post))
		return (true);
	if (!o->o_thread || o->o_box->b_n < POST_LEAST)
		return (false);
	if (o->o_post == NULL && (o->o_post = udp_post_new()) == NULL) {
		log_warnx("no thread for sending: datagrams are sent without");
		o->o_thread = false;
	}
	return (o->o_post != NULL);
}

void
udp_outbox_flush(struct udp_outbox *o)
{
	if (o->o_box->b_n == 0)
		return;
	if (!by_thread(o)) {
		udp_box_send(o->o_box);
		box_done(o, o->o_box);
		return;
	}
	/* There is one box more than it may have. */
	udp_post_wait(o->o_post, POST_BOXES - 1);
	udp_post_give(o->o_post, o->o_box);
	o->o_current = (o->o_current + 1) % (POST_BOXES + 1);
	o->o_box = &o->o_boxes[o->o_current];
	box_done(o, o->o_box);
}

void
udp_outbox_drain(struct udp_outbox *o)
{
	unsigned	 i;

	udp_outbox_flush(o);
	if (o->o_post == NULL)
		return;
	udp_post_wait(o->o_post, 0);
	for (i = 0; i <= POST_BOXES; i++)
		box_done(o, &o->o_boxes[i]);
}

uint64_t
udp_outbox_denied(struct udp_outbox *o, int64_t *last)
{
	udp_outbox_drain(o);
	*last = o->o_denied_at;
	return (o->o_denied);
}
