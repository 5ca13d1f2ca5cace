/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Exchanges of the API: an answer waits until what it says is durable.
 * Spec: 04 section 3.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "ztd-controller/call.h"

struct api_call {
	struct controller *ac_c;
	enum con_method	 ac_method;
	char		*ac_path;
	char		*ac_body;
	size_t		 ac_len;
	bool		 ac_starting;	/* api_start() is on the stack */
	bool		 ac_finished;
	/* The answer once it may be given. */
	unsigned	 ac_code;
	char		*ac_out;
	size_t		 ac_outlen;
	struct sheet	*ac_sheet;	/* instead of ac_out */
	api_done	 ac_done;	/* NULL: nobody wants it */
	void		*ac_arg;
};

/* Where api_handle() has it. */
struct result {
	bool		 r_done;
	unsigned	 r_code;
	char		*r_out;
	size_t		 r_len;
};

static void	 call_run(struct controller *, void *);
static void	 call_stored(void *, int);
static void	 call_refuse(struct api_call *, unsigned, const char *);
static void	 call_finish(struct api_call *);
static void	 call_drop(struct api_call *);
static void	 result_done(void *, unsigned, char *, size_t,
		    struct sheet *);

struct api_call *
api_start(struct controller *c, int64_t now, enum con_method method,
    const char *path, const char *body, size_t len, api_done done, void *arg)
{
	struct api_call	*ac;

	c->c_now = now;
	ac = xcalloc(1, sizeof(*ac));
	ac->ac_c = c;
	ac->ac_method = method;
	ac->ac_path = xstrdup(path);
	ac->ac_body = xmalloc(len + 1);
	memcpy(ac->ac_body, body, len);
	ac->ac_body[len] = '\0';
	ac->ac_len = len;
	ac->ac_done = done;
	ac->ac_arg = arg;
	ac->ac_starting = true;
	call_run(c, ac);
	ac->ac_starting = false;
	if (!ac->ac_finished)
		return (ac);
	free(ac);
	return (NULL);
}

void
api_forget(struct api_call *ac)
{
	if (ac != NULL)
		ac->ac_done = NULL;
}

unsigned
api_handle(struct controller *c, int64_t now, enum con_method method,
    const char *path, const char *body, size_t len, char **out,
    size_t *outlen)
{
	struct result	 r;

	memset(&r, 0, sizeof(r));
	(void)api_start(c, now, method, path, body, len, result_done, &r);
	if (!r.r_done)
		db_wait(c->c_db);
	*out = r.r_out;
	*outlen = r.r_len;
	return (r.r_code);
}

static void
result_done(void *arg, unsigned code, char *out, size_t len,
    struct sheet *sh)
{
	struct result	*r = arg;

	r->r_done = true;
	r->r_code = code;
	r->r_out = out;
	r->r_len = len;
	if (sh == NULL)
		return;
	r->r_len = sh->sh_len;
	if ((r->r_out = sheet_read(sh)) == NULL)
		fatalx("out of memory");
	sheet_free(sh);
}

/* From the beginning, perhaps not for the first time. */
static void
call_run(struct controller *c, void *arg)
{
	struct api_call	*ac = arg;
	enum store_end	 end;

	store_begin(c);
	ac->ac_code = api_route(c, ac->ac_method, ac->ac_path, ac->ac_body,
	    ac->ac_len, &ac->ac_out, &ac->ac_outlen, &ac->ac_sheet);
	if (ac->ac_code != 200) {
		store_abort(c);
		call_finish(ac);
		return;
	}
	end = store_commit(c, call_stored, ac);
	if (end == STORE_NOTHING)
		call_finish(ac);
	else if (end == STORE_BUSY && store_park(c, call_run, ac) == -1) {
		call_refuse(ac, 503, "too many changes are waiting");
		call_finish(ac);
	} else if (end == STORE_BUSY)
		call_drop(ac);
}

/* The answer that was made is none. */
static void
call_drop(struct api_call *ac)
{
	free(ac->ac_out);
	ac->ac_out = NULL;
	sheet_free(ac->ac_sheet);
	ac->ac_sheet = NULL;
}

static void
call_stored(void *arg, int error)
{
	struct api_call	*ac = arg;

	if (db_is_full(error))
		call_refuse(ac, 507, "there is no room on the disk of the "
		    "controller: nothing was changed");
	else if (error != 0)
		call_refuse(ac, 500, "it could not be stored: nothing was "
		    "changed");
	call_finish(ac);
}

/* why has nothing that JSON would want quoted. */
static void
call_refuse(struct api_call *ac, unsigned code, const char *why)
{
	int	n;

	call_drop(ac);
	if (code == 500)
		n = asprintf(&ac->ac_out, "{\"error\": 500, \"description\": "
		    "\"%s\", \"message\": \"%s\"}", why, why);
	else
		n = asprintf(&ac->ac_out, "{\"message\": \"%s\"}", why);
	if (n == -1)
		fatalx("out of memory");
	ac->ac_code = code;
	ac->ac_outlen = (size_t)n;
}

static void
call_finish(struct api_call *ac)
{
	if (ac->ac_done != NULL)
		ac->ac_done(ac->ac_arg, ac->ac_code, ac->ac_out,
		    ac->ac_outlen, ac->ac_sheet);
	else
		call_drop(ac);
	free(ac->ac_path);
	free(ac->ac_body);
	ac->ac_finished = true;
	if (!ac->ac_starting)
		free(ac);
}
