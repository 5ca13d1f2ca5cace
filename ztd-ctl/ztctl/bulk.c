/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * controller: all records of this node's controller at once, while it runs.
 * Spec: 04 section 7; the requests are explained in ztd-controller/bulk.c.
 */

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ztd-ctl/ztctl/ztctl.h"

#define BASE	"/controller/ztd"
#define PIECE	(512 * 1024)	/* of a file in one request */
#define PATH_LEN 96

enum import { IMPORT, RESTORE, CHECK };

static int	 export_to(const struct conn *, const char *, const char *);
static int	 export_parts(const struct conn *, const char *, FILE *);
static int	 backup(const struct conn *, const char *);
static int	 import(const struct conn *, const char *, enum import);
static int	 import_send(const struct conn *, const char *, const char *,
		    FILE *);
static int	 import_piece(const struct conn *, const char *, const char *,
		    char *, size_t);
static int	 import_do(const struct conn *, const char *, const char *,
		    enum import);
static int	 check_running(const struct conn *);
static void	 print_lines(const char *, const json_t *);
static json_t	*ask(const struct conn *, const char *, const char *,
		    const char *);
static void	 forget(const struct conn *, const char *, const char *);
static int	 is_end(const char *, size_t);

int
cmd_controller(const struct conn *cn, int argc, char **argv)
{
	const char	*verb = argc >= 2 ? argv[1] : "";

	if (strcmp(verb, "export") == 0 && argc <= 3)
		return (export_to(cn, argc == 3 ? argv[2] : NULL, NULL));
	if (strcmp(verb, "backup") == 0 && argc == 3)
		return (backup(cn, argv[2]));
	if (strcmp(verb, "import") == 0 && argc == 3)
		return (import(cn, argv[2], IMPORT));
	if (strcmp(verb, "restore") == 0 && argc == 3)
		return (import(cn, argv[2], RESTORE));
	if (strcmp(verb, "check") == 0 && argc == 3)
		return (import(cn, argv[2], CHECK));
	if (strcmp(verb, "check") == 0 && argc == 2)
		return (check_running(cn));
	(void)fprintf(stderr, "usage: controller export [<network ID>] | "
	    "backup <file> | check [<file>] |\n    import <file> | "
	    "restore <file>\n");
	return (2);
}

/* ---- out ----------------------------------------------------------- */

/* Of one network, or of all; to a file, or to the standard output. */
static int
export_to(const struct conn *cn, const char *network, const char *file)
{
	char		 body[64], id[32];
	json_t		*v;
	FILE		*f = stdout;
	int		 fd, rv;

	(void)strlcpy(body, "{}", sizeof(body));
	if (network != NULL)
		(void)snprintf(body, sizeof(body), "{\"network\":\"%.16s\"}",
		    network);
	if ((v = ask(cn, "POST", BASE "/snapshot", body)) == NULL)
		return (1);
	(void)strlcpy(id, text_of(v, "snapshot"), sizeof(id));
	if (file != NULL) {
		fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		    0600);
		f = fd == -1 ? NULL : fdopen(fd, "w");
	}
	rv = f == NULL ? -1 : export_parts(cn, id, f);
	if (f != NULL && (fflush(f) == EOF || ferror(f)))
		rv = -1;
	if (f != NULL && file != NULL && rv == 0 && fsync(fileno(f)) == -1)
		rv = -1;
	if (rv == -1)
		(void)fprintf(stderr, "%s: %s\n", file == NULL ?
		    "standard output" : file, strerror(errno));
	else if (rv == 0 && file != NULL)
		(void)printf("%lld networks, %lld members\n",
		    (long long)int_of(v, "networks"),
		    (long long)int_of(v, "members"));
	if (f != NULL && file != NULL)
		(void)fclose(f);
	forget(cn, "snapshot", id);
	json_decref(v);
	return (rv == 0 ? 0 : 1);
}

/* 0; 1 after a message; -1 when it cannot be written. */
static int
export_parts(const struct conn *cn, const char *id, FILE *f)
{
	struct reply	 rp;
	char		 path[PATH_LEN];
	unsigned	 part;
	int		 rv = 2;

	for (part = 0; rv == 2; part++) {
		(void)snprintf(path, sizeof(path), BASE "/snapshot/%s/%u", id,
		    part);
		if (http_request(cn, "GET", path, NULL, &rp) != 200)
			rv = fail_connect("controller", &rp);
		else if (fwrite(rp.rp_body, 1, rp.rp_len, f) != rp.rp_len)
			rv = -1;
		else if (is_end(rp.rp_body, rp.rp_len))
			rv = 0;
		reply_clear(&rp);
	}
	return (rv);
}

/* The last line says that it is that. */
static int
is_end(const char *p, size_t len)
{
	static const char	 end[] = "{\"objtype\":\"end\",";
	size_t			 i;

	if (len == 0)
		return (1);
	for (i = len - 1; i > 0 && p[i - 1] != '\n'; i--)
		;
	return (len - i >= sizeof(end) - 1 &&
	    memcmp(p + i, end, sizeof(end) - 1) == 0);
}

/* The file is there when it is whole, or the old one stays. */
static int
backup(const struct conn *cn, const char *file)
{
	char	temp[PATH_MAX];
	int	n;

	n = snprintf(temp, sizeof(temp), "%s.new", file);
	if (n < 0 || (size_t)n >= sizeof(temp)) {
		(void)fprintf(stderr, "%s: the name is too long\n", file);
		return (1);
	}
	if (export_to(cn, NULL, temp) != 0) {
		(void)unlink(temp);
		return (1);
	}
	if (rename(temp, file) == -1) {
		(void)fprintf(stderr, "%s: %s\n", file, strerror(errno));
		(void)unlink(temp);
		return (1);
	}
	return (0);
}

/* ---- in ------------------------------------------------------------ */

static int
import(const struct conn *cn, const char *file, enum import what)
{
	char	 id[32];
	json_t	*v;
	FILE	*f;
	int	 rv;

	f = strcmp(file, "-") == 0 ? stdin : fopen(file, "r");
	if (f == NULL) {
		(void)fprintf(stderr, "%s: %s\n", file, strerror(errno));
		return (1);
	}
	if ((v = ask(cn, "POST", BASE "/import", "{}")) == NULL)
		rv = 1;
	else {
		(void)strlcpy(id, text_of(v, "import"), sizeof(id));
		rv = import_send(cn, id, file, f);
		if (rv == 0)
			rv = import_do(cn, id, file, what);
		forget(cn, "import", id);
	}
	json_decref(v);
	if (f != stdin)
		(void)fclose(f);
	return (rv);
}

/* In pieces of whole lines. */
static int
import_send(const struct conn *cn, const char *id, const char *file, FILE *f)
{
	char	*buf = NULL, *line = NULL, *bigger;
	size_t	 size = 0, have = 0, room = PIECE + 1;
	ssize_t	 n;
	int	 rv = 0;

	if ((buf = malloc(room)) == NULL)
		rv = 1;
	while (rv == 0 && (n = getline(&line, &size, f)) > 0) {
		if (have > 0 && have + (size_t)n > PIECE) {
			rv = import_piece(cn, id, file, buf, have);
			have = 0;
		}
		if (have + (size_t)n + 1 > room) {
			room = have + (size_t)n + 1;
			if ((bigger = realloc(buf, room)) == NULL) {
				rv = 1;
				break;
			}
			buf = bigger;
		}
		memcpy(buf + have, line, (size_t)n);
		have += (size_t)n;
	}
	if (rv == 0 && ferror(f)) {
		(void)fprintf(stderr, "%s: %s\n", file, strerror(errno));
		rv = 1;
	}
	if (rv == 0 && have > 0)
		rv = import_piece(cn, id, file, buf, have);
	free(line);
	free(buf);
	return (rv);
}

/* buf has room for a NUL behind its len bytes. */
static int
import_piece(const struct conn *cn, const char *id, const char *file,
    char *buf, size_t len)
{
	char	 path[PATH_LEN];
	json_t	*v;

	buf[len] = '\0';
	(void)snprintf(path, sizeof(path), BASE "/import/%s", id);
	if ((v = ask(cn, "POST", path, buf)) == NULL)
		return (1);
	print_lines(file, v);
	json_decref(v);
	return (0);
}

/* Part 0 checks; when all is well the others make it so. */
static int
import_do(const struct conn *cn, const char *id, const char *file,
    enum import what)
{
	char		 path[PATH_LEN];
	const char	*body = what == RESTORE ? "{\"restore\":true}" : "{}";
	json_t		*v;
	long long	 count;
	unsigned	 part;
	bool		 more = true;

	for (part = 0; more; part++) {
		(void)snprintf(path, sizeof(path), BASE "/import/%s/%u", id,
		    part);
		if ((v = ask(cn, "POST", path, body)) == NULL)
			return (1);
		more = true_of(v, "more");
		if (part == 0) {
			print_lines(file, v);
			count = (long long)int_of(v, "count");
			if (count > 0)
				(void)fprintf(stderr, "%s: %lld problem%s, "
				    "nothing was changed\n", file, count,
				    count == 1 ? "" : "s");
			else
				(void)printf("%lld networks, %lld members\n",
				    (long long)int_of(v, "networks"),
				    (long long)int_of(v, "members"));
			if (count > 0 || what == CHECK)
				more = false;
		} else
			count = 0;
		json_decref(v);
		if (count > 0)
			return (1);
	}
	return (0);
}

static void
print_lines(const char *file, const json_t *v)
{
	json_t	*e;
	size_t	 i;

	json_array_foreach(json_object_get(v, "problems"), i, e)
		(void)fprintf(stderr, "%s:%lld: %s\n", file,
		    (long long)int_of(e, "line"), shown_of(e, "message"));
}

/* ---- checking ------------------------------------------------------ */

static int
check_running(const struct conn *cn)
{
	char		 path[PATH_LEN];
	json_t		*v, *e;
	long long	 checked = 0, problems = 0;
	unsigned	 part;
	size_t		 i;
	bool		 more = true;

	for (part = 0; more; part++) {
		(void)snprintf(path, sizeof(path), BASE "/check/%u", part);
		if ((v = ask(cn, "POST", path, "{}")) == NULL)
			return (1);
		more = true_of(v, "more");
		checked += int_of(v, "checked");
		json_array_foreach(json_object_get(v, "problems"), i, e) {
			(void)printf("%s %s: ", shown_of(e, "network"),
			    shown_of(e, "member"));
			(void)printf("%s\n", shown_of(e, "message"));
			problems++;
		}
		json_decref(v);
	}
	(void)printf("%lld records, %lld problem%s\n", checked, problems,
	    problems == 1 ? "" : "s");
	return (problems == 0 ? 0 : 1);
}

/* ---- both ---------------------------------------------------------- */

/* The answer as JSON, or NULL after a message. */
static json_t *
ask(const struct conn *cn, const char *method, const char *path,
    const char *body)
{
	struct reply	 rp;
	json_t		*v = NULL;

	if (http_request(cn, method, path, body, &rp) != 200)
		(void)fail_connect("controller", &rp);
	else if ((v = json_loadb(rp.rp_body, rp.rp_len, 0, NULL)) == NULL)
		(void)printf("%d controller invalid JSON response\n",
		    rp.rp_status);
	reply_clear(&rp);
	return (v);
}

/* It would be, after ten minutes. */
static void
forget(const struct conn *cn, const char *what, const char *id)
{
	struct reply	 rp;
	char		 path[PATH_LEN];

	(void)snprintf(path, sizeof(path), BASE "/%s/%s", what, id);
	(void)http_request(cn, "DELETE", path, NULL, &rp);
	reply_clear(&rp);
}
