/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * /controller and /unstable/controller: handed to the controller as they
 * are, and its answer back.  Spec: 04 section 3, 05 section 9.1.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "ztd-ctl/ctl.h"
#include "ztd-ctl/sealed.h"

#define PIECE		32768		/* bytes of a body in one message */
#define ANSWER_MAX	(256 * 1024 * 1024)

struct answer {
	uint32_t	 an_status;	/* 0: not there yet */
	char		*an_body;
	size_t		 an_len, an_size;
	int		 an_fd;		/* in its place, or -1 */
	uint64_t	 an_filelen;
};

static void	 proxy(struct request *, const char *, const char *);
static void	 proxy_body(struct request *);
static void	 answer_free(void *);
static void	 answer_message(struct request *, const struct msg *);
static int	 answer_file(struct answer *, const struct msg *);
static int	 answer_append(struct answer *, const void *, size_t);
static void	 answer_done(struct request *);

/* That name means something else to the controller. */
void
api_controller(struct request *rq)
{
	const char	*path = rq->rq_path + strlen("/controller");

	if (strncmp(path, "/unstable", strlen("/unstable")) == 0)
		request_error(rq, 404, "there is no such path");
	else
		proxy(rq, "", path);
}

void
api_unstable(struct request *rq)
{
	proxy(rq, "/unstable", rq->rq_path + strlen("/unstable/controller"));
}

static void
proxy(struct request *rq, const char *prefix, const char *path)
{
	struct msg_api_request	 ar;
	struct answer		*an;

	memset(&ar, 0, sizeof(ar));
	ar.ar_method = rq->rq_method;
	if (strlcpy(ar.ar_path, prefix, sizeof(ar.ar_path)) >=
	    sizeof(ar.ar_path) || strlcat(ar.ar_path, path,
	    sizeof(ar.ar_path)) >= sizeof(ar.ar_path)) {
		request_error(rq, 404, "there is no such path");
		return;
	}
	if ((an = calloc(1, sizeof(*an))) == NULL) {
		request_error(rq, 500, "out of memory");
		return;
	}
	an->an_fd = -1;
	rq->rq_state = an;
	rq->rq_free = answer_free;
	if (request_ask(rq, PROC_CON, MSG_API_REQUEST, &ar, sizeof(ar),
	    answer_message, answer_done))
		proxy_body(rq);
}

static void
proxy_body(struct request *rq)
{
	const char	*p;
	size_t		 len, n;
	int		 rv = 0;

	p = request_body(rq, &len);
	for (; len > 0 && rv == 0; p += n, len -= n) {
		n = len < PIECE ? len : PIECE;
		rv = query_send(rq->rq_query, MSG_API_BODY, p, n);
	}
	if (rv == -1 ||
	    query_send(rq->rq_query, MSG_API_END, NULL, 0) == -1)
		request_error(rq, 503, "the controller is behind, try again");
}

static void
answer_free(void *arg)
{
	struct answer	*an = arg;

	if (an->an_fd != -1)
		(void)close(an->an_fd);
	free(an->an_body);
	free(an);
}

static void
answer_message(struct request *rq, const struct msg *m)
{
	const struct msg_api_response	*ar = m->m_data;
	struct answer			*an = rq->rq_state;

	if (m->m_type == MSG_API_RESPONSE)
		an->an_status = ar->ar_status;
	else if (m->m_type == MSG_API_BODY &&
	    answer_append(an, m->m_data, m->m_len) == -1)
		request_error(rq, 500, "the controller's answer is too long");
	else if (m->m_type == MSG_API_FILE && answer_file(an, m) == -1)
		request_error(rq, 500, "the controller's answer cannot be "
		    "read");
}

/* One is enough, and it must be what it is said to be. */
static int
answer_file(struct answer *an, const struct msg *m)
{
	const struct msg_api_file	*af = m->m_data;

	if (an->an_fd != -1 || an->an_len > 0 || af->af_len > ANSWER_MAX ||
	    !sealed(m->m_fd, af->af_len)) {
		log_warnx("%s lends what is no answer", proc_name(PROC_CON));
		return (-1);
	}
	an->an_filelen = af->af_len;
	an->an_fd = fcntl(m->m_fd, F_DUPFD_CLOEXEC, 0);
	return (an->an_fd == -1 ? -1 : 0);
}

static int
answer_append(struct answer *an, const void *p, size_t len)
{
	size_t	 size;
	char	*body;

	if (len > ANSWER_MAX - an->an_len)
		return (-1);
	if (len > an->an_size - an->an_len) {
		size = an->an_size == 0 ? PIECE : an->an_size * 2;
		while (size < an->an_len + len)
			size *= 2;
		if ((body = realloc(an->an_body, size)) == NULL)
			return (-1);
		an->an_body = body;
		an->an_size = size;
	}
	memcpy(an->an_body + an->an_len, p, len);
	an->an_len += len;
	return (0);
}

static void
answer_done(struct request *rq)
{
	struct answer	*an = rq->rq_state;
	int		 fd;

	if (an->an_status < 200 || an->an_status > 599)
		request_error(rq, 503, "the controller gave no answer");
	else if (an->an_fd != -1) {
		fd = an->an_fd;
		an->an_fd = -1;
		request_lent(rq, (int)an->an_status, fd,
		    (size_t)an->an_filelen);
	} else if (an->an_len == 0)
		request_empty(rq, (int)an->an_status);
	else
		request_reply(rq, (int)an->an_status, an->an_body,
		    an->an_len);
}
