/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The tokens of the API.  Spec: 05 section 3.1.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/log.h"
#include "ztd-tap/home.h"
#include "ztd-tap/tokens.h"

#define TOKEN_LEN	24	/* of one that we make */
#define TOKEN_MIN	16	/* shorter ones can be guessed */

static void	 token_load(struct parent *, const char *, char *);
static void	 token_make(struct parent *, const char *, char *);

void
tokens_load(struct parent *p)
{
	token_load(p, "authtoken.secret", p->p_token.mt_token);
	token_load(p, "metricstoken.secret", p->p_token.mt_metrics);
}

static void
token_load(struct parent *p, const char *name, char *dst)
{
	static const char	 blank[] = " \t\r\n";
	char			*text, *start;
	size_t			 i, len;

	text = home_read(p, p->p_homefd, name, 4096, false, &len);
	if (text == NULL) {
		if (errno != ENOENT)
			fatal("cannot read %s/%s", p->p_home, name);
		token_make(p, name, dst);
		return;
	}
	/* NULs at the end fall off by themselves. */
	start = text + strspn(text, blank);
	len = strlen(start);
	while (len > 0 && strchr(blank, start[len - 1]) != NULL)
		len--;
	if (len == 0) {
		log_info("%s/%s is empty: a new token is made", p->p_home,
		    name);
		token_make(p, name, dst);
	} else if (len < TOKEN_MIN || len >= TOKEN_MAX)
		fatalx("%s/%s: the token has %zu characters, not %d to %d; "
		    "remove the file for a new one", p->p_home, name, len,
		    TOKEN_MIN, TOKEN_MAX - 1);
	else {
		for (i = 0; i < len; i++)
			if (start[i] <= ' ' || start[i] > '~')
				fatalx("%s/%s: byte %zu of the token is no "
				    "printable character", p->p_home, name,
				    i + 1);
		memcpy(dst, start, len);
		dst[len] = '\0';
	}
	explicit_bzero(text, strlen(text));
	free(text);
}

static void
token_make(struct parent *p, const char *name, char *dst)
{
	static const char	 alphabet[] =
	    "abcdefghijklmnopqrstuvwxyz0123456789";
	int			 i;

	for (i = 0; i < TOKEN_LEN; i++)
		dst[i] = alphabet[arc4random_uniform(sizeof(alphabet) - 1)];
	dst[TOKEN_LEN] = '\0';
	if (file_write(p->p_homefd, name, dst, TOKEN_LEN, 0600, (uid_t)-1,
	    (gid_t)-1) == -1)
		fatal("cannot write %s/%s", p->p_home, name);
}
