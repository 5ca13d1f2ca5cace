/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * trace: what becomes of a network's frames, as it happens.
 */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/hex.h"
#include "ztd-ctl/ztctl/ztctl.h"

#define WAIT	25	/* s, in one request */

static json_t	*ask(const struct conn *, const char *, bool, int64_t, int);
static int64_t	 show(const struct conn *, json_t *, int64_t);
static void	 print_event(json_t *);
static void	 print_time(int64_t);
static void	 print_subject(json_t *);
static void	 print_reason(json_t *);

int
cmd_trace(const struct conn *cn, int argc, char **argv)
{
	json_t	*list;
	int64_t	 after = 0;
	uint64_t nwid;
	bool	 all = argc == 3 && strcmp(argv[2], "all") == 0;

	if (argc < 2 || argc > 3 || (argc == 3 && !all) ||
	    hex_parse(argv[1], 16, &nwid) == -1) {
		(void)fprintf(stderr, "usage: trace <network ID> [all]\n");
		return (2);
	}
	/* What somebody else was told before is not for us. */
	if ((list = ask(cn, argv[1], all, 0, 0)) == NULL)
		return (1);
	after = int_of(json_array_get(list, json_array_size(list) - 1),
	    "seq");
	json_decref(list);
	while ((list = ask(cn, argv[1], all, after, WAIT)) != NULL) {
		after = show(cn, list, after);
		json_decref(list);
		if (fflush(stdout) == EOF)
			return (1);
	}
	return (1);
}

static json_t *
ask(const struct conn *cn, const char *nwid, bool all, int64_t after,
    int wait)
{
	char	 path[128];

	(void)snprintf(path, sizeof(path),
	    "/ztd/trace/%.16s?after=%lld&wait=%d%s", nwid, (long long)after,
	    wait, all ? "&all=1" : "");
	return (get_json(cn, "trace", path));
}

/* Returns the number of the last one. */
static int64_t
show(const struct conn *cn, json_t *list, int64_t after)
{
	json_t	*v;
	size_t	 i;

	json_array_foreach(list, i, v) {
		if (cn->cn_json)
			(void)print_json(v);
		else
			print_event(v);
		if (int_of(v, "seq") > after)
			after = int_of(v, "seq");
	}
	return (after);
}

static void
print_event(json_t *v)
{
	if (int_of(v, "missed") + int_of(v, "lost") > 0)
		(void)printf("(up to %lld more than could be shown)\n",
		    (long long)(int_of(v, "missed") + int_of(v, "lost")));
	print_time(int_of(v, "time"));
	(void)printf(" %-3s ", shown_of(v, "direction"));
	(void)printf("%s ", shown_of(v, "verdict"));
	print_subject(v);
	print_reason(v);
	(void)printf("\n");
}

static void
print_time(int64_t ms)
{
	struct tm	 tm;
	time_t		 t = (time_t)(ms / 1000);
	char		 text[16] = "";

	if (localtime_r(&t, &tm) != NULL)
		(void)strftime(text, sizeof(text), "%H:%M:%S", &tm);
	(void)printf("%s.%03d", text, (int)(ms % 1000));
}

/* The frame or credential, and whose it is. */
static void
print_subject(json_t *v)
{
	if (*text_of(v, "credential") != '\0') {
		(void)printf("%s", shown_of(v, "credential"));
		(void)printf(" %lld of %s",
		    (long long)int_of(v, "credentialId"),
		    shown_of(v, "peer"));
		return;
	}
	(void)printf("%s", shown_of(v, "frame"));
	(void)printf(", %lld bytes", (long long)int_of(v, "length"));
	if (*text_of(v, "peer") != '\0')
		(void)printf(", %s %s", strcmp(text_of(v, "direction"),
		    "in") == 0 ? "from" : "to", shown_of(v, "peer"));
}

static void
print_reason(json_t *v)
{
	json_t	*rule = json_object_get(v, "rule");
	json_t	*cap = json_object_get(v, "capability");

	if (strcmp(text_of(v, "verdict"), "passed") == 0)
		return;
	(void)printf(": %s: ", shown_of(v, "reason"));
	if (json_is_integer(cap))
		(void)printf("rules[%lld] of capability %lld",
		    (long long)json_integer_value(rule),
		    (long long)json_integer_value(cap));
	else if (json_is_integer(rule))
		(void)printf("rules[%lld]",
		    (long long)json_integer_value(rule));
	else if (strcmp(text_of(v, "reason"), "rules") == 0)
		(void)printf("no rule and no capability lets it pass");
	else
		(void)printf("%s", shown_of(v, "text"));
	if (*text_of(v, "to") != '\0')
		(void)printf(", to %s", shown_of(v, "to"));
}
