/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What the commands have in common: errors, JSON, small look-ups.
 * Spec: 05 section 13.2.
 */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ztd-ctl/ztctl/ztctl.h"

#define INT_FAR	(INT64_C(1) << 53)

static const struct conn *hinted;

static void	 hint_status(int);

void
hints_for(const struct conn *cn)
{
	hinted = cn->cn_compat ? NULL : cn;
}

void
hint(const char *fmt, ...)
{
	va_list	 ap;

	if (hinted == NULL)
		return;
	(void)fflush(stdout);
	(void)fprintf(stderr, "ztctl: ");
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "\n");
}

/* What to do when the service refused, or is not there. */
static void
hint_status(int status)
{
	switch (status) {
	case 0:
		hint("is ztd running?  \"ztctl doctor\" looks what is wrong");
		break;
	case 401:
		hint("the token is not that of the running service, or this "
		    "address may not ask; \"ztctl doctor\" says more");
		break;
	case 503:
		hint("a part of ztd is being started anew; try again, and "
		    "look into its log when this stays");
		break;
	}
}

int
fail_status(const char *cmd, const struct reply *rp)
{
	(void)printf("%d %s ", rp->rp_status, cmd);
	print_raw(rp);
	(void)printf("\n");
	hint_status(rp->rp_status);
	return (1);
}

/* The numbers in this text are fixed, whatever was used. */
int
fail_connect(const char *cmd, const struct reply *rp)
{
	if (rp->rp_status != 0)
		return (fail_status(cmd, rp));
	(void)printf("Error connecting to the ZeroTier service: ");
	print_raw(rp);
	(void)printf("\n\nPlease check that the service is running and that "
	    "TCP port 9993 can be contacted via 127.0.0.1.\n");
	hint_status(0);
	return (1);
}

json_t *
get_json(const struct conn *cn, const char *cmd, const char *path)
{
	struct reply	 rp;
	json_error_t	 je;
	json_t		*v = NULL;

	if (http_request(cn, "GET", path, NULL, &rp) != 200)
		(void)fail_connect(cmd, &rp);
	else if ((v = json_loadb(rp.rp_body, rp.rp_len, JSON_DECODE_ANY,
	    &je)) == NULL)
		(void)printf("%d %s invalid JSON response (%s)\n",
		    rp.rp_status, cmd, je.text);
	reply_clear(&rp);
	return (v);
}

json_t *
get_list(const struct conn *cn, const char *cmd, const char *path, int *rv)
{
	json_t	*v;

	*rv = 1;
	if ((v = get_json(cn, cmd, path)) == NULL || !cn->cn_json)
		return (v);
	(void)print_json(v);
	json_decref(v);
	*rv = 0;
	return (NULL);
}

int
print_json(json_t *v)
{
	(void)json_dumpf(v, stdout, JSON_INDENT(1) | JSON_SORT_KEYS |
	    JSON_ENCODE_ANY);
	(void)printf("\n");
	return (0);
}

void
print_raw(const struct reply *rp)
{
	if (rp->rp_len > 0)
		(void)fwrite(rp->rp_body, 1, rp->rp_len, stdout);
}

const char *
text_of(json_t *obj, const char *key)
{
	const char	*s;

	s = json_string_value(json_object_get(obj, key));
	return (s != NULL ? s : "");
}

const char *
shown_of(json_t *obj, const char *key)
{
	return (shown(json_object_get(obj, key)));
}

/* What a stranger wrote may hold commands to the terminal. */
const char *
shown(json_t *v)
{
	static char	 texts[SHOWN_AT_ONCE][4096];
	static unsigned	 next;
	unsigned char	*p;
	const char	*s = json_string_value(v);
	char		*text = texts[next++ % SHOWN_AT_ONCE];

	(void)strlcpy(text, s != NULL ? s : "", sizeof(texts[0]));
	for (p = (unsigned char *)text; *p != '\0'; p++) {
		if (*p < ' ' || *p == 0x7f)
			*p = '?';
		else if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
			p[0] = p[1] = '?';	/* U+0080 to U+009F */
	}
	return (text);
}

int64_t
int_of(json_t *obj, const char *key)
{
	int64_t	 v;

	v = json_integer_value(json_object_get(obj, key));
	return (v > INT_FAR ? INT_FAR : v < -INT_FAR ? -INT_FAR : v);
}

bool
true_of(json_t *obj, const char *key)
{
	return (json_is_true(json_object_get(obj, key)));
}

int64_t
now_ms(void)
{
	struct timespec	 ts;

	if (clock_gettime(CLOCK_REALTIME, &ts) == -1)
		return (0);
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}
