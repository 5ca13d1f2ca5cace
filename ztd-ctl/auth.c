/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Who may ask: tokens and addresses.  Spec: 05 sections 2.2 and 3.
 */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "common/log.h"
#include "privsep/peercred.h"
#include "ztd-ctl/client.h"
#include "ztd-ctl/ctl.h"

#define TOKEN_MIN	16	/* shorter tokens open nothing */
#define GUESSERS	64	/* sources of wrong tokens remembered */
#define GUESSES		10	/* wrong tokens from one source ... */
#define GUESS_WINDOW	60	/* ... within so many seconds */

/* Strangers that try tokens; loopback is not held up. */
struct guesser {
	struct inet_addr	 g_from;
	time_t			 g_since;
	unsigned		 g_count;
};

static struct guesser	 guessers[GUESSERS];

static bool	 address_ok(const struct ctl *, const struct inet_addr *);
static bool	 operator_is(const struct msg_operators *,
		    const struct peercred *);
static bool	 reader_ok(const struct ctl *, const struct inet_addr *);
static bool	 listed(const struct inet_addr *, uint32_t,
		    const struct inet_addr *);
static bool	 path_open(const char *);
static bool	 host_ours(const char *);
static char	*token_given(struct request *);
static char	*bearer_token(const char *);
static bool	 token_equal(const char *, const char *);
static time_t	 monotonic_now(void);
static struct guesser	*guesser_find(const struct inet_addr *);
static bool	 guesser_blocked(const struct inet_addr *);
static void	 guesser_note(const struct inet_addr *);

bool
auth_allowed(struct request *rq, const struct inet_addr *from)
{
	const struct ctl	*ctl = rq->rq_ctl;
	const char		*host;
	char			*token;
	bool			 metrics, ok = false;

	metrics = strcmp(rq->rq_path, "/metrics") == 0;
	if (!(metrics ? reader_ok(ctl, from) : address_ok(ctl, from)))
		return (false);
	/* These show no token, which no stranger's page can have. */
	host = evhttp_find_header(evhttp_request_get_input_headers(rq->rq_ev),
	    "Host");
	if (!metrics && path_open(rq->rq_path) &&
	    (host == NULL || host_ours(host)))
		return (true);
	if (guesser_blocked(from))
		return (false);
	if ((token = token_given(rq)) == NULL)
		return (false);
	ok = token_equal(token, ctl->c_token.mt_token);
	if (metrics && token_equal(token, ctl->c_token.mt_metrics))
		ok = true;
	if (!ok)
		guesser_note(from);
	explicit_bzero(token, strlen(token));
	free(token);
	return (ok);
}

bool
auth_local(struct request *rq, uid_t *uid)
{
	const struct ctl	*ctl = rq->rq_ctl;
	struct peercred		 pc;
	char			*token;
	bool			 ok;

	*uid = (uid_t)-1;
	if (peercred_get(client_fd(rq->rq_client), &pc) == 0) {
		*uid = pc.pc_uid;
		if (operator_is(&ctl->c_operators, &pc))
			return (true);
	}
	if (path_open(rq->rq_path))
		return (true);
	if ((token = token_given(rq)) == NULL)
		return (false);
	ok = token_equal(token, ctl->c_token.mt_token) ||
	    (strcmp(rq->rq_path, "/metrics") == 0 &&
	    token_equal(token, ctl->c_token.mt_metrics));
	explicit_bzero(token, strlen(token));
	free(token);
	return (ok);
}

/*
 * The other processes are of the group so that they can share files: if one
 * of them is an enemy, the API must not obey it.
 */
static bool
operator_is(const struct msg_operators *mo, const struct peercred *pc)
{
	unsigned	 i;

	for (i = 0; i < PROC_COUNT; i++) {
		if (pc->pc_uid == mo->mo_ours[i])
			return (false);
	}
	if (pc->pc_uid == 0 || pc->pc_uid == mo->mo_owner)
		return (true);
	for (i = 0; i < mo->mo_nuids && i < OPERATORS_MAX; i++) {
		if (pc->pc_uid == mo->mo_uids[i])
			return (true);
	}
	if (mo->mo_gid == (uint32_t)-1)
		return (false);
	if (pc->pc_gid == mo->mo_gid)
		return (true);
	for (i = 0; i < pc->pc_ngroups; i++) {
		if (pc->pc_groups[i] == mo->mo_gid)
			return (true);
	}
	return (false);
}

/*
 * Programs send neither Origin nor Sec-Fetch-Site nor Referer, so they may
 * call us whatever their resolver calls us.  A browser may be under the
 * control of a stranger's page, or have been told that the stranger's name
 * is our address: it has to be on our own page, under a name that nobody
 * else can own.
 */
bool
auth_foreign_page(struct request *rq)
{
	struct evkeyvalq	*h;
	const char		*host, *origin;

	h = evhttp_request_get_input_headers(rq->rq_ev);
	host = evhttp_find_header(h, "Host");
	origin = evhttp_find_header(h, "Origin");
	if (origin == NULL && evhttp_find_header(h, "Referer") == NULL &&
	    evhttp_find_header(h, "Sec-Fetch-Site") == NULL)
		return (false);
	if (host == NULL)
		return (true);
	if (origin != NULL && (strncmp(origin, "http://", 7) != 0 ||
	    strcasecmp(origin + 7, host) != 0))
		return (true);
	return (!host_ours(host));
}

/* A name that nobody else can own, or an address. */
static bool
host_ours(const char *host)
{
	struct inet_addr	 ia;
	char			 name[128], *end;
	size_t			 n;

	if (strlcpy(name, host[0] == '[' ? host + 1 : host, sizeof(name)) >=
	    sizeof(name))
		return (false);
	if (host[0] == '[') {
		n = strcspn(name, "]");
		name[n] = '\0';
	} else if ((end = strrchr(name, ':')) != NULL)
		*end = '\0';
	if (strcasecmp(name, "localhost") == 0)
		return (true);
	return (strchr(name, '/') == NULL && inet_parse(name, &ia) == 0 &&
	    !inet_isnil(&ia));
}

static bool
address_ok(const struct ctl *ctl, const struct inet_addr *from)
{
	const struct settings	*s = &ctl->c_settings.ms_settings;
	static const uint8_t	 fe80_1[16] = { 0xfe, 0x80, [15] = 1 };

	if (inet_isnil(from))
		return (false);
	if (inet_scope(from) == SCOPE_LOOPBACK)
		return (true);
	if (from->ia_family == 6 && memcmp(from->ia_ip, fe80_1, 16) == 0)
		return (true);
	return (listed(s->s_managers, s->s_nmanagers, from));
}

/* As ever /metrics is for whoever reaches us, unless there is a list. */
static bool
reader_ok(const struct ctl *ctl, const struct inet_addr *from)
{
	const struct settings	*s = &ctl->c_settings.ms_settings;

	return (s->s_nreaders == 0 || address_ok(ctl, from) ||
	    listed(s->s_readers, s->s_nreaders, from));
}

static bool
listed(const struct inet_addr *list, uint32_t n, const struct inet_addr *from)
{
	uint32_t	 i;

	if (inet_isnil(from))
		return (false);
	for (i = 0; i < n && i < SETTINGS_MANAGERS; i++) {
		if (inet_contains(&list[i], from))
			return (true);
	}
	return (false);
}

/* /app is matched as a bare prefix, as ever; /apple then is a 404. */
static bool
path_open(const char *path)
{
	return (strcmp(path, "/health") == 0 || strcmp(path, "/sso") == 0 ||
	    strncmp(path, "/app", 4) == 0);
}

/*
 * The first way of presenting a token that is there decides, even if what
 * it presents is wrong.  malloc'd, or NULL.
 */
static char *
token_given(struct request *rq)
{
	struct evkeyvalq	*h;
	const char		*v;
	char			*p;

	h = evhttp_request_get_input_headers(rq->rq_ev);
	v = evhttp_find_header(h, "X-ZT1-Auth");
	if (v != NULL && *v != '\0')
		return (strdup(v));
	if ((p = request_param(rq, "auth")) != NULL)
		return (p);
	if ((v = evhttp_find_header(h, "Authorization")) != NULL)
		return (bearer_token(v));
	return (NULL);
}

/* Exactly two words, the first "bearer" in any case. */
static char *
bearer_token(const char *v)
{
	char	*token;
	size_t	 n;

	v += strspn(v, " ");
	n = strcspn(v, " ");
	if (n != 6 || strncasecmp(v, "bearer", 6) != 0)
		return (NULL);
	v += n;
	v += strspn(v, " ");
	n = strcspn(v, " ");
	if (n == 0 || v[n + strspn(v + n, " ")] != '\0')
		return (NULL);
	if ((token = calloc(1, n + 1)) != NULL)
		memcpy(token, v, n);
	return (token);
}

/* In the same time wherever they differ; lengths are no secret. */
static bool
token_equal(const char *given, const char *token)
{
	volatile uint8_t	 diff = 0;
	size_t			 i, n;

	n = strlen(token);
	if (n < TOKEN_MIN || strlen(given) != n)
		return (false);
	for (i = 0; i < n; i++)
		diff |= (uint8_t)(given[i] ^ token[i]);
	return (diff == 0);
}

/* ---- guessing ---------------------------------------------------- */

static time_t
monotonic_now(void)
{
	struct timespec	 ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		fatal("cannot read the clock");
	return (ts.tv_sec);
}

static struct guesser *
guesser_find(const struct inet_addr *from)
{
	size_t	 i;

	for (i = 0; i < GUESSERS; i++) {
		if (guessers[i].g_count != 0 &&
		    inet_same_ip(&guessers[i].g_from, from))
			return (&guessers[i]);
	}
	return (NULL);
}

static bool
guesser_blocked(const struct inet_addr *from)
{
	struct guesser	*g;

	if ((g = guesser_find(from)) == NULL)
		return (false);
	if (monotonic_now() - g->g_since >= GUESS_WINDOW) {
		memset(g, 0, sizeof(*g));
		return (false);
	}
	return (g->g_count >= GUESSES);
}

static void
guesser_note(const struct inet_addr *from)
{
	struct guesser	*g;
	char		 text[INET_TEXT];
	size_t		 i;

	if (inet_isnil(from) || inet_scope(from) == SCOPE_LOOPBACK)
		return;
	if ((g = guesser_find(from)) == NULL) {
		g = &guessers[0];
		for (i = 1; i < GUESSERS; i++) {
			if (guessers[i].g_since < g->g_since)
				g = &guessers[i];
		}
		g->g_from = *from;
		g->g_since = monotonic_now();
		g->g_count = 0;
	}
	if (++g->g_count == GUESSES)
		log_warnx("%d wrong tokens from %s: refusing it for a while",
		    GUESSES, inet_format_ip(text, from));
}
