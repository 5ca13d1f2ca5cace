/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Message channels, and what they make of a hostile other side.  The raw
 * end speaks the header's layout for itself, so that it can lie.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>
#include <event2/event.h>

#include "privsep/channel.h"

struct raw {
	uint32_t	type;
	uint16_t	flags, reserved;
	uint32_t	len, id, pid;
};
#define RAW_FD	1

/* What one end of a channel saw. */
struct seen {
	struct channel	*ch;
	unsigned	 messages;
	uint64_t	 bytes;
	uint32_t	 type, id, next;
	size_t		 len;
	uint8_t		 data[MSG_MAX];
	int		 fd;
	unsigned	 gone, turns, turn_messages;
	char		 reason[200];
	bool		 free_in_message, free_in_gone, count;
};

static struct event_base	*base;
static struct seen		 a, b;

static void
on_message(struct channel *ch, struct msg *m, void *arg)
{
	struct seen	*s = arg;

	ATF_CHECK_EQ(s->ch, ch);
	ATF_CHECK_EQ(0, (uintptr_t)m->m_data % 16);
	if (s->count)
		ATF_CHECK_EQ(s->next++, m->m_id);
	s->messages++;
	s->bytes += m->m_len;
	s->type = m->m_type;
	s->id = m->m_id;
	s->len = m->m_len;
	memcpy(s->data, m->m_data, m->m_len);
	if (s->fd != -1)
		close(s->fd);
	s->fd = m->m_fd;
	if (s->free_in_message) {
		channel_free(ch);
		s->ch = NULL;
	}
}

static void
on_gone(struct channel *ch, const char *reason, void *arg)
{
	struct seen	*s = arg;

	ATF_CHECK_EQ(s->ch, ch);
	s->gone++;
	strlcpy(s->reason, reason == NULL ? "(closed)" : reason,
	    sizeof(s->reason));
	if (s->free_in_gone) {
		channel_free(ch);
		s->ch = NULL;
	}
}

/* Make s the end of a channel that leads from self to peer. */
static void
open_end(struct seen *s, int fd, enum proc self, enum proc peer)
{
	memset(s, 0, sizeof(*s));
	s->fd = -1;
	s->ch = channel_new(base, fd, self, peer, on_message, on_gone, s);
	ATF_REQUIRE(s->ch != NULL);
	ATF_CHECK_EQ(peer, channel_peer(s->ch));
}

static void
open_both(enum proc self, enum proc peer)
{
	int	fds[2];

	if (base == NULL)
		ATF_REQUIRE((base = event_base_new()) != NULL);
	ATF_REQUIRE(channel_pair(fds) == 0);
	ATF_CHECK(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	ATF_CHECK(fcntl(fds[1], F_GETFL) & O_NONBLOCK);
	open_end(&a, fds[0], self, peer);
	open_end(&b, fds[1], peer, self);
}

/* a is proc self with a raw peer; returns the raw end. */
static int
open_raw(enum proc self, enum proc peer)
{
	int	fds[2];

	if (base == NULL)
		ATF_REQUIRE((base = event_base_new()) != NULL);
	ATF_REQUIRE(channel_pair(fds) == 0);
	open_end(&a, fds[0], self, peer);
	return (fds[1]);
}

static void
close_all(void)
{
	channel_free(a.ch);
	channel_free(b.ch);
	a.ch = b.ch = NULL;
	event_base_free(base);
	base = NULL;
}

/* Run the loop until nothing more happens. */
static void
run(void)
{
	int	i;

	for (i = 0; i < 200; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static int
open_fds(void)
{
	int	fd, n = 0;

	for (fd = 0; fd < 256; fd++) {
		if (fcntl(fd, F_GETFD) != -1)
			n++;
	}
	return (n);
}

/* Raw bytes with any number of descriptors. */
static void
raw_send(int s, const void *p, size_t len, const int *fds, int nfds)
{
	union {
		struct cmsghdr	hdr;
		char		buf[CMSG_SPACE(16 * sizeof(int))];
	}		 control;
	struct cmsghdr	*cmsg;
	struct msghdr	 msg;
	struct iovec	 iov;

	memset(&msg, 0, sizeof(msg));
	memset(&control, 0, sizeof(control));
	memcpy(&iov.iov_base, &p, sizeof(p));
	iov.iov_len = len;
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	if (nfds > 0) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, nfds * sizeof(int));
	}
	ATF_REQUIRE_EQ((ssize_t)len, sendmsg(s, &msg, 0));
}

static void
raw_message(int s, uint32_t type, uint16_t flags, uint32_t len,
    const int *fds, int nfds)
{
	static uint8_t	buf[sizeof(struct raw) + MSG_MAX];
	struct raw	raw = { type, flags, 0, len, 7, 1 };

	memcpy(buf, &raw, sizeof(raw));
	raw_send(s, buf, sizeof(raw) + (len <= MSG_MAX ? len : 0), fds, nfds);
}

/* The other side must be thrown out for this reason, and nothing leak. */
static void
expect_gone(int s, int before, const char *reason)
{
	run();
	ATF_CHECK_EQ_MSG(1, a.gone, "not thrown out: %s", reason);
	ATF_CHECK_STREQ(reason, a.reason);
	ATF_CHECK_EQ(0, a.messages);
	errno = 0;
	ATF_CHECK(channel_send(a.ch, MSG_STOP, 0, -1, NULL, 0) == -1);
	ATF_CHECK_EQ(EPIPE, errno);
	ATF_CHECK(channel_flush(a.ch, 10) == -1);
	close(s);
	close_all();
	ATF_CHECK_EQ_MSG(before, open_fds(), "%s: leaks", reason);
}

ATF_TC_WITHOUT_HEAD(roundtrip);
ATF_TC_BODY(roundtrip, tc)
{
	struct msg_network	n = { 0x8056c2e21c000001 };
	struct iovec		iov[2];

	open_both(PROC_TAP, PROC_NET);
	ATF_REQUIRE_EQ(0, channel_send(a.ch, MSG_JOIN, 42, -1, &n,
	    sizeof(n)));
	ATF_CHECK(channel_pending(a.ch) > sizeof(n));
	ATF_CHECK_EQ(0, b.messages);
	run();
	ATF_CHECK_EQ(1, b.messages);
	ATF_CHECK_EQ(MSG_JOIN, b.type);
	ATF_CHECK_EQ(42, b.id);
	ATF_CHECK_EQ(sizeof(n), b.len);
	ATF_CHECK_EQ(-1, b.fd);
	ATF_CHECK(memcmp(b.data, &n, sizeof(n)) == 0);
	ATF_CHECK_EQ(0, channel_pending(a.ch));

	ATF_REQUIRE_EQ(0, channel_send(b.ch, MSG_READY, 1, -1, NULL, 0));
	run();
	ATF_CHECK_EQ(MSG_READY, a.type);
	ATF_CHECK_EQ(0, a.len);

	iov[0].iov_base = &n;
	iov[0].iov_len = 3;
	iov[1].iov_base = (char *)&n + 3;
	iov[1].iov_len = sizeof(n) - 3;
	ATF_REQUIRE_EQ(0, channel_sendv(a.ch, MSG_LEAVE, 2, -1, iov, 2));
	run();
	ATF_CHECK_EQ(MSG_LEAVE, b.type);
	ATF_CHECK(memcmp(b.data, &n, sizeof(n)) == 0);
	close_all();
}

ATF_TC_WITHOUT_HEAD(many);
ATF_TC_BODY(many, tc)
{
	static uint8_t	body[MSG_MAX];
	uint32_t	i, n = 600;
	uint64_t	bytes = 0;
	size_t		len;
	int		rounds = 0;

	open_both(PROC_CTL, PROC_CON);
	b.count = true;
	memset(body, 0x5a, sizeof(body));
	for (i = 0; i < n; i++) {
		len = i * 7919 % (i % 5 == 0 ? MSG_MAX + 1 : 1000);
		bytes += len;
		ATF_REQUIRE_EQ(0, channel_send(a.ch, MSG_API_BODY, i, -1,
		    body, len));
	}
	while (b.messages < n && rounds++ < 10000)
		event_base_loop(base, EVLOOP_NONBLOCK);
	ATF_CHECK_EQ(n, b.messages);
	ATF_CHECK_EQ(bytes, b.bytes);
	ATF_CHECK_EQ(0, b.gone);
	close_all();
}

static void
on_turn(struct channel *ch, void *arg)
{
	struct seen	*s = arg;

	(void)ch;
	s->turns++;
	s->turn_messages = s->messages;
}

/* Once for all that came at once, and after them; not without any. */
ATF_TC_WITHOUT_HEAD(turn);
ATF_TC_BODY(turn, tc)
{
	uint32_t	i;

	(void)tc;
	open_both(PROC_CTL, PROC_CON);
	channel_set_turn(b.ch, on_turn);
	run();
	ATF_CHECK_EQ(0, b.turns);
	for (i = 0; i < 20; i++)
		ATF_REQUIRE_EQ(0, channel_send(a.ch, MSG_API_BODY, i, -1,
		    "x", 1));
	run();
	ATF_CHECK_EQ(20, b.messages);
	ATF_CHECK_EQ(1, b.turns);
	ATF_CHECK_EQ(20, b.turn_messages);
	/* What it says before it goes is told, too. */
	ATF_REQUIRE_EQ(0, channel_send(a.ch, MSG_API_BODY, i, -1, "x", 1));
	b.free_in_message = true;
	run();
	ATF_CHECK_EQ(21, b.messages);
	ATF_CHECK_EQ(2, b.turns);
	close_all();
}

static unsigned	 said;

static void
on_room(struct channel *ch, void *arg)
{
	(void)arg;
	if (++said < 1000)
		ATF_CHECK_EQ(0, channel_send(ch, MSG_API_BODY, 0, -1, "x",
		    1));
}

/* Who has something more to say each time does not keep others waiting. */
ATF_TC_WITHOUT_HEAD(talkative);
ATF_TC_BODY(talkative, tc)
{
	(void)tc;
	open_both(PROC_CTL, PROC_CON);
	channel_set_room(a.ch, on_room);
	ATF_REQUIRE_EQ(0, channel_send(a.ch, MSG_API_BODY, 0, -1, "x", 1));
	event_base_loop(base, EVLOOP_ONCE);
	ATF_CHECK(said >= 1);
	ATF_CHECK_MSG(said < 3, "%u in one turn", said);
	while (said < 1000 && a.gone == 0)
		run();
	ATF_CHECK_EQ(1000, said);
	ATF_CHECK_EQ(1000, b.messages);
	close_all();
}

ATF_TC_WITHOUT_HEAD(descriptor);
ATF_TC_BODY(descriptor, tc)
{
	struct msg_channel	mc = { PROC_CON };
	struct stat		st, was;
	int			before, fd, i;

	before = open_fds();
	open_both(PROC_TAP, PROC_NET);
	ATF_REQUIRE((fd = open("/dev/null", O_RDONLY)) != -1);
	ATF_REQUIRE(fstat(fd, &was) == 0);
	ATF_REQUIRE_EQ(0, channel_send(a.ch, MSG_CHANNEL, 1, fd, &mc,
	    sizeof(mc)));
	run();
	ATF_CHECK_EQ(MSG_CHANNEL, b.type);
	ATF_REQUIRE(b.fd != -1);
	ATF_CHECK(fcntl(b.fd, F_GETFD) & FD_CLOEXEC);
	ATF_REQUIRE(fstat(b.fd, &st) == 0);
	ATF_CHECK(st.st_ino == was.st_ino && st.st_dev == was.st_dev);
	/* Each of many, between messages without. */
	for (i = 0; i < 30; i++) {
		ATF_REQUIRE((fd = open("/dev/null", O_RDONLY)) != -1);
		ATF_REQUIRE_EQ(0, channel_send(a.ch, MSG_CHANNEL, 1, fd, &mc,
		    sizeof(mc)));
		if (i % 3 == 0)
			ATF_REQUIRE_EQ(0, channel_send(a.ch, MSG_STOP, 1, -1,
			    NULL, 0));
	}
	run();
	ATF_CHECK_EQ(41, b.messages);
	ATF_CHECK_EQ(0, b.gone);
	if (b.fd != -1)
		close(b.fd);
	close_all();
	ATF_CHECK_EQ(before, open_fds());
}

/* A descriptor whose message never left, or was refused, is closed. */
ATF_TC_WITHOUT_HEAD(descriptor_taken);
ATF_TC_BODY(descriptor_taken, tc)
{
	struct msg_channel	mc = { PROC_CON };
	int			before = open_fds(), fd;

	open_both(PROC_TAP, PROC_NET);
	fd = open("/dev/null", O_RDONLY);
	ATF_CHECK_EQ(0, channel_send(a.ch, MSG_CHANNEL, 1, fd, &mc,
	    sizeof(mc)));
	fd = open("/dev/null", O_RDONLY);
	ATF_CHECK_EQ(-1, channel_send(a.ch, MSG_STOP, 1, fd, NULL, 0));
	ATF_CHECK_EQ(EPERM, errno);
	fd = open("/dev/null", O_RDONLY);
	ATF_CHECK_EQ(-1, channel_send(NULL, MSG_CHANNEL, 1, fd, &mc,
	    sizeof(mc)));
	ATF_CHECK_EQ(EPIPE, errno);
	close_all();
	ATF_CHECK_EQ(before, open_fds());
}

ATF_TC_WITHOUT_HEAD(forbidden);
ATF_TC_BODY(forbidden, tc)
{
	struct msg_network	n = { 1 };

	open_both(PROC_NET, PROC_TAP);
	/* wrong way, unknown, wrong length, without its descriptor */
	ATF_CHECK_EQ(-1, channel_send(a.ch, MSG_JOIN, 0, -1, &n, sizeof(n)));
	ATF_CHECK_EQ(EPERM, errno);
	ATF_CHECK_EQ(-1, channel_send(a.ch, 9999, 0, -1, NULL, 0));
	ATF_CHECK_EQ(EPERM, errno);
	ATF_CHECK_EQ(-1, channel_send(a.ch, MSG_ONLINE, 0, -1, &n,
	    sizeof(n)));
	ATF_CHECK_EQ(EPERM, errno);
	ATF_CHECK_EQ(-1, channel_send(b.ch, MSG_FRAMES, 0, -1, NULL, 0));
	ATF_CHECK_EQ(EPERM, errno);
	run();
	ATF_CHECK_EQ(0, a.messages + b.messages + a.gone + b.gone);
	close_all();
}

ATF_TC_WITHOUT_HEAD(partial);
ATF_TC_BODY(partial, tc)
{
	struct {
		struct raw		h;
		struct msg_network	n;
	} __attribute__((packed))	m;
	size_t				i;
	int				s;

	s = open_raw(PROC_NET, PROC_TAP);
	m.h = (struct raw){ MSG_JOIN, 0, 0, sizeof(m.n), 5, 1 };
	m.n.mn_nwid = 0x1122334455667788;
	for (i = 0; i < sizeof(m); i++) {
		ATF_CHECK_EQ(0, a.messages);
		raw_send(s, (uint8_t *)&m + i, 1, NULL, 0);
		run();
	}
	ATF_CHECK_EQ(1, a.messages);
	ATF_CHECK_EQ(5, a.id);
	ATF_CHECK(memcmp(a.data, &m.n, sizeof(m.n)) == 0);
	ATF_CHECK_EQ(0, a.gone);
	close(s);
	run();
	ATF_CHECK_EQ(1, a.gone);
	ATF_CHECK_STREQ("(closed)", a.reason);
	close_all();
}

/* The descriptor comes with the first byte, the rest in pieces. */
ATF_TC_WITHOUT_HEAD(partial_descriptor);
ATF_TC_BODY(partial_descriptor, tc)
{
	uint8_t	buf[sizeof(struct raw) + 4];
	size_t	i;
	int	fd, k, s;

	s = open_raw(PROC_NET, PROC_TAP);
	memset(buf, 0, sizeof(buf));
	memcpy(buf, &(struct raw){ MSG_CHANNEL, RAW_FD, 0, 4, 0, 0 },
	    sizeof(struct raw));
	for (k = 1; k <= 2; k++) {
		fd = open("/dev/null", O_RDONLY);
		raw_send(s, buf, 1, &fd, 1);
		close(fd);
		run();
		for (i = 1; i < sizeof(buf); i++)
			raw_send(s, buf + i, 1, NULL, 0);
		if (k == 1)
			run();
	}
	run();
	ATF_CHECK_EQ(2, a.messages);
	ATF_CHECK(a.fd != -1);
	ATF_CHECK_EQ_MSG(0, a.gone, "%s", a.reason);
	close(s);
	close_all();
}

/* The end of one message and the begin of the next in one read. */
ATF_TC_WITHOUT_HEAD(adjacent_descriptors);
ATF_TC_BODY(adjacent_descriptors, tc)
{
	uint8_t	buf[sizeof(struct raw) + 4];
	int	before = open_fds(), fd, i, s;

	s = open_raw(PROC_NET, PROC_TAP);
	memset(buf, 0, sizeof(buf));
	memcpy(buf, &(struct raw){ MSG_CHANNEL, RAW_FD, 0, 4, 0, 0 },
	    sizeof(struct raw));
	fd = open("/dev/null", O_RDONLY);
	raw_send(s, buf, 5, &fd, 1);
	run();
	raw_send(s, buf + 5, sizeof(buf) - 5, NULL, 0);
	for (i = 0; i < 5; i++)
		raw_send(s, buf, sizeof(buf), &fd, 1);
	close(fd);
	run();
	ATF_CHECK_EQ(6, a.messages);
	ATF_CHECK_EQ_MSG(0, a.gone, "%s", a.reason);
	close(a.fd);
	close(s);
	close_all();
	ATF_CHECK_EQ(before, open_fds());
}

ATF_TC_WITHOUT_HEAD(hostile_header);
ATF_TC_BODY(hostile_header, tc)
{
	struct raw	raw;
	int		before = open_fds(), s;

	s = open_raw(PROC_TAP, PROC_NET);
	raw_message(s, 4711, 0, 0, NULL, 0);
	expect_gone(s, before, "unknown message type 4711");

	s = open_raw(PROC_TAP, PROC_NET);
	raw_message(s, MSG_NONE, 0, 0, NULL, 0);
	expect_gone(s, before, "unknown message type 0");

	s = open_raw(PROC_TAP, PROC_NET);
	raw_message(s, MSG_NET_LEAVE, 0, 8, NULL, 0);
	expect_gone(s, before, "MSG_NET_LEAVE is not for ztd-net to send");

	/* Our own message back to us. */
	s = open_raw(PROC_TAP, PROC_NET);
	raw_message(s, MSG_JOIN, 0, 8, NULL, 0);
	expect_gone(s, before, "MSG_JOIN is not for ztd-net to send");

	s = open_raw(PROC_TAP, PROC_NET);
	raw_message(s, MSG_ONLINE, 0, 3, NULL, 0);
	expect_gone(s, before, "MSG_ONLINE with 3 bytes, not 4 to 4");

	s = open_raw(PROC_CTL, PROC_CON);
	raw_message(s, MSG_API_BODY, 0, MSG_MAX + 1, NULL, 0);
	expect_gone(s, before,
	    "MSG_API_BODY with 65537 bytes, not 0 to 65536");

	s = open_raw(PROC_CTL, PROC_CON);
	raw_message(s, MSG_API_BODY, 0, UINT32_MAX, NULL, 0);
	expect_gone(s, before,
	    "MSG_API_BODY with 4294967295 bytes, not 0 to 65536");

	s = open_raw(PROC_TAP, PROC_NET);
	raw_message(s, MSG_READY, 2, 0, NULL, 0);
	expect_gone(s, before, "MSG_READY with unknown flags");

	s = open_raw(PROC_TAP, PROC_NET);
	raw = (struct raw){ MSG_READY, 0, 1, 0, 0, 0 };
	raw_send(s, &raw, sizeof(raw), NULL, 0);
	expect_gone(s, before, "MSG_READY with unknown flags");
}

ATF_TC_WITHOUT_HEAD(hostile_end);
ATF_TC_BODY(hostile_end, tc)
{
	struct raw	raw = { MSG_ONLINE, 0, 0, 4, 0, 0 };
	int		before = open_fds(), s;

	s = open_raw(PROC_TAP, PROC_NET);
	raw_send(s, &raw, sizeof(raw), NULL, 0);
	shutdown(s, SHUT_WR);
	expect_gone(s, before, "closed in the middle of a message");
}

ATF_TC_WITHOUT_HEAD(hostile_descriptor);
ATF_TC_BODY(hostile_descriptor, tc)
{
	int	before = open_fds(), fds[12], i, s;
	uint8_t	half[2] = { MSG_READY, 0 };

	for (i = 0; i < 12; i++)
		fds[i] = STDIN_FILENO;

	/* one that is not announced */
	s = open_raw(PROC_TAP, PROC_NET);
	raw_message(s, MSG_ONLINE, 0, 4, fds, 1);
	run();
	ATF_CHECK_EQ(1, a.messages);
	ATF_CHECK_EQ(-1, a.fd);
	a.messages = 0;
	expect_gone(s, before, "descriptor that belongs to no message");

	/* announced where none is allowed */
	s = open_raw(PROC_TAP, PROC_NET);
	raw_message(s, MSG_ONLINE, RAW_FD, 4, fds, 1);
	expect_gone(s, before, "MSG_ONLINE with a descriptor");

	/* announced and not there */
	s = open_raw(PROC_NET, PROC_TAP);
	raw_message(s, MSG_FRAMES, RAW_FD, 0, NULL, 0);
	expect_gone(s, before, "MSG_FRAMES without its descriptor");

	/* needed and not announced */
	s = open_raw(PROC_NET, PROC_TAP);
	raw_message(s, MSG_FRAMES, 0, 0, fds, 1);
	expect_gone(s, before, "MSG_FRAMES without a descriptor");

	/* two and twelve */
	s = open_raw(PROC_NET, PROC_TAP);
	raw_message(s, MSG_FRAMES, RAW_FD, 0, fds, 2);
	expect_gone(s, before, "more than one descriptor at once");
	s = open_raw(PROC_NET, PROC_TAP);
	raw_message(s, MSG_FRAMES, RAW_FD, 0, fds, 12);
	expect_gone(s, before, "more than one descriptor at once");

	/* one with every byte */
	s = open_raw(PROC_TAP, PROC_NET);
	raw_send(s, half, 1, fds, 1);
	raw_send(s, half + 1, 1, fds, 1);
	expect_gone(s, before, "descriptor that belongs to no message");
}

ATF_TC_WITHOUT_HEAD(bound);
ATF_TC_BODY(bound, tc)
{
	static uint8_t	body[MSG_MAX];
	unsigned	n = 0;

	open_both(PROC_CTL, PROC_CON);
	while (channel_send(a.ch, MSG_API_BODY, 0, -1, body,
	    sizeof(body)) == 0)
		n++;
	ATF_CHECK_EQ(ENOBUFS, errno);
	ATF_CHECK(channel_pending(a.ch) <= CHANNEL_QUEUE);
	ATF_CHECK_EQ(CHANNEL_QUEUE / (MSG_MAX + sizeof(struct raw)), n);
	ATF_CHECK_EQ(0, a.gone);
	close_all();
}

ATF_TC_WITHOUT_HEAD(flush);
ATF_TC_BODY(flush, tc)
{
	static uint8_t	body[MSG_MAX];
	int		i;

	open_both(PROC_CTL, PROC_CON);
	ATF_CHECK_EQ(0, channel_flush(a.ch, 0));
	ATF_CHECK_EQ(0, channel_send(a.ch, MSG_API_END, 0, -1, NULL, 0));
	ATF_CHECK_EQ(0, channel_flush(a.ch, 1000));
	ATF_CHECK_EQ(0, channel_pending(a.ch));
	/* More than the socket holds, and nobody reads. */
	for (i = 0; i < 200; i++)
		ATF_CHECK_EQ(0, channel_send(a.ch, MSG_API_BODY, 0, -1, body,
		    sizeof(body)));
	ATF_CHECK_EQ(-1, channel_flush(a.ch, 50));
	ATF_CHECK_EQ(ETIMEDOUT, errno);
	ATF_CHECK(channel_pending(a.ch) > 0);
	/* The other side goes away: flush says so, the loop reports it. */
	channel_free(b.ch);
	b.ch = NULL;
	ATF_CHECK_EQ(-1, channel_flush(a.ch, 50));
	ATF_CHECK_EQ(0, a.gone);
	run();
	ATF_CHECK_EQ(1, a.gone);
	ATF_CHECK_STREQ("(closed)", a.reason);
	close_all();
}

ATF_TC_WITHOUT_HEAD(free_in_callbacks);
ATF_TC_BODY(free_in_callbacks, tc)
{
	int	before = open_fds(), i, s;

	/* in the first of several messages that arrive together */
	s = open_raw(PROC_TAP, PROC_NET);
	a.free_in_message = true;
	for (i = 0; i < 5; i++)
		raw_message(s, MSG_READY, 0, 0, NULL, 0);
	run();
	ATF_CHECK_EQ(1, a.messages);
	ATF_CHECK_EQ(0, a.gone);
	close(s);
	close_all();

	/* when the other side closes, and when it misbehaves */
	s = open_raw(PROC_TAP, PROC_NET);
	a.free_in_gone = true;
	close(s);
	run();
	ATF_CHECK_EQ(1, a.gone);
	close_all();
	s = open_raw(PROC_TAP, PROC_NET);
	a.free_in_gone = true;
	raw_message(s, 999, 0, 0, NULL, 0);
	run();
	ATF_CHECK_EQ(1, a.gone);
	close(s);

	/* when writing fails */
	close_all();
	open_both(PROC_TAP, PROC_NET);
	a.free_in_gone = true;
	channel_free(b.ch);
	b.ch = NULL;
	ATF_CHECK_EQ(0, channel_send(a.ch, MSG_STOP, 0, -1, NULL, 0));
	run();
	ATF_CHECK_EQ(1, a.gone);
	close_all();
	ATF_CHECK_EQ(before, open_fds());
}

/* The answer of a process that has exited is read before its end is told. */
ATF_TC_WITHOUT_HEAD(last_words);
ATF_TC_BODY(last_words, tc)
{
	int	i;

	open_both(PROC_TAP, PROC_CTL);
	ATF_CHECK_EQ(0, channel_send(b.ch, MSG_READY, 3, -1, NULL, 0));
	ATF_CHECK_EQ(0, channel_flush(b.ch, 100));
	channel_free(b.ch);
	b.ch = NULL;
	/* Writing fails first, whatever order the loop has. */
	ATF_CHECK_EQ(0, channel_send(a.ch, MSG_STOP, 0, -1, NULL, 0));
	for (i = 0; i < 3 && a.gone == 0; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	ATF_CHECK_EQ(1, a.messages);
	ATF_CHECK_EQ(1, a.gone);
	ATF_CHECK_STREQ("(closed)", a.reason);
	close_all();
}

/* Takes nothing, talks for ever: still thrown out. */
ATF_TC_WITHOUT_HEAD(deaf);
ATF_TC_BODY(deaf, tc)
{
	int	s;

	s = open_raw(PROC_TAP, PROC_NET);
	shutdown(s, SHUT_RD);
	raw_message(s, MSG_READY, 0, 0, NULL, 0);
	ATF_CHECK_EQ(0, channel_send(a.ch, MSG_STOP, 0, -1, NULL, 0));
	run();
	ATF_CHECK_EQ(1, a.messages);
	ATF_CHECK_EQ(1, a.gone);
	close(s);
	close_all();
}

ATF_TC_WITHOUT_HEAD(blocking);
ATF_TC_BODY(blocking, tc)
{
	struct msg_online	on = { 1 };
	struct msg		m;
	int			before = open_fds(), fd, fds[2];

	ATF_REQUIRE(channel_pair(fds) == 0);
	ATF_CHECK_EQ(0, channel_send_blocking(fds[1], PROC_NET, PROC_TAP,
	    MSG_ONLINE, 9, &on, sizeof(on), 100));
	ATF_CHECK_EQ(0, channel_send_blocking(fds[1], PROC_NET, PROC_TAP,
	    MSG_READY, 10, NULL, 0, 100));
	ATF_REQUIRE_EQ(0, channel_recv_blocking(fds[0], PROC_TAP, PROC_NET,
	    &m));
	ATF_CHECK_EQ(MSG_ONLINE, m.m_type);
	ATF_CHECK_EQ(9, m.m_id);
	ATF_CHECK_EQ(sizeof(on), m.m_len);
	ATF_CHECK_EQ(-1, m.m_fd);
	ATF_CHECK(memcmp(m.m_data, &on, sizeof(on)) == 0);
	free((void *)(uintptr_t)m.m_data);
	ATF_REQUIRE_EQ(0, channel_recv_blocking(fds[0], PROC_TAP, PROC_NET,
	    &m));
	ATF_CHECK_EQ(MSG_READY, m.m_type);
	ATF_CHECK(m.m_data != NULL);
	free((void *)(uintptr_t)m.m_data);

	/* what is not allowed to be said, and to be heard */
	ATF_CHECK_EQ(-1, channel_send_blocking(fds[1], PROC_NET, PROC_TAP,
	    MSG_STOP, 0, NULL, 0, 100));
	ATF_CHECK_EQ(EPERM, errno);
	fd = STDIN_FILENO;
	raw_message(fds[1], MSG_READY, 0, 0, &fd, 1);
	ATF_CHECK_EQ(-1, channel_recv_blocking(fds[0], PROC_TAP, PROC_NET,
	    &m));
	ATF_CHECK_EQ(EPROTO, errno);
	raw_message(fds[1], 12345, 0, 0, NULL, 0);
	ATF_CHECK_EQ(-1, channel_recv_blocking(fds[0], PROC_TAP, PROC_NET,
	    &m));
	ATF_CHECK_EQ(EPROTO, errno);
	raw_message(fds[0], MSG_FRAMES, RAW_FD, 0, &fd, 1);
	ATF_REQUIRE_EQ(0, channel_recv_blocking(fds[1], PROC_NET, PROC_TAP,
	    &m));
	ATF_CHECK(m.m_fd != -1);
	close(m.m_fd);
	free((void *)(uintptr_t)m.m_data);

	close(fds[1]);
	errno = EIO;
	ATF_CHECK_EQ(-1, channel_recv_blocking(fds[0], PROC_TAP, PROC_NET,
	    &m));
	ATF_CHECK_EQ(0, errno);
	close(fds[0]);
	ATF_CHECK_EQ(before, open_fds());
}

/* The receiver waits for a sender that is slow. */
ATF_TC_WITHOUT_HEAD(blocking_slow);
ATF_TC_BODY(blocking_slow, tc)
{
	static uint8_t	body[MSG_MAX];
	struct msg	m;
	pid_t		pid;
	int		fds[2], i, status;

	ATF_REQUIRE(channel_pair(fds) == 0);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		close(fds[0]);
		for (i = 0; i < 20; i++) {
			usleep(2000);
			if (channel_send_blocking(fds[1], PROC_CON, PROC_CTL,
			    MSG_API_BODY, (uint32_t)i, body, sizeof(body),
			    5000) == -1)
				_exit(1);
		}
		_exit(0);
	}
	close(fds[1]);
	for (i = 0; i < 20; i++) {
		ATF_REQUIRE_EQ(0, channel_recv_blocking(fds[0], PROC_CTL,
		    PROC_CON, &m));
		ATF_CHECK_EQ((uint32_t)i, m.m_id);
		ATF_CHECK_EQ(MSG_MAX, m.m_len);
		free((void *)(uintptr_t)m.m_data);
	}
	ATF_CHECK_EQ(-1, channel_recv_blocking(fds[0], PROC_CTL, PROC_CON,
	    &m));
	ATF_CHECK_EQ(0, errno);
	ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
	ATF_CHECK_EQ(0, status);
	close(fds[0]);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, roundtrip);
	ATF_TP_ADD_TC(tp, many);
	ATF_TP_ADD_TC(tp, turn);
	ATF_TP_ADD_TC(tp, talkative);
	ATF_TP_ADD_TC(tp, descriptor);
	ATF_TP_ADD_TC(tp, descriptor_taken);
	ATF_TP_ADD_TC(tp, forbidden);
	ATF_TP_ADD_TC(tp, partial);
	ATF_TP_ADD_TC(tp, partial_descriptor);
	ATF_TP_ADD_TC(tp, adjacent_descriptors);
	ATF_TP_ADD_TC(tp, hostile_header);
	ATF_TP_ADD_TC(tp, hostile_end);
	ATF_TP_ADD_TC(tp, hostile_descriptor);
	ATF_TP_ADD_TC(tp, bound);
	ATF_TP_ADD_TC(tp, flush);
	ATF_TP_ADD_TC(tp, free_in_callbacks);
	ATF_TP_ADD_TC(tp, last_words);
	ATF_TP_ADD_TC(tp, deaf);
	ATF_TP_ADD_TC(tp, blocking);
	ATF_TP_ADD_TC(tp, blocking_slow);
	return (atf_no_error());
}
