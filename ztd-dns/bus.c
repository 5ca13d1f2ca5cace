/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A connection to the system's bus; see bus.h.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ztd-dns/bus.h"

#define OTHERS_MAX	64	/* messages passed over for one answer */

static int64_t	 now_ms(void);
static int	 wait_for(struct bus *, short);
static int	 send_all(struct bus *, const void *, size_t);
static int	 recv_some(struct bus *, void *, size_t, size_t *);
static int	 recv_all(struct bus *, void *, size_t);
static int	 recv_message(struct bus *, struct dbus_msg *);

int
bus_connect(struct bus *b, const char *path, int ms)
{
	struct sockaddr_un	 sun;

	memset(b, 0, sizeof(*b));
	b->b_deadline = now_ms() + ms;
	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	if ((b->b_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0)) == -1)
		return (-1);
	/* Of a local socket this does not wait: EAGAIN says it is full. */
	return (connect(b->b_fd, (struct sockaddr *)&sun, sizeof(sun)));
}

int
bus_auth(struct bus *b, unsigned long uid)
{
	char	 text[DBUS_AUTH], answer[512];
	size_t	 got = 0, n;
	int	 good;

	n = dbus_auth(text, uid);
	if (send_all(b, text, n) == -1)
		return (-1);
	do {
		if (recv_some(b, answer + got, sizeof(answer) - got, &n) == -1)
			return (-1);
		got += n;
	} while ((good = dbus_auth_answer(answer, got)) == 0);
	if (good == -1) {
		errno = EACCES;
		return (-1);
	}
	return (send_all(b, DBUS_BEGIN, sizeof(DBUS_BEGIN) - 1));
}

int
bus_call(struct bus *b, const struct dbus_method *dm, const struct wbuf *body,
    struct dbus_msg *answer)
{
	uint8_t		 out[1024];
	struct wbuf	 wb;
	unsigned	 i;

	wbuf_init(&wb, out, sizeof(out));
	dbus_put_call(&wb, ++b->b_serial, dm, body);
	if (!wbuf_ok(&wb)) {
		errno = EMSGSIZE;
		return (-1);
	}
	if (send_all(b, out, wb.wb_len) == -1)
		return (-1);
	for (i = 0; i < OTHERS_MAX; i++) {
		if (recv_message(b, answer) == -1)
			return (-1);
		if ((answer->dm_type == DBUS_RETURN ||
		    answer->dm_type == DBUS_ERROR) &&
		    answer->dm_reply_serial == b->b_serial)
			return (0);
	}
	errno = EPROTO;
	return (-1);
}

static int64_t
now_ms(void)
{
	struct timespec	 ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		return (0);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

static int
wait_for(struct bus *b, short what)
{
	struct pollfd	 pfd = { b->b_fd, what, 0 };
	int64_t		 left = b->b_deadline - now_ms();
	int		 n;

	if (left <= 0) {
		errno = ETIMEDOUT;
		return (-1);
	}
	n = poll(&pfd, 1, (int)left);
	if (n == 0)
		errno = ETIMEDOUT;
	return (n == 1 || (n == -1 && errno == EINTR) ? 0 : -1);
}

static int
send_all(struct bus *b, const void *p, size_t len)
{
	const uint8_t	*at = p;
	ssize_t		 n;

	while (len > 0) {
		n = send(b->b_fd, at, len, MSG_NOSIGNAL);
		if (n == -1 && errno != EAGAIN && errno != EINTR)
			return (-1);
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		} else if (wait_for(b, POLLOUT) == -1)
			return (-1);
	}
	return (0);
}

/* At least one byte, at most size. */
static int
recv_some(struct bus *b, void *p, size_t size, size_t *len)
{
	ssize_t	 n;

	if (size == 0) {
		errno = EPROTO;
		return (-1);
	}
	for (;;) {
		/* No flags that would take descriptors: none is wanted. */
		n = recv(b->b_fd, p, size, 0);
		if (n > 0) {
			*len = (size_t)n;
			return (0);
		}
		if (n == 0) {
			errno = ECONNRESET;
			return (-1);
		}
		if ((errno != EAGAIN && errno != EINTR) ||
		    wait_for(b, POLLIN) == -1)
			return (-1);
	}
}

static int
recv_all(struct bus *b, void *p, size_t len)
{
	uint8_t	*at = p;
	size_t	 n;

	while (len > 0) {
		if (recv_some(b, at, len, &n) == -1)
			return (-1);
		at += n;
		len -= n;
	}
	return (0);
}

static int
recv_message(struct bus *b, struct dbus_msg *dm)
{
	size_t	 len;

	if (recv_all(b, b->b_in, DBUS_HEAD) == -1)
		return (-1);
	if ((len = dbus_length(b->b_in)) == 0) {
		errno = EPROTO;
		return (-1);
	}
	if (recv_all(b, b->b_in + DBUS_HEAD, len - DBUS_HEAD) == -1)
		return (-1);
	if (dbus_parse(dm, b->b_in, len) == -1) {
		errno = EPROTO;
		return (-1);
	}
	return (0);
}
