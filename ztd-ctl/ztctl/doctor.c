/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * doctor: what is wrong, why, and what to do about it.  First whether the
 * service is there at all, then what it says of itself.
 */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/inet.h"
#include "ztd-ctl/ztctl/doctor.h"

#define PATIENCE_MS	10000	/* for a service that has just started */
#define LOOK_MS		500

static void	 examine(struct doctor *);
static bool	 answers(struct doctor *);
static bool	 fetch(struct doctor *, const char *, json_t **);
static bool	 starting(struct doctor *);
static void	 refused(struct doctor *, const char *, int);
static bool	 is_here(const char *);
static int	 report(const struct doctor *);
static int	 report_json(const struct doctor *);
static void	 fill(char *, const char *, va_list);

int
cmd_doctor(struct conn *cn, int argc, char **argv)
{
	struct doctor	*d;
	int		 rv;

	if (argc != 1) {
		(void)fprintf(stderr, "doctor: what is \"%s\"?  It has no "
		    "arguments\n", argv[1]);
		return (2);
	}
	if ((d = calloc(1, sizeof(*d))) == NULL)
		return (1);
	d->d_conn = *cn;
	d->d_here = cn->cn_host == NULL || is_here(cn->cn_host);
	examine(d);
	rv = report(d);
	json_decref(d->d_status);
	json_decref(d->d_networks);
	json_decref(d->d_peers);
	free(d->d_token);
	free(d);
	return (rv);
}

static bool
is_here(const char *host)
{
	struct inet_addr	 ia;

	return (inet_parse(host, &ia) == 0 &&
	    inet_scope(&ia) == SCOPE_LOOPBACK);
}

static void
examine(struct doctor *d)
{
	const struct timespec	 ts = { 0, LOOK_MS * 1000000L };
	unsigned		 waited;

	doctor_find(d);
	if (!answers(d))
		return;
	/* On the local socket perhaps none is needed. */
	if (!d->d_conn.cn_islocal && !doctor_token(d))
		return;
	for (waited = 0;; waited += LOOK_MS) {
		if (!fetch(d, "/status", &d->d_status) ||
		    !fetch(d, "/peer", &d->d_peers) ||
		    !fetch(d, "/network", &d->d_networks))
			return;
		if (waited >= PATIENCE_MS || !starting(d))
			break;
		(void)nanosleep(&ts, NULL);
	}
	doctor_node(d);
	doctor_networks(d);
}

/* Does anything answer?  No token is needed for that. */
static bool
answers(struct doctor *d)
{
	struct reply	 rp;
	int		 status;

	status = http_request(&d->d_conn, "GET", "/health", NULL, &rp);
	reply_clear(&rp);
	if (status == 0) {
		doctor_absent(d);
		return (false);
	}
	if (status != 200)
		refused(d, "/health", status);
	return (status == 200);
}

static bool
fetch(struct doctor *d, const char *path, json_t **dst)
{
	struct reply	 rp;
	struct finding	*fi;
	int		 status;

	json_decref(*dst);
	*dst = NULL;
	status = http_request(&d->d_conn, "GET", path, NULL, &rp);
	if (status == 200)
		*dst = json_loadb(rp.rp_body, rp.rp_len, 0, NULL);
	reply_clear(&rp);
	if (status != 200)
		refused(d, path, status);
	else if (*dst == NULL) {
		fi = doctor_add(d, PROBLEM, "service-other");
		doctor_text(fi, "what answers at %s is no ztd: %s is no JSON",
		    doctor_where(d), path);
		doctor_todo(fi, "name its port with -p, or its home with -D");
	}
	return (*dst != NULL);
}

/* It has not had its time yet. */
static bool
starting(struct doctor *d)
{
	return (strcmp(text_of(json_object_get(d->d_status, "ztd"), "reason"),
	    "node-starting") == 0);
}

static void
refused(struct doctor *d, const char *path, int status)
{
	struct finding	*fi;

	if (status == 401 && !doctor_token(d))
		return;
	if (status == 401) {
		fi = doctor_add(d, PROBLEM, "token-refused");
		doctor_text(fi, "the service at %s refuses the token, or this "
		    "address", doctor_where(d));
		doctor_todo(fi, "it reads authtoken.secret once, at its "
		    "start: start it anew when that has changed, or copy the "
		    "file anew to ~/.zeroTierOneAuthToken; from other hosts, "
		    "see allowManagementFrom in ztd.local.conf(5)");
	} else if (status == 403 && d->d_conn.cn_islocal) {
		fi = doctor_add(d, PROBLEM, "user-refused");
		doctor_text(fi, "the service runs, and does not let this user "
		    "ask: neither root nor in the group _ztd, and without "
		    "the right token");
		doctor_todo(fi, "as root, as a member of that group, or with "
		    "a copy of authtoken.secret in ~/.zeroTierOneAuthToken, "
		    "mode 0600");
	} else if (status == 503) {
		fi = doctor_add(d, PROBLEM, "service-partly");
		doctor_text(fi, "the service answers, but a process of it "
		    "does not: %s %d", path, status);
		doctor_todo(fi, "it is started anew by itself; when this "
		    "stays, look into the log: %s", doctor_log);
	} else {
		fi = doctor_add(d, PROBLEM, "service-other");
		doctor_text(fi, "what answers at %s says %d to %s, which ztd "
		    "does not", doctor_where(d), status, path);
		doctor_todo(fi, "name its port with -p, or its home with -D");
	}
}

/* ---- findings ----------------------------------------------------- */

struct finding *
doctor_add(struct doctor *d, enum level level, const char *code)
{
	static struct finding	 nowhere;
	struct finding		*fi = &nowhere;

	d->d_problems += level == PROBLEM;
	/* Notes leave room for problems that are found after them. */
	if (d->d_n < (level == PROBLEM ? FINDINGS_MAX : NOTES_MAX))
		fi = &d->d_findings[d->d_n++];
	else
		d->d_more++;
	fi->fi_level = level;
	fi->fi_code = code;
	return (fi);
}

void
doctor_text(struct finding *fi, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	fill(fi->fi_text, fmt, ap);
	va_end(ap);
}

void
doctor_todo(struct finding *fi, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	fill(fi->fi_todo, fmt, ap);
	va_end(ap);
}

/* There may be a stranger's words among them. */
static void
fill(char *text, const char *fmt, va_list ap)
{
	char	*p;

	(void)vsnprintf(text, FINDING_TEXT, fmt, ap);
	for (p = text; *p != '\0'; p++) {
		if (*p < ' ' || *p >= 0x7f)
			*p = '?';
	}
}

/* ---- the report --------------------------------------------------- */

/* Problems first; the exit status. */
static int
report(const struct doctor *d)
{
	const struct finding	*fi;
	size_t			 i, problems = d->d_problems;
	int			 level;

	if (d->d_conn.cn_json)
		return (report_json(d));
	for (level = PROBLEM; level <= NOTE; level++) {
		for (i = 0; i < d->d_n; i++) {
			fi = &d->d_findings[i];
			if ((int)fi->fi_level != level)
				continue;
			(void)printf("%s %s: %s\n", level == PROBLEM ?
			    "problem" : "note", fi->fi_code, fi->fi_text);
			if (fi->fi_todo[0] != '\0')
				(void)printf("    to do: %s\n", fi->fi_todo);
		}
	}
	if (d->d_more > 0)
		(void)printf("... and %zu more\n", d->d_more);
	if (problems > 0)
		(void)printf("%zu problem%s\n", problems, problems == 1 ? "" :
		    "s");
	else
		(void)printf("all is well: node %s, %zu network%s, %zu "
		    "peer%s\n", shown_of(d->d_status, "address"),
		    json_array_size(d->d_networks),
		    json_array_size(d->d_networks) == 1 ? "" : "s",
		    json_array_size(d->d_peers),
		    json_array_size(d->d_peers) == 1 ? "" : "s");
	return (problems > 0 ? 1 : 0);
}

static int
report_json(const struct doctor *d)
{
	const struct finding	*fi;
	json_t			*list, *v;
	size_t			 i;

	if ((list = json_array()) == NULL)
		return (1);
	for (i = 0; i < d->d_n; i++) {
		fi = &d->d_findings[i];
		(void)json_array_append_new(list, json_pack(
		    "{s:s,s:s,s:s,s:s}", "level", fi->fi_level == PROBLEM ?
		    "problem" : "note", "code", fi->fi_code, "text",
		    fi->fi_text, "toDo", fi->fi_todo));
	}
	v = json_pack("{s:I,s:o}", "problems", (json_int_t)d->d_problems,
	    "findings", list);
	(void)print_json(v);
	json_decref(v);
	return (d->d_problems > 0 ? 1 : 0);
}
