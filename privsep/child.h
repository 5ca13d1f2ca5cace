/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The first minutes of a child's life: its channel, its log, its cage.
 *
 * A child's main() is: child_start() (which gives it MSG_INIT), whatever
 * needs the old root (opening folders), child_confine(), event loop.
 */

#ifndef PRIVSEP_CHILD_H
#define PRIVSEP_CHILD_H

#include <stdbool.h>

#include "privsep/channel.h"

/*
 * Check that CHILD_FD is a channel (else: one line "started by ztd, not by
 * hand", exit 1), receive MSG_INIT, send log lines to the parent from now
 * on.  Fatal on failure.  SIGINT, SIGHUP and SIGPIPE are ignored from here
 * on: a terminal's Ctrl-C is the parent's business.
 */
void	 child_start(enum proc self, const char *name, struct msg_init *);

/*
 * The channel to the parent on this loop: the same fd as before; freed by
 * nobody, it lives as long as the process.  MSG_STOP, SIGTERM and a parent
 * that closed the channel all end the same way: stop is called (save what
 * is to be saved), what is queued goes out, the process exits.  MSG_STOP is
 * not given to the message callback.  Fatal on failure.
 *
 * A child never outlives its parent: on Linux and FreeBSD the kernel kills
 * it when the parent dies, so a parent that wants things saved waits for
 * its children after MSG_STOP.
 */
struct channel *child_channel(struct event_base *, enum proc self,
	    channel_message, void (*stop)(void *arg), void *arg);
/*
 * From now on MSG_STOP is given to the message callback, and the process
 * ends by itself, within a second: it has to ask others for its last words.
 */
void	 child_ends_itself(void);

/*
 * What a process may still do after child_confine().  A process that is not
 * started by root keeps its root folder: then co_chroot stands before the
 * other paths by itself.  Every path must exist.
 */
struct confine {
	enum proc	 co_self;
	const char	*co_chroot;	/* new root, NULL: an empty folder */
	const char	*co_rw[4];	/* after chroot: folders to write in */
	const char	*co_ro[4];	/* ... and only read */
	bool		 co_udp;	/* open and use UDP sockets */
	bool		 co_tcp;	/* accept on passed TCP listeners */
	bool		 co_connect;	/* outgoing TCP */
	bool		 co_lend;	/* make memory to lend to others */
	unsigned	 co_threads;	/* make so many threads, later */
	bool		 co_realtime;	/* go before others, and end that */
	bool		 co_burst;	/* write many frames at once */
};

/*
 * Chroot, become the user of MSG_INIT, no core dumps and other limits, and
 * the system's sandbox (Landlock and seccomp, pledge and unveil, ...).  In
 * this order; every failure is fatal, but for a kernel that lacks Landlock,
 * which is logged.
 *
 * What libraries load lazily must be loaded before (06 section 12.1): they
 * find no file afterwards, and may not map code.  Threads can be made
 * afterwards only with co_threads; no other process ever can.
 */
void	 child_confine(const struct confine *, const struct msg_init *);

#endif /* PRIVSEP_CHILD_H */
