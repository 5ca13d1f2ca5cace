/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Connections: how many there may be, and for how long.  Spec: 05 sections
 * 2.1, 2.5.
 */

#ifndef ZTD_CTL_CLIENT_H
#define ZTD_CTL_CLIENT_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "common/inet.h"

struct bufferevent;
struct event;
struct event_base;
struct evhttp_connection;
struct evhttp_request;
struct request;

LIST_HEAD(client_list, client);

/* A connection. */
struct client {
	LIST_ENTRY(client)		 cl_entry;
	struct clients			*cl_all;
	struct bufferevent		*cl_bev;	/* until it is sorted in */
	struct evhttp_connection	*cl_con;
	struct request			*cl_request;	/* or NULL */
	struct event			*cl_timer;
	int64_t				 cl_since;	/* ms, last progress */
	struct inet_addr		 cl_from;	/* nil: unknown */
	unsigned			 cl_count;	/* requests so far */
	bool				 cl_local;	/* on the local socket */
	bool				 cl_close;	/* after this answer */
};

/* Those of some listeners together. */
struct clients {
	struct event_base	*cs_base;
	struct client_list	 cs_list;
	struct client_list	 cs_fresh;	/* accepted in this turn */
	struct event		*cs_sort;
	struct event		*cs_full;	/* pending: not accepting */
	unsigned		 cs_count, cs_max;
	void			(*cs_pause)(void *, bool);
	void			*cs_arg;
};

/*
 * At most max connections; pause is called to stop accepting more, and to
 * go on.  -1 when memory is short.
 */
int	 clients_init(struct clients *, struct event_base *, unsigned max,
	    void (*pause)(void *, bool), void *arg);
/* The connections themselves are evhttp's. */
void	 clients_clear(struct clients *);
/* For evhttp_set_bevcb(), with the struct clients. */
struct bufferevent *client_accept(struct event_base *, void *clients);
/* Whose request this is, NULL: memory is short. */
struct client *client_of(struct clients *, struct evhttp_request *);
/* Its descriptor. */
int	 client_fd(const struct client *);
/* Its request is complete; is answered. */
void	 client_asked(struct client *);
void	 client_answered(struct client *);

#endif /* ZTD_CTL_CLIENT_H */
