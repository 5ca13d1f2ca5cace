/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What becomes of frames and credentials: counted for each network, told to
 * whoever watches it here, and to the node that its controller names
 * (REMOTE_TRACE).  Spec: 03 section 18.
 */

#include <string.h>

#include "common/dictionary.h"
#include "ztd-net/core/network.h"

/* Levels of the remote trace. */
#define LEVEL_VERBOSE	10
#define LEVEL_RULES	15

#define REMOTE_BURST	50	/* traces at once, */
#define REMOTE_SECOND	20	/* and in the long run: of one network */
#define REMOTE_MAX	4000	/* bytes of one */
#define REMOTE_DATA	256	/* of a frame, in it */

static void
count_frame(struct network *nw, const struct filter_frame *ff, enum why why)
{
	struct network_counters	*nc = &nw->nw_counters;

	nc->nc_frames[ff->inbound][why]++;
	nc->nc_bytes[ff->inbound][why] += ff->len;
}

/* --- the remote trace ------------------------------------------------- */

static bool
remote_due(struct network *nw, int64_t now)
{
	int64_t	more = (now - nw->nw_trace_time) * REMOTE_SECOND / 1000;

	if (more > 0) {
		nw->nw_trace_time = now;
		nw->nw_traces = more >= REMOTE_BURST - nw->nw_traces ?
		    REMOTE_BURST : nw->nw_traces + (int)more;
	}
	if (nw->nw_traces == 0)
		return (false);
	nw->nw_traces--;
	return (true);
}

static void
remote_send(struct node *n, int64_t now, const struct network *nw,
    const struct wbuf *d)
{
	uint64_t	to = nw->nw_conf->nc_trace_target;
	struct pkt	pkt;

	if (!wbuf_ok(d))
		return;
	if (to == n->n_id.id_addr) {
		if (n->n_cb.nc_trace != NULL)
			n->n_cb.nc_trace(n->n_arg, to,
			    (const char *)d->wb_base, d->wb_len);
		return;
	}
	/* It is no reason to keep other packets waiting. */
	if (peer_find(n, to) == NULL) {
		whois_member(n, now, to);
		return;
	}
	pkt_begin(n, &pkt, to, VERB_REMOTE_TRACE);
	wbuf_bytes(&pkt.pk, d->wb_base, d->wb_len);
	wbuf_u8(&pkt.pk, 0);
	pkt_send(n, now, &pkt, true);
}

/* Does this network want traces of this level? */
static bool
remote_wanted(struct network *nw, int64_t now, uint64_t level)
{
	return (nw->nw_conf != NULL && nw->nw_conf->nc_trace_target != 0 &&
	    nw->nw_conf->nc_trace_level >= level && remote_due(nw, now));
}

static const char *
remote_reason(enum why why)
{
	switch (why) {
	case WHY_NOT_BRIDGE:
		return ("not a bridge");
	case WHY_BROADCAST_OFF:
		return ("broadcast disabled");
	case WHY_MULTICAST_OFF:
		return ("multicast disabled");
	case WHY_RULES:
		return ("filter blocked");
	case WHY_BRIDGED_BY_OTHER:
		return ("bridging not allowed (remote)");
	case WHY_BRIDGED_TO_US:
		return ("bridging not allowed (local)");
	default:
		return (why_code(why));
	}
}

/* How it came: of a frame that went out nothing. */
static void
put_way(struct wbuf *d, const struct rx *rx)
{
	char	text[INET_TEXT];

	if (rx == NULL)
		return;
	dict_put_u64(d, "packetId", rx->rx_id);
	dict_put_u64(d, "packetVerb", rx->rx_verb);
	dict_put_u64(d, "remoteZtAddr", rx->rx_peer->pe_id.id_addr);
	dict_put_string(d, "remotePhyAddr", inet_format(text,
	    &rx->rx_path->pa_addr));
	dict_put_u64(d, "localSocket", rx->rx_path->pa_sock);
}

static void
remote_frame(struct node *n, int64_t now, struct network *nw,
    const struct node_event *ne, const struct rx *rx)
{
	bool		denied = ne->ne_why == WHY_NO_CERTIFICATE ||
	    ne->ne_why == WHY_CERTIFICATE_REVOKED ||
	    ne->ne_why == WHY_CERTIFICATE_APART;
	uint8_t		bytes[REMOTE_MAX];
	struct wbuf	d;

	if (!remote_wanted(nw, now, LEVEL_VERBOSE))
		return;
	wbuf_init(&d, bytes, sizeof(bytes));
	dict_put_string(&d, "event", !ne->ne_inbound ? "2000" :
	    denied ? "2001" : "2002");
	put_way(&d, rx);
	dict_put_u64(&d, "networkId", nw->nw_id);
	if (!denied) {
		dict_put_u64(&d, "sourceMac", ne->ne_src);
		dict_put_u64(&d, "destMac", ne->ne_dst);
		if (!ne->ne_inbound) {
			dict_put_u64(&d, "etherType", ne->ne_ethertype);
			dict_put_u64(&d, "vlanId", 0);
			dict_put_u64(&d, "frameLength", ne->ne_len);
		}
		dict_put_string(&d, "reason", remote_reason(ne->ne_why));
	}
	remote_send(n, now, nw, &d);
}

bool
trace_wants_log(const struct network *nw)
{
	return (nw->nw_conf->nc_trace_target != 0 &&
	    nw->nw_conf->nc_trace_level >= LEVEL_RULES);
}

/* Without the zeros at its end. */
static void
put_log(struct wbuf *d, const char *key, const uint8_t *log)
{
	dict_put_bytes(d, key, log, FILTER_LOG);
}

void
trace_filter(struct node *n, int64_t now, struct network *nw,
    const struct filter_frame *ff, const struct filter_decision *fd,
    const struct filter_log *log, bool copies)
{
	uint8_t		bytes[REMOTE_MAX];
	struct wbuf	d;
	int64_t		result;

	if (!remote_wanted(nw, now, LEVEL_RULES))
		return;
	result = fd->fd_result == FILTER_SUPER_ACCEPT ? 2 :
	    fd->fd_result == FILTER_ACCEPT ? 1 : 0;
	wbuf_init(&d, bytes, sizeof(bytes));
	dict_put_string(&d, "event", "2006");
	dict_put_u64(&d, "networkId", nw->nw_id);
	dict_put_u64(&d, "sourceZtAddr", ff->source);
	dict_put_u64(&d, "destZtAddr", ff->dest);
	dict_put_u64(&d, "sourceMac", ff->mac_src);
	dict_put_u64(&d, "destMac", ff->mac_dst);
	dict_put_u64(&d, "etherType", ff->ethertype);
	dict_put_u64(&d, "vlanId", ff->vlan);
	dict_put_string(&d, "filterNoTee", copies ? "0" : "1");
	dict_put_string(&d, "filterInbound", ff->inbound ? "1" : "0");
	dict_put_i64(&d, "filterResult", result);
	put_log(&d, "filterBaseRuleLog", log->fl_base);
	if (log->fl_hascap)
		put_log(&d, "filterCapRuleLog", log->fl_cap);
	if (fd->fd_by_capability)
		dict_put_u64(&d, "filterMatchingCapId", fd->fd_capability);
	dict_put_u64(&d, "frameLength", ff->len);
	dict_put_bytes(&d, "frameData", ff->data,
	    ff->len > REMOTE_DATA ? REMOTE_DATA : ff->len);
	remote_send(n, now, nw, &d);
}

static void
remote_credential(struct node *n, int64_t now, struct network *nw,
    const struct node_event *ne)
{
	uint8_t		bytes[512];
	struct wbuf	d;

	if (!remote_wanted(nw, now, 0))
		return;
	wbuf_init(&d, bytes, sizeof(bytes));
	dict_put_string(&d, "event", "2003");
	dict_put_u64(&d, "networkId", nw->nw_id);
	dict_put_u64(&d, "credType", ne->ne_credential);
	dict_put_u64(&d, "credId", ne->ne_credential_id);
	dict_put_u64(&d, "credTs", (uint64_t)ne->ne_credential_ts);
	dict_put_u64(&d, ne->ne_credential == CREDENTIAL_REVOCATION ?
	    "credRevocationTarget" : "credIssuedTo", ne->ne_peer);
	dict_put_string(&d, "reason", why_code(ne->ne_why));
	remote_send(n, now, nw, &d);
}

/* --- here ------------------------------------------------------------- */

/* Is there somebody who wants to be told? */
static bool
watched(const struct node *n, int64_t now, const struct network *nw,
    enum why why)
{
	return (n->n_cb.nc_event != NULL && now < (why == WHY_ACCEPTED ?
	    nw->nw_watched_all : nw->nw_watched));
}

static void
tell(struct node *n, int64_t now, struct network *nw, struct node_event *ne)
{
	if (!watched(n, now, nw, ne->ne_why))
		return;
	ne->ne_nwid = nw->nw_id;
	ne->ne_missed = nw->nw_missed;
	nw->nw_missed = n->n_cb.nc_event(n->n_arg, ne) ? 0 :
	    nw->nw_missed + 1;
}

void
trace_frame(struct node *n, int64_t now, struct network *nw,
    const struct filter_frame *ff, enum why why,
    const struct filter_decision *fd, const struct rx *rx)
{
	struct node_event	ne;
	bool			passed = why == WHY_ACCEPTED ||
	    why == WHY_REDIRECTED;

	count_frame(nw, ff, why);
	/* Of nearly all there is no more to say than that. */
	if (passed && !watched(n, now, nw, why))
		return;
	memset(&ne, 0, sizeof(ne));
	ne.ne_why = why;
	ne.ne_inbound = ff->inbound;
	ne.ne_peer = ff->inbound ? ff->source : ff->dest;
	ne.ne_src = ff->mac_src;
	ne.ne_dst = ff->mac_dst;
	ne.ne_ethertype = ff->ethertype;
	ne.ne_data = ff->data;
	ne.ne_len = ff->len;
	ne.ne_rule = FILTER_END;
	if (fd != NULL) {
		ne.ne_rule = fd->fd_rule;
		ne.ne_by_capability = fd->fd_by_capability;
		ne.ne_capability = fd->fd_capability;
		ne.ne_redirect = fd->fd_redirect;
	}
	tell(n, now, nw, &ne);
	if (!passed)
		remote_frame(n, now, nw, &ne, rx);
}

void
trace_credential(struct node *n, int64_t now, struct network *nw,
    enum credential_type type, uint32_t id, int64_t ts, uint64_t to,
    enum why why)
{
	struct node_event	ne;

	memset(&ne, 0, sizeof(ne));
	ne.ne_why = why;
	ne.ne_inbound = true;
	ne.ne_peer = to;
	ne.ne_rule = FILTER_END;
	ne.ne_credential = type;
	ne.ne_credential_id = id;
	ne.ne_credential_ts = ts;
	nw->nw_counters.nc_credentials[why]++;
	tell(n, now, nw, &ne);
	remote_credential(n, now, nw, &ne);
}

/*
 * A trace that came: only a member of a network of our controller has reason
 * to send one.
 */
void
trace_received(struct node *n, int64_t now, uint64_t from, const char *text,
    size_t len)
{
	uint64_t	nwid = dict_get_u64(text, len, "networkId", 0);

	if (n->n_cb.nc_trace != NULL &&
	    nwid_controller(nwid) == n->n_id.id_addr &&
	    multicast_granted(n, now, nwid, from))
		n->n_cb.nc_trace(n->n_arg, from, text, len);
}

int
node_watch(struct node *n, int64_t now, uint64_t nwid, int64_t ms, bool all)
{
	struct network	*nw;

	now = node_clock(n, now);
	if ((nw = network_find(n, nwid)) == NULL)
		return (-1);
	if (now >= nw->nw_watched)
		nw->nw_missed = 0;
	/* Others may be watching, too. */
	if (nw->nw_watched < now + ms)
		nw->nw_watched = now + ms;
	if (all && nw->nw_watched_all < now + ms)
		nw->nw_watched_all = now + ms;
	return (0);
}
