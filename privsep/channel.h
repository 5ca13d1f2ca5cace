/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Message channels: the catalogue's messages over a SOCK_STREAM socketpair,
 * with descriptor passing, on a libevent loop.
 */

#ifndef PRIVSEP_CHANNEL_H
#define PRIVSEP_CHANNEL_H

#include <sys/uio.h>

#include <stddef.h>
#include <stdint.h>

#include "privsep/messages.h"

struct event_base;
struct channel;

/*
 * A received message.  m_data has m_len bytes, aligned for any struct, valid
 * during the callback.  m_fd is -1 or a descriptor that the callback owns.
 */
struct msg {
	uint32_t	 m_type;
	uint32_t	 m_id;
	size_t		 m_len;
	const void	*m_data;
	int		 m_fd;
};

/* Type, length, route and descriptor were checked against the catalogue. */
typedef void (*channel_message)(struct channel *, struct msg *, void *arg);
/*
 * The other side closed (reason NULL) or broke the rules (what it did).
 * The channel is dead; the callback may free it.
 */
typedef void (*channel_gone)(struct channel *, const char *reason, void *arg);

/* A pair of connected, close-on-exec, non-blocking ends.  0 or -1. */
int	 channel_pair(int fds[2]);

/*
 * Take over fd.  self and peer name the two ends for checking and logging.
 * NULL when memory is short; fd is then still the caller's.
 */
struct channel *channel_new(struct event_base *, int fd, enum proc self,
	    enum proc peer, channel_message, channel_gone, void *arg);
/* Close and forget, unsent messages are lost.  NULL is fine.  May be called
 * from within the channel's own callbacks. */
void	 channel_free(struct channel *);
enum proc channel_peer(const struct channel *);

/*
 * Queue a message; it leaves when the loop runs and the other side has
 * room.  A descriptor (or -1) is taken over whatever happens.  Returns 0, or
 * -1 with errno when the channel is NULL or dead (EPIPE), the catalogue
 * forbids it (EPERM), more than CHANNEL_QUEUE bytes would be waiting
 * (ENOBUFS), or memory is short (ENOMEM).  No callback runs from here.
 */
#define CHANNEL_QUEUE	(16 * 1024 * 1024)
int	 channel_send(struct channel *, uint32_t type, uint32_t id, int fd,
	    const void *p, size_t len);
int	 channel_sendv(struct channel *, uint32_t type, uint32_t id, int fd,
	    const struct iovec *, int iovcnt);
/* Bytes that wait to be sent. */
size_t	 channel_pending(const struct channel *);
/*
 * Call this whenever something was sent and at most CHANNEL_ROOM bytes
 * wait: for those who have more to say than fits.  NULL: do not.
 */
#define CHANNEL_ROOM	(1024 * 1024)
typedef void (*channel_room)(struct channel *, void *arg);
void	 channel_set_room(struct channel *, channel_room);
/*
 * Call this when the messages that had come at once were all handed on: for
 * what is better done once for all of them.  The channel may be dead by then,
 * and after its gone callback the argument must still be good.  NULL: do not.
 */
typedef void (*channel_turn)(struct channel *, void *arg);
void	 channel_set_turn(struct channel *, channel_turn);
/*
 * Write what is queued, blocking at most ms milliseconds: before exit.
 * Returns 0 when all is out, else -1 with errno.  No callback runs from
 * here: that the other side is gone, the loop will notice.
 */
int	 channel_flush(struct channel *, int ms);

/*
 * Blocking receive of one message before a loop runs (start-up).  Returns 0
 * and fills *m, whose m_data is malloc'd and the caller's, or -1 with errno
 * (0 for end of file, EPROTO when the catalogue forbids the message).
 * Nothing beyond the message is read: channel_new() may follow.
 */
int	 channel_recv_blocking(int fd, enum proc self, enum proc peer,
	    struct msg *);
/*
 * The opposite, for messages without descriptor: returns 0 when all is
 * written within ms milliseconds, else -1 with errno.
 */
int	 channel_send_blocking(int fd, enum proc self, enum proc peer,
	    uint32_t type, uint32_t id, const void *p, size_t len, int ms);

#endif /* PRIVSEP_CHANNEL_H */
