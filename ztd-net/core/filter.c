/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The rules engine: tables and decisions.  Spec: 03 sections 16.2, 16.4 and
 * 16.5; the matches are in filter_match.c.
 */

#include <string.h>

#include "ztd-net/core/filter.h"
#include "ztd-net/core/filter_match.h"

#define BUCKET_MAX	8
#define BUCKET_DEFAULT	4	/* for values over the maximum */

typedef const struct filter_program *(*capability_nth)(
    const struct filter_context *, unsigned);

static void	table_run(struct filter_outcome *, struct view *,
		    const struct filter_program *, uint8_t *);
static void	not_taken(struct state *, const struct view *,
		    const struct insn *);
static bool	action_take(struct filter_outcome *, const struct view *,
		    struct state *, const struct insn *);
static bool	action_forward(struct filter_outcome *, const struct view *,
		    const struct insn *);
static void	decide(struct filter_decision *, const struct filter_context *,
		    const struct filter_frame *, capability_nth, bool,
		    struct filter_log *);
static bool	accepted(enum filter_result);
static void	copy_add(struct filter_decision *, const struct filter_copy *,
		    bool);
static const struct filter_program *own_capability(
		    const struct filter_context *, unsigned);
static const struct filter_program *peer_capability(
		    const struct filter_context *, unsigned);
static void	log_entry(uint8_t *, unsigned, unsigned);

void
filter_run(struct filter_outcome *fo, const struct filter_context *ctx,
    const struct filter_frame *frame, const struct filter_program *fpr,
    uint8_t *log)
{
	struct view	v;

	filter_view_init(&v, ctx, frame);
	table_run(fo, &v, fpr, log);
}

void
filter_outbound(struct filter_decision *fd, const struct filter_context *ctx,
    const struct filter_frame *frame, bool copies_allowed,
    struct filter_log *log)
{
	decide(fd, ctx, frame, own_capability, copies_allowed, log);
	/* For a frame that leaves there is nothing above accepting it. */
	if (fd->fd_result == FILTER_SUPER_ACCEPT)
		fd->fd_result = FILTER_ACCEPT;
}

void
filter_inbound(struct filter_decision *fd, const struct filter_context *ctx,
    const struct filter_frame *frame, struct filter_log *log)
{
	decide(fd, ctx, frame, peer_capability, true, log);
}

/*
 * One table.  A set of matches ends at the next action, which is taken if
 * the set is true; then the next set begins, true.  What stands between a
 * lost match and the place where it matters again is passed over at once.
 */
static void
table_run(struct filter_outcome *fo, struct view *v,
    const struct filter_program *fpr, uint8_t *log)
{
	const struct insn	*in;
	struct state		 st = { false, false };
	unsigned		 i = 0, n = fpr->fpr_n, skip;
	bool			 m, set = true;

	/* All of them; memset() would cost more than the rest of this. */
	fo->fo_result = FILTER_NO_MATCH;
	fo->fo_rule = FILTER_END;
	fo->fo_redirect = 0;
	fo->fo_copy = (struct filter_copy){ .fcp_node = 0 };
	fo->fo_bucket = 0;
	if (log != NULL)
		memset(log, 0, FILTER_LOG);
	while (i < n) {
		in = &fpr->fpr_insn[i];
		if (in->i_type <= RULE_ACTION_MAX) {
			if (!set)
				not_taken(&st, v, in);
			else if (action_take(fo, v, &st, in)) {
				fo->fo_rule = (int)i;
				return;
			}
			set = true;
			i++;
			continue;
		}
		m = filter_match(v, &st, in);
		log_entry(log, i, (m + 1) << 2 | (set + 1));
		m ^= in->i_not != 0;
		set = in->i_or != 0 ? set || m : set && m;
		if (set) {
			i++;
			continue;
		}
		skip = in->i_skip;
		for (i++; log != NULL && i < skip; i++)
			log_entry(log, i, set + 1);
		i = skip;
	}
}

/* A frame that reached us because of an action is for us. */
static void
not_taken(struct state *st, const struct view *v, const struct insn *in)
{
	switch (in->i_type) {
	case ACTION_TEE:
	case ACTION_WATCH:
	case ACTION_REDIRECT:
		if (v->v_frame->inbound && in->i_v == v->v_ctx->fc_self)
			st->st_super = true;
		break;
	}
}

/* An action whose set is true; true when it ends the table. */
static bool
action_take(struct filter_outcome *fo, const struct view *v,
    struct state *st, const struct insn *in)
{
	switch (in->i_type) {
	case ACTION_DROP:
		if (st->st_skipdrop) {
			st->st_skipdrop = false;
			return (false);
		}
		fo->fo_result = FILTER_DROP;
		return (true);
	case ACTION_ACCEPT:
		fo->fo_result = st->st_super ? FILTER_SUPER_ACCEPT :
		    FILTER_ACCEPT;
		return (true);
	case ACTION_TEE:
	case ACTION_WATCH:
	case ACTION_REDIRECT:
		return (action_forward(fo, v, in));
	case ACTION_BREAK:
		return (true);
	case ACTION_PRIORITY:
		fo->fo_bucket = in->i_a <= BUCKET_MAX ? (uint8_t)in->i_a :
		    BUCKET_DEFAULT;
		fo->fo_result = FILTER_ACCEPT;
		return (true);
	default:
		return (false);
	}
}

/*
 * To another node, unless that has or gets the frame anyway.  A frame that
 * reached us because of this very action is for us, whatever follows.
 */
static bool
action_forward(struct filter_outcome *fo, const struct view *v,
    const struct insn *in)
{
	const struct filter_frame	*f = v->v_frame;
	uint64_t			 node = in->i_v;

	if (node == f->source)
		return (false);
	if (node == v->v_ctx->fc_self) {
		if (!f->inbound)
			return (false);
		fo->fo_result = FILTER_SUPER_ACCEPT;
		return (true);
	}
	if (node == f->dest)
		return (false);
	if (in->i_type == ACTION_REDIRECT) {
		fo->fo_redirect = node;
		fo->fo_result = FILTER_REDIRECT;
		return (true);
	}
	fo->fo_copy.fcp_node = node;
	fo->fo_copy.fcp_len = f->len;
	if (in->i_a != 0 && in->i_a < f->len)
		fo->fo_copy.fcp_len = in->i_a;
	fo->fo_copy.fcp_watch = in->i_type == ACTION_WATCH;
	return (false);
}

/*
 * Only when the base table does not know are capabilities asked, and of
 * those a DROP is no more than the end of that one.
 */
static void
decide(struct filter_decision *fd, const struct filter_context *ctx,
    const struct filter_frame *frame, capability_nth nth, bool copies_allowed,
    struct filter_log *log)
{
	const struct filter_program	*cap = NULL;
	struct filter_outcome		 base, fo;
	struct view			 v;
	unsigned			 i;

	/* All but the copies, of which there are none, as above. */
	fd->fd_by_capability = false;
	fd->fd_capability = 0;
	fd->fd_redirect = 0;
	fd->fd_ncopies = 0;
	fd->fd_bucket = 0;
	if (log != NULL)
		log->fl_hascap = false;
	filter_view_init(&v, ctx, frame);
	table_run(&base, &v, ctx->fc_rules->fr_base,
	    log == NULL ? NULL : log->fl_base);
	fo = base;
	if (base.fo_result == FILTER_NO_MATCH) {
		for (i = 0; (cap = nth(ctx, i)) != NULL; i++) {
			table_run(&fo, &v, cap, log == NULL ? NULL :
			    log->fl_cap);
			if (log != NULL)
				log->fl_hascap = true;
			if (accepted(fo.fo_result))
				break;
		}
	}
	if (!accepted(fo.fo_result)) {
		fd->fd_result = FILTER_DROP;
		fd->fd_rule = base.fo_result == FILTER_DROP ? base.fo_rule :
		    FILTER_END;
		return;
	}

	fd->fd_result = fo.fo_result;
	fd->fd_rule = fo.fo_rule;
	fd->fd_redirect = fo.fo_redirect;
	fd->fd_bucket = fo.fo_bucket;
	if (cap != NULL) {
		fd->fd_by_capability = true;
		fd->fd_capability = cap->fpr_id;
	}
	if (copies_allowed) {
		if (cap != NULL)
			copy_add(fd, &fo.fo_copy, true);
		copy_add(fd, &base.fo_copy, false);
	}
}

static bool
accepted(enum filter_result result)
{
	return (result == FILTER_ACCEPT || result == FILTER_SUPER_ACCEPT ||
	    result == FILTER_REDIRECT);
}

static void
copy_add(struct filter_decision *fd, const struct filter_copy *copy,
    bool capability)
{
	if (copy->fcp_node == 0)
		return;
	fd->fd_copies[fd->fd_ncopies] = *copy;
	fd->fd_copies[fd->fd_ncopies++].fcp_capability = capability;
}

static const struct filter_program *
own_capability(const struct filter_context *ctx, unsigned i)
{
	if (i >= ctx->fc_rules->fr_ncaps)
		return (NULL);
	return (ctx->fc_rules->fr_caps[i]);
}

static const struct filter_program *
peer_capability(const struct filter_context *ctx, unsigned i)
{
	if (ctx->fc_peer == NULL)
		return (NULL);
	return (ctx->fc_peer->fp_capability(ctx->fc_peer->fp_arg, i));
}

static void
log_entry(uint8_t *log, unsigned i, unsigned value)
{
	if (log != NULL && i / 2 < FILTER_LOG)
		log[i / 2] |= (uint8_t)(value << (i % 2 * 4));
}
