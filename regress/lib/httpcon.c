/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * HTTP before a controller; see httpcon.h.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "regress/lib/ctlworld.h"
#include "regress/lib/httpcon.h"
#include "ztd-controller/controller.h"
#include "ztd-controller/exchange.h"

struct httpcon {
	struct ctlworld	 h_world;
	struct exchange_table *h_table;
	struct controller *h_con;
	const int64_t	*h_now;
};

static void	 httpcon_message(void *, struct channel *,
		    const struct msg *);
static void	 httpcon_wait(struct httpcon *);
static char	*head_type(const char *);

struct httpcon *
httpcon_new(const atf_tc_t *tc, struct controller *c, const int64_t *now)
{
	struct httpcon	*h;

	ATF_REQUIRE((h = calloc(1, sizeof(*h))) != NULL);
	h->h_con = c;
	h->h_now = now;
	h->h_table = exchange_new();
	h->h_world.w_con_message = httpcon_message;
	h->h_world.w_con_arg = h;
	world_start(&h->h_world, tc, false);
	httpcon_wait(h);
	return (h);
}

/* ztd-ctl may be asked before it has heard of the controller. */
static void
httpcon_wait(struct httpcon *h)
{
	char	*type, *text;
	int	 i, code = 0;

	for (i = 0; i < 100 && code != 200; i++) {
		code = httpcon_ask(h, "GET", "/controller", "", true, NULL,
		    &type, &text);
		free(type);
		free(text);
		if (code != 200)
			world_run(&h->h_world, 20);
	}
	ATF_REQUIRE_EQ(code, 200);
}

void
httpcon_free(struct httpcon *h)
{
	world_stop(&h->h_world);
	exchange_free(h->h_table);
	free(h);
}

static void
httpcon_message(void *arg, struct channel *ch, const struct msg *m)
{
	struct httpcon	*h = arg;

	exchange_message(h->h_table, h->h_con, ch, m, *h->h_now);
}

int
httpcon_ask(struct httpcon *h, const char *method, const char *target,
    const char *headers, bool token, const char *body, char **type,
    char **out)
{
	struct answer	 an;
	char		*all;
	int		 status;

	ATF_REQUIRE(asprintf(&all, "%s%s%s%s", token ? "X-ZT1-Auth: " : "",
	    token ? WORLD_TOKEN : "", token ? "\r\n" : "", headers) != -1);
	world_http(&h->h_world, method, target, all, body, &an);
	free(all);
	*type = head_type(an.an_head);
	*out = strdup(an.an_body);
	ATF_REQUIRE(*out != NULL && strlen(*out) == an.an_len);
	status = an.an_status;
	answer_clear(&an);
	return (status);
}

const char *
httpcon_token(void)
{
	return (WORLD_TOKEN);
}

static char *
head_type(const char *head)
{
	static const char	 name[] = "\r\nContent-Type:";
	const char		*p;

	for (p = head; *p != '\0'; p++) {
		if (strncasecmp(p, name, sizeof(name) - 1) != 0)
			continue;
		p += sizeof(name) - 1;
		p += strspn(p, " ");
		return (strndup(p, strcspn(p, "\r")));
	}
	return (strdup(""));
}
