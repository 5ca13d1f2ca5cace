/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * watch: peers, paths and traffic as they change.  On a terminal the tables
 * are drawn anew, elsewhere they are printed one after the other.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ztd-ctl/ztctl/term.h"
#include "ztd-ctl/ztctl/watch.h"
#include "ztd-ctl/ztctl/ztctl.h"

#define INTERVAL_DEFAULT	2000	/* ms */
#define INTERVAL_MIN		100
#define INTERVAL_MAX		3600000
#define COUNT_MAX		1000000000L

struct watch {
	const struct conn	*w_conn;
	int64_t			 w_interval;	/* ms */
	long			 w_count;	/* 0: until interrupted */
	bool			 w_term;
	struct sample		 w_now, w_before;
	char			 w_error[256];	/* of the last try, or "" */
};

static int	 options(struct watch *, int, char **);
static int	 option(struct watch *, char, const char *);
static int	 first(struct watch *);
static void	 again(struct watch *);
static int	 take(struct watch *, struct sample *);
static json_t	*ask(struct watch *, const char *);
static void	 forget(struct sample *);
static int	 show(struct watch *);
static char	*text_of_view(struct watch *, unsigned);
static bool	 wait_next(const struct watch *);
static int64_t	 forward_ms(void);

int
cmd_watch(const struct conn *cn, int argc, char **argv)
{
	struct watch	 w;
	long		 n;
	int		 rv;

	memset(&w, 0, sizeof(w));
	w.w_conn = cn;
	w.w_interval = INTERVAL_DEFAULT;
	if ((rv = options(&w, argc, argv)) != 0 || (rv = first(&w)) != 0)
		return (rv);
	w.w_term = !cn->cn_json && term_is() && term_begin() == 0;
	for (n = 1; (rv = show(&w)) == 0; n++) {
		if ((w.w_count != 0 && n >= w.w_count) || !wait_next(&w))
			break;
		again(&w);
	}
	term_end();
	if (rv == 0 && w.w_error[0] != '\0') {
		(void)fprintf(stderr, "%s\n", w.w_error);
		rv = 1;
	}
	forget(&w.w_now);
	forget(&w.w_before);
	return (rv);
}

/* ---- its own switches --------------------------------------------- */

static int
options(struct watch *w, int argc, char **argv)
{
	const char	*value;
	int		 i;

	for (i = 1; i < argc; i++) {
		if (argv[i][0] != '-' || (argv[i][1] != 'i' &&
		    argv[i][1] != 'n')) {
			(void)fprintf(stderr, "watch: what is \"%s\"?  usage: "
			    "watch [-i <seconds>] [-n <count>]\n", argv[i]);
			return (2);
		}
		value = argv[i] + 2;
		if (*value == '\0')
			value = i + 1 < argc ? argv[i + 1] : "";
		if (option(w, argv[i][1], value) == -1)
			return (2);
		if (argv[i][2] == '\0')
			i++;
	}
	return (0);
}

static int
option(struct watch *w, char letter, const char *value)
{
	char	*end;
	double	 seconds;

	if (letter == 'n') {
		w->w_count = strtol(value, &end, 10);
		if (*value >= '0' && *value <= '9' && *end == '\0' &&
		    w->w_count > 0 && w->w_count <= COUNT_MAX)
			return (0);
		(void)fprintf(stderr, "watch: -n \"%s\": a count from 1 on is "
		    "wanted\n", value);
		return (-1);
	}
	seconds = strtod(value, &end);
	if (*value >= '0' && *value <= '9' && *end == '\0' &&
	    seconds * 1000 >= INTERVAL_MIN && seconds * 1000 <= INTERVAL_MAX) {
		w->w_interval = (int64_t)(seconds * 1000);
		return (0);
	}
	(void)fprintf(stderr, "watch: -i \"%s\": 0.1 to 3600 seconds are "
	    "wanted\n", value);
	return (-1);
}

/* ---- asking ------------------------------------------------------- */

/* Who does not answer at all ends it, as with other commands. */
static int
first(struct watch *w)
{
	json_t	*v;

	if ((v = get_json(w->w_conn, "watch", "/status")) == NULL)
		return (1);
	json_decref(v);
	again(w);
	return (0);
}

static void
again(struct watch *w)
{
	struct sample	 sa;

	w->w_error[0] = '\0';
	if (take(w, &sa) == -1) {
		forget(&sa);
		return;
	}
	forget(&w->w_before);
	w->w_before = w->w_now;
	w->w_now = sa;
}

static int
take(struct watch *w, struct sample *sa)
{
	memset(sa, 0, sizeof(*sa));
	sa->sa_ms = forward_ms();
	return ((sa->sa_status = ask(w, "/status")) == NULL ||
	    (sa->sa_networks = ask(w, "/network")) == NULL ||
	    (sa->sa_peers = ask(w, "/peer")) == NULL ? -1 : 0);
}

static json_t *
ask(struct watch *w, const char *path)
{
	struct reply	 rp;
	json_t		*v = NULL;

	if (http_request(w->w_conn, "GET", path, NULL, &rp) != 200)
		(void)snprintf(w->w_error, sizeof(w->w_error),
		    "the service does not answer: %s %d", path, rp.rp_status);
	else if ((v = json_loadb(rp.rp_body, rp.rp_len, 0, NULL)) == NULL)
		(void)snprintf(w->w_error, sizeof(w->w_error),
		    "the service's answer to %s is no JSON", path);
	reply_clear(&rp);
	return (v);
}

static void
forget(struct sample *sa)
{
	json_decref(sa->sa_status);
	json_decref(sa->sa_networks);
	json_decref(sa->sa_peers);
	memset(sa, 0, sizeof(*sa));
}

/* ---- showing ------------------------------------------------------ */

/* 0, or the exit status when nobody reads it. */
static int
show(struct watch *w)
{
	char		*text;
	json_t		*v;
	unsigned	 columns, rows = 0;

	if (w->w_conn->cn_json) {
		v = json_pack("{s:O?,s:O?,s:O?}", "status",
		    w->w_now.sa_status, "networks", w->w_now.sa_networks,
		    "peers", w->w_now.sa_peers);
		(void)print_json(v);
		json_decref(v);
		return (fflush(stdout) == EOF ? 1 : 0);
	}
	if (w->w_term)
		term_size(&columns, &rows);
	if ((text = text_of_view(w, rows)) == NULL)
		return (1);
	if (w->w_term)
		term_draw(text);
	else
		(void)printf("%s\n", text);
	free(text);
	return (fflush(stdout) == EOF ? 1 : 0);
}

static char *
text_of_view(struct watch *w, unsigned rows)
{
	FILE	*f;
	char	*text = NULL;
	size_t	 len;

	if ((f = open_memstream(&text, &len)) == NULL)
		return (NULL);
	if (w->w_error[0] != '\0') {
		(void)fprintf(f, "%s; trying again\n", w->w_error);
		rows -= rows > 1;
	}
	if (w->w_now.sa_status != NULL)
		watch_view(f, &w->w_now, w->w_before.sa_status == NULL ? NULL :
		    &w->w_before, rows);
	if (fclose(f) != 0) {
		free(text);
		return (NULL);
	}
	return (text);
}

/* False when the user wants no more; any other key shows it at once. */
static bool
wait_next(const struct watch *w)
{
	struct timespec	 ts;
	int		 key;

	if (w->w_term) {
		key = term_key((int)w->w_interval);
		return (key != 'q' && key != 'Q' && key != -1);
	}
	ts.tv_sec = (time_t)(w->w_interval / 1000);
	ts.tv_nsec = (long)(w->w_interval % 1000) * 1000000;
	while (nanosleep(&ts, &ts) == -1 && errno == EINTR)
		continue;
	return (true);
}

static int64_t
forward_ms(void)
{
	struct timespec	 ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		return (0);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}
