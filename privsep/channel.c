/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Message channels; see channel.h.  What the other side sends is checked
 * here against the catalogue, header first, so that no handler ever sees a
 * message of the wrong kind, sender or size.  Spec: 06 section 11.2.
 */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "privsep/channel.h"

struct header {
	uint32_t	 h_type;
	uint16_t	 h_flags;	/* HEADER_* */
	uint16_t	 h_reserved;	/* 0 */
	uint32_t	 h_len;		/* payload bytes */
	uint32_t	 h_id;
	uint32_t	 h_pid;		/* of the sender, for people */
};
#define HEADER_FD	0x0001		/* a descriptor comes with it */

#define IN_SIZE		(2 * (sizeof(struct header) + MSG_MAX))
#define OUT_IOV		32		/* messages in one sendmsg */
#define LAST_READS	256		/* of a channel that cannot write */
#define REASON_SIZE	160

/*
 * One descriptor may belong to a message that has arrived in part, and the
 * kernel may deliver its end together with the next one's begin.
 */
#define IN_FDS		2

/* A message that waits to be sent, header in front. */
struct out {
	TAILQ_ENTRY(out) o_entry;
	size_t		 o_len;
	size_t		 o_off;		/* bytes that are out */
	int		 o_fd;		/* goes with the first byte */
	uint8_t		 o_data[];
};

struct channel {
	enum proc	 ch_self, ch_peer;
	int		 ch_fd;
	struct event	*ch_read, *ch_write;
	channel_message	 ch_message;
	channel_gone	 ch_gone;
	channel_room	 ch_room;
	channel_turn	 ch_turn;
	void		*ch_arg;
	uint32_t	 ch_pid;	/* ours */

	unsigned	 ch_depth;	/* our own frames below a callback */
	bool		 ch_dead;	/* gone or freed: no fd, no events */
	bool		 ch_freed;
	bool		 ch_writing;	/* ch_room is being called */

	TAILQ_HEAD(, out) ch_out;
	size_t		 ch_pending;

	uint8_t		*ch_in;		/* IN_SIZE */
	size_t		 ch_inlen;
	uint8_t		*ch_payload;	/* MSG_MAX, aligned by malloc */
	int		 ch_fds[IN_FDS];
	unsigned	 ch_nfds;
};

union control {
	struct cmsghdr	 hdr;
	/* Room for more than is allowed, so that the surplus is seen. */
	char		 buf[CMSG_SPACE(4 * sizeof(int))];
};

static void	channel_readable(evutil_socket_t, short, void *);
static void	channel_writable(evutil_socket_t, short, void *);
static bool	channel_fill(struct channel *);
static void	channel_dispatch(struct channel *);
static void	channel_messages(struct channel *);
static bool	channel_deliver(struct channel *, const struct header *,
		    const uint8_t *);
static void	channel_check_stray(struct channel *);
static int	channel_write_some(struct channel *);
static unsigned	channel_gather(struct channel *, struct iovec *, int *);
static void	channel_sent(struct channel *, size_t);
static void	channel_die(struct channel *, const char *);
static void	channel_shut(struct channel *);
static void	channel_leave(struct channel *);
static struct out *out_new(uint32_t, uint32_t, uint32_t, int,
		    const struct iovec *, int, size_t);
static void	out_free(struct out *);
static bool	rule_allows(const struct msg_rule *, enum proc, enum proc);
static bool	header_check(const struct header *, enum proc, enum proc,
		    char *);
static ssize_t	receive(int, void *, size_t, int *, const char **);
static const char *take_fds(struct msghdr *, int *);
static int	receive_exactly(int, void *, size_t, int *);
static int	wait_for(int, short, int64_t);
static int64_t	now_ms(void);
static bool	temporary(int);

int
channel_pair(int fds[2])
{
	return (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0, fds));
}

struct channel *
channel_new(struct event_base *base, int fd, enum proc self, enum proc peer,
    channel_message message, channel_gone gone, void *arg)
{
	struct channel	*ch;

	if ((ch = calloc(1, sizeof(*ch))) == NULL)
		return (NULL);
	TAILQ_INIT(&ch->ch_out);
	ch->ch_self = self;
	ch->ch_peer = peer;
	ch->ch_message = message;
	ch->ch_gone = gone;
	ch->ch_arg = arg;
	/* A system call for each message would show. */
	ch->ch_pid = (uint32_t)getpid();
	ch->ch_fd = -1;
	ch->ch_in = malloc(IN_SIZE);
	ch->ch_payload = malloc(MSG_MAX);
	ch->ch_read = event_new(base, fd, EV_READ | EV_PERSIST,
	    channel_readable, ch);
	ch->ch_write = event_new(base, fd, EV_WRITE | EV_PERSIST,
	    channel_writable, ch);
	if (ch->ch_in == NULL || ch->ch_payload == NULL ||
	    ch->ch_read == NULL || ch->ch_write == NULL ||
	    event_add(ch->ch_read, NULL) == -1) {
		channel_free(ch);
		return (NULL);
	}
	ch->ch_fd = fd;
	return (ch);
}

void
channel_free(struct channel *ch)
{
	if (ch == NULL)
		return;
	ch->ch_freed = true;
	channel_shut(ch);
	if (ch->ch_depth > 0)
		return;		/* channel_leave() does the rest */
	if (ch->ch_in != NULL)
		freezero(ch->ch_in, IN_SIZE);
	free(ch->ch_payload);
	free(ch);
}

enum proc
channel_peer(const struct channel *ch)
{
	return (ch->ch_peer);
}

int
channel_send(struct channel *ch, uint32_t type, uint32_t id, int fd,
    const void *p, size_t len)
{
	struct iovec	iov;

	/* sendmsg(2) does not write through its iovec. */
	memcpy(&iov.iov_base, &p, sizeof(p));
	iov.iov_len = len;
	return (channel_sendv(ch, type, id, fd, &iov, 1));
}

int
channel_sendv(struct channel *ch, uint32_t type, uint32_t id, int fd,
    const struct iovec *iov, int iovcnt)
{
	const struct msg_rule	*rule = msg_rule(type);
	struct out		*o;
	size_t			 len = 0;
	int			 error, i;

	for (i = 0; i < iovcnt; i++)
		len += iov[i].iov_len;
	error = 0;
	if (ch == NULL || ch->ch_dead)
		error = EPIPE;
	else if (!rule_allows(rule, ch->ch_self, ch->ch_peer) ||
	    len < rule->mr_min || len > rule->mr_max ||
	    (fd != -1) != (rule->mr_fd != 0))
		error = EPERM;
	else if (sizeof(struct header) + len > CHANNEL_QUEUE - ch->ch_pending)
		error = ENOBUFS;
	else if ((o = out_new(ch->ch_pid, type, id, fd, iov, iovcnt,
	    len)) == NULL)
		error = ENOMEM;
	if (error != 0) {
		if (fd != -1)
			close(fd);
		errno = error;
		return (-1);
	}
	/*
	 * It goes out after the callbacks that run now, with what else they
	 * send, without asking the kernel first.  But who has always more to
	 * say must give others a turn.
	 */
	if (TAILQ_EMPTY(&ch->ch_out) && (!ch->ch_writing ||
	    event_add(ch->ch_write, NULL) == -1))
		event_active(ch->ch_write, EV_WRITE, 0);
	TAILQ_INSERT_TAIL(&ch->ch_out, o, o_entry);
	ch->ch_pending += o->o_len;
	return (0);
}

size_t
channel_pending(const struct channel *ch)
{
	return (ch->ch_pending);
}

void
channel_set_room(struct channel *ch, channel_room cb)
{
	ch->ch_room = cb;
}

void
channel_set_turn(struct channel *ch, channel_turn cb)
{
	ch->ch_turn = cb;
}

int
channel_flush(struct channel *ch, int ms)
{
	int64_t	deadline = now_ms() + ms;

	if (ch == NULL || ch->ch_dead) {
		errno = EPIPE;
		return (-1);
	}
	while (channel_write_some(ch) == 0) {
		if (TAILQ_EMPTY(&ch->ch_out))
			return (0);
		if (wait_for(ch->ch_fd, POLLOUT, deadline) == -1)
			return (-1);
	}
	return (-1);
}

int
channel_recv_blocking(int fd, enum proc self, enum proc peer, struct msg *m)
{
	struct header	 h;
	char		 why[REASON_SIZE];
	void		*data = NULL;
	int		 error, mfd = -1;

	if (receive_exactly(fd, &h, sizeof(h), &mfd) == -1)
		goto fail;
	if (!header_check(&h, self, peer, why) ||
	    (mfd != -1) != ((h.h_flags & HEADER_FD) != 0)) {
		errno = EPROTO;
		goto fail;
	}
	if ((data = malloc(h.h_len == 0 ? 1 : h.h_len)) == NULL)
		goto fail;
	if (receive_exactly(fd, data, h.h_len, NULL) == -1)
		goto fail;
	m->m_type = h.h_type;
	m->m_id = h.h_id;
	m->m_len = h.h_len;
	m->m_data = data;
	m->m_fd = mfd;
	return (0);
fail:
	error = errno;
	free(data);
	if (mfd != -1)
		close(mfd);
	errno = error;
	return (-1);
}

int
channel_send_blocking(int fd, enum proc self, enum proc peer, uint32_t type,
    uint32_t id, const void *p, size_t len, int ms)
{
	const struct msg_rule	*rule = msg_rule(type);
	struct iovec		 iov;
	struct out		*o;
	int64_t			 deadline = now_ms() + ms;
	ssize_t			 n;
	int			 error, rv = 0;

	if (!rule_allows(rule, self, peer) || len < rule->mr_min ||
	    len > rule->mr_max || rule->mr_fd != 0) {
		errno = EPERM;
		return (-1);
	}
	memcpy(&iov.iov_base, &p, sizeof(p));
	iov.iov_len = len;
	if ((o = out_new((uint32_t)getpid(), type, id, -1, &iov, 1,
	    len)) == NULL)
		return (-1);
	while (o->o_off < o->o_len && rv == 0) {
		n = send(fd, o->o_data + o->o_off, o->o_len - o->o_off,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0)
			o->o_off += (size_t)n;
		else if (!temporary(errno))
			rv = -1;
		else
			rv = wait_for(fd, POLLOUT, deadline);
	}
	error = errno;
	out_free(o);
	errno = error;
	return (rv);
}

/* ---- receiving ----------------------------------------------------- */

static void
channel_readable(evutil_socket_t fd, short what, void *arg)
{
	struct channel	*ch = arg;

	(void)fd;
	(void)what;
	if (ch->ch_depth > 0)
		return;		/* a loop run from within a callback */
	ch->ch_depth++;
	if (channel_fill(ch))
		channel_dispatch(ch);
	channel_leave(ch);
}

/*
 * Read once.  Returns true when bytes arrived; false when none are there,
 * or the channel died.
 */
static bool
channel_fill(struct channel *ch)
{
	const char	*bad = NULL;
	ssize_t		 n;
	int		 fd;

	n = receive(ch->ch_fd, ch->ch_in + ch->ch_inlen,
	    IN_SIZE - ch->ch_inlen, &fd, &bad);
	if (fd != -1 && ch->ch_nfds == IN_FDS) {
		close(fd);
		bad = "more descriptors than messages";
	} else if (fd != -1)
		ch->ch_fds[ch->ch_nfds++] = fd;

	if (bad != NULL)
		channel_die(ch, bad);
	else if (n == 0 && ch->ch_inlen > 0)
		channel_die(ch, "closed in the middle of a message");
	else if (n == 0 || (n == -1 && !temporary(errno)))
		channel_die(ch, NULL);
	if (n <= 0 || ch->ch_dead)
		return (false);
	ch->ch_inlen += (size_t)n;
	return (true);
}

/* Hand on every message that is complete, then tell that they were. */
static void
channel_dispatch(struct channel *ch)
{
	channel_messages(ch);
	if (ch->ch_turn != NULL)
		ch->ch_turn(ch, ch->ch_arg);
}

/* What is not complete is kept for later. */
static void
channel_messages(struct channel *ch)
{
	struct header	 h;
	char		 why[REASON_SIZE];
	size_t		 off = 0;

	while (ch->ch_inlen - off >= sizeof(h)) {
		memcpy(&h, ch->ch_in + off, sizeof(h));
		if (!header_check(&h, ch->ch_self, ch->ch_peer, why)) {
			channel_die(ch, why);
			return;
		}
		if (ch->ch_inlen - off - sizeof(h) < h.h_len)
			break;
		if (!channel_deliver(ch, &h, ch->ch_in + off + sizeof(h)))
			return;
		off += sizeof(h) + h.h_len;
	}
	if (off > 0) {
		ch->ch_inlen -= off;
		memmove(ch->ch_in, ch->ch_in + off, ch->ch_inlen);
		/* It may have been a secret. */
		explicit_bzero(ch->ch_in + ch->ch_inlen, off);
	}
	channel_check_stray(ch);
}

/* One message to the callback.  Returns false when the channel died. */
static bool
channel_deliver(struct channel *ch, const struct header *h, const uint8_t *p)
{
	struct msg	 m;
	char		 why[REASON_SIZE];
	unsigned	 i;

	m.m_type = h->h_type;
	m.m_id = h->h_id;
	m.m_len = h->h_len;
	m.m_data = ch->ch_payload;
	m.m_fd = -1;
	if (h->h_flags & HEADER_FD) {
		if (ch->ch_nfds == 0) {
			(void)snprintf(why, sizeof(why),
			    "%s without its descriptor",
			    msg_rule(h->h_type)->mr_name);
			channel_die(ch, why);
			return (false);
		}
		m.m_fd = ch->ch_fds[0];
		for (i = 1; i < ch->ch_nfds; i++)
			ch->ch_fds[i - 1] = ch->ch_fds[i];
		ch->ch_nfds--;
	}
	memcpy(ch->ch_payload, p, h->h_len);
	ch->ch_message(ch, &m, ch->ch_arg);
	explicit_bzero(ch->ch_payload, h->h_len);
	return (!ch->ch_dead);
}

/*
 * What descriptors are left must belong to a message of which a part is
 * here: at most one, and if its header is here, that says so.
 */
static void
channel_check_stray(struct channel *ch)
{
	struct header	 h;
	bool		 stray;

	if (ch->ch_nfds == 0)
		return;
	stray = ch->ch_inlen == 0 || ch->ch_nfds > 1;
	if (!stray && ch->ch_inlen >= sizeof(h)) {
		memcpy(&h, ch->ch_in, sizeof(h));
		stray = (h.h_flags & HEADER_FD) == 0;
	}
	if (stray)
		channel_die(ch, "descriptor that belongs to no message");
}

static bool
rule_allows(const struct msg_rule *rule, enum proc from, enum proc to)
{
	return (rule != NULL && (unsigned)from < PROC_COUNT &&
	    (unsigned)to < PROC_COUNT &&
	    (rule->mr_route & UINT32_C(1) << (from * PROC_COUNT + to)) != 0);
}

/* What the catalogue says of a header from peer.  why: REASON_SIZE bytes. */
static bool
header_check(const struct header *h, enum proc self, enum proc peer,
    char *why)
{
	const struct msg_rule	*rule;

	if ((rule = msg_rule(h->h_type)) == NULL)
		(void)snprintf(why, REASON_SIZE, "unknown message type %u",
		    h->h_type);
	else if (!rule_allows(rule, peer, self))
		(void)snprintf(why, REASON_SIZE, "%s is not for %s to send",
		    rule->mr_name, proc_name(peer));
	else if (h->h_len < rule->mr_min || h->h_len > rule->mr_max)
		(void)snprintf(why, REASON_SIZE,
		    "%s with %u bytes, not %zu to %zu", rule->mr_name,
		    h->h_len, rule->mr_min, rule->mr_max);
	else if (h->h_reserved != 0 || (h->h_flags & ~HEADER_FD) != 0)
		(void)snprintf(why, REASON_SIZE, "%s with unknown flags",
		    rule->mr_name);
	else if (((h->h_flags & HEADER_FD) != 0) != (rule->mr_fd != 0))
		(void)snprintf(why, REASON_SIZE, "%s with%s a descriptor",
		    rule->mr_name, rule->mr_fd != 0 ? "out" : "");
	else
		return (true);
	return (false);
}

/*
 * recvmsg(2) with at most one descriptor, to *fd or -1.  *bad is set to
 * what the sender did wrong with descriptors.
 */
static ssize_t
receive(int s, void *p, size_t len, int *fd, const char **bad)
{
	union control	 control;
	struct msghdr	 msg;
	struct iovec	 iov;
	ssize_t		 n;

	*fd = -1;
	memset(&msg, 0, sizeof(msg));
	memset(&control, 0, sizeof(control));
	iov.iov_base = p;
	iov.iov_len = len;
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_control = &control;
	msg.msg_controllen = sizeof(control);
	if ((n = recvmsg(s, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC)) == -1)
		return (-1);
	*bad = take_fds(&msg, fd);
	return (n);
}

/* All descriptors out of the control data: one is kept, others are closed. */
static const char *
take_fds(struct msghdr *msg, int *fd)
{
	const char	*bad = NULL;
	struct cmsghdr	*cmsg;
	size_t		 i, n;
	int		 got;

	if (msg->msg_flags & MSG_CTRUNC)
		bad = "descriptors were lost: too many sent, or none free";
	for (cmsg = CMSG_FIRSTHDR(msg); cmsg != NULL;
	    cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET ||
		    cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&got, CMSG_DATA(cmsg) + i * sizeof(int),
			    sizeof(got));
			if (*fd == -1)
				*fd = got;
			else {
				close(got);
				bad = "more than one descriptor at once";
			}
		}
	}
	return (bad);
}

/*
 * Read len bytes, waiting for them.  fd may be NULL: then any descriptor is
 * an error.  errno is 0 at end of file.
 */
static int
receive_exactly(int s, void *p, size_t len, int *fd)
{
	const char	*bad = NULL;
	uint8_t		*next = p;
	size_t		 done = 0;
	ssize_t		 n;
	int		 got;

	while (done < len) {
		n = receive(s, next + done, len - done, &got, &bad);
		if (n == -1 && temporary(errno)) {
			if (wait_for(s, POLLIN, INT64_MAX) == -1)
				return (-1);
			continue;
		}
		if (n == -1)
			return (-1);
		if (got != -1 && fd != NULL && *fd == -1)
			*fd = got;
		else if (got != -1) {
			close(got);
			bad = "unexpected descriptor";
		}
		if (bad != NULL || n == 0) {
			errno = bad != NULL ? EPROTO : 0;
			return (-1);
		}
		done += (size_t)n;
	}
	return (0);
}

/* ---- sending ------------------------------------------------------- */

static void
channel_writable(evutil_socket_t fd, short what, void *arg)
{
	struct channel	*ch = arg;
	int		 reads = LAST_READS;

	(void)fd;
	(void)what;
	if (channel_write_some(ch) == 0 && (TAILQ_EMPTY(&ch->ch_out) ||
	    event_add(ch->ch_write, NULL) == 0)) {
		if (ch->ch_room == NULL || ch->ch_depth > 0 ||
		    ch->ch_pending > CHANNEL_ROOM)
			return;
		ch->ch_depth++;
		ch->ch_writing = true;
		ch->ch_room(ch, ch->ch_arg);
		ch->ch_writing = false;
		channel_leave(ch);
		return;
	}
	/*
	 * The other side takes nothing more, but what it said before may be
	 * the answer that somebody waits for.  The limit is for one that
	 * goes on talking.
	 */
	if (ch->ch_depth > 0)
		return;
	ch->ch_depth++;
	while (!ch->ch_dead && reads-- > 0 && channel_fill(ch))
		channel_dispatch(ch);
	if (!ch->ch_dead)
		channel_die(ch, NULL);
	channel_leave(ch);
}

/* Write until the queue is empty or the other side is full: 0, or -1. */
static int
channel_write_some(struct channel *ch)
{
	union control	 control;
	struct cmsghdr	*cmsg;
	struct iovec	 iov[OUT_IOV];
	struct msghdr	 msg;
	ssize_t		 n;
	int		 fd;

	while (!TAILQ_EMPTY(&ch->ch_out)) {
		memset(&msg, 0, sizeof(msg));
		msg.msg_iov = iov;
		msg.msg_iovlen = channel_gather(ch, iov, &fd);
		if (fd != -1) {
			memset(&control, 0, sizeof(control));
			msg.msg_control = &control;
			msg.msg_controllen = CMSG_SPACE(sizeof(fd));
			cmsg = CMSG_FIRSTHDR(&msg);
			cmsg->cmsg_level = SOL_SOCKET;
			cmsg->cmsg_type = SCM_RIGHTS;
			cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
			memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
		}
		n = sendmsg(ch->ch_fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1)
			return (temporary(errno) ? 0 : -1);
		channel_sent(ch, (size_t)n);
	}
	(void)event_del(ch->ch_write);
	return (0);
}

/*
 * The head of the queue as an iovec, up to the next message that has a
 * descriptor: one must be the first byte's.
 */
static unsigned
channel_gather(struct channel *ch, struct iovec *iov, int *fd)
{
	struct out	*o;
	unsigned	 n = 0;

	*fd = TAILQ_FIRST(&ch->ch_out)->o_fd;
	TAILQ_FOREACH(o, &ch->ch_out, o_entry) {
		if (n == OUT_IOV || (n > 0 && o->o_fd != -1))
			break;
		iov[n].iov_base = o->o_data + o->o_off;
		iov[n].iov_len = o->o_len - o->o_off;
		n++;
	}
	return (n);
}

/* n bytes from the head of the queue are out, the descriptor with them. */
static void
channel_sent(struct channel *ch, size_t n)
{
	struct out	*o;
	size_t		 part;

	ch->ch_pending -= n;
	while (n > 0) {
		o = TAILQ_FIRST(&ch->ch_out);
		if (o->o_fd != -1) {
			close(o->o_fd);
			o->o_fd = -1;
		}
		part = o->o_len - o->o_off;
		if (part > n)
			part = n;
		o->o_off += part;
		n -= part;
		if (o->o_off == o->o_len) {
			TAILQ_REMOVE(&ch->ch_out, o, o_entry);
			out_free(o);
		}
	}
}

static struct out *
out_new(uint32_t pid, uint32_t type, uint32_t id, int fd,
    const struct iovec *iov, int iovcnt, size_t len)
{
	struct header	 h;
	struct out	*o;
	uint8_t		*p;
	int		 i;

	if ((o = malloc(sizeof(*o) + sizeof(h) + len)) == NULL)
		return (NULL);
	memset(&h, 0, sizeof(h));
	h.h_type = type;
	h.h_flags = fd != -1 ? HEADER_FD : 0;
	h.h_len = (uint32_t)len;
	h.h_id = id;
	h.h_pid = pid;
	o->o_len = sizeof(h) + len;
	o->o_off = 0;
	o->o_fd = fd;
	memcpy(o->o_data, &h, sizeof(h));
	p = o->o_data + sizeof(h);
	for (i = 0; i < iovcnt; i++) {
		if (iov[i].iov_len > 0)
			memcpy(p, iov[i].iov_base, iov[i].iov_len);
		p += iov[i].iov_len;
	}
	return (o);
}

static void
out_free(struct out *o)
{
	if (o->o_fd != -1)
		close(o->o_fd);
	freezero(o, sizeof(*o) + o->o_len);
}

/* ---- ends ---------------------------------------------------------- */

/* The channel is over: say so, once. */
static void
channel_die(struct channel *ch, const char *reason)
{
	char	why[REASON_SIZE];

	if (ch->ch_dead)
		return;
	if (reason != NULL)
		(void)strlcpy(why, reason, sizeof(why));
	channel_shut(ch);
	ch->ch_gone(ch, reason != NULL ? why : NULL, ch->ch_arg);
}

/* Release all that reaches outside; idempotent. */
static void
channel_shut(struct channel *ch)
{
	struct out	*o;

	ch->ch_dead = true;
	if (ch->ch_read != NULL)
		event_free(ch->ch_read);
	if (ch->ch_write != NULL)
		event_free(ch->ch_write);
	ch->ch_read = ch->ch_write = NULL;
	if (ch->ch_fd != -1)
		close(ch->ch_fd);
	ch->ch_fd = -1;
	while (ch->ch_nfds > 0)
		close(ch->ch_fds[--ch->ch_nfds]);
	while ((o = TAILQ_FIRST(&ch->ch_out)) != NULL) {
		TAILQ_REMOVE(&ch->ch_out, o, o_entry);
		out_free(o);
	}
	ch->ch_pending = 0;
}

/* Back from the callbacks: do what channel_free() had to leave. */
static void
channel_leave(struct channel *ch)
{
	if (--ch->ch_depth == 0 && ch->ch_freed)
		channel_free(ch);
}

/* ---- waiting ------------------------------------------------------- */

/* Until the socket can be read or written: 0, or -1 (ETIMEDOUT). */
static int
wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd	pfd;
	int64_t		left;
	int		n, ms;

	for (;;) {
		ms = -1;
		if (deadline != INT64_MAX) {
			left = deadline - now_ms();
			ms = left < 0 ? 0 : (int)left;
		}
		pfd.fd = fd;
		pfd.events = events;
		n = poll(&pfd, 1, ms);
		if (n > 0)
			return (0);
		if (n == 0) {
			errno = ETIMEDOUT;
			return (-1);
		}
		if (errno != EINTR)
			return (-1);
	}
}

static int64_t
now_ms(void)
{
	struct timespec	ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/* Errors that pass: try again when poll says so. */
static bool
temporary(int error)
{
	return (error == EAGAIN || error == EINTR || error == ENOBUFS);
}
