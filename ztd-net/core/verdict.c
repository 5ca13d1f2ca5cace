/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The rules of a network asked about a frame, with what we know of the
 * member on the other side, and the copies that they want sent.
 * Spec: 03 sections 16.4 and 16.5.
 */

#include "ztd-net/core/network.h"

/* Flags of EXT_FRAME that say why a copy was sent. */
#define EXT_TEE_OUT		0x02
#define EXT_REDIRECT_OUT	0x04
#define EXT_WATCH_OUT		0x16
#define EXT_TEE_IN		0x08
#define EXT_REDIRECT_IN		0x0a
#define EXT_WATCH_IN		0x1c

/* A member as the rules see it. */
struct view {
	const struct network	*vi_nw;
	const struct membership	*vi_mb;
	unsigned		 vi_cap;	/* next one to look at */
};

static bool
view_tag(void *arg, uint32_t id, uint32_t *value)
{
	const struct view	*vi = arg;
	const struct tag	*tag;

	if ((tag = membership_tag(vi->vi_nw, vi->vi_mb, id)) == NULL)
		return (false);
	*value = tag->tag_value;
	return (true);
}

static bool
view_owns_ip(void *arg, const struct inet_addr *ia)
{
	const struct view	*vi = arg;

	return (membership_owns_ip(vi->vi_nw, vi->vi_mb, ia));
}

static bool
view_owns_mac(void *arg, uint64_t mac)
{
	const struct view	*vi = arg;

	return (membership_owns_mac(vi->vi_nw, vi->vi_mb, mac));
}

static const struct filter_program *
view_capability(void *arg, unsigned i)
{
	struct view		*vi = arg;
	const struct held_cap	*hc;

	if (i == 0)
		vi->vi_cap = 0;
	while (vi->vi_mb != NULL && vi->vi_cap < vi->vi_mb->mb_ncaps) {
		hc = &vi->vi_mb->mb_caps[vi->vi_cap++];
		if (membership_counts(vi->vi_nw, vi->vi_mb,
		    CREDENTIAL_CAPABILITY, hc->hc_cap.cap_id,
		    hc->hc_cap.cap_ts))
			return (hc->hc_program);
	}
	return (NULL);
}

static uint32_t
view_random(void *arg)
{
	return (node_random_u32(arg));
}

/*
 * Ask the rules.  mb is the record of the other side, NULL when there is
 * none; an inbound frame has a peer all the same, who owns nothing.
 */
static void
ask(struct node *n, int64_t now, struct network *nw,
    const struct membership *mb, const struct filter_frame *ff, bool copies,
    struct filter_decision *fd)
{
	struct filter_context	 fc;
	struct filter_peer	 fp;
	struct filter_log	 logs, *log = NULL;
	struct view		 vi = { nw, mb, 0 };

	fp.fp_tag = view_tag;
	fp.fp_owns_ip = view_owns_ip;
	fp.fp_owns_mac = view_owns_mac;
	fp.fp_capability = view_capability;
	fp.fp_arg = &vi;
	fc.fc_netconf = nw->nw_conf;
	fc.fc_rules = nw->nw_rules;
	fc.fc_self = n->n_id.id_addr;
	fc.fc_peer = ff->inbound || mb != NULL ? &fp : NULL;
	fc.fc_random = view_random;
	fc.fc_random_arg = n;
	if (trace_wants_log(nw))
		log = &logs;
	if (ff->inbound)
		filter_inbound(fd, &fc, ff, log);
	else
		filter_outbound(fd, &fc, ff, copies, log);
	if (log != NULL)
		trace_filter(n, now, nw, ff, fd, log, copies);
}

/* Send the copies and the redirected frame that the rules asked for. */
static void
send_copies(struct node *n, int64_t now, const struct network *nw,
    const struct filter_decision *fd, const struct filter_frame *ff)
{
	const struct filter_copy	*fcp;
	uint8_t				 flags;
	unsigned			 i;

	for (i = 0; i < fd->fd_ncopies; i++) {
		fcp = &fd->fd_copies[i];
		if (fcp->fcp_watch)
			flags = ff->inbound ? EXT_WATCH_IN : EXT_WATCH_OUT;
		else
			flags = ff->inbound ? EXT_TEE_IN : EXT_TEE_OUT;
		ether_send_ext(n, now, nw, fcp->fcp_node, flags, ff->mac_dst,
		    ff->mac_src, ff->ethertype, ff->data, fcp->fcp_len, true);
	}
	if (fd->fd_result == FILTER_REDIRECT)
		ether_send_ext(n, now, nw, fd->fd_redirect,
		    ff->inbound ? EXT_REDIRECT_IN : EXT_REDIRECT_OUT,
		    ff->mac_dst, ff->mac_src, ff->ethertype, ff->data,
		    ff->len, true);
}

bool
ether_filter_out(struct node *n, int64_t now, struct network *nw,
    bool copies, uint64_t dest_node, uint64_t dst, uint64_t src,
    uint16_t type, const uint8_t *p, size_t len)
{
	const struct filter_frame	 ff = {
		.inbound = false, .source = n->n_id.id_addr,
		.dest = dest_node, .mac_src = src, .mac_dst = dst,
		.ethertype = type, .data = p, .len = len
	};
	struct filter_decision		 fd;

	ask(n, now, nw, dest_node == 0 ? NULL : membership_find(nw,
	    dest_node), &ff, copies, &fd);
	if (fd.fd_ncopies > 0 || fd.fd_result == FILTER_REDIRECT)
		send_copies(n, now, nw, &fd, &ff);
	if (fd.fd_result == FILTER_ACCEPT)
		return (true);
	trace_frame(n, now, nw, &ff, fd.fd_result == FILTER_REDIRECT ?
	    WHY_REDIRECTED : WHY_RULES, &fd, NULL);
	return (false);
}

bool
ether_filter_once(struct node *n, int64_t now, struct network *nw,
    const struct filter_frame *ff)
{
	struct filter_decision	 fd;

	if (!nw->nw_rules->fr_alike || trace_wants_log(nw))
		return (false);
	ask(n, now, nw, membership_find(nw, ff->dest), ff, true, &fd);
	return (fd.fd_result == FILTER_ACCEPT);
}

int
ether_filter_in(struct node *n, int64_t now, struct network *nw,
    const struct filter_frame *ff, const struct rx *rx)
{
	struct filter_decision	 fd;

	ask(n, now, nw, membership_find(nw, ff->source), ff, true, &fd);
	if (fd.fd_ncopies > 0 || fd.fd_result == FILTER_REDIRECT)
		send_copies(n, now, nw, &fd, ff);
	if (fd.fd_result == FILTER_SUPER_ACCEPT)
		return (2);
	if (fd.fd_result == FILTER_ACCEPT)
		return (1);
	trace_frame(n, now, nw, ff, fd.fd_result == FILTER_REDIRECT ?
	    WHY_REDIRECTED : WHY_RULES, &fd, rx);
	return (0);
}
