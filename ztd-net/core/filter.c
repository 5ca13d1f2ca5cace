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

typedef const struct capability *(*capability_nth)(
    const struct filter_context *, unsigned);

static void	table_run(struct filter_outcome *, struct view *,
		    const struct rule *, unsigned, uint8_t *);
static bool	action_take(struct filter_outcome *, const struct view *,
		    struct state *, const struct rule *);
static bool	action_forward(struct filter_outcome *, const struct view *,
		    const struct rule *);
static bool	aims_at(const struct rule *, uint64_t);
static void	decide(struct filter_decision *, const struct filter_context *,
		    const struct filter_frame *, capability_nth, bool);
static bool	accepted(enum filter_result);
static void	copy_add(struct filter_decision *, const struct filter_copy *,
		    bool);
static const struct capability *own_capability(const struct filter_context *,
		    unsigned);
static const struct capability *peer_capability(
		    const struct filter_context *, unsigned);
static void	log_entry(uint8_t *, unsigned, unsigned);

void
filter_table(struct filter_outcome *fo, const struct filter_context *ctx,
    const struct filter_frame *frame, const struct rule *rules, unsigned n,
    uint8_t *log)
{
	struct view	v;

	filter_view_init(&v, ctx, frame);
	table_run(fo, &v, rules, n, log);
}

void
filter_outbound(struct filter_decision *fd, const struct filter_context *ctx,
    const struct filter_frame *frame, bool copies_allowed)
{
	decide(fd, ctx, frame, own_capability, copies_allowed);
	/* For a frame that leaves there is nothing above accepting it. */
	if (fd->fd_result == FILTER_SUPER_ACCEPT)
		fd->fd_result = FILTER_ACCEPT;
}

void
filter_inbound(struct filter_decision *fd, const struct filter_context *ctx,
    const struct filter_frame *frame)
{
	decide(fd, ctx, frame, peer_capability, true);
}

/*
 * One table.  A set of matches ends at the next action, which is taken if
 * the set is true; then the next set begins, true.
 */
static void
table_run(struct filter_outcome *fo, struct view *v, const struct rule *rules,
    unsigned n, uint8_t *log)
{
	const struct rule	*r;
	struct state		 st = { false, false };
	unsigned		 i;
	bool			 m, set = true;

	memset(fo, 0, sizeof(*fo));
	fo->fo_result = FILTER_NO_MATCH;
	if (log != NULL)
		memset(log, 0, FILTER_LOG);
	for (i = 0; i < n; i++) {
		r = &rules[i];
		if ((r->r_t & RULE_TYPE) <= RULE_ACTION_MAX) {
			if (set) {
				if (action_take(fo, v, &st, r))
					return;
			} else if (v->v_frame->inbound &&
			    aims_at(r, v->v_ctx->fc_self))
				st.st_super = true;
			set = true;
			continue;
		}
		if (!set && (r->r_t & RULE_OR) == 0) {
			log_entry(log, i, set + 1);
			continue;
		}
		m = filter_match(v, &st, r);
		log_entry(log, i, (m + 1) << 2 | (set + 1));
		if ((r->r_t & RULE_NOT) != 0)
			m = !m;
		set = (r->r_t & RULE_OR) != 0 ? set || m : set && m;
	}
}

/* An action whose set is true; true when it ends the table. */
static bool
action_take(struct filter_outcome *fo, const struct view *v,
    struct state *st, const struct rule *r)
{
	switch (r->r_t & RULE_TYPE) {
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
		return (action_forward(fo, v, r));
	case ACTION_BREAK:
		return (true);
	case ACTION_PRIORITY:
		fo->fo_bucket = r->r_u.bucket <= BUCKET_MAX ?
		    r->r_u.bucket : BUCKET_DEFAULT;
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
    const struct rule *r)
{
	const struct filter_frame	*f = v->v_frame;
	uint64_t			 node = r->r_u.fwd.addr;

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
	if ((r->r_t & RULE_TYPE) == ACTION_REDIRECT) {
		fo->fo_redirect = node;
		fo->fo_result = FILTER_REDIRECT;
		return (true);
	}
	fo->fo_copy.fcp_node = node;
	fo->fo_copy.fcp_len = f->len;
	if (r->r_u.fwd.length != 0 && r->r_u.fwd.length < f->len)
		fo->fo_copy.fcp_len = r->r_u.fwd.length;
	fo->fo_copy.fcp_watch = (r->r_t & RULE_TYPE) == ACTION_WATCH;
	return (false);
}

static bool
aims_at(const struct rule *r, uint64_t node)
{
	switch (r->r_t & RULE_TYPE) {
	case ACTION_TEE:
	case ACTION_WATCH:
	case ACTION_REDIRECT:
		return (r->r_u.fwd.addr == node);
	default:
		return (false);
	}
}

/*
 * Only when the base table does not know are capabilities asked, and of
 * those a DROP is no more than the end of that one.
 */
static void
decide(struct filter_decision *fd, const struct filter_context *ctx,
    const struct filter_frame *frame, capability_nth nth, bool copies_allowed)
{
	const struct netconf	*nc = ctx->fc_netconf;
	const struct capability	*cap = NULL;
	struct filter_outcome	 base, fo;
	struct view		 v;
	unsigned		 i;

	memset(fd, 0, sizeof(*fd));
	fd->fd_result = FILTER_DROP;
	filter_view_init(&v, ctx, frame);
	table_run(&base, &v, nc->nc_rules, nc->nc_nrules, NULL);
	fo = base;
	if (base.fo_result == FILTER_NO_MATCH) {
		for (i = 0; (cap = nth(ctx, i)) != NULL; i++) {
			table_run(&fo, &v, cap->cap_rules, cap->cap_nrules,
			    NULL);
			if (accepted(fo.fo_result))
				break;
		}
	}
	if (!accepted(fo.fo_result))
		return;

	fd->fd_result = fo.fo_result;
	fd->fd_redirect = fo.fo_redirect;
	fd->fd_bucket = fo.fo_bucket;
	fd->fd_capability = cap;
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

static const struct capability *
own_capability(const struct filter_context *ctx, unsigned i)
{
	if (i >= ctx->fc_netconf->nc_ncaps)
		return (NULL);
	return (&ctx->fc_netconf->nc_caps[i]);
}

static const struct capability *
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
