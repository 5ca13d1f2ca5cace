/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Clients of the API: some connections, each with one request at a time,
 * kept open as long as the server likes.
 */

#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "regress/bench/conload.h"

#define CONNECTIONS_MAX	256
#define SILENCE_MS	60000		/* so long no answer: give up */
#define TRIES		3		/* of one request whose connection
					   is closed */
#define STATUSES	600

struct client {
	int		 c_fd;		/* -1: none */
	bool		 c_busy;	/* a request is under way */
	bool		 c_last;	/* the server closes after this one */
	unsigned	 c_tries;
	int64_t		 c_begun;
	int64_t		 c_first;	/* us until its first byte */
	char		*c_out;
	size_t		 c_outlen, c_sent;
	char		*c_in;
	size_t		 c_inlen, c_insize;
	size_t		 c_whole;	/* length of the answer, 0: unknown */
};

static struct {
	const char	*method, *body;
	char		 token[128];
	uint16_t	 port;
	char		**paths;
	size_t		 npaths;
	struct client	 clients[CONNECTIONS_MAX];
	size_t		 nclients, times, begun, done;
	uint64_t	 statuses[STATUSES];
	uint64_t	 bytes, connections;
	int64_t		*took, *first;
} h;

static void	 options(int, char *[]);
static void	 next(struct client *);
static void	 serve(void);
static void	 report(int64_t);

int
http_main(int argc, char *argv[])
{
	int64_t	begun;
	size_t	i;

	h.nclients = 1;
	h.times = 100;
	options(argc, argv);
	h.took = calloc(h.times, sizeof(*h.took));
	h.first = calloc(h.times, sizeof(*h.first));
	if (h.took == NULL || h.first == NULL)
		err(1, "times");
	begun = now_us();
	for (i = 0; i < h.nclients; i++) {
		h.clients[i].c_fd = -1;
		next(&h.clients[i]);
	}
	while (h.done < h.times)
		serve();
	report(now_us() - begun);
	return (0);
}

static void
token_read(const char *path)
{
	FILE	*f;

	if ((f = fopen(path, "r")) == NULL ||
	    fgets(h.token, sizeof(h.token), f) == NULL)
		err(1, "%s", path);
	fclose(f);
	h.token[strcspn(h.token, "\r\n")] = '\0';
}

static void
paths_read(const char *path)
{
	char	 line[1024];
	size_t	 size = 0;
	FILE	*f;

	if ((f = fopen(path, "r")) == NULL)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		if (h.npaths == size) {
			size = size == 0 ? 64 : size * 2;
			h.paths = reallocarray(h.paths, size,
			    sizeof(*h.paths));
		}
		if (h.paths == NULL ||
		    (h.paths[h.npaths++] = strdup(line)) == NULL)
			err(1, "paths");
	}
	fclose(f);
	if (h.npaths == 0)
		errx(1, "%s: no path", path);
}

static void
options(int argc, char *argv[])
{
	int	ch;

	while ((ch = getopt(argc, argv, "c:d:k:n:p:")) != -1)
		switch (ch) {
		case 'c':
			h.nclients = number(optarg, "connections");
			break;
		case 'd':
			h.body = optarg;
			break;
		case 'k':
			token_read(optarg);
			break;
		case 'n':
			h.times = number(optarg, "times");
			break;
		case 'p':
			h.port = (uint16_t)number(optarg, "port");
			break;
		default:
			usage();
		}
	if (argc - optind != 2 || h.port == 0 || h.token[0] == '\0' ||
	    h.nclients == 0 || h.nclients > CONNECTIONS_MAX || h.times == 0)
		usage();
	h.method = argv[optind];
	paths_read(argv[optind + 1]);
}

static void
dial(struct client *c)
{
	struct sockaddr_in	sin;
	int			one = 1;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_port = htons(h.port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->c_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->c_fd == -1 ||
	    connect(c->c_fd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		err(1, "port %u", h.port);
	(void)setsockopt(c->c_fd, IPPROTO_TCP, TCP_NODELAY, &one,
	    sizeof(one));
	(void)fcntl(c->c_fd, F_SETFL, O_NONBLOCK);
	c->c_last = false;
	h.connections++;
}

/* The body with its "#"s replaced; malloc'd. */
static char *
body_make(size_t no)
{
	const char	*p;
	char		*text;
	size_t		 len = 0;
	FILE		*f;

	if ((f = open_memstream(&text, &len)) == NULL)
		err(1, "body");
	for (p = h.body; p != NULL && *p != '\0'; p++) {
		if (*p == '#')
			fprintf(f, "%zu", no);
		else
			fputc(*p, f);
	}
	fclose(f);
	return (text);
}

/* The next request on this connection, if there is one to do. */
static void
next(struct client *c)
{
	char	*body;
	int	 n;

	free(c->c_out);
	c->c_out = NULL;
	c->c_busy = h.begun < h.times;
	if (!c->c_busy)
		return;
	body = body_make(h.begun);
	n = asprintf(&c->c_out, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
	    "X-ZT1-Auth: %s\r\nContent-Type: application/json\r\n"
	    "Content-Length: %zu\r\n\r\n%s", h.method,
	    h.paths[h.begun % h.npaths], h.token, strlen(body), body);
	free(body);
	if (n == -1)
		err(1, "request");
	h.begun++;
	c->c_outlen = (size_t)n;
	c->c_sent = c->c_inlen = c->c_whole = 0;
	c->c_tries = 0;
	c->c_begun = now_us();
	if (c->c_fd == -1)
		dial(c);
}

/* The server closed; what it had not begun to answer is asked again. */
static void
closed(struct client *c)
{
	close(c->c_fd);
	c->c_fd = -1;
	if (!c->c_busy)
		return;
	if (c->c_inlen > 0 || ++c->c_tries == TRIES)
		errx(1, "the connection was closed during an answer");
	c->c_sent = 0;
	dial(c);
}

/* Header lines are complete up to end: what they say. */
static size_t
head(struct client *c, const char *end, bool *keep)
{
	const char	*p;
	size_t		 len = 0;
	unsigned	 status = 0;

	(void)sscanf(c->c_in, "HTTP/1.%*d %u", &status);
	h.statuses[status < STATUSES ? status : 0]++;
	*keep = true;
	for (p = c->c_in; p < end; p = strchr(p, '\n') + 1) {
		if (strncasecmp(p, "Content-Length:", 15) == 0)
			len = strtoul(p + 15, NULL, 10);
		else if (strncasecmp(p, "Transfer-Encoding:", 18) == 0)
			errx(1, "an answer in chunks is not understood");
		else if (strncasecmp(p, "Connection: close", 17) == 0)
			*keep = false;
	}
	return ((size_t)(end - c->c_in) + len);
}

static void
arrived(struct client *c)
{
	bool	 keep = true;
	char	*end;

	c->c_in[c->c_inlen] = '\0';
	if (c->c_whole == 0) {
		if ((end = strstr(c->c_in, "\r\n\r\n")) == NULL)
			return;
		c->c_whole = head(c, end + 4, &keep);
		if (!keep)
			c->c_last = true;
	}
	if (c->c_inlen < c->c_whole)
		return;
	h.bytes += c->c_inlen;
	h.first[h.done] = c->c_first;
	h.took[h.done++] = now_us() - c->c_begun;
	if (c->c_last) {
		close(c->c_fd);
		c->c_fd = -1;
	}
	next(c);
}

static void
readable(struct client *c)
{
	ssize_t	n;

	if (c->c_insize - c->c_inlen < 65536) {
		c->c_insize = c->c_insize == 0 ? 131072 : c->c_insize * 2;
		if ((c->c_in = realloc(c->c_in, c->c_insize)) == NULL)
			err(1, "answer");
	}
	n = read(c->c_fd, c->c_in + c->c_inlen,
	    c->c_insize - c->c_inlen - 1);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		closed(c);
		return;
	}
	if (c->c_inlen == 0)
		c->c_first = now_us() - c->c_begun;
	c->c_inlen += (size_t)n;
	arrived(c);
}

static void
writable(struct client *c)
{
	ssize_t	n;

	n = send(c->c_fd, c->c_out + c->c_sent, c->c_outlen - c->c_sent,
	    MSG_NOSIGNAL);
	if (n > 0)
		c->c_sent += (size_t)n;
	else if (errno != EAGAIN && errno != EINTR)
		closed(c);
}

static void
serve(void)
{
	struct pollfd	 pfd[CONNECTIONS_MAX];
	struct client	*c;
	size_t		 i;

	for (i = 0; i < h.nclients; i++) {
		c = &h.clients[i];
		pfd[i].fd = c->c_fd;
		pfd[i].events = POLLIN;
		pfd[i].revents = 0;
		if (c->c_busy && c->c_sent < c->c_outlen)
			pfd[i].events |= POLLOUT;
	}
	if (poll(pfd, (nfds_t)h.nclients, SILENCE_MS) <= 0)
		errx(1, "no answer for %d s", SILENCE_MS / 1000);
	for (i = 0; i < h.nclients; i++) {
		c = &h.clients[i];
		if ((pfd[i].revents & POLLOUT) != 0)
			writable(c);
		if ((pfd[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0 &&
		    c->c_fd == pfd[i].fd)
			readable(c);
	}
}

static void
report(int64_t us)
{
	uint64_t	 good = 0;
	unsigned	 i;
	const char	*comma = "";

	sort_times(h.took, h.times);
	sort_times(h.first, h.times);
	for (i = 200; i < 300; i++)
		good += h.statuses[i];
	printf("{\"requests\": %zu, \"good\": %" PRIu64 ", \"seconds\": %.3f,"
	    " \"per_second\": %.1f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, "
	    "\"max_ms\": %.3f, \"first_p50_ms\": %.3f, "
	    "\"first_p99_ms\": %.3f, \"bytes\": %.0f, \"connections\": %" PRIu64
	    ", \"statuses\": {", h.times, good, (double)us / 1e6,
	    (double)good / ((double)us / 1e6),
	    (double)share(h.took, h.times, 0.5) / 1000,
	    (double)share(h.took, h.times, 0.99) / 1000,
	    (double)h.took[h.times - 1] / 1000,
	    (double)share(h.first, h.times, 0.5) / 1000,
	    (double)share(h.first, h.times, 0.99) / 1000,
	    (double)h.bytes / (double)h.times, h.connections);
	for (i = 0; i < STATUSES; i++)
		if (h.statuses[i] > 0) {
			printf("%s\"%u\": %" PRIu64, comma, i, h.statuses[i]);
			comma = ", ";
		}
	printf("}}\n");
}
