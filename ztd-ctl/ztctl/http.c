/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A small HTTP/1.1 client for the local service: one request a connection,
 * answers by length, in chunks, or up to the end.  Spec: 05 section 13.1.
 */

#include <sys/socket.h>
#include <sys/types.h>

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/inet.h"
#include "ztd-ctl/ztctl/ztctl.h"

#define SILENCE		60000		/* ms without data */
#define HEADER_LINE	1023
#define HEADERS_MAX	65536
#define ANSWER_MAX	(128 * 1024 * 1024)
#define CONTINUES_MAX	8		/* "100 Continue" before an answer */

/* What was read so far. */
struct reader {
	int	 rd_fd;
	char	*rd_buf;		/* NUL behind rd_len bytes */
	size_t	 rd_len, rd_size;
};

static int	 http_connect(const struct conn *);
static int	 http_send(int, const char *, const char *, const char *,
		    const char *);
static int	 header(char *, size_t, size_t *, const char *, ...)
		    __attribute__((format(printf, 4, 5)));
static int	 write_all(int, const char *, size_t);
static void	 reply_fail(struct reply *, const char *);
static int	 reader_more(struct reader *);
static int	 reader_until(struct reader *, size_t);
static int	 read_head(struct reader *, size_t *, int *);
static const char *find_header(const char *, const char *);
static int	 read_length(struct reader *, size_t, const char *,
		    struct reply *);
static int	 read_chunks(struct reader *, size_t, struct reply *);
static int	 read_rest(struct reader *, size_t, struct reply *);
static int	 wait_for(int, short);

int
http_request(const struct conn *cn, const char *method, const char *path,
    const char *body, struct reply *rp)
{
	const char	*p;
	int		 fd;

	memset(rp, 0, sizeof(*rp));
	for (p = path; *p != '\0'; p++) {
		if ((unsigned char)*p <= ' ' || *p == 0x7f) {
			reply_fail(rp, "not a path");
			return (0);
		}
	}
	if ((fd = http_connect(cn)) < 0) {
		reply_fail(rp, fd == -2 ? "connection failed (2)" :
		    "connection failed");
		return (0);
	}
	switch (http_send(fd, method, path, cn->cn_token, body)) {
	case 0:
		http_read(fd, rp);
		break;
	case -2:
		reply_fail(rp, "request too large");
		break;
	default:
		reply_fail(rp, "connection failed");
		break;
	}
	(void)close(fd);
	return (rp->rp_status);
}

void
reply_clear(struct reply *rp)
{
	free(rp->rp_body);
	memset(rp, 0, sizeof(*rp));
}

static void
reply_fail(struct reply *rp, const char *text)
{
	free(rp->rp_body);
	rp->rp_status = 0;
	rp->rp_body = strdup(text);
	rp->rp_len = rp->rp_body != NULL ? strlen(rp->rp_body) : 0;
}

/* -1: nobody there; -2: could not even try. */
static int
http_connect(const struct conn *cn)
{
	struct sockaddr_storage	 ss;
	struct inet_addr	 ia;
	socklen_t		 len;
	int			 fd;

	if (cn->cn_islocal) {
		memcpy(&ss, &cn->cn_local, sizeof(cn->cn_local));
		len = sizeof(cn->cn_local);
	} else {
		if (inet_parse(cn->cn_host != NULL ? cn->cn_host :
		    "127.0.0.1", &ia) == -1 || inet_isnil(&ia))
			return (-2);
		ia.ia_port = (uint16_t)cn->cn_port;
		len = inet_to_sockaddr(&ia, &ss);
	}
	if ((fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return (-2);
	if (connect(fd, (struct sockaddr *)&ss, len) == -1) {
		(void)close(fd);
		return (-1);
	}
	return (fd);
}

/* 0, -1 when it does not go out, -2 when it is too large. */
static int
http_send(int fd, const char *method, const char *path, const char *token,
    const char *body)
{
	char	 buf[8 * (HEADER_LINE + 2)];
	size_t	 n = 0;

	if (strlen(path) > HEADER_LINE * 4)
		return (-2);
	n = (size_t)snprintf(buf, sizeof(buf), "%s %s HTTP/1.1\r\n", method,
	    path);
	if (n >= sizeof(buf))
		return (-2);
	if (body != NULL &&
	    (header(buf, sizeof(buf), &n, "Content-Length: %zu",
	    strlen(body)) == -1 ||
	    header(buf, sizeof(buf), &n, "Content-Type: application/json") ==
	    -1))
		return (-2);
	if ((token != NULL &&
	    header(buf, sizeof(buf), &n, "X-ZT1-Auth: %s", token) == -1) ||
	    header(buf, sizeof(buf), &n, "%s", "") == -1)
		return (-2);
	if (write_all(fd, buf, n) == -1)
		return (-1);
	return (body == NULL ? 0 : write_all(fd, body, strlen(body)));
}

static int
header(char *buf, size_t size, size_t *n, const char *fmt, ...)
{
	va_list	 ap;
	int	 k;

	va_start(ap, fmt);
	k = vsnprintf(buf + *n, size - *n, fmt, ap);
	va_end(ap);
	if (k < 0 || k > HEADER_LINE || (size_t)k + 3 > size - *n)
		return (-1);
	memcpy(buf + *n + k, "\r\n", 3);
	*n += (size_t)k + 2;
	return (0);
}

static int
write_all(int fd, const char *p, size_t len)
{
	ssize_t	 n;

	while (len > 0) {
		n = send(fd, p, len, MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return (-1);
		p += n;
		len -= (size_t)n;
	}
	return (0);
}

/* ---- the answer -------------------------------------------------- */

void
http_read(int fd, struct reply *rp)
{
	struct reader	 rd = { .rd_fd = fd };
	const char	*v;
	size_t		 body;
	unsigned	 continues = 0;
	int		 rv, status;

	memset(rp, 0, sizeof(*rp));
	while ((rv = read_head(&rd, &body, &status)) == 0 && status == 100) {
		if (++continues > CONTINUES_MAX) {
			rv = -1;
			break;
		}
		rd.rd_len -= body;
		memmove(rd.rd_buf, rd.rd_buf + body, rd.rd_len + 1);
	}
	if (rv == 0) {
		v = find_header(rd.rd_buf, "Transfer-Encoding");
		if (v != NULL && strncasecmp(v, "chunked", 7) == 0)
			rv = read_chunks(&rd, body, rp);
		else if ((v = find_header(rd.rd_buf, "Content-Length")) !=
		    NULL)
			rv = read_length(&rd, body, v, rp);
		else
			rv = read_rest(&rd, body, rp);
	}
	free(rd.rd_buf);
	if (rv == 0)
		rp->rp_status = status;
	else
		reply_fail(rp, rv == -2 ? "timed out" :
		    rv == -3 ? "response too large" : "invalid response");
}

/* Bytes that are there now: 1, 0 at the end, -1, -2 (late), -3 (too much). */
static int
reader_more(struct reader *rd)
{
	char	*p;
	ssize_t	 n;
	size_t	 size;
	int	 rv;

	if (rd->rd_len + 1 >= rd->rd_size) {
		if (rd->rd_size > ANSWER_MAX + HEADERS_MAX)
			return (-3);
		size = rd->rd_size == 0 ? 16384 : rd->rd_size * 2;
		if ((p = realloc(rd->rd_buf, size)) == NULL)
			return (-1);
		rd->rd_buf = p;
		rd->rd_size = size;
		rd->rd_buf[rd->rd_len] = '\0';
	}
	if ((rv = wait_for(rd->rd_fd, POLLIN)) != 0)
		return (rv);
	do {
		n = read(rd->rd_fd, rd->rd_buf + rd->rd_len,
		    rd->rd_size - rd->rd_len - 1);
	} while (n == -1 && errno == EINTR);
	if (n <= 0)
		return (n == 0 ? 0 : -1);
	rd->rd_len += (size_t)n;
	rd->rd_buf[rd->rd_len] = '\0';
	return (1);
}

/* At least len bytes are there: 0, or what reader_more() said (-1: end). */
static int
reader_until(struct reader *rd, size_t len)
{
	int	 rv;

	while (rd->rd_len < len) {
		if ((rv = reader_more(rd)) <= 0)
			return (rv == 0 ? -1 : rv);
	}
	return (0);
}

static int
wait_for(int fd, short what)
{
	struct pollfd	 pfd = { fd, what, 0 };
	int		 n;

	do {
		n = poll(&pfd, 1, SILENCE);
	} while (n == -1 && errno == EINTR);
	return (n == 1 ? 0 : n == 0 ? -2 : -1);
}

/* Status line and headers; *body is where they end. */
static int
read_head(struct reader *rd, size_t *body, int *status)
{
	char	*end;
	int	 rv;

	for (;;) {
		if (rd->rd_buf != NULL &&
		    (end = strstr(rd->rd_buf, "\r\n\r\n")) != NULL)
			break;
		if (rd->rd_len > HEADERS_MAX)
			return (-3);
		if ((rv = reader_more(rd)) <= 0)
			return (rv == 0 ? -1 : rv);
	}
	*body = (size_t)(end - rd->rd_buf) + 4;
	if (sscanf(rd->rd_buf, "HTTP/1.%*1[01] %3d", status) != 1 ||
	    *status < 100)
		return (-1);
	return (0);
}

/* The value of a header, up to the end of its line, or NULL. */
static const char *
find_header(const char *head, const char *name)
{
	const char	*p, *end;
	size_t		 n;

	n = strlen(name);
	end = strstr(head, "\r\n\r\n");
	for (p = strstr(head, "\r\n"); p != NULL && p < end;
	    p = strstr(p + 2, "\r\n")) {
		if (strncasecmp(p + 2, name, n) == 0 && p[2 + n] == ':') {
			p += 3 + n;
			return (p + strspn(p, " \t"));
		}
	}
	return (NULL);
}

static int
take(struct reply *rp, const char *p, size_t len)
{
	char	*q;

	if (len > ANSWER_MAX - rp->rp_len)
		return (-3);
	if ((q = realloc(rp->rp_body, rp->rp_len + len + 1)) == NULL)
		return (-1);
	memcpy(q + rp->rp_len, p, len);
	rp->rp_body = q;
	rp->rp_len += len;
	q[rp->rp_len] = '\0';
	return (0);
}

static int
read_length(struct reader *rd, size_t body, const char *v, struct reply *rp)
{
	unsigned long long	 len;
	char			*end;
	int			 rv;

	errno = 0;
	len = strtoull(v, &end, 10);
	if (*v < '0' || *v > '9' || (*end != '\r' && *end != ' ') ||
	    errno != 0)
		return (-1);
	if (len > ANSWER_MAX)
		return (-3);
	if ((rv = reader_until(rd, body + (size_t)len)) != 0)
		return (rv);
	return (take(rp, rd->rd_buf + body, (size_t)len));
}

static int
read_chunks(struct reader *rd, size_t at, struct reply *rp)
{
	unsigned long long	 len;
	char			*end;
	int			 rv;

	for (;;) {
		while ((end = strstr(rd->rd_buf + at, "\r\n")) == NULL) {
			if (rd->rd_len - at > HEADER_LINE)
				return (-1);
			if ((rv = reader_more(rd)) <= 0)
				return (rv == 0 ? -1 : rv);
		}
		errno = 0;
		if (strspn(rd->rd_buf + at, "0123456789abcdefABCDEF") == 0)
			return (-1);
		len = strtoull(rd->rd_buf + at, NULL, 16);
		if (len > ANSWER_MAX || errno != 0)
			return (-3);
		at = (size_t)(end - rd->rd_buf) + 2;
		if (len == 0)
			return (take(rp, "", 0));
		if ((rv = reader_until(rd, at + (size_t)len + 2)) != 0)
			return (rv);
		if (memcmp(rd->rd_buf + at + len, "\r\n", 2) != 0)
			return (-1);
		if ((rv = take(rp, rd->rd_buf + at, (size_t)len)) != 0)
			return (rv);
		at += (size_t)len + 2;
	}
}

static int
read_rest(struct reader *rd, size_t body, struct reply *rp)
{
	int	 rv;

	while ((rv = reader_more(rd)) == 1)
		continue;
	if (rv != 0)
		return (rv);
	return (take(rp, rd->rd_buf + body, rd->rd_len - body));
}
