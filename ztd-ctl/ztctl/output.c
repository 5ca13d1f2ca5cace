/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What the commands have in common: errors, JSON, small look-ups.
 * Spec: 05 section 13.2.
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ztd-ctl/ztctl/ztctl.h"

int
fail_status(const char *cmd, const struct reply *rp)
{
	(void)printf("%d %s ", rp->rp_status, cmd);
	print_raw(rp);
	(void)printf("\n");
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

int64_t
int_of(json_t *obj, const char *key)
{
	return (json_integer_value(json_object_get(obj, key)));
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
