/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "privsep/thread.h"
#include "ztd-net/udp_post.h"

struct udp_post {
	pthread_t	 p_thread;
	pthread_mutex_t	 p_lock;
	pthread_cond_t	 p_given;	/* a box, or the end */
	pthread_cond_t	 p_sent;	/* a box */
	bool		 p_stop;
	atomic_uint	 p_ngiven, p_nsent;	/* since the beginning */
	struct udp_box	*p_boxes[POST_BOXES];	/* a ring */
};

static void	*post_thread(void *);

struct udp_post *
udp_post_new(void)
{
	struct udp_post	*p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return (NULL);
	(void)pthread_mutex_init(&p->p_lock, NULL);
	(void)pthread_cond_init(&p->p_given, NULL);
	(void)pthread_cond_init(&p->p_sent, NULL);
	if (thread_start(&p->p_thread, post_thread, p) != 0) {
		free(p);
		return (NULL);
	}
	return (p);
}

void
udp_post_free(struct udp_post *p)
{
	if (p == NULL)
		return;
	(void)pthread_mutex_lock(&p->p_lock);
	p->p_stop = true;
	(void)pthread_cond_signal(&p->p_given);
	(void)pthread_mutex_unlock(&p->p_lock);
	(void)pthread_join(p->p_thread, NULL);
	(void)pthread_cond_destroy(&p->p_sent);
	(void)pthread_cond_destroy(&p->p_given);
	(void)pthread_mutex_destroy(&p->p_lock);
	free(p);
}

static unsigned
unsent(const struct udp_post *p)
{
	return (atomic_load(&p->p_ngiven) - atomic_load(&p->p_nsent));
}

bool
udp_post_idle(const struct udp_post *p)
{
	return (unsent(p) == 0);
}

void
udp_post_give(struct udp_post *p, struct udp_box *b)
{
	(void)pthread_mutex_lock(&p->p_lock);
	p->p_boxes[p->p_ngiven++ % POST_BOXES] = b;
	(void)pthread_cond_signal(&p->p_given);
	(void)pthread_mutex_unlock(&p->p_lock);
}

void
udp_post_wait(struct udp_post *p, unsigned left)
{
	if (unsent(p) <= left)
		return;
	(void)pthread_mutex_lock(&p->p_lock);
	while (unsent(p) > left)
		(void)pthread_cond_wait(&p->p_sent, &p->p_lock);
	(void)pthread_mutex_unlock(&p->p_lock);
}

/* What was given before the end is sent. */
static void *
post_thread(void *arg)
{
	struct udp_post	*p = arg;
	struct udp_box	*b;

	(void)pthread_mutex_lock(&p->p_lock);
	for (;;) {
		while (unsent(p) == 0 && !p->p_stop)
			(void)pthread_cond_wait(&p->p_given, &p->p_lock);
		if (unsent(p) == 0)
			break;
		b = p->p_boxes[p->p_nsent % POST_BOXES];
		(void)pthread_mutex_unlock(&p->p_lock);
		udp_box_send(b);
		(void)pthread_mutex_lock(&p->p_lock);
		p->p_nsent++;
		(void)pthread_cond_signal(&p->p_sent);
	}
	(void)pthread_mutex_unlock(&p->p_lock);
	return (NULL);
}
